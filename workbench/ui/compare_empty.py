"""What the Compare page shows before the first question: what it is for, and questions to begin with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QWidget

from workbench.ui import theme, widgets
from workbench.ui.bench import Bench
from workbench.ui.plain import tooltip

OFFERED = 3  # questions
LONGEST = 80  # characters of one on its button


def empty_state(bench: Bench, ask: Callable[[str], object]) -> QWidget:
    """The idea in two sentences, and the questions the project offers; `ask` asks one at once."""
    made, translate = QWidget(), QCoreApplication.translate
    title = widgets.label(translate("compare", "Ask once, see what every lane makes of it"), "section")
    text = widgets.label(
        translate(
            "compare",
            "Each column answers with the same model: alone, with your prompt, with your documents, or fine-tuned. "
            "What differs between two columns is what that one thing changes.",
        ),
        "muted",
        wrap=True,
    )
    text.setFixedWidth(min(theme.px(520), 720))
    text.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    layout = widgets.column(64, spacing=8, margins=(24, 24, 24, 24))
    for each in (title, text):
        layout.addLayout(widgets.row(None, each, None))
    layout.addSpacing(16)
    for question in questions_to_try(bench):
        room = LONGEST * 100 // theme.px(100)  # fewer where they are larger
        short = question if len(question) <= room else question[: room - 1].rsplit(" ", 1)[0].rstrip(" .,;:") + "…"
        button = widgets.button(short, "", partial(ask, question))
        button.setToolTip(tooltip(question))
        layout.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
    if not bench.project.info.folders:
        add = widgets.button(translate("compare", "Add documents"), "files", partial(bench.open_page, "documents"))
        layout.addWidget(add, 0, Qt.AlignmentFlag.AlignHCenter)
    made.setLayout(layout)
    return made


def questions_to_try(bench: Bench) -> tuple[str, ...]:
    """Questions the sample comes with, while its project is open."""
    kept = bench.recall("questions", [])
    return tuple(str(each) for each in kept[:OFFERED]) if isinstance(kept, list) else ()
