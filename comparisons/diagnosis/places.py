"""Causes that show in where the gradient is wrong: at zeros, ties, borders, in one row, …"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from comparisons.diagnosis.evidence import Evidence, Guess, entropy, listed, typical_ratio
from comparisons.diagnosis.layers import fits

Array = np.ndarray


@dataclass(frozen=True)
class Place:
    """A set of entries, where it lies, and what it means to be wrong only there."""

    name: str
    mask: Array
    where: str
    why: str
    prior: float = 3


def wrong_places(evidence: Evidence) -> Iterator[Guess]:
    """given = expected except in one named place."""
    total = evidence.given.size
    if evidence.is_zero:
        return
    for family in (_kinks, _ties, _borders, _slices, _duplicates, _overlaps, _thresholds, _masks):
        for place in family(evidence):
            entries = int(np.sum(place.mask))
            wrong = int(np.sum(evidence.wrong & place.mask))
            if not 0 < wrong <= entries < total or wrong < np.sum(evidence.wrong):
                continue
            says = (
                f"is wrong only {place.where} ({wrong} of the {entries} entries there, none of the "
                f"other {total - entries}): {place.why}"
            )
            prediction = np.where(place.mask, evidence.given, evidence.expected)
            prior = place.prior + entropy(wrong, entries)
            yield Guess(place.name, prediction, says, parameters=wrong, prior=prior)


def _arrays(evidence: Evidence) -> Iterator[tuple[str, Array]]:
    """Arrays of the gradient's own shape, the input that it belongs to first."""
    floats = sorted(evidence.floats.items(), key=lambda item: item[0] != evidence.name)
    for name, array in [*floats, ("the output", evidence.value), ("dy", evidence.dy)]:
        if array.shape == evidence.expected.shape:
            yield name, array


def _kinks(evidence: Evidence) -> Iterator[Place]:
    for name, a in _arrays(evidence):
        why = "a convention at a kink (> or >=), or 0/0"
        yield Place("at zeros", a == 0, f"where {name} is exactly 0", why, -3)
        yield Place("negative", a < 0, f"where {name} is negative", "that branch is wrong")
        yield Place("positive", a > 0, f"where {name} is positive", "that branch is wrong")


def _ties(evidence: Evidence) -> Iterator[Place]:
    why = "a tie was given to another entry, to several, or split"
    for name, a in _arrays(evidence) if evidence.given.size <= 1e6 else ():
        _, which, counts = np.unique(a, return_inverse=True, return_counts=True)
        yield Place(
            "at ties",
            counts[which].reshape(a.shape) > 1,
            f"where {name} has equal entries",
            why,
            -2,
        )
    for name, a in evidence.floats.items():
        if evidence.own is not None and name != evidence.name and a.shape == evidence.own.shape:
            where = f"where {evidence.name} and {name} are equal"
            yield Place("at ties", evidence.own == a, where, why, -2)


def _borders(evidence: Evidence) -> Iterator[Place]:
    shape = evidence.expected.shape
    why = "padding, a count of valid neighbours, or a first or last step is treated wrongly"
    border = np.zeros(shape, bool)
    for axis in range(1, len(shape) - 1) if len(shape) > 2 else range(len(shape)):
        if shape[axis] < 3:
            continue
        first, last = (
            _along(axis, np.arange(shape[axis]) == i, shape) for i in (0, shape[axis] - 1)
        )
        yield Place("at borders", first, f"at the first index of axis {axis}", why, 3)
        yield Place("at borders", last, f"at the last index of axis {axis}", why, 3)
        yield Place("at borders", first | last, f"at both ends of axis {axis}", why, 3)
        border |= first | last
    yield Place("at borders", border, "at the borders", why, 3)
    why = "what overlapping windows or neighbours contribute is overwritten or not counted"
    yield Place("inside borders", ~border, "away from the borders", why, 3)


def _along(axis: int, chosen: Array, shape: tuple[int, ...]) -> Array:
    """The entries whose index along the axis is among those chosen."""
    column = chosen.reshape([-1 if a == axis else 1 for a in range(len(shape))])
    return np.broadcast_to(column, shape)


def _slices(evidence: Evidence) -> Iterator[Place]:
    """A few whole indices along one axis."""
    wrong = evidence.wrong
    for axis, size in enumerate(wrong.shape if wrong.ndim > 1 else ()):
        others = tuple(a for a in range(wrong.ndim) if a != axis)
        hit = np.asarray(wrong.any(axis=others))
        indices = np.flatnonzero(hit)
        name = "one row" if len(indices) == 1 else "some rows"
        where = f"at index {listed(evidence.at(axis, indices))} of axis {axis} (of {size})"
        why = "this slice is skipped, overwritten, or handled by another branch"
        prior = 2 + np.log2(size) + entropy(len(indices), size)
        yield Place(name, _along(axis, hit, wrong.shape), where, why, prior)


def _duplicates(evidence: Evidence) -> Iterator[Place]:
    shape = evidence.expected.shape
    for name, index in evidence.integers.items():
        if shape and fits(index, shape[0]):
            counts = np.bincount(index.ravel() % shape[0], minlength=shape[0])
            where = f"in the rows whose index occurs more than once in {name}"
            why = "repeated indices are not added up (np.add.at does)"
            yield Place("duplicate indices", _along(0, counts > 1, shape), where, why, -1)


