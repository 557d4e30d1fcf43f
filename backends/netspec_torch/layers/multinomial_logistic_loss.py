"""MultinomialLogisticLoss in torch."""

from __future__ import annotations

import torch

from netspec.graph import Node

from ..lowering import Lowered, function


def multinomial_logistic_loss(p, label):
    """Return the mean of -log(p[label]); p counts as at least 1e-20, in the gradient too."""
    p = p.reshape(p.shape[0], -1).gather(1, label.long().reshape(-1, 1))
    floor = p.detach().clamp(min=1e-20)
    return -(torch.log(floor) + (p - p.detach()) / floor).sum() / p.shape[0]


def lower(node: Node) -> Lowered:
    """Return the loss as a function of probabilities and labels."""
    return function(multinomial_logistic_loss)
