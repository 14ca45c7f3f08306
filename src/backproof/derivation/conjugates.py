"""What is known of conjugates, real parts and moduli: z** = z, x* = x for a real x, |z|·sgn(z)* = z*."""

from __future__ import annotations

from backproof.ir.node import Node
from backproof.ops.arithmetic import div, mul, neg, product
from backproof.ops.complexes import ComplexNodes, conj, modulus, real, sgn
from backproof.ops.leaves import constant


def undone(node: Node, complexes: ComplexNodes) -> Node | None:
    """A conjugate of a conjugate or of real numbers, and the real part of these, without them."""
    if node.op not in (conj, real) or not node.inputs:
        return None
    (x,) = node.inputs
    if x not in complexes:
        return x
    if node.op is real or x.symbol is not None:
        return None
    if x.op is conj:
        return x.inputs[0]
    if x.op is neg:
        return neg(_conjugate(x.inputs[0], complexes))
    if x.op is mul and any(y not in complexes or (y.op is conj and y.symbol is None) for y in x.inputs):
        a, b = (_conjugate(y, complexes) for y in x.inputs)
        return mul(a, b)
    return None


def _conjugate(node: Node, complexes: ComplexNodes) -> Node:
    return undone(conj(node), complexes) or conj(node)


def with_modulus(node: Node) -> Node | None:
    """A product with |z| and with sgn(z)* as one with z*."""
    if node.op is not mul:
        return None
    for direction, rest in (node.inputs, node.inputs[::-1]):
        if direction.op is conj and direction.symbol is None and direction.inputs[0].op is sgn:
            (z,) = direction.inputs[0].inputs
            others = _without_modulus(rest, z)
            if others is not None:
                return product(others, conj(z))
    return None


def _without_modulus(node: Node, z: Node) -> Node | None:
    """The product without its factor |z|; None where it has none."""
    if node.op is modulus and node.inputs[0] is z:
        return constant(1)
    if node.symbol is not None:
        return None
    if node.op is mul:
        a, b = node.inputs
        rest = _without_modulus(a, z)
        if rest is not None:
            return product(rest, b)
        rest = _without_modulus(b, z)
        return None if rest is None else product(a, rest)
    if node.op is div:
        rest = _without_modulus(node.inputs[0], z)
        return None if rest is None else div(rest, node.inputs[1])
    return None
