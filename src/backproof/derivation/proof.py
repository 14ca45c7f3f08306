"""Why a backward equation is right, entry by entry: the chain rule written out, and where each sum comes from.

This does not read the rules of the operations on arrays. It takes the forward equation in entry form, differentiates it
by one entry of the quantity (Kronecker deltas say which entries meet), and adds up over the entries that were found to
depend on it: a second derivation of every transpose and every sum. It shares with the first one the derivatives of
scalar functions, which are checked against numbers elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce

from backproof.derivation.steps import BackwardStep, Proof
from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import Index, Place, letters_of, put, solution
from backproof.ops.arithmetic import MANY, add, div, mul, neg, power, product, raised, sub
from backproof.ops.complexes import (
    REAL_VALUED,
    TWISTED,
    ComplexNodes,
    angle,
    as_complex,
    conj,
    imag,
    modulus,
    real,
    sgn,
    unit,
)
from backproof.ops.elementary import pieces
from backproof.ops.entries import (
    Bounds,
    LetterPool,
    Places,
    at,
    at_,
    counted_,
    delta,
    entry_of,
    put_in,
    row_of,
    sum_over,
    sum_over_,
)
from backproof.ops.fused import FusedRow
from backproof.ops.leaves import constant
from backproof.ops.outside import are_told, where_there_is
from backproof.ops.scalar import ScalarRow, derivative


@dataclass(frozen=True, slots=True, eq=False)
class Monomial:
    """± a product of factors and deltas, summed over letters; it counts only where positions are in their bounds."""

    sign: int = 1
    factors: tuple[Node, ...] = ()
    deltas: tuple[tuple[Place, Place], ...] = ()
    sums: tuple[Index, ...] = ()
    bounds: Bounds = ()

    def times(self, *factors: Node) -> Monomial:
        return replace(self, factors=self.factors + factors)

    def over(self, index: Index, *, solving: bool = False) -> Monomial:
        """The sum over a letter: a delta of it and another position picks one term, else the sum stays.

        It stays where there may be no such term: where the letter is part of a position, as in δ of j and 2y + p, and
        where the other one runs further, as in that of an array and of its first half. With `solving` such a delta
        picks its term too, the one at (j − p)/2, where that is the place of an entry and there is none beyond.
        """
        for pair in self.deltas:
            other = pair[1] if pair[0] == index else pair[0]
            if index in pair and not _runs_further(other, index):
                return self._put(index, other, pair)
        if solving and index.size.value is not None:
            for pair in self.deltas:
                for place, value in (pair, pair[::-1]):
                    if index not in letters_of(value) and (found := solution(place, index, value)) is not None:
                        chosen = self._put(index, found, pair)
                        bounds = (*chosen.bounds, (found, 1, index.size.value))
                        if are_told(bounds, chosen.factors):
                            return replace(chosen, bounds=bounds)
        return replace(self, sums=(index, *self.sums))

    def solved(self) -> Monomial:
        """The same with the deltas that sums still run over solved for a letter of theirs."""
        return reduce(lambda m, index: m.over(index, solving=True), reversed(self.sums), replace(self, sums=()))

    def _put(self, index: Index, position: Place, used: tuple[Place, Place]) -> Monomial:
        """A position in the place of a letter, and a delta left out that says so."""
        return replace(
            self,
            factors=tuple(put_in(f, index, position) for f in self.factors),
            deltas=tuple((put(a, index, position), put(b, index, position)) for a, b in self.deltas if (a, b) != used),
            bounds=tuple((put(place, index, position), least, most) for place, least, most in self.bounds),
        )

    def node(self) -> Node:
        """The monomial as an entry form, without its sign."""
        counted = where_there_is(self.bounds, reduce(product, self.factors, constant(1)))
        body = reduce(product, [*(delta(a, b) for a, b in self.deltas), counted])
        return reduce(lambda inner, index: sum_over(index, inner), reversed(self.sums), body)


def _runs_further(place: Place, index: Index) -> bool:
    """Whether a position can be one that a letter does not reach."""
    return isinstance(place, Index) and place.size != index.size and place.size.value != index.size.value


def proofs(step: BackwardStep, derivative_of: dict[Node, Node], complexes: ComplexNodes | None = None) -> list[Proof]:
    """The proof of a step for each forward quantity that its own acts through and whose entries have a formula.

    `derivative_of` gives the named derivative by each forward quantity.
    """
    found = []
    closed = {path.consumer for path in step.paths if path.closed}
    for consumer in dict.fromkeys(path.consumer for path in step.paths):
        if consumer in closed or not _has_entry_form(consumer, step.of, complexes):
            continue
        upstream = derivative_of.get(consumer)
        # The terms of a penalty are not averaged, so the deferred 1/m does not apply to them.
        factor = step.scale if upstream is not None else None
        found.append(_proof(step.of, consumer, upstream, factor, complexes))
    return found


def _has_entry_form(consumer: Node, of: Node, complexes: ComplexNodes | None) -> bool:
    """Whether the entries of a forward quantity can be written as a formula in those of the quantity `of`.

    Nothing is proved of a conjugate, and of what makes a complex number out of the real part of another one: they have
    no complex derivative. Of a formula that is element-wise there is nothing to prove: it has no sum and no transpose.
    A composite is written through its own entries, for which what it is applied to needs a name.
    """
    if isinstance(consumer.op, FusedRow) or (row_of(consumer).body is not None and consumer.inputs[0].symbol is None):
        return False
    return is_formula_in(entry_of(consumer, LetterPool().place(consumer.shape)), of, complexes)


def is_formula_in(entry: Node, of: Node, complexes: ComplexNodes | None = None) -> bool:
    """Whether an entry form says of every entry of `of` where it stands."""
    stack = [(entry, False)]
    while stack:
        x, in_complex = stack.pop()
        if x.op is pieces:
            return False
        if x.op in TWISTED or (x.op in REAL_VALUED and in_complex):
            return False
        if x.op is at_ and x.inputs[0].symbol is None and of in ancestors(x.inputs):
            return False
        below = in_complex or (complexes is not None and x in complexes)
        stack.extend((y, below) for y in (x.inputs if x.op is not at_ else ()))
    return True


def _proof(
    of: Node, consumer: Node, upstream: Node | None, factor: Node | None, complexes: ComplexNodes | None
) -> Proof:
    letters = LetterPool()
    target = letters.place(of.shape)
    place = letters.place(consumer.shape)
    forward = entry_of(consumer, place, letters)
    monomials = _monomials(consumer, place, forward, of, target)
    local = _added(monomials)
    running = tuple(p for p in place if isinstance(p, Index))
    # Samples outermost, as in the sums of the article.
    running = tuple(sorted(running, key=lambda index: not index.size.samples))
    chained = monomials
    outer = None
    if upstream is not None:
        outer = at(upstream, place)
        chained = [replace(m, factors=(outer, *m.factors)) for m in monomials]
        for index in reversed(running):
            chained = [m.over(index, solving=True) for m in chained]
    result = _added(chained)
    takes_real = complexes is not None and of not in complexes and result in complexes
    if takes_real:
        result = real(result)
    return Proof(
        consumer,
        at(of, target),
        at(consumer, place) if upstream is not None else None,
        forward,
        local,
        factor,
        running if upstream is not None else (),
        outer,
        result if factor is None else product(factor, result),
        takes_real,
    )


def local_derivative(output: Node, place: Places, of: Node, target: Places) -> Node:
    """The derivative of the entry of `output` at `place` by the entry of `of` at `target`, with deltas."""
    return _added(_monomials(output, place, entry_of(output, place, LetterPool((*place, *target))), of, target))


def entry_derivative(entry: Node, of: Node, target: Places) -> Node:
    """The derivative of an entry form by the entry of `of` at `target`, with deltas."""
    return _added([m.solved() for m in _differentiated(entry, of, target)])


def _monomials(output: Node, place: Places, forward: Node, of: Node, target: Places) -> list[Monomial]:
    """The derivative of `forward`, the entry form of `output`; a composite's written through its own entries."""
    monomials = list(_differentiated(forward, of, target))
    if row_of(output).body is not None:
        return [_through_output(m, output, place) for m in monomials]
    return monomials


