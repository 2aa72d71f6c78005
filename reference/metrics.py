"""Metrics: functions judge each sample; their classes average over all batches since a reset."""

import keras

binary_accuracy = keras.metrics.binary_accuracy
categorical_accuracy = keras.metrics.categorical_accuracy
sparse_categorical_accuracy = keras.metrics.sparse_categorical_accuracy
top_k_categorical_accuracy = keras.metrics.top_k_categorical_accuracy
sparse_top_k_categorical_accuracy = keras.metrics.sparse_top_k_categorical_accuracy
Metric = keras.metrics.Metric
Mean = keras.metrics.Mean
Accuracy = keras.metrics.Accuracy
BinaryAccuracy = keras.metrics.BinaryAccuracy
CategoricalAccuracy = keras.metrics.CategoricalAccuracy
SparseCategoricalAccuracy = keras.metrics.SparseCategoricalAccuracy
TopKCategoricalAccuracy = keras.metrics.TopKCategoricalAccuracy
SparseTopKCategoricalAccuracy = keras.metrics.SparseTopKCategoricalAccuracy
get = keras.metrics.get
