"""A variational autoencoder: the noise is given; reconstruction plus divergence, mean over the samples."""

import numpy as np


def forward(x, eps, W_enc, b_enc, W_mu, W_lv, W_dec, b_dec):
    n = x.shape[0]
    h = np.tanh(x @ W_enc + b_enc)
    mu = h @ W_mu
    logvar = h @ W_lv
    std = np.exp(0.5 * logvar)
    z = mu + std * eps
    y = z @ W_dec + b_dec
    xr = 1 / (1 + np.exp(-y))
    bce = -np.sum(x * np.log(xr) + (1 - x) * np.log(1 - xr)) / n
    kl = -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar)) / n
    return bce + kl, dict(h=h, mu=mu, logvar=logvar, std=std, z=z, xr=xr)


def backward(x, eps, W_mu, W_lv, W_dec, cache):
    n = x.shape[0]
    h, mu, logvar = cache["h"], cache["mu"], cache["logvar"]
    std, z, xr = cache["std"], cache["z"], cache["xr"]
    dy = (xr - x) / n
    dW_dec = z.T @ dy
    db_dec = dy.sum(axis=0)
    dz = dy @ W_dec.T
    dmu = dz + mu / n
    dlogvar = dz * eps * std * 0.5 + 0.5 * (np.exp(logvar) - 1) / n
    dW_mu = h.T @ dmu
    dW_lv = h.T @ dlogvar
    dh = dmu @ W_mu.T + dlogvar @ W_lv.T
    dpre = dh * (1 - h**2)
    dW_enc = x.T @ dpre
    db_enc = dpre.sum(axis=0)
    return dW_enc, db_enc, dW_mu, dW_lv, dW_dec, db_dec


def data(rng):
    return {
        "x": rng.uniform(0.1, 0.9, size=(7, 5)),
        "eps": rng.normal(size=(7, 3)),
        "W_enc": rng.normal(size=(5, 6)),
        "b_enc": rng.normal(size=6),
        "W_mu": rng.normal(size=(6, 3)) * 0.5,
        "W_lv": rng.normal(size=(6, 3)) * 0.4,
        "W_dec": rng.normal(size=(3, 5)),
        "b_dec": rng.normal(size=5),
    }
