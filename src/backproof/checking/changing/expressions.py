"""Small changes of somebody's expression: its sign, its factors, its terms, a name in it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, combinations, permutations, product

from backproof.checking.changing.activations import (
    CLASS,
    other_functions,
    other_slopes,
    slopes,
    slopes_instead,
    slopes_of,
)
from backproof.checking.changing.change import INSTEAD, Change, nodes_of, transposed, valued
from backproof.checking.changing.names import Names, is_called_derivative
from backproof.checking.changing.places import MOST_AXES, at, kept, other_windows
from backproof.checking.tree import exchanged, parsed

MOST_CLASSES = 1000
"""Arrays that are longer hold no scores of classes."""


def changes(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """The single changes of an expression whose value has a shape, with what its statement can name."""
    return chain(exchanges(tree, names), _numbers(tree, names), _missing(tree, names, shape))


def exchanges(tree: ast.expr, names: Names) -> Iterator[Change]:
    """Something else at one place in an expression."""
    nodes = list(nodes_of(tree))
    turned = [node.value for node in nodes if isinstance(node, ast.Attribute) and node.attr in ("T", "shape", "size")]
    turned += [x for node in nodes for x in _summed_up(node)]  # whose axes tell which way round it is
    for node in nodes:
        if node not in turned and (text := ast.unparse(node)) in names.matrices:
            turned_round = transposed(node) if len(names.shapes[text]) == 2 else parsed(f"np.swapaxes({text}, -1, -2)")
            yield "transpose", "{0} has to be transposed", (text,), exchanged(tree, node, turned_round)
        if isinstance(node, ast.Attribute) and node.attr == "T":
            says = "{0} must not be transposed"
            yield "transpose", says, (ast.unparse(node.value),), exchanged(tree, node, node.value)
    for node in nodes:
        for mistake, says, named, new in at(node):
            yield mistake, says, named, exchanged(tree, node, new)
    yield from _other_lengths(tree, names)
    texts = [ast.unparse(node) for node in nodes]
    for text in dict.fromkeys(x for x in texts if texts.count(x) > 1):  # as in g·(1 − g)
        for other in names.alike.get(text, ()):
            yield "wrong quantity", INSTEAD, (text, other), _everywhere(tree, text, parsed(other))
    for node in nodes:
        text = ast.unparse(node)
        for other in names.alike.get(text, ()):
            yield "wrong quantity", INSTEAD, (text, other), exchanged(tree, node, parsed(other))
        windows = other_windows(node, names) if isinstance(node, ast.Subscript) else ()
        for mistake, says, named, new in chain(other_slopes(node, names), other_functions(node, names), windows):
            yield mistake, says, named, exchanged(tree, node, new)


def _other_lengths(tree: ast.expr, names: Names) -> Iterator[Change]:
    """The length of another array, or the number of all entries of a matrix, where a length stands."""
    matrices = dict.fromkeys(text for x in nodes_of(tree) if (text := ast.unparse(x)) in names.matrices)
    for node in nodes_of(tree):
        match node:
            case ast.Call(func=ast.Name(id="len")) | ast.Subscript(value=ast.Attribute(attr="shape")):
                length = ast.unparse(node)
                for other in (f"len({text})" for text, own in names.shapes.items() if own and text.isidentifier()):
                    yield "1/m of another axis", INSTEAD, (length, other), exchanged(tree, node, parsed(other))
            case ast.Name(id=length) if length in names.counts:
                pass
            case _:
                continue
        for text in matrices:
            says = "{0} is the length of one axis, and all entries have to be counted: {1}"
            yield "1/m of another axis", says, (length, f"{text}.size"), exchanged(tree, node, parsed(f"{text}.size"))


def additions(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """An expression with a factor or a term more, or without the derivative of an activation in it."""
    for node in nodes_of(tree):
        match node:
            case ast.BinOp(ast.BinOp(before, ast.Mult(), value), ast.Mult(), ast.BinOp() as right):
                twice = f"{ast.unparse(value)} * ({ast.unparse(right)})"
                says = "the derivative of the activation, {0}, is taken twice"
                yield "derivative twice", says, (twice,), exchanged(tree, node, before)
        yield from _rests_of_one(tree, node)
        yield from _slopes_of_factors(tree, node, names)
        yield from _sums_below(tree, node, names)
    yield from _numbers(tree, names)
    for op in (ast.Sub(), ast.Add()):
        yield "term left out", "the term {0} is left out", ("1",), ast.BinOp(tree, op, ast.Constant(1))
    if _copied(tree) is not None:
        return
    yield from _missing(tree, names, shape)
    yield from _repeated_factors(tree, names, shape)
    yield from slopes(tree, names, shape)
    yield from _divisions(tree, names, shape)
    yield from _penalties(tree, names, shape)


def _named_factors(node: ast.expr) -> list[ast.expr]:
    """The factors of a product that are no expressions themselves."""
    factors = (node.left, node.right) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) else ()
    return [x for x in factors if isinstance(x, ast.Name | ast.Subscript | ast.Attribute)]


def _slopes_of_factors(tree: ast.expr, node: ast.expr, names: Names) -> Iterator[Change]:
    """The derivative of an activation, where its value stands as a factor."""
    for part in _named_factors(node):
        text = ast.unparse(part)
        for code in slopes_of(text, names) if names.shapes.get(text) and not is_called_derivative(text) else ():
            says = "the derivative of the activation, {1}, belongs in the place of {0}"
            yield "g for g'", says, (text, code), exchanged(tree, part, parsed(code))


def _sums_below(tree: ast.expr, node: ast.expr, names: Names) -> Iterator[Change]:
    """The sum of the entries of what something is divided by."""
    match node:
        case ast.BinOp(op=ast.Div(), right=ast.Name() | ast.Subscript() | ast.Attribute() as divisor):
            text = ast.unparse(divisor)
            if names.shapes.get(text):
                says = "the sum of {0} is left out"
                yield "sum left out", says, (text,), exchanged(tree, divisor, parsed(f"{text}.sum()"))


def _rests_of_one(tree: ast.expr, node: ast.expr) -> Iterator[Change]:
    """One minus a factor, where the factor itself stands."""
    for part in _named_factors(node):
        rest = ast.BinOp(ast.Constant(1), ast.Sub(), part)
        yield "wrong quantity", INSTEAD, (ast.unparse(part), ast.unparse(rest)), exchanged(tree, part, rest)


def _copied(tree: ast.expr) -> ast.expr | None:
    """What an expression only copies, to change it in place later; None where it does more."""
    match tree:
        case ast.Call(func=ast.Attribute(value=value, attr="copy"), args=[]):
            return value
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="copy"), args=[value]):
            return value
    return None


def insertions(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """What may be missing at one place in an expression, and pieces of other lines that may belong there."""
    if (copied := _copied(tree)) is not None:
        yield from _one_hot(tree, names, shape)
        for mistake, says, named, new in _exponentials(copied, names):
            yield mistake, says, named, exchanged(tree, copied, new)
        return
    yield from _at_parts(tree, names, slopes_instead)
    yield from _instead_of_parts(tree, names, shape)
    yield from _turned_first(tree, names)
    yield from _in_terms(tree, names, shape)
    yield from other_names(tree, names, shape)
    yield from _products_left_out(tree, names, shape)
    yield from _at_parts(tree, names, lambda node, names: _around(node, names, shape))
    yield from _at_parts(tree, names, _exponentials)
    yield from _one_hot(tree, names, shape)
    for own in names.products_of(shape):
        yield "factor left out", "the factor {0} is left out", (own,), ast.BinOp(parsed(own), ast.Mult(), tree)
        yield "term left out", "the term {0} is left out", (own,), ast.BinOp(tree, ast.Add(), parsed(own))
    yield from _pieces(tree, names)
    yield from _of_arrays(tree, names)
    if isinstance(tree, ast.Name) or not any(is_called_derivative(text) for text in map(ast.unparse, valued(tree))):
        for own in names.differences_of(shape):
            yield "factor left out", "the factor {0} is left out", (own,), ast.BinOp(parsed(own), ast.Mult(), tree)


def terms_left_out(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """A derivative times what may belong to it, as a term that is left out of a name that stands alone.

    Where nothing is called a derivative, as in the slope of an activation, anything may be multiplied.
    """
    if not isinstance(tree, ast.Name | ast.Subscript):
        return
    of_shape = names.shaped(shape)
    known = [*of_shape, *names.repeated_to(shape)]
    others = [text for text in known if not is_called_derivative(text)]
    slopes = [code for text in of_shape if not is_called_derivative(text) for code in slopes_of(text, names)]
    derivatives = [text for text in known if is_called_derivative(text)] or others
    pairs = [f"{d} * {other}" for d in derivatives for other in (*others, *slopes)]
    counted = (f"{two}{pair} / {n}" for pair in pairs for two in ("", "2 * ") for n in names.counts)
    threes = (f"{pair} * {slope}" for pair in pairs for slope in slopes)
    for term in chain(pairs, (f"2 * {pair}" for pair in pairs), counted, threes):
        yield "term left out", "the term {0} is left out", (term,), ast.BinOp(tree, ast.Add(), parsed(term))


def _turned_first(tree: ast.expr, names: Names) -> Iterator[Change]:
    """The axes of what is reshaped in another order first."""
    for node in nodes_of(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr="reshape")):
                rank = len(names.shapes.get(ast.unparse(value), ()))
                for order in permutations(range(rank)) if 2 < rank <= MOST_AXES else ():
                    if list(order) != list(range(rank)):
                        text = f"{ast.unparse(value)}.transpose{order}"
                        yield "transpose", INSTEAD, (ast.unparse(value), text), exchanged(tree, value, parsed(text))


def _in_terms(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """What may be missing in one of several terms."""
    for term in _terms(tree):
        tried = (slopes(term, names, shape), _missing(term, names, shape), _repeated_factors(term, names, shape))
        for mistake, says, named, new in chain(*tried, _numbers(term, names), _summed(term, names)):
            yield mistake, says, named, exchanged(tree, term, new)
        products = [f"{a} * {b}" for a, b in combinations(names.shaped(shape), 2)]
        shares = [f"{a} / {number}" for a in names.shaped(shape) for number in names.numbers]  # as a mask of a dropout
        for own in (*products, *shares):
            both = ast.BinOp(term, ast.Mult(), parsed(own))
            yield "factor left out", "the factor {0} is left out", (own,), exchanged(tree, term, both)


def _at_parts(tree: ast.expr, names: Names, change: Callable[[ast.expr, Names], Iterable[Change]]) -> Iterator[Change]:
    """Changes of each part of an expression that has a value of its own."""
    for node in valued(tree):
        for mistake, says, named, new in change(node, names):
            yield mistake, says, named, exchanged(tree, node, new)


def _instead_of_parts(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """A name where a larger piece stands, a factor of what is summed up, and one piece alone."""
    parts = valued(tree)
    summed = [x for node in parts for x in _summed_up(node)]
    for node in (x for x in parts if x is not tree):
        text = ast.unparse(node)
        others = names.shaped(shape)
        if node in summed:
            others = names.above(shape)
            for other in (*others, *names.repeated_to(names.shapes.get(text, ()))):
                both = ast.BinOp(parsed(other), ast.Mult(), node)
                yield "factor left out", "the factor {0} is left out", (other,), exchanged(tree, node, both)
        if len([*nodes_of(node)]) > 1:
            kind = "labels not one-hot" if CLASS in text else "wrong quantity"
            for other in others:
                yield kind, INSTEAD, (text, other), exchanged(tree, node, parsed(other))
            yield "factor too many", "only {0} belongs here", (text,), node


def _pieces(tree: ast.expr, names: Names) -> Iterator[Change]:
    """Pieces of other lines: as a factor, as a term, or where something else stands."""
    whole, parts = ast.unparse(tree), [x for x in valued(tree) if x is not tree]
    for piece in names.pieces:
        own = ast.unparse(piece)
        if own == whole:
            continue
        yield "factor left out", "the factor {0} is left out", (own,), ast.BinOp(tree, ast.Mult(), piece)
        for op in (ast.Add(), ast.Sub()):
            yield "term left out", "the term {0} is left out", (own,), ast.BinOp(tree, op, piece)
        for node in parts:
            if type(piece) is type(node) or isinstance(node, ast.Name | ast.Subscript):
                yield "wrong quantity", INSTEAD, (ast.unparse(node), own), exchanged(tree, node, piece)


def other_names(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """Something else wherever a piece stands in an expression, of any shape."""
    for text, other in _others(valued(tree), names, shape):
        yield "wrong quantity", INSTEAD, (text, other), _everywhere(tree, text, parsed(other))


def _others(nodes: Sequence[ast.expr], names: Names, shape: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    texts = [ast.unparse(node) for node in nodes]
    for text in dict.fromkeys(texts):
        node = nodes[texts.index(text)]
        if text in names.shapes:
            axes = len(names.shapes[text])
            alike = names.alike[text]
            others = (other for other, shape in names.shapes.items() if len(shape) == axes and other not in alike)
            yield from ((text, other) for other in others if other != text and axes)
            yield from ((text, f"{function}({text})") for function, count in names.functions.items() if count == 1)
        elif texts.count(text) > 1:
            yield from ((text, other) for other in names.shaped(shape))
        match node:
            case ast.Subscript(value=ast.Name(id=name) as container):
                elsewhere = (exchanged(node, container, parsed(x)) for x in names.containers if x != name)
                yield from ((text, ast.unparse(other)) for other in elsewhere)


def _of_arrays(tree: ast.expr, names: Names) -> Iterator[Change]:
    """In the place of mere numbers, what a function of the user's makes of an array."""
    if any(isinstance(x, ast.Name) for x in ast.walk(tree)):
        return
    for function in names.formulas:
        for text in (text for text, shape in names.shapes.items() if shape):
            code = f"{function}({text})"
            yield "wrong quantity", INSTEAD, (ast.unparse(tree), code), parsed(code)


