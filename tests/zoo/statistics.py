"""Likelihoods, losses, filters, and a little physics."""

from __future__ import annotations

import numpy as np

from zoo.case import Case


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def logsumexp(x, axis=None, keepdims=False):
    m = np.max(x, axis=axis, keepdims=True)
    s = m + np.log(np.sum(np.exp(x - m), axis=axis, keepdims=True))
    return s if keepdims else np.squeeze(s, axis=axis)


def log_softmax(x, axis=-1):
    return x - logsumexp(x, axis=axis, keepdims=True)


def gaussian(x, mu, log_sigma):
    z = (x - mu) / np.exp(log_sigma)
    return np.sum(-0.5 * z**2 - log_sigma - 0.5 * np.log(2 * np.pi))


def gaussian_full(X, mu, A):
    """A full covariance, A Aᵀ + I."""
    n, d = X.shape
    Sigma = A @ A.T + np.eye(d)
    D = X - mu
    mahalanobis = np.einsum("ni,ij,nj->n", D, np.linalg.inv(Sigma), D)
    return 0.5 * (n * np.log(np.linalg.det(Sigma)) + mahalanobis.sum() + n * d * np.log(2 * np.pi))


def mixture(X, logits, means, log_scales):
    log_pi = log_softmax(logits)
    d = X[:, None, :] - means[None]
    log_p = -0.5 * np.sum(d**2 * np.exp(-2 * log_scales), axis=2) - np.sum(log_scales, axis=1)
    return -np.mean(logsumexp(log_pi + log_p, axis=1))


def mixture_logaddexp(x, mu1, mu2, a):
    p = np.log(sigmoid(a)) - 0.5 * (x - mu1) ** 2
    q = np.log(1 - sigmoid(a)) - 0.5 * (x - mu2) ** 2
    return np.logaddexp(p, q).sum()


def logistic_regression(theta, X, y):
    h = sigmoid(X.dot(theta))
    return -(y.dot(np.log(h)) + (1 - y).dot(np.log(1 - h))) / y.size


def stable_logistic(w, b, X, y):
    z = X @ w + b
    return np.mean(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z))))


def logistic_logaddexp(w, X, t):
    """Labels are -1 and 1."""
    return np.logaddexp(0, -t * (X @ w)).sum() + 0.1 * w @ w


def softmax_regression(W, b, X, y):
    logp = log_softmax(X @ W + b)
    return -logp[np.arange(len(y)), y].mean() + 1e-2 * (W**2).sum()


def softmax_take(W, X, y):
    logits = X @ W
    picked = np.take_along_axis(logits, y[:, None], axis=1)[:, 0]
    return np.mean(logsumexp(logits, axis=1) - picked)


def poisson(w, b, X, counts):
    rate = np.exp(X @ w + b)
    return np.sum(rate - counts * np.log(rate))


def negative_binomial_like(w, X, y, r=2.0):
    mu = np.exp(X @ w)
    return -np.sum(y * np.log(mu / (mu + r)) + r * np.log(r / (r + mu)))


def student_t(x, mu, log_s, nu=4):
    z = (x - mu) / np.exp(log_s)
    return np.sum(0.5 * (nu + 1) * np.log1p(z**2 / nu) + log_s)


def vae(enc, dec, x, eps):
    """The evidence lower bound with given noise."""
    h = np.tanh(x @ enc["W"] + enc["b"])
    mu = h @ enc["Wm"]
    logvar = h @ enc["Wv"]
    z = mu + np.exp(0.5 * logvar) * eps
    p = sigmoid(np.tanh(z @ dec["V"]) @ dec["U"] + dec["c"])
    bce = -np.sum(x * np.log(p) + (1 - x) * np.log(1 - p))
    kl = -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar))
    return (bce + kl) / x.shape[0]


def contrastive(A, B, tau=0.5):
    """Matching rows of two views are to be alike, all others are not."""
    a = A / np.linalg.norm(A, axis=1, keepdims=True)
    b = B / np.linalg.norm(B, axis=1, keepdims=True)
    logits = a @ b.T / tau
    labels = np.arange(len(A))
    rows = -log_softmax(logits, axis=1)[labels, labels].mean()
    columns = -log_softmax(logits, axis=0)[labels, labels].mean()
    return (rows + columns) / 2


