"""A folder with an embedder is taken in by what it holds, and refused with the reason; nothing in it is ever run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from embedder_files import MODULES, files, write

from workbench import paths
from workbench.catalog.embedder_folder import Prompts, dimension_of, prompts_of, settings_hash, token_limit
from workbench.catalog.embedders import embedders, find_embedder, look_at, starter
from workbench.catalog.models import import_model, list_models, remove_model
from workbench.errors import BadModel, MissingFile

DENSE = {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))


def test_a_folder_is_taken_in_once_with_what_it_needs_and_nothing_else(tmp_path: Path) -> None:
    unwanted = {"modeling.py": b"raise SystemExit", "pytorch_model.bin": b"pickle", "onnx/model.onnx": b"x"}
    folder = write(tmp_path / "My Embedder", {**files(), **unwanted, "1_Pooling/pytorch_model.bin": b"pickle"})
    model = import_model(folder)
    assert (model.kind, model.name, model.title) == ("embedding", "my-embedder", "My Embedder")
    assert model.path is not None and find_embedder("my-embedder") == model.path
    here = {each.relative_to(model.path).as_posix() for each in model.path.rglob("*") if each.is_file()}
    assert here == {*files(), "model.json"}
    assert import_model(folder) == model
    assert [each.name for each in embedders()] == [starter().name, "my-embedder"]
    remove_model("my-embedder")
    with pytest.raises(MissingFile, match="import it again, or index them with another one"):
        find_embedder("my-embedder")
    with pytest.raises(MissingFile, match="models fetch bge-small-en"):
        find_embedder("bge-small-en")
    assert (folder / "model.safetensors").exists() and find_embedder(starter().name) == paths.starter_embedder()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"config": {"auto_map": {"AutoModel": "modeling.Model"}}}, "program code"),
        ({"tokenizer_config": {"auto_map": {}}}, "program code"),
        ({"sentence_bert_config": {"model_args": {"trust_remote_code": True}}}, "program code"),
        ({"sentence_bert_config": {"modality_config": {"text": {"method": "save_pretrained"}}}}, "for texts alone"),
        ({"sentence_bert_config": {"modality_config": {"text": {"method": "forward"}, "image": {}}}}, "texts alone"),
        ({"modules": [MODULES[0], {**MODULES[1], "type": "modeling.Pooling"}]}, r"part \(modeling.Pooling\)"),
        ({"modules": [MODULES[0], {**MODULES[1], "type": "sentence_transformers.util.misc"}]}, "usual modules"),
        ({"modules": [MODULES[1], MODULES[0]]}, "usual modules"),
        ({"modules": [{**MODULES[0], "path": "0_Transformer"}, MODULES[1]]}, "keeps its weights in 0_Transformer"),
        ({"modules": [MODULES[0], {**MODULES[1], "path": "../elsewhere"}]}, "not looked into"),
        ({"modules": MODULES[:1]}, "no way from"),
        ({"modules": [*MODULES, DENSE]}, "activation function"),
        ({"modules": [*MODULES, DENSE], "2_Dense/config": {"activation_function": "torch.hub.load"}}, "activation"),
        (
            {
                "modules": [*MODULES, DENSE],
                "2_Dense/config": {"activation_function": "torch.nn.modules.activation.Tanh"},
            },
            "2_Dense has no model.safetensors",
        ),
        ({"sentence_bert_config": {"max_seq_length": 32}}, "reads 32 tokens"),
        ({"sentence_bert_config": {}, "tokenizer_config": {"model_max_length": 48}}, "reads 48 tokens"),
        ({"tokenizer": None}, "no tokenizer.json"),
        ({"config": None}, "no config.json"),
        ({"config": []}, "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(tmp_path: Path, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(BadModel, match=why):
        import_model(write(tmp_path / "folder", files(**changes)))
    assert [each.name for each in list_models() if each.source == "imported"] == []


def test_weights_that_are_pickled_or_damaged_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "folder", files())
    (folder / "model.safetensors").write_bytes(b"\x00" * 40)
    with pytest.raises(BadModel, match="damaged"):
        look_at(folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(BadModel, match="only weights in that format"):
        look_at(folder)
    with pytest.raises(MissingFile):
        look_at(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("stated", "tokenizer", "config", "limit"),
    [
        (256, 512, {"max_position_embeddings": 512}, 256),  # as all-MiniLM-L6-v2 is published
        (0, 96, {"max_position_embeddings": 512}, 96),  # as sentence-transformers 6 writes it
        (0, 10**30, {"max_position_embeddings": 512}, 512),
        (0, 0, {"max_position_embeddings": 8192}, 512),  # nobody says that it was trained for more
        (8192, 0, {"max_position_embeddings": 2048}, 2048),
        (0, 514, {"max_position_embeddings": 514, "model_type": "xlm-roberta", "pad_token_id": 1}, 512),
    ],
)
def test_how_much_is_read_is_what_the_maker_stated_and_never_more_than_there_are_places(
    tmp_path: Path, stated: int, tokenizer: int, config: dict[str, Any], limit: int
) -> None:
    told = {"sentence_bert_config": {"max_seq_length": stated} if stated else None, "config": config}
    folder = write(tmp_path / "folder", files(**told, tokenizer_config={"model_max_length": tokenizer}))
    assert token_limit(folder) == limit


@pytest.mark.parametrize(
    ("prompts", "usual", "expected"),
    [
        ({"query": "query: ", "passage": "passage: "}, None, Prompts("query: ", "passage: ")),
        ({"query": "q ", "document": ""}, None, Prompts("q ", "")),
        ({"search": "s "}, "search", Prompts("s ", "s ")),
        ({}, None, Prompts()),
        ("nonsense", None, Prompts()),
    ],
)
def test_what_goes_before_questions_and_passages(tmp_path: Path, prompts: Any, usual: Any, expected: Prompts) -> None:
    told = {"config_sentence_transformers": {"prompts": prompts, "default_prompt_name": usual}}
    folder = write(tmp_path / "folder", files(**told))
    assert prompts_of(folder) == expected


def test_a_prompt_that_is_kept_out_of_the_vector_is_known(tmp_path: Path) -> None:
    told = {"config_sentence_transformers": {"prompts": {"query": "q "}}, "1_Pooling/config": {"include_prompt": False}}
    assert prompts_of(write(tmp_path / "folder", files(**told))) == Prompts("q ", "", counts=False)


def test_other_settings_are_another_embedder(tmp_path: Path) -> None:
    folder = write(tmp_path / "folder", files())
    before = settings_hash(folder)
    assert dimension_of(folder) == 8
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": True}))
    assert settings_hash(folder) != before
