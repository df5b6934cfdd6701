"""Turns: while an answer is written, background work rests for a part of the time, in which the answer has all cores.

Threads of an answer on cores that other work uses wait for each other and are many times slower, so beside such work an
answer takes the cores that are left: one of two, which is half its speed, whatever the priorities say. So all who work
rest at the same moments, and those who answer take all cores then.

    with turns.hurrying():        # in the process that answers
        turns.say(reading=False)  # before every token

    turns.rest(threads=1)         # in one that works, between two pieces of some milliseconds

Processes tell each other by files of a few bytes that are mapped into memory, and by the clock that all processes of a
machine share (`time.monotonic`). Nobody waits for one who is gone: what is said holds for a moment only.
"""

from __future__ import annotations

import contextlib
import functools
import mmap
import os
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench import paths

PERIOD = 0.5  # seconds of a turn of both, a few dozen tokens of a small model
LONGEST = 1.6  # seconds of one where tokens take longer
TOKENS = 40  # in a period
SHARE = 0.42  # of a period, its beginning, in which work rests: so an answer begins at its full speed
HOLDS = 0.25  # seconds that an answer's word holds
WORKS = 1.0  # seconds that one holds who works
LOOK = 0.2  # seconds between looks at who is there
OFTEN = 0.02  # seconds between two words
AHEAD = 60.0  # seconds; a word that holds for longer is of another day, when the clock stood elsewhere
WAIT = 0.06  # seconds that reading a prompt waits for work to come to rest
FORM = struct.Struct("<qqq")
NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Working:
    """A process that works in the background."""

    process: int
    threads: int
    rests: bool


class _Word:
    """What this process says, in a file of its own; where that cannot be written it says nothing."""

    def __init__(self, kind: str) -> None:
        # No process opens a file another one may have mapped: its number may have been used before.
        self._path = _folder() / f"{os.getpid()}.{time.monotonic_ns()}.{kind}"
        self._map: mmap.mmap | None = None
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("x+b") as file:
                file.write(bytes(FORM.size))
                file.flush()
                self._map = mmap.mmap(file.fileno(), FORM.size)

    def say(self, until: int, *numbers: int) -> None:
        """Three numbers: until when they hold (nanoseconds of the clock), and two more."""
        if self._map is not None:
            FORM.pack_into(self._map, 0, until, *numbers)


class _Heard:
    """What others say of one kind."""

    def __init__(self, kind: str) -> None:
        self._kind, self._looked = kind, 0
        self._maps: dict[str, mmap.mmap] = {}

    def words(self, now: int) -> list[tuple[int, int, int]]:
        """The process and the two numbers of each word that holds."""
        if now - self._looked > LOOK * NANO:
            self._looked = now
            self._look()
        found = []
        for name, each in self._maps.items():
            until, first, second = FORM.unpack_from(each)
            if now < until < now + AHEAD * NANO:
                found.append((int(name.partition(".")[0]), first, second))
        return found

    def _look(self) -> None:
        import psutil

        there: set[str] = set()
        with contextlib.suppress(OSError):
            there = {each.name for each in os.scandir(_folder()) if each.name.endswith(self._kind)}
        for name in self._maps.keys() - there:
            self._maps.pop(name).close()
        for name in there:
            process = name.partition(".")[0]
            with contextlib.suppress(OSError, ValueError, OverflowError):  # it is gone, or not written yet
                if not psutil.pid_exists(int(process)):
                    (_folder() / name).unlink(missing_ok=True)
                elif name not in self._maps:
                    with (_folder() / name).open("rb") as file:
                        self._maps[name] = mmap.mmap(file.fileno(), FORM.size, access=mmap.ACCESS_READ)


