"""The window's colours, sizes and its one stylesheet, for light and dark; what is drawn by hand asks here as well.

The current tokens are the only thing in the window that is reached from everywhere: a widget that paints has no other
way to know them, and Qt keeps its own palette and font in the same manner.
"""

from __future__ import annotations

import string
from dataclasses import asdict, dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

SMALL, TEXT, QUESTION, PAGE_TITLE, LARGE = 11, 13, 15, 20, 28  # the five type sizes, in pixels at scale 1


@dataclass(frozen=True, slots=True)
class Tokens:
    """One colour scheme. Text, muted and the three state colours have at least 4.5:1 on page, surface and sunken."""

    dark: bool
    page: str
    surface: str
    sunken: str
    line: str
    strong: str  # a stronger line: borders of controls
    text: str
    muted: str
    accent: str
    on_accent: str
    selected: str
    good: str
    warning: str
    bad: str
    good_tint: str
    warning_tint: str
    bad_tint: str


LIGHT = Tokens(
    False, "#FAFAF8", "#FFFFFF", "#F2F2EF", "#E2E1DC", "#C9C8C1", "#1C1C1A", "#63625D", "#3B5BDB", "#FFFFFF", "#EEF1FC",
    "#237A35", "#A35200", "#C92A2A", "#EAF4EC", "#FBF1E4", "#FBECEA",
)  # fmt: skip
DARK = Tokens(
    True, "#161618", "#1E1E21", "#26262A", "#34343A", "#4C4C54", "#EDEDEF", "#A3A3AC", "#8FA2FF", "#14141A", "#272B42",
    "#6BCB7F", "#F0A95B", "#FF8A80", "#1D2E22", "#33291C", "#36211F",
)  # fmt: skip

# At least 3:1 on the surface, and at least 0.06 apart in OKLab for the three kinds of colour blindness.
LANES_LIGHT = {
    "base": "#55554F", "prompted": "#CC8000", "rag": "#0072B2",
    "tuned": "#0B9A6E", "rag+tuned": "#B8488C", "full": "#3C9ADB",
}  # fmt: skip
LANES_DARK = {
    "base": "#C4C4CA", "prompted": "#F0A830", "rag": "#3B8FD6",
    "tuned": "#1DB588", "rag+tuned": "#D98BB8", "full": "#7CC4F0",
}  # fmt: skip
OWN_LIGHT = ("#7A4FC0", "#8A6A00", "#A34A2A", "#3D7A1F")  # a person's own lanes, in their order
OWN_DARK = ("#B79BF0", "#CDB452", "#E59A7C", "#9CCB7A")

SHADES = (100, 150, 205)  # percent away from the ground: of the second and third lane of one colour

_places: dict[str, int] = {}  # which of its family's colours a lane has
_current = LIGHT
_scale = 1.0


def tokens() -> Tokens:
    """The colours in use now."""
    return _current


def color(name: str) -> QColor:
    """A token by name as a QColor: `color("accent")`."""
    return QColor(getattr(_current, name))


