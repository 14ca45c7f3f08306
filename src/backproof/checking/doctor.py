"""The doctor: which statement of a backward pass is the first wrong one, and which mistake is in it.

The backward pass is run on several draws of its arguments. Each value that a statement leaves behind is compared with
the quantities of the derivation. One that is none of them is judged by what the statement was given: if the right
equation, with those values put in, gives it, then the statement is fine and what went into it was wrong already; if
not, the statement is wrong, and the mistake is the edit of the equation that gives these numbers on every draw.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from backproof.checking.comparing import layouts, same
from backproof.checking.correction import corrected
from backproof.checking.diagnosis import Diagnosis, Finding, Judgement, Returned
from backproof.checking.mistakes import Context, Edited, edited, exchanged, inside, operands
from backproof.checking.naming import base, last_word, plain, spellings
from backproof.checking.recording import Held, Moment, held
from backproof.checking.subject import Played, Subject, redrawn
from backproof.derivation.derivation import Derivation
from backproof.execution.interpret import evaluate
from backproof.execution.trace import Trace, run
from backproof.ir.node import Node, ancestors
from backproof.ir.sizes import Size
from backproof.ops.arithmetic import div, mul
from backproof.ops.leaves import constant_, size_
from backproof.ops.row import Array

Derive = Callable[[Mapping[str, Any]], Derivation]

DRAWS = 3
"""On how many draws of the arguments the backward pass is run: the given ones and others."""
MOST_MISTAKES = 4
"""How many mistakes that give the same numbers are named."""
MOST_FORMS = 12
"""In how many forms an equation is compared, with what stands in it put in or not."""
MOST_PAIRS = 4000
"""How many pairs of mistakes are tried in one equation."""


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """One run of the user's code, and the values of the derivation on the same arguments."""

    played: Played
    truth: Trace


def diagnose(
    subject: Subject, derive: Derive, arguments: Mapping[str, Any], wanted: Collection[str], *, seed: int = 0
) -> Diagnosis:
    """Runs somebody's backward pass and judges each of its statements.

    `derive` gives the derivation of the subject's loss on given arguments. Of the derivatives that the code does not
    compute, those by the quantities in `wanted` are told of.
    """
    rng = np.random.default_rng(seed)
    derivation = derive(arguments)
    draws = [Draw(subject.play(arguments), _truth(derivation, derivation))]
    while len(draws) < DRAWS:
        given = redrawn(arguments, rng)
        draws.append(Draw(subject.play(given), _truth(derivation, derive(given))))
    conventions = [None, *divisors(derivation)]
    doctors = [_Doctor(derivation, draws, factor) for factor in conventions]
    # Where the 1/m stands is a convention: it is the one that finds the least to object to.
    return min(doctors, key=_Doctor.objections).diagnosis(wanted)


def _truth(derivation: Derivation, drawn: Derivation) -> Trace:
    return run(derivation, {str(x.symbol): x.attrs["value"] for x in drawn.graph.inputs})


def divisors(derivation: Derivation) -> list[Node]:
    """What the forward pass divides by that is the same for all entries: the lengths and numbers of its means."""
    (output,) = derivation.graph.outputs
    found = [x.inputs[1] for x in ancestors([output]) if x.op is div and not x.inputs[1].shape]
    return list({_written(x): x for x in found if _is_number(x)}.values())


def _written(number: Node) -> tuple[str, ...]:
    """What a number is made of, the same for the same number written twice."""
    return tuple(f"{x.op.name} {sorted(x.attrs.items())}" for x in ancestors([number]))


def _is_number(node: Node) -> bool:
    return all(x.op in (size_, constant_, mul) for x in ancestors([node]))


@dataclass(frozen=True, slots=True, eq=False)
class _Value:
    """What an expression holds on every draw, which statement gave it, and the quantity that it is meant to be."""

    arrays: tuple[Array, ...]
    moment: Moment
    quantity: str | None


