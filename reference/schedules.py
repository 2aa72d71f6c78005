"""Learning-rate schedules: the rate of each step, as Keras ships them."""

import keras

LearningRateSchedule = keras.optimizers.schedules.LearningRateSchedule
ExponentialDecay = keras.optimizers.schedules.ExponentialDecay
InverseTimeDecay = keras.optimizers.schedules.InverseTimeDecay
PolynomialDecay = keras.optimizers.schedules.PolynomialDecay
PiecewiseConstantDecay = keras.optimizers.schedules.PiecewiseConstantDecay
CosineDecay = keras.optimizers.schedules.CosineDecay
CosineDecayRestarts = keras.optimizers.schedules.CosineDecayRestarts
