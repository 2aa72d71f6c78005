"""Convolutions against Keras's: values, gradients, seeds, shapes and refusals."""

import numpy as np
import pytest
import tensorflow as tf

import reference.convolution
import scratch.convolution
from reference import random as reference_random
from scratch import random
from scratch.convolution.sliding import padding_around

RNG = np.random.default_rng(5)
DTYPES = ("float32", "float64")


def normal(*shape, dtype="float64"):
    return RNG.standard_normal(shape).astype(dtype)


def frozen(array):
    array.flags.writeable = False
    return array


def batch_last(x):
    """x, but with the batch last in memory."""
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0)


def on_tape(function, inputs, dy=None):
    """Value and gradients of a TensorFlow function; dy=None draws the upstream gradient."""
    inputs = [tf.constant(array) for array in inputs]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        y = function(*inputs)
    dy = frozen(normal(*y.shape, dtype=y.dtype.name)) if dy is None else dy
    return y, tape.gradient(y, inputs, output_gradients=tf.constant(dy)), dy


def assert_same_sums(here, there, magnitude, terms):
    """Sums of `terms` products, added in any order, are within terms * eps of their magnitude.

    The magnitude is the same sum of absolute values; each side errs by half of it at most.
    """
    here, there, magnitude = map(np.asarray, (here, there, magnitude))
    assert here.shape == there.shape
    assert here.dtype == there.dtype
    assert np.all(np.abs(here - there) <= terms * np.finfo(there.dtype).eps * magnitude)


def assert_pair(name, inputs, terms, **settings):
    """scratch's function and its backward against reference's, which are linear in each input."""
    ours, theirs = (getattr(s.convolution, name) for s in (scratch, reference))
    y, backward = ours(*map(frozen, inputs), **settings)
    expected, gradients, dy = on_tape(lambda *i: theirs(*i, **settings), inputs)
    sizes = [np.abs(array) for array in inputs]
    sum_y, sum_gradients, _ = on_tape(lambda *i: theirs(*i, **settings), sizes, np.abs(dy))
    terms += dy.size // dy.shape[-1]  # a kernel's gradient sums over all pixels of all samples
    assert_same_sums(y, expected, sum_y, terms)
    for mine, its, magnitude in zip(backward(dy), gradients, sum_gradients, strict=True):
        assert_same_sums(mine, its, magnitude, terms)
    for again, mine in zip(backward(8 * dy), backward(dy), strict=True):
        assert np.array_equal(again, 8 * mine)
    assert y.tobytes() == ours(*inputs, **settings)[0].tobytes()


