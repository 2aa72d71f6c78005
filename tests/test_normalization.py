"""Normalization against Keras's: values, gradients through mean and variance, moving averages."""

import numpy as np
import pytest
import tensorflow as tf

from reference import normalization as reference
from reference import random as reference_random
from scratch import normalization as scratch
from scratch import random

DTYPES = ["float32", "float64"]
RNG = np.random.default_rng(3)


def normal(*shape, dtype="float64"):
    x = RNG.standard_normal(shape).astype(dtype)
    x.flags.writeable = False
    return x


def as_tuple(gradients):
    return gradients if isinstance(gradients, tuple) else (gradients,)


def tape(function, inputs, dys):
    """Values and gradients as TensorFlow has them."""
    inputs = [tf.constant(array) for array in inputs]
    with tf.GradientTape() as recorder:
        recorder.watch(inputs)
        values = tf.nest.flatten(function(*inputs))
    return values, recorder.gradient(values, inputs, [tf.constant(dy) for dy in dys])


def assert_within_rounding(here, there, terms):
    """Sums of `terms` numbers, in another order on each side, differ by a rounding per term."""
    there = np.asarray(there)
    assert here.dtype == there.dtype
    assert here.shape == there.shape
    bound = terms * np.finfo(there.dtype).eps * max(1.0, np.abs(there).max())
    assert np.abs(here - there).max() <= bound


def assert_pair(here, there, inputs, terms):
    """Value(s) and gradients of a function, at random upstream gradients, are TensorFlow's."""
    values, backward = here(*inputs)
    several = isinstance(values, list)
    values = values if several else [values]
    dys = [normal(*value.shape, dtype=value.dtype) for value in values]
    gradients = as_tuple(backward(dys if several else dys[0]))
    expected_values, expected_gradients = tape(there, inputs, dys)
    for value, expected in zip(values, expected_values, strict=True):
        assert_within_rounding(value, expected, terms)
    for gradient, expected in zip(gradients, expected_gradients, strict=True):
        assert_within_rounding(gradient, expected, terms)
        assert not any(np.shares_memory(gradient, array) for array in inputs)
    again = as_tuple(backward(dys if several else dys[0]))
    assert all(np.array_equal(a, b) for a, b in zip(again, gradients, strict=True))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "axes"), [((7, 5), (0,)), ((3, 5, 7), (1, 2)), ((1, 9), (-1,))])
def test_standardize_is_its_twin(dtype, shape, axes):
    x = normal(*shape, dtype=dtype)
    assert_pair(
        lambda x: scratch.standardize(x, axes),
        lambda x: reference.standardize(x, axes),
        [x],
        terms=50,
    )


def test_standardized_numbers_have_mean_0_and_variance_1():
    y, _ = scratch.standardize(5 + 3 * normal(7, 200), [1], epsilon=0)
    assert np.abs(y.mean(1)).max() < 1e-14
    assert np.abs(y.var(1) - 1).max() < 1e-14


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "axis"), [((7, 5), -1), ((3, 5, 4, 7), 3), ((3, 5, 4, 7), 1)])
@pytest.mark.parametrize("parameters", [(), ("offset",), ("scale",), ("offset", "scale")])
def test_batch_normalization_is_keras(dtype, shape, axis, parameters):
    channels = shape[axis]
    x, mean = normal(*shape, dtype=dtype), normal(channels, dtype=dtype)
    inputs = [x, mean, np.square(normal(channels, dtype=dtype)) + np.asarray(0.1, dtype)]
    inputs += [normal(channels, dtype=dtype) for _ in parameters]

    def bound(function):
        return lambda x, m, v, *rest: function(
            x, m, v, axis, **dict(zip(parameters, rest, strict=True))
        )

    assert_pair(
        bound(scratch.batch_normalization), bound(reference.batch_normalization), inputs, terms=200
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("shape", "axis"),
    [((7, 5), -1), ((1, 5), -1), ((3, 5, 4, 7), -1), ((3, 5, 4, 7), 1), ((3, 5, 4, 7), 2)],
)
@pytest.mark.parametrize("parameters", [(), ("beta",), ("gamma",), ("gamma", "beta")])
def test_normalize_batch_is_its_twin(dtype, shape, axis, parameters):
    inputs = [normal(*shape, dtype=dtype)]
    inputs += [normal(shape[axis], dtype=dtype) for _ in parameters]

    def bound(function):
        return lambda x, *rest: function(x, axis=axis, **dict(zip(parameters, rest, strict=True)))

    # a sample alone has variance 0, which makes gradients 1 / sqrt(epsilon), 32 times, larger
    terms = 100 * (32 if shape[0] == 1 else 1)
    assert_pair(bound(scratch.normalize_batch), bound(reference.normalize_batch), inputs, terms)


