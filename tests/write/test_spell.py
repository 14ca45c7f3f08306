"""How equations of followed code are spelled: brackets, names, letters."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof import nn
from backproof.derivation.derivation import Derivation
from backproof.execution.explain import Reader
from backproof.ir.node import ancestors
from backproof.ir.sizes import Size, letters_of
from backproof.ir.symbol import Symbol
from backproof.ops.arithmetic import mul
from backproof.ops.entries import LetterPool, at, at_, entry_of, put_in
from backproof.ops.leaves import variable
from backproof.ops.linear import total
from backproof.ops.shaping import places_of
from backproof.write.doc import Display, Paragraph
from backproof.write.expansion import indexed
from backproof.write.math_unicode import linear
from backproof.write.outline import plain
from backproof.write.spell import spell


def of(derivation: Derivation, symbol: str) -> str:
    """The last form of a step's equation, on one line."""
    return linear(spell(derivation.quantities[symbol]))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_number_in_front_does_not_hide_a_product_of_the_other_kind(rng: np.random.Generator) -> None:
    x, W = rng.normal(size=(2, 3, 3))
    derivation = bp.derive(lambda x, W: np.sum((x + np.tanh(x @ W)) ** 2), {"x": x, "W": W}, wrt=["x", "W"])
    inner = "((1 − tanh(x · W) * tanh(x · W)) * (x + tanh(x · W)))"
    assert of(derivation, "dW") == f"2 xᵀ · {inner}"
    assert f"{inner} · Wᵀ" in of(derivation, "dx")


def indices(derivation: bp.Derivation, symbol: str) -> str:
    """The equation of one entry of a step, on one line, with its legend."""
    step = next(x for x in (*derivation.forward, *derivation.backward) if str(x.node.symbol) == symbol)
    form = step.rewrites[-1].result if step.rewrites else step.raw
    shown, legend = [*indexed([form], step.node, "x")]
    assert isinstance(shown, Display)
    assert isinstance(legend, Paragraph)
    return f"{linear(shown.equation.left)} = {linear(shown.equation.parts[-1])} | {plain(legend.text)}"


class TestIndices:
    def test_heads_are_split_and_joined_by_letters(self, rng: np.random.Generator) -> None:
        def f(W: Any, X: Any) -> Any:
            Q = (X @ W).reshape(3, 2, 5).transpose(1, 0, 2)
            P = np.tanh(Q) * 2
            joined = P.transpose(1, 0, 2).reshape(3, 10)
            return np.sum(joined**2)

        derivation = bp.derive(f, W=rng.normal(size=(4, 10)), X=rng.normal(size=(3, 4)))
        forward = indices(derivation, "Q")
        assert forward.startswith("q_{jkp} = Σ_{q=1}^(n_1) x_{kq} · w_{q,5j+p−5} | Axes: Q has j = 1 … 2 on axis 1")
        assert indices(derivation, "joined").startswith("joined_{j,5k+p−5} = p_{kjp} | ")
        assert indices(derivation, "dP").startswith("dp_{jkp} = djoined_{k,5j+p−5} | ")
        assert "dw_{j,5k+p−5} = Σ_{q=1}^(n_3) x_{qj} · dq_{kqp} | " in indices(derivation, "dW")

    def test_padding_is_a_shift_where_there_is_something(self, rng: np.random.Generator) -> None:
        def f(x: Any) -> Any:
            padded = np.pad(x, ((0, 0), (1, 1), (2, 0)))
            return np.sum(padded[:, 1:, ::-1] ** 3)

        derivation = bp.derive(f, x=rng.normal(size=(2, 3, 4)))
        assert indices(derivation, "padded").startswith(
            "padded_{jkp} = {x_{j,k−1,p−2} if 2 ≤ k ≤ 4 and 3 ≤ p; 0 otherwise} | "
        )

    def test_joined_arrays_are_told_apart_by_the_position(self, rng: np.random.Generator) -> None:
        def f(x: Any, y: Any) -> Any:
            both = np.concatenate([x, y], axis=1)
            return np.sum(both**3)

        derivation = bp.derive(f, {"x": rng.normal(size=(2, 3, 2)), "y": rng.normal(size=(2, 1, 2))}, wrt=["x", "y"])
        assert indices(derivation, "both").startswith("both_{jkp} = {x_{jkp} if k ≤ 3; y_{jp} otherwise} | ")

    def test_the_largest_of_a_window_has_letters_of_its_own(self, rng: np.random.Generator) -> None:
        def f(x: Any) -> Any:
            top = np.max(x, axis=(1, 2))
            return np.sum(top**2)

        derivation = bp.derive(f, x=rng.normal(size=(2, 3, 2, 2)))
        assert indices(derivation, "top").startswith("top_{jk} = max_{pq}(x_{jpqk}) | ")

    @pytest.mark.parametrize(
        "make",
        [
            lambda x: np.reshape(x, (3, 4, 5)),
            lambda x: np.reshape(x, (60,)),
            lambda x: np.transpose(np.reshape(x, (2, 6, 5)), (2, 0, 1)),
            lambda x: np.pad(x, ((1, 0), (0, 2))),
            lambda x: np.concatenate([x, 2 * x, x[:, :1]], axis=1),
            lambda x: np.flip(x, (0, 1)),
        ],
    )
    def test_letters_stand_for_every_entry(self, make: Callable[[Any], Any], rng: np.random.Generator) -> None:
        x = rng.normal(size=(12, 5))
        derivation = bp.derive(lambda x: np.sum(make(x) ** 2 * 1.5), x=x)
        made = make(x).shape
        (moved, *_) = [
            n for n in ancestors(derivation.graph.outputs) if n.inputs and tuple(s.value for s in n.shape) == made
        ]
        place = places_of(moved, LetterPool())
        form = entry_of(moved, place)
        assert not any(n.op is at_ and n.inputs[0].symbol is None for n in ancestors([form]))
        reader = Reader({"x": x}, {})
        letters = [*dict.fromkeys(letter for p in place for letter in letters_of(p))]
        for numbers in itertools.product(*(range(1, (letter.size.value or 0) + 1) for letter in letters)):
            node, where = form, at(moved, place)
            for letter, number in zip(letters, numbers, strict=True):
                node, where = put_in(node, letter, number), put_in(where, letter, number)
            entry = tuple(1 if p is None else p for p in where.attrs["place"])
            assert reader.value(node) == make(x)[tuple(k - 1 for k in entry)]


