"""What HIPS/autograd's own examples do, written anew with our imports: each with a reference that needs no package."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp

from backproof.autograd import elementwise_grad, grad, hessian, hessian_vector_product, jacobian, make_vjp
from backproof.autograd import value_and_grad as vgrad
from backproof.autograd.misc.flatten import flatten
from backproof.autograd.misc.optimizers import adam, sgd
from backproof.autograd.test_util import check_grads

Array = np.ndarray[Any, Any]


def by_complex_step(function: Callable[[Array], Any], x: Array) -> Array:
    """The Jacobian, value first."""
    steps = 1e-20j * np.eye(x.size).reshape(-1, *x.shape)
    found = np.stack([np.imag(function(x + step)) / 1e-20 for step in steps], axis=-1)
    return found.reshape((*np.shape(function(x)), *x.shape))


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def test_derivatives_of_tanh_written_out() -> None:
    def tanh(x: Any) -> Any:
        y = np.exp(-2.0 * x)
        return (1.0 - y) / (1.0 + y)

    x = np.linspace(-3, 3, 31)
    derivative: Callable[..., Any] = tanh
    t = np.tanh(x)
    for expected in (1 - t**2, -2 * t * (1 - t**2), (6 * t**2 - 2) * (1 - t**2)):
        derivative = elementwise_grad(derivative)
        np.testing.assert_allclose(derivative(x), expected, rtol=1e-10, atol=1e-12)
    assert grad(tanh)(1.0) == pytest.approx(0.419974341614026, rel=1e-14)


def test_a_function_with_a_loop_until_it_converges() -> None:
    """The Taylor series of the sine: how many terms there are depends on the values."""

    def sine(x: Any) -> Any:
        result = term = x
        i = 0
        while np.abs(term) > 1e-17:
            term = -term * x * x / ((2 * i + 3) * (2 * i + 2))
            result = result + term
            i += 1
        return result

    for x in (0.3, -2.0, 3.5):
        assert grad(sine)(x) == pytest.approx(np.cos(x), rel=1e-13)
        assert grad(grad(sine))(x) == pytest.approx(-np.sin(x), rel=1e-12)


def test_logistic_regression() -> None:
    inputs = np.array([[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30], [0.74, -2.49, 1.39]])
    targets = np.array([True, True, False, True])

    def sigmoid(x: Any) -> Any:
        return 0.5 * (np.tanh(x / 2.0) + 1)

    def loss(weights: Any) -> Any:
        predictions = sigmoid(np.dot(inputs, weights))
        return -np.sum(np.log(predictions * targets + (1 - predictions) * (1 - targets)))

    weights = np.array([0.1, -0.2, 0.3])
    close(grad(loss)(weights), inputs.T @ (sigmoid(inputs @ weights) - targets))
    close(grad(loss)(weights), by_complex_step(loss, weights))
    check_grads(loss, modes=["rev"])(weights)
    before = loss(weights)
    for _ in range(100):
        weights = weights - grad(loss)(weights) * 0.01
    assert loss(weights) < before / 2


def test_a_network_of_layers_with_its_parameters_in_tuples() -> None:
    rng = np.random.default_rng(0)
    sizes = [4, 5, 3]
    params = [(0.5 * rng.normal(size=(m, n)), 0.1 * rng.normal(size=n)) for m, n in pairwise(sizes)]
    inputs, targets = rng.normal(size=(6, 4)), np.eye(3)[rng.integers(0, 3, 6)]

    def predictions(params: Any, inputs: Any) -> Any:
        for W, b in params:
            outputs = np.dot(inputs, W) + b
            inputs = np.tanh(outputs)
        return outputs - logsumexp(outputs, axis=1, keepdims=True)

    def log_posterior(params: Any, L2_reg: float) -> Any:
        prior = -L2_reg * np.dot(flatten(params)[0], flatten(params)[0])
        return prior + np.sum(predictions(params, inputs) * targets)

    def by_hand(vector: Any) -> Any:
        (W1, b1), (W2, b2) = unflatten(vector)
        outputs = np.tanh(inputs @ W1 + b1) @ W2 + b2
        log_predictions = outputs - np.log(np.sum(np.exp(outputs), axis=1, keepdims=True))
        return -0.1 * np.sum(vector**2) + np.sum(log_predictions * targets)

    vector, unflatten = flatten(params)
    gradient = grad(log_posterior)(params, 0.1)
    assert [tuple(x.shape for x in layer) for layer in gradient] == [((4, 5), (5,)), ((5, 3), (3,))]
    close(flatten(gradient)[0], by_complex_step(by_hand, vector))

    def objective(params: Any, iteration: int) -> Any:
        return -log_posterior(params, 0.001)

    trained = adam(grad(objective), params, num_iters=60, step_size=0.05)
    assert objective(trained, 0) < objective(params, 0) / 3


def test_a_network_of_dicts() -> None:
    """A recurrent network whose parameters are a dict; the sequence is a list of arrays."""
    rng = np.random.default_rng(1)
    params = {
        "init hiddens": rng.normal(size=(1, 3)),
        "change": rng.normal(size=(2 + 3 + 1, 3)),
        "predict": rng.normal(size=(3 + 1, 2)),
    }
    inputs = list(rng.normal(size=(4, 5, 2)))

    def outputs(params: Any, inputs: Any) -> Any:
        hiddens = np.repeat(params["init hiddens"], len(inputs[0]), axis=0)
        found = []
        for x in inputs:
            hiddens = np.tanh(np.concatenate([x, hiddens, np.ones((len(x), 1))], axis=1) @ params["change"])
            found.append(np.concatenate([hiddens, np.ones((len(x), 1))], axis=1) @ params["predict"])
        return np.stack(found)

    def loss(params: Any) -> Any:
        return np.mean(outputs(params, inputs) ** 2)

    vector, unflatten = flatten(params)
    close(flatten(grad(loss)(params))[0], by_complex_step(lambda v: loss(unflatten(v)), vector))


def rosenbrock(x: Any) -> Any:
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2


def test_rosenbrock() -> None:
    x = np.array([-1.2, 1.0])
    # Hessian and gradient as the literature on test functions has them.
    close(grad(rosenbrock)(x), [-215.6, -88.0])
    close(hessian(rosenbrock)(x), [[1330.0, 480.0], [480.0, 200.0]])
    close(hessian_vector_product(rosenbrock)(x, np.array([1.0, -1.0])), [850.0, 280.0])
    found = minimize(vgrad(rosenbrock), x, jac=True, method="CG", options={"gtol": 1e-8})
    np.testing.assert_allclose(found.x, [1, 1], atol=1e-6)
    found = minimize(rosenbrock, x, jac=grad(rosenbrock), hessp=hessian_vector_product(rosenbrock), method="Newton-CG")
    np.testing.assert_allclose(found.x, [1, 1], atol=1e-4)
    found = minimize(rosenbrock, x, jac=grad(rosenbrock), hess=hessian(rosenbrock), method="trust-exact")
    np.testing.assert_allclose(found.x, [1, 1], atol=1e-6)


def test_a_vjp_used_for_the_whole_jacobian() -> None:
    A = np.arange(6.0).reshape(2, 3)
    x = np.array([0.1, 0.2, 0.3])
    pull, value = make_vjp(lambda x: np.sin(A @ x))(x)
    close(value, np.sin(A @ x))
    rows = np.stack([pull(one) for one in np.eye(2)])
    close(rows, np.cos(A @ x)[:, None] * A)
    close(jacobian(lambda x: np.sin(A @ x))(x), rows)


def test_gaussian_mixture_by_trust_region() -> None:
    """The likelihood of a mixture, in unconstrained parameters, with matrices made from them."""
    rng = np.random.default_rng(2)
    data = rng.normal(size=(20, 2)) + np.sign(rng.normal(size=(20, 1))) * 2

    def unpack(params: Any) -> tuple[Any, Any, Any]:
        means, factors = params["means"], params["lower triangles"]
        proportions = params["log proportions"] - logsumexp(params["log proportions"])
        return proportions, means, [np.exp(0.1) * L @ L.T + np.eye(2) for L in factors]

    def loglike(params: Any) -> Any:
        terms = []
        for log_proportion, mean, cov in zip(*unpack(params), strict=True):
            centred = data - mean
            quadratic = np.sum(centred @ np.linalg.inv(cov) * centred, axis=1)
            terms.append(log_proportion - 0.5 * (quadratic + np.linalg.slogdet(2 * np.pi * cov)[1]))
        return np.sum(logsumexp(np.stack(terms), axis=0))

    params = {
        "log proportions": rng.normal(size=2),
        "means": rng.normal(size=(2, 2)),
        "lower triangles": rng.normal(size=(2, 2, 2)),
    }
    vector, unflatten = flatten(params)

    def loss(v: Any) -> Any:
        return -loglike(unflatten(v))

    def by_hand(v: Any) -> Any:
        p = unflatten(v)
        q = np.exp(p["log proportions"])
        total = 0.0
        for x in data:
            likelihood = 0.0
            for weight, mean, L in zip(q / np.sum(q), p["means"], p["lower triangles"], strict=True):
                (a, b), (c, d) = np.exp(0.1) * L @ L.T + np.eye(2)
                det, (u, w) = a * d - b * c, x - mean
                likelihood += weight * np.exp(-(d * u * u - (b + c) * u * w + a * w * w) / det / 2) / np.sqrt(det)
            total -= np.log(likelihood / (2 * np.pi))
        return total

    assert loss(vector) == pytest.approx(by_hand(vector), rel=1e-12)
    np.testing.assert_allclose(grad(loss)(vector), by_complex_step(by_hand, vector), rtol=1e-10, atol=1e-12)
    curvature = hessian_vector_product(loss)(vector, np.ones_like(vector))
    np.testing.assert_allclose(curvature, hessian(loss)(vector).sum(axis=1), rtol=1e-9, atol=1e-10)
    found = minimize(vgrad(loss), vector, hessp=hessian_vector_product(loss), jac=True, method="trust-ncg")
    assert found.fun < loss(vector) - 1


def test_differentiating_through_gradient_descent() -> None:
    """Hyperparameters by the gradient of the loss after training, the steps of which are gradients themselves."""
    target = np.array([1.0, -2.0])

    def trained(rate: Any) -> Any:
        def loss(w: Any, i: int) -> Any:
            return np.sum((w - target) ** 2 * np.array([1.0, 3.0]))

        w = sgd(grad(loss), np.zeros(2), num_iters=5, step_size=rate, mass=0.0)
        return np.sum((w - target) ** 2)

    def by_hand(rate: Any) -> Any:
        left = target * (1 - 2 * rate * np.array([1.0, 3.0])) ** 5
        return np.sum(left**2)

    assert trained(0.1) == pytest.approx(by_hand(0.1), rel=1e-13)
    assert grad(trained)(0.1) == pytest.approx(np.imag(by_hand(0.1 + 1e-20j)) / 1e-20, rel=1e-12)
