"""Tensors: loops beside Keras's own operations, broadcasting, maps of points."""

import keras
import tensorflow as tf

add = keras.ops.add
broadcast_to = keras.ops.broadcast_to
dot = keras.ops.dot
multiply = keras.ops.multiply
reshape = keras.ops.reshape
to_categorical = keras.utils.to_categorical
transpose = keras.ops.transpose

LAYOUTS = {
    "vectors": ("samples", "features"),
    "sequences": ("samples", "steps", "features"),
    "images": ("samples", "height", "width", "channels"),
    "video": ("samples", "frames", "height", "width", "channels"),
}


def attributes(x):
    """(number of axes, shape, dtype) of a tensor: (0, (), "float32") is a scalar."""
    return x.shape.rank, tuple(x.shape), x.dtype.name


def crop(x, ranges):
    """y = x[start:stop, start:stop, …], a range for each of the first axes."""
    return x[tuple(slice(start, stop) for start, stop in ranges)]


def batch(x, n, batch_size=128):
    """y = x[n * batch_size : (n + 1) * batch_size], the n-th batch, counted from 0."""
    return crop(x, [(n * batch_size, (n + 1) * batch_size)])


def naive_relu(x):
    """y[i, j] = max(x[i, j], 0)."""
    rows, columns = x.shape
    return tf.stack([[tf.nn.relu(x[i, j]) for j in range(columns)] for i in range(rows)])


def naive_add(x1, x2):
    """y[i, j] = x1[i, j] + x2[i, j], for matrices of one shape."""
    rows, columns = x1.shape
    return tf.stack([[x1[i, j] + x2[i, j] for j in range(columns)] for i in range(rows)])


def naive_add_matrix_and_vector(x1, x2):
    """y[i, j] = x1[i, j] + x2[j]."""
    rows, columns = x1.shape
    return tf.stack([[x1[i, j] + x2[j] for j in range(columns)] for i in range(rows)])


def vector_sum(x):
    """y = x[0] + x[1] + …"""
    return tf.reduce_sum(x)


def vector_average(x):
    """y = vector_sum(x) / len(x)."""
    return tf.reduce_mean(x)


def vector_dot(x1, x2):
    """y = vector_sum(multiply(x1, x2))."""
    return vector_sum(multiply(x1, x2))


def naive_vector_dot(x1, x2):
    """y = x1[0] * x2[0] + x1[1] * x2[1] + …"""
    y = tf.zeros((), x1.dtype)
    for k in range(len(x1)):
        y = y + x1[k] * x2[k]
    return y


def naive_matrix_vector_dot(x1, x2):
    """y[i] = the sum of x1[i, k] * x2[k] over k."""
    y = [tf.zeros((), x1.dtype)] * len(x1)
    for i in range(len(x1)):
        for k in range(len(x2)):
            y[i] = y[i] + x1[i, k] * x2[k]
    return tf.stack(y)


def naive_matrix_vector_dot_by_rows(x1, x2):
    """y[i] = naive_vector_dot(x1[i], x2)."""
    return tf.stack([naive_vector_dot(x1[i], x2) for i in range(len(x1))])


def naive_matrix_dot(x1, x2):
    """y[i, j] = naive_vector_dot(x1[i], x2[:, j]), a row by a column."""
    columns = range(x2.shape[1])
    return tf.stack([[naive_vector_dot(row, x2[:, j]) for j in columns] for row in x1])


def translate(x, offset):
    """y = x + offset: the points x, one in each row, all moved by the same offset."""
    return x + offset


def scale(x, factors):
    """y = x * factors: points stretched along each axis by a factor of its own."""
    return x * factors


def rotate(x, angle):
    """y = x @ [[cos, sin], [-sin, cos]]: points (n, 2) turned to the left by radians."""
    cos, sin = tf.cos(angle), tf.sin(angle)
    return x @ tf.stack([[cos, sin], [-sin, cos]])


def linear_map(x, kernel):
    """y = x @ kernel: any map of points that keeps lines straight and the origin where it is."""
    return dot(x, kernel)


def affine_map(x, kernel, bias):
    """y = translate(linear_map(x, kernel), bias): what a dense layer without activation does."""
    return translate(linear_map(x, kernel), bias)


def compose_affine_maps(kernel1, bias1, kernel2, bias2):
    """(kernel, bias) = (kernel1 @ kernel2, bias1 @ kernel2 + bias2): two affine maps in one."""
    return linear_map(kernel1, kernel2), affine_map(bias1, kernel2, bias2)
