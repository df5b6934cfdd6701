"""Where an answer is over though the model goes on."""

from __future__ import annotations

import pytest

from workbench import paths
from workbench.events import Result
from workbench.lanes.endings import goes_round, next_prompt
from workbench.lanes.engine import Request, answer
from workbench.lanes.lane import Lane, Sampling
from workbench.retrieval.passage import Passage


def test_an_answer_ends_where_the_model_writes_the_next_prompt() -> None:
    passages = (Passage("a", "mast.md", "", "It is 3 m tall.", 1.0),)
    assert next_prompt("It is 3 m [1].\n\nQuestion: And how wide?", passages) == len("It is 3 m [1].\n")
    assert next_prompt("It is 3 m [1].\n[1] mast.md, p. 2", passages) == len("It is 3 m [1].")
    assert next_prompt("It is 3 m [1].\n[1] says so.", passages) is None
    assert next_prompt("Here is one.\nQuestion: who?", ()) is None


@pytest.mark.parametrize(
    "text",
    [
        "See: " + "The lamp is off. " * 9,
        "See: " + "The lamp is off. " * 9 + "The lam",
        "灯が消えています。電源を確認してください。" * 8,
        "First the valve is closed and then the pump is stopped by hand. " * 3,
    ],
)
def test_the_same_piece_again_and_again_is_a_circle(text: str) -> None:
    assert goes_round(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The lamp is off. " * 5,
        "The lamp is off. " * 9 + "Then it is on.",
        "| --- | ---: | " * 20,
        "0.0, 0.0, 0.0, 0.0, " * 20,
        "".join(f"{number}. The lamp in room {number} is off.\n" for number in range(40)),
        "First the valve is closed and then the pump is stopped by hand. " * 2,
    ],
)
def test_what_a_person_may_want_is_none(text: str) -> None:
    assert not goes_round(text)


def test_a_real_answer_that_goes_round_ends_and_says_so() -> None:
    lane = Lane("base", paths.starter_model(), sampling=Sampling(max_tokens=400))
    asked = "Which fuse is inside a Bramble hub?"  # of which the starter knows nothing
    [said] = [event.value for event in answer((Request(asked, lane),), None, True) if isinstance(event, Result)]
    assert said.stopped == "repeats" and goes_round(said.text)
    assert said.answer_tokens < 200
