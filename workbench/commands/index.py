"""`workbench index` and `workbench search`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from workbench import records
from workbench.commands import console
from workbench.commands.console import json_option, project_option, say
from workbench.errors import MissingFile
from workbench.project import Project, open_project


def run_index(project: Project, folder: Path, workers: console.Workers) -> Any:
    """Bring the project's index level with the folder; returns the IndexReport."""
    from workbench.index.build import build

    folder = _chosen(project, folder)
    return console.last(workers.knowledge.run(build, project.folder, (folder,)), "Indexing")


def _chosen(project: Project, folder: Path) -> Path:
    """The folder, now the project's own. Raises MissingFile when it is none."""
    folder = folder.expanduser().resolve()
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "is not there"
        raise MissingFile(f"The folder {folder} {what}: name the folder that holds your documents.")
    if project.info.folders != (folder,):
        project.change(folders=(folder,))
    return folder


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--leave-out",
    "patterns",
    multiple=True,
    metavar="PATTERN",
    help="Pass over what fits, as in .gitignore (*.log, build/, !keep.log); kept for later; '' for nothing.",
)
@click.option("--hidden/--no-hidden", default=None, help="Read names that begin with a dot; kept for later runs.")
@click.option("--audit", "audited", is_flag=True, help="Compare content and vectors too, mend what differs, prove it.")
@project_option
@json_option
def index(
    folder: Path,
    patterns: tuple[str, ...],
    hidden: bool | None,
    audited: bool,
    project_folder: str | None,
    as_json: bool,
) -> int:
    """Bring the index level with FOLDER: new and changed files are read, those gone are removed."""
    project = open_project(project_folder)
    _keep_left_out(project, patterns, hidden)
    with console.Workers() as workers:
        if audited:
            return _show_audit(_run_audit(project, folder, workers), as_json)
        report = run_index(project, folder, workers)
    if as_json:
        console.print_json(report)
    else:
        say_index(report)
    return 0


def _keep_left_out(project: Project, patterns: tuple[str, ...], hidden: bool | None) -> None:
    """Keep what a person said of this folder for the next time as well. Raises InputError for a bad pattern."""
    from workbench.documents.left_out import LeftOut

    options = dict(project.info.options)
    if patterns:
        options["left_out"] = LeftOut(tuple(each for each in patterns if each)).patterns
    if hidden is not None:
        options["hidden_files"] = hidden
    if options != project.info.options:
        project.change(options=options)


def _run_audit(project: Project, folder: Path, workers: console.Workers) -> Any:
    from workbench.index.audit import audit

    return console.last(workers.knowledge.run(audit, project.folder, (_chosen(project, folder),)), "Auditing")


def _show_audit(report: Any, as_json: bool) -> int:
    """Say what an AuditReport holds; exit status 1 when the index could not be brought to what the folder holds."""
    if as_json:
        facts = records.to_plain(report)
        console.print_json({**facts.pop("build"), "audit": facts})
    else:
        say_index(report.build)
        for each in report.found:
            say(f"  found: {each.file or 'the index'}: {each.problem}")
        for each in report.left:
            say(f"  still there: {each.file or 'the index'}: {each.problem}")
        say(
            f"Compared {report.files} files, {report.chunks} passages and {report.vectors} vectors: "
            + ("something differs still." if report.left else "the index holds just what the folder holds.")
        )
    return 1 if report.left else 0


def say_index(report: Any) -> None:
    """An IndexReport for people."""
    say(
        f"{report.files} files, {report.chunks} passages: {len(report.added)} added, {len(report.changed)} changed, "
        f"{len(report.removed)} removed, {report.unchanged} unchanged, in {report.seconds:.1f} s."
    )
    for skipped in report.skipped:
        say(f"  skipped {skipped.file}: {skipped.reason}")


@click.command()
@click.argument("question")
@click.option("-k", "count", default=5, show_default=True, type=click.IntRange(1, 100), help="How many passages.")
@click.option("--in", "places", multiple=True, metavar="FOLDER", help="Only files there, or that fit (*/2026/*.md).")
@click.option("--type", "types", multiple=True, metavar="ENDING", help="Only files of this type: pdf, md.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only files changed on that day or later.")
@project_option
@json_option
def search(
    question: str,
    count: int,
    places: tuple[str, ...],
    types: tuple[str, ...],
    since: datetime | None,
    project_folder: str | None,
    as_json: bool,
) -> None:
    """Show the passages that fit QUESTION best; @FILE reads one question a line."""
    from workbench.retrieval.narrow import Only
    from workbench.retrieval.search import search as search_stage

    only = Only(places, types, since.timestamp() if since else 0.0)

    questions = console.read_questions(question)
    project = open_project(project_folder)
    with console.Workers() as workers:
        found = list(
            console.results(workers.knowledge.run(search_stage, project.folder, questions, count, only), "Searching")
        )
    if as_json:
        console.print_json({"searches": found})
        return
    for result in found:
        click.echo(f"{result.question}  ({result.seconds:.2f} s)")
        if not result.fits:
            click.echo("  Nothing in your documents seems to be about this. The nearest there is:")
        for number, passage in enumerate(result.passages, start=1):
            where = f"{passage.file} {passage.location}".strip()
            text = " ".join(passage.text.split())
            click.echo(f"  {number}. {where}  [{passage.score:.3f}]\n     {text[:300]}")
            if passage.same_in:
                click.echo(f"     nearly the same stands in {'; '.join(passage.same_in)}")