def contrastive_pairs(W, X1, X2, same, margin=2.0):
    d = np.sqrt(np.sum((X1 @ W - X2 @ W) ** 2, axis=1) + 1e-9)
    return np.mean(same * d**2 + (1 - same) * np.maximum(margin - d, 0) ** 2)


def triplet(W, anchor, positive, negative, margin=1.0):
    embed = lambda x: np.tanh(x @ W)  # noqa: E731
    near = np.square(embed(anchor) - embed(positive)).sum(-1)
    far = np.square(embed(anchor) - embed(negative)).sum(-1)
    return np.clip(near - far + margin, 0, None).sum()


def focal(w, X, y, gamma=2, alpha=0.25):
    p = sigmoid(X @ w)
    p_t = np.where(y == 1, p, 1 - p)
    a_t = np.where(y == 1, alpha, 1 - alpha)
    return -np.mean(a_t * (1 - p_t) ** gamma * np.log(p_t))


def label_smoothing(W, X, y, smoothing=0.1):
    n, k = X.shape[0], W.shape[1]
    target = np.full((n, k), smoothing / k)
    target[np.arange(n), y] += 1 - smoothing
    return -np.sum(target * log_softmax(X @ W)) / n


def clipped_cross_entropy(W, X, Y):
    e = np.exp(X @ W)
    p = np.clip(e / e.sum(1, keepdims=True), 1e-7, 1 - 1e-7)
    return -np.mean(np.sum(Y * np.log(p), axis=1))


def kl_categorical(p_logits, q_logits):
    log_p, log_q = log_softmax(p_logits), log_softmax(q_logits)
    return np.sum(np.exp(log_p) * (log_p - log_q))


def kl_gaussians(mu0, log_s0, mu1, log_s1):
    v0, v1 = np.exp(2 * log_s0), np.exp(2 * log_s1)
    return 0.5 * np.sum((v0 + (mu0 - mu1) ** 2) / v1 - 1 + 2 * (log_s1 - log_s0))


def distillation(W, X, teacher, y, T=3.0, a=0.7):
    z = X @ W
    soft = -(np.exp(log_softmax(teacher / T)) * log_softmax(z / T)).sum(1).mean() * T**2
    hard = -log_softmax(z)[np.arange(len(y)), y].mean()
    return a * soft + (1 - a) * hard


def matrix_factorisation(U, V, bu, bv, users, items, ratings, lam=0.1):
    mu = np.mean(ratings)
    prediction = np.sum(U[users] * V[items], axis=1) + bu[users] + bv[items] + mu
    return np.mean((ratings - prediction) ** 2) + lam * (np.sum(U**2) + np.sum(V**2))


def masked_factorisation(U, V, R):
    seen = R > 0
    return 0.5 * np.sum(seen * (R - U @ V.T) ** 2)


def factorisation_machine(w0, w, V, X, y):
    s = (X @ V) ** 2 - (X**2) @ (V**2)
    return np.mean((w0 + X @ w + 0.5 * s.sum(axis=1) - y) ** 2)


def cox(beta, X, event):
    """Sorted by time, the longest first: the ones at risk are those before."""
    eta = X @ beta
    risk = np.log(np.cumsum(np.exp(eta)))
    return -np.sum(event * (eta - risk)) / np.sum(event)


def cox_reversed(beta, X, event):
    """Sorted by time, the shortest first."""
    theta = np.exp(X @ beta)
    at_risk = np.cumsum(theta[::-1])[::-1]
    return -np.sum((np.log(theta) - np.log(at_risk))[event == 1])


def gaussian_process(log_theta, X, y):
    length, scale, noise = np.exp(log_theta)
    d2 = np.sum((X[:, None] - X[None, :]) ** 2, axis=-1)
    K = scale * np.exp(-0.5 * d2 / length**2) + noise * np.eye(len(X))
    return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * np.log(np.linalg.det(K)) + 0.5 * len(y) * np.log(2 * np.pi)


