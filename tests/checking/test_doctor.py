"""The doctor: no false alarm on what is right; the first wrong line, the mistake and the right line on what is not."""

from __future__ import annotations

import io
import linecache
import re
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import backproof as bp
from backproof.checking.diagnosis import Diagnosis
from backproof.checking.diagnosis_report import document
from backproof.checking.truth import divisors
from backproof.ir.errors import BackproofError, TraceError
from backproof.write.terminal import terminal

SUBJECTS = Path(__file__).parent / "subjects"
NAMES = sorted(path.stem for path in SUBJECTS.glob("*.py"))
_numbers = count(1)


class Subjects:
    """Loads a subject, with a piece of its source replaced where one is given."""

    def source(self, name: str) -> str:
        return (SUBJECTS / f"{name}.py").read_text(encoding="utf-8")

    def module(self, source: str) -> Any:
        file = f"<subject {next(_numbers)}>.py"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        module = ModuleType("subject")
        exec(compile(source, file, "exec"), module.__dict__)
        return module

    def diagnosed(self, source: str) -> Diagnosis:
        module = self.module(source)
        arguments = module.arguments(np.random.default_rng(1))
        return bp.diagnose(module.forward, module.backward, arguments)

    def planted(self, name: str, right: str, wrong: str) -> tuple[str, int]:
        """The source with a mistake in it, and the number of its line."""
        source = self.source(name)
        assert source.count(right) == 1, f"{right!r} stands {source.count(right)} times in {name}"
        return source.replace(right, wrong), source[: source.index(right)].count("\n") + 1


@pytest.fixture
def subjects() -> Subjects:
    return Subjects()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_right_is_called_right(name: str, subjects: Subjects) -> None:
    diagnosis = subjects.diagnosed(subjects.source(name))
    assert [f"{f.moment.place}: {f.text}" for f in diagnosis.findings if f.judgement != "right"] == []
    assert "right" in diagnosis.returned.values()
    assert diagnosis.ok


