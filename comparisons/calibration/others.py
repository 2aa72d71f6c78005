"""Two other checkers on the same gallery, as they are usually called."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from comparisons.bugs import BUGS, Bug, is_caught, is_equivalent, judge, layers, planted, steps
from comparisons.bugs.checking import drawn, sides
from comparisons.bugs.scaling import scaled
from comparisons.gradients.checks import differentiated
from comparisons.gradients.subject import as_list

from .counts import Show, silent

Checker = Callable[[Callable, Sequence[np.ndarray], Sequence[int]], bool]

# what no comparison of a backward with differences of its own forward can see
ELSEWHERE = ("forward", "mutates dy", "not repeatable", "not zero at dy = 0", "kink")


def tensorflow(dtype: str, tolerance: float, function, arrays, positions) -> bool:
    """tf.test.compute_gradient with its own step of 1/1024: whether max_error < tolerance."""
    import tensorflow as tf

    arrays = [array.astype(dtype) if array.dtype.kind == "f" else array for array in arrays]
    inside = _in_tensorflow(function, arrays, positions)
    analytic, numeric = tf.test.compute_gradient(inside, [arrays[p] for p in positions])
    errors = [np.max(np.abs(a - n), initial=0.0) for a, n in zip(analytic, numeric, strict=True)]
    return bool(max(errors) < tolerance)


def _in_tensorflow(function, arrays, positions):
    """The function as a tf.custom_gradient of its differentiable inputs."""
    import tensorflow as tf

    @tf.custom_gradient
    def inside(*tensors):
        inputs = list(arrays)
        for position, tensor in zip(positions, tensors, strict=True):
            inputs[position] = tensor.numpy()
        value, backward = function(*inputs)

        def gradient(dy):
            return [tf.convert_to_tensor(g) for g in as_list(backward(dy.numpy()))]

        return tf.convert_to_tensor(value), gradient

    return inside


def central_difference(function, arrays, positions, step=1e-6, atol=1e-5, rtol=1e-3) -> bool:
    """|analytic - numeric| <= atol + rtol * |numeric|, with the numbers of torch's gradcheck."""
    value, backward = function(*arrays)
    numeric = [_jacobian(function, arrays, position, step) for position in positions]
    for k in range(np.size(value)):
        dy = np.zeros(np.shape(value))
        dy.flat[k] = 1.0
        for given, jacobian in zip(as_list(backward(dy)), numeric, strict=True):
            expected = jacobian[..., k]
            if given.shape != expected.shape:
                return False
            if not np.all(np.abs(given - expected) <= atol + rtol * np.abs(expected)):
                return False
    return True


def _jacobian(function, arrays, position, step) -> np.ndarray:
    """d value[k] / d arrays[position][index] at [index, k], by central differences."""
    columns = [
        (
            _moved(function, arrays, position, index, step)
            - _moved(function, arrays, position, index, -step)
        )
        / (2 * step)
        for index in np.ndindex(arrays[position].shape)
    ]
    return np.reshape(columns, (*arrays[position].shape, -1))


def _moved(function, arrays, position, index, step) -> np.ndarray:
    moved = list(arrays)
    moved[position] = arrays[position].copy()
    moved[position][index] += step
    return np.ravel(function(*moved)[0])


CHECKERS: dict[str, Checker] = {
    "tf.test.compute_gradient, float32, 1e-3": partial(tensorflow, "float32", 1e-3),
    "tf.test.compute_gradient, float32, 1e-4": partial(tensorflow, "float32", 1e-4),
    "tf.test.compute_gradient, float64, 1e-3": partial(tensorflow, "float64", 1e-3),
    "tf.test.compute_gradient, float64, 1e-4": partial(tensorflow, "float64", 1e-4),
    "central difference, step 1e-6, 1e-5 + 1e-3": central_difference,
}
OURS = "twofold"


@dataclass
class Score:
    """Of the bugs shown to a checker, those it missed; of the right variants, those it refused."""

    shown: int = 0
    missed: int = 0
    refused: int = 0


def side_by_side(
    seeds: int, settings, bugs: Sequence[Bug] = BUGS, show: Show = silent
) -> dict[str, Score]:
    """The score of each checker. Where a bug changes nothing it is not shown."""
    scores = {name: Score() for name in (OURS, *CHECKERS)}
    shown = comparable(bugs)
    for done, bug in enumerate(shown):
        show(done, len(shown), "other checkers")
        for seed in range(seeds):
            for scale, magnitude in settings:
                if not is_equivalent(bug, seed, scale, magnitude):
                    _score(scores, bug, seed, scale, magnitude)
    return scores


def comparable(bugs: Sequence[Bug]) -> list[Bug]:
    """The bugs that sit in a function and show in a gradient."""
    functions = [b for b in bugs if not (steps.is_one(b.checked) or layers.is_one(b.checked))]
    return [bug for bug in functions if bug.cause not in ELSEWHERE]


def _score(scores, bug, seed, scale, magnitude):
    right = _verdicts(bug, seed, scale, magnitude)
    with planted(bug):
        wrong = _verdicts(bug, seed, scale, magnitude)
    for name, score in scores.items():
        score.shown += 1
        score.missed += wrong[name]
        score.refused += not right[name]


def _verdicts(bug, seed, scale, magnitude) -> dict[str, bool]:
    """Whether each checker passes what stands in scratch now."""
    report = judge(bug, seed, scale, magnitude)
    arrays = drawn(bug, seed, magnitude, "float64")
    positions = differentiated(arrays, bug.constant, ())
    inputs = [np.array(array) for array in arrays.values()]
    verdicts = {OURS: not is_caught(bug, report)}
    for name, checker in CHECKERS.items():
        dtype = "float32" if "float32" in name else "float64"
        function, _, arguments = sides(bug, dtype)
        function = partial(scaled(function, scale), **arguments)
        verdicts[name] = _passes(checker, function, inputs, positions)
    return verdicts


def _passes(checker, function, inputs, positions) -> bool:
    """Whether the checker finds nothing; where it or the function fails, something is found."""
    try:
        with np.errstate(all="ignore"):
            return checker(function, inputs, positions)
    except Exception:
        return False
