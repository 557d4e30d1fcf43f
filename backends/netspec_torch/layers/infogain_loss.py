"""InfogainLoss in torch."""

from __future__ import annotations

import math
import os
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from netspec.diagnostics import Report
from netspec.document import BYTES, read_bytes
from netspec.expand import within
from netspec.graph import Node
from netspec.importers import wire
from netspec.layer import canonical_axis

from ..lowering import Lowered, Refused, function, module, unless
from .softmax_with_loss import counted, divisor


def infogain_loss(x, label, matrix, axis=1, norm="VALID", ignore_label=None, both=False):
    """Return the mean of -sum of H[label] * log p over the labels that are not ignored.

    As in Caffe p counts as at least 1e-20, and the gradient is not cut there.
    """
    score = F.log_softmax(x, axis).movedim(axis, -1)
    score = score + (score.detach().clamp(min=math.log(1e-20)) - score.detach())
    label = label.long().reshape(score.shape[:-1])
    kept = counted(label, ignore_label)
    rows = matrix.reshape(score.shape[-1], -1)[label.where(kept, 0)]
    loss = -(rows * score).sum(-1).where(kept, 0).sum()
    loss = loss / divisor(kept, math.prod(x.shape[:axis]), norm)
    return (loss, F.softmax(x, axis)) if both else loss


infogain_loss.uses = (counted, divisor)


class StoredInfogainLoss(nn.Module):
    """An infogain loss whose matrix was read from a file."""

    def __init__(self, matrix, **how):
        super().__init__()
        self.register_buffer("matrix", torch.tensor(matrix), persistent=False)
        self.how = how

    def forward(self, x, label):
        """Return the loss, and the probabilities where they are asked for."""
        return infogain_loss(x, label, self.matrix, **self.how)


StoredInfogainLoss.uses = (infogain_loss,)


def lower(node: Node) -> Lowered:
    """Return the loss as a function of scores, labels and H."""
    layer, x = node.layer, node.bottoms[0].blob
    axis = canonical_axis(layer, "axis", x)
    how = {
        "axis": unless(axis, 1),
        "norm": unless(layer.norm, "VALID"),
        "ignore_label": layer.ignore_label,
        "both": True if len(node.tops) == 2 else None,
    }
    if len(node.bottoms) == 2:
        return module(StoredInfogainLoss, stored(node, x.shape[axis]), **how)
    return function(infogain_loss, **how)


MOST = 65_536  # numbers of H that become source


def stored(node: Node, classes: Any) -> list[float]:
    """Return H, flat, from the file `source`, which lies in the spec's folder or below."""
    folder = os.path.dirname(os.path.abspath(node.place.document.source.name))
    path = within(folder, folder, node.layer.source_)
    if path is None:
        raise Refused("the file of H leaves the folder of the spec")
    if not os.path.isfile(path):
        raise Refused("the file of H is not there: give H as a third bottom")
    values = wire.blob(path, read_bytes(path, Report(), BYTES)).data
    if len(values) != classes * classes:
        raise Refused(f"the file of H has {len(values)} numbers, not {classes} x {classes}")
    if len(values) > MOST:
        raise Refused(f"the file of H has more than {MOST} numbers: give it as a third bottom")
    return [float(f"{value:.9g}") for value in values]  # as many digits as a float32 has
