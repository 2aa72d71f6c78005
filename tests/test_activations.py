import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from reference import activations as reference
from scratch import activations as scratch

NAMES = ["linear", "relu", "sigmoid", "tanh", "softmax", "log_softmax"]
DTYPES = ["float32", "float64"]
SATURATED = [-1e4, -100.0, -20.0, -1e-3, 0.0, 1e-3, 20.0, 100.0, 1e4]


def tape(function, x, dy):
    """Value and gradient as TensorFlow has them."""
    x = tf.constant(x)
    with tf.GradientTape() as recorder:
        recorder.watch(x)
        y = function(x)
    return y.numpy(), recorder.gradient(y, x, tf.constant(dy)).numpy()


def samples(shape, dtype, seed=0):
    """x of spread 3 and an upstream gradient, both read-only, so that writing to them raises."""
    rng = np.random.default_rng(seed)
    x, dy = (3 * rng.normal(size=shape)).astype(dtype), rng.normal(size=shape).astype(dtype)
    x.flags.writeable = dy.flags.writeable = False
    return x, dy


def assert_within(actual, expected, bound):
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    assert np.all(np.abs(actual - expected) <= bound)


@pytest.mark.parametrize("name", NAMES)
def test_signature_is_keras(name):
    ours = inspect.signature(getattr(scratch, name))
    theirs = inspect.signature(getattr(reference, name))
    assert [(p.name, p.default) for p in ours.parameters.values()] == [
        (p.name, p.default) for p in theirs.parameters.values()
    ]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_backward_keeps_its_contract(name, dtype):
    x, dy = samples((3, 1, 5), dtype)
    y, backward = getattr(scratch, name)(x)
    dx = backward(dy)
    assert y.dtype == dx.dtype == x.dtype
    assert dx.shape == x.shape
    assert not np.shares_memory(dx, x)
    assert np.array_equal(backward(dy), dx)
    assert np.array_equal(backward(8 * dy), 8 * dx)
    assert not backward(0 * dy).any()


@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_the_derivative_of_the_forward(name):
    """Complex step: the imaginary part of f(x + ih) is h f'(x) without any difference taken."""
    function = getattr(scratch, name)
    x, dy = samples((4, 7), "float64")
    for i, j in np.ndindex(x.shape):
        z = x.astype(complex)
        z[i, j] += 1e-200j
        slope = np.sum(dy * function(z)[0].imag / 1e-200)
        # some ten roundings of terms no larger than the gradients of one row together
        assert abs(function(x)[1](dy)[i, j] - slope) <= 1e-15 * np.abs(dy[i]).sum()


@pytest.mark.parametrize("name", ["relu", "sigmoid", "tanh"])
def test_complex_step_passes_saturation_and_kinks(name):
    """The imaginary part is h times the gradient where exp overflows and at a kink as well."""
    x = np.array(SATURATED)
    _, backward = getattr(scratch, name)(x)
    slope = getattr(scratch, name)(x + 1e-200j)[0].imag / 1e-200
    assert_within(backward(np.ones_like(x)), slope, 1e-15)  # 1 - y has lost digits below 1e-16


@pytest.mark.parametrize("name", NAMES)
def test_longdouble_passes(name):
    x, _ = samples((2, 3), "longdouble")
    y, backward = getattr(scratch, name)(x)
    assert y.dtype == backward(x).dtype == np.longdouble


@pytest.mark.parametrize("dtype", DTYPES)
def test_linear_is_keras(dtype):
    x, dy = samples((3, 5), dtype)
    y, backward = scratch.linear(x)
    assert np.array_equal(y, reference.linear(x))
    assert np.array_equal(backward(dy), dy)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("negative_slope", [0.0, 0.1, -0.1, 0.5])
@pytest.mark.parametrize("max_value", [None, 0.0, 2.3, 6])
@pytest.mark.parametrize("threshold", [0.0, 0.7, -0.7, 1])
def test_relu_has_the_bits_of_keras_at_every_kink(dtype, negative_slope, max_value, threshold):
    """Both roundings of each kink, its neighbours, and what is not finite."""
    kinks = [0.0, threshold, max_value or 0.0]
    kinks = np.array([*kinks, *np.float32(kinks)], dtype)
    neighbours = kinks + np.array([[-1], [1]], dtype) * np.finfo(dtype).eps
    rest = np.array([-0.0, np.inf, -np.inf, np.nan], dtype)
    x = np.concatenate([kinks, neighbours.ravel(), rest, samples(40, dtype)[0]])
    _, dy = samples(x.shape, dtype)
    options = (negative_slope, max_value, threshold)

    y, backward = scratch.relu(x, *options)
    expected_y, expected_dx = tape(lambda x: reference.relu(x, *options), x, dy)
    assert y.dtype == backward(dy).dtype == dtype
    assert np.array_equal(y, expected_y, equal_nan=True)
    assert np.array_equal(backward(dy), expected_dx)


