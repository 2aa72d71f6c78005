"""Embedding: a table with a vector for each integer, looked up and learned; and Masking."""

import keras
import tensorflow as tf

Embedding = keras.layers.Embedding
Masking = keras.layers.Masking


def embedding(indices, embeddings):
    """y = embeddings[indices], for integers (...) and embeddings (i, o); y is (..., o)."""
    return tf.gather(embeddings, indices % len(embeddings))
