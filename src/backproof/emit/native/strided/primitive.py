"""A step in few operations: those on entries, moves of entries, sums, and products of two arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from backproof.emit.entrywise import is_entrywise
from backproof.emit.native.strided.contracting import contracted
from backproof.emit.step import plain
from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import Size
from backproof.ops import linalg, linear, reductions, shaping, softmax, vectors
from backproof.ops.arithmetic import div, mul, power, sub
from backproof.ops.entries import row_of
from backproof.ops.leaves import constant, input_
from backproof.ops.row import Row


def in_primitives(outputs: Sequence[Node], lengths: Callable[[Sequence[Size]], tuple[int, ...]]) -> list[Node]:
    """The same results by few operations. What there are no others for stays as it is."""
    done: dict[Node, Node] = {}
    known: dict[tuple[Any, ...], Node] = {}

    def primitive(node: Node, is_product: bool = False) -> Node:
        written = None if is_product and node.op in PRODUCTS else _written(node, lengths)
        if written is None:
            # The same operation on the same arrays is done once.
            attrs = sorted((name, plain(value)) for name, value in node.attrs.items())
            return known.setdefault((node.op, node.inputs, str(attrs)), node) if node.inputs else node
        inside: dict[Node, Node] = {x: x for x in node.inputs}
        for x in ancestors([written], stop=inside.__contains__):
            if x not in inside:
                inside[x] = primitive(x.on(tuple(inside[y] for y in x.inputs)), node.op in (*PRODUCTS, vectors.einsum))
        return inside[written]

    for node in ancestors(outputs):
        done[node] = primitive(node.on(tuple(done[x] for x in node.inputs)))
    return [done[x] for x in outputs]


def _written(node: Node, lengths: Callable[[Sequence[Size]], tuple[int, ...]]) -> Node | None:
    """An operation in terms of others."""
    op = row_of(node)
    if op in WRITTEN:
        return WRITTEN[op](node)
    if op in MASKS:
        ones = np.ones(lengths(node.shape))
        return mul(node.inputs[0], input_(shape=node.shape, value=op.meaning(ones, **node.attrs)))
    if op is linalg.scaled_identity:
        eye = np.eye(lengths(node.shape)[0])
        return mul(node.inputs[0], input_(shape=node.shape, value=eye))
    if op in PRODUCTS:
        return _of_stacks(node)
    if op.body is not None and not is_entrywise(node):
        return op.body(*node.inputs, **node.attrs)
    return None


def _outer(node: Node) -> Node:
    a, b = node.inputs
    return mul(linear.expand(a, axes=(-1,)), linear.expand(b, axes=(-2,)))


def _matvec(node: Node) -> Node:
    a, x = node.inputs
    return shaping.squeeze(linear.matmul(a, linear.expand(x, axes=(-1,))), axes=(-1,))


def _trace(node: Node) -> Node:
    return linear.total(linalg.diagonal(node.inputs[0]), (-1,), keepdims=False)


def _diag_times(node: Node) -> Node:
    d, a = node.inputs
    return mul(linear.expand(d, axes=(-1,)), a)


def _var(node: Node) -> Node:
    (a,), axes, ddof = node.inputs, node.attrs["axes"], node.attrs["ddof"]
    squared = power(sub(a, reductions.mean(a, axes, keepdims=True)), exponent=2)
    divisor = sub(reductions.count(a.shape, axes), constant(ddof))
    return mul(div(constant(1), divisor), linear.total(squared, axes, keepdims=node.attrs["keepdims"]))


def _einsum(node: Node) -> Node:
    return contracted(node.inputs, node.attrs["axes"], node.attrs["result"])


def _of_stacks(node: Node) -> Node | None:
    """A product of stacks of matrices of which one has no stack, or whose stacks are added up: as few products."""
    is_sum = node.op is linear.sum_
    product = node.inputs[0] if is_sum else node
    if product.op is not linear.matmul or (is_sum and product.symbol is not None):
        return None
    a, b = product.inputs
    rank = len(product.shape)
    if rank == 2 or any(size.value is None for x in (a, b) for size in x.shape):
        return None
    stack = LETTERS[: rank - 2]
    result = stack + "rc"
    if is_sum:
        gone = {axis % rank for axis in node.attrs["axes"]}
        if node.attrs["keepdims"] or not gone.issubset(range(rank - 2)):
            return None
        result = "".join(name for k, name in enumerate(result) if k not in gone)
    elif len(a.shape) > 2 and len(b.shape) > 2:
        return None
    names = (stack[rank - len(a.shape) :] + "ro", stack[rank - len(b.shape) :] + "oc")
    return contracted((a, b), names, result)


WRITTEN: Mapping[Row, Callable[[Node], Node]] = {
    vectors.outer: _outer,
    vectors.matvec: _matvec,
    vectors.einsum: _einsum,
    linalg.trace: _trace,
    linalg.diag_times: _diag_times,
    reductions.var: _var,
    softmax.softmax: softmax.stable,
    softmax.log_softmax: softmax.stable,
}
LETTERS = "abdefghijklmn"
"""For the axes of stacks."""
PRODUCTS = (linear.matmul, linear.sum_)
"""What stacks of products are made of: how these are laid out is decided once."""
MASKS = (linalg.tril, linalg.triu, linalg.half_triangle)
"""Operations that multiply each entry by a number of its place."""
