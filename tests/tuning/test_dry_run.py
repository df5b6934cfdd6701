"""A dry run: a tiny model's steps are measured, stopped and left out; the starter's in a child, kept and used again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from tiny import random_rows, tiny_model, with_lora, write_gguf

from workbench import paths, records
from workbench.catalog import memory
from workbench.events import Progress, Result, last_result
from workbench.tuning import adapter, dry_run, dry_steps, forecast, peft_gpu
from workbench.tuning.dataset import inspect
from workbench.tuning.forecast import Measured
from workbench.tuning.loop import Data
from workbench.tuning.packing import packed_length, register_attention
from workbench.tuning.peft_cpu import Trainer
from workbench.tuning.recipe import Recipe, choose_recipe
from workbench.tuning.threads import FreeCores
from workbench.tuning.train import DRY


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    write_gguf(tiny_model(), tmp_path / "tiny.gguf")
    return Recipe("dry", tmp_path / "tiny.gguf", (), tmp_path, layers=(1,), batch_size=3, sample_rows=0, rank=4)


@pytest.fixture
def trainer() -> Trainer:
    register_attention()
    return Trainer(with_lora(tiny_model(), [1]), "fp32", 0.75, 1, FreeCores(1), 300)


def data(rows: int = 20) -> Data:
    examples: list[Any] = [SimpleNamespace(tokens=row, source="", grounded=False) for row in random_rows(rows, 6)]
    tokenizer: Any = SimpleNamespace(
        prompt_ids=lambda text: [3 + len(text) % 90] * 50,
        render=lambda messages, open_turn: "asked",
        decode=lambda ids: " ".join(map(str, ids)),
        end_id=2,
    )
    return Data(examples[4:], examples[:4], tokenizer)


def go_on() -> bool:
    return False


@pytest.fixture(autouse=True)
def no_llama(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny model's file has no tokenizer, so that llama.cpp cannot be asked with it; the starter's is below."""

    def hand_over(recipe: Recipe, model: Any, examples: Any, tokenizer: Any, told: Any) -> Any:
        assert (recipe.folder / "peft" / "adapter_config.json").is_file(), "what is handed over is written before"
        yield told(1.0, "handed over")

    monkeypatch.setattr(dry_steps, "hand_over", hand_over)


def test_steps_are_measured_and_the_longest_rows_tried(recipe: Recipe, trainer: Trainer) -> None:
    events = list(dry_steps.run(recipe, data(), go_on, trainer))
    assert {type(event) for event in events} == {Progress, Result}
    found: Measured = events[-1].value  # type: ignore[union-attr]
    rows = [example.tokens for example in data().train]
    assert (found.rows, found.layers, found.trained, found.remembers) == (16, 2, 1, True)
    assert found.read_tokens == sum(len(row.ids) for row in rows) and found.longest == len(rows[-1].ids)
    assert found.held_tokens == packed_length([each.tokens for each in data().held_out])
    assert 0 < found.pass_tokens <= found.read_tokens
    assert found.longest < found.at_once <= 300, "so many of the longest rows as are computed at once"
    assert found.end_seconds > 0 and found.ending >= 0 and found.once >= 0 and found.keep_seconds > 0
    assert any(isinstance(event, Progress) and event.note == "handed over" for event in events)
    assert found.first > 0 and found.later > 0 and found.look > 0 and found.learning >= found.loaded > 0 and found.tried


def test_padding_counts_where_rows_are_padded_and_nothing_is_remembered(recipe: Recipe) -> None:
    trainer = peft_gpu.Trainer(with_lora(tiny_model(), [1]), "bf16", 300)
    found: Measured = last_result(dry_steps.run(recipe, data(), go_on, trainer))
    assert not found.remembers and found.state_bytes == 0
    assert found.pass_tokens > found.read_tokens, "rows of different lengths stand side by side"
    assert found.at_once % found.longest == 0 and found.at_once <= 300


