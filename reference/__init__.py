"""The same names with Keras and TensorFlow, whose GradientTape supplies every backward."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

from . import (  # noqa: E402, because Keras reads the variable when it is imported
    activations,
    config,
    constraints,
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
    regularizers,
    reshaping,
    schedules,
)

__all__ = [
    "activations",
    "config",
    "constraints",
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
    "regularizers",
    "reshaping",
    "schedules",
]
