"""An adapter from elsewhere is taken when it is sound, and refused with one sentence for each way it is not."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tuning.tiny import byte_tokenizer, tiny_model, with_lora, write_gguf, write_lora
from workbench import paths, records
from workbench.cli import run as command
from workbench.errors import BadModel, ChildCrashed, InputError, MissingFile, ProjectBusy
from workbench.events import Progress, last_result
from workbench.lanes.presets import find_lane
from workbench.project import Project
from workbench.tuning import adapter, importing, peft_folder
from workbench.tuning.export import export
from workbench.tuning.importing import import_adapter
from workbench.tuning.peft_folder import WEIGHTS

STARTER = paths.starter_model()
KEY = "base_model.model.model.layers.{}.{}.lora_{}.weight"
UP_A, UP_B = (KEY.format(0, "mlp.up_proj", end) for end in "AB")
Q = {"blk.0.attn_q.weight": (64, 64)}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.open(tmp_path / "project")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    write_gguf(tiny_model(), tmp_path / "base.gguf")
    return tmp_path / "base.gguf"


@pytest.fixture
def peft(tmp_path: Path) -> Path:
    with_lora(tiny_model()).save_pretrained(str(tmp_path / "peft"))
    return tmp_path / "peft"


def take(source: Path, base: Path, project: Project, name: str = "theirs") -> Any:
    return last_result(import_adapter(source, name, base, project.folder))


def change_config(folder: Path, **changes: Any) -> None:
    path = folder / "adapter_config.json"
    records.write_json(path, {**records.read_json(path), **changes})


def change_weights(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    from safetensors.torch import load_file, save_file

    path = folder / "adapter_model.safetensors"
    found = load_file(path)
    change(found)
    save_file({key: each.contiguous() for key, each in found.items()}, path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"peft_type": "IA3"}, "only LoRA"),
        ({"peft_type": ["LORA"]}, "only LoRA"),
        ({"use_dora": True}, "DoRA"),
        ({"bias": "lora_only"}, "biases"),
        ({"modules_to_save": ["lm_head"]}, "whole modules"),
        ({"alpha_pattern": {"q_proj": 4}}, "other ranks or alphas"),
        ({"rank_pattern": {"q_proj": 4}}, "other ranks or alphas"),
        ({"init_lora_weights": "pissa_niter_4"}, "started with pissa"),
        ({"layer_replication": [[0, 1]]}, "layer_replication"),
        ({"alora_invocation_tokens": [5]}, "alora_invocation_tokens"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out"),
        ({"something_new": {"a": 1}}, "something_new"),
        ({"r": 0}, "rank is 0"),
        ({"r": "4"}, "rank is 4"),
        ({"r": 10**9}, "up to|1024"),
        ({"r": 8}, "another size"),
        ({"lora_alpha": -1}, "alpha is -1"),
        ({"lora_alpha": True}, "alpha is True"),
        ({"lora_alpha": float("inf")}, "alpha is inf"),
        ({"lora_alpha": 1e6}, "times over"),
    ],
)
def test_a_configuration_that_cannot_be_converted_is_refused(
    changes: dict[str, Any], says: str, peft: Path, base: Path, project: Project
) -> None:
    change_config(peft, **changes)
    refuses(peft, base, project, says)


def refuses(source: Path, base: Path, project: Project, says: str, kind: type[InputError] = BadModel) -> None:
    with pytest.raises(kind, match=says):
        take(source, base, project)
    assert not project.adapters_folder.exists() and not list(project.folder.glob(".importing-*"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda found: found.clear(), "no weights"),
        (lambda found: found.pop(UP_B), "only half"),
        (
            lambda found: found.update({key.replace(".0.", ".7."): found[key] + 0 for key in (UP_A, UP_B)}),
            "has 2 layers",
        ),
        (lambda found: found.update({"base_model.model.lm_head.lora_A.weight": found[UP_A] + 0}), "not known to be"),
        (lambda found: found.update({UP_A.replace("lora_A", "lora_magnitude_vector"): found[UP_A] + 0}), "not known"),
        (lambda found: found.update({"../../etc/passwd": found[UP_A] + 0}), "not known to be right"),
        (lambda found: found.update({UP_A: found[UP_A][:, :32]}), "another size"),
        (lambda found: found.update({UP_A: found[UP_A].double()}), "weights as F64"),
        (lambda found: found[UP_A].fill_(float("nan")), "no numbers"),
        (lambda found: found[UP_B].fill_(float("-inf")), "no numbers"),
        (lambda found: [each.zero_() for key, each in found.items() if "lora_B" in key], "changes nothing"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    change: Callable[[dict[str, Any]], None], says: str, peft: Path, base: Path, project: Project
) -> None:
    change_weights(peft, change)
    refuses(peft, base, project, says)


def test_a_folder_that_is_not_whole_is_refused(peft: Path, base: Path, project: Project, tmp_path: Path) -> None:
    weights, config = peft / "adapter_model.safetensors", peft / "adapter_config.json"
    content = weights.read_bytes()
    weights.write_bytes(content[:-10])
    refuses(peft, base, project, "is damaged")
    weights.write_bytes((1 << 60).to_bytes(8, "little") + content[8:])
    refuses(peft, base, project, "is damaged")
    weights.rename(peft / "adapter_model.bin")
    refuses(peft, base, project, "as a pickle")
    (peft / "adapter_model.bin").unlink()
    refuses(peft, base, project, "get the whole adapter again", MissingFile)
    weights.write_bytes(content)
    for text in ("{", "[1]", "[" * 100_000):
        config.write_text(text)
        refuses(peft, base, project, "cannot be read as JSON|not an adapter's configuration")
    config.unlink()
    refuses(peft, base, project, "not a PEFT adapter", MissingFile)
    (peft / "lora.gguf").touch()
    refuses(peft, base, project, "name the file lora.gguf", MissingFile)
    refuses(tmp_path / "nowhere", base, project, "There is nothing at", MissingFile)
    refuses(weights, base, project, "name the folder it lies in", InputError)


def test_what_is_too_large_is_not_read(
    peft: Path, base: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peft_folder, "LARGEST", 1000)
    monkeypatch.setattr(importing, "LARGEST", 1000)
    refuses(peft, base, project, "more than any adapter needs")
    refuses(write_lora(peft / "lora.gguf", Q), base, project, "more than any adapter needs")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs links and pipes")
def test_links_and_pipes_are_not_followed(peft: Path, base: Path, project: Project, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(peft)
    refuses(tmp_path / "link", base, project, "is a link")
    weights = peft / "adapter_model.safetensors"
    weights.rename(tmp_path / "elsewhere.safetensors")
    weights.symlink_to(tmp_path / "elsewhere.safetensors")
    refuses(peft, base, project, "is a link")
    os.mkfifo(tmp_path / "pipe.gguf")
    refuses(tmp_path / "pipe.gguf", base, project, "not a plain file")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"shapes": {}}, "no weights"),
        ({"kind": "model"}, "not a LoRA adapter"),
        ({"type": "control_vector"}, "not a LoRA adapter"),
        ({"architecture": "qwen2"}, "is for qwen2 models"),
        ({"alpha": 0.0}, "how strong"),
        ({"alpha": float("nan")}, "how strong"),
        ({"alpha": 9999.0}, "times over"),
        ({"ends": "a"}, "only half"),
        ({"shapes": {"blk.9.attn_q.weight": (64, 64)}}, "made for another model"),
        ({"shapes": {"blk.0.attn_q.weight": (64, 32)}}, "another size"),
        ({"shapes": {"token_embd.weight": (64, 97)}}, "not known to be right"),
        ({"first": float("nan")}, "no numbers"),
        ({"size": 0.0}, "changes nothing"),
        ({"number": "float64"}, "weights as F64"),
    ],
)
def test_a_gguf_adapter_that_does_not_fit_is_refused(
    arguments: dict[str, Any], says: str, base: Path, project: Project, tmp_path: Path
) -> None:
    refuses(write_lora(tmp_path / "lora.gguf", **{"shapes": Q, **arguments}), base, project, says)


def test_other_files_are_refused(base: Path, project: Project, tmp_path: Path) -> None:
    for name, says in (("lora.bin", "is a pickle"), ("notes.txt", "does not begin as a GGUF file")):
        (tmp_path / name).write_bytes(b"PK" * 100)
        refuses(tmp_path / name, base, project, says)
    refuses(base, base, project, "not a LoRA adapter")


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "a\\b", "-x", "x-", "a" * 80, "a\nb"])
def test_a_name_that_is_no_folder_is_refused(name: str, peft: Path, base: Path, project: Project) -> None:
    with pytest.raises(InputError, match="cannot be the name"):
        take(peft, base, project, name)


def test_a_name_that_is_taken_and_a_project_that_is_busy_are_said_at_once(
    peft: Path, base: Path, project: Project
) -> None:
    (project.adapters_folder / "theirs").mkdir(parents=True)
    with pytest.raises(InputError, match="choose another name"):
        take(peft, base, project)
    with project.writing("indexing"), pytest.raises(ProjectBusy, match="indexing"):
        take(peft, base, project, "other")


def test_a_base_of_an_unknown_kind_takes_no_adapter(peft: Path, project: Project, tmp_path: Path) -> None:
    import gguf

    writer = gguf.GGUFWriter(tmp_path / "mamba.gguf", "mamba")
    writer.add_block_count(1)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    refuses(peft, tmp_path / "mamba.gguf", project, "architecture mamba")


def test_a_configuration_is_written_anew_with_what_is_needed_alone(peft: Path, base: Path) -> None:
    from workbench.tuning.base import read_base

    change_config(peft, target_modules="(a+)+$", base_model_name_or_path="some/model", auto_mapping={"x": "y"})
    change_weights(peft, lambda found: [found.pop(KEY.format(1, "mlp.up_proj", end)) for end in "AB"])
    stage = peft_folder.check_folder(peft, read_base(base), "base")
    while True:
        try:
            next(stage)
        except StopIteration as end:
            config = end.value.config()
            break
    assert "auto_mapping" not in config and config["r"] == 4
    assert "layers.0.mlp.up_proj" in config["target_modules"] and "layers.1.mlp.up_proj" not in config["target_modules"]
    assert config["layers_to_transform"] is None


def write_peft(folder: Path, size: float = 0.1) -> Path:
    """A PEFT folder for the starter: attention and MLP of two layers."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(2)
    shapes = {"self_attn.q_proj": (576, 576), "self_attn.v_proj": (576, 192), "mlp.down_proj": (1536, 576)}
    tensors = {}
    for layer in (3, 28):
        for module, (inputs, outputs) in shapes.items():
            tensors[KEY.format(layer, module, "A")] = torch.randn(4, inputs) * size
            tensors[KEY.format(layer, module, "B")] = torch.randn(outputs, 4) * size
    folder.mkdir()
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj", "down_proj"]}
    records.write_json(folder / "adapter_config.json", {**config, "base_model_name_or_path": "some/model"})
    return folder


