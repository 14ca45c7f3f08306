"""Entries outside an array, which count as 0: how formulas say so, and what of it a reader is told beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import Affine, Index, Place
from backproof.ops.elementary import pieces
from backproof.ops.entries import Bounds, at_, counted, counted_, lies_between, within
from backproof.ops.leaves import constant, is_number


def where_within(bounds: Bounds, value: Callable[[], Node], otherwise: Node) -> Node:
    """`value` where positions lie between their bounds, which is written beside it."""
    if not can_hold(bounds):
        return otherwise
    open_ = undecided(bounds)
    return pieces(value(), within(open_), otherwise) if open_ else value()


def where_there_is(bounds: Bounds, value: Node) -> Node:
    """`value` where each position is one that there is, a whole number between its bounds; 0 elsewhere.

    The condition is not written: `are_told` says whether the formula names entries at these positions, `conditions`
    what to say beside it.
    """
    if not can_hold(bounds) or is_number(value, 0):
        return constant(0)
    open_ = undecided(bounds)
    return counted(open_, value) if open_ else value


def told(bounds: Bounds, value: Callable[[], Node]) -> Node | None:
    """What `where_there_is` makes of a formula, which is built where it counts; None where that would not show."""
    if not can_hold(bounds):
        return constant(0)
    formula = value()
    return where_there_is(bounds, formula) if are_told(bounds, [formula]) else None


def undecided(bounds: Bounds) -> Bounds:
    """The bounds that a position may lie outside of."""
    return tuple(bound for bound in bounds if not _is_inside(*bound))


def can_hold(bounds: Bounds) -> bool:
    """Whether no position is known to lie outside, as one that is a number may be."""
    return not any(_is_known(place) and not _is_inside(place, *ends) for place, *ends in bounds)


def _is_known(position: Place) -> bool:
    """Whether a position is a number."""
    return position is None or isinstance(position, int) or (isinstance(position, Affine) and not position.terms)


def _is_inside(position: Place, least: int | None, most: int | None) -> bool:
    """Whether a position lies between its bounds whatever its letters are."""
    ends = _ends(position)
    return ends is not None and all(lies_between(end, least, most) for end in ends)


def _ends(position: Place) -> tuple[int, int] | None:
    """The least and the greatest number that a position is; None where that is not known, or it is not always whole."""
    match position:
        case None:
            return 1, 1
        case int():
            return position, position
        case Index(_, size):
            return None if size.value is None else (1, size.value)
        case Affine(terms, offset, 1):
            low = high = offset
            for factor, single in terms:
                if (ends := _ends(single)) is None:
                    return None
                low, high = low + min(factor * end for end in ends), high + max(factor * end for end in ends)
            return low, high
    return None


def are_told(bounds: Bounds, values: Iterable[Node]) -> bool:
    """Whether formulas name, for each position, an entry at it of an array that ends where the bounds do."""
    ends = {
        (place, 1, size.value)
        for x in ancestors(values, stop=lambda node: node.op is at_)
        if x.op is at_
        for place, size in zip(x.attrs["place"], x.inputs[0].shape, strict=True)
    }
    return ends.issuperset(undecided(bounds))


def conditions(formulas: Iterable[Node]) -> dict[Node, dict[Place, int]]:
    """What formulas with conditions do not show: arrays with the positions at which terms ask for an entry of them.

    With each position stands the length of its axis: where the position is none from 1 to that, the term is 0.
    """
    found: dict[Node, dict[Place, int]] = {}
    for x in ancestors([*formulas], stop=lambda node: node.op is at_):
        lengths = {place: most for place, _, most in x.attrs["bounds"]} if x.op is counted_ else {}
        for y in ancestors(x.inputs, stop=lambda node: node.op is at_) if lengths else ():
            for place, size in zip(y.attrs["place"], y.inputs[0].shape, strict=True) if y.op is at_ else ():
                if lengths.get(place, 0) == size.value:
                    found.setdefault(y.inputs[0], {})[place] = lengths.pop(place)
    return found
