"""Merging: several inputs become one, and the gradient finds its way back to each."""

import functools
from collections.abc import Callable

import numpy as np

from . import normalization, tensors
from .network import Layer
from .pooling import _larger

_Array = np.ndarray
_Forward = tuple[_Array, Callable[[_Array], tuple[_Array, ...]]]


def add(*inputs: _Array) -> _Forward:
    """y = x1 + x2 + …; each dx is dy."""
    y = functools.reduce(np.add, inputs)
    return y, lambda dy: tuple(_summed_back(dy, x) for x in inputs)


def _summed_back(d, x):
    """d summed over the axes along which x was repeated, in x's shape."""
    _, backward = tensors.broadcast_to(x, d.shape)
    return backward(d)


def subtract(x1: _Array, x2: _Array) -> _Forward:
    """y = x1 - x2; dx1 = dy, dx2 = -dy."""
    return x1 - x2, lambda dy: (_summed_back(dy, x1), _summed_back(-dy, x2))


def multiply(*inputs: _Array) -> _Forward:
    """y = x1 * x2 * …; each dx is dy times all the others."""
    y = functools.reduce(np.multiply, inputs)

    def backward(dy):
        others = ([*inputs[:i], *inputs[i + 1 :]] for i in range(len(inputs)))
        products = (functools.reduce(np.multiply, [dy, *factors]) for factors in others)
        return tuple(map(_summed_back, products, inputs))

    return y, backward


def average(*inputs: _Array) -> _Forward:
    """y = (x1 + x2 + …) / their number; each dx is dy / that number."""
    total, backward = add(*inputs)
    return total / len(inputs), lambda dy: backward(dy / len(inputs))


def maximum(*inputs: _Array) -> _Forward:
    """y = the largest of the inputs, place by place; it gets dy, the first of equal ones."""
    y = functools.reduce(_larger, inputs)

    def backward(dy):
        rest, gradients = dy, []
        for x in inputs:
            share = rest * (x == y)
            rest = rest - share
            gradients.append(_summed_back(share, x))
        return tuple(gradients)

    return y, backward


def minimum(*inputs: _Array) -> _Forward:
    """y = -maximum(-x1, -x2, …); the smallest gets dy, the first of equal ones."""
    y, backward = maximum(*[-x for x in inputs])
    return -y, backward


def concatenate(*inputs: _Array, axis: int = -1) -> _Forward:
    """y = the inputs one after the other along an axis; dy is cut where they meet."""
    ends = np.cumsum([x.shape[axis] for x in inputs])[:-1]
    return np.concatenate(inputs, axis), lambda dy: tuple(np.split(dy, ends, axis))


def dot(
    x1: _Array, x2: _Array, axes: int | tuple[int, int] = -1, normalize: bool = False
) -> _Forward:
    """y = the sum of x1 * x2 over an axis of each, for every sample.

    axes are those of x1 and of x2, or one number for both. y has the other axes of x1, then those
    of x2, or a single 1 where none is left. With normalize=True, x1 and x2 are first divided by
    their norms along the axes.
    """
    axis1, axis2 = _two_axes(axes, x1.shape, x2.shape)
    if not normalize:
        return _dot(x1, x2, axis1, axis2)
    z1, backward1 = normalization.normalize(x1, axis1)
    z2, backward2 = normalization.normalize(x2, axis2)
    y, backward_dot = _dot(z1, z2, axis1, axis2)

    def backward(dy):
        dz1, dz2 = backward_dot(dy)
        return backward1(dz1), backward2(dz2)

    return y, backward


def _dot(x1, x2, axis1, axis2):
    """y = a @ b for matrices a of each x1 and b of each x2; da = dy @ b.T, db = a.T @ dy."""
    rows, columns = np.moveaxis(x1, axis1, -1), np.moveaxis(x2, axis2, 1)
    a = rows.reshape(len(x1), -1, x1.shape[axis1])
    b = columns.reshape(len(x2), x2.shape[axis2], -1)
    y = a @ b

    def backward(dy):
        dy = dy.reshape(y.shape)
        da, db = dy @ b.swapaxes(1, 2), a.swapaxes(1, 2) @ dy
        dx1 = np.moveaxis(da.reshape(rows.shape), -1, axis1)
        return dx1, np.moveaxis(db.reshape(columns.shape), 1, axis2)

    rest = (*rows.shape[1:-1], *columns.shape[2:])
    return y.reshape(len(x1), *(rest or (1,))), backward


def _two_axes(axes, shape1, shape2):
    """The axes numbered from 0. ValueError for the samples' axis and for different sizes."""
    given = (axes, axes) if isinstance(axes, int) else axes
    if not isinstance(given, list | tuple) or [*map(type, given)] != [int, int]:
        raise ValueError(f"axes is an integer or two of them, not {axes!r}")
    axis1, axis2 = given
    axis1 += len(shape1) * (axis1 < 0)
    axis2 += len(shape2) * (axis2 < 0)
    exist = 0 < axis1 < len(shape1) and 0 < axis2 < len(shape2)
    if not exist or (shape1[0], shape1[axis1]) != (shape2[0], shape2[axis2]):
        raise ValueError(f"dot cannot sum over axes {axes} of shapes {shape1} and {shape2}")
    return axis1, axis2


