"""`workbench ask`."""

from __future__ import annotations

import dataclasses
from typing import Any

import click

from workbench import records
from workbench.commands import console
from workbench.commands.console import json_option, project_option
from workbench.errors import InputError
from workbench.lanes.lane import Answer, Lane
from workbench.project import Project, open_project
from workbench.retrieval.support import unsupported


def choose_lanes(project: Project, names: tuple[str, ...]) -> tuple[Lane, ...]:
    """The lanes named, each once; without names every standard lane but `full`, which is slow on long documents."""
    from workbench.lanes.presets import find_lane, standard_lanes

    wanted = [name.strip() for each in names for name in each.split(",") if name.strip()]
    if wanted:
        return tuple(find_lane(project, name) for name in dict.fromkeys(wanted))
    lanes = standard_lanes(project)
    newest = project.sound_adapters()[-1:]
    chosen = ["base", "prompted", "rag", *(f"tuned:{each.name}" for each in newest)]
    chosen += [f"rag+tuned:{each.name}" for each in newest]
    ready = (project.index_folder / "keywords.sqlite").exists()
    return tuple(lanes[name] for name in chosen if ready or lanes[name].context == "none")


def strengthened(lanes: tuple[Lane, ...], scale: float | None) -> tuple[Lane, ...]:
    """The same lanes with their adapters at this strength, where given. Raises InputError where none has an adapter."""
    if scale is None:
        return lanes
    if not any(lane.adapter for lane in lanes):
        raise InputError("A strength is for fine-tuned lanes and none is asked: add one, such as --lane tuned.")
    return tuple(dataclasses.replace(lane, adapter_scale=scale) if lane.adapter else lane for lane in lanes)


def adjusted(lanes: tuple[Lane, ...], most_tokens: int | None, passages: int | None = None) -> tuple[Lane, ...]:
    """The same lanes with answers of at most so many tokens and at most so many passages to read, where given."""
    return tuple(
        dataclasses.replace(
            lane,
            passages=passages or lane.passages,
            sampling=dataclasses.replace(lane.sampling, max_tokens=most_tokens or lane.sampling.max_tokens),
        )
        for lane in lanes
    )


def widened(lanes: tuple[Lane, ...]) -> tuple[Lane, ...]:
    """The same lanes, with sections in place of passages. Raises InputError where none reads passages."""
    if not any(lane.context == "passages" for lane in lanes):
        raise InputError("Sections are for lanes that read passages and none is asked: add one, such as --lane rag.")
    return tuple(
        dataclasses.replace(lane, context="sections") if lane.context == "passages" else lane for lane in lanes
    )


ENDED = {
    "length": "cut off: the longest answer this lane may give",
    "repeats": "ended: it went on to say the same again and again",
}


@click.command()
@click.argument("question")
@click.option(
    "--lane", "names", multiple=True, metavar="NAME", help="A lane to ask: base, prompted, rag, tuned:NAME, …"
)
@click.option("--max-tokens", type=click.IntRange(1, 8192), help="The longest answer, in tokens.")
@click.option(
    "--scale", type=click.FloatRange(0, 1.5), help="How strongly adapters are added, instead of 1; 0 is without."
)
@click.option("--rerank", is_flag=True, help="Put what is found in the order of the reranker that was imported.")
@click.option("--sections", is_flag=True, help="Read the sections that passages stand in, not the passages alone.")
@project_option
@json_option
def ask(
    question: str,
    names: tuple[str, ...],
    max_tokens: int | None,
    scale: float | None,
    rerank: bool,
    sections: bool,
    project_folder: str | None,
    as_json: bool,
) -> None:
    """Ask QUESTION in each lane; @FILE reads one question a line."""
    questions = console.read_questions(question)
    project = open_project(project_folder)
    lanes = strengthened(adjusted(choose_lanes(project, names), max_tokens), scale)
    if sections:
        lanes = widened(lanes)
    if rerank:
        from workbench.catalog.rerankers import first_reranker

        lanes = tuple(dataclasses.replace(lane, reranker=first_reranker()) for lane in lanes)
    answers: list[Answer] = []
    with console.Workers() as workers:
        for each in questions:
            answers += ask_one(each, lanes, project, workers, as_json)
        if as_json:
            console.print_json({"answers": [answer_json(answer) for answer in answers]})
        console.settle(workers, (lane.model for lane in lanes))


def ask_one(
    question: str, lanes: tuple[Lane, ...], project: Project, workers: console.Workers, quiet: bool
) -> list[Answer]:
    from workbench.lanes.ask import ask as ask_stage

    stage = ask_stage(question, lanes, project.folder, {}, workers.knowledge, workers.engine)
    answers = []
    if not quiet:
        click.echo(f"\n{question}")
    for answer in console.results(stage, "Asking"):
        answers.append(answer)
        if not quiet:
            _print_answer(answer)
    return answers


def _print_answer(answer: Answer) -> None:
    stamp = answer.stamp
    strength = f" at {stamp.adapter_scale:g}" if stamp and stamp.adapter and stamp.adapter_scale != 1 else ""
    figures = f"first token {answer.first_token_seconds:.2f} s, {answer.tokens_per_second:.0f} tokens/s"
    click.echo(f"\n── {answer.lane}{strength}  ({figures})\n{answer.error or answer.text}")
    if not answer.fits:
        click.echo("   nothing in your documents seems to be about this; it was given the nearest there is")
    if answer.stopped in ENDED:
        click.echo(f"   {ENDED[answer.stopped]}")
    for start, end in unsupported(answer.text, answer.question, answer.passages):
        click.echo(f"   no passage says this in its words: {answer.text[start:end].strip()}")
    for number in answer.cited:
        passage = answer.passages[number - 1]
        click.echo(f"   [{number}] {passage.file} {passage.location}")


def answer_json(answer: Answer) -> dict[str, Any]:
    """An answer as the contract has it, with what else it holds beside."""
    plain: dict[str, Any] = records.to_plain(answer)
    doubted = unsupported(answer.text, answer.question, answer.passages)
    return {**plain, "unsupported": [answer.text[start:end] for start, end in doubted]}
