"""Functions of real arrays that pass through complex numbers: values as the plain run gives them, derivatives as
extrapolated central differences do. What NumPy's functions do to complex numbers is followed so, or refused."""

# mypy: ignore-errors
from __future__ import annotations

import numpy as np
import pytest

import backproof as bp
from backproof.derivation.derive import derive
from backproof.execution.export import compiled, program
from backproof.execution.interpret import evaluate
from backproof.frontends.tracing.trace import trace
from backproof.frontends.tracing.traced import COMPLEX, HANDLERS
from backproof.ir.errors import SpecError, TraceError

r = np.random.default_rng(3)
v, w, A, B = r.normal(size=6), r.normal(size=6), r.normal(size=(3, 4)), r.normal(size=(2, 3, 4))
M, H = r.normal(size=(3, 3)), r.normal(size=(3, 3)) + 1j * r.normal(size=(3, 3))
START, LEVELS = 2.0**-6, 5


def q(y):
    """A real number in which the parts of every entry of y count differently."""
    c = np.cos(np.arange(np.size(y))).reshape(np.shape(y))
    s = np.sin(np.arange(np.size(y)) + 0.5).reshape(np.shape(y))
    if np.iscomplexobj(y):
        return np.sum(c * np.real(y) + s * np.imag(y) ** 2 + 0.3 * c * np.imag(y))
    return np.sum(c * y * y + 0.3 * s * y)


def differences(f, x):
    found = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        row = []
        for level in range(LEVELS):
            h = START / 2**level
            up, down = x.copy(), x.copy()
            up[place] += h
            down[place] -= h
            new = [(f(up) - f(down)) / (2 * h)]
            for k, old in enumerate(row):
                new.append(new[k] + (new[k] - old) / (4 ** (k + 1) - 1))
            row = new
        found[place] = row[-1]
    return found


def agrees(f, x):
    graph = trace(f, {"t": x}).graph
    derivation = derive(graph)
    output, gradient = graph.outputs[0], derivation.gradients["t"]
    known = {node: node.attrs["value"] for node in graph.inputs}
    values = evaluate([output, gradient], known, {})
    np.testing.assert_allclose(values[output], f(x), rtol=1e-12, atol=1e-13)
    assert values[gradient].dtype == np.float64
    expected = differences(f, x)
    size = max(np.abs(expected).max(), 1e-3)
    np.testing.assert_allclose(np.broadcast_to(values[gradient], x.shape), expected, rtol=0, atol=1e-10 * size)
    value, gradients = compiled(derivation)(*(known[node] for node in program(derivation).inputs))
    np.testing.assert_allclose(value, values[output], rtol=1e-12, atol=1e-13)
    assert gradients["t"].dtype == np.float64
    np.testing.assert_allclose(np.broadcast_to(gradients["t"], x.shape), expected, rtol=0, atol=1e-10 * size)


FOURIER = [
    *[(lambda t, n=n, norm=norm: q(np.fft.fft(t, n, norm=norm)), v) for n in (None, 4, 9) for norm in (None, "ortho")],
    *[(lambda t, n=n: q(np.fft.ifft(t, n, norm="forward")), v) for n in (None, 4, 9)],
    *[(lambda t, n=n: q(np.fft.rfft(t, n, norm="ortho")), v) for n in (None, 1, 5, 8)],
    *[
        (lambda t, n=n, norm=norm: q(np.fft.irfft(t * (1 + 2j), n, norm=norm)), v)
        for n in (None, 1, 2, 3, 7, 8, 10, 13)
        for norm in ("backward", "ortho", "forward")
    ],
    *[(lambda t, n=n: q(np.fft.hfft(t * (1 - 2j), n, norm="ortho")), v) for n in (None, 5, 8)],
    *[(lambda t, n=n: q(np.fft.ihfft(t, n)), v) for n in (None, 5, 8)],
    (lambda t: q(np.fft.fft(t, axis=0)), A),
    (lambda t: q(np.fft.ifft(t, axis=1, n=3)), B),
    (lambda t: q(np.fft.rfft(t, axis=0, n=5)), A),
    (lambda t: q(np.fft.irfft(t + 1j * t**2, axis=0, n=5)), A),
    (lambda t: q(np.fft.fft2(t)), B),
    (lambda t: q(np.fft.ifft2(t, s=(2, 5), axes=(0, 1), norm="ortho")), B),
    (lambda t: q(np.fft.fftn(t)), B),
    (lambda t: q(np.fft.fftn(t, axes=(0, 2))), B),
    (lambda t: q(np.fft.ifftn(t, s=(3, 2), axes=(-2, -1))), B),
    (lambda t: q(np.fft.rfft2(t)), B),
    (lambda t: q(np.fft.rfftn(t, s=(3, 3, 3), axes=(0, 1, 2), norm="forward")), B),
    (lambda t: q(np.fft.irfft2(t * (2 - 1j))), B),
    (lambda t: q(np.fft.irfftn(t * (2 - 1j), s=(4, 5), axes=(2, 1), norm="ortho")), B),
    (lambda t: q(np.fft.irfftn(t * (2 - 1j))), B),
    (lambda t: q(np.fft.fftshift(np.fft.fft(t))), v),
    (lambda t: q(np.fft.ifftshift(np.fft.fft2(t), axes=1)), A),
    (lambda t: q(np.fft.ifft(np.fft.fftfreq(6) * np.fft.fft(t)).real), v),
]

