"""What Caffe computes, layer type by layer type, in plain numpy at float64.

Written from Caffe's rules alone; nothing of netspec is used here. `forward` takes bottoms and
weights and returns tops; `backward` is Caffe's where that is not the derivative or has kinks, and
finite differences elsewhere.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

FLT_MIN, FLT_MAX = float(np.finfo("f4").tiny), float(np.finfo("f4").max)
LOG_THRESHOLD = float(np.float32(1e-20))

Array = Any
Arrays = Sequence[Array]
Shape = tuple[int, ...]


def listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


class Reference:
    """One layer: its param message, its phase, and what it does."""

    undifferentiated: tuple[int, ...] = ()  # bottoms that get no gradient

    def __init__(self, p: dict[str, Any] | None = None, phase: str = "TEST", **more: Any) -> None:
        self.p = p or {}
        self.phase = phase
        self.more = more  # other messages: loss_param

    def get(self, name: str, default: Any) -> Any:
        return self.p.get(name, default)

    def axis(self, x: Array, default: int, name: str = "axis") -> int:
        axis = self.get(name, default)
        assert -x.ndim <= axis < x.ndim
        return axis % x.ndim

    def weight_shapes(self, *bottoms: Array) -> list[Shape]:
        return []

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        raise NotImplementedError

    def after(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        """Return the blobs after a forward."""
        return list(weights)

    def backward(
        self, bottoms: Arrays, weights: Arrays, douts: Arrays
    ) -> tuple[list[Array], list[Array]]:
        """Return the gradients of bottoms and weights, by finite differences."""
        kept = [*bottoms, *weights]
        found = []
        for place, array in enumerate(kept):
            if place in self.undifferentiated:
                found.append(np.zeros_like(array))
                continue
            grad = np.zeros(array.shape)
            for at in np.ndindex(array.shape):
                sides = []
                for step in (1e-5, -1e-5):
                    moved = array.copy()
                    moved[at] += step
                    args = [*kept[:place], moved, *kept[place + 1 :]]
                    tops = self.forward(args[: len(bottoms)], args[len(bottoms) :])
                    sides.append(self.weigh(tops, douts))
                grad[at] = (sides[0] - sides[1]) / 2e-5
            found.append(grad)
        return found[: len(bottoms)], found[len(bottoms) :]

    def weigh(self, tops: Arrays, douts: Arrays) -> float:
        return float(sum((t * d).sum() for t, d in zip(tops, douts, strict=True) if d is not None))


class Elementwise(Reference):
    """y = f(x), with Caffe's own f'."""

    def f(self, x: Array) -> Array:
        raise NotImplementedError

    def df(self, x: Array, y: Array) -> Array:
        raise NotImplementedError

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        return [self.f(bottoms[0])]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        x = bottoms[0]
        return [self.df(x, self.f(x)) * douts[0]], []


class ReLU(Elementwise):
    def f(self, x: Array) -> Array:
        return np.maximum(x, 0) + self.get("negative_slope", 0) * np.minimum(x, 0)

    def df(self, x: Array, y: Array) -> Array:
        return (x > 0) + self.get("negative_slope", 0) * (x <= 0)


class ELU(Elementwise):
    def f(self, x: Array) -> Array:
        return np.maximum(x, 0) + self.get("alpha", 1) * (np.exp(np.minimum(x, 0)) - 1)

    def df(self, x: Array, y: Array) -> Array:
        return (x > 0) + (self.get("alpha", 1) + y) * (x <= 0)


class BNLL(Elementwise):
    def f(self, x: Array) -> Array:
        return np.logaddexp(0, x)

    def df(self, x: Array, y: Array) -> Array:
        power = np.exp(np.minimum(x, 50))
        return power / (power + 1)


class Power(Elementwise):
    def f(self, x: Array) -> Array:
        power, scale, shift = self.get("power", 1), self.get("scale", 1), self.get("shift", 0)
        return np.power(shift + scale * x, power)

    def df(self, x: Array, y: Array) -> Array:
        power, scale, shift = self.get("power", 1), self.get("scale", 1), self.get("shift", 0)
        if power * scale == 0 or power == 1:
            return np.full(x.shape, float(power * scale))
        if power == 2:
            return 2 * scale * (scale * x + shift)
        with np.errstate(invalid="ignore", divide="ignore"):
            return y / x * power if shift == 0 else y / (scale * x + shift) * power * scale


class Exp(Elementwise):
    def f(self, x: Array) -> Array:
        base, scale, shift = self.get("base", -1), self.get("scale", 1), self.get("shift", 0)
        return np.exp((1 if base == -1 else math.log(base)) * (shift + scale * x))

    def df(self, x: Array, y: Array) -> Array:
        base = self.get("base", -1)
        return y * (1 if base == -1 else math.log(base)) * self.get("scale", 1)


class Log(Elementwise):
    def f(self, x: Array) -> Array:
        base, scale, shift = self.get("base", -1), self.get("scale", 1), self.get("shift", 0)
        return np.log(shift + scale * x) / (1 if base == -1 else math.log(base))

    def df(self, x: Array, y: Array) -> Array:
        base, scale, shift = self.get("base", -1), self.get("scale", 1), self.get("shift", 0)
        return scale / (shift + scale * x) / (1 if base == -1 else math.log(base))


class AbsVal(Elementwise):
    def f(self, x: Array) -> Array:
        return np.abs(x)

    def df(self, x: Array, y: Array) -> Array:
        return np.sign(x)


class Threshold(Elementwise):
    undifferentiated = (0,)

    def f(self, x: Array) -> Array:
        return (x > self.get("threshold", 0)).astype(float)


class Sigmoid(Elementwise):
    def f(self, x: Array) -> Array:
        return 0.5 * np.tanh(0.5 * x) + 0.5

    def df(self, x: Array, y: Array) -> Array:
        return y * (1 - y)


class TanH(Elementwise):
    def f(self, x: Array) -> Array:
        return np.tanh(x)

    def df(self, x: Array, y: Array) -> Array:
        return 1 - y * y


class Swish(Elementwise):
    def f(self, x: Array) -> Array:
        return x * (0.5 * np.tanh(0.5 * self.get("beta", 1) * x) + 0.5)

    def df(self, x: Array, y: Array) -> Array:
        beta = self.get("beta", 1)
        s = 0.5 * np.tanh(0.5 * beta * x) + 0.5
        return beta * y + s * (1 - beta * y)


class Clip(Elementwise):
    def f(self, x: Array) -> Array:
        return np.maximum(self.get("min", 0), np.minimum(x, self.get("max", 0)))

    def df(self, x: Array, y: Array) -> Array:
        return ((x >= self.get("min", 0)) & (x <= self.get("max", 0))).astype(float)


class Dropout(Elementwise):
    def f(self, x: Array) -> Array:
        if self.phase == "TEST":
            return x
        return x * self.more["mask"] / (1 - self.get("dropout_ratio", 0.5))

    def df(self, x: Array, y: Array) -> Array:
        return self.f(np.ones_like(x))


class PReLU(Reference):
    def weight_shapes(self, *bottoms: Array) -> list[Shape]:
        return [() if self.get("channel_shared", False) else (bottoms[0].shape[1],)]

    def spread(self, x: Array, slope: Array) -> Array:
        return slope.reshape(1, -1, *[1] * (x.ndim - 2))

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        x = bottoms[0]
        return [np.maximum(x, 0) + self.spread(x, weights[0]) * np.minimum(x, 0)]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        x, dy = bottoms[0], douts[0]
        slope = self.spread(x, weights[0])
        each = dy * x * (x <= 0)
        each = each.sum() if weights[0].ndim == 0 else each.sum((0, *range(2, x.ndim)))
        return [dy * ((x > 0) + slope * (x <= 0))], [np.asarray(each)]


# -- windows ------------------------------------------------------------------


def spread_over(values: Any, count: int, default: int) -> list[int]:
    found = listed(values) or [default]
    return found * count if len(found) == 1 else found


class Windowed(Reference):
    def geometry(self, x: Array) -> tuple[int, list[int], list[int], list[int], list[int]]:
        """Return the axis of channels, and kernel, stride, pad, dilation."""
        axis = self.axis(x, 1)
        k = x.ndim - axis - 1
        if "kernel_h" in self.p:
            kernel = [self.p["kernel_h"], self.p["kernel_w"]]
        else:
            kernel = spread_over(self.p["kernel_size"], k, 0)[:k]
        stride = spread_over(self.get("stride", None), k, 1)
        if "stride_h" in self.p:
            stride = [self.p["stride_h"], self.p["stride_w"]]
        pad = spread_over(self.get("pad", None), k, 0)
        if "pad_h" in self.p or "pad_w" in self.p:
            pad = [self.get("pad_h", 0), self.get("pad_w", 0)]
        return axis, kernel, stride, pad, spread_over(self.get("dilation", None), k, 1)

    def outer(self, x: Array) -> list[int]:
        """Return the extents of Convolution's and Im2col's tops."""
        axis, *window = self.geometry(x)
        sizes = []
        for size, k, s, p, d in zip(x.shape[axis + 1 :], *window, strict=True):
            sizes.append(int((size + 2 * p - (d * (k - 1) + 1)) / s) + 1)
        return sizes

    def columns(self, x: Array, axis: int, window: Any, out: list[int]) -> Array:
        """Return batch x C x kernel positions x out: im2col; what is outside reads as 0."""
        kernel, stride, pad, dilation = window
        batch = int(np.prod(x.shape[:axis]))
        flat = x.reshape(batch, *x.shape[axis:])
        found = np.zeros((batch, x.shape[axis], math.prod(kernel), *out))
        for number, offset in enumerate(itertools.product(*map(range, kernel))):
            for at in itertools.product(*map(range, out)):
                place = [
                    a * s - p + o * d
                    for a, s, p, o, d in zip(at, stride, pad, offset, dilation, strict=True)
                ]
                inside = all(0 <= i < n for i, n in zip(place, x.shape[axis + 1 :], strict=True))
                if inside:
                    found[(slice(None), slice(None), number, *at)] = flat[:, :, *place]
        return found

    def scatter(self, columns: Array, shape: Shape, axis: int, window: Any) -> Array:
        """Add columns up where they came from: col2im."""
        kernel, stride, pad, dilation = window
        batch = int(np.prod(shape[:axis]))
        flat = np.zeros((batch, *shape[axis:]))
        out = columns.shape[3:]
        for number, offset in enumerate(itertools.product(*map(range, kernel))):
            for at in itertools.product(*map(range, out)):
                place = [
                    a * s - p + o * d
                    for a, s, p, o, d in zip(at, stride, pad, offset, dilation, strict=True)
                ]
                if all(0 <= i < n for i, n in zip(place, shape[axis + 1 :], strict=True)):
                    flat[:, :, *place] += columns[(slice(None), slice(None), number, *at)]
        return flat.reshape(shape)


class Convolution(Windowed):
    def weight_shapes(self, *bottoms: Array) -> list[Shape]:
        axis, kernel, *_ = self.geometry(bottoms[0])
        n = self.p["num_output"]
        shapes: list[Shape] = [(n, bottoms[0].shape[axis] // self.get("group", 1), *kernel)]
        return [*shapes, (n,)] if self.get("bias_term", True) else shapes

    def parts(self, columns: Array, weight: Array) -> Any:
        """Return columns and weight with the groups and the kernel on axes of their own."""
        g = self.get("group", 1)
        b, c, k = columns.shape[:3]
        w = weight.reshape(g, weight.shape[0] // g, c // g, k)
        return columns.reshape(b, g, c // g, k, -1), w

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        tops = []
        for x in bottoms:
            axis, *window = self.geometry(x)
            out = self.outer(x)
            columns, w = self.parts(self.columns(x, axis, window, out), weights[0])
            y = np.einsum("bgcko,gnck->bgno", columns, w)
            y = y.reshape(-1, w.shape[0] * w.shape[1], y.shape[-1])
            if len(weights) > 1:
                y = y + weights[1][:, None]
            tops.append(y.reshape(*x.shape[:axis], -1, *out))
        return tops

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        dxs, dws = [], [np.zeros(w.shape) for w in weights]
        for x, dy in zip(bottoms, douts, strict=True):
            axis, *window = self.geometry(x)
            out = self.outer(x)
            columns = self.columns(x, axis, window, out)
            split, w = self.parts(columns, weights[0])
            d = dy.reshape(split.shape[0], w.shape[0], w.shape[1], -1)
            dws[0] += np.einsum("bgcko,bgno->gnck", split, d).reshape(weights[0].shape)
            if len(weights) > 1:
                dws[1] += d.sum((0, 3)).reshape(-1)
            back = np.einsum("gnck,bgno->bgcko", w, d).reshape(columns.shape)
            dxs.append(self.scatter(back, x.shape, axis, window))
        return dxs, dws


class Deconvolution(Convolution):
    def weight_shapes(self, *bottoms: Array) -> list[Shape]:
        axis, kernel, *_ = self.geometry(bottoms[0])
        n = self.p["num_output"]
        shapes: list[Shape] = [(bottoms[0].shape[axis], n // self.get("group", 1), *kernel)]
        return [*shapes, (n,)] if self.get("bias_term", True) else shapes

    def outer(self, x: Array) -> list[int]:
        axis, *window = self.geometry(x)
        sizes = []
        for size, k, s, p, d in zip(x.shape[axis + 1 :], *window, strict=True):
            sizes.append(s * (size - 1) + d * (k - 1) + 1 - 2 * p)
        return sizes

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        tops = []
        g = self.get("group", 1)
        for x in bottoms:
            axis, *window = self.geometry(x)
            c, n = x.shape[axis], self.p["num_output"]
            w = weights[0].reshape(g, c // g, n // g, -1)
            flat = x.reshape(-1, g, c // g, math.prod(x.shape[axis + 1 :]))
            columns = np.einsum("bgco,gcnk->bgnko", flat, w)
            columns = columns.reshape(len(flat), n, w.shape[-1], *x.shape[axis + 1 :])
            shape = (*x.shape[:axis], n, *self.outer(x))
            y = self.scatter(columns, shape, axis, window)
            if len(weights) > 1:
                y = y + weights[1].reshape(-1, *[1] * (x.ndim - axis - 1))
            tops.append(y)
        return tops

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        dxs, dws = [], [np.zeros(w.shape) for w in weights]
        g = self.get("group", 1)
        for x, dy in zip(bottoms, douts, strict=True):
            axis, *window = self.geometry(x)
            c, n = x.shape[axis], self.p["num_output"]
            columns = self.columns(dy, axis, window, list(x.shape[axis + 1 :]))
            split = columns.reshape(len(columns), g, n // g, columns.shape[2], -1)
            w = weights[0].reshape(g, c // g, n // g, -1)
            flat = x.reshape(-1, g, c // g, split.shape[-1])
            dxs.append(np.einsum("bgnko,gcnk->bgco", split, w).reshape(x.shape))
            dws[0] += np.einsum("bgnko,bgco->gcnk", split, flat).reshape(weights[0].shape)
            if len(weights) > 1:
                dws[1] += (
                    dy.sum(tuple(i for i in range(x.ndim) if i != axis)).reshape(-1)
                    if (axis == 1 or axis == 0)
                    else dy.reshape(-1, n, math.prod(dy.shape[axis + 1 :])).sum((0, 2))
                )
        return dxs, dws


class Im2col(Windowed):
    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        x = bottoms[0]
        axis, *window = self.geometry(x)
        out = self.outer(x)
        columns = self.columns(x, axis, window, out)
        return [columns.reshape(*x.shape[:axis], -1, *out)]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        x = bottoms[0]
        axis, *window = self.geometry(x)
        kernel = window[0]
        out = self.outer(x)
        batch = int(np.prod(x.shape[:axis]))
        columns = douts[0].reshape(batch, x.shape[axis], math.prod(kernel), *out)
        return [self.scatter(columns, x.shape, axis, window)], []


class Pooling(Reference):
    def window(self, x: Array) -> tuple[list[int], list[int], list[int], list[int]]:
        """Return kernel, stride, pad and the top's extents."""
        h, w = x.shape[2:]
        if self.get("global_pooling", False):
            return [h, w], [1, 1], [0, 0], [1, 1]
        k, s, p = self.get("kernel_size", 0), self.get("stride", 1), self.get("pad", 0)
        kernel = [self.get("kernel_h", k), self.get("kernel_w", k)]
        stride = [self.get("stride_h", s), self.get("stride_w", s)]
        pad = [self.get("pad_h", p), self.get("pad_w", p)]
        rounded = math.floor if self.get("round_mode", "CEIL") == "FLOOR" else math.ceil
        out = [
            rounded((n + 2 * q - m) / t) + 1
            for n, m, t, q in zip((h, w), kernel, stride, pad, strict=True)
        ]
        if any(pad):
            for i, n in enumerate((h, w)):
                if (out[i] - 1) * stride[i] >= n + pad[i]:
                    out[i] -= 1
        return kernel, stride, pad, out

    def cells(self, x: Array) -> Any:
        kernel, stride, pad, out = self.window(x)
        for ph, pw in itertools.product(range(out[0]), range(out[1])):
            start = [ph * stride[0] - pad[0], pw * stride[1] - pad[1]]
            ends = [min(start[i] + kernel[i], x.shape[2 + i] + pad[i]) for i in (0, 1)]
            size = (ends[0] - start[0]) * (ends[1] - start[1])
            low = [max(each, 0) for each in start]
            high = [min(start[i] + kernel[i], x.shape[2 + i]) for i in (0, 1)]
            yield (
                ph,
                pw,
                slice(low[0], max(*(low[0], high[0]))),
                slice(low[1], max(low[1], high[1])),
                size,
            )

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        x = bottoms[0]
        out = self.window(x)[3]
        y = np.zeros((*x.shape[:2], *out))
        mask = np.full(y.shape, -1.0)
        for ph, pw, rows, columns, size in self.cells(x):
            cut = x[:, :, rows, columns]
            flat = cut.reshape(*x.shape[:2], -1)
            if self.get("pool", "MAX") == "AVE":
                with np.errstate(invalid="ignore", divide="ignore"):
                    y[:, :, ph, pw] = flat.sum(-1) / np.float64(size)
            elif flat.shape[-1] == 0:
                y[:, :, ph, pw] = -FLT_MAX
            else:
                y[:, :, ph, pw] = flat.max(-1)
                first = flat.argmax(-1)
                row, column = np.divmod(first, cut.shape[3])
                mask[:, :, ph, pw] = (rows.start + row) * x.shape[3] + columns.start + column
        return [y, mask]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        x, dy = bottoms[0], douts[0]
        dx = np.zeros(x.shape)
        _, mask = self.forward(bottoms, weights)
        for ph, pw, rows, columns, size in self.cells(x):
            if self.get("pool", "MAX") == "AVE":
                if rows.start < rows.stop and columns.start < columns.stop:
                    dx[:, :, rows, columns] += dy[:, :, ph, pw, None, None] / size
                continue
            for n, c in np.ndindex(x.shape[:2]):
                place = int(mask[n, c, ph, pw])
                if place >= 0:
                    dx[n, c].reshape(-1)[place] += dy[n, c, ph, pw]
        return [dx], []


