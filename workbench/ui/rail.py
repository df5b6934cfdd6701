"""The rail: the project, the pages with their names, the jobs tray, Settings and Help; it folds to icons."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QInputDialog,
    QMenu,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from workbench.ui import icons, recent_projects, theme, widgets
from workbench.ui.bench import Bench
from workbench.ui.jobs_tray import JobsTray
from workbench.ui.page import is_theme_change
from workbench.ui.plain import tooltip, unmarked

WIDE, NARROW = 208, 56
MOST = 288  # pixels it grows to with the person's text size


def wide() -> int:
    """How wide the open rail is at the person's text size."""
    return min(MOST, theme.px(WIDE))


class Rail(QWidget):
    """Names the pages; `chosen` tells which one a person wants."""

    chosen = Signal(str)

    def __init__(self, bench: Bench, pages: list[tuple[str, str, str]], foot: list[tuple[str, str, str]]) -> None:
        """`pages` and `foot` are (key, title, icon)."""
        super().__init__()
        self.setObjectName("rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._bench, self._folded = bench, False
        self._group = QButtonGroup(self)
        self.buttons: dict[str, QPushButton] = {}
        self.project = QPushButton()
        self.project.setObjectName("project")
        self.project.setIcon(QIcon(mark(20)))
        self.project.setIconSize(QSize(20, 20))
        self._menu = QMenu(self)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.project.setMenu(self._menu)
        self.tray = JobsTray(bench.jobs)
        layout = widgets.column(self.project, 8, spacing=2, margins=(12, 10, 12, 12))
        for each in pages:
            layout.addWidget(self._button(*each))
        layout.addStretch(1)
        layout.addWidget(self.tray)
        layout.addSpacing(8)
        for each in foot:
            layout.addWidget(self._button(*each))
        self.setLayout(layout)
        self.setFixedWidth(wide())
        bench.project_changed.connect(self.refresh)
        self.refresh()

    @property
    def folded(self) -> bool:
        return self._folded

    def set_folded(self, folded: bool) -> None:
        if folded == self._folded:
            return
        self._folded = folded
        self.setProperty("folded", folded)
        self.setFixedWidth(NARROW if folded else wide())
        layout = self.layout()
        assert layout is not None
        layout.setContentsMargins(*((8, 10, 8, 12) if folded else (12, 10, 12, 12)))
        for made in self.buttons.values():
            made.setText("" if folded else f"  {made.accessibleName()}")
        self.tray.set_folded(folded)
        self.refresh()
        parts: list[QWidget] = [self, self.project, *self.buttons.values()]
        for part in parts:
            part.style().unpolish(part)
            part.style().polish(part)

    def choose(self, key: str) -> None:
        """Mark a page as the one shown."""
        if key in self.buttons:
            self.buttons[key].setChecked(True)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if is_theme_change(event) and hasattr(self, "tray"):
            self.setFixedWidth(NARROW if self._folded else wide())
            self.project.setIcon(QIcon(mark(20)))

    def refresh(self) -> None:
        name = self._bench.project.info.name
        self.project.ensurePolished()  # the name is drawn bold, and is as wide as that
        shown = self.project.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, wide() - 100)
        self.project.setText("" if self._folded else f"  {unmarked(shown)}")
        self.project.setAccessibleName(self.tr("Project {0}").format(name))
        self.project.setToolTip(tooltip(f"{name}\n{self._bench.project.folder}"))

    def _button(self, key: str, title: str, icon: str) -> QPushButton:
        made = self.buttons[key] = QPushButton(f"  {title}")
        made.setCheckable(True)
        made.setIcon(icons.icon(icon, "muted", "accent"))
        made.setIconSize(QSize(20, 20))
        made.setAccessibleName(title)
        made.setToolTip(title)
        made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        made.clicked.connect(lambda *_: self.chosen.emit(key))
        self._group.addButton(made)
        return made

    def _fill_menu(self) -> None:
        menu = self._menu
        menu.clear()
        recent_projects.fill_menu(menu, self._bench)
        if not menu.isEmpty():
            menu.addSeparator()
        widgets.add_action(menu, self.tr("Open or make a project…"), self._on_open_clicked, "folder-open")
        widgets.add_action(menu, self.tr("Rename this project…"), self._on_rename_clicked, "pencil-simple")
        widgets.add_action(menu, self.tr("Show the welcome page"), lambda: self.chosen.emit("welcome"), "hand-waving")

    def _on_open_clicked(self) -> None:
        start = str(self._bench.project.folder.parent)
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Choose a folder for the project"), start)
        if chosen and self._may_be_made(Path(chosen)):
            recent_projects.open_or_tell(self._bench, Path(chosen))

    def _may_be_made(self, folder: Path) -> bool:
        """A folder with something else in it becomes a project only when a person says so."""
        if (folder / "project.json").exists() or not any(folder.iterdir()):
            return True
        said = self.tr(
            "{0} is not empty and is no project. Make it one? Workbench then keeps its index, results and fine-tunes "
            "in it, beside what is there. To read documents where they are, use Add folder on the Documents page."
        )
        return question(self, self.tr("Make a project"), said.format(folder))

    def _on_rename_clicked(self) -> None:
        name, ok = QInputDialog.getText(
            self, self.tr("Rename this project"), self.tr("Name"), text=self._bench.project.info.name
        )
        if ok and name.strip():
            self._bench.project.change(name=name.strip())
            self.refresh()


def question(parent: QWidget, title: str, text: str) -> bool:
    """Ask something with a yes; the text is shown as it is."""
    box = QMessageBox(QMessageBox.Icon.Question, title, text, parent=parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setStandardButtons(QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel)
    return box.exec() == QMessageBox.StandardButton.Yes


def mark(size: int, ratio: float = 2.0) -> QPixmap:
    """The program's mark: three bars of different height."""
    made = QPixmap(round(size * ratio), round(size * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    dark = theme.tokens().dark
    painter.setBrush(QColor("#EDEDEF" if dark else "#1C1C1A"))
    painter.drawRoundedRect(0, 0, size, size, size * 0.24, size * 0.24)
    painter.setBrush(QColor("#161618" if dark else "#FFFFFF"))
    unit = size / 20
    for left, top, height in ((4.5, 10, 6), (8.9, 4.5, 11.5), (13.3, 7.5, 8.5)):
        painter.drawRect(QRect(round(left * unit), round(top * unit), max(1, round(2.4 * unit)), round(height * unit)))
    painter.end()
    return made
