"""What a derivation is run on: data in its layout, labels that its loss can take, and parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from backproof.derivation.derivation import Derivation
from backproof.execution.parameters import USUAL, initial, scheme_named
from backproof.execution.reading import Data, read_data
from backproof.ir.errors import DataError
from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Size
from backproof.ops.row import Array
from backproof.ops.softmax import softmax

Source = str | Path | Mapping[str, ArrayLike] | tuple[ArrayLike, ArrayLike]


def feeds(
    derivation: Derivation,
    source: Source,
    *,
    parameters: Mapping[str, ArrayLike] | None = None,
    seed: int = 0,
    target: Sequence[str] = (),
    rows: int | None = None,
) -> tuple[dict[str, ArrayLike], str]:
    """The values of every input of a network's derivation by name, from a data source with samples as rows.

    Parameters that neither `parameters` nor the source gives start at random (see `initial`), and what is returned
    besides says how. Raises DataError.
    """
    data = samples(derivation, source, target=target, rows=rows)
    columns = derivation.quantities["X"].shape[-1].samples
    values = {
        "X": data.X.T if columns else data.X,
        "Y": data.Y.T if columns else data.Y,
        **start(derivation, data, parameters, seed=seed),
    }
    return values, told_start(derivation, {*data.parameters, *(parameters or {})}, seed=seed)


def samples(derivation: Derivation, source: Source, *, target: Sequence[str] = (), rows: int | None = None) -> Data:
    """The samples of a source, as rows, with labels that the loss of a network's derivation can take.

    Raises DataError.
    """
    x, y = (derivation.quantities[name] for name in ("X", "Y"))
    labels = y.attrs["labels"]
    data = read_data(
        source,
        inputs=_nodes(x).value,
        outputs=_nodes(y).value,
        target=target,
        classification=labels != "any" or any(node.op is softmax for node in derivation.quantities.values()),
        labels="-1+1" if labels == "-1+1" else "01",
        rows=rows,
    )
    _check_labels(data, labels)
    return data


def start(
    derivation: Derivation,
    data: Data,
    parameters: Mapping[str, ArrayLike] | None = None,
    *,
    seed: int = 0,
    scheme: str | float = USUAL,
) -> dict[str, ArrayLike]:
    """The values of the parameters: those given, those that came with the data, the others as the `scheme` says."""
    x, y = (derivation.quantities[name] for name in ("X", "Y"))
    sizes = {_nodes(x).name: data.X.shape[1], _nodes(y).name: data.Y.shape[1]}
    given = {**data.parameters, **(parameters or {})}
    drawn = {} if _complete(derivation, given) else initial(derivation.graph, seed=seed, sizes=sizes, scheme=scheme)
    return {**drawn, **{name: _bias(derivation, name, value) for name, value in given.items()}}


def told_start(derivation: Derivation, given: Iterable[str], *, seed: int = 0) -> str:
    """What the parameters that are not given start with, as sentences; empty where all are given."""
    left = [name for name in map(str, (x.symbol for x in derivation.graph.parameters)) if name not in given]
    weights, biases = [x for x in left if x.startswith("W")], [x for x in left if not x.startswith("W")]
    drawn = [f"{', '.join(weights)}: {scheme_named(USUAL).about}, from seed {seed}."] * bool(weights)
    return " ".join([*drawn, *[f"{', '.join(biases)}: 0."] * bool(biases)])


def _complete(derivation: Derivation, given: Mapping[str, ArrayLike]) -> bool:
    return all(str(node.symbol) in given for node in derivation.graph.parameters)


def _bias(derivation: Derivation, name: str, value: ArrayLike) -> ArrayLike:
    """A bias given as a list, a row or a column of numbers, in the shape that the layout has."""
    node = derivation.quantities.get(name)
    if node is not None and node not in derivation.graph.parameters:
        raise DataError(f"{name} is not a parameter", instead="data are given as data")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DataError(f"the values of {name} are not numbers", why=str(error)) from None
    if node is None or ONE not in node.shape or array.ndim > 2 or max(array.shape, default=1) != array.size:
        return value
    return array.reshape([1 if size == ONE else -1 for size in node.shape])


def _nodes(node: Node) -> Size:
    return next(size for size in node.shape if not size.samples)


def _check_labels(data: Data, labels: str) -> None:
    wrong: Array
    if labels == "01":
        wrong, wanted = (data.Y < 0) | (data.Y > 1), "between 0 and 1"
    elif labels == "-1+1":
        wrong, wanted = np.abs(data.Y) != 1, "−1 or +1"
    elif labels == "distribution":
        wrong, wanted = data.Y < 0, "0 or more"
        off = np.abs(data.Y.sum(axis=1) - 1) > 1e-9
        if off.any() and not wrong.any():
            row = int(np.argmax(off))
            raise DataError(
                f"the labels of sample {row + 1} add up to {data.Y[row].sum():g}",
                where=data.name,
                why="this loss takes a distribution over the classes, so each sample's labels must add up to 1",
                instead="give one-hot labels, or class names in a single column",
            )
    else:
        return
    if wrong.any():
        row, column = (int(k) for k in np.argwhere(wrong)[0])
        raise DataError(
            f"the label {data.Y[row, column]:g} does not fit the loss",
            where=f"{data.name}, sample {row + 1}, output {column + 1}",
            why=f"this loss takes labels that are {wanted}",
        )
