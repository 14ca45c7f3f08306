"""Simplification: a list of rewrites, each recorded with its meaning so that it can be shown or hidden."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import replace
from fractions import Fraction

from backproof.derivation.conjugates import undone, with_modulus
from backproof.derivation.matrices import in_closed_form
from backproof.derivation.once import Once, exchanged
from backproof.derivation.picked import collected, is_one_in_each_row, joined_parts, multiplied_out, without_picked_sums
from backproof.derivation.steps import Rewrite
from backproof.ir.node import Node, right_side
from backproof.ir.sizes import broadcast
from backproof.ops import activations
from backproof.ops.arithmetic import add, common_shape, div, mul, neg, power, product, sub
from backproof.ops.complexes import ComplexNodes, conj, real, sgn
from backproof.ops.elementary import exp, log, xlogy
from backproof.ops.entries import row_of
from backproof.ops.fused import FusedRow
from backproof.ops.leaves import constant, constant_, is_number, size_
from backproof.ops.linear import expand, restated, stretch, stretched, sum_
from backproof.ops.scalar import ScalarRow
from backproof.ops.softmax import log_softmax, softmax


class Values:
    """What the forward pass has computed already: its quantities, by the operation that gives them.

    `complexes` tells which nodes are complex, where any are; `once` applies rules that need not know these values.
    """

    def __init__(self, quantities: Iterable[Node], complexes: ComplexNodes | None = None) -> None:
        self.complexes = complexes
        self.once = Once()
        self._numbers: dict[Hashable, int] = {}
        self._by_operation: dict[tuple[object, tuple[Node, ...]], Node] = {}
        self._by_formula: dict[int, Node] = {}
        for node in quantities:
            self._by_operation.setdefault((node.op, node.inputs), node)
            self._by_formula.setdefault(self.formulas(node)[node], node)
            if isinstance(node.op, FusedRow):
                written = node.op.written(*node.inputs)
                self._by_formula.setdefault(self.formulas(written)[written], node)

    def of(self, operation: object, inputs: tuple[Node, ...]) -> Node | None:
        """The quantity that is `operation` applied to `inputs`, if there is one."""
        return self._by_operation.get((operation, inputs))

    def equal_to(self, number: int) -> Node | None:
        """The quantity whose formula has that number."""
        return self._by_formula.get(number)

    def formulas(self, root: Node) -> dict[Node, int]:
        """A number for every node of an equation's right side, the same for the same formula in named quantities."""
        found: dict[Node, int] = {}
        for node in right_side(root):
            key: Hashable = node
            if node.symbol is None or (node.inputs and node is root):
                attrs = str(sorted(node.attrs.items())) if node.attrs else ""
                key = (node.op, tuple([found[x] for x in node.inputs]), attrs)
            found[node] = self._numbers.setdefault(key, len(self._numbers))
        return found


def _rewrite(root: Node, *changes: Callable[[Node], Node | None]) -> Node:
    """`root` with every node inside it changed, from the inside out; the same object if nothing changes."""
    done: dict[Node, Node] = {}
    for node in right_side(root):
        if node.symbol is not None and node is not root:
            done[node] = node
            continue
        new = _on(node, tuple([done[x] for x in node.inputs]))
        for change in changes:
            new = change(new) or new
        done[node] = new
    return done[root]


def _on(node: Node, inputs: tuple[Node, ...]) -> Node:
    """`node` on changed inputs, of which some may be one number now instead of an array that is it everywhere."""
    if all(x.shape == own.shape for x, own in zip(inputs, node.inputs, strict=True)):
        return node.on(inputs)
    if row_of(node).shape is common_shape:
        return replace(node, inputs=inputs, shape=broadcast([x.shape for x in inputs]))
    if node.op in (stretch, expand) and not inputs[0].shape:
        return inputs[0]
    full = [stretched(x, own.shape) for x, own in zip(inputs, node.inputs, strict=True)]
    return node.on(tuple(full))


def simplify(raw: Node, values: Values, *, closes: bool = True) -> tuple[Rewrite, ...]:
    """The rewrites that lead from a backward equation's right side to its shortest form; none if it is short.

    With `closes` false, products of matrices and scalars are left as they are.
    """
    found: list[Rewrite] = []
    current = raw
    closing = (close, reuse) if closes else ()
    for rule in (
        *(undo_conjugates, put_in_derivatives, reuse, pick, join, *closing, gather_numbers),
        *(multiply_moduli, cancel),
    ):
        for step in rule(current, values):
            # A derivative that is a number everywhere is one at every place of the array.
            current = stretched(step.result, raw.shape)
            found.append(replace(step, result=current))
    return tuple(found)


def close(raw: Node, values: Values) -> list[Rewrite]:
    """Products of matrices as one closed formula."""
    return in_closed_form(raw, values.once)


