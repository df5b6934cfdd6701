"""A training file becomes rows: bytes to text, text to JSON objects or table records; what a row means is shapes.py's.

Nothing is guessed silently: the container and encoding that were recognised are said, and a row that cannot be read is
handed on with its number and the reason.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from workbench.errors import BadDataset, MissingFile

# Columns a table must have at least one of; they also settle which character separates its columns.
KNOWN_COLUMNS = frozenset(
    {"messages", "conversations", "instruction", "prompt", "question", "input", "query", "text", "source"}
)

SEPARATORS = {",": "CSV", "\t": "TSV", ";": "CSV with semicolons"}
LONGEST_CELL = 1 << 27  # 128 MB: the csv module's own limit of 128 kB refuses long documents in a cell
SAY_WHICH = "Say which of them hold questions and answers: --columns question=NAME,answer=NAME."
LARGEST_FILE = 2 << 30  # bytes; a file is read whole, and a training file beyond this is a mistake more often than not


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as the file has it."""

    number: int  # 1-based: the line of a JSON-lines file, the record of a table, the element of a JSON list
    value: dict[str, Any]  # empty when `fault` is set
    fault: str = ""  # why the row cannot be read, in plain words


@dataclass(frozen=True, slots=True)
class RawFile:
    """A training file, read."""

    container: str  # "JSON lines, UTF-8", "CSV, UTF-16", "Parquet"
    rows: tuple[RawRow, ...]
    columns: tuple[str, ...] = ()  # of a table: its header as it is written; rows have these names in small letters


def read_file(path: Path, known: frozenset[str] | None = None) -> RawFile:
    """Read a training file of any kind known here.

    With `known` (names in small letters, of columns a person named; may be empty) a table may have any header.
    Raises MissingFile when it is not there, BadDataset (one sentence) when nothing in it can be read as rows.
    """
    if not path.is_file():
        raise MissingFile(f"The training file {path} is not there.")
    if path.stat().st_size > LARGEST_FILE:
        raise BadDataset(f"{path.name} is larger than 2 GB: split it, or keep the rows that matter.")
    content = path.read_bytes()
    if content[:4] == b"PAR1":
        return _read_parquet(path)
    text, encoding = decode(content, path.name)
    start = text.lstrip()[:1]
    if not start:
        raise BadDataset(f"{path.name} is empty: there is nothing to train on.")
    if path.suffix.lower() not in (".csv", ".tsv") and start in "{[":
        container, rows = _read_json(text, path.name, known)
        return RawFile(f"{container}, {encoding}", tuple(rows))
    separator = find_separator(text, path.name, known)
    columns = _header(text, separator)
    rows = _read_records(text, separator, [each.lower() for each in columns])
    return RawFile(f"{SEPARATORS[separator]}, {encoding}", tuple(rows), tuple(columns))


