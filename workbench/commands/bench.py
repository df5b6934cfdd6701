"""`workbench bench NAME`."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path

import click

from workbench import records
from workbench.commands import console
from workbench.commands.console import json_option, project_option
from workbench.errors import InputError
from workbench.project import open_project


def names() -> list[str]:
    """The benchmarks there are: the modules of `workbench.bench`."""
    import workbench.bench

    found = (each.name for each in pkgutil.iter_modules(workbench.bench.__path__))
    return sorted(name for name in found if not name.startswith("_"))


@click.command()
@click.argument("name", required=False)
@click.option(
    "--count",
    type=click.IntRange(min=1),
    help="How many questions, for `soak`, `evaluate` and `resume`; rounds of `stops`.",
)
@click.option("--stops", type=click.IntRange(min=1), help="How often the run of `resume` is stopped.")
@click.option("--picture", type=click.Path(path_type=Path, dir_okay=False), help="Draw the figures as an SVG there.")
@project_option
@json_option
def bench(
    name: str | None,
    count: int | None,
    stops: int | None,
    picture: Path | None,
    project_folder: str | None,
    as_json: bool,
) -> None:
    """Run benchmark NAME: each figure beside its yardstick, measured in the same run. Without NAME they are listed."""
    if name is None:
        click.echo("Benchmarks: " + ", ".join(names()))
        return
    if name not in names():
        raise InputError(f"There is no benchmark named {name}: choose one of {', '.join(names())}.")
    from workbench.lanes.presets import chat_model

    module = importlib.import_module(f"workbench.bench.{name}")
    chosen = {option: given for option, given in (("count", count), ("stops", stops)) if given is not None}
    for option in chosen:
        if option not in inspect.signature(module.run).parameters:
            raise InputError(f"The benchmark {name} takes no --{option}: leave it out.")
    project = open_project(project_folder)
    with console.Workers() as workers:  # what is measured is what a person has from the second answer on
        console.settle(workers, (chat_model(project),))
    figures = console.last(module.run(project.folder, **chosen), f"bench {name}")
    if picture is not None:
        from workbench.bench._picture import draw

        records.write_text(picture, draw(f"workbench bench {name}", figures))
    if as_json:
        console.print_json({"figures": figures})
        return
    click.echo(f"{'figure':44} {'ours':>12} {'yardstick':>12} {'ratio':>7}  unit")
    for each in figures:
        click.echo(f"{each.name:44} {each.ours:12,.2f} {each.yardstick:12,.2f} {each.ratio:7.2f}  {each.unit}")
        if each.note:
            click.echo(f"    {each.note}")
