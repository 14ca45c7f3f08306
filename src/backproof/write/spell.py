"""Spelling: graph nodes as formulas. It knows notations, never operations by name."""

from __future__ import annotations

import fractions
from collections.abc import Sequence
from functools import lru_cache
from typing import assert_never

from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Affine, Digit, Index, Place, Shape, Size, affine
from backproof.ir.symbol import Symbol
from backproof.ops.entries import Bounds, LetterPool, Looked, at_, entry_of, row_of
from backproof.ops.fused import FusedRow
from backproof.ops.leaves import is_number
from backproof.ops.notation import (
    ATOM,
    POWER,
    PRODUCT,
    SIGN,
    SUM,
    Apply,
    Bare,
    Bars,
    Bracketed,
    DiagonalTimes,
    Entry,
    Exponential,
    Fraction,
    Infix,
    Inline,
    InverseTimes,
    Kronecker,
    Leaf,
    Leibniz,
    Minus,
    Over,
    Partial,
    Permuted,
    Pieces,
    Position,
    Reduction,
    Replaced,
    Reshaped,
    Root,
    Subscripts,
    Superscript,
    TimesIdentity,
    TimesLog,
    TimesTransposed,
    Within,
)
from backproof.ops.numbers import exact, is_decimal, radicand
from backproof.ops.shaping import is_arange, picks_rows
from backproof.write.math import (
    BigSum,
    Cases,
    Dots,
    Fence,
    Frac,
    Func,
    Ident,
    Math,
    Number,
    Prime,
    Row,
    Scripts,
    Sign,
    Sqrt,
    Word,
)

MINUS = Sign("−")
COMMA = Sign(",", "punctuation")

MOST_TERMS = 8
"""A sum of more terms than this shows the first two and the last, as the penalty of a deep network."""


def spell(node: Node) -> Math:
    """The right side of the node's equation: the node itself is opened, named nodes inside it are not."""
    if not node.shape and node.inputs and row_of(node).kind != "entry" and _holds_arrays(node):
        node = entry_of(node, ())
    return _opened(node)[0]


def spell_as_part(node: Node) -> Math:
    """The node as it stands in another's equation: by its symbol, if it has one."""
    return _part(node)[0]


def _holds_arrays(node: Node) -> bool:
    stack = [node]
    while stack:
        x = stack.pop()
        if x.shape:
            return True
        if x.symbol is None or x is node:
            stack.extend(x.inputs)
    return False


@lru_cache(maxsize=65536)
def name(text: str) -> Math:
    """A plain name as it is set: ``n_1`` with a subscript, single letters in italics, words upright, digits as such."""
    base, _, sub = text.partition("_")
    if sub:
        return Scripts(name(base), sub=name(sub))
    if text.isdigit():
        return Number(text)
    return Ident(text) if len(text) == 1 else Word(text)


@lru_cache(maxsize=65536)
def _letters(of: Symbol, *, entry: bool) -> tuple[Math, int | None]:
    """The name of a quantity and its number, if it has one. Entries are small."""
    base, number = of.written
    if len(base) > 1 or of.plain:
        return Word(of.prefix + base), number
    return Ident(of.prefix + (base.lower() if entry and not of.capital else base)), number


@lru_cache(maxsize=65536)
def symbol(of: Symbol) -> Math:
    """A whole quantity: ``dZ^{[2]}``."""
    base, number = _letters(of, entry=False)
    return Scripts(base, sup=_layer(number)) if number is not None else base


def entry(of: Symbol, shape: tuple[Size, ...], place: tuple[Place, ...]) -> Math:
    """One entry: ``dz_{j}^{[2](i)}``, the layer and the sample above, the node below; a scalar is its own entry."""
    if not shape:
        return symbol(of)
    base, number = _letters(of, entry=True)
    above = [] if number is None else [_layer(number)]
    below: list[Place] = []
    for size, position in zip(shape, place, strict=True):
        if size.samples:
            above.append(Row((Sign("(", "tight"), _position(position), Sign(")", "tight"))))
        elif size != ONE:
            below.append(position)
    return Scripts(base, sub=_positions(below), sup=Row(tuple(above)) if above else None) if below or above else base


