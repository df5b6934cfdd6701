from __future__ import annotations

from pathlib import Path

import pytest

from workbench.errors import BadSuite, MissingFile
from workbench.evaluation.importing import import_suite
from workbench.evaluation.records import Case
from workbench.evaluation.suite import read_suite


def imported(tmp_path: Path, name: str, text: str, encoding: str = "utf-8") -> tuple[dict[str, Case], tuple[str, ...]]:
    (tmp_path / name).write_text(text, encoding=encoding)
    suite, notes = import_suite(tmp_path / name, tmp_path / "suite.yaml")
    assert read_suite(tmp_path / "suite.yaml").cases == suite.cases
    return {case.id: case for case in suite.cases}, notes


def test_a_table_becomes_a_suite_with_a_check_per_column(tmp_path: Path) -> None:
    cases, notes = imported(
        tmp_path,
        "questions.csv",
        "id,question,kind,source,contains,max_words,tags,owner\n"
        'w,"How long, in months?",fact,warranty.md,36 months | three years,60,core | legal,Ada\n'
        "n,Who?,unanswerable,,,,,\n".replace("n,Who?,unanswerable,,,,,", "n,Who?,fact,,Ada,,,"),
    )
    assert cases["w"].checks == ({"contains": ["36 months", "three years"]}, {"max_words": 60})
    assert (cases["w"].question, cases["w"].source, cases["w"].tags) == (
        "How long, in months?",
        "warranty.md",
        ("core", "legal"),
    )
    assert any("owner" in note for note in notes)


def test_a_table_with_question_and_answer_alone_does(tmp_path: Path) -> None:
    cases, notes = imported(tmp_path, "q.tsv", "Question\tExpected\nHow tall?\t9 m\nHow old?\t12,5\n", "utf-16")
    assert list(cases) == ["q-1", "q-2"] and cases["q-2"].checks == ({"contains": ["12,5"]},)
    assert any("no column “kind”" in note and "2 fact" in note for note in notes)


def test_json_and_true_and_semicolons_are_read(tmp_path: Path) -> None:
    cases, _ = imported(
        tmp_path,
        "t.csv",
        'question;json_equals;refuses\nTicket A;"{""product"": ""lamp""}";\nWho made it?;;TRUE\n',
        "utf-8-sig",
    )
    assert [case.kind for case in cases.values()] == ["behaviour", "unanswerable"]
    assert cases["t-1"].checks == ({"json_equals": {"product": "lamp"}},)


def test_rows_of_json_lines_with_a_question_and_an_answer_do(tmp_path: Path) -> None:
    rows = (
        '{"question": "How tall?", "answer": "9 m", "tags": ["size"], "score": 1}',
        '{"input": "How old?", "ideal": ["12", "a | b"], "kind": "fact", "source": "ages.md", "max_words": 5}',
        '{"id": 7, "question": "Who made it?", "refuses": true}',
    )
    cases, notes = imported(tmp_path, "rows.jsonl", "\n".join(rows) + "\n")
    assert list(cases) == ["rows-1", "rows-2", "7"]
    assert cases["rows-1"].checks == ({"contains": ["9 m"]},) and cases["rows-1"].tags == ("size",)
    assert cases["rows-2"].checks == ({"contains": ["12", "a | b"]}, {"max_words": 5})
    assert (cases["rows-2"].source, cases["7"].kind) == ("ages.md", "unanswerable")
    assert any("score" in note for note in notes)
    (tmp_path / "rows.json").write_text(f"[{','.join(rows)}]")
    assert [case.checks for case in import_suite(tmp_path / "rows.json", tmp_path / "again.yaml")[0].cases] == [
        case.checks for case in cases.values()
    ]


def test_a_row_of_json_lines_that_is_no_case_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSuite, match="row 2 has no answer to expect"):
        imported(tmp_path, "rows.jsonl", '{"question": "How?", "answer": "so"}\n{"question": "Why?"}\n')
    with pytest.raises(BadSuite, match="line 2 is not JSON"):
        imported(tmp_path, "lines.jsonl", '{"question": "How?", "answer": "so"}\nso\n')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("question,contains\n,x\n", "row 2 has no question"),
        ("question,contains\nHow?,\n", "row 2 has no answer to expect"),
        ("question,contains\n", "no rows"),
        ("question,max_words\nHow?,many\n", "row 2, column max_words is not JSON"),
        ("question,contains,kind\nHow?,x,odd\n", "unknown kind"),
    ],
)
def test_a_row_that_is_no_case_is_named_and_nothing_is_written(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadSuite, match=said):
        imported(tmp_path, "bad.csv", text)
    assert not (tmp_path / "suite.yaml").exists()


