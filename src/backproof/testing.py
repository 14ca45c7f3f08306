"""Assertions for tests of backward passes, after those of `numpy.testing`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from backproof.api import diagnose, render


def assert_gradients(
    forward: Any,
    backward: Any = None,
    arguments: Mapping[str, Any] | None = None,
    /,
    *,
    loss: Callable[..., Any] | None = None,
    gradients: Mapping[str, Any] | None = None,
    err_msg: str = "",
    **named: Any,
) -> None:
    """Raises an AssertionError if the gradients of a backward pass are not right; its message is the report.

    All that is given is as for `backproof.diagnose`, one object with both passes too; `err_msg` stands before the
    report. A gradient that is computed nowhere does not fail, as long as another one is right.
    """
    __tracebackhide__ = True  # pytest shows the report, not this function
    diagnosis = diagnose(forward, backward, arguments, loss=loss, gradients=gradients, **named)
    if not diagnosis.ok:
        raise AssertionError("\n".join(["", *([err_msg] if err_msg else []), render(diagnosis, "text")]))
