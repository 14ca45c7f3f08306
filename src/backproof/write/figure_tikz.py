"""A figure as TikZ; the styles `unit` and `link` are the preamble's."""

from __future__ import annotations

from collections.abc import Callable

from backproof.write.doc import Figure, Inline
from backproof.write.math_latex import latex


def figure_tikz(figure: Figure, inline: Callable[[Inline], str]) -> str:
    """A `tikzpicture`; `inline` writes running text, escaped."""
    lines = [r"\begin{tikzpicture}[x=26mm, y=12.5mm]"]
    for number, dot in enumerate(figure.dots):
        kind, label = ("gap", r"$\vdots$") if dot.label is None else ("unit", f"${latex(dot.label)}$")
        lines.append(rf"  \node[{kind}] (n{number}) at ({dot.x:g},{0.0 - dot.y:g}) {{{label}}};")
    lines += [rf"  \draw[link] (n{start}) -- (n{end});" for start, end in figure.lines]
    bottom = max((dot.y for dot in figure.dots), default=0.0) + 0.8
    for x, text in figure.captions:
        lines.append(rf"  \node[caption] at ({x:g},{-bottom:g}) {{{inline(text)}}};")
    lines.append(r"\end{tikzpicture}")
    return "\n".join(lines)
