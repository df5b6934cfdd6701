"""`workbench adapter`: export and import one, and see what it did."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.commands import console
from workbench.commands.console import json_option, project_option, say
from workbench.commands.studies import curve_command, scrub_command
from workbench.commands.tune import tune_json
from workbench.project import open_project


@click.group()
def adapter() -> None:
    """Adapters: take one elsewhere, bring one in, or see what one did."""


adapter.add_command(scrub_command)
adapter.add_command(curve_command)


@adapter.command("export")
@click.argument("name")
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--as",
    "kind",
    type=click.Choice(["gguf", "peft", "merged"]),
    default="gguf",
    show_default=True,
    help="The adapter for llama.cpp, the folder for transformers, or a whole model with the adapter added in.",
)
@click.option(
    "--scale", type=float, default=1.0, show_default=True, help="How strongly a merged adapter is added, 0 to 1.5."
)
@click.option("--force", is_flag=True, help="Replace what is there.")
@project_option
@json_option
def export_command(
    name: str, target: Path, kind: str, scale: float, force: bool, project_folder: str | None, as_json: bool
) -> None:
    """Write the adapter NAME to TARGET, a file, or a folder with --as peft."""
    from workbench.lanes.presets import chat_model
    from workbench.tuning.export import export

    project = open_project(project_folder)
    model = chat_model(project) if kind == "merged" else None
    arguments = (project.folder, name, target.absolute(), kind, scale, force, model)
    with console.Workers() as workers:
        written = console.last(workers.knowledge.run(export, *arguments), "Exporting")
    if as_json:
        console.print_json(written)
    else:
        say(f"{written.path} is written ({written.size / 1e6:.1f} MB).")


@adapter.command("import")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What the adapter is to be called here.")
@project_option
@json_option
def import_command(source: Path, name: str, project_folder: str | None, as_json: bool) -> None:
    """Take a LoRA adapter made elsewhere: a PEFT folder or a GGUF file, for the project's chat model."""
    from workbench.lanes.presets import chat_model
    from workbench.tuning.importing import import_adapter

    project = open_project(project_folder)
    arguments = (source.absolute(), name, chat_model(project), project.folder)
    with console.Workers() as workers:
        run = console.last(workers.knowledge.run(import_adapter, *arguments), "Importing")
    if as_json:
        console.print_json(tune_json(run))
    else:
        say(f"{run.outcome} Its lane is tuned:{run.name}.")
