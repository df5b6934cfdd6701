"""Edit a suite in place: a table of cases, with add, duplicate, remove, undo and what is wrong said in the row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QHeaderView, QLineEdit, QStyledItemDelegate, QTableView, QWidget

from workbench.errors import BadSuite
from workbench.evaluation.records import Suite
from workbench.ui import widgets
from workbench.ui.evaluate_cases import CHECKS, ID, KIND, KINDS, QUESTION, SOURCE, TAGS, CasesModel, Draft
from workbench.ui.tables import make_table

Index = QModelIndex | QPersistentModelIndex


class KindDelegate(QStyledItemDelegate):
    """Chooses among the three kinds."""

    def createEditor(self, parent: QWidget, option: object, index: Index) -> QWidget:
        editor = QComboBox(parent)
        editor.addItems(list(KINDS))
        editor.setAccessibleName(self.tr("Kind of the case"))
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        if isinstance(editor, QComboBox):
            editor.setCurrentText(str(index.data(Qt.ItemDataRole.EditRole)))

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        if isinstance(editor, QComboBox):
            model.setData(index, editor.currentText())


class TextDelegate(QStyledItemDelegate):
    """A plain line that fills its cell."""

    def createEditor(self, parent: QWidget, option: object, index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setFrame(False)
        editor.setAccessibleName(str(index.model().headerData(index.column(), Qt.Orientation.Horizontal)))
        return editor


class SuiteEditor(QWidget):
    """The cases of one suite; `saved` brings the new suite."""

    saved = Signal(object)  # Suite
    closed = Signal()
    brought_back = Signal()  # changes that were discarded are there again

    def __init__(self, tell: Callable[..., None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tell = tell
        self._suite: Suite | None = None
        self._dirty = False
        self.model = CasesModel(self)
        self.model.edited.connect(self._on_edited)
        self.name = QLineEdit()
        self.name.setAccessibleName(self.tr("Name of the suite"))
        self.name.setMaximumWidth(320)
        self.name.textEdited.connect(self._on_edited)
        self.add = widgets.button(self.tr("Add case"), "plus", self._on_add_clicked)
        self.duplicate = widgets.quiet_button(self.tr("Duplicate"), "copy", self._on_duplicate_clicked)
        self.remove = widgets.quiet_button(self.tr("Remove"), "trash", self._on_remove_clicked)
        self.said = widgets.label("", "muted", wrap=True)
        self.cancel = widgets.button(self.tr("Close"), "", self._on_close_clicked)
        self.save = widgets.primary_button(self.tr("Save suite"), "", self._on_save_clicked)
        self.table = self._build_table()
        head = widgets.row(self.name, self.add, self.duplicate, self.remove, None, self.cancel, self.save)
        self.setLayout(widgets.column(head, self.table, self.said, margins=(24, 12, 24, 12)))
        undo = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self.table, self._on_remove_clicked)
        undo.setContext(Qt.ShortcutContext.WidgetShortcut)

    def _build_table(self) -> QTableView:
        view = make_table(self.model, self.tr("Cases of the suite"))
        edits = QTableView.EditTrigger
        view.setEditTriggers(edits.DoubleClicked | edits.EditKeyPressed | edits.AnyKeyPressed | edits.SelectedClicked)
        view.setSelectionBehavior(QTableView.SelectionBehavior.SelectItems)
        view.setItemDelegate(TextDelegate(view))
        view.setItemDelegateForColumn(KIND, KindDelegate(view))
        head = view.horizontalHeader()
        for column, width in ((KIND, 128), (SOURCE, 140), (TAGS, 80), (ID, 132)):
            view.setColumnWidth(column, width)
        head.setSectionResizeMode(QUESTION, QHeaderView.ResizeMode.Stretch)
        head.setSectionResizeMode(CHECKS, QHeaderView.ResizeMode.Stretch)
        view.selectionModel().currentChanged.connect(self._on_current_changed)
        return view

    def edit(self, suite: Suite) -> None:
        """Start editing a suite."""
        self._suite, self._dirty = suite, False
        self.name.setText(suite.name)
        self.model.show_cases(suite.cases)
        if suite.cases:
            self.table.setCurrentIndex(self.model.index(0, QUESTION))
        self._say()

    def show_changes(self, name: str, drafts: Sequence[Draft]) -> None:
        """Put unsaved changes over the suite that is edited."""
        at = self.table.currentIndex()
        self._dirty = True
        self.name.setText(name)
        self.model.show_drafts(drafts)
        self.table.setCurrentIndex(self.model.index(max(0, at.row()), max(QUESTION, at.column())))
        self._say()

    def finish_cell(self) -> None:
        """Take over what stands in a cell that is still open."""
        at = self.table.currentIndex()
        self.table.setCurrentIndex(QModelIndex())
        self.table.setCurrentIndex(at)

    def forget(self) -> None:
        """Nothing is being changed here any more; whoever calls has kept what was."""
        self._dirty = False

    @property
    def suite(self) -> Suite | None:
        """The suite that is edited, as it lies in its file."""
        return self._suite

    @property
    def dirty(self) -> bool:
        """Whether there are changes that are not saved."""
        return self._dirty

    def add_question(self, question: str) -> None:
        """Begin a case with a question from elsewhere."""
        row = self._add()
        self.model.setData(self.model.index(row, QUESTION), question)
        self.table.setCurrentIndex(self.model.index(row, CHECKS))

    def _on_edited(self) -> None:
        self._dirty = True
        self._say()

    def _on_current_changed(self) -> None:
        self._say()

    def _say(self) -> None:
        row = self.table.currentIndex().row()
        problems = self.model.problems_of(row) if 0 <= row < len(self.model.drafts) else {}
        wrong = self.model.problem_count()
        if problems:
            self.said.setText(self.tr("Row {0}: {1}").format(row + 1, next(iter(problems.values()))))
        elif wrong:
            self.said.setText(self.tr("{0} rows are not whole yet; they are marked.").format(wrong))
        else:
            self.said.setText(
                self.tr("{0} cases. Checks are written like  contains: 36 months | three years; max_words: 60").format(
                    len(self.model.drafts)
                )
            )
        widgets.set_kind(self.said, "warning" if wrong else "muted")
        self.save.setEnabled(self._dirty and not wrong and bool(self.model.drafts))
        self.cancel.setText(self.tr("Discard changes") if self._dirty else self.tr("Close"))
        for each in (self.duplicate, self.remove):
            each.setEnabled(bool(self.model.drafts))

    def _add(self) -> int:
        row = self.model.add_case(max(self.table.currentIndex().row(), -1) if self.model.drafts else -1)
        self.table.setCurrentIndex(self.model.index(row, QUESTION))
        return row

    def _on_add_clicked(self) -> None:
        row = self._add()
        self.table.setFocus()
        self.table.edit(self.model.index(row, QUESTION))

    def _on_duplicate_clicked(self) -> None:
        row = self.table.currentIndex().row()
        if 0 <= row < len(self.model.drafts):
            row = self.model.add_case(row, self.model.drafts[row])
            self.table.setCurrentIndex(self.model.index(row, QUESTION))

    def _on_remove_clicked(self) -> None:
        row = self.table.currentIndex().row()
        if 0 <= row < len(self.model.drafts):
            gone = self.model.remove_case(row)
            said = self.tr("The case {0} is taken out.").format(gone.id)
            self._tell(said, action_text=self.tr("Undo"), action=lambda: self.model.restore_case(row, gone))

    def _on_close_clicked(self) -> None:
        """Closing throws unsaved changes away, and says so with a way back."""
        suite, name, drafts = self._suite, self.name.text(), list(self.model.drafts)
        if self._dirty and suite is not None:

            def undo() -> None:
                self.edit(suite)
                self.show_changes(name, drafts)
                self.brought_back.emit()

            self._tell(self.tr("The changes to the suite were discarded."), action_text=self.tr("Undo"), action=undo)
        self._dirty = False
        self.closed.emit()

    def _on_save_clicked(self) -> None:
        from workbench.evaluation.suite import write_suite

        if self._suite is None:
            return
        try:
            suite = write_suite(self._suite.path, self.name.text().strip() or self._suite.path.stem, self.model.cases())
        except (BadSuite, OSError) as error:
            self.said.setText(str(error))
            widgets.set_kind(self.said, "bad")
            return
        self._suite, self._dirty = suite, False
        self._say()
        self.saved.emit(suite)
