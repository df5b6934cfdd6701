"""A base is read with an embedder of a person's own, and changes to another one without a moment unsearchable."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tiny_embedder
from index_checks import check_agreement

from workbench.catalog.embedders import embedders, find_embedder
from workbench.catalog.models import import_model, remove_model
from workbench.cli import run
from workbench.documents.chunk import embedded_text
from workbench.errors import InputError, MissingFile
from workbench.events import Note, Result, last_result
from workbench.index import embed, number_type
from workbench.index.audit import audit
from workbench.index.build import build
from workbench.index.files import choose_embedder_of, embedder_of, read_index
from workbench.index.made import embedders_of
from workbench.index.store import open_store
from workbench.project import Project
from workbench.retrieval.search import search

QUESTION = "Within how many days may goods be returned?"


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two embedders as a person has them on a disk."""
    made = tmp_path_factory.mktemp("saved")
    tiny_embedder.save(made / "tiny")
    tiny_embedder.save(made / "wide", size=64, seed=7, prompts={}, dense=24)
    return made


@pytest.fixture
def tiny(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of one of them, taken in."""
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "home"))
    yield import_model(saved / "tiny").name
    embed._kept.cache_clear()  # the folder goes with the test


def found(home: Path, question: str = QUESTION) -> list[str]:
    events = list(search(home, (question,), 3))
    assert not [each for each in events if isinstance(each, Note)]
    return [passage.file for each in events if isinstance(each, Result) for passage in each.value.passages]


def test_questions_and_passages_are_read_as_the_library_reads_them(saved: Path, tiny: str) -> None:
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(saved / "tiny"), device="cpu")
    ours = embed.open_embedder(find_embedder(tiny))
    texts = ["The kettle's warranty ends in May.", "Short.", "the kettle " * 20]
    for questions, own in ((True, theirs.encode_query(texts)), (False, theirs.encode_document(texts))):
        assert number_type.least_cosine(ours.encode(texts, questions), own) > 0.999
        for text, vector in zip(texts, own, strict=True):  # alone, by the quick way
            assert number_type.least_cosine(ours.encode([text], questions), np.array([vector])) > 0.999
    assert number_type.least_cosine(ours.encode(texts, True), ours.encode(texts)) < 0.999
    assert (ours.dimension, ours.limit) == (48, tiny_embedder.MOST - 2 - ours.count(["passage: "])[0])


def test_the_prompt_is_none_of_a_texts_tokens(tiny: str) -> None:
    ours = embed.open_embedder(find_embedder(tiny))
    steps = ours.read_stepwise(["the kettle", "The warranty: the kettle"], questions=True)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            read: embed.Read = done.value
            break
    assert [len(each) for each in read.tokens] == [1, 2]  # function words are left out as well


def test_the_dimension_is_known_before_the_model_is_loaded(saved: Path) -> None:
    embedder = embed.Embedder(saved / "wide")
    assert (embedder.loaded, embedder.dimension) == (False, 24)
    assert embedder.encode(["the kettle"]).shape == (1, 24) and embedder.dimension == 24


def test_a_base_is_indexed_and_searched_with_the_embedder_it_was_given(project: Path, folder: Path, tiny: str) -> None:
    base = Project.open(project)
    choose_embedder_of(base, tiny)
    (folder / "long.txt").write_text("the kettle has a warranty of many months " * 60)
    report = last_result(build(project, (folder,)))
    embedder = embed.open_embedder(find_embedder(tiny))
    assert (report.embedder, report.embedder_hash, len(report.added)) == (tiny, embedder.hash, 5)
    with read_index(project) as keywords:
        lengths = [
            embedder.count([embedded_text(each)])[0] for row in keywords.files() for each in keywords.chunks(row)
        ]
        assert max(lengths) <= embedder.limit < 144  # nothing is cut off, and the usual size would have been
        assert [(each.name, each.hash) for each in embedders_of(keywords)] == [(tiny, embedder.hash)]
    assert check_agreement(project, embedder=embedder) == len(lengths)
    assert len(found(project)) == 3
    told = last_result(audit(project, (folder,)))
    assert (told.found, told.left, told.build.embedder_hash) == ((), (), embedder.hash)


def test_a_change_of_embedder_is_searchable_throughout_and_leaves_nothing_behind(
    project: Path, folder: Path, tiny: str
) -> None:
    last_result(build(project, (folder,)))
    starter = embed.open_embedder()
    before = found(project)
    choose_embedder_of(Project.open(project), tiny)
    assert found(project) == before  # chosen is not yet read
    stage, halfway = build(project, (folder,)), False
    other = embed.open_embedder(find_embedder(tiny))
    fingerprints = open_store(project / "index" / "chroma").fingerprints()
    for _ in stage:
        with read_index(project) as keywords:
            made = {row.made_with for row in keywords.files() if row.chunks}
            if len(made) == 2:
                halfway = True
                assert {each.hash for each in embedders_of(keywords)} == {starter.hash, other.hash}
                files = found(project, "Prime the pump, the goods, the kettle, the workshop")
                assert len(files) == 3
    assert halfway
    assert not fingerprints & open_store(project / "index" / "chroma").fingerprints()
    assert check_agreement(project, embedder=other) > 0


def test_a_change_that_was_stopped_goes_on_where_it_was(
    project: Path, folder: Path, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    last_result(build(project, (folder,)))
    choose_embedder_of(Project.open(project), tiny)
    done = 0
    stage = build(project, (folder,))
    for _ in stage:
        with read_index(project) as keywords:
            done = sum(row.made_with != keywords.fact("fingerprint") for row in keywords.files())
        if done:
            stage.close()
            break
    assert 0 < done < 4
    assert len(found(project)) == 3
    report = last_result(build(project, (folder,)))
    assert (len(report.changed), report.unchanged) == (4 - done, done)
    check_agreement(project, embedder=embed.open_embedder(find_embedder(tiny)))


def test_a_folder_that_was_away_is_searched_with_the_embedder_that_read_it(
    project: Path, folder: Path, tmp_path: Path, tiny: str
) -> None:
    away = tmp_path / "away"
    away.mkdir()
    (away / "ships.md").write_text("# Ships\n\nThe harbour opens at dawn.\n")
    last_result(build(project, (folder, away)))
    shutil.move(away, tmp_path / "unplugged")
    choose_embedder_of(Project.open(project), tiny)
    last_result(build(project, (folder,)))
    assert "ships.md" in found(project, "When does the harbour open?")
    shutil.move(tmp_path / "unplugged", away)
    assert last_result(build(project, (folder, away))).changed == ("ships.md",)
    check_agreement(project, embedder=embed.open_embedder(find_embedder(tiny)))


def test_an_embedder_that_is_gone_is_one_sentence_and_another_one_can_be_chosen(
    project: Path, folder: Path, tiny: str
) -> None:
    base = Project.open(project)
    choose_embedder_of(base, tiny)
    last_result(build(project, (folder,)))
    remove_model(tiny)
    for stage in (search(project, (QUESTION,), 3), build(project, (folder,))):
        with pytest.raises(MissingFile, match="'tiny' of these documents is not on this machine: import it again, or"):
            last_result(stage)
    choose_embedder_of(base, "minilm-l6")
    last_result(build(project, (folder,)))
    assert len(found(project)) == 3
    check_agreement(project)


def test_one_that_took_its_name_is_not_searched_with(project: Path, folder: Path, saved: Path, tiny: str) -> None:
    choose_embedder_of(Project.open(project), tiny)
    last_result(build(project, (folder,)))
    path = find_embedder(tiny)
    settings = json.loads((path / "config_sentence_transformers.json").read_text())
    settings["prompts"] = {"query": "other: "}
    (path / "config_sentence_transformers.json").write_text(json.dumps(settings))
    embed._kept.cache_clear()
    with pytest.raises(MissingFile, match="another one than that these documents were indexed with"):
        found(project)
    assert len(last_result(build(project, (folder,))).changed) == 4
    assert len(found(project)) == 3


def test_only_an_embedder_that_is_here_can_be_chosen(project: Path, tiny: str) -> None:
    base = Project.open(project)
    assert {each.name for each in embedders()} == {"minilm-l6", tiny}
    for name, why in (("smollm2-135m", "is no embedder"), ("bge-small-en", "models fetch"), ("minilm", "Did you mean")):
        with pytest.raises(InputError, match=why):
            choose_embedder_of(base, name)
    assert embedder_of(base) == "minilm-l6" and "embedder" not in base.info.options


def test_the_command_reads_every_folder_of_the_base_again(
    project: Path, folder: Path, tmp_path: Path, tiny: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "ships.md").write_text("# Ships\n\nThe harbour opens at dawn.\n")
    last_result(build(project, (folder, other)))
    assert run(["index", str(folder), "--embedder", "nothing", "--project", str(project)]) == 2
    assert run(["index", str(folder), "--embedder", tiny, "--json", "--project", str(project)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["embedder"], len(told["changed"]), told["unchanged"]) == (tiny, 5, 0)
    assert run(["bases", "list", "--json", "--project", str(project)]) == 0
    assert json.loads(capsys.readouterr().out)["bases"][0]["embedder"] == tiny
