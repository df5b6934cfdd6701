"""Made-up suites, answers and lanes for the tests of evaluation, advice and report; no weights, no index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from workbench.children import Here
from workbench.evaluation.checks import run_checks
from workbench.evaluation.records import Case, CaseResult, Evaluation, Suite
from workbench.evaluation.statistics import noise_of
from workbench.evaluation.summary import effects_of, regroup, summarise
from workbench.events import Progress, Result, Stage, Token
from workbench.lanes.engine import Request
from workbench.lanes.lane import Answer, Lane, Stamp
from workbench.retrieval.passage import Passage, SearchResult

LANES = ("base", "prompted", "rag", "tuned:tickets", "rag+tuned:tickets")


def make_suite(facts: int = 60, behaviour: int = 40, unanswerable: int = 20, folder: Path = Path("/nowhere")) -> Suite:
    cases = [
        Case(f"fact-{n}", f"What is fact {n}?", "fact", ({"contains": [f"value {n}"]},), source="handbook.md")
        for n in range(facts)
    ]
    cases += [
        Case(f"ticket-{n}", f"Ticket {n}", "behaviour", ({"json": True}, {"max_words": 40})) for n in range(behaviour)
    ]
    cases += [
        Case(f"none-{n}", f"Who is number {n}?", "unanswerable", ({"refuses": True},)) for n in range(unanswerable)
    ]
    return Suite(folder / "suite.yaml", "Made-up questions", tuple(cases), "f" * 64)


def make_lanes(names: Sequence[str] = LANES) -> tuple[Lane, ...]:
    return tuple(
        Lane(
            name, Path("/nowhere/model.gguf"), title=name.capitalize(), context="passages" if "rag" in name else "none"
        )
        for name in names
    )


def make_passage(file: str = "handbook.md", text: str = "A passage about things.") -> Passage:
    return Passage("id-1", file, "p. 2", text, 0.5, vector_rank=1, similarity=0.7)


def make_answer(lane: str, case: Case, right: bool, **changes: Any) -> Answer:
    """An answer that passes or fails the case's first check."""
    good = {"fact": f"It is value {case.id.rpartition('-')[2]} [1].", "behaviour": '{"category": "returns"}'}
    bad = {"fact": "It is something else.", "behaviour": "Dear customer, thank you."}
    texts = good if right else bad
    refusal = "I could not find this in the documents." if right else "It is Ada."
    passages = (make_passage(),) if "rag" in lane else ()
    plain: dict[str, Any] = {
        "question": case.question,
        "lane": lane,
        "text": texts.get(case.kind, refusal),
        "passages": passages,
        "retrieved": passages,
        "prompt": f"{' '.join(passage.text for passage in passages)} {case.question}",
        "seconds": 1.0,
        "first_token_seconds": 0.2,
        "tokens_per_second": 50.0,
        "prompt_tokens": 40,
        "answer_tokens": 9,
        "stamp": Stamp(
            "m" * 64, "", 0.0, f"hash of {case.question}", tuple(p.id for p in passages), 7, {}, "made-up build"
        ),
    }
    return Answer(**{**plain, **changes})


def make_result(lane: str, case: Case, right: bool, **changes: Any) -> CaseResult:
    answer = make_answer(lane, case, right, **changes)
    checks = run_checks(case, answer)
    return CaseResult(case.id, case.kind, lane, all(check.passed for check in checks), answer, checks)


def make_evaluation(suite: Suite, right: Callable[[str, Case, int], bool], lanes: Sequence[str] = LANES) -> Evaluation:
    """An evaluation in which `right(lane, case, place)` says what passed."""
    results = tuple(
        make_result(lane, case, right(lane, case, n)) for lane in lanes for n, case in enumerate(suite.cases)
    )
    groups = regroup(results, lambda result: result.lane)
    return Evaluation(
        name="made-up",
        folder=Path("/nowhere/results/made-up"),
        suite=suite.name,
        suite_hash=suite.hash,
        created="2026-11-21T10:00:00",
        lanes={lane: summarise(lane, each, suite.cases) for lane, each in groups.items()},
        effects=effects_of(results),
        results=results,
        seconds=600.0,
        noise=noise_of("base", [True] * 12, [True] * 12, 0, len(suite.cases)),
        canaries=dict.fromkeys(lanes, "ok"),
        missing_sources=(),
    )


def telling(lane: str, case: Case, place: int) -> bool:
    """Documents bring the facts, the fine-tune brings the format, and both together are best."""
    share = {
        "fact": {"base": 7, "prompted": 10, "rag": 82, "tuned": 12, "rag+tuned": 87},
        "behaviour": {"base": 2, "prompted": 42, "rag": 5, "tuned": 92, "rag+tuned": 95},
        "unanswerable": {"base": 35, "prompted": 70, "rag": 55, "tuned": 40, "rag+tuned": 75},
    }[case.kind][lane.partition(":")[0]]
    return (place * 37) % 100 < share


class FakeStages:
    """Stands in for the stages of retrieval and engine: answers from a script, crashes where told to, and counts."""

    def __init__(self, suite: Suite, right: Callable[[str, Case, int], bool] = telling) -> None:
        self.places = {case.question: (place, case) for place, case in enumerate(suite.cases)}
        self.right = right
        self.asked: list[tuple[str, str]] = []
        self.searches: list[tuple[str, ...]] = []
        self.documents: list[str] = []
        self.before: Callable[[str, Case], None] = lambda lane, case: None  # raises what the engine would

    def answer(self, requests: tuple[Request, ...], stops: object = None, exact: bool = False) -> Stage:
        [request] = requests
        assert exact  # what is evaluated must not depend on what runs beside it
        place, case = self.places[request.question]
        self.asked.append((request.lane.name, case.id))
        assert bool(request.passages) == (request.lane.context != "none")
        self.before(request.lane.name, case)
        yield Token(request.lane.name, "It ")
        yield Token(request.lane.name, "is.")
        yield Result(make_answer(request.lane.name, case, self.right(request.lane.name, case, place)))

    def search(self, project: Path, questions: tuple[str, ...], k: int) -> Stage:
        self.searches.append(questions)
        for question in questions:
            yield Progress(0, 0, "searching")
            yield Result(SearchResult(question, (make_passage(), make_passage("other.md")), 0.01))

    def whole(self, project: Path, files: tuple[tuple[str, str], ...]) -> Stage:
        self.documents += tuple(file for _, file in files)
        for _, file in files:
            yield Result(make_passage(file, "The whole document."))


def all_is_known(models: tuple[Path, ...]) -> Stage:
    """In the place of trials of models that are not there."""
    yield Result(True)


def put_in_place(monkeypatch: pytest.MonkeyPatch, fake: FakeStages) -> Here:
    """Let the program find the fake where it looks for the real stages; returns the worker to pass for both."""
    for stage in ("answer", "search"):
        monkeypatch.setattr(f"workbench.evaluation.answering.{stage}", getattr(fake, stage))
    monkeypatch.setattr("workbench.retrieval.search.whole", fake.whole)
    monkeypatch.setattr("workbench.evaluation.asking.settle", all_is_known)
    return Here()
