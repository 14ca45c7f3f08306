"""What following NumPy code costs: microseconds of the processor an operation to follow, to derive and to print.

    python benchmarks/trace.py [OPERATIONS ...]

Each row follows a function on small arrays, so that NumPy's own time is small; it is measured in
the same run and taken off. The lower table calls the gradients of the networks in `networks.py` anew each time, beside
HIPS/autograd, where that is installed.
"""

from __future__ import annotations

import gc
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from networks import cases

import backproof as bp
from backproof.frontends.tracing.trace import trace

OPERATIONS = (100, 1_000, 10_000, 100_000)
ROUNDS = 10


def chain(steps: int) -> Callable[..., Any]:
    """A function of three operations a step."""

    def loss(w: Any, x: Any) -> Any:
        for _ in range(steps):
            x = np.tanh(x) * w + x
        return np.sum(x)

    return loss


def blocks(count: int) -> Callable[..., Any]:
    """Attention on attention, of fourteen operations a block."""

    def loss(Wq: Any, Wk: Any, Wv: Any, x: Any) -> Any:
        for _ in range(count):
            Q, K, V = x @ Wq, x @ Wk, x @ Wv
            scores = Q @ K.T / 2.0
            E = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
            P = E / np.sum(E, axis=-1, keepdims=True)
            x = np.tanh(x + P @ V)
        return np.sum(x)

    return loss


def counting(steps: int) -> Callable[..., Any]:
    """A function of three operations a step, with a number of its own in each."""

    def loss(w: Any, x: Any) -> Any:
        for k in range(steps):
            x = np.tanh(x * (k / steps)) + w
        return np.sum(x)

    return loss


def functions(sizes: list[int]) -> Iterator[tuple[str, int, Callable[..., Any], dict[str, Any]]]:
    """What is followed: a name, the number of its operations, the function, its arguments."""
    for n in sizes:
        yield "chain", n, chain(n // 3), {"w": np.full(3, 0.01), "x": np.linspace(-1, 1, 3)}
        yield "counting", n, counting(n // 3), {"w": np.full(3, 0.01), "x": np.linspace(-1, 1, 3)}
    make, arguments = cases()["LSTM, 50 steps"]
    yield "LSTM, 50 steps", 24 * 50 + 2, make(np), arguments
    rng = np.random.default_rng(0)
    yield "attention", 14 * 80 + 1, blocks(80), {name: rng.normal(size=(4, 4)) for name in ("Wq", "Wk", "Wv", "x")}


def seconds(action: Callable[[], Any]) -> float:
    """The processor's time for an action, without the garbage collector, as the command line runs.

    That of a clock would count what else the machine does meanwhile.
    """
    gc.collect()
    gc.disable()
    start = time.process_time()
    action()
    passed = time.process_time() - start
    gc.enable()
    return passed


def costs(function: Callable[..., Any], arguments: dict[str, Any], rounds: int) -> tuple[float, float, float]:
    """Seconds to follow a function beyond NumPy's own, to derive it after that, and to print the derivation."""
    numpys, followed, derived, printed = [], [], [], []
    for _ in range(rounds):
        numpys.append(seconds(lambda: function(**arguments)))
        followed.append(seconds(lambda: trace(function, arguments)))
        derived.append(seconds(lambda: bp.derive(function, arguments)))
        derivation = bp.derive(function, arguments)
        printed.append(seconds(lambda: bp.render(derivation, "text")))  # noqa: B023
    return min(followed) - min(numpys), min(derived) - min(followed), min(printed)


def gradients() -> None:
    """The table of gradients that are followed anew at every call."""
    import autograd
    import autograd.numpy

    from backproof.autograd import value_and_grad

    print(f"\n{'network':<16}{'autograd':>12}{'backproof':>12}{'ratio':>8}")
    for name, (make, arguments) in cases().items():
        wrt = [k for k, n in enumerate(arguments) if n not in ("X", "Y", "xs")]
        theirs = autograd.value_and_grad(make(autograd.numpy), wrt)
        ours = value_and_grad(make(np), wrt)
        values = list(arguments.values())
        for one, other in zip(theirs(*values)[1], ours(*values)[1], strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-8, atol=1e-10)
        times = [(seconds(lambda: theirs(*values)), seconds(lambda: ours(*values))) for _ in range(ROUNDS)]  # noqa: B023
        a, b = min(t for t, _ in times), min(t for _, t in times)
        print(f"{name:<16}{1e3 * a:>9.2f} ms{1e3 * b:>9.2f} ms{a / b:>8.2f}")


def main(sizes: list[int]) -> None:
    """Prints the tables."""
    for _, _, function, arguments in functions([99]):  # SymPy's import and its derivatives are paid once, here
        bp.derive(function, arguments)
    print(f"{'function':<16}{'operations':>10}{'follow':>12}{'derive':>12}{'print':>12}")
    for name, operations, function, arguments in functions(sizes):
        rounds = 3 if operations <= 10_000 else 1
        cells = "".join(f"{1e6 * cost / operations:>9.1f} µs" for cost in costs(function, arguments, rounds))
        print(f"{name:<16}{operations:>10}{cells}", flush=True)
    if importlib.util.find_spec("autograd") is not None:
        gradients()


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or list(OPERATIONS))
