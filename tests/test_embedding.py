"""Embedding against Keras's: the same table from the same seed, and duplicates added up."""

import numpy as np
import pytest
import tensorflow as tf

import reference as keras_side
import scratch as numpy_side
from comparisons.precision import floatx
from reference import embedding as reference
from reference import random as reference_random
from scratch import embedding as scratch
from scratch import random

DTYPES = ["float32", "float64"]
RNG = np.random.default_rng(2)


def normal(*shape, dtype="float64"):
    x = RNG.standard_normal(shape).astype(dtype)
    x.flags.writeable = False
    return x


def assert_within_rounding(here, there, terms):
    """Sums of `terms` numbers, in another order on each side, differ by a rounding per term."""
    there = np.asarray(there)
    assert here.dtype == there.dtype
    assert here.shape == there.shape
    bound = terms * np.finfo(there.dtype).eps * max(1.0, np.abs(there).max())
    assert np.abs(here - there).max() <= bound


INDICES = [
    np.array([[3, 0, 3], [3, 6, 1]]),
    np.array([5]),
    np.array([[2, 2, 2, 2]], "int32"),
    np.array(4),
    np.array([[-1, 6, -7]]),
    RNG.integers(0, 7, (3, 50, 2)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("indices", INDICES)
def test_function_and_gradient_are_those_of_its_twin(indices, dtype):
    table, dy = normal(7, 5, dtype=dtype), normal(*indices.shape, 5, dtype=dtype)
    y, backward = scratch.embedding(indices, table)
    tensor = tf.constant(table)
    with tf.GradientTape() as recorder:
        recorder.watch(tensor)
        expected = reference.embedding(tf.constant(indices), tensor)
    gradient = tf.convert_to_tensor(recorder.gradient(expected, tensor, tf.constant(dy)))
    assert np.array_equal(y, expected)
    assert_within_rounding(backward(dy), gradient, terms=indices.size)
    assert np.array_equal(backward(dy), backward(dy))
    assert not np.shares_memory(y, table)


def test_duplicates_add_up_and_others_get_nothing():
    _, backward = scratch.embedding(np.array([1, 3, 1]), np.zeros((4, 2)))
    dtable = backward(np.array([[1.0, 2], [3, 4], [5, 6]]))
    assert dtable.tolist() == [[0, 0], [6, 8], [0, 0], [3, 4]]


def test_complex_and_longdouble_pass():
    indices = np.array([1, 3, 1])
    for dtype in ("complex128", "longdouble"):
        y, backward = scratch.embedding(indices, normal(4, 2, dtype=dtype))
        assert y.dtype == backward(y).dtype == dtype


@pytest.mark.parametrize(("bad", "named"), [([0, 7], "7"), ([-8, 1], "-8")])
def test_integers_outside_of_the_table_are_refused(bad, named):
    with pytest.raises(ValueError, match=f"from 0 to 6, not {named}$"):
        scratch.embedding(np.array(bad), normal(7, 5))
    with pytest.raises(tf.errors.InvalidArgumentError):
        reference.Embedding(7, 5)(np.array(bad))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("initializer", ["uniform", "glorot_uniform", "ones"])
def test_layer_is_keras_layer_from_the_same_seed(initializer, dtype):
    random.set_random_seed(6)
    layer = scratch.Embedding(7, 5, initializer, dtype=dtype)
    reference_random.set_random_seed(6)
    twin = reference.Embedding(7, 5, initializer, dtype=dtype)
    x, dy = RNG.integers(0, 7, (4, 9)), normal(4, 9, 5, dtype=dtype)
    y, backward = layer.forward(x, training=True)
    with tf.GradientTape() as recorder:
        expected = twin(x)
    gradient = recorder.gradient(expected, twin.trainable_weights[0].value, tf.constant(dy))
    dx, (dembeddings,) = backward(dy)
    assert dx is None
    assert np.array_equal(y, expected)
    assert y.dtype == dtype
    assert_within_rounding(dembeddings, tf.convert_to_tensor(gradient), terms=36)
    assert layer.weight_paths() == [f"{layer.name}/{twin.weights[0].name}"]
    assert layer.compute_output_shape((None, 9)) == twin.compute_output_shape((None, 9))


def test_large_integers_are_not_rounded_to_floats():
    """2**24 + 1 is no float32."""
    layer = scratch.Embedding(2**24 + 2, 1, "zeros")
    layer(np.array([0]))
    layer.embeddings[2**24 + 1] = 1
    assert layer(np.array([2**24 + 1])).tolist() == [[1]]


@pytest.mark.parametrize("x", [[[1.7, 2.2]], [[True, False]], np.array([[3, 0]], "uint8")])
def test_other_numbers_are_cut_to_integers_as_in_keras(x):
    layer, twin = scratch.Embedding(7, 5), reference.Embedding(7, 5)
    layer(np.array([0])), twin(np.array([0]))
    twin.set_weights(layer.get_weights())
    assert np.array_equal(layer(np.array(x)), twin(np.array(x)))


def test_mask_of_zeros():
    x = np.array([[3, 1, 0], [0, 2, 0]])
    layer, twin = (side.Embedding(7, 5, mask_zero=True) for side in (scratch, reference))
    assert np.array_equal(layer.compute_mask(x), twin.compute_mask(x))
    assert scratch.Embedding(7, 5).compute_mask(x) is None


def test_weights_may_be_given():
    table = normal(7, 5, dtype="float32")
    for given in (table, [table]):
        layer = scratch.Embedding(7, 5, weights=given)
        assert np.array_equal(layer(np.arange(7)), table)
    with pytest.raises(ValueError, match="has weights of shapes"):
        scratch.Embedding(7, 4, weights=table)


def test_frozen_layer_has_no_gradients():
    layer = scratch.Embedding(7, 5, trainable=False)
    _, backward = layer.forward(np.array([[1, 2]]), training=True)
    assert backward(normal(1, 2, 5)) == (None, [])


@pytest.mark.parametrize("size", [0, -1, 2.0, "3", None, True])
def test_sizes_must_be_positive_integers(size):
    with pytest.raises(ValueError, match="input_dim is a positive integer"):
        scratch.Embedding(size, 5)
    with pytest.raises(ValueError, match="output_dim is a positive integer"):
        scratch.Embedding(7, size)


@pytest.mark.parametrize("argument", ["lora_rank", "input_length"])
def test_arguments_not_supported_are_refused_by_name(argument):
    with pytest.raises(TypeError, match=argument):
        scratch.Embedding(7, 5, **{argument: None})


ONCE, TWICE = np.array([[0, 1], [2, 3], [4, 5]]), np.array([[0, 1], [1, 3], [0, 0]])


def trained(side, x, optimizer, start=None, apart=True):
    """The table after two steps on the three samples x, its gradients apart or as one array."""
    layers = [side.embedding.Embedding(6, 4), side.reshaping.Flatten(), side.dense.Dense(1)]
    network = side.network.Sequential([side.network.Input((2,)), *layers])
    network.compile(optimizer, "mse")
    network.set_weights(start or network.get_weights())
    start = network.get_weights()
    for _ in range(2):
        _, _, gradients = network.loss_and_gradients(x, np.ones((3, 1)))
        gradients = gradients if apart else [tf.convert_to_tensor(each) for each in gradients]
        network.optimizer.apply(gradients, network.trainable_weights)
    return start, network.get_weights()[0]


@pytest.mark.parametrize(
    ("x", "optimizer", "apart", "same"),
    [
        (ONCE, "adam", True, True),
        (ONCE, "rmsprop", True, True),
        (TWICE, "sgd", True, True),
        (TWICE, "adam", True, False),  # Keras adds squares where squares of sums are meant
        (TWICE, "rmsprop", True, False),
        (TWICE, "adam", False, True),
        (TWICE, "rmsprop", False, True),
    ],
)
def test_steps_are_those_of_keras_unless_it_squares_a_rows_gradients_apart(
    x, optimizer, apart, same
):
    with floatx("float64"):
        start, here = trained(numpy_side, x, optimizer)
        _, there = trained(keras_side, x, optimizer, start, apart)
    assert np.allclose(here, there, rtol=0, atol=1e-13) == same
    assert np.abs(here - there).max() < 1e-2


@pytest.mark.parametrize("mask_value", [0.0, -1.0, 0.1])
@pytest.mark.parametrize("shape", [(3, 4, 2), (5, 2), (2, 3, 4, 2)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_masking_is_keras(shape, mask_value, dtype):
    rounded = np.float32(mask_value)
    x = np.where(RNG.random(shape) < 0.7, rounded, RNG.standard_normal(shape))
    x.reshape(-1, 2)[:2] = [[rounded], [mask_value]]
    dy = normal(*shape, dtype=dtype)
    here, there = (side.Masking(mask_value, dtype=dtype) for side in (scratch, reference))
    y, backward = here.forward(x)
    inputs = tf.constant(x.astype(dtype))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        expected = there(inputs)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(backward(dy)[0], tape.gradient(expected, inputs, dy))
    mask = here.compute_mask(x)
    np.testing.assert_array_equal(mask, there.compute_mask(inputs))
    assert not mask.all()
    assert not y[~mask].any()


def test_masking_expects_steps_and_a_number():
    with pytest.raises(ValueError, match=r"masking expects \(n, ..., i\), not \(3,\)"):
        scratch.Masking()(np.ones(3))
    with pytest.raises(ValueError, match="mask_value is a number, not None"):
        scratch.Masking(None)
