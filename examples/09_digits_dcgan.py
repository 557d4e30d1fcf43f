"""Invent handwritten digits with a small DCGAN, and look how near to real ones they come."""

from pathlib import Path

import torch
from pictures import grid, picture_option, save
from sklearn.datasets import load_digits
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from torch.nn.functional import interpolate

import netspec

SPEC = Path(__file__).parent / "digits_dcgan.yaml"


def main(steps: int = 600, picture: Path | None = None) -> tuple[float, int]:
    """Return how far invented digits are from real ones, and of how many kinds they are.

    The first is the mean distance from an invented digit to the nearest of 1,500 real ones, over
    the same of the real digits that are not among them.
    """
    torch.manual_seed(0)
    images, labels = (torch.from_numpy(array) for array in load_digits(return_X_y=True))
    images = interpolate(images.float().view(-1, 1, 8, 8) / 8 - 1, size=16, mode="bilinear")
    real, unseen = images[:1500], images[1500:]

    generator = netspec.build(SPEC, scale="generator").train()
    discriminator = netspec.build(SPEC, scale="discriminator").train()
    for weight in (*generator.parameters(), *discriminator.parameters()):
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=0.02)
    adam = {"lr": 0.001, "betas": (0.5, 0.999)}
    make = torch.optim.Adam(generator.parameters(), **adam)
    judge = torch.optim.Adam(discriminator.parameters(), **adam)
    yes, no = torch.full((64, 1), 0.9), torch.zeros(64, 1)
    for step in range(steps):
        made = generator(torch.randn(64, 32))
        judge.zero_grad()
        seen = discriminator(real[torch.randint(1500, (64,))])
        loss = cross_entropy(seen, yes) + cross_entropy(discriminator(made.detach()), no)
        loss.backward()
        judge.step()
        make.zero_grad()
        cross_entropy(discriminator(made), yes).backward()
        make.step()
        if step % 100 == 99:
            print(f"step {step + 1}: the discriminator's loss {loss.item():.3f}")

    generator.eval()
    with torch.no_grad():
        made = generator(torch.randn(300, 32))
    distance, nearest = torch.cdist(made.flatten(1), real.flatten(1)).min(1)
    ratio = distance.mean() / torch.cdist(unseen.flatten(1), real.flatten(1)).amin(1).mean()
    kinds = len(labels[nearest].unique())
    print(f"distance to real digits, beside unseen ones: {ratio:.2f}; kinds: {kinds}")
    if picture:
        save(picture, grid(list((made[:80] + 1) / 2), columns=16, zoom=2))
    return ratio.item(), kinds


if __name__ == "__main__":
    main(picture=picture_option())
