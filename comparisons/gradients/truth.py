"""The reference on TensorFlow's tape, and how far rounding moves it and the function under test."""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from comparisons import witnesses
from comparisons.precision import floatx
from comparisons.witnesses import Arbiter, Arrays

from .inputs import generator
from .rounding import DRAWS, Measured, measure
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
        self.kept: tuple[Arrays, Any] = [], None

    def __call__(self, arrays: Arrays, dys: Arrays | None = None, dtype: str | None = None):
        """(values, gradients). Without dys no gradients: the next call can have them, if it has
        the very same arrays, without a forward of its own.
        """
        dtype = dtype or self.dtype
        with user_code(self.name), floatx(dtype):
            arrays = as_dtype(arrays, dtype)
            (known, call), self.kept = self.kept, ([], None)
            if not known or any(map(operator.is_not, known, arrays)):
                call = witnesses.tape(self.function, arrays, self.positions, self.variables)
            values, backward = call
            if dys is not None:
                return values, backward(dys)
            self.kept = arrays, call
            return values, []

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

    def measure(self, arrays: Arrays, own: bool = False, in_haste: bool = False) -> Measured:
        """Values, gradients and noise of the reference, or of the function itself."""
        rng = generator("rounding", self.seed)
        errors = self._own_errors(arrays, rng)
        if self.tape and not own:
            errors += self._reference_errors(self.tape, arrays, rng)
        source = self.tape if self.tape and not own else self._own
        positions = self.subject.positions
        return measure(source, arrays, positions, self.dys, self.precision, rng, errors, in_haste)

    def _reference_errors(self, tape, arrays, rng) -> list[list[np.ndarray]]:
        """The reference's own rounding errors in float32, scaled to the dtype of the check."""
        if tape.dtype == "float32" or sum(array.size for array in arrays) > witnesses.SLOW:
            return []
        nearby = [self._nearby(arrays, rng) for _ in range(2 * (self.dtype == "float32"))]
        try:
            return [self._reference_error(tape, point) for point in (arrays, *nearby)]
        except Failure:
            return []

    def _reference_error(self, tape, arrays) -> list[np.ndarray]:
        rounded = [as_dtype(part, "float32") for part in (arrays, self.dys)]
        narrow, wide = (tape(*rounded, dtype=dtype) for dtype in ("float32", "float64"))
        return _errors(narrow, wide, float(np.finfo(self.dtype).eps / np.finfo("float32").eps))

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
        nearby = self._nearby(arrays, rng)
        narrow, wide = (
            self.subject.both(as_dtype(nearby, dtype), as_dtype(self.dys, dtype))
            for dtype in (self.dtype, wider)
        )
        return _errors(narrow, wide, 1.0)

    def _nearby(self, arrays, rng) -> list[np.ndarray]:
        """Inputs a thousandth away, where every step is rounded anew."""
        return witnesses.jittered(arrays, self.subject.positions, rng, eps=1e-6)

    def _own(self, arrays: Arrays, dys: Arrays):
        return self.subject.both(as_dtype(arrays, self.dtype), as_dtype(dys, self.dtype))

    def arbiter(self, arrays: Arrays) -> Arbiter:
        """The arbiter at a point. Unusable where the forward pass admits no witness."""
        subject = self.subject
        return Arbiter(subject.values, arrays, subject.positions, self.dys, self.seed)


def _errors(narrow, wide, scale: float) -> list[np.ndarray]:
    pairs = zip([*narrow[0], *narrow[1]], [*wide[0], *wide[1]], strict=True)
    with np.errstate(invalid="ignore"):
        # 1 * makes integers of truth values, which cannot be subtracted
        return [np.asarray((1 * n - w) * scale, np.float64) for n, w in pairs]


def as_dtype(arrays: Arrays, dtype: str) -> list[np.ndarray]:
    """Real arrays in the dtype, read-only; integers as they are."""
    return [
        witnesses.frozen(a.astype(dtype, copy=False) if a.dtype.kind == "f" else a) for a in arrays
    ]
