"""Mistakes that only a run of the mended code places: in helpers, in loops, in statistics, two that cancel."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Mapping
from itertools import count, product
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.checking.diagnosis import Diagnosis

SOURCES = Path(__file__).parent / "mending"
NAMES = sorted(path.stem for path in SOURCES.glob("*.py"))
WINDOW = "x[:, :, i * stride : i * stride + k, j * stride : j * stride + k]"
_numbers = count(1)


def module(text: str) -> Any:
    file = f"<mended {next(_numbers)}>.py"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    made: Any = ModuleType("mended")
    exec(compile(text, file, "exec"), made.__dict__)
    return made


def diagnosed(text: str) -> Diagnosis:
    made = module(text)
    return bp.diagnose(made.forward, made.backward, made.arguments(np.random.default_rng(1)))


def source(name: str, changes: Mapping[str, str]) -> str:
    """A source with pieces exchanged, each of which stands there once."""
    text = (SOURCES / f"{name}.py").read_text(encoding="utf-8")
    for right, wrong in changes.items():
        assert text.count(right) == 1, f"{right!r} stands {text.count(right)} times in {name}"
        text = text.replace(right, wrong)
    return text


@pytest.mark.parametrize("name", NAMES)
def test_what_is_right_is_called_right(name: str) -> None:
    diagnosis = diagnosed(source(name, {}))
    assert diagnosis.ok
    assert not diagnosis.wrong


ONE = [
    ("blocks", "dh[h <= 0] = 0", "dh[h > 0] = 0", "wrong comparison"),
    ("blocks", "dh[h <= 0] = 0", "dh[a < 0] = 0", None),
    ("blocks", "dn - dn.mean(axis=1, keepdims=True)", "dn - dn.mean(axis=0, keepdims=True)", "wrong axis"),
    ("blocks", "/ std\n    return dx", "* std\n    return dx", None),
    ("blocks", "ds = dy / np.sqrt(d)", "ds = dy / d", "square root of the scale"),
    ("bounds", "db = dc * ((b > low) & (b < high))", "db = dc", "derivative left out"),
    ("bounds", "return dz", "return da", "wrong quantity"),
    ("bounds", "return s + z * s * (1 - s)", "return s", "term left out"),
    ("columns", "pad : high + pad, pad : wide + pad", ":high, :wide", "wrong place"),
    ("columns", "size).transpose(0, 3, 4, 5, 1, 2)", "size).transpose(0, 3, 5, 4, 1, 2)", "wrong axis"),
    ("columns", "d = dout.transpose(0, 2, 3, 1).reshape", "d = dout.reshape", "transpose"),
    ("directions", "keepdims=True)) / size", "keepdims=True))", "division left out"),
    ("gates", "+= dau @ U.T", "+= dau @ U", "transpose"),
    ("heads", "np.exp(top - whole)", "np.exp(top)", "term left out"),
    ("heads", "do[:, :k] = -share * r / g", "do[:, :k] = -share * r", "division left out"),
    ("heads", "do[:, k:] = dg", "do[:, :-k] = dg", None),
    ("highways", "dx = dx * (1 - ts[l]) + du", "dx = du", "term left out"),
    ("highways", "dx = dx * (1 - ts[l])", "dx = dx * ts[l]", None),
    ("highways", "dt * ts[l] * (1 - ts[l])", "dt * hs[l] * (1 - hs[l])", "derivative at the wrong place"),
    ("keys", '"Z%d" % (l - 1)] > 0', '"Z%d" % l] > 0', "wrong quantity"),
    ("keys", 'dA * (kept["Z%d" % (l - 1)] > 0)', "dA", "derivative left out"),
    ("layers", "return s * (1 - s)", "return 1 - s", "factor left out"),
    ("layers", "    dZ = dA * sigmoid_prime(Z)", "    dZ = sigmoid_prime(Z)", "upstream left out"),
    ("layers", "return dA * (Z > 0)", "return Z > 0", "upstream left out"),
    ("layers", "s = 1 / (1 + np.exp(-z))\n", "s = 1 / np.exp(-z)\n", "term left out"),
    ("layers", "dZ1 = relu_backward(dA1, Z1)", "dZ1 = sigmoid_backward(dA1, Z1)", "wrong activation"),
    ("layers", "dZ1 = relu_backward(dA1, Z1)", "dZ1 = relu_backward(dZ2, Z1)", "wrong quantity"),
    ("layers", "dA1 = dZ2 @ W2.T", "dA1 = dZ2 @ W1.T", "wrong quantity"),
    ("layers", "2 * (A2 - Y) / Y.size", "2 * (A2 - Y) / len(Y)", "1/m of another axis"),
    ("layers", "return dW1, db1, dW2, db2", "return dW1, db1, dW1, db2", "not returned"),
    ("recurrent", "dan = dn * (1 - n**2)", "dan = dn * n", "g for g'"),
    ("recurrent", "daz = dz * z * (1 - z)", "daz = 1 - z", "upstream left out"),
    ("recurrent", "daz = dz * z * (1 - z)", "daz = dz * (1 - z)", "factor left out"),
    ("recurrent", "dr = drh * h", "dr = h", "upstream left out"),
    ("recurrent", "dz = dh * (h - n)", "dz = dh", None),
    ("normed", "(dxhat - mean1 - xhat * mean2)", "(dxhat - mean1)", None),
    ("normed", "s = slice(h * dk, (h + 1) * dk)\n        do", "s = slice(h, (h + 1) * dk)\n        do", "wrong place"),
    ("leaky", "dz = da * np.where(z > 0, 1, 0.1)", "dz = da", "derivative left out"),
    ("leaky", "dz = da * np.where(z > 0, 1, 0.1)", "dz = da * np.where(z > 0, 1, 0.1) / N", "factor too many"),
    ("triplets", "return dW1, db1, dW2\n\n\ndef forward", "return dW2, db1, dW2\n\n\ndef forward", "not returned"),
    ("triplets", "return dW1, db1, dW2\n\n\ndef arg", "return dW2, db1, dW2\n\n\ndef arg", "not returned"),
    ("graph", "mask[:, None] / mask.sum()\n    dW1", "mask[:, None] / mask\n    dW1", "sum left out"),
    ("graph", "(P - Y) * mask[:, None] / mask.sum()", "mask[:, None] / mask.sum()", None),
    ("graph", 'dH = cache["S"].T @ dAH', 'dH = cache["S"].T @ dAH.T', "transpose"),
    ("ladder", "return (z > 0) * 1.0", "return np.maximum(z, 0) * 1.0", None),
    ("ladder", "delta = delta * drelu(zs[k])", "delta = 2 * (delta * drelu(zs[k]))", "factor 2"),
    ("ladder", 'delta = cache["err"] / X.shape[0]', 'delta = cache["err"]', None),
    ("machines", "s[:, None, :] - e)", "s[:, None, :])", "term left out"),
    ("machines", "de[i, f] * values[i, f]", "de[i, f]", "factor left out"),
    ("machines", "dw = strength * w", "dw = np.zeros_like(w)", None),
    ("margins", "y] -= totals", "y] = 1", None),
    ("masks", '"ni,nh->ih", X', '"ni,nh->hi", X', "wrong shape"),
    ("pairs", "dV[j] += ds * U[i]", "dV[i] += ds * U[i]", "wrong quantity"),
    ("pairs", "+ c[j]) - 1", "+ c[j])", None),
    ("pairs", "dU[i] += ds * V[j]", "dU[i] += V[j]", "upstream left out"),
    ("pools", "dz[i, f, 2 * p + k] +=", "dz[i, f, 2 * p] +=", "wrong place"),
    ("pools", ".T @ x[:, t : t + size]", ".T @ x[:, :size]", "wrong place"),
    ("rows", "dscores = np.exp(logs)", "dscores = logs.copy()", "wrong quantity"),
    ("scores", "dscores, 0) / np.sqrt(width)", "dscores, 0)", "division left out"),
    ("scores", "dk = dscores.transpose(0, 2, 1) @ q", "dk = dscores @ q", "transpose"),
    ("steps", "V.T @ dy + dnext", "V.T @ dy", "term left out"),
    ("steps", "dy[labels[t]] -= 1", "dy -= labels[t]", "labels not one-hot"),
    ("steps", "dz = (1 - hs[t + 1] ** 2) * dh", "dz = dh", "derivative left out"),
    ("samples", "z = w @ a + b\n            zs", "z = b\n            zs", "term left out"),
    ("samples", "(activations[-1] - y.reshape(-1, 1)) * sig", "activations[-1] * sig", "term left out"),
    ("samples", "* sigmoid_prime(zs[-1])", "* np.maximum(zs[-1], 0)", "g for g'"),
    ("statistics", "dxc = dxc + 2 / n * xc * dvar", "dxc = dxc", "term left out"),
    ("statistics", "dvar = 0.5 * dstd / std", "dvar = dstd / std", None),
    ("statistics", "2 / n * xc * dvar", "1 / n * xc * dvar", None),
    ("statistics", "du = dxc + dmu / n", "du = dxc + dmu", None),
    ("ties", "dZ1 = dA1 * (Z1 > 0)", "dZ1 = dA1", "derivative left out"),
    ("ties", "dZ1 = dA1 * (Z1 > 0)", "dZ1 = dA1 * Z1", "g for g'"),
    ("ties", "mask = pairs ==", "mask = pairs >", "wrong comparison"),
    ("ties", "dpairs = mask * dpooled", "dpairs = mask * pooled", "wrong quantity"),
    ("windows", "+= w[f] * g", "+= w[f]", "upstream left out"),
    ("windows", "np.sum(window * g, axis=0)", "np.sum(g, axis=0)", "factor left out"),
    ("windows", "np.sum(dz, axis=(0, 2, 3))", "dz", "sum left out"),
    ("windows", "np.sum(dz, axis=(0, 2, 3))", "np.sum(dz, axis=(1, 2, 3))", "wrong axis"),
    ("windows", f"window = {WINDOW}", "window = x[:, :, i : i + k, j : j + k]", "stride left out"),
    ("windows", f"d{WINDOW} += w", "dx[:, :, i : i + k, j : j + k] += w", "stride left out"),
]


@pytest.mark.parametrize(("name", "right", "wrong", "mistake"), ONE)
def test_the_line_the_mistake_and_the_correction(name: str, right: str, wrong: str, mistake: str | None) -> None:
    text = source(name, {right: wrong})
    line = source(name, {})[: source(name, {}).index(right)].count("\n") + 1 + right.startswith("\n")
    (finding,) = diagnosed(text).wrong
    assert finding.moment.number == line
    assert mistake in (None, finding.mistakes[0].mistake)
    assert finding.correction is not None
    lines = text.splitlines()
    indent = lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]
    lines[line - 1] = indent + finding.correction
    assert diagnosed("\n".join(lines) + "\n").ok


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (
            "- xhat * np.sum(dxhat * xhat, axis=0)) / (N * np.sqrt(var + 1e-5))",
            "- xhat * np.sum(dxhat * xhat, axis=0))",
        ),
        ("xhat * np.sum(dxhat * xhat, axis=0)", "xhat * (dxhat * xhat)"),
    ],
)
def test_what_follows_from_a_wrong_dx_of_a_layer_is_not_blamed(right: str, wrong: str) -> None:
    """The layer is gone through twice, its dx is no known derivative, and dW still lacks its penalty."""
    (finding,) = diagnosed(source("chain", {right: wrong})).wrong
    assert finding.moment.source.startswith("dx = ")


TWO = [
    # The second sign undoes the first in one derivative, which comes back right.
    ("layers", "dA2 = 2 * (A2 - Y)", "dA2 = -2 * (A2 - Y)", "db1 = dZ1.sum(axis=0)", "db1 = -dZ1.sum(axis=0)"),
    ("gates", "dau = du * u * (1 - u)", "dau = du * (1 - u**2)", "+= dau @ U.T", "+= dau @ U"),
    ("layers", "return s * (1 - s)", "return 1 - s", "dW1 = X.T @ dZ1", "dW1 = 2 * X.T @ dZ1"),
    ("steps", "V.T @ dy + dnext", "V.T @ dy", "dR += dz @ hs[t].T", "dR -= dz @ hs[t].T"),
    # One change of the second line could make up for both.
    ("layers", "dZ2 @ W2.T", "dZ2 @ W2.T / len(X)", "relu_backward(dA1, Z1)", "relu_backward(dA1, Z1) / len(X)"),
    ("steps", "V.T @ dy + dnext", "-(V.T @ dy + dnext)", "(1 - hs[t + 1] ** 2) * dh", "1 - hs[t + 1] ** 2"),
    # Each alone makes all wrong; of the first state, zeros, nothing tells what its derivative should be.
    ("gates", "(1 - c * c)", "(c * (1 - c))", "dh_prev = dh * u\n", "dh_prev = dac * u\n"),
]


@pytest.mark.parametrize(("name", "first", "wrong", "second", "wrong_too"), TWO)
def test_two_mistakes(name: str, first: str, wrong: str, second: str, wrong_too: str) -> None:
    right = source(name, {})
    lines = {right[: right.index(piece)].count("\n") + 1 for piece in (first, second)}
    diagnosis = diagnosed(source(name, {first: wrong, second: wrong_too}))
    assert {finding.moment.number for finding in diagnosis.wrong} == lines


def test_a_derivative_of_another_one_beside_one_under_another_name() -> None:
    right = source("layers", {"return dW1, db1, dW2, db2": "return dict(W1=dW1, b1=db1, W2=dW2, b2=db2)"})
    text = right.replace("dZ1.sum(axis=0)", "dZ1").replace("b1=db1", "b1=db2")
    found = {finding.moment.source: finding.correction for finding in diagnosed(text).wrong}
    assert found == {
        "db1 = dZ1": "db1 = dZ1.sum(axis=0)",
        "return dict(W1=dW1, b1=db2, W2=dW2, b2=db2)": "return dict(W1=dW1, b1=db1, W2=dW2, b2=db2)",
    }


LEFT_OUT = [
    ("gates", "        dh_prev += duh * u\n", "dh_prev", "dh_prev = dh_prev + u * duh"),
    ("margins", "    counts[np.arange(len(y)), y] -= totals\n", "totals", "counts[np.arange(len(y)), y] -= totals"),
    ("masks", "    dH = dH * mask / keep\n", "dH", "* (mask / keep)"),
    ("rows", "    db /= len(X)\n", "db", "/ len(X)"),
]


@pytest.mark.parametrize(("name", "line", "value", "correction"), LEFT_OUT)
def test_a_line_that_is_left_out(name: str, line: str, value: str, correction: str) -> None:
    (finding,) = diagnosed(source(name, {line: ""})).wrong
    assert finding.text == value
    assert finding.correction is not None
    assert finding.correction.endswith(correction)


def test_a_line_behind_the_loop_that_it_belongs_into() -> None:
    text = source("rows", {"        db += d\n    dW": "    db += d\n    dW"})
    (finding,) = diagnosed(text).wrong
    assert finding.moment.source == "db += d"
    (mistake,) = finding.mistakes
    assert mistake.mistake == "wrong place"
    assert mistake.below == 17


def test_a_line_in_the_loop_that_it_belongs_behind() -> None:
    text = source("rows", {"        db += d\n    dW /= len(X)\n": "        db += d\n        dW /= len(X)\n"})
    (finding,) = diagnosed(text).wrong
    assert finding.moment.source == "dW /= len(X)"
    assert finding.mistakes[0].says == "the line stands in the loop, and belongs behind it, below line 19"


WRITTEN = [("'{}%d' % {}", "%d"), ("'{}' + str({})", "str"), ("f'{}{{{}}}'", "f"), ("'{}{{}}'.format({})", "format")]


@pytest.mark.parametrize("written", [text for text, _ in WRITTEN], ids=[name for _, name in WRITTEN])
def test_the_line_proposed_holds_in_every_round(written: str) -> None:
    def key(letter: str, place: str) -> str:
        return written.format(letter, place)

    text = source("keys", {'"Z%d" % (l - 1)] > 0': f"{key('Z', 'l')}] > 0"})
    for letter, place in product("WbZA", ("l", "(l - 1)")):
        text = text.replace(f'"{letter}%d" % {place}', key(letter, place))
    (finding,) = diagnosed(text).wrong
    right = ast.unparse(ast.parse(key("Z", "(l - 1)")))
    assert finding.correction == f"dZ = dA * (kept[{right}] > 0)"


def test_a_loop_that_ends_in_its_first_round() -> None:
    (finding,) = diagnosed(source("rows", {"        db += d\n": "        db += d\n        break\n"})).wrong
    assert finding.moment.source == "db += d"
    assert finding.mistakes[0].says == "the loop ends here in its first round: the break in line 19 is too many"


def test_a_return_in_the_loop() -> None:
    right, wrong = "    dW /= len(X)\n    db /= len(X)\n    return dW, db", "        return dW / len(X), db / len(X)"
    (finding,) = diagnosed(source("rows", {right: wrong})).wrong
    assert finding.moment.source == "return dW / len(X), db / len(X)"
    assert finding.mistakes[0].says == "the line stands in the loop, and belongs behind it, below line 19"


def test_two_mistakes_one_of_which_is_where_a_line_stands() -> None:
    text = source("rows", {"        db += d\n    dW": "    db += d\n    dW", "dW += np.outer": "dW -= np.outer"})
    found = {finding.moment.source: finding.mistakes[0].mistake for finding in diagnosed(text).wrong}
    assert found == {"dW -= np.outer(X[i], d)": "sign", "db += d": "wrong place"}


FINALLY = """        pass
    try:
        pass
    finally:
        for d in dscores:
            db -= d
    dW"""
STARRED = """    names, kept = (1,), {}
    kept["d{}".format(*names)] = 2 * dscores
    dscores = kept["d1"]
    dW, db = np.zeros_like(W)"""
UNUSUAL = [("        db += d\n    dW", FINALLY), ("    dW, db = np.zeros_like(W)", STARRED)]


@pytest.mark.parametrize(("right", "wrong"), UNUSUAL, ids=["finally", "starred"])
def test_unusual_code_is_diagnosed(right: str, wrong: str) -> None:
    assert not diagnosed(source("rows", {right: wrong})).ok


def test_a_division_that_is_left_out_after_changes_in_place() -> None:
    right = "dy[labels[t]] -= 1\n"
    text = source("steps", {"return J, (hs": "return J / len(inputs), (hs", right: right + "        dy = dy / T\n"})
    text = text.replace("    hs, ps = cache\n", "    hs, ps = cache\n    T = len(inputs)\n")
    assert diagnosed(text).ok
    (finding,) = diagnosed(text.replace("        dy = dy / T\n", "")).wrong
    assert finding.moment.source == right.strip()
    assert finding.mistakes[0].mistake == "1/m left out"
    assert finding.correction == "dy[labels[t]] -= 1\ndy = dy / T"


def test_a_term_that_is_left_out_after_a_helper_gave_the_rest() -> None:
    (finding,) = diagnosed(source("blocks", {"    dx += dy\n": ""})).wrong
    assert finding.moment.source == "dx, dg, db = layernorm_backward(du, kept)"
    assert finding.mistakes[0].mistake == "term left out"
    assert finding.correction == "dx, dg, db = layernorm_backward(du, kept)\ndx = dx + dy"


CLASS = """
import numpy as np


