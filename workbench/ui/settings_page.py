"""Settings: few, grouped, searchable; every one explained in a line and kept at once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QKeySequence, QShortcut
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QWidget

from workbench import paths, records, settings
from workbench.ui import theme, widgets
from workbench.ui.bench import Bench
from workbench.ui.boxes import whole_box
from workbench.ui.page import Page, scroll_area
from workbench.ui.settings_cards import CardChoices, read_cards
from workbench.ui.tables import Column, RecordModel, make_table

log = logging.getLogger("workbench")

SCALES = (0.9, 1.0, 1.15, 1.3, 1.5, 2.0)


class SettingRow(QWidget):
    """A name, a line that explains it, and what changes it."""

    def __init__(self, name: str, why: str, editor: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = f"{name} {why}".casefold()
        self.offered = True  # whether there is anything to set on this computer
        editor.setAccessibleName(name)
        editor.setAccessibleDescription(why)
        title = widgets.label(name, "strong")
        title.setBuddy(editor)
        line = widgets.row(spacing=24, margins=(0, 10, 0, 10))
        line.addLayout(widgets.column(title, widgets.label(why, "muted", wrap=True), spacing=2), 1)
        line.addWidget(editor, 0, Qt.AlignmentFlag.AlignVCenter)
        self.setLayout(widgets.column(line, widgets.hline(), spacing=0))


class SettingsPage(Page):
    """Preferences of the person, the same for every project."""

    title = "Settings"

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self._groups: list[tuple[QLabel, list[QWidget]]] = []
        self._asked_for_cards = False
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Find a setting"))
        self.search.setAccessibleName(self.tr("Find a setting"))
        self.search.setClearButtonEnabled(True)
        self.search.setFixedWidth(theme.px(240))
        self.search.textChanged.connect(self._on_search)
        self.add_action(self.search)
        find = QShortcut(QKeySequence.StandardKey.Find, self, self.search.setFocus)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._content = widgets.column(spacing=0)
        self.nothing = widgets.label(self.tr("No setting has these words."), "muted")
        self.nothing.hide()
        self._build()
        column = QWidget()
        column.setMaximumWidth(760)
        column.setLayout(widgets.column(self._content, self.nothing, None))
        inner = QWidget()
        line = widgets.row(margins=(24, 12, 24, 24))
        line.addWidget(column, 1)
        line.addStretch(0)
        inner.setLayout(line)
        self.body.addWidget(scroll_area(inner))
        bench.project_changed.connect(self._show_folders)

    def _build(self) -> None:
        self._group(self.tr("Appearance"), self._theme_row(), self._scale_row())
        self._group(self.tr("This computer"), *self._thread_rows())
        self._group(self.tr("Network"), self._offline_row(), self._connections())
        self._folder_labels: dict[str, widgets.ElidedLabel] = {}
        rows = [self._folder_row(*each) for each in self._folders()]
        self._group(self.tr("Folders"), *rows)

    def _group(self, title: str, *rows: QWidget) -> None:
        head = widgets.label(title, "section")
        head.setContentsMargins(0, 16, 0, 4)
        self._content.addWidget(head)
        for row in rows:
            self._content.addWidget(row)
        self._groups.append((head, list(rows)))

    def _theme_row(self) -> SettingRow:
        self.theme = QComboBox()
        for text, key in ((self.tr("As the system"), "system"), (self.tr("Light"), "light"), (self.tr("Dark"), "dark")):
            self.theme.addItem(text, key)
        self.theme.setCurrentIndex(self.theme.findData(self.bench.settings.theme))
        self.theme.currentIndexChanged.connect(lambda: self._change(theme=self.theme.currentData()))
        return SettingRow(self.tr("Theme"), self.tr("Light or dark; as the system follows it at once."), self.theme)

    def _scale_row(self) -> SettingRow:
        self.scale = QComboBox()
        for scale in SCALES:
            self.scale.addItem(f"{scale:.0%}", scale)
        near = min(SCALES, key=lambda scale: abs(scale - self.bench.settings.text_scale))
        self.scale.setCurrentIndex(SCALES.index(near))
        self.scale.currentIndexChanged.connect(lambda: self._change(text_scale=self.scale.currentData()))
        return SettingRow(
            self.tr("Text size"), self.tr("Of all text in the window, beside the system's own scaling."), self.scale
        )

    def _thread_rows(self) -> list[SettingRow]:
        cores = settings.available_cores()
        self.threads, self.background = whole_box(0, max(64, cores)), whole_box(0, max(64, cores))
        self.threads.setSpecialValueText(self.tr("All {0}").format(cores))
        self.threads.setValue(self.bench.settings.threads)
        self.threads.valueChanged.connect(lambda value: self._change(threads=value))
        self.background.setSpecialValueText(self.tr("What is free"))
        self.background.setValue(self.bench.settings.background_cores)
        self.background.valueChanged.connect(lambda value: self._change(background_cores=value))
        for box in (self.threads, self.background):
            box.setFixedWidth(theme.px(120))
        answering = self.tr(
            "How many threads write answers. More than the cores of this computer are slower, not faster."
        )
        background = self.tr(
            "The most that reading documents and fine-tuning may take. They leave the cores that answers and other "
            "programs use in any case."
        )
        self.memory = whole_box(0, max(1, round(psutil.virtual_memory().total / 1e9)), self.tr(" GB"))
        self.memory.setSpecialValueText(self.tr("What is free"))
        self.memory.setValue(round(self.bench.settings.memory_limit))
        self.memory.valueChanged.connect(lambda value: self._change(memory_limit=float(value)))
        self.memory.setFixedWidth(theme.px(120))
        memory = self.tr(
            "The most that one model with its conversation, or one fine-tune, may take. What would take more is "
            "refused with a sentence before it begins."
        )
        return [
            SettingRow(self.tr("Threads for answering"), answering, self.threads),
            SettingRow(self.tr("Threads in the background"), background, self.background),
            SettingRow(self.tr("Memory for a model"), memory, self.memory),
            self._card_row(),
            *self._several_cards(),
        ]

    def _card_row(self) -> SettingRow:
        self.card = whole_box(-1, 999)
        self.card.setSpecialValueText(self.tr("What fits"))
        self.card.setValue(self.bench.settings.gpu_layers)
        self.card.valueChanged.connect(lambda value: self._change(gpu_layers=value))
        self.card.setFixedWidth(theme.px(120))
        why = self.tr(
            "How many of a model's layers a graphics card computes, where llama.cpp was built for one (Help says "
            "whether). 0: none. By itself as many as fit are, if a trial finds it faster."
        )
        return SettingRow(self.tr("Layers on a graphics card"), why, self.card)

    def _several_cards(self) -> list[SettingRow]:
        """What is asked where there are several cards; not offered until that is known."""
        self.cards = CardChoices(self.bench, self)
        split = self.tr(
            "How the layers that graphics cards compute lie on several of them. This was not run on a machine with "
            "several cards, for none was at hand."
        )
        main = self.tr("Which card computes them all, where they are to lie on one.")
        shares = self.tr(
            "What each card takes of a model, such as 3 : 1 in the order of the cards. Empty: by what is free on each."
        )
        rows = [
            SettingRow(self.tr("Several graphics cards"), split, self.cards.split),
            SettingRow(self.tr("The one graphics card"), main, self.cards.main),
            SettingRow(self.tr("Shares of the cards"), shares, self.cards.shares),
        ]
        for row in rows:
            row.offered = False
            row.hide()
        self._card_rows = rows
        return rows

    def _read_cards(self) -> None:
        """Ask the engine once, quietly: only it knows what llama.cpp can compute on."""
        if not self._asked_for_cards:
            self._asked_for_cards = True
            title, kind = self.tr("Looking for graphics cards"), "preload"
            self.bench.jobs.start(
                title,
                partial(read_cards, self.bench),
                on_done=self._show_cards,
                on_failed=_to_log,
                kind=kind,
                quiet=True,
            )

    def _show_cards(self, found: Any) -> None:
        if found and len(found) > 1:
            self.cards.show_cards([card.description for card in found])
            for row in self._card_rows:
                row.offered = True
            self._on_search(self.search.text())

    def _offline_row(self) -> SettingRow:
        self.offline = QCheckBox()
        self.offline.setChecked(self.bench.settings.never_fetch)
        self.offline.toggled.connect(lambda on: self._change(never_fetch=on))
        why = self.tr(
            "Nothing uses the network but a download you ask for by name and confirm; each one is listed below. "
            "With a tick here such a download is refused as well."
        )
        return SettingRow(self.tr("Stay offline"), why, self.offline)

    def _connections(self) -> QWidget:
        columns = (
            Column(self.tr("When"), lambda each: str(each.get("time", "")).replace("T", " ")[:16], width=140),
            Column(self.tr("Address"), lambda each: str(each.get("address", ""))),
            Column(self.tr("What for"), lambda each: str(each.get("why", "")), width=240),
        )
        self.connections = RecordModel(columns, parent=self)
        table = make_table(self.connections, self.tr("Connections that were made"), columns)
        table.setFixedHeight(theme.px(160))
        self.no_connections = widgets.label("", "muted", wrap=True)
        made = QWidget()
        title = widgets.label(self.tr("Connections that were made"), "strong")
        made.setLayout(widgets.column(title, self.no_connections, table, spacing=6, margins=(0, 10, 0, 10)))
        self.connection_table = table
        made.setProperty("words", f"{title.text()} network log".casefold())
        return made

    def _folders(self) -> tuple[tuple[str, str, Callable[[], Path]], ...]:
        return (
            (
                self.tr("This project"),
                self.tr("Index, fine-tunes, suites and results."),
                lambda: self.bench.project.folder,
            ),
            (self.tr("Models"), self.tr("What was fetched and imported."), paths.model_folder),
            (
                self.tr("Your data"),
                self.tr("Settings, the log, and projects without a folder of their own."),
                paths.user_data,
            ),
        )

    def _folder_row(self, name: str, why: str, find: Callable[[], Path]) -> SettingRow:
        shown = self._folder_labels[name] = widgets.ElidedLabel(widgets.path_text(find()), "muted", middle=True)
        open_it = widgets.button(self.tr("Open"), "", partial(self._open_folder, find), "small")
        editor = QWidget()
        line = widgets.row(shown, open_it)
        line.setStretch(0, 1)
        editor.setLayout(line)
        editor.setMinimumWidth(theme.px(240))
        open_it.setAccessibleName(self.tr("Open the folder: {0}").format(name))
        return SettingRow(name, why, editor)

    def _open_folder(self, find: Callable[[], Path]) -> None:
        folder = find()
        folder.mkdir(parents=True, exist_ok=True)
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _show_folders(self) -> None:
        for name, _, find in self._folders():
            self._folder_labels[name].set_text(widgets.path_text(find()))

    def shown(self, **what: Any) -> None:
        """Read the connections again; open with `search` to find a setting."""
        from workbench.catalog.hub import connections_file

        found = list(reversed(records.read_lines(connections_file())))[:200]
        self.connections.set_records([each for each in found if isinstance(each, dict)])
        self.connection_table.setVisible(bool(found))
        none = self.tr("None: Workbench has never used the network on this computer.")
        self.no_connections.setText(self.tr("The newest first.") if found else none)
        self._show_folders()
        self._read_cards()
        if "search" in what:
            self.search.setText(str(what["search"]))

    def _change(self, **changes: Any) -> None:
        try:
            self.bench.change_settings(**changes)
        except OSError as error:
            self.bench.notices.error(error)

    def _on_search(self, text: str) -> None:
        wanted, any_shown = text.casefold().strip(), False
        for head, rows in self._groups:
            shown = False
            for row in rows:
                words = row.words if isinstance(row, SettingRow) else str(row.property("words"))
                offered = not isinstance(row, SettingRow) or row.offered
                fits = offered and (wanted in words or wanted in head.text().casefold())
                row.setVisible(fits)
                shown = shown or fits
            head.setVisible(shown)
            any_shown = any_shown or shown
        self.nothing.setVisible(not any_shown)


def _to_log(error: Exception) -> None:
    log.info("graphics cards could not be asked for: %s", error)
