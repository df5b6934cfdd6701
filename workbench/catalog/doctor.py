"""What this machine can do, what is missing, and how to mend it.

Nothing heavy is loaded here: whatever could crash or take long is asked in a process of its own with a time limit, all
of them at once, so the whole takes a few seconds where the machine is not busy.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

from workbench import paths, processor, records, settings
from workbench.catalog import hub, memory
from workbench.catalog.models import catalogue
from workbench.catalog.records import Check, Model
from workbench.children import QUIET
from workbench.errors import WorkbenchError
from workbench.events import Progress, Result, Stage, last_result
from workbench.program import is_built, script

PATIENCE = 60.0  # seconds a probe may take: one or two on an idle machine, half a minute beside a fine-tune and more
EVERY = 0.3  # seconds between two signs of life
SILENT = "no answer within"
LITTLE_DISK = 2_000_000_000  # bytes: room for an index, a few adapters and a small model
LITTLE_MEMORY = 2_000_000_000  # bytes: fine-tuning the starter takes about that
PLAIN_TEXT_GPU = "the processor does everything, which is slower and works"

_probes: set[subprocess.Popen[str]] = set()  # those running now
_probes_lock = threading.Lock()

ENGINE = """
import json, llama_cpp
from workbench.lanes.offload import cards, planned_split
from workbench.lanes.split import split_words
found, split = cards(), planned_split()
names, spread = [card.description for card in found], split_words(found, split) if split else ""
print(json.dumps([llama_cpp.__version__, llama_cpp.llama_print_system_info().decode(), names, spread]))
"""
WINDOW = """
import json, sys
from PySide6 import QtWidgets, QtCore
QtWidgets.QApplication(["doctor", "-platform", "offscreen"])
print(json.dumps(QtCore.qVersion()))
"""
TORCH = """
import json, torch
print(json.dumps([torch.cuda.is_available(), torch.version.cuda or ""]))
"""


def check(project: Path | None = None) -> tuple[Check, ...]:
    """Look at everything, for the named project folder or the default one; takes some seconds and raises nothing."""
    found: tuple[Check, ...] = last_result(examine(project))
    return found


def examine(project: Path | None = None) -> Stage:
    """STAGE: yields Progress that names what has not answered yet, and last a Result with a tuple of Checks.

    Closed half-way it ends the probes at once.
    """
    looks: tuple[tuple[str, Callable[[], Check]], ...] = (
        ("Python", _python), ("packages", _packages), ("model engine", _engine), ("graphics card", _gpu),
        ("Unsloth", _unsloth), ("memory", _memory), ("disk", _disk),
        ("project folder", lambda: _folder("Project folder", project or paths.default_project())),
        ("data folder", lambda: _folder("Data folder", paths.user_data())),
        ("starter model", lambda: _included("chat")), ("starter embedder", lambda: _included("embedding")),
        ("word search", _keywords), ("window", _window), ("scanned pages", _text_recognition), ("network", _network),
    )  # fmt: skip
    with ThreadPoolExecutor(len(looks), thread_name_prefix="doctor") as pool:
        asked = {pool.submit(_safely, look): name for name, look in looks}
        try:
            waiting = set(asked)
            while waiting:
                names = ", ".join(name for look, name in asked.items() if look in waiting)
                yield Progress(len(asked) - len(waiting), len(asked), f"looking at {names}", "checks")
                _, waiting = wait(waiting, timeout=EVERY)
        finally:
            with _probes_lock:
                for probe in _probes:
                    probe.kill()
    yield Result(tuple(look.result() for look in asked))


def _safely(look: Callable[[], Check]) -> Check:
    try:
        found = look()
        if is_built() and ("make setup" in found.mend or ".venv" in found.mend):  # neither is there in a built app
            return replace(found, mend="Put a fresh copy of the app in the place of this one.")
        return found
    except Exception as error:  # one look that fails must not hide the others
        name = getattr(look, "__name__", "check").strip("_<>")
        return Check(name, "warn", f"Could not be looked at ({type(error).__name__}: {error}).")


def ask(program: str) -> tuple[object, str]:
    """What a short Python program prints as JSON, run in a process of its own; or None and why it did not.

    A crash, a missing library and a program that does not end are all just answers.
    """
    environment = {**QUIET, **os.environ, "PYTHONWARNINGS": "ignore"}
    pipe = subprocess.PIPE
    with subprocess.Popen(script(program), stdout=pipe, stderr=pipe, text=True, env=environment) as probe:
        with _probes_lock:
            _probes.add(probe)
        try:
            said, complaint = probe.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            probe.kill()
            return None, f"{SILENT} {PATIENCE:.0f} s"
        finally:
            with _probes_lock:
                _probes.discard(probe)
    if probe.returncode != 0:
        last = (complaint.strip().splitlines() or ["no message"])[-1]
        how = f"signal {-probe.returncode}" if probe.returncode < 0 else f"exit status {probe.returncode}"
        return None, f"{how}: {last[:200]}"
    return json.loads(said.strip().splitlines()[-1]), ""


def _python() -> Check:
    version = platform.python_version()
    machine = f"{platform.system()} {platform.machine()}, {settings.available_cores()} cores"
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return Check("Python", "warn", f"{version} on {machine}; tried with 3.11 to 3.13 only.", "Use one of those.")
    return Check("Python", "ok", f"{version} on {machine}.")


def _packages() -> Check:
    """Hold what is installed against the versions of pyproject.toml, as the installed metadata repeats them."""
    try:
        wanted = importlib.metadata.requires("workbench") or []
    except importlib.metadata.PackageNotFoundError:
        return Check(
            "Packages", "warn", "Workbench itself is not installed, so versions are unknown.", "Run `make setup`."
        )
    missing, other = [], []
    wanted = [each for each in wanted if "extra ==" not in each]
    for name, _, version in (each.partition("==") for each in wanted):
        try:
            found = importlib.metadata.version(name).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if found != version:
            other.append(f"{name} {found} in place of {version}")
    if missing:
        return Check("Packages", "bad", f"Missing: {', '.join(missing)}.", "Run `make setup`.")
    if other:
        return Check("Packages", "warn", f"Other versions than tried: {', '.join(other)}.", "Run `make setup`.")
    return Check("Packages", "ok", f"All {len(wanted)} requirements are there in the versions chosen.")


def _engine() -> Check:
    """Load llama.cpp, say how it was built, and whether this build and this processor are known to quarrel."""
    answer, why = ask(ENGINE)
    if why.startswith(SILENT):
        finding = f"llama.cpp gave {why}: this machine is too busy to tell."
        return Check("Model engine", "warn", finding, "Ask again when less is running.")
    if not isinstance(answer, list):
        return Check(
            "Model engine", "bad", f"llama.cpp does not load ({why}).",
            "Build it anew: `.venv/bin/pip install --force-reinstall --no-deps --no-cache-dir llama-cpp-python`.",
        )  # fmt: skip
    version, features = str(answer[0]), _features(str(answer[1]))
    compiler = _compiler()
    built = f", built with {compiler}" if compiler else ""
    finding = f"llama.cpp of llama-cpp-python {version}{built}, using {features}."
    cards = answer[2] if len(answer) > 2 else []
    if cards:
        finding += f" It can compute on {', '.join(cards)}."
        if len(answer) > 3 and answer[3]:
            finding += (
                f" A model that is computed there lies on {answer[3]} (Settings); this was not run on a machine with "
                "several cards."
            )
    elif _cards():
        return Check(
            "Model engine", "warn", finding + " It was built for the processor alone, so the graphics card is idle.",
            "With the CUDA toolkit installed: delete .venv and run `CMAKE_ARGS=-DGGML_CUDA=ON make setup`.",
        )  # fmt: skip
    if "amx_tile" in processor.features() and "clang" not in compiler.lower():
        return Check(
            "Model engine", "warn", finding + " On this processor (AMX) such a build can crash, so AMX is left unused.",
            "For several times the reading speed: install clang, delete .venv and run `make setup`.",
        )  # fmt: skip
    return Check("Model engine", "ok", finding)


def _features(system_info: str) -> str:
    """The processor features that are on, of llama.cpp's "CPU : AVX2 = 1 | FMA = 1 | "."""
    names = [part.partition("=")[0].split(":")[-1].strip() for part in system_info.split("|") if "= 1" in part]
    return ", ".join(names) or "no processor features"


