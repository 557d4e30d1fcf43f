"""What forks of Caffe call things that the layer types here have under another name."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..layer import Layer

# how to compute, not what
IGNORED = frozenset((
    "engine", "force_nd_im2col", "debug_info", "mem_param", "default_forward_type",
    "default_backward_type", "default_forward_math", "default_backward_math", "conv_algos_override",
    "axis_specified", "share_in_parallel", "save_output_param", "visualize",
    "visualize_threshold", "save_file",
))  # fmt: skip


def type_of(values: dict[str, Any], find: Callable[[str], type[Layer] | None]) -> str:
    """Return the layer type of a layer, as the catalogue here calls it."""
    return str(values.get("type") or "")


def message_of(cls: type[Layer], key: str) -> tuple[str, str]:
    """Return the message of a layer type that a message of a prototxt stands for."""
    return key, key


def fields_of(
    cls: type[Layer], message: str, field: str, value: Any, around: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a layer type that one field of a prototxt stands for."""
    yield field, value
