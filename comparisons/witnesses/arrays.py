"""Arrays of numbers as witnesses need them: random, moved a little, measured, read-only."""

from collections.abc import Sequence

import numpy as np

from comparisons.pieces import pieces

Arrays = Sequence[np.ndarray]

LARGE = 1_000_000  # elements beyond which a draw takes longer than a product with a matrix


def probe(generator: np.random.Generator, shape, dtype: str = "float64") -> np.ndarray:
    """Gaussian numbers, none nearer to zero than 0.1, so that no element goes unseen."""
    z = np.asarray(generator.standard_normal(shape, np.float32))
    for (piece,) in pieces(z):
        np.copysign(0.1, piece, out=piece, where=np.abs(piece) < 0.1)
    return z.astype(dtype, copy=False)


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


def scale(array: np.ndarray) -> float:
    """The root mean square of the finite elements, 1 where that is zero."""
    flat = array.reshape(-1)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        square = np.dot(flat, flat)
    if not 0 < square < np.inf:  # out of range, or not finite
        flat = flat[np.isfinite(flat)]
        return norm([flat]) / max(1, flat.size) ** 0.5 or 1.0
    return float(np.sqrt(square / flat.size))


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