class SPP(Reference):
    def levels(self, x: Array) -> list[Pooling]:
        found = []
        for level in range(self.p["pyramid_height"]):
            bins = 2**level
            kernel = [math.ceil(n / bins) for n in x.shape[2:]]
            pad = [(k * bins - n + 1) // 2 for k, n in zip(kernel, x.shape[2:], strict=True)]
            found.append(Pooling({
                "kernel_h": kernel[0], "kernel_w": kernel[1], "stride_h": kernel[0],
                "stride_w": kernel[1], "pad_h": pad[0], "pad_w": pad[1],
                "pool": self.get("pool", "MAX"),
            }))  # fmt: skip
        return found

    def legal(self, x: Array) -> bool:
        for each in self.levels(x):
            kernel, _, pad, out = each.window(x)
            if min(out) < 1 or (any(pad) and any(p >= k for p, k in zip(pad, kernel, strict=True))):
                return False
        return True

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        made = [each.forward(bottoms, [])[0] for each in self.levels(bottoms[0])]
        if len(made) == 1:
            return made
        return [np.concatenate([y.reshape(len(y), -1) for y in made], 1)]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        x, total, start = bottoms[0], np.zeros(bottoms[0].shape), 0
        for each in self.levels(x):
            shape = (*x.shape[:2], *each.window(x)[3])
            size = math.prod(shape[1:])
            part = douts[0].reshape(len(x), -1)[:, start : start + size].reshape(shape)
            total += each.backward(bottoms, [], [part])[0][0]
            start += size
        return [total], []


# -- normalisation ------------------------------------------------------------


class LRN(Reference):
    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        x = bottoms[0]
        n, alpha = self.get("local_size", 5), self.get("alpha", 1.0)
        beta, half = self.get("beta", 0.75), (self.get("local_size", 5) - 1) // 2
        square = x * x
        total = np.zeros(x.shape)
        if self.get("norm_region", "ACROSS_CHANNELS") == "ACROSS_CHANNELS":
            for c in range(x.shape[1]):
                total[:, c] = square[:, max(c - half, 0) : c + half + 1].sum(1)
            return [x * (self.get("k", 1.0) + alpha / n * total) ** -beta]
        pooled = Pooling({"pool": "AVE", "kernel_size": n, "pad": half}).forward([square], [])[0]
        return [x * (1 + alpha * pooled) ** -beta]


class MVN(Reference):
    def split(self, x: Array) -> Array:
        four = x.reshape(*x.shape, *[1] * (4 - x.ndim))
        rows = four.shape[0] * (1 if self.get("across_channels", False) else four.shape[1])
        return four.reshape(rows, -1), four.shape

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        flat, shape = self.split(bottoms[0])
        y = flat - flat.mean(1, keepdims=True)
        if self.get("normalize_variance", True):
            y = y / (np.sqrt((y * y).mean(1, keepdims=True)) + self.get("eps", 1e-9))
        return [y.reshape(shape)]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        flat, _ = self.split(bottoms[0])
        dy = douts[0].reshape(flat.shape)
        dx = dy - dy.mean(1, keepdims=True)
        if self.get("normalize_variance", True):
            y = self.forward(bottoms, [])[0].reshape(flat.shape)
            deviation = flat.std(1, keepdims=True) + self.get("eps", 1e-9)
            dx = (dx - y * (y * dy).mean(1, keepdims=True)) / deviation
        return [dx.reshape(bottoms[0].shape)], []


class BatchNorm(Reference):
    def weight_shapes(self, *bottoms: Array) -> list[Shape]:
        return [(bottoms[0].shape[1],), (bottoms[0].shape[1],), (1,)]

    @property
    def global_stats(self) -> bool:
        return self.get("use_global_stats", self.phase == "TEST")

    def spread(self, x: Array, value: Array) -> Array:
        return value.reshape(1, -1, *[1] * (x.ndim - 2))

    def moments(self, bottoms: Arrays, weights: Arrays) -> tuple[Array, Array]:
        x = bottoms[0]
        if self.global_stats:
            factor = weights[2][0]
            scale = 0 if factor == 0 else 1 / factor
            return weights[0] * scale, weights[1] * scale
        axes = (0, *range(2, x.ndim))
        mean = x.mean(axes)
        return mean, ((x - self.spread(x, mean)) ** 2).mean(axes)

    def after(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        if self.global_stats:
            return list(weights)
        x = bottoms[0]
        mean, variance = self.moments(bottoms, weights)
        kept = self.get("moving_average_fraction", 0.999)
        m = x.size / x.shape[1]
        correction = m / (m - 1) if m > 1 else 1
        return [
            kept * weights[0] + mean, kept * weights[1] + correction * variance,
            kept * weights[2] + 1,
        ]  # fmt: skip

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        x = bottoms[0]
        mean, variance = self.moments(bottoms, weights)
        deviation = np.sqrt(variance + self.get("eps", 1e-5))
        return [(x - self.spread(x, mean)) / self.spread(x, deviation)]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        x, dy = bottoms[0], douts[0]
        _, variance = self.moments(bottoms, weights)
        deviation = self.spread(x, np.sqrt(variance + self.get("eps", 1e-5)))
        zeros = [np.zeros(w.shape) for w in weights]
        if self.global_stats:
            return [dy / deviation], zeros
        axes = (0, *range(2, x.ndim))
        y = self.forward(bottoms, weights)[0]
        inner = dy - dy.mean(axes, keepdims=True) - y * (y * dy).mean(axes, keepdims=True)
        return [inner / deviation], zeros


class Scale(Reference):
    factor = True

    def span(self, x: Array) -> tuple[int, int]:
        axis, count = self.axis(x, 1), self.get("num_axes", 1)
        return axis, x.ndim if count == -1 else axis + count

    def spanned(self, bottoms: Arrays) -> Shape:
        if len(bottoms) == 2:
            return bottoms[1].shape
        first, end = self.span(bottoms[0])
        return bottoms[0].shape[first:end]

    def weight_shapes(self, *bottoms: Array) -> list[Shape]:
        shape = self.spanned(bottoms)
        own = [] if len(bottoms) == 2 else [shape]
        return [*own, shape] if self.get("bias_term", False) else own

    def spread(self, x: Array, value: Array) -> Array:
        first = self.axis(x, 1) if value.ndim else 0
        return value.reshape(*value.shape, *[1] * (x.ndim - first - value.ndim))

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        x = bottoms[0]
        factor, *bias = [*bottoms[1:], *weights]
        y = x * self.spread(x, factor)
        return [y + self.spread(x, bias[0]) if bias else y]

    def summed(self, dy: Array, like: Array) -> Array:
        first = self.axis(dy, 1) if like.ndim else 0
        kept = range(first, first + like.ndim)
        return np.asarray(dy.sum(tuple(i for i in range(dy.ndim) if i not in kept)))

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        x, dy = bottoms[0], douts[0]
        factor, *bias = [*bottoms[1:], *weights]
        dx = dy * self.spread(x, factor)
        found = [dx, self.summed(dy * x, factor), *(self.summed(dy, b) for b in bias)]
        return found[: len(bottoms)], found[len(bottoms) :]


class Bias(Scale):
    def weight_shapes(self, *bottoms: Array) -> list[Shape]:
        return [] if len(bottoms) == 2 else [self.spanned(bottoms)]

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        (bias,) = [*bottoms[1:], *weights]
        return [bottoms[0] + self.spread(bottoms[0], bias)]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        (bias,) = [*bottoms[1:], *weights]
        found = [douts[0], self.summed(douts[0], bias)]
        return found[: len(bottoms)], found[len(bottoms) :]


# -- products, structure ------------------------------------------------------


class InnerProduct(Reference):
    def weight_shapes(self, *bottoms: Array) -> list[Shape]:
        x = bottoms[0]
        n, k = self.p["num_output"], math.prod(x.shape[self.axis(x, 1) :])
        shapes: list[Shape] = [(k, n) if self.get("transpose", False) else (n, k)]
        return [*shapes, (n,)] if self.get("bias_term", True) else shapes

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        x = bottoms[0]
        axis = self.axis(x, 1)
        w = weights[0] if self.get("transpose", False) else weights[0].T
        y = x.reshape(-1, w.shape[0]) @ w
        if len(weights) > 1:
            y = y + weights[1]
        return [y.reshape(*x.shape[:axis], w.shape[1])]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        turned = self.get("transpose", False)
        w = weights[0] if turned else weights[0].T
        x, dy = bottoms[0].reshape(-1, w.shape[0]), douts[0].reshape(-1, w.shape[1])
        dw = x.T @ dy
        found = [dw if turned else dw.T, dy.sum(0)]
        return [(dy @ w.T).reshape(bottoms[0].shape)], found[: len(weights)]


class Embed(Reference):
    undifferentiated = (0,)

    def weight_shapes(self, *bottoms: Array) -> list[Shape]:
        n = self.p["num_output"]
        shapes: list[Shape] = [(self.p["input_dim"], n)]
        return [*shapes, (n,)] if self.get("bias_term", True) else shapes

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        y = weights[0][bottoms[0].astype(int)]
        return [y + weights[1] if len(weights) > 1 else y]


class Eltwise(Reference):
    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        operation = self.get("operation", "SUM")
        if operation == "SUM":
            coefficients = listed(self.get("coeff", None)) or [1] * len(bottoms)
            return [sum(c * x for c, x in zip(coefficients, bottoms, strict=True))]
        together = np.stack(list(bottoms))
        return [together.prod(0) if operation == "PROD" else together.max(0)]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        operation, dy = self.get("operation", "SUM"), douts[0]
        if operation == "SUM":
            coefficients = listed(self.get("coeff", None)) or [1] * len(bottoms)
            return [c * dy for c in coefficients], []
        if operation == "PROD":
            found = []
            for index, x in enumerate(bottoms):
                rest = [b for i, b in enumerate(bottoms) if i != index]
                with np.errstate(invalid="ignore", divide="ignore"):
                    stable = self.get("stable_prod_grad", True)
                    other = math.prod(rest) if stable else self.forward(bottoms, [])[0] / x
                found.append(dy * other)
            return found, []
        top = np.where(bottoms[0] > bottoms[1], bottoms[0], bottoms[1])
        winner = np.where(bottoms[0] > bottoms[1], 0, 1)
        for index, x in enumerate(bottoms[2:], 2):
            winner = np.where(x > top, index, winner)
            top = np.maximum(x, top)
        return [dy * (winner == i) for i in range(len(bottoms))], []


class Reduction(Reference):
    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        x = bottoms[0]
        axis = self.axis(x, 0)
        flat = x.reshape(*x.shape[:axis], -1)
        operation = self.get("operation", "SUM")
        total = {
            "SUM": flat.sum, "MEAN": flat.mean, "ASUM": np.abs(flat).sum,
            "SUMSQ": (flat * flat).sum,
        }[operation](-1)  # fmt: skip
        return [np.asarray(self.get("coeff", 1) * total)]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        x = bottoms[0]
        axis = self.axis(x, 0)
        size = math.prod(x.shape[axis:])
        dy = douts[0].reshape(*x.shape[:axis], *[1] * (x.ndim - axis)) * self.get("coeff", 1)
        each = {"SUM": np.ones_like(x), "MEAN": np.full_like(x, 1 / size), "ASUM": np.sign(x),
                "SUMSQ": 2 * x}  # fmt: skip
        return [dy * each[self.get("operation", "SUM")]], []


class ArgMax(Reference):
    undifferentiated = (0,)

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        x, k = bottoms[0], self.get("top_k", 1)
        if "axis" in self.p:
            axis = self.axis(x, 0)
            best, values = self.best(np.moveaxis(x, axis, -1), k)
            return [np.moveaxis(values if self.get("out_max_val", False) else best, -1, axis)]
        best, values = self.best(x.reshape(len(x), -1), k)
        both = [best, values] if self.get("out_max_val", False) else [best]
        return [np.stack(both, 1).reshape(len(x), len(both), k, *[1] * max(x.ndim - 3, 0))]

    def best(self, x: Array, k: int) -> tuple[Array, Array]:
        size = x.shape[-1]
        order = size - 1 - np.argsort(-x[..., ::-1], axis=-1, kind="stable")
        best = order[..., :k]
        return best.astype(float), np.take_along_axis(x, best, -1)


class Softmax(Reference):
    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        return [softmax(bottoms[0], self.axis(bottoms[0], 1))]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        axis, dy = self.axis(bottoms[0], 1), douts[0]
        y = softmax(bottoms[0], axis)
        return [y * (dy - (dy * y).sum(axis, keepdims=True))], []


def softmax(x: Array, axis: int) -> Array:
    raised = np.exp(x - x.max(axis, keepdims=True))
    return raised / raised.sum(axis, keepdims=True)


class Linear(Reference):
    """Moves numbers: the gradient is found by moving the places of the bottoms' elements."""

    places = 1  # how many of the first bottoms are moved; -1 all
    fixed = 0  # and how many of the last are not

    def move(self, moved: Arrays, rest: Arrays) -> list[Array]:
        raise NotImplementedError

    def parts(self, bottoms: Arrays) -> tuple[Arrays, Arrays]:
        end = len(bottoms) - self.fixed
        return bottoms[:end], bottoms[end:]

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        return self.move(*self.parts(bottoms))

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        moved, rest = self.parts(bottoms)
        sizes = np.cumsum([0, *(b.size for b in moved)])
        numbered = [
            (np.arange(b.size) + start).reshape(b.shape)
            for b, start in zip(moved, sizes, strict=False)
        ]
        grad = np.zeros(sizes[-1])
        for places, dy in zip(self.move(numbered, rest), douts, strict=True):
            if dy is not None:
                np.add.at(grad, places.reshape(-1).astype(int), dy.reshape(-1))
        found = [
            grad[start : start + b.size].reshape(b.shape)
            for b, start in zip(moved, sizes, strict=False)
        ]
        return [*found, *(np.zeros(b.shape) for b in rest)], []


class Concat(Linear):
    def move(self, moved: Arrays, rest: Arrays) -> list[Array]:
        axis = self.get("concat_dim", self.get("axis", 1))
        return [np.concatenate(list(moved), axis)]


class Slice(Linear):
    def move(self, moved: Arrays, rest: Arrays) -> list[Array]:
        axis = self.get("slice_dim", self.get("axis", 1))
        points = listed(self.get("slice_point", None)) or self.more["tops"]
        return list(np.split(moved[0], points, axis))


class Split(Linear):
    def move(self, moved: Arrays, rest: Arrays) -> list[Array]:
        return [moved[0]] * self.more["tops"]


class Tile(Linear):
    def move(self, moved: Arrays, rest: Arrays) -> list[Array]:
        return [np.concatenate([moved[0]] * self.p["tiles"], self.axis(moved[0], 1))]


class Flatten(Linear):
    def move(self, moved: Arrays, rest: Arrays) -> list[Array]:
        x = moved[0]
        first, last = self.axis(x, 1), self.axis(x, -1, "end_axis")
        return [x.reshape(*x.shape[:first], -1, *x.shape[last + 1 :])]


class Reshape(Linear):
    def move(self, moved: Arrays, rest: Arrays) -> list[Array]:
        x = moved[0]
        axis, count = self.get("axis", 0), self.get("num_axes", -1)
        start = axis if axis >= 0 else x.ndim + axis + 1
        end = x.ndim if count == -1 else start + count
        dims = listed(self.p["shape"].get("dim"))
        dims = [x.shape[start + i] if d == 0 else d for i, d in enumerate(dims)]
        return [x.reshape((*x.shape[:start], *dims, *x.shape[end:]))]


class Crop(Linear):
    fixed = 1
    undifferentiated = (1,)

    def move(self, moved: Arrays, rest: Arrays) -> list[Array]:
        x, like = moved[0], rest[0]
        axis = self.axis(x, 2)
        offsets = spread_over(self.get("offset", None), x.ndim - axis, 0)
        cuts = [slice(o, o + n) for o, n in zip(offsets, like.shape[axis : x.ndim], strict=True)]
        return [x[(..., *cuts)] if cuts else x]


class BatchReindex(Linear):
    fixed = 1
    undifferentiated = (1,)

    def move(self, moved: Arrays, rest: Arrays) -> list[Array]:
        return [moved[0][rest[0].astype(int)]]


class Filter(Linear):
    fixed = 1

    def move(self, moved: Arrays, rest: Arrays) -> list[Array]:
        kept = rest[0].reshape(-1) != 0
        return [x[kept] for x in moved]


class Parameter(Reference):
    def weight_shapes(self, *bottoms: Array) -> list[Shape]:
        return [tuple(listed(self.get("shape", {}).get("dim")))]

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        return [weights[0]]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        return [], [douts[0]]


# -- losses -------------------------------------------------------------------


class Loss(Reference):
    undifferentiated = (1,)
    usual = "VALID"

    @property
    def loss(self) -> dict[str, Any]:
        return self.more.get("loss_param", {})

    def normalizer(self, outer: int, inner: int, valid: int) -> float:
        mode = self.loss.get("normalization")
        if mode is None and "normalize" in self.loss:
            mode = "VALID" if self.loss["normalize"] else "BATCH_SIZE"
        chosen = {
            "FULL": outer * inner, "VALID": valid, "BATCH_SIZE": outer, "NONE": 1,
        }[mode or self.usual]  # fmt: skip
        return max(1.0, float(chosen))

    def labelled(self, x: Array, label: Array, axis: int) -> Any:
        """Return x as outer x K x inner, labels as outer x inner, and what counts."""
        outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
        labels = label.reshape(outer, inner).astype(int)
        ignored = self.loss.get("ignore_label")
        counts = np.ones(labels.shape, bool) if ignored is None else labels != ignored
        return x.reshape(outer, x.shape[axis], inner), labels, counts


def scalar(value: Any) -> Array:
    return np.asarray(float(value))


class SoftmaxWithLoss(Loss):
    def parts(self, bottoms: Arrays) -> Any:
        x = bottoms[0]
        axis = self.axis(x, 1)
        prob, labels, counts = self.labelled(softmax(x, axis), bottoms[1], axis)
        return prob, labels, counts, self.normalizer(len(prob), prob.shape[2], counts.sum())

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        prob, labels, counts, norm = self.parts(bottoms)
        safe = np.where(counts, labels, 0)
        true = np.take_along_axis(prob, safe[:, None], 1)[:, 0]
        return [scalar(-(np.log(np.maximum(true, FLT_MIN)) * counts).sum() / norm)]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        prob, labels, counts, norm = self.parts(bottoms)
        one = np.arange(prob.shape[1])[None, :, None] == labels[:, None]
        dx = (prob - one) * counts[:, None] * douts[0] / norm
        return [dx.reshape(bottoms[0].shape), np.zeros(bottoms[1].shape)], []


class InfogainLoss(SoftmaxWithLoss):
    undifferentiated = (1, 2)

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        prob, labels, counts, norm = self.parts(bottoms)
        k = prob.shape[1]
        h = bottoms[2].reshape(k, k)[np.where(counts, labels, 0)]  # outer, inner, K
        logs = np.log(np.maximum(np.moveaxis(prob, 1, 2), LOG_THRESHOLD))
        total = -(h * logs * counts[..., None]).sum() / norm
        return [scalar(total), prob.reshape(bottoms[0].shape)]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        prob, labels, counts, norm = self.parts(bottoms)
        k = prob.shape[1]
        h = bottoms[2].reshape(k, k)[np.where(counts, labels, 0)]
        dx = np.moveaxis(prob, 1, 2) * h.sum(-1, keepdims=True) - h
        dx = np.moveaxis(dx * counts[..., None], 2, 1) * douts[0] / norm
        return [dx.reshape(bottoms[0].shape), *(np.zeros(b.shape) for b in bottoms[1:])], []


class SigmoidCrossEntropyLoss(Loss):
    usual = "BATCH_SIZE"

    def parts(self, bottoms: Arrays) -> Any:
        x, t = bottoms[0], bottoms[1].reshape(bottoms[0].shape)
        ignored = self.loss.get("ignore_label")
        counts = np.ones(x.shape, bool) if ignored is None else np.trunc(t) != ignored
        return x, t, counts, self.normalizer(len(x), math.prod(x.shape[1:]), counts.sum())

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        x, t, counts, norm = self.parts(bottoms)
        each = x * (t - (x >= 0)) - np.log1p(np.exp(-np.abs(x)))
        return [scalar(-(each * counts).sum() / norm)]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        x, t, counts, norm = self.parts(bottoms)
        dx = (0.5 * np.tanh(0.5 * x) + 0.5 - t) * counts * douts[0] / norm
        return [dx, np.zeros(bottoms[1].shape)], []


class EuclideanLoss(Loss):
    undifferentiated = ()

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        a, b = bottoms
        return [scalar(((a - b.reshape(a.shape)) ** 2).sum() / len(a) / 2)]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        a, b = bottoms
        apart = (a - b.reshape(a.shape)) * douts[0] / len(a)
        return [apart, -apart.reshape(b.shape)], []


class HingeLoss(Loss):
    def parts(self, bottoms: Arrays) -> Any:
        x = bottoms[0].reshape(len(bottoms[0]), -1)
        labels = bottoms[1].reshape(-1).astype(int)
        sign = np.where(np.arange(x.shape[1]) == labels[:, None], -1, 1)
        return sign, np.maximum(0, 1 + sign * x)

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        _, over = self.parts(bottoms)
        power = 2 if self.get("norm", "L1") == "L2" else 1
        return [scalar((over**power).sum() / len(over))]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        sign, over = self.parts(bottoms)
        each = 2 * over if self.get("norm", "L1") == "L2" else np.sign(over)
        dx = sign * each * douts[0] / len(over)
        return [dx.reshape(bottoms[0].shape), np.zeros(bottoms[1].shape)], []


class MultinomialLogisticLoss(Loss):
    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        x = bottoms[0].reshape(len(bottoms[0]), -1)
        labels = bottoms[1].reshape(-1).astype(int)
        true = np.maximum(x[np.arange(len(x)), labels], LOG_THRESHOLD)
        return [scalar(-np.log(true).sum() / len(x))]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        x = bottoms[0].reshape(len(bottoms[0]), -1)
        rows, labels = np.arange(len(x)), bottoms[1].reshape(-1).astype(int)
        dx = np.zeros(x.shape)
        dx[rows, labels] = -douts[0] / len(x) / np.maximum(x[rows, labels], LOG_THRESHOLD)
        return [dx.reshape(bottoms[0].shape), np.zeros(bottoms[1].shape)], []


class ContrastiveLoss(Loss):
    undifferentiated = (2,)

    def parts(self, bottoms: Arrays) -> Any:
        a, b, label = bottoms
        apart = a.reshape(len(a), -1) - b.reshape(len(a), -1)
        return apart, (apart**2).sum(1), label.reshape(-1).astype(int) != 0, self.get("margin", 1.0)

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        _, square, similar, margin = self.parts(bottoms)
        if self.get("legacy_version", False):
            other = np.maximum(margin - square, 0)
        else:
            other = np.maximum(margin - np.sqrt(square), 0) ** 2
        return [scalar(np.where(similar, square, other).sum() / len(square) / 2)]

    def backward(self, bottoms: Arrays, weights: Arrays, douts: Arrays) -> Any:
        apart, square, similar, margin = self.parts(bottoms)
        if self.get("legacy_version", False):
            factor = np.where(margin - square > 0, -1.0, 0.0)
        else:
            distance = np.sqrt(square)
            factor = np.where(margin - distance > 0, -(margin - distance) / (distance + 1e-4), 0.0)
        grad = np.where(similar, 1.0, factor)[:, None] * apart * douts[0] / len(apart)
        a, b, label = bottoms
        return [grad.reshape(a.shape), -grad.reshape(b.shape), np.zeros(label.shape)], []


class Accuracy(Reference):
    undifferentiated = (0, 1)

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        x = bottoms[0]
        axis = self.axis(x, 1)
        outer, k = math.prod(x.shape[:axis]), x.shape[axis]
        flat = x.reshape(outer, k, -1)
        labels = bottoms[1].reshape(outer, flat.shape[2]).astype(int)
        hits, seen = np.zeros(k), np.zeros(k)
        for i, j in np.ndindex(labels.shape):
            label = labels[i, j]
            if label == self.get("ignore_label", None):
                continue
            better = (flat[i, :, j] >= flat[i, label, j]).sum() - 1
            seen[label] += 1
            hits[label] += better < self.get("top_k", 1)
        total = hits.sum() / seen.sum() if seen.sum() else 0.0
        return [scalar(total), np.where(seen > 0, hits / np.maximum(seen, 1), 0)]


# -- recurrence ---------------------------------------------------------------


def sigmoid(x: Array) -> Array:
    return 0.5 * np.tanh(0.5 * x) + 0.5


class LSTMUnit(Reference):
    undifferentiated = (2,)

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        before, gates, going = bottoms
        return list(unit(before, gates, going[..., None]))


def unit(before: Array, gates: Array, going: Array) -> tuple[Array, Array]:
    i, f, o, g = np.split(gates, 4, -1)
    state = going * sigmoid(f) * before + sigmoid(i) * np.tanh(g)
    return state, sigmoid(o) * np.tanh(state)


class Recurrent(Reference):
    gates = 1
    hidden = 1

    def unpack(self, bottoms: Arrays) -> Any:
        """Return x, cont, the static bottom or None, and the hidden bottoms."""
        rest = list(bottoms[2:])
        exposed = self.get("expose_hidden", False)
        hidden = rest[len(rest) - self.hidden :] if exposed else []
        static = rest[: len(rest) - len(hidden)]
        return bottoms[0], bottoms[1], static[0] if static else None, hidden

    def weight_shapes(self, *bottoms: Array) -> list[Shape]:
        x, _, static, _ = self.unpack(bottoms)
        d, g = self.p["num_output"], self.gates
        found: list[Shape] = [(g * d, math.prod(x.shape[2:])), (g * d,)]
        if static is not None:
            found.append((g * d, math.prod(static.shape[1:])))
        found.append((g * d, d))
        return found if g == 4 else [*found, (d, d), (d,)]

    def forward(self, bottoms: Arrays, weights: Arrays) -> list[Array]:
        x, going, static, hidden = self.unpack(bottoms)
        wx, b, *rest = weights
        count, items = x.shape[:2]
        driven = x.reshape(count, items, -1) @ wx.T + b
        if static is not None:
            driven = driven + static.reshape(items, -1) @ rest.pop(0).T
        wh, *output = rest
        start = hidden or self.more.get("carried") or [
            np.zeros((1, items, self.p["num_output"])) for _ in range(self.hidden)
        ]  # fmt: skip
        state = [h.reshape(items, -1) for h in start]
        made = []
        for t in range(count):
            keep = going[t].reshape(-1, 1)
            gates = driven[t] + (keep * state[0]) @ wh.T
            if self.gates == 4:
                cell, out = unit(state[1], gates, keep)
                state = [out, cell]
                made.append(out)
            else:
                state = [np.tanh(gates)]
                made.append(np.tanh(state[0] @ output[0].T + output[1]))
        self.last = [h[None] for h in state]
        return [np.stack(made), *(self.last if self.get("expose_hidden", False) else [])]


class RNN(Recurrent):
    undifferentiated = (1, 3)


class LSTM(Recurrent):
    gates, hidden = 4, 2


TYPES = {
    each.__name__: each for each in list(globals().values())
    if isinstance(each, type) and issubclass(each, Reference)
}  # fmt: skip


class Solver:
    """Caffe's solvers: rates, clipping, averages over passes, regularisation, updates."""

    usual = {
        "type": "SGD", "momentum": 0.0, "momentum2": 0.999, "rms_decay": 0.99, "delta": 1e-8,
        "weight_decay": 0.0, "regularization_type": "L2", "clip_gradients": -1.0, "iter_size": 1,
        "gamma": 0.0, "power": 0.0, "stepvalue": [],
    }  # fmt: skip

    def __init__(self, fields: dict[str, Any], shapes: Sequence[Shape]) -> None:
        self.p = {**self.usual, **fields}
        self.iteration = 0
        self.step = 0
        self.history = [[np.zeros(s), np.zeros(s)] for s in shapes]

    def rate(self) -> float:
        p, i = self.p, self.iteration
        base, gamma, power = p["base_lr"], p["gamma"], p["power"]
        policy = p["lr_policy"]
        if policy == "step":
            return base * gamma ** (i // p["stepsize"])
        if policy == "exp":
            return base * gamma**i
        if policy == "inv":
            return base * (1 + gamma * i) ** -power
        if policy == "multistep":
            if self.step < len(p["stepvalue"]) and i >= p["stepvalue"][self.step]:
                self.step += 1
            return base * gamma**self.step
        if policy == "poly":
            return base * (1 - i / p["max_iter"]) ** power
        if policy == "sigmoid":
            return base / (1 + math.exp(-gamma * (i - p["stepsize"])))
        return base

    def apply(
        self, weights: list[Array], diffs: Arrays, mults: Sequence[tuple[float, float]]
    ) -> float:
        """Move the weights in place by summed gradients; return the rate."""
        p, rate = self.p, self.rate()
        norm = math.sqrt(sum((d * d).sum() for d in diffs))
        clip = p["clip_gradients"]
        scale = clip / norm if 0 <= clip < norm else 1.0
        for index, (w, diff) in enumerate(zip(weights, diffs, strict=True)):
            lr_mult, decay_mult = mults[index]
            g = diff * scale / p["iter_size"]
            decay = p["weight_decay"] * decay_mult
            g = g + decay * (np.sign(w) if p["regularization_type"] == "L1" else w)
            w -= self.update(g, rate * lr_mult, self.history[index])
        self.iteration += 1
        return rate

    def update(self, g: Array, rate: float, history: list[Array]) -> Array:
        p, kind = self.p, self.p["type"]
        momentum, delta, old = p["momentum"], p["delta"], history[0]
        if kind in ("SGD", "Nesterov"):
            history[0] = momentum * old + rate * g
            if kind == "SGD":
                return history[0]
            return (1 + momentum) * history[0] - momentum * old
        if kind == "AdaGrad":
            history[0] = old + g * g
            return rate * g / (np.sqrt(history[0]) + delta)
        if kind == "RMSProp":
            history[0] = p["rms_decay"] * old + (1 - p["rms_decay"]) * g * g
            return rate * g / (np.sqrt(history[0]) + delta)
        if kind == "AdaDelta":
            history[0] = momentum * old + (1 - momentum) * g * g
            g = g * np.sqrt((history[1] + delta) / (history[0] + delta))
            history[1] = momentum * history[1] + (1 - momentum) * g * g
            return rate * g
        beta = p["momentum2"]
        history[0] = momentum * old + (1 - momentum) * g
        history[1] = beta * history[1] + (1 - beta) * g * g
        t = self.iteration + 1
        correction = math.sqrt(1 - beta**t) / (1 - momentum**t)
        return rate * correction * history[0] / (np.sqrt(history[1]) + delta)
