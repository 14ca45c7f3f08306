"""Every rewrite that a derivation shows is an equality; the famous forms are exactly what a textbook has.

The forms of a step are evaluated from the inputs of the network, each by itself, and compared.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import backproof as bp
from backproof.derivation.derivation import Derivation
from backproof.derivation.simplify import work
from backproof.derivation.steps import BackwardStep, ForwardStep, Mean
from backproof.execution.interpret import evaluate, length
from backproof.frontends.functions import ACTIVATIONS, LOSSES, loss_named
from backproof.frontends.network import Layout
from backproof.ir.node import Node
from backproof.ops.row import Array
from backproof.write.math import Ident
from backproof.write.math_unicode import linear
from backproof.write.outline import plain
from backproof.write.reasons import backward_reasons, meaning
from backproof.write.spell import spell

MEANS: tuple[Mean, ...] = ("loss", "parameters")
LAYOUTS: tuple[Layout, ...] = ("columns", "rows")
VARIANTS = list(product(MEANS, LAYOUTS))

LOGARITHMIC = ("binary_cross_entropy", "categorical_cross_entropy", "kullback_leibler")
"""The losses that divide by an output."""

OWN_ACTIVATIONS = ["z*sigmoid(z)", "1/(1 + exp(-z))", "(exp(z) - exp(-z))/(exp(z) + exp(-z))", "exp(-2*z)", "abs(z)^3"]
OWN_LOSSES = ["-(y*log(a) + (1 - y)*log(1 - a))", "(a - y)^4/4", "-y*a", "exp(a - y)", "(a - y)/(a*a + 1)"]

Case = tuple[str, str, Mean, Layout, float, float]
SIZES = (2, 3, 3)


@cache
def derived(activation: str, loss: str, mean: Mean, layout: Layout, l1: float = 0.0, l2: float = 0.0) -> Derivation:
    network = bp.Network(SIZES[0], [bp.Dense(n, activation) for n in SIZES[1:]], loss=loss, l1=l1, l2=l2)
    return bp.derive(network, mean=mean, layout=layout, inputs=mean == "loss")


def labels(loss: str, raw: Array) -> Array:
    """Labels that the loss takes, from numbers between 0 and 1; samples are columns."""
    kind = loss_named(loss).labels
    if kind == "-1+1":
        return np.where(raw > 0.5, 1.0, -1.0)
    return raw / raw.sum(axis=0) if kind == "distribution" else raw


def given_values(derivation: Derivation, loss: str, numbers: Mapping[str, Array], m: int) -> dict[Node, Array]:
    """Numbers, drawn for samples as columns, for every input of the derivation."""
    values = {}
    for node in derivation.graph.inputs:
        name = str(node.symbol)
        value = labels(loss, numbers[name]) if name == "Y" else numbers[name]
        fits = tuple(length(size, {"m": m}) for size in node.shape) == value.shape
        # A square of samples and nodes fits either way, so the axis that counts samples decides.
        values[node] = value.T if node.shape[0].samples or not fits else value
    return values


def shapes(m: int) -> dict[str, tuple[int, int]]:
    found = {"X": (SIZES[0], m), "Y": (SIZES[-1], m)}
    for k, (before, after) in enumerate(pairwise(SIZES), start=1):
        found |= {f"W[{k}]": (after, before), f"b[{k}]": (after, 1)}
    return found


def forms(step: ForwardStep | BackwardStep) -> list[Node]:
    return [step.raw, *(rewrite.result for rewrite in step.rewrites)]


def rewritten(derivation: Derivation) -> list[ForwardStep | BackwardStep]:
    return [step for step in (*derivation.forward, *derivation.backward) if step.rewrites]


def assert_equalities(derivation: Derivation, values: dict[Node, Array], m: int) -> None:
    """All forms of a step have the same values."""
    steps = rewritten(derivation)
    computed = evaluate([form for step in steps for form in (*forms(step), step.node)], values, {"m": m})
    for step in steps:
        first = computed[step.raw]
        floor = 1e-12 * float(np.max(np.abs(first[np.isfinite(first)]), initial=1e-3))
        for form in (*forms(step)[1:], step.node):
            assert form.shape == step.raw.shape
            np.testing.assert_allclose(
                np.broadcast_to(computed[form], first.shape), first, rtol=1e-10, atol=floor, err_msg=str(step.node)
            )


def away_from_division(derivation: Derivation, values: dict[Node, Array], loss: str, m: int) -> bool:
    """Whether no output is near a place where the loss divides by 0."""
    if loss not in LOGARITHMIC and "log" not in loss:
        return True
    output = derivation.quantities[f"A[{len(SIZES) - 1}]"]
    a = evaluate([output], values, {"m": m})[output]
    return bool((np.abs(a) > 0.02).all() and (np.abs(1 - a) > 0.02).all())


def drawn(loss: str, activation: str, mean: Mean, layout: Layout) -> tuple[Derivation, dict[Node, Array]]:
    """A derivation and the first random values that lie away from division by 0."""
    derivation = derived(activation, loss, mean, layout)
    for seed in range(200):
        rng = np.random.default_rng(seed)
        numbers = {name: rng.uniform(-1, 1, shape) for name, shape in shapes(4).items()}
        numbers["Y"] = rng.uniform(0.05, 1, (SIZES[-1], 4))
        values = given_values(derivation, loss, numbers, 4)
        if away_from_division(derivation, values, loss, 4):
            return derivation, values
    raise AssertionError("no values lie away from division by 0")


OWN = [
    *product(OWN_ACTIVATIONS, ["binary_cross_entropy", "kullback_leibler", OWN_LOSSES[0]]),
    *product(["sigmoid", "softmax", "tanh"], OWN_LOSSES),
]


@pytest.mark.parametrize(("activation", "loss"), [*product(ACTIVATIONS, LOSSES), *OWN])
def test_rewrites_are_equalities(activation: str, loss: str) -> None:
    for mean, layout in VARIANTS:
        derivation, values = drawn(loss, activation, mean, layout)
        assert_equalities(derivation, values, 4)


FINITE = st.floats(-1, 1, allow_subnormal=False)


@settings(max_examples=80)
@given(
    st.sampled_from([*ACTIVATIONS, *OWN_ACTIVATIONS]),
    st.sampled_from([*LOSSES, *OWN_LOSSES]),
    st.sampled_from(VARIANTS),
    st.sampled_from([(0.0, 0.0), (0.3, 0.0), (0.0, 0.25), (0.125, 2.0)]),
    st.integers(1, 3),
    st.data(),
)
def test_rewrites_are_equalities_for_any_values(
    activation: str,
    loss: str,
    variant: tuple[Mean, Layout],
    penalties: tuple[float, float],
    m: int,
    data: st.DataObject,
) -> None:
    derivation = derived(activation, loss, *variant, *penalties)
    numbers = {name: data.draw(arrays(float, shape, elements=FINITE)) for name, shape in shapes(m).items()}
    whole = st.sampled_from([0.0, 1.0]) | st.floats(0.01, 1)
    numbers["Y"] = data.draw(arrays(float, (SIZES[-1], m), elements=whole))
    assume((numbers["Y"].sum(axis=0) > 0).all())
    values = given_values(derivation, loss, numbers, m)
    assume(away_from_division(derivation, values, loss, m))
    assert_equalities(derivation, values, m)


def test_a_wrong_rewrite_is_noticed() -> None:
    """The comparison sees a form whose sign is flipped, so it asserts something."""
    from dataclasses import replace

    from backproof.ops.arithmetic import neg

    derivation, values = drawn("binary_cross_entropy", "sigmoid", "loss", "columns")
    step = next(s for s in derivation.backward if str(s.symbol) == "dZ[2]")
    wrong = replace(step, rewrites=(*step.rewrites[:-1], replace(step.rewrites[-1], result=neg(step.node))))
    backward = tuple(wrong if s is step else s for s in derivation.backward)
    with pytest.raises(AssertionError):
        assert_equalities(replace(derivation, backward=backward), values, 4)


@pytest.mark.parametrize(("l1", "l2"), [(0.5, 0.0), (0.0, 0.5), (0.25, 3.0)])
@pytest.mark.parametrize(("mean", "layout"), VARIANTS)
def test_rewrites_of_penalties_are_equalities(mean: Mean, layout: Layout, l1: float, l2: float) -> None:
    rng = np.random.default_rng(5)
    for activation, loss in (("tanh", "mean_squared_error"), ("softmax", "categorical_cross_entropy")):
        derivation = derived(activation, loss, mean, layout, l1, l2)
        numbers = {name: rng.uniform(0.1, 1, shape) for name, shape in shapes(4).items()}
        assert_equalities(derivation, given_values(derivation, loss, numbers, 4), 4)


# --- the famous forms ------------------------------------------------------------------------------------------------


def texts(derivation: Derivation, name: str) -> list[str]:
    """All forms of a step as plain text, the rule's first."""
    step = step_of(derivation, name)
    return [linear(spell(form)) for form in forms(step)]


