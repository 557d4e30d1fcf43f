"""A net emitted with classes for its blocks, and flat: alike in all but the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from netspec.net import Net
from netspec_torch.emit import emit


def made(source: str, seed: int = 0) -> torch.nn.Module:
    """Return the module of a source, its weights as a seed starts them."""
    space: dict[str, Any] = {"__name__": "written"}
    exec(compile(source, "written.py", "exec"), space)
    classes = [thing for thing in space.values() if isinstance(thing, type)]
    torch.manual_seed(seed)
    module: torch.nn.Module = [cls for cls in classes if cls.__module__ == "written"][-1]()
    return module


def results(model: torch.nn.Module, feed: Sequence[torch.Tensor], train: bool) -> list[Any]:
    """Return all that a pass gives, and what it leaves behind: gradients and buffers."""
    model.train(train)
    model.zero_grad()
    torch.manual_seed(1)
    try:
        found = model(*(x.clone() for x in feed))
    except RuntimeError as error:  # of torch: then in either form
        return [str(error)]
    tensors = list(found.values()) if isinstance(found, dict) else [found]
    flow = [t.double().square().sum() for t in tensors if t.requires_grad]
    if flow:
        torch.stack(flow).sum().backward()
    return [*tensors, *(x.grad for x in model.parameters()), *model.buffers()]


def same(net: Net, feed: Sequence[torch.Tensor] = (), outputs: Any = None) -> tuple[str, str]:
    """Assert that both forms have one state, one start and one result; return their texts."""
    texts = emit(net, outputs), emit(net, outputs, flat=True)
    ours, flat = map(made, texts)
    for names in ("named_modules", "named_parameters", "named_buffers"):
        assert [n for n, _ in getattr(ours, names)()] == [n for n, _ in getattr(flat, names)()]
    assert list(ours.state_dict()) == list(flat.state_dict())
    pairs = [*zip(ours.parameters(), flat.parameters(), strict=True)]
    assert all(a.requires_grad == b.requires_grad for a, b in pairs)
    alike([*ours.state_dict().values()], [*flat.state_dict().values()])
    for train in (False, True) if feed else ():
        alike(results(ours, feed, train), results(flat, feed, train))
    return texts


def alike(found: list[Any], wanted: list[Any]) -> None:
    """Assert that tensors are equal to the bit."""
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        if not isinstance(a, torch.Tensor):
            assert a == b
            continue
        assert a.shape == b.shape and torch.equal(a.nan_to_num(7), b.nan_to_num(7))