class _Doctor:
    def __init__(self, derivation: Derivation, draws: Sequence[Draw], convention: Node | None) -> None:
        self._derivation, self._draws, self._convention = derivation, draws, convention
        self._factors = [
            1.0 if convention is None else float(evaluate([convention], {}, draw.truth.sizes)[convention])
            for draw in draws
        ]
        self._steps = {str(step.symbol): step for step in derivation.backward}
        self._of_parameters = {str(node.symbol) for node in derivation.gradients.values()}
        self._by_name: dict[str, str] = {}
        for name, step in self._steps.items():
            for spelling in spellings(str(step.of.symbol)):
                self._by_name.setdefault(spelling, name)
        self._held: dict[str, _Value] = {}
        self._claimed: set[str] = set()
        self._not_divided: dict[str, tuple[Sequence[Moment], str, tuple[Array, ...]]] = {}
        self._findings: list[Finding] = []
        self._unexplained: dict[Finding, tuple[_Trial, list[Node]]] = {}
        self._parameters = self._judge_all()

    def objections(self) -> tuple[int, int]:
        """How many statements are wrong in themselves, and how many give something that is not right."""
        judgements = [finding.judgement for finding in self._findings]
        return judgements.count("wrong"), len(judgements) - judgements.count("right")

    def diagnosis(self, wanted: Collection[str]) -> Diagnosis:
        """What was found, and for all that is wrong the mistakes."""
        returned = {name: word for name, word in self._parameters.items() if word != "missing" or name in wanted}
        findings = [
            replace(finding, mistakes=tuple(self._mistakes(finding, *self._unexplained[finding])))
            if finding in self._unexplained
            else finding
            for finding in self._findings
        ]
        return Diagnosis(self._derivation, tuple(findings), returned, self._convention)

    def _judge_all(self) -> dict[str, Returned]:
        """Judges every statement, and what came back in the end."""
        runs = list(self._aligned())
        order = {moments[0]: k for k, moments in enumerate(runs)}
        unfinished = _unfinished([moments[0] for moments in runs])
        for moments in runs:
            self._learn(moments)
            for k, write in enumerate(moments[0].writes):
                found = [m.writes[k] for m in moments if k < len(m.writes) and m.writes[k].text == write.text]
                if len(found) == len(moments) and write not in unfinished:
                    self._judge(moments, write.text, tuple(x.value for x in found))
        returned = dict(self._returned())
        for quantity, (statements, text, arrays) in self._not_divided.items():
            name = str(self._steps[quantity].of.symbol)
            divided = returned.get(name) == "right"
            if not divided:
                returned[name] = "wrong"
            self._note(statements, text, arrays, quantity, "right" if divided else "wrong")
        if all(word in ("right", "missing") for word in returned.values()):
            # What was only guessed to be a derivative of its own is none, where all that comes of it is right.
            self._findings = [f for f in self._findings if f.judgement == "right"]
        self._findings.sort(key=lambda finding: order[finding.moment])
        return returned

    def _aligned(self) -> Iterator[tuple[Moment, ...]]:
        """The statements that ran on every draw, each with its counterparts."""
        others = [{(m.file, m.number, m.visit, m.source): m for m in draw.played.moments} for draw in self._draws[1:]]
        for moment in self._draws[0].played.moments:
            key = moment.file, moment.number, moment.visit, moment.source
            if all(key in other for other in others):
                yield moment, *(other[key] for other in others)

    def _learn(self, moments: Sequence[Moment]) -> None:
        """Tells what a statement reads that no statement before it wrote."""
        for k, read in enumerate(moments[0].reads):
            if read.text not in self._held:
                arrays = tuple(m.reads[k].value for m in moments if k < len(m.reads))
                if len(arrays) == len(moments):
                    self._held[read.text] = _Value(arrays, moments[0], self._recognised(arrays, read.text))

    # --- what a value is

    def _judge(self, moments: Sequence[Moment], text: str, arrays: tuple[Array, ...]) -> None:
        quantity = self._recognised(arrays, text)
        judgement: Judgement = "right"
        if quantity is None and (sum_of := self._undivided(arrays, text)) is not None:
            # Sums over the samples may be divided by their number where they are returned.
            self._not_divided[sum_of] = moments, text, arrays
            return
        if quantity is None and moments[0].source:  # what is handed in is judged where it was made
            quantity = self._meant(text, moments, arrays)
            if quantity is not None:
                judgement = "inherited" if self._follows(quantity, moments, arrays) else "wrong"
        if quantity in self._steps and moments[0].source:
            self._claimed.add(quantity)
            self._note(moments, text, arrays, quantity, judgement)
        self._held[text] = _Value(arrays, moments[0], quantity)

    def _note(
        self, moments: Sequence[Moment], text: str, arrays: tuple[Array, ...], quantity: str, judgement: Judgement
    ) -> None:
        """Writes down what a value turned out to be; of a wrong one also the right line."""
        correction = self._correction(quantity, moments, text) if judgement == "wrong" else None
        right = self._scale(quantity, 0) * self._true(quantity, 0)
        step = self._steps[quantity]
        finding = Finding(moments[0], text, step, judgement, arrays[0], right, (), correction)
        self._findings.append(finding)
        if judgement == "wrong":
            self._unexplained[finding] = _Trial(self, moments, arrays), self._forms(quantity)

    def _recognised(self, arrays: tuple[Array, ...], text: str) -> str | None:
        """The quantity that these values are on every draw; the one that the name says, if it says one."""
        wanted = self._by_name.get(plain(last_word(text)))
        alike = self._sized.get(arrays[0].size, [])
        if wanted is not None:
            # What dA is changed to in place is often still called dA.
            node = self._steps[wanted].node
            alike = [wanted, *(n for n in alike if n in self._steps and node in operands(self._steps[n].raw))]
        for name in alike:
            if all(same(array, self._scale(name, k) * self._true(name, k)) for k, array in enumerate(arrays)):
                return name
        return None

    def _undivided(self, arrays: tuple[Array, ...], text: str) -> str | None:
        """The derivative by a parameter that these values are, but for the factor of the convention."""
        wanted = self._by_name.get(plain(last_word(text)))
        if self._convention is None or wanted not in self._of_parameters:
            return None
        right = (same(a, self._factors[k] * self._true(wanted, k)) for k, a in enumerate(arrays))
        return wanted if all(right) else None

    @cached_property
    def _sized(self) -> dict[int, list[str]]:
        """The quantities with as many entries; single numbers are recognised by their names only."""
        found: dict[int, list[str]] = {}
        for name in self._derivation.quantities:
            size = self._true(name, 0).size
            if size > 1:
                found.setdefault(size, []).append(name)
        return found

    def _scale(self, name: str, draw: int) -> float:
        """What the convention makes a quantity a multiple by."""
        return self._factors[draw] if name in self._steps and name not in self._of_parameters else 1.0

    def _true(self, name: str, draw: int) -> Array:
        return np.asarray(self._draws[draw].truth[name])

    def _meant(self, text: str, moments: Sequence[Moment], arrays: tuple[Array, ...]) -> str | None:
        """The derivative that a value is meant to be: by its name, or by its letters and the order of the layers."""
        named = self._by_name.get(plain(last_word(text)))
        if named is not None:
            return named
        letters = base(last_word(text))
        left = [name for name in self._steps if name not in self._claimed]
        alike = [name for name in left if letters in map(base, spellings(str(self._steps[name].of.symbol)))]
        if not alike and not text.isidentifier():
            # A value that is returned as it is computed: the derivative by a parameter of its size.
            size = arrays[0].size
            alike = [name for name in left if name in self._of_parameters and self._true(name, 0).size == size]
        found = next((name for name in alike if self._follows(name, moments, arrays)), next(iter(alike), None))
        return self._guessed(moments, left, arrays) if found is None else found

    def _guessed(self, moments: Sequence[Moment], left: Sequence[str], arrays: tuple[Array, ...]) -> str | None:
        """What a value without a telling name can only be: a derivative, right from here or with a known mistake.

        A part of a right equation is no derivative of its own.
        """
        candidates = self._next(moments, left, arrays[0].size)
        if not candidates:
            return None
        tried = _Trial(self, moments, arrays)
        for name in candidates:
            if any(tried.gives(form, scaled=name) for form in self._forms(name)):
                return name
        if any(tried.holds(form) for name in left for form in self._forms(name)):
            return None
        return next((name for name in candidates if self._single_mistakes(name, tried, self._forms(name))), None)

    def _next(self, moments: Sequence[Moment], left: Sequence[str], size: int) -> list[str]:
        """The derivatives of a size that follow from those that a statement reads, the furthest first."""
        read = {self._held[x.text].quantity for x in moments[0].reads if x.text in self._held}
        reached = {self._steps[name].node for name in read if name in self._steps}
        found = []
        for name in left:
            step = self._steps[name]
            if name not in self._of_parameters and not reached.isdisjoint(operands(step.raw)):
                reached.add(step.node)
                if self._true(name, 0).size == size:
                    found.append(name)
        return found[::-1]

    # --- what the right equation gives

    def _inputs(self, moments: Sequence[Moment], draw: int) -> dict[Node, Array]:
        """The values of the forward quantities on a draw, and of the derivatives those that the code holds.

        A derivative that the code does not hold follows from those that it does.
        """
        nodes = self._derivation.quantities
        values = {node: self._true(name, draw) for name, node in nodes.items() if name not in self._steps}
        held = {text: value.arrays[draw] for text, value in self._held.items() if value.quantity is not None}
        # What the statement itself reads comes last, so that it counts where the code holds a quantity twice.
        for text, array in {**held, **{x.text: x.value for x in moments[draw].reads if x.text in held}}.items():
            quantity = self._held[text].quantity
            assert quantity is not None
            form = next(layouts(array, self._true(quantity, draw).shape), None)
            if form is not None:
                values[nodes[quantity]] = form / self._scale(quantity, draw)
        return values

    def _forms(self, quantity: str) -> list[Node]:
        """The right side of a step in all its forms, the simplest first.

        Where the code does not hold a derivative that stands in one, the line may compute it too: it is put in.
        """
        step = self._steps[quantity]
        held = {value.quantity for value in self._held.values()}
        forms = [step.raw, *(rewrite.result for rewrite in step.rewrites)][::-1]
        for form in forms:
            for x in operands(form):
                name = str(x.symbol)
                if name in self._steps and name not in held and len(forms) < MOST_FORMS:
                    inner = self._steps[name]
                    forms += [exchanged(form, x, part) for part in dict.fromkeys([inner.node.named(None), inner.raw])]
        return forms

    def _follows(self, quantity: str, moments: Sequence[Moment], arrays: tuple[Array, ...]) -> bool:
        """Whether one of the right equation's forms gives the values, with what the statement read put in."""
        tried = _Trial(self, moments, arrays)
        return any(tried.gives(form, scaled=quantity) for form in self._forms(quantity))

    def _mistakes(self, finding: Finding, tried: _Trial, forms: Sequence[Node]) -> list[Edited]:
        """The edits of the right equation that give the values on every draw: single ones, else a pair."""
        quantity = str(finding.step.symbol)
        singles = self._single_mistakes(quantity, tried, forms)
        if singles:
            return singles[:MOST_MISTAKES]
        context = self._context(quantity)
        pairs = (
            (first, second)
            for form in forms
            for first in edited(form, context)
            for second in edited(first.node, context, alone=False)
        )
        few = islice(pairs, MOST_PAIRS)
        found = (first.then(second) for first, second in few if tried.gives(second.node, scaled=quantity))
        return [*islice(found, 1)]

    def _single_mistakes(self, quantity: str, tried: _Trial, forms: Sequence[Node]) -> list[Edited]:
        context = self._context(quantity)
        singles: dict[str, Edited] = {}
        for form in forms:
            for edit in edited(form, context):
                # Without what comes from above, the factor that it would have brought along is missing too.
                scaled = [quantity] if edit.mistake != "upstream left out" else [quantity, ""]
                if edit.says not in singles and any(tried.gives(edit.node, scaled=name) for name in scaled):
                    singles[edit.says] = edit
        return list(singles.values())

    def _correction(self, quantity: str, moments: Sequence[Moment], text: str) -> str | None:
        """The right line, written with what the code holds."""
        moment = moments[0]
        written = {x.text: x.written or x.text for x in (*moment.reads, *moment.writes)}
        nodes = self._derivation.quantities
        names: dict[Node, str] = {}
        lengths: dict[Size, str] = {}
        # What the statement reads itself is named as it reads it, all else by the shortest name.
        for name, value in sorted(self._held.items(), key=lambda item: (item[0] not in written, len(item[0]))):
            node = nodes.get(value.quantity or "")
            if node is not None and value.arrays[0].shape == self._true(value.quantity or "", 0).shape:
                names.setdefault(node, written.get(name, name))
                for axis, size in enumerate(node.shape):
                    lengths.setdefault(size, f"{written.get(name, name)}.shape[{axis}]")
        for name, value in self._held.items():  # a number that the code calls m, rather than X.shape[1]
            if value.arrays[0].ndim == 0:
                alike = [size for size in lengths if size.value == value.arrays[0] and size.name == last_word(name)]
                lengths |= dict.fromkeys(alike, name)
        scaled = [
            nodes[name] for name in self._steps if self._convention is not None and name not in self._of_parameters
        ]
        code = corrected(
            self._forms(quantity),
            names,
            [nodes[known.quantity] for x in moment.reads if (known := self._held.get(x.text)) and known.quantity],
            lengths,
            self._convention,
            scaled,
            result_scaled=nodes[quantity] in scaled,
        )
        return None if code is None else f"{written.get(text, text)} = {code}"

    def _context(self, quantity: str) -> Context:
        forward = tuple([*self._derivation.graph.inputs, *(step.node for step in self._derivation.forward)])
        gradients = {step.of: step.node for step in self._derivation.backward}
        return Context(self._steps[quantity].of, forward, gradients, tuple(divisors(self._derivation)))

    # --- what came back

    def _returned(self) -> Iterator[tuple[str, Returned]]:
        parts = [list(held("", draw.played.returned)) for draw in self._draws]
        last = {str(finding.step.symbol): finding.judgement for finding in self._findings}
        for name, node in self._derivation.gradients.items():
            quantity = str(node.symbol)
            computed: Returned = last.get(quantity, "missing")
            is_right = any(
                all(same(part.value, self._true(quantity, k)) for k, part in enumerate(parts_alike))
                for parts_alike in zip(*parts, strict=False)
            )
            yield name, "right" if is_right else "lost" if computed == "right" else computed


