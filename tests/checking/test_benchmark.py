"""A slice of the doctor's benchmark, and that the benchmark itself is right: networks, mistakes and rewrites."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks" / "doctor"))

from case import Case, cases, is_wrong, kinds, published
from judge import NOT_RECOGNISED, alarmed, judged
from network import SEEDS, Network, arguments, module, networks, returned
from reference import places
from rewrite import rewrites

from backproof.checking.mistakes.table import KINDS as MISTAKES

SEEN = [network for network in networks() if not network.unseen]
FAST = ("two_layer", "softmax_onehot", "residual", "class_net", "attention")
KINDS = ("sign", "factor 2 extra", "activation derivative left out", "bias gradient not summed")


def chosen(network: Network) -> list[Case]:
    """The first case of each of some kinds."""
    return [case for case in cases(network) if case.kind in KINDS and case.name.endswith("/0")]


@pytest.fixture(scope="module", params=FAST)
def fast(request: pytest.FixtureRequest) -> Network:
    (network,) = (n for n in SEEN if n.name == request.param)
    return network


@pytest.mark.parametrize("network", networks(), ids=lambda network: network.name)
def test_the_networks_are_right(network: Network) -> None:
    for seed in SEEDS:
        given = arguments(network.source, seed)
        gradients = returned(network.source, given)
        assert len(set(places(gradients, module(network.source).forward, given).values())) == len(gradients)


@pytest.mark.parametrize("network", networks(), ids=lambda network: network.name)
def test_what_is_declared_is_wrong(network: Network) -> None:
    right = [returned(network.source, arguments(network.source, seed)) for seed in SEEDS]
    declared = [*published(network)]
    assert {case.kind for case in declared} | {wrong["kind"] for wrong in network.wrong} <= kinds().keys()
    for case in declared:
        assert case.lines
        assert is_wrong(case.source, right), case.name


def test_every_answer_that_is_accepted_is_one_of_the_doctor() -> None:
    accepted = {name for kind in kinds().values() for name in kind["names"]}
    assert accepted <= {kind.name for kind in MISTAKES} | {NOT_RECOGNISED}


def test_the_doctor_finds_places_names_and_corrects(fast: Network) -> None:
    found = {case.name: judged(case) for case in chosen(fast)}
    assert found
    failed: dict[str, Any] = {name: o.said for name, o in found.items() if not o.corrected}
    assert not failed
    assert all(o.detected and o.placed and o.named for o in found.values())


def test_the_doctor_leaves_alone_what_is_right(fast: Network) -> None:
    for right in [*rewrites(fast)][::4]:
        outcome = alarmed(right.name, right.source)
        assert not outcome.detected, (right.name, outcome.said)
