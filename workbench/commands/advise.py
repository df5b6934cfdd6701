"""`workbench advise`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from workbench import records
from workbench.advice.cost import set_assumptions
from workbench.commands import console
from workbench.commands.ask import choose_lanes
from workbench.commands.console import json_option, project_option
from workbench.commands.evaluate import run_evaluation
from workbench.evaluation.records import Evaluation, Suite
from workbench.lanes.lane import Lane
from workbench.project import Project, open_project


def latest_evaluation(project: Project, suite: Suite, lanes: tuple[Lane, ...]) -> Evaluation | None:
    """The newest finished evaluation of this very suite that holds all these lanes, None when there is none."""
    from workbench.evaluation.evaluate import list_evaluations

    wanted = {lane.name for lane in lanes}
    fitting = [
        each for each in list_evaluations(project.folder) if each.suite_hash == suite.hash and wanted <= set(each.lanes)
    ]
    return fitting[-1] if fitting else None


def _pairs(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Options of the form KEY=VALUE."""
    pairs = [value.partition("=") for value in values]
    wrong = [key for key, between, value in pairs if not between or not value]
    if wrong:
        raise click.BadParameter(f"“{wrong[0]}” is not of the form KEY=VALUE.")
    return {key: value for key, _, value in pairs}


def _price_pairs(context: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    try:
        return {key: float(value) for key, value in _pairs(context, option, values).items()}
    except ValueError as error:
        raise click.BadParameter(f"a number is wanted ({error}).") from error


@click.command()
@click.argument("suite_path", metavar="SUITE", type=click.Path(path_type=Path))
@click.option("--lane", "names", multiple=True, metavar="NAME", help="Lanes to decide between; default: all there are.")
@click.option(
    "--answer",
    "answers",
    multiple=True,
    callback=_pairs,
    metavar="KEY=OPTION",
    help="Answer a question of the questionnaire: change, citations, task, latency or examples.",
)
@click.option("--questions-a-month", type=click.FloatRange(0), default=1000.0, help="For the costs.")
@click.option("--price", "prices", multiple=True, callback=_price_pairs, metavar="KEY=AMOUNT", help="A price of yours.")
@click.option(
    "--assume",
    "assumed",
    multiple=True,
    callback=_price_pairs,
    metavar="KEY=NUMBER",
    help="What the costs rest on: machine_hour, person_hour, minutes_per_mistake, hours_of_prompting, "
    "hours_of_examples, retrainings_a_year or reindexings_a_year.",
)
@project_option
@json_option
def advise(
    suite_path: Path,
    names: tuple[str, ...],
    answers: dict[str, str],
    questions_a_month: float,
    prices: dict[str, float],
    assumed: dict[str, float],
    project_folder: str | None,
    as_json: bool,
) -> None:
    """Say what to use, from measured results; what is missing is run first."""
    from workbench.advice.further import further_advice
    from workbench.advice.verdict import decide
    from workbench.evaluation.suite import read_suite

    suite = read_suite(suite_path)
    project = open_project(project_folder)
    lanes = choose_lanes(project, names)
    evaluation = latest_evaluation(project, suite, lanes)
    if evaluation is None:
        with console.Workers() as workers:
            name = f"advise-{suite.name}-{time.strftime('%Y%m%d')}"
            evaluation = run_evaluation(suite, lanes, project, workers, name)
    verdict = decide(evaluation, suite)
    given = set_assumptions({**assumed, "questions_a_month": questions_a_month})
    more = further_advice(evaluation, suite, verdict, project, answers, given, prices)
    if as_json:
        console.print_json({**records.to_plain(verdict), **more})
    else:
        say_verdict(verdict)
        say_beside(more)


def say_beside(more: Mapping[str, Any]) -> None:
    """The questionnaire and the costs, for people."""
    beside = more["questionnaire"]
    click.echo(f"\nBy questionnaire: {beside.sentence}")
    for line in (*beside.measured.values(), *beside.notes):
        click.echo(f"  • {line}")
    for line in more["break_even"]:
        click.echo(f"  • {line}")


def say_verdict(verdict: Any) -> None:
    """A verdict for people."""
    click.echo(f"\n{verdict.headline}\n{verdict.firmness}\n{verdict.scope}\n")
    for reason in verdict.reasons:
        click.echo(f"  • {reason}")
    for change in verdict.would_change:
        click.echo(f"  ↻ {change}")
