"""check_layer: a layer's forward, gradients and state against a Keras layer's."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from comparisons.precision import floatx
from comparisons.witnesses import frozen, scale

from .checks import as_arguments, differentiated, run
from .contract import Finding, examine, same
from .inputs import draw, generator
from .report import GradientReport
from .subject import Failure, Subject, as_list, title, user_code
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
    inputs = draw(specs | _float_arrays(keywords), seed, dtype)
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


@dataclass(frozen=True)
class Call:
    """How both layers are called: with a list or with arguments apart, and with which keywords.

    The last inputs are the float arrays among the keywords.
    """

    inputs: list[np.ndarray]
    takes_list: bool
    arguments: dict[str, Any]

    def arranged(self, inputs: Sequence) -> tuple[list, dict[str, Any]]:
        """(arguments in order, keywords), with these arrays in the places of the inputs."""
        count = len(inputs) - len(_float_arrays(self.arguments))
        ahead, among_keywords = list(inputs[:count]), iter(inputs[count:])
        keywords = {key: _filled(value, among_keywords) for key, value in self.arguments.items()}
        return [ahead] if self.takes_list else ahead, keywords


class Mine:
    """The layer under test: every run is a copy of it with other weights in their places."""

    def __init__(self, layer, call: Call):
        self.call, self.name = call, title(layer)
        with user_code(self.name):
            self.layer, self.takes_training = copy.deepcopy(layer), _takes_training(layer)
            if not getattr(layer, "built", True) or not list(layer.trainable_weights):
                self._forward(self.layer, call.inputs, training=False)
            self.weights = list(self.layer.trainable_weights)
            self.states = list(getattr(self.layer, "non_trainable_weights", []))
        self.order = list(range(len(self.weights)))

    def arrange(self, names: Sequence[str], shapes: Sequence[tuple]) -> None:
        """Find each weight's place in Keras's order: by shape, else by name."""
        mine = [weight.shape for weight in self.weights]
        if mine == list(shapes):
            return
        own = _short_names(self._paths())
        order = [list(names).index(name) for name in own if name in names]
        if sorted(order) != list(range(len(names))) or [shapes[i] for i in order] != mine:
            theirs = ", ".join(f"{n} {s}" for n, s in zip(names, shapes, strict=True)) or "none"
            raise ValueError(f"{self.name} has weights of shapes {mine}, the Keras layer: {theirs}")
        self.order = order

    def _paths(self) -> list[str]:
        """Those of the trainable weights, none where the layer does not name them."""
        paths = getattr(self.layer, "weight_paths", list)()
        of = dict(zip(map(id, getattr(self.layer, "weights", [])), paths, strict=False))
        return [of[id(weight)] for weight in self.weights if id(weight) in of]

    def run(self, arrays, states, training) -> tuple[list, Any]:
        """(values and state, backward) with these inputs and weights, in Keras's order."""
        count = len(self.call.inputs)
        inputs, weights = arrays[:count], arrays[count:]
        own = [weights[place] for place in self.order]
        dtype = np.result_type(*(a for a in arrays if a.dtype.kind in "fc"))
        kept = [state.astype(dtype) for state in states]
        places = zip([*self.weights, *self.states], [*own, *kept], strict=True)
        twin = copy.deepcopy(self.layer, {id(old): new for old, new in places})
        if any(a is not b for a, b in zip(twin.trainable_weights, own, strict=True)):
            raise TypeError("trainable_weights are not the arrays that the layer itself holds")
        y, backward = self._forward(twin, inputs, training)
        values = [*as_list(y), *(np.array(s) for s in getattr(twin, "non_trainable_weights", []))]
        return values, partial(
            self._pull, backward, len(y) if isinstance(y, list | tuple) else None
        )

    def _forward(self, layer, inputs, training):
        ahead, arguments = self.call.arranged(inputs)
        if self.takes_training:
            arguments["training"] = training
        return layer.forward(*ahead, **arguments)

    def _pull(self, backward, outputs, dys):
        """The gradients of float inputs and of weights, in Keras's order."""
        result = backward(dys[0] if outputs is None else list(dys[:outputs]))
        if not (
            isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], list | tuple)
        ):
            raise Failure(f"the backward of {self.name} returned no pair (dx, [gradients])")
        dx, gradients = as_list(result[0]), list(result[1])
        floats = [array.dtype.kind == "f" for array in self.call.inputs]
        if len(dx) == len(floats):
            dx = [gradient for gradient, kept in zip(dx, floats, strict=True) if kept]
        if len(gradients) == len(self.order):
            gradients = [gradients[self.order.index(place)] for place in range(len(self.order))]
        return [*dx, *gradients]


def _takes_training(layer) -> bool:
    parameters = inspect.signature(layer.forward).parameters
    return "training" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


