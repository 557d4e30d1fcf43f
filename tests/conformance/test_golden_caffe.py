"""Every golden case of the real Caffe: outputs, losses, gradients, statistics, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import netspec
from netspec.importers import foreign
from netspec.importers.caffe_data import SOURCES

from .golden import GOLDEN, Case, Whole

LAYERS, ERRORS = GOLDEN / "layers", GOLDEN / "errors"
CASES = sorted(str(path.parent.relative_to(LAYERS)) for path in LAYERS.glob("*/*/meta.json"))
SHAPES: dict[str, Any] = json.loads((GOLDEN / "shapes.json").read_text())

# what differs on purpose: the arrays that are let off, and why
DEVIATIONS = {
    "_Net/blob_name_reuse_after_inplace": (
        ("din/x",),
        "Caffe's Power overwrites its own gradient in place: scale squared comes out of it",
    ),
    "LSTMUnit/fractional_cont": (
        ("din/g",),
        "Caffe multiplies one gate's gradient by cont once too often; cont is 0 or 1 in practice",
    ),
}

# refused by the Caffe that was asked, and rightly taken here
ACCEPTED = {
    "bwd_label_gradient": "no gradient flows into a label; what made it does not learn",
    "bwd_force_argmax": "an index has no gradient: none flows",
    "bwd_force_embed": "an index has no gradient: none flows",
    "bwd_force_infogain_h": "the matrix gets no gradient: none flows",
    "bwd_force_threshold": "its gradient is zero almost everywhere, and zero is what flows",
    "conv_cudnn_engine": "`engine` says how Caffe computes; it was built without cuDNN",
    "data_no_source": "the data is not opened: the shapes are all that is asked for",
    "hdf5_no_list": "the data is not opened: the shapes are all that is asked for",
    "infogain_normalize_field": "`normalize` means there what it means in every other loss",
    "imagedata_not_built": "that Caffe was built without OpenCV",
    "pool_5d": "pooling of 3-D data is this language's own",
    "windowdata_not_built": "that Caffe was built without OpenCV",
}


# what is checked and imported, but does not run here
NOT_BUILT = {
    "HDF5Output/": ("E501", "it writes a file while the net runs"),
    "Python/": ("E624", "code that a spec names is never run"),
}


@pytest.mark.parametrize("name", CASES)
def test_layer(name: str) -> None:
    for start, (code, _) in NOT_BUILT.items():
        if name.startswith(start):
            with pytest.raises(netspec.SpecError, match=code):
                Case(LAYERS / name)
            return
    let_off, _ = DEVIATIONS.get(name, ((), ""))
    faults = Case(LAYERS / name).run()
    off = {fault for fault in faults if fault.startswith(let_off)} if let_off else set()
    assert not set(faults) - off, "\n".join(faults)
    assert bool(off) == bool(let_off), "this deviation is none any more"


DATA = [name for name in CASES if name.startswith(("Data/", "HDF5Data/", "MemoryData/"))]


@pytest.mark.parametrize("name", DATA)
def test_data_layer(name: str) -> None:
    """What the file says of the shapes is what Caffe found; the rest is asked for."""
    case = Case(LAYERS / name)
    report = netspec.diagnostics.Report()
    document = foreign.document(str(LAYERS / name / "net.prototxt"), report, {})
    for top, key in case.data_blobs():
        declared = document.value["inputs"][top]
        hint = document.wanted_shape(top)
        assert bool(declared) != bool(hint)
        wanted = list(case.arrays[key].shape)
        if declared:  # MemoryData shapes its labels anew once it has some
            assert declared == wanted or [*declared, 1, 1, 1] == wanted
        elif name.startswith("Data/"):
            assert hint.startswith(f"--shape {top}={wanted[0]},")


def refusals() -> list[str]:
    found = []
    for path in sorted(ERRORS.glob("*/expected.json")):
        if json.loads(path.read_text())["kind"] == "net":
            found.append(path.parent.name)
    return found


@pytest.mark.parametrize("name", refusals())
def test_refused(name: str) -> None:
    expected = json.loads((ERRORS / name / "expected.json").read_text())
    path = str(ERRORS / name / "net.prototxt")
    if name in ACCEPTED:
        text = Path(path).read_text()
        tops = [top for top in ("x", "a", "b", "data", "label", "z") if f'top: "{top}"' in text]
        inputs = {} if "Input" in text else {top: [2, 3, 4, 5] for top in tops}
        netspec.load(path, phase=expected["phase"], inputs=inputs)
        return
    with pytest.raises(netspec.SpecError) as caught:
        netspec.load(path, phase=expected["phase"])
    first = caught.value.diagnostics[0]
    assert first.severity == "error"
    assert first.span is not None and first.span.source.name == path
    assert first.code.id not in ("E206", "E624") or name == "net_unknown_type", str(first)


# what Caffe takes and is refused here, and why
REFUSED = {
    "slice_point_end": "E413: a blob without elements",
    "input_zero": "E204: a blob without elements",
    "hinge_badlabel": "E406: Caffe reads labels past the end of their blob",
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes(name: str, tmp_path: Path) -> None:
    wanted = SHAPES[name]
    file = tmp_path / "net.prototxt"
    file.write_text(wanted["prototxt"])
    if name in REFUSED:
        with pytest.raises(netspec.SpecError, match=REFUSED[name][:4]):
            netspec.load(str(file), phase=wanted["phase"])
        return
    net = netspec.load(str(file), phase=wanted["phase"])
    check_net(net, wanted)


def check_net(net: netspec.Net, wanted: dict[str, Any]) -> None:
    """Compare a net with what Caffe says of it: layers in order, shapes, totals, outputs."""
    data = {"Input", *SOURCES}
    layers = [each for each in wanted["layers"] if each["type"] not in data]
    nodes = [node for node in net.flat.nodes if node.type not in data]
    assert [node.type for node in nodes] == [layer["type"] for layer in layers]
    names = {**net.flat.inputs, **net.flat.names}  # Caffe tells the shape a blob has in the end
    automatic = set()
    for node, layer in zip(nodes, layers, strict=True):
        shapes = [list(names[value.name].blob.shape) for value in node.tops]
        if layer["tops"] == ["(automatic)"]:
            automatic.update(value.name for value in node.tops)
        assert shapes == layer["top_shapes"], layer["name"]
        blobs = node.layer.blob_order(list(node.weights), list(node.state))
        assert [list(weight.shape) for weight in blobs] == layer["params"], layer["name"]
    for layer in wanted["layers"]:
        if layer["type"] in data:
            for top, shape in zip(layer["tops"], layer["top_shapes"], strict=True):
                assert (
                    top not in names or names[top].blob is None or [*names[top].blob.shape] == shape
                )
    assert net.params.total + net.params.buffers == wanted["total_params"]
    outputs = {name for name in wanted["outputs"] if "_split_" not in name}
    unread = {n for n in outputs & set(net.spec.inputs) if n not in names or not names[n].maker}
    assert set(net.outputs) - automatic == outputs - unread


WHOLE = sorted(path.parent.name for path in (GOLDEN / "nets").glob("*/meta.json"))


@pytest.mark.parametrize("name", WHOLE)
def test_whole_net(name: str) -> None:
    """Whole nets: weights by rule, every blob and gradient."""
    case = Whole(GOLDEN / "nets" / name, tolerance=1e-4)
    faults = case.run()
    assert not faults, "\n".join(faults)
