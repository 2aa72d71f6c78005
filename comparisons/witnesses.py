"""Three independent derivatives: TensorFlow's tape, the complex step, and differences.

The tape differentiates the reference. The other two differentiate the function under test itself,
from its forward pass alone: both give d/dt Σ dy·forward(arrays + t·direction) at t = 0.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from comparisons.pieces import pieces

Arrays = Sequence[np.ndarray]
Forward = Callable[[Arrays], list[np.ndarray]]

STEP = 2.0**-664  # about 1e-200: its square underflows, so no branch moves, and it scales exactly
SLOW = 100_000  # elements beyond which longdouble, for which there is no BLAS, is not used
LARGE = 1_000_000  # elements beyond which a draw takes longer than a product with a matrix
LAST_RESORTS = ["float64", "float32"]
WORK = 20_000_000  # elements that one tensor's derivatives, taken one by one, may move in all


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


def tape(
    function: Callable,
    arrays: Arrays,
    positions: Sequence[int],
    variables: Mapping[int, Any] = MappingProxyType({}),
) -> tuple[list[np.ndarray], Callable[[Arrays], list[np.ndarray]]]:
    """(values, backward): tf.GradientTape on function(*tensors), unconnected gradients zero.

    backward(dys) can be called once. Arrays at the positions of `variables` are assigned to these
    and not passed.
    """
    import tensorflow as tf

    tensors = [tf.convert_to_tensor(array) for array in arrays]
    for position, variable in variables.items():
        variable.assign(tensors[position])
    sources = [variables.get(position, tensors[position]) for position in positions]
    with tf.GradientTape() as recorder:
        recorder.watch(sources)
        passed = [tensor for position, tensor in enumerate(tensors) if position not in variables]
        values = tf.nest.flatten(function(*passed))
    if any(isinstance(value, np.ndarray) for value in values):
        raise TypeError("it returns NumPy's arrays, which no tape follows, not tensors")

    def backward(dys):
        upstream = [tf.cast(dy, value.dtype) for dy, value in zip(dys, values, strict=True)]
        zeros = tf.UnconnectedGradients.ZERO
        gradients = recorder.gradient(values, sources, upstream, unconnected_gradients=zeros)
        return [np.asarray(tf.convert_to_tensor(gradient)) for gradient in gradients]

    return [np.asarray(value) for value in values], backward


def probe(generator: np.random.Generator, shape, dtype: str = "float64") -> np.ndarray:
    """Gaussian numbers, none nearer to zero than 0.1, so that no element goes unseen."""
    z = np.asarray(generator.standard_normal(shape, np.float32))
    for (piece,) in pieces(z):
        np.copysign(0.1, piece, out=piece, where=np.abs(piece) < 0.1)
    return z.astype(dtype, copy=False)


def scale(array: np.ndarray) -> float:
    """The root mean square of the finite elements, 1 where that is zero."""
    flat = array.reshape(-1)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        square = np.dot(flat, flat)
    if not 0 < square < np.inf:  # out of range, or not finite
        flat = flat[np.isfinite(flat)]
        return norm([flat]) / max(1, flat.size) ** 0.5 or 1.0
    return float(np.sqrt(square / flat.size))


class ComplexStep:
    """Im Σ dy·forward(arrays + i·STEP·direction) / STEP: exact but for rounding, kinks unmoved."""

    name = "complex step"

    def __init__(self, forward: Forward, arrays: Arrays, positions: Sequence[int], dys: Arrays):
        self.forward, self.dys, self.positions = forward, dys, positions
        self.arrays: list[Any] = [
            a.astype(np.complex128) if p in positions else a for p, a in enumerate(arrays)
        ]
        self.terms = sum(array.size for array in arrays)
        self.moved: set[int] = set()

    def move_to(self, arrays: Arrays) -> None:
        """Take the derivatives there from now on."""
        for position in self.positions:
            self.arrays[position].real = arrays[position]

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
        return values

    def along(self, directions: Directions, shrinks=(1, 64, 4096)) -> Derivative:
        best = Derivative(0.0, np.inf)
        for shrink in shrinks:
            attempt, precise = self._attempt(directions, self.step / shrink)
            best = min(best, attempt, key=lambda derivative: derivative.uncertainty)
            if precise:
                break
        return best

    def _attempt(self, directions, h) -> tuple[Derivative, bool]:
        left, right = self.slope(directions, 0, -h), self.slope(directions, h, 0)
        near_left, near_right = self.slope(directions, 0, -h / 2), self.slope(directions, h / 2, 0)
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

    def slope(self, directions: Directions, after: float, before: float) -> float:
        """Σ dy·(forward at `after` - forward at `before`) / (after - before)."""
        ends = self._values(directions, after), self._values(directions, before)
        changes = [
            dy * (late - early).astype(self.dtype, copy=False)
            for dy, late, early in zip(self.dys, *ends, strict=True)
        ]
        return _sum(changes) / (after - before)

    def _values(self, directions, t) -> list[np.ndarray]:
        if t == 0 and directions:
            return self.here
        moved = list(self.arrays)
        for position, direction in directions.items():
            moved[position] = _shifted(moved[position], direction, t, self._room(position))
        with _strict():
            values = self.forward(moved)
        return [self._kept(value) for value in values]

    def _room(self, position) -> np.ndarray:
        """Memory for a tensor moved; for a large one the same each time, as new memory is slow."""
        array = self.arrays[position]
        if array.size < LARGE:
            return np.empty(array.shape, self.dtype)
        return self.room.setdefault(position, np.empty(array.shape, self.dtype))

    def _kept(self, value) -> np.ndarray:
        """A value to calculate with, that the next move does not overwrite."""
        if value.dtype.kind in "biu":
            return value.astype(self.dtype)
        shared = any(np.may_share_memory(value, room) for room in self.room.values())
        return value.copy() if shared else value


@dataclass
class Arbiter:
    """The derivative of the function under test, by the best witness that its forward pass admits.

    `why` says what stood against the complex step. Raises Unusable where no witness can testify.
    """

    forward: Forward
    arrays: Arrays
    positions: Sequence[int]
    dys: Arrays
    seed: int = 0
    why: str = ""
    differences: Differences = field(init=False)
    witness: ComplexStep | Differences = field(init=False)

    def __post_init__(self):
        self.generator = np.random.default_rng([self.seed, 1])
        self.drawn: dict[int, np.ndarray] = {}
        self.differences = self._differences()
        self.witness = self._choose()

    @property
    def name(self) -> str:
        return self.witness.name

    def one_by_one(self, position: int, limit: int = 2000) -> bool:
        """Whether a tensor is small enough to be differentiated element by element."""
        size, total = self.arrays[position].size, sum(array.size for array in self.arrays)
        return size <= limit and size * total <= WORK

    def along(self, directions: Directions) -> Derivative:
        """The derivative along directions of the inputs' own scale."""
        return self.witness.along(directions)

    def gradient(self, position: int) -> tuple[np.ndarray, np.ndarray]:
        """(gradient, uncertainty) of one tensor, element by element."""
        array = self.arrays[position]
        pairs = [self.element(position, index) for index in np.ndindex(array.shape)]
        columns = [[d.value for d in pairs], [d.uncertainty for d in pairs]]
        value, uncertainty = np.array(columns).reshape(2, *array.shape)
        return value, uncertainty

    def element(self, position: int, index: tuple[int, ...]) -> Derivative:
        direction = np.zeros(self.arrays[position].shape)
        direction[index] = unit = scale(self.arrays[position])
        derivative = self.along({position: Direction(direction)})
        return Derivative(derivative.value / unit, derivative.uncertainty / unit)

    def directions(
        self, positions: Sequence[int], shares: Sequence[float], count: int = 3
    ) -> Iterator[Directions]:
        """Gaussian directions of some tensors, in the tensors' own scale times their shares."""
        pairs = zip(positions, shares, strict=True)
        sizes = {position: share * scale(self.arrays[position]) for position, share in pairs}
        for _ in range(count):
            yield {position: self._gaussian(position, size) for position, size in sizes.items()}

    def _gaussian(self, position: int, size: float) -> Direction:
        """Gaussian numbers: of a large tensor those drawn once, moved on, which are as random."""
        array = self.arrays[position]
        if array.size < LARGE:
            return Direction(np.asarray(size * probe(self.generator, array.shape)))
        if position not in self.drawn:
            self.drawn[position] = np.tile(probe(self.generator, array.size, "float32"), 2)
        start = self.generator.integers(array.size)
        moved_on = self.drawn[position][start : start + array.size]
        return Direction(moved_on.reshape(array.shape), size)

    def narrow(self, position: int, given: np.ndarray) -> tuple[int, ...]:
        """The index that halving reaches when it follows the larger disagreement with `given`."""
        array, start, stop = self.arrays[position], 0, self.arrays[position].size
        while stop - start > 1:
            middle = (start + stop) // 2
            halves = [slice(start, middle), slice(middle, stop)]
            gaps = [self._disagreement(position, given, half) for half in halves]
            start, stop = (start, middle) if gaps[0] >= gaps[1] else (middle, stop)
        return tuple(int(i) for i in np.unravel_index(start, array.shape))

    def _disagreement(self, position, given, part) -> float:
        direction = np.zeros(given.size)
        length = part.stop - part.start
        direction[part] = scale(self.arrays[position]) * probe(self.generator, length)
        derivative = self.along({position: Direction(direction.reshape(given.shape))})
        return abs(float(given.reshape(-1) @ direction) - derivative.value)

    def _choose(self) -> ComplexStep | Differences:
        try:
            return self._guarded()
        except Unusable as reason:
            self.why = str(reason)
        return self.differences

    def _differences(self) -> Differences:
        for dtype in self._precisions():
            differences = Differences(self.forward, self.arrays, self.dys, dtype)
            try:
                differences.here  # noqa: B018
            except Exception as error:
                failure = error
            else:
                return differences
        raise Unusable(f"no difference can be taken: {_line(failure)}")

    def _precisions(self) -> list[str]:
        large = sum(array.size for array in self.arrays) > SLOW
        extended = np.finfo(np.longdouble).eps < np.finfo(np.float64).eps
        return ["longdouble", "float64", "float32"] if extended and not large else LAST_RESORTS

    def _guarded(self) -> ComplexStep:
        """The complex step that a difference confirms, off the kinks, along all tensors at once.

        abs, var, std, norm and round drop imaginary parts without a word. From a kink the inputs
        move on by twice the step of the difference, so that it stays on one side.
        """
        shares, away = [1.0] * len(self.positions), 2 * self.differences.step
        directions = next(self.directions(self.positions, shares))
        arrays = list(self.arrays)
        for position, direction in directions.items():
            room = np.empty(arrays[position].shape, arrays[position].dtype)
            arrays[position] = _shifted(arrays[position], direction, away, room)
        there = Differences(self.forward, arrays, self.dys, self.differences.dtype.name)
        step = ComplexStep(self.forward, arrays, self.positions, self.dys)
        try:
            exact = step.along(directions)
        except Exception as error:
            raise Unusable(f"complex numbers do not pass through it ({_line(error)})") from error
        checked = there.along(directions, shrinks=(1,))
        allowed = 16 * (exact.uncertainty + checked.uncertainty)
        if not abs(exact.value - checked.value) <= allowed:
            raise Unusable("it drops imaginary parts, as abs, var, std and norm do")
        step.move_to(self.arrays)
        return step


