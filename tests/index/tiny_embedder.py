"""An embedder of one layer with random weights, saved as sentence-transformers saves one: another dimension, another
length, prompts of its own. What it finds means nothing; that it is read rightly can be told."""

from __future__ import annotations

from pathlib import Path

PROMPTS = {"query": "search query: ", "document": "passage: "}
MOST = 96  # tokens it reads at once


def save(folder: Path, size: int = 48, seed: int = 4, prompts: dict[str, str] | None = None, dense: int = 0) -> Path:
    """Save one whose vectors have `size` numbers, or `dense` after a layer more."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Dense, Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    raw = folder.with_name(f"{folder.name}-raw")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz0123456789"]
    vocabulary += [f"##{each}" for each in vocabulary[4:]] + ["the", "warranty", "kettle", "search", "passage"]
    tokenizer = Tokenizer(models.WordPiece({each: n for n, each in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", [("[CLS]", 2), ("[SEP]", 3)]
    )
    marks = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **marks).save_pretrained(raw)
    torch.manual_seed(seed)
    shape = {"hidden_size": size, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=len(vocabulary), max_position_embeddings=512, **shape)).save_pretrained(raw)
    modules = [Transformer(str(raw), max_seq_length=MOST), Pooling(size), Normalize()]
    if dense:
        modules.insert(2, Dense(size, dense))
    made = SentenceTransformer(modules=modules, prompts=PROMPTS if prompts is None else prompts, device="cpu")
    made.save_pretrained(str(folder))
    return folder
