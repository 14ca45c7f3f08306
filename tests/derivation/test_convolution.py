"""What comes back through a convolution, in every form that it is written in, against loops over its definition."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

import backproof as bp
from backproof import nn
from backproof.derivation.derivation import Derivation
from backproof.derivation.steps import BackwardStep
from backproof.execution.explain import Reader
from backproof.execution.interpret import evaluate
from backproof.ir.node import Node
from backproof.ir.sizes import Affine, Index, Place, affine, of_length, put, solution
from backproof.ir.symbol import Symbol
from backproof.ops.entries import LetterPool, Places, at, entry_of, put_in
from backproof.ops.leaves import variable
from backproof.ops.shaping import places_of
from backproof.write.math_unicode import linear
from backproof.write.spell import spell

Array = np.ndarray[Any, Any]
Options = dict[str, Any]

ONE_AXIS: list[Options] = [
    {"stride": s, "padding": p, "dilation": d, "groups": g} for s, p, d, g in product((1, 2, 3), (0, 2), (1, 2), (1, 2))
]
TWO_AXES: list[Options] = [
    {},
    {"stride": 2},
    {"stride": (1, 3), "padding": 1},
    {"dilation": (2, 1), "padding": (0, 1)},
    {"stride": 2, "dilation": (1, 2), "padding": 1, "groups": 2},
    {"stride": (3, 2), "dilation": 2, "padding": 1, "groups": 4},
]
LENGTHS = {3: (8,), 4: (6, 7)}
KERNELS = {3: (3,), 4: (2, 3)}


def arguments(rank: int, groups: int = 1) -> dict[str, Array]:
    rng = np.random.default_rng(rank)
    return {
        "x": rng.normal(size=(2, 4, *LENGTHS[rank])),
        "w": rng.normal(size=(4, 4 // groups, *KERNELS[rank])),
    }


def each(value: int | tuple[int, ...], count: int) -> tuple[int, ...]:
    return (value,) * count if isinstance(value, int) else value


def meetings(x: Array, w: Array, out: Array, options: Options) -> Iterator[tuple[tuple[int, ...], ...]]:
    """The entries of the padded input and of the kernel that meet in each entry of the result, by the definition."""
    count = x.ndim - 2
    stride, dilation = (each(options.get(name, 1), count) for name in ("stride", "dilation"))
    groups = options.get("groups", 1)
    for n, o, *place in np.ndindex(*out.shape):
        group = o // (len(w) // groups)
        for c, *offset in np.ndindex(*w.shape[1:]):
            where = (y * s + p * d for y, s, p, d in zip(place, stride, offset, dilation, strict=True))
            yield (n, o, *place), (n, group * w.shape[1] + c, *where), (o, c, *offset)


def by_loops(x: Array, w: Array, weights: Array, options: Options) -> Array:
    """The derivative of Σ weights·out by the padded input."""
    padding = each(options.get("padding", 0), x.ndim - 2)
    result = np.zeros((*x.shape[:2], *(n + 2 * p for n, p in zip(x.shape[2:], padding, strict=True))))
    for out, entry, kernel in meetings(x, w, weights, options):
        result[entry] += weights[out] * w[kernel]
    return result


def derived(rank: int, options: Options) -> tuple[Derivation, bp.Trace, BackwardStep, Array]:
    """A convolution, the step of its padded input, and what that should come to."""
    convolve: Callable[..., Array] = nn.conv1d if rank == 3 else nn.conv2d
    given = arguments(rank, options.get("groups", 1))
    weights = np.random.default_rng(5).uniform(0.5, 1.5, convolve(given["x"], given["w"], **options).shape)

    def loss(x: Array, w: Array) -> Any:
        return np.sum(weights * convolve(x, w, None, **options))

    derivation = bp.derive(loss, given, wrt=["x", "w"])
    name = "dx_padded" if options.get("padding") else "dx"
    # In groups the channels are parted by a line of their own.
    step = next(s for s in derivation.backward if s in derivation.correlations)
    assert str(step.symbol) == ("dx_grouped" if options.get("groups", 1) > 1 else name)
    return derivation, bp.run(derivation), step, by_loops(given["x"], given["w"], weights, options)


def everywhere(form: Node, place: Places, reader: Reader, shape: tuple[int, ...]) -> Array:
    """An entry form with all numbers put in for its letters."""
    result = np.zeros(shape)
    for numbers in np.ndindex(*shape):
        entry = form
        for letter, k in zip(place, numbers, strict=True):
            entry = put_in(entry, letter, k + 1) if isinstance(letter, Index) else entry
        result[numbers] = complex(reader.value(entry)).real
    return result


@pytest.mark.parametrize(
    ("rank", "options"),
    [(3, options) for options in ONE_AXIS] + [(4, options) for options in TWO_AXES],
    ids=str,
)
def test_every_form_of_the_derivative_by_the_input(rank: int, options: Options) -> None:
    derivation, trace, step, expected = derived(rank, options)
    node = step.node
    shape = tuple(size.value or 0 for size in node.shape)
    expected = expected.reshape(shape)
    np.testing.assert_allclose(trace[str(step.symbol)], expected, rtol=1e-12, atol=1e-13)
    reader = Reader(trace.arrays, trace.sizes)

    place = places_of(node, LetterPool())
    form = entry_of(node, place)
    assert "δ" not in linear(spell(form))
    np.testing.assert_allclose(everywhere(form, place, reader, shape), expected, rtol=1e-12, atol=1e-13)

    (proof,) = derivation.proofs(step)
    place = proof.entry.attrs["place"]
    assert "δ" not in linear(spell(proof.result))
    np.testing.assert_allclose(everywhere(proof.result, place, reader, shape), expected, rtol=1e-12, atol=1e-13)

    correlation = derivation.correlations[step].result
    known = {x: trace[name] for name, x in derivation.quantities.items() if name in trace}
    value = evaluate([correlation], known, trace.sizes)[correlation]
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-13)


def sliding(x: Array, w: Array, G: Array) -> Any:
    """A vector of weights laid along a signal."""
    view = np.lib.stride_tricks.sliding_window_view(x, len(w))
    return np.sum(G * (view @ w))


def filters(x: Array, W: Array, G: Array) -> Any:
    """Several of them, in a matrix."""
    view = np.lib.stride_tricks.sliding_window_view(x, len(W))[::2]
    return np.sum(G * np.tanh(view @ W))


def images(x: Array, W: Array, G: Array) -> Any:
    view = np.lib.stride_tricks.sliding_window_view(x, W.shape[1:], axis=(1, 2))
    return np.sum(G * np.einsum("nhwij,fij->nfhw", view, W) ** 2)


def separable(x: Array, u: Array, v: Array, G: Array) -> Any:
    view = np.lib.stride_tricks.sliding_window_view(x, (len(u), len(v)))
    return np.sum(G * np.einsum("abij,i,j->ab", view, u, v))


USERS = [
    (sliding, {"x": (7,), "w": (3,), "G": (5,)}, 'einsum("ab,b->a", windows(put(G, [2:7])), flip(w))'),
    (filters, {"x": (8,), "W": (3, 2), "G": (3, 2)}, None),
    (images, {"x": (2, 4, 5), "W": (3, 2, 2), "G": (2, 3, 3, 4)}, None),
    (separable, {"x": (4, 5), "u": (2,), "v": (3,), "G": (3, 3)}, None),
]


@pytest.mark.parametrize(("function", "shapes", "text"), USERS)
def test_convolutions_as_users_write_them(
    function: Callable[..., Any], shapes: dict[str, tuple[int, ...]], text: str | None
) -> None:
    rng = np.random.default_rng(8)
    given = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    derivation = bp.derive(function, given, wrt=["x"])
    trace = bp.run(derivation)
    ((step, same),) = derivation.correlations.items()
    assert str(step.symbol) == "dx"
    assert text is None or linear(spell(same.result)) == text
    known = {x: trace[name] for name, x in derivation.quantities.items() if name in trace}
    np.testing.assert_allclose(evaluate([same.result], known, trace.sizes)[same.result], trace["dx"], rtol=1e-12)
    assert bp.check(trace).ok


def test_what_is_no_convolution_is_not_called_one() -> None:
    """Windows that are averaged, and products with something that has the windows' positions too."""

    def pooled(x: Array) -> Any:
        return np.sum(np.lib.stride_tricks.sliding_window_view(x, 3).mean(axis=1) ** 2)

    def local(x: Array, w: Array) -> Any:
        return np.sum(np.einsum("ab,ab->a", np.lib.stride_tricks.sliding_window_view(x, 3), w))

    assert not bp.derive(pooled, {"x": np.arange(5.0)}, wrt=["x"]).correlations
    assert not bp.derive(local, {"x": np.arange(5.0), "w": np.ones((3, 3))}, wrt=["x"]).correlations


