"""What a mistake is: a kind with a name of its own, and the edits of a right equation that it consists of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from backproof.checking.equations import inside, operands
from backproof.ir.node import Node
from backproof.ops.arithmetic import add, div, mul, power, sub
from backproof.ops.elementary import pieces
from backproof.ops.leaves import constant_, size_


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What an equation stands among.

    of            the quantity whose derivative it is
    quantities    every quantity of the forward pass, the inputs included
    gradients     the derivative by each
    divisors      what the forward pass divides by: the lengths and numbers of its means
    """

    of: Node
    quantities: tuple[Node, ...]
    gradients: Mapping[Node, Node]
    divisors: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One edit: the sentence that says what is wrong, what makes the edited right side, and what the sentence names.

    In the sentence ``{0}`` stands for the first of `named`.
    """

    says: str
    make: Callable[[], Node]
    named: tuple[Node, ...] = ()


Edits = Callable[[Node, Context], Iterator[Candidate]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of mistake.

    name     what it is called in reports and in data; it stays
    about    what it is, for a learner
    wrong    a line with the mistake
    right    the line as it has to be
    """

    name: str
    about: str
    wrong: str
    right: str


@dataclass(frozen=True, slots=True)
class Mistake(Kind):
    """A row of the table.

    edits    every edit of an equation that is this mistake
    written  what stands in the code of whoever made it, as a regular expression; nothing where that may be anything
    """

    edits: Edits
    written: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Edited:
    """A right side as a mistake makes it. `says` names the mistake; in it, ``{0}`` stands for the first of `named`."""

    mistake: str
    node: Node
    says: str
    named: tuple[Node, ...] = ()

    def then(self, second: Edited) -> Edited:
        """This mistake and a second one in its equation."""
        shifted = re.sub(r"\{(\d+)\}", lambda match: f"{{{int(match[1]) + len(self.named)}}}", second.says)
        mistake, says = f"{self.mistake} and {second.mistake}", f"{self.says}, and {shifted}"
        return Edited(mistake, second.node, says, self.named + second.named)


def nameable(nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Those that a sentence can name: quantities, sizes and numbers."""
    return tuple(x for x in nodes if x.symbol is not None or x.op in (size_, constant_))


def is_derivative(node: Node) -> bool:
    """Whether it is a quantity of the backward pass."""
    return node.symbol is not None and node.symbol.of is not None


def is_slope(node: Node) -> bool:
    """Whether a factor looks like the derivative of an activation: a formula in one forward quantity and numbers."""
    if node.symbol is not None or node.op not in (add, sub, mul, div, power, pieces):
        return False
    found, made_of = operands(node), inside(node)
    curved = any(x.op in (add, sub, div, power, pieces) and operands(x) for x in made_of)
    return len(found) == 1 and not is_derivative(found[0]) and curved and any(x.op is constant_ for x in made_of)


def misshapen(gradient: Node, parameter: Node) -> Edited:
    """The mistake of a gradient that has the right numbers in a shape that its parameter does not have."""
    says = "the numbers are right, but they are not in the shape of {0}"
    return Edited("wrong shape", gradient, says, (parameter,))
