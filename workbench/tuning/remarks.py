"""What can be said of a training set as a whole before anything is trained: enough rows, balance, repeats, overlap.

Remarks keep no row out; they are for a person to weigh. What is wrong with single rows is `dataset.Problem`.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Protocol, TypeVar

from workbench.index.wording import STOPWORDS

ENOUGH = 500  # rows: the published guides ask for 500 to 5,000 and call retrieval the only practical way below
FORM = 50  # rows from which on a form is usually learnt: the project's own runs and the guides agree
MOST_LABELS = 40  # different answers up to which a set is taken for a classification
UNEVEN = 5  # the commonest label has so many times the rows of the rarest
ALIKE = 0.7  # share of common word groups (Jaccard) from which on two rows are near duplicates
SAME_QUESTION = 0.7  # share of common words from which on a row asks what a case of the suite asks
GROUP = 3  # words of a group
COMMON = 40  # rows: of a word group that more rows share not every two are compared
NAMED = 5  # rows or labels named in a sentence
FACTS = 0.3  # share of rows that look like facts from which on it is worth saying
SHORT_ANSWER = 30  # words: a fact's answer has no more

_WORD = re.compile(r"\w+")
_ASKS = re.compile(r"^(who|what|when|where|which|how (many|much|long|old|far|often|tall|big|high))\b", re.IGNORECASE)
_PERSONAL = {
    "an e-mail address": re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]*[a-z]{2,}\b", re.IGNORECASE),
    "a telephone number": re.compile(r"(?<![\w.])(?:\+|00)\d[\d ()/-]{8,}\d(?!\w)"),
    "a bank account number": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b"),
    "a card number": re.compile(r"(?<!\d)(?:\d[ -]?){13,18}\d(?!\d)"),
}


class Row(Protocol):
    """What is read of an example."""

    @property
    def row(self) -> int: ...
    @property
    def messages(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def grounded(self) -> bool: ...
    @property
    def answer(self) -> str: ...


AnyRow = TypeVar("AnyRow", bound=Row)


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to weigh."""

    about: str  # "size", "balance", "alike", "suite", "personal", "facts" or "documents"
    severity: str  # "warning" or "note"
    message: str  # a sentence
    rows: tuple[int, ...] = ()  # those it is about, at most some hundred; empty: all


def remarks(rows: Sequence[Row], suite: Sequence[tuple[str, str]] = ()) -> tuple[Remark, ...]:
    """What to weigh; `suite` holds (case id, question) of the questions it will be measured with."""
    found = [_size(len(rows)), _overlap(rows, suite), _alike(rows), _balance(rows), _facts(rows), *_personal(rows)]
    return tuple(each for each in found if each is not None)


def _size(count: int) -> Remark | None:
    if count < FORM:
        said = f"{count} rows are few: they may teach a form and little else. {FORM} good rows are a start."
        return Remark("size", "warning", said)
    if count < ENOUGH:
        said = (
            f"{count} rows teach a form or a narrow task. For more the guides ask for {ENOUGH} to 5,000; below that "
            "they would begin with documents."
        )
        return Remark("size", "note", said)
    return None


def _overlap(rows: Sequence[Row], suite: Sequence[tuple[str, str]]) -> Remark | None:
    """Rows that ask what the suite asks: the adapter would be measured on what it has learnt by heart."""
    met = same_questions(rows, suite)
    if not met:
        return None
    hit_rows, hit_cases = [row.row for row, _ in met], dict.fromkeys(case for _, cases in met for case in cases)
    said = (
        f"Asked by the suite as well ({_listed(hit_cases)}): {_rows(hit_rows)}. What is trained on cannot be measured "
        "with: a verdict leaves such questions out. Take them out of one of the two."
    )
    return Remark("suite", "warning", said, tuple(hit_rows))


