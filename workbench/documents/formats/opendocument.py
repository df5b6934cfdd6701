"""OpenDocument texts and presentations (OpenDocument 1.3, part 3, chapters 5 and 10)."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.documents.document import Draft, Part
from workbench.documents.formats.markup import Outline
from workbench.documents.formats.office import Sections
from workbench.documents.formats.plain import clean
from workbench.documents.formats.zipped import check_archive, read_entry
from workbench.errors import BadDocument

TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
SHOW = "{urn:oasis:names:tc:opendocument:xmlns:presentation:1.0}"


def _content(path: Path) -> Any:
    from defusedxml.ElementTree import fromstring

    check_archive(path)
    with zipfile.ZipFile(path) as archive:
        data = read_entry(archive, "content.xml")
    try:
        return fromstring(data)
    except Exception as error:  # a parse error, or an entity defusedxml refuses
        raise BadDocument("the file is damaged: its text cannot be read") from error


def read_odt(path: Path) -> Draft:
    """A text: headings and paragraphs in order."""
    outline = Outline()
    sections = Sections(outline)
    for element in _content(path).iter():
        text = "".join(element.itertext()) if element.tag in (f"{TEXT}h", f"{TEXT}p") else ""
        if text.strip() and element.tag == f"{TEXT}h":
            sections.begin(int(element.get(f"{TEXT}outline-level", "1")), text.strip())
        elif text.strip():
            sections.add(text)
    return Draft(tuple(sections.finished()), outline.title)


def read_odp(path: Path) -> Draft:
    """A presentation: a section per slide, the speaker's notes last."""
    parts = []
    for number, slide in enumerate(_content(path).iter(f"{DRAW}page"), start=1):
        spoken = list(slide.iter(f"{SHOW}notes"))
        notes = [f"Notes: {line}" for each in spoken for line in _lines(each)]
        hidden = {id(element) for each in spoken for element in each.iter()}
        lines = [line for element in slide.iter() if id(element) not in hidden for line in _own_line(element)]
        titles = [line for frame in slide.iter(f"{DRAW}frame") if _is_title(frame) for line in _lines(frame)]
        parts.append(Part("\n".join([*lines, *notes]), f"slide {number}", " ".join(titles)))
    return Draft(tuple(parts))


def _is_title(frame: Any) -> bool:
    return str(frame.get(f"{SHOW}class", "")) == "title"


def _lines(element: Any) -> list[str]:
    return [line for each in element.iter() for line in _own_line(each)]


def _own_line(element: Any) -> Iterator[str]:
    text = (
        re.sub(r"\s+", " ", clean("".join(element.itertext()))).strip()
        if element.tag in (f"{TEXT}h", f"{TEXT}p")
        else ""
    )
    if text:
        yield text
