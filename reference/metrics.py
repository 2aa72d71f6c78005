"""Metrics: functions judge each sample, classes what all batches since a reset have in common."""

import keras
import tensorflow as tf

AUC = keras.metrics.AUC
Accuracy = keras.metrics.Accuracy
BinaryAccuracy = keras.metrics.BinaryAccuracy
CategoricalAccuracy = keras.metrics.CategoricalAccuracy
CosineSimilarity = keras.metrics.CosineSimilarity
F1Score = keras.metrics.F1Score
FBetaScore = keras.metrics.FBetaScore
FalseNegatives = keras.metrics.FalseNegatives
FalsePositives = keras.metrics.FalsePositives
LogCoshError = keras.metrics.LogCoshError
Mean = keras.metrics.Mean
MeanAbsoluteError = keras.metrics.MeanAbsoluteError
MeanAbsolutePercentageError = keras.metrics.MeanAbsolutePercentageError
MeanMetricWrapper = keras.metrics.MeanMetricWrapper
MeanSquaredError = keras.metrics.MeanSquaredError
MeanSquaredLogarithmicError = keras.metrics.MeanSquaredLogarithmicError
Metric = keras.metrics.Metric
Precision = keras.metrics.Precision
R2Score = keras.metrics.R2Score
Recall = keras.metrics.Recall
RootMeanSquaredError = keras.metrics.RootMeanSquaredError
SparseCategoricalAccuracy = keras.metrics.SparseCategoricalAccuracy
SparseTopKCategoricalAccuracy = keras.metrics.SparseTopKCategoricalAccuracy
Sum = keras.metrics.Sum
TopKCategoricalAccuracy = keras.metrics.TopKCategoricalAccuracy
TrueNegatives = keras.metrics.TrueNegatives
TruePositives = keras.metrics.TruePositives
binary_accuracy = keras.metrics.binary_accuracy
categorical_accuracy = keras.metrics.categorical_accuracy
get = keras.metrics.get
sparse_categorical_accuracy = keras.metrics.sparse_categorical_accuracy
sparse_top_k_categorical_accuracy = keras.metrics.sparse_top_k_categorical_accuracy
top_k_categorical_accuracy = keras.metrics.top_k_categorical_accuracy


def confusion_matrix(labels, predictions, num_classes=None, weights=None, dtype="int32"):
    """matrix[i, j] = sum(weights where labels == i and predictions == j), weights 1 if None."""
    return tf.math.confusion_matrix(labels, predictions, num_classes, weights, tf.as_dtype(dtype))
