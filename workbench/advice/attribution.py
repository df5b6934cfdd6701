"""Why each case failed: knowledge, retrieval, behaviour, refusal, the engine, or the question itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from workbench.advice.records import Failure
from workbench.evaluation.checks import same_file
from workbench.evaluation.expected import contradicts_itself, holds_answer
from workbench.evaluation.records import Case, CaseResult, Evaluation, Suite
from workbench.retrieval.passage import Passage
from workbench.retrieval.refusal import is_refusal


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
        "The passages in the prompt did not hold the answer, though its file is indexed.",
        "Put more passages in the prompt, or use the documents' own words in the question.",
    ),
    "ignored": Reason(
        "Retrieved but ignored",
        "The right passage was in the prompt and the answer is still wrong.",
        "Show worked examples of reading passages, fine-tune on rows with passages, or try a larger model.",
    ),
    "known-without": Reason(
        "Known without documents",
        "The same model answers this right when it is shown no documents: the passages led it astray.",
        "Leave such questions out, for they say nothing about your documents; or let fewer passages in.",
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
    "wrong-question": Reason(
        "Question or check is wrong",
        "Nothing can pass: the checks contradict each other, or the file named lacks what they ask for and every lane "
        "fails, the one given its best passages too.",
        "Read the question beside its source, then mend the check or name the right file.",
    ),
    "engine-failure": Reason(
        "The engine failed",
        "The model engine gave no answer, so this says nothing about the lane.",
        "Run the evaluation again under the same name: only these cases are asked again.",
    ),
}

# Checks of how an answer is said, not of what it says.
FORM = frozenset({"json", "json_schema", "max_words", "one_of", "cites"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rest of an evaluation tells about a failure."""

    missing: tuple[str, ...] = ()  # sources that are not in the index
    in_source: Mapping[str, str] = field(default_factory=dict)  # case -> "missing", "silent" or "holds"
    oracle: Mapping[str, bool] = field(default_factory=dict)  # case -> whether it passed with the right passages
    passed: Mapping[str, frozenset[str]] = field(default_factory=dict)  # case -> lanes that passed it
    elsewhere: frozenset[str] = frozenset()  # cases whose answer the source holds in another knowledge base


def evidence_of(evaluation: Evaluation, base: str = "") -> Evidence:
    """The evidence an evaluation holds on lanes that read this knowledge base."""
    passed: dict[str, set[str]] = {}
    for result in evaluation.results:
        passed.setdefault(result.case, set()).update({result.lane} if result.passed else ())
    states = {"": evaluation.in_source, **evaluation.in_bases}
    others = [held for name, held in states.items() if name != base]
    return Evidence(
        missing=evaluation.missing_sources or (),
        in_source=states.get(base, {}),
        oracle={
            each.case: each.passed
            for each in evaluation.oracle
            if each.answer.stopped != "failed" and evaluation.base_of(each.lane) == base
        },
        passed={case: frozenset(lanes) for case, lanes in passed.items()},
        elsewhere=frozenset(case for held in others for case, state in held.items() if state == "holds"),
    )


def explain_failures(evaluation: Evaluation, suite: Suite) -> tuple[Failure, ...]:
    """The failed cases of every lane that count, each with one reason of REASONS, in the evaluation's order."""
    cases = {case.id: case for case in suite.cases}
    reading = {result.lane for result in evaluation.results if result.answer.passages or result.answer.retrieved}
    known = {base: evidence_of(evaluation, base) for base in ("", *evaluation.in_bases)}
    found = []
    for result in evaluation.counted:
        if not result.passed:
            evidence = known.get(evaluation.base_of(result.lane), known[""])
            reason = attribute(result, cases.get(result.case), result.lane in reading, evidence)
            tried = evidence.oracle.get(result.case) if result.lane in reading else None
            found.append(Failure(result.case, result.lane, reason, tried))
    return tuple(found)


def count_failures(failures: Iterable[Failure]) -> dict[str, dict[str, int]]:
    """Lane -> reason -> count, the most frequent reason first."""
    counters: dict[str, Counter[str]] = {}
    for failure in failures:
        counters.setdefault(failure.lane, Counter())[failure.reason] += 1
    return {lane: dict(counter.most_common()) for lane, counter in counters.items()}


def attribute(
    result: CaseResult,
    case: Case | None,
    reads_documents: bool,
    evidence: Evidence = Evidence(),  # frozen, so that one may serve all
) -> str:
    """Why one case failed, a key of REASONS. The order of the questions is the order of what to mend first."""
    answer = result.answer
    failed = {check.check for check in result.checks if not check.passed}
    if answer.stopped == "failed":
        return "engine-failure"
    if case is not None and _is_wrong(case, evidence):
        return "wrong-question"
    if result.kind == "unanswerable":
        return "wrong-format" if "refuses" not in failed and is_refusal(answer.text) else "should-have-refused"
    refused = is_refusal(answer.text)
    if result.kind == "behaviour" or (failed and failed <= FORM and not refused):
        return "refused-wrongly" if refused else "wrong-format"
    if not reads_documents:
        return "no-knowledge"
    if without_documents(result.lane) in evidence.passed.get(result.case, ()):
        return "known-without"
    return _retrieval_fault(case, answer.passages, evidence) or ("refused-wrongly" if refused else "ignored")


def without_documents(lane: str) -> str:
    """The lane that differs in reading no documents: "tuned:x" for "rag+tuned:x", else the bare model."""
    return lane.removeprefix("rag+") if lane.startswith("rag+") else "base"


def _is_wrong(case: Case, evidence: Evidence) -> bool:
    """Whether nothing can pass it, as far as a program can tell."""
    if contradicts_itself(case):
        return True
    nobody = not evidence.passed.get(case.id) and evidence.oracle.get(case.id) is False
    return nobody and evidence.in_source.get(case.id) == "silent"


def _retrieval_fault(case: Case | None, passages: tuple[Passage, ...], evidence: Evidence) -> str:
    """ "not-indexed", "not-retrieved", or "" when what answers the case was in the prompt."""
    if case is None:
        return "" if passages else "not-retrieved"
    source = case.source
    if source and (
        evidence.in_source.get(case.id) == "missing" or any(same_file(source, each) for each in evidence.missing)
    ):
        return "not-indexed"
    if evidence.in_source.get(case.id) == "silent" and case.id in evidence.elsewhere:
        return "not-indexed"  # a file of that name is, and another base has the one that holds the answer
    right = [each for each in passages if not source or same_file(source, each.file)]
    if not right:
        return "not-retrieved"
    held = holds_answer(case, "\n".join(passage.text for passage in right))
    # the right file's wrong passage is no better than none; without a source only the text can tell
    told = evidence.in_source.get(case.id) == "holds" if source else held is not None
    return "not-retrieved" if told and held is False else ""