def _everywhere(tree: ast.expr, text: str, new: ast.expr) -> ast.expr:
    """An expression with a piece exchanged wherever it stands in it."""
    for node in [node for node in nodes_of(tree) if ast.unparse(node) == text]:
        tree = exchanged(tree, node, new)
    return tree


def _summed_up(node: ast.expr) -> list[ast.expr]:
    """What a sum or a mean is taken of."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="sum" | "mean"), args=[value, *_]):
            return [value]
        case ast.Call(func=ast.Attribute(value=value, attr="sum" | "mean")):
            return [value]
    return []


def _terms(tree: ast.expr) -> list[ast.expr]:
    """The terms of a sum, wherever it stands in an expression, and the expression itself."""
    sums = [x for x in nodes_of(tree) if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Add | ast.Sub)]
    return [tree, *(term for x in sums for term in (x.left, x.right) if not isinstance(term, ast.Constant))]


def _numbers(tree: ast.expr, names: Names) -> Iterator[Change]:
    """A factor that is missing or too many, of the whole."""
    yield "sign", "the sign is wrong", (), ast.UnaryOp(ast.USub(), tree)
    yield "factor 2", "a factor 2 is missing", (), ast.BinOp(ast.Constant(2), ast.Mult(), tree)
    yield "factor 2", "there is a factor 2 too many", (), ast.BinOp(tree, ast.Div(), ast.Constant(2))
    for text in names.numbers:
        number = parsed(text)
        divided, multiplied = ast.BinOp(tree, ast.Div(), number), ast.BinOp(tree, ast.Mult(), number)
        is_count = text in names.counts
        yield "1/m left out" if is_count else "division left out", "the division by {0} is left out", (text,), divided
        if is_count:
            yield "1/m twice", "it is divided by {0} once too often", (text,), multiplied
        else:
            yield "factor left out", "the factor {0} is left out", (text,), multiplied


def _missing(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """A factor or a term that is not there."""
    for text in names.shaped(shape):
        yield "factor left out", "the factor {0} is left out", (text,), ast.BinOp(tree, ast.Mult(), parsed(text))
        yield "term left out", "the term {0} is left out", (text,), ast.BinOp(tree, ast.Add(), parsed(text))
        yield "term left out", "the term {0} is left out", (text,), ast.BinOp(tree, ast.Sub(), parsed(text))
    for text in names.repeated_to(shape):  # as a bias is
        yield "term left out", "the term {0} is left out", (text,), ast.BinOp(tree, ast.Add(), parsed(text))


def _repeated_factors(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """A factor that is the same along some axes, as what comes from above at one place is."""
    for text in names.repeated_to(shape):
        yield "factor left out", "the factor {0} is left out", (text,), ast.BinOp(tree, ast.Mult(), parsed(text))


def _divisions(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """A division by an array, or by the square root of a length, that is not there."""
    roots = dict.fromkeys([*names.roots, *(f"np.sqrt({n})" for n in names.counts)])
    for text in (*names.shaped(shape), *names.repeated_to(shape), *roots):
        yield "division left out", "the division by {0} is left out", (text,), ast.BinOp(tree, ast.Div(), parsed(text))


def _penalties(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """A number times an array, as the derivative of a penalty is; it may stand where a sum begins with zeros."""
    begins = isinstance(tree, ast.Call) and isinstance(tree.func, ast.Attribute) and "zeros" in tree.func.attr
    entries = (text for text in names.numbers if "[" in text) if shape == () else names.shaped(shape)
    numbers = [n for n in names.numbers if n not in names.counts and "[" not in n]
    twice = ("", "2 * ") if shape == () else ("",)
    for text, number, two in product(entries, numbers, twice):
        penalty = parsed(f"{two}{number} * {text}")
        new = penalty if begins else ast.BinOp(tree, ast.Add(), penalty)
        yield "term left out", "the term {0} is left out", (ast.unparse(penalty),), new


def _products_left_out(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """The product of a derivative and what it was multiplied by on the way forward, or one minus that, as a term."""
    of_shape = names.shaped(shape)
    for derivative in filter(is_called_derivative, of_shape):
        for other in (x for x in of_shape if not is_called_derivative(x)):
            for term in (f"{derivative} * {other}", f"{derivative} * (1 - {other})"):
                both = ast.BinOp(tree, ast.Add(), parsed(term))
                yield "term left out", "the term {0} is left out", (term,), both


def _around(node: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """What may be missing around one place of an expression whose value has a shape."""
    text = ast.unparse(node)
    kind = "g for g'" if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else "factor left out"
    yield "term left out", "{0} belongs here", (f"1 + {text}",), parsed(f"1 + {text}")
    for code in (f"({text}) * (1 - {text})", f"1 - ({text}) ** 2", f"1 - {text}", f"({text}) > 0"):
        yield kind, "{0} belongs here", (code,), parsed(code)
    yield "sign of a term", "{0} has the wrong sign", (text,), ast.UnaryOp(ast.USub(), node)
    for number in names.numbers:
        own = parsed(number)
        yield "division left out", "{0} should be divided by {1}", (text, number), ast.BinOp(node, ast.Div(), own)
        yield "factor left out", "{0} should be multiplied by {1}", (text, number), ast.BinOp(node, ast.Mult(), own)
    known = names.shapes.get(text, ())
    repeated = names.repeated_to(known) if known else names.beside(shape) if isinstance(node, ast.Subscript) else ()
    for other in (*names.alike.get(text, ()), *names.reshaped(known), *repeated):
        own = parsed(other)
        yield "factor left out", "the factor {0} is left out", (other,), ast.BinOp(node, ast.Mult(), own)
        yield "term left out", "the term {0} is left out", (other,), ast.BinOp(node, ast.Add(), own)
        yield "term left out", "the term {0} is left out", (other,), ast.BinOp(node, ast.Sub(), own)


def _exponentials(node: ast.expr, names: Names) -> Iterator[Change]:
    """What the logarithms of shares are taken back to."""
    text = ast.unparse(node)
    if text in names.one_sided:
        yield "wrong quantity", INSTEAD, (text, f"np.exp({text})"), parsed(f"np.exp({text})")


def _summed(tree: ast.expr, names: Names) -> Iterator[Change]:
    """What may have to be summed up."""
    rank = len(names.shapes.get(ast.unparse(tree), ()))
    for axes in (0, 1, 2, *(combinations(range(rank), rank - 1) if 2 < rank <= MOST_AXES else ())):
        for keepdims in (False, True):
            words = [ast.keyword("axis", parsed(str(axes)))]
            words = kept(words) if keepdims else words
            call = ast.Call(ast.Attribute(tree, "sum", ast.Load()), [], words)
            over = "one axis" if isinstance(axes, int) else "all axes but one"
            yield "sum left out", f"the sum over {over} is left out", (), call


def _one_hot(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """A one at the place of each label, to be subtracted."""
    own = ast.unparse(tree)
    if not shape or max(shape) > MOST_CLASSES:
        return
    for label in (x for x in names.labels if x not in names.counted or names.shapes.get(x)):
        match names.shapes.get(label), shape:
            case (), (_,):
                code = f"np.eye(len({own}))[{label}]"
            case (), (_, 1):
                code = f"np.eye(len({own}))[:, [{label}]]"
            case (n,), (m, _) if n == m:
                code = f"np.eye(({own}).shape[1])[{label}]"
            case _:
                continue
        says = "{0} is left out: 1 is to be subtracted at the place of the label"
        yield "labels not one-hot", says, (code,), ast.BinOp(tree, ast.Sub(), parsed(code))
