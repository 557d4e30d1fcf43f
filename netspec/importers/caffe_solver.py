"""Read a Caffe solver.prototxt: its net as a spec, and its own fields as `solver:`."""

from __future__ import annotations

import os

from .. import codes
from . import caffe_schema, caffe_values, prototxt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..diagnostics import Report
    from ..text import Span
    from .caffe_values import Values

    Path = tuple[str | int, ...]

MARKS = frozenset(("base_lr", "lr_policy", "max_iter", "train_net", "solver_mode", "solver_type"))
NETS = ("train_net_param", "train_net", "net_param", "net")  # as Caffe prefers them here
INLINE = ("net_param", "train_net_param", "test_net_param")
OTHERS = frozenset(("eval_type", "ap_version", "richness", "group_id"))  # forks': not the training
FOLDERS = 6  # around the solver's, in which its net is looked for


def is_solver(document: prototxt.Document) -> bool:
    """Return whether a prototxt is a solver's, and not a net's."""
    names = {field.name for field in document.root.fields}
    return bool(names & MARKS) and not names & {"layer", "layers"}


def read(document: prototxt.Document, report: Report, allow_unknown: bool) -> Values:
    """Return the fields of a solver; note what Caffe refuses when it reads them."""
    devices = document.root.named("device_id")
    if len(devices) > 1:  # yjxiong's fork lists several; which one computes is no matter here
        fields = [field for field in document.root.fields if field not in devices]
        document.root.fields[:] = [*fields, devices[0]]
        devices[0].listed = False
        del devices[1:]
    values = caffe_values.read(document, "SolverParameter", report)
    for unknown in values.unknown:
        if unknown.type == "SolverParameter" and not allow_unknown and unknown.field not in OTHERS:
            unknown.add_to(report)
    root = values.root
    if "type" in root and "solver_type" in root:
        report.add(codes.Conflict, values.name_span("solver_type"), key="solver_type", other="type")
    nets = [field for field in NETS if root.get(field)]
    if not nets:
        report.add(
            codes.SolverNet, document.source.span(0, 0),
            reason="is missing: give one of net, net_param, train_net, train_net_param",
        )  # fmt: skip
    elif len(nets) > 1:
        report.add(codes.Conflict, values.name_span(nets[0]), key=nets[0], other=nets[1])
    _tests(values, report)
    return values


def _tests(values: Values, report: Report) -> None:
    """Refuse tests without a number of passes or an interval. Source: BVLC/caffe, solver.cpp."""
    root = values.root
    iterations = len(root.get("test_iter", ()))
    nets = len(root.get("test_net", ())) + len(root.get("test_net_param", ()))
    generic = any(root.get(field) for field in ("net", "net_param"))
    if iterations < nets or (not generic and iterations != nets):
        field = "test_iter" if iterations else "test_net"
        report.add(
            codes.BadSolver, values.span(field), field="test_iter", value=iterations,
            reason=f"must be given for each of {nets} test nets",
        )  # fmt: skip
    states = len(root.get("test_state", ()))
    if states and states != iterations:
        report.add(
            codes.BadSolver, values.span("test_state"), field="test_state", value=states,
            reason=f"must be given once for each test net, of which there are {iterations}",
        )  # fmt: skip
    if iterations and root.get("test_interval", 0) <= 0:
        report.add(
            codes.BadSolver, values.name_span("test_iter"), field="test_interval",
            value=root.get("test_interval", 0), reason="must be at least 1 where there are tests",
        )  # fmt: skip


def fields(values: Values) -> dict[str, Any]:
    """Return the `solver:` section: the fields that say how to train, under today's names."""
    from .caffe import plain

    found: dict[str, Any] = {}
    known = caffe_schema.message("SolverParameter")
    for name, value in values.root.items():
        if name in NETS or name in INLINE or name not in known:
            continue
        if name == "solver_type":
            names = {"SGD": "SGD", "NESTEROV": "Nesterov", "ADAGRAD": "AdaGrad",
                     "RMSPROP": "RMSProp", "ADADELTA": "AdaDelta", "ADAM": "Adam"}  # fmt: skip
            found["type"] = names.get(value, value)
        else:
            found[name] = plain(value)
    return found


def net_name(values: Values) -> str:
    """Return the name of the file that holds the net, as the solver says it."""
    root = values.root
    return next((root[field] for field in ("train_net", "net") if root.get(field)), "")


def net_file(values: Values) -> str | None:
    """Return the file of the net, looked for around the solver; None where it is not there.

    In Caffe a path counts from where it is started, which is some folder above.
    """
    named = net_name(values)
    if not named or os.path.isabs(named) or "\0" in named or "\\" in named:
        return None
    normal = os.path.normpath(named)
    if normal.startswith(".."):
        return None
    folder = os.path.dirname(os.path.abspath(values.document.source.name))
    for candidate in (normal, os.path.basename(normal)):
        around = folder
        for _ in range(FOLDERS if candidate == normal else 1):
            path = os.path.join(around, candidate)
            if os.path.isfile(path):
                return path
            around = os.path.dirname(around)
    return None


class Within:
    """The values of one message of a document, as if it were the whole."""

    __slots__ = ("document", "prefix", "root", "unknown", "values")

    def __init__(self, values: Values, field: str) -> None:
        self.values = values
        self.prefix = field
        self.document = values.document
        self.root: dict[str, Any] = values.root[field]
        self.unknown = [each for each in values.unknown if each.type != "SolverParameter"]

    def span(self, *path: str | int) -> Span:
        """Return the place of the value at `path`."""
        return self.values.span(self.prefix, *path)

    def name_span(self, *path: str | int) -> Span:
        """Return the place of the name of the field at `path`."""
        return self.values.name_span(self.prefix, *path)

    def field(self, *path: str | int) -> prototxt.Field | None:
        """Return the field at `path`, or the nearest around it."""
        return self.values.field(self.prefix, *path)
