"""The array that a traced function sees: it computes as NumPy does, and writes down what was computed."""

from __future__ import annotations

import inspect
import sys
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from backproof.frontends.tracing.lengths import length
from backproof.frontends.tracing.tape import Tape, doing, refuse
from backproof.ir.node import Node, ancestors
from backproof.ops.complexes import as_complex
from backproof.ops.elementary import not_equal, whole
from backproof.ops.leaves import constant, input_
from backproof.ops.row import Array

Handler = Callable[..., Any]
HANDLERS: dict[Callable[..., Any], Handler] = {}
"""What each NumPy function becomes: ``handler(nodes, *arguments)`` gives a node, or several. `calls` fills it."""


WRITERS: dict[Callable[..., Any], Callable[..., None]] = {}
"""Functions of NumPy that write into their first argument, as writes by an index. `calls_writes` fills it."""


NAMED: dict[str, Handler] = {}
"""The same for functions of SciPy, which is not imported for that, by their names."""


COMPLEX: set[Callable[..., Any]] = set()
"""The functions that are followed also where they are given complex numbers; `calls_complex` fills it."""


class Nodes:
    """What a handler needs: the node that an argument stands for, and its value."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape

    def __call__(self, x: Any) -> Node:
        """The node of an argument: of a traced array its own, of a number or plain array a constant."""
        if type(x) is Node:
            return x
        return x.node if type(x) is Traced else self.tape.node(x)

    @staticmethod
    def value(x: Any) -> Any:
        """The value of an argument."""
        return x.value if isinstance(x, Traced) else x


REAL = np.dtype(float)
WHOLE = "iub"
"""The kinds of numbers that have no derivative: whole numbers and truth values."""


def _holds_complex(x: Any) -> bool:
    if isinstance(x, list | tuple):
        return any(map(_holds_complex, x))
    return bool(np.iscomplexobj(plain(x)))


def _holds_decimals(x: Any) -> bool:
    """Whether something is a traced array of decimal numbers, or a list in which there is one."""
    if isinstance(x, list | tuple):
        return any(map(_holds_decimals, x))
    return type(x) is Traced and x.value.dtype.kind not in WHOLE


REDUCTIONS: dict[Any, Callable[..., Any]] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
}
"""The function that a ufunc's `reduce` is."""


RUNNING_TOTALS: dict[Any, Callable[..., Any]] = {np.add: np.cumsum, np.multiply: np.cumprod}
"""The function that a ufunc's `accumulate` is; `calls_arrays` adds the running extremes."""


def _lost(usually: str) -> str:
    """What turns a traced array into a plain one: the user's expression, where its source is known."""
    expression = doing()
    return f"{f'{expression} does' if expression else f'{usually} do'} that, and the derivative is lost"


def _instead(usually: str) -> str:
    """How to write it instead: a write needs an array whose writes are seen."""
    if doing().startswith("the write to "):
        return "make the array that is written to with np.zeros; one that has values already as np.zeros(n) + values"
    return usually


def holds_traced(x: Any) -> bool:
    """Whether something is a traced array, or a list of such and others."""
    return type(x) is Traced or (isinstance(x, list | tuple) and any(map(holds_traced, x)))


def stacked(x: Any) -> Any:
    """A copy of an array, or of a list of such as one array."""
    if type(x) is Traced:
        return x.copy()
    if holds_traced(x):
        return np.stack([stacked(part) for part in x])
    return np.asarray(x)


def plain(x: Any) -> Any:
    """An argument with traced arrays in it replaced by their values."""
    if type(x) is Traced:
        return x.value
    if isinstance(x, (list, tuple)):  # a union would take longer, and this is asked of every argument
        return type(x)(map(plain, x)) if not hasattr(x, "_fields") else type(x)(*map(plain, x))
    return {key: plain(value) for key, value in x.items()} if isinstance(x, dict) else x


