"""A built ResNet beside torchvision's: time of a step, and peak memory of activations."""

from __future__ import annotations

import statistics
import sys
import time

from paired import ROOT

sys.path[:0] = [ROOT, f"{ROOT}/backends", f"{ROOT}/tests/conformance"]

import torch
from references import torchvision
from torch.utils._python_dispatch import TorchDispatchMode

import netspec


class Peak(TorchDispatchMode):
    """Follow the bytes of live storages that operators make."""

    def __init__(self) -> None:
        super().__init__()
        self.live: dict[int, int] = {}
        self.now = self.peak = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Count what one operator allocates, until it is freed."""
        import weakref

        found = func(*args, **(kwargs or {}))
        for tensor in found if isinstance(found, tuple | list) else [found]:
            if isinstance(tensor, torch.Tensor):
                storage = tensor.untyped_storage()
                key = storage._cdata
                if key not in self.live:
                    self.live[key] = storage.nbytes()
                    self.now += storage.nbytes()
                    self.peak = max(self.peak, self.now)
                    weakref.finalize(storage, self.free, key)
        return found

    def free(self, key: int) -> None:
        """Count a storage as gone."""
        self.now -= self.live.pop(key, 0)


def peak(model: torch.nn.Module, x: torch.Tensor) -> float:
    """Return the peak MiB of a forward pass without gradients."""
    with torch.no_grad(), Peak() as found:
        model(x)
    return found.peak / 2**20


def step(model: torch.nn.Module, x: torch.Tensor, train: bool) -> float:
    """Return the CPU seconds of one pass."""
    start = time.process_time()
    if train:
        model(x).square().mean().backward()
    else:
        with torch.no_grad():
            model(x)
    return time.process_time() - start


def main() -> None:
    """Print ratios of ours to torchvision's."""
    torch.set_num_threads(1)
    for name in ("resnet18", "resnet50"):
        theirs = getattr(torchvision().models, name)(weights=None)
        ours = netspec.build(f"zoo:{name}", phase="train")
        ours.load_state_dict(theirs.state_dict())
        x = torch.randn(4, 3, 224, 224)
        memory = [peak(model.eval(), x) for model in (ours, theirs)]
        print(
            f"{name} no-grad peak MiB   {memory[0]:.1f} / {memory[1]:.1f}"
            f" = {memory[0] / memory[1]:.3f}"
        )
        small = torch.randn(2, 3, 32, 32)
        for train in (False, True):
            for model in (ours, theirs):
                model.train(train)
                step(model, small, train)
            pairs = [(step(ours, small, train), step(theirs, small, train)) for _ in range(15)]
            ratio = statistics.median(a / b for a, b in pairs)
            print(
                f"{name} {'train' if train else 'eval '} step CPU     "
                f"{ratio:.3f} of the hand-written"
            )


if __name__ == "__main__":
    main()
