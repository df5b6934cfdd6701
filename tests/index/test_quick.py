"""Texts are read the quick way, alone and together, with the vectors the library gives."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from workbench import paths
from workbench.index import embed, quick

QUESTIONS = (
    "How long does the kettle's warranty last?",
    "x",
    "AX-2041 über 7 µm: what is the price, in € and in kr.?" * 5,
)


def read(embedder: embed.Embedder, *texts: str, gives_way: bool = False) -> embed.Read:
    steps = embedder.read_stepwise(texts, gives_way=gives_way)
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


# In bfloat16 the library's own vectors of one word alone and among others are 0.9999 alike.
@pytest.mark.parametrize(("precision", "alike"), [("float32", 0.999999), ("bfloat16", 0.9997)])
def test_texts_of_all_lengths_together_have_the_vectors_the_library_gives(precision: str, alike: float) -> None:
    embedder = embed.Embedder(paths.starter_embedder())
    embedder._load_in(precision)
    assert embedder._quick is not None
    words = "the kettle hums at seven hertz when it is warm , and 3 of its parts are blue".split()
    dice = np.random.default_rng(5)
    lengths = [1, 1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 100, 180, 230]  # words, around the multiples rows come in
    texts = [" ".join(dice.choice(words, count)) for count in lengths]
    ours = read(embedder, *texts)
    embedder._quick = None
    theirs = read(embedder, *texts)
    assert (ours.vectors * theirs.vectors).sum(axis=1).min() >= alike
    for one, other in zip(ours.tokens, theirs.tokens, strict=True):
        assert one.shape == other.shape
        norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
        assert ((one * other).sum(axis=1) / norms).min() >= quick.ALIKE_TOKENS


def test_between_two_layers_it_may_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = embed.open_embedder()
    embedder.load()
    rested: list[int] = []
    monkeypatch.setattr(embed.turns, "rest", lambda threads, stopped: rested.append(threads))
    read(embedder, *QUESTIONS, gives_way=True)
    assert len(rested) == len(embedder._model.transformers_model.encoder.layer)
    read(embedder, *QUESTIONS)
    assert len(rested) == len(embedder._model.transformers_model.encoder.layer)


def test_what_is_longer_than_the_embedder_reads_goes_the_librarys_way(monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = embed.open_embedder()
    embedder.load()
    monkeypatch.setattr(embedder, "_quick", lambda texts, between: pytest.fail(f"{len(texts)} texts were read"))
    assert np.isfinite(read(embedder, "!" * 390).vectors).all()


def test_a_way_that_gives_other_vectors_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = embed.open_embedder()
    embedder.load()
    ids = [embedder._tokenizer.encode(QUESTIONS[0]).ids]
    assert quick.quicken(embedder._model, ids) is not None
    monkeypatch.setattr(quick, "_layer", lambda layer, config: lambda states, places: states)
    assert quick.quicken(embedder._model, ids) is None


def test_another_kind_of_model_is_left_to_the_library() -> None:
    assert quick.quicken(SimpleNamespace(transformers_model=object()), [[1, 2]]) is None