def test_normalize_batch_is_the_chain_of_moments_and_batch_normalization():
    """Its gradient is the direct one and those through the mean and through the variance."""
    x, gamma, beta, dy = normal(9, 5), normal(5), normal(5), normal(9, 5)
    (y, mean, variance), backward = scratch.normalize_batch(x, gamma, beta)
    chained, backward_chained = scratch.batch_normalization(x, mean, variance, -1, beta, gamma)
    direct, dmean, dvariance, *_ = backward_chained(dy)
    through_mean, through_variance = dmean / 9, dvariance * 2 * (x - mean) / 9
    dx, *_ = backward([dy, np.zeros(5), np.zeros(5)])
    assert_within_rounding(y, chained, terms=9)
    assert_within_rounding(dx, direct + through_mean + through_variance, terms=30)
    assert np.abs(through_mean).max() > 1e-3
    assert np.abs(through_variance).max() > 1e-3


def test_large_mean_costs_no_digits_of_the_batch():
    """x - mean comes first, where Keras's x * slope - mean * slope cancels numbers of 10,000."""
    x = (1e4 + normal(64, 5)).astype("float32")
    exact = scratch.standardize(x.astype("float64"), [0])[0]
    y, *_ = scratch.normalize_batch(x)[0]
    keras_y, *_ = reference.normalize_batch(tf.constant(x))
    # the mean is rounded by up to 0.002, whose square enters the variance
    assert np.abs(y - y.mean(0) - exact).max() < 1e-5
    assert np.abs(keras_y - np.mean(keras_y, 0) - exact).max() > 1e-4


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("shape", "axis"),
    [((7, 5), -1), ((1, 5), -1), ((3, 5, 7), 1), ((3, 5, 4, 7), [-1, -2]), ((3, 5, 7), (1, 2))],
)
@pytest.mark.parametrize("parameters", [(), ("beta",), ("gamma",), ("gamma", "beta")])
def test_layer_normalization_is_keras(dtype, shape, axis, parameters):
    sizes = [shape[a] for a in (sorted(axis) if isinstance(axis, list | tuple) else [axis])]
    inputs = [normal(*shape, dtype=dtype)] + [normal(*sizes, dtype=dtype) for _ in parameters]

    def bound(function):
        return lambda x, *rest: function(x, axis=axis, **dict(zip(parameters, rest, strict=True)))

    assert_pair(
        bound(scratch.layer_normalization), bound(reference.layer_normalization), inputs, terms=150
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("shape", "axis", "groups"),
    [((3, 6), -1, 2), ((1, 6), -1, 3), ((3, 5, 4, 6), -1, 3), ((3, 6, 5, 4), 1, 2)],
)
@pytest.mark.parametrize("parameters", [(), ("beta",), ("gamma",), ("gamma", "beta")])
def test_group_normalization_is_its_twin(dtype, shape, axis, groups, parameters):
    inputs = [normal(*shape, dtype=dtype)]
    inputs += [normal(shape[axis], dtype=dtype) for _ in parameters]

    def bound(function):
        return lambda x, *rest: function(
            x, groups=groups, axis=axis, **dict(zip(parameters, rest, strict=True))
        )

    # two numbers to a group may lie close together, and then 1 / sqrt(variance) is large
    assert_pair(
        bound(scratch.group_normalization), bound(reference.group_normalization), inputs, terms=2000
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "axis"), [((7, 5), -1), ((1, 5), -1), ((3, 5, 7), (1, 2))])
@pytest.mark.parametrize("scaled", [False, True])
def test_rms_normalization_is_keras(dtype, shape, axis, scaled):
    sizes = [shape[a] for a in axis] if isinstance(axis, tuple) else [shape[axis]]
    inputs = [normal(*shape, dtype=dtype)] + scaled * [normal(*sizes, dtype=dtype)]
    assert_pair(
        lambda x, *scale: scratch.rms_normalization(x, *scale, axis=axis),
        lambda x, *scale: reference.rms_normalization(x, *scale, axis=axis),
        inputs,
        terms=50,
    )