@pytest.mark.slow
def test_a_real_peft_adapter_becomes_one_of_the_projects(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "QUESTIONS", importing.QUESTIONS[:2])  # reading is what takes the time
    run = take(write_peft(tmp_path / "theirs"), STARTER, project)
    assert (run.name, run.state, run.backend, run.recipe["rank"]) == ("theirs", "done", "imported", 4)
    assert run.parity["ok"] and run.parity["effect_kl"] > 1e-3 and run.recipe["layers"] == [3, 28]
    assert [each.name for each in adapter.list_runs(project.folder)] == ["theirs"]
    (found,) = project.adapters()
    assert found.path == run.adapter and found.parity_ok and found.model_hash == records.hash_file(STARTER)
    assert find_lane(project, "tuned:theirs").adapter == run.adapter
    assert not list(project.folder.glob(".importing-*"))
    assert not (run.folder / "parity").exists() and (run.folder / "peft" / "adapter_config.json").exists()
    for kind in ("peft", "merged"):  # what came in can go out again
        assert last_result(export(project.folder, "theirs", tmp_path / kind, kind)).size > 0
    assert records.hash_file(tmp_path / "peft" / WEIGHTS) == records.hash_file(tmp_path / "theirs" / WEIGHTS)
    assert adapter.delete_run(project.folder, "theirs") > 0


