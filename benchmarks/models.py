"""How long a step of a training takes of an LSTM, a convolutional network and a block of attention.

    python benchmarks/models.py [--models lstm,convolution,attention] [--rounds 7] [--json FILE]

(torch, jax and llvmlite have to be installed.)

Each is a plain NumPy function, which Backproof traces and derives; PyTorch and JAX have it in their own words, with the
layers that they bring. What is measured, and how, is as in train.py, whose rounds these are.
"""

from __future__ import annotations

# isort: off
import threads  # says how many threads there are, before anything counts them

# isort: on
import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import dense
import jax
import jax.numpy as jnp
import numpy as np
import torch
import torch.nn.functional as F
from timing import BATCHES, RATE, Array, System, compared, write_json

import backproof as bp
from backproof.execution.engine import Engine
from backproof.execution.numpy_engine import NumpyEngine
from backproof.training.optimisers import SGD
from backproof.training.steps import planned

Arrays = Mapping[str, Any]


@dataclass(frozen=True)
class Model:
    """A model: what it is called, its loss in each system's words, its data and its first parameters.

    ours, jax  functions of the parameters and the data, by name
    torch      the same of tensors
    turned     parameters that PyTorch keeps the other way round
    """

    title: str
    ours: Callable[..., Any]
    torch: Callable[..., Any]
    jax: Callable[..., Any]
    data: Callable[[np.random.Generator], Arrays]
    parameters: Callable[[np.random.Generator], Arrays]
    turned: tuple[str, ...] = ()


# --- LSTM: sequences of 20 vectors, a class for each

UNITS, INPUTS, CLASSES, TIMES, SEQUENCES = 64, 32, 10, 20, 32


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def lstm(X: Array, Y: Array, Wx: Array, Wh: Array, b: Array, V: Array, c0: Array) -> Any:
    h = np.zeros((X.shape[0], Wh.shape[0]))
    c = np.zeros_like(h)
    n = Wh.shape[0]
    for t in range(X.shape[1]):
        z = X[:, t] @ Wx + h @ Wh + b
        i, f = sigmoid(z[:, :n]), sigmoid(z[:, n : 2 * n])
        g, o = np.tanh(z[:, 2 * n : 3 * n]), sigmoid(z[:, 3 * n :])
        c = f * c + i * g
        h = o * np.tanh(c)
    logits = h @ V + c0
    shifted = logits - logits.max(axis=1, keepdims=True)
    return -np.mean(np.sum(Y * (shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))), axis=1))


def lstm_torch(X: Any, Y: Any, Wx: Any, Wh: Any, b: Any, V: Any, c0: Any) -> Any:
    # Wx and Wh come as PyTorch's own layer keeps them: [4 units, inputs] and [4 units, units].
    zero = torch.zeros(1, X.shape[0], Wh.shape[1])
    weights = [Wx, Wh, b, torch.zeros_like(b)]
    _, h, _ = torch.lstm(X, (zero, zero), weights, True, 1, 0.0, True, False, True)
    return F.cross_entropy(h[0] @ V + c0, Y)


def lstm_jax(X: Any, Y: Any, Wx: Any, Wh: Any, b: Any, V: Any, c0: Any) -> Any:
    n = Wh.shape[0]

    def step(state: Any, x: Any) -> Any:
        h, c = state
        z = x @ Wx + h @ Wh + b
        i, f, o = (jax.nn.sigmoid(z[:, k * n : (k + 1) * n]) for k in (0, 1, 3))
        c = f * c + i * jnp.tanh(z[:, 2 * n : 3 * n])
        return (o * jnp.tanh(c), c), None

    zero = jnp.zeros((X.shape[0], n))
    (h, _), _ = jax.lax.scan(step, (zero, zero), jnp.swapaxes(X, 0, 1))
    return -jnp.mean(jnp.sum(Y * jax.nn.log_softmax(h @ V + c0), axis=1))


def scaled(rng: np.random.Generator, *shape: int) -> Array:
    return rng.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))


def one_hot(rng: np.random.Generator, count: int, classes: int) -> Array:
    return np.eye(classes)[rng.integers(0, classes, count)]


LSTM = Model(
    "LSTM, 20 times 64 units",
    lstm,
    lstm_torch,
    lstm_jax,
    lambda rng: {"X": rng.normal(size=(SEQUENCES, TIMES, INPUTS)), "Y": one_hot(rng, SEQUENCES, CLASSES)},
    lambda rng: {
        "Wx": scaled(rng, INPUTS, 4 * UNITS),
        "Wh": scaled(rng, UNITS, 4 * UNITS),
        "b": np.zeros(4 * UNITS),
        "V": scaled(rng, UNITS, CLASSES),
        "c0": np.zeros(CLASSES),
    },
    ("Wx", "Wh"),
)


# --- convolution: two layers with pooling, then a dense one, on images of 28 by 28

