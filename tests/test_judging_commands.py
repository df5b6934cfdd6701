"""The commands of judgement from the command line, with a scripted model in the engine's place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.cli import run
from workbench.project import Project

SUITE = "".join(
    json.dumps({"id": f"q{n}", "question": f"Question {n}?", "kind": "behaviour", "checks": [{"contains": [str(n)]}]})
    + "\n"
    for n in range(6)
)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "suite.jsonl"
    path.write_text(SUITE)
    return path


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the scripted model gets wrong, by question."""
    import sys

    sys.path.insert(0, str(Path(__file__).parent / "evaluation"))
    from made_index import ScriptedStages, put_script_in_place

    from workbench.children import Here

    told: dict[str, Any] = {"wrong": set()}

    def speak(request: Any) -> str:
        number = request.question.split()[1].removesuffix("?")
        return "no idea at all" if number in told["wrong"] else f"{number} {request.lane.name}"

    put_script_in_place(monkeypatch, ScriptedStages(speak))
    monkeypatch.setattr("workbench.commands.console.Child", lambda *_, **__: Here())
    return told


def test_the_gate_fails_when_a_question_is_lost_and_names_it(
    tmp_path: Path, suite: Path, script: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    project = ("--project", str(tmp_path / "project"))
    page, told, junit = tmp_path / "d.html", tmp_path / "d.json", tmp_path / "j.xml"
    lanes = ("--lane", "base", "--lane", "prompted")
    assert run(["evaluate", str(suite), *lanes, "--html", str(page), "--dossier", str(told), *project]) == 0
    assert run(["evaluate", str(suite), "--against", str(page), *project]) == 0
    assert "Nothing got worse." in capsys.readouterr().err
    script["wrong"] = {"3"}
    for dossier in (page, told):
        assert run(["evaluate", str(suite), "--against", str(dossier), "--junit", str(junit), "--json", *project]) == 1
        out, err = capsys.readouterr()
        against = json.loads(out)["against"]
        assert not against["passed"] and against["changes"][0]["lost"] == ["q3"]
        assert "got worse on all questions: 1 lost" in err
    assert junit.read_text().count('type="regression"') == 2
    assert run(["evaluate", str(suite), "--against", str(page), "--fail-under", "0.9", *project]) == 1


def test_against_a_file_that_is_no_dossier_nothing_is_asked(
    tmp_path: Path, suite: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = ("--project", str(tmp_path / "project"))
    assert run(["evaluate", str(suite), "--against", str(suite), *project]) == 2
    assert "is no dossier" in capsys.readouterr().err


def test_advice_stands_beside_the_questionnaire_and_the_costs(
    tmp_path: Path, suite: Path, script: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    project = ("--project", str(tmp_path / "project"))
    more = ("--answer", "change=often", "--answer", "latency=relaxed", "--price", "gpu_host=10")
    assert run(["advise", str(suite), "--lane", "base", "--lane", "prompted", *more, "--json", *project]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["recommendation"] == "cannot-tell" and "too few for a verdict" in told["scope"]
    assert told["needed_by_kind"]["behaviour"] >= 10
    assert told["questionnaire"]["answers"] == {"change": "often", "latency": "relaxed", "task": "narrow"}
    assert told["prices"]["gpu_host"]["value"] == 10.0
    assert {each["place"] for each in told["projections"]} == {"local", "rented", "hosted"}
    assert run(["advise", str(suite), "--lane", "base", "--lane", "prompted", "--answer", "change", *project]) == 2


def test_a_table_is_imported_evaluated_and_kept_by_version(
    tmp_path: Path, script: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    project = ("--project", str(tmp_path / "project"))
    (tmp_path / "mine.csv").write_text("question,expected\nQuestion 1?,1\nQuestion 2?,2\n")
    assert run(["suite", "import", str(tmp_path / "mine.csv"), "--json", *project]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["cases"] == 2
    assert run(["suite", "import", str(tmp_path / "mine.csv"), *project]) == 2  # it is there already
    assert run(["evaluate", made["suite"], "--lane", "base", "--name", "first", *project]) == 0
    capsys.readouterr()
    assert run(["suite", "versions", "--json", *project]) == 0
    [version] = json.loads(capsys.readouterr().out)["versions"]
    assert version["cases"] == 2
    assert run(["mark", "first", "mine-1", "base", "right", *project]) == 0
    assert run(["mark", "first", "mine-1", "base", "none", *project]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "0 answers of first are marked."
    assert run(["mark", "first", "nothing", "base", "right", *project]) == 2
    assert run(["judge", "none", *project]) == 2
    assert "there are first" in capsys.readouterr().err


def test_drafts_are_kept_as_they_come_and_go_into_a_suite_once_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    from made_index import ScriptedStages, write_index

    from workbench.evaluation.draft import read_drafts

    folder = tmp_path / "project"
    project = ("--project", str(folder))
    write_index(
        folder,
        {f"{n}.md": [f"The ferry number {n} to Port Elin costs {n}4 crowns, all taxes included."] for n in "123"},
    )

    def word(request: Any) -> str:
        if request.passages:
            return str(request.passages[0].text)
        if len(read_drafts(folder, "mine")) == 2:
            raise KeyboardInterrupt
        number = request.question.partition("The ferry number ")[2][0]
        return f"How much is the ferry number {number}, all taxes included?"

    monkeypatch.setattr("workbench.evaluation.draft.answer", ScriptedStages(word).answer)
    assert run(["suite", "draft", "--name", "mine", *project]) == 130
    kept = read_drafts(folder, "mine")
    assert len(kept) == 2
    suite = tmp_path / "grown.yaml"
    assert (
        run(["suite", "review", "mine", "--to", str(suite), "--accept", "all", "--reject", kept[0].id, *project]) == 0
    )
    assert "1 accepted, 1 rejected, 0 open" in capsys.readouterr().out
    assert kept[1].question in suite.read_text() and kept[0].question not in suite.read_text()


def test_the_dossier_of_a_run_holds_the_tests_beside_it_and_what_a_person_set_in_the_window(
    tmp_path: Path, script: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    from made_index import write_index

    folder, page, told = tmp_path / "project", tmp_path / "d.html", tmp_path / "d.json"
    project = ("--project", str(folder))
    write_index(folder, {"all.md": ["Question 1 is answered by 1 and by nothing else."]})
    case = {"id": "q1", "question": "Question 1?", "kind": "fact", "source": "all.md", "checks": [{"contains": ["1"]}]}
    suite = tmp_path / "facts.jsonl"
    suite.write_text(json.dumps(case) + "\n")
    assert run(["sources", str(suite), "--lane", "base", *project]) == 0
    assert "1 of 1 facts as they were" in capsys.readouterr().out
    assert len(list((folder / "tests").glob("sources-*.json"))) == 1
    own = {"questionnaire": {"change": "often", "x": "y"}, "prices": {"gpu_host": 7, "no": 1}}
    Project.open(folder).change(options={**own, "assumptions": {"questions_a_month": 55}})
    assert run(["evaluate", str(suite), "--lane", "base", "--html", str(page), "--dossier", str(told), *project]) == 0
    dossier = json.loads(told.read_text())
    assert dossier["questionnaire"]["answers"]["change"] == "often" and dossier["prices"]["gpu_host"]["value"] == 7
    assert "at 55 questions a month" in page.read_text()
    kept = dossier["tests"]
    assert kept["sources"]["found"]["lanes"] == {"base": {"document": 0, "weights": 1, "neither": 0}}
    assert kept["sources"]["notes"] == [] and kept["drill"] is None
    assert "1 of 1 facts as they were" in page.read_text()
    suite.write_text(json.dumps({**case, "tags": ["new"]}) + "\n")
    assert run(["evaluate", str(suite), "--lane", "base", "--max-tokens", "9", "--html", str(page), *project]) == 0
    assert "another version of the suite" in page.read_text() and "Made otherwise" not in page.read_text()
