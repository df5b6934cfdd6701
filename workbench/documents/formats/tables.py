"""Rows: CSV, TSV, JSON, XML. A row is written as "header: value; ..." so that it explains itself."""

from __future__ import annotations

import csv
import datetime
import io
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from workbench.documents.document import Draft, Part
from workbench.documents.formats.plain import clean, decode
from workbench.errors import BadDocument

ROW_LIMIT = 200_000  # rows of one table; beyond it a table is a database, and is noted as cut


def cell_text(value: Any) -> str:
    """A cell for people: no trailing .0, dates without a midnight, one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return re.sub(r"\s+", " ", clean(str(value))).strip()


def table_parts(rows: Iterable[tuple[int, Sequence[Any]]], place: str = "", heading: str = "") -> list[Part]:
    """A part per row; `rows` are (number, cells), `place` goes before the row's number ("sheet Prices, ").

    The first row is taken for the header when all its filled cells are words and none appears twice.
    """
    parts: list[Part] = []
    header: list[str] | None = None
    for number, cells in rows:
        texts = [cell_text(cell) for cell in cells]
        if not any(texts):
            continue
        if header is None:
            header = _header(texts)
            if header:
                continue
        parts.append(Part(render_row(header or [], texts), f"{place}row {number}", heading, joins=bool(parts)))
    if not parts and header:
        parts.append(Part("; ".join(each for each in header if each), f"{place}row 1", heading))
    return parts


def _header(texts: list[str]) -> list[str]:
    """The cells of a header, or nothing when the row looks like data."""
    filled = [each for each in texts if each]
    words = all(re.search(r"[^\W\d_]", each) and len(each) <= 80 for each in filled)
    return texts if len(filled) > 1 and words and len(set(filled)) == len(filled) else []


def render_row(header: Sequence[str], texts: Sequence[str]) -> str:
    """One row as "header: value; ...", empty cells left out."""
    named = []
    for place, text in enumerate(texts):
        name = header[place] if place < len(header) else ""
        if text:
            named.append(f"{name}: {text}" if name else text)
    return "; ".join(named)


def read_csv(path: Path) -> Draft:
    """Comma, semicolon, tab or bar separated values."""
    text = decode(path.read_bytes())
    csv.field_size_limit(2**24)  # of characters; the module's own limit refuses what a spreadsheet exports
    try:
        separator = "\t" if path.suffix.lower() == ".tsv" else _separator(text)
        numbered = numbered_rows(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise BadDocument(f"its rows cannot be told apart ({error})") from error
    notes = (f"only the first {ROW_LIMIT:,} rows were read",) if len(numbered) == ROW_LIMIT else ()
    return Draft(tuple(table_parts(numbered)), notes=notes)


def numbered_rows(rows: Iterable[Sequence[Any]], first: int = 1) -> list[tuple[int, Sequence[Any]]]:
    """(number, cells) of each row, the first of them numbered `first`, ROW_LIMIT at most."""
    found: list[tuple[int, Sequence[Any]]] = []
    for number, cells in enumerate(rows, start=first):
        if len(found) == ROW_LIMIT:
            break
        found.append((number, cells))
    return found


def _separator(text: str) -> str:
    """The separator that cuts the first lines into the same number of cells most often."""
    lines = [line for line in text.split("\n")[:50] if line.strip()]

    def steadiness(separator: str) -> tuple[int, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=separator)]
        common = max(set(counts), key=counts.count, default=1)
        return (counts.count(common) if common > 1 else 0), common

    return max((",", ";", "\t", "|"), key=steadiness)


def read_json(path: Path) -> Draft:
    """JSON: a list of objects becomes rows, anything else lines of "path: value"."""
    text = decode(path.read_bytes())
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Draft((Part(text, first_line=1),), notes=("it is no valid JSON and was read as plain text",))
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        return Draft(tuple(_items(value, "item")))
    return Draft((Part("\n".join(_flat(value))),))


def read_json_lines(path: Path) -> Draft:
    """JSON-lines: a row per line; a broken line is kept as it is."""
    rows: list[Any] = []
    for line in decode(path.read_bytes()).split("\n")[:ROW_LIMIT]:
        try:
            rows.append(json.loads(line) if line.strip() else None)
        except ValueError:
            rows.append(line)
    return Draft(tuple(_items(rows, "line")))


def _items(values: Sequence[Any], name: str) -> list[Part]:
    rows = ((number, "; ".join(_flat(value))) for number, value in enumerate(values, start=1) if value is not None)
    return [Part(clean(text), f"{name} {number}", joins=number > 1) for number, text in rows if text]


def _flat(value: Any, name: str = "") -> list[str]:
    """Nested values as lines of "path.to.it: value"; depth is bounded by what json.loads accepts."""
    if isinstance(value, dict):
        return [line for key, each in value.items() for line in _flat(each, f"{name}.{key}" if name else str(key))]
    if isinstance(value, list) and any(isinstance(each, (dict, list)) for each in value):
        return [line for place, each in enumerate(value) for line in _flat(each, f"{name}[{place}]")]
    shown = ", ".join(cell_text(each) for each in value) if isinstance(value, list) else cell_text(value)
    return [f"{name}: {shown}" if name else shown] if shown else []


def read_xml(path: Path) -> Draft:
    """XML as lines of "tag: text"; entities that reach outside or multiply are refused."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    data = path.read_bytes()
    try:
        root: Element = fromstring(data)
    except DefusedXmlException as error:
        raise BadDocument("it defines XML entities, which are not read because they can be used to do harm") from error
    except ParseError:
        return Draft((Part(decode(data), first_line=1),), notes=("it is no valid XML and was read as plain text",))
    lines = []
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        text = " ".join(each.strip() for each in [element.text or "", *(child.tail or "" for child in element)])
        values = [f"{key.rpartition('}')[2]}={value}" for key, value in element.attrib.items()]
        shown = "; ".join(each for each in [text.strip(), *values] if each)
        if shown:
            lines.append(f"{name}: {cell_text(shown)}")
    return Draft((Part("\n".join(lines)),))
