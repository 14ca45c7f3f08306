"""The estimators: scikit-learn's own checks, and its networks of the same parameters beside them."""

from __future__ import annotations

import inspect
import pickle
import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn")
from scipy import sparse
from sklearn.datasets import load_digits, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils.estimator_checks import estimator_checks_generator

from backproof.estimators import BackproofClassifier, BackproofRegressor

PAIRS = [(BackproofClassifier, MLPClassifier), (BackproofRegressor, MLPRegressor)]
RNG = np.random.default_rng(0)
X, LABELS = RNG.normal(size=(60, 3)), RNG.integers(0, 3, 60)
VALUES = X @ [1.0, 2.0, -1.0]


def checks():
    for estimator in (BackproofClassifier(), BackproofRegressor()):
        for number, (one, check) in enumerate(estimator_checks_generator(estimator)):
            name = getattr(check, "func", check).__name__
            yield pytest.param(one, check, id=f"{type(estimator).__name__}-{number}-{name}")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning", "ignore:Can't check dok")
@pytest.mark.parametrize(("estimator", "check"), [*checks()])
def test_scikit_learns_own_checks(estimator, check) -> None:
    # scikit-learn ignores these warnings too: its data are not made to converge on.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        check(estimator)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_the_parameters_are_theirs(ours, theirs) -> None:
    own, other = (inspect.signature(kind).parameters for kind in (ours, theirs))
    assert {name: x.default for name, x in own.items() if name not in ("engine", "dtype")} == {
        name: x.default for name, x in other.items()
    }
    assert {name: x.kind for name, x in own.items() if name in other} == {name: x.kind for name, x in other.items()}


def attributes(estimator) -> set[str]:
    return {name for name in vars(estimator) if name.endswith("_") and not name.startswith("_")}


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_attributes_are_theirs(ours, theirs, solver: str, early_stopping: bool) -> None:
    y = LABELS if ours is BackproofClassifier else VALUES
    options = {"solver": solver, "early_stopping": early_stopping, "max_iter": 5, "random_state": 0}
    own, other = (kind(hidden_layer_sizes=(4, 5), **options).fit(X, y) for kind in (ours, theirs))
    assert attributes(other) <= attributes(own)
    assert [x.shape for x in own.coefs_] == [x.shape for x in other.coefs_]
    assert [x.shape for x in own.intercepts_] == [x.shape for x in other.intercepts_]
    for name in ("n_layers_", "n_outputs_", "out_activation_", "t_", "n_iter_"):
        assert getattr(own, name) == getattr(other, name), name
    for name in ("loss_curve_", "validation_scores_"):
        lengths = [len(found) if (found := getattr(x, name, None)) else 0 for x in (own, other)]
        assert solver == "lbfgs" or lengths[0] == lengths[1], name


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_same_steps(ours, theirs, activation: str, solver: str) -> None:
    """From the same start, without shuffling, in double precision, all epochs have the same losses."""
    y = LABELS if ours is BackproofClassifier else VALUES
    options = {"solver": solver, "activation": activation, "shuffle": False, "batch_size": 20, "alpha": 0.01}
    # An ε so small that it does not matter where it is added; scikit-learn has it before the correction of the mean.
    options |= {"learning_rate_init": 0.02, "max_iter": 8, "random_state": 1, "epsilon": 1e-16}
    own = ours(hidden_layer_sizes=(4,), dtype="float64", **options).fit(X, y)
    other = theirs(hidden_layer_sizes=(4,), **options).fit(X, y)
    np.testing.assert_allclose(own.loss_curve_, other.loss_curve_, rtol=1e-9)
    for one, right in zip(own.coefs_ + own.intercepts_, other.coefs_ + other.intercepts_, strict=True):
        np.testing.assert_allclose(one, right, rtol=1e-7, atol=1e-10)
    np.testing.assert_allclose(own.predict(X), other.predict(X), rtol=1e-7)


