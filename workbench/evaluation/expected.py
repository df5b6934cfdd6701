"""What a case expects, read off its checks: the texts that would be the answer, and whether its checks agree at all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from workbench.evaluation.checks import run_check
from workbench.evaluation.records import Case
from workbench.evaluation.text import holds, words
from workbench.lanes.lane import Answer

TEXTS = ("contains", "contains_all", "one_of", "equals")
FORM = frozenset({"json", "json_schema", "json_equals", "max_words", "one_of"})  # how an answer is said
APART = frozenset({"cites", "similar", "refuses"})  # no text alone passes or fails them


def expected_texts(case: Case) -> list[str]:
    """The texts any of which would be the answer, as far as the checks say."""
    found: list[str] = []
    for name, value in _checks(case):
        if name in TEXTS:
            found += value if isinstance(value, list) else [value]
    return list(dict.fromkeys(found))


def holds_answer(case: Case, text: str) -> bool | None:
    """Whether a text holds what every check asks for; None where the checks name no text."""
    asked = [(name, value) for name, value in _checks(case) if name in TEXTS]
    return all(_held(name, value, text) for name, value in asked) if asked else None


def answer_share(case: Case, text: str) -> float:
    """The share of a case's text checks that a text could satisfy, 0 to 1; 0 where there are none."""
    asked = [(name, value) for name, value in _checks(case) if name in TEXTS]
    return sum(_held(name, value, text) for name, value in asked) / len(asked) if asked else 0.0


def _held(name: str, value: Any, text: str) -> bool:
    listed = value if isinstance(value, list) else [value]
    every = all if name == "contains_all" else any
    return every(holds(text, each) for each in listed)


def contradicts_itself(case: Case) -> bool:
    """Whether no answer can pass: an exact answer fails another check, or the words asked for are more than allowed."""
    exact = [text for name, value in _checks(case) for text in _exact(name, value)]
    if exact:
        return not any(_passes(case, text) for text in exact)
    most = min((value for name, value in _checks(case) if name == "max_words"), default=None)
    return most is not None and any(_fewest(name, value) > most for name, value in _checks(case) if name in TEXTS)


def _exact(name: str, value: Any) -> list[str]:
    if name == "json_equals":
        return [json.dumps(value, ensure_ascii=False)]
    return [value] if name == "equals" else list(value) if name == "one_of" else []


def _passes(case: Case, text: str) -> bool:
    answer = Answer(case.question, "", text)
    return all(run_check(name, value, answer).passed for name, value in _checks(case) if name not in APART)


def _fewest(name: str, value: Any) -> int:
    counts = [len(words(each)) for each in (value if isinstance(value, list) else [value])]
    return max(counts) if name == "contains_all" else min(counts)


def _checks(case: Case) -> list[tuple[str, Any]]:
    return [pair for check in case.checks for pair in check.items()]


def guess_kind(checks: Iterable[Mapping[str, Any]]) -> str:
    """The kind of case that checks speak for; whoever asks says so to the person."""
    pairs = [pair for check in checks for pair in check.items()]
    if ("refuses", True) in pairs:
        return "unanswerable"
    return "behaviour" if pairs and {name for name, _ in pairs} <= FORM else "fact"
