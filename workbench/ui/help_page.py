"""Help: the shortcuts, a check of this computer on demand, what Workbench is made of."""

from __future__ import annotations

import importlib.metadata
import platform
import re
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, qVersion
from PySide6.QtWidgets import QApplication, QGridLayout, QWidget

import workbench
from workbench.catalog.records import Check
from workbench.events import Stage
from workbench.ui import theme, widgets
from workbench.ui.bench import Bench
from workbench.ui.page import Page, scroll_area
from workbench.ui.tables import Column, RecordModel, make_table

SIGNS = {"ok": ("check-circle", "good"), "warn": ("warning", "warning"), "bad": ("x-circle", "bad")}
MADE_OF = (
    "PySide6", "llama-cpp-python", "torch", "transformers", "peft", "sentence-transformers", "chromadb", "pypdf",
    "python-docx", "openpyxl", "python-pptx", "beautifulsoup4", "lxml", "scipy", "PyYAML", "jinja2",
    "watchdog", "qtawesome",
)  # fmt: skip


def made_of() -> list[str]:
    """What Workbench is made with: the parts people know first, then all else that it says it needs."""
    try:
        needed = importlib.metadata.requires("workbench") or []
    except importlib.metadata.PackageNotFoundError:  # a source tree that was not installed
        needed = []
    found = {_normal(each): each for each in MADE_OF}
    for each in needed:
        name = re.match(r"[\w.-]+", each)
        if name is not None and "extra ==" not in each:
            found.setdefault(_normal(name[0]), name[0])
    return list(found.values())


def _normal(name: str) -> str:
    """A package's name as the index compares it: PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def doctor_stage(project: Path) -> Stage:
    """The checks of this computer, loaded when they are asked for."""
    from workbench.catalog.doctor import examine

    yield from examine(project)


def licence_of(name: str) -> tuple[str, str, str]:
    """A package's name, version and licence as it states them; the first line where it states a whole text."""
    try:
        found: Any = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return name, "", QCoreApplication.translate("Help", "not installed")
    classifiers = [each for each in found.get_all("Classifier") or [] if each.startswith("License ::")]
    short = classifiers[0].rpartition(":: ")[2] if classifiers else ""
    stated = found.get("License-Expression") or short or (found.get("License") or "").strip().splitlines()[:1]
    return name, found.get("Version") or "", stated if isinstance(stated, str) else "".join(stated)[:60]


