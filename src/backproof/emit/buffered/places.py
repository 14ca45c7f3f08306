"""Where the values of a step lie: what is not read any more leaves its place to what comes next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import isfinite, prod

from backproof.emit.buffered.statements import Held, Operand, Statement
from backproof.emit.regions import Region


@dataclass(slots=True)
class Placed:
    """The lines of a step, and what each does; what `arrays`, `views` and `extra` are, `Program` says."""

    lines: list[str] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)
    arrays: dict[str, tuple[tuple[int, ...], bool]] = field(default_factory=dict)
    views: list[tuple[str, str]] = field(default_factory=list)
    extra: dict[str, object] = field(default_factory=dict)


class Places:
    """The lines of statements, and the arrays that they take.

    data    what each step is given anew
    fixed   what lies at the same place in each step
    after   of what is kept from step to step, what becomes of it
    result  what the step returns
    taken   names that are others' already
    """

    def __init__(
        self,
        statements: Sequence[Statement],
        data: Sequence[Held],
        fixed: Sequence[Held],
        after: Sequence[tuple[Held, Operand]],
        result: Operand,
        taken: Collection[str],
    ) -> None:
        self._data, self._fixed, self._after, self._result = set(data), set(fixed), after, result
        needed = [x for x in (result, *(new for _, new in after)) if isinstance(x, Held)]
        self._statements = _needed(statements, needed)
        self._last: dict[Held, float] = {}
        for number, statement in enumerate(self._statements):
            for x in statement.held:
                self._last |= dict.fromkeys(_roots(x), number)
        for x in needed:
            self._last |= dict.fromkeys(_roots(x), float("inf"))
        self._free: dict[tuple[tuple[int, ...], bool], list[str]] = defaultdict(list)
        self._becomes = {new: old for old, new in after if isinstance(new, Held)}
        self._taken = set(taken)
        self._names = (name for k in count(1) if (name := f"t{k}") not in self._taken)
        self._found = Placed()
        self._steady: set[Held] = set()  # what is the same array in each step

    def placed(self) -> Placed:
        """All lines, each value having its place."""
        self._steady |= self._fixed
        for number, statement in enumerate(self._statements):
            self._found.extra |= statement.extra
            if statement.makes:
                self._make(statement)
            else:
                self._compute(statement, number)
            for root in {root for x in statement.held for root in _roots(x)}:
                self._release(root, number)
        kept = {old for old, _ in self._after}
        moved = [(old, new) for old, new in self._after if _spelled(new) != old.name]
        # What becomes of one may be another, as it was: all are read before any is written over.
        first = {new: next(self._names) for _, new in moved if isinstance(new, Held) and kept & {*_roots(new)}}
        for held, name in first.items():
            self._copy(f"{name} = {held.name}.copy()", held)
        for old, new in moved:
            name = first.get(new, "") if isinstance(new, Held) else ""
            self._copy(f"np.copyto({old.name}, {name or _spelled(new)})", old)
        self._found.lines.append(f"return {_spelled(self._result)}")
        return self._found

    def _make(self, statement: Statement) -> None:
        """A view that stays the same is made once, anything else in each step."""
        out, text = statement.out, _text(statement)
        known = next((name for name, other in self._found.views if other == text), None)
        out.name = known or next(self._names)
        is_view = not statement.extra
        if is_view and all(x in self._steady for x in statement.held):
            self._steady.add(out)
            if known is None:
                self._found.views.append((out.name, text))
        else:
            self._add(f"{out.name} = {text}", statement)

    def _compute(self, statement: Statement, number: int) -> None:
        out = statement.out
        out.name = self._in_state(statement, number) or self._in_place(statement, number) or self._new(out)
        self._steady.add(out)
        self._add(_text(statement), statement)

    def _add(self, line: str, statement: Statement) -> None:
        self._found.lines.append(f"{line}  # {statement.about}" if statement.about else line)
        work, about = statement.operations, (statement.about,) if statement.about else ()
        read = sum(prod(x.shape) for x in statement.held) if work else 0
        self._found.regions.append(Region("NumPy", about, (), work, read, prod(statement.out.shape) if work else 0))

    def _copy(self, line: str, copied: Held) -> None:
        self._found.lines.append(line)
        self._found.regions.append(Region("copy", (copied.name,), (), 0, prod(copied.shape), prod(copied.shape)))

    def _in_state(self, statement: Statement, number: int) -> str:
        """Where the result is what becomes of a kept value that nobody reads any more: its place."""
        old = self._becomes.get(statement.out)
        if old is None or old.shape != statement.out.shape or self._last.get(old, -1) > number:
            return ""
        reads = [x for x in statement.held if old in _roots(x)]
        return old.name if not reads or (statement.in_place and all(x is old for x in reads)) else ""

    def _in_place(self, statement: Statement, number: int) -> str:
        """The place of an operand that nobody reads any more."""
        if not statement.in_place:
            return ""
        out = statement.out
        for x in statement.held:
            roots = _roots(x)
            is_own = roots == [x] and x not in self._data | self._fixed and x.name in self._found.arrays
            alike = (x.shape, x.is_truth) == (out.shape, out.is_truth)
            others = [y for y in statement.held if y is not x and x in _roots(y)]
            if is_own and alike and not others and self._last[x] == number:
                self._last[x] = -1  # its place has another owner
                return x.name
        return ""

    def _new(self, out: Held) -> str:
        key = out.shape, out.is_truth
        if self._free[key]:
            return self._free[key].pop()
        name = next(self._names)
        self._found.arrays[name] = key
        return name

    def _release(self, root: Held, number: int) -> None:
        if self._last.get(root) == number and root.name in self._found.arrays:
            self._free[root.shape, root.is_truth].append(root.name)


def _roots(x: Held) -> list[Held]:
    """The values whose memory one may lie in."""
    return [root for part in x.parts_of for root in _roots(part)] if x.parts_of else [x]


def _needed(statements: Sequence[Statement], outputs: Iterable[Held]) -> list[Statement]:
    """The statements that something depends on."""
    wanted, kept = set(outputs), []
    for statement in reversed(statements):
        if statement.out in wanted:
            kept.append(statement)
            wanted.update(statement.held)
    return kept[::-1]


def _text(statement: Statement) -> str:
    names = map(_spelled, statement.operands)
    return statement.text.format(*names, out=statement.out.name)


def _spelled(x: Operand) -> str:
    """A variable, or a number as code."""
    return x.name if isinstance(x, Held) else repr(x) if isfinite(x) else f"float('{x}')"
