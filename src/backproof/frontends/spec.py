"""A network from the command line: a compact string, a TOML file, or ``file.py:object``."""

from __future__ import annotations

import re
import runpy
import sys
import tokenize
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from backproof.frontends.network import Dense, Network
from backproof.frontends.notebook import FAILED, run_notebook
from backproof.ir.errors import SpecError
from backproof.ir.usual import BACKWARD, FORWARD, LOSS, is_network

FORMS = 'a spec is "4-8:tanh-3:softmax", a file net.toml, or file.py:name of a network or a function'
MODULE = r"\.(?:py|ipynb)"
"""How a file is called that defines something: a notebook is a module, too."""


def read_spec(text: str, *, loss: str | None = None, l1: float | None = None, l2: float | None = None) -> Network:
    """The network that `text` describes, as `read_forward` reads it. Raises SpecError, also for a function."""
    found = read_forward(text, loss=loss, l1=l1, l2=l2)
    if not isinstance(found, Network):
        raise SpecError(f"{text} is a function, and a network is wanted here")
    return found


def read_forward(
    text: str, *, loss: str | None = None, l1: float | None = None, l2: float | None = None
) -> Network | Callable[..., Any]:
    """The network or the function that `text` names; `loss`, `l1` and `l2` replace those of a network in a file.

    A compact string has the sizes joined by ``-``, each layer's with its activation behind a colon:
    ``3-4:tanh-3:sigmoid``. A size is a number or a name, an activation a name, a name with a number
    (``leaky_relu(0.2)``) or an expression in brackets (``(z*sigmoid(z))``). Raises SpecError.
    """
    network: Network | Callable[..., Any]
    if text.endswith(".toml"):
        network = _from_toml(Path(text))
    elif match := re.fullmatch(rf"(.+{MODULE}):([A-Za-z_]\w*)", text):
        network = _from_python(Path(match.group(1)), match.group(2))
    elif re.search(rf"{MODULE}$", text):
        raise SpecError(f"{text} does not say which network or function of the file", instead=f"write {text}:name")
    else:
        network = _from_string(text)
    changes = {name: value for name, value in {"loss": loss, "l1": l1, "l2": l2}.items() if value is not None}
    if isinstance(network, Network):
        return replace(network, **changes)  # type: ignore[arg-type]
    if changes:
        raise SpecError(f"{text} is a function, which has its own loss", instead=f"leave out {', '.join(changes)}")
    return network


@dataclass(frozen=True)
class Passes:
    """Somebody's own passes: the forward pass, the loss where that only predicts, and the backward pass.

    Where one object has both, or a class, it stands for the forward pass, and there is no backward pass beside it.
    """

    forward: Any
    loss: Callable[..., Any] | None
    backward: Callable[..., Any] | None


def read_passes(text: str, *, alone: bool = False) -> Passes | None:
    """The passes that ``file.py:forward,backward``, ``file.py:forward,loss,backward`` or ``file.py`` names.

    One name, ``file.py:Net``, is that of an object or a class with both methods; a name behind that is the loss's. The
    file may be a notebook. Without names, functions are found by usual ones, else a class. With `alone` only a forward
    pass is named, or one and a loss. None where the text names something else. Raises SpecError.
    """
    match = re.fullmatch(rf"(.+{MODULE})(?::([A-Za-z_]\w*(?:,[A-Za-z_]\w*){{0,2}}))?", text)
    if match is None:
        return None
    return passes_among(_run(Path(match[1])), match[2].split(",") if match[2] else [], match[1], alone=alone)


def passes_among(names: Mapping[str, Any], wanted: Sequence[str], file: str, *, alone: bool = False) -> Passes | None:
    """The passes of these names, or without any those of usual ones, among all that is defined in a file."""
    wanted = wanted or _usual(names, file)
    for name in wanted:
        if name not in names and (len(wanted) > 1 or alone):
            why = "; ".join(names.get(FAILED, ()))
            raise SpecError(f"{file} has no function {name!r}", why=why, instead="name them: file.py:forward,backward")
    found = [names.get(name) for name in wanted]
    if alone or is_network(found[0]):
        return Passes(found[0], found[1] if len(found) > 1 else None, None)
    if len(found) == 1:
        return None
    forward, *loss, backward = found
    return Passes(forward, loss[0] if loss else None, backward)


def read_backward(file: str, name: str = "") -> Callable[..., Any]:
    """The backward pass in a file, of that name or of a usual one. Raises SpecError."""
    names = _run(Path(file))
    found = name or next((usual for usual in BACKWARD if callable(names.get(usual))), "backward")
    if not callable(names.get(found)):
        raise SpecError(f"{file} has no function {found!r}", instead="say what the backward pass is called")
    return names[found]  # type: ignore[no-any-return]


