"""What the commands share: drawing a stage's events on standard error, and one JSON document on standard output."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from workbench import records
from workbench.children import Child
from workbench.errors import InputError, MissingFile, WorkbenchError
from workbench.events import Note, Progress, Result, Stage, Step
from workbench.priority import READING

Command = TypeVar("Command", bound=Callable[..., Any])


def say(text: str = "") -> None:
    """A line for people, on standard error, so that standard output holds JSON or the answer alone."""
    click.echo(text, err=True)


def project_option(command: Command) -> Command:
    """The `--project DIR` every command takes."""
    return click.option(
        "--project", "project_folder", metavar="DIR", help="The project folder; made when it is missing."
    )(command)


def base_option(command: Command) -> Command:
    """The `--base NAME` of commands that read or write an index."""
    return click.option("--base", "base_name", default="", metavar="NAME", help="The knowledge base; default: main.")(
        command
    )


def json_option(command: Command) -> Command:
    """The `--json` switch: one JSON document on standard output and nothing else there."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")(command)


def print_json(value: Any) -> None:
    """Print the one JSON document of a command."""
    click.echo(json.dumps(records.to_plain(value), ensure_ascii=False, indent=2))


class Workers:
    """The two children a command may need; nothing starts before it is used."""

    def __init__(self) -> None:
        self.knowledge = Child(
            "The document index", "What was indexed so far is kept.", niceness=READING
        )  # as in the window
        self.engine = Child("The model engine", "The answers so far are kept.")

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()
        self.knowledge.close()


def results(stage: Stage, label: str = "") -> Iterator[Any]:
    """Pull a stage along, draw its progress, hand out the values of its Results as they come."""
    with contextlib.closing(stage), _Line(label) as line:
        for event in stage:
            if isinstance(event, Result):
                line.clear()
                yield event.value
            else:
                line.show(event)


def last(stage: Stage, label: str = "") -> Any:
    """Pull a stage to its end and return its last Result."""
    value = None
    for each in results(stage, label):
        value = each
    return value


def settle(workers: Workers, models: Iterable[Path]) -> None:
    """Find out once how this machine reads models fastest, once there is an answer."""
    from workbench.lanes.settle import settle as settle_stage

    afterwards(workers.engine.run(settle_stage, tuple(dict.fromkeys(models))))


def afterwards(stage: Stage) -> None:
    """What is done once on a computer after what was asked for is there; Ctrl-C puts it off."""
    with contextlib.suppress(WorkbenchError):  # it is tried again the next time
        try:
            last(stage, "Once on a computer (Ctrl-C: later):")
        except KeyboardInterrupt:
            say("Put off to the next time.")


def read_questions(question: str) -> tuple[str, ...]:
    """The question itself, or with `@FILE` one question a line. Raises MissingFile, InputError."""
    if not question.startswith("@"):
        if not question.strip():
            raise InputError("The question is empty: write one, or @FILE for a file with one question a line.")
        return (question,)
    path = Path(question[1:])
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MissingFile(f"The question file {path} cannot be read: {error}.") from error
    found = tuple(line.strip() for line in lines if line.strip())
    if not found:
        raise InputError(f"The question file {path} holds no question: write one a line.")
    return found


class _Line:
    """One line on standard error that is redrawn: a bar on a terminal, now and then a plain line elsewhere."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._terminal = sys.stderr.isatty()
        self._drawn = ""
        self._last = 0.0

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def show(self, event: Any) -> None:
        if isinstance(event, Note):
            self.clear()
            say(("Note: " if event.level == "info" else "Warning: ") + event.message)
        elif isinstance(event, Progress):
            self._draw(_progress_text(self._label, event))
        elif isinstance(event, Step):
            self._draw(_step_text(self._label, event))

    def _draw(self, text: str) -> None:
        now = time.monotonic()
        if now - self._last < (0.1 if self._terminal else 15.0):  # a log file wants a sign of life, not a film
            return
        self._last = now
        if not self._terminal:
            say(text)
            return
        text = text[: _width() - 1]
        sys.stderr.write("\r" + text + " " * max(0, len(self._drawn) - len(text)))
        sys.stderr.flush()
        self._drawn = text

    def clear(self) -> None:
        if self._drawn:
            sys.stderr.write("\r" + " " * len(self._drawn) + "\r")
            sys.stderr.flush()
            self._drawn = ""


def _width() -> int:
    import shutil

    return shutil.get_terminal_size((100, 24)).columns


def _progress_text(label: str, progress: Progress) -> str:
    parts = [label or progress.unit]
    if progress.total:
        share = progress.done / progress.total
        parts += [
            f"[{'#' * round(20 * share):<20}]",
            f"{_amount(progress.done, progress)} of {_amount(progress.total, progress)}",
        ]
    if progress.rate is not None:
        parts.append(f"{progress.rate:,.1f} {progress.rate_unit}")
    if progress.seconds_left is not None:
        parts.append(f"{duration(progress.seconds_left)} left")
    return " ".join(part for part in (*parts, progress.note) if part)


def _amount(number: int, progress: Progress) -> str:
    return f"{number / 1e6:.1f} MB" if progress.unit == "bytes" else f"{number}"


def _step_text(label: str, step: Step) -> str:
    loss = f"loss {step.train_loss:.3f}" if step.train_loss is not None else ""
    held_out = f"held-out {step.eval_loss:.3f}" if step.eval_loss is not None else ""
    left = ""
    if step.step and step.seconds:
        left = duration((step.total - step.step) * step.seconds / step.step) + " left"
    words = (label, f"step {step.step} of {step.total}", loss, held_out, f"{step.tokens_per_second:.0f} tokens/s", left)
    return "  ".join(word for word in words if word)


def duration(seconds: float) -> str:
    """A time for people: "40 s", "about 3 min"."""
    return f"{seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} min"
