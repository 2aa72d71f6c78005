"""Causes in which the numbers are right and their places are not."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

import numpy as np

from comparisons.diagnosis.evidence import Evidence, Guess, listed

FAR = 8  # the largest offset tried along an axis of more than 256 entries


def _moved(name: str, prediction: np.ndarray, says: str, prior: float, parameters=0) -> Guess:
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
    long = [a for a in range(e.ndim) if e.shape[a] > 1]
    for count in range(1, len(long) + 1):
        for axes in combinations(long, count):
            says = f"reversed along axis {listed(axes)}: a kernel or a sequence was flipped, or not"
            yield _moved("flipped", np.flip(e, axes), says, 1 + count)


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
    for axis, size in enumerate(evidence.expected.shape):
        for k in [k for k in (1, -1, 2, -2) if abs(k) < size - 1]:
            vacated = [slice(None)] * evidence.expected.ndim
            vacated[axis] = slice(0, k) if k > 0 else slice(k, None)
            prediction = np.roll(evidence.expected, k, axis)
            prediction[tuple(vacated)] = new = evidence.given[tuple(vacated)]
            says = (
                f"shifted by {k} along axis {axis}: an off-by-one, as when the state of the wrong "
                "time step is used, or padding is split on the wrong side"
            )
            yield _moved("shifted", prediction, says, 3, parameters=np.count_nonzero(new))


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
        yield _moved("reshaped", e.transpose(order).reshape(shape), says, 5)
        if shape == e.shape:
            back = e.reshape([shape[a] for a in order]).transpose(np.argsort(order))
            yield _moved("reshaped", back, says, 5)


def scrambled(evidence: Evidence) -> Iterator[Guess]:
    """sorted(given) = sorted(expected): the same numbers in other places."""
    g, e = evidence.given, evidence.expected
    prediction = np.empty(g.size)
    prediction[np.argsort(g, axis=None)] = np.sort(e, axis=None)
    says = "with its numbers in other places: entries are assigned to the wrong index"
    prior = 4 + g.size * np.log2(max(g.size, 2))
    yield _moved("scrambled", prediction.reshape(g.shape), says, prior)
