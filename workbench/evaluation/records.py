"""What evaluation hands on."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.lanes.lane import Answer


@dataclass(frozen=True, slots=True)
class Case:
    """A question with the checks its answer must pass."""

    id: str
    question: str
    kind: str  # "fact", "behaviour" or "unanswerable"
    checks: tuple[dict[str, Any], ...]  # each with one key, as in the contract
    source: str | None = None  # the file that holds the answer, relative to the indexed folder
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suite:
    """Cases in order, from one file."""

    path: Path
    name: str
    cases: tuple[Case, ...]
    hash: str  # SHA-256 of the file's content: results belong to a version of the suite


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """One check of one answer."""

    check: str  # its key, "contains"
    passed: bool
    reason: str  # for people, short: "expects 36 months", "not JSON"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case answered by one lane and checked."""

    case: str
    kind: str
    lane: str
    passed: bool
    answer: Answer
    checks: tuple[CheckOutcome, ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its interval."""

    passed: int
    total: int
    rate: float
    interval: tuple[float, float]  # Wilson, 95 %


@dataclass(frozen=True, slots=True)
class LaneSummary:
    """One lane over a suite."""

    lane: str
    overall: Rate
    by_kind: dict[str, Rate]
    by_check: dict[str, Rate]  # each check's own rate, so "valid against the schema" can be read off
    refused: dict[str, Rate]  # refusals per kind, wanted or not
    median_seconds: float
    p95_seconds: float
    median_first_token: float
    tokens_per_second: float
    found: Rate | None = (
        None  # of the cases with a source: those whose source was in the prompt; None without retrieval
    )
    failed: int = 0  # cases the engine gave no answer to, counted as not passed
    flaky: int = 0  # cases whose repeats did not all come to the same verdict
    retrieve_share: float = 0.0  # of an answer's time, the search; median
    prompt_tokens: float = 0.0  # median
    answer_tokens: float = 0.0  # median


@dataclass(frozen=True, slots=True)
class Noise:
    """A second lane that differs in its seed alone (A/A): what differs then is not the lane."""

    lane: str
    asked: int  # cases asked again
    changed_text: int  # whose text came out differently
    changed_verdict: int  # which passed once and failed once
    margin: float  # differences up to this, in rate, are not read as differences
    seed: int = 0  # of the second lane


@dataclass(frozen=True, slots=True)
class Effect:
    """A paired difference between two lanes over the same cases."""

    name: str  # "retrieval", "tuning", "both", "prompting", "interaction"
    lane: str
    against: str
    difference: float  # in rate, -1 to 1
    interval: tuple[float, float]  # paired bootstrap, 95 %
    p_value: float  # exact McNemar, 1.0 where it does not apply
    better: int  # cases only `lane` passed
    worse: int  # cases only `against` passed
    total: int
    kind: str = ""  # "" over all kinds
    holm_p: float = 1.0  # p_value after Holm's correction over the effects of the same kind of case


@dataclass(frozen=True, slots=True)
class Measuring:
    """How a run measures."""

    repeats: int = 1  # times each case is asked, each time with the next seed; the verdict is the majority's
    cold: bool = False  # forget what was read before each question, so that no lane's time gains from another prompt

    def __post_init__(self) -> None:
        if not 1 <= self.repeats <= 20:
            raise ValueError("repeats must be from 1 to 20")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A whole run: the last Result of the stage, and what results/NAME/evaluation.json holds."""

    name: str
    folder: Path
    suite: str
    suite_hash: str
    created: str  # ISO time
    lanes: dict[str, LaneSummary]
    effects: tuple[Effect, ...]
    results: tuple[CaseResult, ...] = field(default=())
    seconds: float = 0.0  # spent answering, over all restarts
    noise: Noise | None = None
    canaries: dict[str, str] = field(default_factory=dict)  # lane -> "ok", or why it may not be what its label says
    missing_sources: tuple[str, ...] | None = None  # sources the cases name that are not in the index; None: unknown
    made_with: dict[str, Any] = field(default_factory=dict)  # versions, model and adapter hashes, per lane definitions
    oracle: tuple[CaseResult, ...] = ()  # failed cases of fact once more, given the best passages of their source
    in_source: dict[str, str] = field(
        default_factory=dict
    )  # case of fact -> "missing", "silent" or "holds": see oracle
    in_bases: dict[str, dict[str, str]] = field(
        default_factory=dict
    )  # further knowledge base -> the same of what that one holds
    memory: dict[str, int] = field(default_factory=dict)  # lane -> bytes the engine's process held after its cases
    left_out: dict[str, str] = field(
        default_factory=dict
    )  # case -> where training met it: in no rate, effect or verdict, see guard
    unguarded: dict[str, str] = field(default_factory=dict)  # lane -> why it is not known what it was trained on

    @property
    def withheld(self) -> frozenset[str]:
        """Lanes whose canary failed: their label proves nothing, so they are compared with none."""
        return frozenset(lane for lane, said in self.canaries.items() if said != "ok")

    def base_of(self, lane: str) -> str:
        """The knowledge base a lane was set to read, "" for the project's own."""
        made = (self.made_with.get("lanes") or {}).get(lane) or {}
        return str((made.get("definition") or {}).get("base") or "")

    @property
    def counted(self) -> tuple[CaseResult, ...]:
        """The results that rates, effects and verdicts rest on: all but those of cases that training met."""
        return tuple(result for result in self.results if result.case not in self.left_out)
