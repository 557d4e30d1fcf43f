"""Feed mutated inputs to one door: `python tests/fuzz.py --door yaml --count 10000 --seed 1`.

Every input must end within a second of CPU time, as a result or as a SpecError (of an expression:
an ExpressionError). Input number K of a seed is the same on every run: `--first K --count 1`
repeats it, and `--keep FOLDER` writes the inputs that failed. The exit status says whether any did.
"""

# ruff: noqa: E501 - specs stand as they are written

from __future__ import annotations

import argparse
import faulthandler
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "backends")]

import yaml  # noqa: E402

from netspec import evaluation, expression  # noqa: E402
from netspec.diagnostics import Report, SpecError  # noqa: E402
from netspec.pipeline import load  # noqa: E402

HERE = ROOT / "tests"
SECONDS = 1.0  # of CPU time, for one input
HANG = 10.0  # after which an input is given up
MEMORY = 2 << 30
LARGEST = 256 * 1024  # characters of what is said about an input
SIZE = 2_500  # bytes of a shipped spec that is mutated: larger ones say the same, slower

HOSTILE = (
    "0", "-1", "1", "2", "3", "7", "64", "-0", "0.5", "1e3", "1e308", "-1e-308", ".inf", ".nan",
    "2147483647", "2147483648", "9223372036854775807", "9223372036854775808", "1" * 25, "~",
    "true", "false", "''", "[]", "{}", "[0]", "[1, 2, 3]", "[[1]]", "{a: 1}", "[~]", "x", "N", "H",
    "2*H", "ceil(H/2)", "$a", "${a}", "${", "$$", "${i}", "${1/0}", "${2**62}", "${'a'*9}", "*a",
    "&a", "&a [*a]", "<<", "<<: *a", "!!python/object/apply:os.system", "!!int x", "? [a]", "- - -",
    "|", ">-", "'", '"', "\\", '"\\U00110000"', '"\\x00"', "%YAML 1.1", "---", "...", "#", "\t",
    "\r", "\x00", "\x1b[2J", "\x85", "\u2028", "\u202e", "\ufeff", "\U0001f600", "\ud7ff",
    "__class__", "forward", "self", "in", "out", "conv.0", "a b", "a/b", "../x.yaml", "zoo:lenet",
    "TRAIN", "TEST", "MAX", "AVE", "AND", "xavier", "STRICT", "float64", "int64", "bool",
)  # fmt: skip
TOKENS = {
    "yaml": (
        "name", "type", "block", "bottom", "top", "tops", "param", "loss_weight", "include", "when",
        "exclude", "phase", "repeat", "with", "scale", "share", "freeze", "vars", "scales", "inputs",
        "imports", "blocks", "layers", "outputs", "expect", "solver", "state", "x-any", "netspec",
        "propagate_down", "lr_mult", "share_mode", "stage", "min_level", "shape", "dtype", "dim",
        ": ", "- ", "  ", "\n", ", ", "[", "]", "{", "}",
    ),
    "expr": (
        "+", "-", "*", "/", "//", "%", "**", "(", ")", "[", "]", ",", "<", "<=", "==", "!=", "and",
        "or", "not", "in", "if", "else", "min(", "max(", "abs(", "round(", "floor(", "ceil(",
        "int(", "len(", "true", "null", "'a'", "a", "b", "i", "H", "W", ".", "=", ":", "lambda",
        "${", "}", "$", "1e400", "0x10", "1_0", "\u0663", "\uff13",
    ),
    "prototxt": (
        "layer {", "layers {", "}", "<", ">", ":", ";", ",", "[", "]", "name:", "type:", "bottom:",
        "top:", "include {", "phase: TRAIN", "phase: 7", "convolution_param {", "kernel_size: 0",
        "num_output: 4294967295", "pad: 4294967290", "axis: -9", "dim: -1", "dim: 0", "input_dim: 1",
        "shape {", "input:", "'", '"', "\\377", "\\ud800", "0x", "08", "inf", "nan", "1e9999", "#",
        "blobs_lr: 1", "[a.b]: 1", "\x00", "param {", "force_backward: true", "state {",
        "python_param { module: 'os' layer: 'system' }", "CONVOLUTION", "DATA", "Split", "Python",
    ),
    "cfg": (
        "[net]", "[convolutional]", "[route]", "[shortcut]", "[yolo]", "[maxpool]", "[", "]", "=",
        "filters=", "size=0", "stride=0", "groups=0", "layers=-99", "layers=-1,,3", "from=-1",
        "batch_normalize=1", "activation=leaky", "pad=1", "anchors=1,", "mask=9", "#", ";", "\r",
        "width=0", "height=2147483648", "steps=,", "\x00", "stride=1e9", "classes=-1",
    ),
    "caffemodel": (),
}  # fmt: skip
KINDS = (*range(6), *[6, 7, 8] * 3, *[9, 10, 11] * 2)  # of changes: bytes, words, lines
ODD_BYTES = (0x00, 0x01, 0x08, 0x0A, 0x2D, 0x3A, 0x7F, 0x80, 0xA2, 0xBA, 0xC0, 0xFE, 0xFF)

