"""PyTorch as a second opinion: every activation with every loss, in float64, from PyTorch's own functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import backproof as bp
from backproof.derivation.steps import Mean
from backproof.frontends.functions import ACTIVATIONS, LOSSES
from backproof.frontends.network import Layout
from backproof.ops.row import Array
from backproof.ops.scalar import ScalarRow

Tensor = torch.Tensor

TORCH_ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "identity": torch.nn.Identity(),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "selu": F.selu,
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "silu": F.silu,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "mish": F.mish,
    "hardtanh": F.hardtanh,
    "softmax": partial(F.softmax, dim=-1),
    "log_softmax": partial(F.log_softmax, dim=-1),
    "leaky_relu": F.leaky_relu,
    "leaky_relu(0.2)": partial(F.leaky_relu, negative_slope=0.2),
    "elu": F.elu,
    "elu(1.5)": partial(F.elu, alpha=1.5),
}
"""PyTorch's functions of Z with samples as rows."""


def continued_log(a: Tensor) -> Tensor:
    """The real part of the complex logarithm, so that negative numbers have one too; its derivative is 1/a."""
    return torch.log(a.to(torch.complex128)).real


def binary_cross_entropy(a: Tensor, y: Tensor) -> Tensor:
    """PyTorch's own between 0 and 1; elsewhere, where that refuses, its formula."""
    if a.min() > 0 and a.max() < 1:
        return F.binary_cross_entropy(a, y, reduction="sum")
    return -(y * continued_log(a) + (1 - y) * continued_log(1 - a)).sum()


def categorical_cross_entropy(a: Tensor, y: Tensor) -> Tensor:
    """PyTorch has none of probabilities that are given as such; its own on the logits is compared with below."""
    return -(y * continued_log(a)).sum()


def hinge(a: Tensor, y: Tensor) -> Tensor:
    """max(0, 1 − y·a) as the ranking of a above (y = 1) or below (y = −1) zero by a margin of 1."""
    return F.margin_ranking_loss(a, torch.zeros_like(a), y, margin=1.0, reduction="sum")


TORCH_LOSSES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mean_squared_error": partial(F.mse_loss, reduction="sum"),
    "half_mean_squared_error": lambda a, y: F.mse_loss(a, y, reduction="sum") / 2,
    "binary_cross_entropy": binary_cross_entropy,
    "binary_cross_entropy_from_logits": partial(F.binary_cross_entropy_with_logits, reduction="sum"),
    "categorical_cross_entropy": categorical_cross_entropy,
    "categorical_cross_entropy_from_logits": partial(F.cross_entropy, reduction="sum"),
    "absolute_error": partial(F.l1_loss, reduction="sum"),
    "hinge": hinge,
    "kullback_leibler": lambda a, y: F.kl_div(continued_log(a), y, reduction="sum"),
    "huber": partial(F.huber_loss, reduction="sum"),
    "huber(0.7)": partial(F.huber_loss, delta=0.7, reduction="sum"),
}
"""PyTorch's losses as the sum over samples and outputs: our J is that over the number of samples."""

OF_PROBABILITIES = ("binary_cross_entropy", "categorical_cross_entropy", "kullback_leibler")
COMBINATIONS = list(product(TORCH_ACTIVATIONS, TORCH_LOSSES))
VARIANTS: list[tuple[Mean, Layout]] = [
    ("loss", "columns"),
    ("loss", "rows"),
    ("parameters", "columns"),
    ("parameters", "rows"),
]


