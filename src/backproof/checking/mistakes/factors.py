"""Signs and factors: left out, put in twice, of the wrong size."""

# ruff: noqa: B023  (each candidate is made before the loop that offers it goes on)

from __future__ import annotations

from collections.abc import Callable, Iterator

from backproof.checking.equations import exchanged, inside, operands
from backproof.checking.mistakes.kinds import Candidate, Context, is_derivative, is_slope, nameable
from backproof.ir.node import Node
from backproof.ir.sizes import ONE
from backproof.ops.arithmetic import add, div, mul, neg, product, sub
from backproof.ops.elementary import sqrt
from backproof.ops.entries import row_of
from backproof.ops.leaves import constant, constant_, is_number, size_
from backproof.ops.scalar import ScalarRow


def signs(root: Node, context: Context) -> Iterator[Candidate]:
    """The whole with the wrong sign, or a difference the wrong way round."""
    for node in inside(root):
        if node.op is sub:
            first, second = node.inputs
            yield Candidate("the difference is the wrong way round", lambda: exchanged(root, node, sub(second, first)))
        if node.op is neg:
            yield Candidate("the sign is wrong", lambda: exchanged(root, node, node.inputs[0]))
    yield Candidate("the sign is wrong", lambda: neg(root))


def twos(root: Node, context: Context) -> Iterator[Candidate]:
    """A factor 2 too many or missing."""
    yield Candidate("there is a factor 2 too many", lambda: product(constant(2), root))
    yield Candidate("a factor 2 is missing", lambda: mul(div(constant(1), constant(2)), root))


def undivided(root: Node, context: Context) -> Iterator[Candidate]:
    """The 1/m of a mean left out."""
    for dropped, make in _dropped(root):
        if dropped.op is div and is_number(dropped.inputs[0], 1) and dropped.inputs[1].op in (size_, constant_):
            yield Candidate("the factor 1/{0} of the mean is left out", make, nameable([dropped.inputs[1]]))
    for number in _numbers(context):
        named = nameable([number])
        says = "the factor 1/{0} of the mean is left out" if named else "the factor of the mean is left out"
        yield Candidate(says, lambda: mul(number, root), named)


def divided_twice(root: Node, context: Context) -> Iterator[Candidate]:
    """Divided by the number of samples where that has been done already."""
    for number in _numbers(context):
        named = nameable([number])
        says = f"it is divided by {'{0}' if named else 'the number of the mean'} once too often"
        yield Candidate(says, lambda: mul(div(constant(1), number), root), named)


def other_numbers(root: Node, context: Context) -> Iterator[Candidate]:
    """A mean that divides by the length of another axis."""
    numbers = _numbers(context)
    for own in numbers:
        for other in numbers:
            if own is not other:
                named = nameable([other, own])
                says = "it is divided by {0} in place of {1}" if len(named) == 2 else "it is divided by another number"
                yield Candidate(says, lambda: mul(div(own, other), root), named)
    for own in dict.fromkeys(x.attrs["size"] for x in inside(root) if x.op is size_):
        alike = [x for x in inside(root) if x.op is size_ and x.attrs["size"] == own]
        for other in (*numbers, *(sub(x, constant(1)) for x in alike[:1])):
            says = "another number stands in the place of {0}"
            yield Candidate(says, lambda: _with_all(root, alike, other), (alike[0],))


def _with_all(root: Node, places: list[Node], new: Node) -> Node:
    for place in places:
        root = exchanged(root, place, new)
    return root


def less_one(root: Node, context: Context) -> Iterator[Candidate]:
    """m − 1 in the place of m."""
    for number in _numbers(context):
        named = nameable([number])
        own = "{0}" if named else "the number"
        less = sub(number, constant(1))
        yield Candidate(f"it is divided by {own} − 1 in place of {own}", lambda: mul(div(number, less), root), named)
        yield Candidate(f"it is divided by {own} in place of {own} − 1", lambda: mul(div(less, number), root), named)


def roots_of_numbers(root: Node, context: Context) -> Iterator[Candidate]:
    """1/√d once too often, or 1/d for 1/√d."""
    for number in _numbers(context):
        named = nameable([number])
        own = "{0}" if named else "the number"
        says = f"it is divided by √{own} once too often"
        yield Candidate(says, lambda: mul(div(constant(1), sqrt(number)), root), named)


def divisions(root: Node, context: Context) -> Iterator[Candidate]:
    """A division left out."""
    for dropped, make in _dropped(root):
        if dropped.op is div and is_number(dropped.inputs[0], 1):
            inner = dropped.inputs[1].inputs if dropped.inputs[1].op is sqrt else dropped.inputs[1:]
            named = nameable(inner)
            what = "√{0}" if dropped.inputs[1].op is sqrt else "{0}"
            yield Candidate(f"the division by {what} is left out" if named else "the division is left out", make, named)
    for node in inside(root):
        if node.op is div and not is_number(node.inputs[0], 1):
            upper, lower = node.inputs
            named = nameable([lower])
            says = "the division by {0} is left out" if named else "the division is left out"
            yield Candidate(says, lambda: exchanged(root, node, upper), named)


