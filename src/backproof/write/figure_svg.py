"""A figure as SVG: circles with their labels, soft lines, captions; in the colour of the text around it."""

from __future__ import annotations

import math
import re
from html import escape

from backproof.write.doc import Figure
from backproof.write.math import Math, printable
from backproof.write.math_svg import svg
from backproof.write.outline import plain

UNIT_X, UNIT_Y = 168.0, 66.0  # pixels between neighbours
RADIUS = 23.0
LABEL = 34.0  # the widest and highest that a label may be
MARGIN = 8.0
CAPTION = 15.0  # font size
GAP = 34.0  # from the lowest circle to the captions

_ROOT = re.compile(r"<svg\b[^>]*>", re.DOTALL)
_ATTRIBUTE = re.compile(r'([\w:]+)="([^"]*)"')
_NAME = re.compile(r'(\bid="|href="#|url\(#)')


def figure_svg(figure: Figure) -> str:
    """A standalone SVG, which may also stand inside HTML: every id in it begins with the figure's name."""
    captions = [(x, plain(text)) for x, text in figure.captions]
    xs = [dot.x for dot in figure.dots] or [0.0]
    ys = [dot.y for dot in figure.dots] or [0.0]
    # Without measuring: a letter of a caption is taken as 0.6 of its font size.
    half = [RADIUS, *(len(text) * CAPTION * 0.3 for x, text in captions if x in (min(xs), max(xs)))]
    side = MARGIN + max(half)
    width = (max(xs) - min(xs)) * UNIT_X + 2 * side
    bottom = (max(ys) - min(ys)) * UNIT_Y + 2 * RADIUS + MARGIN
    height = bottom + MARGIN + (GAP if captions else 0.0)

    def across(x: float) -> float:
        return (x - min(xs)) * UNIT_X + side

    def down(y: float) -> float:
        return (y - min(ys)) * UNIT_Y + RADIUS + MARGIN

    size = f'width="{_px(width)}" height="{_px(height)}" viewBox="0 0 {_px(width)} {_px(height)}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(printable(figure.alt))}</title>",
        f"<desc>{escape(printable(_described(figure)))}</desc>",
        '<g stroke="currentColor" stroke-opacity="0.38" stroke-width="1.1" stroke-linecap="round">',
    ]
    for start, end in figure.lines:
        one, other = figure.dots[start], figure.dots[end]
        x0, y0, x1, y1 = across(one.x), down(one.y), across(other.x), down(other.y)
        length = math.hypot(x1 - x0, y1 - y0)
        if length > 2 * RADIUS:
            dx, dy = (x1 - x0) / length * RADIUS, (y1 - y0) / length * RADIUS
            ends = zip(("x1", "y1", "x2", "y2"), (x0 + dx, y0 + dy, x1 - dx, y1 - dy), strict=True)
            lines.append("<line " + " ".join(f'{name}="{_px(value)}"' for name, value in ends) + "/>")
    lines.append("</g>")
    for number, dot in enumerate(figure.dots):
        x, y = across(dot.x), down(dot.y)
        if dot.label is None:
            lines += [f'<circle cx="{_px(x)}" cy="{_px(y + d)}" r="2" fill="currentColor"/>' for d in (-10, 0, 10)]
            continue
        lines.append(
            f'<circle cx="{_px(x)}" cy="{_px(y)}" r="{_px(RADIUS)}" fill="currentColor" fill-opacity="0.06"'
            ' stroke="currentColor" stroke-opacity="0.75" stroke-width="1.25"/>'
        )
        lines.append(_label(dot.label, x, y, f"{figure.name}-{number}-"))
    for x, text in captions:
        lines.append(
            f'<text x="{_px(across(x))}" y="{_px(bottom + GAP - CAPTION / 2)}" text-anchor="middle" fill="currentColor"'
            f' font-family="system-ui, sans-serif" font-size="{CAPTION:g}">{escape(printable(text))}</text>'
        )
    lines.append("</svg>")
    return "\n".join(lines) + "\n"


def _px(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _described(figure: Figure) -> str:
    """Each column's labels after its caption."""
    captions = {x: plain(text) for x, text in figure.captions}
    columns = []
    for x in sorted({dot.x for dot in figure.dots}):
        dots = sorted((dot for dot in figure.dots if dot.x == x), key=lambda dot: dot.y)
        labels = ", ".join("…" if dot.label is None else plain((dot.label,)) for dot in dots)
        columns.append(f"{captions[x]}: {labels}" if x in captions else labels)
    return "; ".join(columns)


def _label(label: Math, x: float, y: float, prefix: str) -> str:
    """A formula with its middle at (x, y): the formula's own picture, scaled down if it is too large."""
    picture = svg(label)
    root = _ROOT.search(picture)
    assert root is not None, "math_svg.svg gives an <svg> element"
    attributes = dict(_ATTRIBUTE.findall(root[0]))
    view = [float(part) for part in attributes["viewBox"].split()]
    scale = min(1.0, LABEL / view[2], LABEL / view[3])
    width, height = view[2] * scale, view[3] * scale
    body = _NAME.sub(lambda found: found[1] + prefix, picture[root.end() : picture.rindex("</svg>")])
    body = re.sub(r"<title>.*?</title>|<desc>.*?</desc>", "", body, flags=re.DOTALL)
    place = f'x="{_px(x - width / 2)}" y="{_px(y - height / 2)}" width="{_px(width)}" height="{_px(height)}"'
    return f'<svg {place} viewBox="{attributes["viewBox"]}" aria-hidden="true">{body.strip()}</svg>'
