"""Suites from elsewhere: tables, JSON-lines, promptfoo configurations; everything that is not brought over is said."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.errors import BadSuite, MissingFile
from workbench.evaluation.checks import CHECKS
from workbench.evaluation.expected import guess_kind
from workbench.evaluation.promptfoo import QUESTIONS, Plain, read_promptfoo, row_as_test
from workbench.evaluation.records import Case, Suite
from workbench.evaluation.results import slug
from workbench.evaluation.suite import KINDS, plain_case, read_json_lines, read_plain_yaml, read_suite, write_suite

BETWEEN = "|"  # several values in one cell
ANSWERS = ("expected", "answer", "expected_answer", "expected output", "reference", "ideal")
LISTED = (*ANSWERS, "contains", "contains_all", "one_of", "tags")  # columns that may hold several values


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file held."""

    name: str
    cases: tuple[Plain, ...]  # as in a suite file
    notes: tuple[str, ...]  # what was read how, and what was left out


def import_suite(source: Path, target: Path) -> tuple[Suite, tuple[str, ...]]:
    """Write a suite made of a file of another kind; gives it with notes for people.

    Raises MissingFile, and BadSuite, naming the row, where a case cannot be made; then nothing is written.
    """
    found = read_foreign(source)
    suite = write_plain(target, found)
    return suite, found.notes


def read_foreign(source: Path) -> Imported:
    """Read a table, rows of JSON, a promptfoo configuration, or one of our own suites. Raises MissingFile, BadSuite."""
    if not source.is_file():
        raise MissingFile(f"There is no file {source}: check the name.")
    if source.suffix.lower() in (".csv", ".tsv"):
        return _read_table(source)
    if source.suffix.lower() in (".jsonl", ".ndjson"):
        rows = read_json_lines(_decode(source), source.name)
        if _are_rows(rows):
            return _read_rows([_listed_row(row) for row in rows], source, 1)
    elif source.suffix.lower() in (".yaml", ".yml", ".json"):
        plain = read_plain_yaml(source)
        if isinstance(plain, list) and _are_rows(plain):
            return _read_rows([_listed_row(row) for row in plain], source, 1)
        if isinstance(plain, dict) and ("tests" in plain or "scenarios" in plain):
            cases, notes = read_promptfoo(plain, source, read_rows)
            return _checked(source.stem, cases, notes)
    suite = read_suite(source)
    return Imported(suite.name, tuple(plain_case(case) for case in suite.cases), ())


def write_plain(target: Path, found: Imported) -> Suite:
    """Write imported cases as a suite of ours."""
    cases = tuple(Case(**{**plain, "checks": tuple(plain["checks"])}) for plain in found.cases)
    return write_suite(target, found.name, cases)


def read_rows(source: Path) -> list[dict[str, str]]:
    """The rows of a table by its header, cells stripped. Raises BadSuite for a table without rows."""
    text = _decode(source)
    header = text.split("\n", 1)[0]
    delimiter = max(("\t", ";", ","), key=header.count)
    rows = [
        {(key or "").strip(): (cell or "").strip() for key, cell in row.items() if key is not None}
        for row in csv.DictReader(io.StringIO(text), delimiter=delimiter)
    ]
    if not rows:
        raise BadSuite(f"{source.name} holds no rows under its header: add a question a row.")
    return rows


def _decode(source: Path) -> str:
    raw = source.read_bytes()
    for encoding in ("utf-8-sig", "utf-16") if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding).replace("\r\n", "\n")
        except UnicodeDecodeError:
            continue
    raise BadSuite(f"{source.name} is not text: save it as CSV in UTF-8 and try again.")


def _read_table(source: Path) -> Imported:
    rows = read_rows(source)
    if any(key.startswith("__expected") for key in rows[0]):
        return _checked(source.stem, *read_promptfoo({"tests": [row_as_test(row) for row in rows]}, source, read_rows))
    return _read_rows(rows, source, 2)


