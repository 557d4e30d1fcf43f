"""Windows in torch: pooling, resampling and regions, against loops and functions of torch."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import yaml

import netspec

X4 = ["N", 4, "H", "W"]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)


@pytest.fixture
def net(tmp_path: Any) -> Any:
    """Return a builder of layers in a row: inputs, then entries."""

    def build(inputs: dict[str, list[Any]], *entries: dict[str, Any], **options: Any) -> Any:
        file = tmp_path / "net.yaml"
        spec = {"name": "T", "inputs": inputs, "layers": list(entries)}
        file.write_text(yaml.safe_dump(spec, sort_keys=False))
        return netspec.build(str(file), **options)

    return build


@pytest.fixture
def make(net: Any) -> Any:
    """Return a builder of one layer, called `l`: type, shape of its bottom, message and params."""

    def build(kind: str, shape: list[Any], message: str, **params: Any) -> Any:
        return net({"x": shape}, {"name": "l", "type": kind, message: params})

    return build


def close(a: torch.Tensor, b: torch.Tensor) -> None:
    torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5, equal_nan=True)


def run(model: Any, *bottoms: torch.Tensor) -> torch.Tensor:
    """Return the top, after a check that the module compiles as one graph for every size."""
    top = model(*bottoms)
    whole = torch.compile(model, fullgraph=True, dynamic=True, backend="eager")
    close(whole(*bottoms), top)
    return top


# pooling


def extents(size: tuple[int, int], case: dict[str, Any]) -> list[int]:
    """Return what Caffe's Reshape computes, in floating point as it does."""
    rounded = math.ceil if case["round_mode"] == "CEIL" else math.floor
    made = []
    for extent, kernel, stride, pad in zip(
        size, case["kernel_size"], case["stride"], case["pad"], strict=True
    ):
        count = rounded((extent + 2 * pad - kernel) / stride) + 1
        if any(case["pad"]) and (count - 1) * stride >= extent + pad:
            count -= 1
        made.append(count)
    return made


