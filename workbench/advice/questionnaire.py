"""What the published guides say before anything is measured: five questions, symptoms and rules of thumb, as data.

Everything here is a published rule and not a measurement: where a measured verdict exists, it goes first. The sources
are the five articles this product answers, S0 to S4; their authors' rules, put in our words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SOURCES = {
    "S0": "article S0, prompting, retrieval or fine-tuning",
    "S1": "article S1, symptoms and what to try first",
    "S2": "article S2, knowledge or behaviour",
    "S3": "article S3, the test of the document",
    "S4": "article S4, five questions and costs",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One answer to a question."""

    key: str
    text: str
    leads_to: str  # "retrieval", "fine-tuning" or "" for neither
    why: str  # a sentence


@dataclass(frozen=True, slots=True)
class Question:
    """One question with its answers."""

    key: str
    text: str
    options: tuple[Option, ...]
    source: str  # a key of SOURCES


@dataclass(frozen=True, slots=True)
class Symptom:
    """What people notice, what to try first and what to try if that fails."""

    text: str
    first: str
    then: str
    leads_to: str  # the first thing as a recommendation of the contract
    source: str = "S1"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of thumb."""

    when: str
    then: str
    leads_to: str
    source: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What the answers speak for, before anything is measured."""

    recommendation: str  # as in the contract; "cannot-tell" with too few answers
    headline: str  # one sentence
    reasons: tuple[str, ...]  # a sentence per answer, with its source
    for_retrieval: int
    for_tuning: int
    open: tuple[str, ...]  # keys of the questions without an answer


MANY = 3  # answers for retrieval from which to start there (S4)
ENOUGH_EXAMPLES = 500  # under it retrieval is the only practical one (S4); S1 and S2 name the same order
QUICK = 0.5  # seconds end to end under which to consider tuning (S4)
RELAXED = 1.0  # seconds from which retrieval's own time does not matter (S4)

QUESTIONS = (
    Question(
        "change",
        "How often does what the answers rest on change?",
        (
            Option("often", "Every month or more often", "retrieval", "What changes often is re-indexed in seconds."),
            Option("rarely", "Rarely or never", "", "What stays the same may come from either."),
        ),
        "S4",
    ),
    Question(
        "citations",
        "Must an answer name its source?",
        (
            Option("yes", "Yes", "retrieval", "Only an answer read from passages can point at them."),
            Option("no", "No", "", "Without citations either can do."),
        ),
        "S4",
    ),
    Question(
        "task",
        "Is the task narrow or broad?",
        (
            Option("narrow", "Narrow: one form of answer", "fine-tuning", "A narrow form is learnt well."),
            Option("broad", "Broad: all kinds of questions", "retrieval", "Broad questions need what documents say."),
        ),
        "S4",
    ),
    Question(
        "latency",
        "How soon must an answer be there, end to end?",
        (
            Option("quick", "Under half a second", "fine-tuning", "Searching and reading passages takes time itself."),
            Option("medium", "Half a second to a second", "", "Either can do; measure it here."),
            Option("relaxed", "A second or more", "retrieval", "There is time to search and to read passages."),
        ),
        "S4",
    ),
    Question(
        "examples",
        "How many good examples of question and answer are there?",
        (
            Option("few", "Under 500", "retrieval", "Under 500 good examples retrieval is the only practical one."),
            Option("enough", "500 or more", "fine-tuning", "There is enough to learn a behaviour from."),
        ),
        "S4",
    ),
)

SYMPTOMS = (
    Symptom("Invents facts about our domain", "Retrieval", "Fine-tune for grounding", "retrieval"),
    Symptom("Does not follow our format", "A better prompt with examples", "Fine-tune for the format", "prompt"),
    Symptom("Too expensive at scale", "A smaller model with retrieval", "Distil by fine-tuning", "retrieval"),
    Symptom("Does not know recent events", "Retrieval over fresh documents", "Never fine-tune for facts", "retrieval"),
    Symptom("Wrong tone", "A system prompt with a style guide", "Fine-tune on examples of the tone", "prompt"),
    Symptom("Cannot reason over long documents", "Retrieval in layers", "A model with a longer context", "retrieval"),
)