@pytest.mark.parametrize("learning_rate", ["invscaling", "adaptive"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_same_rates(learning_rate: str) -> None:
    options = {"solver": "sgd", "shuffle": False, "learning_rate": learning_rate, "learning_rate_init": 0.5}
    options |= {"n_iter_no_change": 2, "tol": 0.01, "max_iter": 40, "random_state": 1, "batch_size": 20}
    own = BackproofClassifier(hidden_layer_sizes=(4,), dtype="float64", **options).fit(X, LABELS)
    other = MLPClassifier(hidden_layer_sizes=(4,), **options).fit(X, LABELS)
    np.testing.assert_allclose(own.loss_curve_, other.loss_curve_, rtol=1e-6)


def test_lbfgs_comes_to_the_same() -> None:
    options = {"solver": "lbfgs", "activation": "tanh", "alpha": 0.1, "random_state": 0, "max_iter": 500}
    own, other = (
        BackproofClassifier(hidden_layer_sizes=(3,), **options).fit(X, LABELS),
        MLPClassifier(hidden_layer_sizes=(3,), **options).fit(X, LABELS),
    )
    assert own.loss_ == pytest.approx(other.loss_, rel=1e-3)


def test_poisson() -> None:
    y = np.exp(X @ [0.5, 0.2, -0.3])
    options = {"loss": "poisson", "max_iter": 400, "learning_rate_init": 0.02, "random_state": 0}
    found = BackproofRegressor(hidden_layer_sizes=(6,), **options).fit(X, y)
    assert found.out_activation_ == "exp"
    assert found.score(X, y) > 0.95
    with pytest.raises(ValueError, match="negative"):
        BackproofRegressor(loss="poisson").fit(X, VALUES)


def test_several_labels_and_several_values() -> None:
    labels = (X[:, :2] > 0).astype(int)
    found = BackproofClassifier(hidden_layer_sizes=(8,), max_iter=400, learning_rate_init=0.02, random_state=0).fit(
        X, labels
    )
    assert found.predict(X).shape == labels.shape
    assert found.score(X, labels) > 0.9
    values = X @ RNG.normal(size=(3, 2))
    assert (
        BackproofRegressor(hidden_layer_sizes=(8,), max_iter=600, learning_rate_init=0.02, random_state=0)
        .fit(X, values)
        .score(X, values)
        > 0.95
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_parts_one_after_another() -> None:
    own, other = (
        BackproofClassifier(hidden_layer_sizes=(4,), dtype="float64", random_state=0),
        MLPClassifier(hidden_layer_sizes=(4,), random_state=0),
    )
    for k in range(3):
        part = slice(20 * k, 20 * k + 20)
        for one in (own, other):
            one.partial_fit(X[part], LABELS[part], classes=[0, 1, 2])
    np.testing.assert_allclose(own.loss_curve_[0], other.loss_curve_[0], rtol=1e-6)
    assert own.t_ == other.t_ == 60
    with pytest.raises(ValueError, match="not the classes"):
        own.partial_fit(X, LABELS, classes=[1, 2])
    with pytest.raises(ValueError, match="of the classes"):
        own.partial_fit(X, LABELS + 5)
    several = BackproofClassifier(hidden_layer_sizes=(4,)).partial_fit(X, (X > 0).astype(int), classes=[0, 1, 2])
    assert several.predict(X).shape == X.shape
    with pytest.raises(AttributeError, match="partial_fit"):
        BackproofClassifier(solver="lbfgs").partial_fit(X, LABELS)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_it_goes_on_from_where_it_was() -> None:
    once = BackproofClassifier(
        hidden_layer_sizes=(4,), warm_start=True, max_iter=5, random_state=0, learning_rate_init=0.05
    )
    losses = [once.fit(X, LABELS).loss_ for _ in range(5)]
    assert losses[-1] < losses[0]
    with pytest.raises(ValueError, match="warm_start"):
        once.fit(X, LABELS + 5)


@pytest.mark.parametrize("solver", ["sgd", "adam"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_each_fit_has_an_optimiser_of_its_own(solver: str) -> None:
    options = {"solver": solver, "warm_start": True, "max_iter": 5, "random_state": 0, "shuffle": False}
    own = BackproofClassifier(hidden_layer_sizes=(4,), dtype="float64", epsilon=1e-16, **options)
    other = MLPClassifier(hidden_layer_sizes=(4,), epsilon=1e-16, **options)
    for _ in range(2):
        own.fit(X, LABELS)
        other.fit(X, LABELS)
    np.testing.assert_allclose(own.loss_curve_, other.loss_curve_, rtol=1e-8)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_sparse_samples_and_pickles() -> None:
    options = {"max_iter": 10, "random_state": 0}
    dense = BackproofClassifier(hidden_layer_sizes=(4,), **options).fit(X, LABELS)
    loose = BackproofClassifier(hidden_layer_sizes=(4,), **options).fit(sparse.csr_matrix(X), LABELS)
    np.testing.assert_array_equal(dense.predict(X), loose.predict(sparse.csr_matrix(X)))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(dense)).predict_proba(X), dense.predict_proba(X))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_digits_are_learned_as_well() -> None:
    X, y = load_digits(return_X_y=True)
    scores = [
        cross_val_score(
            kind(hidden_layer_sizes=(50,), max_iter=60, random_state=0, learning_rate_init=0.003), X / 16, y, cv=2
        ).mean()
        for kind in (BackproofClassifier, MLPClassifier)
    ]
    assert scores[0] > scores[1] - 0.01


def test_values_are_learned_as_well() -> None:
    X, y = make_regression(200, 5, noise=1, random_state=0)
    y = y / y.std()
    options = {"max_iter": 400, "random_state": 0, "learning_rate_init": 0.01}
    assert BackproofRegressor(hidden_layer_sizes=(20,), **options).fit(X, y).score(X, y) > 0.98
