"""What somebody's source says by itself: the statements of a file, its loops, what a statement reads and gives."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return)


@lru_cache(maxsize=64)
def tree_of(file: str) -> ast.Module:
    """The source of a file as a tree."""
    return ast.parse("".join(linecache.getlines(file)))


@lru_cache(maxsize=64)
def statements(file: str) -> Mapping[int, ast.stmt]:
    """The simple statement that stands on each line of a file; the last, where there are several."""
    found: dict[int, ast.stmt] = {}
    for node in ast.walk(tree_of(file)):
        if isinstance(node, SIMPLE):
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                found[number] = node
    return found


@lru_cache(maxsize=64)
def looped(file: str) -> frozenset[int]:
    """The lines of a file that stand in a loop."""
    loops = (x for x in ast.walk(tree_of(file)) if isinstance(x, ast.For | ast.While))
    return frozenset(k for loop in loops for k in range(loop.lineno, (loop.end_lineno or loop.lineno) + 1))


@lru_cache(maxsize=64)
def parameters_at(file: str) -> Mapping[int, frozenset[str]]:
    """The parameters of the function around each line of a file, `self` left out."""
    found: dict[int, frozenset[str]] = {}
    for node in ast.walk(tree_of(file)):  # those further out come first
        if isinstance(node, ast.FunctionDef):
            names = frozenset(x.arg for x in (*node.args.args, *node.args.kwonlyargs)) - {"self"}
            found |= dict.fromkeys(range(node.lineno, (node.end_lineno or node.lineno) + 1), names)
    return found


@lru_cache(maxsize=64)
def formulas(file: str) -> frozenset[str]:
    """The functions of a file that only return an expression of their one parameter."""
    functions = (x for x in tree_of(file).body if isinstance(x, ast.FunctionDef))
    return frozenset(
        x.name
        for x in functions
        if len(x.args.args) == 1
        and isinstance(x.body[-1], ast.Return)
        and (len(x.body) == 1 or (len(x.body) == 2 and ast.get_docstring(x) is not None))
    )


@lru_cache(maxsize=64)
def goes_on(file: str) -> bool:
    """Whether a file has a loop that may never end where something in it is changed."""
    return any(isinstance(x, ast.While) for x in ast.walk(tree_of(file)))


@lru_cache(maxsize=64)
def place_names(file: str) -> frozenset[str]:
    """The names that places are written with in a file: t of ``hs[t + 1]``."""
    subscripts = (x for statement in statements(file).values() for x in ast.walk(statement))
    places = (x.slice for x in subscripts if isinstance(x, ast.Subscript))
    return frozenset(name for place in places for name in _counted_in(place))


def _counted_in(place: ast.AST) -> Iterator[str]:
    """The names that a place is computed with; what a function makes places of, as ``np.arange(m)``, counts nothing."""
    match place:
        case ast.Name(id=name):
            yield name
        case (
            ast.Call(func=ast.Name(id="str" | "int"), args=parts)
            | ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="format"), args=parts)
        ):
            for argument in parts:
                yield from _counted_in(argument)
        case ast.Call():
            pass
        case _:
            for part in ast.iter_child_nodes(place):
                yield from _counted_in(part)


def left_over(nodes: Iterable[ast.AST], number: int) -> frozenset[str]:
    """The variables of loops that a line of some code does not stand in: what the last round left in them."""
    inside: dict[bool, set[str]] = {True: set(), False: set()}
    for loop in (x for x in nodes if isinstance(x, ast.For)):
        around = loop.lineno <= number <= (loop.end_lineno or loop.lineno)
        inside[around] |= {x.id for x in ast.walk(loop.target) if isinstance(x, ast.Name)}
    return frozenset(inside[False] - inside[True])


def source_of(statement: ast.stmt, file: str) -> str:
    """The lines of a statement as they are written, without their indentation."""
    lines = linecache.getlines(file)[statement.lineno - 1 : statement.end_lineno]
    return "\n".join(line.strip() for line in lines)


def changes(statement: ast.stmt) -> bool:
    """Whether a statement changes what was there before."""
    return not isinstance(statement, ast.Assign | ast.AnnAssign) or _adds(statement)


def _adds(statement: ast.stmt) -> bool:
    """Whether an assignment adds to what its target holds, ``x = x + y``, as ``x += y`` does.

    So does one to each entry of a container: ``xs = [x + y for x, y in zip(xs, ys)]``.
    """
    match statement:
        case ast.Assign(targets=[ast.expr() as target], value=ast.BinOp() as value):
            return _begins_with(value, ast.unparse(target))
        case ast.Assign(
            targets=[ast.expr() as target],
            value=ast.ListComp(
                elt=ast.BinOp() as value,
                generators=[
                    ast.comprehension(
                        target=ast.Tuple(elts=names), iter=ast.Call(func=ast.Name(id="zip"), args=containers)
                    )
                ],
            ),
        ):
            pairs = zip(names, containers, strict=False)
            own = [ast.unparse(name) for name, x in pairs if ast.unparse(x) == ast.unparse(target)]
            return any(_begins_with(value, name) for name in own)
        case ast.Assign(
            targets=[ast.expr() as target],
            value=ast.DictComp(key=ast.Name(id=key), value=ast.BinOp() as value, generators=[ast.comprehension()]),
        ):
            return _begins_with(value, f"{ast.unparse(target)}[{key}]")
    return False


def _begins_with(value: ast.expr, text: str) -> bool:
    """Whether an expression is a sum whose first term is a given one, which does not stand in it again."""
    first = value
    while isinstance(first, ast.BinOp) and isinstance(first.op, ast.Add | ast.Sub):
        first = first.left
    return [x for x in ast.walk(value) if isinstance(x, ast.expr) and ast.unparse(x) == text] == [first]


@lru_cache(maxsize=4096)
def names_in(statement: ast.stmt) -> tuple[str, ...]:
    """The variables that stand in a statement."""
    return tuple(dict.fromkeys(x.id for x in ast.walk(statement) if isinstance(x, ast.Name)))


@lru_cache(maxsize=4096)
def loaded(statement: ast.stmt) -> tuple[str, ...]:
    """The expressions that a statement reads, as they are written."""
    if isinstance(statement, ast.AugAssign):
        texts = [*_named(statement.value), ast.unparse(statement.target)]
    else:
        value = getattr(statement, "value", None)
        texts = [] if value is None else list(_named(value))
    return tuple(dict.fromkeys(texts))


@lru_cache(maxsize=4096)
def stored(statement: ast.stmt) -> tuple[str, ...]:
    """The expressions that a statement gives values to."""
    stack: list[ast.expr]
    match statement:
        case ast.Assign(targets=targets):
            stack = list(reversed(targets))
        case ast.AugAssign(target=changed) | ast.AnnAssign(target=changed):
            stack = [changed]
        case ast.Expr(value=ast.Call(func=function, args=arguments)):
            # np.add.at(dE, …) changes its argument, grads.update(…) what it belongs to.
            owner = [function.value] if isinstance(function, ast.Attribute) else []
            stack = [x for x in (*owner, *arguments[:1]) if isinstance(x, ast.Name | ast.Attribute | ast.Subscript)]
        case _:
            stack = []
    texts = []
    while stack:
        target = stack.pop()
        if isinstance(target, ast.Tuple | ast.List):
            stack += reversed(target.elts)
        elif isinstance(target, ast.Starred):
            stack.append(target.value)
        else:
            texts.append(ast.unparse(target))
    return tuple(texts)


def _named(node: ast.AST) -> Iterator[str]:
    """The names, attributes and entries of containers in an expression; looking them up computes nothing."""
    if isinstance(node, ast.Name):
        yield node.id
        return
    if isinstance(node, ast.Attribute | ast.Subscript) and _is_plain(node):
        yield ast.unparse(node)
        yield from _named(node.value)
        if isinstance(node, ast.Subscript):
            yield from _named(node.slice)
        return
    for child in ast.iter_child_nodes(node):
        yield from _named(child)


def _is_plain(node: ast.AST) -> bool:
    match node:
        case ast.Name() | ast.Constant():
            return True
        case ast.Attribute(value=value):
            return _is_plain(value)
        case ast.Subscript(value=value, slice=key):
            return _is_plain(value) and _is_plain(key)
        case ast.BinOp(left=left, right=right):
            return _is_plain(left) and _is_plain(right)
        case ast.UnaryOp(operand=operand) | ast.FormattedValue(value=operand):
            return _is_plain(operand)
        case ast.JoinedStr(values=parts) | ast.Tuple(elts=parts):
            return all(map(_is_plain, parts))
        case ast.Slice(lower=lower, upper=upper, step=step):
            return all(part is None or _is_plain(part) for part in (lower, upper, step))
        case ast.Call(func=ast.Name(id="str" | "len" | "int"), args=arguments, keywords=[]):
            return all(map(_is_plain, arguments))
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str()), attr="format"), args=arguments, keywords=[]):
            return all(map(_is_plain, arguments))
    return False


@lru_cache(maxsize=4096)
def entry_in(text: str) -> tuple[str | None, str]:
    """An entry as what it is an entry of, and its place; None where the expression is something else."""
    match ast.parse(text, mode="eval").body:
        case ast.Subscript(value=value, slice=ast.Slice()):
            return ast.unparse(value), "None"
        case ast.Subscript(value=value, slice=place):
            return ast.unparse(value), ast.unparse(place)
    return None, ""


@lru_cache(maxsize=4096)
def owner_in(text: str) -> str | None:
    """What an expression is an attribute of."""
    match ast.parse(text, mode="eval").body:
        case ast.Attribute(value=value):
            return ast.unparse(value)
    return None
