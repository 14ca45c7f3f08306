"""Writes docs/speed.md from what the benchmarks of training left behind.

    python benchmarks/speed_page.py --one ONE.json --two TWO.json --models MODELS.json --growth GROWTH.json \
        --memory MEMORY.json --capture CAPTURE.json --digits DIGITS.json --machine "AMD Zen 3"
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

PAGE = Path(__file__).resolve().parents[1] / "docs" / "speed.md"
OURS = "Backproof"
INTRODUCTION = """\
# How fast training is

A step of gradient descent in single precision: forward pass, loss, backward pass and update. All systems begin with the
same parameters and take the same batches, in turn, round after round in one run, once the losses of their first steps
were found to be the same. Networks are their units and the samples of a step. Microseconds are medians; on one thread
they are the processor's, on several the clock's. In brackets is how many times as long as Backproof's native code
another system takes; where a place is empty, the system was not measured.

The machine: {machine}.

```sh
.venv-frameworks/bin/python benchmarks/train.py --rows T4,T200,S,M,L,X --json one.json
.venv-frameworks/bin/python benchmarks/train.py --rows M,L,X --threads 2 --rounds 15 --json two.json
.venv-frameworks/bin/python benchmarks/models.py --json models.json
.venv-frameworks/bin/python benchmarks/growth.py --json growth.json
.venv-frameworks/bin/python benchmarks/memory.py --json memory.json
.venv-frameworks/bin/python benchmarks/capture.py --json capture.json
.venv-frameworks/bin/python benchmarks/digits.py --json digits.json
```
"""

Rows = Sequence[Mapping[str, Any]]
PARTS = ("one", "two", "models", "growth", "memory", "capture", "digits")
"""What the files of the benchmarks are called here."""


def main() -> None:
    parser = argparse.ArgumentParser(description="The page of how fast training is.")
    for name in PARTS:
        parser.add_argument(f"--{name}", metavar="FILE", required=True)
    parser.add_argument("--machine", required=True, help="what it was measured on")
    options = parser.parse_args()
    parts = [json.loads(Path(getattr(options, name)).read_text(encoding="utf-8")) for name in PARTS]
    PAGE.write_text(page(*parts, machine=options.machine), encoding="utf-8")


def page(
    one: Rows, two: Rows, models: Rows, growth: Rows, memory: Rows, capture: Rows, digits: Rows, *, machine: str
) -> str:
    parts = [
        INTRODUCTION.format(machine=machine),
        "## One thread\n",
        times([*one, *models]),
        "\n## Two threads\n",
        times(two),
        "\n## Until the first step\n\nSeconds until a system is ready: deriving, planning, tracing, compiling.\n",
        readiness([*one, *models]),
        "\n## As networks grow\n",
        "Networks of dense layers with 128 inputs and ten classes; where not told otherwise they are 128 wide and a\n"
        "step takes 64 samples.\n",
        times(growth),
        "\n## Memory\n",
        "By how many MiB the peak of a process goes up, which has loaded everything and made the data, until some\n"
        "steps are done; what compiling takes is in it.\n",
        peaks(memory),
        "\n## Every gradient of every step\n",
        "Microseconds for a forward and a backward pass with the derivatives by every Z, A, W and b at hand: a trace,\n"
        "PyTorch's `retain_grad` and its hooks; and PyTorch's backward pass that keeps none of them.\n",
        captured(capture),
        "\n## A classifier of digits\n",
        "`MLPClassifier` and `BackproofClassifier` on the same 1,198 digits, and how many of 599 others they tell\n"
        "right: medians of several ways to part them. More and larger steps are batches of 32, 25 epochs and a rate\n"
        "of 0.003. Native code is compiled in the first fit, and taken from the cache later.\n",
        classified(digits),
    ]
    return "\n".join(parts) + "\n"


def times(rows: Rows) -> str:
    """Medians in microseconds, and how many times ours they are."""
    systems = _systems(row["systems"] for row in rows)
    lines = [_header("", systems)]
    for row in rows:
        middle = {name: 1e6 * median(timed["rounds"]) for name, timed in row["systems"].items()}
        ours = middle[f"{OURS}, native"]
        cells = [
            "" if name not in middle else _number(middle[name]) + _times(name, middle[name] / ours) for name in systems
        ]
        lines.append(_line(row["row"], cells))
    return "\n".join(lines)


def readiness(rows: Rows) -> str:
    systems = [x for x in _systems(row["systems"] for row in rows) if any(_ready(row, x) for row in rows)]
    cells = [[f"{_ready(row, x):.2f}" if x in row["systems"] else "" for x in systems] for row in rows]
    return "\n".join([_header("", systems), *map(_line, (row["row"] for row in rows), cells)])


def peaks(rows: Rows) -> str:
    systems = _systems(row["peaks"] for row in rows)
    cells = [[f"{row['parameters'] / 2**20:.1f}", *(f"{row['peaks'][x] / 2**20:.0f}" for x in systems)] for row in rows]
    return "\n".join([_header("", ["the parameters", *systems]), *map(_line, (row["row"] for row in rows), cells)])


def captured(rows: Rows) -> str:
    ways = _systems(row["ways"] for row in rows)
    cells = [[_number(1e6 * row["ways"][way]) for way in ways] for row in rows]
    return "\n".join([_header("", ways), *map(_line, (row["row"] for row in rows), cells)])


def classified(rows: Rows) -> str:
    first = rows[0]["seconds"]
    cells = [
        [
            f"{row['seconds']:.3f}",
            f"{first / row['seconds']:.1f} ×",
            f"{100 * row['accuracy']:.1f} %",
            f"{row['first']:.2f}",
        ]
        for row in rows
    ]
    heads = ["seconds", "as fast as the first", "right", "first fit, seconds"]
    return "\n".join([_header("", heads), *map(_line, (row["system"] for row in rows), cells)])


def _ready(row: Mapping[str, Any], system: str) -> float:
    return float(row["systems"].get(system, {"ready": 0.0})["ready"])


def _systems(rows: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _times(name: str, ratio: float) -> str:
    return "" if name.startswith(OURS) else f" ({ratio:.2f} ×)" if ratio < 10 else f" ({ratio:.0f} ×)"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _header(first: str, names: Sequence[str]) -> str:
    return _line(first, names) + "\n" + _line("---", ["---:"] * len(names))


def _line(first: str, cells: Sequence[str]) -> str:
    return f"| {' | '.join([first, *cells])} |"


if __name__ == "__main__":
    main()
