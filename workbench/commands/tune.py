"""`workbench dataset check`, `workbench tune` and the child it starts, `workbench train`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench import records
from workbench.commands import console
from workbench.commands.console import json_option, project_option, say
from workbench.errors import BadDataset, InputError, MissingFile
from workbench.project import Project, open_project
from workbench.tuning.columns import Columns, parse_columns
from workbench.tuning.recipe import BACKENDS, Recipe, RunInfo

if TYPE_CHECKING:
    from workbench.tuning.dataset import DatasetReport


def _parse(context: click.Context, parameter: click.Parameter, value: str | None) -> Columns | None:
    return None if value is None else parse_columns(value)


columns_option = click.option(
    "--columns",
    metavar="ROLE=NAME,…",
    callback=_parse,
    help="Columns of your own names: question=NAME,answer=NAME, also system=NAME and context=NAME; of every FILE.",
)


def for_all(files: tuple[Path, ...], columns: Columns | None) -> tuple[Columns, ...]:
    """The same names for the columns of each file; none where the names are known."""
    return () if columns is None else (columns,) * len(files)


@click.group()
def dataset() -> None:
    """Training files: check one before it is used."""


@dataset.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@columns_option
@project_option
@json_option
def check_command(files: tuple[Path, ...], columns: Columns | None, project_folder: str | None, as_json: bool) -> None:
    """Read a training file and say what is wrong with it, by row."""
    from workbench.evaluation.suite import asked_questions
    from workbench.lanes.presets import chat_model
    from workbench.tuning.dataset import inspect

    _require(files)
    project = open_project(project_folder)
    model, suite = chat_model(project), asked_questions(project)
    with console.Workers() as workers:
        stage = workers.knowledge.run(inspect, files, model, suite, for_all(files, columns), project.folder)
        report = console.last(stage, "Checking")
    if as_json:
        console.print_json(report)
        return
    click.echo(f"{report.format}: {report.examples} examples, {report.trained_tokens:,} trained tokens.")
    named = ", ".join(f"{name} {tokens:,}" for name, tokens in report.lengths.items())
    click.echo(f"Tokens of a row: {named}.")
    for problem in report.problems:
        where = f"row {problem.row}" + (f", {problem.field}" if problem.field else "")
        click.echo(f"  {problem.severity:8} {where}: {problem.message}")
    for remark in report.remarks:
        click.echo(f"  {remark.severity:8} {remark.message}")


def _require(files: tuple[Path, ...]) -> None:
    for path in files:
        if not path.is_file():
            raise MissingFile(f"The training file {path} is not there: name a JSON, JSON-lines, CSV or Parquet file.")


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--name", help="The adapter's name; a stopped run of it goes on if all else is the same.")
@click.option("--resume", metavar="NAME", help="Go on with a stopped run by the recipe it has; without FILE.")
@click.option("--anew", is_flag=True, help="Give up what an unfinished run of this name has learnt, and begin anew.")
@click.option(
    "--preset",
    type=click.Choice(["quick", "balanced", "thorough"]),
    default="balanced",
    show_default=True,
    help="How long to train.",
)
@click.option(
    "--epochs", type=click.FloatRange(min=0, min_open=True), help="Passes over the rows, instead of the preset's."
)
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), help="Shorten training to about so many minutes."
)
@click.option("--seed", type=int, help="The seed of order and weights, instead of the preset's.")
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    help="What computes it; auto, the default, takes an NVIDIA card where there is one, with Unsloth if installed.",
)
@click.option(
    "--set",
    "settings",
    metavar="FIELD=VALUE",
    multiple=True,
    help="Any setting of the recipe, such as rank=32, layers=all, learning_rate=3e-4; may be given several times.",
)
@columns_option
@click.option("--dry-run", "dry", is_flag=True, help="Train nothing: measure what each preset takes here.")
@click.option("--fit", is_flag=True, help="Change the recipe where it takes more memory than is free.")
@project_option
@json_option
def tune(
    files: tuple[Path, ...],
    name: str | None,
    resume: str | None,
    anew: bool,
    preset: str,
    epochs: float | None,
    minutes: float | None,
    seed: int | None,
    backend: str | None,
    settings: tuple[str, ...],
    columns: Columns | None,
    dry: bool,
    fit: bool,
    project_folder: str | None,
    as_json: bool,
) -> None:
    """Fine-tune an adapter on the rows of FILE; several files are trained together."""
    from workbench.commands import dry_run

    changes = {"epochs": epochs, "minutes": minutes, "seed": seed, "backend": backend}
    given: dict[str, Any] = {key: value for key, value in changes.items() if value is not None}
    if columns is not None:
        given["columns"] = for_all(files, columns)
    project = open_project(project_folder)
    for text in settings:
        given |= _setting(text, project)
    if resume is not None:
        if files or name or given or anew or dry or fit:
            raise InputError("--resume goes on with a run by its own recipe: give it nothing else.")
        _show(resume_run(project, resume), as_json)
        return
    if not files:
        raise InputError("Name a training file to learn from, or --resume NAME to go on with a stopped run.")
    if dry:
        recipe, report = make_recipe(project, files, name or "dry-run", preset, **given)
        dry_run.show(recipe, report, preset, given, as_json)
        return
    if not name:
        raise InputError("The adapter needs a name: add --name, or --dry-run to only measure what training takes.")
    _show(run_tune(project, files, name, preset, fit=fit, anew=anew, **given), as_json)


def _setting(text: str, project: Project) -> dict[str, Any]:
    from workbench.lanes.presets import chat_model
    from workbench.tuning.base import read_base
    from workbench.tuning.fields import parse_setting

    return parse_setting(text, lambda: read_base(chat_model(project)).layers)


def _show(run: RunInfo, as_json: bool) -> None:
    from workbench.tuning.effects import describe

    if as_json:
        console.print_json(tune_json(run))
        return
    say(run.outcome)
    for sentence in describe(run.effects):
        say(sentence)


def resume_run(project: Project, name: str) -> RunInfo:
    """Go on with a run that was stopped or killed, by its own recipe. Raises InputError where there is none."""
    from workbench.tuning.tune import resume

    folder = project.adapters_folder / name
    if not (folder / "recipe.json").is_file() or folder.parent != project.adapters_folder:
        raise InputError(f"There is no fine-tune called {name} in this project to go on with.")
    run: RunInfo = console.last(resume(folder), "Tuning")
    return run


def run_tune(
    project: Project,
    files: tuple[Path, ...],
    name: str,
    preset: str = "balanced",
    fit: bool = False,
    anew: bool = False,
    **changes: Any,
) -> RunInfo:
    """Fine-tune with a preset recipe; going on where a stopped run of the same name and recipe stopped, or `anew`.

    With `fit` the recipe is changed where it takes more memory than is free, as a dry run measures it.
    """
    from workbench.commands import dry_run
    from workbench.tuning.recipe import explain_recipe
    from workbench.tuning.tune import tune as tune_stage

    recipe, report = make_recipe(project, files, name, preset, **changes)
    if fit:
        recipe = dry_run.fitted(recipe, report)
    for reason in explain_recipe(recipe, report):
        say(reason)
    run: RunInfo = console.last(tune_stage(recipe, anew), "Tuning")
    return run


def make_recipe(
    project: Project, files: tuple[Path, ...], name: str, preset: str, **changes: Any
) -> tuple[Recipe, DatasetReport]:
    """Read the rows, and a preset's recipe for them with some changes."""
    from workbench.evaluation.suite import asked_questions
    from workbench.lanes.presets import chat_model
    from workbench.tuning.dataset import inspect
    from workbench.tuning.fields import within_context
    from workbench.tuning.recipe import choose_recipe

    _require(files)
    if not name.replace("-", "").replace("_", "").isalnum():
        raise InputError(f"The name {name!r} cannot be a folder's: use letters, digits, - and _.")
    model = chat_model(project)
    files = tuple(path.resolve() for path in files)
    with console.Workers() as workers:
        asked, named = asked_questions(project), changes.get("columns", ())
        stage = workers.knowledge.run(inspect, files, model, asked, named, project.folder)
        report = console.last(stage, "Checking")
    say_problems(report)
    if not report.examples:
        raise BadDataset("No row of the training file can be used: `workbench dataset check` names what is wrong.")
    recipe, _ = choose_recipe(preset, name, model, files, project.adapters_folder / name, report)
    recipe, why = within_context(dataclasses.replace(recipe, **changes))
    if why:
        say(why)
    return recipe, report


