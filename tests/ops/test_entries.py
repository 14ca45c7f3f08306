"""Entry forms: what is printed for one entry is that entry, at every place, of every row and of code."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof.execution.explain import Reader
from backproof.execution.interpret import evaluate
from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import Affine, Index, Place, affine, digit, of_length, put, solution
from backproof.ops.entries import LetterPool, at_, entry_of, lies_between, own_entry, position_of, put_in
from backproof.ops.outside import can_hold, conditions, undecided
from backproof.ops.row import Array, Row
from backproof.ops.table import ROWS
from backproof.write.math_unicode import linear
from backproof.write.spell import spell

sys.path.append(str(Path(__file__).parent.parent))

from ops.test_table import build

WITHOUT = {
    "an extreme is no sum of entries": ("max", "min"),
    "an order depends on all entries at once": ("argsort",),
    "a product over entries has no sign in the formulas": ("prod", "prod_others", "cumprod", "recurrence"),
    "an entry is no short formula of those of the matrix": (
        *("inv", "det", "logabsdet", "solve", "solvevec", "cholesky", "reciprocal_gaps"),
        *("eigenvalues", "eigenvectors", "singular_values", "left_vectors", "right_vectors"),
    ),
}
"""Rows that have no entry form, and why; their entries are written as those of the whole."""


def test_every_other_row_has_one() -> None:
    assert {row.name for row in ROWS if row.entry is own_entry} == {
        name for names in WITHOUT.values() for name in names
    }


def is_written_by_entries(entry: Node) -> bool:
    """Whether an entry form speaks of entries of quantities only, and of no operation on whole arrays."""
    return all(x.inputs[0].symbol is not None for x in ancestors([entry]) if x.op is at_)


def assert_entries(y: Node, values: dict[Node, Array], expected: Array) -> None:
    reader = Reader({str(x.symbol): array for x, array in values.items()}, {})
    letters = LetterPool().place(y.shape)
    written = entry_of(y, letters)
    assert is_written_by_entries(written), linear(spell(written))
    for place in np.ndindex(*expected.shape):
        numbers = [k + 1 for k in place]
        of_letters = written
        for letter, k in zip(letters, numbers, strict=True):
            of_letters = put_in(of_letters, letter, k) if isinstance(letter, Index) else of_letters
        spelled = entry_of(y, tuple(None if p is None else k for p, k in zip(letters, numbers, strict=True)))
        for form in (of_letters, spelled):
            np.testing.assert_allclose(reader.value(form), expected[place], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row.kind not in ("leaf", "entry") and row.entry is not own_entry],
    ids=lambda r: r.name,
)
def test_with_letters(row: Row) -> None:
    y, values = build(row)
    assert_entries(y, values, evaluate([y], values, {})[y])


A = np.arange(12.0).reshape(3, 4) + 0.5
Y, Z = np.array([2, 0, 2, 1]), np.array([[1, -1], [0, -3]])
B = np.array([True, False, True])
CODE: dict[str, Callable[..., Any]] = {
    "reshape": lambda x: x.reshape(4, 3),
    "reshape to three axes": lambda x: x.reshape(2, 3, 2),
    "reshape of a transpose": lambda x: x.T.reshape(2, 6),
    "reshape twice": lambda x: x.reshape(2, 6).reshape(4, 3),
    "reshape, the first axis fastest": lambda x: x.reshape(2, 6, order="F"),
    "roll": lambda x: np.roll(x, 3),
    "roll along two axes": lambda x: np.roll(x, (1, -6), axis=(0, 1)),
    "roll by nothing": lambda x: np.roll(x, 4, axis=1),
    "labels": lambda x: x[Y[:3]],
    "labels in each row": lambda x: x[np.arange(3), Y[:3]],
    "labels from the end": lambda x: x[Z],
    "labels in the middle": lambda x: x[:, Z],
    "labels, a slice": lambda x: x.reshape(2, 3, 2)[Y[:2] // 2, ::-1, Y[:2] // 2],
    "labels of two axes": lambda x: x[Y[:, None], Z[0]],
    "labels and a number": lambda x: x.reshape(2, 3, 2)[1, :, Y // 2],
    "a mask": lambda x: x[B],
    "labels that are computed": lambda x, y: x[:, y + 1],
    "take": lambda x: np.take(x, Z),
    "take along": lambda x: np.take_along_axis(x, np.argsort(-x, axis=1), axis=1),
    "sort": lambda x: np.sort(-x, axis=0),
    "slices": lambda x: x[::-2, 3:0:-1],
    "write": lambda x: written(x, np.s_[1], lambda x: x[0] ** 2),
    "write to a slice": lambda x: written(x, np.s_[:, 1:3], lambda x: x[:, 2:] ** 2),
    "write to every second": lambda x: written(x, np.s_[::2, 1::2], lambda x: x[:2, :2] ** 2),
    "write backwards": lambda x: written(x, np.s_[:, ::-2], lambda x: x[:, :2] ** 2),
    "write backwards, all": lambda x: written(x, np.s_[::-1, 2::-1], lambda x: x[:, :3] ** 2),
    "write to labels": lambda x: written(x, np.s_[Y[1:3]], lambda x: x[:2] ** 2),
    "write to labels in a slice": lambda x: written(x, np.s_[1:, Y[1:]], lambda x: x[1:, :3] ** 2),
    "write to labels of two axes": lambda x: written(x, np.s_[Y[1:], Y[1:]], lambda x: x[0, :3] ** 2),
    "write to a mask": lambda x: written(x, B, lambda x: x[:2] ** 2),
    "write a number": lambda x: written(x, np.s_[0, 0], lambda x: 7.0),
    "add at labels": lambda x: added(x, np.s_[Y], lambda x: x[[0, 1, 2, 0]] ** 2),
    "add at labels from the end": lambda x: added(x, np.s_[:, Z], lambda x: x[:, :2, None] * x[:, None, 2:]),
    "pad": lambda x: np.pad(x, ((1, 0), (0, 2))),
    "triangles": lambda x: np.tril(x) - np.triu(x, 2) + np.tril(x, -1),
    "running sums": lambda x: np.cumsum(x, axis=0) + np.cumsum(x[:, ::-1], axis=1)[:, ::-1],
    "variances": lambda x: np.var(x, axis=0) + np.var(x, axis=1, ddof=1)[:1] * x[0],
    "convolution": lambda x: np.convolve(x[0, :3], x[1]) + np.convolve(x[1], x[0, :3], mode="full"),
    "correlation": lambda x: np.correlate(x[0], x[1, :2], mode="valid"),
    "repeat, tile": lambda x: np.repeat(x, 2, axis=1) + np.tile(x, (1, 2)),
    "joined": lambda x: np.concatenate([x, x[:1] ** 2, x[1:]], axis=0),
}


def written(x: Array, key: Any, value: Callable[[Array], Any]) -> Array:
    y = x * 1.0
    y[key] = value(x)
    return y


def added(x: Array, key: Any, value: Callable[[Array], Any]) -> Array:
    y = x * 1.0
    np.add.at(y, key, value(x))
    return y


def derivations(name: str) -> Iterator[bp.Derivation]:
    function = CODE[name]
    given = {"x": A, **({"y": np.array([2, 0, 1])} if "computed" in name else {})}
    weights = np.cos(np.arange(np.size(function(**given)))).reshape(np.shape(function(**given)))

    def loss(x: Array, **labels: Array) -> Any:
        out = function(x, **labels)
        return np.sum(weights * out * out)

    def loss_y(x: Array, y: Array) -> Any:
        return loss(x, y=y)

    yield bp.derive(loss_y if "y" in given else loss, given, wrt=["x"])


@pytest.mark.parametrize("name", CODE)
def test_of_code(name: str) -> None:
    """Every step forward and back, and the proof of what comes back, entry by entry."""
    for derivation in derivations(name):
        run = bp.run(derivation)
        reader = Reader({key: np.asarray(run[key]) for key in run}, {})
        for step in (*derivation.forward, *derivation.backward):
            node = step.node
            expected = np.asarray(run[str(node.symbol)])
            letters = LetterPool().place(node.shape)
            form = entry_of(node, letters)
            assert is_written_by_entries(form), (str(node.symbol), linear(spell(form)))
            for place in np.ndindex(*expected.shape):
                entry = form
                for letter, k in zip(letters, place, strict=True):
                    entry = put_in(entry, letter, k + 1) if isinstance(letter, Index) else entry
                assert complex(reader.value(entry)).real == pytest.approx(expected[place], rel=1e-12, abs=1e-12)
        for step in derivation.backward:
            expected = np.asarray(run[str(step.symbol)])
            proofs = derivation.proofs(step)
            if len(proofs) != len({path.consumer for path in step.paths}):
                continue
            for place in np.ndindex(*expected.shape):
                total = 0.0
                for proof in proofs:
                    entry = proof.result
                    for letter, k in zip(proof.entry.attrs["place"], place, strict=True):
                        entry = put_in(entry, letter, k + 1) if isinstance(letter, Index) else entry
                    total += complex(reader.value(entry)).real
                assert total == pytest.approx(expected[place], rel=1e-10, abs=1e-10)
        assert bp.render(derivation, "text", expand=True)


def every_second(x: Array, v: Array, G: Array) -> Any:
    return np.sum(G * written(x, np.s_[1::2], lambda x: v))


@pytest.mark.parametrize(
    ("function", "count", "name", "text", "where"),
    [
        (lambda x, v, G: np.sum(G * x[::2] ** 2), 3, "dx", "2 g_{(j+1)/2} · x_j", "(j+1)/2 is not one of 1 … 3"),
        (lambda x, v, G: np.sum(G * x[-2::-2] ** 2), 2, "dx", "2 g_{(6−j)/2} · x_j", "(6−j)/2 is not one of 1 … 2"),
        (lambda x, v, G: np.sum(G * x[::-1] ** 2), 5, "dx", "2 g_{6−j} · x_j", None),
        (every_second, 5, "y_2", "{v_{j/2} if 1 ≤ j−1 ≤ 3 and (j−2) mod 2 = 0; y[1]_j otherwise}", None),
        *(
            (f, 6, "J", "Σ_{j=1}^6 (Σ_{k=1}^(n_2) x_{j−k+1} · v_k) · g_j", "j−k+1 is not one of 1 … 5")
            for f in (lambda x, v, G: np.sum(np.convolve(x, v) * G), lambda x, v, G: np.sum(np.convolve(v, x) * G))
        ),
    ],
)
def test_what_is_written(function: Callable[..., Any], count: int, name: str, text: str, where: str | None) -> None:
    """Exact places are divided, and what is told beside a formula is told only where a place may be none."""
    given = {"x": np.arange(5.0) + 1, "v": np.array([2.0, 3]), "G": np.cos(np.arange(count))}
    derivation = bp.derive(function, given, wrt=["x"])
    node = next(x.node for x in (*derivation.forward, *derivation.backward) if str(x.node.symbol) == name)
    form = entry_of(node, LetterPool().place(node.shape))
    assert linear(spell(form)) == text
    said = [
        f"{linear(spell(position_of(place)))} is not one of 1 … {n}"
        for positions in conditions([form]).values()
        for place, n in positions.items()
    ]
    assert said == ([] if where is None else [where])


LETTERS = [Index(letter, of_length(n)) for letter, n in (("j", 6), ("k", 4), ("p", 3))]


def composed(rng: random.Random, depth: int) -> tuple[Place, Callable[[dict[Index, int]], Fraction]]:
    """A position made of sums, fractions, whole parts and rests, and what it comes to, computed beside it."""
    kind = rng.choice(("letter", "sum", "sum", "digit")) if depth else "letter"
    if kind == "letter":
        letter = rng.choice(LETTERS)
        return letter, lambda numbers: Fraction(numbers[letter])
    if kind == "sum":
        terms = [(rng.choice((-3, -2, -1, 1, 2, 3)), *composed(rng, depth - 1)) for _ in range(rng.randint(1, 3))]
        offset, divisor = rng.randint(-4, 6), rng.choice((1, 1, 2, 3))
        place = affine([(factor, x) for factor, x, _ in terms], offset, divisor)
        return place, lambda numbers: (offset + sum(factor * of(numbers) for factor, _, of in terms)) / divisor
    place, value = composed(rng, depth - 1)
    step, length = rng.choice((1, 2, 3)), rng.choice((None, 2, 3, 4))
    if isinstance(place, Affine) and place.divisor > 1:
        return place, value  # a digit is one of a whole number

    def of(numbers: dict[Index, int]) -> Fraction:
        found = (value(numbers) - 1) // step
        return Fraction(found if length is None else found % length)

    return digit(place, step, length), of


def test_positions_by_their_numbers() -> None:
    """However positions are simplified, they stand for the same numbers, and bounds that are decided are so rightly."""
    rng, reader = random.Random(1), Reader({}, {})
    decided = solved = 0
    for _ in range(2000):
        place, value = composed(rng, 3)
        numbers = {letter: rng.randint(1, letter.size.value or 0) for letter in LETTERS}
        number = place
        for letter in LETTERS:
            number = put(number, letter, numbers[letter])
        assert reader.position(number) == value(numbers), str(place)
        bounds = ((place, rng.choice((None, -1, 1, 2)), rng.choice((None, 3, 6, 8))),)
        inside = lies_between(value(numbers), *bounds[0][1:])
        assert inside or undecided(bounds)
        assert can_hold(bounds) or not inside
        decided += not undecided(bounds)
        letter, *others = rng.sample(LETTERS, 3)
        found = solution(place, letter, 5)
        if found is not None:
            for other in others:
                found = put(found, other, numbers[other])
            at_it = reader.position(found)
            if at_it.denominator == 1:
                assert value({**numbers, letter: int(at_it)}) == 5, str(place)
                solved += 1
    assert decided > 20
    assert solved > 100


def test_terms_at_places_that_are_looked_up() -> None:
    """A term counts where a label names the entry, and only there."""
    labels = np.array([1, 0, 1])
    trace = bp.run(bp.derive(lambda x, y: np.sum(x[y] ** 2), {"x": np.array([3.0, 5, 7]), "y": labels}, wrt=["x"]))
    assert [term.value for term in trace.explain("dx", 2).terms] == [10, 10]
    assert trace.explain("dx", 3).terms == ()