def step_of(derivation: Derivation, name: str) -> BackwardStep:
    return next(step for step in derivation.backward if str(step.symbol) == name)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("activation", "loss", "name", "expected"),
    [
        ("sigmoid", "binary_cross_entropy", "dZ[2]", "A[2] − Y"),
        ("1/(1 + exp(-z))", "binary_cross_entropy", "dZ[2]", "A[2] − Y"),
        ("sigmoid", "-(y*log(a) + (1 - y)*log(1 - a))", "dZ[2]", "A[2] − Y"),
        ("softmax", "categorical_cross_entropy", "dZ[2]", "A[2] − Y"),
        ("softmax", "kullback_leibler", "dZ[2]", "A[2] − Y"),
        ("identity", "categorical_cross_entropy_from_logits", "dA[2]", "e^P − Y"),
        ("identity", "half_mean_squared_error", "dA[2]", "A[2] − Y"),
    ],
    ids=lambda value: str(value),
)
def test_output_minus_label(activation: str, loss: str, name: str, expected: str, layout: Layout) -> None:
    by_sample = derived(activation, loss, "parameters", layout)
    by_mean = derived(activation, loss, "loss", layout)
    assert texts(by_sample, name)[-1] == expected
    assert texts(by_mean, name)[-1] == f"(1/m)({expected})"
    # One subtraction; by the mean also the quotient 1/m and the product with it. e^P is one more.
    extra = int(expected.startswith("e"))
    assert work(step_of(by_sample, name).node) == 1 + extra
    assert work(step_of(by_mean, name).node) == 3 + extra
    assert all(
        work(step_of(d, name).node) < work(step_of(d, name).rewrites[-2].result)
        for d in (by_sample, by_mean)
        if len(step_of(d, name).rewrites) > 1
    )


