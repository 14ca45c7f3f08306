"""Normalisation by the mean and the variance of a set of entries, which is all that these functions differ in."""

from __future__ import annotations

from typing import Any

import numpy as np

from backproof.ir.errors import ShapeError

Array = np.ndarray[Any, Any]
Axes = int | tuple[int, ...]


def layer_norm(x: Array, gamma: Array, beta: Array, eps: float = 1e-5, axis: Axes = -1) -> Array:
    """Statistics along `axis`, one axis or several; `gamma` and `beta` are stretched to the shape of `x`.

    Source: Ba, Kiros and Hinton 2016, arXiv:1607.06450, equation 4.
    """
    mu = np.mean(x, axis=axis, keepdims=True)
    std = np.sqrt(np.mean((x - mu) ** 2, axis=axis, keepdims=True) + eps)
    x_hat = (x - mu) / std
    return gamma * x_hat + beta


def rms_norm(x: Array, gamma: Array, eps: float = 1e-5, axis: Axes = -1) -> Array:
    """Division by the root of the mean square along `axis`; `gamma` is stretched to the shape of `x`.

    Source: Zhang and Sennrich 2019, arXiv:1910.07467, equation 4.
    """
    rms = np.sqrt(np.mean(x**2, axis=axis, keepdims=True) + eps)
    x_hat = x / rms
    return gamma * x_hat


def batch_norm(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Array:
    """Statistics of each channel over all axes but axis 1; `x` is N × C × …, `gamma` and `beta` are C.

    Source: Ioffe and Szegedy 2015, arXiv:1502.03167, algorithm 1.
    """
    _by_channel(x, gamma=gamma, beta=beta)
    axes = (0, *range(2, x.ndim))
    mu = np.mean(x, axis=axes, keepdims=True)
    std = np.sqrt(np.mean((x - mu) ** 2, axis=axes, keepdims=True) + eps)
    x_hat = (x - mu) / std
    return _along_channels(gamma, x) * x_hat + _along_channels(beta, x)


def batch_norm_inference(x: Array, gamma: Array, beta: Array, mean: Array, var: Array, eps: float = 1e-5) -> Array:
    """Batch normalisation with statistics from elsewhere; `x` is N × C × …, all others are C."""
    _by_channel(x, gamma=gamma, beta=beta, mean=mean, var=var)
    std = np.sqrt(var + eps)
    x_hat = (x - _along_channels(mean, x)) / _along_channels(std, x)
    return _along_channels(gamma, x) * x_hat + _along_channels(beta, x)


def group_norm(x: Array, gamma: Array, beta: Array, groups: int, eps: float = 1e-5) -> Array:
    """Statistics of each sample's groups of neighbouring channels; `x` is N × C × …, `gamma` and `beta` are C.

    Source: Wu and He 2018, arXiv:1803.08494, equation 7. Raises ShapeError where `groups` does not divide C.
    """
    _by_channel(x, gamma=gamma, beta=beta)
    if x.shape[1] % groups:
        raise ShapeError(
            f"{x.shape[1]} channels cannot be parted into {groups} groups",
            where=f"x {x.shape}",
            why="every group has as many channels",
            instead=f"choose a number of groups that divides {x.shape[1]}",
        )
    grouped = np.reshape(x, (x.shape[0], groups, -1))
    mu = np.mean(grouped, axis=-1, keepdims=True)
    std = np.sqrt(np.mean((grouped - mu) ** 2, axis=-1, keepdims=True) + eps)
    grouped_hat = (grouped - mu) / std
    x_hat = np.reshape(grouped_hat, x.shape)
    return _along_channels(gamma, x) * x_hat + _along_channels(beta, x)


def instance_norm(x: Array, gamma: Array, beta: Array, eps: float = 1e-5) -> Array:
    """Statistics of each channel of each sample; `x` is N × C × L or N × C × H × W, `gamma` and `beta` are C.

    Source: Ulyanov, Vedaldi and Lempitsky 2016, arXiv:1607.08022.
    """
    _by_channel(x, gamma=gamma, beta=beta)
    axes = tuple(range(2, x.ndim))
    mu = np.mean(x, axis=axes, keepdims=True)
    std = np.sqrt(np.mean((x - mu) ** 2, axis=axes, keepdims=True) + eps)
    x_hat = (x - mu) / std
    return _along_channels(gamma, x) * x_hat + _along_channels(beta, x)


def _along_channels(vector: Array, x: Array) -> Array:
    """A vector with one entry for each channel, as it multiplies `x`."""
    return np.expand_dims(vector, tuple(range(1, x.ndim - 1))) if x.ndim > 2 else vector


def _by_channel(x: Array, **vectors: Array) -> None:
    for name, vector in vectors.items():
        if x.ndim < 2 or vector.shape != x.shape[1:2]:
            raise ShapeError(
                f"{name} does not fit the channels of x",
                where=f"{name} {vector.shape}, x {x.shape}",
                why="axis 1 of x counts the channels, and each channel has a number of its own",
                instead=f"give x as N × C × …, and {name} of length C",
            )
