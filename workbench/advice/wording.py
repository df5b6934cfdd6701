"""The sentences of a verdict; every figure in them is rounded once, from the exact value."""

from __future__ import annotations

from workbench.evaluation.records import Effect, Evaluation

HEADLINES = {
    "prompt": "Use a better prompt.",
    "retrieval": "Use your documents.",
    "fine-tuning": "Use the fine-tune.",
    "both": "Use your documents and the fine-tune together.",
    "neither": "The bare model is enough.",
    "nothing": "Nothing tried here helped enough to be worth it.",
}

# A recommendation in a word or two, for one kind of question.
ADVICE = {
    "prompt": "a better prompt",
    "retrieval": "documents",
    "fine-tuning": "the fine-tune",
    "both": "documents and the fine-tune",
    "neither": "the bare model does no worse",
    "nothing": "nothing tried here helped enough",
    "cannot-tell": "cannot be told yet",
}

# Effects as the start of a sentence.
NAMES = {
    "prompting": "A better prompt",
    "retrieval": "Adding documents",
    "tuning": "The fine-tune",
    "both": "Documents and fine-tune together",
    "tuning given retrieval": "The fine-tune on top of documents",
    "retrieval given tuning": "Documents on top of the fine-tune",
    "interaction": "Extra from having both",
    "whole documents": "Putting whole documents in the prompt",
}

_KINDS = {
    "fact": "questions of fact",
    "behaviour": "questions of behaviour",
    "unanswerable": "unanswerable questions",
}

_LANES = {
    "base": "the bare model",
    "prompted": "the better prompt",
    "rag": "the documents",
    "tuned": "the fine-tune",
    "rag+tuned": "documents and fine-tune together",
    "full": "whole documents in the prompt",
}


def kind_words(kind: str) -> str:
    """The cases of a kind as people call them, in the plural."""
    return _KINDS.get(kind, f"questions of the kind “{kind}”")


def lane_words(lane: str, start: bool = True) -> str:
    """A lane as people call it, "the fine-tune (tickets)"; `start` of a sentence or within one."""
    first, _, name = lane.partition(":")
    words = _LANES.get(first, f"the lane “{lane}”")
    words = f"{words} ({name})" if name and first in _LANES else words
    return words[0].upper() + words[1:] if start else words


def points(rate: float) -> str:
    """A difference of rates in points, with its sign: "+31", "−4", "0"."""
    rounded = round(100 * rate)
    return f"+{rounded}" if rounded > 0 else f"−{-rounded}" if rounded < 0 else "0"


def in_points(rate: float) -> str:
    """The same with its unit: "+1 point", "−4 points"."""
    return f"{points(rate)} point{'' if abs(round(100 * rate)) == 1 else 's'}"


def sentence_for(state: str, gap: Effect, needed: int, few: int) -> str:
    """How firm a verdict is: "clear", "firm", "leaning" or "open" (it cannot be told)."""
    best, other = lane_words(gap.lane, False), lane_words(gap.against, False)
    low, high = points(gap.interval[0]), points(gap.interval[1])
    if state == "clear":
        return f"Firm: {in_points(gap.difference)} over {other} (between {low} and {high}, {gap.total} questions)."
    most = in_points(max(gap.interval[1], 0.0)).removeprefix("+")
    if state == "firm":
        return f"Firm: {best} is at most {most} better than {other}, over {gap.total} questions."
    if state == "leaning":
        return f"Leaning: {best} could still be up to {most} better than {other}; nothing shows that it is."
    seen = f"{lane_words(gap.lane)} against {other}: {in_points(gap.difference)}, between {low} and {high}"
    if needed > few:
        return f"{seen}. The difference is too small to be told with a suite of sensible size."
    return f"{seen}, over {gap.total} questions. About {needed} more would tell."


def left_out_sentences(evaluation: Evaluation, named: int = 5) -> list[str]:
    """Which cases are in no figure because training met them, and of which lanes that is not known."""
    left, told = evaluation.left_out, []
    if left:
        total = len({result.case for result in evaluation.results})
        listed = "; ".join(f"{case}: {why}" for case, why in list(left.items())[:named])
        one = "1 question is" if len(left) == 1 else f"{len(left)} questions are"
        told.append(
            f"{one} left out of {total}, for a fine-tune met {'it' if len(left) == 1 else 'them'} in training "
            f"({listed}{'; …' if len(left) > named else ''})."
        )
    for lane, why in evaluation.unguarded.items():
        told.append(f"Whether {lane_words(lane, False)} met questions of the suite in training is not known: {why}.")
    return told


def scope_sentence(total: int, fewest: int) -> str:
    """What so many questions can and cannot show; plain where they are 50 or fewer, which the guides ask for (S1)."""
    from workbench.evaluation.statistics import smallest_difference  # scipy, which words alone do not need

    least = f"{100 * smallest_difference(total):.0f} points"
    if total < fewest:
        return (
            f"{total} questions are too few for a verdict, however clear they look: a difference under {least} would "
            "most likely go unseen, and they say little about the next questions."
        )
    shown = f"{total} questions show a difference between two ways of about {least} or more"
    return f"{shown}, and hide smaller ones: 50 to 200 are what the guides ask for." if total <= 50 else f"{shown}."
