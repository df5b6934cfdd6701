"""Files that are text as they stand: plain text, source code, subtitles."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from workbench.documents.document import Draft, Part
from workbench.errors import BadDocument

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
GUESSED_ON = 256 * 1024  # bytes an encoding is guessed from; more costs seconds and changes nothing
# charset-normalizer takes French for Baltic and the like, for these pages differ in few letters. So among them the one
# in which the text looks most like its languages is chosen, the western one first.
MARKS = frozenset("–—‘’‚“”„«»‹›…€°§²³·•©®™½¼\xa0¿¡")
LATIN_PAGES = {
    "cp1252": frozenset("äöüßÄÖÜéèàçêëîïôûùâñóíáúãõåøæœÉÈÀÇÊÔÎÂÑÓÍÁÚÃÕÅØÆŒ"),
    "cp1250": frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻáčďéěíňřšťúůýžÁČĎÉĚÍŇŘŠŤÚŮÝŽöüőűŐŰäôľĺŕăâîşţĂÂÎŞŢßÄÖÜ"),
    "cp1254": frozenset("çğıöşüâîûÇĞİÖŞÜ"),
    "cp1257": frozenset("āčēģīķļņšūžąęėįųĀČĒĢĪĶĻŅŠŪŽĄĘĖĮŲõäöüÕÄÖÜ"),
}
MIXED_UP = frozenset(
    "cp1250 cp1252 cp1254 cp1257 cp1258 cp858 latin_1 iso8859_2 iso8859_3 iso8859_4 iso8859_9 iso8859_10 iso8859_13"
    " iso8859_14 iso8859_15 iso8859_16 hp_roman8 mac_latin2 mac_iceland mac_turkish mac_roman".split()
)
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff]")
_CUE = re.compile(r"^((?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3})\s+-->\s+\S+.*$", re.MULTILINE)


def clean(text: str) -> str:
    """Unix line ends; no control characters or lone surrogates, which a database would refuse."""
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n"))


def decode(data: bytes) -> str:
    """Text of any encoding. Raises BadDocument for bytes that are no text."""
    for mark, encoding in BOMS:
        if data.startswith(mark):
            return clean(data.decode(encoding, errors="replace"))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = _guess(data)
    if text.count("\x00") > len(text) // 1000:
        raise BadDocument("it holds binary data, not text")
    return clean(text)


def _guess(data: bytes) -> str:
    """The text of bytes that are not UTF-8."""
    from charset_normalizer import from_bytes

    if data[:8192].count(0) > 0 and not _looks_like_utf16(data):
        raise BadDocument("it holds binary data, not text")
    best = from_bytes(data[:GUESSED_ON]).best()
    latin = max(LATIN_PAGES, key=lambda page: _likeness(data[:GUESSED_ON], page))
    if _likeness(data[:GUESSED_ON], latin) >= 0.9 and (best is None or best.encoding in MIXED_UP):
        return data.decode(latin, errors="replace")
    if best is None:
        raise BadDocument("it holds binary data, or text in an encoding that cannot be recognised")
    return data.decode(best.encoding, errors="replace")


def _likeness(data: bytes, page: str) -> float:
    """The share of the bytes above ASCII that are letters or marks common in the languages of a code page."""
    high = [each for each in data.decode(page, errors="replace") if each > "\x7f"]
    return sum(each in LATIN_PAGES[page] or each in MARKS for each in high) / max(1, len(high))


def _looks_like_utf16(data: bytes) -> bool:
    """Whether every other byte is mostly zero, as in western text in UTF-16 without a mark."""
    even, odd = data[:8192:2].count(0), data[1:8192:2].count(0)
    return max(even, odd) > 0.3 * len(data[:8192]) / 2 and min(even, odd) < 0.05 * len(data[:8192])


def read_text(path: Path) -> Draft:
    """Plain text: one section, located by its lines."""
    return Draft((Part(decode(path.read_bytes()), first_line=1),))


def read_subtitles(path: Path) -> Draft:
    """SubRip and WebVTT: one section per cue, located by its time."""
    text = decode(path.read_bytes())
    cues = list(_CUE.finditer(text))
    if not cues:
        return Draft((Part(text, first_line=1),))
    parts = []
    for cue, following in zip(cues, [*cues[1:], None], strict=True):
        body = text[cue.end() : following.start() if following else len(text)].strip()
        body = re.sub(r"\n\s*\d*\s*$", "", body) if following else body  # SubRip's number of the next cue
        spoken = re.sub(r"<[^>\n]{1,80}>", "", body).strip()
        parts.append(Part(spoken, cue.group(1).split(",")[0].split(".")[0], joins=True))
    return Draft(tuple(parts))
