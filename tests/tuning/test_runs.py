"""Runs as their folders tell of them: states, steps told twice, notes, deleting; checkpoints without pickle."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from workbench import paths, records
from workbench.errors import BadModel, ChildCrashed, InputError, MissingFile, ProjectBusy, TooFast
from workbench.events import Note, Progress, Result, Step
from workbench.project import Project
from workbench.tuning import adapter, begun, card, checkpoint, tune
from workbench.tuning.recipe import PRESETS, Recipe, choose_recipe, held_out_count, mark_starter, rate_for, read_recipe


def line(kind: str, **value: Any) -> dict[str, Any]:
    return {"kind": kind, "at": 0.0, "value": value}


def step(number: int, loss: float, measured: float | None = None) -> dict[str, Any]:
    return line("step", step=number, total=4, train_loss=loss, eval_loss=measured, tokens_per_second=9.0, seconds=1.0)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder of a project, with a recipe and nothing else."""
    folder = Project.open(tmp_path).adapters_folder / "first"
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"prompt": "a", "completion": "b"}\n', encoding="utf-8")
    records.write_json(folder / "recipe.json", Recipe("first", tmp_path / "model.gguf", (rows,), folder))
    return folder


def tell(folder: Path, *lines: dict[str, Any]) -> None:
    for each in lines:
        records.append_line(folder / "events.jsonl", each)


def test_a_run_is_told_from_its_folder(run: Path, tmp_path: Path) -> None:
    tell(
        run,
        line("start", name="first"),
        step(1, 2.0),
        step(2, 1.5, 1.7),
        line("end", state="stopped", outcome="Stopped."),
    )
    (found,) = adapter.list_runs(tmp_path)
    assert (found.name, found.state, found.outcome, found.step, found.total) == ("first", "stopped", "Stopped.", 2, 4)
    assert found.train_loss == ((1, 2.0), (2, 1.5)) and found.eval_loss == ((2, 1.7),)
    assert found.adapter is None


def test_steps_told_again_after_a_crash_count_once(run: Path) -> None:
    tell(run, line("start"), step(1, 2.0), step(2, 1.5), step(3, 9.9), line("start"), step(2, 1.4))
    assert adapter.read_run(run).train_loss == ((1, 2.0), (2, 1.4))


def test_a_broken_last_line_is_left_out(run: Path) -> None:
    tell(run, line("start"), step(1, 2.0))
    with (run / "events.jsonl").open("ab") as file:
        file.write(b'{"kind": "step", "val')
    assert adapter.read_run(run).step == 1


def test_a_run_without_a_last_word_and_without_a_process_has_failed(run: Path) -> None:
    tell(run, line("start"), step(1, 2.0))
    records.write_json(run / "run.json", {"pid": 999_999_999, "started": 0.0})
    found = adapter.read_run(run)
    assert found.state == "failed" and "start it again under the same name" in found.outcome
    with pytest.raises(ChildCrashed, match="ended from outside"):
        list(tune.watch(run))


def test_a_process_id_used_again_is_not_taken_for_the_run(run: Path) -> None:
    records.write_json(run / "run.json", {"pid": os.getpid(), "started": psutil.Process().create_time() - 100})
    assert adapter.read_run(run).state == "failed"
    records.write_json(run / "run.json", {"pid": os.getpid(), "started": psutil.Process().create_time()})
    assert adapter.read_run(run).state == "running"


def test_watching_tells_the_last_attempt_and_raises_what_ended_it(run: Path) -> None:
    tell(run, line("start"), step(1, 2.0), line("end", state="stopped", outcome="Stopped."))
    tell(run, line("start"), step(2, 1.0, 1.1), line("end", state="failed", outcome="Too damaged.", error="BadModel"))
    events = []
    with pytest.raises(BadModel, match="Too damaged"):
        for event in tune.watch(run):
            events.append(event)
    assert [event.step for event in events if isinstance(event, Step)] == [2]
    assert [event.done for event in events if isinstance(event, Progress)] == [2]


