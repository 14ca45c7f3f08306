"""Math nodes as pictures: standalone SVG, drawn by ziamath from the MathML. No TeX is needed."""

from __future__ import annotations

import os
import tempfile
import threading
import warnings
import xml.etree.ElementTree as ET
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

import platformdirs

from backproof.write.math import Math
from backproof.write.math_mathml import mathml
from backproof.write.math_unicode import linear

SIZE = 18  # of the letters, in pixels
STYLE = "1"  # To be raised when `_draw` makes anything else of the same MathML: old cache entries are then left aside.

_drawing = threading.Lock()


@lru_cache(maxsize=512)
def svg(node: Math) -> str:
    """The formula as an SVG document, transparent, in the colour of the text around it (black where there is none).

    A large formula takes a third of a second to draw, so pictures are kept between runs.
    """
    source, title = mathml(node, display=True), linear(node)
    made_of = (STYLE, version("ziamath"), version("ziafont"), title, source)
    key = sha256("\n".join(made_of).encode()).hexdigest()
    picture = _read(key)
    if picture is None:
        picture = _draw(source, title, f"m{key[:12]}")
        _write(key, picture)
    return picture


def _draw(source: str, title: str, prefix: str) -> str:
    # As an element: ziamath rewrites text first, and takes "==" or "&lt;-" in a user's name for its own notation.
    element = ET.fromstring(source)
    for token in element.iter("{http://www.w3.org/1998/Math/MathML}mi"):
        if len(token.text or "") > 1:
            token.tag = "mtext"  # ziamath sets function names with space around them: tanh (z)
    element.set("mathcolor", "currentColor")
    with _drawing, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        # Loads a font: not at the top, since a picture from the cache does not need it.
        from ziamath.config import config
        from ziamath.zmath import Math as Drawing

        # The settings are global, and may have been changed by others.
        saved = config.svg2, config.precision
        config.svg2, config.precision = True, 3
        try:
            picture = Drawing(element, size=SIZE, title=title).svgxml()
        finally:
            config.svg2, config.precision = saved
    picture.set("role", "img")
    # Glyphs are named by their place in the font. Where several pictures stand in one page, names must not meet.
    names: dict[str, str] = {}
    for symbol in picture.iter("symbol"):
        names[symbol.attrib["id"]] = f"{prefix}-{len(names)}"
        symbol.set("id", names[symbol.attrib["id"]])
    for use in picture.iter("use"):
        use.set("href", f"#{names[use.attrib['href'].removeprefix('#')]}")
    return ET.tostring(picture, encoding="unicode")


def _place(key: str) -> Path:
    return platformdirs.user_cache_path("backproof") / "svg" / key


# The cache must never be the reason that there is no picture. An entry is a line with the digest of the picture, and
# the picture: what was cut off or altered is not used.


def _read(key: str) -> str | None:
    try:
        digest, _, picture = _place(key).read_bytes().partition(b"\n")
    except (OSError, RuntimeError):
        return None
    return picture.decode() if digest == _digest(picture) else None


def _write(key: str, picture: str) -> None:
    content = picture.encode()
    try:
        place = _place(key)
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=place.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_digest(content) + b"\n" + content)
            os.replace(temporary, place)
        except OSError:
            os.unlink(temporary)
    except (OSError, RuntimeError):
        pass


def _digest(content: bytes) -> bytes:
    return sha256(content).hexdigest().encode()
