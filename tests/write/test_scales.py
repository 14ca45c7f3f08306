"""Explanations that scale: what is used more than once, and what a loop does again and again."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import backproof as bp


def rnn(W: Any, U: Any, xs: Any, y: Any) -> Any:
    h = np.tanh(U @ xs[0])
    for x in xs[1:]:
        h = np.tanh(W @ h + U @ x)
    return np.sum((h - y) ** 2)


def lstm(Wx: Any, Wh: Any, b: Any, xs: Any, y: Any) -> Any:
    h, c = np.zeros((2, 4)), np.zeros((2, 4))
    for t in range(xs.shape[0]):
        z = xs[t] @ Wx + h @ Wh + b
        i, f, o, g = np.split(z, 4, axis=1)
        i = 1 / (1 + np.exp(-i))
        f = 1 / (1 + np.exp(-f))
        o = 1 / (1 + np.exp(-o))
        g = np.tanh(g)
        c = f * c + i * g
        h = o * np.tanh(c)
    return np.sum((h - y) ** 2)


def arrays(**shapes: tuple[int, ...]) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def derived(steps: int) -> bp.Derivation:
    return bp.derive(rnn, arrays(W=(3, 3), U=(3, 2), xs=(steps, 2), y=(3,)), wrt=["W", "U"])


def step(text: str, name: str) -> str:
    return text[re.search(rf"^\[\d+\] {name} ", text, re.M).start() :].partition("\n[")[0]  # type: ignore[union-attr]


def test_each_use_has_a_line_and_the_total_adds_them_up() -> None:
    markdown = bp.render(derived(3), "markdown")
    part = markdown[markdown.index("`dW`") :].partition("###")[0]
    assert "$W$ is used twice, in $Z^{[1]}$ and $Z^{[2]}$. Its derivative is the sum over all paths" in part
    assert r"dW\vert _ {Z^{[1]}} = dZ^{[1]}\cdot h^{[1]T}" in part
    assert r"dW\vert _ {Z^{[2]}} = dZ^{[2]}\cdot h^{[2]T}" in part
    assert r"dW = dW\vert _ {Z^{[1]}} + dW\vert _ {Z^{[2]}} = " in part
    assert part.count("The entry of") == 1
    assert "Likewise through $Z^{[2]}$" in part


def test_many_uses_are_counted_and_the_ends_shown() -> None:
    text = bp.render(derived(50), "text")
    part = step(text, "dU")
    assert "U is used 50 times, in h[1], Z[1], …, Z[49]" in part
    assert "and so on, to" in part
    assert "dZ[1], dZ[2], …, dZ[49] are n_1" in part
    assert len(part) < 2500


@pytest.mark.parametrize("steps", [50, 200])
def test_a_long_loop_is_as_readable_as_a_short_one(steps: int) -> None:
    shapes: dict[str, tuple[int, ...]] = {"Wx": (3, 16), "Wh": (4, 16), "b": (16,), "xs": (steps, 2, 3), "y": (2, 4)}
    derivation = bp.derive(lstm, arrays(**shapes))
    text = bp.render(derivation, "text")
    assert len(text) < 45_000
    assert f"[{len(derivation.forward) + len(derivation.backward)}] dxs" in text
    assert len(re.findall(r"^Steps \d+ to \d+ are steps \d+ to \d+ again, \d+ times", text, re.M)) == 2


def test_steps_that_are_left_out_are_those_of_the_loop_and_expand_has_them() -> None:
    derivation = derived(9)
    text = bp.render(derivation, "text")
    numbers = [int(k) for k in re.findall(r"^\[(\d+)\]", text, re.M)]
    left = [(int(a), int(b)) for a, b in re.findall(r"^Steps (\d+) to (\d+)", text, re.M)]
    skipped = [k for a, b in left for k in range(a, b + 1)]
    assert sorted(numbers + skipped) == [*range(1, 1 + len(derivation.forward) + len(derivation.backward))]
    expanded = bp.render(derivation, "text", expand=True)
    assert len(re.findall(r"^\[(\d+)\]", expanded, re.M)) == len(numbers) + len(skipped)


def test_passes_whose_numbers_do_not_go_on_are_written() -> None:
    def f(x: Any) -> Any:
        h = x
        for k in (0, 1, 3, 2, 0, 3, 1):
            h = np.tanh(h * x[k])
        return np.sum(h)

    text = bp.render(bp.derive(f, x=np.arange(4.0)), "text")
    assert "again" not in text.partition("Backward pass")[0]