def _shifted(array: np.ndarray, direction: Direction, t: float, room: np.ndarray) -> np.ndarray:
    """array + t * direction in the precision of the array, written to `room`."""
    step = array.dtype.type(t) * array.dtype.type(direction.size)
    for moved, a, d in pieces(room, array, direction.numbers):
        np.multiply(d, step, out=moved, dtype=moved.dtype, casting="same_kind")
        moved += a
    return frozen(room.view())


def jittered(
    arrays: Arrays, positions: Sequence[int], generator: np.random.Generator, eps: float = 2.0**-52
) -> list[np.ndarray]:
    """The arrays moved by about sqrt(eps) of their size: off every tie, across no other kink."""
    moved = list(arrays)
    for position in positions:
        array = arrays[position]
        with np.errstate(invalid="ignore", over="ignore"):
            size = np.sqrt(eps) * np.maximum(np.abs(array), scale(array))
            shifted = array + size * probe(generator, array.shape)
        moved[position] = frozen(shifted.astype(array.dtype))
    return moved


def frozen(array: np.ndarray) -> np.ndarray:
    """The array, read-only: whoever writes to it is told."""
    array = np.asarray(array)
    array.flags.writeable = False
    return array


@contextmanager
def _strict():
    """Floating-point warnings off; a cast that would discard an imaginary part raises."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        yield


def _sum(arrays) -> float:
    return float(sum(np.sum(array) for array in arrays))


def largest(array: np.ndarray) -> float:
    """The largest finite absolute value, 0 of none."""
    ends = np.max(array, initial=0.0), np.min(array, initial=0.0)
    if np.isfinite(ends).all():
        return float(max(ends[0], -ends[1]))
    return float(np.max(np.abs(array), initial=0.0, where=np.isfinite(array)))


def norm(arrays: Arrays) -> float:
    """The root of the sum of all squares."""
    flat = [array.reshape(-1) for array in arrays]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        square = sum(np.dot(array, array) for array in flat)
    top = max(map(largest, flat), default=0.0) if not 1e-280 < square < np.inf else 1.0
    if top not in (0.0, 1.0):  # out of range
        return float(top * np.sqrt(sum(np.sum(np.square(array / top)) for array in flat)))
    return float(np.sqrt(square))


def _line(error: BaseException) -> str:
    text = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {text[0][:80]}".rstrip(": ")
