"""The arithmetic of lanes as scalar expressions need it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from backproof.emit.native import mathematics
from backproof.emit.native.lanes import Lanes, Value

FUNCTIONS: Mapping[str, Callable[[Lanes, Value], Value]] = {
    "exp": mathematics.exp,
    "expm1": mathematics.expm1,
    "log": mathematics.log,
    "log1p": mathematics.log1p,
    "tanh": mathematics.tanh,
    "erf": mathematics.erf,
    "sigmoid": mathematics.sigmoid,
    "softplus": mathematics.softplus,
    "abs": Lanes.absolute,
    "sqrt": lambda lanes, z: lanes.intrinsic("sqrt", z),
}


class LaneArithmetic(Lanes):
    """Lanes with functions and truths."""

    def function(self, name: str, z: Value) -> Value:
        return FUNCTIONS[name](self, z)

    def both(self, a: Value, b: Value) -> Value:
        return self.builder.and_(a, b)

    def either(self, a: Value, b: Value) -> Value:
        return self.builder.or_(a, b)

    def contrary(self, a: Value) -> Value:
        return self.builder.not_(a)
