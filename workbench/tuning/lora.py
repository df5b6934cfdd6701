"""A LoRA projection in as few passes over memory as it takes; the numbers are peft's.

peft computes ``base(x) + lora_B(lora_A(x)) * scaling`` as five operations, each of which reads and writes a whole
[tokens, out] matrix, forwards and again backwards. Here the small product is added into the large one by the matrix
routine itself (``addmm_``), and the frozen weight gets no gradient.
"""

from __future__ import annotations

import functools
from typing import Any


def speed_up(model: Any) -> None:
    """Let every LoRA projection of a peft model run through `product`."""
    from peft.tuners.lora import Linear

    for module in model.modules():
        if isinstance(module, Linear):
            object.__setattr__(module, "forward", functools.partial(_forward, module))  # on this instance only


def _forward(module: Any, x: Any, *_: Any, **__: Any) -> Any:
    base = module.base_layer
    if module.disable_adapters:
        return base(x)
    name = module.active_adapters[0]
    # The adapter is kept in fp32, fine enough for small updates, and multiplies in the precision of the base.
    low, high = (half[name].weight.to(x.dtype) for half in (module.lora_A, module.lora_B))
    return product().apply(x, base.weight, base.bias, low, high, module.scaling[name])


@functools.cache
def product() -> Any:
    """x [.., in], weight [out, in], bias [out] or None, low [r, in], high [out, r], scale → [.., out]."""
    import torch

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, weight: Any, bias: Any, low: Any, high: Any, scale: float) -> Any:
            flat = x.reshape(-1, x.shape[-1])
            inner = flat @ low.T
            out = torch.nn.functional.linear(flat, weight, bias)
            out.addmm_(inner, high.T, alpha=scale)
            ctx.save_for_backward(flat, weight, low, high, inner)
            ctx.scale, ctx.shape = scale, x.shape
            return out.view(*x.shape[:-1], -1)

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> tuple[Any, ...]:
            flat, weight, low, high, inner = ctx.saved_tensors
            gradient = gradient.reshape(-1, gradient.shape[-1])
            thin = (gradient @ high).mul_(ctx.scale)  # [tokens, r]
            to_x = None
            if ctx.needs_input_grad[0]:  # the lowest trained layer's input has nothing below it to train
                to_x = (gradient @ weight).addmm_(thin, low).view(ctx.shape)
            return to_x, None, None, thin.T @ flat, (gradient.T @ inner).mul_(ctx.scale), None

    return Product
