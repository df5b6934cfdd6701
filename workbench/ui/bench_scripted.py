"""A load that is scripted: stages that stand for indexing, four lanes and a fine-tune, in the window's own threads.

They send what the real ones send, faster, and nothing is read, answered or trained by them: what is measured is what
drawing costs, in half a minute and without a model.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.children import Worker
from workbench.events import Progress, Result, Stage, Step, Token, Waiting
from workbench.lanes.lane import Answer, Lane
from workbench.ui.window import Window

LANES = ("base", "prompted", "rag", "full")
TOKENS, TOKENS_PER_SECOND = 360, 40  # of each lane: four lanes of the starter reach about 25 on two cores
STEPS_PER_SECOND, FILES_PER_SECOND = 10, 40
TEXT = (
    "## Cover\n\nThe drivers are covered for **36 months** [1], electronics for 24.\n\n- keep the receipt\n"
    "- keep the box\n\n| part | months |\n| --- | --- |\n| driver | 36 |\n\n```json\n{\"months\": 36}\n```\n\n"
)  # fmt: skip


class Scripted:
    """A worker that runs a script in place of every stage."""

    def run(self, function: Any, *arguments: Any) -> Stage:
        yield from reading() if function.__name__ == "build" else ()

    def close(self) -> None:
        pass


def reading() -> Stage:
    """Stands for indexing."""
    for number in range(100_000):
        yield Progress(number, 100_000, f"Reading file-{number}.md", "files", 120.0, "chunks/s", 60.0)
        time.sleep(1 / FILES_PER_SECOND)


def steps() -> Stage:
    """Stands for a fine-tune."""
    total = 2000
    for step in range(1, total):
        held = 0.3 + math.exp(-step / 400) if step % 10 == 0 else None
        yield Step(step, total, 0.2 + math.exp(-step / 300), held, 268.0, step * 2.6)
        yield Progress(step, total, "learning", "steps", 268.0, "tokens/s", (total - step) * 2.6)
        time.sleep(1 / STEPS_PER_SECOND)


def answering(
    question: str, lanes: Sequence[Lane], project: Path, history: Any, knowledge: Worker, engine: Worker, stops: Any
) -> Stage:
    """Stands for the answers of all lanes."""
    words = (TEXT * 20).split(" ")
    for lane in lanes:
        yield Waiting(lane.name, "reading 5 passages")
    for place in range(TOKENS):
        for lane in lanes:
            yield Token(lane.name, words[place % len(words)] + " ")
        time.sleep(1 / TOKENS_PER_SECOND)
    for lane in lanes:
        yield Result(Answer(question, lane.name, " ".join(words[:TOKENS]), answer_tokens=TOKENS, seconds=9.0))


def take_the_place_of_stages() -> None:
    """Have the Compare page ask the script, about lanes that need no model."""
    from workbench.ui import compare_asking, compare_lanes

    compare_lanes.standard_lanes_of = lambda project: {name: Lane(name, Path("/none.gguf")) for name in LANES}
    compare_asking.ask_stage = answering


def start(window: Window) -> None:
    """Indexing, a fine-tune and four lanes, as the pages themselves start them."""
    documents: Any = window.page("documents")
    documents.index_folders()
    finetune: Any = window.page("finetune")
    finetune.run.begin("load", 3.0, "")
    finetune.run.go_on()
    finetune.watch._follow("load", window.bench.project.folder / "load", steps)
    window.open_page("compare", {"lanes": LANES, "question": "How long is the warranty?", "ask": True})
