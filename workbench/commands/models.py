"""`workbench models` and `workbench doctor`."""

from __future__ import annotations

from pathlib import Path

import click

from workbench.commands import console
from workbench.commands.console import json_option, project_option, say


@click.group()
def models() -> None:
    """The chat, embedding and reranking models: list, fetch, import, remove."""


def _print_models(as_json: bool) -> None:
    from workbench.catalog.models import list_models

    found = list_models()
    if as_json:
        console.print_json({"models": found})
        return
    for model in found:
        state = "here" if model.path else f"{model.size / 1e6:,.0f} MB to fetch"
        fits = "" if model.fits else "  (more than this machine's free memory)"
        click.echo(f"{model.name:28} {model.kind:10} {model.license:14} {state}{fits}  {model.title}")


@models.command("list")
@project_option
@json_option
def list_command(project_folder: str | None, as_json: bool) -> None:
    """Show what is here and what can be fetched."""
    _print_models(as_json)


@models.command("fetch")
@click.argument("name")
@project_option
@json_option
def fetch_command(name: str, project_folder: str | None, as_json: bool) -> None:
    """Download NAME from its hub: the one command that uses the network. It resumes, and verifies the hash."""
    from workbench.catalog.fetch import fetch

    model = console.last(fetch(name), f"Fetching {name}")
    if not as_json:
        say(f"{model.name} is here: {model.path}")
    _after(as_json)


@models.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@project_option
@json_option
def import_command(path: Path, project_folder: str | None, as_json: bool) -> None:
    """Take in a GGUF file of your own, or a folder with an embedder or a reranker, after a look at it."""
    from workbench.catalog.models import import_model

    model = import_model(path)
    if not as_json:
        say(f"{model.name} is here: {model.path}")
    _after(as_json)


@models.command("remove")
@click.argument("name")
@project_option
@json_option
def remove_command(name: str, project_folder: str | None, as_json: bool) -> None:
    """Delete a fetched or imported model."""
    from workbench.catalog.models import remove_model

    remove_model(name)
    if not as_json:
        say(f"{name} is removed.")
    _after(as_json)


def _after(as_json: bool) -> None:
    if as_json:
        _print_models(True)


@click.command()
@project_option
@json_option
def doctor(project_folder: str | None, as_json: bool) -> None:
    """Say what this machine can do, what is missing, and how to mend it."""
    from workbench.catalog.doctor import examine

    checks = console.last(examine(Path(project_folder) if project_folder else None), "doctor")
    if as_json:
        console.print_json({"checks": checks})
        return
    marks = {"ok": "ok  ", "warn": "note", "bad": "BAD "}
    for each in checks:
        click.echo(f"{marks.get(each.state, each.state)}  {each.name}: {each.finding}")
        if each.mend:
            click.echo(f"      {each.mend}")