def gaussian_process_cholesky(log_length, log_noise, X, y):
    sq = np.sum(X**2, 1).reshape(-1, 1) + np.sum(X**2, 1) - 2 * np.dot(X, X.T)
    K = np.exp(-0.5 * sq / np.exp(2 * log_length)) + np.exp(log_noise) * np.eye(X.shape[0])
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, y))
    return 0.5 * y.dot(alpha) + np.log(np.diagonal(L)).sum()


def kalman(F, H, Q, R, m, P, ys):
    """The likelihood of observations, with a state of two numbers."""
    nll = 0.0
    for y in ys:
        m = F @ m
        P = F @ P @ F.T + Q
        e = y - H @ m
        S = H @ P @ H.T + R
        K = P @ H.T @ np.linalg.inv(S)
        nll = nll + 0.5 * (e @ np.linalg.solve(S, e) + np.log(np.linalg.det(S)))
        m = m + K @ e
        P = (np.eye(len(m)) - K @ H) @ P
    return nll


def kalman_scalar(a, q, r, y):
    x, p, loss = 0.0, 1.0, 0.0
    for t in range(len(y)):
        x, p = a * x, a * a * p + q**2
        s = p + r**2
        v = y[t] - x
        loss += np.log(s) + v * v / s
        k = p / s
        x, p = x + k * v, (1 - k) * p
    return loss / 2


def hidden_markov(log_A, log_B, log_pi, obs):
    """The forward algorithm in logarithms."""
    A = log_softmax(log_A, axis=1)
    B = log_softmax(log_B, axis=1)
    alpha = log_softmax(log_pi) + B[:, obs[0]]
    for o in obs[1:]:
        alpha = logsumexp(alpha[:, None] + A, axis=0) + B[:, o]
    return -logsumexp(alpha, axis=0)


def autoregression(phi, c, y):
    p = len(phi)
    error = 0
    for t in range(p, len(y)):
        error = error + (y[t] - c - phi @ y[t - p : t][::-1]) ** 2
    return error / (len(y) - p)


def policy_gradient(theta, states, actions, rewards, gamma=0.9):
    returns = []
    g = 0.0
    for r in rewards[::-1]:
        g = r + gamma * g
        returns.insert(0, g)
    returns = np.stack(returns)
    logp = log_softmax(states @ theta)[np.arange(len(actions)), actions]
    return -np.sum(logp * (returns - np.mean(returns)))


def springs(q, edges, rest, k):
    i, j = edges[:, 0], edges[:, 1]
    length = np.linalg.norm(q[i] - q[j], axis=1)
    return 0.5 * np.sum(k * (length - rest) ** 2)


def lennard_jones(x, sigma, eps):
    energy = 0.0
    n = len(x)
    for i in range(n):
        for j in range(i + 1, n):
            d = x[i] - x[j]
            s6 = (sigma**2 / (d @ d)) ** 3
            energy += 4 * eps * (s6 * s6 - s6)
    return energy


def coulomb(x, charge):
    """All pairs at once, by the indices of a triangle."""
    i, j = np.triu_indices(len(x), k=1)
    r = np.sqrt(((x[i] - x[j]) ** 2).sum(axis=1))
    return np.sum(charge[i] * charge[j] / r)


def pendulum(theta0, omega0, length, target, dt=0.1, steps=6):
    """Euler's steps."""
    theta, omega = theta0, omega0
    for _ in range(steps):
        theta, omega = theta + dt * omega, omega - dt * 9.81 / length * np.sin(theta)
    return (theta - target) ** 2


def lotka_volterra(p, z0, observed, dt=0.05):
    def f(z):
        return np.stack([p[0] * z[0] - p[1] * z[0] * z[1], p[2] * z[0] * z[1] - p[3] * z[1]])

    z = z0
    loss = 0.0
    for y in observed:
        k1 = f(z)
        k2 = f(z + dt * k1 / 2)
        z = z + dt * k2
        loss += np.sum((np.log(z) - np.log(y)) ** 2)
    return loss


def neural_ode(W, b, z0, target, dt=0.2):
    z = z0
    for _ in range(4):
        z = z + dt * np.tanh(z @ W + b)
    return np.sum((z - target) ** 2)


