"""The functions of `backproof.nn` with arguments: one scalar function each, for every test that compares them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backproof import nn

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Case:
    """A function of arrays, the shapes of its arguments, and what is given besides."""

    name: str
    function: Callable[..., Any]
    shapes: dict[str, tuple[int, ...]]
    fixed: dict[str, Any] = field(default_factory=dict)
    positive: tuple[str, ...] = ()

    def arguments(self) -> dict[str, Any]:
        rng = np.random.default_rng(3)
        drawn: dict[str, Any] = {name: rng.normal(size=shape) for name, shape in self.shapes.items()}
        return {name: abs(x) + 0.5 if name in self.positive else x for name, x in drawn.items()}

    def value(self, arguments: dict[str, Any]) -> Any:
        return self.function(**arguments, **self.fixed)

    def loss(self) -> Callable[..., Any]:
        """The function as one number in which every entry of its result counts differently."""
        weights = np.random.default_rng(5).uniform(0.5, 1.5, np.shape(self.value(self.arguments())))
        function, fixed = self.function, self.fixed

        def loss(arguments: dict[str, Any]) -> Any:
            out = function(**arguments, **fixed)
            return np.sum(weights * out)

        return loss


NORMS = {"gamma": (4,), "beta": (4,)}
IMAGES = {"x": (2, 4, 5, 6)}
CELL = {"x": (3, 2), "h": (3, 4)}
SEQUENCE = {"x": (3, 2, 2), "h": (2, 4)}
HEADS = {"x": (2, 3, 4), "Wq": (4, 4), "Wk": (4, 4), "Wv": (4, 4), "Wo": (4, 4)}
CAUSAL = np.tril(np.ones((3, 3), dtype=bool))


def gates(count: int) -> dict[str, tuple[int, ...]]:
    return {"W_ih": (4 * count, 2), "W_hh": (4 * count, 4), "b_ih": (4 * count,), "b_hh": (4 * count,)}


CASES = [
    Case("relu", lambda z: nn.relu(z), {"z": (3, 4)}),
    Case("sigmoid", lambda z: nn.sigmoid(z), {"z": (3, 4)}),
    Case("silu", lambda z: nn.silu(z), {"z": (3, 4)}),
    Case("gelu", lambda z: nn.gelu(z), {"z": (3, 4)}),
    Case("softplus", lambda z: nn.softplus(z), {"z": (3, 4)}),
    Case("softmax", lambda x: nn.softmax(x), {"x": (3, 4)}),
    Case("softmax of columns", lambda x: nn.softmax(x, axis=0), {"x": (3, 4)}),
    Case("log_softmax", lambda x: nn.log_softmax(x), {"x": (2, 3, 4)}),
    Case("cross_entropy", nn.cross_entropy, {"scores": (3, 4)}, {"labels": np.array([2, 0, 3])}),
    Case("cross_entropy of distributions", nn.cross_entropy, {"scores": (2, 3), "labels": (2, 3)}, {}, ("labels",)),
    Case("mse", nn.mse, {"a": (3, 2), "y": (3, 2)}),
    Case("bce_with_logits", nn.bce_with_logits, {"z": (3, 2)}, {"y": np.array([[0, 1], [1, 1], [0, 0]])}),
    Case("layer_norm", nn.layer_norm, {"x": (2, 3, 4), **NORMS}),
    Case(
        "layer_norm over two axes", nn.layer_norm, {"x": (2, 3, 4), "gamma": (3, 4), "beta": (3, 4)}, {"axis": (-2, -1)}
    ),
    Case("rms_norm", nn.rms_norm, {"x": (2, 3, 4), "gamma": (4,)}),
    Case("batch_norm", nn.batch_norm, {"x": (3, 4), **NORMS}),
    Case("batch_norm of sequences", nn.batch_norm, {"x": (3, 4, 2), **NORMS}),
    Case("batch_norm of images", nn.batch_norm, {"x": (2, 4, 2, 3), **NORMS}),
    Case(
        "batch_norm_inference",
        nn.batch_norm_inference,
        {"x": (2, 4, 3), **NORMS, "mean": (4,), "var": (4,)},
        {},
        ("var",),
    ),
    Case("group_norm", nn.group_norm, {"x": (2, 4, 2, 3), **NORMS}, {"groups": 2}),
    Case("instance_norm", nn.instance_norm, {"x": (2, 4, 2, 3), **NORMS}),
    Case("dropout", nn.dropout, {"x": (3, 4)}, {"mask": np.arange(12).reshape(3, 4) % 3 > 0, "rate": 0.25}),
    Case("embedding", nn.embedding, {"table": (5, 3)}, {"ids": np.array([[1, 4], [1, 0]])}),
    Case("linear", nn.linear, {"x": (2, 3, 4), "W": (5, 4), "b": (5,)}),
    Case("linear without a bias", nn.linear, {"x": (3, 4), "W": (5, 4)}),
    Case("attention", nn.attention, {"Q": (2, 3, 4), "K": (2, 5, 4), "V": (2, 5, 6)}),
    Case("attention with a mask", nn.attention, {"Q": (2, 3, 4), "K": (2, 3, 4), "V": (2, 3, 2)}, {"mask": CAUSAL}),
    Case("attention of matrices", nn.attention, {"Q": (3, 4), "K": (5, 4), "V": (5, 2)}),
    Case("multi_head_attention", nn.multi_head_attention, HEADS, {"heads": 2}),
    Case("multi_head_attention with a mask", nn.multi_head_attention, HEADS, {"heads": 2, "mask": CAUSAL}),
    Case("rotary_embedding", nn.rotary_embedding, {"x": (2, 3, 4)}),
    Case("conv1d", nn.conv1d, {"x": (2, 3, 7), "w": (4, 3, 3), "b": (4,)}),
    Case(
        "conv1d spread out",
        nn.conv1d,
        {"x": (2, 4, 9), "w": (6, 2, 3)},
        {"stride": 2, "padding": 2, "dilation": 2, "groups": 2},
    ),
    Case("conv2d", nn.conv2d, {**IMAGES, "w": (3, 4, 2, 3), "b": (3,)}),
    Case(
        "conv2d with stride and padding",
        nn.conv2d,
        {**IMAGES, "w": (3, 4, 3, 2)},
        {"stride": (2, 3), "padding": (1, 0)},
    ),
    Case("conv2d with dilation", nn.conv2d, {**IMAGES, "w": (3, 4, 2, 2), "b": (3,)}, {"dilation": (2, 3)}),
    Case("conv2d in groups", nn.conv2d, {**IMAGES, "w": (2, 2, 2, 2), "b": (2,)}, {"groups": 2, "padding": 1}),
    Case("conv2d by channel", nn.conv2d, {**IMAGES, "w": (4, 1, 3, 3)}, {"groups": 4, "stride": 2}),
    Case("max_pool1d", nn.max_pool1d, {"x": (2, 3, 8)}, {"size": 3, "stride": 2, "padding": 1}),
    Case("max_pool2d", nn.max_pool2d, IMAGES, {"size": 2}),
    Case("max_pool2d overlapping", nn.max_pool2d, IMAGES, {"size": (3, 2), "stride": 1, "padding": 1}),
    Case("avg_pool1d", nn.avg_pool1d, {"x": (2, 3, 8)}, {"size": 3, "stride": 2, "padding": 1}),
    Case("avg_pool2d", nn.avg_pool2d, IMAGES, {"size": (2, 3)}),
    Case("global_avg_pool", nn.global_avg_pool, IMAGES),
    Case("rnn_cell", nn.rnn_cell, {**CELL, **gates(1)}),
    Case("lstm_cell", lambda **given: np.concatenate(nn.lstm_cell(**given)), {**CELL, "c": (3, 4), **gates(4)}),
    Case("gru_cell", nn.gru_cell, {**CELL, **gates(3)}),
    Case("rnn", nn.rnn, {**SEQUENCE, **gates(1)}),
    Case("lstm", nn.lstm, {**SEQUENCE, "c": (2, 4), **gates(4)}),
    Case("gru", nn.gru, {**SEQUENCE, **gates(3)}),
]

WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: nn.conv2d(np.ones((1, 3, 5, 5)), np.ones((2, 4, 3, 3))), "channels of an input and of its kernels"),
    (lambda: nn.conv2d(np.ones((1, 4, 5, 5)), np.ones((3, 2, 3, 3)), groups=2), "do not fit .*2 groups"),
    (lambda: nn.conv2d(np.ones((1, 3, 2, 5)), np.ones((2, 3, 3, 3))), "a kernel is larger than its input"),
    (lambda: nn.conv1d(np.ones((1, 3, 4)), np.ones((2, 3, 3)), dilation=2), r"kernel \(5,\) with its dilation"),
    (lambda: nn.conv1d(np.ones((3, 4)), np.ones((2, 3, 3))), "wrong shapes"),
    (lambda: nn.conv1d(np.ones((1, 3, 4)), np.ones((2, 3, 3)), np.ones(3)), "wrong shapes"),
    (lambda: nn.max_pool2d(np.ones((1, 1, 2, 2)), 3), "a kernel is larger than its input"),
    (lambda: nn.group_norm(np.ones((2, 4)), np.ones(4), np.ones(4), groups=3), "4 channels cannot be parted into 3"),
    (lambda: nn.batch_norm(np.ones((2, 4)), np.ones(3), np.ones(4)), "gamma does not fit the channels"),
    (lambda: nn.instance_norm(np.ones((2, 4, 3)), np.ones(4), np.ones(3)), "beta does not fit the channels"),
    (lambda: nn.linear(np.ones((2, 3)), np.ones((3, 2))), "an input and weights do not fit"),
    (lambda: nn.attention(np.ones((2, 3)), np.ones((2, 4)), np.ones((2, 3))), "queries, keys and values do not fit"),
    (lambda: nn.multi_head_attention(np.ones((2, 4)), *[np.ones((4, 4))] * 4, heads=3), "parted into 3 heads"),
    (lambda: nn.positional_encoding(3, 5), "a width of 5 has no pairs"),
    (lambda: nn.cross_entropy(np.ones((2, 3)), np.zeros(3, dtype=int)), "scores and labels do not fit"),
    (lambda: nn.mse(np.ones((2, 1)), np.ones(2)), "different shapes"),
    (
        lambda: nn.gru(
            np.ones((1, 2, 3)), np.ones((2, 4)), np.ones((12, 3)), np.ones((4, 12)), np.ones(12), np.ones(12)
        ),
        "W_hh does not fit",
    ),
]