class _Answering:
    """The side of those who answer."""

    def __init__(self) -> None:
        self._word, self._works = _Word("answers"), _Heard("works")
        self._said, self._reading, self._begun = 0, False, 0
        self._hurrying = 0

    def say(self, reading: bool, token_seconds: float = 0.0) -> None:
        now = time.monotonic_ns()
        if not self._hurrying or (now - self._said < OFTEN * NANO and reading == self._reading):
            return
        if reading or self._reading or not self._said:
            self._begun = now
        self._said, self._reading = now, reading
        period = 0.0 if reading else min(LONGEST, max(PERIOD, TOKENS * token_seconds))
        self._word.say(now + int((HOLDS + 2 * token_seconds) * NANO), int(period * NANO), self._begun)

    def renew(self) -> None:
        if self._reading:
            self.say(reading=True)

    def await_rest(self) -> None:
        until = time.monotonic() + WAIT
        while self._reading and any(not each.rests for each in self.working()) and time.monotonic() < until:
            time.sleep(0.002)

    @contextlib.contextmanager
    def hurrying(self) -> Iterator[None]:
        self._hurrying += 1
        try:
            yield
        finally:
            self._hurrying -= 1
            if not self._hurrying:
                self._over()

    def _over(self) -> None:
        self._said, self._reading = 0, False
        self._word.say(0, 0, 0)

    def working(self) -> list[Working]:
        now = time.monotonic_ns()
        words, own = self._works.words(now), os.getpid()  # which may have worked itself a moment ago
        return [Working(process, threads, rests > now) for process, threads, rests in words if process != own]


class _Work:
    """The side of those who work."""

    def __init__(self) -> None:
        self._word, self._answers = _Word("works"), _Heard("answers")
        self._asked, self._piece = 0, 0  # when last, and nanoseconds that a piece of work takes

    def rest(self, threads: int, stop: Callable[[], bool]) -> None:
        now = time.monotonic_ns()
        self._piece += (min(now - self._asked, NANO) - self._piece) // 8 if self._asked else 0
        while left := self._left(now):
            if stop():
                break
            self._word.say(now + int(WORKS * NANO), threads, now + left)
            time.sleep(min(left / NANO, OFTEN))
            now = time.monotonic_ns()
        self._word.say(now + int(WORKS * NANO), threads, 0)
        self._asked = now

    def _left(self, now: int) -> int:
        """Nanoseconds of rest: to the end of an answer's share of its period, or as long as it reads its prompt.

        A piece of work of which more than half would run into that share is not begun any more: so the share is as long
        as it should be, whatever the pieces.
        """
        left = 0
        for _, period, begun in self._answers.words(now):
            if not period:
                left = max(left, int(OFTEN * NANO))
                continue
            place, share = (now - begun) % period, int(SHARE * period)
            if place >= period - min(self._piece, period) // 2:
                place -= period
            left = max(left, share - place)
        return left


def say(reading: bool, token_seconds: float = 0.0) -> None:
    """Say that an answer is being written: its prompt is read, for which all work rests, or tokens come, in so many
    seconds each. It holds for a moment, and only within `hurrying`."""
    _answering().say(reading, token_seconds)


def renew() -> None:
    """Say again that a prompt is read, if that was said; cheap enough to be called thousands of times a second."""
    _answering().renew()


def hurrying() -> contextlib.AbstractContextManager[None]:
    """While somebody waits for an answer of this process."""
    return _answering().hurrying()


def working() -> list[Working]:
    """Who works in the background just now and rests when asked to."""
    return _answering().working()


def await_rest() -> None:
    """Once it was said that a prompt is read, let those who work come to rest, a moment at most."""
    _answering().await_rest()


def rest(threads: int, stop: Callable[[], bool] = lambda: False) -> None:
    """Rest while an answer has its turn, or until `stop` says so; else go on at once, after some microseconds.

    `threads` is how many cores this process uses while it works.
    """
    _work().rest(threads, stop)


def _folder() -> Path:
    return paths.cache_folder() / "turns"


@functools.cache
def _answering() -> _Answering:
    return _Answering()


@functools.cache
def _work() -> _Work:
    return _Work()
