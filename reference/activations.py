"""Activations: what a layer does to each weighted sum. The gradient is the tape's work."""

import keras
import tensorflow as tf

linear = keras.activations.linear
exponential = keras.activations.exponential
relu = keras.activations.relu
leaky_relu = keras.activations.leaky_relu
relu6 = keras.activations.relu6
elu = keras.activations.elu
selu = keras.activations.selu
celu = keras.activations.celu
sigmoid = keras.activations.sigmoid
log_sigmoid = keras.activations.log_sigmoid
hard_sigmoid = keras.activations.hard_sigmoid
sparse_sigmoid = keras.activations.sparse_sigmoid
tanh = keras.activations.tanh
hard_tanh = keras.activations.hard_tanh
tanh_shrink = keras.activations.tanh_shrink
hard_shrink = keras.activations.hard_shrink
soft_shrink = keras.activations.soft_shrink
threshold = keras.activations.threshold
softsign = keras.activations.softsign
softplus = keras.activations.softplus
sparse_plus = keras.activations.sparse_plus
squareplus = keras.activations.squareplus
silu = keras.activations.silu
hard_silu = keras.activations.hard_silu
mish = keras.activations.mish
gelu = keras.activations.gelu
glu = keras.activations.glu
softmax = keras.activations.softmax
log_softmax = keras.activations.log_softmax
sparsemax = keras.activations.sparsemax
get = keras.activations.get


def step(x):
    """y = 1 where x > 0 else 0."""
    return tf.cast(x > 0, x.dtype)


def cos(x):
    """y = cos(x)."""
    return tf.cos(x)
