"""The commands. Everything but the parsing of arguments is imported when a command runs, so that help is quick."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click
from click.core import ParameterSource

import backproof
from backproof.ir.errors import BackproofError

if TYPE_CHECKING:
    from rich.console import Console

    from backproof.checking.diagnosis import Diagnosis
    from backproof.checking.report import Report
    from backproof.derivation.derivation import Derivation
    from backproof.execution.trace import Trace
    from backproof.frontends.network import Network
    from backproof.write.doc import Document

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

FORMATS = ("text", "markdown", "latex", "html", "json", "svg")
REPORTS = FORMATS[:-1]
SUFFIXES = {".md": "markdown", ".tex": "latex", ".html": "html", ".json": "json", ".svg": "svg", ".txt": "text"}

OF_OWN_PASSES = ("spec", "data", "gradients", "hint", "format_", "output")
"""The options of `check` that a backward pass of one's own has, too."""


class _Group(click.RichGroup):
    """Ctrl-C ends with status 130; click's own 1 is that of a wrong gradient."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("backproof: interrupted", err=True)
            raise SystemExit(130) from None


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(backproof.__version__, prog_name="backproof")
def cli() -> None:
    """Write the forward pass of a neural network; read, run and check its backward pass.

    A SPEC is a compact string (3-4:tanh-3:sigmoid), a TOML file, or file.py:object, where the object is a network or a
    function in plain NumPy.
    """


def network_options(command: F) -> F:
    """The options that describe the network and the form of its derivation."""
    for option in reversed(
        [
            click.argument("spec"),
            click.option("--loss", help="A loss by name, or an expression in a and y. Default: an unspecified L."),
            click.option("--l1", type=float, help="Add L1·Σ|w| to J."),
            click.option("--l2", type=float, help="Add L2/2·Σw² to J."),
            click.option(
                "--mean",
                type=click.Choice(["loss", "parameters"]),
                default="loss",
                show_default=True,
                help="Where the 1/m stands: in dA of the last layer, or (the article) in dW and db.",
            ),
            click.option(
                "--layout",
                type=click.Choice(["columns", "rows"]),
                default="columns",
                show_default=True,
                help="Whether samples are the columns of X (the article) or its rows (PyTorch).",
            ),
            click.option("--dx", is_flag=True, help="Derive dX too."),
            click.option(
                "--wrt",
                multiple=True,
                help="Of a function: an argument to derive by. Default: all arrays but X, Y, x and y.",
            ),
            click.option(
                "--open",
                "opened",
                is_flag=True,
                help="Of a function: a step for each line, not one closed form for softmax, layer normalisation, …",
            ),
            click.option(
                "--hvp",
                multiple=True,
                help="A parameter or argument: differentiate once more by it, to the Hessian times a vector.",
            ),
            click.option("--hessian", multiple=True, help="A parameter or argument: the Hessian by it, as a formula."),
            click.option(
                "--jacobian",
                multiple=True,
                help="Of a function of any result: an argument to differentiate all its entries by, as a formula.",
            ),
        ]
    ):
        command = option(command)
    return command


def data_options(*, required: bool) -> Callable[[F], F]:
    """The options that say what the network is run on."""
    sources = "iris, digits, a CSV, Parquet or NPZ file, or a folder with X.npy and Y.npy; rows are samples."
    needed = "" if required else " Of a backward pass whose annotations tell all sizes it is not needed."
    options = [
        click.option("--data", required=required, help=sources + needed),
        click.option(
            "--target", multiple=True, help="A label column of a table, by heading or number. Default: the last."
        ),
        click.option("--rows", type=click.IntRange(min=1), help="Take only the first ROWS samples."),
        click.option(
            "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="For the starting weights."
        ),
    ]

    def with_options(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return with_options


def step_options(command: F) -> F:
    """The options that say what a step of a training is."""
    options = [
        click.option("--loss", help="A loss by name, or an expression in a and y."),
        click.option("--l1", type=float, help="Add L1·Σ|w| to J."),
        click.option("--l2", type=float, help="Add L2/2·Σw² to J."),
        data_options(required=True),
        click.option(
            "--epochs", type=click.IntRange(min=1), default=10, show_default=True, help="How often through all."
        ),
        click.option("--batch", type=click.IntRange(min=1), default=32, show_default=True, help="Samples a step."),
        click.option("--clip", type=float, help="The largest length of all gradients together."),
        click.option("--dtype", type=click.Choice(["float32", "float64"]), default="float32", show_default=True),
        click.option("--engine", type=click.Choice(["auto", "native", "numpy"]), default="auto", show_default=True),
        click.option("--threads", type=click.IntRange(min=1), help="Of native code. Default: for large steps, all."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def hint_option(command: F) -> F:
    """How much a diagnosis tells."""
    return click.option(
        "--hint",
        type=click.IntRange(1, 3),
        default=3,
        show_default=True,
        help="Of your own backward pass: 1 tells where a mistake is, 2 also of what kind it is, 3 everything.",
    )(command)


@cli.command()
@network_options
@click.option("--data", help="Of a function: an NPZ file with its arguments by name.")
@click.option("--expand", is_flag=True, help="Write out every matrix entry by entry, and prove every sum.")
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), help="Default: text, or what the output's suffix says."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="A file; for svg a folder, one picture an equation."
)
def derive(spec: str, expand: bool, format_: str | None, output: Path | None, **options: Any) -> None:
    """Print the forward and the backward pass, every equation with its reason."""
    chosen = _format(format_, output, FORMATS)
    derivation, title = _derivation(spec, options)
    _only_functions_have_arguments(derivation, options["data"])
    if chosen == "svg":
        _write_pictures(derivation, title, expand, output)
    elif chosen == "text" and output is None:
        from backproof.write.document import document

        _print(document(derivation, title=title, expand=expand))
    else:
        text = backproof.render(derivation, chosen, expand=expand, title=title)  # type: ignore[operator]
        _deliver(text, output)


@cli.command()
@network_options
@click.option("--data", help="Of a function: an NPZ file with its arguments by name.")
@click.option("--to", "language", default="numpy", show_default=True, help="The language: numpy or javascript.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file. Default: print it.")
def export(spec: str, language: str, output: Path | None, **options: Any) -> None:
    """Write the forward and the backward pass as a program that needs Backproof no more."""
    derivation, _ = _derivation(spec, options)
    _only_functions_have_arguments(derivation, options["data"])
    _deliver(backproof.export(derivation, language), output)  # type: ignore[operator]


@cli.command()
@network_options
@data_options(required=True)
@click.option("--entry", "entries", multiple=True, help='Show where an entry comes from: "dW[1][2,1]".')
@click.option(
    "--depth", type=click.IntRange(min=1), default=1, show_default=True, help="How many levels down --entry goes."
)
@click.option("--show", "shown", multiple=True, help='Show the values of a quantity: "dZ[2]".')
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Save every value to an NPZ file.")
def run(
    spec: str, entries: tuple[str, ...], depth: int, shown: tuple[str, ...], output: Path | None, **options: Any
) -> None:
    """Compute every quantity of the forward and the backward pass on data."""
    from backproof.cli.traces import entry_document, table_document, values_document

    if output is not None and output.suffix != ".npz":
        raise BackproofError(f"{output} is not an NPZ file", instead=f"write -o {output.with_suffix('.npz')}")
    trace = _trace(spec, options)
    asked = [_entry(text, trace) for text in entries]
    if not asked and not shown:
        _print(table_document(trace, options["data"]))
        shown = tuple(str(jacobian.symbol) for jacobian in trace.derivation.jacobians)
    for name in shown:
        _print(values_document(trace, name))
    for name, place in asked:
        _print(entry_document(trace, name, place, depth))
    if output is not None:
        from backproof.cli.output import write_arrays

        write_arrays(output, trace)
        click.echo(f"wrote {output}")


@cli.command()
@network_options
@data_options(required=False)
@click.option("--gradients", help="In the place of a backward pass: an NPZ file of gradients, by name.")
@click.option(
    "--method",
    type=click.Choice(["complex", "central"]),
    default="complex",
    show_default=True,
    help="The second opinion: the complex step, or central differences.",
)
@click.option("--tolerance", type=float, help="The relative error allowed. Default: 1e-9 (complex), 1e-6 (central).")
@click.option("--all", "every", is_flag=True, help="Compare every entry on every sample, however long it takes.")
@hint_option
@click.option(
    "--format", "format_", type=click.Choice(REPORTS), help="Default: text, or what the output's suffix says."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file. Default: print it.")
def check(
    spec: str,
    method: str,
    tolerance: float | None,
    every: bool,
    gradients: str | None,
    hint: int,
    format_: str | None,
    output: Path | None,
    **options: Any,
) -> None:
    """Compare every derived gradient, entry by entry, with a numerical derivative of J. Exits 1 if one differs.

    On large data the first samples are taken, and of large gradients entries drawn at random; the report says how many.
    """
    from backproof.api import check as check_trace
    from backproof.frontends.spec import read_passes

    chosen = _format(format_, output, REPORTS)
    found: Report | Diagnosis
    data = options["data"]
    if (passes := read_passes(spec, alone=gradients is not None)) is not None:
        from backproof.api import diagnose
        from backproof.checking.diagnosis_report import document

        _only_for_derived_gradients()
        given = None if gradients is None else _arrays(gradients)
        arguments = {} if data is None else _arrays(data)
        found = diagnose(passes.forward, passes.backward, arguments, loss=passes.loss, gradients=given)
        content = document(found, hint)
    else:
        if data is None:
            raise BackproofError("no data are given", instead="name a set or a file: --data iris, --data FILE")
        trace = _trace(spec, options)
        if not every and options["rows"] is None:
            trace = _affordable(trace, method)
        found = check_trace(trace, method=method, tolerance=tolerance, every=every)  # type: ignore[arg-type]
        content = found.document()
    if chosen == "text" and output is None:
        _print(content)
    else:
        _deliver(backproof.render(found, chosen, hint=hint), output)  # type: ignore[operator]
    if not found.ok:
        raise SystemExit(1)


@cli.command()
@click.argument("spec")
@step_options
@click.option(
    "--optimiser",
    type=click.Choice(["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw", "lbfgs"]),
    default="adam",
    show_default=True,
    help="By what rule parameters change.",
)
@click.option("--rate", type=float, help="The learning rate. Default: the optimiser's usual one.")
@click.option(
    "--schedule", default="constant", show_default=True, help='How the rate changes: "cosine", "steps(10)", …'
)
@click.option("--validation", default="0", show_default=True, help="A share kept apart (0.2), or other data.")
@click.option("--patience", type=click.IntRange(min=1), help="Stop after so many epochs without improvement.")
@click.option("--class-weights", help='"balanced", or as label=weight,label=weight.')
@click.option("--metric", "metrics", multiple=True, help="Told beside the loss: accuracy, mae, r2.")
@click.option("--start", default="lecun_normal", show_default=True, help="How weights are drawn: he_normal, …")
@click.option("--checkpoint", type=click.Path(path_type=Path), help="A safetensors file for the state.")
@click.option("--every", type=click.IntRange(min=1), default=1, show_default=True, help="Epochs a checkpoint.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint, if it is there.")
@click.option("--log", type=click.Path(path_type=Path), help="A CSV file with a line for each epoch.")
@click.option("--tensorboard", type=click.Path(path_type=Path), help="A folder for what TensorBoard shows.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A safetensors file for the parameters.")
def train(spec: str, **options: Any) -> None:
    """Train a network: its derivation's equations, as native code where llvmlite is installed, else in NumPy."""
    from backproof.cli.training import train as run_training

    for name in ("checkpoint", "output"):
        if options[name] is not None and options[name].suffix != ".safetensors":
            raise BackproofError(
                f"{options[name]} is no safetensors file", instead="give it a name that ends in .safetensors"
            )
    run_training(spec, _console(), options)