def heat_equation(u0, kappa, target, steps=3):
    u = u0
    for _ in range(steps):
        inner = u[1:-1] + kappa * (u[2:] - 2 * u[1:-1] + u[:-2])
        u = np.concatenate([u[:1], inner, u[-1:]])
    return np.sum((u - target) ** 2)


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def rosenbrock_loop(x):
    total = 0
    for i in range(len(x) - 1):
        total += 100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2
    return total


def ackley(x):
    n = len(x)
    a = -20 * np.exp(-0.2 * np.sqrt(np.sum(x**2) / n))
    return a - np.exp(np.sum(np.cos(2 * np.pi * x)) / n) + 20 + np.e


def himmelblau(p):
    x, y = p
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def pearson(w, X, y):
    z = X @ w
    z, y = z - z.mean(), y - y.mean()
    return np.sum(z * y) / np.sqrt(np.sum(z**2) * np.sum(y**2))


def entropy(z):
    p = np.exp(z) / np.sum(np.exp(z))
    return -np.sum(p * np.log(p))


def sharpe(w, returns):
    weights = np.exp(w) / np.exp(w).sum()
    portfolio = returns @ weights
    return -portfolio.mean() / np.std(portfolio)


def dice(z, target):
    p = sigmoid(z)
    return 1 - (2 * np.sum(p * target) + 1) / (np.sum(p) + np.sum(target) + 1)


def quantile(w, X, y, q=0.3):
    e = y - X @ w
    return np.mean(np.maximum(q * e, (q - 1) * e))


def normalising_flow(layers, x):
    """Coupling layers: half of the entries move the other half."""
    log_det = 0.0
    for k, (Ws, Wt) in enumerate(layers):
        a, b = (x[:, :2], x[:, 2:]) if k % 2 == 0 else (x[:, 2:], x[:, :2])
        s = np.tanh(a @ Ws)
        b = b * np.exp(s) + a @ Wt
        log_det = log_det + s.sum(axis=1)
        x = np.concatenate((a, b) if k % 2 == 0 else (b, a), axis=1)
    return -np.mean(-0.5 * np.sum(x**2, axis=1) + log_det)


def kernel_discrepancy(X, Y):
    def k(A, B):
        return np.exp(-np.sum((A[:, None, :] - B[None, :, :]) ** 2, axis=2) / 2)

    return k(X, X).mean() + k(Y, Y).mean() - 2 * k(X, Y).mean()


def stress(X, D):
    """Multidimensional scaling."""
    i, j = np.triu_indices(len(X), 1)
    return np.sum((np.hypot(X[i, 0] - X[j, 0], X[i, 1] - X[j, 1]) - D[i, j]) ** 2)


def plackett_luce(w, X, order):
    s = (X @ w)[order]
    return -sum(s[k] - logsumexp(s[k:], axis=0) for k in range(len(order) - 1))


def product_of_survivals(log_hazard):
    hazard = sigmoid(log_hazard)
    return -np.log(np.prod(1 - hazard[:-1]) * hazard[-1])


VARIANCE = "np.var and np.std take absolute values"
ABSOLUTE = "np.abs"
NORM = "np.linalg.norm takes absolute values"
REAL_ONLY = "np.logaddexp takes real numbers only"


def _binary(r, n):
    return (r.uniform(size=n) < 0.5).astype(float)


def _one_hot(r, n, k):
    return np.eye(k)[r.integers(0, k, size=n)]


