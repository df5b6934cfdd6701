"""A folder of small documents and a project, for the tests of the index."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "documents"))  # made_files.py

TEXTS = {
    "pumps.md": "# Pumps\n\n## Priming\n\nPrime the pump with two litres of water before the first start.\n\n"
    "## Seals\n\nThe shaft seal PX-4471 is replaced every 900 hours.\n",
    "returns.txt": "Goods may be returned within 24 days. The buyer pays the carriage.\n",
    "sub/prices.csv": "item,price\nkettle,29\ntoaster,34\n",
    "sub/people.md": "# People\n\nAda leads the workshop. Ben drives the van.\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "documents"
    for name, text in TEXTS.items():
        path = made / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return made


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "project"
