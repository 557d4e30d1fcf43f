"""Compare what netspec says of a net with what PyTorch makes of it, one by one."""

from __future__ import annotations

import os
import tempfile
from math import prod

import torch

import netspec
from netspec.dim import Dim
from netspec_torch import eager

FOLDER = "/dev/shm" if os.path.isdir("/dev/shm") else tempfile.gettempdir()


class Refusal(Exception):
    """The backend cannot build the net, and says why."""


class Mismatch(AssertionError):
    """What netspec says and what is so differ."""


def load(text, name="net", **options):
    """Load a spec from text, through a file as a user would."""
    path = os.path.join(FOLDER, f"netspec-{os.getpid()}-{name}.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    try:
        return netspec.load(path, **options)
    finally:
        os.remove(path)


def data(blob, kind, limit, generator):
    """Return a tensor of the kind a layer may read: indices in range, regions in the batch."""
    shape = [int(extent) for extent in blob.shape]
    if kind == "index":
        made = torch.randint(0, limit, shape, generator=generator)
    elif kind == "bits":
        made = torch.randint(0, 2, shape, generator=generator)
    elif kind == "constant":
        made = torch.full(shape, limit)
    elif kind == "zeros":
        made = torch.zeros(shape)
    elif kind == "ones":
        made = torch.ones(shape)
    elif kind == "rois":
        made = torch.rand(shape, generator=generator) * 9
        made.view(shape[0], 5)[:, 0] = torch.randint(0, limit, shape[:1], generator=generator)
    elif kind == "image":
        made = torch.tensor([32.0, 24.0, 1.0]).expand(shape).clone()
    elif kind == "boxes":
        made = torch.rand(shape, generator=generator).view(-1, 2, 2).cumsum(1).reshape(shape)
    elif kind == "truth":
        made = torch.rand(shape, generator=generator)
        made[..., 0] = torch.randint(-1, limit, shape[:3], generator=generator)
        made[..., 1] = 0
    else:
        made = torch.randn(shape, generator=generator)
    return made.to(getattr(torch, blob.dtype))


def check(graph, seed=0, phase="test"):
    """Raise Mismatch where load, build or either mode of the module disagrees with the net."""
    text = graph.text(graph.sizes())
    try:
        net = load(text, phase=phase)
    except netspec.SpecError as refused:
        raise Mismatch(f"a legal net was refused: {refused}\n{text}") from None
    if net.conditions or net.fits:
        raise Mismatch(f"a net of known sizes has conditions: {net.conditions}\n{text}")
    said = {top.blob: top for layer in net.layers for top in layer.tops}
    for name, blob in graph.blobs.items():
        top = said.get(name)
        if top is not None and (tuple(top.shape), top.dtype) != (blob.shape, blob.dtype):
            raise Mismatch(f"{name} is {blob.shape} {blob.dtype}, and {top} was inferred\n{text}")
    generator = torch.Generator().manual_seed(seed)
    kinds = {blob.name: (blob, kind, limit) for blob, kind, limit in graph.inputs}
    feed = [data(*kinds[name], generator) for name in net.inputs]
    try:
        run(net, feed, text)
    except Refusal as refusal:
        raise Mismatch(f"the backend refused it: {refusal}\n{text}") from None
    return net


def run(net, feed, text="", modes=("eval", "train")):
    """Build a net, run it in both modes, and compare tensors, weights and buffers."""
    try:
        model = eager(net, outputs="all")
    except netspec.SpecError as refused:
        reasons = [str(each.facts.get("reason")) for each in refused.diagnostics]
        raise Refusal("; ".join(reasons)) from None
    except Exception as error:
        raise Mismatch(f"build raised {error!r}\n{text}") from error
    same_weights(net, model, text)
    said = {top.blob: top for layer in net.layers for top in layer.tops}
    for mode in modes:
        try:
            found = step(model.train(mode == "train"), feed)
        except Exception as error:
            raise Mismatch(f"{mode} raised {type(error).__name__}: {error}\n{text}") from error
        if isinstance(found, torch.Tensor):
            found = dict.fromkeys(said, found)
        for name, top in said.items():
            tensor = found[name]
            ran = tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")
            if ran != (tuple(top.shape), top.dtype):
                raise Mismatch(f"{mode}: {name} is {ran}, and {top} was inferred\n{text}")


def step(model, feed):
    """Return what a module makes; in train mode a gradient also goes back, as far as it can."""
    feed = [tensor.clone() for tensor in feed]
    if not model.training:
        with torch.no_grad():
            return model(*feed)
    found = model(*(each.requires_grad_(each.is_floating_point()) for each in feed))
    tops = [found] if isinstance(found, torch.Tensor) else found.values()
    graded = [top.sum() for top in tops if top.requires_grad]
    if graded:
        sum(graded).backward()
    return found


def same_weights(net, model, text):
    """Compare every weight and every buffer: its name, shape, and which of both it is."""
    learned = {
        f"{layer.name}.{w.name}": tuple(w.shape) for layer in net.layers for w in layer.weights
    }
    state = {f"{layer.name}.{w.name}": tuple(w.shape) for layer in net.layers for w in layer.state}
    ours = dict(model.named_parameters())
    saved = {
        name: tuple(tensor.shape)
        for name, tensor in model.state_dict().items()
        if name not in ours and not name.endswith(".num_batches_tracked")  # a counter of torch's
    }
    theirs = {name: tuple(tensor.shape) for name, tensor in ours.items()}
    for said, found in ((learned, theirs), (state, saved)):
        if said != found:
            raise Mismatch(f"weights {said} were said, and made were {found}\n{text}")
    total = sum(prod(shape) for shape in theirs.values())
    if net.params.total != total:
        raise Mismatch(f"{net.params.total} weights were said, and made were {total}\n{text}")


def value(size, sizes):
    return size.at(sizes) if isinstance(size, Dim) else size


def tensors(layer, sizes):
    """Return names and shapes of weights and state.

    Attention has one matrix where its bottoms have equal features, else three; symbols that are
    equal at some sizes only have three. Either way they have as many elements.
    """
    found = [(w.name, [value(e, sizes) for e in w.shape]) for w in (*layer.weights, *layer.state)]
    if layer.type != "MultiHeadAttention":
        return found
    projections = sum(prod(shape) for name, shape in found if name.endswith("proj_weight"))
    return projections, [each for each in found if not each[0].endswith("proj_weight")]


def facts(net, sizes):
    """Return all that is said of a net, its symbols replaced by numbers."""
    return {
        layer.name: (
            [(top.blob, [value(e, sizes) for e in top.shape], top.dtype) for top in layer.tops],
            tensors(layer, sizes),
            value(layer.macs, sizes),
        )
        for layer in net.layers
    }


def twin(graph, draw, tries=6):
    """Raise Mismatch where the net with symbols and nets of numbers say different things.

    At the sizes the net was made for, and at random ones, the symbolic net must hold exactly where
    the net of those numbers is accepted, and say the same of it. Returns what it could compare.
    """
    if not graph.symbols:
        return 0
    text = graph.text()
    try:
        net = load(text, "twin")
    except netspec.SpecError as refused:
        if graph.overhangs or all(early(each, graph) for each in refused.diagnostics):
            return 0
        raise Mismatch(f"legal at {graph.symbols}, but refused: {refused}\n{text}") from None
    compared = 0
    picks = [dict(graph.symbols)]
    for _ in range(tries):
        picks.append(
            {
                name: draw.choice((own, own, 1, 2, 3, 5, 8, 13, 21, own + 1, 2 * own))
                for name, own in graph.symbols.items()
            }
        )
    for condition in net.conditions:
        picks.append(graph.symbols | condition.counterexample)
    for sizes in picks:
        if any(n < 1 for n in sizes.values()):
            continue
        fits = [fit for fit in net.fits if value(fit, sizes) < 1]
        wrong = [
            condition.text
            for condition in net.conditions
            if value(condition.size, sizes) != value(condition.other, sizes)
        ]
        numbers = graph.text(sizes)
        try:
            exact = load(numbers, "exact")
        except netspec.SpecError as refused:
            if fits or wrong:
                continue
            raise Mismatch(f"{sizes} is said to fit, but: {refused}\n{text}") from None
        if fits and overhangs(net, sizes):
            continue
        if wrong and graph.repeats:
            continue  # in symbols no extent is taken for the 1 that Eltwise repeats
        if fits or wrong:
            raise Mismatch(f"{sizes} fits, but is said not to: {fits}, {wrong}\n{text}")
        said, found = facts(net, sizes), facts(exact, {})
        if said != found:
            pairs = [(n, said[n], found[n]) for n in said if said[n] != found[n]]
            raise Mismatch(f"at {sizes}: said and found: {pairs}\n{text}")
        compared += 1
    return compared


def early(diagnostic, graph):
    """Return whether a param that must divide a number of channels is refused for a symbolic one.

    Nobody can say whether it does; the same net with a number there may be right.
    """
    named = any(symbol in diagnostic.message for symbol in graph.symbols)
    return diagnostic.code.id in ("E401", "E413") and named


SLIDING = {
    "Convolution", "DepthwiseConvolution", "ConvolutionDepthwise", "SeparableConvolution",
    "LocallyConnected", "Im2col",
}  # fmt: skip


def overhangs(net, sizes):
    """Return whether a window of a convolution is larger than what it slides over at these sizes.

    Such a window counts once where numbers are known (C++ cuts the quotient towards zero); in
    symbols the rule is the floor alone, which leaves these few sizes out.
    """
    return any(
        layer.type in SLIDING and any(value(e, sizes) == 0 for e in layer.tops[0].shape)
        for layer in net.layers
    )
