from __future__ import annotations

from typing import Any

import pytest
from made_up import make_evaluation, make_passage, make_result, make_suite, telling

from workbench.advice.attribution import REASONS, Evidence, attribute, explain_failures
from workbench.evaluation.records import Case

FACT = Case("f", "How long?", "fact", ({"contains": ["two years"]}, {"max_words": 9}), source="warranty.md")
TICKET = Case("t", "Ticket", "behaviour", ({"json": True},))
NONE = Case("n", "Who?", "unanswerable", ({"refuses": True},))
RIGHT, OTHER = (make_passage("kb/warranty.md"),), (make_passage("prices.md"),)
REFUSAL = "I could not find this in the documents."


@pytest.mark.parametrize(
    ("case", "changes", "reads", "missing", "expected"),
    [
        (FACT, {"text": "Five.", "passages": ()}, False, (), "no-knowledge"),
        (FACT, {"text": REFUSAL, "passages": ()}, False, (), "no-knowledge"),
        (FACT, {"text": "Five.", "passages": OTHER}, True, ("warranty.md",), "not-indexed"),
        (FACT, {"text": "Five.", "passages": OTHER}, True, (), "not-retrieved"),
        (FACT, {"text": REFUSAL, "passages": ()}, True, (), "not-retrieved"),
        (FACT, {"text": "Five.", "passages": RIGHT}, True, (), "ignored"),
        (FACT, {"text": REFUSAL, "passages": RIGHT}, True, (), "refused-wrongly"),
        (FACT, {"text": "two years " + "word " * 20, "passages": RIGHT}, True, (), "wrong-format"),
        (TICKET, {"text": "Dear customer", "passages": ()}, False, (), "wrong-format"),
        (TICKET, {"text": "I don't know.", "passages": RIGHT}, True, (), "refused-wrongly"),
        (NONE, {"text": "It is Ada.", "passages": OTHER}, True, (), "should-have-refused"),
        (FACT, {"text": "", "stopped": "failed", "error": "It crashed."}, True, (), "engine-failure"),
    ],
)
def test_each_failure_has_one_reason(
    case: Case, changes: dict[str, Any], reads: bool, missing: tuple[str, ...], expected: str
) -> None:
    result = make_result("rag", case, False, **changes)
    assert not result.passed
    assert attribute(result, case, reads, Evidence(missing)) == expected


def test_without_a_source_the_expected_text_is_looked_for_in_the_passages() -> None:
    case = Case("f", "How long?", "fact", ({"contains": ["two years"]},))
    held = (make_passage("w.md", "The warranty is two years."),)
    assert attribute(make_result("rag", case, False, text="Five.", passages=held), case, True) == "ignored"
    assert attribute(make_result("rag", case, False, text="Five.", passages=OTHER), case, True) == "not-retrieved"


def test_every_failed_case_of_a_suite_is_explained() -> None:
    suite = make_suite()
    evaluation = make_evaluation(suite, telling)
    failures = explain_failures(evaluation, suite)
    assert len(failures) == sum(not result.passed for result in evaluation.results)
    assert {failure.reason for failure in failures} <= set(REASONS)


def test_every_reason_says_what_happened_and_what_to_try() -> None:
    for reason in REASONS.values():
        assert reason.sentence.endswith(".") and reason.next_step.endswith(".")
