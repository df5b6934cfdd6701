"""The guards of conftest.py guard."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import no_network
import pytest


def forget_refusals() -> str:
    """What was refused so far, taken out of the file so that the fixture does not fail this test for it."""
    written = Path(os.environ["WORKBENCH_GUARD"])
    text = written.read_text()
    written.unlink()
    return text


def test_a_connection_outside_is_refused_and_written_down() -> None:
    with pytest.raises(ConnectionRefusedError), socket.socket() as outside:
        outside.connect(("192.0.2.1", 80))
    with pytest.raises(ConnectionRefusedError):
        socket.getaddrinfo("example.org", 80)
    assert "192.0.2.1" in (text := forget_refusals()) and "example.org" in text


def test_a_child_process_keeps_off_the_network_too() -> None:
    program = "import socket; socket.socket().connect(('192.0.2.1', 80))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "keep off the network" in ended.stderr
    assert "192.0.2.1" in forget_refusals()


def test_loopback_is_let_through() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
    assert not no_network.is_outside("socket.connect", (None, "/run/some.socket"))
