"""A derivation as a document: what is said, in which order. The formulas come from its steps, none from here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from backproof.derivation.derivation import Derivation
from backproof.derivation.steps import BackwardStep, ForwardStep, Proof
from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Place, Shape, Size
from backproof.ops.entries import LetterPool, align, at, entry_of, row_of
from backproof.ops.linear import matmul, transpose, transposed
from backproof.ops.scalar import ScalarRow
from backproof.write.diagram import diagram
from backproof.write.doc import Block, Code, Display, Document, Heading, Inline, Paragraph, Step
from backproof.write.math import BigSum, Dots, Equation, Frac, Hat, Ident, Math, Matrix, Row, Scripts, Sign
from backproof.write.spell import entry, index_range, name, spell, spell_as_part, symbol

FEW = 4
"""A size up to this is written out; a larger one shows the first two and the last."""


MOST_SIZES = 9
"""A network with more sizes than this names the first ones and the last."""


def document(derivation: Derivation, *, title: str = "", expand: bool = False) -> Document:
    """The whole derivation. `expand` adds to each step its entries written out and the proof of its sums."""
    heading = title or "The forward and the backward pass"
    blocks: list[Block] = [Heading(1, (heading,)), *_opening(derivation)]
    if (figure := diagram(derivation)) is not None:
        blocks.append(figure)
    blocks += _sizes(derivation)
    blocks += _functions(derivation)
    blocks.append(Heading(2, ("Forward pass",)))
    number = 0
    for step in derivation.forward:
        number += 1
        blocks.append(_forward(number, step, derivation, expand))
    blocks += [Heading(2, ("Backward pass",)), Paragraph(_convention())]
    for back in derivation.backward:
        number += 1
        blocks.append(_backward(number, back, derivation, expand))
    return Document(heading, tuple(blocks))


def _opening(derivation: Derivation) -> Iterator[Block]:
    last = next((s for s in derivation.backward), None)
    first: Inline = (
        ("Every derivative is that of ", Ident("J"), ", the mean over the samples")
        if derivation.mean == "loss"
        else ("dA and dZ are derivatives of one sample's loss ", Ident("L"))
    )
    fraction = Frac(Ident("1"), Ident("m"))
    where: Inline
    if derivation.mean == "loss":
        target: Inline = (symbol(last.symbol),) if last is not None else ("the first derivative",)
        where = (": the factor ", fraction, " stands in ", *target, " and is passed on from there.")
    else:
        where = (": the factor ", fraction, " of the mean stands in the gradients of the parameters.")
    samples = "columns" if samples_are_columns(derivation) else "rows"
    yield Paragraph((*first, *where, f" The samples are the {samples} of ", Ident("X"), "."))
    yield Paragraph(
        (
            "A superscript ",
            Row((Sign("[", "tight"), Ident("l"), Sign("]", "tight"))),
            " counts layers, ",
            Row((Sign("(", "tight"), Ident("i"), Sign(")", "tight"))),
            " samples, a subscript nodes; ",
            Sign("*", "tight"),
            " is the element-wise product, ",
            Sign("·", "tight"),
            " the matrix product.",
        )
    )


def _convention() -> Inline:
    return (
        "For any quantity x, dx stands for the derivative of the result by x; it has the shape of x. "
        "The steps go from the result back to the input, each using the ones before it.",
    )


def samples_are_columns(derivation: Derivation) -> bool:
    """Whether the samples are the columns of the first input."""
    x = derivation.graph.inputs[0]
    return bool(x.shape) and x.shape[-1].samples


def _all_sizes(derivation: Derivation) -> list[Size]:
    found: dict[Size, None] = {}
    for node in (*derivation.graph.parameters, *derivation.graph.inputs):
        found |= dict.fromkeys(size for size in reversed(node.shape) if size != ONE)
    return list(found)


def _sizes(derivation: Derivation) -> Iterator[Block]:
    sizes = [s for s in _all_sizes(derivation) if not s.samples]
    samples = [s for s in _all_sizes(derivation) if s.samples]
    parts: list[str | Math | Code] = []
    for size in sizes if len(sizes) <= MOST_SIZES else (*sizes[: MOST_SIZES - 1], None, sizes[-1]):
        if size is None:
            parts.append(", …")
        elif size.value is not None:
            parts += [
                ", " if parts else "Sizes: ",
                Row((name(size.name), Sign("=", "relation"), name(str(size.value)))),
            ]
    if samples:
        parts += ["; " if parts else "", name(samples[0].name), " is the number of samples."]
    if parts:
        yield Paragraph(tuple(parts))


def _functions(derivation: Derivation) -> Iterator[Block]:
    if derivation.functions:
        yield Heading(2, ("The functions",))
    for facts in derivation.functions:
        plain = re.sub(r"\W+", "-", facts.name).strip("-")
        yield Paragraph((Code(facts.name), ": ", facts.about))
        if facts.definition is not None:
            yield Display(f"function-{plain}", Equation(spell(facts.call), (spell(facts.definition),)))
        slope = Equation(spell(facts.slope), tuple(map(spell, facts.slope_forms)))
        yield Display(f"function-{plain}-derivative", slope)


def _forward(number: int, step: ForwardStep, derivation: Derivation, expand: bool) -> Step:
    node = step.raw
    assert node.symbol is not None
    plain = _plain(node)
    left: Math = symbol(node.symbol)
    parts = [spell(node), *(spell(rewrite.result) for rewrite in step.rewrites)]
    blocks: list[Block] = []
    blocks.append(Display(plain, Equation(left, tuple(parts))))
    blocks += [Paragraph((rewrite.meaning,)) for rewrite in step.rewrites]
    blocks += _shapes(node, node)
    if expand and node.shape:
        if node is _prediction(derivation):
            hat = Hat(Ident("Y"))
            blocks.append(Display(f"{plain}-names", Equation(hat, (left, _names(node)))))
        blocks += _entries(node, node, plain, left, [spell(node)])
    return Step(number, str(node.symbol), (_about_forward(node),), tuple(blocks))


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
    forms = [step.raw, *(rewrite.result for rewrite in step.rewrites)]
    parts = [spell(form) for form in forms]
    blocks: list[Block] = [Paragraph(text) for text in filled_reasons(step)]
    blocks.append(Display(plain, Equation(left, tuple(parts))))
    blocks += [Paragraph((rewrite.meaning,)) for rewrite in step.rewrites]
    blocks += _shapes(forms[-1], step.node)
    if expand:
        blocks += _entries(step.raw, step.node, plain, left, _expanded_left(step, forms[0]))
        for k, proof in enumerate(derivation.proofs(step), start=1):
            blocks += _proof(step, proof, f"{plain}-proof{k}")
        blocks += _transposes(forms)
    title: Inline = ("the derivative by ", spell_as_part(step.of))
    return Step(number, str(step.symbol), title, tuple(blocks))


def _expanded_left(step: BackwardStep, raw: Node) -> list[Math]:
    """What stands between the symbol and its entries: dJ/dA where the loss begins, else the matrix form."""
    if any(not path.consumer.shape for path in step.paths) and step.of.shape and step.of.inputs:
        return [Frac(Ident("dJ"), symbol(step.symbol)), _names(step.node)]
    return [spell(raw)]


def filled_reasons(step: BackwardStep) -> Iterator[Inline]:
    """The reasons of a step as running text: one paragraph per path by which its quantity acts on the result."""
    if len(step.paths) > 1:
        ways = f" acts on the result in {len(step.paths)} ways; the chain rule adds them up."
        yield (spell_as_part(step.of), ways)
    for path in step.paths:
        consumer = path.consumer
        y = spell_as_part(consumer) if consumer.symbol is not None else Ident("J")
        dy: Math = symbol(consumer.symbol.derivative("J")) if consumer.symbol is not None else Ident("dJ")
        words: dict[str, Math] = {"x": spell_as_part(step.of), "y": y, "dx": symbol(step.symbol), "dy": dy}
        text: list[str | Math | Code] = []
        for link in path.reasons:
            words["x"] = spell_as_part(link.operand)
            if link.others:
                words["other"] = spell_as_part(link.others[0])
                if len(link.others[0].shape) == 2:
                    words["turned"] = spell_as_part(transposed(link.others[0]))
            text += [*_filled(link.row.reasons[link.position], words), " "]
        if path.stretched:
            text += ["It is used for every sample, so its contributions are added up over the samples.", " "]
        if step.scale is not None and consumer.symbol is not None:
            text += ["Here the mean's 1/m is multiplied in.", " "]
        yield tuple(text[:-1])


def _filled(template: str, words: dict[str, Math]) -> Inline:
    parts = re.split(r"\{(\w+)\}", template)
    return tuple(words[part] if k % 2 else part for k, part in enumerate(parts) if part)


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
            stack.extend(reversed(x.inputs))
    if not result.shape:
        return
    text: list[str | Math | Code] = ["Shapes: "]
    for k, x in enumerate(factors):
        text += [", " if k else "", spell_as_part(x), " is ", _shape(x)]
    assert result.symbol is not None
    text += ["; " if factors else "", symbol(result.symbol), " is ", _shape(result), "."]
    yield Paragraph(tuple(text))


def _shape(node: Node) -> Math:
    rows, *columns = (name(size.name) for size in node.shape)
    return Row((rows, *(part for size in columns for part in (Sign("×"), size))))


def _plain(node: Node) -> str:
    return re.sub(r"\W+", "", str(node.symbol))


def _positions(size: Size, *, few: int) -> list[Place]:
    """The positions of an axis that are written out; the string ``…`` stands for those left out."""
    if size == ONE:
        return [None]
    if size.value is not None and size.value <= few:
        return list(range(1, size.value + 1))
    return [1, *([2] if few > 2 else []), "…", size.name if size.value is None else size.value]


def _matrix(shape: tuple[Size, ...], cell: Callable[[tuple[Place, ...]], Math], *, few: int = FEW) -> Matrix:
    down, across = (_positions(size, few=few) for size in shape)
    rows = []
    for p in down:
        row: list[Math] = []
        for q in across:
            if p == "…" or q == "…":
                row.append(Dots("d" if p == q else "v" if p == "…" else "h"))
            else:
                row.append(cell((p, q)))
        rows.append(tuple(row))
    return Matrix(tuple(rows))


def _names(node: Node) -> Matrix:
    """The matrix of a quantity's own entries."""
    assert node.symbol is not None
    of = node.symbol
    return _matrix(node.shape, lambda place: entry(of, node.shape, place))