class Net:
    def __init__(self, W1, W2):
        self.W1, self.W2 = W1, W2

    def slope(self, s):
        return s * (1 - s)

    def forward(self, X, Y):
        self.z = X @ self.W1
        self.a = 1 / (1 + np.exp(-self.z))
        self.y = self.a @ self.W2
        return np.sum((self.y - Y) ** 2)

    def backward(self, X, Y):
        dy = 2 * (self.y - Y)
        self.dW2 = self.a.T @ dy
        dz = dy @ self.W2.T * self.slope(self.z)
        self.dW1 = X.T @ dz
"""


def test_a_helper_that_is_called_with_the_wrong_value() -> None:
    rng = np.random.default_rng(1)
    net = module(CLASS).Net(rng.normal(size=(4, 3)), rng.normal(size=(3, 2)))
    (finding,) = bp.diagnose(net, X=rng.normal(size=(6, 4)), Y=rng.normal(size=(6, 2))).wrong
    assert finding.moment.source == "dz = dy @ self.W2.T * self.slope(self.z)"
    assert finding.correction == "dz = dy @ self.W2.T * self.slope(self.a)"


def test_what_is_added_is_put_right_as_that() -> None:
    def forward(X: Any, Y: Any, W: Any, reg: Any) -> Any:
        D = X @ W - Y
        return np.mean(D**2) + reg * np.sum(W**2), D

    def backward(X: Any, W: Any, reg: Any, D: Any) -> Any:
        dW = 2 * X.T @ D / D.size
        dW += reg * np.abs(W)
        return dW

    rng = np.random.default_rng(1)
    shapes = {"X": (5, 4), "Y": (5, 3), "W": (4, 3)}
    given = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    diagnosis = bp.diagnose(forward, backward, given | {"reg": np.array(0.1)})
    assert [finding.correction for finding in diagnosis.wrong] == ["dW += reg * (2 * W)"]


def test_gradients_in_lists_that_are_not_summed() -> None:
    text = source("lists", {"grad_b[k] = np.sum(delta, axis=0)": "grad_b[k] = delta"})
    diagnosis = diagnosed(text)
    assert not diagnosis.ok
    assert [x.correction for x in diagnosis.wrong] == ["grad_b[k] = delta.sum(axis=0)"]


def test_a_weight_that_is_changed_in_a_loop() -> None:
    text = source("steps", {"dnext = R.T @ dz": "dnext = R.T @ dz\n        R -= 0.1 * dR"})
    (finding,) = diagnosed(text).wrong
    assert finding.moment.source == "R -= 0.1 * dR"
    assert finding.mistakes[0].mistake == "changed too early"
