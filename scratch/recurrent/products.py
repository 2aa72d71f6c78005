"""The matrix products of recurrent layers: x @ kernel for all gates, each with a dropout or not."""

import numpy as np

NO_MASKS = (None,)


def project(x, kernel, bias=None, masks=NO_MASKS):
    """y = x @ kernel + bias, for x (…, n, i), kernel (i, o), bias (o,); y is (…, n, o).

    Of several masks (n, i), each is the dropout of x for its share of the columns.
    """
    columns = parts_of(kernel, len(masks))
    shares = [_rows(_masked(x, mask)) @ part for mask, part in zip(masks, columns, strict=True)]
    y = _joined(shares).reshape(*x.shape[:-1], -1)
    if bias is not None:
        y += bias
    return y


def project_back(dy, kernel, masks=NO_MASKS):
    """dx = dy @ kernel.T, summed over the shares of the columns with the mask of each."""
    shares = (parts_of(array, len(masks)) for array in (dy, kernel))
    dx = [_masked(d @ part.T, mask) for d, part, mask in zip(*shares, masks, strict=True)]
    return sum(dx[1:], dx[0])


def weight_gradients(x, dy, bias=None, masks=NO_MASKS):
    """[x.T @ dy, the sum of dy] over all axes but the last: dkernel, and dbias if there is one."""
    shares = zip(masks, parts_of(dy, len(masks)), strict=True)
    dkernel = _joined([_rows(_masked(x, mask)).T @ _rows(share) for mask, share in shares])
    return [dkernel] if bias is None else [dkernel, _rows(dy).sum(axis=0)]


def parts_of(x, number):
    """Views of equal parts of the last axis, as np.split gives them in ten times the time."""
    size = x.shape[-1] // number
    return [x[..., i * size : (i + 1) * size] for i in range(number)]


def _masked(x, mask):
    return x if mask is None else x * mask


def _rows(x):
    """Further axes of x count as more samples."""
    return x.reshape(-1, x.shape[-1])


def _joined(parts):
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
