"""Times and sizes as people read them: estimates said as estimates, numbers with their units."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QDateTime, Qt
from PySide6.QtGui import QGuiApplication


def seconds_text(seconds: float) -> str:
    """A duration for people: "0.6 s", "about 3 min" is left to `about_text`."""
    translate = QCoreApplication.translate
    if seconds < 0.1:
        return translate("Durations", "{0:.2f} s").format(seconds)
    if seconds < 60:
        return translate("Durations", "{0:.1f} s").format(seconds)
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 10:
        return translate("Durations", "{0} min {1} s").format(minutes, rest)
    return translate("Durations", "{0} min").format(minutes)


def when_text(created: str) -> str:
    """An ISO time for people: 21 Nov, 14:05."""
    found = QDateTime.fromString(created[:19], Qt.DateFormat.ISODate)
    return found.toString("d MMM, HH:mm") if found.isValid() else created


def about_text(seconds: float) -> str:
    """An estimate said as one: "about 20 seconds", "about 3 minutes"."""
    translate = QCoreApplication.translate
    if seconds < 8:
        return translate("Durations", "a few seconds")
    if seconds < 50:
        return translate("Durations", "about {0} seconds").format(5 * round(seconds / 5))
    if seconds < 90:
        return translate("Durations", "about a minute")
    if seconds < 3600:
        return translate("Durations", "about {0} minutes").format(round(seconds / 60))
    hours = seconds / 3600
    if hours < 1.5:
        return translate("Durations", "about an hour")
    return translate("Durations", "about {0} hours").format(round(hours))


def about_short(seconds: float) -> str:
    """The same where room is short: "about 20 s", "about 3 min", "about 2 h"."""
    translate = QCoreApplication.translate
    if seconds < 50:
        return translate("Durations", "about {0} s").format(max(5, 5 * round(seconds / 5)))
    if seconds < 5400:
        return translate("Durations", "about {0} min").format(max(1, round(seconds / 60)))
    return translate("Durations", "about {0:.0f} h").format(seconds / 3600)


def bytes_text(size: float) -> str:
    """A size for people: "98 MB"."""
    translate = QCoreApplication.translate
    for words in (
        translate("Sizes", "{0:.0f} bytes"),
        translate("Sizes", "{0:.0f} kB"),
        translate("Sizes", "{0:.0f} MB"),
    ):
        if size < 1000:
            return words.format(size)
        size /= 1000
    return translate("Sizes", "{0:.1f} GB").format(size)


def path_text(path: object) -> str:
    """A path or a file's name that keeps its own direction where the window runs from right to left."""
    if not QGuiApplication.isRightToLeft():
        return str(path)
    return f"\N{FIRST STRONG ISOLATE}{path}\N{POP DIRECTIONAL ISOLATE}"


def ordinal(place: int | None) -> str:
    """1st, 2nd, 3rd, 11th; a dash where a leg of the search did not find a passage."""
    if place is None:
        return "\N{EN DASH}"
    translate = QCoreApplication.translate
    endings = {
        1: translate("Ordinals", "{0}st"),
        2: translate("Ordinals", "{0}nd"),
        3: translate("Ordinals", "{0}rd"),
    }
    other = translate("Ordinals", "{0}th")
    return (other if 10 <= place % 100 <= 20 else endings.get(place % 10, other)).format(place)


def in_words(count: int) -> str:
    """A small number as a sentence says it: no, one, ... six; a larger one in figures."""
    translate = QCoreApplication.translate
    words = (
        translate("Numbers", "no"),
        translate("Numbers", "one"),
        translate("Numbers", "two"),
        translate("Numbers", "three"),
        translate("Numbers", "four"),
        translate("Numbers", "five"),
        translate("Numbers", "six"),
    )
    return words[count] if count < len(words) else str(count)
