"""Pure functions: a check and an answer in, pass or fail with a reason out.

Text is compared as `evaluation.text` says. JSON may stand alone or inside one Markdown code fence with nothing around
it: a fence is stripped by any program that reads the answer, a sentence around it is not. `json` wants an object or a
list, `json_schema` and `json_equals` any JSON value. In `json_equals` keys and numbers are exact and strings are
compared as text; `const` and `enum` of a schema are exact. `json: false` and `refuses: false` ask for the opposite.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jsonschema
import regex  # type: ignore[import-untyped]
from jsonschema.exceptions import best_match

from workbench.evaluation.records import Case, CheckOutcome
from workbench.evaluation.text import holds, same
from workbench.lanes.lane import Answer
from workbench.retrieval.refusal import is_refusal

Similarity = Callable[[str, str], float]  # cosine of two texts' embeddings, -1 to 1

LONGEST = 20_000  # characters of an answer a pattern is run over; answers are a few hundred tokens
PATTERN_SECONDS = 1.0  # a sane pattern needs microseconds; one that backtracks without end is stopped here

Outcome = tuple[bool, str]  # passed, and the reason, "" when there is nothing to say


def run_checks(case: Case, answer: Answer, similarity: Similarity | None = None) -> tuple[CheckOutcome, ...]:
    """Every check of a case on one answer, in the case's order; an answer the engine could not give fails them all."""
    if answer.stopped == "failed":
        reason = answer.error or "the engine gave no answer"
        return tuple(CheckOutcome(name, False, reason) for check in case.checks for name in check)
    return tuple(run_check(name, value, answer, similarity) for check in case.checks for name, value in check.items())


def run_check(name: str, value: Any, answer: Answer, similarity: Similarity | None = None) -> CheckOutcome:
    """One check of one answer."""
    passed, reason = _similar(value, answer, similarity) if name == "similar" else CHECKS[name](value, answer)
    return CheckOutcome(name, passed, "" if passed else reason)


def check_fault(name: str, value: Any) -> str:
    """What is wrong with a check's value, as the end of a sentence; "" when nothing is."""
    if name in ("contains", "contains_all", "one_of"):
        good = isinstance(value, list) and value and all(isinstance(each, str) and each.strip() for each in value)
        return "" if good else "give a list of at least one text; put words like true in quotes."
    if name in ("equals", "cites"):
        return "" if isinstance(value, str) and value.strip() else "give a text; put words like true in quotes."
    if name in ("json", "refuses"):
        return "" if isinstance(value, bool) else "give true or false."
    if name == "max_words":
        return (
            ""
            if isinstance(value, int) and not isinstance(value, bool) and value > 0
            else "give a whole number above 0."
        )
    return _SPECIAL_FAULTS[name](value) if name in _SPECIAL_FAULTS else ""


def _regex_fault(value: Any) -> str:
    if not isinstance(value, str) or not value:
        return "give a pattern as text."
    try:
        regex.compile(value)
    except regex.error as error:
        return f"the pattern cannot be read ({error}): mend it, and mind that a backslash needs single quotes in YAML."
    return ""


def _schema_fault(value: Any) -> str:
    if not isinstance(value, (dict, bool)):
        return "give a JSON schema, a mapping such as {type: object}."
    try:
        _VALIDATOR.check_schema(value)
    except jsonschema.SchemaError as error:
        return f"the schema is not valid ({error.message})."
    return "" if not _refers_outside(value) else "the schema points to another document: put that part into it."


def _refers_outside(value: Any) -> bool:
    """Whether a schema has a $ref that would be fetched: nothing here touches the network."""
    if isinstance(value, dict):
        target = value.get("$ref", value.get("$dynamicRef"))
        return (isinstance(target, str) and not target.startswith("#")) or any(
            _refers_outside(each) for each in value.values()
        )
    return isinstance(value, list) and any(_refers_outside(each) for each in value)