CASES = [
    Case(
        "Gaussian",
        gaussian,
        lambda r: {"x": r.normal(size=7), "mu": r.normal(size=()), "log_sigma": r.normal(size=())},
    ),
    Case(
        "Gaussian, full covariance",
        gaussian_full,
        lambda r: {"X": r.normal(size=(5, 3)), "mu": r.normal(size=3), "A": r.normal(size=(3, 2))},
    ),
    Case(
        "mixture",
        mixture,
        lambda r: {
            "X": r.normal(size=(5, 3)),
            "logits": r.normal(size=4),
            "means": r.normal(size=(4, 3)),
            "log_scales": r.normal(size=(4, 3)) / 3,
        },
    ),
    Case(
        "mixture by logaddexp",
        mixture_logaddexp,
        lambda r: {"x": r.normal(size=5), "mu1": r.normal(size=()), "mu2": r.normal(size=()), "a": r.normal(size=())},
        complex_step=False,
        reason=REAL_ONLY,
    ),
    Case(
        "logistic regression",
        logistic_regression,
        lambda r: {"theta": r.normal(size=3), "X": r.normal(size=(5, 3)), "y": _binary(r, 5)},
    ),
    Case(
        "logistic regression, stable",
        stable_logistic,
        lambda r: {"w": r.normal(size=3), "b": r.normal(size=()), "X": r.normal(size=(5, 3)), "y": _binary(r, 5)},
        complex_step=False,
        reason=ABSOLUTE,
    ),
    Case(
        "logistic regression by logaddexp",
        logistic_logaddexp,
        lambda r: {"w": r.normal(size=3), "X": r.normal(size=(5, 3)), "t": 2 * _binary(r, 5) - 1},
        complex_step=False,
        reason=REAL_ONLY,
    ),
    Case(
        "softmax regression",
        softmax_regression,
        lambda r: {
            "W": r.normal(size=(3, 4)),
            "b": r.normal(size=4),
            "X": r.normal(size=(5, 3)),
            "y": r.integers(0, 4, size=5),
        },
    ),
    Case(
        "softmax regression, take_along_axis",
        softmax_take,
        lambda r: {"W": r.normal(size=(3, 4)), "X": r.normal(size=(5, 3)), "y": r.integers(0, 4, size=5)},
    ),
    Case(
        "Poisson",
        poisson,
        lambda r: {
            "w": r.normal(size=3) / 2,
            "b": r.normal(size=1),
            "X": r.normal(size=(5, 3)),
            "counts": r.integers(0, 6, size=5),
        },
    ),
    Case(
        "negative binomial",
        negative_binomial_like,
        lambda r: {"w": r.normal(size=3), "X": r.normal(size=(5, 3)), "y": r.integers(0, 6, size=5)},
    ),
    Case(
        "Student's t",
        student_t,
        lambda r: {"x": r.normal(size=7), "mu": r.normal(size=()), "log_s": r.normal(size=())},
    ),
    Case(
        "variational autoencoder",
        vae,
        lambda r: {
            "enc": {
                "W": r.normal(size=(6, 4)),
                "b": r.normal(size=4),
                "Wm": r.normal(size=(4, 2)),
                "Wv": r.normal(size=(4, 2)) / 2,
            },
            "dec": {"V": r.normal(size=(2, 3)), "U": r.normal(size=(3, 6)), "c": r.normal(size=6)},
            "x": r.uniform(size=(5, 6)),
            "eps": r.normal(size=(5, 2)),
        },
    ),
    Case(
        "contrastive",
        contrastive,
        lambda r: {"A": r.normal(size=(4, 3)), "B": r.normal(size=(4, 3))},
        complex_step=False,
        reason=NORM,
    ),
    Case(
        "contrastive pairs",
        contrastive_pairs,
        lambda r: {
            "W": r.normal(size=(3, 2)),
            "X1": r.normal(size=(5, 3)),
            "X2": r.normal(size=(5, 3)),
            "same": _binary(r, 5),
        },
    ),
    Case(
        "triplet",
        triplet,
        lambda r: {
            "W": r.normal(size=(3, 2)),
            **{k: r.normal(size=(5, 3)) for k in ("anchor", "positive", "negative")},
        },
    ),
    Case(
        "focal",
        focal,
        lambda r: {"w": r.normal(size=3), "X": r.normal(size=(7, 3)), "y": r.integers(0, 2, size=7)},
    ),
    Case(
        "label smoothing",
        label_smoothing,
        lambda r: {"W": r.normal(size=(3, 4)), "X": r.normal(size=(5, 3)), "y": r.integers(0, 4, size=5)},
    ),
    Case(
        "clipped cross-entropy",
        clipped_cross_entropy,
        lambda r: {"W": r.normal(size=(3, 4)), "X": r.normal(size=(5, 3)), "Y": _one_hot(r, 5, 4)},
    ),
    Case(
        "divergence of categories",
        kl_categorical,
        lambda r: {"p_logits": r.normal(size=(3, 4)), "q_logits": r.normal(size=(3, 4))},
    ),
    Case(
        "divergence of Gaussians",
        kl_gaussians,
        lambda r: {k: r.normal(size=4) for k in ("mu0", "log_s0", "mu1", "log_s1")},
    ),
    Case(
        "distillation",
        distillation,
        lambda r: {
            "W": r.normal(size=(3, 4)),
            "X": r.normal(size=(5, 3)),
            "teacher": r.normal(size=(5, 4)),
            "y": r.integers(0, 4, size=5),
        },
    ),
    Case(
        "matrix factorisation",
        matrix_factorisation,
        lambda r: {
            "U": r.normal(size=(4, 2)),
            "V": r.normal(size=(5, 2)),
            "bu": r.normal(size=4),
            "bv": r.normal(size=5),
            "users": r.integers(0, 4, size=7),
            "items": r.integers(0, 5, size=7),
            "ratings": r.uniform(1, 5, size=7),
        },
    ),
    Case(
        "masked factorisation",
        masked_factorisation,
        lambda r: {"U": r.normal(size=(4, 2)), "V": r.normal(size=(5, 2)), "R": r.integers(0, 4, size=(4, 5))},
    ),
    Case(
        "factorisation machine",
        factorisation_machine,
        lambda r: {
            "w0": r.normal(size=()),
            "w": r.normal(size=3),
            "V": r.normal(size=(3, 2)),
            "X": r.normal(size=(5, 3)),
            "y": r.normal(size=5),
        },
    ),
    Case(
        "Cox",
        cox,
        lambda r: {"beta": r.normal(size=3), "X": r.normal(size=(7, 3)), "event": np.array([1, 0, 1, 1, 0, 1, 1])},
    ),
    Case(
        "Cox, reversed",
        cox_reversed,
        lambda r: {"beta": r.normal(size=3), "X": r.normal(size=(7, 3)), "event": np.array([1, 0, 1, 1, 0, 1, 1])},
    ),
    Case(
        "Gaussian process",
        gaussian_process,
        lambda r: {"log_theta": r.normal(size=3) / 3, "X": r.normal(size=(5, 2)), "y": r.normal(size=5)},
    ),
    Case(
        "Gaussian process by Cholesky",
        gaussian_process_cholesky,
        lambda r: {
            "log_length": r.normal(size=()) / 3,
            "log_noise": r.normal(size=()) / 3,
            "X": r.normal(size=(5, 2)),
            "y": r.normal(size=5),
        },
        complex_step=False,
        reason="np.linalg.cholesky conjugates",
    ),
    Case(
        "Kalman",
        kalman,
        lambda r: {
            "F": r.normal(size=(3, 3)) / 2,
            "H": r.normal(size=(2, 3)),
            "Q": np.diag(r.uniform(0.5, 1, size=3)),
            "R": np.diag(r.uniform(0.5, 1, size=2)),
            "m": r.normal(size=3),
            "P": np.diag(r.uniform(0.5, 1, size=3)),
            "ys": r.normal(size=(3, 2)),
        },
    ),
    Case(
        "Kalman, a number",
        kalman_scalar,
        lambda r: {"a": r.normal(size=()), "q": r.normal(size=()), "r": r.normal(size=()), "y": r.normal(size=4)},
    ),
    Case(
        "hidden Markov model",
        hidden_markov,
        lambda r: {
            "log_A": r.normal(size=(3, 3)),
            "log_B": r.normal(size=(3, 5)),
            "log_pi": r.normal(size=3),
            "obs": [1, 4, 0, 4],
        },
    ),
    Case(
        "autoregression",
        autoregression,
        lambda r: {"phi": r.normal(size=2), "c": r.normal(size=()), "y": r.normal(size=6)},
    ),
    Case(
        "policy gradient",
        policy_gradient,
        lambda r: {
            "theta": r.normal(size=(3, 2)),
            "states": r.normal(size=(5, 3)),
            "actions": r.integers(0, 2, size=5),
            "rewards": r.normal(size=5),
        },
    ),
    Case(
        "springs",
        springs,
        lambda r: {
            "q": r.normal(size=(4, 2)),
            "edges": np.array([[0, 1], [1, 2], [2, 3], [3, 0], [0, 2]]),
            "rest": r.uniform(0.5, 1, size=5),
            "k": r.uniform(1, 2, size=5),
        },
        complex_step=False,
        reason=NORM,
    ),
    Case(
        "Lennard-Jones",
        lennard_jones,
        lambda r: {
            "x": 1.3 * np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]) + 0.1 * r.normal(size=(4, 3)),
            "sigma": np.array(1.1),
            "eps": np.array(0.7),
        },
    ),
    Case("Coulomb", coulomb, lambda r: {"x": r.normal(size=(4, 3)), "charge": r.normal(size=4)}),
    Case(
        "pendulum",
        pendulum,
        lambda r: {
            "theta0": np.array(0.4),
            "omega0": np.array(-0.2),
            "length": np.array(1.5),
            "target": np.array(0.1),
        },
    ),
    Case(
        "Lotka and Volterra",
        lotka_volterra,
        lambda r: {
            "p": r.uniform(0.5, 1, size=4),
            "z0": r.uniform(1, 2, size=2),
            "observed": r.uniform(1, 2, size=(3, 2)),
        },
    ),
    Case(
        "neural differential equation",
        neural_ode,
        lambda r: {
            "W": r.normal(size=(3, 3)),
            "b": r.normal(size=3),
            "z0": r.normal(size=(4, 3)),
            "target": r.normal(size=(4, 3)),
        },
    ),
    Case(
        "heat equation",
        heat_equation,
        lambda r: {"u0": r.normal(size=6), "kappa": np.array(0.2), "target": r.normal(size=6)},
    ),
    Case("Rosenbrock", rosenbrock, lambda r: {"x": r.normal(size=4)}),
    Case("Rosenbrock, a loop", rosenbrock_loop, lambda r: {"x": r.normal(size=4)}),
    Case("Ackley", ackley, lambda r: {"x": r.normal(size=3)}),
    Case("Himmelblau", himmelblau, lambda r: {"p": r.normal(size=2)}),
    Case(
        "correlation",
        pearson,
        lambda r: {"w": r.normal(size=3), "X": r.normal(size=(5, 3)), "y": r.normal(size=5)},
    ),
    Case("entropy", entropy, lambda r: {"z": r.normal(size=5)}),
    Case(
        "Sharpe ratio",
        sharpe,
        lambda r: {"w": r.normal(size=3), "returns": r.normal(size=(5, 3))},
        complex_step=False,
        reason=VARIANCE,
    ),
    Case("dice", dice, lambda r: {"z": r.normal(size=(4, 5)), "target": r.integers(0, 2, size=(4, 5))}),
    Case(
        "quantile",
        quantile,
        lambda r: {"w": r.normal(size=3), "X": r.normal(size=(5, 3)), "y": r.normal(size=5)},
    ),
    Case(
        "normalising flow",
        normalising_flow,
        lambda r: {
            "layers": [
                (r.normal(size=(2, 3)), r.normal(size=(2, 3))),
                (r.normal(size=(3, 2)), r.normal(size=(3, 2))),
            ],
            "x": r.normal(size=(4, 5)),
        },
    ),
    Case(
        "kernel discrepancy",
        kernel_discrepancy,
        lambda r: {"X": r.normal(size=(4, 3)), "Y": r.normal(size=(5, 3))},
    ),
    Case(
        "stress",
        stress,
        lambda r: {"X": r.normal(size=(4, 2)), "D": r.uniform(1, 2, size=(4, 4))},
        complex_step=False,
        reason="np.hypot takes real numbers only",
    ),
    Case(
        "ranking",
        plackett_luce,
        lambda r: {"w": r.normal(size=3), "X": r.normal(size=(5, 3)), "order": np.array([3, 0, 4, 1, 2])},
    ),
    Case("product of survivals", product_of_survivals, lambda r: {"log_hazard": r.normal(size=5)}),
]
