"""One wrong gradient, all that entered the call, and how well a guess explains the difference.

A guess predicts the wrong gradient. What it leaves over is counted in bits: an entry costs the
logarithm of its error in units of rounding noise, each number that the guess had to fit costs as
much as an entry, and unusual guesses start with a handicap. The guess that saves most bits wins,
so that a simple exact explanation beats a flexible one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

MARGIN = 8.0  # noise is an estimate: an error counts as unexplained from this multiple on
SAMPLE = 20_000  # entries of a large tensor on which a guess must first prove itself
LARGE = 200_000  # entries of a tensor that is looked at only in part
TINY = 1e-300
EPSILON = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Cause:
    """A named explanation; fit is the share of the difference's energy that it explains, 0 to 1."""

    name: str
    sentence: str
    fit: float


@dataclass(frozen=True)
class Guess:
    """given = prediction: a possible cause, and how many numbers were fitted to make it so.

    says continues the sentence that the gradient's name begins; its "exactly" becomes "nearly"
    where something is left over. prior is the handicap in bits. A prediction computed anew from
    the inputs carries rounding of its own.
    """

    name: str
    prediction: np.ndarray
    says: str
    parameters: float = 0
    prior: float = 4
    recomputed: bool = False


@dataclass(frozen=True)
class Evidence:
    """A wrong gradient (given) beside the right one (expected), and all that entered the call.

    Where it is thinned, `kept` holds the indices that are left along each axis.
    """

    name: str
    given: np.ndarray
    expected: np.ndarray
    noise: np.ndarray
    inputs: dict[str, np.ndarray]
    dy: np.ndarray
    value: np.ndarray
    arguments: dict
    all_given: dict[str, np.ndarray]
    all_expected: dict[str, np.ndarray]
    kept: tuple[np.ndarray, ...] = ()

    @property
    def label(self) -> str:
        return f"d{self.name}"

    @property
    def same_shape(self) -> bool:
        return self.given.shape == self.expected.shape

    @cached_property
    def baseline(self) -> np.ndarray:
        """What given is compared with: expected, or zeros where the shapes differ."""
        return self.expected if self.same_shape else np.zeros_like(self.given)

    @cached_property
    def difference(self) -> np.ndarray:
        return self.given - self.baseline

    @cached_property
    def excess(self) -> np.ndarray:
        """The difference in units of what rounding explains."""
        return np.abs(self.difference) / self.resolution(self.baseline)

    @property
    def wrong(self) -> np.ndarray:
        """Where given differs by more than rounding explains."""
        return self.excess > 1

    @cached_property
    def price(self) -> float:
        """Bits that one wrong entry costs, and so does one fitted number."""
        excess = self.excess[self.wrong]
        return float(np.log2(excess).mean()) if excess.size else 0.0

    @cached_property
    def null(self) -> float:
        """Bits of the difference where nothing explains it."""
        return bits(self.excess)

    @cached_property
    def floats(self) -> dict[str, np.ndarray]:
        """The inputs, and arrays among the arguments, that are real numbers."""
        arrays = {**self.inputs, **self.arguments}
        return {name: np.asarray(a, float) for name, a in arrays.items() if _is_float(a)}

    @cached_property
    def integers(self) -> dict[str, np.ndarray]:
        arrays = {name: np.asarray(a) for name, a in self.inputs.items()}
        return {name: a for name, a in arrays.items() if a.dtype.kind in "iu" and a.size}

    @cached_property
    def numbers(self) -> dict[str, float]:
        """The arguments that are plain numbers: a rate, an epsilon, an axis."""
        return {k: float(v) for k, v in self.arguments.items() if _is_number(v) and np.isfinite(v)}

    @cached_property
    def own(self) -> np.ndarray | None:
        """The input that the gradient belongs to."""
        own = self.floats.get(self.name)
        return own if own is not None and own.shape == self.expected.shape else None

    def at(self, axis: int, indices: Any) -> Any:
        """Indices along an axis, as they are in the whole tensor."""
        return self.kept[axis][indices] if self.kept else indices

    @cached_property
    def sample(self) -> tuple[np.ndarray, ...] | None:
        """Indices of some entries, wrong ones among them, of a tensor that is large."""
        size = self.given.size
        if size <= 2 * SAMPLE:
            return None
        rng = np.random.default_rng(0)
        wrong = rng.permutation(np.flatnonzero(self.wrong))[: SAMPLE // 2]
        some = np.concatenate([wrong, rng.integers(size, size=SAMPLE // 2)])
        return np.unravel_index(np.unique(some), self.given.shape)

    @cached_property
    def sampled(self) -> Evidence:
        """The same evidence with the sample's entries only."""
        assert self.sample is not None
        arrays = (self.given, self.baseline, self._spread_noise)
        given, expected, noise = (a[self.sample] for a in arrays)
        return replace(self, given=given, expected=expected, noise=noise)

    @cached_property
    def _spread_noise(self) -> np.ndarray:
        return self.noise if self.same_shape else np.full(self.given.shape, rms(self.noise))

    def resolution(self, prediction: np.ndarray, recomputed: bool = False) -> np.ndarray:
        """The error that rounding explains in each entry of a prediction."""
        size, noise = np.abs(prediction), self._spread_noise
        overall = max(1.0, rms(size) / rms(self.expected)) if not self.is_zero else 1.0
        known = np.abs(self.baseline) > MARGIN * noise
        growth = np.maximum(1, size / np.where(known, np.abs(self.baseline), 1))
        slack = noise * np.where(known, growth, overall) + EPSILON * (size + np.abs(self.given))
        if recomputed or not self.same_shape:
            slack = slack + rms(self.noise) * overall + EPSILON * rms(size)
        return MARGIN * slack + TINY

    @cached_property
    def is_zero(self) -> bool:
        """Whether the right gradient is zero up to rounding."""
        return not np.any(np.abs(self.expected) > MARGIN * self.noise)

    def agrees(self, formula: np.ndarray, relative: float = 0) -> bool:
        """Whether a formula, computed from the inputs, reproduces the right gradient."""
        e = self.expected
        slack = self.noise + rms(self.noise) + EPSILON * (np.abs(formula) + np.abs(e) + rms(e))
        close = np.abs(formula - e) <= MARGIN * slack + relative * rms(e) + TINY
        return bool(np.all(close))

    def bits(self, prediction: np.ndarray, recomputed: bool = False) -> float:
        """What a prediction leaves over, in bits."""
        return bits(np.abs(self.given - prediction) / self.resolution(prediction, recomputed))

    def fit(self, prediction: np.ndarray, recomputed: bool = False) -> float:
        """1 - Σ(error beyond rounding)² ÷ Σ difference²."""
        error = np.abs(self.given - prediction)
        rest = np.where(error > self.resolution(prediction, recomputed), error, 0)
        return 1 - min(1.0, rms(rest) / rms(self.difference)) ** 2


def rms(array: np.ndarray) -> float:
    """√mean(array²), scaled so that the squares of tiny or huge numbers stay in range."""
    top = float(np.abs(array).max(initial=0))
    return top * float(np.sqrt(np.mean((array / top) ** 2))) if top > 0 else 0.0


def typical_ratio(a: np.ndarray, b: np.ndarray) -> float:
    """The c that minimises Σ|a - c · b|, from a sample of entries where there are many."""
    step = max(1, b.size // SAMPLE)
    a, b = a.ravel()[::step], b.ravel()[::step]
    a, b = a[b != 0], b[b != 0]
    if b.size == 0:
        return 0.0
    order = np.argsort(a / b)
    weight = np.cumsum(np.abs(b[order]))
    median = order[np.searchsorted(weight, weight[-1] / 2).clip(max=b.size - 1)]
    return float(a[median] / b[median])


def bits(excess: np.ndarray) -> float:
    """Σ log2(error ÷ rounding) over the entries that are wrong, and the bits that say which."""
    wrong = excess > 1
    return float(np.log2(excess[wrong]).sum()) + entropy(wrong.sum(), wrong.size)


def entropy(part: float, whole: float) -> float:
    """Bits that say which `part` of `whole` entries are meant."""
    if not 0 < part < whole:
        return 0.0
    p = part / whole
    return float(-whole * (p * np.log2(p) + (1 - p) * np.log2(1 - p)))


def prepared(evidence: Evidence) -> Evidence:
    """The same evidence in float64, its noise nowhere below the spacing of given's dtype."""
    given, expected, noise = map(_real, (evidence.given, evidence.expected, evidence.noise))
    dtype = np.asarray(evidence.given).dtype
    spacing = max(float(np.finfo(dtype).eps) if dtype.kind == "f" else 0, EPSILON)
    noise = np.nan_to_num(np.broadcast_to(noise, expected.shape))
    noise = np.maximum(noise, spacing * np.abs(expected))
    dy, value = _real(evidence.dy), _real(evidence.value)
    return replace(evidence, given=given, expected=expected, noise=noise, dy=dy, value=value)


def thinned(evidence: Evidence) -> Evidence:
    """The same evidence on a part of the indices along every axis, the worst entry's among them.

    All arrays keep the same indices along axes of the same size, so that formulas still hold, and
    as many counted from the end, so that what was reversed still shows.
    """
    shape = evidence.given.shape
    share = (LARGE / evidence.given.size) ** (1 / len(shape))
    worst = np.unravel_index(np.argmax(np.abs(evidence.difference)), shape)
    rng, kept = np.random.default_rng(0), {}
    for size, index in zip(shape, worst, strict=True):
        some = [*kept.get(size, ()), *rng.permutation(size)[: int(share * size / 2)], index]
        kept[size] = np.unique([*some, *(size - 1 - i for i in some)]).astype(int)

    def thin(array):
        array = np.asarray(array)
        for axis, size in enumerate(array.shape):
            array = array.take(kept[size], axis) if size in kept else array
        return array

    arrays = ("given", "expected", "noise", "dy", "value")
    groups = ("inputs", "all_given", "all_expected")
    thin_arrays = {name: thin(getattr(evidence, name)) for name in arrays}
    thin_groups = {g: {n: thin(a) for n, a in getattr(evidence, g).items()} for g in groups}
    return replace(evidence, **thin_arrays, **thin_groups, kept=tuple(kept[size] for size in shape))


def aligned(array: np.ndarray, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    """array spread over shape: matched from the last axis, and from the first."""
    leading = array.reshape(array.shape + (1,) * max(0, len(shape) - array.ndim))
    for candidate in [array] if leading.shape == array.shape else [array, leading]:
        sizes = zip(candidate.shape[::-1], shape[::-1], strict=False)
        if candidate.ndim <= len(shape) and all(a in (1, b) for a, b in sizes):
            yield np.broadcast_to(candidate, shape)


def axis_sets(ndim: int) -> Iterator[tuple[int, ...]]:
    """Every choice of one axis or more."""
    for count in range(1, ndim + 1) if ndim <= 5 else ():
        yield from combinations(range(ndim), count)


def listed(numbers) -> str:
    """The numbers with commas, the first few of many."""
    shown = ", ".join(str(n) for n in numbers[:6])
    return f"{shown}, …" if len(numbers) > 6 else shown


def _real(array) -> np.ndarray:
    return np.asarray(np.real(array), float)


def _is_float(array) -> bool:
    return isinstance(array, np.ndarray) and array.dtype.kind == "f" and array.size > 0


def _is_number(value) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
