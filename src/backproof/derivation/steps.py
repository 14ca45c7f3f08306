"""What a derivation is made of: forward steps, backward steps, and the reason of each as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backproof.ir.node import Node
from backproof.ir.sizes import Index, Size
from backproof.ir.symbol import Symbol
from backproof.ops.row import Row

Mean = Literal["loss", "parameters"]
"""Where the 1/m of J stands: in dA of the last layer ("loss": every dx is ∂J/∂x), or in the gradients of the parameters
("parameters": dA and dZ are those of one sample's loss, as in the article)."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """One rewriting of an equation's right side: what it becomes, and why that is the same.

    In `template`, ``{0}`` stands for the first quantity in `named`, and so on.
    """

    result: Node
    template: str
    named: tuple[Node, ...] = ()

    @property
    def meaning(self) -> str:
        """Why it is the same, as plain text."""
        return self.template.format(*(node.symbol for node in self.named))


CURVED = ("elementwise", "general", "composite")
"""Kinds of operations that have a derivative of their own as a factor of the chain rule."""


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """An operation on the way: `operand` is its input number `position`, `others` are the inputs beside it."""

    row: Row
    position: int
    operand: Node
    others: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """One way by which a quantity acts on the result: through the forward quantity `consumer`.

    `links` are the operations from `consumer` down to the quantity; `stretched` are the axes along which the quantity
    was used for every place, so that its contributions are added up.
    """

    consumer: Node
    links: tuple[Link, ...]
    stretched: tuple[Size, ...]

    @property
    def closed(self) -> tuple[Node, ...]:
        """The quantities on the way that have no step of their own: their derivatives are part of this formula."""
        return tuple(link.operand for link in self.links[:-1] if link.operand.symbol is not None)

    @property
    def reasons(self) -> tuple[Link, ...]:
        """The links that say why: the last, before it those that it only rearranges the entries of, and curved ones."""
        first = len(self.links) - 1
        while first > 0 and self.links[first].row.kind == "rearranging":
            first -= 1
        curved = (link for link in self.links[:first] if link.row.kind in CURVED and len(link.row.reasons) == 1)
        return (*curved, *self.links[first:])


@dataclass(frozen=True, slots=True)
class CodeLine:
    """A line of code that a quantity was computed in: where it stands, and its text."""

    place: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class ForwardStep:
    """A quantity of the forward pass. `rewrites` lead to the form that is computed; the last is in `node`."""

    node: Node
    raw: Node
    rewrites: tuple[Rewrite, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class BackwardStep:
    """A derivative: the equation as the rule gives it (`raw`), how it is simplified, and the paths it adds up.

    `node` is the named result, whose operation is the last form. `scale`, where there is one, is the 1/m that this
    step multiplies with because the steps before it leave it out. `contributions` has what comes through each path,
    where `raw` is nothing but their sum.
    """

    node: Node
    of: Node
    raw: Node
    rewrites: tuple[Rewrite, ...]
    paths: tuple[Path, ...]
    scale: Node | None = None
    contributions: tuple[Node, ...] = ()

    @property
    def symbol(self) -> Symbol:
        """The symbol of the derivative."""
        assert self.node.symbol is not None
        return self.node.symbol


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """The chain rule for one entry, through one forward quantity that depends on it.

    entry     the entry that is differentiated by: w_jk
    output    an entry of the forward quantity in other letters, None where that is the result itself: z_p^(i)
    forward   the forward equation of that entry
    local     the derivative of `output` by `entry`, with a delta for each pair of letters that must agree
    factor    what the whole is multiplied with (the 1/m that earlier steps leave out), or None
    sums      the letters of the chain rule's sum over all outputs
    upstream  the derivative by `output`, an entry known from the step before; None where the output is the result
    result    what is left when the deltas have picked their terms: the entry of the gradient
    real      whether the real part of the chain rule's sum is taken, a complex one for a real entry
    """

    consumer: Node
    entry: Node
    output: Node | None
    forward: Node
    local: Node
    factor: Node | None
    sums: tuple[Index, ...]
    upstream: Node | None
    result: Node
    real: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class FunctionFacts:
    """A scalar function that the network uses: its definition and its derivatives, each in one or more forms.

    `call` is the function applied to its arguments (``σ(z)``), `definition` what it is, None where the call says it
    all (``tanh(z)``); `slope` is the derivative applied to them, `slope_forms` its expression and, where there is one,
    the form through the value a.
    """

    name: str
    about: str
    call: Node
    definition: Node | None
    slope: Node
    slope_forms: tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CompositeFacts:
    """An operation that is not element-wise: one entry of its output, and the derivative by an entry of its input.

    `call` is the entry of the output (a_j), `definition` what it is, `argument` an entry of the input in another letter
    (z_k), and `slope_forms` the derivative of the one by the other.
    """

    name: str
    about: str
    call: Node
    definition: Node
    argument: Node
    slope_forms: tuple[Node, ...]
