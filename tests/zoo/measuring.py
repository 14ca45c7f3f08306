"""Angles, quantiles, curves through points, least squares: what measurements are worked up with."""

from __future__ import annotations

import numpy as np

from zoo.case import Case


def circular_regression(w, b, X, angle):
    """Directions predicted as a point in the plane; the loss is one less the cosine of the error."""
    east, north = X @ w + b[0], np.tanh(X @ w[::-1]) + b[1]
    return np.mean(1 - np.cos(np.arctan2(north, east) - angle))


def wrapped_error(phase, X, angle):
    """Angles are compared after they are brought between −π and π."""
    error = (X @ phase - angle + np.pi) % (2 * np.pi) - np.pi
    return np.mean(error**2)


def great_circle(places, target):
    """Distances on the sphere by the haversine formula."""
    latitude, longitude = np.deg2rad(places).T
    north, east = np.deg2rad(target)
    half = np.sin((latitude - north) / 2) ** 2 + np.cos(latitude) * np.cos(north) * np.sin((longitude - east) / 2) ** 2
    return np.sum(2 * np.arcsin(np.sqrt(half)))


def fisher_z(w, X, y):
    """The correlation of a prediction with what was measured, made normal."""
    r = np.corrcoef(X @ w, y)[0, 1]
    return (np.arctanh(r) - 0.3) ** 2


def value_at_risk(weights, returns):
    portfolio = returns @ weights
    low = np.quantile(portfolio, 0.15)
    return -low + np.mean(np.maximum(low - portfolio, 0)) / 0.15


def markowitz(weights, returns):
    covariance = np.cov(returns, rowvar=False)
    return weights @ covariance @ weights - np.mean(returns @ weights)


def calibration(heights, measured, true):
    """A curve through fixed places, whose heights are fitted."""
    places = np.linspace(0, 1, 5)
    return np.mean((np.interp(measured, places, heights) - true) ** 2)


def polynomial_fit(coefficients, x, y):
    return np.mean((np.polyval(coefficients, x) - y) ** 2) + 0.1 * np.sum((np.vander(x, 3) @ coefficients[:3]) ** 2)


def smoothness(field, target):
    rows, columns = np.gradient(field, 0.5)
    return np.mean((field - target) ** 2) + 0.1 * np.mean(rows**2 + columns**2)


def variable_projection(rates, t, y):
    """Amplitudes by least squares, rates by gradient."""
    basis = np.exp(-np.outer(t, rates))
    amplitudes = np.linalg.lstsq(basis, y, rcond=None)[0]
    return np.sum((basis @ amplitudes - y) ** 2)


def orthogonal_layer(W, X, target):
    q, r = np.linalg.qr(W)
    return np.mean((X @ q - target) ** 2) + 0.01 * np.sum(np.log(np.abs(np.diagonal(r))))


def piecewise_rate(slope, x, y):
    rate = np.select([x < -0.3, x < 0.4], [slope[0] * x, slope[1] * x**2], slope[2])
    return np.mean((rate - y) ** 2)


ANGLE = "np.arctan2 and np.remainder take real numbers only"

CASES = [
    Case(
        "circular regression",
        circular_regression,
        lambda r: {"w": r.normal(size=3), "b": r.normal(size=2), "X": r.normal(size=(6, 3)), "angle": r.normal(size=6)},
        complex_step=False,
        reason=ANGLE,
    ),
    Case(
        "wrapped error",
        wrapped_error,
        lambda r: {"phase": 3 * r.normal(size=3), "X": r.normal(size=(6, 3)), "angle": r.normal(size=6)},
        complex_step=False,
        reason=ANGLE,
    ),
    Case(
        "great circle",
        great_circle,
        lambda r: {"places": 40 * r.normal(size=(4, 2)), "target": np.array([48.2, 16.4])},
        complex_step=False,
        reason="np.deg2rad takes real numbers only",
    ),
    Case(
        "Fisher's z",
        fisher_z,
        lambda r: {"w": r.normal(size=3), "X": r.normal(size=(8, 3)), "y": r.normal(size=8)},
        complex_step=False,
        reason="np.corrcoef conjugates",
    ),
    Case(
        "value at risk",
        value_at_risk,
        lambda r: {"weights": r.uniform(size=3), "returns": r.normal(size=(9, 3))},
        complex_step=False,
        reason="np.quantile takes real numbers only",
    ),
    Case(
        "Markowitz",
        markowitz,
        lambda r: {"weights": r.uniform(size=3), "returns": r.normal(size=(9, 3))},
        complex_step=False,
        reason="np.cov conjugates",
    ),
    Case(
        "calibration",
        calibration,
        lambda r: {
            "heights": r.normal(size=5),
            "measured": np.array([0.06, 0.4, 0.2, 0.94, 0.6, 0.33, 0.8]),
            "true": r.uniform(size=7),
        },
        complex_step=False,
        reason="np.interp takes real places only",
    ),
    Case(
        "polynomial",
        polynomial_fit,
        lambda r: {"coefficients": r.normal(size=4), "x": r.normal(size=6), "y": r.normal(size=6)},
    ),
    Case("smoothness", smoothness, lambda r: {"field": r.normal(size=(4, 5)), "target": r.normal(size=(4, 5))}),
    Case(
        "variable projection",
        variable_projection,
        lambda r: {"rates": np.array([0.3, 1.7]), "t": np.linspace(0.1, 3, 7), "y": r.uniform(size=7)},
        complex_step=False,
        reason="np.linalg.lstsq conjugates",
    ),
    Case(
        "orthogonal layer",
        orthogonal_layer,
        lambda r: {"W": r.normal(size=(4, 3)), "X": r.normal(size=(5, 4)), "target": r.normal(size=(5, 3))},
        complex_step=False,
        reason="np.linalg.qr conjugates",
    ),
    Case(
        "rates by pieces",
        piecewise_rate,
        lambda r: {"slope": r.normal(size=3), "x": r.uniform(-1, 1, size=9), "y": r.normal(size=9)},
    ),
]
