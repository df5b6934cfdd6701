"""The first page a person sees: two ways in, the idea shown by real answers, and what stays local."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QFileDialog, QLabel, QMenu, QWidget

from workbench import paths
from workbench.errors import WorkbenchError
from workbench.project import Project
from workbench.ui import rail, theme, widgets
from workbench.ui.bench import Bench
from workbench.ui.page import Page, is_theme_change, scroll_area
from workbench.ui.plain import unmarked
from workbench.ui.recent_projects import fill_menu, known_projects
from workbench.ui.welcome_example import example

LEFT, RIGHT = (440, 560), (440, 616)  # the least and the most width of both halves
ROOM_FOR_BOTH = 1040  # a narrower page has the ways in alone


class WelcomePage(Page):
    """No rail, one primary action. Passing it once is remembered."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        self.title = self.tr("Welcome")
        super().__init__(bench, parent)
        self.header.hide()
        self.header_line.hide()
        self._mark = QLabel()
        self.sample = widgets.primary_button(self.tr("Try the sample"), "", self._on_sample)
        self.folder = widgets.button(self.tr("Open a folder"), "", self._on_folder)
        inner = QWidget()
        self.back = widgets.quiet_button("", "arrow-left", self._on_back)
        self.recent_menu = QMenu(self)
        self.recent_menu.aboutToShow.connect(self._fill_recent)
        self.recent = widgets.menu_button(self.tr("Recent projects"), self.recent_menu, "clock-counter-clockwise")
        top = widgets.row(
            self.back,
            self.recent,
            None,
            widgets.quiet_button(self.tr("Settings"), "gear", partial(bench.open_page, "settings")),
            widgets.quiet_button(self.tr("Help"), "question", partial(bench.open_page, "help")),
            spacing=12,
            margins=(24, 12, 24, 12),
        )
        self.example = example()
        middle = widgets.row(spacing=0, margins=(48, 0, 48, 0))
        for part, (least, most) in ((self._left(), LEFT), (self.example, RIGHT)):
            part.setMinimumWidth(least)
            part.setMaximumWidth(theme.px(most))
            middle.addStretch(1)
            middle.addWidget(part, most)
        middle.insertSpacing(2, 56)
        middle.addStretch(1)
        inner.setLayout(widgets.column(top, None, middle, None, spacing=0))
        self.body.addWidget(scroll_area(inner, horizontal=True))
        self._draw_mark()
        QShortcut(QKeySequence("Esc"), self, self._on_back).setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def shown(self, **what: Any) -> None:
        """Whoever has been in a project before can go back to it."""
        self.back.setText(unmarked(self.tr("Back to {0}").format(self.bench.project.info.name)))
        self.back.setVisible(self.bench.settings.welcomed)
        self.recent.setVisible(bool(known_projects(self.bench)))
        (self.back if self.bench.settings.welcomed else self.sample).setFocus()

    def _fill_recent(self) -> None:
        self.recent_menu.clear()
        fill_menu(self.recent_menu, self.bench, partial(self.bench.open_page, "compare"))

    def _on_back(self) -> None:
        if self.bench.settings.welcomed:
            self.bench.open_page("compare")

    def _left(self) -> QWidget:
        name = widgets.row(self._mark, widgets.label(self.tr("Workbench"), "section"), None, spacing=12)
        headline = widgets.label(
            self.tr("See what documents and fine‑tuning change, on your own questions"),
            "verdict",
            True,
        )
        lead = widgets.label(
            self.tr(
                "The same small model, side by side: alone, with your documents, trained on your examples, and both."
            ),
            "lead",
            wrap=True,
        )
        sample = _way(
            "flask",
            self.tr("The sample"),
            self.tr("{0} Documents, examples and questions to try.").format(_sample_about()),
            self.sample,
        )
        own = _way(
            "folder-open",
            self.tr("Your own documents"),
            self.tr("PDF, Word, Markdown, HTML and text. Files are read where they are and never changed."),
            self.folder,
        )
        made = QWidget()
        parts = (name, 8, headline, lead, 16, widgets.hline(), sample, widgets.hline(), own, widgets.hline(), 4)
        promise = self.tr("Everything stays on this computer. Nothing is sent or downloaded unless you ask for it.")
        made.setLayout(widgets.column(*parts, _fact("lock-simple", promise), _fact("cpu", self._machine()), spacing=12))
        return made

    def _machine(self) -> str:
        """What this machine is, as far as it is known without measuring."""
        import psutil

        from workbench.settings import available_cores

        cores, memory = available_cores(), psutil.virtual_memory().total / 1e9
        said = self.tr("{0} cores and {1:.0f} GB of memory.").format(cores, memory)
        try:
            paths.starter_model()
        except WorkbenchError as error:
            return f"{said} {error}"
        return self.tr("{0} The starter model is here and runs on it.").format(said)

    def _draw_mark(self) -> None:
        self._mark.setPixmap(rail.mark(32))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.example.setVisible(event.size().width() >= theme.px(ROOM_FOR_BOTH))

    def changeEvent(self, event: Any) -> None:
        super().changeEvent(event)
        if is_theme_change(event) and hasattr(self, "_mark"):
            self._draw_mark()

    def _on_sample(self) -> None:
        from workbench.sample import make_sample_project

        try:
            project = make_sample_project(paths.user_data() / "projects" / "sample")
        except (WorkbenchError, OSError) as error:
            self.bench.notices.error(error)
            return
        self._enter(project, "compare")

    def _on_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Choose the folder with your documents"))
        if chosen:
            self.open_folder(Path(chosen))

    def open_folder(self, folder: Path) -> None:
        """Make a project for a folder of documents and begin to read it."""
        try:
            project = project_for(folder)
        except (WorkbenchError, OSError) as error:
            self.bench.notices.error(error)
            return
        self._enter(project, "documents")

    def _enter(self, project: Project, page: str) -> None:
        self.bench.use_project(project)
        self.bench.index_requested.emit()
        self.bench.open_page(page)


def project_for(folder: Path) -> Project:
    """The project of a folder of documents: the one it was opened with before, or a new one named after it."""
    home, number = paths.user_data() / "projects", 1
    base = re.sub(r"[^\w -]+", "", folder.name).strip() or "project"
    while True:
        project = Project.open(home / (base if number == 1 else f"{base} {number}"))
        if not project.info.folders:
            project.change(name=folder.name or base, folders=(folder,))
            return project
        if project.info.folders == (folder,):
            return project
        number += 1


def _sample_about() -> str:
    from workbench.sample import sample_about

    try:
        return sample_about()
    except (WorkbenchError, OSError, ValueError):
        return ""


def _way(icon: str, title: str, text: str, action: QWidget) -> QWidget:
    """One way in: an icon, a name, a sentence or two and a button."""
    action.setMinimumWidth(132)  # both as wide, and wider where the text is larger
    words = widgets.column(widgets.label(title, "section"), widgets.label(text, "muted", wrap=True), spacing=4)
    line = widgets.row(spacing=16)
    line.addWidget(widgets.icon_label(icon, 24, "muted"), 0, Qt.AlignmentFlag.AlignTop)
    line.addLayout(words, 1)
    line.addWidget(action, 0, Qt.AlignmentFlag.AlignTop)
    made = QWidget()
    made.setLayout(line)
    return made


def _fact(icon: str, text: str) -> QWidget:
    made = QWidget()
    line = widgets.row(spacing=8)
    line.addWidget(widgets.icon_label(icon, 16, "muted"), 0, Qt.AlignmentFlag.AlignTop)
    line.addWidget(widgets.label(text, "muted", wrap=True), 1)
    made.setLayout(line)
    return made
