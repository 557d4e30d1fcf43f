"""Find the discs among squares and noise with a small U-Net."""

from pathlib import Path

import torch
from pictures import grid, picture_option, save

import netspec

SPEC = Path(__file__).parent / "unet_small.yaml"


def scenes(count: int, size: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return noisy pictures of two discs and two squares, and masks of the discs."""
    generator = torch.Generator().manual_seed(seed)
    rows, columns = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    image, mask = torch.zeros(count, 1, size, size), torch.zeros(count, 1, size, size)
    for picture, disc in zip(image, mask, strict=True):
        for kind in (0, 0, 1, 1):
            y, x = (torch.randint(8, size - 8, (2,), generator=generator)).tolist()
            radius = int(torch.randint(4, 8, (1,), generator=generator))
            near = (rows - y).abs().maximum((columns - x).abs())
            round_ = (rows - y).square() + (columns - x).square() <= radius**2
            picture[0][near <= radius if kind else round_] = 1.0
            if kind == 0:
                disc[0][round_] = 1.0
            else:
                disc[0][near <= radius] = 0.0  # a square covers a disc
    return image + 0.2 * torch.randn(image.shape, generator=generator), mask


def main(epochs: int = 9, picture: Path | None = None) -> float:
    """Return the overlap (intersection over union) of found and true discs on new pictures."""
    torch.manual_seed(0)
    images, masks = scenes(200, 48, seed=1)
    model = netspec.build(SPEC, phase="train")
    optimiser = torch.optim.Adam(model.parameters(), lr=0.005)
    for epoch in range(epochs):
        for batch in torch.randperm(len(images)).split(10):
            optimiser.zero_grad()
            loss = model(images[batch], masks[batch])["loss"]
            loss.backward()
            optimiser.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}")

    deployed = netspec.build(SPEC)
    deployed.load_state_dict(model.state_dict())
    images, masks = scenes(20, 64, seed=2)  # larger pictures, the same net
    with torch.no_grad():
        found = deployed(images) > 0.5
    overlap = ((found & (masks > 0.5)).sum() / (found | (masks > 0.5)).sum()).item()
    if picture:
        shown = [each[i] for each in (images, found.float(), masks) for i in range(4)]
        save(picture, grid(shown, columns=4, zoom=2))
    print(f"overlap with the true discs: {overlap:.1%}")
    return overlap


if __name__ == "__main__":
    main(picture=picture_option())
