"""A model is fetched from a hub on loopback: resumed, verified, stopped, refused."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import embedder_files
import pytest
from gguf_files import gguf_bytes
from stand_in_hub import Hub

from workbench import paths, records
from workbench.catalog import download, hub, models
from workbench.catalog.fetch import fetch
from workbench.catalog.models import find_model, list_models, model_named, remove_model
from workbench.catalog.records import Model
from workbench.errors import BadModel, DiskFull, DownloadFailed, InputError, MissingFile
from workbench.events import Progress, last_result

NAME = "smollm2-360m"  # of the catalogue, without a hash of its own
FILE = "smollm2-360m-instruct-q8_0.gguf"
CONTENT = gguf_bytes(extra_tensor_bytes=3_000_000)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # as the program sets it; an explicit fetch goes past it
    monkeypatch.setattr(download, "PAUSE", 0.01)
    monkeypatch.setattr(download, "LOOK", 0.02)
    with Hub() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.address)
        running.behaviour.files = {FILE: CONTENT, "README.md": b"# about"}
        yield running


def fetched(name: str = NAME) -> Model:
    model = last_result(fetch(name))
    assert isinstance(model, Model)
    return model


def test_a_model_is_fetched_verified_and_found(stand_in: Hub) -> None:
    events = list(fetch(NAME))
    model = find_model(NAME)
    assert model.read_bytes() == CONTENT and model.parent == paths.model_folder() / NAME
    assert {each.unit for each in events if isinstance(each, Progress)} == {"bytes"}
    listed = model_named(NAME)
    assert listed.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert listed.size == len(CONTENT) and not listed.about
    assert [each.name for each in paths.model_folder().iterdir()] == [NAME]  # no part is left beside it


def test_fetching_what_is_here_asks_nobody(stand_in: Hub) -> None:
    fetched()
    stand_in.behaviour.ranges.clear()
    assert fetched().path == find_model(NAME)
    assert stand_in.behaviour.ranges == []


def test_a_dropped_connection_is_taken_up_where_it_broke(stand_in: Hub) -> None:
    stand_in.behaviour.drop_after = [1_000_000, 700_000]
    assert fetched().path is not None
    assert stand_in.behaviour.ranges == ["", "bytes=1000000-", "bytes=1700000-"]


def test_a_server_that_cannot_resume_begins_again(stand_in: Hub) -> None:
    stand_in.behaviour.drop_after = [1_000_000]
    stand_in.behaviour.resumes = False
    assert fetched().path is not None and find_model(NAME).read_bytes() == CONTENT


def test_a_busy_server_is_asked_again(stand_in: Hub) -> None:
    stand_in.behaviour.status = [503, 429]
    assert fetched().path is not None


def test_a_server_that_never_sends_is_given_up_and_what_came_is_kept(stand_in: Hub) -> None:
    stand_in.behaviour.drop_after = [1_000_000] + [0] * download.ATTEMPTS
    with pytest.raises(DownloadFailed, match=r"1 of 3 MB are kept"):
        fetched()
    stand_in.behaviour.ranges.clear()
    assert fetched().path is not None
    assert stand_in.behaviour.ranges == ["bytes=1000000-"]


def test_a_refused_file_is_not_asked_for_again(stand_in: Hub) -> None:
    stand_in.behaviour.status = [403]
    with pytest.raises(DownloadFailed, match="status 403"):
        fetched()
    assert len(stand_in.behaviour.ranges) == 1


def test_stopping_keeps_the_part_and_the_next_fetch_goes_on_there(stand_in: Hub) -> None:
    stand_in.behaviour.slow = threading.Event()
    stage = fetch(NAME)
    for event in stage:
        if isinstance(event, Progress) and event.done >= len(CONTENT) // 2 and event.note.startswith(FILE):
            break
    stage.close()
    with pytest.raises(MissingFile, match="models fetch smollm2-360m"):
        find_model(NAME)
    stand_in.behaviour.slow.set()
    stand_in.behaviour.ranges.clear()
    assert fetched().path is not None
    assert stand_in.behaviour.ranges == [f"bytes={len(CONTENT) // 2}-"]


def test_a_stalled_server_is_reported_while_it_is_waited_for(stand_in: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "WINDOW", 0.05)
    stand_in.behaviour.slow = threading.Event()
    notes = []
    for event in fetch(NAME):
        notes.append(event.note if isinstance(event, Progress) else "")
        if "waiting for the hub" in notes[-1]:
            stand_in.behaviour.slow.set()
    assert any("waiting for the hub" in note for note in notes)


def test_a_wrong_hash_is_deleted_and_never_used(stand_in: Hub) -> None:
    stand_in.behaviour.stated = {FILE: "0" * 64}
    with pytest.raises(DownloadFailed, match="its hash differs"):
        fetched()
    assert not list(paths.model_folder().rglob("*.part")) and model_named(NAME).path is None


def test_a_file_the_catalogue_does_not_know_is_not_fetched(stand_in: Hub) -> None:
    stand_in.behaviour.files = {"qwen2.5-0.5b-instruct-q4_k_m.gguf": CONTENT}
    with pytest.raises(DownloadFailed, match="another"):
        fetched("qwen2.5-0.5b")
    assert stand_in.behaviour.ranges == []


def test_a_part_of_an_older_version_is_not_mixed_with_the_new_one(stand_in: Hub) -> None:
    stand_in.behaviour.drop_after = [1_000_000] + [0] * download.ATTEMPTS
    with pytest.raises(DownloadFailed):
        fetched()
    stand_in.behaviour.files[FILE] = newer = gguf_bytes(template="newer", extra_tensor_bytes=3_000_000)
    assert fetched().path is not None and find_model(NAME).read_bytes() == newer


def test_what_arrives_whole_and_is_no_model_is_thrown_away(stand_in: Hub) -> None:
    stand_in.behaviour.files[FILE] = b"<html>" + bytes(2000)
    with pytest.raises(BadModel, match="does not begin as a GGUF"):
        fetched()
    assert not list(paths.model_folder().iterdir())


def test_an_embedder_is_fetched_without_code_or_pickles(stand_in: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {**embedder_files.files(), "vocab.txt": b""}
    unwanted = {"pytorch_model.bin": bytes(2000), "modeling.py": b"1", "onnx/model.onnx": bytes(2000)}
    stand_in.behaviour.files = {**wanted, **unwanted}
    known = tuple(replace(each, sha256="") for each in models.catalogue())
    monkeypatch.setattr(models, "catalogue", lambda: known)
    folder = fetched("bge-small-en").path
    assert folder == find_model("bge-small-en")
    assert folder is not None
    here = {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}
    assert here == {*wanted, "model.json"}


def test_a_fetched_embedder_that_wants_to_run_code_is_thrown_away(
    stand_in: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.behaviour.files = embedder_files.files(config={"auto_map": {"AutoModel": "modeling.Model"}})
    known = tuple(replace(each, sha256="") for each in models.catalogue())
    monkeypatch.setattr(models, "catalogue", lambda: known)
    with pytest.raises(BadModel, match="program code"):
        fetched("bge-small-en")
    assert not list(paths.model_folder().iterdir())


def test_a_withdrawn_repository_is_said_so(stand_in: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    known = tuple(replace(each, source="nobody/nothing") for each in models.catalogue())
    monkeypatch.setattr(models, "catalogue", lambda: known)
    with pytest.raises(DownloadFailed, match="knows no nobody/nothing"):
        fetched()


def test_an_unreachable_hub_is_a_sentence_with_a_way_out(stand_in: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadFailed, match="models import FILE"):
        fetched()


def test_the_disk_is_looked_at_first(stand_in: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "DISK_MARGIN", 1 << 60)
    with pytest.raises(DiskFull, match="make room"):
        fetched()
    assert stand_in.behaviour.ranges == []


def test_a_person_can_switch_downloads_off(stand_in: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_OFFLINE", "1")
    with pytest.raises(InputError, match="switched off"):
        fetched()
    assert not hub.connections_file().exists()


def test_one_model_is_fetched_by_one_at_a_time(stand_in: Hub) -> None:
    first = fetch(NAME)
    next(first)
    with pytest.raises(InputError, match="fetched already"):
        list(fetch(NAME))
    first.close()
    assert fetched().path is not None


def test_every_connection_is_written_down(stand_in: Hub) -> None:
    fetched()
    lines = records.read_lines(hub.connections_file())
    assert [each["why"] for each in lines] == [f"list the files of {NAME}", f"fetch {FILE}"]
    assert all(each["address"].startswith(stand_in.address) for each in lines)


def test_a_fetched_model_is_removed_again(stand_in: Hub) -> None:
    fetched()
    remove_model(NAME)
    assert model_named(NAME).path is None and not list(paths.model_folder().iterdir())
    assert [each.name for each in list_models()].count(NAME) == 1
