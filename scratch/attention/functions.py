"""Scores of how well each key answers each query, and averages of values weighted by them."""

import functools
from collections.abc import Callable, Sequence

import numpy as np

from scratch import random, tensors
from scratch.activations import linear

_Array = np.ndarray
_Forward = tuple[_Array, Callable]

HIDDEN = -1e9  # the score of a hidden key, whose exponential is 0 beside any other


def dot_scores(query: _Array, key: _Array, scale: _Array | None = None) -> _Forward:
    """scores = query @ key.T * scale, for query (..., t, d), key (..., s, d), scale a number.

    scores are (..., t, s): a row for each query. dquery = scale * dscores @ key,
    dkey = scale * dscores.T @ query, and where there is a scale, dscale = sum(dscores * query @
    key.T). Source: Luong et al., 2015.
    """
    products = query @ _transposed(key)

    def backward(dscores):
        dproducts = dscores if scale is None else dscores * scale
        gradients = dproducts @ key, _transposed(dproducts) @ query
        return gradients if scale is None else (*gradients, np.sum(dscores * products))

    return products if scale is None else products * scale, backward


def _transposed(x):
    return x.swapaxes(-1, -2)


def additive_scores(query: _Array, key: _Array, scale: _Array | None = None) -> _Forward:
    """scores = sum(scale * tanh(query + key)) over d, of every query (t, d) and every key (s, d).

    scale (d,) has a number for each feature; None is 1. With z the tanh,
    dquery and dkey are the sums of dscores * scale * (1 - z²) over keys and over queries, and
    dscale = sum(dscores * z) over both. Source: Bahdanau et al., 2015.
    """
    z = np.tanh(_each_with_each(query, key))
    factor = np.ones(z.shape[-1:], z.dtype) if scale is None else scale

    def backward(dscores):
        dsum = dscores[..., np.newaxis] * (1 - z * z) * factor
        gradients = dsum.sum(-2), dsum.sum(-3)
        if scale is None:
            return gradients
        return *gradients, dscores.reshape(-1) @ z.reshape(-1, len(scale))

    return z @ factor, backward


def _each_with_each(query, key):
    """query + key of every pair of them, (..., t, s, d)."""
    return query[..., :, np.newaxis, :] + key[..., np.newaxis, :, :]


def concat_scores(query: _Array, key: _Array, scale: _Array | float, weight: _Array) -> _Forward:
    """scores = weight * sum(tanh(scale * (query + key))) over d, with numbers scale and weight.

    With z the tanh, dweight = sum(dscores * z), and with dz = dscores * weight * (1 - z²),
    dscale = sum(dz * (query + key)), while dquery and dkey are the sums of dz * scale over keys and
    over queries.
    """
    pairs = _each_with_each(query, key)
    z = np.tanh(scale * pairs)
    total = z.sum(-1)

    def backward(dscores):
        dz = (weight * dscores)[..., np.newaxis] * (1 - z * z)
        dscale, dweight = np.sum(dz * pairs), np.sum(dscores * total)
        dz *= scale
        return dz.sum(-2), dz.sum(-3), dscale, dweight

    return weight * total, backward


def masked_softmax(scores: _Array, mask: _Array | None = None) -> _Forward:
    """weights = softmax(scores where mask is True), over the last axis; elsewhere they are 0.

    dscores = weights * (dweights - sum(dweights * weights)). mask broadcasts to the scores; a row
    without any True has no weight at all, where hidden_softmax would share it out evenly.
    """
    weights, backward_weights = hidden_softmax(scores, mask)
    if mask is None:
        return weights, backward_weights
    weights *= mask
    return weights, _backward_softmax(weights)


def hidden_softmax(scores: _Array, mask: _Array | None = None) -> _Forward:
    """weights = softmax(scores) over the last axis, the scores being -1e9 where mask is False."""
    seen = scores if mask is None else np.where(mask, scores, HIDDEN)
    # the shift cancels; it keeps exp from overflowing; -inf is the largest of no scores
    weights = seen - np.real(seen).max(-1, keepdims=True, initial=-np.inf)
    np.exp(weights, out=weights)
    weights /= weights.sum(-1, keepdims=True)
    backward = _backward_softmax(weights)
    return weights, backward if mask is None else lambda d: np.where(mask, backward(d), 0)


def _backward_softmax(weights):
    """dscores = weights * (dweights - sum(dweights * weights)) over the last axis."""

    def backward(dweights):
        dscores = dweights - np.einsum("...s,...s->...", dweights, weights)[..., np.newaxis]
        dscores *= weights
        return dscores

    return backward


def average(
    scores: _Array, value: _Array, weigh: Callable[..., _Forward], drop: Callable = linear
) -> tuple[list[_Array], Callable]:
    """[y, weights], y = drop(weights) @ value, for weights = weigh(scores).

    ddropped = dy @ value.T, dvalue = dropped.T @ dy; backward gives dscores and dvalue.
    """
    weights, backward_weights = weigh(scores)
    dropped, backward_dropped = drop(weights)

    def backward(dy, dweights=None):
        through_y = backward_dropped(dy @ _transposed(value))
        dweights = through_y if dweights is None else through_y + dweights
        return backward_weights(dweights), _transposed(dropped) @ dy

    return [dropped @ value, weights], backward


