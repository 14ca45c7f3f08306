"""The wrong backward passes: generated, declared beside the networks, and rebuilt from public reports."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, islice, takewhile
from typing import Any

from generic import Edit, edits
from network import HERE, SEEDS, Leaves, Network, arguments, returned
from reference import same
from statements import Scope, is_gradient, names_in, writes

CAP = 3
"""How many cases there are at most of a kind in a network."""
TWO = "two mistakes"


@dataclass(frozen=True, slots=True)
class Case:
    """A backward pass with a mistake.

    kind     the mistake, one of `kinds.toml`
    lines    the lines that may rightly be blamed, as their correction makes it right
    names    what the doctor may call it
    also     where there is a second mistake, the lines that may be blamed for that
    unseen   whether its network or its kind is held out
    address  where the mistake was made in public
    """

    name: str
    network: str
    kind: str
    source: str
    lines: tuple[int, ...]
    names: tuple[str, ...]
    unseen: bool
    also: tuple[int, ...] = ()
    address: str = ""


@cache
def kinds() -> Mapping[str, Mapping[str, Any]]:
    """Every kind of mistake, with what names it and whether it is held out."""
    return tomllib.loads((HERE / "kinds.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Planted:
    """A source with a mistake, before it is known whether that changes a gradient."""

    kind: str
    source: str
    lines: tuple[int, ...]
    names: tuple[str, ...]
    also: tuple[int, ...] = ()


def cases(network: Network) -> Iterator[Case]:
    """The wrong backward passes of a network whose gradients differ from the right ones."""
    right = [returned(network.source, arguments(network.source, seed)) for seed in SEEDS]
    declared = (replaced(network.source, wrong) for wrong in network.wrong)
    by_kind: dict[str, list[Planted]] = {}
    for planted in (*declared, *_generated(network, right)):
        by_kind.setdefault(planted.kind, []).append(planted)
    for kind in sorted(by_kind):
        found = (planted for planted in by_kind[kind] if is_wrong(planted.source, right))
        for number, planted in zip(range(CAP), found, strict=False):
            yield _case(f"{network.name}/{kind}/{number}", network, planted)


def published(network: Network) -> Iterator[Case]:
    """Mistakes that people made in public, in a network here."""
    found = tomllib.loads((HERE / "published.toml").read_text(encoding="utf-8"))["mistake"]
    for number, wrong in enumerate(found):
        if wrong["network"] == network.name:
            planted = replaced(network.source, wrong)
            yield _case(f"published/{wrong['kind']}/{number}", network, planted, wrong["address"])


def _case(name: str, network: Network, planted: Planted, address: str = "") -> Case:
    unseen = network.unseen or bool(kinds()[planted.kind].get("unseen"))
    also, names, source = planted.also, planted.names, planted.source
    return Case(name, network.name, planted.kind, source, planted.lines, names, unseen, also, address)


def is_wrong(source: str, right: Sequence[Leaves]) -> bool:
    """Whether a gradient differs, or there is none; what names a variable that does not exist is nobody's mistake."""
    for seed, gradients in zip(SEEDS, right, strict=True):
        try:
            found = returned(source, arguments(source, seed))
        except NameError:
            return False
        except Exception:  # whatever somebody's code raises
            return True
        if not same(found, gradients):
            return True
    return False


def wrong_gradients(source: str, right: Sequence[Leaves]) -> set[str]:
    """The places of the gradients that differ; all of them where there are none."""
    found: set[str] = set()
    for seed, gradients in zip(SEEDS, right, strict=True):
        try:
            leaves = returned(source, arguments(source, seed))
        except Exception:  # whatever somebody's code raises
            return set(gradients)
        found |= {
            place
            for place, own in gradients.items()
            if place not in leaves or not same({place: leaves[place]}, {place: own})
        }
    return found


# --- what is declared


