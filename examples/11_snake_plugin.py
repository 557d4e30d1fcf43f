"""Use a layer type that another package brings: continue a wave beyond what was seen of it.

`pip install examples/plugin` first. Its four small files are all it takes to add a layer type (one
file), its PyTorch module (one file) and a backend as a command (`netspec table SPEC`).
"""

from pathlib import Path

import torch

import netspec

SPEC = Path(__file__).parent / "plugin" / "snake.yaml"


def main(steps: int = 1500) -> float:
    """Return the mean error beyond the seen part, beside the wave's own mean size."""
    torch.manual_seed(0)
    x = torch.linspace(-15, 15, 600)[:, None]
    y = x.sin()
    seen = x.abs() < 10
    model = netspec.build(SPEC)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)
    for step in range(steps):
        optimiser.zero_grad()
        loss = (model(x) - y)[seen].square().mean()
        loss.backward()
        optimiser.step()
        if step % 500 == 499:
            print(f"step {step + 1}: loss {loss.item():.6f}")
    with torch.no_grad():
        error = ((model(x) - y)[~seen].abs().mean() / y[~seen].abs().mean()).item()
    print(f"error beyond the seen part: {error:.1%} of the wave")
    return error


if __name__ == "__main__":
    main()
