"""Write one document of the sample in each format, with the same bytes on every run."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from datetime import datetime
from html import escape
from pathlib import Path

import docx
import openpyxl
import pptx
from pptx.util import Inches, Pt
from reportlab.lib import colors
from reportlab.lib.pagesizes import A5
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table

from sample_maker.source import Block, Page

# Every office file is stamped with this moment, so that a second run changes nothing in the repository.
MOMENT = datetime(2025, 10, 1, 9, 0, 0)
AUTHOR = "Orrinfell Instruments"


def write_page(page: Page, folder: Path) -> Path:
    """Write `page` under `folder` in the format its suffix names; ValueError for a suffix nobody writes."""
    path = folder / page.path
    writer = WRITERS.get(path.suffix)
    if writer is None:
        raise ValueError(f"No writer for {page.path}: the sample knows {', '.join(WRITERS)}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(writer(page))
    return path


def _title(page: Page) -> str:
    return next((block.lines[0] for block in page.blocks if block.kind == "title"), Path(page.path).stem)


def _plain(page: Page) -> bytes:
    return page.raw.encode()


def _text(page: Page) -> bytes:
    """Markdown marks are not for a plain text file: the title is underlined instead."""
    lines = page.raw.split("\n")
    lines = [f"{line[2:]}\n{'=' * (len(line) - 2)}" if line.startswith("# ") else line for line in lines]
    lines = [line[3:].upper() if line.startswith("## ") else line for line in lines]
    return "\n".join(lines).encode()


def _csv(page: Page) -> bytes:
    out = io.StringIO()
    for block in page.blocks:
        csv.writer(out, lineterminator="\n").writerows(block.rows)
    return out.getvalue().encode()


def _html_block(block: Block) -> str:
    tags = {"title": "h1", "heading": "h2", "paragraph": "p"}
    if block.kind in tags:
        return f"<{tags[block.kind]}>{escape(block.lines[0])}</{tags[block.kind]}>"
    if block.kind == "table":
        head = "".join(f"<th>{escape(cell)}</th>" for cell in block.rows[0])
        rows = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in block.rows[1:]]
        return f"<table>\n<tr>{head}</tr>\n" + "\n".join(f"<tr>{row}</tr>" for row in rows) + "\n</table>"
    if block.kind == "page":
        return "<hr/>"
    tag = "ul" if block.kind == "bullets" else "ol"
    return f"<{tag}>" + "".join(f"<li>{escape(line)}</li>" for line in block.lines) + f"</{tag}>"


def _html(page: Page) -> bytes:
    body = "\n".join(_html_block(block) for block in page.blocks)
    head = f'<meta charset="utf-8"><title>{escape(_title(page))}</title>'
    return f'<!doctype html>\n<html lang="en">\n<head>{head}</head>\n<body>\n{body}\n</body>\n</html>\n'.encode()


def _pdf(page: Page) -> bytes:
    out = io.BytesIO()
    pdf = SimpleDocTemplate(out, pagesize=A5, title=_title(page), author=AUTHOR, invariant=1)
    pdf.build([part for block in page.blocks for part in _flowables(block)])
    return out.getvalue()


def _flowables(block: Block) -> list[Flowable]:
    styles = getSampleStyleSheet()
    if block.kind == "page":
        return [PageBreak()]
    if block.kind == "table":
        cells = [[Paragraph(escape(cell), styles["BodyText"]) for cell in row] for row in block.rows]
        return [Table(cells, style=[("GRID", (0, 0), (-1, -1), 0.4, colors.grey)]), Spacer(1, 8)]
    name = {"title": "Title", "heading": "Heading2"}.get(block.kind, "BodyText")
    return [Paragraph(escape(line), styles[name]) for line in block.lines]


def _docx(page: Page) -> bytes:
    file = docx.Document()
    for block in page.blocks:
        if block.kind in ("title", "heading"):
            file.add_heading(block.lines[0], 0 if block.kind == "title" else 1)
        elif block.kind == "table":
            table = file.add_table(len(block.rows), len(block.rows[0]), style="Table Grid")
            for cells, row in zip(table.rows, block.rows, strict=True):
                for cell, text in zip(cells.cells, row, strict=True):
                    cell.text = text
        else:
            style = {"bullets": "List Bullet", "numbers": "List Number"}.get(block.kind)
            for line in block.lines:
                file.add_paragraph(line, style)
    properties = file.core_properties
    properties.author, properties.title = AUTHOR, _title(page)
    return _saved(file.save)


def _pptx(page: Page) -> bytes:
    """One slide per heading; the title slide takes what stands before the first of them."""
    show = pptx.Presentation()
    slide, lines = None, 0
    for block in page.blocks:
        if block.kind in ("title", "heading"):
            slide, lines = show.slides.add_slide(show.slide_layouts[1]), 0
            slide.shapes.title.text = block.lines[0]
            continue
        assert slide is not None, f"{page.path} needs a title before its text"
        frame = slide.placeholders[1].text_frame
        for line in block.lines:
            paragraph = frame.paragraphs[0] if lines == 0 else frame.add_paragraph()
            paragraph.text, paragraph.font.size = line, Pt(20)
            lines += 1
    show.slide_width, show.slide_height = Inches(10), Inches(7.5)
    show.core_properties.author, show.core_properties.title = AUTHOR, _title(page)
    return _saved(show.save)


def _xlsx(page: Page) -> bytes:
    """One sheet per heading; a price or a count becomes a number, as a person would have typed it."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for block in page.blocks:
        if block.kind == "heading":
            book.create_sheet(block.lines[0])
        for row in block.rows:
            book.worksheets[-1].append([_number(cell) for cell in row])
    for sheet in book.worksheets:
        for column in sheet.columns:
            sheet.column_dimensions[column[0].column_letter].width = max(len(str(cell.value)) for cell in column) + 2
    book.properties.creator, book.properties.title = AUTHOR, _title(page)
    return _saved(book.save)


