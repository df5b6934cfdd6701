"""What a finished run can still be asked: one question through its steps, and what fewer rows would have done."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from workbench.tuning.recipe import RunInfo
from workbench.ui import widgets
from workbench.ui.bench import Bench
from workbench.ui.finetune_curve import CurveView
from workbench.ui.finetune_scrub import ScrubView


class AfterRun(QWidget):
    """What stands under a run that is done; empty for any other."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scrub = ScrubView(bench)
        self.curve = CurveView(bench)
        self.setLayout(widgets.column(self.scrub, self.curve, spacing=0))

    def show_run(self, run: RunInfo | None) -> None:
        """The run that is shown, None while one is trained or planned."""
        done = run if run is not None and run.state == "done" else None
        self.scrub.show_run(done)
        self.curve.show_run(done)
