"""Products and transposes: operands swapped, transposed, or multiplied in another way."""

# ruff: noqa: B023  (each candidate is made before the loop that offers it goes on)

from __future__ import annotations

from collections.abc import Iterator

from backproof.checking.equations import exchanged, inside, operands
from backproof.checking.mistakes.kinds import Candidate, Context
from backproof.ir.node import Node
from backproof.ops.arithmetic import mul
from backproof.ops.entries import row_of
from backproof.ops.linear import matmul, transpose, transposed
from backproof.ops.vectors import matvec, outer


def transposes(root: Node, context: Context) -> Iterator[Candidate]:
    """A transpose missing, or one too many."""
    for node in inside(root):
        if node.op is matmul:
            a, b = node.inputs
            left, right = "the transpose of the left factor is wrong", "the transpose of the right factor is wrong"
            yield Candidate(left, lambda: exchanged(root, node, matmul(transposed(a), b)))
            yield Candidate(right, lambda: exchanged(root, node, matmul(a, transposed(b))))
            both = "the transposes of both factors are wrong"
            yield Candidate(both, lambda: exchanged(root, node, matmul(transposed(a), transposed(b))))
        elif node.op is matvec:
            a, b = node.inputs
            says = "the transpose of the matrix is wrong"
            yield Candidate(says, lambda: exchanged(root, node, matvec(transposed(a), b)))
        elif node.op is transpose:
            yield Candidate("the transpose is left out", lambda: exchanged(root, node, node.inputs[0]))
    for x in operands(root):
        if len(x.shape) == 2:
            yield Candidate("{0} is transposed", lambda: exchanged(root, x, transposed(x)), (x,))
    if len(root.shape) == 2:
        yield Candidate("the result is transposed", lambda: transpose(root))


def swapped(root: Node, context: Context) -> Iterator[Candidate]:
    """The factors of a matrix product in the wrong order."""
    for node in inside(root):
        if node.op in (matmul, outer):
            a, b = node.inputs
            says = "the factors are in the wrong order"
            yield Candidate(says, lambda: exchanged(root, node, row_of(node)(b, a)))


def entrywise(root: Node, context: Context) -> Iterator[Candidate]:
    """``*`` for ``@`` and back."""
    for node in inside(root):
        if node.op not in (mul, matmul, matvec, outer):
            continue
        a, b = node.inputs
        if node.op is mul:
            yield Candidate("the matrix product · stands where * belongs", lambda: exchanged(root, node, matmul(a, b)))
            continue
        says = f"* stands where the {'outer' if node.op is outer else 'matrix'} product belongs"
        yield Candidate(says, lambda: exchanged(root, node, mul(a, b)))
        if node.op is matmul:
            yield Candidate(says, lambda: exchanged(root, node, mul(transposed(a), b)))
            yield Candidate(says, lambda: exchanged(root, node, mul(a, transposed(b))))
