"""The benchmarks of answering run to their end on the real starter, and what they count is right."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from workbench.bench import Figure, _answering, _load, _looks, decode, neighbours, soak
from workbench.bench._picture import draw
from workbench.cli import cli
from workbench.errors import InputError
from workbench.events import last_result
from workbench.lanes import pool
from workbench.lanes.lane import Answer, Lane
from workbench.lanes.transcript import append_answer
from workbench.tuning.recipe import Recipe


@pytest.fixture
def emptied() -> Iterator[None]:
    yield
    pool.clear()


def by_name(figures: tuple[Figure, ...]) -> dict[str, Figure]:
    return {each.name: each for each in figures}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_some_questions_with_stops_and_kills_lose_no_answer_and_mix_up_no_lane(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak, "KILLED", 0.25)
    monkeypatch.setattr(soak, "LOOKS", 3)
    monkeypatch.setattr(_looks, "SETTLED", 3)
    found = by_name(last_result(soak.run(tmp_path, 16)))
    answers, kept = found["answers of the very lane they name"], found["answers in the transcript"]
    assert answers.yardstick > 16 and answers.ours == answers.yardstick
    assert kept.ours == kept.yardstick >= answers.yardstick and kept.note == "0 that nobody gave"
    memory = found["the engine's memory in the same state, its last look beside its first"]
    assert "0 killed" not in memory.note and memory.ours > 0


def test_a_soak_sees_an_answer_that_is_missing_one_nobody_gave_and_one_of_another_lane(tmp_path: Path) -> None:
    held = soak._Soak(tmp_path, (Lane("base", tmp_path / "model.gguf"),))
    held._expected = Counter({("Why?", "base", "end"): 2})
    held._given, held._right = 2, 1
    append_answer(tmp_path, Answer("Why?", "base", "So."))
    append_answer(tmp_path, Answer("Why?", "rag", "So."))
    found = by_name(held.figures())
    assert found["answers in the transcript"].ratio == 0.5
    assert found["answers in the transcript"].note == "1 that nobody gave"
    assert found["answers of the very lane they name"].ratio == 0.5
    lane = Lane("base", tmp_path / "model.gguf")
    assert not soak._is_of(Answer("Why?", "base", "So.", stopped="failed"), lane, "Why?", "So.")
    assert not soak._is_of(Answer("Why?", "base", "So.", stopped="cancelled"), lane, "Why?", "So.")


def test_an_engine_is_held_beside_itself_once_it_has_settled() -> None:
    seen = [(1, 0, 300.0), (1, 20, 310.0), (2, 12, 400.0), (2, 62, 401.0), (2, 112, 440.0)]  # engine, age, MB
    looks = [_looks.Look(50 * place, *each, 100.0, 50.0) for place, each in enumerate(seen)]
    held = [each.held for each in _looks.settled(looks)]
    assert held == [400.0, 401.0, 440.0] and _looks.drift(held) == "+10.0 %"
    found = _looks.growth("memory", held)
    assert (found.ours, found.yardstick, found.ratio) == (440.0, 400.0, pytest.approx(1.1))
    assert "in the middle 401.0" in found.note and _looks.growth("memory", []).ratio == 1.0


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_answering, "REPEATS", 1)
    monkeypatch.setattr(_answering, "TOKENS", 6)
    monkeypatch.setattr(_answering, "DOCUMENT", _answering.SENTENCE * 8)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_answering_is_measured_beside_bare_llama_cpp_and_beside_a_first_turn(
    tmp_path: Path, brief: None, emptied: None
) -> None:
    found = by_name(last_result(decode.run(tmp_path)))
    assert {"decode, lane beside bare llama.cpp", "first token, second turn beside first, one document"} <= set(found)
    assert all(each.ours > 0 and each.yardstick > 0 for each in found.values())


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_lanes_side_by_side_are_measured_and_drawn(tmp_path: Path, brief: None, emptied: None) -> None:
    picture = tmp_path / "lanes.svg"
    ran = CliRunner().invoke(
        cli, ["bench", "lanes", "--picture", str(picture), "--json", "--project", str(tmp_path / "project")]
    )
    assert ran.exit_code == 0, ran.output
    found = {each["name"]: each for each in json.loads(ran.stdout)["figures"]}
    assert {"four lanes in one batch beside bare llama.cpp", "the same without key-value caches"} <= set(found)
    assert all(each["ours"] > 0 and each["yardstick"] > 0 for each in found.values())
    assert found["the same without key-value caches"]["ours"] < found["memory, five lanes beside one"]["ours"]
    words = "".join(ElementTree.parse(picture).getroot().itertext())
    assert all(name in words for name in found)


def test_a_picture_has_a_bar_each_as_long_as_its_figure_and_escapes_what_it_says(tmp_path: Path) -> None:
    drawn = ElementTree.fromstring(draw("a <title>", (Figure("left & right", 50.0, 200.0, 0.25, "MB", "<note>"),)))
    _, *bars = [each.attrib["width"] for each in drawn.iter("{http://www.w3.org/2000/svg}rect")]  # the ground first
    assert float(bars[0]) / float(bars[1]) == pytest.approx(0.25)
    assert "left & right" in "".join(drawn.itertext()) and "50.00 MB" in "".join(drawn.itertext())


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_chat_and_the_work_beside_it_are_both_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "TOKENS", 24)
    monkeypatch.setattr(neighbours, "COPIES", 20)
    monkeypatch.setattr(_load, "Recipe", partial(Recipe, batch_size=1, eval_share=0.001))  # steps soon enough
    found = by_name(last_result(neighbours.run(tmp_path, rounds=1, seconds=1.0)))
    assert len(found) == 4
    assert all(each.ours > 0 and each.yardstick > 0 for each in found.values())


def test_a_count_is_refused_where_it_means_nothing(tmp_path: Path) -> None:
    asked = CliRunner().invoke(cli, ["bench", "decode", "--count", "3", "--project", str(tmp_path)])
    assert isinstance(asked.exception, InputError) and "takes no --count" in str(asked.exception)
