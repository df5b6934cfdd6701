"""Compare the strings a .ts file holds with those the source marks: `python packaging/translated.py FILE.ts`.

lupdate leaves out in silence what it cannot read (a name in place of a text, an f-string), so it is counted here.
"""

from __future__ import annotations

import ast
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent / "workbench" / "ui"


def marked(path: Path) -> tuple[set[str], list[str]]:
    """The texts a module marks for translation, and the places where what is marked is no text.

    `translate` may be given a name where the texts themselves are marked with QT_TRANSLATE_NOOP.
    """
    texts, wrong = set[str](), list[str]()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        place = {"tr": 0, "translate": 1, "QT_TRANSLATE_NOOP": 1}.get(name)
        if place is None or len(node.args) <= place:
            continue
        argument = node.args[place]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            texts.add(argument.value)
        elif name != "translate" or isinstance(argument, ast.JoinedStr):
            wrong.append(f"{path.name}:{node.lineno}: {ast.unparse(argument)}")
    return texts, wrong


def collected(file: Path) -> set[str]:
    """The texts of a .ts file."""
    return {each.text or "" for each in ElementTree.parse(file).getroot().iter("source")}


def main(file: str) -> int:
    found = collected(Path(file))
    missing, wrong = set[str](), list[str]()
    for path in sorted(SOURCE.glob("*.py")):
        texts, trouble = marked(path)
        missing |= texts - found
        wrong += trouble
    for each in wrong:
        print(f"not a text: {each}")
    for text in sorted(missing):
        print(f"not collected: {text!r}")
    print(f"{len(found)} texts are ready for translation.")
    return 1 if missing or wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
