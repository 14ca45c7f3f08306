"""What came back from a backward pass, side by side on all draws."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import combinations

import numpy as np

from backproof.checking.arguments import leaves_of
from backproof.checking.comparing import fits, layouts, same
from backproof.checking.equations import inside, operands
from backproof.checking.frames import held
from backproof.checking.moments import statement_of
from backproof.checking.naming import CONTAINERS, base, last_word, letters
from backproof.checking.subjects.subject import Played
from backproof.checking.truth import Quantity, Truth
from backproof.ops.linear import sum_
from backproof.ops.row import Array

RESULT = "['']"
"""How the texts of what a backward pass returns begin; those of what it leaves in attributes have places there."""
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
            if (quantity := self._named_at(part[0])) is not None:
                named.setdefault(quantity, []).append(part)
        # A key that several containers have, one for each layer, is the name of none.
        self._named = {quantity: parts[0] for quantity, parts in named.items() if len(parts) == 1}
        self._empty = [text for text, x in leaves_of("", runs[0].returned) if text and x is None]

    def _named_at(self, text: str) -> Quantity | None:
        """The derivative that a place has the name of. Parameters' names stand for it only in what is returned: what
        is left in attributes may be velocities."""
        return self._truth.parameter_named(text) if text.startswith(RESULT) else self._truth.named(text)

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
        """Whether a multiple of a derivative came back under its name, and the derivative itself did not come back.

        The steps that the code takes and means of gradients are multiples too, and right.
        """
        found = [(text, x, self._truth.multiple(quantity, x)) for text, x in self._candidates(quantity)]
        if any(np.isclose(factor, 1) for _, _, factor in found):
            return False
        steps = [self._truth.update(quantity, played) for played in self._runs]
        return any(
            factor and self._is_called(quantity, text) and not _is_step(arrays, steps) for text, arrays, factor in found
        )

    def _is_called(self, quantity: Quantity, text: str) -> bool:
        """Whether a place is called like a derivative: ``dW``, ``grads``, or ``W``, a key in what is returned."""
        word = self._written(text)
        is_key = text.startswith(RESULT) and letters(word) == base(self._truth.parameters[quantity.node])
        return is_key or last_word(word) in CONTAINERS or quantity in self._truth.lettered(word)

    def _written(self, text: str) -> str:
        """A place as the return statement has it: ``grads[0]``."""
        place = max((place for place in self._words if text.startswith(place)), key=len, default="")
        return self._words.get(place, "") + text.removeprefix(place)

    def _candidates(self, quantity: Quantity) -> list[tuple[str, tuple[Array, ...]]]:
        """What may be a derivative that came back: in a dictionary whose keys are names, the name counts too."""
        if quantity in self._named:
            return [self._named[quantity]]
        others = {text for text, _ in self._named.values()} if len(self._named) >= MANY_NAMES else set()
        return [(text, arrays) for text, arrays in self._arrays if text not in others]

    def is_empty(self, quantity: Quantity) -> bool:
        """Whether None came back for a derivative: under its name, or in a sequence without names."""
        return any(self._named_at(text) is quantity or not any(map(str.isalpha, text)) for text in self._empty)

    def has_other(self, quantity: Quantity, *, wanted: bool) -> bool:
        """Whether something else came back where a derivative belongs, beside right ones by other parameters.

        It stands in a container with no more places than there are parameters, under the derivative's name or under
        none. Where the derivative is not `wanted`, what has no name counts only if its shape fits and it is not known
        what it is.
        """
        if any(self._meant.get(text) is quantity for text in self._strangers):
            return True
        nameless = [arrays for text, arrays in self._strangers.items() if self._is_nameless(text, arrays)]
        if wanted:
            return bool(nameless)
        right = self._truth.plain(quantity.node, 0)
        unknown = (arrays for arrays in nameless if not self._is_known(arrays))
        return any(next(layouts(right, arrays[0].shape), None) is not None for arrays in unknown)

    def _is_nameless(self, text: str, arrays: tuple[Array, ...]) -> bool:
        """Whether no name tells what a place is for; that of a derivative on the way does if it holds that."""
        called = self._called.get(text)
        is_told = called is not None and (called.node in self._truth.parameters or self._truth.is_(called, arrays))
        return self._named_at(text) is None and not is_told

    @cached_property
    def _strangers(self) -> Mapping[str, tuple[Array, ...]]:
        """What stands in a container that holds derivatives by parameters and is none, unless there is more of it."""
        quantities = [self._truth.of_node[node] for node in self._truth.parameters]
        containers: dict[str, dict[str, tuple[Array, ...]]] = {}
        for text, arrays in self._arrays:
            if not self._is_loss(arrays):
                containers.setdefault(_container(text), {})[text] = arrays
        found: dict[str, tuple[Array, ...]] = {}
        for places in containers.values():
            others = {text: x for text, x in places.items() if not any(self._truth.is_(q, x) for q in quantities)}
            if len(others) < len(places) <= len(quantities):
                found |= others
        return found

    def is_named(self, quantity: Quantity) -> bool:
        """Whether something came back that is called like a derivative."""
        return quantity in self._meant.values()

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
        return any(self._may_be(quantity, text) for text in fitting)

    def _may_be(self, quantity: Quantity, text: str) -> bool:
        """Whether a place may be meant for a derivative: it is not called like that by another parameter."""
        called = self._called.get(text, quantity)
        return called is quantity or called.node not in self._truth.parameters

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
    def _meant(self) -> Mapping[str, Quantity]:
        """The derivatives that names say of places, keys or those in the return statement."""
        return self._called | {text: quantity for quantity, (text, _) in self._named.items()}

    @cached_property
    def _called(self) -> dict[str, Quantity]:
        """The derivatives that what is returned is called like in the return statement: ``return dx, dW``."""
        named = {place: self._truth.named(word) for place, word in self._words.items()}
        return {place: quantity for place, quantity in named.items() if quantity is not None}

    @cached_property
    def _words(self) -> Mapping[str, str]:
        """The names in the return statement, by the places of what is returned: what changed code means is the same."""
        moments = self._truth.played[0].moments
        match statement_of(moments[-1]) if moments else None:
            case ast.Return(value=ast.Tuple(elts=parts) | ast.List(elts=parts)):
                returned = {f"{RESULT}[{k}]": part for k, part in enumerate(parts)}
            case ast.Return(value=ast.expr() as part):
                returned = {RESULT: part}
            case _:
                return {}
        names = ast.Name | ast.Attribute | ast.Subscript
        return {place: ast.unparse(part) for place, part in returned.items() if isinstance(part, names)}

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


def _container(text: str) -> str:
    """What a place is in: what is returned has keys only, what is left behind may be the attribute of an object."""
    ends = "[" if text.startswith(RESULT) else "[."
    return text[: max(map(text.rfind, ends))]


def _is_step(arrays: Sequence[Array], steps: Sequence[Array | None]) -> bool:
    """Whether values are those that the code itself steps by, up or down."""
    pairs = zip(arrays, steps, strict=True)
    return all(step is not None and (same(array, step) or same(array, -step)) for array, step in pairs)