def test_what_a_reader_is_told() -> None:
    derivation, _, step, _ = derived(4, {"stride": 2})
    text = bp.render(derivation, "text", expand=True)
    text = " ".join(text.replace("\xa0", " ").split())
    told = "dout has no entry where (p−r)/2+1 is not one of 1 … 3 or (q−u)/2+1 is not one of 1 … 3; such terms are 0."
    assert told in text
    assert text.count("such terms are 0") == 2  # in the equation of one entry, and where that is proven
    assert "w has r = 1 … 2 on axis 3, u = 1 … 3 on axis 4" in text
    same = derivation.correlations[step]
    assert same.meaning in text
    assert same.meaning == (
        "As the place in w grows, the place in dout that it meets falls. So this is the correlation of dout with w "
        "turned by 180°. dout has zeros around it, since entries at the ends lie in fewer windows: the correlation is "
        "called full. Between its entries there are zeros for the places that a stride leaves out."
    )
    dx = next(x for x in json.loads(bp.render(derivation, "json"))["backward"] if x["symbol"] == "dx")
    assert dx["entry"]["value"]["where"] == told
    assert dx["correlation"]["meaning"] == same.meaning


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (affine([(1, Index("p", of_length(9))), (-1, Index("o", of_length(3)))], 2, 2), "(p−o)/2+1"),
        (affine([(1, Index("p", of_length(9))), (-2, Index("o", of_length(3)))], 4, 3), "(p−2o+1)/3+1"),
        (affine([(1, Index("p", of_length(9)))], 3, 2), "(p+1)/2+1"),
        (affine([(2, Index("p", of_length(9)))], 4, 2), "p+2"),
        (affine([(-1, Index("o", of_length(3)))], 3), "3−o"),
        (affine([(-1, Index("o", of_length(3)))], 8, 2), "(8−o)/2"),
    ],
)
def test_positions_that_are_divided(place: Place, text: str) -> None:
    assert linear(spell(at(variable(Symbol("y"), (of_length(9),)), (place,)))) == f"y_{{{text}}}"


