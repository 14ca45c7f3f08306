"""The discriminator of a GAN on real and made pictures; leaky relu, logarithms kept off zero by an epsilon."""

import numpy as np


def forward(real, fake, D_W1, D_b1, D_W2, D_b2, eps):
    n = real.shape[0]
    r1 = real @ D_W1 + D_b1
    ra = np.maximum(r1, 0.2 * r1)
    r2 = ra @ D_W2 + D_b2
    rp = 1 / (1 + np.exp(-r2))
    f1 = fake @ D_W1 + D_b1
    fa = np.maximum(f1, 0.2 * f1)
    f2 = fa @ D_W2 + D_b2
    fp = 1 / (1 + np.exp(-f2))
    return -np.sum(np.log(rp + eps)) / n - np.mean(np.log(1 - fp + eps))


def lrelu_grad(z, slope=0.2):
    g = np.ones_like(z)
    g[z < 0] = slope
    return g


def backward(real, fake, D_W2, eps, n, r1, ra, rp, f1, fa, fp):
    d_rp = -1 / (rp + eps) / n
    d_fp = 1 / (1 - fp + eps) / fp.size
    d_r2 = d_rp * rp * (1 - rp)
    d_f2 = d_fp * fp * (1 - fp)
    grad_W2 = ra.T @ d_r2 + fa.T @ d_f2
    grad_b2 = np.sum(d_r2, axis=0) + np.sum(d_f2, axis=0)
    d_ra = d_r2 @ D_W2.T
    d_fa = d_f2 @ D_W2.T
    d_r1 = d_ra * lrelu_grad(r1)
    d_f1 = d_fa * lrelu_grad(f1)
    grad_W1 = real.T @ d_r1 + fake.T @ d_f1
    grad_b1 = np.sum(d_r1, axis=0) + np.sum(d_f1, axis=0)
    return {"D_W1": grad_W1, "D_b1": grad_b1, "D_W2": grad_W2, "D_b2": grad_b2}


def data(rng):
    return {
        "real": rng.normal(size=(7, 4)),
        "fake": rng.normal(size=(5, 4)),
        "D_W1": rng.normal(size=(4, 6)) * 0.7,
        "D_b1": rng.normal(size=6) * 0.5,
        "D_W2": rng.normal(size=(6, 1)) * 0.7,
        "D_b2": rng.normal(size=1) * 0.5,
        "eps": 0.05,
    }
