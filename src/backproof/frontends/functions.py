"""Activations and losses by name, with a number in brackets, or as an expression of the user's own."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TypeVar

from backproof.ir.errors import SpecError
from backproof.ops import activations, losses
from backproof.ops.losses import Loss
from backproof.ops.row import Row
from backproof.ops.softmax import log_softmax, softmax

T = TypeVar("T", Row, Loss)

ACTIVATIONS: Mapping[str, Row | Callable[[float], Row]] = {
    row.name: row
    for row in (
        activations.identity,
        activations.sigmoid,
        activations.tanh,
        activations.relu,
        activations.selu,
        activations.gelu,
        activations.gelu_tanh,
        activations.silu,
        activations.softplus,
        activations.softsign,
        activations.mish,
        activations.hardtanh,
        softmax,
        log_softmax,
    )
} | {"leaky_relu": activations.leaky_relu, "elu": activations.elu}

LOSSES: Mapping[str, Loss | Callable[[float], Loss]] = {
    loss.row.name: loss
    for loss in (
        losses.mean_squared_error,
        losses.half_mean_squared_error,
        losses.binary_cross_entropy,
        losses.binary_cross_entropy_from_logits,
        losses.categorical_cross_entropy,
        losses.categorical_cross_entropy_from_logits,
        losses.absolute_error,
        losses.hinge,
        losses.kullback_leibler,
    )
} | {"huber": losses.huber}

ALIASES = {
    "linear": "identity",
    "swish": "silu",
    "mse": "mean_squared_error",
    "bce": "binary_cross_entropy",
    "bce_from_logits": "binary_cross_entropy_from_logits",
    "cce": "categorical_cross_entropy",
    "cce_from_logits": "categorical_cross_entropy_from_logits",
    "mae": "absolute_error",
    "kl": "kullback_leibler",
}

_NAME = re.compile(r"[A-Za-z_]\w*")
_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,2})?)\s*\)")


@lru_cache(maxsize=4096)
def activation_named(text: str | None, *, layer: int) -> Row:
    """The row of an activation; None gives the unspecified g of that layer, an expression in z a row of its own."""
    if text is None:
        return activations.activation(
            f"g[{layer}]", None, "An activation function, unspecified.", letter="g", layer=layer
        )
    known = _known(text, ACTIVATIONS, "activation", "z")
    if known is not None:
        return known
    _parse(text, ("z",))
    return _own(text, "An activation of the user's own.", layer)


def _own(definition: str | None, about: str, layer: int) -> Row:
    return activations.activation(f"g[{layer}]", definition, about, letter="g", layer=layer)


@lru_cache(maxsize=256)
def loss_named(text: str | None) -> Loss:
    """The loss of that name; None gives the unspecified L, an expression in a and y a loss of its own."""
    if text is None:
        return losses.loss("L", None, "A loss function, unspecified.")
    known = _known(text, LOSSES, "loss", "a and y")
    if known is not None:
        return known
    _parse(text, ("a", "y"))
    return losses.loss("L", text, "A loss of the user's own.")


def _known(text: str, table: Mapping[str, T | Callable[..., T]], kind: str, variables: str) -> T | None:
    """The table's entry for a name, or a name with a number; None for what must be an expression."""
    text = text.strip()
    name, bracket, inside = text.partition("(")
    name = ALIASES.get(name, name)
    entry = table.get(name)
    if bracket:
        number = _NUMBER.fullmatch(inside)
        if isinstance(entry, Row | Loss) or entry is None:
            if kind == "loss" and entry is not None and number:
                raise SpecError(f"the loss {name} takes no number", instead=f"write {name!r}")
            return None  # tanh(2*z), say, is an expression
        if not number:
            raise SpecError(f"{text!r} needs a number in its brackets", instead=f"write {name}(0.5), for example")
        return entry(float(number.group(1)))
    if entry is not None:
        return entry if isinstance(entry, Row | Loss) else entry()
    if not _NAME.fullmatch(text) or text in variables.split(" and "):
        return None
    near = difflib.get_close_matches(text, [*table, *ALIASES], n=1)
    raise SpecError(
        f"unknown {kind} {text!r}",
        instead=(f"did you mean {near[0]!r}? " if near else "")
        + f"Known are {', '.join(sorted(table))}; or give an expression in {variables}.",
    )


def _parse(text: str, names: tuple[str, ...]) -> None:
    # Here and not above: SymPy takes long to import, and named functions do not need it yet.
    from backproof.ops.expression import parse

    if names[0] not in map(str, parse(text, names).free_symbols):
        raise SpecError(
            f"{text!r} does not depend on {names[0]}",
            why="nothing could be learned through it: its derivative is 0",
            instead=f"give an expression in {' and '.join(names)}",
        )
