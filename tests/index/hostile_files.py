"""A hundred files that are damaged, or made to do harm, and what is needed to make them again: one seed."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import socket
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import made_files as made

SEED = 4
Maker = Callable[[Path], object]

WHOLE: dict[str, Maker] = {
    "pdf": lambda path: made.make_pdf(path, ["Words of page one", "Words of page two"]),
    "docx": made.make_docx,
    "pptx": made.make_pptx,
    "xlsx": made.make_xlsx,
    "epub": made.make_epub,
    "odt": made.make_odt,
    "odp": made.make_odp,
    "ods": made.make_ods,
    "xls": made.copied("old.xls"),
    "msg": made.copied("mail.msg"),
}


def damaged(rng: random.Random, folder: Path) -> Iterator[Path]:
    """Each office type cut short, with bytes changed, with a stretch lost, of zeros, and repeated."""
    for ending, make in WHOLE.items():
        whole = folder / f"whole.{ending}"
        make(whole)
        data = whole.read_bytes()
        whole.unlink()
        middle = rng.randrange(len(data) // 4, 3 * len(data) // 4)
        changed = bytearray(data)
        for _ in range(40):
            changed[rng.randrange(len(data))] = rng.randrange(256)
        for name, content in {
            "cut": data[:middle],
            "changed": bytes(changed),
            "lost": data[: middle // 2] + data[middle:],
            "zeros": bytes(len(data)),
            "tail": data[middle:] + data[:middle],
        }.items():
            path = folder / f"{name}.{ending}"
            path.write_bytes(content)
            yield path


def zipped(path: Path, entries: dict[str, str | bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)


LAUGHS = (
    "<!DOCTYPE a [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
    + "]><a>&a9;</a>"
)
OUTSIDE = "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>"

HOSTILE: dict[str, str | bytes | Maker] = {
    "laughs.xml": LAUGHS,
    "outside.xml": OUTSIDE,
    "laughs.docx": lambda path: zipped(path, {"word/document.xml": LAUGHS, "[Content_Types].xml": LAUGHS}),
    "laughs.odt": lambda path: zipped(path, {"content.xml": LAUGHS}),
    "laughs.epub": lambda path: zipped(path, {"META-INF/container.xml": LAUGHS}),
    "laughs.html": LAUGHS,
    "bomb.docx": made.make_zip_bomb,
    "bomb.odp": lambda path: shutil.copyfile(path.parent / "bomb.docx", path),
    "bomb.epub": lambda path: shutil.copyfile(path.parent / "bomb.docx", path),
    "upwards.epub": lambda path: zipped(path, {"META-INF/container.xml": "<rootfile full-path='../../etc/passwd'/>"}),
    "many.xlsx": lambda path: zipped(path, {f"entry{number}": b"" for number in range(25_000)}),
    "deep.json": "[" * 50_000 + "]" * 50_000,
    "deep.xml": "<a>" * 100_000 + "</a>" * 100_000,
    "deep.html": "<div>" * 30_000 + "deep",
    "deep.rtf": r"{\rtf1 " + "{" * 50_000 + "}" * 50_000 + "}",
    "deep.md": "> " * 50_000 + "deep",
    "wide.csv": "a," * 200_000,
    "one-cell.csv": '"' + "x" * 1_000_000,
    "rows.csv": "number,part\n" + "".join(f"{number},valve {number}\n" for number in range(10_000)),
    "fences.md": "```\n```\n\n" * 40_000,
    "empty-lines.md": "```\n" + "\n" * 300_000 + "```\n",
    "quotes.csv": '"' * 100_001,
    "zeros.csv": b"\x00" * 10_000,
    "wide.txt": "x" * 1_000_000,
    "spaces.txt": " " * 1_000_000,
    "controls.txt": "\x01\x02\x03" * 50_000,
    "random.txt": random.Random(SEED).randbytes(200_000),
    "half.txt": "words ".encode("utf-16")[:-1],
    "surrogate.txt": b"\xed\xa0\x80" * 1000,
    "packed.txt": gzip.compress(b"words" * 1000),
    "packed.pdf": gzip.compress(b"words" * 1000),
    "numbers.json": "9" * 1_000_000,
    "nan.jsonl": '{"a": NaN}\n{"a": 1e999}\n{',
    "cells.ipynb": json.dumps({"cells": [1, None, {"source": {"a": 1}}]}),
    "list.ipynb": "[]",
    "endless.srt": "00:00:01,000 --> 00:00:02,000\n" * 20_000,
    "loop.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 1 0 R/Kids[1 0 R]/Count 9>>endobj\ntrailer<</Root 1 0 R>>",
    "giant-number.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Kids[]/Count "
    + b"9" * 5000
    + b">>endobj\nstartxref\n99999999999\n%%EOF",
    "streams.pdf": b"%PDF-1.7\n" + b"1 0 obj<</Length 999999999>>stream\n" * 2000,
    "head.eml": "Subject: =?utf-8?B?////?=\nFrom: " + "<" * 50_000 + "\n\nwords",
    "parts.eml": "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n" + "--b\n" * 20_000,
    "charset.eml": "Subject: x\nContent-Type: text/plain; charset=no-such\n\nwords of the mail",
    "nested.eml": "Subject: x\n" + "Content-Type: message/rfc822\n\n" * 3000,
    "froms.mbox": "From \n" * 50_000,
    "fonts.rtf": r"{\rtf1{\fonttbl" + r"{\f0 x;}" * 5_000 + "words}",
    "unicode.rtf": r"{\rtf1 " + r"\u-99999?" * 10_000 + "}",
    "only-magic.doc": b"\xd0\xcf\x11\xe0" + bytes(5000),
    "name-\u202egnp.txt": "turned round",
}


def write_hostile(folder: Path) -> list[str]:
    """Write all of them; gives their names."""
    folder.mkdir(parents=True)
    rng = random.Random(SEED)
    names = [path.name for path in damaged(rng, folder)]
    for name, content in HOSTILE.items():
        path = folder / name
        if callable(content):
            content(path)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content, encoding="utf-8", errors="surrogatepass")
        names.append(name)
    return names + _unusual(folder)


def _unusual(folder: Path) -> list[str]:
    """What is no ordinary file with an ordinary name."""
    (folder / "sub").mkdir()
    (folder / "sub" / "up").symlink_to(folder, target_is_directory=True)  # a loop: nothing of it is a file
    (folder / "nowhere.txt").symlink_to(folder / "missing")
    (folder / "itself.txt").symlink_to(folder / "itself.txt")
    os.mkfifo(folder / "pipe.txt")
    (folder / "empty.txt").touch()
    with (folder / "sparse.txt").open("wb") as sparse:
        sparse.truncate(50 * 2**30)
    with (folder / "zeros.txt").open("wb") as sparse:
        sparse.truncate(60 * 2**20)
    listening = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(folder)  # the name of a socket may have a hundred characters at most
    listening.bind("socket.txt")
    os.chdir(here)
    listening.close()
    (folder / "line\nbreak.txt").write_text("words under a name of two lines")
    Path(os.fsdecode(os.fsencode(folder) + b"/no-\xff-utf8.txt")).write_text("words under a name of odd bytes")
    return [
        *("nowhere.txt", "itself.txt", "pipe.txt", "empty.txt", "sparse.txt", "zeros.txt", "socket.txt"),
        *("line\nbreak.txt", "no-\\xff-utf8.txt"),
    ]