def test_rms_normalization_scales_the_axis_it_normalizes():
    """Keras multiplies the last axis by the scale, whatever axis was normalized."""
    x, scale = normal(3, 5, 5), normal(5)
    y, _ = scratch.rms_normalization(x, scale, axis=1)
    last, _ = scratch.rms_normalization(x.transpose(0, 2, 1), scale)
    assert_within_rounding(y, last.transpose(0, 2, 1), terms=10)
    keras_y = reference.rms_normalization(tf.constant(x), tf.constant(scale), axis=1)
    assert_within_rounding(y / scale[:, None] * scale, keras_y, terms=10)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [-1, 1, (1, 2)])
def test_normalize_is_keras(dtype, axis):
    x = normal(3, 5, 7, dtype=dtype)
    assert_pair(
        lambda x: scratch.normalize(x, axis),
        lambda x: reference.normalize(x, axis),
        [x],
        terms=50,
    )


@pytest.mark.parametrize("dtype", DTYPES)
def test_normalize_of_short_vectors_divides_by_epsilon(dtype):
    x = np.array([[0, 0, 0], [1e-9, 0, -1e-9], [3, 0, 4]], dtype)
    dy = normal(3, 3, dtype=dtype)
    y, backward = scratch.normalize(x)
    values, (expected,) = tape(reference.normalize, [x], [dy])
    assert_within_rounding(y, values[0], terms=4)
    assert_within_rounding(backward(dy), expected, terms=4)
    assert np.array_equal(backward(dy)[0], dy[0] * (1 / np.asarray(1e-7, dtype)))


def test_normalize_refuses_other_norms():
    with pytest.raises(ValueError, match="order 2, the Euclidean norm, not 1"):
        scratch.normalize(normal(3, 5), order=1)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: scratch.standardize(x, [1]),
        lambda x: scratch.normalize_batch(x, axis=1),
        scratch.layer_normalization,
        lambda x: scratch.group_normalization(x, groups=2),
        scratch.rms_normalization,
        scratch.normalize,
    ],
)
def test_gradient_is_the_derivative_of_the_forward(function):
    """Complex step: the imaginary part of f(x + ih) is h f'(x) without any difference taken."""
    x, direction = normal(3, 4, 6), normal(3, 4, 6)
    values, backward = function(x)
    several = isinstance(values, list)
    dys = [normal(*value.shape) for value in (values if several else [values])]
    moved, _ = function(x + 1e-200j * direction)
    slopes = [value.imag / 1e-200 for value in (moved if several else [moved])]
    slope = sum(np.sum(dy * s) for dy, s in zip(dys, slopes, strict=True))
    (dx,) = as_tuple(backward(dys if several else dys[0]))
    assert abs(np.sum(dx * direction) - slope) <= 1e-13 * np.sum(np.abs(dx * direction))


@pytest.mark.parametrize("name", ["normalize", "rms_normalization", "layer_normalization"])
def test_longdouble_passes(name):
    x = normal(3, 5).astype("longdouble")
    y, backward = getattr(scratch, name)(x)
    assert y.dtype == backward(x).dtype == np.longdouble


