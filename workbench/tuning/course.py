"""What the losses of a run say as it goes: which state is the best, when it only gets worse, when it explodes.

A Course is kept with every checkpoint, so that a run that goes on decides as one that was never stopped.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

# A held-out loss is clearly worse than the best from here on, if it also rose by more than chance: the same rows are
# measured each time, so a hundredth is more than rounding, and a curve that has only gone flat stays below it.
CLEARLY = 1.01
# Standard errors of the mean change of a row, some 5 % two-sided. On 23 rows a hundredth alone is chance: two rows that
# went wrong then decided for a state that had seen a third less.
BEYOND_CHANCE = 2.0
MORE_RIGHT = 2  # rows that are right make a state the better one; a single row more or less is chance
# So many where the loss says the opposite: six rows that all changed in one direction are not chance (2 / 2 ** 6 =
# 3 %). A run that was still learning was ended for two rows of 23, and gave 68 % of its unseen rows in place of 82.
SURELY_RIGHT = 6
# A run has diverged when its rows have become e^2 = 7 times less likely, token for token, than in the first steps.
# With that many rows on both sides the usual ups and downs are a few tenths.
DIVERGED = 2.0  # nats per token
WINDOW_ROWS, WINDOW_STEPS = 40, 5  # a mean over at least so many of both


class RowLoss(NamedTuple):
    """What became of a row's trained tokens."""

    total: float  # their loss in nats
    # By how many nats the likeliest token is ahead of the row's own, at the worst place; 0: greedy decoding says it.
    # Narrow ones count: with sure ones alone a state that learnt by heart would win, for it is sure of everything.
    behind: float


@dataclass(frozen=True, slots=True)
class Course:
    """What was seen so far."""

    before: tuple[float, ...] = ()  # nats of each measured held-out row before training
    best: tuple[float, ...] = ()  # the same at best_step
    best_right: int = 0  # rows that were answered right there
    best_step: int = 0
    last: tuple[float, ...] = ()  # the same when they were last measured
    last_right: int = 0
    last_step: int = 0
    worse: int = 0  # measurements in a row that were clearly worse than the best
    planned: int = 0  # steps that were planned, where training ended early; else 0
    early: tuple[float, ...] = ()  # losses of the first steps
    recent: tuple[float, ...] = ()  # losses of the newest steps

    @property
    def overshot(self) -> bool:
        """Whether the state of best_step is to be kept instead of the last one.

        A model that goes on learning soon becomes too sure of itself: its mistakes cost more, so the loss rises, while
        it answers more rows right than before. What is wanted is right answers, so the loss decides among equals only.
        """
        more = self.best_right - self.last_right
        if not self.best:
            return False
        if sum(self.last) < sum(self.best):
            return more >= SURELY_RIGHT
        return more >= MORE_RIGHT or (more > -MORE_RIGHT and clearly_rose(self.best, self.last))

    @property
    def kept(self) -> tuple[float, ...]:
        """The nats of each measured row in the state that is kept."""
        return self.best if self.overshot else self.last

    @property
    def kept_step(self) -> int:
        """The step whose state is kept, of those that were measured."""
        return self.best_step if self.overshot else self.last_step


def clearly_rose(before: Sequence[float], after: Sequence[float]) -> bool:
    """Whether the nats of the same rows, at least one, rose by more than a hundredth and by more than chance."""
    if sum(after) <= CLEARLY * sum(before):
        return False
    changes = [new - old for old, new in zip(before, after, strict=True)]
    if len(changes) == 1:
        return True
    return statistics.fmean(changes) > BEYOND_CHANCE * statistics.stdev(changes) / math.sqrt(len(changes))


def see_held_out(course: Course, step: int, rows: Sequence[RowLoss]) -> Course:
    """After a measurement. The untrained model is no candidate for the best: there would be nothing to keep."""
    losses, right = tuple(row.total for row in rows), sum(row.behind <= 0 for row in rows)
    if step == 0:
        return replace(course, before=losses)
    course = replace(course, last=losses, last_right=right, last_step=step)
    more, fell = right - course.best_right, sum(losses) < sum(course.best)
    if not course.best or more >= MORE_RIGHT or (more > -SURELY_RIGHT and fell):
        return replace(course, best=losses, best_right=right, best_step=step, worse=0)
    return replace(course, worse=course.worse + 1 if course.overshot else 0)


def see_trained(course: Course, loss: float, batch_size: int) -> Course:
    """After a step with this loss, in nats per token."""
    size = window(batch_size)
    early = course.early if len(course.early) == size else (*course.early, loss)
    return replace(course, early=early, recent=(*course.recent, loss)[-size:])


def window(batch_size: int) -> int:
    """How many steps a mean is taken over."""
    return max(WINDOW_STEPS, math.ceil(WINDOW_ROWS / batch_size))


def divergence(course: Course) -> tuple[float, float] | None:
    """The mean loss of the first steps and of the newest, once that has exploded; else None."""
    if course.recent == course.early:  # no more steps yet than one window holds
        return None
    early, recent = (sum(losses) / len(losses) for losses in (course.early, course.recent))
    return (early, recent) if recent > early + DIVERGED else None
