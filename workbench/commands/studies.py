"""`workbench adapter scrub` and `workbench adapter curve`: what a fine-tune did, step by step and row by row."""

from __future__ import annotations

import click

from workbench import records
from workbench.commands import console
from workbench.commands.console import json_option, project_option
from workbench.errors import InputError
from workbench.evaluation.curve_records import CurveLine, example_lane
from workbench.evaluation.scrub import Scrub, ScrubPoint, scrub
from workbench.project import open_project


@click.command("scrub")
@click.argument("name")
@click.argument("question")
@click.option("--max-tokens", type=click.IntRange(1, 8192), default=256, show_default=True, help="The longest answer.")
@project_option
@json_option
def scrub_command(name: str, question: str, max_tokens: int, project_folder: str | None, as_json: bool) -> None:
    """Ask QUESTION of the fine-tune NAME as it was before training and at each state it kept on its way."""
    project, found = open_project(project_folder), None
    with console.Workers() as workers:
        stage = scrub(project.folder, name, question, workers.engine, max_tokens)
        for each in console.results(stage, "Asking"):
            found = each
            if isinstance(each, ScrubPoint) and not as_json:
                click.echo(f"\n── {_head(each)}\n{each.text}")
    if as_json and isinstance(found, Scrub):
        console.print_json(found)


@click.command("curve")
@click.argument("name")
@click.option("--keep-lane", metavar="LANE", help="Keep the rows that fit in a prompt as a lane of this name.")
@project_option
@json_option
def curve_command(name: str, keep_lane: str | None, project_folder: str | None, as_json: bool) -> None:
    """Train the fine-tune NAME again on 10 % and 30 % of its rows and hold them, a prompt and documents beside it.

    All of them answer the same held-out rows. What was measured is kept: the same command goes on after a stop.
    """
    from workbench.evaluation.curve import curve
    from workbench.evaluation.curve_cost import curve_cost
    from workbench.lanes.presets import own_lanes, standard_lanes
    from workbench.tuning.export import find_run

    project = open_project(project_folder)
    if keep_lane in standard_lanes(project):
        raise InputError(f"There is a standard lane called {keep_lane}: choose another name.")
    cost = curve_cost(find_run(project.folder, name))
    times = [console.duration(each) for each in (cost.seconds, cost.training, cost.answering)]
    console.say(f"This takes {times[0]}: {times[1]} of training, {times[2]} of answers.")
    with console.Workers() as workers:
        found = console.last(curve(project.folder, name, workers.knowledge, workers.engine), "Learning curve")
    if keep_lane and found.examples:
        others = [lane for key, lane in own_lanes(project).items() if key != keep_lane]
        kept = (*others, example_lane(found, keep_lane))
        project.change(lanes=tuple(records.to_plain(lane) for lane in kept))
    if as_json:
        console.print_json(found)
        return
    for line in sorted(found.lines, key=lambda line: line.share):
        click.echo(_line(line))
    console.say(
        "A row is right where the answer is the expected one: the same words, or the same value where it is JSON."
    )
    for sentence in found.left_out:
        console.say(sentence)


def _line(line: CurveLine) -> str:
    rows = f" ({line.rows} rows)" if line.rows else ""
    said = f"{line.name + rows:28} {line.right.passed} of {line.right.total} right"
    if line.loss is not None:
        said += f", held-out loss {line.loss:.3f}"
    if line.against_run is not None:
        effect = line.against_run
        low, high = (100 * each for each in effect.interval)
        said += f"; the run adds {100 * effect.difference:+.0f} points ({low:+.0f} to {high:+.0f})"
    return said


def _head(point: ScrubPoint) -> str:
    where = f"step {point.step}" if point.step else "before training"
    loss = f"  (held-out loss {point.loss:.3f})" if point.loss is not None else ""
    return f"{where}{', kept' if point.kept else ''}{loss}"
