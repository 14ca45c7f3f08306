"""The one base of every exception that a user's input can cause."""

from __future__ import annotations


class BackproofError(Exception):
    """Unusable input. Four parts: what happened, where, why it cannot be, what to write instead.

    The command line prints them without a traceback and exits with status 2.
    """

    def __init__(self, what: str, *, where: str = "", why: str = "", instead: str = "") -> None:
        self.what = what
        self.where = where
        self.why = why
        self.instead = instead
        lines = [f"{what} ({where})" if where else what]
        lines += [part for part in (why, instead) if part]
        super().__init__("\n".join(lines))

    def __str__(self) -> str:
        # As it was written, also where a subclass is a KeyError, which would quote it.
        return str(self.args[0])


class SpecError(BackproofError):
    """A forward pass that cannot be read: an unknown activation, an expression that does not parse."""


class TraceError(BackproofError):
    """A NumPy program that does something which cannot be followed."""


class ShapeError(BackproofError):
    """Sizes that do not fit together."""


class NameUnknownError(BackproofError, KeyError):
    """A quantity that a derivation does not have; a KeyError too, so that `in` and `get` work as for any mapping."""


class DataError(BackproofError):
    """Data that cannot be used with the network it is given to."""
