"""What every test runs under: a home of its own, no display, no network, and nothing left behind."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

HOME = tempfile.TemporaryDirectory(prefix="workbench-tests-")
GUARD = Path(__file__).parent / "guard"
MACHINE = Path(__file__).parent / "machine.py"
KNOWN = "WORKBENCH_TESTS_MACHINE"  # where what trials found lies, for the processes of a suite

# Set before anything of the program or of Qt is imported; child processes inherit it.
os.environ.update(
    {
        "WORKBENCH_HOME": str(Path(HOME.name) / "home"),
        "WORKBENCH_GUARD": str(Path(HOME.name) / "connections-refused.txt"),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(GUARD), os.environ.get("PYTHONPATH", "")])),
        "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen"),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "ANONYMIZED_TELEMETRY": "False",
        "DO_NOT_TRACK": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
)
sys.path.insert(0, str(GUARD))
import no_network  # noqa: E402

no_network.install()

if KNOWN in os.environ:
    from tests.machine import hand_on

    hand_on(Path(os.environ[KNOWN]), Path(HOME.name) / "home" / "cache")

GRACE = 5.0  # seconds what a test closed has to be gone
# Threads that libraries keep for the life of the process: tqdm's monitor, pools that live in a module of theirs.
KEPT_THREADS = ("tqdm", "ThreadPoolExecutor", "AnyIO", "Dummy", "asyncio", "pyarrow", "IPC", "QThread", "pydevd")
KEPT_PROCESSES = ("resource_tracker", "forkserver")  # multiprocessing's own helpers


# Files that take longest, begun first: one of them begun last would leave the other worker idle for minutes.
LONGEST = (
    "ui/test_killed_children.py",
    "tuning/test_fine_tune.py",
    "bench/test_answering_benches.py",
    "lanes/test_engine.py",
    "test_whole_way.py",
    "ui/test_hard_times.py",
    "ui/test_finetune_walk.py",
    "tuning/test_adapter_import.py",
    "index/test_hostile_files.py",
    "ui/test_bench_ui.py",
    "test_full_disk.py",
    "ui/test_long_list.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        name = item.path.relative_to(here).as_posix()
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)

    items.sort(key=place)


def pytest_configure(config: pytest.Config) -> None:
    """Where the suite runs in several processes, what trials find of this machine is found before they start."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        cache = getattr(config, "cache", None)  # none where the plugin is off
        known = cache.mkdir("machine") if cache is not None else Path(HOME.name) / "machine"
        subprocess.run([sys.executable, str(MACHINE), str(known)], check=True)
        os.environ[KNOWN] = str(known)


def pytest_unconfigure(config: pytest.Config) -> None:
    HOME.cleanup()


@pytest.fixture(autouse=True)
def _no_connection_leaves_this_machine() -> Iterator[None]:
    written = Path(os.environ["WORKBENCH_GUARD"])
    before = written.stat().st_size if written.exists() else 0
    yield
    if written.exists() and written.stat().st_size > before:
        with written.open("rb") as file:
            file.seek(before)
            refused = file.read().decode(errors="replace")
        pytest.fail(f"a connection that leaves this machine was tried (and refused):\n{refused}", pytrace=False)


@pytest.fixture(scope="session", autouse=True)
def _llama_has_a_thread_of_its_own() -> Iterator[None]:
    """On a CPU with AMX llama.cpp computes in a thread that torch never uses.

    The program never runs both in one process, tests do. Either sets the tile registers once for a thread, so llama.cpp
    dies of an illegal instruction once torch has used them there.
    """
    about = Path("/proc/cpuinfo")
    if not about.exists() or " amx_tile" not in about.read_text():
        yield
        return
    import llama_cpp

    decode = llama_cpp.llama_decode
    with ThreadPoolExecutor(1) as thread, pytest.MonkeyPatch.context() as patch:
        patch.setattr(llama_cpp, "llama_decode", lambda *given: thread.submit(decode, *given).result())
        yield


class _Errors(logging.Handler):
    """Keeps the lines logged as errors."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def _no_stray_error_is_logged(request: pytest.FixtureRequest) -> Iterator[None]:
    errors = _Errors()
    logging.getLogger().addHandler(errors)
    yield
    logging.getLogger().removeHandler(errors)
    if errors.lines and request.node.get_closest_marker("logs_errors") is None:
        pytest.fail("errors were logged:\n" + "\n".join(errors.lines), pytrace=False)


def _threads() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if not each.name.startswith(KEPT_THREADS)}


def _processes() -> set[psutil.Process]:
    found = set()
    for each in psutil.Process().children(recursive=True):
        try:
            command = " ".join(each.cmdline())
            if each.status() != psutil.STATUS_ZOMBIE and not any(kept in command for kept in KEPT_PROCESSES):
                found.add(each)
        except psutil.Error:
            continue  # gone while we looked
    return found


def _still_there(look: Callable[[], set[object]], before: set[object]) -> set[object]:
    """What is there now and was not before, once it has had time to end."""
    limit = time.monotonic() + GRACE
    while (left := look() - before) and time.monotonic() < limit:
        threading.Event().wait(0.05)
    return left


@pytest.fixture(autouse=True)
def _nothing_is_left_running() -> Iterator[None]:
    threads, processes = _threads(), _processes()
    yield
    left = [f"thread {each}" for each in _still_there(_threads, threads)]  # type: ignore[arg-type]
    left += [f"process {each}" for each in _still_there(_processes, processes)]  # type: ignore[arg-type]
    if left:
        pytest.fail("left running:\n" + "\n".join(left), pytrace=False)


@pytest.fixture
def kept_workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One pair of children for all the commands of a test: starting one for each takes eight seconds every time."""
    from workbench.commands import console

    kept = console.Workers()

    class Kept(console.Workers):
        def __init__(self) -> None:
            self.knowledge, self.engine = kept.knowledge, kept.engine

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(console, "Workers", Kept)
    with kept:
        yield
