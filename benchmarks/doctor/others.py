"""What the gradient checks of PyTorch and JAX say of the same cases: right or wrong, and no more.

    python benchmarks/doctor/others.py RESULTS.json [--network N] [--cases N] [--jobs 2]

Needs both frameworks. The forward and the backward pass of a case become a function with a derivative of one's own,
whose arguments are the arrays that the backward pass returns derivatives by. `torch.autograd.gradcheck` in both modes
and `jax.test_util.check_grads` run with their own tolerances, in double precision.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jax
import numpy as np
import torch
from case import Case
from jax.test_util import check_grads
from network import SEEDS, Leaves, arguments, module, networks, returned
from reference import parameters, places, value
from rewrite import Right
from run import HOUR, chosen, made, never, some
from workers import answers

jax.config.update("jax_enable_x64", True)
logging.disable(logging.ERROR)  # JAX prints what its callbacks raise

LIMIT = 120.0
"""Seconds for a case."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The loss as a function of the arrays that have derivatives, and somebody's derivatives in their order."""

    source: str
    forward: Callable[..., Any]
    given: Mapping[str, Any]
    gradient_of: Mapping[str, str]

    @property
    def arrays(self) -> list[np.ndarray]:
        every = parameters(self.given)
        return [every[place] for place in self.gradient_of]

    def loss(self, *arrays: Any) -> np.ndarray:
        self._put(arrays)
        return np.asarray(value(self.forward, self.given))

    def gradients(self, *arrays: Any) -> list[np.ndarray]:
        self._put(arrays)
        found = returned(self.source, self.given)
        return [found[place] for place in self.gradient_of.values()]

    def _put(self, arrays: Any) -> None:
        for kept, new in zip(self.arrays, arrays, strict=True):
            kept[...] = np.asarray(new)


@cache
def _gradient_of(network: str) -> Mapping[str, str]:
    """At which place of what is returned the derivative by each argument stands, in the right backward pass."""
    source = next(n.source for n in networks() if n.name == network)
    given = arguments(source, SEEDS[0])
    gradients: Leaves = returned(source, given)
    return {argument: place for place, argument in places(gradients, module(source).forward, given).items()}


def by_torch(case: Checked, *, fast: bool) -> bool:
    """Whether gradcheck is content."""

    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *tensors: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(*tensors)
            return torch.tensor(case.loss(*(x.detach().numpy() for x in tensors)))

        @staticmethod
        def backward(ctx: Any, upstream: torch.Tensor) -> Any:
            found = case.gradients(*(x.detach().numpy() for x in ctx.saved_tensors))
            return tuple(upstream * torch.tensor(x) for x in found)

    inputs = [torch.tensor(array.copy(), requires_grad=True) for array in case.arrays]
    return torch.autograd.gradcheck(Function.apply, inputs, fast_mode=fast)


def by_jax(case: Checked) -> bool:
    """Whether check_grads is content."""
    arrays = [array.copy() for array in case.arrays]
    scalar = jax.ShapeDtypeStruct((), np.float64)
    shapes = [jax.ShapeDtypeStruct(array.shape, np.float64) for array in arrays]

    @jax.custom_vjp
    def function(*inputs: Any) -> Any:
        return jax.pure_callback(case.loss, scalar, *inputs)

    def forward(*inputs: Any) -> Any:
        return function(*inputs), inputs

    def backward(inputs: Any, upstream: Any) -> Any:
        found = jax.pure_callback(lambda *values: case.gradients(*values), shapes, *inputs)
        return tuple(upstream * x for x in found)

    function.defvjp(forward, backward)
    check_grads(function, tuple(arrays), order=1, modes=["rev"])
    return True


CHECKS: Mapping[str, Callable[[Checked], bool]] = {
    "gradcheck": lambda case: by_torch(case, fast=False),
    "gradcheck, fast": lambda case: by_torch(case, fast=True),
    "check_grads": by_jax,
}


def checked(case: Case | Right) -> Mapping[str, bool]:
    """What each check says: whether the derivatives are right. What raises an error was found to be wrong."""
    found, gradient_of = {}, _gradient_of(case.network)
    for name, check in CHECKS.items():
        try:
            forward = module(case.source).forward
            found[name] = check(Checked(case.source, forward, arguments(case.source, SEEDS[0]), gradient_of))
        except Exception:
            found[name] = False
    return found


def _late(case: Case | Right) -> Mapping[str, bool]:
    return dict.fromkeys(CHECKS, isinstance(case, Case))


def main() -> None:
    parser = argparse.ArgumentParser(description="The gradient checks of PyTorch and JAX on the doctor's benchmark.")
    parser.add_argument("results", metavar="RESULTS.json")
    parser.add_argument("--network", default="", help="only cases of one network")
    parser.add_argument("--cases", type=int, default=0, help="a sample of so many wrong cases")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    options = parser.parse_args()
    lists = list(answers(made, chosen(options.network), jobs=options.jobs, seconds=HOUR, late=never))
    wrong = some([case for found, _ in lists for case in found], options.cases)
    right = some([rewrite for _, found in lists for rewrite in found], options.cases // 3)
    tasks = [*wrong, *right]
    found = answers(checked, tasks, jobs=options.jobs, seconds=LIMIT, late=_late)
    said = {task.name: dict(answer) for task, answer in zip(tasks, found, strict=True)}
    results = {"wrong": {x.name: said[x.name] for x in wrong}, "right": {x.name: said[x.name] for x in right}}
    Path(options.results).write_text(json.dumps(results, indent=1), encoding="utf-8")
    for name in CHECKS:
        detected = sum(not answer[name] for answer in results["wrong"].values())
        alarms = sum(not answer[name] for answer in results["right"].values())
        print(f"{name:<16} detected {detected} of {len(wrong)}; false alarms {alarms} of {len(right)}")


if __name__ == "__main__":
    main()
