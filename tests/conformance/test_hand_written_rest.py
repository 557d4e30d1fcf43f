"""DCGAN and VoxNet against modules written from the papers, narrowed, in use and in training."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

import netspec  # noqa: E402

sys.path.insert(0, str(Path(__file__).parent))
from references import close, copy_in_order, randomise  # noqa: E402

WIDTH = 4


def norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-8)


def dcgan_generator():
    """Radford et al., figure 1: 5x5 fractionally strided convolutions; ReLU, then tanh."""
    layers = [nn.Linear(100, 8 * WIDTH * 16, bias=False), nn.Unflatten(1, (8 * WIDTH, 4, 4))]
    layers += [norm(8 * WIDTH), nn.ReLU()]
    for factor in (8, 4, 2):
        layers += [
            nn.ConvTranspose2d(factor * WIDTH, factor * WIDTH // 2, 5, 2, 2, 1, bias=False),
            norm(factor * WIDTH // 2),
            nn.ReLU(),
        ]
    return nn.Sequential(
        *layers, nn.ConvTranspose2d(WIDTH, 3, 5, 2, 2, 1, bias=False), nn.Tanh()
    )  # fmt: skip


def dcgan_discriminator():
    """The same turned round: strides, leaky ReLUs of 0.2, and no normalisation of the first."""
    layers = [nn.Conv2d(3, WIDTH, 5, 2, 2, bias=False), nn.LeakyReLU(0.2)]
    for factor in (1, 2, 4):
        layers += [
            nn.Conv2d(factor * WIDTH, 2 * factor * WIDTH, 5, 2, 2, bias=False),
            norm(2 * factor * WIDTH),
            nn.LeakyReLU(0.2),
        ]
    head = [nn.Flatten(), nn.Linear(8 * WIDTH * 16, 1, bias=False), nn.Sigmoid()]
    return nn.Sequential(*layers, *head)


def voxnet():
    """Maturana and Scherer, section III-C: C(32,5,2) C(32,3,1) P(2) FC(128) FC(K)."""
    return nn.Sequential(
        nn.Conv3d(1, 32, 5, 2), nn.LeakyReLU(0.1),
        nn.Conv3d(32, 32, 3), nn.LeakyReLU(0.1), nn.MaxPool3d(2), nn.Flatten(),
        nn.Linear(32 * 6**3, 128), nn.ReLU(), nn.Linear(128, 40), nn.Softmax(1),
    )  # fmt: skip


NETS = [
    ("dcgan_G", dcgan_generator, (3, 100), {"width": WIDTH}),
    ("dcgan_D", dcgan_discriminator, (3, 3, 64, 64), {"width": WIDTH}),
    ("voxnet_modelnet40", voxnet, (2, 1, 32, 32, 32), {}),
]


@pytest.mark.parametrize(("name", "make", "shape", "variables"), NETS)
@pytest.mark.parametrize("training", [False, True])
def test_is_the_papers(name, make, shape, variables, training):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    theirs = randomise(make()).double().train(training)
    ours = netspec.build(f"zoo:{name}", **variables).double().train(training)
    for module in ours.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    copy_in_order(ours, theirs)
    x = torch.randn(shape).double()
    a, b = ours(x), theirs(x)
    close(a, b)
    a.square().sum().backward()
    b.square().sum().backward()
    for mine, wanted in zip(ours.parameters(), theirs.parameters(), strict=True):
        close(mine.grad, wanted.grad)