@cli.command()
@click.argument("spec")
@step_options
@click.option(
    "--optimiser",
    type=click.Choice(["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"]),
    default="adam",
    show_default=True,
    help="By what rule parameters change.",
)
@click.option(
    "--format", "format_", type=click.Choice(REPORTS), help="Default: text, or what the output's suffix says."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file. Default: print it.")
def plan(spec: str, format_: str | None, output: Path | None, **options: Any) -> None:
    """Show how a step of `train` is carried out: what is done in one go, what each part takes, why it is in NumPy."""
    from backproof.api import explain_plan, load

    chosen = _format(format_, output, REPORTS)
    network = load(spec, loss=options.pop("loss"), l1=options.pop("l1"), l2=options.pop("l2"))
    found = explain_plan(network, options.pop("data"), **options)
    if chosen == "text" and output is None:
        _print(found.document())
    else:
        _deliver(backproof.render(found, chosen), output)  # type: ignore[operator]


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--data", help="An NPZ file with the arguments of the passes by name.")
@click.option("--forward", default="", help="The forward pass: its name in the submissions, or file.py:name for all.")
@click.option("--loss", default="", help="The loss, where the forward pass only predicts; likewise.")
@click.option("--backward", default="", help="The name of the backward pass in the submissions. Default: a usual one.")
@click.option("--wrt", multiple=True, help="A parameter whose gradient is wanted. Default: all that have one.")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=60, show_default=True, help="Seconds for each."
)
@click.option(
    "--memory", type=click.IntRange(min=1), default=1024, show_default=True, help="Megabytes for each, where it works."
)
@click.option("--jobs", type=click.IntRange(min=1), help="How many at a time. Default: one for each processor.")
@hint_option
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A CSV file. Default: print it.")
def grade(
    folder: Path,
    data: str | None,
    forward: str,
    loss: str,
    backward: str,
    wrt: tuple[str, ...],
    timeout: float,
    memory: int,
    jobs: int | None,
    hint: int,
    output: Path | None,
) -> None:
    """Check the backward pass in every Python file and notebook of a folder, each in a process of its own; write a CSV.

    A submission that hangs, crashes or takes too much is a row like any other. Exits 1 if one of them is not right, and
    2 without a row if the passes that serve all are not.
    """
    from backproof.frontends.spec import read_forward
    from backproof.grading.grades import Grade, table
    from backproof.grading.grading import graded_all, submissions
    from backproof.grading.reference import check_reference
    from backproof.grading.submission import Task, serves_all

    if data is not None:
        _arrays(data)
    serve_all = [name for name in (forward, loss) if serves_all(name)]
    with contextlib.redirect_stdout(sys.stderr):  # what they print is no part of the table
        for name in serve_all:
            read_forward(name)
    of_all = [Path(name.rpartition(":")[0]) for name in serve_all]
    files = submissions(folder, without=of_all)
    _overwrites_none(output, [*files, *of_all, *([Path(data)] if data is not None else [])])
    task = Task(
        file="",
        shown="",
        forward=_absolute(forward),
        backward=backward,
        loss=_absolute(loss),
        data="" if data is None else str(Path(data).resolve()),
        wanted=wrt,
        hint=hint,
        memory=memory * 2**20,
        result="",
    )
    check_reference(task, timeout=timeout)
    tasks = [replace(task, file=str(path.resolve()), shown=path.relative_to(folder).as_posix()) for path in files]
    grades: dict[int, Grade] = {}
    try:
        coming = graded_all(tasks, timeout=timeout, jobs=jobs or os.cpu_count() or 1)
        for number, found in _progress(coming, len(tasks)):
            grades[number] = found
    finally:  # also after Ctrl-C: what there is
        _deliver(table(grades[number] for number in sorted(grades)), output)
    right = sum(found.verdict == "right" for found in grades.values())
    click.echo(f"right: {right} of {len(grades)}", err=True)
    if right < len(grades):
        raise SystemExit(1)


