"""The table of mistakes: each is a small edit of a right equation, with the sentence that names it.

An edit gives other right sides of the same equation. Whoever wrote one of these made that mistake, if his numbers are
those of the edited equation and not those of the right one.
"""

# ruff: noqa: B023  (each candidate is made before the loop that offers it goes on)

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, combinations

from backproof.checking.equations import exchanged, inside, operands
from backproof.ir.errors import BackproofError
from backproof.ir.node import Node
from backproof.ir.sizes import ONE
from backproof.ops import activations
from backproof.ops.arithmetic import add, div, mul, neg, product, sub
from backproof.ops.entries import row_of
from backproof.ops.formula import through_value
from backproof.ops.fused import FusedRow
from backproof.ops.leaves import constant, constant_, is_number, size_
from backproof.ops.linear import matmul, sum_, total, transposed
from backproof.ops.reductions import mean
from backproof.ops.scalar import ScalarRow, derivative
from backproof.ops.vectors import matvec, outer


@dataclass(frozen=True, slots=True, eq=False)
class Edited:
    """A right side as a mistake makes it. `says` names the mistake; in it, ``{0}`` stands for the first of `named`."""

    mistake: str
    node: Node
    says: str
    named: tuple[Node, ...] = ()

    def then(self, second: Edited) -> Edited:
        """This mistake and a second one in its equation."""
        shifted = re.sub(r"\{(\d+)\}", lambda match: f"{{{int(match[1]) + len(self.named)}}}", second.says)
        mistake, says = f"{self.mistake} and {second.mistake}", f"{self.says}, and {shifted}"
        return Edited(mistake, second.node, says, self.named + second.named)


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What an equation stands among: the quantity whose derivative it is, all others, and those of them at hand.

    `of`          the forward quantity
    `quantities`  every quantity of the forward pass, the inputs included
    `gradients`   the derivative by each
    `divisors`    what the forward pass divides by: the lengths and numbers of its means
    """

    of: Node
    quantities: tuple[Node, ...]
    gradients: Mapping[Node, Node]
    divisors: tuple[Node, ...]


Candidate = tuple[str, str, tuple[Node, ...], Callable[[], Node]]
"""The mistake's name, its sentence, what the sentence names, and what makes the edited right side."""
Edit = Callable[[Node, Context], Iterator[Candidate]]


def edited(root: Node, context: Context, *, alone: bool = True) -> Iterator[Edited]:
    """Every single mistake in an equation, the commonest first; with `alone` false only those that go with others.

    What does not fit together is left out.
    """
    for edit in EDITS if alone else TOGETHER:
        for mistake, says, named, make in edit(root, context):
            try:
                node = make()
            except (BackproofError, ArithmeticError, LookupError, ValueError):  # what does not fit is nobody's numbers
                continue
            yield Edited(mistake, node, says, named)


# --- factors


def _factors(root: Node, context: Context) -> Iterator[Candidate]:
    """A factor left out."""
    for node in inside(root):
        if node.op is div:
            upper, lower = node.inputs
            says = "the division by {0} is left out" if _plain([lower]) else "the division is left out"
            yield "division left out", says, _plain([lower]), lambda: exchanged(root, node, upper)
        if node.op is mul:
            for dropped, kept in (node.inputs, node.inputs[::-1]):
                yield *_without(dropped), lambda: exchanged(root, node, kept)


def _without(dropped: Node) -> tuple[str, str, tuple[Node, ...]]:
    row = row_of(dropped)
    if dropped.op is div and is_number(dropped.inputs[0], 1) and _plain([dropped.inputs[1]]):
        return "1/m left out", "the factor 1/{0} of the mean is left out", _plain([dropped.inputs[1]])
    if dropped.symbol is not None and dropped.symbol.of is not None:
        return "upstream left out", "the derivative that comes from above, {0}, is left out", (dropped,)
    if dropped.symbol is not None or dropped.op is constant_:
        return "factor left out", "the factor {0} is left out", (dropped,)
    if (isinstance(row, ScalarRow) and any(row.scalar.orders)) or _is_slope(dropped):
        return "derivative left out", "the derivative of the activation is left out", ()
    return "factor left out", "a factor is left out", ()


