"""Fetch a model of the catalogue from its hub: only ever because a person asked for it.

What has come lies in `models/.NAME.fetch` until all of it is there and verified; a stopped fetch goes on from there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import shutil
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench import paths, records
from workbench.catalog import embedders, memory, models
from workbench.catalog.download import LOOK, draw
from workbench.catalog.gguf_header import read_header
from workbench.catalog.hub import HubFile, list_files, request_headers
from workbench.catalog.records import Model
from workbench.errors import BadModel, DownloadFailed, InputError
from workbench.events import Event, Progress, Result, Stage
from workbench.settings import load_settings

PIECE = 1 << 23  # bytes hashed between two looks at the clock: about ten milliseconds


def fetch(name: str) -> Stage:
    """STAGE: bring a model of the catalogue here; the last Result is its Model.

    The hash stated in the catalogue, or else by the hub, must be that of what came. Raises InputError (not of the
    catalogue, being fetched already, or never_fetch is set), DownloadFailed, DiskFull, BadModel.
    """
    model = models.model_named(name)
    if model.path is not None:
        yield Result(model)
        return
    _refuse_if_forbidden(model)
    folder = paths.model_folder() / f".{name}.fetch"
    with _alone(model):
        yield from _fetch(model, folder)


@contextlib.contextmanager
def _alone(model: Model) -> Iterator[None]:
    """Two fetches of one model would write into one file. Raises InputError where another one is under way."""
    from filelock import FileLock, Timeout

    locks = paths.cache_folder() / "fetching"  # not beside the models, where a lock that is left would be seen
    locks.mkdir(parents=True, exist_ok=True)
    lock = FileLock(locks / f"{model.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(f"{model.title} is being fetched already: wait for it, or stop it where it began.") from None
    try:
        yield
    finally:
        lock.release()


def _fetch(model: Model, folder: Path) -> Stage:
    yield Progress(0, model.size, f"asking the hub for {model.title}", "bytes")
    files = yield from _in_background(lambda: list_files(model), f"asking the hub for {model.title}", model.size)
    _check_statement(model, files)
    parts = {each: folder / f"{each.name}.part" for each in files}
    present = sum(part.stat().st_size for part in parts.values() if part.exists())
    models.require_disk(folder, max(sum(each.size for each in files) - present, 0))
    headers = request_headers()
    for file, part in parts.items():
        yield from _bring(file, part, headers, model)
    yield Result(_finish(model, folder, files))


def _refuse_if_forbidden(model: Model) -> None:
    """Raise InputError where the person switched downloads off for good, or the model cannot be fetched."""
    if load_settings().downloads_are_off:
        raise InputError(
            "Downloads are switched off here: unset WORKBENCH_OFFLINE or take the tick from Stay offline in the "
            "settings, or bring the file on a disk and use `workbench models import FILE`."
        )
    if "/" not in model.source:
        raise InputError(f"{model.title} does not come from a hub: run `make setup`, or import it again.")


def _check_statement(model: Model, files: tuple[HubFile, ...]) -> None:
    """Raise DownloadFailed where the hub now offers another file than the one the catalogue names."""
    for each in files:
        if model.sha256 and each.name == _main_file(model) and each.sha256 != model.sha256:
            raise DownloadFailed(
                f"{model.source} now holds another {each.name} than the one this catalogue knows, so it was not "
                "fetched. If you trust the new one, download it yourself and use `workbench models import FILE`."
            )


def _main_file(model: Model) -> str:
    return model.file or "model.safetensors"


def _bring(file: HubFile, part: Path, headers: dict[str, str], model: Model) -> Stage:
    """Draw one file and hold it against its hash; the file then has its own name."""
    whole = part.with_name(part.name.removesuffix(".part"))
    if whole.exists():
        return  # came and was verified before the fetch was stopped
    part.parent.mkdir(parents=True, exist_ok=True)
    if part.exists() and (part.stat().st_size > file.size or _changed(part, file)):
        part.unlink()
    records.write_text(part.with_suffix(".of"), _identity(file))
    part.touch()
    yield from draw(file.url, headers, part, file.size)
    digest = yield from _hash(part, file)
    if digest != _identity(file):
        part.unlink()
        raise DownloadFailed(
            f"{file.name} of {model.title} did not arrive as the hub states it (its hash differs), so it was deleted. "
            "Try again; if it happens again, do not use the file."
        )
    os.replace(part, whole)
    part.with_suffix(".of").unlink(missing_ok=True)


def _identity(file: HubFile) -> str:
    return file.sha256 or file.git_sha1


def _changed(part: Path, file: HubFile) -> bool:
    """Whether a part belongs to another version of the file than the hub has now."""
    try:
        return part.with_suffix(".of").read_text(encoding="utf-8") != _identity(file)
    except OSError:
        return True


def _hash(part: Path, file: HubFile) -> Generator[Event, None, str]:
    """The hash of what came, of the kind the hub stated, with Progress on the way."""
    size = part.stat().st_size
    digest = hashlib.sha256() if file.sha256 else hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    with part.open("rb") as content:
        while piece := content.read(PIECE):
            digest.update(piece)
            yield Progress(content.tell(), size, f"verifying {file.name}", "bytes")
    return digest.hexdigest()


def _finish(model: Model, folder: Path, files: tuple[HubFile, ...]) -> Model:
    """Read what came as the program will read it, then give it its place."""
    main = folder / _main_file(model)
    digest = next(each.sha256 for each in files if each.name == _main_file(model))
    facts: dict[str, Any] = {"size": sum(each.size for each in files), "sha256": digest, "about": False}
    try:
        header = read_header(main) if model.kind == "chat" else None
        if header is None:
            embedders.look_at(folder)
    except BadModel:
        shutil.rmtree(folder)
        raise
    if header is not None:
        needed = memory.estimate_header(header)
        facts.update(quantisation=header.quantisation, memory=needed, context=header.context_length or model.context)
        facts["template"] = models.template_family(header) or model.template
    return models.finish(folder, replace(model, **facts))


def _in_background(call: Callable[[], Any], note: str, total: int) -> Generator[Event, None, Any]:
    """The value of a call that may be slow, with an event twice a second while it is."""
    answer: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answer.put((True, call()))
        except Exception as error:  # raised again below, in the stage
            answer.put((False, error))

    threading.Thread(target=run, name="asking the hub", daemon=True).start()
    while True:
        try:
            good, value = answer.get(timeout=LOOK)
            break
        except queue.Empty:
            yield Progress(0, total, note, "bytes")
    if not good:
        raise value
    return value
