"""Optimizer: all that optimizers share, from clipping to the moving average of the weights."""

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from scratch import config
from scratch.schedules import LearningRateSchedule

_PIECE = 1 << 15  # numbers; a formula's handful of such arrays fits a level-2 cache of 1 or 2 MB

Array = np.ndarray
_Arrays = list[np.ndarray]
_Constraint = Callable[[np.ndarray], np.ndarray]
Rate = float | Callable[..., float]


class Optimizer:
    """update_step(gradient, weight, learning_rate, **slots) for each weight, in place.

    A subclass names its slots in build_slots (arrays of zeros, shaped like the weight) and writes
    its formula in update_step; where that sums over a weight, elementwise is False. What all
    optimizers share happens here, in Keras's order:

    - gradient_accumulation_steps: one call in so many updates, with the mean of their gradients.
    - clipnorm limits the norm of each gradient, global_clipnorm the norm of all of them together,
      clipvalue each number; 0 limits nothing.
    - weight_decay: weight -= weight * weight_decay * learning_rate, before the update.
    - use_ema: after each call average = ema_momentum * average + (1 - ema_momentum) * weight. It
      replaces the weights every ema_overwrite_frequency steps and in finalize_variable_values.

    learning_rate is a float (kept in floatx whatever the dtype of the weights), a function without
    arguments, or a LearningRateSchedule, which is called with the number of calls so far.
    As in Keras, weight_decay and the float that a function returns are rounded to float32 on their
    way to float64 weights. Unlike TensorFlow, which takes them for 0, subnormal numbers (below
    1e-38 in float32) count. loss_scale_factor, which serves float16 alone, is left out.
    """

    __signature__: ClassVar[inspect.Signature]
    elementwise: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        """Spell out **shared in the signature that help() and inspect show."""
        own = dict(inspect.signature(cls.__init__).parameters)
        if own.pop("shared", None):
            shared = inspect.signature(Optimizer.__init__).parameters
            shared = {n: p.replace(kind=p.KEYWORD_ONLY) for n, p in shared.items() if n not in own}
            last = {n: p for n, p in own.items() if p.kind is p.KEYWORD_ONLY}
            first = {n: p for n, p in own.items() if n not in last}
            cls.__signature__ = inspect.Signature([*(first | shared | last).values()][1:])

    def __init__(
        self,
        learning_rate: Rate,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
    ) -> None:
        if [clipnorm, clipvalue, global_clipnorm].count(None) < 2:
            raise ValueError(
                "only one of the three can be set, "
                f"not {clipnorm=}, {clipvalue=}, {global_clipnorm=}"
            )
        self.weight_decay = optional("weight_decay", weight_decay)
        self.clipnorm = optional("clipnorm", clipnorm)
        self.clipvalue = optional("clipvalue", clipvalue)
        self.global_clipnorm = optional("global_clipnorm", global_clipnorm)
        self.use_ema = use_ema
        self.ema_momentum = number("ema_momentum", ema_momentum, 0, 1)
        self.ema_overwrite_frequency = _count("ema_overwrite_frequency", ema_overwrite_frequency, 1)
        self.gradient_accumulation_steps = _count(
            "gradient_accumulation_steps", gradient_accumulation_steps, 2
        )
        self.name = name or type(self).__name__.lower()
        self.built = False
        self._iterations = np.zeros((), np.int64)
        self._learning_rate = _variable_or_function(learning_rate)
        self._weights: _Arrays = []
        self._paths: list[str] | None = None
        self._slots: list[dict[str, Array]] = []
        self._averages: _Arrays = []
        self._accumulators: _Arrays = []
        self._state: _Arrays = []

    @property
    def iterations(self) -> int:
        """The number of updates so far."""
        return int(self._iterations) // (self.gradient_accumulation_steps or 1)

    @property
    def learning_rate(self) -> Any:
        """The number that the next update takes. Assign a number, a function or a schedule."""
        rate = self._learning_rate
        if isinstance(rate, np.ndarray):
            return rate[()]
        return rate(int(self._iterations)) if isinstance(rate, LearningRateSchedule) else rate()

    @learning_rate.setter
    def learning_rate(self, learning_rate: Rate) -> None:
        if callable(learning_rate):
            self._learning_rate = learning_rate
        elif isinstance(self._learning_rate, np.ndarray):
            self._learning_rate[...] = number("learning_rate", np.asarray(learning_rate)[()])
        else:
            raise TypeError("a learning_rate that is a function or schedule cannot become a number")

    @property
    def variables(self) -> _Arrays:
        """The number of calls, the learning rate if it is a number, the slots in Keras's order."""
        rate = [self._learning_rate] if isinstance(self._learning_rate, np.ndarray) else []
        return [self._iterations, *rate, *self._state]

    def set_weights(self, weights: Sequence[Array]) -> None:
        """Copy `weights`, in the order of `variables`, into the variables."""
        if not self.built:
            raise ValueError("set_weights comes after build(weights)")
        expected = [variable.shape for variable in self.variables]
        given = [np.shape(weight) for weight in weights]
        if given != expected:
            raise ValueError(f"set_weights expected arrays of shapes {expected}, not {given}")
        for variable, weight in zip(self.variables, weights, strict=True):
            variable[...] = weight

    def build(self, weights: Sequence[Array], paths: Sequence[str] | None = None) -> None:
        """Make the variables that belong to `weights`; a second call changes nothing.

        paths names the weights, such as "dense/kernel". Keras's weights know their own.
        """
        if self.built:
            return
        _check_weights(weights)
        self._weights = list(weights)
        self._paths = None if paths is None else list(paths)
        self._slots = [{} for _ in weights]
        if self.use_ema:
            self._averages = [self._add_variable(weight) for weight in weights]
        if self.gradient_accumulation_steps:
            self._accumulators = [self._add_variable(weight) for weight in weights]
        self.build_slots()
        self.built = True

    def build_slots(self) -> None:
        """Call add_slots with the names of the arrays that update_step keeps from step to step."""

    def add_slots(self, *names: str) -> None:
        """Give each weight an array of zeros under each of `names`."""
        for weight, slots in zip(self._weights, self._slots, strict=True):
            for name in names:
                slots[name] = self._add_variable(weight)

    def fill_slots(self, name: str, value: float) -> None:
        """Start the slots of that name at `value` instead of at zero."""
        for slots in self._slots:
            slots[name][...] = cast(value, slots[name].dtype)

    def _add_variable(self, weight: Array) -> Array:
        self._state.append(np.zeros(weight.shape, weight.dtype))
        return self._state[-1]

    def apply(
        self,
        gradients: Sequence[Array],
        weights: Sequence[Array] | None = None,
        constraints: Sequence[_Constraint | None] | None = None,
    ) -> None:
        """Update `weights`, by default all those of build, in place.

        The first call builds. Later ones may leave out weights, which then rest with their slots,
        as those of a layer that was frozen meanwhile. constraints has a constraint or None for
        each weight (Keras's weights bring their own); the average of use_ema is taken before them.
        ValueError, before anything has changed, if gradients, weights or constraints do not fit,
        or for a weight that is none of those of build.
        """
        gradients = [np.asarray(gradient) for gradient in gradients]
        if not gradients:
            return
        if weights is None and not self.built:
            raise ValueError("apply(gradients) without weights comes after build(weights)")
        weights = self._weights if weights is None else list(weights)
        constraints = [None] * len(weights) if constraints is None else constraints
        self._check_fit(gradients, weights, constraints)
        self.build(weights)
        self._accumulate_and_update(gradients, weights)
        self._average_weights()
        for weight, constraint in zip(weights, constraints, strict=True):
            if constraint is not None:
                weight[...] = constraint(weight)
        self._iterations += 1

    def finalize_variable_values(self, weights: Sequence[Array]) -> None:
        """weight = average, at the end of a training with use_ema; nothing without."""
        if self.use_ema and self.built:
            for weight, average in zip(weights, self._of(self._averages, weights), strict=True):
                weight[...] = average

    def update_step(
        self, gradient: Array, weight: Array, learning_rate: Any, **slots: Array
    ) -> None:
        """Move `weight`, and the slots named in build_slots, in place.

        All arrays are flat pieces so short that the temporaries of a formula stay in the cache,
        which makes the formula of the textbook as fast as one with hand-kept buffers. They are
        whole arrays, in their shapes, where elementwise is False.
        """
        raise NotImplementedError(f"{type(self).__name__} has no update_step")

    def _check_fit(
        self, gradients: _Arrays, weights: _Arrays, constraints: Sequence[_Constraint | None]
    ) -> None:
        if len(gradients) != len(weights):
            raise ValueError(f"{len(gradients)} gradients and {len(weights)} weights")
        if len(constraints) != len(weights):
            raise ValueError(f"{len(constraints)} constraints for {len(weights)} weights")
        _check_weights(weights)
        for index, (gradient, weight) in enumerate(zip(gradients, weights, strict=True)):
            _check_alike(f"gradient {index}", gradient, weight)
        if self.built:
            self._of(self._weights, weights)

    def _of(self, states: list[Any], weights: Sequence[Array]) -> list[Any]:
        """Those of `states`, one for each weight of build, that belong to `weights`."""
        state_of = {id(weight): state for weight, state in zip(self._weights, states, strict=True)}
        for index, weight in enumerate(weights):
            if id(weight) not in state_of:
                raise ValueError(
                    f"weight {index}, of shape {weight.shape}, is none of those that the optimizer "
                    "was built with: other weights need an optimizer of their own"
                )
        return [state_of[id(weight)] for weight in weights]

    def _accumulate_and_update(self, gradients: _Arrays, weights: _Arrays) -> None:
        steps = self.gradient_accumulation_steps
        if steps is None:
            self._update(gradients, weights)
            return
        accumulators = self._of(self._accumulators, weights)
        for accumulator, gradient in zip(accumulators, gradients, strict=True):
            accumulator += gradient
        if (int(self._iterations) + 1) % steps == 0:
            self._update([accumulator / steps for accumulator in accumulators], weights)
            for accumulator in self._accumulators:
                accumulator[...] = 0

    def _update(self, gradients: _Arrays, weights: _Arrays) -> None:
        gradients, all_slots = self._clip(gradients), self._of(self._slots, weights)
        learning_rate = self.learning_rate
        for gradient, weight, slots in zip(gradients, weights, all_slots, strict=True):
            contiguous = np.asarray(weight, order="C")  # the weight, or a copy of a strided one
            self._update_weight(gradient, contiguous, cast(learning_rate, weight.dtype), slots)
            if contiguous is not weight:
                weight[...] = contiguous

    def _update_weight(
        self, gradient: Array, weight: Array, learning_rate: Any, slots: dict[str, Array]
    ) -> None:
        """Weight decay and update_step, where elementwise on one cache-sized piece at a time."""
        arrays = [gradient, weight, *slots.values()]
        for g, w, *state in _pieces(*arrays) if self.elementwise else [arrays]:
            if self.weight_decay is not None:
                w -= w * cast(self.weight_decay, w.dtype) * learning_rate
            self.update_step(g, w, learning_rate, **dict(zip(slots, state, strict=True)))

    def _clip(self, gradients: _Arrays) -> _Arrays:
        if self.clipnorm:
            return [_clip_by_norm(gradient, self.clipnorm) for gradient in gradients]
        if self.global_clipnorm:
            return _clip_by_global_norm(gradients, self.global_clipnorm)
        if self.clipvalue:
            return [np.clip(gradient, -self.clipvalue, self.clipvalue) for gradient in gradients]
        return gradients

    def _average_weights(self) -> None:
        """average = momentum * average + (1 - momentum) * weight, momentum being 0 at first."""
        if not self.use_ema:
            return
        frequency = self.ema_overwrite_frequency
        for average, weight in zip(self._averages, self._weights, strict=True):
            momentum = weight.dtype.type(self.ema_momentum if self.iterations else 0)
            for a, w in _pieces(average, weight):
                a *= momentum
                a += (1 - momentum) * w
            if frequency and (self.iterations + 1) % frequency == 0:
                weight[...] = average