def _is_slope(node: Node) -> bool:
    """Whether a factor looks like the derivative of an activation: a formula in one forward quantity."""
    found = operands(node)
    forward = len(found) == 1 and found[0].symbol is not None and found[0].symbol.of is None
    return forward and node.op not in (matmul, sum_)


def _scaled(root: Node, context: Context) -> Iterator[Candidate]:
    """The whole multiplied with something."""
    yield "sign", "the sign is wrong", (), lambda: neg(root)
    yield "factor 2", "there is a factor 2 too many", (), lambda: product(constant(2), root)
    yield "factor 2", "a factor 2 is missing", (), lambda: mul(div(constant(1), constant(2)), root)
    lengths = dict.fromkeys(size for x in (context.of, *context.quantities) for size in x.shape if size != ONE)
    for node in (*context.divisors, *(size_(size=length) for length in lengths)):
        named = _plain([node])
        of = "{0} " if named else "the mean's number "
        says = f"it is divided by {of}once too often"
        yield "1/m twice", says, named, lambda: mul(div(constant(1), node), root)
        left = "the factor 1/{0} of the mean is left out" if named else "the factor of the mean is left out"
        yield "1/m left out", left, named, lambda: mul(node, root)


def _extra(root: Node, context: Context) -> Iterator[Candidate]:
    """The derivative of an activation that is in the equation already, or does not belong into it."""
    for x in context.quantities:
        row = row_of(x)
        if isinstance(row, ScalarRow) and len(x.inputs) == 1:
            slope = derivative(row, 0)
            says = "the derivative of {0} by {1} is in it once too often"
            yield "derivative twice", says, (x, *x.inputs), lambda: mul(root, slope(*x.inputs))
    for x, dx in context.gradients.items():
        if x is not context.of:
            yield "upstream twice", "it is multiplied with {0} too", (dx,), lambda: mul(root, dx)


# --- signs and terms


def _terms(root: Node, context: Context) -> Iterator[Candidate]:
    """A term left out, or with the wrong sign."""
    for node in inside(root):
        if node.op is add:
            for dropped, kept in (node.inputs, node.inputs[::-1]):
                says = "one of the terms that are added up is left out (a path forgotten, or = in place of +=)"
                yield "term left out", says, _plain([dropped]), lambda: exchanged(root, node, kept)
                says = "a term has the wrong sign"
                yield "sign of a term", says, (), lambda: exchanged(root, node, sub(kept, dropped))
        if node.op is sub:
            first, second = node.inputs
            yield "sign", "the difference is the wrong way round", (), lambda: exchanged(root, node, sub(second, first))
            yield "sign of a term", "a term has the wrong sign", (), lambda: exchanged(root, node, add(first, second))
            yield "term left out", "what is subtracted is left out", (), lambda: exchanged(root, node, first)
            yield "term left out", "a term is left out", (), lambda: exchanged(root, node, neg(second))
        if node.op is neg:
            yield "sign", "the sign is wrong", (), lambda: exchanged(root, node, node.inputs[0])


# --- products and transposes


def _products(root: Node, context: Context) -> Iterator[Candidate]:
    """Operands swapped, transposed, or multiplied in another way."""
    for node in inside(root):
        for name, says, make in _multiplied(node):
            yield name, says, (), lambda: exchanged(root, node, make())


def _multiplied(node: Node) -> Iterator[tuple[str, str, Callable[[], Node]]]:
    if node.op not in (matmul, outer, matvec, mul):
        return
    a, b = node.inputs
    entries = "* stands where the matrix product · belongs"
    if node.op is mul:
        yield "* for ·", "· stands where * belongs", lambda: matmul(a, b)
    elif node.op is matmul:
        yield "operands swapped", "the factors are in the wrong order", lambda: matmul(b, a)
        yield "transpose", "the transpose of the left factor is wrong", lambda: matmul(transposed(a), b)
        yield "transpose", "the transpose of the right factor is wrong", lambda: matmul(a, transposed(b))
        yield "transpose", "the transposes of both factors are wrong", lambda: matmul(transposed(a), transposed(b))
        yield "* for ·", entries, lambda: mul(a, b)
        yield "* for ·", entries, lambda: mul(transposed(a), b)
        yield "* for ·", entries, lambda: mul(a, transposed(b))
    elif node.op is matvec:
        yield "transpose", "the transpose of the matrix is wrong", lambda: matvec(transposed(a), b)
        yield "* for ·", entries, lambda: mul(a, b)
    else:
        yield "operands swapped", "the factors are in the wrong order", lambda: outer(b, a)
        yield "* for ·", "* stands where the outer product belongs", lambda: mul(a, b)


