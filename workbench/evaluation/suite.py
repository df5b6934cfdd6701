"""Cases: a question, its kind, the checks its answer must pass; read from and written to YAML or JSON-lines."""

from __future__ import annotations

import contextlib
import difflib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from workbench import records
from workbench.errors import BadSuite, MissingFile, WorkbenchError
from workbench.evaluation.checks import CHECKS, check_fault
from workbench.evaluation.records import Case, Suite
from workbench.project import Project

KINDS = ("fact", "behaviour", "unanswerable")
FIELDS = ("id", "question", "kind", "source", "checks", "tags")
SUFFIXES = (".yaml", ".yml", ".json", ".jsonl", ".ndjson")
LARGEST = 32 * 2**20  # bytes; a suite is tens of kilobytes, anything near this is another kind of file


class _PlainLoader(yaml.SafeLoader):
    """SafeLoader that leaves dates, times and the words yes, no, on and off as the text a person typed."""


_GUESSED = {f"tag:yaml.org,2002:{kind}" for kind in ("timestamp", "bool", "int", "float")}
_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _GUESSED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
# The core schema of YAML 1.2, https://yaml.org/spec/1.2.2/#1032-tag-resolution: 12:30 and 0777 stay text.
_PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)
_PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(?:[0-9]+\.[0-9]+)(?:[eE][-+]?[0-9]+)?$"), list("-+0123456789")
)


def suite_files(project: Project) -> tuple[Path, ...]:
    """The suites of a project, by name."""
    folder = project.suites_folder
    if not folder.is_dir():
        return ()
    return tuple(sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES))


def asked_questions(project: Project) -> tuple[tuple[str, str], ...]:
    """(case id, question) of all suites of a project; one that cannot be read asks nothing."""
    found: dict[tuple[str, str], None] = {}
    for path in suite_files(project):
        with contextlib.suppress(WorkbenchError, OSError):
            found.update({(case.id, case.question): None for case in read_suite(path).cases})
    return tuple(found)


def read_suite(path: Path) -> Suite:
    """Read and check a suite: YAML, JSON, or JSON-lines; a list of cases, or a mapping with `name` and `cases`.

    Raises MissingFile where there is no such file, and BadSuite, naming the case and what to do, for the first fault.
    """
    name, plain_cases = _read_plain(path)
    if not plain_cases:
        raise BadSuite(f"{path.name} holds no cases: add at least one, with an id, a question, a kind and checks.")
    cases = _read_cases(plain_cases, path.name)
    return Suite(path=path, name=name, cases=cases, hash=records.hash_file(path))


def _read_cases(plain_cases: list[Any], file: str) -> tuple[Case, ...]:
    cases: dict[str, Case] = {}
    places: dict[str, int] = {}
    for number, plain in enumerate(plain_cases, start=1):
        case = _read_case(plain, number, file)
        if case.id in places:
            raise BadSuite(f"{file}: cases {places[case.id]} and {number} share the id “{case.id}”: give each its own.")
        places[case.id], cases[case.id] = number, case
    return tuple(cases.values())


def write_suite(path: Path, name: str, cases: Iterable[Case]) -> Suite:
    """Replace a suite file atomically and read it back: JSON-lines where the name ends so, YAML otherwise.

    Raises BadSuite before anything is written when a case would not be readable. JSON-lines has no place for a name.
    """
    plain = [plain_case(case) for case in cases]
    _read_cases(plain, path.name)
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        text = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in plain)
    else:
        # default_flow_style False and width: one line per field, so that versions compare well side by side
        text = yaml.dump(
            {"name": name, "cases": plain}, Dumper=_PlainDumper, allow_unicode=True, sort_keys=False, width=120
        )
    records.write_text(path, text)
    return read_suite(path)


class _PlainDumper(yaml.SafeDumper):
    """The SafeDumper itself: it quotes everything YAML 1.1 could misread, so other programs read the file too."""

    def ignore_aliases(self, data: Any) -> bool:
        return True  # a repeated list is written out: anchors puzzle people


def plain_case(case: Case) -> dict[str, Any]:
    """A case as it stands in a file."""
    plain: dict[str, Any] = {"id": case.id, "question": case.question, "kind": case.kind}
    if case.source:
        plain["source"] = case.source
    plain["checks"] = records.to_plain(case.checks)
    if case.tags:
        plain["tags"] = list(case.tags)
    return plain


