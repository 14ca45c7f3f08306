"""Second opinions. Everything in this folder is marked `frameworks`, and collected only where they are installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent

if find_spec("torch") is None or find_spec("jax") is None:
    # Not a skip: `make test-frameworks` without them must fail for want of tests, not pass.
    collect_ignore_glob = ["test_*.py"]
else:
    import jax

    jax.config.update("jax_enable_x64", True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.frameworks)
