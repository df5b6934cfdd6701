"""What a view asks of an item model, as plain numbers: a table that is drawn asks a thousand times.

A member of one of Qt's enumerations takes two look-ups and, before Python 3.12, a call; two flags joined with `|` take
several. Together they were half of the time a table took to be drawn.
"""

from __future__ import annotations

from PySide6.QtCore import Qt

DISPLAY = int(Qt.ItemDataRole.DisplayRole)
EDIT = int(Qt.ItemDataRole.EditRole)
DECORATION = int(Qt.ItemDataRole.DecorationRole)
TIP = int(Qt.ItemDataRole.ToolTipRole)
ALIGNMENT = int(Qt.ItemDataRole.TextAlignmentRole)
INK = int(Qt.ItemDataRole.ForegroundRole)
GROUND = int(Qt.ItemDataRole.BackgroundRole)
ACCESSIBLE = int(Qt.ItemDataRole.AccessibleTextRole)

LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
