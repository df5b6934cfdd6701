"""`workbench suite`: bring questions over from elsewhere, draft them from the documents, and see their versions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workbench.commands import console
from workbench.commands.console import base_option, json_option, project_option, say
from workbench.errors import InputError
from workbench.project import open_project

if TYPE_CHECKING:
    from workbench.evaluation.draft import Draft


@click.group()
def suite() -> None:
    """Import, draft and compare suites of questions."""


@suite.command("import")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--to", "target", type=click.Path(path_type=Path), metavar="SUITE", help="Default: in the project.")
@project_option
@json_option
def import_command(source: Path, target: Path | None, project_folder: str | None, as_json: bool) -> None:
    """Make a suite of FILE: a CSV or TSV table, JSON-lines, or promptfoo's YAML."""
    from workbench.evaluation.importing import import_suite

    target = target or open_project(project_folder).suites_folder / f"{source.stem}.yaml"
    if target.exists():
        raise InputError(f"There is a suite at {target} already: choose another place with --to.")
    made, notes = import_suite(source, target)
    for note in notes:
        say(f"Note: {note}")
    if as_json:
        console.print_json({"suite": target, "cases": len(made.cases), "notes": notes})
    else:
        click.echo(f"{len(made.cases)} questions are in {target}.")


@suite.command("draft")
@click.option("--count", type=click.IntRange(1, 500), default=20, show_default=True, help="How many questions.")
@click.option("--name", default="drafts", show_default=True, help="Where they are kept until you decide.")
@click.option("--seed", type=int, default=7, show_default=True)
@base_option
@project_option
@json_option
def draft_command(count: int, name: str, seed: int, base_name: str, project_folder: str | None, as_json: bool) -> None:
    """Have the model word questions on the indexed documents, for you to accept or reject."""
    from workbench.bases import find_base, name_of
    from workbench.evaluation.draft import Draft, draft, drafts_file, read_drafts, write_drafts
    from workbench.lanes.presets import find_lane

    project = open_project(project_folder)
    known = read_drafts(project.folder, name)
    base = name_of(find_base(project, base_name).folder)
    found: list[Draft] = []
    with console.Workers() as workers:
        stage = draft(project.folder, find_lane(project, "base"), workers.engine, count, seed, known, base)
        for each in console.results(stage, "Drafting"):
            if isinstance(each, Draft):  # kept as they come, so that stopping loses none
                found.append(each)
                write_drafts(project.folder, name, (each,))
    path = drafts_file(project.folder, name)
    if as_json:
        console.print_json({"drafts": found, "file": path})
        return
    for each in found:
        click.echo(f"{each.id}  {each.question}\n          {each.answer}   ({each.file} {each.location})")
    click.echo(f"\n{len(found)} drafts wait in {path}: decide with `workbench suite review {name} --to SUITE`.")


@suite.command("review")
@click.argument("name")
@click.option("--to", "target", type=click.Path(path_type=Path), metavar="SUITE", required=True)
@click.option("--accept", multiple=True, metavar="ID", help="Put this draft into the suite; `all` for all open ones.")
@click.option("--reject", multiple=True, metavar="ID")
@project_option
@json_option
def review_command(
    name: str, target: Path, accept: tuple[str, ...], reject: tuple[str, ...], project_folder: str | None, as_json: bool
) -> None:
    """Accept or reject the drafts kept under NAME; without --accept and --reject each is shown and asked about."""
    from workbench.evaluation.draft import decide_drafts, read_drafts

    project = open_project(project_folder)
    waiting = [each for each in read_drafts(project.folder, name) if each.state == "open"]
    if "all" in accept:
        accept = tuple(each.id for each in waiting if each.id not in reject)
    elif not accept and not reject:
        accept, reject = _ask_about(waiting)
    made, decided = decide_drafts(project.folder, name, accept, reject, target)
    counts = {state: sum(each.state == state for each in decided) for state in ("accepted", "rejected", "open")}
    if as_json:
        console.print_json({**counts, "suite": target, "cases": len(made.cases) if made else None})
    else:
        click.echo(", ".join(f"{count} {state}" for state, count in counts.items()) + f"; the suite is {target}.")


def _ask_about(waiting: list[Draft]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Show each draft with its passage and ask: yes, no, or later."""
    kept: dict[str, list[str]] = {"y": [], "n": [], "l": []}
    for each in waiting:
        click.echo(f"\n{each.question}\n→ {each.answer}\n   {each.file} {each.location}: {each.passage}")
        said = click.prompt("Into the suite? (y)es, (n)o, (l)ater, (q)uit", type=click.Choice(["y", "n", "l", "q"]))
        if said == "q":
            break
        kept[said].append(each.id)
    return tuple(kept["y"]), tuple(kept["n"])


@suite.command("versions")
@click.argument("name", required=False, default="")
@click.option("--changes", nargs=2, metavar="OLD NEW", help="What changed between two versions, named by their hashes.")
@project_option
@json_option
def versions_command(name: str, changes: tuple[str, str] | None, project_folder: str | None, as_json: bool) -> None:
    """List the versions that were evaluated, or say what changed between two."""
    from workbench.evaluation.versions import changes_between, list_versions, read_version

    project = open_project(project_folder)
    if changes:
        found = changes_between(*(read_version(project.folder, each) for each in changes))
        if as_json:
            console.print_json(found)
        else:
            for what in ("added", "removed", "changed"):
                click.echo(f"{what}: {', '.join(getattr(found, what)) or 'none'}")
        return
    versions = list_versions(project.folder, name)
    if as_json:
        console.print_json({"versions": versions})
    else:
        for each in versions:
            click.echo(f"{each.hash[:12]}  {each.kept.replace('T', ' ')}  {each.cases:4} questions  {each.suite}")
