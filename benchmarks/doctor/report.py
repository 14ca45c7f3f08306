"""Writes docs/doctor_benchmark.md from what the runs left behind.

    python benchmarks/doctor/report.py DOCTOR.json FRAMEWORKS.json [--note TEXT]

The note says of what the figures are, where not of everything.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from statistics import median
from typing import Any

from table import undetected

PAGE = Path(__file__).resolve().parents[2] / "docs" / "doctor_benchmark.md"
CHECKS = ("gradcheck", "gradcheck, fast", "check_grads")
INTRODUCTION = """\
# The doctor's benchmark

How well `backproof check` does on backward passes that are known to be wrong, and whether it leaves right ones
alone. The networks, the mistakes and how they are counted are described in `benchmarks/doctor/README.md`. This page
is written by

```sh
.venv/bin/python benchmarks/doctor/run.py --json doctor.json
.venv-frameworks/bin/python benchmarks/doctor/others.py others.json
.venv/bin/python benchmarks/doctor/report.py doctor.json others.json
```

"""
OTHERS = """\
## Other checks

The same cases, given to `torch.autograd.gradcheck` in both modes and to `jax.test_util.check_grads`, each with its own
tolerances. They say whether gradients are right; which line is wrong and what the mistake is they do not say. A
derivative by a bias that is not summed over the samples passes gradcheck, as PyTorch sums it itself."""

Outcome = Mapping[str, Any]
Others = Mapping[str, Mapping[str, Mapping[str, bool]]]
"""Of wrong and of right backward passes, by their names: what each check says."""


def main() -> None:
    parser = argparse.ArgumentParser(description="The page of the doctor's benchmark.")
    parser.add_argument("doctor", metavar="DOCTOR.json")
    parser.add_argument("others", metavar="OTHERS.json")
    parser.add_argument("--note", default="", help="of what the figures are, where not of everything")
    options = parser.parse_args()
    files = (options.doctor, options.others)
    doctor, others = (json.loads(Path(file).read_text(encoding="utf-8")) for file in files)
    PAGE.write_text(page(doctor, others, options.note), encoding="utf-8")


def page(doctor: Mapping[str, Outcome], others: Others, note: str) -> str:
    wrong = {name: o for name, o in doctor.items() if o["kind"] != "right"}
    right = {name: o for name, o in doctor.items() if o["kind"] == "right"}
    groups = {
        "seen while the doctor was written": [o for o in wrong.values() if not o["unseen"] and not o["published"]],
        "held out": [o for o in wrong.values() if o["unseen"] and not o["published"]],
        "made in public": [o for o in wrong.values() if o["published"]],
    }
    seconds = [o["seconds"] for o in wrong.values() if isfinite(o["seconds"])]
    alarms = sum(o["detected"] for o in right.values())
    by_kind = _grouped((o for o in wrong.values() if not o["unseen"]), "kind")
    by_network = _grouped((o for o in wrong.values() if not o["unseen"]), "network")
    return (
        INTRODUCTION
        + "\n\n".join(
            [
                *([note] if note else []),
                f"## Wrong backward passes\n\n{len(wrong)} cases, of {len(by_kind)} kinds in what is seen.",
                _table("cases", {**groups, "all": list(wrong.values())}),
                f"Time a case, of the processor: median {median(seconds):.1f} s, longest {max(seconds):.0f} s.",
                undetected([o["ending"] for o in wrong.values() if not o["detected"]]).capitalize() + ".",
                f"## Right ones\n\nOf {len(right)} right ones, written in other ways, {alarms} are called wrong.",
                OTHERS,
                _comparison(wrong, right, others),
                "## By kind of mistake (seen)",
                _table("kind", by_kind),
                "## By network (seen)",
                _table("network", by_network),
            ]
        )
        + "\n"
    )


def _grouped(outcomes: Iterable[Outcome], by: str) -> dict[str, list[Outcome]]:
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(outcome[by], []).append(outcome)
    return dict(sorted(groups.items()))


def _table(name: str, groups: Mapping[str, Sequence[Outcome]]) -> str:
    rows = [f"| {name} | number | detected | first wrong line | mistake named | line put right |"]
    rows.append("| --- | ---: | ---: | ---: | ---: | ---: |")
    for group, outcomes in groups.items():
        named = [o for o in outcomes if o["named"]]
        shares = [_share(outcomes, lambda o, f=field: o[f]) for field in ("detected", "placed", "named")]
        cells = [group.replace("*", "\\*"), str(len(outcomes)), *shares, _share(named, lambda o: o["corrected"])]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _comparison(wrong: Mapping[str, Outcome], right: Mapping[str, Outcome], others: Others) -> str:
    rows = ["| check | detected | names the line | names the mistake | right ones called wrong |"]
    rows.append("| --- | ---: | ---: | ---: | ---: |")
    outcomes = list(wrong.values())
    own = [_share(outcomes, lambda o, f=field: o[f]) for field in ("detected", "placed", "named")]
    rows.append(f"| `backproof check` | {' | '.join(own)} | {sum(o['detected'] for o in right.values())} |")
    for check in CHECKS:
        detected = _share(list(others["wrong"].values()), lambda said, c=check: not said[c])
        alarms = sum(not said[check] for said in others["right"].values())
        rows.append(f"| `{check}` | {detected} | no | no | {alarms} |")
    numbers = [len(wrong), len(right), len(others["wrong"]), len(others["right"])]
    rows.append("\n`backproof check` was given {} wrong ones and {} right ones, the others {} and {}.".format(*numbers))
    return "\n".join(rows)


def _share(of: Sequence[Any], holds: Callable[[Any], bool]) -> str:
    """A share in per cent; never rounded up to all of them."""
    if not of:
        return "–"
    count = sum(map(holds, of))
    return "100 %" if count == len(of) else f"{min(99.9, 100 * count / len(of)):.1f} %"


if __name__ == "__main__":
    main()
