"""STAGE evaluate(suite, lanes): one case at a time, kept as it comes, gone on with after any stop."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import workbench
from workbench import records
from workbench.bases import home_of
from workbench.children import Worker
from workbench.errors import InputError
from workbench.evaluation.answering import SharedSearch
from workbench.evaluation.asking import Asking
from workbench.evaluation.canary import check_lane
from workbench.evaluation.guard import guard_cases
from workbench.evaluation.oracle import Sources, bases_read, read_sources
from workbench.evaluation.records import Case, CaseResult, Evaluation, LaneSummary, Measuring, Suite
from workbench.evaluation.results import list_evaluations, open_run, read_evaluation, write_evaluation
from workbench.evaluation.similarity import similarity_with
from workbench.evaluation.summary import effects_of, regroup, summarise
from workbench.evaluation.versions import keep_version
from workbench.events import Result, Stage
from workbench.index.files import read_index
from workbench.lanes.lane import Lane
from workbench.project import Project

__all__ = ["evaluate", "list_evaluations", "read_evaluation"]


def evaluate(
    suite: Suite,
    lanes: tuple[Lane, ...],
    project: Path,
    knowledge: Worker,
    engine: Worker,
    name: str = "",
    measuring: Measuring = Measuring(),  # noqa: B008 - frozen
) -> Stage:
    """Run every case over every lane, one lane after the other; yields Progress, a Result(CaseResult) each, and last a
    Result(Evaluation), which results/NAME/evaluation.json then holds too. Then a second base lane with another seed
    shows the noise, and an oracle lane why questions of fact failed.

    A restart under the same name with the same suite and lanes goes on where it stopped; answers kept from before are
    yielded first. Raises InputError without lanes or with two of one name, ProjectBusy, and ChildCrashed when the
    engine failed at five cases in a row; what was answered is kept.
    """
    names = [lane.name for lane in lanes]
    if not lanes or len(set(names)) != len(names):
        raise InputError("Choose at least one lane to evaluate, and each only once.")
    with Project.open(project).writing("evaluating"):
        homes = {base: home_of(project, base) for base in ("", *bases_read(lanes))}
        marks = {base: index_mark(home) for base, home in homes.items()}
        run = open_run(project, suite, lanes, name, marks)
        keep_version(project, suite)
        shared = SharedSearch(knowledge, project, lanes, tuple(case.question for case in suite.cases))
        similarity = similarity_with(knowledge) if _wants_similarity(suite.cases) else None
        asking = Asking(suite, lanes, shared, engine, similarity, run, measuring)
        yield from asking.settle()
        yield from asking.answer_all()
        yield from asking.answer_again()
        most = max(lane.passages for lane in lanes)
        sources = {base: read_sources(home, suite.cases, most) for base, home in homes.items()}
        yield from asking.answer_oracle(sources)
        evaluation = _finish(asking, sources, indexed=any(marks[base] for base in bases_read(lanes)))
        write_evaluation(evaluation)
        yield Result(evaluation)


def _finish(asking: Asking, sources: Mapping[str, Sources], indexed: bool) -> Evaluation:
    """The evaluation of a run that is answered whole."""
    suite, run, chosen = asking.suite, asking.run, asking.results
    results = tuple(chosen.values())
    by_lane = regroup(results, lambda result: result.lane)
    canaries = {lane.name: check_lane(lane, by_lane[lane.name], by_lane) for lane in asking.lanes}
    named = dict.fromkeys(case.source for case in suite.cases if case.source)
    read = [sources[base].states for base in bases_read(asking.lanes)]
    lost = {case.source for case in suite.cases if all(states.get(case.id) == "missing" for states in read)}
    guarded = guard_cases(asking.lanes, suite.cases, tuple(sources.values()))
    counted = [result for result in results if result.case not in guarded.left_out]
    return Evaluation(
        name=run.name,
        folder=run.folder,
        suite=suite.name,
        suite_hash=suite.hash,
        created=run.created,
        lanes={lane: _summary(lane, [r for r in counted if r.lane == lane], asking) for lane in by_lane},
        effects=effects_of(counted, {lane for lane, said in canaries.items() if said != "ok"}),
        results=results,
        seconds=sum(each.answer.seconds for key in chosen for each in asking.asked(key)),
        noise=asking.noise,
        canaries=canaries,
        missing_sources=tuple(source for source in named if source in lost) if indexed else None,
        made_with=_made_with(asking, results),
        oracle=asking.oracle,
        in_source=dict(sources[""].states),
        in_bases={base: dict(held.states) for base, held in sources.items() if base},
        memory=asking.memory,
        left_out=dict(guarded.left_out),
        unguarded=dict(guarded.unread),
    )


def _summary(lane: str, results: list[CaseResult], asking: Asking) -> LaneSummary:
    asked = [asking.asked((lane, result.case)) for result in results]
    flaky = sum(len({each.passed for each in same}) > 1 for same in asked)
    return summarise(lane, results, asking.suite.cases, [each for same in asked for each in same[1:]], flaky)


def _made_with(asking: Asking, results: Iterable[CaseResult]) -> dict[str, Any]:
    """What the run was made with, the runtime's own word where there is one."""
    lanes, run = asking.lanes, asking.run
    stamps = {result.lane: result.answer.stamp for result in results if result.answer.stamp is not None}
    return {
        "workbench": workbench.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "build": next((stamp.build for stamp in stamps.values()), ""),
        "measuring": dataclasses.asdict(asking.measuring),
        "lanes": {
            lane.name: {
                "definition": dataclasses.asdict(lane),
                "hash": run.lane_hashes[lane.name],
                "model": stamps[lane.name].model if lane.name in stamps else "",
                "adapter": stamps[lane.name].adapter if lane.name in stamps else "",
            }
            for lane in lanes
        },
    }


def _wants_similarity(cases: Iterable[Case]) -> bool:
    return any("similar" in check for case in cases for check in case.checks)


def index_mark(home: Path) -> str:
    """A mark that changes with what a knowledge base holds, "" when nothing was ever indexed."""
    try:
        with read_index(home) as index:
            rows = [row for row in index.files() if row.state == "indexed"]
    except InputError:
        return ""
    marks = sorted(f"{row.folder} {row.file} {row.hash} {row.made_with}" for row in rows)
    return records.hash_text("\n".join(marks))
