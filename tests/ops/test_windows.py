"""Windows and their adjoint: positions computed from others, in entry forms, in proofs and in every writer."""

from __future__ import annotations

import numpy as np
import pytest

import backproof as bp
from backproof import nn
from backproof.derivation.derivation import Derivation
from backproof.execution.explain import Reader
from backproof.ir.errors import ShapeError, TraceError
from backproof.ir.sizes import Affine, Index, Place, affine, letters_of, of_length, put
from backproof.ir.symbol import Symbol
from backproof.ops.entries import entry_of, put_in
from backproof.ops.leaves import variable
from backproof.ops.windows import windows
from backproof.write import math_latex, math_mathml, math_unicode
from backproof.write.spell import spell

Y, P = Index("y", of_length(4)), Index("p", of_length(3))


@pytest.mark.parametrize(
    ("terms", "offset", "place"),
    [
        (((1, Y), (1, P)), -1, Affine(((1, Y), (1, P)), -1)),
        (((2, Y), (1, 3)), -2, Affine(((2, Y),), 1)),
        (((2, 3), (1, None)), -2, 5),
        (((1, Y), (1, None)), -1, Y),
        (((1, Affine(((2, Y),), 1)), (-2, Y)), 0, 1),
    ],
)
def test_positions_are_as_simple_as_can_be(terms: tuple[tuple[int, Place], ...], offset: int, place: Place) -> None:
    assert affine(terms, offset) == place


def test_a_position_takes_numbers_and_positions_for_its_letters() -> None:
    place = affine(((2, Y), (1, P)), -2)
    assert letters_of(place) == (Y, P)
    assert str(place) == "2y+p-2"
    assert put(put(place, Y, 3), P, 2) == 6
    assert put(place, Y, affine(((1, P),), 1)) == affine(((3, P),), 0)


def convolved() -> tuple[Derivation, bp.Trace]:
    rng = np.random.default_rng(2)

    def loss(x, w, G):  # type: ignore[no-untyped-def]
        out = nn.conv1d(x, w, stride=2)
        return np.sum(out * G)

    shapes = {"x": (2, 2, 7), "w": (2, 2, 3), "G": (2, 2, 3)}
    derivation = bp.derive(loss, {k: rng.normal(size=n) for k, n in shapes.items()}, wrt=["x", "w"])
    return derivation, bp.run(derivation)


def test_positions_in_every_writer() -> None:
    derivation, _ = convolved()
    (proof,) = derivation.proofs(next(step for step in derivation.backward if str(step.symbol) == "dx"))
    formula = spell(proof.result)
    assert math_unicode.linear(formula) == "Σ_{r=1}^(n_4) Σ_{w=1}^3 dout_{j,r,(p−w)/2+1} · w_{rkw}"
    assert r"\mathrm{dout}_{j,r,(p-w)/2+1}\cdot" in math_latex.latex(formula)
    assert "<mn>2</mn>" in math_mathml.mathml(formula)
    assert "δ_{2u+w−2,p}" in math_unicode.linear(spell(proof.local))


@pytest.mark.parametrize("name", ["x", "w"])
def test_the_chain_rule_written_out_gives_the_same(name: str) -> None:
    derivation, trace = convolved()
    assert_proven(derivation, trace, name)


def assert_proven(derivation: Derivation, trace: bp.Trace, name: str) -> None:
    """What the chain rule comes to, entry by entry, is the gradient."""
    (proof,) = derivation.proofs(next(step for step in derivation.backward if str(step.symbol) == f"d{name}"))
    reader = Reader({key: np.asarray(trace[key]) for key in trace}, {})
    for place, expected in np.ndenumerate(trace[f"d{name}"]):
        entry = proof.result
        for letter, k in zip(proof.entry.attrs["place"], place, strict=True):
            entry = put_in(entry, letter, k + 1)
        assert complex(reader.value(entry)).real == pytest.approx(expected, rel=1e-12)


def test_slices_are_positions() -> None:
    def loss(x, G):  # type: ignore[no-untyped-def]
        steps = x[1:] - x[:-1]
        return np.sum(G * steps**2)

    x = np.array([1.0, 4.0, 2.0, -1.0])
    derivation = bp.derive(loss, {"x": x, "G": np.array([1.0, 2.0, 3.0])}, wrt=["x"])
    (step,) = (step for step in derivation.forward if str(step.node.symbol) == "steps")
    place = Index("j", of_length(3))
    assert math_unicode.linear(spell(entry_of(step.node, (place,)))) == "x_{j+1} − x_j"
    assert_proven(derivation, bp.run(derivation), "x")


def test_an_entry_is_explained_by_the_windows_that_it_lies_in() -> None:
    _, trace = convolved()
    # Entry 3 is the last one of the first window, and the first one of the second.
    terms = trace.explain("dx", 1, 2, 3).terms
    assert sum(term.value for term in terms) == pytest.approx(trace["dx"][0, 1, 2], rel=1e-12)
    places = [[entry.place for entry in term.entries if entry.name == "dout"] for term in terms]
    assert sorted({place[2] for found in places for place in found}) == [1, 2]
    assert len(terms) == 4  # two windows, two kernels


def test_windows_larger_than_the_array_are_refused() -> None:
    with pytest.raises(ShapeError, match="windows of 3 entries, 2 apart, do not fit into 4"):
        windows(variable(Symbol("x"), (of_length(4),)), axes=(-1,), lengths=(3,), strides=(1,), dilations=(2,))


def test_windows_along_an_axis_twice_are_refused() -> None:
    def loss(x):  # type: ignore[no-untyped-def]
        return np.sum(np.lib.stride_tricks.sliding_window_view(x, (2, 2), axis=(0, 0)))

    with pytest.raises(TraceError, match="along one axis twice"):
        bp.derive(loss, x=np.ones(5))
