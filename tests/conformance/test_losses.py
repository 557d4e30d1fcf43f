"""Losses and structure without golden data of Caffe, against formulas written out here."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

import netspec


def run(folder: Path, entry: dict[str, Any], *arrays: Any, compiles: bool = True) -> Any:
    """Return what a net of one layer makes of arrays; compiled it makes the same."""
    inputs = {f"x{index}": list(np.shape(array)) for index, array in enumerate(arrays)}
    layer = {"name": "layer", "bottom": list(inputs), "top": "y"} | entry
    path = folder / "net.yaml"
    path.write_text(yaml.safe_dump({"name": "one", "inputs": inputs, "layers": [layer]}))
    model = netspec.build(str(path))
    tensors = [torch.as_tensor(np.asarray(array, dtype=np.float32)) for array in arrays]
    result = model(*tensors)
    if compiles:
        whole = torch.compile(model, fullgraph=True, backend="eager")
        assert torch.equal(whole(*tensors), result)
    (declared,) = netspec.load(str(path)).outputs.values()
    assert tuple(result.shape) == declared.shape
    return result.detach().numpy()


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def log_softmax(x: Any, axis: int) -> Any:
    shifted = x - x.max(axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


@pytest.fixture(autouse=True)
def seeded() -> None:
    np.random.seed(7)
    torch.set_num_threads(1)


def normal(*shape: int) -> Any:
    return np.random.standard_normal(shape)


def close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_permute(tmp_path: Path) -> None:
    x = normal(2, 3, 4, 5)
    entry = {"type": "Permute", "permute_param": {"order": [0, 2]}}
    close(run(tmp_path, entry, x), np.einsum("ncij->nicj", x))


def test_axpy(tmp_path: Path) -> None:
    x, b = normal(2, 3, 4, 5), normal(2, 3, 4, 5)
    for a in normal(2, 3), normal(2, 3, 1, 1):
        wanted = a.reshape(2, 3, 1, 1) * x + b
        close(run(tmp_path, {"type": "Axpy"}, a, x, b), wanted)


def test_gate_broadcasts(tmp_path: Path) -> None:
    x, gate = normal(2, 3, 4, 5), normal(2, 3, 1, 1)
    entry = {"type": "Eltwise", "eltwise_param": {"operation": "PROD", "broadcast": True}}
    close(run(tmp_path, entry, gate, x), gate * x)


def test_broadcast_spatial(tmp_path: Path) -> None:
    code, image = normal(2, 3), normal(2, 7, 4, 5)
    wanted = np.einsum("nc,hw->nchw", code, np.ones((4, 5)))
    close(run(tmp_path, {"type": "BroadcastSpatial"}, code, image), wanted)
    entry = {"type": "BroadcastSpatial", "broadcast_spatial_param": {"size": [4, 5]}}
    close(run(tmp_path, entry, code.reshape(2, 3, 1, 1)), wanted)


def test_elementwise_weight_starts_at_one(tmp_path: Path) -> None:
    x = normal(2, 3, 4)
    close(run(tmp_path, {"type": "ElementwiseWeight"}, x), x)
    entry = {
        "type": "ElementwiseWeight",
        "elementwise_weight_param": {"weight_filler": {"value": 2}},
    }
    close(run(tmp_path, entry, x), 2 * x)


@pytest.mark.parametrize("transpose_a", [False, True])
@pytest.mark.parametrize("transpose_b", [False, True])
def test_matmul(tmp_path: Path, transpose_a: bool, transpose_b: bool) -> None:
    a, b = normal(2, 3, 4), normal(2, 4, 5)
    wanted = 0.5 * np.einsum("nik,nkj->nij", a, b)
    message = {"transpose_a": transpose_a, "transpose_b": transpose_b, "scale": 0.5}
    a = a.swapaxes(1, 2) if transpose_a else a
    b = b.swapaxes(1, 2) if transpose_b else b
    close(run(tmp_path, {"type": "MatMul", "mat_mul_param": message}, a, b), wanted)


@pytest.mark.parametrize(("normalize", "norm"), [("NONE", 1), ("SPATIAL", 20), ("FULL", 60)])
def test_gram_matrix(tmp_path: Path, normalize: str, norm: int) -> None:
    x = normal(2, 3, 4, 5)
    entry = {"type": "GramMatrix", "gram_matrix_param": {"normalize": normalize}}
    close(run(tmp_path, entry, x), np.einsum("ncij,ndij->ncd", x, x) / norm)


@pytest.mark.parametrize(("kind", "beta"), [("ANISOTROPIC", 2), ("ISOTROPIC", 1.5)])
def test_tv_loss(tmp_path: Path, kind: str, beta: float) -> None:
    x = normal(2, 3, 4, 5)
    total = 0.0
    for n, c, i, j in np.ndindex(2, 3, 4, 5):
        down = x[n, c, i + 1, j] - x[n, c, i, j] if i < 3 else None
        right = x[n, c, i, j + 1] - x[n, c, i, j] if j < 4 else None
        if kind == "ANISOTROPIC":
            total += sum(abs(d) ** beta for d in (down, right) if d is not None)
        elif down is not None and right is not None:
            total += (down**2 + right**2) ** (beta / 2)
    entry = {"type": "TVLoss", "tv_loss_param": {"kind": kind, "beta": beta}}
    close(run(tmp_path, entry, x), total / 2)


def test_smooth_l1_loss(tmp_path: Path) -> None:
    a, b, inside, outside = (normal(4, 5) for _ in range(4))
    total = 0.0
    for i in np.ndindex(4, 5):
        d = inside[i] * (a[i] - b[i])
        smooth = 0.5 * (3 * d) ** 2 if abs(d) < 1 / 9 else abs(d) - 0.5 / 9
        total += outside[i] * smooth
    entry = {"type": "SmoothL1Loss", "smooth_l1_loss_param": {"sigma": 3}}
    close(run(tmp_path, entry, a, b, inside, outside), total / 4)
    plain = np.where(abs(a - b) < 1, 0.5 * (a - b) ** 2, abs(a - b) - 0.5)
    close(run(tmp_path, {"type": "SmoothL1Loss"}, a, b), plain.sum() / 4)


@pytest.mark.parametrize("normalization", ["BATCH_SIZE", "VALID", "FULL", "NONE"])
def test_focal_loss(tmp_path: Path, normalization: str) -> None:
    x, t = normal(4, 5), (normal(4, 5) > 0).astype(float)
    q = np.where(t == 1, sigmoid(x), 1 - sigmoid(x))
    w = np.where(t == 1, 0.3, 0.7)
    norm = {"BATCH_SIZE": 4, "VALID": t.sum(), "FULL": 20, "NONE": 1}[normalization]
    entry = {
        "type": "FocalLoss",
        "focal_loss_param": {"alpha": 0.3, "gamma": 1.5},
        "loss_param": {"normalization": normalization},
    }
    close(run(tmp_path, entry, x, t), -(w * (1 - q) ** 1.5 * np.log(q)).sum() / norm)


@pytest.mark.parametrize("squared", [True, False])
def test_dice_loss(tmp_path: Path, squared: bool) -> None:
    p, t = sigmoid(normal(3, 1, 4, 4)), (normal(3, 4, 4) > 0).astype(float)
    mean = 0.0
    for a, b in zip(p.reshape(3, -1), t.reshape(3, -1), strict=True):
        total = (a * a).sum() + (b * b).sum() if squared else a.sum() + b.sum()
        mean += (2 * (a * b).sum() + 0.5) / (total + 0.5) / 3
    entry = {"type": "DiceLoss", "dice_loss_param": {"smooth": 0.5, "squared": squared}}
    close(run(tmp_path, entry, p, t), 1 - mean)


def test_cross_entropy_loss(tmp_path: Path) -> None:
    x, label = normal(2, 5, 3), np.array([[0, 4, 2], [1, 255, 3]])
    score = log_softmax(x, 1)
    costs = [
        -0.9 * score[n, label[n, i], i] - 0.1 * score[n, :, i].mean()
        for n, i in np.ndindex(2, 3)
        if label[n, i] != 255
    ]
    entry = {
        "type": "CrossEntropyLoss",
        "cross_entropy_loss_param": {"label_smoothing": 0.1},
        "loss_param": {"ignore_label": 255},
    }
    close(run(tmp_path, entry, x, label), np.mean(costs))


def test_kl_div_loss(tmp_path: Path) -> None:
    x, log_t = log_softmax(normal(4, 5), 1), log_softmax(normal(4, 5), 1)
    wanted = (np.exp(log_t) * (log_t - x)).sum() / 4
    close(run(tmp_path, {"type": "KLDivLoss"}, x, np.exp(log_t)), wanted)
    entry = {"type": "KLDivLoss", "kl_div_loss_param": {"log_target": True}}
    close(run(tmp_path, entry, x, log_t), wanted)


def test_ctc_loss(tmp_path: Path) -> None:
    x = normal(4, 2, 3)
    labels = np.array([[1, 2, 0], [2, -1, -1]])
    score = log_softmax(x, 2)

    def read(path: tuple[int, ...]) -> list[int]:
        runs = [k for t, k in enumerate(path) if t == 0 or path[t - 1] != k]
        return [k for k in runs if k != 0]

    wanted = 0.0
    for n, label in enumerate(([1, 2], [2])):
        likely = sum(
            math.exp(sum(score[t, n, k] for t, k in enumerate(path)))
            for path in np.ndindex(3, 3, 3, 3)
            if read(path) == label
        )
        wanted -= math.log(likely) / 2
    close(run(tmp_path, {"type": "CTCLoss"}, x, labels, compiles=False), wanted)
    given = run(tmp_path, {"type": "CTCLoss"}, x, labels, [4, 4], [2, 1], compiles=False)
    close(given, wanted)


def test_triplet_loss(tmp_path: Path) -> None:
    a, p, n = normal(6, 4), normal(6, 4), normal(6, 4)
    gap = ((a - p) ** 2).sum(1) - ((a - n) ** 2).sum(1) + 0.2
    assert (gap > 0).any() and (gap < 0).any()
    close(run(tmp_path, {"type": "TripletLoss"}, a, p, n), np.maximum(gap, 0).mean())


@pytest.mark.parametrize(
    "source, numbers, why",
    [
        ("H.binaryproto", 9, ""),
        ("H.binaryproto", 8, "has 8 numbers, not 3 x 3"),
        ("absent.binaryproto", 9, "is not there"),
        ("../H.binaryproto", 9, "leaves the folder of the spec"),
    ],
)
def test_infogain_from_a_file(tmp_path: Path, source: str, numbers: int, why: str) -> None:
    matrix = np.random.standard_normal(numbers).astype("<f4")
    folder = tmp_path / "spec"
    folder.mkdir()
    for place in tmp_path, folder:
        file = place / "H.binaryproto"
        shape = bytes([7 << 3 | 2, 3, 1 << 3 | 2, 1, numbers])
        file.write_bytes(shape + bytes([5 << 3 | 2, 4 * numbers]) + matrix.tobytes())
    x, label = normal(4, 3), np.array([0.0, 2, 1, 1])
    entry = {"type": "InfogainLoss", "infogain_loss_param": {"source": source}}
    if why:
        with pytest.raises(netspec.SpecError, match=f"E501.*{why}"):
            run(folder, entry, x, label)
        return
    rows = matrix.reshape(3, 3)[label.astype(int)]
    close(run(folder, entry, x, label), -(rows * log_softmax(x, 1)).sum() / 4)
