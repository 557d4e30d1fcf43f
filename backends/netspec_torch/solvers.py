"""Caffe's solvers as torch optimisers: SGD, Nesterov, AdaGrad, RMSProp, AdaDelta, Adam.

A step takes the gradients of `iter_size` backward passes, and in Caffe's order clips them,
averages them, adds the weight decay and moves the weights. The learning rate is a part of what
momentum keeps: where it falls, the momentum still carries the old one, unlike in torch.optim.
Source: BVLC/caffe, src/caffe/solvers/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.optim import Optimizer

from netspec.solving import DEFAULTS, learning_rate


class CaffeSolver(Optimizer):
    """What all of Caffe's solvers do; a subclass says how a gradient becomes an update.

    `solver` holds SolverParameter fields. Each parameter group has its `lr_mult` and
    `decay_mult`; the rate comes from `lr_policy`, `base_lr` and the number of steps done.
    """

    histories = 1  # tensors kept for each weight

    def __init__(self, params: Any, solver: Mapping[str, Any]) -> None:
        self.solver = {**DEFAULTS, **solver}
        super().__init__(params, {"lr_mult": 1.0, "decay_mult": 1.0, "lr": 0.0})
        self.iteration = 0
        self.passed = 0  # step values of the policy multistep
        for group in self.param_groups:
            group["lr"] = self.rate() * group["lr_mult"]

    def rate(self) -> float:
        """Return the learning rate of the next step, before any multiplier."""
        return learning_rate(self.solver, self.iteration, self.passed)[0]

    def _rate(self) -> None:
        rate, self.passed = learning_rate(self.solver, self.iteration, self.passed)
        for group in self.param_groups:
            group["lr"] = rate * group["lr_mult"]

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Move the weights once; gradients are those of `iter_size` backward passes, summed."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._rate()
        moved = [
            (group, weight)
            for group in self.param_groups
            for weight in group["params"]
            if weight.requires_grad
        ]
        diffs = [weight.grad for _, weight in moved if weight.grad is not None]
        scale = self._clip(diffs) / self.solver["iter_size"]
        for group, weight in moved:
            # what no loss reaches has the gradient 0 in Caffe: it decays, and momentum moves it
            diff = torch.zeros_like(weight) if weight.grad is None else weight.grad * scale
            diff = self._regularise(diff, weight, group["decay_mult"])
            weight.sub_(self.update(diff, group["lr"], self._history(weight)))
        self.iteration += 1
        return loss

    def _clip(self, diffs: list[torch.Tensor]) -> float:
        limit = self.solver["clip_gradients"]
        if limit < 0 or not diffs:
            return 1.0
        norm = float(torch.stack([diff.pow(2).sum() for diff in diffs]).sum().sqrt())
        return limit / norm if norm > limit else 1.0

    def _regularise(
        self, diff: torch.Tensor, weight: torch.Tensor, decay_mult: float
    ) -> torch.Tensor:
        decay = self.solver["weight_decay"] * decay_mult
        if not decay:
            return diff
        towards = weight.sign() if self.solver["regularization_type"] == "L1" else weight
        return diff.add_(towards, alpha=decay)

    def _history(self, weight: torch.Tensor) -> list[torch.Tensor]:
        state = self.state[weight]
        if "history" not in state:
            state["history"] = [torch.zeros_like(weight) for _ in range(self.histories)]
        kept: list[torch.Tensor] = state["history"]
        return kept

    def update(self, diff: torch.Tensor, rate: float, history: list[torch.Tensor]) -> torch.Tensor:
        """Return what a weight loses, and bring its history up to date."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Return the state, with the number of steps done."""
        return {**super().state_dict(), "iteration": self.iteration, "passed": self.passed}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take a state up again."""
        kept = dict(state_dict)
        self.iteration, self.passed = kept.pop("iteration"), kept.pop("passed")
        super().load_state_dict(kept)

    def restore(self, iteration: int, passed: int, history: list[Any]) -> None:
        """Take up the history of a .solverstate: tensors in the order of the weights."""
        weights = [weight for group in self.param_groups for weight in group["params"]]
        if len(history) != self.histories * len(weights):
            raise ValueError(
                f"{len(history)} arrays of history for {len(weights)} weights of {self.histories}"
            )
        self.iteration, self.passed = iteration, passed
        for index, weight in enumerate(weights):
            for kept, slot in enumerate(self._history(weight)):
                slot.copy_(torch.as_tensor(history[kept * len(weights) + index]).view_as(weight))


class SGD(CaffeSolver):
    """V = momentum * V + rate * g;  w = w - V."""

    def update(self, diff: Any, rate: float, history: list[Any]) -> Any:
        """Return the new momentum."""
        return history[0].mul_(self.solver["momentum"]).add_(diff, alpha=rate)


class Nesterov(CaffeSolver):
    """V' = momentum * V + rate * g;  w = w - (1 + momentum) * V' + momentum * V."""

    def update(self, diff: Any, rate: float, history: list[Any]) -> Any:
        """Return the look-ahead step."""
        momentum = self.solver["momentum"]
        old = history[0].clone()
        new = history[0].mul_(momentum).add_(diff, alpha=rate)
        return (1 + momentum) * new - momentum * old


class AdaGrad(CaffeSolver):
    """H = H + g^2;  w = w - rate * g / (sqrt(H) + delta)."""

    def update(self, diff: Any, rate: float, history: list[Any]) -> Any:
        """Return the gradient over the root of all its squares."""
        history[0].addcmul_(diff, diff)
        return rate * diff / (history[0].sqrt() + self.solver["delta"])


class RMSProp(CaffeSolver):
    """H = rms_decay * H + (1 - rms_decay) * g^2;  w = w - rate * g / (sqrt(H) + delta)."""

    def update(self, diff: Any, rate: float, history: list[Any]) -> Any:
        """Return the gradient over the root of its mean square."""
        decay = self.solver["rms_decay"]
        history[0].mul_(decay).addcmul_(diff, diff, value=1 - decay)
        return rate * diff / (history[0].sqrt() + self.solver["delta"])


class AdaDelta(CaffeSolver):
    """H = m * H + (1 - m) * g^2;  d = g * sqrt((U + delta) / (H + delta));  U likewise of d."""

    histories = 2

    def update(self, diff: Any, rate: float, history: list[Any]) -> Any:
        """Return the gradient in the units of the updates before."""
        squares, updates = history
        momentum, delta = self.solver["momentum"], self.solver["delta"]
        squares.mul_(momentum).addcmul_(diff, diff, value=1 - momentum)
        step = diff * ((updates + delta) / (squares + delta)).sqrt()
        updates.mul_(momentum).addcmul_(step, step, value=1 - momentum)
        return rate * step


class Adam(CaffeSolver):
    """Adam with momentum and momentum2 as its betas, and delta added to the root."""

    histories = 2

    def update(self, diff: Any, rate: float, history: list[Any]) -> Any:
        """Return the corrected mean over the root of the mean square."""
        first, second = history
        beta1, beta2 = self.solver["momentum"], self.solver["momentum2"]
        first.mul_(beta1).add_(diff, alpha=1 - beta1)
        second.mul_(beta2).addcmul_(diff, diff, value=1 - beta2)
        count = self.iteration + 1
        correction = (1 - beta2**count) ** 0.5 / (1 - beta1**count)
        return rate * correction * first / (second.sqrt() + self.solver["delta"])


SOLVERS = {kind.__name__: kind for kind in (SGD, Nesterov, AdaGrad, RMSProp, AdaDelta, Adam)}


def solver(model: torch.nn.Module, settings: Mapping[str, Any]) -> CaffeSolver:
    """Return the solver of a module; multipliers of its weights are those of the spec."""
    multipliers: dict[str, tuple[float, float]] = getattr(model, "multipliers", {})
    groups: list[dict[str, Any]] = []
    for name, weight in model.named_parameters():
        lr_mult, decay_mult = multipliers.get(name, (1.0, 1.0))
        if weight.requires_grad:
            groups.append({"params": [weight], "lr_mult": lr_mult, "decay_mult": decay_mult})
    return SOLVERS[settings.get("type", "SGD")](groups, settings)
