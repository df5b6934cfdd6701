"""Run a stage in a child process: the same records come out, and a crash becomes one clear error.

The window and the command line never load torch, chromadb or llama_cpp; they hold a `Worker` and call
``worker.run(stage_function, *arguments)``. A `Child` answers from another process, `Here` from this one (tests, and
inside a child). Both give back an ordinary stage: iterate it, close it to stop it.

One child runs several stages at once by pulling them in turn, so a search is answered while a folder is being
indexed: every stage yields at least twice a second, and that is how long another one waits at most.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import queue
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from workbench import paths
from workbench.errors import ChildCrashed, WorkbenchError
from workbench.events import Event, Stage
from workbench.priority import give_way
from workbench.stops import Stops

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

# Libraries that would otherwise report home or look for a hub. Set before any of them is imported.
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_DATASETS_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
    "ANONYMIZED_TELEMETRY": "False",
    "OTEL_SDK_DISABLED": "true",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "UNSLOTH_DISABLE_STATISTICS": "1",
    # A child that is killed leaves semaphores to the tracker, which frees them and need not say so.
    "PYTHONWARNINGS": "ignore::UserWarning:multiprocessing.resource_tracker",
}

STOP_GRACE = 1.0  # seconds a stage has to reach its next yield once it is asked to stop; then the child is killed
SHARED_GRACE = 5.0  # the same where other stages run in the child, which would die with it: a busy machine is slow

_stop_requested = threading.Event()


def stop_requested() -> bool:
    """Whether the stage that is running now was asked to stop; for long calls that have a way out of their own."""
    return _stop_requested.is_set()


class Worker(Protocol):
    """Something that runs stages: a child process, or this one."""

    def run(self, function: Callable[..., Stage], *arguments: Any) -> Stage:
        """The stage `function(*arguments)`, wherever it runs. Raises what the stage raises, and ChildCrashed.

        A `Stops` among the arguments stays connected: what is added to it here is heard where the stage runs.
        """
        ...

    def close(self) -> None:
        """End the worker and everything it runs. Calling it twice does no harm."""
        ...


class Here:
    """Runs stages in this process."""

    def run(self, function: Callable[..., Stage], *arguments: Any) -> Stage:
        return function(*arguments)

    def close(self) -> None:
        pass


class Child:
    """One long-lived child process that runs stages; it starts at the first one, and again after a crash."""

    def __init__(self, name: str, what_is_kept: str = "Nothing already done is lost.", niceness: int = 0) -> None:
        self.name = name  # for people: "The model engine"
        self._what_is_kept = what_is_kept
        self._niceness = niceness
        self._log = paths.user_data() / "logs" / f"{'-'.join(name.lower().split())}-{os.getpid()}-{id(self):x}.log"
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._process: Any = None
        self._connection: Connection | None = None
        self._inboxes: dict[int, queue.SimpleQueue[tuple[str, Any]]] = {}

    @property
    def pid(self) -> int | None:
        """The process id, None while none runs."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def run(self, function: Callable[..., Stage], *arguments: Any) -> Stage:
        number, inbox = next(self._numbers), queue.SimpleQueue[tuple[str, Any]]()
        with self._lock:
            self._start_if_needed()
            assert self._connection is not None
            self._inboxes[number] = inbox
            process = self._process
            with contextlib.suppress(OSError):  # a child that died just now is told by its reader below
                self._connection.send(("run", number, function, arguments))
        stops = [each for each in arguments if isinstance(each, Stops)]
        finished = False
        try:
            for each in stops:
                each.connect(functools.partial(self._tell_part, process, number))
            while True:
                kind, value = inbox.get()
                if kind == "event":
                    yield value
                    continue
                finished = True
                if kind == "error":
                    raise value
                return
        finally:
            for each in stops:
                each.connect(None)
            if not finished:
                self._stop(number, inbox, process)
            self._inboxes.pop(number, None)

    def close(self) -> None:
        with self._lock:
            process, connection = self._process, self._connection
            self._process = self._connection = None
        if process is None:
            return
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.send(("close", 0, None, ()))
        process.join(STOP_GRACE)
        if process.is_alive():
            _kill(process)
            process.join()
        with contextlib.suppress(OSError):
            self._log.unlink()

    def _start_if_needed(self) -> None:
        if self._process is not None and self._process.is_alive():
            return
        import multiprocessing  # here, because the window opens before its first child does

        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        saved = {key: os.environ.get(key) for key in QUIET}
        os.environ.update({key: value for key, value in QUIET.items() if saved[key] is None})
        process = context.Process(target=_serve, args=(theirs, self._niceness, self._log), name=self.name, daemon=False)
        with _interrupts_ignored():  # a child that starts while they are ignored ignores them from its first line on
            process.start()
        theirs.close()
        self._process, self._connection, self._inboxes = process, ours, {}
        threading.Thread(
            target=self._read, args=(ours, process, self._inboxes), name=f"{self.name} reader", daemon=True
        ).start()

    def _read(self, connection: Connection, process: Any, inboxes: dict[int, Any]) -> None:
        """Hand each message to the stage it belongs to; when the pipe breaks, tell them all."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                number, kind, value = connection.recv()
                inbox = inboxes.get(number)
                if inbox is not None:
                    inbox.put((kind, value))
        process.join(STOP_GRACE)
        self._forget(process)  # first, so that a stage starting now goes to a fresh child and is not left waiting
        for inbox in list(inboxes.values()):
            inbox.put(("error", self._crash(process.exitcode)))
        connection.close()

    def _crash(self, code: int | None) -> ChildCrashed:
        chatter = ""
        with contextlib.suppress(OSError):
            chatter = self._log.read_text(encoding="utf-8", errors="replace")[-4000:]
        how = f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"exit status {code}"
        said = f"{self.name} stopped unexpectedly ({how}). {self._what_is_kept} Try again to start it afresh."
        return ChildCrashed(said, chatter)

    def _stop(self, number: int, inbox: Any, process: Any) -> None:
        """Ask one stage to stop, wait a moment, then kill the child: a stuck library must not hold a person up."""
        if not self._tell(process, ("stop", number, None, ())):
            return
        alone = all(each is inbox for each in list(self._inboxes.values()))
        with contextlib.suppress(queue.Empty):
            while inbox.get(timeout=STOP_GRACE if alone else SHARED_GRACE)[0] == "event":
                pass
            return
        self._forget(process)
        _kill(process)

    def _tell_part(self, process: Any, number: int, part: str) -> None:
        """A part of a stage is to stop; one whose child is gone has stopped already."""
        self._tell(process, ("stop part", number, part, ()))

    def _tell(self, process: Any, message: tuple[str, int, Any, tuple[Any, ...]]) -> bool:
        """Send a message to a child; False when it is not the one that runs now."""
        with self._lock:
            if self._connection is None or process is not self._process:
                return False
            with contextlib.suppress(OSError):  # a child that died just now is told by its reader
                self._connection.send(message)
            return True

    def _forget(self, process: Any) -> None:
        with self._lock:
            if self._process is process:
                self._process = self._connection = None


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Ignore Ctrl-C for a moment; only the main thread may ask for that, and only it receives Ctrl-C."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(connection: Connection, niceness: int, log: Path) -> None:
    """The child: take requests from the pipe, pull every running stage in turn, send what comes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides what stops
    _chatter_to(log)
    give_way(niceness)
    requests: queue.SimpleQueue[tuple[str, int, Any, Any]] = queue.SimpleQueue()
    wanted_stops: set[int] = set()
    running: dict[int, Stage] = {}
    stops: dict[int, list[Stops]] = {}  # of each stage, connected to their like in the parent
    lock = threading.Lock()  # over `wanted_stops` and the flag, which is set while there are any

    def is_over(number: int) -> None:
        with lock:
            wanted_stops.discard(number)
            if not wanted_stops:
                _stop_requested.clear()

    def read() -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                kind, number, what, arguments = request = connection.recv()
                if kind == "run":
                    stops[number] = [each for each in arguments if isinstance(each, Stops)]
                elif kind == "stop part":  # heard at once, also in the middle of a long call
                    for each in stops.get(number, ()):
                        each.add(what)
                    continue
                elif kind == "stop":
                    with lock:
                        wanted_stops.add(number)
                        _stop_requested.set()
                requests.put(request)
        _end_programs(os.getpid())
        with contextlib.suppress(OSError):  # which is for the parent to read
            log.unlink()
        os._exit(0)  # the pipe broke, so the parent is gone, however it ended: nobody is left to answer

    threading.Thread(target=read, name="requests", daemon=True).start()
    while True:
        while not running or not requests.empty():
            kind, number, function, arguments = requests.get()
            if kind == "close":
                for stage in running.values():
                    stage.close()
                os._exit(0)
            if kind == "run":
                running[number] = _begin(function, arguments)
            elif kind == "stop" and number not in running:  # it ended before the stop came: nobody else is meant
                is_over(number)
        for number in list(running):
            if number in wanted_stops:
                running[number].close()
                _send(connection, number, "done", None)
            elif _pull(connection, number, running[number]):
                continue
            del running[number]
            stops.pop(number, None)
            is_over(number)