class HelpPage(Page):
    """What a person looks up."""

    title = "Help"

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.checks: tuple[Check, ...] = ()
        self.check = widgets.button(self.tr("Check this computer"), "heartbeat", self.run_checks)
        self.copy = widgets.quiet_button(self.tr("Copy"), "copy", self._on_copy_clicked)
        self.copy.setAccessibleName(self.tr("Copy the checks and versions"))
        self.check_said = widgets.label("", "muted", wrap=True)
        self._checks_list = widgets.column(spacing=0)
        column = QWidget()
        column.setMaximumWidth(760)
        layout = widgets.column(self._head(self.tr("Shortcuts")), self._shortcuts(), spacing=8)
        head = widgets.SectionHead(self.tr("This computer"))
        head.setContentsMargins(0, 16, 0, 0)
        head.add_action(self.copy)
        head.add_action(self.check)
        for each in (head, self.check_said):
            layout.addWidget(each)
        layout.addLayout(self._checks_list)
        layout.addWidget(self._head(self.tr("About")))
        layout.addWidget(self._about())
        layout.addWidget(self._licences())
        layout.addStretch(1)
        column.setLayout(layout)
        inner = QWidget()
        line = widgets.row(margins=(24, 8, 24, 24))
        line.addWidget(column, 1)
        line.addStretch(0)
        inner.setLayout(line)
        self.body.addWidget(scroll_area(inner))
        self._say_checks()

    def _head(self, text: str) -> QWidget:
        made = widgets.label(text, "section")
        made.setContentsMargins(0, 16, 0, 0)
        return made

    def _shortcuts(self) -> QWidget:
        from workbench.ui.window import SHORTCUTS

        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(6)
        for row, (keys, what) in enumerate(SHORTCUTS):
            shown = widgets.label(keys, "strong")
            shown.setMinimumWidth(140)
            grid.addWidget(shown, row, 0)
            grid.addWidget(widgets.label(QCoreApplication.translate("Window", what), "text", wrap=True), row, 1)
        grid.setColumnStretch(1, 1)
        made = QWidget()
        made.setLayout(grid)
        return made

    def _about(self) -> QWidget:
        said = self.tr(
            "Workbench {0}, Python {1}, Qt {2}, {3} {4}. It runs on this computer alone: documents, questions, answers "
            "and fine-tunes never leave it. The starter model is SmolLM2 135M Instruct (Apache-2.0), the embedder "
            "all-MiniLM-L6-v2 (Apache-2.0), the icons Phosphor (MIT)."
        ).format(workbench.__version__, platform.python_version(), qVersion(), platform.system(), platform.machine())
        return widgets.label(said, "text", wrap=True, selectable=True)

    def _licences(self) -> QWidget:
        columns = (
            Column(self.tr("Made with"), lambda each: each[0], width=200),
            Column(self.tr("Version"), lambda each: each[1], width=120),
            Column(self.tr("Licence"), lambda each: each[2]),
        )
        self.parts = RecordModel(columns, parent=self)
        table = make_table(self.parts, self.tr("What Workbench is made with"), columns, row_height=28)
        table.setFixedHeight(theme.px(28 * 9))
        return table

    def shown(self, **what: Any) -> None:
        """Read the versions, once; open with `check` to look at this computer at once."""
        if not self.parts.records:
            self.parts.set_records([licence_of(name) for name in made_of()])
        if what.get("check"):
            self.run_checks()

    def run_checks(self) -> None:
        """Look at what this computer can do and what is missing."""
        self.check.setEnabled(False)
        self.check_said.setText(self.tr("Looking… this takes a few seconds."))
        folder = self.bench.project.folder
        handle = self.bench.jobs.start(
            self.tr("Checking this computer"),
            lambda: doctor_stage(folder),
            on_done=self._on_checked,
            kind="help",
            quiet=True,
        )
        handle.finished.connect(lambda: self.check.setEnabled(True))

    def _on_checked(self, checks: tuple[Check, ...] | None) -> None:
        self.checks = checks or ()
        self._say_checks()

    def _say_checks(self) -> None:
        widgets.clear_layout(self._checks_list)
        self.copy.setVisible(bool(self.checks))
        if not self.checks:
            self.check_said.setText(self.tr("What this computer can do, what is missing, and how to mend it."))
            return
        bad = [each for each in self.checks if each.state != "ok"]
        fine = self.tr("All {0} checks are fine.").format(len(self.checks))
        mend = self.tr("{0} of {1} checks need a look; they come first.").format(len(bad), len(self.checks))
        self.check_said.setText(mend if bad else fine)
        for check in (*bad, *(each for each in self.checks if each.state == "ok")):
            self._checks_list.addWidget(self._check_row(check))

    def _check_row(self, check: Check) -> QWidget:
        made = QWidget()
        words = widgets.column(widgets.label(check.finding, "text", wrap=True), spacing=2)
        if check.mend:
            words.addWidget(widgets.label(check.mend, "muted", wrap=True, selectable=True))
        name = widgets.label(check.name, "strong")
        name.setFixedWidth(theme.px(150))
        line = widgets.row(
            widgets.icon_label(SIGNS[check.state][0], 16, SIGNS[check.state][1]), name, margins=(0, 7, 0, 7)
        )
        line.addLayout(words, 1)
        made.setLayout(widgets.column(line, widgets.hline(), spacing=0))
        made.setAccessibleName(f"{check.name}: {check.state}. {check.finding} {check.mend}")
        return made

    def _on_copy_clicked(self) -> None:
        lines = [f"{each.state:5} {each.name}: {each.finding} {each.mend}".rstrip() for each in self.checks]
        QApplication.clipboard().setText(f"Workbench {workbench.__version__}\n" + "\n".join(lines))
        self.bench.notices.tell(self.tr("Copied."))
