"""Recurrent layers: a cell that sees a sequence step by step, and the way back through time."""

import keras
import tensorflow as tf

Bidirectional = keras.layers.Bidirectional
GRU = keras.layers.GRU
LSTM = keras.layers.LSTM
SimpleRNN = keras.layers.SimpleRNN


def scan(cell, z, states, recurrent_kernel, mask=None, dropouts=(None,)):
    """states = cell(z[t], h @ recurrent_kernel, *states) for each step t, where h is states[0].

    The value is [hs, *states]. Where mask (t, n) is False, a sample keeps its states; dropouts are
    masks of h (n, u), one for all gates or one for each.
    """
    kernels, hs = tf.split(recurrent_kernel, len(dropouts), axis=1), []
    for t in range(len(z)):
        seen = [states[0] if dropout is None else states[0] * dropout for dropout in dropouts]
        inner = tf.concat([h @ kernel for h, kernel in zip(seen, kernels, strict=True)], axis=-1)
        new, keep = cell(z[t], inner, *states), True if mask is None else mask[t][:, tf.newaxis]
        states = [tf.where(keep, after, before) for after, before in zip(new, states, strict=True)]
        hs.append(states[0])
    return [tf.stack(hs), *states]


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