def say_problems(report: Any, most: int = 5) -> None:
    """What is wrong with a dataset, the first few rows by number."""
    say(f"{report.format}: {report.examples} examples, {report.trained_tokens:,} trained tokens.")
    for problem in report.problems[:most]:
        say(f"  row {problem.row}: {problem.message}")
    if len(report.problems) > most:
        say(f"  and {len(report.problems) - most} more: `workbench dataset check` lists them.")
    for remark in report.remarks:
        say(f"  {remark.message}")


def tune_json(run: RunInfo) -> dict[str, Any]:
    """A finished run as the contract has it."""
    return {
        "adapter": records.to_plain(run.adapter),
        "name": run.name,
        "state": run.state,
        "backend": run.backend,
        "examples": run.examples,
        "steps": run.step,
        "seconds": run.seconds,
        "tokens_per_second": run.tokens_per_second,
        "train_loss": records.to_plain(run.train_loss),
        "eval_loss": records.to_plain(run.eval_loss),
        "parity": run.parity,
        "effects": run.effects,
    }


@click.command(hidden=True)
@click.argument("recipe", type=click.Path(path_type=Path))
def train(recipe: Path) -> int:
    """The child of a fine-tune: follow RECIPE and append to events.jsonl beside it."""
    from workbench.tuning.train import main

    return main(recipe)
