"""Read Caffe's binary protobuf files: .caffemodel, .solverstate and .binaryproto."""

from __future__ import annotations

import sys
from array import array
from math import prod

from .. import codes
from ..diagnostics import Report
from . import caffe_schema, kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, NoReturn

MAX_BYTES = 2**31 - 1
MAX_GROUPS = 100  # groups within groups; protobuf's own limit
MAX_AXES = 32
MAX_LAYERS = 100_000
MAX_BLOBS = 200_000  # in one file
MAX_NAME = 2**16  # bytes

_VARINT, _FIXED64, _BYTES, _OPEN, _CLOSE, _FIXED32 = range(6)
_RUN = 4_096  # unpacked values looked at in one go


class Blob:
    """A stored array: its shape, and its values as a flat memoryview of format `f` or `d`.

    `legacy` says that the shape was given as num, channels, height and width.
    """

    __slots__ = ("data", "legacy", "shape")

    def __init__(self, shape: tuple[int, ...], data: memoryview[float], legacy: bool) -> None:
        self.shape = shape
        self.data = data
        self.legacy = legacy

    def numpy(self) -> Any:
        """Return the values as a float32 array of the blob's shape."""
        import numpy

        flat = numpy.frombuffer(self.data.cast("B"), self.data.format)
        with numpy.errstate(over="ignore"):
            return flat.astype(numpy.float32).reshape(self.shape)


class StoredLayer:
    """The weights of one layer; `type` is the name Caffe of that time gave it."""

    __slots__ = ("blobs", "name", "type")

    def __init__(self, name: str, type: str, blobs: list[Blob]) -> None:
        self.name = name
        self.type = type
        self.blobs = blobs


class StoredNet:
    """A .caffemodel: layers in file order. `format` is V0, V1 or V2."""

    __slots__ = ("format", "layers", "name")

    def __init__(self, name: str, format: str, layers: list[StoredLayer]) -> None:
        self.name = name
        self.format = format
        self.layers = layers


class StoredState:
    """A .solverstate: where training stood, and the solver's history."""

    __slots__ = ("current_step", "history", "iter", "learned_net")

    def __init__(self, iter: int, current_step: int, learned_net: str, history: list[Blob]) -> None:
        self.iter = iter
        self.current_step = current_step
        self.learned_net = learned_net
        self.history = history


def net(file: str, data: bytes | memoryview) -> StoredNet:
    """Return the layers of a .caffemodel; `file` is its name, for messages."""
    wire = _Wire(file, data)
    name, formats = "", set()
    layers: list[StoredLayer] = []
    for number, type, start, end in wire.fields(0, wire.size):
        if type != _BYTES:
            continue
        if number == 1:
            name = wire.text(start, end)
        elif number == 2:
            layer, format = wire.v1_layer(start, end)
            formats.add(format)
            layers.append(layer)
        elif number == 100:
            layers.append(wire.layer(start, end, name=1, type=2, blobs=7))
            formats.add("V2")
    if not layers:
        Report().fatal(codes.NoWeights, None, file=file, what="layers")
    if "V2" in formats and len(formats) > 1:
        Report().fatal(codes.MixedLayers, None, file=file)
    return StoredNet(name, min(formats), layers)


def state(file: str, data: bytes | memoryview) -> StoredState:
    """Return the content of a .solverstate."""
    wire = _Wire(file, data)
    iter = step = 0
    learned = ""
    history: list[Blob] = []
    for number, type, start, end in wire.fields(0, wire.size):
        if (number, type) == (1, _VARINT):
            iter = wire.int32(start)
        elif (number, type) == (4, _VARINT):
            step = wire.int32(start)
        elif (number, type) == (2, _BYTES):
            learned = wire.text(start, end)
        elif (number, type) == (3, _BYTES):
            if len(history) == MAX_BLOBS:
                wire.fail(f"more than {MAX_BLOBS:,} blobs", start)
            history.append(wire.blob(start, end, len(history), "the history"))
    if not history and not learned:
        Report().fatal(codes.NoWeights, None, file=file, what="state of a solver")
    return StoredState(iter, step, learned, history)


def blob(file: str, data: bytes | memoryview) -> Blob:
    """Return the array of a .binaryproto, such as a mean image."""
    wire = _Wire(file, data)
    return wire.blob(0, wire.size, 0, "the file")


