"""What the tests beside a suite found, kept in the project: who follows the document, and how a change arrived."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench import records
from workbench.errors import InputError
from workbench.evaluation.drill import Drill
from workbench.evaluation.knowledge import SAYS, SourceTest
from workbench.evaluation.records import Suite
from workbench.evaluation.results import lane_hash
from workbench.events import Result, Stage
from workbench.lanes.lane import Lane

FOLDER = "tests"  # in the project; a file per test, written once and never changed
FORMAT = 1  # raised when an older version could misread what this one writes
SOURCES, DRILL = "sources", "drill"
_KINDS: Mapping[str, type[SourceTest] | type[Drill]] = {SOURCES: SourceTest, DRILL: Drill}
_NAMES_ALONE = ("name", "title", "short", "model", "adapter")  # of a definition: what files hold is in their hashes


@dataclass(frozen=True, slots=True)
class Kept:
    """A test as it lies in the project."""

    kind: str  # SOURCES or DRILL
    created: str  # ISO time
    found: Any  # a SourceTest or a Drill
    lanes: dict[str, dict[str, Any]]  # lane -> "definition", and the "hash" of `_mark`
    suite: str = ""  # the name of the suite whose facts were changed; a drill has none
    suite_hash: str = ""

    def made(self, lane: str) -> dict[str, Any]:
        """What a lane was made of, as an evaluation's `made_with` says it: "definition", "model" and "adapter"."""
        return {**self.found.made.get(lane, {}), **self.lanes.get(lane, {})}

    def reads(self, lane: str) -> bool:
        """Whether a lane was shown documents."""
        return bool((self.lanes.get(lane) or {}).get("definition", {}).get("context", "none") != "none")


@dataclass(frozen=True, slots=True)
class KeptTests:
    """The tests that stand beside some results."""

    sources: Kept | None = None
    drill: Kept | None = None
    left_out: tuple[str, ...] = field(default=())  # a sentence for each file that could not be read


def keep_test(stage: Stage, project: Path, lanes: Sequence[Lane], suite: Suite | None = None) -> Stage:
    """The same stage, its SourceTest or Drill kept before it is handed on. Raises DiskFull beside what it raises."""
    with contextlib.closing(stage):
        for event in stage:
            if isinstance(event, Result):
                for kind, whole in _KINDS.items():
                    if isinstance(event.value, whole):
                        _write(project, kind, event.value, lanes, suite)
            yield event


def _write(project: Path, kind: str, found: SourceTest | Drill, lanes: Sequence[Lane], suite: Suite | None) -> None:
    created = time.strftime("%Y-%m-%dT%H:%M:%S")
    stem, number = f"{kind}-{created.replace(':', '')}", 2
    path = project / FOLDER / f"{stem}.json"
    while path.exists():
        path, number = project / FOLDER / f"{stem}-{number}.json", number + 1
    made = {lane.name: {"definition": dataclasses.asdict(lane), "hash": _mark(lane)} for lane in lanes}
    name, suite_hash = (suite.name, suite.hash) if suite is not None else ("", "")
    records.write_json(path, {"format": FORMAT, **records.to_plain(Kept(kind, created, found, made, name, suite_hash))})


def read_test(path: Path) -> Kept:
    """A kept test. Raises InputError, saying why, for a file that is damaged or of a newer version."""
    try:
        plain = records.read_json(path)
        if plain["format"] > FORMAT:
            raise InputError(f"{path.name} was kept by a newer version of Workbench.")
        kept: Kept = records.from_plain(Kept, plain)
        found: SourceTest | Drill = records.from_plain(_KINDS[kept.kind], plain["found"])
        kept = dataclasses.replace(kept, found=found)
        _check(kept)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path.name} is damaged.") from error
    return kept


def _check(kept: Kept) -> None:
    """Raises ValueError or TypeError for what no test of ours wrote: all that is shown of it later must be there."""
    found, lanes = kept.found, set(_asked(kept.found))
    texts = [kept.created, kept.suite, kept.suite_hash]
    if isinstance(found, SourceTest):
        texts += [part for each in found.answers for part in (each.case, each.was, each.now, each.text)]
        counted = all({*SAYS} == {*counts} for counts in found.lanes.values())
        fits = counted and all(each.says in SAYS and each.lane in lanes for each in found.answers)
    else:
        texts += [found.question, *found.expected, *found.changed, *(each.text for each in found.lanes)]
        fits = bool(found.lanes)
    described = all(isinstance(kept.made(lane).get("definition"), dict) for lane in lanes)
    if not fits or not described or not all(isinstance(each, str) for each in texts):
        raise ValueError("something of it is not there")


def _asked(found: SourceTest | Drill) -> Iterable[str]:
    return found.lanes if isinstance(found, SourceTest) else [each.lane for each in found.lanes]


def _newest_first(project: Path, kind: str, left_out: list[str]) -> Iterator[Kept]:
    """The kept tests of a kind; what cannot be read becomes a sentence. Later files are not opened unless asked for."""
    for path in sorted((project / FOLDER).glob(f"{kind}-*.json"), key=lambda each: each.stem, reverse=True):
        try:
            yield read_test(path)
        except InputError as error:
            left_out.append(f"A kept test is left out: {error}")


def kept_beside(project: Path, suite: str, suite_hash: str, lanes: Iterable[str] = ()) -> KeptTests:
    """The newest tests that have to do with a suite, by its name and version, and with some lanes or with any.

    Of the source tests the newest over this very version of the suite, else the newest over another version of it.
    """
    names, left_out = set(lanes), list[str]()
    sources: Kept | None = None
    for each in _newest_first(project, SOURCES, left_out):
        if each.suite == suite and (sources is None or each.suite_hash == suite_hash):
            sources = each
            if each.suite_hash == suite_hash:
                break
    drills = _newest_first(project, DRILL, left_out)
    drill = next((each for each in drills if not names or names & {lane.lane for lane in each.found.lanes}), None)
    return KeptTests(sources, drill, tuple(left_out))


def changed_since(kept: Kept, lanes: Iterable[Lane]) -> tuple[str, ...]:
    """The lanes of a test that are not made any more as they were then, and those that are gone."""
    now = {lane.name: _mark(lane) for lane in lanes}
    return tuple(lane for lane in _asked(kept.found) if now.get(lane) != kept.made(lane).get("hash"))


def made_otherwise(kept: Kept, made_with: Mapping[str, Any]) -> tuple[str, ...]:
    """The lanes of a test that an evaluation asked too, but made in another way: other settings, model or adapter."""
    others = made_with.get("lanes") or {}
    both = (lane for lane in _asked(kept.found) if lane in others)
    return tuple(lane for lane in both if _essence(kept.made(lane)) != _essence(others[lane]))


def _mark(lane: Lane) -> str:
    """What a lane is made of, whatever index it reads and however long its answers may get: that cuts, and no more."""
    return lane_hash(dataclasses.replace(lane, sampling=dataclasses.replace(lane.sampling, max_tokens=0)))


def _essence(made: Mapping[str, Any]) -> tuple[Any, ...]:
    definition = records.to_plain(made.get("definition") or {})
    settings = {key: value for key, value in definition.items() if key not in _NAMES_ALONE}
    settings["sampling"] = {**(settings.get("sampling") or {}), "max_tokens": None}  # as in `_mark`
    return settings, made.get("model", ""), made.get("adapter", "")
