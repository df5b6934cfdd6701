"""Where the faster copies of models lie, and which model each was made of, so that it goes when the model does."""

from __future__ import annotations

import contextlib
from pathlib import Path

from workbench import paths, records

ENDING = "-q8_0.gguf"


def copy_of(model: Path) -> Path:
    """Where the copy of a model's file lies, once there is one. Raises OSError where the model is gone."""
    stat = model.stat()
    mark = records.hash_text(f"{model} {stat.st_size} {stat.st_mtime_ns}")[:16]
    return _folder() / f"{mark}{ENDING}"


def note_source(model: Path) -> None:
    """Note beside a model's copy what it was made of."""
    note = _note(copy_of(model))
    if not note.exists():
        with contextlib.suppress(OSError):  # without a note it is made anew after the next removal of any model
            records.write_json(note, {"model": str(model)})


def drop_orphans() -> None:
    """Delete the copies of models that are gone or are other files now; one that is loaded stays until the next time.

    A copy without a note is one of an earlier version, or of a model that cannot be told: making it takes a second.
    """
    for copy in _folder().glob(f"*{ENDING}"):
        note = _note(copy)
        try:
            wanted = copy_of(Path(records.read_json(note)["model"])) == copy
        except (OSError, ValueError, TypeError, KeyError):
            wanted = False
        if not wanted:
            with contextlib.suppress(OSError):  # on Windows a file that is mapped cannot be deleted
                copy.unlink()
                note.unlink(missing_ok=True)


def _folder() -> Path:
    return paths.model_folder() / "fast"


def _note(copy: Path) -> Path:
    return copy.with_suffix(".json")
