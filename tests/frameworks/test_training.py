"""Steps of a training beside those of PyTorch's optimisers, in double precision."""

from __future__ import annotations

import numpy as np
import pytest

import backproof as bp

pytestmark = pytest.mark.frameworks
torch = pytest.importorskip("torch")

NETWORK = bp.Network(4, [bp.Dense(6, "tanh"), bp.Dense(3, "softmax")], loss="categorical_cross_entropy")
RNG = np.random.default_rng(0)
START = {"W[1]": RNG.normal(size=(6, 4)), "b[1]": RNG.normal(size=(1, 6))}
START |= {"W[2]": RNG.normal(size=(3, 6)), "b[2]": RNG.normal(size=(1, 3))}
X, LABELS = RNG.normal(size=(30, 4)), RNG.integers(0, 3, 30)
RATE = 0.05

PAIRS = [
    (bp.SGD(RATE), lambda p: torch.optim.SGD(p, lr=RATE)),
    (bp.SGD(RATE, momentum=0.9), lambda p: torch.optim.SGD(p, lr=RATE, momentum=0.9)),
    (bp.SGD(RATE, momentum=0.9, nesterov=True), lambda p: torch.optim.SGD(p, lr=RATE, momentum=0.9, nesterov=True)),
    (bp.RMSprop(RATE), lambda p: torch.optim.RMSprop(p, lr=RATE)),
    (bp.Adam(RATE), lambda p: torch.optim.Adam(p, lr=RATE)),
    (bp.AdamW(RATE), lambda p: torch.optim.AdamW(p, lr=RATE)),
]


@pytest.mark.parametrize("clip", [None, 0.1])
@pytest.mark.parametrize(("ours", "theirs"), PAIRS)
def test_the_same_steps(ours, theirs, clip: float | None) -> None:
    found = bp.fit(
        NETWORK,
        {"X": X, "Y": LABELS},
        epochs=3,
        batch=10,
        optimiser=ours,
        clip=clip,
        shuffle=False,
        parameters=START,
        dtype="float64",
    )
    weights = {name: torch.tensor(array, requires_grad=True) for name, array in START.items()}
    optimiser = theirs(list(weights.values()))
    losses = []
    for _ in range(3):
        total = 0.0
        for k in range(0, 30, 10):
            optimiser.zero_grad()
            hidden = torch.tanh(torch.tensor(X[k : k + 10]) @ weights["W[1]"].T + weights["b[1]"])
            scores = hidden @ weights["W[2]"].T + weights["b[2]"]
            loss = torch.nn.functional.cross_entropy(scores, torch.tensor(LABELS[k : k + 10]))
            loss.backward()
            if clip is not None:
                length = torch.sqrt(sum((w.grad**2).sum() for w in weights.values()))
                for w in weights.values():
                    w.grad *= clip / max(float(length), clip)
            optimiser.step()
            total += float(loss.detach()) / 3
        losses.append(total)
    np.testing.assert_allclose([epoch.loss for epoch in found.history], losses, rtol=1e-9)
    for name, w in weights.items():
        np.testing.assert_allclose(found.parameters[name], w.detach().numpy(), rtol=1e-8, atol=1e-12)