PLANTED = [
    ("two", "dZ2 = A2 - Y", "dZ2 = Y - A2", "sign"),
    ("two", "dZ2 = A2 - Y", "dZ2 = (A2 - Y) * A2 * (1 - A2)", "derivative twice"),
    ("two", "dZ2 = A2 - Y", "dZ2 = A2", "term left out"),
    ("two", "dZ2 = A2 - Y", "dZ2 = Z2 - Y", "wrong quantity"),
    ("two", "dZ2 = A2 - Y", "dZ2 = 2 * (A2 - Y)", "factor 2"),
    ("two", "dZ2 = A2 - Y", "dZ2 = (A2 - Y) / m", "1/m twice"),
    ("two", "dW2 = dZ2 @ A1.T / m", "dW2 = dZ2 @ A1.T", "1/m left out"),
    ("two", "dW2 = dZ2 @ A1.T / m", "dW2 = dZ2 @ X.T / m", "wrong quantity"),
    ("two", "db2 = np.sum(dZ2, axis=1", "db2 = np.sum(dZ2, axis=0", "wrong axis"),
    ("two", "dA1 = W2.T @ dZ2", "dA1 = -W2.T @ dZ2", "sign"),
    ("two", "dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1", "derivative left out"),
    ("two", "dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * (1 - Z1**2)", "derivative at the wrong place"),
    ("two", "dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * (1 + A1**2)", "sign of a term"),
    ("two", "dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * A1 * (1 - A1)", "wrong activation"),
    ("two", "dZ1 = dA1 * (1 - A1**2)", "dZ1 = 1 - A1**2", "upstream left out"),
    ("two", "dW1 = dZ1 @ X.T / m", "dW1 = dA1 @ X.T / m", "wrong quantity"),
    ("attention", "dS = P * (dP - np.sum(dP * P, axis=1, keepdims=True))", "dS = P * dP", "term left out"),
    ("attention", "dQ = dS @ K / np.sqrt(d)", "dQ = dS @ K", "division left out"),
    ("attention", "dK = dS.T @ Q", "dK = dS @ Q", "transpose"),
    ("attention", "dV = P.T @ dO", "dV = P @ dO", "transpose"),
    ("classy", "self.db2 = d2.sum(axis=0)", "self.db2 = d2.mean(axis=0)", "mean for sum"),
    ("layernorm", "dxhat = dout * gamma", "dxhat = dout", "factor left out"),
    ("two", "dZ2 = A2 - Y", "dZ2 = A2 + Y", "sign of a term"),
    ("two", "dZ2 = A2 - Y", "dZ2 = A2 - 2 * Y", "factor of a term"),
    ("two", "dW2 = dZ2 @ A1.T / m", "dW2 = dZ2 @ Z1.T / m", "wrong quantity"),
    ("two", "dW2 = dZ2 @ A1.T / m", "dW2 = dZ2 @ A1.T / X.shape[0]", "1/m of another axis"),
    ("two", "dW2 = dZ2 @ A1.T / m", "dW2 = dZ2 @ A1.T / (m - 1)", "m - 1 for m"),
    ("two", "dW2 = dZ2 @ A1.T / m", "dW2 = dZ2 @ A1.T / m / m", "1/m twice"),
    ("two", "dW2 = dZ2 @ A1.T / m", "dW2 = -dZ2 @ A1.T / m", "sign"),
    ("two", "dW2 = dZ2 @ A1.T / m", "dW2 = np.round(dZ2 @ A1.T / m)", "integers"),
    ("two", "dW2 = dZ2 @ A1.T / m", "dW2 = dZ2 @ A1.T // m", "integers"),
    ("two", "dW2 = dZ2 @ A1.T / m", "dW2 = (dZ2 @ A1.T / m).astype(int)", "integers"),
    ("two", "dW2 = dZ2 @ A1.T / m", "dW2 = dZ2 @ X.T", "wrong quantity and 1/m left out"),
    ("two", "db2 = np.sum(dZ2, axis=1, keepdims=True) / m", "db2 = dZ2 / m", "sum left out"),
    ("two", "db2 = np.sum(dZ2, axis=1, keepdims=True) / m", "db2 = np.sum(dZ2) / m", "wrong axis"),
    ("two", "db2 = np.sum(dZ2, axis=1, keepdims=True) / m", "db2 = np.mean(dZ2, axis=0, keepdims=True)", "wrong axis"),
    ("two", "db2 = np.sum(dZ2, axis=1, keepdims=True) / m", "db2 = np.sum(dZ2, axis=1, keepdims=True)", "1/m left out"),
    ("two", "dA1 = W2.T @ dZ2", "dA1 = W2.T @ A2", "wrong quantity"),
    ("two", "dA1 = W2.T @ dZ2", "dA1 = W1 @ X * (W2.T @ dZ2)", "factor too many"),
    ("two", "dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * (1 - np.tanh(A1)**2)", "derivative at the wrong place"),
    ("two", "dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * sigmoid(Z1) * (1 - sigmoid(Z1))", "wrong activation"),
    ("two", "dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * (Z1 > 0)", "wrong activation"),
    ("two", "dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * np.tanh(Z1)", "g for g'"),
    ("two", "dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * (1 - A1**2) ** 2", "derivative twice"),
    ("two", "dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * (1 - A1**2) / m", "1/m twice"),
    ("attention", "dQ = dS @ K / np.sqrt(d)", "dQ = dS @ Q / np.sqrt(d)", "wrong quantity"),
    ("attention", "dQ = dS @ K / np.sqrt(d)", "dQ = dS.T @ K / np.sqrt(d)", "transpose"),
    ("attention", "dK = dS.T @ Q / np.sqrt(d)", "dK = dS @ Q / np.sqrt(d)", "transpose"),
    ("attention", "dO = O - target", "dO = 2 * (O - target)", "factor 2"),
    ("classy", "d2 = 2 * (self.z2 - Y) / Y.size", "d2 = 2 * (self.z2 - Y)", "1/m left out"),
    ("classy", "d2 = 2 * (self.z2 - Y) / Y.size", "d2 = (self.z2 - Y) / Y.size", "factor 2"),
    ("classy", "d1 = d2 @ self.W2.T * self.a1 * (1 - self.a1)", "d1 = d2 @ self.W2.T", "derivative left out"),
    ("layernorm", "dgamma = np.sum(dout * xhat, axis=0)", "dgamma = np.sum(dout, axis=0)", "factor left out"),
    ("layernorm", "dbeta = np.sum(dout, axis=0)", "dbeta = np.mean(dout, axis=0)", "mean for sum"),
    ("batchnorm", "dx = dxhat * istd + dvar * 2 * xmu / N + dmu / N", "dx = dxhat * istd + dmu / N", "term left out"),
    ("batchnormshort", "(N * dout - dbeta - xhat * dgamma)", "(N * dout - xhat * dgamma)", "term left out"),
    ("batchnormshort", "(N * dout - dbeta - xhat * dgamma)", "(N * dout - dbeta)", "term left out"),
    ("batchnormshort", "(N * dout - dbeta - xhat * dgamma)", "(dout - dbeta - xhat * dgamma)", "factor of a term"),
    ("batchnormshort", "(N * dout - dbeta - xhat * dgamma)", "(N * dout - dbeta + xhat * dgamma)", "sign of a term"),
    ("batchnormshort", "dx = gamma / np.sqrt(var + 1e-3)", "dx = 1 / np.sqrt(var + 1e-3)", "factor left out"),
    ("dropout", "dA1 = dD1 * mask / keep", "dA1 = dD1 / keep", "factor left out"),
    ("dropout", "dA1 = dD1 * mask / keep", "dA1 = dD1 * mask / keep / keep", "factor twice"),
    ("dropout", "dW2 = dZ2 @ D1.T + 0.3 / m * W2", "dW2 = dZ2 @ D1.T + 0.3 * W2", "regularisation scaled"),
    ("dropout", "dW2 = dZ2 @ D1.T + 0.3 / m * W2", "dW2 = dZ2 @ D1.T + 0.6 / m * W2", "regularisation scaled"),
    ("dropout", "dW2 = dZ2 @ D1.T + 0.3 / m * W2", "dW2 = dZ2 @ D1.T + 0.3 / (2 * m) * W2", "regularisation scaled"),
    ("dropout", "dW2 = dZ2 @ D1.T + 0.3 / m * W2", "dW2 = dZ2 @ D1.T - 0.3 / m * W2", "sign of a term"),
    ("dropout", "dZ1 = dA1 * (Z1 > 0)", "dZ1 = dA1 * (dA1 > 0)", "derivative at the wrong place"),
    ("dropout", "dZ1 = dA1 * (Z1 > 0)", "dZ1 = dA1 * Z1", "g for g'"),
    ("dropout", "dZ1 = dA1 * (Z1 > 0)", "dZ1 = dA1 * (Z1 < 0)", "wrong comparison"),
    ("dropout", "dZ1 = dA1 * (Z1 > 0)", "dZ1 = np.maximum(dA1, 0)", "derivative at the wrong place"),
    ("dropoutsteps", "dA2 = dA2 * mask2", "dA2 = 2 * (dA2 * mask2)", "factor 2"),
    ("dropoutsteps", "dA2 = dA2 / keep", "dA2 = dA2 / keep / m", "1/m twice"),
    ("dropoutsteps", "dZ2 = dA2 * (1 - np.tanh(Z2) ** 2)", "dZ2 = dA2 * (1 + np.tanh(Z2) ** 2)", "sign of a term"),
    ("dropoutsteps", "dA1 /= keep", "dA1 = dA1 / keep / keep", "factor twice"),
    ("dropoutsteps", "dW1 = dZ1 @ X.T / m", "dW1 = dZ1 @ X.T", "1/m left out"),
    ("residual", "dz2 = dh2 * sigmoid_prime(z2)", "dz2 = dh2", "derivative left out"),
    ("gru", "dz = dh * (h0 - n)", "dz = dh * (n - h0)", "sign"),
    ("gru", "dn = dh * (1 - z)", "dn = dh * z", "g for g'"),
]


