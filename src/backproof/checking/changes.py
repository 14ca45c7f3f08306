"""Small changes of somebody's expression, each of which undoes a mistake: its sign, its factors, a name in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, combinations, permutations, product

from backproof.checking.tree import exchanged, parsed
from backproof.ops.row import Array

Change = tuple[str, str, tuple[str, ...], ast.expr]
"""The mistake's name, its sentence, the pieces of code that the sentence names, and the expression without it."""

MOST_AXES = 4
"""Of arrays of more axes than this, other orders of the axes are not tried."""
SLOPE = re.compile(r".*(prime|deriv|slope).*|.*_(grad|backward|d)|(d|grad)_.*", re.IGNORECASE)
"""How functions are called that give the derivative of an activation."""
DERIVATIVE = re.compile(r"d_?[A-Za-z]|.*(grad|delta|error|nabla)")
"""What the names of derivatives begin with: an activation has none of them."""
INSTEAD = "{0} stands where {1} belongs"
JOINS = ("concatenate", "hstack", "vstack", "stack", "column_stack", "block")
FLATTENS = ("squeeze", "ravel", "flatten")
"""Functions that take axes away."""
MOST_CLASSES = 1000
"""Arrays that are longer hold no scores of classes."""
WHOLE = ("floor", "int", "int64", "int32", "round", "rint", "trunc")
"""Functions that make whole numbers."""


@dataclass(frozen=True, eq=False)
class Names:
    """What a statement can name.

    shapes     the shape of what each expression holds
    counted    those that hold places: t of ``hs[t]``
    functions  the functions of the user's, and how many arguments they take
    counts     those that hold whole numbers above one
    labels     those whose entries are whole numbers, none of them negative
    one_sided  those whose entries are all positive, or none: ``x > 0`` tells nothing of them
    pieces     expressions that stand elsewhere in the same code
    """

    shapes: Mapping[str, tuple[int, ...]]
    counted: Collection[str] = ()
    functions: Mapping[str, int] = field(default_factory=dict)
    counts: Collection[str] = ()
    one_sided: Collection[str] = ()
    labels: Collection[str] = ()
    pieces: Sequence[ast.expr] = ()

    @cached_property
    def numbers(self) -> list[str]:
        """What holds a single number that is no place."""
        return [text for text, shape in self.shapes.items() if shape == () and text not in self.counted]

    @cached_property
    def alike(self) -> Mapping[str, list[str]]:
        """For each expression the others that have its shape."""
        by_shape: dict[tuple[int, ...], list[str]] = {}
        for text, shape in self.shapes.items():
            by_shape.setdefault(shape, []).append(text)
        return {text: [x for x in by_shape[shape] if x != text] for text, shape in self.shapes.items()}

    @cached_property
    def containers(self) -> list[str]:
        """The variables that hold several arrays: zs of ``zs[t]``."""
        found = (parsed(text) for text in self.shapes if "[" in text)
        names = (x.value.id for x in found if isinstance(x, ast.Subscript) and isinstance(x.value, ast.Name))
        return list(dict.fromkeys(names))

    @cached_property
    def matrices(self) -> set[str]:
        """What holds arrays of two and more axes."""
        return {text for text, shape in self.shapes.items() if len(shape) > 1}

    def products_of(self, shape: tuple[int, ...]) -> Iterator[str]:
        """The matrix products of two arrays, transposed or not, that have a shape."""
        shapes = {text: own for text, own in self.shapes.items() if own}
        turned = {f"{text}.T": own[::-1] for text, own in shapes.items() if len(own) > 1}
        for (a, rows), (b, columns) in product((shapes | turned).items(), repeat=2):
            inner = columns[-2] if len(columns) > 1 else columns[0]
            matches = shape and max(len(rows), len(columns)) == 2 and rows[-1] == inner
            if matches and (*rows[:-1], *(columns[-1:] if len(columns) > 1 else ())) == shape:
                yield f"{a} @ {b}"

    def repeated_to(self, shape: tuple[int, ...]) -> list[str]:
        """What NumPy repeats along some axes to have a shape."""
        return [text for text, own in self.shapes.items() if own and own != shape and _repeats(own, shape)]

    def shaped(self, shape: tuple[int, ...]) -> list[str]:
        """What holds an array of a shape."""
        return [text for text, own in self.shapes.items() if shape and own == shape]


