"""Activation functions. Each is its definition; derivatives, values and kinks follow from it."""

from __future__ import annotations

from backproof.ops.notation import Apply
from backproof.ops.scalar import Scalar, ScalarRow, elementwise, spelled


def activation(
    name: str, definition: str | None, about: str = "", *, letter: str = "", layer: int | None = None
) -> ScalarRow:
    """The row of an activation function of z; `letter` is its usual Greek or Latin letter, if it has one."""
    notation = Apply(letter or name, letter=bool(letter), layer=layer)
    return elementwise(Scalar(name, ("z",), definition), notation, about)


identity = activation("identity", "z", "No activation: a = z.")
sigmoid = activation("sigmoid", "1/(1 + exp(-z))", "The logistic function, from 0 to 1.", letter="σ")
tanh = activation("tanh", "tanh(z)", "The hyperbolic tangent, from −1 to 1.")
relu = activation("relu", "where(z > 0, z, 0)", "z where it is positive, else 0; at 0 the derivative is taken as 0.")
softplus = activation("softplus", "log(1 + exp(z))", "A smooth relu; its derivative is the sigmoid.")
softsign = activation("softsign", "z/(1 + abs(z))", "From −1 to 1, with slower tails than tanh.")
gelu = activation(
    "gelu", "z/2*(1 + erf(z/sqrt(2)))", "z times the normal distribution function (Hendrycks & Gimpel, 2016)."
)
gelu_tanh = activation(
    "gelu_tanh",
    "z/2*(1 + tanh(sqrt(2/pi)*(z + 0.044715*z**3)))",
    "The tanh approximation of gelu (Hendrycks & Gimpel, 2016, section 2).",
)
silu = activation("silu", "z*sigmoid(z)", "z times its sigmoid, also called swish.")
mish = activation("mish", "z*tanh(softplus(z))", "z times the tanh of its softplus (Misra, 2019).")
hardtanh = activation(
    "hardtanh",
    "where(z > 1, 1, where(z < -1, -1, z))",
    "z cut off at −1 and 1; at the corners the derivative is that of the middle piece.",
)
selu = activation(
    "selu",
    "where(z > 0, 1.0507009873554805*z, 1.7580993408473766*(exp(z) - 1))",
    "A scaled elu that keeps mean 0 and variance 1 (Klambauer et al., 2017); 1.7581 = 1.0507 · 1.6733.",
)


def leaky_relu(slope: float = 0.01) -> ScalarRow:
    """z where it is positive, else slope · z; at 0 the derivative is taken as the slope."""
    number = spelled(slope)
    return activation(
        "leaky_relu",
        f"where(z > 0, z, {number}*z)",
        f"z where it is positive, else {number} z; at 0 the derivative is taken as {number}.",
    )


def elu(alpha: float = 1.0) -> ScalarRow:
    """z where it is positive, else alpha · (exp(z) − 1)."""
    factor = "" if alpha == 1 else f"{spelled(alpha)}*"
    return activation(
        "elu",
        f"where(z > 0, z, {factor}(exp(z) - 1))",
        f"z where it is positive, else {factor.replace('*', ' ')}(eᶻ − 1) (Clevert et al., 2015).",
    )
