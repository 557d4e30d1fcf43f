"""The table of the shipped specs: as committed, and true of them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml

from netspec import zoo
from netspec.cli import main
from netspec.commands.zoo import markdown
from netspec.diagnostics import Report

README = Path(zoo.folder()) / "README.md"
CONFORMANCE = Path(__file__).parent / "conformance"
LIBRARIES = ("references", "references_images", "hand_written_more")
# what a spec may say it agrees with, and the tests that would show it
SHOWN_BY = {
    "Caffe": ("zoo_golden",),
    "OpenCV": ("zoo_cv2", "opencv"),
    "by hand": ("hand_written_images", "hand_written_more", "hand_written_rest"),
    "torch.nn": LIBRARIES, "torchvision": LIBRARIES, "pytorchcv": LIBRARIES, "Keras": LIBRARIES,
    "keras-unet": LIBRARIES, "PyTorch Geometric": LIBRARIES,
}  # fmt: skip


def test_the_readme_is_as_written():
    if os.environ.get("NETSPEC_BLESS"):
        README.write_text(markdown(), encoding="utf-8")
    assert markdown() == README.read_text(encoding="utf-8")


def test_every_row_leads_to_its_file():
    rows = re.findall(r"^\| \[(\w+)\]\((\w+\.yaml)\) ", README.read_text("utf-8"), re.MULTILINE)
    assert len(rows) > 100
    for name, file in rows:
        path, scale = zoo.find(f"zoo:{name}", Report())
        assert os.path.basename(path) == file
        assert scale in (None, name)


@pytest.mark.parametrize("file", zoo.files())
def test_lectures_and_references(file):
    path = os.path.join(zoo.folder(), file)
    said = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    assert said["x-lectures"]
    assert set(said["x-lectures"]) <= {0, 1, 2, 3, 4}
    names = [file.removesuffix(".yaml"), *zoo.scales(path)]
    for reference in said["x-reference"].split(", "):
        tests = [CONFORMANCE / f"test_{stem}.py" for stem in SHOWN_BY[reference]]
        text = "".join(test.read_text(encoding="utf-8") for test in tests)
        assert any(re.search(rf"""["':@]{name}["']""", text) for name in names), reference


def test_write_renews_the_readme(tmp_path, monkeypatch):
    monkeypatch.setattr(zoo, "folder", lambda: str(tmp_path))
    (tmp_path / "one.yaml").write_text(
        "name: one\nsource: https://arxiv.org/abs/12\ninputs: {x: [N, 3, H, W]}\nlayers:\n"
        "  - name: conv\n    type: Convolution\n"
        "    convolution_param: {num_output: 2, kernel_size: [3, 5]}\n"
        "expect: {at: {H: 5, W: 5}, macs: 270}\nx-lectures: [1, 3]\nx-reference: by hand\n"
    )
    assert main(["zoo", "--write"]) == 0
    row = "| [one](one.yaml) | Nx3xHxW | 92 | 270 | 3x5 | 1 3 | by hand |"
    written = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert written.splitlines()[-1] == f"{row} [arXiv:12](https://arxiv.org/abs/12) |"


def test_the_list_names_every_spec(capsys):
    assert main(["zoo"]) == 0
    shown = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert {file.removesuffix(".yaml") for file in zoo.files()} <= shown