def dropping(rate: float, seed: random.SeedGenerator | None, training: bool) -> Callable:
    """random.dropout of the rate in training, else what leaves weights as they are."""
    in_use = training and rate > 0
    return functools.partial(random.dropout, rate=rate, seed=seed) if in_use else linear


def causal(queries: int, keys: int) -> _Array:
    """A mask (queries, keys) that is True for keys not later than the query."""
    return np.tri(queries, keys, dtype=bool)


def near(queries: int, keys: int, window: int) -> _Array:
    """A mask (queries, keys) that is True for keys less than `window` steps from the query."""
    return np.abs(np.subtract.outer(np.arange(queries), np.arange(keys))) < window


def together(*masks: _Array | None) -> _Array | None:
    """The mask that is True where all of those are that are not None, or None."""
    given = [np.asarray(mask, bool) for mask in masks if mask is not None]
    try:
        return functools.reduce(np.logical_and, given) if given else None
    except ValueError:
        shapes = ", ".join(str(mask.shape) for mask in given)
        raise ValueError(f"masks of shapes {shapes} do not go together") from None


def fitted(mask: _Array, shape: tuple[int, ...], name: str) -> _Array:
    """mask, repeated to that shape. ValueError where it does not fit."""
    try:
        return np.broadcast_to(mask, shape)
    except ValueError:
        raise ValueError(f"{name} of shape {np.shape(mask)} does not fit {shape}") from None


def dot_product_attention(
    query: _Array,
    key: _Array,
    value: _Array,
    bias: _Array | None = None,
    mask: _Array | None = None,
    scale: float | None = None,
    is_causal: bool = False,
) -> _Forward:
    """y = softmax(query @ key.T * scale + bias) @ value, for each sample and each head.

    query (n, t, heads, d), key (n, s, heads, d), value (n, s, heads, v); y is (n, t, heads, v).
    bias and mask broadcast to (n, heads, t, s); mask is True where a query may see a key, and with
    is_causal none sees a later one. As in Keras, a query that may see nothing takes the average of
    all values, and scale, 1 / sqrt(d) unless given, is rounded to float32. backward gives dquery,
    dkey, dvalue and, where there is a bias, dbias. Source: Vaswani et al., 2017.
    """
    rest = query.shape[:1] + query.shape[2:]
    if query.ndim != 4 or rest != key.shape[:1] + key.shape[2:] or key.shape[:3] != value.shape[:3]:
        shapes = f"{query.shape}, {key.shape} and {value.shape}"
        raise ValueError(f"query, key and value of shapes {shapes} do not go together")
    factor = 1 / np.sqrt(np.float32(query.shape[-1])) if scale is None else np.float32(scale)
    mask = together(mask, causal(query.shape[1], key.shape[1]) if is_causal else None)
    (y, _), backward = attend(query, key, value, factor, hidden_softmax, bias=bias, mask=mask)
    return y, backward


def attend(
    query: _Array,
    key: _Array,
    value: _Array,
    scale: np.float32,
    weigh: Callable[..., _Forward],
    drop: Callable[..., _Forward] = linear,
    *,
    axes: Sequence[int] = (1,),
    bias: _Array | None = None,
    mask: _Array | None = None,
) -> tuple[list[_Array], Callable]:
    """[y, weights], y = drop(weights) @ value, weights = weigh(query @ key.T * scale + bias, mask).

    The inputs are (n, ..., heads, d), where `axes` are the steps attended over; the others, and the
    heads, attend side by side. weights are (n, ..., heads, steps of queries, steps of keys).
    """
    q, restore_query, steps = _steps_last(query * scale, axes)
    k, restore_key, _ = _steps_last(key, axes)
    v, restore_value, _ = _steps_last(value, axes)
    scores, backward_scores = dot_scores(q, k)
    full = (*scores.shape[:-2], *steps, *[key.shape[axis] for axis in axes])
    mask = None if mask is None else fitted(mask, full, "a mask").reshape(scores.shape)
    biased = scores
    if bias is not None:
        repeated, backward_bias = tensors.broadcast_to(bias, full)
        biased = scores + repeated.reshape(scores.shape)
    (y, weights), backward_y = average(biased, v, functools.partial(weigh, mask=mask), drop)

    def backward(dy, dweights=None):
        dweights = None if dweights is None else dweights.reshape(scores.shape)
        dscores, dvalue = backward_y(_steps_last(dy, axes)[0], dweights)
        dquery, dkey = backward_scores(dscores)
        dbias = () if bias is None else (backward_bias(dscores.reshape(full)),)
        gradients = restore_query(dquery) * scale, restore_key(dkey), restore_value(dvalue)
        return *gradients, *dbias

    return [restore_query(y), weights.reshape(full)], backward


def _steps_last(x, axes):
    """x (n, ..., heads, d) as (n, ..., heads, steps, d), the way back, and the sizes of `axes`.

    No number moves in memory where the steps are one axis: matrix products read x as it lies.
    """
    order = [*(axis for axis in range(x.ndim - 1) if axis not in axes), *axes, x.ndim - 1]
    moved = x.transpose(order)
    *samples, features = moved.shape
    samples, steps = samples[: -len(axes)], samples[-len(axes) :]

    def restore(y):
        return y.reshape(*samples, *steps, y.shape[-1]).transpose(np.argsort(order))

    return moved.reshape(*samples, -1, features), restore, steps
