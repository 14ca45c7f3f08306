"""Training of functions: against plain gradient descent, with what they are given and with what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import backproof as bp

RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(53, 3)), RNG.normal(size=(53, 2))
TOKENS, LABELS = RNG.integers(0, 11, (53, 4)), RNG.integers(0, 2, 53)
EPOCHS, RATE, BATCH = 3, 0.1, 10


def mlp(X, Y, layers, scale=1.0):
    (W1, b1), (W2, b2) = layers
    return scale * np.mean((np.tanh(X @ W1 + b1) @ W2 + b2 - Y) ** 2)


def embedded(tokens, y, E, params):
    h = E[tokens].mean(axis=1)
    z = h @ params["W"]
    z = z - z.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(y)), y])


def dropped(X, Y, W, rng=np.random.default_rng(0)):  # noqa: B008
    return np.mean(((X * (rng.random(X.shape) < 0.5)) @ W - Y) ** 2)


def branching(X, Y, W):
    z = X @ W
    return np.mean((z - Y) ** 2) if z.sum() > 0 else np.mean(np.abs(z - Y))


def layers():
    rng = np.random.default_rng(1)
    return [(rng.normal(size=(3, 4)), np.zeros(4)), (rng.normal(size=(4, 2)), np.zeros(2))]


def tables():
    rng = np.random.default_rng(2)
    return {"E": rng.normal(size=(11, 5)), "params": {"W": rng.normal(size=(5, 2))}}


CASES = [(mlp, {"X": X, "Y": Y}, lambda: {"layers": layers()}), (embedded, {"tokens": TOKENS, "y": LABELS}, tables)]


@pytest.mark.parametrize("engine", ["numpy", "native"])
@pytest.mark.parametrize(("function", "data", "start"), CASES)
def test_as_plain_gradient_descent(function, data, start, engine) -> None:
    if engine == "native":
        pytest.importorskip("llvmlite")
    options = {"epochs": EPOCHS, "batch": BATCH, "optimiser": "sgd", "rate": RATE, "shuffle": False}
    found = bp.fit_function(function, data, start(), dtype="float64", engine=engine, **options)
    right = start()
    for _ in range(EPOCHS):
        for k in range(0, len(next(iter(data.values()))), BATCH):
            part = {name: x[k : k + BATCH] for name, x in data.items()}
            gradients = bp.derive(function, {**part, **right}).gradients
            trace = bp.run(bp.derive(function, {**part, **right}))
            named = dict(zip(found.parameters, leaves(right), strict=True))
            for name, array in named.items():
                array -= RATE * trace[str(gradients[name].symbol)]
    assert found.engine == engine
    for array, wanted in zip(leaves(found.arguments), leaves(right), strict=True):
        np.testing.assert_allclose(array, wanted, rtol=1e-10, atol=1e-12)
    whole = float(function(**data, **found.arguments))
    assert np.isfinite(whole)


def leaves(value):
    if isinstance(value, np.ndarray):
        return [value]
    held = value.values() if isinstance(value, dict) else value
    return [array for x in held for array in leaves(x)]


def test_arguments_keep_their_form_and_those_given_are_left_as_they_are() -> None:
    given = layers()
    before = [x.copy() for x in leaves(given)]
    found = bp.fit_function(mlp, {"X": X, "Y": Y}, {"layers": given}, epochs=1)
    assert isinstance(found.arguments["layers"], list)
    assert isinstance(found.arguments["layers"][0], tuple)
    assert all((x == y).all() for x, y in zip(before, leaves(given), strict=True))
    assert repr(found).startswith("<function after 1 epochs, loss ")


def test_validation_patience_norms_and_checkpoint(tmp_path) -> None:
    file = tmp_path / "run.safetensors"
    options = {"parameters": {"layers": layers()}, "validation": 0.2, "norms": True, "checkpoint": file}
    first = bp.fit_function(mlp, {"X": X, "Y": Y}, epochs=2, **options)
    assert first.history[-1].validation_loss is not None
    assert set(first.history[-1].norms) == {f"d{name}" for name in first.parameters}
    on = bp.fit_function(mlp, {"X": X, "Y": Y}, epochs=4, resume=True, **options)
    whole = bp.fit_function(mlp, {"X": X, "Y": Y}, epochs=4, **{**options, "checkpoint": None})
    assert all((on.parameters[name] == x).all() for name, x in whole.parameters.items())
    stopped = bp.fit_function(mlp, {"X": X, "Y": Y}, epochs=50, patience=1, parameters={"layers": layers()}, rate=3.0)
    assert len(stopped.history) < 50


@pytest.mark.parametrize("function", [dropped, branching])
def test_functions_that_differ_from_batch_to_batch_are_refused(function) -> None:
    W = np.array([[1.0, -1.0], [0.5, 2.0], [1.0, 1.0]])
    turned = np.where(np.arange(53)[:, None] < 26, 1, -1) * np.abs(X)
    with pytest.raises(bp.BackproofError, match="depends on the values it is given"):
        bp.fit_function(function, {"X": turned, "Y": Y}, parameters={"W": W}, batch=20)


@pytest.mark.parametrize(
    ("data", "options", "match"),
    [
        ((X, Y), {}, "are given by name"),
        ({"X": X, "Y": Y[:3]}, {}, "as many rows each"),
        ({"X": X, "Y": Y}, {"parameters": {}}, "are given by name"),
        ({"X": X, "Y": Y}, {"parameters": {"X": X}}, "as data and as a parameter"),
        ({"X": X * np.nan, "Y": Y}, {}, "nan in the data"),
        ({"X": X, "Y": Y}, {"optimiser": "lbfgs"}, "lbfgs trains networks"),
        ({"X": X, "Y": Y}, {"validation": 1.0}, "no share"),
        ({"X": X, "Z": Y}, {}, "arguments do not fit mlp"),
        ({"X": X.astype(str), "Y": Y}, {}, "only numbers are followed"),
    ],
)
def test_bad_input(data, options, match) -> None:
    with pytest.raises(bp.BackproofError, match=match):
        bp.fit_function(mlp, data, **{"parameters": {"layers": layers()}, **options})


def test_divergence_is_told_with_its_equation() -> None:
    with pytest.raises(bp.BackproofError, match="became"):
        bp.fit_function(
            mlp, {"X": 1e3 * X, "Y": Y}, parameters={"layers": layers()}, optimiser="sgd", rate=1e30, epochs=20
        )
