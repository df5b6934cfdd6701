"""Benchmark: a long run of a suite, stopped at random moments and gone on with: is anything lost or asked twice?

The command is the one a person types, in a process of its own; it is stopped as by Ctrl+C, by SIGTERM and by SIGKILL
in turn, and what it left is counted in its own file.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbench import program, records
from workbench.bench import Figure
from workbench.bench._answering import write_adapter
from workbench.bench.search import read_questions, set_folder
from workbench.children import Child
from workbench.errors import ChildCrashed
from workbench.evaluation.records import Case, Suite
from workbench.evaluation.results import DONE, LINES
from workbench.evaluation.suite import read_suite, write_suite
from workbench.events import Progress, Result, Stage, last_result
from workbench.index.build import build
from workbench.lanes.presets import chat_model
from workbench.project import AdapterRef, Project
from workbench.sample import make_sample_project, sample_files

CASES, STOPS = 200, 6
LANES = ("base", "prompted", "rag", "tuned", "rag+tuned")
TOKENS = (
    12  # the longest answer: what is looked at goes on between the answers, and the shorter they are the more it weighs
)
PASSAGES = 1  # for the same reason
RUN = "stopped"
SEED = 17
LOOK = 0.02  # seconds between two looks at the run's file
PATIENCE = 3000  # looks for the end of what was stopped
WITHIN = 1.0  # a stop falls so many seconds or fewer after a line was kept: at a random point of an answer
WORDS = (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM))


@dataclass(frozen=True, slots=True)
class Stop:
    """When and how the command is stopped."""

    after: int  # lines
    word: signal.Signals
    wait: float  # seconds after that line


@dataclass(slots=True)
class Start:
    """One start of the command, as seen from outside."""

    before: bytes  # what the file held: whole lines
    came: list[float] = field(default_factory=list)  # when each line was there, in seconds from the start
    seconds: float = 0.0
    ended: str = ""  # for people


def run(project: Path, count: int = CASES, stops: int = STOPS) -> Stage:
    """Yields Progress and last a Result with a tuple of Figures; the project only lends its model and adapter."""
    with tempfile.TemporaryDirectory(prefix="workbench-bench-") as folder:
        made = _make_project(Path(folder) / "project", Project.open(project))
        suite = _write_cases(made, count)
        total = len(suite.cases) * len(LANES)
        yield Progress(0, total, "Indexing the documents", "answers")
        with contextlib.closing(Child("The document index")) as knowledge:
            last_result(knowledge.run(build, made.folder, made.info.folders))
        chance = random.Random(SEED)
        moments = sorted(chance.sample(range(1, total), min(stops, total - 1)))
        starts: list[Start] = []
        for place, moment in enumerate([*moments, None]):
            stop = None if moment is None else Stop(moment, WORDS[place % len(WORDS)], chance.random() * WITHIN)
            start = Start(_whole_lines(made.results_folder / RUN / LINES))
            yield from _follow(_command(suite, made), made.results_folder / RUN / LINES, start, stop, total)
            starts.append(start)
        yield Result(_figures(starts, made.results_folder / RUN, total))


def _make_project(folder: Path, lender: Project) -> Project:
    """The sample with the documents of the search set beside it, the lender's model, and an adapter."""
    made = make_sample_project(folder)
    made.change(folders=(*made.info.folders, set_folder() / "documents"), chat_model=lender.info.chat_model)
    target = made.adapters_folder / "lent"
    target.mkdir(parents=True)
    adapters = lender.adapters()
    if adapters:
        shutil.copyfile(adapters[-1].path, target / "adapter.gguf")
        told = replace(adapters[-1], name="lent")
    else:
        write_adapter(target / "adapter.gguf", chat_model(lender))
        told = AdapterRef("lent", target, time.strftime("%Y-%m-%dT%H:%M:%S"))
    records.write_json(target / "manifest.json", {**records.to_plain(told), "adapter": "adapter.gguf"})
    return made


def _write_cases(project: Project, count: int) -> Suite:
    """So many cases: the sample's two suites, then questions of the search set, which its own documents answer."""
    files = sample_files(project)
    cases = [*read_suite(files.suite).cases, *read_suite(files.tone).cases]
    asked = [each for each in read_questions() if each.document]
    cases += [
        Case(f"more-{place}", each.question, "fact", ({"contains": [each.answer]},)) for place, each in enumerate(asked)
    ]
    return write_suite(project.suites_folder / "long.yaml", "long", cases[:count])


