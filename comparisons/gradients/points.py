"""What is true at one point: the tape's gradients, their rounding, and the arbiter's opinion."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from comparisons import witnesses
from comparisons.precision import floatx
from comparisons.witnesses import Arbiter, Arrays, Derivative, Unusable

from .inputs import generator
from .rounding import DRAWS, LIMIT, Measured, measure, nudged
from .subject import Failure, Subject, user_code


class Tape:
    """The reference, differentiated by tf.GradientTape: in float64, or in float32 if it must."""

    def __init__(
        self,
        function: Callable[..., Any],
        positions: Sequence[int],
        name: str,
        variables: Mapping[int, Any] = MappingProxyType({}),
    ):
        self.function, self.positions, self.name = function, positions, name
        self.variables, self.dtype = variables, "float64"

    def __call__(self, arrays: Arrays, dys: Arrays | None = None, dtype: str | None = None):
        dtype = dtype or self.dtype
        with user_code(self.name), floatx(dtype):
            arrays = as_dtype(arrays, dtype)
            return witnesses.tape(self.function, arrays, self.positions, dys, self.variables)

    def values(self, arrays: Arrays) -> list[np.ndarray]:
        """Its values. From here on it is run in float32 where it cannot be run in float64."""
        try:
            return self(arrays)[0]
        except Failure as failure:
            values = self._in_float32(arrays, failure)
        self.dtype = "float32"
        return values

    def _in_float32(self, arrays, failure):
        try:
            return self(arrays, dtype="float32")[0]
        except Failure:
            raise failure from None


@dataclass
class Witnesses:
    """The function under test and whoever can testify about it, at any point."""

    subject: Subject
    tape: Tape | None
    dys: Arrays
    dtype: str
    seed: int

    @property
    def precision(self) -> str:
        """The dtype whose rounding is to be expected."""
        return self.tape.dtype if self.tape and self.tape.dtype == "float32" else self.dtype

    def measure(self, arrays: Arrays, own: bool = False) -> Measured:
        """Values, gradients and noise of the reference, or of the function itself."""
        rng = generator("rounding", self.seed)
        own = own or self.tape is None
        source, errors = (self._own, []) if own else (self.tape, self._reference_errors(arrays))
        errors += self._own_errors(arrays, rng)
        positions = self.subject.positions
        return measure(source, arrays, positions, self.dys, self.precision, rng, errors)

    def _reference_errors(self, arrays) -> list[list[np.ndarray]]:
        """The reference's own rounding errors in float32, scaled to the dtype of the check."""
        if self.tape.dtype == "float32" or sum(array.size for array in arrays) > witnesses.SLOW:
            return []
        rounded = [as_dtype(part, "float32") for part in (arrays, self.dys)]
        try:
            narrow, wide = (self.tape(*rounded, dtype=d) for d in ("float32", "float64"))
        except Failure:
            return []
        scale = np.finfo(self.dtype).eps / np.finfo(np.float32).eps
        return [_errors(narrow, wide, scale)]

    def _own_errors(self, arrays, rng) -> list[list[np.ndarray]]:
        """The function's rounding errors, against itself in more precision, at points nearby."""
        wider = "longdouble" if self.dtype == "float64" else "float64"
        if sum(array.size for array in arrays) > witnesses.SLOW:
            return []
        if self.dtype == "float32" and self.tape:
            return []
        try:
            return [self._own_error(arrays, wider, rng) for _ in range(DRAWS)]
        except Failure:
            return []

    def _own_error(self, arrays, wider, rng) -> list[np.ndarray]:
        nearby = witnesses.jittered(arrays, self.subject.positions, rng, eps=1e-6)
        narrow, wide = (
            self.subject.both(as_dtype(nearby, dtype), as_dtype(self.dys, dtype))
            for dtype in (self.dtype, wider)
        )
        return _errors(narrow, wide, 1.0)

    def _own(self, arrays: Arrays, dys: Arrays):
        return self.subject.both(as_dtype(arrays, self.dtype), as_dtype(dys, self.dtype))

    def arbiter(self, arrays: Arrays) -> Arbiter:
        """The arbiter at a point. Unusable where the forward pass admits no witness."""
        subject = self.subject
        return Arbiter(subject.values, arrays, subject.positions, self.dys, self.seed)


