"""HTML, and what holds HTML: e-books."""

from __future__ import annotations

import posixpath
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from workbench.documents.document import Draft, Part
from workbench.documents.formats.markup import ARROW, Outline
from workbench.documents.formats.plain import clean
from workbench.documents.formats.tables import table_parts
from workbench.documents.formats.zipped import check_archive, read_entry
from workbench.errors import BadDocument

if TYPE_CHECKING:
    from bs4.element import Tag

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
REMOVED = ("script", "style", "noscript", "template", "svg", "nav", "iframe", "object", "head")
BLOCKS = frozenset(
    [*HEADINGS, "body", "html"]
    + "p div li ul ol dl dt dd blockquote pre table tr section article header footer main aside figure".split()
    + "figcaption address details summary form fieldset hr".split()
)


def read_html(path: Path) -> Draft:
    """A web page: a section per heading, table rows that explain themselves, no scripts or menus."""
    return html_draft(path.read_bytes())


def html_draft(source: bytes | str) -> Draft:
    """The same for a page's source; its own declaration of the encoding counts."""
    import warnings

    from bs4 import BeautifulSoup, XMLParsedAsHTMLWarning

    warnings.filterwarnings("ignore", category=XMLParsedAsHTMLWarning)  # chapters of e-books are XHTML, and read well
    soup = BeautifulSoup(source, "lxml")
    title = _squeezed(soup.title.get_text()) if soup.title else ""
    for tag in soup.find_all(REMOVED):
        tag.decompose()
    outline = Outline()
    parts = _walk(soup, outline)
    return Draft(tuple(parts), title or outline.title)


def _walk(soup: Any, outline: Outline) -> list[Part]:
    """Go through the page in reading order, without recursion: hostile pages nest thousands deep."""
    from bs4.element import NavigableString, PreformattedString, Tag

    parts: list[Part] = []
    lines: list[str] = []
    block: Any = None
    inside: Any = None  # the table being passed over, its rows already written

    def flush() -> None:
        text = "\n\n".join(each for each in (_squeezed(line) for line in lines) if each)
        if text:
            parts.append(Part(text, outline.path or outline.title, outline.path))
        lines.clear()

    for node in soup.descendants:
        if isinstance(node, Tag):
            if node.name in HEADINGS and inside is None:
                flush()
                outline.enter(int(node.name[1]), _squeezed(node.get_text(" ")))
                block = None
            elif node.name == "table" and node.find("table") is None:
                lines += [part.text for part in _table(node)]
                inside = node
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString):
            nearest = next((each for each in node.parents if each.name in BLOCKS), None)
            if inside is not None:
                if any(each is inside for each in node.parents):
                    continue
                inside = None
            if nearest is block and lines:
                lines[-1] += str(node)
            else:
                lines.append(str(node))
                block = nearest
    flush()
    return parts


def _table(table: Tag) -> list[Part]:
    """A table's rows; cells in their order, spans not unfolded."""
    rows = [[_squeezed(cell.get_text(" ")) for cell in row.find_all(["td", "th"])] for row in table.find_all("tr")]
    return table_parts(enumerate(rows, start=1))


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", clean(text)).strip()


def read_epub(path: Path) -> Draft:
    """An e-book: its chapters in reading order, found through its package file (EPUB 3.3, section 3)."""
    check_archive(path)
    with zipfile.ZipFile(path) as archive:
        if "META-INF/encryption.xml" in archive.namelist() and "META-INF/rights.xml" in archive.namelist():
            raise BadDocument("the book is locked by its seller (DRM)")
        package = _package_name(archive)
        title, chapters = _spine(archive, package)
        parts: list[Part] = []
        for number, name in enumerate(chapters, start=1):
            parts += _chapter(read_entry(archive, name), number)
    return Draft(tuple(parts), title)


def _xml(data: bytes) -> Any:
    from defusedxml.ElementTree import fromstring

    try:
        return fromstring(data)
    except Exception as error:  # a parse error, or an entity defusedxml refuses
        raise BadDocument("the book's table of contents cannot be read") from error


def _package_name(archive: zipfile.ZipFile) -> str:
    container = _xml(read_entry(archive, "META-INF/container.xml"))
    for element in container.iter():
        if element.tag.endswith("rootfile"):
            return str(element.get("full-path", ""))
    raise BadDocument("the file is damaged: the book does not say where it begins")


def _spine(archive: zipfile.ZipFile, package: str) -> tuple[str, list[str]]:
    """The book's title and the archive names of its chapters in reading order."""
    root = _xml(read_entry(archive, package))
    base = posixpath.dirname(package)
    items: dict[str, str] = {}
    order: list[str] = []
    title = ""
    for element in root.iter():
        kind = element.tag.rpartition("}")[2]
        if kind == "title" and not title:
            title = _squeezed(element.text or "")
        elif kind == "item" and "nav" not in element.get("properties", "").split():
            items[element.get("id", "")] = posixpath.normpath(posixpath.join(base, unquote(element.get("href", ""))))
        elif kind == "itemref":
            order.append(element.get("idref", ""))
    return title, [items[each] for each in order if each in items]


def _chapter(source: bytes, number: int) -> list[Part]:
    draft = html_draft(source)
    heading = next((part.location for part in draft.parts if part.location), "")
    name = f"chapter {number}" + (f": {heading.split(ARROW)[0]}" if heading else "")
    return [
        Part(part.text, name if part.heading in ("", heading) else f"{name}{ARROW}{part.heading}", part.location)
        for part in draft.parts
    ]