def test_words_are_explained_and_indices_counted() -> None:
    text = bp.render(bp.derive(lambda x: np.sum(np.cumprod(x)[1:] ** 2), x=np.arange(1.0, 4.0)), "text")
    for word in ("cumprod: ", "recurrence: ", "put: ", "concatenate: "):
        assert f"\n{word}" in text.partition("Forward pass")[0]
    assert "subscripts count from 1" in " ".join(text.split())


class TestLabels:
    X, W, y = np.random.default_rng(1).normal(size=(5, 3)), np.ones((3, 4)), np.array([0, 3, 2, 1, 1])

    def test_cross_entropy_is_the_probabilities_less_the_labels(self) -> None:
        def f(W: Any, X: Any, y: Any) -> Any:
            scores = X @ W
            m = len(y)
            e = np.exp(scores - scores.max(axis=1, keepdims=True))
            P = e / e.sum(axis=1, keepdims=True)
            return -np.mean(np.log(P[np.arange(m), y]))

        derivation = bp.derive(f, W=self.W, X=self.X, y=self.y)
        assert of(derivation, "dscores") == "(1/m)(P − 1_y)"
        assert of(derivation, "J") == "−(1/m) Σ_{i=1}^m log(p(i)_{y(i)+1})"
        assert bp.check(bp.run(derivation)).ok
        text = " ".join(bp.render(derivation, "text").split())
        assert "Labels are whole numbers from 0" in text
        assert "C1 is np.arange(5), made there" in text
        assert "C[1]" not in text

    def test_the_logarithms_are_those_of_the_probabilities(self) -> None:
        derivation = bp.derive(lambda W, X, y: nn.cross_entropy(X @ W, y), W=self.W, X=self.X, y=self.y)
        step = next(step for step in derivation.backward if any("exponential" in r.template for r in step.rewrites))
        assert linear(spell(step.node)).endswith("(e^log_probs − 1_y)")
        assert "the softmax of" in step.rewrites[-1].meaning


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.arange(4), "np.arange(4)"),
        (np.zeros(3), "np.zeros(3)"),
        (np.ones((2, 3)), "np.ones((2, 3))"),
        (np.eye(3), "np.eye(3)"),
        (np.array([1.5, 2.0]), "np.array([1.5, 2.0])"),
        (np.arange(8.0) * 2, "an array of 8 numbers"),
    ],
)
def test_an_array_of_the_code_is_described(array: Any, text: str) -> None:
    derivation = bp.derive(lambda x: np.sum(x * (array + 0)), x=np.ones_like(array, dtype=float))
    assert any(note.endswith(f"C1 is {text}, made there") for note in derivation.notes)


class TestOnes:
    def test_no_factor_of_one_stays(self, rng: np.random.Generator) -> None:
        def f(x: Any, gamma: Any) -> Any:
            return np.sum((gamma * x + 1) ** 3)

        derivation = bp.derive(f, {"x": rng.normal(size=(3, 4)), "gamma": np.ones(4)}, wrt=["x", "gamma"])
        assert "1 *" not in of(derivation, "dgamma")
        assert "1 *" not in of(derivation, "dx")
        assert bp.check(bp.run(derivation)).ok
        derivation = bp.derive(lambda x: np.sum(np.max(x, axis=1)), x=rng.normal(size=(3, 4)))
        assert "1 *" not in bp.render(derivation, "text").partition("Backward")[2]

    def test_a_matrix_of_ones_has_its_shape(self, rng: np.random.Generator) -> None:
        derivation = bp.derive(lambda W, X: np.sum(W @ X), W=rng.normal(size=(2, 3)), X=rng.normal(size=(3, 4)))
        assert of(derivation, "dW") == "1_{n_1×n_3} · Xᵀ"
        assert "is the matrix of n rows and m columns that is 1 everywhere" in bp.render(derivation, "markdown")


def test_the_reason_of_a_norm_tells_of_the_root(rng: np.random.Generator) -> None:
    text = " ".join(bp.render(bp.derive(np.linalg.norm, x=rng.normal(size=4)), "text").split())
    assert "is taken by itself, so the chain rule is an element-wise product. Each entry of x is raised" in text


def test_letters_are_bound_once() -> None:
    x = variable(Symbol("x"), (Size("n"), Size("m")))
    inner = total(x, (-1,))
    assert linear(spell(total(mul(x, inner), (-1,)))) == "Σ_{k=1}^m (x * (Σ_{j=1}^m x_{·j}))_{·k}"
