"""Dense layers against Keras's: values, gradients, seeds, shapes and refusals."""

import numpy as np
import pytest
import tensorflow as tf

import reference.dense
import scratch.dense
from reference import activations as reference_activations
from reference import random as reference_random
from scratch import activations, random

RNG = np.random.default_rng(7)


def normal(*shape, dtype="float64"):
    return RNG.standard_normal(shape).astype(dtype)


def within_rounding(here, there, terms):
    """Two sums of `terms` products, each in another order, differ by their rounding at most."""
    there = np.asarray(there)
    bound = terms * np.finfo(there.dtype).eps * max(1.0, np.abs(there).max())
    return here.dtype == there.dtype and np.abs(here - there).max() <= bound


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(7, 5), (1, 5), (2, 7, 5)])
def test_dense_and_its_gradients_are_those_of_the_tape(dtype, shape):
    x, kernel, bias = normal(*shape, dtype=dtype), normal(5, 3, dtype=dtype), normal(3, dtype=dtype)
    dy = normal(*shape[:-1], 3, dtype=dtype)
    y, backward = scratch.dense.dense(x, kernel, bias)
    inputs = [tf.constant(array) for array in (x, kernel, bias)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        expected = reference.dense.dense(*inputs)
    gradients = tape.gradient(expected, inputs, output_gradients=tf.constant(dy))
    assert within_rounding(y, expected, terms=6)
    for here, there in zip(backward(dy), gradients, strict=True):
        assert within_rounding(here, there, terms=14)


def test_dense_without_bias_has_two_gradients():
    y, backward = scratch.dense.dense(normal(7, 5), normal(5, 3))
    dx, dkernel = backward(normal(7, 3))
    assert y.shape == (7, 3)
    assert dx.shape == (7, 5)
    assert dkernel.shape == (5, 3)


def test_dense_leaves_out_dx_where_nobody_needs_it():
    _, backward = scratch.dense.dense(normal(7, 5), normal(5, 3), normal(3))
    dy = normal(7, 3)
    dx, *rest = backward(dy, needs_dx=False)
    assert dx is None
    for here, there in zip(rest, backward(dy)[1:], strict=True):
        assert np.array_equal(here, there)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", [None, "relu", "sigmoid", "tanh", "softmax"])
def test_layer_is_keras_layer_from_the_same_seed(dtype, activation):
    arguments = {"activation": activation, "dtype": dtype}
    random.set_random_seed(11)
    layer = scratch.dense.Dense(3, **arguments)
    reference_random.set_random_seed(11)
    twin = reference.dense.Dense(3, **arguments)
    x = normal(7, 5, dtype=dtype)
    expected = twin(x)
    assert within_rounding(layer(x), expected, terms=8)
    for here, there in zip(layer.get_weights(), twin.get_weights(), strict=True):
        assert np.array_equal(here, there)


def test_layer_returns_dx_and_gradients_in_the_order_of_its_weights():
    layer = scratch.dense.Dense(3, activation="relu")
    x, dy = normal(7, 5, dtype="float32"), normal(7, 3, dtype="float32")
    y, backward = layer.forward(x, training=True)
    dx, gradients = backward(dy)
    assert dx.shape == x.shape
    assert [g.shape for g in gradients] == [w.shape for w in layer.trainable_weights]
    dz = dy * (y > 0)
    assert np.array_equal(gradients[1], dz.sum(axis=0))


def test_layer_used_twice_keeps_both_backwards():
    layer = scratch.dense.Dense(5, dtype="float64")
    x = normal(7, 5)
    first, backward_first = layer.forward(x)
    second, _ = layer.forward(first)
    alone = layer.forward(x)[1](x)
    assert np.array_equal(backward_first(x)[0], alone[0])
    assert second.shape == (7, 5)


def test_frozen_layer_passes_the_gradient_on_and_has_none_of_its_own():
    layer = scratch.dense.Dense(3, dtype="float64")
    x, dy = normal(7, 5), normal(7, 3)
    expected, _ = layer.forward(x)[1](dy)
    layer.trainable = False
    dx, gradients = layer.forward(x)[1](dy)
    assert np.array_equal(dx, expected)
    assert gradients == []
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == 2


def test_weights_are_exchanged_with_keras():
    layer, twin = scratch.dense.Dense(3), reference.dense.Dense(3)
    x = normal(7, 5, dtype="float32")
    layer(x), twin(x)
    layer.set_weights(twin.get_weights())
    assert within_rounding(layer(x), twin(x), terms=6)
    twin.set_weights([weight + 1 for weight in layer.get_weights()])
    assert np.array_equal(twin.get_weights()[1], layer.bias + 1)


@pytest.mark.parametrize("units", [0, -1, 2.0, "3", None, True])
def test_units_must_be_a_positive_integer(units):
    with pytest.raises(ValueError, match=f"units is a positive integer, not {units!r}"):
        scratch.dense.Dense(units)


@pytest.mark.parametrize("argument", ["lora_rank", "lora_alpha", "quantization_config"])
def test_arguments_not_supported_are_refused_by_name(argument):
    with pytest.raises(TypeError, match=argument):
        scratch.dense.Dense(3, **{argument: None})


def test_input_of_another_width_is_refused():
    layer = scratch.dense.Dense(3)
    layer(normal(7, 5))
    with pytest.raises(ValueError, match=r"dense expects \(\.\.\., 5\), not \(7, 4\)"):
        layer(normal(7, 4))
    with pytest.raises(ValueError, match="dense expects"):
        layer(normal(5))


def test_weights_of_another_shape_are_refused():
    layer = scratch.dense.Dense(3)
    layer(normal(7, 5))
    with pytest.raises(ValueError, match="has weights of shapes"):
        layer.set_weights([normal(5, 3)])


def naive_pair():
    random.set_random_seed(3)
    here = scratch.dense.NaiveSequential(
        [
            scratch.dense.NaiveDense(6, 4, activations.relu),
            scratch.dense.NaiveDense(4, 3, activations.softmax),
        ]
    )
    reference_random.set_random_seed(3)
    there = reference.dense.NaiveSequential(
        [
            reference.dense.NaiveDense(6, 4, reference_activations.relu),
            reference.dense.NaiveDense(4, 3, reference_activations.softmax),
        ]
    )
    return here, there


def test_naive_network_is_that_of_its_twin():
    here, there = naive_pair()
    for weight, twin in zip(here.weights, there.weights, strict=True):
        assert np.array_equal(weight, twin.numpy())
        assert 0 <= weight.min() <= weight.max() < 0.1
    x, dy = normal(5, 6, dtype="float32"), normal(5, 3, dtype="float32")
    y, backward = here.forward(x)
    with tf.GradientTape() as tape:
        expected = there(x)
    gradients = tape.gradient(expected, there.weights, output_gradients=tf.constant(dy))
    assert within_rounding(y, expected, terms=8)
    for gradient, twin in zip(backward(dy)[1], gradients, strict=True):
        assert within_rounding(gradient, twin, terms=40)


@pytest.mark.parametrize("side", [scratch.dense, reference.dense])
def test_batches_cover_an_epoch_and_start_over(side):
    images, labels = np.arange(14).reshape(7, 2), np.arange(7)
    generator = side.BatchGenerator(images, labels, batch_size=3)
    assert generator.num_batches == 3
    assert [len(batch) for batch, _ in generator] == [3, 3, 1]
    drawn = [np.asarray(generator.next()[1]).tolist() for _ in range(4)]
    assert drawn == [[0, 1, 2], [3, 4, 5], [6], [0, 1, 2]]


def test_inputs_without_features_give_the_bias():
    y, backward = scratch.dense.Dense(3).forward(np.ones((4, 0)))
    dx, (dkernel, dbias) = backward(np.ones_like(y))
    assert not y.any()
    assert (dx.shape, dkernel.shape, dbias.tolist()) == ((4, 0), (0, 3), [4, 4, 4])


@pytest.mark.parametrize("batch_size", [0, -1, 2.5])
def test_batches_hold_a_positive_number_of_samples(batch_size):
    with pytest.raises(ValueError, match="batch_size is a positive integer, not"):
        scratch.dense.BatchGenerator(np.ones(3), np.ones(3), batch_size)


def test_batches_need_a_label_for_every_image():
    with pytest.raises(ValueError, match="3 images but 2 labels"):
        scratch.dense.BatchGenerator(np.zeros(3), np.zeros(2))