def same_questions(rows: Sequence[AnyRow], suite: Sequence[tuple[str, str]]) -> list[tuple[AnyRow, tuple[str, ...]]]:
    """The rows that ask what cases of a suite, given as (id, question), ask; each with the ids of those cases.

    Most words are the same, and none that tells one question from another is exchanged: see `_another`.
    """
    cases = [(name, _Asked.of(question)) for name, question in suite]
    places = defaultdict[str, set[int]](set)
    for number, (_, case) in enumerate(cases):
        for word in case.words:
            places[word].add(number)
    found = []
    for row in rows:
        asked = _Asked.of(_question(row))
        shared = Counter(number for word in asked.words for number in places.get(word, ()))
        alike = [
            number
            for number, count in shared.items()
            if count >= SAME_QUESTION * len(asked.words | cases[number][1].words)
            and not _another(asked, cases[number][1])
        ]
        if alike:
            found.append((row, tuple(cases[number][0] for number in alike)))
    return found


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as words in small letters."""

    words: frozenset[str]
    names: frozenset[str]  # those with a digit, or written large within a sentence

    @classmethod
    def of(cls, text: str) -> _Asked:
        found = list(_WORD.finditer(text))
        names = (each[0] for each in found if any(map(str.isdigit, each[0])) or _is_large(each, text))
        return cls(frozenset(each[0].casefold() for each in found), frozenset(name.casefold() for name in names))


def _is_large(word: re.Match[str], text: str) -> bool:
    before = text[max(0, word.start() - 8) : word.start()].rstrip(" \"'(\N{LEFT DOUBLE QUOTATION MARK}")
    return word[0][0].isupper() and bool(before) and before[-1] not in ".?!:\n"


def _another(first: _Asked, second: _Asked) -> bool:
    """Whether two questions of much the same words ask for different things: "of France?" and "of Spain?".

    They do where a name or a number is in one alone, or where each has a word of its own that is no function word.
    """
    alone = [_told(one.words) - _told(other.words) for one, other in ((first, second), (second, first))]
    named = _told(first.names | second.names)
    return bool((alone[0] | alone[1]) & named) or all(alone)


def _told(words: Iterable[str]) -> set[str]:
    """Words without function words, and without the s of a plural or a verb."""
    return {word[:-1] if len(word) > 3 and word[-1] == "s" else word for word in words if word not in STOPWORDS}


def _alike(rows: Sequence[Row]) -> Remark | None:
    """Rows that are nearly another one: they count double in training, and may stand on both sides of the split."""
    near = {second for _, second in near_pairs(rows)}
    if not near:
        return None
    which = [rows[number].row for number in sorted(near)]
    said = f"Nearly the same as another one: {_rows(which)}. Such rows weigh more than the rest and teach little new."
    return Remark("alike", "note", said, tuple(which[:100]))


def near_pairs(rows: Sequence[Row]) -> set[tuple[int, int]]:
    """Places of rows that are nearly, and not wholly, the same: (earlier, later).

    Rows that share a rare word group are all compared. Of a group that many share, as a template's rows do, each row is
    compared with the next one that has it, which is enough to find that they are alike, and not with all.
    """
    groups = [_groups(f"{_question(row)} {row.answer}") for row in rows]
    holders = defaultdict[int, list[int]](list)
    for number, each in enumerate(groups):
        for group in each:
            holders[group].append(number)
    shared, common = Counter[tuple[int, int]](), Counter[int]()
    for numbers in holders.values():
        if 1 < len(numbers) <= COMMON:
            shared.update(combinations(numbers, 2))
        elif len(numbers) > COMMON:
            common.update(numbers)
            shared.update(dict.fromkeys(pairwise(numbers), 0))
    return {
        (first, second)
        for (first, second), count in shared.items()
        if count + min(common[first], common[second]) >= ALIKE * max(len(groups[first]), len(groups[second]))
        and ALIKE <= len(groups[first] & groups[second]) / len(groups[first] | groups[second]) < 1.0
    }


def _balance(rows: Sequence[Row]) -> Remark | None:
    """Labels that are much rarer than others, where the answers are labels."""
    labels = Counter(row.answer.strip() for row in rows)
    if not 2 <= len(labels) <= min(MOST_LABELS, len(rows) // 4):
        return None
    (most, many), (_, least) = labels.most_common(1)[0], labels.most_common()[-1]
    if many < UNEVEN * least:
        return None
    rare = [_short(label) for label, count in reversed(labels.most_common()) if many >= UNEVEN * count]
    said = (
        f"The {len(labels)} answers are uneven: {_short(most)!r} has {many} rows, {_listed(rare)} {least} or little "
        "more. What is rare here will be rare in the answers: add rows for it, or take some of the commonest out."
    )
    return Remark("balance", "warning", said)


def _facts(rows: Sequence[Row]) -> Remark | None:
    """Rows that ask for a fact and answer it from nowhere: retrieval answers these better and keeps up."""
    facts = [row.row for row in rows if _is_fact(row)]
    if len(facts) < FACTS * len(rows) or len({row.answer for row in rows}) < len(rows) / 2:
        return None
    said = (
        f"Facts rather than behaviour, by their looks: {_rows(facts)}, with short answers whose numbers or names stand "
        "nowhere in the question. Facts are learnt badly by fine-tuning and go out of date; your documents answer "
        "these better."
    )
    return Remark("facts", "warning", said, tuple(facts[:100]))


def _is_fact(row: Row) -> bool:
    question, answer = _question(row).strip(), row.answer.strip()
    if row.grounded or not _ASKS.match(question) or len(answer.split()) > SHORT_ANSWER or answer[:1] in "{[":
        return False
    known = {word.casefold() for word in _WORD.findall(question)}
    telling = [word for word in _WORD.findall(answer)[1:] if word[0].isdigit() or word[0].isupper()]
    first = _WORD.match(answer)
    telling += [first[0]] if first and first[0][0].isdigit() else []
    return any(word.casefold() not in known for word in telling)


def _personal(rows: Sequence[Row]) -> Iterator[Remark]:
    """Hints of personal data: a model may say again what it was trained on."""
    for what, pattern in _PERSONAL.items():
        which = [
            row.row
            for row in rows
            if any(_counts(what, found[0]) for _, content in row.messages for found in pattern.finditer(content))
        ]
        if which:
            said = f"What looks like {what}: {_rows(which)}. A fine-tuned model may repeat it to anybody."
            yield Remark("personal", "warning", said, tuple(which[:100]))


def _counts(what: str, found: str) -> bool:
    """Whether a match is more than digits in a row: a card's number has a check digit (Luhn)."""
    if what != "a card number":
        return True
    digits = [int(each) for each in reversed(found) if each.isdigit()]
    doubled = (sum(divmod(2 * each, 10)) for each in digits[1::2])
    return len(set(digits)) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _question(row: Row) -> str:
    """The last thing asked; of a row with passages, the question behind them."""
    asked = row.messages[-2][1] if len(row.messages) > 1 else ""
    return asked.rpartition("Question: ")[2] if row.grounded else asked


def _groups(text: str) -> set[int]:
    words = [word.casefold() for word in _WORD.findall(text)]
    return {hash(tuple(words[place : place + GROUP])) for place in range(max(1, len(words) - GROUP + 1))}


def _rows(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    return f"{len(numbers)} rows ({_listed(map(str, numbers))})"


def _listed(names: Iterable[str]) -> str:
    given = list(names)
    return ", ".join(given[:NAMED]) + (", …" if len(given) > NAMED else "")


def _short(label: str) -> str:
    """A label as a person reads it: a JSON answer by its values."""
    try:
        value = json.loads(label)
        label = ", ".join(map(str, value.values())) if isinstance(value, dict) else label
    except (ValueError, RecursionError):
        pass
    return label if len(label) <= 40 else label[:39] + "…"
