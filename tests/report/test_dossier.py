from __future__ import annotations

import dataclasses
import json
import re
import shlex
from pathlib import Path

import pytest
from made_up import make_evaluation, make_passage, make_result, make_suite, telling

from workbench import records
from workbench.advice.beside import judge_beside
from workbench.advice.cost import Assumptions, cost_table
from workbench.advice.facts import Facts
from workbench.advice.projection import break_evens, project_costs, set_prices
from workbench.advice.verdict import decide
from workbench.errors import InputError, MissingFile
from workbench.evaluation.drill import Drill, DrillLane, Edit
from workbench.evaluation.gate import baseline_of, hold_against
from workbench.evaluation.judge import Judgement, report_on
from workbench.evaluation.knowledge import SourceAnswer, SourceTest
from workbench.evaluation.records import Evaluation, Suite
from workbench.evaluation.trials import Kept, KeptTests
from workbench.report.dossier import read_dossier, run_again, write_dossier
from workbench.report.page import write_report
from workbench.report.trials import redact_tests, trial_plain

SECRET = "The vault opens at 4711."
SUITE = make_suite(20, 10, 0)


def with_secret() -> Evaluation:
    """An evaluation in which a passage, a prompt, an answer and a check hold a text that must not be handed on."""
    evaluation = make_evaluation(SUITE, telling)
    passage = dataclasses.replace(make_passage(text=SECRET), folder="/home/ada/documents")
    results = tuple(
        make_result(
            "rag",
            SUITE.cases[int(each.case.split("-")[1])],
            False,
            text=SECRET,
            passages=(passage,),
            retrieved=(passage,),
            prompt=SECRET,
        )
        if each.lane == "rag" and each.kind == "fact"
        else each
        for each in evaluation.results
    )
    made = {
        "lanes": {"rag": {"definition": {"model": "/home/ada/models/starter.gguf", "sampling": {"max_tokens": 48}}}}
    }
    return dataclasses.replace(evaluation, results=results, oracle=results[:2], made_with=made)


def both(folder: Path, evaluation: Evaluation, suite: Suite, redacted: str = "") -> tuple[Path, Path]:
    verdict = decide(evaluation, suite)
    page = write_report(folder / "d.html", evaluation, suite, verdict, title="Kestrel", redacted=redacted)
    return page, write_dossier(folder / "d.json", evaluation, suite, verdict, title="Kestrel", redacted=redacted)


@pytest.mark.parametrize("redacted", ["", "documents", "answers"])
def test_page_and_json_hold_what_a_later_run_is_held_against(tmp_path: Path, redacted: str) -> None:
    evaluation = with_secret()
    for path in both(tmp_path, evaluation, SUITE, redacted):
        baseline = read_dossier(path)
        assert baseline == baseline_of(evaluation, SUITE)
        assert hold_against(baseline, evaluation, SUITE).passed


def test_document_text_can_be_left_out_and_is_still_proven_by_its_hash(tmp_path: Path) -> None:
    evaluation = with_secret()
    plain, shown = both(tmp_path, evaluation, SUITE)
    assert SECRET in plain.read_text() and SECRET in shown.read_text()
    _, told = both(tmp_path, evaluation, SUITE, "documents")
    answers = [each["answer"] for each in json.loads(told.read_text())["evaluation"]["results"]]
    hidden = [each for each in answers if each["passages"] and each["lane"] == "rag" and each["text"] == SECRET]
    assert hidden and not any(SECRET in each["prompt"] + each["passages"][0]["text"] for each in hidden)
    assert all(records.hash_text(SECRET)[:16] in each["passages"][0]["text"] for each in hidden)
    for path in both(tmp_path, evaluation, SUITE, "answers"):
        assert SECRET not in path.read_text() and "value 3" not in path.read_text()
        assert "left out" in path.read_text()


def test_no_folder_of_this_machine_is_handed_on(tmp_path: Path) -> None:
    for path in both(tmp_path, with_secret(), SUITE):
        assert "/home/ada" not in path.read_text() and "starter.gguf" in path.read_text()


def test_the_command_to_run_again_names_lanes_and_lengths(tmp_path: Path) -> None:
    parts = shlex.split(run_again(with_secret(), SUITE, "d.html"))
    assert parts[:5] == ["workbench", "evaluate", "suite.yaml", "--lane", "base"]
    assert parts[-4:] == ["--max-tokens", "48", "--against", "d.html"]


def test_a_file_that_is_no_dossier_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<html></html>")
    (tmp_path / "b.json").write_text('{"lanes": {}}')
    (tmp_path / "c.json").write_text('{"workbench_dossier": 99, "baseline": {}}')
    for name, said in (("a.html", "no dossier"), ("b.json", "no dossier"), ("c.json", "newer version")):
        with pytest.raises(InputError, match=said):
            read_dossier(tmp_path / name)
    with pytest.raises(MissingFile):
        read_dossier(tmp_path / "none.json")


