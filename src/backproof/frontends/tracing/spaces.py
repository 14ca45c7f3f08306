"""The names that the user's code finds NumPy by: while it is followed, stand-ins are bound to them.

They are bound in the user's own modules and not in NumPy. A caller that is compiled, as NumPy's random numbers are, has
no frame that would tell it from the user's code around it, and must get a real array; so must other threads.
"""

from __future__ import annotations

import builtins
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.machinery import EXTENSION_SUFFIXES
from threading import RLock
from types import FunctionType, MethodType, ModuleType
from typing import Any

from backproof.frontends.tracing.tape import RUNNING, is_users, is_users_file

Space = dict[str, Any]


class StandIn(ModuleType):
    """A module with some functions replaced."""

    def __init__(self, module: ModuleType, instead: Mapping[str, Any]) -> None:
        super().__init__(module.__name__, module.__doc__)
        self.of, self.instead = module, instead
        self.refresh()

    def refresh(self) -> None:
        """Takes over what the module has by now."""
        vars(self).update({**vars(self.of), **self.instead})

    def __getattr__(self, name: str) -> Any:
        return getattr(self.of, name)


def spaces_of(function: Callable[..., Any]) -> list[Space]:
    """The global names of all code of the user's that is known: of loaded modules, and of a function and what it holds.

    A function that was made by `exec`, as in a notebook's or a page's own space, belongs to no module.
    """
    found = {id(space): space for space in _of_modules()}
    for part in held(function):
        if isinstance(part, FunctionType) and is_users(part.__code__):
            found.setdefault(id(part.__globals__), part.__globals__)
    return list(found.values())


def held(function: Any) -> list[Any]:
    """A function with the functions and values that it is made of or closes over."""
    found: dict[int, Any] = {}
    waiting = [function]
    while waiting:
        part = waiting.pop()
        if id(part) in found:
            continue
        found[id(part)] = part
        if isinstance(part, partial):
            waiting += [part.func, *part.args, *part.keywords.values()]
        elif isinstance(part, MethodType):
            waiting += [part.__func__, part.__self__]
        elif isinstance(part, FunctionType):
            waiting += [inspect.unwrap(part), *_closed_over(part)]
        elif callable(part):  # an object with a method for it
            waiting.append(type(part).__call__)
    return list(found.values())


def _closed_over(function: FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # a variable that has no value yet
            continue


_known: tuple[list[int], list[Space]] = ([], [])


def _of_modules() -> list[Space]:
    global _known
    modules = list(sys.modules.values())
    ids = list(map(id, modules))
    if _known[0] != ids:
        _known = ids, [vars(module) for module in modules if _is_users_module(module)]
    return _known[1]


def _is_users_module(module: Any) -> bool:
    if not isinstance(module, ModuleType):
        return False
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return module.__name__ == "__main__"
    return is_users_file(file) and not file.endswith(tuple(EXTENSION_SUFFIXES))


_NOTHING = object()
_lock = RLock()
_bound: dict[int, tuple[Space, dict[str, tuple[Any, Any]], list[None]]] = {}
"""The spaces that are changed now: for each name the original and what is bound to it, and how often that was asked."""


@contextmanager
def standing_in(
    spaces: list[Space], instead: Mapping[int, Any], imported: Mapping[str, StandIn], added: Mapping[str, Any]
) -> Iterator[None]:
    """While this holds, other values are bound in the spaces to all names of some: `instead` has them by `id`.

    `imported` has what the user's functions get for a module that they import themselves. `added` stand before the
    built-in functions of their names, where a space has none of its own.
    """

    def others(space: Space) -> Space:
        found = {name: instead[id(value)] for name, value in space.items() if id(value) in instead}
        return found | {name: value for name, value in added.items() if name not in space}

    with _lock:
        for stand_in in () if _bound else imported.values():
            stand_in.refresh()
        for space in spaces:
            _bind(space, others)
        _bind(vars(builtins), lambda names: {"__import__": _importing(names["__import__"], imported)})
    try:
        yield
    finally:
        with _lock:
            for space in (*spaces, vars(builtins)):
                _release(space)


def _bind(space: Space, others: Callable[[Space], Space]) -> None:
    if id(space) not in _bound:
        changed = {name: (space.get(name, _NOTHING), other) for name, other in others(space).items()}
        _bound[id(space)] = space, changed, []
        space.update({name: other for name, (_, other) in changed.items()})
    _bound[id(space)][2].append(None)


def _release(space: Space) -> None:
    _, changed, asked = _bound[id(space)]
    asked.pop()
    if asked:
        return
    del _bound[id(space)]
    for name, (original, other) in changed.items():
        if space.get(name) is not other:  # the code has bound another value itself
            continue
        if original is _NOTHING:
            del space[name]
        else:
            space[name] = original


def _importing(original: Callable[..., Any], imported: Mapping[str, StandIn]) -> Callable[..., Any]:
    def __import__(name: str, *arguments: Any, **options: Any) -> Any:
        module = original(name, *arguments, **options)
        code = sys._getframe(1).f_code
        within = code.co_flags & inspect.CO_NEWLOCALS  # a module that is imported only now keeps what it gets
        if RUNNING and within and is_users(code):
            return imported.get(getattr(module, "__name__", ""), module)
        return module

    return __import__
