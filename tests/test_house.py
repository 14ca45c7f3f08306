"""Which room may know which. An import inside a function counts like one at the top: a hidden cycle is a cycle."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "backproof"

# Room -> rooms, or single modules, that it may import. The package's own top (`__init__`, `__main__`) and `cli` may
# import everything. `derive.steps` and `write.doc` are values only: whoever may name them learns no mathematics.
EVERYTHING = None
ALLOWED: dict[str, set[str] | None] = {
    "ir": set(),
    "ops": {"ir"},
    "nn": {"ir.errors"},
    "frontends": {"ir", "ops"},
    "derivation": {"ir", "ops"},
    "write": {"ir", "ops", "derivation.steps", "derivation.derivation"},
    "emit": {"ir", "ops"},
    "execution": {"ir", "ops", "derivation.steps", "derivation.derivation", "emit"},
    "training": {"ir", "ops", "derivation.steps", "derivation.derivation", "emit", "execution"}
    | {"write.outline", "write.spell", "write.doc"},
    "checking": {"ir", "ops", "derivation", "execution"}
    | {f"write.{module}" for module in ("doc", "math", "spell", "reasons", "outline", "json")},
    "view": {"write", "execution", "checking"},
    "ipython": EVERYTHING,
    "cli": EVERYTHING,
    "api": EVERYTHING,
    "autograd": EVERYTHING,
    "testing": EVERYTHING,
    "estimators": EVERYTHING,
    "grading": EVERYTHING,
    "": EVERYTHING,
}

# Optional: imported only in a leaf, a module with the framework in its name (`torch_module.py`, `onnx.py`).
FRAMEWORKS = {"torch", "jax", "jaxlib", "onnx", "onnxruntime"}


def modules() -> dict[str, Path]:
    """Every module by its dotted name below the package; the package itself is the empty name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(source: str, module: str, *, is_package: bool, known: set[str]) -> Iterator[str]:
    """Every module that a source imports, by its full name, wherever in the source the import stands.

    `from a import b` is an import of `a.b` where that is a module of ours, else of `a`.
    """
    full = f"backproof.{module}" if module else "backproof"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = full.split(".")
                parts = parts[: len(parts) - node.level + is_package]
                base = ".".join([*parts, *([base] if base else [])])
            for alias in node.names:
                member = f"{base}.{alias.name}"
                yield member if member.removeprefix("backproof.") in known else base


def room_of(module: str) -> str:
    room = module.partition(".")[0]
    return "" if room == "__main__" else room


def trespasses(source: str, module: str, *, is_package: bool = False, known: set[str]) -> list[str]:
    """What a module imports though its room may not."""
    room, found = room_of(module), []
    allowed = ALLOWED[room]
    for name in imports(source, module, is_package=is_package, known=known):
        top, _, inner = name.partition(".")
        if top == "backproof":
            target = room_of(inner)
            permitted = (
                allowed is EVERYTHING
                or (target == room and inner != "")
                or target in allowed
                or any(inner == one or inner.startswith(f"{one}.") for one in allowed)
            )
        elif top in FRAMEWORKS:
            permitted = top.removesuffix("lib").removesuffix("runtime") in module.rpartition(".")[2].split("_")
        else:
            permitted = room != "ir" or top in sys.stdlib_module_names
        if not permitted:
            found.append(name)
    return found


@pytest.mark.parametrize("module", MODULES)
def test_a_room_imports_only_what_it_may(module: str) -> None:
    path = MODULES[module]
    source = path.read_text(encoding="utf-8")
    assert trespasses(source, module, is_package=path.name == "__init__.py", known=set(MODULES)) == []


def test_every_folder_with_code_is_a_room() -> None:
    assert {room_of(module) for module in MODULES} <= set(ALLOWED)


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        ("ir.node", "import numpy", ["numpy"]),
        ("ir.node", "import dataclasses\nfrom .errors import ShapeError", []),
        ("ir.node", "from .. import ops", ["backproof.ops"]),
        ("ir.node", "import backproof", ["backproof"]),
        ("ops.row", "from backproof.ir.node import Node\nimport sympy", []),
        ("derivation.sweep", "def f():\n    from backproof.write import doc", ["backproof.write.doc"]),
        ("derivation.sweep", "from ..emit.numpy import emit", ["backproof.emit.numpy"]),
        ("write.latex", "from backproof.derivation.steps import Step\nfrom backproof.derivation import steps", []),
        ("write.latex", "from backproof.derivation import Step", ["backproof.derivation"]),
        ("write.latex", "from backproof.derivation.stepsize import h", ["backproof.derivation.stepsize"]),
        ("checking.report", "from backproof.write import doc, latex", ["backproof.write"]),
        ("frontends.spec", "import torch.nn", ["torch.nn"]),
        ("frontends.torch_module", "import torch.nn\nimport jax", ["jax"]),
        ("execution.trace", "from backproof.derivation import Derivation", ["backproof.derivation"]),
        ("cli.main", "from backproof.checking import check", []),
        ("__main__", "from backproof.cli import main", []),
    ],
)
def test_the_table_is_enforced(module: str, source: str, found: list[str]) -> None:
    known = {"derivation.steps", "write.doc", "ops", "derivation", "write", "execution", "cli", "checking", "ir"}
    assert trespasses(source, module, known=known) == found