@pytest.mark.parametrize(("name", "right", "wrong", "mistake"), PLANTED)
def test_the_first_wrong_line_and_the_mistake(
    name: str, right: str, wrong: str, mistake: str, subjects: Subjects
) -> None:
    source, line = subjects.planted(name, right, wrong)
    diagnosis = subjects.diagnosed(source)
    assert not diagnosis.ok
    assert [finding.moment.number for finding in diagnosis.wrong] == [line]
    (finding,) = diagnosis.wrong
    assert finding.mistakes[0].mistake == mistake


@pytest.mark.parametrize(("name", "right", "wrong", "mistake"), PLANTED)
def test_the_line_proposed_makes_it_right(name: str, right: str, wrong: str, mistake: str, subjects: Subjects) -> None:
    source, line = subjects.planted(name, right, wrong)
    (finding,) = subjects.diagnosed(source).wrong
    assert finding.correction is not None
    lines = source.splitlines()
    indent = lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]
    lines[line - 1] = indent + finding.correction
    assert subjects.diagnosed("\n".join(lines) + "\n").ok


def test_several_mistakes_are_found_in_one_run(subjects: Subjects) -> None:
    source = subjects.source("two").replace("dZ2 = A2 - Y", "dZ2 = 2 * (A2 - Y)")
    source = source.replace("dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * (1 - Z1**2)")
    diagnosis = subjects.diagnosed(source)
    assert [finding.text for finding in diagnosis.wrong] == ["dZ2", "dZ1"]
    assert all(finding.mistakes for finding in diagnosis.wrong)
    inherited = {finding.text for finding in diagnosis.findings if finding.judgement == "inherited"}
    assert inherited == {"dW2", "db2", "dA1", "dW1", "db1"}


