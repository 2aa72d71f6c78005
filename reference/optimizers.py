"""Rules that move weights against their gradients, as Keras ships them."""

from keras.optimizers import SGD, Adam, Optimizer, RMSprop, get

__all__ = ["SGD", "Adam", "Optimizer", "RMSprop", "get"]
