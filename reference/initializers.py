"""Initial weights: initializer(shape) is a tensor."""

import keras

Initializer = keras.initializers.Initializer
Zeros = keras.initializers.Zeros
Ones = keras.initializers.Ones
Constant = keras.initializers.Constant
Identity = keras.initializers.Identity
RandomNormal = keras.initializers.RandomNormal
TruncatedNormal = keras.initializers.TruncatedNormal
RandomUniform = keras.initializers.RandomUniform
VarianceScaling = keras.initializers.VarianceScaling
GlorotUniform = keras.initializers.GlorotUniform
GlorotNormal = keras.initializers.GlorotNormal
HeUniform = keras.initializers.HeUniform
HeNormal = keras.initializers.HeNormal
LecunUniform = keras.initializers.LecunUniform
LecunNormal = keras.initializers.LecunNormal
Orthogonal = keras.initializers.Orthogonal
get = keras.initializers.get
