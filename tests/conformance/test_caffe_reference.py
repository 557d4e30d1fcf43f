"""Layers drawn at random against a plain numpy Caffe: outputs, gradients, statistics.

NETSPEC_DRAWS is how many are drawn of each layer type, NETSPEC_SEED which ones.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy
import pytest

import netspec

from . import caffe_reference as reference
from .golden import Case

DRAWS = int(os.environ.get("NETSPEC_DRAWS", "14"))
SEED = int(os.environ.get("NETSPEC_SEED", "0"))
STRINGS = {"name", "type", "bottom", "top", "source", "lr_policy", "regularization_type"}


class Dice:
    """A generator of what a case needs."""

    def __init__(self, *seed: int) -> None:
        self.rng = numpy.random.default_rng(seed)

    def whole(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def chance(self, p: float = 0.5) -> bool:
        return bool(self.rng.random() < p)

    def pick(self, *choices: Any) -> Any:
        return choices[self.whole(0, len(choices) - 1)]

    def real(self, low: float, high: float) -> float:
        return float(numpy.float32(round(self.rng.uniform(low, high), 3)))

    def shape(self, low: int = 1, high: int = 5, limit: int = 160) -> tuple[int, ...]:
        """Return a shape of some axes and not too many elements."""
        while True:
            rank = self.whole(low, high) if high < 5 or self.chance(0.93) else self.whole(6, 7)
            found = tuple(self.whole(1, 6) for _ in range(rank))
            if math.prod(found) <= limit:
                return found

    def normal(self, shape: tuple[int, ...], scale: float = 1.0) -> Any:
        return numpy.asarray(self.rng.standard_normal(shape) * scale, "f4")

    def coarse(self, shape: tuple[int, ...]) -> Any:
        """Return numbers among which there are ties and zeros."""
        return numpy.asarray(self.rng.integers(-2, 3, shape) / 2, "f4")

    def values(self, shape: tuple[int, ...], ties: float = 0.3) -> Any:
        return self.coarse(shape) if self.chance(ties) else self.normal(shape)

    def labels(self, shape: tuple[int, ...], count: int, ignored: int | None = None) -> Any:
        found = self.rng.integers(0, count, shape)
        if ignored is not None:
            found = numpy.where(self.rng.random(shape) < 0.3, ignored, found)
        return numpy.asarray(found, "f4")

    def maybe(self, **fields: Any) -> dict[str, Any]:
        """Return some of the fields; the others keep their defaults."""
        return {name: value for name, value in fields.items() if self.chance(0.6)}

    def axis(self, axis: int, rank: int) -> int:
        return axis - rank if self.chance(0.4) else axis


class Drawn:
    """One layer: params, bottoms, and how it is run."""

    def __init__(self, p: dict[str, Any], *bottoms: Any, **more: Any) -> None:
        self.p, self.bottoms = p, bottoms
        self.tops: int = more.pop("tops", 1)
        self.phase: str = more.pop("phase", "TEST")
        self.steps: int = more.pop("steps", 1)
        self.loss: dict[str, Any] = more.pop("loss_param", {})
        self.silent: tuple[int, ...] = more.pop("silent", ())  # tops that get no diff
        self.held: tuple[int, ...] | None = more.pop("held", None)
        self.weights: list[Any] | None = more.pop("weights", None)
        self.more = more


# -- what is drawn ------------------------------------------------------------


def plain(d: Dice) -> Drawn:
    return Drawn({}, d.values(d.shape()))


def relu(d: Dice) -> Drawn:
    return Drawn(d.maybe(negative_slope=d.pick(0.0, 0.1, -0.5, 1.0, 2.5)), d.values(d.shape()))


def elu(d: Dice) -> Drawn:
    return Drawn(d.maybe(alpha=d.pick(0.0, 1.0, 0.3, -0.7, 2.0)), d.values(d.shape()))


def swish(d: Dice) -> Drawn:
    return Drawn(d.maybe(beta=d.pick(0.0, 1.0, -1.5, 3.0)), d.values(d.shape()))


def clip(d: Dice) -> Drawn:
    low, high = d.pick((-0.5, 0.5), (0.0, 1.0), (0.5, -0.5), (-1.0, -0.5), (0.5, 0.5))
    return Drawn({"min": low, "max": high}, d.coarse(d.shape()))


def power(d: Dice) -> Drawn:
    shape = d.shape()
    kind = d.pick("whole", "positive", "flat", "zero")
    if kind == "whole":
        p = d.maybe(power=d.pick(1.0, 2.0, 3.0, -1.0, -2.0, 0.0), scale=d.pick(1.0, -2.0, 0.5),
                    shift=d.pick(0.0, 1.5, -0.25))  # fmt: skip
        x = d.rng.choice([-1.0, 1.0], shape) * d.rng.uniform(2.5, 3.0, shape)
    elif kind == "positive":
        p = d.maybe(power=d.pick(0.5, 1.5, -0.75, 2.5), scale=d.pick(1.0, 0.5), shift=0.25)
        x = d.rng.uniform(0.5, 2.0, shape)
    elif kind == "zero":
        # at 0 Caffe gives other powers the gradient 0 / 0
        p = {"power": d.pick(1.0, 2.0)} | d.maybe(scale=d.pick(1.0, 2.0))
        x = d.coarse(shape)
    else:
        p = d.maybe(power=d.pick(0.0, 2.0), shift=d.pick(0.5, 2.0)) | {"scale": 0.0}
        x = d.coarse(shape)
    return Drawn(p, x.astype("f4"))


def exp(d: Dice) -> Drawn:
    p = d.maybe(base=d.pick(-1.0, 2.0, 0.5, 10.0), scale=d.pick(1.0, 0.5, -0.7, 0.0),
                shift=d.pick(0.0, 0.5, -1.0))  # fmt: skip
    return Drawn(p, d.values(d.shape()))


def log(d: Dice) -> Drawn:
    p = d.maybe(base=d.pick(-1.0, 2.0, 0.5, 10.0), scale=d.pick(1.0, 0.5, 2.0),
                shift=d.pick(0.0, 0.5, 3.0))  # fmt: skip
    return Drawn(p, d.rng.uniform(0.1, 4.0, d.shape()).astype("f4"))


def threshold(d: Dice) -> Drawn:
    return Drawn(d.maybe(threshold=d.pick(0.0, 0.5, -1.0, 0.3)), d.coarse(d.shape()))


def dropout(d: Dice) -> Drawn:
    ratio = d.pick(0.5, 0.3, 0.75, 0.0)
    shape = d.shape()
    phase = d.pick("TRAIN", "TEST")
    mask = (d.rng.random(shape) >= ratio).astype("f4")
    p = {"dropout_ratio": ratio} if ratio != 0.5 or d.chance() else {}
    return Drawn(p, d.normal(shape), phase=phase, mask=mask)


def prelu(d: Dice) -> Drawn:
    shape = d.shape(2, 4)
    shared = d.chance()
    p = {"channel_shared": shared} if shared or d.chance() else {}
    return Drawn(p, d.values(shape))


def window(d: Dice, k: int, deconvolution: bool = False) -> Any:
    """Return fields of a window over k axes, and extents that it fits on."""
    p: dict[str, Any] = {}
    kernel = [d.whole(1, 3 if k < 4 else 2) for _ in range(k)]
    stride, pad, dilated = ([d.whole(low, high) for _ in range(k)]
                            for low, high in ((1, 3), (0, 2), (1, 2)))  # fmt: skip
    if d.chance():
        dilated = [1] * k
    elif d.chance(0.1):
        dilated = [0] * k
    for name, values, default in (
        ("kernel", kernel, 0), ("stride", stride, 1), ("pad", pad, 0), ("dilation", dilated, 1),
    ):  # fmt: skip
        full = "kernel_size" if name == "kernel" else name
        form = d.pick("one", "each", "hw", "default")
        if form == "default" and name != "kernel":
            values[:] = [default] * k
        elif form == "hw" and k == 2 and name != "dilation":
            p[f"{name}_h"], p[f"{name}_w"] = values
        elif form == "each" and k:
            p[full] = list(values)
        else:
            values[:] = [values[0] if k else 1] * k
            p[full] = values[0] if k else 3
    if p.get("dilation") == [1] * k and d.chance():
        del p["dilation"]
    sizes = []
    for kern, s, q, dil in zip(kernel, stride, pad, dilated, strict=True):
        extent = dil * (kern - 1) + 1
        low = max(1, extent - 2 * q - (s - 1) * d.chance(0.3))
        if deconvolution:
            low = max(1, -(-(1 + 2 * q - extent) // s) + 1)
        sizes.append(d.whole(low, low + (3 if k < 4 else 1)))
    return p, tuple(sizes)


def convolution(d: Dice, deconvolution: bool = False) -> Drawn:
    k = d.pick(2, 2, 2, 2, 2, 1, 1, 3, 0, 4)
    p, sizes = window(d, k, deconvolution)
    before = d.pick(1, 1, 1, 2, 0)
    group = d.pick(1, 1, 2, 3)
    channels, outputs = group * d.whole(1, 2), group * d.whole(1, 2)
    batch = tuple(d.whole(1, 2) for _ in range(before))
    p["num_output"] = outputs
    if group > 1 or d.chance(0.2):
        p["group"] = group
    axis = d.axis(before, before + 1 + k)
    if axis != 1 or d.chance(0.2):
        p["axis"] = axis
    p |= {"bias_term": d.chance()} if d.chance() else {}
    p |= d.maybe(force_nd_im2col=d.chance())
    bottoms = [d.normal((*batch, channels, *sizes)) for _ in range(d.pick(1, 1, 1, 2))]
    return Drawn(p, *bottoms, tops=len(bottoms))


def deconvolution(d: Dice) -> Drawn:
    return convolution(d, True)


def im2col(d: Dice) -> Drawn:
    k = d.pick(2, 2, 1, 3)
    p, sizes = window(d, k)
    before = d.pick(1, 1, 2, 0)
    axis = d.axis(before, before + 1 + k)
    if axis != 1:
        p["axis"] = axis
    return Drawn(p, d.normal((*[d.whole(1, 2) for _ in range(before)], d.whole(1, 3), *sizes)))


def pooling(d: Dice) -> Drawn:
    p: dict[str, Any] = {}
    method = d.pick("MAX", "AVE", "AVE")
    if method == "AVE" or d.chance():
        p["pool"] = method
    sizes = [d.whole(1, 9), d.whole(1, 9)]
    if d.chance(0.12):
        p["global_pooling"] = True
    else:
        kernel = [d.whole(1, 5), d.whole(1, 5)]
        stride, pad = [d.whole(1, 5), d.whole(1, 5)], [d.whole(0, 3), d.whole(0, 3)]
        if d.chance(0.4):
            pad = [0, 0]
        kernel = [max(k, q + 1) if any(pad) else k for k, q in zip(kernel, pad, strict=True)]
        if d.chance():
            kernel = [max(kernel)] * 2
            p["kernel_size"] = kernel[0]
        else:
            p["kernel_h"], p["kernel_w"] = kernel
        if d.chance():
            stride = [stride[0]] * 2
            p["stride"] = stride[0]
        else:
            p["stride_h"], p["stride_w"] = stride
        if d.chance():
            pad = [max(pad)] * 2 if max(pad) < min(kernel) else [0, 0]
            p["pad"] = pad[0]
        else:
            p["pad_h"], p["pad_w"] = pad
        if d.chance():
            p["round_mode"] = d.pick("FLOOR", "CEIL")
    x = d.values((d.whole(1, 2), d.whole(1, 3), *sizes))
    layer = reference.Pooling(p)
    if min(layer.window(x)[3]) < 1:
        return pooling(d)
    masked = method == "MAX" and d.chance(0.3)
    return Drawn(p, x, tops=1 + masked, silent=(1,))


def spp(d: Dice) -> Drawn:
    p: dict[str, Any] = {"pyramid_height": d.whole(1, 4)} | d.maybe(pool=d.pick("MAX", "AVE"))
    x = d.values((d.whole(1, 2), d.whole(1, 3), d.whole(1, 17), d.whole(1, 17)))
    if not reference.SPP(p).legal(x):
        return spp(d)
    return Drawn(p, x)


def lrn(d: Dice) -> Drawn:
    p = d.maybe(
        local_size=d.pick(1, 3, 5, 7), alpha=d.pick(1.0, 0.05, 2.0), beta=d.pick(0.75, 0.5, 1.5),
        k=d.pick(1.0, 2.0), norm_region=d.pick("ACROSS_CHANNELS", "WITHIN_CHANNEL"),
    )  # fmt: skip
    shape = (d.whole(1, 2), d.whole(1, 7), d.whole(1, 4), d.whole(1, 4))
    return Drawn(p, d.normal(shape)) if math.prod(shape) < 80 else lrn(d)


def mvn(d: Dice) -> Drawn:
    p = d.maybe(normalize_variance=d.chance(), across_channels=d.chance(), eps=d.pick(1e-9, 0.01))
    shape = d.shape(1, 4)
    rows = reference.MVN(p).split(numpy.zeros(shape))[0]
    if rows.shape[1] == 2:  # what cancels there is only rounding
        return mvn(d)
    if p.get("normalize_variance", True) and p.get("eps") == 0.01:
        return Drawn(p, d.normal(shape))
    return Drawn(p, d.normal(shape, 2.0))


def batch_norm(d: Dice) -> Drawn:
    p = d.maybe(eps=d.pick(1e-5, 0.1), moving_average_fraction=d.pick(0.9, 0.5, 0.0, 1.0, 0.999))
    if d.chance(0.4):
        p["use_global_stats"] = d.chance()
    shape = d.shape(2, 5)
    if shape[0] * math.prod(shape[2:]) == 2:  # what cancels there is only rounding
        return batch_norm(d)
    c = shape[1]
    factor = d.pick(0.0, 1.0, 7.5)
    weights = [d.normal((c,)), d.rng.uniform(0.4, 1.6, (c,)).astype("f4") * (factor or 1),
               numpy.full((1,), factor, "f4")]  # fmt: skip
    if factor == 0 and d.chance():
        weights[0][:], weights[1][:] = 0, 0
    elif factor == 0:
        weights[2][:] = 1
    return Drawn(p, d.normal(shape), phase=d.pick("TRAIN", "TEST"), weights=weights,
                 steps=d.pick(1, 3))  # fmt: skip


def scale(d: Dice, biased: bool = True) -> Drawn:
    shape = d.shape(1, 5)
    rank = len(shape)
    start = d.whole(0, rank - 1)
    count = d.whole(0, rank - start)
    p: dict[str, Any] = {}
    if start != 1 or d.chance(0.3):
        p["axis"] = d.axis(start, rank)
    bottoms = [d.normal(shape)]
    if d.chance(0.4):
        bottoms.append(d.normal(shape[start : start + count]))
    elif count != 1 or d.chance(0.3):
        p["num_axes"] = -1 if start + count == rank and d.chance() else count
    if biased:
        p |= d.maybe(bias_term=d.chance())
    return Drawn(p, *bottoms)


def bias(d: Dice) -> Drawn:
    return scale(d, biased=False)


def inner_product(d: Dice) -> Drawn:
    shape = d.shape(1, 5, 60)
    axis = d.whole(0, len(shape) - 1)
    p: dict[str, Any] = {"num_output": d.whole(1, 4)}
    if axis != 1 or d.chance(0.3):
        p["axis"] = d.axis(axis, len(shape))
    p |= d.maybe(transpose=d.chance(), bias_term=d.chance())
    return Drawn(p, d.normal(shape))


def embed(d: Dice) -> Drawn:
    p = {"num_output": d.whole(1, 4), "input_dim": d.whole(1, 5)} | d.maybe(bias_term=d.chance())
    return Drawn(p, d.labels(d.shape(0, 3, 30), p["input_dim"]))


def eltwise(d: Dice) -> Drawn:
    operation = d.pick("SUM", "PROD", "MAX")
    p: dict[str, Any] = {}
    if operation != "SUM" or d.chance():
        p["operation"] = operation
    shape, count = d.shape(0, 5), d.whole(2, 4)
    if (operation == "SUM" and d.chance()) or (operation == "MAX" and d.chance(0.2)):
        p["coeff"] = [d.pick(1.0, -1.0, 0.5, 0.0, 2.0) for _ in range(count)]
    if operation == "PROD":
        p |= d.maybe(stable_prod_grad=d.chance())
    bottoms = [d.values(shape, 0.5) for _ in range(count)]
    return Drawn(p, *bottoms)


def reduction(d: Dice) -> Drawn:
    shape = d.shape(1, 5)
    p = d.maybe(operation=d.pick("SUM", "ASUM", "SUMSQ", "MEAN"), coeff=d.pick(1.0, -0.5, 3.0, 0.0),
                axis=d.axis(d.whole(0, len(shape) - 1), len(shape)))  # fmt: skip
    return Drawn(p, d.values(shape))


def arg_max(d: Dice) -> Drawn:
    shape = d.shape(1, 5)
    p = d.maybe(out_max_val=d.chance())
    size = math.prod(shape[1:])
    if d.chance():
        axis = d.whole(0, len(shape) - 1)
        p["axis"], size = d.axis(axis, len(shape)), shape[axis]
    p |= d.maybe(top_k=d.whole(1, min(size, 4)))
    return Drawn(p, d.values(shape, 0.6))


def softmax(d: Dice) -> Drawn:
    shape = d.shape(1, 5)
    axis = d.whole(0, len(shape) - 1)
    return Drawn({"axis": d.axis(axis, len(shape))} if axis != 1 or d.chance() else {},
                 d.normal(shape, d.pick(1.0, 20.0)))  # fmt: skip


def concat(d: Dice) -> Drawn:
    shape = d.shape(1, 5, 60)
    axis = d.whole(0, len(shape) - 1)
    bottoms = [d.normal((*shape[:axis], d.whole(1, 4), *shape[axis + 1 :]))
               for _ in range(d.whole(1, 4))]  # fmt: skip
    p = {} if axis == 1 and d.chance() else {d.pick("axis", "concat_dim"): axis}
    if "axis" in p:
        p["axis"] = d.axis(axis, len(shape))
    return Drawn(p, *bottoms)


def slices(d: Dice) -> Drawn:
    shape = list(d.shape(1, 5, 60))
    axis, tops = d.whole(0, len(shape) - 1), d.whole(1, 4)
    p = {} if axis == 1 and d.chance() else {d.pick("axis", "slice_dim"): axis}
    if "axis" in p:
        p["axis"] = d.axis(axis, len(shape))
    if tops > 1 and d.chance():
        sizes = [d.whole(1, 3) for _ in range(tops)]
        p["slice_point"] = [int(each) for each in numpy.cumsum(sizes)[:-1]]
        shape[axis] = sum(sizes)
    else:
        shape[axis] = tops * d.whole(1, 2)
    return Drawn(p, d.normal(tuple(shape)), tops=tops)


def split(d: Dice) -> Drawn:
    return Drawn({}, d.normal(d.shape(0, 5)), tops=d.whole(1, 4))


def tile(d: Dice) -> Drawn:
    shape = d.shape(1, 5, 60)
    axis = d.whole(0, len(shape) - 1)
    p = {"tiles": d.whole(1, 4)}
    if axis != 1 or d.chance(0.3):
        p["axis"] = d.axis(axis, len(shape))
    return Drawn(p, d.normal(shape))


def flatten(d: Dice) -> Drawn:
    shape = d.shape(1, 5)
    first = d.whole(0, len(shape) - 1)
    last = d.whole(first, len(shape) - 1)
    p = {} if first == 1 and d.chance() else {"axis": d.axis(first, len(shape))}
    if last != len(shape) - 1 or d.chance():
        p["end_axis"] = d.axis(last, len(shape))
    return Drawn(p, d.normal(shape))


def reshape(d: Dice) -> Drawn:
    shape = d.shape(0, 5)
    rank = len(shape)
    start = d.whole(0, rank)
    count = d.whole(0, rank - start)
    span = shape[start : start + count]
    kind = d.pick("reversed", "flat", "ones", "copied")
    dims: list[int] = list(span[::-1])
    if kind == "flat":
        dims = [math.prod(span)]
    elif kind == "ones":
        dims = [1, *span, 1]
    elif kind == "copied":
        dims = [0 if d.chance() else n for n in span]
    if dims and d.chance():
        at = d.whole(0, len(dims) - 1)
        if dims[at]:
            dims[at] = -1
    p: dict[str, Any] = {"shape": {"dim": dims} if dims else {}}
    if start or d.chance(0.2):
        p["axis"] = start - rank - 1 if d.chance(0.4) else start
    if start + count != rank or d.chance(0.3):
        p["num_axes"] = count
    return Drawn(p, d.normal(shape))


def crop(d: Dice) -> Drawn:
    shape = d.shape(1, 5)
    rank = len(shape)
    axis = d.whole(0, rank - 1)
    like = [d.whole(1, n) if i >= axis else d.whole(1, 3) for i, n in enumerate(shape)]
    room = [n - m for n, m in zip(shape, like, strict=True)][axis:]
    p = {} if axis == 2 and d.chance() else {"axis": d.axis(axis, rank)}
    if d.chance(0.7):
        one = d.whole(0, min(room))
        p["offset"] = one if d.chance() else [d.whole(0, r) for r in room]
    return Drawn(p, d.normal(shape), d.normal(tuple(like)))


def batch_reindex(d: Dice) -> Drawn:
    shape = d.shape(1, 4, 60)
    return Drawn({}, d.normal(shape), d.labels((d.whole(1, 6),), shape[0]))


def filtered(d: Dice) -> Drawn:
    n = d.whole(1, 6)
    bottoms = [d.normal((n, *d.shape(0, 3, 12))) for _ in range(d.whole(1, 3))]
    chosen = d.rng.choice([0.0, 1.0, -2.0, 0.5], (n, *[1] * d.whole(0, 3))).astype("f4")
    return Drawn({}, *bottoms, chosen, tops=len(bottoms))


def parameter(d: Dice) -> Drawn:
    dims = list(d.shape(0, 4))
    return Drawn({"shape": {"dim": dims}} if dims else d.pick({}, {"shape": {}}))


MODES = ("FULL", "VALID", "BATCH_SIZE", "NONE")


def loss_param(d: Dice, classes: int, fields: tuple[str, ...] = ()) -> dict[str, Any]:
    p: dict[str, Any] = {}
    if d.chance():
        p["ignore_label"] = d.pick(-1, 255, d.whole(0, max(classes - 1, 0)))
    if d.chance(0.7):
        p["normalization"] = d.pick(*MODES)
    if d.chance(0.3):
        p["normalize"] = d.chance()
    return {name: value for name, value in p.items() if not fields or name in fields}


def softmax_with_loss(d: Dice) -> Drawn:
    shape = d.shape(2, 5, 90)
    axis = d.whole(0, len(shape) - 1)
    p = {} if axis == 1 and d.chance() else {"axis": d.axis(axis, len(shape))}
    loss = loss_param(d, shape[axis])
    rest = (*shape[:axis], *shape[axis + 1 :])
    labels = d.labels(rest, shape[axis], loss.get("ignore_label"))
    forms = [rest, (*shape[:axis], 1, *shape[axis + 1 :])]
    form = d.pick(*forms) if axis else (shape[0], *rest[1:])
    if not axis:
        if rest[0] != shape[0]:  # labels.shape(0) must be the batch's
            return softmax_with_loss(d)
        form = rest
    x = d.normal(shape, d.pick(1.0, 5.0, 80.0))
    return Drawn(p, x, labels.reshape(form), loss_param=loss)


def infogain_loss(d: Dice) -> Drawn:
    shape = d.shape(2, 4, 60)
    axis = d.whole(1, len(shape) - 1)
    p = {} if axis == 1 and d.chance() else {"axis": d.axis(axis, len(shape))}
    k = shape[axis]
    loss = loss_param(d, k, ("ignore_label", "normalization"))
    rest = (*shape[:axis], *shape[axis + 1 :])
    labels = d.labels(rest, k, loss.get("ignore_label"))
    h = d.normal(d.pick((k, k), (1, 1, k, k), (k * k,)))
    x = d.normal(shape, d.pick(1.0, 40.0))
    return Drawn(p, x, labels, h, loss_param=loss, tops=d.pick(1, 2), silent=(1,))


def sigmoid_cross_entropy_loss(d: Dice) -> Drawn:
    shape = d.shape(1, 5, 90)
    loss = loss_param(d, 2)
    x = d.normal(shape, d.pick(1.0, 5.0, 60.0))
    target = d.rng.random(shape).astype("f4") if d.chance() else d.labels(shape, 2)
    if "ignore_label" in loss:
        target = numpy.where(d.rng.random(shape) < 0.3, loss["ignore_label"], target).astype("f4")
    if d.chance(0.3):
        target = target.reshape(shape[0], -1)
    return Drawn({}, x, target, loss_param=loss)


def euclidean_loss(d: Dice) -> Drawn:
    shape = d.shape(1, 5, 60)
    b = d.normal(shape)
    return Drawn({}, d.normal(shape), b.reshape(shape[0], -1) if d.chance(0.3) else b)


def hinge_loss(d: Dice) -> Drawn:
    shape = d.shape(2, 4, 60)
    labels = d.labels((shape[0], *[1] * d.whole(0, 3)), math.prod(shape[1:]))
    return Drawn(d.maybe(norm=d.pick("L1", "L2")), d.values(shape, 0.5), labels)


def multinomial_logistic_loss(d: Dice) -> Drawn:
    shape = d.shape(2, 4, 60)
    x = d.rng.uniform(0.01, 1.0, shape).astype("f4")
    if d.chance(0.3):
        x = numpy.where(d.rng.random(shape) < 0.3, d.pick(0.0, -1.0, 1e-25), x).astype("f4")
    labels = d.labels((shape[0], *[1] * d.whole(0, 3)), math.prod(shape[1:]))
    return Drawn({}, x, labels)


def contrastive_loss(d: Dice) -> Drawn:
    n, c = d.whole(1, 6), d.whole(1, 5)
    shape = (n, c, *[1] * d.whole(0, 2))
    p = d.maybe(margin=d.pick(0.5, 1.0, 3.0, 8.0), legacy_version=d.chance())
    a, b = d.normal(shape), d.normal(shape)
    if d.chance(0.2):
        b[0] = a[0]
    label = d.labels((n, *[1] * d.whole(0, 3)), d.pick(2, 3))
    return Drawn(p, a, b, label)


def accuracy(d: Dice) -> Drawn:
    shape = d.shape(2, 5, 90)
    axis = d.whole(0, len(shape) - 1)
    p = {} if axis == 1 and d.chance() else {"axis": d.axis(axis, len(shape))}
    k = shape[axis]
    ignored = d.pick(-1, 255, d.whole(0, k - 1)) if d.chance() else None
    if ignored is not None:
        p["ignore_label"] = ignored
    p |= d.maybe(top_k=d.whole(1, k))
    rest = (*shape[:axis], *shape[axis + 1 :])
    labels = d.labels(rest, k, ignored)
    return Drawn(p, d.values(shape, 0.5), labels, tops=d.pick(1, 2), phase=d.pick("TRAIN", "TEST"))


def recurrent(d: Dice, gates: int) -> Drawn:
    count, items, outputs = d.whole(1, 4), d.whole(1, 2), d.whole(1, 3)
    p: dict[str, Any] = {"num_output": outputs}
    x = d.normal((count, items, *d.shape(1, 2, 4)))
    going = (d.rng.random((count, items)) < 0.7).astype("f4")
    bottoms = [x, going]
    if d.chance(0.4):
        bottoms.append(d.normal((items, *d.shape(1, 2, 4))))
    exposed = d.chance(0.4)
    hidden = 2 if gates == 4 else 1
    held = (1,)
    if exposed:
        p["expose_hidden"] = True
        held = (1, *range(len(bottoms), len(bottoms) + hidden))
        bottoms += [d.normal((1, items, outputs)) for _ in range(hidden)]
    tops = 1 + hidden * exposed
    return Drawn(p, *bottoms, tops=tops, silent=tuple(range(1, tops)), held=held,
                 steps=1 if exposed else d.pick(1, 2), phase=d.pick("TRAIN", "TEST"))  # fmt: skip


def rnn(d: Dice) -> Drawn:
    return recurrent(d, 1)


def lstm(d: Dice) -> Drawn:
    return recurrent(d, 4)


def lstm_unit(d: Dice) -> Drawn:
    n, size = d.whole(1, 3), d.whole(1, 4)
    going = (d.rng.random((1, n)) < 0.6).astype("f4")
    return Drawn({}, d.normal((1, n, size)), d.normal((1, n, 4 * size)), going, tops=2)


DRAW = {
    "AbsVal": plain, "Accuracy": accuracy, "ArgMax": arg_max, "BNLL": plain,
    "BatchNorm": batch_norm, "BatchReindex": batch_reindex, "Bias": bias, "Clip": clip,
    "Concat": concat, "ContrastiveLoss": contrastive_loss, "Convolution": convolution,
    "Crop": crop, "Deconvolution": deconvolution, "Dropout": dropout, "ELU": elu,
    "Eltwise": eltwise, "Embed": embed, "EuclideanLoss": euclidean_loss, "Exp": exp,
    "Filter": filtered, "Flatten": flatten, "HingeLoss": hinge_loss, "Im2col": im2col,
    "InfogainLoss": infogain_loss, "InnerProduct": inner_product, "LRN": lrn, "LSTM": lstm,
    "LSTMUnit": lstm_unit, "Log": log, "MVN": mvn,
    "MultinomialLogisticLoss": multinomial_logistic_loss, "PReLU": prelu, "Parameter": parameter,
    "Pooling": pooling, "Power": power, "RNN": rnn, "ReLU": relu, "Reduction": reduction,
    "Reshape": reshape, "SPP": spp, "Scale": scale, "Sigmoid": plain,
    "SigmoidCrossEntropyLoss": sigmoid_cross_entropy_loss, "Slice": slices, "Softmax": softmax,
    "SoftmaxWithLoss": softmax_with_loss, "Split": split, "Swish": swish, "TanH": plain,
    "Threshold": threshold, "Tile": tile,
}  # fmt: skip

BARE = {
    "AbsVal", "BNLL", "BatchReindex", "EuclideanLoss", "Filter", "LSTMUnit",
    "MultinomialLogisticLoss", "SigmoidCrossEntropyLoss", "Split",
}  # fmt: skip
MESSAGES = {
    "ArgMax": "argmax_param", "ELU": "elu_param", "HingeLoss": "hinge_loss_param",
    "Im2col": "convolution_param", "Convolution": "convolution_param",
    "Deconvolution": "convolution_param", "InfogainLoss": "infogain_loss_param",
    "LRN": "lrn_param", "LSTM": "recurrent_param", "MVN": "mvn_param", "PReLU": "prelu_param",
    "RNN": "recurrent_param", "ReLU": "relu_param", "SPP": "spp_param",
    "SoftmaxWithLoss": "softmax_param", "TanH": "tanh_param",
}  # fmt: skip


def message(kind: str) -> str:
    if kind in MESSAGES:
        return MESSAGES[kind]
    words = "".join(f"_{c.lower()}" if c.isupper() else c for c in kind)
    return f"{words.removeprefix('_')}_param"


INDEXED = {  # bottoms that may be whole numbers as well
    "Accuracy": 1, "BatchReindex": 1, "ContrastiveLoss": 2, "Embed": 0, "HingeLoss": 1,
    "InfogainLoss": 1, "MultinomialLogisticLoss": 1, "SoftmaxWithLoss": 1,
}  # fmt: skip

# -- how it is run ------------------------------------------------------------


def prototxt(value: dict[str, Any], depth: int = 0) -> str:
    """Return a message in protobuf's text format."""
    lines = []
    for name, given in value.items():
        for each in given if isinstance(given, list) else [given]:
            if isinstance(each, dict):
                lines.append(f"{name} {{\n{prototxt(each, depth + 1)}\n}}")
            elif isinstance(each, bool):
                lines.append(f"{name}: {str(each).lower()}")
            elif isinstance(each, str) and name in STRINGS:
                lines.append(f'{name}: "{each}"')
            else:
                lines.append(f"{name}: {each}")
    return "\n".join(lines)


