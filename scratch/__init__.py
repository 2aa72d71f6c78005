"""Deep learning from scratch: NumPy forward passes that return their own hand-written backward."""

from . import (
    activations,
    config,
    dense,
    initializers,
    losses,
    metrics,
    models,
    network,
    normalization,
    optimizers,
    random,
)

__all__ = [
    "activations",
    "config",
    "dense",
    "initializers",
    "losses",
    "metrics",
    "models",
    "network",
    "normalization",
    "optimizers",
    "random",
]
