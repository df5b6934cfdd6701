"""Forty kinds of broken training file: each is one clear sentence, or its good rows with the bad ones named."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.tuning.tiny import read_rows
from workbench.errors import BadDataset

GOOD = {"prompt": "Say hello", "completion": "Hello"}
LINE = json.dumps(GOOD)
NOISE = random.Random(7).randbytes(4000)


def lines(*rows: Any) -> bytes:
    return "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows).encode()


def turns(*given: Any) -> dict[str, Any]:
    return {"messages": list(given)}


USER, SAID = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}

BROKEN: dict[str, tuple[str, bytes]] = {
    "empty": ("a.jsonl", b""),
    "blank": ("a.jsonl", b" \n\t\n"),
    "byte order mark alone": ("a.jsonl", b"\xef\xbb\xbf"),
    "noise": ("a.jsonl", NOISE),
    "noise with zeros": ("a.csv", b"\0\1" * 900),
    "compressed": ("a.jsonl.gz", gzip.compress(lines(GOOD))),
    "a picture": ("a.jsonl", b"\x89PNG\r\n\x1a\n" + NOISE),
    "a PDF": ("a.jsonl", b"%PDF-1.7\n" + NOISE),
    "a web page": ("a.json", b"<!doctype html><html><body>rows</body></html>"),
    "a letter": ("a.txt", b"Dear all,\nplease train on this.\n"),
    "half UTF-16": ("a.jsonl", LINE.encode("utf-16")[:-1]),
    "UTF-32": ("a.jsonl", LINE.encode("utf-32")),
    "Latin-1": ("a.jsonl", '{"prompt": "café", "completion": "b"}'.encode("latin-1")),
    "cut in a string": ("a.jsonl", LINE[:-6].encode()),
    "cut list": ("a.json", b"[" + LINE.encode() + b"," + LINE[:9].encode()),
    "cut before the first row ends": ("a.json", b'[{"prompt": "a'),
    "one number": ("a.json", b"42"),
    "one text": ("a.json", b'"only text"'),
    "null": ("a.json", b"null"),
    "a list of numbers": ("a.json", b"[1, 2, 3]"),
    "a list of lists": ("a.json", b"[[1], [2]]"),
    "an empty list": ("a.json", b"[]"),
    "an empty object": ("a.json", b"{}"),
    "deeply nested": ("a.json", b"[" * 60_000 + b"]" * 60_000),
    "deep in a row": ("a.jsonl", b'{"prompt": ' + b"[" * 5_000 + b"]" * 5_000 + b', "completion": "b"}'),
    "not a number": ("a.jsonl", b'{"prompt": NaN, "completion": Infinity}'),
    "a huge number": ("a.jsonl", b'{"prompt": ' + b"9" * 6_000 + b', "completion": "b"}'),
    "single quotes": ("a.jsonl", b"{'prompt': 'a', 'completion': 'b'}"),
    "trailing comma": ("a.json", b'[{"prompt": "a", "completion": "b",},]'),
    "comments": ("a.json", b'// rows\n[{"prompt": "a", "completion": "b"}]'),
    "half a surrogate": ("a.jsonl", b'{"prompt": "\\ud800", "completion": "b"}'),
    "a field twice": ("a.jsonl", b'{"prompt": "a", "prompt": "b", "completion": "c"}'),
    "empty answers": ("a.jsonl", lines({**GOOD, "completion": " "}, {**GOOD, "completion": ""})),
    "answers that are no text": ("a.jsonl", lines({**GOOD, "completion": ["a"]}, {**GOOD, "completion": None})),
    "no answer": ("a.jsonl", lines(turns(USER))),
    "a role nobody knows": ("a.jsonl", lines(turns({"role": "judge", "content": "Hi"}, SAID))),
    "roles that are no text": ("a.jsonl", lines(turns({"role": 7, "content": "Hi"}, SAID))),
    "messages as text": ("a.jsonl", lines({"messages": "Hi"})),
    "messages of nothing": ("a.jsonl", lines(turns(None, 3))),
    "a picture in a message": ("a.jsonl", lines(turns({"role": "user", "content": [{"type": "image_url"}]}, SAID))),
    "passages as text": ("a.jsonl", lines({"question": "Q", "passages": "P", "answer": "A"})),
    "ChatML without an end": ("a.jsonl", lines({"text": "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant"})),
    "a table without a header": ("a.csv", b"Hi,Hello\nHo,Hello\n"),
    "a header alone": ("a.csv", b"prompt,completion\n"),
    "a column twice": ("a.csv", b"prompt,completion,prompt\na,b,c\n"),
    "rows of other lengths": ("a.csv", b"prompt,completion\nonly\na,b,c\n"),
    "an open quote": ("a.csv", b'prompt,completion\n"Hi,Hello\n'),
    "a zero in a cell": ("a.csv", b"prompt,completion\n" + b"x" * 5_000 + b"\0,b\n"),
    "damaged Parquet": ("a.parquet", b"PAR1" + NOISE + b"PAR1"),
    "Parquet of nothing": ("a.parquet", b"PAR1PAR1"),
}


def test_there_are_enough_kinds() -> None:
    assert len(BROKEN) >= 40


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_alone_is_one_sentence(kind: str, tmp_path: Path) -> None:
    name, content = BROKEN[kind]
    (tmp_path / name).write_bytes(content)
    try:
        dataset = read_rows(tmp_path / name)
    except BadDataset as error:
        said = str(error)
        assert said.startswith((name, "The header")), said
        assert said.endswith(".") and "\n" not in said and "Traceback" not in said and len(said) < 400
    else:  # something of it can be trained: then what cannot is named by its row
        assert dataset.problems and all(problem.row >= 1 and problem.message for problem in dataset.problems)


@pytest.mark.parametrize("kind", [kind for kind, (name, _) in BROKEN.items() if name.endswith(".jsonl")])
def test_good_rows_before_a_broken_one_are_kept(kind: str, tmp_path: Path) -> None:
    content = BROKEN[kind][1]
    if b"\0" in content[:4000] or not content.strip(b" \n\t\xef\xbb\xbf"):
        pytest.skip("as a whole it is no text, or nothing")
    (tmp_path / "a.jsonl").write_bytes(lines(*({**GOOD, "prompt": f"Hi {n}"} for n in range(5))) + b"\n" + content)
    dataset = read_rows(tmp_path / "a.jsonl")
    assert len([each for each in dataset.examples if each.answer == "Hello"]) >= 5 and dataset.problems