def decode(content: bytes, name: str) -> tuple[str, str]:
    """The text and the name of its encoding: UTF-8 with or without BOM, UTF-16 with or without BOM.

    Bytes that are no UTF-8 become the replacement character U+FFFD, which `_row_fault` reports with the row's number.
    Raises BadDataset when the file as a whole is something else.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _decode_wide(content, "utf-16", name), "UTF-16"
    head = content[:4096]
    if len(head) > 3 and head.count(0) * 3 > len(head):  # plain text in UTF-16 has a zero in every second byte
        order = "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"
        return _decode_wide(content, order, name), "UTF-16 without BOM"
    label = "UTF-8 with BOM" if content[:3] == b"\xef\xbb\xbf" else "UTF-8"
    content = content.removeprefix(b"\xef\xbb\xbf")
    if 0 in head:
        raise BadDataset(f"{name} is not a text file: save it as JSON lines, CSV or Parquet.")
    return content.decode("utf-8", errors="replace"), label


def _decode_wide(content: bytes, encoding: str, name: str) -> str:
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadDataset(
            f"{name} looks like UTF-16 but is damaged at byte {error.start}: save it again as UTF-8."
        ) from error


def _read_json(text: str, name: str, known: frozenset[str] | None) -> tuple[str, list[RawRow]]:
    """A JSON list, a JSON object that holds one list, or JSON lines."""
    try:
        value = _parse(text)
    except ValueError as error:
        if text.lstrip().startswith("["):
            return _read_damaged_list(text, name, error)
        return "JSON lines", _read_json_lines(text)
    if isinstance(value, dict) and (rows := _columns(value, known)):
        return "JSON of columns", rows
    if isinstance(value, dict):
        lists = [key for key, each in value.items() if isinstance(each, list) and each and isinstance(each[0], dict)]
        if len(lists) == 1 and lists[0] not in ("messages", "conversations", "passages", "prompt", "completion"):
            return f"JSON object with rows in {lists[0]!r}", _number(value[lists[0]])
        return ("JSON lines" if "\n" not in text.strip() else "one JSON object"), _number([value])
    if isinstance(value, list):
        return "JSON list", _number(value)
    raise BadDataset(f"{name} holds a single JSON value and no rows: a training file is a list of objects.")


def _columns(value: dict[str, Any], known: frozenset[str] | None) -> list[RawRow]:
    """The rows of an object that holds a list of equal length for each field; none where it is not that."""
    named = known is not None or KNOWN_COLUMNS & set(value)
    if not named or not all(isinstance(each, list) for each in value.values()):
        return []
    lengths = {len(each) for each in value.values()}
    texts = all(isinstance(cell, str) for each in value.values() for cell in each)
    if len(value) < 2 or len(lengths) != 1 or not texts:
        return []
    return _number([dict(zip(value, cells, strict=True)) for cells in zip(*value.values(), strict=True)])


def _read_damaged_list(text: str, name: str, error: ValueError) -> tuple[str, list[RawRow]]:
    """A JSON list that does not parse as a whole: its elements are read one by one as far as they go."""
    decoder, position = json.JSONDecoder(object_pairs_hook=_unique), text.index("[") + 1
    rows: list[RawRow] = []
    while True:
        while position < len(text) and text[position] in " \t\r\n,":
            position += 1
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            break
        rows += _number([value], first=len(rows) + 1)
    if not rows:
        raise BadDataset(f"{name} is not valid JSON: {_reason(error)}.") from error
    rows.append(
        RawRow(len(rows) + 1, {}, f"the JSON list is damaged here and nothing after it was read: {_reason(error)}")
    )
    return "JSON list (damaged)", rows


def _read_json_lines(text: str) -> list[RawRow]:
    """A row a line. Lines may end as on old Macs, and with the comma they had in a list: neither can mean more."""
    rows = []
    for number, line in enumerate(split_lines(text), start=1):
        if not line.strip():
            continue
        try:
            rows += _number([_parse(line.strip().removesuffix(","))], first=number)
        except ValueError as error:
            rows.append(RawRow(number, {}, f"the line is not valid JSON: {_reason(error)}"))
    return rows


def split_lines(text: str) -> list[str]:
    """The lines of JSON lines, blank ones too: a row's number is its line's."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")  # a text in JSON has no line end of its own
    return lines.split("\n")  # not splitlines: U+2028 may stand inside a JSON text


def holds_lines(text: str) -> bool:
    """Whether a text is JSON lines, more than one: no list, and no one object over several lines."""
    start = text.lstrip()
    if not start.startswith("{"):
        return False
    try:
        _, end = json.JSONDecoder().raw_decode(start)
    except (ValueError, RecursionError):
        return "\n" in start.strip() or "\r" in start.strip()
    return bool(start[end:].strip(" \t\r\n,"))


def _parse(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; a field given twice is a mistake that the standard parser would hide."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [key for key, _ in pairs]
        raise ValueError(f"the field {next(key for key in names if names.count(key) > 1)!r} is given twice")
    return found


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg[:1].lower()}{error.msg[1:]} (line {error.lineno}, character {error.colno})"
    return str(error)


def _number(values: list[Any], first: int = 1) -> list[RawRow]:
    return [_row(number, value) for number, value in enumerate(values, start=first)]


