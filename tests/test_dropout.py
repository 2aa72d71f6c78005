"""Dropout and noise against Keras's: the same draws from the same seed, and their gradients."""

import inspect
import re

import numpy as np
import pytest
import tensorflow as tf

from reference import config as reference_config
from reference import dropout as reference
from reference import random as reference_random
from scratch import config, random
from scratch import dropout as scratch

DTYPES = ["float32", "float64"]
RNG = np.random.default_rng(9)
NAMES = [name for name in dir(reference) if name[0].isupper()]


def normal(*shape, dtype="float64"):
    x = RNG.standard_normal(shape).astype(dtype)
    x.flags.writeable = False
    return x


def tape(function, x, dy):
    x = tf.constant(x)
    with tf.GradientTape() as recorder:
        recorder.watch(x)
        y = function(x)
    zero = tf.UnconnectedGradients.ZERO
    return y.numpy(), recorder.gradient(y, x, tf.constant(dy), unconnected_gradients=zero).numpy()


def assert_within_ulps(here, there, ulps):
    """Apart by no more than so many units in the last place of the largest number."""
    assert here.dtype == there.dtype
    assert here.shape == there.shape
    bound = ulps * np.finfo(there.dtype).eps * np.abs(there).max()
    assert np.abs(here - there).max() <= bound


@pytest.fixture(params=DTYPES)
def floatx(request):
    """Both sides in one floatx, as a comparison runs them."""
    before = config.floatx(), reference_config.floatx()
    config.set_floatx(request.param)
    reference_config.set_floatx(request.param)
    yield request.param
    config.set_floatx(before[0])
    reference_config.set_floatx(before[1])


# normal noise is 2 units in the last place of its own size away, uniform masks not at all
FUNCTIONS = [
    ("gaussian_noise", {"stddev": 0.3}, 4),
    ("gaussian_dropout", {"rate": 0.3}, 4),
    ("alpha_dropout", {"rate": 0.3}, 0),
    ("alpha_dropout", {"rate": 0.3, "noise_shape": (None, 1)}, 0),
]


@pytest.mark.parametrize("shape", [(37, 11), (1, 5)])
@pytest.mark.parametrize(("name", "arguments", "ulps"), FUNCTIONS)
def test_function_and_gradient_are_those_of_its_twin(name, arguments, ulps, shape, floatx):
    x, dy = normal(*shape, dtype=floatx), normal(*shape, dtype=floatx)
    y, backward = getattr(scratch, name)(x, **arguments, seed=5)
    expected, expected_dx = tape(lambda x: getattr(reference, name)(x, **arguments, seed=5), x, dy)
    assert_within_ulps(y, expected, ulps)
    assert_within_ulps(backward(dy), expected_dx, ulps)
    assert np.array_equal(backward(dy), backward(dy))
    assert np.array_equal(backward(8 * dy), 8 * backward(dy))


LAYERS = [
    ("Dropout", {"rate": 0.3}, (37, 11), 0),
    ("Dropout", {"rate": 0.3}, (1, 5), 0),
    ("Dropout", {"rate": 0.6, "noise_shape": (None, 1, None)}, (5, 3, 7), 0),
    ("Dropout", {"rate": 0.6, "noise_shape": [5, 1, 1]}, (5, 3, 7), 0),
    ("Dropout", {"rate": 0.0}, (5, 3), 0),
    ("Dropout", {"rate": 1.0}, (5, 3), 0),
    ("SpatialDropout1D", {"rate": 0.4}, (5, 3, 7), 0),
    ("SpatialDropout2D", {"rate": 0.4}, (5, 3, 2, 7), 0),
    ("SpatialDropout2D", {"rate": 0.4, "data_format": "channels_first"}, (5, 7, 3, 2), 0),
    ("GaussianNoise", {"stddev": 0.3}, (37, 11), 4),
    ("GaussianNoise", {"stddev": 0.0}, (5, 3), 0),
    ("GaussianDropout", {"rate": 0.3}, (37, 11), 4),
    ("GaussianDropout", {"rate": 0.0}, (5, 3), 0),
    ("AlphaDropout", {"rate": 0.3}, (37, 11), 0),
    ("AlphaDropout", {"rate": 0.3, "noise_shape": (None, 1)}, (37, 11), 0),
    ("AlphaDropout", {"rate": 0.0}, (5, 3), 0),
]


@pytest.mark.parametrize(("name", "arguments", "shape", "ulps"), LAYERS)
def test_layer_draws_what_keras_layer_draws(name, arguments, shape, ulps, floatx):
    """Call after call, the unseeded layers of one global seed drop and disturb the same numbers."""
    random.set_random_seed(4)
    layer = getattr(scratch, name)(**arguments, dtype=floatx)
    reference_random.set_random_seed(4)
    twin = getattr(reference, name)(**arguments, dtype=floatx)
    for _ in range(3):
        x, dy = normal(*shape, dtype=floatx), normal(*shape, dtype=floatx)
        y, backward = layer.forward(x, training=True)
        dx, gradients = backward(dy)
        expected, expected_dx = tape(lambda x: twin(x, training=True), x, dy)
        assert_within_ulps(y, expected, ulps)
        assert_within_ulps(dx, expected_dx, ulps)
        assert gradients == layer.weights == []
    assert layer.compute_output_shape(x.shape) == x.shape


