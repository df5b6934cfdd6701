"""Packed rows, shared beginnings and remembered states give the numbers that plain rows give."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tuning.tiny import random_rows, tiny_model, with_lora
from workbench.tuning import attention, packing
from workbench.tuning.loop import Interrupted, schedule
from workbench.tuning.lora import speed_up
from workbench.tuning.peft_cpu import Memory, loss_of, losses_of
from workbench.tuning.tokens import Tokens


def plain_loss(model: Any, rows: list[Tokens]) -> Any:
    """The summed loss by transformers' own forward, a row at a time."""
    import torch

    total = torch.zeros(())
    model.get_base_model().config._attn_implementation = "sdpa"
    for row in rows:
        ids = torch.tensor([row.ids])
        logits = model(input_ids=ids, use_cache=False).logits[0]
        for start, end in row.spans:
            total = total + torch.nn.functional.cross_entropy(
                logits[start - 1 : end - 1], ids[0, start:end], reduction="sum"
            )
    return total


def gradients(model: Any, loss: Any) -> dict[str, Any]:
    model.zero_grad()
    loss.backward()
    return {name: tensor.grad.clone() for name, tensor in model.named_parameters() if tensor.grad is not None}


@pytest.mark.parametrize("kind", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize("layers", [[0, 1], [1]])
def test_packed_rows_give_the_loss_and_gradients_of_plain_ones(kind: str, layers: list[int]) -> None:
    import torch

    packing.register_attention()
    rows, model = random_rows(5, shared=9), with_lora(tiny_model(kind), layers)
    expected_loss = plain_loss(model, rows)
    expected = gradients(model, expected_loss)
    speed_up(model)
    memory = Memory(room=1 << 20)
    for attempt in ("first pass", "from memory"):
        loss = loss_of(model, layers[0], rows, memory)
        found = gradients(model, loss)
        torch.testing.assert_close(loss, expected_loss, rtol=1e-5, atol=1e-4, msg=attempt)
        assert found.keys() == expected.keys() and found
        for name, gradient in found.items():
            torch.testing.assert_close(gradient, expected[name], rtol=1e-4, atol=1e-4, msg=f"{attempt}: {name}")
    assert bool(memory.states) == (layers[0] > 0)
    with torch.no_grad():
        alone = [float(plain_loss(model, [row])) for row in rows]
        found = losses_of(model, layers[0], rows, memory)
        assert [each.total for each in found] == pytest.approx(alone, rel=1e-4)
        assert all(0 <= each.behind <= each.total for each in found)


def test_a_half_precision_base_trains_an_adapter_in_full_precision() -> None:
    import torch

    packing.register_attention()
    model = with_lora(tiny_model().bfloat16())
    for name, tensor in model.named_parameters():
        tensor.data = tensor.data.float() if "lora_" in name else tensor.data
    speed_up(model)
    found = gradients(model, loss_of(model, 0, random_rows(3, shared=9), Memory(room=0)))
    assert found and all(gradient.dtype == torch.float32 and gradient.abs().sum() > 0 for gradient in found.values())


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_a_stop_is_heard_between_the_layers_forwards_and_backwards(at: int) -> None:
    packing.register_attention()
    model, calls = with_lora(tiny_model(), [0, 1]), []
    speed_up(model)

    def guard() -> None:
        if len(calls) == at:
            raise Interrupted
        calls.append(at)

    with pytest.raises(Interrupted):
        loss_of(model, 0, random_rows(3, shared=9), Memory(room=0), guard).backward()
    assert len(calls) == at, "two layers forwards, two backwards"


@pytest.mark.parametrize("way", ["products", "fused in fp32", "fused"])
def test_in_half_precision_each_way_of_attending_is_near_full_precision(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(attention, "FEWEST", 1 if way == "products" else 1000)
    monkeypatch.setattr(packing, "SHORT", 1000 if way == "fused in fp32" else 0)
    groups = (packing.Group(0, 9, ((9, 20), (29, 15)), (0, 1)), packing.Group(44, 0, ((44, 30),), (2,)))
    torch.manual_seed(3)
    given = [torch.randn(1, heads, 74, 16) for heads in (4, 2, 2)]
    found = []
    for kind in (torch.float32, torch.bfloat16):
        parts = [each.bfloat16().to(kind).requires_grad_() for each in given]
        out, _ = packing.attend(None, *parts, None, 0.25, groups=groups)
        out.float().square().sum().backward()
        found.append([out.detach().float(), *(each.grad.float() for each in parts)])
    for exact, half in zip(*found, strict=True):
        assert (half - exact).norm() < 0.02 * exact.norm()


def test_states_that_do_not_fit_in_memory_are_made_again() -> None:
    packing.register_attention()
    rows, model = random_rows(3, shared=4), with_lora(tiny_model(), [1])
    memory = Memory(room=0)
    first, second = (loss_of(model, 1, rows, memory).item() for _ in range(2))
    assert first == second
    assert memory.states == {}


def test_a_shared_beginning_is_read_once() -> None:
    packed = packing.pack(random_rows(5, shared=30))
    assert packed.length == packed.tokens - 4 * 30
    assert packed.groups[0].shared == 30


def test_rows_of_two_kinds_make_two_groups() -> None:
    first = [Tokens((1,) * 20 + (5, n, 7), ((21, 23),)) for n in range(3)]
    second = [Tokens((2,) * 12 + (5, n, 7), ((13, 15),)) for n in range(3)]
    groups = packing.group_rows([row for pair in zip(first, second, strict=True) for row in pair])
    assert sorted((tuple(sorted(members)), shared) for members, shared in groups) == [((0, 2, 4), 20), ((1, 3, 5), 12)]


def test_the_same_row_twice_is_trained_twice() -> None:
    row = Tokens(tuple(range(20)), ((15, 20),))
    packed = packing.pack([row, row])
    assert len(packed.labels) == 10 and packed.labels[:5].tolist() == packed.labels[5:].tolist()


def test_micro_batches_hold_every_row_once_and_about_the_budget() -> None:
    rows = random_rows(12, shared=9)
    parts = packing.micro_batches(rows, 60)
    assert sorted(place for part in parts for place in part) == list(range(12))
    assert all(len(part) == 1 or packing.pack([rows[p] for p in part]).length <= 66 for part in parts)


def test_the_learning_rate_rises_and_falls() -> None:
    factors = [schedule(step, 100, 0.05) for step in range(100)]
    assert factors[0] == 0.2 and max(factors) == 1.0 and factors.index(1.0) == 4 and factors[-1] < 0.11
    assert factors[5:] == sorted(factors[5:], reverse=True)
