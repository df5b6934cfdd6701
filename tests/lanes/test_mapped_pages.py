"""What a process holds of a mapped model file that was laid out anew."""

from __future__ import annotations

import mmap
import sys
from pathlib import Path

import pytest

from workbench.lanes.llama import _drop_pages

SIZE = 8 << 20


def _held(path: Path) -> int:
    """Kilobytes of the file's mapping that lie in this process."""
    held, within = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split(maxsplit=1)[0]:
            within = line.endswith(str(path))
        elif within and line.startswith("Rss:"):
            held += int(line.split()[1])
    return held


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_pages_of_a_file_leave_the_process_and_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "with a space.gguf"
    path.write_bytes(b"weights!" * (SIZE // 8))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        assert sum(mapped[::4096]) > 0
        assert _held(path) * 1024 >= SIZE
        _drop_pages(path)
        assert _held(path) == 0
        assert mapped[SIZE - 8 :] == b"weights!"
