"""A classifier with the parameters and attributes of scikit-learn's `MLPClassifier`."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target, unique_labels
from sklearn.utils.validation import column_or_1d, validate_data

from backproof.estimators.perceptron import Head, Perceptron, _dense
from backproof.ops.row import Array

KINDS = ("binary", "multiclass", "multilabel-indicator")


def _takes_parts(estimator: Any) -> bool:
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is for sgd and adam: lbfgs takes all samples in each step")
    return True


class BackproofClassifier(ClassifierMixin, Perceptron):  # type: ignore[misc]
    """`sklearn.neural_network.MLPClassifier` with Backproof's derivation and engine: the same parameters, and two more.

    engine  "native", "numpy", or "auto" for native code where it is worth compiling
    dtype   the precision it learns in, "float32" or "float64"
    """

    def __init__(
        self,
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
    def fit(self, X: Any, y: Any) -> BackproofClassifier:
        """Learns from samples (rows of X) and their labels: classes, or a column of 0 and 1 for each class."""
        X, y = self._checked(X, y, reset=True)
        if not (self.warm_start and hasattr(self, "classes_")):
            self._binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._binarizer.classes_
        self._check_known(y)
        self._trained(X, self._labels(y))
        return self

    @available_if(_takes_parts)  # type: ignore[untyped-decorator]
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> BackproofClassifier:
        """Goes through some samples once; the first call has to be told of all `classes`."""
        is_first = not hasattr(self, "classes_")
        if is_first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if not is_first and classes is not None and not np.array_equal(unique_labels(classes), self.classes_):
            raise ValueError(f"{classes} are not the classes of the calls before, {self.classes_}")
        X, y = self._checked(X, y, reset=is_first)
        if is_first:
            self._binarizer = LabelBinarizer().fit(y if y.ndim == 2 else unique_labels(classes))
            self.classes_ = self._binarizer.classes_
        self._check_known(y)
        self._trained(X, self._labels(y), one_epoch=True)
        return self

    def predict(self, X: Any) -> Array:
        """The class of each sample; of several labels a row of 0 and 1."""
        outputs = self._outputs(X)
        if self._is_multilabel():
            return (outputs > 0.5).astype(int)
        found = outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0.5).astype(int)
        return self.classes_[np.minimum(found, len(self.classes_) - 1)]  # type: ignore[no-any-return]

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class: [samples, classes]."""
        outputs = self._outputs(X)
        return outputs if outputs.shape[1] > 1 else np.hstack([1 - outputs, outputs])

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of the probabilities."""
        with np.errstate(divide="ignore"):
            found: Array = np.log(self.predict_proba(X))
        return found

    def _checked(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, Array]:
        X, y = validate_data(
            self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=(np.float64, np.float32), reset=reset
        )
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        kind = type_of_target(y, input_name="y")
        if kind not in KINDS:
            raise ValueError(f"Unknown label type: {kind}. Labels are classes, or columns of 0 and 1.")
        return _dense(X), y

    def _check_known(self, y: Array) -> None:
        """Raises ValueError for classes that are not among those that were learned before."""
        if not self._is_multilabel() and {*np.unique(y)} - {*self.classes_}:
            raise ValueError(f"y has to be of the classes {self.classes_}, which were learned before (warm_start)")

    def _is_multilabel(self) -> bool:
        return bool(self._binarizer.y_type_.startswith("multilabel"))

    def _labels(self, y: Array) -> Array:
        return np.asarray(_dense(self._binarizer.transform(y)), float)

    def _head(self) -> Head:
        if len(self.classes_) > 2 and not self._is_multilabel():
            return Head("softmax", "softmax", "categorical_cross_entropy")
        return Head("sigmoid", "logistic", "binary_cross_entropy")

    def _score_of(self, outputs: Array, labels: Array) -> float:
        if outputs.shape[1] > 1 and not self._is_multilabel():
            return float(np.mean(outputs.argmax(axis=1) == labels.argmax(axis=1)))
        return float(np.mean(((outputs > 0.5) == (labels > 0.5)).all(axis=1)))

    def _stratified(self, labels: Array) -> Array | None:
        if self._is_multilabel():
            return None
        found: Array = labels.argmax(axis=1) if labels.shape[1] > 1 else labels[:, 0]
        return found

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
