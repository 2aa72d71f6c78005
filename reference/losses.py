"""Losses: functions give one value per sample, whose gradient is the tape's; classes reduce."""

import keras

mean_squared_error = keras.losses.mean_squared_error
mean_absolute_error = keras.losses.mean_absolute_error
mean_absolute_percentage_error = keras.losses.mean_absolute_percentage_error
mean_squared_logarithmic_error = keras.losses.mean_squared_logarithmic_error
huber = keras.losses.huber
log_cosh = keras.losses.log_cosh
cosine_similarity = keras.losses.cosine_similarity
hinge = keras.losses.hinge
squared_hinge = keras.losses.squared_hinge
categorical_hinge = keras.losses.categorical_hinge
kl_divergence = keras.losses.kl_divergence
poisson = keras.losses.poisson
binary_crossentropy = keras.losses.binary_crossentropy
binary_focal_crossentropy = keras.losses.binary_focal_crossentropy
categorical_crossentropy = keras.losses.categorical_crossentropy
categorical_focal_crossentropy = keras.losses.categorical_focal_crossentropy
sparse_categorical_crossentropy = keras.losses.sparse_categorical_crossentropy
categorical_generalized_cross_entropy = keras.losses.categorical_generalized_cross_entropy
dice = keras.losses.dice
tversky = keras.losses.tversky
circle = keras.losses.circle
Loss = keras.losses.Loss
MeanSquaredError = keras.losses.MeanSquaredError
MeanAbsoluteError = keras.losses.MeanAbsoluteError
MeanAbsolutePercentageError = keras.losses.MeanAbsolutePercentageError
MeanSquaredLogarithmicError = keras.losses.MeanSquaredLogarithmicError
Huber = keras.losses.Huber
LogCosh = keras.losses.LogCosh
CosineSimilarity = keras.losses.CosineSimilarity
Hinge = keras.losses.Hinge
SquaredHinge = keras.losses.SquaredHinge
CategoricalHinge = keras.losses.CategoricalHinge
KLDivergence = keras.losses.KLDivergence
Poisson = keras.losses.Poisson
BinaryCrossentropy = keras.losses.BinaryCrossentropy
BinaryFocalCrossentropy = keras.losses.BinaryFocalCrossentropy
CategoricalCrossentropy = keras.losses.CategoricalCrossentropy
CategoricalFocalCrossentropy = keras.losses.CategoricalFocalCrossentropy
SparseCategoricalCrossentropy = keras.losses.SparseCategoricalCrossentropy
CategoricalGeneralizedCrossEntropy = keras.losses.CategoricalGeneralizedCrossEntropy
Dice = keras.losses.Dice
Tversky = keras.losses.Tversky
Circle = keras.losses.Circle
get = keras.losses.get
