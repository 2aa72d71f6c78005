"""Penalties on large or alike weights and outputs, whose gradient is the tape's work."""

import keras

Regularizer = keras.regularizers.Regularizer
L1 = keras.regularizers.L1
L2 = keras.regularizers.L2
L1L2 = keras.regularizers.L1L2
OrthogonalRegularizer = keras.regularizers.OrthogonalRegularizer
get = keras.regularizers.get
