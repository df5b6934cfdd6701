"""What goes before a question: the parts that asking one question and asking a suite share."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

from workbench.children import Worker
from workbench.events import Event, Result, Stage
from workbench.lanes.lane import Lane
from workbench.retrieval.passage import Passage

MOST_DOCUMENTS = 8  # files of the best passages that are looked at for a lane that reads whole documents


def search_depth(lanes: Iterable[Lane]) -> int:
    """How many passages one search must bring to serve all these lanes; 0 when none of them reads any."""
    return max((_depth(lane) for lane in lanes), default=0)


def _depth(lane: Lane) -> int:
    if lane.context == "sections":
        from workbench.retrieval.sections import sought

        return sought(lane.passages)
    return {"none": 0, "full": MOST_DOCUMENTS}.get(lane.context, lane.passages)


def ranking(reranker: Path | None) -> tuple[Any, ...]:
    """What a search is given after its depth: all documents, and the reranker where there is one."""
    from workbench.retrieval.narrow import EVERYTHING

    return (EVERYTHING, reranker) if reranker is not None else ()


def read_sections(
    passages: tuple[Passage, ...], most: int, home: Path, knowledge: Worker
) -> Generator[Event, None, tuple[Passage, ...]]:
    """The sections the passages stand in, best first, at most so many; `home` is their base's folder."""
    from workbench.retrieval.sections import sections

    if not passages:
        return ()
    values = yield from collect(knowledge.run(sections, home, passages, most))
    return tuple(values)


def whole_documents(
    passages: tuple[Passage, ...], most: int, home: Path, knowledge: Worker
) -> Generator[Event, None, tuple[Passage, ...]]:
    """The whole documents of the best passages, best first, at most so many; `home` is their base's folder."""
    from workbench.retrieval.search import whole

    files = tuple(dict.fromkeys((passage.folder, passage.file) for passage in passages))[:most]
    if not files:
        return ()
    values = yield from collect(knowledge.run(whole, home, files))
    return tuple(values)


def collect(stage: Stage) -> Generator[Event, None, list[Any]]:
    """Pass a stage's events on, except its Results; all their values, whether they came one by one or as a tuple."""
    values: list[Any] = []
    try:
        for event in stage:
            if isinstance(event, Result):
                values += event.value if isinstance(event.value, (tuple, list)) else [event.value]
            else:
                yield event
    finally:
        stage.close()
    return values