PARTS = [
    (lambda t: q(t + 1j * t**2), v),
    (lambda t: q(np.exp(1j * t)), v),
    (lambda t: q(1j**t), v),
    (lambda t: q((t + 2j) ** 3), v),
    (lambda t: q((t + 2j) ** 0.5), v),
    (lambda t: q((t + 2j) ** (1 + 1j)), v),
    (lambda t: q((t + 2j) ** t), v),
    (lambda t: q((2 + 1j) / (t + 1j)), v),
    (lambda t: q(np.sqrt(t.astype(complex))), v),
    (lambda t: q(np.log(t.astype(complex)) * t), v),
    (lambda t: q(abs(t + 1j * t[::-1])), v),
    (lambda t: q(np.abs(np.fft.fft(t)) ** 2), v),
    (lambda t: q(np.angle(t + 2j)), v),
    (lambda t: q(np.angle(t + 2j, deg=True) / 90), v),
    (lambda t: q(np.angle(t) + t), v),
    (lambda t: q(np.sign(t + 2j)), v),
    (lambda t: q(np.conj(t + 2j * t) * (t - 1j)), v),
    (lambda t: q((t + 2j).conj() + (t * 1j).conjugate()), v),
    (lambda t: q((t + 2j * t**2).real + np.imag(t + 1j * t**3)), v),
    (lambda t: q(t.real + t.imag + np.real(t) + np.conj(t)), v),
    (lambda t: q(np.real(np.exp((0.3 + 1j) * np.sum(t)))), v),
    (lambda t: q(np.array([t[0] + 1j, t[1] * 2, 3.0])), v),
    (lambda t: q(np.array([t[0], t[1]], dtype=complex) * 1j), v),
    (lambda t: q(np.where(np.real(t) > 0, t * 1j, t + 1j)), v),
    (lambda t: q(np.zeros_like(t, dtype=complex) + np.full(6, 2j) * t + np.ones_like(t + 0j)), v),
    (lambda t: q(np.full_like(t + 0j, 2 - 1j) * t), v),
    (lambda t: q(t) if not np.iscomplexobj(t) and np.isrealobj(t) and np.iscomplexobj(t * 1j) else 0 * q(t), v),
    (lambda t: q(sum(np.exp(1j * k * t) for k in range(3))), v),
]

