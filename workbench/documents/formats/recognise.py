"""Text of pictures, by the tesseract that is installed here, where there is one."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from functools import lru_cache
from time import monotonic

from workbench.documents.formats.programs import output_of

SECONDS_A_PICTURE = 30.0


@lru_cache(maxsize=1)
def program() -> str:
    """Where tesseract is, "" where it is not installed."""
    return shutil.which("tesseract") or ""


def recognise(pictures: Iterable[bytes], until: float) -> str:
    """The text of pictures in any common file format; those not reached `until` (as `monotonic` tells it) are left."""
    found = []
    for picture in pictures:
        left = until - monotonic()
        if left <= 0:
            break
        found.append(_text(picture, min(left, SECONDS_A_PICTURE)))
    return "\n".join(text for text in found if text)


def _text(picture: bytes, seconds: float) -> str:
    command = [program(), "stdin", "stdout", "--psm", "3"]  # 3: find columns and blocks by itself
    try:
        return output_of(command, seconds, picture).decode("utf-8", errors="replace").strip()
    except (ValueError, OSError):  # one that takes too long among them
        return ""  # a picture it cannot read is a picture without text
