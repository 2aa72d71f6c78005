"""Reshaping layers against Keras's: the same numbers in the same places, there and back."""

import inspect

import numpy as np
import pytest
import tensorflow as tf

from reference import reshaping as reference
from scratch import pooling
from scratch import reshaping as scratch

DTYPES = ["float32", "float64"]
RNG = np.random.default_rng(5)


def normal(*shape, dtype="float64"):
    x = RNG.standard_normal(shape).astype(dtype)
    x.flags.writeable = False
    return x


def tape(function, x, make_dy):
    """(y, dy, dx) as TensorFlow has them."""
    x = tf.constant(x)
    with tf.GradientTape() as recorder:
        recorder.watch(x)
        y = function(x)
    dy = make_dy(*y.shape, dtype=y.dtype.name)
    return y.numpy(), dy, recorder.gradient(y, x, tf.constant(dy)).numpy()


def assert_same(here, there, rounding=0):
    """Equal bits, or as many roundings of the largest number apart."""
    assert here.dtype == there.dtype
    assert here.shape == there.shape
    bound = rounding * np.finfo(there.dtype).eps * np.abs(there).max()
    assert np.abs(here - there).max() <= bound


PADDINGS = (((1, 0), (2, 3), (0, 0)),)
FUNCTIONS = [
    ("flatten", (3, 5, 7), ()),
    ("flatten", (1, 5), ()),
    ("flatten", (3,), ()),
    ("reshape", (3, 5, 6), ((2, -1, 3),)),
    ("reshape", (1, 5, 6), ((30,),)),
    ("permute", (3, 5, 7, 2), ((3, 1, 2),)),
    ("permute", (1, 5, 7), ((2, 1),)),
    ("repeat_vector", (3, 5), (4,)),
    ("zero_padding", (3, 5, 7, 2), PADDINGS),
    ("zero_padding", (1, 5, 2), (((0, 2), (1, 0)),)),
    ("cropping", (3, 5, 7, 2), (((1, 0), (2, 3), (0, 0)),)),
    ("cropping", (1, 5, 2), (((0, 2), (0, 0)),)),
    ("up_sampling", (3, 5, 7, 2), ((2, 3, 1),)),
    ("up_sampling", (1, 5, 2), ((4, 1),)),
    ("up_sampling", (1, 5, 2), ((1, 1),)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "shape", "arguments"), FUNCTIONS)
def test_function_and_gradient_are_those_of_its_twin(name, shape, arguments, dtype):
    x = normal(*shape, dtype=dtype)
    y, backward = getattr(scratch, name)(x, *arguments)
    twin = getattr(reference, name)
    expected, dy, expected_dx = tape(lambda x: twin(x, *arguments), x, normal)
    assert_same(y, expected)
    # a sum of n dy in another order: one rounding for each
    assert_same(backward(dy), expected_dx, rounding=6)
    assert np.array_equal(backward(dy), backward(dy))
    assert not np.shares_memory(backward(dy), x)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [(2, 3, 1), (3, 1, 1), (1, 1, 1)])
def test_bilinear_is_its_twin_within_float32(size, dtype):
    """TensorFlow computes positions in float32, where those up to 21 are as many roundings off."""
    x = normal(2, 5, 7, 3, dtype=dtype)
    y, backward = scratch.up_sampling(x, size, "bilinear")
    twin = lambda x: reference.up_sampling(x, size, "bilinear")  # noqa: E731
    expected, dy, expected_dx = tape(twin, x, normal)
    assert y.dtype == backward(dy).dtype == dtype
    bound = 2 * 21 * np.finfo("float32").eps * np.abs(x).max()
    assert np.abs(y - expected).max() <= bound
    assert np.abs(backward(dy) - expected_dx).max() <= bound * size[0] * size[1]


def test_bilinear_is_exact_where_float32_is():
    """With a size of 2 all weights are quarters, and integers stay exact in Keras as well."""
    x = RNG.integers(-9, 9, (2, 3, 5, 1)).astype("float64")
    y, _ = scratch.up_sampling(x, (2, 2, 1), "bilinear")
    assert np.array_equal(y, reference.up_sampling(tf.constant(x), (2, 2, 1), "bilinear"))


