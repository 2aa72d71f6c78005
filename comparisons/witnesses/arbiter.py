"""The arbiter: whichever derivative of the function's own forward can be trusted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from .arrays import LARGE, Arrays, probe, scale
from .derivatives import (
    ComplexStep,
    Derivative,
    Differences,
    Direction,
    Directions,
    Forward,
    Unusable,
    shifted,
)

SLOW = 100_000  # elements beyond which longdouble, for which there is no BLAS, is not used
LAST_RESORTS = ["float64", "float32"]
PERIOD = 1_000_003  # elements after which directions repeat: a prime
WORK = 20_000_000  # elements that one tensor's derivatives, taken one by one, may move in all


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
        """Gaussian numbers: of a large tensor those drawn once, repeated and moved on.

        The period is prime, so that no axis has it, and no wrong row falls upon its like.
        """
        array = self.arrays[position]
        if array.size < LARGE:
            return Direction(np.asarray(size * probe(self.generator, array.shape)))
        if position not in self.drawn:
            drawn = probe(self.generator, PERIOD, "float32")
            self.drawn[position] = np.resize(drawn, array.size + PERIOD)
        start = self.generator.integers(PERIOD)
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
        """The complex step that a difference confirms, along all tensors at once.

        abs, var, std, norm and round drop imaginary parts without a word.
        """
        directions = next(self.directions(self.positions, [1.0] * len(self.positions)))
        arrays = self._off_kinks(directions)
        try:
            witness = ComplexStep(self.forward, arrays, self.positions, self.dys)
            exact = witness.along(directions)
        except Exception as error:
            raise Unusable(f"complex numbers do not pass through it ({_line(error)})") from error
        there = Differences(self.forward, arrays, self.dys, self.differences.dtype.name)
        there.room = self.differences.room  # whose large tensors do not move meanwhile
        checked = there.along(directions, shrinks=(1,))
        allowed = 16 * (exact.uncertainty + checked.uncertainty)
        if not abs(exact.value - checked.value) <= allowed:
            raise Unusable("it drops imaginary parts, as abs, var, std and norm do")
        witness.move_to(self.arrays)
        return witness

    def _off_kinks(self, directions: Directions) -> list[np.ndarray]:
        """The inputs moved by twice the step of a difference, so that it stays on one side."""
        moved, away = list(self.arrays), 2 * self.differences.step
        for position, direction in directions.items():
            room = np.empty(moved[position].shape, moved[position].dtype)
            moved[position] = shifted(moved[position], direction, away, room)
        return moved


def _line(error: BaseException) -> str:
    text = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {text[0][:80]}".rstrip(": ")
