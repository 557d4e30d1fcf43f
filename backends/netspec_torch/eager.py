"""eager: run the emitted source, so that it and the module cannot differ."""

from __future__ import annotations

import hashlib
import linecache
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from netspec.net import Net

from .emit import emit


def eager(net: Net, outputs: Sequence[str] | str | None = None, init: bool = True) -> nn.Module:
    """Return the module of a net, in eval mode where its phase is test.

    `init=False` leaves every weight as allocated, for weights that are loaded next.
    """
    source = emit(net, outputs)
    file = f"<netspec {hashlib.sha256(source.encode()).hexdigest()[:16]}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    space: dict[str, Any] = {"__name__": "netspec_generated"}
    exec(compile(source, file, "exec"), space)  # text that emit() wrote
    classes = [thing for thing in space.values() if isinstance(thing, type)]
    made = [cls for cls in classes if cls.__module__ == space["__name__"]]
    with nullcontext() if init else _SkipInit():
        model: nn.Module = made[-1]()
    model.source = source
    return model.train(net.phase == "train")


class _SkipInit(TorchFunctionMode):
    """Leave tensors as they are where torch.nn.init would fill them."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__module__", "") == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs) if kwargs else func(*args)


def compiled(net: Net, **options: Any) -> Any:
    """Return the module of a net, wrapped by torch.compile."""
    return torch.compile(eager(net, **options))
