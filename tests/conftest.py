"""What every test may use: golden texts, one seed, the article."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

REPO = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).resolve().parent / "golden"

# Derandomized: a failure is the same for everybody, and on the next run. No deadline: a busy machine is no failure.
settings.register_profile("backproof", derandomize=True, deadline=None)
settings.load_profile("backproof")


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Compiled code is kept for the time of the tests, and not among that of whoever runs them."""
    os.environ["BACKPROOF_CACHE"] = str(tmp_path_factory.mktemp("cache"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite golden files (runs only tests that use them)"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--update-golden"):
        return
    kept = [item for item in items if "golden" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str | Path, str], None]:
    """`golden(name, text)`: the text is exactly that of tests/golden/<name>, or becomes it with --update-golden.

    A `Path` instead of a name is that of a file elsewhere in the repository, such as a page of the documentation.
    """

    def compare(name: str | Path, text: str) -> None:
        path = REPO / name if isinstance(name, Path) else GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            return
        assert path.is_file(), f"no golden file {name}: run `make golden` and review it"
        # Bytes first, so that a line end cannot hide; then text, for a readable difference.
        if path.read_bytes() != text.encode():
            assert text == path.read_bytes().decode(), f"{name} differs; if that is meant: `make golden`, review"

    return compare


@pytest.fixture
def rng() -> np.random.Generator:
    """The one source of random numbers, the same for every test."""
    return np.random.default_rng(20190130)


@pytest.fixture(scope="session")
def article() -> str:
    """The article that the project starts from, with the LaTeX of its equations in the comment at its end."""
    found = sorted((REPO.parent / "shared" / "article").glob("*.txt"))
    if not found:
        pytest.skip("the article is not beside the repository (../shared/article)")
    return found[0].read_text(encoding="utf-8")