def test_solving_for_a_letter() -> None:
    p, o, r = (Index(letter, of_length(9)) for letter in "por")
    place = affine([(3, r), (2, o)], -4)
    found = solution(place, r, p)
    assert put(put(put(found, p, 8), o, 3), r, 1) == 2
    assert put(put(found, p, 8), o, 2) == Affine((), 8, 3)  # no place: 8/3
    assert put(place, r, found) == p
    assert solution(place, p, 3) is None


def test_a_loop_over_offsets_with_a_stride() -> None:
    def loss(x: Array, w: Array, G: Array) -> Any:
        out = sum(w[k] * x[k : k + 5 : 2] for k in range(3))
        return np.sum(out * G)

    given = {"x": np.arange(7.0), "w": np.array([2.0, 3, 5]), "G": np.array([1.0, -1, 4])}
    derivation = bp.derive(loss, given, wrt=["x"])
    trace = bp.run(derivation)
    (step,) = (s for s in derivation.backward if str(s.symbol) == "dx")
    place = (Index("j", of_length(7)),)
    form = entry_of(step.node, place)
    assert linear(spell(form)).count("(j+1)/2") == 1
    expected = [2.0, 3, 5 - 2, -3, -5 + 8, 12, 20]
    np.testing.assert_allclose(trace["dx"], expected)
    np.testing.assert_allclose(everywhere(form, place, Reader(trace.arrays, trace.sizes), (7,)), expected)
    assert [term.value for term in trace.explain("dx", 3).terms] == [5, -2]


def test_one_window_only() -> None:
    """Where a kernel is as large as its input, entries meet its entries one by one."""
    given = {"x": np.arange(6.0).reshape(1, 2, 3), "w": np.arange(6.0).reshape(1, 2, 3) + 1}
    derivation = bp.derive(lambda x, w: np.sum(nn.conv1d(x, w) ** 2) / 2, given, wrt=["x"])
    step = next(s for s in derivation.backward if str(s.symbol) == "dx")
    assert linear(spell(entry_of(step.node, LetterPool().place(step.node.shape)))) == "dout · w_{jk}"
    trace = bp.run(derivation)
    assert [term.value for term in trace.explain("dx", 1, 2, 3).terms] == [trace["dx"][0, 1, 2]]
