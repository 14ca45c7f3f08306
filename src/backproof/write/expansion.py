"""A step written out: its matrices entry by entry, the proof of its sums, and why factors are transposed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from backproof.derivation.steps import BackwardStep, Proof
from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import ONE, Affine, Digit, Index, Place, Shape, Size
from backproof.ops.entries import LetterPool, Looked, align, at, at_, entry_of, position_of, positions_in, row_of
from backproof.ops.linear import matmul, transpose
from backproof.ops.outside import conditions
from backproof.ops.shaping import places_of
from backproof.ops.vectors import einsum
from backproof.write.doc import Block, Display, Inline, Paragraph
from backproof.write.math import BigSum, Dots, Equation, Fence, Func, Ident, Math, Matrix, Number, Row, Sign
from backproof.write.reasons import listed
from backproof.write.spell import entry, index_range, name, partial, spell, spell_as_part

FEW = 4
"""A size up to this is written out; a larger one shows the first two and the last."""


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


def names(node: Node) -> Matrix:
    """The matrix of a quantity's own entries."""
    assert node.symbol is not None
    of = node.symbol
    return _matrix(node.shape, lambda place: entry(of, node.shape, place))


def entries(forms: Sequence[Node], result: Node, plain: str, left: Math, middle: Sequence[Math]) -> Iterator[Block]:
    """The equation with its matrices written out, and the formula of one entry in each of its forms."""
    form = forms[0]
    if len(form.shape) == 2:
        yield from _matrices(form, plain, left, middle)
    if form.shape and not _has_many_axes(forms, result):
        yield Paragraph(("One entry:",))
        yield from _one_entry(forms, result, f"{plain}-entry")


def _matrices(form: Node, plain: str, left: Math, middle: Sequence[Math]) -> Iterator[Block]:
    # Entries that are sums take much room; the corners show the pattern.
    few = 2 if any(x.op is matmul or row_of(x).name == "sum" for x in _open_nodes(form)) else FEW
    cells = _matrix(form.shape, lambda place: spell(entry_of(form, place)), few=few)
    yield Display(f"{plain}-entries", Equation(left, (*middle, *_factors(form), cells)))


def _one_entry(forms: Sequence[Node], result: Node, plain: str) -> Iterator[Block]:
    left, right = _entries(forms, result)
    yield Display(plain, Equation(spell_as_part(left), tuple(map(spell, right))))
    yield from outside(right)


def outside(formulas: Sequence[Node]) -> Iterator[Block]:
    """What is said below entry forms of terms that are 0 because there is no such entry."""
    if text := missing(formulas):
        yield Paragraph(text)


def missing(formulas: Sequence[Node]) -> Inline:
    """Which terms of entry forms are 0 because there is no entry at a position; empty where there are none."""
    text: list[str | Math] = []
    for array, positions in conditions(formulas).items():
        text += [" " if text else "", spell_as_part(array), " has no entry where "]
        for k, (place, last) in enumerate(positions.items()):
            text += [" or " if k else "", spell(position_of(place)), " is not one of ", _numbers(Number(str(last)))]
        text.append("; such terms are 0.")
    return tuple(text)


def _entries(forms: Sequence[Node], result: Node) -> tuple[Node, list[Node]]:
    """The entry of a result, and the right side of its equation in each form."""
    place = places_of(forms[-1], LetterPool())
    return at(result, place), [entry_of(x, place) for x in forms]


def indexed(forms: Sequence[Node], result: Node, plain: str) -> Iterator[Block]:
    """The equation of one entry, where an array of more than two axes takes part: letters tell which axes meet."""
    if _has_many_axes(forms, result):
        yield from _one_entry(forms, result, f"{plain}-indices")
        left, right = _entries(forms, result)
        yield from _legend([left, *right])


def _legend(entries: Sequence[Node]) -> Iterator[Block]:
    """Which letter runs over which axis of what: of an array that it stands alone in a place of, if there is one."""
    alone: dict[Index, dict[Node, list[int]]] = {}
    inside: dict[Index, dict[Node, list[int]]] = {}
    for x in _entries_in(entries):
        if x.inputs[0].symbol is not None:
            for axis, position in enumerate(x.attrs["place"], 1):
                for letter in _own_letters(position):
                    inside.setdefault(letter, {})
                    found = alone if position == letter else inside
                    axes = found.setdefault(letter, {}).setdefault(x.inputs[0], [])
                    axes += [axis] if axis not in axes else []
    over: dict[Node, dict[tuple[int, ...], list[Index]]] = {}
    for letter, arrays in (inside | alone).items():
        first = next(iter(arrays))
        over.setdefault(first, {}).setdefault(tuple(arrays[first]), []).append(letter)
    text: list[str | Math] = []
    for array, having in over.items():
        text += ["; " if text else "Axes: ", spell_as_part(array), " has "]
        for k, (numbers, letters) in enumerate(having.items()):
            text += [", " if k else "", *listed([*map(_range, letters)]), f" on axis {' and '.join(map(str, numbers))}"]
    if text:
        yield Paragraph((*text, "."))