def _similar_fault(value: Any) -> str:
    if not isinstance(value, dict) or not isinstance(value.get("to"), str) or not value["to"].strip():
        return "give {to: text, at_least: cosine}."
    least = value.get("at_least")
    good = isinstance(least, (int, float)) and not isinstance(least, bool) and -1 <= least <= 1
    return "" if good else "at_least is a cosine between -1 and 1, such as 0.7."


_SPECIAL_FAULTS: dict[str, Callable[[Any], str]] = {
    "regex": _regex_fault,
    "json_schema": _schema_fault,
    "similar": _similar_fault,
}


def _contains(value: Sequence[str], answer: Answer) -> Outcome:
    return any(holds(answer.text, part) for part in value), f"expects {_listed(value, 'or')}"


def _contains_all(value: Sequence[str], answer: Answer) -> Outcome:
    missing = [part for part in value if not holds(answer.text, part)]
    return not missing, f"lacks {_listed(missing, 'and')}"


def _equals(value: str, answer: Answer) -> Outcome:
    return same(answer.text, value), f"expects exactly {_quoted(value)}"


def _one_of(value: Sequence[str], answer: Answer) -> Outcome:
    return any(same(answer.text, each) for each in value), f"expects only {_listed(value, 'or')}"


def _regex(value: str, answer: Answer) -> Outcome:
    """Uses the `regex` library, which reads the standard library's patterns and can stop at a time limit."""
    try:
        found = regex.search(value, answer.text[:LONGEST], timeout=PATTERN_SECONDS)
    except TimeoutError:
        return False, "the pattern took too long: make it simpler"
    return found is not None, f"does not match {_quoted(value)}"


def _max_words(value: int, answer: Answer) -> Outcome:
    count = len(answer.text.split())
    return count <= value, f"{count} words, at most {value}"


def _refuses(value: bool, answer: Answer) -> Outcome:
    return is_refusal(answer.text) is value, "should have refused" if value else "refused"


def _cites(value: str, answer: Answer) -> Outcome:
    """Only citations that point at a passage of the prompt count; naming the file in words is not citing it."""
    files = [answer.passages[number - 1].file for number in answer.cited if 0 < number <= len(answer.passages)]
    if any(same_file(value, file) for file in files):
        return True, ""
    return False, f"cites {_listed(sorted(set(files)), 'and')}, not {value}" if files else f"does not cite {value}"


def same_file(named: str, found: str) -> bool:
    """Whether a name in a suite means a file of the index: the same path, or the end of it on a folder's edge."""
    wanted, path = named.replace("\\", "/").strip("/").casefold(), found.replace("\\", "/").casefold()
    return path == wanted or path.endswith("/" + wanted)


def _similar(value: Mapping[str, Any], answer: Answer, similarity: Similarity | None) -> Outcome:
    if similarity is None:
        return False, "not compared: no embedder was there to compare meanings"
    cosine = similarity(answer.text, value["to"])
    good = math.isfinite(cosine) and cosine >= value["at_least"]
    return good, f"likeness {cosine:.2f}, at least {value['at_least']:.2f}"


def _json(value: bool, answer: Answer) -> Outcome:
    try:
        found = isinstance(read_json_answer(answer.text), (dict, list))
    except ValueError:
        found = False
    return found is value, _not_json_reason(answer) if value else "is JSON"


def _not_json_reason(answer: Answer) -> str:
    return "cut off before the end" if answer.stopped in ("length", "repeats") else "not JSON"


def _json_schema(value: Any, answer: Answer) -> Outcome:
    try:
        found = read_json_answer(answer.text)
    except ValueError:
        return False, _not_json_reason(answer)
    try:
        error = best_match(_VALIDATOR(value).iter_errors(found))
    except (TimeoutError, RecursionError):
        return False, "the schema took too long: make its patterns simpler"
    if error is None:
        return True, ""
    place = ".".join(str(each) for each in error.absolute_path)
    return False, _short(f"{place}: {error.message}" if place else error.message)


