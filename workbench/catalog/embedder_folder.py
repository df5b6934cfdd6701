"""What an embedder's folder says of itself: how much it reads, what goes before its texts, how long its vectors are.

The files are those that sentence-transformers writes; reading them takes no library and no weights.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import records
from workbench.catalog.folders import WEIGHTS
from workbench.errors import BadModel

UNTOLD = 1_000_000  # a tokenizer that was not told how much its model reads names a number far above this
MOST = 512  # tokens that are read where nothing but the places a model has tells how many it was trained for
# What decides a vector besides the weights: how tokens become one, and what goes before the texts.
SETTINGS = ("modules.json", "config.json", "config_sentence_transformers.json", "tokenizer.json", "*/config.json")


@dataclass(frozen=True, slots=True)
class Prompts:
    """What an embedder was trained to read before a text, "" for nothing."""

    question: str = ""
    document: str = ""
    counts: bool = True  # whether its tokens are a part of the vector


def weights_of(folder: Path) -> Path:
    """The file with the weights. Raises BadModel where there is none in the one format that is loaded."""
    path = folder / WEIGHTS
    if not path.exists():
        raise BadModel(f"The embedder in {folder} has no {WEIGHTS}: only weights in that format are loaded.")
    return path


def token_limit(folder: Path) -> int:
    """Tokens the model reads of a text, special ones and a prompt's included.

    What its maker stated, here or with the tokenizer, and never more than it has places for. Raises OSError,
    ValueError, KeyError where config.json cannot be read.
    """
    config = _read(folder / "config.json")
    told = [_number(folder / "sentence_bert_config.json", "max_seq_length")]
    told.append(_number(folder / "tokenizer_config.json", "model_max_length"))
    places = int(config.get("max_position_embeddings") or config.get("n_positions") or UNTOLD)
    if config.get("model_type") in ("roberta", "xlm-roberta", "mpnet", "camembert"):
        places -= int(config.get("pad_token_id") or 0) + 1  # their first place comes after that of the padding
    stated = next((each for each in told if 0 < each < UNTOLD), min(MOST, places))
    return min(stated, places)


def prompts_of(folder: Path) -> Prompts:
    """What goes before a question and before a passage, as `encode_query` and `encode_document` look for it."""
    with suppress(OSError, ValueError, AttributeError, TypeError):
        config = _read(folder / "config_sentence_transformers.json")
        known = {str(name): str(text) for name, text in (config.get("prompts") or {}).items() if text}
        usual = known.get(str(config.get("default_prompt_name")), "")
        document = next((known[name] for name in ("document", "passage", "corpus") if name in known), usual)
        return Prompts(known.get("query", usual), document, _prompt_counts(folder))
    return Prompts()


def _prompt_counts(folder: Path) -> bool:
    pooling = [folder / str(each.get("path", "")) / "config.json" for each in _modules(folder)[1:]]
    return all(_read(path).get("include_prompt") is not False for path in pooling if path.is_file())


def dimension_of(folder: Path) -> int:
    """Numbers in a vector. Raises OSError, ValueError, KeyError where the folder is not whole."""
    config = _read(folder / "config.json")
    found = int(next(config[name] for name in ("hidden_size", "dim", "d_model") if name in config))
    for module in _modules(folder):
        own = folder / str(module.get("path", "")) / "config.json"
        if str(module.get("type")).endswith(".Dense"):
            found = int(_read(own)["out_features"])
        elif str(module.get("type")).endswith(".Pooling"):
            pooling = _read(own)
            found *= max(1, sum(value is True for name, value in pooling.items() if name.startswith("pooling_mode_")))
    return found


def settings_hash(folder: Path) -> str:
    """SHA-256 of what decides a vector besides the weights."""
    found = sorted({path for pattern in SETTINGS for path in folder.glob(pattern)})
    said = [f"{path.relative_to(folder).as_posix()} {records.hash_file(path)}" for path in found]
    return records.hash_text("\n".join((*said, str(token_limit(folder)))))


def _modules(folder: Path) -> list[dict[str, Any]]:
    with suppress(OSError, ValueError):
        return [each for each in json.loads((folder / "modules.json").read_text("utf-8")) if isinstance(each, dict)]
    return []


def _number(path: Path, name: str) -> int:
    with suppress(OSError, ValueError, TypeError, AttributeError, OverflowError):
        return int(_read(path).get(name) or 0)
    return 0


def _read(path: Path) -> dict[str, Any]:
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} is no object")
    return found