def test_where_the_longest_rows_would_not_fit_they_are_reckoned(
    recipe: Recipe, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt: list[int] = []
    backward = trainer.backward

    def count(rows: Any, guard: Callable[[], None]) -> float:
        learnt.append(max(len(row.ids) for row in rows))
        return backward(rows, guard)

    monkeypatch.setattr(trainer, "backward", count)
    monkeypatch.setattr(memory, "free", lambda here=True: 0)
    found: Measured = last_result(dry_steps.run(recipe, data(), go_on, trainer))
    assert not found.tried and max(learnt) < found.longest
    assert not (recipe.folder / "peft").exists(), "there is no memory to compare it in full precision either"
    assert forecast.tell(found, recipe, 0).fits is False


def test_a_stop_is_heard_within_a_step(recipe: Recipe, trainer: Trainer) -> None:
    asked: list[bool] = []

    def stop() -> bool:
        return bool(asked)

    stage = dry_steps.run(recipe, data(), stop, trainer)
    for event in stage:
        if isinstance(event, Progress) and event.note == "steps of a first pass":
            asked.append(True)
        if isinstance(event, Result):
            assert event.value is None
    assert asked


def test_what_was_measured_is_kept_for_the_model_the_computer_and_the_rows(recipe: Recipe, tmp_path: Path) -> None:
    report: Any = SimpleNamespace(examples=100, tokens=9_000, lengths={"longest": 200}, histogram=((200, 100),))
    other: Any = SimpleNamespace(examples=50, tokens=4_500, lengths={"longest": 200}, histogram=((200, 50),))
    measured = Measured(
        "cpu (bf16)", "2026-11-20T21:14:00", 1000, 2, 1, True, 1.0, 0.004, 0.003, 0.001, 0.0, 90, 8_000, 8_000, 900,
        200, 200, 1000, 2000,
    )  # fmt: skip
    assert dry_run.kept(recipe, report) is None and dry_run.estimate(recipe, report) is None
    dry_run.keep(recipe, report, measured)
    assert dry_run.kept(recipe, report) == measured and dry_run.kept(recipe, other) is None
    assert list(dry_run.dry_run(recipe, report)) == [Result(measured)], "measured before: no child is started"
    told = dry_run.estimate(recipe, other)
    assert told is not None and not told.here and told.rows == 45

    # Another model, backend or precision costs something else.
    for changed in ({"backend": "gpu"}, {"precision": "fp32"}, {"threads": 1}, {"model": tmp_path / "other.gguf"}):
        assert dry_run.estimate(replace(recipe, **changed), report) is None  # type: ignore[arg-type]
    (paths.cache_folder() / dry_run.KEPT).write_text("[{]", encoding="utf-8")
    assert dry_run.estimate(recipe, report) is None
    dry_run.keep(recipe, report, measured)
    assert dry_run.kept(recipe, report) == measured


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_starter_is_measured_in_a_child_that_can_be_ended(tmp_path: Path) -> None:
    colours = ["red", "blue", "green", "black", "white", "brown", "pink", "grey", "teal", "gold", "plum", "lime"]
    rows = [{"prompt": f"The {c} door " * 3, "completion": json.dumps({"colour": c})} for c in colours]
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    model = paths.starter_model()
    report = last_result(inspect((file,), model))
    recipe, _ = choose_recipe("balanced", "doors", model, (file,), tmp_path / "doors", report)

    def places() -> list[Path]:
        return list(paths.cache_folder().glob("dry-run-*"))

    # Ended while it loads: the child is gone, its folder too, and nothing is said to be known.
    stage = dry_run.dry_run(recipe, report)
    for event in stage:
        if isinstance(event, Progress) and event.note.startswith("loading"):
            break
    (place,) = places()
    child = int(records.read_json(place / "run.json")["pid"])
    began = time.monotonic()
    stage.close()
    assert time.monotonic() - began < 30 and not psutil.pid_exists(child)
    assert not places() and dry_run.kept(recipe, report) is None

    # Its program is killed: the child ends by itself, and what it left is removed once nobody can need it.
    script = (
        "import sys; from pathlib import Path; from workbench import records; from workbench.tuning import tune; "
        "from workbench.tuning.recipe import Recipe; "
        "list(tune.start(records.from_plain(Recipe, records.read_json(Path(sys.argv[1])))))"
    )
    left = paths.cache_folder() / "dry-run-left"
    left.mkdir()
    records.write_json(tmp_path / "recipe.json", replace(recipe, folder=left, name=left.name, extra={DRY: True}))
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "recipe.json")], check=True, timeout=300)
    about = records.read_json(left / "run.json")
    while adapter.is_alive(about):
        time.sleep(0.1)
    os.utime(left, (0, 0))

    found: Measured = last_result(dry_run.dry_run(recipe, report))
    assert found.backend.startswith("cpu (") and found.tried and found.here
    assert (found.layers, found.trained, found.rows) == (30, 12, 8)
    assert found.learning > found.loaded > 300_000_000, "the weights in 16 bits alone are 270 MB"
    assert min(found.first, found.later, found.look, found.sample_seconds, found.end_seconds) > 0
    assert not places() and not (tmp_path / "doors").exists(), "nothing is kept but the figures"
    assert dry_run.kept(recipe, report) == found
    told = forecast.tell(found, recipe, memory.free(here=False))
    assert told.seconds > found.start_seconds and told.memory >= told.memory_needed > 300_000_000
