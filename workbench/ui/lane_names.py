"""What lanes are called in narrow columns, from their names alone."""

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


def lane_title(name: str) -> str:
    """A lane's full name for people; a person's own lane keeps the name it was given."""
    family = name.split(":")[0]
    return QCoreApplication.translate("lanes", _FAMILIES[family][0]) if family in _FAMILIES else name


def lane_short(name: str) -> str:
    """A lane's short name, for columns."""
    family = name.split(":")[0]
    return QCoreApplication.translate("lanes", _FAMILIES[family][1]) if family in _FAMILIES else name