IMAGES, SIDE, FIRST, SECOND, KERNEL = 32, 28, 8, 16, 5
LEFT = ((SIDE - KERNEL + 1) // 2 - KERNEL + 1) // 2


def convolution(X: Array, Y: Array, K1: Array, b1: Array, K2: Array, b2: Array, V: Array, c0: Array) -> Any:
    a = X
    for kernels, bias in ((K1, b1), (K2, b2)):
        patches = np.lib.stride_tricks.sliding_window_view(a, kernels.shape[2:], axis=(2, 3))
        z = np.einsum("nchwij,kcij->nkhw", patches, kernels) + bias[:, None, None]
        r = np.maximum(z, 0)
        n, k, h, w = r.shape
        a = r.reshape(n, k, h // 2, 2, w // 2, 2).max(axis=(3, 5))
    logits = a.reshape(a.shape[0], -1) @ V + c0
    shifted = logits - logits.max(axis=1, keepdims=True)
    return -np.mean(np.sum(Y * (shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))), axis=1))


def convolution_torch(X: Any, Y: Any, K1: Any, b1: Any, K2: Any, b2: Any, V: Any, c0: Any) -> Any:
    a = F.max_pool2d(F.relu(F.conv2d(X, K1, b1)), 2)
    a = F.max_pool2d(F.relu(F.conv2d(a, K2, b2)), 2)
    return F.cross_entropy(a.flatten(1) @ V + c0, Y)


def convolution_jax(X: Any, Y: Any, K1: Any, b1: Any, K2: Any, b2: Any, V: Any, c0: Any) -> Any:
    a = X
    for kernels, bias in ((K1, b1), (K2, b2)):
        z = jax.lax.conv(a, kernels, (1, 1), "VALID") + bias[:, None, None]
        a = jax.lax.reduce_window(jnp.maximum(z, 0), -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    return -jnp.mean(jnp.sum(Y * jax.nn.log_softmax(a.reshape(a.shape[0], -1) @ V + c0), axis=1))


CONVOLUTION = Model(
    "two convolutions with pooling",
    convolution,
    convolution_torch,
    convolution_jax,
    lambda rng: {"X": rng.normal(size=(IMAGES, 1, SIDE, SIDE)), "Y": one_hot(rng, IMAGES, CLASSES)},
    lambda rng: {
        "K1": rng.normal(size=(FIRST, 1, KERNEL, KERNEL)) / KERNEL,
        "b1": np.zeros(FIRST),
        "K2": rng.normal(size=(SECOND, FIRST, KERNEL, KERNEL)) / KERNEL / np.sqrt(FIRST),
        "b2": np.zeros(SECOND),
        "V": scaled(rng, SECOND * LEFT**2, CLASSES),
        "c0": np.zeros(CLASSES),
    },
)


# --- attention: a block of a transformer, with four heads

TEXTS, WORDS, WIDTH, HEADS, HIDDEN = 8, 32, 64, 4, 256


def normalised(x: Array, scale: Array, shift: Array) -> Array:
    centred = x - x.mean(axis=-1, keepdims=True)
    return scale * centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5) + shift


