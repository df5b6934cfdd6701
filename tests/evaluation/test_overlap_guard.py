"""Cases that a fine-tune met in training are named, and in no rate, effect, verdict or gate."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from made_index import ScriptedStages, put_script_in_place, write_index
from made_up import make_lanes

from workbench import records
from workbench.advice.verdict import decide
from workbench.evaluation.evaluate import evaluate
from workbench.evaluation.export import write_junit
from workbench.evaluation.gate import baseline_of, gate_sentences, hold_against
from workbench.evaluation.records import Case, Evaluation, Suite
from workbench.evaluation.results import read_evaluation
from workbench.events import last_result
from workbench.lanes.engine import Request
from workbench.lanes.lane import Lane
from workbench.project import Project
from workbench.report.page import write_report
from workbench.ui.evaluate_rows import MET, MatrixFilter, build_matrix, build_rows, cases_of

TOWNS = ("Ambry", "Belholm", "Carrow", "Dunmere", "Eastwick", "Farlow", "Glenby", "Hestock", "Inver", "Jarrow")
PASSAGE = (
    "The harbour office of {0} is open on weekdays only, and whoever moors a boat there for longer than a single tide "
    "pays {1} crowns to the keeper of the northern gate before nightfall."
)
FEES = {town: 120 + 7 * place for place, town in enumerate(TOWNS)}


def towns_suite(folder: Path) -> Suite:
    cases = [
        Case(
            town, f"What does mooring a boat in {town} cost?", "fact", ({"contains": [str(FEES[town])]},), f"{town}.md"
        )
        for town in TOWNS
    ]
    cases += [
        Case(
            f"say-{n}",
            f"Say the word number {n} of the list with the letter {chr(97 + n)}",
            "behaviour",
            ({"json": True},),
        )
        for n in range(10)
    ]
    return Suite(folder / "towns.yaml", "Towns", tuple(cases), "c" * 64)


def message(question: str, answer: str) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def grounded(question: str, text: str, answer: str) -> dict[str, object]:
    return {"question": question, "passages": [{"file": "a.md", "location": "", "text": text}], "answer": answer}


ROWS = [
    message("Say the word number 3 of the list with the letter d!", "{}"),  # asks what say-3 asks
    message("Which word is shortest?", "{}"),
    message("Tell me of Belholm.", PASSAGE.format("Belholm", FEES["Belholm"])),  # teaches a fact: to be measured
    grounded(
        "Who is paid at dusk?", PASSAGE.format("Ambry", FEES["Ambry"]), "The keeper [1]."
    ),  # reads Ambry's passage
    grounded(
        "Who is paid at dusk?", PASSAGE.format("Carrow", 999), "The keeper [1]."
    ),  # the passage without the answer
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = Project.open(tmp_path / "project").folder
    write_index(folder, {f"{town}.md": [PASSAGE.format(town, FEES[town])] for town in TOWNS})
    return folder


def tuned_lanes(project: Path, rows: list[dict[str, object]] | None = ROWS) -> tuple[Lane, ...]:
    """The usual lanes over an adapter whose run names its training file; None: a run that names none."""
    run, data = project / "adapters" / "desk", project / "datasets" / "rows.jsonl"
    run.mkdir(parents=True, exist_ok=True)
    (run / "adapter.gguf").write_bytes(b"an adapter")
    if rows is not None:
        data.parent.mkdir(exist_ok=True)
        data.write_text("".join(json.dumps(row) + "\n" for row in [*rows, {"odd": 1}]), encoding="utf-8")
        records.write_json(run / "manifest.json", {"datasets": {data.name: records.hash_file(data)}})
    records.write_json(run / "recipe.json", {"name": "desk", "datasets": [] if rows is None else [str(data)]})
    lanes = make_lanes(("base", "rag", "tuned:desk"))
    return (*lanes[:2], dataclasses.replace(lanes[2], adapter=run / "adapter.gguf"))


def speak(request: Request) -> str:
    """The tuned lane is right on what it met alone, the documents on every fact."""
    if request.lane.adapter is not None:
        met = request.question.startswith("Say the word number 3") or "Ambry" in request.question
        return f'{{"fee": {FEES["Ambry"]}}}' if met else "Perhaps."
    return request.passages[0].text if request.passages else "I know nothing of it."


def evaluated(project: Path, lanes: tuple[Lane, ...], monkeypatch: pytest.MonkeyPatch) -> tuple[Evaluation, Suite]:
    suite = towns_suite(project)
    worker = put_script_in_place(monkeypatch, ScriptedStages(speak, records.hash_text("an adapter")))
    found: Evaluation = last_result(evaluate(suite, lanes, project, worker, worker))
    return found, suite


def test_cases_met_in_training_are_named_and_in_no_figure(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, suite = evaluated(project, tuned_lanes(project), monkeypatch)
    assert found.left_out == {
        "Ambry": "row 4 of rows.jsonl reads the passage that answers it",
        "say-3": "row 1 of rows.jsonl asks the same",
    }
    assert not found.unguarded and len(found.results) == 60  # they are asked and shown all the same
    tuned = found.lanes["tuned:desk"].overall
    assert (tuned.passed, tuned.total) == (0, 18)  # what it is right on is what it has met
    assert {effect.total for effect in found.effects if not effect.kind} == {18}
    verdict = decide(found, suite)
    assert not {failure.case for failure in verdict.failed_cases} & set(found.left_out)
    assert any(each.startswith("2 questions are left out of 20") and "say-3" in each for each in verdict.reasons)
    assert verdict.scope.startswith("18 questions")
    kept = read_evaluation(found.folder)
    assert (kept.left_out, kept.counted, kept.unguarded) == (found.left_out, found.counted, found.unguarded)


def test_without_the_fine_tune_in_the_run_nothing_is_left_out(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = evaluated(project, tuned_lanes(project)[:2], monkeypatch)
    assert not found.left_out and found.lanes["rag"].overall.total == 20


def test_rows_that_are_gone_or_changed_are_not_taken_for_clean(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lanes = tuned_lanes(project)
    with (project / "datasets" / "rows.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(message("What of it?", "{}")) + "\n")
    changed, suite = evaluated(project, lanes, monkeypatch)
    assert changed.unguarded == {"tuned:desk": "rows.jsonl was changed since it was trained on"}
    assert set(changed.left_out) == {"Ambry", "say-3"}
    assert any("is not known: rows.jsonl was changed" in each for each in decide(changed, suite).reasons)
    (project / "datasets" / "rows.jsonl").unlink()
    gone, _ = evaluated(project, lanes, monkeypatch)
    assert gone.unguarded == {"tuned:desk": "rows.jsonl, which it was trained on, cannot be read"}
    unknown, _ = evaluated(project, tuned_lanes(project, None), monkeypatch)
    assert unknown.unguarded == {"tuned:desk": "nothing tells what it was trained on"}


def test_the_gate_junit_and_the_page_leave_them_out_too(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, suite = evaluated(project, tuned_lanes(project), monkeypatch)
    clean = dataclasses.replace(found, left_out={})
    gate = hold_against(baseline_of(clean, suite), found, suite)
    assert gate.met_cases == ("Ambry", "say-3") and {change.compared for change in gate.changes if not change.kind} == {
        18
    }
    assert "2 questions were met in training and are not compared." in gate_sentences(gate)
    assert "Ambry" not in baseline_of(found, suite).passed["rag"]
    root = ElementTree.parse(write_junit(project / "junit.xml", found)).getroot()
    assert [group.get("skipped") for group in root] == ["2", "2", "2"]
    assert len(root.findall(".//skipped")) == 6
    page = write_report(project / "page.html", found, suite, decide(found, suite), title="Towns").read_text("utf-8")
    assert page.count("<small>left out</small>") == 2 and "row 1 of rows.jsonl asks the same" in page
    assert "2 questions are left out of 20" in page


def test_the_windows_matrix_marks_them_and_counts_without_them(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, suite = evaluated(project, tuned_lanes(project), monkeypatch)
    rows = build_rows(cases_of(found, suite), found.results)
    matrix = build_matrix(rows, tuple(found.lanes), MatrixFilter(tag=MET))
    assert [row.case for group in matrix.groups for row in group.rows] == ["Ambry", "say-3"]
    counts = [group.passed["tuned:desk"] for group in build_matrix(rows, tuple(found.lanes), MatrixFilter()).groups]
    assert counts == [(0, 9), (0, 9)]