def _entries(form: Node, result: Node, plain: str, left: Math, middle: Sequence[Math]) -> Iterator[Block]:
    """The equation with its matrices written out, and the formula of one entry."""
    if len(form.shape) != 2:
        return
    # Entries that are sums take much room; the corners show the pattern.
    few = 2 if any(x.op is matmul or row_of(x).name == "sum" for x in _open_nodes(form)) else FEW
    cells = _matrix(form.shape, lambda place: spell(entry_of(form, place)), few=few)
    yield Display(f"{plain}-entries", Equation(left, (*middle, *_factors(form), cells)))
    place = LetterPool().place(form.shape)
    yield Paragraph(("One entry:",))
    yield Display(f"{plain}-entry", Equation(spell_as_part(at(result, place)), (spell(entry_of(form, place)),)))


def _factors(form: Node) -> list[Math]:
    """A matrix product, and what is added to it, with the factors written out; nothing where there is none."""
    addends = form.inputs if row_of(form).name == "add" else (form,)
    if addends[0].op is not matmul or addends[0].symbol is not None:
        return []
    left, right = addends[0].inputs
    parts: list[Math] = [_written_out(left, left.shape), Sign("·"), _written_out(right, right.shape)]
    for other in addends[1:]:
        if other.symbol is None:
            return []
        parts += [Sign("+"), _written_out(other, form.shape)]
    return [Row(tuple(parts))]


