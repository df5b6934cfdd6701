"""What the fine-tunes of an evaluation did beside their task: the loss on general text, refusals, and length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.tuning.recipe import RunInfo

LEFT_OUT = ("answers", "seconds")  # of what was measured: texts, which may quote training rows, and what it took


def side_effects(runs: Sequence[RunInfo]) -> dict[str, Any] | None:
    """What the template shows, a row a run; None where nothing was measured."""
    rows, notes = [], []
    for run in runs:
        general = run.effects.get("general")
        if not general:
            continue
        rows.append({"name": run.name, "cells": [_loss(general), _refused(general), _words(general), _same(general)]})
        if general["worse"]:
            notes.append(
                f"{run.name} forgot some of what the model could do; fewer passes or a lower learning rate help."
            )
        if general["another_manner"]:
            notes.append(
                f"{run.name} answers general questions in the manner of its rows; ordinary questions with their "
                "answers among the rows help."
            )
    return {"rows": rows, "notes": notes} if rows else None


def plain_side_effects(runs: Sequence[RunInfo]) -> dict[str, Any]:
    """The same for the JSON dossier, by run."""
    return {
        run.name: {key: value for key, value in run.effects["general"].items() if key not in LEFT_OUT}
        for run in runs
        if run.effects.get("general")
    }


Cell = dict[str, str]  # a figure, and how sure it is


def _loss(general: Mapping[str, Any]) -> Cell:
    within = _within(general["interval"], "+.2f")
    return {
        "figure": f"{general['before']:.2f} → {general['after']:.2f}",
        "sure": f"{100 * general['share']:+.1f} %{within}",
    }


def _refused(general: Mapping[str, Any]) -> Cell:
    count = general["questions"]
    before, after = (round(general[f"refused_{when}"] * count) for when in ("before", "after"))
    change = 100 * (general["refused_after"] - general["refused_before"])
    interval = general.get("refused_interval")  # runs of before it was measured have none
    within = _within([100 * each for each in interval] if interval else None, "+.0f")
    return {"figure": f"{before} → {after} of {count}", "sure": f"{change:+.0f} %{within}" if interval else ""}


def _words(general: Mapping[str, Any]) -> Cell:
    change, interval = general["words_after"] - general["words_before"], general.get("words_interval")
    return {
        "figure": f"{general['words_before']:.0f} → {general['words_after']:.0f}",
        "sure": f"{change:+.0f}{_within(interval, '+.0f')}" if interval else "",
    }


def _same(general: Mapping[str, Any]) -> Cell:
    return {"figure": f"{round(general['same'] * general['questions'])} of {general['questions']}", "sure": ""}


def _within(interval: Sequence[float] | None, form: str) -> str:
    return f" ({interval[0]:{form}} to {interval[1]:{form}})" if interval else ""
