"""Training from the data to what is learned."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backproof.derivation.derivation import Derivation
from backproof.execution.engines import Kind
from backproof.execution.feeds import Source, samples, start
from backproof.execution.parameters import USUAL
from backproof.execution.reading import Data
from backproof.execution.reading.on_disk import parts_of
from backproof.ir.errors import BackproofError, DataError
from backproof.ops.row import Array
from backproof.training.checkpoints import Checkpoints
from backproof.training.fitting import Fitting, State
from backproof.training.history import Epoch
from backproof.training.judging import Judging
from backproof.training.lbfgs import for_lbfgs, minimised
from backproof.training.metrics import check_metrics, classes_labelled
from backproof.training.optimisers import LBFGS
from backproof.training.options import Options
from backproof.training.plan_report import PlanReport
from backproof.training.samples import Samples, in_precision, parted
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
    middle: float = 0.5,
    resume: bool = False,
    target: Sequence[str] = (),
    rows: int | None = None,
) -> Trained:
    """Trains a network whose samples are rows. What the arguments are, `backproof.fit` says."""
    check_metrics(options.metrics)
    if isinstance(options.optimiser, LBFGS):
        options = for_lbfgs(options, resume=resume)
    _check_sizes(derivation)
    data = samples(derivation, source, target=target, rows=rows)
    learned, apart = _parted(derivation, data, validation, target, options)
    if class_weights is not None:
        weights = weights_of(class_weights, data)
        learned, apart = _weighted(learned, weights), apart and _weighted(apart, weights)
    judging = Judging(derivation, learned, apart, options, middle)

    def first() -> dict[str, Array]:
        return _checked(derivation, start(derivation, data, parameters, seed=options.seed, scheme=scheme))

    if isinstance(options.optimiser, LBFGS):
        state = minimised(derivation, learned, first(), options, judging)
        names = [str(node.symbol) for node in derivation.graph.parameters]
        course = _course(names, state, ("numpy", ""), is_stopped=False)
        return Trained(derivation=derivation, classes=data.classes, **course)
    course = learned_from(lambda _: derivation, learned, apart, first, options, judging.judged, resume=resume)
    return Trained(derivation=derivation, classes=data.classes, **course)


def learned_from(
    derived: Callable[[int], Derivation],
    learned: Samples,
    apart: Samples | None,
    first: Callable[[], Mapping[str, Array]],
    options: Options,
    judged: Callable[[Epoch, Mapping[str, Array]], Epoch],
    *,
    resume: bool,
) -> dict[str, Any]:
    """The training itself: all of a `Course` but the derivation.

    derived  the derivation for batches of so many samples
    first    what the parameters start with
    judged   adds to an epoch what the parameters tell of it
    """
    if resume and options.checkpoint is None:
        raise BackproofError("there is no checkpoint to go on from", instead="name the file: checkpoint=…")
    file = Checkpoints(options.checkpoint, options) if options.checkpoint is not None else None
    if resume and file is not None:
        options = replace(options, engine=file.engine())
    assert not isinstance(options.optimiser, LBFGS)
    fitting = Fitting(derived, learned, options, options.optimiser, judged)
    engine = fitting.engine  # before any parameters are drawn: what does not fit is refused
    state = fitting.state(first())
    about = _digest(fitting.identity(), learned, apart) if file is not None else ""
    if resume and file is not None:
        state = file.load(state, about)
    for after in fitting.epochs(state):
        state = after
        if file is not None and len(state.epochs) % options.every == 0:
            _save(file, state, about, engine.kind)
        if options.told is not None:
            options.told(state.epochs[-1])
    return _course(fitting.names, state, (engine.kind, engine.why), is_stopped=fitting.is_over(state))


def explained(
    derivation: Derivation, source: Source, options: Options, *, target: Sequence[str] = (), rows: int | None = None
) -> PlanReport:
    """How a step of a training is carried out. What the arguments are, `backproof.explain_plan` says."""
    if isinstance(options.optimiser, LBFGS):
        raise BackproofError("L-BFGS has no plan of its own", why="SciPy takes its steps", instead="name another one")
    _check_sizes(derivation)
    data = samples(derivation, source, target=target, rows=rows)
    learned = _taken(data, options)
    fitting = Fitting(lambda _: derivation, learned, options, options.optimiser, lambda epoch, _: epoch)
    return fitting.explained(fitting.state(_checked(derivation, start(derivation, data, seed=options.seed))))


def _digest(steps: str, *parts: Samples | None) -> str:
    """What tells a training from others: its steps, and its samples."""
    whole = hashlib.sha256(steps.encode())
    for part in parts:
        for name, array in sorted(part.arrays.items()) if part is not None else ():
            whole.update(f"{name} {array.shape}".encode())
            for _, rows in parts_of(array):
                whole.update(np.ascontiguousarray(rows).data)
    return whole.hexdigest()


def _save(file: Checkpoints, state: State, about: str, engine: Kind) -> None:
    """Writes a checkpoint; where that fails, the run goes on, and the checkpoint before is there still."""
    try:
        file.save(state, about, engine)
    except BackproofError as error:
        warnings.warn(f"no checkpoint after epoch {len(state.epochs)}: {error}", RuntimeWarning, stacklevel=2)


def _parted(
    derivation: Derivation, data: Data, validation: float | Source, target: Sequence[str], options: Options
) -> tuple[Samples, Samples | None]:
    """The samples that are learned, and those that are kept apart."""
    whole = _taken(data, options)
    if not isinstance(validation, int | float):
        other = samples(derivation, validation, target=target)
        if other.classes != data.classes:
            raise DataError("the samples that are kept apart have other classes", where=f"{other.name}")
        return whole, _taken(other, options)
    return parted(whole, validation, options.seed)


def _taken(data: Data, options: Options) -> Samples:
    """Data as the training takes them."""
    return Samples({"X": in_precision(data.X, options.dtype), "Y": data.Y.astype(options.dtype)})


def _weighted(part: Samples, weights: Array) -> Samples:
    """Samples with the weight of each."""
    labels = np.asarray(part.arrays["Y"])
    return Samples({**part.arrays, "s": weights.astype(labels.dtype)[classes_labelled(labels)][:, None]})


def _checked(derivation: Derivation, parameters: Mapping[str, ArrayLike]) -> dict[str, Array]:
    """Arrays of the right shapes."""
    found = {}
    for name, value in parameters.items():
        if name not in derivation.quantities:
            raise DataError(f"there is no parameter {name!r}", instead=f"they are {', '.join(parameters)}")
        try:
            found[name] = np.asarray(value, dtype=float)
        except (TypeError, ValueError) as error:
            raise DataError(f"the values of {name} are not numbers", why=str(error)) from None
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


def _check_sizes(derivation: Derivation) -> None:
    """Raises DataError where a layer has no number of nodes."""
    symbolic = [size.name for node in derivation.graph.parameters for size in node.shape if size.value is None]
    known = {size.name for x in derivation.graph.inputs if x not in derivation.graph.parameters for size in x.shape}
    for name in symbolic:
        if name not in known:
            raise DataError(f"the size {name} has no value", instead="give the number of nodes in the network")


def _course(names: Sequence[str], state: State, engine: tuple[Kind, str], *, is_stopped: bool) -> dict[str, Any]:
    arrays = state.arrays if state.best is None else state.best
    kind, note = engine
    return {
        "parameters": {name: arrays[name] for name in names},
        "history": state.epochs,
        "engine": kind,
        "note": note,
        "epoch": len(state.epochs) - (0 if state.best is None else state.since_best),
        "is_stopped": is_stopped,
    }