RULES = (
    Rule("The data changes often", "Retrieval", "retrieval", "S0"),
    Rule("Answers must cite their source", "Retrieval", "retrieval", "S0"),
    Rule("Questions are mainly of fact", "Retrieval", "retrieval", "S0"),
    Rule("Format or style is what is wrong", "Fine-tuning", "fine-tuning", "S0"),
    Rule("The model does not understand the domain's language", "Fine-tuning", "fine-tuning", "S0"),
    Rule("Cost at scale", "Fine-tune a smaller model", "fine-tuning", "S0"),
    Rule("Unsure", "Prompt first", "prompt", "S0"),
    Rule("The right answer could be found in a document", "Retrieval", "retrieval", "S3"),
    Rule("The model must act differently, not know more", "Fine-tuning", "fine-tuning", "S3"),
    Rule("Both knowledge and behaviour are missing", "Retrieval first; its failures tell what to tune", "both", "S2"),
)


def suggest(answers: Mapping[str, str]) -> Suggestion:
    """What the answers (question key -> option key) speak for.

    Three or more for retrieval: start there (S4); with fine-tuning asked for as well by a narrow task and enough
    examples, both, retrieval first (S2). Raises KeyError for a question or an option there is not.
    """
    chosen = [(question, _option(question, answers[question.key])) for question in QUESTIONS if question.key in answers]
    unknown = set(answers) - {question.key for question in QUESTIONS}
    if unknown:
        raise KeyError(sorted(unknown)[0])
    retrieval = sum(option.leads_to == "retrieval" for _, option in chosen)
    tuning = sum(option.leads_to == "fine-tuning" for _, option in chosen)
    recommendation = _recommend(retrieval, tuning, answers, len(chosen))
    return Suggestion(
        recommendation=recommendation,
        headline=_HEADLINES[recommendation],
        reasons=tuple(f"{option.why} ({SOURCES[question.source]})" for question, option in chosen),
        for_retrieval=retrieval,
        for_tuning=tuning,
        open=tuple(question.key for question in QUESTIONS if question.key not in answers),
    )


_HEADLINES = {
    "retrieval": "The guides would start with your documents.",
    "fine-tuning": "The guides would consider a fine-tune.",
    "both": "The guides would use documents first, and a fine-tune for the form of the answers.",
    "prompt": "The guides would start with a better prompt.",
    "cannot-tell": "Answer at least three of the five questions for a suggestion.",
}


def _recommend(retrieval: int, tuning: int, answers: Mapping[str, str], answered: int) -> str:
    if answered < MANY:
        return "cannot-tell"
    can_tune = answers.get("examples") == "enough"
    if retrieval >= MANY:
        return "both" if can_tune and answers.get("task") == "narrow" else "retrieval"
    if tuning > retrieval and can_tune:
        return "fine-tuning"
    return "prompt"  # unsure: prompt first (S0)


def _option(question: Question, key: str) -> Option:
    for option in question.options:
        if option.key == key:
            return option
    raise KeyError(key)


def known_answers(answers: Mapping[Any, Any]) -> dict[str, str]:
    """Those of some kept answers that there are: another version may have asked something else."""
    options = {question.key: {option.key for option in question.options} for question in QUESTIONS}
    return {str(key): str(value) for key, value in answers.items() if str(value) in options.get(str(key), ())}


def answers_from_facts(
    *, examples: int | None = None, seconds: float | None = None, cites: bool | None = None
) -> dict[str, str]:
    """Answers that what is known already gives: training rows, seconds an answer may take, whether the suite asks for
    citations. What is None stays open."""
    found = {}
    if examples is not None:
        found["examples"] = "enough" if examples >= ENOUGH_EXAMPLES else "few"
    if seconds is not None:
        found["latency"] = "quick" if seconds < QUICK else "medium" if seconds < RELAXED else "relaxed"
    if cites is not None:
        found["citations"] = "yes" if cites else "no"
    return found
