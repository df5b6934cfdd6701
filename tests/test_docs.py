"""The documentation says what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_help_page_is_the_help() -> None:
    """In a process of its own: click keeps the help a command was first asked for, and other tests ask."""
    tool = ROOT / "packaging" / "help_page.py"
    code = f"import runpy; print(runpy.run_path({str(tool)!r})['page'](), end='')"
    page = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout
    assert (ROOT / "docs" / "help.md").read_text(encoding="utf-8") == page, "run packaging/help_page.py"


def test_every_link_and_picture_of_the_documentation_exists() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} names {target}"


def test_the_map_names_every_module_in_its_room() -> None:
    rooms = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("\n### workbench/")
    for room in rooms[1:]:
        folder = ROOT / "workbench" / room.split("\n", 1)[0].strip()
        named = set(re.findall(r"^- `([^`]+\.py)`", room, re.MULTILINE))
        there = {path.relative_to(folder).as_posix() for path in folder.rglob("*.py")} - {"__init__.py"}
        assert named == there, f"{folder.name}: {sorted(named ^ there)}"