def _overwrites_none(output: Path | None, inputs: Sequence[Path]) -> None:
    """Raises BackproofError where the result would take the place of what it is made of."""
    if output is not None and output.resolve() in [path.resolve() for path in inputs]:
        raise BackproofError(f"{output} is read, and would be overwritten", instead="name another file: -o grades.csv")


def _progress(steps: Iterable[T], total: int) -> Iterator[T]:
    """The same, with a bar on a terminal that tells how many of them are done."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=total)
        for step in steps:
            progress.advance(bar)
            yield step


def _absolute(name: str) -> str:
    """The function in a file by the file's whole path; a name alone as it is."""
    file, _, function = name.rpartition(":")
    return f"{Path(file).resolve()}:{function}" if file else name


def _affordable(trace: Trace, method: str) -> Trace:
    """The first samples, where all of them would take long."""
    from backproof.checking.gradients import affordable_samples

    samples = affordable_samples(trace, method)  # type: ignore[arg-type]
    if samples >= trace.samples:
        return trace
    click.echo(f"The first {samples} of {trace.samples} samples are used; --all takes every one.", err=True)
    return trace.first(samples)


def _format(named: str | None, output: Path | None, formats: Sequence[str]) -> str:
    """The format that is named, or that of the output's suffix."""
    chosen = named or (SUFFIXES.get(output.suffix.lower()) if output else "text")
    if chosen is None or chosen not in formats:
        suffixes = [suffix for suffix, name in SUFFIXES.items() if name in formats]
        raise BackproofError(
            f"no format is known for {output}",
            instead=f"name it with --format ({', '.join(formats)}) or by a suffix ({', '.join(suffixes)})",
        )
    return chosen


