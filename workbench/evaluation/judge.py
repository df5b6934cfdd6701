"""STAGE judge(evaluation): a model's opinion on each answer, beside a person's own marks and never a headline.

The judge can only say A or B, so nothing it says is misread. Each answer is put to it twice with A and B changed over:
where it contradicts itself or would rather say something else, it has failed, and how often it did stands beside it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workbench import records
from workbench.children import Worker
from workbench.errors import InputError
from workbench.evaluation.expected import expected_texts
from workbench.evaluation.records import Case, CaseResult, Evaluation, Rate, Suite
from workbench.events import Progress, Result, Stage
from workbench.lanes.weigh import weigh

OPTIONS = ("A", "B")
HEARD = 0.5  # of all that the model would say, A and B together must have so much, or it did not take the question
KNOWN = 0.1  # how well the agreement with a person must be known, in rate, before it means something
MARKS, JUDGED = "marks.jsonl", "judge.json"
SYSTEM = "You mark answers. Say A or B and nothing else."

Key = tuple[str, str]  # lane, case


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a model said of one answer."""

    case: str
    lane: str
    right: bool | None  # None: it contradicted itself, or would not choose
    sure: float  # mean probability of what it chose, 0 to 1


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """A judge with what is needed to trust it or not."""

    model: str
    judgements: tuple[Judgement, ...]
    failed: Rate  # answers it gave no verdict on
    lanes: dict[str, Rate]  # what it holds right, of the answers it has a verdict on
    checks: Rate | None  # how often it says what the checks say
    marks: Rate | None  # how often it says what a person marked; None without marks
    kappa: float | None  # Cohen's kappa with the person's marks, which chance alone brings to 0
    failed_lanes: dict[str, Rate] = field(default_factory=dict)  # answers of each lane that it gave no verdict on
    marked_lanes: dict[str, Rate] = field(default_factory=dict)  # of each lane: how often it says what a person marked

    @property
    def sentence(self) -> str:
        """The one line in which a judge may be quoted."""
        failed = f"no verdict on {self.failed.passed} of {self.failed.total}"
        if self.marks is None or self.kappa is None:
            unknown = "None of those it judged is marked, so nothing says how good it is."
            return f"A model judged these answers ({failed}). {unknown}"
        agreed = f"agrees with your marks on {self.marks.passed} of {self.marks.total}, kappa {self.kappa:.2f}"
        return f"A model judged these answers: {failed}; {agreed}."

    @property
    def marks_sentence(self) -> str:
        """How well the agreement is known, and how many marks it takes."""
        needed = marks_needed(self.marks)
        if self.marks is None:
            return f"Mark about {needed} answers, right and wrong ones: from then on the agreement means something."
        low, high = (f"{100 * bound:.0f}" for bound in self.marks.interval)
        known = f"Agreement on {self.marks.total} marked answers: the true one lies between {low} and {high} %"
        if self.marks.total < needed:
            return f"{known}. It takes about {needed} marks to know it to ten points."
        return f"{known}, which are marks enough."


