"""fc2conv: the same answers on the original size, and one for each place on a larger one."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy
import pytest
import torch
from safetensors.torch import save_file

import netspec
from netspec.cli import main

sys.path.insert(0, str(Path(__file__).parent))
from golden import GOLDEN
from narrow import narrow
from references import close, copy_in_order, randomise


@pytest.fixture(autouse=True)
def repeatable():
    torch.manual_seed(0)
    torch.set_num_threads(1)


def both(spec, folder, *more):
    """Return a net with random weights, and what fc2conv makes of it and them."""
    scale = more[more.index("--scale") + 1] if "--scale" in more else None
    dense = randomise(netspec.build(spec, scale=scale)).eval()
    old, new, path = (str(folder / name) for name in ("a.safetensors", "b.safetensors", "out.yaml"))
    save_file({name: value.clone() for name, value in dense.state_dict().items()}, old)
    argv = ["transform", "fc2conv", spec, "-o", path, "--weights", old, "--weights-out", new]
    assert main([*argv, *more]) == 0
    return dense, netspec.build(path, weights=new).eval()


def same(dense, conv, x):
    with torch.no_grad():
        wanted, found = dense(x), conv(x)
    assert wanted.dim() == 2 and found.shape[2:].numel() == 1
    close(found.flatten(1), wanted)


# spec, divisor of its widths, options, the original size, a larger one, its map of answers
NETS = [
    ("caffenet", 8, (), (3, 227, 227), (3, 451, 451), (8, 8)),
    ("vgg", 16, ("--scale", "vgg16"), (3, 224, 224), (3, 288, 256), (3, 2)),
    ("rcnn_ilsvrc13", 8, (), (3, 227, 227), (3, 259, 291), (2, 3)),
    ("lenet_caffe", 1, (), (1, 28, 28), (1, 36, 40), (3, 4)),
    ("voxnet_modelnet40", 1, (), (1, 32, 32, 32), (1, 36, 32, 40), (2, 1, 3)),
    ("speech_cnn_palaz", 1, (), (1, 4960), (1, 5500), (3,)),
]


@pytest.mark.parametrize(("name", "factor", "more", "size", "larger", "answers"), NETS,
                         ids=[row[0] for row in NETS])  # fmt: skip
def test_a_net_is_the_same_and_takes_larger_images(
    name, factor, more, size, larger, answers, tmp_path
):
    dense, conv = both(narrow(tmp_path, name, factor), tmp_path, *more)
    same(dense, conv, torch.randn(2, *size))
    with torch.no_grad():
        found = conv(torch.randn(1, *larger))
    assert found.shape[2:] == answers
    if name not in ("vgg", "rcnn_ilsvrc13"):
        close(found.sum(1), torch.ones_like(found[:, 0]))  # probabilities at each place


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size", "larger"), [("caffenet", 227, 451), ("vgg16", 224, 448)])
def test_the_published_widths(name, size, larger, tmp_path):
    dense, conv = both(f"zoo:{name}", tmp_path)
    same(dense, conv, torch.randn(1, 3, size, size))
    with torch.no_grad():
        assert conv(torch.randn(1, 3, larger, larger)).shape == (1, 1000, 8, 8)


def test_the_map_is_the_net_on_each_window(tmp_path):
    # no layer of this net pads: window and image see the same pixels
    dense, conv = both("zoo:lenet_caffe", tmp_path)
    image = torch.randn(1, 1, 36, 44)
    with torch.no_grad():
        found = conv(image)
        for row in range(found.shape[2]):
            for column in range(found.shape[3]):
                top, left = 4 * row, 4 * column
                window = image[:, :, top : top + 28, left : left + 28]
                close(found[:, :, row, column], dense(window))


def test_gradients_are_the_same(tmp_path):
    dense, conv = both("zoo:lenet_caffe", tmp_path)
    x = torch.randn(3, 1, 28, 28)
    for net in (dense, conv):
        net(x).flatten(1)[:, 3].sum().backward()
    theirs = dict(dense.named_parameters())
    for name, weight in conv.named_parameters():
        close(weight.grad.flatten(), theirs[name].grad.flatten())


def test_fc6_becomes_conv6(tmp_path):
    dense, conv = both("zoo:fc6_inner_product", tmp_path)
    conv6 = netspec.build("zoo:conv6_k6").eval()
    copy_in_order(conv6, conv)
    assert [tuple(value.shape) for value in conv.state_dict().values()] == [
        tuple(value.shape) for value in conv6.state_dict().values()
    ]
    same(dense, conv6, torch.randn(1, 256, 6, 6))
    x = torch.randn(1, 256, 13, 13)
    with torch.no_grad():
        found = conv(x)
        assert found.shape == (1, 4096, 8, 8)
        close(found, conv6(x))


SMALL = """\
inputs: {{data: [N, 3, 6, 8]}}
layers:
  - {{name: a-b, type: Convolution, convolution_param: {{num_output: 4, kernel_size: 3}}}}
  - {{name: fc-1, type: InnerProduct, inner_product_param: {{num_output: 12{more}}}}}
  - {{name: bn, type: BatchNorm, batch_norm_param: {{scale_bias: true}}}}
  - {{name: scale, type: Scale, scale_param: {{bias_term: true}}}}
  - {{name: prelu, type: PReLU}}
  - {{name: cut, type: Slice, top: [left, right]}}
  - {{name: sum, type: Eltwise, bottom: [left, right]}}
  - {{name: join, type: Concat, bottom: [sum, left]}}
  - {{name: fc-2, type: InnerProduct, inner_product_param: {{num_output: 5, bias_term: false}}}}
  - {{name: log, type: LogSoftmax}}
"""


@pytest.mark.parametrize("more", ["", ", spectral_norm: true", ", equalized_lr: true"])
def test_the_layers_between_dense_ones(more, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(SMALL.format(more=more))
    dense, conv = both(str(path), tmp_path)
    assert list(dense.state_dict()) == list(conv.state_dict())
    same(dense, conv, torch.randn(2, 3, 6, 8))


@pytest.mark.parametrize("case", ["saved_binary", "saved_hdf5", "v1_net_resaved"])
def test_weights_of_caffe_give_caffes_answers(case, tmp_path):
    folder = GOLDEN / "weights" / case
    if case == "saved_hdf5":
        pytest.importorskip("h5py")
    (old,) = folder.glob("weights.caffemodel*")
    path, new = str(tmp_path / "out.yaml"), str(tmp_path / "out.safetensors")
    argv = ["transform", "fc2conv", str(folder / "net.prototxt"), "-o", path]
    assert main([*argv, "--weights", str(old), "--weights-out", new]) == 0
    conv = netspec.build(path, weights=new).eval()
    arrays = numpy.load(folder / "data.npz")
    with torch.no_grad():
        found = conv(torch.from_numpy(arrays["in/x"]))
        wider = conv(torch.randn(2, 3, 12, 11))
    (key,) = [key for key in arrays if key.startswith("out/")]
    close(found.flatten(1), torch.from_numpy(arrays[key]))
    assert wider.shape[:2] == found.shape[:2] and wider[0, 0].numel() > 1
