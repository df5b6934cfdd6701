"""Lane: model, adapter, retrieval, prompt and sampling in one frozen record; and what a lane answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.retrieval.passage import Passage

PASSAGES = 4  # that a lane reads where nothing else is said


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen. The default is greedy, so that lanes differ by what they are, not by luck."""

    temperature: float = 0.0  # 0: always the likeliest token
    top_p: float = 1.0
    seed: int = 7
    max_tokens: int = 256  # of the answer
    repeat_penalty: float = 1.0  # 1: none


@dataclass(frozen=True, slots=True)
class Lane:
    """One way to answer. Two lanes that differ in one field show what that field changes."""

    name: (
        str  # as in the contract: "base", "prompted", "rag", "tuned:NAME", "rag+tuned:NAME", "full", or a person's own
    )
    model: Path  # a GGUF file
    title: str = ""  # full name for people: "Documents (RAG)"
    short: str = ""  # for narrow columns
    adapter: Path | None = None  # a GGUF LoRA adapter that belongs to `model`
    adapter_scale: float = 1.0
    # What else the prompt holds: "none", "passages", "sections" (what stands around them) or "full" (whole documents).
    context: str = "none"
    base: str = ""  # the knowledge base it reads, "" for the project's own
    passages: int = PASSAGES  # how many passages (or sections) are put in the prompt at most
    reranker: Path | None = None  # the folder of a cross-encoder that puts what was found in order
    system: str = ""  # system prompt; empty: the model's own default
    examples: tuple[tuple[str, str], ...] = ()  # few-shot: message, answer
    grounded_examples: bool = True  # with passages: show worked examples first (an adapter tuned to read needs none)
    sampling: Sampling = field(default_factory=Sampling)


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier exchange of the same conversation."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """What an answer was made with, taken from the runtime and not from what was asked for."""

    model: str  # SHA-256 of the GGUF's content (first 16 hex digits in short form)
    adapter: str  # SHA-256 of the adapter, "" when none was set in the context that decoded
    adapter_scale: float
    prompt_hash: str  # SHA-256 of the exact prompt text
    passages: tuple[str, ...]  # ids of the passages in the prompt
    seed: int
    sampling: dict[str, Any]
    build: str  # llama-cpp-python version, CPU features, extra buffers on or off, threads
    base: str = ""  # the knowledge base the passages are from, "" for the project's own
    canary: str = ""  # "" unchecked, "ok", or why the lane may not carry its label


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of one lane."""

    question: str
    lane: str
    text: str
    passages: tuple[Passage, ...] = ()  # those put in the prompt, numbered from 1 in this order
    cited: tuple[int, ...] = ()  # numbers the answer cites, in order of first mention; all exist in `passages`
    dropped_citations: int = 0  # markers that pointed at nothing and were removed
    prompt: str = ""  # the exact prompt
    prompt_parts: tuple[tuple[str, int], ...] = ()  # ("system", tokens), ("passages", tokens), ... in order
    prompt_tokens: int = 0
    answer_tokens: int = 0
    retrieve_seconds: float = 0.0
    first_token_seconds: float = 0.0  # from the question, retrieval included
    tokens_per_second: float = 0.0  # decoding only
    seconds: float = 0.0  # all
    # "end", "length" (max_tokens or context reached), "repeats" (see `endings.goes_round`), "cancelled" or "failed"
    stopped: str = "end"
    error: str = ""  # the sentence, when stopped is "failed"
    retrieved: tuple[Passage, ...] = ()  # all that was found, also what did not fit the prompt
    stamp: Stamp | None = None
    searched: str = ""  # what the documents were searched for, where that is not just the question
    fits: bool = True  # False: nothing in the documents seems to be about the question; see `SearchResult.fits`