def test_one_wrong_entry_is_found(subjects: Subjects) -> None:
    wrong = "dW1 = dZ1 @ X.T / m\n    dW1[2, 3] *= 1 + 1e-5"
    diagnosis = subjects.diagnosed(subjects.source("two").replace("dW1 = dZ1 @ X.T / m", wrong))
    assert diagnosis.returned["W1"] == "wrong"
    (finding,) = diagnosis.wrong
    assert (finding.mistakes[0].mistake, finding.correction) == ("factor too many", "pass")


def test_every_number_that_is_divided_by_may_be_the_factor() -> None:
    def f(X, w):
        return np.sum((X @ w) ** 2) / X.shape[0] + np.sum(w**2) / X.shape[1]

    assert len(divisors(bp.derive(f, X=np.ones((4, 3)), w=np.ones(3), wrt=["w"]))) == 2


def test_a_square_matrix_the_wrong_way_round_is_found(subjects: Subjects) -> None:
    source, line = subjects.planted("rnn", "dWhh += np.outer(dhraw, hs[t])", "dWhh += np.outer(hs[t], dhraw)")
    diagnosis = subjects.diagnosed(source)
    assert diagnosis.returned["Whh"] == "wrong"
    assert line in [finding.moment.number for finding in diagnosis.wrong]


def test_rounding_is_no_mistake(subjects: Subjects) -> None:
    single = "dZ2 = (A2 - Y).astype(np.float32)"
    assert subjects.diagnosed(subjects.source("two").replace("dZ2 = A2 - Y", single)).ok


def test_what_is_computed_and_not_returned_is_told(subjects: Subjects) -> None:
    diagnosis = subjects.diagnosed(subjects.source("two").replace('"db1": db1, ', ""))
    assert diagnosis.returned["b1"] == "lost"
    assert not diagnosis.ok


