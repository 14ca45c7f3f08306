"""The command line: every command is one call of the public functions."""

from __future__ import annotations

import gc
import io
import os
import sys


def main() -> None:
    """The entry point. An error of the user's prints one message and exits 2; Ctrl-C exits 130."""
    from backproof.cli.commands import cli
    from backproof.ir.errors import BackproofError

    # A command builds large structures without cycles and ends; the collector would only walk them over and over, which
    # doubles the time of a deep network.
    gc.disable()
    for stream in (sys.stdout, sys.stderr):
        # Formulas need more than ASCII, whatever the locale says.
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower().replace("-", "") != "utf8":
            stream.reconfigure(encoding="utf-8")

    try:
        cli(prog_name="backproof")
    except BackproofError as error:
        print(f"backproof: {error}", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # The reader (head, less) has left; what Python flushes at exit must not complain a second time.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
