"""Planted mistakes: each cause is recognised in a gradient that was made wrong on purpose."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from comparisons.diagnosis import Evidence, diagnose

SPACING = np.finfo(float).eps


@dataclass
class Call:
    """A correct computation: inputs, upstream gradient, output and every gradient."""

    inputs: dict
    dy: np.ndarray
    value: np.ndarray
    gradients: dict
    arguments: dict

    def wrong(self, name, given, rng, **all_given):
        """The evidence when d(name) came out as given; the reference is off by a few roundings."""
        expected = self.gradients[name]
        noise = SPACING * (np.abs(expected) + np.abs(expected).max(initial=0) / 2)
        expected = expected + np.where(expected == 0, 0, noise * rng.uniform(-1, 1, expected.shape))
        right = {**self.gradients, name: expected}
        given = np.asarray(given)
        return Evidence(
            name=name,
            given=given,
            expected=expected,
            noise=noise,
            inputs=self.inputs,
            dy=self.dy,
            value=self.value,
            arguments=self.arguments,
            all_given={**right, name: given, **all_given},
            all_expected=right,
        )


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def dense(rng, scale, activation="linear", n=7, i=5, o=4):
    x, kernel, bias = rng.normal(size=(n, i)), rng.normal(size=(i, o)), rng.normal(size=o)
    z, dy = x @ kernel + bias, scale * rng.normal(size=(n, o))
    y, slope = {
        "linear": (z, np.ones_like(z)),
        "sigmoid": (sigmoid(z), sigmoid(z) * (1 - sigmoid(z))),
        "tanh": (np.tanh(z), 1 - np.tanh(z) ** 2),
        "relu": (np.maximum(z, 0), 1.0 * (z > 0)),
    }[activation]
    dz = dy * slope
    gradients = {"x": dz @ kernel.T, "kernel": x.T @ dz, "bias": dz.sum(axis=0)}
    return Call({"x": x, "kernel": kernel, "bias": bias}, dy, y, gradients, {})


def elementwise(rng, scale, function, slope, shape=(6, 5), x=None, **arguments):
    x = rng.normal(size=shape) if x is None else x
    dy = scale * rng.normal(size=x.shape)
    return Call({"x": x}, dy, function(x), {"x": dy * slope(x)}, arguments)


def the_sigmoid(rng, scale):
    return elementwise(rng, scale, sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x)))


def the_tanh(rng, scale):
    return elementwise(rng, scale, np.tanh, lambda x: 1 - np.tanh(x) ** 2)


def the_relu(rng, scale, shape=(6, 5)):
    return elementwise(rng, scale, lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0), shape)


def dropout(rng, scale, rate=0.3):
    mask = (rng.uniform(size=(6, 9)) >= rate) / (1 - rate)
    return elementwise(rng, scale, lambda x: x * mask, lambda _: mask, (6, 9), rate=rate)


def softmax(rng, scale, shape=(5, 4)):
    x, dy = rng.normal(size=shape), scale * rng.normal(size=shape)
    y = np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)
    return Call({"x": x}, dy, y, {"x": y * (dy - (dy * y).sum(axis=-1, keepdims=True))}, {})


def log_softmax(rng, scale):
    x, dy = rng.normal(size=(5, 4)), scale * rng.normal(size=(5, 4))
    y = x - np.log(np.exp(x).sum(axis=-1, keepdims=True))
    return Call({"x": x}, dy, y, {"x": dy - np.exp(y) * dy.sum(axis=-1, keepdims=True)}, {})


def normalized_gradient(x, dy, axis, deviation, mean=True, variance=True):
    normal = (x - x.mean(axis=axis, keepdims=True)) / deviation
    dx = dy - mean * dy.mean(axis=axis, keepdims=True)
    return (dx - variance * normal * (dy * normal).mean(axis=axis, keepdims=True)) / deviation


def batch_norm(rng, scale, axis=0, n=9, c=5, epsilon=1e-3):
    x, gamma = rng.normal(size=(n, c)), rng.normal(size=c)
    dy = scale * rng.normal(size=(n, c))
    deviation = np.sqrt(x.var(axis=axis, keepdims=True) + epsilon)
    normal = (x - x.mean(axis=axis, keepdims=True)) / deviation
    dx, dgamma = normalized_gradient(x, dy * gamma, axis, deviation), (dy * normal).sum(axis=0)
    gradients, arguments = {"x": dx, "gamma": dgamma}, {"epsilon": epsilon}
    return Call({"x": x, "gamma": gamma}, dy, gamma * normal, gradients, arguments)


def embedding(rng, scale, rows=9, d=4):
    table, index = rng.normal(size=(rows, d)), np.array([1, 4, 4, 7, 2, 1, 4])
    dy = scale * rng.normal(size=(len(index), d))
    gradient = np.zeros_like(table)
    np.add.at(gradient, index, dy)
    return Call({"table": table, "index": index}, dy, table[index], {"table": gradient}, {})


def product(rng, scale, shape=(4, 5)):
    a, b, dy = rng.normal(size=shape), rng.normal(size=shape), scale * rng.normal(size=shape)
    return Call({"a": a, "b": b}, dy, a * b, {"a": dy * b, "b": dy * a}, {})


def broadcast(rng, scale):
    """y = x + b, where b (3, 1, 5) was spread over (3, 4, 5)."""
    x, b = rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 1, 5))
    dy = scale * rng.normal(size=(3, 4, 5))
    return Call({"x": x, "b": b}, dy, x + b, {"x": dy, "b": dy.sum(axis=1, keepdims=True)}, {})


def convolution(rng, scale, same=False):
    """A convolution with stride 1, by loops over the kernel."""
    x, kernel = rng.normal(size=(2, 7, 6, 3)), rng.normal(size=(3, 3, 3, 4))
    pad = int(same)
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    h, w = padded.shape[1] - 2, padded.shape[2] - 2
    dy, value = scale * rng.normal(size=(2, h, w, 4)), np.zeros((2, h, w, 4))
    dx, dkernel = np.zeros_like(padded), np.zeros_like(kernel)
    for a, b in np.ndindex(3, 3):
        window = padded[:, a : a + h, b : b + w]
        value += window @ kernel[a, b]
        dx[:, a : a + h, b : b + w] += dy @ kernel[a, b].T
        dkernel[a, b] = np.tensordot(window, dy, axes=([0, 1, 2], [0, 1, 2]))
    dx = dx[:, pad : pad + 7, pad : pad + 6]
    return Call({"x": x, "kernel": kernel}, dy, value, {"x": dx, "kernel": dkernel}, {})


def unflipped(rng, scale, same):
    """dx of a convolution whose kernel is read the wrong way round."""
    call = convolution(rng, scale, same)
    kernel, dy, pad = call.inputs["kernel"], call.dy, int(same)
    h, w = dy.shape[1:3]
    dx = np.zeros((2, h + 2, w + 2, 3))
    for a, b in np.ndindex(3, 3):
        dx[:, 2 - a : 2 - a + h, 2 - b : 2 - b + w] += dy @ kernel[a, b].T
    return call.wrong("x", dx[:, pad : pad + 7, pad : pad + 6], rng)


def anything(rng, scale, shape=(6, 5), **arguments):
    """A gradient without a simple formula."""
    x, dy = rng.normal(size=shape), scale * rng.normal(size=shape)
    value = np.cumsum(x * np.sin(x), axis=-1)
    gradient = dy * (np.cos(x) + 0.3 * np.roll(x, 1)) + 0.2 * scale * np.abs(x) ** 1.3
    return Call({"x": x}, dy, value, {"x": gradient}, arguments)


def mean_squared_error(rng, scale, n=7, c=4):
    t, p, dy = rng.normal(size=(n, c)), rng.normal(size=(n, c)), scale * rng.normal(size=n)
    gradient, value = dy[:, None] * 2 * (p - t) / c, np.mean((p - t) ** 2, axis=-1)
    return Call({"y_true": t, "y_pred": p}, dy, value, {"y_pred": gradient}, {})


def cross_entropy(rng, scale, n=7, c=4):
    t = np.eye(c)[rng.integers(c, size=n)]
    p = rng.uniform(0.1, 1, (n, c))
    p /= p.sum(axis=-1, keepdims=True)
    dy = scale * rng.normal(size=n)
    gradient, value = -dy[:, None] * t / p, -np.sum(t * np.log(p), axis=-1)
    return Call({"y_true": t, "y_pred": p}, dy, value, {"y_pred": gradient}, {})


PLANTED = {}


def plants(cause):
    """Registers a function of (rng, scale) that returns the evidence of a planted mistake."""

    def register(build):
        PLANTED[f"{cause}: {build.__name__}"] = (cause, build)
        return build

    return register


def scaled(cause, factor, build=dense, name="kernel", **arguments):
    """Plants given = factor · expected; the factor may depend on the call."""

    def planted(rng, scale):
        call = build(rng, scale, **arguments)
        c = factor(call) if callable(factor) else factor
        return call.wrong(name, c * call.gradients[name], rng)

    PLANTED[f"{cause}: {name} of {build.__name__} {len(PLANTED)}"] = (cause, planted)


scaled("times N", 7)
scaled("divided by N", 1 / 7)
scaled("divided by N", 1 / 7, name="bias")
scaled("times C", 4)
scaled("divided by C", 1 / 4)
scaled("times N*C", 28)
scaled("divided by N*C", 1 / 28)
scaled("times 2", 2)
scaled("half", 0.5)
scaled("half", 0.5, mean_squared_error, "y_pred")
scaled("times C", 4, mean_squared_error, "y_pred")
scaled("sign", -1)
scaled("sign", -1, the_tanh, "x")
scaled("times N", -7)
scaled("keep rate", 0.7, dropout, "x")
scaled("keep rate", 1 / 0.7, dropout, "x")
scaled("times sqrt(d)", np.sqrt(5))
scaled("divided by sqrt(d)", 1 / np.sqrt(5))
scaled("times axis size", 5)
scaled("divided by axis size", 1 / 5)
scaled("mean over broadcast axes", 1 / 4, broadcast, "b")
scaled("degrees of freedom", 6 / 7)
scaled("log base", 1 / np.log(10))
scaled("argument factor", 1.7, anything, "x", temperature=1.7)
scaled("constant factor", 3.217)
scaled("constant factor", -0.0123, anything, "x")
scaled("float32 constant", np.float64(np.float32(0.1)) / 0.1)
scaled("normalised", lambda call: 1 / np.linalg.norm(call.gradients["kernel"]))
scaled(
    "normalised",
    lambda call: 3.5 / np.linalg.norm(call.gradients["x"]),
    anything,
    "x",
    clipnorm=3.5,
)
scaled("zero gradient", 0)
scaled("zero gradient", 0, the_relu, "x")


@plants("upstream ignored")
def scalar_loss_without_upstream(rng, scale):
    t, p, dy = rng.normal(size=5), rng.normal(size=5), np.array(scale * 1.37)
    call = Call({"t": t, "p": p}, dy, np.sum((p - t) ** 2), {"p": dy * 2 * (p - t)}, {})
    return call.wrong("p", 2 * (p - t), rng)


@plants("normalised")
def rows_normalised(rng, scale):
    call = anything(rng, scale)
    dx = call.gradients["x"]
    return call.wrong("x", dx / np.linalg.norm(dx, axis=1, keepdims=True), rng)


@plants("factor per axis")
def weights_per_column(rng, scale):
    call = anything(rng, scale)
    return call.wrong("x", call.gradients["x"] * rng.uniform(0.5, 2, 5), rng)


@plants("factor per axis")
def weights_per_sample_of_images(rng, scale):
    call = anything(rng, scale, shape=(3, 4, 5, 2))
    return call.wrong("x", call.gradients["x"] * rng.uniform(0.5, 2, (3, 1, 1, 1)), rng)


@plants("missing factor")
def gamma_left_out(rng, scale):
    call = batch_norm(rng, scale)
    return call.wrong("x", call.gradients["x"] / call.inputs["gamma"], rng)


@plants("missing factor")
def sample_weight_left_out(rng, scale):
    call = anything(rng, scale)
    call.inputs["sample_weight"] = weight = rng.uniform(0.5, 2, 6)
    return call.wrong("x", call.gradients["x"] / weight[:, None], rng)


@plants("extra factor")
def input_once_too_often(rng, scale):
    call = anything(rng, scale)
    return call.wrong("x", call.gradients["x"] * call.inputs["x"], rng)


@plants("upstream ignored")
def sine_without_upstream(rng, scale):
    call = elementwise(rng, scale, np.sin, np.cos)
    return call.wrong("x", np.cos(call.inputs["x"]), rng)


@plants("upstream ignored")
def loss_without_upstream(rng, scale):
    call = mean_squared_error(rng, scale)
    return call.wrong("y_pred", call.gradients["y_pred"] / call.dy[:, None], rng)


@plants("upstream ignored")
def dense_without_upstream(rng, scale):
    call = dense(rng, scale)
    return call.wrong("kernel", call.inputs["x"].T @ np.ones((7, 4)), rng)


@plants("upstream ignored")
def softmax_without_upstream(rng, scale):
    call = softmax(rng, scale)
    return call.wrong("x", call.value * (1 - call.value), rng)


@plants("upstream twice")
def upstream_multiplied_in_twice(rng, scale):
    call = the_sigmoid(rng, scale)
    return call.wrong("x", call.gradients["x"] * call.dy, rng)


@plants("transposed")
def square_transposed(rng, scale):
    call = dense(rng, scale, i=4)
    return call.wrong("kernel", call.gradients["kernel"].T, rng)


@plants("transposed")
def dy_t_x(rng, scale):
    call = dense(rng, scale)
    return call.wrong("kernel", call.dy.T @ call.inputs["x"], rng)


@plants("permuted axes")
def heads_and_steps_exchanged(rng, scale):
    call = anything(rng, scale, shape=(2, 3, 3, 4))
    return call.wrong("x", call.gradients["x"].transpose(0, 2, 1, 3), rng)


@plants("permuted axes")
def channels_first(rng, scale):
    call = anything(rng, scale, shape=(2, 3, 5, 4))
    return call.wrong("x", call.gradients["x"].transpose(0, 3, 1, 2), rng)


@plants("flipped")
def kernel_gradient_flipped(rng, scale):
    call = convolution(rng, scale)
    return call.wrong("kernel", call.gradients["kernel"][::-1, ::-1], rng)


@plants("flipped")
def sequence_reversed(rng, scale):
    call = anything(rng, scale, shape=(2, 5, 3))
    return call.wrong("x", call.gradients["x"][:, ::-1], rng)


@plants("rolled")
def rolled_rows(rng, scale):
    call = anything(rng, scale)
    return call.wrong("x", np.roll(call.gradients["x"], -2, axis=0), rng)


@plants("shifted")
def one_step_late(rng, scale):
    call = anything(rng, scale, shape=(2, 6, 3))
    given = np.zeros_like(call.gradients["x"])
    given[:, 1:] = call.gradients["x"][:, :-1]
    return call.wrong("x", given, rng)


@plants("shifted")
def one_step_early_with_other_end(rng, scale):
    call = anything(rng, scale, shape=(2, 6, 3))
    given = scale * rng.normal(size=(2, 6, 3))
    given[:, :-1] = call.gradients["x"][:, 1:]
    return call.wrong("x", given, rng)


@plants("permuted rows")
def rows_permuted(rng, scale):
    call = anything(rng, scale)
    return call.wrong("x", call.gradients["x"][[2, 0, 1, 5, 3, 4]], rng)


@plants("permuted blocks")
def gates_exchanged(rng, scale):
    call = anything(rng, scale, shape=(3, 12))
    blocks = call.gradients["x"].reshape(3, 4, 3)
    return call.wrong("x", blocks[:, [0, 2, 1, 3]].reshape(3, 12), rng)


@plants("reshaped")
def reshape_for_transpose(rng, scale):
    call = anything(rng, scale, shape=(4, 6))
    return call.wrong("x", call.gradients["x"].T.reshape(4, 6), rng)


@plants("scrambled")
def entries_scrambled(rng, scale):
    call = anything(rng, scale)
    return call.wrong("x", rng.permuted(call.gradients["x"].ravel()).reshape(6, 5), rng)


def activated(cause, activation, upstream, name="kernel"):
    """Plants a wrong upstream(dy, y) behind a dense layer with an activation."""

    def planted(rng, scale):
        call = dense(rng, scale, activation)
        wrong, x, kernel = upstream(call.dy, call.value), call.inputs["x"], call.inputs["kernel"]
        given = {"kernel": x.T @ wrong, "x": wrong @ kernel.T, "bias": wrong.sum(axis=0)}[name]
        return call.wrong(name, given, rng)

    PLANTED[f"{cause}: d{name} of {activation} {len(PLANTED)}"] = (cause, planted)


activated("derivative missing", "sigmoid", lambda dy, y: dy)
activated("derivative missing", "tanh", lambda dy, y: dy, "x")
activated("derivative missing", "relu", lambda dy, y: dy, "bias")
activated("derivative twice", "sigmoid", lambda dy, y: dy * (y * (1 - y)) ** 2)
activated("derivative twice", "tanh", lambda dy, y: dy * (1 - y**2) ** 2, "x")
activated("derivative at the output", "sigmoid", lambda dy, y: dy * sigmoid(y) * (1 - sigmoid(y)))
activated("derivative at the output", "tanh", lambda dy, y: dy * (1 - np.tanh(y) ** 2), "x")
activated("upstream ignored", "sigmoid", lambda dy, y: y * (1 - y))
activated("another activation", "sigmoid", lambda dy, y: dy * (1 - y**2))
activated("another activation", "linear", lambda dy, y: dy * y * (1 - y))
activated("value for derivative", "tanh", lambda dy, y: dy * y)
activated("divided by derivative", "sigmoid", lambda dy, y: dy / (y * (1 - y)))
activated("mask from upstream", "relu", lambda dy, y: dy * (dy > 0), "x")
activated("upstream overwritten", "linear", lambda dy, y: dy * (y > 0), "bias")
activated("sample left out", "relu", lambda dy, y: dy * (y > 0) * (np.arange(7) < 6)[:, None])
activated("one sample only", "tanh", lambda dy, y: dy * (1 - y**2) * (np.arange(7) == 0)[:, None])


def of_input(cause, build, wrong):
    """Plants wrong(dy, x, y) in an elementwise function."""

    def planted(rng, scale):
        call = build(rng, scale)
        return call.wrong("x", wrong(call.dy, call.inputs["x"], call.value), rng)

    PLANTED[f"{cause}: {build.__name__} {len(PLANTED)}"] = (cause, planted)


of_input("derivative missing", the_sigmoid, lambda dy, x, y: dy)
of_input("derivative missing", the_relu, lambda dy, x, y: dy)
of_input("derivative twice", the_sigmoid, lambda dy, x, y: dy * (y * (1 - y)) ** 2)
of_input("derivative twice", the_tanh, lambda dy, x, y: dy * (1 - y**2) ** 2)
of_input("derivative at the output", the_sigmoid, lambda dy, x, y: dy * sigmoid(y) * sigmoid(-y))
of_input("derivative at the input", the_sigmoid, lambda dy, x, y: dy * x * (1 - x))
of_input("derivative at the input", the_tanh, lambda dy, x, y: dy * (1 - x**2))
of_input("mask from upstream", the_relu, lambda dy, x, y: dy * (dy > 0))
of_input("another activation", the_tanh, lambda dy, x, y: dy * y * (1 - y))
of_input("softmax diagonal only", softmax, lambda dy, x, y: dy * y * (1 - y))
of_input("softmax sum missing", softmax, lambda dy, x, y: dy * y)
of_input("wrong axis", softmax, lambda dy, x, y: y * (dy - (dy * y).sum(axis=0, keepdims=True)))
of_input("not a gradient", anything, lambda dy, x, y: x)
of_input("not a gradient", anything, lambda dy, x, y: y)


def normal_cdf(x):
    return (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def gelu_slope(x):
    return normal_cdf(x) + x * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


@plants("another activation")
def gelu_with_the_tanh_approximation(rng, scale):
    call, c = elementwise(rng, scale, lambda x: x * normal_cdf(x), gelu_slope), np.sqrt(2 / np.pi)
    x = call.inputs["x"]
    t = np.tanh(c * (x + 0.044715 * x**3))
    wrong = (1 + t) / 2 + x * (1 - t**2) * c * (1 + 3 * 0.044715 * x**2) / 2
    return call.wrong("x", call.dy * wrong, rng)


@plants("wrong axis")
def square_bias_summed_over_features(rng, scale):
    call = dense(rng, scale, n=4, o=4)
    return call.wrong("bias", call.dy.sum(axis=1), rng)


@plants("wrong axis")
def bias_summed_over_features(rng, scale):
    call = dense(rng, scale)
    return call.wrong("bias", call.dy.sum(axis=1), rng)


@plants("duplicate indices")
def last_index_wins(rng, scale):
    call = embedding(rng, scale)
    given = np.zeros_like(call.gradients["table"])
    given[call.inputs["index"]] = call.dy
    return call.wrong("table", given, rng)


@plants("duplicate indices")
def repeated_indices_averaged(rng, scale):
    call = embedding(rng, scale)
    counts = np.bincount(call.inputs["index"], minlength=9).clip(1)
    return call.wrong("table", call.gradients["table"] / counts[:, None], rng)


@plants("duplicate indices")
def repeated_indices_garbled(rng, scale):
    call = embedding(rng, scale)
    given = call.gradients["table"].copy()
    given[[1, 4]] = scale * rng.normal(size=(2, 4))
    return call.wrong("table", given, rng)


@plants("kernel not flipped")
def unflipped_valid(rng, scale):
    return unflipped(rng, scale, same=False)


@plants("kernel not flipped")
def unflipped_same(rng, scale):
    return unflipped(rng, scale, same=True)


@plants("another loss")
def logits_gradient_on_probabilities(rng, scale):
    call = cross_entropy(rng, scale)
    difference = call.inputs["y_pred"] - call.inputs["y_true"]
    return call.wrong("y_pred", call.dy[:, None] * difference, rng)


@plants("another loss")
def absolute_for_squared_error(rng, scale):
    call = mean_squared_error(rng, scale)
    sign = np.sign(call.inputs["y_pred"] - call.inputs["y_true"])
    return call.wrong("y_pred", call.dy[:, None] * sign / 4, rng)


def dense_tanh(rng, scale):
    return dense(rng, scale, "tanh")


def added(cause, term, build=dense, name="kernel"):
    """Plants given = expected + term(call)."""

    def planted(rng, scale):
        call = build(rng, scale)
        return call.wrong(name, call.gradients[name] + term(call, scale), rng)

    PLANTED[f"{cause}: d{name} of {build.__name__} {len(PLANTED)}"] = (cause, planted)


added("L2 term", lambda call, scale: 0.02 * scale * call.inputs["kernel"])
added("L2 term", lambda call, scale: -2e-3 * scale * call.inputs["kernel"])
added("L1 term", lambda call, scale: 0.01 * scale * np.sign(call.inputs["kernel"]))
added("input added", lambda call, scale: scale * call.inputs["b"], product, "a")
added("value added", lambda call, scale: 0.3 * scale * call.value, anything, "x")
added("path missing", lambda call, scale: -call.dy, anything, "x")
added("path missing", lambda call, _: 0.25 * call.inputs["x"].T @ call.dy, dense_tanh)
added("other gradient added", lambda call, scale: call.gradients["b"], product, "a")
added("constant added", lambda call, scale: 0.123 * scale, anything, "x")


def normalisation(cause, wrong, axis=0, name="x"):
    """Plants wrong(x, dy · gamma, deviation) in a batch normalisation."""

    def planted(rng, scale):
        call = batch_norm(rng, scale, axis=axis)
        x = call.inputs["x"]
        deviation = np.sqrt(x.var(axis=axis, keepdims=True) + 1e-3)
        return call.wrong(name, wrong(x, call.dy * call.inputs["gamma"], axis, deviation), rng)

    PLANTED[f"{cause}: normalisation {axis} {len(PLANTED)}"] = (cause, planted)


for each_axis in (0, 1):
    normalisation("mean term", lambda *a: normalized_gradient(*a, mean=False), each_axis)
    normalisation("variance term", lambda *a: normalized_gradient(*a, variance=False), each_axis)
    normalisation("mean and variance terms", lambda x, dy, a, s: dy / s, each_axis)
    normalisation(
        "epsilon",
        lambda x, dy, a, s: normalized_gradient(x, dy, a, np.sqrt(s**2 - 1e-3 + 1e-5)),
        each_axis,
    )
    normalisation(
        "epsilon",
        lambda x, dy, a, s: normalized_gradient(x, dy, a, np.sqrt(s**2 - 1e-3) + 1e-3),
        each_axis,
    )
normalisation(
    "degrees of freedom",
    lambda x, dy, a, s: normalized_gradient(x, dy, a, np.sqrt((s**2 - 1e-3) * 9 / 8 + 1e-3)),
)
normalisation("variance for deviation", lambda x, dy, a, s: normalized_gradient(x, dy, a, s**2))
normalisation(
    "wrong axis",
    lambda x, dy, a, s: normalized_gradient(x, dy, 1, np.sqrt(x.var(axis=1, keepdims=True) + 1e-3)),
)


@plants("mean term")
def constant_along_rows(rng, scale):
    call = anything(rng, scale)
    return call.wrong("x", call.gradients["x"] + scale * rng.normal(size=(6, 1)), rng)


@plants("variance term")
def centred_input_along_columns(rng, scale):
    call = anything(rng, scale, shape=(8, 5))
    x = call.inputs["x"]
    term = rng.normal(size=5) * (x - x.mean(axis=0))
    return call.wrong("x", call.gradients["x"] + scale * term, rng)


@plants("mean and variance terms")
def constants_and_centred_input(rng, scale):
    call = anything(rng, scale, shape=(8, 5))
    term = rng.normal(size=5) * call.inputs["x"] + rng.normal(size=5)
    return call.wrong("x", call.gradients["x"] + scale * term, rng)


@plants("projection term")
def input_times_a_number_per_row(rng, scale):
    call = anything(rng, scale)
    term = rng.normal(size=(6, 1)) * call.inputs["x"]
    return call.wrong("x", call.gradients["x"] + scale * term, rng)


@plants("outer product")
def one_time_step_missing(rng, scale):
    call = anything(rng, scale, shape=(9, 8))
    term = np.outer(rng.normal(size=9), rng.normal(size=8))
    return call.wrong("x", call.gradients["x"] - scale * term, rng)


@plants("swapped gradients")
def factors_swapped(rng, scale):
    call = product(rng, scale)
    a, b = call.gradients["a"], call.gradients["b"]
    return call.wrong("a", b, rng, b=a)


@plants("wrong argument")
def derivative_for_the_other_factor(rng, scale):
    call = product(rng, scale)
    return call.wrong("a", call.gradients["b"], rng)


def changed(cause, change, factor=1):
    """Plants given = change(expected)."""

    def planted(rng, scale):
        call = anything(rng, scale)
        call.gradients["x"] *= factor / scale
        return call.wrong("x", change(call.gradients["x"]), rng)

    PLANTED[f"{cause}: {len(PLANTED)}"] = (cause, planted)


changed("clipped", lambda g: np.clip(g, -0.7, 0.7))
changed("sign lost", np.abs)
changed("sign only", np.sign)
changed("squared", np.square)
changed("integer cast", np.rint, 20)
changed("integer cast", np.trunc, 20)
changed("float32 leak", lambda g: g.astype(np.float32).astype(float))
changed("half precision", lambda g: g.astype(np.float16).astype(float))


def placed(cause, place, shape=(6, 5), prepare=lambda x: x):
    """Plants a gradient that is wrong, without a formula, where place(call) says."""

    def planted(rng, scale):
        call = anything(rng, scale, shape)
        call.inputs["x"] = prepare(call.inputs["x"])
        wrong = np.broadcast_to(place(call), shape)
        other = call.gradients["x"] + scale * rng.uniform(0.5, 1.5, shape)
        return call.wrong("x", np.where(wrong, other, call.gradients["x"]), rng)

    PLANTED[f"{cause}: {len(PLANTED)}"] = (cause, planted)


def corner(call):
    mask = np.zeros(call.inputs["x"].shape, bool)
    mask[:, [0, -1]] = mask[:, :, [0, -1]] = True
    return mask


def with_zeros(x):
    return np.where(np.abs(x) < 0.4, 0, x)


def with_ties(x):
    return np.where(np.arange(x.size).reshape(x.shape) % 4 == 1, 1 + (x > 0), x)


placed("at zeros", lambda call: call.inputs["x"] == 0, prepare=with_zeros)
placed("at ties", lambda call: np.isin(call.inputs["x"], [1, 2]), prepare=with_ties)
placed("at borders", corner, (2, 7, 6, 3))
placed("at borders", lambda call: np.arange(6)[:, None] == 5, (2, 6, 3))
placed("inside borders", lambda call: ~corner(call), (2, 7, 6, 3))
placed("one row", lambda call: np.arange(6)[:, None] == 2)
placed("some rows", lambda call: np.isin(np.arange(9), [2, 5, 6]), (6, 9))
placed("negative", lambda call: call.inputs["x"] < 0)
placed("positive", lambda call: call.inputs["x"] > 0)
placed("saturated", lambda call: np.abs(call.inputs["x"]) > 1.2, (8, 9))
placed("near zero", lambda call: np.abs(call.inputs["x"]) < 0.4, (8, 9))
placed("threshold", lambda call: call.inputs["x"] > 0.6, (8, 9))
placed("threshold", lambda call: call.inputs["x"] < 0.5, (8, 9))


@plants("overlapping windows")
def windows_assigned(rng, scale):
    """Average pooling, window 3, stride 2, without the += of overlapping windows."""
    x, dy = rng.normal(size=(2, 9, 3)), scale * rng.normal(size=(2, 4, 3))
    right, wrong, value = np.zeros_like(x), np.zeros_like(x), np.zeros_like(dy)
    for i in range(4):
        window = slice(2 * i, 2 * i + 3)
        value[:, i] = x[:, window].mean(axis=1)
        right[:, window] += dy[:, i : i + 1] / 3
        wrong[:, window] = dy[:, i : i + 1] / 3
    call = Call({"x": x}, dy, value, {"x": right}, {"pool_size": 3, "strides": 2})
    return call.wrong("x", wrong, rng)


@plants("mask missing")
def mask_not_applied(rng, scale):
    call = anything(rng, scale, shape=(8, 9))
    unmasked = call.gradients["x"]
    call.gradients["x"] = unmasked * (rng.uniform(size=(8, 9)) > 0.4)
    return call.wrong("x", unmasked, rng)


@plants("zeroed rows")
def truncated_in_time(rng, scale):
    call = anything(rng, scale, shape=(3, 6, 4))
    return call.wrong("x", call.gradients["x"] * (np.arange(6)[:, None] > 1), rng)


@plants("zeroed entries")
def entries_never_written(rng, scale):
    call = anything(rng, scale)
    return call.wrong("x", call.gradients["x"] * (rng.uniform(size=(6, 5)) > 0.3), rng)


@plants("another mask")
def mask_drawn_anew(rng, scale):
    call = anything(rng, scale, shape=(8, 9))
    unmasked = call.gradients["x"]
    call.gradients["x"] = unmasked * (rng.uniform(size=(8, 9)) > 0.3)
    return call.wrong("x", unmasked * (rng.uniform(size=(8, 9)) > 0.3), rng)


@plants("epsilon")
def epsilon_beside_a_probability(rng, scale):
    p, dy = rng.uniform(0.01, 1, (6, 5)), scale * rng.normal(size=(6, 5))
    call = Call({"p": p}, dy, np.log(p), {"p": dy / p}, {})
    return call.wrong("p", dy / (p + 1e-7), rng)


@plants("epsilon")
def epsilon_of_the_gamma_gradient(rng, scale):
    call = batch_norm(rng, scale)
    variance = call.inputs["x"].var(axis=0)
    factor = np.sqrt((variance + 1e-3) / (variance + 1e-5))
    return call.wrong("gamma", factor * call.gradients["gamma"], rng)


@plants("epsilon")
def small_and_one_sided(rng, scale):
    call = anything(rng, scale)
    return call.wrong("x", call.gradients["x"] * (1 + 1e-5 * rng.uniform(0.1, 3, (6, 5))), rng)


@plants("approximation")
def small_and_two_sided(rng, scale):
    call = anything(rng, scale)
    return call.wrong("x", call.gradients["x"] * (1 + 1e-4 * rng.normal(size=(6, 5))), rng)


@plants("float32 leak")
def float32_inside(rng, scale):
    call = anything(rng, scale)
    return call.wrong("x", call.gradients["x"] * (1 + 6e-8 * rng.normal(size=(6, 5))), rng)


@plants("rounding")
def digits_lost(rng, scale):
    call = anything(rng, scale)
    return call.wrong("x", call.gradients["x"] * (1 + 1e-12 * rng.normal(size=(6, 5))), rng)


@plants("not zero")
def a_constant_under_softmax(rng, scale):
    call = anything(rng, scale)
    call.gradients["x"] *= 0
    return call.wrong("x", scale * rng.normal(size=(6, 5)), rng)


@plants("not finite")
def zero_by_zero(rng, scale):
    call = anything(rng, scale)
    given = call.gradients["x"].copy()
    given[1, 2] = np.nan
    return call.wrong("x", given, rng)


@plants("not summed")
def bias_not_summed(rng, scale):
    call = dense(rng, scale)
    return call.wrong("bias", call.dy, rng)


@plants("not summed")
def broadcast_not_summed(rng, scale):
    call = broadcast(rng, scale)
    return call.wrong("b", call.dy, rng)


@plants("summed too far")
def bias_summed_to_a_number(rng, scale):
    call = dense(rng, scale)
    return call.wrong("bias", call.dy.sum(), rng)


@plants("summed too far")
def samples_averaged(rng, scale):
    call = anything(rng, scale)
    return call.wrong("x", call.gradients["x"].mean(axis=0), rng)


@plants("one sample only")
def first_sample(rng, scale):
    call = anything(rng, scale)
    return call.wrong("x", call.gradients["x"][0], rng)


@plants("wrong shape")
def kept_dimensions(rng, scale):
    call = dense(rng, scale)
    return call.wrong("bias", call.gradients["bias"][None], rng)


@plants("broadcast")
def repeated_for_each_sample(rng, scale):
    call = dense(rng, scale)
    return call.wrong("bias", np.tile(call.gradients["bias"], (7, 1)), rng)


@plants("reshaped")
def flattened_in_another_order(rng, scale):
    call = anything(rng, scale, shape=(2, 3, 4))
    return call.wrong("x", call.gradients["x"].transpose(0, 2, 1).reshape(2, 12), rng)


@plants("wrong argument")
def kernel_gradient_for_the_input(rng, scale):
    call = dense(rng, scale)
    return call.wrong("x", call.gradients["kernel"], rng)


@plants("swapped gradients")
def gradients_of_different_shapes_swapped(rng, scale):
    call = dense(rng, scale)
    x, kernel = call.gradients["x"], call.gradients["kernel"]
    return call.wrong("x", kernel, rng, kernel=x)


@plants("not a gradient")
def output_for_a_gradient(rng, scale):
    call = dense(rng, scale)
    return call.wrong("bias", call.value, rng)


@plants("shape")
def nothing_fits(rng, scale):
    call = dense(rng, scale)
    return call.wrong("bias", scale * rng.normal(size=(2, 3)), rng)


@plants("softmax diagonal only")
def log_softmax_without_its_sum(rng, scale):
    call = log_softmax(rng, scale)
    return call.wrong("x", call.dy * (1 - np.exp(call.value)), rng)


@plants("softmax sum missing")
def log_softmax_taken_for_linear(rng, scale):
    call = log_softmax(rng, scale)
    return call.wrong("x", call.dy, rng)


def leaky_slope(x):
    return np.where(x > 0, 1, 0.2)


@plants("mask from upstream")
def leaky_slope_by_the_sign_of_dy(rng, scale):
    call = elementwise(rng, scale, lambda x: x * leaky_slope(x), leaky_slope)
    return call.wrong("x", call.dy * leaky_slope(call.dy), rng)


@plants("label off by one")
def labels_counted_from_one(rng, scale):
    logits, label = rng.normal(size=(6, 5)), np.array([0, 3, 4, 2, 2, 1])
    dy, p = scale * rng.normal(size=6), np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    right, wrong = (dy[:, None] * (p - np.eye(5)[label - k]) for k in (0, 1))
    value = -np.log(p[np.arange(6), label])
    call = Call({"label": label, "logits": logits}, dy, value, {"logits": right}, {})
    return call.wrong("logits", wrong, rng)


@plants("shifted")
def kernel_gradient_of_padding_on_the_wrong_side(rng, scale):
    call = anything(rng, scale, shape=(3, 3, 2, 4))
    given = scale * rng.normal(size=(3, 3, 2, 4))
    given[1:, 1:] = call.gradients["x"][:-1, :-1]
    return call.wrong("x", given, rng)


@plants("at borders")
def padding_counted_in_an_average(rng, scale):
    call = anything(rng, scale, shape=(2, 5, 6, 3))
    share = np.outer([2 / 3, 1, 1, 1, 2 / 3], [2 / 3, 1, 1, 1, 1, 2 / 3])[..., None]
    return call.wrong("x", call.gradients["x"] * share, rng)


@plants("one copy only")
def up_sampling_follows_one_copy(rng, scale):
    x, dy = rng.normal(size=(2, 3, 4, 2)), scale * rng.normal(size=(2, 6, 8, 2))
    value = x.repeat(2, axis=1).repeat(2, axis=2)
    right = dy.reshape(2, 3, 2, 4, 2, 2).sum(axis=(2, 4))
    return Call({"x": x}, dy, value, {"x": right}, {}).wrong("x", dy[:, ::2, ::2], rng)


@plants("path missing")
def gamma_forgotten_on_one_of_three_paths(rng, scale):
    call = batch_norm(rng, scale)
    deviation = np.sqrt(call.inputs["x"].var(axis=0) + 1e-3)
    path = call.dy * (1 - call.inputs["gamma"]) / deviation
    return call.wrong("x", call.gradients["x"] + path, rng)


@plants("mask missing")
def dropout_without_its_mask(rng, scale):
    call = dropout(rng, scale)
    return call.wrong("x", call.dy / 0.7, rng)


@plants("derivative at the output")
def scaled_function_and_its_slope_at_the_output(rng, scale):
    call = elementwise(rng, scale, lambda x: 3e-6 * np.tanh(x), lambda x: 3e-6 / np.cosh(x) ** 2)
    slope = 1 - np.tanh(np.tanh(call.inputs["x"])) ** 2
    return call.wrong("x", 3e-6 * call.dy * slope, rng)


def dense_cubed(rng, scale):
    """A dense layer with an activation that the diagnosis does not know."""
    x, kernel = rng.normal(size=(7, 5)), rng.normal(size=(5, 4))
    z, dy = x @ kernel, scale * rng.normal(size=(7, 4))
    return Call({"x": x, "kernel": kernel}, dy, z**3, {"kernel": x.T @ (dy * 3 * z**2)}, {})


@plants("derivative missing")
def unknown_activation_left_out(rng, scale):
    call = dense_cubed(rng, scale)
    return call.wrong("kernel", call.inputs["x"].T @ call.dy, rng)


@plants("upstream ignored")
def unknown_activation_and_ones(rng, scale):
    call = dense_cubed(rng, scale)
    return call.wrong("kernel", call.inputs["x"].T @ np.ones((7, 4)), rng)


@plants("derivative missing")
def two_mistakes_at_once(rng, scale):
    call = dense(rng, scale, "tanh")
    return call.wrong("kernel", 0.123 * call.inputs["x"].T @ call.dy, rng)


@plants("no simple pattern")
def unrelated(rng, scale):
    call = anything(rng, scale)
    return call.wrong("x", scale * rng.normal(size=(6, 5)), rng)


@pytest.mark.parametrize("planted", PLANTED)
def test_the_planted_cause_comes_first(planted):
    cause, build = PLANTED[planted]
    for seed, scale in enumerate((1e-6, 1.0, 1e6)):
        causes = diagnose(build(np.random.default_rng(seed), scale))
        assert causes[0].name == cause, "\n".join(f"{c.name}: {c.sentence}" for c in causes)


SHAPES = [(), (1,), (3,), (1, 4), (5, 1), (2, 2), (3, 5), (2, 3, 4)]


@pytest.mark.parametrize("shape", SHAPES)
def test_rounding_alone_has_no_cause(shape):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        call = anything(rng, 10.0 ** rng.integers(-6, 7), shape)
        given = call.gradients["x"] * (1 + 2 * SPACING * rng.uniform(-1, 1, shape))
        (cause,) = diagnose(call.wrong("x", given, rng))
        assert cause.name == "rounding"
        assert cause.fit == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_an_unrelated_gradient_fits_no_cause(shape):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        scale = 10.0 ** rng.integers(-6, 7)
        call = anything(rng, scale, shape)
        (cause,) = diagnose(call.wrong("x", scale * rng.normal(size=shape), rng))
        assert cause.name == "no simple pattern"
        assert cause.fit == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_an_inaccurate_gradient_fits_no_formula(shape):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        call = anything(rng, 10.0 ** rng.integers(-6, 7), shape)
        given = call.gradients["x"] * (1 + 1e-4 * rng.normal(size=shape))
        (cause,) = diagnose(call.wrong("x", given, rng))
        assert cause.name == "approximation"


@pytest.mark.parametrize(
    ("n", "o", "factor", "name", "both"),
    [
        (4, 4, 4, "times N", ("the batch has 4 samples", "there are 4 classes")),
        (4, 4, 1 / 4, "divided by N", ("the batch has 4 samples", "there are 4 classes")),
        (2, 3, 2, "times N", ("the batch has 2 samples", "the factor of a square")),
        (2, 3, 0.5, "divided by N", ("the batch has 2 samples", "the factor 2 of a square")),
        (3, 2, 2, "times 2", ("the factor of a square", "there are 2 classes")),
    ],
)
def test_an_ambiguous_factor_names_its_candidates_in_one_sentence(n, o, factor, name, both):
    rng = np.random.default_rng(0)
    call = dense(rng, 1.0, n=n, o=o)
    cause, *others = diagnose(call.wrong("kernel", factor * call.gradients["kernel"], rng))
    assert cause.name == name
    assert all(part in cause.sentence for part in both)
    assert not others


def test_the_sentence_shows_the_numbers_that_convinced_it():
    call = dense(np.random.default_rng(0), 1.0, n=32)
    given = 32 * call.gradients["kernel"]
    cause, *others = diagnose(call.wrong("kernel", given, np.random.default_rng(0)))
    assert cause.sentence == (
        "dkernel is exactly 32 times too large, and the batch has 32 samples: the sum over the "
        "batch was not divided by its size"
    )
    assert cause.fit == 1
    assert not others


def test_factors_close_to_one_are_told_apart():
    rng = np.random.default_rng(0)
    call = anything(rng, 1.0)
    factors = np.linspace(1 - 3e-7, 1 + 2e-7, 5)
    cause, *_ = diagnose(call.wrong("x", call.gradients["x"] * factors, rng))
    assert cause.name == "factor per axis"
    assert "axis 1, from 0.9999997 to 1.0000002: " in cause.sentence


def test_a_partial_cause_says_how_much_it_explains():
    rng = np.random.default_rng(0)
    call = anything(rng, 1.0, (6, 7))
    given = 3.7 * call.gradients["x"]
    given[2, 3] += 0.5
    cause = diagnose(call.wrong("x", given, rng))[0]
    assert cause.name == "constant factor"
    assert "nearly 3.7 times too large" in cause.sentence
    assert f"(explains {cause.fit:.1%} of the difference)" in cause.sentence
    assert 0.9 < cause.fit < 1


def test_a_wrong_shape_is_stated_first():
    rng = np.random.default_rng(0)
    call = dense(rng, 1.0)
    sentence = diagnose(call.wrong("bias", call.dy, rng))[0].sentence
    assert sentence.startswith("dbias has shape (7, 4) instead of (4,); dbias summed over axis 0")


@pytest.mark.parametrize("cause", ["times N", "derivative missing", "L2 term", "transposed"])
def test_float32_gradients_are_explained_too(cause):
    build = next(build for name, build in PLANTED.values() if name == cause)
    evidence = build(np.random.default_rng(0), 1.0)
    rough = evidence.given.astype(np.float32)
    noise = np.finfo(np.float32).eps * np.abs(evidence.expected).max()
    evidence = replace(evidence, given=rough, noise=np.full(rough.shape, noise))
    assert diagnose(evidence)[0].name == cause


def test_nothing_is_changed():
    rng = np.random.default_rng(0)
    call = dense(rng, 1.0)
    evidence = call.wrong("kernel", rng.normal(size=(5, 4)), rng)
    arrays = [evidence.given, evidence.expected, evidence.noise, evidence.dy, evidence.value]
    for array in [*arrays, *evidence.inputs.values()]:
        array.flags.writeable = False
    assert diagnose(evidence) == diagnose(evidence)


def test_a_reference_that_is_not_finite_is_said_to_be_so():
    rng = np.random.default_rng(0)
    evidence = anything(rng, 1.0).wrong("x", np.ones((6, 5)), rng)
    (cause,) = diagnose(replace(evidence, expected=np.full((6, 5), np.inf)))
    assert cause.name == "not finite"
    assert cause.sentence.startswith("the reference for dx")


def test_an_empty_gradient_has_nothing_to_explain():
    rng, empty = np.random.default_rng(0), np.ones((0, 3))
    call = Call({"x": empty}, empty, empty, {"x": empty}, {})
    assert diagnose(call.wrong("x", empty, rng))[0].name == "rounding"
    assert diagnose(call.wrong("x", np.ones((2, 3)), rng))[0].name == "shape"
    assert diagnose(anything(rng, 1.0).wrong("x", empty, rng))[0].name == "shape"


def test_arguments_of_any_kind_are_tolerated():
    rng = np.random.default_rng(0)
    kinds = {"axis": -1, "name": "x", "mask": np.ones(3, bool), "size": (2, 3), "none": None}
    call = anything(rng, 1.0, **kinds, bad=np.nan, flag=True)
    assert diagnose(call.wrong("x", 3.3 * call.gradients["x"], rng))[0].name == "constant factor"


def test_shapes_that_fit_nothing_are_tolerated():
    rng = np.random.default_rng(0)
    for _ in range(60):
        shapes = [tuple(rng.integers(0, 5, size=rng.integers(0, 6))) for _ in range(5)]
        given, dy, value, other, mask = (
            10.0 ** rng.integers(-6, 7) * rng.normal(size=s) for s in shapes
        )
        expected = rng.normal(size=shapes[rng.integers(5)])
        inputs = {"x": expected * 2, "kernel": other, "index": rng.integers(-9, 9, size=4)}
        arguments = {"rate": 0.3, "epsilon": 1e-3, "pool_size": (2, 2), "mask": mask}
        call = Call(inputs, dy, value, {"x": expected}, arguments)
        assert all(0 <= cause.fit <= 1 for cause in diagnose(call.wrong("x", given, rng)))


def test_a_large_tensor_is_judged_by_a_sample_first():
    rng = np.random.default_rng(0)
    call = dense(rng, 1.0, "tanh", n=3, i=210, o=200)
    one_row = call.gradients["kernel"].copy()
    one_row[17] = rng.normal(size=200)
    for cause, given in {
        "derivative missing": call.inputs["x"].T @ call.dy,
        "one row": one_row,
    }.items():
        assert diagnose(call.wrong("kernel", given, rng))[0].name == cause


def test_of_a_large_tensor_a_part_is_looked_at_and_named_by_its_place_in_the_whole():
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((5, 900)), rng.standard_normal((5, 1100))
    right = x.T @ dy
    row, entry = right.copy(), right.copy()
    row[777], entry[3, 7] = 0, 5 * right[3, 7]
    wrong = (right / 2, right[:, ::-1], row, entry)
    causes = [causes_of(given, right, x, dy)[0] for given in wrong]
    assert [cause.name for cause in causes] == ["half", "flipped", "zeroed rows", "few entries"]
    assert "at index 777 of axis 0 (of" in causes[2].sentence
    assert "worst at [3, 7]" in causes[3].sentence


def causes_of(given, expected, x, dy):
    noise = np.full(expected.shape, 1e-14)
    named = {"all_given": {"kernel": given}, "all_expected": {"kernel": expected}}
    call = {"inputs": {"x": x}, "dy": dy, "value": dy, "arguments": {}}
    return diagnose(Evidence("kernel", given, expected, noise, **call, **named))
