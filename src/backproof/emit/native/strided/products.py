"""Matrix products by the BLAS that SciPy brings (Dongarra et al., "A Set of Level 3 Basic Linear Algebra Subprograms",
1990), called from the code itself."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from llvmlite import ir

from backproof.emit.native.builder import Builder
from backproof.emit.native.lanes import FLOATS, Value
from backproof.emit.native.loops import index, loop
from backproof.emit.native.strided.kernels import Product
from backproof.emit.native.strided.nests import Axis, nest
from backproof.emit.native.strided.values import Loaded

ROUTINES = {4: "sgemm", 8: "dgemm"}
"""What is called for numbers of so many bytes; both are to be known by this name where the code is loaded."""


def leading(x: Loaded) -> tuple[bool, int] | None:
    """Of a matrix, the last two axes: whether its columns lie side by side, and how far it is from one to the next.

    Else its rows do. None where neither the entries of a row nor those of a column lie one after the other.
    """
    (rows, columns), (down, along) = x.shape[-2:], x.strides[-2:]
    if (along == 1 or columns == 1) and (down >= columns or rows == 1):
        return False, max(down, columns)
    if (down == 1 or rows == 1) and (along >= rows or columns == 1):
        return True, max(along, rows)
    return None


def described(kernel: Product) -> str:
    """A text that products with the same function have in common."""
    arrays = (kernel.target, kernel.left, kernel.right)
    return f"product {kernel.adds} {[(x.shape, x.strides) for x in arrays]}"


def write_product(kernel: Product, function: ir.Function, size: int) -> None:
    """Writes the function of a product; it is given pointers to the result, the left and the right factor."""
    builder = Builder(function.append_basic_block("begin"))
    stack = kernel.target.shape[:-2]
    arrays = (kernel.target, kernel.left, kernel.right)
    aligned = [(0,) * (len(stack) - len(x.shape) + 2) + x.strides[:-2] for x in arrays]
    _stacks(builder, nest(stack, aligned, 1), list(function.args), kernel, size)
    builder.ret_void()


def _stacks(builder: ir.IRBuilder, axes: Sequence[Axis], pointers: Sequence[Value], kernel: Product, size: int) -> None:
    if not axes:
        _call(builder, pointers, kernel, size)
        return
    first, *rest = axes

    def one(k: Value, _: Sequence[Value]) -> Sequence[Value]:
        at = zip(pointers, first.distances, strict=True)
        _stacks(builder, rest, [builder.gep(x, [builder.mul(k, index(d))]) for x, d in at], kernel, size)
        return []

    loop(builder, index(first.length), [], one, name="matrix")


def _call(builder: ir.IRBuilder, pointers: Sequence[Value], kernel: Product, size: int) -> None:
    """BLAS goes column by column, so what it computes is the transposed product of the transposed factors."""
    module, number = builder.module, FLOATS[size]
    target, left, right = pointers
    rows, columns = kernel.target.shape[-2:]
    over = kernel.left.shape[-1]
    (left_turned, left_leading), (right_turned, right_leading) = (_told(x) for x in (kernel.left, kernel.right))
    down = max(kernel.target.strides[-2], columns)
    whole, char = ir.IntType(32), ir.IntType(8)
    kinds = [char, char, whole, whole, whole, number, number, whole, number, whole, number, number, whole]
    name = ROUTINES[size]
    routine = module.globals.get(name)
    if routine is None:
        routine = ir.Function(module, ir.FunctionType(ir.VoidType(), [x.as_pointer() for x in kinds]), name)

    def constant(kind: ir.Type, value: float) -> Value:
        own = f"{name}.{kind}.{value}"
        found = module.globals.get(own)
        if found is None:
            found = ir.GlobalVariable(module, kind, own)
            found.global_constant, found.linkage, found.initializer = True, "internal", ir.Constant(kind, value)
        return found

    def turned(is_turned: bool) -> Value:
        return constant(char, ord("T" if is_turned else "N"))

    builder.call(
        routine,
        [
            *(turned(right_turned), turned(left_turned)),
            *(constant(whole, n) for n in (columns, rows, over)),
            *(constant(number, 1.0), right, constant(whole, right_leading), left, constant(whole, left_leading)),
            *(constant(number, float(kernel.adds)), target, constant(whole, down)),
        ],
    )


def _told(x: Loaded) -> tuple[bool, int]:
    found = leading(x)
    assert found is not None
    return found


def operations(kernel: Product) -> int:
    """Two for each term."""
    return 2 * prod(kernel.target.shape) * kernel.left.shape[-1]
