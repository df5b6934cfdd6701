"""`workbench bases`: the knowledge bases of a project."""

from __future__ import annotations

from typing import Any

import click

from workbench.bases import MAIN, Base, base_names, delete_base, find_base, index_size, rename_base
from workbench.commands import console
from workbench.commands.console import json_option, project_option, say
from workbench.errors import BadProject
from workbench.index.files import embedder_of
from workbench.index.keywords import Keywords
from workbench.project import Project, open_project


@click.group()
def bases() -> None:
    """The knowledge bases of a project: list, rename, delete. `index FOLDER --base NAME` makes one."""


@bases.command("list")
@project_option
@json_option
def list_command(project_folder: str | None, as_json: bool) -> None:
    """Show each with its folders, files, passages, the space its index takes and its embedder."""
    _print_bases(open_project(project_folder), as_json)


@bases.command("rename")
@click.argument("name")
@click.argument("new_name")
@project_option
@json_option
def rename_command(name: str, new_name: str, project_folder: str | None, as_json: bool) -> None:
    """Give NAME another name; lanes of your own that read it follow."""
    project = open_project(project_folder)
    made = rename_base(project, name, new_name)
    say(f"“{name}” is now called “{made.base_name}”.")
    if as_json:
        _print_bases(project, True)


@bases.command("delete")
@click.argument("name")
@project_option
@json_option
def delete_command(name: str, project_folder: str | None, as_json: bool) -> None:
    """Delete the index of NAME; your documents stay where they are."""
    project = open_project(project_folder)
    delete_base(project, name)
    say(f"The knowledge base “{name}” is deleted. Your documents are untouched.")
    if as_json:
        _print_bases(project, True)


def _print_bases(project: Project, as_json: bool) -> None:
    found = [_facts(project, name) for name in ("", *base_names(project))]
    if as_json:
        console.print_json({"bases": found})
        return
    for each in found:
        what = each["problem"] or f"{each['files']:,} files, {each['chunks']:,} passages"
        where = ", ".join(str(folder) for folder in each["folders"]) or "no folder"
        click.echo(f"{each['name'] or MAIN:28} {what}, {each['bytes'] / 1e6:,.1f} MB, {each['embedder']}  {where}")


def _facts(project: Project, name: str) -> dict[str, Any]:
    """A base as the list has it; the name "" is the project's own, as lanes call it."""
    found = {"name": name, "folders": (), "files": 0, "chunks": 0, "bytes": 0, "embedder": "", "problem": ""}
    try:
        base = find_base(project, name)
        files, chunks = _counts(base)
    except BadProject as error:
        return {**found, "problem": str(error)}
    size, embedder = index_size(base), embedder_of(base)
    return {
        **found, "folders": base.info.folders, "files": files, "chunks": chunks, "bytes": size, "embedder": embedder
    }  # fmt: skip


def _counts(base: Base) -> tuple[int, int]:
    """Indexed files and their passages."""
    try:
        with Keywords(base.index_folder) as keywords:
            return keywords.count()
    except FileNotFoundError:
        return 0, 0
