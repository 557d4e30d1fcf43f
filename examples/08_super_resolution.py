"""Enlarge a photograph twofold, better than bicubic interpolation does, with a perceptual loss.

The net learns from the left two thirds of a photograph and is judged on the right third. The VGG-16
that looks at its pictures has RANDOM weights here, so that nothing is downloaded.
"""

import math
from pathlib import Path

import torch
from pictures import photograph, picture_option, row, save

import netspec

SPEC = Path(__file__).parent / "super_resolution.yaml"


def decibels(found: torch.Tensor, wanted: torch.Tensor) -> float:
    """Return the peak signal-to-noise ratio."""
    return -10 * math.log10((found.clamp(0, 1) - wanted).square().mean().item())


def main(steps: int = 150, picture: Path | None = None) -> float:
    """Return by how many decibels the net is better than bicubic interpolation."""
    torch.manual_seed(0)
    whole = photograph("china.jpg", 426, 640)
    left, right = whole[..., :426], whole[..., 426:638]
    model = netspec.build(SPEC, phase="train", at={"N": 8, "H": 16, "W": 16})
    for name, weight in model.named_parameters():
        if not weight.requires_grad and name.endswith("weight"):
            torch.nn.init.kaiming_normal_(weight, nonlinearity="relu")
    learned = [weight for weight in model.parameters() if weight.requires_grad]
    optimiser = torch.optim.Adam(learned, lr=0.003)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for step in range(steps):
        corners = torch.randint(426 - 32, (8, 2)).tolist()
        large = torch.cat([left[..., y : y + 32, x : x + 32] for y, x in corners])
        optimiser.zero_grad()
        loss = model(torch.nn.functional.avg_pool2d(large, 2), large)["loss"]
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 50 == 49:
            print(f"step {step + 1}: loss {loss.item():.3f}")

    deployed = netspec.build(SPEC, outputs=["enlarged", "bicubic"])
    state = {key: value for key, value in model.state_dict().items() if key.startswith("conv")}
    deployed.load_state_dict(state)
    with torch.no_grad():
        found = deployed(torch.nn.functional.avg_pool2d(right, 2))
    ours, bicubic = (decibels(found[name], right) for name in ("enlarged", "bicubic"))
    print(f"bicubic {bicubic:.2f} dB, net {ours:.2f} dB: {ours - bicubic:+.2f} dB")
    if picture:
        shown = (found["bicubic"], found["enlarged"], right)
        save(picture, row(*(each[0, :, 200:330, 40:170] for each in shown), zoom=2))
    return ours - bicubic


if __name__ == "__main__":
    main(picture=picture_option())
