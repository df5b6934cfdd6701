"""Choose which knowledge base the Documents page shows; make one, rename it, delete it"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QInputDialog, QMenu, QMessageBox, QWidget

from workbench.bases import NamedBase, all_bases, base_names, delete_base, find_base, index_size, make_base, rename_base
from workbench.errors import WorkbenchError
from workbench.events import Result, Stage
from workbench.project import Project
from workbench.ui import documents_source as source
from workbench.ui import icons, widgets
from workbench.ui.bench import Bench
from workbench.ui.documents_reading import Reading
from workbench.ui.plain import tooltip, unmarked

REMEMBERED = "documents_base"  # the option of the project that holds the name of the base that was shown last


class BaseChooser(QObject):
    """A picker of the project's knowledge bases, shown once there is more than one, and what is done with them."""

    def __init__(self, bench: Bench, reading: Reading, page: QWidget) -> None:
        super().__init__(page)
        self._bench, self._reading, self._page = bench, reading, page
        self._elsewhere: dict[str, int] = {}  # other bases' names -> files that differ from what was read
        self.menu = QMenu(page)
        self.menu.aboutToShow.connect(self._fill)
        self.picker = widgets.menu_button("", self.menu, "", self.tr("Knowledge base"))
        reading.changes_elsewhere.connect(self._on_changes_elsewhere)

    def recall(self) -> None:
        """Show the base that was shown last in this project, where it is still there."""
        name = str(self._bench.recall(REMEMBERED, ""))
        if name in base_names(self._bench.project):
            try:
                self._bench.base = find_base(self._bench.project, name)
            except WorkbenchError as error:
                self._bench.notices.error(error)
        self._elsewhere = {}

    def refresh(self) -> None:
        """Say which base is shown, and by an icon that others have changed."""
        self._elsewhere.pop(self._bench.base.base_name, None)
        self.picker.setVisible(bool(base_names(self._bench.project)))
        self.picker.setText(unmarked(widgets.path_text(source.base_title(self._bench.base))))
        self.picker.setIcon(icons.icon("arrow-clockwise", "warning") if self._elsewhere else icons.icon("books"))
        said = [self._entry(name) for name in self._elsewhere]
        self.picker.setToolTip(tooltip("\n".join([self.tr("Knowledge base"), *said])))
        self.picker.setAccessibleDescription("; ".join(said))

    def add_new(self, menu: QMenu) -> None:
        """The entry that makes a base; it stands in another menu while there is only one."""
        widgets.add_action(menu, self.tr("New knowledge base…"), self._on_new_clicked, "plus")

    def _entry(self, name: str) -> str:
        title, count = name or self.tr("Main"), self._elsewhere.get(name, 0)
        return self.tr("{0}: {1:,} changed, new or gone").format(title, count) if count else title

    def _fill(self) -> None:
        self.menu.clear()
        shown = self._bench.base.base_name
        for name in ("", *base_names(self._bench.project)):
            action = widgets.add_action(self.menu, self._entry(name), partial(self.show, name))
            action.setCheckable(True)
            action.setChecked(name == shown)
        self.menu.addSeparator()
        self.add_new(self.menu)
        if shown:
            rename, delete = self.tr("Rename {0}…").format(shown), self.tr("Delete {0}…").format(shown)
            widgets.add_action(self.menu, rename, self._on_rename_clicked, "pencil-simple")
            widgets.add_action(self.menu, delete, self._on_delete_clicked, "trash")

    def show(self, name: str) -> None:
        """Show a base by its name, "" for the project's own."""
        try:
            base = find_base(self._bench.project, name)
        except WorkbenchError as error:
            self._bench.notices.error(error)
            return
        self._bench.remember(**{REMEMBERED: name})
        self._bench.use_base(base)

    def _on_new_clicked(self) -> None:
        title, what = self.tr("New knowledge base"), self.tr("Folders of its own, searched apart. What is it called?")
        name, good = QInputDialog.getText(self._page, title, what)
        if good and name.strip():
            self.make(name)

    def make(self, name: str) -> None:
        """Make a base and show it; it is empty, so the page asks for its first folder."""
        try:
            made = make_base(self._bench.project, name)
        except WorkbenchError as error:
            self._bench.notices.error(error)
            return
        self.show(made.base_name)
        self._bench.lanes_changed.emit()  # there is a lane for each

    def _on_rename_clicked(self) -> None:
        old = self._bench.base.base_name
        name, good = QInputDialog.getText(self._page, self.tr("Rename a knowledge base"), self.tr("Name"), text=old)
        if good and name.strip() and name.strip() != old and self._is_free():
            self.rename(name)

    def rename(self, name: str) -> None:
        """Give the base that is shown another name, once the document reader has let go of it."""
        bench, base = self._bench, self._bench.base
        project, worker = bench.project, bench.knowledge

        def rename(_: object) -> None:
            made = rename_base(project, base.base_name, name)
            if bench.project is project:
                self.show(made.base_name)
                bench.lanes_changed.emit()

        bench.jobs.start(
            self.tr("Renaming a knowledge base"),
            lambda: source.let_go_stage(base, worker),
            on_done=lambda found: self._telling(rename, found),
            kind="base",
            quiet=True,
        )

    def _on_delete_clicked(self) -> None:
        base = self._bench.base
        if isinstance(base, NamedBase) and self._is_free() and confirm_delete(base, self._page):
            self.delete(base)

    def delete(self, base: NamedBase) -> None:
        """Delete a base's index; the project's own base is shown then."""
        bench, project, worker = self._bench, base.project, self._bench.knowledge

        def gone(_: object) -> None:
            said = self.tr("{0} is deleted. Its documents are untouched.").format(base.base_name)
            bench.notices.tell(said)
            if bench.project.folder == project.folder:
                self.show("")
                bench.lanes_changed.emit()

        bench.jobs.start(
            self.tr("Deleting {0}").format(base.base_name),
            lambda: _delete_stage(project, base, lambda: source.let_go_stage(base, worker)),
            on_done=gone,
            kind="base",
            quiet=True,
        )

    def _is_free(self) -> bool:
        free = not (self._reading.busy or self._reading.paused)
        if not free:
            self._bench.notices.tell(self.tr("Stop the reading first: an index that is written cannot be moved."))
        return free

    def _telling(self, act: Callable[[object], None], found: object) -> None:
        try:
            act(found)
        except WorkbenchError as error:
            self._bench.notices.error(error)

    def _on_changes_elsewhere(self, found: dict[str, int]) -> None:
        self._elsewhere = dict(found)
        self.refresh()


def _delete_stage(project: Project, base: NamedBase, let_go: Callable[[], Stage]) -> Stage:
    """Delete a base in the job's thread, for its files may be many."""
    for event in let_go():
        if not isinstance(event, Result):
            yield event
    delete_base(project, base.base_name)
    yield Result(None)


def confirm_delete(base: NamedBase, parent: QWidget) -> bool:
    """Say exactly what goes with a base, and ask."""
    box = QMessageBox(parent)
    box.setWindowTitle(box.tr("Delete a knowledge base"))
    box.setText(box.tr("Delete the knowledge base {0}?").format(base.base_name))
    box.setInformativeText(
        box.tr(
            "Its index in {0} goes, {1}. Your documents are not touched, and answers that were given from them stay. "
            "It can be made again by reading the documents once more."
        ).format(base.index_folder, widgets.bytes_text(index_size(base)))
    )
    delete = box.addButton(box.tr("Delete"), QMessageBox.ButtonRole.DestructiveRole)
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    return box.clickedButton() is delete


def watched_folders(project: Project) -> tuple[Path, ...]:
    """The folders of all bases, each once."""
    return tuple(dict.fromkeys(folder for base in all_bases(project) for folder in base.info.folders))