class Draw(Case):
    """One drawn layer as a golden case: what the reference computes stands for Caffe."""

    def __init__(self, kind: str, seed: int) -> None:
        self.tolerance = 1e-5
        self.faults = []
        self.arrays: dict[str, Any] = {}
        number = sorted(DRAW).index(kind)
        d = self.dice = Dice(SEED, number, seed)
        drawn = self.drawn = DRAW[kind](d)
        self.kind = kind
        names = [f"x{i}" for i in range(len(drawn.bottoms))]
        tops = [f"y{i}" for i in range(drawn.tops)]
        layer: dict[str, Any] = {"name": "layer", "type": kind}
        layer |= {"bottom": names} if names else {}
        layer["top"] = tops
        if drawn.p or (kind not in BARE and d.chance(0.1)):
            layer[message(kind)] = drawn.p
        if drawn.loss:
            layer["loss_param"] = drawn.loss
        self.loss_weight = None
        if kind.endswith("Loss"):
            self.loss_weight = 1.0
            if d.chance(0.4):
                self.loss_weight = d.pick(0.5, 3.0)
                layer["loss_weight"] = [self.loss_weight, *[0] * (drawn.tops - 1)]
        shapes = {n: list(b.shape) for n, b in zip(names, drawn.bottoms, strict=True)}
        self.indices: set[str] = set()
        if d.chance():
            if kind in INDEXED and d.chance():
                self.indices = {names[INDEXED[kind]]}
            inputs = {
                n: {"shape": s, "dtype": "int64"} if n in self.indices else s
                for n, s in shapes.items()
            }
            self.text = json.dumps({"name": "one", "inputs": inputs, "layers": [layer]})
            self.file = "net.yaml"
        else:
            inputs = [
                {"name": n, "type": "Input", "top": n, "input_param": {"shape": {"dim": s}}}
                for n, s in shapes.items()
            ]
            self.text = prototxt({"name": "one", "layer": [*inputs, layer]})
            self.file = "net.prototxt"
        self.record(names, tops)

    def build(self, folder: Path) -> Draw:
        """Build the layer from its text."""
        path = folder / self.file
        path.write_text(self.text)
        self.net = netspec.load(str(path), phase=self.drawn.phase)
        self.renamed = getattr(self.net.spec.document, "renamed", {})
        self.expose()
        self.model = netspec.build(self.net)
        return self

    def expose(self) -> None:
        flat = self.net.flat
        flat.outputs = {f"out/{n}": v for n, v in flat.names.items() if v.maker is not None}

    def record(self, names: list[str], tops: list[str]) -> None:
        """Compute what the layer is compared with."""
        drawn, d = self.drawn, self.dice
        more = {"loss_param": drawn.loss, "tops": drawn.tops, **drawn.more}
        layer = reference.TYPES[self.kind](drawn.p, drawn.phase, **more)
        if drawn.held is not None:
            layer.undifferentiated = drawn.held
        bottoms = [b.astype(float) for b in drawn.bottoms]
        shapes = layer.weight_shapes(*bottoms)
        weights = drawn.weights or [d.normal(shape, 0.5) for shape in shapes]
        for index, weight in enumerate(weights):
            assert weight.shape == shapes[index]
            self.arrays[f"param/layer/{index}"] = weight
        weights = [weight.astype(float) for weight in weights]
        differentiable = layer.undifferentiated != (0,) and self.kind not in ("Accuracy",)
        self.meta = {
            "steps": drawn.steps, "has_backward": differentiable or self.kind == "Embed",
            "loss_weights": {}, "type": self.kind, "phase": drawn.phase,
        }  # fmt: skip
        if "mask" in drawn.more and drawn.phase == "TRAIN":
            self.arrays["mask"] = drawn.more["mask"]
        for step in range(drawn.steps):
            prefix = f"s{step}/" if drawn.steps > 1 else ""
            if step:
                bottoms = [
                    b if i == 1 and self.kind in ("RNN", "LSTM") else
                    d.normal(b.shape).astype(float) for i, b in enumerate(bottoms)
                ]  # fmt: skip
            made = layer.forward(bottoms, weights)[: drawn.tops]
            douts: list[Any] = [
                None if i in drawn.silent else d.normal(y.shape) for i, y in enumerate(made)
            ]
            if self.loss_weight is not None:
                douts[0] = numpy.full((), self.loss_weight, "f4")
                self.arrays[f"{prefix}loss"] = numpy.float32(self.loss_weight * made[0])
            for name, value in zip(names, bottoms, strict=True):
                kept = "i8" if name in self.indices else "f4"
                self.arrays[f"{prefix}in/{name}"] = value.astype(kept)
            for name, value in zip(tops, made, strict=True):
                self.arrays[f"{prefix}out/{name}"] = value.astype("f4")
            if self.meta["has_backward"]:
                self.differentiate(layer, bottoms, weights, douts, prefix, names, tops)
            if self.kind == "BatchNorm":
                weights = layer.after(bottoms, weights)
                for index, value in enumerate(weights):
                    after = value.astype("f4")
                    self.arrays[f"{prefix}param_after/layer/{index}"] = after
            if self.kind in ("RNN", "LSTM"):
                layer.forward(bottoms, weights)
                layer.more["carried"] = layer.last

    def differentiate(
        self, layer: Any, bottoms: Any, weights: Any, douts: Any, prefix: str,
        names: list[str], tops: list[str],
    ) -> None:  # fmt: skip
        for name, dy in zip(tops, douts, strict=True):
            if dy is not None:
                self.arrays[f"{prefix}dout/{name}"] = dy
        douts = [None if dy is None else dy.astype(float) for dy in douts]
        dxs, dws = layer.backward(bottoms, weights, douts)
        for index, (name, dx) in enumerate(zip(names, dxs, strict=True)):
            if index not in layer.undifferentiated:
                self.arrays[f"{prefix}din/{name}"] = dx.astype("f4")
        if self.kind != "BatchNorm":
            for index, dw in enumerate(dws):
                self.arrays[f"{prefix}dparam/layer/{index}"] = numpy.asarray(dw, "f4")


@pytest.mark.parametrize("kind", sorted(DRAW))
def test_drawn(kind: str, tmp_path: Path) -> None:
    failed = []
    for seed in range(DRAWS):
        case = Draw(kind, seed)
        try:
            faults = case.build(tmp_path).run()
        except Exception as error:
            faults = [f"{type(error).__name__}: {error}"]
        if faults:
            failed.append(f"draw {seed}:\n{case.text}\n" + "\n".join(faults))
    assert not failed, "\n\n".join(failed)
