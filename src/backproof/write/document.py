"""A derivation as a document: what is said, in which order. The formulas come from its steps, none from here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from backproof.derivation.derivation import Derivation
from backproof.derivation.steps import BackwardStep, ForwardStep
from backproof.ir.node import Node
from backproof.ir.sizes import Shape
from backproof.ops.entries import row_of
from backproof.ops.scalar import ScalarRow
from backproof.ops.shaping import picks_rows
from backproof.write.contributions import apart, lines, total
from backproof.write.diagram import diagram
from backproof.write.doc import Block, Code, Display, Document, Heading, Inline, Paragraph, Step
from backproof.write.expansion import entries, indexed, names, proof_blocks, transposes
from backproof.write.jacobians import jacobian_blocks
from backproof.write.math import Equation, Frac, Hat, Ident, Math
from backproof.write.opening import convention, functions, opening, result_of, sizes
from backproof.write.reasons import backward_reasons, forward_reason, listed, meaning
from backproof.write.repeats import LeftOut, written
from backproof.write.second import direction, second_convention, slope
from backproof.write.spell import shape, spell, spell_as_part, symbol


def document(derivation: Derivation, *, title: str = "", expand: bool = False) -> Document:
    """The whole derivation. `expand` adds to each step its entries written out and the proof of its sums."""
    heading = title or "The forward and the backward pass"
    first = derivation.first or derivation
    blocks: list[Block] = [Heading(1, (heading,)), *opening(first, expand=expand)]
    if (figure := diagram(first)) is not None:
        blocks.append(figure)
    blocks += sizes(first)
    blocks += functions(first)
    blocks.append(Heading(2, ("Forward pass",)))
    blocks += _steps(first.forward, 1, first, expand)
    number = 1 + len(first.forward)
    if first.backward:
        blocks += [Heading(2, ("Backward pass",)), Paragraph(convention(first))]
        blocks += _steps(first.backward, number, first, expand)
        number += len(first.backward)
    if derivation.first is not None:
        blocks += [
            Heading(2, ("Along a direction",)),
            Paragraph(direction(derivation)),
            slope(number, derivation),
        ]
        blocks += [Heading(2, ("Second backward pass",)), Paragraph(second_convention(derivation))]
        blocks += _steps(derivation.backward, number + 1, derivation, expand)
    for jacobian in derivation.jacobians:
        blocks += jacobian_blocks(jacobian)
    return Document(heading, tuple(blocks))


def _steps(
    steps: Sequence[ForwardStep | BackwardStep], first: int, derivation: Derivation, expand: bool
) -> Iterator[Block]:
    """The steps, numbered from `first` on; what a loop says again and again is left out unless everything is wanted."""
    for k in range(len(steps)) if expand else written(steps, derivation):
        if isinstance(k, LeftOut):
            yield Paragraph(_left_out(k, steps, first))
            continue
        step = steps[k]
        if isinstance(step, ForwardStep):
            yield _forward(first + k, step, derivation, expand)
        else:
            yield _backward(first + k, step, derivation, expand)


def _left_out(left: LeftOut, steps: Sequence[ForwardStep | BackwardStep], first: int) -> Inline:
    times = (left.end - left.first) // left.period
    start, last = first + left.first, first + left.first - 1
    again = f"step {last}" if left.period == 1 else f"steps {start - left.period} to {last}"
    names: list[str | Math] = []
    for k in range(left.first, left.first + left.period):
        ends = (spell_as_part(steps[n].node) for n in (k, k + left.end - left.first - left.period))
        names += [", " if names else "", next(ends), " … ", next(ends)]
    end = first + left.end - 1
    return (
        f"Steps {start} to {end} are {again} again, {times} times, with the next numbers in the names: ",
        *names,
        ". With expand they are written out.",
    )


def _forward(number: int, step: ForwardStep, derivation: Derivation, expand: bool) -> Step:
    node = step.raw
    assert node.symbol is not None
    plain = _plain(node)
    left: Math = symbol(node.symbol)
    parts = [spell(node), *(spell(rewrite.result) for rewrite in step.rewrites)]
    source = derivation.sources.get(step.node)
    blocks: list[Block] = [] if derivation.sources else [Paragraph(forward_reason(node))]
    blocks.append(Display(plain, Equation(left, tuple(parts))))
    if derivation.sources:
        blocks += indexed([node, *(rewrite.result for rewrite in step.rewrites)], node, plain)
    blocks += [Paragraph(meaning(rewrite)) for rewrite in step.rewrites]
    blocks += _shapes(node, node)
    if expand and node.shape:
        if node is _prediction(derivation):
            hat = Hat(Ident("Y"))
            blocks.append(Display(f"{plain}-names", Equation(hat, (left, names(node)))))
        blocks += entries([node], node, plain, left, [spell(node)])
    title: Inline = (_about_forward(node),)
    if derivation.sources:
        title = ("a value without a name in the code",)
        if source is not None:
            title = (Code(source.text), f" ({source.place})") if source.text else (source.place,)
    return Step(number, str(node.symbol), title, tuple(blocks))


def _prediction(derivation: Derivation) -> Node | None:
    layers = [node for node in derivation.quantities.values() if str(node.symbol).startswith("A[")]
    return layers[-1] if layers else None


def _about_forward(node: Node) -> str:
    assert node.symbol is not None
    row, layer = row_of(node), node.symbol.layer
    if not node.shape:
        return "the number that is to become small"
    if layer is None:
        return f"{row.name} of the outputs"
    if row.kind == "composite":
        return f"the output of layer {layer}: {row.name} over the nodes of each sample"
    if isinstance(row, ScalarRow):
        return f"the output of layer {layer}, entry by entry"
    return f"the weighted sums of layer {layer}"


def _backward(number: int, step: BackwardStep, derivation: Derivation, expand: bool) -> Step:
    plain = _plain(step.node)
    left = symbol(step.symbol)
    rewrites = [*step.rewrites, *derivation.assuming.get(step, ())]
    forms = [step.raw, *(rewrite.result for rewrite in rewrites)]
    if any(path.closed for path in step.paths):
        forms = forms[1:] or forms  # opened, the parts of the first are steps of their own
    parts = [spell(form) for form in forms]
    blocks: list[Block] = [Paragraph(text) for text in backward_reasons(step, result_of(derivation))]
    if several := apart(step):
        blocks += lines(step, several, plain, result_of(derivation))
        forms = forms[1:] or forms
        parts = [total(step, several, result_of(derivation)), *map(spell, forms)]
    blocks.append(Display(plain, Equation(left, tuple(parts))))
    if derivation.sources:
        blocks += indexed(forms, step.node, plain)
    blocks += [Paragraph(meaning(rewrite)) for rewrite in rewrites]
    if (same := derivation.correlations.get(step)) is not None:
        blocks.append(Paragraph(("Textbooks write the same as a correlation:",)))
        blocks.append(Display(f"{plain}-correlation", Equation(left, (spell(same.result),))))
        blocks.append(Paragraph(meaning(same)))
    blocks += _shapes(forms[-1], step.node)
    if expand:
        blocks += entries(forms, step.node, plain, left, _expanded_left(step))
        # Of code it is not known how the result adds up its terms, so nothing is said of them.
        told = [x for x in derivation.proofs(step) if x.output is not None or not derivation.sources]
        for k, proof in enumerate(told, start=1):
            blocks += proof_blocks(step, proof, f"{plain}-proof{k}")
        blocks += transposes(forms)
    title: Inline = ("the derivative by ", spell_as_part(step.of))
    return Step(number, str(step.symbol), title, tuple(blocks))


def _expanded_left(step: BackwardStep) -> list[Math]:
    """What stands between the symbol and its entries: dJ/dA where the loss begins, else the matrix form."""
    if any(not path.consumer.shape for path in step.paths) and len(step.of.shape) == 2 and step.of.inputs:
        whole = [] if step.symbol.second else [Frac(Ident("dJ"), symbol(step.symbol))]
        return [*whole, names(step.node)]
    return [spell(step.raw)]


def _shapes(form: Node, result: Node) -> Iterator[Block]:
    """The shape of each factor and of the result."""
    factors: dict[Node, None] = {}
    stack = [form]
    while stack:
        x = stack.pop()
        if x.symbol is not None and x is not form:
            if x.shape:
                factors[x] = None
        else:
            # An index that only counts the rows is not written.
            stack.extend(reversed(x.inputs if not picks_rows(x) else (x.inputs[0], x.inputs[2])))
    if not result.shape:
        return
    alike: dict[tuple[str, Shape], list[Node]] = {}
    for x in factors:
        assert x.symbol is not None
        alike.setdefault((f"{x.symbol.prefix}{x.symbol.written[0]}", x.shape), []).append(x)
    text: list[str | Math | Code] = ["Shapes: "]
    single = len(alike) == len(factors)
    for k, same in enumerate(alike.values()):
        are = " are " if len(same) > 1 else " is "
        text += [
            ", " if k and single else "; " if k else "",
            *listed([*map(spell_as_part, same)]),
            are,
            shape(same[0].shape),
        ]
    assert result.symbol is not None
    text += ["; " if factors else "", symbol(result.symbol), " is ", shape(result.shape), "."]
    yield Paragraph(tuple(text))


def _plain(node: Node) -> str:
    return re.sub(r"\W+", "", str(node.symbol))
