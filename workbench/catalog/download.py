"""Draw one file from a server: resumed where it was left, retried while it moves, stopped at once when asked.

A thread reads and writes; the stage only looks at how far it is, so it yields twice a second whatever the network does.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from pathlib import Path

from workbench.catalog.hub import note_connection
from workbench.errors import DownloadFailed
from workbench.events import Progress, Stage
from workbench.records import naming_full_disk

LOOK = 0.4  # seconds between two looks: at least two events a second
STALL = 20.0  # seconds without a byte before the connection is given up and made again
CONNECT = 10.0  # seconds for a connection to be made
ATTEMPTS = 5  # connections in a row that bring nothing before it is called off
PAUSE = 1.0  # seconds before the second attempt, doubled each time
WINDOW = 5.0  # seconds over which the rate is taken


class Drawing:
    """One download going on in a thread: `done` grows, `error` is set when it has failed for good."""

    def __init__(self, url: str, headers: dict[str, str], part: Path, size: int) -> None:
        self._url, self._headers, self._part = url, headers, part
        self.size = size
        self.done = part.stat().st_size if part.exists() else 0
        self.error: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"download {part.name}", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait up to so long for the end; whether it has come."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Stop after the piece that is being read; what was written stays."""
        self._stop.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        try:
            failures = 0
            while self.done < self.size and not self._stop.is_set():
                before, last = self.done, self._attempt()
                failures = 0 if self.done > before else failures + 1
                if failures >= ATTEMPTS:
                    raise DownloadFailed(self._given_up(last)) from last
                if last is not None:
                    self._stop.wait(PAUSE * 2 ** min(failures, 5))
        except Exception as error:  # handed to the stage, which raises it
            self.error = error

    def _attempt(self) -> Exception | None:
        """Draw until the end, a stop or a broken connection; what broke it."""
        import httpx

        limits = httpx.Timeout(STALL, connect=CONNECT)
        hooks = {"request": [lambda request: note_connection(str(request.url), f"fetch {self._part.stem}")]}
        try:
            with httpx.Client(follow_redirects=True, timeout=limits, event_hooks=hooks) as client:
                self._draw(client)
        except (httpx.TransportError, httpx.StreamError) as error:
            return error
        return None if self.done >= self.size or self._stop.is_set() else EOFError("the server ended too early")

    def _draw(self, client: object) -> None:
        import httpx

        assert isinstance(client, httpx.Client)
        headers = {**self._headers, "Accept-Encoding": "identity"}
        if self.done:
            headers["Range"] = f"bytes={self.done}-"
        with client.stream("GET", self._url, headers=headers) as response:
            if response.status_code >= 500 or response.status_code == 429:
                raise httpx.ReadError(f"the server answered {response.status_code}")  # worth another attempt
            if response.status_code not in (200, 206):
                raise DownloadFailed(f"The hub refused {self._part.stem} (status {response.status_code}).")
            if response.status_code == 200:
                self.done = 0  # the server does not resume: begin again
            with naming_full_disk(self._part), self._part.open("r+b" if self._part.exists() else "wb") as file:
                file.seek(self.done)
                file.truncate()
                for piece in response.iter_raw():
                    if self._stop.is_set():
                        return
                    if self.done + len(piece) > self.size:
                        raise DownloadFailed(f"The hub sent more of {self._part.stem} than it announced; stopped.")
                    file.write(piece)
                    self.done += len(piece)

    def _given_up(self, last: Exception | None) -> str:
        return (
            f"The download of {self._part.stem} stopped ({type(last).__name__}) and did not go on after {ATTEMPTS} "
            f"attempts: {self.done / 1e6:.0f} of {self.size / 1e6:.0f} MB are kept, and the same command goes on there."
        )


def draw(url: str, headers: dict[str, str], part: Path, size: int) -> Stage:
    """STAGE: bring `part` up to `size` bytes; Progress in bytes with MB/s. Closing it keeps what came.

    Raises DownloadFailed, DiskFull.
    """
    drawing = Drawing(url, headers, part, size)
    seen: deque[tuple[float, int]] = deque([(time.monotonic(), drawing.done)])
    try:
        while not drawing.wait(LOOK):
            now = time.monotonic()
            seen.append((now, drawing.done))
            while now - seen[0][0] > WINDOW:
                seen.popleft()
            yield _progress(part.stem, drawing, seen)
        if drawing.error is not None:
            raise drawing.error
        yield Progress(drawing.done, size, part.stem, "bytes")
    finally:
        drawing.stop()


def _progress(name: str, drawing: Drawing, seen: deque[tuple[float, int]]) -> Progress:
    """How far it is and how fast it was in the last seconds."""
    (first_time, first), (last_time, last) = seen[0], seen[-1]
    rate = max(last - first, 0) / (last_time - first_time) if last_time > first_time else 0.0
    left = (drawing.size - last) / rate if rate else None
    note = name if rate else f"{name}: waiting for the hub"
    return Progress(last, drawing.size, note, "bytes", rate / 1e6, "MB/s", left)
