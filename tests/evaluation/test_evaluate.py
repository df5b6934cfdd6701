from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from made_up import LANES, FakeStages, make_lanes, make_suite, put_in_place, telling

from workbench import records
from workbench.errors import ChildCrashed, InputError, ProjectBusy
from workbench.evaluation.asking import SAMPLE
from workbench.evaluation.evaluate import evaluate, list_evaluations, read_evaluation
from workbench.evaluation.records import CaseResult, Evaluation
from workbench.events import Note, Progress, Result, last_result
from workbench.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Project.open(tmp_path / "project").folder


def results_of(events: list[object]) -> list[CaseResult]:
    return [event.value for event in events if isinstance(event, Result) and isinstance(event.value, CaseResult)]


def test_a_suite_of_120_cases_runs_over_five_lanes_one_lane_at_a_time(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, lanes = make_suite(), make_lanes()
    fake = FakeStages(suite)
    worker = put_in_place(monkeypatch, fake)
    events = list(evaluate(suite, lanes, project, worker, worker))
    assert len(results_of(events)) == 600
    assert [result.lane for result in results_of(events)] == [lane for lane in LANES for _ in suite.cases]
    last = events[-1]
    assert isinstance(last, Result) and isinstance(last.value, Evaluation)
    evaluation = last.value
    assert evaluation.lanes["rag"].overall.total == 120
    assert set(evaluation.lanes["base"].by_kind) == {"fact", "behaviour", "unanswerable"}
    assert {"prompting", "retrieval", "tuning", "both", "tuning given retrieval", "interaction"} <= {
        effect.name for effect in evaluation.effects
    }
    assert (evaluation.folder / "evaluation.json").exists()
    progress = [event for event in events if isinstance(event, Progress)]
    assert progress[-1].total == 600 and progress[-1].seconds_left is not None


def test_passages_are_searched_once_for_the_whole_suite(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = make_suite(5, 2, 2)
    fake = FakeStages(suite)
    worker = put_in_place(monkeypatch, fake)
    last_result(evaluate(suite, make_lanes(), project, worker, worker))
    assert fake.searches == [tuple(case.question for case in suite.cases)]


def test_an_evaluation_read_back_is_the_one_that_was_yielded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = make_suite(4, 2, 2)
    worker = put_in_place(monkeypatch, FakeStages(suite))
    evaluation = last_result(evaluate(suite, make_lanes(), project, worker, worker, "first"))
    again = read_evaluation(project / "results" / "first")
    assert again.lanes == evaluation.lanes
    assert again.effects == evaluation.effects
    assert again.results == evaluation.results
    assert list_evaluations(project) == (again,)


def test_a_stopped_run_goes_on_with_the_case_it_was_at(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, lanes = make_suite(6, 2, 2), make_lanes(("base", "rag"))
    fake = FakeStages(suite)
    worker = put_in_place(monkeypatch, fake)
    stage = evaluate(suite, lanes, project, worker, worker)
    seen = 0
    for event in stage:
        seen += isinstance(event, Result)
        if seen == 7:
            break
    stage.close()
    before = list(fake.asked)
    events = list(evaluate(suite, lanes, project, worker, worker))
    asked = fake.asked[len(before) :]
    assert len(before) == 7
    assert asked[: 2 * 10 - 7] == [(lane.name, case.id) for lane in lanes for case in suite.cases][7:]
    assert any(isinstance(event, Note) and "7 of 20" in event.message for event in events)
    assert len(results_of(events)) == 20
    assert len(list((project / "results").iterdir())) == 1  # the unfinished run was found without its name


def test_a_killed_writer_loses_at_most_its_last_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, lanes = make_suite(6, 0, 0), make_lanes(("base",))
    fake = FakeStages(suite)
    worker = put_in_place(monkeypatch, fake)
    last_result(evaluate(suite, lanes, project, worker, worker, "run"))
    path = project / "results" / "run" / "results.jsonl"
    (path.parent / "evaluation.json").unlink()
    path.write_bytes(path.read_bytes().split(b"\n", 4)[0] + b"\n" + path.read_bytes().split(b"\n")[1][:50])
    fake.asked.clear()
    evaluation = last_result(evaluate(suite, lanes, project, worker, worker, "run"))
    assert fake.asked[:5] == [("base", case.id) for case in suite.cases[1:]]
    assert evaluation.lanes["base"].overall.total == 6
    assert len(records.read_lines(path)) == 1 + 5 + 6  # kept, answered now, asked again for the noise


def test_answers_of_another_lane_or_suite_are_not_gone_on_with(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, lanes = make_suite(3, 0, 0), make_lanes(("base",))
    fake = FakeStages(suite)
    worker = put_in_place(monkeypatch, fake)
    last_result(evaluate(suite, lanes, project, worker, worker, "run"))
    asked = len(fake.asked)
    other = (dataclasses.replace(lanes[0], system="Be brief."),)
    last_result(evaluate(suite, other, project, worker, worker, "run"))
    assert len(fake.asked) == 2 * asked
    changed = dataclasses.replace(suite, hash="e" * 64)
    last_result(evaluate(changed, other, project, worker, worker, "run"))
    assert len(fake.asked) == 3 * asked
    last_result(evaluate(changed, other, project, worker, worker, "run"))
    assert len(fake.asked) == 3 * asked


def test_a_finished_run_without_a_name_is_not_reused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, lanes = make_suite(2, 0, 0), make_lanes(("base",))
    worker = put_in_place(monkeypatch, FakeStages(suite))
    first = last_result(evaluate(suite, lanes, project, worker, worker))
    second = last_result(evaluate(suite, lanes, project, worker, worker))
    assert first.name.startswith("Made-up-questions-2") and second.name == f"{first.name}-2"


def test_one_crash_is_outlived_and_a_second_is_recorded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, lanes = make_suite(6, 0, 0), make_lanes(("base",))
    fake = FakeStages(suite, lambda lane, case, place: True)
    crashes = {"fact-1": 1, "fact-3": 2}

    def crash(lane: str, case: object) -> None:
        name = case.id  # type: ignore[attr-defined]
        if crashes.get(name, 0) > 0:
            crashes[name] -= 1
            raise ChildCrashed("The model engine stopped unexpectedly.")

    fake.before = crash
    worker = put_in_place(monkeypatch, fake)
    evaluation = last_result(evaluate(suite, lanes, project, worker, worker, "run"))
    passed = {result.case: result.passed for result in evaluation.results}
    assert passed == {f"fact-{n}": n != 3 for n in range(6)}
    failed = next(result for result in evaluation.results if result.case == "fact-3")
    assert failed.answer.stopped == "failed" and "stopped unexpectedly" in failed.checks[0].reason
    assert evaluation.lanes["base"].failed == 1
    again = last_result(evaluate(suite, lanes, project, worker, worker, "run"))
    assert all(result.passed for result in again.results)  # only the failed case was asked once more


def test_an_engine_that_fails_at_everything_ends_the_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = make_suite(20, 0, 0)
    fake = FakeStages(suite)

    def crash(lane: str, case: object) -> None:
        raise ChildCrashed("The model engine stopped unexpectedly.")

    fake.before = crash
    worker = put_in_place(monkeypatch, fake)
    with pytest.raises(ChildCrashed, match="5 cases in a row"):
        last_result(evaluate(suite, make_lanes(("base",)), project, worker, worker))


def test_the_same_lane_is_asked_again_to_measure_the_noise(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = make_suite(30, 0, 0)
    fake = FakeStages(suite)
    worker = put_in_place(monkeypatch, fake)
    evaluation = last_result(evaluate(suite, make_lanes(("base", "rag")), project, worker, worker))
    assert evaluation.noise is not None
    assert (evaluation.noise.lane, evaluation.noise.asked, evaluation.noise.changed_verdict) == ("base", SAMPLE, 0)
    assert evaluation.noise.margin == pytest.approx(1 / 30)


def test_a_second_writer_is_told_who_is_at_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = make_suite(2, 0, 0)
    worker = put_in_place(monkeypatch, FakeStages(suite))
    with Project.open(project).writing("indexing"), pytest.raises(ProjectBusy, match="indexing"):
        next(evaluate(suite, make_lanes(("base",)), project, worker, worker))


@pytest.mark.parametrize("name", ["../out", "a/b", "..", "a b"])
def test_a_name_that_is_no_folder_is_refused(name: str, project: Path) -> None:
    with pytest.raises(InputError, match="cannot name a run"):
        next(evaluate(make_suite(1, 0, 0), make_lanes(("base",)), project, None, None, name))  # type: ignore[arg-type]


def test_lanes_are_needed_and_each_once(project: Path) -> None:
    for names in ((), ("base", "base")):
        with pytest.raises(InputError, match="at least one lane"):
            next(evaluate(make_suite(1, 0, 0), make_lanes(names), project, None, None))  # type: ignore[arg-type]


def test_the_canary_says_when_a_lane_is_not_what_it_is_called(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = make_suite(4, 0, 0)
    adapter = project / "adapter.gguf"
    adapter.write_bytes(b"adapter")
    tuned = dataclasses.replace(make_lanes(("tuned:x",))[0], adapter=adapter)
    worker = put_in_place(monkeypatch, FakeStages(suite, telling))
    evaluation = last_result(evaluate(suite, (*make_lanes(("base", "rag")), tuned), project, worker, worker))
    assert evaluation.canaries["base"] == evaluation.canaries["rag"] == "ok"
    assert "not the lane's own" in evaluation.canaries["tuned:x"]


def test_a_search_is_counted_once_for_each_answer_that_needed_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = make_suite(3, 0, 0)
    worker = put_in_place(monkeypatch, FakeStages(suite))
    evaluation = last_result(evaluate(suite, make_lanes(("base", "rag")), project, worker, worker))
    times = {(each.lane, each.answer.retrieve_seconds, each.answer.seconds) for each in evaluation.results}
    assert times == {("base", 0.0, 1.0), ("rag", 0.01, 1.01)}


def test_a_lane_of_whole_documents_gets_them(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = make_suite(2, 0, 0)
    fake = FakeStages(suite, lambda lane, case, place: True)
    lanes = (dataclasses.replace(make_lanes(("full",))[0], context="full", passages=1),)
    worker = put_in_place(monkeypatch, fake)
    last_result(evaluate(suite, lanes, project, worker, worker))
    assert set(fake.documents) == {"handbook.md"}


def test_the_transcript_is_left_to_conversations(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = make_suite(2, 0, 0)
    worker = put_in_place(monkeypatch, FakeStages(suite))
    last_result(evaluate(suite, make_lanes(("base",)), project, worker, worker))
    assert not (project / "transcript.jsonl").exists()
