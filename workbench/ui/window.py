"""The frame: rail, pages built when they are first opened, side sheet, notices, and an orderly close."""

from __future__ import annotations

import importlib
from functools import partial
from typing import Any

from PySide6.QtCore import QT_TRANSLATE_NOOP, QByteArray, QCoreApplication, QRect, QSize, Qt
from PySide6.QtGui import QCloseEvent, QGuiApplication, QIcon, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QMainWindow, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from workbench.ui import rail, widgets
from workbench.ui.bench import Bench
from workbench.ui.lane_looks import follow_lanes
from workbench.ui.leaving import Leaving
from workbench.ui.notices import NoticeBar
from workbench.ui.page import Page, Sheet, sheet_width
from workbench.ui.reading_order import next_stop, stops_in
from workbench.ui.theme import Theme
from workbench.ui.tidying import wait_while

# key, title, icon, module and class: a page's module is imported when it is first opened
PAGES: tuple[tuple[str, Any, str, str, str], ...] = (
    ("compare", QT_TRANSLATE_NOOP("Window", "Compare"), "columns", "compare_page", "ComparePage"),
    ("documents", QT_TRANSLATE_NOOP("Window", "Documents"), "files", "documents_page", "DocumentsPage"),
    ("finetune", QT_TRANSLATE_NOOP("Window", "Fine-tune"), "graduation-cap", "finetune_page", "FinetunePage"),
    ("evaluate", QT_TRANSLATE_NOOP("Window", "Evaluate"), "check-square", "evaluate_page", "EvaluatePage"),
    ("advise", QT_TRANSLATE_NOOP("Window", "Advise"), "scales", "advise_page", "AdvisePage"),
    ("models", QT_TRANSLATE_NOOP("Window", "Models"), "cube", "models_page", "ModelsPage"),
)
FOOT: tuple[tuple[str, Any, str, str, str], ...] = (
    ("settings", QT_TRANSLATE_NOOP("Window", "Settings"), "gear", "settings_page", "SettingsPage"),
    ("help", QT_TRANSLATE_NOOP("Window", "Help"), "question", "help_page", "HelpPage"),
)
WELCOME = ("welcome", QT_TRANSLATE_NOOP("Window", "Welcome"), "", "welcome_page", "WelcomePage")

# Every shortcut, as Help lists them; pages add their own keys under the same names.
SHORTCUTS: tuple[tuple[str, Any], ...] = (
    ("Ctrl+Return", QT_TRANSLATE_NOOP("Window", "Ask")),
    ("Esc", QT_TRANSLATE_NOOP("Window", "Stop, or close the side sheet")),
    (
        "Ctrl+1 to Ctrl+7",
        QT_TRANSLATE_NOOP("Window", "Compare, Documents, Fine-tune, Evaluate, Advise, Models, Settings"),
    ),
    ("Ctrl+N", QT_TRANSLATE_NOOP("Window", "New conversation")),
    ("Ctrl+F", QT_TRANSLATE_NOOP("Window", "Search on this page")),
    ("Ctrl+L", QT_TRANSLATE_NOOP("Window", "Lanes")),
    ("Ctrl+H", QT_TRANSLATE_NOOP("Window", "Earlier conversations")),
    ("R, W", QT_TRANSLATE_NOOP("Window", "In the answers of a run: hold the one in question right, or wrong")),
    ("Ctrl+Z", QT_TRANSLATE_NOOP("Window", "Undo what the line at the foot offers to undo")),
    ("Del", QT_TRANSLATE_NOOP("Window", "While cases are edited: take out the one in question")),
    ("Enter, F2", QT_TRANSLATE_NOOP("Window", "In a table: open the row, or change the cell")),
    ("F6, Shift+F6", QT_TRANSLATE_NOOP("Window", "From the rail to the page and the side sheet, and back")),
    ("F1", QT_TRANSLATE_NOOP("Window", "Help")),
    ("Ctrl+Q", QT_TRANSLATE_NOOP("Window", "Close Workbench")),
)
JOB_PAGES = {"export": "finetune", "import": "finetune"}  # kinds of jobs that are not named after their page
ROOM_FOR_WIDE_RAIL = 960  # a page narrower than this beside a sheet folds the rail


