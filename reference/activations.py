"""Activations: what a layer does to each weighted sum. The gradient is the tape's work."""

import keras

linear = keras.activations.linear
relu = keras.activations.relu
sigmoid = keras.activations.sigmoid
tanh = keras.activations.tanh
softmax = keras.activations.softmax
log_softmax = keras.activations.log_softmax
get = keras.activations.get
