"""The rule table: every row by family, for tests and for the page of the documentation that is made from it."""

from __future__ import annotations

from collections.abc import Mapping

from backproof.ops import (
    activations,
    arithmetic,
    elementary,
    entries,
    leaves,
    linear,
    losses,
    reductions,
    shaping,
    softmax,
    vectors,
)
from backproof.ops.row import Row

FAMILIES: Mapping[str, tuple[Row, ...]] = {
    "Leaves": (leaves.input_, leaves.constant_, leaves.size_),
    "Arithmetic": (
        arithmetic.add,
        arithmetic.sub,
        arithmetic.neg,
        arithmetic.mul,
        arithmetic.div,
        arithmetic.power,
    ),
    "Matrices and sums": (
        linear.matmul,
        vectors.matvec,
        vectors.outer,
        vectors.einsum,
        linear.transpose,
        linear.sum_,
        linear.stretch,
    ),
    "Shapes and indices": (
        linear.expand,
        shaping.squeeze,
        shaping.permute,
        shaping.reshape,
        shaping.concatenate,
        shaping.index,
        shaping.unindex,
    ),
    "Reductions": (reductions.max_, reductions.min_, reductions.var, reductions.cumsum),
    "Elementary functions": (
        elementary.exp,
        elementary.log,
        elementary.sqrt,
        elementary.sin,
        elementary.cos,
        elementary.tan,
        elementary.atan,
        elementary.sinh,
        elementary.cosh,
        elementary.erf,
        elementary.xlogy,
        elementary.absolute,
        elementary.sign,
        elementary.maximum,
        elementary.minimum,
    ),
    "Comparisons and pieces": (
        elementary.equal,
        elementary.not_equal,
        elementary.greater,
        elementary.greater_equal,
        elementary.less,
        elementary.less_equal,
        elementary.pieces,
    ),
    "Activations": (
        activations.identity,
        activations.sigmoid,
        activations.tanh,
        activations.relu,
        activations.leaky_relu(),
        activations.elu(),
        activations.selu,
        activations.gelu,
        activations.gelu_tanh,
        activations.silu,
        activations.softplus,
        activations.softsign,
        activations.mish,
        activations.hardtanh,
        softmax.softmax,
        softmax.log_softmax,
    ),
    "Losses": tuple(
        loss.row
        for loss in (
            losses.mean_squared_error,
            losses.half_mean_squared_error,
            losses.binary_cross_entropy,
            losses.binary_cross_entropy_from_logits,
            losses.categorical_cross_entropy,
            losses.categorical_cross_entropy_from_logits,
            losses.absolute_error,
            losses.huber(),
            losses.hinge,
            losses.kullback_leibler,
        )
    ),
    "Entry forms": (entries.at_, entries.sum_over_, entries.delta_),
}

ROWS: tuple[Row, ...] = tuple(row for family in FAMILIES.values() for row in family)