# inputs, kernel, settings; thin kernels are multiplied at once, others row by row
CONVOLUTIONS = {
    "valid": ((3, 7, 5, 4), (3, 3, 4, 5), {}),
    "thin": ((3, 7, 6, 1), (3, 2, 1, 8), {}),
    "thin and same": ((2, 6, 7, 1), (4, 3, 1, 13), {"padding": "same"}),
    "same": ((3, 7, 6, 4), (3, 3, 4, 5), {"padding": "same"}),
    "same, even kernel": ((2, 6, 5, 3), (2, 4, 3, 2), {"padding": "same"}),
    "strides 2": ((2, 8, 7, 3), (3, 3, 3, 4), {"strides": 2}),
    "strides 2, same, even": ((2, 8, 7, 3), (3, 2, 3, 4), {"strides": 2, "padding": "same"}),
    "strides 2, same, odd": ((2, 7, 9, 3), (2, 3, 3, 4), {"strides": 2, "padding": "same"}),
    "strides 3": ((2, 9, 11, 2), (2, 3, 2, 3), {"strides": 3}),
    "strides 3, same": ((2, 8, 10, 2), (2, 4, 2, 3), {"strides": 3, "padding": "same"}),
    "unequal strides": ((2, 8, 10, 2), (3, 3, 2, 3), {"strides": (1, 2), "padding": "same"}),
    "strides beyond the kernel": ((2, 8, 7, 2), (2, 1, 2, 3), {"strides": 3, "padding": "same"}),
    "dilation": ((2, 9, 8, 3), (3, 2, 3, 4), {"dilation_rate": 2}),
    "dilation, same": ((2, 7, 6, 3), (3, 3, 3, 4), {"dilation_rate": (2, 1), "padding": "same"}),
    "thin and dilated": ((2, 9, 8, 1), (3, 2, 1, 7), {"dilation_rate": (1, 3)}),
    "one sample": ((1, 5, 7, 3), (3, 3, 3, 4), {"padding": "same"}),
    "one pixel": ((3, 1, 1, 4), (3, 3, 4, 2), {"padding": "same"}),
    "kernel 1": ((3, 4, 5, 3), (1, 1, 3, 4), {"padding": "same"}),
    "kernel larger than the image": ((2, 3, 2, 3), (5, 6, 3, 4), {"padding": "same"}),
    "groups": ((2, 5, 6, 4), (3, 3, 2, 6), {"padding": "same"}),
    "groups, strides": ((2, 6, 7, 6), (3, 2, 2, 9), {"strides": 2}),
    "signal": ((3, 9, 4), (3, 4, 5), {}),
    "signal, same": ((3, 9, 4), (4, 4, 5), {"padding": "same", "strides": 2}),
    "signal, dilation": ((3, 9, 2), (3, 2, 7), {"padding": "same", "dilation_rate": 2}),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_conv_and_its_gradients_are_those_of_the_tape(case, dtype):
    shape, kernel_shape, settings = CONVOLUTIONS[case]
    inputs = [normal(*shape, dtype=dtype), normal(*kernel_shape, dtype=dtype)]
    assert_pair("conv", inputs, terms=np.prod(kernel_shape), **settings)


DEPTHWISE = {
    "valid": ((3, 7, 5, 4), (3, 2, 4, 2), {}),
    "same": ((2, 7, 6, 3), (3, 3, 3, 1), {"padding": "same"}),
    "strides": ((2, 7, 6, 3), (3, 3, 3, 2), {"padding": "same", "strides": 2}),
    "dilation": ((1, 7, 8, 3), (3, 2, 3, 2), {"dilation_rate": 2}),
    "strides and dilation": ((2, 9, 8, 2), (2, 3, 2, 2), {"dilation_rate": 2, "strides": 2}),
    "one channel": ((2, 7, 6, 1), (3, 3, 1, 10), {}),
    "signal": ((2, 7, 3), (3, 3, 2), {"padding": "same"}),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", DEPTHWISE)
def test_depthwise_conv_and_its_gradients_are_those_of_the_tape(case, dtype):
    shape, kernel_shape, settings = DEPTHWISE[case]
    inputs = [normal(*shape, dtype=dtype), normal(*kernel_shape, dtype=dtype)]
    assert_pair("depthwise_conv", inputs, terms=np.prod(kernel_shape), **settings)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("settings", [{}, {"padding": "same", "strides": 2}, {"dilation_rate": 2}])
def test_separable_conv_and_its_gradients_are_those_of_the_tape(settings, dtype):
    shapes = [(2, 7, 6, 3), (3, 2, 3, 2), (1, 1, 6, 5)]
    inputs = [normal(*shape, dtype=dtype) for shape in shapes]
    assert_pair("separable_conv", inputs, terms=36 + 30, **settings)


TRANSPOSED = {
    "valid": ((2, 4, 5, 3), (3, 2, 4, 3), {}),
    "same": ((2, 4, 5, 3), (3, 3, 4, 3), {"padding": "same"}),
    "same, even kernel": ((2, 4, 5, 3), (4, 2, 2, 3), {"padding": "same"}),
    "strides 2": ((2, 4, 3, 3), (3, 3, 4, 3), {"strides": 2}),
    "strides 2, same": ((2, 4, 3, 3), (3, 4, 4, 3), {"strides": 2, "padding": "same"}),
    "strides 3": ((1, 4, 3, 2), (4, 2, 3, 2), {"strides": 3, "padding": "same"}),
    "strides beyond the kernel": ((2, 3, 4, 2), (2, 1, 3, 2), {"strides": 3}),
    "output padding": ((2, 4, 3, 2), (3, 3, 3, 2), {"strides": 2, "output_padding": 1}),
    "no output padding": ((2, 4, 3, 2), (2, 3, 3, 2), {"strides": (3, 2), "output_padding": 0}),
    "output padding, same": (
        (2, 4, 3, 2),
        (3, 4, 3, 2),
        {"strides": 3, "output_padding": (0, 2), "padding": "same"},
    ),
    "signal": ((2, 5, 3), (3, 2, 3), {"strides": 2, "padding": "same"}),
}
DILATED = {
    "dilation": ((2, 4, 5, 2), (3, 2, 3, 2), {"dilation_rate": 2}),
    "dilation, same": ((2, 4, 5, 2), (3, 2, 3, 2), {"dilation_rate": (1, 2), "padding": "same"}),
}


@pytest.mark.parametrize("case", DILATED)
def test_dilated_conv_transpose_is_that_of_the_tape_where_tensorflow_has_one(case):
    shape, kernel_shape, settings = DILATED[case]  # in float64, TensorFlow has none on a CPU
    inputs = [normal(*shape, dtype="float32"), normal(*kernel_shape, dtype="float32")]
    assert_pair("conv_transpose", inputs, terms=np.prod(kernel_shape), **settings)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", TRANSPOSED)
def test_conv_transpose_and_its_gradients_are_those_of_the_tape(case, dtype):
    shape, kernel_shape, settings = TRANSPOSED[case]
    inputs = [normal(*shape, dtype=dtype), normal(*kernel_shape, dtype=dtype)]
    assert_pair("conv_transpose", inputs, terms=np.prod(kernel_shape), **settings)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("strides", [(1, 1), (2, 3)])
def test_im2col_and_its_product_are_those_of_tensorflow(strides, dtype):
    x, kernel = normal(2, 7, 8, 3, dtype=dtype), normal(3, 2, 3, 4, dtype=dtype)
    columns, _ = scratch.convolution.im2col(x, (3, 2), strides)
    assert np.array_equal(columns, reference.convolution.im2col(x, (3, 2), strides))
    assert_pair("conv_by_im2col", [x, kernel], terms=18, strides=strides)


@pytest.mark.parametrize("strides", [(1, 1), (2, 1)])
def test_conv_is_the_product_of_im2col(strides):
    x, kernel = (np.rint(4 * normal(*shape)) for shape in [(2, 7, 8, 3), (3, 2, 3, 4)])
    y, backward = scratch.convolution.conv(x, kernel, strides)
    expected, backward_product = scratch.convolution.conv_by_im2col(x, kernel, strides)
    dy = np.rint(4 * normal(*y.shape))
    # whole numbers are exact in any order
    assert np.array_equal(y, expected)
    assert all(map(np.array_equal, backward(dy), backward_product(dy)))


@pytest.mark.parametrize("dilation_rate", [1, 2])
def test_conv_transpose_is_the_way_back_of_conv_and_conv_its_own(dilation_rate):
    x, kernel, dy = normal(2, 7, 8, 3), normal(3, 2, 3, 4), normal(2, 7, 8, 4)
    settings = {"padding": "same", "dilation_rate": dilation_rate}
    y, backward = scratch.convolution.conv(x, kernel, **settings)
    back, backward_back = scratch.convolution.conv_transpose(dy, kernel, **settings)
    assert np.array_equal(back, backward(dy)[0])
    assert np.array_equal(y, backward_back(x)[0])
    assert np.array_equal(backward(dy)[1], backward_back(x)[1])


@pytest.mark.parametrize("name", ["conv", "conv_transpose", "depthwise_conv"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_channels_first_is_the_same_with_its_axes_moved(name, dtype):
    function = getattr(scratch.convolution, name)
    x, kernel = normal(2, 6, 5, 3, dtype=dtype), normal(3, 3, 3, 3, dtype=dtype)
    y, backward = function(x, kernel, 2, "same")
    first = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    moved, backward_moved = function(first, kernel, 2, "same", data_format="channels_first")
    dy = normal(*y.shape, dtype=dtype)
    dx, dkernel = backward(dy)
    dmoved, dkernel_moved = backward_moved(np.moveaxis(dy, -1, 1))
    bound = 100 * np.finfo(dtype).eps  # of the same products, added in another order
    assert np.allclose(np.moveaxis(moved, 1, -1), y, rtol=0, atol=bound * np.abs(y).max())
    assert np.allclose(np.moveaxis(dmoved, 1, -1), dx, rtol=0, atol=bound * np.abs(dx).max())
    assert np.allclose(dkernel_moved, dkernel, rtol=0, atol=bound * np.abs(dkernel).max())


def test_channels_first_is_keras_channels_first():
    x, kernel = normal(2, 3, 7, 6, dtype="float32"), normal(3, 2, 3, 4, dtype="float32")
    settings = {"padding": "same", "data_format": "channels_first"}
    y, _ = scratch.convolution.conv(x, kernel, **settings)
    expected = reference.convolution.conv(x, kernel, **settings)
    magnitude = reference.convolution.conv(np.abs(x), np.abs(kernel), **settings)
    assert_same_sums(y, expected, magnitude, terms=18)


@pytest.mark.parametrize("name", ["conv", "conv_transpose"])
def test_results_lie_in_memory_with_the_batch_last(name):
    function = getattr(scratch.convolution, name)
    x, kernel = np.rint(4 * normal(5, 6, 7, 3)), np.rint(4 * normal(3, 3, 3, 3))
    y, backward = function(x, kernel, strides=2, padding="same")
    dy = np.rint(4 * normal(*y.shape))
    last, backward_last = function(batch_last(x), kernel, strides=2, padding="same")
    assert np.array_equal(y, last)
    for here, there in zip(backward(dy), backward_last(batch_last(dy)), strict=True):
        assert np.array_equal(here, there)
    for array in (y, last, backward(dy)[0], backward_last(batch_last(dy))[0]):
        assert array.transpose(2, 3, 1, 0).flags.c_contiguous


@pytest.mark.parametrize("name", ["conv", "conv_transpose", "depthwise_conv"])
@pytest.mark.parametrize("dtype", ["complex64", "complex128", "longdouble"])
def test_wider_numbers_pass(name, dtype):
    function = getattr(scratch.convolution, name)
    x, kernel = np.rint(4 * normal(2, 5, 6, 3)), np.rint(4 * normal(3, 3, 3, 3))
    wide, _ = function(x.astype(dtype), kernel.astype(dtype), padding="same")
    assert wide.dtype == dtype
    assert np.array_equal(wide, function(x, kernel, padding="same")[0])
    turned, _ = function(1j * x, kernel, padding="same")
    assert np.array_equal(turned, 1j * wide)


@pytest.mark.parametrize("name", ["conv", "conv_transpose", "depthwise_conv"])
def test_needs_dx_false_leaves_out_dx(name):
    y, backward = getattr(scratch.convolution, name)(normal(2, 5, 6, 3), normal(2, 2, 3, 3))
    dy = normal(*y.shape)
    dx, dkernel = backward(dy, needs_dx=False)
    assert dx is None
    assert np.array_equal(dkernel, backward(dy)[1])


def test_same_padding_puts_the_extra_zero_at_the_end():
    assert padding_around(6, 4, 1, "same") == (1, 2)
    assert padding_around(6, 3, 2, "same") == (0, 1)
    assert padding_around(6, 1, 3, "same") == (0, 0)
    assert padding_around(6, 3, 1, "causal") == (2, 0)


def test_causal_outputs_see_no_later_step():
    x, kernel = normal(1, 9, 2), normal(3, 2, 4)
    y, backward = scratch.convolution.conv(x, kernel, padding="causal", dilation_rate=2)
    dy = np.zeros(y.shape)
    dy[0, 5] = 1
    seen = np.flatnonzero(backward(dy)[0].any(axis=2))
    assert seen.tolist() == [1, 3, 5]


REFUSED = {
    "does not slide over inputs": ("conv", (2, 7, 6, 4), (3, 4, 5), {}),
    "kernel .* does not slide": ("conv", (7, 6), (6, 6), {}),
    "4 channels are not cut into groups": ("conv", (2, 7, 6, 4), (3, 3, 3, 6), {}),
    "4 channels are not cut into groups by": ("conv", (2, 7, 6, 4), (3, 3, 2, 5), {}),
    'padding is "valid" or "same", not \'full\'': (
        "conv",
        (2, 7, 6, 4),
        (3, 3, 4, 5),
        {"padding": "full"},
    ),
    "is for signals, not for images": (
        "conv",
        (2, 7, 6, 4),
        (3, 3, 4, 5),
        {"padding": "causal"},
    ),
    "strides takes an integer of at least 1, or 2 of them, not 0": (
        "conv",
        (2, 7, 6, 4),
        (3, 3, 4, 5),
        {"strides": 0},
    ),
    "dilation_rate takes an integer of at least 1, or 2": (
        "conv",
        (2, 7, 6, 4),
        (3, 3, 4, 5),
        {"dilation_rate": (1, 2, 3)},
    ),
    "the output would have no pixels.*over 9 of them does not fit into the 6": (
        "conv",
        (2, 9, 6, 4),
        (9, 9, 4, 5),
        {},
    ),
    "takes 3 channels, not 4": ("conv_transpose", (2, 7, 6, 4), (3, 3, 5, 3), {}),
    "output_padding=0 asks for 12 pixels, which strides of 2": (
        "conv_transpose",
        (2, 7, 7, 4),
        (2, 2, 5, 4),
        {"strides": 2, "padding": "same", "output_padding": 0},
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_does_not_fit_is_refused_in_one_line(message):
    name, shape, kernel_shape, settings = REFUSED[message]
    with pytest.raises(ValueError, match=message) as raised:
        getattr(scratch.convolution, name)(np.ones(shape), np.ones(kernel_shape), **settings)
    assert "\n" not in str(raised.value)


UNIFORM = {"kernel_initializer": "he_uniform", "bias_initializer": "random_uniform"}
LAYERS = {
    "Conv2D": ("Conv2D", (3, 7, 6, 4), {"filters": 5, "kernel_size": 3} | UNIFORM),
    "Conv2D, all settings": (
        "Conv2D",
        (3, 7, 6, 4),
        {"filters": 6, "kernel_size": (3, 2), "strides": 2, "padding": "SAME", "groups": 2}
        | {"activation": "tanh"}
        | UNIFORM,
    ),
    "Conv2D, dilation, no bias": (
        "Conv2D",
        (2, 8, 7, 1),
        {"filters": 10, "kernel_size": (3, 2), "dilation_rate": 2, "use_bias": False},
    ),
    "Conv1D": ("Conv1D", (3, 9, 4), {"filters": 5, "kernel_size": 3} | UNIFORM),
    "Conv1D, causal": (
        "Conv1D",
        (3, 9, 4),
        {"filters": 5, "kernel_size": (2,), "padding": "causal", "dilation_rate": 3}
        | {"activation": "softmax"},
    ),
    "Conv1D, causal, strides, groups": (
        "Conv1D",
        (3, 9, 4),
        {"filters": 6, "kernel_size": 3, "padding": "causal", "strides": 2, "groups": 2},
    ),
    "DepthwiseConv2D": (
        "DepthwiseConv2D",
        (2, 7, 6, 3),
        {"kernel_size": (3, 2), "depth_multiplier": 2, "strides": 2, "padding": "same"}
        | {"depthwise_initializer": "lecun_uniform", "bias_initializer": "random_uniform"},
    ),
    "SeparableConv2D": (
        "SeparableConv2D",
        (2, 7, 6, 3),
        {"filters": 5, "kernel_size": 3, "depth_multiplier": 2, "padding": "same"}
        | {"bias_initializer": "random_uniform", "activation": "sigmoid"},
    ),
    "Conv2DTranspose": (
        "Conv2DTranspose",
        (2, 4, 3, 3),
        {"filters": 5, "kernel_size": (3, 2), "strides": 2} | UNIFORM,
    ),
    "Conv2DTranspose, all settings": (
        "Conv2DTranspose",
        (2, 4, 3, 3),
        {"filters": 5, "kernel_size": 3, "strides": 3, "padding": "same", "output_padding": (2, 1)}
        | {"activation": "tanh"},
    ),
}


def both_layers(case, dtype):
    """The layer, its twin from the same seed, and an input."""
    name, shape, arguments = LAYERS[case]
    random.set_random_seed(11)
    layer = getattr(scratch.convolution, name)(**arguments, dtype=dtype)
    reference_random.set_random_seed(11)
    twin = getattr(reference.convolution, name)(**arguments, dtype=dtype)
    layer.ensure_built((None, *shape[1:]))
    twin.build((None, *shape[1:]))
    return layer, twin, frozen(normal(*shape, dtype=dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", LAYERS)
def test_layers_start_with_the_bits_of_keras(case, dtype):
    layer, twin, _ = both_layers(case, dtype)
    names = [path.split("/")[-1] for path in layer.weight_paths()]
    assert names == [weight.name for weight in twin.weights]
    for here, there in zip(layer.get_weights(), twin.get_weights(), strict=True):
        assert here.dtype == there.dtype
        assert np.array_equal(here, there)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", LAYERS)
def test_layers_and_their_gradients_are_those_of_keras(case, dtype):
    layer, twin, x = both_layers(case, dtype)
    inputs = [tf.constant(x), *twin.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(inputs[0])
        expected = twin(inputs[0])
    dy = frozen(normal(*expected.shape, dtype=dtype))
    gradients = tape.gradient(expected, inputs, output_gradients=tf.constant(dy))
    y, backward = layer.forward(x, training=True)
    dx, weight_gradients = backward(dy)
    assert y.shape == layer.compute_output_shape(x.shape) == tuple(expected.shape)
    # of at most 100 products of numbers below 10, through an activation of slope 1 at most
    bound = 1000 * np.finfo(dtype).eps
    assert np.abs(y - expected).max() <= bound
    for here, there in zip([dx, *weight_gradients], gradients, strict=True):
        assert here.dtype == dtype
        assert np.abs(here - there).max() <= bound * max(1, np.abs(there).max())
    assert backward(dy, needs_dx=False)[0] is None


def test_shapes_not_yet_known_stay_unknown():
    layer = scratch.convolution.Conv2D(5, 3, strides=2, padding="same")
    assert layer.compute_output_shape((None, None, 7, 4)) == (None, None, 4, 5)
    layer = scratch.convolution.Conv2DTranspose(5, 3, strides=2)
    assert layer.compute_output_shape((None, None, 7, 4)) == (None, None, 15, 5)


def test_layer_with_channels_first_is_the_same_with_its_axes_moved():
    x = normal(2, 6, 5, 3)
    last = scratch.convolution.Conv2D(4, 3, bias_initializer="ones", dtype="float64")
    first = scratch.convolution.Conv2D(
        4, 3, data_format="channels_first", bias_initializer="ones", dtype="float64"
    )
    moved = np.ascontiguousarray(np.moveaxis(x, -1, 1))
    last(x), first(moved)
    first.set_weights(last.get_weights())
    (y, backward), (moved_y, backward_moved) = last.forward(x), first.forward(moved)
    dy = normal(*y.shape)
    dx, gradients = backward(dy)
    moved_dx, moved_gradients = backward_moved(np.moveaxis(dy, -1, 1))
    assert moved_y.shape == first.compute_output_shape(moved.shape) == (2, 4, 4, 3)
    assert np.allclose(np.moveaxis(moved_y, 1, -1), y, rtol=1e-13, atol=1e-13)
    assert np.allclose(np.moveaxis(moved_dx, 1, -1), dx, rtol=1e-13, atol=1e-13)
    for here, there in zip(gradients, moved_gradients, strict=True):
        assert np.allclose(here, there, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(("columns", "axis"), [(5, 1), (3, 3)])
def test_keras_takes_a_bias_of_the_channels_for_one_of_as_many_columns(columns, axis):
    x, settings = normal(1, 2, 6, columns, dtype="float32"), {"data_format": "channels_first"}
    layers = [side.convolution.Conv2D(3, 1, **settings) for side in (scratch, reference)]
    for layer in layers:
        layer(x)
        layer.set_weights([np.zeros((1, 1, 2, 3)), np.arange(3)])
    here, there = (np.asarray(layer(x)) for layer in layers)
    y = np.zeros((1, 3, 6, columns))
    assert np.array_equal(here, y + np.arange(3).reshape(1, 3, 1, 1))
    assert np.array_equal(there, y + np.arange(3).reshape(np.where(np.arange(4) == axis, 3, 1)))


def test_layer_used_twice_keeps_both_backwards():
    layer = scratch.convolution.Conv2D(3, 3, padding="same", dtype="float64")
    x, dy = normal(2, 5, 6, 3), normal(2, 5, 6, 3)
    first, backward_first = layer.forward(x)
    layer.forward(first)
    assert np.array_equal(backward_first(dy)[0], layer.forward(x)[1](dy)[0])


def test_frozen_layer_passes_the_gradient_on_and_has_none_of_its_own():
    layer = scratch.convolution.Conv2D(3, 3, dtype="float64")
    x, dy = normal(2, 5, 6, 3), normal(2, 3, 4, 3)
    expected, _ = layer.forward(x)[1](dy)
    layer.trainable = False
    dx, gradients = layer.forward(x)[1](dy)
    assert np.array_equal(dx, expected)
    assert gradients == []


WRONG_ARGUMENTS = {
    "filters is a positive integer, not 0": ("Conv2D", {"filters": 0}),
    "filters is a positive integer, not 2.5": ("Conv1D", {"filters": 2.5}),
    "groups is a positive integer, not -1": ("Conv2D", {"groups": -1}),
    "6 filters cannot be shared out among 4 groups": ("Conv2D", {"groups": 4}),
    "kernel_size takes an integer of at least 1, or 2 of them, not 0": (
        "Conv2D",
        {"kernel_size": 0},
    ),
    "kernel_size takes an integer of at least 1, or 1 of them": ("Conv1D", {"kernel_size": (3, 3)}),
    "strides takes an integer of at least 1, or 2 of them, not '2'": ("Conv2D", {"strides": "2"}),
    "padding is one of valid, same, not 'causal'": ("Conv2D", {"padding": "causal"}),
    "padding is one of valid, same, causal, not 'full'": ("Conv1D", {"padding": "full"}),
    "strides=.2, 2. above 1 do not go": ("Conv2D", {"strides": 2, "dilation_rate": 2}),
    "data_format is": ("Conv2D", {"data_format": "NHWC"}),
    "depth_multiplier is a positive integer, not 0": ("SeparableConv2D", {"depth_multiplier": 0}),
    "output_padding=.1, 1. is not below strides": ("Conv2DTranspose", {"output_padding": 1}),
}


@pytest.mark.parametrize("side", [scratch, reference])
@pytest.mark.parametrize("message", WRONG_ARGUMENTS)
def test_wrong_arguments_are_refused_as_by_keras(message, side):
    name, wrong = WRONG_ARGUMENTS[message]
    arguments = {"filters": 6, "kernel_size": 3} | wrong
    with pytest.raises(ValueError, match=message if side is scratch else None):
        getattr(side.convolution, name)(**arguments)


@pytest.mark.parametrize("argument", ["lora_rank", "kernel_size_h", "rank"])
def test_arguments_not_supported_are_refused_by_name(argument):
    with pytest.raises(TypeError, match=argument):
        scratch.convolution.Conv2D(3, 3, **{argument: None})


@pytest.mark.parametrize("side", [scratch, reference])
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 7, 4), "takes inputs of 4 axes"),
        ((1, 2, 7, 6, 4), "takes inputs of 4 axes"),
        ((2, 7, 6, 3), "3 channels cannot be cut into 2 groups"),
        ((2, 7, 2, 4), "no pixels"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_as_by_keras(side, shape, message):
    layer = side.convolution.Conv2D(6, 3, groups=2)
    with pytest.raises(ValueError, match=message if side is scratch else None):
        layer(np.ones(shape, "float32"))


@pytest.mark.parametrize("name", ["Conv2D", "SeparableConv2D", "Conv2DTranspose"])
def test_images_without_channels_are_refused(name):
    with pytest.raises(ValueError, match=r"a kernel \(.*0.*\) does not slide over inputs"):
        getattr(scratch.convolution, name)(6, 3)(normal(2, 7, 6, 0))


def test_an_output_shape_is_that_of_images():
    with pytest.raises(ValueError, match=r"takes inputs of 4 axes, not \(None, 7, 4\)"):
        scratch.convolution.Conv2D(6, 3).compute_output_shape((None, 7, 4))


def test_numpy_s_integers_are_integers():
    sizes = np.int64(6), np.array([3, 2])
    layer = scratch.convolution.Conv2D(*sizes, strides=tuple(np.array([1, 2])))
    assert layer.compute_output_shape((None, 7, 7, 4)) == (None, 5, 3, 6)


def test_later_inputs_must_have_the_channels_of_the_first():
    layer = scratch.convolution.Conv2D(6, 3)
    layer(normal(2, 7, 6, 4))
    layer(normal(3, 5, 5, 4))
    with pytest.raises(ValueError, match=r"takes 4 channels, not \(2, 7, 6, 3\)"):
        layer(normal(2, 7, 6, 3))


def test_a_padding_that_is_no_text_is_refused_in_a_line():
    with pytest.raises(ValueError, match="padding is one of valid, same, not 1"):
        scratch.convolution.Conv2D(2, 3, padding=1)