def _written_out(node: Node, shape: Shape) -> Matrix:
    """A factor's own entries, stretched to `shape`."""
    return _matrix(shape, lambda place: spell(entry_of(node, align(place, node.shape), opened=False)))


def _open_nodes(form: Node) -> list[Node]:
    found, stack = [], [form]
    while stack:
        x = stack.pop()
        if x.symbol is None or x is form:
            found.append(x)
            stack.extend(reversed(x.inputs))
    return found


def _proof(step: BackwardStep, proof: Proof, plain: str) -> Iterator[Block]:
    of = spell(proof.entry)
    d_of = spell(at(step.node, proof.entry.attrs["place"]))
    if proof.output is None:
        if step.of.inputs:
            only: Inline = (
                "Of all the terms that the result adds up only one holds ",
                of,
                "; the others have derivative 0.",
            )
        else:
            only = ("Directly, ", of, " stands only in its own terms of the penalty.")
        yield Paragraph(only)
        if len(step.paths) > 1:
            yield Paragraph(("What this one adds to ", d_of, " is ", spell(proof.result), "."))
        return
    output = spell(proof.output)
    yield Paragraph(("Where it comes from, entry by entry. The forward equation of one entry is",))
    yield Display(f"{plain}-forward", Equation(output, (spell(proof.forward),)))
    # ∂ and not d: da alone already stands for the derivative of the result.
    local = Frac(Row((Ident("∂"), output)), Row((Ident("∂"), of)))
    yield Paragraph(("Its derivative by ", of, " is", *_delta_words(proof)))
    yield Display(f"{plain}-local", Equation(local, (spell(proof.local),)))
    yield Paragraph(
        (
            "The chain rule adds up over every entry ",
            output,
            " that depends on ",
            of,
            "; the deltas pick the terms that remain.",
        )
    )
    assert proof.upstream is not None
    chain: Math = Row((spell(proof.upstream), Sign("·"), local))
    for index in reversed(proof.sums):
        chain = BigSum(*index_range(index), chain)
    if proof.factor is not None:
        chain = Row((spell(proof.factor), chain))
    yield Display(plain, Equation(d_of, (chain, spell(proof.result))))


def _delta_words(proof: Proof) -> Inline:
    return (" (", Scripts(Ident("δ"), sub=Row((Ident("p"), Ident("q")))), " is 1 where p = q, else 0)")


def _transposes(forms: Sequence[Node]) -> Iterator[Block]:
    """Why a factor of a matrix product is transposed."""
    form = forms[-1] if any(x.op is matmul for x in _open_nodes(forms[-1])) else forms[0]
    for x in _open_nodes(form):
        if x.op is not matmul:
            continue
        left, right = x.inputs
        for side, factor, other in (("left", left, right), ("right", right, left)):
            if factor.op is transpose and factor.symbol is None:
                inner = factor.inputs[0]
                if side == "right":
                    why = ("columns", "first index of its right factor", inner)
                else:
                    why = ("rows", "second index of its left factor", inner)
                yield Paragraph(
                    (
                        "Why ",
                        spell_as_part(inner),
                        " is transposed: the sum runs over the ",
                        why[0],
                        " of both ",
                        spell_as_part(other),
                        " and ",
                        spell_as_part(inner),
                        ", and a matrix product sums over the ",
                        why[1],
                        ".",
                    )
                )
