"""A run as it goes and as it went: figures, loss, held-out answers before and now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import QWidget

from workbench import records
from workbench.events import Step
from workbench.tuning.recipe import RunInfo, Sample
from workbench.ui import widgets
from workbench.ui.charts_loss import LossChart
from workbench.ui.finetune_badge import StepBadge
from workbench.ui.finetune_effects import EffectsView
from workbench.ui.finetune_samples import SamplesView, judge

SIGNS = {
    "done": ("check-circle", "good"),
    "running": ("circle-dashed", "accent"),
    "stopped": ("pause-circle", "warning"),
    "failed": ("x-circle", "bad"),
}  # of a run's states: icon and colour, beside the words


@dataclass
class RunCourse:
    """What is known of a run so far, gathered from its events or read from its folder."""

    name: str = ""
    step: int = 0
    total: int = 0
    train: list[tuple[int, float]] = field(default_factory=list)
    held_out: list[tuple[int, float]] = field(default_factory=list)
    samples: dict[int, tuple[Sample, ...]] = field(default_factory=dict)
    tokens_per_second: float = 0.0
    seconds: float = 0.0
    memory: int = 0  # bytes at the peak, 0 while it is not known
    state: str = "running"  # or as RunInfo.state; "planned" before it is started
    outcome: str = ""
    epochs: float = 0.0
    effects: dict[str, Any] = field(default_factory=dict)  # as RunInfo.effects
    sound: bool = True  # as RunInfo.sound

    def add(self, step: Step) -> None:
        """Take in one step; a step that was seen before (a run watched again) is not counted twice."""
        self.step, self.total = max(self.step, step.step), step.total
        self.tokens_per_second, self.seconds = step.tokens_per_second, step.seconds
        if step.train_loss is not None and (not self.train or step.step > self.train[-1][0]):
            self.train.append((step.step, step.train_loss))
        if step.eval_loss is not None and (not self.held_out or step.step > self.held_out[-1][0]):
            self.held_out.append((step.step, step.eval_loss))
        if step.samples:
            self.samples[step.step] = tuple(_sample(records.to_plain(each)) for each in step.samples)

    @property
    def begun(self) -> bool:
        """Whether the first figures are there."""
        return bool(self.step or self.train or self.held_out)

    @property
    def seconds_left(self) -> float | None:
        """An estimate from the pace so far."""
        if self.step < 2 or self.step >= self.total or self.state != "running":
            return None
        return self.seconds / self.step * (self.total - self.step)


def course_of(run: RunInfo) -> RunCourse:
    """The course of a run, read from its folder."""
    found = RunCourse(
        run.name, run.step, run.total, list(run.train_loss), list(run.eval_loss), read_samples(run.folder)
    )
    found.tokens_per_second, found.seconds = run.tokens_per_second, run.seconds
    found.state, found.outcome = run.state, outcome_words(run.outcome)
    found.epochs = passes_of(run.recipe.get("epochs"), run.recipe.get("minutes"))
    found.effects, found.sound = run.effects, run.sound
    planned = run.effects.get("held_out", {}).get("planned_steps", 0)
    if planned > run.total:  # it ended early, before its last pass was over
        found.epochs *= run.total / planned
    return found


def passes_of(epochs: Any, minutes: Any) -> float:
    """The passes a run makes over its rows, 0 where they are not known: a run bounded in time ends when time is up."""
    return 0.0 if minutes else float(epochs or 0)


def outcome_words(outcome: str) -> str:
    """How a run ended, with the way on that the window has in place of the command's."""
    translate = QCoreApplication.translate
    anew, further = translate("runs", "Go on starts it anew"), translate("runs", "Go on continues from there")
    on = anew if "No checkpoint" in outcome or "Nothing was" in outcome else further
    return outcome.replace("start it again under the same name to go on", on)


def read_samples(folder: Path) -> dict[int, tuple[Sample, ...]]:
    """Sample answers by step, from a run's events."""
    found: dict[int, tuple[Sample, ...]] = {}
    for line in records.read_lines(folder / "events.jsonl"):
        plain = line.get("value", line) if isinstance(line, dict) else {}
        if isinstance(plain, dict) and plain.get("samples"):
            found[int(plain.get("step", 0))] = tuple(_sample(each) for each in plain["samples"])
    return found


def _sample(plain: Any) -> Sample:
    return Sample(str(plain.get("prompt", "")), str(plain.get("expected", "")), str(plain.get("answer", "")))


def pass_marks(course: RunCourse) -> tuple[tuple[int, str], ...]:
    """Where each pass over the data ends, for the axis."""
    passes = int(course.epochs)
    if not course.total or passes < 1 or course.epochs <= 1:
        return ()
    each = course.total / course.epochs
    said, ends = QCoreApplication.translate("runs", "{0}, pass {1}"), range(1, passes + 1)
    return tuple((round(each * number), said.format(round(each * number), number)) for number in ends)


