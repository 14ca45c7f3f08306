"""Arrays that followed code makes, and random numbers that it draws."""

from __future__ import annotations

import builtins
import random
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import scipy.special
from numpy import array, ones, zeros
from numpy.random import default_rng

import backproof as bp
from backproof.autograd import grad

Array = np.ndarray[Any, Any]

W = np.arange(1.0, 7.0).reshape(3, 2)
GENERATOR = np.random.default_rng(5)
STATE = np.random.RandomState(1)
DRAWN = "random numbers are drawn; the derivation is that for the ones drawn"

DRAWS: dict[str, Callable[[], Any]] = {
    "rand": lambda: np.random.rand(3, 2),
    "a number": lambda: np.random.rand(),
    "randn": lambda: np.random.randn(3, 2),
    "normal": lambda: np.random.normal(size=(3, 2)),
    "uniform": lambda: np.random.uniform(size=(3, 2)),
    "multivariate_normal": lambda: np.random.multivariate_normal(np.zeros(2), np.eye(2), 3),
    "binomial": lambda: np.random.binomial(1, 0.5, (3, 2)),
    "permutation": lambda: np.random.permutation(6).reshape(3, 2),
    "Generator.random": lambda: GENERATOR.random((3, 2)),
    "Generator.normal": lambda: GENERATOR.normal(size=(3, 2)),
    "Generator.standard_normal": lambda: GENERATOR.standard_normal((3, 2)),
    "Generator.beta": lambda: GENERATOR.beta(2, 3, (3, 2)),
    "Generator.exponential": lambda: GENERATOR.exponential(1.0, (3, 2)),
    "made there": lambda: np.random.default_rng(1).standard_normal((3, 2)),
    "made there by a name": lambda: default_rng(1).standard_normal((3, 2)),
    "RandomState": lambda: STATE.rand(3, 2),
    "random": lambda: random.gauss(0, 1),
}


class TestRandomNumbers:
    @pytest.mark.parametrize("name", DRAWS)
    def test_the_ones_drawn_are_constants(self, name: str) -> None:
        drawn: list[Any] = []

        def loss(W: Array) -> Any:
            drawn.append(DRAWS[name]())
            return np.sum(W**2 * drawn[-1])

        derivation = bp.derive(loss, W=W)
        trace = bp.run(derivation)
        np.testing.assert_allclose(trace["dW"], 2 * W * drawn[0], rtol=1e-14)
        np.testing.assert_allclose(bp.run(derivation, {"W": 2 * W})["dW"], 4 * W * drawn[0], rtol=1e-14)
        assert DRAWN in derivation.notes
        np.testing.assert_allclose(grad(loss)(W), 2 * W * drawn[1], rtol=1e-14)

    def test_generators_as_arguments_and_attributes(self) -> None:
        class Dropout:
            def __init__(self) -> None:
                self.rng = np.random.default_rng(0)

            def loss(self, W: Array) -> Any:
                return np.sum(W * (self.rng.random(W.shape) > 0.5))

        def given(W: Array, rng: np.random.Generator) -> Any:
            return np.sum(W * (rng.random(W.shape) > 0.5))

        assert DRAWN in bp.derive(Dropout().loss, W=W).notes
        assert DRAWN in bp.derive(given, W=W, rng=np.random.default_rng(0)).notes

    def test_a_generator_that_is_not_used(self) -> None:
        def loss(W: Array, training: bool = False) -> Any:
            return np.sum(W * GENERATOR.random(W.shape)) if training else np.sum(W)

        assert bp.derive(loss, W=W).notes == ()