def partial(of: Node, by: Node) -> Math:
    """``∂a/∂z`` of two entries. With ∂ and not d: da alone already stands for the derivative of J."""
    return Frac(Row((Ident("∂"), spell(of))), Row((Ident("∂"), spell(by))))


@lru_cache(maxsize=65536)
def _layer(layer: int | None) -> Math:
    return Row((Sign("[", "tight"), Number(str(layer)), Sign("]", "tight")))


def _position(place: Place) -> Math:
    if isinstance(place, Index):
        return Ident(place.letter)
    if isinstance(place, Affine):
        return _affine(place)
    if isinstance(place, Digit):
        return _digit(place)
    if isinstance(place, Looked):
        return _part(place.entry)[0]
    if place == "·":
        return Sign("·", "tight")
    return Number(str(place)) if isinstance(place, int) else name(str(place))


def _affine(place: Affine) -> Math:
    whole, rest = place.offsets
    parts: list[Math] = []
    if place.offset > 0 and all(factor < 0 for factor, _ in place.terms):
        # 2 − p, not −p + 2
        parts, whole, rest = [Number(str(place.offset))], 0, 0
    for factor, position in sorted(place.terms, key=lambda term: term[0] < 0):
        if parts or factor < 0:
            parts.append(Sign("+" if factor > 0 else "−", "tight"))
        if abs(factor) != 1:
            parts.append(Number(str(abs(factor))))
        math = _position(position)
        parts.append(Fence(math) if isinstance(position, Digit) and position.length and factor != 1 else math)
    if place.divisor != 1 and (rest or len(parts) > 1):
        parts = [Sign("(", "tight"), *parts, *_offset(rest), Sign(")", "tight")]
    if place.divisor != 1:
        parts += [Sign("/", "tight"), Number(str(place.divisor))]
    return Row((*parts, *_offset(whole)))


def _offset(number: int) -> tuple[Math, ...]:
    return (Sign("+" if number > 0 else "−", "tight"), Number(str(abs(number)))) if number else ()


def _digit(place: Digit) -> Math:
    """``⌊(j−1)/4⌋ mod 3``, without what changes nothing."""
    before = affine([(1, place.position)], -1)
    found = _position(before)
    simple = isinstance(before, Index | int | Digit) or (isinstance(before, Looked) and before.entry.op is at_)
    if place.step > 1:
        over = Row((found if simple else Fence(found), Sign("/", "tight"), Number(str(place.step))))
        found, simple = Fence(over, "⌊", "⌋"), True
    if place.length is None:
        return found
    return Row((found if simple else Fence(found), Word(" mod "), Number(str(place.length))))


def _positions(places: list[Place]) -> Math | None:
    if not places:
        return None
    tight = all(len(str(place)) == 1 for place in places)
    parts: list[Math] = []
    for place in places:
        if parts and not tight:
            parts.append(Sign(",", "tight"))
        parts.append(_position(place))
    return parts[0] if len(parts) == 1 else Row(tuple(parts))


def index_range(index: Index) -> tuple[Math, Math]:
    """What stands below and above the sum sign: ``i = 1`` and ``m``."""
    return Row((Ident(index.letter), Sign("=", "tight"), Number("1"))), name(index.size.name)


Spelled = tuple[Math, int]
"""A formula and how tightly it is bound."""


def _part(node: Node) -> Spelled:
    if node.symbol is not None:
        return symbol(node.symbol), ATOM
    return _opened(node)


def _bracketed(node: Node, least: int) -> Math:
    """The node as an operand: in brackets if it is bound more loosely than `least`."""
    math, bound = _part(node)
    return math if bound >= least else Fence(math)


