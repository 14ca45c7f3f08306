"""Math nodes as LaTeX, for KaTeX and for LaTeX with amsmath."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import assert_never

from backproof.write.math import (
    BigSum,
    Cases,
    Dots,
    Fence,
    Frac,
    Func,
    Hat,
    Ident,
    Math,
    Matrix,
    Number,
    Prime,
    Row,
    Scripts,
    Sign,
    Sqrt,
    Word,
    is_tall,
    printable,
)

# Capitals that look like a Latin letter have no command of their own.
GREEK_LETTERS = "αβγδεϵζηθϑικλμνξοπϖρϱςστυφϕχψωΓΔΘΛΞΠΣΥΦΨΩΑΒΕΖΗΙΚΜΝΟΡΤΧ"
GREEK_NAMES = (
    "alpha beta gamma delta varepsilon epsilon zeta eta theta vartheta iota kappa lambda mu nu xi o pi varpi rho varrho"
    " varsigma sigma tau upsilon varphi phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
    " A B E Z H I K M N O P T X"
)
GREEK = {
    letter: name if len(name) == 1 else f"\\{name}"
    for letter, name in zip(GREEK_LETTERS, GREEK_NAMES.split(), strict=True)
}

MATH = GREEK | {
    "−": "-",
    "·": r"\cdot",
    "⋅": r"\cdot",
    "×": r"\times",
    "÷": r"\div",
    "±": r"\pm",
    "∘": r"\circ",
    "⊙": r"\odot",
    "⊗": r"\otimes",
    "≤": r"\leq",
    "≥": r"\geq",
    "≠": r"\neq",
    "≈": r"\approx",
    "≡": r"\equiv",
    "∼": r"\sim",
    "∝": r"\propto",
    "≪": r"\ll",
    "≫": r"\gg",
    "∈": r"\in",
    "∉": r"\notin",
    "→": r"\to",
    "↦": r"\mapsto",
    "⇒": r"\Rightarrow",
    "∂": r"\partial",
    "∇": r"\nabla",
    "∞": r"\infty",
    "ℓ": r"\ell",
    "…": r"\ldots",
    "⋯": r"\cdots",
    "‖": r"\|",
    "#": r"\#",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "\\": r"\backslash",
    "^": r"\text{\textasciicircum}",
    "~": r"\text{\textasciitilde}",
    "'": r"\text{'}",
    '"': r'\text{"}',
    " ": r"\ ",
}

TEXT = {char: f"${command}$" for char, command in MATH.items() if not char.isascii()} | {
    "−": "-",
    "#": r"\#",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}

FUNCTIONS = (
    "arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd inf ker lg lim ln log max min Pr sec sin sinh"
    " sup tan tanh"
)
FUNCTION_NAMES = frozenset(FUNCTIONS.split())

# What may follow \left and \right.
DELIMITERS = {
    "(": "(",
    ")": ")",
    "[": "[",
    "]": "]",
    "|": "|",
    "{": r"\{",
    "}": r"\}",
    "‖": r"\|",
    "⟨": r"\langle",
    "⟩": r"\rangle",
    "⌊": r"\lfloor",
    "⌋": r"\rfloor",
    "⌈": r"\lceil",
    "⌉": r"\rceil",
    "": ".",
}

ENDS_IN_COMMAND = re.compile(r"\\[A-Za-z]+\Z")
NUMBER = re.compile(r"(-?[0-9.]+)(?:[eE](-|\+?)([0-9]+))?")
MOST_COLUMNS = 10  # amsmath's MaxMatrixCols
ROW, TALL_ROW = r" \\ ", r" \\[10pt] "  # the second where fractions would touch


def latex(node: Math) -> str:
    """The node as LaTeX, to be set between ``$`` or in a display environment."""
    return _print(node, False)


def _print(node: Math, script: bool) -> str:
    """`script` is true inside a subscript or superscript, where signs are set without space."""
    match node:
        case Ident(text):
            return _letters(text)
        case Number(text):
            return _number(text)
        case Word(text):
            return _words(text)
        case Func(text):
            if text in FUNCTION_NAMES:
                return f"\\{text}"
            plain = text.isascii() and text.isalnum()
            return rf"\operatorname{{{text}}}" if plain else rf"\operatorname{{\text{{{_text(text)}}}}}"
        case Sign(text, role):
            return _sign(text, "tight" if script else role)
        case Row(parts):
            return _join(_print(part, script) for part in parts)
        case Scripts(base, sub, sup):
            below = "" if sub is None else f"_{{{_print(sub, True)}}}"
            above = "" if sup is None else f"^{{{_print(sup, True)}}}"
            return _base(base, script) + below + above
        case Prime(base, count):
            return _base(base, script) + "'" * count
        case Hat(base):
            return rf"\widehat{{{_print(base, script)}}}"
        case Frac(numerator, denominator):
            return rf"\frac{{{_print(numerator, script)}}}{{{_print(denominator, script)}}}"
        case Sqrt(body):
            return rf"\sqrt{{{_print(body, script)}}}"
        case BigSum(lower, upper, body):
            above = "" if upper is None else f"^{{{_print(upper, True)}}}"
            return _join([rf"\sum_{{{_print(lower, True)}}}{above}", _print(body, script)])
        case Fence(body, left, right):
            return _fence(_print(body, script), left, right, is_tall(body))
        case Dots(direction):
            return {"h": "...", "v": r"\vdots", "d": r"\ddots"}[direction]
        case Matrix(rows):
            tall = any(is_tall(cell) for row in rows for cell in row)
            return _matrix([[_print(cell, script) for cell in row] for row in rows], TALL_ROW if tall else ROW)
        case Cases(pieces):
            lines = _lines([[_print(value, script), _print(condition, script)] for value, condition in pieces], ROW)
            return rf"\begin{{cases}} {lines} \end{{cases}}"
    assert_never(node)


def _join(pieces: Iterable[str]) -> str:
    """Pieces side by side; a command followed by a letter is kept apart from it."""
    joined: list[str] = []
    for piece in pieces:
        if piece:
            if joined and piece[0].isalpha() and ENDS_IN_COMMAND.search(joined[-1]):
                joined.append(" ")
            joined.append(piece)
    return "".join(joined)


def _base(node: Math, script: bool) -> str:
    """What carries scripts or primes; in braces where these would else belong to its last letter, or clash."""
    printed = _print(node, script)
    match node:
        case Row() | Scripts() | Prime() | BigSum() | Sign() | Dots() | Cases():
            return f"{{{printed}}}"
        case Number() if "e" in printed:
            return f"{{{printed}}}"
    return printed or "{}"


def _letters(text: str) -> str:
    return _join(MATH.get(char, char) for char in printable(text))


def _text(text: str) -> str:
    return "".join(TEXT.get(char, char) for char in printable(text))


def _words(text: str) -> str:
    # In upright italics-proof \mathrm where it can be: \text takes over the slant of a theorem around it.
    return rf"\mathrm{{{text}}}" if text.isascii() and text.isalnum() else rf"\text{{{_text(text)}}}"


def _number(text: str) -> str:
    found = NUMBER.fullmatch(text.replace("−", "-"))
    if not found:
        return r"\infty" if text in ("inf", "∞") else _words(text)
    digits, sign, exponent = found.groups()
    if exponent is None:
        return digits
    return rf"{digits}\mathrm{{e}}{'{-}' if sign == '-' else ''}{exponent}"


def _sign(text: str, role: str) -> str:
    sign = _letters(text)
    if role == "tight" or not sign:
        return sign
    if role == "punctuation":
        return f"{sign} "
    if text == "*":
        return r"\;*\;"
    if text == "|":
        return r" \mid "
    # A command spaces itself; the blanks are for the reader of the source.
    return f"{sign} " if role == "binary" and sign.startswith("\\") else f" {sign} "


def _fence(body: str, left: str, right: str, tall: bool) -> str:
    if tall and left in DELIMITERS and right in DELIMITERS:
        return _join([rf"\left{DELIMITERS[left]}", f" {body} ", rf"\right{DELIMITERS[right]}"])
    if left in ("|", "‖") and body.startswith(("-", "+")):
        body = f"{{{body}}}"  # else the bar would be taken for the minuend
    # The dot that stands for no delimiter is needed after \left only.
    opening, closing = (DELIMITERS.get(side) or _letters(side) if side else "" for side in (left, right))
    return _join([opening, body, closing])


def _lines(rows: list[list[str]], end: str) -> str:
    lines = [" & ".join(row) for row in rows]
    # \\ would take a bracket or a star that follows it for its own argument.
    return end.join(f"{{}}{line}" if i and line.startswith(("[", "*")) else line for i, line in enumerate(lines))


def _matrix(rows: list[list[str]], end: str) -> str:
    columns = max(map(len, rows), default=0)
    if columns <= MOST_COLUMNS:
        return rf"\begin{{bmatrix}} {_lines(rows, end)} \end{{bmatrix}}"
    return rf"\left[\begin{{array}}{{{'c' * columns}}} {_lines(rows, end)} \end{{array}}\right]"