def _derivation(spec: str, options: dict[str, Any]) -> tuple[Derivation, str]:
    from backproof.api import derive as derive_forward
    from backproof.frontends.network import Network
    from backproof.frontends.spec import read_forward

    forward = read_forward(spec, loss=options["loss"], l1=options["l1"], l2=options["l2"])
    if isinstance(forward, Network):
        if options["wrt"]:
            raise BackproofError("--wrt is for functions", instead="of a network, --dx adds the derivative by X")
        if options["opened"]:
            raise BackproofError("--open is for functions")
        derivation = derive_forward(
            forward, mean=options["mean"], layout=options["layout"], inputs=options["dx"], **_second(options)
        )
        return derivation, _title(forward)
    arguments = _arguments(forward, options.get("data"))
    wrt = options["wrt"] or None
    if options["dx"] or options["layout"] != "columns":
        raise BackproofError("--dx and --layout are for networks", instead="of a function, --wrt X adds X")
    name = getattr(forward, "__name__", spec)
    derivation = derive_forward(
        forward, arguments, mean=options["mean"], wrt=wrt, opened=options["opened"], **_second(options)
    )
    return derivation, f"Forward and backward pass of {name}"


def _only_for_derived_gradients() -> None:
    """Raises BackproofError for an option that says nothing to a backward pass of one's own."""
    context = click.get_current_context()
    assert context is not None  # a command is running
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if source is ParameterSource.COMMANDLINE and option.name not in OF_OWN_PASSES:
            raise BackproofError(
                f"{option.opts[0]} is not for a backward pass of your own",
                why="it is compared with the derivation of its own forward pass, as it stands in the code",
                instead="name it: file.py:forward,loss,backward" if option.name == "loss" else "leave it out",
            )


