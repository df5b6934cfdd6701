"""Workbooks: the rows of every visible sheet, with the values last computed."""

from __future__ import annotations

from pathlib import Path

from workbench.documents.document import Draft, Part
from workbench.documents.formats.tables import ROW_LIMIT, numbered_rows, table_parts
from workbench.documents.formats.zipped import check_archive
from workbench.errors import BadDocument


def read_xlsx(path: Path) -> Draft:
    """A workbook of Excel 2007 or later."""
    import openpyxl

    check_archive(path)
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    parts: list[Part] = []
    notes: list[str] = []
    try:
        for sheet in book.worksheets:
            if sheet.sheet_state != "visible":
                notes.append(f"the hidden sheet {sheet.title} was left out")
                continue
            sheet.reset_dimensions()  # some programs write a wrong one, and rows would be missing
            rows = numbered_rows(sheet.iter_rows(values_only=True))
            parts += table_parts(rows, f"sheet {sheet.title}, ", sheet.title)
            if len(rows) == ROW_LIMIT:
                notes.append(f"only the first {ROW_LIMIT:,} rows of sheet {sheet.title} were read")
    finally:
        book.close()
    return Draft(tuple(parts), notes=tuple(notes))


def read_other_workbook(path: Path) -> Draft:
    """A workbook of older Excel, in Excel's binary form, or in OpenDocument form."""
    import python_calamine as calamine

    if path.suffix.lower() != ".xls":
        check_archive(path)
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
    except calamine.PasswordError as error:
        raise BadDocument("it is locked with a password") from error
    parts: list[Part] = []
    notes: list[str] = []
    for sheet in book.sheets_metadata:
        if sheet.typ != calamine.SheetTypeEnum.WorkSheet:
            continue
        if sheet.visible != calamine.SheetVisibleEnum.Visible:
            notes.append(f"the hidden sheet {sheet.name} was left out")
            continue
        cells = book.get_sheet_by_name(sheet.name)
        rows = numbered_rows(cells.iter_rows(), (cells.start or (0, 0))[0] + 1)
        parts += table_parts(rows, f"sheet {sheet.name}, ", sheet.name)
        if len(rows) == ROW_LIMIT:
            notes.append(f"only the first {ROW_LIMIT:,} rows of sheet {sheet.name} were read")
    return Draft(tuple(parts), notes=tuple(notes))
