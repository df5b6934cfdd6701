"""STAGE answer(requests): the tokens of several lanes as they come, then an Answer each; runs in the engine's process.

Lanes with the same model and adapter state share a context and are decoded in one batch; contexts take turns, so all
lanes stream together. Models and contexts are kept for the next question (see `pool`).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench import turns
from workbench.catalog.template import read_template, render
from workbench.children import stop_requested
from workbench.errors import TooLittleMemory, WorkbenchError
from workbench.events import Event, Result, Stage, Token, Waiting
from workbench.lanes import pool
from workbench.lanes.batch import Sampler
from workbench.lanes.context import Context
from workbench.lanes.endings import goes_round, next_prompt
from workbench.lanes.lane import Answer, Lane, Turn
from workbench.lanes.llama import Model, text_decoder
from workbench.lanes.settle import asked
from workbench.lanes.stamp import make_stamp
from workbench.retrieval.passage import Passage
from workbench.retrieval.prompt import FittedPrompt, Material, fit_prompt, parse_citations
from workbench.stops import Stops

FIRST_ROOM = 96  # tokens of an answer that a context is made for; most are shorter, and longer ones make it grow
STEPS_PER_CHUNK = 4  # tokens each running lane gets between two chunks of another lane's prompt


@dataclass(frozen=True, slots=True)
class Request:
    """One question for one lane, with what was found for it."""

    question: str
    lane: Lane
    passages: tuple[Passage, ...] = ()  # best first; whole documents for a lane with context "full"
    history: tuple[Turn, ...] = ()
    copied: bool | None = None  # whether the model's faster copy is read, as answers before this one; see `pool.model`


@dataclass(slots=True)
class _Run:
    """A lane being answered."""

    request: Request
    started: float
    model: Model
    flash: bool
    fitted: FittedPrompt
    prompt: str
    tokens: list[int]
    limit: int  # tokens of context in the end, when the answer has the longest length it may have
    canary: str = ""
    loose: bool = False  # goes on from an earlier answer as it was decoded, whose last bits are not those of reading
    sequence: int = -1
    read: int = 0  # tokens of the prompt that are in the cache
    next_token: int = -1  # chosen and not yet decoded
    count: int = 0  # tokens of the answer
    text: str = ""
    sampler: Any = None
    decoder: Any = field(default_factory=text_decoder)
    first: float = 0.0  # when the first token came
    last: float = 0.0
    stopped: str = ""

    @property
    def lane(self) -> Lane:
        return self.request.lane

    @property
    def need(self) -> int:
        """Tokens of context at first: the prompt and the beginning of an answer."""
        return len(self.tokens) + min(self.lane.sampling.max_tokens, FIRST_ROOM)

    @property
    def reading(self) -> bool:
        return self.read < len(self.tokens)


def answer(requests: tuple[Request, ...], stops: Stops | None = None, exact: bool = False) -> Stage:
    """Yields Waiting and Token of every lane, and a Result with each lane's Answer as it is done.

    A lane that fails gets an Answer whose `stopped` is "failed" and whose `error` is the sentence, and one whose name
    is in `stops` ends at once with what it has said, "cancelled"; the others go on. With `exact` an answer is the same
    bit for bit whatever else is asked or runs beside it, for evaluations; without it, it comes as fast as it can here.
    """
    hurry = contextlib.nullcontext() if exact else turns.hurrying()
    with asked(), hurry, pool.holding() as held:
        yield from _answer_all(requests, stops, exact, held)


def _answer_all(requests: tuple[Request, ...], stops: Stops | None, exact: bool, held: list[Model]) -> Stage:
    started, stops = time.perf_counter(), stops or Stops()
    pool.thread_limit.cache_clear()  # the settings may have changed since the last question
    pool.card_settings.cache_clear()
    runs: list[_Run] = []
    read: _Read = {}
    for request in requests:
        if request.lane.name in stops:
            yield Result(_unanswered(request, started, "cancelled"))
            continue
        yield Waiting(request.lane.name, _waiting_for(request))
        try:
            runs.append(_prepare(request, started, *_reading(request, exact, read, held)))
            runs[-1].loose = not exact and bool(request.history)
        except WorkbenchError as error:
            yield Result(_unanswered(request, started, "failed", str(error)))
    groups: list[_Group] = []
    try:
        found = pool.group(runs, lambda run: (run.model, run.lane.adapter, run.lane.adapter_scale), _needs)
        for together in sorted(found, key=_already_held, reverse=True):  # nobody takes the context another goes on in
            try:
                groups.append(_open_group(together))
            except WorkbenchError as error:
                for run in together:
                    yield Result(_unanswered(run.request, started, "failed", str(error)))
        yield from _take_turns(groups, stops)
    finally:
        for each in groups:
            each.close()


_Read = dict[tuple[Path, bool | None], tuple[Model, bool]]  # with flash attention or without it


def _reading(request: Request, exact: bool, read: _Read, held: list[Model]) -> tuple[Model, bool]:
    """The model of a request and its attention, the same for all lanes of a question: a trial may end in between."""
    key = request.lane.model, request.copied
    if key not in read:
        found = pool.model(request.lane.model, exact, request.copied)
        held.append(found)
        read[key] = found, not exact and pool.flash(found)
    return read[key]


def _needs(run: _Run) -> int:
    return run.need


def _prompts(runs: list[_Run]) -> list[tuple[list[int], bool]]:
    return [(run.tokens, run.loose) for run in runs]


def _already_held(runs: list[_Run]) -> int:
    return pool.already_held(runs[0].model, runs[0].lane.adapter, _prompts(runs))


def _waiting_for(request: Request) -> str:
    if not request.passages:
        return "starting"
    one = len(request.passages) == 1
    if request.lane.context == "full":
        return "reading the document" if one else f"reading {len(request.passages)} documents"
    return "reading 1 passage" if one else f"reading {len(request.passages)} passages"


def _prepare(request: Request, started: float, model: Model, flash: bool) -> _Run:
    """Fit, render and tokenise the prompt. Raises BadModel, MissingFile, InputError or TooLittleMemory."""
    lane = request.lane
    longest = pool.longest_context(model)
    room = longest - min(lane.sampling.max_tokens, longest // 2)
    fitted = fit_prompt(_material(request), model.count, room)
    prompt = render(read_template(lane.model), fitted.messages)
    tokens = model.prompt_tokens(prompt)
    parts = dict(fitted.parts)
    extra = len(tokens) - sum(parts.values())
    fitted = FittedPrompt(fitted.messages, fitted.passages, (*fitted.parts, ("template", max(0, extra))))
    limit = min(len(tokens) + lane.sampling.max_tokens, longest)
    return _Run(request, started, model, flash, fitted, prompt, tokens, limit)


def _material(request: Request) -> Material:
    lane = request.lane
    grounded = lane.context != "none"
    return Material(
        question=request.question,
        system=lane.system,
        examples=lane.examples,
        history=tuple((turn.question, turn.answer) for turn in request.history),
        passages=request.passages,
        grounded=grounded,
        worked=grounded and lane.grounded_examples,
        documents_first=lane.context == "full",
    )


class _Group:
    """Lanes that share a context and a batch."""

    def __init__(self, context: Context, runs: list[_Run]) -> None:
        self.context = context
        self.runs = runs  # those not done
        self.failed = False
        self._all = tuple(runs)
        self._free = set(range(context.sequences))
        self._step_seconds = 0.0  # what the last token took
        for run in sorted(runs, key=lambda run: len(run.tokens)):
            run.sequence = max(self._free, key=lambda each: (context.shared(each, run.tokens, run.loose), -each))
            self._free.remove(run.sequence)
            run.read = context.reuse(run.sequence, run.tokens, run.loose)
            run.sampler = Sampler(context, run.lane.sampling)

    def end_stopped(self, stops: Stops) -> Iterator[Event]:
        """Let go of the lanes that nobody waits for any more; a sequence keeps what it read for the next question."""
        for run in [each for each in self.runs if each.lane.name in stops]:
            run.stopped = "cancelled"
            self.runs.remove(run)
            yield Result(self._answer(run))

    def turn(self, wanted: Callable[[], bool], alone: bool) -> Iterator[Event]:
        """A few tokens for each running lane, then a chunk of the shortest prompt that is still being read, and whole
        ones beside it as far as they fit into a chunk: lanes that begin together decode all their tokens together.

        It is cut short when something else is `wanted`: a chunk that was half read is read again in the next turn.
        With `alone` no lane is streaming yet, so that larger chunks hold nobody up.
        """
        reading = any(run.reading for run in self.runs)
        pool.ask_for_rest(self.context, reading, self._step_seconds)
        if reading:
            turns.await_rest()
        pool.advise_threads(self.context)
        for _ in range(STEPS_PER_CHUNK if reading else 1):
            yield from self._step()
            if wanted():
                break
        room = (2 if alone else 1) * self.context.chunk
        while reading:
            before = self.context.tokens_read
            yield from self._read_chunk(min((run for run in self.runs if run.reading), key=self._left), wanted, alone)
            room -= self.context.tokens_read - before
            reading = not wanted() and any(run.reading and self._left(run) <= room for run in self.runs)

    def _left(self, run: _Run) -> int:
        """Tokens of a prompt that are to be read, where what other lanes have read of it is taken over."""
        held = max(self.context.shared(each, run.tokens, run.loose) for each in range(self.context.sequences))
        return len(run.tokens) - max(run.read, held)

    def _step(self) -> Iterator[Event]:
        """Decode one token of each running lane, in one batch where that changes nothing."""
        running = [run for run in self.runs if not run.reading]
        if not running:
            return
        yield from self._make_room(running)
        running = [run for run in running if run in self.runs]
        began = time.perf_counter()
        for batch in [[run] for run in running] if self.context.alone else [running]:
            self.context.decode([(run.sequence, run.next_token, len(run.tokens) + run.count - 1) for run in batch])
            self._step_seconds = time.perf_counter() - began
            for place, run in enumerate(batch):
                yield from self._take(run, place)

    def _make_room(self, running: list[_Run]) -> Iterator[Event]:
        """Let the context grow by half when an answer comes to its end, as far as one of the lanes may need.

        Where there is no memory for that the lanes that need it end there, and the others go on.
        """
        over = [run for run in running if len(run.tokens) + run.count > self.context.length]
        if not over:
            return
        most = max(run.limit for run in running)
        samplers = [run.sampler for run in self._all]
        wanted = min(most, max(self.context.length * 3 // 2, self.context.length + 64))
        try:
            self.context = pool.grow(self.context, wanted)
        except TooLittleMemory:
            for run in over:
                run.stopped = "length"
                self.runs.remove(run)
                yield Result(self._answer(run))
            return
        for sampler in samplers:
            sampler.move(self.context)

    def _read_chunk(self, run: _Run, wanted: Callable[[], bool], alone: bool) -> Iterator[Event]:
        run.read = self.context.borrow(run.sequence, run.tokens, run.read, run.loose)

        def put_off() -> bool:
            turns.renew()  # for as long as this takes
            return wanted()

        run.read = self.context.read(run.sequence, run.tokens, run.read, put_off, alone)
        if run.reading:
            yield Waiting(run.lane.name, f"prefill {100 * run.read // len(run.tokens)} %")
            return
        twins = [each for each in self.runs if each.reading and each.tokens == run.tokens]
        for twin in twins:
            self.context.copy(run.sequence, twin.sequence)
            twin.read = len(twin.tokens)
        for each in (run, *twins):  # before the next decoding overwrites the logits
            yield from self._take(each, -1)

    def _take(self, run: _Run, place: int) -> Iterator[Event]:
        """Choose a lane's next token after the logits at `place`; end the lane where it ends."""
        token = run.sampler.choose(place)
        run.last = time.perf_counter()
        run.first = run.first or run.last
        run.count += 1
        ended = run.model.ends(token)
        piece = run.decoder.decode(b"" if ended else run.model.piece(token), final=ended)
        if not run.text:
            piece = piece.lstrip()  # some vocabularies begin every answer with a blank
        run.text += piece
        run.next_token = token
        if piece:
            yield Token(run.lane.name, piece)
        full = len(run.tokens) + run.count >= run.limit
        over = next_prompt(run.text, run.fitted.passages)
        if over is not None:
            run.text, ended = run.text[:over], True
        circles = not ended and bool(piece) and goes_round(run.text)
        if ended or circles or run.count >= run.lane.sampling.max_tokens or full:
            run.stopped = "end" if ended else "repeats" if circles else "length"
            self.runs.remove(run)
            yield Result(self._answer(run))

    def _answer(self, run: _Run) -> Answer:
        lane = run.lane
        tail = run.decoder.decode(b"", final=True)
        text, cited, dropped = parse_citations((run.text + tail).strip(), len(run.fitted.passages))
        seconds = run.last - run.first
        return Answer(
            question=run.request.question,
            lane=lane.name,
            text=text,
            passages=run.fitted.passages,
            cited=cited,
            dropped_citations=dropped,
            prompt=run.prompt,
            prompt_parts=run.fitted.parts,
            prompt_tokens=len(run.tokens),
            answer_tokens=run.count,
            first_token_seconds=run.first - run.started if run.count else 0.0,
            tokens_per_second=(run.count - 1) / seconds if seconds > 0 else 0.0,
            seconds=time.perf_counter() - run.started,
            stopped=run.stopped,
            retrieved=run.request.passages,
            stamp=make_stamp(self.context, run.prompt, run.fitted.passages, lane.sampling, run.canary),
        )

    def close(self) -> None:
        for run in self._all:
            if run.sampler is not None:
                run.sampler.close()
        if self.failed:  # nobody knows what it holds
            pool.discard(self.context)
        else:
            pool.give_back(self.context)


