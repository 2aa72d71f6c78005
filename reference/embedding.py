"""Embedding: a table with a vector for each integer, looked up and learned."""

import keras
import tensorflow as tf

Embedding = keras.layers.Embedding


def embedding(indices, embeddings):
    """y = embeddings[indices], for integers (...) and embeddings (i, o); y is (..., o)."""
    return tf.gather(embeddings, indices % len(embeddings))
