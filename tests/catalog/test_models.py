"""The catalogue is sound; models are found, imported and removed."""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path

import pytest
from gguf_files import entry, gguf_bytes, string

from workbench import paths, records
from workbench.catalog import memory, models
from workbench.catalog.gguf_header import read_header
from workbench.catalog.models import catalogue, find_model, import_model, list_models, model_named, remove_model
from workbench.errors import BadModel, DiskFull, InputError, MissingFile, TooLittleMemory


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_the_catalogue_names_each_model_once_and_wholly() -> None:
    names = [each.name for each in catalogue()]
    assert len(names) == len(set(names)) and all(models.GOOD_NAME.fullmatch(name) for name in names)
    assert sum(each.kind == "chat" for each in catalogue()) >= 13
    assert sum(each.kind == "embedding" for each in catalogue()) >= 4
    for each in catalogue():
        assert each.kind in ("chat", "embedding") and each.license and each.size and each.memory > each.size
        assert each.context and each.parameters and each.note
        assert each.source == "included" or re.fullmatch(r"[\w.-]+/[\w.-]+", each.source)
        assert not each.sha256 or re.fullmatch(r"[0-9a-f]{64}", each.sha256)
        assert each.kind == "embedding" or each.source == "included" or each.file.endswith(".gguf")


def test_the_included_models_are_what_the_catalogue_says() -> None:
    for name, weights in (("smollm2-135m", ""), ("minilm-l6", "model.safetensors")):
        model = model_named(name)
        assert model.path is not None
        path = model.path / weights if weights else model.path
        assert records.hash_file(path) == model.sha256 and path.stat().st_size == model.size


def test_the_catalogue_estimates_the_starter_as_its_header_does() -> None:
    header = read_header(paths.starter_model())
    assert memory.kv_bytes(header) == 23040
    assert memory.estimate_header(header) == model_named("smollm2-135m").memory


def test_a_model_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    assert find_model("smollm2-135m") == paths.starter_model()
    assert find_model(paths.starter_model()) == paths.starter_model()
    assert find_model(str(paths.starter_embedder())) == paths.starter_embedder()


def test_a_model_that_is_not_here_says_how_to_get_it() -> None:
    with pytest.raises(MissingFile, match=r"workbench models fetch qwen3-4b"):
        find_model("qwen3-4b")
    with pytest.raises(MissingFile, match="Did you mean qwen3-4b"):
        find_model("qwen3-4bb")
    with pytest.raises(MissingFile, match="no model file"):
        find_model("/not/there.gguf")


def test_an_imported_model_is_listed_found_and_removed(tmp_path: Path) -> None:
    model = import_model(written(tmp_path / "Mine v2.gguf", gguf_bytes()))
    assert model.name == "small" and model.source == "imported" and model.sha256
    assert find_model("small") == model.path
    assert [each.name for each in list_models()][-1] == "small"
    remove_model("small")
    with pytest.raises(MissingFile):
        find_model("small")
    assert (tmp_path / "Mine v2.gguf").exists()  # the person's own file is not touched


def test_the_same_file_twice_is_one_model_and_another_of_that_name_is_a_second(tmp_path: Path) -> None:
    first = import_model(written(tmp_path / "a.gguf", gguf_bytes()))
    assert import_model(written(tmp_path / "b.gguf", gguf_bytes())) == first
    assert import_model(written(tmp_path / "c.gguf", gguf_bytes(template="other"))).name == "small-2"


def test_importing_the_starter_finds_the_starter() -> None:
    assert import_model(paths.starter_model()).name == "smollm2-135m"


def test_a_file_that_cannot_be_linked_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    model = import_model(written(tmp_path / "a.gguf", gguf_bytes()))
    assert model.path is not None and model.path.read_bytes() == gguf_bytes()
    monkeypatch.setattr(models, "DISK_MARGIN", 1 << 60)
    with pytest.raises(DiskFull):
        import_model(written(tmp_path / "b.gguf", gguf_bytes(template="other")))
    assert [each.name for each in paths.model_folder().iterdir()] == ["small"]  # nothing half is left


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (gguf_bytes(kind="adapter"), "is an adapter, not a model"),
        (gguf_bytes(extra=entry("split.count", 2, struct.pack("<H", 3))), "one of 3 parts"),
        (gguf_bytes(kind="mmproj"), "helper file"),
        (gguf_bytes(architecture="bert"), "helper file"),
        (gguf_bytes(architecture="martian"), "'martian', which this llama.cpp does not know"),
        (gguf_bytes()[:-1], "cut short"),
        (b"not a model", "does not begin as a GGUF"),
    ],
)
def test_what_is_no_chat_model_is_refused_with_what_it_is(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(BadModel, match=re.escape(sentence)):
        import_model(written(tmp_path / "a.gguf", content))
    assert not paths.model_folder().exists() or not list(paths.model_folder().iterdir())


def test_a_hostile_title_becomes_a_harmless_name(tmp_path: Path) -> None:
    content = gguf_bytes().replace(string("small"), string("../.."))
    model = import_model(written(tmp_path / "a.gguf", content))
    assert model.name == "model" and model.path is not None
    assert model.path.is_relative_to(paths.model_folder())


def test_the_included_models_cannot_be_removed_and_absent_ones_are_named() -> None:
    with pytest.raises(InputError, match="cannot be removed"):
        remove_model("smollm2-135m")
    with pytest.raises(MissingFile, match="nothing to remove"):
        remove_model("qwen3-4b")


def test_a_damaged_manifest_hides_only_its_own_model(tmp_path: Path) -> None:
    import_model(written(tmp_path / "a.gguf", gguf_bytes()))
    broken = paths.model_folder() / "broken"
    broken.mkdir()
    (broken / "model.json").write_text("{")
    assert [each.name for each in list_models()][-1] == "small"


def test_memory_that_is_not_there_is_refused_with_figures() -> None:
    memory.require(1, "This")
    with pytest.raises(TooLittleMemory, match="needs about 1000.0 GB"):
        memory.require(10**12, "This")
    assert 0 < memory.free() <= memory.total()
    assert not memory.fits(memory.total()) and memory.fits(1)
