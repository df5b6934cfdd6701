"""Fit passages, history and question into the context as messages: the one home of the prompt shapes.

Lanes ask with these messages and tuning renders its grounded rows with them, so a tuned reader is asked in the very
shape it was taught.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from workbench.errors import InputError
from workbench.retrieval.passage import Passage

Message = dict[str, str]  # {"role": ..., "content": ...}
Count = Callable[[str], int]  # tokens of a text

REFUSAL = "I could not find this in the documents."

GROUNDED_SYSTEM = (
    "Answer the question in one short sentence, using only the passages. End with the number of the passage the answer "
    f"is in, like [1]. If the answer is in none of the passages, write exactly: {REFUSAL}"
)


class Readable(Protocol):
    """What a passage must have to be shown: retrieved ones and those of a training row do."""

    @property
    def file(self) -> str: ...
    @property
    def location(self) -> str: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ExamplePassage:
    """A passage of a worked example."""

    file: str
    location: str
    text: str


@dataclass(frozen=True, slots=True)
class FittedPrompt:
    """A conversation that fits the context."""

    messages: tuple[Message, ...]
    passages: tuple[Passage, ...]  # those shown, numbered from 1 in this order
    parts: tuple[tuple[str, int], ...]  # what takes how many tokens, in the order of the prompt, template left out


@dataclass(frozen=True, slots=True)
class Material:
    """All that a prompt is made of, before anything is left out."""

    question: str
    system: str = ""
    examples: tuple[tuple[str, str], ...] = ()  # few-shot: message, answer
    history: tuple[tuple[str, str], ...] = ()  # earlier turns, oldest first: question, answer
    passages: tuple[Passage, ...] = ()  # best first
    grounded: bool = False  # whether the answer shall come from the passages, even where there are none
    worked: bool = False  # show the worked examples of reading passages
    documents_first: bool = False  # passages stand at the first turn of a conversation, not at its last: what is read
    # of a whole document for one question then serves the next, where passages are of each question alone


# Two general examples: one whose answer stands in the best passage, one where it stands in another.
# Measured with the starter, 20 questions over invented notices, four passages each (answers right, citing the right
# passage): these 13, 6; none 10, 0; with a refusal between them 12, 8, before them 11, 6; without file names 10, 8.
# No shape made it refuse any of six questions without an answer: that takes a fine-tune or a larger model.
WORKED: tuple[tuple[str, tuple[ExamplePassage, ...], str], ...] = (
    (
        "How tall is the lighthouse at Cape Orsa?",
        (
            ExamplePassage(
                "coast.txt", "", "The lighthouse at Cape Orsa was lit in 1871. It is 43 metres tall and painted white."
            ),
            ExamplePassage("coast.txt", "", "Fishing boats leave the harbour of Orsa before dawn and return at noon."),
        ),
        "It is 43 metres tall [1].",
    ),
    (
        "Which tea does the Marlow tea room serve on Sundays?",
        (
            ExamplePassage("rooms.md", "", "The Marlow tea room opens at ten. Dogs are welcome in the garden."),
            ExamplePassage(
                "menu.md", "Sundays", "On Sundays the Marlow tea room serves smoked black tea with lemon cake."
            ),
        ),
        "It serves smoked black tea [2].",
    ),
)


def grounded_messages(
    question: str,
    passages: Sequence[Readable],
    *,
    system: str = "",
    examples: Sequence[tuple[str, str]] = (),
    history: Sequence[tuple[str, str]] = (),
    worked: bool = False,
    documents_first: bool = False,
) -> tuple[Message, ...]:
    """The messages of a question that shall be answered from passages, best passage first in the argument.

    `system` stands before the house's instruction; `worked` shows two worked examples, which an adapter that was
    taught to read passages does not need. `examples` and `history` are (message, answer) pairs.
    """
    shown = [*((grounded_text(asked, given), answer) for asked, given, answer in WORKED if worked), *examples]
    instruction = f"{system}\n\n{GROUNDED_SYSTEM}" if system else GROUNDED_SYSTEM
    if documents_first and history:
        (asked, answered), *later = history
        shown += [
            (grounded_text(asked, passages), answered),
            *((grounded_text(each, ()), said) for each, said in later),
        ]
        return _conversation(instruction, shown, grounded_text(question, ()))
    return _conversation(instruction, [*shown, *history], grounded_text(question, passages))


def plain_messages(
    question: str,
    *,
    system: str = "",
    examples: Sequence[tuple[str, str]] = (),
    history: Sequence[tuple[str, str]] = (),
) -> tuple[Message, ...]:
    """The messages of a question without passages."""
    return _conversation(system, [*examples, *history], question)


def grounded_text(question: str, passages: Sequence[Readable]) -> str:
    """Passages and question as one message; numbers are ranks, and the best passage stands last, beside the question.

    A small model reads what is nearest best: on 60 encyclopedia questions the 135M starter got 10 right with three
    passages in ranked order and 16 with the best one last.
    """
    blocks = [_block(number, passage) for number, passage in enumerate(passages, start=1)]
    return "\n\n".join([*reversed(blocks), f"Question: {question}"])


def _block(number: int, passage: Readable) -> str:
    place = ", ".join(part for part in (passage.file, passage.location) if part)
    return f"[{number}] {place}\n{passage.text.strip()}"


def _conversation(system: str, pairs: Sequence[tuple[str, str]], last: str) -> tuple[Message, ...]:
    messages = [{"role": "system", "content": system}] if system else []
    for asked, answered in pairs:
        messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
    return (*messages, {"role": "user", "content": last})


def fit_prompt(material: Material, count: Count, room: int) -> FittedPrompt:
    """Leave out what does not fit into `room` tokens: the oldest turns first, then the worst passages, then examples.

    A passage that does not fit whole is cut when it is the first one, so that a long document is read as far as the
    context holds. Raises InputError where not even system prompt and question fit.
    """
    count = functools.cache(count)  # the same blocks are counted to choose them, to place them and to tell of them
    margin = 16  # tokens a template adds around each message, generously, so that the fitted prompt surely fits
    fixed = replace(material, examples=(), history=(), passages=(), worked=False)
    left = room - _tokens(fixed, count, margin)
    if left < 0:
        raise InputError(
            f"The question and system prompt need {room - left} tokens and this lane has room for {room}: shorten "
            "them, or choose a model with a longer context."
        )
    kept = fixed
    for smaller in ({"examples": material.examples, "worked": material.worked}, {"examples": material.examples}):
        with_examples = replace(fixed, **smaller)
        if _tokens(with_examples, count, margin) <= room:
            kept = with_examples
            break
    left = room - _tokens(kept, count, margin)
    passages = _fitting_passages(material.passages, count, left, margin)
    kept = replace(kept, passages=passages)
    kept = replace(kept, history=_fitting_turns(material.history, count, room - _tokens(kept, count, margin), margin))
    return FittedPrompt(messages_of(kept), kept.passages, _parts(kept, count))


def messages_of(material: Material) -> tuple[Message, ...]:
    """The messages of all the material."""
    if not material.grounded:
        return plain_messages(
            material.question, system=material.system, examples=material.examples, history=material.history
        )
    return grounded_messages(
        material.question,
        material.passages,
        system=material.system,
        examples=material.examples,
        history=material.history,
        worked=material.worked,
        documents_first=material.documents_first,
    )


def _tokens(material: Material, count: Count, margin: int) -> int:
    return sum(count(message["content"]) + margin for message in messages_of(material))


def _fitting_passages(passages: tuple[Passage, ...], count: Count, left: int, margin: int) -> tuple[Passage, ...]:
    """The best passages, in rank order, as many as fit; a first one that is too long is cut at its end."""
    kept: list[Passage] = []
    for passage in passages:
        need = count(_block(len(kept) + 1, passage)) + 2  # the blank line between two passages
        if need > left and not kept:
            cut = _cut(passage, count, left - margin)
            return (cut,) if cut is not None else ()
        if need > left:
            break
        kept.append(passage)
        left -= need
    return tuple(kept)


def _cut(passage: Passage, count: Count, room: int) -> Passage | None:
    """The beginning of a passage that fits into `room` tokens, cut at a space."""
    text = passage.text.strip()
    for _ in range(12):  # each round cuts in proportion, so a few suffice
        need = count(_block(1, replace(passage, text=text)))
        if need <= room:
            return replace(passage, text=text, end=passage.start + len(text)) if text else None
        shorter = text[: int(len(text) * max(0.0, room / need) * 0.98)]
        text = shorter.rsplit(" ", 1)[0] if " " in shorter else shorter
    return None


def _fitting_turns(
    history: tuple[tuple[str, str], ...], count: Count, left: int, margin: int
) -> tuple[tuple[str, str], ...]:
    kept: list[tuple[str, str]] = []
    for asked, answered in reversed(history):
        left -= count(asked) + count(answered) + 2 * margin
        if left < 0:
            break
        kept.insert(0, (asked, answered))
    return tuple(kept)


def _parts(material: Material, count: Count) -> tuple[tuple[str, int], ...]:
    """Tokens of each part in the order of the prompt; parts that are empty are left out."""
    bare = replace(material, passages=(), question="", history=(), examples=(), worked=False)
    system = sum(count(message["content"]) for message in messages_of(bare)[:-1])
    worked = [(grounded_text(asked, given), answer) for asked, given, answer in WORKED if material.worked]
    pairs = [*worked, *material.examples]
    found = [
        ("system", system),
        ("examples", sum(count(asked) + count(answered) for asked, answered in pairs)),
        ("history", sum(count(asked) + count(answered) for asked, answered in material.history)),
        ("passages", sum(count(_block(number, each)) for number, each in enumerate(material.passages, start=1))),
        ("question", count(material.question)),
    ]
    if material.documents_first:
        found[2], found[3] = found[3], found[2]
    return tuple((name, tokens) for name, tokens in found if tokens)


_MARKER = re.compile(r"[ \t]?\[\s*\d{1,3}(?:\s*[,;]\s*\d{1,3})*\s*\]")


def parse_citations(text: str, passages: int) -> tuple[str, tuple[int, ...], int]:
    """(text, cited, dropped): markers such as "[1]" and "[1, 2]" of an answer that was given `passages` passages.

    Numbers of passages that are not in the prompt are taken out of the text and counted as dropped; `cited` is in order
    of first mention. An answer without passages, or one that is JSON, has no citations: its brackets mean other things.
    """
    if not passages or _is_json(text):
        return text, (), 0
    cited: dict[int, None] = {}
    dropped = 0

    def keep(found: re.Match[str]) -> str:
        nonlocal dropped
        numbers = [int(each) for each in re.findall(r"\d+", found[0])]
        good = [number for number in numbers if 1 <= number <= passages]
        dropped += len(numbers) - len(good)
        cited.update(dict.fromkeys(good))
        blank = found[0][0] if found[0][0] in " \t" else ""
        return f"{blank}[{', '.join(map(str, good))}]" if good else ""

    clean = _MARKER.sub(keep, text)
    return clean, tuple(cited), dropped


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), (dict, list))
    except ValueError:
        return text.lstrip().startswith("{")
