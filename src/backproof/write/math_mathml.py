"""Math nodes as MathML Core, which browsers show by themselves and from which `math_svg` makes pictures."""

from __future__ import annotations

from html import escape
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

# The space left and right of a sign, as TeX has it. Always written out: defaults differ between renderers.
SPACES = {
    "binary": ("0.2222em", "0.2222em"),
    "relation": ("0.2778em", "0.2778em"),
    "punctuation": ("0", "0.1667em"),
    "tight": ("0", "0"),
}

# Signs whose mathematical character is another one. A hyphen must not be left: it is shorter than a minus.
CHARACTERS = {"*": "∗", "·": "⋅", "-": "−"}
DOTS = {"h": "…", "v": "⋮", "d": "⋱"}
THIN = '<mspace width="0.1667em"/>'
EMPTY = '<mspace width="0"/>'


def mathml(node: Math, *, display: bool = False, alttext: str = "") -> str:
    """A whole ``<math>`` element. `display` sets it in display style, `alttext` is read where MathML is not known."""
    style = ' display="block"' if display else ""
    alternative = f' alttext="{escape(printable(alttext))}"' if alttext else ""
    body = "".join(_elements(node, False)) or EMPTY
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML"{style}{alternative}>{body}</math>'


def _one(node: Math, script: bool) -> str:
    """The node as exactly one element."""
    return _row(_elements(node, script))


def _row(elements: list[str]) -> str:
    if len(elements) == 1:
        return elements[0]
    return f"<mrow>{''.join(elements)}</mrow>" if elements else EMPTY


def _elements(node: Math, script: bool) -> list[str]:
    """The node as elements of the row it stands in. `script`: in a subscript or superscript signs have no space.

    Rows are kept flat: the picture renderer's time doubles with every ``mrow`` inside another.
    """
    match node:
        case Ident(text):
            # One element per letter: several letters in one <mi> are set upright.
            return [_token("mi", letter) for letter in printable(text)]
        case Number(text):
            # Only pictures heed the attribute: they would slant the e of 1e−05.
            attributes = "" if text.isdigit() else ' mathvariant="normal"'
            return [_token("mn", printable(text).replace("-", "−"), attributes)] if text else []
        case Word(text):
            # Blanks at the ends of a token are dropped, no-break spaces are not.
            return [_token("mtext", printable(text).replace(" ", "\u00a0"))] if text else []
        case Func(text):
            attributes = ' mathvariant="normal"' if len(text) == 1 else ""
            return [_token("mi", printable(text), attributes)] if text else []
        case Sign(text, role):
            before, after = SPACES["tight" if script else role]
            return [_sign(text, before, after)] if text else []
        case Row(parts):
            return _parts(parts, script)
        case Scripts(base, None, None):
            return _elements(base, script)
        case Scripts(base, sub, None) if sub is not None:
            return [f"<msub>{_one(base, script)}{_one(sub, True)}</msub>"]
        case Scripts(base, None, sup) if sup is not None:
            return [f"<msup>{_one(base, script)}{_one(sup, True)}</msup>"]
        case Scripts(base, sub, sup):
            assert sub is not None
            assert sup is not None
            return [f"<msubsup>{_one(base, script)}{_one(sub, True)}{_one(sup, True)}</msubsup>"]
        case Prime(base, count):
            primes = {1: "′", 2: "″", 3: "‴"}.get(count, "′" * count)
            return [f"<msup>{_one(base, script)}{_sign(primes)}</msup>"] if count else _elements(base, script)
        case Hat(base):
            hat = '<mo stretchy="true">^</mo>'
            return [f'<mover accent="true">{_one(base, script)}{hat}</mover>']
        case Frac(numerator, denominator):
            return [f"<mfrac>{_one(numerator, script)}{_one(denominator, script)}</mfrac>"]
        case Sqrt(body):
            return [f"<msqrt>{_one(body, script)}</msqrt>"]
        case BigSum(lower, None, body):
            return [f"<munder>{_sign('∑')}{_one(lower, True)}</munder>", THIN, *_elements(body, script)]
        case BigSum(lower, upper, body):
            assert upper is not None
            limits = f"{_sign('∑')}{_one(lower, True)}{_one(upper, True)}"
            return [f"<munderover>{limits}</munderover>", THIN, *_elements(body, script)]
        case Fence(body, left, right):
            return _fence(_elements(body, script), left, right, is_tall(body))
        case Dots(direction):
            return [_sign(DOTS[direction])]
        case Matrix(rows):
            return _fence([_table([[_elements(cell, script) for cell in row] for row in rows])], "[", "]", True)
        case Cases(pieces):
            cells = [[_elements(value, script), _elements(condition, script)] for value, condition in pieces]
            return _fence([_table(cells, left=True)], "{", "", True)
    assert_never(node)


def _token(tag: str, text: str, attributes: str = "") -> str:
    return f"<{tag}{attributes}>{escape(text, quote=False)}</{tag}>"


def _sign(text: str, before: str = "0", after: str = "0") -> str:
    character = CHARACTERS.get(text) or printable(text)
    # Brackets and bars that are signs keep their size; only those of a Fence may grow.
    return _token("mo", character, f' stretchy="false" lspace="{before}" rspace="{after}"')


def _parts(parts: tuple[Math, ...], script: bool) -> list[str]:
    elements: list[str] = []
    for i, part in enumerate(parts):
        if i and isinstance(parts[i - 1], Func) and not isinstance(part, Fence | Sign):
            elements.append(THIN)  # log x
        elements += _elements(part, script)
    return elements


def _fence(body: list[str], left: str, right: str, tall: bool) -> list[str]:
    if not tall:
        # Spliced into the row around it, which must not stretch them.
        return [*([_sign(left)] if left else []), *body, *([_sign(right)] if right else [])]
    opening, closing = (
        f'<mo fence="true" form="{form}" stretchy="true" lspace="0" rspace="0">{escape(side)}</mo>' if side else ""
        for side, form in ((left, "prefix"), (right, "postfix"))
    )
    return [f"<mrow>{opening}{''.join(body) or EMPTY}{closing}</mrow>"]


def _table(rows: list[list[list[str]]], *, left: bool = False) -> str:
    if not any(rows):
        return EMPTY
    # The attributes are for renderers older than MathML Core, the style is for those that know nothing else.
    align, style = (' columnalign="left"', ' style="text-align:left"') if left else ("", "")
    printed = [f'<mtable{align} columnspacing="0.8em" rowspacing="1ex">']
    for row in rows:
        printed.append("<mtr>")
        printed += [f"<mtd{style}>{''.join(elements) or EMPTY}</mtd>" for elements in row]
        printed.append("</mtr>")
    return "".join([*printed, "</mtable>"])
