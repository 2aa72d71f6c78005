"""Directional derivatives of a function from its forward pass alone: complex step, differences."""

import warnings
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from comparisons.pieces import pieces

from .arrays import LARGE, Arrays, frozen, norm

Forward = Callable[[Arrays], list[np.ndarray]]

STEP = 2.0**-664  # about 1e-200: its square underflows, so no branch moves, and it scales exactly


class Unusable(Exception):
    """A witness that cannot testify about this function, with the reason."""


@dataclass(frozen=True)
class Direction:
    """numbers * size, not multiplied out: a large tensor's numbers are a view of others."""

    numbers: np.ndarray
    size: float = 1.0


Directions = dict[int, Direction]


@dataclass(frozen=True)
class Derivative:
    """A directional derivative, and how far rounding and truncation may have moved it."""

    value: float
    uncertainty: float


class ComplexStep:
    """Im Σ dy·forward(arrays + i·STEP·direction) / STEP: exact but for rounding, kinks unmoved."""

    name = "complex step"

    def __init__(self, forward: Forward, arrays: Arrays, positions: Sequence[int], dys: Arrays):
        self.forward, self.dys = forward, dys
        self.arrays: list[Any] = [
            a.astype(np.complex128) if p in positions else a for p, a in enumerate(arrays)
        ]
        self.terms = sum(array.size for array in arrays)
        self.moved: set[int] = set()

    def move_to(self, arrays: Arrays) -> None:
        """Step from other inputs from now on, in the same memory, as new memory is slow."""
        for mine, array in zip(self.arrays, arrays, strict=True):
            if mine is not array:
                mine.real = array

    def along(self, directions: Directions) -> Derivative:
        for position in self.moved - directions.keys():
            self.arrays[position].imag = 0
        self.moved = set(directions)
        for position, direction in directions.items():
            step = STEP * direction.size
            np.multiply(direction.numbers, step, out=self.arrays[position].imag, dtype=float)
        with _strict():
            values = self.forward([frozen(array.view()) for array in self.arrays])
        slopes = [dy * (np.imag(y) / STEP) for dy, y in zip(self.dys, values, strict=True)]
        return Derivative(_sum(slopes), np.finfo(float).eps * self.terms**0.5 * norm(slopes))


class Differences:
    """Central differences of steps h and h/2, extrapolated; half the gap at a kink as uncertainty.

    h is the cube root of the precision, times the scale that the caller gave the direction.
    """

    def __init__(self, forward: Forward, arrays: Arrays, dys: Arrays, dtype: str):
        self.forward, self.dys, self.dtype = forward, dys, np.dtype(dtype)
        self.name = f"{self.dtype.name} differences"
        self.eps = float(np.finfo(self.dtype).eps)
        self.step = self.eps ** (1 / 3)
        self.arrays = [
            frozen(a.astype(self.dtype, copy=False)) if a.dtype.kind == "f" else a for a in arrays
        ]
        self.room: dict[int, np.ndarray] = {}

    @cached_property
    def here(self) -> list[np.ndarray]:
        values = self._values({}, 0.0)
        if any(v.dtype.kind == "f" and np.finfo(v.dtype).eps > self.eps for v in values):
            raise Unusable(f"its value in {self.dtype.name} is less precise than that")
        if not all(np.isfinite(value).all() for value in values):
            raise Unusable("its value is not finite")
        return [value.copy() for value in values]  # to which no later call writes

    def along(self, directions: Directions, shrinks=(1, 64, 4096)) -> Derivative:
        best = Derivative(0.0, np.inf)
        for shrink in shrinks:
            attempt, precise = self._attempt(directions, self.step / shrink)
            best = min(best, attempt, key=lambda derivative: derivative.uncertainty)
            if precise:
                break
        return best

    def _attempt(self, directions, h) -> tuple[Derivative, bool]:
        left, right = self.slope(directions, -h), self.slope(directions, h)
        near_left, near_right = self.slope(directions, -h / 2), self.slope(directions, h / 2)
        wide, narrow = (left + right) / 2, (near_left + near_right) / 2
        rounding = 4 * self.eps * norm([dy * y for dy, y in zip(self.dys, self.here, strict=True)])
        gap, near_gap = abs(right - left), abs(near_right - near_left)
        # a smooth function's gap halves with the step, a kink's does not
        kinked = near_gap > 0.75 * gap and near_gap > 16 * rounding / h
        value = narrow if kinked else (4 * narrow - wide) / 3
        uncertainty = abs(narrow - wide) + rounding / h + (near_gap / 2 if kinked else 0.0)
        if not np.isfinite(uncertainty):
            return Derivative(0.0, np.inf), False
        precise = uncertainty <= max(self.eps**0.5 * abs(value), 4 * rounding / h)
        return Derivative(value, uncertainty), precise

    def slope(self, directions: Directions, t: float) -> float:
        """Σ dy·(forward at t - forward at 0) / t."""
        ends = self._values(directions, t), self.here
        changes = [
            dy * (there - here).astype(self.dtype, copy=False)
            for dy, there, here in zip(self.dys, *ends, strict=True)
        ]
        return _sum(changes) / t

    def _values(self, directions, t) -> list[np.ndarray]:
        moved = list(self.arrays)
        for position, direction in directions.items():
            moved[position] = shifted(moved[position], direction, t, self._room(position))
        with _strict():
            values = self.forward(moved)
        return [v.astype(self.dtype) if v.dtype.kind in "biu" else v for v in values]

    def _room(self, position) -> np.ndarray:
        """Memory for a tensor moved; for a large one the same each time, as new memory is slow."""
        array = self.arrays[position]
        if array.size < LARGE:
            return np.empty(array.shape, self.dtype)
        return self.room.setdefault(position, np.empty(array.shape, self.dtype))


def shifted(array: np.ndarray, direction: Direction, t: float, room: np.ndarray) -> np.ndarray:
    """array + t * direction in the precision of the array, written to `room`."""
    step = array.dtype.type(t) * array.dtype.type(direction.size)
    for moved, a, d in pieces(room, array, direction.numbers):
        np.multiply(d, step, out=moved, dtype=moved.dtype, casting="same_kind")
        moved += a
    return frozen(room.view())


@contextmanager
def _strict():
    """Floating-point warnings off; a cast that would discard an imaginary part raises."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        yield


def _sum(arrays) -> float:
    return float(sum(np.sum(array) for array in arrays))