class TestWhoseArrays:
    def test_functions_imported_by_their_names(self) -> None:
        def loss(W: Array) -> Any:
            y = zeros(2)
            y += ones(2)
            y[0] = W[0, 0] ** 2
            return np.sum(y * array([W[1, 1], W[2, 1]]))

        trace = bp.run(bp.derive(loss, W=W))
        np.testing.assert_allclose(trace["dW"], [[8, 0], [0, 1], [0, 1]])

    def test_the_type_of_an_array_is_that_of_arrays(self) -> None:
        class Kind(type):
            pass

        def loss(W: Array) -> Any:
            assert type(W) is np.ndarray
            assert type(W[0, 0]) is np.float64
            assert type(np.zeros(2)).__name__ == "ndarray"
            assert type("Made", (), {"a": 1}).a == 1  # type: ignore[attr-defined]
            assert [isinstance(x, type) for x in (int, 3, Kind("K", (), {}))] == [True, False, True]
            return np.sum(W**2)

        assert type is builtins.type
        np.testing.assert_array_equal(grad(loss)(W), 2 * W)
        assert "type" not in globals()

    def test_imports_within_the_function(self) -> None:
        def loss(W: Array) -> Any:
            import numpy
            from numpy import zeros as nothing

            y = nothing(2)
            y[0] = W[0, 0] ** 2
            return np.sum(y * numpy.array([W[1, 1], 1.0]))

        np.testing.assert_allclose(grad(loss)(W), [[8, 0], [0, 1], [0, 0]])

    def test_a_function_that_was_made_from_text(self) -> None:
        space: dict[str, Any] = {}
        exec("import numpy as np\ndef f(W):\n    y = np.zeros(2)\n    y[0] = W[0, 0]\n    return np.sum(y * y)", space)
        f = space["f"]
        for follow in (f, lambda W: f(W)):
            np.testing.assert_array_equal(grad(follow)(W), [[2, 0], [0, 0], [0, 0]])
            assert space["np"] is np

    def test_objects_and_partial_functions_made_from_text(self) -> None:
        space: dict[str, Any] = {}
        exec(
            "import numpy as np\nclass F:\n    def __call__(self, W, k=0):\n        return np.sum(np.array([W[k, 0]]))",
            space,
        )
        derivation = bp.derive(partial(space["F"](), k=1), W=W)
        np.testing.assert_array_equal(bp.run(derivation)["dW"], [[0, 0], [1, 0], [0, 0]])

    def test_arrays_computed_from_no_argument_may_leave(self) -> None:
        def loss(W: Array) -> Any:
            zeros = np.zeros(2) + 1
            factor = float(zeros[0]) + zeros[1].item() + int(zeros[0])
            assert zeros.tolist() == [1.0, 1.0]
            return np.sum(W) * factor

        np.testing.assert_array_equal(bp.run(bp.derive(loss, W=W))["dW"], np.full((3, 2), 3.0))

    def test_names_are_put_back(self) -> None:
        def loss(W: Array) -> Any:
            assert np.zeros is not before
            raise KeyError

        before = np.zeros
        for follow in (lambda: bp.derive(loss, W=W), lambda: grad(loss)(W)):
            with pytest.raises((KeyError, bp.BackproofError)):
                follow()
            assert globals()["np"].zeros is before
            assert globals()["zeros"] is before

    def test_other_threads_get_plain_arrays(self) -> None:
        found: list[Any] = []

        def loss(W: Array) -> Any:
            thread = threading.Thread(target=lambda: found.extend([np.zeros(3), np.array([1.0]), grad(square)(2.0)]))
            thread.start()
            thread.join()
            y = np.zeros(2)
            y[0] = W[0, 0]
            return np.sum(y)

        def square(x: Any) -> Any:
            return x * x

        bp.derive(loss, W=W)
        assert [type(x) for x in found] == [np.ndarray, np.ndarray, np.float64]
        assert found[2] == 4.0

    def test_threads_that_follow_the_same_module(self) -> None:
        started = threading.Barrier(2)
        found: list[Array] = []
        before = scipy.special.logsumexp

        def loss(x: Array) -> Any:
            started.wait(timeout=60)
            y = np.zeros(3)
            for k in range(3):
                y[k] = x[k] ** 2
            started.wait(timeout=60)
            z = np.zeros(3)
            z[:] = y
            return np.sum(z)

        point = np.arange(3.0)
        threads = [threading.Thread(target=lambda: found.append(grad(loss)(point))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        np.testing.assert_array_equal(found, [2 * point, 2 * point])
        assert scipy.special.logsumexp is before
