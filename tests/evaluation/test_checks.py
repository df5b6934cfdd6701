from __future__ import annotations

import time
from typing import Any

import pytest
from made_up import make_passage

from workbench.evaluation.checks import CHECKS, check_fault, read_json_answer, run_check, run_checks, same_file
from workbench.evaluation.records import Case
from workbench.lanes.lane import Answer


def check(name: str, value: Any, text: str, **changes: Any) -> bool:
    return run_check(name, value, Answer("q", "base", text, **changes)).passed


def reason(name: str, value: Any, text: str, **changes: Any) -> str:
    return run_check(name, value, Answer("q", "base", text, **changes)).reason


def test_contains_asks_for_any_and_contains_all_for_each() -> None:
    assert check("contains", ["two years", "24 months"], "It is 24 months.")
    assert not check("contains", ["5"], "15")
    assert check("contains_all", ["red", "blue"], "Blue and red")
    assert reason("contains_all", ["red", "blue"], "only red") == "lacks “blue”"
    assert reason("contains", ["36 months"], "12 months") == "expects “36 months”"


def test_equals_and_one_of_compare_the_whole_answer() -> None:
    assert check("equals", "Two years", " two years. ")
    assert not check("equals", "two years", "It is two years")
    assert check("one_of", ["returns", "billing"], "Billing.")
    assert not check("one_of", ["returns", "billing"], "billing or returns")


def test_a_pattern_is_searched_as_written() -> None:
    assert check("regex", r"\b[A-Z]{2}-\d{4}\b", "Order AB-1234.")
    assert not check("regex", "abc", "ABC")
    assert check("regex", "(?i)abc", "ABC")


def test_a_pattern_that_backtracks_without_end_is_stopped() -> None:
    began = time.monotonic()
    assert reason("regex", r"^(\w+\s?)*$", "word " * 40 + "!") in (
        "the pattern took too long: make it simpler",
        "does not match “^(\\w+\\s?)*$”",
    )
    assert not check("regex", r"(a|aa)+$", "a" * 60 + "b")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1}', True),
        ("[1, 2]", True),
        ('```json\n{"a": 1}\n```', True),
        ('~~~\n{"a": 1}\n~~~\n', True),
        ('```\n{"a": 1}```', True),
        ('Here it is: {"a": 1}', False),
        ('Sure!\n```json\n{"a": 1}\n```', False),
        ('{"a": 1,}', False),
        ('{"a": NaN}', False),
        ("{'a': 1}", False),
        ("42", False),
        ('"text"', False),
        ("", False),
        ("[" * 100_000, False),
    ],
)
def test_json_is_an_object_or_a_list_alone_or_in_a_fence(text: str, expected: bool) -> None:
    assert check("json", True, text) is expected
    assert check("json", False, text) is not expected


def test_json_that_was_cut_off_says_so() -> None:
    assert reason("json", True, '{"a": "lo', stopped="length") == "cut off before the end"


def test_a_schema_is_held_and_the_reason_names_the_place() -> None:
    schema = {
        "type": "object",
        "required": ["category"],
        "properties": {"category": {"enum": ["returns"]}, "priority": {"type": "integer"}},
    }
    assert check("json_schema", schema, '{"category": "returns", "priority": 1}')
    assert reason("json_schema", schema, '{"category": "returns", "priority": "high"}').startswith("priority: ")
    assert "required" in reason("json_schema", schema, "{}")
    assert reason("json_schema", schema, "no") == "not JSON"
    assert check("json_schema", {"type": "string"}, '"text"')


def test_a_schema_with_an_endless_pattern_is_stopped() -> None:
    began = time.monotonic()
    assert not check("json_schema", {"type": "string", "pattern": r"^(a|aa)+$"}, '"' + "a" * 70 + 'b"')
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("wanted", "text", "expected"),
    [
        ({"a": 1, "b": [1, 2]}, '{"b": [1, 2], "a": 1}', True),
        ({"a": 1}, '{"a": 1.0}', True),
        ({"a": 1}, '{"a": true}', False),
        ({"a": None}, '{"a": null}', True),
        ({"a": None}, '{"a": false}', False),
        ({"a": "Broken stand"}, '{"a": "broken  stand."}', True),
        ({"a": 1}, '{"a": 1, "b": 2}', False),
        ({"a": 1, "b": 2}, '{"a": 1}', False),
        ({"a": [1, 2]}, '{"a": [2, 1]}', False),
        ({"a": 1}, '```json\n{"a": 1}\n```', True),
        ({"a": 1}, '{"a": "1"}', False),
        ({"A": 1}, '{"a": 1}', False),
    ],
)
def test_json_equals_compares_values(wanted: Any, text: str, expected: bool) -> None:
    assert check("json_equals", wanted, text) is expected


