"""The commands. Everything but the parsing of arguments is imported when a command runs, so that help is quick."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

import backproof
from backproof.ir.errors import BackproofError

if TYPE_CHECKING:
    from rich.console import Console

    from backproof.derivation.derivation import Derivation
    from backproof.execution.trace import Trace
    from backproof.frontends.network import Network
    from backproof.frontends.spec import Passes
    from backproof.write.doc import Document

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("text", "markdown", "latex", "html", "json", "svg")
SUFFIXES = {".md": "markdown", ".tex": "latex", ".html": "html", ".json": "json", ".svg": "svg", ".txt": "text"}


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


def data_options(command: F) -> F:
    """The options that say what the network is run on."""
    for option in reversed(
        [
            click.option("--data", required=True, help="iris, digits, or a CSV or NPZ file; rows are samples."),
            click.option(
                "--target", multiple=True, help="A label column of a CSV, by heading or number. Default: the last."
            ),
            click.option("--rows", type=click.IntRange(min=1), help="Take only the first ROWS samples."),
            click.option(
                "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="For the starting weights."
            ),
        ]
    ):
        command = option(command)
    return command


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
    chosen = format_ or (SUFFIXES.get(output.suffix.lower()) if output else "text")
    if chosen is None:
        raise BackproofError(
            f"no format is known for {output}",
            instead=f"name it with --format ({', '.join(FORMATS)}) or by a suffix ({', '.join(SUFFIXES)})",
        )
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
@click.option("--to", "language", default="numpy", show_default=True, help="The language: numpy.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file. Default: print it.")
def export(spec: str, language: str, output: Path | None, **options: Any) -> None:
    """Write the forward and the backward pass as a program that needs Backproof no more."""
    derivation, _ = _derivation(spec, options)
    _only_functions_have_arguments(derivation, options["data"])
    _deliver(backproof.export(derivation, language), output)  # type: ignore[operator]


@cli.command()
@network_options
@data_options
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
@data_options
@click.option(
    "--method",
    type=click.Choice(["complex", "central"]),
    default="complex",
    show_default=True,
    help="The second opinion: the complex step, or central differences.",
)
@click.option("--tolerance", type=float, help="The relative error allowed. Default: 1e-9 (complex), 1e-6 (central).")
@click.option("--all", "every", is_flag=True, help="Compare every entry on every sample, however long it takes.")
def check(spec: str, method: str, tolerance: float | None, every: bool, **options: Any) -> None:
    """Compare every derived gradient, entry by entry, with a numerical derivative of J. Exits 1 if one differs.

    On large data the first samples are taken, and of large gradients entries drawn at random; the report says how many.
    """
    from backproof.api import check as check_trace
    from backproof.checking.gradients import affordable_samples
    from backproof.frontends.spec import read_passes

    if (passes := read_passes(spec)) is not None:
        _check_passes(passes, options["data"])
        return

    trace = _trace(spec, options)
    few = affordable_samples(trace, method)  # type: ignore[arg-type]
    if not every and options["rows"] is None and few < trace.samples:
        click.echo(f"The first {few} of {trace.samples} samples are used; --all takes every one.")
        trace = trace.first(few)
    report = check_trace(trace, method=method, tolerance=tolerance, every=every)  # type: ignore[arg-type]
    _print(report.document())
    if not report.ok:
        raise SystemExit(1)


def _check_passes(passes: Passes, data: str) -> None:
    """Checks somebody's own backward pass. Exits 1 if a gradient is wrong."""
    from backproof.api import diagnose
    from backproof.checking.diagnosis_report import document

    diagnosis = diagnose(passes.forward, passes.backward, _arrays(data), loss=passes.loss)
    _print(document(diagnosis))
    if not diagnosis.ok:
        raise SystemExit(1)


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


def _second(options: dict[str, Any]) -> dict[str, Any]:
    """What is asked for beyond the gradients."""
    return {key: options[key] for key in ("hvp", "hessian", "jacobian")}


def _only_functions_have_arguments(derivation: Derivation, data: str | None) -> None:
    if data and not derivation.sources:
        raise BackproofError("--data is for functions", instead="backproof run computes a network on data")


def _arguments(function: Callable[..., Any], data: str | None) -> dict[str, Any]:
    """The arguments of a function from an NPZ file; those that it lacks have to have a default."""
    import inspect

    if data is None:
        return {}
    arrays = _arrays(data)
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
