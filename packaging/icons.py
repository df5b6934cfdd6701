"""Write the sizes of resources/icon/workbench.svg that desktops and the window ask for: `python packaging/icons.py`."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "icon"
SIZES = (16, 32, 48, 64, 128, 256, 512)  # of freedesktop's hicolor theme, those on which the bars meet whole pixels


def draw(size: int) -> QImage:
    """The icon at one size, in pixels."""
    made = QImage(size, size, QImage.Format.Format_ARGB32)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(str(FOLDER / "workbench.svg")).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return made


if __name__ == "__main__":
    for size in SIZES:
        draw(size).save(str(FOLDER / f"workbench-{size}.png"))