def test_weights_that_change_too_early(subjects: Subjects) -> None:
    source, line = subjects.planted("two", "    dA1 = W2.T @ dZ2", "    W2 -= 0.1 * dW2\n    dA1 = W2.T @ dZ2")
    (finding,) = subjects.diagnosed(source).wrong
    assert (finding.moment.number, finding.text) == (line, "W2")
    assert [mistake.mistake for mistake in finding.mistakes] == ["changed too early"]
    assert finding.needed_by is not None
    assert finding.needed_by.number == line + 1


def test_values_under_another_name(subjects: Subjects) -> None:
    source = subjects.source("two").replace('"dW2": dW2', '"dW2": dA1 @ dA1.T')
    diagnosis = subjects.diagnosed(source)
    assert diagnosis.returned["W2"] == "wrong"
    assert [finding.text for finding in diagnosis.wrong] == ["returned['dW2']"]


def test_a_part_of_a_right_equation_in_a_line_of_its_own(subjects: Subjects) -> None:
    source, line = subjects.planted(
        "two", "    dZ1 = dA1 * (1 - A1**2)", "    slope = 1 - Z1**2\n    dZ1 = dA1 * slope"
    )
    (finding,) = subjects.diagnosed(source).wrong
    assert (finding.moment.number, finding.correction) == (line, "slope = 1 - A1 ** 2")


def test_a_mask_that_is_left_out_of_what_is_multiplied_in_place(subjects: Subjects) -> None:
    source = subjects.source("dropoutsteps").replace("    dA1 *= mask1\n", "")
    (finding,) = subjects.diagnosed(source).wrong
    # Of a line that is missing, either of the two that follow can make up for it.
    assert finding.moment.source in ("dA1 /= keep", "dZ1 = dA1 * (Z1 > 0)")
    assert finding.correction is not None
    assert subjects.diagnosed(source.replace(finding.moment.source, finding.correction)).ok


def test_what_is_divided_in_a_statement_of_its_own_was_no_mistake_before(subjects: Subjects) -> None:
    source = subjects.source("softmaxint").replace("dscores /= N", "dscores = dscores / N")
    assert subjects.diagnosed(source).ok
    diagnosis = subjects.diagnosed(source.replace("dh = dscores.dot(W2.T)", "dh = -dscores.dot(W2.T)"))
    assert [finding.text for finding in diagnosis.wrong] == ["dh"]


def test_the_last_of_the_terms_in_place_of_their_sum(subjects: Subjects) -> None:
    source, line = subjects.planted("persample", "db += dz", "db = dz")
    divided = source.replace("delta = p - y[i]", "delta = (p - y[i]) / len(X)").replace(" / n", "")
    (finding,) = subjects.diagnosed(divided).wrong
    assert (finding.moment.number, finding.mistakes[0].mistake) == (line, "= for +=")
    assert subjects.diagnosed(source).returned["b"] == "wrong"


@pytest.mark.parametrize(
    ("right", "wrong", "blamed"),
    [
        ("dW2 += 0.1 * W2", "dW2 = 0.1 * W2", "dW2"),
        ("dW2 += 0.1 * W2", "dW2 += 0.1 * W1", "dW2"),
        ("dh = dscores.dot(W2.T)", "dh = dscores.dot(W2)", "dh"),
    ],
)
def test_a_sum_that_stays_unfinished_through_a_later_line(
    right: str, wrong: str, blamed: str, subjects: Subjects
) -> None:
    source, line = subjects.planted("softmaxint", right, wrong)
    assert [(f.moment.number, f.text) for f in subjects.diagnosed(source).wrong] == [(line, blamed)]


def test_the_terms_of_a_sum_over_time(subjects: Subjects) -> None:
    source, line = subjects.planted("rnn", "dhnext = Whh.T @ dhraw", "dhnext = Whh @ dhraw")
    diagnosis = subjects.diagnosed(source)
    assert [finding.moment.number for finding in diagnosis.wrong] == [line]
    assert diagnosis.wrong[0].correction == "dhnext = Whh.T @ dhraw"


