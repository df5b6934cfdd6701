"""The documentation says what the program does."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_help_page_is_the_help() -> None:
    spec = importlib.util.spec_from_file_location("help_page", ROOT / "packaging" / "help_page.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "help.md").read_text(encoding="utf-8") == module.page(), "run packaging/help_page.py"


def test_every_link_and_picture_of_the_documentation_exists() -> None:
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name} names {target}"
