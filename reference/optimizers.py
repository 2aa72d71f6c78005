"""Rules that move weights against their gradients, as Keras ships them."""

import keras

Optimizer = keras.optimizers.Optimizer
SGD = keras.optimizers.SGD
Lion = keras.optimizers.Lion
Adagrad = keras.optimizers.Adagrad
Adadelta = keras.optimizers.Adadelta
RMSprop = keras.optimizers.RMSprop
Ftrl = keras.optimizers.Ftrl
Adam = keras.optimizers.Adam
AdamW = keras.optimizers.AdamW
Adamax = keras.optimizers.Adamax
Nadam = keras.optimizers.Nadam
ScheduleFreeAdamW = keras.optimizers.ScheduleFreeAdamW
Lamb = keras.optimizers.Lamb
Adafactor = keras.optimizers.Adafactor
Muon = keras.optimizers.Muon
get = keras.optimizers.get
