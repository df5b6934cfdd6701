from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from made_up import make_evaluation, make_suite

from workbench import paths
from workbench.children import Here
from workbench.errors import InputError
from workbench.evaluation.judge import JudgeReport, judge, kappa, mark, marks_needed, read_marks, read_report
from workbench.evaluation.records import Evaluation
from workbench.evaluation.statistics import rate_of
from workbench.events import Result, Stage, last_result

SUITE = make_suite(20, 0, 0)


@pytest.fixture
def evaluation(tmp_path: Path) -> Evaluation:
    made = make_evaluation(SUITE, lambda lane, case, place: lane == "rag", ("base", "rag"))
    return dataclasses.replace(made, folder=tmp_path)


def scripted(monkeypatch: pytest.MonkeyPatch, biased: tuple[str, ...] = (), silent: tuple[str, ...] = ()) -> None:
    """A judge that knows right from wrong, but always says A to some answers and would rather chat about others."""

    def weigh(path: Path, prompts: tuple[Any, ...], options: tuple[str, ...]) -> Stage:
        for prompt in prompts:
            asked = prompt[-1]["content"]
            right, turned = "It is value" in asked, "A: it is wrong" in asked
            if any(f"fact {name}?" in asked for name in silent):
                yield Result((0.1, 0.05))
            elif any(f"fact {name}?" in asked for name in biased):
                yield Result((0.9, 0.1))
            else:
                yield Result((0.1, 0.9) if right == turned else (0.9, 0.1))

    monkeypatch.setattr("workbench.evaluation.judge.weigh", weigh)


def judged(evaluation: Evaluation) -> JudgeReport:
    found: JudgeReport = last_result(judge(evaluation, SUITE, Path("judge.gguf"), Here()))
    return found


def test_a_judge_that_contradicts_itself_has_failed(evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, biased=("3",), silent=("4",))
    report = judged(evaluation)
    assert (report.failed.passed, report.failed.total) == (4, 40)
    assert (report.lanes["rag"].passed, report.lanes["rag"].total) == (18, 18)
    assert (report.lanes["base"].passed, report.checks and report.checks.rate) == (0, 1.0)


def test_without_a_persons_marks_the_sentence_says_that_nothing_shows_how_good_it_is(
    evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch)
    report = judged(evaluation)
    assert report.marks is None and report.kappa is None and "nothing says how good it is" in report.sentence
    for number in range(8):
        mark(evaluation, f"fact-{number}", "rag", number != 0)
        mark(evaluation, f"fact-{number}", "base", False)
    again = read_report(evaluation)
    assert again is not None and again.marks is not None and (again.marks.passed, again.marks.total) == (15, 16)
    assert (
        again.kappa == pytest.approx(0.875)
        and "no verdict on 0 of 40; agrees with your marks on 15 of 16" in again.sentence
    )


def test_the_last_mark_counts_and_an_unknown_answer_cannot_be_marked(evaluation: Evaluation) -> None:
    mark(evaluation, "fact-1", "rag", True)
    mark(evaluation, "fact-1", "rag", False)
    assert read_marks(evaluation.folder) == {("rag", "fact-1"): False}
    with pytest.raises(InputError, match="no answer of rag to nothing"):
        mark(evaluation, "nothing", "rag", True)
    assert read_report(evaluation) is None


def test_a_mark_is_taken_back(evaluation: Evaluation) -> None:
    mark(evaluation, "fact-1", "rag", True)
    mark(evaluation, "fact-2", "rag", False)
    mark(evaluation, "fact-1", "rag", None)
    assert read_marks(evaluation.folder) == {("rag", "fact-2"): False}


def test_each_lane_has_its_own_failures_and_agreement_and_the_marks_needed_are_said(
    evaluation: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(monkeypatch, biased=("3",))
    report = judged(evaluation)
    assert {lane: rate.passed for lane, rate in report.failed_lanes.items()} == {"base": 1, "rag": 1}
    assert report.marked_lanes == {} and f"Mark about {marks_needed(None)} answers" in report.marks_sentence
    for number in range(8):
        mark(evaluation, f"fact-{number}", "rag", True)
    again = read_report(evaluation)
    assert again is not None and (again.marked_lanes["rag"].passed, again.marked_lanes["rag"].total) == (7, 7)
    assert "It takes about" in again.marks_sentence and "base" not in again.marked_lanes


def test_so_many_marks_are_needed_that_the_agreement_is_known_to_ten_points() -> None:
    for agreed, total in ((0, 0), (7, 7), (15, 16), (70, 90)):
        rate = rate_of(agreed, total) if total else None
        needed = marks_needed(rate)
        low, high = rate_of(round(needed * (0.5 if rate is None else max(0.5, rate.interval[0]))), needed).interval
        assert high - low <= 0.2 and needed >= 60
    assert marks_needed(rate_of(97, 100)) < 100


def test_kappa_is_nothing_where_chance_explains_all() -> None:
    assert kappa([(True, True)] * 5) == 0.0
    assert kappa([(True, True), (False, False)]) == 1.0
    assert kappa([(True, True), (True, False), (False, True), (False, False)]) == 0.0


def test_lanes_that_did_not_run_cannot_be_judged(evaluation: Evaluation) -> None:
    with pytest.raises(InputError, match="no answer to judge"):
        last_result(judge(evaluation, SUITE, Path("judge.gguf"), Here(), ("tuned:x",)))


@pytest.mark.slow
def test_the_starter_can_only_say_one_of_the_options() -> None:
    from workbench.lanes import pool
    from workbench.lanes.weigh import weigh

    prompts = tuple(
        ({"role": "user", "content": text},) for text in ("Say A.", "Is water wet? A: yes. B: no.", "Say A.")
    )
    found = [event.value for event in weigh(paths.starter_model(), prompts, ("A", "B")) if isinstance(event, Result)]
    assert len(found) == 3 and all(0 < chance < 1 for pair in found for chance in pair)
    assert all(sum(pair) <= 1 for pair in found) and found[0] == pytest.approx(found[2])
    with pytest.raises(InputError, match="cannot tell"):
        list(weigh(paths.starter_model(), prompts, ("A", "A")))
    pool.clear()
