"""Deep learning from scratch: NumPy forward passes that return their own hand-written backward."""

from . import (
    activations,
    config,
    dense,
    dropout,
    embedding,
    initializers,
    losses,
    metrics,
    models,
    network,
    normalization,
    optimizers,
    random,
    reshaping,
    schedules,
)

__all__ = [
    "activations",
    "config",
    "dense",
    "dropout",
    "embedding",
    "initializers",
    "losses",
    "metrics",
    "models",
    "network",
    "normalization",
    "optimizers",
    "random",
    "reshaping",
    "schedules",
]
