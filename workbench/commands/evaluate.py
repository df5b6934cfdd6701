"""`workbench evaluate` and `workbench advise`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from workbench.commands import console
from workbench.commands.ask import adjusted, choose_lanes
from workbench.commands.console import json_option, project_option, say
from workbench.evaluation.records import Evaluation, Suite
from workbench.lanes.lane import Lane
from workbench.project import Project, open_project


def run_evaluation(
    suite: Suite, lanes: tuple[Lane, ...], project: Project, workers: console.Workers, name: str = ""
) -> Evaluation:
    """Run a suite over lanes, going on where an interrupted run of the same name stopped."""
    from workbench.evaluation.evaluate import evaluate as evaluate_stage

    stage = evaluate_stage(suite, lanes, project.folder, workers.knowledge, workers.engine, name)
    evaluation: Evaluation = console.last(stage, "Evaluating")
    return evaluation


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as the contract has it."""
    lanes = {}
    for name, lane in evaluation.lanes.items():
        lanes[name] = {
            **_rate(lane.overall),
            "by_kind": {kind: _rate(rate) for kind, rate in lane.by_kind.items()},
            "by_check": {check: _rate(rate) for check, rate in lane.by_check.items()},
            "refused": {kind: _rate(rate) for kind, rate in lane.refused.items()},
            "median_seconds": lane.median_seconds,
            "p95_seconds": lane.p95_seconds,
            "tokens_per_second": lane.tokens_per_second,
        }
    results = [
        {
            "case": result.case,
            "kind": result.kind,
            "lane": result.lane,
            "passed": result.passed,
            "answer": result.answer.text,
            "failed_checks": [f"{check.check}: {check.reason}" for check in result.checks if not check.passed],
        }
        for result in evaluation.results
    ]
    return {"name": evaluation.name, "lanes": lanes, "results": results, "effects": list(evaluation.effects)}


def _rate(rate: Any) -> dict[str, Any]:
    return {"passed": rate.passed, "total": rate.total, "rate": rate.rate, "interval": list(rate.interval)}


def say_evaluation(evaluation: Evaluation) -> None:
    """The rates of an evaluation as a small table."""
    kinds = sorted({kind for lane in evaluation.lanes.values() for kind in lane.by_kind})
    click.echo(f"{'lane':26}" + "".join(f"{head:>22}" for head in ("all", *kinds)))
    for name, lane in evaluation.lanes.items():
        cells = [lane.overall, *(lane.by_kind.get(kind) for kind in kinds)]
        click.echo(f"{name:26}" + "".join(f"{_cell(rate):>22}" for rate in cells))


def _cell(rate: Any) -> str:
    if rate is None or not rate.total:
        return "–"
    low, high = rate.interval
    return f"{rate.passed}/{rate.total} {100 * rate.rate:.0f} % [{100 * low:.0f}–{100 * high:.0f}]"


@click.command()
@click.argument("suite_path", metavar="SUITE", type=click.Path(path_type=Path))
@click.option(
    "--lane", "names", multiple=True, metavar="NAME", help="A lane to run: base, prompted, rag, tuned:NAME, …"
)
@click.option("--fail-under", type=click.FloatRange(0, 1), metavar="RATE", help="Exit with 1 when a lane passes fewer.")
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write a JUnit XML report.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write the report page.")
@click.option("--max-tokens", type=click.IntRange(1, 8192), help="The longest answer, in tokens.")
@click.option("--passages", type=click.IntRange(1, 50), help="How many passages a lane reads at most.")
@click.option("--name", default="", help="The run's name; the name of an interrupted run goes on with it.")
@project_option
@json_option
def evaluate(
    suite_path: Path,
    names: tuple[str, ...],
    fail_under: float | None,
    junit: Path | None,
    html: Path | None,
    max_tokens: int | None,
    passages: int | None,
    name: str,
    project_folder: str | None,
    as_json: bool,
) -> int:
    """Run the cases of SUITE over each lane and check the answers."""
    from workbench.evaluation.suite import read_suite

    suite = read_suite(suite_path)
    project = open_project(project_folder)
    lanes = adjusted(choose_lanes(project, names), max_tokens, passages)
    with console.Workers() as workers:
        evaluation = run_evaluation(suite, lanes, project, workers, name)
    if junit:
        from workbench.evaluation.export import write_junit

        write_junit(junit, evaluation)
    if html:
        write_page(html, evaluation, suite, project)
    if as_json:
        console.print_json(evaluation_json(evaluation))
    else:
        say_evaluation(evaluation)
    return 0 if fail_under is None or reached(evaluation, fail_under) else 1


def reached(evaluation: Evaluation, rate: float) -> bool:
    """Whether every lane passed at least `rate` of the cases; says which did not."""
    short = [f"{name} {lane.overall.rate:.3f}" for name, lane in evaluation.lanes.items() if lane.overall.rate < rate]
    if short:
        say(f"Under the {rate:.3f} asked for: {', '.join(short)}.")
    return not short


def write_page(path: Path, evaluation: Evaluation, suite: Suite, project: Project, **more: Any) -> Path:
    """Write the report page of an evaluation with its verdict and the runs of its adapters."""
    from workbench.advice.verdict import decide
    from workbench.report.page import write_report
    from workbench.tuning.adapter import list_runs

    used = {name.partition(":")[2] for name in evaluation.lanes}
    runs = tuple(run for run in list_runs(project.folder) if run.name in used)
    verdict = decide(evaluation, suite)
    return write_report(path, evaluation, suite, verdict, title=project.info.name, runs=runs, **more)


def latest_evaluation(project: Project, suite: Suite, lanes: tuple[Lane, ...]) -> Evaluation | None:
    """The newest finished evaluation of this very suite that holds all these lanes, None when there is none."""
    from workbench.evaluation.evaluate import list_evaluations

    wanted = {lane.name for lane in lanes}
    fitting = [
        each for each in list_evaluations(project.folder) if each.suite_hash == suite.hash and wanted <= set(each.lanes)
    ]
    return fitting[-1] if fitting else None


@click.command()
@click.argument("suite_path", metavar="SUITE", type=click.Path(path_type=Path))
@click.option("--lane", "names", multiple=True, metavar="NAME", help="Lanes to decide between; default: all there are.")
@project_option
@json_option
def advise(suite_path: Path, names: tuple[str, ...], project_folder: str | None, as_json: bool) -> None:
    """Say what to use, from measured results; what is missing is run first."""
    from workbench.advice.verdict import decide
    from workbench.evaluation.suite import read_suite

    suite = read_suite(suite_path)
    project = open_project(project_folder)
    lanes = choose_lanes(project, names)
    evaluation = latest_evaluation(project, suite, lanes)
    if evaluation is None:
        with console.Workers() as workers:
            name = f"advise-{suite.name}-{time.strftime('%Y%m%d')}"
            evaluation = run_evaluation(suite, lanes, project, workers, name)
    verdict = decide(evaluation, suite)
    if as_json:
        console.print_json(verdict)
    else:
        say_verdict(verdict)


def say_verdict(verdict: Any) -> None:
    """A verdict for people."""
    click.echo(f"\n{verdict.headline}\n{verdict.firmness}\n")
    for reason in verdict.reasons:
        click.echo(f"  • {reason}")
    for change in verdict.would_change:
        click.echo(f"  ↻ {change}")
