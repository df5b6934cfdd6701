"""STAGE curve(project, name): would fewer rows have done, and would a prompt? Held-out rows answered by all of them.

The run is trained again on 10 % and on 30 % of its rows, with its own recipe and as many steps; those and the run
itself, the bare model, the prompt alone, examples of the same rows in the prompt, and the documents answer the same
held-out rows.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench import records
from workbench.children import Worker
from workbench.errors import InputError, WorkbenchError
from workbench.evaluation.answering import SharedSearch, await_answer
from workbench.evaluation.checks import run_checks
from workbench.evaluation.curve_lines import Line, case_of, plain_lines, tuned_line
from workbench.evaluation.curve_records import (
    ANSWERS,
    CURVE,
    FOLDER,
    SHARES,
    Curve,
    CurveLine,
    passes_of,
    steps_share,
)
from workbench.evaluation.evaluate import index_mark
from workbench.evaluation.statistics import paired_effect, rate_of
from workbench.events import Event, Progress, Result, Stage, Step
from workbench.lanes.lane import Answer
from workbench.lanes.material import collect
from workbench.lanes.presets import chat_model
from workbench.project import Project
from workbench.tuning.checkpoint import recipe_key
from workbench.tuning.export import find_run
from workbench.tuning.recipe import RunInfo, read_recipe
from workbench.tuning.subsets import RunRows, row_count, rows_of
from workbench.tuning.tune import tune


def curve(project: Path, name: str, knowledge: Worker, engine: Worker) -> Stage:
    """Yields Progress and a Result(Curve) after each line; the last one is complete.

    Each answer is kept as it comes and each training goes on from its checkpoint, so that a curve that was stopped
    goes on where it was. Raises as `rows_of`, `find_run` and `tune` do, and WorkbenchError when the engine cannot
    answer.
    """
    home = Project.open(project)
    run = find_run(home.folder, name)
    [rows] = yield from collect(knowledge.run(rows_of, run.folder))
    if not rows.held_out:
        raise InputError(
            f"{name} held no rows out, so there is nothing to measure a curve on: it takes 6 rows or more."
        )
    yield from _Measured(home, run, rows, knowledge, engine).follow()


class _Measured:
    """A curve being measured."""

    def __init__(self, home: Project, run: RunInfo, rows: RunRows, knowledge: Worker, engine: Worker) -> None:
        self.run, self.rows, self.folder = run, rows, run.folder / FOLDER
        self.engine, self.index = engine, index_mark(home.folder)
        self.model = run.model if run.model is not None and run.model.is_file() else chat_model(home)
        asked, self.prompt = rows.held_out, home.info.system_prompt
        self.plain = plain_lines(self.model, rows.train, asked, rows.context, self.prompt, bool(self.index))
        lanes = tuple(line.lane for line in self.plain)
        self.finder = SharedSearch(knowledge, home.folder, lanes, tuple(row.question for row in asked))
        kept = (line for line in records.read_lines(self.folder / ANSWERS) if isinstance(line, dict))
        self.kept = {str(line.get("key")): bool(line.get("right")) for line in kept}
        self.right: dict[str, list[bool]] = {}
        self.lines: list[tuple[Line, float | None, float]] = []
        self.spent: list[float] = []

    def follow(self) -> Stage:
        """The run itself first, for everything is held against it; what must be trained last."""
        count = len(self.rows.train)
        assert self.run.adapter is not None
        yield from self._take(tuned_line(self.model, self.run.adapter, 1.0, count, self.rows.held_out), self.run)
        for line in self.plain:
            yield from self._take(line, None)
        for share in SHARES:
            trained = yield from self._train(share)
            assert trained.adapter is not None
            line = tuned_line(self.model, trained.adapter, share, row_count(count, share), self.rows.held_out)
            yield from self._take(line, trained)

    def _take(self, line: Line, trained: RunInfo | None) -> Stage:
        """Answer every held-out row, keep what came of it, and say what is known now."""
        right = []
        for number, row in enumerate(self.rows.held_out):
            key = line.key(row, self.index)
            if key not in self.kept:
                yield self._progress(line, number)
                began = time.monotonic()
                answer = yield from self._ask(line, number)
                self.spent.append(time.monotonic() - began)
                self.kept[key] = all(check.passed for check in run_checks(case_of(number, row), answer))
                told = {"key": key, "line": line.name, "row": number, "right": self.kept[key], "text": answer.text}
                records.append_line(self.folder / ANSWERS, told)
            right.append(self.kept[key])
        self.right[line.name] = right
        loss = trained.effects.get("held_out", {}).get("after") if trained is not None else None
        self.lines.append((line, loss, trained.seconds if trained is not None else 0.0))
        found = self._curve()
        records.write_json(self.folder / CURVE, found)
        yield Result(found)

    def _ask(self, line: Line, number: int) -> Generator[Event, None, Answer]:
        row, progress = self.rows.held_out[number], functools.partial(self._progress, line, number)
        answer = yield from await_answer(row.question, line.of_row(row), self.finder, self.engine, progress)
        if answer.stopped == "failed":
            raise WorkbenchError(f"{line.name} could not be asked; the answers so far are kept. {answer.error}")
        return answer

    def _progress(self, line: Line, number: int) -> Progress:
        lines, each = len(self.plain) + 1 + len(SHARES), len(self.rows.held_out)
        done = len(self.lines) * each + number
        pace = sum(self.spent) / len(self.spent) if self.spent else None
        left = pace * (lines * each - done) + self._training_left() if pace is not None else None
        note = f"{line.name}: held-out row {number + 1} of {each}"
        return Progress(done, lines * each, note, "answers", 60 / pace if pace else None, "answers/min", left)

    def _training_left(self) -> float:
        done = {line.share for line, _, _ in self.lines}
        epochs = float(self.run.recipe.get("epochs") or 1.0)
        return sum(steps_share(epochs, share) * self.run.seconds for share in SHARES if share not in done)

    def _train(self, share: float) -> Generator[Event, None, RunInfo]:
        """The run's own recipe on a share of its rows, for as many steps as far as `passes_of` allows."""
        recipe = read_recipe(self.run.folder / "recipe.json")
        part = str(round(100 * share))
        smaller = replace(
            recipe,
            name=f"{recipe.name}-{part}",
            folder=self.folder / part,
            rows=share,
            epochs=passes_of(recipe.epochs, share),
            minutes=recipe.minutes * steps_share(recipe.epochs, share),
            sample_rows=0,
        )
        with contextlib.suppress(OSError, ValueError, TypeError):  # done or begun with other settings: not a person's
            if recipe_key(read_recipe(smaller.folder / "recipe.json")) != recipe_key(smaller):
                shutil.rmtree(smaller.folder)
        found: Any = None
        stage = tune(smaller)
        try:
            for event in stage:
                if isinstance(event, Result):
                    found = event.value
                elif isinstance(event, Progress):
                    yield replace(event, note=f"on {part} % of the rows: {event.note}")
                elif not isinstance(event, Step):
                    yield event
        finally:
            stage.close()
        if found is None or found.adapter is None:
            raise WorkbenchError(f"Training on {part} % of the rows did not end: start the curve again to go on.")
        trained: RunInfo = found
        return trained

    def _curve(self) -> Curve:
        base = self.right["tuned-100"]
        lines = []
        for line, loss, seconds in self.lines:
            ours = self.right[line.name]
            effect = paired_effect("the run", "tuned-100", line.name, base, ours) if line.share != 1 else None
            lines.append(
                CurveLine(line.name, line.share, line.rows, rate_of(sum(ours), len(ours)), effect, loss, seconds)
            )
        return Curve(
            name=self.run.name,
            held_out=len(self.rows.held_out),
            lines=tuple(lines),
            complete=len(lines) == len(self.plain) + 1 + len(SHARES),
            created=time.strftime("%Y-%m-%dT%H:%M:%S"),
            left_out=tuple(self._left_out()),
            model=str(self.model),
            system=self.run.system or self.prompt,
            examples=next((line.lane.examples for line in self.plain if line.name == "few-shot"), ()),
        )

    def _left_out(self) -> Generator[str, None, None]:
        names = {line.name for line in self.plain}
        if "few-shot" not in names:
            yield "No training row fits into a prompt beside a question, so there are no examples in the prompt."
        if "rag" not in names:
            own = any(row.grounded for row in self.rows.held_out)
            yield "The rows bring their own passages." if own else "No documents are indexed, so none are searched."
