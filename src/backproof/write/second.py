"""What is said of derivatives of the second order: the direction, and what comes out of differentiating along it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from backproof.derivation.derivation import Derivation
from backproof.ir.node import Node
from backproof.write.doc import Display, Inline, Step
from backproof.write.math import Equation, Frac, Ident, Math, Row
from backproof.write.opening import result_of
from backproof.write.spell import spell, spell_as_part, symbol


def direction(derivation: Derivation) -> Inline:
    """What is differentiated again: the derivative of the result along a direction."""
    assert derivation.first is not None
    result, scalar = result_of(derivation.first), result_of(derivation)
    text: list[str | Math] = ["The gradients are differentiated once more. "]
    pairs = derivation.directions.items()
    text += _listed([(spell_as_part(v), " says by how much ", spell_as_part(x), " is moved") for v, x in pairs])
    what = "this direction" if len(pairs) == 1 else "these directions together"
    text += ["; ", scalar, " is the derivative of ", result, f" along {what}: the gradient times the direction."]
    return tuple(text)


def slope(number: int, derivation: Derivation) -> Step:
    """The step of the scalar that is differentiated in the second place."""
    assert derivation.first is not None
    (node,) = derivation.graph.outputs
    assert node.symbol is not None
    equation = Equation(symbol(node.symbol), (spell(node),))
    title: Inline = ("the derivative of ", result_of(derivation.first), " along the direction")
    return Step(number, str(node.symbol), title, (Display(str(node.symbol), equation),))


def second_convention(derivation: Derivation) -> Inline:
    """What Dx stands for, and what that is for the arguments themselves: the Hessian times the direction."""
    assert derivation.first is not None
    result, scalar = result_of(derivation.first), result_of(derivation)
    of_s = Frac(Row((Ident("∂"), scalar)), Ident("∂x"))
    text: list[str | Math] = ["For any quantity x, Dx stands for ", of_s, "; x may be a derivative itself. "]
    products = [derivation.gradients[str(x.symbol)] for x in derivation.directions.values()]
    verb = " is" if len(products) == 1 else " are"
    text += [*_listed(_parts(products)), verb, " the Hessian of ", result, " times "]
    text += [*_listed(_parts(derivation.directions)), ": second derivatives, each times the move, added up."]
    return tuple(text)


def _parts(nodes: Iterable[Node]) -> list[tuple[str | Math, ...]]:
    return [(spell_as_part(node),) for node in nodes]


def _listed(parts: Sequence[tuple[str | Math, ...]]) -> Iterator[str | Math]:
    for k, part in enumerate(parts):
        if k:
            yield " and " if k == len(parts) - 1 else ", "
        yield from part
