"""Networks of dense layers to be trained, in the words of each system."""

from __future__ import annotations

# isort: off
import threads  # says how many threads there are, before anything counts them

# isort: on
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from time import perf_counter
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.neural_network import MLPClassifier
from timing import BATCHES, CHECKED, RATE, Array, System

import backproof as bp
from backproof.execution.engine import Engine
from backproof.execution.numpy_engine import NumpyEngine
from backproof.training.optimisers import SGD
from backproof.training.steps import planned

MOST_STEPS = 1 << 16
"""Of how many steps JAX keeps the losses in one loop."""


@dataclass(frozen=True)
class Row:
    """A network: its layers, and how many samples a step takes. Several outputs are classes, one is a probability."""

    units: tuple[int, ...]
    samples: int

    @property
    def is_binary(self) -> bool:
        return self.units[-1] == 1

    @property
    def name(self) -> str:
        return f"{'-'.join(map(str, self.units))}, {self.samples}"


ROWS = {
    "T4": Row((2, 8, 1), 4),
    "T200": Row((2, 8, 1), 200),
    "S": Row((64, 32, 10), 32),
    "M": Row((784, 128, 10), 128),
    "L": Row((784, 512, 512, 10), 256),
    "X": Row((2048, 2048, 2048, 2048), 1024),
}


@dataclass(frozen=True, eq=False)
class Problem:
    """Batches [samples, features] with their labels, and first parameters (W as [outputs, inputs])."""

    row: Row
    X: list[Array]
    Y: list[Array]
    weights: list[Array]
    biases: list[Array]


def problem(row: Row) -> Problem:
    rng = np.random.default_rng(0)
    inputs, outputs = row.units[0], row.units[-1]
    X = [rng.normal(size=(row.samples, inputs)).astype(np.float32) for _ in range(BATCHES)]
    labels = [rng.integers(0, max(2, outputs), row.samples) for _ in range(BATCHES)]
    Y = [(x[:, None] if row.is_binary else np.eye(outputs)[x]).astype(np.float32) for x in labels]
    weights = [(rng.normal(size=(b, a)) / np.sqrt(a)).astype(np.float32) for a, b in pairwise(row.units)]
    biases = [np.zeros((1, b), np.float32) for b in row.units[1:]]
    return Problem(row, X, Y, weights, biases)


def network_of(row: Row) -> bp.Network:
    """The network of a row, as Backproof has it."""
    hidden = [bp.Dense(n, "tanh" if row.is_binary else "relu") for n in row.units[1:-1]]
    last, loss = ("sigmoid", "bce") if row.is_binary else ("softmax", "cce")
    return bp.Network(row.units[0], [*hidden, bp.Dense(row.units[-1], last)], loss=loss)


class Ours:
    """One of our engines."""

    def __init__(self, data: Problem, kind: type[Engine] | type[NumpyEngine]) -> None:
        row, began = data.row, perf_counter()
        step = planned(bp.derive(network_of(row), layout="rows"), SGD(RATE)).step
        sizes = {size.name: size.value for x in (*step.data, *step.state) for size in x.shape if size.value}
        lengths = {**sizes, "m": row.samples}
        self._engine: Any = Engine(step, lengths, threads=threads.COUNT) if kind is Engine else kind(step, lengths)
        self.compiled = perf_counter() - began
        given = {f"W[{k}]": w for k, w in enumerate(data.weights, 1)}
        given |= {f"b[{k}]": b for k, b in enumerate(data.biases, 1)}
        self._memory = self._engine.memory({x: given[str(x.symbol)] for x in step.state})
        arrays = {"X": data.X, "Y": data.Y}
        self._data = [self._engine.laid_out(x, arrays[str(x.symbol)]) for x in step.data]

    def run(self, steps: int) -> Array:
        found: Array = self._engine.run(self._data, np.full((steps, 1), RATE), self._memory, BATCHES)
        return found


