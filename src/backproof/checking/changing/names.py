"""What a statement of somebody's can name, and what names and numbers tell by themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, permutations, product

from backproof.checking.tree import parsed
from backproof.ops.row import Array

SLOPE = re.compile(r".*(prime|deriv|slope).*|.*_(grad|backward|d)|(d|grad)_.*", re.IGNORECASE)
"""How functions are called that give the derivative of an activation."""
DERIVATIVE = re.compile(r"d_?[A-Za-z]|.*(grad|delta|error|nabla)")
"""What the names of derivatives begin with: an activation has none of them."""
DERIVATIVE_IN = re.compile(rf"(^|\W)({DERIVATIVE.pattern})")
"""Where such a name stands in an expression."""


@dataclass(frozen=True, eq=False)
class Names:
    """What a statement can name.

    shapes     the shape of what each expression holds
    counted    those that hold places: t of ``hs[t]``
    functions  the functions of the user's, and how many arguments they take
    formulas   the functions of the user's that only return a formula of an array
    counts     those that hold whole numbers above one
    labels     those whose entries are whole numbers, none of them negative
    one_sided  those whose entries are all positive, or none: ``x > 0`` tells nothing of them
    pieces     expressions that stand elsewhere in the same code
    loaded     the variables that are used somewhere in the same code
    masks      where what the code clips is within its limits
    roots      the roots of numbers that the code takes
    """

    shapes: Mapping[str, tuple[int, ...]]
    counted: Collection[str] = ()
    functions: Mapping[str, int] = field(default_factory=dict)
    formulas: Collection[str] = ()
    counts: Collection[str] = ()
    one_sided: Collection[str] = ()
    labels: Collection[str] = ()
    pieces: Sequence[ast.expr] = ()
    loaded: Collection[str] = ()
    masks: Sequence[str] = ()
    roots: Sequence[str] = ()

    def is_unused(self, text: str) -> bool:
        """Whether an expression is a variable that stands in no expression of the code."""
        return text.isidentifier() and text not in self.loaded

    @cached_property
    def numbers(self) -> list[str]:
        """What holds a single number that is no place."""
        return [text for text, shape in self.shapes.items() if shape == () and text not in self.counted]

    @cached_property
    def alike(self) -> Mapping[str, list[str]]:
        """For each expression the others that have its shape."""
        by_shape: dict[tuple[int, ...], list[str]] = {}
        for text, shape in self.shapes.items():
            by_shape.setdefault(shape, []).append(text)
        return {text: [x for x in by_shape[shape] if x != text] for text, shape in self.shapes.items()}

    @cached_property
    def containers(self) -> list[str]:
        """The variables that hold several arrays: zs of ``zs[t]``."""
        found = (parsed(text) for text in self.shapes if "[" in text)
        names = (x.value.id for x in found if isinstance(x, ast.Subscript) and isinstance(x.value, ast.Name))
        return list(dict.fromkeys(names))

    @cached_property
    def matrices(self) -> set[str]:
        """What holds arrays of two and more axes."""
        return {text for text, shape in self.shapes.items() if len(shape) > 1}

    def products_of(self, shape: tuple[int, ...]) -> Iterator[str]:
        """The matrix products of two arrays, transposed or not, that have a shape."""
        shapes = {text: own for text, own in self.shapes.items() if own}
        turned = {f"{text}.T": own[::-1] for text, own in shapes.items() if len(own) > 1}
        for (a, rows), (b, columns) in product((shapes | turned).items(), repeat=2):
            inner = columns[-2] if len(columns) > 1 else columns[0]
            matches = shape and max(len(rows), len(columns)) == 2 and rows[-1] == inner
            if matches and (*rows[:-1], *(columns[-1:] if len(columns) > 1 else ())) == shape:
                yield f"{a} @ {b}"

    def terms_of(self, shape: tuple[int, ...]) -> Iterator[str]:
        """What may be a term of a derivative of a shape: a derivative that has it, or a product with a derivative."""
        yield from filter(is_called_derivative, self.shaped(shape))
        yield from filter(DERIVATIVE_IN.search, self.products_of(shape))
        pairs = combinations(self.shaped(shape), 2)
        yield from (f"{a} * {b}" for a, b in pairs if is_called_derivative(a) or is_called_derivative(b))

    def differences_of(self, shape: tuple[int, ...]) -> Iterator[str]:
        """The differences of two arrays of a shape, as that of a prediction and what it should be.

        A column may be what is left of a matrix that is missing.
        """
        for a, b in permutations([*self.shaped(shape), *self.reshaped(shape)], 2):
            yield f"{a} - {b}"
        if len(shape) == 2 and shape[1] == 1:
            wider = {own for own in self.shapes.values() if len(own) == 2 and own[0] == shape[0] and own[1] > 1}
            for own in sorted(wider):
                yield from (f"({a} - {b})" for a, b in permutations(self.shaped(own), 2))

    def repeated_to(self, shape: tuple[int, ...]) -> list[str]:
        """What NumPy repeats along some axes to have a shape."""
        own = [text for text, own in self.shapes.items() if own and own != shape and _repeats(own, shape)]
        each = [f"{text}[:, None]" for text, own in self.shapes.items() if own == shape[:1] and len(shape) == 2]
        return [*own, *each]

    def beside(self, shape: tuple[int, ...]) -> list[str]:
        """What has as many axes and can stand beside an array of a shape, where that is repeated along some too."""
        alike = ((text, own) for text, own in self.shapes.items() if own and len(own) == len(shape))
        return [text for text, own in alike if all(a == b or 1 in (a, b) for a, b in zip(own, shape, strict=True))]

    def reshaped(self, shape: tuple[int, ...]) -> list[str]:
        """What has the entries of a column and is none, as one; and the other way round."""
        if len(shape) == 2 and shape[1] == 1:
            return [f"{text}.reshape(-1, 1)" for text, own in self.shapes.items() if own == shape[:1]]
        return [f"{text}.ravel()" for text, own in self.shapes.items() if shape and own == (*shape, 1)]

    def above(self, shape: tuple[int, ...]) -> list[str]:
        """What a sum over one axis may be taken of to have a shape, with that axis kept or not."""
        kept = [n for n in shape if n != 1]
        axes = {text: range(len(own)) for text, own in self.shapes.items()}
        left = {text: [own[:k] + own[k + 1 :] for k in axes[text]] for text, own in self.shapes.items()}
        return [text for text, ways in left.items() if any([n for n in own if n != 1] == kept for own in ways)]

    def shaped(self, shape: tuple[int, ...]) -> list[str]:
        """What holds an array of a shape."""
        return [text for text, own in self.shapes.items() if shape and own == shape]


def _repeats(own: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    pairs = zip(own[::-1], shape[::-1], strict=False)
    return len(own) <= len(shape) and all(a in (1, b) for a, b in pairs)


def is_count(number: Array) -> bool:
    """Whether a number is a whole one above one, as a length is."""
    return bool(number > 1) and float(number).is_integer()


def is_called_derivative(text: str) -> bool:
    """Whether the name of a variable, or of an attribute, is that of a derivative."""
    return DERIVATIVE.match(text.rpartition(".")[2]) is not None


def is_slope(name: str) -> bool:
    """Whether a function is called like the derivative of an activation."""
    return SLOPE.fullmatch(name) is not None
