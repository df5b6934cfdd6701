"""How texts are compared: without case, punctuation and extra spaces, on word edges.

`words` turns a text into comparable words. The choices, so that nobody has to guess:

- Unicode is folded with NFKC and case with `casefold`: a decomposed é equals a composed one, full-width digits equal
  plain ones; é and e stay different.
- A point or comma between digits belongs to the number: "5" is not in "1.5". Commas, apostrophes and thin spaces that
  group thousands go ("$1,200" equals "1200"); any other comma between digits is a decimal comma ("1,5" equals "1.5").
- Two zeros behind the point go, as a price is written ("156.00" equals "156"); one stays ("4.0" is a version).
- A minus right before a number stays when nothing stands before it ("-18" is not "18"), but not in a range ("12-18").
- A unit written on to its number is a word of its own ("24V" equals "24 V"); letters before digits are not ("X2").
- Signs such as $, %, + and # count as punctuation: where they matter, use `regex`.
- Chinese, Japanese, Thai, Lao, Khmer and Burmese are written without spaces, so each character is a word.
"""

from __future__ import annotations

import unicodedata

import regex  # type: ignore[import-untyped]

_UNSPACED = "".join(
    rf"\p{{Script={script}}}" for script in ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar")
)
_GROUPING = regex.compile(r"(?<=\d)[,'’\u00a0\u2009\u202f](?=\d{3}(?!\d))")
_DECIMAL_COMMA = regex.compile(r"(?<=\d),(?=\d)")
_NO_CENTS = regex.compile(r"(?<![\d.])(\d+)\.00(?![\d.]*\d)")
_MINUS = regex.compile(r"(?<![\w.,)\]])[-\u2212](?=\d)")
_WORD = regex.compile(
    rf"[{_UNSPACED}]\p{{M}}*"  # one character of a script without spaces, with its marks
    r"|-?\d+(?:\.\d+)*"  # a number; a unit on it becomes the next word
    rf"|[^\W\d_{_UNSPACED}](?:[^\W{_UNSPACED}])*",  # a word, digits and inner underscores included
    flags=regex.V1,
)


def words(text: str) -> list[str]:
    """The comparable words of a text, in order; empty for a text of nothing but punctuation."""
    text = _GROUPING.sub("", text)
    text = _MINUS.sub(" \ue000", text)  # a private character keeps the sign through the next step
    text = unicodedata.normalize("NFKC", text).casefold()
    text = _NO_CENTS.sub(r"\1", _DECIMAL_COMMA.sub(".", text))
    text = text.replace("-", " ").replace("\ue000", "-")
    return [word.strip("_") for word in _WORD.findall(text)]


def same(first: str, second: str) -> bool:
    """Whether two texts say the same, but for case, punctuation and spaces."""
    ours, theirs = words(first), words(second)
    if not ours and not theirs:
        return first.strip() == second.strip()
    return ours == theirs


def holds(text: str, part: str) -> bool:
    """Whether `part` stands in `text`, on word edges; a part without words ("%") is looked for as it is written."""
    wanted = words(part)
    if not wanted:
        return part.strip() in text
    return f" {' '.join(wanted)} " in f" {' '.join(words(text))} "
