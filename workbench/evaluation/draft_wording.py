"""Word a question by rule: a plain sentence with its answer taken out and its verb put first.

"The records are kept for 12 years." becomes "For how many years are the records kept?". Only sentences whose beginning
is one clause with an auxiliary verb are worded so; the others are left to a model. The words stay the document's own.
"""

from __future__ import annotations

import regex  # type: ignore[import-untyped]

from workbench.evaluation.draft_rules import Subject

LONGEST_SUBJECT = 9  # words before the verb

_CLAUSE = regex.compile(
    r"(?P<subject>\p{Lu}[^,;:()]*?)\s(?P<verb>is|are|was|were|can|may|must|will|should)(?P<middle>(?:\s[^,;:()]+?)?)\s\Z"
)
_SEVERAL = regex.compile(r"(?i)\b(?:who|which|that|because|if|when|while|where|whose|what|how|there|and|but|or|than)\b")
# A sentence that begins so has its subject elsewhere, or none that stands by itself.
_ELSEWHERE = frozenset(
    "after all as at before between by during for from here if in it its next no of on one since so that there these"
    " they this those to under until we what when where who whoever with you".split()
)
# What may stand before an answer, and how the question then begins; {} is the answer's own beginning ("how many days").
_FIGURES = {
    "": "{}",
    "for": "For {}",
    "within": "Within {}",
    "after": "After {}",
    "about": "About {}",
    "up to": "Up to {}",
}
_PREPOSITIONS = {
    "How much": {**_FIGURES, "at": "At {}"},
    "How many": _FIGURES,
    "What percentage": {"": "{}", "at": "At {}", "by": "By {}", "for": "For {}"},
    "When": {"on": "When", "from": "From when", "until": "Until when", "since": "Since when", "by": "By when"},
    "In which year": {"in": "In which year"},
    "At what time": {"at": "At what time", "by": "By what time", "from": "From what time", "until": "Until what time"},
    "Where": {"at": "Where", "in": "Where"},
    "Who": {"by": "By whom"},
}


def kind_of(begins: str) -> str:
    """The kind of an answer by how its question begins: "How many" for "How many days"."""
    return next((kind for kind in _PREPOSITIONS if begins.startswith(kind)), begins)


def word_by_rule(subject: Subject, passage: str) -> str:
    """A question for a subject of a passage, "" where no rule fits its sentence."""
    before = subject.sentence.partition(subject.answer)[0]
    clause = _CLAUSE.match(before)
    if clause is None or _SEVERAL.search(before) or any(sign.isdecimal() for sign in clause["middle"]):
        return ""
    named = clause["subject"].split()
    if len(named) > LONGEST_SUBJECT or named[0].casefold() in _ELSEWHERE:
        return ""
    ways, middle = _PREPOSITIONS.get(kind_of(subject.begins), {}), clause["middle"].strip()
    preposition = next((each for each in ways if each and f" {middle}".endswith(f" {each}")), "")
    if preposition not in ways or (
        not preposition and middle.endswith((" of", " at", " to", " by", " in", " a", " the"))
    ):
        return ""
    rest = middle.removesuffix(preposition).strip()
    begins = ways[preposition].format(subject.begins[0].lower() + subject.begins[1:])
    first = named[0] if _is_name(named, passage) else named[0].lower()
    return " ".join([begins[0].upper() + begins[1:], clause["verb"], first, *named[1:], *rest.split()]) + "?"


def _is_name(named: list[str], passage: str) -> bool:
    """Whether a sentence's first word is written large within one too, beside another such word or elsewhere."""
    if named[0][1:] != named[0][1:].lower() or (len(named) > 1 and named[1][0].isupper()):
        return True
    return regex.search(rf"(?<=[\p{{Ll}},;] ){regex.escape(named[0])}\b", passage) is not None
