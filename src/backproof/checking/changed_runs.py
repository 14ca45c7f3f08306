"""Runs of somebody's code with statements of it changed, and what comes back right from them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack, redirect_stdout
from functools import cached_property
from io import StringIO
from typing import Any

import numpy as np

from backproof.checking.altered import altered
from backproof.checking.changing.surroundings import Line
from backproof.checking.layers import came_right
from backproof.checking.precision import evenly_precise
from backproof.checking.products import Products
from backproof.checking.recording import TooLongError, at_most
from backproof.checking.results import Results
from backproof.checking.rewriting import Rewritten
from backproof.checking.slopes import Slopes
from backproof.checking.subjects.subject import Played, Subject
from backproof.checking.tree import exchanged
from backproof.checking.truth import Draw, Quantity, Truth

MOST_LINES, MORE_LINES = 20_000, 20
"""How many lines changed code may go through that has a `while` in it, beside as many times those of the first run."""
Changed = Mapping[Line, Rewritten]
"""Statements with what stands in their place, by their lines."""


class ChangedRuns:
    """Runs of a subject's code with statements changed.

    `wanted` are the derivatives that have to come back right; where that is not known, all that comes back has to be.
    The `truths` are the same in all conventions. `came_back` has the results of the code as it is.
    """

    def __init__(self, subject: Subject, truths: Sequence[Truth], wanted: Collection[str]) -> None:
        self._subject, self._truths, self._wanted = subject, truths, frozenset(wanted)
        self._truth = truths[0]
        self._functions = subject.functions
        self._most_lines = MORE_LINES * len(self._truth.draws[0].played.moments) + MOST_LINES
        self.came_back = Results(self._truth, self._truth.played)
        self._results = len(self.came_back.derivatives)

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments of the first draw."""
        return self._truth.draws[0].played.arguments

    def right(self, changed: Changed) -> frozenset[str]:
        """What comes back right from code with changes on the first draw."""
        run = self.played(changed, self.arguments)
        return frozenset() if run is None else came_right(self._truth, [run])

    def right_on_all(self, changed: Changed) -> tuple[frozenset[str], bool]:
        """What comes back right on all draws, and whether that is all there is to be."""
        runs = [run for draw in self._truth.draws if (run := self.played(changed, draw.played.arguments)) is not None]
        if len(runs) < len(self._truth.draws):
            return frozenset(), False
        right = came_right(self._truth, runs)
        # What is wanted may have been guessed by a shape: where all that comes back is right, there is no more.
        is_all = bool(self._wanted) and right >= self._wanted
        results = len(Results(self._truth, runs).derivatives)
        return right, is_all or 0 < max(results, self._results) <= len(right)

    def played(self, changed: Changed, arguments: Mapping[str, Any], *, statements: bool = False) -> Played | None:
        """A run of the changed code; None where it is no code, or does not come to its end."""
        by_file: dict[str, dict[ast.stmt, ast.stmt]] = {}
        for new in changed.values():
            statements_ = by_file.setdefault(new.line[0], {})
            for old, other in new.statements.items():
                statements_[old] = _both(old, statements_.get(old, old), other)
        try:
            with ExitStack() as stack, np.errstate(all="ignore"):
                for file, exchanges in by_file.items():
                    stack.enter_context(altered(self._functions, file, exchanges))
                stack.enter_context(redirect_stdout(StringIO()))
                stack.enter_context(at_most(self._most_lines))
                played = evenly_precise(self._subject.play(arguments, statements=statements))
        except (Exception, TooLongError):  # whatever the user's code raises when it is changed
            return None
        return played if played.raised is None else None

    def draws(self, changed: Changed) -> tuple[Draw, ...] | None:
        """Runs on all draws with their statements; None where one of them does not come to its end."""
        runs = [self.played(changed, draw.played.arguments, statements=True) for draw in self._truth.draws]
        found = [Draw(run, x.truth) for run, x in zip(runs, self._truth.draws, strict=True) if run is not None]
        return tuple(found) if len(found) == len(runs) else None

    def counts(self, changed: Changed) -> list[tuple[int, int]]:
        """How many different derivatives there are among the values in the changed code; and how many values are
        derivatives or terms of them and called nothing else, slopes, products on the way, or derivatives by numbers.

        Derivatives count twice, and thrice where they lie as the derivation has them. Those by data that nobody asked
        for are not among the different ones: conventions differ in them. Once for each convention.
        """
        run = self.played(changed, self.arguments, statements=True)
        written = [] if run is None else [x for moment in run.moments for x in moment.writes]
        writes, numbers = [x for x in written if x.value.ndim], [x.value for x in written if not x.value.ndim]
        arrays, counts = [x.value for x in writes], []
        for truth, products in zip(self._truths, self._products, strict=True):
            found = [(x, quantity) for x in arrays for quantity in truth.derivatives_among([x])]
            named = sum(truth.is_derivative(x.value, x.text) for x in writes)
            upright = sum(x.shape == truth.plain(quantity.node, 0).shape for x, quantity in found)
            beside = products.count(truth, arrays) + sum(map(self._slopes.has, arrays))
            beside += sum(map(truth.is_derivative_by_number, numbers))
            different = {quantity for _, quantity in found if not self._is_unasked(truth, quantity)}
            counts.append((len(different), 2 * named + upright + beside))
        return counts

    def derivatives(self, changed: Changed) -> tuple[int, int]:
        """These counts in the convention in which they are the most."""
        return max(self.counts(changed))

    def _is_unasked(self, truth: Truth, quantity: Quantity) -> bool:
        name = truth.parameters.get(quantity.node)
        return bool(self._wanted) and name is not None and name not in self._wanted

    @cached_property
    def _slopes(self) -> Slopes:
        return Slopes(self._truth)

    @cached_property
    def _products(self) -> list[Products]:
        return [Products(truth) for truth in self._truths]


def _both(old: ast.stmt, first: ast.stmt, second: ast.stmt) -> ast.stmt:
    """What stands in a statement's place by two changes, one of which may keep it beside another statement."""
    together = exchanged(second, old, first)
    return exchanged(first, old, second) if together is second else together
