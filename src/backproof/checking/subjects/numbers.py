"""Plain numbers that are parameters, ``self.b = 0.0``, and such as are not: a rate, a weight of a regularisation.

A number is a parameter where the code computes a derivative by it, or takes a step with it.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np

from backproof.checking.naming import last_word, plain, spellings


def as_arrays(holders: Iterable[Any], words: Collection[str]) -> None:
    """Puts an array of no axis in the place of each number that is a parameter, in dicts and in what they hold.

    `words` are the names of derivatives in the code.
    """
    for holder in holders:
        _put(holder, list(holder.items()), words)


def _put(holder: Any, items: Iterable[tuple[Any, Any]], words: Collection[str], name: str = "") -> None:
    for key, value in items:
        called = key if isinstance(key, str) else name
        if isinstance(value, float | np.floating):  # np.float64 is a float
            if any(spelling in words for spelling in spellings(called)):
                holder[key] = np.array(value)
        elif isinstance(value, dict):
            _put(value, list(value.items()), words, called)
        elif isinstance(value, list):
            _put(value, list(enumerate(value)), words, called)


def derivatives_named(files: Iterable[str], backward: str) -> frozenset[str]:
    """The words in files that may be names of derivatives.

    ``db`` is one also where the code subtracts from b, and where functions of the name of the backward pass return
    ``{"b": …}``.
    """
    return frozenset(word for file in files for word in _words(file, backward))


@lru_cache(maxsize=16)
def _words(file: str, backward: str) -> frozenset[str]:
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except SyntaxError:  # a cell of a notebook with magics
        return frozenset()
    own = [x for x in ast.walk(tree) if isinstance(x, ast.FunctionDef) and x.name == backward]
    returned = (word for function in own for node in ast.walk(function) for word in _returned(node))
    return frozenset(map(plain, chain(returned, *map(_of, ast.walk(tree)))))


def _of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=word) | ast.Attribute(attr=word) | ast.Constant(value=str(word)):
            yield word
        case ast.Subscript():
            yield last_word(ast.unparse(node))
        case ast.AugAssign(target=target, op=ast.Sub()):
            yield f"d{last_word(ast.unparse(target))}"
        case ast.Assign(targets=[target], value=ast.BinOp(left=left, op=ast.Sub())):
            if ast.unparse(target) == ast.unparse(left):
                yield f"d{last_word(ast.unparse(target))}"


def _returned(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Return(value=ast.Dict(keys=keys)):
            yield from (f"d{x.value}" for x in keys if isinstance(x, ast.Constant) and isinstance(x.value, str))