def upstream(root: Node, context: Context) -> Iterator[Candidate]:
    """The derivative that comes from above left out."""
    for dropped, make in _dropped(root):
        above = tuple(filter(is_derivative, operands(dropped)))
        left = [x for x in operands(root) if is_derivative(x) and x not in above]
        if above and (dropped is above[0] or not left):
            yield Candidate("the derivative that comes from above, {0}, is left out", make, above[:1])


def slopes(root: Node, context: Context) -> Iterator[Candidate]:
    """The derivative of the activation left out."""
    for dropped, make in _dropped(root):
        row = row_of(dropped)
        if (isinstance(row, ScalarRow) and any(row.scalar.orders)) or is_slope(dropped):
            yield Candidate("the derivative of the activation is left out", make)


def factors(root: Node, context: Context) -> Iterator[Candidate]:
    """Any other factor left out."""
    for dropped, make in _dropped(root):
        if nameable([dropped]):
            yield Candidate("the factor {0} is left out", make, (dropped,))
        else:
            yield Candidate("a factor is left out", make)


def factors_twice(root: Node, context: Context) -> Iterator[Candidate]:
    """A factor or a division that is applied once more."""
    for node in inside(root):
        if node.op is mul:
            for factor in node.inputs:
                if not is_derivative(factor):
                    named = nameable([factor])
                    says = "it is multiplied by {0} twice" if named else "a factor is applied twice"
                    yield Candidate(says, lambda: exchanged(root, node, mul(node, factor)), named)
        if node.op is div:
            lower = node.inputs[1]
            named = nameable([lower])
            says = "it is divided by {0} twice" if named else "a division is applied twice"
            yield Candidate(says, lambda: exchanged(root, node, div(node, lower)), named)


def upstream_twice(root: Node, context: Context) -> Iterator[Candidate]:
    """Multiplied by a derivative that does not belong there."""
    for x, dx in context.gradients.items():
        if x is not context.of:
            yield Candidate("it is multiplied by {0} too", lambda: mul(root, dx), (dx,))


def needless(root: Node, context: Context) -> Iterator[Candidate]:
    """Multiplied or divided by a quantity that does not belong there."""
    for x in context.quantities:
        if x.shape:
            yield Candidate("it is multiplied by {0} too", lambda: mul(root, x), (x,))
            yield Candidate("it is divided by {0} too", lambda: div(root, x), (x,))


def operations(root: Node, context: Context) -> Iterator[Candidate]:
    """A sum for a product, a quotient for a product, a product for a quotient."""
    for node in inside(root):
        if node.op in (mul, div, add):
            a, b = node.inputs
        if node.op is mul:
            yield Candidate("/ stands where * belongs", lambda: exchanged(root, node, div(a, b)))
            yield Candidate("/ stands where * belongs", lambda: exchanged(root, node, div(b, a)))
            yield Candidate("+ stands where * belongs", lambda: exchanged(root, node, add(a, b)))
            yield Candidate("− stands where * belongs", lambda: exchanged(root, node, sub(a, b)))
        elif node.op is div:
            yield Candidate("* stands where / belongs", lambda: exchanged(root, node, mul(a, b)))
            yield Candidate("the quotient is the wrong way round", lambda: exchanged(root, node, div(b, a)))
        elif node.op is add:
            yield Candidate("* stands where + belongs", lambda: exchanged(root, node, mul(a, b)))


def _dropped(root: Node) -> Iterator[tuple[Node, Callable[[], Node]]]:
    """Every factor with the equation without it."""
    for node in inside(root):
        if node.op is mul:
            for dropped, kept in (node.inputs, node.inputs[::-1]):
                yield dropped, lambda: exchanged(root, node, kept)


def _numbers(context: Context) -> list[Node]:
    """What a mean may be divided by: what the forward pass divides by, and the lengths of all axes."""
    sizes = dict.fromkeys(size for x in (context.of, *context.quantities) for size in x.shape if size != ONE)
    divisors = [x for x in context.divisors if x.op is not constant_ or _counts(x.attrs["value"])]
    known = {x.attrs["size"] for x in divisors if x.op is size_}
    lengths = {x.attrs["value"] for x in divisors if x.op is constant_}
    return [*divisors, *(size_(size=s) for s in sizes if s not in known and s.value not in lengths)]


def _counts(number: complex) -> bool:
    """Whether a number may be how many there are of something."""
    return not isinstance(number, complex) and number > 1 and float(number).is_integer()
