"""What advice hands on."""

from __future__ import annotations

from dataclasses import dataclass, field

from workbench.evaluation.records import Effect


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed case with the reason it was given."""

    case: str
    lane: str
    reason: str  # a key of attribution.REASONS
    oracle: bool | None = None  # whether the right passages would have brought it; None where they were not tried


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to use, or that it cannot be told yet."""

    recommendation: str  # "prompt", "retrieval", "fine-tuning", "both", "neither" or "cannot-tell"
    lane: str  # the lane that stands for it, "" when there is none
    headline: str  # one sentence
    firmness: str  # one sentence: how firm it is
    by_kind: dict[str, str]  # the same recommendation per kind of case
    reasons: tuple[str, ...]  # sentences with figures
    would_change: tuple[str, ...]  # what would change it
    effects: tuple[Effect, ...]
    failures: dict[str, dict[str, int]]  # lane -> reason -> count
    failed_cases: tuple[Failure, ...]
    questions_needed: int  # about how many more would tell, 0 when it is told
    needed_by_kind: dict[str, int] = field(default_factory=dict)  # the same for each kind of case that is open
    by_tag: dict[str, str] = field(default_factory=dict)  # the same per tag with enough cases that is a part of a kind
    unhelped: tuple[str, ...] = ()  # kinds that are "neither" only because nothing tried helped enough
    scope: str = ""  # one sentence: what a suite of this size can and cannot show