def undo_conjugates(raw: Node, values: Values) -> list[Rewrite]:
    """Conjugates of conjugates, and of real numbers, are left out."""
    complexes = values.complexes
    if complexes is None or not any(node.op in (conj, real) for node in right_side(raw)):
        return []
    result = _rewrite(raw, lambda node: undone(node, complexes), _without_ones)
    text = "The conjugate of a conjugate is the number itself, and so is that of a real number."
    found = [] if result is raw else [Rewrite(restated(result), text)]
    numbers = values.formulas(result)
    twice = {
        x: mul(constant(2), x.inputs[0])
        for x in right_side(result)
        if x.op is add and (x.symbol is None or x is result) and numbers[x.inputs[0]] == numbers[x.inputs[1]]
    }
    if twice:
        found.append(Rewrite(exchanged(result, twice), "What comes by way of the conjugate is the same once more."))
    return found


def multiply_moduli(raw: Node, values: Values) -> list[Rewrite]:
    """|z| times the conjugate of z/|z| is the conjugate of z."""
    if values.complexes is None or not any(node.op is sgn for node in right_side(raw)):
        return []
    result = _rewrite(raw, with_modulus, _numbers_together, _without_ones)
    text = "The modulus times the conjugate of the number of modulus 1 in the same direction is the conjugate."
    return [] if result is raw else [Rewrite(restated(result), text)]


def put_in_derivatives(raw: Node, values: Values) -> list[Rewrite]:
    """g′(Z) written out: as a number, through the value A already computed, or, for a loss, as a fraction."""
    meanings: dict[str, None] = {}

    def change(node: Node) -> Node | None:
        row = row_of(node)
        if not isinstance(row, ScalarRow) or not any(row.scalar.orders) or not row.scalar.specified:
            return None
        # Here and not above: SymPy takes long to import, and unspecified functions never need it.
        from backproof.ops.formula import formula, is_short, through_value, to_nodes

        name = "the formula" if isinstance(row.base, FusedRow) else row.scalar.name.rstrip("'")
        expr, form = row.scalar.expr, row.scalar.value_form
        if expr.is_number:
            meanings[f"The derivative of {name} is {expr} everywhere."] = None
            return to_nodes(expr, {})
        value = values.of(row.base, node.inputs)
        if form is not None and value is not None:
            meanings[f"The derivative of {name} is written through the value that it already computed."] = None
            return through_value(form, value)
        if isinstance(row.base, FusedRow) or (row.base is not None and row.base.scalar.primitive):
            meanings[f"The derivative of {name} is put in."] = None
            return formula(row, *node.inputs)
        if len(row.scalar.arguments) > 1 and is_short(expr):
            meanings[f"The derivative of the loss {name} is put in."] = None
            return formula(row, *node.inputs)
        return None

    result = restated(_rewrite(raw, change, _signs_first, _without_ones, _numbers_together))
    return [Rewrite(result, " ".join(meanings))] if meanings else []


def reuse(raw: Node, values: Values) -> list[Rewrite]:
    """What the forward pass has computed already is not computed again."""
    mapping: dict[Node, Node] = {}
    for node, number in values.formulas(raw).items():
        known = values.equal_to(number)
        if known is not None and node.symbol is None and node.inputs and node.shape == known.shape:
            mapping[node] = known
    if not mapping:
        return []
    result = exchanged(raw, mapping)
    used = dict.fromkeys(x for x in right_side(result) if x in mapping.values())
    names = " and ".join(f"{{{k}}}" for k in range(len(used)))
    verb = "was" if len(used) == 1 else "were"
    return [Rewrite(restated(result), f"{names} {verb} computed in the forward pass.", tuple(used))]


def pick(raw: Node, values: Values) -> list[Rewrite]:
    """Sums over rows that hold one entry each are that entry."""
    picked = [node for node in right_side(raw) if is_one_in_each_row(node)]
    if not picked:
        return []
    # Here and not above: SymPy takes long to import, and most equations have nothing to pick.
    from backproof.derivation.algebra import Algebra
    from backproof.ops.calculus import tidy

    alike = {number: x for node in picked for x, number in values.formulas(node.inputs[0]).items()}

    def known(node: Node) -> Node:
        number = values.formulas(node)[node]
        return values.equal_to(number) or alike.get(number, node)

    def shorten(node: Node) -> Node:
        algebra = Algebra(opens=opens)
        short = algebra.nodes(tidy(algebra.expr(node)), node)
        # A number that is the same at every place costs nothing there.
        return short if short.op is stretch or work(short) <= work(node) else node

    result = _rewrite(
        raw,
        lambda node: without_picked_sums(node, known, shorten),
        lambda node: multiplied_out(node, known, shorten),
        _signs_first,
    )
    if result is raw:
        return []
    named = next((node for node in picked if node.symbol is not None), None)
    if named is None:
        found = [Rewrite(restated(result), "A row holds one entry, so its sum is that entry.")]
    else:
        meaning = "{0} has one entry in each row, so a sum over a row is that entry."
        found = [Rewrite(restated(result), meaning, (named,))]

    def same(a: Node, b: Node) -> bool:
        return values.formulas(a)[a] == values.formulas(b)[b]

    if (short := collected(result, same)) is not None:
        meaning = "What both terms have in common stands in front."
        logarithms = log_probabilities(short)
        if logarithms:
            meaning += " The exponential of {0} is the softmax of {1}: the probabilities."
        found.append(Rewrite(short, meaning, logarithms))
    return found


