"""Large arrays worked through in pieces that stay in the cache, where elements are cheap.

In memory an operation on every element costs about as much as a product of matrices, and where its
result is a new array, several times that.
"""

from collections.abc import Callable, Iterator

import numpy as np

PIECE = 2**13  # elements: a few arrays of them fit into the cache, and BLAS starts no threads


def pieces(*arrays: np.ndarray) -> Iterator[list[np.ndarray]]:
    """The same stretch of every array, flat, one stretch after the other."""
    flat = [array.reshape(-1) for array in arrays]
    for start in range(0, flat[0].size, PIECE):
        yield [array[start : start + PIECE] for array in flat]


def mapped(function: Callable[..., np.ndarray], *arrays: np.ndarray) -> np.ndarray:
    """function(*arrays), which works on single elements, in the first one's shape and dtype."""
    result = np.empty(arrays[0].shape, arrays[0].dtype)
    for piece, *given in pieces(result, *arrays):
        piece[...] = function(*given)
    return result