@pytest.mark.parametrize("wrong", ["dW = dW + 2 * dout.T @ code", "dW = dW - dout.T @ code"])
def test_an_assignment_that_adds_to_its_target(wrong: str, subjects: Subjects) -> None:
    right = "dW += dout.T @ code"
    assert subjects.diagnosed(subjects.source("tied").replace(right, "dW = dW + dout.T @ code")).ok
    source, line = subjects.planted("tied", right, wrong)
    assert [finding.moment.number for finding in subjects.diagnosed(source).wrong] == [line]


@pytest.mark.parametrize(
    ("right", "wrong", "mistake"),
    [
        ("dW += dout.T @ code", "dW += dout @ code", "transpose"),
        ("dW += dout.T @ code", "dW += dout.T * code", "* for ·"),
        ("dW = X.T @ dpre", "dW = X @ dpre", "transpose"),
        ("dW = X.T @ dpre", "dW = X.T @ dpre.T", "transpose"),
    ],
)
def test_a_term_of_a_sum_whose_statement_raises(right: str, wrong: str, mistake: str, subjects: Subjects) -> None:
    source, line = subjects.planted("tied", right, wrong)
    (finding,) = subjects.diagnosed(source).wrong
    assert (finding.moment.number, finding.mistakes[0].mistake, finding.correction) == (line, mistake, right)


def test_a_forward_quantity_whose_statement_raises(subjects: Subjects) -> None:
    source, line = subjects.planted("tied", "    dcode = dout @ W", "    code = np.tanh(X.T @ W)\n    dcode = dout @ W")
    (finding,) = subjects.diagnosed(source).wrong
    assert (finding.moment.number, finding.text) == (line, "code")


def test_a_sum_that_an_error_leaves_zero_is_not_blamed(subjects: Subjects) -> None:
    source, line = subjects.planted("skipgram", "dV[i] += slope * U[o]", "dV[i] += slope * U.T")
    assert [finding.moment.number for finding in subjects.diagnosed(source).wrong] == [line]


@pytest.mark.parametrize("wrong", ["dU[o] += 2 * (slope * V[i])", "dU[o] -= slope * V[i]", "dU[o] += -(slope * V[i])"])
def test_an_entry_that_is_added_to_is_put_right(wrong: str, subjects: Subjects) -> None:
    source, line = subjects.planted("skipgram", "dU[o] += slope * V[i]", wrong)
    finding = subjects.diagnosed(source).wrong[0]
    assert finding.moment.number == line
    assert finding.correction is not None
    assert subjects.diagnosed(source.replace(wrong, finding.correction)).ok


def test_a_function_that_both_passes_call_is_right(subjects: Subjects) -> None:
    source, line = subjects.planted("skipgram", "dU[o] += slope * V[i]", "dU[o] += 2 * slope * V[i]")
    diagnosis = subjects.diagnosed(source)
    assert diagnosis.wrong[0].moment.number == line
    assert "sigmoid" not in {finding.moment.function for finding in diagnosis.findings}


def test_the_state_that_a_loop_ends_with_need_not_come_back(subjects: Subjects) -> None:
    source = subjects.source("rnn").replace("def forward(xs, targets,", "def forward(xs, targets, hprev,")
    source = source.replace("h = np.zeros(Whh.shape[0])", "h = hprev")
    source = source.replace("xs=rng.normal", "hprev=rng.normal(size=5),\n        xs=rng.normal")
    diagnosis = subjects.diagnosed(source)
    assert diagnosis.ok
    assert not diagnosis.wrong
    assert diagnosis.returned["hprev"] == "missing"


@pytest.mark.parametrize("steps", [4, 5])  # of five steps, as many as there are units
def test_what_a_sum_adds_as_it_is_may_be_what_is_wrong(steps: int, subjects: Subjects) -> None:
    source, line = subjects.planted("rnn", "dhraw = (1 - hs[t + 1] ** 2) * dh", "dhraw = 2 * (1 - hs[t + 1] ** 2) * dh")
    wrong = subjects.diagnosed(source.replace("size=(4, ", f"size=({steps}, ")).wrong
    assert wrong[0].moment.number == line
    assert wrong[0].mistakes[0].mistake == "factor 2"


