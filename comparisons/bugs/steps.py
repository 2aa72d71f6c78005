"""Optimizers: their steps beside those of Keras's optimizer, and what a step that differs means."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from comparisons.diagnosis import Evidence, diagnose
from comparisons.gradients import GradientReport
from comparisons.gradients.contract import Finding, same
from comparisons.gradients.inputs import generator
from comparisons.gradients.judgement import compare
from comparisons.gradients.report import Row
from comparisons.witnesses import Arrays

from .bug import Bug, resolve

STEPS = 6
SLOWER = 3  # the step from which on the learning rate is half of what it was

Weights = dict[str, np.ndarray]


def is_one(checked: str) -> bool:
    thing = resolve(checked)
    return isinstance(thing, type) and issubclass(thing, resolve("optimizers.Optimizer"))


def check(bug: Bug, weights: Weights, seed: int, scale: float, dtype: str) -> GradientReport:
    """A row per weight: its move in the first step that is not Keras's, else in the last."""
    report = GradientReport(bug.checked, dtype, seed)
    ours = moves(resolve(bug.checked)(**bug.arguments), weights, seed, scale)
    theirs = keras_moves(bug, weights, seed, scale)
    for step, (mine, right) in enumerate(zip(ours, theirs, strict=True), start=1):
        pairs = [*zip(weights, mine, right, strict=True)]
        report.rows = [_row(step, *pair) for pair in pairs]
        if report.verdict == "mismatch":
            wrong = [
                p for p, row in zip(pairs, report.rows, strict=True) if row.verdict == "mismatch"
            ]
            report.findings = [cause for pair in wrong for cause in _causes(bug, step, *pair)]
            break
    return report


@dataclass
class Move:
    """One weight before and after a step, the gradient that moved it, and its slots then."""

    gradient: np.ndarray
    before: np.ndarray
    after: np.ndarray
    slots: Weights = field(default_factory=dict)

    @property
    def move(self) -> np.ndarray:
        return self.after.astype(np.longdouble) - self.before

    @property
    def noise(self) -> np.ndarray:
        """One unit in the last place of the weight, before and after."""
        return np.spacing(np.abs(self.before)) + np.spacing(np.abs(self.after))


def moves(optimizer, weights: Weights, seed: int, scale: float) -> Iterator[list[Move]]:
    """The moves of all weights, step by step; from step SLOWER on at half the learning rate."""
    arrays = [np.array(weight) for weight in weights.values()]
    for step in range(STEPS):
        if step == SLOWER:
            optimizer.learning_rate = float(optimizer.learning_rate) / 2
        gradients, before = _gradients(arrays, seed, step, scale), [a.copy() for a in arrays]
        with np.errstate(all="ignore"):
            optimizer.apply([gradient.copy() for gradient in gradients], arrays)
        after = [a.copy() for a in arrays]
        yield [Move(*columns) for columns in zip(gradients, before, after, strict=True)]


def keras_moves(bug: Bug, weights: Weights, seed: int, scale: float) -> Iterator[list[Move]]:
    """The same by Keras's optimizer, run eagerly."""
    import keras
    import tensorflow as tf

    topic, name = bug.checked.split(".")
    optimizer = getattr(importlib.import_module(f"reference.{topic}"), name)(**bug.arguments)
    variables = [
        keras.Variable(weight, dtype=weight.dtype.name, name=name)
        for name, weight in weights.items()
    ]
    for step in range(STEPS):
        if step == SLOWER:
            optimizer.learning_rate = float(optimizer.learning_rate) / 2
        before = [variable.numpy().copy() for variable in variables]
        kept = [_slots(optimizer, name, " before") for name in weights]
        gradients = _gradients(before, seed, step, scale)
        optimizer.apply([tf.constant(gradient) for gradient in gradients], variables)
        after = [variable.numpy().copy() for variable in variables]
        slots = [old | _slots(optimizer, name) for name, old in zip(weights, kept, strict=True)]
        yield [Move(*columns) for columns in zip(gradients, before, after, slots, strict=True)]


def _slots(optimizer, name: str, when: str = "") -> Weights:
    """What Keras's optimizer keeps for a weight, such as its velocity."""
    named = {variable.name: variable.numpy().copy() for variable in optimizer.variables}
    start = f"{name}_"
    own = {key: array for key, array in named.items() if key.startswith(start)}
    return {key.removeprefix(start) + when: array for key, array in own.items()}


def _gradients(arrays: Arrays, seed: int, step: int, scale: float) -> list[np.ndarray]:
    """Random gradients of sizes from 1e-6 to 1, times scale."""
    rng = generator(f"gradients of step {step}", seed)
    sizes = [10.0 ** rng.uniform(-6, 0, array.shape) for array in arrays]
    return [
        (scale * size * rng.standard_normal(size.shape)).astype(array.dtype)
        for size, array in zip(sizes, arrays, strict=True)
    ]


def _row(step: int, name: str, mine: Move, right: Move) -> Row:
    row = Row(f"{name}, step {step}", mine.move.shape)
    compare(row, mine.move, right.move, right.noise, same(mine.after, right.after))
    return row


def _causes(bug: Bug, step: int, name: str, wrong: Move, true: Move) -> Iterator[Finding]:
    """What the diagnosis makes of a wrong move, as a function of weight, gradient and slots."""
    evidence = Evidence(
        name=name,
        given=wrong.move,
        expected=true.move,
        noise=true.noise,
        inputs={name: true.before, "gradient": true.gradient, **true.slots, **_roots(true.slots)},
        dy=true.gradient,
        value=true.after,
        arguments=_settings(bug) | {"step": step},
        all_given={name: wrong.move},
        all_expected={name: true.move},
    )
    for cause in diagnose(evidence):
        yield Finding(cause.name, cause.sentence, f"{name}, step {step}", cause.fit)


def _settings(bug: Bug) -> dict[str, float]:
    """The optimizer's numbers, defaults included."""
    settings = vars(resolve(bug.checked)(**bug.arguments))
    return {key: value for key, value in settings.items() if isinstance(value, float)}


def _roots(slots: Weights) -> Weights:
    """√slot of the averages of squares, which steps are divided by."""
    return {f"√{name}": np.sqrt(slot) for name, slot in slots.items() if np.all(slot > 0)}


def observed(bug: Bug, weights: Weights, seed: int, scale: float, precision) -> Arrays | None:
    """The weights after every step, in a precision."""
    weights = {name: weight.astype(precision) for name, weight in weights.items()}
    steps = moves(resolve(bug.checked)(**bug.arguments), weights, seed, scale)
    try:
        return [move.after for step in steps for move in step]
    except (TypeError, ValueError):
        return None
