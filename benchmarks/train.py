"""How long a step of a training takes, beside PyTorch, JAX and scikit-learn.

    python benchmarks/train.py [--rows T4,S,M] [--threads 2] [--rounds 7] [--json FILE]

(torch, jax, sklearn and llvmlite have to be installed, and a C++ compiler for what PyTorch compiles.)

Gradient descent in single precision: forward pass, loss, backward pass and update. All systems begin with the same
parameters and take the same batches, in turn, round after round in one run. On one thread the time is the processor's,
so that what else runs does not count; on several it is the clock's. Before anything is timed the losses of the first
steps are compared. What is compiled is compiled before, and how long that took is told. The limit is what the products
take at the peak of the processor, and one way of all parameters; activations and the loss are not in it.
"""

from __future__ import annotations

# isort: off
import threads  # says how many threads there are, before anything counts them

# isort: on
import argparse
import shutil

from dense import ROWS, SYSTEMS, Row, problem, products
from limit import limit
from timing import Timed, compared, write_json


def measured(row: Row, rounds: int) -> tuple[str, dict[str, Timed]]:
    """What a step of a row takes each system, and what the products alone take."""
    data = problem(row)
    print(f"\n{row.name} samples, {threads.COUNT} thread(s)")
    print(f"limit {1e6 * limit(data):.4g} µs; the products alone in NumPy {1e6 * products(data):.4g} µs")
    names = [name for name in SYSTEMS if name != "PyTorch, compiled" or shutil.which("g++")]
    return row.name, compared({name: SYSTEMS[name](data) for name in names}, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="T4,T200,S,M,L", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", metavar="FILE", help="writes what was measured")
    options = parser.parse_args()
    write_json(options.json, [measured(ROWS[name], options.rounds) for name in options.rows.split(",")])


if __name__ == "__main__":
    main()
