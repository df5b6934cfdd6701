"""`workbench index` and `workbench search`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

import click

from workbench import records
from workbench.bases import MAIN, Base, base_names, find_base, make_base
from workbench.commands import console
from workbench.commands.console import base_option, json_option, project_option, say
from workbench.errors import MissingFile
from workbench.project import Project, open_project

ALIKE_SHOWN = 5  # pairs of files with passages that say nearly the same


def run_index(base: Base, folder: Path, workers: console.Workers, whole: bool = False) -> Any:
    """Bring a knowledge base's index level with the folder, which becomes one of its own; returns the IndexReport.

    `whole`: with the base's other folders too, as far as they are there.
    """
    from workbench.index.build import build

    folder = _chosen(base, folder)
    others = [each for each in base.info.folders if whole and each.is_dir()]
    return console.last(workers.knowledge.run(build, base.folder, tuple(dict.fromkeys((folder, *others)))), "Indexing")


def forget_folder(base: Base, folder: Path, workers: console.Workers) -> Any:
    """Take a folder out of a base, whether it is there still or not. Raises MissingFile for one that is none of its."""
    from workbench.index.build import forget
    from workbench.index.files import folder_names, list_files

    known = {str(each) for each in base.info.folders} | {each.folder for each in list_files(base.folder)}
    if not folder_names((folder,)) & known:
        there = ", ".join(sorted(known)) or "none"
        raise MissingFile(f"The folder {folder} is not in this index: name one of those that are ({there}).")
    return console.last(workers.knowledge.run(forget, base.folder, (folder,)), "Removing")


def _base_for(project: Project, name: str, folder: Path) -> Base:
    """The knowledge base to index into, made when it is missing and there is something to index."""
    if name.casefold() in ("", MAIN, *(each.casefold() for each in base_names(project))):
        return find_base(project, name)
    _folder_of(folder)
    made = make_base(project, name)
    say(f"Made the knowledge base “{made.base_name}”.")
    return made


def _chosen(base: Base, folder: Path) -> Path:
    """The folder to look through, now one of the base's: itself, or the one of the base's that it lies in.

    Folders of the base inside it are from now on read as a part of it. Raises MissingFile when it is none.
    """
    folder, known = _folder_of(folder), base.info.folders
    around = next((each for each in known if folder.is_relative_to(each.expanduser().resolve())), None)
    if around is not None:
        return around
    apart = [each for each in known if not each.expanduser().resolve().is_relative_to(folder)]
    base.change(folders=(*apart, folder))
    return folder


def _folder_of(folder: Path) -> Path:
    """The folder, absolute. Raises MissingFile when it is none."""
    folder = folder.expanduser().resolve()
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "is not there"
        raise MissingFile(f"The folder {folder} {what}: name the folder that holds your documents.")
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
@click.option(
    "--embedder",
    default="",
    metavar="NAME",
    help="Read all folders of this index with another embedder (`workbench models list`); kept for later runs.",
)
@click.option("--forget", "forgotten", is_flag=True, help="Take FOLDER out of the index; its documents stay.")
@click.option("--audit", "audited", is_flag=True, help="Compare content and vectors too, mend what differs, prove it.")
@base_option
@project_option
@json_option
def index(
    folder: Path,
    patterns: tuple[str, ...],
    hidden: bool | None,
    embedder: str,
    forgotten: bool,
    audited: bool,
    base_name: str,
    project_folder: str | None,
    as_json: bool,
) -> int:
    """Bring the index level with FOLDER: new and changed files are read, those gone are removed.

    FOLDER becomes one of the project's folders; the others stay in the index until they are taken out with --forget.
    With --base it is that of a knowledge base beside the project's own; it is made when it is missing. With --embedder
    everything is embedded anew, beside what is there, which is searched until each file is done.
    """
    project = open_project(project_folder)
    base = find_base(project, base_name) if forgotten else _base_for(project, base_name, folder)
    _keep_left_out(base, patterns, hidden)
    if embedder and not forgotten:
        _choose_embedder(base, embedder)
    with console.Workers() as workers:
        if audited and not forgotten:
            return _show_audit(_run_audit(base, folder, workers), as_json)
        report = forget_folder(base, folder, workers) if forgotten else run_index(base, folder, workers, bool(embedder))
    if as_json:
        console.print_json(report)
    else:
        say_index(report)
    return 0


def _keep_left_out(base: Base, patterns: tuple[str, ...], hidden: bool | None) -> None:
    """Keep what a person said of this folder for the next time as well. Raises InputError for a bad pattern."""
    from workbench.documents.left_out import LeftOut

    options = dict(base.info.options)
    if patterns:
        options["left_out"] = LeftOut(tuple(each for each in patterns if each)).patterns
    if hidden is not None:
        options["hidden_files"] = hidden
    if options != base.info.options:
        base.change(options=options)


def _choose_embedder(base: Base, name: str) -> None:
    """Keep which embedder a base is read with. Raises MissingFile for one that is not here, InputError for none."""
    from workbench.index.files import choose_embedder_of

    choose_embedder_of(base, name)


def _run_audit(base: Base, folder: Path, workers: console.Workers) -> Any:
    from workbench.index.audit import audit

    return console.last(workers.knowledge.run(audit, base.folder, (_chosen(base, folder),)), "Auditing")


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
            f"Compared {report.files} files, {report.chunks} passages and {report.vectors} vectors of "
            f"{report.build.embedder} ({report.build.embedder_hash[:12]}): "
            + ("something differs still." if report.left else "the index holds just what the folder holds.")
        )
    return 1 if report.left else 0


def say_index(report: Any) -> None:
    """An IndexReport for people."""
    files = "1 file" if report.files == 1 else f"{report.files} files"
    passages = "1 passage" if report.chunks == 1 else f"{report.chunks} passages"
    say(
        f"{files}, {passages}: {len(report.added)} added, {len(report.changed)} changed, "
        f"{len(report.removed)} removed, {report.unchanged} unchanged, in {report.seconds:.1f} s."
    )
    for skipped in report.skipped:
        say(f"  skipped {skipped.file}: {skipped.reason}")
    for pair in report.alike[:ALIKE_SHOWN]:
        say(f"  {pair.file}: {pair.told}")
    if len(report.alike) > ALIKE_SHOWN:
        say(f"  and so it is with {len(report.alike) - ALIKE_SHOWN} more pairs of files")


@click.command()
@click.argument("question")
@click.option("-k", "count", default=5, show_default=True, type=click.IntRange(1, 100), help="How many passages.")
@click.option("--in", "places", multiple=True, metavar="FOLDER", help="Only files there, or that fit (*/2026/*.md).")
@click.option("--type", "types", multiple=True, metavar="ENDING", help="Only files of this type: pdf, md.")
@click.option("--rerank", is_flag=True, help="Put what is found in the order of the reranker that was imported.")
@click.option("--sections", is_flag=True, help="Show the sections that the passages stand in.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only files changed on that day or later.")
@base_option
@project_option
@json_option
def search(
    question: str,
    count: int,
    places: tuple[str, ...],
    types: tuple[str, ...],
    rerank: bool,
    sections: bool,
    since: datetime | None,
    base_name: str,
    project_folder: str | None,
    as_json: bool,
) -> None:
    """Show the passages that fit QUESTION best; @FILE reads one question a line."""
    from workbench.catalog.rerankers import first_reranker
    from workbench.index import embed
    from workbench.retrieval.narrow import Only
    from workbench.retrieval.search import search as search_stage
    from workbench.retrieval.sections import sought

    only = Only(places, types, since.timestamp() if since else 0.0)

    questions = console.read_questions(question)
    base, most = find_base(open_project(project_folder), base_name), sought(count) if sections else count
    reranker = first_reranker() if rerank else None
    with console.Workers() as workers:
        stage = workers.knowledge.run(search_stage, base.folder, questions, most, only, reranker)
        found = list(console.results(stage, "Searching"))
        if sections:
            found = [_in_sections(each, count, base, workers) for each in found]
        if as_json:
            console.print_json({"searches": found})
        else:
            _say_searches(found)
        console.afterwards(workers.knowledge.run(embed.settle))


def _say_searches(found: Sequence[Any]) -> None:
    """SearchResults as a person reads them."""
    for result in found:
        click.echo(f"{result.question}  ({result.seconds:.2f} s)")
        if not result.fits:
            click.echo("  Nothing in your documents seems to be about this. The nearest there is:")
        for number, passage in enumerate(result.passages, start=1):
            where = f"{passage.file} {passage.location}".strip()
            text = " ".join(passage.text.split())
            click.echo(f"  {number}. {where}  [{passage.score:.3f}]\n     {text[:300]}")
            if passage.newer_than:
                click.echo(f"     put before the older edition, {passage.newer_than}")
            if passage.same_in:
                click.echo(f"     nearly the same stands in {'; '.join(passage.same_in)}")


def _in_sections(found: Any, count: int, base: Base, workers: console.Workers) -> Any:
    """A SearchResult with sections in place of passages."""
    from workbench.retrieval.sections import sections

    started = monotonic()
    stage = workers.knowledge.run(sections, base.folder, found.passages, count)
    given = tuple(console.results(stage, "Reading around the passages"))
    return replace(found, passages=given, seconds=found.seconds + monotonic() - started)
