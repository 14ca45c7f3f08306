"""Something else at one place of an expression: another operation, another axis, another index."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import chain, combinations, permutations

from backproof.checking.changing.change import INSTEAD, Change, transposed
from backproof.checking.changing.names import Names
from backproof.checking.tree import exchanged, parsed

MOST_AXES = 4
"""Of arrays of more axes than this, only two axes change places at a time."""
JOINS = ("concatenate", "hstack", "vstack", "stack", "column_stack", "block")
FLATTENS = ("squeeze", "ravel", "flatten")
"""Functions that take axes away."""
WHOLE = ("floor", "int", "int64", "int32", "round", "rint", "trunc")
"""Functions that make whole numbers."""


def at(node: ast.expr) -> Iterator[Change]:
    text = ast.unparse(node)
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            yield from _operation(left, op, right)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield "sign", "the sign is wrong", (), operand
        case ast.Call(func=ast.Name(id="len"), args=[array]):
            yield from _lengths(array, text, 0)
        case ast.Call():
            yield from _call(node)
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            others: tuple[ast.cmpop, ...] = (ast.Gt(), ast.LtE(), ast.Lt(), ast.GtE())
            for sign in others:
                if type(sign) is not type(op):
                    compared = ast.Compare(left, [sign], [right])
                    yield "wrong comparison", "{0} should be {1}", (text, ast.unparse(compared)), compared
            yield "wrong quantity", INSTEAD, (text, ast.unparse(left)), left
        case ast.Subscript(value=ast.Attribute(value=array, attr="shape"), slice=ast.Constant(value=int(own))):
            yield from _lengths(array, text, own)
        case ast.Attribute(value=array, attr="size"):
            yield from _lengths(array, text, -1)
        case ast.Subscript(value=value, slice=ast.Tuple(elts=places)):
            yield from _entry(text, value, places)
        case ast.Subscript(value=value, slice=place) if not isinstance(place, ast.Slice):
            for step in (1, -1):
                new = ast.Subscript(value, moved(place, step), ast.Load())
                yield "wrong place", INSTEAD, (text, ast.unparse(new)), new
        case ast.Tuple(elts=places) if all(isinstance(x, ast.Constant) for x in places):
            for order in _orders(places):
                yield "wrong axis", "the axes are in the wrong order", (), ast.Tuple(order, ast.Load())
        case ast.Constant(value=bool() | str()):
            return
        case ast.Constant(value=int() | float() as number):
            for other in _other_numbers(number):
                said = f"the number {number:g} stands where {other:g} belongs"
                yield "wrong number", said, (), _number(other)


def _orders(places: list[ast.expr]) -> Iterator[list[ast.expr]]:
    """Other orders of axes; of many, those in which two change places."""
    if len(places) <= MOST_AXES:
        yield from (list(order) for order in permutations(places) if list(order) != places)
        return
    for a, b in combinations(range(len(places)), 2):
        order = [*places]
        order[a], order[b] = places[b], places[a]
        yield order


def _lengths(array: ast.expr, text: str, own: int) -> Iterator[Change]:
    """The lengths of the other axes of an array, and how many entries it has; `own` is the axis that is meant now."""
    if own >= 0:
        says = "{0} counts one axis, and all entries have to be counted"
        yield "1/m of another axis", says, (text,), ast.Attribute(array, "size", ast.Load())
    for axis in (x for x in (0, 1, 2, 3) if x != own):
        says = "{0} stands where the length of another axis belongs"
        yield "1/m of another axis", says, (text,), parsed(f"{ast.unparse(array)}.shape[{axis}]")


def _entry(text: str, value: ast.expr, places: Sequence[ast.expr]) -> Iterator[Change]:
    """An entry of an array of several axes, at other places."""
    for k, place in enumerate(places):
        for step in () if isinstance(place, ast.Slice | ast.Constant) else (1, -1):
            moved_ = ast.Tuple([*places[:k], moved(place, step), *places[k + 1 :]], ast.Load())
            new = ast.Subscript(value, moved_, ast.Load())
            yield "wrong place", INSTEAD, (text, ast.unparse(new)), new
    for a, b in combinations(range(len(places)), 2):
        exchanged_ = [*places]
        exchanged_[a], exchanged_[b] = places[b], places[a]
        new = ast.Subscript(value, ast.Tuple(exchanged_, ast.Load()), ast.Load())
        yield "wrong place", INSTEAD, (text, ast.unparse(new)), new


def steps(window: ast.Subscript, names: Names) -> Iterator[Change]:
    """Windows that lie as many places apart as a number says, where they lie side by side: s * i for i."""
    slices = [x for x in ast.walk(window.slice) if isinstance(x, ast.Slice) and x.lower is not None]
    starts = {x.lower.id for x in slices if isinstance(x.lower, ast.Name)}
    text = ast.unparse(window)
    for number in names.counts if starts else ():
        new = window
        for node in [x for x in ast.walk(window.slice) if isinstance(x, ast.Name) and x.id in starts]:
            new = exchanged(new, node, ast.BinOp(node, ast.Mult(), parsed(number)))
        says = "{0} stands where {1} belongs: the windows lie {2} places apart"
        yield "stride left out", says, (text, ast.unparse(new), number), new


def other_windows(window: ast.Subscript, names: Names) -> Iterator[Change]:
    """Other parts of an array: farther apart, moving along, from the other end, or a number of places on."""
    yield from steps(window, names)
    yield from moves_along(window, names)
    yield from _other_ends(window)
    yield from _moved_on(window, names)


def _other_ends(window: ast.Subscript) -> Iterator[Change]:
    """The first ones for all but these, or for the last ones: k: and -k: and :-k for :k."""
    for node in (x for x in ast.walk(window.slice) if isinstance(x, ast.Slice) and x.step is None):
        if (node.lower is None) == (node.upper is None):
            continue
        number = node.lower or node.upper
        assert number is not None
        number = number.operand if isinstance(number, ast.UnaryOp) else number
        minus = ast.UnaryOp(ast.USub(), number)
        for lower, upper in ((None, number), (number, None), (None, minus), (minus, None)):
            new = exchanged(window, node, ast.Slice(lower, upper))
            if ast.unparse(new) != ast.unparse(window):
                yield "wrong place", INSTEAD, (ast.unparse(window), ast.unparse(new)), new


def _moved_on(window: ast.Subscript, names: Names) -> Iterator[Change]:
    """A part that begins at a number, as the width of a padding, along all axes that are cut off."""
    cut = [x for x in ast.walk(window.slice) if isinstance(x, ast.Slice) and x.lower is None and x.upper is not None]
    for number in names.numbers if cut else ():
        new = window
        for node in cut:
            assert node.upper is not None
            end = ast.BinOp(node.upper, ast.Add(), parsed(number))
            new = exchanged(new, node, ast.Slice(parsed(number), end, node.step))
        yield "wrong place", INSTEAD, (ast.unparse(window), ast.unparse(new)), new


def moves_along(window: ast.Subscript, names: Names) -> Iterator[Change]:
    """A window that a loop moves along, where it stays at the beginning: t:t + K for :K."""
    text, counters = ast.unparse(window), [x for x in names.counted if names.shapes.get(x) == ()]
    for node in (x for x in ast.walk(window.slice) if isinstance(x, ast.Slice)):
        for counter in map(parsed, counters if node.lower is None else ()):
            if node.upper is not None:
                end = ast.BinOp(counter, ast.Add(), node.upper)
                new = exchanged(window, node, ast.Slice(counter, end, node.step))
                says = "{0} stays where it is in every round, and {1} belongs here"
                yield "wrong place", says, (text, ast.unparse(new)), new


def _other_numbers(number: float) -> list[float]:
    """What a number may have been meant to be."""
    near = [number + 1, number - 1, -number, 2 * number, number / 2, 3 * number, number / 3]
    return [x for x in dict.fromkeys(near) if x != number]


def _number(value: float) -> ast.expr:
    own = int(value) if float(value).is_integer() else value
    return ast.Constant(own) if own >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-own))


def moved(place: ast.expr, step: int) -> ast.expr:
    """A place some steps on: t + 1 of t, and t of t − 1."""
    match place:
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=ast.Constant(value=int(number))):
            return moved(left, step + (number if isinstance(op, ast.Add) else -number))
    if step == 0:
        return place
    return ast.BinOp(place, ast.Add() if step > 0 else ast.Sub(), ast.Constant(abs(step)))


def _operation(left: ast.expr, op: ast.operator, right: ast.expr) -> Iterator[Change]:
    a, b = ast.unparse(left), ast.unparse(right)
    match op:
        case ast.MatMult():
            yield "operands swapped", "the factors are in the wrong order", (), ast.BinOp(right, op, left)
            turned = ast.BinOp(transposed(right), op, transposed(left))
            yield "transpose", "the result is transposed", (), turned
            yield "* for ·", "@ stands where * belongs", (), ast.BinOp(left, ast.Mult(), right)
            both = ast.BinOp(transposed(left), op, transposed(right))
            yield "transpose", "the transposes of both factors are wrong", (), both
        case ast.Mult():
            yield "* for ·", "* stands where the matrix product @ belongs", (), ast.BinOp(left, ast.MatMult(), right)
            yield "factor too many", "the factor {0} is too many", (b,), left
            yield "factor too many", "the factor {0} is too many", (a,), right
            yield "division left out", "it should be divided by {0}", (b,), ast.BinOp(left, ast.Div(), right)
        case ast.Div():
            yield "factor too many", "the division by {0} is too many", (b,), left
            root = ast.BinOp(left, op, parsed(f"np.sqrt({b})"))
            yield "square root of the scale", "it should be divided by the square root of {0}", (b,), root
            yield "factor too many", "it should be multiplied by {0}", (b,), ast.BinOp(left, ast.Mult(), right)
            yield "operands swapped", "the quotient is upside down", (), ast.BinOp(right, op, left)
        case ast.FloorDiv():
            says = "// throws away what is behind the decimal point; / belongs there"
            yield "integers", says, (), ast.BinOp(left, ast.Div(), right)
        case ast.Sub():
            yield "sign", "the difference is the wrong way round", (), ast.BinOp(right, op, left)
            yield "sign of a term", "a term has the wrong sign", (), ast.BinOp(left, ast.Add(), right)
            yield "term too many", "the term {0} is too many", (b,), left
            if isinstance(left, ast.Constant):
                yield "wrong quantity", INSTEAD, (ast.unparse(ast.BinOp(left, op, right)), b), right
        case ast.Add():
            yield "sign of a term", "a term has the wrong sign", (), ast.BinOp(left, ast.Sub(), right)
            yield "sign of a term", "a term has the wrong sign", (), ast.BinOp(right, ast.Sub(), left)
            yield "term too many", "the term {0} is too many", (b,), left
            yield "term too many", "the term {0} is too many", (a,), right
        case ast.Pow():
            yield "wrong power", "the power of {0} is too many", (a,), left
    if not isinstance(op, ast.Pow):
        for k, part in enumerate((left, right)):
            square = ast.BinOp(part, ast.Pow(), ast.Constant(2))
            put = ast.BinOp(square, op, right) if k == 0 else ast.BinOp(left, op, square)
            yield "wrong power", "{0} has to be squared", (ast.unparse(part),), put


def _call(node: ast.Call) -> Iterator[Change]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    of_module = isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name)
    if name in ("dot", "outer", "matmul", "divide", "subtract") and len(node.args) == 2:
        swapped = ast.Call(node.func, node.args[::-1], node.keywords)
        yield "operands swapped", "the factors are in the wrong order", (), swapped
    match node:
        case ast.Call(func=ast.Attribute(value=left, attr="dot"), args=[right]) if not of_module:
            pass
        case ast.Call(func=ast.Attribute(attr="dot" | "matmul"), args=[left, right]):
            pass
        case ast.Call(func=ast.Attribute(attr="multiply"), args=[left, right]):
            yield from _operation(left, ast.Mult(), right)
            return
        case _:
            left = right = node
    match node:
        case ast.Call(func=ast.Attribute(attr=called), args=[whole]) if of_module and called in FLATTENS:
            yield "keepdims lost", "{0} changes the shape", (f"np.{called}",), whole
        case ast.Call(func=ast.Attribute(value=whole, attr=called), args=[]) if called in FLATTENS:
            yield "keepdims lost", "{0} changes the shape", (called,), whole
    if left is not right:
        both = ast.BinOp(transposed(left), ast.MatMult(), transposed(right))
        yield "transpose", "the transposes of both factors are wrong", (), both
        yield "* for ·", "the matrix product stands where * belongs", (), ast.BinOp(left, ast.Mult(), right)
    match node:
        case ast.Call(func=ast.Name(id=called), args=[value, *others]) if called not in WHOLE:
            yield "factor too many" if others else "wrong quantity", "{0} is too many", (called,), value
        case ast.Call(func=ast.Attribute(value=value, attr="astype")):
            yield "integers", "whole numbers throw away what is behind the decimal point", (), value
        case ast.Call(func=ast.Attribute(attr=called) | ast.Name(id=called), args=[value]) if called in WHOLE:
            yield "integers", "whole numbers throw away what is behind the decimal point", (), value
        case ast.Call(func=ast.Attribute(attr=called), args=[ast.List(elts=parts) | ast.Tuple(elts=parts), *rest]):
            for a, b in combinations(range(len(parts)), 2) if called in JOINS else ():
                order = [*parts]
                order[a], order[b] = parts[b], parts[a]
                says = "{0} and {1} are in the wrong order"
                said = ast.unparse(parts[a]), ast.unparse(parts[b])
                joined = ast.Call(node.func, [ast.List(order, ast.Load()), *rest], node.keywords)
                yield "wrong place", says, said, joined
    if name in ("sum", "mean"):
        yield from _sum(node, name)
    if name == "einsum":
        yield from _other_letters(node)
    if name == "transpose" and len(node.args) > 2:
        for order in _orders(node.args):
            yield "wrong axis", "the axes are in the wrong order", (), ast.Call(node.func, order, node.keywords)


def _other_letters(node: ast.Call) -> Iterator[Change]:
    """An einsum with the axes of the result, or of one of its factors, in another order."""
    match node.args:
        case [ast.Constant(value=str(letters)), *arrays] if "->" in letters:
            parts = letters.replace(" ", "").replace("->", ",").split(",")
        case _:
            return
    for k in range(len(parts) - 1, -1, -1):
        for order in permutations(parts[k]) if 1 < len(parts[k]) <= MOST_AXES else ():
            other = [*parts[:k], "".join(order), *parts[k + 1 :]]
            new = f"{','.join(other[:-1])}->{other[-1]}"
            if other != parts:
                says = f"the axes are in the wrong order: '{letters}' should be '{new}'"
                yield "transpose", says, (), ast.Call(node.func, [ast.Constant(new), *arrays], node.keywords)


def _sum(node: ast.Call, name: str) -> Iterator[Change]:
    other = "mean" if name == "sum" else "sum"
    assert isinstance(node.func, ast.Attribute)
    function = ast.Attribute(node.func.value, other, ast.Load())
    says = f"a {name} is taken where the {other} belongs"
    yield "mean for sum", says, (), ast.Call(function, node.args, node.keywords)
    keeps = [x for x in node.keywords if x.arg != "keepdims"]
    for keywords in (keeps, kept(keeps)):
        yield "keepdims lost", "keepdims is wrong", (), ast.Call(node.func, node.args, keywords)
    for axis in (0, 1, 2, None):
        keywords = [x for x in node.keywords if x.arg != "axis"]
        if axis is not None:
            keywords.insert(0, ast.keyword("axis", ast.Constant(axis)))
        says = f"the {name} runs over the wrong axis"
        for words in (keywords, kept(keywords)):
            yield "wrong axis", says, (), ast.Call(node.func, node.args, words)
    for own in (x.value for x in node.keywords if x.arg == "axis" and isinstance(x.value, ast.Tuple)):
        most = range(MOST_AXES)
        counts = (len(own.elts), *(n for n in (1, 2, 3) if n != len(own.elts)))
        for axes in chain.from_iterable(combinations(most, n) for n in counts):
            words = [ast.keyword("axis", parsed(str(axes))) if x.value is own else x for x in node.keywords]
            says = f"the {name} runs over the wrong axes"
            yield "wrong axis", says, (), ast.Call(node.func, node.args, words)
    for part in node.args[:1]:
        yield "sum too many", f"the {name} is too many", (), part


def kept(keywords: list[ast.keyword]) -> list[ast.keyword]:
    return [*(x for x in keywords if x.arg != "keepdims"), ast.keyword("keepdims", ast.Constant(True))]