def _json_equals(value: Any, answer: Answer) -> Outcome:
    try:
        found = read_json_answer(answer.text)
    except ValueError:
        return False, _not_json_reason(answer)
    difference = _difference(value, found, "")
    return not difference, difference


def _difference(wanted: Any, found: Any, place: str) -> str:
    """The first place where two JSON values differ, in words; "" when they are equal."""
    at = f"{place}: " if place else ""
    if isinstance(wanted, dict) and isinstance(found, dict):
        missing, extra = [key for key in wanted if key not in found], [key for key in found if key not in wanted]
        if missing:
            return _short(f"{at}lacks the key {_listed(missing, 'and')}")
        if extra:
            return _short(f"{at}has the extra key {_listed(extra, 'and')}")
        differences = (_difference(wanted[key], found[key], f"{place}.{key}" if place else str(key)) for key in wanted)
        return next((each for each in differences if each), "")
    if isinstance(wanted, list) and isinstance(found, list):
        if len(wanted) != len(found):
            return f"{at}has {len(found)} entries, expects {len(wanted)}"
        differences = (
            _difference(*pair, f"{place}[{number}]") for number, pair in enumerate(zip(wanted, found, strict=True))
        )
        return next((each for each in differences if each), "")
    return "" if _same_value(wanted, found) else _short(f"{at}says {_plain(found)}, expects {_plain(wanted)}")


def _same_value(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, str) and isinstance(found, str):
        return same(wanted, found)
    if isinstance(wanted, bool) or isinstance(found, bool) or wanted is None or found is None:
        return wanted is found  # Python holds 1 and True for equal, JSON does not
    both_numbers = isinstance(wanted, (int, float)) and isinstance(found, (int, float))
    return both_numbers and wanted == found


_FENCE = regex.compile(
    r"^\s*(?P<fence>```+|~~~+)[ \t]*[\w.+-]*[ \t]*\r?\n(?P<inside>.*?)\r?\n?[ \t]*(?P=fence)\s*$", regex.DOTALL
)


def read_json_answer(text: str) -> Any:
    """The JSON value an answer is, alone or in one code fence. Raises ValueError when it is anything else."""
    fenced = _FENCE.match(text)
    inside = fenced["inside"] if fenced else text
    try:
        return json.loads(inside.strip().lstrip("\ufeff"), parse_constant=_not_json)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _not_json(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _timed_pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Any:
    """The schema keyword `pattern`, stopped at the same time limit as the check `regex`."""
    if isinstance(instance, str) and regex.search(pattern, instance[:LONGEST], timeout=PATTERN_SECONDS) is None:
        yield jsonschema.ValidationError(f"{_plain(instance)} does not match {_quoted(pattern)}")


_extend: Any = jsonschema.validators.extend  # has no types of its own
_VALIDATOR: Any = _extend(jsonschema.Draft202012Validator, {"pattern": _timed_pattern})


def _plain(value: Any) -> str:
    return _short(json.dumps(value, ensure_ascii=False), 40)


def _quoted(text: str) -> str:
    return f"“{_short(text, 60)}”"


def _listed(texts: Sequence[str], last: str) -> str:
    """Up to four texts in quotes, the rest counted."""
    shown = [_quoted(each) for each in texts[:4]]
    if len(texts) > 4:
        return ", ".join(shown) + f" {last} {len(texts) - 4} more"
    return f" {last} ".join([", ".join(shown[:-1]), shown[-1]]) if len(shown) > 1 else "".join(shown)


def _short(text: str, most: int = 100) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


CHECKS: dict[str, Callable[[Any, Answer], Outcome]] = {
    "contains": _contains,
    "contains_all": _contains_all,
    "equals": _equals,
    "regex": _regex,
    "json": _json,
    "json_schema": _json_schema,
    "json_equals": _json_equals,
    "one_of": _one_of,
    "max_words": _max_words,
    "refuses": _refuses,
    "cites": _cites,
    "similar": lambda value, answer: _similar(value, answer, None),
}
