"""Run a program that reads a file: within a time, with so much to say, and nothing of it left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading

MOST = 64 << 20  # bytes of output that are taken: more than any document may hold as text


def output_of(command: list[str], seconds: float, given: bytes = b"") -> bytes:
    """What a program writes, `given` being its input.

    It has a session of its own, so that what it starts ends with it; `children` finds it by that when this process is
    killed. Raises OSError where it cannot be started, TimeoutError, and ValueError where it failed or said too much.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE if given else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    late = threading.Event()

    def end() -> None:
        late.set()
        _kill(process)

    clock = threading.Timer(seconds, end)
    feeder = threading.Thread(target=_feed, args=(process, given), daemon=True)
    try:
        clock.start()
        feeder.start()
        assert process.stdout is not None
        said = process.stdout.read(MOST + 1)
        if len(said) <= MOST:
            process.wait()  # it closed its output, and the clock still runs
    finally:
        clock.cancel()
        _kill(process)  # helpers that it left running as well
        process.wait()
        feeder.join()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
    if late.is_set():
        raise TimeoutError(f"{command[0]} took more than {seconds:.0f} s")
    if len(said) > MOST or process.returncode != 0:
        raise ValueError(f"{command[0]} failed ({process.returncode})")
    return said


def _feed(process: subprocess.Popen[bytes], given: bytes) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError, ValueError):  # it ended without reading all of it
            process.stdin.write(given)
            process.stdin.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a program and all of its session; where there are none, the program."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(OSError):  # all of them are gone
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
