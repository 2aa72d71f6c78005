"""Descent: errors, gradients by trial, and the ways down, point by point."""

import functools

import keras
import tensorflow as tf

from . import optimizers, random


def squared_error(y_true, y_pred):
    """value = (y_pred - y_true)²."""
    return tf.math.squared_difference(y_pred, y_true)


def sum_of_squares(y_true, y_pred):
    """value = sum((y_pred - y_true)²) / 2 for each sample."""
    return tf.reduce_sum(squared_error(y_true, y_pred), axis=-1) / 2


def cross_entropy(y_true, y_pred):
    """value = -sum(y_true * log(y_pred + 1e-7)) for each sample."""
    return -tf.reduce_sum(y_true * tf.math.log(y_pred + 1e-7), axis=-1)


def forward_difference(x, function, h=1e-4):
    """dx[i] = (function(x + h) - function(x)) / h, where only x[i] is moved by h."""
    differences = [(function(x + h * unit) - function(x)) / h for unit in _units(x)]
    return tf.reshape(differences, x.shape)


def central_difference(x, function, h=1e-4):
    """dx[i] = (function(x + h) - function(x - h)) / (2 * h), where only x[i] is moved by h."""
    differences = [
        (function(x + h * unit) - function(x - h * unit)) / (2 * h) for unit in _units(x)
    ]
    return tf.reshape(differences, x.shape)


def _units(x):
    """One tensor like x for each of its numbers, 1 there and 0 elsewhere."""
    size = x.shape.num_elements() if tf.is_tensor(x) else x.size
    return tf.reshape(tf.eye(size, dtype=x.dtype), [size, *x.shape])


def hot_and_cold(weight, x, target, step=0.001, iterations=1101):
    """weight += step or weight -= step, whichever lowers the error of x * weight; all weights."""
    path = [tf.convert_to_tensor(weight)]
    for _ in range(iterations):
        weight = path[-1]
        up = squared_error(target, x * (weight + step))
        down = squared_error(target, x * (weight - step))
        path.append(weight + step if up < down else weight - step if down < up else weight)
    return tf.stack(path)


def gradient_descent(x, gradient, learning_rate=0.01, steps=100, decay=0.0):
    """x -= learning_rate / (1 + decay * step) * gradient(x); all x, the start first."""
    path = [tf.convert_to_tensor(x)]
    for step in range(steps):
        rate = learning_rate / (1 + decay * step)
        path.append(path[-1] - rate * gradient(path[-1]))
    return tf.stack(path)


def _gradient(function):
    """The gradient of function, as a function of x."""

    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)
        return tape.gradient(y, x)

    return gradient


def descend_one_weight(weight, x, target, learning_rate=0.01, steps=1500):
    """weight -= learning_rate * the gradient of half the squared error of x * weight."""
    gradient = _gradient(lambda weight: squared_error(target, x * weight) / 2)
    return gradient_descent(weight, gradient, learning_rate, steps)


def descend_several_inputs(weights, x, target, learning_rate=0.01, steps=100):
    """weights -= learning_rate * the gradient of half the squared error of x @ weights."""
    gradient = _gradient(
        lambda weights: squared_error(target, tf.tensordot(x, weights, axes=1)) / 2
    )
    return gradient_descent(weights, gradient, learning_rate, steps)


def descend_several_outputs(kernel, x, targets, learning_rate=0.01, steps=100):
    """kernel -= learning_rate * the gradient of the sum_of_squares of x @ kernel."""
    gradient = _gradient(lambda kernel: sum_of_squares(targets, tf.tensordot(x, kernel, axes=1)))
    return gradient_descent(kernel, gradient, learning_rate, steps)


def descend_in_batches(weights, x, targets, batch_size=None, learning_rate=0.01, epochs=1, seed=0):
    """weights -= learning_rate * the gradient of half the mean squared error of a batch."""
    path, seeds = [tf.convert_to_tensor(weights)], random.SeedGenerator(seed)
    size = batch_size or len(x)
    for _ in range(epochs):
        order = random.shuffle(tf.range(len(x)), seed=seeds)
        for start in range(0, len(x), size):
            rows = order[start : start + size]
            batch = {"x": tf.gather(x, rows), "targets": tf.gather(targets, rows)}
            gradient = _gradient(functools.partial(_half_mean_squared_error, **batch))
            path.append(path[-1] - learning_rate * gradient(path[-1]))
    return tf.stack(path)


def _half_mean_squared_error(weights, x, targets):
    return tf.reduce_mean(squared_error(targets, tf.linalg.matvec(x, weights))) / 2


def momentum_descent(x, gradient, learning_rate=0.01, momentum=0.9, steps=100):
    """velocity = momentum * velocity - learning_rate * gradient(x); x += velocity; all x."""
    path = [tf.convert_to_tensor(x)]
    velocity = tf.zeros_like(path[0])
    for _ in range(steps):
        velocity = momentum * velocity - learning_rate * gradient(path[-1])
        path.append(path[-1] + velocity)
    return tf.stack(path)


def bowl(x):
    """y = x[0]² / 20 + x[1]², for points x (..., 2): an elongated bowl, lowest at the origin."""
    return tf.square(x[..., 0]) / 20 + tf.square(x[..., 1])


def bowl_path(start, optimizer, settings, steps=30):
    """The points, start first, to which an optimizer moves in the bowl; SGD zigzags."""
    rule = getattr(optimizers, optimizer)(**settings)
    point = keras.Variable(start, dtype=start.dtype)
    path = [tf.convert_to_tensor(start)]
    for _ in range(steps):
        rule.apply([_gradient(bowl)(tf.convert_to_tensor(point))], [point])
        path.append(tf.identity(point))
    return tf.stack(path)