def _are_rows(rows: Sequence[Any]) -> bool:
    """Whether these are rows with a question and what to expect, as other programs write them, and no cases of ours."""
    return bool(rows) and all(isinstance(row, dict) and "checks" not in row for row in rows)


def _listed_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of JSON as one of a table: its texts are one value each, for it has lists to say that there are several."""
    return {key: [cell] if isinstance(cell, str) and _key(key) in LISTED else cell for key, cell in row.items()}


def _read_rows(rows: Sequence[Mapping[str, Any]], source: Path, first: int) -> Imported:
    """Rows as cases; `first` is what a person would call the first of them."""
    notes: list[str] = []
    numbered = enumerate(rows, start=first)
    cases = [case for number, row in numbered if (case := _row_case(row, number, source.name, number - first + 1))]
    known = {"id", "kind", "source", "tags", *QUESTIONS, *ANSWERS, *CHECKS}
    columns = dict.fromkeys(key for row in rows for key in row)
    unknown = [key for key in columns if _key(key) not in known]
    if unknown:
        notes.append(f"Columns that mean nothing here and were left out: {', '.join(unknown)}.")
    if not any(_key(key) == "kind" for key in columns):
        notes.append(_kinds_note(cases))
    return _checked(source.stem, cases, notes)


def _kinds_note(cases: list[Plain]) -> str:
    counts = ", ".join(f"{sum(case['kind'] == kind for case in cases)} {kind}" for kind in KINDS)
    return f"There is no column “kind”, so it was told from the checks: {counts}. Look them through."


def _key(column: str) -> str:
    return column.strip().casefold().replace("-", "_")


def _row_case(row: Mapping[str, Any], number: int, file: str, place: int) -> Plain | None:
    """A case as plain data; None for an empty row."""
    cells = {_key(key): cell for key, cell in row.items() if cell not in ("", None, [])}
    if not cells:
        return None
    question = next((cells[key] for key in QUESTIONS if key in cells), "")
    checks = list(_cell_checks(cells, number, file))
    if not question or not checks:
        lacking = "question" if not question else "answer to expect"
        raise BadSuite(f"{file}, row {number} has no {lacking}: fill the column in, or take the row out.")
    return {
        "id": str(cells.get("id") or f"{slug(Path(file).stem)}-{place}"),
        "question": question,
        "kind": str(cells.get("kind", "")).casefold() or guess_kind(checks),
        "checks": checks,
        "source": cells.get("source"),
        "tags": tuple(_values(cells.get("tags", ""))),
    }


def _values(cell: Any) -> list[str]:
    """What a cell holds: a list, or values with a bar between them."""
    parts = cell if isinstance(cell, list) else str(cell).split(BETWEEN)
    return [text for part in parts if (text := str(part).strip())]


def _cell_checks(cells: Mapping[str, Any], number: int, file: str) -> Iterator[dict[str, Any]]:
    for key, cell in cells.items():
        if key in ANSWERS:
            yield {"contains": _values(cell)}
        elif key in ("contains", "contains_all", "one_of"):
            yield {key: _values(cell)}
        elif key in ("equals", "regex", "cites") or (key in CHECKS and not isinstance(cell, str)):
            yield {key: cell}
        elif key in CHECKS:
            yield {key: _cell_json(cell, f"{file}, row {number}, column {key}")}


def _cell_json(cell: str, place: str) -> Any:
    """The value of a check that is no text: true, a number, or JSON."""
    try:
        return json.loads(cell.casefold() if cell.casefold() in ("true", "false") else cell)
    except ValueError as error:
        raise BadSuite(f"{place} is not JSON ({error}): write true, a number, or JSON.") from error


def _checked(name: str, cases: list[Plain], notes: list[str]) -> Imported:
    """Ids made unique, so that the suite can be written."""
    seen: dict[str, int] = {}
    unique = []
    for case in cases:
        seen[case["id"]] = seen.get(case["id"], 0) + 1
        again = seen[case["id"]]
        unique.append({**case, "id": case["id"] if again == 1 else f"{case['id']}-{again}"})
    return Imported(name, tuple(unique), tuple(notes))