def pooled(x: np.ndarray, case: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return what Caffe's Forward_cpu computes: the tops and the mask."""
    kernel, stride, pad = case["kernel_size"], case["stride"], case["pad"]
    size, largest = x.shape[2:], case["pool"] == "MAX"
    made = extents(size, case)
    y = np.zeros((*x.shape[:2], *made), np.float32)
    mask = np.full(y.shape, -1, np.float32)
    for i, j in np.ndindex(*made):
        start = [i * stride[0] - pad[0], j * stride[1] - pad[1]]
        end = [min(s + k, e + p) for s, k, e, p in zip(start, kernel, size, pad, strict=True)]
        area = np.float32((end[0] - start[0]) * (end[1] - start[1]))
        rows = range(max(start[0], 0), min(end[0], size[0]))
        columns = range(max(start[1], 0), min(end[1], size[1]))
        for n, c in np.ndindex(*x.shape[:2]):
            if not largest:
                total = sum((x[n, c, h, w] for h in rows for w in columns), np.float32(0))
                with np.errstate(all="ignore"):
                    y[n, c, i, j] = total / area
                continue
            best = -np.finfo(np.float32).max
            for h in rows:
                for w in columns:
                    if x[n, c, h, w] > best:
                        best, mask[n, c, i, j] = x[n, c, h, w], h * size[1] + w
            y[n, c, i, j] = best
    return y, mask


@pytest.mark.parametrize("seed", range(60))
def test_pooling_is_caffes_at_every_size(net: Any, seed: int) -> None:
    draw = random.Random(seed)
    kernel = [draw.randint(1, 4), draw.randint(1, 4)]
    case = {
        "pool": draw.choice(["MAX", "AVE"]),
        "round_mode": draw.choice(["CEIL", "CEIL", "FLOOR"]),
        "kernel_size": kernel,
        "stride": [draw.randint(1, 5), draw.randint(1, 5)],
        "pad": [draw.choice([0, draw.randrange(k)]) for k in kernel],
    }
    masked = case["pool"] == "MAX" and draw.random() < 0.5
    entry = {"name": "l", "type": "Pooling", "pooling_param": case}
    model = net({"x": X4}, entry | ({"top": ["l", "mask"]} if masked else {}), outputs="all")
    tried = 0
    for _ in range(6):
        size = draw.randint(1, 9), draw.randint(1, 9)
        if min(extents(size, case)) < 1:
            continue
        tried += 1
        # few values, so that there are ties
        x = np.random.default_rng(seed).integers(-3, 3, (1, 2, *size)).astype(np.float32)
        x = np.concatenate([x, x[:, ::-1] / 2], 1)
        top = model(torch.from_numpy(x))
        y, mask = pooled(x, case)
        close(top["l"] if masked else top, torch.from_numpy(y))
        if masked:
            held = mask >= 0
            assert np.array_equal(top["mask"].numpy()[held], mask[held])
    assert tried or min(kernel) > 1


@pytest.mark.parametrize(
    "params",
    [
        {"kernel_size": 3, "stride": 2},
        {"kernel_size": 3, "stride": 2, "pad": 2},
        {"kernel_size": 3, "stride": 2, "pad": 2, "pool": "AVE"},
        {"kernel_size": 1, "stride": 2, "pool": "AVE"},
        {"kernel_size": 2, "stride": 1, "pad_r": 1, "pad_b": 1},
        {"global_pooling": True},
        {"output_size": [3, 5]},
    ],
)
def test_pooling_compiles_for_every_size(make: Any, params: dict[str, Any]) -> None:
    run(make("Pooling", X4, "pooling_param", **params), torch.randn(2, 4, 9, 12))


def test_pooling_beyond_caffe_is_torchs(make: Any) -> None:
    x = torch.randn(2, 4, 9, 12)

    def top(**params: Any) -> torch.Tensor:
        return run(make("Pooling", X4, "pooling_param", **params), x)

    floor = {"round_mode": "FLOOR"}
    dilated = F.max_pool2d(x, 3, 2, 1, dilation=2)
    close(top(kernel_size=3, stride=2, pad=1, dilation=2, **floor), dilated)
    own = F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
    close(top(pool="AVE_EXC_PAD", kernel_size=3, stride=2, pad=1, **floor), own)
    close(top(pool="L2", kernel_size=3, stride=2, **floor), F.lp_pool2d(x.abs(), 2.0, 3, 2))
    close(top(pool="AVE", output_size=[4, 5]), F.adaptive_avg_pool2d(x, (4, 5)))
    close(top(output_size=[4, 5]), F.adaptive_max_pool2d(x, (4, 5)))
    side = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-math.inf), 2, 1)
    close(top(kernel_size=2, stride=1, pad_r=1, pad_b=1), side)


@pytest.mark.parametrize(("axes", "shape"), [(1, (2, 4, 17)), (3, (2, 4, 5, 6, 7))])
def test_pooling_has_one_to_three_axes(make: Any, axes: int, shape: tuple[int, ...]) -> None:
    x = torch.randn(shape)
    symbols = ["N", 4, *"DHW"[:axes]]
    ours = make("Pooling", symbols, "pooling_param", kernel_size=[3] * axes, stride=2)
    close(run(ours, x), getattr(F, f"max_pool{axes}d")(x, 3, 2, ceil_mode=True))
    params = {"pool": "AVE", "kernel_size": [3] * axes, "stride": 2, "pad": 2}
    wide = F.pad(x, (2, 2) * axes)
    theirs = getattr(F, f"avg_pool{axes}d")(wide, 3, 2)
    ours = run(make("Pooling", symbols, "pooling_param", round_mode="FLOOR", **params), x)
    close(ours, theirs[tuple(slice(extent) for extent in ours.shape)])


