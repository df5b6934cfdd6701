"""The order Tab goes in: as one reads what is on the screen, whatever the order in which a page's parts were made."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QWidget

DIRECT = Qt.FindChildOption.FindDirectChildrenOnly
Placed = tuple[QRect, QWidget]


def stops_in(part: QWidget) -> list[QWidget]:
    """What Tab comes to in a part of the window, in reading order."""
    return [each for each in _walk(part) if _takes_focus(each)]


def next_stop(parts: list[QWidget], focus: QWidget | None, forward: bool) -> QWidget | None:
    """Where Tab goes from `focus`, around at the end; from a part itself it goes to the part's first stop."""
    stops = [stop for part in parts for stop in stops_in(part)]
    if not stops:
        return None
    if focus in stops:
        return stops[(stops.index(focus) + (1 if forward else -1)) % len(stops)]
    inside = [place for place, stop in enumerate(stops) if focus is not None and focus.isAncestorOf(stop)]
    if inside:
        return stops[inside[0]] if forward else stops[inside[0] - 1]
    return stops[0] if forward else stops[-1]


def _takes_focus(widget: QWidget) -> bool:
    takes = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None
    return takes and widget.isVisible() and widget.isEnabled()


def _walk(widget: QWidget) -> Iterator[QWidget]:
    yield widget
    children = [
        each for each in widget.findChildren(QWidget, options=DIRECT) if each.isVisible() and not each.isWindow()
    ]
    for child in _ordered([(each.geometry(), each) for each in children], widget.isRightToLeft()):
        yield from _walk(child)


def _ordered(placed: list[Placed], mirrored: bool) -> Iterator[QWidget]:
    """Cut into lines where a free line runs across, else into columns where one runs down, and so on in each."""
    if len(placed) < 2:
        yield from (widget for _, widget in placed)
        return
    lines = _cut([(rect.top(), rect.bottom(), (rect, widget)) for rect, widget in placed])
    columns = _cut([(rect.left(), rect.right(), (rect, widget)) for rect, widget in placed]) if len(lines) < 2 else []
    if len(lines) < 2 and len(columns) < 2:  # they lie over each other
        side = -1 if mirrored else 1
        yield from (widget for _, widget in sorted(placed, key=lambda each: (each[0].top(), side * each[0].left())))
        return
    for group in lines if len(lines) > 1 else (columns[::-1] if mirrored else columns):
        yield from _ordered(group, mirrored)


def _cut(spans: list[tuple[int, int, Placed]]) -> list[list[Placed]]:
    """Groups whose spans touch each other, in order."""
    groups: list[list[Placed]] = []
    end = 0
    for begin, last, what in sorted(spans, key=lambda span: span[:2]):
        if groups and begin <= end:
            groups[-1].append(what)
            end = max(end, last)
        else:
            groups.append([what])
            end = last
    return groups