def _clip_by_norm(gradient: Array, clipnorm: float) -> Array:
    """gradient * clipnorm / max(norm, clipnorm), which rounds even a gradient that is short."""
    return gradient * clipnorm / np.maximum(np.linalg.norm(gradient), clipnorm)


def _clip_by_global_norm(gradients: _Arrays, clipnorm: float) -> _Arrays:
    """gradient * clipnorm * min(1 / norm, 1 / clipnorm), NaN where the norm is not finite."""
    norm = np.linalg.norm([np.linalg.norm(gradient) for gradient in gradients])
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = clipnorm * np.minimum(1 / norm, 1 / clipnorm) + (norm - norm)
    return [gradient * gradient.dtype.type(scale) for gradient in gradients]


def _pieces(*arrays: Array) -> Iterator[_Arrays]:
    """Flat views of the same stretch of each contiguous array, one stretch after the other."""
    flat = [array.reshape(-1) for array in arrays]
    for start in range(0, flat[0].size, _PIECE):
        yield [array[start : start + _PIECE] for array in flat]


def cast(number: Any, dtype: np.dtype) -> Any:
    """`number` as Keras's ops.cast gives it: Python's floats pass through float32."""
    return dtype.type(np.float32(number) if type(number) in (int, float) else number)


def _variable_or_function(learning_rate: Any) -> Any:
    if callable(learning_rate):
        return learning_rate
    if not isinstance(learning_rate, float):
        raise ValueError(
            f"learning_rate is a float, a function or a schedule, not {learning_rate!r}"
        )
    return np.array(number("learning_rate", learning_rate), config.floatx())


