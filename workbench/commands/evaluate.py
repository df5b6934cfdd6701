"""`workbench evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from workbench.advice.wording import left_out_sentences
from workbench.commands import console
from workbench.commands.ask import adjusted, choose_lanes
from workbench.commands.console import json_option, project_option, say
from workbench.evaluation.records import Evaluation, Measuring, Suite
from workbench.lanes.lane import Lane
from workbench.project import Project, open_project
from workbench.report.gather import write_json_dossier, write_page


def run_evaluation(
    suite: Suite,
    lanes: tuple[Lane, ...],
    project: Project,
    workers: console.Workers,
    name: str = "",
    measuring: Measuring | None = None,
) -> Evaluation:
    """Run a suite over lanes, going on where an interrupted run of the same name stopped."""
    from workbench.evaluation.evaluate import evaluate as evaluate_stage

    how = measuring or Measuring()
    stage = evaluate_stage(suite, lanes, project.folder, workers.knowledge, workers.engine, name, how)
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
            "label": "withheld" if name in evaluation.withheld else "proven",
            "canary": evaluation.canaries.get(name, ""),
            "median_seconds": lane.median_seconds,
            "p95_seconds": lane.p95_seconds,
            "tokens_per_second": lane.tokens_per_second,
            "retrieve_share": lane.retrieve_share,
            "memory": evaluation.memory.get(name),
            "flaky": lane.flaky,
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
    return {
        "name": evaluation.name,
        "lanes": lanes,
        "results": results,
        "effects": list(evaluation.effects),
        "left_out": evaluation.left_out,
        "unguarded": evaluation.unguarded,
        "noise": evaluation.noise,
        "oracle": [{"case": each.case, "lane": each.lane, "passed": each.passed} for each in evaluation.oracle],
    }


def _rate(rate: Any) -> dict[str, Any]:
    return {"passed": rate.passed, "total": rate.total, "rate": rate.rate, "interval": list(rate.interval)}


def say_evaluation(evaluation: Evaluation) -> None:
    """The rates of an evaluation as a small table."""
    kinds = sorted({kind for lane in evaluation.lanes.values() for kind in lane.by_kind})
    click.echo(f"{'lane':26}" + "".join(f"{head:>22}" for head in ("all", *kinds)))
    for name, lane in evaluation.lanes.items():
        cells = [lane.overall, *(lane.by_kind.get(kind) for kind in kinds)]
        click.echo(f"{name:26}" + "".join(f"{_cell(rate):>22}" for rate in cells))
    for sentence in left_out_sentences(evaluation):
        click.echo(sentence)
    for name in sorted(evaluation.withheld):
        click.echo(f"The label of {name} is withheld: {evaluation.canaries[name]}")


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
@click.option(
    "--against",
    type=click.Path(path_type=Path),
    metavar="DOSSIER",
    help="An earlier --html or --dossier; exit with 1 when something got worse since.",
)
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write a JUnit XML report.")
@click.option("--html", type=click.Path(path_type=Path), metavar="FILE", help="Write the dossier as a page.")
@click.option("--dossier", type=click.Path(path_type=Path), metavar="FILE", help="Write the dossier as JSON.")
@click.option(
    "--redact", type=click.Choice(["documents", "answers"]), help="Leave texts out of the page and the dossier."
)
@click.option("--max-tokens", type=click.IntRange(1, 8192), help="The longest answer, in tokens.")
@click.option("--passages", type=click.IntRange(1, 50), help="How many passages a lane reads at most.")
@click.option("--repeats", type=click.IntRange(1, 20), default=1, help="Ask each question so often, seed by seed.")
@click.option("--cold", is_flag=True, help="Forget what was read before each question, for times that compare.")
@click.option("--name", default="", help="The run's name; the name of an interrupted run goes on with it.")
@project_option
@json_option
def evaluate(
    suite_path: Path,
    names: tuple[str, ...],
    fail_under: float | None,
    against: Path | None,
    junit: Path | None,
    html: Path | None,
    dossier: Path | None,
    redact: str | None,
    max_tokens: int | None,
    passages: int | None,
    repeats: int,
    cold: bool,
    name: str,
    project_folder: str | None,
    as_json: bool,
) -> int:
    """Run the cases of SUITE over each lane and check the answers."""
    from workbench.evaluation.gate import gate_json, gate_sentences, hold_against
    from workbench.evaluation.suite import read_suite
    from workbench.report.dossier import read_dossier

    suite = read_suite(suite_path)
    baseline = read_dossier(against) if against else None
    project = open_project(project_folder)
    lanes = adjusted(choose_lanes(project, names or tuple(baseline.passed if baseline else ())), max_tokens, passages)
    with console.Workers() as workers:
        evaluation = run_evaluation(suite, lanes, project, workers, name, Measuring(repeats, cold))
    gate = hold_against(baseline, evaluation, suite) if baseline else None
    if junit:
        from workbench.evaluation.export import write_junit

        write_junit(junit, evaluation, gate.regressions if gate else ())
    if html:
        write_page(html, evaluation, suite, project, redacted=redact or "")
    if dossier:
        write_json_dossier(dossier, evaluation, suite, project, redact or "")
    if as_json:
        console.print_json({**evaluation_json(evaluation), **({"against": gate_json(gate)} if gate else {})})
    else:
        say_evaluation(evaluation)
    for sentence in gate_sentences(gate) if gate else ():
        say(sentence)
    good = fail_under is None or reached(evaluation, fail_under)
    return 0 if good and (gate is None or gate.passed) else 1


def reached(evaluation: Evaluation, rate: float) -> bool:
    """Whether every lane passed at least `rate` of the cases; says which did not."""
    short = [f"{name} {lane.overall.rate:.3f}" for name, lane in evaluation.lanes.items() if lane.overall.rate < rate]
    if short:
        say(f"Under the {rate:.3f} asked for: {', '.join(short)}.")
    return not short
