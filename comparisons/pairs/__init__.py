"""The table of pairs: what of scratch is held against what of reference, on which inputs. No logic.

Each row names a topic and a name that both sides have. `kind` says how the two are compared:

    function    value and gradients of a function (value, backward)
    layer       value, gradients and state of a layer, in training and inference
    loss        a loss object's reduced value and gradient
    values      values alone: metrics as functions
    path        values that each follow from the last, as the points of a descent
    metric      a metric object over several batches
    optimizer   weights after 100 steps
    schedule    the learning rates of 200 steps
    constraint  a constraint object's weights
    regularizer a regularizer object's penalty and gradient
    draw        random numbers and initial weights, as bits

Shapes are non-square and odd. An input is a shape ("5x3"), with a kind of numbers after a colon:
"7:int:4" integers below 4, "5x3:simplex" rows that sum to one, "5x3:unit" between 0 and 1,
"5x3:positive".
"""

from . import (
    activations,
    attention,
    augmentation,
    branches,
    constraints,
    convolution,
    dense,
    descent,
    draws,
    dropout,
    embedding,
    losses,
    merging,
    metrics,
    normalization,
    optimizers,
    perceptrons,
    pooling,
    recurrent,
    regression,
    regularizers,
    reshaping,
    residual,
    schedules,
    tensors,
)
from .pair import Pair

__all__ = ["PAIRS", "UNPAIRED", "Pair"]

_TABLES = (
    tensors,
    perceptrons,
    descent,
    regression,
    activations,
    dense,
    losses,
    metrics,
    draws,
    optimizers,
    schedules,
    regularizers,
    constraints,
    normalization,
    dropout,
    embedding,
    convolution,
    pooling,
    recurrent,
    reshaping,
    merging,
    residual,
    branches,
    attention,
    augmentation,
)
PAIRS: tuple[Pair, ...] = tuple(row for table in _TABLES for row in table.rows())

UNPAIRED = {
    "config": "settings, not mathematics; tests hold them",
    "tensors.LAYOUTS": "names of axes",
    "tensors.attributes": "names what an array is; tests hold it",
    "models": "compared whole: each is trained by an experiment",
    "network": "the training loop, compared by every experiment",
    "dense.NaiveDense": "tests hold it against its twin: it takes an activation, not an argument",
    "dense.NaiveSequential": "as NaiveDense",
    "dense.BatchGenerator": "cuts arrays into batches; tests hold it against its twin",
    "activations.get": "looks up a name; tests hold it",
    "activations.sparsemax": "Keras's is not the published function; tests hold both as they are",
    "augmentation.affine_transform": "TensorFlow's gradient is no derivative; tests hold values",
    "augmentation.RandomRotation": "as affine_transform",
    "augmentation.RandomTranslation": "as affine_transform",
    "augmentation.RandomZoom": "as affine_transform",
    "initializers.get": "looks up a name; tests hold it",
    "losses.get": "looks up a name; tests hold it",
    "metrics.get": "looks up a name; tests hold it",
    "metrics.MeanMetricWrapper": "the mean of any function: that of each metric above it",
    "optimizers.get": "looks up a name; tests hold it",
    "regularizers.get": "looks up a name; tests hold it",
    "constraints.get": "looks up a name; tests hold it",
    "initializers.Initializer": "the base class",
    "losses.Loss": "the base class",
    "metrics.Metric": "the base class",
    "optimizers.Optimizer": "the base class",
    "schedules.LearningRateSchedule": "the base class",
    "recurrent.scan": "takes a cell, not an argument; every layer of its topic runs it",
    "regularizers.Regularizer": "the base class",
    "constraints.Constraint": "the base class",
    "random.SeedGenerator": "the stream behind every draw; tests hold its states",
    "random.set_random_seed": "the seed behind every comparison; tests hold what follows from it",
}
