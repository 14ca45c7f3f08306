"""Derivations with complex quantities: what is written, and the proofs of single entries against the gradients."""

# mypy: ignore-errors
from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import backproof as bp
from backproof.autograd import hessian, jacobian
from backproof.execution.explain import Reader
from backproof.execution.export import compiled
from backproof.ir.errors import TraceError
from backproof.ir.sizes import Index
from backproof.ops.entries import put_in

sys.path.append(str(Path(__file__).parent.parent))

from zoo import spectral
from zoo.test_zoo import arguments_of

PLACES = 3
proved = []


@pytest.mark.parametrize("case", spectral.CASES, ids=lambda case: case.name)
def test_what_is_proved_of_an_entry_is_the_gradient(case):
    """Where each way to a quantity has a proof, their results add up to the entry of its derivative."""
    derivation = bp.derive(case.function, arguments_of(case))
    trace = bp.run(derivation)
    reader = Reader(trace.arrays, trace.sizes)
    for step in derivation.backward:
        proofs = derivation.proofs(step)
        if len(proofs) < len({path.consumer for path in step.paths}) or not proofs:
            continue
        gradient = np.asarray(trace[str(step.symbol)])
        for place in [*np.ndindex(*gradient.shape)][:: max(1, gradient.size // PLACES)]:
            found = 0
            for proof in proofs:
                result = proof.result
                for index, position in zip(proof.entry.attrs["place"], place, strict=True):
                    result = put_in(result, index, position + 1) if isinstance(index, Index) else result
                found += reader.value(result)
            scale = np.abs(gradient).max() or 1.0
            np.testing.assert_allclose(found, gradient[place], rtol=0, atol=1e-11 * scale, err_msg=str(step.symbol))
        proved.append((case.name, str(step.symbol)))


def test_enough_was_proved():
    assert len(proved) > 100
    assert any(name == "circular convolution" and symbol == "dh" for name, symbol in proved)


def filtered(h, x, target):
    H = np.fft.fft(h)
    y = np.fft.ifft(H * np.fft.fft(x)).real
    return np.mean((y - target) ** 2) + np.sum(np.abs(H)) + np.sum(np.angle(H[1:3]))


def test_half_of_the_frequencies_is_written_as_numpy_has_it():
    def f(x, h):
        X, H = np.fft.rfft(x), np.fft.rfftn(h, axes=(1, 0), norm="ortho")
        y = np.fft.irfft(X * np.exp(1j * np.arange(5)), 9)
        return np.sum(y**3) + np.sum(np.abs(H)) + np.sum(np.fft.irfft(H, 3, axis=0) ** 3) + np.sum(X[:2].real)

    r = np.random.default_rng(0)
    derivation = bp.derive(f, {"x": r.normal(size=9), "h": r.normal(size=(4, 3))}, wrt=["x", "h"])
    text = bp.export(derivation)
    assert "X = np.fft.rfft(x)" in text
    assert 'H = np.fft.rfftn(h, axes=(1, 0), norm="ortho")' in text
    assert "np.fft.irfft(" in text
    run = bp.run(derivation)
    value, gradients = compiled(derivation)(run["x"], run["h"])
    np.testing.assert_allclose(value, run["J"])
    for name in ("x", "h"):
        np.testing.assert_allclose(gradients[name], run[f"d{name}"], rtol=1e-12, atol=1e-12)


def test_an_entry_is_explained_by_the_real_parts_that_add_up_to_it():
    r = np.random.default_rng(0)
    trace = bp.run(bp.derive(filtered, {k: r.normal(size=4) for k in ("h", "x", "target")}, wrt=["h"]))
    explanation = trace.explain("dh", 2)
    assert len(explanation.terms) == 4
    assert all(isinstance(term.value, float) for term in explanation.terms)
    np.testing.assert_allclose(sum(term.value for term in explanation.terms), trace["dh"][1])
    assert "from dH[2] = -" in str(explanation)


def test_a_derivation(golden):
    r = np.random.default_rng(0)
    derivation = bp.derive(filtered, {k: r.normal(size=4) for k in ("h", "x", "target")}, wrt=["h"])
    golden("complex.txt", bp.render(derivation, "text", expand=True))


def test_squares_of_moduli_are_products_with_the_conjugate():
    def power(x):
        X = np.fft.rfft(x)
        P = np.abs(X) ** 2
        return np.sum(np.log(P + 1))

    derivation = bp.derive(power, x=np.arange(1.0, 6.0))
    step = next(step for step in derivation.backward if str(step.symbol) == "dX")
    rules, stack = set(), [step.node]
    while stack:
        node = stack.pop()
        rules.add(node.op.name)
        stack += [x for x in node.inputs if x.symbol is None]
    assert "conj" in rules
    assert not {"modulus", "sgn"} & rules


def test_conjugates_undo_each_other():
    def energy(a, b):
        psi = a + 1j * b
        return np.vdot(psi, psi).real

    derivation = bp.derive(energy, {k: np.array([1.0, 2.0]) for k in ("a", "b")}, wrt=["a", "b"])
    text = bp.render(derivation, "text")
    assert "What comes by way of the conjugate is the same once more." in text
    assert "dψ = ψ  + ψ  = 2 ψ" in text
    run = bp.run(derivation)
    np.testing.assert_allclose(run["da"], [2, 4])
    np.testing.assert_allclose(run["db"], [2, 4])


@pytest.mark.parametrize("form", ["markdown", "latex", "html", "json", "text"])
@pytest.mark.parametrize("case", spectral.CASES[:12], ids=lambda case: case.name)
def test_every_format_writes_them(case, form):
    derivation = bp.derive(case.function, arguments_of(case))
    options = {} if form == "json" else {"expand": True}
    assert "nan" not in bp.render(derivation, form, **options)


@pytest.mark.parametrize("case", spectral.CASES, ids=lambda case: case.name)
def test_the_check_is_right(case):
    report = bp.check(bp.run(bp.derive(case.function, arguments_of(case))))
    assert report.ok
    assert report.method == "central"


def test_second_derivatives_and_jacobians():
    def loss(x):
        return np.sum(np.abs(np.fft.rfft(x)) ** 3)

    def power(x):
        return np.abs(np.fft.rfft(x)) ** 2

    x = np.random.default_rng(0).normal(size=5)
    second = bp.run(bp.derive(loss, x=x, wrt=["x"], hessian="x"))
    np.testing.assert_allclose(second["H"], hessian(loss)(x), rtol=1e-12, atol=1e-12)
    first = bp.run(bp.derive(power, x=x, jacobian="x"))
    np.testing.assert_allclose(first["dy_dx"], jacobian(power)(x), rtol=1e-12, atol=1e-12)
    for report in (bp.check(second), bp.check(first)):
        assert report.ok
        assert report.method == "central"
    with pytest.raises(TraceError, match="is complex\n"):
        bp.derive(lambda x: np.fft.fft(x), x=x, jacobian="x")
