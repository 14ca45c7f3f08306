"""Writes the pages of derivations: each forward pass of `models.py`, its code, and what Backproof makes of it."""

from __future__ import annotations

import inspect
import runpy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import backproof as bp
from backproof import nn
from backproof.write import written
from backproof.write.doc import CodeBlock, Document, Paragraph
from backproof.write.document import document

HERE = Path(__file__).resolve().parent
TITLES = {
    "layer_norm": "Layer normalisation",
    "attention": "Attention",
    "lstm": "LSTM",
    "gru": "GRU",
    "conv2d": "Convolution",
}
CALLED = {"gru": nn.gru_cell, "conv2d": nn.conv2d}
"""What a forward pass calls of Backproof's own operations, which the derivation goes into."""
WORDS = {
    "layer_norm": "Three samples of five features; gamma and beta are shared by the samples.",
    "attention": "Two sequences of four positions with three features; masked positions are excluded by −10⁹.",
    "lstm": "Two steps in time with the same weights. Every step adds its own contribution to their derivatives.",
    "gru": "One step in time of two samples, with PyTorch's equations.",
    "conv2d": "Two images of three channels, four by five pixels, and four kernels of two by two, laid at every place.",
}


def arguments(name: str) -> tuple[dict[str, Any], list[str]]:
    """The arguments that a forward pass is followed on, and those that derivatives are wanted by."""
    rng = np.random.default_rng(0)
    shapes: Mapping[str, dict[str, tuple[int, ...]]] = {
        "layer_norm": {"x": (3, 5), "gamma": (5,), "beta": (5,), "target": (3, 5)},
        "attention": {"Q": (2, 4, 3), "K": (2, 4, 3), "V": (2, 4, 3), "target": (2, 4, 3)},
        "lstm": {
            **{f"W{gate}": (3, 5) for gate in "fiog"},
            **{f"b{gate}": (3,) for gate in "fiog"},
            **{"xs": (2, 2), "target": (3,)},
        },
        "gru": {"x": (2, 2), "h": (2, 3), "W_ih": (9, 2), "W_hh": (9, 3), "b_ih": (9,), "b_hh": (9,), "target": (2, 3)},
        "conv2d": {"images": (2, 3, 4, 5), "kernel": (4, 3, 2, 2), "bias": (4,), "target": (2, 4, 3, 4)},
    }
    values: dict[str, Any] = {key: rng.normal(size=shape) for key, shape in shapes[name].items()}
    if name == "attention":
        values["mask"] = np.tril(np.ones((4, 4), dtype=bool))
    return values, [key for key in shapes[name] if key not in ("target", "xs")]


def page(name: str) -> str:
    """The page of one forward pass as Markdown."""
    models = runpy.run_path(str(HERE / "models.py"))
    function: Callable[..., Any] = models[name]
    values, wrt = arguments(name)
    derivation = bp.derive(function, values, wrt=wrt)
    content = document(derivation, title=TITLES[name])
    heading, *rest = content.blocks
    shown = [function, CALLED[name]] if name in CALLED else [function]
    source = CodeBlock("\n\n\n".join(inspect.getsource(part).rstrip() for part in shown), "python")
    return written(Document(TITLES[name], (heading, Paragraph((WORDS[name],)), source, *rest)), "markdown")