def test_stochastic_pooling_draws_in_train_and_weighs_in_test(make: Any) -> None:
    x = torch.rand(1, 4, 2, 2)
    model = make("Pooling", X4, "pooling_param", pool="STOCHASTIC", kernel_size=2, stride=2)
    flat = x.flatten(2)
    close(model.eval()(x).flatten(), (flat.square().sum(2) / flat.sum(2)).flatten())
    drawn = model.train()(x.expand(4000, -1, -1, -1)).flatten(1)
    shares = torch.stack([(drawn == value).float().mean(0) for value in flat[0].unbind(1)], -1)
    assert (shares - flat[0] / flat[0].sum(1, keepdim=True)).abs().max() < 0.04


def test_unpooling_puts_elements_back(net: Any) -> None:
    x = torch.randn(2, 4, 8, 12)
    y, index = F.max_pool2d(x, 2, 2, return_indices=True)
    wanted = F.max_unpool2d(y, index, 2, 2)
    pool = {
        "name": "p", "type": "Pooling", "top": ["p", "mask"],
        "pooling_param": {"kernel_size": 2, "stride": 2},
    }  # fmt: skip
    unpool = {"name": "l", "type": "Unpooling", "bottom": ["p", "mask"]}
    unpool["unpooling_param"] = {"kernel_size": 2, "stride": 2}
    close(run(net({"x": X4}, pool, unpool), x), wanted)
    up = {"name": "l", "type": "Upsample", "bottom": ["p", "mask"]}
    close(run(net({"x": X4}, pool, up | {"upsample_param": {"scale": 2}}), x), wanted)
    odd = x[:, :, :7]
    y, index = F.max_pool2d(odd, 2, 2, ceil_mode=True, return_indices=True)
    wanted = F.max_unpool2d(y, index, 2, 2, output_size=(7, 12))
    up["upsample_param"] = {"scale": 2, "pad_out_h": True}
    close(run(net({"x": X4}, pool, up), odd), wanted)


# convolutions


def test_convolution_pads_each_side(make: Any) -> None:
    x = torch.randn(2, 4, 9, 12)
    params = {"num_output": 3, "kernel_size": 3, "pad_l": 1, "pad_b": 2}
    model = make("Convolution", X4, "convolution_param", **params)
    close(run(model, x), F.conv2d(F.pad(x, (1, 0, 0, 2)), model.l.weight, model.l.bias))
    params = {"num_output": 3, "kernel_size": 4, "hole": 2, "pad_type": "SAME"}
    model = make("Convolution", X4, "convolution_param", **params)
    wide = F.pad(x, (3, 3, 3, 3))
    close(run(model, x), F.conv2d(wide, model.l.weight, model.l.bias, dilation=2))


def test_causal_convolution_does_not_see_ahead(make: Any) -> None:
    params = {"num_output": 3, "kernel_size": 3, "dilation": 2, "pad_type": "CAUSAL"}
    model = make("Convolution", ["N", 4, "T"], "convolution_param", **params)
    x = torch.randn(2, 4, 12)
    later = x.clone()
    later[:, :, 7:] += 1
    assert torch.equal(model(x)[:, :, :7], model(later)[:, :, :7])
    assert not torch.equal(model(x)[:, :, 7], model(later)[:, :, 7])


def test_dilation_zero_adds_the_taps_up(make: Any) -> None:
    x = torch.randn(2, 4, 9, 12)
    params = {"num_output": 3, "kernel_size": 3, "dilation": 0, "stride": 2, "pad": 1}
    model = make("Convolution", X4, "convolution_param", **params)
    taps = model.l.weight.sum((2, 3), keepdim=True)
    close(run(model, x), F.conv2d(x, taps, model.l.bias, 2, 1))


def test_deconvolution_beyond_caffe(make: Any) -> None:
    x = torch.randn(2, 4, 9, 12)
    params = {"num_output": 3, "kernel_size": 3, "stride": 2}
    model = make("Deconvolution", X4, "convolution_param", pad=1, output_padding=1, **params)
    weight, bias = model.l.weight, model.l.bias
    close(run(model, x), F.conv_transpose2d(x, weight, bias, 2, 1, 1))
    model = make("Deconvolution", X4, "convolution_param", pad=4, **params)
    whole = F.conv_transpose2d(x, model.l.weight, model.l.bias, 2)
    close(run(model, x), whole[:, :, 4:-4, 4:-4])


