from __future__ import annotations

import json
from pathlib import Path

import pytest

from workbench.errors import BadSuite, MissingFile
from workbench.evaluation.suite import read_suite, write_suite

GOOD = {"id": "a", "question": "How long?", "kind": "fact", "source": "w.md", "checks": [{"contains": ["2 years"]}]}


def put(tmp_path: Path, text: str, name: str = "suite.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_yaml_is_read_as_a_list_or_with_a_name(tmp_path: Path) -> None:
    text = '- {id: a, question: "How long?", kind: fact, source: w.md, checks: [{contains: [2 years]}], tags: [x]}\n'
    suite = read_suite(put(tmp_path, text))
    assert (suite.name, suite.cases[0].id, suite.cases[0].source, suite.cases[0].tags) == ("suite", "a", "w.md", ("x",))
    named = read_suite(put(tmp_path, "name: Support\ncases:\n  " + text, "other.yml"))
    assert named.name == "Support" and named.cases == suite.cases and named.hash != suite.hash


@pytest.mark.parametrize("name", ["suite.jsonl", "suite.ndjson", "suite.json", "suite.yaml"])
def test_json_is_read_too(name: str, tmp_path: Path) -> None:
    lines = name.endswith(("jsonl", "ndjson"))
    text = json.dumps(GOOD) + "\n\n" if lines else json.dumps([GOOD])
    assert read_suite(put(tmp_path, "\ufeff" + text, name)).cases[0].checks == ({"contains": ["2 years"]},)


def test_json_lines_under_the_name_json_are_read(tmp_path: Path) -> None:
    text = json.dumps(GOOD) + "\n" + json.dumps({**GOOD, "id": "b"}) + "\n"
    assert len(read_suite(put(tmp_path, text, "suite.json")).cases) == 2


def test_what_people_type_stays_text(tmp_path: Path) -> None:
    text = """
- {id: 7, question: "When?", kind: fact, checks: [{contains: [36, 1.5, 2026-11-21, "12:30", yes, 007]}]}
- {id: b, question: "What?", kind: behaviour, checks: [{equals: 5}, {json: true}, {max_words: 40}, {contains: alone}]}
"""
    cases = read_suite(put(tmp_path, text)).cases
    assert cases[0].id == "7"
    assert cases[0].checks[0]["contains"] == ["36", "1.5", "2026-11-21", "12:30", "yes", "007"]
    assert cases[1].checks == ({"equals": "5"}, {"json": True}, {"max_words": 40}, {"contains": ["alone"]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"checks": [{"contain": ["x"]}]}, "“a”.*unknown check “contain”.*did you mean “contains”"),
        ({"checks": [{"zzz": 1}]}, "unknown check “zzz”: known are contains"),
        ({"kind": "facts"}, "unknown kind “facts”: use fact, behaviour or unanswerable"),
        ({"checks": []}, "has no checks"),
        ({"checks": {"contains": ["x"]}}, "not a list"),
        ({"checks": [{"contains": ["x"], "json": True}]}, "not one name with one value"),
        ({"checks": [{"regex": "(["}]}, "check “regex”: the pattern cannot be read"),
        ({"checks": [{"json_schema": {"type": "objekt"}}]}, "the schema is not valid"),
        ({"checks": [{"contains": [True]}]}, "in quotes"),
        ({"question": ""}, "has no question"),
        ({"id": None}, "case 1 has no id"),
        ({"sources": "w.md"}, "“sources” that is not known: did you mean “source”"),
        ({"source": ["w.md"]}, "source that is not a file name"),
    ],
)
def test_a_fault_names_the_case_and_what_to_do(change: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(BadSuite, match=message):
        read_suite(put(tmp_path, json.dumps([{**GOOD, **change}]), "suite.json"))


def test_a_double_id_is_named_with_both_places(tmp_path: Path) -> None:
    with pytest.raises(BadSuite, match="cases 1 and 3 share the id “a”"):
        read_suite(put(tmp_path, json.dumps([GOOD, {**GOOD, "id": "b"}, GOOD]), "suite.json"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("s.yaml", "", "holds no cases"),
        ("s.yaml", "just text", "neither a list"),
        ("s.yaml", "- {id: a", "line 1"),
        ("s.yaml", "- !!python/object/apply:os.system ['true']", "cannot be read"),
        ("s.yaml", "- 5", "case 1 is not a mapping"),
        ("s.jsonl", '{"id": 1}\n{', "line 2 is not JSON"),
        ("s.json", "{", "cannot be read"),
    ],
)
def test_a_file_that_is_no_suite_says_so(name: str, text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(BadSuite, match=message):
        read_suite(put(tmp_path, text, name))


def test_a_missing_file_and_another_encoding_say_so(tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        read_suite(tmp_path / "no.yaml")
    (tmp_path / "s.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadSuite, match="UTF-8"):
        read_suite(tmp_path / "s.yaml")


@pytest.mark.parametrize("name", ["out.yaml", "out.jsonl"])
def test_a_suite_written_reads_the_same(name: str, tmp_path: Path) -> None:
    text = """
- {id: a, question: "Is it 'yes'?\\nSay: no", kind: fact, checks: [{contains: ["yes", "1.50"]}, {regex: '\\d+'}]}
- {id: b, question: "Größe?", kind: behaviour, source: w.md, tags: [x, y], checks: [{json_equals: {a: [null, true]}}]}
"""
    suite = read_suite(put(tmp_path, text))
    written = write_suite(tmp_path / "deep" / name, "A name", suite.cases)
    assert written.cases == suite.cases
    assert written.name == ("A name" if name.endswith("yaml") else "out")
    assert read_suite(written.path) == written


def test_a_bad_case_leaves_the_written_file_as_it_was(tmp_path: Path) -> None:
    suite = read_suite(put(tmp_path, json.dumps([GOOD]), "suite.json"))
    path = tmp_path / "out.yaml"
    write_suite(path, "x", suite.cases)
    before = path.read_bytes()
    with pytest.raises(BadSuite, match="share the id"):
        write_suite(path, "x", suite.cases * 2)
    assert path.read_bytes() == before
