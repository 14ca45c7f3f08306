"""Second derivatives, and products of derivatives with vectors."""

from __future__ import annotations

from functools import wraps
from typing import Any

import numpy as np

from backproof.autograd.gradients import grad, jacobian, make_vjp
from backproof.autograd.run import Argnum, Function, Run


def hessian(function: Function, argnum: Argnum = 0) -> Function:
    """The second derivatives of a function that returns one number, as its Jacobian's Jacobian."""
    return jacobian(jacobian(function, argnum), argnum)


def make_hvp(function: Function, argnum: Argnum = 0) -> Function:
    """Gives, for arguments, the pair of the function v ↦ H·v and the gradient; the Hessian H is not formed."""
    return make_vjp(grad(function, argnum), argnum)


def hessian_tensor_product(function: Function, argnum: Argnum = 0) -> Function:
    """(arguments, v) ↦ H·v, without forming the Hessian H; v has the form of the argument."""
    products = make_hvp(function, argnum)

    @wraps(function)
    def product(*arguments: Any, **named: Any) -> Any:
        *others, v = arguments
        return products(*others, **named)[0](v)

    return product


hessian_vector_product = hessian_tensor_product


def tensor_jacobian_product(function: Function, argnum: Argnum = 0) -> Function:
    """(arguments, v) ↦ v·J, summed over the axes of v: with a v in the shape of the value, gᵀ·J for g = v."""

    @wraps(function)
    def product(*arguments: Any, **named: Any) -> Any:
        *others, v = arguments
        return jacobian(lambda *given, **k: np.tensordot(v, function(*given, **k), np.ndim(v)), argnum)(
            *others, **named
        )

    return product


vector_jacobian_product = tensor_jacobian_product


def _half_square(x: Any) -> Any:
    return np.sum(x**2, axis=-1) / 2


def make_ggnvp(f: Function, g: Function = _half_square, f_argnum: Argnum = 0) -> Function:
    """Gives, for arguments, the function v ↦ Jᵀ·H·J·v, a product with the generalised Gauss–Newton matrix.

    J is the Jacobian of `f` at the arguments, H the Hessian of `g` at the value of `f`.
    """

    @wraps(f)
    def of(*arguments: Any, **named: Any) -> Function:
        run = Run(f, f_argnum, arguments, named)
        curved, _ = make_hvp(g)(run.value)
        return lambda v: run.pulled_back(curved(run.pushed_forward(v)))

    return of
