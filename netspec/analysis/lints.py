"""Lints: what is legal in a net, and seldom meant."""

from __future__ import annotations

from .. import codes
from ..diagnostics import Report
from .cost import total
from .gradients import Gradients, given, passing
from .receptive_field import TRANSPOSED, fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..blob import Blob
    from ..diagnostics import Code, Diagnostic, Related
    from ..graph import Node, Value
    from ..net import Net
    from ..text import Span

# what takes the mean of each channel away, and any offset with it
CENTRING = frozenset({"BatchNorm", "BN", "ConditionalBatchNorm", "InstanceNorm", "MVN"})
# losses that squash their scores themselves, with the layer that does the same
SQUASHING = {
    "SoftmaxWithLoss": "Softmax", "CrossEntropyLoss": "Softmax", "InfogainLoss": "Softmax",
    "SigmoidCrossEntropyLoss": "Sigmoid", "FocalLoss": "Sigmoid",
}  # fmt: skip
# types whose weight_filler is Caffe's FillerParameter: 0 unless it says otherwise
ZEROED = frozenset({"Convolution", "Deconvolution", "Embed", "InnerProduct", "LSTM", "RNN"})
KERNELS = ("kernel_size", "kernel_h", "kernel_w", "kernel_depth")
STRIDES = ("stride", "stride_h", "stride_w", "stride_depth")


def lints(net: Net) -> list[Diagnostic]:
    """Return the warnings about a net, by place. Each rule goes over the layers once or twice."""
    report = Report()
    gradients = Gradients(net)
    outputs = {id(value) for value in net.flat.outputs.values()}
    for node in net.flat.nodes:
        if not any(id(top) in outputs for top in node.tops):
            _cancelled(node, report)
            _unscaled(node, report)
        for rule in (_skipping, _checkered, _squashed):
            rule(node, report)
    _unproductive(net, report)
    _dropped(net, report)
    _unused(net, gradients, report)
    if gradients.happens:
        _zeros(net, gradients, report)
        _untrained(net, gradients, report)
        _teaching(net, gradients, report)
        _half_frozen(net, report)
    return report.ordered()


def _blobs(node: Node) -> list[Blob]:
    return [value.blob for value in node.bottoms if value.blob is not None]


def _learns(node: Node) -> bool:
    return any(weight.trainable for weight in node.weights)


def _say(
    report: Report, code: type[Code], node: Node, span: Span, related: Related = (), **facts: Any
) -> None:
    """Report a lint about a layer; of one in a block, with the uses of the block."""
    uses = [(place.span("name"), "used here") for place in reversed(node.origin)]
    report.add(code, span, (*related, *uses), layer=node.name, **facts)


def _where(node: Node, *names: str) -> Span:
    """Return the place of the first of some params that is given; of the layer's name else."""
    layer = node.layer
    for name in names:
        if name in layer.given:
            declared = layer.params[name]
            return node.place.span(declared.message or layer.message, declared.field)
    return node.place.span("name")


def _named(node: Node, label: str) -> tuple[Span, str]:
    return node.place.span("name"), label


def _by(extents: Sequence[Any]) -> str:
    return "x".join(map(str, extents))


# one layer and its neighbours


def _cancelled(node: Node, report: Report) -> None:
    """Report a bias whose only reader subtracts the mean of each channel."""
    if node.layer.family not in ("convolution", "dense") or getattr(node.layer, "axis", 1) != 1:
        return
    bias = next((weight for weight in node.weights if weight.name == "bias"), None)
    (top,) = node.tops if len(node.tops) == 1 else (None,)
    if bias is None or not bias.trainable or top is None or not top.readers:
        return
    if all(_centres(reader) for reader in top.readers):
        reader = top.readers[0]
        _say(
            report, codes.BiasBeforeNorm, node, _where(node, "bias_term"),
            [_named(reader, "takes them away")], count=bias.size, reader=reader.name,
        )  # fmt: skip