def _read_plain(path: Path) -> tuple[str, list[Any]]:
    """The name and the unchecked cases of a file."""
    if not path.is_file():
        raise MissingFile(f"There is no suite at {path}: check the name, or make one on the Evaluate page.")
    if path.stat().st_size > LARGEST:
        raise BadSuite(f"{path.name} is too large to be a suite: it should hold some 50 to 200 questions.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadSuite(f"{path.name} is not UTF-8 text: save it as UTF-8 and try again.") from error
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        raise BadSuite(f"{path.name} is a table: bring it over with `workbench suite import`.")
    if suffix in (".jsonl", ".ndjson"):
        return path.stem, read_json_lines(text, path.name)
    try:
        plain = json.loads(text) if suffix == ".json" else yaml.load(text, Loader=_PlainLoader)
    except (ValueError, yaml.YAMLError) as error:
        if suffix == ".json" and "\n{" in text.strip():
            return path.stem, read_json_lines(text, path.name)
        raise BadSuite(f"{path.name} cannot be read ({_place(error)}): mend that line and try again.") from error
    except RecursionError as error:
        raise BadSuite(f"{path.name} is nested too deeply to be a suite.") from error
    return _unwrap(plain, path)


def read_plain_yaml(path: Path) -> Any:
    """What a YAML or JSON file holds, dates and such left as text. Raises BadSuite."""
    try:
        return yaml.load(path.read_bytes().decode("utf-8-sig"), Loader=_PlainLoader)
    except (UnicodeDecodeError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise BadSuite(f"{path.name} cannot be read ({_place(error)}): mend that line and try again.") from error


def _unwrap(plain: Any, path: Path) -> tuple[str, list[Any]]:
    if isinstance(plain, dict) and isinstance(plain.get("cases"), list):
        return str(plain.get("name") or path.stem), plain["cases"]
    if isinstance(plain, dict) and "question" in plain:
        return path.stem, [plain]
    if isinstance(plain, dict) and "tests" in plain:
        raise BadSuite(f"{path.name} is a promptfoo configuration: bring it over with `workbench suite import`.")
    if isinstance(plain, list):
        return path.stem, plain
    if plain is None:
        return path.stem, []
    raise BadSuite(f"{path.name} is neither a list of cases nor a mapping with “cases”: see the example in the help.")


def read_json_lines(text: str, name: str) -> list[Any]:
    """The values of a text with one in each line. Raises BadSuite, naming the line."""
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                found.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise BadSuite(f"{name}, line {number} is not JSON ({error}): mend that line and try again.") from error
    return found


def _place(error: Exception) -> str:
    """Where a parser stopped, in a few words."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return f"line {mark.line + 1}: {getattr(error, 'problem', '') or 'not YAML'}"
    return " ".join(str(error).split())


def _read_case(plain: Any, number: int, file: str) -> Case:
    if not isinstance(plain, dict):
        raise BadSuite(f"{file}: case {number} is not a mapping: give it an id, a question, a kind and checks.")
    label = f"{file}: case {number}" + (f" (“{plain['id']}”)" if plain.get("id") not in (None, "") else "")
    for field in ("id", "question", "kind", "checks"):
        if plain.get(field) in (None, "", []):
            raise BadSuite(f"{label} has no {field}: add one{_meant(field, plain)}.")
    for key in plain:
        close = difflib.get_close_matches(str(key), FIELDS, n=1, cutoff=0.8)
        if key not in FIELDS and close:
            raise BadSuite(f"{label} has a field “{key}” that is not known: did you mean “{close[0]}”?")
    kind = str(plain["kind"])
    if kind not in KINDS:
        raise BadSuite(f"{label} is of the unknown kind “{kind}”: use {', '.join(KINDS[:-1])} or {KINDS[-1]}.")
    source, tags = plain.get("source"), plain.get("tags") or []
    if not isinstance(plain["question"], (str, int, float)) or isinstance(plain["question"], bool):
        raise BadSuite(f"{label} has a question that is not text: put it in quotes.")
    if source is not None and not isinstance(source, str):
        raise BadSuite(f"{label} has a source that is not a file name: use one path relative to the indexed folder.")
    return Case(
        id=str(plain["id"]),
        question=str(plain["question"]),
        kind=kind,
        checks=_read_checks(plain["checks"], label),
        source=source.replace("\\", "/") if source else None,
        tags=(tags,) if isinstance(tags, str) else tuple(str(tag) for tag in tags),
    )


def _meant(field: str, plain: dict[str, Any]) -> str:
    close = difflib.get_close_matches(field, [str(key) for key in plain if key not in FIELDS], n=1, cutoff=0.7)
    return f", or is “{close[0]}” meant" if close else ""


def _read_checks(plain: Any, label: str) -> tuple[dict[str, Any], ...]:
    if not isinstance(plain, list):
        raise BadSuite(
            f"{label} has checks that are not a list: start each check with a dash, or put them in brackets."
        )
    checks = []
    for check in plain:
        if not isinstance(check, dict) or len(check) != 1:
            raise BadSuite(
                f"{label} has a check that is not one name with one value: write for example {{contains: [text]}}."
            )
        [(name, value)] = check.items()
        if name not in CHECKS:
            close = difflib.get_close_matches(str(name), CHECKS, n=1)
            hint = f"did you mean “{close[0]}”?" if close else f"known are {', '.join(CHECKS)}."
            raise BadSuite(f"{label} has the unknown check “{name}”: {hint}")
        value = _as_text(name, value)
        fault = check_fault(name, value)
        if fault:
            raise BadSuite(f"{label}, check “{name}”: {fault}")
        checks.append({str(name): value})
    return tuple(checks)


def _as_text(name: str, value: Any) -> Any:
    """Numbers become the text they were typed as where a check wants text; one text becomes a list of one."""
    if name in ("contains", "contains_all", "one_of"):
        listed = value if isinstance(value, list) else [value]
        return [_number_text(each) for each in listed]
    return _number_text(value) if name in ("equals", "cites") else value


def _number_text(value: Any) -> Any:
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
