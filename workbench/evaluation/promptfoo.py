"""promptfoo's test cases (promptfoo.dev/docs/configuration) as ours; what has no counterpart is said, never guessed.

Its comparisons mind case, ours do not: `contains` and `icontains` become the same check.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workbench.errors import BadSuite
from workbench.evaluation.expected import guess_kind
from workbench.evaluation.results import slug

Plain = dict[str, Any]
Rows = Callable[[Path], list[dict[str, str]]]

QUESTIONS = ("question", "query", "prompt", "input", "message", "text", "ticket")  # variables that hold the question
LIKENESS = 0.75  # promptfoo's own threshold where a `similar` names none
_VARIABLE = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")


def read_promptfoo(plain: Plain, source: Path, read_rows: Rows) -> tuple[list[Plain], list[str]]:
    """The tests of a configuration as plain cases, with notes. Raises BadSuite where a question cannot be told."""
    notes: list[str] = []
    if plain.get("scenarios"):
        notes.append("Scenarios are not brought over: write them out as tests.")
    usual = _mapping(plain, "defaultTest")
    prompts = [each for each in plain.get("prompts") or [] if isinstance(each, str)]
    template = prompts[0] if len(prompts) == 1 and not prompts[0].startswith("file://") else ""
    cases = []
    for number, test in enumerate(_all_tests(plain.get("tests"), source, read_rows), start=1):
        merged = {**usual, **test, "vars": {**_mapping(usual, "vars"), **_mapping(test, "vars")}}
        merged["assert"] = [*(usual.get("assert") or []), *(test.get("assert") or [])]
        cases += _cases(merged, number, template, source.name, notes)
    if not cases:
        raise BadSuite(f"{source.name} holds no test that can be checked here. {' '.join(notes)}")
    return cases, list(dict.fromkeys(notes))


def _mapping(plain: Plain | None, key: str) -> Plain:
    value = (plain or {}).get(key)
    return value if isinstance(value, dict) else {}


def _all_tests(tests: Any, source: Path, read_rows: Rows) -> list[Plain]:
    """The tests, those in tables beside the configuration included."""
    found: list[Plain] = []
    for each in tests if isinstance(tests, list) else [tests]:
        if isinstance(each, dict):
            found.append(each)
        elif isinstance(each, str):
            table = source.parent / each.removeprefix("file://")
            if table.suffix.lower() not in (".csv", ".tsv") or not table.is_file():
                raise BadSuite(f"{source.name} takes tests from {each}: only tables beside it can be read, as CSV.")
            found += [row_as_test(row) for row in read_rows(table)]
    return found


def row_as_test(row: Mapping[str, str]) -> Plain:
    """A row of promptfoo's CSV: variables, and columns __expected, __expected1 … with one assertion each."""
    told = {key: cell for key, cell in row.items() if not key.startswith("__")}
    asserts = [_from_text(cell) for key, cell in row.items() if key.startswith("__expected") and cell]
    metadata = {key.removeprefix("__metadata:"): cell for key, cell in row.items() if key.startswith("__metadata:")}
    return {"vars": told, "assert": asserts, "description": row.get("__description", ""), "metadata": metadata}


def _from_text(cell: str) -> Plain:
    """ "contains-any: a, b" or "similar(0.8): text"; a text alone is to be equalled."""
    found = re.match(r"^((?:not-)?[a-z]+(?:-[a-z]+)*)(?:\((\d*\.?\d+)\))?(?::\s*(.*))?$", cell, re.DOTALL)
    if found is None or (
        ":" not in cell and found[1] not in ("is-json", "contains-json", "is-refusal", "not-is-refusal")
    ):
        return {"type": "equals", "value": cell}
    value: Any = found[3]
    if found[1].endswith(("-any", "-all")) and value:
        value = [part.strip() for part in value.split(",")]
    return {"type": found[1], "value": value, **({"threshold": float(found[2])} if found[2] else {})}