def test_sums_that_an_error_breaks_off_are_not_judged(subjects: Subjects) -> None:
    source, line = subjects.planted("rnn", "dhnext = Whh.T @ dhraw", "dhnext = Whh.T @ dhraw[:-1]")
    diagnosis = subjects.diagnosed(source)
    assert diagnosis.raised is not None
    assert {finding.moment.number for finding in diagnosis.wrong} <= {line}


LISTS = """
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


def forward(xs, ys, weights):
    total = 0.0
    for x, y in zip(xs, ys):
        a = x.reshape(-1, 1)
        for w in weights:
            a = sigmoid(w @ a)
        total = total + 0.5 * np.sum((a - y.reshape(-1, 1)) ** 2)
    return total / len(xs)


def backward(xs, ys, weights):
    nabla = [np.zeros(w.shape) for w in weights]
    for x, y in zip(xs, ys):
        a, zs = x.reshape(-1, 1), []
        activations = [a]
        for w in weights:
            zs.append(w @ a)
            a = sigmoid(zs[-1])
            activations.append(a)
        delta = (activations[-1] - y.reshape(-1, 1)) * sigmoid_prime(zs[-1])
        nabla[-1] += delta @ activations[-2].T
        for l in range(2, len(weights) + 1):
            delta = weights[-l + 1].T @ delta * sigmoid_prime(zs[-l])
            nabla[-l] += delta @ activations[-l - 1].T
    return [part / len(xs) for part in nabla]


def arguments(rng):
    sizes = [4, 5, 3]
    weights = [rng.normal(size=(b, a)) for a, b in zip(sizes, sizes[1:])]
    return {"xs": rng.normal(size=(3, 4)), "ys": rng.normal(size=(3, 3)), "weights": weights}
"""


@pytest.mark.parametrize("way", ["nabla[-{0}] += ", "nabla[-{0}] = nabla[-{0}] + "])
def test_sums_in_lists_that_are_counted_from_the_end(way: str, subjects: Subjects) -> None:
    source = LISTS
    for place in "1l":
        source = source.replace(f"nabla[-{place}] += ", way.format(place))
    diagnosis = subjects.diagnosed(source)
    assert diagnosis.ok
    assert not diagnosis.wrong
    wrong = source.replace("delta @ activations[-2].T", "-(delta @ activations[-2].T)")
    (finding,) = subjects.diagnosed(wrong).wrong
    assert "activations[-2]" in finding.moment.source
    assert finding.mistakes[0].mistake == "sign"


def test_the_slope_of_an_activation_is_no_derivative_of_the_loss(subjects: Subjects) -> None:
    wrong = LISTS.replace("(activations[-1] - y.reshape(-1, 1)) *", "2 * (activations[-1] - y.reshape(-1, 1)) *")
    found = subjects.diagnosed(wrong).wrong
    assert found
    assert all(f.moment.function == "backward" for f in found)


def test_lengths_that_happen_to_agree(subjects: Subjects) -> None:
    source, line = subjects.planted("two", "dW2 = dZ2 @ A1.T / m", "dW2 = dZ2 @ A1.T / X.shape[0]")
    module = subjects.module(source)
    rng = np.random.default_rng(1)
    arguments = module.arguments(rng) | {"X": rng.normal(size=(4, 4)), "Y": np.eye(3)[[0, 2, 1, 1]].T}
    diagnosis = bp.diagnose(module.forward, module.backward, arguments)
    assert [finding.moment.number for finding in diagnosis.wrong] == [line]
    assert diagnosis.wrong[0].mistakes
    right = subjects.module(subjects.source("two"))
    assert bp.diagnose(right.forward, right.backward, arguments).ok