def test_every_form_of_sigmoid_with_binary_cross_entropy() -> None:
    assert texts(derived("sigmoid", "binary_cross_entropy", "parameters", "columns"), "dZ[2]") == [
        "dA[2] * σ'(Z[2])",
        "dA[2] * A[2] * (1 − A[2])",
        "(A[2] − Y)/(A[2] * (1 − A[2])) * A[2] * (1 − A[2])",
        "A[2] − Y",
    ]


def test_every_form_of_softmax_with_categorical_cross_entropy() -> None:
    derivation = derived("softmax", "categorical_cross_entropy", "loss", "columns")
    assert texts(derivation, "dA[2]") == ["(1/m) dL(A[2], Y)/dA[2]", "−(1/m) Y/A[2]"]
    assert texts(derivation, "dZ[2]") == [
        "A[2] * (dA[2] − Σ_{j=1}^n (dA[2] * A[2])_j)",
        "A[2] * (−(1/m) Y/A[2] − Σ_{j=1}^n ((−(1/m) Y/A[2]) * A[2])_j)",
        "(1/m)(A[2] * (Σ_{j=1}^n Y_j) − Y)",
        "(1/m)(A[2] − Y)",
    ]
    assert [plain(meaning(rewrite)) for rewrite in step_of(derivation, "dZ[2]").rewrites] == [
        "dA[2] is put in.",
        "What stands above and below the fraction line cancels.",
        "The labels of each sample add up to 1.",
    ]


