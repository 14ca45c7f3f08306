"""The public functions. The command line calls these and nothing deeper."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backproof.checking.gradients import Method, check_gradients
from backproof.checking.quiet import quiet
from backproof.checking.report import Report
from backproof.derivation.derivation import Derivation
from backproof.derivation.derive import derive as derive_graph
from backproof.derivation.jacobian import with_hessians, with_jacobians
from backproof.derivation.second import along
from backproof.derivation.steps import CodeLine, Mean
from backproof.execution.directions import directed
from backproof.execution.export import exported
from backproof.execution.feeds import Source, feeds
from backproof.execution.kinks import kinks
from backproof.execution.parameters import USUAL
from backproof.execution.trace import Trace
from backproof.execution.trace import run as evaluate
from backproof.frontends.network import Layout, Network
from backproof.frontends.spec import read_spec
from backproof.frontends.tracing.trace import Program, names_of_arrays, trace
from backproof.ir.errors import BackproofError, DataError
from backproof.ir.node import Node
from backproof.write import Format, rendered, written

if TYPE_CHECKING:
    from backproof.checking.diagnosis import Diagnosis
    from backproof.execution.engines import Kind
    from backproof.training.history import Epoch
    from backproof.training.optimisers import LBFGS, Optimiser
    from backproof.training.options import Options
    from backproof.training.plan_report import PlanReport
    from backproof.training.trained import Trained, TrainedFunction
    from backproof.training.weights import Weights


def load(spec: str, *, loss: str | None = None, l1: float | None = None, l2: float | None = None) -> Network:
    """The network that a compact string, a TOML file or ``file.py:object`` describes. Raises SpecError."""
    return read_spec(spec, loss=loss, l1=l1, l2=l2)


def derive(
    forward: Network | str | Callable[..., Any] | Derivation,
    arguments: Mapping[str, Any] | None = None,
    /,
    *,
    mean: Mean = "loss",
    layout: Layout = "columns",
    inputs: bool = False,
    wrt: Sequence[str] | None = None,
    opened: bool = False,
    hvp: str | Sequence[str] = (),
    hessian: str | Sequence[str] = (),
    jacobian: str | Sequence[str] = (),
    **named: Any,
) -> Derivation:
    """The backward pass of a network or of NumPy code: every equation with its reason, in the order one would write.

    forward   a network, its compact string, a function of arrays that returns one number, or, with `hvp`, a derivation
    mean      where the 1/m of J stands: "loss" (every dx is ∂J/∂x) or "parameters" (the article's: dA and dZ are those
              of one sample's loss, and the 1/m stands in dW and db)
    layout    for a network, whether samples are the "columns" of X or its "rows"
    inputs    for a network, whether dX is wanted too
    hvp       the names of parameters or arguments: the gradients by them are differentiated once more, along a
              direction (V for W), which gives the product of the Hessian and that direction
    hessian   likewise, the Hessian itself: as a formula where there is one of readable length, and its values
    jacobian  for a function that returns an array: the names of arguments by which its entries are differentiated

    A function is run once, on `arguments` and those given by name (``derive(f, W1=…, X=…)``); it is followed through
    NumPy's own protocols, so it needs no change. `wrt` names the arguments that derivatives are wanted by: unless
    given, every array of decimal numbers but those called X, Y, x or y. What has a closed form, such as softmax or
    layer normalisation spelled out, is one step; with `opened` it is one for each line of the code.

    Raises SpecError for a network that cannot be read, TraceError for code that cannot be followed.
    """
    options = {"mean": mean, "layout": layout, "inputs": inputs, "wrt": wrt, "opened": opened}
    _no_arrays({**options, "hvp": hvp, "hessian": hessian, "jacobian": jacobian})
    products, matrices, jacobians = (_listed(names) for names in (hvp, hessian, jacobian))
    if bool(products) + bool(matrices) + bool(jacobians) > 1:
        raise BackproofError("hvp, hessian and jacobian are three things", instead="ask for one of them at a time")
    if isinstance(forward, Derivation):
        if not products and not matrices:
            raise BackproofError(
                "a derivation is derived already",
                why="its gradients can be differentiated once more, by some of its parameters",
                instead='name them: derive(derivation, hvp="W"), derive(derivation, hessian="W")',
            )
        return along(forward, products) if products else with_hessians(forward, matrices)
    if jacobians:
        return _jacobians(forward, {**(arguments or {}), **named}, jacobians, opened=opened)
    if products or matrices:
        wanted = [*products, *matrices] if wrt is None and _is_code(forward) else wrt
        first = derive(forward, arguments, mean=mean, layout=layout, inputs=inputs, wrt=wanted, opened=opened, **named)
        return derive(first, hvp=products, hessian=matrices)
    _one_of(mean, ("loss", "parameters"), "mean")
    _one_of(layout, ("columns", "rows"), "layout")
    if _is_code(forward):
        program = trace(forward, {**(arguments or {}), **named}, wrt, opened=opened)
        return derive_graph(program.graph, mean=mean, sources=_sources(program), notes=_notes(program), opened=opened)
    if arguments is not None or named or wrt is not None or opened:
        raise BackproofError(
            "a network takes no arguments, wrt or opened", instead="give a function, or only the network"
        )
    network = read_spec(forward) if isinstance(forward, str) else forward
    assert isinstance(network, Network)
    graph = network.graph(layout)
    return derive_graph(graph, mean=mean, inputs=graph.inputs[:1] if inputs else ())


def _no_arrays(options: Mapping[str, Any]) -> None:
    for name, option in options.items():
        if isinstance(option, np.ndarray | np.number):
            raise BackproofError(
                f"{name} is an option of derive, and an array is given",
                instead=f'give an argument of that name in a mapping: derive(function, {{"{name}": …}})',
            )


def run(
    network: Network | Derivation | str,
    data: Source | None = None,
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

    The derivation of a function is run on the arguments that it was derived with; `data` is a mapping of those that are
    to be replaced, by name.

    The directions of a derivation with `hvp` are given by name among `parameters`; those not given are drawn at random
    from `seed`.

    Raises DataError for data that do not fit the network, SpecError for a function without a definition.
    """
    derivation = network if isinstance(network, Derivation) else derive(network)
    directions = {str(node.symbol) for node in derivation.directions}
    chosen = {name: value for name, value in (parameters or {}).items() if name in directions}
    parameters = {name: value for name, value in (parameters or {}).items() if name not in directions}
    given = {str(x.symbol): x.attrs["value"] for x in derivation.graph.inputs if "value" in x.attrs}
    if given:
        _no_data_options(0 if directions else seed, target, rows)
        values = {**given, **(data or {}), **parameters, **chosen}  # type: ignore[dict-item]
        return evaluate(derivation, directed(derivation, values, seed=seed), dtype=dtype)
    if data is None:
        raise DataError("no data are given", instead='name a set ("iris"), a file, or give (X, Y)')
    values, start = feeds(derivation, data, parameters=parameters, seed=seed, target=target, rows=rows)
    trace = evaluate(derivation, directed(derivation, {**values, **chosen}, seed=seed), dtype=dtype)
    return replace(trace, start=start)


def fit(
    network: Network | str,
    data: Source,
    *,
    epochs: int = 10,
    batch: int = 32,
    optimiser: str | Optimiser | LBFGS = "adam",
    rate: float | None = None,
    schedule: str = "constant",
    clip: float | None = None,
    validation: float | Source = 0.0,
    patience: int | None = None,
    least_gain: float = 0.0,
    class_weights: Weights | None = None,
    metrics: str | Sequence[str] = (),
    norms: bool = False,
    start: str | float = USUAL,
    parameters: Mapping[str, ArrayLike] | None = None,
    seed: int = 0,
    shuffle: bool = True,
    dtype: DTypeLike = "float32",
    engine: Kind = "auto",
    threads: int | None = None,
    checkpoint: str | Path | None = None,
    every: int = 1,
    resume: bool = False,
    target: Sequence[str] = (),
    rows: int | None = None,
    told: Callable[[Epoch], None] | None = None,
) -> Trained:
    """Trains a network: the equations of its derivation, step after step.

    data           as in `run`; rows are samples
    epochs, batch  how often it goes through all samples, and how many a step takes
    optimiser      "sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw" or "lbfgs", or one with numbers of its own:
                   ``SGD(0.1, momentum=0.9)``
    rate           the learning rate, in place of the optimiser's usual one
    schedule       how the rate changes: "cosine", "steps(10, 0.1)", "warmup(2)", …
    clip           the largest length of all gradients together
    validation     a share of the samples that is kept apart, or a source of other samples
    patience       stop after so many epochs whose loss (on samples kept apart, where there are some) is not lower by
                   more than `least_gain` than that of the best, and go back to the best
    class_weights  "balanced", or how much the samples of each class count: by label, or in the order of the classes
    metrics        what is told beside the loss: "accuracy", "mae", "r2"
    norms          tell the length of each gradient, too
    start          how weights are drawn ("he_normal", "glorot_uniform", "orthogonal", …), or a number for all
    parameters     values that parameters start with
    dtype          "float32" or "float64"
    engine         "native", "numpy", or "auto" for native code where there is some and it is worth compiling
    threads        how many threads native code runs in, which come to the same numbers; by default as many as can run
                   at once, where a step is large. Products of matrices in NumPy have threads of their own
    checkpoint     a file that the state is saved to after each `every` epochs; with `resume` the training goes on from
                   there, and comes to the same numbers, bit for bit, as one that was never interrupted
    told           a function that is called with what each epoch was like

    Raises DivergedError where a quantity becomes infinite or no number, with its equation; DataError, SpecError and
    BackproofError for what cannot be trained.
    """
    # Here and not above: derivations need none of it.
    from backproof.training.fit import fitted

    whole = _network(network)
    loss = whole.loss_row()
    derivation = derive_graph(whole.graph("rows", weighted=class_weights is not None))
    options = _options(
        optimiser,
        rate,
        epochs=epochs,
        batch=batch,
        schedule=schedule,
        clip=clip,
        shuffle=shuffle,
        seed=seed,
        patience=patience,
        least_gain=least_gain,
        dtype=dtype,
        engine=engine,
        threads=threads,
        metrics=tuple(_listed(metrics)),
        norms=norms,
        checkpoint=checkpoint,
        every=every,
        told=told,
    )
    return fitted(
        derivation,
        data,
        options,
        validation=validation,
        parameters=parameters,
        scheme=start,
        class_weights=class_weights,
        middle=0.0 if loss.labels == "-1+1" or loss.row.name.endswith("from_logits") else 0.5,
        resume=resume,
        target=target,
        rows=rows,
    )


def fit_function(
    function: Callable[..., Any],
    data: Mapping[str, ArrayLike],
    parameters: Mapping[str, Any],
    *,
    epochs: int = 10,
    batch: int = 32,
    optimiser: str | Optimiser = "adam",
    rate: float | None = None,
    schedule: str = "constant",
    clip: float | None = None,
    validation: float | Mapping[str, ArrayLike] = 0.0,
    patience: int | None = None,
    least_gain: float = 0.0,
    norms: bool = False,
    seed: int = 0,
    shuffle: bool = True,
    dtype: DTypeLike = "float32",
    engine: Kind = "auto",
    checkpoint: str | Path | None = None,
    every: int = 1,
    resume: bool = False,
    told: Callable[[Epoch], None] | None = None,
) -> TrainedFunction:
    """Trains a NumPy function whose result is the loss: the equations of its derivation, step after step.

    data        by name the arguments that are data; their rows, along the first axis, are samples. Whole numbers stay
                such: tokens, labels
    parameters  by name the arguments that are learned, with what they start with: arrays, or dicts and lists of them

    The other options are as those of `fit`. The function is derived for a batch of the data, and that is taken for all
    of them: one that does something else for other values is refused, as is one that draws random numbers itself.

    Raises TraceError for a function that cannot be followed; the other errors are as those of `fit`.
    """
    from backproof.training.functions import Learner, fitted_function

    options = _options(
        optimiser,
        rate,
        epochs=epochs,
        batch=batch,
        schedule=schedule,
        clip=clip,
        shuffle=shuffle,
        seed=seed,
        patience=patience,
        least_gain=least_gain,
        dtype=dtype,
        engine=engine,
        norms=norms,
        checkpoint=checkpoint,
        every=every,
        told=told,
    )
    if not isinstance(data, Mapping) or not isinstance(parameters, Mapping) or not parameters:
        raise BackproofError(
            "data and parameters are given by name", instead='fit_function(f, {"X": X, "Y": Y}, {"W": W, "b": b})'
        )
    both = set(data) & set(parameters)
    if both:
        raise BackproofError(f"{min(both)} is given as data and as a parameter")
    named = names_of_arrays(function, {**data, **parameters})
    names = [name for name, argument in named.items() if argument in parameters]
    learner = Learner(function, names, lambda arguments: derive(function, arguments, wrt=names), parameters)
    return fitted_function(learner, data, options, validation=validation, resume=resume)


def _options(optimiser: str | Optimiser | LBFGS, rate: float | None, **options: Any) -> Options:
    """The options of a training; what the arguments are, `fit` says."""
    from backproof.training.optimisers import optimiser_named
    from backproof.training.options import Options

    file, clip, dtype = options.get("checkpoint"), options["clip"], options["dtype"]
    options["checkpoint"] = None if file is None else Path(file)
    options["clip"] = float(clip) if isinstance(clip, np.floating) else clip
    # A name that is none is refused where options are read.
    options["dtype"] = dtype if isinstance(dtype, str) else np.dtype(dtype).name
    return Options(optimiser=optimiser_named(optimiser, rate), **options)


def _jacobians(forward: Any, arguments: Mapping[str, Any], names: Sequence[str], *, opened: bool) -> Derivation:
    if not _is_code(forward):
        raise BackproofError("jacobian is for functions", instead="of a network, hessian and hvp are derived")
    program = trace(forward, arguments, names, opened=opened, scalar=False)
    return with_jacobians(program.graph, sources=_sources(program), notes=_notes(program), opened=opened)


def _notes(program: Program) -> tuple[str, ...]:
    """What a reader must know of the code and of its data."""
    return (*program.notes, *kinks(program.graph))


def _sources(program: Program) -> dict[Node, CodeLine]:
    written = {line: CodeLine(str(line), line.text) for line in dict.fromkeys(program.lines.values())}
    return {node: written[line] for node, line in program.lines.items()}


def _listed(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else [*names]


def _is_code(forward: Any) -> TypeGuard[Callable[..., Any]]:
    return callable(forward) and not isinstance(forward, Network)


def _no_data_options(seed: int, target: Sequence[str], rows: int | None) -> None:
    if seed or target or rows is not None:
        raise BackproofError("the arguments of a function are its data", instead="leave out seed, target and rows")


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


@quiet()
def diagnose(
    forward: Any,
    backward: Any = None,
    arguments: Mapping[str, Any] | None = None,
    /,
    *,
    loss: Callable[..., Any] | None = None,
    gradients: Mapping[str, Any] | None = None,
    **named: Any,
) -> Diagnosis:
    """Checks somebody's own backward pass: which statement is the first wrong one, and which mistake is in it.

    forward    a function of arrays in plain NumPy, or a method, that returns the loss, alone or first of several
               results; or an array, where it is a layer, whose backward pass is given the derivative by that
    backward   a function in NumPy that computes the derivatives, in any form; its parameters are arguments, variables
               of the forward pass, or what that returned beside the loss (``cache``)
    loss       the loss, where the forward pass only predicts; its first parameter is the prediction
    gradients  in the place of a backward pass, what one has computed: arrays by the names of the parameters

    In place of two functions one object is enough that has methods of these names: ``diagnose(net, X=X, Y=Y)``. Arrays
    that it holds and its result depends on are its parameters; it is left as it is. Of a function of one array, such as
    ``sigmoid``, the second one is what is claimed to be its derivative: ``diagnose(sigmoid, sigmoid_prime)``.

    Both are run on `arguments` and those given by name, and on others drawn at random. Every value in the backward pass
    is compared with the derivation, entry by entry. Raises TraceError for a forward pass that cannot be followed,
    DataError for a loss that is nan or infinite, BackproofError where it is not known what a function is to be given.
    """
    # Here and not above: SymPy takes long to import, and derivations do without it.
    from backproof.checking.arrays import diagnose_arrays
    from backproof.checking.doctor import diagnose as diagnose_subject
    from backproof.checking.precision import as_precise_as, in_double
    from backproof.checking.remarks import diagnosed
    from backproof.checking.subjects.choosing import subject_of
    from backproof.checking.subjects.elementwise import Claim

    if isinstance(backward, Mapping) and arguments is None:
        backward, arguments = None, backward
    code = [forward] if backward is None else [forward, backward]
    subject = subject_of(code, {**(arguments or {}), **named}, loss, predicts_only=gradients is not None)
    given = in_double(subject.arguments)
    usual = trace(subject.scalar, given).graph
    leaves = {str(x.symbol): x for x in usual.inputs if str(x.symbol) not in subject.upstream}
    numbers = [n for n, x in leaves.items() if x.attrs["value"].dtype.kind == "f" and not x.attrs.get("outside")]
    wrt = [name for name in numbers if name not in ("Y", "y")] or numbers
    if gradients is not None:
        derivation = derive(subject.scalar, given, wrt=wrt)
        return diagnose_arrays(derivation, run(derivation), given, as_precise_as(subject.arguments, gradients))
    wanted = set(wrt) if subject.upstream else {str(x.symbol) for x in usual.parameters}

    def verdict(values: Mapping[str, Any]) -> Diagnosis:
        return diagnose_subject(
            subject,
            lambda drawn, opened: derive(subject.scalar, drawn, wrt=wrt, opened=opened),
            lambda drawn: trace(subject.scalar, drawn, wrt).graph,
            values,
            wanted,
        )

    return verdict(given) if isinstance(subject, Claim) else diagnosed(verdict, given)


def explain_plan(
    network: Network | str,
    data: Source,
    *,
    epochs: int = 10,
    batch: int = 32,
    optimiser: str | Optimiser = "adam",
    rate: float | None = None,
    clip: float | None = None,
    dtype: DTypeLike = "float32",
    seed: int = 0,
    engine: Kind = "auto",
    threads: int | None = None,
    target: Sequence[str] = (),
    rows: int | None = None,
) -> PlanReport:
    """How a step of a training by `fit` is carried out: what is done in one go, and what each part of it takes.

    The arguments are those of `fit`. Native code is described kernel by kernel (a matrix product with all that is done
    to its entries in the same go is one), NumPy by the quantities that it computes; operations and bytes are counted,
    the time of each part is measured. It says why a network is not run as native code where it is not.

    Raises DataError, SpecError and BackproofError as `fit` does.
    """
    from backproof.training.fit import explained

    step = {"epochs": epochs, "batch": batch, "clip": clip, "seed": seed, "dtype": dtype}
    options = _options(optimiser, rate, engine=engine, threads=threads, **step)
    return explained(derive_graph(_network(network).graph("rows")), data, options, target=target, rows=rows)


def _network(network: Network | str) -> Network:
    whole = load(network) if isinstance(network, str) else network
    if not isinstance(whole, Network):
        raise BackproofError(f"{whole!r} is no network", instead="give a Network or its compact string")
    return whole


def render(
    content: Derivation | Report | Diagnosis | PlanReport,
    format: Format = "markdown",
    *,
    expand: bool = False,
    title: str = "",
    hint: int = 3,
) -> str:
    """A derivation, a report of a check or of a plan, or a diagnosis as text.

    The format is "markdown", "latex", "html", "json", or "text" for a terminal of 100 columns. Of a derivation,
    `expand` adds the entries of every matrix and the proof of every sum. Of a diagnosis, `hint` 1 tells only where a
    mistake is, 2 also of what kind it is, 3 everything. Raises BackproofError for another format or hint.
    """
    _one_of(format, ("markdown", "latex", "html", "json", "text"), "format")
    if isinstance(content, Derivation):
        return rendered(content, format, expand=expand, title=title)
    from backproof.training.plan_report import PlanReport

    if isinstance(content, Report | PlanReport):
        return content.json() if format == "json" else written(content.document(), format)
    from backproof.checking.diagnosis_json import diagnosis_json  # with SymPy, as above
    from backproof.checking.diagnosis_report import document

    return diagnosis_json(content, hint) if format == "json" else written(document(content, hint), format)


def export(network: Network | Derivation | str, to: str = "numpy") -> str:
    """The forward and the backward pass as the source of a program that needs Backproof no more.

    The program defines ``value_and_gradients``, a function of all inputs; it returns J and a dictionary of the
    gradients by name, in JavaScript an object ``{ value, gradients }``, whose arrays are ``{ shape, data }``.
    Quantities have the names of the derivation, without brackets: W[1] is W1, dZ[2] is dZ2. Arrays that a followed
    function makes itself stand in the program if they are small; larger ones are arguments.

    Raises BackproofError for another language than "numpy" and "javascript", SpecError for a function without a
    definition and for what JavaScript lacks: complex numbers, eigenvectors, rare functions.
    """
    return exported(network if isinstance(network, Derivation) else derive(network), to)


def _one_of(value: str, choices: Sequence[str], what: str) -> None:
    if value not in choices:
        raise BackproofError(f"unknown {what} {value!r}", instead=f"choose from {', '.join(choices)}")
