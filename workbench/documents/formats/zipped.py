"""Documents that are zip archives (Office, EPUB, OpenDocument): looked at before anything is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from workbench.errors import BadDocument

UNPACKED_LIMIT = 1 << 30  # bytes of everything in it together; the memory fence around the reader is the second wall
RATIO_LIMIT = 200  # unpacked to packed, of entries over RATIO_FROM; ordinary office XML packs 10 to 60 times
RATIO_FROM = 32 * 2**20
ENTRY_LIMIT = 20_000


def check_archive(path: Path) -> None:
    """Raises BadDocument for a broken or locked archive, and for one that would unpack to an unreasonable size."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        if path.read_bytes()[:8].startswith(b"\xd0\xcf\x11\xe0"):
            locked = "it is locked with a password, or in an old Office format: save it anew as a modern one"
            raise BadDocument(locked) from error
        raise BadDocument("the file is damaged: it is no complete archive") from error
    swollen = [each for each in entries if each.file_size > max(RATIO_FROM, RATIO_LIMIT * each.compress_size)]
    if swollen or len(entries) > ENTRY_LIMIT or sum(each.file_size for each in entries) > UNPACKED_LIMIT:
        raise BadDocument("it would unpack to an unreasonable size (a zip bomb), so it was not opened")
    if any(each.flag_bits & 1 for each in entries):
        raise BadDocument("it is locked with a password")


def read_entry(archive: zipfile.ZipFile, name: str) -> bytes:
    """One entry, never more of it than the directory promised. Raises BadDocument when it is missing or damaged."""
    try:
        info = archive.getinfo(name)
        with archive.open(info) as file:
            return file.read(info.file_size)
    except (KeyError, zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise BadDocument(f"the file is damaged: its part {name} cannot be read") from error
    except Exception as error:  # zlib.error and its kin share no base class
        raise BadDocument(f"the file is damaged: its part {name} cannot be unpacked") from error
