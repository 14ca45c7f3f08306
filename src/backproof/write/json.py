"""A derivation as JSON, for programs: every equation as LaTeX, as plain text and as a tree of operations.

The form is described by ``templates/derivation.schema.json``; `VERSION` grows when it changes incompatibly.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from backproof.derivation.derivation import Derivation, Jacobian
from backproof.derivation.steps import BackwardStep, CompositeFacts, ForwardStep, FunctionFacts, Path, Rewrite
from backproof.ir.node import Node
from backproof.ir.sizes import ONE, Index, Shape, Size
from backproof.ops.entries import LetterPool, at, entry_of, row_of
from backproof.ops.linear import restated
from backproof.ops.shaping import Slot
from backproof.write.contributions import apart
from backproof.write.expansion import missing
from backproof.write.jacobians import entry, whole
from backproof.write.math import Math
from backproof.write.math_latex import latex
from backproof.write.math_unicode import linear
from backproof.write.opening import result_of, samples_are_columns
from backproof.write.outline import plain
from backproof.write.reasons import backward_reasons, contribution, forward_reason, meaning
from backproof.write.spell import partial, spell, spell_as_part, symbol

VERSION = 1


def derivation_json(derivation: Derivation, *, title: str = "") -> str:
    """The derivation as JSON text, ending in a line break."""
    last = derivation
    derivation = derivation.first or derivation
    content = {
        "schema": "backproof/derivation",
        "version": VERSION,
        "title": title,
        "mean": derivation.mean,
        "layout": "columns" if samples_are_columns(derivation) else "rows",
        "sizes": [_size(size) for size in _sizes(derivation.graph.inputs)],
        "inputs": [_input(node, node in derivation.graph.parameters) for node in derivation.graph.inputs],
        "functions": [_function(facts) for facts in derivation.functions],
        "forward": [_forward(step, derivation) for step in derivation.forward],
        "backward": [_backward(step, derivation) for step in derivation.backward],
    }
    if last.first is not None:
        content["second"] = _second(last)
    if last.jacobians:
        content["jacobians"] = [_jacobian(jacobian) for jacobian in last.jacobians]
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _sizes(nodes: Iterable[Node]) -> list[Size]:
    return list(dict.fromkeys(size for node in nodes for size in node.shape if size != ONE))


def _size(size: Size) -> dict[str, Any]:
    return {"name": size.name, "value": size.value, "samples": size.samples}


def _shape(shape: Shape) -> list[str]:
    return [size.name for size in shape]


def formula(math: Math) -> dict[str, str]:
    """A formula as LaTeX and as plain text."""
    return {"latex": latex(math), "text": linear(math)}


def _input(node: Node, parameter: bool) -> dict[str, Any]:
    return {
        "symbol": str(node.symbol),
        "shape": _shape(node.shape),
        "parameter": parameter,
        **formula(spell_as_part(node)),
    }


def _function(facts: FunctionFacts | CompositeFacts) -> dict[str, Any]:
    slope = partial(facts.call, facts.argument) if isinstance(facts, CompositeFacts) else spell(facts.slope)
    return {
        "name": facts.name,
        "about": facts.about,
        "call": formula(spell(facts.call)),
        "definition": None if facts.definition is None else formula(spell(facts.definition)),
        "derivative": {**formula(slope), "forms": [formula(spell(form)) for form in facts.slope_forms]},
    }


def _forward(step: ForwardStep, derivation: Derivation) -> dict[str, Any]:
    source = derivation.sources.get(step.node)
    return {
        **_quantity(step.node),
        "rule": row_of(step.raw).name,
        "reason": "" if derivation.sources else plain(forward_reason(step.raw)),
        "source": {"place": source.place, "text": source.text} if source else None,
        "forms": _forms(step.raw, step.rewrites),
    }


def _backward(step: BackwardStep, derivation: Derivation) -> dict[str, Any]:
    same, assuming = derivation.correlations.get(step), derivation.assuming.get(step, ())
    return {
        **_quantity(step.node),
        "by": str(step.of.symbol),
        "derivative_of": step.symbol.second or step.symbol.of,
        "forms": _forms(step.raw, step.rewrites),
        "contributions": [_contribution(step, consumer, x, derivation) for consumer, x in apart(step).items()],
        **({"assuming": _rewritten(assuming)} if assuming else {}),
        **({"correlation": _rewritten((same,))[0]} if same is not None else {}),
        "paths": [_path(path) for path in step.paths],
        "reasons": [plain(sentence) for sentence in backward_reasons(step, result_of(derivation))],
        "proofs": [
            {"through": None if through is None else str(through), "entry": _entry_form(proof.result)}
            for proof in derivation.proofs(step)
            for through in (proof.consumer.symbol,)
        ],
    }


def _contribution(step: BackwardStep, consumer: Node, x: Node, derivation: Derivation) -> dict[str, Any]:
    """What comes back from one of several quantities that use a value, as `contributions.lines` writes it."""
    return {
        "through": None if consumer.symbol is None else str(consumer.symbol),
        "name": formula(contribution(step, consumer, result_of(derivation))),
        **formula(spell(restated(x))),
        "tree": _tree(x),
    }


def _second(derivation: Derivation) -> dict[str, Any]:
    """What a derivation of the second order adds: directions, the scalar made of them, and its derivatives."""
    (scalar,) = derivation.graph.outputs
    return {
        "directions": [_direction(v, x) for v, x in derivation.directions.items()],
        "scalar": {**_quantity(scalar), "forms": _forms(scalar, ())},
        "backward": [_backward(step, derivation) for step in derivation.backward],
    }


def _jacobian(jacobian: Jacobian) -> dict[str, Any]:
    """A Jacobian or a Hessian: the steps of its product with a vector, and its formulas, null where there is none."""
    matrix = jacobian.matrix
    return {
        "symbol": str(jacobian.symbol),
        "of": str(jacobian.of.symbol),
        "by": str(jacobian.by.symbol),
        "shape": _shape(jacobian.shape),
        "vector": str(jacobian.direction.symbol),
        "steps": [_backward(step, jacobian.product) for step in jacobian.product.backward],
        "product": None if jacobian.applied is None else _forms(jacobian.applied, ())[0],
        "matrix": None if matrix is None else {"name": formula(whole(jacobian)), **_forms(matrix, ())[0]},
        "entry": None
        if jacobian.entry is None
        else {"name": formula(entry(jacobian)), "value": _entry_form(jacobian.entry)},
    }


def _direction(v: Node, x: Node) -> dict[str, Any]:
    return {"symbol": str(v.symbol), "of": str(x.symbol), "shape": _shape(v.shape), **formula(spell_as_part(v))}


def _quantity(node: Node) -> dict[str, Any]:
    assert node.symbol is not None
    place = LetterPool().place(node.shape)
    return {
        "symbol": str(node.symbol),
        "shape": _shape(node.shape),
        **formula(symbol(node.symbol)),
        "entry": {"name": formula(spell_as_part(at(node, place))), "value": _entry_form(entry_of(node, place))},
    }


def _forms(raw: Node, rewrites: tuple[Rewrite, ...]) -> list[dict[str, Any]]:
    """The right sides of the equation from the rule's form to the one that is computed."""
    return [_form(raw, ""), *_rewritten(rewrites)]


