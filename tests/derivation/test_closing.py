"""Normalisations as people write them: one closed step with the textbook's formula, and the same numbers as opened."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import backproof as bp
from backproof.derivation.derivation import Derivation
from backproof.derivation.steps import BackwardStep
from backproof.execution.interpret import evaluate
from backproof.ops.row import Array
from backproof.write.math_unicode import linear
from backproof.write.outline import plain
from backproof.write.reasons import backward_reasons
from backproof.write.spell import spell, symbol

Function = Callable[[Array, Array], Array]


def layer_norm(x, g):
    mu = np.mean(x, axis=1, keepdims=True)
    variance = np.var(x, axis=1, keepdims=True)
    y = (x - mu) / np.sqrt(variance + 1e-5)
    return np.sum((y * g) ** 3)


def one_line(x, g):
    y = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    return np.sum((y * g) ** 3)


def reciprocal(x, g):
    mu = x.mean(axis=1)[:, None]
    variance = x.var(axis=1)[:, None]
    r = 1 / np.sqrt(variance + 1e-6)
    y = (x - mu) * r
    return np.sum((y * g) ** 3)


def sample_deviation(x, g):
    mu = x.mean(axis=1)[:, None]
    s = np.std(x, axis=1, ddof=1)
    y = (x - mu) / s[:, None]
    return np.sum((y * g) ** 3)


def batch_norm(x, g):
    mu = x.mean(axis=0)
    variance = ((x - mu) ** 2).mean(axis=0)
    y = (x - mu) / np.sqrt(variance + 1e-5)
    return np.sum((g * y + 1) ** 3)


def images(x, g):
    x = np.reshape(x, (3, 1, 5, 1)) * g
    mu = x.mean(axis=(0, 2, 3), keepdims=True)
    variance = x.var(axis=(0, 2, 3), keepdims=True)
    y = (x - mu) / np.sqrt(variance + 1e-5)
    return np.sum(y**3)


def rms(x, g):
    r = np.sqrt(np.mean(x**2, axis=-1, keepdims=True) + 1e-6)
    y = x / r
    return np.sum((y * g) ** 3)


def unit_length(x, g):
    r = np.linalg.norm(x, axis=1, keepdims=True)
    y = x / r
    return np.sum((y * g) ** 3)


def centred(x, g):
    y = x - x.mean(axis=1, keepdims=True)
    return np.sum((y * g) ** 3)


def softmax_by_steps(x, g):
    E = np.exp(x)
    S = E.sum(axis=1, keepdims=True)
    y = E / S
    return np.sum(y**2 * g)


def residual(x, g):
    mu = x.mean(axis=1)[:, None]
    s = x.std(axis=1)[:, None]
    y = (x - mu) / s
    return np.sum((y * g + x) ** 3)


def sum_of_tanh(x, g):
    s = np.sum(np.tanh(x), axis=1, keepdims=True)
    y = x / s
    return np.sum((y * g) ** 3)


CLOSED = {
    layer_norm: "(dy − (1/n_2) Σ_{j=1}^(n_2) dy_{·j} − ((1/n_2) Σ_{j=1}^(n_2) (dy * y)_{·j}) * y)/√(variance + 1e-05)",
    one_line: "(dy − (1/n_2) Σ_{j=1}^(n_2) dy_{·j} − ((1/n_2) Σ_{j=1}^(n_2) (dy * y)_{·j}) * y)"
    "/√(var_j(x_{·j}) + 1e-05)",
    reciprocal: "(dy − (1/n_2) Σ_{j=1}^(n_2) dy_{·j} − ((1/n_2) Σ_{j=1}^(n_2) (dy * y)_{·j}) * y) * r",
    sample_deviation: "(dy − (1/n_2) Σ_{j=1}^(n_2) dy_{·j} − ((1/(n_2 − 1)) Σ_{j=1}^(n_2) (dy * y)_{·j}) * y)/s",
    batch_norm: "(dy − (1/n_1) Σ_{j=1}^(n_1) dy_{j·} − ((1/n_1) Σ_{j=1}^(n_1) (dy * y)_{j·}) * y)/√(variance + 1e-05)",
    rms: "(dy − ((1/n_2) Σ_{j=1}^(n_2) (dy * y)_{·j}) * y)/r",
    unit_length: "(dy − (Σ_{j=1}^(n_2) (dy * y)_{·j}) * y)/r",
    centred: "dy − (1/n_2) Σ_{j=1}^(n_2) dy_{·j}",
}


def derived(function: Function, *, opened: bool = False) -> Derivation:
    rng = np.random.default_rng(3)
    return bp.derive(function, x=rng.uniform(0.5, 2, (3, 5)), g=rng.uniform(0.5, 1.5, 5), wrt=["x"], opened=opened)


def step_of(derivation: Derivation, name: str) -> BackwardStep:
    return next(step for step in derivation.backward if str(step.symbol) == name)


@pytest.mark.parametrize("function", CLOSED, ids=lambda f: f.__name__)
def test_the_closed_form_is_the_textbooks(function: Function) -> None:
    step = step_of(derived(function), "dx")
    assert linear(spell(step.rewrites[-1].result)) == CLOSED[function]


@pytest.mark.parametrize(
    "function", [*CLOSED, images, softmax_by_steps, residual, sum_of_tanh], ids=lambda f: f.__name__
)
def test_closed_and_opened_agree_with_the_complex_step(function: Function) -> None:
    closed, opened = bp.run(derived(function)), bp.run(derived(function, opened=True))
    assert bp.check(closed, every=True).ok
    np.testing.assert_allclose(closed["dx"], opened["dx"], rtol=1e-9, atol=1e-12)
    assert len(closed.derivation.backward) <= len(opened.derivation.backward)
    # Each form of each step by itself, from the values of the steps before it.
    for step in closed.derivation.backward:
        known = {closed.derivation.quantities[name]: np.asarray(array) for name, array in closed.arrays.items()}
        del known[step.node]
        for form in (step.raw, *(rewrite.result for rewrite in step.rewrites)):
            value = np.broadcast_to(evaluate([form], known, closed.sizes)[form], closed[str(step.symbol)].shape)
            np.testing.assert_allclose(value, closed[str(step.symbol)], rtol=1e-9, atol=1e-12)


def test_the_reason_names_what_is_put_together() -> None:
    derivation = derived(layer_norm)
    assert [str(step.symbol) for step in derivation.backward] == ["dy", "dx"]
    (reason,) = map(plain, backward_reasons(step_of(derivation, "dx"), symbol(derivation.graph.outputs[0].symbol)))
    assert reason.startswith("x acts on y directly and through μ and variance, which are computed from it;")
    opened = derived(layer_norm, opened=True)
    assert [str(step.symbol) for step in opened.backward] == ["dy", "dvariance", "dmu", "dx"]


def test_a_residual_connection_is_a_way_of_its_own() -> None:
    step = step_of(derived(residual), "dx")
    reasons = [plain(text) for text in backward_reasons(step, symbol(derived(residual).graph.outputs[0].symbol))]
    assert len(reasons) == 3
    assert linear(spell(step.rewrites[-1].result)).endswith("((1/n_2) Σ_{j=1}^(n_2) (dy * y)_{·j}) * y)/s")


def nonlinear(x, g):
    y = x + np.tanh(x) - x.mean(axis=1, keepdims=True)
    return np.sum((y * g) ** 3)


def statistic_used_twice(x, g):
    s = x.std(axis=1)[:, None]
    y = x / s
    return np.sum((y * g) ** 3 * np.log(s))


def range_scaled(x, g):
    low, high = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    y = (x - low) / (high - low)
    return np.sum((y * g) ** 3)


def piecewise(x, g):
    y = np.where(x > 1, np.sum(x), x)
    return np.sum((y * g) ** 3)


@pytest.mark.parametrize(
    "function", [nonlinear, statistic_used_twice, range_scaled, piecewise], ids=lambda f: f.__name__
)
def test_what_has_no_closed_form_stays_in_steps(function: Function) -> None:
    closed, opened = derived(function), derived(function, opened=True)
    names = [[str(step.symbol) for step in derivation.backward] for derivation in (closed, opened)]
    assert names[0] == names[1]
    assert bp.check(bp.run(closed), every=True).ok


def test_softmax_can_be_opened() -> None:
    def attention(x, g):
        P = np.exp(x) / np.sum(np.exp(x), axis=1, keepdims=True)
        return np.sum(P**2 * g)

    closed, opened = derived(attention), derived(attention, opened=True)
    assert any("recognised as softmax" in note for note in closed.notes)
    assert opened.notes == ()
    np.testing.assert_allclose(bp.run(closed)["dx"], bp.run(opened)["dx"], rtol=1e-12)


def test_opened_is_for_functions() -> None:
    with pytest.raises(bp.BackproofError, match="opened"):
        bp.derive("3-2:tanh", opened=True)
