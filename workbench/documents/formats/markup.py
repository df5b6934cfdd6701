"""Text with headings: Markdown, reStructuredText, AsciiDoc, RTF, notebooks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from workbench.documents.document import Draft, Part
from workbench.documents.formats.plain import clean, decode
from workbench.errors import BadDocument

ARROW = " › "  # between the steps of a heading path
_ATX = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_ADORNMENT = re.compile(r"^([=\-~^\"'`#*+.:_])\1{2,}\s*$")
_ASCIIDOC = re.compile(r"^(={1,6})\s+(\S.*?)\s*$")


class Outline:
    """The headings that are open at a place in a document."""

    def __init__(self) -> None:
        self.title = ""
        self._open: list[tuple[int, str]] = []

    def enter(self, level: int, heading: str) -> None:
        """A heading begins: those of its level and deeper end. The first of all, at level 1, is the title."""
        self._open = [each for each in self._open if each[0] < level]
        if level == 1 and not self.title:
            self.title = heading
        else:
            self._open.append((level, heading))

    @property
    def path(self) -> str:
        """The open headings below the title, outermost first."""
        return ARROW.join(text for _, text in self._open if text)


Heading = tuple[int, int, str]  # line (0-based), level (1 is the highest), text


def cut_at_headings(text: str, headings: list[Heading], front_title: str = "", skipped_lines: int = 0) -> Draft:
    """A section per heading, the heading's own lines included, so that the text stays whole."""
    lines = text.split("\n")
    outline = Outline()
    outline.title = front_title
    marks = [(skipped_lines, 0, ""), *headings]
    parts: list[Part] = []
    begin = skipped_lines
    for mark, following in zip(marks, [*marks[1:], (len(lines), 0, "")], strict=True):
        if mark[1]:
            outline.enter(mark[1], mark[2])
        if 0 < mark[1] < following[1] and len(_words_of(lines[mark[0] : following[0]])) <= len(mark[2].split()):
            continue  # a heading with nothing below it but deeper headings: its line goes with the first of them
        parts.append(_trimmed("\n".join(lines[begin : following[0]]), outline, begin + 1))
        begin = following[0]
    return Draft(tuple(parts), outline.title)


def _words_of(lines: list[str]) -> list[str]:
    return [word for line in lines for word in line.split() if any(each.isalnum() for each in word)]


def _trimmed(body: str, outline: Outline, first_line: int) -> Part:
    """A part without the blank lines around it; located by its heading, or by line where it has none."""
    kept = body.lstrip("\n")
    first_line += len(body) - len(kept)
    where = outline.path or outline.title
    return Part(kept.rstrip(), where, outline.path, first_line=0 if where else first_line)


def read_markdown(path: Path) -> Draft:
    """Markdown: headings of both kinds, none inside fenced code; YAML front matter only names the title."""
    return markdown_draft(decode(path.read_bytes()))


def markdown_draft(text: str) -> Draft:
    """The same for a text."""
    lines = text.split("\n")
    start, title = _front_matter(lines)
    headings: list[Heading] = []
    fence = ""
    for number in range(start, len(lines)):
        line = lines[number]
        mark = _FENCE.match(line)
        if mark:
            if not fence:
                fence = mark.group(1)
            elif mark.group(1).startswith(fence):
                fence = ""
        elif not fence:
            heading = _markdown_heading(lines, number, start)
            if heading:
                headings.append(heading)
    return cut_at_headings(text, headings, title, start)


def _front_matter(lines: list[str]) -> tuple[int, str]:
    """How many lines the front matter takes, and the title it names."""
    if not lines or lines[0].strip() != "---":
        return 0, ""
    for number, line in enumerate(lines[1:200], start=1):
        if line.strip() in ("---", "..."):
            named = [re.match(r"title\s*:\s*(.+)", each, re.IGNORECASE) for each in lines[1:number]]
            return number + 1, next((each.group(1).strip(" \"'") for each in named if each), "")
    return 0, ""


