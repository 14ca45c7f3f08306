"""A document as LaTeX that plain pdflatex compiles. The preamble, with all commands used here, is a template."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from importlib.resources import files
from typing import assert_never

from backproof.write.doc import (
    Block,
    Code,
    CodeBlock,
    Display,
    Document,
    Figure,
    Heading,
    Inline,
    Paragraph,
    Step,
    Table,
    Values,
)
from backproof.write.figure_tikz import figure_tikz
from backproof.write.math import Equation, chain
from backproof.write.math_latex import latex
from backproof.write.outline import plain, titled
from backproof.write.values import extract, matrix, size

MOST_ROWS, MOST_COLUMNS = 16, 8  # of a matrix of numbers
LONG_TABLE = 30  # rows; a longer table may break across pages
LONG_WORD = 30  # characters of code
WIDE_TABLE, WIDE_CELL = 90, 28  # characters; the cells of a wide table are set as paragraphs

HEADINGS = {1: "documenttitle", 2: "section*", 3: "subsection*"}

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": "'",
    "`": r"\textasciigrave{}",
    "\u00a0": "~",
    "\u2009": r"\,",
    "\u202f": r"\,",
    "\u200b": "{}",
    "–": "--",
    "—": "---",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "…": r"\dots{}",
    "•": r"\textbullet{}",
    "°": r"\textdegree{}",
    "€": r"\texteuro{}",
}

IN_MATH = {
    "∂": r"\partial", "∇": r"\nabla", "∑": r"\sum", "∏": r"\prod", "∫": r"\int", "√": r"\surd", "∞": r"\infty",
    "−": "-", "·": r"\cdot", "⋅": r"\cdot", "×": r"\times", "÷": r"\div", "±": r"\pm", "∗": r"\ast", "∘": r"\circ",
    "⊙": r"\odot", "⊗": r"\otimes", "⊕": r"\oplus", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx",
    "≡": r"\equiv", "∼": r"\sim", "∝": r"\propto", "≪": r"\ll", "≫": r"\gg", "→": r"\to", "←": r"\leftarrow",
    "↔": r"\leftrightarrow", "↑": r"\uparrow", "↓": r"\downarrow", "⇒": r"\Rightarrow", "⇐": r"\Leftarrow",
    "⇔": r"\Leftrightarrow", "↦": r"\mapsto", "∈": r"\in", "∉": r"\notin", "⊂": r"\subset", "∪": r"\cup",
    "∩": r"\cap", "∅": r"\emptyset", "∀": r"\forall", "∃": r"\exists", "¬": r"\neg", "∧": r"\wedge", "∨": r"\vee",
    "ℝ": r"\mathbb{R}", "⋯": r"\cdots", "⋮": r"\vdots", "⋱": r"\ddots", "′": r"{}'", "″": r"{}''", "ᵀ": r"{}^{T}",
    "✓": r"\checkmark", "✗": r"\times", "✔": r"\checkmark", "✘": r"\times", "◦": r"\circ", "★": r"\star",
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "ζ": r"\zeta", "η": r"\eta",
    "θ": r"\theta", "ι": r"\iota", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu", "µ": r"\mu", "ν": r"\nu",
    "ξ": r"\xi", "ο": "o", "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma", "ς": r"\varsigma", "τ": r"\tau",
    "υ": r"\upsilon", "φ": r"\varphi", "ϕ": r"\phi", "χ": r"\chi", "ψ": r"\psi", "ω": r"\omega", "Γ": r"\Gamma",
    "Δ": r"\Delta", "Θ": r"\Theta", "Λ": r"\Lambda", "Ξ": r"\Xi", "Π": r"\Pi", "Σ": r"\Sigma", "Φ": r"\Phi",
    "Ψ": r"\Psi", "Ω": r"\Omega",
}  # fmt: skip

# In a matrix of numbers: values that are words, and powers of ten.
_NAMED = re.compile(r"\b(?:nan|inf|True|False)\b")
_POWER = re.compile(r"(?<=\d)e([+-])(?=\d)")

# What the T1 fonts hold, beyond ASCII: letters of Western and Central Europe, and a few signs.
T1 = frozenset("¡¿«»§¶©®" + "".join(chr(code) for code in range(0xC0, 0x180) if code not in (0xD7, 0xF7))) - frozenset(
    "ĈĉĊċĒēĔĕĖėĜĝĠġĢģĤĥĦħĨĩĪīĬĭĮįĴĵĶķĸĻļĿŀŅņŉŌōŎŏŖŗŜŝŦŧŨũŪūŬŭŲųŴŵŶŷſ"
)


def latex_document(document: Document) -> str:
    """A whole LaTeX document."""
    template = files("backproof.write").joinpath("templates/document.tex").read_text(encoding="utf-8")
    return template.replace("@body@", _blocks(titled(document)) + "\n")


def _blocks(blocks: Iterable[Block]) -> str:
    """The blocks between blank lines, but a display belongs to the paragraph before it: no page ends there."""
    text, before = "", None
    for block in blocks:
        joined = isinstance(before, Paragraph) and isinstance(block, Display)
        text += ("" if before is None else "\n" if joined else "\n\n") + _block(block)
        before = block
    return text


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            return rf"\{HEADINGS.get(level, 'subsubsection*')}{{{_inline(text)}}}"
        case Paragraph(text):
            return _inline(text)
        case Display(_, equation):
            return rf"\display{{{_equation(equation)}}}"
        case CodeBlock(text):
            lines = [rf"\codeline{{{_code(line)}}}" for line in text.expandtabs(4).splitlines()]
            return "\n".join([r"\begin{program}", *lines, r"\end{program}"])
        case Table():
            return _table(block)
        case Values():
            return _values(block)
        case Figure():
            return _centred(figure_tikz(block, _inline))
        case Step(number, symbol, title, inner):
            return f"\\step{{{number}}}{{{_code(symbol)}}}{{{_inline(title)}}}\n\n{_blocks(inner)}".rstrip()
        case _:
            assert_never(block)


def _equation(equation: Equation) -> str:
    if len(equation.parts) < 2:
        return latex(chain(equation))
    lines = " \\\\\n".join(f"  &= {latex(part)}" for part in equation.parts)
    return f"\\begin{{aligned}}\n  {latex(equation.left)}\n{lines}\n\\end{{aligned}}"


def _inline(text: Inline) -> str:
    written = []
    for part in text:
        match part:
            case str():
                written.append(_escaped(re.sub(r"\s*\n\s*", " ", part)))
            case Code(code):
                written.append(rf"\texttt{{{_code(code)}}}")
            case _:
                written.append(f"${latex(part)}$")
    return "".join(written)


def _code(text: str) -> str:
    # Every space counts, yet a line may break at it; in a long word without any it may break after a sign.
    words = [re.split(r"(?<=[(,;+*/=])", word) if len(word) > LONG_WORD else [word] for word in text.split(" ")]
    broken = r"\ ".join(r"\allowbreak{}".join(map(_escaped, word)) for word in words)
    return broken.replace("'", r"\textquotesingle{}")


def _escaped(text: str) -> str:
    # Two hyphens side by side would be set as one dash: something empty parts them.
    return "".join(map(_character, re.sub("-(?=-)", "-\u200b", text)))


def _character(character: str) -> str:
    if (known := SPECIAL.get(character)) is not None:
        return known
    if character.isascii():
        return character if character.isprintable() else " "
    if (sign := IN_MATH.get(character)) is not None:
        return f"${sign}$"
    if character in T1:
        return character
    if raised := unicodedata.decomposition(character):
        # ₁ is "<sub> 0031", ² is "<super> 0032": a script of characters that are known themselves.
        kind, _, codes = raised.partition(" ")
        inner = "".join("-" if code == "2212" else chr(int(code, 16)) for code in codes.split())
        if kind in ("<sub>", "<super>") and inner.isascii():
            return rf"$_{{{inner}}}$" if kind == "<sub>" else rf"$^{{{inner}}}$"
    return f"[U+{ord(character):04X}]"  # pdflatex knows no more; the text must compile all the same


def _table(table: Table) -> str:
    widths = [max(map(len, map(plain, column)), default=0) for column in zip(table.header, *table.rows, strict=True)]
    columns = list(table.align)
    if sum(widths) > WIDE_TABLE:
        wide = sum(width for width in widths if width > WIDE_CELL)
        share = max(0.9 - 0.009 * sum(width for width in widths if width <= WIDE_CELL), 0.3)
        columns = [
            rf">{{\raggedright\arraybackslash}}p{{{share * width / wide:.3f}\linewidth}}"
            if width > WIDE_CELL
            else align
            for width, align in zip(widths, columns, strict=True)
        ]
    long = len(table.rows) > LONG_TABLE
    head = _row(map(_inline, table.header), bold=True)
    body = "\n".join(_row(map(_inline, row)) for row in table.rows)
    environment = "longtable" if long else "tabular"
    lines = [
        rf"\begin{{{environment}}}{{{''.join(columns)}}}",
        r"\toprule",
        head,
        r"\midrule",
        *([r"\endhead"] if long else []),
        *([body] if body else []),
        r"\bottomrule",
        rf"\end{{{environment}}}",
    ]
    written = "\n".join(lines)
    return written if long else _centred(written)


def _centred(content: str) -> str:
    """In the middle of the line, scaled down if it is wider."""
    return f"\\begin{{center}}\n\\fitted{{%\n{content}}}\n\\end{{center}}"


def _row(cells: Iterable[str], *, bold: bool = False) -> str:
    # Braces: a cell that begins with "[" is no option of the line before.
    return " & ".join(rf"\textbf{{{cell}}}" if bold else f"{{{cell}}}" for cell in cells) + r" \\"


def _values(values: Values) -> str:
    array = matrix(values.array)
    label = f"{_inline(values.label)} (${size(array).replace('×', chr(92) + 'times')}$)"
    if not array.size:
        return f"{label}: empty"
    shown = extract(array, MOST_ROWS, MOST_COLUMNS)
    rows = [
        " & ".join(
            IN_MATH.get(cell) or _NAMED.sub(r"\\mathrm{\g<0>}", _POWER.sub(r"\\mathrm{e}{\1}", cell)) for cell in row
        )
        for row in shown.grid(r"\phantom{0}", r"\phantom{.}")
    ]
    body = " \\\\\n".join(rows)
    note = f"; {shown.left_out}" if shown.left_out else ""
    array_text = f"\\left[\\begin{{array}}{{{'r' * len(shown.columns)}}}\n{body}\n\\end{{array}}\\right]"
    return f"{label}{note}:\n\\numbers{{{array_text}}}"
