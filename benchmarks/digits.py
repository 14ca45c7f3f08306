"""How long a classifier of digits takes to be as good as scikit-learn's own.

    python benchmarks/digits.py [--rounds 7] [--json FILE]

(sklearn has to be installed.)

`MLPClassifier` and `BackproofClassifier` learn the same digits, in turn, with what both take where nothing is said, and
with more and larger steps (`QUICK`). Accuracy is that on a third of the digits which none of them has seen; it and the
seconds on the clock are medians of all rounds, each of which parts the digits anew. The first fit, before the rounds,
has a time of its own: native code is compiled in it, and taken from the cache later.
"""

from __future__ import annotations

# isort: off
import threads  # noqa: F401  # says how many threads there are, before anything counts them

# isort: on
import argparse
import json
import os
import tempfile
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from backproof.estimators import BackproofClassifier

QUICK: Mapping[str, Any] = {"batch_size": 32, "max_iter": 25, "learning_rate_init": 0.003}
"""Other steps than where nothing is said, which are batches of 200, up to 200 epochs and a rate of 0.001."""
NATIVE: Mapping[str, Any] = {"engine": "native"}
SYSTEMS: Mapping[str, tuple[type[Any], Mapping[str, Any]]] = {
    "scikit-learn": (MLPClassifier, {}),
    "Backproof, native": (BackproofClassifier, NATIVE),
    "Backproof, NumPy": (BackproofClassifier, {"engine": "numpy"}),
    "scikit-learn, more and larger steps": (MLPClassifier, QUICK),
    "Backproof, native, more and larger steps": (BackproofClassifier, {**QUICK, **NATIVE}),
    "Backproof, NumPy, more and larger steps": (BackproofClassifier, {**QUICK, "engine": "numpy"}),
}


def measured(rounds: int) -> list[dict[str, Any]]:
    """What each system took, and how good it was."""
    X, y = load_digits(return_X_y=True)
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in SYSTEMS}
    first: dict[str, float] = {}
    for seed in range(-1, rounds):
        own, unseen, own_labels, labels = train_test_split(X / 16, y, test_size=1 / 3, random_state=seed + 1)
        for name, (system, parameters) in SYSTEMS.items():
            began = time.perf_counter()
            learned = system(random_state=seed + 1, **parameters).fit(own, own_labels)
            took = time.perf_counter() - began
            if seed < 0:
                first[name] = took
            else:
                found[name].append((took, learned.score(unseen, labels)))
    return [
        {
            "system": name,
            "first": first[name],
            "seconds": median(s for s, _ in own),
            "accuracy": median(a for _, a in own),
        }
        for name, own in found.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", metavar="FILE", help="writes what was measured")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["BACKPROOF_CACHE"] = cache
        rows = measured(options.rounds)
    slowest = rows[0]["seconds"]
    print(f"{'':42}{'seconds':>9}{'':>9}{'accuracy':>10}{'first fit':>11}")
    for row in rows:
        figures = f"{row['seconds']:9.3f}{slowest / row['seconds']:7.1f} ×{row['accuracy']:10.3f}{row['first']:11.3f}"
        print(f"{row['system']:42}{figures}")
    if options.json:
        Path(options.json).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
