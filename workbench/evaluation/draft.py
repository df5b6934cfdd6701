"""STAGE draft(project): questions drafted from the indexed documents, for a person to accept or reject.

The program chooses a sentence and what in it is worth asking for (a figure, a date, a name), and words the question
where a rule can; else the model does. So the answer always stands in the document. What is worded badly is thrown away
by the plain rules of `draft_rules`, by looking the question up (its words must find its passage), and by asking it
back: shown the passage, the model must come to the answer again.
"""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from workbench import records
from workbench.bases import home_of, nothing_indexed
from workbench.children import Worker
from workbench.documents.document import Chunk
from workbench.errors import InputError
from workbench.evaluation.draft_rules import ASKED_BEFORE, Subject, draft_fault, subjects_of
from workbench.evaluation.draft_wording import word_by_rule
from workbench.evaluation.records import Case, Suite
from workbench.evaluation.results import slug
from workbench.evaluation.suite import asked_questions, read_suite, write_suite
from workbench.evaluation.text import holds
from workbench.events import Event, Progress, Result, Stage
from workbench.index.files import read_index
from workbench.lanes.engine import Request, answer
from workbench.lanes.lane import Lane, Sampling
from workbench.lanes.material import collect
from workbench.project import Project
from workbench.retrieval.passage import Passage

SYSTEM = (
    "You write exam questions. You are given a text and an answer. Write one short question that the answer answers, "
    "with the text's own words."
)
_SHOWN = (
    ("The bridge over the Wend is 84 metres long and was opened in 1911.", "84 metres", "How many metres"),
    ("Refunds are granted by Mara Holt, who answers within two days.", "Mara Holt", "Who"),
    ("A deposit of $40 is taken for each canoe.", "$40", "How much"),
    ("The quarry at Lowen was closed in 1974 after the flood.", "1974", "In which year"),
    ("Books are lent at the counter until 17:45 on weekdays.", "17:45", "At what time"),
    ("Old maps are kept for 30 years and then given away.", "30 years", "How many years"),
    ("The new songs are sung on 12 June by the whole choir.", "12 June", "When"),
    ("The spare keys are stored in Garrow House.", "Garrow House", "Where"),
)
_WORDED = (
    "How many metres long is the bridge over the Wend?",
    "Who grants refunds?",
    "How much is the deposit for each canoe?",
    "In which year was the quarry at Lowen closed?",
    "At what time are books last lent at the counter on weekdays?",
    "How many years are old maps kept?",
    "When are the new songs sung by the choir?",
    "Where are the spare keys stored?",
)
SHORTEST = 60  # characters of a passage that says enough to be asked about
TRIES = 16  # drafts asked for each one wanted, before the documents are called exhausted
FOUND = 5  # passages among which the words of a question must find its own
LONGEST = 40  # words of an answer to the question asked back: one that says everything has said the answer by chance


@dataclass(frozen=True, slots=True)
class Draft:
    """A question that waits for a person."""

    id: str
    question: str
    answer: str  # as it stands in the passage
    file: str
    location: str
    passage: str
    state: str = "open"  # "open", "accepted" or "rejected"
    fault: str = ""  # why it was thrown away; "" for one worth reading


def draft(
    project: Path,
    lane: Lane,
    engine: Worker,
    count: int,
    seed: int = 7,
    known: Sequence[Draft] = (),
    base: str = "",
) -> Stage:
    """Draft from the documents of a knowledge base, the project's own unless one is named.

    Yields Progress, and a Result(Draft) for each question that reads well until there are `count`; last a Result with
    them all as a tuple. Passages that have one of the `known` drafts are left out, and so are questions that a suite of
    the project asks already. Raises InputError when nothing is indexed.
    """
    asking = replace(lane, name="draft", adapter=None, context="none", system=SYSTEM)
    examples = tuple((_asked_for(*shown), worded) for shown, worded in zip(_SHOWN, _WORDED, strict=True))
    asking = replace(asking, examples=examples, sampling=Sampling(max_tokens=48, seed=seed))
    found: list[Draft] = []
    home = home_of(project, base)
    asked = [*(each.question for each in known), *(question for _, question in asked_questions(Project.open(project)))]
    done = {each.passage for each in known}
    for tried, (chunk, wanted) in enumerate(_subjects(home, seed, done), start=1):
        if len(found) >= count or tried > TRIES * count:
            break
        yield Progress(len(found), count, f"Reading {chunk.file}", "questions")
        made = _draft(chunk, wanted, word_by_rule(wanted, chunk.text), asked)
        if made.fault and made.fault != ASKED_BEFORE:  # else in other words once more
            made = _draft(chunk, wanted, (yield from _worded(wanted, asking, engine)), asked)
        if made.fault or not _is_found(made, home):
            continue
        if (yield from _leads_back(made, chunk, asking, engine)):
            asked.append(made.question)
            found.append(made)
            done.add(made.passage)
            yield Result(made)
    yield Result(tuple(found))


