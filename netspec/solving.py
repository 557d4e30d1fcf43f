"""A spec's `solver:` section: Caffe's SolverParameter, its checks and its learning rates."""

from __future__ import annotations

from . import codes
from .layer import listed
from .schema import suggestion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .diagnostics import Report
    from .spec import Place

    Raw = dict[str, Any]

TYPES = ("SGD", "Nesterov", "AdaGrad", "RMSProp", "AdaDelta", "Adam")
POLICIES = ("fixed", "step", "exp", "inv", "multistep", "poly", "sigmoid")
REGULARIZATIONS = ("L2", "L1")
DEFAULTS: Raw = {
    "type": "SGD", "momentum": 0.0, "momentum2": 0.999, "rms_decay": 0.99, "delta": 1e-8,
    "weight_decay": 0.0, "regularization_type": "L2", "clip_gradients": -1.0, "iter_size": 1,
    "gamma": 0.0, "power": 0.0, "stepsize": 0, "stepvalue": (), "max_iter": 0, "base_lr": 0.0,
}  # fmt: skip
NUMBERS = ("base_lr", "gamma", "power", "momentum", "momentum2", "weight_decay", "rms_decay",
           "delta", "clip_gradients")  # fmt: skip
WHOLE = ("iter_size", "stepsize", "max_iter", "display", "average_loss", "test_interval",
         "snapshot")  # fmt: skip


def check(solver: Raw, place: Place, report: Report) -> None:
    """Report what Caffe refuses of a solver, and fields it does not have."""
    from .importers import caffe_schema

    known = caffe_schema.message("SolverParameter")
    for field in solver:
        if field not in known:
            report.add(
                codes.UnknownKey, place.key_span(field), key=field, where="`solver`",
                hint=suggestion(field, known, "fields"),
            )  # fmt: skip

    def refuse(field: str, reason: str, hint: str = "") -> None:
        span = place.span(field) if field in solver else place.span()
        value = solver.get(field, DEFAULTS.get(field))
        report.add(codes.BadSolver, span, field=field, value=value, reason=reason, hint=hint)

    wrong = False
    for field in (*NUMBERS, *WHOLE):
        if field not in solver:
            continue
        value, whole = solver[field], field in WHOLE
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            refuse(field, "must be a whole number" if whole else "must be a number")
            wrong = True
    if wrong:
        return
    for field, choices in (
        ("type", TYPES), ("lr_policy", POLICIES), ("regularization_type", REGULARIZATIONS),
    ):  # fmt: skip
        value = solver.get(field)
        if field in solver and value not in choices:
            near = suggestion(str(value), choices, "choices")
            refuse(field, f"is not one of {', '.join(choices)}", near)
    if "lr_policy" not in solver:
        refuse("lr_policy", f"must be one of {', '.join(POLICIES)}")
    full = {**DEFAULTS, **solver}
    _rates(full, refuse)
    if full["type"] == "AdaGrad" and full["momentum"] != 0:
        refuse("momentum", "is not for AdaGrad, which has none")
    if full["type"] == "RMSProp":
        if full["momentum"] != 0:
            refuse("momentum", "is not for RMSProp, which has none")
        if not 0 <= full["rms_decay"] < 1:
            refuse("rms_decay", "must be at least 0 and less than 1")
    for field in ("iter_size", "average_loss"):
        if full.get(field, 1) < 1:
            refuse(field, "must be at least 1")


def _rates(full: Raw, refuse: Any) -> None:
    policy = full.get("lr_policy")
    if policy in ("step", "exp", "inv", "multistep") and full["gamma"] < 0:
        refuse("gamma", "must be at least 0")
    if policy in ("step", "sigmoid") and full["stepsize"] <= 0:
        refuse("stepsize", f"must be at least 1 for the policy {policy}")
    if policy == "poly" and full["max_iter"] <= 0:
        refuse("max_iter", "must be at least 1 for the policy poly")
    if policy == "multistep":
        steps = full["stepvalue"]
        if steps is None or any(type(step) is not int for step in listed(steps)):
            refuse("stepvalue", "must be whole numbers")


def learning_rate(solver: Raw, iteration: int, passed: int = 0) -> tuple[float, int]:
    """Return the rate of an iteration, and how many step values are passed with it.

    `passed` is how many were passed before: at most one is passed in one iteration.
    Source: BVLC/caffe, src/caffe/solvers/sgd_solver.cpp, GetLearningRate.
    """
    from math import exp

    full = {**DEFAULTS, **solver}
    base, gamma, power = full["base_lr"], full["gamma"], full["power"]
    policy = full["lr_policy"]
    if policy == "step":
        passed = iteration // full["stepsize"]
        return base * gamma**passed, passed
    if policy == "exp":
        return base * gamma**iteration, passed
    if policy == "inv":
        return base * (1 + gamma * iteration) ** -power, passed
    if policy == "multistep":
        values = listed(full["stepvalue"])
        if passed < len(values) and iteration >= values[passed]:
            passed += 1
        return base * gamma**passed, passed
    if policy == "poly":
        return base * max(0.0, 1 - iteration / full["max_iter"]) ** power, passed
    if policy == "sigmoid":
        slope = min(700.0, -gamma * (iteration - full["stepsize"]))
        return base / (1 + exp(slope)), passed
    return base, passed
