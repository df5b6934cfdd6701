"""Prompts that fit, in the one shape that lanes and tuning share; and the citations of what comes back."""

from __future__ import annotations

import pytest

from workbench.errors import InputError
from workbench.retrieval.passage import Passage
from workbench.retrieval.prompt import (
    REFUSAL,
    WORKED,
    Material,
    fit_prompt,
    grounded_messages,
    grounded_text,
    parse_citations,
)


def words(text: str) -> int:
    return len(text.split())


def passages(*texts: str) -> tuple[Passage, ...]:
    return tuple(Passage(f"id{place}", f"f{place}.txt", "p. 1", text, 1.0) for place, text in enumerate(texts, start=1))


def test_passages_are_numbered_by_rank_and_the_best_stands_beside_the_question() -> None:
    text = grounded_text("Why?", passages("best", "second"))
    assert text == "[2] f2.txt, p. 1\nsecond\n\n[1] f1.txt, p. 1\nbest\n\nQuestion: Why?"


def test_a_document_stands_at_the_first_turn_so_that_each_prompt_of_a_conversation_begins_with_the_one_before() -> None:
    document, turns = passages("all of it"), [("Why?", "So."), ("When?", "Now."), ("Who?", "Me.")]
    before: tuple[dict[str, str], ...] = ()
    for number, (question, answer) in enumerate(turns):
        material = Material(question, "", (), tuple(turns[:number]), document, grounded=True, documents_first=True)
        fitted = fit_prompt(material, words, 500)
        assert fitted.messages[: len(before)] == before
        assert [name for name, _ in fitted.parts if name != "system"] == ["passages", *["history"][:number], "question"]
        assert sum("all of it" in message["content"] for message in fitted.messages) == 1
        before = (*fitted.messages, {"role": "assistant", "content": answer})


def test_worked_examples_come_first_and_only_when_asked_for() -> None:
    plain = grounded_messages("Why?", passages("best"))
    worked = grounded_messages("Why?", passages("best"), worked=True, system="Be kind.")
    assert [message["role"] for message in plain] == ["system", "user"]
    assert REFUSAL in plain[0]["content"]
    assert worked[0]["content"].startswith("Be kind.\n\n")
    assert len(worked) == 2 + 2 * len(WORKED)
    assert worked[-1] == plain[-1]


def test_every_worked_answer_cites_the_passage_that_holds_it() -> None:
    for _, given, answer in WORKED:
        _, cited, dropped = parse_citations(answer, len(given))
        assert (len(cited), dropped) == (1, 0)


def test_the_worst_passages_are_left_out_first_and_numbers_stay_true() -> None:
    material = Material("Why?", passages=passages("a " * 100, "b " * 100, "c " * 100), grounded=True)
    fitted = fit_prompt(material, words, 350)
    assert [passage.id for passage in fitted.passages] == ["id1", "id2"]
    assert "[3]" not in fitted.messages[-1]["content"]
    assert dict(fitted.parts)["passages"] > 200


def test_a_document_longer_than_the_context_is_read_as_far_as_it_holds() -> None:
    fitted = fit_prompt(Material("Why?", passages=passages("word " * 5000), grounded=True), words, 400)
    assert len(fitted.passages) == 1
    assert 200 < words(fitted.passages[0].text) < 400


def test_passages_go_before_old_turns_and_examples_stay() -> None:
    material = Material(
        "Why?", "Be kind.", (("one", "two"),), (("old " * 150, "x"), ("new", "y")), passages("a " * 60), grounded=True
    )
    fitted = fit_prompt(material, words, 260)
    contents = [message["content"] for message in fitted.messages]
    assert contents[1:5] == ["one", "two", "new", "y"]
    assert [name for name, _ in fitted.parts] == ["system", "examples", "history", "passages", "question"]


def test_a_question_that_fits_nowhere_is_said() -> None:
    with pytest.raises(InputError, match="shorten"):
        fit_prompt(Material("why " * 500), words, 100)


@pytest.mark.parametrize(
    ("text", "count", "expected"),
    [
        ("Two years [1].", 2, ("Two years [1].", (1,), 0)),
        ("Two years [2, 1], not three [2].", 2, ("Two years [2, 1], not three [2].", (2, 1), 0)),
        ("Two years [7].", 2, ("Two years.", (), 1)),
        ("Two years [1, 9][0].", 2, ("Two years [1].", (1,), 2)),
        ('{"rooms": [1, 2, 9]}', 2, ('{"rooms": [1, 2, 9]}', (), 0)),
        ("See item [3].", 0, ("See item [3].", (), 0)),
    ],
)
def test_citations_that_point_at_nothing_are_taken_out_and_counted(
    text: str, count: int, expected: tuple[str, tuple[int, ...], int]
) -> None:
    assert parse_citations(text, count) == expected