def test_a_stopped_run_ends_with_its_description(run: Path) -> None:
    tell(run, line("start"), step(1, 2.0), line("end", state="stopped", outcome="Stopped."))
    *_, note, result = tune.watch(run)
    assert isinstance(note, Note) and isinstance(result, Result) and result.value.state == "stopped"


def test_a_note_is_kept_and_a_deleted_run_frees_its_space(run: Path, tmp_path: Path) -> None:
    adapter.set_note(run, "  too few rows ")
    assert adapter.read_run(run).note == "too few rows"
    (run / "adapter.gguf").write_bytes(b"x" * 1000)
    assert adapter.delete_run(tmp_path, "first") > 1000
    assert not run.exists() and adapter.list_runs(tmp_path) == ()


@pytest.mark.parametrize("name", ["second", "", "..", "../first", "."])
def test_what_is_no_run_is_not_deleted(name: str, run: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no fine-tune"):
        adapter.delete_run(tmp_path, name)
    assert run.exists() and (tmp_path / "project.json").exists()


def test_a_running_run_is_not_deleted(run: Path, tmp_path: Path) -> None:
    records.write_json(run / "run.json", {"pid": os.getpid(), "started": psutil.Process().create_time()})
    with pytest.raises(ProjectBusy, match="running"):
        adapter.delete_run(tmp_path, "first")


def test_what_an_unfinished_run_learnt_is_given_up_only_when_asked(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe: Recipe = records.from_plain(Recipe, records.read_json(run / "recipe.json"))
    records.write_json(run / "checkpoint" / "state.json", {"step": 2, "recipe": checkpoint.recipe_key(recipe)})
    tell(run, line("start", name="first"), step(2, 1.5))
    monkeypatch.setattr(tune, "check", lambda recipe: None)
    other = replace(recipe, seed=5, layers=(1, 2, 3))
    assert tune.differences(recipe) == ()
    with pytest.raises(InputError, match=r"has layers all in place of 1 to 3, seed 3407 in place of 5\. It stays"):
        list(tune.start(other))
    assert (run / "checkpoint" / "state.json").exists() and len(records.read_lines(run / "events.jsonl")) == 2
    assert records.read_json(run / "recipe.json")["seed"] == 3407  # so that it can still go on
    recipe.datasets[0].write_text("{}", encoding="utf-8")
    assert tune.differences(recipe) == ("other rows",)

    def gone(*_: Any, **__: Any) -> None:
        raise ChildCrashed("not started here")

    monkeypatch.setattr(tune.subprocess, "Popen", gone)
    with pytest.raises(ChildCrashed):
        list(tune.start(other, anew=True))
    assert not (run / "checkpoint").exists() and not (run / "events.jsonl").exists()


def test_a_run_that_was_too_fast_says_with_which_rate_to_start_anew(run: Path) -> None:
    tell(run, line("start"), line("end", state="failed", outcome="Too fast.", error="TooFast", slower=2e-4))
    assert adapter.read_run(run).slower == 2e-4
    with pytest.raises(TooFast, match="Too fast"):
        list(tune.watch(run))
    tell(run, line("start"))  # it was begun again
    assert adapter.read_run(run).slower == 0.0


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden"])
def test_a_name_that_is_no_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be the name"):
        tune.check(Recipe(name, tmp_path / "m", (tmp_path / "d",), tmp_path / "r"))


def test_missing_files_are_said_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(MissingFile):
        list(tune.tune(Recipe("a", tmp_path / "m.gguf", (tmp_path / "d.jsonl",), tmp_path / "r")))
    assert not (tmp_path / "r" / "run.json").exists()


def test_a_checkpoint_comes_back_whole_and_holds_no_pickle(tmp_path: Path) -> None:
    import torch

    def fresh() -> tuple[dict[str, Any], Any]:
        torch.manual_seed(3)
        tensor = torch.nn.Parameter(torch.randn(3, 4))
        return {"a.lora_A": tensor}, torch.optim.AdamW([tensor], lr=0.1, fused=True)

    def train(parameters: dict[str, Any], optimizer: Any, steps: range) -> None:
        for number in steps:
            parameters["a.lora_A"].grad = torch.full((3, 4), float(number + 1))
            optimizer.step()

    parameters, optimizer = fresh()
    train(parameters, optimizer, range(3))
    checkpoint.save_checkpoint(tmp_path / "checkpoint", parameters, optimizer, {"step": 3})
    train(parameters, optimizer, range(3, 6))
    again, other = fresh()
    checkpoint.load_checkpoint(tmp_path / "checkpoint", again, other)
    train(again, other, range(3, 6))
    assert torch.equal(again["a.lora_A"], parameters["a.lora_A"])
    assert sorted(path.name for path in (tmp_path / "checkpoint").iterdir()) == [
        "adapter.safetensors",
        "optimizer.safetensors",
        "state.json",
    ]


def test_a_checkpoint_half_replaced_is_put_right(tmp_path: Path) -> None:
    old = tmp_path / "checkpoint.old"
    records.write_json(old / "state.json", {"step": 2})
    assert checkpoint.read_state(tmp_path / "checkpoint") == {"step": 2}
    assert not old.exists()


def kept_twice(folder: Path) -> tuple[dict[str, Any], Any]:
    """Checkpoints of two steps, the later in place and the one before as its spare."""
    import torch

    tensor = torch.nn.Parameter(torch.zeros(64))
    parameters, optimizer = {"a": tensor}, torch.optim.AdamW([tensor], lr=0.1, fused=True)
    for step in (1, 2):
        tensor.grad = torch.ones(64)
        optimizer.step()
        state = {"step": step, "recipe": "key", "course": {"best_step": step}}
        checkpoint.save_checkpoint(folder / "checkpoint", parameters, optimizer, state)
    return parameters, optimizer


@pytest.mark.parametrize("spoilt", ["adapter.safetensors", "optimizer.safetensors", "state.json"])
def test_a_checkpoint_cut_short_gives_way_to_the_one_before(spoilt: str, tmp_path: Path) -> None:
    parameters, optimizer = kept_twice(tmp_path)
    assert checkpoint.spare_best(tmp_path / "checkpoint") == 1  # so that its weights are not removed yet
    file = tmp_path / "checkpoint" / spoilt
    os.truncate(file, file.stat().st_size // 2)
    state = checkpoint.read_state(tmp_path / "checkpoint")
    assert state is not None and state["step"] == 1
    said = checkpoint.fell_back(checkpoint.read_state(tmp_path / "checkpoint") or {})  # whoever reads it next is told
    assert said is not None and "the one before it is used" in said.message
    checkpoint.load_checkpoint(tmp_path / "checkpoint", parameters, optimizer)
    checkpoint.save_checkpoint(tmp_path / "checkpoint", parameters, optimizer, {"step": 3})
    assert checkpoint.fell_back(checkpoint.read_state(tmp_path / "checkpoint") or {}) is None
    for folder in ("checkpoint", "checkpoint.old"):
        (tmp_path / folder / "adapter.safetensors").write_bytes(b"")
    assert checkpoint.read_state(tmp_path / "checkpoint") is None


def test_a_run_goes_on_with_what_it_was_begun_with_or_says_that_it_cannot(run: Path) -> None:
    recipe: Recipe = records.from_plain(Recipe, records.read_json(run / "recipe.json"))
    asked: list[str] = []

    def choose(each: Recipe) -> str:
        asked.append(each.backend)
        if each.backend == "gpu":
            raise InputError("The backend gpu needs an NVIDIA card; choose the backend cpu.")
        return "cpu"

    def told_and_made() -> tuple[list[str], Recipe]:
        stage = begun.as_begun(recipe, choose)
        said: list[str] = []
        while True:
            try:
                said.append(next(stage).message)
            except StopIteration as end:
                return said, end.value

    said, made = told_and_made()
    assert not said and made.extra == {"backend": "cpu", "precision": ""}
    state = {"recipe": checkpoint.recipe_key(recipe), "backend": "gpu", "precision": "bf16"}
    records.write_json(run / "checkpoint" / "state.json", state)
    said, made = told_and_made()
    assert asked == ["auto", "gpu", "auto"] and "begun with the backend gpu" in said[0]
    assert made.extra["precision"] == "bf16" and checkpoint.recipe_key(made) == state["recipe"]
    assert begun.other_precision(state, "bf16") is None
    other = begun.other_precision(state, "fp32")
    assert other is not None and "begun in bf16 and goes on in fp32" in other.message


def test_a_manifest_tells_two_files_of_one_name_apart_and_what_made_it(run: Path, tmp_path: Path) -> None:
    files = (tmp_path / "datasets" / "rows.jsonl", tmp_path.parent / "elsewhere" / "rows.jsonl")
    for number, file in enumerate(files):
        file.parent.mkdir(exist_ok=True)
        file.write_text(str(number), encoding="utf-8")
    recipe = replace(records.from_plain(Recipe, records.read_json(run / "recipe.json")), datasets=files, threads=2)
    for file in (recipe.model, run / adapter.ADAPTER):
        file.write_bytes(b"GGUF")
    adapter.write_manifest(recipe, {"parity": {"ok": True}})
    manifest = records.read_json(run / "manifest.json")
    assert set(manifest["datasets"]) == {"datasets/rows.jsonl", str(files[1])}
    for file in files:
        assert adapter.recorded_hash(manifest["datasets"], file, run) == records.hash_file(file)
    assert adapter.recorded_hash({"rows.jsonl": "older"}, files[0], run) == "older"
    assert manifest["versions"]["workbench"] and manifest["computer"]["threads"] == 2


def test_a_recipe_of_before_a_setting_is_the_one_with_its_default() -> None:
    defaults = {name: Recipe.__dataclass_fields__[name].default for name in checkpoint.ADDED}
    assert records.to_plain(defaults) == checkpoint.ADDED


def test_the_weights_of_a_step_stay_until_another_is_kept(tmp_path: Path) -> None:
    import torch

    parameters = {"a": torch.nn.Parameter(torch.zeros(2))}
    for step in (1, 2):
        with torch.no_grad():
            parameters["a"].fill_(step)
        checkpoint.save_weights(tmp_path / "best", step, parameters)
    checkpoint.load_weights(tmp_path / "best", 1, parameters)
    assert parameters["a"].tolist() == [1.0, 1.0]
    (tmp_path / "best" / "3.part").touch()  # of a writer that was killed
    checkpoint.keep_weights(tmp_path / "best", 2)
    assert [path.name for path in (tmp_path / "best").iterdir()] == ["2.safetensors"]


def test_a_recipe_is_the_same_until_something_that_matters_changes(run: Path) -> None:
    recipe: Recipe = records.from_plain(Recipe, records.read_json(run / "recipe.json"))
    key = checkpoint.recipe_key(recipe)
    assert checkpoint.recipe_key(replace(recipe, threads=1)) == key
    assert checkpoint.recipe_key(replace(recipe, epochs=9.0)) != key
    assert checkpoint.recipe_key(replace(recipe, patience=0)) != key
    recipe.datasets[0].write_text("{}", encoding="utf-8")
    assert checkpoint.recipe_key(recipe) != key


class Report:
    def __init__(self, examples: int) -> None:
        self.examples, self.tokens = examples, examples * 100


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_preset_gives_few_rows_more_passes_and_says_why(preset: str, tmp_path: Path) -> None:
    from tests.tuning.tiny import tiny_model, write_gguf

    write_gguf(tiny_model(), tmp_path / "base.gguf")
    few, reasons = choose_recipe(preset, "a", tmp_path / "base.gguf", (), tmp_path, Report(30))
    many, _ = choose_recipe(preset, "a", tmp_path / "base.gguf", (), tmp_path, Report(5000))
    assert few.epochs == PRESETS[preset].most_passes and many.epochs == PRESETS[preset].passes
    assert few.layers == (1,) and "few" in reasons[-1] and f"{few.epochs:g} passes" in reasons[0]


def test_the_last_tenth_of_the_layers_is_spared_and_one_is_trained_at_least() -> None:
    assert PRESETS["balanced"].layers(30) == tuple(range(18, 27))
    assert PRESETS["thorough"].layers(24) == tuple(range(12, 22))
    assert PRESETS["quick"].layers(1) == (0,) and PRESETS["quick"].layers(2) == (1,)
    assert replace(PRESETS["quick"], spared=0.9).layers(10) == (6,)


def test_a_wider_model_learns_at_a_lower_rate_and_a_card_trains_all_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.tuning.tiny import tiny_model, write_gguf

    assert rate_for(8e-4, 576, "llama") == rate_for(8e-4, 64, "llama") == 8e-4
    assert rate_for(8e-4, 4096, "llama") == 1.7e-4 and rate_for(8e-4, 3584, "qwen2") == 6.9e-4
    write_gguf(tiny_model(), tmp_path / "base.gguf")
    monkeypatch.setattr(card, "has_card", lambda: True)
    recipe, said = choose_recipe("balanced", "a", tmp_path / "base.gguf", (), tmp_path, Report(300))
    assert recipe.layers == (0, 1) and not [each for each in said if "layers are trained" in each]
    for text, built in (("cuda: Optional[str] = '12.8'\n", True), ("cuda: Optional[str] = None\nhip = '6'\n", False)):
        (tmp_path / "version.py").write_text(text, encoding="utf-8")
        assert card.built_for_cuda(tmp_path / "version.py") is built


def test_an_unknown_preset_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="quick, balanced, thorough"):
        choose_recipe("fast", "a", tmp_path, (), tmp_path, Report(9))


def test_held_out_rows_stay_within_their_bounds() -> None:
    assert [held_out_count(rows, 0.1) for rows in (5, 6, 12, 100, 5000)] == [0, 2, 4, 10, 64]
    assert held_out_count(100, 0.0) == 0


def test_a_starter_that_moved_with_the_program_is_found_and_its_run_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the environment that holds it is made anew elsewhere between a stop and the next start."""
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    places = [tmp_path / "here" / "starter.gguf", tmp_path / "there" / "starter.gguf"]
    for place in places:
        place.parent.mkdir()
    places[0].write_bytes(b"weights")
    folder = tmp_path / "run"
    monkeypatch.setattr(paths, "starter_model", lambda: places[0])
    first = mark_starter(Recipe("first", places[0], (tmp_path / "rows.jsonl",), folder))
    records.write_json(folder / "recipe.json", first)
    key = checkpoint.recipe_key(first)
    assert key == checkpoint.recipe_key(replace(first, extra={}))  # runs of an earlier version keep theirs

    places[0].rename(places[1])
    monkeypatch.setattr(paths, "starter_model", lambda: places[1])
    moved = read_recipe(folder / "recipe.json")
    assert moved.model == places[1] and checkpoint.recipe_key(moved) == key
    again = mark_starter(Recipe("first", places[1], (tmp_path / "rows.jsonl",), folder))  # the same command once more
    assert checkpoint.recipe_key(again) == key
    records.write_json(folder / "recipe.json", again)
    assert checkpoint.recipe_key(read_recipe(folder / "recipe.json")) == key
    assert checkpoint.recipe_key(mark_starter(again)) == key

    places[1].write_bytes(b"other weights")
    assert read_recipe(folder / "recipe.json").model == places[1]
    records.write_json(folder / "recipe.json", first)
    assert read_recipe(folder / "recipe.json").model == places[0]  # another model of that name is not taken for it
