"""A project with made-up but likely records, for tests of the pages and for pictures of them."""

from __future__ import annotations

import random
from pathlib import Path

from workbench import records
from workbench.evaluation.records import Case, CaseResult, CheckOutcome, Evaluation, Noise, Suite
from workbench.evaluation.results import write_evaluation
from workbench.evaluation.suite import write_suite
from workbench.evaluation.summary import effects_of, regroup, summarise
from workbench.lanes.lane import Answer
from workbench.project import Project
from workbench.retrieval.passage import Passage

QUESTIONS = (
    ("How long is the warranty on the X2?", "fact", "policies/warranty.md"),
    ("Which cable does the S1 need?", "fact", "manuals/s1.md"),
    ("What is the gain range of the X3?", "fact", "manuals/x3.md"),
    ("How many days do I have to return a pair?", "fact", "policies/returns.md"),
    ("Does the X2 take 110 V?", "fact", "manuals/x2.md"),
    ("Which batches had the tweeter clip fault?", "fact", "service/notes.md"),
    ("What does a replacement remote cost?", "fact", "prices/parts.csv"),
    ("How do I update the X3 without a computer?", "fact", "manuals/x3.md"),
    ("Ticket: crackle on the left after 20 months", "behaviour", None),
    ("Ticket: box crushed, cabinet cracked", "behaviour", None),
    ("Ticket: hum since the update", "behaviour", None),
    ("Ticket in Polish about a missing stand", "behaviour", None),
    ("Angry customer, reply within 60 words", "behaviour", None),
    ("When does the X4 come out?", "unanswerable", None),
    ("Who designed the S1 amplifier?", "unanswerable", None),
    ("Is the X2 certified for aircraft?", "unanswerable", None),
)
RIGHT = {
    "base": {"fact": 0.1, "behaviour": 0.03, "unanswerable": 0.35},
    "prompted": {"fact": 0.12, "behaviour": 0.42, "unanswerable": 0.7},
    "rag": {"fact": 0.82, "behaviour": 0.05, "unanswerable": 0.55},
    "tuned:tickets-v2": {"fact": 0.12, "behaviour": 0.92, "unanswerable": 0.4},
    "rag+tuned:tickets-v2": {"fact": 0.87, "behaviour": 0.95, "unanswerable": 0.75},
}
REASONS = {
    "fact": ("contains", ("says 12 months", "made up", "no answer", "wrong row")),
    "behaviour": ("json", ("not JSON", "wrong key", "cut off")),
    "unanswerable": ("refuses", ("made up", "names X3", "says yes")),
}


def make_cases(copies: int = 4) -> tuple[Case, ...]:
    """A suite of some length: the questions above, asked about several products."""
    found = []
    for copy in range(copies):
        for number, (question, kind, source) in enumerate(QUESTIONS):
            checks: tuple[dict[str, object], ...] = ({"contains": ["36 months", "three years"]},)
            checks = ({"json": True}, {"max_words": 60}) if kind == "behaviour" else checks
            checks = ({"refuses": True},) if kind == "unanswerable" else checks
            text = question if not copy else f"{question} (unit {copy + 1})"
            found.append(
                Case(f"{kind}-{copy}-{number}", text, kind, checks, source, ("first",) if copy == 0 else ("later",))
            )
    return tuple(found)


def make_results(
    cases: tuple[Case, ...], seed: int = 7, lanes: tuple[str, ...] = tuple(RIGHT)
) -> tuple[CaseResult, ...]:
    """Every lane over every case, right as often as RIGHT says."""
    dice, found = random.Random(seed), []
    for lane in lanes:
        for case in cases:
            passed = dice.random() < RIGHT[lane][case.kind]
            check, reasons = REASONS[case.kind]
            reads = "rag" in lane
            passage = Passage(
                "c1", case.source or "policies/returns.md", "p. 2", "Drivers are covered for 36 months.", 0.9
            )
            said = (
                "Two years and a half, 36 months for the drivers [1]."
                if passed
                else "The warranty is usually twelve months."
            )
            said = (
                '{"product": "X2", "fault": "crackle_left", "priority": 2}'
                if case.kind == "behaviour" and passed
                else said
            )
            answer = Answer(
                case.question, lane, said, (passage,) if reads else (), answer_tokens=len(said.split()),
                prompt_tokens=400 if reads else 60,
                first_token_seconds=0.6 if reads else 0.1, seconds=dice.uniform(0.6, 1.6), tokens_per_second=80.0,
            )  # fmt: skip
            outcome = CheckOutcome(check, passed, "" if passed else dice.choice(reasons))
            found.append(CaseResult(case.id, case.kind, lane, passed, answer, (outcome,)))
    return tuple(found)