def log_probabilities(root: Node) -> tuple[Node, ...]:
    """The logarithm of a softmax that an equation has the exponential of, and what it is the softmax of."""
    found = (x.inputs[0] for x in right_side(root) if x.op is exp and x.inputs[0].op is log_softmax)
    return next(((y, y.inputs[0]) for y in found), ())


def join(raw: Node, values: Values) -> list[Rewrite]:
    """A sum of arrays that hold each a part of one, side by side, is these parts joined."""
    inner = {x for node in right_side(raw) if node.op is add and node.symbol is None for x in node.inputs}
    mapping = {
        node: joined
        for node in right_side(raw)
        if node.op is add and (node is raw or (node.symbol is None and node not in inner))
        if (joined := joined_parts(node)) is not None
    }
    if not mapping:
        return []
    return [Rewrite(exchanged(raw, mapping), "The parts lie side by side, so adding them up joins them.")]


def _without_ones(node: Node) -> Node | None:
    if node.op is mul:
        for one, other in (node.inputs, node.inputs[::-1]):
            if is_number(one, 1):
                return other
    return None


def _signs_first(node: Node) -> Node | None:
    """Minus signs are drawn to the front, and two of them cancel."""
    if node.op is neg and node.inputs[0].op is neg:
        return node.inputs[0].inputs[0]
    if node.op is mul:
        a, b = node.inputs
        if a.op is neg and a.symbol is None:
            return _negated(mul(a.inputs[0], b))
        if b.op is neg and b.symbol is None:
            return _negated(mul(a, b.inputs[0]))
    if node.op is div and _is_negative(node.inputs[0]):
        return neg(div(constant(-node.inputs[0].attrs["value"]), node.inputs[1]))
    if node.op is sub and node.inputs[1].op is neg and node.inputs[1].symbol is None:
        return add(node.inputs[0], node.inputs[1].inputs[0])
    return None


def _is_negative(node: Node) -> bool:
    return node.op is constant_ and not isinstance(node.attrs["value"], complex) and node.attrs["value"] < 0


def _negated(node: Node) -> Node:
    return _signs_first(neg(node)) or neg(_signs_first(node) or node)


def gather_numbers(raw: Node, values: Values) -> list[Rewrite]:
    """The plain numbers in front of an array multiplied together: (0.1/2)·(2·W) is 0.1·W."""
    result = _rewrite(raw, _numbers_together, _without_ones)
    return [] if result is raw else [Rewrite(restated(result), "The numbers in front are multiplied.")]


def _numbers_together(node: Node) -> Node | None:
    """a·(b·x) as (a·b)·x for numbers a and b; (1/m)·(b·x) as (b/m)·x."""
    if node.op is not mul or node.inputs[1].op is not mul or node.inputs[1].symbol is not None:
        return None
    front, (number, rest) = node.inputs[0], node.inputs[1].inputs
    if number.op is not constant_:
        return None
    if front.op is constant_:
        return mul(constant(front.attrs["value"] * number.attrs["value"]), rest)
    if front.op is div and front.inputs[0].op is constant_:
        upper = front.inputs[0].attrs["value"] * number.attrs["value"]
        if front.inputs[1].op is constant_:
            return product(_quotient(upper, front.inputs[1].attrs["value"]), rest)
        return mul(div(constant(upper), front.inputs[1]), rest)
    return None


def _quotient(upper: float, lower: float) -> Node:
    """A quotient of numbers: as a fraction where both are whole."""
    if isinstance(upper, int) and isinstance(lower, int):
        fraction = Fraction(upper, lower)
        if fraction.denominator == 1:
            return constant(fraction.numerator)
        return div(constant(fraction.numerator), constant(fraction.denominator))
    return constant(upper / lower)


ARITHMETIC = (add, sub, neg, mul, div, power, stretch)


def opens(node: Node) -> bool:
    """Whether algebra may look into a named derivative: it is plain arithmetic, not a product of matrices."""
    return node.op in ARITHMETIC and node.symbol is not None and bool(node.symbol.prefix)


