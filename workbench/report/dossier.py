"""The decision dossier as JSON, and the small part of it that a later run is held against, also inside the page."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from workbench import records
from workbench.advice.records import Verdict
from workbench.advice.wording import left_out_sentences
from workbench.errors import InputError, MissingFile
from workbench.evaluation.gate import Baseline, baseline_of
from workbench.evaluation.records import Evaluation, Suite
from workbench.lanes.lane import Sampling
from workbench.report.redact import LEVELS, redact, without_paths

FORMAT = 1
PLACE = "data-dossier"  # the attribute of the page's element that holds the baseline


def write_dossier(
    path: Path,
    evaluation: Evaluation,
    suite: Suite,
    verdict: Verdict,
    *,
    title: str,
    redacted: str = "",
    more: Mapping[str, Any] | None = None,
) -> Path:
    """Write everything a decision rests on as one JSON file; `more` are further chapters, such as costs.

    `redacted` is "", "documents" or "answers", see `redact`.
    """
    shown, shown_suite = redact(without_paths(evaluation), suite, redacted)
    records.write_json(
        path,
        {
            "workbench_dossier": FORMAT,
            "title": title,
            "baseline": baseline_of(evaluation, suite),
            "verdict": verdict,
            "suite": {"name": suite.name, "hash": suite.hash, "cases": shown_suite.cases},
            "evaluation": shown,
            "weaknesses": weaknesses(evaluation, verdict, redacted),
            "run_again": run_again(evaluation, suite, path.name),
            **(more or {}),
        },
    )
    return path


def baseline_text(evaluation: Evaluation, suite: Suite) -> str:
    """The baseline as JSON, to be put into the page."""
    plain = {"workbench_dossier": FORMAT, "baseline": records.to_plain(baseline_of(evaluation, suite))}
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def read_dossier(path: Path) -> Baseline:
    """The baseline in a dossier, its JSON or its page. Raises MissingFile, and InputError for any other file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise MissingFile(f"There is no dossier at {path}: write one with --html or --dossier first.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The dossier {path} cannot be read: {error}.") from error
    if path.suffix.lower() in (".html", ".htm"):
        finder = _Finder()
        finder.feed(text)
        text = "".join(finder.found)
    try:
        plain = json.loads(text)
        if plain["workbench_dossier"] > FORMAT:
            raise InputError(f"{path.name} was made by a newer version of Workbench: update Workbench to read it.")
        baseline: Baseline = records.from_plain(Baseline, plain["baseline"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path.name} is no dossier of Workbench: name one written with --html or --dossier."
        ) from error
    return baseline


class _Finder(HTMLParser):
    """Collects the text of the element that is marked."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = self._inside or (tag == "template" and PLACE in dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "template"

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found.append(data)


def run_again(evaluation: Evaluation, suite: Suite, dossier: str) -> str:
    """The command that runs the same and holds it against this file; without paths of this machine."""
    parts = ["workbench", "evaluate", suite.path.name]
    for lane in evaluation.lanes:
        parts += ["--lane", lane]
    definitions = [each.get("definition", {}) for each in (evaluation.made_with.get("lanes") or {}).values()]
    longest = {(each.get("sampling") or {}).get("max_tokens") for each in definitions}
    if len(longest) == 1 and (most := longest.pop()) not in (None, Sampling().max_tokens):
        parts += ["--max-tokens", str(most)]
    measuring = evaluation.made_with.get("measuring") or {}
    if measuring.get("repeats", 1) > 1:
        parts += ["--repeats", str(measuring["repeats"])]
    parts += ["--cold"] if measuring.get("cold") else []
    return shlex.join([*parts, "--against", dossier])


def weaknesses(evaluation: Evaluation, verdict: Verdict, redacted: str = "") -> list[str]:
    """What a careful reader should hold against this very measurement."""
    said = [verdict.scope] if verdict.scope else []
    said += [f"The label of {lane} is withheld: {evaluation.canaries[lane]}" for lane in sorted(evaluation.withheld)]
    said += left_out_sentences(evaluation)
    if evaluation.noise is None or not evaluation.noise.asked:
        said.append("The noise of asking twice was not measured.")
    if evaluation.missing_sources is None:
        said.append("Nothing was indexed, so whether the documents hold the answers is not known.")
    failed = sum(lane.failed for lane in evaluation.lanes.values())
    said += [f"{failed} answers failed in the engine and count as wrong."] if failed else []
    broken = {each.case for each in verdict.failed_cases if each.reason == "wrong-question"}
    said += [f"{len(broken)} questions can be passed by nothing: {', '.join(sorted(broken)[:6])}."] if broken else []
    said.append("Checks read the words of an answer, not its meaning; one person wrote what they expect.")
    said.append("One model on one machine, on the documents as they were that day.")
    return [*said, LEVELS[redacted]] if redacted else said
