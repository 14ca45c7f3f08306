"""The columns of a table: which are targets, and which are inputs."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from backproof.execution.reading.part import counted, listed
from backproof.ir.errors import DataError


@dataclass(frozen=True)
class Columns:
    """The headings of a table, or words for its columns where it has none."""

    names: tuple[str, ...]
    table: str
    header: bool

    def targets(
        self,
        inputs: int | None,
        outputs: int | None,
        target: Sequence[str],
        *,
        text: bool,
        classification: bool,
        bundled: bool = False,
    ) -> list[int]:
        """The positions of the targets: those named, or as many of the last ones as a network's sizes leave.

        `text` says that the last column holds text, `bundled` that it holds labels. Raises DataError.
        """
        width = len(self.names)
        if target:
            chosen = [self._place(one) for one in target]
            if len(set(chosen)) != len(chosen):
                raise DataError("a target is named twice", where=", ".join(target))
            return chosen
        if bundled:
            count = 1
        elif inputs is not None:
            count = width - inputs
        else:
            count = 1 if text or classification or outputs is None else outputs
        if not 0 < count < width or (inputs is not None and count not in {1, outputs or count}):
            raise self._wrong_width(inputs, outputs)
        return list(range(width - count, width))

    def others(self, chosen: Sequence[int]) -> list[int]:
        """The positions of the inputs. Raises DataError where there are none."""
        rest = [i for i in range(len(self.names)) if i not in set(chosen)]
        if not rest:
            raise DataError("no column is left as an input", where=self.table, why="All of them are named as targets.")
        return rest

    def _wrong_width(self, inputs: int | None, outputs: int | None) -> DataError:
        takes = [counted(inputs, "input")] if inputs is not None else []
        gives = [counted(outputs, "output")] if outputs is not None else []
        return DataError(
            f"the network has {' and '.join(takes + gives)}, {self.table} has {counted(len(self.names), 'column')}",
            where=f"columns {listed(self.names)}",
            why="Every column is an input or a target; a target is a column per output, or one column of labels.",
            instead="Change the network's sizes, or name the target columns.",
        )

    def _place(self, name: str) -> int:
        """The position of a column, by its heading or else by its number from 1."""
        matches = [i for i, column in enumerate(self.names) if column == name and self.header]
        if len(matches) == 1:
            return matches[0]
        if len(matches) > 1:
            raise DataError(
                f"{len(matches)} columns are named {name!r}",
                where=self.table,
                instead=f"Name it by its number: {' or '.join(str(i + 1) for i in matches)}.",
            )
        if name.isdecimal() and 1 <= int(name) <= len(self.names):
            return int(name) - 1
        near = difflib.get_close_matches(name, self.names, n=1) if self.header else []
        numbers = f"Name a heading, or a number from 1 to {len(self.names)}."
        raise DataError(
            f"{self.table} has no column {name!r}",
            where=f"columns {listed(self.names)}",
            instead=f"Did you mean {near[0]!r}?" if near else numbers,
        )