MORE_SPECS = (
    """vars: {a: 2, b: "${a * 2}", kind: ReLU, names: [x, y]}
scales: {small: {a: 1}, large: {a: 4, b: 9}}
inputs: {data: [N, 3, H, W], label: {shape: [N], dtype: int64}}
blocks:
  unit:
    vars: {out: ~, last: false}
    inputs: [x]
    outputs: [add]
    layers:
      - {name: conv, type: Convolution, bottom: x, convolution_param: {num_output: $out, kernel_size: 3, pad: 1}}
      - {name: act, type: $kind, when: "${not last}"}
      - {name: add, type: Eltwise, bottom: [act, conv]}
layers:
  - {name: stem, type: Convolution, bottom: data, convolution_param: {num_output: "${a ** 2}", kernel_size: 3, stride: 2}}
  - {name: body, block: unit, repeat: $b, with: {out: "${a * 2 if i < 1 else a}", last: "${i == b - 1}"}}
  - {name: twin, block: unit, bottom: stem, share: k, freeze: true, with: {out: 4}}
  - {name: pool, type: Pooling, bottom: body, pooling_param: {pool: AVE, global_pooling: true}}
  - {name: fc, type: InnerProduct, param: [{lr_mult: 1, name: w}, {lr_mult: 2}], inner_product_param: {num_output: 10}}
  - {name: loss, type: SoftmaxWithLoss, bottom: [fc, label], include: {phase: TRAIN}, loss_weight: 0.5}
  - {name: prob, type: Softmax, bottom: fc, exclude: [{phase: TRAIN}, {stage: fast, min_level: 1}]}
expect: {scale: small, include: {phase: TEST}, params: "< 1000000", at: {H: 32, W: 32}}
""",
    """x-defaults: &base
  convolution_param: &cp {num_output: 8, kernel_size: 3}
inputs: {data: [1, 3, 32, 32]}
layers:
  - {<<: *base, name: a, type: Convolution}
  - name: b
    type: Convolution
    convolution_param: {<<: *cp, pad: 1}
  - {name: "c", type: 'ReLU', top: b}
  - {name: sum, type: Concat, bottom: [a, b], concat_param: {axis: 0}}
outputs: [sum]
""",
    """imports: {lenet: zoo:lenet_caffe, net: other.yaml}
inputs: {data: [1, 1, 28, 28]}
layers:
  - {name: body, block: lenet, tops: [pool2], freeze: true}
  - {name: head, type: InnerProduct, inner_product_param: {num_output: 2}}
""",
)
EXPRESSIONS = (
    "a + b * 2", "(a if b > 1 else 3) // 2", "[1, 2, 3][i]", "min(a, b, 7) ** 2", "floor(a / 2)",
    "'x' + 'y' == 'xy'", "1 <= a < 9 and not b in [1, 2]", "-a ** -b % 3", "ceil((H + 2*1 - 3)/2)",
    "m['k']", "len(l) - 1", "round(f * 10) / 10", "text + 's'", "2*(H//2) + max(W, 3)",
)  # fmt: skip
VALUES: dict[str, Any] = {
    "a": 3, "b": 2, "i": 0, "f": 0.25, "l": [1, 2, [3]], "m": {"k": 1}, "text": "t", "none": None,
    "yes": True, "big": 2**62, "long": "x" * 5000, "H": 7,
}  # fmt: skip
CFG = (
    "[net]\nwidth=64\nheight=64\nchannels=3\n\n[convolutional]\nbatch_normalize=1\nfilters=8\n"
    "size=3\nstride=1\npad=1\nactivation=leaky\n\n[maxpool]\nsize=2\nstride=2\n\n[convolutional]\n"
    "filters=8\nsize=1\nstride=1\npad=1\nactivation=leaky\n\n[shortcut]\nfrom=-2\n"
    "activation=linear\n\n[route]\nlayers=-1,-3\n\n[upsample]\nstride=2\n\n[convolutional]\n"
    "filters=18\nsize=1\nstride=1\npad=1\nactivation=linear\n\n[yolo]\nmask=0,1,2\n"
    "anchors=10,13, 16,30, 33,23\nclasses=1\nnum=3\n",
)