def _repeats(own: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    pairs = zip(own[::-1], shape[::-1], strict=False)
    return len(own) <= len(shape) and all(a in (1, b) for a, b in pairs)


def is_count(number: Array) -> bool:
    """Whether a number is a whole one above one, as a length is."""
    return bool(number > 1) and float(number).is_integer()


def is_called_derivative(text: str) -> bool:
    """Whether the name of a variable, or of an attribute, is that of a derivative."""
    return DERIVATIVE.match(text.rpartition(".")[2]) is not None


def changes(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """The single changes of an expression whose value has a shape, with what its statement can name."""
    return chain(exchanges(tree, names), _numbers(tree, names), _missing(tree, names, shape))


def exchanges(tree: ast.expr, names: Names) -> Iterator[Change]:
    """Something else at one place in an expression."""
    nodes = list(_nodes(tree))
    turned = [node.value for node in nodes if isinstance(node, ast.Attribute) and node.attr in ("T", "shape", "size")]
    turned += [x for node in nodes for x in _summed_up(node)]  # whose axes tell which way round it is
    for node in nodes:
        if node not in turned and (text := ast.unparse(node)) in names.matrices:
            yield "transpose", "{0} has to be transposed", (text,), exchanged(tree, node, _transposed(node))
        if isinstance(node, ast.Attribute) and node.attr == "T":
            says = "{0} must not be transposed"
            yield "transpose", says, (ast.unparse(node.value),), exchanged(tree, node, node.value)
    for node in nodes:
        for mistake, says, named, new in _at(node):
            yield mistake, says, named, exchanged(tree, node, new)
    for node in nodes:
        text = ast.unparse(node)
        for other in names.alike.get(text, ()):
            yield "wrong quantity", INSTEAD, (text, other), exchanged(tree, node, parsed(other))
        for mistake, says, named, new in chain(_other_slopes(node, names), _other_functions(node, names)):
            yield mistake, says, named, exchanged(tree, node, new)


def insertions(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """What may be missing at one place in an expression, and pieces of other lines that may belong there."""
    valued = _valued(tree)
    for term in _terms(tree):
        tried = (slopes(term, names, shape), _missing(term, names, shape), _numbers(term, names), _summed(term))
        for mistake, says, named, new in chain(*tried):
            yield mistake, says, named, exchanged(tree, term, new)
        for pair in combinations(names.shaped(shape), 2):
            own = " * ".join(pair)
            both = ast.BinOp(term, ast.Mult(), parsed(own))
            yield "factor left out", "the factor {0} is left out", (own,), exchanged(tree, term, both)
    yield from other_names(tree, names, shape)
    nodes = [node for node in valued if node is not tree]
    for node in valued:
        for mistake, says, named, new in chain(_around(node, names), _slopes_instead(node, names)):
            yield mistake, says, named, exchanged(tree, node, new)
    for node in nodes:
        if len([*_nodes(node)]) > 1:
            for other in names.shaped(shape):
                pair = ast.unparse(node), other
                yield "wrong quantity", INSTEAD, pair, exchanged(tree, node, parsed(other))
            yield "factor too many", "only {0} belongs here", (ast.unparse(node),), node
    yield from _one_hot(tree, names, shape)
    for own in names.products_of(shape):
        yield "factor left out", "the factor {0} is left out", (own,), ast.BinOp(parsed(own), ast.Mult(), tree)
        yield "term left out", "the term {0} is left out", (own,), ast.BinOp(tree, ast.Add(), parsed(own))
    whole = ast.unparse(tree)
    for piece in names.pieces:
        own = ast.unparse(piece)
        if own == whole:
            continue
        yield "factor left out", "the factor {0} is left out", (own,), ast.BinOp(tree, ast.Mult(), piece)
        for op in (ast.Add(), ast.Sub()):
            yield "term left out", "the term {0} is left out", (own,), ast.BinOp(tree, op, piece)
        for node in nodes:
            if type(piece) is type(node) or isinstance(node, ast.Name | ast.Subscript):
                pair = ast.unparse(node), own
                yield "wrong quantity", INSTEAD, pair, exchanged(tree, node, piece)


def _nodes(tree: ast.expr) -> Iterator[ast.expr]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.expr))


def _summed_up(node: ast.expr) -> list[ast.expr]:
    """What a sum or a mean is taken of."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np" | "numpy"), attr="sum" | "mean"), args=[value, *_]):
            return [value]
        case ast.Call(func=ast.Attribute(value=value, attr="sum" | "mean")):
            return [value]
    return []


def other_names(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """Something else wherever a piece stands in an expression, of any shape."""
    for text, other in _others(_valued(tree), names, shape):
        yield "wrong quantity", INSTEAD, (text, other), _everywhere(tree, text, parsed(other))


def _others(nodes: Sequence[ast.expr], names: Names, shape: tuple[int, ...]) -> Iterator[tuple[str, str]]:
    texts = [ast.unparse(node) for node in nodes]
    for text in dict.fromkeys(texts):
        node = nodes[texts.index(text)]
        if text in names.shapes:
            is_twice = texts.count(text) > 1
            axes = len(names.shapes[text])
            alike = names.alike[text]
            yield from ((text, other) for other in alike if is_twice)
            others = (other for other, shape in names.shapes.items() if len(shape) == axes and other not in alike)
            yield from ((text, other) for other in others if other != text and axes)
            yield from ((text, f"{function}({text})") for function, count in names.functions.items() if count == 1)
        elif texts.count(text) > 1:
            yield from ((text, other) for other in names.shaped(shape))
        match node:
            case ast.Subscript(value=ast.Name(id=name), slice=place):
                yield from ((text, f"{x}[{ast.unparse(place)}]") for x in names.containers if x != name)


def _everywhere(tree: ast.expr, text: str, new: ast.expr) -> ast.expr:
    """An expression with a piece exchanged wherever it stands in it."""
    for node in [node for node in _nodes(tree) if ast.unparse(node) == text]:
        tree = exchanged(tree, node, new)
    return tree


def pieces_of(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions in some code that may be a factor, a term or a piece of an array in other lines."""
    for node in ast.walk(tree):
        match node:
            case ast.BinOp() | ast.Compare():
                yield node
            case ast.Subscript(ctx=ast.Load(), slice=ast.Tuple() | ast.Slice()):
                yield node
            case ast.Call(func=ast.Name(), args=[ast.expr()], keywords=[]):
                yield node


def _valued(tree: ast.expr) -> list[ast.expr]:
    """The expressions in an expression that have a value of their own: no functions, places and containers."""
    found: list[ast.expr] = []
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.BinOp | ast.UnaryOp | ast.Call | ast.Name | ast.Attribute | ast.Subscript):
            found.append(node)
        match node:
            case ast.Call(func=ast.Attribute(value=value), args=arguments):
                stack += [*arguments, *(() if isinstance(value, ast.Name) else (value,))]
            case ast.Call(args=arguments):
                stack += arguments
            case ast.Subscript(value=value):
                stack.append(value)
            case ast.Attribute(value=ast.Name(), attr=attribute) if attribute != "T":
                pass
            case _:
                stack += [x for x in ast.iter_child_nodes(node) if isinstance(x, ast.expr)]
    return found


