"""Random numbers that the user's code draws, as for the mask of a dropout: the same ones in each run."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import numpy as np


@contextmanager
def same_each_time(functions: Iterable[Callable[..., Any]]) -> Iterator[None]:
    """Puts all that random numbers come from back to where it was: runs one after the other draw the same.

    That is NumPy's and Python's own state, and generators among the variables around the functions. Those that objects
    hold are copied with them.
    """
    generators = list({id(x): x for function in functions for x in _generators(function)}.values())
    numpy, python = np.random.get_state(), random.getstate()
    states = [deepcopy(x.bit_generator.state) for x in generators]
    try:
        yield
    finally:
        np.random.set_state(numpy)
        random.setstate(python)
        for generator, state in zip(generators, states, strict=True):
            generator.bit_generator.state = state


def _generators(function: Callable[..., Any]) -> Iterator[np.random.Generator]:
    inner = inspect.unwrap(function)
    inner = getattr(inner, "__func__", inner)
    cells = (cell.cell_contents for cell in getattr(inner, "__closure__", None) or () if cell != type(cell)())
    for value in (*getattr(inner, "__globals__", {}).values(), *cells):
        if isinstance(value, np.random.Generator):
            yield value