def _number(text: str) -> str | int | float:
    if re.fullmatch(r"\d{1,6}", text):
        return int(text)
    return float(text) if re.fullmatch(r"\d+\.\d+", text) else text


def _rtf(page: Page) -> bytes:
    lines = [r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Georgia;}}\f0\fs22"]
    for block in page.blocks:
        for line in block.lines:
            text = "".join(_rtf_letter(letter) for letter in line)
            lines.append(rf"{{\b\fs28 {text}}}\par\par" if block.kind in ("title", "heading") else rf"{text}\par\par")
    return ("\n".join(lines) + "\n}\n").encode("ascii")


def _rtf_letter(letter: str) -> str:
    if letter in "\\{}":
        return "\\" + letter
    return letter if ord(letter) < 128 else rf"\u{ord(letter)}?"


def _epub(page: Page) -> bytes:
    """EPUB 3 with one chapter per heading, the parts in the order the standard asks for."""
    chapters: list[list[Block]] = []
    for block in page.blocks:
        if block.kind == "heading" or not chapters:
            chapters.append([])
        chapters[-1].append(block)
    names = [f"chapter{number}.xhtml" for number in range(1, len(chapters) + 1)]
    parts = {"mimetype": "application/epub+zip", "META-INF/container.xml": _CONTAINER}
    parts["OEBPS/content.opf"] = _package(page, names)
    parts["OEBPS/nav.xhtml"] = _navigation(names, chapters)
    for name, blocks in zip(names, chapters, strict=True):
        body = "\n".join(_html_block(block) for block in blocks)
        parts[f"OEBPS/{name}"] = _xhtml(blocks[0].lines[0], body)
    return _zipped({name: text.encode() for name, text in parts.items()})


_CONTAINER = (
    '<?xml version="1.0"?>\n<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
    "<rootfiles>"
    '<rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>\n'
)


def _xhtml(title: str, body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml" '
        f'xmlns:epub="http://www.idpf.org/2007/ops"><head><title>{escape(title)}</title></head>'
        f"<body>\n{body}\n</body></html>\n"
    )


def _navigation(names: list[str], chapters: list[list[Block]]) -> str:
    links = [
        f'<li><a href="{name}">{escape(part[0].lines[0])}</a></li>' for name, part in zip(names, chapters, strict=True)
    ]
    return _xhtml("Contents", f'<nav epub:type="toc"><ol>{"".join(links)}</ol></nav>')


def _package(page: Page, names: list[str]) -> str:
    items = "".join(f'<item id="c{i}" href="{n}" media-type="application/xhtml+xml"/>' for i, n in enumerate(names))
    spine = "".join(f'<itemref idref="c{number}"/>' for number in range(len(names)))
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<package xmlns="http://www.idpf.org/2007/opf" version="3.0" '
        'unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<dc:identifier id="id">orrinfell:{escape(page.path)}</dc:identifier>'
        f"<dc:title>{escape(_title(page))}</dc:title>"
        f'<dc:language>en</dc:language><meta property="dcterms:modified">{MOMENT:%Y-%m-%dT%H:%M:%SZ}</meta></metadata>'
        '<manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
        f"{items}</manifest><spine>{spine}</spine></package>\n"
    )


def _saved(save: Callable[[io.BytesIO], object]) -> bytes:
    """What an office library saves, with its clock readings replaced by MOMENT."""
    out = io.BytesIO()
    save(out)
    stamp = rb"\g<1>" + f"{MOMENT:%Y-%m-%dT%H:%M:%SZ}".encode()
    with zipfile.ZipFile(out) as made:
        parts = {name: made.read(name) for name in made.namelist()}
    core = "docProps/core.xml"
    parts[core] = re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", stamp, parts[core])
    return _zipped(parts)


def _zipped(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in parts.items():
            # An EPUB reader looks for the unpacked word "mimetype" at the very beginning of the file.
            how = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            info = zipfile.ZipInfo(name, MOMENT.timetuple()[:6])
            info.compress_type, info.external_attr = how, 0o644 << 16
            archive.writestr(info, content)
    return out.getvalue()


WRITERS: dict[str, Callable[[Page], bytes]] = {
    ".md": _plain,
    ".txt": _text,
    ".html": _html,
    ".pdf": _pdf,
    ".docx": _docx,
    ".pptx": _pptx,
    ".xlsx": _xlsx,
    ".csv": _csv,
    ".rtf": _rtf,
    ".epub": _epub,
}