def _same(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    """Whether two parts are one array at one place; for y[a:b] later Pythons make a slice at each use."""
    (array, key), (array_2, key_2) = one, other
    return array is array_2 and (key is key_2 or (type(key) is type(key_2) is slice and key == key_2))


def _in_order(function: Any, options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What a function of NumPy is given by name: its first parameters without their names, and the rest."""
    leading = []
    for name in inspect.signature(function).parameters:
        if name not in options:
            break
        leading.append(name)
    return tuple(options[name] for name in leading), {k: v for k, v in options.items() if k not in leading}


def _takes(handler: Handler, arguments: Sequence[Any], options: dict[str, Any]) -> bool:
    """Whether a handler can be called so."""
    try:
        inspect.signature(handler).bind(None, *arguments, **options)
    except TypeError:
        return False
    return True


class Traced(NDArrayOperatorsMixin):
    """An array with the node that computes it."""

    __slots__ = ("__weakref__", "base", "node", "tape", "value", "views")
    __array_priority__ = 1000

    def __init__(self, tape: Tape, node: Node, value: Array) -> None:
        self.tape, self.node, self.value = tape, node, value
        # The array that this one is a part of by an index, with the index; all arrays with memory in common.
        self.base: tuple[Traced, Any] | None = None
        self.views: list[weakref.ref[Traced]] = [weakref.ref(self)]

    @property  # type: ignore[misc]  # a property where types see an attribute
    def __class__(self) -> type:
        """What `isinstance` is told: code that asks whether it has an array, or a number, must go the way it goes."""
        if self.value.ndim:
            return np.ndarray
        return np.complex128 if self.value.dtype.kind == "c" else np.float64

    def __format__(self, spec: str) -> str:
        # Printing on the way does no harm.
        return format(self.value if self.value.ndim else self.value[()], spec)

    # --- NumPy's protocols

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if list in map(type, inputs):
            inputs = tuple([stacked(x) if type(x) is list and holds_traced(x) else x for x in inputs])
        out = options.pop("out", None)
        if out is not None and type(out[0]) is not Traced:
            raise refuse(
                "a plain array is changed in place by a traced one",
                why="it cannot hold a derivative",
                instead="assign the result instead, y = y + x; to write to parts of y, make it with np.zeros",
            )
        if out is not None and (len(out) != 1 or out[0] is not inputs[0]):
            raise refuse(f"{ufunc.__name__} writes into an array (out=…)", instead="assign the result instead")
        if method == "__call__" and not options:
            result = self._computed(ufunc, inputs, {})
            return result if out is None else out[0]._becomes(result)
        if method == "at" and ufunc is np.add and inputs[0] is self:
            self._adds_at(*inputs[1:])
            return None
        if method == "reduce" and ufunc in REDUCTIONS:
            return REDUCTIONS[ufunc](*inputs, **{"axis": 0, **options})
        if method == "outer" and not options:
            left, right = inputs
            return ufunc(np.expand_dims(left, tuple(range(np.ndim(left), np.ndim(left) + np.ndim(right)))), right)
        if method == "accumulate" and ufunc in RUNNING_TOTALS and set(options) <= {"axis"}:
            return RUNNING_TOTALS[ufunc](inputs[0], axis=options.get("axis", 0))
        raise refuse(f"np.{ufunc.__name__}.{method} with {', '.join(options) or 'these arguments'} is not followed")

    def __array_function__(self, function: Any, types: Any, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
        if function in WRITERS:
            return WRITERS[function](*arguments, **options)
        return self._apply(function, arguments, options)

    def __array__(self, *arguments: Any, **options: Any) -> Array:
        if self._is_whole():
            return self.value
        if self._is_fixed():
            fixed = self.value.view()
            fixed.flags.writeable = False  # a write to it would not be seen
            return fixed
        raise refuse(
            "a traced array is turned into a plain one",
            why=_lost("np.array, np.asarray, and a write into a plain array"),
            instead=_instead("collect values in a list and use np.stack or np.concatenate"),
        )

    def _apply(self, function: Any, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
        """The result of a function of NumPy, which may be a view of an argument."""
        if not arguments:  # np.sum(a=x)
            arguments, options = _in_order(function, options)
        result = self._computed(function, arguments, options)
        for made in result if isinstance(result, list) else [result]:
            for x in arguments:
                if isinstance(x, Traced) and isinstance(made, Traced) and np.may_share_memory(x.value, made.value):
                    x._shares(made)
        return result

    def _computed(self, function: Any, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
        """The result of a function, and the node of it."""
        if self.tape.watch is None:
            return self._followed(function, arguments, options)
        sys.settrace(None)  # no variable of the user's is bound in here, and to look would take most of the time
        try:
            return self._followed(function, arguments, options)
        finally:
            sys.settrace(self.tape.watch)

    def _followed(self, function: Any, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
        handler = HANDLERS.get(function) or NAMED.get(getattr(function, "__name__", ""))
        if handler is None and not any(map(_holds_decimals, (*arguments, *options.values()))):
            self._is_whole()
            return function(*map(plain, arguments), **plain(options))
        if handler is None:
            name = f"{getattr(function, '__module__', '')}.{function.__name__}".replace("numpy.", "np.").lstrip(".")
            raise refuse(f"{name} is not followed", why="it is not in the table of operations")
        value = function(*map(plain, arguments), **plain(options)) if options else function(*map(plain, arguments))
        if self.tape.complex or getattr(value, "dtype", REAL).kind == "c":
            self._with_complex(function, arguments)
        try:
            node = handler(Nodes(self.tape), *arguments, **options)
        except TypeError:
            if _takes(handler, arguments, options):
                raise
            raise refuse(
                f"{function.__name__} with these arguments is not followed",
                why="the table of operations has it with fewer",
                instead="leave out what is not needed, or compute it in steps",
            ) from None
        return self._wrapped(node, value)

    def _with_complex(self, function: Any, arguments: Sequence[Any]) -> None:
        """Refuses what is not followed for complex numbers."""
        self.tape.complex = True
        if function not in COMPLEX and any(map(_holds_complex, arguments)):
            raise refuse(
                f"np.{function.__name__} of complex numbers is not followed",
                why="complex numbers are not ordered, or the table of operations has it for real numbers only",
                instead="use np.abs(z), z.real or z.imag",
            )

    def _wrapped(self, node: Any, value: Any) -> Any:
        if isinstance(node, (list, tuple)):
            parts = [self._wrapped(n, v) for n, v in zip(node, value, strict=True)]
            return type(value)(*parts) if hasattr(value, "_fields") else parts
        if not isinstance(node, Node):
            return value  # a shape, a truth value: nothing that is differentiated
        array = np.asarray(value)
        lengths = tuple([size.value for size in node.shape])
        if lengths != array.shape:
            raise AssertionError(f"{node!r} has shape {lengths}, NumPy gives {array.shape}")
        self.tape.values[node] = array
        return Traced(self.tape, self.tape.made(node), array)

    def _shares(self, other: Traced) -> None:
        """Notes that another array has memory in common with this one."""
        if other.views is not self.views:
            views = [*self._alive(), *other._alive()]
            self.views[:] = map(weakref.ref, views)
            for view in views:
                view.views = self.views

    def _alive(self) -> list[Traced]:
        """The arrays with memory in common with this one that code can still reach."""
        return [view for reference in self.views if (view := reference()) is not None]

    def _holds(self, other: Traced) -> bool:
        """Whether this array is a part of another one, or that array itself."""
        return self is other or (self.base is not None and self.base[0]._holds(other))

    def _is_apart(self, whole: Traced, key: Any) -> bool:
        """Whether this array is a part of another one that has no entry in common with the part at `key`."""
        part = self
        while part.base is not None and part.base[0] is not whole:
            part = part.base[0]
        places = np.arange(whole.value.size).reshape(whole.shape)
        return part.base is not None and not np.intersect1d(places[plain(key)], places[plain(part.base[1])]).size

    def _becomes(self, result: Traced, key: Any = ..., through: tuple[Traced, ...] = ()) -> Traced:
        """What a write does: the same array with other contents, at `key` or everywhere.

        A part of another array writes to that one too; `through` are the parts that a write has come through.
        """
        given = self.node.attrs.get("value") if self.node.op.name == "input" else None
        if given is not None and np.may_share_memory(given, self.value):  # a copy of it may be written to
            raise refuse(
                "an argument of the function is written to",
                why="its value before and after would have the same name",
                instead="assign the result to a new name: y = x + 1",
            )
        if self.base is not None:
            whole, place = self.base
            whole._write(place, result, (*through, self))
        else:
            others = [x for x in self._alive() if x is not self and not any(x is part for part in through)]
            if not all(other._is_apart(self, key) for other in others):
                raise refuse(
                    "an array is written to that shares its entries with another one",
                    why="a slice or a reshaped array is a view: the other one would change too",
                    instead="assign the result to a new name, or take a copy of the slice",
                )
        self.node, self.value = result.node, result.value
        return self

    # --- what an array can be asked

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(map(length, self.node.shape)) if self.tape.axes is not None else self.value.shape

    @property
    def ndim(self) -> int:
        return self.value.ndim

    @property
    def size(self) -> int:
        return self.value.size

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    @property
    def nbytes(self) -> int:
        return self.value.nbytes

    @property
    def itemsize(self) -> int:
        return self.value.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        return self.value.strides

    @property
    def flags(self) -> Any:
        return self.value.flags

    @property
    def flat(self) -> Any:
        return self.flatten()

    @property
    def T(self) -> Any:
        return self._apply(np.transpose, (self,), {})

    @property
    def real(self) -> Any:
        return self._apply(np.real, (self,), {}) if self.value.dtype.kind == "c" else self

    @property
    def imag(self) -> Any:
        return self._apply(np.imag, (self,), {})

    @property
    def mT(self) -> Any:
        return self._apply(np.swapaxes, (self, -1, -2), {})

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        if not self.value.ndim:
            iter(self.value)  # raises NumPy's error
        return (self[k] for k in range(len(self)))

    def __str__(self) -> str:
        return str(self.value if self.value.ndim else self.value[()])

    def __repr__(self) -> str:
        return f"<traced {self.node!r}>"

    def __bool__(self) -> bool:
        decided = bool(self.value)
        if self.node.op.name != "constant":
            self.tape.note(f"a branch depends on values; the derivation is that of the one taken ({decided})")
        return decided

    def _is_whole(self) -> bool:
        """Whether these are whole numbers or truth values, which have no derivative; it is noted that they are used."""
        if self.value.dtype.kind not in WHOLE:
            return False
        self.tape.note("whole numbers are used as they are; the derivation is that for the ones given")
        return True

    def __index__(self) -> int:
        if self.value.dtype.kind not in WHOLE:
            raise refuse("an array of decimal numbers is used as an index")
        self.tape.note("an index depends on values; the derivation is that for the ones given")
        return int(self.value)

    def _is_fixed(self) -> bool:
        """Whether the value is computed from no argument, as that of ``np.zeros(3)``."""
        return all(x.op is not input_ or x.attrs.get("outside") for x in ancestors([self.node]))

    def __float__(self) -> Any:
        if self._is_fixed() or self._is_whole():
            return float(self.value)
        raise refuse(
            "a traced number is turned into a plain one",
            why=_lost("float(), .item(), math.exp and a write into a plain array"),
            instead=_instead("use NumPy's functions on it as it is; collect values in a list and use np.stack"),
        )

    def __int__(self) -> Any:
        return int(self.value) if self._is_whole() else int(self.__float__())

    def __complex__(self) -> Any:
        return complex(self.__float__())

    def __round__(self, digits: int | None = None) -> Any:
        return self._apply(np.round, (self, digits or 0), {})

    def __hash__(self) -> int:
        if self.value.ndim:
            raise TypeError("unhashable type: 'numpy.ndarray'")
        raise refuse(
            "a traced number is a key of a dict, or in a set",
            why="it would be found by its value, which the derivation does not depend on",
            instead="use whole numbers or texts as keys",
        )

    def __contains__(self, item: Any) -> bool:
        return bool((self == item).any())

    def __copy__(self) -> Traced:
        return self.copy()

    def __deepcopy__(self, known: Any) -> Traced:
        return self.copy()

    def item(self, *arguments: Any) -> Any:
        return self.value.item(*arguments) if self._is_fixed() or self._is_whole() else self.__float__()

    def tolist(self) -> Any:
        return self.value.tolist() if self._is_fixed() or self._is_whole() else self.__float__()

    # --- methods of arrays that are functions of NumPy

    def __getitem__(self, key: Any) -> Any:
        if type(key) is list and holds_traced(key):
            key = stacked(key)
        result = self._computed(np.ndarray.__getitem__, (self, key), {})
        if np.may_share_memory(self.value, result.value):
            self._shares(result)
            result.base = (self, key)
        return result

    def __setitem__(self, key: Any, value: Any) -> None:
        # After y[key] += x, Python writes back what the operator has written already.
        if not (isinstance(value, Traced) and value.base is not None and _same(value.base, (self, key))):
            self._write(key, value)

    def _write(self, key: Any, value: Any, through: tuple[Traced, ...] = ()) -> None:
        self._refuse_complex(value)
        array = self.value.astype(np.result_type(self.value, plain(value)))
        array[plain(key)] = plain(value)
        node = HANDLERS[np.ndarray.__setitem__](Nodes(self.tape), self, key, value)
        self._becomes(self._wrapped(node, array), key, through)

    def _adds_at(self, key: Any, value: Any) -> None:
        """np.add.at: where a place is named twice, both values are added."""
        self._refuse_complex(value)
        array = self.value.astype(np.result_type(self.value, plain(value)))
        np.add.at(array, plain(key), plain(value))
        self._becomes(self._wrapped(HANDLERS[np.add.at](Nodes(self.tape), self, key, value), array), key)

    def _refuse_complex(self, value: Any) -> None:
        if self.tape.complex and self.value.dtype.kind != "c" and _holds_complex(value):
            raise refuse(
                "complex numbers are written into an array of real ones",
                why="NumPy does not keep their imaginary part",
                instead="make the array with dtype=complex",
            )

    def astype(self, dtype: Any, **options: Any) -> Traced:
        if np.dtype(dtype).kind == "c":
            self.tape.complex = True
            array = self.value.astype(dtype)
            found: Traced = self._wrapped(self.node if self.value.dtype.kind == "c" else as_complex(self.node), array)
            return found
        if self.value.dtype.kind == "c":
            raise refuse("complex numbers are converted to real ones", instead="use z.real or np.abs(z)")
        node, kind = self.node, self.value.dtype.kind
        match np.dtype(dtype).kind:
            case "f":
                value = self.value.astype(float) if kind in WHOLE else self.value.copy()
            case "b":
                value, node = self.value.astype(dtype), not_equal(node, constant(0))
            case "i" | "u":
                if kind not in WHOLE:
                    self.tape.note("decimal numbers are made whole ones, which have no derivative")
                value, node = self.value.astype(dtype), node if kind in "iu" else whole(node)
            case _:
                raise refuse(f"an array is converted to {np.dtype(dtype)}", why="only numbers can be differentiated")
        converted: Traced = self._wrapped(node, value)
        return converted

    def copy(self, order: str = "C") -> Traced:
        return Traced(self.tape, self.node, self.value.copy())

    def clip(self, min: Any = None, max: Any = None, **options: Any) -> Any:
        return self._apply(np.clip, (self, min, max), options)

    def reshape(self, *shape: Any, order: str = "C") -> Any:
        return self._apply(np.reshape, (self, shape[0] if len(shape) == 1 else shape), {"order": order})

    def transpose(self, *axes: Any) -> Any:
        if not axes:
            return self.T
        return self._apply(np.transpose, (self, axes[0] if len(axes) == 1 else axes), {})

    def sort(self, axis: int = -1, **options: Any) -> None:
        self._becomes(self._apply(np.sort, (self, axis), options))

    def partition(self, kth: Any, axis: int = -1, **options: Any) -> None:
        self._becomes(self._apply(np.partition, (self, kth, axis), options))

    def fill(self, value: Any) -> None:
        self[...] = value

    def flatten(self, order: str = "C") -> Any:
        return self._apply(np.ravel, (self,), {"order": order})

    def __getattr__(self, name: str) -> Any:
        if name in METHODS:
            function = getattr(np, name)
            return lambda *arguments, **options: function(self, *arguments, **options)
        if hasattr(np.ndarray, name) and not name.startswith("__"):
            raise refuse(f"the method .{name} of an array is not followed")
        raise AttributeError(f"an array has no attribute {name!r}")


def _operator(name: str, ufunc: Any, *, turned: bool) -> Callable[[Traced, Any], Any]:
    """An operator that leaves out NumPy's protocol, which takes its time, where both sides are known."""
    by_protocol = getattr(NDArrayOperatorsMixin, name)

    def operator(self: Traced, other: Any) -> Any:
        if type(other) is not Traced and type(other) is not float and type(other) is not int:
            return by_protocol(self, other)
        return self._computed(ufunc, (other, self) if turned else (self, other), {})

    return operator


for _name, _ufunc in {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "truediv": np.divide,
    "matmul": np.matmul,
}.items():
    setattr(Traced, f"__{_name}__", _operator(f"__{_name}__", _ufunc, turned=False))
    setattr(Traced, f"__r{_name}__", _operator(f"__r{_name}__", _ufunc, turned=True))


METHODS = frozenset(
    (
        *(
            "all",
            "any",
            "argmax",
            "argmin",
            "argsort",
            "conj",
            "conjugate",
            "cumprod",
            "cumsum",
            "diagonal",
            "dot",
            "max",
            "mean",
        ),
        *("min", "nonzero", "prod", "ravel", "repeat", "round", "searchsorted", "squeeze", "std", "sum"),
        *("swapaxes", "take", "trace", "var"),
    )
)
"""Methods of arrays that are a function of the same name, whose first argument is the array."""
