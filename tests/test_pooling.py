"""Pooling against Keras's: windows, borders, ties to the first, gradients."""

import inspect

import numpy as np
import pytest
import tensorflow as tf

from reference import pooling as reference
from scratch import pooling as scratch

DTYPES = ["float32", "float64"]
RNG = np.random.default_rng(4)
NAMES = [name for name in dir(reference) if name[0].isupper()]


def normal(*shape, dtype="float64"):
    x = RNG.standard_normal(shape).astype(dtype)
    x.flags.writeable = False
    return x


def ties(*shape, dtype="float64"):
    """Numbers of which most windows have several equal ones."""
    x = RNG.integers(-1, 2, shape).astype(dtype)
    x.flags.writeable = False
    return x


def tape(function, x):
    """(y, dy, dx) as TensorFlow has them."""
    x = tf.constant(x)
    with tf.GradientTape() as recorder:
        recorder.watch(x)
        y = function(x)
    dy = normal(*y.shape, dtype=y.dtype.name)
    return y.numpy(), dy, recorder.gradient(y, x, tf.constant(dy)).numpy()


def assert_within_rounding(here, there, terms):
    """Sums of `terms` numbers, in another order on each side, differ by a rounding per term."""
    assert here.dtype == there.dtype
    assert here.shape == there.shape
    bound = terms * np.finfo(there.dtype).eps * np.abs(there).max()
    assert np.abs(here - there).max() <= bound


WINDOWS = [
    ((3, 9, 2), {"pool_size": 2}),
    ((1, 9, 2), {"pool_size": 3, "strides": 2}),
    ((3, 9, 2), {"pool_size": (4,), "strides": (1,), "padding": "same"}),
    ((3, 2, 9), {"pool_size": 3, "padding": "same", "data_format": "channels_first"}),
    ((3, 6, 8, 5), {"pool_size": 2}),
    ((3, 5, 7, 2), {"pool_size": 2}),
    ((1, 5, 7, 2), {"pool_size": 2, "padding": "same"}),
    ((3, 5, 8, 2), {"pool_size": (2, 3), "strides": (3, 1)}),
    ((3, 5, 8, 2), {"pool_size": (3, 2), "strides": 1, "padding": "same"}),
    ((3, 5, 8, 2), {"pool_size": 1, "strides": 2}),
    ((3, 5, 8, 2), {"pool_size": 1}),
    ((3, 5, 8, 2), {"pool_size": (5, 8)}),
    ((3, 5, 8, 2), {"pool_size": 2, "strides": 3, "padding": "same"}),
    ((3, 2, 5, 8), {"pool_size": (2, 3), "strides": 2, "data_format": "channels_first"}),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("numbers", [normal, ties])
@pytest.mark.parametrize(("shape", "arguments"), WINDOWS)
def test_max_pool_is_keras(shape, arguments, numbers, dtype):
    x = numbers(*shape, dtype=dtype)
    y, backward = scratch.max_pool(x, **arguments)
    expected, dy, expected_dx = tape(lambda x: reference.max_pool(x, **arguments), x)
    assert np.array_equal(y, expected)
    assert y.dtype == dtype
    # the windows that a pixel is in add up in another order
    assert_within_rounding(backward(dy), expected_dx, terms=12)
    assert np.array_equal(backward(dy), backward(dy))
    assert not np.shares_memory(backward(dy), x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("shape", "arguments"), WINDOWS)
def test_average_pool_is_keras(shape, arguments, dtype):
    x = normal(*shape, dtype=dtype)
    y, backward = scratch.average_pool(x, **arguments)
    expected, dy, expected_dx = tape(lambda x: reference.average_pool(x, **arguments), x)
    assert_within_rounding(y, expected, terms=40)
    assert_within_rounding(backward(dy), expected_dx, terms=40)
    assert np.array_equal(backward(dy), backward(dy))
    assert not np.shares_memory(backward(dy), x)


def test_a_tie_goes_to_the_first_in_rows_from_above():
    _, backward = scratch.max_pool(np.zeros((1, 4, 4, 1)), 2)
    dx = backward(np.array([[1.0, 2], [3, 4]]).reshape(1, 2, 2, 1))
    assert dx[0, :, :, 0].tolist() == [[1, 0, 2, 0], [0] * 4, [3, 0, 4, 0], [0] * 4]
    x = np.array([[0.0, 5], [5, 5]]).reshape(1, 2, 2, 1)
    dx = scratch.max_pool(x, 2)[1](np.ones((1, 1, 1, 1)))
    assert dx[0, :, :, 0].tolist() == [[0, 1], [0, 0]]


def test_what_hangs_over_the_border_neither_wins_nor_counts():
    x = np.full((1, 3, 3, 1), -4.0)
    for pool in (scratch.max_pool, scratch.average_pool):
        y, backward = pool(x, 2, padding="same")
        assert y.ravel().tolist() == [-4] * 4
        assert backward(np.ones_like(y)).sum() == 4


@pytest.mark.parametrize("pool", [scratch.max_pool, scratch.average_pool])
def test_results_lie_in_memory_as_the_inputs_do(pool):
    x, dy = ties(7, 6, 4, 3), normal(7, 3, 2, 3)
    last = np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0)
    results = []
    for inputs, axes in ((x, (0, 1, 2, 3)), (last, (1, 2, 3, 0))):
        y, backward = pool(inputs, 2)
        results.append((y, backward(dy)))
        assert all(array.transpose(axes).flags.c_contiguous for array in results[-1])
    for here, there in zip(*results, strict=True):
        assert np.array_equal(here, there)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["global_max_pool", "global_average_pool"])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("data_format", [None, "channels_last", "channels_first"])
