"""The loop that all trainers share, with a trainer that only counts and a clock that only it moves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from workbench.errors import TooFast
from workbench.events import Note, Result, Step, last_result
from workbench.tuning import loop
from workbench.tuning.checkpoint import read_state
from workbench.tuning.course import Course, RowLoss, window
from workbench.tuning.recipe import Recipe
from workbench.tuning.tokens import Tokens


def none(step: int) -> float:
    return 0.0


def one(step: int) -> float:
    return 1.0


class Counting:
    """A trainer of two numbers, whose steps take what `pace` says, and whose losses are what a test says."""

    precision, later = "fp32", 1.0

    def __init__(
        self,
        pace: Callable[[int], float] = one,
        held: Callable[[int], float] = one,
        loss: Callable[[int], float] | None = None,
        steps: int = 0,
        right: Callable[[int], float] = none,
    ) -> None:
        torch.manual_seed(0)
        self.model = torch.nn.Linear(1, 1)
        self.model.save_pretrained = lambda folder: self._keep()  # type: ignore[assignment]
        self.now, self.steps, self._pace, self._held, self._loss = 0.0, steps, pace, held, loss
        self._right = right  # held-out rows that are answered right
        self.seen: dict[int, list[float]] = {}  # the numbers at each measurement
        self.kept: list[float] = []  # the numbers that were saved

    def backward(self, rows: Sequence[Tokens], guard: Callable[[], None]) -> float:
        guard()
        self.steps += 1
        self.now += self._pace(self.steps)
        loss = self.model(torch.ones(1, 1)).square().sum()
        loss.backward()
        return self._loss(self.steps) if self._loss is not None else float(loss.detach())

    def row_losses(self, rows: Sequence[Tokens], guard: Callable[[], None]) -> list[RowLoss]:
        guard()
        self.seen[self.steps] = self._numbers()
        loss = self._held(self.steps)
        right = self._right(self.steps)
        return [RowLoss(loss, 0.0 if number < right else 1.0) for number in range(len(rows))]

    def _numbers(self) -> list[float]:
        return [each for tensor in self.model.parameters() for each in tensor.detach().flatten().tolist()]

    def _keep(self) -> None:
        self.kept = self._numbers()


def row(number: int = 3, grounded: bool = False) -> Any:
    said = {"messages": [("user", "Who?"), ("assistant", "Me.")], "answer": "Me."}
    return SimpleNamespace(source="", tokens=Tokens((1, 2, number), ((2, 3),)), grounded=grounded, **said)


def follow(
    folder: Path,
    trainer: Counting,
    held_out: int = 0,
    stop: Callable[[], bool] = lambda: False,
    samples: int = 0,
    **changes: Any,
) -> Iterator[Any]:
    """A run of 200 steps over 400 rows."""
    recipe = Recipe("a", folder, (), folder, epochs=4.0, sample_rows=samples, **changes)
    words: Any = SimpleNamespace(decode=str)
    data = loop.Data([row() for _ in range(400)], [row() for _ in range(held_out)], words)  # type: ignore[arg-type]
    return loop.run(recipe, data, stop, trainer)  # type: ignore[arg-type]


def train(folder: Path, monkeypatch: pytest.MonkeyPatch, pace: Callable[[int], float], **changes: Any) -> list[Any]:
    trainer = Counting(pace)
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: trainer.now))
    return list(follow(folder, trainer, **changes))


def test_a_busy_moment_at_the_start_does_not_decide_how_much_is_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = train(tmp_path, monkeypatch, lambda step: 4.0 if step <= 4 else 1.0, minutes=2.0)
    steps = [event for event in events if isinstance(event, Step)]
    assert next(event.total for event in steps if event.step == 4) == 4 + 26
    trained = last_result(iter(events))
    assert trained.step == trained.total == 16 + 104 - 12 and trained.seconds == pytest.approx(120)


def test_a_machine_that_gets_slower_ends_in_time_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = train(tmp_path, monkeypatch, lambda step: 1.0 if step <= 8 else 3.0, minutes=2.0)
    assert 110 < last_result(iter(events)).seconds < 135


def test_a_run_without_a_limit_takes_all_its_steps_and_a_slow_one_a_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert last_result(iter(train(tmp_path / "a", monkeypatch, lambda step: 9.0))).step == 200
    assert last_result(iter(train(tmp_path / "b", monkeypatch, lambda step: 9.0, minutes=0.5))).step == loop.LEAST_STEPS


def scripted(**losses: float) -> Callable[[int], float]:
    """The held-out loss from a step on: at40=2.0 holds until the next one that is named."""
    known = {int(name.removeprefix("at")): loss for name, loss in losses.items()}
    return lambda step: known[max(each for each in known if each <= step)]


OVERFIT = scripted(at0=3.0, at40=2.0, at80=1.0, at120=1.5, at160=1.6)


def told(events: Sequence[Any]) -> list[str]:
    return [event.message for event in events if isinstance(event, Note)]


def test_the_state_with_the_lowest_held_out_loss_is_kept(tmp_path: Path) -> None:
    trainer = Counting(held=OVERFIT)
    events = list(follow(tmp_path, trainer, held_out=8, eval_every=40, patience=0))
    trained = last_result(iter(events))
    assert trained.step == trained.total == 200
    assert trainer.kept == trainer.seen[80] != trainer.seen[200]
    assert told(events) == [
        "The held-out loss was lowest at step 80 (loss 1.000, at the end 1.600): that state is kept."
    ]
    assert trained.said == tuple(told(events)) and trained.course.kept_step == 80
    assert [path.name for path in (tmp_path / "best").iterdir()] == ["80.safetensors"]


def test_a_loss_that_has_only_gone_flat_leaves_the_last_state(tmp_path: Path) -> None:
    trainer = Counting(held=scripted(at0=3.0, at40=1.0, at80=1.009))
    events = list(follow(tmp_path, trainer, held_out=8, eval_every=40))
    assert last_result(iter(events)).step == 200 and not told(events)
    assert trainer.kept == trainer.seen[200]


def test_a_loss_that_rose_for_a_few_rows_by_chance_leaves_the_last_state() -> None:
    best = (0.2,) * 24
    by_chance = (0.1,) * 20 + (0.9,) * 4  # four rows went wrong
    everywhere = (0.25,) * 12 + (0.24,) * 12
    assert sum(by_chance) > sum(best) and sum(everywhere) > sum(best)
    assert not Course(best=best, best_step=80, last=by_chance, last_step=120).overshot
    assert Course(best=best, best_step=80, last=everywhere, last_step=120).overshot


def test_training_ends_when_the_held_out_loss_only_gets_worse(tmp_path: Path) -> None:
    trainer = Counting(held=OVERFIT)
    events = list(follow(tmp_path, trainer, held_out=8, eval_every=40))
    trained = last_result(iter(events))
    assert trained.step == trained.total == 160 and not trained.stopped and trained.course.planned == 200
    assert trainer.kept == trainer.seen[80]
    assert told(events)[0].startswith("Training ended after step 160 of 200") and len(told(events)) == 2
    last = [event for event in events if isinstance(event, Step)][-1]
    assert (last.step, last.total) == (160, 160) and last.eval_loss == pytest.approx(1.6)


def test_a_model_that_is_more_often_right_is_kept_though_its_loss_rises(tmp_path: Path) -> None:
    trainer = Counting(held=OVERFIT, right=scripted(at0=0, at40=2, at80=4, at120=5, at160=6))
    events = list(follow(tmp_path, trainer, held_out=8, eval_every=40))
    assert last_result(iter(events)).step == 200 and trainer.kept == trainer.seen[200]
    assert not told(events)


@pytest.mark.parametrize(("later", "kept"), [(2, 80), (3, 200)])
def test_many_fewer_rows_right_outweigh_a_loss_that_falls_and_a_few_do_not(
    tmp_path: Path, later: int, kept: int
) -> None:
    falling = scripted(at0=3.0, at40=2.0, at80=1.8, at120=1.7, at160=1.6, at200=1.5)
    trainer = Counting(held=falling, right=scripted(at0=0, at40=2, at80=8, at120=later, at160=later, at200=later))
    events = list(follow(tmp_path, trainer, held_out=8, eval_every=40))
    assert trainer.kept == trainer.seen[kept]
    assert bool(told(events)) == (kept == 80)
    if kept == 80:
        assert "Of 8 held-out rows 8 instead of 2 were right" in told(events)[1]


def test_a_bump_that_is_over_by_the_next_look_ends_nothing(tmp_path: Path) -> None:
    trainer = Counting(held=scripted(at0=3.0, at40=2.0, at80=2.4, at120=1.9, at160=2.2, at200=1.8))
    events = list(follow(tmp_path, trainer, held_out=8, eval_every=40))
    assert last_result(iter(events)).step == 200 and trainer.kept == trainer.seen[200]


@pytest.mark.parametrize("killed", [30, 80, 90, 120, 130, 160])
def test_a_killed_run_ends_in_the_state_of_a_straight_one(tmp_path: Path, killed: int) -> None:
    settings = {"held_out": 8, "eval_every": 40, "checkpoint_every": 25}
    straight = Counting(held=OVERFIT)
    events = list(follow(tmp_path / "straight", straight, **settings))
    for event in follow(tmp_path / "other", Counting(held=OVERFIT), **settings):
        if isinstance(event, Step) and event.step == killed:
            break  # nothing is written on the way out
    state = read_state(tmp_path / "other" / "checkpoint")
    assert state is not None and state["step"] <= killed
    other = Counting(held=OVERFIT, steps=state["step"])
    again = list(follow(tmp_path / "other", other, **settings))
    assert other.kept == straight.kept
    assert last_result(iter(again)).course == last_result(iter(events)).course
    assert last_result(iter(again)).said == last_result(iter(events)).said


def test_a_stop_in_the_middle_of_a_measurement_loses_no_measurement(tmp_path: Path) -> None:
    straight = Counting(held=OVERFIT)
    wanted = last_result(follow(tmp_path / "straight", straight, held_out=8, eval_every=40))
    calls: list[int] = []
    first = Counting(held=OVERFIT)

    def stop() -> bool:  # asked once in each step and once in each measurement: at step 80, in the measurement
        calls.append(first.steps)
        return calls.count(80) > 0

    *before, end = follow(tmp_path / "other", first, held_out=8, stop=stop, eval_every=40)
    assert isinstance(end, Result) and end.value.stopped and end.value.step == 80 and before[-1].eval_loss is None
    other = Counting(held=OVERFIT, steps=80)
    _, looked, *after = follow(tmp_path / "other", other, held_out=8, eval_every=40)
    assert (looked.step, looked.eval_loss, looked.train_loss) == (80, 1.0, before[-1].train_loss)
    assert other.kept == straight.kept and after[-1].value.course == wanted.course


@pytest.mark.parametrize("at", [100, 200])
def test_a_stop_while_rows_are_answered_ends_it_at_once_and_they_are_answered_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """Half-way, and after the last step, where the weights of the lowest loss are loaded again."""
    wanted = list(follow(tmp_path / "straight", straight := Counting(held=OVERFIT), held_out=8, eval_every=50))
    first, heard = Counting(held=OVERFIT), []
    monkeypatch.setattr(loop, "answer", _answer_after(lambda: heard.append(1) if first.steps == at else None))
    options: dict[str, Any] = {"held_out": 8, "eval_every": 50, "samples": 2}
    *before, end = follow(tmp_path / "other", first, stop=lambda: bool(heard), **options)
    assert (end.value.stopped, end.value.step, before[-1].samples) == (True, at, ())
    assert before[-1].eval_loss is not None
    other = Counting(held=OVERFIT, steps=at)
    _, late, *after = follow(tmp_path / "other", other, **options)
    assert (late.step, len(late.samples)) == (at, 2)
    assert other.kept == straight.kept and after[-1].value.course == wanted[-1].value.course


def _answer_after(first: Callable[[], Any]) -> Callable[..., list[list[int]]]:
    def answer(model: Any, prompts: list[Any], tokenizer: Any, most: int, guard: Callable[[], None]) -> list[list[int]]:
        first()
        guard()
        return [[7] for _ in prompts]

    return answer


def test_a_loss_that_explodes_ends_the_run_in_a_sentence(tmp_path: Path) -> None:
    trainer = Counting(loss=lambda step: 1.0 if step <= 60 else 4.0)
    with pytest.raises(TooFast, match=r"rose from 1.0 to 3.4 by step 64: the learning rate 0.0005 is too high") as told:
        list(follow(tmp_path, trainer))
    assert told.value.args[1] == 0.00017
    assert "start anew with about a third of it, 0.00017" in str(told.value)
    state = read_state(tmp_path / "checkpoint")
    assert state is not None and state["step"] == 40


def test_what_is_no_number_is_seen_before_it_gets_into_the_weights_or_what_is_kept(tmp_path: Path) -> None:
    class Broken(Counting):
        def backward(self, rows: Sequence[Tokens], guard: Callable[[], None]) -> float:
            loss = super().backward(rows, guard)
            if self.steps > 50:
                self.model.weight.grad.fill_(math.inf)  # as where half precision overflows; the loss is still fine
            return loss

    trainer = Broken()
    with pytest.raises(TooFast, match="The gradient stopped being a number at step 51"):
        list(follow(tmp_path / "gradient", trainer))
    assert all(map(math.isfinite, trainer._numbers()))
    with pytest.raises(TooFast, match="The held-out loss stopped being a number by step 80"):
        list(follow(tmp_path / "held", Counting(held=scripted(at0=3.0, at80=math.nan)), held_out=8, eval_every=40))
    state = read_state(tmp_path / "held" / "checkpoint")
    assert state is not None and state["step"] == 40
    assert [path.name for path in (tmp_path / "held" / "states").iterdir()] == ["40.safetensors"]


@pytest.mark.parametrize("loss", [lambda step: 0.2 if step % 2 else 2.1, lambda step: 0.5 if step < 9 else 2.4])
def test_ups_and_downs_are_no_explosion(tmp_path: Path, loss: Callable[[int], float]) -> None:
    assert last_result(follow(tmp_path, Counting(loss=loss))).step == 200


def test_few_rows_a_step_are_judged_over_more_steps() -> None:
    assert [window(batch_size) for batch_size in (1, 4, 8, 64)] == [40, 10, 5, 5]


def test_a_row_is_right_where_the_likeliest_tokens_are_its_own_however_narrowly() -> None:
    likely = torch.tensor([[0.50, 0.49, 0.01], [0.2, 0.1, 0.7], [0.3, 0.6, 0.1]])
    found = [RowLoss(*each) for each in loop.row_outcomes(likely.log(), torch.tensor([0, 2, 0]), (2, 1)).tolist()]
    assert [each.total for each in found] == pytest.approx([-math.log(0.5 * 0.7), -math.log(0.3)])
    assert found[0].behind == 0 and found[1].behind == pytest.approx(math.log(2))


def test_the_bare_model_is_measured_once_on_the_same_rows(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"weights")

    def measured_at_first(name: str, value: float, held: int = 8, **changes: Any) -> tuple[bool, float]:
        trainer = Counting(held=lambda step: value)
        data = loop.Data([row()] * 20, [row()] * held, None)  # type: ignore[arg-type]
        recipe = Recipe(name, tmp_path / "model.gguf", (), tmp_path / name, sample_rows=0, **changes)
        first = next(each for each in loop.run(recipe, data, lambda: False, trainer) if isinstance(each, Step))  # type: ignore[arg-type]
        assert first.eval_loss is not None
        return 0 in trainer.seen, first.eval_loss

    assert measured_at_first("one", 3.0) == (True, 3.0)
    assert measured_at_first("two", 7.0, learning_rate=1e-3, seed=5) == (False, 3.0), "another recipe, the same model"
    assert measured_at_first("three", 5.0, held=6) == (True, 5.0), "other rows"
    (tmp_path / "model.gguf").write_bytes(b"other weights")
    assert measured_at_first("four", 4.0) == (True, 4.0)


@pytest.mark.parametrize(("held", "measured"), [(20, 20), (33, 32), (64, 32)])
def test_the_rows_that_are_measured_are_of_both_kinds_in_proportion(tmp_path: Path, held: int, measured: int) -> None:
    seen: list[Sequence[Tokens]] = []

    class Noting(Counting):
        def row_losses(self, rows: Sequence[Tokens], guard: Callable[[], None]) -> list[RowLoss]:
            seen.append(rows)
            return super().row_losses(rows, guard)

    turns = [row(number % 2, grounded=number % 2 == 1) for number in range(held)]  # as `split` hands them over
    recipe = Recipe("a", tmp_path, (), tmp_path, sample_rows=0)
    data: Any = loop.Data([row()] * 8, turns, None)  # type: ignore[arg-type]
    trainer: Any = Noting()
    first = loop.run(recipe, data, lambda: False, trainer)
    assert any(isinstance(event, Step) for event in first)
    kinds = [tokens.ids[-1] for tokens in seen[0]]
    assert len(kinds) == measured and abs(kinds.count(0) - kinds.count(1)) <= 2


def test_the_second_half_of_an_adapter_learns_at_a_rate_of_its_own(tmp_path: Path) -> None:
    import torch

    recipe = Recipe("a", tmp_path, (), tmp_path, b_rate=4.0)
    halves = {f"q_proj.lora_{half}.weight": torch.nn.Parameter(torch.zeros(2)) for half in "AB"}

    class Even:
        def backward(self, rows: Sequence[Tokens], guard: Callable[[], None]) -> float:
            for each in halves.values():
                each.grad = torch.ones(2)
            return 1.0

    loop.take_step(Even(), [], loop.make_optimizer(halves, recipe), recipe, 50, 100, lambda: None)  # type: ignore[arg-type]
    slow, fast = (each.detach().abs().max().item() for each in halves.values())
    assert slow > 0 and fast == pytest.approx(4 * slow)