class Window(QMainWindow):
    """The one window."""

    def __init__(self, bench: Bench, theme: Theme | None = None) -> None:
        super().__init__()
        self.bench, self.theme = bench, theme
        self._known = {each[0]: each for each in (*PAGES, *FOOT, WELCOME)}
        self._pages: dict[str, Page] = {}
        self._current = ""
        self._sheet: Sheet | None = None
        self._aside: Sheet | None = None  # the last sheet that was closed with something typed in it
        self._closed = False
        self.leaving = Leaving(self, self.unsaved, self.close)
        self.setMinimumSize(QSize(880, 560))
        self.setWindowIcon(QIcon(rail.mark(64)))
        self.rail = rail.Rail(bench, [_named(each) for each in PAGES], [_named(each) for each in FOOT])
        self.stack = QStackedWidget()
        self.notice_bar = NoticeBar()
        self._sheet_place = QVBoxLayout()
        self._build()
        self._connect()
        follow_lanes(bench)
        bench.notices.attach(self.notice_bar.say)
        self._on_project_changed()
        self._restore()
        wait_while(lambda: bool(bench.jobs.running()))
        first = bench.recall("page", "compare") if bench.settings.welcomed else "welcome"
        self.open_page(first if first in self._known else "compare")

    @property
    def current_page(self) -> str:
        return self._current

    @property
    def sheet(self) -> Sheet | None:
        return self._sheet

    def page(self, name: str) -> Page:
        """A page by name, built on first use."""
        if name not in self._pages:
            *_, module, kind = self._known[name]
            made = _load(module, kind)(self.bench)
            self._pages[name] = made
            self.stack.addWidget(made)
        return self._pages[name]

    def open_page(self, name: str, what: dict[str, Any] | None = None) -> None:
        """Bring a page to the front."""
        if self._current and self._current != name:
            self._pages[self._current].hidden()
            self.show_sheet(None)
        page = self.page(name)
        self._current = name
        self.rail.setVisible(name != "welcome")
        self.rail.choose(name)
        self.stack.setCurrentWidget(page)
        page.shown(**(what or {}))
        focus = self.focusWidget()
        if focus is None or not page.isAncestorOf(focus):
            page.setFocus()  # so that the page's own keys work at once, and Tab begins at its top

    def show_sheet(self, sheet: QWidget | None) -> None:
        """Put a sheet beside the page; None takes away the one that is there."""
        old, self._sheet = self._sheet, None
        if old is not None:
            self._sheet_place.removeWidget(old)
            old.hide()
            self._let_go(old)
        if isinstance(sheet, Sheet):
            self._sheet = sheet
            if sheet is self._aside:
                self._aside = None
            else:
                sheet.closed.connect(lambda: self.show_sheet(None) if self._sheet is sheet else None)
            self._sheet_place.addWidget(sheet)
            sheet.show()
        self._fold_rail()
        self.bench.sheet_changed.emit(self._sheet)

    def _let_go(self, sheet: Sheet) -> None:
        """A sheet was closed: what was typed in it can be brought back, until something is typed in another."""
        if self._closed or not sheet.dirty:
            sheet.deleteLater()
            return
        if self._aside is not None:
            self._aside.deleteLater()
        self._aside = sheet
        project, page = self.bench.project, self._current

        def bring_back() -> None:
            if self._aside is sheet and self.bench.project is project:
                self.open_page(page)
                self.show_sheet(sheet)

        said = self.tr("“{0}” was closed; nothing of what you typed in it is kept.").format(sheet.title)
        self.bench.notices.tell(said, action_text=self.tr("Undo"), action=bring_back)

    def _build(self) -> None:
        self.stack.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        middle = widgets.column(self.stack, self.notice_bar, spacing=0)
        middle.setStretch(0, 1)
        layout = widgets.row(self.rail, spacing=0)
        layout.addLayout(middle, 1)
        layout.addLayout(self._sheet_place)
        frame = widgets.named("frame")
        frame.setLayout(layout)
        self.setCentralWidget(frame)

    def _connect(self) -> None:
        bench = self.bench
        self.rail.chosen.connect(self.open_page)
        self.rail.tray.opened.connect(self._on_job_opened)
        bench.page_requested.connect(self.open_page)
        bench.sheet_requested.connect(self.show_sheet)
        bench.index_requested.connect(self._on_index_requested)
        for signal in (bench.project_changed, bench.lanes_changed, bench.adapters_changed):
            signal.connect(partial(follow_lanes, bench))  # before the pages, which are made later, show them
        bench.project_changed.connect(self._on_project_changed)
        bench.settings_changed.connect(self._on_settings_changed)
        names = [each[0] for each in (*PAGES, FOOT[0])]
        for number, name in enumerate(names, start=1):
            self._shortcut(f"Ctrl+{number}", lambda name=name: self.open_page(name))
        self._shortcut("F1", lambda: self.open_page("help"))
        self._shortcut("F6", lambda: self._go_to_part(1))
        self._shortcut("Shift+F6", lambda: self._go_to_part(-1))
        self._shortcut("Ctrl+Z", self.notice_bar.undo)  # a text that can be changed takes it for itself
        self._shortcut("Ctrl+Q", self.close)

    def _shortcut(self, keys: str, slot: Any) -> None:
        QShortcut(QKeySequence(keys), self).activated.connect(slot)

    def _parts(self) -> list[QWidget]:
        """The parts of the window in reading order."""
        parts = (self.rail, self.stack.currentWidget(), self.notice_bar, self._sheet)
        return [each for each in parts if each is not None and each.isVisible()]

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes as one reads."""
        if self._closed:  # Qt asks for this while it takes the window down as well
            return bool(super().focusNextPrevChild(forward))
        stop = next_stop(self._parts(), self.focusWidget(), forward)
        if stop is not None:
            stop.setFocus(Qt.FocusReason.TabFocusReason if forward else Qt.FocusReason.BacktabFocusReason)
        return stop is not None

    def _go_to_part(self, step: int) -> None:
        """Move the keyboard from rail to page to sheet: Tab alone takes long where a page has many controls."""
        parts, focus = [each for each in self._parts() if each is not self.notice_bar], self.focusWidget()
        at = [
            place for place, part in enumerate(parts) if focus is part or focus is not None and part.isAncestorOf(focus)
        ]
        part = parts[((at[0] if at else 0) + step) % len(parts)]
        stops = [self.rail.buttons[self._current]] if part is self.rail else stops_in(part)
        if stops:
            stops[0].setFocus(Qt.FocusReason.TabFocusReason)

    def _on_index_requested(self) -> None:
        """The Documents page reads folders, also while another page is in front."""
        self.page("documents").index_folders()  # type: ignore[attr-defined]

    def _on_job_opened(self, kind: str) -> None:
        kind = JOB_PAGES.get(kind, kind)
        if kind in self._known:
            self.open_page(kind)

    def _on_project_changed(self) -> None:
        self.setWindowTitle(f"{self.bench.project.info.name} – Workbench")

    def _on_settings_changed(self) -> None:
        if self.theme is not None:
            self.theme.choose(self.bench.settings.theme, self.bench.settings.text_scale)

    def _fold_rail(self) -> None:
        sheet = sheet_width() if self._sheet is not None else 0
        self.rail.set_folded(self.width() - rail.wide() - sheet < (ROOM_FOR_WIDE_RAIL if sheet else 640))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold_rail()

    def _restore(self) -> None:
        """Size and place as they were; a place that no screen shows any more is not taken."""
        kept = self.bench.recall("geometry")
        if isinstance(kept, str) and self.restoreGeometry(QByteArray.fromBase64(kept.encode())):
            return
        screen = QGuiApplication.primaryScreen()
        room = screen.availableGeometry() if screen is not None else QRect(0, 0, 1440, 900)
        self.resize(min(1440, room.width()), min(900, room.height()))

    def unsaved(self) -> list[str]:
        """What was typed and would be lost with the window, each in a few words."""
        found = [self._sheet.title] if self._sheet is not None and self._sheet.dirty else []
        return found + [each for page in self._pages.values() for each in page.unsaved()]

    def leave(self) -> None:
        """Close without a question: the system ends the program, and nobody may be there to answer."""
        self.leaving.agree()
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask where something typed would be lost. Keep drafts and places, hide at once, then stop what runs."""
        if not self._closed and not self.leaving.may_close():
            event.ignore()
            return
        if not self._closed:
            self._closed = True
            if self._current:
                self._pages[self._current].hidden()
            self._remember()
            self.hide()
            for page in self._pages.values():
                page.closed()
            self.bench.close()
        super().closeEvent(event)

    def _remember(self) -> None:
        page = self._current if self._current != "welcome" else "compare"
        self.bench.remember(geometry=bytes(self.saveGeometry().toBase64().data()).decode(), page=page)


def _load(module: str, kind: str) -> type[Page]:
    """A page's class, imported when it is first wanted."""
    found: type[Page] = getattr(importlib.import_module(f"workbench.ui.{module}"), kind)
    return found


def _named(entry: tuple[Any, ...]) -> tuple[str, str, str]:
    """Key, title in the person's language, icon."""
    return entry[0], QCoreApplication.translate("Window", entry[1]), entry[2]