class RunSection(QWidget):
    """Step 3: the run."""

    compare_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.course = RunCourse()
        self._waiting = False  # for the first step since it was started or gone on with
        self.badge = StepBadge(3)
        self.title = widgets.label(self.tr("Run"), "section")
        self.when = widgets.label("", "muted")
        self.steps = widgets.KeyFigure("", self.tr("steps"))
        self.left = widgets.KeyFigure("", self.tr("left"))
        self.rate = widgets.KeyFigure(
            "", self.tr("tokens/s"), self.tr("Tokens read a second, since the start of the run")
        )
        self.memory = widgets.KeyFigure("", self.tr("memory"), self.tr("What the training process holds now"))
        self.right = widgets.KeyFigure("", self.tr("held-out answers as expected"))
        self.bar = widgets.ProgressLine()
        self.outcome = widgets.label("", "text", wrap=True)
        self.sign = widgets.IconLabel("check-circle", 16, "good")
        self.loss, self.effects, self.samples = LossChart(), EffectsView(), SamplesView()
        loss_head = widgets.row(
            widgets.label(self.tr("Loss"), "strong"),
            widgets.ElidedLabel(
                self.tr("lower is better; the dashed line, on rows held out, is what counts"), "caption"
            ),
        )
        loss_head.setStretch(1, 1)
        figures = widgets.row(self.steps, self.left, self.rate, self.memory, self.right, None, spacing=32)
        head = widgets.row(self.badge, self.title, None, self.when)
        ending = widgets.row(spacing=8)
        ending.addWidget(self.sign, 0, Qt.AlignmentFlag.AlignTop)
        ending.addWidget(self.outcome, 1)
        parts = (head, 2, figures, self.bar, ending, 8, loss_head, self.loss, self.effects, 12, self.samples)
        self._parts = widgets.column(*parts, None)
        self.setLayout(self._parts)

    def put_last(self, widget: QWidget) -> None:
        """Show something under all else that is told of a run."""
        self._parts.insertWidget(self._parts.count() - 1, widget)

    def begin(self, name: str, epochs: float, when: str, total: int = 0) -> None:
        """A new run: empty curves, an axis of its own, which is as long as was planned."""
        self.loss.clear()
        self.samples.show_samples({})
        self.show_course(RunCourse(name=name, epochs=epochs, total=total), when)

    def show_plan(self, total: int, epochs: float, seconds: float | None, reasons: Sequence[str]) -> None:
        """What a run will be, before it is started: its steps, about how long, and why so."""
        self.loss.clear()
        self.samples.show_samples({})
        plan = RunCourse(total=total, epochs=epochs, state="planned", outcome=" ".join(reasons))
        self.show_course(plan, "")
        self.left.set_value(widgets.about_text(seconds) if seconds is not None else "", self.tr("of training"))
        self.left.setVisible(seconds is not None)
        self.rate.hide()
        waiting = self.tr("The curve is drawn here, step by step")
        self.loss.show_run(0, total, (), (), pass_marks(plan), waiting)

    def go_on(self) -> None:
        """The run that is shown is started, or gone on with."""
        self.course.state, self.course.outcome, self._waiting = "running", "", True
        self.show_course(self.course)
        self.say(self.tr("starting"))

    def say(self, note: str, seconds_left: float | None = None) -> None:
        """What is done before the first step, and after the last, and how long that still takes where it is known."""
        last = self.course.begun and self.course.step >= self.course.total
        if (self._waiting or last) and self.course.state == "running":
            left = "" if seconds_left is None else self.tr(", {0} left").format(widgets.about_text(seconds_left))
            self.outcome.setText(note[:1].upper() + note[1:] + left + "…")
            self.outcome.show()

    def show_run(self, run: RunInfo) -> None:
        """A run from the list."""
        self.loss.clear()
        self.samples.show_samples({})
        self.show_course(course_of(run), widgets.when_text(run.created))

    def add(self, step: Step) -> None:
        """A step came."""
        self._waiting = False
        self.course.add(step)
        self.show_course(self.course)

    def show_course(self, course: RunCourse, when: str | None = None) -> None:
        """Show what is known of a run."""
        self.course = course
        running = course.state == "running"
        self.badge.set_done(course.state == "done")
        if when is not None:
            self.when.setText(self.tr("started {0}").format(when) if when else "")
        self.steps.set_value(
            self.tr("{0:,} of {1:,}").format(course.step, course.total) if course.total else "\N{EN DASH}"
        )
        left = course.seconds_left
        took = widgets.seconds_text(course.seconds) if course.seconds else "\N{EN DASH}"
        if running:
            self.left.set_value(widgets.about_text(left) if left is not None else "\N{EN DASH}", self.tr("left"))
        else:
            self.left.set_value(took, self.tr("training"))
        self.left.show()
        self.rate.show()
        self.rate.set_value(f"{course.tokens_per_second:,.0f}" if course.tokens_per_second else "\N{EN DASH}")
        self.memory.set_value(widgets.bytes_text(course.memory) if course.memory else "")
        self.memory.setVisible(bool(course.memory))
        self._show_right(course)
        self.bar.set_share(None if running and not course.begun else course.step / max(1, course.total))
        self.outcome.setText(course.outcome)
        self.outcome.setVisible(bool(course.outcome) and not running)
        self.sign.setVisible(course.state in SIGNS and bool(course.outcome) and not running)
        sign = SIGNS.get(course.state, ("info", "muted"))
        self.sign.set_icon(*(sign if course.sound else SIGNS["failed"]))
        usual = "muted" if course.state in ("done", "planned") else "text"
        widgets.set_kind(self.outcome, usual if course.sound else "bad")
        to_go = self.tr("{0} to go").format(widgets.about_text(left)) if left is not None else ""
        ended = course.state not in ("running", "planned")
        self.loss.show_run(course.step, course.total, course.train, course.held_out, pass_marks(course), to_go, ended)
        self.effects.show_effects(course.effects if course.state == "done" else {})
        self.samples.show_samples(course.samples)

    def _show_right(self, course: RunCourse) -> None:
        newest = course.samples.get(max(course.samples, default=0), ())
        right = sum(judge(sample).same for sample in newest)
        self.right.set_value(self.tr("{0} of {1}").format(right, len(newest)))
        self.right.setVisible(bool(newest))
