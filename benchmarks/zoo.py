"""Forward and backward pass of networks in plain NumPy: the exported program, run many times, beside HIPS/autograd.

    python benchmarks/zoo.py        (autograd has to be installed: pip install autograd)

Both run in this process, by turns; each figure is the best of some rounds, the ratio that of their time to ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import autograd
import autograd.numpy
import numpy as np
from networks import cases

import backproof as bp
from backproof.execution.export import compiled, program

ROUNDS = 15


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
