"""Estimators for scikit-learn, which they need: ``pip install 'backproof[sklearn]'``."""

from backproof.estimators.classifier import BackproofClassifier
from backproof.estimators.regressor import BackproofRegressor

__all__ = ["BackproofClassifier", "BackproofRegressor"]
