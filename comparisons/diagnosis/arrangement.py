"""Causes in which the numbers are right and their places are not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from comparisons.diagnosis.evidence import Evidence, Guess, axis_sets, listed

FAR = 8  # the largest offset tried along an axis of more than 256 entries


def _moved(
    name: str, prediction: np.ndarray, says: str, prior: float, parameters: float = 0
) -> Guess:
    says = f"is exactly the right gradient {says}"
    return Guess(name, prediction, says, parameters, prior, recomputed=True)


def _orders(ndim: int) -> list[tuple[int, ...]]:
    """Every order of the axes but their own."""
    return list(permutations(range(ndim)))[1:] if ndim <= 5 else []


def transposed(evidence: Evidence) -> Iterator[Guess]:
    """given = expected with its axes in another order."""
    e = evidence.expected
    for order in _orders(e.ndim):
        if e.ndim == 2:
            says = "transposed: x.T @ dy was written dy.T @ x, or a .T is missing or too many"
            yield _moved("transposed", e.T, says, 1)
        else:
            says = f"with its axes in the order {order}: a transpose is missing or too many"
            yield _moved("permuted axes", e.transpose(order), says, 3)


def flipped(evidence: Evidence) -> Iterator[Guess]:
    """given = expected reversed along some axes."""
    e = evidence.expected
    for axes in axis_sets(e.ndim):
        if all(e.shape[a] > 1 for a in axes):
            says = f"reversed along axis {listed(axes)}: a kernel or a sequence was flipped, or not"
            yield _moved("flipped", np.flip(e, axes), says, 1 + len(axes))


def rolled(evidence: Evidence) -> Iterator[Guess]:
    """given[i] = expected[i - k], wrapping around."""
    for axis, size in enumerate(evidence.expected.shape):
        for k in _offsets(size):
            says = f"rolled by {k} along axis {axis}: an index is off by {abs(k)} and wraps around"
            rolled = np.roll(evidence.expected, k, axis)
            yield _moved("rolled", rolled, says, 2 + np.log2(size))


def _offsets(size: int) -> Iterator[int]:
    for k in range(1, size):
        if size <= 256 or min(k, size - k) <= FAR:
            yield k if k <= size // 2 else k - size


def shifted(evidence: Evidence) -> Iterator[Guess]:
    """given[i] = expected[i - k] where both exist: one step late or early."""
    e, g = evidence.expected, evidence.given
    for axes in axis_sets(e.ndim):
        for k in [k for k in (1, -1, 2, -2) if abs(k) < min(e.shape[a] for a in axes) - 1]:
            there, here = _overlap(k, axes, e.ndim)
            prediction = g.copy()
            prediction[there] = e[here]
            free = float(np.count_nonzero(g) - np.count_nonzero(g[there]))
            says = (
                f"shifted by {k} along axis {listed(axes)}: an off-by-one, as when the state of "
                "the wrong time step is used, or padding is split on the wrong side"
            )
            if g[there].any():
                yield _moved("shifted", prediction, says, 2 + len(axes), parameters=free)


def _overlap(k: int, axes: tuple[int, ...], ndim: int) -> tuple[tuple[slice, ...], ...]:
    """Where a shift by k moves entries to, and where from."""
    late, early = slice(abs(k), None), slice(None, -abs(k))
    ends = (late, early) if k > 0 else (early, late)
    return tuple(tuple(end if a in axes else slice(None) for a in range(ndim)) for end in ends)


def permuted_rows(evidence: Evidence) -> Iterator[Guess]:
    """given[..., j, ...] = expected[..., order[j], ...] along one axis."""
    for axis, size in enumerate(evidence.expected.shape):
        order = _matching(evidence, axis)
        if size < 3 or np.array_equal(order, np.arange(size)):
            continue
        width = _block_width(order)
        name = "permuted blocks" if width > 1 else "permuted rows"
        blocks = f" in blocks of {width}" if width > 1 else ""
        says = (
            f"with the indices of axis {axis}{blocks} in the order "
            f"[{listed(order[::width] // width)}]: gates, heads, an index or a sort are mixed up"
        )
        count = size / width
        prediction = evidence.expected.take(order, axis)
        yield _moved(name, prediction, says, 3 + count * np.log2(count))


def _matching(evidence: Evidence, axis: int) -> np.ndarray:
    """The order in which expected's slices best match given's: both sorted by one projection."""
    slices = [np.moveaxis(a, axis, 0) for a in (evidence.given, evidence.expected)]
    flat = [a.reshape(len(a), -1) for a in slices]
    direction = np.random.default_rng(0).normal(size=flat[0].shape[1])
    given, expected = (np.argsort(a @ direction) for a in flat)
    order = np.empty_like(given)
    order[given] = expected
    return order


def _block_width(order: np.ndarray) -> int:
    """The widest blocks of neighbours that move together."""
    for width in range(len(order) // 2, 1, -1):
        if len(order) % width == 0:
            blocks = order.reshape(-1, width)
            if np.all(np.diff(blocks, axis=1) == 1) and np.all(blocks[:, 0] % width == 0):
                return width
    return 1


def reshaped(evidence: Evidence) -> Iterator[Guess]:
    """given = the right numbers, read off in another order of axes (reshape is not transpose)."""
    e, shape = evidence.expected, evidence.given.shape
    says = "read off in another order of its axes: a reshape stands where a transpose belongs"
    for order in _orders(e.ndim) if e.size == evidence.given.size else ():
        yield _moved("reshaped", e.transpose(order).reshape(shape), says, 6)
        if shape == e.shape:
            back = e.reshape([shape[a] for a in order]).transpose(np.argsort(order))
            yield _moved("reshaped", back, says, 6)


def scrambled(evidence: Evidence) -> Iterator[Guess]:
    """sorted(given) = sorted(expected): the same numbers in other places."""
    g, numbers = evidence.given, np.sort(evidence.expected, axis=None)
    prediction = np.empty(g.size)
    prediction[np.argsort(g, axis=None)] = numbers
    says = "is exactly the right gradient with its numbers in other places: wrong indices"
    prior = 4 + g.size * np.log2(max(g.size, 2))
    if np.allclose(np.sort(g, axis=None), numbers, rtol=1e-5, atol=0):
        yield Guess("scrambled", prediction.reshape(g.shape), says, prior=prior)