# --- the whole of the expression


def _terms(tree: ast.expr) -> list[ast.expr]:
    """The terms of a sum, wherever it stands in an expression, and the expression itself."""
    sums = [x for x in _nodes(tree) if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Add | ast.Sub)]
    return [tree, *(term for x in sums for term in (x.left, x.right) if not isinstance(term, ast.Constant))]


def _summed(tree: ast.expr) -> Iterator[Change]:
    """What may have to be summed up."""
    for axis in (0, 1, 2):
        for keepdims in (False, True):
            words = [ast.keyword("axis", ast.Constant(axis))]
            words = _kept(words) if keepdims else words
            call = ast.Call(ast.Attribute(tree, "sum", ast.Load()), [], words)
            yield "sum left out", "the sum over one axis is left out", (), call


def _one_hot(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """A one at the place of each label, to be subtracted."""
    own = ast.unparse(tree)
    if not shape or max(shape) > MOST_CLASSES:
        return
    for label in (x for x in names.labels if x not in names.counted):
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


def additions(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """An expression with a factor or a term more, or without the derivative of an activation in it."""
    for node in _nodes(tree):
        match node:
            case ast.BinOp(ast.BinOp(before, ast.Mult(), value), ast.Mult(), ast.BinOp() as right):
                twice = f"{ast.unparse(value)} * ({ast.unparse(right)})"
                says = "the derivative of the activation, {0}, is taken twice"
                yield "derivative twice", says, (twice,), exchanged(tree, node, before)
    yield from _numbers(tree, names)
    for op in (ast.Sub(), ast.Add()):
        yield "term left out", "the term {0} is left out", ("1",), ast.BinOp(tree, op, ast.Constant(1))
    yield from _missing(tree, names, shape)
    yield from slopes(tree, names, shape)


def is_slope(name: str) -> bool:
    """Whether a function is called like the derivative of an activation."""
    return SLOPE.fullmatch(name) is not None


def slopes(tree: ast.expr, names: Names, shape: tuple[int, ...]) -> Iterator[Change]:
    """An expression times what the derivative of an activation may be, of what has the shape of a value."""
    says = "the derivative of the activation, {0}, is left out"
    for text in names.shaped(shape):
        if is_called_derivative(text):
            continue
        for code in _slopes_of(text, names):
            yield "derivative left out", says, (code,), ast.BinOp(tree, ast.Mult(), parsed(code))
        share = f"{text} * (1 - {text})"  # of the logarithms of a share and of the rest
        yield (
            "division left out",
            "the division by {0} is left out",
            (share,),
            ast.BinOp(tree, ast.Div(), parsed(share)),
        )


def _slopes_of(text: str, names: Names) -> list[str]:
    """What may be the derivative of an activation at a value."""
    functions = [name for name, count in names.functions.items() if count == 1 and is_slope(name)]
    own = [f"(1 - {text} ** 2)", f"{text} * (1 - {text})"]
    if text not in names.one_sided:
        own.insert(0, f"({text} > 0)")
    return [*own, *(f"{function}({text})" for function in functions)]


def _slopes_instead(node: ast.expr, names: Names) -> Iterator[Change]:
    """The derivative of an activation where something else stands that is computed from the same value."""
    inner = [] if isinstance(node, ast.Name) else [ast.unparse(x) for x in _valued(node) if x is not node]
    kind = "g for g'" if isinstance(node, ast.Call) else "wrong activation"
    for text in dict.fromkeys(x for x in inner if names.shapes.get(x) and not is_called_derivative(x)):
        for code in _slopes_of(text, names):
            yield kind, INSTEAD, (ast.unparse(node), code), parsed(code)


def _other_slopes(node: ast.expr, names: Names) -> Iterator[Change]:
    """The derivative of an activation where that of another one stands."""
    before: ast.expr | None = None
    match node:
        case ast.Compare(left=value, ops=[ast.Gt() | ast.GtE()], comparators=[ast.Constant(value=0)]):
            pass
        case ast.BinOp(ast.Constant(value=1), ast.Sub(), ast.BinOp(value, ast.Pow(), ast.Constant(value=2))):
            pass
        case ast.BinOp(left, ast.Mult(), ast.BinOp(ast.Constant(value=1), ast.Sub(), value)):
            if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult):
                before, left = left.left, left.right
            if ast.unparse(left) != ast.unparse(value):
                return
        case ast.Call(func=ast.Name(), args=[value]):
            pass
        case _:
            return
    text, own = ast.unparse(value), ast.unparse(node)
    says = "{0} is not the derivative of this activation: {1} belongs here"
    for code in _slopes_of(text, names):
        slope = parsed(code)
        new = slope if before is None else ast.BinOp(before, ast.Mult(), slope)
        if ast.unparse(new) != own:
            yield "wrong activation", says, (own, code), new


def _other_functions(node: ast.expr, names: Names) -> Iterator[Change]:
    """Another function of several arguments: the backward pass of another layer."""
    match node:
        case ast.Call(func=ast.Name(id=called), args=given, keywords=words) if len(given) > 1:
            for other, count in names.functions.items():
                if other != called and count == len(given) + len(words):
                    yield "wrong activation", INSTEAD, (called, other), ast.Call(parsed(other), given, words)


# --- one place in it


def _around(node: ast.expr, names: Names) -> Iterator[Change]:
    """What may be missing around one place."""
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
    for other in names.alike.get(text, ()):
        own = parsed(other)
        yield "factor left out", "the factor {0} is left out", (other,), ast.BinOp(node, ast.Mult(), own)
        yield "term left out", "the term {0} is left out", (other,), ast.BinOp(node, ast.Add(), own)
        yield "term left out", "the term {0} is left out", (other,), ast.BinOp(node, ast.Sub(), own)


def _at(node: ast.expr) -> Iterator[Change]:
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
            others: tuple[ast.cmpop, ...] = (ast.Gt(), ast.GtE(), ast.Lt(), ast.LtE())
            for sign in others:
                if type(sign) is not type(op):
                    compared = ast.Compare(left, [sign], [right])
                    yield "wrong comparison", "{0} should be {1}", (text, ast.unparse(compared)), compared
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
        case ast.Tuple(elts=places) if len(places) <= MOST_AXES and all(isinstance(x, ast.Constant) for x in places):
            for order in permutations(places):
                if list(order) != places:
                    yield "wrong axis", "the axes are in the wrong order", (), ast.Tuple(list(order), ast.Load())
        case ast.Constant(value=bool() | str()):
            return
        case ast.Constant(value=int() | float() as number):
            for other in _other_numbers(number):
                said = f"the number {number:g} stands where {other:g} belongs"
                yield "wrong number", said, (), _number(other)


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


def _other_numbers(number: float) -> list[float]:
    """What a number may have been meant to be."""
    near = [number + 1, number - 1, -number, 2 * number, number / 2]
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
            yield "* for ·", "@ stands where * belongs", (), ast.BinOp(left, ast.Mult(), right)
            both = ast.BinOp(_transposed(left), op, _transposed(right))
            yield "transpose", "the transposes of both factors are wrong", (), both
        case ast.Mult():
            yield "* for ·", "* stands where the matrix product @ belongs", (), ast.BinOp(left, ast.MatMult(), right)
            yield "factor too many", "the factor {0} is too many", (b,), left
            yield "factor too many", "the factor {0} is too many", (a,), right
            yield "division left out", "it should be divided by {0}", (b,), ast.BinOp(left, ast.Div(), right)
        case ast.Div():
            yield "factor too many", "the division by {0} is too many", (b,), left
            yield "factor too many", "it should be multiplied by {0}", (b,), ast.BinOp(left, ast.Mult(), right)
            yield "operands swapped", "the quotient is upside down", (), ast.BinOp(right, op, left)
        case ast.FloorDiv():
            says = "// throws away what is behind the decimal point; / belongs there"
            yield "integers", says, (), ast.BinOp(left, ast.Div(), right)
        case ast.Sub():
            yield "sign", "the difference is the wrong way round", (), ast.BinOp(right, op, left)
            yield "sign of a term", "a term has the wrong sign", (), ast.BinOp(left, ast.Add(), right)
            yield "term too many", "the term {0} is too many", (b,), left
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
        both = ast.BinOp(_transposed(left), ast.MatMult(), _transposed(right))
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


def _sum(node: ast.Call, name: str) -> Iterator[Change]:
    other = "mean" if name == "sum" else "sum"
    assert isinstance(node.func, ast.Attribute)
    function = ast.Attribute(node.func.value, other, ast.Load())
    says = f"a {name} is taken where the {other} belongs"
    yield "mean for sum", says, (), ast.Call(function, node.args, node.keywords)
    keeps = [x for x in node.keywords if x.arg != "keepdims"]
    for keywords in (keeps, _kept(keeps)):
        yield "keepdims lost", "keepdims is wrong", (), ast.Call(node.func, node.args, keywords)
    for axis in (0, 1, 2, None):
        keywords = [x for x in node.keywords if x.arg != "axis"]
        if axis is not None:
            keywords.append(ast.keyword("axis", ast.Constant(axis)))
        says = f"the {name} runs over the wrong axis"
        for words in (keywords, _kept(keywords)):
            yield "wrong axis", says, (), ast.Call(node.func, node.args, words)
    for part in node.args[:1]:
        yield "sum too many", f"the {name} is too many", (), part


def _kept(keywords: list[ast.keyword]) -> list[ast.keyword]:
    return [*(x for x in keywords if x.arg != "keepdims"), ast.keyword("keepdims", ast.Constant(True))]


def _transposed(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Attribute) and node.attr == "T" else ast.Attribute(node, "T", ast.Load())
