"""Derivations as program text, and as functions compiled from it."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from backproof.derivation.derivation import Derivation
from backproof.emit import numpy as to_numpy
from backproof.emit.javascript import source as to_javascript
from backproof.emit.program import Program
from backproof.ir.errors import BackproofError
from backproof.ir.node import Node
from backproof.ir.sizes import Size

LANGUAGES: dict[str, Callable[[Program], str]] = {"numpy": to_numpy.source, "javascript": to_javascript.source}
"""The languages that derivations can be written in, and what writes them."""

SMALL = 64
"""Arrays made by the code itself are written into the program up to this many entries; larger ones are arguments."""

_numbers = count(1)


def program(derivation: Derivation, name: str = "value_and_gradients") -> Program:
    """What a program has to compute: J and the gradients, from all inputs, and the Jacobians that have a formula.

    Raises BackproofError for a Jacobian or a Hessian without one.
    """
    matrices = []
    for jacobian in derivation.jacobians:
        if jacobian.matrix is None:
            by = jacobian.by.symbol
            raise BackproofError(
                f"{jacobian.symbol} has no formula as a matrix",
                where=f"it is the derivative of {jacobian.of.symbol} by {by}",
                why="a program is made of formulas",
                instead=f'export its product with a vector, hvp="{by}"' if jacobian.second else "",
            )
        matrices.append(jacobian.matrix)
    inputs = derivation.graph.inputs
    constants = [x for x in inputs if x.attrs.get("outside") and x.attrs["value"].size <= SMALL]
    leaves = {str(x.symbol): x for x in inputs}
    return Program(
        name=name,
        inputs=tuple(x for x in inputs if x not in constants),
        constants=tuple(constants),
        forward=tuple(step.node for step in derivation.forward),
        result=derivation.result,
        backward=(*(step.node for step in derivation.backward), *matrices),
        gradients={
            **{leaves[name]: node for name, node in derivation.gradients.items()},
            **{matrix: matrix for matrix in matrices},
        },
    )


def exported(derivation: Derivation, language: str) -> str:
    """The forward and the backward pass as the text of a program. Raises BackproofError for an unknown language."""
    if language not in LANGUAGES:
        raise BackproofError(f"unknown language {language!r}", instead=f"choose from {', '.join(LANGUAGES)}")
    return LANGUAGES[language](program(derivation))


def expression(equation: Node, names: Mapping[Node, str], sizes: Mapping[Size, str]) -> str:
    """An equation's right side as NumPy code, in somebody's own names for what stands in it."""
    return to_numpy.expression(equation, names, sizes)


def compiled(derivation: Derivation) -> Callable[..., tuple[Any, dict[str, Any]]]:
    """The function that the NumPy text defines: of all inputs, by name; it gives J and the gradients by name."""
    text = exported(derivation, "numpy")
    # Where tracebacks and debuggers look for the lines of code that is in no file.
    file = f"<backward pass {next(_numbers)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    space: dict[str, Any] = {}
    exec(compile(text, file, "exec"), space)
    function: Callable[..., tuple[Any, dict[str, Any]]] = space["value_and_gradients"]
    return function
