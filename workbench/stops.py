"""Stops: parts of one running stage that nobody waits for any more.

    stops = Stops()
    stage = worker.run(answer, requests, stops)  # in another process, perhaps
    stops.add("base")  # from any thread: this lane ends, the others go on

A worker that runs its stages elsewhere connects the copy it sends away, so that what is added here is heard there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

Listener = Callable[[str], object]


class Stops:
    """Names of parts, only ever added to."""

    def __init__(self, parts: Iterable[str] = ()) -> None:
        self._parts = set(parts)
        self._listener: Listener | None = None
        self._lock = threading.Lock()

    def add(self, part: str) -> None:
        """Stop a part; a second time does no harm."""
        with self._lock:
            self._parts.add(part)
            listener = self._listener
        if listener is not None:
            listener(part)

    def __contains__(self, part: str) -> bool:
        return part in self._parts

    def any_of(self, parts: set[str]) -> bool:
        """Whether one of these is to stop; cheap enough to be asked thousands of times a second."""
        return not self._parts.isdisjoint(parts)

    def connect(self, listener: Listener | None) -> None:
        """Tell one listener what is added, beginning with what was added already; None tells nobody any more."""
        with self._lock:
            self._listener, known = listener, sorted(self._parts)
        if listener is not None:
            for part in known:
                listener(part)

    def __reduce__(self) -> tuple[type[Stops], tuple[tuple[str, ...]]]:
        return Stops, (tuple(self._parts),)
