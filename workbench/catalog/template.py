"""A model's own chat template, rendered in a sandbox.

Lanes and tuning both use it, so a model is trained on the very text it is asked with.

The rendering is that of transformers (`utils/chat_template_utils.py`): an immutable sandboxed Jinja environment with
``trim_blocks`` and ``lstrip_blocks``, ``raise_exception``, ``strftime_now`` and its own ``tojson``.

Documents and questions are untrusted. What is a control token to the model ("<|im_start|>") must stay text when it
stands in a message, so `defang` breaks it with a space before the template sees it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from workbench.errors import BadModel, MissingFile

Message = dict[str, str]  # {"role": "system" | "user" | "assistant", "content": text}, as in OpenAI's files

NO_TEMPLATE = "The model file holds no chat template, so the common ChatML form is used; answers may suffer."

# Used when a model brings no template: the most common shape, and that of the starter's family.
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)

_CONTROL_KINDS = (2, 3, 4)  # llama.cpp's token types unknown, control and user-defined: what a tokeniser takes whole


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """What is needed to write a conversation as one model expects it."""

    source: str  # Jinja
    control: tuple[str, ...] = ()  # strings that the model's tokeniser takes for control tokens, longest first
    bos: str = ""
    eos: str = ""
    note: str = ""  # what a person should know: "the model has no chat template ..."


def read_template(path: Path) -> ChatTemplate:
    """The template of a GGUF file. Raises BadModel where the file is damaged, MissingFile where there is none."""
    try:
        stat = path.stat()
    except OSError as error:
        raise MissingFile(f"There is no model file at {path}.") from error
    return _read_cached(path, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=8)
def _read_cached(path: Path, size: int, changed: int) -> ChatTemplate:
    from workbench.catalog.gguf_header import read_header

    header = read_header(path)
    note = "" if header.chat_template else NO_TEMPLATE
    special = header.special_tokens
    control = control_strings((*_special_texts(path), *special.values()))
    return ChatTemplate(header.chat_template or CHATML, control, special.get("bos", ""), special.get("eos", ""), note)


def _special_texts(path: Path) -> list[str]:
    """The texts of a GGUF's control tokens. The file's lengths were all checked by `read_header` before."""
    import struct

    from workbench.catalog.gguf_header import ARRAY, SCALARS, STRING

    tokens: list[bytes] = []
    kinds: tuple[int, ...] = ()
    with path.open("rb") as file:

        def number(letter: str) -> int:
            return int(struct.unpack("<" + letter, file.read(struct.calcsize("<" + letter)))[0])

        file.seek(16)
        for _ in range(number("Q")):
            key, kind = file.read(number("Q")), number("I")
            count = 1
            if kind == ARRAY:
                kind, count = number("I"), number("Q")
            if kind == STRING:
                texts = [file.read(number("Q")) for _ in range(count)]
                tokens = texts if key == b"tokenizer.ggml.tokens" else tokens
                continue
            values = file.read(count * struct.calcsize("<" + SCALARS[kind]))
            if key == b"tokenizer.ggml.token_type":
                kinds = struct.unpack(f"<{count}{SCALARS[kind]}", values)
    return [
        token.decode("utf-8", errors="replace")
        for token, kind in zip(tokens, kinds, strict=False)
        if kind in _CONTROL_KINDS
    ]


def control_strings(tokens: Iterable[str]) -> tuple[str, ...]:
    """Those of the special tokens that could stand in a text by design or malice: single characters are left alone."""
    return tuple(sorted({token for token in tokens if len(token.strip()) > 2}, key=lambda token: (-len(token), token)))


def defang(text: str, control: tuple[str, ...]) -> str:
    """The text with a space after the first character of every control string, so that it stays text."""
    return _pattern(control).sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)


@functools.lru_cache(maxsize=8)
def _pattern(control: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join([*map(re.escape, control), r"<\|[^\s|<>]{1,60}\|>"]))


def render(
    template: ChatTemplate | str,
    messages: Sequence[Message],
    add_generation_prompt: bool = True,
    *,
    bos: str = "",
    eos: str = "",
) -> str:
    """The conversation as one text, ready to be tokenised with its control tokens parsed.

    `template` is best a ChatTemplate; with its bare source, only `bos`, `eos` and what looks like "<|...|>" are
    kept from becoming control tokens. A template that knows no system role gets the system text at the head of the
    person's first message. Raises BadModel with the template's complaint where it refuses the conversation.
    """
    if isinstance(template, str):
        template = ChatTemplate(template or CHATML, control_strings((bos, eos)), bos, eos)
    clean = [{**message, "content": defang(message["content"], template.control)} for message in messages]
    try:
        return _render(template, clean, add_generation_prompt)
    except BadModel:
        if len(clean) < 2 or clean[0]["role"] != "system":
            raise
        merged = f"{clean[0]['content']}\n\n{clean[1]['content']}"
        return _render(template, [{**clean[1], "content": merged}, *clean[2:]], add_generation_prompt)


def render_example(template: ChatTemplate, messages: Sequence[Message]) -> tuple[str, str]:
    """A training row, its last message the answer, as (prompt, completion): loss belongs on the completion only.

    The prompt is exactly what a lane would ask with; the completion ends as the model must end its answers.
    """
    prompt = render(template, messages[:-1])
    whole = render(template, messages, add_generation_prompt=False)
    if whole.startswith(prompt):
        return prompt, whole[len(prompt) :].rstrip("\n")
    return prompt, defang(messages[-1]["content"], template.control) + template.eos


def _render(template: ChatTemplate, messages: list[Message], add_generation_prompt: bool) -> str:
    try:
        compiled = _compile(template.source)
        return str(
            compiled.render(
                messages=messages,
                add_generation_prompt=add_generation_prompt,
                bos_token=template.bos,
                eos_token=template.eos,
                tools=None,
                documents=None,
            )
        )
    except Exception as error:  # a template is a stranger's program and may raise anything
        raise BadModel(
            f"The model's chat template refuses this conversation: {error}. Choose another model."
        ) from error


@functools.lru_cache(maxsize=8)
def _compile(source: str) -> Any:
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    return environment.from_string(source)


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, sort_keys: bool = False) -> str:
    """transformers' `tojson`: Jinja's own would escape characters for HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, sort_keys=sort_keys)


def _raise(message: str) -> NoReturn:
    from jinja2.exceptions import TemplateError

    raise TemplateError(message)
