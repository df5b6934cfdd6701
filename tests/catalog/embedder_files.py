"""The files of an embedder as sentence-transformers writes them, with weights of no use: what is looked at, not run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

MODULES: list[dict[str, Any]] = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
]
WEIGHTS = save({"embeddings.word_embeddings.weight": np.ones((4, 8), np.float32)})


def files(**changes: Any) -> dict[str, bytes]:
    """Names and contents; a change names a file by its stem and gives its settings, None for a file to leave out."""
    settings: dict[str, Any] = {
        "modules": MODULES,
        "config": {"architectures": ["BertModel"], "hidden_size": 8, "max_position_embeddings": 512},
        "tokenizer": {},
        "sentence_bert_config": {"max_seq_length": 256},
        "1_Pooling/config": {"pooling_mode_mean_tokens": True},
    }
    known = {**settings, **changes}
    made = {f"{name}.json": json.dumps(each).encode() for name, each in known.items() if each is not None}
    return {**made, "model.safetensors": WEIGHTS}


def write(folder: Path, found: dict[str, bytes]) -> Path:
    for name, content in found.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder
