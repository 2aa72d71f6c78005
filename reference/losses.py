"""Losses: functions give one value per sample, whose gradient is the tape's; classes reduce."""

import keras

mean_squared_error = keras.losses.mean_squared_error
binary_crossentropy = keras.losses.binary_crossentropy
categorical_crossentropy = keras.losses.categorical_crossentropy
sparse_categorical_crossentropy = keras.losses.sparse_categorical_crossentropy
Loss = keras.losses.Loss
MeanSquaredError = keras.losses.MeanSquaredError
BinaryCrossentropy = keras.losses.BinaryCrossentropy
CategoricalCrossentropy = keras.losses.CategoricalCrossentropy
SparseCategoricalCrossentropy = keras.losses.SparseCategoricalCrossentropy
get = keras.losses.get