@pytest.mark.parametrize(("name", "arguments", "shape", "ulps"), LAYERS)
def test_layer_does_nothing_in_inference(name, arguments, shape, ulps):
    layer = getattr(scratch, name)(**arguments, seed=3)
    x, dy = normal(*shape, dtype="float32"), normal(*shape, dtype="float32")
    y, backward = layer.forward(x)
    assert np.array_equal(y, x)
    assert np.array_equal(backward(dy)[0], dy)
    if arguments.get("rate") not in (0.0, 1.0) and arguments.get("stddev") != 0.0:
        assert not np.array_equal(layer(x, training=True), x)


@pytest.mark.parametrize("name", NAMES)
def test_a_layer_that_draws_nothing_takes_no_seed(name):
    """The layer after it then has the seed that it has in Keras."""
    sides = (random, scratch), (reference_random, reference)
    after = []
    for seeds, side in sides:
        seeds.set_random_seed(4)
        getattr(side, name)(0.0)
        after.append(int(np.asarray(side.Dropout(0.5).seed_generator.state)[0]))
    assert after[0] == after[1]


def test_alpha_dropout_draws_in_floatx_whatever_its_dtype():
    x = normal(37, 11)
    layer, twin = (side.AlphaDropout(0.4, seed=2, dtype="float64") for side in (scratch, reference))
    assert np.array_equal(layer(x, training=True), twin(x, training=True))


@pytest.mark.parametrize("floatx", ["float64"], indirect=True)
def test_alpha_dropout_rounds_its_rate_to_float32(floatx):
    """A number drawn just above the rate, but below the rate rounded, is dropped."""
    u = random.uniform((50,), seed=random.SeedGenerator(2))
    rate = float(u[np.float32(u) > u][0])
    layer, twin = (side.AlphaDropout(rate, seed=2, dtype=floatx) for side in (scratch, reference))
    x = normal(50)
    assert np.array_equal(layer(x, training=True), twin(x, training=True))


def test_alpha_dropout_keeps_mean_and_variance():
    y, _ = scratch.alpha_dropout(normal(400, 500), rate=0.3, seed=1)
    assert abs(y.mean()) < 0.02  # 4.5 standard deviations of the mean of 200,000 numbers
    assert abs(y.var() - 1) < 0.02


def test_gaussian_dropout_has_the_variance_of_dropout():
    ones = np.ones((400, 500))
    noisy, dropped = (
        f(ones, rate=0.3, seed=1)[0] for f in (scratch.gaussian_dropout, random.dropout)
    )
    assert abs(noisy.var() - dropped.var()) < 0.01
    assert abs(noisy.mean() - 1) < 0.01


@pytest.mark.parametrize("name", ["gaussian_dropout", "alpha_dropout"])
def test_gradient_is_the_derivative_of_the_forward(name):
    """Complex step: the imaginary part of f(x + ih) is h f'(x) without any difference taken."""
    function = getattr(scratch, name)
    x, v, dy = normal(5, 7), normal(5, 7), normal(5, 7)
    slope = function(x + 1e-200j * v, rate=0.3, seed=1)[0].imag / 1e-200
    dx = function(x, rate=0.3, seed=1)[1](dy)
    assert np.all(np.abs(dx * v - dy * slope) <= 1e-15 * np.abs(dx * v))  # four roundings


def test_longdouble_passes():
    x = normal(5, 7).astype("longdouble")
    for layer in (scratch.Dropout(0.3), scratch.GaussianNoise(0.3), scratch.AlphaDropout(0.3)):
        assert layer(x, training=True).dtype == "longdouble"


@pytest.mark.parametrize("name", NAMES)
def test_signature_is_keras(name):
    ours, theirs = (
        {n: p.default for n, p in inspect.signature(getattr(side, name)).parameters.items()}
        for side in (scratch, reference)
    )
    assert ours == theirs


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("amount", [-0.1, 1.5, "0.5", None, [0.5]])
def test_rates_outside_0_and_1_are_refused(name, amount):
    with pytest.raises(ValueError, match=re.escape(f"lies between 0 and 1, not at {amount!r}")):
        getattr(scratch, name)(amount)


@pytest.mark.parametrize("name", ["GaussianDropout", "AlphaDropout"])
def test_a_rate_of_1_is_refused_where_keras_divides_by_zero(name):
    with pytest.raises(ValueError, match="rate lies below 1"):
        getattr(scratch, name)(1.0)
    with pytest.raises(ZeroDivisionError):
        getattr(reference, name)(1.0)(np.ones((2, 3)), training=True)


@pytest.mark.parametrize("noise_shape", [(0, 1), (None, "a"), (1.5,), 5])
def test_noise_shapes_of_no_sizes_are_refused(noise_shape):
    with pytest.raises(ValueError, match="noise_shape takes positive integers and Nones"):
        scratch.Dropout(0.3, noise_shape)


@pytest.mark.parametrize("name", ["Dropout", "AlphaDropout"])
@pytest.mark.parametrize("noise_shape", [(4, 2), (4,), (None,), (4, 5, 1)])
def test_noise_that_does_not_fit_the_inputs_is_refused(name, noise_shape):
    layer = getattr(scratch, name)(0.5, noise_shape)
    with pytest.raises(ValueError, match=r"cannot be repeated to the inputs' \(4, 5\)"):
        layer(normal(4, 5), training=True)


def test_inputs_of_another_rank_are_refused():
    with pytest.raises(ValueError, match=r"expects 3 axes, not \(2, 5\)"):
        scratch.SpatialDropout1D(0.3)(normal(2, 5))
    with pytest.raises(ValueError, match=r"expects 4 axes, not \(2, 5, 3\)"):
        scratch.SpatialDropout2D(0.3)(normal(2, 5, 3))
    with pytest.raises(ValueError, match="data_format"):
        scratch.SpatialDropout2D(0.3, "nchw")
