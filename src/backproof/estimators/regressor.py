"""A regressor with the parameters and attributes of scikit-learn's `MLPRegressor`."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import column_or_1d, validate_data

from backproof.estimators.classifier import _takes_parts
from backproof.estimators.perceptron import Head, Perceptron, _dense
from backproof.ops.row import Array
from backproof.training.metrics import r2


class BackproofRegressor(RegressorMixin, Perceptron):  # type: ignore[misc]
    """`sklearn.neural_network.MLPRegressor` with Backproof's derivation and engine: the same parameters, and two more.

    engine  "native", "numpy", or "auto" for native code where it is worth compiling
    dtype   the precision it learns in, "float32" or "float64"

    The loss that it tells of is added up over the outputs, as its gradient is; scikit-learn tells their mean.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Perceptron._parameter_constraints,
        "loss": [StrOptions({"squared_error", "poisson"})],
    }

    def __init__(
        self,
        loss: str = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        engine: str = "auto",
        dtype: str = "float32",
    ) -> None:
        self._set({name: value for name, value in locals().items() if name not in ("self", "__class__")})

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: Any) -> BackproofRegressor:
        """Learns from samples (rows of X) and their values, one or several each."""
        X, y = self._checked(X, y, reset=True)
        self._trained(X, self._labels(y))
        return self

    @available_if(_takes_parts)  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any) -> BackproofRegressor:
        """Goes through some samples once."""
        X, y = self._checked(X, y, reset=not hasattr(self, "coefs_"))
        self._trained(X, self._labels(y), one_epoch=True)
        return self

    def predict(self, X: Any) -> Array:
        """The value of each sample; of several outputs a row."""
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def _checked(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            multi_output=True,
            y_numeric=True,
            dtype=(np.float64, np.float32),
            reset=reset,
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if self.loss == "poisson" and (y < 0).any():
            raise ValueError("poisson takes no negative values of y")
        return _dense(X), y

    def _labels(self, y: Array) -> Array:
        return y.reshape(len(y), -1).astype(float)

    def _head(self) -> Head:
        if self.loss == "poisson":
            return Head("exp(z)", "exp", "a - y*log(a)")
        return Head("identity", "identity", "half_mean_squared_error")

    def _score_of(self, outputs: Array, labels: Array) -> float:
        return r2(outputs, labels)
