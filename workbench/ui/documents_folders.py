"""Which folders are read: the picker that names them, and what is done with them: add, take out, keep level, compare"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from workbench.bases import base_names
from workbench.errors import WorkbenchError
from workbench.ui import documents_source as source
from workbench.ui import theme, widgets
from workbench.ui.bench import Bench
from workbench.ui.documents_bases import BaseChooser
from workbench.ui.documents_reading import Reading
from workbench.ui.plain import tooltip, unmarked

PATH_SHOWN = 36  # characters of a folder's path in the header; its end tells more than its beginning


class FolderActions(QObject):
    """Changes the folders of the knowledge base that is shown."""

    changed = Signal()  # there are others now

    def __init__(self, bench: Bench, reading: Reading, bases: BaseChooser, page: QWidget) -> None:
        super().__init__(page)
        self._bench, self._reading, self._bases, self._page = bench, reading, bases, page
        self.menu = QMenu(page)
        self.picker = widgets.menu_button("", self.menu, "", self.tr("Folders"))

    def refresh(self) -> None:
        """Name the folders, and offer what can be done with them."""
        folders = self._bench.base.info.folders
        text = str(folders[0]) if len(folders) == 1 else self.tr("{0} folders").format(len(folders))
        home = str(Path.home())
        short = text.replace(home, "~", 1) if text.startswith(home) else text
        most = max(12, round(PATH_SHOWN * (theme.TEXT / theme.px(theme.TEXT)) ** 2))  # the actions beside it grow too
        self.picker.setText(unmarked(widgets.path_text(short if len(short) <= most else f"…{short[-most:]}")))
        self.picker.setToolTip(tooltip("\n".join(str(folder) for folder in folders)))
        self.picker.setVisible(bool(folders))
        self.menu.clear()
        for folder in folders:
            words = self.tr("Remove {0} from the project").format(folder.name)
            widgets.add_action(self.menu, words, partial(self.remove, folder), "trash")
        self.menu.addSeparator()
        itself = widgets.add_action(self.menu, self.tr("Read a few changes by itself"), self._on_by_itself)
        itself.setCheckable(True)
        itself.setChecked(source.keeps_itself(self._bench.base))
        audit = self.tr("Compare the index with the folders, and mend it")
        widgets.add_action(self.menu, audit, self._on_audit, "shield-check")
        if not base_names(self._bench.project):
            self._bases.add_new(self.menu)

    def ask(self) -> None:
        """Let a person choose a folder, and add it."""
        title = self.tr("Choose a folder of documents")
        chosen = QFileDialog.getExistingDirectory(self._page, title, str(Path.home()))
        if chosen:
            self.add([Path(chosen)])

    def add(self, folders: Sequence[Path]) -> None:
        """Add folders to the project and read them."""
        known = self._bench.base.info.folders
        new = [folder.absolute() for folder in folders if folder.is_dir() and folder.absolute() not in known]
        inside = [each for each in new if any(each.is_relative_to(other) for other in known)]
        for each in inside:
            said = self.tr("{0} is read already: it lies inside a folder of the project.")
            self._bench.notices.tell(said.format(each))
        new = [each for each in new if each not in inside]
        if new and self._keep((*known, *new)):
            self.changed.emit()
            self._reading.start()

    def take_dropped(self, paths: Sequence[Path]) -> None:
        """Add the folders among what was dropped; for files alone, offer the folder they lie in."""
        folders = [path for path in paths if path.is_dir()]
        if not folders and paths:
            parent = paths[0].parent
            said = self.tr("A folder is read as a whole. Add {0}, which holds what you dropped?").format(parent)
            action = self.tr("Add folder")
            self._bench.notices.tell(said, "warning", action_text=action, action=lambda: self.add([parent]))
        self.add(folders)

    def remove(self, folder: Path) -> None:
        """Taken out of the project with its chunks; the files stay, and one click takes it back."""
        bench = self._bench
        if self._reading.busy:
            bench.notices.tell(self.tr("Stop the reading first: a folder is taken out once nothing is being read."))
            return
        if not self._keep(tuple(each for each in bench.base.info.folders if each != folder)):
            return
        self._reading.take_out(folder)
        self.changed.emit()
        base = bench.base

        def undo() -> None:
            if bench.base is not base:
                self._bases.show(base.base_name)
            self.add([folder])

        said = self.tr("{0} is no longer part of the project. Its files are untouched.").format(folder.name)
        bench.notices.tell(said, action_text=self.tr("Undo"), action=undo)

    def _keep(self, folders: tuple[Path, ...]) -> bool:
        try:
            self._bench.base.change(folders=folders)
        except (OSError, WorkbenchError) as error:
            self._bench.notices.error(error)
            return False
        return True

    def _on_by_itself(self) -> None:
        wanted = not source.keeps_itself(self._bench.base)
        try:
            source.keep_itself(self._bench.base, wanted)
        except (OSError, WorkbenchError) as error:
            self._bench.notices.error(error)
            return
        self.refresh()
        if wanted:
            self._reading.follow_changes()

    def _on_audit(self) -> None:
        """What a reading cannot see is found as well: a file edited within its time stamp, a vector that is gone."""
        if self._reading.busy or self._reading.paused:
            said = self.tr("Let the reading end first: an index is compared once it is at rest.")
            self._bench.notices.tell(said)
        else:
            self._reading.audit()
