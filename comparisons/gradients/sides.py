"""The two sides of a layer's check: how each is called with any inputs, weights and state."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from comparisons.precision import floatx

from .subject import Failure, as_list, title, user_code


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
        count = len(inputs) - len(float_arrays(self.arguments))
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


def float_arrays(keywords: Mapping[str, Any]) -> dict[str, np.ndarray]:
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
