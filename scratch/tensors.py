"""Tensors: loops beside NumPy's own operations, broadcasting, maps of points.

The loops serve as explanations. They give what the vectorised functions give, slowly.
"""

from collections.abc import Callable, Sequence

import numpy as np

_Array = np.ndarray
_Backward = Callable[[_Array], _Array]
_Forward = tuple[_Array, _Backward]
_ForwardOfTwo = tuple[_Array, Callable[[_Array], tuple[_Array, _Array]]]

LAYOUTS = {
    "vectors": ("samples", "features"),
    "sequences": ("samples", "steps", "features"),
    "images": ("samples", "height", "width", "channels"),
    "video": ("samples", "frames", "height", "width", "channels"),
}


def attributes(x: _Array) -> tuple[int, tuple[int, ...], str]:
    """(number of axes, shape, dtype) of a tensor: (0, (), "float32") is a scalar."""
    return x.ndim, x.shape, x.dtype.name


def crop(x: _Array, ranges: Sequence[tuple[int | None, int | None]]) -> _Forward:
    """y = x[start:stop, start:stop, …], a range for each of the first axes; dx = dy there, else 0.

    crop(images, [(10, 100)]) are 90 images, crop(images, [(None, None), (7, -7), (7, -7)]) the
    middle of each: as in a slice, None is the end of the axis and -7 seven before it.
    """
    index = tuple(slice(start, stop) for start, stop in ranges)

    def backward(dy):
        dx = np.zeros(x.shape, dy.dtype)
        dx[index] = dy
        return dx

    return x[index], backward


def batch(x: _Array, n: int, batch_size: int = 128) -> _Forward:
    """y = x[n * batch_size : (n + 1) * batch_size], the n-th batch, counted from 0."""
    return crop(x, [(n * batch_size, (n + 1) * batch_size)])


def reshape(x: _Array, newshape: Sequence[int]) -> _Forward:
    """y = the numbers of x in their order in newshape, where one size may be -1: what is left."""
    return x.reshape(newshape), lambda dy: dy.reshape(x.shape)


def transpose(x: _Array, axes: Sequence[int] | None = None) -> _Forward:
    """y = x with its axes in the order of `axes`, in reverse for None; dy's go back.

    Axes below 0 are counted from the last. ValueError where not every axis is named once.
    """
    numbers = range(x.ndim)
    given = reversed(numbers) if axes is None else axes
    order = [axis + x.ndim if axis < 0 else axis for axis in given]
    if sorted(order) != [*numbers]:
        raise ValueError(f"axes name each of the {x.ndim} axes of x once, not {axes}")
    return x.transpose(order), lambda dy: dy.transpose(np.argsort(order))


def naive_relu(x: _Array) -> _Forward:
    """y[i, j] = max(x[i, j], 0), dx = dy where x > 0: the loops behind activations.relu."""
    _check_axes("naive_relu", x, 2)
    y = x.copy()
    for i, j in np.ndindex(x.shape):
        if np.real(x[i, j]) <= 0:
            y[i, j] = 0

    def backward(dy):
        dx = dy.copy()
        for i, j in np.ndindex(x.shape):
            if np.real(x[i, j]) <= 0:
                dx[i, j] = 0
        return dx

    return y, backward


def _check_axes(name, x, number):
    if x.ndim != number:
        raise ValueError(f"{name} takes {number} axes here, not shape {x.shape}")


def naive_add(x1: _Array, x2: _Array) -> _ForwardOfTwo:
    """y[i, j] = x1[i, j] + x2[i, j], for matrices of one shape; each dx is dy."""
    _check_axes("naive_add", x1, 2)
    _check_fit("naive_add", x1, x2, x1.shape == x2.shape)
    y = np.zeros(x1.shape, np.result_type(x1, x2))
    for i, j in np.ndindex(y.shape):
        y[i, j] = x1[i, j] + x2[i, j]
    return y, lambda dy: (dy, dy)


def _check_fit(name, x1, x2, fit):
    if not fit:
        raise ValueError(f"{name} cannot take shapes {x1.shape} and {x2.shape} together")


def naive_add_matrix_and_vector(x1: _Array, x2: _Array) -> _ForwardOfTwo:
    """y[i, j] = x1[i, j] + x2[j]; dx2[j] is the sum of dy[i, j] over the rows that x2 went to."""
    _check_axes("naive_add_matrix_and_vector", x1, 2)
    _check_fit("naive_add_matrix_and_vector", x1, x2, x1.shape[1:] == x2.shape)
    y = np.zeros(x1.shape, np.result_type(x1, x2))
    for i, j in np.ndindex(y.shape):
        y[i, j] = x1[i, j] + x2[j]

    def backward(dy):
        dx2 = np.zeros(x2.shape, dy.dtype)
        for i, j in np.ndindex(dy.shape):
            dx2[j] += dy[i, j]
        return dy, dx2

    return y, backward


