"""An adapter goes elsewhere: as a file, as a folder, or added into its base, and nothing half-written stays behind."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.tuning.tiny import place_run, tiny_model, with_lora, write_gguf, write_lora
from workbench import paths, records
from workbench.catalog import models
from workbench.catalog.gguf_header import read_header
from workbench.cli import run as command
from workbench.errors import BadModel, DiskFull, InputError, MissingFile
from workbench.events import Progress, last_result
from workbench.project import Project
from workbench.tuning import adapter
from workbench.tuning import export as exporting
from workbench.tuning.export import Exported, export
from workbench.tuning.gguf_lora import read_matrix

STARTER = paths.starter_model()
TINY = {"blk.0.attn_q.weight": (64, 64), "blk.1.ffn_down.weight": (96, 64)}
REAL = {
    **{f"blk.{layer}.attn_q.weight": (576, 576) for layer in (0, 14, 29)},
    **{f"blk.{layer}.attn_v.weight": (576, 192) for layer in (0, 14, 29)},
    **{f"blk.{layer}.ffn_down.weight": (1536, 576) for layer in (14, 29)},
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one finished fine-tune of a tiny model."""
    made = Project.open(tmp_path / "project")
    model = tiny_model()
    write_gguf(model, tmp_path / "base.gguf")
    with_lora(model).save_pretrained(str(tmp_path / "peft"))
    lora = write_lora(tmp_path / "lora.gguf", TINY)
    place_run(made, tmp_path / "base.gguf", lora, peft=tmp_path / "peft")
    return made


def tensors(path: Path) -> dict[str, bytes]:
    content = path.read_bytes()
    return {each.name: content[each.offset : each.offset + each.size] for each in read_header(path).tensors}


def test_the_gguf_adapter_is_copied_as_it_is(project: Project, tmp_path: Path) -> None:
    written = last_result(export(project.folder, "first", tmp_path / "out.gguf"))
    assert written == Exported("first", "gguf", tmp_path / "out.gguf", (tmp_path / "lora.gguf").stat().st_size, 1.0)
    assert (tmp_path / "out.gguf").read_bytes() == (tmp_path / "lora.gguf").read_bytes()


