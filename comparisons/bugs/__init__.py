"""The gallery of classic gradient bugs: data on top of a right function, judged by the checker."""

import difflib

from . import (
    activations,
    attention,
    augmentation,
    branches,
    convolution,
    dense,
    descent,
    embedding,
    losses,
    merging,
    normalization,
    notes,
    optimizers,
    perceptrons,
    pooling,
    random,
    recurrent,
    regression,
    regularizers,
    reshaping,
    residual,
    tensors,
)
from .bug import Bug, planted, right_and_wrong_source
from .checking import check, is_caught, is_equivalent, judge
from .training import train

__all__ = [
    "BUGS",
    "Bug",
    "check",
    "find",
    "is_caught",
    "is_equivalent",
    "judge",
    "planted",
    "right_and_wrong_source",
    "train",
]

TOPICS = (
    tensors,
    perceptrons,
    descent,
    regression,
    activations,
    losses,
    dense,
    convolution,
    pooling,
    normalization,
    random,
    reshaping,
    merging,
    residual,
    branches,
    attention,
    augmentation,
    embedding,
    recurrent,
    regularizers,
    optimizers,
    notes,
)
BUGS: tuple[Bug, ...] = tuple(bug for topic in TOPICS for bug in topic.BUGS)


def find(name: str) -> Bug:
    """The bug of that name. ValueError, with the nearest names, where there is none."""
    by_name = {bug.name: bug for bug in BUGS}
    if name in by_name:
        return by_name[name]
    near = difflib.get_close_matches(name, by_name, n=3) or ["one that `twofold bugs` lists"]
    raise ValueError(f"no bug is called {name!r}; did you mean {' or '.join(near)}?")
