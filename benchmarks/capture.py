"""What it takes to have every gradient on the way of every step, beside PyTorch's ways of keeping them.

    python benchmarks/capture.py [--rows S,M,L] [--rounds 7] [--json FILE]

(torch, jax, sklearn and llvmlite have to be installed.)

A forward and a backward pass in single precision, and the derivatives of J by every Z, A, W and b in the hands of the
caller. PyTorch keeps those by Z and A with `retain_grad`, or hands them to hooks; its plain backward pass, which keeps
none of them, stands beside. All gradients are compared before anything is timed.
"""

from __future__ import annotations

# isort: off
import threads

# isort: on
import argparse
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from dense import ROWS, Problem, network_of, problem
from timing import CLOSE, Array

import backproof as bp

SLICE = 0.05
"""About how many seconds each way is run in a round."""


def ours(data: Problem) -> Callable[[], Mapping[str, Array]]:
    """The trace of a derivation on other data each time."""
    derivation = bp.derive(network_of(data.row), layout="rows")
    parameters = {f"W[{k}]": w for k, w in enumerate(data.weights, 1)}
    parameters |= {f"b[{k}]": b for k, b in enumerate(data.biases, 1)}
    batch = (data.X[0], data.Y[0])
    return partial(bp.run, derivation, batch, parameters=parameters, dtype="float32")


class Torch:
    """A network in PyTorch, every quantity of which has a name."""

    def __init__(self, data: Problem) -> None:
        torch.set_num_threads(threads.COUNT)
        self._X, self._Y = torch.from_numpy(data.X[0]), torch.from_numpy(data.Y[0])
        self._weights = [torch.tensor(w, requires_grad=True) for w in data.weights]
        self._biases = [torch.tensor(b[0], requires_grad=True) for b in data.biases]

    def forward(self) -> tuple[Any, dict[str, Any]]:
        """The loss, and the quantities on the way that its gradients are asked for."""
        a, found = self._X, {}
        for k, (w, b) in enumerate(zip(self._weights, self._biases, strict=True), 1):
            found[f"dZ[{k}]"] = a = F.linear(a, w, b)
            if k < len(self._weights):
                found[f"dA[{k}]"] = a = torch.relu(a)
        return F.cross_entropy(a, self._Y), found

    def parameters(self) -> dict[str, Any]:
        """The gradients by the parameters."""
        found = {f"dW[{k}]": w.grad for k, w in enumerate(self._weights, 1)}
        return found | {f"db[{k}]": b.grad for k, b in enumerate(self._biases, 1)}

    def clear(self) -> None:
        for x in (*self._weights, *self._biases):
            x.grad = None

    def plain(self) -> dict[str, Any]:
        self.clear()
        self.forward()[0].backward()
        return self.parameters()

    def retained(self) -> dict[str, Any]:
        self.clear()
        loss, found = self.forward()
        for x in found.values():
            x.retain_grad()
        loss.backward()
        return self.parameters() | {name: x.grad for name, x in found.items()}

    def hooked(self) -> dict[str, Any]:
        self.clear()
        loss, found = self.forward()
        seen: dict[str, Any] = {}
        for name, x in found.items():
            x.register_hook(partial(seen.__setitem__, name))
        loss.backward()
        return self.parameters() | seen


def measured(name: str, rounds: int) -> dict[str, Any]:
    """Compares the gradients, and tells how many seconds each way takes."""
    data = problem(ROWS[name])
    net, trace = Torch(data), ours(data)
    ways = {"Backproof": trace, "retain_grad": net.retained, "hooks": net.hooked, "none kept": net.plain}
    right = trace()
    for way in (net.retained, net.hooked, net.plain):
        for quantity, x in way().items():
            own, far = right[quantity].reshape(x.shape), np.max(np.abs(right[quantity]))
            assert np.max(np.abs(own - x.numpy())) <= CLOSE * far, quantity
    times: dict[str, list[float]] = {way: [] for way in ways}
    counts = {way: max(1, int(SLICE / _seconds(run, 3))) for way, run in ways.items()}
    for _ in range(rounds):
        for way, run in ways.items():
            times[way].append(_seconds(run, counts[way]))
    middle = {way: median(own) for way, own in times.items()}
    print(f"\n{ROWS[name].name} samples, {len(right)} quantities")
    for way, value in middle.items():
        print(f"{way:14}{1e6 * value:10.4g} µs{value / middle['Backproof']:10.2f} ×", flush=True)
    return {"row": ROWS[name].name, "ways": middle}


def _seconds(run: Callable[[], object], count: int) -> float:
    began = threads.now()
    for _ in range(count):
        run()
    return (threads.now() - began) / count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="S,M,L", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", metavar="FILE", help="writes what was measured")
    options = parser.parse_args()
    found = [measured(name, options.rounds) for name in options.rows.split(",")]
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
