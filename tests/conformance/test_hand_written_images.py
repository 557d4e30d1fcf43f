"""Shipped image nets without a library of their own, against modules written by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import netspec

sys.path.insert(0, str(Path(__file__).parent))
import hand_written_images as hand
from narrow import narrow
from references import close, randomise


@pytest.fixture(autouse=True)
def repeatable():
    torch.manual_seed(0)
    torch.set_num_threads(1)


def alike(ours, theirs):
    """Give both modules the same random weights and statistics, matched by their order."""
    randomise(theirs)
    with torch.no_grad():
        for kind in ("named_parameters", "named_buffers"):
            mine, wanted = (
                [(name, value) for name, value in getattr(module, kind)()
                 if not name.endswith(("num_batches_tracked", "factor"))]
                for module in (ours, theirs)
            )  # fmt: skip
            assert len(mine) == len(wanted)
            for (name, a), (other, b) in zip(mine, wanted, strict=True):
                assert a.shape == b.shape, (name, other)
                a.copy_(b)
    for module in ours.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0


def same_outputs(ours, theirs, x, tolerance=1e-5):
    alike(ours.eval(), theirs.eval())
    with torch.no_grad():
        a, b = ours(x), theirs(x)
    for mine, wanted in zip(listed(a), listed(b), strict=True):
        close(mine, wanted, tolerance)


def same_training(ours, theirs, x, tolerance=1e-9):
    """Compare outputs, gradients, and the statistics that the step leaves."""
    ours, theirs, x = ours.double().train(), theirs.double().train(), x.double()
    alike(ours, theirs)
    a, b = ours(x), theirs(x)
    close(a, b, tolerance)
    a.square().mean().backward()
    b.square().mean().backward()
    same_gradients(ours, theirs, tolerance)
    for mine, wanted in zip(ours.buffers(), theirs.buffers(), strict=True):
        close(mine.double(), wanted.double(), tolerance)


def same_gradients(ours, theirs, tolerance=1e-9):
    learned = [weight for weight in ours.parameters() if weight.requires_grad]
    wanted = [b for a, b in zip(ours.parameters(), theirs.parameters(), strict=True)
              if a.requires_grad]  # fmt: skip
    assert learned
    largest = max(weight.grad.abs().max() for weight in wanted)
    for a, b in zip(learned, wanted, strict=True):
        assert (a.grad - b.grad).abs().max() <= tolerance * largest


def listed(value):
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, tuple) else [value]


TOYS = [
    ("linear_cifar10", lambda: hand.Toy(nn.Linear(3072, 10)), (3, 32, 32)),
    ("mlp2_cifar10", lambda: hand.Toy(nn.Linear(3072, 100), nn.ReLU(), nn.Linear(100, 10)),
     (3, 32, 32)),
    ("conv_10x5x5_pad2", lambda: hand.conv(3, 10, 5, pad=2), (3, 20, 31)),
    ("cs231n_convstack", lambda: nn.Sequential(
        hand.conv(3, 6, 5), nn.ReLU(), hand.conv(6, 10, 5), nn.ReLU()), (3, 32, 32)),
    ("caffe_conv1_alexnet", lambda: hand.conv(3, 96, 11, 4), (3, 47, 40)),
    ("upscore_seed", lambda: nn.ConvTranspose2d(12, 12, 63, 32), (12, 2, 3)),
    ("separable_conv2d_demo", lambda: nn.Sequential(
        hand.conv(32, 32, 3, pad=1, groups=32, bias=False), hand.conv(32, 64, 1)), (32, 9, 11)),
    ("dilated_context_basic", hand.dilated_context, (21, 40, 33)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "theirs", "shape"), TOYS)
def test_toys(name, theirs, shape):
    same_outputs(netspec.build(f"zoo:{name}"), theirs(), torch.randn(2, *shape))
    same_training(netspec.build(f"zoo:{name}", phase="train"), theirs(), torch.randn(2, *shape))


DIGITS = [
    ("tf_mnist_cnn", hand.tf_mnist, (1, 28, 28), None),
    ("lenet5_1998", lambda: hand.Toy(*hand.lenet5(), nn.Softmax(1)), (1, 32, 32), hand.lenet5),
    ("convnetjs_cifar10", lambda: hand.Toy(*hand.convnetjs(), nn.Softmax(1)), (3, 32, 32),
     hand.convnetjs),
    ("conv_relu_pool_template", lambda: hand.template(2, 3, 1, 32, 256, 10), (3, 32, 32), None),
    ("cifar10_quick_caffe", lambda: hand.Toy(hand.Cifar10(True), nn.Softmax(1)), (3, 32, 32),
     lambda: hand.Cifar10(True)),
    ("cifar10_full_caffe", lambda: hand.Toy(hand.Cifar10(False), nn.Softmax(1)), (3, 32, 32),
     lambda: hand.Cifar10(False)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "theirs", "shape", "scores"), DIGITS)
def test_classifiers(name, theirs, shape, scores):
    x = torch.randn(3, *shape)
    same_outputs(netspec.build(f"zoo:{name}"), theirs(), x)
    if scores is None:
        return
    ours, wanted = netspec.build(f"zoo:{name}", phase="train").double(), scores().double()
    alike(ours, wanted)
    labels = torch.tensor([3, 0, 9])
    a = ours(data=x.double(), label=labels)
    a = a["loss"] if isinstance(a, dict) else a
    b = hand.classes_loss(wanted(x.double()), labels)
    close(a, b, 1e-9)
    a.backward()
    b.backward()
    same_gradients(ours, wanted)


def test_fc6_is_conv6():
    dense = netspec.build("zoo:fc6_inner_product")
    window = netspec.build("zoo:conv6_k6")
    with torch.no_grad():
        window.conv6.weight.copy_(dense.fc6.weight.view(4096, 256, 6, 6))
        window.conv6.bias.copy_(dense.fc6.bias)
        x = torch.randn(1, 256, 7, 6)
        close(window(x)[:, :, 0, 0], dense(x[:, :, :6]))
        close(window(x)[:, :, 1, 0], dense(x[:, :, 1:]))


@pytest.mark.parametrize(("n", "m", "k"), [(1, 1, 0), (3, 2, 2)])
def test_template(n, m, k):
    sizes = {"n": n, "m": m, "k": k, "width": 4, "hidden": 5}
    ours = netspec.build("zoo:conv_relu_pool_template", **sizes)
    same_outputs(ours, hand.template(classes=10, **sizes), torch.randn(2, 3, 32, 32))


def test_separable_order_of_filters():
    ours = netspec.build("zoo:separable_conv2d_demo", depth_multiplier=2)
    theirs = nn.Sequential(hand.conv(32, 64, 3, pad=1, groups=32, bias=False), hand.conv(64, 64, 1))
    same_outputs(ours, theirs, torch.randn(2, 32, 7, 8))


def test_inception_v2_tfslim():
    x = torch.randn(1, 3, 103, 71)
    same_outputs(netspec.build("zoo:inception_v2_tfslim"), hand.Slim2(), x)


@pytest.mark.parametrize("late", [False, True])
def test_alexnets(tmp_path, late):
    path = narrow(tmp_path, "caffenet" if late else "alexnet_caffe", 16)
    theirs = hand.AlexNet(1 / 16, late)
    same_outputs(netspec.build(path, outputs=["fc8"]), theirs, torch.randn(2, 3, 227, 227))
    ours, theirs = netspec.build(path, phase="train").double(), theirs.double()
    alike(ours, theirs)
    x, label = torch.randn(2, 3, 227, 227).double(), torch.tensor([1, 999])
    a, b = ours(data=x, label=label), hand.classes_loss(theirs(x), label)
    a = a["loss"] if isinstance(a, dict) else a
    close(a, b, 1e-9)
    a.backward()
    b.backward()
    same_gradients(ours, theirs)


def test_googlenet_trains():
    ours = netspec.build("zoo:googlenet_caffe", phase="train", classes=20).double()
    theirs = hand.GoogLeNet(20).double()
    alike(ours, theirs)
    x, label = torch.randn(1, 3, 224, 224).double(), torch.tensor([7])
    found = ours(data=x, label=label)
    wanted = [hand.classes_loss(scores, label) for scores in theirs(x)]
    for name, loss in zip(("loss1", "loss2", "loss3"), wanted, strict=True):
        close(found[name], loss, 1e-9)
    found["loss"].backward()
    (0.3 * wanted[0] + 0.3 * wanted[1] + wanted[2]).backward()
    same_gradients(ours, theirs)


def test_unet(tmp_path):
    path = narrow(tmp_path, "unet_2015", 16)
    x = torch.randn(1, 1, 204, 220)
    same_outputs(netspec.build(path), hand.UNet(1 / 16), x)
    same_training(netspec.build(path, phase="train"), hand.UNet(1 / 16), x)


def test_unet3d(tmp_path):
    path = narrow(tmp_path, "unet3d_2016", 32)
    same_outputs(netspec.build(path), hand.UNet3d(1 / 32), torch.randn(1, 3, 92, 100, 92))
    x = torch.randn(1, 3, 92, 92, 92)
    same_training(netspec.build(path, phase="train"), hand.UNet3d(1 / 32), x, 1e-7)


@pytest.mark.parametrize("stride", [32, 16, 8])
def test_fcn(tmp_path, stride):
    path = narrow(tmp_path, f"fcn{stride}s_voc", 16)
    x = torch.randn(1, 3, 40, 57)
    same_outputs(netspec.build(path), hand.Fcn(stride, 1 / 16), x)
    same_training(netspec.build(path, phase="train"), hand.Fcn(stride, 1 / 16), x)


@pytest.mark.parametrize(("name", "classes"), [("voc", 21), ("digits12", 12)])
def test_fcn_alexnet(tmp_path, name, classes):
    path = narrow(tmp_path, f"fcn_alexnet_{name}", 16)

    def theirs():
        return hand.FcnAlexNet(1 / 16, classes, digits=name == "digits12")

    x = 100 * torch.randn(2, 3, 50, 71)
    same_outputs(netspec.build(path), theirs(), x)
    ours, wanted = netspec.build(path, phase="train").double(), theirs().double()
    alike(ours, wanted)
    label = torch.randint(classes, (2, 1, 50, 71))
    label[:, :, 20:30] = 255
    a = ours(data=x.double(), label=label)
    a = a["loss"] if isinstance(a, dict) else a
    b = nn.functional.cross_entropy(
        wanted(x.double()), label[:, 0], ignore_index=255, reduction="sum"
    )
    b = b / (2 if name == "voc" else (label != 255).sum())
    close(a, b, 1e-9)
    a.backward()
    b.backward()
    same_gradients(ours, wanted)


def test_deconvnet(tmp_path):
    path = narrow(tmp_path, "deconvnet_voc", 16)
    same_outputs(netspec.build(path), hand.DeconvNet(1 / 16), torch.randn(1, 3, 224, 224))
    x = torch.randn(2, 3, 224, 224)
    same_training(netspec.build(path, phase="train"), hand.DeconvNet(1 / 16), x, 1e-8)


def test_colorization(tmp_path):
    path = narrow(tmp_path, "colorization_eccv16", 16)
    x = torch.randn(2, 1, 40, 56)
    same_outputs(netspec.build(path), hand.Colorization(1 / 16), x)


def test_rcnn(tmp_path):
    path = narrow(tmp_path, "rcnn_ilsvrc13", 16)
    same_outputs(netspec.build(path), hand.Rcnn(1 / 16, 200), torch.randn(2, 3, 227, 227))


REGIONS = torch.tensor([
    [0, 0, 0, 96, 80], [1, 16, 33, 130, 90], [0, 50.5, 8, 55, 127], [1, 100, 60, 20, 10.0],
])  # fmt: skip


def box_targets(rows, classes=21):
    targets = torch.randn(rows, 4 * classes, dtype=torch.float64)
    inside = torch.zeros_like(targets)
    for row in range(rows):
        inside[row, 4 * row : 4 * row + 4] = 1
    return {"bbox_targets": targets, "bbox_inside_weights": inside, "bbox_outside_weights": inside}


def test_fast_rcnn(tmp_path):
    path = narrow(tmp_path, "fast_rcnn_vgg16", 16)
    ours, theirs = netspec.build(path), hand.FastRcnn(1 / 16, proposing=False)
    alike(ours, theirs)
    x = torch.randn(2, 3, 100, 131)
    with torch.no_grad():
        found = ours(data=x, rois=REGIONS)
        scores, shifts = theirs.heads(theirs.trunk(x)[2], REGIONS)
    close(found["cls_prob"], scores.softmax(1))
    close(found["bbox_pred"], shifts)


def test_fast_rcnn_trains(tmp_path):
    path = narrow(tmp_path, "fast_rcnn_vgg16", 16)
    ours = netspec.build(path, phase="train", lr_conv1_2=0).double()
    theirs = hand.FastRcnn(1 / 16, proposing=False).double()
    alike(ours, theirs)
    assert not ours.conv2_2.weight.requires_grad
    assert ours.conv3_1.weight.requires_grad
    x, labels = torch.randn(2, 3, 100, 131).double(), torch.tensor([0, 5, 20, 1])
    boxes = box_targets(len(labels))
    found = ours(data=x, rois=REGIONS.double(), labels=labels, **boxes)
    scores, shifts = theirs.heads(theirs.trunk(x)[2], REGIONS)
    close(found["loss_cls"], hand.classes_loss(scores, labels), 1e-9)
    close(found["loss_bbox"], hand.smooth_l1(shifts, *boxes.values()), 1e-9)
    found["loss"].backward()
    (hand.classes_loss(scores, labels) + hand.smooth_l1(shifts, *boxes.values())).backward()
    same_gradients(ours, theirs)


def test_faster_rcnn(tmp_path):
    path = narrow(tmp_path, "faster_rcnn_vgg16", 16)
    ours, theirs = netspec.build(path), hand.FastRcnn(1 / 16, proposing=True)
    alike(ours, theirs)
    with torch.no_grad():
        for module in (ours.rpn_bbox_pred, theirs.rpn_shifts):
            module.weight.mul_(0.05)
    x, info = torch.randn(1, 3, 200, 231), torch.tensor([[200, 231, 1.25]])
    with torch.no_grad():
        found = ours(data=x, im_info=info)
        maps = theirs.trunk(x)[2]
        scores, shifts = theirs.region_scores(maps)
        regions = hand.proposals(scores.softmax(1)[:, 1], shifts, info)
        close(found["regions"], regions, 1e-4)
        scores, shifts = theirs.heads(maps, found["regions"])
    assert (regions[:, 3] > 0).sum() > 50
    close(found["cls_prob"], scores.softmax(1))
    close(found["bbox_pred"], shifts)


def test_faster_rcnn_trains(tmp_path):
    path = narrow(tmp_path, "faster_rcnn_vgg16", 16)
    ours = netspec.build(path, phase="train").double()
    theirs = hand.FastRcnn(1 / 16, proposing=True).double()
    alike(ours, theirs)
    x, labels = torch.randn(2, 3, 100, 131).double(), torch.tensor([0, 5, 20, 1])
    boxes = box_targets(len(labels))
    rpn_labels = torch.randint(-1, 2, (2, 9, 7, 9))
    shape = 2, 36, 7, 9
    targets, inside = torch.randn(shape).double(), torch.randint(2, shape).double()
    outside = torch.rand(shape).double()
    found = ours(
        data=x, rpn_labels=rpn_labels.view(2, 1, 63, 9), rpn_bbox_targets=targets,
        rpn_bbox_inside_weights=inside, rpn_bbox_outside_weights=outside, rois=REGIONS.double(),
        labels=labels, **boxes,
    )  # fmt: skip
    maps = theirs.trunk(x)[2]
    scores, shifts = theirs.region_scores(maps)
    wanted = {
        "rpn_loss_cls": hand.classes_loss(scores, rpn_labels, -1),
        "rpn_loss_bbox": hand.smooth_l1(shifts, targets, inside, outside, 3.0),
    }
    scores, shifts = theirs.heads(maps, REGIONS)
    wanted["loss_cls"] = hand.classes_loss(scores, labels)
    wanted["loss_bbox"] = hand.smooth_l1(shifts, *boxes.values())
    for name, loss in wanted.items():
        close(found[name], loss, 1e-9)
    found["loss"].backward()
    sum(wanted.values()).backward()
    same_gradients(ours, theirs)


def yolo_truth():
    truth = torch.zeros(2, 49, 25)
    for image, cell, label in (0, 3, 7), (0, 24, 0), (1, 48, 19):
        truth[image, cell, 0] = truth[image, cell, 1 + label] = 1
        truth[image, cell, 21:] = torch.rand(4)
    return truth.view(2, -1)


YOLOS = [("yolo_v1_2015", False, 2, 1470), ("yolo_v1_darknet2016", True, 3, 1715)]


@pytest.mark.parametrize(("name", "later", "num", "outputs"), YOLOS)
def test_yolo(tmp_path, name, later, num, outputs):
    path = narrow(tmp_path, name, 16)
    theirs = hand.Yolo(1 / 16, later, outputs)
    x = torch.randn(2, 3, 448, 448)
    ours = netspec.build(path)
    same_outputs(ours, theirs, x)
    detecting = netspec.build(path, stages=["detect"])
    detecting.load_state_dict(ours.state_dict())
    with torch.no_grad():
        close(detecting(x), hand.yolo_boxes(theirs(x), num))


@pytest.mark.parametrize(("name", "later", "num", "outputs"), YOLOS)
def test_yolo_trains(tmp_path, name, later, num, outputs):
    path = narrow(tmp_path, name, 16)
    ours = netspec.build(path, phase="train").double()
    theirs = hand.Yolo(1 / 16, later, outputs).double().train()
    alike(ours, theirs)
    x, truth = torch.randn(2, 3, 448, 448).double(), yolo_truth().double()
    a = ours(data=x, truth=truth)
    a = a["loss"] if isinstance(a, dict) else a
    b = hand.yolo_loss(theirs(x), truth, num)
    close(a, b, 1e-7)
    a.backward()
    b.backward()
    same_gradients(ours, theirs, 1e-6)