class Point:
    """Inputs in float64, the gradients given there, and what the witnesses say of each."""

    def __init__(self, everyone: Witnesses, arrays: Arrays, given: dict, values: Arrays):
        self.witnesses, self.arrays, self.given, self.values = everyone, arrays, given, values
        self.unusable = ""
        self._differentiated: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    @cached_property
    def measured(self) -> Measured:
        return self.witnesses.measure(self.arrays)

    @cached_property
    def arbiter(self) -> Arbiter | None:
        try:
            arbiter = self.witnesses.arbiter(self.arrays)
        except Unusable as reason:
            self.unusable = str(reason)
            return None
        if not all(map(_alike, arbiter.differences.here, self.values)):
            self.unusable = f"in {arbiter.differences.dtype} the function has other values"
            return None
        return arbiter

    def noise(self, position: int) -> np.ndarray:
        return self.measured.gradient_noise[self._order(position)]

    def taped(self, position: int) -> np.ndarray | None:
        """The reference's gradient, None without a reference."""
        gradients = self.measured.gradients if self.witnesses.tape else None
        return None if gradients is None else gradients[self._order(position)].astype(float)

    def expected(self, position: int) -> tuple[np.ndarray, np.ndarray] | None:
        """(true gradient, noise) of every element, None where only probes can testify."""
        taped = self.taped(position)
        if taped is not None:
            return taped, self.noise(position)
        if not (self.arbiter and self.arbiter.one_by_one(position)):
            return None
        value, uncertainty = self.differentiated(position)
        return value, self.noise(position) + uncertainty

    def differentiated(self, position: int) -> tuple[np.ndarray, np.ndarray]:
        """The arbiter's (gradient, uncertainty), element by element, taken once."""
        if position not in self._differentiated:
            self._differentiated[position] = self._differentiate(position)
        return self._differentiated[position]

    def _differentiate(self, position) -> tuple[np.ndarray, np.ndarray]:
        """Where all may be terms that cancel, what one unit in the last place changes is noise."""
        value, uncertainty = self.arbiter.gradient(position)
        terms = [dy * y for dy, y in zip(self.witnesses.dys, self.values, strict=True)]
        natural = witnesses.norm(terms) / witnesses.scale(self.arrays[position])
        if not value.size or np.abs(value).max() > 1e-12 * natural:
            return value, uncertainty
        rng = generator("cancelling", self.witnesses.seed)
        moved = [nudged(array, "float64", rng) for array in self.arrays]
        there = self.witnesses.arbiter(moved).gradient(position)[0]
        return value, uncertainty + max(a.size for a in moved) ** 0.5 * np.abs(value - there).max()

    def agrees(self, position: int) -> bool:
        """Whether the gradient given is right but for rounding."""
        expected = self.expected(position)
        if expected is None:
            return self.agrees_with_arbiter(position)
        truth, noise = expected
        return bool(np.all(np.abs(self.given[position] - truth) <= LIMIT * noise))

    def agrees_with_arbiter(self, position: int) -> bool:
        """True too where the arbiter cannot testify."""
        if self.arbiter is None:
            return True
        try:
            return self._agrees_with_arbiter(position)
        except Failure as failure:
            self.unusable = f"near these inputs {failure.line}"
            return True

    def _agrees_with_arbiter(self, position) -> bool:
        if not self.arbiter.one_by_one(position):
            return self.joint_probes_agree or self._probes_agree(position)
        truth, uncertainty = self.differentiated(position)
        noise = self.noise(position) + uncertainty
        return bool(np.all(np.abs(self.given[position] - truth) <= LIMIT * noise))

    def _probes_agree(self, position) -> bool:
        return all(probe.ratio <= LIMIT for probe in self.probes(position))

    @cached_property
    def joint_probes_agree(self) -> bool:
        """Whether all large tensors, moved together, agree with the arbiter: far fewer passes."""
        positions = [p for p in self.witnesses.subject.positions if not self.arbiter.one_by_one(p)]
        given, noise = ([part[p] for p in positions] for part in (self.given, self.noises))
        shares = [1 / (witnesses.norm([g]) or 1.0) for g in given]
        for directions in self.arbiter.directions(positions, shares):
            derivative = self.arbiter.along(directions)
            if Probe(given, noise, list(directions.values()), derivative).ratio > LIMIT:
                return False
        return True

    def probes(self, position: int) -> list["Probe"]:
        found = []
        for directions in self.arbiter.directions([position], [1.0]):
            derivative = self.arbiter.along(directions)
            sides = [self.given[position]], [self.noise(position)]
            found.append(Probe(*sides, list(directions.values()), derivative))
        return found

    @property
    def noises(self) -> dict[int, np.ndarray]:
        return {position: self.noise(position) for position in self.witnesses.subject.positions}

    def _order(self, position: int) -> int:
        return list(self.witnesses.subject.positions).index(position)


class Probe:
    """Gradients summed along a random direction beside the arbiter's derivative."""

    def __init__(self, given: Arrays, noise: Arrays, directions: Arrays, derivative: Derivative):
        along = [g * v for g, v in zip(given, directions, strict=True)]
        blurs = [n * v for n, v in zip(noise, directions, strict=True)]
        terms = sum(g.size for g in given)
        self.size = witnesses.norm(along) or 1.0
        self.error = abs(sum(float(np.sum(a)) for a in along) - derivative.value)
        self.noise = witnesses.norm(blurs) + derivative.uncertainty
        self.noise += float(np.finfo(given[0].dtype).eps) * terms**0.5 * self.size
        self.ratio, self.true = self.error / self.noise, derivative.value


def _errors(narrow, wide, scale: float) -> list[np.ndarray]:
    pairs = zip([*narrow[0], *narrow[1]], [*wide[0], *wide[1]], strict=True)
    with np.errstate(invalid="ignore"):
        return [np.asarray((n - w) * scale, np.float64) for n, w in pairs]


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal up to what float32 may do to a value: the same random numbers were drawn for both."""
    return a.shape == b.shape and not np.any(np.abs(a - b) > 0.01 * witnesses.scale(b))


def as_dtype(arrays: Arrays, dtype: str) -> list[np.ndarray]:
    """Real arrays in the dtype, read-only; integers as they are."""
    return [
        witnesses.frozen(a.astype(dtype, copy=False) if a.dtype.kind == "f" else a) for a in arrays
    ]
