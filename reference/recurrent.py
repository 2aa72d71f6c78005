"""Recurrent layers: a cell that sees a sequence step by step, and the way back through time."""

import keras
import tensorflow as tf

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