def _rewritten(rewrites: tuple[Rewrite, ...]) -> list[dict[str, Any]]:
    return [_form(rewrite.result, plain(meaning(rewrite))) for rewrite in rewrites]


def _form(node: Node, why: str) -> dict[str, Any]:
    return {"meaning": why, **formula(spell(node)), "tree": _tree(node, top=True)}


def _entry_form(form: Node) -> dict[str, str]:
    """The formula of one entry; where there are terms that are 0 because there is no such entry, which ones."""
    told = plain(missing([form]))
    return {**formula(spell(form)), **({"where": told} if told else {})}


def _path(path: Path) -> dict[str, Any]:
    consumer = path.consumer.symbol
    links = [{"rule": link.row.name, "position": link.position} for link in path.links]
    return {"through": None if consumer is None else str(consumer), "links": links}


def _tree(node: Node, *, top: bool = False) -> Any:
    """The operations of one equation: a quantity by its name, an operation with its inputs and attributes."""
    if node.symbol is not None and not top:
        return str(node.symbol)
    attrs = {key: _plain(value) for key, value in node.attrs.items() if key not in ("labels", "sums_to_one", "of")}
    return {
        "operation": row_of(node).name,
        "inputs": [_tree(x) for x in node.inputs],
        **({"attributes": attrs} if attrs else {}),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Size | Index | slice | Slot):
        return str(value)
    if isinstance(value, complex):
        return {"re": value.real, "im": value.imag}
    return [_plain(x) for x in value] if isinstance(value, tuple) else value