@pytest.mark.parametrize("shape", [(3, 5, 7), (1, 5, 2, 3)])
@pytest.mark.parametrize("numbers", [normal, ties])
def test_global_pooling_is_its_twin(name, shape, data_format, keepdims, numbers, dtype):
    x = numbers(*shape, dtype=dtype)
    y, backward = getattr(scratch, name)(x, data_format, keepdims)
    twin = getattr(reference, name)
    expected, dy, expected_dx = tape(lambda x: twin(x, data_format, keepdims), x)
    assert_within_rounding(y, expected, terms=10)
    assert_within_rounding(backward(dy), expected_dx, terms=10)
    assert not np.shares_memory(backward(dy), x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_global_average_pool_of_masked_steps_is_its_twin(data_format, dtype):
    x, mask = normal(3, 5, 7, dtype=dtype), np.tri(3, 7 if data_format[9] == "f" else 5) > 0
    y, backward = scratch.global_average_pool(x, data_format, mask=mask)
    twin = reference.global_average_pool
    expected, dy, expected_dx = tape(lambda x: twin(x, data_format, mask=mask), x)
    assert_within_rounding(y, expected, terms=10)
    assert_within_rounding(backward(dy), expected_dx, terms=10)
    layer, keras = (
        s.GlobalAveragePooling1D(data_format, dtype=dtype) for s in (scratch, reference)
    )
    assert np.array_equal(layer(x, mask=mask), y)
    assert_within_rounding(y, keras(x, mask=mask).numpy(), terms=10)


@pytest.mark.parametrize("name", ["max_pool", "average_pool"])
@pytest.mark.parametrize("numbers", [normal, ties])
def test_gradient_is_the_derivative_of_the_forward(name, numbers):
    """Complex step, with a small imaginary part that moves no number past another."""
    x, v = numbers(2, 5, 7, 3), normal(2, 5, 7, 3)
    _, backward = getattr(scratch, name)(x, 3, 2, "same")
    moved, _ = getattr(scratch, name)(x + 1e-200j * v, 3, 2, "same")
    dy = normal(*moved.shape)
    terms = dy * (moved.imag / 1e-200)
    assert abs(np.sum(terms) - np.sum(backward(dy) * v)) <= 1e-14 * np.sum(np.abs(terms))


@pytest.mark.parametrize("name", ["global_max_pool", "global_average_pool"])
def test_global_gradient_is_the_derivative_of_the_forward(name):
    x, v, dy = ties(2, 5, 7, 3), normal(2, 5, 7, 3), normal(2, 3)
    _, backward = getattr(scratch, name)(x)
    terms = dy * (getattr(scratch, name)(x + 1e-200j * v)[0].imag / 1e-200)
    assert abs(np.sum(terms) - np.sum(backward(dy) * v)) <= 1e-13 * np.sum(np.abs(terms))


def test_longdouble_passes():
    x = normal(2, 4, 3).astype("longdouble")
    for pool in (scratch.max_pool, scratch.average_pool):
        y, backward = pool(x, 2)
        assert y.dtype == backward(y).dtype == "longdouble"


LAYERS = [
    ("MaxPooling1D", {}, (3, 9, 2)),
    ("MaxPooling1D", {"pool_size": 3, "strides": 1, "padding": "same"}, (3, 9, 2)),
    ("MaxPooling2D", {}, (3, 5, 8, 2)),
    ("MaxPooling2D", {"pool_size": 3, "strides": (2, 1), "padding": "same"}, (1, 5, 8, 2)),
    ("MaxPooling2D", {"data_format": "channels_first"}, (3, 2, 5, 8)),
    ("AveragePooling1D", {"pool_size": 2, "padding": "same"}, (3, 9, 2)),
    ("AveragePooling2D", {"pool_size": (2, 3)}, (3, 5, 8, 2)),
    ("AveragePooling2D", {"pool_size": 2, "strides": 1, "padding": "same"}, (1, 5, 8, 2)),
    ("GlobalMaxPooling1D", {}, (3, 5, 2)),
    ("GlobalMaxPooling2D", {"keepdims": True}, (3, 5, 7, 2)),
    ("GlobalMaxPooling2D", {"data_format": "channels_first"}, (3, 2, 5, 7)),
    ("GlobalAveragePooling1D", {"keepdims": True}, (3, 5, 2)),
    ("GlobalAveragePooling2D", {}, (3, 5, 7, 2)),
    ("GlobalAveragePooling2D", {"data_format": "channels_first", "keepdims": True}, (3, 2, 5, 7)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "arguments", "shape"), LAYERS)
def test_layer_is_keras_layer(name, arguments, shape, dtype):
    layer = getattr(scratch, name)(**arguments, dtype=dtype)
    twin = getattr(reference, name)(**arguments, dtype=dtype)
    x = normal(*shape, dtype=dtype)
    y, backward = layer.forward(x, training=True)
    expected, dy, expected_dx = tape(twin, x)
    dx, gradients = backward(dy)
    assert_within_rounding(y, expected, terms=20)
    assert_within_rounding(dx, expected_dx, terms=20)
    assert gradients == layer.weights == []
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *expected.shape[1:])