def attention(X: Any, Y: Any, g1: Any, s1: Any, Wqkv: Any, Wo: Any, g2: Any, s2: Any, W1: Any, b1: Any, W2: Any) -> Any:
    n, t, d = X.shape
    qkv = normalised(X, g1, s1) @ Wqkv
    q, k, v = (qkv[..., j * d : (j + 1) * d].reshape(n, t, HEADS, d // HEADS).transpose(0, 2, 1, 3) for j in range(3))
    scores = q @ k.transpose(0, 1, 3, 2) / np.sqrt(d // HEADS)
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares = powers / powers.sum(axis=-1, keepdims=True)
    x = X + (shares @ v).transpose(0, 2, 1, 3).reshape(n, t, d) @ Wo
    hidden = np.maximum(normalised(x, g2, s2) @ W1 + b1, 0)
    return np.mean((x + hidden @ W2 - Y) ** 2)


def attention_torch(
    X: Any, Y: Any, g1: Any, s1: Any, Wqkv: Any, Wo: Any, g2: Any, s2: Any, W1: Any, b1: Any, W2: Any
) -> Any:
    n, t, d = X.shape
    qkv = F.layer_norm(X, (d,), g1, s1) @ Wqkv
    q, k, v = (x.reshape(n, t, HEADS, d // HEADS).transpose(1, 2) for x in qkv.chunk(3, dim=-1))
    heads = F.scaled_dot_product_attention(q, k, v)
    x = X + heads.transpose(1, 2).reshape(n, t, d) @ Wo
    hidden = F.relu(F.layer_norm(x, (d,), g2, s2) @ W1 + b1)
    return F.mse_loss(x + hidden @ W2, Y)


def attention_jax(
    X: Any, Y: Any, g1: Any, s1: Any, Wqkv: Any, Wo: Any, g2: Any, s2: Any, W1: Any, b1: Any, W2: Any
) -> Any:
    def norm(x: Any, scale: Any, shift: Any) -> Any:
        return scale * jax.nn.standardize(x, axis=-1, epsilon=1e-5) + shift

    n, t, d = X.shape
    q, k, v = (x.reshape(n, t, HEADS, d // HEADS) for x in jnp.split(norm(X, g1, s1) @ Wqkv, 3, axis=-1))
    x = X + jax.nn.dot_product_attention(q, k, v).reshape(n, t, d) @ Wo
    hidden = jnp.maximum(norm(x, g2, s2) @ W1 + b1, 0)
    return jnp.mean((x + hidden @ W2 - Y) ** 2)


ATTENTION = Model(
    "a block of attention",
    attention,
    attention_torch,
    attention_jax,
    lambda rng: {"X": rng.normal(size=(TEXTS, WORDS, WIDTH)), "Y": rng.normal(size=(TEXTS, WORDS, WIDTH))},
    lambda rng: {
        "g1": np.ones(WIDTH),
        "s1": np.zeros(WIDTH),
        "Wqkv": scaled(rng, WIDTH, 3 * WIDTH),
        "Wo": scaled(rng, WIDTH, WIDTH),
        "g2": np.ones(WIDTH),
        "s2": np.zeros(WIDTH),
        "W1": scaled(rng, WIDTH, HIDDEN),
        "b1": np.zeros(HIDDEN),
        "W2": scaled(rng, HIDDEN, WIDTH),
    },
)

MODELS = {"lstm": LSTM, "convolution": CONVOLUTION, "attention": ATTENTION}


# --- the systems


@dataclass(frozen=True, eq=False)
class Problem:
    """Batches of data, and first parameters, by name."""

    model: Model
    batches: list[Arrays]
    parameters: Arrays


def problem(model: Model) -> Problem:
    rng = np.random.default_rng(0)
    single = np.float32
    batches = [{name: x.astype(single) for name, x in model.data(rng).items()} for _ in range(BATCHES)]
    return Problem(model, batches, {name: x.astype(single) for name, x in model.parameters(rng).items()})


class Ours:
    """One of our engines, on the derivation of the NumPy function."""

    def __init__(self, data: Problem, kind: type[Engine] | type[NumpyEngine]) -> None:
        arguments = {**data.batches[0], **data.parameters}
        began = perf_counter()
        step = planned(bp.derive(data.model.ours, arguments, wrt=list(data.parameters)), SGD(RATE)).step
        self._engine: Any = kind(step, {step.samples.name: samples_of(data)})
        self.compiled = perf_counter() - began
        self._memory = self._engine.memory({x: data.parameters[str(x.symbol)] for x in step.state})
        self._data = [self._engine.laid_out(x, [b[str(x.symbol)] for b in data.batches]) for x in step.data]

    def run(self, steps: int) -> Array:
        found: Array = self._engine.run(self._data, np.full((steps, 1), RATE), self._memory, BATCHES)
        return found


def samples_of(data: Problem) -> int:
    return len(data.batches[0]["X"])


def in_jax(data: Problem, *, loops: bool) -> dense.Jax:
    """JAX on a model."""
    whole = {name: jnp.stack([b[name] for b in data.batches]) for name in data.batches[0]}
    parameters = {name: jnp.asarray(x) for name, x in data.parameters.items()}
    return dense.Jax(dense.descent(lambda p, batch: data.model.jax(**batch, **p)), whole, parameters, loops=loops)


class Torch:
    """PyTorch, operation by operation, with its own optimiser."""

    compiled = 0.0

    def __init__(self, data: Problem) -> None:
        torch.set_num_threads(threads.COUNT)
        self._loss = data.model.torch
        self._batches = [{name: torch.from_numpy(x) for name, x in b.items()} for b in data.batches]
        turned = {name: x.T.copy() if name in data.model.turned else x for name, x in data.parameters.items()}
        self._parameters = {name: torch.tensor(x, requires_grad=True) for name, x in turned.items()}
        self._optimiser = torch.optim.SGD(self._parameters.values(), lr=RATE)

    def run(self, steps: int) -> Array:
        losses = []
        for k in range(steps):
            self._optimiser.zero_grad()
            loss = self._loss(**self._batches[k % BATCHES], **self._parameters)
            loss.backward()
            self._optimiser.step()
            losses.append(loss.detach())
        return np.array([float(x) for x in losses])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", metavar="FILE", help="writes what was measured")
    options = parser.parse_args()
    found = []
    for name in options.models.split(","):
        data = problem(MODELS[name])
        running: dict[str, System] = {
            "Backproof, native": Ours(data, Engine),
            "Backproof, NumPy": Ours(data, NumpyEngine),
            "JAX, loop": in_jax(data, loops=True),
            "JAX, steps": in_jax(data, loops=False),
            "PyTorch": Torch(data),
        }
        print(f"\n{data.model.title}")
        found.append((data.model.title, compared(running, options.rounds)))
    write_json(options.json, found)


if __name__ == "__main__":
    main()