def test_bilinear_by_hand():
    x = np.array([[[0.0], [4.0]]])
    y, backward = scratch.up_sampling(x, (2, 1), "bilinear")
    assert y.ravel().tolist() == [0, 1, 3, 4]
    assert backward(np.ones_like(y)).ravel().tolist() == [2, 2]
    assert backward(np.array([[[0.0], [1], [0], [0]]])).ravel().tolist() == [0.75, 0.25]


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_up_sampling_gradient_is_the_derivative_of_the_forward(interpolation):
    """Linear maps: sum(dy * f(v)) = sum(dx * v), for complex numbers as well."""
    x, v = normal(2, 3, 5, 2), normal(2, 3, 5, 2) + 1j * normal(2, 3, 5, 2)
    _, backward = scratch.up_sampling(x, (3, 2, 1), interpolation)
    moved, _ = scratch.up_sampling(v, (3, 2, 1), interpolation)
    dy = normal(2, 9, 10, 2)
    assert abs(np.sum(dy * moved) - np.sum(backward(dy) * v)) <= 1e-13 * np.sum(np.abs(dy * moved))


def is_batch_last(x):
    return x.transpose(2, 3, 1, 0).flags.c_contiguous


@pytest.mark.parametrize(
    ("name", "argument"), [("flatten", ()), ("reshape", ((10, 3),)), ("zero_padding", PADDINGS)]
)
def test_memory_keeps_the_order_of_images_with_the_batch_last(name, argument):
    x = normal(2, 3, 5, 4).transpose(3, 2, 0, 1)
    assert is_batch_last(x)
    y, backward = getattr(scratch, name)(x, *argument)
    plain, backward_plain = getattr(scratch, name)(x.copy("C"), *argument)
    assert np.array_equal(y, plain)
    dy = normal(*y.shape)
    assert np.array_equal(backward(dy), backward_plain(dy))
    assert is_batch_last(y if name == "zero_padding" else backward(dy))


LAYERS = [
    ("Flatten", {}, (3, 5, 7)),
    ("Flatten", {}, (3,)),
    ("Flatten", {"data_format": "channels_first"}, (3, 2, 5, 7)),
    ("Flatten", {"data_format": "channels_first"}, (3, 2, 5)),
    ("Flatten", {"data_format": "channels_first"}, (3, 2)),
    ("Reshape", {"target_shape": (3, -1)}, (2, 5, 6)),
    ("Reshape", {"target_shape": [30]}, (1, 5, 6)),
    ("Reshape", {"target_shape": ()}, (5, 1)),
    ("Permute", {"dims": (2, 3, 1)}, (2, 5, 6, 3)),
    ("RepeatVector", {"n": 4}, (3, 5)),
    ("ZeroPadding1D", {}, (3, 5, 2)),
    ("ZeroPadding1D", {"padding": (0, 2)}, (1, 5, 2)),
    ("ZeroPadding1D", {"padding": 2, "data_format": "channels_first"}, (3, 2, 5)),
    ("ZeroPadding2D", {}, (3, 5, 7, 2)),
    ("ZeroPadding2D", {"padding": 2}, (3, 5, 7, 2)),
    ("ZeroPadding2D", {"padding": (2, 1)}, (3, 5, 7, 2)),
    ("ZeroPadding2D", {"padding": ((1, 0), (0, 3))}, (1, 5, 7, 2)),
    ("ZeroPadding2D", {"padding": (0, 2), "data_format": "channels_first"}, (3, 2, 5, 7)),
    ("Cropping1D", {}, (3, 5, 2)),
    ("Cropping1D", {"cropping": (0, 4)}, (1, 5, 2)),
    ("Cropping1D", {"cropping": 2}, (1, 5, 2)),
    ("Cropping2D", {}, (3, 5, 7, 2)),
    ("Cropping2D", {"cropping": 2}, (3, 5, 7, 2)),
    ("Cropping2D", {"cropping": (1, 3)}, (3, 5, 7, 2)),
    ("Cropping2D", {"cropping": ((1, 0), (0, 3))}, (3, 5, 7, 2)),
    ("Cropping2D", {"cropping": (1, 2), "data_format": "channels_first"}, (3, 2, 5, 7)),
    ("UpSampling1D", {}, (3, 5, 2)),
    ("UpSampling1D", {"size": 3}, (1, 5, 2)),
    ("UpSampling2D", {}, (3, 5, 7, 2)),
    ("UpSampling2D", {"size": 3}, (3, 5, 7, 2)),
    ("UpSampling2D", {"size": (1, 3), "data_format": "channels_first"}, (3, 2, 5, 7)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "arguments", "shape"), LAYERS)