def lane_color(name: str) -> QColor:
    """The colour a lane keeps everywhere: of its kind, in another shade for the second and third of a kind."""
    known = LANES_DARK if _current.dark else LANES_LIGHT
    own = OWN_DARK if _current.dark else OWN_LIGHT
    kind, place = known.get(name.split(":")[0]), _places.get(name, 0)
    if kind is not None:
        return _shade(kind, place)
    return _shade(own[place % len(own)], place // len(own))


def place_lanes(places: dict[str, int]) -> None:
    """Which of its family's colours each lane has; 0, the first, for one that is not named."""
    _places.clear()
    _places.update(places)


def _shade(name: str, number: int) -> QColor:
    """Further from the ground than the colour itself, so that it stands out from it at least as much."""
    strength = SHADES[number % len(SHADES)]
    if not _current.dark:
        return QColor(name).darker(strength)
    return mixed(QColor(name), QColor("#FFFFFF"), 1 - 100 / strength)


def mixed(first: QColor, second: QColor, share: float) -> QColor:
    """Two colours mixed; `share`, 0 to 1, is the second's."""
    pairs = ((first.redF(), second.redF()), (first.greenF(), second.greenF()), (first.blueF(), second.blueF()))
    return QColor.fromRgbF(*(one * (1 - share) + other * share for one, other in pairs))


def px(size: int) -> int:
    """A type size at the person's text scale."""
    return round(size * _scale)


def mono_font(size: int = TEXT - 1) -> QFont:
    """The monospace font, for prompts, JSON and code only."""
    from PySide6.QtGui import QFontDatabase

    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setPixelSize(px(size))
    return font


class Theme(QObject):
    """Dresses the application and follows the system between light and dark."""

    changed = Signal()

    def __init__(self, app: QApplication, wanted: str = "system", text_scale: float = 1.0) -> None:
        super().__init__(app)
        self._app = app
        self._style = (Path(__file__).parent / "style.qss").read_text(encoding="utf-8")
        app.setStyle("Fusion")
        self.choose(wanted, text_scale)
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply)

    def choose(self, wanted: str, text_scale: float | None = None) -> None:
        """Take "system", "light" or "dark", and a text scale, and show them at once."""
        global _scale
        if text_scale is not None:
            _scale = min(2.0, max(0.8, text_scale))
        schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
        self._wanted = wanted
        QGuiApplication.styleHints().setColorScheme(schemes.get(wanted, Qt.ColorScheme.Unknown))
        self._apply()

    def _apply(self, *_: object) -> None:
        global _current
        system = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        # A platform without colour schemes (offscreen) does not take the wish: it is honoured here all the same.
        _current = DARK if self._wanted == "dark" or (self._wanted == "system" and system) else LIGHT
        font = self._app.font()
        font.setPixelSize(px(TEXT))
        font.setFeature(QFont.Tag("tnum"), 1)  # digits of equal width, so that figures line up and do not jump
        if font != self._app.font():
            self._app.setFont(font)
        sheet = stylesheet(self._style, _current)
        if sheet == self._app.styleSheet():
            return
        self._app.setPalette(palette(_current))
        self._app.setStyleSheet(sheet)
        self.changed.emit()


def palette(t: Tokens) -> QPalette:
    """The tokens as Qt's palette, for what the stylesheet does not reach."""
    role = QPalette.ColorRole
    made = QPalette()
    for each, name in (
        (role.Window, t.page), (role.WindowText, t.text), (role.Base, t.surface), (role.AlternateBase, t.sunken),
        (role.Text, t.text), (role.PlaceholderText, t.muted), (role.Button, t.surface), (role.ButtonText, t.text),
        (role.ToolTipBase, t.surface), (role.ToolTipText, t.text), (role.Highlight, t.accent),
        (role.HighlightedText, t.on_accent), (role.Link, t.accent), (role.LinkVisited, t.accent), (role.Mid, t.line),
        (role.Dark, t.strong), (role.Light, t.surface), (role.Midlight, t.line), (role.Accent, t.accent),
    ):  # fmt: skip
        made.setColor(each, QColor(name))
    for each in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, each, QColor(t.strong))
    return made


def stylesheet(source: str, t: Tokens) -> str:
    """The stylesheet with its $names filled in: colours by token, $f11 and so on for type sizes, arrows as files."""
    sizes = {f"f{size}": f"{px(size)}px" for size in (SMALL, TEXT, QUESTION, PAGE_TITLE, LARGE)}
    return string.Template(source).substitute({**asdict(t), **sizes, **_arrows(t)})


def _arrows(t: Tokens) -> dict[str, str]:
    """Small pictures a stylesheet can only name as files: drawn once per colour into the cache folder."""
    from workbench import paths
    from workbench.ui import icons

    made = {}
    for name, icon, role in (
        ("caret_down", "caret-down", "muted"), ("caret_up", "caret-up", "muted"), ("check", "check", "on_accent"),
    ):  # fmt: skip
        path = paths.cache_folder() / "window" / f"{icon}-{getattr(t, role)[1:]}.png"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            icons.pixmap(icon, 12, role, ratio=3.0).save(str(path))
        made[name] = path.as_posix()
    return made


def contrast(first: str, second: str) -> float:
    """The contrast of two colours, 1 to 21, as WCAG 2.1 defines it."""

    def luminance(name: str) -> float:
        parts = [QColor(name).redF(), QColor(name).greenF(), QColor(name).blueF()]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