# --- quantities taken for others


def _arguments(root: Node, context: Context) -> Iterator[Candidate]:
    """The derivative of another activation, or the activation itself."""
    rows = dict.fromkeys((*_activations(context), *COMMON))
    for node in inside(root):
        row = row_of(node)
        if not isinstance(row, ScalarRow) or row.base is None or len(node.inputs) != 1:
            continue
        own = row.base
        for other in rows:
            if other is not own:
                says = f"the derivative of {other.name} stands where that of {own.name} belongs"
                yield "wrong activation", says, (), lambda: exchanged(root, node, derivative(other, 0)(*node.inputs))
        says = f"{own.name} itself stands where its derivative belongs"
        yield "g for g'", says, (), lambda: exchanged(root, node, own(*node.inputs))
        for x in context.quantities:
            if row_of(x) is own and x.inputs == node.inputs:
                yield from _through_value(root, node, x, rows)


def _through_value(root: Node, node: Node, value: Node, rows: Iterable[ScalarRow]) -> Iterator[Candidate]:
    """The derivative of another activation, written through the value of this one: a·(1 − a) where 1 − a² belongs."""
    for other in rows:
        form = derivative(other, 0).scalar.value_form
        if form is not None and other is not row_of(value):
            says = f"the derivative of {other.name}, written through its value, stands where that of {{0}} belongs"
            yield "wrong activation", says, (value,), lambda: exchanged(root, node, through_value(form, value))


def _activations(context: Context) -> list[ScalarRow]:
    rows = [row for row in map(row_of, context.quantities) if isinstance(row, ScalarRow)]
    return [row for row in rows if len(row.scalar.arguments) == 1 and not isinstance(row, FusedRow)]


def _others(root: Node, context: Context) -> Iterator[Candidate]:
    """Another quantity in the place of the right one: of another layer, before the activation or behind it."""
    for old in operands(root):
        both: tuple[Iterable[Node], Iterable[Node]] = context.quantities, context.gradients.values()
        for new in chain(*(both[::-1] if old.symbol and old.symbol.of else both)):
            if new is not old:
                for put in (new, transposed(new)) if len(new.shape) == 2 else (new,):
                    says = "{0} stands where {1} belongs"
                    yield "wrong quantity", says, (new, old), lambda: exchanged(root, old, put)


# --- sums


def _sums(root: Node, context: Context) -> Iterator[Candidate]:
    """Sums over the wrong axis, means in place of sums, sums left out."""
    for node in inside(root):
        if node.op is not sum_:
            continue
        (x,) = node.inputs
        rank, own, keep = len(x.shape), set(node.attrs["axes"]), node.attrs["keepdims"]
        yield "sum left out", "the sum is left out", (), lambda: exchanged(root, node, x)
        says = "a mean is taken where the sum belongs"
        yield "mean for sum", says, (), lambda: exchanged(root, node, mean(x, node.attrs["axes"], keepdims=keep))
        for size in range(1, rank + 1):
            for axes in combinations(range(-rank, 0), size):
                if set(axes) == own:
                    continue
                for kept in (keep, not keep):
                    says = "the sum runs over the wrong axis"
                    yield "wrong axis", says, (), lambda: exchanged(root, node, total(x, axes, keepdims=kept))
                    says = "a mean over the wrong axis is taken where the sum belongs"
                    yield "mean for sum", says, (), lambda: exchanged(root, node, mean(x, axes, keepdims=kept))


def _plain(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """The nodes that a sentence can name: quantities, sizes and numbers."""
    return tuple(x for x in nodes if x.symbol is not None or x.op in (size_, constant_))


COMMON = (activations.sigmoid, activations.tanh, activations.relu)
"""Activations whose derivatives are taken for those of others."""
TOGETHER: tuple[Edit, ...] = (_scaled, _factors, _terms, _products, _arguments, _sums)
EDITS: tuple[Edit, ...] = (_factors, _scaled, _terms, _products, _arguments, _others, _sums, _extra)
