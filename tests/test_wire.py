"""The reader of Caffe's binary files, on files the real Caffe wrote and on damaged ones."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path

import numpy
import pytest

from netspec.diagnostics import SpecError
from netspec.importers import wire

WEIGHTS = Path(__file__).parent / "golden_caffe" / "weights"
CASES = sorted(path.parent.name for path in WEIGHTS.glob("*/*.caffemodel"))


def varint(value: int) -> bytes:
    out = bytearray()
    value &= 2**64 - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def chunk(field: int, data: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(data)) + data


def shape(*dims: int) -> bytes:
    return chunk(7, chunk(1, b"".join(map(varint, dims))))


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def net(*blobs: bytes, name: bytes = b"l") -> bytes:
    layer = chunk(1, name) + chunk(2, b"T") + b"".join(chunk(7, blob) for blob in blobs)
    return chunk(1, b"net") + chunk(100, layer)


def refused(data: bytes) -> str:
    with pytest.raises(SpecError) as caught:
        wire.net("w", data)
    return str(caught.value.diagnostics[0])


@pytest.mark.parametrize("case", CASES)
def test_caffe_weights(case: str) -> None:
    meta = json.loads((WEIGHTS / case / "meta.json").read_text())
    stored = wire.net(case, (WEIGHTS / case / meta["weights_file"]).read_bytes())
    by_name = {layer.name: layer.blobs for layer in stored.layers}
    compared = 0
    for key, value in numpy.load(WEIGHTS / case / "data.npz").items():
        kind, _, rest = key.partition("/")
        name, _, index = rest.rpartition("/")
        if kind == "param" and name in by_name:
            array = by_name[name][int(index)].numpy()
            assert array.size == value.size
            assert numpy.array_equal(array.reshape(value.shape), value), key
            compared += 1
    assert compared >= 2
    expected = {"v0_layers": "V0", "v1_layers": "V1"}.get(case, "V2")
    assert stored.format == expected


def test_old_forms() -> None:
    old = wire.net("w", (WEIGHTS / "v0_layers" / "weights.caffemodel").read_bytes())
    assert [(x.name, x.type) for x in old.layers if x.blobs] == [
        ("conv", "conv"),
        ("fc", "innerproduct"),
    ]
    newer = wire.net("w", (WEIGHTS / "v1_layers" / "weights.caffemodel").read_bytes())
    found = [(x.name, x.type, [b.shape for b in x.blobs]) for x in newer.layers if x.blobs]
    assert found[0] == ("conv", "CONVOLUTION", [(4, 3, 3, 3), (1, 1, 1, 4)])
    assert all(blob.legacy for layer in newer.layers for blob in layer.blobs)


@pytest.mark.parametrize("case", ["state_sgd_binary", "state_adam_binary"])
def test_solver_state(case: str) -> None:
    meta = json.loads((WEIGHTS / case / "meta.json").read_text())
    state = wire.state(case, (WEIGHTS / case / meta["state_file"]).read_bytes())
    arrays = numpy.load(WEIGHTS / case / "data.npz")
    assert (state.iter, state.current_step) == (meta["iter"], meta["current_step"])
    assert state.learned_net.endswith(".caffemodel")
    history = [key for key in arrays if key.startswith("history/")]
    assert len(state.history) == len(history)
    for index, blob in enumerate(state.history):
        assert numpy.array_equal(blob.numpy(), arrays[f"history/{index}"])


def test_mean() -> None:
    case = WEIGHTS / "mean_binaryproto"
    mean = wire.blob("mean", (case / "mean.binaryproto").read_bytes())
    assert mean.shape == (1, 3, 5, 4)
    expected = numpy.load(case / "data.npz")["mean"]
    assert numpy.array_equal(mean.numpy().reshape(expected.shape), expected)


def test_values_are_a_view_of_the_file() -> None:
    data = bytearray(net(shape(2) + chunk(5, floats(1, 2))))
    (blob,) = wire.net("w", data).layers[0].blobs
    data[-4:] = floats(7)
    assert list(blob.data) == [1, 7]


@pytest.mark.parametrize(
    "values",
    [
        chunk(5, floats(1, 2, 3)),
        b"".join(varint(5 << 3 | 5) + floats(value) for value in (1, 2, 3)),
        chunk(5, floats(1)) + varint(5 << 3 | 5) + floats(2) + chunk(5, floats(3)),
        varint(5 << 3 | 5)
        + floats(1)
        + number(99, 5)
        + b"\xad\x00"
        + floats(2)
        + chunk(5, floats(3)),
        chunk(8, struct.pack("<3d", 1, 2, 3)),
        b"".join(varint(8 << 3 | 1) + struct.pack("<d", value) for value in (1, 2, 3)),
        chunk(6, floats(9, 9, 9)) + chunk(5, floats(1, 2, 3)),
    ],
)
@pytest.mark.parametrize(
    "dims",
    [
        shape(3),
        chunk(7, number(1, 3)),
        chunk(7, number(1, 1)) + chunk(7, chunk(1, b"\x03")),
        number(1, 1) + number(2, 1) + number(3, 1) + number(4, 3),
    ],
)
def test_encodings(values: bytes, dims: bytes) -> None:
    for data in dims + values, values + dims:
        (blob,) = wire.net("w", net(data)).layers[0].blobs
        assert blob.shape in ((3,), (1, 3), (1, 1, 1, 3))
        assert blob.numpy().ravel().tolist() == [1, 2, 3]


def test_many_unpacked_values() -> None:
    data = b"".join(b"\x2d" + floats(value) for value in range(10_000))
    blob = wire.blob("b", shape(10_000) + data)
    assert list(blob.data) == list(range(10_000))


def test_empty_and_special_values() -> None:
    assert wire.blob("b", shape(0, 3)).numpy().shape == (0, 3)
    blob = wire.blob("b", shape(2) + chunk(5, floats(float("nan"), float("inf"))))
    assert numpy.isnan(blob.numpy()[0]) and numpy.isinf(blob.numpy()[1])
    assert numpy.isinf(wire.blob("b", shape(1) + chunk(8, struct.pack("<d", 1e300))).numpy()[0])


def test_unknown_fields_are_passed_over() -> None:
    group = varint(50 << 3 | 3) + number(1, 5) + varint(51 << 3 | 3) + varint(51 << 3 | 4)
    unknown = group + varint(50 << 3 | 4) + chunk(77, b"abc") + number(78, -1) + b"\xfd\x04abcd"
    data = unknown + net(unknown + shape(1) + chunk(5, floats(4))) + unknown
    assert wire.net("w", data).layers[0].blobs[0].data[0] == 4


def test_a_name_that_is_not_utf8() -> None:
    assert wire.net("w", net(name=b"a\xff")).layers[0].name == "a\udcff"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "error[E612]: w holds no layers"),
        (chunk(1, b"\x80n"), "error[E612]: w holds no layers"),
        (b"\x80" * 11, "cannot read w: a varint of more than ten bytes at byte 0"),
        (b"\x0a\xff", "the data ends within a varint at byte 1"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "bytes after what holds it at byte 0"),
        (b"\x0e\x01", "a field of the wire type 6, which does not exist at byte 0"),
        (b"\x00\x01", "a field of the number 0 at byte 0"),
        (b"\x0c", "a group ends that did not begin at byte 0"),
        (b"\x0b\x14", "a group ends that did not begin at byte 1"),
        (b"\x0b\x08\x01", "a group does not end at byte 0"),
        (b"\x0b" * 10_000, "groups nested deeper than 100 at byte 100"),
        (
            net(shape(2**40) + chunk(5, floats(1, 2))),
            "holds 2 values, and its shape [1099511627776]",
        ),
        (
            net(shape(2) + chunk(5, floats(1))),
            "blob 0 of `l` holds 1 values, and its shape [2] needs 2",
        ),
        (net(shape(-1, -1) + chunk(5, floats(1))), "its shape [-1, -1] has a negative axis"),
        (net(shape(1) + chunk(5, b"abc")), "3 bytes of 4-byte values"),
        (net(b""), "blob 0 of `l` holds 0 values, and its shape [] needs 1"),
        (net(shape(*[1] * 33)), "a blob of more than 32 axes"),
        (b"\xa2\x06\x00" * 100_001, "more than 100,000 layers"),
        (net(*[shape(0)] * 200_001), "more than 200,000 blobs"),
        (net(name=b"a" * 70_000), "a name of 70,000 bytes"),
        (net() + chunk(2, chunk(4, b"old")), "error[E613]: w has both `layer` and `layers`"),
        (b"layer { }", "error[E602]: w is not a binary protobuf file: it looks like text"),
        (b"\x89HDF\r\n\x1a\n", "it looks like an HDF5 file"),
        (b"version https://git-lfs.github.com/spec/v1", "it looks like a git-lfs pointer"),
    ],
)
def test_refused(data: bytes, message: str) -> None:
    assert message in refused(data)


def test_an_empty_state_is_refused() -> None:
    with pytest.raises(SpecError, match="holds no state of a solver"):
        wire.state("s", b"\x08\x01")


def readers() -> list[tuple[bytes, object]]:
    found: list[tuple[bytes, object]] = []
    for case in CASES:
        found += [(path.read_bytes(), wire.net) for path in (WEIGHTS / case).glob("*.caffemodel")]
        found += [
            (path.read_bytes(), wire.state) for path in (WEIGHTS / case).glob("*.solverstate")
        ]
    return [*found, ((WEIGHTS / "mean_binaryproto" / "mean.binaryproto").read_bytes(), wire.blob)]


def test_every_truncation() -> None:
    """A cut between two fields may leave a shorter right file; every other cut is refused."""
    for data, read in readers():
        whole = [layer.name for layer in read("w", data).layers] if read is wire.net else []
        for size in range(len(data)):
            try:
                found = read("w", data[:size])
            except SpecError:
                continue
            if read is wire.net:
                names = [layer.name for layer in found.layers]
                assert names == whole[: len(names)]
            elif read is wire.blob:
                assert not found.data


def test_damage_is_refused_or_read() -> None:
    chance = random.Random(3)
    files = readers()
    for _ in range(4_000):
        data, read = chance.choice(files)
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(damaged))
            damaged[at : at + chance.randint(0, 4)] = chance.randbytes(chance.randint(0, 4))
        try:
            read("w", bytes(damaged))
        except SpecError as error:
            str(error).encode()
