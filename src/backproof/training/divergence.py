"""Where a training leaves the numbers: the first quantity that is infinite or no number, and in which step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from backproof.derivation.derivation import Derivation
from backproof.emit.step import Step
from backproof.execution.engines import AnyEngine
from backproof.execution.interpret import evaluate
from backproof.ir.errors import BackproofError
from backproof.ir.node import Node
from backproof.ops.row import Array
from backproof.training.samples import batches
from backproof.write.outline import plain
from backproof.write.spell import spell


class DivergedError(BackproofError):
    """A training whose numbers became infinite, or none at all."""


def diverged(
    derivation: Derivation,
    step: Step,
    engine: AnyEngine,
    before: Mapping[str, Array],
    part: Mapping[str, Array],
    samples: int,
    numbers: Array,
    losses: Array,
    taken: int,
) -> DivergedError:
    """The error that tells of it; the steps of the part are taken once more, up to the one where it begins.

    before   the state that the part began with
    taken    how many steps were taken before the part
    """
    data = {node: batches(part[_name(node)], samples) for node in step.data}

    def state_after(count: int) -> Mapping[Node, Array]:
        memory = engine.memory({node: before[_name(node)] for node in step.state})
        laid_out = [engine.laid_out(node, data[node][: max(count, 1)]) for node in step.data]
        engine.run(laid_out, numbers[:count], memory, count)
        return engine.state(memory)

    infinite = np.flatnonzero(~np.isfinite(losses))
    first, last = 0, int(infinite[0]) if infinite.size else len(losses) - 1
    # A parameter that is infinite when a step begins became so in one before, in which the loss may hide it.
    while first < last:
        middle = (first + last + 1) // 2
        if all(np.isfinite(x).all() for x in state_after(middle).values()):
            first = middle
        else:
            last = middle - 1
    state = state_after(last)
    dtype = next(iter(state.values())).dtype
    given = {**{node: data[node][last].astype(dtype) for node in step.data}, **state}
    given |= {node: np.asarray(node.attrs["value"]) for node in step.others}
    given |= dict(zip(step.numbers, numbers[last].astype(dtype), strict=True))
    sizes = {size.name: n for node, x in given.items() for size, n in zip(node.shape, x.shape, strict=True)}
    wanted = [*(s.node for s in derivation.forward), *(s.node for s in derivation.backward), *step.after]
    values = evaluate(wanted, given, sizes)
    where = f"step {taken + last + 1}"
    loss = f"the loss before was {losses[last - 1]:.6g}" if last else ""
    for node in wanted[: -len(step.after)]:
        if not np.isfinite(values[node]).all():
            return _told(
                f"{node.symbol} became {_word(values[node])}", where, f"{node.symbol} = {plain((spell(node),))}; {loss}"
            )
    changed = next((s for s, x in zip(step.state, step.after, strict=True) if not np.isfinite(values[x]).all()), None)
    what = "a parameter" if changed is None else str(changed.symbol)
    return _told(f"{what} became infinite by the update", where, loss)


def _told(what: str, where: str, why: str) -> DivergedError:
    instead = "take a smaller learning rate, clip the gradients, or scale the data"
    return DivergedError(what, where=where, why=why.strip("; "), instead=instead)


def _word(array: Array) -> str:
    """Which of the values that are no numbers an array has, and where the first stands, counted from 1."""
    place = np.argwhere(~np.isfinite(array))[0]
    word = {"inf": "infinite", "-inf": "minus infinite"}.get(str(float(array[tuple(place)])), "nan")
    return f"{word} at {[int(k) + 1 for k in place]}" if len(place) else word


def _name(node: Node) -> str:
    return str(node.symbol)
