"""What a run leaves in results/NAME: results.jsonl as it goes, evaluation.json last; and going on from there."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench import records
from workbench.errors import InputError
from workbench.evaluation.records import CaseResult, Evaluation, Suite
from workbench.lanes.lane import Lane

LINES, DONE = "results.jsonl", "evaluation.json"

NO_MARKS: Mapping[str, str] = {}

Key = tuple[str, str]  # lane, case


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """A run under way."""

    name: str
    folder: Path
    suite_hash: str
    lane_hashes: dict[str, str]  # lane -> hash of its definition; an answer belongs to exactly that definition
    created: str  # ISO time the run was first started

    def keep(self, result: CaseResult, part: str = "") -> None:
        """Append one result: a killed process loses at most the case it was at.

        `part` is "" for the lanes themselves, "again" for the second base lane, "oracle", or "repeat-2" and so on.
        """
        line = {
            "suite_hash": self.suite_hash,
            "lane_hash": self.lane_hashes[result.lane],
            "created": self.created,
            "part": part,
            "result": result,
        }
        records.append_line(self.folder / LINES, line)

    def kept(self, part: str = "") -> dict[Key, CaseResult]:
        """What earlier starts of this very run answered; what the engine failed at is asked once more."""
        found: dict[Key, CaseResult] = {}
        for line in records.read_lines(self.folder / LINES):
            with contextlib.suppress(TypeError, ValueError, KeyError, AttributeError):
                lane = line["result"]["lane"]
                fits = line["suite_hash"] == self.suite_hash and line["lane_hash"] == self.lane_hashes.get(lane)
                if fits and line.get("part", "again" if line.get("again") else "") == part:
                    result: CaseResult = records.from_plain(CaseResult, line["result"])
                    found[lane, result.case] = result
        return {key: result for key, result in found.items() if result.answer.stopped != "failed"}


def open_run(
    project: Path, suite: Suite, lanes: tuple[Lane, ...], name: str = "", marks: Mapping[str, str] = NO_MARKS
) -> Run:
    """The run to go on with, or a new one. Without a name an unfinished run of this suite is gone on with, and else a
    new one is named after the suite and the day.

    `marks` has for each knowledge base a mark that changes with its index, so that answers over another index are not
    mixed in. Raises InputError for a
    name that cannot be a folder's.
    """
    if name and (slug(name) != name or name in (".", "..")):
        raise InputError(
            f"“{name}” cannot name a run: use letters, digits, dots and dashes, for example {slug(name) or 'first'}."
        )
    results = project / "results"
    name = name or _unfinished(results, suite.hash) or _new_name(results, suite.name)
    folder = results / name
    created = _first_line(folder / LINES, suite.hash).get("created") or time.strftime("%Y-%m-%dT%H:%M:%S")
    hashes = {lane.name: lane_hash(lane, marks.get(lane.base, "")) for lane in lanes}
    return Run(name, folder, suite.hash, hashes, created)


def slug(name: str) -> str:
    """A name as a folder can bear it on every system."""
    return re.sub(r"[^\w.-]+", "-", name, flags=re.UNICODE).strip("-.")[:80]


def lane_hash(lane: Lane, index_mark: str = "") -> str:
    """What a lane is made of, its files by size and time: answers are gone on with only while this stays the same."""
    weights = lane.reranker / "model.safetensors" if lane.reranker is not None else None
    files = [_file_mark(path) for path in (lane.model, lane.adapter, weights) if path is not None]
    mark = index_mark if lane.context != "none" else ""
    plain = records.to_plain(lane)
    del plain["base"]  # it is known by its mark: another name for the same documents changes no answer
    if lane.reranker is None:
        del plain["reranker"]  # runs of before lanes had one go on
    return records.hash_text(json.dumps([plain, files, mark], sort_keys=True, ensure_ascii=False))


def _file_mark(path: Path) -> list[int]:
    with contextlib.suppress(OSError):
        found = path.stat()
        return [found.st_size, found.st_mtime_ns]
    return []


def _unfinished(results: Path, suite_hash: str) -> str:
    """The newest run of this suite that was begun and has no evaluation yet."""
    begun = [path for path in results.glob(f"*/{LINES}") if not (path.parent / DONE).exists()]
    fitting = [path for path in begun if _first_line(path, suite_hash)]
    return max(fitting, key=lambda path: path.stat().st_mtime).parent.name if fitting else ""


def unfinished_results(project: Path, suite: Suite) -> tuple[CaseResult, ...]:
    """What the run that `open_run` would go on with has answered so far, for looking at; nothing where there is none.

    A lane that was changed since is asked afresh all the same: only `open_run` can tell.
    """
    name = _unfinished(project / "results", suite.hash)
    found: dict[Key, CaseResult] = {}
    for line in records.read_lines(project / "results" / name / LINES) if name else ():
        with contextlib.suppress(TypeError, ValueError, KeyError, AttributeError):
            if line["suite_hash"] == suite.hash and not line.get("again"):
                result: CaseResult = records.from_plain(CaseResult, line["result"])
                found[result.lane, result.case] = result
    return tuple(found.values())


def _first_line(path: Path, suite_hash: str) -> dict[str, Any]:
    """The first line that belongs to this version of the suite; empty when there is none."""
    for line in records.read_lines(path):
        if isinstance(line, dict) and line.get("suite_hash") == suite_hash:
            return line
    return {}


def _new_name(results: Path, suite: str) -> str:
    first = f"{slug(suite) or 'suite'}-{time.strftime('%Y-%m-%d')}"
    name, number = first, 2
    while (results / name).exists():
        name, number = f"{first}-{number}", number + 1
    return name


def write_evaluation(evaluation: Evaluation) -> None:
    """Write evaluation.json whole: its presence means that the run is done."""
    records.write_json(evaluation.folder / DONE, evaluation)


def read_evaluation(folder: Path) -> Evaluation:
    """The evaluation a finished run left. Raises InputError when there is none or it is damaged."""
    try:
        found: Evaluation = records.from_plain(Evaluation, records.read_json(folder / DONE))
    except FileNotFoundError as error:
        raise InputError(f"The run in {folder} is not finished: run it again under the same name to go on.") from error
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{folder / DONE} is damaged: run it again under the same name, its answers are kept."
        ) from error
    return dataclasses.replace(found, folder=folder, name=folder.name)


def list_evaluations(project: Path) -> tuple[Evaluation, ...]:
    """The finished runs of a project, oldest first; damaged ones are left out."""
    found = []
    for path in (project / "results").glob(f"*/{DONE}"):
        with contextlib.suppress(InputError):
            found.append(read_evaluation(path.parent))
    return tuple(sorted(found, key=lambda evaluation: (evaluation.created, evaluation.name)))
