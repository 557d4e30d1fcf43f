"""Costs, memory, receptive fields and input sizes."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netspec
from netspec.analysis.cost import batch, total
from netspec.analysis.expectations import parse_bound, parse_sizes
from netspec.analysis.input_sizes import Sizes, least, misfit
from netspec.analysis.memory import memory
from netspec.analysis.receptive_field import Field, fields, largest
from netspec.dim import symbol


@pytest.fixture
def load(tmp_path):
    def load(text, **options):
        path = tmp_path / "net.yaml"
        path.write_text(text)
        return netspec.load(str(path), **options)

    return load


def conv(name, bottom, kernel, stride=1, pad=0, kind="Convolution", **more):
    extra = "".join(f", {key}: {value}" for key, value in more.items())
    return (
        f"  - {{name: {name}, type: {kind}, bottom: {bottom}, convolution_param: "
        f"{{num_output: 1, kernel_size: {kernel}, stride: {stride}, pad: {pad}{extra}}}}}\n"
    )


def field(net, name):
    return fields(net)[id(net.flat.names[name])]


# cost


def test_total_of_ints_and_symbols():
    n = symbol("N")
    assert total([1, 2, 3]) == 6
    assert total([n, 2, n, n * n]) == n + n + n * n + 2
    assert total([n, -n]) == 0
    assert total([]) == 0


def test_batch_is_what_only_leads(load):
    net = load(
        "inputs: {a: [N, 1, H, W], b: [B, T]}\nlayers:\n"
        "  - {name: c, type: ReLU, bottom: a}\n  - {name: d, type: ReLU, bottom: b}\n"
    )
    assert batch(net) == {"B": 1, "N": 1}
    net = load("inputs: {a: [N, N]}\nlayers: [{name: c, type: ReLU}]\n")
    assert batch(net) == {}


# memory


def test_memory_by_liveness(load):
    net = load(
        "inputs: {x: [1, 100]}\nlayers:\n"
        "  - {name: a, type: ReLU}\n  - {name: b, type: ReLU}\n  - {name: c, type: ReLU}\n"
    )
    found = memory(net, {})
    assert (found.weights, found.peak, found.saved) == (0, 800, 1600)


def test_a_branch_keeps_its_blob(load):
    net = load(
        "inputs: {x: [1, 100]}\nlayers:\n"
        "  - {name: a, type: ReLU, bottom: x}\n  - {name: b, type: ReLU, bottom: a}\n"
        "  - {name: c, type: Eltwise, bottom: [b, x]}\n"
    )
    assert memory(net, {}).peak == 1200


def test_in_place_takes_nothing(load):
    net = load(
        "inputs: {x: [1, 100]}\nlayers:\n"
        "  - {name: a, type: InnerProduct, inner_product_param: {num_output: 100}}\n"
        "  - {name: b, type: ReLU, bottom: a, top: a}\n"
        "  - {name: c, type: ReLU, bottom: a, top: a}\n"
        "  - {name: d, type: InnerProduct, inner_product_param: {num_output: 1}}\n"
    )
    found = memory(net, {})
    assert found.weights == 4 * (100 * 100 + 100 + 101)
    assert (found.peak, found.saved) == (800, 804)
    assert found.inference == found.weights + 800
    assert found.training == 2 * found.weights + 804


def test_an_output_stays(load):
    net = load(
        "inputs: {x: [1, 100]}\nlayers:\n  - {name: a, type: ReLU}\n  - {name: b, type: ReLU}\n"
        "  - {name: c, type: ReLU}\noutputs: [a, c]\n"
    )
    assert memory(net, {}).peak == 1200


def test_memory_knows_dtypes_and_symbols(load):
    net = load("inputs: {x: {shape: [N, 4], dtype: float64}}\n"
               "layers: [{name: a, type: ReLU}]\n")  # fmt: skip
    assert memory(net, {}) is None
    assert memory(net, {"N": 2}).peak == 2 * 4 * 8 * 2


# receptive fields


def test_a_stack_of_windows(load):
    net = load(
        "inputs: {x: [1, 1, 64, 64]}\nlayers:\n"
        + conv("a", "x", 7, 2, 3) + "  - {name: r, type: ReLU}\n" + conv("b", "r", 3, 2, 1)
        + conv("c", "b", 3, 1, 2, dilation=2)
    )  # fmt: skip
    assert field(net, "x") == Field((1, 1), (1, 1), (0, 0))
    assert field(net, "a") == field(net, "r") == Field((7, 7), (2, 2), (0, 0))
    assert field(net, "b") == Field((11, 11), (4, 4), (0, 0))
    assert field(net, "c") == Field((27, 27), (4, 4), (0, 0))
    assert largest(net).size == (27, 27)


def test_each_axis_has_its_own(load):
    net = load("inputs: {x: [1, 1, 9, 9]}\nlayers:\n" + conv("a", "x", "[3, 2]", "[1, 2]"))
    assert field(net, "a") == Field((3, 2), (1, 2), (1, Fraction(1, 2)))


def test_branches_give_the_largest(load):
    net = load(
        "inputs: {x: [1, 1, 9, 9]}\nlayers:\n" + conv("a", "x", 3, 1, 1) + conv("b", "x", 5, 1, 2)
        + "  - {name: c, type: Eltwise, bottom: [a, b]}\n"
    )  # fmt: skip
    assert field(net, "c").size == (5, 5)


def test_a_transposed_window_divides_the_stride(load):
    net = load(
        "inputs: {x: [1, 1, 16, 16]}\nlayers:\n" + conv("a", "x", 2, 2)
        + conv("b", "a", 2, 2, kind="Deconvolution")
        + conv("c", "a", 4, 4, kind="Deconvolution")
    )  # fmt: skip
    assert field(net, "b").size == (2, 2)
    assert field(net, "b").stride == (1, 1)
    assert field(net, "c").stride == (Fraction(1, 2), Fraction(1, 2))


def test_beyond_a_dense_layer_it_is_unknown(load):
    net = load(
        "inputs: {x: [1, 1, 9, 9]}\nlayers:\n" + conv("a", "x", 3)
        + "  - {name: fc, type: InnerProduct, inner_product_param: {num_output: 2}}\n"
    )  # fmt: skip
    assert field(net, "fc") is None
    assert largest(net).size == (3, 3)
    assert largest(load("inputs: {x: [1, 9]}\nlayers: [{name: a, type: ReLU}]\n")) is None


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 2)), max_size=4))
def test_a_field_is_what_an_element_depends_on(windows):
    """Walk back from the first two elements by hand."""
    from netspec.analysis.receptive_field import _through
    from netspec.blob import Blob, Window
    from netspec.graph import Value

    class Sliding:
        def __init__(self, window):
            self.sliding = window

        def window(self, *_):
            return self.sliding

    class Step:
        type = "Sliding"

        def __init__(self, bottom, window):
            self.bottoms, self.layer = [bottom], Sliding(window)
            self.tops = [Value("y", None, Blob((1, 1, 9)))]

    value = Value("x", None, Blob((1, 1, 9)))
    found = {id(value): Field((1,), (1,), (0,))}
    values = [value]
    for kernel, stride, pad in windows:
        step = Step(values[-1], Window((kernel,), (stride,), (pad,)))
        values.append(step.tops[0])
        found[id(values[-1])] = _through(step, found)
    reach = []
    for first in (0, 1):
        low = high = first
        for kernel, stride, pad in reversed(windows):
            low, high = low * stride - pad, high * stride - pad + kernel - 1
        reach.append((low, high))
    (low, high), (after, _) = reach
    seen = found[id(values[-1])]
    assert seen.size == (high - low + 1,)
    assert seen.stride == (after - low,)
    assert seen.offset == (Fraction(low + high, 2),)


# input sizes


MERGE = (
    "inputs: {x: [1, 1, H, W]}\nlayers:\n" + conv("a", "x", 2, 2) + conv("b", "x", 3, 2, 1)
    + "  - {name: add, type: Eltwise, bottom: [a, b]}\n" + conv("c", "add", 5)
)  # fmt: skip


def test_least(load):
    assert least(load(MERGE)) == {"H": 10, "W": 10}
    assert least(load(MERGE, at={"H": 10, "W": 10})) == {}


@given(
    st.tuples(st.integers(1, 14), st.integers(1, 4), st.integers(0, 5)),
    st.tuples(st.integers(1, 14), st.integers(1, 4), st.integers(0, 5)),
)
def test_misfit_finds_the_first_size_that_breaks(tmp_path_factory, high, wide):
    path = tmp_path_factory.getbasetemp() / "merge.yaml"
    path.write_text(MERGE)
    net = netspec.load(str(path))
    sets = {
        name: Sizes(start, step, start + step * more)
        for name, (start, step, more) in (("H", high), ("W", wide))
    }
    found = misfit(net, sets)

    def fits(size):
        return size >= 10 and size % 2 == 0

    all_fit = all(
        fits(size) for each in sets.values()
        for size in range(each.start, each.stop + 1, each.step)
    )  # fmt: skip
    assert (found is None) == all_fit
    if found is not None:
        broken = [(name, size) for name, size in found.sizes.items() if not fits(size)]
        assert broken
        for name, size in broken:
            each = sets[name]
            assert size in range(each.start, each.stop + 1, each.step)


# the words of `expect:`


@pytest.mark.parametrize(
    ("text", "low", "high", "exact"),
    [
        (5, 5, 5, True),
        ("5", 5, 5, True),
        ("1_000", 1000, 1000, True),
        ("4.09G", 4090000000, 4090000000, True),
        ("== 5k", 5000, 5000, True),
        ("<= 5M", None, 5000000, False),
        ("<5M", None, 4999999, False),
        (">= 2 KiB", 2048, None, False),
        ("> 2 kB", 2001, None, False),
        ("1k..2k", 1000, 2000, False),
        ("<= 12 GB", None, 12 * 10**9, False),
    ],
)
def test_bounds(text, low, high, exact):
    found = parse_bound(text)
    assert (found.low, found.high, found.exact) == (low, high, exact)


@pytest.mark.parametrize("text", ["", "<=", "5 Q", "<= -1", "1..", "0.5", "<= N", "1e400", "<= ٣"])
def test_no_bounds(text):
    with pytest.raises(ValueError):
        parse_bound(text)


@pytest.mark.parametrize(
    ("text", "start", "step", "stop"),
    [
        (224, 224, 1, 224),
        ("224", 224, 1, 224),
        ("any", 1, 1, None),
        (">= 32", 32, 1, None),
        (">=32", 32, 1, None),
        ("32..512", 32, 1, 512),
        ("multiple of 32", 32, 32, None),
        ("multiple of 32 from 50", 64, 32, None),
    ],
)
def test_sizes(text, start, step, stop):
    found = parse_sizes(text)
    assert (found.start, found.step, found.stop) == (start, step, stop)


@pytest.mark.parametrize("text", ["", "0", "<= 5", "5..4", "multiple of x", "multiple of 2 to 4"])
def test_no_sizes(text):
    with pytest.raises(ValueError):
        parse_sizes(text)
