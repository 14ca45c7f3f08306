"""Through complex numbers and back: spectra, filters, phases, circuits, states. All arguments are real."""

from __future__ import annotations

import numpy as np

from zoo.case import Case


def spectral_loss(w, x, target):
    """The distance of two magnitude spectra, of signals that a short filter was applied to."""
    prediction = np.convolve(x, w, mode="same")
    return np.mean((np.abs(np.fft.rfft(prediction)) - np.abs(np.fft.rfft(target))) ** 2)


def spectral_flatness(x):
    """The geometric mean of the power spectrum over its arithmetic mean."""
    power = np.abs(np.fft.rfft(x)) ** 2 + 1e-3
    return np.exp(np.mean(np.log(power))) / np.mean(power)


def circular_convolution(h, x, target):
    y = np.real(np.fft.ifft(np.fft.fft(h) * np.fft.fft(x)))
    return np.sum((y - target) ** 2)


def fast_convolution(h, x, target):
    """Linear convolution: padded with zeros, so that nothing comes round."""
    n = len(h) + len(x) - 1
    y = np.fft.irfft(np.fft.rfft(h, n) * np.fft.rfft(x, n), n)
    return np.mean((y - target) ** 2)


def autocorrelation(x):
    """By the theorem of Wiener and Khinchin."""
    n = 2 * len(x)
    spectrum = np.fft.fft(x - x.mean(), n)
    r = np.fft.ifft(spectrum * np.conj(spectrum)).real[: len(x)]
    return np.sum((r[1:] / r[0]) ** 2)


def low_pass(x, cutoff, target):
    frequencies = np.fft.rfftfreq(len(x))
    gain = 1 / (1 + (frequencies / cutoff) ** 4)
    return np.mean((np.fft.irfft(np.fft.rfft(x) * gain, len(x)) - target) ** 2)


def phase_loss(x, target):
    """One less the cosine of the difference in phase, weighed with the magnitude."""
    X, T = np.fft.rfft(x)[1:-1], np.fft.rfft(target)[1:-1]
    error = np.angle(X) - np.angle(T)
    return np.mean(np.abs(T) * (1 - np.cos(error)))


def stft_loss(x, target, window):
    """Spectral convergence and the distance of the logarithms, over frames that overlap."""
    hop = 4

    def magnitude(signal):
        starts = range(0, len(signal) - len(window) + 1, hop)
        frames = np.stack([signal[k : k + len(window)] * window for k in starts])
        return np.abs(np.fft.rfft(frames, axis=-1))

    P, T = magnitude(x), magnitude(target)
    convergence = np.linalg.norm(T - P) / np.linalg.norm(T)
    return convergence + np.mean(np.abs(np.log(P + 1e-2) - np.log(T + 1e-2)))


def fourier_layer(x, re, im, w, target):
    """One layer of a Fourier neural operator: the low modes are mixed by complex weights, plus a pointwise path."""
    modes = re.shape[0]
    x_ft = np.fft.rfft(x, axis=0)
    weights = re + 1j * im
    out_ft = np.zeros((x_ft.shape[0], re.shape[2]), dtype=complex)
    out_ft[:modes] = np.einsum("ki,kio->ko", x_ft[:modes], weights)
    y = np.fft.irfft(out_ft, n=x.shape[0], axis=0) + x @ w
    return np.mean((np.tanh(y) - target) ** 2)


def complex_linear(w_re, w_im, b_re, b_im, x, phases):
    """A complex layer with modReLU, and a loss of what it gives on unit phasors."""
    z = x * np.exp(1j * phases)
    out = z @ (w_re + 1j * w_im) + (b_re + 1j * b_im)
    size = np.abs(out)
    activated = out * np.maximum(size - 0.3, 0) / size
    return np.sum(np.real(activated) ** 2 + 2 * np.imag(activated) ** 2 + np.real(activated))


