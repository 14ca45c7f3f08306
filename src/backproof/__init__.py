"""Write the forward pass of a neural network; read, run and check its backward pass.

>>> import backproof as bp
>>> net = bp.Network(inputs=3, layers=[bp.Dense(4, "tanh"), bp.Dense(3, "sigmoid")], loss="binary_cross_entropy")
>>> derivation = bp.derive(net)
>>> [str(step.symbol) for step in derivation.backward]
['dA[2]', 'dZ[2]', 'dW[2]', 'db[2]', 'dA[1]', 'dZ[1]', 'dW[1]', 'db[1]']
"""

from __future__ import annotations

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "BackproofError",
    "Dense",
    "Derivation",
    "Diagnosis",
    "DivergedError",
    "Network",
    "PlanReport",
    "RMSprop",
    "Report",
    "Trace",
    "Trained",
    "TrainedFunction",
    "check",
    "derive",
    "diagnose",
    "explain_plan",
    "export",
    "fit",
    "fit_function",
    "load",
    "render",
    "run",
]

_HOMES = {
    "SGD": "backproof.training.optimisers",
    "Adam": "backproof.training.optimisers",
    "AdamW": "backproof.training.optimisers",
    "BackproofError": "backproof.ir.errors",
    "Dense": "backproof.frontends.network",
    "Derivation": "backproof.derivation.derivation",
    "Diagnosis": "backproof.checking.diagnosis",
    "DivergedError": "backproof.training.divergence",
    "Network": "backproof.frontends.network",
    "PlanReport": "backproof.training.plan_report",
    "RMSprop": "backproof.training.optimisers",
    "Report": "backproof.checking.report",
    "Trace": "backproof.execution.trace",
    "Trained": "backproof.training.trained",
    "TrainedFunction": "backproof.training.trained",
    "check": "backproof.api",
    "derive": "backproof.api",
    "diagnose": "backproof.api",
    "explain_plan": "backproof.api",
    "export": "backproof.api",
    "fit": "backproof.api",
    "fit_function": "backproof.api",
    "load": "backproof.api",
    "render": "backproof.api",
    "run": "backproof.api",
}


def __getattr__(name: str) -> object:
    """Public names are imported when they are first used: `import backproof` itself costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'backproof' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def load_ipython_extension(shell: object) -> None:
    """What ``%load_ext backproof`` calls."""
    from backproof.ipython import load

    load(shell)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