def _centres(node: Node) -> bool:
    """Return whether a layer subtracts the mean of what it reads, channel by channel."""
    layer = node.layer
    fixed = (
        node.frozen
        or getattr(layer, "use_global_stats", None)
        or getattr(layer, "frozen", False)
        or getattr(layer, "bn_mode", "LEARN") != "LEARN"
    )
    return node.type in CENTRING and not fixed and not getattr(layer, "across_channels", False)


def _unscaled(node: Node, report: Report) -> None:
    """Report a BatchNorm whose result an activation or a sum reads as it is."""
    if node.type != "BatchNorm" or node.weights:
        return
    for reader in node.tops[0].readers:
        if reader.layer.family == "activation" or reader.type == "Eltwise":
            _say(
                report, codes.NormWithoutScale, node, node.place.span("name"),
                [_named(reader, "reads it")], channels=_blobs(node)[0].channels,
                reader=reader.name,
            )  # fmt: skip
            return


def _skipping(node: Node, report: Report) -> None:
    """Report windows with gaps between them; of one element they are a way to subsample."""
    if node.layer.family not in ("convolution", "pooling") or node.type in TRANSPOSED:
        return
    window = node.layer.window(*_blobs(node))
    top = node.tops[0].blob
    if window is None or top is None:
        return
    for axis, (extent, step) in enumerate(zip(window.extent, window.stride, strict=True)):
        if type(extent) is int and 1 < extent < step and top.shape[axis - len(window.kernel)] != 1:
            _say(
                report, codes.SkippedElements, node, _where(node, *STRIDES), stride=step,
                extent=_by(window.extent), skipped=step - extent,
                hint=f"a stride of {extent}, or a window of {step}",
            )  # fmt: skip
            return


def _checkered(node: Node, report: Report) -> None:
    """Report a learned transposed window whose copies overlap unevenly."""
    if node.type not in TRANSPOSED or not _learns(node):
        return
    filler = getattr(node.layer, "weight_filler", None) or {}
    window = node.layer.window(*_blobs(node))
    if window is None or filler.get("type") == "bilinear":
        return
    for kernel, step, holes in zip(window.kernel, window.stride, window.dilation, strict=True):
        if kernel % step and holes == 1:
            few = kernel // step
            sizes = [str(count * step) for count in (few, few + 1) if count]
            _say(
                report, codes.Checkerboard, node, _where(node, *KERNELS), kernel=kernel,
                stride=step, few=few, many=few + 1, hint=f"a kernel of {' or '.join(sizes)}",
            )  # fmt: skip
            return


def _squashed(node: Node, report: Report) -> None:
    """Report a loss of scores that gets probabilities."""
    maker = node.bottoms[0].maker if node.bottoms else None
    if maker is None or maker.type != SQUASHING.get(node.type):
        return
    span = node.place.span("name")
    if "bottom" in node.entry:
        span = node.place.span("bottom", 0)
    hint = f"let `{node.name}` read `{maker.bottoms[0].name}`"
    _say(
        report, codes.SquashedTwice, node, span, [_named(maker, "the first one")],
        maker=maker.name, what=maker.type.lower(),
        hint=f"leave `{maker.name}` out" if maker.in_place else hint,
    )  # fmt: skip


# the whole net


