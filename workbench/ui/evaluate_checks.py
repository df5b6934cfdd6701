"""Checks as a person writes them in one cell: ``contains: 36 months | three years; max_words: 60``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from workbench.errors import BadSuite

LISTS = ("contains", "contains_all", "one_of")
TEXTS = ("equals", "regex", "cites")
FLAGS = ("json", "refuses")
OBJECTS = ("json_schema", "json_equals", "similar")
KNOWN = (*LISTS, *TEXTS, *FLAGS, *OBJECTS, "max_words")

_PLAIN = re.compile(r"^[^;|\[\]{}\"']+$")  # a text that needs no quotes


def write_checks(checks: Sequence[dict[str, Any]]) -> str:
    """Checks as one line; `read_checks` gives back the same checks."""
    return "; ".join(_write_one(name, value) for check in checks for name, value in check.items())


def _write_one(name: str, value: Any) -> str:
    if value is True:
        return name
    if name in LISTS:
        return f"{name}: " + " | ".join(_write_text(each) for each in value)
    if name in TEXTS:
        return f"{name}: {_write_text(value)}"
    return f"{name}: {json.dumps(value, ensure_ascii=False)}"


def _write_text(text: Any) -> str:
    plain = isinstance(text, str) and _PLAIN.match(text) and text == text.strip() and not _looks_like_json(text)
    return str(text) if plain else json.dumps(text, ensure_ascii=False)


def _looks_like_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def read_checks(text: str) -> tuple[dict[str, Any], ...]:
    """Checks from one line. Raises BadSuite with a sentence that says how to mend it."""
    checks = tuple(_read_one(part) for part in _split(text, ";") if part.strip())
    if not checks:
        raise BadSuite("A case needs at least one check, such as  contains: 36 months | three years")
    return checks


def _split(text: str, mark: str) -> list[str]:
    """Split at a mark that is in no quotes and in no brackets."""
    parts, depth, quoted, skip = [""], 0, False, False
    for letter in text:
        if skip:
            skip = False
        elif quoted:
            skip, quoted = letter == "\\", letter != '"'
        elif letter == '"':
            quoted = True
        elif letter in "[{":
            depth += 1
        elif letter in "]}":
            depth -= 1
        elif letter == mark and depth == 0:
            parts.append("")
            continue
        parts[-1] += letter
    return parts


def _read_one(part: str) -> dict[str, Any]:
    name, colon, rest = part.partition(":")
    name, rest = name.strip(), rest.strip()
    if name not in KNOWN:
        raise BadSuite(f'"{name}" is no check: use one of {", ".join(KNOWN)}.')
    if name in FLAGS:
        if rest not in ("", "true"):
            raise BadSuite(f"{name} stands alone, without a value.")
        return {name: True}
    if not rest:
        raise BadSuite(f"{name} needs a value after the colon.")
    if name in LISTS:
        return {name: _read_list(rest)}
    if name in TEXTS:
        return {name: _checked_text(name, _read_text(rest))}
    return {name: _read_value(name, rest)}


def _read_list(rest: str) -> list[Any]:
    if rest.startswith("["):
        try:
            found = json.loads(rest)
        except ValueError as error:
            raise BadSuite(f"The list {rest} is not valid JSON: write its texts with | between them instead.") from error
        return found if isinstance(found, list) else [found]
    found = [_read_text(each) for each in _split(rest, "|")]
    if not all(found):
        raise BadSuite("There is nothing between two | signs, and an empty text is in every answer.")
    return found


def _read_text(text: str) -> str:
    text = text.strip()
    if text.startswith('"'):
        try:
            return str(json.loads(text))
        except ValueError as error:
            raise BadSuite(f"{text} begins with a quotation mark and does not end with one.") from error
    return text


def _checked_text(name: str, text: str) -> str:
    if name == "regex":
        try:
            re.compile(text)
        except re.error as error:
            raise BadSuite(f"The pattern {text} cannot be read: {error}.") from error
    return text


def _read_value(name: str, rest: str) -> Any:
    try:
        value = json.loads(rest)
    except ValueError as error:
        wanted = "a whole number" if name == "max_words" else "JSON in { }"
        raise BadSuite(f"{name} needs {wanted} after the colon.") from error
    if name == "max_words" and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        raise BadSuite("max_words needs a whole number of at least 1.")
    if name in OBJECTS and not isinstance(value, dict):
        raise BadSuite(f"{name} needs JSON in braces.")
    if name == "similar" and not {"to", "at_least"} <= set(value):
        raise BadSuite('similar needs "to" and "at_least", such as  similar: {"to": "Two years", "at_least": 0.7}')
    return value
