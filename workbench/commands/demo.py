"""`workbench demo`: the whole story on the sample project, no display needed."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import click

from workbench import records
from workbench.commands import console
from workbench.commands.advise import say_verdict
from workbench.commands.ask import adjusted, answer_json, ask_one, choose_lanes
from workbench.commands.console import json_option, say
from workbench.commands.evaluate import evaluation_json, run_evaluation, say_evaluation
from workbench.commands.index import run_index, say_index
from workbench.commands.tune import run_tune, tune_json
from workbench.lanes.lane import Answer
from workbench.project import Project
from workbench.report.gather import write_page

ADAPTER = "house"
ANSWER_TOKENS = 32  # the longest answer in the evaluation; a right ticket takes under 30, a right fact fewer
ASKED_TOKENS = 60  # the longest answer that is printed: where a small model rambles, it shows by then
# A fine-tune of so many minutes, or two passes over the rows where the machine is fast; fewer rows are held out, for
# measuring on them is no part of those minutes.
SHORT: dict[str, Any] = {"minutes": 2.0, "eval_share": 0.03, "sample_rows": 2}


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, metavar="DIR")
@click.option("--project", "project_folder", metavar="DIR", help="The project folder; default: DIR/project of --out.")
@json_option
def demo(out: Path, project_folder: str | None, as_json: bool) -> None:
    """The whole story on the sample project: index, ask, fine-tune, ask again, evaluate, advise.

    An interrupted demo goes on where it stopped; a finished one starts over.
    """
    began = time.monotonic()
    out = out.expanduser().absolute()
    folder = Path(project_folder).expanduser().absolute() if project_folder else out / "project"
    done = out / "demo.json"
    if done.exists():
        if not project_folder:
            shutil.rmtree(folder, ignore_errors=True)
        done.unlink()
    told = _tell(folder, out, as_json)
    told["seconds"] = time.monotonic() - began
    records.write_json(done, told)
    if as_json:
        console.print_json(told)
    else:
        say(f"\nThe whole story took {console.duration(told['seconds'])}. The page to read: {told['report']}")


def _tell(folder: Path, out: Path, quiet: bool) -> dict[str, Any]:
    """Every chapter in order; returns the demo's JSON document."""
    from workbench.advice.verdict import decide
    from workbench.evaluation.suite import read_suite
    from workbench.sample import make_sample_project, sample_files

    project = make_sample_project(folder)
    files = sample_files(project)
    with console.Workers() as workers:
        say("1  Index the documents")
        index = run_index(project, files.documents, workers)
        say_index(index)
        say("\n2  Ask before tuning: a question about the documents, then a customer's message")
        before = _ask_both(project, files.questions, workers, quiet)
        say("\n3  Fine-tune on the house's own examples")
        run = run_tune(project, files.datasets, ADAPTER, "balanced", **SHORT)
        project = Project.open(folder)
        say("\n4  Ask again")
        after = _ask_both(project, files.questions, workers, quiet)
        say("\n5  Evaluate the suite over every lane")
        suite = read_suite(files.suite)
        evaluation = run_evaluation(suite, adjusted(choose_lanes(project, ()), ANSWER_TOKENS), project, workers, "demo")
        say("\n6  Evaluate the tone of notes, which has nothing to do with documents")
        tone_suite = read_suite(files.tone)
        plain = tuple(lane for lane in choose_lanes(project, ()) if lane.context == "none")
        tone = run_evaluation(tone_suite, adjusted(plain, ANSWER_TOKENS), project, workers, "demo-tone")
    verdict, tone_verdict = decide(evaluation, suite), decide(tone, tone_suite)
    if not quiet:
        for measured, said in ((evaluation, verdict), (tone, tone_verdict)):
            click.echo("")
            say_evaluation(measured)
            say_verdict(said)
    report = write_page(out / "report.html", evaluation, suite, project, index=index)
    return {
        "index": records.to_plain(index),
        "asked": {"before": [answer_json(each) for each in before], "after": [answer_json(each) for each in after]},
        "tune": tune_json(run),
        "evaluate": records.to_plain(evaluation_json(evaluation)),
        "advice": records.to_plain(verdict),
        "tone": {"evaluate": records.to_plain(evaluation_json(tone)), "advice": records.to_plain(tone_verdict)},
        "report": str(report),
    }


def _ask_both(project: Project, questions: tuple[str, ...], workers: console.Workers, quiet: bool) -> list[Answer]:
    lanes = adjusted(choose_lanes(project, ()), ASKED_TOKENS)
    return [answer for question in questions for answer in ask_one(question, lanes, project, workers, quiet)]
