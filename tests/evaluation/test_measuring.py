"""What a run measures beside the answers: noise under another seed, repeats, labels that are proven or withheld."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from made_index import ScriptedStages, put_script_in_place, write_index
from made_up import FakeStages, make_answer, make_lanes, make_suite, put_in_place

from workbench import records
from workbench.advice.verdict import decide
from workbench.evaluation.asking import SAMPLE
from workbench.evaluation.evaluate import evaluate
from workbench.evaluation.records import Case, Evaluation, Measuring, Suite
from workbench.events import Result, Stage, last_result
from workbench.lanes.engine import Request
from workbench.lanes.lane import Lane, Sampling
from workbench.lanes.stamp import COPIED
from workbench.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Project.open(tmp_path / "project").folder


class SeededStages(FakeStages):
    """A model whose answers hang on the seed: each second seed changes one verdict in five."""

    seeds: list[int]

    def answer(self, requests: tuple[Request, ...], stops: object = None, exact: bool = False) -> Stage:
        [request] = requests
        place, case = self.places[request.question]
        seed = request.lane.sampling.seed
        self.asked.append((request.lane.name, case.id))
        self.seeds = [*getattr(self, "seeds", []), seed]
        right = self.right(request.lane.name, case, place) != (seed % 2 == 0 and place % 5 == 0)
        yield Result(make_answer(request.lane.name, case, right))


def lane_with(temperature: float) -> tuple[Lane, ...]:
    return tuple(dataclasses.replace(lane, sampling=Sampling(temperature)) for lane in make_lanes(("base",)))


def test_a_second_base_lane_with_another_seed_shows_the_noise(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = make_suite(50, 0, 0)
    worker = put_in_place(monkeypatch, fake := SeededStages(suite, lambda lane, case, place: place % 2 == 0))
    found: Evaluation = last_result(evaluate(suite, lane_with(0.8), project, worker, worker))
    assert found.noise is not None
    assert (found.noise.asked, found.noise.changed_verdict, found.noise.seed) == (50, 10, Sampling().seed + 1)
    assert found.noise.margin > 0.1 and set(fake.seeds) == {Sampling().seed, Sampling().seed + 1}


def test_where_no_chance_is_at_work_a_sample_proves_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = make_suite(50, 0, 0)
    worker = put_in_place(monkeypatch, FakeStages(suite))
    found: Evaluation = last_result(evaluate(suite, lane_with(0.0), project, worker, worker))
    assert found.noise is not None and (found.noise.asked, found.noise.changed_text) == (SAMPLE, 0)


def test_one_text_that_differs_has_every_case_asked_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = make_suite(50, 0, 0)
    worker = put_in_place(monkeypatch, SeededStages(suite))
    found: Evaluation = last_result(evaluate(suite, lane_with(0.0), project, worker, worker))
    assert found.noise is not None and (found.noise.asked, found.noise.changed_verdict) == (50, 10)


def test_repeats_ask_with_the_next_seeds_and_the_majority_decides(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = make_suite(20, 0, 0)
    worker = put_in_place(monkeypatch, fake := SeededStages(suite, lambda lane, case, place: True))
    stage = evaluate(suite, lane_with(0.8), project, worker, worker, "run", Measuring(repeats=3))
    found: Evaluation = last_result(stage)
    assert found.lanes["base"].overall.passed == 20 and found.lanes["base"].flaky == 4
    assert sorted(set(fake.seeds)) == [7, 8, 9, 10]  # three repeats and the second base lane
    asked = len(fake.asked)
    again: Evaluation = last_result(
        evaluate(suite, lane_with(0.8), project, worker, worker, "run", Measuring(repeats=3))
    )
    assert len(fake.asked) == asked and again.lanes == found.lanes


def test_a_stopped_run_with_repeats_asks_nothing_twice(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, lanes = make_suite(8, 0, 0), make_lanes(("base", "prompted"))
    worker = put_in_place(monkeypatch, fake := FakeStages(suite))
    stops = 0
    while True:
        stage, before = evaluate(suite, lanes, project, worker, worker, "run", Measuring(repeats=2)), len(fake.asked)
        done = False
        for event in stage:
            done = isinstance(event, Result) and isinstance(event.value, Evaluation)
            if len(fake.asked) >= before + 5:
                break
        stage.close()
        if done:
            break
        stops += 1
    assert stops >= 6
    assert 40 <= len(fake.asked) <= 40 + stops  # at each stop at most the answer under way is lost


def test_a_cold_run_forgets_before_each_question(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite, forgotten = make_suite(4, 0, 0), []

    def forget() -> Stage:
        forgotten.append(True)
        yield Result(None)

    worker = put_in_place(monkeypatch, fake := FakeStages(suite))
    monkeypatch.setattr("workbench.evaluation.asking.forget", forget)
    last_result(evaluate(suite, make_lanes(("base",)), project, worker, worker, "run", Measuring(cold=True)))
    assert len(forgotten) == len(fake.asked) > 4


def test_a_lane_without_its_adapter_loses_its_label(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = make_suite(60, 0, 0)
    adapter = project / "adapter.gguf"
    adapter.write_bytes(b"adapter")
    tuned = dataclasses.replace(make_lanes(("tuned:x",))[0], adapter=adapter)
    lanes = (*make_lanes(("base", "prompted")), tuned)
    worker = put_in_place(monkeypatch, FakeStages(suite, lambda lane, case, place: lane == "tuned:x"))
    found: Evaluation = last_result(evaluate(suite, lanes, project, worker, worker))
    assert found.withheld == {"tuned:x"}  # its answers are the best by far, and prove nothing
    assert not [effect for effect in found.effects if "tuned:x" in (effect.lane, effect.against)]
    verdict = decide(found, suite)
    assert verdict.lane != "tuned:x" and verdict.recommendation in ("neither", "cannot-tell")
    assert any("left out, for its label is not proven" in reason for reason in verdict.reasons)


def test_an_adapter_that_changes_no_answer_loses_its_label(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_index(project, {"a.md": ["Nothing much."]})
    adapter = project / "adapter.gguf"
    adapter.write_bytes(b"adapter")
    cases = tuple(Case(f"c{n}", f"Question {n}?", "behaviour", ({"json": True},)) for n in range(20))
    suite = Suite(project / "s.yaml", "Same", cases, "s" * 64)
    base = make_lanes(("base",))[0]
    tuned = dataclasses.replace(base, name="tuned:x", adapter=adapter)
    worker = put_script_in_place(monkeypatch, ScriptedStages(lambda request: "{}", records.hash_file(adapter)))
    found: Evaluation = last_result(evaluate(suite, (base, tuned), project, worker, worker))
    assert found.withheld == {"tuned:x"} and "never changed an answer" in found.canaries["tuned:x"]
    worker = put_script_in_place(
        monkeypatch, ScriptedStages(lambda request: f"{{}}{request.lane.name}", records.hash_file(adapter))
    )
    found = last_result(evaluate(suite, (base, tuned), project, worker, worker, "again"))
    assert not found.withheld


def test_a_documents_lane_that_finds_nothing_loses_its_label(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_index(project, {"a.md": ["Zebra."]})
    cases = tuple(Case(f"c{n}", f"Quokka {n}?", "fact", ({"contains": ["x"]},)) for n in range(20))
    suite = Suite(project / "s.yaml", "Nothing found", cases, "s" * 64)
    worker = put_script_in_place(
        monkeypatch, ScriptedStages(lambda request: "x" if "rag" in request.lane.name else "y")
    )
    found: Evaluation = last_result(evaluate(suite, make_lanes(("base", "rag")), project, worker, worker))
    assert found.withheld == {"rag"} and "No passage ever reached" in found.canaries["rag"]
    assert not found.effects and decide(found, suite).recommendation == "cannot-tell"


class CopiedStages(FakeStages):
    """A model whose first answer was read from its faster copy."""

    def answer(self, requests: tuple[Request, ...], stops: object = None, exact: bool = False) -> Stage:
        self.copied = [*getattr(self, "copied", []), requests[0].copied]
        for event in super().answer(requests, stops, exact):
            if not isinstance(event, Result):
                yield event
                continue
            stamp = dataclasses.replace(event.value.stamp, build=f"llama.cpp{COPIED}")
            yield Result(dataclasses.replace(event.value, stamp=stamp))


def test_a_run_that_goes_on_reads_the_weights_it_began_with(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = make_suite(6, 0, 0)
    worker = put_in_place(monkeypatch, first := CopiedStages(suite))
    stage = evaluate(suite, lane_with(0.0), project, worker, worker, "run")
    while not isinstance(next(stage), Result):
        pass
    stage.close()
    assert first.copied == [None]
    worker = put_in_place(monkeypatch, again := CopiedStages(suite))
    last_result(evaluate(suite, lane_with(0.0), project, worker, worker, "run"))
    assert set(again.copied) == {True}
