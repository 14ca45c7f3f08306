"""The right line in somebody's own names."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping, Sequence

from backproof.checking.comparing import same
from backproof.checking.equations import exchanged, inside, operands, terms
from backproof.checking.events import Event
from backproof.checking.ledger import Ledger
from backproof.checking.moments import RETURNED, statement_of
from backproof.checking.naming import last_word
from backproof.checking.tree import exchanged as tree_with
from backproof.checking.tree import parsed
from backproof.checking.truth import Quantity, Truth
from backproof.derivation.algebra import Algebra
from backproof.execution.export import expression
from backproof.ir.node import Node, substitute
from backproof.ir.sizes import Size
from backproof.ops.activations import relu
from backproof.ops.arithmetic import div, mul
from backproof.ops.calculus import tidy
from backproof.ops.entries import row_of
from backproof.ops.formula import to_nodes
from backproof.ops.functions import symbols
from backproof.ops.leaves import size_
from backproof.ops.scalar import ScalarRow


def corrected_line(truth: Truth, ledger: Ledger, event: Event, quantity: Quantity, forms: Sequence[Node]) -> str | None:
    """The right line for a value, written with what the code holds; None where it does not hold what it takes."""
    moment = event.moment
    match statement_of(moment):
        case ast.Assign(targets=[ast.Tuple()], value=value) if not isinstance(value, ast.Tuple):
            return None  # the line gives other values too
    written = {x.text: x.written or x.text for x in (*moment.reads, *moment.writes)}
    names: dict[Node, str] = {}
    lengths: dict[Size, str] = {}
    own = {text: entry for text, entry in ledger.by_text.items() if entry.within == moment.function}
    own = {text: entry for text, entry in own.items() if not text.startswith(f"{RETURNED}[")}
    reads = {x.text for x in moment.reads}
    # What the statement reads itself is named as it reads it, all else by the shortest name.
    for text, entry in sorted(own.items(), key=lambda item: (item[0] not in reads, len(item[0]))):
        node = None if entry.quantity is None else entry.quantity.node
        if node is not None and entry.arrays[0].shape == truth.plain(node, 0).shape:
            names.setdefault(node, written.get(text, text))
            for axis, size in enumerate(node.shape):
                lengths.setdefault(size, f"{written.get(text, text)}.shape[{axis}]")
    for held in moment.visible:  # what nothing has read so far is known by its name
        known = next(
            (q for q in truth.forward if q.name == held.text and same(held.value, truth.plain(q.node, 0))), None
        )
        if known is not None:
            names.setdefault(known.node, held.text)
    for text, entry in own.items():  # a number that the code calls m, rather than X.shape[1]
        if entry.arrays[0].ndim == 0:
            alike = [size for size in lengths if size.value == entry.arrays[0] and size.name == last_word(text)]
            lengths |= dict.fromkeys(alike, text)
    scaled = ledger.scaled(event)
    read = [q.node for q in ledger.quantities(event)]
    code = corrected(forms, names, read, lengths, truth.convention, scaled, result_scaled=quantity.scaled)
    if code is None or not _called(code) <= set(moment.scope):
        return None  # it takes a function that the code does not have
    code = _without_ones(code)
    if not any(write.text == event.text and write.written for write in moment.writes):
        return _with_code(moment.source, event.text, code)
    sign = "+=" if event.added else "="  # a part of it, beside what is there already
    return f"{written.get(event.text, event.text)} {sign} {code}"


def _called(code: str) -> set[str]:
    """The names of the functions that an expression calls, without those of modules."""
    calls = [x.func for x in ast.walk(parsed(code)) if isinstance(x, ast.Call)]
    return {function.id for function in calls if isinstance(function, ast.Name)}


def _without_ones(code: str) -> str:
    """Code without a factor 1 in front, which the derivative of a sum by its terms is."""
    match parsed(code):
        case ast.BinOp(left=ast.Constant(value=1), op=ast.Mult(), right=right):
            return ast.unparse(right)
    return code


def _with_code(source: str, text: str, code: str) -> str:
    """A statement with other code in the place of an expression that it computes and gives no name to."""
    tree = ast.parse(source)
    parts = [x for x in ast.walk(tree) if isinstance(x, ast.expr) and ast.unparse(x) == text]
    for part in parts or _returned(tree.body[0], text):
        tree = tree_with(tree, part, parsed(code))
    return ast.unparse(ast.fix_missing_locations(tree))


def _returned(statement: ast.stmt, text: str) -> Iterator[ast.expr]:
    """The expression that a statement returns as a value which is called something else: ``returned['dW']``, ``dz``."""
    match statement:
        case ast.Return(value=ast.Dict(keys=keys, values=values)):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and text == f"{RETURNED}[{key.value!r}]":
                    yield value
        case ast.Return(value=ast.Name() as value):
            yield value


def corrected(
    forms: Sequence[Node],
    names: Mapping[Node, str],
    read: Sequence[Node],
    sizes: Mapping[Size, str],
    convention: Node | None,
    scaled: Collection[Node],
    *,
    result_scaled: bool,
) -> str | None:
    """The right side of a statement as code; None where the code does not hold what it takes.

    forms          the right equation in all its forms, the simplest first
    names          the quantities that the code holds, and how they are written
    read           those that the statement reads: the form that is closest to what was written is taken
    convention     the factor that the derivatives in `scaled` are a multiple by in this code, and the result if
                   `result_scaled` says so
    """
    possible = [form for form in forms if all(x in names for x in operands(form))]
    if not possible:
        return None
    form = min(possible, key=lambda f: (_has_slopes(f), -len(set(operands(f)) & set(read)), len(inside(f))))
    form = _spelled_out(form)
    if convention is not None:
        form = _in_convention(form, convention, set(scaled), result_scaled=result_scaled)
    if form in names:
        return names[form]  # the 1/m of the mean cancels with the factor: one quantity is all that is left
    lengths = [x.attrs["size"] for x in inside(form) if x.op is size_]
    if any(size not in sizes and not size.name.isdigit() for size in lengths):
        return None
    return expression(form, {x: names[x] for x in operands(form)}, sizes)


def _spelled_out(form: Node) -> Node:
    """The form with derivatives of functions by their definitions."""
    for x in inside(form):
        row = row_of(x)
        if isinstance(row, ScalarRow) and row.base not in (None, relu) and row.scalar.specified:
            names = dict(zip(symbols(row.scalar.arguments), x.inputs, strict=True))
            form = exchanged(form, x, to_nodes(row.scalar.expr, names))
    return form


def _has_slopes(form: Node) -> bool:
    """Whether a derivative of a function stands in it by its name only, which would have to be defined first."""
    rows = map(row_of, inside(form))
    return any(isinstance(row, ScalarRow) and row.base is not None and row.base is not relu for row in rows)


def _in_convention(form: Node, factor: Node, scaled: set[Node], *, result_scaled: bool) -> Node:
    """The equation between quantities some of which are multiples by a factor."""
    from_above = [x for x in operands(form) if x in scaled]
    linear = all(any(x in scaled for x in operands(term)) or term in scaled for term in terms(form))
    if result_scaled:
        if from_above and linear:
            return form  # the factor is passed on
        algebra = Algebra(opens=lambda node: False)
        return algebra.nodes(tidy(algebra.expr(mul(factor, form))), form)
    if from_above and linear:
        return div(form, factor)
    return substitute(form, {x: div(x, factor) for x in from_above})