def forward(xp: Any, row: Row, X: Any, Y: Any, weights: Sequence[Any], biases: Sequence[Any]) -> Any:
    """The loss in NumPy's words, which JAX understands too."""
    a = X
    for k, (w, b) in enumerate(zip(weights, biases, strict=True)):
        z = a @ w.T + b
        a = z if k == len(weights) - 1 else xp.tanh(z) if row.is_binary else xp.maximum(z, 0)
    if row.is_binary:
        return xp.sum(xp.logaddexp(0, a) - Y * a) / row.samples
    shifted = a - xp.max(a, axis=1, keepdims=True)
    return -xp.sum(Y * (shifted - xp.log(xp.sum(xp.exp(shifted), axis=1, keepdims=True)))) / row.samples


class Jax:
    """JAX: many steps in one compiled loop, or a compiled step called from Python.

    `step` takes parameters and a batch, and gives new parameters and the loss; `whole` is all batches, stacked.
    """

    def __init__(self, step: Callable[[Any, Any], Any], whole: Any, parameters: Any, *, loops: bool) -> None:
        self._loops, self._whole, self._parameters = loops, whole, parameters
        self._batches = [jax.tree.map(itemgetter(k), whole) for k in range(BATCHES)]

        def take(count: Any, parameters: Any, whole: Any) -> Any:
            def body(k: Any, carried: Any) -> Any:
                parameters, losses = carried
                batch = jax.tree.map(lambda x: jax.lax.dynamic_index_in_dim(x, k % BATCHES, keepdims=False), whole)
                parameters, loss = step(parameters, batch)
                return parameters, losses.at[k].set(loss)

            return jax.lax.fori_loop(0, count, body, (parameters, jnp.zeros(MOST_STEPS)))

        began = perf_counter()
        self._step, self._take = jax.jit(step), jax.jit(take)
        first = self._take(1, parameters, whole) if loops else self._step(parameters, self._batches[0])
        jax.block_until_ready(first)
        self.compiled = perf_counter() - began

    def run(self, steps: int) -> Array:
        losses = []
        if self._loops:
            while steps > 0:
                count = min(steps, MOST_STEPS)
                self._parameters, found = self._take(count, self._parameters, self._whole)
                losses.append(np.asarray(found)[:count])
                steps -= count
            return np.concatenate(losses)
        for k in range(steps):
            self._parameters, loss = self._step(self._parameters, self._batches[k % BATCHES])
            losses.append(loss)
        return np.array([float(x) for x in losses])


def descent(loss: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A step of gradient descent in JAX's words; the loss is of parameters and a batch."""

    def step(parameters: Any, batch: Any) -> Any:
        value, slopes = jax.value_and_grad(loss)(parameters, batch)
        return jax.tree.map(lambda p, g: p - RATE * g, parameters, slopes), value

    return step


def in_jax(data: Problem, *, loops: bool) -> Jax:
    """JAX on a network of dense layers."""
    step = descent(lambda parameters, batch: forward(jnp, data.row, *batch, *parameters))
    parameters = [*map(jnp.asarray, data.weights)], [*map(jnp.asarray, data.biases)]
    return Jax(step, (jnp.stack(data.X), jnp.stack(data.Y)), parameters, loops=loops)


class Torch:
    """PyTorch, operation by operation, with its own optimiser."""

    compiled = 0.0

    def __init__(self, data: Problem) -> None:
        torch.set_num_threads(threads.COUNT)
        row, layers = data.row, []
        for k, (w, b) in enumerate(zip(data.weights, data.biases, strict=True)):
            layer = torch.nn.Linear(w.shape[1], w.shape[0])
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(w))
                layer.bias.copy_(torch.from_numpy(b[0]))
            layers.append(layer)
            if k < len(data.weights) - 1:
                layers.append(torch.nn.Tanh() if row.is_binary else torch.nn.ReLU())
        self._net = torch.nn.Sequential(*layers)
        self._optimiser = torch.optim.SGD(self._net.parameters(), lr=RATE)
        self._loss = torch.nn.BCEWithLogitsLoss() if row.is_binary else torch.nn.CrossEntropyLoss()
        self._batches = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in zip(data.X, data.Y, strict=True)]

    def run(self, steps: int) -> Array:
        losses = []
        for k in range(steps):
            X, Y = self._batches[k % BATCHES]
            self._optimiser.zero_grad()
            loss = self._loss(self._net(X), Y)
            loss.backward()
            self._optimiser.step()
            losses.append(loss.detach())
        return np.array([float(x) for x in losses])


