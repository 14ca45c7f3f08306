"""How long checks take: of gradients, entry by entry, beside PyTorch and JAX; of somebody's backward pass; cold.

    python benchmarks/check.py        (torch and jax have to be installed)

All on one thread, in one run; the time is the processor's, so that what else runs does not count. The first table is of
a two-layer network with 10,000 parameters: `gradcheck` compares every entry in slow mode and random projections in fast
mode, `check_grads` compares one random direction. Each figure is the best of some rounds; to ours belongs the backward
pass that is checked, as it does to theirs.
"""

from __future__ import annotations

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import passes
import torch
from jax.test_util import check_grads

import backproof as bp

ROUNDS = 3
NAMES = ("W1", "b1", "W2", "b2")
DOCTOR = Path(__file__).parent.parent / "docs" / "doctor.md"


def two_layers(samples: int = 32) -> dict[str, Any]:
    """100 inputs, 90 hidden nodes, 10 outputs: 10,000 parameters."""
    rng = np.random.default_rng(0)
    return {
        "X": rng.normal(size=(100, samples)),
        "Y": rng.integers(0, 2, (10, samples)).astype(float),
        "W1": rng.normal(size=(90, 100)) / 10,
        "b1": rng.normal(size=(90, 1)),
        "W2": rng.normal(size=(10, 90)) / 10,
        "b2": rng.normal(size=(10, 1)),
    }


def loss(xp: Any) -> Callable[..., Any]:
    """The network in plain NumPy, in JAX's, or with PyTorch."""

    def function(X: Any, Y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
        A1 = xp.tanh(W1 @ X + b1)
        A2 = 1 / (1 + xp.exp(-(W2 @ A1 + b2)))
        return -xp.sum(Y * xp.log(A2) + (1 - Y) * xp.log(1 - A2)) / X.shape[1]

    return function


def best(action: Callable[[], object]) -> float:
    """The shortest time of some rounds, in seconds."""
    times = []
    for _ in range(ROUNDS):
        start = spent()
        assert action()
        times.append(spent() - start)
    return min(times)


def spent() -> float:
    """The processor's time so far, in seconds; processes that have ended count too."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def gradients() -> None:
    """Every entry of the gradients of the two-layer network."""
    arguments = two_layers()
    derivation = bp.derive(loss(np), arguments, wrt=NAMES)
    data = [torch.tensor(arguments[name]) for name in ("X", "Y")]
    leaves = tuple(torch.tensor(arguments[name], requires_grad=True) for name in NAMES)
    fixed = jnp.asarray(arguments["X"]), jnp.asarray(arguments["Y"])
    traced = jax.jit(lambda *weights: loss(jnp)(*fixed, *weights))
    weights = tuple(jnp.asarray(arguments[name]) for name in NAMES)

    def ours() -> bool:
        report = bp.check(bp.run(derivation))
        assert all(verdict.whole for verdict in report.verdicts)
        return report.ok

    def gradcheck(*, fast: bool) -> bool:
        return torch.autograd.gradcheck(lambda *weights: loss(torch)(*data, *weights), leaves, fast_mode=fast)

    def with_jax() -> bool:
        check_grads(traced, weights, order=1, modes=["rev"])
        return True

    own = best(ours)
    rows = {
        "backproof, every entry": own,
        "torch gradcheck, slow: every entry": best(lambda: gradcheck(fast=False)),
        "torch gradcheck, fast: projections": best(lambda: gradcheck(fast=True)),
        "jax check_grads: one direction": best(with_jax),
    }
    print("two layers, 10,000 parameters")
    for name, seconds in rows.items():
        print(f"  {name:<40}{seconds:>9.4f} s{seconds / own:>9.1f} times")


def diagnoses() -> None:
    """Backward passes of a network of ten layers, diagnosed."""
    arguments = passes.arguments()
    count = sum(parameter.size for parameter in arguments["params"].values())
    print(f"{passes.LAYERS} layers, {count:,} parameters")
    for backward in passes.PASSES:
        start = spent()
        diagnosis = bp.diagnose(passes.forward, backward, arguments)
        seconds = spent() - start
        named = sorted({edit.mistake for finding in diagnosis.wrong for edit in finding.mistakes})
        verdict = "right" if diagnosis.ok else f"{len(diagnosis.wrong)} wrong: {', '.join(named) or 'not recognised'}"
        print(f"  {backward.__name__:<40}{seconds:>9.2f} s  {verdict}")


def command() -> None:
    """The command on the documentation's example, in a new process each time."""
    source, data = re.findall(r"```python\n(.*?)```", DOCTOR.read_text(encoding="utf-8"), re.DOTALL)[:2]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "twolayer.py").write_text(source, encoding="utf-8")
        subprocess.run([sys.executable, "-c", data], cwd=folder, check=True)
        words = ["check", "twolayer.py:forward,backward", "--data", "arguments.npz"]

        def check() -> bool:
            ran = subprocess.run([sys.executable, "-m", "backproof", *words], cwd=folder, capture_output=True)
            return ran.returncode == 1

        print("backproof check twolayer.py:forward,backward, a new process")
        print(f"  {'':<40}{best(check):>9.2f} s")


def main() -> None:
    """Prints the three tables."""
    torch.set_num_threads(1)
    jax.config.update("jax_enable_x64", True)
    gradients()
    diagnoses()
    command()


if __name__ == "__main__":
    main()
