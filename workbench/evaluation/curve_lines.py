"""What a data learning curve holds beside each other: the lanes, and the rows as cases that are right or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workbench import records
from workbench.evaluation.checks import read_json_answer
from workbench.evaluation.records import Case
from workbench.lanes.lane import Lane, Sampling
from workbench.tuning.subsets import PlainRow

# Tokens of a few-shot prompt with its question and answer: what a lane gets on any machine (lanes.pool.LEAST_CONTEXT),
# and what is read in seconds. A model of a shorter context gets that.
SHOT_TOKENS = 2048
MARGIN = 32  # tokens that retrieval.prompt.fit_prompt adds to an example, generously; what is over it drops whole


@dataclass(frozen=True, slots=True)
class Line:
    """One lane of the curve."""

    name: str  # "base", "prompted", "few-shot", "rag", "tuned-10", "tuned-30", "tuned-100"
    lane: Lane
    share: float = 0.0  # of the training rows it learnt from; 0 where it learnt from none
    rows: int = 0  # that many; for few-shot those in the prompt
    prompted: str = ""  # the system prompt of a row that has none of its own

    def of_row(self, row: PlainRow) -> Lane:
        """The lane for one row, whose own system prompt and earlier exchanges it is shown as in training."""
        system = "" if self.name == "base" else row.system or self.prompted
        if self.name == "rag":
            system = row.system
        return replace(self.lane, system=system, examples=(*self.lane.examples, *row.history))

    def key(self, row: PlainRow, index: str) -> str:
        """What an answer depends on: a kept one counts as long as this is the same."""
        lane = self.of_row(row)
        learnt = records.hash_file(lane.adapter) if lane.adapter is not None else ""
        plain = {**records.to_plain(lane), "adapter": learnt, "index": index if lane.context != "none" else ""}
        return records.hash_text(str(sorted(plain.items())) + row.question + row.answer)


def few_shot(rows: Sequence[PlainRow], held_out: Sequence[PlainRow], context: int) -> tuple[tuple[str, str], ...]:
    """Training rows as examples of a prompt: in the order of a growing share, until the next one does not fit.

    Only rows of one exchange, since an example is one; never a held-out row, for none is among `rows`.
    """
    room = min(context or SHOT_TOKENS, SHOT_TOKENS) - longest_answer(held_out)
    room -= max((row.tokens + MARGIN for row in held_out), default=0)
    found: list[tuple[str, str]] = []
    for row in (row for row in rows if not row.history):
        room -= row.tokens + MARGIN
        if room < 0:
            break
        found.append((row.question, row.answer))
    return tuple(found)


def longest_answer(held_out: Sequence[PlainRow]) -> int:
    """Tokens an answer may have: half more than the longest that is expected, for what is longer is not the same."""
    return 16 + 3 * max((row.answer_tokens for row in held_out), default=0) // 2


def plain_lines(
    model: Path, rows: Sequence[PlainRow], held_out: Sequence[PlainRow], context: int, prompt: str, indexed: bool
) -> list[Line]:
    """The lines that learn nothing: bare, with the system prompt, with examples in the prompt, with documents.

    `prompt` is the project's, for rows that have no system prompt. Documents are left out where nothing is indexed or
    where rows bring their own passages, and examples where none fits.
    """
    sampling = Sampling(max_tokens=longest_answer(held_out))
    lane = Lane("", model, sampling=sampling)
    shots = few_shot(rows, held_out, context)
    lines = [
        Line("base", replace(lane, name="base")),
        Line("prompted", replace(lane, name="prompted"), prompted=prompt),
    ]
    if shots:
        shown = replace(lane, name="few-shot", examples=shots)
        lines.append(Line("few-shot", shown, 0.0, len(shots), prompt))
    if indexed and not any(row.grounded for row in held_out):
        lines.append(Line("rag", replace(lane, name="rag", context="passages")))
    return lines


def tuned_line(model: Path, adapter: Path, share: float, rows: int, held_out: Sequence[PlainRow]) -> Line:
    """The line of an adapter that learnt from a share of the rows."""
    name = f"tuned-{round(100 * share)}"
    sampling = Sampling(max_tokens=longest_answer(held_out))
    return Line(name, Lane(name, model, adapter=adapter, sampling=sampling), share, rows)


def case_of(number: int, row: PlainRow) -> Case:
    """A held-out row as a case: the same value where its answer is JSON, else the same words."""
    check: dict[str, Any] = {"equals": row.answer}
    try:
        value = read_json_answer(row.answer)
        check = {"json_equals": value} if isinstance(value, (dict, list)) else check
    except ValueError:
        pass
    return Case(str(number), row.question, "behaviour", (check,))
