"""Detection layers against those of OpenCV, an implementation of its own."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

cv2 = pytest.importorskip("cv2")
torch = pytest.importorskip("torch")
np = pytest.importorskip("numpy")

if not hasattr(cv2.dnn, "readNetFromCaffe"):
    pytest.skip("this OpenCV reads no Caffe nets", allow_module_level=True)


def ours(tmp_path: Any, entry: dict[str, Any], arrays: dict[str, Any]) -> Any:
    import netspec

    spec = {
        "name": "one",
        "inputs": {name: list(array.shape) for name, array in arrays.items()},
        "layers": [entry],
    }
    path = tmp_path / "net.yaml"
    path.write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    net = netspec.build(str(path))
    with torch.no_grad():
        return net(*[torch.from_numpy(array) for array in arrays.values()]).numpy()


def theirs(entry: dict[str, Any], message: str, arrays: dict[str, Any]) -> Any:
    lines = []
    for name, array in arrays.items():
        lines += [f'input: "{name}"', "input_shape {"]
        lines += [f"  dim: {size}" for size in array.shape] + ["}"]
    bottoms = " ".join(f'bottom: "{name}"' for name in arrays)
    lines += [
        f'layer {{ name: "y" type: "{entry["type"]}" {bottoms} top: "y"',
        f"  {entry['type_message']} {{ {message} }} }}",
    ]
    text = "\n".join(lines).encode()
    net = cv2.dnn.readNetFromCaffe(np.frombuffer(text, np.uint8))
    for name, array in arrays.items():
        net.setInput(array, name)
    return net.forward("y")


def text(fields: dict[str, Any]) -> str:
    parts = []
    for key, value in fields.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                parts.append(f"{key} {{ {text(item)} }}")
            else:
                parts.append(f"{key}: {str(item).lower() if isinstance(item, bool) else item}")
    return " ".join(parts)


def both(tmp_path: Any, kind: str, key: str, fields: dict[str, Any], arrays: dict[str, Any]) -> Any:
    entry = {"name": "y", "type": kind, "bottom": list(arrays), key: fields}
    return (
        ours(tmp_path, entry, arrays),
        theirs({"type": kind, "type_message": key}, text(fields), arrays),
    )


PRIORS: list[dict[str, Any]] = [
    {"min_size": [30.0], "max_size": [60.0], "aspect_ratio": [2.0], "flip": True, "clip": False,
     "variance": [0.1, 0.1, 0.2, 0.2], "step": 8.0, "offset": 0.5},
    {"min_size": [20.0], "max_size": [41.0], "aspect_ratio": [2.0, 3.0], "flip": True,
     "clip": True, "variance": [0.1, 0.1, 0.2, 0.2]},
    {"min_size": [15.0], "aspect_ratio": [2.0, 0.3], "flip": False, "clip": False,
     "variance": [0.1]},
]  # fmt: skip


@pytest.mark.parametrize("fields", PRIORS)
def test_prior_box(fields: dict[str, Any], tmp_path: Any) -> None:
    arrays = {
        "x": np.zeros((1, 4, 5, 7), np.float32),
        "data": np.zeros((1, 3, 45, 61), np.float32),
    }
    a, b = both(tmp_path, "PriorBox", "prior_box_param", fields, arrays)
    assert a.shape == b.shape
    assert np.abs(a - b).max() < 1e-6


@pytest.mark.parametrize("code", ["CENTER_SIZE", "CORNER"])
@pytest.mark.parametrize("share", [True, False])
def test_detection_output(code: str, share: bool, tmp_path: Any) -> None:
    rng = np.random.default_rng(7)
    images, priors, classes, keep = 2, 60, 4, 25
    low = rng.uniform(0, 0.7, (priors, 2))
    boxes = np.concatenate([low, low + rng.uniform(0.05, 0.3, (priors, 2))], 1)
    variances = np.broadcast_to([0.1, 0.1, 0.2, 0.2], boxes.shape)
    scores = rng.random((images, priors, classes)) ** 3
    scores[1, :, 2:] *= 0.1  # leaves rows over
    count = priors * 4 * (1 if share else classes)
    arrays = {
        "loc": rng.standard_normal((images, count)).astype(np.float32) * 0.5,
        "conf": scores.reshape(images, -1).astype(np.float32),
        "prior": np.stack([boxes, variances]).reshape(1, 2, -1).astype(np.float32),
    }
    fields = {
        "num_classes": classes, "share_location": share, "background_label_id": 0,
        "nms_param": {"nms_threshold": 0.4, "top_k": 20}, "code_type": code, "keep_top_k": keep,
        "confidence_threshold": 0.15,
    }  # fmt: skip
    a, b = both(tmp_path, "DetectionOutput", "detection_output_param", fields, arrays)
    assert a.shape == (1, 1, images * keep, 7)
    missing = a[0, 0, :, 1] == -1
    assert missing.any() and (a[0, 0, missing, 2:] == -1).all()
    found = a[0, 0, ~missing]
    rows = b[0, 0][b[0, 0, :, 2] > 0]  # OpenCV pads with zeros, and orders an image by score
    rows = rows[np.lexsort((-rows[:, 2], rows[:, 1], rows[:, 0]))]
    assert found.shape == rows.shape
    assert np.abs(found - rows).max() < 1e-5


def test_proposal(tmp_path: Any) -> None:
    rng = np.random.default_rng(3)
    height, width, count = 9, 12, 9
    score = rng.random((1, count, height, width))
    arrays = {
        "score": np.concatenate([1 - score, score], 1).astype(np.float32),
        "shift": (rng.standard_normal((1, 4 * count, height, width)) * 0.1).astype(np.float32),
        "im_info": np.array([[height * 16, width * 16, 1]], np.float32),
    }
    fields = {
        "feat_stride": 16, "base_size": 16, "min_size": 1, "pre_nms_topn": 500,
        "post_nms_topn": 40, "nms_thresh": 0.7, "ratio": [0.5, 1.0, 2.0],
        "scale": [2.0, 4.0, 8.0],
    }  # fmt: skip
    a, b = both(tmp_path, "Proposal", "proposal_param", fields, arrays)
    a, b = (each.reshape(-1, 5) for each in (a, b))
    assert a.shape == (40, 5)
    assert np.abs(a - b).max() < 1e-3