def test_the_page_shows_costs_questionnaire_judge_and_what_is_stale(tmp_path: Path) -> None:
    evaluation = dataclasses.replace(make_evaluation(SUITE, telling), memory={"base": 400_000_000})
    verdict = decide(evaluation, SUITE)
    facts = Facts(12.0, 3_000_000, {"tickets": 300.0}, {"tickets": 9_000_000}, {"tickets": 90_000}, 640)
    projections = project_costs(evaluation, facts, Assumptions(), set_prices({"gpu_host": 321.0}))
    advice = {
        "questionnaire": judge_beside(evaluation, SUITE, verdict, {"change": "often"}, 640),
        "costs": cost_table(evaluation, Assumptions(), index_seconds=12.0, train_seconds=facts.train_seconds),
        "projections": projections,
        "break_even": break_evens(projections, "rag+tuned:tickets"),
    }
    judge = report_on("judge.gguf", [Judgement("fact-1", "rag", True, 0.9)], evaluation, {})
    path = write_report(
        tmp_path / "p.html",
        *(evaluation, SUITE, verdict),
        title="Kestrel",
        advice=advice,
        judge=judge,
        stale={"tickets": ("handbook.md",)},
    )
    page = path.read_text()
    assert "640 training rows are here" in page and "By questionnaire" in page
    assert "A year of it" in page and f"${321 * 12 + 275:,.0f}" in page
    assert "nothing says how good it is" in page and 'class="chip"' in page and "400 MB" in page


def kept_tests(suite_hash: str) -> KeptTests:
    """A source test and a drill that hold the secret wherever a text can stand."""
    answers = (
        SourceAnswer("fact-1", "rag", SECRET, "69 months", "document", "69 months"),
        SourceAnswer("fact-2", "tuned:tickets", "36", "63", "weights", SECRET),
    )
    counts = {
        "rag": {"document": 9, "weights": 1, "neither": 2},
        "tuned:tickets": {"document": 0, "weights": 2, "neither": 10},
    }
    made = {
        lane: {"definition": {"context": context, "model": "/home/ada/models/starter.gguf"}, "hash": "h"}
        for lane, context in (("rag", "passages"), ("tuned:tickets", "none"))
    }
    lanes = (DrillLane("rag", True, 3.2, SECRET), DrillLane("tuned:tickets", False, 0.6, "36", 130.0))
    drilled = Drill("How long?", (SECRET,), ("warranty.md",), 1.1, lanes, Edit("warranty.md", SECRET, "24"))
    return KeptTests(
        Kept("sources", "2026-11-22T10:00:00", SourceTest(answers, counts, ("fact-9",)), made, SUITE.name, suite_hash),
        Kept("drill", "2026-11-23T11:30:00", drilled, made),
        ("A kept test is left out: drill-2026.json is damaged.",),
    )


def test_tests_beside_the_suite_are_pictures_with_what_they_mean(tmp_path: Path) -> None:
    evaluation = make_evaluation(SUITE, telling)
    path = write_report(
        tmp_path / "p.html", evaluation, SUITE, decide(evaluation, SUITE), title="Kestrel", tests=kept_tests("other")
    )
    page = path.read_text()
    assert "9 of 12 changed facts as the changed document has them" in page and "2026-11-22 10:00" in page
    assert 'class="part document" style="width:75.0%"' in page and 'class="part weights"' in page
    assert "made with another version of the suite" in page and "drill-2026.json is damaged" in page
    assert "right after 3.2 s" in page and "training took 2 min 10 s" in page
    bars = re.findall(r'class="wait (\w+)" style="width:([\d.]+)%"', page)
    assert [css for css, _ in bars] == ["done", "train"] and 0 < float(bars[0][1]) < float(bars[1][1]) <= 100
    without = write_report(tmp_path / "w.html", evaluation, SUITE, decide(evaluation, SUITE), title="Kestrel")
    assert "Documents or weights?" not in without.read_text()


@pytest.mark.parametrize(("level", "left"), [("", 5), ("documents", 4), ("answers", 0)])
def test_redaction_covers_the_tests_beside_the_suite(tmp_path: Path, level: str, left: int) -> None:
    evaluation = make_evaluation(SUITE, telling)
    tests = kept_tests(SUITE.hash)
    path = write_report(
        tmp_path / "p.html", evaluation, SUITE, decide(evaluation, SUITE), title="K", tests=tests, redacted=level
    )
    shown = redact_tests(tests, level)
    told = json.dumps(records.to_plain(trial_plain(evaluation, shown)), ensure_ascii=False)
    assert told.count(SECRET) == left and "/home/ada" not in told and "starter.gguf" in told
    assert (SECRET in path.read_text()) is (level != "answers")
    if level:
        assert shown.drill is not None and "left out" in shown.drill.found.edit.old


def test_a_withheld_label_is_not_shown_as_if_it_were_proven(tmp_path: Path) -> None:
    evaluation = make_evaluation(SUITE, telling)
    canaries = {**evaluation.canaries, "tuned:tickets": "The adapter never changed an answer."}
    page, _ = both(tmp_path, dataclasses.replace(evaluation, canaries=canaries), SUITE)
    text = page.read_text()
    assert "Label withheld (tuned:tickets)" in text and "Every lane is what its label says" not in text
    assert "The label of tuned:tickets is withheld" in text