def labels(kind: str, m: int, n: int, rng: np.random.Generator) -> Array:
    """Labels that a loss takes: whole ones for half of the samples, in between for the rest."""
    if kind == "01":
        return np.concatenate([rng.integers(0, 2, (m // 2, n)), rng.uniform(0, 1, (m - m // 2, n))])
    if kind == "-1+1":
        return rng.choice([-1.0, 1.0], (m, n))
    if kind == "distribution":
        return np.concatenate([np.eye(n)[rng.integers(0, n, m // 2)], rng.dirichlet(np.ones(n), m - m // 2)])
    return rng.normal(0, 1.5, (m, n))


def drawn(network: bp.Network, rng: np.random.Generator, m: int = 7) -> dict[str, Array]:
    """Random data and parameters, samples as rows. Before a loss of probabilities, the last z are moved and scaled to
    where the activation is between 0.15 and 0.85, if it is element-wise, else to where no class is almost certain."""
    sizes = [size.value or 0 for size in network.sizes()]
    data = {"X": rng.normal(0, 1, (m, sizes[0])), "Y": labels(network.loss_row().labels, m, sizes[-1], rng)}
    for k in range(1, len(sizes)):
        data[f"W[{k}]"] = rng.normal(0, 1, (sizes[k], sizes[k - 1]))
        data[f"b[{k}]"] = rng.normal(0, 0.5, sizes[k])
    row = network.rows()[-1]
    last = f"[{len(sizes) - 1}]"
    if network.loss in OF_PROBABILITIES and not isinstance(row, ScalarRow):
        data[f"W{last}"] *= 0.3
    elif network.loss in OF_PROBABILITIES and isinstance(row, ScalarRow):
        grid = np.linspace(-3, 3, 1201)
        inside = grid[(row.meaning(grid) > 0.15) & (row.meaning(grid) < 0.85)]
        z = by_torch(network, data)[f"Z{last}"]
        scale = np.ptp(inside) / np.ptp(z, axis=0)
        data[f"W{last}"] *= scale[:, None]
        data[f"b{last}"] = scale * (data[f"b{last}"] - z.min(axis=0)) + inside.min()
    return data


def by_torch(network: bp.Network, data: Mapping[str, Array]) -> dict[str, Array]:
    """Every quantity and its derivative of J by PyTorch's forward pass and autograd, samples as rows."""
    tensors = {name: torch.tensor(value, requires_grad=name != "Y") for name, value in data.items()}
    a = tensors["X"]
    for k, layer in enumerate(network.layers, start=1):
        assert isinstance(layer, bp.Dense)
        tensors[f"Z[{k}]"] = z = F.linear(a, tensors[f"W[{k}]"], tensors[f"b[{k}]"])
        # A copy, lest the identity give one tensor two names.
        tensors[f"A[{k}]"] = a = TORCH_ACTIVATIONS[str(layer.activation)](z).clone()
        z.retain_grad()
        a.retain_grad()
    tensors["J"] = j = TORCH_LOSSES[str(network.loss)](a, tensors["Y"]) / len(a)
    weights = [tensors[name] for name in data if name.startswith("W")]
    j = j + network.l1 * sum(w.abs().sum() for w in weights) + network.l2 / 2 * sum((w**2).sum() for w in weights)
    tensors["J"] = j
    assert j.dtype == torch.float64
    j.backward()
    found = {name: tensor.detach().numpy() for name, tensor in tensors.items()}
    return (
        found
        | {f"d{name}": x.grad.numpy() for name, x in tensors.items() if x.is_leaf and x.grad is not None}
        | {f"d{name}": x.grad.numpy() for name, x in tensors.items() if name[0] in "ZA" and x.grad is not None}
    )


def assert_agree(network: bp.Network, data: Mapping[str, Array], *, real: bool = True) -> None:
    """Every quantity of ours is PyTorch's to 1e-10, in both placements and layouts; J too, where it is `real`."""
    expected = by_torch(network, data)
    parameters = {name: value for name, value in data.items() if name not in "XY"}
    top = f"dA[{len(network.layers)}]"
    for mean, layout in VARIANTS:
        derivation = bp.derive(network, mean=mean, layout=layout, inputs=True)
        trace = bp.run(derivation, (data["X"], data["Y"]), parameters=parameters)
        compared = 0
        for name, value in trace.items():
            if name in ("P", "dP"):
                continue  # inside PyTorch's loss
            if name == "J" and not real:
                assert np.isnan(value)
                continue
            theirs = np.asarray(expected[name])
            if name.lstrip("d")[0] == "b":
                theirs = theirs.reshape(1, -1)
            if theirs.ndim == 2 and layout == "columns" and name.lstrip("d")[0] != "W":
                theirs = theirs.T
            if mean == "parameters" and name[0] == "d" and name[1] not in "Wb":
                theirs = theirs * len(data["X"])
            if name == top and network.loss == "hinge":
                # Where hardtanh gives exactly the label, both take a subgradient, and not the same one.
                on = trace["A" + name[2:]] * trace["Y"] == 1
                assert (value[on] == 0).all()
                value, theirs = value[~on], theirs[~on]
            # An entry that almost cancels is measured by a hundredth of the largest one.
            floor = 1e-12 * np.abs(theirs).max()
            np.testing.assert_allclose(value, theirs, rtol=1e-10, atol=floor, err_msg=f"{name}, {mean}, {layout}")
            compared += 1
        assert compared >= 2 + 8 * len(network.layers) + 1


def test_every_activation_and_loss_is_compared() -> None:
    assert {name.partition("(")[0] for name in TORCH_ACTIVATIONS} == set(ACTIVATIONS)
    assert {name.partition("(")[0] for name in TORCH_LOSSES} == set(LOSSES)


@pytest.mark.parametrize(("activation", "loss"), COMBINATIONS)
def test_a_network_agrees_with_torch(activation: str, loss: str, rng: np.random.Generator) -> None:
    network = bp.Network(3, [bp.Dense(4, activation), bp.Dense(3, activation)], loss=loss)
    # The logarithm of log_softmax, which is negative, has no real value; its derivative has.
    assert_agree(network, drawn(network, rng), real=activation != "log_softmax" or loss not in OF_PROBABILITIES)


@pytest.mark.parametrize("loss", TORCH_LOSSES)
def test_a_deep_network_agrees_with_torch(loss: str, rng: np.random.Generator) -> None:
    names = ["tanh", "gelu", "leaky_relu(0.2)", "softmax", "mish"]
    layers = [bp.Dense(n, name) for n, name in zip((4, 5, 1, 4, 3), names, strict=True)]
    network = bp.Network(2, [*layers, bp.Dense(3, "sigmoid")], loss=loss)
    assert_agree(network, drawn(network, rng))


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0.0), (0.0, 0.7), (0.3, 0.7)])
def test_regularisation_agrees_with_torch(l1: float, l2: float, rng: np.random.Generator) -> None:
    layers = [bp.Dense(4, "silu"), bp.Dense(3, "softmax")]
    network = bp.Network(2, layers, loss="categorical_cross_entropy", l1=l1, l2=l2)
    assert_agree(network, drawn(network, rng))


@pytest.mark.parametrize("m", [1, 7])
def test_weight_decay_is_l2(m: int, rng: np.random.Generator) -> None:
    # One step of gradient descent with PyTorch's weight decay on W, none on b.
    network = bp.Network(3, [bp.Dense(4, "tanh"), bp.Dense(1, "identity")], loss="mean_squared_error", l2=0.7)
    data = drawn(network, rng, m)
    trace = bp.run(network, (data["X"], data["Y"]), parameters={k: v for k, v in data.items() if k not in "XY"})
    tensors = {name: torch.tensor(value, requires_grad=True) for name, value in data.items() if name not in "XY"}
    groups = [{"params": [x], "weight_decay": 0.7 if name[0] == "W" else 0.0} for name, x in tensors.items()]
    hidden = torch.tanh(F.linear(torch.tensor(data["X"]), tensors["W[1]"], tensors["b[1]"]))
    output = F.linear(hidden, tensors["W[2]"], tensors["b[2]"])
    F.mse_loss(output, torch.tensor(data["Y"])).backward()
    torch.optim.SGD(groups, lr=0.1).step()
    for name, x in tensors.items():
        stepped = data[name] - 0.1 * trace[f"d{name}"].reshape(data[name].shape)
        np.testing.assert_allclose(x.detach().numpy(), stepped, rtol=1e-12)


@pytest.mark.parametrize(
    ("activation", "loss", "fused"),
    [
        ("sigmoid", "binary_cross_entropy", partial(F.binary_cross_entropy_with_logits, reduction="sum")),
        ("softmax", "categorical_cross_entropy", partial(F.cross_entropy, reduction="sum")),
        ("softmax", "kullback_leibler", lambda z, y: F.kl_div(F.log_softmax(z, dim=-1), y, reduction="sum")),
    ],
    ids=["sigmoid", "softmax", "divergence"],
)
@pytest.mark.parametrize("size", [1.0, 30.0, 800.0])
def test_outputs_agree_with_the_fused_losses_of_torch(
    activation: str, loss: str, fused: Callable[[Tensor, Tensor], Tensor], size: float, rng: np.random.Generator
) -> None:
    # Saturated too: J and dZ are PyTorch's, which takes the logarithm of the probabilities without forming them.
    network = bp.Network(3, [bp.Dense(3, activation)], loss=loss)
    x, y = rng.normal(0, size, (6, 3)), labels(network.loss_row().labels, 6, 3, rng)
    derivation = bp.derive(network, layout="rows")
    trace = bp.run(derivation, (x, y), parameters={"W[1]": np.eye(3), "b[1]": np.zeros(3)})
    z = torch.tensor(x, requires_grad=True)
    j = fused(z, torch.tensor(y)) / len(x)
    j.backward()
    assert z.grad is not None
    np.testing.assert_allclose(trace["J"], j.item(), rtol=1e-12)
    np.testing.assert_allclose(trace["dZ[1]"], z.grad.numpy(), rtol=1e-10, atol=1e-16)
