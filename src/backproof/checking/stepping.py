"""The update in somebody's file: whether its step size suits the loss, and whether it goes down and changes the right
variable."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backproof.checking.diagnosis import Remark
from backproof.checking.facts import Facts, number, reason
from backproof.checking.naming import last_word, plain, spellings
from backproof.write.doc import Code

NAMES = ("lr", "alpha", "eta", "learning_rate", "learningrate", "step_size", "stepsize", "rate", "step")
ADAPTIVE = ("adam", "rmsprop", "adagrad", "adadelta")
"""Words of updates whose steps are not a multiple of the gradient."""
TENTHS = 6
"""How many smaller steps are tried where one is too large, each a tenth of the one before."""
TIMES = 1000.0
"""A step is too small where one so many times as large still does what the gradient promises."""


@dataclass(frozen=True, slots=True)
class Update:
    """A statement that takes a step: ``W1 = W1 - lr * dW1``."""

    place: str
    source: str
    target: str
    minuend: str
    downhill: bool
    rate: str
    gradients: tuple[str, ...]


def stepping(facts: Facts, files: Collection[str], arguments: Mapping[str, Any], *, scale: bool) -> Iterator[Remark]:
    """Remarks on the updates in the files, and on the step size that they or the arguments have.

    Without `scale` nothing is said of steps that are too small: what is vanished or flat is not to be blamed on them.
    """
    updates = [update for file in sorted(files) for update in _updates(file)]
    yield from _wrong_updates(facts, updates)
    used = {str(x.symbol) for x in facts.derivation.graph.inputs}
    given = {name: float(x) for name, x in arguments.items() if name.lower() in NAMES and _is_number(x)}
    rates = {f"{name} = {number(rate)}": rate for name, rate in given.items() if name not in used}
    names = {update.rate for update in updates}
    for file in sorted(files):
        rates |= {f"{name} = {number(rate)}": rate for name, rate in _values(file, names)}
    for text, rate in rates.items():
        yield from _size(facts, text, rate, scale=scale)


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float | np.number) or (isinstance(x, np.ndarray) and x.ndim == 0)


# --- the size of the step


def _size(facts: Facts, text: str, rate: float, *, scale: bool) -> Iterator[Remark]:
    slopes = {name: facts.gradient(name) for name in facts.parameters}
    promised = sum(float(np.sum(np.square(slope))) for slope in slopes.values())
    before = facts.loss()
    if rate <= 0 or not promised or not np.isfinite([before, promised]).all():
        return

    def after(rate: float) -> float:
        return facts.loss(**{name: facts.value(facts.parameters[name]) - rate * slopes[name] for name in slopes})

    reached = after(rate)
    promise = before - rate * promised
    figures = f"takes J from {number(before)} to {number(reached)}; the gradient promises {number(promise)}"
    smaller = (rate / 10**k for k in range(1, TENTHS + 1))
    if not reached <= before * (1 + 1e-12):
        better = next((rate for rate in smaller if after(rate) < before), None)
        if better is not None:
            yield reason(
                "step size too large",
                (Code(text),),
                f": a step along the gradient {figures}. It is too large: {number(better)} takes J to "
                f"{number(after(better))}.",
            )
    elif scale and before - after(TIMES * rate) > 0.5 * TIMES * rate * promised:
        yield reason(
            "step size too small",
            (Code(text),),
            f": a step along the gradient lowers J by {number(rate * promised)}, from {number(before)}. It is too "
            f"small: even {number(TIMES * rate)} still lowers it as the gradient promises, by "
            f"{number(before - after(TIMES * rate))}.",
        )


# --- the statements


def _wrong_updates(facts: Facts, updates: list[Update]) -> Iterator[Remark]:
    """Updates that go uphill, change another variable, or use the gradient of another."""
    own = {spelling: name for name in facts.derivation.gradients for spelling in spellings(name)}
    for update in updates:
        meant = {own[word] for word in (plain(last_word(text)) for text in update.gradients) if word in own}
        target = plain(last_word(update.target))
        if not meant:
            continue
        where = (f"{update.place}: ",)
        if not update.downhill:
            yield reason("update", where, (Code(update.source),), " adds the gradient. A step goes down: subtract it.")
        if update.minuend != update.target:
            yield reason(
                "update", where, (Code(update.source),), " starts from ", (Code(update.minuend),), " and changes ",
                (Code(update.target),), ": one of the two is the wrong variable.",
            )  # fmt: skip
        elif all(plain(name) != target for name in meant) and target in map(plain, facts.derivation.gradients):
            yield reason(
                "update", where, (Code(update.source),), " takes the gradient by ", (Code(min(meant)),),
                " to change ", (Code(update.target),), ".",
            )  # fmt: skip


def _updates(file: str) -> Iterator[Update]:
    tree = _tree(file)
    if tree is None or any(word in "".join(linecache.getlines(file)).lower() for word in ADAPTIVE):
        return
    for node in ast.walk(tree):
        match node:
            case ast.AugAssign(target=target, op=ast.Add() | ast.Sub() as sign, value=step):
                minuend: ast.expr = target
            case ast.Assign(
                targets=[target], value=ast.BinOp(left=minuend, op=ast.Add() | ast.Sub() as sign, right=step)
            ):
                pass
            case _:
                continue
        negative = isinstance(step, ast.BinOp) and isinstance(step.left, ast.UnaryOp)
        names = [x for x in ast.walk(step) if isinstance(x, ast.Name | ast.Attribute)]
        rate = next((word for x in names if (word := last_word(ast.unparse(x))).lower() in NAMES), None)
        if rate is None or not isinstance(step, ast.BinOp) or not isinstance(step.op, ast.Mult):
            continue
        parts = [x for x in ast.walk(step) if isinstance(x, ast.Name | ast.Attribute | ast.Subscript)]
        yield Update(
            f"{Path(file).name}, line {node.lineno}",
            ast.unparse(node),
            ast.unparse(target),
            ast.unparse(minuend),
            isinstance(sign, ast.Sub) != negative,
            rate,
            tuple(ast.unparse(x) for x in parts),
        )


def _values(file: str, names: Collection[str]) -> Iterator[tuple[str, float]]:
    """The numbers that the step sizes are given in a file."""
    tree = _tree(file)
    for node in ast.walk(tree) if tree is not None else ():
        match node:
            case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)], value=ast.Constant(value=value)):
                pairs: list[tuple[str, Any]] = [(name, value)]
            case ast.keyword(arg=str(name), value=ast.Constant(value=value)):
                pairs = [(name, value)]
            case ast.arguments():
                positional = [*node.posonlyargs, *node.args]
                last = positional[len(positional) - len(node.defaults) :]
                both = [*zip(last, node.defaults, strict=True), *zip(node.kwonlyargs, node.kw_defaults, strict=True)]
                pairs = [(x.arg, default.value) for x, default in both if isinstance(default, ast.Constant)]
            case _:
                continue
        yield from ((name, float(x)) for name, x in pairs if name in names and isinstance(x, int | float))


def _tree(file: str) -> ast.Module | None:
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:  # a notebook's cell with commands of its own
        return None
