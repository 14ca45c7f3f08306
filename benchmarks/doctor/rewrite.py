"""Right backward passes written in other ways: what the doctor must leave alone."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from case import replacement
from network import SEEDS, Leaves, Network, arguments, returned
from reference import SAME, SINGLE, same
from statements import Scope
from ways import WAYS, Way


@dataclass(frozen=True, slots=True)
class Right:
    """A right backward pass; `unseen` where its network is held out."""

    name: str
    network: str
    source: str
    unseen: bool


def rewrites(network: Network) -> Iterator[Right]:
    """The network as it is, in each of the ways that apply to it, and in those declared beside it."""
    right = [returned(network.source, arguments(network.source, seed)) for seed in SEEDS]

    def named(way: str, source: str) -> Right:
        return Right(f"{network.name}/{way}", network.name, source, network.unseen)

    yield named("as it is", network.source)
    for number, declared in enumerate(network.rewrites):
        source = replacement(network.source, declared["right"], declared["other"])
        if not _agrees(source, right, SAME):
            raise ValueError(f"a rewrite of {network.name} is wrong: {declared['other']}")
        yield named(f"{declared['way']} {number}", source)
    plain = ast.unparse(ast.parse(network.source)) + "\n"
    for name, way in WAYS.items():
        source = _rewritten(network.source, way, right, SINGLE if name == "single precision" else SAME)
        if source not in (plain, None):
            yield named(name, source)


def _rewritten(source: str, way: Way, right: Sequence[Leaves], tolerance: float) -> str | None:
    """All statements written in a way; where that is not right, those of them that are right in it."""
    count = sum(len(scope.statements) for scope in Scope.backward(source))
    everywhere = _applied(source, way, set(range(count)))
    if _agrees(everywhere, right, tolerance):
        return everywhere
    chosen: set[int] = set()
    for number in range(count):
        if _agrees(_applied(source, way, chosen | {number}), right, tolerance):
            chosen.add(number)
    return _applied(source, way, chosen)


def _applied(source: str, way: Way, chosen: set[int]) -> str:
    """The module with some statements of the backward pass, counted from its first, written in a way."""
    tree = ast.parse(source)
    statements = [statement for scope in Scope.backward(source) for statement in scope.statements]
    lines = {statement.lineno for k, statement in enumerate(statements) if k in chosen}
    for owner in [x for x in ast.walk(tree) if isinstance(x, ast.FunctionDef | ast.For | ast.If)]:
        owner.body = [new for old in owner.body for new in (way(old) if old.lineno in lines else [old])]
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def _agrees(source: str, right: Sequence[Leaves], tolerance: float) -> bool:
    try:
        found = [returned(source, arguments(source, seed)) for seed in SEEDS]
    except Exception:  # what a way makes of a statement need not run
        return False
    return all(same(a, b, tolerance) for a, b in zip(found, right, strict=True))
