"""Mistakes made by small edits of any backward pass: each takes a statement and gives wrong ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from statements import Scope, expr, is_gradient, names_in, text, writes

Candidate = tuple[str, ast.expr]
"""A kind of mistake, and what stands in the place of a node."""
Rule = Callable[[ast.expr, Scope], Iterator[Candidate]]


@dataclass(frozen=True, slots=True)
class Edit:
    """A statement as a mistake makes it, on the lines from `first` to `last` of the source."""

    kind: str
    first: int
    last: int
    statement: str


def edits(source: str) -> Iterator[Edit]:
    """Every single mistake of these kinds in the functions of the backward pass."""
    for scope in Scope.backward(source):
        for statement in scope.statements:
            lines = partial(Edit, first=statement.lineno, last=statement.end_lineno or statement.lineno)
            for kind, wrong in _of_statement(statement, scope):
                yield lines(kind, statement=wrong)


def _of_statement(statement: ast.stmt, scope: Scope) -> Iterator[tuple[str, str]]:
    if isinstance(statement, ast.AugAssign):
        yield from _augmented(statement, scope)
    value = getattr(statement, "value", None)
    if not isinstance(value, ast.expr):
        return
    target = " ".join(writes(statement))
    for holder, field, node in _places(statement):
        for rule in RULES:
            for kind, new in rule(node, scope):
                yield _precise(kind, target, node), _with(statement, holder, field, new)
    if isinstance(statement, ast.Assign | ast.AugAssign) and is_gradient(target):
        for kind, new in _whole(value, scope, target):
            yield kind, _with(statement, statement, "value", new)


def _places(statement: ast.stmt) -> Iterator[tuple[ast.AST, str | tuple[str, int], ast.expr]]:
    """Every expression that a statement reads, with where it hangs: its parent and the field."""
    stack: list[tuple[ast.AST, str]] = [(statement, "value")]
    while stack:
        holder, field = stack.pop()
        found = getattr(holder, field)
        several = enumerate(found) if isinstance(found, list) else [(None, found)]
        for k, node in several:
            if isinstance(node, ast.keyword):
                stack.append((node, "value"))
            elif isinstance(node, ast.expr):
                yield holder, field if k is None else (field, k), node
                stack += [(node, name) for name in reversed(node._fields) if name not in ("ctx", "slice", "func")]
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    stack.append((node.func, "value"))


def _with(statement: ast.stmt, holder: ast.AST, field: str | tuple[str, int], new: ast.expr) -> str:
    """The source of the statement with a node exchanged; the tree is left as it was."""
    if isinstance(field, tuple):
        container, k = getattr(holder, field[0]), field[1]
        old, container[k] = container[k], new
        written = ast.unparse(statement)
        container[k] = old
        return written
    old = getattr(holder, field)
    setattr(holder, field, new)
    written = ast.unparse(statement)
    setattr(holder, field, old)
    return written


def _precise(kind: str, target: str, node: ast.expr) -> str:
    """A kind that has a name of its own where it concerns the gradient of a bias."""
    of_bias = re.search(r"(\bd_?b|db|nabla_b|grad_b|b\d?['\"]?\])", target) is not None
    named = {"sum over the wrong axis": "bias summed over the wrong axis", "sum left out": "bias gradient not summed"}
    return named.get(kind, kind) if of_bias else kind


def _augmented(statement: ast.AugAssign, scope: Scope) -> Iterator[tuple[str, str]]:
    target, value = ast.unparse(statement.target), ast.unparse(statement.value)
    if isinstance(statement.op, ast.Add) and is_gradient(target):
        yield "= for +=", f"{target} = {value}"
        yield "sign of a term", f"{target} -= {value}"
    if isinstance(statement.op, ast.Div) and scope.is_count(statement.value):
        yield "integer division", f"{target} //= {value}"


# --- the whole right side


def _whole(value: ast.expr, scope: Scope, target: str) -> Iterator[Candidate]:
    own = text(value)
    made = ast.Name | ast.Constant | ast.List | ast.Tuple | ast.ListComp | ast.Dict
    if isinstance(value, made) or own.startswith(("np.zeros", "dict(", "[None]")):
        return
    yield "sign", expr(f"-({own})")
    yield "factor 2 extra", expr(f"2 * ({own})")
    for name in scope.counts[:1]:
        yield "extra 1/m", expr(f"({own}) / {name}")
    if not own.startswith(("np.hstack", "np.copy")):
        yield "wrong dtype", expr(f"({own}).astype(int)")
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Sub):
        a, b = text(value.left), text(value.right)
        if re.fullmatch(r"(A\d|AL|p|probs|xr|l2)", a) and not is_gradient(b):
            yield "activation derivative twice", expr(f"({a} - {b}) * {a} * (1 - {a})")


# --- factors


def _factors(node: ast.expr, scope: Scope) -> Iterator[Candidate]:
    if not isinstance(node, ast.BinOp) or isinstance(node.left, ast.List):
        return  # [None] * n is no product
    if isinstance(node.op, ast.Mult):
        for dropped, kept in ((node.right, node.left), (node.left, node.right)):
            if not scope.is_number(kept):
                yield _dropped(dropped, kept, scope), kept
    if isinstance(node.op, ast.Div) and not isinstance(node.left, ast.Constant):
        yield _dropped(node.right, node.left, scope), node.left
    if isinstance(node.op, ast.Div) and scope.is_count(node.right):
        yield "integer division", expr(f"({text(node.left)}) // {text(node.right)}")


def _dropped(dropped: ast.expr, kept: ast.expr, scope: Scope) -> str:
    """What kind of mistake it is to leave a factor out."""
    own = text(dropped)
    if scope.is_count(dropped) or re.fullmatch(r"1(\.0)? / .*", own):
        return "missing 1/m"
    if own in ("2", "0.5", "2 / n_samples"):
        return "factor 2 missing"
    if re.fullmatch(r"D\d|masks?\[.*\]", own):
        return "dropout mask missing"
    if own in ("keep_prob", "keep"):
        return "dropout scaling missing"
    if any(map(is_gradient, names_in(dropped))) and not any(map(is_gradient, names_in(kept))):
        return "upstream forgotten"
    if re.search(r"1 - .*(\*\*|\*|power)|> ?0|_prime|_grad\(|np\.where", own):
        return "activation derivative left out"
    return "factor left out"


# --- signs and terms


def _terms(node: ast.expr, scope: Scope) -> Iterator[Candidate]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield "sign", node.operand
    if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Add | ast.Sub):
        return
    a, b = node.left, node.right
    if isinstance(node.op, ast.Add):
        yield "sign of a term", expr(f"({text(a)}) - ({text(b)})")
        yield _missing(b), a
        yield _missing(a), b
        if _is_penalty(b):
            yield "regularisation doubled", expr(f"({text(a)}) + 2 * ({text(b)})")
    elif isinstance(a, ast.Constant):
        yield "sign of a term", expr(f"{text(a)} + ({text(b)})")
    else:
        yield "sign", expr(f"({text(b)}) - ({text(a)})")
        yield "sign of a term", expr(f"({text(a)}) + ({text(b)})")
        yield "term left out", a


def _is_penalty(term: ast.expr) -> bool:
    return re.search(r"\b(lam|reg|alpha)\b", text(term)) is not None


def _missing(term: ast.expr) -> str:
    """What kind of mistake it is to leave a term out."""
    if _is_penalty(term):
        return "regularisation missing"
    return "epsilon forgotten" if text(term) == "eps" else "term left out"


# --- products and transposes


def _factors_of(node: ast.expr) -> tuple[ast.expr, ast.expr, str] | None:
    """The factors of a matrix product, and how it is written."""
    match node:
        case ast.BinOp(left=a, op=ast.MatMult(), right=b):
            return a, b, "({}) @ ({})"
        case ast.Call(func=ast.Attribute(value=ast.Name(id="np"), attr="dot" | "outer" as name), args=[a, b]):
            return a, b, f"np.{name}({{}}, {{}})"
        case ast.Call(func=ast.Attribute(value=a, attr="dot"), args=[b]):
            return a, b, "({}).dot({})"
    return None


def _products(node: ast.expr, scope: Scope) -> Iterator[Candidate]:
    found = _factors_of(node)
    if found is not None:
        a, b, written = found
        yield "operands swapped", expr(written.format(text(b), text(a)))
        if "outer" not in written:
            yield "* for @", expr(f"({text(a)}) * ({text(b)})")
            plain = next((x for x in (a, b) if isinstance(x, ast.Name | ast.Subscript)), None)
            if plain is not None:
                turned = [f"{text(x)}.T" if x is plain else text(x) for x in (a, b)]
                yield "extra transpose", expr(written.format(*turned))
    elementwise = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)
    if elementwise and not any(map(scope.is_number, (node.left, node.right))):
        yield "@ for *", expr(f"({text(node.left)}) @ ({text(node.right)})")
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "missing transpose", node.value


# --- sums


def _sums(node: ast.expr, scope: Scope) -> Iterator[Candidate]:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "sum":
        return
    of_numpy = isinstance(node.func.value, ast.Name) and node.func.value.id == "np"
    inner = node.args[0] if of_numpy else node.func.value
    own = text(node)
    yield "sum left out", inner
    yield "mean for sum", expr(re.sub(r"\bsum\(", "mean(", own, count=1) if of_numpy else _mean(node))
    swapped = {"axis=0": "axis=1", "axis=1": "axis=0", "axis=-1": "axis=0"}
    for old, new in swapped.items():
        if re.search(rf"{old}(?=[,)])", own):
            yield "sum over the wrong axis", expr(re.sub(rf"{old}(?=[,)])", new, own))
            break
    if "keepdims=True" in own:
        yield "keepdims lost", expr(own.replace(", keepdims=True", ""))


def _mean(node: ast.Call) -> str:
    assert isinstance(node.func, ast.Attribute)
    node.func.attr = "mean"
    written = ast.unparse(node)
    node.func.attr = "sum"
    return written


# --- quantities taken for others


def _names(node: ast.expr, scope: Scope) -> Iterator[Candidate]:
    if not isinstance(node, ast.Name | ast.Attribute):
        return
    own = text(node)
    for kind, other in _others(own):
        if other in scope.known:
            yield kind, expr(other)


OTHERS = (
    (r"^(.*)Z(\d*)$", r"\1A\2", "z for a"),
    (r"^(.*)A(\d*)$", r"\1Z\2", "z for a"),
    (r"^z(\d*)$", r"a\1", "z for a"),
    (r"^a(\d*)$", r"z\1", "z for a"),
)
LAYERS = {"A": "wrong layer's a", "a": "wrong layer's a", "H": "wrong layer's a", "W": "wrong layer's w"}


def _others(own: str) -> Iterator[tuple[str, str]]:
    """Names that are taken for a name."""
    for pattern, other, kind in OTHERS:
        if re.match(pattern, own):
            yield "another gradient" if is_gradient(own) else kind, re.sub(pattern, other, own)
    match = re.match(r"^(self\.)?([A-Za-z_]+)(\d)$", own)
    if match:
        before, letters, number = match[1] or "", match[2], int(match[3])
        kind = "another gradient" if is_gradient(own) else LAYERS.get(letters[0], "")
        if kind:
            for n in (number - 1, number + 1):
                yield kind, f"{before}{letters}{n}"
    if own in ("A1", "a1", "H1", "hidden", "h", "l1"):
        yield "wrong layer's a", "X"
    if own in ("dh", "dhraw", "dz", "dmu", "dy", "dpre", "dhidden", "d_hidden", "d_pre", "l1_error", "l1_delta"):
        for other in ("dh", "dhraw", "dz", "dpre", "dhidden", "d_hidden", "d_pre", "l1_error", "l1_delta"):
            if other != own:
                yield "another gradient", other


def _slopes(node: ast.expr, scope: Scope) -> Iterator[Candidate]:
    """The derivative of an activation taken for that of another, at another place, or for the activation."""
    own = text(node)
    if match := re.fullmatch(r"1 - (?:np\.power\()?([\w.\[\]]+?)(?: \*\* 2|, 2\))", own):
        yield "wrong activation", expr(f"{match[1]} * (1 - {match[1]})")
        yield "g for g'", expr(match[1])
        for kind, other in _others(match[1]):
            if other in scope.known and kind != "another gradient":
                named = "activation derivative at z" if kind == "z for a" else "activation derivative of another layer"
                yield named, expr(own.replace(match[1], other))
    if match := re.fullmatch(r"(.*)\b([\w.]+) \* \(1 - \2\)", own):
        yield "wrong activation", expr(f"{match[1]}(1 - {match[2]}**2)")
        yield "activation derivative left out", expr(match[1].rstrip(" *") or "1")
        for kind, other in _others(match[2]):
            if other in scope.known and kind != "another gradient":
                named = "activation derivative at z" if kind == "z for a" else "activation derivative of another layer"
                yield named, expr(f"{match[1]}{other} * (1 - {other})")
    if match := re.fullmatch(r"(\w+_prime|\w+_grad)\(([\w\[\]-]+)\)", own):
        for kind, other in _others(match[2]):
            if other in scope.known:
                named = "activation derivative at a" if kind == "z for a" else "activation derivative of another layer"
                yield named, expr(f"{match[1]}({other})")
        yield "g for g'", expr(f"np.maximum({match[2]}, 0)")
    if match := re.fullmatch(r"(\w+) > 0", own):
        yield "wrong activation", expr(f"{match[1]} < 0")
        yield "g for g'", expr(f"np.maximum({match[1]}, 0)")


RULES: tuple[Rule, ...] = (_slopes, _factors, _terms, _products, _sums, _names)