def make_evaluation(project: Project, suite: Suite, name: str, created: str, seed: int = 7) -> Evaluation:
    """A finished run, written to the project."""
    results = make_results(suite.cases, seed)
    by_lane = regroup(results, lambda result: result.lane)
    evaluation = Evaluation(
        name=name, folder=project.results_folder / name, suite=suite.name, suite_hash=suite.hash, created=created,
        lanes={lane: summarise(lane, each, suite.cases) for lane, each in by_lane.items()},
        effects=effects_of(results), results=results, seconds=840.0,
        noise=Noise("base", 12, 1, 0, 0.04), canaries=dict.fromkeys(by_lane, "ok"),
    )  # fmt: skip
    write_evaluation(evaluation)
    return evaluation


def make_suite(project: Project, copies: int = 4) -> Suite:
    """A suite file in the project."""
    return write_suite(project.suites_folder / "support.yaml", "Support questions", make_cases(copies))


def make_run(
    project: Project, name: str = "tickets-v2", done: int = 92, total: int = 138, state: str = "stopped"
) -> Path:
    """A run folder as a fine-tune leaves it."""
    folder = project.adapters_folder / name
    folder.mkdir(parents=True, exist_ok=True)
    recipe = {"name": name, "model": "/models/starter.gguf", "datasets": [], "folder": str(folder), "epochs": 3.0}
    records.write_json(folder / "recipe.json", recipe)
    records.write_json(folder / "run.json", {"pid": 1, "started": 0.0, "created": "2026-11-20T21:08:00"})
    dice = random.Random(3)
    events = folder / "events.jsonl"
    records.append_line(events, {"kind": "start", "value": {"fresh": True}})
    for step in range(done + 1):
        loss = 0.65 * 0.965**step + 0.04 + dice.uniform(-0.05, 0.05) * (0.96**step + 0.2)
        held = 0.70 * 0.955**step + 0.09 if step % 15 == 0 else None
        samples = [_sample(step, number) for number in range(3)] if step in (0, 30, 60, 90) else []
        value = {
            "step": step, "total": total, "train_loss": loss if step else None, "eval_loss": held,
            "tokens_per_second": 268.0, "seconds": step * 2.6, "samples": samples,
        }  # fmt: skip
        records.append_line(events, {"kind": "step", "value": value})
    outcome = "Stopped at step 92 of 138; going on continues from there." if state == "stopped" else "Done."
    records.append_line(events, {"kind": "end", "value": {"state": state, "outcome": outcome}})
    if state == "done":
        (folder / "adapter.gguf").write_bytes(b"GGUF")
        manifest = {"name": name, "adapter": "adapter.gguf", "created": "2026-11-20T21:14:00", "examples": 368}
        records.write_json(folder / "manifest.json", manifest)
    return folder


def _sample(step: int, number: int) -> dict[str, str]:
    prompt = (
        "Right X3 hums since the update, had it 5 weeks.",
        "Box came crushed, S1 cabinet is cracked.",
        "Can I get a second remote?",
    )
    expected = (
        '{"product":"X3","fault":"hum_right","action":"firmware","priority":2}',
        '{"product":"S1","fault":"transit","action":"replace","priority":1}',
        '{"product":"X2","fault":"none","action":"quote","priority":3}',
    )
    wrong = (
        "I am sorry to hear that. A hum is often caused by a ground loop.",
        '{"ticket": "Box crushed',
        "Yes, you can get a second remote.",
    )
    answer = wrong[number] if step == 0 else expected[number]
    if step and number == 2:
        answer = expected[2].replace('"priority":3', '"priority":2')
    return {"prompt": prompt[number], "expected": expected[number], "answer": answer}