PRODUCTS = [
    (lambda t: q(np.vdot(t + 1j * w, t * (1 + 2j))), v),
    (lambda t: q(np.vecdot(t + 1j * w, t * (1 + 2j))), v),
    (lambda t: q(np.linalg.vecdot(t + 1j * w, t * (1 + 2j))), v),
    (lambda t: q(np.dot(t + 1j * w, t * (1 + 2j))), v),
    (lambda t: q(np.inner(t * 1j, t + 1j)), v),
    (lambda t: q(np.outer(t * 1j, t + 1j)), v),
    (lambda t: q(H @ (t + 1j * t**2)), M),
    (lambda t: q((t + 1j) @ H[0]), M),
    (lambda t: q(np.einsum("ij,jk,k->i", H, t * 1j + 1, H[1])), M),
    (lambda t: q(np.tensordot(H, t * 1j, axes=([0], [1]))), M),
    (lambda t: q(np.kron(H, t)), M),
    (lambda t: q(np.convolve(t * 1j + w, t[:3] + 2j)), v),
    (lambda t: q(np.convolve(t * 1j + w, t[:3] + 2j, "same")), v),
    (lambda t: q(np.correlate(t * 1j + w, t[:3] + 2j)), v),
    (lambda t: q(np.correlate(t[:3] * 1j, t * (1 + 2j) + w, "full")), v),
    (lambda t: q(np.polyval(np.array([1j, 2, 1 - 1j]), t)), v),
    (lambda t: q(np.linalg.inv(t + H)), M),
    (lambda t: q(np.linalg.det(t * (1 + 1j) + H)), M),
    (lambda t: q(np.linalg.solve(t + H, t * 1j)), M),
    (lambda t: q(np.linalg.solve(t + H, t[0])), M),
    (lambda t: q(np.linalg.matrix_power(t + H, 3)), M),
    (lambda t: q(np.linalg.multi_dot([H, t + 1j, H])), M),
    (lambda t: q(np.trace(H @ t)), M),
    (lambda t: q((t + H).conj().T @ (t - H)), M),
    (lambda t: np.linalg.norm(t + H), M),
    (lambda t: q(np.linalg.norm(t + H, axis=1)), M),
    (lambda t: q(np.linalg.norm(t + H, 1, axis=0)), M),
    (lambda t: np.linalg.norm(t + H, np.inf), M),
    (lambda t: q(np.linalg.vector_norm(t + H, ord=3)), M),
    (lambda t: q(np.linalg.matrix_norm(t + H)), M),
]

WHOLE = [
    (lambda t: q(np.sum(t * 1j + t**2, axis=1)), A),
    (lambda t: q((t * 1j + t**2).mean(axis=0)), A),
    (lambda t: q(np.var(t * 1j + t**2)), A),
    (lambda t: q((t * 1j + t**2).var(axis=0, ddof=1, keepdims=True)), A),
    (lambda t: q(np.std(t * 1j + t**2, axis=1)), A),
    (lambda t: q(np.prod(t * 1j + 1, axis=1)), A),
    (lambda t: q(np.cumsum(t * 1j + t**2, axis=1)), A),
    (lambda t: q(np.cumprod(t + 1j, axis=1)), A),
    (lambda t: q(np.diff(t * 1j + t**2)), A),
    (lambda t: q(np.average(t * 1j, axis=0, weights=[1, 2j, 3])), A),
    (lambda t: q(np.trapezoid(t * 1j + t**2)), A),
    (lambda t: q((t * 1j).reshape(2, 6).T), A),
    (lambda t: q(np.moveaxis(t * 1j, 0, -1)[:, None, 1]), B),
    (lambda t: q(np.concatenate([t * 1j, t], axis=1)), A),
    (lambda t: q(np.stack([t * 1j, t + 1], axis=1)), A),
    (lambda t: q(np.pad(t * 1j, ((0, 1), (2, 0)))), A),
    (lambda t: q(np.pad(t * 1j, 1, mode="reflect")), A),
    (lambda t: q(np.roll(t * 1j, 2)[::-1]), v),
    (lambda t: q(np.tile(t * 1j, 2) * np.repeat(t, 2)), v),
    (lambda t: q((t * (1 + 1j))[[0, 2, 2], 1:]), A),
    (lambda t: q(np.take(t * 1j, [1, 1, 0], axis=1)), A),
    (lambda t: q((t + 1j)[A > 0]), A),
    (lambda t: q(np.lib.stride_tricks.sliding_window_view(t * (1 + 1j), 3) ** 2), v),
]


def written(t):
    z = np.zeros(8, dtype=complex)
    z[1:7] = t * 1j
    z[0] = t[0] ** 2
    z[2] += 1 + 1j * t[1]
    return q(z)


def in_place(t):
    z = np.fft.fft(t)
    z[3:] = 0
    z *= 1 + 2j
    z -= t
    return q(np.fft.ifft(z))


CASES = {
    "fourier": FOURIER,
    "parts": PARTS,
    "products": PRODUCTS,
    "whole": WHOLE,
    "written": [(written, v), (in_place, v)],
}


