"""The word-by-word leg: what is kept of a chunk's tokens, and how close a question comes to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from index_checks import built, check_agreement

from workbench.errors import BadProject
from workbench.events import last_result
from workbench.index import embed, number_type, varied
from workbench.index.build import build
from workbench.index.tokens import FILE_NAME, TokenSigns, closeness, pack
from workbench.retrieval.search import search
from workbench.settings import Settings


def test_each_token_of_a_question_counts_its_best_match() -> None:
    one, other = np.array([1, -1] * 6, np.float32), np.array([1, 1] * 6, np.float32)  # at right angles
    chunks = [("both", pack(np.stack([one, other]))), ("one", pack(one[None])), ("against", pack(-one[None]))]
    found = closeness(np.stack([3 * one, other]), chunks)
    assert found["both"] == pytest.approx(1) and found["one"] == pytest.approx(0.5)
    assert found["against"] == pytest.approx(-0.5)


@pytest.mark.parametrize("dimension", [8, 13, 384])
def test_signs_give_nearly_the_order_of_the_vectors_they_were_made_of(dimension: int) -> None:
    draw = np.random.default_rng(3)
    question = draw.standard_normal((4, dimension))
    near = question + 0.3 * draw.standard_normal((4, dimension))
    far = draw.standard_normal((9, dimension))
    found = closeness(question, [("far", pack(far)), ("near", pack(near))])
    assert found["near"] > found["far"] and max(found.values()) <= 1


def test_a_row_that_is_not_whole_and_a_question_without_tokens_count_nothing() -> None:
    question = np.ones((1, 16), np.float32)
    assert closeness(question, [("cut", b"\x00\x01\x02"), ("empty", b"")]) == {}
    assert closeness(question[:0], [("a", pack(question))]) == {}


def test_rows_are_kept_by_embedder_and_copied_to_new_names(tmp_path: Path) -> None:
    tokens = np.ones((2, 8), np.float32)
    with TokenSigns(tmp_path, write=True) as kept:
        kept.add("e1", ["a", "b"], [tokens, -tokens])
        kept.add("e2", ["a"], [tokens])
        kept.rename("e1", [("b", "c"), ("nobody", "d")])
        kept.remove("e1", ["b", "nobody"])
        assert kept.ids("e1") == {"a", "c"} and kept.present("e1", ["c", "b"]) == {"c"}
        found = closeness(tokens, kept.signs("e1", ["a", "c", "b"]))
        assert found == {"a": pytest.approx(1), "c": pytest.approx(-1)}
        kept.remove_others(["e1"])
        assert (kept.count("e1"), kept.count("e2")) == (2, 0)
    with TokenSigns(tmp_path) as again:
        assert again.ids("e1") == {"a", "c"}


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"no database" * 100)
    with pytest.raises(BadProject, match=FILE_NAME):
        TokenSigns(tmp_path, write=True)


def test_function_words_and_punctuation_are_not_compared() -> None:
    embedder = embed.open_embedder()
    steps = embedder.read_stepwise(["The price of a kettle, please!", "of the", "???"])
    while True:
        try:
            next(steps)
        except StopIteration as done:
            read = done.value
            break
    assert [len(each) for each in read.tokens] == [2, 4, 5]  # where nothing is telling, all of it with its two marks
    assert read.vectors.shape == (3, embedder.dimension)
    assert np.allclose(np.linalg.norm(read.vectors, axis=1), 1, atol=1e-3)


def test_an_index_of_an_earlier_version_is_searched_as_it_is_and_completed_by_the_next_build(
    project: Path, folder: Path
) -> None:
    report = built(project, folder)
    for path in (project / "index").glob(f"{FILE_NAME}*"):
        path.unlink()
    before = last_result(search(project, ("When is the shaft seal replaced?",), 3)).passages
    assert before[0].file == "pumps.md" and before[0].token_rank is None
    again = built(project, folder)
    assert again.embedded == report.chunks and not again.added
    after = last_result(search(project, ("When is the shaft seal replaced?",), 3)).passages
    assert after[0].file == "pumps.md" and after[0].token_rank == 1
    assert built(project, folder).embedded == 0


def test_what_is_missing_for_one_file_makes_that_file_be_read_again(project: Path, folder: Path) -> None:
    built(project, folder)
    embedder = embed.open_embedder().hash
    with TokenSigns(project / "index", write=True) as kept:
        kept.remove(embedder, list(kept.ids(embedder))[:1])
        kept.add(embedder, ["nobody"], [np.ones((1, 384), np.float32)])
    from workbench.index.audit import audit

    report = last_result(audit(project, (folder,)))
    said = [each.problem for each in report.found]
    assert "vectors of its words are missing" in said and "the words of 1 passages belong to no file" in said
    assert report.left == () and report.build.embedded == 1
    check_agreement(project)
    assert last_result(build(project, (folder,))).embedded == 0


def test_indexing_takes_no_more_cores_than_the_settings_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embed, "load_settings", lambda: Settings(threads=8, background_cores=3))
    assert embed._FreeCores()._free() == 3


@pytest.mark.parametrize(("cosine", "chosen"), [(0.996, "bfloat16"), (0.993, "float32")])
def test_a_faster_type_is_used_only_where_it_keeps_the_direction_of_every_text(
    cosine: float, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    clock = [0.0]

    class Model:
        """Takes a second in fp32 and half of one in bf16, where it turns the last of the texts."""

        def __init__(self, precision: str) -> None:
            self.fast = precision == "bfloat16"

        def encode(self, texts: list[str], **_: object) -> torch.Tensor:
            clock[0] += 0.5 if self.fast else 1.0
            vectors = torch.zeros(len(texts), 2)
            vectors[:, 0] = 1.0
            if self.fast:
                vectors[-1] = torch.tensor([cosine, (1 - cosine**2) ** 0.5])
            return vectors

    monkeypatch.setattr(number_type.time, "perf_counter", lambda: clock[0])
    steps = number_type.probing(Model)
    with pytest.raises(StopIteration) as found:
        while True:
            next(steps)
    assert found.value.value == chosen and len(set(varied.TEXTS)) >= 36


@pytest.mark.parametrize(("calls", "chosen"), [((0.1, 0.4), "bfloat16"), ((5.0, 9.0), "float32")])
def test_what_disturbs_some_calls_does_not_decide_which_type_is_read_in(
    calls: tuple[float, float], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every other call takes longer by `calls`' second number of seconds; where bf16 is emulated all of them do."""
    import torch

    clock, turn = [0.0], [0]

    class Model:
        def __init__(self, precision: str) -> None:
            self.fast = precision == "bfloat16"

        def encode(self, texts: list[str], **_: object) -> torch.Tensor:
            turn[0] += 1
            clock[0] += (calls[0] if self.fast else 0.2) + (calls[1] if turn[0] % 3 == 0 else 0.0)
            return torch.eye(len(texts))

    monkeypatch.setattr(number_type.time, "perf_counter", lambda: clock[0])
    steps = number_type.probing(Model)
    with pytest.raises(StopIteration) as found:
        while True:
            next(steps)
    assert found.value.value == chosen
