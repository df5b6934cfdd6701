from __future__ import annotations

import pytest

from workbench.evaluation.text import holds, same, words


@pytest.mark.parametrize(
    ("text", "part", "expected"),
    [
        ("It costs 15 euros", "5", False),
        ("It weighs 1.5 kg", "5", False),
        ("It weighs 1.5 kg", "15", False),
        ("It weighs 1.5 kg.", "1.5 KG", True),
        ("It weighs 1,5 kg", "1.5", True),
        ("At most 5.", "5", True),
        ("$1,200 in all", "1200", True),
        ("1200 in all", "$1,200", True),
        ("1\u202f200 in all", "1200", True),
        ("1'200 in all", "1200", True),
        ("1,200 in all", "200", False),
        ("5, 200 and 7", "200", True),
        ("It costs 156.00 [2].", "156", True),
        ("It costs £1,156.00.", "1156", True),
        ("It costs 156", "156,00", True),
        ("It costs 156.001", "156", False),
        ("Release 4.0", "4", False),
        ("Release 1.2.00", "1.2", False),
        ("Down to -18 °C", "-18", True),
        ("Down to \u221218 °C", "-18", True),
        ("Up to 18 °C", "-18", False),
        ("Down to -18 °C", "18", False),
        ("It takes 12-18 days", "18", True),
        ("Runs on 24V", "24 V", True),
        ("The X2 is black", "2", False),
        ("The X2 is black", "x2", True),
        ("Kestrel’s own", "Kestrel", True),
        ("**Two** years!", "two years", True),
        ("two  \n years", "Two years", True),
        ("Zwölf", "Zwo\u0308lf", True),
        ("Zwölf", "Zwolf", False),
        ("straße", "STRASSE", True),
        ("保証期間は三年です", "三年", True),
        ("हिन्दी भाषा", "हिन्दी", True),
        ("100 %", "%", True),
        ("100", "%", False),
        ("scatter", "cat", False),
    ],
)
def test_a_part_is_found_on_word_edges(text: str, part: str, expected: bool) -> None:
    assert holds(text, part) is expected


def test_texts_are_the_same_but_for_case_punctuation_and_spaces() -> None:
    assert same(" Two   years. ", "two years")
    assert not same("two years", "two year")
    assert same("++", " ++ ") and not same("++", "--")


def test_no_text_has_no_words() -> None:
    assert words("") == words(" … !") == []