class TorchCompiled:
    """PyTorch, forward pass, backward pass and update compiled together."""

    def __init__(self, data: Problem) -> None:
        torch.set_num_threads(threads.COUNT)
        row = data.row
        self._parameters = [torch.from_numpy(x.copy()) for x in (*data.weights, *(b[0] for b in data.biases))]
        self._batches = [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in zip(data.X, data.Y, strict=True)]

        def loss(parameters: Sequence[Any], X: Any, Y: Any) -> Any:
            a, layers = X, len(parameters) // 2
            for k in range(layers):
                z = F.linear(a, parameters[k], parameters[layers + k])
                a = z if k == layers - 1 else torch.tanh(z) if row.is_binary else torch.relu(z)
            return F.binary_cross_entropy_with_logits(a, Y) if row.is_binary else F.cross_entropy(a, Y)

        def step(parameters: Sequence[Any], X: Any, Y: Any) -> Any:
            slopes, value = torch.func.grad_and_value(loss)(parameters, X, Y)
            return [p - RATE * g for p, g in zip(parameters, slopes, strict=True)], value

        torch.compiler.reset()  # what was compiled for other lengths is not for these
        began = perf_counter()
        self._step = torch.compile(step, dynamic=False)
        self._step(self._parameters, *self._batches[0])
        self.compiled = perf_counter() - began

    def run(self, steps: int) -> Array:
        losses = []
        for k in range(steps):
            self._parameters, loss = self._step(self._parameters, *self._batches[k % BATCHES])
            losses.append(loss)
        return np.array([float(x) for x in losses])


class Sklearn:
    """scikit-learn: epochs of its own training; for the first steps, whose losses are compared, one after the other."""

    compiled = 0.0

    def __init__(self, data: Problem) -> None:
        row = data.row
        self._batches = list(zip(data.X, (self._labels(row, y) for y in data.Y), strict=True))
        self._whole = np.concatenate([x for x, _ in self._batches]), np.concatenate([y for _, y in self._batches])
        self._net: Any = MLPClassifier(
            hidden_layer_sizes=row.units[1:-1],
            activation="tanh" if row.is_binary else "relu",
            solver="sgd",
            learning_rate_init=RATE,
            momentum=0.0,
            alpha=0.0,
            batch_size=row.samples,
            shuffle=False,
            n_iter_no_change=10**9,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._net.partial_fit(*self._batches[0], classes=np.arange(max(2, row.units[-1])))
        for own, given in zip(self._net.coefs_, data.weights, strict=True):
            own[...] = given.T
        for own, given in zip(self._net.intercepts_, data.biases, strict=True):
            own[...] = given[0]

    @staticmethod
    def _labels(row: Row, Y: Array) -> Array:
        return Y[:, 0].astype(int) if row.is_binary else Y.argmax(axis=1)

    def run(self, steps: int) -> Array:
        if steps > CHECKED:
            self._net.set_params(warm_start=True, max_iter=steps // BATCHES)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._net.fit(*self._whole)
            return np.array(self._net.loss_curve_)
        losses = []
        for k in range(steps):
            self._net.partial_fit(*self._batches[k % BATCHES])
            losses.append(self._net.loss_)
        return np.array(losses)


SYSTEMS: dict[str, Callable[[Problem], System]] = {
    "Backproof, native": lambda data: Ours(data, Engine),
    "Backproof, NumPy": lambda data: Ours(data, NumpyEngine),
    "JAX, loop": lambda data: in_jax(data, loops=True),
    "JAX, steps": lambda data: in_jax(data, loops=False),
    "PyTorch, compiled": TorchCompiled,
    "PyTorch": Torch,
    "scikit-learn": Sklearn,
}


def products(data: Problem) -> float:
    """The seconds that the matrix products of a step take in NumPy, the best of some."""
    factors = []
    for k, w in enumerate(data.weights):
        above = np.ones((data.row.samples, w.shape[0]), np.float32)
        below = np.ones((data.row.samples, w.shape[1]), np.float32)
        factors += [(below, w.T), (above.T, below), *([(above, w)] if k else [])]
    times = []
    for _ in range(20):
        began = threads.now()
        for a, b in factors:
            a @ b
        times.append(threads.now() - began)
    return min(times)
