"""One short text alone is read the quick way, with the vectors the library gives."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from workbench.index import embed, quick

QUESTIONS = (
    "How long does the kettle's warranty last?",
    "x",
    "AX-2041 über 7 µm: what is the price, in € and in kr.?" * 5,
)


def read(embedder: embed.Embedder, text: str) -> embed.Read:
    steps = embedder.read_stepwise([text])
    while True:
        try:
            next(steps)
        except StopIteration as done:
            value: embed.Read = done.value
            return value


def test_a_question_has_the_vectors_the_library_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = embed.open_embedder()
    embedder.load()
    assert embedder._quick is not None  # the packaged embedder is a BERT, so it is measured here that the way is taken
    ours = [read(embedder, each) for each in QUESTIONS]
    monkeypatch.setattr(embedder, "_quick", None)
    for one, text in zip(ours, QUESTIONS, strict=True):
        other = read(embedder, text)
        assert float((one.vectors * other.vectors).sum()) >= quick.ALIKE
        assert one.tokens[0].shape == other.tokens[0].shape
        lengths = np.linalg.norm(one.tokens[0], axis=1) * np.linalg.norm(other.tokens[0], axis=1)
        assert ((one.tokens[0] * other.tokens[0]).sum(axis=1) / lengths).min() >= quick.ALIKE_TOKENS


def test_what_is_longer_than_the_embedder_reads_goes_the_librarys_way(monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = embed.open_embedder()
    embedder.load()
    monkeypatch.setattr(embedder, "_quick", lambda ids: pytest.fail(f"{len(ids)} tokens were read"))
    assert np.isfinite(read(embedder, "!" * 390).vectors).all()


def test_a_way_that_gives_other_vectors_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = embed.open_embedder()
    embedder.load()
    ids = [embedder._tokenizer.encode(QUESTIONS[0]).ids]
    assert quick.quicken(embedder._model, ids) is not None
    monkeypatch.setattr(quick, "_layer", lambda layer, config: lambda states: states)
    assert quick.quicken(embedder._model, ids) is None


def test_another_kind_of_model_is_left_to_the_library() -> None:
    assert quick.quicken(SimpleNamespace(transformers_model=object()), [[1, 2]]) is None