def broadcast_to(x: _Array, shape: tuple[int, ...]) -> _Forward:
    """y = x, which gains axes of size 1 in front, each of which is then repeated as shape says.

    dx is the sum of dy over all that was repeated.
    """
    new = len(shape) - x.ndim
    if new < 0 or any(n not in (1, m) for n, m in zip(x.shape, shape[new:], strict=True)):
        raise ValueError(f"broadcast_to cannot repeat shape {x.shape} to {shape}")
    gained = x.reshape((1,) * new + x.shape)
    repeated = tuple(a for a, n in enumerate(gained.shape) if n == 1 and shape[a] != 1)

    def backward(dy):
        return dy.sum(axis=repeated, keepdims=True).reshape(x.shape)

    return np.broadcast_to(gained, shape), backward


def add(x1: _Array, x2: _Array) -> _ForwardOfTwo:
    """y = x1 + x2, both broadcast to one shape; each dx is dy summed back to its shape."""
    (b1, backward1), (b2, backward2) = _broadcast(x1, x2)
    return b1 + b2, lambda dy: (backward1(dy), backward2(dy))


def multiply(x1: _Array, x2: _Array) -> _ForwardOfTwo:
    """y = x1 * x2, number by number, both broadcast to one shape; dx1 = dy * x2, dx2 = dy * x1."""
    (b1, backward1), (b2, backward2) = _broadcast(x1, x2)
    return b1 * b2, lambda dy: (backward1(dy * b2), backward2(dy * b1))


def _broadcast(x1, x2):
    sizes = zip(reversed(x1.shape), reversed(x2.shape), strict=False)
    _check_fit("broadcasting", x1, x2, all(m == n or 1 in (m, n) for m, n in sizes))
    shape = np.broadcast_shapes(x1.shape, x2.shape)
    return broadcast_to(x1, shape), broadcast_to(x2, shape)


def vector_sum(x: _Array) -> _Forward:
    """y = x[0] + x[1] + …; dx is dy for each of them."""
    return x.sum(), lambda dy: np.full(x.shape, dy)


def vector_average(x: _Array) -> _Forward:
    """y = vector_sum(x) / len(x)."""
    total, backward = vector_sum(x)
    return total / len(x), lambda dy: backward(dy / len(x))


def vector_dot(x1: _Array, x2: _Array) -> _ForwardOfTwo:
    """y = vector_sum(multiply(x1, x2)), so that its backward is theirs, in reverse."""
    _check_fit("vector_dot", x1, x2, x1.shape == x2.shape)
    products, backward_multiply = multiply(x1, x2)
    y, backward_sum = vector_sum(products)
    return y, lambda dy: backward_multiply(backward_sum(dy))


def naive_vector_dot(x1: _Array, x2: _Array) -> _ForwardOfTwo:
    """y = x1[0] * x2[0] + x1[1] * x2[1] + …; dx1 = dy * x2, dx2 = dy * x1."""
    _check_axes("naive_vector_dot", x1, 1)
    _check_fit("naive_vector_dot", x1, x2, x1.shape == x2.shape)
    y = np.zeros((), np.result_type(x1, x2))
    for a, b in zip(x1, x2, strict=True):
        y = y + a * b
    return y, lambda dy: (np.array([dy * b for b in x2]), np.array([dy * a for a in x1]))


def naive_matrix_vector_dot(x1: _Array, x2: _Array) -> _ForwardOfTwo:
    """y[i] = the sum of x1[i, k] * x2[k] over k; dx1[i, k] = dy[i] * x2[k], dx2 = x1.T @ dy."""
    _check_axes("naive_matrix_vector_dot", x1, 2)
    _check_fit("naive_matrix_vector_dot", x1, x2, x1.shape[1:] == x2.shape)
    y = np.zeros(len(x1), np.result_type(x1, x2))
    for i, k in np.ndindex(x1.shape):
        y[i] += x1[i, k] * x2[k]

    def backward(dy):
        dx1, dx2 = np.zeros(x1.shape, dy.dtype), np.zeros(x2.shape, dy.dtype)
        for i, k in np.ndindex(x1.shape):
            dx1[i, k] = dy[i] * x2[k]
            dx2[k] += dy[i] * x1[i, k]
        return dx1, dx2

    return y, backward


def naive_matrix_vector_dot_by_rows(x1: _Array, x2: _Array) -> _ForwardOfTwo:
    """y[i] = naive_vector_dot(x1[i], x2); dx2 is the sum of what each row sends back."""
    _check_axes("naive_matrix_vector_dot_by_rows", x1, 2)
    rows, backwards = zip(*[naive_vector_dot(row, x2) for row in x1], strict=True)

    def backward(dy):
        drows, shares = zip(*[back(d) for back, d in zip(backwards, dy, strict=True)], strict=True)
        return np.array(drows), np.sum(shares, axis=0)

    return np.array(rows), backward