def _check_weights(weights: Sequence[Array]) -> None:
    for index, weight in enumerate(weights):
        if not isinstance(weight, np.ndarray):
            raise ValueError(f"weight {index} must be an array, not {type(weight).__name__}")
        if weight.dtype.kind != "f":
            raise ValueError(f"weight {index} must hold floats, not {weight.dtype}")
        if not weight.flags.writeable:
            raise ValueError(f"weight {index} is read-only and cannot be updated in place")


def _check_alike(name: str, array: Array, known: Array) -> None:
    if array.shape != known.shape or array.dtype != known.dtype:
        raise ValueError(
            f"{name} is {array.dtype} of shape {array.shape}, "
            f"expected {known.dtype} of shape {known.shape}"
        )


def number(name: str, value: Any, low: float = -math.inf, high: float = math.inf) -> Any:
    is_number = isinstance(value, int | float | np.integer | np.floating)
    if not (is_number and math.isfinite(value) and low <= value <= high):
        raise ValueError(f"{name} is a finite number in [{low}, {high}], not {value!r}")
    return value


def optional(name: str, value: Any) -> float | None:
    return None if value is None else number(name, value, 0)


def _count(name: str, value: Any, low: int) -> int | None:
    if value is not None and (not isinstance(value, int) or value < low):
        raise ValueError(f"{name} is None or an integer from {low}, not {value!r}")
    return value
