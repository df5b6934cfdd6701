"""A folder with a cross-encoder is taken in by what it holds, and refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from workbench.catalog.models import import_model, list_models, remove_model
from workbench.catalog.rerankers import first_reranker, look_at, rerankers
from workbench.errors import BadModel, MissingFile

CONFIG = {"architectures": ["BertForSequenceClassification"], "model_type": "bert", "num_labels": 1}


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))


def made(folder: Path, config: dict[str, Any] | None = None, layer: str = "classifier.weight") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config or CONFIG))
    (folder / "tokenizer.json").write_text("{}")
    save_file({layer: np.ones((1, 4), np.float32)}, folder / "model.safetensors")
    return folder


def test_a_folder_is_taken_in_once_with_the_data_it_needs_and_nothing_else(tmp_path: Path) -> None:
    folder = made(tmp_path / "My Reranker v2")
    (folder / "modeling_custom.py").write_text("raise SystemExit")
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    assert rerankers() == ()
    with pytest.raises(MissingFile, match="workbench models import FOLDER"):
        first_reranker()
    model = import_model(folder)
    assert (model.kind, model.title, model.name) == ("reranker", "My Reranker v2", "my-reranker-v2")
    assert model.path is not None and first_reranker() == model.path
    assert {each.name for each in model.path.iterdir()} == {
        "config.json",
        "tokenizer.json",
        "model.safetensors",
        "model.json",
    }
    assert import_model(folder) == model and len(rerankers()) == 1
    remove_model(model.name)
    assert rerankers() == () and (folder / "model.safetensors").exists()
    assert "reranker" not in {each.kind for each in list_models()}


@pytest.mark.parametrize(
    ("config", "layer", "why"),
    [
        ({**CONFIG, "architectures": ["BertModel"]}, "classifier.weight", r"no reranker \(BertModel\)"),
        ({**CONFIG, "num_labels": 3}, "classifier.weight", "gives 3 numbers"),
        ({**CONFIG, "auto_map": {"AutoModel": "custom.Model"}}, "classifier.weight", "program code"),
        (CONFIG, "encoder.weight", "lacks the layer"),
    ],
)
def test_what_is_no_reranker_is_refused_by_name(tmp_path: Path, config: dict[str, Any], layer: str, why: str) -> None:
    with pytest.raises(BadModel, match=why):
        import_model(made(tmp_path / "folder", config, layer))
    assert rerankers() == ()


def test_a_folder_that_is_not_whole_is_refused(tmp_path: Path) -> None:
    folder = made(tmp_path / "folder")
    (folder / "modules.json").write_text('[{"type": "a"}, {"type": "b"}]')
    with pytest.raises(BadModel, match="parts beside"):
        look_at(folder)
    (folder / "modules.json").unlink()
    (folder / "model.safetensors").write_bytes(b"\x00" * 40)
    with pytest.raises(BadModel, match="damaged"):
        look_at(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(BadModel, match="cannot be read"):
        look_at(folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(BadModel, match="only weights in that format"):
        look_at(folder)
    with pytest.raises(MissingFile):
        look_at(tmp_path / "nowhere")