def _unfinished(moments: Sequence[Moment]) -> set[Held]:
    """The values that the next statement that has to do with them changes in place: sums that are still added up."""
    found: set[Held] = set()
    next_changes: dict[str, bool] = {}
    for moment in reversed(moments):
        for write in moment.writes:
            if next_changes.get(write.text):
                found.add(write)
        next_changes |= {read.text: False for read in moment.reads}
        next_changes |= {write.text: write.changed for write in moment.writes}
    return found


class _Trial:
    """Candidates for what a statement computes, tried on its values; an equation that was tried is not tried again."""

    def __init__(self, doctor: _Doctor, moments: Sequence[Moment], arrays: tuple[Array, ...]) -> None:
        self._doctor, self._arrays = doctor, arrays
        self._known = [doctor._inputs(moments, draw) for draw in range(len(arrays))]
        self._sizes = [draw.truth.sizes for draw in doctor._draws]

    def gives(self, form: Node, *, scaled: str) -> bool:
        """Whether an equation gives the values on every draw, as a multiple by what a quantity is one by."""
        for draw, array in enumerate(self._arrays):
            known = {x: value for x, value in self._known[draw].items() if x is not form}
            try:
                found = np.asarray(evaluate([form], known, self._sizes[draw])[form])
            except (ValueError, IndexError, TypeError):  # an edited equation of which NumPy makes nothing
                return False
            if not same(array, self._doctor._scale(scaled, draw) * found):
                return False
        return True

    def holds(self, form: Node) -> bool:
        """Whether the values are those of a part of an equation, on the first draw."""
        known = {x: value for x, value in self._known[0].items() if x is not form}
        parts = evaluate([form], known, self._sizes[0])
        factors = {1.0, self._doctor._factors[0]}
        values = [parts[x] for x in inside(form) if x in parts and x.shape]
        return any(same(self._arrays[0], factor * value) for value in values for factor in factors)


