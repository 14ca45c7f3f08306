"""What a name in somebody's code is meant to hold: ``dZ2``, ``grads["dW1"]``, ``self.W1_grad``, ``dL_db``."""

from __future__ import annotations

import re
from collections.abc import Iterable

PREFIXES = (
    *("d", "d_", "g", "g_", "grad", "grad_", "gradient_", "delta", "delta_", "nabla_"),
    *("dj_d", "djd", "dl_d", "dld", "dloss_d"),
)
SHORT = (("weights", "w"), ("weight", "w"), ("biases", "b"), ("bias", "b"))
"""What parameters are called where they are spelled out, and in the names of their derivatives."""
CONTAINERS = ("grads", "grad", "gradients", "gradient", "dparams", "derivatives", "deltas")
"""What a container of derivatives is called, whose keys may be the names of the parameters themselves."""
SUFFIXES = ("_grad", "_gradient", "grad", "_delta", "_bar")


def last_word(text: str) -> str:
    """The last name or key of an expression: dW1 of ``grads["dW1"]``, of ``self.grads.dW1`` and of ``grads["W1"]``."""
    words = re.findall(r"[^\W\d]\w*", text)
    if len(words) > 1 and words[-2] in CONTAINERS and not words[-1].lower().startswith(PREFIXES[0]):
        return f"d{words[-1]}"
    return words[-1] if words else ""


def plain(name: str) -> str:
    """A name without its case and the underscores between it and its number: W[1], W_1 and w1 are one."""
    return _joined(name.lower())


def _joined(name: str) -> str:
    return re.sub(r"_+(?=\d)|[\[\]]", "", name)


def spellings(name: str) -> Iterable[str]:
    """How the derivative by a quantity may be called in code."""
    own = plain(name)
    short = (letter + own.removeprefix(word) for word, letter in SHORT if own.startswith(word))
    for each in dict.fromkeys([own, *short]):
        for prefix in PREFIXES:
            yield prefix + each
        for suffix in SUFFIXES:
            yield each + suffix


def exact_spellings(name: str) -> Iterable[str]:
    """The same with the case of the name, by which B and b are told apart."""
    own = _joined(name)
    yield from (prefix + own for prefix in PREFIXES)
    yield from (own + suffix for suffix in SUFFIXES)


def base(name: str) -> str:
    """The letters of a name, without the number of the layer: dz of dZ2, dZ_2 and dZ."""
    return re.sub(r"[\d_\[\]]+$", "", name.lower())


def letters(text: str) -> str:
    """The letters of the last word of an expression."""
    return base(last_word(text))