LAYERS = [
    ("BatchNormalization", {}, (9, 5)),
    ("BatchNormalization", {}, (1, 3, 5, 4)),
    ("BatchNormalization", {"axis": 1, "momentum": 0.7, "epsilon": 0.1}, (3, 5, 4, 7)),
    ("BatchNormalization", {"center": False}, (9, 5)),
    ("BatchNormalization", {"scale": False}, (9, 5)),
    ("BatchNormalization", {"center": False, "scale": False}, (9, 5)),
    ("BatchNormalization", {"gamma_initializer": "uniform"}, (9, 5)),
    ("LayerNormalization", {}, (3, 7, 5)),
    ("LayerNormalization", {"axis": [1, -1], "center": False}, (3, 7, 5)),
    ("LayerNormalization", {"axis": 1, "scale": False, "epsilon": 0.1}, (3, 7, 5)),
    ("GroupNormalization", {"groups": 3}, (3, 5, 4, 6)),
    ("GroupNormalization", {"groups": -1, "axis": 1}, (3, 5, 4, 7)),
    ("GroupNormalization", {"groups": 1, "center": False, "scale": False}, (3, 4, 6)),
    ("RMSNormalization", {}, (3, 7, 5)),
    ("RMSNormalization", {"axis": [1, 2], "epsilon": 0.1}, (3, 7, 5)),
    ("UnitNormalization", {}, (3, 7, 5)),
    ("UnitNormalization", {"axis": [1, 2]}, (3, 7, 5)),
]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "arguments", "shape"), LAYERS)
def test_layer_is_keras_layer(name, arguments, shape, dtype, training):
    """From the same seed, with random weights put in: value, gradients and moving averages."""
    random.set_random_seed(5)
    layer = getattr(scratch, name)(**arguments, dtype=dtype)
    reference_random.set_random_seed(5)
    twin = getattr(reference, name)(**arguments, dtype=dtype)
    x, dy = normal(*shape, dtype=dtype), normal(*shape, dtype=dtype)
    layer(x), twin(x)
    for here, there in zip(layer.get_weights(), twin.get_weights(), strict=True):
        assert np.array_equal(here, there)
    assert layer.weight_paths() == [f"{layer.name}/{weight.name}" for weight in twin.weights]
    random_weights = [np.square(normal(*w.shape, dtype=dtype)) + 0.5 for w in twin.get_weights()]
    twin.set_weights(random_weights)
    layer.set_weights(random_weights)

    y, backward = layer.forward(x, training=training)
    dx, gradients = backward(dy)
    keras_training = {"training": training} if name == "BatchNormalization" else {}
    with tf.GradientTape() as recorder:
        tensor = tf.constant(x)
        recorder.watch(tensor)
        expected = twin(tensor, **keras_training)
    sources = [tensor, *[weight.value for weight in twin.trainable_weights]]
    expected_dx, *expected_gradients = recorder.gradient(expected, sources, tf.constant(dy))
    assert_within_rounding(y, expected, terms=200)
    assert_within_rounding(dx, expected_dx, terms=500)
    for here, there in zip(gradients, expected_gradients, strict=True):
        assert_within_rounding(here, there, terms=500)
    for here, there in zip(layer.get_weights(), twin.get_weights(), strict=True):
        assert_within_rounding(here, there, terms=50)


@pytest.mark.parametrize("dtype", DTYPES)
def test_moving_averages_have_keras_bits(dtype):
    """Integers, a power of two of them, have exact means and variances on both sides."""
    layer = scratch.BatchNormalization(momentum=0.9, dtype=dtype)
    twin = reference.BatchNormalization(momentum=0.9, dtype=dtype)
    for _ in range(7):
        x = RNG.integers(-8, 8, (16, 5)).astype(dtype)
        layer(x, training=True), twin(x, training=True)
        for here, there in zip(layer.get_weights(), twin.get_weights(), strict=True):
            assert np.array_equal(here, there)
    assert not np.array_equal(layer.moving_mean, np.zeros(5))


def test_inference_leaves_the_moving_averages_alone():
    layer = scratch.BatchNormalization()
    layer(normal(9, 5), training=True)
    before = layer.get_weights()
    y = layer(normal(9, 5), training=False)
    assert y.dtype == "float32"
    assert all(np.array_equal(a, b) for a, b in zip(layer.get_weights(), before, strict=True))


def test_frozen_batch_normalization_is_in_inference_mode():
    layer, twin = (side.BatchNormalization(dtype="float64") for side in (scratch, reference))
    x, dy = normal(9, 5), normal(9, 5)
    layer(x, training=True), twin(x, training=True)
    layer.trainable = twin.trainable = False
    before = layer.get_weights()
    y, backward = layer.forward(x, training=True)
    assert_within_rounding(y, twin(x, training=True), terms=20)
    assert all(np.array_equal(a, b) for a, b in zip(layer.get_weights(), before, strict=True))
    dx, gradients = backward(dy)
    assert gradients == []
    assert_within_rounding(dx, dy * layer.gamma / np.sqrt(layer.moving_variance + 1e-3), terms=4)