def test_depthwise_and_separable(make: Any) -> None:
    x = torch.randn(2, 4, 9, 12)
    model = make("DepthwiseConvolution", X4, "convolution_param", kernel_size=3, depth_multiplier=2)
    close(run(model, x), F.conv2d(x, model.l.weight, model.l.bias, groups=4))
    model = make("ConvolutionDepthwise", X4, "convolution_param", kernel_size=3, num_output=9)
    close(run(model, x), F.conv2d(x, model.l.weight, model.l.bias, groups=4))
    params = {"num_output": 6, "kernel_size": 3, "pad": 1, "depth_multiplier": 2}
    model = make("SeparableConvolution", X4, "separable_convolution_param", **params)
    middle = F.conv2d(x, model.l.depthwise.weight, None, 1, 1, 1, 4)
    close(run(model, x), F.conv2d(middle, model.l.pointwise.weight, model.l.pointwise.bias))


def test_locally_connected_has_filters_of_its_own_everywhere(make: Any) -> None:
    x = torch.randn(2, 4, 9, 12)
    params = {"num_output": 5, "kernel_size": 3, "stride": 2}
    model = make("LocallyConnected", ["N", 4, 9, 12], "locally_connected_param", **params)
    y = run(model, x)
    for place, (i, j) in enumerate(np.ndindex(4, 5)):
        taps = x[:, :, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3].flatten(1)
        close(y[:, :, i, j], taps @ model.l.weight[place].T + model.l.bias[:, i, j])


# resampling and reordering


@pytest.mark.parametrize("mode", ["NEAREST", "BILINEAR", "BICUBIC"])
def test_upsample_is_torchs(make: Any, mode: str) -> None:
    x = torch.randn(2, 4, 9, 12)
    model = make("Upsample", X4, "upsample_param", scale=2, mode=mode)
    close(run(model, x), F.interpolate(x, scale_factor=2, mode=mode.lower()))
    model = make("Upsample", X4, "upsample_param", size=[5, 7], mode=mode)
    close(run(model, x), F.interpolate(x, size=(5, 7), mode=mode.lower()))


