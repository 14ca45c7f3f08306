"""Every function of `backproof.nn`: its gradients against the complex step, what its derivation shows, its errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof import nn as layers
from backproof.ir.errors import ShapeError
from nn.cases import CASES, WRONG, Case

STEP = 1e-20
EACH = [pytest.param(case, id=case.name) for case in CASES]
COMPLEX = [
    # The complex step runs the function itself; SciPy's logistic function and np.logaddexp take real numbers only.
    pytest.param(case, id=case.name)
    for case in CASES
    if case.name.split("_")[0] not in ("sigmoid", "silu", "softplus", "bce", "lstm", "gru")
]


def followed(case: Case) -> bp.Derivation:
    arguments = case.arguments()
    return bp.derive(case.loss(), {"arguments": arguments}, wrt=list(arguments))


@pytest.mark.parametrize("case", EACH)
def test_gradients_agree_with_the_complex_step_of_the_forward_equations(case: Case) -> None:
    trace = bp.run(followed(case))
    np.testing.assert_allclose(float(trace["J"]), case.loss()(case.arguments()), rtol=1e-12)
    report = bp.check(trace)
    assert report.ok
    assert {verdict.symbol for verdict in report.verdicts} >= {f"d{name}" for name in case.shapes}


@pytest.mark.parametrize("case", COMPLEX)
def test_gradients_agree_with_the_complex_step_of_the_code(case: Case) -> None:
    trace, loss, arguments = bp.run(followed(case)), case.loss(), case.arguments()
    for name, array in arguments.items():
        expected = np.zeros(array.shape)
        for place in np.ndindex(*array.shape):
            moved = {key: x.astype(complex) for key, x in arguments.items()}
            moved[name][place] += 1j * STEP
            expected[place] = np.imag(loss(moved)) / STEP
        np.testing.assert_allclose(trace[f"d{name}"], expected, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(("call", "message"), WRONG)
def test_what_does_not_fit_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(ShapeError, match=message) as caught:
        call()
    assert caught.value.why
    assert caught.value.instead


def test_variables_inside_name_the_quantities() -> None:
    case = next(case for case in CASES if case.name == "attention")
    symbols = [str(step.symbol) for step in followed(case).backward]
    assert symbols[-6:] == ["dout", "dV", "dP", "dscores", "dQ", "dK"]


def test_dropout_takes_a_mask_of_zeros_and_ones() -> None:
    kept = layers.dropout(np.ones((2, 2)), np.array([[1, 0], [0, 1]]), 0.5)
    np.testing.assert_array_equal(kept, [[2, 0], [0, 2]])


def test_positions_are_encoded_by_sines_and_cosines() -> None:
    code = layers.positional_encoding(3, 4, base=100.0)
    expected = [[np.sin(t), np.cos(t), np.sin(t / 10), np.cos(t / 10)] for t in range(3)]
    np.testing.assert_allclose(code, expected, rtol=1e-15)


def test_what_is_masked_has_no_share() -> None:
    Q, K, V = np.ones((2, 3)), np.ones((2, 3)), np.array([[1.0], [5.0]])
    out = layers.attention(Q, K, V, np.array([[True, False], [True, True]]))
    np.testing.assert_array_equal(out, [[1], [3]])


def test_every_function_has_a_case() -> None:
    names = {case.name.split(" ")[0] for case in CASES}
    assert set(layers.__all__) == names | {"positional_encoding"}