def test_the_convention_of_half_a_mean(subjects: Subjects) -> None:
    source = """
import numpy as np


def forward(X, Y, W1, W2):
    m = X.shape[1]
    Z1 = W1 @ X
    A1 = np.tanh(Z1)
    A2 = W2 @ A1
    return np.sum((A2 - Y) ** 2) / (2 * m), (A1, A2)


def backward(X, Y, W1, W2, cache):
    A1, A2 = cache
    m = X.shape[1]
    dA2 = A2 - Y
    dW2 = dA2 @ A1.T / m
    dA1 = W2.T @ dA2
    dZ1 = dA1 * (1 - A1)
    dW1 = dZ1 @ X.T / m
    return dW1, dW2


def arguments(rng):
    shapes = {"X": (4, 7), "Y": (3, 7), "W1": (5, 4), "W2": (3, 5)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}
"""
    (finding,) = subjects.diagnosed(source).wrong
    assert (finding.text, finding.correction) == ("dZ1", "dZ1 = dA1 * (1 - A1 ** 2)")
    assert subjects.diagnosed(source.replace("(1 - A1)", "(1 - A1**2)")).ok


def test_room_for_values_is_not_judged(subjects: Subjects) -> None:
    room = "dW2 = np.empty_like(W2)\n    np.matmul(2 * dZ2, A1.T / m, out=dW2)"
    source, line = subjects.planted("two", "dW2 = dZ2 @ A1.T / m", room)
    diagnosis = subjects.diagnosed(source)
    assert not diagnosis.ok
    assert line not in [finding.moment.number for finding in diagnosis.wrong]


def test_the_report(subjects: Subjects) -> None:
    source, line = subjects.planted("two", "dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * (1 - Z1**2)")
    out = Console(file=io.StringIO(), width=100, color_system=None)
    terminal(document(subjects.diagnosed(source)), out)
    assert isinstance(out.file, io.StringIO)
    text = out.file.getvalue()
    assert "2 of 4 gradients are wrong: W1, b1. One line is wrong" in text
    assert f"> {line} |     dZ1 = dA1 * (1 - Z1**2)" in text
    assert "Here the derivative of the activation is taken of Z[1] in place of A[1]." in text
    assert "dZ1 = dA1 * (1 - A1 ** 2)" in text
    assert "That is a convention, not a mistake." in text
    for format in ("markdown", "latex", "html", "text"):
        assert "convention" in bp.render(subjects.diagnosed(source), format)  # type: ignore[arg-type]


def test_a_loss_of_its_own() -> None:
    def forward(X, w):
        return X @ w

    def loss(prediction, y):
        return np.mean((prediction - y) ** 2)

    def backward(X, w, y):
        dw = 2 * X.T @ (X @ w - y) / len(y)
        return dw

    rng = np.random.default_rng(0)
    arguments = {"X": rng.normal(size=(5, 3)), "w": rng.normal(size=3), "y": rng.normal(size=5)}
    diagnosis = bp.diagnose(forward, backward, arguments, loss=loss)
    assert diagnosis.returned == {"w": "right"}


def test_unusable_input() -> None:
    def forward(w):
        return np.sum(w**2)

    def strange(w, nobody_knows):
        return 2 * w

    with pytest.raises(BackproofError, match="it is not known what strange is to be given as nobody_knows"):
        bp.diagnose(forward, strange, w=np.ones(3))

    def fails(w):
        return w @ np.ones((2, 2))

    diagnosis = bp.diagnose(forward, fails, w=np.ones(3))
    assert not diagnosis.ok
    assert re.match(r"fails raises ValueError \(test_doctor.py, line \d+\)", str(diagnosis.raised))
    with pytest.raises(BackproofError, match=r"fails raises ValueError \(test_doctor.py, line \d+\)"):
        bp.diagnose(fails, forward, w=np.ones(3))
    with pytest.raises(TraceError, match="is turned into a plain one"):
        bp.diagnose(lambda w: float(w[0]) * np.sum(w), lambda w: 2 * w, w=np.ones(3))
