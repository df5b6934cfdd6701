"""Whether a fine-tune here is computed on an NVIDIA card, told without loading torch, which the window never does."""

from __future__ import annotations

import functools
import re
import shutil
from importlib.util import find_spec
from pathlib import Path


@functools.cache
def has_card() -> bool:
    """Whether there is an NVIDIA driver, and a torch that is built for it; the training process looks again itself."""
    found = find_spec("torch")
    if shutil.which("nvidia-smi") is None or found is None or found.origin is None:
        return False
    return built_for_cuda(Path(found.origin).with_name("version.py"))


def built_for_cuda(version: Path) -> bool:
    """Whether torch's version.py names the CUDA it is built for; a build for the processor has None there."""
    try:
        text = version.read_text(encoding="utf-8")
    except OSError:
        return False
    return re.search(r"^cuda\b[^=\n]*=\s*['\"]\d", text, re.MULTILINE) is not None
