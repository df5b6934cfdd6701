"""Word a question by rule: a plain sentence with its answer taken out and its verb put first.

"The records are kept for 12 years." becomes "For how many years are the records kept?", and "The kitchen cooks 380
meals a day." becomes "How many meals does the kitchen cook a day?". Only sentences whose beginning is one clause with
an auxiliary or one of the commonest verbs are worded so; the others are left to a model. The words stay the document's.
"""

from __future__ import annotations

from dataclasses import dataclass

import regex  # type: ignore[import-untyped]

from workbench.evaluation.draft_rules import HEDGES, Subject

LONGEST_SUBJECT = 9  # words before the verb
LONGEST_TAIL = 5  # words behind the answer that still belong to what is asked

_AUXILIARIES = frozenset("is are was were can may must will should".split())
# Verbs that most often stand before a figure, by their plain form; the past of those that make it in their own way.
_VERBS = dict.fromkeys(
    "allow arrive burn carry charge close cook cover employ end expect last measure move need open order pass plan play"
    " print produce reach receive require rest sail save serve ship start stay store supply travel use wait want weigh"
    " work".split(),
    "",
)
_VERBS |= dict.fromkeys(["cost"], "-")  # a past that looks like the plain form tells nothing
_VERBS |= dict(
    pair.split("/")
    for pair in (
        "begin/began bring/brought build/built buy/bought catch/caught drive/drove fall/fell get/got give/gave go/went"
        " grow/grew hold/held keep/kept leave/left lend/lent lie/lay lose/lost make/made meet/met pay/paid rise/rose"
        " run/ran sell/sold send/sent sit/sat spend/spent stand/stood take/took teach/taught win/won write/wrote"
    ).split()
)
_SEVERAL = regex.compile(
    r"(?i)\b(?:who|which|that|because|if|when|while|where|whose|what|how|there|and|but|or|than|not|no|never|nor)\b"
)
# A sentence that begins so has its subject elsewhere, or none that stands by itself.
_ELSEWHERE = frozenset(
    "after all another as at before between both by during each every for from here if in it its next no none of on one"
    " others please since so some that there these they this those to today under until we what when where who whoever"
    " with you".split()
)
# What may stand before an answer, and how the question then begins; {} is the answer's own beginning ("how many days").
_FIGURES = {"": "{}", "for": "For {}", "within": "Within {}", "after": "After {}"}
_PREPOSITIONS = {
    "How much": {**_FIGURES, "at": "At {}"},
    "How many": {**_FIGURES, "with": "With {}", "at": "At {}"},
    "What percentage": {"": "{}", "at": "At {}", "by": "By {}", "for": "For {}"},
    "When": {"on": "When", "from": "From when", "until": "Until when", "since": "Since when", "by": "By when"},
    "In which year": {"in": "In which year", "since": "Since which year"},
    "At what time": {
        "at": "At what time",
        "by": "By what time",
        "from": "From what time",
        "until": "Until what time",
        "before": "Before what time",
        "after": "After what time",
    },
    "Where": {"at": "Where", "in": "Where"},
    "Who": {"by": "By whom"},
}
_DANGLING_ENDS = (" of", " at", " to", " by", " in", " on", " from", " with", " than", " between", " a", " an", " the")
_TAIL = regex.compile(r"\s?(?P<tail>[^,;:.()!?]*)")
_TAIL_ENDS = regex.compile(
    r"(?i)\b(?:also|and|as|because|but|if|or|otherwise|so|than|that|to|until|when|where|which|while|who|\w*\d\S*)\b"
)
_COMPARED = regex.compile(r"[^,;.]{0,20}\b(?:additional|extra|further|less|more)\b")  # "£36 a night more": than what?
_FURTHER = regex.compile(r"\b(?:at|by|for|from|in|into|near|of|on|over|through|to|under|with)\b")


@dataclass(frozen=True, slots=True)
class _Clause:
    """What stands before an answer, taken apart."""

    subject: list[str]
    verb: str  # that stands first in the question: "is", "does"
    rest: str  # what comes after the subject, up to the answer


def kind_of(begins: str) -> str:
    """The kind of an answer by how its question begins: "How many" for "How many days"."""
    return next((kind for kind in _PREPOSITIONS if begins.startswith(kind)), begins)