def test_sizes_not_yet_known_stay_unknown():
    assert scratch.MaxPooling1D().compute_output_shape((None, None, 3)) == (None, None, 3)
    assert scratch.GlobalMaxPooling1D().compute_output_shape((None, None, 3)) == (None, 3)


@pytest.mark.parametrize("name", NAMES)
def test_signature_is_keras(name):
    ours, theirs = (
        {n: p.default for n, p in inspect.signature(getattr(side, name)).parameters.items()}
        for side in (scratch, reference)
    )
    assert ours == {n: default for n, default in theirs.items() if n != "name"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pool_size": 0}, "pool_size takes an integer of at least 1, or 2 of them, not 0"),
        ({"pool_size": (2, 2, 2)}, "pool_size takes an integer of at least 1"),
        ({"pool_size": 1.5}, r"pool_size takes an integer of at least 1, or 2 of them, not 1\.5"),
        ({"pool_size": "22"}, "pool_size takes an integer of at least 1"),
        ({"strides": 0}, "strides takes an integer of at least 1"),
        ({"strides": (1, -1)}, "strides takes an integer of at least 1"),
        ({"padding": "causal"}, 'padding is "valid" or "same", not \'causal\''),
        ({"padding": 1}, 'padding is "valid" or "same", not 1'),
        ({"data_format": "nhwc"}, "data_format is"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        scratch.MaxPooling2D(**arguments)
    assert "\n" not in str(error.value)


def test_bad_inputs_are_refused_in_one_line():
    with pytest.raises(ValueError, match=r"expects 4 axes, not \(None, 5, 3\)"):
        scratch.MaxPooling2D()(normal(2, 5, 3))
    with pytest.raises(ValueError, match=r"expects 3 axes, not \(None, 5, 3, 1\)"):
        scratch.GlobalAveragePooling1D()(normal(2, 5, 3, 1))
    with pytest.raises(ValueError, match='no window of 6 fits into 5 pixels with padding="valid"'):
        scratch.MaxPooling1D(6)(normal(2, 5, 3))
    with pytest.raises(ValueError, match=r"pooling takes inputs of 3 or 4 axes, not \(2, 5\)"):
        scratch.max_pool(normal(2, 5), 2)
    layer = scratch.MaxPooling1D()
    layer(normal(2, 5, 3))
    with pytest.raises(ValueError, match=r"expects 3 axes, not \(2, 5\)"):
        layer(normal(2, 5))
    with pytest.raises(ValueError, match=r"nothing largest in an x of shape \(2, 0, 3\)"):
        scratch.GlobalMaxPooling1D()(normal(2, 0, 3))


@pytest.mark.parametrize("shape", [(2, 4), (2,), (2, 5, 3), (1, 5)])
def test_masks_of_other_shapes_are_refused(shape):
    layer = scratch.GlobalAveragePooling1D()
    with pytest.raises(ValueError, match=r"a mask of shape \(2, 5\) is expected, not \(") as error:
        layer(normal(2, 5, 3), mask=np.ones(shape, bool))
    assert "\n" not in str(error.value)


def test_paddings_are_known_in_capitals_too():
    x = normal(2, 5, 7, 3)
    y = scratch.MaxPooling2D(2, padding="SAME", dtype="float64")(x)
    assert np.array_equal(y, scratch.MaxPooling2D(2, padding="same", dtype="float64")(x))