def _row(number: int, value: Any) -> RawRow:
    if not isinstance(value, dict):
        return RawRow(number, {}, f"the row is {kind_of(value)}, not an object with named fields")
    if has_damaged_text(value):
        return RawRow(number, {}, "the row has bytes that are not valid UTF-8: save the file again as UTF-8")
    return RawRow(number, value)


def has_damaged_text(value: Any) -> bool:
    """Whether a text inside holds U+FFFD, which stands for bytes that could not be decoded, or half a surrogate."""
    if isinstance(value, str):
        return "\ufffd" in value or any("\ud800" <= each <= "\udfff" for each in value)
    if isinstance(value, dict):
        return any(has_damaged_text(each) for each in value.values())
    return isinstance(value, list) and any(has_damaged_text(each) for each in value)


def kind_of(value: Any) -> str:
    """What a JSON value is, in plain words."""
    if value is None:
        return "empty (null)"
    if isinstance(value, bool):
        return "true or false"
    names = {str: "text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return names.get(type(value), type(value).__name__)


def find_separator(text: str, name: str, known: frozenset[str] | None = None) -> str:
    """What separates the columns of a table with a header: the character by which it has columns of known names.

    Where a person names the columns (`known`) and none of them is there, the likeliest is taken, so that it can be said
    which there are; in a file that nobody spoke of, that is an error and not a guess. Raises BadDataset.
    """
    wanted = KNOWN_COLUMNS if known is None else known
    for separator in SEPARATORS:
        if wanted & {each.lower() for each in _header(text, separator)}:
            return separator
    likely = max(SEPARATORS, key=lambda separator: _evenness(text, separator))
    if known is not None:
        return likely
    columns = _header(text, likely)
    if len(columns) > 1 and _evenness(text, likely)[0] > 0.5:
        raise BadDataset(
            f"{name} is none of the known training files: its columns are {', '.join(columns)}. {SAY_WHICH}"
        )
    raise BadDataset(
        f"{name} is none of the known training files: it needs JSON rows, or a header line with columns such as "
        "prompt and completion, instruction and output, or question and answer."
    )


def _header(text: str, separator: str) -> list[str]:
    line = text.lstrip("\r\n").split("\n", 1)[0]
    return [each.strip() for each in next(csv.reader([line], delimiter=separator), [])]


def _evenness(text: str, separator: str, most: int = 20) -> tuple[float, int]:
    """How like a table the text is with a separator: the share of its first records that have a cell for each of at
    least two columns; and how many columns."""
    csv.field_size_limit(LONGEST_CELL)
    columns = len(_header(text, separator))
    records = csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=separator)
    try:
        first = [len(cells) for cells in islice(records, 1, most + 1) if cells]
    except csv.Error:
        return 0.0, columns
    return (first.count(columns) / len(first) if first and columns > 1 else 0.0), columns


def _read_records(text: str, separator: str, columns: list[str]) -> list[RawRow]:
    csv.field_size_limit(LONGEST_CELL)
    repeated = {each for each in columns if columns.count(each) > 1}
    if repeated:
        raise BadDataset(f"The header names the column {sorted(repeated)[0]!r} twice: rename one of them.")
    rows: list[RawRow] = []
    number = 0
    records = csv.reader(io.StringIO(text.lstrip("\r\n"), newline=""), delimiter=separator)
    next(records)
    while True:
        number += 1
        try:
            cells = next(records)
        except StopIteration:
            return rows
        except csv.Error as error:
            rows.append(RawRow(number, {}, f"the record cannot be read: {error}"))
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            rows.append(RawRow(number, {}, f"the record has {len(cells)} cells where the header has {len(columns)}"))
            continue
        rows.append(_row(number, dict(zip(columns, cells, strict=True))))


def _read_parquet(path: Path) -> RawFile:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
        values = table.to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise BadDataset(f"{path.name} is a damaged Parquet file: {str(error).splitlines()[0]}.") from error
    lowered = [{str(key).strip().lower(): each for key, each in value.items()} for value in values]
    return RawFile("Parquet", tuple(_number(lowered)), tuple(str(each).strip() for each in table.column_names))
