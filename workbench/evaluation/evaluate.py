"""STAGE evaluate(suite, lanes): one case at a time, kept as it comes, gone on with after any stop."""

from __future__ import annotations

import dataclasses
import platform
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import workbench
from workbench import records
from workbench.children import Worker
from workbench.errors import ChildCrashed, InputError
from workbench.evaluation.answering import SharedSearch, answer_case
from workbench.evaluation.canary import check_lane
from workbench.evaluation.checks import Similarity, run_checks, same_file
from workbench.evaluation.records import Case, CaseResult, Evaluation, Noise, Suite
from workbench.evaluation.results import Run, list_evaluations, open_run, read_evaluation, write_evaluation
from workbench.evaluation.similarity import similarity_with
from workbench.evaluation.statistics import noise_of
from workbench.evaluation.summary import effects_of, regroup, summarise
from workbench.events import Note, Progress, Result, Stage
from workbench.index.files import read_index
from workbench.lanes.lane import Lane
from workbench.project import Project

__all__ = ["evaluate", "list_evaluations", "read_evaluation"]

REPEATS = 12  # cases asked again of one lane at the end, to see whether it repeats itself; a few seconds each
GIVE_UP = 5  # failed cases in a row after which the engine itself is what is broken
EVERY = 0.4  # seconds between two signs of life at most


def evaluate(
    suite: Suite, lanes: tuple[Lane, ...], project: Path, knowledge: Worker, engine: Worker, name: str = ""
) -> Stage:
    """Run every case over every lane, one lane after the other; yields Progress, a Result(CaseResult) each, and last a
    Result(Evaluation), which results/NAME/evaluation.json then holds too.

    A restart under the same name with the same suite and lanes goes on where it stopped; answers kept from before are
    yielded first. Raises InputError without lanes or with two of one name, ProjectBusy, and ChildCrashed when the
    engine failed at five cases in a row; what was answered is kept.
    """
    names = [lane.name for lane in lanes]
    if not lanes or len(set(names)) != len(names):
        raise InputError("Choose at least one lane to evaluate, and each only once.")
    with Project.open(project).writing("evaluating"):
        files, mark = _indexed_files(project)
        run = open_run(project, suite, lanes, name, mark)
        shared = SharedSearch(knowledge, project, lanes, tuple(case.question for case in suite.cases))
        similarity = similarity_with(knowledge) if _wants_similarity(suite.cases) else None
        asking = _Asking(suite, lanes, shared, engine, similarity, run)
        yield from asking.answer_all()
        yield from asking.answer_again()
        evaluation = _finish(asking, files)
        write_evaluation(evaluation)
        yield Result(evaluation)