def _entries_in(nodes: Sequence[Node]) -> Iterator[Node]:
    """The entries that formulas speak of, also those that positions are looked up in."""
    for x in ancestors(nodes, stop=lambda node: node.op is at_):
        if x.op is at_:
            yield x
        yield from _entries_in([looked for position in positions_in(x) for looked in _looked_up(position)])


def _looked_up(position: Place) -> Iterator[Node]:
    match position:
        case Looked(entry):
            yield entry
        case Digit(inner):
            yield from _looked_up(inner)
        case Affine(terms):
            for _, single in terms:
                yield from _looked_up(single)


def _own_letters(position: Place) -> tuple[Index, ...]:
    """The letters that run along an axis: not those by which its positions are looked up or counted out."""
    if isinstance(position, Affine):
        return tuple(single for _, single in position.terms if isinstance(single, Index))
    return (position,) if isinstance(position, Index) else ()


def _range(letter: Index) -> Math:
    return Row((Ident(letter.letter), Sign("=", "relation"), _numbers(name(letter.size.name))))


def _numbers(last: Math) -> Math:
    return Row((Number("1"), Sign("…"), last))


def _has_many_axes(forms: Sequence[Node], result: Node) -> bool:
    parts = [x for form in forms for node in _open_nodes(form) for x in (node, *node.inputs)]
    return bool(result.shape) and any(len(x.shape) > 2 or x.op is einsum for x in parts)


def _factors(form: Node) -> list[Math]:
    """A matrix product, and what is added to it, with the factors written out; nothing where there is none."""
    addends = form.inputs if row_of(form).name == "add" else (form,)
    if addends[0].op is not matmul or addends[0].symbol is not None:
        return []
    left, right = addends[0].inputs
    if any(len(x.shape) != 2 for x in (left, right, *addends[1:])):
        return []
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


def proof_blocks(step: BackwardStep, proof: Proof, plain: str) -> Iterator[Block]:
    of = spell(proof.entry)
    d_of = spell(at(step.node, proof.entry.attrs["place"]))
    if proof.output is None:
        if step.of.inputs:
            only: Inline = (
                f"Of all the terms that {step.symbol.second or 'J'} adds up only one holds ",
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
    local = partial(proof.output, proof.entry)
    yield Paragraph(("Its derivative by ", of, " is"))
    yield Display(f"{plain}-local", Equation(local, (spell(proof.local),)))
    yield from outside([proof.local])
    yield Paragraph(
        (
            "The chain rule adds up over every entry ",
            output,
            "; the deltas drop those that do not depend on ",
            of,
            ".",
        )
    )
    assert proof.upstream is not None
    chain: Math = Row((spell(proof.upstream), Sign("·"), local))
    for index in reversed(proof.sums):
        chain = BigSum(*index_range(index), chain)
    if proof.real:
        chain = Row((Func("Re"), Fence(chain)))
    if proof.factor is not None:
        chain = Row((spell(proof.factor), chain))
    yield Display(plain, Equation(d_of, (chain, spell(proof.result))))
    yield from outside([proof.result])


def transposes(forms: Sequence[Node]) -> Iterator[Block]:
    """Why a factor of a matrix product is transposed."""
    form = forms[-1] if any(x.op is matmul for x in _open_nodes(forms[-1])) else forms[0]
    for x in _open_nodes(form):
        if x.op is not matmul:
            continue
        left, right = x.inputs
        for side, factor, other in (("left", left, right), ("right", right, left)):
            if factor.op is transpose and factor.symbol is None:
                inner = factor.inputs[0]
                why = "columns" if side == "right" else "rows"
                yield Paragraph(
                    (
                        "Why ",
                        spell_as_part(inner),
                        f" is transposed: the sum runs over the {why} of both ",
                        spell_as_part(other),
                        " and ",
                        spell_as_part(inner),
                        ", and a matrix product pairs the columns of its left factor with the rows of its right one.",
                    )
                )
