"""Generative, style, sequence and volume nets, against modules written by hand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import netspec

sys.path.insert(0, str(Path(__file__).parent))
import hand_written_more as hand
from references import close, randomise, torchvision


@pytest.fixture(autouse=True)
def repeatable():
    torch.manual_seed(0)
    torch.set_num_threads(1)


def weights(module, kind):
    """Return a module's weights or state by name, the parts of one layer in one order."""
    found = {}
    for name, value in getattr(module, f"named_{kind}")():
        name = name.replace("parametrizations.weight.original", "weight")
        owner, _, part = name.rpartition(".")
        if part in ("u", "_u", "_v", "num_batches_tracked"):
            continue
        found.setdefault(owner, {})[part] = value
    order = ("weight", "bias", "running_mean", "running_var")
    return [
        (f"{owner}.{part}", parts[part])
        for owner, parts in found.items()
        for part in sorted(parts, key=lambda part: order.index(part) if part in order else 9)
    ]


def alike(ours, theirs):
    """Give both modules the same random weights and statistics, matched by their order."""
    randomise(theirs)
    with torch.no_grad():
        for kind in "parameters", "buffers":
            mine, wanted = weights(ours, kind), weights(theirs, kind)
            assert len(mine) == len(wanted), ([n for n, _ in mine], [n for n, _ in wanted])
            for (name, a), (other, b) in zip(mine, wanted, strict=True):
                assert a.shape == b.shape, (name, other)
                a.copy_(b)
        for module in ours.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0.0
            if hasattr(module, "_u"):  # a parametrization, whose vectors are converged here
                weight = weights_of(ours, module)
                left, _, right = torch.linalg.svd(weight, full_matrices=False)
                module._u.copy_(left[:, 0])
                module._v.copy_(right[0])
            if getattr(module, "u", None) is not None:
                left, _, _ = torch.linalg.svd(module.weight.flatten(1), full_matrices=False)
                module.u.copy_(left[:, 0])


def weights_of(model, parametrization):
    """Return the matrix that a spectral norm divides."""
    for module in model.modules():
        lists = getattr(module, "parametrizations", {})
        if any(parametrization in list(each) for each in lists.values()):
            matrix = lists["weight"].original
            return matrix.transpose(0, parametrization.dim).flatten(1)
    raise AssertionError("no weight has this spectral norm")


def values(found):
    if isinstance(found, dict):
        return list(found.values())
    return list(found) if isinstance(found, tuple | list) else [found]


def same(name, theirs, *inputs, tolerance=2e-5, **variables):
    """Compare the outputs of a shipped net in test."""
    ours = netspec.build(f"zoo:{name}", **variables).eval()
    alike(ours, theirs.eval())
    with torch.no_grad():
        for mine, wanted in zip(values(ours(*inputs)), values(theirs(*inputs)), strict=True):
            close(mine, wanted, tolerance)


def same_training(name, theirs, *inputs, tolerance=1e-8, **variables):
    """Compare outputs, gradients of weights and inputs, and the statistics, in train."""
    ours = netspec.build(f"zoo:{name}", phase="train", **variables).double()
    theirs = theirs.double().train()
    alike(ours, theirs)
    both = []
    for model in ours, theirs:
        given = [x.double().requires_grad_() if x.is_floating_point() else x for x in inputs]
        torch.manual_seed(1)
        found = values(model(*given))
        generator = torch.Generator().manual_seed(2)
        total = 0
        for value in found:
            total = total + (value * torch.randn(value.shape, generator=generator)).sum()
        total.backward()
        learned = [w.grad for _, w in weights(model, "parameters") if w.requires_grad]
        learned += [x.grad for x in given if x.is_floating_point()]
        state = [value for _, value in weights(model, "buffers")]
        both.append((found, learned, state))
    for mine, wanted in zip(both[0][0], both[1][0], strict=True):
        close(mine, wanted, tolerance)
    largest = max(grad.abs().max() for grad in both[1][1] if grad is not None)
    for mine, wanted in zip(both[0][1], both[1][1], strict=True):
        if mine is None or wanted is None:
            assert mine is wanted
        else:
            assert (mine - wanted).abs().max() <= tolerance * largest
    for mine, wanted in zip(both[0][2], both[1][2], strict=True):
        close(mine.double(), wanted.double(), tolerance)


def tokens(*shape, most):
    return torch.randint(most, shape)


