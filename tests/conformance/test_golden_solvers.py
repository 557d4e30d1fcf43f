"""Caffe's solvers: rates, weights, losses and history over 12 iterations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

import netspec
from netspec.importers import caffe_weights

from .golden import GOLDEN

SOLVERS, ERRORS = GOLDEN / "solvers", GOLDEN / "errors"
CASES = sorted(path.parent.name for path in SOLVERS.glob("*/meta.json"))


class Run:
    """One solver with its net, as the golden data has it."""

    def __init__(self, folder: Path) -> None:
        self.meta = json.loads((folder / "meta.json").read_text())
        self.arrays = dict(numpy.load(folder / "data.npz"))
        path = str(folder / "solver.prototxt")
        state = netspec.load(path, phase="train").spec.solver.get("train_state", {})
        stage = state.get("stage", [])
        self.net = netspec.load(
            path, phase="train", stages=[stage] if isinstance(stage, str) else stage,
            level=state.get("level", 0),
        )  # fmt: skip
        self.model = netspec.build(self.net)
        self.solver = netspec.solver(self.model)
        self.names = {layer: path for path, layer in getattr(self.model, "names", {}).items()}
        self.iter_size = self.meta.get("iter_size", 1)

    def load(self, at: int | None) -> None:
        """Put the weights of an iteration into the module; None: those that have no iteration."""
        layers: dict[str, dict[int, Any]] = {}
        for key, value in self.arrays.items():
            if key.startswith("param/"):
                layer, index = key.removeprefix("param/").rsplit("/", 1)
                layers.setdefault(layer, {})[int(index)] = value if at is None else value[at]
        stored = [(name, [blobs[i] for i in sorted(blobs)]) for name, blobs in layers.items()]
        fitted = caffe_weights.fit(self.net, stored)
        assert not fitted.misfits and not fitted.unknown
        state = self.model.state_dict()
        for name, value in caffe_weights.entries(self.net, fitted.arrays).items():
            state[self.key(name)].copy_(torch.from_numpy(numpy.array(value)))

    def key(self, name: str) -> str:
        layer, _, weight = name.rpartition(".")
        return f"{self.names.get(layer, layer)}.{weight}"

    def inputs(self, at: int) -> list[torch.Tensor]:
        return [torch.from_numpy(self.arrays[f"in/{name}"][at]) for name in self.net.inputs]

    def iteration(self, at: int) -> list[float]:
        """Do one iteration; return the losses of its passes."""
        losses = []
        self.solver.zero_grad()
        for index in range(self.iter_size):
            loss = self.model(*self.inputs(at * self.iter_size + index))["loss"]
            loss.backward()
            losses.append(float(loss.detach()))
        self.solver.step()
        return losses

    def weights(self) -> dict[str, numpy.ndarray]:
        """Return the weights by Caffe's names."""
        state = self.model.state_dict()
        found = {}
        for node in self.net.flat.nodes:
            blobs = node.layer.blob_order(list(node.weights), list(node.state))
            for index, weight in enumerate(blobs):
                value = state[self.key(caffe_weights.key(node, weight))].numpy()
                if node.type == "BatchNorm" and index < 2:
                    value = value * state[self.key(f"{node.name}.factor")].numpy()
                found[f"{node.name}/{index}"] = value
        return found


def near(found: Any, wanted: Any, what: str) -> None:
    scale = float(numpy.abs(wanted).max()) if wanted.size else 0.0
    worst = float(numpy.abs(numpy.asarray(found, "f8") - wanted).max()) if wanted.size else 0.0
    assert worst <= 2e-5 * scale + 1e-6, f"{what}: apart by {worst:.3g}, largest {scale:.3g}"


@pytest.mark.parametrize("name", CASES)
def test_solver(name: str) -> None:
    run = Run(SOLVERS / name)
    run.load(0)
    losses = []
    for at in range(12):
        rate, _ = run.solver.rate(), run.solver.passed
        near(rate, run.arrays["lr"][at], f"rate {at}")
        losses += run.iteration(at)
        for key, value in run.weights().items():
            near(value, run.arrays[f"param/{key}"][at + 1], f"{key} after {at + 1}")
    near(losses, run.arrays["loss"], "loss")


@pytest.mark.parametrize("name", ["state_sgd_binary", "state_sgd_hdf5", "state_adam_binary"])
def test_restored(name: str) -> None:
    """A solver goes on from Caffe's .solverstate as Caffe does."""
    from netspec.importers import weights

    folder = GOLDEN / "weights" / name
    run = Run(folder)
    netspec.load_weights(run.model, str(folder / run.meta["weights_file"]))
    state = weights.solver_state(str(folder / run.meta["state_file"]))
    run.solver.restore(state.iter, state.current_step, [blob for blob in state.history])
    for at in range(6, 12):
        run.iteration(at)
    for key, value in run.weights().items():
        near(value, run.arrays[f"param_after6more/{key}"], key)


REFUSED = sorted(
    path.parent.name for path in ERRORS.glob("*/expected.json")
    if json.loads(path.read_text())["kind"] == "solver"
)  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    path = str(ERRORS / name / "solver.prototxt")
    with pytest.raises(netspec.SpecError) as caught:
        netspec.load(path, phase="train")
    first = caught.value.diagnostics[0]
    assert first.span is not None and first.span.source.name == path
