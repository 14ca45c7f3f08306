"""The derivation: a forward pass and its backward pass, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from backproof.derivation.convolution import as_correlation
from backproof.derivation.functions import functions_of
from backproof.derivation.labels import distributions, shares_added_up
from backproof.derivation.proof import proofs
from backproof.derivation.steps import (
    BackwardStep,
    CodeLine,
    CompositeFacts,
    ForwardStep,
    FunctionFacts,
    Mean,
    Proof,
    Rewrite,
)
from backproof.ir.node import Graph, Node
from backproof.ir.sizes import Shape
from backproof.ir.symbol import Symbol
from backproof.ops.complexes import ComplexNodes, complex_nodes
from backproof.ops.entries import Places


@dataclass(frozen=True, slots=True, eq=False)
class Jacobian:
    """The derivatives of every entry of `of` by every entry of `by`; a Hessian, or a block of one, where `of` is
    a derivative itself.

    symbol   what it is called: H, or dy_dx
    product  the derivation that gives its product with a vector: from `of` back to `by`
    applied  that product as one expression, the steps put in; None where that would be too long to read
    matrix   the formula of the whole, named by the symbol; None where there is none that is short
    places   the entries of `of` and of `by` that `entry` speaks of
    entry    the derivative of the one by the other, with deltas; None where it has no formula that is short
    """

    symbol: Symbol
    of: Node
    by: Node
    product: Derivation
    applied: Node | None
    matrix: Node | None
    places: tuple[Places, Places]
    entry: Node | None

    @property
    def second(self) -> bool:
        """Whether it is a Hessian."""
        return self.product.first is not None

    @property
    def shape(self) -> Shape:
        """The axes of `of`, then those of `by`."""
        return (*self.of.shape, *self.by.shape)

    @property
    def direction(self) -> Node:
        """The vector that the product is taken with."""
        return self.product.graph.inputs[-1]

    @property
    def argument(self) -> Node:
        """Of a Hessian: the argument that `of` is the derivative by; another than `by` off its diagonal."""
        return self.product.directions[self.direction]

    @property
    def image(self) -> Node:
        """The product of that vector and the Jacobian."""
        return self.product.gradients[str(self.by.symbol)]


@dataclass(frozen=True, eq=False, repr=False)
class Derivation:
    """A forward pass and its backward pass, in the order a person would write them.

    `sources` has the line of code that a quantity was computed in, where there is one; `notes` say what a reader must
    know of the code.

    A derivation of the second order differentiates the gradients of `first`, whose steps come before its own, along
    `directions`: inputs, each with the argument that it varies.
    `jacobians` are the matrices of derivatives that were asked for.
    """

    graph: Graph
    forward: tuple[ForwardStep, ...]
    backward: tuple[BackwardStep, ...]
    mean: Mean
    sources: Mapping[Node, CodeLine] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    first: Derivation | None = None
    directions: Mapping[Node, Node] = field(default_factory=dict)
    jacobians: tuple[Jacobian, ...] = ()

    def __repr__(self) -> str:
        return f"<derivation of {', '.join(str(step.symbol) for step in self.backward)}>"

    @cached_property
    def quantities(self) -> dict[str, Node]:
        """Every quantity by its plain name (``dW[1]``), inputs first, then forward, then backward."""
        nodes = [*self.graph.inputs, *(s.node for s in self.forward), *(s.node for s in self.backward)]
        return {str(node.symbol): node for node in nodes}

    def computed(self, node: Node) -> Node:
        """A quantity of the forward pass as it is computed: in its last form."""
        return next((step.node for step in self.forward if step.raw is node), node)

    @property
    def result(self) -> Node:
        """The quantity that is differentiated, as it is computed."""
        (output,) = self.graph.outputs
        return self.computed(output)

    @property
    def gradients(self) -> dict[str, Node]:
        """The derivative by each parameter and requested input, by the plain name of that input (``W[1]``)."""
        leaves = set(self.graph.inputs)
        return {str(step.of.symbol): step.node for step in self.backward if step.of in leaves}

    @cached_property
    def complexes(self) -> ComplexNodes | None:
        """What tells the complex quantities apart; None where all are real."""
        return complex_nodes(self.graph.nodes())

    @cached_property
    def functions(self) -> tuple[FunctionFacts | CompositeFacts, ...]:
        """The functions that the forward pass uses, with their derivatives."""
        return functions_of(self.graph.nodes())

    @cached_property
    def _derivative_by(self) -> dict[Node, Node]:
        return {step.of: step.node for step in self.backward}

    def proofs(self, step: BackwardStep) -> list[Proof]:
        """Why a step is right, entry by entry, for each forward quantity that it goes through."""
        return proofs(step, self._derivative_by, self.complexes)

    @cached_property
    def correlations(self) -> dict[BackwardStep, Rewrite]:
        """Of the steps by which a derivative comes back through a convolution, the same equation as a correlation."""
        found = ((step, as_correlation(step.node)) for step in self.backward)
        return {step: rewrite for step, rewrite in found if rewrite is not None}

    @cached_property
    def assuming(self) -> dict[BackwardStep, tuple[Rewrite, ...]]:
        """Of the steps that are shorter for labels as those in the data given, how they come to be so."""
        return shares_added_up(self.backward, distributions(self.graph))
