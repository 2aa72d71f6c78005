"""Activations: what a layer does to each weighted sum, and to the gradient on its way back."""

import math
from collections import abc

import numpy as np

_Forward = tuple[np.ndarray, abc.Callable[[np.ndarray], np.ndarray]]


def linear(x: np.ndarray) -> _Forward:
    """y = x, dx = dy."""
    return x, lambda dy: dy


def step(x: np.ndarray) -> _Forward:
    """y = 1 where x > 0 else 0, dx = 0: what a perceptron does, and why none can be descended."""
    return (np.real(x) > 0).astype(x.dtype), np.zeros_like


def cos(x: np.ndarray) -> _Forward:
    """y = cos(x), dx = -dy * sin(x)."""
    return np.cos(x), lambda dy: -dy * np.sin(x)


def exponential(x: np.ndarray) -> _Forward:
    """y = exp(x), dx = dy * y; infinite where exp overflows."""
    with np.errstate(over="ignore"):
        y = np.exp(x)
    return y, lambda dy: dy * y


def relu(
    x: np.ndarray,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> _Forward:
    """y = min(x, max_value) above threshold, negative_slope * (x - threshold) below it.

    dx = dy at max_value itself, 0 at threshold. Keras computes some cases apart, and scratch too:
    - negative_slope alone is leaky_relu, which has the slope at 0 as well, rounded to float32;
    - max_value=6 without a threshold is relu6, with dx = 0 at 6;
    - max_value with a threshold below 0 also raises negative x above the threshold to 0.
    threshold and max_value are rounded to float32, except where negative_slope * (x - threshold)
    begins.
    """
    if max_value is None and threshold == 0:
        return _leaky_relu(x, negative_slope) if negative_slope else _relu(x)
    y, backward = _clipped_relu(x, max_value, threshold)
    if negative_slope == 0:
        return y, backward
    below, backward_below = _relu(threshold - x)
    return y - negative_slope * below, lambda dy: backward(dy) + negative_slope * backward_below(dy)


def _relu(x: np.ndarray) -> _Forward:
    """y = max(x, 0), dx = dy where y > 0."""
    if np.iscomplexobj(x):
        y = np.where(np.real(x) > 0, x, 0)
    else:
        y = np.clip(x, 0, np.inf)  # in float32 faster than np.maximum(x, 0)
    return y, lambda dy: dy * (np.real(y) > 0)


def _leaky_relu(x: np.ndarray, negative_slope: float) -> _Forward:
    """y = x where x > 0 else negative_slope * x."""
    slope = np.where(np.real(x) > 0, 1, np.float32(negative_slope)).astype(np.real(x).dtype)
    return x * slope, lambda dy: dy * slope


def _clipped_relu(x: np.ndarray, max_value: float | None, threshold: float) -> _Forward:
    """y = min(x, max_value) where x > threshold else 0."""
    passes = np.real(x) > np.float32(threshold)
    y = np.where(passes, x, 0) if threshold else _relu(x)[0]
    if max_value is not None:
        if max_value < 0:
            raise ValueError(f"relu needs a max_value of at least 0, not {max_value}")
        ceiling = np.real(x).dtype.type(np.float32(max_value))
        is_relu6 = max_value == 6 and threshold == 0
        passes &= (np.real(x) >= 0) & (np.real(x) < ceiling if is_relu6 else np.real(x) <= ceiling)
        y = np.where(np.real(y) > ceiling, ceiling, np.where(np.real(y) < 0, 0, y))
    return y, lambda dy: dy * passes


def leaky_relu(x: np.ndarray, negative_slope: float = 0.2) -> _Forward:
    """y = x where x > 0 else negative_slope * x, the slope at 0 as well: relu(x, negative_slope).

    negative_slope is rounded to float32.
    """
    return relu(x, negative_slope)


def relu6(x: np.ndarray) -> _Forward:
    """y = min(max(x, 0), 6), dx = dy where 0 < x < 6: relu(x, max_value=6)."""
    return relu(x, max_value=6)


def elu(x: np.ndarray, alpha: float = 1.0) -> _Forward:
    """y = x where x > 0 else alpha * (exp(x) - 1), dx = dy where x > 0 else dy * alpha * exp(x).

    Source: Clevert et al., Fast and Accurate Deep Network Learning by Exponential Linear Units.
    """
    positive = np.real(x) > 0
    decay = np.expm1(np.where(positive, 0, x))  # exp of numbers above 0 might overflow
    slope = np.where(positive, 1, alpha * (decay + 1))
    return np.where(positive, x, alpha * decay), lambda dy: dy * slope


def selu(x: np.ndarray) -> _Forward:
    """y = scale * elu(x, alpha) for the two constants that keep mean 0 and variance 1.

    At 0 the slope is scale, that from the right. Source: Klambauer et al., Self-Normalizing Neural
    Networks.
    """
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    positive = np.real(x) >= 0
    decay = np.expm1(np.where(positive, 0, x))
    slope = scale * np.where(positive, 1, alpha * (decay + 1))
    return scale * np.where(positive, x, alpha * decay), lambda dy: dy * slope


def celu(x: np.ndarray, alpha: float = 1.0) -> _Forward:
    """y = x where x > 0 else alpha * (exp(x / alpha) - 1), dx = dy or dy * exp(x / alpha).

    The slope at 0 is 1. Keras has 2 there: 1 from each term of max(x, 0) + alpha * (exp(...) - 1).
    Source: Barron, Continuously Differentiable Exponential Linear Units.
    """
    positive = np.real(x) > 0
    decay = np.expm1(np.where(positive, 0, x / alpha))
    return np.where(positive, x, alpha * decay), lambda dy: dy * (decay + 1)


def sigmoid(x: np.ndarray) -> _Forward:
    """y = 1 / (1 + exp(-x)), dx = dy * y * (1 - y)."""
    if np.iscomplexobj(x):
        y = _complex_sigmoid(x)
    else:
        with np.errstate(over="ignore"):  # where exp(-x) is infinite, y = 0 is right
            y = 1 / (1 + np.exp(-x))
    return y, lambda dy: dy * y * (1 - y)


def _complex_sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-x)) without the infinity, by which complex numbers do not divide."""
    negative = np.real(x) < 0
    decay = np.exp(np.where(negative, x, -x))
    return np.where(negative, decay, 1) / (1 + decay)


def log_sigmoid(x: np.ndarray) -> _Forward:
    """y = log(sigmoid(x)) = -softplus(-x), dx = dy * sigmoid(-x)."""
    y, backward = softplus(-x)
    return -y, backward


def hard_sigmoid(x: np.ndarray) -> _Forward:
    """y = relu6(x + 3) / 6, dx = dy / 6 where -3 < x < 3."""
    y, backward = relu6(x + 3)
    return y / 6, lambda dy: backward(dy / 6)


def sparse_sigmoid(x: np.ndarray) -> _Forward:
    """y = min(max((x + 1) / 2, 0), 1), dx = dy / 2 where -1 < x < 1.

    Source: Blondel, Martins and Niculae, Learning Classifiers with Fenchel-Young Losses.
    """
    below, above = np.real(x) <= -1, np.real(x) >= 1
    y = np.where(below, 0, np.where(above, 1, 0.5 * (x + 1)))
    return y, lambda dy: 0.5 * dy * ~(below | above)


def tanh(x: np.ndarray) -> _Forward:
    """y = tanh(x), dx = dy * (1 - y²)."""
    y = np.tanh(x)
    return y, lambda dy: dy * (1 - y * y)


def hard_tanh(x: np.ndarray) -> _Forward:
    """y = min(max(x, -1), 1), dx = dy where -1 <= x <= 1."""
    passes = (np.real(x) >= -1) & (np.real(x) <= 1)
    return np.where(passes, x, np.sign(np.real(x))), lambda dy: dy * passes


def tanh_shrink(x: np.ndarray) -> _Forward:
    """y = x - tanh(x), dx = dy * tanh(x)²."""
    shift = np.tanh(x)
    return x - shift, lambda dy: dy * shift * shift


def hard_shrink(x: np.ndarray, threshold: float = 0.5) -> _Forward:
    """y = x where |x| > threshold else 0, dx likewise."""
    passes = np.abs(np.real(x)) > threshold
    return np.where(passes, x, 0), lambda dy: dy * passes


def soft_shrink(x: np.ndarray, threshold: float = 0.5) -> _Forward:
    """y = x - threshold * sign(x) where |x| > threshold else 0, dx = dy or 0."""
    sign, passes = np.sign(np.real(x)), np.abs(np.real(x)) > threshold
    return np.where(passes, x - threshold * sign, 0), lambda dy: dy * passes


def threshold(x: np.ndarray, threshold: float, default_value: float) -> _Forward:
    """y = x where x > threshold else default_value, dx = dy or 0."""
    passes = np.real(x) > threshold
    return np.where(passes, x, default_value), lambda dy: dy * passes


def softsign(x: np.ndarray) -> _Forward:
    """y = x / (1 + |x|), dx = dy / (1 + |x|)²."""
    size = 1 + np.where(np.real(x) < 0, -x, x)
    return x / size, lambda dy: dy / (size * size)


def softplus(x: np.ndarray) -> _Forward:
    """y = log(1 + exp(x)), dx = dy * sigmoid(x)."""
    positive = np.real(x) > 0
    decay = np.exp(np.where(positive, -x, x))  # of numbers up to 0 alone: no overflow
    y = np.where(positive, x, 0) + np.log1p(decay)
    return y, lambda dy: dy * sigmoid(x)[0]


def sparse_plus(x: np.ndarray) -> _Forward:
    """y = x where x >= 1 else sparse_sigmoid(x)², dx = dy * sparse_sigmoid(x)."""
    slope, _ = sparse_sigmoid(x)
    return np.where(np.real(x) >= 1, x, slope * slope), lambda dy: dy * slope


def squareplus(x: np.ndarray, b: float = 4) -> _Forward:
    """y = (x + sqrt(x² + b)) / 2, dx = dy * (1 + x / sqrt(x² + b)) / 2.

    Source: Barron, Squareplus: A Softplus-Like Algebraic Rectifier.
    """
    root = np.sqrt(x * x + b)
    return (x + root) / 2, lambda dy: dy * (1 + x / root) / 2


def silu(x: np.ndarray) -> _Forward:
    """y = x * sigmoid(x), dx = dy * s * (1 + x * (1 - s)) for s = sigmoid(x).

    Source: Ramachandran et al., Searching for Activation Functions.
    """
    s, _ = sigmoid(x)
    return x * s, lambda dy: dy * (s * (1 + x * (1 - s)))


def hard_silu(x: np.ndarray) -> _Forward:
    """y = x * hard_sigmoid(x), dx = dy * hard_sigmoid(x) + dy * x / 6 where -3 < x < 3.

    Source: Howard et al., Searching for MobileNetV3.
    """
    gate, backward_gate = hard_sigmoid(x)
    return x * gate, lambda dy: dy * gate + backward_gate(dy * x)


def mish(x: np.ndarray) -> _Forward:
    """y = x * tanh(softplus(x)), dx = dy * (g + x * (1 - g²) * sigmoid(x)).

    g is tanh(softplus(x)). Source: Misra, Mish: A Self Regularized Non-Monotonic Activation
    Function.
    """
    inner, backward_inner = softplus(x)
    gate, backward_gate = tanh(inner)
    return x * gate, lambda dy: dy * gate + backward_inner(backward_gate(dy * x))


def gelu(x: np.ndarray, approximate: bool = False) -> _Forward:
    """y = x * P(z <= x) for a standard normal z: x / 2 * erfc(-x / sqrt(2)), or nearly so by tanh.

    dx = dy * P(z <= x) + dy * x * exp(-x² / 2) / sqrt(2 π). 1 / sqrt(2) is rounded to float32.
    Source: Hendrycks and Gimpel, Gaussian Error Linear Units.
    """
    if approximate:
        return _gelu_by_tanh(x)
    from scipy.special import erfc

    z = float(np.float32(math.sqrt(0.5))) * x
    share = erfc(-z) / 2

    def backward(dy):
        return dy * (share + z * np.exp(-z * z) / math.sqrt(math.pi))

    return x * share, backward


def _gelu_by_tanh(x: np.ndarray) -> _Forward:
    """y = x / 2 * (1 + tanh(sqrt(2 / π) * (x + 0.044715 * x³))); 0.044715 is a float32."""
    cubic, rate = float(np.float32(0.044715)), math.sqrt(2 / math.pi)
    gate, backward_gate = tanh(rate * (x + cubic * x**3))

    def backward(dy):
        dinner = backward_gate(dy * x / 2)
        return dy * (1 + gate) / 2 + dinner * rate * (1 + 3 * cubic * x * x)

    return x * (1 + gate) / 2, backward


def glu(x: np.ndarray, axis: int = -1) -> _Forward:
    """y = a * sigmoid(b) for the halves a and b of x along axis. ValueError for an odd number.

    da = dy * sigmoid(b), db = dy * a * sigmoid(b) * (1 - sigmoid(b)). Source: Dauphin et al.,
    Language Modeling with Gated Convolutional Networks.
    """
    axis = np.lib.array_utils.normalize_axis_index(axis, x.ndim)
    if x.shape[axis] % 2:
        raise ValueError(f"glu halves axis {axis}, which is odd in shape {x.shape}")
    a, b = np.split(x, 2, axis)
    gate, backward_gate = sigmoid(b)
    return a * gate, lambda dy: np.concatenate([dy * gate, backward_gate(dy * a)], axis)


def softmax(x: np.ndarray, axis: int | tuple[int, ...] | None = -1) -> _Forward:
    """y = exp(x) / sum(exp(x)), dx = y * (dy - sum(dy * y)), sums over axis (None: all axes)."""
    y = np.exp(_shifted(x, axis))
    y /= y.sum(axis, keepdims=True)

    def backward(dy):
        return y * (dy - (dy * y).sum(axis, keepdims=True))

    return y, backward


def log_softmax(x: np.ndarray, axis: int | tuple[int, ...] | None = -1) -> _Forward:
    """y = x - log(sum(exp(x))), dx = dy - exp(y) * sum(dy), sums over axis (None: all axes)."""
    shifted = _shifted(x, axis)
    y = shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))

    def backward(dy):
        return dy - np.exp(y) * dy.sum(axis, keepdims=True)

    return y, backward


def sparsemax(x: np.ndarray, axis: int = -1) -> _Forward:
    """y = max(x - tau, 0) with sum(y) = 1 over axis, dx = dy - mean(dy) where y > 0 else 0.

    The mean is over those entries. y is the distribution nearest to x, so that [0.5, 0.4, 0.1]
    stays what it is. Keras 3.15 makes [0.033, 0, 0] of it: for tau it adds up the cumulative sums
    of the support, of which the formula takes the last. Source: Martins and Astudillo, From
    Softmax to Sparsemax.
    """
    shifted = _shifted(x, axis)
    above = shifted - np.moveaxis(_simplex_threshold(np.moveaxis(shifted, axis, -1)), -1, axis)
    support = np.real(above) > 0

    def backward(dy):
        return support * (dy - np.mean(dy, axis, keepdims=True, where=support))

    return np.where(support, above, 0), backward


def _simplex_threshold(z: np.ndarray) -> np.ndarray:
    """tau with sum(max(z - tau, 0)) = 1 over the last axis.

    It is (sum - 1) / k of the k largest, for the last k whose smallest is above its tau.
    """
    ordered = np.take_along_axis(z, np.argsort(-np.real(z), axis=-1), axis=-1)
    counts = np.arange(1, z.shape[-1] + 1, dtype=np.real(z).dtype)
    taus = (np.cumsum(ordered, axis=-1) - 1) / counts
    last = np.sum(np.real(ordered) > np.real(taus), axis=-1, keepdims=True) - 1
    return np.take_along_axis(taus, last, axis=-1)


def _shifted(x: np.ndarray, axis: int | tuple[int, ...] | None) -> np.ndarray:
    """x - max(x): the shift cancels in a softmax; it keeps exp from overflowing."""
    return x - np.real(x).max(axis, keepdims=True) if x.size else x


_FUNCTIONS = (
    linear,
    step,
    cos,
    exponential,
    relu,
    leaky_relu,
    relu6,
    elu,
    selu,
    celu,
    sigmoid,
    log_sigmoid,
    hard_sigmoid,
    sparse_sigmoid,
    tanh,
    hard_tanh,
    tanh_shrink,
    hard_shrink,
    soft_shrink,
    threshold,
    softsign,
    softplus,
    sparse_plus,
    squareplus,
    silu,
    hard_silu,
    mish,
    gelu,
    glu,
    softmax,
    log_softmax,
    sparsemax,
)
_BY_NAME = {function.__name__: function for function in _FUNCTIONS}
_BY_NAME |= {"swish": silu, "hard_swish": hard_silu}


def get(identifier: str | abc.Callable | None) -> abc.Callable:
    """The activation of that name; None is linear, and a function is taken as it is.

    A function of one's own takes x and returns (y, backward). ValueError for an unknown name.
    """
    if identifier is None:
        return linear
    if callable(identifier):
        return identifier
    if identifier not in list(_BY_NAME):
        raise ValueError(f"unknown activation {identifier!r}: choose from {', '.join(_BY_NAME)}")
    return _BY_NAME[identifier]
