"""Data for a network: a CSV, NPZ or Parquet file, a folder of arrays, arrays, or a bundled set by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike, NDArray

from backproof.execution.reading.arrays import from_arrays
from backproof.execution.reading.files import BUNDLED, existing_path, load_folder, load_npz
from backproof.execution.reading.labels import Labels, targets
from backproof.execution.reading.parquet import PARQUET, read_parquet
from backproof.execution.reading.part import Floats, Part, counted, listed
from backproof.execution.reading.tables import read_table
from backproof.ir.errors import DataError


@dataclass(frozen=True, eq=False)
class Data:
    """Samples for a network with n0 inputs and n outputs. Rows are samples.

    X is (m, n0) and Y is (m, n), both float64; an X that is large lies on disk, in its own kind of number. `classes`
    are the labels behind the columns of Y (or behind the two values of its single column), where Y was made from
    labels. `features` are the column headings of X, if any.
    """

    X: NDArray[Any]
    Y: Floats
    parameters: dict[str, NDArray[Any]] = field(default_factory=dict)
    classes: tuple[str, ...] | None = None
    features: tuple[str, ...] | None = None
    name: str = "arrays"


def read_data(
    source: str | Path | Mapping[str, ArrayLike] | tuple[ArrayLike, ArrayLike],
    *,
    inputs: int | None,
    outputs: int | None,
    target: Sequence[str] = (),
    classification: bool = False,
    labels: Labels = "01",
    rows: int | None = None,
) -> Data:
    """Read the samples of a source and fit them to a network's sizes; `None` is a size that the data may choose.

    `source` is a bundled set's name (it wins over a file of that name: write `./iris` for that), a CSV file (`.csv`,
    `.csv.gz`), a Parquet file, an NPZ file with X and Y, a folder with X.npy and Y.npy, a mapping with X and Y, or the
    pair `(X, Y)`. An X that is large is laid out in a temporary file. One that lies on disk as it is stays there: in a
    folder, or as a memmap. In a table the columns named in `target` (by heading, or by number from 1) are the targets;
    without it the first `inputs` columns are features and the rest targets, and with `inputs=None` the last column is
    the target, or the last `outputs` columns if they are numbers and this is no classification. The index of a table
    that pandas wrote is no column.

    A single target column of labels becomes one column per class, in the order of the sorted labels, or, for a single
    output, one column of 0 and 1 (-1 and +1 with `labels="-1+1"`). Text is a label; a whole number is one when
    `classification` is true. Other numbers are taken as they are. `rows` keeps the first samples only; the classes
    are still those of the whole source.

    Raises DataError for anything that cannot be read, is not a finite number, or does not fit the sizes.
    """
    if rows is not None and (not isinstance(rows, int) or rows < 1):
        raise DataError(f"{rows} rows leave no data", where="rows", instead="Ask for at least one row.")
    if isinstance(source, str | Path):
        bundled = isinstance(source, str) and source in BUNDLED
        path = resources.files("backproof") / "data" / BUNDLED[str(source)] if bundled else existing_path(source)
        name = str(source) if bundled else path.name
        if isinstance(path, Path) and path.is_dir():
            part = from_arrays(load_folder(path), name, target)
        elif isinstance(path, Path) and path.suffix == ".npz":
            part = from_arrays(load_npz(path), name, target)
        elif isinstance(path, Path) and path.suffix in PARQUET:
            part = read_parquet(path, name, inputs, outputs, target, classification)
        else:
            part, is_last = read_table(path, name, inputs, outputs, target, classification, bundled=bundled)
            # The last column of a bundled set is known to hold labels, so several outputs need no further word.
            classification = classification or (bundled and outputs != 1 and is_last)
    elif isinstance(source, Mapping):
        part = from_arrays(source, "arrays", target)
    else:
        if not isinstance(source, tuple | list):
            raise DataError(
                f"{type(source).__name__} is no source of data",
                where="data",
                instead="Give the name of a bundled set or of a file, a mapping with X and Y, or (X, Y).",
            )
        if len(source) != 2:
            raise DataError(f"{len(source)} arrays instead of two", where="data", instead="Give (X, Y).")
        part = from_arrays({"X": source[0], "Y": source[1]}, "arrays", target)

    _fit_inputs(part, inputs)
    Y, classes = targets(part, outputs, classification, labels)
    return Data(
        X=part.X[:rows],
        Y=Y[:rows],
        parameters=part.parameters,
        classes=classes,
        features=part.features,
        name=part.name,
    )


def _fit_inputs(part: Part, inputs: int | None) -> None:
    width = part.X.shape[1]
    if inputs is None or inputs == width:
        return
    if part.places.lines is None and part.X.shape[0] == inputs:
        instead = "Rows are samples: transpose X and Y if your samples are columns."
    elif part.features:
        instead = f"The features are {listed(part.features)}: change the network's inputs to {width}."
    else:
        instead = f"Change the network's inputs to {width}."
    raise DataError(
        f"the network takes {counted(inputs, 'input')}, {part.name} has {counted(width, 'feature')}",
        where=f"X, shape {part.X.shape}",
        why="A feature is the value of one input node.",
        instead=instead,
    )