def _compiler() -> str:
    """What set-up wrote down of the compiler; "" where llama.cpp came another way."""
    try:
        return (Path(sys.prefix) / "llama-compiler.txt").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _cards() -> str:
    """The NVIDIA cards of this machine, a line each; "" where there is none."""
    tool = shutil.which("nvidia-smi")
    return _output([tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]) if tool else ""


def _gpu() -> Check:
    """An NVIDIA card and whether torch can drive it; torch is only loaded where there is a card."""
    if platform.system() == "Darwin":
        return Check("Graphics card", "ok", "On a Mac llama.cpp uses Metal; fine-tuning runs on the processor.")
    cards = _cards()
    if not cards:
        return Check("Graphics card", "ok", f"No NVIDIA card: {PLAIN_TEXT_GPU}.")
    card = "; ".join(cards.splitlines())
    answer, why = ask(TORCH)
    if isinstance(answer, list) and answer[0]:
        return Check("Graphics card", "ok", f"{card}; torch drives it with CUDA {answer[1]}, so fine-tunes run on it.")
    reason = why or "its torch is built without CUDA"
    mend = ".venv/bin/pip install --force-reinstall torch==" + _version("torch").partition("+")[0]
    return Check(
        "Graphics card", "warn", f"{card}, but torch cannot use it ({reason}); {PLAIN_TEXT_GPU}.", f"Try `{mend}`."
    )


