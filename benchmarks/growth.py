"""How the cost of a step of a training grows as width, depth and batch double.

    python benchmarks/growth.py [--threads 2] [--rounds 5] [--json FILE]

What is measured, and how, is as in train.py: gradient descent on networks of dense layers, 128 inputs and ten classes.
"""

from __future__ import annotations

# isort: off
import threads  # says how many threads there are, before anything counts them

# isort: on
import argparse

from dense import SYSTEMS, Row, problem
from timing import Timed, compared, write_json

NAMES = ("Backproof, native", "Backproof, NumPy", "JAX, loop", "PyTorch")
WIDTHS = {f"width {n}": Row((128, n, 10), 64) for n in (16, 32, 64, 128, 256, 512, 1024)}
DEPTHS = {f"depth {n}": Row((128, *[128] * n, 10), 64) for n in (1, 2, 4, 8, 16)}
BATCHES = {f"batch {n}": Row((128, 128, 10), n) for n in (8, 16, 32, 64, 128, 256, 512, 1024)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE", help="writes what was measured")
    options = parser.parse_args()
    found: list[tuple[str, dict[str, Timed]]] = []
    for name, row in {**WIDTHS, **DEPTHS, **BATCHES}.items():
        data = problem(row)
        print(f"\n{name}, {threads.COUNT} thread(s)")
        found.append((name, compared({x: SYSTEMS[x](data) for x in NAMES}, options.rounds)))
    write_json(options.json, found)


if __name__ == "__main__":
    main()