def _subjects(home: Path, seed: int, done: Collection[str]) -> Iterator[tuple[Chunk, Subject]]:
    """Passages with what to ask for, one of each file in turn, so that no long document has all the questions.

    A passage comes again with the next thing to ask for until its text is among those `done`; what a rule can word
    comes first.
    """
    rng = random.Random(seed)
    with read_index(home) as index:
        files = [list(index.chunks(row)) for row in index.files() if row.state == "indexed"]
    if not any(files):
        raise InputError(nothing_indexed(home))
    for chunks in files:
        rng.shuffle(chunks)
    asked = dict.fromkeys((chunk.id for chunks in files for chunk in chunks), 0)
    while any(files):
        for chunks in files:
            if not chunks:
                continue
            chunk = chunks.pop()
            wanted = _in_order(chunk, seed) if len(chunk.text) >= SHORTEST and chunk.text not in done else []
            if asked[chunk.id] < len(wanted):
                yield chunk, wanted[asked[chunk.id]]
                asked[chunk.id] += 1
                chunks.insert(0, chunk)  # behind all others of its file


def _in_order(chunk: Chunk, seed: int) -> list[Subject]:
    """What a passage gives to ask for, by chance but what a rule can word first."""
    found = subjects_of(chunk.text)
    random.Random(f"{seed} {chunk.id}").shuffle(found)  # whatever else was drafted
    return sorted(found, key=lambda each: not word_by_rule(each, chunk.text))


def _worded(wanted: Subject, lane: Lane, engine: Worker) -> Generator[Event, None, str]:
    """What the model makes of it, its first line."""
    asked = _asked_for(wanted.sentence, wanted.answer, wanted.begins)
    answers = yield from collect(engine.run(answer, (Request(asked, lane),)))
    said: str = answers[-1].text if answers else ""
    return said.strip().split("\n")[0].removeprefix("Question:").strip(' "')


def _asked_for(sentence: str, wanted: str, begins: str) -> str:
    """What the model is shown; it ends with how the question begins, which even a small model goes on with.

    Headings are left out: the starter asks about them instead.
    """
    return f"Text: {sentence}\nAnswer: {wanted}\nThe question begins: {begins}"


def _is_found(made: Draft, home: Path) -> bool:
    """Whether the question's own words find its passage: one that they do not find would measure its wording."""
    with read_index(home) as index:
        chunks = index.chunks_by_id([key for key, _ in index.search(made.question, FOUND)])
        return any(chunk.file == made.file and holds(chunk.text, made.answer) for chunk, _ in chunks.values())


def _leads_back(made: Draft, chunk: Chunk, lane: Lane, engine: Worker) -> Generator[Event, None, bool]:
    """Whether the model, shown the passage, answers the question with what it was made for."""
    passage = Passage(chunk.id, chunk.file, chunk.location, chunk.text, 1.0, chunk.start, chunk.end)
    reading = replace(lane, context="passages", system="", examples=())
    answers = yield from collect(engine.run(answer, (Request(made.question, reading, (passage,)),)))
    said: str = answers[-1].text if answers else ""
    return holds(said, made.answer) and len(said.split()) <= LONGEST


def _draft(chunk: Chunk, wanted: Subject, said: str, asked: Sequence[str]) -> Draft:
    fault = draft_fault(said, wanted, chunk.text, f"{chunk.file} {chunk.heading}", asked)
    name = records.hash_text(f"{chunk.id} {said}")[:8]
    return Draft(name, said, wanted.answer, chunk.file, chunk.location, chunk.text, fault=fault)


def write_drafts(project: Path, name: str, drafts: Sequence[Draft]) -> Path:
    """Keep drafts under a name, the newest last; those there already keep what a person decided."""
    path = drafts_file(project, name)
    kept = {each.id: each for each in read_drafts(project, name)}
    merged = kept | {each.id: each for each in drafts if each.id not in kept}
    records.replace_file(path, lambda file: records.void(file.write(_lines(merged.values()))))
    return path


def _lines(drafts: Iterable[Draft]) -> bytes:
    return "".join(json.dumps(records.to_plain(each), ensure_ascii=False) + "\n" for each in drafts).encode()


def read_drafts(project: Path, name: str) -> tuple[Draft, ...]:
    """The drafts of a name, () when there are none."""
    return tuple(records.from_plain(Draft, line) for line in records.read_lines(drafts_file(project, name)))


def drafts_file(project: Path, name: str) -> Path:
    return project / "suites" / "drafts" / f"{slug(name)}.jsonl"


def decide_drafts(
    project: Path, name: str, accepted: Sequence[str], rejected: Sequence[str], suite: Path
) -> tuple[Suite | None, tuple[Draft, ...]]:
    """Put accepted drafts into a suite and mark the others; gives the suite, if one was written, and all drafts.

    Raises InputError for an id there is not.
    """
    drafts = {each.id: each for each in read_drafts(project, name)}
    unknown = [each for each in (*accepted, *rejected) if each not in drafts]
    if unknown:
        raise InputError(f"The drafts “{name}” hold no {', '.join(unknown)}: there are {', '.join(drafts) or 'none'}.")
    written = _add_cases(suite, [drafts[each] for each in accepted if drafts[each].state != "accepted"])
    states = {**dict.fromkeys(rejected, "rejected"), **dict.fromkeys(accepted, "accepted")}
    decided = tuple(replace(each, state=states.get(each.id, each.state)) for each in drafts.values())
    records.replace_file(drafts_file(project, name), lambda file: records.void(file.write(_lines(decided))))
    return written, decided


def _add_cases(path: Path, drafts: Sequence[Draft]) -> Suite | None:
    if not drafts:
        return None
    before = read_suite(path) if path.exists() else None
    cases = [
        Case(f"draft-{each.id}", each.question, "fact", ({"contains": [each.answer]},), each.file, ("drafted",))
        for each in drafts
    ]
    return write_suite(path, before.name if before else path.stem, [*(before.cases if before else ()), *cases])
