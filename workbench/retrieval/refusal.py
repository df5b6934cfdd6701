# ruff: noqa: E501, ISC004 - a pattern is read best on one line
"""Recognise an answer that honestly says it has no answer.

A refusal stands in the first sentence that says anything (after "Sorry", "Unfortunately", "Based on the passages…").
What a model says later does not count: an answer followed by "I have no further details" is an answer. A refusal that
is taken back in the same breath ("I don't know, but I think it is May") is an answer too.

Only English is recognised; a suite in another language checks its own refusal sentence with `contains`.
"""

from __future__ import annotations

import regex  # type: ignore[import-untyped]

# What a text is drawn from, as models name it.
_SOURCES = (
    r"(?:documents?|documentation|passages?|context|texts?|sources?|articles?|excerpts?|information|"
    r"materials?|files?|handbooks?|manuals?|guides?|pages?|snippets?|knowledge base|data|notes?|content|question)"
)
_SAY = (
    r"(?:mention|say|state|specify|provide|give|indicate|discuss|answer|address|tell|explain|"
    r"describe|reveal|name|disclose|cover|contain|include|list|report|reference|refer)"
)
_SAID = (
    r"(?:mentioned|said|stated|specified|indicated|discussed|answered|addressed|explained|disclosed|documented|"
    r"reported|referenced|referred to|identified|named)"
)
_SHOWN = (
    r"(?:given|provided|included|covered|described|listed|available|found|known|contained|present|clear|shown|there)"
)
_FIND = (
    r"(?:find|locate|see|determine|answer|verify|confirm|provide|say|tell|identify|help|give|assist|share|"
    r"disclose|comment|access|look up|know|be (?:sure|certain))"
)
_NOT = r"(?:\s+not|n't)"
_CANNOT = (
    r"(?:could(?:\s+not|n't)|can't|can\s*not|(?:was|were|am|are)\s+not\s+able\s+to|(?:was|were|are)n't\s+able\s+to)"
)
_GAP = r"(?:\s+[\w'’-]+){0,4}?"  # a few words in between: "in any of the", "the provided"