def test_layer_is_keras_layer(name, arguments, shape, dtype):
    layer = getattr(scratch, name)(**arguments, dtype=dtype)
    twin = getattr(reference, name)(**arguments, dtype=dtype)
    x = normal(*shape, dtype=dtype)
    y, backward = layer.forward(x, training=True)
    expected, dy, expected_dx = tape(twin, x, normal)
    dx, gradients = backward(dy)
    assert_same(y, expected)
    assert_same(dx, expected_dx, rounding=9)
    assert gradients == layer.weights == []
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *expected.shape[1:])


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_bilinear_layer_is_keras_layer(data_format):
    arguments = {"size": 2, "interpolation": "bilinear", "data_format": data_format}
    layer, twin = (side.UpSampling2D(**arguments) for side in (scratch, reference))
    x = RNG.integers(-9, 9, (2, 3, 4, 5)).astype("float32")
    assert np.array_equal(layer(x), twin(x))


@pytest.mark.parametrize("name", ["ZeroPadding1D", "Cropping1D", "UpSampling1D"])
def test_sizes_not_yet_known_stay_unknown(name):
    assert getattr(scratch, name)().compute_output_shape((None, None, 3)) == (None, None, 3)


@pytest.mark.parametrize("name", [name for name in dir(reference) if name[0].isupper()])
def test_signature_is_keras(name):
    ours, theirs = (
        {n: p.default for n, p in inspect.signature(getattr(side, name)).parameters.items()}
        for side in (scratch, reference)
    )
    assert ours == theirs


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("Reshape", {"target_shape": (-1, -1)}, "at most one -1"),
        ("Reshape", {"target_shape": (-2, 3)}, "at most one -1"),
        ("Reshape", {"target_shape": 10}, "target_shape takes a tuple of integers, not 10"),
        ("Reshape", {"target_shape": (5.0, 2)}, r"a tuple of integers, not \(5\.0, 2\)"),
        ("Permute", {"dims": 1}, "dims takes a tuple of integers, not 1"),
        ("Permute", {"dims": (1, 3)}, "from 1 to its length, once each"),
        ("Permute", {"dims": (0, 1)}, "from 1 to its length, once each"),
        ("RepeatVector", {"n": 0}, "n is a positive integer, not 0"),
        ("RepeatVector", {"n": 1.5}, r"n is a positive integer, not 1\.5"),
        ("ZeroPadding1D", {"padding": -1}, "padding takes an integer of at least 0"),
        (
            "ZeroPadding1D",
            {"padding": (1, 2, 3)},
            "padding takes an integer of at least 0",
        ),
        ("ZeroPadding2D", {"padding": (1, 2, 3)}, "pair for height and width"),
        (
            "ZeroPadding2D",
            {"padding": ((1, 2), (1, "a"))},
            "padding takes an integer of at least 0",
        ),
        ("Cropping2D", {"cropping": -1}, "cropping takes an integer of at least 0"),
        ("UpSampling1D", {"size": 0}, "size is a positive integer"),
        ("UpSampling2D", {"size": (2, 0)}, "size takes an integer of at least 1, or 2"),
        ("Flatten", {"data_format": "nhwc"}, 'data_format is "channels_last" or'),
    ],
)
def test_bad_arguments_are_refused_in_one_line(name, arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        getattr(scratch, name)(**arguments)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "arguments", "shape", "message"),
    [
        ("Reshape", {"target_shape": (4, -1)}, (2, 5, 6), r"cannot make \(4, -1\) of \(5, 6\)"),
        ("Reshape", {"target_shape": (4, 7)}, (2, 5, 6), r"cannot make \(4, 7\) of \(5, 6\)"),
        ("Permute", {"dims": (2, 1)}, (2, 5), r"permute expects 3 axes, not \(None, 5\)"),
        ("RepeatVector", {"n": 2}, (2, 5, 3), "expects 2 axes"),
        ("Cropping1D", {"cropping": (2, 3)}, (2, 5, 3), r"cannot take \(2, 3\) off an axis of 5"),
        ("ZeroPadding2D", {}, (2, 5, 3), "expects 4 axes"),
        ("UpSampling2D", {"interpolation": "bicubic"}, (2, 5, 3, 1), "not 'bicubic'"),
    ],
)
def test_bad_inputs_are_refused_in_one_line(name, arguments, shape, message):
    with pytest.raises(ValueError, match=message) as error:
        getattr(scratch, name)(**arguments)(normal(*shape))
    assert "\n" not in str(error.value)


