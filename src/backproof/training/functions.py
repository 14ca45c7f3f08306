"""The training of a function: samples are the rows of its data, and its parameters are what is learned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backproof.derivation.derivation import Derivation
from backproof.execution.reading.on_disk import require_finite
from backproof.ir.errors import BackproofError, DataError
from backproof.ops.row import Array
from backproof.training.fit import learned_from
from backproof.training.history import Epoch
from backproof.training.optimisers import LBFGS, SGD
from backproof.training.options import Options
from backproof.training.samples import Samples, in_precision, parted
from backproof.training.steps import planned
from backproof.training.trained import TrainedFunction


@dataclass(frozen=True, eq=False)
class Learner:
    """A function that learns.

    function    the function; its result is the loss
    names       the names of the arrays in its parameters, in their order
    derive      its derivation for given arguments
    parameters  what its parameters start with, as it takes them
    """

    function: Callable[..., Any]
    names: Sequence[str]
    derive: Callable[[Mapping[str, Any]], Derivation]
    parameters: Mapping[str, Any]
    _derived: dict[int, Derivation] = field(default_factory=dict)

    def derived(self, learned: Samples) -> Callable[[int], Derivation]:
        """The derivation for batches of so many samples."""

        def of(samples: int) -> Derivation:
            if samples not in self._derived:
                self._derived[samples] = self.derive({**learned.taken(np.arange(samples)), **self.parameters})
            return self._derived[samples]

        return of

    def arguments(self, arrays: Mapping[str, Array]) -> dict[str, Any]:
        """The parameters as the function takes them, with these arrays by their names."""
        left = iter([arrays[name] for name in self.names])
        return {name: _replaced(value, left) for name, value in self.parameters.items()}

    def loss(self, arrays: Mapping[str, Array], samples: Samples) -> float:
        """The loss on some samples, by the function itself."""
        with np.errstate(all="ignore"):
            return float(np.asarray(self.function(**samples.whole(), **self.arguments(arrays))))


def fitted_function(
    learner: Learner,
    data: Mapping[str, ArrayLike],
    options: Options,
    *,
    validation: float | Mapping[str, ArrayLike] = 0.0,
    resume: bool = False,
) -> TrainedFunction:
    """Trains a function. What the arguments are, `backproof.fit_function` says."""
    if isinstance(options.optimiser, LBFGS):
        raise BackproofError(
            "lbfgs trains networks", instead="give scipy.optimize.minimize the function backproof.value_and_grad(…)"
        )
    learned, apart = _samples(data, options.dtype), None
    if isinstance(validation, Mapping):
        apart = _samples(validation, options.dtype)
    else:
        learned, apart = parted(learned, validation, options.seed)
    derived = learner.derived(learned)
    batch = min(options.batch, len(learned))
    _check_steady(learner, derived(batch), learned, batch)

    def judged(epoch: Epoch, arrays: Mapping[str, Array]) -> Epoch:
        return epoch if apart is None else replace(epoch, validation_loss=learner.loss(arrays, apart))

    def first() -> dict[str, Array]:
        arrays = [np.asarray(x, float) for value in learner.parameters.values() for x in _arrays(value)]
        for name, array in zip(learner.names, arrays, strict=True):
            if not np.isfinite(array).all():
                raise DataError(f"{name} holds values that are no numbers")
        return dict(zip(learner.names, arrays, strict=True))

    course = learned_from(derived, learned, apart, first, options, judged, resume=resume)
    arguments = learner.arguments(course["parameters"])
    return TrainedFunction(derivation=derived(batch), arguments=arguments, **course)


def _samples(data: Mapping[str, ArrayLike], dtype: Any) -> Samples:
    """The data, whose rows are samples: decimal numbers in the precision of the training, whole ones as they are."""
    arrays = {}
    for name, given in data.items():
        try:
            array = given if isinstance(given, np.memmap) else np.asarray(given)
        except ValueError as error:
            raise DataError(f"{name} is no array", why=str(error)) from None
        if array.dtype.kind not in "biuf" or not array.ndim:
            raise DataError(f"{name} holds no rows of numbers", where=f"it is an array of {array.dtype}")
        require_finite(array, name)
        arrays[name] = in_precision(array, dtype if array.dtype.kind == "f" else array.dtype)
    counts = {name: len(array) for name, array in arrays.items()}
    if len(set(counts.values())) != 1 or not max(counts.values()):
        told = ", ".join(f"{name} has {count}" for name, count in counts.items()) or "there are none"
        raise DataError("the data need as many rows each, one for each sample", where=told)
    return Samples(arrays)


def _check_steady(learner: Learner, derivation: Derivation, learned: Samples, batch: int) -> None:
    """Raises BackproofError for a function that computes something else for other samples.

    Only one about which there is something to note can: it is derived once more, for the last samples.
    """
    if not derivation.notes:
        return
    last = learned.taken(np.arange(len(learned) - batch, len(learned)))
    other = learner.derive({**last, **learner.parameters})
    sizes = {size.name: size.value or 0 for x in derivation.graph.inputs for size in x.shape}
    texts = [planned(x, SGD(1.0)).step.described(sizes) for x in (derivation, other)]
    if texts[0] != texts[1]:
        name = getattr(learner.function, "__name__", "the function")
        raise BackproofError(
            f"what {name} computes depends on the values it is given",
            where="; ".join(derivation.notes),
            why="it is derived once, and that is taken for all batches",
            instead="give what differs as data: a mask, random numbers, …",
        )


def _arrays(value: Any) -> Iterator[Array]:
    """The arrays in an argument, however deep, in the order in which they are traced."""
    if isinstance(value, Mapping):
        value = value.values()
    elif isinstance(value, np.ndarray | np.floating):
        yield np.asarray(value)
        return
    elif not isinstance(value, list | tuple):
        return
    for held in value:
        yield from _arrays(held)


def _replaced(value: Any, arrays: Iterator[Array]) -> Any:
    """The same argument with other arrays in it."""
    if isinstance(value, Mapping):
        return {key: _replaced(held, arrays) for key, held in value.items()}
    if isinstance(value, list | tuple):
        held = [_replaced(x, arrays) for x in value]
        return value._make(held) if hasattr(value, "_make") else type(value)(held)
    return next(arrays) if isinstance(value, np.ndarray | np.floating) else value
