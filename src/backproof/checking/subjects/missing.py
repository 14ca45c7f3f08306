"""Arguments that nobody gave, drawn where annotations tell their sizes; and such as no function takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from backproof.checking.diagnosis import Remark
from backproof.checking.subjects.calls import RATES, needs, takes, takes_all
from backproof.ir.annotations import axes_of
from backproof.ir.errors import BackproofError

LENGTHS = (4, 5, 3, 6, 8, 9, 11, 13)
"""What axes are long, one after the other: few of them share a factor, and none is the number of samples."""
SAMPLES = {"m": 7, "N": 7, "batch": 7}


def completed(
    forward: Callable[..., Any], others: Iterable[Callable[..., Any] | None], given: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments that were given, and for all others that a forward pass needs arrays drawn at random.

    What other functions need beside that is drawn where its sizes are told. An axis has one length wherever its name
    stands. Raises BackproofError where nothing tells how large an array is.
    """
    rng, arguments = np.random.default_rng(0), dict(given)
    functions = [forward, *(f for f in others if f is not None)]
    axes = {name: words for function in functions for name, words in axes_of(function).items()}
    nowhere = [name for name in needs(forward) if name not in arguments and name not in axes]
    if nowhere:
        raise _unknown(forward, nowhere, given)
    lengths = dict(SAMPLES)
    for name, words in axes.items():
        if name in given and np.ndim(given[name]) == len(words):
            lengths |= zip(words, np.shape(given[name]), strict=True)
    for function in functions:
        for name in needs(function):
            if name in arguments or name not in axes:  # it may come from the forward pass
                continue
            for word in axes[name]:
                free = (n for n in LENGTHS if n not in lengths.values())
                lengths.setdefault(word, int(word) if word.isdigit() else next(free, LENGTHS[0]))
            arguments[name] = rng.normal(size=[lengths[word] for word in axes[name]])
    return arguments


def without_surplus(
    functions: Iterable[Callable[..., Any]], arguments: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[Remark, ...]]:
    """The arguments that one of the functions takes, and a remark about the others.

    The size of a step is of use in any case.
    """
    called = list(functions)
    taken = {name for function in called for name in takes(function)}
    if any(map(takes_all, called)):
        taken |= arguments.keys()
    rates = {name: float(x) for name, x in arguments.items() if name in {*RATES} - taken and np.ndim(x) == 0}
    surplus = [name for name in arguments if name not in {*taken, *rates}]
    remarks: tuple[Remark, ...] = ()
    if surplus:
        is_, them = ("is", "it") if len(surplus) == 1 else ("are", "them")
        text = f"{', '.join(surplus)} {is_} not used: no function has a parameter that is called like {them}."
        remarks = (Remark("comparison", "not used", (text,)),)
    return {name: value for name, value in arguments.items() if name in taken} | rates, remarks


def _unknown(function: Callable[..., Any], names: Sequence[str], given: Iterable[str]) -> BackproofError:
    held = ", ".join(given)
    lacking = f"no {' and no '.join(names)}"
    why = f"the data have {held} and {lacking}" if held else "no data are given, and nothing tells what they could be"
    name, them = names[0], "it" if len(names) == 1 else "them"
    several = "" if len(names) == 1 else ", …"
    return BackproofError(
        f"there is {lacking} to run {function.__name__} on",
        why=why,
        instead=f'give {them}: diagnose(…, {name}=…{several}), or --data FILE.npz with an array "{name}"{several}, or '
        f'with its parts, "{name}.0" or "{name}.W", if it is a list or a dict; or annotate {them} with axes, '
        f'{name}: Float[Array, "n m"], to have {them} drawn at random',
    )
