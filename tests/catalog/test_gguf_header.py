"""The header reader takes real models and refuses anything damaged with a plain sentence."""

from __future__ import annotations

import random
import struct
import time
from pathlib import Path

import pytest
from gguf_files import entry, gguf_bytes, string

from workbench import paths
from workbench.catalog.gguf_header import TENSOR_TYPES, GgufHeader, read_header
from workbench.errors import BadModel, MissingFile


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(BadModel) as caught:
        read_header(path)
    return str(caught.value)


def test_the_starter_model_is_described() -> None:
    header = read_header(paths.starter_model())
    assert (header.architecture, header.kind, header.quantisation) == ("llama", "model", "Q4_1")
    assert header.context_length == 8192 and header.vocabulary == 49152
    assert header.parameters == 134_515_008
    assert header.special_tokens["bos"] == "<|im_start|>" and header.special_tokens["eos"] == "<|im_end|>"
    assert "im_start" in header.chat_template
    assert header.number("attention.head_count_kv") == 3


def test_it_agrees_with_the_gguf_package_on_what_that_writes(tmp_path: Path) -> None:
    import gguf
    import numpy

    path = tmp_path / "theirs.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(512)
    writer.add_token_list(["<s>", "</s>", "word"])
    writer.add_array("tokenizer.ggml.scores", [0.5, 1.5, -1.0])
    writer.add_eos_token_id(1)
    writer.add_float32("llama.rope.freq_base", 10000.0)
    writer.add_bool("tokenizer.ggml.add_bos_token", True)
    plain = numpy.arange(256 * 6, dtype=numpy.float32).reshape(6, 256)
    writer.add_tensor("plain.weight", plain)
    writer.add_tensor("half.weight", plain.astype(numpy.float16))
    for kind in (gguf.GGMLQuantizationType.Q8_0, gguf.GGMLQuantizationType.Q4_1):
        writer.add_tensor(f"{kind.name}.weight", gguf.quants.quantize(plain, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    header, theirs = read_header(path), gguf.GGUFReader(path)
    assert header.context_length == 512 and header.special_tokens == {"eos": "</s>"}
    assert header.metadata["llama.rope.freq_base"] == 10000.0
    assert header.metadata["tokenizer.ggml.add_bos_token"] is True
    assert header.array_lengths == {"tokenizer.ggml.tokens": 3, "tokenizer.ggml.scores": 3}
    ours = [(each.name, each.shape, each.type, each.offset, each.size) for each in header.tensors]
    assert ours == [
        (each.name, tuple(int(size) for size in each.shape), each.tensor_type.name, each.data_offset, each.n_bytes)
        for each in theirs.tensors
    ]


def test_the_table_of_tensor_types_is_that_of_the_gguf_package() -> None:
    import gguf

    theirs = {each.value: (each.name, *sizes) for each, sizes in gguf.GGML_QUANT_SIZES.items()}
    assert {key: value for key, value in TENSOR_TYPES.items() if key in theirs} == theirs
    assert set(TENSOR_TYPES) - set(theirs) == {42}


def test_reading_is_quick() -> None:
    began = time.perf_counter()
    read_header(paths.starter_model())
    assert time.perf_counter() - began < 2.0


def test_a_small_file_made_by_hand_is_read(tmp_path: Path) -> None:
    path = tmp_path / "small.gguf"
    path.write_bytes(gguf_bytes())
    header = read_header(path)
    assert header.tensors[0].shape == (4, 2) and header.parameters == 8
    assert header.metadata["general.name"] == "small"
    assert header.special_tokens == {"eos": "b"}


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match="no model file"):
        read_header(tmp_path / "none.gguf")
    with pytest.raises(MissingFile):
        read_header(tmp_path)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "does not begin as a GGUF"),
        (b"PK\x03\x04" + bytes(100), "does not begin as a GGUF"),
        (gguf_bytes()[:4], "ends too early"),
        (gguf_bytes()[:20], "ends too early"),
        (gguf_bytes(version=1), "version 1"),
        (b"GGUF" + struct.pack(">I", 3) + bytes(100), "big-endian"),
        (gguf_bytes(tensor_count=1 << 60), "more than any model has"),
        (gguf_bytes(entry_count=1 << 60), "more than any model has"),
        (gguf_bytes(extra=entry("long", 8, struct.pack("<Q", 1 << 62))), "a text of"),
        (gguf_bytes(extra=entry("list", 9, struct.pack("<IQ", 4, 1 << 61))), "ends too early"),
        (gguf_bytes(extra=entry("list", 9, struct.pack("<IQ", 8, 1_000_000))), "ends too early"),
        (gguf_bytes(extra=entry("list", 9, struct.pack("<IQ", 8, 1 << 40))), "list of"),
        (gguf_bytes(extra=entry("list", 9, struct.pack("<IQ", 9, 1))), "arrays inside arrays"),
        (gguf_bytes(extra=entry("odd", 77, b"")), "unknown type 77"),
        (gguf_bytes(extra=entry("general.name", 8, string("again"))), "twice"),
        (gguf_bytes(extra=entry("general.alignment", 4, struct.pack("<I", 3))), "alignment"),
        (gguf_bytes(shape=(4, 0)), "impossible shape"),
        (gguf_bytes(shape=(1 << 63, 1 << 63)), "cut short"),
        (gguf_bytes(tensor_type=999), "number format 999"),
        (gguf_bytes(tensor_type=8), "impossible shape"),
        (gguf_bytes(offset=1 << 62), "cut short"),
        (gguf_bytes(offset=5), "not aligned"),
        (gguf_bytes(architecture=""), "architecture"),
    ],
)
def test_a_hostile_file_is_refused_with_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    assert sentence in refused(tmp_path / "hostile.gguf", content)


def test_every_truncation_of_a_small_file_is_refused(tmp_path: Path) -> None:
    whole, path = gguf_bytes(), tmp_path / "cut.gguf"
    for length in range(len(whole)):
        refused(path, whole[:length])


def test_a_truncated_model_says_how_much_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "cut.gguf"
    with paths.starter_model().open("rb") as file:
        assert "cut short by at least" in refused(path, file.read(4_000_000))


@pytest.mark.parametrize("seed", range(20))
def test_a_mutated_file_is_read_or_refused_but_never_worse(tmp_path: Path, seed: int) -> None:
    chance, whole, path = random.Random(seed), gguf_bytes(), tmp_path / "mutated.gguf"
    for _ in range(200):
        content = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        path.write_bytes(content)
        try:
            assert isinstance(read_header(path), GgufHeader)
        except BadModel as error:
            assert len(str(error)) < 400


def test_a_mutated_header_of_a_real_model_is_read_or_refused(tmp_path: Path) -> None:
    chance, path = random.Random(7), tmp_path / "mutated.gguf"
    with paths.starter_model().open("rb") as file:
        whole = file.read(1_900_000)
    for _ in range(25):
        content = bytearray(whole)
        for _ in range(50):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        refused(path, bytes(content))  # its weights are not there, so no mutation makes it whole
