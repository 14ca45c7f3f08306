"""What annotations of a function say of its arrays."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any


def axes_of(function: Callable[..., Any]) -> dict[str, list[str]]:
    """The names of axes in annotations such as ``Float[Array, "n m"]``, whatever package they are from."""
    found = {}
    for name, annotation in getattr(function, "__annotations__", {}).items():
        text = getattr(annotation, "dim_str", None)
        if text is None and isinstance(annotation, str):
            match = re.search(r"""\[.*,\s*["']([^"']*)["']\s*\]$""", annotation)
            text = match[1] if match else None
        if isinstance(text, str):
            found[name] = text.split()
    return found