def _overlaps(evidence: Evidence) -> Iterator[Place]:
    """Where sliding windows overlap: their contributions must be added, not assigned."""
    dy, shape = evidence.dy, evidence.expected.shape
    for window in _windows(evidence) if dy.ndim == len(shape) > 2 else ():
        overlap = np.zeros(shape, bool)
        for axis, width in enumerate(window, start=1):
            covered = _coverage(shape[axis], dy.shape[axis], width)
            overlap |= _along(axis, covered > 1, shape)
        why = "their contributions are assigned (=) where they should be added (+=)"
        yield Place("overlapping windows", overlap, "where windows overlap", why, 1)


def _windows(evidence: Evidence) -> Iterator[tuple[int, ...]]:
    """The sizes of kernels among the inputs, and of pools among the arguments."""
    spatial = evidence.expected.ndim - 2
    for name, a in evidence.floats.items():
        if a.ndim == spatial + 2 and name != evidence.name:
            yield a.shape[:spatial]
    for key in {"pool_size", "kernel_size"} & evidence.arguments.keys():
        window = np.ravel(evidence.arguments[key])
        if window.size in (1, spatial):
            yield tuple(np.broadcast_to(window, spatial).tolist())


def _coverage(length: int, outputs: int, window: int) -> Array:
    """How many windows cover each position, with the stride that gives that many outputs."""
    stride = max(1, round(length / outputs))
    pad = max(0, (outputs - 1) * stride + window - length) // 2
    starts = np.arange(outputs)[:, None] * stride - pad
    return ((np.arange(length) >= starts) & (np.arange(length) < starts + window)).sum(axis=0)


def _thresholds(evidence: Evidence) -> Iterator[Place]:
    """The entries where some array is large, or small."""
    for name, a in _arrays(evidence):
        wrong, size, prior = a[evidence.wrong], np.abs(a), 4 + np.log2(a.size)
        high, low = np.abs(wrong).min(), np.abs(wrong).max()
        why = "a saturated, clipped or overflowing branch is wrong"
        yield Place("saturated", size >= high, f"where |{name}| is {high:.3g} or more", why, prior)
        why = "a branch or a guard for small values is wrong"
        yield Place("near zero", size <= low, f"where |{name}| is {low:.3g} or less", why, prior)
        why = "a branch, a clip or a threshold of the forward pass is missed or misplaced"
        where = f"where {name} is {wrong.min():.3g} or more"
        yield Place("threshold", a >= wrong.min(), where, why, prior + 1)
        where = f"where {name} is {wrong.max():.3g} or less"
        yield Place("threshold", a <= wrong.max(), where, why, prior + 1)


def _masks(evidence: Evidence) -> Iterator[Place]:
    zero = evidence.expected == 0
    why = "a mask (of relu, dropout, a clip, padding) was not applied"
    yield Place("mask missing", zero, "where it should be exactly 0", why, -1)


def mask_missing(evidence: Evidence) -> Iterator[Guess]:
    """given = c · dy where expected = 0, and expected elsewhere, in which c is that of dy too."""
    g, e, dy = evidence.given, evidence.expected, evidence.dy
    extra = (e == 0) & (g != 0)
    if dy.shape == e.shape and extra.any():
        factor = typical_ratio(e, np.where(e, dy, 0))
        says = (
            f"is exactly dy times {factor:.6g} in {extra.sum()} of the {np.sum(e == 0)} entries "
            "where it should be 0: a mask (of relu, dropout, a clip, padding) was not applied"
        )
        yield Guess("mask missing", np.where(extra, factor * dy, e), says, prior=5)


def zeroed_entries(evidence: Evidence) -> Iterator[Guess]:
    """given = 0 in some entries and right in all others."""
    g, e = evidence.given, evidence.expected
    zeroed = (g == 0) & (e != 0)
    if not zeroed.any() or not g.any() or np.any((e == 0) & (g != 0)):
        return
    prediction = np.where(zeroed, 0, e)
    for axis, size in enumerate(e.shape if e.ndim > 1 else ()):
        others = tuple(a for a in range(e.ndim) if a != axis)
        rows = np.flatnonzero(zeroed.any(axis=others) & ~g.any(axis=others))
        says = (
            f"is exactly right except at index {listed(evidence.at(axis, rows))} of axis {axis} "
            f"(of {size}), where it is zero: no gradient arrives there (truncated, detached, a "
            "loop that stops early)"
        )
        if zeroed.sum() == zeroed.take(rows, axis).sum():
            yield Guess("zeroed rows", prediction, says, prior=3 + entropy(len(rows), size))
    says = (
        f"is exactly right except in {zeroed.sum()} of {e.size} entries, where it is zero: a mask "
        "too many or too wide, or entries that were overwritten or never written"
    )
    yield Guess("zeroed entries", prediction, says, prior=4 + entropy(zeroed.sum(), e.size))


def another_mask(evidence: Evidence) -> Iterator[Guess]:
    """given and expected agree where both are not zero, and are zero in different places."""
    g, e = evidence.given, evidence.expected
    extra, lost = (e == 0) & (g != 0), (g == 0) & (e != 0)
    says = (
        "is exactly right where neither it nor the right gradient is zero, but the zeros differ "
        f"({lost.sum()} too many, {extra.sum()} missing): backward uses another mask than forward "
        "(drawn anew, from the wrong array, or a tie resolved the other way)"
    )
    prior = 4 + entropy(lost.sum(), np.sum(e != 0)) + entropy(extra.sum(), np.sum(e == 0))
    prediction = np.where(lost, 0, np.where(extra, g, e))
    moved = extra.sum() == lost.sum() and np.allclose(np.sort(g[extra]), np.sort(e[lost]), atol=0)
    if extra.any() and lost.any():
        parameters = 0 if moved else extra.sum()
        yield Guess("another mask", prediction, says, parameters, prior)
