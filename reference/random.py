"""The random streams of keras.random on TensorFlow: the same seed, the same bits."""

import keras

SeedGenerator = keras.random.SeedGenerator
set_random_seed = keras.utils.set_random_seed
uniform = keras.random.uniform
normal = keras.random.normal
truncated_normal = keras.random.truncated_normal
randint = keras.random.randint
shuffle = keras.random.shuffle
dropout = keras.random.dropout
