"""Documents of every type, made by the tests that read them."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path


def make_pdf(path: Path, pages: Sequence[str], title: str = "", password: str = "") -> Path:
    """A PDF with a page per text; an empty text makes a page with a picture only."""
    from reportlab.pdfgen import canvas

    pdf = canvas.Canvas(str(path), encrypt=password or None)
    if title:
        pdf.setTitle(title)
    for text in pages:
        if not text:
            pdf.rect(100, 100, 200, 200, fill=1)
        for number, line in enumerate(text.split("\n")):
            pdf.drawString(72, 760 - 16 * number, line)
        pdf.showPage()
    pdf.save()
    return path


def make_scan(path: Path, texts: Sequence[str]) -> Path:
    """A PDF whose pages are pictures where the text is empty."""
    from PIL import Image
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen import canvas

    pdf = canvas.Canvas(str(path))
    for text in texts:
        if text:
            pdf.drawString(72, 760, text)
        else:
            pdf.drawImage(ImageReader(Image.new("RGB", (40, 20), "white")), 72, 500)
        pdf.showPage()
    pdf.save()
    return path


def make_docx(path: Path) -> Path:
    import docx

    document = docx.Document()
    document.add_heading("Warranty handbook", 0)
    document.add_heading("Kettles", 1)
    document.add_paragraph("A kettle is covered for three years.")
    table = document.add_table(rows=2, cols=2)
    for cell, text in zip([*table.rows[0].cells, *table.rows[1].cells], ["Part", "Years", "Lid", "2"], strict=True):
        cell.text = text
    document.add_heading("Toasters", 1)
    document.add_paragraph("A toaster is covered for one year.")
    document.save(str(path))
    return path


def make_pptx(path: Path) -> Path:
    import pptx

    show = pptx.Presentation()
    for title, body in (("Opening", "Welcome to the plant."), ("Safety", "Wear goggles at station four.")):
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = body
    slide.notes_slide.notes_text_frame.text = "Show the video."
    show.save(str(path))
    return path


def make_xlsx(path: Path) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Prices"
    for row in (["Item", "Price", "Since"], ["Kettle", 29.0, None], ["Toaster", 34.5, "May"]):
        sheet.append(row)
    book.create_sheet("Secret").append(["hidden words", "here"])
    book["Secret"].sheet_state = "hidden"
    book.save(path)
    return path


def make_epub(
    path: Path, chapters: Sequence[str] = ("<h1>The Start</h1><p>It rained.</p>", "<h1>The End</h1><p>It dried.</p>")
) -> Path:
    items = "".join(
        f'<item id="c{n}" href="text/c{n}.xhtml" media-type="application/xhtml+xml"/>' for n in range(len(chapters))
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>Weather Book</dc:title></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", "application/epub+zip")
        book.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="OEBPS/b.opf"/></rootfiles></container>',
        )
        book.writestr("OEBPS/b.opf", package)
        for number, text in enumerate(chapters):
            page = f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body>{text}</body></html>'
            book.writestr(f"OEBPS/text/c{number}.xhtml", page)
    return path


SPACE = "urn:oasis:names:tc:opendocument:xmlns"
SPACES = " ".join(
    f'xmlns:{short}="{SPACE}:{name}:1.0"'
    for short, name in {
        "office": "office",
        "text": "text",
        "table": "table",
        "draw": "drawing",
        "presentation": "presentation",
    }.items()
)


def make_open_document(path: Path, body: str, kind: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        manifest = f'<manifest:manifest xmlns:manifest="{SPACE}:manifest:1.0"></manifest:manifest>'
        archive.writestr("META-INF/manifest.xml", manifest)
        content = f"<office:document-content {SPACES}><office:body>{body}</office:body></office:document-content>"
        archive.writestr("content.xml", content)
    return path


def make_odt(path: Path) -> Path:
    body = '<text:h text:outline-level="2">Storage</text:h><text:p>Keep it dry.</text:p>'
    return make_open_document(path, body, "text")


def make_odp(path: Path) -> Path:
    slides = "".join(
        f'<draw:page><draw:frame presentation:class="title"><text:p>{title}</text:p></draw:frame>'
        f"<draw:frame><text:p>{body}</text:p></draw:frame>"
        f"<presentation:notes><text:p>{notes}</text:p></presentation:notes></draw:page>"
        for title, body, notes in (("Opening", "Welcome.", "Smile."), ("Safety", "Wear goggles.", "Show the video."))
    )
    return make_open_document(path, f"<office:presentation>{slides}</office:presentation>", "presentation")


def make_ods(path: Path) -> Path:
    def cell(value: str) -> str:
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    rows = "".join(
        f"<table:table-row>{cell(one)}{cell(two)}</table:table-row>"
        for one, two in (("Item", "Price"), ("Kettle", "29"), ("Toaster", "34"))
    )
    sheet = f'<office:spreadsheet><table:table table:name="Prices">{rows}</table:table></office:spreadsheet>'
    return make_open_document(path, sheet, "spreadsheet")


def copied(name: str) -> Callable[[Path], object]:
    """A file that no library here can write: made once and kept beside the tests."""
    return lambda path: shutil.copyfile(Path(__file__).parent / "files" / name, path)


def make_zip_bomb(path: Path) -> Path:
    """A Word file whose text would unpack to 300 MB."""
    archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
    with archive, archive.open("word/document.xml", "w", force_zip64=True) as entry:
        for _ in range(300):
            entry.write(b" " * 2**20)
    return path


def make_notebook(path: Path) -> Path:
    cells = [
        {"cell_type": "markdown", "source": ["# Survey\n", "Two groups were asked."]},
        {"cell_type": "code", "source": "print(40 + 2)", "outputs": [{"text": ["42\n"]}]},
    ]
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}))
    return path


MAIL = """From: Ada <ada@example.org>
To: Ben <ben@example.org>
Subject: Delivery of the pumps
Date: Mon, 3 Mar 2025 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

The pumps arrive on Thursday in Zürich.
--b
Content-Type: application/pdf
Content-Disposition: attachment; filename="bill.pdf"

x
--b--
"""
MAILBOX = f"""From ada@example.org Mon Mar  3 10:00:00 2025
{MAIL}
From ben@example.org Tue Mar  4 08:00:00 2025
From: Ben <ben@example.org>
Subject: Re: Delivery

I shall keep the gate open.
>From eight on.
"""
PAGE = """<html><head><title>Care guide</title><script>evil()</script></head><body><nav>Home About</nav>
<h1>Care guide</h1><p>Read <b>this</b> first.</p><h2>Cleaning</h2><p>Use vinegar.</p><ul><li>Rinse</li><li>Dry</li></ul>
<table><tr><th>Part</th><th>Cycle</th></tr><tr><td>Filter</td><td>monthly</td></tr></table></body></html>"""
