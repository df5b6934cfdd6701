"""Item models over records, checked by Qt's own tester, and the small widgets."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from workbench.ui import icons, widgets
from workbench.ui.tables import RECORD, Column, RecordFilter, RecordModel, make_table
from workbench.ui.theme import Theme


@dataclass(frozen=True)
class File:
    name: str
    size: int


COLUMNS = (
    Column("File", lambda file: file.name, icon=lambda file: ("file-text", "muted")),
    Column("Size", lambda file: f"{file.size} bytes", sort=lambda file: file.size, right=True, width=80),
)
FILES = [File("b", 9), File("a", 100), File("c", 20)]


def model() -> RecordModel:
    made = RecordModel(COLUMNS, key=lambda file: file.name)
    made.set_records(FILES)
    return made


def test_the_model_keeps_qts_rules_while_it_changes(qapp: QApplication) -> None:
    made = model()
    tester = QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Fatal)
    made.append(File("d", 1))
    made.set_records([File("x", 1)])
    made.set_records([])
    assert made.rowCount() == 0
    assert tester.model() is made


def test_the_same_records_are_refreshed_in_place(qapp: QApplication, qtbot: QtBot) -> None:
    made = model()
    with qtbot.waitSignal(made.dataChanged), qtbot.assertNotEmitted(made.modelReset):
        made.set_records([File("b", 1), File("a", 2), File("c", 3)])
    assert made.index(0, 1).data() == "1 bytes"


def test_sorting_goes_by_the_figure_and_not_by_its_text(qapp: QApplication) -> None:
    proxy = RecordFilter(model())
    QAbstractItemModelTester(proxy, QAbstractItemModelTester.FailureReportingMode.Fatal)
    proxy.sort(1, Qt.SortOrder.AscendingOrder)
    assert [proxy.index(row, 0).data() for row in range(3)] == ["b", "c", "a"]


def test_filtering_keeps_what_a_function_accepts(qapp: QApplication) -> None:
    proxy = RecordFilter(model())
    proxy.keep(lambda file: file.size > 10)
    assert [proxy.index(row, 0).data(RECORD).name for row in range(proxy.rowCount())] == ["a", "c"]


def test_a_table_is_named_and_rows_are_32_high(theme: Theme, qtbot: QtBot) -> None:
    view = make_table(RecordFilter(model()), "Files", COLUMNS)
    qtbot.addWidget(view)
    view.show()
    assert view.accessibleName() == "Files" and view.rowHeight(0) == 32 and view.columnWidth(1) == 80


def test_an_icon_that_does_not_exist_is_told(qapp: QApplication) -> None:
    with pytest.raises(KeyError):
        icons.icon("no-such-icon")
    assert not icons.icon("columns").pixmap(16).isNull()


def test_a_long_text_ends_in_an_ellipsis_or_takes_its_shorter_form(theme: Theme, qtbot: QtBot) -> None:
    label = widgets.ElidedLabel("a rather long text that needs room")
    qtbot.addWidget(label)
    label.resize(60, 20)
    label.show()
    assert label.text().endswith("…") and label.toolTip() == label.full_text()
    label.set_text("a rather long text that needs room", "short")
    assert label.text() == "short"


def test_what_does_not_fit_flows_into_the_next_line(theme: Theme, qtbot: QtBot) -> None:
    holder = QWidget()
    qtbot.addWidget(holder)
    flow = widgets.FlowLayout(holder)
    buttons = [QPushButton(f"button {number}") for number in range(6)]
    for each in buttons:
        flow.addWidget(each)
    holder.resize(220, 300)
    holder.show()
    assert buttons[-1].y() > buttons[0].y()
    assert flow.heightForWidth(220) > flow.heightForWidth(2000)


def test_amounts_are_said_for_people() -> None:
    assert [widgets.seconds_text(value) for value in (0.042, 0.61, 75.0)] == ["0.04 s", "0.6 s", "1 min 15 s"]
    assert [widgets.about_text(value) for value in (3, 21, 61, 185, 7300)] == [
        "a few seconds",
        "about 20 seconds",
        "about a minute",
        "about 3 minutes",
        "about 2 hours",
    ]
    assert [widgets.bytes_text(value) for value in (12, 98_000_000, 1_900_000_000)] == ["12 bytes", "98 MB", "1.9 GB"]
