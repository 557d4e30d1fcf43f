"""Random nets and random layers: what netspec says of them is what PyTorch makes of them."""

from __future__ import annotations

import random
from collections import Counter

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netspec.schema import found_types
from tests.properties import graphs, oracle, params, soak

NETS = 20_000
LAYERS = 20_000
CHUNK = 1_000
OTHERS = {  # types that the generator does not make
    "Data": "the caller gives its tops, as those of Input",
    "HDF5Data": "the caller gives its tops, as those of Input",
    "HDF5Output": "it writes a file: not built",
    "ImageData": "the caller gives its tops, as those of Input",
    "Input": "it is how a tenth of the inputs is declared",
    "MemoryData": "the caller gives its tops, as those of Input",
    "Python": "what it makes only its code knows: not built",
    "WindowData": "the caller gives its tops, as those of Input",
}
REASONS = (  # why the backend does not build a layer that check accepts
    "a convolution over",
    "batch normalisation over 6 axes", "dilation 0: ", "global STOCHASTIC pooling",
    "the file of H is not there", "multibox_loss_param.", "nms_param.eta", "pool L2 to a given",
    "pool STOCHASTIC",
)  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("first", range(0, NETS, CHUNK))
def test_random_nets_are_what_was_inferred(first):
    _, count, met, wrong = soak.work(("graphs", 0, first, CHUNK, 10))
    assert not wrong, "\n\n".join(wrong[:3])
    assert count == CHUNK
    assert met["layers"] > 3 * CHUNK
    assert met["twin sizes"] > CHUNK // 10


@pytest.mark.parametrize("first", range(0, LAYERS, CHUNK))
def test_what_check_accepts_runs(first):
    _, _, met, wrong = soak.work(("layers", 0, first, CHUNK, 0))
    assert not wrong, "\n\n".join(wrong[:3])
    reasons = [key for key in met if isinstance(key, tuple)]
    assert all(reason.startswith(REASONS) for _, reason in reasons), reasons
    assert met["ran"] > CHUNK // 4
    assert met["refused"] > CHUNK // 4


@settings(
    max_examples=150, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(st.randoms(use_true_random=False))
def test_small_nets(draw):
    graph = graphs.graph(draw, most=4)
    oracle.check(graph)
    oracle.twin(graph, random.Random(0), tries=2)


def test_every_type_is_met():
    met = Counter()
    for index in range(NETS):
        met.update(graphs.graph(random.Random(f"0 graphs {index}")).types)
    wanted = {cls.__name__ for cls in found_types()} - OTHERS.keys()
    assert wanted == graphs.OPS.keys(), "a layer type without an operation in graphs.py"
    few = {kind: met[kind] for kind in sorted(wanted) if met[kind] < 200}
    assert not few, f"met too seldom: {few}; not made: {OTHERS}"


def test_every_field_is_drawn():
    met = Counter()
    for index in range(2 * LAYERS):  # a soak of twice as many layers meets each
        draw = random.Random(f"0 layers {index}")
        cls = params.KINDS[index % len(params.KINDS)]
        entry = params.Mutant(draw, cls).entry
        met.update((cls.__name__, m, f) for m in cls.messages for f in entry.get(m, ()))
    fields = {(c.__name__, m, f) for c in params.KINDS for m, named in c.messages.items()
              for f in named}  # fmt: skip
    assert fields <= met.keys(), fields - met.keys()


def windows(extent, kernel, stride, pad):
    """Yield the elements of each window of Caffe's pooling, and the divisor of its mean.

    As in src/caffe/layers/pooling_layer.cpp, one window after the other: no formula.
    """
    starts = []
    start = -pad
    while True:
        starts.append(start)
        if start + kernel >= extent + pad:
            break
        start += stride
    if pad and starts[-1] >= extent:
        starts.pop()
    for start in starts:
        end = min(start + kernel, extent + pad)
        yield range(max(start, 0), min(end, extent)), end - start


@pytest.mark.parametrize("pool", ["MAX", "AVE"])
@pytest.mark.parametrize("kernel", range(1, 8))
def test_pooling_is_caffes_window_by_window(pool, kernel):
    for stride in range(1, 7):
        for pad in range(kernel):
            text = (
                "name: one\ninputs: {x: [1, 1, H]}\nlayers:\n"
                "- {name: pool, type: Pooling, bottom: x, top: y, pooling_param: "
                f"{{pool: {pool}, kernel_size: {kernel}, stride: {stride}, pad: {pad}}}}}\n"
            )
            symbolic = oracle.load(text)
            model = oracle.eager(symbolic)
            for extent in range(1, 21):
                if kernel - extent - 2 * pad >= stride:
                    continue  # not one window: refused
                x = [float((7 * i + extent) % 11 - 5) for i in range(extent)]
                if pool == "MAX":
                    wanted = [
                        max((x[i] for i in window), default=-3.4028234663852886e38)
                        for window, _ in windows(extent, kernel, stride, pad)
                    ]
                else:
                    wanted = [
                        sum(x[i] for i in window) / count if count else float("nan")  # 0 / 0 in C
                        for window, count in windows(extent, kernel, stride, pad)
                    ]
                found = model(torch.tensor([[x]]))
                said = oracle.value(symbolic.outputs["y"].shape[2], {"H": extent})
                place = f"extent {extent}, kernel {kernel}, stride {stride}, pad {pad}"
                assert said == len(wanted) == found.shape[2], place
                assert torch.allclose(
                    found[0, 0], torch.tensor(wanted), rtol=1e-6, equal_nan=True
                ), place


def test_a_wrong_shape_is_noticed(monkeypatch):
    from netspec.layers.relu import ReLU

    graph = graphs.Graph(random.Random(1), ["ReLU"])
    graphs.OPS["ReLU"](graph)
    oracle.check(graph)
    monkeypatch.setattr(ReLU, "infer", lambda self, x: x.resized(0, x.shape[0] + 1), raising=False)
    with pytest.raises(oracle.Mismatch):
        oracle.check(graph)
