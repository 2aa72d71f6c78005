"""The same names with Keras and TensorFlow, whose GradientTape supplies every backward."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
