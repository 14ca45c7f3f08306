"""What a derivation costs as the network grows deeper: time per layer, and against the products of one training step.

    python benchmarks/derive.py [LAYERS ...]

Each row derives a network of dense layers (8 nodes, tanh, mean squared error), makes its document and prints it for a
terminal, in one process, best of three, without the garbage collector, as the command line runs. The last column is the
ratio to one forward pass of the same network in NumPy on 64 samples: a machine's speed divides out of it.
"""

from __future__ import annotations

import gc
import io
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from rich.console import Console

import backproof as bp
from backproof.write.doc import Document
from backproof.write.document import document
from backproof.write.terminal import terminal

DEPTHS = (10, 100, 1_000, 5_000)


def best(action: Callable[[], object], runs: int = 3) -> float:
    """The shortest time of several runs, in seconds."""
    times = []
    for _ in range(runs):
        gc.collect()
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def forward(depth: int) -> Callable[[], object]:
    """The peer: the network's forward pass in plain NumPy."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(8, 8)) for _ in range(depth)]
    x = rng.normal(size=(8, 64))

    def run() -> object:
        a = x
        for w in weights:
            a = np.tanh(w @ a)
        return a

    return run


def printed(content: Document) -> None:
    """Prints a document into a string."""
    terminal(content, Console(file=io.StringIO(), width=100))


def main(depths: list[int]) -> None:
    """Prints the table."""
    gc.disable()
    bp.derive("8-8:tanh-8:tanh", mean="loss")  # SymPy's import and the scalar calculus are paid once, here
    print(f"{'layers':>7} {'derive':>9} {'document':>9} {'print':>9} {'a layer':>10} {'per forward pass':>17}")
    for depth in depths:
        network = bp.Network(8, [bp.Dense(8, "tanh")] * depth, loss="mean_squared_error")
        derivation = bp.derive(network)
        content = document(derivation)
        times = (
            best(partial(bp.derive, network)),
            best(partial(document, derivation)),
            best(partial(printed, content)),
        )
        total = sum(times)
        cells = " ".join(f"{seconds:8.3f}s" for seconds in times)
        print(f"{depth:7d} {cells} {total / depth * 1e3:8.3f}ms {total / best(forward(depth)):17.0f}", flush=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or list(DEPTHS))