def test_gradients_without_dx_are_the_same():
    layer = scratch.BatchNormalization(dtype="float64")
    _, backward = layer.forward(normal(9, 5), training=True)
    dy = normal(9, 5)
    dx, gradients = backward(dy, needs_dx=False)
    assert dx is None
    assert all(np.array_equal(a, b) for a, b in zip(gradients, backward(dy)[1], strict=True))


@pytest.mark.parametrize("name", ["BatchNormalization", "LayerNormalization", "RMSNormalization"])
def test_axis_out_of_bounds_is_refused(name):
    with pytest.raises(ValueError, match=r"cannot normalize axis 3 of \(None, 5\)"):
        getattr(scratch, name)(axis=3)(normal(7, 5))
    with pytest.raises(ValueError, match="out of bounds"):
        scratch.UnitNormalization(axis=3)(normal(7, 5))


@pytest.mark.parametrize(
    ("name", "axis", "allowed"),
    [
        ("BatchNormalization", [1, 2], "an integer"),
        ("BatchNormalization", "a", "an integer"),
        ("GroupNormalization", (1, 2), "an integer"),
        ("LayerNormalization", None, "an integer or several"),
        ("RMSNormalization", 1.0, "an integer or several"),
        ("UnitNormalization", [1, None], "an integer or several"),
    ],
)
def test_an_axis_that_is_no_integer_is_refused(name, axis, allowed):
    with pytest.raises(TypeError) as error:
        getattr(scratch, name)(axis=axis)
    assert str(error.value) == f"axis is {allowed}, not {axis!r}"


@pytest.mark.parametrize("name", ["LayerNormalization", "RMSNormalization"])
def test_an_axis_given_twice_is_refused(name):
    with pytest.raises(ValueError, match=r"cannot normalize axis \(1, -1\) of \(None, 5\)"):
        getattr(scratch, name)(axis=(1, -1))(normal(7, 5))


@pytest.mark.parametrize("side", [scratch, reference])
def test_batch_normalization_keeps_to_the_number_of_axes_as_in_keras(side):
    layer = side.BatchNormalization()
    layer(normal(7, 5))
    message = r"expects 2 axes, not \(7, 3, 5\)" if side is scratch else "expected ndim=2"
    with pytest.raises(ValueError, match=message):
        layer(normal(7, 3, 5))


def test_samples_are_no_axis_to_normalize():
    with pytest.raises(ValueError, match="cannot normalize axis 0"):
        scratch.BatchNormalization(axis=0)(normal(7, 5))
    with pytest.raises(ValueError, match=r"axis 0 .* holds samples, not channels"):
        scratch.normalize_batch(normal(7, 5), axis=0)


@pytest.mark.parametrize("name", ["BatchNormalization", "LayerNormalization", "RMSNormalization"])
def test_input_of_another_size_is_refused(name):
    layer = getattr(scratch, name)(name="norm")
    layer(normal(7, 5))
    with pytest.raises(ValueError, match=r"norm expects sizes \(5,\) along axis -1, not \(7, 4\)"):
        layer(normal(7, 4))


def test_groups_must_divide_the_channels():
    with pytest.raises(ValueError, match="5 channels do not fall into 2 equal groups"):
        scratch.GroupNormalization(2)(normal(3, 5))
    for groups in (0, -2, 1.5, "3"):
        with pytest.raises(ValueError, match="groups is a positive integer"):
            scratch.GroupNormalization(groups)


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("BatchNormalization", "renorm"),
        ("BatchNormalization", "synchronized"),
        ("LayerNormalization", "rms_scaling"),
    ],
)
def test_arguments_not_supported_are_refused_by_name(name, argument):
    with pytest.raises(TypeError, match=argument):
        getattr(scratch, name)(**{argument: None})


def test_an_empty_batch_has_no_mean_to_train_with_but_is_normalized():
    layer = scratch.BatchNormalization()
    with pytest.raises(ValueError, match=r"a batch of shape \(0, 3\) has no mean"):
        layer.forward(np.ones((0, 3)), training=True)
    assert layer(np.ones((0, 3))).shape == (0, 3)
