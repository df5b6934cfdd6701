"""Refuse every connection that leaves this machine, and write it down, in this process.

An audit hook sees every connect and every look-up made by Python code, whichever library makes it. A library may
swallow the refusal, so it is also appended to the file named by WORKBENCH_GUARD, which the test fixture reads.
"""

from __future__ import annotations

import os
import sys
from typing import Any

LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0", "::ffff:127.")


def install() -> None:
    """Begin to refuse. There is no way back in this process: audit hooks cannot be taken out."""
    if os.environ.get("WORKBENCH_GUARD"):
        sys.addaudithook(_refuse)


def is_outside(event: str, arguments: tuple[Any, ...]) -> bool:
    """Whether an audit event is the start of something that leaves this machine."""
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a string or bytes: a socket file on this machine
    else:
        return False
    if host is None or host in ("", b""):
        return False
    name = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
    return not name.startswith(LOOPBACK)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith("socket.") and is_outside(event, arguments):
        target = os.environ.get("WORKBENCH_GUARD")
        if target:
            with open(target, "a", encoding="utf-8") as file:
                file.write(f"{event} {arguments[0] if event == 'socket.getaddrinfo' else arguments[1]}\n")
        raise ConnectionRefusedError(f"tests keep off the network: {event}")
