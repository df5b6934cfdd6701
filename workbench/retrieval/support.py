"""Which sentences of an answer no passage supports: a mark for the reader, not a verdict on the answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from workbench.index.wording import STOPWORDS
from workbench.retrieval.prompt import REFUSAL, Readable

# A sentence counts as supported where one passage holds all of its numbers and this share of its other telling words,
# those of the question left out: they are the asker's, not the answer's.
COVERED = 0.5
STEM = 5  # letters of a word that are compared, so that its endings do not matter
_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|\n+")
_MARKER = re.compile(r"\[\d+(?:,\s*\d+)*\]")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_WHOLE = re.compile(r"(\d+)\.0+")
_WORD = re.compile(r"\d[\d.,:/-]*\d|\w\w+")


def unsupported(text: str, question: str, passages: Sequence[Readable]) -> tuple[tuple[int, int], ...]:
    """(start, end) offsets into `text` of the sentences whose numbers and words stand together in no passage.

    Nothing is marked in an answer without passages, in a refusal, and in a sentence that says nothing of its own. It
    compares words, so it knows no synonyms: a marked sentence may be right, and is worth a look. Of 135 answers of the
    starter, bare and fine-tuned, to questions over the texts of `resources/search`, 49 of the 103 wrong ones had a
    marked sentence and 6 of the 32 right ones.
    """
    if not passages:
        return ()
    held = [_telling(f"{each.file} {each.location} {each.text}") for each in passages]
    asked = _telling(question)
    return tuple((start, end) for start, end in _sentences(text) if not _supported(text[start:end], asked, held))


def _supported(sentence: str, asked: set[str], held: Sequence[set[str]]) -> bool:
    said = _telling(_MARKER.sub(" ", sentence)) - asked - {"yes"}
    if not said or sentence.strip().startswith(REFUSAL[:-1]):
        return True
    numbers = {each for each in said if each[0].isdigit()}
    words = said - numbers
    return any(numbers <= passage and len(words & passage) >= COVERED * len(words) for passage in held)


def _telling(text: str) -> set[str]:
    """Numbers by their value, and words by their first letters, without those that every text has."""
    found = _WORD.findall(text.casefold())
    return {_value(each) if each[0].isdigit() else each[:STEM] for each in found if each not in STOPWORDS}


def _value(number: str) -> str:
    """A number as others are compared with it: "1,250.00" is "1250"; a time, a date, a version stay as they are."""
    number = number.rstrip(".,:/-")
    if _GROUPED.fullmatch(number):
        number = number.replace(",", "")
    whole = _WHOLE.fullmatch(number)
    return whole[1] if whole else number


def _sentences(text: str) -> list[tuple[int, int]]:
    places, start = [], 0
    for found in _END.finditer(text):
        places.append((start, found.start()))
        start = found.end()
    places.append((start, len(text)))
    return [(start, end) for start, end in places if text[start:end].strip()]