@pytest.mark.parametrize(
    ("f", "x"),
    [pytest.param(f, x, id=f"{kind} {k}") for kind, cases in CASES.items() for k, (f, x) in enumerate(cases)],
)
def test_derivatives(f, x):
    agrees(f, x)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda t: np.sum(t * 1j), "the result of <lambda> is a complex number"),
        (lambda t: np.sum(t * 1j), "return its real part, z.real, or its modulus, np.abs"),
        (lambda t: np.sum(np.sort(t * 1j).real), "np.sort of complex numbers is not followed"),
        (lambda t: np.max(t + 1j).real, "np.max of complex numbers"),
        (lambda t: np.sum(np.maximum(t, 1j).real), "np.maximum of complex numbers"),
        (lambda t: np.sum(np.less(t * 1j, 0) * t), "np.less of complex numbers"),
        (lambda t: np.sum(np.clip(t * 1j, 0, 1).real), "np.clip of complex numbers"),
        (lambda t: np.linalg.svd(np.outer(t, t) * 1j, compute_uv=False)[0], "np.svd of complex numbers"),
        (lambda t: np.linalg.norm(np.outer(t, t) * 1j, 2), 'use ord="fro"'),
        (lambda t: np.sum(np.fft.fft(t).astype(float)), "use z.real"),
        (lambda t: float(abs(complex(t[0]))), "turned into a plain one"),
        (lambda t: np.sum(np.fft.fftn(np.outer(t, t), axes=(0, 0)).real), "one axis twice"),
        (lambda t: np.sum(np.linalg.eigvals(np.outer(t, t)).real), "np.linalg.eigvalsh"),
    ],
)
def test_what_is_refused(f, message):
    with pytest.raises(TraceError, match=message):
        trace(f, {"t": v})


def test_complex_numbers_are_not_written_into_real_ones():
    def f(t):
        y = np.zeros(6)
        y[1] = t[0] * 1j
        return np.sum(y)

    with pytest.raises(TraceError, match="make the array with dtype=complex"):
        trace(f, {"t": v})


class TestGivenComplexArrays:
    @staticmethod
    def f(t, K):
        return np.sum(np.abs(K @ t) ** 2)

    def test_they_are_held_constant(self):
        derivation = bp.derive(self.f, t=v[:3], K=H)
        assert list(derivation.gradients) == ["t"]
        run = bp.run(derivation)
        np.testing.assert_allclose(run["dt"], 2 * np.real(np.conj(H @ v[:3]) @ H), rtol=1e-13)
        again = bp.run(derivation, {"K": 2 * H})
        np.testing.assert_allclose(again["dt"], 4 * run["dt"], rtol=1e-13)
        single = bp.run(derivation, dtype="float32")
        assert single["K"].dtype == np.complex64
        assert single["dt"].dtype == np.float32

    def test_no_derivative_by_them(self):
        with pytest.raises(SpecError, match=r"K holds complex numbers.*\n.*\n.*z = x \+ 1j \* y"):
            bp.derive(self.f, {"t": v[:3], "K": H}, wrt=["K"])
        with pytest.raises(SpecError, match="K holds complex numbers"):
            bp.derive(lambda K: np.abs(K).sum(), K=H)


def test_at_zero_the_derivative_of_the_modulus_is_zero_and_the_check_says_so():
    x = np.array([1.0, -1.0, 1.0, -1.0])
    derivation = bp.derive(lambda t: np.sum(np.abs(np.fft.fft(t))), t=x)
    trace_ = bp.run(derivation)
    np.testing.assert_allclose(trace_["dt"], x / abs(x), rtol=1e-12)
    report = bp.check(trace_)
    assert report.method == "central"
    assert "central differences were taken" in report.notes[0]
    assert any("3 complex numbers of which the modulus is taken are 0; there its" in note for note in report.notes)


def test_values_are_readable_and_whole():
    def f(t):
        Z = np.fft.fft(t)
        return np.sum(np.abs(Z) ** 3)

    derivation = bp.derive(f, t=v[:2])
    trace_ = bp.run(derivation, {"t": np.array([1.5, -0.5])})
    assert str(trace_.explain("Z", 2)).startswith("Z[2] = 2+0i, the sum of 2 terms:\n  1.5+0i from t[1] = 1.5\n")


def test_what_is_followed_for_complex_numbers_is_followed():
    assert {function.__name__ for function in COMPLEX if function not in HANDLERS} == set()