def _unproductive(net: Net, report: Report) -> None:
    """Report the first window over elements that see all of the input already.

    Of branches that meet the smallest field counts: the others may be what is of use.
    Source: Richter et al., arXiv 2106.12307.
    """
    found = fields(net, min)
    inputs: dict[int, Value] = {id(value): value for value in net.flat.inputs.values()}
    late = []
    for node in net.flat.nodes:
        sources = {inputs.get(id(value)) for value in node.bottoms}
        source = sources.pop() if len(sources) == 1 else None
        if source is not None:
            inputs.update((id(top), source) for top in node.tops)
        elif node.layer.source:
            inputs.update((id(top), top) for top in node.tops)
        if source is None or node.layer.family != "convolution" or node.type in TRANSPOSED:
            continue
        field, window = found[id(node.bottoms[0])], node.layer.window(*_blobs(node))
        if field is None or window is None or max(window.extent, default=1) == 1:
            continue
        image = source.blob.spatial if source.blob is not None else ()
        if len(image) == len(field.size) and all(
            type(extent) is int and seen > extent
            for seen, extent in zip(field.size, image, strict=True)
        ):
            late.append((node, field, window, source))
    if late:
        node, field, window, source = late[0]
        size = _by(source.blob.spatial) if source.blob is not None else ""
        more = f" ({len(late) - 1} more like it)" if len(late) > 1 else ""
        _say(
            report, codes.Unproductive, node, node.place.span("name"), window=_by(window.extent),
            blob=node.bottoms[0].name, seen=_by(field.size), size=size, input=source.name,
            hint=f"fewer such layers, smaller strides before them, or a larger input{more}",
        )  # fmt: skip


def _dropped(net: Net, report: Report) -> None:
    """Report a Dropout with weights before it, and none after it."""
    bare: set[int] = set()  # layers from which one way leads on, and past no weights
    for node in reversed(net.flat.nodes):
        alone = len(node.bottoms) == 1 or node.layer.family == "loss"
        after = (id(reader) in bare for top in node.tops for reader in top.readers)
        if alone and not node.weights and all(after):
            bare.add(id(node))
    before: dict[int, Node] = {}  # the layer with weights that a value is made of
    for node in net.flat.nodes:
        last = before.get(id(node.bottoms[0])) if len(node.bottoms) == 1 else None
        last = node if node.weights else last
        if last is None:
            continue
        before.update((id(top), last) for top in node.tops)
        if node.type != "Dropout" or id(node) not in bare:
            continue
        if node.tops[0].readers or last.layer.family == "dense":
            _say(
                report, codes.DropoutLast, node, node.place.span("name"),
                [_named(last, "the last layer with weights")], last=last.name,
                hint=f"put it before `{last.name}`",
            )  # fmt: skip


def _unused(net: Net, gradients: Gradients, report: Report) -> None:
    """Report a layer whose tops nobody asks for; without `outputs` every unread blob is one."""
    if net.spec.outputs is None:
        return
    wanted = {id(value) for value in net.flat.outputs.values()} | set(gradients.losses)
    for node in net.flat.nodes:
        if node.tops and not node.layer.source and not any(
            top.readers or id(top) in wanted for top in node.tops
        ):  # fmt: skip
            _say(
                report, codes.UnusedLayer, node, node.place.span("name"),
                blob=node.tops[0].name, shape=str(node.tops[0].blob) or "a scalar",
            )  # fmt: skip


# training


def _zeros(net: Net, gradients: Gradients, report: Report) -> None:
    """Report a weight at 0 that reads only what another weight at 0 makes."""
    zero = {id(node) for node in net.flat.nodes if _starts_at_zero(node, gradients)}
    if len(zero) < 2:
        return
    clear = set(gradients.ends)  # values with a way to a loss past no such weight
    for node in reversed(net.flat.nodes):
        if id(node) not in zero and any(id(top) in clear for top in given(node)):
            clear.update(id(value) for value in passing(node))
    behind: dict[int, Node] = {}  # the last such layer on every way to a value
    pairs = []
    for node in net.flat.nodes:
        found = [behind.get(id(value)) for value in node.bottoms]
        first = found[0] if found and all(found) else None
        second = id(node) in zero and gradients.reaches(node)
        if second and first is not None and id(first.tops[0]) not in clear:
            pairs.append((node, first))
        last = node if id(node) in zero else first
        if last is not None:
            behind.update((id(top), last) for top in node.tops)
    if pairs:
        node, first = pairs[0]
        hint = "a `weight_filler` of type `xavier` in one of them"
        if len(pairs) > 1:
            hint = f"a `weight_filler` of type `xavier` in each ({len(pairs) - 1} more like it)"
        _say(
            report, codes.ZeroStart, node, _where(node, "weight_filler"),
            [(_where(first, "weight_filler"), "the other one")], other=first.name, hint=hint,
        )  # fmt: skip