def _unsloth() -> Check:
    version = _version("unsloth")
    if version:
        return Check("Unsloth", "ok", f"Unsloth {version} is installed and is used where there is an NVIDIA card.")
    return Check(
        "Unsloth", "ok", "Not installed; it speeds up fine-tuning on an NVIDIA card and is of no use without one."
    )


def _memory() -> Check:
    free, total = memory.free(), memory.total()
    finding = f"{free / 1e9:.1f} of {total / 1e9:.1f} GB are free."
    fitting = [each for each in catalogue() if each.kind == "chat" and each.memory <= free]
    if not fitting or free < LITTLE_MEMORY:
        return Check("Memory", "warn", finding + " That is little for fine-tuning.", "Close other programs.")
    largest = max(fitting, key=lambda each: each.memory)
    return Check("Memory", "ok", f"{finding} The largest listed model that fits now is {largest.title}.")


def _disk() -> Check:
    folder = _nearest(paths.user_data())
    free = shutil.disk_usage(folder).free
    finding = f"{free / 1e9:.1f} GB are free where {paths.user_data()} is."
    if free < LITTLE_DISK:
        return Check("Disk", "warn", finding, "Make room before fetching models or fine-tuning.")
    return Check("Disk", "ok", finding)


def _folder(name: str, folder: Path) -> Check:
    """Whether files can be made in a folder, or where it will be made."""
    place = _nearest(folder)
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        return Check(name, "bad", f"{folder} cannot be written ({error.strerror}).", "Name another with --project.")
    later = "" if place == folder else "; it is made when it is first needed"
    return Check(name, "ok", f"{folder} can be written{later}.")


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next((each for each in (folder, *folder.parents) if each.is_dir()), Path.cwd())


def _included(kind: str) -> Check:
    """Whether an included model is there, byte for byte."""
    model: Model = next(each for each in catalogue() if each.kind == kind and each.source == "included")
    name = "Starter model" if kind == "chat" else "Starter embedder"
    try:
        path = paths.starter_model() if kind == "chat" else paths.starter_embedder() / "model.safetensors"
        right = records.hash_file(path) == model.sha256
    except (WorkbenchError, OSError) as error:
        return Check(name, "bad", str(error), "Run `make setup`.")
    if not right:
        return Check(
            name, "bad", f"{path} is not the file it should be (its hash differs).", "Delete .venv, `make setup`."
        )
    return Check(name, "ok", f"{model.title} is there and whole ({path.stat().st_size / 1e6:.0f} MB).")


def _keywords() -> Check:
    try:
        with sqlite3.connect(":memory:") as database:
            database.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
        database.close()
    except sqlite3.OperationalError:
        mend = "Use a Python whose SQLite has FTS5, such as the system's or python.org's."
        return Check("Word search", "bad", "This Python's SQLite has no FTS5, which searching by words needs.", mend)
    return Check("Word search", "ok", f"SQLite {sqlite3.sqlite_version} with FTS5.")


def _window() -> Check:
    answer, why = ask(WINDOW)
    if not isinstance(answer, str):
        mend = "Run `make setup` as root once, or install the packages it names; the command line works without."
        return Check("Window", "warn", f"Qt does not start ({why}).", mend)
    shown = platform.system() != "Linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    where = "" if shown else " There is no display here, so only the command line can be used."
    return Check("Window", "ok", f"Qt {answer} starts.{where}")


def _text_recognition() -> Check:
    found = shutil.which("tesseract")
    if found:
        return Check(
            "Scanned pages", "ok", f"Tesseract is at {found}: scans can be recognised before they are indexed."
        )
    finding = "Tesseract is not installed. Scanned pages without text are named and skipped when indexing."
    return Check("Scanned pages", "ok", finding, "To recognise scans yourself: sudo apt-get install tesseract-ocr.")


def _network() -> Check:
    made = len(records.read_lines(hub.connections_file()))
    told = (
        f"{made} connections were made so far, listed in {hub.connections_file()}" if made else "none was made so far"
    )
    return Check("Network", "ok", f"Only `workbench models fetch` connects to anything; {told}.")


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