def test_the_peft_folder_is_what_transformers_reads(project: Project, tmp_path: Path) -> None:
    written = last_result(export(project.folder, "first", tmp_path / "out", "peft"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == list(exporting.PEFT_FILES)
    assert written.size == sum(path.stat().st_size for path in (tmp_path / "out").iterdir())
    (tmp_path / "out" / "mine.txt").write_text("kept")
    with pytest.raises(InputError, match="holds an adapter already"):
        list(export(project.folder, "first", tmp_path / "out", "peft"))
    list(export(project.folder, "first", tmp_path / "out", "peft", force=True))
    assert (tmp_path / "out" / "mine.txt").exists()


def test_a_merged_model_is_the_base_with_the_adapter_added(project: Project, tmp_path: Path) -> None:
    import numpy as np

    base, merged = tmp_path / "base.gguf", tmp_path / "merged.gguf"
    written = last_result(export(project.folder, "first", merged, "merged", scale=0.5))
    assert written.changed == len(TINY) and written.size == merged.stat().st_size
    before, after = read_header(base), read_header(merged)
    assert base.read_bytes()[: before.metadata_end] == merged.read_bytes()[: after.metadata_end]
    old, new = tensors(base), tensors(merged)
    assert list(old) == list(new)
    assert {name for name in old if old[name] != new[name]} == set(TINY)
    parts = {each.name: each for each in read_header(tmp_path / "lora.gguf").tensors}
    for name in TINY:
        low, high = (read_matrix(tmp_path / "lora.gguf", parts[f"{name}.lora_{end}"]) for end in "ab")
        weights = np.frombuffer(old[name], np.float32).reshape(high.shape[0], low.shape[1])
        found = np.frombuffer(new[name], np.float32).reshape(weights.shape)
        assert np.allclose(found, weights + 0.5 * (8 / 4) * high @ low, atol=1e-6)


def test_at_strength_nought_it_is_the_base(project: Project, tmp_path: Path) -> None:
    written = last_result(export(project.folder, "first", tmp_path / "merged.gguf", "merged", scale=0.0))
    assert written.changed == 0
    assert tensors(tmp_path / "merged.gguf") == tensors(tmp_path / "base.gguf")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"name": "second"}, "no adapter called second: there are first"),
        ({"name": "../first"}, "no adapter called"),
        ({"kind": "onnx"}, "choose gguf, peft, merged"),
        ({"kind": "merged", "scale": 1.6}, "not between 0 and 1.5"),
        ({"kind": "merged", "scale": float("nan")}, "not between 0 and 1.5"),
        ({"scale": 0.5}, "Only a merged model"),
        ({"target": "nowhere/out.gguf"}, "There is no folder"),
        ({"target": "."}, "name a place outside|is a folder"),
        ({"target": "peft"}, "is a folder: name a file"),
        ({"target": "lora.gguf"}, "is there already"),
        ({"target": "base.gguf", "kind": "merged", "force": True}, "the very model"),
        ({"target": "project/adapters/first/adapter.gguf", "force": True}, "outside its adapters"),
        ({"target": "lora.gguf", "kind": "peft"}, "is a file"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is(
    arguments: dict[str, Any], says: str, project: Project, tmp_path: Path
) -> None:
    given = {"name": "first", "target": "out.gguf", **arguments}
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=says):
        list(export(project.folder, target=tmp_path / given.pop("target"), **given))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_run_that_is_not_finished_has_nothing_to_export(project: Project, tmp_path: Path) -> None:
    (project.adapters_folder / "first" / "manifest.json").unlink()
    with pytest.raises(InputError, match="is not finished"):
        list(export(project.folder, "first", tmp_path / "out.gguf"))


def test_an_adapter_without_a_peft_folder_says_what_it_can_be_instead(project: Project, tmp_path: Path) -> None:
    shutil.rmtree(project.adapters_folder / "first" / "peft")
    with pytest.raises(InputError, match="export it as gguf or as merged"):
        list(export(project.folder, "first", tmp_path / "out", "peft"))


def test_the_base_must_be_the_very_one_and_may_have_moved(project: Project, tmp_path: Path) -> None:
    moved = tmp_path / "moved.gguf"
    (tmp_path / "base.gguf").rename(moved)
    with pytest.raises(MissingFile, match="put it back"):
        list(export(project.folder, "first", tmp_path / "out.gguf", "merged"))
    list(export(project.folder, "first", tmp_path / "out.gguf", "merged", model=moved))
    with pytest.raises(InputError, match="the very model"):
        list(export(project.folder, "first", moved, "merged", force=True, model=moved))
    write_gguf(tiny_model("qwen2"), tmp_path / "base.gguf")
    with pytest.raises(BadModel, match="its content is another"):
        list(export(project.folder, "first", tmp_path / "other.gguf", "merged"))


