"""What is true at one point: the tape's gradients, their rounding, and the arbiter's opinion."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial

import numpy as np

from comparisons.pieces import pieces
from comparisons.witnesses import (
    Arrays,
    Derivative,
    Direction,
    Directions,
    Unusable,
    largest,
    norm,
    scale,
)

from .inputs import generator
from .rounding import LIMIT, Measured, nudged
from .subject import Failure
from .truth import Witnesses

Gradients = Mapping[int, np.ndarray]  # by the position of the input


class Point:
    """Inputs in float64, the gradients given there, and what the witnesses say of each."""

    def __init__(self, everyone: Witnesses, arrays: Arrays, given: Gradients, values: Arrays):
        self.witnesses, self.arrays, self.given, self.values = everyone, arrays, given, values
        self.unusable = ""

    @cached_property
    def measured(self) -> Measured:
        """In haste, which spares a large reference a run, where that shows all to be right."""
        if self.witnesses.tape:
            found = self.witnesses.measure(self.arrays, in_haste=True)
            if not found.is_hasty or self._explains(found):
                return found
        return self.witnesses.measure(self.arrays)

    def _explains(self, found: Measured) -> bool:
        """Whether that much rounding explains all values and gradients."""
        gradients = [self.given.get(p) for p in self.witnesses.subject.positions]
        values = zip(self.values, found.values, found.value_noise, strict=True)
        known = zip(gradients, found.gradients, found.gradient_noise, strict=True)
        # 1 * makes integers of truth values, which cannot be subtracted
        right = all(within(1 * value, 1 * expected, noise) for value, expected, noise in values)
        return right and all(g is not None and within(g, *truth) for g, *truth in known)

    @cached_property
    def opinion(self) -> "Opinion | None":
        """The arbiter's, None where it cannot testify; then `unusable` says why."""
        try:
            return Opinion(self.witnesses, self.arrays, self.values)
        except Unusable as reason:
            self.unusable = str(reason)
        return None

    def noise(self, position: int) -> np.ndarray:
        return self.measured.gradient_noise[self._order(position)]

    def taped(self, position: int) -> np.ndarray | None:
        """The reference's gradient, None without a reference."""
        if self.witnesses.tape is None:
            return None
        return self.measured.gradients[self._order(position)].astype(float, copy=False)

    def expected(self, position: int) -> tuple[np.ndarray, np.ndarray] | None:
        """(true gradient, noise) of every element, None where only probes can testify."""
        taped = self.taped(position)
        if taped is not None:
            return taped, self.noise(position)
        if self.opinion is None or not self.opinion.is_complete(position):
            return None
        value, uncertainty = self.opinion.gradient(position)
        return value, self.noise(position) + uncertainty

    def agrees(self, position: int) -> bool:
        """Whether the gradient given is right but for rounding."""
        expected = self.expected(position)
        if expected is None:
            return self.agrees_with_arbiter(position)
        return within(self.given[position], *expected)

    def agrees_with_arbiter(self, position: int) -> bool:
        """True too where the arbiter cannot testify."""
        if self.opinion is None:
            return True
        try:
            if self._agrees_with(self.opinion, position):
                return True
            return self._measure_closely() and self._agrees_with(self.opinion, position)
        except Failure as failure:
            self.unusable = f"near these inputs {failure.line}"
            return True

    def _measure_closely(self) -> bool:
        """Measure the noise that was measured in haste. False where there is nothing to do."""
        if not self.measured.is_hasty:
            return False
        self.measured = self.witnesses.measure(self.arrays)
        return True

    @cached_property
    def _exact(self) -> list[np.ndarray]:
        return self._taped_in(None)

    @cached_property
    def _rounded(self) -> list[np.ndarray]:
        """In the dtype of the check, where the -1e9 of a mask hides more than in float64."""
        try:
            return self._taped_in(self.witnesses.dtype)
        except Failure:
            return self._exact

    def _taped_in(self, dtype: str | None) -> list[np.ndarray]:
        assert self.witnesses.tape is not None
        return self.witnesses.tape(self.arrays, self.witnesses.dys, dtype)[1]

    def is_far_off(self, position: int) -> bool:
        """Whether the gradient is wrong by more than the fourth root of the precision."""
        tolerance = float(np.finfo(self.witnesses.dtype).eps) ** 0.25
        if self.witnesses.tape is None:
            return self._is_far_off_along(position, tolerance)
        is_far = partial(self._is_far_from, position, tolerance)
        return is_far(self._exact) and is_far(self._rounded)

    def _is_far_from(self, position, tolerance, gradients) -> bool:
        truth, given = gradients[self._order(position)], self.given[position]
        errors = [np.fmax.reduce(np.abs(g - t), initial=0.0) for g, t in pieces(given, truth)]
        worst = max(errors, default=0.0)
        return worst > tolerance * self._natural(position) and worst > tolerance * largest(truth)

    def _is_far_off_along(self, position, tolerance) -> bool:
        if self.opinion is None:
            return False
        noise = {position: np.broadcast_to(0.0, self.given[position].shape)}
        probes = list(self.opinion.probes([position], self.given, noise))
        size = self._natural(position)
        return any(p.error > tolerance * max(p.size, size) for p in probes)

    def _natural(self, position) -> float:
        """The size of a gradient that moves the value by as much as itself."""
        terms = [dy * y for dy, y in zip(self.witnesses.dys, self.values, strict=True)]
        return norm(terms) / max(1.0, scale(self.arrays[position]))

    def probes(self, position: int) -> list["Probe"]:
        """The gradient given of a large tensor along random directions, beside the arbiter's."""
        if self.opinion is None:
            return []
        noise = {position: self.noise(position)}
        return list(self.opinion.probes([position], self.given, noise))

    def _agrees_with(self, opinion, position) -> bool:
        if not opinion.is_complete(position):
            return self._agree_along(opinion, [position])
        truth, uncertainty = opinion.gradient(position)
        return within(self.given[position], truth, self.noise(position) + uncertainty)

    def agree_together(self, positions: Sequence[int]) -> bool:
        """Whether gradients agree with the arbiter along probes of all these tensors at once.

        This takes far fewer passes than one tensor, or one element, after the other.
        """
        if self.opinion is None:
            return False
        try:
            return self._agree_along(self.opinion, positions)
        except Failure:
            return False

    def _agree_along(self, opinion, positions) -> bool:
        noise = {position: self.noise(position) for position in positions}
        probes = opinion.probes(positions, self.given, noise)
        return all(probe.ratio <= LIMIT for probe in probes)

    def _order(self, position: int) -> int:
        return list(self.witnesses.subject.positions).index(position)


