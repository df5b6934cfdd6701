"""The three tasks of `workbench bench sets`: the same every time, nothing leaked, every row right; and a tiny run."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from workbench import paths
from workbench.bench._sets import Row, TaskSet, intents, make_sets, sides
from workbench.bench.sets import GOALS, Outcome, bag_of_words, learn, report
from workbench.evaluation.checks import run_checks
from workbench.evaluation.records import Case
from workbench.evaluation.text import words
from workbench.lanes.lane import Answer
from workbench.tuning.tokens import load_tokenizer

FILES = ("intents.txt", "bookings.txt", "notes.txt")


def passes(row: Row, answer: str) -> bool:
    case = Case("1", row.question, "behaviour", row.checks)
    return all(outcome.passed for outcome in run_checks(case, Answer(row.question, "base", answer)))


@pytest.fixture(scope="module")
def tasks() -> tuple[TaskSet, ...]:
    return make_sets(1)


def test_a_seed_gives_the_same_rows_and_another_one_others(tasks: tuple[TaskSet, ...]) -> None:
    assert make_sets(1) == tasks
    assert all(one.unseen != other.unseen for one, other in zip(make_sets(2), tasks, strict=True))


def test_every_task_has_some_hundred_different_rows(tasks: tuple[TaskSet, ...]) -> None:
    assert [task.name for task in tasks] == list(GOALS)
    for task in tasks:
        assert 300 <= len(task.train) <= 500 and 100 <= len(task.unseen) <= 200
        questions = Counter(" ".join(words(row.question)) for row in (*task.train, *task.unseen))
        assert questions.most_common(1)[0][1] == 1, questions.most_common(1)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_sentence_and_no_value_is_on_both_sides(file: str, seed: int) -> None:
    trained, unseen = sides(paths.resources() / "sets", file, seed)
    for mine, theirs in ((trained.sentences, unseen.sentences), (trained.values, unseen.values)):
        assert mine.keys() == theirs.keys()
        for name in mine:
            # as words: a sentence that differs in its capitals alone would be a leak
            ours, others = ({" ".join(words(each)) for each in side[name]} for side in (mine, theirs))
            assert ours and others and not ours & others, name


def test_no_sentence_stands_under_two_intents() -> None:
    both = sides(paths.resources() / "sets", "intents.txt", 1)
    told = [
        " ".join(words(each)) for side in both for each in (line for each in side.sentences.values() for line in each)
    ]
    assert len(told) == len(set(told)) > 900


def test_every_answer_passes_its_own_checks_and_another_rows_fails_them(tasks: tuple[TaskSet, ...]) -> None:
    for task in tasks:
        rows = (*task.train, *task.unseen)
        for row in rows:
            assert passes(row, row.answer) and not passes(row, row.question) and "{" not in row.question, row
            other = next(each for each in rows if each.answer != row.answer)
            assert not passes(row, other.answer), (row, other)


def test_a_letter_fails_for_each_rule_of_the_house_style_that_it_breaks(tasks: tuple[TaskSet, ...]) -> None:
    row = tasks[2].unseen[0]
    told = row.answer.split("\n\n")
    longer = "\n\n".join([told[0], told[1] + " We are glad. We hope you are glad too.", told[2]])
    broken = [row.answer.replace("Dear", "Hello"), row.answer.replace(".", "!", 1), told[1], longer]
    assert not any(passes(row, each) for each in [*broken, row.answer + "\nP.S. Come soon", "\n\n".join(told[::2])])


def test_right_answers_fit_what_a_lane_may_say(tasks: tuple[TaskSet, ...]) -> None:
    tokenizer = load_tokenizer(paths.starter_model())
    for task in tasks:
        longest = max(len(tokenizer.encode(row.answer)) for row in (*task.train, *task.unseen))
        assert longest + 4 <= task.answer_tokens


def test_intents_are_spread_evenly_and_neither_leaked_nor_hopeless() -> None:
    found = []
    for seed in (1, 2, 3):
        task = intents(seed)
        assert set(Counter(row.answer for row in task.train).values()) == {30}
        assert set(Counter(row.answer for row in task.unseen).values()) == {12}
        found.append(bag_of_words(task))
    # about as on public sets of a few dozen rows a class; far above it, sentences would repeat each other
    assert all(0.6 < each < 0.9 for each in found), found


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_tiny_run_gives_every_figure(tasks: tuple[TaskSet, ...], tmp_path: Path) -> None:
    task = replace(tasks[1], train=tasks[1].train[:24], unseen=tasks[1].unseen[:2], answer_tokens=16)
    stage, events = learn(task, tmp_path, layers=(28, 29), epochs=1.0, sample_rows=0), 0
    while True:
        try:
            next(stage)
            events += 1
        except StopIteration as stopped:
            outcome = stopped.value
            break
    assert isinstance(outcome, Outcome) and events > 5
    assert outcome.run.parity["ok"] and outcome.evaluation.canaries == {"base": "ok", "tuned": "ok"}
    figures = {each.name: each for each in report(outcome)}
    assert len(figures) == 5 and figures["bookings, tuned, exact JSON, beside the goal"].yardstick == 70
    bare = figures["bookings, bare, exact JSON, beside the most it may be"]
    assert bare.ours == 0 and "0 of 2 unseen rows, 95 % interval 0 to 66 %" in bare.note
    rows = [json.loads(line) for line in (tmp_path / "datasets" / "bookings.jsonl").read_text("utf-8").splitlines()]
    assert [row["completion"] for row in rows] == [row.answer for row in task.train]
