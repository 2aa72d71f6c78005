"""scratch.regularizers against Keras: penalties, and gradients against the tape."""

import inspect

import numpy as np
import pytest
import tensorflow as tf

from reference import regularizers as keras_regularizers
from scratch import optimizers, regularizers

CASES = [
    ("L1", {"l1": 0.3}),
    ("L2", {"l2": 0.3}),
    ("L1L2", {"l1": 0.1, "l2": 0.3}),
    ("L1L2", {"l1": 0.1}),
    ("L1L2", {"l2": 0.1}),
    ("OrthogonalRegularizer", {"factor": 0.3}),
    ("OrthogonalRegularizer", {"factor": 0.3, "mode": "columns"}),
]
NAMES = ["Regularizer", "L1", "L2", "L1L2", "OrthogonalRegularizer"]
X = np.random.default_rng(0).standard_normal((7, 5))


def with_gradient(regularizer, x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        penalty = regularizer(x)
    return penalty.numpy(), tape.gradient(penalty, x).numpy()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_penalty_and_gradient_are_keras_s(name, arguments, dtype):
    """A penalty sums up to 35 numbers, a gradient of the cosines products of 7 and of 5."""
    if name == "OrthogonalRegularizer" and dtype == "float64":
        return  # Keras fails: see below
    x = X.astype(dtype)
    penalty, backward = getattr(regularizers, name)(**arguments).forward(x)
    expected, gradient = with_gradient(getattr(keras_regularizers, name)(**arguments), x)
    assert penalty.dtype == backward().dtype == dtype
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(penalty, expected, rtol=X.size * eps)
    np.testing.assert_allclose(backward(), gradient, rtol=0, atol=12 * eps * np.abs(gradient).max())


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_gradients_are_those_of_the_complex_step(name, arguments):
    regularizer = getattr(regularizers, name)(**arguments)
    _, backward = regularizer.forward(X)
    expected = np.empty_like(X)
    for index in np.ndindex(X.shape):
        moved = X.astype(complex)
        moved[index] += 1e-200j
        expected[index] = regularizer(moved).imag / 1e-200
    np.testing.assert_allclose(backward(), expected, rtol=0, atol=1e-15)
    np.testing.assert_allclose(backward(-3.0), -3 * expected, rtol=0, atol=3e-15)


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_backward_changes_nothing_and_answers_twice(name, arguments):
    x = X.copy()
    x.flags.writeable = False
    _, backward = getattr(regularizers, name)(**arguments).forward(x)
    first, second = backward(2.0), backward(2.0)
    np.testing.assert_array_equal(first, second)
    assert not np.may_share_memory(first, x)
    assert not backward(0.0).any()


@pytest.mark.parametrize("name", ["L1", "L2", "OrthogonalRegularizer"])
def test_factors_are_rounded_to_float32(name):
    rounded = np.float64(np.float32(0.1))
    x = np.array([[1.0, 0.0], [1.0, 0.0]])
    count = 1 if name == "OrthogonalRegularizer" else 2
    assert getattr(regularizers, name)(0.1)(x) == count * rounded != count * 0.1


def test_l1_has_no_slope_at_zero():
    x = np.array([[0.0, -0.0, 2.0, -3.0]], np.float32)
    expected = with_gradient(keras_regularizers.L1(0.5), x)[1]
    np.testing.assert_array_equal(regularizers.L1(0.5).forward(x)[1](), expected)
    np.testing.assert_array_equal(expected, [[0, 0, 0.5, -0.5]])


def test_l2_is_twice_as_strong_as_it_looks():
    weight, decayed, gradient = np.full(3, 2.0), np.full(3, 2.0), np.full(3, 0.5)
    _, backward = regularizers.L2(0.25).forward(weight)
    optimizers.SGD(0.125).apply([gradient + backward()], [weight])
    optimizers.SGD(0.125, weight_decay=0.5).apply([gradient], [decayed])
    np.testing.assert_array_equal(weight, decayed)


def test_orthogonal_rows_go_unpunished_and_alike_ones_do_not():
    regularizer = regularizers.OrthogonalRegularizer(0.5)
    assert regularizer(np.array([[3.0, 0, 0], [0, 0.1, 0]])) == 0
    assert regularizer(np.array([[3.0, 0, 0], [0.1, 0, 0]])) == 0.5
    assert regularizer(np.array([[3.0, 0, 0], [-0.1, 0, 0], [0, 1, 0]])) == pytest.approx(0.5 / 3)


@pytest.mark.parametrize("short", [0.0, 1e-9])
def test_short_rows_count_as_of_length_1e_7(short):
    x = np.array([[short, 0, 0], [1, 2, 3], [0, 1, 1]], np.float32)
    penalty, backward = regularizers.OrthogonalRegularizer(0.1).forward(x)
    expected, gradient = with_gradient(keras_regularizers.OrthogonalRegularizer(0.1), x)
    np.testing.assert_allclose(penalty, expected, rtol=9 * 2**-23)
    bound = 12 * 2**-23 * np.abs(gradient).max(axis=1, keepdims=True)
    assert np.all(np.abs(backward() - gradient) <= bound)


def test_keras_s_orthogonal_regularizer_fails_on_float64():
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected to be a float tensor"):
        keras_regularizers.OrthogonalRegularizer()(tf.constant(X))


def test_a_single_row_has_no_pair():
    x = np.ones((1, 3), np.float32)
    assert np.isnan(keras_regularizers.OrthogonalRegularizer()(tf.constant(x)))
    for bad in (x, np.ones(3), np.ones((2, 2, 2))):
        with pytest.raises(ValueError, match=r"takes a matrix of rows, not \("):
            regularizers.OrthogonalRegularizer()(bad)


def test_the_base_class_punishes_nothing():
    penalty, backward = regularizers.Regularizer().forward(X)
    assert penalty == keras_regularizers.Regularizer()(tf.constant(X)) == 0
    np.testing.assert_array_equal(backward(), np.zeros_like(X))


@pytest.mark.parametrize("name", NAMES[1:])
def test_defaults_are_keras_s(name):
    def parameters(side):
        listed = inspect.signature(getattr(side, name)).parameters.values()
        return [(p.name, p.default) for p in listed]

    assert parameters(regularizers) == parameters(keras_regularizers)


def test_none_stands_for_the_default_factor():
    for side in (regularizers, keras_regularizers):
        assert np.float32(side.L1(None).l1) == np.float32(0.01)
        assert side.L2(None).l2 == 0.01
        assert side.L1L2(None, None).l1 == side.L1L2(None, None).l2 == 0


@pytest.mark.parametrize("name", [*NAMES, "l1", "l2", "l1l2", "orthogonal_regularizer"])
def test_get_knows_keras_s_names(name):
    assert type(regularizers.get(name)).__name__ == type(keras_regularizers.get(name)).__name__


def test_get_takes_classes_instances_and_functions():
    regularizer = regularizers.L2(0.5)
    assert regularizers.get(regularizer) is regularizer
    assert regularizers.get(None) is None
    assert isinstance(regularizers.get(regularizers.L1), regularizers.L1)
    own = regularizers.get(lambda x: (x.sum(), lambda dpenalty=1: np.full_like(x, dpenalty)))
    assert own(X) == X.sum()
    np.testing.assert_array_equal(own.forward(X)[1](3.0), np.full_like(X, 3))
    for wrong in ("l3", 0.1, ["l1"]):
        with pytest.raises(ValueError, match=r"a regularizer is one of Regularizer, .*, not"):
            regularizers.get(wrong)


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "0.1"])
@pytest.mark.parametrize("name", NAMES[1:])
def test_factors_are_numbers_from_zero(name, value):
    for side in (regularizers, keras_regularizers):
        with pytest.raises(ValueError, match=r"l1|l2|factor"):
            getattr(side, name)(value)


def test_modes_are_named():
    with pytest.raises(ValueError, match="mode is 'rows' or 'columns', not 'diagonal'"):
        regularizers.OrthogonalRegularizer(mode="diagonal")
