"""Weights of a net out of a file: .caffemodel, its HDF5 form, or safetensors."""

from __future__ import annotations

import os

from .. import codes
from ..diagnostics import Report, nearest
from . import caffe_weights, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..net import Net
    from .caffe_weights import Arrays, Fit

_HDF5 = b"\x89HDF\r\n\x1a\n"
MAX_HEADER = 100_000_000  # bytes; the limit is that of safetensors


def kind_of(path: str) -> str:
    """Return `safetensors`, `hdf5`, `darknet` or `caffemodel`, by the first bytes of a file."""
    head = _read(path, 16)
    if head.startswith(_HDF5):
        return "hdf5"
    if head[:4] == bytes(4) and head[4:8] in (bytes(4), b"\1\0\0\0", b"\2\0\0\0"):
        return "darknet"
    size = int.from_bytes(head[:8], "little")
    return "safetensors" if head[8:9] == b"{" and size <= MAX_HEADER else "caffemodel"


def stored(path: str) -> list[tuple[str, Arrays]]:
    """Return the layers of a Caffe weights file, each with its blobs."""
    if kind_of(path) == "hdf5":
        return _hdf5(path)
    return [(layer.name, layer.blobs) for layer in wire.net(path, _read(path)).layers]


def _read(path: str, size: int = -1) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(size)
    except OSError as error:
        reason = error.strerror or str(error)
        Report().fatal(codes.UnreadableFile, None, file=path, reason=reason)


def _h5py() -> Any:
    try:
        import h5py
    except ModuleNotFoundError:
        Report().fatal(
            codes.BackendMissing, None, backend="reading HDF5", library="h5py", extra="hdf5"
        )
    return h5py


def _hdf5(path: str) -> list[tuple[str, Arrays]]:
    """Return the layers of Caffe's HDF5 form: /data/<layer>/<index>."""
    h5py = _h5py()
    layers: dict[str, dict[int, Any]] = {}

    def visit(name: str, item: Any) -> None:
        layer, _, index = name.rpartition("/")
        if isinstance(item, h5py.Dataset) and index.isdigit():
            layers.setdefault(layer, {})[int(index)] = item[()]

    try:
        with h5py.File(path, "r") as file:
            if "data" not in file:
                Report().fatal(codes.NoWeights, None, file=path, what="layers")
            file["data"].visititems(visit)
    except OSError as error:
        Report().fatal(codes.UnreadableFile, None, file=path, reason=str(error).partition("(")[0])
    return [
        (layer, [blobs.get(index) for index in range(max(blobs) + 1)])
        for layer, blobs in layers.items()
    ]


class SolverState:
    """Where a training stood: iterations, step values passed, and the solver's history."""

    __slots__ = ("current_step", "history", "iter")

    def __init__(self, iter: int, current_step: int, history: list[Any]) -> None:
        self.iter = iter
        self.current_step = current_step
        self.history = history  # numpy arrays, in the order of the net's weights


def solver_state(path: str) -> SolverState:
    """Return the content of a .solverstate, or of its HDF5 form."""
    if kind_of(path) != "hdf5":
        found = wire.state(path, _read(path))
        return SolverState(found.iter, found.current_step, [each.numpy() for each in found.history])
    h5py = _h5py()
    with h5py.File(path, "r") as file:
        if not {"iter", "current_step", "history"} <= file.keys():
            Report().fatal(codes.NoWeights, None, file=path, what="state of a solver")
        kept = file["history"]
        history = [kept[str(index)][()] for index in range(len(kept))]
        step, iteration = (int(file[name][()].reshape(-1)[0]) if file[name].shape else
                           int(file[name][()]) for name in ("current_step", "iter"))  # fmt: skip
        return SolverState(iteration, step, history)