MOVED = {
    "Flatten": ({}, (2, 3, 2)),
    "Reshape": ({"target_shape": (3, None)}, (2, 3, 2)),
    "Permute": ({"dims": (2, 1)}, (2, 3, 2)),
    "RepeatVector": ({"n": 3}, (2, 3)),
    "ZeroPadding1D": ({}, (2, 3, 2)),
    "Cropping1D": ({}, (2, 3, 2)),
    "UpSampling1D": ({}, (2, 3, 2)),
    "UpSampling2D": ({}, (2, 3, 2, 2)),
}


@pytest.mark.parametrize("dtype", ["int64", "uint8"])
@pytest.mark.parametrize("name", MOVED)
def test_integers_stay_integers_as_in_keras(name, dtype):
    settings, shape = MOVED[name]
    x = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    y, expected = (getattr(side, name)(**settings)(x) for side in (scratch, reference))
    assert y.dtype == dtype
    assert np.array_equal(y, expected)


def test_integers_become_floats_before_lines_are_drawn_between_them():
    layer, x = scratch.UpSampling2D(interpolation="bilinear"), np.arange(24).reshape(2, 3, 2, 2)
    assert np.array_equal(layer(x), layer(x.astype("float32")))
    assert layer(x).dtype == "float32"


@pytest.mark.parametrize("name", ["MaxPooling2D", "UpSampling2D", "ZeroPadding2D"])
def test_numpy_s_integers_are_integers(name):
    layer = getattr(pooling if name == "MaxPooling2D" else scratch, name)
    x = normal(2, 4, 4, 3)
    assert np.array_equal(layer(np.array([2, 1]))(x), layer((2, 1))(x))
    assert np.array_equal(layer(np.int64(2))(x), layer(2)(x))


def test_an_empty_batch_is_reshaped_as_any_other():
    assert scratch.Reshape((5, -1))(np.ones((0, 10))).shape == (0, 5, 2)


def test_another_input_than_the_layer_was_built_for_is_refused():
    layer = scratch.ZeroPadding1D(name="pad")
    layer(normal(2, 5, 3))
    with pytest.raises(ValueError, match=r"pad expects 3 axes, not \(2, 5\)"):
        layer(normal(2, 5))


@pytest.mark.parametrize(
    ("layer", "arguments"), [("Flatten", {}), ("Reshape", {"target_shape": (-1, 2)})]
)
def test_unknown_sizes_stay_unknown_as_in_keras(layer, arguments):
    shape = (None, None, 4)
    expected = getattr(reference, layer)(**arguments).compute_output_shape(shape)
    assert getattr(scratch, layer)(**arguments).compute_output_shape(shape) == expected