@pytest.mark.slow
def test_a_real_gguf_adapter_is_imported_by_the_command(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lora = write_lora(tmp_path / "lora.gguf", {"blk.1.attn_v.weight": (576, 192)})
    given = ["adapter", "import", str(lora), "--name", "theirs", "--project", str(project.folder)]
    assert command([*given, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["state"] == "done" and said["backend"] == "imported" and said["parity"]["effect_kl"] > 0
    manifest = records.read_json(project.adapters_folder / "theirs" / "manifest.json")
    assert manifest["imported"] == {"from": "lora.gguf", "kind": "gguf", "hash": records.hash_file(lora)}
    assert command(given) == 2
    assert "choose another name" in capsys.readouterr().err


@pytest.mark.slow
def test_an_import_that_is_stopped_while_it_is_tried_leaves_nothing(project: Project, tmp_path: Path) -> None:
    lora = write_lora(tmp_path / "lora.gguf", {"blk.1.attn_v.weight": (576, 192)})
    stage = import_adapter(lora, "theirs", STARTER, project.folder)
    for event in stage:
        if isinstance(event, Progress) and "trying" in event.note:
            break
    stage.close()
    assert not project.adapters_folder.exists() and not list(project.folder.glob(".importing-*"))


def test_the_place_is_waited_for_and_what_a_killed_import_left_is_removed(
    base: Path, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.folder / ".importing-999999999-x").mkdir()

    def tried(recipe: Any) -> Any:
        yield Progress(0, 0, "trying")
        return {"ok": True, "verdict": "It was tried."}

    monkeypatch.setattr(importing, "_try", tried)
    stage = import_adapter(write_lora(tmp_path / "lora.gguf", Q), "theirs", base, project.folder)
    for event in stage:
        if isinstance(event, Progress) and event.note == "trying":
            break
    with project.writing("indexing"):
        assert "as soon as the project is free" in next(stage).message  # type: ignore[union-attr]
        assert isinstance(next(stage), Progress) and project.adapters() == ()
    run = last_result(stage)
    assert run.outcome.startswith("Imported from lora.gguf. It was tried. No system prompt came with it")
    assert run.recipe["targets"] == ["q_proj"]
    assert not list(project.folder.glob(".importing-*")) and threading.active_count() >= 1


def test_what_does_not_change_an_answer_or_agree_is_refused(
    base: Path, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lora = write_lora(tmp_path / "lora.gguf", Q)
    told: dict[str, Any] = {"finite": True, "effect_kl": 0.0, "places": 4}

    def child(module: str, folder: Path, note: str) -> Any:
        records.write_json(folder / "result.json", told)
        yield Progress(0, 0, note)

    monkeypatch.setattr(importing, "_run_child", child)
    refuses(lora, base, project, "changes nothing of what the model says")
    told["finite"] = False
    refuses(lora, base, project, "are no numbers")


def test_an_adapter_that_answers_otherwise_in_llama_cpp_is_refused(
    peft: Path, base: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {"places": 100, "tokens_agree": True, "tuned_agreement": 0.4, "base_agreement": 0.98}
    told |= {"tuned_kl": 1.0, "base_kl": 0.004, "effect_kl": 1.2}

    def child(module: str, folder: Path, note: str) -> Any:
        assert records.read_json(folder / "prompts.json")["prompts"]
        records.write_json(folder / "result.json", told)
        yield Progress(0, 0, note)

    monkeypatch.setattr(importing, "_run_child", child)
    monkeypatch.setattr("workbench.tuning.tokens.load_tokenizer", lambda model: byte_tokenizer())
    refuses(peft, base, project, "answers otherwise in llama.cpp")
    told.update(tuned_kl=0.004, tuned_agreement=0.98)
    assert take(peft, base, project).parity["ok"]


def test_a_child_says_why_it_could_not_and_one_that_dies_is_told(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run" / "parity"
    folder.mkdir(parents=True)
    asked = {"model": base, "adapter": tmp_path / "none.gguf", "questions": ["Hello?"]}
    records.write_json(folder / "effect.json", asked)
    with pytest.raises(BadModel, match="holds no tokenizer"):
        list(importing._run_child("workbench.lanes.effect", folder, "trying"))
    (folder / "error.json").unlink()
    with pytest.raises(ChildCrashed, match="exit status 1. It was not imported") as caught:
        list(importing._run_child("workbench.lanes.nothing", folder, "trying"))
    assert "No module named" in caught.value.details


@pytest.mark.slow
def test_an_import_in_the_windows_child_stops_with_all_its_processes(project: Project, tmp_path: Path) -> None:
    from workbench.children import Child

    lora = write_lora(tmp_path / "lora.gguf", {"blk.1.attn_v.weight": (576, 192)})
    child = Child("The document reader")
    try:
        stage = child.run(import_adapter, lora, "theirs", STARTER, project.folder)
        for event in stage:
            if isinstance(event, Progress) and "trying" in event.note:
                break
        stage.close()
        assert child.pid is not None and not list(project.folder.glob(".importing-*"))
    finally:
        child.close()
