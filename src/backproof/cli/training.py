"""The command that trains: what it shows while it does, and what it leaves behind."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from backproof.api import fit, load
from backproof.cli.output import write_file
from backproof.execution.parameters import scheme_named
from backproof.ir.errors import BackproofError
from backproof.training.events import Events
from backproof.training.history import Epoch
from backproof.training.trained import Trained

LINES = 10
"""About how many epochs are told of line by line where there is no terminal."""
HANDED_ON = (
    *("epochs", "batch", "optimiser", "rate", "schedule", "clip", "patience", "metrics", "dtype", "engine", "threads"),
    *("checkpoint", "every", "resume", "seed", "target", "rows"),
)


def train(spec: str, console: Console, options: dict[str, Any]) -> None:
    """Trains the network that `spec` describes."""
    network = load(spec, loss=options["loss"], l1=options["l1"], l2=options["l2"])
    log = _Log(options["log"], goes_on=options["resume"])
    events = None if options["tensorboard"] is None else Events(options["tensorboard"])
    progress = _Shown(console, options["epochs"])

    def told(epoch: Epoch) -> None:
        log.add(epoch)
        progress.add(epoch)
        if events is not None:
            events.add(epoch)

    with progress.bar:
        trained = fit(
            network,
            options["data"],
            validation=_number_or_name(options["validation"]),
            class_weights=_weights(options["class_weights"]),
            norms=(options["log"] or options["tensorboard"]) is not None and options["optimiser"] != "lbfgs",
            start=_number_or_name(options["start"]),
            told=told,
            **{name: options[name] for name in HANDED_ON},
        )
    if events is not None:
        events.close()
    console.print(_summary(trained, scheme_named(_number_or_name(options["start"])).about))
    if trained.note:
        console.print(f"In NumPy: {trained.note}.")
    if options["output"] is not None:
        trained.save(options["output"])
        console.print(f"wrote {options['output']}")


class _Shown:
    """The course of a training: a bar on a terminal, else some lines."""

    def __init__(self, console: Console, epochs: int) -> None:
        self._console, self._epochs = console, epochs
        columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
        self.bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self.bar.add_task("", total=epochs)

    def add(self, epoch: Epoch) -> None:
        text = described(epoch)
        self.bar.update(self._task, completed=epoch.number, description=text)
        every = max(1, self._epochs // LINES)
        if not self._console.is_terminal and (epoch.number % every == 0 or epoch.number in (1, self._epochs)):
            self._console.print(f"epoch {epoch.number}: {text}", highlight=False)


class _Log:
    """A table of all epochs in a CSV file, whole after each of them."""

    def __init__(self, path: Path | None, *, goes_on: bool) -> None:
        self._path, self._rows = path, list[dict[str, Any]]()
        if path is not None and goes_on and path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                self._rows = list(csv.DictReader(file))

    def add(self, epoch: Epoch) -> None:
        if self._path is None:
            return
        data = epoch.as_data()
        metrics, norms = data.pop("metrics"), data.pop("norms")
        self._rows = [row for row in self._rows if int(row["number"]) < epoch.number]
        self._rows.append({**data, **metrics, **{f"norm {name}": x for name, x in norms.items()}})
        text = io.StringIO()
        writer = csv.DictWriter(text, self._rows[-1], lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(self._rows)
        write_file(self._path, text.getvalue())


def described(epoch: Epoch) -> str:
    """An epoch in a line."""
    parts = [f"loss {epoch.loss:.4g}"]
    if epoch.validation_loss is not None:
        parts.append(f"validation {epoch.validation_loss:.4g}")
    parts += [f"{name} {value:.4g}" for name, value in epoch.metrics.items()]
    return ", ".join([*parts, f"rate {epoch.rate:.3g}"])


def _summary(trained: Trained, start: str) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    seconds = sum(epoch.seconds for epoch in trained.history)
    stopped = " (it was not getting better)" if trained.is_stopped else ""
    best = "" if trained.epoch == len(trained.history) else f" of epoch {trained.epoch}"
    table.add_row("start", start)
    table.add_row("epochs", f"{len(trained.history)}{stopped}")
    if trained.history:
        table.add_row("result", f"{described(trained.history[trained.epoch - 1])}{best}")
    table.add_row("engine", trained.engine)
    table.add_row("time", f"{seconds:.3g} s")
    return table


def _number_or_name(text: str) -> Any:
    """A number, where a text is one: a share, or what all weights start with."""
    try:
        return float(text)
    except ValueError:
        return text


def _weights(text: str | None) -> Any:
    """``balanced``, or weights by label: ``yes=1,no=3``."""
    if text is None or "=" not in text:
        return text
    try:
        pairs = [part.rsplit("=", 1) for part in text.split(",")]
        return {label.strip(): float(weight) for label, weight in pairs}
    except ValueError:
        raise BackproofError(
            f"{text!r} does not give weights to classes", instead="write label=weight,label=weight, or balanced"
        ) from None
