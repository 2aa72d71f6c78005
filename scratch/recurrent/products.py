"""The matrix products of recurrent layers: those of a step are made as one, for all gates."""

import numpy as np


def product_with(kernels, bias, dropouts):
    """product(x, h) = x @ kernel + h @ recurrent_kernel + bias = [x h 1] @ weights, for any step.

    x is (n, i) and h (n, u); weights are the kernels, (i, o) and (u, o), and the bias (o,), one
    below the other. There may be x alone, or no bias. dropouts are the masks of x and those of h;
    of several, each is for its share of the columns.

    The backward of product gives the list of dx, None unless it is needed, and dh; and dweights.
    """
    weights = np.concatenate(kernels if bias is None else [*kernels, bias[np.newaxis]])
    count = len(dropouts[0])

    def product(*xs):
        ones = [] if bias is None else [np.ones((len(xs[0]), 1), xs[0].dtype)]
        seen = [
            np.concatenate([*map(_masked, xs, masks), *ones], axis=-1)
            for masks in zip(*dropouts, strict=True)
        ]
        y = [matmul(s, part) for s, part in zip(seen, parts_of(weights, count), strict=True)]

        def backward(dy, needs_dx=True):
            shares = zip(seen, parts_of(dy, count), strict=True)
            dweights = _joined([matmul(s.T, d) for s, d in shares])
            dx = _back(dy, kernels[0], dropouts[0]) if needs_dx else None
            others = zip(kernels[1:], dropouts[1:], strict=True)
            return [dx, *(_back(dy, kernel, masks) for kernel, masks in others)], dweights

        return _joined(y), backward

    return product


def matmul(x, kernel):
    """x @ kernel, stored by_column."""
    return (kernel.T @ x.T).T


def by_column(x):
    """x, stored column by column: parts_of it are contiguous, and three times as fast."""
    return np.ascontiguousarray(x.swapaxes(-1, -2)).swapaxes(-1, -2)


def parts_of(x, number):
    """Views of equal parts of the last axis, as np.split gives them in ten times the time."""
    size = x.shape[-1] // number
    return [x[..., i * size : (i + 1) * size] for i in range(number)]


def _back(dy, kernel, masks):
    """dx = dy @ kernel.T, summed over the shares of the columns with the mask of each."""
    shares = zip(*(parts_of(array, len(masks)) for array in (dy, kernel)), masks, strict=True)
    first, *more = [_masked(matmul(d, part.T), mask) for d, part, mask in shares]
    return sum(more, first)


def _masked(x, mask):
    return x if mask is None else x * mask


def _joined(parts):
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