def rotary_attention(q, k, v):
    """Rotary positions: pairs of coordinates are complex numbers, turned by an angle that grows with the position."""
    n, d = q.shape
    theta = np.outer(np.arange(n), 10.0 ** (-2 * np.arange(d // 2) / d))
    turn = np.exp(1j * theta)

    def rotated(x):
        pairs = x.reshape(n, d // 2, 2)
        z = (pairs[..., 0] + 1j * pairs[..., 1]) * turn
        return np.stack([z.real, z.imag], axis=-1).reshape(n, d)

    scores = rotated(q) @ rotated(k).T / np.sqrt(d)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = weights / weights.sum(axis=-1, keepdims=True)
    return np.sum((weights @ v) ** 2)


def characteristic_function(mu, log_sigma, x):
    """The distance of an empirical characteristic function from that of a normal distribution."""
    t = np.linspace(-2, 2, 7)
    sigma = np.exp(log_sigma)
    empirical = np.mean(np.exp(1j * np.outer(t, x)), axis=1)
    model = np.exp(1j * t * mu - (sigma * t) ** 2 / 2)
    return np.sum(np.abs(empirical - model) ** 2 * np.exp(-(t**2)))


def circuit(R, L, C, omega):
    """The impedance of a resonant circuit and what it takes from a source, over frequencies."""
    impedance = R[0] + 1j * omega * L + 1 / (1j * omega * C) + R[1] / (1 + 1j * omega * R[1] * C)
    current = 5.0 / impedance
    return np.sum(np.abs(impedance)) + np.sum((5.0 * np.conj(current)).real)


def expectation(theta):
    """The energy <psi|H|psi> of two spins that gates with these angles have turned."""
    X = np.array([[0, 1], [1, 0]], dtype=complex)
    Z = np.array([[1, 0], [0, -1]], dtype=complex)
    Y = np.array([[0, -1j], [1j, 0]])
    H = np.kron(Z, Z) + 0.5 * (np.kron(X, np.eye(2)) + np.kron(np.eye(2), X)) + 0.3 * np.kron(Y, Z)

    def gate(angle, axis):
        return np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * axis

    psi = np.zeros(4, dtype=complex)
    psi[0] = 1
    psi = np.kron(gate(theta[0], X), gate(theta[1], Y)) @ psi
    psi = np.diag(np.exp(-1j * theta[2] * np.array([1, -1, -1, 1]))) @ psi
    psi = np.kron(gate(theta[3], Y), gate(theta[4], Z)) @ psi
    return np.real(np.conj(psi) @ H @ psi)


def overlap(a, b, H_re, H_im):
    """The Rayleigh quotient of a Hermitian matrix, with np.vdot."""
    psi = a + 1j * b
    H = H_re + H_re.T + 1j * (H_im - H_im.T)
    return np.vdot(psi, H @ psi).real / np.vdot(psi, psi).real


def gabor(frequency, sigma, phase, x, target):
    """A Gabor filter: a wave in a window, with a response of even and of odd parts."""
    t = np.arange(-4, 5)
    kernel = np.exp(-(t**2) / (2 * sigma**2)) * np.exp(1j * (2 * np.pi * frequency * t + phase))
    response = np.convolve(x, kernel, mode="same")
    return np.mean((np.abs(response) - target) ** 2) + 0.1 * np.mean(response.real)


def phase_correlation(image, other):
    """How sharp the peak of the normalised cross-power spectrum is at a given shift."""
    A, B = np.fft.fft2(image), np.fft.fft2(other)
    cross = A * np.conj(B)
    surface = np.fft.ifft2(cross / (np.abs(cross) + 1e-2)).real
    return -np.fft.fftshift(surface)[2, 2] + np.sum(surface**4)


def fourier_shift(shift, image, target):
    """Registration below the pixel: the image is moved by phases."""
    ky, kx = (np.fft.fftfreq(n) for n in image.shape)
    phase = np.exp(-2j * np.pi * (ky[:, None] * shift[0] + kx[None, :] * shift[1]))
    moved = np.fft.ifft2(np.fft.fft2(image) * phase).real
    return np.mean((moved - target) ** 2)


def hartley(x, target):
    """The discrete Hartley transform: real less imaginary part."""
    X = np.fft.fft(x)
    return np.sum((X.real - X.imag - target) ** 2) / len(x)


def cepstrum(x):
    spectrum = np.log(np.abs(np.fft.fft(x)) + 1e-2)
    c = np.fft.ifft(spectrum).real
    return np.sum(c[1:4] ** 2) + c[0]


def hilbert_envelope(x, target):
    """The envelope of a signal: the modulus of the analytic signal, with no negative frequencies."""
    n = len(x)
    step = np.zeros(n)
    step[0] = step[n // 2] = 1
    step[1 : n // 2] = 2
    analytic = np.fft.ifft(np.fft.fft(x) * step)
    return np.mean((np.abs(analytic) - target) ** 2)


def on_unit_circle(coefficients):
    """The largest gain of a polynomial on the unit circle, smoothly."""
    z = np.exp(2j * np.pi * np.arange(12) / 12)
    gain = np.abs(np.polyval(coefficients, z))
    return np.log(np.sum(np.exp(3 * gain))) / 3


def iir_response(b, a, target):
    """The magnitude of a recursive filter's response in decibels."""
    z = np.exp(-1j * np.linspace(0.1, 3, 8))
    H = np.sum(b[:, None] * z ** np.arange(len(b))[:, None], axis=0) / (1 + a[0] * z + a[1] * z**2)
    return np.mean((20 * np.log10(np.abs(H)) - target) ** 2)


def diagonal_state_space(log_decay, frequency, C_re, C_im, u, target):
    """A diagonal state space model (S4D): complex states, a kernel of their powers, convolution by transform."""
    n = len(u)
    A = -np.exp(log_decay) + 1j * frequency
    powers = np.exp(np.outer(A, 0.2 * np.arange(n)))
    kernel = 2 * ((C_re + 1j * C_im) @ powers).real
    y = np.fft.irfft(np.fft.rfft(kernel, 2 * n) * np.fft.rfft(u, 2 * n), 2 * n)[:n]
    return np.mean((y - target) ** 2)


def diffraction(phase, target):
    """Phase retrieval: the intensity in the far field of a phase mask."""
    field = np.fft.fftshift(np.fft.fft2(np.exp(1j * phase), norm="ortho"))
    return np.mean((np.abs(field) ** 2 - target) ** 2)


def poisson(f, weight):
    """The energy of Poisson's equation on a periodic grid, solved by transform."""
    k = np.fft.fftfreq(f.shape[0]) * 2 * np.pi
    laplacian = k[:, None] ** 2 + k[None, :] ** 2
    laplacian[0, 0] = 1.0
    f_hat = np.fft.fftn(f - f.mean())
    u = np.fft.ifftn(f_hat / laplacian).real
    return np.sum(weight * u**2) + np.sum(f * u)


def mixing_network(x, g):
    """A mixer of tokens by transform (FNet): the real part of a transform over both axes, and a residual path."""
    mixed = np.fft.fft(np.fft.fft(x, axis=-1), axis=-2).real
    h = x + g * mixed
    return np.mean(np.tanh(h) ** 2)


def holographic(a, b, c):
    """Holographic reduced representations: two vectors are bound by circular convolution, one is taken out again."""
    bound = np.fft.irfft(np.fft.rfft(a) * np.fft.rfft(b), len(a))
    found = np.fft.irfft(np.conj(np.fft.rfft(a)) * np.fft.rfft(bound), len(a))
    return -(found @ c) / (np.linalg.norm(found) * np.linalg.norm(c))


def transfer_matrix(thickness, index):
    """The reflectance of a stack of thin layers, by a product of complex matrices."""
    product = np.eye(2, dtype=complex)
    for d, n in zip(thickness, index, strict=True):
        delta = 2 * np.pi * n * d / 0.55
        layer = np.array([[np.cos(delta), 1j * np.sin(delta) / n], [1j * n * np.sin(delta), np.cos(delta)]])
        product = product @ layer
    b, c = product @ np.array([1.0, 1.52])
    r = (b - c) / (b + c)
    return np.abs(r) ** 2


def mimo_capacity(H_re, H_im, noise):
    """The capacity of a channel with several antennas: the determinant of a Hermitian matrix is real."""
    H = H_re + 1j * H_im
    gram = np.eye(H.shape[0]) + H @ np.conj(H).T / noise
    return -np.log2(np.linalg.det(gram).real)


def green_function(onsite, hopping, energy):
    """The density of states of a chain from its Green's function, an inverse of a complex matrix."""
    h = np.diag(onsite) + np.diag(hopping, 1) + np.diag(hopping, -1)
    G = np.linalg.inv((energy + 0.2j) * np.eye(len(onsite)) - h)
    return np.sum(-np.imag(np.diag(G)) / np.pi * np.arange(1, len(onsite) + 1))


ABS = "np.abs takes the modulus of complex numbers"
PART = "the real part is taken, and a complex step with it"


def case(name, function, arguments, reason=PART):
    return Case(name, function, arguments, complex_step=False, reason=reason)


CASES = [
    case(
        "spectral loss",
        spectral_loss,
        lambda r: {"w": r.normal(size=3), "x": r.normal(size=12), "target": r.normal(size=12)},
        ABS,
    ),
    case("spectral flatness", spectral_flatness, lambda r: {"x": r.normal(size=10)}, ABS),
    case("circular convolution", circular_convolution, lambda r: {k: r.normal(size=8) for k in ("h", "x", "target")}),
    case(
        "fast convolution",
        fast_convolution,
        lambda r: {"h": r.normal(size=4), "x": r.normal(size=9), "target": r.normal(size=12)},
    ),
    case("autocorrelation", autocorrelation, lambda r: {"x": r.normal(size=9)}),
    case(
        "low-pass filter",
        low_pass,
        lambda r: {"x": r.normal(size=11), "cutoff": np.array(0.2), "target": r.normal(size=11)},
    ),
    case("phase loss", phase_loss, lambda r: {"x": r.normal(size=10), "target": r.normal(size=10)}, ABS),
    case(
        "STFT loss",
        stft_loss,
        lambda r: {"x": r.normal(size=20), "target": r.normal(size=20), "window": np.hanning(10)[1:-1]},
        ABS,
    ),
    case(
        "Fourier neural operator",
        fourier_layer,
        lambda r: {
            "x": r.normal(size=(8, 2)),
            "re": r.normal(size=(3, 2, 3)),
            "im": r.normal(size=(3, 2, 3)),
            "w": r.normal(size=(2, 3)),
            "target": r.normal(size=(8, 3)),
        },
    ),
    case(
        "complex layer",
        complex_linear,
        lambda r: {
            "w_re": r.normal(size=(3, 2)),
            "w_im": r.normal(size=(3, 2)),
            "b_re": r.normal(size=2),
            "b_im": r.normal(size=2),
            "x": r.normal(size=(4, 3)),
            "phases": r.normal(size=(4, 3)),
        },
        ABS,
    ),
    case("rotary attention", rotary_attention, lambda r: {k: r.normal(size=(5, 4)) for k in ("q", "k", "v")}),
    case(
        "characteristic function",
        characteristic_function,
        lambda r: {"mu": r.normal(size=()), "log_sigma": r.normal(size=()), "x": r.normal(size=8)},
        ABS,
    ),
    case(
        "circuit",
        circuit,
        lambda r: {
            "R": np.array([2.0, 5.0]),
            "L": np.array(0.3),
            "C": np.array(0.08),
            "omega": np.linspace(1.0, 9.0, 6),
        },
        ABS,
    ),
    case("expectation value", expectation, lambda r: {"theta": r.normal(size=5)}),
    case(
        "Rayleigh quotient",
        overlap,
        lambda r: {
            "a": r.normal(size=3),
            "b": r.normal(size=3),
            "H_re": r.normal(size=(3, 3)),
            "H_im": r.normal(size=(3, 3)),
        },
    ),
    case(
        "Gabor filter",
        gabor,
        lambda r: {
            "frequency": np.array(0.2),
            "sigma": np.array(1.7),
            "phase": np.array(0.4),
            "x": r.normal(size=14),
            "target": r.uniform(size=14),
        },
        ABS,
    ),
    case(
        "phase correlation",
        phase_correlation,
        lambda r: {"image": r.normal(size=(4, 5)), "other": r.normal(size=(4, 5))},
        ABS,
    ),
    case(
        "shift by phases",
        fourier_shift,
        lambda r: {"shift": r.normal(size=2), "image": r.normal(size=(4, 5)), "target": r.normal(size=(4, 5))},
    ),
    case("Hartley transform", hartley, lambda r: {"x": r.normal(size=7), "target": r.normal(size=7)}),
    case("cepstrum", cepstrum, lambda r: {"x": r.normal(size=9)}, ABS),
    case("Hilbert envelope", hilbert_envelope, lambda r: {"x": r.normal(size=10), "target": r.uniform(size=10)}, ABS),
    case("polynomial on the unit circle", on_unit_circle, lambda r: {"coefficients": r.normal(size=5)}, ABS),
    case(
        "recursive filter",
        iir_response,
        lambda r: {"b": r.normal(size=3), "a": np.array([0.3, -0.4]), "target": r.normal(size=8)},
        ABS,
    ),
    case(
        "diagonal state space",
        diagonal_state_space,
        lambda r: {
            "log_decay": r.normal(size=3),
            "frequency": 2 * r.normal(size=3),
            "C_re": r.normal(size=3),
            "C_im": r.normal(size=3),
            "u": r.normal(size=7),
            "target": r.normal(size=7),
        },
    ),
    case(
        "diffraction",
        diffraction,
        lambda r: {"phase": r.normal(size=(4, 4)), "target": r.uniform(size=(4, 4))},
        ABS,
    ),
    case("Poisson's equation", poisson, lambda r: {"f": r.normal(size=(4, 4)), "weight": r.uniform(size=(4, 4))}),
    case("mixing of tokens", mixing_network, lambda r: {"x": r.normal(size=(4, 3)), "g": r.normal(size=3)}),
    case("holographic binding", holographic, lambda r: {k: r.normal(size=9) for k in "abc"}),
    case(
        "thin layers",
        transfer_matrix,
        lambda r: {"thickness": r.uniform(0.05, 0.2, size=3), "index": r.uniform(1.3, 2.4, size=3)},
        ABS,
    ),
    case(
        "channel capacity",
        mimo_capacity,
        lambda r: {"H_re": r.normal(size=(3, 2)), "H_im": r.normal(size=(3, 2)), "noise": np.array(0.5)},
    ),
    case(
        "Green's function",
        green_function,
        lambda r: {"onsite": r.normal(size=4), "hopping": r.normal(size=3), "energy": np.array(0.3)},
    ),
]
