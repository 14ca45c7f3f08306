"""What came back from a backward pass, side by side on all draws."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from backproof.checking.comparing import fits, layouts, same
from backproof.checking.equations import inside, operands
from backproof.checking.frames import held
from backproof.checking.moments import statement_of
from backproof.checking.subjects.subject import Played
from backproof.checking.truth import Quantity, Truth
from backproof.ops.linear import sum_
from backproof.ops.row import Array

MANY_NAMES = 3
"""From how many keys on that are names of derivatives the keys of a dictionary count as names."""


class Results:
    """The arrays in what came back from runs on the first draws, and the places where there is none."""

    def __init__(self, truth: Truth, runs: Sequence[Played]) -> None:
        self._truth, self._runs = truth, runs
        parts = [list(held("", played.returned)) for played in runs]
        alike = [same_part for same_part in zip(*parts, strict=False) if len({part.text for part in same_part}) == 1]
        self._arrays = [(same_part[0].text, tuple(part.value for part in same_part)) for same_part in alike]
        named: dict[Quantity, list[tuple[str, tuple[Array, ...]]]] = {}
        for part in self._arrays:
            if (quantity := truth.parameter_named(part[0])) is not None:
                named.setdefault(quantity, []).append(part)
        # A key that several containers have, one for each layer, is the name of none.
        self._named = {quantity: parts[0] for quantity, parts in named.items() if len(parts) == 1}
        self._empty = list(_nothings("", runs[0].returned))

    def has(self, quantity: Quantity, *, shaped: bool = True, divided_by: Sequence[float] | None = None) -> bool:
        """Whether the derivative by a parameter came back; with `shaped`, in a shape that fits the parameter.

        `divided_by` has numbers, one for each draw, that it is to be divided by.
        """
        factors = divided_by or [1] * len(self._runs)
        return any(
            self._truth.is_(quantity, [x * n for x, n in zip(arrays, factors, strict=True)])
            and (not shaped or fits(arrays[0], self._truth.plain(quantity.node, 0)))
            for _, arrays in self._candidates(quantity)
        )

    def has_multiple(self, quantity: Quantity) -> bool:
        """Whether what came back is a derivative times a number that is not one, and the derivative did not."""
        factors = [self._truth.multiple(quantity, arrays) for _, arrays in self._candidates(quantity)]
        return any(factors) and not any(np.isclose(factor, 1) for factor in factors)

    def _candidates(self, quantity: Quantity) -> list[tuple[str, tuple[Array, ...]]]:
        """What may be a derivative that came back: in a dictionary whose keys are names, the name counts too."""
        if quantity in self._named:
            return [self._named[quantity]]
        others = {text for text, _ in self._named.values()} if len(self._named) >= MANY_NAMES else set()
        return [(text, arrays) for text, arrays in self._arrays if text not in others]

    def is_empty(self, quantity: Quantity) -> bool:
        """Whether None came back for a derivative: under its name, or in a sequence without names."""
        return any(
            self._truth.parameter_named(text) is quantity or not any(map(str.isalpha, text)) for text in self._empty
        )

    def has_other(self, quantity: Quantity, *, wanted: bool) -> bool:
        """Whether something else came back where a derivative belongs, beside right ones by other parameters.

        Something else is what has its name; or what has none that tells what it is, in a container with no more places
        than there are parameters. Of a derivative that nobody wants that is not known to be anything else.
        """
        if quantity in self._named and self._named[quantity][0] in self._strangers:
            return True
        nameless = [arrays for text, arrays in self._strangers.items() if self._is_nameless(text)]
        if wanted:
            return bool(nameless)
        right = self._truth.plain(quantity.node, 0)
        unknown = (arrays for arrays in nameless if not self._is_known(arrays))
        return any(next(layouts(right, arrays[0].shape), None) is not None for arrays in unknown)

    def _is_nameless(self, text: str) -> bool:
        return self._truth.parameter_named(text) is None and text not in self._called

    @cached_property
    def _strangers(self) -> Mapping[str, tuple[Array, ...]]:
        """What stands in a container that holds derivatives by parameters and is none, unless there is more of it."""
        quantities = [self._truth.of_node[node] for node in self._truth.parameters]
        containers: dict[str, dict[str, tuple[Array, ...]]] = {}
        for text, arrays in self._arrays:
            if not self._is_loss(arrays):
                containers.setdefault(text[: text.rfind("[")], {})[text] = arrays
        found: dict[str, tuple[Array, ...]] = {}
        for places in containers.values():
            others = {text: x for text, x in places.items() if not any(self._truth.is_(q, x) for q in quantities)}
            if len(others) < len(places) <= len(quantities):
                found |= others
        return found

    def is_named(self, quantity: Quantity) -> bool:
        """Whether something came back that is called like a derivative."""
        return quantity in self._named or quantity in self._called.values()

    def has_unknown(self, quantity: Quantity) -> bool:
        """Whether something came back that has a derivative's name or shape, and is nothing that is known."""
        right = self._truth.plain(quantity.node, 0)
        if any(self._truth.named(text) is quantity for text, _ in self._arrays):
            return True
        if quantity in self._named and not self._is_passed(self._named[quantity][1]):
            return True
        if self._is_unsummed(quantity):
            return True
        unknown = () if self._truth.is_idle(quantity) else self._unknown
        fitting = (text for text, arrays in unknown if next(layouts(right, arrays[0].shape), None) is not None)
        return any(self._called.get(text, quantity) is quantity for text in fitting)

    def _is_unsummed(self, quantity: Quantity) -> bool:
        """Whether what a derivative is the sum of came back, at a place that has no name of its own."""
        parts = [self._truth.of_node[x] for x in operands(quantity.forms[0]) if x in self._truth.of_node]
        if len(parts) != 1 or not parts[0].is_whole or not any(x.op is sum_ for x in inside(quantity.forms[0])):
            return False
        nameless = (arrays for text, arrays in self._arrays if not any(map(str.isalpha, text)))
        return any(self._truth.is_(parts[0], arrays) for arrays in nameless)

    @cached_property
    def comes_twice(self) -> bool:
        """Whether the same array came back at two places without names: another one may belong at one of them."""
        nameless = [x for text, x in self._arrays if not any(map(str.isalpha, text)) and x[0].size > 1]
        return any(a[0].shape == b[0].shape and all(map(same, a, b)) for a, b in combinations(nameless, 2))

    def lacks(self, found: Array) -> bool:
        """Whether all that came back is known, and a value did not, or only as something that has no name."""
        named = (arrays for _, arrays in self._arrays if self._truth.recognised("", arrays) is not None)
        return not self.unknown and not any(same(found, arrays[0]) for arrays in named)

    @property
    def unknown(self) -> list[tuple[Array, ...]]:
        """What came back and is neither a derivative nor anything of the forward pass."""
        return [arrays for _, arrays in self._unknown]

    @cached_property
    def _unknown(self) -> list[tuple[str, tuple[Array, ...]]]:
        return [(text, arrays) for text, arrays in self._arrays if not self._is_known(arrays)]

    @cached_property
    def _called(self) -> Mapping[str, Quantity]:
        """The derivatives that the places of a tuple are called like in the return statement: ``return dx, dW``."""
        moments = self._runs[0].moments
        match statement_of(moments[-1]) if moments else None:
            case ast.Return(value=ast.Tuple(elts=parts)):
                called = {f"[{k}]": self._truth.named(ast.unparse(part)) for k, part in enumerate(parts)}
                return {place: quantity for place, quantity in called.items() if quantity is not None}
        return {}

    @property
    def derivatives(self) -> list[tuple[Array, ...]]:
        """What came back and is nothing of the forward pass."""
        return [arrays for _, arrays in self._arrays if not self._is_passed(arrays)]

    def _is_known(self, arrays: tuple[Array, ...]) -> bool:
        known = self._truth.recognised("", arrays)
        if known is not None and (known.step is None or known.is_whole):
            return True
        if self._is_loss(arrays):
            return True
        numbers = (q for q in self._truth.of_name.values() if arrays[0].size == 1)
        return any(self._truth.is_(q, arrays) for q in numbers) or self._truth.is_passed_by(arrays, opened=True)

    def _is_loss(self, arrays: tuple[Array, ...]) -> bool:
        return arrays[0].size == 1 and all(x.item() == run.loss for x, run in zip(arrays, self._runs, strict=True))

    def _is_passed(self, arrays: tuple[Array, ...]) -> bool:
        if self._is_loss(arrays):
            return True
        known = self._truth.recognised("", arrays)
        return known.step is None if known is not None else self._truth.is_passed_by(arrays, opened=True)


def _nothings(text: str, value: Any) -> Iterator[str]:
    if value is None and text:
        yield text
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _nothings(f"{text}[{key!r}]", part)
    elif isinstance(value, list | tuple):
        for k, part in enumerate(value):
            yield from _nothings(f"{text}[{k}]", part)
