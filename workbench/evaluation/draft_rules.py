"""What of a passage is worth asking for, and which drafted question is worth a person's time: plain rules, no model.

The rules stand on what can be told for sure: a question that gives its answer away, speaks of "the text", names what
the passage does not, or fits another sentence of the passage better, is no good whoever worded it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import regex  # type: ignore[import-untyped]

from workbench.evaluation.text import holds, words
from workbench.index.wording import STOPWORDS

FEWEST, MOST = 5, 25  # words of a question
SENTENCE = (6, 45)  # words of a sentence that says one thing whole
LEAST = 2  # telling words that a question must share with the very sentence
STANDING = 0.7  # share of a question's telling words that the sentence or the headings over it must have
ASKED_BEFORE = "asked before"
ALIKE = 0.7  # share of common words (Jaccard) from which on two questions ask the same

_MONEY = (
    r"[$€£]\s?\d(?:[\d.,]*\d)?(?:\s(?:thousand|million|billion)\b)?"
    r"|\d(?:[\d.,]*\d)?\s(?:pounds|dollars|euros|crowns|pence|cents)\b"
)
_MEASURE = r"\s(?:ago|ahead|deep|early|high|late|later|long|old|tall|thick|wide)\b"  # "11 years old"
_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
# How an answer looks, and how a question for it begins; the first that fits counts. {} is the unit.
_SHAPES = (
    (regex.compile(_MONEY), "How much"),
    (regex.compile(r"\d+(?:[.,]\d+)?\s?(?:%|per ?cent\b)"), "What percentage"),
    (regex.compile(r"\d{1,2}:\d\d(?!\d)"), "At what time"),
    (regex.compile(rf"\d{{1,2}} {_MONTH}(?: \d{{4}})?|{_MONTH} \d{{1,2}}(?!\d)(?:, \d{{4}})?"), "When"),
    (regex.compile(r"(?:1[5-9]|20)\d\d(?![\d.,:]*\d)(?!\s\p{Ll}+s\b)"), "In which year"),
    (regex.compile(rf"\d+(?:[.,]\d+)*\s(?P<unit>\p{{Ll}}{{3,14}}s)\b(?=(?P<measure>{_MEASURE})?)"), "How many {}"),
)
_PART = r"\p{Lu}\p{Ll}+(?:-\p{Lu}\p{Ll}+)?"
_NAME = rf"{_PART}(?:\s{_PART}){{1,2}}(?![\w-]|\s\p{{Lu}})"
# A name of two or three words, told by the word before it to be somebody's or a place's; other names are left alone.
_NAMES = (
    (regex.compile(rf"(?<=\b(?:by|with|[Aa]sk|[Rr]ing|[Tt]ell|[Cc]all)\s){_NAME}"), "Who"),
    (regex.compile(rf"(?<=\b(?:at|in)\s){_NAME}"), "Where"),
)
_BEFORE = regex.compile(r"[\w.,:$€£/-]\Z")  # what would make a number part of something longer
_NUMBERED = regex.compile(r".\b\p{Lu}[\w-]*\s\Z")  # of "PCL 5 printers" the 5 counts nothing
_SENTENCE = regex.compile(r"(?<=[.!?][\"”’)]?)\s+(?=[\"“(]?[\p{Lu}\d])|\n\s*\n|\n(?=[-*#|>])")
_HEADING = regex.compile(
    r"(?m)^((?:[^\s.!?,;:]+ ){0,5}[^\s.!?,;:]+) ?\n(?=\p{Lu})"
)  # a short line without an end of its own
_NO_PROSE = regex.compile(r"[|{}<>`\\]|::|==|https?:|\w\(\)|^\s*[-*#=>$\d]|\w;\s")  # code, tables, lists, markup
_LABEL = regex.compile(r"\w+(?:\s\w+)?:\s")  # "Present: ..." says nothing whole
_DANGLING = regex.compile(r"(?i)\b(?:it|its|he|she|they|them|his|hers?|their|this|these|those|here)\b")
# Behind an answer: another figure of a list, or another name.
_ANOTHER = regex.compile(
    r"[^.;]{0,40}?(?:,|\band|\bor)\s(?:again\s|then\s)?(?:(?:about|at|by|for|in|on|with)\s)*(?P<other>[$€£]?\d)"
    r"|(?:,|\sand|\sor)\s(?P<other>\p{Lu})"
)
_BETWEEN = regex.compile(r"(?i)\b(?:between\s(?:\S+\sand\s)?|from\s[^,;.]{1,30}\sto\s)\Z")  # or the end of a range
_NOUNLESS = regex.compile(  # "Where is the first?", "May the youngest be ...": the first what?
    r"(?i)\b(?:the|a|an|each|every)\s(?:first|second|third|fourth|fifth|last|latter|former|others?|rest|same|next|best|"
    r"oldest|youngest|eldest|newest|highest|lowest|longest|shortest|largest|smallest|biggest|latest|earliest)"
    r"(?=\?|\s(?:in|at|on|for|to|from|by|be|is|are|was|were|do|does|did|may|can|must)\b)"
)
_OF_THE_TEXT = regex.compile(
    r"(?i)\b(?:text|passage|document|sentence|answer|question|paragraph|above|following|mentioned)\b"
)
_FIRST_PERSON = regex.compile(r"(?i)\b(?:i|me|my|mine)\b")
_PROPER = regex.compile(r"(?<!^)(?<![.?!]\s)\b\p{Lu}[\w-]+|\d[\d.,:]*")


_PREPOSITIONS = frozenset("about after at before by for from in on since until up with within".split())
# What may stand between a preposition and the figure, longest first.
HEDGES = (
    "no more than",
    "not more than",
    "at least",
    "at most",
    "up to",
    "about",
    "around",
    "roughly",
    "nearly",
    "almost",
)


@dataclass(frozen=True, slots=True)
class Subject:
    """Something worth asking for."""

    answer: str  # as it stands in the passage, once
    sentence: str  # that says it
    begins: str  # how a question for it begins


def subjects_of(text: str) -> list[Subject]:
    """The figures, dates and names of a passage's sentences that stand in it once, in its order."""
    found = []
    for sentence in sentences_of(text):
        if (
            _NO_PROSE.search(sentence)
            or _LABEL.match(sentence)
            or not SENTENCE[0] <= len(sentence.split()) <= SENTENCE[1]
        ):
            continue
        if not sentence.endswith((".", "!", ".”", '."')) or _DANGLING.match(sentence):
            continue
        found += [each for each in _of_sentence(sentence) if text.count(each.answer) == 1]
    return found


