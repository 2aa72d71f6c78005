"""Keras's layers of attention without projections: query, value and key are as they come."""

import functools
from typing import Any

import numpy as np

from scratch import initializers, random
from scratch.network import Layer
from scratch.network.arguments import between_0_and_1

from .functions import (
    additive_scores,
    average,
    causal,
    concat_scores,
    dot_scores,
    dropping,
    fitted,
    hidden_softmax,
    together,
)


class Attention(Layer):
    """y = softmax(scores) @ value, scores of each query (n, t, d) with each key (n, s, d).

    It takes a list, [query, value] or [query, value, key]; without a key, value (n, s, d) is the
    key too. score_mode is "dot" or "concat": see dot_scores and concat_scores; use_scale adds the
    weight scale. mask is [query_mask, value_mask], True for what counts: a masked query's y is 0, a
    masked value hidden from all. With use_causal_mask a query sees no later value. As in Keras,
    1e9 is subtracted from hidden scores, so that in float64 a query from which all is hidden weighs
    values as if nothing were, and the scores that return_attention_scores adds are those after
    dropout. Source: Luong et al., 2015.
    """

    takes_list = True
    scale: Any = None
    concat_score_weight: Any = None

    def __init__(self, use_scale=False, score_mode="dot", dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(f'score_mode is "dot" or "concat", not {score_mode!r}')
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = between_0_and_1(dropout, "dropout")
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed) if dropout else None

    def build(self, input_shape):
        self.check_list(input_shape)
        self.add_weights(input_shape[0][-1])

    def check_list(self, parts):
        if not isinstance(parts, list) or len(parts) not in (2, 3):
            raise ValueError(f"{self.name} takes [query, value] or [query, value, key]")

    def add_weights(self, features):
        """Create the weights of the scores, for queries of so many features."""
        if self.use_scale:
            self.add_weight((), initializers.Ones(), name="scale")
        if self.score_mode == "concat":
            self.add_weight((), initializers.Ones(), name="concat_score_weight")

    def check_input(self, x):
        self.check_list(x)
        query, value, *key = [part.shape for part in x]
        key = key[0] if key else value
        compared = query[:-2] == key[:-2] and query[-1] == key[-1]
        as_built = np.shape(self.scale) in ((), query[-1:])
        if len(query) < 2 or not compared or not as_built or value[:-1] != key[:-1]:
            shapes = ", ".join(str(part.shape) for part in x)
            raise ValueError(f"{self.name} cannot compare queries with keys of shapes {shapes}")

    def scores(self, query, key):
        """(scores, backward), backward(dscores) being dquery, dkey and those of the weights."""
        if self.score_mode == "dot":
            return dot_scores(query, key, self.scale)
        scale = 1.0 if self.scale is None else self.scale
        scores, backward_scores = concat_scores(query, key, scale, self.concat_score_weight)

        def backward(dscores):
            dquery, dkey, dscale, dweight = backward_scores(dscores)
            return dquery, dkey, *([dscale] if self.use_scale else []), dweight

        return scores, backward

    def call(
        self, x, training=False, mask=None, return_attention_scores=False, use_causal_mask=False
    ):
        query, value, *keys = x
        query_mask, value_mask = _masks(mask)
        scores, backward_scores = self.scores(query, keys[0] if keys else value)
        seen = _seen(scores.shape, value_mask, use_causal_mask)
        weigh = functools.partial(self._weigh, seen, training)
        (y, weights), backward_y = average(scores, value, weigh)

        def backward(dys, needs_dx=True):
            dy, *dweights = dys if return_attention_scores else [dys]
            dscores, dvalue = backward_y(_shown(dy, query_mask), *dweights)
            dquery, dkey, *gradients = backward_scores(dscores)
            dx = [dquery, dvalue, dkey] if keys else [dquery, dvalue + dkey]
            return dx if needs_dx else None, gradients

        y = _shown(y, query_mask)
        return [y, weights] if return_attention_scores else y, backward

    def _weigh(self, seen, training, scores):
        """The softmax of the scores, 1e9 less where not seen; in training with dropout."""
        shifted = scores if seen is None else np.where(seen, scores, scores - 1e9)
        weights, backward_weights = hidden_softmax(shifted)
        drop = dropping(self.dropout, self.seed_generator, training)
        dropped, backward_dropped = drop(weights)
        return dropped, lambda d: backward_weights(backward_dropped(d))

    def compute_mask(self, inputs, mask=None):
        """The mask of the queries, which is that of y."""
        return mask[0] if mask else None

    def compute_output_shape(self, input_shape):
        query, value = input_shape[:2]
        return (*query[:-1], value[-1])


def _masks(mask):
    """The masks of queries and values, or None for each. ValueError for what is no list of them."""
    if mask is None:
        return None, None
    if not isinstance(mask, list | tuple) or len(mask) not in (2, 3):
        given = f"{type(mask).__name__} of {len(mask)}"
        raise ValueError(f"mask is a list, [query_mask, value_mask], not a {given}")
    return mask[:2]


def _seen(shape, value_mask, use_causal_mask):
    """Which of the scores (..., t, s) count, or None for all."""
    *samples, queries, keys = shape
    if value_mask is not None:
        value_mask = fitted(value_mask, (*samples, keys), "value_mask")[..., np.newaxis, :]
    return together(value_mask, causal(queries, keys) if use_causal_mask else None)


def _shown(y, query_mask):
    """y, with 0 for masked queries; its own backward."""
    if query_mask is None:
        return y
    return np.where(fitted(query_mask, y.shape[:-1], "query_mask")[..., np.newaxis], y, 0)


class AdditiveAttention(Attention):
    """y = softmax(scores) @ value, scores = sum(scale * tanh(query + key)): see additive_scores.

    All else is as in Attention. Source: Bahdanau et al., 2015.
    """

    def __init__(self, use_scale=True, dropout=0.0, **kwargs):
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def add_weights(self, features):
        if self.use_scale:
            self.add_weight((features,), initializers.GlorotUniform(), name="scale")

    def scores(self, query, key):
        return additive_scores(query, key, self.scale)
