"""What forks of Caffe say in their own way."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .prototxt import Message

# how to compute, what to keep for later, what to show: not what is computed
IGNORED = frozenset((
    "engine", "force_nd_im2col", "debug_info", "mem_param", "default_forward_type",
    "default_backward_type", "default_forward_math", "default_backward_math", "conv_algos_override",
    "axis_specified", "share_in_parallel", "save_output_param", "visualize",
    "visualize_threshold", "save_file",
))  # fmt: skip

# fields of pooling that BVLC's Caffe has once, and naibaf7's, which has dilation, for each axis
REPEATED = ("kernel_size", "stride", "pad")

# types that have another name here: a name is told from others without its case
TYPES = {"Lstm": "ClippedLSTM"}


def repeats(type: str, field: str, message: Message) -> bool:
    """Return whether a message is of a fork in which a field may have several values."""
    return type == "PoolingParameter" and field in REPEATED and bool(message.named("dilation"))


def complete(entry: dict[str, Any]) -> None:
    """Add to an entry what a fork leaves to be understood.

    NVIDIA's BatchNorm has a factor and an offset where it is told how they start.
    """
    if entry["type"] == "BatchNorm":
        params = entry.get("batch_norm_param", {})
        if "scale_filler" in params or "bias_filler" in params:
            params.setdefault("scale_bias", True)
