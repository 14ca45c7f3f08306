"""Derivatives on the way to the next one: an equation that multiplies may be gone through in several statements.

``dA = dA * D`` and ``dA = dA / keep_prob`` before ``dZ = dA * (1 - np.tanh(Z) ** 2)`` leave behind products of some of
the factors of the equation for dZ.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import combinations

from backproof.checking.equations import factors
from backproof.checking.truth import Quantity, Truth
from backproof.ir.node import Node
from backproof.ops.arithmetic import mul
from backproof.ops.row import Array

MOST_FACTORS = 5
"""Equations with more factors than this are not gone through."""


class Products:
    """The products of the derivative from above with some of the other factors of an equation."""

    def __init__(self, truth: Truth) -> None:
        self._factors: dict[Quantity, tuple[Node, ...]] = {}
        self._of_step: dict[Quantity, list[Quantity]] = {}
        # A derivative by a parameter is the last of its chain, one by a value between goes on.
        for whole in sorted(truth.derivatives, key=lambda q: q.node in truth.parameters):
            found = list(self._products(truth, whole))
            self._of_step |= {whole: found} if found else {}

    def _products(self, truth: Truth, whole: Quantity) -> list[Quantity]:
        longest = max((tuple(factors(form)) for form in whole.forms), key=len)
        above = [x for x in longest if (q := truth.of_node.get(x)) is not None and q.is_whole]
        if len(above) != 1 or not 2 < len(longest) <= MOST_FACTORS:
            return []
        self._factors[whole] = longest
        others = [x for x in longest if x is not above[0]]
        found = []
        for count in range(1, len(others)):
            for chosen in combinations(others, count):
                product = _product([*above, *chosen])
                # The variable still has the name of the derivative that it held.
                node = product.named(above[0].symbol)
                quantity = Quantity(whole.name, node, whole.step, (product,), truth.of_node[above[0]].scaled)
                self._factors[quantity] = (*above, *chosen)
                found.append(quantity)
        return found

    def count(self, truth: Truth, arrays: Sequence[Array]) -> int:
        """How many of some values are products on the way, on the first draw."""
        found = [q for products in self._of_step.values() for q in products]
        return sum(any(truth.is_(q, [array]) for q in found) for array in arrays)

    def of(self, whole: Quantity) -> Sequence[Quantity]:
        """The products on the way to a derivative."""
        return self._of_step.get(whole, ())

    def after(self, former: Quantity) -> list[Quantity]:
        """The products that a derivative, or a product, is multiplied on to, the shortest first."""
        own = set(self._factors.get(former, ())) if not former.is_whole else {former.node}
        found = [q for products in self._of_step.values() for q in products if own < set(self._factors[q])]
        return sorted(found, key=lambda q: len(self._factors[q]))

    def completed(self, product: Quantity, quantity: Quantity) -> Node | None:
        """The equation for a derivative or a product in a shorter product of it; None where that is not one of it."""
        done, all_ = self._factors.get(product, ()), self._factors.get(quantity, ())
        if product.is_whole or not done or not set(done) < set(all_):
            return None
        return _product([product.node, *(x for x in all_ if x not in done)])


def _product(parts: Sequence[Node]) -> Node:
    return reduce(lambda product, x: mul(product, x), parts)
