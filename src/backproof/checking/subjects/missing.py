"""Arguments that nobody gave, drawn where the annotations of the functions tell their sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from backproof.checking.subjects.calls import needs
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
    lengths = dict(SAMPLES)
    for name, words in axes.items():
        if name in given and np.ndim(given[name]) == len(words):
            lengths |= zip(words, np.shape(given[name]), strict=True)
    for function in functions:
        for name in needs(function):
            if name in arguments:
                continue
            if name not in axes and function is not forward:
                continue  # it may come from the forward pass
            if name not in axes:
                raise _unknown(function, name, given)
            for word in axes[name]:
                free = (n for n in LENGTHS if n not in lengths.values())
                lengths.setdefault(word, int(word) if word.isdigit() else next(free, LENGTHS[0]))
            arguments[name] = rng.normal(size=[lengths[word] for word in axes[name]])
    return arguments


def _unknown(function: Callable[..., Any], name: str, given: Iterable[str]) -> BackproofError:
    held = ", ".join(given)
    why = f"the data have {held} and no {name}" if held else "no data are given, and nothing tells what they could be"
    return BackproofError(
        f"there is no {name} to run {function.__name__} on",
        why=why,
        instead=f'give it: diagnose(…, {name}=…), or --data FILE.npz with an array "{name}"; or annotate it with its '
        f'axes, {name}: Float[Array, "n m"], and it is drawn at random',
    )