WAVE = {
    "m3": ([6], [1]), "m5": ([6, 8, 10], [1, 1, 1]),
    "m11": ([6, 8, 10, 12], [2, 2, 3, 2]), "m18": ([6, 8, 10, 12], [4, 4, 4, 4]),
}  # fmt: skip
SMALL_WAVENET = {"residual": 4, "gates": 5, "skips": 6, "levels": 8, "stacks": 2, "depth": 3}
CASES = {
    **{
        name: (lambda w=w, d=d: hand.raw_waveform(5, w, d), [(2, 1, 1100)],
               {"first": 5, "width": w})
        for name, (w, d) in WAVE.items()
    },
    "m34_res": (hand.m34, [(2, 1, 1100)], {}),
    "ecg34_arxiv": (lambda: hand.Ecg([4, 8, 12, 16], 14), [(2, 1, 512)],
                    {"filters": [4, 8, 12, 16]}),
    "ecg34_repo": (lambda: hand.Ecg([4, 8, 16, 32], 4), [(2, 1, 512)],
                   {"filters": [4, 8, 16, 32]}),
    "wavenet_ibab": (lambda: hand.WaveNet(**SMALL_WAVENET), [(2, 8, 40)], SMALL_WAVENET),
    "convs2s_glu_encoder": (lambda: nn.Sequential(*[hand.Gated(6) for _ in range(4)]),
                            [(2, 6, 11)], {"width": 6}),
    "kaggle_3dmnist": (hand.mnist_3d, [(3, 3, 16, 16, 16)], {}),
    "deepst_2016": (hand.DeepSt, [(2, 6, 20, 20), (2, 7, 20, 20), (2, 4, 20, 20), (2, 28)], {}),
    "st_resnet_taxibj": (lambda: hand.StResnet(2),
                         [(2, 6, 32, 32), (2, 2, 32, 32), (2, 2, 32, 32), (2, 28)], {"units": 2}),
    "speech_cnn_palaz": (hand.palaz, [(2, 1, 4960)], {}),
    "speech_cnn_abdelhamid": (hand.abdelhamid, [(2, 45, 40)], {}),
    "patchy_san": (hand.patchy_san, [(3, 1, 180)], {}),
    "stackgan_stage1_G": (lambda: hand.StageOneG(4, 6), [(3, 1024), (3, 100)],
                          {"width": 4, "condition": 6}),
    "stackgan_stage1_D": (lambda: hand.StackD(4, 6, [8, 16, 32]), [(3, 3, 64, 64), (3, 6)],
                          {"width": 4, "condition": 6}),
    "stackgan_stage2_D": (
        lambda: hand.StackD(2, 6, [4, 8, 16, 32, 64], [32, 16]), [(2, 3, 256, 256), (2, 6)],
        {"width": 2, "condition": 6}),
    "progan_G_1024": (lambda: hand.ProganG(8, [8, 6, 4]), [(3, 8)],
                      {"top": 8, "sizes": [8, 6, 4]}),
    "progan_D_1024": (lambda: hand.ProganD(8, [4, 6, 8]), [(8, 3, 32, 32)],
                      {"top": 8, "sizes": [4, 6, 8]}),
    "cyclegan_G_resnet9": (lambda: hand.cyclegan(4, 2), [(2, 3, 16, 24)],
                           {"width": 4, "residuals": 2}),
    "johnson_fast_style": (lambda: hand.fast_style(4, 5), [(1, 3, 44, 48)], {"width": 4}),
    "texture_nets_pyramid": (lambda: hand.TexturePyramid(3), [(1, 3, 64, 96)], {"width": 3}),
    "chainer_fast_neuralstyle": (lambda: hand.chainer_style(4, 2), [(2, 3, 16, 24)],
                                 {"width": 4, "residuals": 2}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_outputs(name):
    make, shapes, variables = CASES[name]
    same(name, make(), *[torch.randn(shape) for shape in shapes], **variables)


@pytest.mark.parametrize("name", CASES)
def test_training(name):
    make, shapes, variables = CASES[name]
    same_training(name, make(), *[torch.randn(shape) for shape in shapes], **variables)


@pytest.mark.parametrize("name", ["textcnn_kim_mr", "textcnn_wildml"])
def test_textcnn(name):
    sizes = {"words": 50, "embedding": 6, "filters": 5}
    same(name, hand.TextCnn(**sizes), tokens(3, 56, most=50), **sizes)
    same_training(name, hand.TextCnn(**sizes), tokens(3, 56, most=50), **sizes)


def test_conv_encoder():
    given = tokens(2, 9, most=40), torch.arange(9).repeat(2, 1)
    same("conv_encoder_nmt", hand.ConvEncoder(40, 6), *given, words=40, width=6)
    same_training(
        "conv_encoder_nmt", hand.ConvEncoder(40, 6), *given, words=40, width=6, dropout=0.5
    )


def test_wavenet_sees_only_the_past():
    model = netspec.build("zoo:wavenet_ibab", **SMALL_WAVENET)
    x = torch.randn(1, 8, 40, requires_grad=True)
    (gradient,) = torch.autograd.grad(model(x)[0, :, 3].square().sum(), x)
    seen = gradient[0].abs().sum(0).nonzero().flatten()
    assert (seen.min(), seen.max()) == (3, 18)  # 16 samples: 1 + 1 + 2 * 7


def test_spotify_trains_on_factors():
    theirs = hand.Spotify()
    x = torch.randn(2, 128, 300)
    same("spotify_cnn", theirs, x)
    ours = netspec.build("zoo:spotify_cnn", phase="train")
    alike(ours, theirs)
    target = torch.randn(2, 40)
    loss = ours(x, target)["loss"]
    wanted = (theirs(x) - target).square().sum() / 4
    close(loss, wanted)
    loss.backward()
    wanted.backward()
    for (_, a), (_, b) in zip(
        weights(ours, "parameters"), weights(theirs, "parameters"), strict=True
    ):
        close(a.grad, b.grad, 1e-4)


def test_dcgan_has_the_examples_names():
    theirs = randomise(hand.DcganTorch(4))
    for phase in "test", "train":
        ours = netspec.build("zoo:dcgan_torch_G", phase=phase, width=4)
        ours.load_state_dict(theirs.state_dict(), strict=True)
        z = torch.randn(3, 100, 1, 1)
        close(ours(z), theirs.train(phase == "train")(z))


def test_stage_two_reads_a_frozen_stage_one():
    sizes = {"width": 4, "condition": 6, "residuals": 2}
    theirs = randomise(hand.StageTwoG(4, 6, 2)).eval()
    text, noise = torch.randn(2, 1024), torch.randn(2, 100)
    ours = netspec.build("zoo:stackgan_stage2_G", **sizes)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    close(ours(text, noise), theirs(text, noise))
    ours = netspec.build("zoo:stackgan_stage2_G", phase="train", **sizes)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    theirs.train().STAGE1_G.eval()
    theirs.STAGE1_G.ca_net.train()  # it goes on drawing its code
    torch.manual_seed(3)
    a = ours(text, noise)
    torch.manual_seed(3)
    b = theirs(text, noise)
    close(a, b)
    a.square().sum().backward()
    b.square().sum().backward()
    wanted = dict(theirs.named_parameters())
    for key, weight in ours.named_parameters():
        if key.startswith("STAGE1_G."):
            assert weight.grad is None
        else:
            close(weight.grad, wanted[key].grad, 1e-3)
    for key, value in theirs.state_dict().items():
        close(ours.state_dict()[key].double(), value.double())


@pytest.mark.parametrize("group", [2, 3, 4])
def test_progan_critic_compares_the_images_of_a_group(group):
    ours = netspec.build("zoo:progan_D_1024", top=8, sizes=[4]).double()
    theirs = hand.ProganD(8, [4]).double()
    alike(ours, theirs)
    x = torch.randn(group, 3, 8, 8).double()
    close(ours(x), theirs(x), 1e-10)
    assert (ours(x)[0] - ours(x[:1])).abs() > 1e-7


def test_sagan():
    z, label = torch.randn(3, 128), tokens(3, most=5)
    same("sagan_G_128", hand.SaganG(4, 5), z, label, width=4, classes=5)
    same_training("sagan_G_128", hand.SaganG(2, 5), z, label, width=2, classes=5, tolerance=1e-6)
    image = torch.randn(2, 3, 128, 128)
    same("sagan_D_128", hand.SaganD(4, 5), image, label[:2], width=4, classes=5)
    same_training(
        "sagan_D_128", hand.SaganD(4, 5), image, label[:2], width=4, classes=5, tolerance=1e-6
    )


def test_pix2pix():
    x = torch.randn(2, 3, 256, 256)
    same("pix2pix_G_unet256", hand.Pix2Pix(2), x, width=2)
    same_training("pix2pix_G_unet256", hand.Pix2Pix(2), x, width=2, tolerance=1e-6)


def test_texture_borders():
    theirs = hand.TexturePyramid(3, "circular")
    same("texture_nets_pyramid", theirs, torch.randn(1, 3, 64, 64), width=3, border="CIRCULAR")
    noisy = netspec.build("zoo:texture_nets_pyramid", width=3, noise=3)
    x = torch.randn(1, 3, 64, 64)
    assert (noisy(x) - noisy(x)).abs().max() > 1e-3


@pytest.mark.slow
def test_large_ones():
    same("ppgn_generator_fc6", hand.Ppgn(), torch.randn(1, 4096))
    same("c3d_sports1m", hand.c3d(), torch.randn(1, 3, 16, 112, 112))


@pytest.mark.parametrize(("name", "ups"), [("sr_x4_johnson", 2), ("sr_x8_johnson", 3)])
def test_super_resolution(name, ups):
    theirs = hand.super_resolution(ups, 6, 4)
    same(name, theirs, torch.randn(2, 3, 7, 8), width=6)
    ours = netspec.build(f"zoo:{name}", phase="train", width=6).double()
    theirs = theirs.double().train()
    randomise(theirs)
    vgg = nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(),
        nn.MaxPool2d(2), nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(),
        nn.Conv2d(128, 128, 3, padding=1), nn.ReLU(),
    ).double().requires_grad_(False)  # fmt: skip
    alike(ours, nn.ModuleList([theirs, vgg]))
    x, target = torch.randn(2, 3, 7, 8).double(), torch.randn(2, 3, 7 << ups, 8 << ups).double()
    found = ours(x, target)["loss"]
    wanted = F.mse_loss(vgg(theirs(x)), vgg(target))
    close(found, wanted, 1e-9)
    found.backward()
    wanted.backward()
    learned = [weight for weight in ours.parameters() if weight.requires_grad]
    assert sum(weight.numel() for weight in ours.parameters() if not weight.requires_grad) == 260160
    largest = max(weight.grad.abs().max() for weight in theirs.parameters())
    for mine, other in zip(learned, theirs.parameters(), strict=True):
        assert (mine.grad - other.grad).abs().max() <= 1e-8 * largest


def vgg_features(name, count, ours):
    """Return the first layers of a VGG of torchvision, with the weights of `ours` made its own."""
    theirs = getattr(torchvision().models, name)(weights=None).features[:count].double()
    randomise(theirs).eval()
    with torch.no_grad():
        mine = list(ours.parameters())
        wanted = list(theirs.parameters())
        assert [tuple(a.shape) for a in mine] == [tuple(b.shape) for b in wanted]
        for a, b in zip(mine, wanted, strict=True):
            assert not a.requires_grad
            a.copy_(b)
    return theirs


def compare_losses(ours, theirs, image, *others, count, factors):
    """Compare every loss, their weighted sum, and the gradient of the image."""
    a, b = (image.clone().requires_grad_() for _ in range(2))
    found, wanted = ours(a, *others), theirs(b, *others)
    assert len(found) == count + 1
    for mine, other, factor in zip(list(found.values())[:count], wanted, factors, strict=False):
        close(mine, other * factor, 1e-9)
    return a, b, found["loss"], wanted


@pytest.mark.reference
def test_gatys():
    ours = netspec.build("zoo:gatys_vgg19", phase="train").double()
    layers = vgg_features("vgg19", 30, ours)
    image, content = torch.randn(2, 1, 3, 32, 48).double()
    style = torch.randn(1, 3, 48, 32).double()
    a, b, loss, wanted = compare_losses(
        ours, lambda *x: hand.gatys(layers, *x), image, content, style,
        count=6, factors=[1, 2, 2, 2, 2, 2],
    )  # fmt: skip
    total = wanted[0] + 1000 / 5 * sum(wanted[1:])
    close(loss, total, 1e-9)
    loss.backward()
    total.backward()
    close(a.grad, b.grad, 1e-8)


@pytest.mark.reference
def test_perceptual_loss():
    ours = netspec.build("zoo:johnson_perceptual_loss", phase="train").double()
    layers = vgg_features("vgg16", 23, ours)
    image, content, style = torch.randn(3, 2, 3, 32, 48).double()
    a, b, loss, wanted = compare_losses(
        ours, lambda *x: hand.perceptual(layers, *x), image, content, style,
        count=6, factors=[1] * 6,
    )  # fmt: skip
    total = wanted[0] + 5 * sum(wanted[1:5]) + 1e-6 * wanted[5]
    close(loss, total, 1e-9)
    loss.backward()
    total.backward()
    close(a.grad, b.grad, 1e-8)


@pytest.mark.reference
def test_doodle():
    ours = netspec.build("zoo:neural_doodle_vgg19", phase="train").double()
    layers = vgg_features("vgg19", 36, ours)
    image, regions, content = torch.randn(3, 1, 3, 48, 64).double()
    style, style_regions = torch.randn(2, 1, 3, 64, 48).double()
    a, b, loss, wanted = compare_losses(
        ours, lambda *x: hand.doodle(layers, *x), image, regions, content, style, style_regions,
        count=4, factors=[1] * 4,
    )  # fmt: skip
    total = 10 * wanted[0] + 25 * (wanted[1] + wanted[2]) + wanted[3]
    close(loss, total, 1e-9)
    loss.backward()
    total.backward()
    close(a.grad, b.grad, 1e-8)


@pytest.mark.reference
def test_video_resnet_is_torchvisions():
    theirs = randomise(torchvision().models.video.r3d_18(weights=None))
    for phase in "test", "train":
        ours = netspec.build("zoo:video_r3d18", phase=phase)
        ours.load_state_dict(theirs.state_dict(), strict=True)
        theirs.train(phase == "train")
        x = torch.randn(2, 3, 5, 33, 48)
        a, b = ours(x), theirs(x)
        close(a, b)
    a.square().mean().backward()
    b.square().mean().backward()
    wanted = dict(theirs.named_parameters())
    for key, weight in ours.named_parameters():
        close(weight.grad, wanted[key].grad, 1e-3)
    for key, value in theirs.state_dict().items():
        close(ours.state_dict()[key].double(), value.double())


@pytest.mark.reference
@pytest.mark.parametrize(("name", "filters"), [
    ("ecg34_arxiv", [6, 12, 18, 24]), ("ecg34_repo", [6, 12, 24, 48]),
])  # fmt: skip
def test_ecg_is_padded_and_normalised_as_keras_does(monkeypatch, name, filters):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    layers, made = keras.layers, []

    def learned(layer, x):
        made.append(layer)
        return layer(x)

    def active(x):
        return layers.Activation("relu")(learned(layers.BatchNormalization(), x))

    def conv(x, outputs, stride=1):
        return learned(layers.Conv1D(outputs, 16, strides=stride, padding="same"), x)

    given = keras.Input((512, 1))
    x = active(conv(given, filters[0]))
    for index in range(16):
        outputs, stride = filters[index // 4], 1 + index % 2
        shortcut = layers.MaxPooling1D(stride)(x)
        if outputs != x.shape[2]:
            more = layers.Permute((2, 1))(shortcut)
            more = layers.ZeroPadding1D((0, outputs - x.shape[2]))(more)
            shortcut = layers.Permute((2, 1))(more)
        branch = conv(x if index == 0 else active(x), outputs, stride)
        x = layers.Add()([shortcut, conv(active(branch), outputs)])
    classes = 14 if name == "ecg34_arxiv" else 4
    x = layers.Softmax()(learned(layers.Dense(classes), active(x)))
    theirs = keras.Model(given, x)
    ours = randomise(netspec.build(f"zoo:{name}", filters=filters)).eval()
    state = [v for k, v in ours.state_dict().items() if not k.endswith("num_batches_tracked")]
    for layer in made:
        count = len(layer.get_weights())
        own, state = state[:count], state[count:]
        layer.set_weights([v.permute(*range(v.dim() - 1, -1, -1)).numpy() for v in own])
    assert not state
    x = torch.randn(2, 1, 512)
    with torch.no_grad():
        wanted = torch.as_tensor(theirs(x.transpose(1, 2), training=False))
        close(ours(x), wanted, 2e-5)


@pytest.mark.reference
@pytest.mark.slow
def test_ppgn_is_caffes():
    numpy, cv2 = pytest.importorskip("numpy"), pytest.importorskip("cv2")
    from test_zoo_cv2 import caffemodel, prototxt

    net = netspec.load("zoo:ppgn_generator_fc6")
    ours = randomise(netspec.build(net, init=False)).eval()
    x = torch.randn(1, 4096)
    files = prototxt(net, {"N": 1}), caffemodel(net, ours)
    theirs = cv2.dnn.readNetFromCaffe(*[numpy.frombuffer(file, numpy.uint8) for file in files])
    theirs.setInput(x.numpy(), "feat")
    with torch.no_grad():
        close(ours(x), torch.from_numpy(theirs.forward("deconv0")), 2e-5)