@pytest.mark.parametrize(("mean", "layout"), VARIANTS)
@pytest.mark.parametrize(
    ("activation", "expected", "operations"),
    [
        ("tanh", "dA[1] * (1 − A[1] * A[1])", 3),
        ("(exp(z) - exp(-z))/(exp(z) + exp(-z))", "dA[1] * (1 − A[1] * A[1])", 3),
        ("sigmoid", "dA[1] * A[1] * (1 − A[1])", 3),
        ("1/(1 + exp(-z))", "dA[1] * A[1] * (1 − A[1])", 3),
        ("identity", "dA[1]", 0),
        ("exp(z)", "dA[1] * A[1]", 1),
        ("relu", "dA[1] * relu'(Z[1])", 2),
        ("softplus", "dA[1] * softplus'(Z[1])", 2),
        ("softmax", None, 5),
    ],
    ids=lambda value: str(value),
)
def test_hidden_layer(activation: str, expected: str | None, operations: int, mean: Mean, layout: Layout) -> None:
    derivation = derived(activation, "mean_squared_error", mean, layout)
    step = step_of(derivation, "dZ[1]")
    assert work(step.node) == operations
    if expected is None:
        assert step.rewrites == ()
    else:
        assert texts(derivation, "dZ[1]")[-1] == expected


@pytest.mark.parametrize(("mean", "front"), [("loss", ""), ("parameters", "(1/m) ")])
def test_products_of_matrices(mean: Mean, front: str) -> None:
    columns, rows = (derived("tanh", "mean_squared_error", mean, layout) for layout in LAYOUTS)
    assert texts(columns, "dW[2]") == [f"{front}dZ[2] · A[1]ᵀ"]
    assert texts(columns, "dA[1]") == ["W[2]ᵀ · dZ[2]"]
    assert texts(rows, "dW[2]")[-1] == f"{front}dZ[2]ᵀ · A[1]"
    assert texts(rows, "dA[1]") == ["dZ[2] · W[2]"]
    assert work(step_of(rows, "dW[2]").node) < work(step_of(rows, "dW[2]").raw)


@pytest.mark.parametrize(
    ("loss", "by_sample", "by_mean"),
    [
        ("mean_squared_error", "2(A[2] − Y)", "(2/m)(A[2] − Y)"),
        ("half_mean_squared_error", "A[2] − Y", "(1/m)(A[2] − Y)"),
        ("categorical_cross_entropy", "−Y/A[2]", "−(1/m) Y/A[2]"),
    ],
)
def test_losses_put_in(loss: str, by_sample: str, by_mean: str) -> None:
    assert texts(derived("tanh", loss, "parameters", "columns"), "dA[2]")[-1] == by_sample
    assert texts(derived("tanh", loss, "loss", "columns"), "dA[2]")[-1] == by_mean


def test_numbers_of_a_penalty_are_gathered() -> None:
    derivation = derived("tanh", "mean_squared_error", "loss", "columns", 0.0, 0.5)
    assert texts(derivation, "dW[1]")[-1] == "dZ[1] · Xᵀ + 0.5 W[1]"


# --- reasons ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mean", "layout"), VARIANTS)
def test_every_step_has_reasons_and_every_rewrite_a_meaning(mean: Mean, layout: Layout) -> None:
    for activation, loss in [*product(ACTIVATIONS, ["mean_squared_error"]), *product(["softmax", "sigmoid"], LOSSES)]:
        derivation = derived(activation, loss, mean, layout)
        for step in derivation.backward:
            sentences = [plain(reason) for reason in backward_reasons(step, Ident("J"))]
            assert sentences
            for sentence in sentences:
                assert sentence.endswith(".")
                assert not re.search(r"[{}]|None|\s\s", sentence), sentence
        for step in rewritten(derivation):
            for rewrite in step.rewrites:
                sentence = plain(meaning(rewrite))
                assert sentence.strip().endswith("."), (step.node, sentence)
                assert not re.search(r"[{}]|None", sentence)


@pytest.mark.parametrize(("mean", "layout"), VARIANTS)
def test_the_named_node_is_the_last_form(mean: Mean, layout: Layout) -> None:
    for step in derived("sigmoid", "binary_cross_entropy", mean, layout).backward:
        assert linear(spell(step.node)) == linear(spell(forms(step)[-1]))
