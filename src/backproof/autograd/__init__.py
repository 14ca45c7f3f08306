"""Gradients of NumPy functions as functions, with the names and arguments of HIPS/autograd.

The functions are followed and differentiated by the rules that derivations are written with; what is left out is the
writing. They may be nested: ``hessian(f)`` is ``jacobian(jacobian(f))``.
"""

from backproof.autograd.extend import checkpoint
from backproof.autograd.gradients import (
    deriv,
    elementwise_grad,
    grad,
    grad_and_aux,
    grad_named,
    jacobian,
    make_jvp,
    make_vjp,
    multigrad_dict,
    value_and_grad,
    vjp,
)
from backproof.autograd.products import (
    hessian,
    hessian_tensor_product,
    hessian_vector_product,
    make_ggnvp,
    make_hvp,
    tensor_jacobian_product,
    vector_jacobian_product,
)

__all__ = [
    "checkpoint",
    "deriv",
    "elementwise_grad",
    "grad",
    "grad_and_aux",
    "grad_named",
    "hessian",
    "hessian_tensor_product",
    "hessian_vector_product",
    "jacobian",
    "make_ggnvp",
    "make_hvp",
    "make_jvp",
    "make_vjp",
    "multigrad_dict",
    "tensor_jacobian_product",
    "value_and_grad",
    "vector_jacobian_product",
    "vjp",
]
