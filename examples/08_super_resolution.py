"""Enlarge a photograph twofold, better than bicubic interpolation does, with a perceptual loss.

The net learns from the left and the right third of a photograph and is judged on the middle.
The VGG-16 that looks at its pictures has RANDOM weights here, so that nothing is downloaded.
"""

import math
from pathlib import Path

import torch
from pictures import grid, photograph, picture_option, save

import netspec

SPEC = Path(__file__).parent / "super_resolution.yaml"


def decibels(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """Return the peak signal-to-noise ratio."""
    return -10 * math.log10((found.clamp(0, 1) - wanted).square().mean().item())


def main(steps: int = 240, picture: Path | None = None) -> float:
    """Return by how many decibels the net is better than bicubic interpolation."""
    torch.manual_seed(0)
    whole = photograph("china.jpg", 426, 640)
    sides, middle = (whole[..., :214], whole[..., 426:]), whole[..., 214:426]
    model = netspec.build(SPEC, phase="train", at={"N": 8, "H": 16, "W": 16})
    for name, weight in model.named_parameters():
        if not weight.requires_grad and name.endswith("weight"):
            torch.nn.init.kaiming_normal_(weight, nonlinearity="relu")
    learned = [weight for weight in model.parameters() if weight.requires_grad]
    optimiser = torch.optim.Adam(learned, lr=0.002)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        corners = torch.randint(214 - 32, (8, 2)) * torch.tensor([2, 1])
        patches = (sides[step % 2][..., y : y + 32, x : x + 32] for y, x in corners.tolist())
        large = torch.cat(list(patches))
        optimiser.zero_grad()
        loss = model(torch.nn.functional.avg_pool2d(large, 2), large)["loss"]
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 60 == 59:
            print(f"step {step + 1}: loss {loss.item():.3f}")

    deployed = netspec.build(SPEC, outputs=["enlarged", "bicubic"])
    state = {key: value for key, value in model.state_dict().items() if key.startswith("conv")}
    deployed.load_state_dict(state)
    with torch.no_grad():
        found = deployed(torch.nn.functional.avg_pool2d(middle, 2))
    ours, bicubic = (decibels(found[name], middle) for name in ("enlarged", "bicubic"))
    print(f"bicubic {bicubic:.1f} dB, net {ours:.2f} dB: {ours - bicubic:+.2f} dB")
    if picture:
        shown = (found["bicubic"], found["enlarged"], middle)
        save(picture, grid([each[0, :, 100:228, 40:168] for each in shown], columns=3, zoom=2))
    return ours - bicubic


if __name__ == "__main__":
    main(picture=picture_option())
