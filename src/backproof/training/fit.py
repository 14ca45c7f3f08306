"""Training from the data to what is learned."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from backproof.derivation.derivation import Derivation
from backproof.execution.feeds import Source, samples, start
from backproof.execution.parameters import USUAL
from backproof.execution.reading import Data
from backproof.ir.errors import BackproofError, DataError
from backproof.ops.row import Array
from backproof.training.checkpoints import load_state, save_state
from backproof.training.fitting import Fitting, State
from backproof.training.judging import Judging
from backproof.training.lbfgs import minimised
from backproof.training.metrics import check_metrics
from backproof.training.optimisers import LBFGS
from backproof.training.options import Options
from backproof.training.samples import Samples, split
from backproof.training.trained import Trained
from backproof.training.weights import Weights, weights_of


def fitted(
    derivation: Derivation,
    source: Source,
    options: Options,
    *,
    validation: float | Source = 0.0,
    parameters: Mapping[str, ArrayLike] | None = None,
    scheme: str | float = USUAL,
    class_weights: Weights | None = None,
    resume: bool = False,
    target: Sequence[str] = (),
    rows: int | None = None,
) -> Trained:
    """Trains a network whose samples are rows. What the arguments are, `backproof.fit` says."""
    check_metrics(options.metrics)
    data = samples(derivation, source, target=target, rows=rows)
    learned, apart = _parted(derivation, data, validation, target, options)
    if class_weights is not None:
        weights = weights_of(class_weights, data)
        learned, apart = _weighted(learned, weights), apart and _weighted(apart, weights)
    first = _checked(derivation, start(derivation, data, parameters, seed=options.seed, scheme=scheme))
    judging = Judging(derivation, learned, apart, options)
    if isinstance(options.optimiser, LBFGS):
        state = minimised(derivation, learned, first, options, judging)
        return _trained(derivation, state, data, options, "numpy", "")
    fitting = Fitting(derivation, learned, options, options.optimiser, judging.judged)
    state = fitting.state(first)
    if resume:
        state = _resumed(state, options, len(learned))
    for after in fitting.epochs(state):
        state = after
        if options.checkpoint is not None and len(state.epochs) % options.every == 0:
            _save(options.checkpoint, state, options, len(learned))
        if options.told is not None:
            options.told(state.epochs[-1])
    return _trained(derivation, state, data, options, fitting.engine.kind, fitting.engine.why)


def _resumed(state: State, options: Options, samples: int) -> State:
    if options.checkpoint is None:
        raise BackproofError("there is no checkpoint to go on from", instead="name the file: checkpoint=…")
    return load_state(options.checkpoint, options, samples, state.arrays) if options.checkpoint.exists() else state


def _save(path: Path, state: State, options: Options, samples: int) -> None:
    """Writes a checkpoint; where that fails, the run goes on, and the checkpoint before is there still."""
    try:
        save_state(path, state, options, samples)
    except BackproofError as error:
        warnings.warn(f"no checkpoint after epoch {len(state.epochs)}: {error}", RuntimeWarning, stacklevel=2)


def _parted(
    derivation: Derivation, data: Data, validation: float | Source, target: Sequence[str], options: Options
) -> tuple[Samples, Samples | None]:
    """The samples that are learned, and those that are kept apart."""
    whole = Samples({"X": data.X.astype(options.dtype), "Y": data.Y.astype(options.dtype)})
    if not isinstance(validation, int | float):
        other = samples(derivation, validation, target=target)
        if other.classes != data.classes:
            raise DataError("the samples that are kept apart have other classes", where=f"{other.name}")
        return whole, Samples({"X": other.X.astype(options.dtype), "Y": other.Y.astype(options.dtype)})
    if not 0 <= validation < 1:
        raise BackproofError(f"validation={validation!r} is no share", instead="give a number from 0 to below 1")
    learned, apart = split(len(whole), float(validation), options.seed)
    if not len(learned):
        raise BackproofError(f"validation={validation!r} leaves nothing to learn", where=f"of {len(whole)} samples")
    return (Samples(whole.taken(learned)), Samples(whole.taken(apart))) if len(apart) else (whole, None)


def _weighted(part: Samples, weights: Array) -> Samples:
    """Samples with the weight of each."""
    labels = part.arrays["Y"]
    classes = labels.argmax(axis=1) if labels.shape[1] > 1 else (labels[:, 0] > 0).astype(int)
    return Samples({**part.arrays, "s": weights.astype(labels.dtype)[classes][:, None]})


def _checked(derivation: Derivation, parameters: Mapping[str, ArrayLike]) -> dict[str, Array]:
    """Arrays of the right shapes."""
    found = {}
    for name, value in parameters.items():
        if name not in derivation.quantities:
            raise DataError(f"there is no parameter {name!r}", instead=f"they are {', '.join(parameters)}")
        found[name] = np.asarray(value, dtype=float)
        shape = derivation.quantities[name].shape
        fits = found[name].ndim == len(shape) and all(
            size.value in (None, n) for size, n in zip(shape, found[name].shape, strict=True)
        )
        if not fits:
            wanted = " × ".join(str(size.value or size.name) for size in shape)
            raise DataError(f"{name} has the wrong shape", where=f"it is {found[name].shape}, and must be {wanted}")
        if not np.isfinite(found[name]).all():
            raise DataError(f"{name} holds values that are no numbers")
    return found


def _trained(derivation: Derivation, state: State, data: Data, options: Options, kind: str, note: str) -> Trained:
    names = [str(node.symbol) for node in derivation.graph.parameters]
    is_stopped = options.patience is not None and state.since_best > 0
    arrays = state.best if is_stopped and state.best is not None else state.arrays
    parameters = {name: arrays[name] for name in names}
    return Trained(derivation, parameters, state.epochs, data.classes, kind, note, is_stopped)
