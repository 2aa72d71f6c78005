"""Recurrent layers: a cell that sees a sequence step by step, and the way back through time."""

import keras
import tensorflow as tf

Bidirectional = keras.layers.Bidirectional
GRU = keras.layers.GRU
LSTM = keras.layers.LSTM
SimpleRNN = keras.layers.SimpleRNN


def scan(cell, xs, states, mask=None):
    """states = cell(x, *states) for each x of xs. The value is [hs, *states].

    hs lists h, the first of the states, after every step; the states are the last. Where mask
    (steps, n) is False, a sample keeps its states.
    """
    hs = []
    for t, x in enumerate(xs):
        new, keep = cell(x, *states), True if mask is None else mask[t][:, tf.newaxis]
        states = [tf.where(keep, after, before) for after, before in zip(new, states, strict=True)]
        hs.append(states[0])
    return [hs, *states]


def lstm_gates(z, c, activation="tanh", recurrent_activation="sigmoid"):
    """h = o * tanh(c') and c' = f * c + i * g, for i, f, g, o = the activated quarters of z."""
    tanh, sigmoid = map(keras.activations.get, (activation, recurrent_activation))
    i, f, g, o = tf.split(z, 4, axis=-1)
    new_c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return [sigmoid(o) * tanh(new_c), new_c]


def gru_gates(x, inner, h, activation="tanh", recurrent_activation="sigmoid"):
    """h' = z * h + (1 - z) * g, for g = tanh(x_g + r * inner_g), z and r sigmoids of x + inner."""
    tanh, sigmoid = map(keras.activations.get, (activation, recurrent_activation))
    (x_z, x_r, x_g), (inner_z, inner_r, inner_g) = (tf.split(a, 3, axis=-1) for a in (x, inner))
    z, r = sigmoid(x_z + inner_z), sigmoid(x_r + inner_r)
    return z * h + (1 - z) * tanh(x_g + r * inner_g)


def gru_gates_reset_before(
    x, inner, h, recurrent_kernel, mask=None, activation="tanh", recurrent_activation="sigmoid"
):
    """h' = z * h + (1 - z) * g, for g = tanh(x_g + (r * h) @ recurrent_kernel)."""
    tanh, sigmoid = map(keras.activations.get, (activation, recurrent_activation))
    (x_z, x_r, x_g), (inner_z, inner_r) = tf.split(x, 3, axis=-1), tf.split(inner, 2, axis=-1)
    z, r = sigmoid(x_z + inner_z), sigmoid(x_r + inner_r)
    seen = h if mask is None else h * mask
    return z * h + (1 - z) * tanh(x_g + (r * seen) @ recurrent_kernel)
