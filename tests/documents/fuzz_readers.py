"""Fuzz one reader by hand with atheris, which follows what its code does: python tests/documents/fuzz_readers.py pdf

Further words go to libFuzzer: a folder to keep what was tried, -max_total_time=600. atheris is no part of the program
nor of its tests: `pip install atheris`. What is no BadDocument is a finding; it is printed and the input is kept.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["workbench.documents"]):
    from workbench.documents import readers
    from workbench.documents.chunk import chunk
    from workbench.errors import BadDocument


def main() -> None:
    ending, *rest = sys.argv[1:]
    place = Path(tempfile.mkdtemp(prefix="workbench-fuzz-")) / f"a.{ending}"

    def look(data: bytes) -> None:
        place.write_bytes(data)
        try:
            document = readers.read(place, place.name)
        except (BadDocument, MemoryError, RecursionError):  # the fence says the last two for a person
            return
        for piece in chunk(document, lambda texts: [len(text) // 4 for text in texts], 254):
            assert piece.text == document.text[piece.start : piece.end]

    atheris.Setup([sys.argv[0], *rest], look)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
