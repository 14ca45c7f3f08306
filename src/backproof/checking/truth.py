"""What every quantity of a derivation is on each draw of the arguments, and which of them a value is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from backproof.checking.arguments import places_of
from backproof.checking.comparing import distance, same, tolerance
from backproof.checking.equations import exchanged, inside, operands, terms
from backproof.checking.idle import idle_entries
from backproof.checking.naming import base, exact_spellings, last_word, letters, plain, spellings
from backproof.checking.rounding import movements
from backproof.checking.subjects.subject import Played
from backproof.derivation.derivation import Derivation
from backproof.derivation.steps import BackwardStep
from backproof.execution.interpret import evaluate, length
from backproof.execution.trace import Trace
from backproof.ir.node import Node, ancestors
from backproof.ops.arithmetic import div, mul
from backproof.ops.fused import FusedRow
from backproof.ops.leaves import constant_, size_
from backproof.ops.row import Array

CANCELLED = 1e-3
"""Up to which part of what a derivative is computed from a difference may turn out to be rounding."""
SUMMED = 4
"""How many times n roundings of the largest of n terms their sum may be off by: some times the most that is seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """One run of the user's code, and the values of the derivation on the same arguments."""

    played: Played
    truth: Trace


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """What a value may be: a quantity of the forward pass, a derivative, or one of the terms that a derivative adds up.

    name    its plain name; a term has its place behind it
    node    what has its value
    step    the derivative's step; None for a quantity of the forward pass
    forms   its right side in all forms, as the rule gives it first
    scaled  whether it is a multiple by the factor of the convention
    """

    name: str
    node: Node
    step: BackwardStep | None = None
    forms: tuple[Node, ...] = ()
    scaled: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it is a derivative, and not a part of one."""
        return self.step is not None and self.node is self.step.node


class Truth:
    """The right values on every draw, as they are in code that keeps to a convention.

    `convention` is the factor that derivatives of intermediate quantities are a multiple by (m, where the 1/m of a mean
    comes in with the parameters). What is derived by and not in `wanted`, as the data that a first layer is given, is
    one of these: code that goes through the layers in a loop has a derivative by it too.
    """

    def __init__(
        self,
        derivation: Derivation,
        draws: Sequence[Draw],
        convention: Node | None,
        wanted: Collection[str] | None = None,
    ) -> None:
        self.derivation, self.draws, self.convention = derivation, draws, convention
        self.sizes = [draw.truth.sizes for draw in draws]
        self._factors = [
            1.0 if convention is None else float(evaluate([convention], {}, sizes)[convention]) for sizes in self.sizes
        ]
        self.parameters = {node: name for name, node in derivation.gradients.items()}
        self._divided = {node for node, name in self.parameters.items() if wanted is None or name in wanted}
        self.forward = [Quantity(str(x.symbol), x) for x in derivation.graph.inputs]
        self.forward += [Quantity(str(step.node.symbol), step.node, forms=(step.raw,)) for step in derivation.forward]
        self.derivatives = [self._whole(step) for step in derivation.backward]
        self._derivative_nodes = {q.node for q in self.derivatives}
        self._close: dict[int, tuple[list[Quantity], Array, Array]] = {}
        self._opened: dict[tuple[Node, Node], list[Node]] = {}
        self._operations_of: dict[Node, dict[int, list[Node]]] = {}
        self._rounding: dict[tuple[Node, int], float] = {}
        self._largest: dict[tuple[Node, int], tuple[float, int] | None] = {}
        self.parts = {q: list(self._parts(q)) for q in self.derivatives}
        self.of_node = {q.node: q for q in (*self.forward, *self.derivatives)}
        self.of_name = {name: self.of_node[node] for node, name in self.parameters.items()}
        self.undivided = {
            q: Quantity(q.name, q.node, q.step, q.forms, scaled=True)
            for q in self.derivatives
            if convention is not None and q.node in self._divided
        }
        self.by_name: dict[str, Quantity] = {}
        for quantity in self.derivatives:
            assert quantity.step is not None
            for spelling in spellings(str(quantity.step.of.symbol)):
                self.by_name.setdefault(spelling, quantity)
        called = Counter(plain(str(q.step.of.symbol)) for q in self.derivatives if q.step is not None)
        self._by_exact_name = {
            spelling: q
            for q in self.derivatives
            if q.step is not None and called[plain(str(q.step.of.symbol))] > 1
            for spelling in exact_spellings(str(q.step.of.symbol))
        }
        self._by_letters: dict[str, list[Quantity]] = {}
        for quantity in self.derivatives:
            assert quantity.step is not None
            for start in dict.fromkeys(map(base, spellings(str(quantity.step.of.symbol)))):
                self._by_letters.setdefault(start, []).append(quantity)
        self._values: list[dict[Node, Array]] = [
            {q.node: np.asarray(draw.truth[q.name]) for q in (*self.forward, *self.derivatives)} for draw in draws
        ]

    def _whole(self, step: BackwardStep) -> Quantity:
        forms = (step.raw, *(rewrite.result for rewrite in step.rewrites))
        scaled = self.convention is not None and step.node not in self._divided
        return Quantity(str(step.symbol), step.node, step, forms, scaled)

    def _parts(self, whole: Quantity) -> Iterator[Quantity]:
        """The terms that a derivative adds up; in a parameter's, the factor of the convention may come in last."""
        assert whole.step is not None
        found = whole.step.contributions if len(whole.step.contributions) > 1 else terms(whole.step.raw)
        if len(found) < 2:
            return
        for k, part in enumerate(found):
            for scaled in {whole.scaled, self.convention is not None}:
                yield Quantity(f"{whole.name} ({k + 1})", part, whole.step, (part,), scaled)

    @property
    def played(self) -> list[Played]:
        """The runs of the code."""
        return [draw.played for draw in self.draws]

    def of_runs(self, draws: Sequence[Draw]) -> Truth:
        """The same of other runs on the same arguments."""
        other = copy(self)
        other.draws = draws
        return other

    def value(self, quantity: Quantity, draw: int) -> Array:
        """What a quantity is on a draw, in the convention of the code."""
        scale, plain_value = self.scale(quantity, draw), self.plain(quantity.node, draw)
        return plain_value if scale == 1 else scale * plain_value

    def plain(self, node: Node, draw: int) -> Array:
        """What a node of the derivation is on a draw."""
        values = self._values[draw]
        if node not in values:
            values[node] = evaluate([node], values, self.sizes[draw])[node]
        return values[node]

    def opened(self, form: Node, of: Node, step: BackwardStep) -> list[Node]:
        """An equation with a derivative that stands in it computed there, in both forms of its step; made once."""
        if (form, of) not in self._opened:
            parts = dict.fromkeys([step.node.named(None), step.raw])
            self._opened[form, of] = [exchanged(form, of, part) for part in parts]
        return self._opened[form, of]

    def operations(self, form: Node) -> Mapping[int, Sequence[Node]]:
        """The operations of an equation that give arrays, by how many entries these have on the first draw."""
        if form not in self._operations_of:
            found: dict[int, list[Node]] = {}
            for x in inside(form):
                if x.shape:
                    found.setdefault(math.prod(length(n, self.sizes[0]) for n in x.shape), []).append(x)
            self._operations_of[form] = found
        return self._operations_of[form]

    def scale(self, quantity: Quantity, draw: int) -> float:
        """What the convention makes a quantity a multiple by."""
        return self._factors[draw] if quantity.scaled else 1.0

    def factor(self, draw: int) -> float:
        """The convention's factor."""
        return self._factors[draw]

    def forward_values(self, draw: int) -> dict[Node, Array]:
        """The values of the forward quantities on a draw."""
        return {q.node: self._values[draw][q.node] for q in self.forward}

    def is_(self, quantity: Quantity, arrays: Sequence[Array]) -> bool:
        """Whether values are those of a quantity on every draw."""
        return all(
            same(array, self.value(quantity, k)) or self._is_rounding(quantity, array, k)
            for k, array in enumerate(arrays)
        )

    def update(self, quantity: Quantity, played: Played) -> Array | None:
        """By how much a run changed the parameter itself that a derivative is by; None where it did not."""
        return played.updates.get(self._places.get(self.parameters[quantity.node], ""))

    @cached_property
    def _places(self) -> Mapping[str, str]:
        return places_of(self.derivation.graph.inputs, self.draws[0].played.arguments)

    def multiple(self, quantity: Quantity, arrays: Sequence[Array | None]) -> float:
        """The number that values are a derivative times on every draw; 0 where they are not, or are no number."""
        factors = []
        for draw, array in enumerate(arrays):
            right = self.plain(quantity.node, draw)
            if array is None or array.shape != right.shape or not right.any():
                return 0.0
            factors.append(float(np.vdot(array, right) / np.vdot(right, right)))
            if not same(array, factors[-1] * right):
                return 0.0
        return factors[0] if np.allclose(factors, factors[0]) else 0.0

    def passes_for(self, quantity: Quantity, arrays: Sequence[Array]) -> bool:
        """Whether values are those of a derivative wherever anything depends on them."""
        if not quantity.is_whole:
            return False
        for draw, array in enumerate(arrays):
            value, idle = self.value(quantity, draw), self._idle[draw].get(quantity.node)
            if idle is None or array.shape != value.shape or not same(np.where(idle, value, array), value):
                return False
        return True

    @cached_property
    def _idle(self) -> list[Mapping[Node, Array]]:
        steps = self.derivation.backward
        return [idle_entries(steps, partial(self.plain, draw=k)) for k in range(len(self.draws))]

    def _is_rounding(self, quantity: Quantity, found: Array, draw: int) -> bool:
        """Whether a value differs from a derivative by rounding alone, where that is next to nothing beside the
        derivatives that it is summed up from, as a bias's is before a normalisation."""
        if not quantity.is_whole or (above := self._above(quantity.node, draw)) is None:
            return False
        scale, off = self.scale(quantity, draw), distance(found, self.value(quantity, draw))
        if not off <= CANCELLED * scale * above[0]:
            return False
        kind = found.dtype if found.dtype.kind == "f" else np.dtype(float)
        return bool(off <= scale * float(np.finfo(kind).eps) * self._roundings(quantity.node, draw))

    def _above(self, node: Node, draw: int) -> tuple[float, int] | None:
        """The largest entry of the derivatives that a derivative is computed from, and how many each of its has."""
        if (node, draw) not in self._largest:
            parts = [x for x in operands(self.of_node[node].forms[0]) if x in self._derivative_nodes]
            arrays = [self.plain(x, draw) for x in parts]
            largest = max((float(np.max(np.abs(array), initial=0.0)) for array in arrays), default=0.0)
            most = max((array.size for array in arrays), default=0)
            count = max(1, most // max(1, self.plain(node, draw).size))
            self._largest[node, draw] = (largest, count) if largest else None
        return self._largest[node, draw]

    def _roundings(self, node: Node, draw: int) -> float:
        """How large the rounding of a derivative may be, in units of the relative rounding of one number.

        A sum of n terms is off by up to n roundings of the largest, for which some times as many are allowed. The terms
        are off by more themselves where they cancel too: by what they move when all values on the way move by one.
        """
        if (node, draw) not in self._rounding:
            largest, count = self._above(node, draw) or (0.0, 0)
            inputs = {x: self._values[draw][x] for x in self.derivation.graph.inputs}
            steps = self.derivation.forward
            forward = {x: self._values[draw][step.node] for step in steps for x in (step.node, step.raw)}
            (moved,) = movements([node], inputs, forward, self.sizes[draw])
            most = float(np.max(moved, initial=0.0)) / float(np.finfo(float).eps)
            self._rounding[node, draw] = SUMMED * count * largest + most
        return self._rounding[node, draw]

    def is_idle(self, quantity: Quantity) -> bool:
        """Whether J does not depend on what a derivative is by: only its name tells that a value is meant to be it."""
        return not operands(quantity.forms[0]) and not any(values[quantity.node].any() for values in self._values)

    def is_passed_by(self, arrays: Sequence[Array], *, opened: bool = False) -> bool:
        """Whether values are those of an operation of the forward pass, one without a name.

        With `opened`, of one within a formula that is a single operation in the derivation, too.
        """
        operations = self._opened_operations if opened else self._operations
        alike = (x for x, value in operations[0].items() if value.size == arrays[0].size > 1)
        return any(all(same(array, operations[k][x]) for k, array in enumerate(arrays)) for x in alike)

    @cached_property
    def _operations(self) -> list[dict[Node, Array]]:
        outputs = self.derivation.graph.outputs
        given = [{x: values[x] for x in self.derivation.graph.inputs} for values in self._values]
        return [evaluate(outputs, known, sizes) for known, sizes in zip(given, self.sizes, strict=True)]

    @cached_property
    def _opened_operations(self) -> list[dict[Node, Array]]:
        formulas = [x.op.written(*x.inputs) for x in self._operations[0] if isinstance(x.op, FusedRow)]
        return [evaluate(formulas, known, sizes) for known, sizes in zip(self._operations, self.sizes, strict=True)]

    def alike(self, quantity: Quantity) -> list[Quantity]:
        """The derivatives that have the values of a quantity, which a value cannot tell from it."""
        values = [self.plain(quantity.node, k) for k in range(len(self.draws))]
        if values[0].size < 2:
            return []
        return [q for q in self.derivatives if all(same(x, self.plain(q.node, k)) for k, x in enumerate(values))]

    def named(self, text: str) -> Quantity | None:
        """The derivative whose name an expression has: of ``dZ2`` and ``grads['dZ2']`` it is dZ[2]."""
        word = last_word(text)
        return self._by_exact_name.get(word) or self.by_name.get(plain(word))

    def forward_named(self, text: str) -> tuple[Quantity, BackwardStep] | None:
        """The quantity of the forward pass whose name an expression has, and the step of the derivative by it."""
        steps = {q.step.of: q.step for q in self.derivatives if q.step is not None}
        alike = (q for q in self.forward if plain(q.name) == plain(text) and q.node in steps)
        return next(((q, steps[q.node]) for q in alike), None)

    def parameter_named(self, text: str) -> Quantity | None:
        """The derivative whose name, or whose parameter's name, the key of a dictionary is."""
        word = last_word(text)
        plain_names = (q for name, q in self.of_name.items() if plain(name) == plain(word))
        return self.named(text) or self.of_name.get(word) or next(plain_names, None)

    def lettered(self, text: str) -> list[Quantity]:
        """The derivatives whose names have the letters of an expression: of ``dZ`` all of dZ[1], dZ[2], …"""
        return self._by_letters.get(letters(text), [])

    def derivatives_among(self, arrays: Iterable[Array]) -> list[Quantity]:
        """Those of some values that are derivatives, on the first draw."""
        found = (next(self._derivatives_like(x), None) for x in arrays)
        return [quantity for quantity in found if quantity is not None]

    def _derivatives_like(self, array: Array) -> Iterator[Quantity]:
        yield from (q for q in self._close_to(array) if q.is_whole and self.is_(q, [array]))
        yield from (q for q in self._with_idle.get(array.size, ()) if self.passes_for(q, [array]))

    @cached_property
    def _with_idle(self) -> dict[int, list[Quantity]]:
        """The derivatives with entries that nothing depends on, by how many entries they have.

        Where nothing depends on any of them, as on what a first state of zeros is multiplied by, all values would do.
        """
        found: dict[int, list[Quantity]] = {}
        for node, idle in self._idle[0].items():
            if not idle.all():
                found.setdefault(idle.size, []).append(self.of_node[node])
        return found

    def is_derivative(self, array: Array, text: str = "") -> bool:
        """Whether a value is a derivative, or a term of one, on the first draw: one that an expression is called."""
        meant = [q.step for q in self.lettered(text)] if text else []
        alike = (q for q in self._close_to(array) if q.step is not None and (not meant or q.step in meant))
        idle = (q for q in self._with_idle.get(array.size, ()) if not meant or q.step in meant)
        return any(self.is_(q, [array]) for q in alike) or any(self.passes_for(q, [array]) for q in idle)

    def is_on_the_way(self, array: Array) -> bool:
        """Whether a value is one that a derivative is computed through and that has no name, on the first draw."""
        sums = _sums(array)
        far = array.size * tolerance(array.dtype)
        for node, own in self._between.get(array.size, ()):
            if abs(own[0] - sums[0]) <= far * own[1] and same(array, self.plain(node, 0)):
                return True
        return False

    @cached_property
    def _between(self) -> dict[int, list[tuple[Node, tuple[float, float]]]]:
        found: dict[int, list[tuple[Node, tuple[float, float]]]] = {}
        for quantity in self.derivatives:
            assert quantity.step is not None
            for node in inside(quantity.step.node):
                parts = self._derivative_nodes.intersection(operands(node)) if node.symbol is None else ()
                value = self.plain(node, 0) if parts else None
                if value is not None and value.size > 1:
                    found.setdefault(value.size, []).append((node, _sums(value)))
        return found

    def is_derivative_by_number(self, array: Array) -> bool:
        """Whether a number is the derivative by a number, on the first draw, whatever it is called."""
        return any(q.is_whole and self.is_(q, [array]) for q in self.derivatives)

    def recognised(self, text: str, arrays: Sequence[Array], called: str = "") -> Quantity | None:
        """The quantity that these values are; the one that the name says, if it says one.

        `called` is an expression of which the letters tell, and the number does not: a variable of a loop.
        """
        wanted = self.named(text)
        alike = self._close_to(arrays[0])
        if wanted is not None:
            # What dA is changed to in place is often still called dA.
            undivided = [self.undivided[wanted]] if wanted in self.undivided else []
            later = (q for q in alike if q.is_whole and q.step and wanted.node in operands(q.step.raw))
            alike = [wanted, *undivided, *later]
        elif not any(array.any() for array in arrays):
            return None  # zeros are anything
        else:
            alike = [*alike, *(self.undivided[q] for q in self.lettered(called or text) if q in self.undivided)]
        found = next((q for q in alike if self.is_(q, arrays)), None)
        if found is None:
            idle = self._with_idle.get(arrays[0].size, []) if wanted is None else [wanted]
            found = next((q for q in idle if self.passes_for(q, arrays)), None)
        called = called or text
        if found is None or found.step is None or found.is_whole or not called.isidentifier() or called[-1:].isdigit():
            return found
        # What is called dh is meant to be the whole of it.
        return None if found.step.node in {q.node for q in self.lettered(called)} else found

    def may_be_rounds(self, text: str, arrays: Sequence[Array], rounds: int) -> bool:
        """Whether the values that an expression has in the rounds of a loop may be the slices of one quantity."""
        if any(self.plain(q.node, 0).size == arrays[0].size for q in self.lettered(text)):
            return False  # each round has one of its own
        # On data of other sizes lengths that happen to agree do not.
        return any(
            all(
                rounds in (shape := self.plain(q.node, k).shape) and math.prod(shape) == array.size * rounds
                for k, array in enumerate(arrays)
            )
            for q in (*self.forward, *self.derivatives)
        )

    def _close_to(self, array: Array) -> list[Quantity]:
        """The quantities of an array's size whose entries add up to about the same on the first draw."""
        if array.size not in self._sized:
            return []
        quantities, sums, largest = self._sums_of(array.size)
        # As much as what is compared entry by entry may be off, and what is rounding in it.
        far = array.size * max(tolerance(array.dtype), CANCELLED) * largest
        close = np.all(np.abs(sums - _sums(array)) <= far[:, None], axis=1)
        return [quantities[k] for k in np.flatnonzero(close)]

    def _sums_of(self, size: int) -> tuple[list[Quantity], Array, Array]:
        """The quantities of a size, what their entries add up to, and the largest number in each or above it."""
        if size not in self._close:
            quantities = self._sized[size]
            values = [self.value(q, 0) for q in quantities]
            pairs = zip(quantities, values, strict=True)
            largest = [float(np.max(np.abs(x), initial=0.0)) + self._from_above(q) for q, x in pairs]
            sums = np.array([_sums(x) for x in values])
            self._close[size] = quantities, sums, np.array([x or 1.0 for x in largest])
        return self._close[size]

    def _from_above(self, quantity: Quantity) -> float:
        """The largest entry of what a derivative is computed from, in the convention of the code."""
        above = self._above(quantity.node, 0) if quantity.is_whole else None
        return 0.0 if above is None else self.scale(quantity, 0) * above[0]

    @cached_property
    def _sized(self) -> dict[int, list[Quantity]]:
        """The quantities with as many entries; single numbers are recognised by their names only."""
        found: dict[int, list[Quantity]] = {}
        parts = (part for q in self.derivatives for part in self.parts[q])
        for quantity in (*self.forward, *self.derivatives, *parts):
            size = self.plain(quantity.node, 0).size
            if size > 1:
                found.setdefault(size, []).append(quantity)
        return found


def _sums(array: Array) -> tuple[float, float]:
    """The sum of all entries and that of their sizes, which no layout changes."""
    with np.errstate(all="ignore"):
        return float(np.sum(array)), float(np.sum(np.abs(array)))


def divisors(derivation: Derivation) -> list[Node]:
    """What the forward pass divides by that is the same for all entries: the lengths and numbers of its means.

    Of a product such as 2m, the lengths in it are divisors too: the 2 may go where the m does not.
    """
    (output,) = derivation.graph.outputs
    found = [x.inputs[1] for x in ancestors([output]) if x.op is div and not x.inputs[1].shape]
    numbers = [x for x in found if _is_number(x)]
    lengths = [y for x in numbers for y in ancestors([x]) if y.op is size_]
    return list({_written(x): x for x in (*numbers, *lengths)}.values())


def _written(number: Node) -> tuple[str, ...]:
    """What a number is made of, the same for the same number written twice."""
    return tuple(f"{x.op.name} {sorted(x.attrs.items())}" for x in ancestors([number]))


def _is_number(node: Node) -> bool:
    return all(x.op in (size_, constant_, mul) for x in ancestors([node]))
