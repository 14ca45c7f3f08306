"""The public functions. The command line calls these and nothing deeper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from numpy.typing import ArrayLike, DTypeLike

from backproof.checking.gradients import Method, check_gradients
from backproof.checking.report import Report
from backproof.derivation.derivation import Derivation
from backproof.derivation.derive import derive as derive_graph
from backproof.derivation.steps import Mean
from backproof.execution.feeds import Source, feeds
from backproof.execution.trace import Trace
from backproof.execution.trace import run as evaluate
from backproof.frontends.network import Layout, Network
from backproof.frontends.spec import read_spec
from backproof.ir.errors import BackproofError
from backproof.write import Format, rendered


def load(spec: str, *, loss: str | None = None, l1: float | None = None, l2: float | None = None) -> Network:
    """The network that a compact string, a TOML file or ``file.py:object`` describes. Raises SpecError."""
    return read_spec(spec, loss=loss, l1=l1, l2=l2)


def derive(
    network: Network | str, *, mean: Mean = "loss", layout: Layout = "columns", inputs: bool = False
) -> Derivation:
    """The backward pass of a network: every equation with its reason, in the order a person would write them.

    mean    where the 1/m of J stands: "loss" (every dx is ∂J/∂x) or "parameters" (the article's: dA and dZ are those
            of one sample's loss, and the 1/m stands in dW and db)
    layout  whether samples are the "columns" of X or its "rows"
    inputs  whether dX is wanted too

    Raises SpecError for a network that cannot be read.
    """
    _one_of(mean, ("loss", "parameters"), "mean")
    _one_of(layout, ("columns", "rows"), "layout")
    graph = (read_spec(network) if isinstance(network, str) else network).graph(layout)
    return derive_graph(graph, mean=mean, inputs=graph.inputs[:1] if inputs else ())


def run(
    network: Network | Derivation | str,
    data: Source,
    *,
    parameters: Mapping[str, ArrayLike] | None = None,
    seed: int = 0,
    target: Sequence[str] = (),
    rows: int | None = None,
    dtype: DTypeLike = "float64",
) -> Trace:
    """The values of every quantity of a network's forward and backward pass on some data.

    data        the name of a bundled set ("iris", "digits"), a CSV or NPZ file, a mapping with X and Y, or a pair
                (X, Y); rows are samples, whatever the derivation's layout
    parameters  values by name (``W[1]``, ``b[1]``); those not given start at random from `seed`
    target      the columns of a CSV file that are the labels; by default the last ones
    rows        take only the first samples

    Raises DataError for data that do not fit the network, SpecError for a function without a definition.
    """
    derivation = network if isinstance(network, Derivation) else derive(network)
    values = feeds(derivation, data, parameters=parameters, seed=seed, target=target, rows=rows)
    return evaluate(derivation, values, dtype=dtype)


def check(trace: Trace, *, method: Method = "complex", tolerance: float | None = None, every: bool = False) -> Report:
    """Compares every gradient of a trace, entry by entry, with the complex step or with central differences.

    method     "complex" or "central"
    tolerance  the relative error allowed, a positive number; 1e-9 (complex) or 1e-6 (central) unless given
    every      compare every entry, however long that takes; by default entries of large gradients are drawn at random,
               the same each time, and each verdict says how many

    Raises BackproofError for another method or tolerance, DataError if J itself is not finite.
    """
    _one_of(method, ("complex", "central"), "method")
    if tolerance is not None and not 0 < tolerance < float("inf"):
        raise BackproofError(f"{tolerance} is not a tolerance", instead="give a positive number")
    return check_gradients(trace, method=method, tolerance=tolerance, every=every)


def render(derivation: Derivation, format: Format = "markdown", *, expand: bool = False, title: str = "") -> str:
    """A derivation as text: "markdown", "latex", "html", "json", or "text" for a terminal of 100 columns.

    `expand` adds the entries of every matrix and the proof of every sum. Raises BackproofError for another format.
    """
    _one_of(format, ("markdown", "latex", "html", "json", "text"), "format")
    return rendered(derivation, format, expand=expand, title=title)


def _one_of(value: str, choices: Sequence[str], what: str) -> None:
    if value not in choices:
        raise BackproofError(f"unknown {what} {value!r}", instead=f"choose from {', '.join(choices)}")