def _usual(names: Mapping[str, Any], file: str) -> list[str]:
    """The passes in a file by their usual names: functions, else a class or an object."""
    forward, backward = (next((n for n in usual if callable(names.get(n))), None) for usual in (FORWARD, BACKWARD))
    if forward is not None and backward is not None:
        loss = next((name for name in LOSS if callable(names.get(name)) and name != forward), None)
        return [forward, *([loss] if loss else []), backward]
    network = next((name for name, x in reversed([*names.items()]) if not name.startswith("_") and is_network(x)), None)
    if network is not None:
        return [network]
    raise SpecError(
        f"no forward and backward pass are found in {file}",
        why=f"they are looked for under the names {', '.join(FORWARD[:3])}, … and {', '.join(BACKWARD[:3])}, …",
        instead="name them: file.py:forward,backward",
    )


def _from_string(text: str) -> Network:
    parts = list(_split(text))
    if len(parts) < 2 or not all(part.strip() for _, part in parts):
        raise SpecError(
            f"{text!r} does not describe a network", why="it needs at least an input and a layer", instead=FORMS
        )
    first, *rest = parts
    if ":" in first[1]:
        raise SpecError("the input has no activation", where=f"column {first[0] + 1} of {text!r}", instead=FORMS)
    return Network(_units(first[1], first[0], text), [_layer(part, column, text) for column, part in rest])


def _split(text: str) -> Iterator[tuple[int, str]]:
    """The parts between the dashes that stand outside brackets, each with its place."""
    depth, start = 0, 0
    for k, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "-" and depth == 0:
            yield start, text[start:k]
            start = k + 1
    yield start, text[start:]


def _layer(part: str, column: int, text: str) -> Dense:
    units, colon, activation = part.partition(":")
    if colon and not activation.strip():
        raise SpecError(
            "an activation is missing behind the colon", where=f"column {column + len(units) + 1} of {text!r}"
        )
    return Dense(_units(units, column, text), activation.strip() or None)


def _units(word: str, column: int, text: str) -> int | str:
    word = word.strip()
    if word.isdecimal() and len(word) < 10 and int(word) > 0:
        return int(word)
    if word.isidentifier():
        return word
    raise SpecError(f"{word!r} is not a number of nodes", where=f"column {column + 1} of {text!r}", instead=FORMS)


def _from_toml(path: Path) -> Network:
    try:
        content = tomllib.loads(_read(path))
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path} is not a TOML file", why=str(error)) from None
    known = {"inputs", "layers", "loss", "l1", "l2"}
    for key in content:
        if key not in known:
            raise SpecError(f"unknown key {key!r}", where=str(path), instead=f"the keys are {', '.join(sorted(known))}")
    for key in ("inputs", "layers"):
        if key not in content:
            raise SpecError(f"{key!r} is missing", where=str(path))
    layers = content.pop("layers")
    if not isinstance(layers, list) or not all(isinstance(layer, dict) for layer in layers):
        raise SpecError(
            "layers is not a list of tables", where=str(path), instead="write [[layers]] with units and activation"
        )
    return Network(layers=[_toml_layer(layer, k, path) for k, layer in enumerate(layers, 1)], **content)


def _toml_layer(layer: dict[str, Any], number: int, path: Path) -> Dense:
    unknown = set(layer) - {"units", "activation"}
    if unknown or "units" not in layer:
        raise SpecError(
            f"unknown key {min(unknown)!r}" if unknown else "'units' is missing",
            where=f"layer {number} of {path}",
            instead="a layer has units and activation",
        )
    return Dense(**layer)


def _from_python(path: Path, attribute: str) -> Network | Callable[..., Any]:
    """The object of that name in a Python file; the file is run, as Python runs it."""
    names = _run(path)
    if attribute not in names:
        raise SpecError(f"{path} has no {attribute!r}", instead=FORMS)
    found = names[attribute]
    if not isinstance(found, Network) and not callable(found):
        raise SpecError(
            f"{attribute!r} is neither a network nor a function",
            where=str(path),
            why=f"it is a {type(found).__name__}",
            instead="assign a backproof.Network(…) to it, or define a function of arrays",
        )
    return found  # type: ignore[no-any-return]


def _run(path: Path) -> dict[str, Any]:
    """What is defined in a Python file or a notebook, which is run as Python runs it."""
    text = _read(path)  # for its error messages
    return _defined(path, text)


@lru_cache(maxsize=4)
def _defined(path: Path, text: str) -> dict[str, Any]:
    """What is defined in a file of this text. One that is named in a command is run once, however often it is asked."""
    folder = str(path.parent.resolve())
    sys.path.insert(0, folder)
    try:
        return run_notebook(path, text) if path.suffix == ".ipynb" else runpy.run_path(str(path), run_name=path.stem)
    except SpecError:
        raise
    except (Exception, SystemExit) as error:
        raise SpecError(f"{path} cannot be run", why=f"{type(error).__name__}: {error}") from error
    finally:
        if folder in sys.path:
            sys.path.remove(folder)


def _read(path: Path) -> str:
    try:
        if path.suffix == ".py":
            with tokenize.open(path) as file:  # in the encoding that it declares
                return file.read()
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SpecError(f"there is no file {path}", instead=FORMS) from None
    except (OSError, UnicodeDecodeError, SyntaxError) as error:
        raise SpecError(f"{path} cannot be read", why=str(error)) from None