def _command(suite: Suite, project: Project) -> list[str]:
    lanes = [part for lane in LANES for part in ("--lane", lane)]
    rest = ("--max-tokens", str(TOKENS), "--passages", str(PASSAGES), "--name", RUN, "--project", str(project.folder))
    return program.command("workbench", "evaluate", str(suite.path), *lanes, *rest)


def _follow(command: list[str], path: Path, start: Start, stop: Stop | None, total: int) -> Stage:
    """Start the command and stop it once its file holds so many lines, or let it come to its end."""
    began, lines, tail = time.monotonic(), start.before.count(b"\n"), _Tail(path, len(start.before))
    with tempfile.TemporaryFile() as said:
        # a group of its own, for a terminal sends Ctrl+C to all of a group
        process = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
        try:
            while process.poll() is None and (stop is None or lines < stop.after):
                yield Progress(lines, total, "Answering", "answers")
                time.sleep(LOOK)
                new = tail.new_lines()
                lines += new
                start.came += [time.monotonic() - began] * new
            if stop is not None and process.poll() is None:
                time.sleep(stop.wait)
                _send(process, stop.word)
                for _ in range(PATIENCE):  # looks, not seconds: whoever holds all of us up holds up the command too
                    if process.poll() is not None:
                        break
                    time.sleep(LOOK)
            ended = process.poll() is not None
        finally:
            process.kill()
            process.wait()
        start.seconds = time.monotonic() - began
        if stop is None and process.returncode != 0:
            said.seek(0)
            raise ChildCrashed(f"The run did not come to its end: {said.read()[-500:].decode(errors='replace')}")
    how = f"exit {process.returncode}" if ended else "did not end by itself"
    start.ended = f"{stop.word.name} after {lines} ({how})" if stop is not None else "to its end"


def _send(process: subprocess.Popen[bytes], word: signal.Signals) -> None:
    if word is signal.SIGINT and os.name != "nt":
        os.killpg(process.pid, word)
    else:
        process.send_signal(word)


class _Tail:
    """How many lines were added to a file since it was last looked at."""

    def __init__(self, path: Path, place: int) -> None:
        self._path, self._place = path, place

    def new_lines(self) -> int:
        if not self._path.exists():
            return 0
        with self._path.open("rb") as file:
            file.seek(self._place)
            new = file.read()
        self._place += len(new)
        return new.count(b"\n")


def _whole_lines(path: Path) -> bytes:
    text = path.read_bytes() if path.exists() else b""
    return text[: text.rfind(b"\n") + 1]


def _figures(starts: list[Start], folder: Path, total: int) -> tuple[Figure, ...]:
    kept = _whole_lines(folder / LINES)
    lines = list(records.read_lines(folder / LINES))  # a line torn by a kill is none
    asked = Counter((line["part"], line["result"]["lane"], line["result"]["case"]) for line in lines)
    once = sum(number == 1 for (part, *_), number in asked.items() if not part)
    lost = sum(not kept.startswith(each.before) for each in starts)
    told = {
        (each["lane"], each["case"]): each["answer"]["text"] for each in records.read_json(folder / DONE)["results"]
    }
    same = sum(told.get(_cell(line)) == line["result"]["answer"]["text"] for line in lines if not line["part"])
    spans, whole = list(_spans(starts, lines)), sum(each.seconds for each in starts)
    model = sum(_in_model(line) for line in lines)
    between, of_it = sum(span for span, _ in spans), sum(inside for _, inside in spans)
    ends = "; ".join(each.ended for each in starts)
    share = f"of {len(lines)} answers, second base lane and oracle included; yardstick: the whole"
    return (
        Figure("answered once", once, total, once / total, "", ends),
        Figure("answered, and asked again", sum(asked.values()) - len(asked), 0, 0.0, ""),
        Figure("stops after which an answer was lost", lost, 0, 0.0, ""),
        Figure("answers that the result repeats word for word", same, total, same / total, ""),
        Figure("outside the model, between answers", between - of_it, between, (between - of_it) / between, "s", share),
        Figure("outside the model, with every start", whole - model, whole, (whole - model) / whole, "s", share),
    )


def _cell(line: dict[str, Any]) -> tuple[str, str]:
    return line["result"]["lane"], line["result"]["case"]


def _in_model(line: dict[str, Any]) -> float:
    answer = line["result"]["answer"]
    return float(answer["seconds"] - answer["retrieve_seconds"])


def _spans(starts: list[Start], lines: list[dict[str, Any]]) -> Iterator[tuple[float, float]]:
    """For each start the seconds from its first line to its last, and how much of that the model had."""
    place = 0
    for each in starts:
        place = each.before.count(b"\n")
        own = lines[place + 1 : place + len(each.came)]
        if own:
            yield each.came[-1] - each.came[0], sum(map(_in_model, own))