def of_net(net: Net, path: str) -> Fit:
    """Return the arrays of a net out of a weights file, or raise where one does not fit."""
    if kind_of(path) == "darknet":
        from . import darknet

        return darknet.weights(net, path, _read(path))
    found = _fit(net, path)
    if found.misfits:
        Report().fatal(
            codes.WeightsMisfit, None, file=path,
            misfits="; ".join(f"{name}: {why}" for name, why in found.misfits[:4]),
        )  # fmt: skip
    if not found.fitted:
        Report().fatal(codes.NoWeights, None, file=path, what="layers of the net")
    return found


def _fit(net: Net, path: str) -> Fit:
    renamed = getattr(net.spec.document, "renamed", {})
    return caffe_weights.fit(net, stored(path), renamed)


def into(model: Any, net: Net | None, path: str) -> Fit | None:
    """Put the weights of a file into a module; `net` is what it was built from."""
    if kind_of(path) == "safetensors":
        _strict(model, _safetensors(path), path)
        return None
    if net is None:
        Report().fatal(
            codes.WeightsMisfit, None, file=path,
            misfits="the module does not know its layers: build it by netspec.build",
        )  # fmt: skip
    import torch

    found = of_net(net, path)
    state = model.state_dict()
    keys = _keys(model)
    for name, value in caffe_weights.entries(net, found.arrays).items():
        target = state.get(keys(name))
        if target is not None:
            with torch.no_grad():
                target.copy_(torch.from_numpy(value.copy()).reshape(target.shape))
    return found


def _safetensors(path: str) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        arrays: dict[str, Any] = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        Report().fatal(codes.UnreadableFile, None, file=path, reason=reason)
    return arrays


def _keys(model: Any) -> Any:
    """Return the function from `layer.weight` to the key in a module's state."""
    paths = {layer: path for path, layer in getattr(model, "names", {}).items()}

    def key(name: str) -> str:
        layer, _, weight = name.rpartition(".")
        return f"{paths.get(layer, layer)}.{weight}"

    return key


def _strict(model: Any, arrays: Mapping[str, Any], path: str) -> None:
    """Load arrays named as the module's state or as the layers are; every one must fit."""
    import torch

    state, key = model.state_dict(), _keys(model)
    given = {name if name in state else key(name): value for name, value in arrays.items()}
    faults = []
    for name, value in given.items():
        target = state.get(name)
        if target is None:
            near = nearest(name, state)
            faults.append(f"the net has no `{name}`" + (f" (near: `{near}`)" if near else ""))
        elif target.shape != value.shape:
            ours, theirs = ("x".join(map(str, each)) for each in (target.shape, value.shape))
            faults.append(f"`{name}` is {theirs} in the file, {ours} in the net")
    # counters of batches are no weights, and older files lack them
    missing = [
        name for name in state if name not in given and not name.endswith("num_batches_tracked")
    ]
    tied = {id(state[name]): name for name in given if name in state}
    pointers = {state[name].data_ptr() for name in tied.values()}
    missing = [name for name in missing if state[name].data_ptr() not in pointers]
    faults += [f"the file has no `{name}`" for name in missing]
    if faults:
        more = f"; and {len(faults) - 4} more" if len(faults) > 4 else ""
        Report().fatal(codes.WeightsMisfit, None, file=path, misfits="; ".join(faults[:4]) + more)
    with torch.no_grad():
        for name, value in given.items():
            state[name].copy_(value)


def of_import(file: str, path: str, shapes: Mapping[str, Sequence[Any]]) -> tuple[Net, Fit]:
    """Return the net of an imported file, of the phase that has most weights, and its arrays."""
    from ..pipeline import load

    nets = [load(file, phase=phase, inputs=shapes) for phase in ("test", "train")]
    net = max(nets, key=lambda net: sum(len(node.weights) for node in net.flat.nodes))
    if kind_of(path) == "darknet":
        return net, of_net(net, path)
    return net, _fit(net, path)


def as_safetensors(net: Net, found: Fit) -> bytes:
    """Return arrays as a safetensors file, under the names of the layers."""
    from safetensors.numpy import save

    arrays = {name: value.copy() for name, value in found.arrays.items()}
    meta = {"format": "pt", "net": os.path.basename(net.name)}
    made: bytes = save(arrays, metadata=meta)
    return made