def bilinear(x: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return what caffe_cpu_interp2 computes."""
    y = np.zeros((*x.shape[:2], height, width), np.float32)
    for i, j in np.ndindex(height, width):
        h = i * (x.shape[2] - 1) / (height - 1) if height > 1 else 0.0
        w = j * (x.shape[3] - 1) / (width - 1) if width > 1 else 0.0
        a, b = int(h), int(w)
        c, d = min(a + 1, x.shape[2] - 1), min(b + 1, x.shape[3] - 1)
        top = x[:, :, a, b] * (1 - w + b) + x[:, :, a, d] * (w - b)
        bottom = x[:, :, c, b] * (1 - w + b) + x[:, :, c, d] * (w - b)
        y[:, :, i, j] = top * (1 - h + a) + bottom * (h - a)
    return y


@pytest.mark.parametrize(
    ("params", "height", "width"),
    [
        ({"zoom_factor": 2}, 17, 23),
        ({"shrink_factor": 4}, 3, 3),
        ({"zoom_factor": 2, "shrink_factor": 3, "pad_beg": -1}, 5, 7),
        ({"height": 5, "width": 1, "pad_end": -2}, 5, 1),
    ],
)
def test_interp(make: Any, params: dict[str, int], height: int, width: int) -> None:
    x = torch.randn(2, 4, 9, 12)
    cut = x[:, :, -params.get("pad_beg", 0) :, -params.get("pad_beg", 0) :]
    end = params.get("pad_end", 0) or None
    wanted = bilinear(cut[:, :, :end, :end].numpy(), height, width)
    close(run(make("Interp", X4, "interp_param", **params), x), torch.from_numpy(wanted))


def test_channels_and_space(make: Any) -> None:
    x = torch.randn(2, 4, 8, 12)
    model = make("PixelShuffle", X4, "pixel_shuffle_param", upscale_factor=2)
    close(run(model, x), F.pixel_shuffle(x, 2))
    model = make("PixelUnshuffle", X4, "pixel_unshuffle_param", downscale_factor=2)
    close(run(model, x), F.pixel_unshuffle(x, 2))
    model = make("ShuffleChannel", X4, "shuffle_channel_param", group=2)
    close(run(model, x), x[:, [0, 2, 1, 3]])
    wide = torch.cat([torch.zeros(2, 1, 8, 12), x, torch.zeros(2, 2, 8, 12)], 1)
    close(run(make("ChannelPad", X4, "channel_pad_param", pad_begin=1, pad_end=2), x), wide)


def darknet(x: np.ndarray, stride: int, forward: bool) -> np.ndarray:
    """Return what darknet's reorg_cpu leaves in memory."""
    n, c, h, w = x.shape
    source, made, groups = x.reshape(-1), np.zeros(x.size, x.dtype), c // stride**2
    for b, k, j, i in np.ndindex(n, c, h, w):
        here = i + w * (j + h * (k + c * b))
        column = i * stride + k // groups % stride
        row = j * stride + k // groups // stride
        there = column + w * stride * (row + h * stride * (k % groups + groups * b))
        if forward:
            made[there] = source[here]
        else:
            made[here] = source[there]
    if forward:
        return made.reshape(n, groups, h * stride, w * stride)
    return made.reshape(n, c * stride**2, h // stride, w // stride)


@pytest.mark.parametrize("reverse", [False, True])
def test_reorg_is_darknets(make: Any, reverse: bool) -> None:
    x = torch.randn(2, 8, 4, 6)
    model = make("Reorg", ["N", 8, "H", "W"], "reorg_param", stride=2, reverse=reverse)
    close(run(model, x), torch.from_numpy(darknet(x.numpy(), 2, reverse)))


@pytest.mark.parametrize("mode", ["CONSTANT", "REFLECT", "REPLICATE", "CIRCULAR"])
def test_pad_is_torchs(make: Any, mode: str) -> None:
    x = torch.randn(2, 4, 9, 12)
    model = make("Pad", X4, "pad_param", mode=mode, pad_l=1, pad_t=2, pad_b=3)
    close(run(model, x), F.pad(x, (1, 0, 2, 3), mode=mode.lower()))


# regions


ROIS = torch.tensor(
    [
        [0, 0, 0, 7, 5],
        [1, 3.4, 2.2, 30, 20],
        [1, 10, 8, 10, 8],
        [0, 40, 30, 60, 50],
        [1, -3, -2, 12, 9.6],
    ]
)


def regions(net: Any, kind: str, message: str, **params: Any) -> Any:
    entry = {"name": "l", "type": kind, "bottom": ["x", "rois"], message: params}
    return net({"x": ["N", 8, "H", "W"], "rois": ["R", 5]}, entry)


def cut(start: float, end: float, size: int) -> slice:
    return slice(min(max(math.floor(start), 0), size), min(max(math.ceil(end), 0), size))


def half_up(value: float) -> int:
    return math.floor(value + 0.5)


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.0])
def test_roi_pooling(net: Any, scale: float) -> None:
    x = torch.randn(2, 8, 9, 12, requires_grad=True)
    y = run(regions(net, "ROIPooling", "roi_pooling_param", pooled_h=3, pooled_w=4,
                    spatial_scale=scale), x, ROIS)  # fmt: skip
    rows = []
    for batch, *box in ROIS.tolist():
        left, top, right, bottom = (half_up(side * scale) for side in box)
        high, wide = max(bottom - top + 1, 1) / 3, max(right - left + 1, 1) / 4
        for i, j in np.ndindex(3, 4):
            part = x[int(batch), :, cut(i * high + top, (i + 1) * high + top, 9)]
            part = part[:, :, cut(j * wide + left, (j + 1) * wide + left, 12)]
            rows.append(part.flatten(1).amax(1) if part.numel() else torch.zeros(8))
    wanted = torch.stack(rows).view(5, 12, 8).transpose(1, 2).reshape(5, 8, 3, 4)
    close(y, wanted)
    push = torch.randn_like(y)
    grads = [torch.autograd.grad((each * push).sum(), x)[0] for each in (y, wanted)]
    close(*grads)


