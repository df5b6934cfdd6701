"""PDF, Word and PowerPoint."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

from workbench.documents.document import Draft, Part
from workbench.documents.formats import recognise
from workbench.documents.formats.markup import Outline
from workbench.documents.formats.plain import clean
from workbench.documents.formats.tables import table_parts
from workbench.documents.formats.zipped import check_archive
from workbench.errors import BadDocument

RECOGNITION_SECONDS = 60.0  # for all pictures of one file; well within what the fence allows a file


def read_pdf(path: Path) -> Draft:
    """A PDF: a section per page. Pages without text are named as scans; a locked or broken file is refused."""
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it reports every oddity of every file
    try:
        pdf = pypdf.PdfReader(path, strict=False)
        if pdf.is_encrypted and not pdf.decrypt(""):
            raise BadDocument("the PDF is locked with a password")
        pages = list(pdf.pages)
        facts = pdf.metadata
        title = clean(str(facts.get("/Title") or "") if facts else "").strip()
    except BadDocument:
        raise
    except pypdf.errors.DependencyError as error:
        raise BadDocument("the PDF is encrypted in a way that cannot be opened here") from error
    except Exception as error:  # pypdf lets many kinds out of broken files
        raise BadDocument("the PDF is damaged and cannot be opened") from error
    texts = [_page_text(page) for page in pages]
    recognised = _recognised(pages, texts)
    texts = [recognised.get(number, text) for number, text in enumerate(texts, start=1)]
    parts = [Part(text or "", f"p. {number}", joins=True) for number, text in enumerate(texts, start=1)]
    notes = [*_page_notes(texts), *_recognition_notes(list(recognised))]
    return Draft(tuple(parts), title if _is_title(title) else "", tuple(notes))


def _recognised(pages: list[Any], texts: list[str | None]) -> dict[int, str]:
    """By number, the texts of pages that are pictures; as many as RECOGNITION_SECONDS allow, the rest stay scans."""
    found: dict[int, str] = {}
    until = monotonic() + RECOGNITION_SECONDS
    for number, (page, text) in enumerate(zip(pages, texts, strict=True), start=1):
        if text == "" and recognise.program() and monotonic() < until:
            seen = clean(recognise.recognise(_pictures(page), until)).strip()
            if seen:
                found[number] = seen
    return found


def _pictures(page: Any) -> Iterator[bytes]:
    try:
        for picture in page.images:
            yield picture.data
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception:  # a picture that cannot be unpacked must not take the page along
        return


def _recognition_notes(numbers: list[int]) -> Iterator[str]:
    if numbers:
        yield f"{_pages(numbers)} text recognised from pictures, which may have mistakes"


def _page_text(page: Any) -> str | None:
    """The text of a page; None when it cannot be extracted."""
    try:
        text = clean(page.extract_text())
    except (MemoryError, KeyboardInterrupt):
        raise
    except Exception:  # a broken page must not take the others along
        return None
    text = re.sub(r"(?<=[a-z])-\n(?=[a-z])", "", text)  # words broken at the end of a line
    return re.sub(r"[ \t]+\n", "\n", text).strip()


def _is_title(title: str) -> bool:
    """Whether a PDF's title is one: many programs leave a file name or a placeholder there."""
    return bool(title) and not re.search(r"\.(docx?|pdf|indd|tex|pptx?)$|^untitled|^microsoft", title, re.IGNORECASE)


def _page_notes(texts: list[str | None]) -> Iterator[str]:
    empty = [number for number, text in enumerate(texts, start=1) if text == ""]
    broken = [number for number, text in enumerate(texts, start=1) if text is None]
    if empty:
        yield f"{_pages(empty)} no text (scans or pictures)"
    if broken:
        yield f"{_pages(broken)} text that could not be read"


def _pages(numbers: list[int]) -> str:
    """ "page 3 holds", "pages 3-4, 9 hold" """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    shown = ", ".join("-".join(str(each) for each in run) for run in runs)
    return f"pages {shown} hold" if len(numbers) > 1 else f"page {shown} holds"


def read_docx(path: Path) -> Draft:
    """A Word document: a section per heading, tables in their place."""
    import docx
    from docx.table import Table

    check_archive(path)
    document = docx.Document(str(path))
    outline = Outline()
    sections = Sections(outline)
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            sections.add_table([[cell.text for cell in row.cells] for row in block.rows])
            continue
        style = (block.style.name or "") if block.style is not None else ""
        level = re.match(r"Heading (\d)", style)
        if style == "Title" and not outline.title:
            outline.title = block.text.strip()
        elif level and block.text.strip():
            sections.begin(int(level.group(1)), block.text.strip())
        else:
            sections.add(block.text)
    named = clean(document.core_properties.title or "").strip()
    return Draft(tuple(sections.finished()), outline.title or named)


class Sections:
    """Gathers paragraphs under the headings they follow."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._lines: list[str] = []
        self._parts: list[Part] = []

    def begin(self, level: int, heading: str) -> None:
        self._flush()
        self._outline.enter(level, re.sub(r"\s+", " ", clean(heading)))

    def add(self, text: str) -> None:
        if text.strip():
            self._lines.append(clean(text).strip())

    def add_table(self, rows: Iterable[list[str]]) -> None:
        """A table's rows are lines of one paragraph, so that they stay together where they fit."""
        parts = table_parts(enumerate(rows, start=1))
        self.add("\n".join(part.text for part in parts))

    def finished(self) -> list[Part]:
        self._flush()
        return self._parts

    def _flush(self) -> None:
        if self._lines:
            where = self._outline.path
            self._parts.append(Part("\n\n".join(self._lines), where or self._outline.title, where))
        self._lines = []


def read_pptx(path: Path) -> Draft:
    """A presentation: a section per slide with its text, tables and the speaker's notes."""
    import pptx

    check_archive(path)
    show = pptx.Presentation(str(path))
    parts = []
    for number, slide in enumerate(show.slides, start=1):
        title = slide.shapes.title.text_frame.text if slide.shapes.title is not None else ""
        lines = [line for shape in _shapes(slide.shapes) for line in _shape_lines(shape)]
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            spoken = slide.notes_slide.notes_text_frame.text.strip()
            lines += [f"Notes: {spoken}"] if spoken else []
        text = clean("\n".join(line for line in lines if line.strip()))
        parts.append(Part(text, f"slide {number}", re.sub(r"\s+", " ", clean(title)).strip()))
    return Draft(tuple(parts), clean(show.core_properties.title or "").strip())


def _shapes(shapes: Any) -> Iterator[Any]:
    """All shapes, those inside groups included."""
    waiting = list(shapes)
    while waiting:
        shape = waiting.pop(0)
        inner = getattr(shape, "shapes", None)
        if inner is not None:
            waiting[:0] = list(inner)
        else:
            yield shape


def _shape_lines(shape: Any) -> list[str]:
    if getattr(shape, "has_table", False):
        rows = [[cell.text for cell in row.cells] for row in shape.table.rows]
        return [part.text for part in table_parts(enumerate(rows, start=1))]
    return [paragraph.text for paragraph in shape.text_frame.paragraphs] if shape.has_text_frame else []
