"""What lanes are called in narrow columns, from their names alone."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

_FAMILIES = {
    "base": ("Base", "Base"),
    "prompted": ("Prompted", "Prompted"),
    "rag": ("Documents (RAG)", "Documents"),
    "tuned": ("Fine-tuned", "Fine-tuned"),
    "rag+tuned": ("Fine-tuned + documents", "Tuned + documents"),
    "full": ("Whole documents", "Whole documents"),
}


def lane_title(name: str) -> str:
    """A lane's full name for people; a person's own lane keeps the name it was given."""
    family = name.split(":")[0]
    return QCoreApplication.translate("lanes", _FAMILIES[family][0]) if family in _FAMILIES else name


def lane_short(name: str) -> str:
    """A lane's short name, for columns."""
    family = name.split(":")[0]
    return QCoreApplication.translate("lanes", _FAMILIES[family][1]) if family in _FAMILIES else name