class Opinion:
    """The derivatives of the function's own forward at a point, each taken once.

    Raises Unusable where no witness can take them, or where the function, in the dtype that the
    witness needs, is another one, as when it draws other random numbers.
    """

    def __init__(self, everyone: Witnesses, arrays: Arrays, values: Arrays):
        self.witnesses, self.arrays, self.values = everyone, arrays, values
        self.arbiter = everyone.arbiter(arrays)
        if not all(map(_alike, self.arbiter.differences.here, values)):
            dtype = self.arbiter.differences.dtype.name
            raise Unusable(f"in {dtype} the function has other values")
        self._taken: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    @property
    def how(self) -> str:
        return self.arbiter.name

    def is_complete(self, position: int) -> bool:
        """Whether every element is differentiated, rather than probes of all."""
        return self.arbiter.one_by_one(position)

    def gradient(self, position: int) -> tuple[np.ndarray, np.ndarray]:
        """(gradient, uncertainty), element by element."""
        if position not in self._taken:
            value, uncertainty = self.arbiter.gradient(position)
            self._taken[position] = value, uncertainty + self._cancelling(position, value)
        return self._taken[position]

    def probes(
        self, positions: Sequence[int], given: Gradients, noise: Gradients
    ) -> Iterator["Probe"]:
        """The gradients given along random directions, in which each tensor has an equal share."""
        sizes = [norm([given[position]]) or 1.0 for position in positions]
        shares = [min(sizes) / size for size in sizes]
        along = self.arbiter.directions(positions, shares)
        return map(lambda v: Probe(given, noise, v, self.arbiter.along(v)), along)

    def _cancelling(self, position, value) -> float:
        """Where all may be terms that cancel: what one unit in the last place changes."""
        terms = [dy * y for dy, y in zip(self.witnesses.dys, self.values, strict=True)]
        natural = norm(terms) / scale(self.arrays[position])
        if not value.size or np.abs(value).max() > 1e-12 * natural:
            return 0.0
        rng = generator("cancelling", self.witnesses.seed)
        moved = [nudged(array, "float64", rng) for array in self.arrays]
        there = self.witnesses.arbiter(moved).gradient(position)[0]
        return max(array.size for array in moved) ** 0.5 * float(np.abs(value - there).max())


class Probe:
    """Gradients summed along a direction beside the arbiter's derivative."""

    def __init__(
        self, given: Gradients, noise: Gradients, directions: Directions, derivative: Derivative
    ):
        along, size = _summed(given, directions)
        blur = sum(_blur(noise[p], direction) ** 2 for p, direction in directions.items()) ** 0.5
        terms = sum(direction.numbers.size for direction in directions.values())
        self.size = size or 1.0
        self.error = abs(along - derivative.value)
        self.noise = blur + derivative.uncertainty + np.finfo(float).eps * terms**0.5 * self.size
        self.ratio = self.error / self.noise if self.error else 0.0
        self.true = derivative.value


def _summed(gradients: Gradients, directions: Directions) -> tuple[float, float]:
    """The sum of gradient * direction over all elements of all tensors, and the norm of these."""
    pairs = [(0.0, 0.0)]
    for position, direction in directions.items():
        for gradient, numbers in pieces(gradients[position], direction.numbers):
            product = gradient * numbers
            pairs.append((direction.size * np.sum(product), direction.size * norm([product])))
    sums, norms = np.array(pairs).T
    return float(np.sum(sums)), norm([norms])


def _blur(noise: np.ndarray, direction: Direction) -> float:
    """The norm of noise * direction; a large tensor has one noise for all its elements."""
    if noise.size and not any(noise.strides):
        return float(noise.flat[0]) * direction.size * norm([direction.numbers])
    return direction.size * norm([noise * direction.numbers])


def within(given: np.ndarray, expected: np.ndarray, noise: np.ndarray) -> bool:
    """Whether rounding explains every difference."""
    parts = pieces(given, expected, noise)
    return all(np.all(np.abs(g - e) <= LIMIT * n) for g, e, n in parts)


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal up to what float32 may do to a value."""
    return a.shape == b.shape and not np.any(np.abs(a - b) > 0.01 * scale(b))