def sentences_of(text: str) -> list[str]:
    """A text's sentences as they stand, in order; headings, list items and table rows come by themselves."""
    apart = _HEADING.sub(r"\n\n\1\n\n", text)
    return [" ".join(each.split()) for each in _SENTENCE.split(apart) if each.strip()]


def _of_sentence(sentence: str) -> list[Subject]:
    found: list[tuple[int, Subject]] = []
    taken: list[tuple[int, int]] = []
    for shape, begins in _SHAPES:
        for match in shape.finditer(sentence):
            inside = any(match.start() < end and start < match.end() for start, end in taken)
            numbered = begins == "How many {}" and _NUMBERED.search(sentence[: match.start()])
            if not inside and not numbered and not _BEFORE.search(sentence[: match.start()]):
                taken.append(match.span())
                unit = match.groupdict().get("unit", "") + (match.groupdict().get("measure") or "")
                found.append((match.start(), Subject(match.group(), sentence, begins.format(unit))))
    for shape, begins in _NAMES:
        found += [(match.start(), Subject(match.group(), sentence, begins)) for match in shape.finditer(sentence)]
    found.sort(key=lambda each: each[0])
    return [subject for place, subject in found if not _one_of_several(place, subject, dict(found))]


def _one_of_several(place: int, subject: Subject, found: dict[int, Subject]) -> bool:
    """Whether another of its kind is named in the same breath: "at 8 weeks and again at 12 weeks", "by A and B"."""
    end = place + len(subject.answer)
    other = _ANOTHER.match(subject.sentence, end)
    if other is None:
        return _BETWEEN.search(subject.sentence[:place]) is not None
    kind = found.get(other.start("other"))
    return kind is None or kind.begins == subject.begins


