"""Terms: left out, with the wrong sign, the last one only; and the regularisation among them."""

# ruff: noqa: B023  (each candidate is made before the loop that offers it goes on)

from __future__ import annotations

from collections.abc import Iterator

from backproof.checking.equations import exchanged, inside, operands, terms
from backproof.checking.mistakes.kinds import Candidate, Context, nameable
from backproof.ir.node import Node
from backproof.ops.arithmetic import add, mul, neg, sub
from backproof.ops.leaves import constant_, input_


def regularisation_left_out(root: Node, context: Context) -> Iterator[Candidate]:
    """The term of the regularisation left out."""
    for candidate, dropped in _left_out(root):
        if is_regularisation(dropped, context.of):
            yield Candidate("the term of the regularisation, with {0}, is left out", candidate.make, (context.of,))


def left_out(root: Node, context: Context) -> Iterator[Candidate]:
    """Any term left out."""
    for candidate, _ in _left_out(root):
        yield candidate


def _left_out(root: Node) -> Iterator[tuple[Candidate, Node]]:
    for node in inside(root):
        if node.op is add:
            for dropped, kept in (node.inputs, node.inputs[::-1]):
                named = nameable([dropped])
                what = "the term {0} is left out" if named else "one of the terms that are added up is left out"
                says = f"{what} (a path forgotten, or = in place of +=)"
                yield Candidate(says, lambda: exchanged(root, node, kept), named), dropped
        if node.op is sub:
            first, second = node.inputs
            named = nameable([second])
            says = "what is subtracted, {0}, is left out" if named else "what is subtracted is left out"
            yield Candidate(says, lambda: exchanged(root, node, first), named), second
            yield Candidate("a term is left out", lambda: exchanged(root, node, neg(second))), first


def signs_of_terms(root: Node, context: Context) -> Iterator[Candidate]:
    """A term with the wrong sign."""
    for node in inside(root):
        if node.op is add:
            first, second = node.inputs
            yield Candidate("a term has the wrong sign", lambda: exchanged(root, node, sub(first, second)))
            yield Candidate("a term has the wrong sign", lambda: exchanged(root, node, sub(second, first)))
        if node.op is sub:
            first, second = node.inputs
            yield Candidate("a term has the wrong sign", lambda: exchanged(root, node, add(first, second)))


def last_only(root: Node, context: Context) -> Iterator[Candidate]:
    """One term of several kept: each assignment has written over the one before."""
    for node in inside(root):
        if node.op is add:
            found = terms(node)
            for kept in found if len(found) > 2 else ():
                says = f"of the {len(found)} terms that are added up only one is kept (= in place of +=)"
                yield Candidate(says, lambda: exchanged(root, node, kept))


def bias_regularised(root: Node, context: Context) -> Iterator[Candidate]:
    """The regularisation applied to a parameter that the loss does not regularise."""
    for of, derivative in context.gradients.items():
        for node in inside(derivative):
            for term in terms(node) if node.op is add and of is not context.of else ():
                if is_regularisation(term, of):
                    says = "the regularisation is applied to {0}, which the loss does not regularise"
                    yield Candidate(says, lambda: add(root, exchanged(term, of, context.of)), (context.of,))


def is_regularisation(term: Node, of: Node) -> bool:
    """Whether a term of the derivative by a parameter is made of that parameter and numbers alone."""
    found = operands(term) if term.symbol is None else [term]
    return of.op is input_ and bool(found) and all(x is of for x in found)


def scaled_terms(root: Node) -> list[Node]:
    """The parts of an equation that may have a factor of their own: numbers, and what is added up or multiplied."""
    below = [x for node in inside(root) if node.op in (add, sub, mul) for x in node.inputs]
    numbers = [x for x in inside(root) if x.op is constant_]
    return list(dict.fromkeys(x for x in (*numbers, *below) if x is not root))