def replaced(source: str, wrong: Mapping[str, Any]) -> Planted:
    """What is declared: a piece of the source, which stands there once, and what stands there instead."""
    planted = replacement(source, wrong["right"], wrong["wrong"])
    old, new = source.splitlines(), planted.splitlines()
    before = _alike(old, new)
    behind = min(_alike(old[::-1], new[::-1]), len(new) - before)
    lines = range(before + 1, len(new) - behind + 1)
    inside = [n for scope in Scope.backward(planted) for n in scope.lines]
    blamed = [n for n in sorted(inside) if any(part in new[n - 1] for part in wrong.get("blame", ()))]
    return Planted(wrong["kind"], planted, tuple(blamed or lines), tuple(kinds()[wrong["kind"]]["names"]))


def replacement(source: str, old: str, new: str) -> str:
    count = source.count(old)
    if count != 1:
        raise ValueError(f"{old!r} stands {count} times in the source")
    return source.replace(old, new)


def _alike(first: Sequence[str], second: Sequence[str]) -> int:
    """How many lines two texts begin with alike."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))))


# --- what is generated


def _generated(network: Network, right: Sequence[Leaves]) -> list[Planted]:
    """What the edits make, alone and two together, in an order that is always the same and favours no line.

    Of two mistakes each is one alone, and none makes up for the other in a gradient: those would be one, elsewhere.
    """
    source, scopes = network.source, Scope.backward(network.source)
    found: dict[str, Edit] = {}
    for edit in edits(source):
        found.setdefault(_edited(source, edit), edit)
    chosen = list(found.values())
    random.Random(network.name).shuffle(chosen)
    single = [_planted(edit.kind, source, scopes, edit) for edit in chosen]
    seen = (edit for edit in chosen if not kinds()[edit.kind].get("unseen") and _runs(_edited(source, edit)))
    alone = islice((edit for edit in seen if is_wrong(_edited(source, edit), right)), 4 * CAP)
    wrong = {edit: wrong_gradients(_edited(source, edit), right) for edit in alone}
    ordered = (sorted(pair, key=lambda e: e.first) for pair in combinations(wrong, 2) if _apart(*pair))
    together = ((pair, wrong_gradients(_edited(source, *pair), right)) for pair in ordered)
    independent = (pair for pair, both in together if all(wrong[edit] <= both for edit in pair))
    double = [_planted(TWO, source, scopes, *pair) for pair in islice(independent, CAP)]
    return single + double


def _planted(kind: str, source: str, scopes: Sequence[Scope], *chosen: Edit) -> Planted:
    """The source with one edit, or two, in the order of their lines."""
    places = []
    for edit in chosen:
        blamed = {edit.first, *_readers(scopes, edit.first)}
        # A statement on several lines becomes one on a single line.
        places.append(tuple(sorted(n - sum(e.last - e.first for e in chosen if n > e.last) for n in blamed)))
    names = dict.fromkeys(name for edit in chosen for name in kinds()[edit.kind]["names"])
    return Planted(kind, _edited(source, *chosen), places[0], tuple(names), () if len(chosen) == 1 else places[1])


def _edited(source: str, *chosen: Edit) -> str:
    lines = source.splitlines()
    for edit in reversed(chosen):
        line = lines[edit.first - 1]
        lines[edit.first - 1 : edit.last] = [line[: len(line) - len(line.lstrip())] + edit.statement]
    return "\n".join(lines) + "\n"


def _runs(source: str) -> bool:
    try:
        returned(source, arguments(source, SEEDS[0]))
    except Exception:  # whatever somebody's code raises
        return False
    return True


def _apart(first: Edit, second: Edit) -> bool:
    return first.last < second.first or second.last < first.first


def _readers(scopes: Sequence[Scope], line: int) -> Iterator[int]:
    """Where a value that is no derivative itself is used: the line that makes a derivative of it may be blamed too."""
    for scope in scopes:
        at = [s for s in scope.statements if s.lineno == line]
        for name in (name for s in at for name in writes(s)):
            if not is_gradient(name):
                yield from (s.lineno for s in scope.statements if name in names_in(s))
