"""Solvers drawn at random against Caffe's rules in plain numpy, over 12 iterations.

NETSPEC_DRAWS is how many are drawn of each type, NETSPEC_SEED which ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

import netspec

from . import caffe_reference as reference
from .test_caffe_reference import DRAWS, SEED, Dice, prototxt

KINDS = ("SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam")


def settings(d: Dice, kind: str) -> dict[str, Any]:
    """Return fields of a solver."""
    p: dict[str, Any] = {"base_lr": d.pick(0.1, 0.03, 0.01), "lr_policy": d.pick(
        "fixed", "step", "exp", "inv", "multistep", "poly", "sigmoid")}  # fmt: skip
    policy = p["lr_policy"]
    if kind != "SGD" or d.chance():
        p["type"] = kind
    if policy in ("step", "exp", "inv", "multistep", "sigmoid"):
        p["gamma"] = d.pick(0.5, 0.9, 1.05, 0.1)
    if policy in ("inv", "poly"):
        p["power"] = d.pick(0.5, 1.0, 2.0)
    if policy in ("step", "sigmoid"):
        p["stepsize"] = d.whole(1, 6)
    if policy == "multistep":
        values = sorted(d.whole(0, 11) for _ in range(d.whole(1, 3)))
        p["stepvalue"] = values
    if policy == "poly":
        p["max_iter"] = d.pick(12, 20, 100)
    if kind not in ("AdaGrad", "RMSProp"):
        p |= d.maybe(momentum=d.pick(0.9, 0.5, 0.95))
    if kind == "RMSProp":
        p |= d.maybe(rms_decay=d.pick(0.9, 0.5, 0.0))
    if kind == "Adam":
        p |= d.maybe(momentum2=d.pick(0.99, 0.9))
    if kind in ("AdaGrad", "RMSProp", "AdaDelta", "Adam"):
        # the usual 1e-8 makes of a gradient's rounding a step of its own
        p["delta"] = d.pick(1e-2, 1e-3)
    p |= d.maybe(weight_decay=d.pick(0.01, 0.1), iter_size=d.whole(1, 3))
    p |= {"regularization_type": d.pick("L1", "L2")} if d.chance() else {}
    p |= {"clip_gradients": d.pick(0.1, 1.0, 5.0, 0.0)} if d.chance() else {}
    return p


class Net:
    """data -> InnerProduct -> TanH -> InnerProduct -> EuclideanLoss, and a branch without loss."""

    def __init__(self, d: Dice) -> None:
        self.first = reference.InnerProduct({"num_output": 3})
        self.second = reference.InnerProduct({"num_output": 2, "bias_term": False})
        self.act, self.loss = reference.TanH(), reference.EuclideanLoss()
        self.mults = [(d.pick(1.0, 2.0, 0.0, 0.5), d.pick(1.0, 0.0, 2.0)) for _ in range(4)]
        self.mults[2] = (d.pick(1.0, 0.5), self.mults[2][1])  # something learns
        self.weights = [d.normal(s, 0.7) for s in ((3, 4), (3,), (2, 3), (2, 4))]
        params = [
            {} if m == (1.0, 1.0) else {"lr_mult": m[0], "decay_mult": m[1]} for m in self.mults
        ]
        dense = {"type": "InnerProduct", "bottom": "x"}
        self.text = prototxt({"name": "one", "layer": [
            {"name": "in", "type": "Input", "top": ["x", "t"], "input_param": {
                "shape": [{"dim": [5, 4]}, {"dim": [5, 2]}]}},
            dense | {"name": "a", "top": "a", "param": params[:2],
                     "inner_product_param": {"num_output": 3}},
            {"name": "h", "type": "TanH", "bottom": "a", "top": "h"},
            dense | {"name": "b", "bottom": "h", "top": "b", "param": params[2:3],
                     "inner_product_param": {"num_output": 2, "bias_term": False}},
            {"name": "l", "type": "EuclideanLoss", "bottom": ["b", "t"], "top": "l"},
            dense | {"name": "dead", "top": "dead", "param": params[3:],
                     "inner_product_param": {"num_output": 2, "bias_term": False}},
        ]})  # fmt: skip

    def gradients(self, weights: list[Any], x: Any, t: Any) -> list[Any]:
        a = self.first.forward([x], weights[:2])[0]
        h = self.act.forward([a], [])[0]
        b = self.second.forward([h], weights[2:3])[0]
        (db, _), _ = self.loss.backward([b, t], [], [1.0])
        (dh,), (dw,) = self.second.backward([h], weights[2:3], [db])
        (da,), _ = self.act.backward([a], [], [dh])
        _, found = self.first.backward([x], weights[:2], [da])
        found = [*found, dw, numpy.zeros(weights[3].shape)]
        frozen = [lr_mult == 0 for lr_mult, _ in self.mults]
        return [g * (not stop) for g, stop in zip(found, frozen, strict=True)]


def trained(kind: str, seed: int, folder: Path) -> str:
    """Return how a solver differs from Caffe's rules, and nothing where it does not."""
    d = Dice(SEED, 99, KINDS.index(kind), seed)
    p, net = settings(d, kind), Net(d)
    (folder / "net.prototxt").write_text(net.text)
    (folder / "solver.prototxt").write_text('net: "net.prototxt"\n' + prototxt(p))
    model = netspec.build(netspec.load(str(folder / "solver.prototxt"), phase="train"))
    solver = netspec.solver(model)
    keys = ["a.weight", "a.bias", "b.weight", "dead.weight"]
    state = model.state_dict()
    for key, value in zip(keys, net.weights, strict=True):
        state[key].copy_(torch.from_numpy(value))
    wanted = [w.astype(float) for w in net.weights]
    caffe = reference.Solver(p, [w.shape for w in wanted])
    for at in range(12):
        solver.zero_grad()
        sums = [numpy.zeros(w.shape) for w in wanted]
        for _ in range(p.get("iter_size", 1)):
            x, t = d.normal((5, 4)), d.normal((5, 2))
            model(torch.from_numpy(x), torch.from_numpy(t))["loss"].backward()
            for total, g in zip(sums, net.gradients(wanted, x, t), strict=True):
                total += g
        rate, ours = caffe.apply(wanted, sums, net.mults), solver.rate()
        if abs(rate - ours) > 1e-6 * rate:
            return f"{p}\nrate {at}: {ours}, Caffe's {rate}"
        solver.step()
        for key, value in zip(keys, wanted, strict=True):
            apart = float(numpy.abs(state[key].numpy() - value).max())
            if not apart <= 2e-5 * float(numpy.abs(value).max()) + 1e-6:
                return f"{p} {net.mults}\n{key} after {at + 1}: apart by {apart:.3g}"
    return ""


@pytest.mark.parametrize("kind", KINDS)
def test_drawn(kind: str, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    failed = [fault for seed in range(DRAWS) if (fault := trained(kind, seed, tmp_path))]
    assert not failed, "\n\n".join(failed)