@pytest.mark.parametrize("kind", ["gguf", "peft", "merged"])
def test_a_stopped_export_leaves_nothing(kind: str, project: Project, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    whole = len(list(export(project.folder, "first", tmp_path / "out", kind)))
    assert whole > 1
    for steps in range(1, whole - 1):
        shutil.rmtree(tmp_path / "out") if (tmp_path / "out").is_dir() else (tmp_path / "out").unlink(missing_ok=True)
        stage = export(project.folder, "first", tmp_path / "out", kind)
        assert all(isinstance(next(stage), Progress) for _ in range(steps))
        stage.close()
        assert sorted(tmp_path.rglob("*")) == before


def test_what_a_killed_export_left_goes_with_the_next_one(project: Project, tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = [tmp_path / f".out.gguf.{gone.pid}.part", tmp_path / f".other.gguf.{gone.pid}.part"]
    running = tmp_path / f".out.gguf.{os.getppid()}.part"
    for path in (*left, running):
        path.write_bytes(b"half")
    list(export(project.folder, "first", tmp_path / "out.gguf"))
    assert not left[0].exists() and left[1].exists() and running.exists()


def test_a_full_disk_is_said_beforehand_and_in_the_middle(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(tmp_path.rglob("*"))
    with monkeypatch.context() as patch, pytest.raises(DiskFull, match="GB free"):
        patch.setattr(models.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000))
        list(export(project.folder, "first", tmp_path / "out.gguf", "merged"))

    def fills(*_: Any) -> Iterator[int]:
        yield 1
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(exporting, "write_merged", fills)
    with pytest.raises(DiskFull, match="is full"):
        list(export(project.folder, "first", tmp_path / "out.gguf", "merged"))
    assert sorted(tmp_path.rglob("*")) == before


def test_the_command_writes_and_says_where(
    project: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    target = tmp_path / "out.gguf"
    assert command(["adapter", "export", "first", str(target), "--project", str(project.folder), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["path"] == str(target) and said["kind"] == "gguf" and said["size"] == target.stat().st_size
    assert command(["adapter", "export", "first", str(target), "--project", str(project.folder)]) == 2
    assert "is there already" in capsys.readouterr().err


@pytest.mark.slow
def test_the_real_model_answers_merged_as_with_its_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from workbench.events import Result
    from workbench.lanes import choice, pool
    from workbench.lanes.engine import Request, answer
    from workbench.lanes.lane import Lane, Sampling
    from workbench.lanes.parity import ask_llama, divergence

    project = Project.open(tmp_path / "project")
    monkeypatch.setattr(choice, "fast_copy", lambda path, *_: path)  # the very files are compared
    monkeypatch.setattr(choice, "_choices", {})  # whatever a test before this one had read for the starter
    lora = write_lora(tmp_path / "lora.gguf", REAL, size=0.08)
    place_run(project, STARTER, lora)
    merged, bare = tmp_path / "merged.gguf", tmp_path / "bare.gguf"
    written = last_result(export(project.folder, "first", merged, "merged"))
    list(export(project.folder, "first", bare, "merged", scale=0.0))
    assert written.changed == len(REAL)
    assert {each.type for each in read_header(merged).tensors if each.name in REAL} == {"Q8_0"}
    assert adapter.read_base(merged).layers == 30
    try:
        ids = pool.model(STARTER).tokenise("The capital of France is Paris, and the capital of Spain is Madrid.")
        cases = [{"ids": ids, "first": 0, "prompt": ""}]
        (tuned, base, _), (whole, _, _), (nought, _, _) = (
            ask_llama(model, each, cases)
            for model, each in ((STARTER, lora), (merged, None), (bare, None))  # type: ignore[arg-type]
        )
        effect = divergence(tuned, base)
        assert effect > 0.1, "the adapter must change something, or this test shows nothing"
        assert divergence(tuned, whole) < 0.1 * effect  # llama.cpp rounds activations to 8 bits: about 0.005
        assert divergence(base, nought) < 1e-6
        short = Sampling(max_tokens=6)
        lanes = (Lane("a", STARTER, adapter=lora, sampling=short), Lane("b", merged, sampling=short))
        requests = tuple(Request("Name three colours.", each) for each in lanes)
        found = [event.value for event in answer(requests, None, True) if isinstance(event, Result)]
        assert found[0].text and found[0].text == found[1].text
    finally:
        pool.clear()


def test_a_run_of_bad_parity_is_exported_with_a_warning(project: Project, tmp_path: Path) -> None:
    manifest = project.adapters_folder / "first" / "manifest.json"
    records.write_json(manifest, {**records.read_json(manifest), "parity": {"ok": False}})
    events = list(export(project.folder, "first", tmp_path / "out.gguf"))
    assert getattr(events[0], "level", "") == "warning"
