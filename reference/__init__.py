"""The same names with Keras and TensorFlow, whose GradientTape supplies every backward."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

# Keras reads the variable when it is imported
from . import (
    activations,
    attention,
    augmentation,
    config,
    constraints,
    convolution,
    dense,
    dropout,
    embedding,
    initializers,
    losses,
    merging,
    metrics,
    models,
    network,
    normalization,
    optimizers,
    pooling,
    random,
    regularizers,
    reshaping,
    schedules,
)

__all__ = [
    "activations",
    "attention",
    "augmentation",
    "config",
    "constraints",
    "convolution",
    "dense",
    "dropout",
    "embedding",
    "initializers",
    "losses",
    "merging",
    "metrics",
    "models",
    "network",
    "normalization",
    "optimizers",
    "pooling",
    "random",
    "regularizers",
    "reshaping",
    "schedules",
]
