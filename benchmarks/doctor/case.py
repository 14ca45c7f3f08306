"""The wrong backward passes: generated, declared beside the networks, and rebuilt from public reports."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import Any

from generic import edits
from network import HERE, SEEDS, Leaves, Network, arguments, returned
from reference import same
from statements import Scope, is_gradient, names_in, writes

from backproof.ir.errors import BackproofError

CAP = 3
"""How many cases there are at most of a kind in a network."""


@dataclass(frozen=True, slots=True)
class Case:
    """A backward pass with a mistake.

    kind     the mistake, one of `kinds.toml`
    lines    the lines that may rightly be blamed, as their correction makes it right
    names    what the doctor may call it
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


def cases(network: Network) -> Iterator[Case]:
    """The wrong backward passes of a network whose gradients differ from the right ones."""
    right = [returned(network.source, arguments(network.source, seed)) for seed in SEEDS]
    by_kind: dict[str, list[Planted]] = {}
    for planted in (*(replaced(network.source, wrong) for wrong in network.wrong), *_generated(network)):
        by_kind.setdefault(planted.kind, []).append(planted)
    for kind in sorted(by_kind):
        known = kinds()[kind]
        unseen = network.unseen or bool(known.get("unseen"))
        found = (p for p in by_kind[kind] if is_wrong(p.source, right))
        for number, planted in zip(range(CAP), found, strict=False):
            name = f"{network.name}/{kind}/{number}"
            yield Case(name, network.name, kind, planted.source, planted.lines, tuple(known["names"]), unseen)


def published(network: Network) -> Iterator[Case]:
    """Mistakes that people made in public, in a network here."""
    found = tomllib.loads((HERE / "published.toml").read_text(encoding="utf-8"))["mistake"]
    for number, wrong in enumerate(found):
        if wrong["network"] == network.name:
            planted = replaced(network.source, wrong)
            name = f"published/{wrong['kind']}/{number}"
            known = kinds()[planted.kind]
            unseen = network.unseen or bool(known.get("unseen"))
            names = tuple(known["names"])
            yield Case(name, network.name, planted.kind, planted.source, planted.lines, names, unseen, wrong["address"])


def is_wrong(source: str, right: Sequence[Leaves]) -> bool:
    """Whether a gradient differs, or there is none; what names a variable that does not exist is nobody's mistake."""
    for seed, gradients in zip(SEEDS, right, strict=True):
        try:
            found = returned(source, arguments(source, seed))
        except BackproofError as error:
            return not isinstance(error.__cause__, NameError)
        except (TypeError, ValueError):  # what is returned are no numbers
            return True
        if not same(found, gradients):
            return True
    return False


def replaced(source: str, wrong: Mapping[str, Any]) -> Planted:
    """What is declared: a piece of the source, which stands there once, and what stands there instead."""
    count = source.count(wrong["right"])
    if count != 1:
        raise ValueError(f"{wrong['right']!r} stands {count} times in the source")
    planted = source.replace(wrong["right"], wrong["wrong"])
    old, new = source.splitlines(), planted.splitlines()
    before = _alike(old, new)
    behind = min(_alike(old[::-1], new[::-1]), len(new) - before)
    lines = range(before + 1, len(new) - behind + 1)
    blamed = [n for n, line in enumerate(new, 1) if any(part in line for part in wrong.get("blame", ()))]
    return Planted(wrong["kind"], planted, tuple(blamed or lines))


def _alike(first: Sequence[str], second: Sequence[str]) -> int:
    """How many lines two texts begin with alike."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False))))


def _generated(network: Network) -> list[Planted]:
    """What the edits make, in an order that is always the same and favours no line."""
    scopes = Scope.backward(network.source)
    lines = network.source.splitlines()
    found: dict[str, Planted] = {}
    for edit in edits(network.source):
        indent = lines[edit.first - 1][: len(lines[edit.first - 1]) - len(lines[edit.first - 1].lstrip())]
        changed = [*lines[: edit.first - 1], indent + edit.statement, *lines[edit.last :]]
        source = "\n".join(changed) + "\n"
        shift = edit.first - edit.last
        blamed = {edit.first, *(n + shift if n > edit.last else n for n in _readers(scopes, edit.first))}
        found.setdefault(source, Planted(edit.kind, source, tuple(sorted(blamed))))
    planted = list(found.values())
    random.Random(network.name).shuffle(planted)
    return planted


def _readers(scopes: Sequence[Scope], line: int) -> Iterator[int]:
    """Where a value that is no derivative itself is used: the line that makes a derivative of it may be blamed too."""
    for scope in scopes:
        at = [s for s in scope.statements if s.lineno == line]
        for name in (name for s in at for name in writes(s)):
            if not is_gradient(name):
                reads = (s for s in scope.statements if name in names_in(s))
                yield from (s.lineno for s in reads)
