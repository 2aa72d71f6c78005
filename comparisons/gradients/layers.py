"""check_layer: a layer's forward, gradients and state against a Keras layer's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from comparisons.witnesses import frozen, scale

from .checks import as_arguments, differentiated, run
from .contract import Finding, examine, same
from .inputs import draw, generator
from .report import GradientReport
from .sides import Call, Mine, Theirs, float_arrays
from .subject import Failure, Subject, title
from .truth import Tape

MODES = {"training": True, "inference": False}


def check_layer(
    layer: Any,
    reference_layer: Any,
    input_shape: Any,
    *,
    seed: int = 0,
    dtype: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    zero: Sequence[str] = (),
    constant: Sequence[str] = (),
    name: str | None = None,
) -> GradientReport:
    """Hold layer.forward(x, training) -> (y, backward) against a Keras layer of the same weights.

    backward(dy) is (dx, gradients in the order of layer.trainable_weights). Training and inference
    are both checked, and the state, such as moving averages, that a call leaves. Both are given
    random weights, matched by position, or by name where positions disagree, and stay as they were.
    The Keras layer is rebuilt from its config where another dtype is needed.

    `arguments` are keywords of both calls. Float arrays among them, alone or in a list, as initial
    states are, count as inputs: dx is then a tuple, with their gradients after that of x.

    input_shape is that of x, batch included, or a spec or an array (see `draw`); a list of those
    for a layer that takes a list, or a dict of those for one that takes arguments apart. dtype is
    the layer's own unless given. Weights go by Keras's names: "kernel", "key/bias".
    """
    _check_layers(layer, reference_layer)
    dtype, name = dtype or _own_dtype(layer), name or title(layer)
    specs = _specs(input_shape)
    keywords = as_arguments(arguments)
    inputs = draw(specs | float_arrays(keywords), seed, dtype)
    takes_list = isinstance(input_shape, list) and len(specs) > 1
    call = Call(list(inputs.values()), takes_list, keywords)
    try:
        pair = Pair(Mine(layer, call), Theirs(reference_layer, call), name, seed, dtype)
    except Failure as failure:
        error, trace = failure.line, failure.trace
        return GradientReport(name, dtype, seed, error=error, traceback=trace)
    arrays = inputs | pair.random_weights()
    differentiated(arrays, constant, zero)
    positions = differentiated(arrays, constant, ())
    reports = dict.fromkeys(MODES, pair.check("training", arrays, positions, zero))
    if not pair.modes_are_one(arrays, positions):
        reports["inference"] = pair.check("inference", arrays, positions, zero)
    return _merged(GradientReport(name, dtype, seed), reports)


class Pair:
    """Both layers, with the names, the random weights and the random state that they share."""

    def __init__(self, mine: Mine, theirs: Theirs, name: str, seed: int, dtype: str):
        self.mine, self.theirs, self.name = mine, theirs, name
        self.seed, self.dtype, self.notes = seed, dtype, []
        mine.arrange(theirs.names, theirs.shapes)
        if [state.shape for state in mine.states] != [state.shape for state in theirs.states]:
            given, expected = ([s.shape for s in side.states] for side in (mine, theirs))
            raise ValueError(f"{name} has state of shapes {given}, the Keras layer {expected}")
        named = zip(theirs.state_names, theirs.states, strict=True)
        self.states = [self._random_state(n, state) for n, state in named]

    def random_weights(self) -> dict[str, np.ndarray]:
        named = zip(self.theirs.names, self.theirs.shapes, strict=True)
        return {name: self._random_weight(name, shape) for name, shape in named}

    def _random_weight(self, name, shape) -> np.ndarray:
        """Normal numbers, smaller where many of them enter one sum."""
        fan_in = np.prod(shape[:-1]) if len(shape) > 1 else 1
        z = generator(name, self.seed).standard_normal(shape) / np.sqrt(max(1, fan_in))
        return frozen(np.asarray(z, self.dtype))

    def _random_state(self, name, state) -> np.ndarray:
        """Positive, as a variance has to be; counters stay as they are."""
        if state.dtype.kind != "f":
            return state
        return generator(name, self.seed).uniform(0.5, 1.5, state.shape).astype(self.dtype)

    def check(self, mode: str, arrays, positions, zero) -> GradientReport:
        values = list(arrays.values())
        self._settle_dtype(values, MODES[mode])
        sides = self._subject(mode, arrays, positions), self._tape(mode, positions)
        report = run(*sides, values, self.seed, self.dtype, zero, self.mine.call.arguments)
        report.notes += self.notes
        return report

    def modes_are_one(self, arrays, positions) -> bool:
        """Whether training and inference give the same bits on either side, and break no rule."""
        values = list(arrays.values())
        try:
            trials = [
                examine(self._subject(mode, arrays, positions), values, self.seed) for mode in MODES
            ]
            taped = [self._tape(mode, positions)(values, trials[0].dys) for mode in MODES]
        except Failure:
            return False
        if any(trial.breaches for trial in trials):
            return False
        mine = ([*trial.values, *trial.gradients.values()] for trial in trials)
        theirs = ([*values, *gradients] for values, gradients in taped)
        return _all_same(*mine) and _all_same(*theirs)

    def _subject(self, mode, arrays, positions) -> Subject:
        function = partial(self._mine, MODES[mode])
        return Subject(self.name, function, list(arrays), positions, self.theirs.state_names)

    def _tape(self, mode, positions) -> Tape:
        return Tape(partial(self._reference, MODES[mode]), positions, self.theirs.name)

    def _mine(self, training, *arrays):
        return self.mine.run(arrays, self.states, training)

    def _reference(self, training, *tensors):
        return self.theirs.run(tensors, self.states, training)

    def _settle_dtype(self, arrays, training):
        """Keep a reference that draws other random numbers in float64 to float32."""
        if self.dtype == "float64":
            return
        try:
            wide, narrow = (self._outputs(arrays, training, d) for d in ("float64", "float32"))
        except Failure:
            return
        # of inputs that cancel out, rounding may leave all that there is of a small value
        largest = max((scale(array) for array in arrays if array.dtype.kind == "f"), default=0)
        left = 1000 * np.finfo("float32").eps * largest
        far = [
            np.abs(w - n).max(initial=0) > max(0.01 * scale(n), left)
            for w, n in zip(wide, narrow, strict=True)
        ]
        if any(far):
            self.theirs.only = "float32"
            self.notes = ["The reference draws other random numbers in float64."]

    def _outputs(self, arrays, training, dtype) -> list[np.ndarray]:
        return Tape(partial(self._reference, training), [], self.theirs.name)(arrays, dtype=dtype)[
            0
        ]


def _all_same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return len(first) == len(second) and all(map(same, first, second))


def _merged(report: GradientReport, reports: Mapping[str, GradientReport]) -> GradientReport:
    """One report of several modes: what one mode alone found says which."""
    for mode, part in reports.items():
        report.rows += [replace(row, mode=mode) for row in part.rows]
        report.values += [replace(row, mode=mode) for row in part.values]
        if part.error is not None and report.error is None:
            report.error, report.traceback = f"in {mode}: {part.error}", part.traceback
    for kind in ("findings", "witnesses", "notes"):
        setattr(report, kind, _labelled({mode: getattr(r, kind) for mode, r in reports.items()}))
    return report


def _labelled(parts: Mapping[str, list]) -> list:
    merged = []
    for mode, items in parts.items():
        everywhere = [i for i in items if all(i in other for other in parts.values())]
        merged += [i for i in everywhere if i not in merged]
        merged += [_said_of(i, mode) for i in items if i not in everywhere]
    return merged


def _said_of(item, mode):
    if isinstance(item, Finding):
        return replace(item, sentence=f"in {mode}: {item.sentence}")
    return f"in {mode}: {item}"


def _specs(input_shape) -> dict[str, Any]:
    """The inputs by name: x, or x0, x1, … of a list."""
    if isinstance(input_shape, Mapping):
        return dict(input_shape)
    parts = input_shape if isinstance(input_shape, list) else None
    if parts and all(isinstance(part, tuple | list | str | np.ndarray) for part in parts):
        return {"x": parts[0]} if len(parts) == 1 else {f"x{i}": p for i, p in enumerate(parts)}
    return {"x": input_shape}


def _check_layers(layer, reference) -> None:
    for method in ("forward", "trainable_weights"):
        if isinstance(layer, type) or not hasattr(layer, method):
            raise TypeError(f"check_layer takes a layer with {method}, not {layer!r:.60}")
    if isinstance(reference, type) or not hasattr(reference, "stateless_call"):
        raise TypeError(f"the reference of check_layer is a Keras layer, not {reference!r:.60}")


def _own_dtype(layer) -> str:
    weights = [w.dtype for w in getattr(layer, "trainable_weights", []) if w.dtype.kind == "f"]
    dtype = weights[0] if weights else np.dtype(getattr(layer, "dtype", None) or "float64")
    return dtype.name
