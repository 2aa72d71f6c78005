"""floatx, the dtype of everything that is not told otherwise, and epsilon, Keras's fuzz factor."""

from keras.config import epsilon, floatx, set_floatx

__all__ = ["epsilon", "floatx", "set_floatx"]
