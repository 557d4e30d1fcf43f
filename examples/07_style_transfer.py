"""Paint a photograph of a temple in the colours and textures of a photograph of a flower.

VGG-19 has RANDOM weights here, not those learned on ImageNet, so that nothing is downloaded:
colours and textures carry over all the same, larger forms hardly. `zoo:gatys_vgg19` is the whole
net of Gatys et al., for learned weights.
"""

from pathlib import Path

import torch
from pictures import grid, photograph, picture_option, save

import netspec

SPEC = Path(__file__).parent / "style.yaml"


def randomise(model: torch.nn.Module) -> None:
    """Draw weights that keep the size of signals through ReLUs (He et al.)."""
    for name, weight in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.zeros_(weight)
        else:
            torch.nn.init.kaiming_normal_(weight, nonlinearity="relu")


def main(steps: int = 60, picture: Path | None = None) -> float:
    """Return by what factor the style loss falls."""
    torch.manual_seed(0)
    content, style = photograph("china.jpg", 96, 128), photograph("flower.jpg", 96, 128)
    features = netspec.build(SPEC, at={"H": 96, "W": 128})
    randomise(features)
    with torch.no_grad():
        found, wanted = features(2 * content - 1), features(2 * style - 1)
    goals = {f"{name}_goal": wanted[name] for name in ("style1", "style2", "style3")}
    goals["content_goal"] = found["content"]

    model = netspec.build(SPEC, phase="train", at={"H": 96, "W": 128})
    model.load_state_dict(features.state_dict())
    image = (2 * content - 1).requires_grad_()  # what is learned is the image
    optimiser = torch.optim.Adam([image], lr=0.05)
    losses = []
    for step in range(steps):
        optimiser.zero_grad()
        found = model(image, **goals)
        found["loss"].backward()
        optimiser.step()
        losses.append(sum(found[f"style{i}_loss"].item() for i in (1, 2, 3)))
        if step % 10 == 9:
            print(f"step {step + 1}: style {losses[-1]:.5f}, content {found['content_loss']:.0f}")

    if picture:
        save(picture, grid([content[0], style[0], (image[0] + 1) / 2], columns=3, zoom=2))
    print(f"the style loss fell by a factor of {losses[0] / losses[-1]:.0f}")
    return losses[0] / losses[-1]


if __name__ == "__main__":
    main(picture=picture_option())
