"""check_custom_gradient: a tf.custom_gradient function against its own undecorated forward."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .checks import as_arguments, bound, differentiated, run
from .inputs import draw
from .report import GradientReport
from .subject import Failure, Subject, as_list, check_signature, title, user_code
from .truth import Tape


def check_custom_gradient(
    function: Callable,
    inputs: Mapping[str, Any],
    *,
    seed: int = 0,
    dtype: str = "float64",
    arguments: Mapping[str, Any] | None = None,
    zero: Sequence[str] = (),
    constant: Sequence[str] = (),
    name: str | None = None,
) -> GradientReport:
    """Hold the gradient of a tf.custom_gradient function against the tape on its plain forward.

    Variables that the forward reads are checked too, by name. A function whose undecorated form
    cannot be found is judged by the derivative of its own forward alone, and the report says so.
    """
    arguments, name = as_arguments(arguments), name or title(function)
    arrays = draw(inputs, seed, dtype)
    check_signature(function, list(arrays), arguments)
    positions = differentiated(arrays, constant, ())
    plain = undecorated(function)
    custom = CustomGradient(bound(plain or function, arguments), len(arrays), positions, name)
    try:
        variables = custom.find_variables(list(arrays.values()))
    except Failure as failure:
        error, trace = failure.line, failure.trace
        return GradientReport(name, dtype, seed, error=error, traceback=trace)
    arrays |= {key: variable.numpy() for key, variable in variables.items()}
    differentiated(arrays, constant, zero)
    try:
        return run(*custom.sides(list(arrays)), list(arrays.values()), seed, dtype, zero, arguments)
    finally:
        custom.restore(arrays)


def undecorated(function: Any) -> Callable | None:
    """The function under @tf.custom_gradient, that returns (y, grad); None if there is none."""
    while not type(function).__module__.endswith(".custom_gradient"):
        if isinstance(function, functools.partial):
            inner = undecorated(function.func)
            return inner and functools.partial(inner, *function.args, **function.keywords)
        function = getattr(function, "__wrapped__", None)
        if function is None:
            return None
    return function.__wrapped__


class CustomGradient:
    """function(*tensors) -> (y, grad), or y alone with the gradient in TensorFlow's tape."""

    def __init__(self, function, count: int, positions: list[int], name: str):
        self.function, self.count, self.positions, self.name = function, count, positions, name
        self.variables: list = []
        self.is_plain = False

    def find_variables(self, arrays) -> dict[str, Any]:
        """The trainable variables that the forward reads, by their names."""
        import tensorflow as tf

        with tf.GradientTape() as recorder:
            try:
                result = self._call(arrays, None)
            except Failure:  # it may run in float32 only
                result = self._call(arrays, "float32")
        self.is_plain = _is_pair(result)
        self.variables = list(recorder.watched_variables())
        return _by_name(self.variables)

    def _call(self, arrays, dtype):
        with user_code(self.name):
            return self.function(*(_tensor(array, dtype) for array in arrays))

    def sides(self, names: list[str]) -> tuple[Subject, Tape | None]:
        """What is judged, and the tape on the plain forward."""
        added = list(range(self.count, len(names)))
        positions = [*self.positions, *added]
        variables = dict(zip(added, self.variables, strict=True))
        if self.is_plain:
            label = "its undecorated forward"
            tape = Tape(lambda *t: self.function(*t)[0], positions, label, variables)
            return Subject(self.name, self.run, names, positions), tape
        note = (
            "Its undecorated forward could not be found (no __wrapped__), so that the derivative "
            "of its own forward judges alone. Pass the function that @tf.custom_gradient decorates."
        )
        return Subject(self.name, self.run, names, positions, notes=[note]), None

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        for variable, value in zip(
            self.variables, list(arrays.values())[self.count :], strict=True
        ):
            variable.assign(value)

    def run(self, *arrays):
        """(value, backward) on arrays, the last of them the variables'."""
        import tensorflow as tf

        tensors = [_tensor(array) for array in arrays]
        passed, values = tensors[: self.count], tensors[self.count :]
        self._assign(values)
        if self.is_plain:
            y, grad = self.function(*passed)
            return _arrays(y), functools.partial(self._pull, grad, values)
        with tf.GradientTape(persistent=True) as recorder:
            recorder.watch(passed)
            y = self.function(*passed)
        return _arrays(y), functools.partial(self._unwind, recorder, passed, y)

    def _assign(self, values):
        for variable, value in zip(self.variables, values, strict=True):
            variable.assign(value)

    def _pull(self, grad, values, dys):
        """The gradients that grad returns, those of integer and constant inputs left out."""
        self._assign(values)  # grad reads the variables when it is called
        upstream = [_tensor(dy) for dy in as_list(dys)]
        gradients, more = _called(grad, upstream, self.variables)
        if len(gradients) == self.count:
            gradients = [gradients[position] for position in self.positions]
        elif len(gradients) == len(self.positions):
            gradients = gradients[1:]  # TensorFlow wants one for every input
        return [_array(gradient) for gradient in [*gradients, *more]]

    def _unwind(self, recorder, tensors, y, dys):
        import tensorflow as tf

        sources = [*(tensors[position] for position in self.positions), *self.variables]
        upstream = tf.nest.pack_sequence_as(y, [_tensor(dy) for dy in as_list(dys)])
        zeros = tf.UnconnectedGradients.ZERO
        gradients = recorder.gradient(y, sources, upstream, unconnected_gradients=zeros)
        return [_array(gradient) for gradient in gradients]


def _called(grad, upstream, variables) -> tuple[list, list]:
    """(gradients of the inputs, gradients of the variables) as TensorFlow would ask for them."""
    if not variables:
        return as_list(grad(*upstream)), []
    if not _takes_variables(grad):
        raise TypeError("the forward reads variables, so its grad function must take variables=")
    gradients, more = grad(*upstream, variables=variables)
    return as_list(gradients), list(more)


def _takes_variables(grad) -> bool:
    parameters = inspect.signature(grad).parameters
    return "variables" in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _is_pair(result) -> bool:
    return isinstance(result, tuple) and len(result) == 2 and callable(result[1])


def _by_name(variables) -> dict[str, Any]:
    named = {}
    for variable in variables:
        name = variable.name.split(":")[0]
        named[name if name not in named else f"{name}_{len(named)}"] = variable
    return named


def _tensor(array, dtype=None):
    import tensorflow as tf

    if dtype is not None and array.dtype.kind == "f":
        array = array.astype(dtype)
    return tf.convert_to_tensor(array)


def _array(gradient) -> np.ndarray | None:
    import tensorflow as tf

    return None if gradient is None else np.asarray(tf.convert_to_tensor(gradient))


def _arrays(y):
    import tensorflow as tf

    flat = [np.asarray(tensor) for tensor in tf.nest.flatten(y)]
    return flat if isinstance(y, list | tuple | dict) else flat[0]