CFG_NETS = find_spec("netspec.importers.darknet") is not None


class Slow(Exception):
    """An input that did not end in time."""


def seeds(door: str) -> list[bytes]:
    """Return the inputs that a door is tried with, before mutation."""
    if door == "yaml":
        shipped = [path.read_bytes() for path in sorted((ROOT / "specs").glob("*.yaml"))]
        return [text for text in shipped if len(text) <= SIZE] + [s.encode() for s in MORE_SPECS]
    if door == "expr":
        return [text.encode() for text in EXPRESSIONS]
    if door == "prototxt":
        found = sorted((HERE / "golden_caffe").rglob("*.prototxt"))
        return [path.read_bytes() for path in found if path.stat().st_size <= SIZE]
    if door == "cfg":
        return [text.encode() for text in CFG]
    return [caffemodel(form) for form in ("V2", "V1", "V0", "double", "unpacked", "state")]


def facts() -> list[dict[str, Any]]:
    """Return a spec of one layer for every fact about a layer type."""
    from netspec.plugins import fold
    from netspec.schema import found_types

    types = {fold(cls.__name__): cls for cls in found_types()}
    found = []
    for path in sorted((HERE / "layers").glob("*.yaml")):
        cls = types.get(fold(path.stem))
        for fact in yaml.safe_load(path.read_text(encoding="utf-8")) if cls else ():
            shapes = fact.get("bottoms", [])
            entry = {
                "name": "layer",
                "type": cls.__name__,
                "bottom": [f"x{i}" for i in range(len(shapes))],
            }
            entry[cls.message] = fact.get("params", {})
            entry |= {key: value for key, value in fact.items() if key.endswith("_param")}
            inputs = {f"x{i}": shape for i, shape in enumerate(shapes)}
            found.append({"inputs": inputs, "layers": [entry]})
    return found


def caffemodel(form: str) -> bytes:
    """Return a small file of weights as Caffe writes one."""
    values = b"\x00\x00\x80\x3f" * 6
    shape = field(7, field(1, bytes((2, 3))))
    legacy = b"\x08\x01\x10\x01\x18\x02\x20\x03"
    blob = {
        "double": shape + field(8, b"\x00" * 48),
        "unpacked": shape + b"".join(b"\x2d" + values[at : at + 4] for at in range(0, 24, 4)),
        "V1": legacy + field(5, values),
        "V0": legacy + field(5, values),
    }.get(form, shape + field(5, values))
    if form == "state":
        return b"\x08\x05\x20\x01" + field(2, b"net.caffemodel") + field(3, blob) * 2
    if form == "V1":
        return field(1, b"n") + field(2, field(4, b"conv") + b"\x28\x04" + field(6, blob) * 2)
    if form == "V0":
        return field(2, field(1, field(1, b"conv") + field(2, b"conv") + field(50, blob)))
    layer = field(1, b"conv1") + field(2, b"Convolution") + field(7, blob) * 2
    return field(1, b"net") + field(100, layer) * 2


def field(number: int, data: bytes) -> bytes:
    """Return one field of protobuf's wire format that holds bytes."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """Return a number as protobuf writes it."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def mutated(
    data: bytes, others: list[bytes], tokens: tuple[str, ...], draw: random.Random
) -> bytes:
    """Return an input changed in one to eight places."""
    for _ in range(draw.choice((1, 1, 1, 2, 2, 3, 4, 8))):
        data = mutate(data, others, tokens, draw)
        if len(data) > 100_000:
            break
    return data


