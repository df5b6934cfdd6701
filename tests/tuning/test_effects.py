"""What a fine-tune did, as it is measured and as it is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tuning.tiny import tiny_model, with_lora
from workbench import paths
from workbench.tuning import effects
from workbench.tuning.course import Course
from workbench.tuning.loop import Interrupted
from workbench.tuning.tokens import load_tokenizer


class Letters:
    """A tokenizer for the tiny model, whose vocabulary is 97."""

    end_id = -1

    def prompt_ids(self, text: str) -> list[int]:
        return [byte % 97 for byte in text.encode()][:60]

    def render(self, messages: Any, open_turn: bool) -> str:
        return f"{messages[0][1]} "

    def decode(self, ids: list[int]) -> str:
        return " ".join(map(str, ids))


def test_a_change_that_all_rows_share_is_certain() -> None:
    found = effects.paired_change([4.0, 6.0, 2.0], [2.0, 3.0, 1.0], [2, 3, 1])
    assert (found["before"], found["after"], found["change"]) == (2.0, 1.0, -1.0)
    assert found["interval"] == pytest.approx((-1.0, -1.0))


def test_rows_that_disagree_leave_room_for_chance() -> None:
    before, after = [2.0] * 12, [2.0 + (0.5 if row % 2 else -0.4) for row in range(12)]
    found = effects.paired_change(before, after, [1] * 12)
    low, high = found["interval"]
    assert low < 0 < found["change"] < high and not effects.clearly_worse(found)
    assert effects.paired_change(before, after, [1] * 12) == found
    assert effects.paired_change([1.0], [2.0], [1])["interval"] is None


def test_a_longer_row_weighs_more_as_in_the_curve() -> None:
    found = effects.paired_change([30.0, 1.0], [10.0, 2.0], [10, 1])
    assert found["before"] == pytest.approx(31 / 11) and found["after"] == pytest.approx(12 / 11)


def test_the_held_out_rows_are_compared_with_the_state_that_is_kept() -> None:
    course = Course(before=(3.0, 3.0, 3.0), best=(1.0, 4.0, 1.0), best_step=8, last=(2.0, 5.0, 2.0), last_step=12)
    found = effects.held_out_effect(course, (1, 1, 1))
    assert (found["rows"], found["step"], found["before"], found["after"]) == (3, 8, 3.0, 2.0)
    assert found["improved"] == pytest.approx(2 / 3) and found["planned_steps"] == 12
    assert effects.held_out_effect(Course(last=(1.0,)), (1,)) == {}


def test_general_text_is_read_with_the_adapter_and_without() -> None:
    tokenizer: Any = Letters()
    bare, tuned = tiny_model(), with_lora(tiny_model())
    found = effects.measure_general(tuned, tokenizer, 0, lambda: None)
    texts = effects._parts(paths.resources() / "general" / "texts.txt", "\n\n")
    with torch.no_grad():
        ids = [torch.tensor([tokenizer.prompt_ids(text)]) for text in texts]
        losses = [torch.nn.functional.cross_entropy(bare(each).logits[0, :-1], each[0, 1:]) for each in ids]
    assert found["before"] == pytest.approx(float(sum(losses)) / len(losses), rel=1e-4)
    assert found["after"] != found["before"] and len(found["answers"]) == found["questions"] == 8
    assert 0 < found["words_after"] <= effects.REPLY_TOKENS


def test_an_adapter_that_does_nothing_changes_nothing() -> None:
    tuned = with_lora(tiny_model())
    with torch.no_grad():
        for name, tensor in tuned.named_parameters():
            if "lora_B" in name:
                tensor.zero_()
    tokenizer: Any = Letters()
    found = effects.measure_general(tuned, tokenizer, 0, lambda: None)
    assert (
        found["change"] == pytest.approx(0.0, abs=1e-6)
        and found["same"] == found["alike"] == 1.0
        and not found["worse"]
    )


def test_the_bare_model_is_measured_once_for_all_its_fine_tunes(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"one")
    key = effects.bare_key(tmp_path / "model.gguf", "fp32")
    assert key and key != effects.bare_key(tmp_path / "model.gguf", "bf16")
    read: list[bool] = []
    tuned, tokenizer = with_lora(tiny_model()), Letters()
    tuned.disable_adapter, disable = (lambda: read.append(True) or disable()), tuned.disable_adapter  # type: ignore[func-returns-value]
    first = effects.measure_general(tuned, tokenizer, 0, lambda: None, key)  # type: ignore[arg-type]
    again = effects.measure_general(tuned, tokenizer, 0, lambda: None, key)  # type: ignore[arg-type]
    assert len(read) == 1 and {**first, "seconds": 0} == {**again, "seconds": 0}
    (tmp_path / "model.gguf").write_bytes(b"two")
    assert effects.bare_key(tmp_path / "model.gguf", "fp32") != key


def test_a_stop_is_heard_between_the_texts() -> None:
    asked: list[int] = []

    def guard() -> None:
        asked.append(1)
        if len(asked) == 3:
            raise Interrupted

    tokenizer: Any = Letters()
    with pytest.raises(Interrupted):
        effects.measure_general(with_lora(tiny_model()), tokenizer, 0, guard)
    assert len(asked) == 3


def test_a_stop_is_heard_while_the_answers_are_written() -> None:
    tokenizer: Any = Letters()
    texts = len(effects.general_rows(tokenizer))
    asked = [0]

    def guard() -> None:
        asked[0] += 1
        if asked[0] == texts + 4:
            raise Interrupted

    with pytest.raises(Interrupted):
        effects.measure_general(with_lora(tiny_model()), tokenizer, 0, guard)
    assert asked[0] == texts + 4 < texts + effects.REPLY_TOKENS


def test_without_the_texts_general_text_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "resources", lambda: tmp_path)
    assert effects.measure_general(None, None, 0, lambda: None) == {}  # type: ignore[arg-type]
    assert effects.take_general(tmp_path) == {}


def test_the_general_texts_are_as_long_as_their_cost_was_planned() -> None:
    tokenizer = load_tokenizer(paths.starter_model())
    texts = effects._parts(paths.resources() / "general" / "texts.txt", "\n\n")
    assert len(texts) == 12 and 900 < sum(len(tokenizer.prompt_ids(text)) for text in texts) < 1100


GENERAL = {
    "before": 3.0, "after": 3.3, "change": 0.3, "interval": [0.2, 0.4], "share": 0.1, "worse": True, "questions": 8,
    "words_before": 21.0, "words_after": 9.0, "refused_before": 0.0, "refused_after": 0.125, "same": 0.25,
    "another_manner": False,
}  # fmt: skip


def test_what_it_did_is_said_in_two_sentences() -> None:
    held = {"rows": 4, "before": 2.1, "after": 0.5, "change": -1.6, "interval": [-1.8, -1.4], "improved": 0.75}
    first, second = effects.describe({"held_out": held, "general": GENERAL})
    assert first == (
        "On 4 held-out rows the loss went from 2.10 to 0.50 (-1.60, with 95 % confidence -1.80 to -1.40); 3 of them "
        "got better. They also chose the state that is kept, which flatters it a little."
    )
    assert "from 3.00 to 3.30 (+10.0%): it forgot some of what the model could do" in second
    assert second.endswith("2 are answered as before, in 9 words instead of 21, and 1 instead of 0 are refused.")
    (alone,) = effects.describe({"general": {**GENERAL, "worse": False, "another_manner": True}})
    assert "(+10.0%): little changed there." in alone and "in the manner of its rows" in alone
    assert effects.describe({}) == ()
