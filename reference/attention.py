"""Attention: every step of a sequence takes from the others what is alike to what it asks for."""

import keras
import tensorflow as tf

AdditiveAttention = keras.layers.AdditiveAttention
Attention = keras.layers.Attention
MultiHeadAttention = keras.layers.MultiHeadAttention
dot_product_attention = keras.ops.dot_product_attention


def dot_scores(query, key, scale=None):
    """scores = query @ key.T * scale."""
    scores = tf.matmul(query, key, transpose_b=True)
    return scores if scale is None else scores * scale


def additive_scores(query, key, scale=None):
    """scores = sum(scale * tanh(query + key)), of every query and every key."""
    z = tf.tanh(query[..., :, tf.newaxis, :] + key[..., tf.newaxis, :, :])
    return tf.reduce_sum(z if scale is None else scale * z, axis=-1)


def concat_scores(query, key, scale, weight):
    """scores = weight * sum(tanh(scale * (query + key))), of every query and every key."""
    pairs = query[..., :, tf.newaxis, :] + key[..., tf.newaxis, :, :]
    return weight * tf.reduce_sum(tf.tanh(scale * pairs), axis=-1)


def masked_softmax(scores, mask=None):
    """weights = softmax of the scores where mask is True; elsewhere they are 0."""
    return keras.layers.Softmax(dtype=scores.dtype)(scores, mask=mask)


class PositionEmbedding(keras.layers.Layer):
    """y = x + embeddings, a vector for each step of a sequence."""

    def __init__(self, embeddings_initializer="uniform", **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)

    def build(self, input_shape):
        self.embeddings = self.add_weight(
            shape=input_shape[1:], initializer=self.embeddings_initializer, name="embeddings"
        )

    def call(self, x):
        return x + self.embeddings


class TransformerEncoder(keras.layers.Layer):
    """y = norm(z + dropout(relu(z @ …) @ …)), z = norm(x + dropout(attention(x, x)))."""

    def __init__(
        self, intermediate_dim, num_heads, dropout=0.0, use_bias=True, seed=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.intermediate_dim = intermediate_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.use_bias = use_bias
        self.seed = seed
        self.supports_masking = True

    def build(self, input_shape):
        of, features, dtype = keras.layers, input_shape[-1], self.dtype_policy
        seeds = [None if self.seed is None else self.seed + i for i in range(3)]
        size = features // self.num_heads
        self.attention = MultiHeadAttention(
            self.num_heads,
            size,
            dropout=self.dropout,
            use_bias=self.use_bias,
            seed=seeds[0],
            dtype=dtype,
            name="attention",
        )
        self.attention_dropout = of.Dropout(self.dropout, seed=seeds[1], dtype=dtype)
        self.attention_norm = of.LayerNormalization(dtype=dtype, name="attention_norm")
        self.intermediate = of.Dense(
            self.intermediate_dim, "relu", dtype=dtype, name="intermediate"
        )
        self.output_dense = of.Dense(features, dtype=dtype, name="output")
        self.output_dropout = of.Dropout(self.dropout, seed=seeds[2], dtype=dtype)
        self.output_norm = of.LayerNormalization(dtype=dtype, name="output_norm")
        self.attention.build(input_shape, input_shape)
        self.attention_norm.build(input_shape)
        self.intermediate.build(input_shape)
        self.output_dense.build((*input_shape[:-1], self.intermediate_dim))
        self.output_norm.build(input_shape)

    def call(self, x, training=False, attention_mask=None, use_causal_mask=False):
        attended = self.attention(
            x, x, attention_mask=attention_mask, use_causal_mask=use_causal_mask, training=training
        )
        z = self.attention_norm(x + self.attention_dropout(attended, training=training))
        output = self.output_dense(self.intermediate(z))
        return self.output_norm(z + self.output_dropout(output, training=training))
