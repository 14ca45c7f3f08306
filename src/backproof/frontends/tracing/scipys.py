"""Functions of SciPy that turn their arguments into plain arrays: while code is followed, NumPy code stands for them.

NumPy's protocols do not reach these functions. Each is replaced wherever a loaded module holds it by its name, so that
code may import the module or the function; given plain arrays it is SciPy's, which is not imported for this.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import ModuleType
from typing import Any

import numpy as np

from backproof.frontends.tracing.tape import RUNNING, is_users_file
from backproof.frontends.tracing.traced import REDUCTIONS, holds_traced, plain


def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    """The logarithm of a sum of exponentials, weighted by `b`, which the largest of them does not let overflow."""
    largest = np.max(a, axis=axis, keepdims=True)
    nothing = np.isneginf(plain(largest))
    if np.any(nothing):
        RUNNING[-1].note("which logarithms are −∞ is taken from the arrays given")
        a, largest = np.where(nothing, 0.0, a), np.where(nothing, 0.0, largest)
    exponentials = np.exp(a - largest)
    total = np.sum(exponentials if b is None else b * exponentials, axis=axis, keepdims=True)
    result = np.log(np.abs(total) if return_sign else total) + largest
    result = np.where(nothing, -np.inf, result) if np.any(nothing) else result
    sign = np.sign(total)
    if not keepdims:
        axes = tuple(range(np.ndim(result))) if axis is None else axis
        result, sign = np.squeeze(result, axis=axes), np.squeeze(sign, axis=axes)
    return (result, sign) if return_sign else result


REDUCTIONS[np.logaddexp] = logsumexp


def softmax(x: Any, axis: Any = None) -> Any:
    """Exponentials divided by their sum."""
    weights = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return weights / np.sum(weights, axis=axis, keepdims=True)


def log_softmax(x: Any, axis: Any = None) -> Any:
    """The logarithm of softmax."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def multigammaln(a: Any, d: int) -> Any:
    """The logarithm of the multivariate gamma function, d(d − 1)/4·log π + Σ log Γ(a − j/2) for j = 0, …, d − 1."""
    from scipy.special import gammaln

    return d * (d - 1) / 4 * np.log(np.pi) + sum(gammaln(a - j / 2) for j in range(d))


def polygamma(n: int, x: Any) -> Any:
    """The derivatives of log Γ, which are operations of the rule table."""
    from scipy.special import polygamma as original

    return x._apply(inspect.unwrap(original), (n, x), {})


def cholesky(a: Any, lower: bool = False, **options: Any) -> Any:
    """The factor of Cholesky, the upper one unless asked otherwise."""
    factor = np.linalg.cholesky(a)
    return factor if lower else factor.T


def cho_factor(a: Any, lower: bool = False, **options: Any) -> tuple[Any, bool]:
    """The factor of Cholesky and which one it is."""
    return cholesky(a, lower), lower


def cho_solve(c_and_lower: tuple[Any, bool], b: Any, **options: Any) -> Any:
    """Equations with the matrix of which a factor of Cholesky is given; the other triangle may hold anything."""
    factor, lower = c_and_lower
    left = np.tril(factor) if lower else np.triu(factor).T
    return np.linalg.solve(left.T, np.linalg.solve(left, b))


def solve_triangular(
    a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False, **options: Any
) -> Any:
    """Equations with a triangle of a matrix, which may be transposed, and whose diagonal may be taken for ones."""
    inside = -1 if lower else 1
    triangle = np.tril if lower else np.triu
    matrix = triangle(a, inside) + np.eye(np.shape(a)[0]) if unit_diagonal else triangle(a)
    return np.linalg.solve(matrix if trans in (0, "N") else matrix.T, b)


FOLLOWED: dict[str, dict[str, Callable[..., Any]]] = {
    "scipy.special": {
        "logsumexp": logsumexp,
        "softmax": softmax,
        "log_softmax": log_softmax,
        "multigammaln": multigammaln,
        "polygamma": polygamma,
    },
    "scipy.linalg": {
        "cholesky": cholesky,
        "cho_factor": cho_factor,
        "cho_solve": cho_solve,
        "solve_triangular": solve_triangular,
        "solve": lambda a, b, **options: np.linalg.solve(a, b),
        "inv": lambda a, **options: np.linalg.inv(a),
        "det": lambda a, **options: np.linalg.det(a),
    },
}
"""What stands for the functions of a module of SciPy."""
NAMES = {name for functions in FOLLOWED.values() for name in functions}


def _either(original: Callable[..., Any], followed: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def function(*arguments: Any, **options: Any) -> Any:
        holds = holds_traced([*arguments, *options.values()])
        return (followed if holds else original)(*arguments, **options)

    return function


_SEEN: dict[int, ModuleType] = {}
_PLACES: list[tuple[dict[str, Any], str]] = []
"""The modules of libraries that have been looked through, and where they hold these functions: they do not change."""


def _places() -> Iterator[tuple[dict[str, Any], str]]:
    """The namespaces of loaded modules that hold something by one of the names, with the name."""
    yield from _PLACES
    for module in [x for x in list(sys.modules.values()) if id(x) not in _SEEN]:
        names = getattr(module, "__dict__", {})
        found = [(names, name) for name in NAMES if name in names]
        file = getattr(module, "__file__", None) or "<frozen>"
        if getattr(module, "__spec__", None) is not None and not is_users_file(file):
            _SEEN[id(module)] = module
            _PLACES.extend(found)
        yield from found


@contextmanager
def replaced(spaces: Iterable[dict[str, Any]] = ()) -> Iterator[None]:
    """While this holds, these functions of SciPy can be followed.

    Beside loaded modules, `spaces` may hold them: a file that is run is no module, and has them by any name.
    """
    instead: dict[int, tuple[Callable[..., Any], Callable[..., Any]]] = {}
    for module, functions in FOLLOWED.items():
        if (loaded := sys.modules.get(module)) is not None:
            originals = {name: getattr(loaded, name) for name in functions}
            instead |= {id(f): (f, _either(f, functions[name])) for name, f in originals.items()}
    held = list(_places()) if instead else []
    changed = [(names, name, names[name]) for names, name in held if id(names.get(name)) in instead]
    changed += [(names, name, x) for names in spaces for name, x in names.items() if id(x) in instead]
    methods = _methods()
    before = [kind.__dict__[name] for kind, name, _ in methods]
    try:
        for names, name, original in changed:
            names[name] = instead[id(original)][1]
        for kind, name, followed in methods:
            setattr(kind, name, followed)
        yield
    finally:
        for names, name, original in changed:
            names[name] = original
        for (kind, name, _), method in zip(methods, before, strict=True):
            setattr(kind, name, method)


def _methods() -> list[tuple[type, str, Callable[..., Any]]]:
    """The methods of the families of scipy.stats that are followed: their class, their name, what stands for them."""
    stats = sys.modules.get("scipy.stats")
    if stats is None:
        return []
    # Here and not above: it needs SciPy, which code that does without it need not wait for.
    from backproof.frontends.tracing.distributions import replacements

    return replacements(stats)