def test_relu_kinks_in_words():
    at = np.array([0.0, 6.0, 2.0])
    assert scratch.relu(at)[1](np.ones(3)).tolist() == [0, 1, 1]
    assert scratch.relu(at, negative_slope=0.5)[1](np.ones(3)).tolist() == [0.5, 1, 1]
    assert scratch.relu(at, max_value=6)[1](np.ones(3)).tolist() == [0, 0, 1]
    assert scratch.relu(at, max_value=2.0)[1](np.ones(3)).tolist() == [0, 0, 1]
    assert scratch.relu(at, threshold=2.0)[1](np.ones(3)).tolist() == [0, 1, 0]


def test_relu_from_the_notes():
    x = np.array([[-1.0, 2, -3], [4, -5, 6]])
    assert scratch.relu(x)[0].tolist() == [[0, 2, 0], [4, 0, 6]]


def test_relu_refuses_a_negative_max_value():
    with pytest.raises(ValueError, match="max_value of at least 0, not -1"):
        scratch.relu(np.zeros(3), max_value=-1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_sigmoid_and_tanh_match_keras(name, dtype):
    """Within 8 units in the last place, of which TensorFlow's rational functions take up to 5.3."""
    x = np.concatenate([samples(500, dtype)[0], np.array(SATURATED, dtype)])
    _, dy = samples(x.shape, dtype)
    y, backward = getattr(scratch, name)(x)
    expected_y, expected_dx = tape(getattr(reference, name), x, dy)
    unit, least = np.finfo(dtype).eps, np.finfo(dtype).tiny  # TensorFlow takes less than least as 0
    assert_within(y, expected_y, 8 * unit * np.abs(expected_y) + least)
    # 1 - y and 1 - y² hold an absolute error: that of y, which is at most 1
    assert_within(backward(dy), expected_dx, 16 * unit * np.abs(dy))


def test_sigmoid_in_float32_is_as_accurate_as_keras():
    x = np.linspace(-87, 30, 100_001, dtype="float32")
    true = 1 / (1 + np.exp(-x.astype("float64")))
    ours, theirs = scratch.sigmoid(x)[0], reference.sigmoid(x).numpy()
    assert np.max(np.abs(ours - true) / true) <= np.max(np.abs(theirs - true) / true)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softmax", "log_softmax"])
def test_saturation_is_exact(name):
    x = np.array([[1e4, -1e4]], "float32")
    limits = {
        "sigmoid": [1, 0],
        "tanh": [1, -1],
        "softmax": [1, 0],
        "log_softmax": [0, -2e4],
    }
    y, backward = getattr(scratch, name)(x)
    assert y.tolist() == [limits[name]]
    dy = np.array([[0.3, -0.7]], "float32")
    assert np.array_equal(backward(dy), tape(getattr(reference, name), x, dy)[1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((5, 7), -1),
        ((5, 7), 0),
        ((1, 3), 1),
        ((6,), -1),
        ((2, 3, 4), 1),
        ((2, 3, 4), (1, 2)),
        ((2, 3, 4), (2, 0)),
        ((3, 4), None),
    ],
)
def test_softmax_matches_keras(name, shape, axis, dtype):
    """Each side rounds a shift by up to spread, then one exp, a sum of n terms and a quotient."""
    x, dy = samples(shape, dtype)
    y, backward = getattr(scratch, name)(x, axis)
    expected_y, expected_dx = tape(lambda x: getattr(reference, name)(x, axis), x, dy)
    units = (np.ptp(x) + x.size + 8) * np.finfo(dtype).eps
    assert_within(y, expected_y, units * np.maximum(np.abs(expected_y), name == "log_softmax"))
    assert_within(backward(dy), expected_dx, units * np.abs(dy).sum())


def test_softmax_is_one_distribution_per_sample():
    x = np.array([[1.0, 2.0, 5.0], [1e4, 1e4, -1e4]])
    y, _ = scratch.softmax(x)
    assert np.array_equal(y.argmax(-1), x.argmax(-1))
    assert y[1].tolist() == [0.5, 0.5, 0]
    assert np.all(np.abs(y.sum(-1) - 1) <= np.finfo(float).eps)


def test_get_knows_names_functions_and_none():
    assert scratch.get(None) is scratch.linear
    assert [scratch.get(name) for name in NAMES] == [getattr(scratch, name) for name in NAMES]

    def cube(x):
        return x**3, lambda dy: 3 * dy * x**2

    assert scratch.get(cube) is cube


@pytest.mark.parametrize("identifier", ["rellu", 3, ["relu"], {"class_name": "relu"}])
def test_get_refuses_the_unknown_in_one_line(identifier):
    with pytest.raises(ValueError, match="choose from linear, log_softmax, relu") as caught:
        scratch.get(identifier)
    assert repr(identifier) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_reference_is_keras_itself():
    for name in [*NAMES, "get"]:
        assert getattr(reference, name) is getattr(keras.activations, name)