def mutate(data: bytes, others: list[bytes], tokens: tuple[str, ...], draw: random.Random) -> bytes:
    """Return an input changed in one place: bytes, a word, or whole lines."""
    size = len(data)
    at = draw.randrange(size + 1)
    end = min(size, at + draw.choice((1, 1, 2, 4, 16, 64)))
    kind = draw.choice(KINDS)
    if kind == 0 and size:
        at = min(at, size - 1)
        return data[:at] + bytes((data[at] ^ 1 << draw.randrange(8),)) + data[at + 1 :]
    if kind == 1:
        return data[:at] + bytes((draw.choice(ODD_BYTES),)) + data[at:]
    if kind == 2:
        return data[:at] + data[end:]
    if kind == 3:
        return data[:at] if draw.random() < 0.3 else data[:end] + data[at:]
    if kind == 4:
        other = draw.choice(others)
        start = draw.randrange(len(other) + 1)
        return data[:at] + other[start : start + draw.choice((4, 16, 64, 256))] + data[at:]
    if kind == 5:
        return data[:at] + data[at:end] * draw.choice((2, 8, 64, 500)) + data[end:]
    if kind < 9 and tokens:
        word = draw.choice((*tokens, *HOSTILE) if draw.random() < 0.5 else HOSTILE)
        start, end = a_word(data, draw)
        return data[:start] + word.encode("utf-8", "surrogatepass") + data[end:]
    lines = data.split(b"\n")
    one, two = draw.randrange(len(lines)), draw.randrange(len(lines))
    if kind == 9:
        lines[one], lines[two] = lines[two], lines[one]
    elif kind == 10:
        lines.insert(one, b" " * draw.choice((0, 0, 1, 2, 4)) + lines[two])
    else:
        del lines[one]
    return b"\n".join(lines)


def a_word(data: bytes, draw: random.Random) -> tuple[int, int]:
    """Return where a word of the input starts and ends."""
    signs = b" \t\r\n,:[]{}()\"'="
    at = end = draw.randrange(len(data) + 1)
    while at and data[at - 1] not in signs:
        at -= 1
    while end < len(data) and data[end] not in signs:
        end += 1
    return at, end


def twisted(spec: dict[str, Any], others: list[dict[str, Any]], draw: random.Random) -> bytes:
    """Return the text of a spec with some of its values replaced, moved, doubled or taken away."""
    spec = yaml.safe_load(yaml.safe_dump(spec))
    for _ in range(draw.choice((1, 1, 2, 3))):
        paths = list(containers(spec))
        box = draw.choice(paths)
        if not box:
            continue
        key = draw.choice(list(box) if isinstance(box, dict) else range(len(box)))
        kind = draw.randrange(8)
        if kind < 5:
            box[key] = value(draw)
        elif kind == 5:
            del box[key]
        elif kind == 6:
            source = draw.choice(list(containers(draw.choice(others))))
            box[key] = draw.choice([*(source.values() if isinstance(source, dict) else source), 0])
        elif isinstance(box, dict):
            box[draw.choice(TOKENS["yaml"][:38])] = box[key]
        else:
            box.append(box[key])
    return yaml.safe_dump(spec, allow_unicode=True).encode("utf-8", "surrogatepass")


def value(draw: random.Random) -> Any:
    """Return a value as a hostile spec may hold it."""
    text = draw.choice(HOSTILE)
    if draw.random() < 0.3 or "*" in text:
        return text
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return text


def containers(value: Any) -> Any:
    """Yield every mapping and list of a value."""
    pending = [value]
    while pending:
        box = pending.pop()
        yield box
        inside = box.values() if isinstance(box, dict) else box
        pending += [item for item in inside if isinstance(item, dict | list) and item]


class Door:
    """One way into netspec: what is fed to it, and how."""

    def __init__(self, name: str, folder: str) -> None:
        self.name = name
        self.seeds = seeds(name)
        self.facts = facts() if name == "yaml" else []
        self.endings = {"yaml": ".yaml", "prototxt": ".prototxt", "cfg": ".cfg"}
        self.file = os.path.join(folder, "input" + self.endings.get(name, ".bin"))

    def input(self, draw: random.Random) -> bytes:
        """Return the next input."""
        if self.facts and draw.random() < 0.5:
            return twisted(draw.choice(self.facts), self.facts, draw)
        return mutated(draw.choice(self.seeds), self.seeds, TOKENS[self.name], draw)

    def feed(self, data: bytes, draw: random.Random) -> str:
        """Take one input in; return how it ended."""
        if self.name == "expr":
            return expressed(data.decode("utf-8", "replace"))
        try:
            if self.name == "caffemodel":
                self.weights(data)
            else:
                with open(self.file, "wb") as handle:
                    handle.write(data)
                if self.name == "cfg":
                    sections(self.file, data)
                    if not CFG_NETS:
                        return "taken"
                load(self.file, phase=draw.choice(("train", "test")))
        except SpecError as error:
            return said(error)
        return "taken"

    def weights(self, data: bytes) -> None:
        """Read a file of weights as each of the three kinds it can be."""
        from netspec.importers import wire

        for read in (wire.state, wire.blob, wire.net):
            try:
                read("input", data)
            except SpecError as error:
                said(error)
        wire.net("input", data)


