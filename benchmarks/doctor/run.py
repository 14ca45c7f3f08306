"""How well the doctor does: wrong backward passes found, placed, named and put right, and right ones left alone.

    python benchmarks/doctor/run.py [--kind K] [--network N] [--cases N] [--seen] [--quick] [--jobs 2]
                                    [--show-failures FILE] [--json FILE]

Each case runs in a process of its own with a limit of time. Cases of networks and kinds that are held out are counted
and never shown. Everything but the time is the same in every run.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from case import Case, cases, published
from judge import Outcome, alarmed, judged
from network import Network, networks
from rewrite import Right, rewrites
from table import as_data, failures, summary
from workers import answers

LIMIT = 60.0
"""Seconds of the processor for a case."""
HOUR = 3600.0
QUICK = 100
"""How many cases a quick run takes."""

EVERY = 100
"""After how many cases a line says how far it is."""

T = TypeVar("T")


def main() -> None:
    options = _options()
    lists = list(answers(made, chosen(options.network, options.seen), jobs=options.jobs, seconds=HOUR, late=never))
    wrong = [case for found, _ in lists for case in found if options.kind in ("", case.kind)]
    right = [rewrite for _, found in lists for rewrite in found if not options.kind]
    if options.seen:
        wrong = [case for case in wrong if not case.unseen]
    count = QUICK if options.quick else options.cases
    wrong, right = some(wrong, count), some(right, count // 3)
    tasks: list[Case | Right] = [*wrong, *right]
    outcomes = list(told(answers(_done, tasks, jobs=options.jobs, seconds=options.limit, late=_late), len(tasks)))
    judgements = list(zip(wrong, outcomes, strict=False))
    alarms = list(zip(right, outcomes[len(wrong) :], strict=True))
    print(summary(judgements, alarms))
    if options.show_failures:
        Path(options.show_failures).write_text(failures(judgements, alarms), encoding="utf-8")
    if options.json:
        Path(options.json).write_text(json.dumps(as_data(judgements, alarms), indent=1), encoding="utf-8")


def told(outcomes: Iterator[T], count: int) -> Iterator[T]:
    """The outcomes, with a line about how many there are from time to time."""
    for number, outcome in enumerate(outcomes, 1):
        if number % EVERY == 0:
            print(f"{number} of {count}", file=sys.stderr, flush=True)
        yield outcome


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The doctor's benchmark.")
    parser.add_argument("--kind", default="", help="only cases of one kind of mistake")
    parser.add_argument("--network", default="", help="only cases of one network")
    parser.add_argument("--cases", type=int, default=0, help="a sample of so many wrong cases")
    parser.add_argument("--seen", action="store_true", help="nothing that is held out")
    parser.add_argument("--quick", action="store_true", help=f"a sample of {QUICK}")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for a case")
    parser.add_argument("--show-failures", metavar="FILE", help="writes what failed of the seen cases")
    parser.add_argument("--json", metavar="FILE", help="writes every outcome")
    return parser.parse_args()


def chosen(name: str = "", seen: bool = False) -> list[Network]:
    """The networks of a run: all, or one; none that is held out where only seen ones are wanted."""
    return [n for n in networks() if name in ("", n.name) and not (seen and n.unseen)]


def some(all_of: Sequence[T], count: int) -> list[T]:
    """A sample, always the same, in the order of the whole; the whole for a count of zero."""
    size = min(count, len(all_of)) if count else len(all_of)
    picked = sorted(random.Random(0).sample(range(len(all_of)), size))
    return [all_of[k] for k in picked]


def made(network: Network) -> tuple[list[Case], list[Right]]:
    """The wrong and the right backward passes of a network."""
    return [*cases(network), *published(network)], list(rewrites(network))


def never(network: Network) -> None:
    raise RuntimeError(f"the cases of {network.name} could not be made")


def _done(task: Case | Right) -> Outcome:
    return judged(task) if isinstance(task, Case) else alarmed(task.name, task.source)


def _late(task: Case | Right) -> Outcome:
    # A right backward pass that is not judged in time counts as a false alarm.
    return Outcome(task.name, "late", isinstance(task, Right), False, False, False, "took too long", float("inf"))


if __name__ == "__main__":
    main()
