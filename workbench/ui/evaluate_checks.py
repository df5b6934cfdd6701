"""Checks as a person writes them in one cell: ``contains: 36 months | three years; max_words: 60``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QCoreApplication

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
        said = QCoreApplication.translate("checks", "A case needs at least one check, such as  {0}")
        raise BadSuite(said.format("contains: 36 months | three years"))
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
    from workbench.evaluation.checks import check_fault

    name, colon, rest = part.partition(":")
    name, rest = name.strip(), rest.strip()
    if name not in KNOWN:
        said = QCoreApplication.translate("checks", '"{0}" is no check: use one of {1}.')
        raise BadSuite(said.format(name, ", ".join(KNOWN)))
    value = _read_value(name, rest)
    fault = check_fault(name, value)
    if fault:
        raise BadSuite(f"{name}: {fault}")
    return {name: value}


def _read_value(name: str, rest: str) -> Any:
    translate = QCoreApplication.translate
    if name in FLAGS:
        if rest not in ("", "true", "false"):
            raise BadSuite(translate("checks", "{0} stands alone, or with true or false.").format(name))
        return rest != "false"
    if not rest:
        raise BadSuite(translate("checks", "{0} needs a value after the colon.").format(name))
    if name in LISTS:
        return _read_list(rest)
    if name in TEXTS:
        return _read_text(rest)
    try:
        return json.loads(rest)
    except ValueError as error:
        number = translate("checks", "{0} needs a whole number after the colon.")
        braces = translate("checks", "{0} needs JSON in braces after the colon.")
        raise BadSuite((number if name == "max_words" else braces).format(name)) from error


def _read_list(rest: str) -> list[Any]:
    if rest.startswith("["):
        try:
            found = json.loads(rest)
        except ValueError as error:
            said = QCoreApplication.translate(
                "checks", "The list {0} is not valid JSON: write its texts with | between them."
            )
            raise BadSuite(said.format(rest)) from error
        return found if isinstance(found, list) else [found]
    return [_read_text(each) for each in _split(rest, "|")]


def _read_text(text: str) -> str:
    text = text.strip()
    if text.startswith('"'):
        try:
            return str(json.loads(text))
        except ValueError as error:
            said = QCoreApplication.translate("checks", "{0} begins with a quotation mark and does not end with one.")
            raise BadSuite(said.format(text)) from error
    return text
