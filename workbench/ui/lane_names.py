"""What lanes are called, wherever only their names are known: as the open project calls them, else by their family."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

_FAMILIES: dict[str, tuple[Any, Any]] = {  # the marking function is typed as giving an object; it gives its text
    "base": (QT_TRANSLATE_NOOP("lanes", "Base"), "Base"),
    "prompted": (QT_TRANSLATE_NOOP("lanes", "Prompted"), "Prompted"),
    "rag": (QT_TRANSLATE_NOOP("lanes", "Documents (RAG)"), QT_TRANSLATE_NOOP("lanes", "Documents")),
    "tuned": (QT_TRANSLATE_NOOP("lanes", "Fine-tuned"), "Fine-tuned"),
    "rag+tuned": (
        QT_TRANSLATE_NOOP("lanes", "Fine-tuned + documents"),
        QT_TRANSLATE_NOOP("lanes", "Tuned + documents"),
    ),
    "full": (QT_TRANSLATE_NOOP("lanes", "Whole documents"), "Whole documents"),
}


_known: dict[str, tuple[str, str]] = {}  # title and short title of the lanes of the open project, old ones included


def show_names(known: dict[str, tuple[str, str]]) -> None:
    """Call lanes as a project does: title and short title by name."""
    _known.clear()
    _known.update(known)


def lane_title(name: str) -> str:
    """A lane's full name for people."""
    return _known[name][0] if name in _known else family_title(name)


def lane_short(name: str) -> str:
    """A lane's short name, for columns."""
    return _known[name][1] if name in _known else family_short(name)


def family(name: str) -> str:
    """What kind of lane a name tells of; "" for a person's own and for one that reads another knowledge base."""
    found = name.split(":")[0]
    return found if found in _FAMILIES else ""


def family_title(name: str) -> str:
    """The full name by its family alone; a lane without one is called by its name."""
    kind = family(name)
    return QCoreApplication.translate("lanes", _FAMILIES[kind][0]) if kind else name


def family_short(name: str) -> str:
    """The same for columns."""
    kind = family(name)
    return QCoreApplication.translate("lanes", _FAMILIES[kind][1]) if kind else name
