"""The cases of one run being asked: what is there, what is left, how long it takes."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Generator, Iterable, Mapping
from dataclasses import replace

from workbench.children import Worker
from workbench.errors import ChildCrashed, WorkbenchError
from workbench.evaluation.answering import Finder, GivenPassages, await_answer
from workbench.evaluation.checks import Similarity, run_checks
from workbench.evaluation.measuring import forget, resident
from workbench.evaluation.oracle import Sources, oracle_cases, oracle_lane
from workbench.evaluation.records import Case, CaseResult, Measuring, Noise, Suite
from workbench.evaluation.results import Key, Run
from workbench.evaluation.statistics import noise_of
from workbench.evaluation.summary import majority
from workbench.events import Event, Note, Progress, Result, Stage, last_result
from workbench.lanes.lane import Lane
from workbench.lanes.settle import settle
from workbench.lanes.stamp import read_a_copy

SAMPLE = 12  # cases asked of the second base lane where chance has no part: enough to see that it repeats itself
GIVE_UP = 5  # failed cases in a row after which the engine itself is what is broken


class Asking:
    """Every lane over every case, one lane at a time; then what helps to read the results."""

    def __init__(
        self,
        suite: Suite,
        lanes: tuple[Lane, ...],
        finder: Finder,
        engine: Worker,
        similarity: Similarity | None,
        run: Run,
        measuring: Measuring,
    ) -> None:
        self.suite, self.lanes, self.run, self.measuring = suite, lanes, run, measuring
        self.first = run.kept()
        self.repeats = {repeat: run.kept(f"repeat-{repeat}") for repeat in range(2, measuring.repeats + 1)}
        self.noise: Noise | None = None
        self.oracle: tuple[CaseResult, ...] = ()
        self.memory: dict[str, int] = {}
        self._finder, self._engine, self._similarity = finder, engine, similarity
        self._spent: list[float] = []  # seconds of each case asked in this start
        self._failed_in_a_row = 0

    @property
    def total(self) -> int:
        return len(self.lanes) * len(self.suite.cases) * self.measuring.repeats

    @property
    def done(self) -> int:
        return len(self.first) + sum(len(each) for each in self.repeats.values())

    @property
    def results(self) -> dict[Key, CaseResult]:
        """One result for each lane and case: where it was asked several times, one that came out as most did."""
        return {key: majority(self.asked(key)) for key in self._keys()}

    def asked(self, key: Key) -> list[CaseResult]:
        """A case's first answer and its repeats."""
        return [self.first[key], *(each[key] for each in self.repeats.values() if key in each)]

    def settle(self) -> Stage:
        """Find out, before the first answer, how this computer reads the models fastest: a run reads each in one way to
        its end. A run that is gone on with reads them as it began."""
        models = dict.fromkeys(lane.model for lane in self.lanes if self._copied(lane) is None)
        known = True
        stage = self._engine.run(settle, tuple(models))
        with contextlib.suppress(ChildCrashed), contextlib.closing(stage):  # the first answer begins it afresh
            for event in stage:
                if isinstance(event, Result):
                    known = event.value
                elif isinstance(event, Progress):
                    yield Progress(self.done, self.total, event.note, "cases")
        if not known:
            yield Note(
                "This computer was too busy to find out how it reads the model fastest, so this run reads it in the "
                "way that works everywhere, from its first answer to its last, which takes longer."
            )

    def answer_all(self) -> Stage:
        """Every lane over every case, the kept ones from the file."""
        kept = [self.first[key] for key in self._keys() if key in self.first]
        if kept:
            yield Note(f"{self.done} of {self.total} answers are kept from before; going on with the rest.")
            for result in kept:
                yield Result(result)
        for lane in self.lanes:
            for case in self.suite.cases:
                if (lane.name, case.id) not in self.first:
                    yield from self._answer(case, lane)
            yield from self._answer_repeats(lane)
            with contextlib.suppress(WorkbenchError):  # how much memory it took is worth no run
                self.memory[lane.name] = last_result(self._engine.run(resident))

    def _keys(self) -> list[Key]:
        return [(lane.name, case.id) for lane in self.lanes for case in self.suite.cases]

    def _answer(self, case: Case, lane: Lane) -> Stage:
        began = time.monotonic()
        result = yield from self._ask(case, lane, self._finder)
        self.run.keep(result)
        self._spent.append(time.monotonic() - began)
        self.first[lane.name, case.id] = result
        yield Result(result)
        self._watch_failures(result)
        yield self._progress(lane)

    def _answer_repeats(self, lane: Lane) -> Stage:
        """The same cases with the next seeds."""
        for repeat, kept in self.repeats.items():
            for case in self.suite.cases:
                if (lane.name, case.id) not in kept:
                    result = yield from self._ask(case, _reseeded(lane, repeat - 1), self._finder)
                    self.run.keep(result, f"repeat-{repeat}")
                    kept[lane.name, case.id] = result
                    self._watch_failures(result)

    def _ask(self, case: Case, lane: Lane, finder: Finder, said: str = "") -> Generator[Event, None, CaseResult]:
        """Ask one case and check the answer; yields Progress while it is being answered."""
        yield self._progress(lane, said)
        if self.measuring.cold:
            last_result(self._engine.run(forget))
        progress = functools.partial(self._progress, lane, said)
        answer = yield from await_answer(case.question, lane, finder, self._engine, progress, self._copied(lane))
        checks = run_checks(case, answer, self._similarity)
        return CaseResult(case.id, case.kind, lane.name, all(check.passed for check in checks), answer, checks)

    def _copied(self, lane: Lane) -> bool | None:
        """Whether this run's answers of the lane's model were read from its faster copy; None before the first."""
        models = {each.name: each.model for each in self.lanes}
        stamps = (each.answer.stamp for (name, _), each in self.first.items() if models.get(name) == lane.model)
        return next((read_a_copy(stamp) for stamp in stamps if stamp is not None), None)

    def _watch_failures(self, result: CaseResult) -> None:
        failed = result.answer.stopped == "failed"
        self._failed_in_a_row = self._failed_in_a_row + 1 if failed else 0
        if self._failed_in_a_row >= GIVE_UP:
            raise ChildCrashed(
                f"The lane {result.lane} failed at {GIVE_UP} cases in a row ({result.answer.error.rstrip('.')}). "
                f"All other answers are kept: mend the lane and start the run “{self.run.name}” again to go on."
            )

    def _progress(self, lane: Lane, said: str = "") -> Progress:
        left = self.total - self.done
        mean = sum(self._spent) / len(self._spent) if self._spent else None
        answered = sum((lane.name, case.id) in self.first for case in self.suite.cases)
        place = min(answered + 1, len(self.suite.cases))
        note = f"{lane.title or lane.name}: {said or f'case {place} of {len(self.suite.cases)}'}"
        rate = 60 / mean if mean else None
        ends = mean * left if mean is not None else None
        return Progress(self.done, self.total, note, "cases", rate, "cases/min", ends)

    def answer_again(self) -> Stage:
        """A second base lane with another seed (A/A): what it differs by is chance and no lane's doing.

        Where the likeliest token is always taken a seed changes nothing: then a sample is asked, and all cases as soon
        as one text of it differs.
        """
        lane = next((each for each in self.lanes if each.name == "base"), self.lanes[0])
        other, cases = _reseeded(lane, self.measuring.repeats), list(self.suite.cases)
        pairs: list[tuple[CaseResult, CaseResult]] = []
        if lane.sampling.temperature <= 0:
            sample = cases[:: max(1, len(cases) // SAMPLE)][:SAMPLE]
            pairs = yield from self._second_answers(other, sample)
        if lane.sampling.temperature > 0 or any(one.answer.text != two.answer.text for one, two in pairs):
            pairs = yield from self._second_answers(other, cases)
        changed = sum(first.answer.text != again.answer.text for first, again in pairs)
        before, after = [first.passed for first, _ in pairs], [again.passed for _, again in pairs]
        noise = noise_of(lane.name, before, after, changed, len(cases))
        self.noise = replace(noise, seed=other.sampling.seed)

    def _second_answers(
        self, lane: Lane, cases: Iterable[Case]
    ) -> Generator[Event, None, list[tuple[CaseResult, CaseResult]]]:
        kept = self.run.kept("again")
        pairs = []
        for case in cases:
            key = lane.name, case.id
            if key not in kept:
                kept[key] = yield from self._ask(case, lane, self._finder, "once more with another seed")
                self.run.keep(kept[key], "again")
            if "failed" not in (self.first[key].answer.stopped, kept[key].answer.stopped):
                pairs.append((self.first[key], kept[key]))
        return pairs

    def answer_oracle(self, sources: Mapping[str, Sources]) -> Stage:
        """What the documents lane failed at, given the right passages; for each knowledge base that is read."""
        for base, held in sources.items():
            lane = oracle_lane(self.lanes, base)
            if lane is not None:
                yield from self._answer_given(lane, held)

    def _answer_given(self, lane: Lane, sources: Sources) -> Stage:
        alike = [each for each in self.lanes if each.base == lane.base]
        cases = oracle_cases(self.suite.cases, alike, self.results, sources)
        finder = GivenPassages({case.question: sources.passages[case.id][: lane.passages] for case in cases})
        kept = self.run.kept("oracle")
        for case in cases:
            if (lane.name, case.id) not in kept:
                result = yield from self._ask(case, lane, finder, "once more with the right passages")
                self.run.keep(result, "oracle")
                kept[lane.name, case.id] = result
        self.oracle += tuple(kept[lane.name, case.id] for case in cases)


def _reseeded(lane: Lane, by: int) -> Lane:
    return replace(lane, sampling=replace(lane.sampling, seed=lane.sampling.seed + by))