_REFUSALS = [
    # I could not find this in the documents. I'm unable to answer. We cannot tell.
    rf"\b(?:i|we)\s+(?:still\s+|simply\s+|really\s+)?{_CANNOT}(?:\s+\w+ly)?\s+{_FIND}\b(?!\s+(?:fault|anything wrong))",
    rf"\b(?:i'm|i am|i was|we are|we were|we're)\s+(?:not able|unable|sorry,? (?:but )?unable)\s+to\s+{_FIND}\b",
    rf"^(?:unable|not able) to {_FIND}\b",
    # I do not know the answer. I don't know. (not: I don't know anyone who ...; I don't know of a better one)
    rf"\b(?:i|we)\s+(?:really\s+|simply\s+|honestly\s+|also\s+)?do{_NOT}\s+(?:actually\s+|really\s+)?know"
    r"(?=\s*(?:[.,;:!]|$|but\b)|\s+(?:the|that|this|what|how|when|who|where|whether|if|about|which|why|enough|for (?:sure|certain)|your|his|her|their|its|based)\b)",
    # I don't have that information. I have no information about this.
    rf"\b(?:i|we)\s+(?:do{_NOT}|did{_NOT})\s+(?:currently\s+|yet\s+)?have{_GAP}\s+(?:information|details?|data|access|knowledge|context|records?|answer|documents?)\b",
    r"\b(?:i|we)\s+have\s+no\s+(?:\w+\s+)?(?:information|details?|data|access|knowledge|context|records?|answer|idea)\b",
    # The documents do not mention it. The provided text doesn't say.
    rf"\b{_SOURCES}{_GAP}\s+(?:do|does|did)(?:{_NOT})(?:\s+\w+ly)?\s+{_SAY}\b",
    rf"\bnone of the{_GAP}\s+{_SOURCES}{_GAP}\s+{_SAY}s?\b",
    # It is not mentioned. (alone); it is not given in the documents. (only with where)
    rf"\b(?:(?:is|are|was|were|has been|have been){_NOT}|is nowhere|'(?:s|re)\s+not)(?:\s+(?:been|explicitly|directly|specifically|clearly|currently|yet)){{0,2}}\s+{_SAID}\b(?=\s*(?:[.,;:!]|$|\b(?:in|by|within|anywhere|on|at all|here|there|explicitly|when|what|whether|who|how|where|which|why)\b))",
    rf"\b(?:(?:is|are|was|were){_NOT}|'(?:s|re)\s+not)(?:\s+\w+ly)?\s+{_SHOWN}\s+(?:in|by|within|from|on|among){_GAP}\s+{_SOURCES}\b",
    rf"\b{_CANNOT}\s+be\s+(?:found|determined|answered|verified|confirmed|established)\b(?!\s+(?:under|behind|next to|near|on the back))",
    rf"^not\s+(?:{_SAID}|{_SHOWN})\s+(?:in|by|within|from){_GAP}\s+{_SOURCES}\b",
    # There is no information about this. The passages contain no mention of it.
    r"(?:\bthere(?:'s| is| are| was| were)|\b(?:contains?|has|have|gives?|provides?|offers?|includes?|found|find|makes?)|^)\s*\b"
    r"no\s+(?:\w+\s+){0,2}?(?:information|mention|details?|record|reference|answer)\b(?=\s*(?:[.,;:!]|$|\b(?:about|on|of|in|regarding|available|(?:is|was) (?:available|given|provided|found|mentioned|made|stated)|for|that|to|given|provided|here|as|concerning|found)\b))",
    r"\binformation\s+(?:is|was)(?:\s+not|n't)\s+(?:available|provided|given|included)\b",
    # I'm not sure. It is unknown.
    r"\b(?:i'm|i am|we are|we're)\s+(?:not (?:sure|certain|aware)|unsure|unaware)\b",
    r"\b(?:is|are|remains?)\s+(?:unknown|unclear|unspecified)\b(?=\s*(?:[.,;!]|$|\b(?:from|in|based)\b))",
    # I'm sorry, but I can't help with that.
    rf"\b(?:i|we)\s+(?:{_CANNOT}|am unable to|won't|will not)\s+(?:\w+ly\s+)?(?:help|assist|answer|provide|do that|share)\b",
]
_REFUSAL = regex.compile("|".join(f"(?:{pattern})" for pattern in _REFUSALS), flags=regex.V0)
_BARE = frozenset(
    "unknown;not known;n/a;none;not found;no answer;no information;not available;unanswerable;not mentioned;"
    "not specified;not stated;unsure;no idea;cannot answer;insufficient information;not enough information".split(";")
)
# Sentences before the one that counts.
_OPENER = regex.compile(
    r"^(?:(?:i'm |i am |we are )?(?:very |so )?sorry\b.{0,40}|apologies\b.{0,40}|i apologi[sz]e\b.{0,60}|unfortunately|hello|hi|hmm|"
    r"thank(?:s| you)\b.{0,60}|good question|no|well|answer|(?:the|your) question (?:asks|is)\b.*|you (?:asked|ask|are asking)\b.*)\W*$"
)
# A refusal followed by these is an answer after all.
_TAKEN_BACK = regex.compile(
    r"\b(?:but|however|though|although|still|nevertheless|yet)\b[,:]?\s+(?:(?:i|we)(?:'d| would| can| do)?\s+(?:think|believe|guess|assume|say|suspect|expect|estimate|know)\b"
    r"|(?:i'm|i am)\s+(?:fairly|pretty|quite)\b|(?:it|they|he|she|this|that)(?:'s|'ll|'re|\s+(?:is|was|are|were|will|should|has|have|had|costs?|takes?|seems?|appears?))\b(?!\s+(?:not|possible|best|worth|likely that you))"
    r"|(?:probably|likely|usually|typically|generally|normally|my (?:best )?guess|based on|according to|the answer|from what|in general|as far as i know))"
)
_PRESUMED = regex.compile(
    r"\b(?:i'm|i am) not (?:sure|certain|aware)\b.*\b(?:but|however)\b|\bnot (?:sure|certain|aware) (?:of|that) (?:a|any) (?:better|other)\b"
)


def is_refusal(text: str) -> bool:
    """Whether an answer says, in place of an answer, that it has none. See the top of the file for what counts."""
    plain = " ".join(text.replace("’", "'").replace("`", "'").casefold().split(" "))
    sentences = [each.strip(' \t*_#>-"“”') for each in regex.split(r"(?<=[.!?])\s+|\n+", plain)]
    sentences = [each for each in sentences if each.strip(" .!?,")]
    while len(sentences) > 1 and _OPENER.match(sentences[0]) and not _REFUSAL.search(sentences[0]):
        sentences.pop(0)
    if not sentences:
        return False
    first = sentences[0]
    if first.strip(" .!?") in _BARE:
        return len(sentences) == 1
    found = _REFUSAL.search(first)
    if found is None or _PRESUMED.search(first):
        return False
    rest = first[found.end() :] + " " + (sentences[1] if len(sentences) > 1 else "")
    return _TAKEN_BACK.search(rest) is None
