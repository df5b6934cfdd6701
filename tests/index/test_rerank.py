"""A real cross-encoder with random weights puts what a search found in its order; how good one is cannot be told so."""

from __future__ import annotations

from pathlib import Path

import pytest
import quick_embedder

from workbench.catalog.models import import_model
from workbench.documents.chunk import embedded_text
from workbench.errors import BadModel
from workbench.events import last_result
from workbench.index.build import build
from workbench.index.files import read_index
from workbench.index.rerank import Reranker, open_reranker
from workbench.retrieval.fusion import Found, reranked
from workbench.retrieval.search import search

QUESTION = "When is the shaft seal replaced?"


@pytest.fixture(scope="module")
def reranker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny cross-encoder of one layer, saved as the library saves one and imported as a person imports it."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("made") / "tiny"
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz0123456789"]
    vocabulary += [f"##{each}" for each in vocabulary[4:]]
    tokenizer = Tokenizer(models.WordPiece({each: n for n, each in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", [("[CLS]", 2), ("[SEP]", 3)]
    )
    marks = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=128, **marks).save_pretrained(folder)
    torch.manual_seed(4)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(vocab_size=len(vocabulary), max_position_embeddings=128, num_labels=1, **shape)
    BertForSequenceClassification(config).save_pretrained(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(tmp_path_factory.mktemp("home")))
        path = import_model(folder).path
    assert path is not None and path != folder
    return path


def scored(reranker: Path, texts: list[str]) -> list[float]:
    steps = Reranker(reranker).score_stepwise(QUESTION, texts)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: list[float] = done.value
            return found


def test_a_pair_gets_the_number_that_the_model_itself_gives_it(reranker: Path) -> None:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    texts = ["The shaft seal is replaced every 900 hours.", "Ada leads.", "word " * 300, ""]
    model = AutoModelForSequenceClassification.from_pretrained(reranker).eval()
    tokens = AutoTokenizer.from_pretrained(reranker)
    with torch.inference_mode():
        own = [
            float(model(**tokens(QUESTION, each, truncation=True, max_length=128, return_tensors="pt")).logits)
            for each in texts
        ]
    assert scored(reranker, texts) == pytest.approx(own, abs=1e-4) and len(set(own)) == 4


def test_a_search_comes_in_the_order_of_the_reranker_and_says_so(
    project: Path, folder: Path, reranker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick_embedder.install(monkeypatch)
    last_result(build(project, (folder,)))
    plain = last_result(search(project, (QUESTION,), 5)).passages
    assert all(each.reread_rank is None for each in plain)
    found = last_result(search(project, (QUESTION,), 5, reranker=reranker)).passages
    assert {each.id for each in found} == {each.id for each in plain} and len(found) > 2
    with read_index(project) as keywords:
        chunks = keywords.chunks_by_id([each.id for each in found])
    scores = scored(reranker, [embedded_text(chunks[each.id][0]) for each in found])
    assert scores == sorted(scores, reverse=True)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    ranks = [each.reread_rank for each in found]
    assert ranks[0] == 1 and ranks == sorted(ranks, key=lambda rank: rank or 99)
    assert {each.id: each.token_rank for each in found} == {each.id: each.token_rank for each in plain}


def test_what_a_reranker_did_not_read_follows_in_its_own_order() -> None:
    found = [Found(key, 0.6 - place / 10) for place, key in enumerate("abcd")]
    order = reranked(found, [-3.0, 2.0])
    assert [(each.id, each.reread_rank) for each in order] == [("b", 1), ("a", 2), ("c", None), ("d", None)]
    assert [each.score for each in order] == sorted((each.score for each in order), reverse=True)


def test_a_reranker_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadModel, match="switch it off"):
        open_reranker(tmp_path / "gone").load()
