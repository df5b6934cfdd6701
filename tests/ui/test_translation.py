"""Every text of the window can be found by Qt's own collector, so that it can be translated."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@pytest.mark.slow
@pytest.mark.skipif(not (BIN / "pyside6-lupdate").exists(), reason="Qt's collector of texts is not installed")
def test_every_marked_text_is_collected() -> None:
    command = ["sh", str(ROOT / "packaging" / "translate.sh"), "xx"]
    done = subprocess.run(command, env={**os.environ, "BIN": str(BIN)}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    assert "texts are ready for translation" in done.stdout
    file = ROOT / "build" / "translations" / "workbench_xx.ts"
    found = file.read_text(encoding="utf-8")
    for text in ("Needs you first", "Search on this page", "Documents (RAG)", "about {0} minutes"):
        assert f"<source>{text}</source>" in found
