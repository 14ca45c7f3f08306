"""Which mistake is in a wrong statement: the edits of the right equation that give its numbers on every draw."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from backproof.checking.equations import exchanged, operands
from backproof.checking.fitting import Fitting
from backproof.checking.mistakes.kinds import Context, Edited, Kind, is_derivative, nameable
from backproof.checking.mistakes.table import (
    FACTOR_OF_A_TERM,
    LEFT_ZERO,
    REGULARISATION_SCALED,
    SCALES,
    TABLE,
    WRONG_FACTOR,
    WRONG_NUMBER,
    edited,
)
from backproof.checking.mistakes.terms import is_regularisation, scaled_terms
from backproof.checking.moments import statement_of
from backproof.checking.repair import Repair
from backproof.checking.trial import Trial
from backproof.checking.truth import Quantity, Truth, divisors
from backproof.ir.node import Node
from backproof.ops.arithmetic import mul
from backproof.ops.entries import row_of
from backproof.ops.leaves import constant, constant_, input_
from backproof.ops.scalar import ScalarRow

MOST_MISTAKES = 4
"""How many mistakes that give the same numbers are named."""
MOST_FORMS = 3
"""In how many forms of an equation quantities that are not read, and pairs, are looked for."""
NEAR = 2
"""By how many quantities the first edit of a pair may take an equation away from what a statement reads."""
MOST_READ = 6
"""Pairs are looked for in statements that read no more quantities than this."""
MOST_OF_A_PAIR = 30
"""How many mistakes in one form are tried together with as many others."""
MOST_EDITS = 1000
"""How many single mistakes are tried in one form."""
CLOSE = 1e-7
"""How far a factor may be from what it is taken for."""


def mistakes(
    truth: Truth, quantity: Quantity, trial: Trial, repairs: Sequence[Repair], *, pairs: bool = True
) -> tuple[Edited | Repair, ...]:
    """The mistakes in a statement: single ones in the equation, else in the line, else a pair; the likeliest first.

    Pairs are looked for only if `pairs` says so.
    """
    if (other := trial.holds_another(quantity)) is not None:
        return (Edited("wrong quantity", other.node, "{0} stands where {1} belongs", (other.node, quantity.node)),)
    if (overwriting := trial.overwriting(quantity)) is not None:
        return (overwriting,)
    return _Search(truth, quantity, trial).found(repairs, pairs=pairs)


class _Search:
    """The forms of one right equation, with the edits that give the values of a statement, at least up to a factor."""

    def __init__(self, truth: Truth, quantity: Quantity, trial: Trial) -> None:
        self._truth, self._quantity, self._trial = truth, quantity, trial
        self._context = context_of(truth, quantity)
        self._quantities = {*self._context.quantities, *self._context.gradients.values()} - {quantity.node}
        self._read = trial.read
        self._scaled = trial.scaled
        self._order = _order(trial.event.moment.source)
        # What the statement does not read is hardly in its equation.
        self._forms = sorted(trial.forms(quantity), key=lambda form: self._distance(operands(form), exact=False))
        self._multiples: list[tuple[Node, Edited, float]] = []
        self._fittings: dict[Node, Fitting] = {}
        self._scales_of: dict[Node, list[tuple[Edited, float]]] = {}

    def found(self, repairs: Sequence[Repair], *, pairs: bool) -> tuple[Edited | Repair, ...]:
        """The likeliest mistakes."""
        empty = all(not array.any() for array in self._trial.event.arrays)
        if empty and "zeros" in self._trial.event.moment.source:
            return (self._left_zero(),)
        own = next(self._terms(self._is_chosen), None) if not empty and self._has_numbers() else None
        if own is not None:
            return (own,)
        singles = self._singles() if not empty or any(map(is_derivative, self._read)) else []
        if singles:
            return tuple(singles[:MOST_MISTAKES])
        if empty:
            return (self._left_zero(),)
        first = next(self._terms(nice=True), None)
        if first is None and (repairs or not pairs):
            return tuple(repairs[:MOST_MISTAKES])
        ways = (() if first is None else (first,), self._times(), self._pairs(), self._terms(), self._factor())
        return tuple(islice((edit for way in ways for edit in way), 1))

    def _has_numbers(self) -> bool:
        """Whether a number stands in the statement that may be another one: what is no number is not a wrong one."""
        event = self._trial.event
        statement = statement_of(event.moment)
        nodes = () if statement is None else ast.walk(statement)
        read = any(array.ndim == 0 and array.dtype.kind == "f" for array in event.reads[0].values())
        return read or any(map(_is_number, nodes))

    def _left_zero(self) -> Edited:
        return _of_kind(LEFT_ZERO, mul(constant(0), self._forms[0]), "it is zero everywhere")

    def _singles(self) -> list[Edited]:
        """The single mistakes, the likeliest first."""
        read = self._of_what_is_read()
        found = self._matching((form, read) for form in self._forms)
        found = found or self._matching((form, self._context) for form in self._forms[:MOST_FORMS])
        strangeness = {edit: self._strangeness(edit.node, exact=False) for edit in found}
        least = [edit for edit in found if strangeness[edit] == min(strangeness.values())]
        least.sort(key=lambda edit: (self._order[edit.mistake], self._strangeness(edit.node, exact=True)))
        named: dict[tuple[Node, ...] | Edited, Edited] = {}
        for edit in least:  # the same quantities in another sentence say nothing new
            named.setdefault(edit.named or edit, edit)
        return list(named.values())

    def _matching(self, tried: Iterable[tuple[Node, Context]]) -> list[Edited]:
        """The edits of forms that give the values; those that give a multiple of them are kept for later."""
        found: dict[tuple[str, tuple[Node, ...]], Edited] = {}
        for form, context in tried:
            fitting = self._fitting(form)
            for edit in islice(edited(form, context), MOST_EDITS):
                factor = fitting.multiple(edit.node)
                if factor is None:
                    continue
                if self._is(edit, factor):
                    found.setdefault((edit.says, edit.named), edit)
                else:
                    self._multiples.append((form, edit, factor))
            if found and not any(self._strangeness(edit.node, exact=False) for edit in found.values()):
                break  # no other form is closer to what was written
        return list(found.values())

    def _is(self, edit: Edited, factor: float) -> bool:
        """Whether an edit that gives a multiple of the values on the first draw gives the values on all."""
        if math.isclose(factor, 1, rel_tol=CLOSE):
            return self._trial.gives(edit.node, self._quantity)
        # Without what comes from above, the factor that it would have brought along is missing too.
        scale = self._truth.scale(self._quantity, 0)
        alone = self._scaled.isdisjoint(operands(edit.node)) and math.isclose(factor * scale, 1, rel_tol=CLOSE)
        return alone and self._trial.gives(edit.node, None)

    def _is_chosen(self, part: Node) -> bool:
        """Whether a part is somebody's choice: a number as the slope of a leaky relu, or a regularisation."""
        of = self._context.of
        number = part.op is constant_ and part.attrs["value"] not in (-1, 0, 0.5, 1, 2)
        return (number and of.op is not input_) or is_regularisation(part, of)

    def _terms(self, may_be: Callable[[Node], bool] | None = None, *, nice: bool = False) -> Iterator[Edited]:
        """One part of the equation with a factor; with `nice`, one that is easily explained."""
        for form in self._forms:
            fitting, scales = self._fitting(form), self._scales(form)
            for part in scaled_terms(form):
                if may_be is not None and not may_be(part):
                    continue
                factor = fitting.factor_of(part, form)
                usual = (-1, 1) if part.op is constant_ and may_be is not None else (-1, 0, 1)
                if factor is None or any(math.isclose(factor, k, abs_tol=CLOSE) for k in usual):
                    continue
                scale = next((s for s, by in scales if math.isclose(by, factor, rel_tol=CLOSE)), None)
                if nice and scale is None and part.op is not constant_:
                    continue
                edit = self._scaled_part(form, part, factor, scale)
                if self._trial.gives(edit.node, self._quantity):
                    yield edit

    def _scaled_part(self, form: Node, part: Node, factor: float, scale: Edited | None) -> Edited:
        node = exchanged(form, part, mul(constant(factor), part))
        if part.op is constant_:
            own = part.attrs["value"]
            says = f"the number {own * factor:.6g} stands where {own:.6g} belongs"
            return _of_kind(WRONG_NUMBER, node, says)
        where = "the term {0}" if nameable([part]) else "one part"
        kind = FACTOR_OF_A_TERM
        if is_regularisation(part, self._context.of):
            kind, where = REGULARISATION_SCALED, "the term of the regularisation"
        named = nameable([part]) if where == "the term {0}" else ()
        if scale is None:
            return _of_kind(kind, node, f"{where} is {factor:.6g} times what it should be", named)
        first = _of_kind(kind, node, f"in {where} a factor is wrong", named)
        return Edited(kind.name, node, f"{first.then(scale).says}", named + scale.named)

    def _fitting(self, form: Node) -> Fitting:
        if form not in self._fittings:
            self._fittings[form] = Fitting(self._truth, self._trial, self._quantity, form)
        return self._fittings[form]

    def _scales(self, form: Node) -> list[tuple[Edited, float]]:
        """The factors that the whole may have by a mistake."""
        if form not in self._scales_of:
            scales = edited(form, self._context, SCALES)
            found = [(edit, self._fitting(form).scale(edit.node)) for edit in scales]
            self._scales_of[form] = [(edit, factor) for edit, factor in found if factor is not None]
        return self._scales_of[form]

    def _times(self) -> Iterator[Edited]:
        """A mistake, and a factor of the whole."""
        for form, first, factor in self._multiples:
            by = [x for x, own in self._scales(form) if math.isclose(own, factor, rel_tol=CLOSE)]
            for scale in by[:1]:
                for second in edited(first.node, self._context, SCALES):
                    if second.says == scale.says and self._trial.gives(second.node, self._quantity):
                        yield first.then(second)

    def _pairs(self) -> Iterator[Edited]:
        """Two mistakes among the quantities that the statement reads."""
        narrow = self._of_what_is_read()
        for form in self._forms[: MOST_FORMS if len(self._read) <= MOST_READ else 0]:
            fitting = self._fitting(form)
            for first in islice(self._likely(form, narrow), MOST_OF_A_PAIR):
                for second in islice(self._likely(first.node, narrow), MOST_OF_A_PAIR):
                    if self._strangeness(second.node, exact=True):
                        continue
                    factor = fitting.multiple(second.node)
                    if factor is not None and self._is(second, factor):
                        yield first.then(second)

    def _likely(self, form: Node, context: Context) -> Iterator[Edited]:
        """Edits that do not take the equation further from what the statement reads than one more brings it back."""
        return (edit for edit in edited(form, context) if self._strangeness(edit.node, exact=True) <= NEAR)

    def _factor(self) -> Iterator[Edited]:
        """The whole is a multiple, by a number that no mistake in the table explains."""
        for form in self._forms[:1]:
            factor = self._fitting(form).multiple(form)
            if factor is not None:
                node = mul(constant(factor), form)
                if self._trial.gives(node, self._quantity):
                    yield _of_kind(WRONG_FACTOR, node, f"it is {factor:.6g} times what it should be")

    def _of_what_is_read(self) -> Context:
        context, read = self._context, self._read
        quantities = tuple(x for x in context.quantities if x in read)
        gradients = {x: dx for x, dx in context.gradients.items() if dx in read}
        return Context(context.of, quantities, gradients, context.divisors)

    def _strangeness(self, node: Node, *, exact: bool) -> int:
        return self._distance([node] if node in self._quantities else operands(node), exact=exact)

    def _distance(self, used: Iterable[Node], *, exact: bool) -> int:
        """How many quantities stand in an equation that the statement does not read, or the other way round.

        Unless it is to be exact, an activation and its argument count as one.
        """
        if exact:
            return len(set(used) ^ self._read)
        return len(set(map(_argument, used)) ^ set(map(_argument, self._read)))