def draft_fault(question: str, subject: Subject, passage: str, headings: str = "", asked: Iterable[str] = ()) -> str:
    """Why a drafted question is not worth a person's time, "" when it is; `asked` are the questions there are."""
    said = words(question)
    if not question.endswith("?") or question.count("?") > 1 or not FEWEST <= len(said) <= MOST:
        return "not a question of a sensible length"
    if not _asks_for(question, subject.begins):
        return "does not ask for what was to be asked for"
    if holds(question, subject.answer) or set(_numbers(subject.answer)) & set(_numbers(question)):
        return "gives its answer away"
    loose = (_DANGLING, _NOUNLESS, _OF_THE_TEXT, _FIRST_PERSON)
    if any(each.search(question) for each in loose):
        return "does not stand by itself"
    return _not_grounded(question, subject, passage, headings) or _asked_before(question, asked)


def _asks_for(question: str, begins: str) -> bool:
    """Whether a question begins as it was to, or so with a preposition before: "Within how many days", "By whom"."""
    said, wanted = question.casefold(), begins.casefold()
    plain = {"in which year": "which year", "at what time": "what time", "who": "whom"}.get(wanted, wanted)
    first, _, rest = said.partition(" ")
    ways = [said, rest] if first in _PREPOSITIONS else [said]
    ways += [way.removeprefix(hedge).strip() for way in ways for hedge in HEDGES]
    return said.startswith(wanted) or any(way.startswith(plain) for way in ways[1:])


def _numbers(text: str) -> list[str]:
    return [each for each in words(text) if any(sign.isdecimal() for sign in each)]


def _not_grounded(question: str, subject: Subject, passage: str, headings: str) -> str:
    """Whether a question is about something else than the sentence its answer stands in."""
    known = f"{headings} {passage}"
    if any(not holds(known, each) for each in _PROPER.findall(question)):
        return "names what the passage does not"
    telling = _telling(question) - _stems(subject.begins)
    told = _stems(f"{headings} {subject.sentence}")
    here = len(telling & _stems(subject.sentence))
    if here < LEAST or len(telling & told) < STANDING * len(telling):
        return "is not about the passage"
    if not subject.begins.startswith("How much") and _stem(_leading_word(subject)) not in telling:
        return "leaves out what the answer is said of"
    others = (each for each in sentences_of(passage) if subject.answer not in each)
    if any(len(telling & _stems(each)) > here for each in others):
        return "fits another sentence better"
    return ""


def _leading_word(subject: Subject) -> str:
    """The last telling word before the answer that is no name, most often its verb ("kept for 12 years"), else the
    first behind it.

    A question without it reads well and asks nothing: "How many years are the records?". Of a price it may be any word.
    """
    before, _, behind = subject.sentence.partition(subject.answer)
    near = [*reversed(words(before)), *words(behind)]
    names = {word for name in _PROPER.findall(subject.sentence) for word in words(name)}
    return next((word for word in near if word not in STOPWORDS and word not in names), "")


def _telling(text: str) -> set[str]:
    return {_stem(word) for word in words(text) if word not in STOPWORDS}


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in words(text)}


def _stem(word: str) -> str:
    """A word without its commonest endings: enough to tell "costs" from "ferry", and not from "cost"."""
    return regex.sub(r"(?:ies|es|s|ing|ed|e|y)\Z", "", word) if len(word) > 4 else word.removesuffix("s")


def _asked_before(question: str, asked: Iterable[str]) -> str:
    return ASKED_BEFORE if any(_same_question(question, each) for each in asked) else ""


def _same_question(first: str, second: str) -> bool:
    """Whether two questions have nearly the same words; "room 4" and "room 7" are two questions."""
    ours, theirs = set(words(first)), set(words(second))
    return set(_numbers(first)) == set(_numbers(second)) and len(ours & theirs) >= ALIKE * len(ours | theirs)
