"""The functions of `backproof.nn` beside PyTorch's: values and gradients, in double precision."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import backproof as bp
from backproof import nn

Function = Callable[..., Any]
Shapes = dict[str, tuple[int, ...]]
EPS = 1e-5
IMAGES: Shapes = {"x": (2, 4, 7, 8)}
NORMS: Shapes = {"gamma": (4,), "beta": (4,)}
LABELS = np.array([2, 0, 3])
CAUSAL = np.tril(np.ones((3, 3), dtype=bool))


def compare(ours: Function, theirs: Function, shapes: Shapes, positive: tuple[str, ...] = ()) -> None:
    """Both functions on the same arrays: the value, and every gradient of its sum with a weight for each entry."""
    rng = np.random.default_rng(11)
    arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    arrays |= {name: abs(arrays[name]) + 0.5 for name in positive}
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}
    expected = theirs(*tensors.values())
    value = ours(*arrays.values())
    np.testing.assert_allclose(value, expected.detach().numpy(), rtol=1e-9, atol=1e-11)
    weights = rng.uniform(0.5, 1.5, np.shape(value))
    (torch.as_tensor(weights) * expected).sum().backward()

    def loss(arrays: dict[str, Any]) -> Any:
        out = ours(*arrays.values())
        return np.sum(weights * out)

    trace = bp.run(bp.derive(loss, {"arrays": arrays}, wrt=list(arrays)))
    for name, tensor in tensors.items():
        np.testing.assert_allclose(trace[f"d{name}"], tensor.grad.numpy(), rtol=1e-9, atol=1e-11, err_msg=name)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        pytest.param(nn.relu, F.relu, id="relu"),
        pytest.param(nn.sigmoid, torch.sigmoid, id="sigmoid"),
        pytest.param(nn.silu, F.silu, id="silu"),
        pytest.param(nn.gelu, F.gelu, id="gelu"),
        pytest.param(nn.softplus, F.softplus, id="softplus"),
        pytest.param(nn.softmax, lambda z: F.softmax(z, -1), id="softmax"),
        pytest.param(nn.log_softmax, lambda z: F.log_softmax(z, -1), id="log_softmax"),
    ],
)
def test_activations(ours: Function, theirs: Function) -> None:
    compare(ours, theirs, {"z": (3, 5)})


@pytest.mark.parametrize(
    ("ours", "theirs", "shapes"),
    [
        pytest.param(
            lambda scores: nn.cross_entropy(scores, LABELS),
            lambda scores: F.cross_entropy(scores, torch.tensor(LABELS)),
            {"scores": (3, 4)},
            id="labels",
        ),
        pytest.param(nn.cross_entropy, F.cross_entropy, {"scores": (3, 4), "p": (3, 4)}, id="distributions"),
        pytest.param(nn.mse, F.mse_loss, {"a": (3, 4), "target": (3, 4)}, id="mse"),
        pytest.param(nn.bce_with_logits, F.binary_cross_entropy_with_logits, {"z": (3, 4), "target": (3, 4)}, id="bce"),
    ],
)
def test_losses(ours: Function, theirs: Function, shapes: Shapes) -> None:
    compare(ours, theirs, shapes, ("p",) if "p" in shapes else ())


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 5), (2, 4, 3, 5)])
def test_normalisation_by_channel(shape: tuple[int, ...]) -> None:
    shapes = {"x": shape, **NORMS}
    compare(nn.batch_norm, lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True, eps=EPS), shapes)
    for groups in (1, 2, 4):
        if shape[2:] or groups < 4:  # of one entry PyTorch makes no statistics
            compare(
                lambda x, w, b, groups=groups: nn.group_norm(x, w, b, groups),
                lambda x, w, b, groups=groups: F.group_norm(x, groups, w, b, EPS),
                shapes,
            )
    if shape[2:]:
        compare(nn.instance_norm, lambda x, w, b: F.instance_norm(x, weight=w, bias=b, eps=EPS), shapes)


def test_batch_norm_with_given_statistics() -> None:
    # PyTorch differentiates by the input and the weights only; the statistics are buffers.
    mean, var = np.array([0.1, -0.2, 0.3, 0.0]), np.array([0.5, 1.0, 2.0, 1.5])
    compare(
        lambda x, w, b: nn.batch_norm_inference(x, w, b, mean, var),
        lambda x, w, b: F.batch_norm(x, torch.tensor(mean), torch.tensor(var), w, b, eps=EPS),
        {"x": (2, 4, 3), **NORMS},
    )


def test_normalisation_of_the_last_axes() -> None:
    compare(nn.layer_norm, lambda x, w, b: F.layer_norm(x, (4,), w, b, EPS), {"x": (2, 3, 4), **NORMS})
    compare(
        lambda x, w, b: nn.layer_norm(x, w, b, axis=(-2, -1)),
        lambda x, w, b: F.layer_norm(x, (3, 4), w, b, EPS),
        {"x": (2, 3, 4), "gamma": (3, 4), "beta": (3, 4)},
    )
    compare(nn.rms_norm, lambda x, w: F.rms_norm(x, (4,), w, EPS), {"x": (2, 3, 4), "gamma": (4,)})


def test_linear_and_embedding() -> None:
    ids = np.array([[1, 4], [1, 0]])
    compare(nn.linear, F.linear, {"x": (2, 3, 4), "W": (5, 4), "b": (5,)})
    compare(lambda table: nn.embedding(table, ids), lambda w: F.embedding(torch.tensor(ids), w), {"table": (5, 3)})


@pytest.mark.parametrize(
    ("stride", "padding", "dilation", "groups"), [*product((1, 2), (0, 2), (1, 2), (1, 2)), (3, 1, 3, 4)]
)
def test_convolution(stride: int, padding: int, dilation: int, groups: int) -> None:
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    compare(
        lambda x, w, b: nn.conv1d(x, w, b, **options),
        lambda x, w, b: F.conv1d(x, w, b, **options),
        {"x": (2, 4, 9), "w": (8, 4 // groups, 3), "b": (8,)},
    )
    compare(
        lambda x, w, b: nn.conv2d(x, w, b, **options),
        lambda x, w, b: F.conv2d(x, w, b, **options),
        {**IMAGES, "w": (8, 4 // groups, 3, 2), "b": (8,)},
    )


def test_convolution_with_a_number_for_each_axis() -> None:
    options = {"stride": (2, 1), "padding": (0, 2), "dilation": (1, 3)}
    compare(
        lambda x, w: nn.conv2d(x, w, **options),
        lambda x, w: F.conv2d(x, w, **options),
        {**IMAGES, "w": (3, 4, 2, 3)},
    )


@pytest.mark.parametrize(("size", "stride", "padding"), [(2, None, 0), (3, 1, 1), (2, 3, 0), (3, 2, 1)])
def test_pooling(size: int, stride: int | None, padding: int) -> None:
    pairs = ((nn.max_pool1d, F.max_pool1d), (nn.max_pool2d, F.max_pool2d))
    for (ours, theirs), shape in zip(pairs, ((2, 3, 8), (2, 3, 7, 8)), strict=True):
        compare(
            lambda x, f=ours: f(x, size, stride, padding), lambda x, f=theirs: f(x, size, stride, padding), {"x": shape}
        )
    means = ((nn.avg_pool1d, F.avg_pool1d), (nn.avg_pool2d, F.avg_pool2d))
    for (ours, theirs), shape in zip(means, ((2, 3, 8), (2, 3, 7, 8)), strict=True):
        compare(
            lambda x, f=ours: f(x, size, stride, padding), lambda x, f=theirs: f(x, size, stride, padding), {"x": shape}
        )


@pytest.mark.parametrize("mask", [None, CAUSAL], ids=["all", "causal"])
def test_attention(mask: np.ndarray[Any, Any] | None) -> None:
    seen = None if mask is None else torch.tensor(mask)
    compare(
        lambda Q, K, V: nn.attention(Q, K, V, mask),
        lambda Q, K, V: F.scaled_dot_product_attention(Q, K, V, attn_mask=seen),
        {"Q": (2, 3, 4), "K": (2, 3, 4), "V": (2, 3, 5)},
    )

    def theirs(x: Any, Wq: Any, Wk: Any, Wv: Any, Wo: Any) -> Any:
        # PyTorch's mask is true where a query may not look.
        x = x.transpose(0, 1)
        hidden = None if seen is None else ~seen
        nothing = torch.zeros(4, dtype=torch.float64)
        out, _ = F.multi_head_attention_forward(
            x,
            x,
            x,
            4,
            2,
            torch.cat([Wq, Wk, Wv]),
            torch.cat([nothing] * 3),
            None,
            None,
            False,
            0.0,
            Wo,
            nothing,
            attn_mask=hidden,
        )
        return out.transpose(0, 1)

    shapes: Shapes = {"x": (2, 3, 4), "Wq": (4, 4), "Wk": (4, 4), "Wv": (4, 4), "Wo": (4, 4)}
    compare(lambda x, Wq, Wk, Wv, Wo: nn.multi_head_attention(x, Wq, Wk, Wv, Wo, 2, mask), theirs, shapes)


@pytest.mark.parametrize(("ours", "gates"), [(nn.rnn, 1), (nn.lstm, 4), (nn.gru, 3)], ids=["rnn", "lstm", "gru"])
def test_recurrent_networks(ours: Function, gates: int) -> None:
    module = {1: torch.nn.RNN, 4: torch.nn.LSTM, 3: torch.nn.GRU}[gates](3, 4, dtype=torch.float64)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")

    def theirs(x: Any, h: Any, *rest: Any) -> Any:
        *c, W_ih, W_hh, b_ih, b_hh = rest
        start = (h[None], c[0][None]) if c else h[None]
        weights = dict(zip(names, (W_ih, W_hh, b_ih, b_hh), strict=True))
        return torch.func.functional_call(module, weights, (x, start))[0]

    weights: Shapes = {"W_ih": (4 * gates, 3), "W_hh": (4 * gates, 4), "b_ih": (4 * gates,), "b_hh": (4 * gates,)}
    cell: Shapes = {"c": (2, 4)} if gates == 4 else {}
    compare(ours, theirs, {"x": (5, 2, 3), "h": (2, 4), **cell, **weights})