class _Merging(Layer):
    """A layer without weights that takes a list of inputs and returns a list of dx."""

    takes_list = True

    def merged(self, x: list[_Array]) -> _Forward:
        raise NotImplementedError

    def build(self, input_shape):
        if not isinstance(input_shape, list):
            raise ValueError(f"{self.name} takes a list of inputs, not one of shape {input_shape}")
        if not input_shape:
            raise ValueError(f"{self.name} takes a list of inputs, and this one is empty")
        self.compute_output_shape(input_shape)

    def check_input(self, x):
        self.build([part.shape for part in x] if isinstance(x, list) else x.shape)

    def call(self, x, training=False):
        y, backward = self.merged(x)
        return y, lambda dy: (list(backward(dy)), [])

    def refusal(self, shapes):
        listed = ", ".join(map(str, shapes))
        return ValueError(f"{self.name} cannot merge inputs of shapes {listed}")


class _Elementwise(_Merging):
    """y = function(*inputs), where axes of size 1 are repeated.

    As in Keras, shorter shapes gain such axes after that of the samples, not before it.
    """

    function: Callable[..., _Forward]

    def merged(self, x):
        shapes = _aligned([part.shape for part in x])
        parts = [part.reshape(shape) for part, shape in zip(x, shapes, strict=True)]
        y, backward = self.function(*parts)

        def backward_to_each(dy):
            return tuple(d.reshape(part.shape) for d, part in zip(backward(dy), x, strict=True))

        return y, backward_to_each

    def compute_mask(self, inputs, mask=None):
        """A step counts where it does for one of the inputs; None where one of them has no mask."""
        if mask is None or any(part is None for part in mask):
            return None
        return functools.reduce(np.logical_or, mask)

    def compute_output_shape(self, input_shape):
        samples, *axes = zip(*_aligned(input_shape), strict=True)
        sizes = [set(axis) - {1} or {1} for axis in axes]
        if len(set(samples)) > 1 or any(len(size - {None}) > 1 for size in sizes):
            raise self.refusal(input_shape)
        return samples[0], *[None if None in size else size.pop() for size in sizes]


def _aligned(shapes):
    ndim = max(map(len, shapes))
    return [(samples, *[1] * (ndim - len(rest) - 1), *rest) for samples, *rest in shapes]


class _Unmasked(_Elementwise):
    """A layer that refuses masks, which in Keras change what it computes: ValueError."""

    def compute_mask(self, inputs, mask=None):
        if mask is not None:
            raise ValueError(f"{self.name} takes no inputs with masks")


class Add(_Elementwise):
    """y = x1 + x2 + …, as at the end of a residual block.

    Broadcasting is NumPy's. Keras 3.15 adds an x2 (1, k, 1) to an x1 (1, k, k) along the last axis
    instead: to its ops.add, any vector as long as that axis is a bias along it. So does Average.
    """

    function = staticmethod(add)


class Subtract(_Elementwise):
    """y = x1 - x2."""

    function = staticmethod(subtract)

    def compute_output_shape(self, input_shape):
        if len(input_shape) != 2:
            raise ValueError(f"{self.name} takes 2 inputs, not {len(input_shape)}")
        return super().compute_output_shape(input_shape)


class Multiply(_Unmasked):
    """y = x1 * x2 * …"""

    function = staticmethod(multiply)


class Average(_Elementwise):
    """y = (x1 + x2 + …) / their number."""

    function = staticmethod(average)


class Maximum(_Unmasked):
    """y = the largest of the inputs, place by place."""

    function = staticmethod(maximum)


class Minimum(_Unmasked):
    """y = the smallest of the inputs, place by place."""

    function = staticmethod(minimum)


class Concatenate(_Merging):
    """y = the inputs one after the other along an axis; their other sizes are the same."""

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def merged(self, x):
        return concatenate(*x, axis=self.axis)

    def compute_mask(self, inputs, mask=None):
        """A step counts where it does for one of the inputs; all do of an input without a mask."""
        if mask is None:
            return None
        parts = [True if part is None else part[..., np.newaxis] for part in mask]
        pairs = zip(parts, inputs, strict=True)
        seen = [np.broadcast_to(part, x.shape) for part, x in pairs]
        return np.concatenate(seen, axis=self.axis).any(axis=-1)

    def refusal(self, shapes):
        return ValueError(f"{super().refusal(shapes)} along axis {self.axis!r}")

    def compute_output_shape(self, input_shape):
        shapes = [list(shape) for shape in input_shape]
        ndims = {len(shape) for shape in shapes}
        is_axis = isinstance(self.axis, int) and self.axis in range(-min(ndims), min(ndims))
        if len(ndims) > 1 or not is_axis:
            raise self.refusal(input_shape)
        lengths = [shape.pop(self.axis) for shape in shapes]
        if any(shape != shapes[0] for shape in shapes):
            raise self.refusal(input_shape)
        rest = shapes[0]
        rest.insert(self.axis % min(ndims), None if None in lengths else sum(lengths))
        return tuple(rest)


class Dot(_Merging):
    """y = the sum of x1 * x2 over an axis of each, for every sample: see dot."""

    def __init__(self, axes, normalize=False, **kwargs):
        super().__init__(**kwargs)
        self.axes = axes
        self.normalize = normalize

    def merged(self, x):
        return dot(*x, axes=self.axes, normalize=self.normalize)

    def compute_mask(self, inputs, mask=None):
        """None, as in Keras, whatever axes are left."""

    def compute_output_shape(self, input_shape):
        if len(input_shape) != 2:
            raise ValueError(f"{self.name} takes 2 inputs, not {len(input_shape)}")
        axis1, axis2 = _two_axes(self.axes, *input_shape)
        (samples, *rest1), (_, *rest2) = input_shape
        rest = rest1[: axis1 - 1] + rest1[axis1:] + rest2[: axis2 - 1] + rest2[axis2:]
        return samples, *(rest or [1])
