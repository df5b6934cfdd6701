"""Changes to a suite that are not saved yet: written down by case, kept in the project, laid over the file again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from workbench.evaluation.records import Suite
from workbench.ui.bench import Bench
from workbench.ui.evaluate_cases import Draft, draft_of
from workbench.ui.evaluate_editor import SuiteEditor

KEPT = "suite_changes"  # the option of the project: file name -> changes


def changes_of(suite: Suite, name: str, drafts: Sequence[Draft]) -> dict[str, Any]:
    """What differs from the file, as plain JSON: the rows in order (an id where the case is as it was) and what was
    taken out. The file may get other cases meanwhile: they are neither."""
    before = {case.id: draft_of(case) for case in suite.cases}
    rows = [each.id if before.get(each.id) == each else asdict(each) for each in drafts]
    left = {each.id for each in drafts}
    return {"name": name, "rows": rows, "removed": [each for each in before if each not in left]}


def with_changes(suite: Suite, changes: dict[str, Any]) -> list[Draft]:
    """The cases of a file, as it is now, with changes laid over them; cases that came to it since stand last."""
    now = {case.id: draft_of(case) for case in suite.cases}
    found: list[Draft] = []
    for row in changes["rows"]:
        draft = now.get(row) if isinstance(row, str) else Draft(**row)
        if draft is not None:  # else it was as in the file, and the file has it no more
            found.append(draft)
    known = {each.id for each in found} | set(changes["removed"])
    return found + [draft for each, draft in now.items() if each not in known]


class UnsavedChanges(QObject):
    """Keeps what is typed into the editor until it is saved or discarded, also over a restart."""

    shown = Signal()  # the editor has something to show

    def __init__(self, bench: Bench, editor: SuiteEditor) -> None:
        super().__init__(editor)
        self._bench, self._editor = bench, editor
        self._project = bench.project
        editor.model.edited.connect(self.keep)
        editor.name.textEdited.connect(self.keep)
        editor.saved.connect(self._on_settled)
        editor.closed.connect(self._on_settled)
        editor.brought_back.connect(self._on_brought_back)

    def open(self, suite: Suite) -> None:
        """Edit a suite: with the changes that are there already, else those kept from before, else as the file is."""
        editor = self._editor
        if not self.holds(suite):
            kept = self._kept().get(suite.path.name)
            editor.edit(suite)
            if kept is not None:
                editor.show_changes(str(kept["name"]), with_changes(suite, kept))
                self._bench.notices.tell(self.tr("These changes to {0} were not saved yet.").format(kept["name"]))
        self.shown.emit()

    def holds(self, suite: Suite | None) -> bool:
        """Whether the editor has unsaved changes to this suite."""
        editor = self._editor
        return editor.dirty and suite is not None and editor.suite is not None and editor.suite.path == suite.path

    def follow(self, suite: Suite | None) -> None:
        """The file may have other cases now: the changes go on from it, so that saving them loses none."""
        editor = self._editor
        if suite is None or editor.suite is None or not self.holds(suite) or suite.hash == editor.suite.hash:
            return
        changes = changes_of(editor.suite, editor.name.text(), editor.model.drafts)
        editor.edit(suite)
        editor.show_changes(changes["name"], with_changes(suite, changes))

    def leave(self, path: Path | None = None) -> None:
        """Another suite, or another project, is wanted: the changes wait, and it is said where."""
        editor = self._editor
        if not editor.dirty or editor.suite is None or editor.suite.path == path:
            return
        self.keep()
        editor.forget()
        said = self.tr("The changes to {0} are not saved yet: they wait under Edit cases of that suite.")
        self._bench.notices.tell(said.format(editor.suite.name))

    def keep(self) -> None:
        """Write down what is in the editor, in the project it belongs to."""
        editor, here = self._editor, self._bench.project is self._project
        if editor.dirty and editor.suite is not None and here:
            made = changes_of(editor.suite, editor.name.text(), editor.model.drafts)
            self._bench.remember(**{KEPT: {**self._kept(), editor.suite.path.name: made}})

    def use_project(self) -> None:
        """Another project is open: what was typed waits in the one it belongs to."""
        if self._project is not self._bench.project:
            self._project = self._bench.project
            self._editor.forget()

    def unsaved(self, files: Sequence[Path]) -> list[str]:
        """The names of new suites that have no file yet."""
        there = {path.name for path in files}
        return [str(each["name"]) for file, each in self._kept().items() if file not in there]

    def file_of(self, name: str) -> Path | None:
        """Where a new suite of this name would be saved, None where none waits."""
        found = (file for file, each in self._kept().items() if each["name"] == name)
        return next((self._bench.project.suites_folder / file for file in found), None)

    def _kept(self) -> dict[str, Any]:
        found = self._bench.recall(KEPT, {})
        return dict(found) if isinstance(found, dict) else {}

    def _on_settled(self, *_: object) -> None:
        if self._editor.suite is not None:
            left = {file: each for file, each in self._kept().items() if file != self._editor.suite.path.name}
            self._bench.remember(**{KEPT: left})

    def _on_brought_back(self) -> None:
        self.keep()
        self.shown.emit()