def _second(options: dict[str, Any]) -> dict[str, Any]:
    """What is asked for beyond the gradients."""
    return {key: options[key] for key in ("hvp", "hessian", "jacobian")}


def _only_functions_have_arguments(derivation: Derivation, data: str | None) -> None:
    if data and not derivation.sources:
        raise BackproofError("--data is for functions", instead="backproof run computes a network on data")


def _arguments(function: Callable[..., Any], data: str | None) -> dict[str, Any]:
    """The arguments of a function from an NPZ file; those that it lacks have to have a default."""
    import inspect

    from backproof.checking.subjects.nesting import gathered, nested

    if data is None:
        return {}
    arrays = gathered([function], nested(_arrays(data)))
    parameters = inspect.signature(function).parameters
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    unknown = [] if anything else [name for name in arrays if name not in parameters]
    if unknown:
        name = getattr(function, "__name__", "the function")
        click.echo(f"backproof: {name} does not take {', '.join(unknown)} of {data}", err=True)
    return {name: array for name, array in arrays.items() if name not in unknown}


def _arrays(data: str) -> dict[str, Any]:
    """The arrays of an NPZ file by name."""
    from backproof.execution.reading.files import existing_path, load_npz

    path = existing_path(Path(data))
    if path.suffix != ".npz":
        raise BackproofError(f"{data} is not an NPZ file", instead="save the arguments: numpy.savez(path, W=W, X=X)")
    return load_npz(path)


def _title(network: Network) -> str:
    sizes = [str(size.value or size) for size in network.sizes()]
    if len(sizes) > 8:
        sizes = [*sizes[:3], "…", *sizes[-2:], f"({len(sizes) - 1} layers)"]
    return "Forward and backward pass of the network " + " → ".join(sizes).replace(" → (", " (")


def _trace(spec: str, options: dict[str, Any]) -> Trace:
    from backproof.api import run as run_network

    derivation, _ = _derivation(spec, options)
    chosen = {key: options[key] for key in ("seed", "target", "rows")}
    if derivation.sources:
        return run_network(derivation, None, **chosen)
    return run_network(derivation, options["data"], **chosen)


def _entry(text: str, trace: Trace) -> tuple[str, tuple[int, ...]]:
    """``dW[1][2,1]`` or ``dW1[2,1]`` as the name and the place; a name alone has no place."""
    if text.strip() in trace:
        return text.strip(), ()
    match = re.fullmatch(r"\s*(\w+(?:\[\d+\])?)\s*\[\s*(\d+(?:\s*,\s*\d+)*)\s*\]\s*", text)
    if match is None:
        raise BackproofError(f"{text!r} does not name an entry", instead='write it as "dW[1][2,1]": row 2, column 1')
    return match.group(1), tuple(int(k) for k in match.group(2).split(","))


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _print(content: Document) -> None:
    from backproof.write.terminal import terminal

    terminal(content, _console())


def _deliver(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text, nl=False)
        return
    from backproof.cli.output import write_file

    write_file(output, text)
    click.echo(f"wrote {output}")


def _write_pictures(derivation: Derivation, title: str, expand: bool, output: Path | None) -> None:
    from backproof.cli.output import write_file
    from backproof.write.document import document
    from backproof.write.svg import svgs

    if output is None or output.is_file() or output.suffix.lower() == ".svg":
        raise BackproofError("svg makes one picture an equation", instead="name a folder: --format svg -o pictures")
    pictures = svgs(document(derivation, title=title, expand=expand))
    for name, text in pictures.items():
        write_file(output / name, text)
    click.echo(f"wrote {len(pictures)} pictures to {output}")
