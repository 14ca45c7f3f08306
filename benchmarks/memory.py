"""How much memory a training takes at its peak, beside PyTorch, JAX and scikit-learn.

    python benchmarks/memory.py [--rows M,L] [--json FILE]      (on Linux, with torch, jax, sklearn and llvmlite)

Each system runs in a process of its own that has loaded all of them and made the data; what is told is by how much the
peak of its memory goes up from there until it has taken some steps. What compiling takes is in it.
"""

from __future__ import annotations

# isort: off
import threads  # noqa: F401  says how many threads there are, before anything counts them

# isort: on
import argparse
import json
from multiprocessing import get_context
from pathlib import Path

from dense import ROWS, SYSTEMS, problem

STEPS = 40


def peak(name: str, system: str) -> int:
    """By how many bytes the peak goes up; to be called in a process of its own."""
    data = problem(ROWS[name])
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak is what is held now
    before = _most()
    SYSTEMS[system](data).run(STEPS)
    return _most() - before


def _most() -> int:
    """The bytes that this process has held at most."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (count,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return 1024 * int(count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", default="M,L", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--json", metavar="FILE", help="writes what was measured")
    options = parser.parse_args()
    found = []
    for name in options.rows.split(","):
        data = problem(ROWS[name])
        held = sum(x.nbytes for x in (*data.weights, *data.biases))
        print(f"\n{ROWS[name].name} samples; the parameters are {held / 2**20:.1f} MiB")
        peaks = {}
        for system in SYSTEMS:
            with get_context("spawn").Pool(1) as pool:
                peaks[system] = pool.apply(peak, (name, system))
            print(f"{system:18}{peaks[system] / 2**20:10.1f} MiB", flush=True)
        found.append({"row": ROWS[name].name, "parameters": held, "peaks": peaks})
    if options.json:
        Path(options.json).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