def _markdown_heading(lines: list[str], number: int, start: int) -> Heading | None:
    found = _ATX.match(lines[number])
    if found:
        return number, len(found.group(1)), _plain_heading(found.group(2))
    after = lines[number + 1] if number + 1 < len(lines) else ""
    before = lines[number - 1].strip() if number > start else ""
    here = lines[number].strip()
    if here and not before and re.match(r"^(=+|-{2,})\s*$", after) and not re.match(r"^[-=>|*+\d]", here):
        return number, 1 if after.startswith("=") else 2, _plain_heading(here)
    return None


def _plain_heading(text: str) -> str:
    """A heading without emphasis, links and anchors."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\s*\{#[^}]*\}\s*$", "", text)
    return re.sub(r"[*`]|(?<!\w)_|_(?!\w)", "", text).strip()


def read_restructured(path: Path) -> Draft:
    """reStructuredText: a line over or between adornments is a heading; their order of appearance gives the level."""
    text = decode(path.read_bytes())
    lines = text.split("\n")
    styles: list[str] = []
    headings: list[Heading] = []
    for number in range(len(lines) - 1):
        words, under = lines[number], lines[number + 1]
        mark = _ADORNMENT.match(under)
        if not mark or not words.strip() or _ADORNMENT.match(words) or len(under.rstrip()) < len(words.rstrip()):
            continue
        over = lines[number - 1] if number else ""
        boxed = bool(_ADORNMENT.match(over)) and over.strip()[:1] == mark.group(1)
        if not boxed and over.strip():
            continue
        style = mark.group(1) + ("2" if boxed else "")
        if style not in styles:
            styles.append(style)
        headings.append((number - 1 if boxed else number, styles.index(style) + 1, words.strip()))
    return cut_at_headings(text, headings)


def read_asciidoc(path: Path) -> Draft:
    """AsciiDoc: lines that begin with one to six equals signs, outside listing blocks."""
    text = decode(path.read_bytes())
    headings: list[Heading] = []
    block = ""
    for number, line in enumerate(text.split("\n")):
        if re.match(r"^(-{4,}|={4,}|\.{4,}|\*{4,}|_{4,})\s*$", line):
            block = "" if block == line.strip() else block or line.strip()
        found = None if block else _ASCIIDOC.match(line)
        if found:
            headings.append((number, len(found.group(1)), found.group(2)))
    return cut_at_headings(text, headings)


def read_rtf(path: Path) -> Draft:
    """Rich text, without its formatting."""
    from striprtf import striprtf

    to_text: Any = striprtf.rtf_to_text  # the package has no types
    source = path.read_bytes().decode("latin-1")  # RTF is ASCII with escapes
    if not source.lstrip().startswith("{\\rtf"):
        raise BadDocument("it is no rich text file, whatever its name says")
    return Draft((Part(clean(to_text(source, errors="replace")), first_line=1),))


def read_notebook(path: Path) -> Draft:
    """A Jupyter notebook: a section per cell, with the headings of its text cells and the text it printed."""
    try:
        cells = json.loads(decode(path.read_bytes()))["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadDocument("it is no notebook that can be read (broken JSON)") from error
    outline = Outline()
    parts = []
    for number, cell in enumerate(cells, start=1):
        source = clean(_joined(cell.get("source", "")))
        if cell.get("cell_type") == "markdown":
            for line in source.split("\n"):
                found = _ATX.match(line)
                if found:
                    outline.enter(len(found.group(1)), _plain_heading(found.group(2)))
        text = "\n".join(each for each in (source, _outputs(cell)) if each.strip())
        parts.append(Part(text, f"cell {number}", outline.path))
    return Draft(tuple(parts), outline.title)


def _joined(source: Any) -> str:
    return "".join(str(each) for each in source) if isinstance(source, list) else str(source)


def _outputs(cell: dict[str, Any]) -> str:
    """What a cell printed, as text; long output is cut, for it is seldom what is looked for."""
    found = []
    for output in cell.get("outputs", []):
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        found.append(clean(_joined(text))[:2000])
    return "\n".join(found)