class _Wire:
    """One file; offsets are checked before anything is made from them."""

    def __init__(self, file: str, data: bytes | memoryview) -> None:
        self.file = file
        view = memoryview(data)
        self.data = view if view.format == "B" else view.cast("B")
        self.size = len(self.data)
        self.layers = self.blobs = 0
        if self.size > MAX_BYTES:
            Report().fatal(codes.FileTooLarge, None, limit=f"{MAX_BYTES:,}")
        if found := kind.of_binary(bytes(self.data[:4096])):
            Report().fatal(
                codes.WrongKind, None, file=file, expected="a binary protobuf file", found=found
            )

    def fail(self, problem: str, offset: int) -> NoReturn:
        Report().fatal(codes.BadWire, None, file=self.file, problem=problem, offset=offset)

    def fields(self, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield number, wire type, start and end of every field of the message at `at`..`end`."""
        while at < end:
            tag_at = at
            tag, at = self.varint(at, end)
            number, type = tag >> 3, tag & 7
            if not 0 < number < 2**29:
                self.fail(f"a field of the number {number}", tag_at)
            if type == _OPEN:
                at = self.skip_group(number, at, end, tag_at)
                continue
            start, at = self.value(type, at, end, tag_at)
            yield number, type, start, at

    def value(self, type: int, at: int, end: int, tag_at: int) -> tuple[int, int]:
        """Return start and end of the value at `at`."""
        start = at
        if type == _VARINT:
            _, at = self.varint(at, end)
        elif type == _FIXED32:
            at += 4
        elif type == _FIXED64:
            at += 8
        elif type == _BYTES:
            size, start = self.varint(at, end)
            at = start + size
        elif type == _CLOSE:
            self.fail("a group ends that did not begin", tag_at)
        else:
            self.fail(f"a field of the wire type {type}, which does not exist", tag_at)
        if at > end:
            self.fail(f"a field ends {at - end:,} bytes after what holds it", tag_at)
        return start, at

    def skip_group(self, number: int, at: int, end: int, opened: int) -> int:
        """Return where the group ends that was opened before `at`."""
        groups = [number]
        while groups:
            if at >= end:
                self.fail("a group does not end", opened)
            tag_at = at
            tag, at = self.varint(at, end)
            number, type = tag >> 3, tag & 7
            if type == _OPEN:
                groups.append(number)
                if len(groups) > MAX_GROUPS:
                    self.fail(f"groups nested deeper than {MAX_GROUPS}", tag_at)
            elif type == _CLOSE:
                if groups.pop() != number:
                    self.fail("a group ends that did not begin", tag_at)
            else:
                _, at = self.value(type, at, end, tag_at)
        return at

    def varint(self, at: int, end: int) -> tuple[int, int]:
        """Return the varint at `at`, and where it ends."""
        data, start, value, shift = self.data, at, 0, 0
        while at < end:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & (2**64 - 1), at
            shift += 7
            if shift == 70:
                self.fail("a varint of more than ten bytes", start)
        self.fail("the data ends within a varint", start)

    def int64(self, at: int, end: int | None = None) -> int:
        value, _ = self.varint(at, self.size if end is None else end)
        return value - 2**64 if value >= 2**63 else value

    def int32(self, at: int) -> int:
        value = self.int64(at) & (2**32 - 1)
        return value - 2**32 if value >= 2**31 else value

    def text(self, start: int, end: int) -> str:
        if end - start > MAX_NAME:
            self.fail(f"a name of {end - start:,} bytes", start)
        return bytes(self.data[start:end]).decode("utf-8", "surrogateescape")

    def layer(self, start: int, end: int, name: int, type: int, blobs: int) -> StoredLayer:
        """Read a layer whose name, type and blobs have these numbers."""
        self.layers += 1
        if self.layers > MAX_LAYERS:
            self.fail(f"more than {MAX_LAYERS:,} layers", start)
        layer = StoredLayer("", "", [])
        places: list[tuple[int, int]] = []
        for number, wire_type, at, stop in self.fields(start, end):
            if wire_type == _BYTES:
                if number == name:
                    layer.name = self.text(at, stop)
                elif number == type:
                    layer.type = self.text(at, stop)
                elif number == blobs:
                    self.blobs += 1
                    if self.blobs > MAX_BLOBS:
                        self.fail(f"more than {MAX_BLOBS:,} blobs", at)
                    places.append((at, stop))
        for index, (at, stop) in enumerate(places):
            layer.blobs.append(self.blob(at, stop, index, f"`{layer.name}`"))
        return layer

    def v1_layer(self, start: int, end: int) -> tuple[StoredLayer, str]:
        """Read a layer of the form `layers`, or of the older one within it, and its format."""
        type, old = 0, None
        for number, wire_type, at, stop in self.fields(start, end):
            if (number, wire_type) == (5, _VARINT):
                type = self.int32(at)
            elif (number, wire_type) == (1, _BYTES):
                old = (at, stop)
        if old:
            return self.layer(*old, name=1, type=2, blobs=50), "V0"
        layer = self.layer(start, end, name=4, type=0, blobs=6)
        layer.type = caffe_schema.words("LayerType").get(type, str(type))
        return layer, "V1"

    def blob(self, start: int, end: int, index: int, where: str) -> Blob:
        legacy: dict[int, int] = {}
        shape: list[int] = []
        single, double = _Floats("f"), _Floats("d")
        values = {5: (single, _FIXED32), 8: (double, _FIXED64)}
        at = start
        while at < end:
            at = self.unpacked(at, end, single)
            for number, type, first, stop in self.fields(at, end):
                at = stop
                if number <= 4 and type == _VARINT:
                    legacy[number] = self.int32(first)
                elif (number, type) == (7, _BYTES):
                    self.dims(first, stop, shape)
                elif number in values and type in (_BYTES, values[number][1]):
                    floats = values[number][0]
                    if (stop - first) % floats.width:
                        self.fail(f"{stop - first} bytes of {floats.width}-byte values", first)
                    floats.add(self.data[first:stop])
                    if (number, type) == (5, _FIXED32):
                        break
            else:
                break
        dims = tuple(legacy.get(axis, 0) for axis in (1, 2, 3, 4)) if legacy else tuple(shape)
        data = (double if double.count else single).view()
        self.check(dims, len(data), index, where)
        return Blob(dims, data, bool(legacy))

    def unpacked(self, at: int, end: int, floats: _Floats) -> int:
        """Read a run of float values that each have a tag of their own; return where it ends."""
        while True:
            stop = at + min(_RUN, (end - at) // 5) * 5
            tags = bytes(self.data[at:stop:5])
            run = len(tags) - len(tags.lstrip(b"\x2d"))
            if not run:
                return at
            items = bytearray(run * 4)
            for byte in range(4):
                items[byte::4] = self.data[at + 1 + byte : at + run * 5 : 5]
            floats.add(memoryview(items))
            at += run * 5

    def dims(self, start: int, end: int, shape: list[int]) -> None:
        for number, type, at, stop in self.fields(start, end):
            if number != 1 or type not in (_VARINT, _BYTES):
                continue
            while at < stop:
                if len(shape) == MAX_AXES:
                    self.fail(f"a blob of more than {MAX_AXES} axes", at)
                shape.append(self.int64(at, stop))
                _, at = self.varint(at, stop)

    def check(self, shape: tuple[int, ...], found: int, index: int, where: str) -> None:
        negative = any(dim < 0 for dim in shape)
        count = prod(shape)
        if negative or count != found:
            Report().fatal(
                codes.BlobMismatch,
                None,
                file=self.file,
                index=index,
                where=where,
                shape=list(shape),
                count="has a negative axis" if negative else f"needs {count}",
                found=found,
            )


class _Floats:
    """Values gathered from a file: one stretch of it where they lie together, else a copy."""

    def __init__(self, format: str) -> None:
        self.format = format
        self.width = 4 if format == "f" else 8
        self.count = 0
        self.first: memoryview | None = None
        self.rest: bytearray | None = None

    def add(self, stretch: memoryview) -> None:
        self.count += len(stretch)
        if self.rest is not None:
            self.rest += stretch
        elif self.first is None:
            self.first = stretch
        else:
            self.rest = bytearray(self.first) + stretch

    def view(self) -> memoryview[float]:
        """Return the values; a view of the file where that is possible."""
        stretch: Any = self.rest if self.rest is not None else self.first
        if sys.byteorder == "big":
            values = array(self.format, bytes(stretch or b""))
            values.byteswap()
            return memoryview(values)
        flat = memoryview(stretch or b"").cast("B")
        return flat.cast("f") if self.format == "f" else flat.cast("d")