def _starts_at_zero(node: Node, gradients: Gradients) -> bool:
    """Return whether the matrix or the filters of a layer start at 0, here or in Caffe.

    A prototxt without fillers is what Caffe deploys, unless it has a loss.
    """
    weight = next(iter(node.weights), None)
    if weight is None or len(weight.shape) < 2 or not weight.trainable:
        return False
    if weight.filler is None:
        caffe = getattr(node.place.document, "format", "") and gradients.losses
        return bool(caffe) and node.type in ZEROED
    return weight.filler.get("type", "constant") == "constant" and not weight.filler.get("value")


def _untrained(net: Net, gradients: Gradients, report: Report) -> None:
    """Report a layer with weights to learn whose tops no loss depends on."""
    if not gradients.losses:
        return
    taught = set()
    for node in net.flat.nodes:
        if gradients.reaches(node):
            taught |= {id(node), *(id(weight.owner[0]) for weight in node.weights if weight.owner)}
    for node in net.flat.nodes:
        owners = {id(weight.owner[0]) for weight in node.weights if weight.owner}
        if _learns(node) and id(node) not in taught and not owners & taught:
            count = total(weight.size for weight in node.weights if weight.trainable)
            _say(
                report, codes.NoLossReads, node, node.place.span("name"), count=count,
                blob=node.tops[0].name if node.tops else "",
            )  # fmt: skip


def _teaching(net: Net, gradients: Gradients, report: Report) -> None:
    """Report a loss that changes no weight."""
    frozen: dict[int, Node] = {}  # a layer with weights among those that make a value
    learned: set[int] = set()  # values made by weights that learn
    wrong = []
    for node in net.flat.nodes:
        read = [id(value) for value in passing(node)]
        kept = next((frozen[value] for value in read if value in frozen), None)
        kept = node if node.weights else kept
        learns = _learns(node) or any(value in learned for value in read)
        if learns:
            learned.update(id(top) for top in given(node))
        elif kept is not None:
            frozen.update((id(top), kept) for top in given(node))
        wrong += [(node, kept) for top in node.tops
                  if id(top) in gradients.losses and id(top) not in learned]  # fmt: skip
    image = any(id(value) in gradients.reached for value in net.flat.inputs.values())
    if image and not any(map(_learns, net.flat.nodes)):
        return  # all is frozen, and an input is what the losses are to change
    for node, kept in wrong:
        reason = "every weight before it is frozen" if kept else "no layer before it has weights"
        _say(
            report, codes.LossTeachesNothing, node, node.place.span("name"),
            [(_param(kept), "frozen")] if kept else [], reason=reason,
        )  # fmt: skip


def _half_frozen(net: Net, report: Report) -> None:
    """Report a layer that learns in place, over the top of one that is frozen."""
    frozen: dict[int, Node] = {}
    for node in net.flat.nodes:
        if node.in_place:
            below = frozen.get(id(node.bottoms[0]))
            if below is None:
                continue
            if _learns(node):
                count = total(weight.size for weight in node.weights if weight.trainable)
                _say(
                    report, codes.LearnsInPlace, node, _param(node),
                    [(_param(below), "frozen")], below=below.name, count=count,
                    blob=node.bottoms[0].name,
                )  # fmt: skip
            else:
                frozen[id(node.tops[0])] = below
        elif node.weights and not _learns(node):
            frozen.update((id(top), node) for top in node.tops)


def _param(node: Node) -> Span:
    return node.place.span("param" if "param" in node.entry else "name")
