"""The tests beside the suite on the page: who follows the document, and how soon a change arrives; as pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from workbench import records
from workbench.advice.trial_words import drill_sentence, sources_sentence
from workbench.evaluation.drill import DrillLane
from workbench.evaluation.knowledge import SAYS, SourceAnswer
from workbench.evaluation.records import Evaluation
from workbench.evaluation.trials import Kept, KeptTests, made_otherwise
from workbench.report.charts import time_axis
from workbench.report.redact import hidden, plain_definition
from workbench.report.views import duration, views_of

EXAMPLES = 2  # of each thing a lane may say
LONGEST = 180  # characters of an answer among the examples
TITLES = {"document": "says the changed fact", "weights": "says the old fact", "neither": "says neither"}


def trial_values(evaluation: Evaluation, tests: KeptTests) -> dict[str, Any]:
    """What the template asks for; None where a test was never made."""
    return {
        "sources": _sources(evaluation, tests.sources) if tests.sources is not None else None,
        "drill": _drill(evaluation, tests.drill) if tests.drill is not None else None,
        "tests_left_out": tests.left_out,
    }


def trial_plain(evaluation: Evaluation, tests: KeptTests) -> dict[str, Any]:
    """The same tests whole, for the JSON dossier, without folders of this machine."""
    told: dict[str, Any] = {"left_out": list(tests.left_out), "sources": None, "drill": None}
    for kept in filter(None, (tests.sources, tests.drill)):
        lanes = {lane: {**made, "definition": plain_definition(made)} for lane, made in kept.lanes.items()}
        plain = records.to_plain(replace(kept, lanes=lanes))
        told[kept.kind] = {**plain, "sentence": _sentence(kept), "notes": _notes(kept, evaluation)}
    return told


def redact_tests(tests: KeptTests, level: str) -> KeptTests:
    """The same without texts: the words of a document that was edited, and at "answers" facts and answers too."""
    if not level:
        return tests
    return replace(
        tests,
        sources=tests.sources and _without_facts(tests.sources, level),
        drill=tests.drill and _without_words(tests.drill, level),
    )


def _without_facts(kept: Kept, level: str) -> Kept:
    if level != "answers":
        return kept
    answers = (
        replace(each, was=hidden(each.was), now=hidden(each.now), text=hidden(each.text)) for each in kept.found.answers
    )
    return replace(kept, found=replace(kept.found, answers=tuple(answers)))


def _without_words(kept: Kept, level: str) -> Kept:
    found = kept.found
    if found.edit is not None:
        edit = replace(found.edit, old=hidden(found.edit.old), new=hidden(found.edit.new))
        found = replace(found, edit=edit)
    if level == "answers":
        lanes = tuple(replace(each, text=hidden(each.text)) for each in found.lanes)
        found = replace(found, lanes=lanes, expected=tuple(map(hidden, found.expected)))
    return replace(kept, found=found)


def _sentence(kept: Kept) -> str:
    if kept.kind == "sources":
        return sources_sentence(kept.found, [lane for lane in kept.found.lanes if kept.reads(lane)])
    return drill_sentence(kept.found, [each.lane for each in kept.found.lanes if kept.reads(each.lane)], duration)


def _notes(kept: Kept, evaluation: Evaluation) -> list[str]:
    """What does not fit the evaluation this stands beside."""
    said = []
    if kept.suite_hash and kept.suite_hash != evaluation.suite_hash:
        said.append("It was made with another version of the suite.")
    changed = made_otherwise(kept, evaluation.made_with)
    if changed:
        titles = views_of(kept.lanes)
        named = ", ".join(titles[lane]["title"] for lane in changed)
        said.append(f"Made otherwise than in this evaluation (settings, model or adapter): {named}.")
    return said


def _day(kept: Kept) -> str:
    return kept.created[:16].replace("T", " ")


def _sources(evaluation: Evaluation, kept: Kept) -> dict[str, Any]:
    found, lanes = kept.found, views_of(kept.found.lanes, evaluation.withheld)
    rows = []
    for lane, counts in found.lanes.items():
        total = sum(counts.values())
        parts = [{"says": says, "count": counts[says], "share": 100 * counts[says] / max(1, total)} for says in SAYS]
        rows.append({**lanes[lane], "total": total, "parts": parts, "reads": kept.reads(lane)})
    facts = len({each.case for each in found.answers})
    return {
        "rows": rows,
        "titles": TITLES,
        "sentence": _sentence(kept),
        "examples": [_example(each, lanes) for each in _chosen(found.answers)],
        "facts": facts,
        "skipped": len(found.skipped),
        "day": _day(kept),
        "notes": _notes(kept, evaluation),
    }


def _chosen(answers: Iterable[SourceAnswer]) -> list[SourceAnswer]:
    """Up to EXAMPLES of each thing that is said, each of another fact, in the order of SAYS."""
    told = list(answers)
    found = []
    for says in SAYS:
        by_case = {each.case: each for each in reversed(told) if each.says == says}
        found += list(by_case.values())[::-1][:EXAMPLES]
    return found


def _example(told: SourceAnswer, lanes: Mapping[str, dict[str, str]]) -> dict[str, Any]:
    return {
        "lane": lanes[told.lane],
        "case": told.case,
        "was": told.was,
        "now": told.now,
        "says": TITLES[told.says],
        "text": _short(told.text),
    }


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _drill(evaluation: Evaluation, kept: Kept) -> dict[str, Any]:
    found = kept.found
    lanes = views_of((each.lane for each in found.lanes), evaluation.withheld)
    axis = time_axis([time for each in found.lanes for time in _times(each)])
    return {
        "question": found.question,
        "expected": " or ".join(found.expected),
        "edit": found.edit,
        "changed": found.changed,
        "indexed": duration(found.index_seconds),
        "rows": [_drill_row(each, lanes[each.lane], axis) for each in found.lanes],
        "ticks": axis.ticks,
        "sentence": _sentence(kept),
        "day": _day(kept),
        "notes": _notes(kept, evaluation),
    }


def _times(told: DrillLane) -> Sequence[float]:
    return [told.seconds] if told.right else [told.retrain_seconds] if told.retrain_seconds else []


def _drill_row(told: DrillLane, lane: dict[str, str], axis: Any) -> dict[str, Any]:
    """A bar to the seconds a right lane took, or to the time training it took; none where nothing is known."""
    if told.right:
        said, css = f"right after {duration(told.seconds)}", "done"
    elif told.retrain_seconds:
        said, css = f"still wrong; training took {duration(told.retrain_seconds)}", "train"
    else:
        said, css = "still wrong", ""
    times = _times(told)
    return {
        **lane,
        "said": said,
        "bar": css,
        "width": axis.place(times[0]) if times else 0.0,
        "text": _short(told.text),
    }
