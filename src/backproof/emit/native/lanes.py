"""Numbers side by side: the values of an IR builder that are vectors, and the arithmetic of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from llvmlite import ir

Value = Any
"""A value of LLVM's intermediate representation; llvmlite has no types."""

BITS = {4: ir.IntType(32), 8: ir.IntType(64)}
FLOATS = {4: ir.FloatType(), 8: ir.DoubleType()}


@dataclass(frozen=True)
class Kind:
    """A kind of number: `size` bytes (4 or 8), and `width` of them side by side; 1 is a single number."""

    size: int
    width: int = 1

    @cached_property
    def type(self) -> ir.Type:
        """The type of the numbers."""
        return self._wide(FLOATS[self.size])

    @cached_property
    def bits(self) -> ir.Type:
        """The type of whole numbers of the same size."""
        return self._wide(BITS[self.size])

    @property
    def suffix(self) -> str:
        """How LLVM's intrinsic functions of this kind end."""
        number = {4: "f32", 8: "f64"}[self.size]
        return number if self.width == 1 else f"v{self.width}{number}"

    def _wide(self, one: ir.Type) -> ir.Type:
        return one if self.width == 1 else ir.VectorType(one, self.width)


class Lanes:
    """Arithmetic of one kind of number with a builder, lane by lane."""

    def __init__(self, builder: ir.IRBuilder, kind: Kind) -> None:
        self.builder, self.kind = builder, kind

    # --- constants

    def number(self, value: float) -> Value:
        """The same number in every lane."""
        return self._constant(self.kind.type, ir.Constant(FLOATS[self.kind.size], float(value)))

    def whole(self, value: int) -> Value:
        """The same whole number in every lane."""
        return self._constant(self.kind.bits, ir.Constant(BITS[self.kind.size], value))

    def _constant(self, type_: ir.Type, one: ir.Constant) -> Value:
        return one if self.kind.width == 1 else ir.Constant(type_, [one] * self.kind.width)

    def splat(self, one: Value) -> Value:
        """A single number in every lane."""
        if self.kind.width == 1:
            return one
        empty = ir.Constant(self.kind.type, ir.Undefined)
        first = self.builder.insert_element(empty, one, ir.Constant(ir.IntType(32), 0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.kind.width), None)
        return self.builder.shuffle_vector(first, empty, zeros)

    # --- arithmetic

    # A sum with a product is rounded once. LLVM could be left to choose where, but would choose by what else stands
    # around: the numbers would not be the same for any number of threads.

    def add(self, a: Value, b: Value) -> Value:
        """a + b, with one rounding where one of them is a product."""
        for product, other in ((a, b), (b, a)):
            if _is_product(product):
                x, y = product.operands
                return self.fma(x, y, other)
        return self.builder.fadd(a, b)

    def sub(self, a: Value, b: Value) -> Value:
        """a − b, with one rounding where one of them is a product."""
        if _is_product(a):
            x, y = a.operands
            return self.fma(x, y, self.neg(b))
        if _is_product(b):
            x, y = b.operands
            return self.fma(self.neg(x), y, a)
        return self.builder.fsub(a, b)

    def mul(self, a: Value, b: Value) -> Value:
        return self.builder.fmul(a, b)

    def div(self, a: Value, b: Value) -> Value:
        return self.builder.fdiv(a, b)

    def neg(self, a: Value) -> Value:
        return self.builder.fneg(a)

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """a·b + c with one rounding."""
        return self.intrinsic("fma", a, b, c)

    def polynomial(self, x: Value, coefficients: Sequence[float]) -> Value:
        """The sum of the coefficients times rising powers of x (Horner's scheme)."""
        result = self.number(coefficients[-1])
        for c in coefficients[-2::-1]:
            result = self.fma(result, x, self.number(c))
        return result

    def intrinsic(self, name: str, *arguments: Value) -> Value:
        """One of LLVM's functions of floating-point numbers."""
        module = self.builder.module
        full = f"llvm.{name}.{self.kind.suffix}"
        type_ = ir.FunctionType(self.kind.type, [x.type for x in arguments])
        function = module.globals.get(full) or ir.Function(module, type_, full)
        return self.builder.call(function, arguments)

    # --- choices

    def less(self, a: Value, b: Value) -> Value:
        return self.builder.fcmp_ordered("<", a, b)

    def compare(self, sign: str, a: Value, b: Value) -> Value:
        """A comparison in every lane; what is no number is unlike everything."""
        return self.builder.fcmp_unordered(sign, a, b) if sign == "!=" else self.builder.fcmp_ordered(sign, a, b)

    def select(self, condition: Value, a: Value, b: Value) -> Value:
        return self.builder.select(condition, a, b)

    def as_number(self, condition: Value) -> Value:
        """1 where a condition holds, else 0."""
        return self.select(condition, self.number(1), self.number(0))

    def largest(self, a: Value, b: Value) -> Value:
        """The larger one, b where a is no number."""
        return self.select(self.compare(">", a, b), a, b)

    def absolute(self, a: Value) -> Value:
        return self.intrinsic("fabs", a)

    # --- across the lanes

    def sum(self, vector: Value) -> Value:
        """The sum of all lanes, a single number."""
        if self.kind.width == 1:
            return vector
        one, module = FLOATS[self.kind.size], self.builder.module
        name, kind = f"llvm.vector.reduce.fadd.{self.kind.suffix}", ir.FunctionType(one, [one, vector.type])
        function = module.globals.get(name) or ir.Function(module, kind, name)
        return self.builder.call(function, [ir.Constant(one, -0.0), vector], fastmath=("reassoc",))

    def top(self, vector: Value) -> Value:
        """The largest of all lanes; what is no number need not be found."""
        # LLVM's own reduction goes through the lanes one by one, to leave out what is no number.
        number, width = ir.IntType(32), self.kind.width
        half = width // 2
        while half:
            places = [ir.Constant(number, (k + half) % width) for k in range(width)]
            other = self.builder.shuffle_vector(vector, vector, ir.Constant(ir.VectorType(number, width), places))
            vector, half = self.largest(vector, other), half // 2
        return vector if width == 1 else self.builder.extract_element(vector, ir.Constant(number, 0))

    # --- bits

    def to_bits(self, a: Value) -> Value:
        return self.builder.bitcast(a, self.kind.bits)

    def from_bits(self, a: Value) -> Value:
        return self.builder.bitcast(a, self.kind.type)


def _is_product(a: Value) -> bool:
    return isinstance(a, ir.Instruction) and a.opname == "fmul"