def _cases(test: Plain, number: int, template: str, file: str, notes: list[str]) -> list[Plain]:
    """One case, or several where the question is a list."""
    told, metadata = test["vars"], _mapping(test, "metadata")
    name = str(metadata.get("id") or slug(str(test.get("description") or ""))[:40] or f"case-{number}")
    checks = [check for each in test["assert"] if (check := _check(each, told, name, notes)) is not None]
    if not checks:
        notes.append(f"{name}: nothing of it can be checked here, so it was left out.")
        return []
    key = next((each for each in QUESTIONS if each in told), next(iter(told)) if len(told) == 1 else "")
    if not key and not template:
        raise BadSuite(
            f"{file}, test {number}: which of {', '.join(told) or 'no variables'} is the question? Name it “question”."
        )
    asked = told[key] if key else _filled(template, told)
    return [
        {
            "id": name,
            "question": str(question),
            "kind": str(metadata.get("kind") or guess_kind(checks)),
            "checks": checks,
            "source": metadata.get("source") or told.get("source"),
            "tags": ("promptfoo",),
        }
        for question in (asked if isinstance(asked, list) else [asked])
    ]


def _filled(text: str, told: Plain) -> str:
    return _VARIABLE.sub(lambda found: str(told.get(found[1], found[0])), text)


def _check(each: Any, told: Plain, name: str, notes: list[str]) -> Plain | None:
    """An assertion as one of our checks; None, with a note, where there is none."""
    if not isinstance(each, dict) or not isinstance(each.get("type"), str):
        notes.append(f"{name}: an assertion without a type was left out.")
        return None
    kind, value = each["type"], _fill_value(each.get("value"), told)
    plain = kind.replace("icontains", "contains")
    if plain == "similar" and "threshold" not in each:
        notes.append(f"{name}: “similar” names no threshold, so {LIKENESS} was taken.")
    made = _MADE.get(plain)
    check = made(value, each) if made is not None else None
    if check is None:
        notes.append(f"{name}: “{kind}” has no counterpart here and was left out.")
    return check


def _fill_value(value: Any, told: Plain) -> Any:
    if isinstance(value, str):
        return _filled(value, told)
    return [_fill_value(each, told) for each in value] if isinstance(value, list) else value


def _listed(value: Any) -> list[str]:
    parts = value if isinstance(value, list) else str(value).split(",")
    return [str(part).strip() for part in parts if str(part).strip()]


def _equals(value: Any, each: Plain) -> Plain:
    return {"json_equals": value} if isinstance(value, (dict, list)) else {"equals": str(value)}


def _is_json(value: Any, each: Plain) -> Plain:
    return {"json_schema": value} if isinstance(value, dict) else {"json": True}


def _most_words(value: Any, each: Plain) -> Plain | None:
    most = value.get("max") if isinstance(value, dict) else value
    return {"max_words": int(most)} if isinstance(most, (int, float)) else None


_MADE: dict[str, Callable[[Any, Plain], Plain | None]] = {
    "equals": _equals,
    "contains": lambda value, each: {"contains": [str(value)]},
    "contains-any": lambda value, each: {"contains": _listed(value)},
    "contains-all": lambda value, each: {"contains_all": _listed(value)},
    "not-contains": lambda value, each: {"regex": rf"(?is)\A(?!.*{re.escape(str(value))}).*\Z"},
    "starts-with": lambda value, each: {"regex": rf"\A\s*{re.escape(str(value))}"},
    "regex": lambda value, each: {"regex": str(value)},
    "is-json": _is_json,
    "not-is-json": lambda value, each: {"json": False},
    "is-refusal": lambda value, each: {"refuses": True},
    "not-is-refusal": lambda value, each: {"refuses": False},
    "similar": lambda value, each: {"similar": {"to": str(value), "at_least": float(each.get("threshold", LIKENESS))}},
    "word-count": _most_words,
}
