"""`workbench sources`, `workbench drill`, `workbench judge` and `workbench mark`: what is asked beside the suite."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from workbench.commands import console
from workbench.commands.ask import adjusted, choose_lanes
from workbench.commands.console import json_option, project_option
from workbench.errors import InputError
from workbench.evaluation.records import Evaluation
from workbench.lanes.lane import Lane
from workbench.project import Project, open_project

lane_option = click.option("--lane", "names", multiple=True, metavar="NAME", help="A lane; default: all there are.")


@click.command()
@click.argument("suite_path", metavar="SUITE", type=click.Path(path_type=Path))
@lane_option
@click.option("--most", type=click.IntRange(1, 500), default=30, show_default=True, help="How many facts at most.")
@click.option("--max-tokens", type=click.IntRange(1, 8192), help="The longest answer, in tokens.")
@project_option
@json_option
def sources(
    suite_path: Path,
    names: tuple[str, ...],
    most: int,
    max_tokens: int | None,
    project_folder: str | None,
    as_json: bool,
) -> None:
    """Change a fact in the passages: who follows the document, and who the weights?"""
    from workbench.advice.trial_words import sources_sentence
    from workbench.evaluation.knowledge import SAYS, tell_sources
    from workbench.evaluation.suite import read_suite
    from workbench.evaluation.trials import keep_test

    suite, project = read_suite(suite_path), open_project(project_folder)
    lanes = adjusted(choose_lanes(project, names), max_tokens)
    with console.Workers() as workers:
        stage = tell_sources(suite, lanes, project.folder, workers.engine, most)
        found = console.last(keep_test(stage, project.folder, lanes, suite), "Asking")
    if as_json:
        console.print_json(found)
        return
    click.echo(f"{'lane':26}" + "".join(f"{says:>12}" for says in SAYS))
    for lane, counts in found.lanes.items():
        click.echo(f"{lane:26}" + "".join(f"{counts[says]:>12}" for says in SAYS))
    click.echo(sources_sentence(found, _readers(lanes)))


@click.command()
@click.argument("question")
@click.option("--expect", "expected", multiple=True, required=True, metavar="TEXT", help="The new answer.")
@click.option("--file", metavar="FILE", help="With --replace: the document to edit, in a copy of your folder.")
@click.option("--replace", nargs=2, metavar="OLD NEW", help="Edit FILE so; your own document is left alone.")
@lane_option
@click.option("--max-tokens", type=click.IntRange(1, 8192), help="The longest answer, in tokens.")
@project_option
@json_option
def drill(
    question: str,
    expected: tuple[str, ...],
    file: str | None,
    replace: tuple[str, str] | None,
    names: tuple[str, ...],
    max_tokens: int | None,
    project_folder: str | None,
    as_json: bool,
) -> None:
    """Edit one document, press go: seconds until each lane answers QUESTION right.

    Edit it yourself and run this, or name --file and --replace to have it tried on a copy.
    """
    from workbench.advice.facts import read_facts
    from workbench.advice.trial_words import drill_sentence
    from workbench.evaluation import drill as drills
    from workbench.evaluation.trials import keep_test
    from workbench.report.views import duration

    if bool(file) != bool(replace):
        raise InputError("--file and --replace go together: name the document, then the old and the new words.")
    project = open_project(project_folder)
    lanes = adjusted(choose_lanes(project, names), max_tokens)
    seconds = read_facts(project).train_seconds
    with console.Workers() as workers:
        asked, children = (question, expected, lanes), (workers.knowledge, workers.engine, seconds)
        if file and replace:
            stage = drills.drill_copy(*asked, project, drills.Edit(file, *replace), *children)
        else:
            stage = drills.drill(*asked, project.folder, *children)
        found = console.last(keep_test(stage, project.folder, lanes), "Drill")
    if as_json:
        console.print_json(found)
        return
    click.echo(f"{', '.join(found.changed) or 'No document'} changed; indexed in {found.index_seconds:.1f} s.")
    for lane in found.lanes:
        click.echo(f"{lane.lane:26}{_drill_words(lane)}")
    click.echo(drill_sentence(found, _readers(lanes), duration))


def _readers(lanes: Iterable[Lane]) -> list[str]:
    """The lanes that are shown documents."""
    return [lane.name for lane in lanes if lane.context != "none"]


def _drill_words(lane: Any) -> str:
    if lane.right:
        return f"right after {lane.seconds:.1f} s"
    if lane.retrain_seconds:
        return f"still wrong; training it took {lane.retrain_seconds / 60:.1f} min, and would again"
    return "still wrong"


@click.command()
@click.argument("run")
@click.option("--model", metavar="NAME", help="The chat model that judges; default: the project's.")
@lane_option
@project_option
@json_option
def judge(run: str, model: str | None, names: tuple[str, ...], project_folder: str | None, as_json: bool) -> None:
    """Have a model mark the answers of RUN, beside your own marks."""
    from workbench.catalog.models import find_model
    from workbench.evaluation.judge import judge as judge_stage
    from workbench.lanes.presets import chat_model

    project = open_project(project_folder)
    evaluation = _run(project, run)
    path = find_model(model) if model else chat_model(project)
    with console.Workers() as workers:
        stage = judge_stage(evaluation, _suite(project, evaluation), path, workers.engine, names)
        report = console.last(stage, "Judging")
    if as_json:
        console.print_json({**_plain(report), "sentence": report.sentence, "marks_sentence": report.marks_sentence})
        return
    click.echo(report.sentence)
    click.echo(report.marks_sentence)
    click.echo(f"{'lane':26}{'held right':>14}{'no verdict':>14}{'as you marked':>16}")
    for lane, rate in report.lanes.items():
        told = (rate, report.failed_lanes.get(lane), report.marked_lanes.get(lane))
        shown = (f"{each.passed} of {each.total}" if each is not None else "-" for each in told)
        click.echo(f"{lane:26}" + "".join(f"{each:>{width}}" for each, width in zip(shown, (14, 14, 16), strict=True)))


@click.command()
@click.argument("run")
@click.argument("case")
@click.argument("lane")
@click.argument("opinion", type=click.Choice(["right", "wrong", "none"]))
@project_option
def mark(run: str, case: str, lane: str, opinion: str, project_folder: str | None) -> None:
    """Keep your own opinion of an answer of RUN: what a judging model is held against; "none" takes it back."""
    from workbench.evaluation.judge import mark as keep_mark
    from workbench.evaluation.judge import read_marks

    evaluation = _run(open_project(project_folder), run)
    keep_mark(evaluation, case, lane, {"right": True, "wrong": False, "none": None}[opinion])
    click.echo(f"{len(read_marks(evaluation.folder))} answers of {run} are marked.")


def _run(project: Project, name: str) -> Evaluation:
    """A finished run by its name. Raises InputError that names those there are."""
    from workbench.evaluation.results import list_evaluations

    found = {each.name: each for each in list_evaluations(project.folder)}
    if name not in found:
        raise InputError(f"There is no finished run “{name}”: there are {', '.join(found) or 'none yet'}.")
    return found[name]


def _suite(project: Project, evaluation: Evaluation) -> Any:
    from workbench.evaluation.versions import suite_of_hash

    found = suite_of_hash(project.folder, evaluation.suite_hash)
    if found is None:
        raise InputError(f"The suite of “{evaluation.name}” was not kept: evaluate it again, then judge that run.")
    return found


def _plain(record: Any) -> dict[str, Any]:
    from workbench import records

    plain: dict[str, Any] = records.to_plain(record)
    return plain
