"""Forward and backward pass of networks in plain NumPy: the exported program, run many times, beside HIPS/autograd.

    python benchmarks/zoo.py        (autograd has to be installed: pip install autograd)

Both run in this process, by turns; each figure is the best of some rounds, the ratio that of their time to ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import autograd
import autograd.numpy
import numpy as np

import backproof as bp
from backproof.execution.export import compiled, program

ROUNDS = 15
Case = tuple[Callable[[Any], Callable[..., Any]], dict[str, Any]]


def mlp(np: Any) -> Callable[..., Any]:
    def loss(W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, X: Any, Y: Any) -> Any:
        A1 = np.tanh(X @ W1 + b1)
        A2 = np.tanh(A1 @ W2 + b2)
        return np.mean((A2 @ W3 + b3 - Y) ** 2)

    return loss


def lstm(np: Any) -> Callable[..., Any]:
    def sigmoid(z: Any) -> Any:
        return 1 / (1 + np.exp(-z))

    def loss(Wf: Any, Wi: Any, Wo: Any, Wg: Any, xs: Any) -> Any:
        h = c = np.zeros(16)
        for t in range(50):
            z = np.concatenate([h, xs[t]])
            c = sigmoid(Wf @ z) * c + sigmoid(Wi @ z) * np.tanh(Wg @ z)
            h = sigmoid(Wo @ z) * np.tanh(c)
        return np.sum(h**2)

    return loss


def attention(np: Any) -> Callable[..., Any]:
    def loss(Wq: Any, Wk: Any, Wv: Any, X: Any) -> Any:
        Q, K, V = X @ Wq, X @ Wk, X @ Wv
        S = Q @ np.swapaxes(K, -1, -2) / 4.0
        E = np.exp(S - np.max(S, axis=-1, keepdims=True))
        P = E / np.sum(E, axis=-1, keepdims=True)
        return np.mean((X + P @ V) ** 2)

    return loss


def convolution(np: Any) -> Callable[..., Any]:
    def loss(K: Any, b: Any, W: Any, X: Any) -> Any:
        out = b[:, None, None]
        for i in range(3):
            for j in range(3):
                out = out + np.einsum("ncyx,oc->noyx", X[:, :, i : i + 14, j : j + 14], K[:, :, i, j])
        A = np.maximum(out, 0)
        return np.sum((np.mean(A, axis=(2, 3)) @ W) ** 2)

    return loss


def cases() -> Mapping[str, Case]:
    """Each network and its arguments."""
    rng = np.random.default_rng(0)

    def drawn(**shapes: tuple[int, ...]) -> dict[str, Any]:
        return {name: rng.normal(size=shape) / shape[0] ** 0.5 for name, shape in shapes.items()}

    layers = {"W1": (64, 64), "b1": (64,), "W2": (64, 64), "b2": (64,), "W3": (64, 10), "b3": (10,)}
    return {
        "MLP": (mlp, drawn(**layers, X=(128, 64), Y=(128, 10))),
        "LSTM, 50 steps": (lstm, drawn(**{f"W{gate}": (16, 24) for gate in "fiog"}, xs=(50, 8))),
        "attention": (attention, drawn(Wq=(16, 16), Wk=(16, 16), Wv=(16, 16), X=(8, 32, 16))),
        "convolution": (convolution, drawn(K=(8, 3, 3, 3), b=(8,), W=(8, 4), X=(16, 3, 16, 16))),
    }


def best(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    print(f"{'network':<16}{'autograd':>12}{'backproof':>12}{'ratio':>8}")
    for name, (make, arguments) in cases().items():
        names = list(arguments)
        wrt = [n for n in names if n not in ("X", "Y", "xs")]
        theirs = autograd.value_and_grad(make(autograd.numpy), [names.index(n) for n in wrt])
        derivation = bp.derive(make(np), arguments, wrt=wrt)
        function, values = compiled(derivation), [x.attrs["value"] for x in program(derivation).inputs]

        def ours(function: Any = function, values: Any = values) -> Any:
            return function(*values)

        expected = theirs(*arguments.values())[1]
        found = ours()[1]
        for n, gradient in zip(wrt, expected, strict=True):
            np.testing.assert_allclose(found[n], gradient, rtol=1e-8, atol=1e-10)
        times = [(best(lambda: theirs(*arguments.values())), best(ours)) for _ in range(ROUNDS)]  # noqa: B023
        a, b = min(t for t, _ in times), min(t for _, t in times)
        print(f"{name:<16}{1e3 * a:>9.2f} ms{1e3 * b:>9.2f} ms{a / b:>8.2f}")


if __name__ == "__main__":
    main()
