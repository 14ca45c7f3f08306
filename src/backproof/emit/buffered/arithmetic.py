"""The arithmetic of whole arrays, as statements."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backproof.emit.buffered.statements import Held, Operand, Statement

FUNCTIONS: Mapping[str, str] = {
    **{name: f"np.{name}" for name in ("exp", "expm1", "log", "log1p", "tanh", "sqrt")},
    "abs": "np.absolute",
    "erf": "special.erf",
    "sigmoid": "special.expit",
}
COMPARISONS: Mapping[str, str] = {
    ">": "np.greater",
    ">=": "np.greater_equal",
    "<": "np.less",
    "<=": "np.less_equal",
    "==": "np.equal",
    "!=": "np.not_equal",
}


class Arrays:
    """Arithmetic that writes statements; what is made of plain numbers alone is computed at once."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self._compared: dict[Held, tuple[str, Operand, Operand]] = {}

    def number(self, value: float) -> Operand:
        return float(value)

    def add(self, a: Operand, b: Operand) -> Operand:
        return self.call("np.add", self.decimal(a), self.decimal(b))

    def sub(self, a: Operand, b: Operand) -> Operand:
        return self.call("np.subtract", self.decimal(a), self.decimal(b))

    def mul(self, a: Operand, b: Operand) -> Operand:
        for one, other in ((a, b), (b, a)):
            if one == 1:
                return other
        truths = [isinstance(x, Held) and x.is_truth for x in (a, b)]
        return self.call("np.multiply", a, b, is_truth=all(truths))

    def div(self, a: Operand, b: Operand) -> Operand:
        return self.call("np.divide", self.decimal(a), self.decimal(b))

    def neg(self, a: Operand) -> Operand:
        return self.call("np.negative", self.decimal(a))

    def function(self, name: str, z: Operand) -> Operand:
        if name == "softplus":
            return self.call("np.logaddexp", 0.0, self.decimal(z))
        return self.call(FUNCTIONS[name], self.decimal(z))

    def compare(self, sign: str, a: Operand, b: Operand) -> Operand:
        found = self.call(COMPARISONS[sign], a, b, is_truth=True)
        if isinstance(found, Held):
            self._compared[found] = sign, a, b
        return found

    def both(self, a: Operand, b: Operand) -> Operand:
        return self.call("np.logical_and", a, b, is_truth=True)

    def either(self, a: Operand, b: Operand) -> Operand:
        return self.call("np.logical_or", a, b, is_truth=True)

    def contrary(self, a: Operand) -> Operand:
        return self.call("np.logical_not", a, is_truth=True)

    def select(self, condition: Operand, a: Operand, b: Operand) -> Operand:
        if not isinstance(condition, Held):
            return a if condition else b
        if not isinstance(a, Held) and not isinstance(b, Held) and (a, b) == (1, 0):
            return condition
        sign, left, right = self._compared.get(condition, ("", a, b))
        if sign[:1] in ("<", ">") and left is a and right == b:
            # What is no number stays that: of z > 0 it would become 0, and hide where it came from.
            return self.call("np.maximum" if ">" in sign else "np.minimum", a, b)
        self.statements.append(
            Statement(
                "np.copyto({out}, {2}); np.copyto({out}, {1}, where={0})",
                (condition, a, b),
                Held(np.broadcast_shapes(*(shape_of(x) for x in (condition, a, b)))),
            )
        )
        return self.statements[-1].out

    def as_number(self, condition: Operand) -> Operand:
        return condition  # NumPy multiplies truths as 0 and 1

    # --- statements

    def call(self, function: str, *operands: Operand, is_truth: bool = False) -> Operand:
        """A function of the entries at the same place."""
        if not any(isinstance(x, Held) for x in operands) and function.startswith("np."):
            with np.errstate(all="ignore"):
                return float(getattr(np, function.removeprefix("np."))(*operands))
        shape = np.broadcast_shapes(*map(shape_of, operands))
        places = ", ".join(f"{{{k}}}" for k in range(len(operands)))
        return self.into(f"{function}({places}, out={{out}})", operands, Held(shape, is_truth), in_place=True)

    def into(self, text: str, operands: tuple[Operand, ...], out: Held, *, in_place: bool = False) -> Held:
        """A call that puts its result where it is told to."""
        self.statements.append(Statement(text, operands, out, in_place))
        return out

    def makes(self, text: str, operands: tuple[Operand, ...], shape: tuple[int, ...], **extra: object) -> Held:
        """A call that gives a view of its operands, or an array of its own."""
        held = tuple(x for x in operands if isinstance(x, Held))
        is_truth = bool(held) and held[0].is_truth
        self.statements.append(Statement(text, operands, Held(shape, is_truth, held), makes=True, extra=extra))
        return self.statements[-1].out

    def decimal(self, x: Operand) -> Operand:
        """Truths as the numbers 0 and 1."""
        if isinstance(x, Held) and x.is_truth:
            return self.into("np.copyto({out}, {0})", (x,), Held(x.shape))
        return x


def shape_of(x: Operand) -> tuple[int, ...]:
    """The lengths of the axes; of a plain number none."""
    return x.shape if isinstance(x, Held) else ()
