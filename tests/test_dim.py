"""Exact sizes: arithmetic, text, comparison, smallest sizes and bounds on work."""

from __future__ import annotations

import subprocess
import sys

import pytest

from netspec.compare import compare, smallest
from netspec.dim import ceil_div, maximum, minimum, product, symbol
from tests.texts import ends, grows, work

H, W, N = symbol("H"), symbol("W"), symbol("N")


def conv(size, kernel, stride=1, pad=0):
    return (size + 2 * pad - kernel) // stride + 1


def test_constants_are_plain_ints():
    for size in (
        H - H,
        0 * H,
        (H + 3) - H,
        H // H,
        (2 * H) // H,
        H * 4 // (2 * H),
        H % 1,
        H - 1 - H,
    ):
        assert type(size) is int
    assert (H + 3) - H == 3
    assert H * 4 // (2 * H) == 2
    assert type(minimum(3, 4)) is int
    assert (ceil_div(7, 2), maximum(3, 4), product([]), product([2, 3])) == (4, 4, 1, 6)


def test_a_dim_has_no_truth_and_no_order():
    with pytest.raises(TypeError):
        bool(H)
    with pytest.raises(TypeError):
        assert H < 3
    with pytest.raises(TypeError):
        assert W >= H
    with pytest.raises(TypeError):
        H + 1.5
    with pytest.raises(ZeroDivisionError):
        H // 0
    assert H != 3
    assert H != "H"


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (conv(H, 7, 2, 3), "ceil(H/2)"),
        (conv(H, 11, 4), "floor((H+1)/4)-2"),
        (N * 64 * (H // 2) * (W // 2), "64*N*floor(H/2)*floor(W/2)"),
        (5 - H, "5-H"),
        (-H - W, "-H-W"),
        (3 * H // 4, "floor(3*H/4)"),
        ((H + 2 * W + 3) // 4, "ceil((H+2*W)/4)"),
        ((H + W + N + 1) // 4, "floor((H+N+W+1)/4)"),
        (H // (W + 1), "floor(H/(W+1))"),
        ((N * H) // (2 * N * W), "floor(H/(2*W))"),
        (minimum(W, H + 1, 9), "min(9, H+1, W)"),
        (H % 32, "H-32*floor(H/32)"),
    ],
)
def test_text(size, text):
    assert str(size) == text
    assert repr(size) == f"Dim({text})"


def test_pooling_chain_is_one_floor():
    size = H
    for _ in range(5):
        size = conv(size, 3, 2, 1)
    assert size == ceil_div(H, 32)
    size = H
    for _ in range(5):
        size = conv(size, 2, 2)
    assert size == H // 32


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((H // 2 + 3) // 4, (H + 6) // 8),
        ((6 * H + 9) // 4, (6 * H + 8) // 4),
        ((4 * H + 3) // 4, H),
        (((H // 3 + W) // 5), (H + 3 * W) // 15),
        (H // -2, (-H) // 2),
        ((N * 64 * H * W) // (N * H), 64 * W),
        ((5 * H * W + N) // (2 * W), 2 * H + (H * W + N) // (2 * W)),
        ((5 * H * W + W) // (2 * W), 2 * H + (H + 1) // 2),
        ((3 * (H + 1) * (W + 2)) // (W + 2), 3 * H + 3),
        (minimum(H, minimum(W, N)), minimum(N, W, H)),
        (minimum(H + 1, W + 1), minimum(W, H) + 1),
        (maximum(H, H + 2, W), maximum(W, H + 2)),
        (minimum(ceil_div(H - 1, 2) + 1, ceil_div(H + 1, 2)), ceil_div(H + 1, 2)),
        ((3 * H + 1) // 2, H + (H + 1) // 2),
    ],
)
def test_two_spellings_are_one_size(a, b):
    assert a == b
    assert hash(a) == hash(b)
    assert str(a) == str(b)


def test_at():
    size = conv(H, 3, 2, 1) * W + minimum(N, 4)
    assert size.symbols == {"H", "N", "W"}
    assert size.at({"H": 5, "W": 7, "N": 9}) == 25
    assert size.at({"N": 2}) == conv(H, 3, 2, 1) * W + 2
    assert size.at({"H": 2 * W, "N": 1}) == W * W + 1
    assert size.at({}) == size


def test_at_a_size_where_nothing_fits():
    parts = N // 2 // minimum(3, N // 2)  # of a batch that a Slice halved
    assert parts.at({"N": 8}) == 1
    assert parts.at({"N": 1}) == 0


@pytest.mark.parametrize(
    ("a", "b", "fits", "when", "counterexample", "example"),
    [
        (conv(H, 3, 2, 1), H // 2, (), "equal only for even H", {"H": 1}, {"H": 2}),
        (conv(H, 3, 2, 1), H // 2, [H // 2 - 1], "equal only for even H", {"H": 5}, {"H": 4}),
        (2 * (H // 2) + 1, H, (), "equal only for odd H", {"H": 2}, {"H": 1}),
        (32 * (H // 32), H, (), "equal only where H % 32 is 0", {"H": 1}, {"H": 32}),
        (H, 5, (), "equal only for H = 5", {"H": 1}, {"H": 5}),
        (H, 10**12, (), "equal only for H = 1000000000000", {"H": 1}, {"H": 10**12}),
        (H * H + 10, 7 * H, (), "equal only for H = 2 or 5", {"H": 1}, {"H": 2}),
        (minimum(H, 7), 7, (), "equal only for H >= 7", {"H": 1}, {"H": 7}),
        (minimum(H, 7), H, (), "equal only for H <= 7", {"H": 8}, {"H": 1}),
        ((H + 1) // 4, H // 4, (), "equal only where H % 4 is not 3", {"H": 3}, {"H": 1}),
        ((H + 12) // 32, H // 32, (), "equal only where H % 32 is 0 to 19", {"H": 20}, {"H": 1}),
        (
            N * (H // 2) * (W // 2),
            N * ceil_div(H, 2) * ceil_div(W, 2),
            (),
            "equal only for even H and even W",
            {"H": 1, "N": 1, "W": 1},
            {"H": 2, "N": 1, "W": 2},
        ),
        (H, W, (), "equal only where H is W", {"H": 1, "W": 2}, {"H": 1, "W": 1}),
        (H, W + 100, (), "equal only where H is W+100", {"H": 1, "W": 1}, {"H": 101, "W": 1}),
        (
            (H % 7) * (W % 5),
            0,
            (),
            "equal for 11 of every 35 cases of H % 7, W % 5",
            {"H": 1, "W": 1},
            {"H": 1, "W": 5},
        ),
    ],
)
def test_equal_under_a_condition(a, b, fits, when, counterexample, example):
    found = compare(a, b, fits)
    assert (found.when, found.counterexample, found.example) == (when, counterexample, example)
    assert (found.always, found.never, found.proved) == (False, False, True)


@pytest.mark.parametrize(
    ("a", "b", "fits"),
    [
        (3, 3, ()),
        (H + W, W + H, ()),
        (H - H // 2, ceil_div(H, 2), ()),
        ((H // 2) + (H + 1) // 2, H, ()),
        (W * (H - H // 2), W * ceil_div(H, 2), [H - 4, W - 4]),
        (minimum(H, 7), 7, [H - 6]),
        ((H // 4) * (W % 3), (W - 3 * (W // 3)) * (H // 4), ()),
    ],
)
def test_always_equal(a, b, fits):
    found = compare(a, b, fits)
    assert (found.always, found.never, found.proved) == (True, False, True)
    assert (found.counterexample, found.when) == (None, "always equal")


@pytest.mark.parametrize(
    ("a", "b", "fits", "counterexample"),
    [
        (3, 4, (), {}),
        (H, H + 1, [H - 4], {"H": 5}),
        (N * 64 * H, N * 32 * H, (), {"H": 1, "N": 1}),
        (H, 5, [H - 5], {"H": 6}),
        (H + W, 1, (), {"H": 1, "W": 1}),
        (H * H + 1, 2 * (W % 2) - 5, (), {"H": 1, "W": 1}),
    ],
)
def test_never_equal(a, b, fits, counterexample):
    found = compare(a, b, fits)
    assert (found.always, found.never, found.proved) == (False, True, True)
    assert (found.counterexample, found.example) == (counterexample, None)


def test_a_fit_of_several_symbols_bounds_the_search():
    found = compare(H, W, [H - W])
    assert (found.never, found.proved) == (True, False)
    assert found.counterexample == {"H": 2, "W": 1}


def test_a_vast_period_is_sampled():
    size = H
    for _ in range(40):
        size = (3 * size + 1) // 2
    found = compare(size, H)
    assert (found.always, found.never, found.proved) == (False, True, False)
    assert found.counterexample == {"H": 1}


@pytest.mark.parametrize(
    ("fits", "sizes"),
    [
        ([], {}),
        ([3, 1], {}),
        ([0, H], None),
        ([H], {"H": 1}),
        ([conv(conv(H, 11, 4), 3, 2), conv(W, 7, 2)], {"H": 19, "W": 7}),
        ([5 - H], {"H": 1}),
        ([-H], None),
        ([H - (1 << 16)], None),
        ([H - H // 2 - 5], {"H": 11}),
        ([H + W - 10], {"H": 5, "W": 6}),
        ([H - W, W - 3], {"H": 5, "W": 4}),
        ([8 // H - 3], {"H": 1}),
    ],
)
def test_smallest(fits, sizes):
    assert smallest(fits) == sizes


def test_the_sizes_of_many_layers_take_linear_work():
    def cost(layers):
        height, width, total = H, W, 0
        for layer in range(layers):
            stride = 2 if layer in (0, 1, 30, 200, 500) else 1
            height, width = conv(height, 3, stride, 1), conv(width, 3, stride, 1)
            total = total + N * 256 * height * width * 1152
        return total

    assert len(cost(700).terms) == 5
    assert work(lambda: cost(700)) < 700 * 800
    assert grows(cost, 700) < 2.2


def test_hostile_chains_stay_small():
    def chains(layers):
        total, size, squares = 0, H, H + W
        for layer in range(layers):
            size = (3 * size + 1) // 2
            total = total + size * N * W
            squares = squares * squares if layer < 8 else (squares * W) // 3 + N
        return total, size, squares

    assert work(lambda: chains(200)) < 5_000_000
    with ends():
        total, size, squares = chains(500)
    assert len(total.terms) <= 1000
    assert len(str(total)) < 400
    assert len(str(squares)) < 400
    assert squares.symbols == {"H", "N", "W"}
    assert isinstance(size.at({"H": 5}), int)


def test_text_does_not_depend_on_the_order_of_making_or_the_hash_seed():
    script = (
        "from netspec.compare import compare\n"
        "from netspec.dim import *\n"
        "a, b = symbol('{}'), symbol('{}')\n"
        "H, W = symbol('H'), symbol('W')\n"
        "print(minimum(W, H // 2) * (W + H) // (H + W // 3), H % 3 * W, maximum(W // 2, H // 2))\n"
        "print(compare(H // 2 + W, W // 2 + H).when)\n"
    )
    outputs = set()
    for seed, first, second in (("1", "H", "W"), ("2", "W", "H")):
        command = [sys.executable, "-c", script.format(first, second)]
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        outputs.add(done.stdout)
    assert len(outputs) == 1