def test_reading_a_table_as_a_suite_says_how_to_bring_it_over(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("question,contains\nHow?,x\n")
    (tmp_path / "b.yaml").write_text("prompts: ['{{question}}']\ntests: []\n")
    for name in ("a.csv", "b.yaml"):
        with pytest.raises(BadSuite, match="workbench suite import"):
            read_suite(tmp_path / name)
    with pytest.raises(MissingFile):
        import_suite(tmp_path / "none.csv", tmp_path / "suite.yaml")


PROMPTFOO = """
description: Support
prompts:
  - "Answer: {{question}}"
providers: [openai:gpt-4.1]
defaultTest:
  assert:
    - {type: word-count, value: {max: 60}}
tests:
  - description: Warranty of the lamp
    vars: {question: "How long is the warranty?", answer: 36 months}
    assert:
      - {type: icontains, value: "{{answer}}"}
      - {type: llm-rubric, value: is friendly}
    metadata: {source: warranty.md}
  - vars:
      question: [Ticket A, Ticket B]
    assert:
      - {type: is-json, value: {type: object, required: [product]}}
      - {type: not-icontains, value: sorry (really)}
  - vars: {question: "Who?"}
    assert: [{type: is-refusal}]
  - vars: {question: "Which?"}
    assert:
      - {type: contains-any, value: [1, one]}
      - {type: similar, value: the first one}
      - {type: equals, value: {a: 1}}
      - {type: starts-with, value: "The"}
      - {type: contains-all, value: "a, b"}
  - file://more.csv
"""


def test_promptfoo_tests_become_cases_and_what_has_no_counterpart_is_said(tmp_path: Path) -> None:
    (tmp_path / "more.csv").write_text(
        'question,__expected,__expected2\n"Is it blue?","contains-any: yes, blue",is-json\nPlain?,just this\n'
    )
    cases, notes = imported(tmp_path, "promptfooconfig.yaml", PROMPTFOO)
    first = cases["Warranty-of-the-lamp"]
    assert first.checks == ({"max_words": 60}, {"contains": ["36 months"]}) and first.source == "warranty.md"
    assert any("llm-rubric" in note for note in notes)
    tickets = [case for case in cases.values() if case.question.startswith("Ticket")]
    assert [case.id for case in tickets] == ["case-2", "case-2-2"]
    assert tickets[0].checks[1] == {"json_schema": {"type": "object", "required": ["product"]}}
    assert cases["case-3"].kind == "unanswerable"
    which = {name: value for check in cases["case-4"].checks for name, value in check.items()}
    assert which["contains"] == ["1", "one"] and which["similar"]["at_least"] == 0.75
    assert which["json_equals"] == {"a": 1} and which["contains_all"] == ["a", "b"]
    assert any("no threshold" in note for note in notes)
    blue, plain = (
        next(case for case in cases.values() if case.question == asked) for asked in ("Is it blue?", "Plain?")
    )
    assert {"contains": ["yes", "blue"]} in blue.checks and {"json": True} in blue.checks
    assert {"equals": "just this"} in plain.checks


def test_a_forbidden_word_is_forbidden_after_the_import_too(tmp_path: Path) -> None:
    from workbench.evaluation.checks import run_check
    from workbench.lanes.lane import Answer

    cases, _ = imported(tmp_path, "p.yaml", PROMPTFOO.replace("  - file://more.csv\n", ""))
    pattern = next(check["regex"] for check in cases["case-2"].checks if "regex" in check)
    said = {
        text: run_check("regex", pattern, Answer("", "", text)).passed
        for text in ("Fine.\nBye", "Hm.\nSorry (REALLY)!")
    }
    assert said == {"Fine.\nBye": True, "Hm.\nSorry (REALLY)!": False}


def test_a_test_whose_question_cannot_be_told_is_named(tmp_path: Path) -> None:
    text = "tests:\n  - vars: {a: 1, b: 2}\n    assert: [{type: equals, value: x}]\n"
    with pytest.raises(BadSuite, match="test 1: which of a, b is the question"):
        imported(tmp_path, "p.yaml", text)
    filled, _ = imported(tmp_path, "p.yaml", "prompts: ['Add {{a}} and {{b}}.']\n" + text)
    assert [case.question for case in filled.values()] == ["Add 1 and 2."]
