"""All that a caller can see of a function (value, backward)."""

import numpy as np

from comparisons.gradients.contract import upstream
from comparisons.gradients.subject import Failure, Subject, as_list
from comparisons.witnesses import Arrays


def two_calls(subject: Subject, inputs: Arrays, seed: int, precision) -> Arrays | None:
    """Values and gradients, those of a call with other inputs, the first gradients once more.

    Then what is left of the inputs and of the upstream gradient. None where a call fails.
    """
    try:
        values, backward = subject.run(inputs)
        dys = [cast(dy, precision) for dy in upstream(subject, values, seed)]
        gradients = as_list(backward(dys))
        others, backward_there = subject.run([elsewhere(array) for array in inputs])
        again, there = as_list(backward(dys)), as_list(backward_there(dys))
    except Failure:
        return None
    seen = [*values, *others, *gradients, *again, *there, *inputs, *dys]
    return [np.array(array) for array in seen]


def elsewhere(array: np.ndarray) -> np.ndarray:
    """Other inputs of the same kind: the same numbers in the reverse order."""
    return array.ravel()[::-1].reshape(array.shape).copy()


def cast(array: np.ndarray, precision) -> np.ndarray:
    """A copy, of real numbers in the precision."""
    return array.astype(precision) if array.dtype.kind == "f" else array.copy()