def sections(name: str, data: bytes) -> None:
    """Read the sections of a darknet cfg."""
    from netspec.importers import darknet_cfg

    darknet_cfg.parse(darknet_cfg.decode(name, data), Report())


def expressed(text: str) -> str:
    """Read a text as an expression, as a string of a spec and as a size."""
    ended = "taken"
    budget = evaluation.Budget()
    for read in (
        lambda: evaluation.evaluate(expression.parse(text), VALUES, budget),
        lambda: evaluation.substitute(f"x${{{text}}}y", VALUES, budget),
        lambda: evaluation.substitute(text, VALUES, budget),
        lambda: expression.variables(text),
        lambda: expression.size(text),
    ):
        try:
            read()
        except expression.ExpressionError as error:
            ended = error.code.id
            assert 0 <= error.start <= error.end <= len(text) + 4, "the place is outside the text"
    return ended


def said(error: SpecError) -> str:
    """Judge what is said about an input; return the code of the first diagnostic."""
    text = str(error)
    assert error.diagnostics, "an error without a diagnostic"
    assert len(text) <= LARGEST, f"{len(text):,} characters are said"
    assert "\x1b" not in text and "\x00" not in text, "a control character is said"
    text.encode("utf-8")
    for found in error.diagnostics:
        if found.span:
            assert 0 <= found.span.start <= len(found.span.source.text), "the place is outside"
        found.as_json()
    return error.diagnostics[0].code.id


def run(door: str, count: int, seed: int, first: int = 0, keep: str | None = None) -> Counter[str]:
    """Feed `count` inputs to a door; return how often each end came. Failures begin with `!`."""

    def late(*_: object) -> None:
        raise Slow

    ends: Counter[str] = Counter()
    before = signal.signal(signal.SIGALRM, late)
    try:
        with tempfile.TemporaryDirectory() as folder:
            gate = Door(door, folder)
            for number in range(first, first + count):
                draw = random.Random(f"{seed}:{number}")
                data = gate.input(draw)
                ended = once(gate, data, draw, number)
                ends[ended] += 1
                if ended[0] == "!" and keep:
                    os.makedirs(keep, exist_ok=True)
                    Path(keep, f"{door}-{seed}-{number}").write_bytes(data)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return ends


def once(gate: Door, data: bytes, draw: random.Random, number: int) -> str:
    """Feed one input; return how it ended."""
    began = time.process_time()
    signal.setitimer(signal.ITIMER_REAL, HANG)
    faulthandler.dump_traceback_later(2 * HANG, exit=True)  # what no exception can end
    try:
        ended = gate.feed(data, draw)
    except Exception as error:  # every other kind is what is looked for
        ended = f"!{type(error).__name__}"
        frames = traceback.extract_tb(error.__traceback__)
        own = next((f for f in reversed(frames) if "netspec" in f.filename), frames[-1])
        where = f"{os.path.basename(own.filename)}:{own.lineno}"
        print(f"input {number}: {type(error).__name__} at {where}: {str(error)[:200]}", flush=True)
        return f"{ended} at {where}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
    spent = time.process_time() - began
    if spent > SECONDS:
        print(f"input {number}: {spent:.1f} s", flush=True)
        return "!slow"
    return ended


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--door", choices=sorted(TOKENS), default="yaml")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--keep", help="folder for the inputs that failed")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    began = time.perf_counter()
    ends = run(options.door, options.count, options.seed, options.first, options.keep)
    wall = time.perf_counter() - began
    failed = sum(times for ended, times in ends.items() if ended[0] == "!")
    for ended, times in ends.most_common():
        print(f"{times:9,}  {ended}")
    print(
        f"{options.door}, seed {options.seed}: {options.count:,} inputs in {wall:.0f} s, "
        f"{ends['taken']:,} taken, {failed:,} failed"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
