"""The same names with Keras and TensorFlow, whose GradientTape supplies every backward."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

# Keras reads the variable when it is imported
from . import (
    activations,
    attention,
    config,
    constraints,
    convolution,
    dense,
    descent,
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
    perceptrons,
    pooling,
    random,
    recurrent,
    regression,
    regularizers,
    reshaping,
    schedules,
    tensors,
)

__all__ = [
    "activations",
    "attention",
    "config",
    "constraints",
    "convolution",
    "dense",
    "descent",
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
    "perceptrons",
    "pooling",
    "random",
    "recurrent",
    "regression",
    "regularizers",
    "reshaping",
    "schedules",
    "tensors",
]