def _added(monomials: Sequence[Monomial]) -> Node:
    if not monomials:
        return constant(0)
    if len(monomials) > MANY:
        # In halves, so that no formula is as deep as it is long; a half that begins with a minus sign is subtracted.
        half = len(monomials) // 2
        left, right = monomials[:half], monomials[half:]
        if right[0].sign > 0:
            return add(_added(left), _added(right))
        return sub(_added(left), _added([replace(m, sign=-m.sign) for m in right]))
    first, *rest = monomials
    total = first.node() if first.sign > 0 else neg(first.node())
    for m in rest:
        total = add(total, m.node()) if m.sign > 0 else sub(total, m.node())
    return total


def _differentiated(node: Node, of: Node, target: Places) -> Iterator[Monomial]:
    """The derivative of an entry form by the entry of `of` at `target`."""
    if node.op is at_:
        (array,) = node.inputs
        if array is of:
            pairs = zip(node.attrs["place"], target, strict=True)
            yield Monomial(deltas=tuple((a, b) for a, b in pairs if a is not None and b is not None))
    elif node.op is sum_over_:
        for m in _differentiated(node.inputs[0], of, target):
            yield m.over(node.attrs["index"])
    elif node.op in (add, sub):
        yield from _differentiated(node.inputs[0], of, target)
        for m in _differentiated(node.inputs[1], of, target):
            yield m if node.op is add else replace(m, sign=-m.sign)
    elif node.op is counted_:
        for m in _differentiated(node.inputs[0], of, target):
            yield replace(m, bounds=(*m.bounds, *node.attrs["bounds"]))
    elif node.op is neg:
        for m in _differentiated(node.inputs[0], of, target):
            yield replace(m, sign=-m.sign)
    elif node.op is mul:
        a, b = node.inputs
        for m in _differentiated(a, of, target):
            yield m.times(b)
        for m in _differentiated(b, of, target):
            yield replace(m, factors=(a, *m.factors))
    elif node.op is div:
        a, b = node.inputs
        for m in _differentiated(a, of, target):
            yield replace(m, factors=(div(reduce(product, m.factors, constant(1)), b),))
        for m in _differentiated(b, of, target):
            yield replace(m, sign=-m.sign, factors=(div(a, power(b, exponent=2)), *m.factors))
    elif node.op is power:
        (a,) = node.inputs
        n = node.attrs["exponent"]
        for m in _differentiated(a, of, target):
            yield m.times(product(constant(n), raised(a, n - 1)))
    elif node.op in SLOPES:
        (z,) = node.inputs
        for m in _differentiated(z, of, target):
            yield m.times(SLOPES[node.op](z))
    elif isinstance(node.op, ScalarRow):
        for k, x in enumerate(node.inputs):
            for m in _differentiated(x, of, target):
                yield m.times(derivative(node.op, k)(*node.inputs))


SLOPES: dict[object, Callable[[Node], Node]] = {
    real: lambda z: constant(1),
    as_complex: lambda z: constant(1),
    imag: lambda z: neg(unit()),
    modulus: lambda z: conj(sgn(z)),
    angle: lambda z: neg(div(unit(), z)),
}
"""The derivatives of what is taken from complex numbers, and of real numbers as complex ones; the real part counts."""


def _through_output(m: Monomial, consumer: Node, place: Places) -> Monomial:
    """The factors of a composite's derivative written through its own outputs: eˣ/s is the output itself."""
    # Here and not above: SymPy takes long to import, and only composites need it.
    from backproof.derivation.algebra import entries_through_output

    if not m.factors:
        return m
    written = entries_through_output(reduce(product, m.factors), consumer, place)
    if written.op is neg:
        return replace(m, sign=-m.sign, factors=(written.inputs[0],))
    return replace(m, factors=(written,))
