"""Jacobians and Hessians: the steps of their product with a vector, and the formula that stands in front of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backproof.derivation.derivation import Jacobian
from backproof.derivation.steps import BackwardStep
from backproof.ir.node import Node
from backproof.ir.sizes import Shape
from backproof.ops.entries import at
from backproof.ops.linear import stretch
from backproof.write.doc import Block, Display, Heading, Inline, Paragraph
from backproof.write.expansion import outside
from backproof.write.math import Equation, Frac, Ident, Math, Number, Row, Scripts, Sign
from backproof.write.spell import name, partial, spell, spell_as_part, symbol

MOST_STEPS = 60
"""A product of more steps than this shows the first ones."""


def jacobian_blocks(jacobian: Jacobian) -> Iterator[Block]:
    """Everything that is said of one Jacobian."""
    plain = re.sub(r"\W+", "", str(jacobian.symbol))
    of, by = spell_as_part(jacobian.of), spell_as_part(jacobian.by)
    if jacobian.second:
        two = () if jacobian.argument is jacobian.by else (spell_as_part(jacobian.argument), " and ")
        yield Heading(2, ("The Hessian by ", *two, by))
    else:
        yield Heading(2, ("The Jacobian of ", of, " by ", by))
    steps = _needed(jacobian)
    if not steps[-1].paths:
        yield Paragraph((of, " does not depend on ", by, ", so all its derivatives by it are 0."))
        yield Display(plain, Equation(whole(jacobian), (Number("0"),)))
        return
    yield Paragraph(_opening(jacobian))
    if jacobian.second:
        (s,) = jacobian.product.graph.outputs
        yield Display(f"{plain}-direction", Equation(spell_as_part(s), (spell(s),)))
    for step in steps[:MOST_STEPS]:
        yield Display(f"{plain}-{_plain(step.node)}", Equation(symbol(step.symbol), (spell(step.node),)))
    if len(steps) > MOST_STEPS:
        yield Paragraph((f"… and {len(steps) - MOST_STEPS} steps more.",))
    if jacobian.applied is not None and sum(not _is_repeated(step.node) for step in steps) > 1:
        yield Paragraph(("With the steps put in:",))
        yield Display(f"{plain}-product", Equation(spell_as_part(jacobian.image), (spell(jacobian.applied),)))
    yield from _formula(jacobian, plain)


def _formula(jacobian: Jacobian, plain: str) -> Iterator[Block]:
    v = spell_as_part(jacobian.direction)
    kind = "Hessian" if jacobian.second else "Jacobian"
    if jacobian.matrix is not None:
        turned = "" if jacobian.second and jacobian.argument is jacobian.by else ", transposed"
        yield Paragraph(("What ", v, f" is multiplied by is the {kind}{turned}:"))
        yield Display(plain, Equation(whole(jacobian), (spell(jacobian.matrix),)))
    if jacobian.entry is not None:
        if jacobian.shape:
            text = (
                "One entry:" if jacobian.matrix is not None else f"An entry of the {kind} is what stands beside one of "
            )
            yield Paragraph((text,) if jacobian.matrix is not None else (text, v, ":"))
            yield Display(f"{plain}-entry", Equation(entry(jacobian), (spell(jacobian.entry),)))
            yield from outside([jacobian.entry])
    else:
        yield Paragraph(
            (
                f"There is no formula for the whole {kind} that is short enough to read. The steps give its product "
                "with any ",
                v,
                "; its values are those of the products with every unit vector.",
            )
        )
    if jacobian.shape:
        yield Paragraph((f"The {kind} has the axes ", _shape(jacobian.shape), "."))


def _opening(jacobian: Jacobian) -> Inline:
    of, by, v = (spell_as_part(node) for node in (jacobian.of, jacobian.by, jacobian.direction))
    image = spell_as_part(jacobian.image)
    if not jacobian.second:
        return (
            "These are the derivatives of every entry of ",
            of,
            " by every entry of ",
            by,
            ". For any number J that is computed from ",
            of,
            ", ",
            image,
            " is the product of the transposed Jacobian and ",
            v,
            ":",
        )
    assert jacobian.product.first is not None
    (result,) = jacobian.product.first.graph.outputs
    (s,) = jacobian.product.graph.outputs
    return (
        "These are the second derivatives of ",
        spell_as_part(result),
        ", those of ",
        of,
        " by ",
        by,
        ". ",
        spell_as_part(s),
        " is the derivative of ",
        spell_as_part(result),
        " where ",
        spell_as_part(jacobian.argument),
        " is moved by ",
        v,
        ". For any quantity x, Dx stands for ",
        Frac(Row((Ident("∂"), spell_as_part(s))), Ident("∂x")),
        ", and ",
        image,
        f" is the product of the {'Hessian' if jacobian.argument is jacobian.by else 'transposed Hessian'} and ",
        v,
        ":",
    )


def _is_repeated(node: Node) -> bool:
    """Whether an equation only gives another name to a quantity."""
    return node.op is stretch and node.inputs[0].symbol is not None and node.inputs[0].shape == node.shape


def _needed(jacobian: Jacobian) -> list[BackwardStep]:
    """The steps that the product is computed from, the last giving it."""
    by_node = {step.node: step for step in jacobian.product.backward}
    needed = {jacobian.image}
    for step in reversed(jacobian.product.backward):
        if step.node in needed:
            needed |= {x for x in _read(step.node) if x in by_node}
    return [step for step in jacobian.product.backward if step.node in needed]


def _read(node: Node) -> Iterator[Node]:
    """The quantities that an equation's right side names."""
    stack = [*node.inputs]
    while stack:
        x = stack.pop()
        if x.symbol is not None:
            yield x
        else:
            stack.extend(x.inputs)


def whole(jacobian: Jacobian) -> Math:
    """The name of the whole: ``H``, or ``∂y/∂x``."""
    if jacobian.second:
        if jacobian.symbol.base.strip("_") == "H":
            return symbol(jacobian.symbol)
        return Scripts(Ident("H"), sub=Row((spell_as_part(jacobian.argument), spell_as_part(jacobian.by))))
    return Frac(*(Row((Ident("∂"), spell_as_part(x))) for x in (jacobian.of, jacobian.by)))


def entry(jacobian: Jacobian) -> Math:
    """The name of one entry: ``∂²J/∂w_j∂w_k``, or ``∂y_j/∂x_k``."""
    of, by = jacobian.places
    if not jacobian.second:
        return partial(at(jacobian.of, of), at(jacobian.by, by))
    assert jacobian.product.first is not None
    (result,) = jacobian.product.first.graph.outputs
    twice = Row((Scripts(Ident("∂"), sup=Number("2")), spell_as_part(result)))
    pairs = ((jacobian.argument, of), (jacobian.by, by))
    entries = [part for x, place in pairs for part in (Ident("∂"), spell(at(x, place)))]
    return Frac(twice, Row(tuple(entries)))


def _shape(shape: Shape) -> Math:
    rows, *columns = (name(size.name) for size in shape)
    return Row((rows, *(part for size in columns for part in (Sign("×"), size))))


def _plain(node: Node) -> str:
    return re.sub(r"\W+", "", str(node.symbol))
