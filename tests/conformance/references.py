"""Reference modules that are not ours, and how to make them importable beside a CPU torch."""

from __future__ import annotations

import pytest
import torch


def torchvision():
    """Return torchvision; its Python models run without its compiled ops."""
    try:
        lib = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            lib.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        torchvision.lib = lib  # the definitions live as long as this
    except RuntimeError:
        pass  # a build with compiled ops has them
    return pytest.importorskip("torchvision")


def pytorchcv(name: str):
    """Return a pytorchcv model without weights."""
    provider = pytest.importorskip("pytorchcv.model_provider")
    return provider.get_model(name)


def randomise(model: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Give every weight and statistic a value that keeps deep nets in range."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if not tensor.is_floating_point():
                continue
            noise = torch.randn(tensor.shape, generator=generator)
            if name.endswith("running_var"):
                tensor.copy_(0.5 + noise.abs())
            elif tensor.dim() > 1:
                tensor.copy_(noise * (2 / tensor[0].numel()) ** 0.5)
            elif name.endswith("weight"):
                tensor.copy_(1 + 0.1 * noise)
            else:
                tensor.copy_(0.1 * noise)
    return model


def copy_in_order(target: torch.nn.Module, source: torch.nn.Module) -> None:
    """Copy weights by their order in the state dicts; the shapes must agree one by one."""
    theirs = [(k, v) for k, v in source.state_dict().items() if "num_batches" not in k]
    ours = [(k, v) for k, v in target.state_dict().items() if "num_batches" not in k]
    assert len(ours) == len(theirs)
    with torch.no_grad():
        for (name, tensor), (other, value) in zip(ours, theirs, strict=True):
            assert tensor.numel() == value.numel(), (name, tensor.shape, other, value.shape)
            tensor.copy_(value.view(tensor.shape))


def close(ours: torch.Tensor, theirs: torch.Tensor, tolerance: float = 1e-5) -> None:
    """Assert a largest difference below `tolerance` of the largest value."""
    assert ours.shape == theirs.shape
    difference = (ours - theirs).abs().max().item()
    assert difference <= tolerance * theirs.abs().max().item() + 1e-12, difference