def _open_group(runs: list[_Run]) -> _Group:
    lane, model, flash = runs[0].lane, runs[0].model, runs[0].flash
    longest = max(run.need for run in runs)
    context = pool.take_context(model, lane.adapter, lane.adapter_scale, longest, len(runs), flash, _prompts(runs))
    try:
        canary = pool.check_context(context)
        for run in runs:
            run.canary = canary
        return _Group(context, list(runs))
    except BaseException:
        pool.discard(context)
        raise


def _take_turns(groups: Sequence[_Group], stops: Stops) -> Iterator[Event]:
    """Every context in turn until no lane is left; a context that fails takes only its own lanes with it.

    A stop is answered within a step, about 40 ms: whatever is being read just then is put off for it.
    """

    def wanted() -> bool:
        return stop_requested() or stops.any_of(running)

    while running := {run.lane.name for group in groups for run in group.runs}:
        for group in groups:
            for each in groups:
                yield from each.end_stopped(stops)
            running = {run.lane.name for group in groups for run in group.runs}
            try:
                alone = all(run.reading for group in groups for run in group.runs)
                yield from group.turn(wanted, alone)
            except WorkbenchError as error:
                group.failed = True
                for run in group.runs:
                    yield Result(_unanswered(run.request, run.started, "failed", str(error), run.prompt, run.text))
                group.runs = []


def _unanswered(
    request: Request, started: float, stopped: str, error: str = "", prompt: str = "", text: str = ""
) -> Answer:
    """What is left of a lane that failed, or was stopped before it had a place in a context."""
    return Answer(
        question=request.question,
        lane=request.lane.name,
        text=text,
        prompt=prompt,
        seconds=time.perf_counter() - started,
        stopped=stopped,
        error=error,
        retrieved=request.passages,
    )


def unload() -> Stage:
    """Free every model and context that no stage is using."""
    with contextlib.suppress(WorkbenchError):
        pool.clear()
    yield Result(None)


def forget_kept() -> Stage:
    """Drop what is kept on disk of conversations whose contexts had to go."""
    pool.forget_kept()
    yield Result(None)
