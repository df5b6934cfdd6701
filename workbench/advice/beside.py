"""The judgement by questionnaire beside the measured one: what is known fills answers in, and disagreement is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workbench.advice.questionnaire import QUESTIONS, QUICK, Suggestion, answers_from_facts, suggest
from workbench.advice.records import Verdict
from workbench.advice.wording import ADVICE, lane_words
from workbench.errors import InputError
from workbench.evaluation.records import Evaluation, Suite

MOST = 2 / 3  # share of the questions from which a suite is of one kind


@dataclass(frozen=True, slots=True)
class Beside:
    """A questionnaire next to a verdict."""

    answers: dict[str, str]  # question -> option, a person's own and the measured ones
    measured: dict[str, str]  # question -> the sentence that says what its answer was read from
    suggestion: Suggestion
    agrees: bool | None  # with the measurement; None where either cannot tell
    sentence: str
    notes: tuple[str, ...]  # where a person's answer and a measured fact part, sentences


def judge_beside(
    evaluation: Evaluation, suite: Suite, verdict: Verdict, answers: Mapping[str, str], examples: int | None = None
) -> Beside:
    """What the guides would say, with measured facts for the questions a person left open, beside the verdict.

    `examples` is how many training rows there are. Raises InputError for an answer there is not.
    """
    _check(answers)
    known, said = _known(suite, examples)
    filled = {**known, **answers}
    suggestion = suggest(filled)
    agrees = _agrees(suggestion.recommendation, verdict.recommendation)
    return Beside(
        answers=filled,
        measured={key: sentence for key, sentence in said.items() if key not in answers},
        suggestion=suggestion,
        agrees=agrees,
        sentence=_sentence(suggestion, verdict, agrees),
        notes=(*_conflicts(answers, known, said), *_too_slow(evaluation, filled)),
    )


def _check(answers: Mapping[str, str]) -> None:
    options = {question.key: [option.key for option in question.options] for question in QUESTIONS}
    for key, answer in answers.items():
        if key not in options:
            raise InputError(f"The questionnaire has no question “{key}”: there are {', '.join(options)}.")
        if answer not in options[key]:
            raise InputError(f"“{answer}” is no answer to “{key}”: choose {', '.join(options[key])}.")


def _known(suite: Suite, examples: int | None) -> tuple[dict[str, str], dict[str, str]]:
    """Answers that are measured, and what each was read from."""
    cites = any("cites" in check for case in suite.cases for check in case.checks)
    known = answers_from_facts(examples=examples, cites=cites or None)
    said = {"citations": "Questions of the suite ask for a source.", "examples": f"{examples} training rows are here."}
    shares = {kind: sum(case.kind == kind for case in suite.cases) / len(suite.cases) for kind in ("fact", "behaviour")}
    for kind, answer in (("behaviour", "narrow"), ("fact", "broad")):
        if shares[kind] >= MOST:
            known["task"] = answer
            said["task"] = f"{100 * shares[kind]:.0f} % of the suite are questions of {kind}."
    return known, {key: sentence for key, sentence in said.items() if key in known}


def _conflicts(answers: Mapping[str, str], known: Mapping[str, str], said: Mapping[str, str]) -> list[str]:
    texts = {question.key: question for question in QUESTIONS}
    return [
        f"You answered “{_option_text(key, answers[key])}” to “{texts[key].text}”, but: {said[key]}"
        for key in known
        if key in answers and answers[key] != known[key]
    ]


def _option_text(question: str, key: str) -> str:
    return next(
        option.text for each in QUESTIONS if each.key == question for option in each.options if option.key == key
    )


def _too_slow(evaluation: Evaluation, answers: Mapping[str, str]) -> list[str]:
    """Lanes that do not keep a budget of under half a second, which is measured and need not be guessed."""
    if answers.get("latency") != "quick":
        return []
    slow = {lane: each.median_seconds for lane, each in evaluation.lanes.items() if each.median_seconds >= QUICK}
    if not slow:
        return ["Every lane keeps under half a second here, so speed decides nothing."]
    listed = ", ".join(f"{lane_words(lane, False)} {seconds:.1f} s" for lane, seconds in slow.items())
    return [f"Over the half second you allow, measured here: {listed}."]


def _agrees(guides: str, measured: str) -> bool | None:
    return None if "cannot-tell" in (guides, measured) else guides == measured


def _sentence(suggestion: Suggestion, verdict: Verdict, agrees: bool | None) -> str:
    if suggestion.recommendation == "cannot-tell":
        return f"{suggestion.headline} {len(suggestion.open)} are open."
    if verdict.recommendation == "cannot-tell":
        return f"{suggestion.headline} Nothing measured speaks for or against it yet."
    if agrees:
        return f"{suggestion.headline} The measurement says the same."
    best = ADVICE[verdict.recommendation]
    return f"{suggestion.headline} They disagree: measured on your own data, it is {best}, and that goes first."