def _opened(node: Node) -> Spelled:
    notation = row_of(node).notation
    match notation:
        case Leaf():
            return _leaf(node)
        case Infix("*", _):
            return _product(*node.inputs)
        case Infix("+", bound) if len(terms := _terms(node)) > MOST_TERMS:
            first, second, *_, last = (_bracketed(term, bound) for term in (*terms[:2], terms[-1]))
            return Row((first, Sign("+"), second, Sign("+"), Dots(), Sign("+"), last)), bound
        case Infix("·", bound):
            left, right = node.inputs
            return Row((_factor(left, "*"), Sign("·"), _factor(right, "*"))), bound
        case Infix("+", bound) if _is_negative(node.inputs[1]):
            # a − b, and not a + −b
            left, right = node.inputs
            return Row((_bracketed(left, bound), Sign("−"), _bracketed(right.inputs[0], PRODUCT))), bound
        case Infix(sign, bound):
            left, right = node.inputs
            # a − (b + c) needs its brackets, a + (b + c) is written without.
            after = bound if sign == "+" or _is_sum(right) else bound + 1
            return Row((_bracketed(left, bound), Sign(sign), _bracketed(right, after))), bound
        case Minus():
            return Row((Sign("−", "tight"), _bracketed(node.inputs[0], PRODUCT))), SUM
        case Fraction():
            upper, lower = node.inputs
            return Frac(_part(upper)[0], _part(lower)[0]), SIGN
        case Superscript("T") if _is_inverse(node.inputs[0]):
            return _raised(_bracketed(node.inputs[0].inputs[0], ATOM), Ident("−T"), merge=True), POWER
        case Superscript("T") if node.inputs[0].symbol is None and row_of(node.inputs[0]).notation == InverseTimes():
            return _turned(node.inputs[0]), PRODUCT
        case Superscript("T") if (scaled := _scaled(node.inputs[0])) is not None:
            number, array = scaled
            return Row((_bracketed(number, PRODUCT), _raised(_bracketed(array, ATOM), Ident("T"), merge=True))), PRODUCT
        case Superscript(text):
            exponent: Math = Ident(text) if text else Number(f"{node.attrs['exponent']:g}")
            return _raised(_bracketed(node.inputs[0], ATOM), exponent, merge=bool(text)), POWER
        case Root() if (squared := _squared(node.inputs[0])) is not None:
            return Fence(_part(squared)[0], "‖", "‖"), ATOM
        case Root():
            return Sqrt(_part(node.inputs[0])[0]), ATOM
        case Bars():
            return Fence(_part(node.inputs[0])[0], "|", "|"), ATOM
        case Exponential():
            return Scripts(Ident("e"), sup=_part(node.inputs[0])[0]), POWER
        case Apply():
            return Row((_function(notation), _arguments(node, _options(notation, node)))), ATOM
        case Subscripts(text):
            spec = f'"{",".join(node.attrs["axes"])}->{node.attrs["result"]}"'
            arguments = [COMMA if k % 2 else _part(node.inputs[k // 2])[0] for k in range(2 * len(node.inputs) - 1)]
            return Row((Func(text), Fence(Row((Word(spec), COMMA, *arguments))))), ATOM
        case Leibniz(function, argument, before):
            d = Scripts(Ident("d"), sup=Number(str(len(before) + 1))) if before else Ident("d")
            lower_part = [_differential(node.inputs[k]) for k in (*before, argument)]
            below = Row(tuple(lower_part)) if before else lower_part[0]
            return Frac(Row((d, _function(function), _arguments(node))), below), SIGN
        case TimesLog():
            weight, inside = node.inputs
            return Row((_bracketed(weight, PRODUCT), Sign("·"), Func("log"), Fence(_part(inside)[0]))), PRODUCT
        case Reduction() if (squared := _squared(node)) is not None:
            return _raised(Fence(_part(squared)[0], "‖", "‖"), Number("2"), merge=False), POWER
        case Reduction() if (vectors := _multiplied(node)) is not None:
            left, right = vectors
            return Row((_turned(left), Sign("·"), _factor(right, "*"))), SUM
        case Reduction():
            return _sum(node), SUM
        case Over(text):
            return _reduced(node, Func(text)), ATOM
        case Entry():
            (array,) = node.inputs
            return _entry(array, node.attrs["place"]), ATOM
        case Position():
            place: Place = node.attrs["place"]
            return _position(place), SUM if isinstance(place, Affine | Digit) else ATOM
        case Kronecker():
            return Scripts(Ident("δ"), sub=_positions([node.attrs["left"], node.attrs["right"]])), ATOM
        case Within():
            return _bounds(node.attrs["bounds"]), SUM
        case Pieces():
            return _pieces(node), SUM
        case Bare():
            return _part(node.inputs[0])
        case TimesTransposed():
            left, right = node.inputs
            return Row((_factor(left, "*"), Sign("·"), _turned(right))), PRODUCT
        case InverseTimes():
            left, right = node.inputs
            return Row((_inverse(left), Sign("·"), _factor(right, "*"))), PRODUCT
        case DiagonalTimes():
            vector, matrix = node.inputs
            diagonal = Row((Func("diag"), Fence(_part(vector)[0])))
            return Row((diagonal, Sign("·"), _factor(matrix, "*"))), PRODUCT
        case TimesIdentity():
            (factor,) = node.inputs
            if is_number(factor, 1):
                return Ident("I"), ATOM
            return Row((_bracketed(factor, PRODUCT), Sign("·"), Ident("I"))), PRODUCT
        case Reshaped():
            return _applied("reshape", _part(node.inputs[0])[0], shape(node.shape)), ATOM
        case Permuted():
            axes = ", ".join(str(axis + len(node.shape)) for axis in node.attrs["axes"])
            return _applied("transpose", _part(node.inputs[0])[0], Word(f"({axes})")), ATOM
        case Bracketed(back):
            if back and picks_rows(node) and (value := number_everywhere(node.inputs[0])) is not None:
                return _times_labels(value, node.inputs[2])
            key = Word(f"[{_key(node)}]")
            if back:
                return _applied("put", _part(node.inputs[0])[0], key), ATOM
            return Row((_bracketed(node.inputs[0], ATOM), key)), ATOM
        case Replaced():
            whole, part = (_part(x)[0] for x in node.inputs[:2])
            key = Word(f"[{_key(node, skipped=1)}]")
            return _applied("set", whole, key, part), ATOM
        case Inline():
            row = row_of(node)
            assert isinstance(row, FusedRow)
            return _opened(row.written(*node.inputs))
        case Partial(argument):
            return Frac(_partial(node.attrs["of"]), _partial(node.inputs[argument])), SIGN
    assert_never(notation)


def _is_negative(node: Node) -> bool:
    """Whether a node is a formula with a minus sign in front."""
    return node.symbol is None and row_of(node).notation == Minus()


def _terms(node: Node) -> list[Node]:
    """What a sum adds up, the sums inside it opened."""
    terms, stack = [], [node]
    while stack:
        x = stack.pop()
        if row_of(x).notation == Infix("+", SUM) and (x.symbol is None or x is node):
            stack.extend(reversed(x.inputs))
        else:
            terms.append(x)
    return terms


def _partial(node: Node) -> Math:
    math, bound = _part(node)
    return Row((Ident("∂"), math if bound == ATOM else Fence(math)))


def _key(node: Node, *, skipped: int = 0) -> str:
    """An index as it is written in code; `skipped` counts the arguments that stand before the index arrays."""
    parts: list[str] = []
    shape = node.attrs.get("sizes", node.inputs[0].shape)
    for k, size in zip(node.attrs["key"], shape, strict=True):
        if isinstance(k, slice):
            step = f":{k.step}" if k.step != 1 else ""
            if k == slice((size.value or 0) - 1, -(size.value or 0) - 1, -1):
                parts.append("::-1")
                continue
            parts.append(":" if k == slice(0, size.value, 1) else f"{k.start or ''}:{k.stop}{step}")
        else:
            parts.append(str(k) if isinstance(k, int) else _name_of(node.inputs[k.number + 1 + skipped], size))
    while len(parts) > 1 and parts[-1] == ":":
        parts.pop()
    return ", ".join(parts)


def _name_of(array: Node, size: Size) -> str:
    """An index array by its name; one that the code made to count an axis by what it is."""
    if array.attrs.get("outside") and is_arange(array, size):
        return f"arange({size.name})"
    return str(array.symbol or "…")


def _leaf(node: Node) -> Spelled:
    if node.symbol is not None:
        return symbol(node.symbol), ATOM
    if "size" in node.attrs:
        return name(node.attrs["size"].name), ATOM
    value, text = node.attrs["value"], node.attrs.get("text")
    if text:
        return Ident(text), ATOM
    if isinstance(value, complex):
        return _complex(value)
    math, bound = _number(abs(value))
    return (Row((Sign("−", "tight"), math)), SUM) if value < 0 else (math, bound)


def _number(value: float) -> Spelled:
    """A positive number: a computed decimal as the fraction or the root that it stands for."""
    if isinstance(value, int):
        return Number(str(value)), ATOM
    fraction = exact(value)
    if fraction is not None and not is_decimal(fraction):
        return _fraction(fraction)
    root = radicand(value) if fraction is None else None
    if root is None:
        return Number(repr(value)), ATOM
    if root.numerator == 1:
        return Frac(Number("1"), Sqrt(Number(str(root.denominator)))), SIGN
    return Sqrt(_fraction(root)[0]), ATOM


def _fraction(value: fractions.Fraction) -> Spelled:
    if value.denominator == 1:
        return Number(str(value.numerator)), ATOM
    return Frac(Number(str(value.numerator)), Number(str(value.denominator))), SIGN


def _complex(value: complex) -> Spelled:
    """``3 + 2i``; a part that is 0 is left out."""
    if value == 0:
        return Number("0"), ATOM
    size = abs(value.imag)
    times: Math = Ident("i") if size == 1 else Row((Number(_short(size)), Ident("i")))
    if value.real == 0:
        return (times, ATOM if size == 1 else PRODUCT) if value.imag > 0 else (Row((Sign("−", "tight"), times)), SUM)
    if value.imag == 0:
        return (Number(_short(value.real)), ATOM) if value.real > 0 else (Number(_short(value.real)), SUM)
    real: Math = Number(_short(abs(value.real)))
    sign = Sign("+" if value.imag > 0 else "−")
    return Row((real if value.real > 0 else Row((Sign("−", "tight"), real)), sign, times)), SUM


def _short(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _product(left: Node, right: Node) -> Spelled:
    """``*`` between arrays, ``·`` between scalars; a number or a fraction of sizes stands before the rest plainly."""
    if left.shape and right.shape:
        a = Fence(_part(left)[0]) if _ends_with_sum(left) else _factor(left, "·")
        return Row((a, Sign("*"), _factor(right, "·"))), PRODUCT
    a, b = _bracketed(left, PRODUCT), _bracketed(right, PRODUCT)
    if _is_sum(right):
        b = _part(right)[0]
    if not left.shape and _is_plain(left) and not _is_plain(right):
        apart = _starts_with_number(right) or isinstance(left.attrs.get("value"), complex)  # i·dA, not idA
        return Row((a, Sign("·"), b) if apart else (a, b)), PRODUCT
    if not right.shape and left.shape and _is_plain(right):
        return Row((b, a)), PRODUCT
    return Row((a, Sign("·"), b)), PRODUCT


def _factor(node: Node, other: str) -> Math:
    """A factor of a product of arrays: in brackets where it is a product of the `other` kind, which binds alike."""
    if other == "*" and node.shape and (number := number_everywhere(node)) is not None:
        return _ones(number, node.shape)
    return Fence(_part(node)[0]) if _is_product(node, other) else _bracketed(node, PRODUCT)


def _ones(number: Node, of: Shape) -> Math:
    """A matrix that is one number everywhere, as a factor of a matrix product: ``1_{n×m}``."""
    ones = Scripts(Number("1"), sub=shape(of))
    return ones if is_number(number, 1) else Fence(Row((_bracketed(number, PRODUCT), Sign("·"), ones)))


def _is_product(node: Node, sign: str) -> bool:
    """Whether a node is spelled as a product of arrays with that sign, perhaps with a number in front."""
    if node.symbol is not None:
        return False
    notation = row_of(node).notation
    if notation == Bare():
        return _is_product(node.inputs[0], sign)
    if isinstance(node.op, FusedRow):
        return _is_product(node.op.written(*node.inputs), sign)
    if isinstance(notation, TimesTransposed | InverseTimes | TimesIdentity):
        return sign == "·"
    if notation == Infix("*", PRODUCT) and not all(x.shape for x in node.inputs):
        return any(_is_product(x, sign) for x in node.inputs)
    return notation == Infix(sign, PRODUCT)


def _scaled(node: Node) -> tuple[Node, Node] | None:
    """The number and the array of a plain multiple, which is transposed as the multiple of the transposed array."""
    if node.symbol is not None or row_of(node).notation != Infix("*", PRODUCT):
        return None
    number, array = node.inputs
    turned = array.symbol is None and row_of(array).notation == Superscript("T")
    return (number, array) if not number.shape and array.shape and _is_plain(number) and not turned else None


def _is_inverse(node: Node) -> bool:
    return node.symbol is None and row_of(node).notation == Superscript("−1")


def _inverse(node: Node) -> Math:
    """``x⁻¹``, of a transposed matrix ``x⁻ᵀ``."""
    if node.symbol is None and row_of(node).notation == Superscript("T"):
        return _raised(_bracketed(node.inputs[0], ATOM), Ident("−T"), merge=True)
    return _raised(_bracketed(node, ATOM), Ident("−1"), merge=True)


def _turned(node: Node) -> Math:
    """A column or a matrix, transposed: a product as the transposed factors in the other order."""
    notation = row_of(node).notation
    if node.symbol is None and notation in (Infix("·", PRODUCT), InverseTimes()):
        left, right = node.inputs
        first = _turned_inverse(left) if notation == InverseTimes() else _turned(left)
        return Row((_turned(right), Sign("·"), first))
    if node.symbol is None and notation == Superscript("T"):
        return _factor(node.inputs[0], "*")
    if _is_inverse(node):
        return _turned_inverse(node.inputs[0])
    if node.shape and (number := number_everywhere(node)) is not None:
        return _raised(_ones(number, node.shape), Ident("T"), merge=True)
    return _raised(_bracketed(node, ATOM), Ident("T"), merge=True)


def _turned_inverse(node: Node) -> Math:
    """``x⁻ᵀ``, of a transposed matrix ``x⁻¹``."""
    turned = node.symbol is None and row_of(node).notation == Superscript("T")
    inside = node.inputs[0] if turned else node
    return _raised(_bracketed(inside, ATOM), Ident("−1" if turned else "−T"), merge=True)


def _summed(node: Node) -> Node | None:
    """What a node sums all entries of, if it is such a sum of something without a name."""
    if node.symbol is not None or row_of(node).notation != Reduction() or "axes" not in node.attrs:
        return None
    (body,) = node.inputs
    if body.symbol is not None or len(node.attrs["axes"]) != len(body.shape):
        return None
    row = row_of(body)
    return row.written(*body.inputs) if isinstance(row, FusedRow) else body


def _squared(node: Node) -> Node | None:
    """The array of which a node sums the squares of all entries, if it does."""
    body = _summed(node)
    if body is None or row_of(body).notation != Superscript() or body.attrs["exponent"] != 2:
        return None
    return body.inputs[0]


def _multiplied(node: Node) -> tuple[Node, Node] | None:
    """The two vectors of which a node sums the products of the entries, if it does."""
    body = _summed(node)
    if body is None or row_of(body).notation != Infix("*", PRODUCT) or [len(x.shape) for x in body.inputs] != [1, 1]:
        return None
    left, right = body.inputs
    return left, right


def _is_sum(node: Node) -> bool:
    """Whether a node is spelled with a sum sign, which binds all that follows it and needs no brackets at an end."""
    node = _written(node)
    is_reduction = row_of(node).notation == Reduction() and node.symbol is None
    return is_reduction and _squared(node) is None and _multiplied(node) is None


def _written(node: Node) -> Node:
    """What a node is spelled as: itself, or its input where it is bare."""
    while node.symbol is None and row_of(node).notation == Bare():
        (node,) = node.inputs
    return node


def _ends_with_sum(node: Node) -> bool:
    """Whether a product ends with a sum, which would bind a factor that follows."""
    last = node.inputs[1] if row_of(node).notation == Infix("*", PRODUCT) and node.symbol is None else None
    return last is not None and (_is_sum(last) or _ends_with_sum(last))


def _starts_with_number(node: Node) -> bool:
    return node.symbol is None and row_of(node).notation == Infix("*", PRODUCT) and _is_plain(node.inputs[0])


def _is_plain(node: Node) -> bool:
    """Whether a node is made of numbers and sizes only."""
    return node.symbol is None and row_of(node).kind != "entry" and all(map(_is_plain, node.inputs))


def _raised(base: Math, exponent: Math, *, merge: bool) -> Math:
    if isinstance(base, Scripts) and base.sup is not None:
        # Two superscripts on one letter: the transpose sign joins the layer, A^{[1]T}; a power needs brackets.
        if merge:
            return Scripts(base.base, base.sub, Row((base.sup, exponent)))
        return Scripts(Fence(base), sup=exponent)
    return Scripts(base, sup=exponent) if not isinstance(base, Scripts) else Scripts(base.base, base.sub, exponent)


def _function(notation: Apply) -> Math:
    base: Math = Ident(notation.name) if notation.letter else Func(notation.name)
    if notation.layer is not None:
        base = Scripts(base, sup=_layer(notation.layer))
    if notation.inverse:
        base = Scripts(base, sup=Ident("−1"))
    return Prime(base, notation.primes) if notation.primes else base


def _arguments(node: Node, options: tuple[Math, ...] = ()) -> Math:
    return _listed([*(_part(x)[0] for x in node.inputs), *options])


def _options(notation: Apply, node: Node) -> tuple[Math, ...]:
    value = node.attrs.get(notation.option, 0)
    return (Row((Ident(notation.option), Sign("="), Number(str(value).replace("-", "−")))),) if value else ()


def number_everywhere(node: Node) -> Node | None:
    """The number that every entry of an array is, if it is one."""
    if row_of(node).notation == Bare() and node.symbol is None:
        return node if not node.shape else number_everywhere(node.inputs[0])
    return None if node.shape else node


def _times_labels(factor: Node, labels: Node) -> Spelled:
    """``−1/m · 1_y``: a number at one place in each row, which the labels name."""
    ones = Scripts(Number("1"), sub=_part(labels)[0])
    if is_number(factor, 1):
        return ones, ATOM
    math, bound = _part(factor)
    return Row((math, Sign("·"), ones)), min(bound, PRODUCT)


def _listed(arguments: Sequence[Math]) -> Math:
    parts: list[Math] = []
    for x in arguments:
        parts += [COMMA, x] if parts else [x]
    return Fence(Row(tuple(parts)))


def _applied(function: str, *arguments: Math) -> Math:
    return Row((Func(function), _listed(arguments)))


def shape(of: Shape) -> Math:
    """The shape of an array: ``n_1 × m``."""
    rows, *columns = (name(size.name) for size in of)
    return Row((rows, *(part for size in columns for part in (Sign("×"), size)))) if columns else rows


def _bounds(bounds: Bounds) -> Math:
    parts: list[Math] = []
    for place, least, most in bounds:
        parts += [Word(" and ")] if parts else []
        if least is not None and least == most:
            parts += [_position(place), Sign("=", "relation"), _whole(most)]
            continue
        if least is not None and not (least == 1 and isinstance(place, Index)):
            parts += [_whole(least), Sign("≤", "relation")]
        parts.append(_position(place))
        parts += [] if most is None else [Sign("≤", "relation"), _whole(most)]
    return Row(tuple(parts))


def _whole(number: int) -> Math:
    return Number(str(number)) if number >= 0 else Row((Sign("−", "tight"), Number(str(-number))))


def _differential(node: Node) -> Math:
    """``da`` of a: the letter d and the quantity as one name."""
    if node.symbol is not None:
        return symbol(node.symbol.derivative("J"))
    if row_of(node).notation == Entry():
        (array,) = node.inputs
        assert array.symbol is not None
        return entry(array.symbol.derivative("J"), array.shape, node.attrs["place"])
    return Row((Ident("d"), _part(node)[0]))


def _entry(array: Node, place: tuple[Place, ...]) -> Math:
    if array.symbol is not None:
        return entry(array.symbol, array.shape, place)
    if not array.shape:
        return _part(array)[0]
    if isinstance(notation := row_of(array).notation, Over):
        return _reduced(array, Func(notation.name), place)
    return Scripts(Fence(_part(array)[0]), sub=_positions([p for p in place if p is not None]))


def _sum(node: Node) -> Math:
    (body,) = node.inputs
    if "index" in node.attrs:
        index: Index = node.attrs["index"]
        lower, upper = index_range(index)
        math, bound = _part(body)
        nested = row_of(_written(body)).notation == Reduction()
        return BigSum(lower, upper, math if nested or bound > SUM else Fence(math))
    running, result = _running_slice(node)
    for index in reversed(running):
        result = BigSum(*index_range(index), result)
    return result


def _reduced(node: Node, name: Math, place: tuple[Place, ...] | None = None) -> Math:
    """A reduction over axes, whole or, with a place, one entry of it."""
    running, body = _running_slice(node, place)
    if len(running) == len(node.inputs[0].shape):
        return Row((name, Fence(_part(node.inputs[0])[0])))
    return Row((Scripts(name, sub=_positions([*running])), Fence(body)))


def _running_slice(node: Node, place: tuple[Place, ...] | None = None) -> tuple[list[Index], Math]:
    """Letters for the axes that a reduction runs over, and the slice of its argument at these letters.

    With a place, the other axes of the argument have their positions from there.
    """
    (body,) = node.inputs
    pool = LetterPool(place or ())
    for size in _summed_inside(body):
        pool.fresh(size)
    rank = len(body.shape)
    reduced = {axis % rank for axis in node.attrs["axes"]}
    kept = iter(place or ())
    places: list[Place] = [None] * rank
    if place is not None:
        for axis in range(rank):
            if node.attrs["keepdims"] or axis not in reduced:
                position = next(kept)
                places[axis] = None if axis in reduced else position
    running: list[Index] = []
    for axis in sorted(node.attrs["axes"], key=lambda axis: not body.shape[axis].samples):
        if body.shape[axis] != ONE:
            index = pool.fresh(body.shape[axis])
            places[axis] = index
            running.append(index)
    return running, _slice(body, tuple(places))


def _summed_inside(node: Node) -> list[Size]:
    """The axes that the formula of an array runs over itself: their letters are taken."""
    most: list[Size] = []
    stack: list[tuple[Node, list[Size]]] = [(node, [])]
    while stack:
        x, found = stack.pop()
        if x.symbol is None and x.inputs:
            if isinstance(row_of(x).notation, Reduction | Over) and "axes" in x.attrs:
                found = [*found, *(x.inputs[0].shape[k] for k in x.attrs["axes"] if x.inputs[0].shape[k] != ONE)]
                most = max(most, found, key=len)
            stack += [(y, found) for y in x.inputs]
    return most


def _slice(array: Node, places: tuple[Place, ...]) -> Math:
    math, _ = _part(array)
    above: list[Math] = []
    below: list[Place] = []
    # Where several axes are written below, a dot stands for one that the slice has whole.
    dotted = sum(not size.samples and size != ONE for size in array.shape) > 1
    for size, place in zip(array.shape, places, strict=True):
        if place is not None and size.samples:
            above.append(Row((Sign("(", "tight"), _position(place), Sign(")", "tight"))))
        elif place is not None or (dotted and not size.samples and size != ONE):
            below.append("·" if place is None else place)
    if array.symbol is not None and isinstance(math, Scripts):
        base, sup = math.base, math.sup
    else:
        base, sup = (math if array.symbol is not None else Fence(math)), None
    parts = ([sup] if sup is not None else []) + above
    return Scripts(base, sub=_positions(below), sup=Row(tuple(parts)) if parts else None)


def _pieces(node: Node) -> Math:
    rows: list[tuple[Math, Math]] = []
    parts = list(node.inputs)
    while len(parts) > 1:
        value, condition = parts.pop(0), parts.pop(0)
        rows.append((_part(value)[0], Row((Word("if "), _part(condition)[0]))))
    rows.append((_part(parts[0])[0], Word("otherwise")))
    return Cases(tuple(rows))
