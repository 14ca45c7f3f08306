"""A builder of LLVM's intermediate representation that writes what indexes and addresses need once in each block.

LLVM would find the repetitions itself, but in most of the time that it takes to compile a step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from llvmlite import ir

from backproof.emit.native.lanes import Value

PURE = (
    *("add", "sub", "mul", "udiv", "urem", "icmp_unsigned", "select", "gep", "bitcast"),
    *("insert_element", "shuffle_vector"),
)
"""What gives the same for the same operands, and is often written again."""


class Builder(ir.IRBuilder):  # type: ignore[misc]  # llvmlite has no types
    """As llvmlite's; but it answers an instruction that it wrote before in the same block with that one."""

    def __init__(self, block: ir.Block) -> None:
        super().__init__(block)
        self._known: dict[tuple[Any, ...], Value] = {}

    def once(self, write: Callable[..., Value], *operands: Any, **options: Any) -> Value:
        """What an instruction of `PURE` gives, written here or before."""
        key = (self.block, write, *map(_key, operands), *map(_key, options.items()))
        if key not in self._known:
            self._known[key] = write(self, *operands, **options)
        return self._known[key]


def _key(operand: Any) -> Any:
    if isinstance(operand, list | tuple):
        return tuple(map(_key, operand))
    if isinstance(operand, ir.Constant) and isinstance(operand.constant, int):
        return operand.type.width, operand.constant  # constants are compared by their text, which takes longer
    return operand


def _written_once(name: str) -> Callable[..., Value]:
    write = getattr(ir.IRBuilder, name)

    @wraps(write)
    def method(builder: Builder, *operands: Any, **options: Any) -> Value:
        return builder.once(write, *operands, **options)

    return method


for _name in PURE:
    setattr(Builder, _name, _written_once(_name))