class Theirs:
    """The Keras layer, called without side effects, in whatever dtype is asked for."""

    def __init__(self, layer, call: Call):
        self.call, self.name, self.layer = call, f"the reference {title(layer)}", layer
        self.twins: dict[str, Any] = {}
        self.stateless_calls: dict[str, Any] = {}
        with user_code(self.name):
            if not layer.built:
                self._call(layer, call.inputs)
        self.names = _short_names([v.path for v in layer.trainable_variables])
        self.state_names = _short_names([v.path for v in layer.non_trainable_weights])
        self.shapes = [tuple(variable.shape) for variable in layer.trainable_variables]
        self.states = [np.asarray(variable) for variable in layer.non_trainable_weights]
        self.only: str | None = None

    def _call(self, layer, inputs):
        """Build the layer, in inference, so that none draws what the next run should draw."""
        ahead, arguments = self.call.arranged(inputs)
        if layer._call_has_training_arg:
            arguments = arguments | {"training": False}
        return layer(*ahead, **arguments)

    def in_dtype(self, dtype: str):
        """The layer itself, or one rebuilt from its config in another dtype."""
        if dtype not in self.twins:
            same = self.layer.compute_dtype == self.layer.variable_dtype == dtype
            self.twins[dtype] = self.layer if same else self._rebuilt(dtype)
        return self.twins[dtype]

    def _rebuilt(self, dtype: str):
        config = _with_dtype(self.layer.get_config(), dtype)
        with floatx(dtype):
            twin = type(self.layer).from_config(config)
            self._call(
                twin, [a.astype(dtype) if a.dtype.kind == "f" else a for a in self.call.inputs]
            )
        pairs = zip(twin.non_trainable_variables, self.layer.non_trainable_variables, strict=True)
        for variable, original in pairs:
            variable.assign(np.asarray(original))
        return twin

    def _stateless_call(self, dtype: str):
        """That of the layer in dtype, traced once where Keras compiles the layer at every call.

        It does so for convolutions in groups, and keeps what it compiled until memory maps run out.
        """
        if dtype not in self.stateless_calls:
            import tensorflow as tf

            layer = self.in_dtype(dtype)
            in_groups = hasattr(layer, "kernel_size") and getattr(layer, "groups", 1) > 1
            call = layer.stateless_call
            self.stateless_calls[dtype] = tf.function(call) if in_groups else call
        return self.stateless_calls[dtype]

    def run(self, tensors, states, training):
        """Values and new state as tensors, of the inputs and weights given."""
        import tensorflow as tf

        count, dtype = len(self.call.inputs), self._dtype_of(tensors)
        if self.only not in (None, dtype):
            raise TypeError(f"in {dtype} the reference draws other random numbers")
        layer = self.in_dtype(dtype)
        ahead, arguments = self.call.arranged(tensors[:count])
        if layer._call_has_training_arg:
            arguments["training"] = training
        own = iter(states)
        weights = {id(v) for v in layer.non_trainable_weights}
        before = [
            tf.cast(next(own), v.dtype) if id(v) in weights else v.value
            for v in layer.non_trainable_variables
        ]
        call = self._stateless_call(dtype)
        y, after = call(list(tensors[count:]), before, *ahead, **arguments)
        pairs = zip(layer.non_trainable_variables, after, strict=True)
        return [y, [tf.convert_to_tensor(new) for v, new in pairs if id(v) in weights]]

    def _dtype_of(self, tensors) -> str:
        floats = [tensor.dtype for tensor in tensors if tensor.dtype.is_floating]
        return floats[0].name if floats else self.layer.compute_dtype


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
        far = [
            np.abs(w - n).max(initial=0) > 0.01 * scale(n)
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


def _float_arrays(keywords: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The float arrays among keywords, by name: initial_state, or initial_state 0, … of a list."""
    named = {}
    for key, value in keywords.items():
        several = isinstance(value, list | tuple)
        parts = {f"{key} {i}": part for i, part in enumerate(value)} if several else {key: value}
        named |= {name: part for name, part in parts.items() if _is_float_array(part)}
    return named


def _filled(value: Any, arrays: Iterator) -> Any:
    """A keyword's value with the next of these arrays for each float array in it."""
    if isinstance(value, list | tuple):
        return [_filled(part, arrays) for part in value]
    return next(arrays) if _is_float_array(value) else value


def _is_float_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


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


def _short_names(paths: Sequence[str]) -> list[str]:
    """The last part of each path, or as many parts as make it unlike every other."""
    split = [path.split("/") for path in paths]
    for parts in range(1, max(map(len, split), default=0) + 1):
        names = ["/".join(path[-parts:]) for path in split]
        if len(set(names)) == len(names):
            return names
    return [f"weight {i}" for i in range(len(paths))]


def _with_dtype(config: Any, dtype: str) -> Any:
    """A layer's config, and those of the layers inside it, in another dtype."""
    if isinstance(config, list | tuple):
        return [_with_dtype(part, dtype) for part in config]
    if not isinstance(config, dict):
        return config
    return {k: dtype if k == "dtype" and v else _with_dtype(v, dtype) for k, v in config.items()}
