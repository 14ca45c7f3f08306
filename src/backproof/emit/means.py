"""Sums that are means: what is multiplied by 1/n."""

from __future__ import annotations

import math

from backproof.ir.node import Node
from backproof.ir.sizes import ONE
from backproof.ops import arithmetic, leaves


def is_reciprocal(node: Node) -> bool:
    """Whether a node is 1/n for a number or a size n."""
    return node.op is arithmetic.div and not node.shape and node.symbol is None and leaves.is_number(node.inputs[0], 1)


def counts(count: Node, total: Node) -> bool:
    """Whether a number is how many entries a sum adds up."""
    sizes = [total.inputs[0].shape[axis] for axis in total.attrs["axes"]]
    if count.op is leaves.size_:
        return [size for size in sizes if size != ONE] == [count.attrs["size"]]
    lengths = [size.value for size in sizes]
    return count.op is leaves.constant_ and None not in lengths and math.prod(lengths) == count.attrs["value"]
