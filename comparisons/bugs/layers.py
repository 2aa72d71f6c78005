"""Layers: a bug in one is judged in training and inference, with its weights and its state."""

import importlib
from functools import partial

import numpy as np

from comparisons.agreement import for_both
from comparisons.gradients import GradientReport, check_layer
from comparisons.gradients.inputs import generator
from comparisons.gradients.sides import Call, Mine
from comparisons.gradients.subject import Subject
from comparisons.witnesses import Arrays

from .bug import Bug, resolve
from .observing import cast, two_calls
from .scaling import scaled_layer


def is_one(checked: str) -> bool:
    thing = resolve(checked)
    return isinstance(thing, type) and issubclass(thing, resolve("network.Layer"))


def check(bug: Bug, inputs: dict, seed: int, scale: float, dtype: str) -> GradientReport:
    """The report on the layer beside Keras's."""
    topic, name = bug.checked.split(".")
    twin = getattr(importlib.import_module(f"reference.{topic}"), name)
    ours, theirs = _made(bug, (resolve(bug.checked), twin), scale, dtype)
    arranged = list(inputs.values()) if len(inputs) > 1 else next(iter(inputs.values()))
    options = {"seed": seed, "dtype": dtype, "zero": bug.zero, "name": bug.checked}
    options["arguments"] = _keywords(bug)
    return check_layer(ours, theirs, arranged, **options)


def _made(bug, classes, scale, dtype):
    """A layer of each class: scratch's, and the reference's if it is there."""
    pairs = zip(classes, for_both(bug.arguments, dtype), strict=False)
    return [scaled_layer(layer, scale)(**how, dtype=dtype) for layer, how in pairs]


def _keywords(bug):
    return {keyword: np.array(value) for keyword, value in bug.call.items()}


def observed(bug: Bug, inputs: dict, seed: int, scale: float, precision) -> Arrays | None:
    """Values, state and gradients in training and in inference, in a precision."""
    dtype = "float32" if precision == "float32" else "float64"
    given = list(inputs.values())
    call = Call(given, len(given) > 1, _keywords(bug))
    (ours,) = _made(bug, [resolve(bug.checked)], scale, dtype)
    layer = Mine(ours, call)
    weights = [_positive(weight, seed, place) for place, weight in enumerate(layer.weights)]
    states = [_positive(state, seed, -1) for state in layer.states]
    arrays = [cast(array, precision) for array in (*given, *weights)]
    names = [str(place) for place in range(len(arrays))]
    seen = []
    for training in (True, False):
        run = partial(_run, layer, states, training)
        subject = Subject(bug.name, run, names, [0], [str(state.shape) for state in states])
        calls = two_calls(subject, arrays, seed, precision)
        if calls is None:
            return None
        seen += calls
    return seen


def _run(layer: Mine, states: Arrays, training: bool, *arrays):
    return layer.run(arrays, states, training)


def _positive(array: np.ndarray, seed: int, place: int) -> np.ndarray:
    """Random numbers in its place, positive as a variance has to be; counters stay as they are."""
    if array.dtype.kind != "f":
        return array
    return generator(f"weight {place}", seed).uniform(0.5, 1.5, array.shape)
