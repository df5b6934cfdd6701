"""Leave document text out of what is handed on: each text becomes its length and a hash that still proves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench import records
from workbench.evaluation.records import Case, CaseResult, CheckOutcome, Evaluation, Suite
from workbench.lanes.lane import Answer
from workbench.retrieval.passage import Passage

LEVELS = {
    "": "",
    "documents": "Document text is left out: passages and prompts are shown by length and hash. Answers may quote it.",
    "answers": "Document text, answers and what the checks expect are left out: they are shown by length and hash.",
}


def without_paths(evaluation: Evaluation) -> Evaluation:
    """The same without the folders of this machine: files go by their names."""
    made = {**evaluation.made_with, "lanes": {}}
    for lane, told in (evaluation.made_with.get("lanes") or {}).items():
        made["lanes"][lane] = {**told, "definition": plain_definition(told)}
    return replace(
        evaluation,
        folder=Path(evaluation.folder.name),
        made_with=made,
        results=tuple(map(_without_folders, evaluation.results)),
        oracle=tuple(map(_without_folders, evaluation.oracle)),
    )


def plain_definition(told: Mapping[str, Any]) -> dict[str, Any]:
    """The definition of a lane, its files by their names alone."""
    definition = dict(told.get("definition") or {})
    for key in ("model", "adapter"):
        if definition.get(key):
            definition[key] = Path(definition[key]).name
    return definition


def _without_folders(result: CaseResult) -> CaseResult:
    answer = result.answer
    passages, retrieved = (tuple(replace(p, folder="") for p in each) for each in (answer.passages, answer.retrieved))
    return replace(result, answer=replace(answer, passages=passages, retrieved=retrieved))


def redact(evaluation: Evaluation, suite: Suite, level: str) -> tuple[Evaluation, Suite]:
    """The same records without texts: "documents" leaves passages and prompts out, "answers" answers and checks too."""
    if not level:
        return evaluation, suite
    results = tuple(_result(each, level) for each in evaluation.results)
    oracle = tuple(_result(each, level) for each in evaluation.oracle)
    cases = tuple(_case(each, level) for each in suite.cases)
    return replace(evaluation, results=results, oracle=oracle), replace(suite, cases=cases)


def hidden(text: str) -> str:
    """What stands in the place of a text."""
    return f"[left out: {len(text)} characters, SHA-256 {records.hash_text(text)[:16]}]" if text else ""


def _result(result: CaseResult, level: str) -> CaseResult:
    answer = replace(
        result.answer,
        prompt=hidden(result.answer.prompt),
        passages=_passages(result.answer.passages),
        retrieved=_passages(result.answer.retrieved),
    )
    if level != "answers":
        return replace(result, answer=answer)
    return replace(result, answer=_without_text(answer), checks=tuple(map(_outcome, result.checks)))


def _without_text(answer: Answer) -> Answer:
    return replace(answer, text=hidden(answer.text))


def _passages(passages: tuple[Passage, ...]) -> tuple[Passage, ...]:
    return tuple(replace(each, text=hidden(each.text), folder="") for each in passages)


def _outcome(outcome: CheckOutcome) -> CheckOutcome:
    """The reason may quote what is expected."""
    return replace(outcome, reason="" if outcome.passed else "did not pass")


def _case(case: Case, level: str) -> Case:
    if level != "answers":
        return case
    return replace(case, checks=tuple(dict.fromkeys(check, "[left out]") for check in case.checks))
