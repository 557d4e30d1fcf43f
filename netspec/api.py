"""The Python calls that need a backend: build, source, param_groups."""

from __future__ import annotations

import os
from weakref import WeakKeyDictionary

from . import codes
from .diagnostics import Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .net import Net

_nets: WeakKeyDictionary[Any, Net] = WeakKeyDictionary()  # what a module was built from


def build(
    path: str | Net,
    phase: str = "test",
    scale: str | None = None,
    outputs: Sequence[str] | str | None = None,
    weights: str | None = None,
    compile: bool = False,
    init: bool = True,
    **options: Any,
) -> Any:
    """Return the torch module of a spec file, a `zoo:` name, or a net.

    `outputs` names blobs to return in place of the net's own ("all" for every one); `weights` is
    a safetensors or caffemodel file to load; `compile` wraps the module by torch.compile;
    `init=False` leaves weights as allocated. Further keywords are those of `load`.
    Raises SpecError where the spec is wrong or a layer cannot be lowered.
    """
    from .pipeline import Unhindered

    net = _net(path, phase, scale, options)
    backend = torch_backend()
    with Unhindered():
        model = backend.eager(net, outputs=outputs, init=init and not _whole(weights))
    _nets[model] = net
    if weights is not None:
        load_weights(model, weights)
    if compile:
        import torch

        return torch.compile(model)
    return model


def source(
    path: str | Net,
    phase: str = "test",
    scale: str | None = None,
    outputs: Sequence[str] | str | None = None,
    **options: Any,
) -> str:
    """Return the Python source of the module `build` makes; it needs torch alone."""
    net = _net(path, phase, scale, options)
    text: str = torch_backend().source(net, outputs)
    return text


def param_groups(model: Any, lr: float, weight_decay: float = 0.0) -> list[dict[str, Any]]:
    """Return the optimiser groups that lr_mult and decay_mult ask for.

    Each group holds the parameters of one pair of multipliers, with lr * lr_mult and
    weight_decay * decay_mult; frozen weights are in none.
    """
    model = getattr(model, "_orig_mod", model)
    multipliers: dict[str, tuple[float, float]] = getattr(model, "multipliers", {})
    groups: dict[tuple[float, float], list[Any]] = {}
    for name, weight in model.named_parameters():
        pair = multipliers.get(name, (1.0, 1.0))
        if weight.requires_grad:
            groups.setdefault(pair, []).append(weight)
    return [
        {"params": weights, "lr": lr * pair[0], "weight_decay": weight_decay * pair[1]}
        for pair, weights in groups.items()
    ]


def solver(model: Any, settings: dict[str, Any] | None = None) -> Any:
    """Return the torch optimiser that a spec's `solver:` asks for, with Caffe's arithmetic.

    `settings` are SolverParameter fields in place of the spec's own. Call `zero_grad()`,
    `backward()` once for each of `iter_size` passes, then `step()`; the rate follows the policy.
    Raises SpecError where the spec has no solver, or Caffe would refuse it.
    """
    from .document import Document
    from .solving import check
    from .spec import Place
    from .text import Source

    backend = torch_backend()
    model = getattr(model, "_orig_mod", model)
    net = _nets.get(model)
    if settings is None:
        settings = net.spec.solver if net is not None else None
        if settings is None:
            Report().fatal(codes.SolverNet, None, reason="has no `solver:` section")
    report = Report()
    check(settings, Place(Document(Source("settings", ""), settings)), report)
    report.close()
    return backend.solver(model, settings)


def load_weights(model: Any, path: str) -> None:
    """Load a safetensors or caffemodel file into a module.

    Every key of a safetensors file must fit, and none may lack. Of a caffemodel, or its HDF5
    form, layers are matched by name as Caffe does: what the file lacks stays as it is.
    Raises SpecError where a weight does not fit.
    """
    from .importers import weights

    model = getattr(model, "_orig_mod", model)
    weights.into(model, _nets.get(model), os.fspath(path))


def torch_backend() -> Any:
    """Return the torch backend; a SpecError says what to install where torch is missing."""
    from importlib.util import find_spec

    if find_spec("netspec_torch") is None:
        from .plugins import checkout

        checkout()
    try:
        import netspec_torch
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "netspec_torch"):
            raise
        Report().fatal(codes.BackendMissing, None, backend="build", library="torch", extra="torch")
    return netspec_torch


def _whole(weights: str | None) -> bool:
    """Return whether a file of weights leaves nothing as it starts."""
    if weights is None:
        return False
    from .importers.weights import kind_of

    return kind_of(weights) in ("safetensors", "darknet")


def _net(path: str | Net, phase: str, scale: str | None, options: dict[str, Any]) -> Net:
    from .net import Net
    from .pipeline import load

    return path if isinstance(path, Net) else load(path, phase=phase, scale=scale, **options)
