"""Every facts case built by the torch backend: its shapes, and the weights it holds."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import netspec
from netspec.compare import smallest
from tests.test_layers import CASES, at, holds, load, spec

ACCEPTED = [case for case in CASES if "rejects" not in case.values[1]]
NOT_BUILT = {  # the stem, and what its params must hold for a refusal: always, where empty
    "hdf5_output": "",
    "infogain_loss": "'source'",
    "python": "",
}
# what they do depends on the values of their bottoms, which tensors without storage do not have
VALUES_DECIDE = {"ctc_loss", "filter", "multi_box_loss"}


def sizes(net: Any) -> dict[str, int]:
    """Return small sizes at which a net fits, and meets its conditions."""
    low = smallest(net.fits) or {}
    for size in (*range(2, 64), 1):  # normalisation needs more than one element
        found = {name: max(least, size) for name, least in low.items()}
        fits = all(at(fit, found) >= 1 for fit in net.fits)
        if fits and all(holds(condition, found) for condition in net.conditions):
            return found
    raise AssertionError("no small size fits")


@pytest.mark.parametrize(("stem", "fact"), ACCEPTED)
def test_torch_makes_what_was_inferred(stem: str, fact: dict[str, Any], tmp_path: Any) -> None:
    document = spec(stem, fact)
    path = tmp_path / "net.yaml"
    net = load(path, document)
    net = load(path, document, sizes(net))
    if NOT_BUILT.get(stem, "no such params") in str(fact.get("params", "")):
        with pytest.raises(netspec.SpecError, match="E501"):
            netspec.build(net)
        return
    if stem in VALUES_DECIDE:
        pytest.skip("the values of its bottoms decide")
    with torch.device("meta"):
        model = netspec.build(net, outputs="all", init=False)
        made = model(
            *(
                torch.ones(blob.shape, dtype=getattr(torch, blob.dtype))
                for blob in net.inputs.values()
            )
        )
    (layer,) = net.layers
    tops = {top.blob: top for top in layer.tops}
    made = made if isinstance(made, dict) else dict.fromkeys(tops, made)
    for name, blob in made.items():
        if name in tops:
            assert tuple(blob.shape) == tops[name].shape, name
    held = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    wanted = {f"layer.{each.name}": each.shape for each in (*layer.weights, *layer.state)}
    assert {name: held.get(name) for name in wanted} == wanted
