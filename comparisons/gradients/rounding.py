"""How far rounding alone can move a gradient, element by element, measured on the reference."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from comparisons.pieces import mapped, pieces
from comparisons.witnesses import LARGE, Arrays, frozen, largest, norm, scale

Gradients = Callable[[Arrays, Arrays], tuple[list[np.ndarray], list[np.ndarray]]]

LIMIT = 8.0
DRAWS = 6


@dataclass(frozen=True)
class Measured:
    """Values and gradients as they are, and per element of each what rounding explains.

    natural is the size of dy * y / x for each gradient, an inner product's over a vector's.
    is_hasty says that no move was measured, so that the noise is what eps alone explains.
    """

    values: list[np.ndarray]
    gradients: list[np.ndarray]
    value_noise: list[np.ndarray]
    gradient_noise: list[np.ndarray]
    natural: list[float]
    is_hasty: bool = False


def measure(
    gradients: Gradients,
    arrays: Arrays,
    moving: Sequence[int],
    dys: Arrays,
    dtype: str,
    rng: np.random.Generator,
    errors: Iterable[Sequence[np.ndarray]] = (),
    in_haste: bool = False,
) -> Measured:
    """sqrt(n) * (rms of the moves + eps * |g|) + eps * max|g| + max|errors|.

    n is the size of the largest tensor. errors are rounding errors of values and gradients that
    were observed; they tell of steps in between, such as 1 - y where y is nearly 1.

    The moves are those of a gradient g when the inputs at the positions `moving` and dy move by one
    unit in the last place of dtype. A move above sqrt(eps) * max|g| crossed a kink and does not
    count, unless terms of the size of dy * y may have cancelled so far. In haste those of large
    tensors are left out where no gradient is so small that they could hide it.
    """
    values, exact = gradients(arrays, dys)
    loss = norm([dy * y for dy, y in zip(dys, values, strict=True)])
    scales = [scale(arrays[position]) for position in moving]
    terms = max(array.size for array in [*arrays, *values])
    kind, draws = (_Spread, DRAWS) if terms < LARGE else (_LargeSpread, 1)
    of_values = [kind(value, 0.0, dtype) for value in values]
    cancelling = [loss / min(s, 1.0) for s in scales]
    of_gradients = [kind(g, size, dtype) for g, size in zip(exact, cancelling, strict=True)]
    can_hide = any(spread.can_hide(terms) for spread in of_gradients)
    is_hasty = in_haste and terms >= LARGE and not can_hide
    spreads = [*of_values, *of_gradients]
    for _ in range(0 if is_hasty else draws):
        moved = _moved(gradients, arrays, moving, dys, dtype, rng)
        for spread, array in zip(spreads, moved, strict=True):
            spread.add(array)
    for observed in errors:
        for spread, error in zip(spreads, observed, strict=True):
            spread.observe(error)
    noise = [spread.noise(terms) for spread in spreads]
    value_noise, gradient_noise = noise[: len(values)], noise[len(values) :]
    natural = [loss / s for s in scales]
    return Measured(values, exact, value_noise, gradient_noise, natural, is_hasty)


def _moved(gradients, arrays, moving, dys, dtype, rng) -> list[np.ndarray]:
    """Values and gradients after a move of the inputs and dy by one unit in the last place."""
    moved = [nudged(a, dtype, rng) if p in moving else a for p, a in enumerate(arrays)]
    values, there = gradients(moved, [nudged(dy, dtype, rng) for dy in dys])
    return [*values, *there]


def nudged(array: np.ndarray, dtype: str, rng: np.random.Generator) -> np.ndarray:
    """Every element about one unit in the last place of dtype higher or lower; zeros stay."""
    if array.dtype.kind != "f":
        return array
    ups = np.unpackbits(np.frombuffer(rng.bytes(array.size // 8 + 1), np.uint8), count=array.size)
    eps = float(np.finfo(dtype).eps)
    return frozen(mapped(lambda a, up: a * (1 - eps + 2 * eps * up), array, ups))


class _Spread:
    """The root mean square, per element, of the moves that crossed no kink."""

    def __init__(self, exact: np.ndarray, terms: float, dtype: str):
        self.exact = exact.astype(np.float64, copy=False)
        self.eps, self.tiny = float(np.finfo(dtype).eps), float(np.finfo(dtype).tiny)
        self.largest = max(self.tiny, largest(self.exact))
        self.most = max(self.eps**0.5 * self.largest, 64 * self.eps * terms)
        self.observed = 0.0
        self.start()

    def start(self) -> None:
        self.squares = np.zeros(self.exact.shape)
        self.counts = np.zeros(self.exact.shape, np.int8)

    def add(self, moved: np.ndarray) -> None:
        move = self._moves(moved, self.exact)
        counted = move <= 1
        self.squares += np.square(np.where(counted, move, 0.0))
        self.counts += counted

    def observe(self, error: np.ndarray) -> None:
        explained = np.abs(error[np.abs(error) <= self.most])
        self.observed = max(self.observed, float(np.max(explained, initial=0.0)))

    def noise(self, terms: int) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            moves = self.most * np.sqrt(self.squares / np.maximum(self.counts, 1))
        size = np.where(np.isfinite(self.exact), np.abs(self.exact), 0.0)
        return terms**0.5 * (moves + self.eps * size) + self._floor

    def can_hide(self, terms: int) -> bool:
        """Whether moves, as large as they may be, would leave nothing of the gradient."""
        return LIMIT * terms**0.5 * self.most >= self.largest

    @property
    def _floor(self) -> float:
        return self.eps * self.largest + self.observed + self.tiny

    def _moves(self, moved, exact) -> np.ndarray:
        with np.errstate(invalid="ignore", over="ignore"):
            move = np.asarray(np.subtract(moved, exact))
            move /= self.most
            return np.abs(move, out=move)


class _LargeSpread(_Spread):
    """One noise for a whole tensor, where one per element would cost more than the check."""

    def start(self) -> None:
        self.worst = 0.0

    def add(self, moved: np.ndarray) -> None:
        for move in itertools.starmap(self._moves, pieces(moved, self.exact)):
            self.worst = max(self.worst, float(np.max(move, initial=0.0, where=move <= 1)))

    def noise(self, terms: int) -> np.ndarray:
        noise = terms**0.5 * (self.most * self.worst + self.eps * self.largest) + self._floor
        return np.broadcast_to(noise, self.exact.shape)
