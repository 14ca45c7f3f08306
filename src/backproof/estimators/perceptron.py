"""What the classifier and the regressor share: a network of dense layers with the parameters of scikit-learn's."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from backproof.derivation.derivation import Derivation
from backproof.derivation.derive import derive
from backproof.execution.engines import KINDS
from backproof.frontends.network import Dense, Network
from backproof.ir.node import Node
from backproof.ops.arithmetic import add, mul, sub
from backproof.ops.leaves import constant
from backproof.ops.row import Array
from backproof.training.fitting import Fitting, State
from backproof.training.forward import Forward, output_of, sizes_of
from backproof.training.history import Epoch
from backproof.training.judging import Judging
from backproof.training.lbfgs import minimised
from backproof.training.optimisers import LBFGS, SGD, Adam, Optimiser
from backproof.training.options import Options as TrainingOptions
from backproof.training.samples import Samples

ACTIVATIONS: Mapping[str, str] = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
MOST_SAMPLES = 200
"""How many samples a step takes where nothing else is said, if there are as many."""
SLOWEST, SLOWER = 1e-6, 5.0
"""Down to which rate an adaptive one is divided, and by how much."""


@dataclass(frozen=True)
class Head:
    """The last layer and the loss.

    activation  its activation, as `Network` reads it
    called      what scikit-learn calls it
    loss        the loss, likewise
    """

    activation: str
    called: str
    loss: str


@dataclass(frozen=True)
class Momentum(SGD):
    """Gradient descent as scikit-learn has it: the velocity holds the rates of its own steps, v ← μ·v + η·dw and w − v,
    which is another rule where the rate changes."""

    def change(
        self, parameter: Node, gradient: Node, kept: Sequence[Node], numbers: Sequence[Node]
    ) -> tuple[Node, tuple[Node, ...]]:
        (velocity,), (rate,) = kept, numbers
        step, factor = mul(rate, gradient), constant(self.momentum)
        new = add(mul(factor, velocity), step)
        return sub(parameter, add(mul(factor, new), step) if self.nesterov else new), (new,)


class Perceptron(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A network of dense layers. What the parameters are, scikit-learn's `MLPClassifier` says."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({*ACTIVATIONS})],
        "solver": [StrOptions({"lbfgs", "sgd", "adam"})],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="left")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "engine": [StrOptions({*KINDS})],
        "dtype": [StrOptions({"float32", "float64"})],
    }

    def _set(self, parameters: Mapping[str, Any]) -> None:
        """Keeps the arguments of the constructor, as scikit-learn wants them."""
        for name, value in parameters.items():
            setattr(self, name, value)

    # --- what the subclasses know

    def _head(self) -> Head:
        raise NotImplementedError

    def _labels(self, y: Array) -> Array:
        """The labels as the network takes them, [samples, outputs]."""
        raise NotImplementedError

    def _score_of(self, outputs: Array, labels: Array) -> float:
        """How good outputs are, the higher the better."""
        raise NotImplementedError

    def _stratified(self, labels: Array) -> Array | None:
        """By what the samples that are kept apart are drawn evenly."""
        return None

    # --- training

    def _trained(self, X: Array, labels: Array, *, one_epoch: bool = False) -> None:
        """Learns from samples that are checked already; with `one_epoch`, goes on for one."""
        random = check_random_state(self.random_state)
        goes_on = hasattr(self, "coefs_") and (self.warm_start or one_epoch)
        if one_epoch and self.early_stopping:
            raise ValueError("partial_fit takes no early_stopping: no samples can be kept apart of a part of them")
        apart: tuple[Array, Array] | None = None
        if self.early_stopping and self.solver != "lbfgs":
            X, labels, apart = self._parted(X, labels, random)
        learned = Samples({"X": X.astype(self.dtype), "Y": labels.astype(self.dtype)})
        batch = self._batch(len(X))
        derivation = self._derivation(X.shape[1], labels.shape[1], batch)
        if not goes_on:
            self._start(X.shape[1], labels.shape[1], random)
        seed = int(random.randint(2**31 - 1))
        if self.solver == "lbfgs":
            self._minimise(derivation, learned, seed)
        else:
            self._descend(derivation, learned, apart, batch, seed, one_epoch=one_epoch)

    def _parted(self, X: Array, labels: Array, random: Any) -> tuple[Array, Array, tuple[Array, Array]]:
        own, kept, own_labels, kept_labels = train_test_split(
            X, labels, random_state=random, test_size=self.validation_fraction, stratify=self._stratified(labels)
        )
        if len(kept) < 2:
            raise ValueError("less than two samples are kept apart: raise validation_fraction, or give more of them")
        return own, own_labels, (kept, kept_labels)

    def _batch(self, samples: int) -> int:
        if self.batch_size == "auto":
            return min(MOST_SAMPLES, samples)
        if self.batch_size > samples:
            warnings.warn(f"batch_size={self.batch_size} is more than there are samples", stacklevel=4)
        return min(int(self.batch_size), samples)

    def _layers(self, outputs: int) -> list[int]:
        hidden = self.hidden_layer_sizes
        sizes = list(hidden) if hasattr(hidden, "__iter__") else [hidden]
        if any(size <= 0 for size in sizes):
            raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}")
        return [*map(int, sizes), outputs]

    def _derivation(self, inputs: int, outputs: int, samples: int) -> Derivation:
        """The penalty is divided by the number of samples, as the losses are."""
        layers = tuple(self._layers(outputs))
        return _derived(inputs, layers, ACTIVATIONS[self.activation], self._head(), float(self.alpha) / samples)

    def _start(self, inputs: int, outputs: int, random: Any) -> None:
        """Weights and biases are drawn as Glorot and Bengio (2010) say, those for the logistic function smaller."""
        sizes = [inputs, *self._layers(outputs)]
        self.coefs_: list[Array] = []
        self.intercepts_: list[Array] = []
        for pair in pairwise(sizes):
            bound = np.sqrt((2.0 if self.activation == "logistic" else 6.0) / sum(pair))
            self.coefs_.append(random.uniform(-bound, bound, pair))
            self.intercepts_.append(random.uniform(-bound, bound, pair[1]))
        self.n_layers_, self.n_outputs_, self.out_activation_ = len(sizes), outputs, self._head().called
        self.t_ = 0
        self._kept: dict[str, Array] = {}
        self._steps, self._factor = 0, 1.0
        self.loss_curve_: list[float] = []
        self.best_loss_: float | None = None if self.early_stopping else np.inf
        self.validation_scores_: list[float] | None = [] if self.early_stopping else None
        self.best_validation_score_: float | None = -np.inf if self.early_stopping else None

    def _optimiser(self) -> Optimiser:
        if self.solver == "adam":
            return Adam(*map(float, (self.learning_rate_init, self.beta_1, self.beta_2, self.epsilon)))
        return Momentum(float(self.learning_rate_init), float(self.momentum), bool(self.nesterovs_momentum))

    def _options(self, seed: int, batch: int, optimiser: Optimiser | LBFGS, epochs: int) -> TrainingOptions:
        return TrainingOptions(
            epochs=epochs,
            batch=batch,
            optimiser=optimiser,
            schedule=lambda time: np.full(len(time), self._factor),
            shuffle=bool(self.shuffle),
            seed=seed,
            dtype=self.dtype,
            engine=self.engine,
            told=self._told if self.verbose else None,
        )

    def _told(self, epoch: Epoch) -> None:
        print(f"Iteration {epoch.number}, loss = {epoch.loss:.8f}")

    def _minimise(self, derivation: Derivation, learned: Samples, seed: int) -> None:
        options = self._options(seed, len(learned), LBFGS(float(self.tol), int(self.max_fun)), int(self.max_iter))
        state = minimised(derivation, learned, self._named(), options, Judging(derivation, learned, None, options))
        self._take(state)
        self.n_iter_ = len(state.epochs)
        self.loss_ = state.epochs[-1].loss if state.epochs else np.nan
        self.loss_curve_ = [epoch.loss for epoch in state.epochs]
        if self.n_iter_ >= self.max_iter:
            self._not_converged()

    def _descend(
        self,
        derivation: Derivation,
        learned: Samples,
        apart: tuple[Array, Array] | None,
        batch: int,
        seed: int,
        *,
        one_epoch: bool,
    ) -> None:
        if not one_epoch:
            self._kept, self._steps, self._factor = {}, 0, 1.0  # each fit has an optimiser of its own
        optimiser = self._optimiser()
        most = 1 if one_epoch else int(self.max_iter)
        options = self._options(seed, batch, optimiser, most)
        fitting = Fitting(lambda _: derivation, learned, options, optimiser, lambda epoch, arrays: epoch)
        state = replace(fitting.state(self._named()), steps=self._steps)
        if {*self._kept} == {*state.arrays} - {*self._named()}:
            state = replace(state, arrays={**state.arrays, **self._kept})
        best, since, forward = (
            state,
            0,
            Forward(derivation, output_of(derivation), sizes_of(derivation, learned.arrays)),
        )
        self.n_iter_ = 0
        try:
            for after in fitting.epochs(state):
                state = after
                self.n_iter_ += 1
                self.t_ += len(learned)
                self.loss_ = state.epochs[-1].loss
                self.loss_curve_.append(self.loss_)
                if options.told is not None:
                    options.told(state.epochs[-1])
                is_better, is_best = self._judge(forward, derivation, state, apart)
                since = 0 if is_better else since + 1
                best = state if is_best else best
                if self.learning_rate == "invscaling" and self.solver == "sgd":
                    self._factor = 1 / (self.t_ + 1) ** self.power_t
                if since > self.n_iter_no_change:
                    if self.learning_rate != "adaptive" or self.solver != "sgd" or not self._slow_down():
                        break
                    since = 0
            else:
                if not one_epoch:
                    self._not_converged()
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=4)
        self._take(best if apart is not None else state)
        self._kept = {name: x for name, x in state.arrays.items() if name not in self._named()}
        self._steps = state.steps

    def _judge(
        self, forward: Forward, derivation: Derivation, state: State, apart: tuple[Array, Array] | None
    ) -> tuple[bool, bool]:
        """Whether an epoch is better than the best by as much as is asked for, and whether it is the best."""
        if apart is None:
            assert self.best_loss_ is not None
            better = self.loss_ <= self.best_loss_ - self.tol
            self.best_loss_ = min(self.best_loss_, self.loss_)
            return better, False
        assert self.validation_scores_ is not None
        assert self.best_validation_score_ is not None
        parameters = {x: state.arrays[str(x.symbol)] for x in derivation.graph.parameters}
        score = self._score_of(forward.outputs(parameters, apart[0].astype(self.dtype)), apart[1])
        self.validation_scores_.append(score)
        better, best = score >= self.best_validation_score_ + self.tol, score > self.best_validation_score_
        self.best_validation_score_ = max(score, self.best_validation_score_)
        return better, best

    def _slow_down(self) -> bool:
        """Divides an adaptive rate; whether it was not the slowest yet."""
        if self.learning_rate_init * self._factor <= SLOWEST:
            return False
        self._factor /= SLOWER
        return True

    def _not_converged(self) -> None:
        warnings.warn(
            f"{self.solver}: after {self.max_iter} iterations the loss is still getting lower; raise max_iter",
            ConvergenceWarning,
            stacklevel=5,
        )

    # --- parameters, and what they give

    def _named(self) -> dict[str, Array]:
        """The parameters by the names that the derivation has for them."""
        pairs = enumerate(zip(self.coefs_, self.intercepts_, strict=True), 1)
        return {name: x for k, (w, b) in pairs for name, x in ((f"W[{k}]", w.T), (f"b[{k}]", b[None, :]))}

    def _take(self, state: State) -> None:
        layers: Sequence[int] = range(1, len(self.coefs_) + 1)
        self.coefs_ = [np.ascontiguousarray(state.arrays[f"W[{k}]"].T) for k in layers]
        self.intercepts_ = [state.arrays[f"b[{k}]"][0].copy() for k in layers]

    def _outputs(self, X: Any) -> Array:
        """What the last layer gives for samples."""
        check_is_fitted(self)
        array = _dense(validate_data(self, X, accept_sparse=True, reset=False))
        derivation = self._derivation(array.shape[1], self.n_outputs_, 1)  # the penalty is no part of the outputs
        parameters = {derivation.quantities[name]: x for name, x in self._named().items()}
        forward = Forward(derivation, output_of(derivation), sizes_of(derivation, {}))
        return forward.outputs(parameters, array.astype(self.coefs_[0].dtype))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


@lru_cache(maxsize=16)
def _derived(inputs: int, units: tuple[int, ...], activation: str, head: Head, penalty: float) -> Derivation:
    """A network derived once: `partial_fit` and `predict` are called again and again."""
    *hidden, last = units
    layers = [*(Dense(n, activation) for n in hidden), Dense(last, head.activation)]
    return derive(Network(inputs, layers, loss=head.loss, l2=penalty).graph("rows"))


def _dense(X: Any) -> Array:
    return X.toarray() if hasattr(X, "toarray") else X  # type: ignore[no-any-return]
