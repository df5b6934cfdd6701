"""Small GGUF files made by hand, sound or wrong in one respect."""

from __future__ import annotations

import struct


def string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key: str, kind: int, value: bytes) -> bytes:
    return string(key) + struct.pack("<I", kind) + value


def gguf_bytes(
    version: int = 3,
    tensor_count: int | None = None,
    entry_count: int | None = None,
    extra: bytes = b"",
    extras: int = 1,
    shape: tuple[int, ...] = (4, 2),
    tensor_type: int = 0,
    offset: int = 0,
    architecture: str = "llama",
    kind: str = "model",
    template: str = "{{ messages }}",
    extra_tensor_bytes: int = 0,
) -> bytes:
    """A GGUF with six entries (and `extra`) and one F32 tensor, made longer where a long file is wanted."""
    entries = [
        entry("general.architecture", 8, string(architecture)),
        entry("general.type", 8, string(kind)),
        entry("general.name", 8, string("small")),
        entry("tokenizer.chat_template", 8, string(template)),
        entry("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 2) + string("a") + string("b")),
        entry("tokenizer.ggml.eos_token_id", 4, struct.pack("<I", 1)),
    ]
    count = len(entries) + (extras if extra else 0)
    if extra_tensor_bytes:
        shape = (extra_tensor_bytes // 4, 1)
    head = b"GGUF" + struct.pack(
        "<IQQ",
        version,
        1 if tensor_count is None else tensor_count,
        count if entry_count is None else entry_count,
    )
    tensor = string("w") + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", each) for each in shape)
    tensor += struct.pack("<IQ", tensor_type, offset)
    body = head + b"".join(entries) + extra + tensor
    return body + bytes(-len(body) % 32) + bytes(max(extra_tensor_bytes // 4 * 4, 32))
