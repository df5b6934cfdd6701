"""What ends a fine-tune that runs in a process of its own."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from workbench.tuning import train


def test_a_run_whose_folder_was_taken_away_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: dict[int, Any] = {}
    monkeypatch.setattr(signal, "signal", heard.__setitem__)
    folder = tmp_path / "run"
    folder.mkdir()
    stop = train._listen_for_stop(folder)
    assert not stop()
    shutil.rmtree(folder)
    assert stop()


def test_a_run_hears_the_stop_file_and_a_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: dict[int, Any] = {}
    monkeypatch.setattr(signal, "signal", heard.__setitem__)
    by_file, by_signal = train._listen_for_stop(tmp_path), train._listen_for_stop(tmp_path)
    assert not by_file() and not by_signal()
    heard[signal.SIGTERM](signal.SIGTERM, None)
    assert by_signal() and not by_file()
    (tmp_path / train.STOP).touch()
    assert by_file()
