"""Why each case failed: knowledge, retrieval, behaviour, refusal, or the engine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from workbench.advice.records import Failure
from workbench.evaluation.checks import same_file
from workbench.evaluation.records import Case, CaseResult, Evaluation, Suite
from workbench.evaluation.refusal import is_refusal
from workbench.evaluation.text import holds
from workbench.retrieval.passage import Passage


@dataclass(frozen=True, slots=True)
class Reason:
    """What a reason means and what to try next."""

    title: str  # short, for a table
    sentence: str  # what happened
    next_step: str  # the next thing to try


REASONS = {
    "not-indexed": Reason(
        "Not indexed",
        "The file that holds the answer is not in the index.",
        "Index its folder, or see under Documents why the file was skipped.",
    ),
    "not-retrieved": Reason(
        "Indexed but not retrieved",
        "The passages in the prompt did not include the file that holds the answer.",
        "Put more passages in the prompt, or use the documents' own words in the question.",
    ),
    "ignored": Reason(
        "Retrieved but ignored",
        "The right file was in the prompt and the answer is still wrong.",
        "Show worked examples of reading passages, fine-tune on rows with passages, or try a larger model.",
    ),
    "wrong-format": Reason(
        "Wrong format or behaviour",
        "The answer does not have the form or behaviour that was asked for.",
        "Spell the form out in the system prompt with two or three examples; if that is not enough, fine-tune on it.",
    ),
    "should-have-refused": Reason(
        "Should have refused",
        "Nothing answers this question, and the lane answered anyway.",
        "Say in the system prompt when to refuse, and add unanswerable rows to the training file.",
    ),
    "refused-wrongly": Reason(
        "Refused though it could answer",
        "The lane said it had no answer although it had what it needed.",
        "Soften the refusal rule in the system prompt, or balance refusals in the training file.",
    ),
    "no-knowledge": Reason(
        "Does not know it",
        "The model was asked from memory, without documents, and does not know this.",
        "Add documents to the lane: facts are learnt badly by fine-tuning.",
    ),
    "engine-failure": Reason(
        "The engine failed",
        "The model engine gave no answer, so this says nothing about the lane.",
        "Run the evaluation again under the same name: only these cases are asked again.",
    ),
}

# Checks of how an answer is said, not of what it says.
FORM = frozenset({"json", "json_schema", "max_words", "one_of", "cites"})


def explain_failures(evaluation: Evaluation, suite: Suite) -> tuple[Failure, ...]:
    """The failed cases of every lane, each with one reason of REASONS, in the evaluation's order."""
    cases = {case.id: case for case in suite.cases}
    reading = {result.lane for result in evaluation.results if result.answer.passages or result.answer.retrieved}
    missing = evaluation.missing_sources or ()
    return tuple(
        Failure(result.case, result.lane, attribute(result, cases.get(result.case), result.lane in reading, missing))
        for result in evaluation.results
        if not result.passed
    )


def count_failures(failures: Iterable[Failure]) -> dict[str, dict[str, int]]:
    """Lane -> reason -> count, the most frequent reason first."""
    counters: dict[str, Counter[str]] = {}
    for failure in failures:
        counters.setdefault(failure.lane, Counter())[failure.reason] += 1
    return {lane: dict(counter.most_common()) for lane, counter in counters.items()}


def attribute(result: CaseResult, case: Case | None, reads_documents: bool, missing_sources: Iterable[str] = ()) -> str:
    """Why one case failed, a key of REASONS. The order of the questions is the order of what to mend first."""
    answer = result.answer
    failed = {check.check for check in result.checks if not check.passed}
    if answer.stopped == "failed":
        return "engine-failure"
    if result.kind == "unanswerable":
        return "wrong-format" if "refuses" not in failed and is_refusal(answer.text) else "should-have-refused"
    refused = is_refusal(answer.text)
    if result.kind == "behaviour" or (failed and failed <= FORM and not refused):
        return "refused-wrongly" if refused else "wrong-format"
    if not reads_documents:
        return "no-knowledge"
    if case is not None and case.source and any(same_file(case.source, each) for each in missing_sources):
        return "not-indexed"
    if not _had_the_answer(case, answer.passages):
        return "not-retrieved"
    return "refused-wrongly" if refused else "ignored"


def _had_the_answer(case: Case | None, passages: tuple[Passage, ...]) -> bool:
    """Whether the source was in the prompt; for a case that names none, whether what it expects was."""
    if case is None:
        return bool(passages)
    if case.source:
        return any(same_file(case.source, passage.file) for passage in passages)
    expected = _expected(case)
    return any(holds(passage.text, each) for passage in passages for each in expected)


def _expected(case: Case) -> list[str]:
    """The texts any of which would be the answer, as far as the checks say."""
    found: list[str] = []
    for check in case.checks:
        for name, value in check.items():
            if name in ("contains", "contains_all", "one_of"):
                found += value
            elif name == "equals":
                found.append(value)
    return found