@pytest.mark.parametrize("scale", [0.25, 0.5, 1.0])
def test_psroi_pooling(net: Any, scale: float) -> None:
    x = torch.randn(2, 8, 9, 12)
    params = {"output_dim": 2, "group_size": 2, "spatial_scale": scale}
    y = run(regions(net, "PSROIPooling", "psroi_pooling_param", **params), x, ROIS)
    wanted = torch.zeros(5, 2, 2, 2)
    for region, (batch, *box) in enumerate(ROIS.tolist()):
        left, top = half_up(box[0]) * scale, half_up(box[1]) * scale
        right, bottom = half_up(box[2] + 1) * scale, half_up(box[3] + 1) * scale
        high, wide = max(bottom - top, 0.1) / 2, max(right - left, 0.1) / 2
        for c, i, j in np.ndindex(2, 2, 2):
            part = x[int(batch), (c * 2 + i) * 2 + j, cut(i * high + top, (i + 1) * high + top, 9)]
            part = part[:, cut(j * wide + left, (j + 1) * wide + left, 12)]
            wanted[region, c, i, j] = part.mean() if part.numel() else 0.0
    close(y, wanted)


def sample(x: torch.Tensor, row: float, column: float) -> torch.Tensor:
    """Return one bilinear sample, as Mask R-CNN's bilinear_interpolate takes it."""
    height, width = x.shape[1:]
    if not (-1 <= row <= height and -1 <= column <= width):
        return torch.zeros(x.shape[0])
    row, column = min(max(row, 0.0), height - 1.0), min(max(column, 0.0), width - 1.0)
    a, b = int(row), int(column)
    c, d = min(a + 1, height - 1), min(b + 1, width - 1)
    upper = x[:, a, b] * (1 - column + b) + x[:, a, d] * (column - b)
    lower = x[:, c, b] * (1 - column + b) + x[:, c, d] * (column - b)
    return upper * (1 - row + a) + lower * (row - a)


@pytest.mark.parametrize(
    ("scale", "ratio", "aligned"),
    [(0.5, 2, False), (0.25, 0, True), (0.3, 0, False), (0.5, 3, True)],
)
def test_roi_align(net: Any, scale: float, ratio: int, aligned: bool) -> None:
    x = torch.randn(2, 8, 9, 12)
    params = {"pooled_h": 3, "pooled_w": 2, "spatial_scale": scale, "sampling_ratio": ratio}
    y = run(regions(net, "ROIAlign", "roi_align_param", aligned=aligned, **params), x, ROIS)
    wanted = torch.zeros(5, 8, 3, 2)
    for region, (batch, *box) in enumerate(ROIS.tolist()):
        left, top, right, bottom = (side * scale - aligned / 2 for side in box)
        high, wide = bottom - top, right - left
        if not aligned:
            high, wide = max(high, 1.0), max(wide, 1.0)
        high, wide = high / 3, wide / 2
        rows, columns = ratio or math.ceil(high), ratio or math.ceil(wide)
        for i, j, r, c in np.ndindex(3, 2, rows, columns):
            row = top + (i + (r + 0.5) / rows) * high
            column = left + (j + (c + 0.5) / columns) * wide
            wanted[region, :, i, j] += sample(x[int(batch)], row, column) / (rows * columns)
    torch.testing.assert_close(y, wanted, rtol=1e-4, atol=1e-4)