def test_json_equals_names_the_first_difference() -> None:
    assert reason("json_equals", {"a": {"b": 1}}, '{"a": {"b": 2}}') == "a.b: says 2, expects 1"
    assert reason("json_equals", {"a": 1}, '{"b": 1}') == "lacks the key “a”"
    assert reason("json_equals", [1], "[1, 2]") == "has 2 entries, expects 1"


def test_max_words_counts_words_between_spaces() -> None:
    assert check("max_words", 3, "one two three")
    assert reason("max_words", 2, "one two three") == "3 words, at most 2"


def test_refusing_can_be_asked_for_or_against() -> None:
    assert check("refuses", True, "I could not find this in the documents.")
    assert reason("refuses", True, "It is May.") == "should have refused"
    assert reason("refuses", False, "I don't know.") == "refused"


def test_only_a_citation_of_a_passage_in_the_prompt_counts() -> None:
    passages = (make_passage("a/warranty.md"), make_passage("returns.md"))
    assert check("cites", "warranty.md", "Two years [1].", passages=passages, cited=(1,))
    assert check("cites", "A\\Warranty.md", "Two years [1].", passages=passages, cited=(1,))
    assert (
        reason("cites", "warranty.md", "x [2]", passages=passages, cited=(2,)) == "cites “returns.md”, not warranty.md"
    )
    assert reason("cites", "warranty.md", "See warranty.md", passages=passages) == "does not cite warranty.md"
    assert not check("cites", "ranty.md", "x [1]", passages=passages, cited=(1, 9))


def test_similar_needs_an_embedder_and_says_so() -> None:
    value = {"to": "two years", "at_least": 0.7}
    answer = Answer("q", "base", "24 months")
    assert run_check("similar", value, answer, lambda one, other: 0.8).passed
    assert run_check("similar", value, answer, lambda one, other: 0.6).reason == "likeness 0.60, at least 0.70"
    assert not run_check("similar", value, answer, lambda one, other: float("nan")).passed
    assert "no embedder" in run_check("similar", value, answer).reason


def test_an_answer_the_engine_could_not_give_fails_every_check_with_the_reason() -> None:
    case = Case("a", "q", "fact", ({"contains": ["x"]}, {"refuses": False}))
    outcomes = run_checks(case, Answer("q", "base", "", stopped="failed", error="It stopped."))
    assert [(each.passed, each.reason) for each in outcomes] == [(False, "It stopped.")] * 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("contains", []),
        ("contains", [""]),
        ("contains", [True]),
        ("equals", 5),
        ("regex", "("),
        ("regex", ""),
        ("json", "yes"),
        ("json_schema", {"type": "nothing"}),
        ("json_schema", "x"),
        ("json_schema", {"properties": {"a": {"$ref": "https://example.org/a.json"}}}),
        ("max_words", 0),
        ("max_words", True),
        ("similar", {"to": "x"}),
        ("similar", {"to": "x", "at_least": 2}),
    ],
)
def test_a_value_a_check_cannot_use_is_named(name: str, value: Any) -> None:
    assert check_fault(name, value)


def test_every_check_of_the_contract_is_there() -> None:
    assert set(CHECKS) == {
        *("contains", "contains_all", "equals", "regex", "json", "json_schema"),
        *("json_equals", "one_of", "max_words", "refuses", "cites", "similar"),
    }


def test_a_fence_may_hold_backticks_inside_its_json() -> None:
    assert read_json_answer('```json\n{"a": "`x`"}\n```') == {"a": "`x`"}


def test_a_file_is_named_by_its_path_or_its_end() -> None:
    assert same_file("a/b.md", "x/a/b.md") and same_file("./b.md".removeprefix("./"), "b.md")
    assert not same_file("b.md", "ab.md")
