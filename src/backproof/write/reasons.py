"""The reasons of steps as running text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from backproof.derivation.steps import BackwardStep, Path, Rewrite
from backproof.ir.node import Node
from backproof.ir.symbol import Symbol
from backproof.ops.arithmetic import add
from backproof.ops.entries import row_of
from backproof.ops.linear import transposed
from backproof.ops.row import Row
from backproof.ops.scalar import ScalarRow
from backproof.write.doc import Inline
from backproof.write.math import Dots, Fence, Ident, Math, Scripts
from backproof.write.math import Row as Side
from backproof.write.spell import MOST_TERMS, spell_as_part, symbol


def forward_reason(node: Node) -> Inline:
    """What a quantity of a dense network's forward pass is made of, in one sentence."""
    row = row_of(node)
    if not node.shape:
        penalty = " The penalty on the weights is added." if row is add else ""
        return ("The losses of all outputs are added up, and averaged over the samples." + penalty,)
    if isinstance(row, ScalarRow):
        return ("The activation is applied to each entry of ", spell_as_part(node.inputs[0]), " by itself.")
    if row.kind == "composite":
        return (row.about,)
    product, bias = node.inputs
    factors = [x if x.symbol is not None else x.inputs[0] for x in product.inputs]
    values, weights = sorted(factors, key=lambda x: x.symbol is not None and x.symbol.base == "W")
    return (
        "The matrix product takes, for every node and every sample, the sum of the entries of ",
        spell_as_part(values),
        " weighted by ",
        spell_as_part(weights),
        "; ",
        spell_as_part(bias),
        " has one number for each node and is added for every sample.",
    )


def backward_reasons(step: BackwardStep, result: Math) -> Iterator[Inline]:
    """The reasons of a backward step: one paragraph per path by which its quantity acts on the result."""
    if not step.paths:
        yield (result, " does not depend on ", spell_as_part(step.of), ", so the derivative is 0.")
    elif (uses := _uses(step)) and len(step.paths) > 1:
        yield uses
    together = {path.consumer: (*_closed(step, path.consumer),) for path in step.paths if path.closed}
    yield from together.values()
    said: set[Inline] = set()
    alike: dict[tuple[tuple[Row, int, bool], ...], list[Path]] = {}
    for path in step.paths:
        if path.consumer not in together:
            kind = tuple((link.row, link.position, bool(path.stretched)) for link in path.reasons)
            alike.setdefault(kind, []).append(path)
    for first, *rest in alike.values():
        text = [*_path_reason(step, first, result)]
        if step.scale is not None and first.consumer.symbol is not None:
            text += ["Here the mean's 1/m is multiplied in.", " "]
        others = [*dict.fromkeys(path.consumer for path in rest if path.consumer is not first.consumer)]
        if others:
            text += ["Likewise ", *_through(others, result), ".", " "]
        reason = (*_way(first, len(step.paths), result), *text[:-1])
        if reason not in said:
            # A quantity that stands in a formula twice may act in the same way twice.
            said.add(reason)
            yield reason


def _uses(step: BackwardStep) -> Inline:
    """How often a quantity is used, and that what comes back from each use is added up; empty where once."""
    consumers = [*dict.fromkeys(path.consumer for path in step.paths)]
    if len(consumers) == 1:
        return ()
    names = [spell_as_part(x) for x in consumers]
    times = "twice" if len(step.paths) == 2 else f"{len(step.paths)} times"
    return (
        spell_as_part(step.of),
        f" is used {times}, in ",
        *listed(names),
        ". Its derivative is the sum over all paths: what comes back through each of them, added up.",
    )


def listed(names: Sequence[Math]) -> Iterator[str | Math]:
    """``a, b and c``; of many the first two and the last."""
    shown: list[Math] = [*names[:2], Dots(), names[-1]] if len(names) > MOST_TERMS else [*names]
    for k, x in enumerate(shown):
        yield from ("" if not k else ", " if k < len(shown) - 1 or Dots() in shown else " and ", x)


def _through(consumers: Sequence[Node], result: Math) -> Iterator[str | Math]:
    direct = [x for x in consumers if x.symbol is None or spell_as_part(x) == result]
    rest = [spell_as_part(x) for x in consumers if x not in direct]
    if rest:
        yield from ("through ", *listed(rest))
    if direct:
        yield from (" and directly in " if rest else "directly in ", result)


def contribution(step: BackwardStep, consumer: Node, result: Math) -> Math:
    """The name of what comes through one of the quantities that use a value: dh with that quantity at a bar."""
    through = spell_as_part(consumer) if consumer.symbol is not None else result
    return Scripts(Fence(symbol(step.symbol), "", "|"), sub=through)


def _closed(step: BackwardStep, output: Node) -> Iterator[str | Math]:
    """Why the ways that lead through statistics are taken together."""
    # The sweep meets them last first.
    found = dict.fromkeys(x for path in step.paths if path.consumer is output for x in path.closed)
    statistics = [*found][::-1]
    yield from (spell_as_part(step.of), " acts on ", spell_as_part(output), " directly and through ")
    for k, x in enumerate(statistics):
        yield from (" and " if k else "", spell_as_part(x))
    yield ", which are computed from it" if len(statistics) > 1 else ", which is computed from it"
    yield "; the chain rule adds up the contributions of all these ways."


def _way(path: Path, ways: int, result: Math) -> Inline:
    if ways == 1:
        return ()
    through = path.consumer.symbol is not None and spell_as_part(path.consumer) != result
    return ("Through ", spell_as_part(path.consumer), ": ") if through else ("Directly in ", result, ": ")


def _path_reason(step: BackwardStep, path: Path, result: Math) -> Iterator[str | Math]:
    outputs = {link: before.operand for before, link in pairwise(path.links)}
    for link in path.reasons:
        y = outputs.get(link, path.consumer)
        words: dict[str, Math] = {
            "y": _named_or(y, result),
            "dx": symbol(step.symbol),
            "dy": _derivative(y, result, step.symbol),
        }
        words["x"] = spell_as_part(link.operand)
        if link.others:
            words["other"] = spell_as_part(link.others[0])
            if len(link.others[0].shape) > 1:
                words["turned"] = spell_as_part(transposed(link.others[0]))
        yield from _filled(link.row.reasons[min(link.position, len(link.row.reasons) - 1)], words)
        yield " "
    if any(size.samples for size in path.stretched):
        yield "It is used for every sample, so its contributions are added up over the samples."
        yield " "
    elif path.stretched:
        yield "It is stretched to a larger shape, so the contributions of all the places it is used at are added up."
        yield " "


def _named_or(y: Node, result: Math) -> Math:
    """What an operation gives: a quantity, the result itself, or the formula that has no name."""
    return result if y.symbol is None and not y.shape else spell_as_part(y)


def _derivative(y: Node, result: Math, of: Symbol) -> Math:
    if y.symbol is not None:
        return symbol(of.by(y.symbol))
    return Side((Ident(of.prefix[0]), _named_or(y, result) if not y.shape else Fence(spell_as_part(y))))


def meaning(rewrite: Rewrite) -> Inline:
    """Why a rewriting leaves the value as it was."""
    return (*_filled(rewrite.template, {str(k): spell_as_part(node) for k, node in enumerate(rewrite.named)}),)


def _filled(template: str, words: Mapping[str, Math]) -> Iterator[str | Math]:
    parts = re.split(r"\{(\w+)\}", template)
    return (words[part] if k % 2 else part for k, part in enumerate(parts) if part)
