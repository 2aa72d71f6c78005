"""Where weights have to stay: constraint(w) is the weight after each update, brought back there."""

import keras

Constraint = keras.constraints.Constraint
MaxNorm = keras.constraints.MaxNorm
NonNeg = keras.constraints.NonNeg
UnitNorm = keras.constraints.UnitNorm
MinMaxNorm = keras.constraints.MinMaxNorm
get = keras.constraints.get