def _kill(process: Any) -> None:
    """Kill a child and the programs it runs, which would outlive it."""
    import psutil

    with contextlib.suppress(psutil.Error):
        psutil.Process(process.pid).suspend()  # so that it starts no more of them
    _end_programs(process.pid)
    process.kill()


def _end_programs(pid: int) -> None:
    """End what a process runs in sessions of their own. Python's helpers share its session; they end by themselves."""
    import psutil

    with contextlib.suppress(psutil.Error):
        for each in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.Error, OSError):
                if not hasattr(os, "getsid") or os.getsid(each.pid) != os.getsid(pid):
                    each.kill()


def _chatter_to(log: Path) -> None:
    """Send what libraries print to a file: it is no part of any answer, and explains a crash afterwards."""
    with contextlib.suppress(OSError):
        log.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        os.close(handle)


def _begin(function: Callable[..., Stage], arguments: tuple[Any, ...]) -> Stage:
    yield from function(*arguments)


def _pull(connection: Connection, number: int, stage: Stage) -> bool:
    """Take one event from a stage and send it; False when the stage is over."""
    try:
        event: Event = next(stage)
    except StopIteration:
        _send(connection, number, "done", None)
        return False
    except WorkbenchError as error:
        _send(connection, number, "error", error)
        return False
    except MemoryError as error:
        from workbench.errors import TooLittleMemory

        wrapped = TooLittleMemory(
            "There was not enough memory for this. Close other programs, or choose a smaller model."
        )
        wrapped.__cause__ = error
        _send(connection, number, "error", wrapped)
        return False
    except Exception as error:
        message = f"An unexpected fault ended this: {type(error).__name__}: {error}"
        _send(connection, number, "error", ChildCrashed(message, traceback.format_exc()))
        return False
    _send(connection, number, "event", event)
    return True


def _send(connection: Connection, number: int, kind: str, value: Any) -> None:
    try:
        connection.send((number, kind, value))
    except (OSError, BrokenPipeError):
        os._exit(0)