def naive_matrix_dot(x1: _Array, x2: _Array) -> _ForwardOfTwo:
    """y[i, j] = naive_vector_dot(x1[i], x2[:, j]), a row by a column.

    dx1 = dy @ x2.T, dx2 = x1.T @ dy.
    """
    _check_axes("naive_matrix_dot", x1, 2)
    _check_axes("naive_matrix_dot", x2, 2)
    _check_fit("naive_matrix_dot", x1, x2, x1.shape[1] == x2.shape[0])
    y = np.zeros((x1.shape[0], x2.shape[1]), np.result_type(x1, x2))
    for i, j in np.ndindex(y.shape):
        y[i, j] = naive_vector_dot(x1[i], x2[:, j])[0]

    def backward(dy):
        dx1, dx2 = np.zeros(x1.shape, dy.dtype), np.zeros(x2.shape, dy.dtype)
        for i, j in np.ndindex(dy.shape):
            dx1[i] += dy[i, j] * x2[:, j]
            dx2[:, j] += dy[i, j] * x1[i]
        return dx1, dx2

    return y, backward


def dot(x1: _Array, x2: _Array) -> _ForwardOfTwo:
    """y = x1 @ x2, for vectors and matrices; dx1 = dy @ x2.T, dx2 = x1.T @ dy.

    In both a vector counts as a matrix: x1 as a row, x2 as a column.
    """
    are_matrices = {x1.ndim, x2.ndim} <= {1, 2}
    _check_fit("dot", x1, x2, are_matrices and x1.shape[-1] == x2.shape[0])
    row, column = np.atleast_2d(x1), x2.reshape(len(x2), -1)

    def backward(dy):
        dy = dy.reshape(len(row), column.shape[1])
        return (dy @ column.T).reshape(x1.shape), (row.T @ dy).reshape(x2.shape)

    return x1 @ x2, backward


def translate(x: _Array, offset: _Array) -> _ForwardOfTwo:
    """y = x + offset: the points x, one in each row, all moved by the same offset."""
    return add(x, offset)


def scale(x: _Array, factors: _Array) -> _ForwardOfTwo:
    """y = x * factors: points stretched along each axis by a factor of its own."""
    return multiply(x, factors)


def rotate(x: _Array, angle: _Array) -> _ForwardOfTwo:
    """y = x @ [[cos, sin], [-sin, cos]]: points (n, 2) turned to the left by radians.

    dangle = the sum of dy * y turned by a further quarter: a circle's tangent. Points are rows, as
    samples are; textbooks with points as columns have the transpose of this matrix.
    """
    cos, sin = np.cos(angle), np.sin(angle)
    kernel = np.array([[cos, sin], [-sin, cos]])
    _check_fit("rotate", x, kernel, x.ndim == 2 and x.shape[1] == 2)
    y = x @ kernel

    def backward(dy):
        tangent = np.stack([-y[:, 1], y[:, 0]], axis=1)
        return dy @ kernel.T, (dy * tangent).sum()

    return y, backward


def linear_map(x: _Array, kernel: _Array) -> _ForwardOfTwo:
    """y = x @ kernel: any map of points that keeps lines straight and the origin where it is."""
    return dot(x, kernel)


def affine_map(
    x: _Array, kernel: _Array, bias: _Array
) -> tuple[_Array, Callable[[_Array], tuple[_Array, _Array, _Array]]]:
    """y = translate(linear_map(x, kernel), bias): what a dense layer without activation does."""
    z, backward_linear = linear_map(x, kernel)
    y, backward_translate = translate(z, bias)

    def backward(dy):
        dz, dbias = backward_translate(dy)
        return *backward_linear(dz), dbias

    return y, backward


def compose_affine_maps(
    kernel1: _Array, bias1: _Array, kernel2: _Array, bias2: _Array
) -> tuple[tuple[_Array, _Array], Callable[[Sequence[_Array]], tuple[_Array, ...]]]:
    """(kernel, bias) = (kernel1 @ kernel2, bias1 @ kernel2 + bias2): two affine maps in one.

    So a stack of dense layers without activations is a single dense layer.
    """
    kernel, backward_kernel = linear_map(kernel1, kernel2)
    bias, backward_bias = affine_map(bias1, kernel2, bias2)

    def backward(dys):
        dkernel, dbias = dys
        dkernel1, dkernel2 = backward_kernel(dkernel)
        dbias1, further_dkernel2, dbias2 = backward_bias(dbias)
        return dkernel1, dbias1, dkernel2 + further_dkernel2, dbias2

    return (kernel, bias), backward


def to_categorical(x: Sequence[int] | _Array, num_classes: int | None = None) -> _Array:
    """y[s, c] = 1 where c is x[s], else 0: integer labels as one-hot rows, of float64 as in Keras.

    For num_classes=None the largest label is the last class, and (n, 1) counts as (n,). ValueError
    for labels outside of the classes; Keras takes -1 for the last class.
    """
    labels = np.asarray(x, np.int64)
    if not (labels.size or num_classes):
        raise ValueError("without labels, num_classes must say how many classes there are")
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    classes = num_classes or int(labels.max()) + 1
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(
            f"labels are from 0 to {classes - 1}, not {labels.min()} to {labels.max()}"
        )
    return np.eye(classes)[labels]
