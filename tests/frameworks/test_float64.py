"""A second opinion is worth 1e-10 only where it is computed in float64."""

from __future__ import annotations

import jax
import numpy as np
import torch


def test_torch_differentiates_in_float64(rng: np.random.Generator) -> None:
    z = rng.standard_normal(7)
    t = torch.tensor(z, requires_grad=True)
    torch.tanh(t).sum().backward()
    assert t.grad is not None
    np.testing.assert_allclose(t.grad.numpy(), 1 - np.tanh(z) ** 2, rtol=1e-14)


def test_jax_differentiates_in_float64(rng: np.random.Generator) -> None:
    z = rng.standard_normal(7)
    gradient = jax.grad(lambda x: jax.numpy.tanh(x).sum())(z)
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(np.asarray(gradient), 1 - np.tanh(z) ** 2, rtol=1e-14)
