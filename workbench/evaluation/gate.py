"""The regression gate: an evaluation held against an earlier one, question by question; what got worse fails it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import InputError
from workbench.evaluation.records import Evaluation, Suite
from workbench.evaluation.statistics import losses_by_chance, mcnemar, rate_of
from workbench.evaluation.versions import case_hash


@dataclass(frozen=True, slots=True)
class Baseline:
    """What an earlier evaluation came to: all that a gate needs, and no text of any document."""

    name: str
    suite: str
    suite_hash: str
    created: str
    cases: dict[str, str]  # case -> hash of what it asks and checks
    kinds: dict[str, str]
    passed: dict[str, dict[str, bool]]  # lane -> case -> passed
    flips: float = 0.0  # share of verdicts that another seed changes at most; 0 where it was seen to change none


@dataclass(frozen=True, slots=True)
class Change:
    """One lane over one kind of case (or "" for all) then and now."""

    lane: str
    kind: str
    compared: int
    lost: tuple[str, ...]  # cases that passed then and fail now
    won: tuple[str, ...]
    allowed: int  # cases fewer that another seed alone may cost
    p_value: float  # exact McNemar of the change

    @property
    def worse(self) -> bool:
        """Whether more was lost than won, beyond what chance was seen to do."""
        return len(self.lost) - len(self.won) > self.allowed


@dataclass(frozen=True, slots=True)
class Gate:
    """What holding an evaluation against a baseline came to."""

    baseline: str
    changes: tuple[Change, ...]
    withheld: tuple[str, ...] = ()  # lanes whose label is no longer proven
    missing_lanes: tuple[str, ...] = ()  # of the baseline, not run now
    new_cases: tuple[str, ...] = ()
    gone_cases: tuple[str, ...] = ()
    changed_cases: tuple[str, ...] = ()  # same id, another question or other checks: not compared
    met_cases: tuple[str, ...] = ()  # met in training by now: not compared
    regressions: frozenset[tuple[str, str]] = field(default_factory=frozenset)  # lane and case that passed then

    @property
    def passed(self) -> bool:
        return not self.withheld and not any(change.worse for change in self.changes)


def baseline_of(evaluation: Evaluation, suite: Suite) -> Baseline:
    """An evaluation as a later one is held against it."""
    passed: dict[str, dict[str, bool]] = {}
    for result in evaluation.counted:
        if result.lane not in evaluation.withheld:
            passed.setdefault(result.lane, {})[result.case] = result.passed
    noise = evaluation.noise
    return Baseline(
        name=evaluation.name,
        suite=suite.name,
        suite_hash=evaluation.suite_hash,
        created=evaluation.created,
        cases={case.id: case_hash(case) for case in suite.cases},
        kinds={case.id: case.kind for case in suite.cases},
        passed=passed,
        flips=rate_of(noise.changed_verdict, noise.asked).interval[1] if noise and noise.changed_verdict else 0.0,
    )


def hold_against(baseline: Baseline, evaluation: Evaluation, suite: Suite) -> Gate:
    """Compare the lanes and cases both have. Raises InputError when there are none."""
    now = {case.id: case_hash(case) for case in suite.cases}
    shared = [case for case in now if baseline.cases.get(case) == now[case]]
    results = {(each.lane, each.case): each.passed for each in evaluation.counted}
    lanes = [lane for lane in evaluation.lanes if lane in baseline.passed]
    if not shared or not lanes:
        what = "question" if not shared else "lane"
        raise InputError(
            f"The dossier of “{baseline.name}” shares no {what} with this run: name the one it belongs to."
        )
    kinds = ["", *dict.fromkeys(baseline.kinds[case] for case in shared)]
    comparisons = len(lanes) * len(kinds)
    changes = [_change(lane, kind, baseline, results, shared, comparisons) for lane in lanes for kind in kinds]
    return Gate(
        baseline=baseline.name,
        changes=tuple(change for change in changes if change.compared),
        withheld=tuple(lane for lane in lanes if lane in evaluation.withheld),
        missing_lanes=tuple(lane for lane in baseline.passed if lane not in evaluation.lanes),
        new_cases=tuple(case for case in now if case not in baseline.cases),
        gone_cases=tuple(case for case in baseline.cases if case not in now),
        changed_cases=tuple(case for case in now if case in baseline.cases and case not in shared),
        met_cases=tuple(case for case in shared if case in evaluation.left_out),
        regressions=frozenset((change.lane, case) for change in changes for case in change.lost),
    )


def _change(
    lane: str,
    kind: str,
    baseline: Baseline,
    results: Mapping[tuple[str, str], bool],
    shared: list[str],
    comparisons: int,
) -> Change:
    then = baseline.passed[lane]
    cases = [
        case
        for case in shared
        if case in then and (lane, case) in results and (not kind or baseline.kinds[case] == kind)
    ]
    lost = tuple(case for case in cases if then[case] and not results[lane, case])
    won = tuple(case for case in cases if results[lane, case] and not then[case])
    allowed = losses_by_chance(baseline.flips, len(cases), comparisons)
    return Change(lane, kind, len(cases), lost, won, allowed, mcnemar(len(won), len(lost)))


def gate_sentences(gate: Gate) -> list[str]:
    """What a person should know of a gate, worst first."""
    said = [f"{lane}: its label is no longer proven." for lane in gate.withheld]
    for change in gate.changes:
        if change.worse:
            what = f"questions of the kind {change.kind}" if change.kind else "all questions"
            said.append(
                f"{change.lane} got worse on {what}: {len(change.lost)} lost, {len(change.won)} won of "
                f"{change.compared} (p {change.p_value:.2f}). Lost: {', '.join(change.lost[:8])}"
                f"{' …' if len(change.lost) > 8 else ''}."
            )
    if gate.missing_lanes:
        said.append(f"Not run now, so not compared: {', '.join(gate.missing_lanes)}.")
    for cases, what in ((gate.new_cases, "new"), (gate.gone_cases, "gone"), (gate.changed_cases, "changed")):
        if cases:
            said.append(f"{len(cases)} questions are {what} and not compared.")
    if gate.met_cases:
        said.append(f"{len(gate.met_cases)} questions were met in training and are not compared.")
    return said or ["Nothing got worse."]


def gate_json(gate: Gate) -> dict[str, Any]:
    """A gate for scripts."""
    return {
        "baseline": gate.baseline,
        "passed": gate.passed,
        "changes": [
            {
                "lane": change.lane,
                "kind": change.kind,
                "compared": change.compared,
                "lost": list(change.lost),
                "won": list(change.won),
                "allowed": change.allowed,
                "p_value": change.p_value,
                "worse": change.worse,
            }
            for change in gate.changes
        ],
        "withheld": list(gate.withheld),
        "missing_lanes": list(gate.missing_lanes),
        "new_cases": list(gate.new_cases),
        "gone_cases": list(gate.gone_cases),
        "changed_cases": list(gate.changed_cases),
        "met_cases": list(gate.met_cases),
    }