def cancel(raw: Node, values: Values) -> list[Rewrite]:
    """Puts the derivative above into the equation where that makes it shorter, or spares it a division."""
    summed = any(node.op is sum_ for node in right_side(raw))
    opened = [
        node
        for node in right_side(raw)[:-1]
        if opens(node) and (_has_division(node) or (summed and _holds_distribution(node)))
    ]
    if not opened:
        return []
    put_in = exchanged(raw, {node: Node(node.op, node.inputs, node.shape, node.attrs) for node in opened})
    labels = summed and _holds_distribution(put_in)
    found = values.once(_collected_with_labels if labels else _collected, put_in)
    short = found[-1].result
    if work(short) >= work(raw) and (_has_division(short) or not _has_division(put_in)):
        return []
    names = " and ".join(f"{{{k}}}" for k in range(len(opened)))
    return [Rewrite(put_in, f"{names} {'is' if len(opened) == 1 else 'are'} put in.", tuple(opened)), *found]


def _collected(put_in: Node, *, labels: bool = True) -> list[Rewrite]:
    """An equation in its shortest form as arithmetic has it."""
    # Here and not above: SymPy takes long to import, and most equations have nothing to cancel.
    from backproof.derivation.algebra import Algebra, told_to_add_up
    from backproof.ops.calculus import tidy

    adds_up = told_to_add_up if labels else lambda node: ()
    algebra = Algebra(opens=lambda node: False, adds_up=adds_up)
    short = algebra.nodes(tidy(algebra.expr(put_in)), put_in)
    if _has_division(put_in):
        return [Rewrite(short, "What stands above and below the fraction line cancels.")]
    return [Rewrite(short, "The terms are collected.")]


def _collected_with_labels(put_in: Node) -> list[Rewrite]:
    """The same where labels are added up: first as if nothing were known of their sum."""
    (short,) = _collected(put_in)
    return [*_collected(put_in, labels=False), replace(short, template="The labels of each sample add up to 1.")]


def _holds_distribution(root: Node) -> bool:
    """Whether the labels stand in an equation, and are known to add up to one."""
    return any("sums_to_one" in node.attrs for node in right_side(root))


def _has_division(root: Node) -> bool:
    return any(
        node.op is div and node.inputs[1].shape and (node.symbol is None or node is root) for node in right_side(root)
    )


def work(root: Node) -> int:
    """The operations of an equation's right side; a division by an array counts four, a sum two."""
    count = 0
    for node in right_side(root):
        if (node.symbol is not None and node is not root) or node.op in (constant_, size_, stretch):
            continue
        costly = 4 if node.op is div and node.inputs[1].shape else 2 if node.op is sum_ else 1
        count += costly
    return count


def stabilise(raw: Node) -> tuple[Rewrite, ...]:
    """A forward equation in a form that does not overflow: logarithms of sigmoid and softmax are taken from Z."""
    if not any(map(_is_saturating_loss, right_side(raw))):
        return ()
    opened = _rewrite(raw, _open_loss)
    result = _rewrite(opened, _stable_logarithm, _signs_first)
    if result is opened:
        return ()
    return (
        Rewrite(opened, "The loss is written out."),
        Rewrite(
            result,
            "The logarithm is taken from Z instead of A: it is the same number, and stays finite where A rounds to 0 "
            "or 1. So J is computed in this form; the backward pass differentiates the first.",
        ),
    )


def _open_loss(node: Node) -> Node | None:
    # Here and not above: SymPy takes long to import, and unspecified functions never need it.
    from backproof.ops.formula import formula

    row = row_of(node)
    return formula(row, *node.inputs) if isinstance(row, ScalarRow) and _is_saturating_loss(node) else None


def _is_saturating_loss(node: Node) -> bool:
    """Whether a node is a specified loss of outputs that round to 0 or 1."""
    row = row_of(node)
    return (
        isinstance(row, ScalarRow)
        and row.scalar.specified
        and len(node.inputs) > 1
        and node.inputs[0].op in (activations.sigmoid, softmax)
    )


def _stable_logarithm(node: Node) -> Node | None:
    """The logarithm of a saturating output, alone or with its weight, taken from what the output was computed of."""
    if node.op is log:
        return _log_of(node.inputs[0])
    if node.op is xlogy:
        weight, a = node.inputs
        logarithm = _log_of(a)
        return None if logarithm is None else mul(weight, logarithm)
    return None


def _log_of(a: Node) -> Node | None:
    """log σ(z) = −softplus(−z), log(1 − σ(z)) = −softplus(z), log softmax(z) = log_softmax(z)."""
    if a.op is activations.sigmoid:
        return neg(activations.softplus(neg(a.inputs[0])))
    if a.op is softmax:
        return log_softmax(a.inputs[0], **a.attrs)
    if a.op is sub and is_number(a.inputs[0], 1) and a.inputs[1].op is activations.sigmoid:
        return neg(activations.softplus(a.inputs[1].inputs[0]))
    return None