def judge(evaluation: Evaluation, suite: Suite, model: Path, engine: Worker, lanes: Sequence[str] = ()) -> Stage:
    """Yields Progress, and last a Result(JudgeReport), which results/NAME/judge.json then holds too."""
    cases = {case.id: case for case in suite.cases}
    chosen = [
        each
        for each in evaluation.results
        if each.case in cases and each.answer.stopped != "failed" and (not lanes or each.lane in lanes)
    ]
    if not chosen:
        raise InputError("There is no answer to judge: evaluate the suite first, and name lanes that ran.")
    prompts = tuple(_prompt(cases[each.case], each, turned) for each in chosen for turned in (False, True))
    heard: list[tuple[float, float]] = []
    for event in engine.run(weigh, model, prompts, OPTIONS):
        if isinstance(event, Result):
            heard.append(event.value)
        elif isinstance(event, Progress):
            yield Progress(event.done // 2, len(chosen), event.note, event.unit)
    judged = [_verdict(each, heard[2 * n], heard[2 * n + 1]) for n, each in enumerate(chosen)]
    report = report_on(model.name, judged, evaluation, read_marks(evaluation.folder))
    records.write_json(evaluation.folder / JUDGED, report)
    yield Result(report)


def _prompt(case: Case, result: CaseResult, turned: bool) -> tuple[dict[str, str], ...]:
    """The question to the judge; `turned` changes A and B over."""
    texts = expected_texts(case)
    wanted = " or ".join(texts) if texts else "an honest “I do not know”" if case.kind == "unanswerable" else ""
    expects = f"The right answer: {wanted}\n" if wanted else ""
    first, second = ("wrong", "right") if turned else ("right", "wrong")
    asked = (
        f"Question: {case.question}\n{expects}The answer given: {result.answer.text or '(nothing)'}\n"
        f"Is the answer given right?\nA: it is {first}\nB: it is {second}"
    )
    return {"role": "system", "content": SYSTEM}, {"role": "user", "content": asked}


def _verdict(result: CaseResult, plain: tuple[float, float], turned: tuple[float, float]) -> Judgement:
    """Right or wrong where both ways of asking say the same and the judge took the question at all."""
    right, wrong = plain[0] + turned[1], plain[1] + turned[0]
    same = (plain[0] > plain[1]) == (turned[1] > turned[0])
    heard = min(sum(plain), sum(turned)) >= HEARD
    return Judgement(result.case, result.lane, right > wrong if same and heard else None, max(right, wrong) / 2)


def report_on(
    model: str, judged: Sequence[Judgement], evaluation: Evaluation, marks: Mapping[Key, bool]
) -> JudgeReport:
    """What judgements come to beside the checks and a person's marks."""
    clear = [each for each in judged if each.right is not None]
    checked = {(each.lane, each.case): each.passed for each in evaluation.results}
    both = [(each, marks[each.lane, each.case]) for each in clear if (each.lane, each.case) in marks]
    met = [(each.lane, bool(each.right), marked) for each, marked in both]
    pairs = [(said, marked) for _, said, marked in met]
    lanes = dict.fromkeys(each.lane for each in judged)
    return JudgeReport(
        model=model,
        judgements=tuple(judged),
        failed=_rate(each.right is None for each in judged),
        lanes={lane: _rate(bool(each.right) for each in clear if each.lane == lane) for lane in lanes},
        checks=_rate(each.right == checked[each.lane, each.case] for each in clear) if clear else None,
        marks=_rate(one == other for one, other in pairs) if pairs else None,
        kappa=kappa(pairs) if pairs else None,
        failed_lanes={lane: _rate(each.right is None for each in judged if each.lane == lane) for lane in lanes},
        marked_lanes={
            lane: _rate(said == marked for other, said, marked in met if other == lane)
            for lane in dict.fromkeys(other for other, _, _ in met)
        },
    )


def marks_needed(agreed: Rate | None) -> int:
    """How many marks know the agreement to ten points either way: so many that Wilson's interval is 20 points wide.

    It is asked of the end of the present interval that is nearer to one half, where the interval is widest: a few marks
    that all agree do not make it a small number.
    """
    low, high = agreed.interval if agreed is not None else (0.0, 1.0)
    share = min(max(0.5, low), high)
    return next(n for n in range(1, 1000) if _width(round(share * n), n) <= 2 * KNOWN)


def _width(passed: int, total: int) -> float:
    from workbench.evaluation.statistics import rate_of  # scipy: only where there is something to count

    low, high = rate_of(passed, total).interval
    return high - low


def _rate(passed: Iterable[bool]) -> Rate:
    from workbench.evaluation.statistics import rate_of

    each = list(passed)
    return rate_of(sum(each), len(each))


def kappa(pairs: Sequence[tuple[bool, bool]]) -> float:
    """Cohen's kappa (1960, doi 10.1177/001316446002000104): agreement beyond chance; 0 where chance explains all."""
    total = len(pairs)
    seen = sum(one == other for one, other in pairs) / total
    one, other = sum(pair[0] for pair in pairs) / total, sum(pair[1] for pair in pairs) / total
    chance = one * other + (1 - one) * (1 - other)
    return (seen - chance) / (1 - chance) if chance < 1 else 0.0


def mark(evaluation: Evaluation, case: str, lane: str, right: bool | None) -> None:
    """Keep a person's own opinion of an answer, None to take it back; the last one counts.

    Raises InputError for an answer there is not.
    """
    if not any((each.case, each.lane) == (case, lane) for each in evaluation.results):
        raise InputError(f"The run “{evaluation.name}” holds no answer of {lane} to {case}: check both names.")
    line = {"case": case, "lane": lane, "right": right, "when": time.strftime("%Y-%m-%dT%H:%M:%S")}
    records.append_line(evaluation.folder / MARKS, line)


def read_marks(folder: Path) -> dict[Key, bool]:
    """A person's marks on a run."""
    found: dict[Key, bool] = {}
    for line in records.read_lines(folder / MARKS):
        with contextlib.suppress(TypeError, KeyError):
            key, right = (str(line["lane"]), str(line["case"])), line["right"]
            found.pop(key, None)
            if right is not None:
                found[key] = bool(right)
    return found


def read_report(evaluation: Evaluation) -> JudgeReport | None:
    """The judge's report on a run with the marks as they are now, None when it was never judged."""
    kept = _kept(evaluation.folder)
    return kept and report_on(kept.model, kept.judgements, evaluation, read_marks(evaluation.folder))


def read_judgements(folder: Path) -> tuple[Judgement, ...]:
    """What a model said of each answer of a run, without what it comes to; nothing where none judged it."""
    kept = _kept(folder)
    return kept.judgements if kept is not None else ()


def _kept(folder: Path) -> JudgeReport | None:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        found: JudgeReport = records.from_plain(JudgeReport, records.read_json(folder / JUDGED))
        return found
    return None