def word_by_rule(subject: Subject, passage: str) -> str:
    """A question for a subject of a passage, "" where no rule fits its sentence."""
    before, _, behind = subject.sentence.partition(subject.answer)
    clause = _clause(before)
    if clause is None or _SEVERAL.search(before) or _COMPARED.match(behind) or any(sign.isdecimal() for sign in before):
        return ""
    named = clause.subject
    if len(named) > LONGEST_SUBJECT or named[0].casefold() in _ELSEWHERE or named[-1].casefold() in ("the", "a", "an"):
        return ""
    middle, hedge = _without_hedge(clause.rest)
    ways = _PREPOSITIONS.get(kind_of(subject.begins), {})
    preposition = next((each for each in ways if each and f" {middle}".endswith(f" {each}")), "")
    if preposition not in ways or middle.startswith("to "):
        return ""
    rest = middle.removesuffix(preposition).strip() if preposition else middle
    if f" {rest}".endswith(_DANGLING_ENDS) or (subject.begins == "Where" and _FURTHER.search(rest)):
        return ""  # of "goes to the desk at Cobb Lane" the place is the desk's
    asked = f"{hedge} {_lowered(subject.begins)}".strip()
    begins = ways[preposition].format(asked)
    first = named[0] if _is_name(named, passage) else named[0].lower()
    said = [clause.verb, first, *named[1:], *rest.split(), *_tail(behind, subject.begins)]
    return f"{begins[0].upper()}{begins[1:]} {' '.join(said)}?"


def _lowered(begins: str) -> str:
    return begins[0].lower() + begins[1:]


def _clause(before: str) -> _Clause | None:
    """The clause before an answer, where its first verb is one that is known; None where it holds more than one."""
    if not regex.fullmatch(r"\p{Lu}[^,;:()]*\s", before):
        return None
    said = before.split()
    for place in range(1, len(said)):
        subject, rest = said[:place], said[place + 1 :]
        perfect = said[place] in ("has", "have", "had") and rest and regex.fullmatch(r"been|\p{Ll}+ed", rest[0])
        if said[place] in _AUXILIARIES or perfect:
            return _Clause(subject, said[place], " ".join(rest))
        helped = _helped(said[place], subject)
        if helped is not None and not _AUXILIARIES.intersection(rest):
            return _Clause(subject, helped[0], " ".join([helped[1], *rest]))
    return None


def _helped(verb: str, subject: list[str]) -> tuple[str, str] | None:
    """A verb as ("does", "cook"), by its form; None for a word that is not known as a verb of this subject."""
    several = subject[-1].endswith("s") and not subject[-1].endswith("ss")
    if verb == "has" or (verb == "have" and several) or verb == "had":
        return {"has": "does", "have": "do", "had": "did"}[verb], "have"
    for plain, past in _VERBS.items():
        third = regex.sub(r"(?<=[^aeiou])y\Z", "ie", plain) + ("es" if plain.endswith(("s", "ch", "sh", "go")) else "s")
        if verb == third and not several:
            return "does", plain
        if verb == plain and several:
            return "do", plain
        if verb == (past or regex.sub(r"e\Z|(?<=[^aeiou])y\Z", lambda found: found[0].replace("y", "i"), plain) + "ed"):
            return "did", plain
    return None


def _without_hedge(middle: str) -> tuple[str, str]:
    """What stands before an answer without the "at most" right before the figure, and that."""
    hedge = next((each for each in HEDGES if f" {middle}".endswith(f" {each}")), "")
    return middle.removesuffix(hedge).strip() if hedge else middle, hedge


def _tail(behind: str, begins: str) -> list[str]:
    """The few words behind an answer that belong to it: "a day", "for each singer"."""
    found: str = _TAIL.match(behind)["tail"]
    cut = _TAIL_ENDS.search(found)
    said = (found[: cut.start()] if cut else found).split()
    if said and begins.endswith(f" {said[0]}"):  # "How many days ahead"
        said = said[1:]
    if not said or len(said) > LONGEST_TAIL or f" {' '.join(said)}".endswith(_DANGLING_ENDS):
        return []
    return said


def _is_name(named: list[str], passage: str) -> bool:
    """Whether a sentence's first word is written large within one too, beside another such word or elsewhere."""
    if named[0] in ("The", "A", "An"):
        return False
    if named[0][1:] != named[0][1:].lower() or (len(named) > 1 and named[1][0].isupper()):
        return True
    return regex.search(rf"(?<=[\p{{Ll}},;] ){regex.escape(named[0])}\b", passage) is not None