def _order(source: str) -> dict[str, int]:
    """The places of the mistakes in the order of their likelihood, those that show in the code first."""
    rank = {m.name: 1 if not m.written else 0 if re.search(m.written, source) else 2 for m in TABLE}
    return {m.name: k for k, m in enumerate(sorted(TABLE, key=lambda m: rank[m.name]))}


def _is_number(node: ast.AST) -> bool:
    """Whether a piece of code is a decimal number, or chooses one of several."""
    match node:
        case ast.Constant(value=float()) | ast.Call(func=ast.Attribute(attr="where")):
            return True
    return False


def _argument(node: Node) -> Node:
    """The argument of an activation; of any other quantity itself."""
    row = row_of(node)
    return node.inputs[0] if isinstance(row, ScalarRow) and len(node.inputs) == 1 and node.inputs[0].symbol else node


def _of_kind(kind: Kind, node: Node, says: str, named: tuple[Node, ...] = ()) -> Edited:
    return Edited(kind.name, node, says, named)


def context_of(truth: Truth, quantity: Quantity) -> Context:
    """What an equation stands among."""
    of = quantity.node if quantity.step is None else quantity.step.of
    derivation = truth.derivation
    forward: tuple[Node, ...] = (*derivation.graph.inputs, *(step.node for step in derivation.forward))
    gradients = {step.of: step.node for step in derivation.backward}
    return Context(of, forward, gradients, tuple(divisors(derivation)))