class _Asking:
    """The cases of one run being asked: what is there, what is left, how long it takes."""

    def __init__(
        self,
        suite: Suite,
        lanes: tuple[Lane, ...],
        shared: SharedSearch,
        engine: Worker,
        similarity: Similarity | None,
        run: Run,
    ) -> None:
        self.suite, self.lanes, self.run = suite, lanes, run
        self.results = run.kept()
        self.noise: Noise | None = None
        self._shared, self._engine, self._similarity = shared, engine, similarity
        self._spent: list[float] = []  # seconds of each case asked in this start
        self._failed_in_a_row = 0

    @property
    def total(self) -> int:
        return len(self.lanes) * len(self.suite.cases)

    def answer_all(self) -> Stage:
        """Every lane over every case, the kept ones from the file."""
        kept = [self.results[key] for key in self._keys() if key in self.results]
        if kept:
            yield Note(f"{len(kept)} of {self.total} answers are kept from before; going on with the rest.")
            for result in kept:
                yield Result(result)
        for lane in self.lanes:
            for case in self.suite.cases:
                if (lane.name, case.id) not in self.results:
                    yield from self._answer(case, lane)

    def _keys(self) -> list[tuple[str, str]]:
        return [(lane.name, case.id) for lane in self.lanes for case in self.suite.cases]

    def _answer(self, case: Case, lane: Lane) -> Stage:
        began = time.monotonic()
        result = yield from self._ask(case, lane, len(self.results))
        self.run.keep(result)
        self._spent.append(time.monotonic() - began)
        self.results[lane.name, case.id] = result
        yield Result(result)
        self._watch_failures(result)
        yield self._progress(lane, len(self.results))

    def _ask(self, case: Case, lane: Lane, done: int) -> Any:
        """Ask one case and check the answer; yields Progress while it is being answered, returns the CaseResult."""
        yield self._progress(lane, done)
        shown, answer = time.monotonic(), None
        stage = answer_case(case.question, lane, self._shared, self._engine)
        try:
            for event in stage:
                if isinstance(event, Result):
                    answer = event.value
                elif time.monotonic() - shown > EVERY:
                    shown = time.monotonic()
                    yield self._progress(lane, done)
        finally:
            stage.close()
        assert answer is not None  # answer_case always ends with one
        checks = run_checks(case, answer, self._similarity)
        return CaseResult(case.id, case.kind, lane.name, all(check.passed for check in checks), answer, checks)

    def _watch_failures(self, result: CaseResult) -> None:
        failed = result.answer.stopped == "failed"
        self._failed_in_a_row = self._failed_in_a_row + 1 if failed else 0
        if self._failed_in_a_row >= GIVE_UP:
            raise ChildCrashed(
                f"The lane {result.lane} failed at {GIVE_UP} cases in a row ({result.answer.error.rstrip('.')}). "
                f"All other answers are kept: mend the lane and start the run “{self.run.name}” again to go on."
            )

    def _progress(self, lane: Lane, done: int) -> Progress:
        left = self.total - done
        mean = sum(self._spent) / len(self._spent) if self._spent else None
        answered = sum((lane.name, case.id) in self.results for case in self.suite.cases)
        place = min(answered + 1, len(self.suite.cases))
        note = f"{lane.title or lane.name}: case {place} of {len(self.suite.cases)}"
        rate = 60 / mean if mean else None
        return Progress(done, self.total, note, "cases", rate, "cases/min", mean * left if mean is not None else None)

    def answer_again(self) -> Stage:
        """Ask one lane some of its cases once more: what differs then is noise and no lane's doing."""
        lane = next((each for each in self.lanes if each.name == "base"), self.lanes[0])
        kept = self.run.kept(again=True)
        step = max(1, len(self.suite.cases) // REPEATS)
        chosen = [case for case in self.suite.cases[::step] if (lane.name, case.id) in self.results][:REPEATS]
        pairs: list[tuple[CaseResult, CaseResult]] = []
        for case in chosen:
            again = kept.get((lane.name, case.id))
            if again is None:
                again = yield from self._ask(case, lane, self.total)
                self.run.keep(again, again=True)
            first = self.results[lane.name, case.id]
            if "failed" not in (first.answer.stopped, again.answer.stopped):
                pairs.append((first, again))
        changed = sum(first.answer.text != again.answer.text for first, again in pairs)
        before, after = [first.passed for first, _ in pairs], [again.passed for _, again in pairs]
        self.noise = noise_of(lane.name, before, after, changed, len(self.suite.cases))


def _finish(asking: _Asking, files: tuple[str, ...] | None) -> Evaluation:
    """The evaluation of a run that is answered whole."""
    suite, run = asking.suite, asking.run
    results = tuple(asking.results[lane.name, case.id] for lane in asking.lanes for case in suite.cases)
    by_lane = regroup(results, lambda result: result.lane)
    sources = dict.fromkeys(case.source for case in suite.cases if case.source)
    missing = None
    if files is not None:
        missing = tuple(source for source in sources if not any(same_file(source, file) for file in files))
    return Evaluation(
        name=run.name,
        folder=run.folder,
        suite=suite.name,
        suite_hash=suite.hash,
        created=run.created,
        lanes={lane: summarise(lane, each, suite.cases) for lane, each in by_lane.items()},
        effects=effects_of(results),
        results=results,
        seconds=sum(result.answer.seconds for result in results),
        noise=asking.noise,
        canaries={lane.name: check_lane(lane, by_lane[lane.name], by_lane) for lane in asking.lanes},
        missing_sources=missing,
        made_with=_made_with(asking.lanes, results, run),
    )


def _made_with(lanes: tuple[Lane, ...], results: Iterable[CaseResult], run: Run) -> dict[str, Any]:
    """What the run was made with, the runtime's own word where there is one."""
    stamps = {result.lane: result.answer.stamp for result in results if result.answer.stamp is not None}
    return {
        "workbench": workbench.__version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "build": next((stamp.build for stamp in stamps.values()), ""),
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


def _indexed_files(project: Path) -> tuple[tuple[str, ...] | None, str]:
    """The files of the index and a mark that changes with what it holds; None and "" when nothing was ever indexed."""
    try:
        with read_index(project) as index:
            rows = [row for row in index.files() if row.state == "indexed"]
    except InputError:
        return None, ""
    marks = sorted(f"{row.folder} {row.file} {row.hash} {row.made_with}" for row in rows)
    return tuple(row.file for row in rows), records.hash_text("\n".join(marks))
