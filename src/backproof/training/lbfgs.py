"""L-BFGS: all samples in each step, with a line search (Liu and Nocedal, 1989; SciPy's implementation)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.optimize import minimize

from backproof.derivation.derivation import Derivation
from backproof.emit.program import identifier
from backproof.execution.export import compiled
from backproof.ir.errors import BackproofError
from backproof.ops.row import Array
from backproof.training.divergence import DivergedError
from backproof.training.fitting import State
from backproof.training.history import Epoch
from backproof.training.judging import Judging
from backproof.training.optimisers import LBFGS
from backproof.training.options import Options
from backproof.training.samples import Samples

UNTAKEN = {"checkpoint": None, "patience": None, "clip": None, "schedule": "constant", "norms": False}
"""Options that say nothing to it, and what they are where they are not given."""
MEMORY = 10
"""How many steps before it remembers."""


def for_lbfgs(options: Options, *, resume: bool) -> Options:
    """The options, for double precision. Raises BackproofError for one that says nothing to L-BFGS."""
    for name, usual in UNTAKEN.items():
        if getattr(options, name) != usual:
            raise BackproofError(f"lbfgs takes no {name}", why="SciPy takes all of its steps", instead="leave it out")
    if resume or options.engine == "native":
        raise BackproofError("lbfgs takes no resume and no native engine", instead="leave it out")
    return replace(options, dtype="float64")


def minimised(
    derivation: Derivation, learned: Samples, start: Mapping[str, Array], options: Options, judging: Judging
) -> State:
    """Where L-BFGS gets from the parameters it starts with, an epoch being an iteration; in double precision."""
    shapes = {name: np.shape(array) for name, array in start.items()}
    bounds = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    nodes = (derivation.quantities[name] for name in shapes)
    names = {str(x.symbol): identifier(x.symbol, ()) for x in nodes if x.symbol is not None}
    function = compiled(derivation)
    data = {name: np.asarray(array, float) for name, array in learned.whole().items()}
    epochs: list[Epoch] = []
    began = time.perf_counter()

    def parted(vector: Array) -> dict[str, Array]:
        parts = np.split(vector, bounds[:-1])
        return {name: part.reshape(shape) for part, (name, shape) in zip(parts, shapes.items(), strict=True)}

    def value(vector: Array) -> tuple[float, Array]:
        loss, gradients = function(**data, **{names[name]: array for name, array in parted(vector).items()})
        return float(loss), np.concatenate([np.ravel(gradients[names[name]]) for name in shapes])

    def after(intermediate_result: Any) -> None:
        seconds = time.perf_counter() - began - sum(epoch.seconds for epoch in epochs)
        epoch = Epoch(len(epochs) + 1, float(intermediate_result.fun), None, 1.0, seconds)
        epochs.append(judging.judged(epoch, parted(intermediate_result.x)))
        if options.told is not None:
            options.told(epochs[-1])

    first = np.concatenate([np.ravel(array).astype(float) for array in start.values()])
    assert isinstance(options.optimiser, LBFGS)
    ends = {"gtol": options.optimiser.tolerance, "maxfun": options.optimiser.most}
    limits = {"maxiter": options.epochs, "maxcor": MEMORY, **ends}
    with np.errstate(all="ignore"):
        if not np.isfinite(value(first)[0]):
            raise DivergedError("the loss is infinite or no number at the start", instead="scale the data")
        found = minimize(value, first, jac=True, method="L-BFGS-B", callback=after, options=limits)
    if not (np.isfinite(found.fun) and np.isfinite(found.x).all()):
        raise DivergedError("the loss became infinite or no number", where=f"after {len(epochs)} iterations")
    return State(parted(found.x), tuple(epochs), None, len(epochs))
