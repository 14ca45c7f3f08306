"""The runs that a backward pass is judged on: on the arguments given, and on others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from backproof.checking.comparing import same
from backproof.checking.naming import last_word, plain, spellings
from backproof.checking.precision import evenly_precise
from backproof.checking.resizing import resized, same_network
from backproof.checking.subjects.drawing import between, redrawn
from backproof.checking.subjects.subject import Played, Subject
from backproof.checking.truth import Draw
from backproof.derivation.derivation import Derivation
from backproof.execution.interpret import evaluate
from backproof.execution.trace import Trace, of_other_sizes, run
from backproof.ir.errors import BackproofError
from backproof.ir.node import Graph, Node, ancestors
from backproof.ops.shaping import index, replace_

Derive = Callable[[Mapping[str, Any], bool], Derivation]
"""Gives the derivation on some arguments; the flag says that statistics have steps of their own."""
Follow = Callable[[Mapping[str, Any]], Graph]

DRAWS = 3
"""On how many draws of the arguments the backward pass is run: the given ones and others."""
CLOSER = (1.0, 0.3, 0.1, 0.03, 0.01, 0.001)
"""How far from the arguments given others are sought, as shares of the way to ones drawn at random."""
UNFIT = (BackproofError, ArithmeticError, AssertionError, LookupError, TypeError, ValueError)
"""What code raises on arguments that it is not made for."""


class Drawing:
    """The draws for a subject, whose derivation is that on the arguments given."""

    def __init__(
        self, subject: Subject, derive: Derive, follow: Follow, arguments: Mapping[str, Any], rng: np.random.Generator
    ) -> None:
        self._subject, self._derive, self._follow = subject, derive, follow
        self._arguments, self._rng = arguments, rng
        self.derivation = derive(arguments, False)
        played = self._played(arguments)
        self._opened = _opens(played, self.derivation)
        if self._opened:
            self.derivation = derive(arguments, True)
        self._first = Draw(played, self._truth(self.derivation.graph))

    def draws(self) -> list[Draw]:
        """The run on the arguments given, and others as far as there are arguments that they can be made on."""
        found = [self._first]
        if (other := self._of_other_sizes()) is not None:
            found.append(other)
        found += [x for _ in range(DRAWS - len(found)) if (x := self._of_other_values()) is not None]
        return found

    def _played(self, arguments: Mapping[str, Any]) -> Played:
        return evenly_precise(self._subject.play(arguments))

    def _truth(self, followed: Graph) -> Trace:
        return run(self.derivation, {str(x.symbol): x.attrs["value"] for x in followed.inputs})

    def _of_other_values(self) -> Draw | None:
        """A run on other arguments, drawn at random, or as far from those given as it takes to be one of the same kind.

        Code that asks which of two values is larger is another function where the answer is another one.
        """
        return next(filter(None, map(self._on, self._candidates())), None)

    def _candidates(self) -> Iterator[Mapping[str, Any]]:
        other = redrawn(self._arguments, self._rng)
        yield other
        for share in CLOSER:
            yield between(self._arguments, other, share)

    def _on(self, given: Mapping[str, Any]) -> Draw | None:
        """A run on some arguments, if the derivation holds for them and they are as good as those given."""
        try:
            followed = self._follow(given)
            truth = self._truth(followed)
            there = evaluate(followed.outputs, {x: x.attrs["value"] for x in followed.inputs}, truth.sizes)
            same_function = same(there[followed.outputs[0]], truth[str(self.derivation.graph.outputs[0].symbol)])
            return self._fit(Draw(self._played(given), truth)) if same_function else None
        except UNFIT:
            return None

    def _of_other_sizes(self) -> Draw | None:
        """A run on arguments of other sizes, where those given may hide a mistake and the code takes others."""
        other = resized(self._arguments, self.derivation, self._rng)
        if other is None:
            return None
        given = redrawn(other, self._rng)
        try:
            drawn = self._derive(given, self._opened)
            played = self._played(given)
            if played.raised is not None or not same_network(self.derivation, drawn):
                return None
            return self._fit(Draw(played, of_other_sizes(self.derivation, drawn)))
        except UNFIT:
            return None

    def _fit(self, draw: Draw) -> Draw | None:
        """The draw, unless the code may be wrong on it alone.

        That is where it ends with an error, where values are no numbers, and where places repeat that did not: what
        `+=` is right for once is to be added up then.
        """
        first = self._first
        if draw.played.raised is not None and first.played.raised is None:
            return None
        if any(np.isfinite(first.truth[x]).all() and not np.isfinite(draw.truth[x]).all() for x in draw.truth):
            return None
        places = zip(_places(self.derivation, first.truth), _places(self.derivation, draw.truth), strict=True)
        return None if any(_repeat(there) and not _repeat(here) for here, there in places) else draw


def _opens(played: Played, derivation: Derivation) -> bool:
    """Whether code goes statistic by statistic, as by dvar and dmu, through what the derivation takes together."""
    derived = {step.of for step in derivation.backward}
    closed = (str(step.node.symbol) for step in derivation.forward if step.node not in derived)
    names = {spelling for name in closed for spelling in spellings(name)}
    written = {plain(last_word(write.text)) for moment in played.moments for write in moment.writes}
    return len(written & names) > 1  # one of them alone, as dvar, stands in the textbook's formula too


def _places(derivation: Derivation, truth: Trace) -> list[list[np.ndarray]]:
    """The places that the forward pass takes entries from or puts them at."""
    found = [x for x in ancestors(derivation.graph.outputs) if x.op in (index, replace_)]
    arrays = [x.inputs[1 if x.op is index else 2 :] for x in found]
    given: dict[Node, np.ndarray] = {x: np.asarray(truth[str(x.symbol)]) for x in derivation.graph.inputs}
    values = evaluate([y for x in arrays for y in x], given, truth.sizes)
    return [[values[y] for y in x] for x in arrays if x]


def _repeat(places: list[np.ndarray]) -> bool:
    together = np.stack([x.ravel() for x in np.broadcast_arrays(*places)], axis=1)
    return len(np.unique(together, axis=0)) < len(together)
