"""Text becomes tokens, by the model's own tokenizer and chat template, with the answer's tokens marked as trained."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench import paths, records
from workbench.catalog.template import ChatTemplate, read_template, render
from workbench.errors import BadModel

FORMAT = 1  # of the cached tokenizer: raised when what is cached changes


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """A model's tokenizer and template, without the model."""

    backend: Any  # tokenizers.Tokenizer
    template: ChatTemplate
    adds_bos: bool  # whether the model expects its bos before every text

    def encode(self, text: str) -> list[int]:
        """Token ids of a text in which the model's control tokens are recognised; nothing is added."""
        ids: list[int] = self.backend.encode(text, add_special_tokens=False).ids
        return ids

    @property
    def end_id(self) -> int:
        """The token that ends a turn, -1 when the model has none."""
        return self.encode(self.template.eos)[-1] if self.template.eos else -1

    def decode(self, ids: Sequence[int], keep_control: bool = False) -> str:
        """The text of some token ids."""
        text: str = self.backend.decode(list(ids), skip_special_tokens=not keep_control)
        return text

    def render(self, messages: Sequence[tuple[str, str]], open_turn: bool) -> str:
        """Messages as the exact text the model reads; `open_turn` adds what comes before an answer. Raises BadModel."""
        plain = [{"role": role, "content": content} for role, content in messages]
        return render(self.template, plain, add_generation_prompt=open_turn)

    def save(self, folder: Path) -> None:
        """Write it as transformers reads it, for libraries that want a tokenizer beside a model. Raises DiskFull."""
        about = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False}
        ends = {"eos_token": self.template.eos, "pad_token": self.template.eos, "bos_token": self.template.bos}
        with records.naming_full_disk(folder):
            self.backend.save(str(folder / "tokenizer.json"))
            records.write_json(folder / "tokenizer_config.json", {**about, **{k: v for k, v in ends.items() if v}})

    def prompt_ids(self, text: str) -> list[int]:
        """Token ids of a text that begins a context, with a bos where the model wants one and the template has none."""
        ids = self.encode(text)
        begin = self.encode(self.template.bos) if self.adds_bos and self.template.bos else []
        return ids if ids[: len(begin)] == begin else begin + ids


@dataclass(frozen=True, slots=True)
class Tokens:
    """A rendered example."""

    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]  # [start, end) of the trained tokens, in order; start is at least 1

    @property
    def trained(self) -> int:
        """How many tokens are trained."""
        return sum(end - start for start, end in self.spans)


def load_tokenizer(model: Path) -> Tokenizer:
    """The tokenizer of a GGUF. The first time takes seconds; then it is read from the cache.

    Raises BadModel when the file carries no tokenizer that can be read.
    """
    stat = model.stat()
    key = records.hash_text(f"{FORMAT} {model.absolute()} {stat.st_size} {stat.st_mtime_ns}")[:16]
    return _load_cached(model, paths.cache_folder() / "tokenizers" / key)


@functools.lru_cache(maxsize=4)
def _load_cached(model: Path, folder: Path) -> Tokenizer:
    from tokenizers import Tokenizer as Backend

    if not (folder / "about.json").exists():
        _convert(model, folder)
    about = records.read_json(folder / "about.json")
    return Tokenizer(Backend.from_file(str(folder / "tokenizer.json")), read_template(model), about["adds_bos"])


def _convert(model: Path, folder: Path) -> None:
    """Convert the GGUF's tokenizer with transformers and keep it; `about.json` is written last."""
    from transformers import AutoTokenizer

    try:
        found = AutoTokenizer.from_pretrained(str(model.parent), gguf_file=model.name)
    except Exception as error:  # transformers raises many kinds for an architecture or vocabulary it does not know
        raise BadModel(f"The tokenizer in {model.name} cannot be read for training: {error}") from error
    folder.mkdir(parents=True, exist_ok=True)
    found.backend_tokenizer.save(str(folder / "tokenizer.json"))
    records.write_json(folder / "about.json", {"adds_bos": bool(getattr(found, "add_bos_token", False))})


def tokenize(tokenizer: Tokenizer, messages: Sequence[tuple[str, str]]) -> Tokens:
    """Render a conversation and mark every answer's tokens, its end-of-turn token included.

    A prompt and an answer are tokenised apart, as they are when the model answers: the answer's first token never
    melts into the prompt. Raises ValueError when the template's text for the whole does not begin with its text for
    the prompt, which leaves no way to tell the answer from the rest.
    """
    ids: list[int] = []
    spans: list[tuple[int, int]] = []
    done = ""  # the text that is in `ids`
    for place, (role, _) in enumerate(messages):
        if role != "assistant":
            continue
        prompt = tokenizer.render(messages[:place], open_turn=True)
        whole = tokenizer.render(messages[: place + 1], open_turn=False)
        if not whole.startswith(prompt) or not prompt.startswith(done):
            raise ValueError("the model's chat template rewrites earlier turns, so the answer cannot be told apart")
        answer = _answer_text(tokenizer, whole[len(prompt) :])
        ids += tokenizer.encode(prompt[len(done) :]) if ids else tokenizer.prompt_ids(prompt)
        start = len(ids)
        ids += tokenizer.encode(answer)
        spans.append((start, len(ids)))
        done = prompt + answer
    return Tokens(tuple(ids), tuple(spans))


def _answer_text(tokenizer: Tokenizer, rest: str) -> str:
    """The answer up to and with the token that ends the turn, which the model must learn to say; not what follows."""
    if not tokenizer.template.eos:
        return rest
    content, end, _ = rest.rpartition(tokenizer.template.eos)
    return content + end if end else rest + tokenizer.template.eos


def cut(tokens: Tokens, most: int) -> Tokens:
    """At most `most` tokens: the beginning of the context goes, an answer never does.

    Raises ValueError when the last answer alone is longer.
    """
    extra = len(tokens.ids) - most
    if extra <= 0:
        return tokens
    kept = tuple((start - extra, end - extra) for start, end in tokens.spans if start - extra >= 1)
    if not kept:
        raise ValueError(f"the answer alone takes more than the {most} tokens an example may have")
    return Tokens(tokens.ids[extra:], kept)
