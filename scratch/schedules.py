"""Learning-rate schedules: the rate of each step, computed in float32 as Keras does."""

import math
from typing import Any

import numpy as np


class LearningRateSchedule:
    """schedule(step) is the learning rate of the step before which `step` others were taken.

    As in Keras all is computed in float32, whatever floatx says. np.float64(0.1) is rounded like
    any other float, where Keras would compute in float64 from there on.
    """

    def __call__(self, step: int) -> np.floating:
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step)")


class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate * decay_rate ** (step / decay_steps).

    With staircase, step / decay_steps is its whole part.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
    ) -> None:
        self.initial_learning_rate = _float("initial_learning_rate", initial_learning_rate)
        self.decay_steps = _steps("decay_steps", decay_steps)
        self.decay_rate = _float("decay_rate", decay_rate)
        self.staircase = staircase

    def __call__(self, step: int) -> np.floating:
        p = np.float32(step) / self.decay_steps
        p = np.floor(p) if self.staircase else p
        return self.initial_learning_rate * self.decay_rate**p


class InverseTimeDecay(LearningRateSchedule):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps).

    With staircase, step / decay_steps is its whole part.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
    ) -> None:
        self.initial_learning_rate = _float("initial_learning_rate", initial_learning_rate)
        self.decay_steps = _steps("decay_steps", decay_steps)
        self.decay_rate = _float("decay_rate", decay_rate)
        self.staircase = staircase

    def __call__(self, step: int) -> np.floating:
        p = np.float32(step) / self.decay_steps
        p = np.floor(p) if self.staircase else p
        return self.initial_learning_rate / (1 + self.decay_rate * p)


class PolynomialDecay(LearningRateSchedule):
    """(initial_learning_rate - end_learning_rate) * (1 - step / decay_steps) ** power
    + end_learning_rate, where step stops at decay_steps.

    With cycle, decay_steps is instead its first multiple that step has not passed.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
    ) -> None:
        self.initial_learning_rate = _float("initial_learning_rate", initial_learning_rate)
        self.decay_steps = _steps("decay_steps", decay_steps)
        self.end_learning_rate = _float("end_learning_rate", end_learning_rate)
        self.power = _float("power", power)
        self.cycle = cycle

    def __call__(self, step: int) -> np.floating:
        decay_steps = self.decay_steps
        if self.cycle:
            decay_steps = decay_steps * max(np.ceil(np.float32(step) / decay_steps), np.float32(1))
        p = min(np.float32(step), decay_steps) / decay_steps
        above_end = self.initial_learning_rate - self.end_learning_rate
        return above_end * (1 - p) ** self.power + self.end_learning_rate


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[i], where i is the number of boundaries below step.

    A boundary itself still has the value before it. As in Keras, boundaries are cast to the dtype
    of step: to an optimizer, 2.5 is 2.
    """

    def __init__(self, boundaries: list[float], values: list[float]) -> None:
        if len(boundaries) != len(values) - 1:
            raise ValueError(
                "PiecewiseConstantDecay takes one value more than boundaries, "
                f"not {len(values)} values for {len(boundaries)} boundaries"
            )
        if np.any(np.diff(boundaries) <= 0):
            raise ValueError(f"boundaries must increase from one to the next, not {boundaries}")
        self.boundaries = list(boundaries)
        self.values = [_float("a value", value) for value in values]

    def __call__(self, step: int) -> np.floating:
        boundaries = np.array(self.boundaries).astype(np.asarray(step).dtype)
        return self.values[np.count_nonzero(boundaries < step)]


class CosineDecay(LearningRateSchedule):
    """initial_learning_rate * ((1 - alpha) * (1 + cos(π * step / decay_steps)) / 2 + alpha),
    where step stops at decay_steps.

    With a warmup_target, the rate first moves to it in a straight line over warmup_steps, and the
    cosine starts there. Without one, warmup_steps has no effect, as in Keras.
    Loshchilov and Hutter 2016, arXiv:1608.03983.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.initial_learning_rate = _float("initial_learning_rate", initial_learning_rate)
        self.decay_steps = _steps("decay_steps", decay_steps)
        self.alpha = alpha
        self.warmup_target = (
            None if warmup_target is None else _float("warmup_target", warmup_target)
        )
        self.warmup_steps = np.float32(warmup_steps)

    def __call__(self, step: int) -> np.floating:
        if self.warmup_target is None:
            return self._decayed(np.float32(step), self.initial_learning_rate)
        if step < self.warmup_steps:
            fraction = np.float32(step) / self.warmup_steps
            growth = self.warmup_target - self.initial_learning_rate
            return growth * fraction + self.initial_learning_rate
        return self._decayed(np.float32(step) - self.warmup_steps, self.warmup_target)

    def _decayed(self, step: np.float32, start: np.float32) -> np.floating:
        fraction = min(step, self.decay_steps) / self.decay_steps
        cosine = np.float32(0.5) * (1 + _cos_pi(fraction))
        return start * ((1 - self.alpha) * cosine + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """initial_learning_rate * ((1 - alpha) * m_mulⁱ * (1 + cos(π * fraction)) / 2 + alpha),
    where fraction of the period i = 0, 1, … has passed, whose length is first_decay_steps * t_mulⁱ.

    Loshchilov and Hutter 2016, arXiv:1608.03983.
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
    ) -> None:
        self.initial_learning_rate = _float("initial_learning_rate", initial_learning_rate)
        self.first_decay_steps = _steps("first_decay_steps", first_decay_steps)
        self.t_mul = _float("t_mul", t_mul)
        self.m_mul = _float("m_mul", m_mul)
        self.alpha = _float("alpha", alpha)

    def __call__(self, step: int) -> np.floating:
        period, fraction = self._period(np.float32(step) / self.first_decay_steps)
        cosine = np.float32(0.5) * self.m_mul**period * (1 + _cos_pi(fraction))
        return self.initial_learning_rate * ((1 - self.alpha) * cosine + self.alpha)

    def _period(self, time: np.floating) -> tuple[np.floating, np.floating]:
        """(period, the fraction of it that has passed) at a time counted in first periods."""
        if self.t_mul == 1:
            return np.floor(time), time - np.floor(time)
        # the periods before the i-th take (1 - t_mulⁱ) / (1 - t_mul); solved for i
        period = np.floor(_log(1 - time * (1 - self.t_mul)) / _log(self.t_mul))
        start = (1 - self.t_mul**period) / (1 - self.t_mul)
        return period, (time - start) / self.t_mul**period


def _cos_pi(fraction: np.floating) -> np.floating:
    """cos(π * fraction), rounded from float64: NumPy's own float32 cosine is less exact."""
    return np.float32(np.cos(np.float64(np.float32(math.pi) * fraction)))


def _log(x: np.floating) -> np.floating:
    """log(x), rounded from float64: NumPy's own float32 logarithm is less exact."""
    return np.float32(np.log(np.float64(x)))


def _float(name: str, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number):
        raise ValueError(f"{name} is a number, not {value!r}")
    return np.float32(value)


def _steps(name: str, value: Any) -> Any:
    if not _float(name, value) > 0:
        raise ValueError(f"{name} is a number of steps above 0, not {value!r}")
    return np.float32(value)
