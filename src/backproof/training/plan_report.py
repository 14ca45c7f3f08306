"""How a step is carried out, as data and as a document."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from backproof.emit.regions import Region
from backproof.write.doc import Block, Code, Document, Heading, Inline, Paragraph, Table

SCHEMA = 1
SPACE = "\u00a0"
BESIDE = f"{SPACE}×{SPACE}"
"""No line breaks in a number with its unit, or between axes."""


@dataclass(frozen=True, slots=True)
class PlanReport:
    """The regions of a step in the order in which they run, and what each takes.

    engine   what carries it out: "native" or "numpy"
    note     why it is not the native one, where it is not
    machine  what the code is made for
    batch    how many samples a step takes
    dtype    "float32" or "float64"
    bytes    how much memory its own arrays take: parameters, what the optimiser keeps, and values on the way
    step     about how many seconds a whole step takes
    regions  what is done in one go
    seconds  about how long each of them takes alone
    """

    engine: str
    note: str
    machine: str
    batch: int
    dtype: str
    bytes: int
    step: float
    regions: tuple[Region, ...]
    seconds: tuple[float, ...]

    @property
    def shares(self) -> tuple[float, ...]:
        """Which part of the time of all regions each takes."""
        whole = sum(self.seconds)
        return tuple(x / whole for x in self.seconds)

    def json(self) -> str:
        """The report as JSON text, ending in a line break."""
        content = {"schema": "backproof/plan", "version": SCHEMA, **asdict(self)}
        return json.dumps(content, ensure_ascii=False, indent=1) + "\n"

    def document(self) -> Document:
        """The report as a document with one table."""
        size = {"float32": 4, "float64": 8}[self.dtype]
        heads = ("how", "computes", "over", "operations", "read", "written", "time", "share")
        rows = tuple(_row(*parts, size) for parts in zip(self.regions, self.seconds, self.shares, strict=True))
        header: tuple[Inline, ...] = tuple((text,) for text in heads)
        how = "Native code" if self.engine == "native" else "Generated code"
        about = (
            f"{how} ({self.machine}) takes a step of {self.batch} samples in {_time(self.step)}, in {self.dtype}. "
            f"Its own arrays take {_bytes(self.bytes)}."
        )
        blocks: list[Block] = [Heading(1, ("The plan of a step",)), Paragraph((about,))]
        blocks.append(Table(header, rows, "lllrrrrr"))
        if self.note:
            blocks.append(Paragraph((f"In NumPy: {self.note}.",)))
        blocks.append(Paragraph((self._told(),)))
        return Document("The plan of a step", tuple(blocks))

    def _told(self) -> str:
        counted = "A product counts two operations for each of its terms, anything else one for each entry."
        if self.engine == "native":
            return f"{counted} The time of each region is that of running it alone; shares are of their sum."
        return f"{counted} The time of each region is that of its lines, with the clock read after each."


def _row(region: Region, seconds: float, share: float, size: int) -> tuple[Inline, ...]:
    computes: list[Code | str] = []
    for name in region.computes:
        computes += [", ", Code(name)] if computes else [Code(name)]
    return (
        (region.kind,),
        tuple(computes),
        (BESIDE.join(region.over),),
        (f"{region.operations:,}",),
        (_bytes(region.read * size),),
        (_bytes(region.written * size),),
        (_time(seconds),),
        (f"{share:.0%}",),
    )


def _bytes(count: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= factor:
            return f"{count / factor:.3g}{SPACE}{unit}"
    return f"{count}{SPACE}B"


def _time(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= factor:
            return f"{seconds / factor:.3g}{SPACE}{unit}"
    return f"{seconds / 1e-9:.3g}{SPACE}ns"
