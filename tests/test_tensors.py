"""Tensors: the notes' numbers, loops beside whole arrays, and the gradients of both."""

import os

import numpy as np
import pytest
import tensorflow as tf

from comparisons import datasets
from reference import tensors as reference
from scratch import activations, dense
from scratch import tensors as scratch

DTYPES = ["float32", "float64"]
RNG = np.random.default_rng(5)
MNIST = pytest.mark.skipif(
    "TWOFOLD_DATA" not in os.environ, reason="TWOFOLD_DATA does not name a copy of MNIST"
)
both_sides = pytest.mark.parametrize("side", [scratch, reference])


def normal(*shape, dtype="float64"):
    x = RNG.standard_normal(shape).astype(dtype)
    x.flags.writeable = False
    return x


def value(side, name, *inputs):
    """The value alone, which is all that a function of reference returns."""
    result = getattr(side, name)(*inputs)
    return result[0] if side is scratch else np.asarray(result)


def assert_within_rounding(here, there, terms):
    """Sums of `terms` products, in another order on each side, differ by a rounding per term."""
    there = np.asarray(there)
    assert np.asarray(here).dtype == there.dtype
    assert np.shape(here) == there.shape
    bound = terms * np.finfo(there.dtype).eps * max(1.0, np.abs(there).max())
    assert np.abs(here - there).max() <= bound


# attributes and slices


@both_sides
@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (12, (0, ())),
        ([12, 3, 6, 14, 7], (1, (5,))),
        ([[5, 78, 2, 34, 0], [6, 79, 3, 35, 1], [7, 80, 4, 36, 2]], (2, (3, 5))),
        (np.zeros((3, 3, 5)), (3, (3, 3, 5))),
        (np.zeros((2, 3, 3, 5)), (4, (2, 3, 3, 5))),
    ],
)
def test_attributes_of_scalar_vector_matrix_and_more_axes(side, array, expected):
    for dtype in ("uint8", "float32", "float64"):
        x = np.array(array, dtype)
        assert side.attributes(x if side is scratch else tf.constant(x)) == (*expected, dtype)


def test_a_layout_names_the_axes_of_each_kind_of_data():
    assert scratch.LAYOUTS == reference.LAYOUTS
    ranks = {kind: len(axes) for kind, axes in scratch.LAYOUTS.items()}
    assert ranks == {"vectors": 2, "sequences": 3, "images": 4, "video": 5}
    assert {axes[0] for axes in scratch.LAYOUTS.values()} == {"samples"}


@MNIST
def test_slices_of_the_training_images():
    images = datasets.load("mnist")[0]
    everywhere = (None, None)
    assert scratch.attributes(images) == (3, (60000, 28, 28), "float32")
    some, _ = scratch.crop(images, [(10, 100)])
    corner, _ = scratch.crop(images, [everywhere, (14, None), (14, None)])
    middle, _ = scratch.crop(images, [everywhere, (7, -7), (7, -7)])
    assert some.shape == (90, 28, 28)
    assert corner.shape == middle.shape == (60000, 14, 14)
    assert np.array_equal(some, images[10:100])
    assert np.array_equal(corner, images[:, 14:, 14:])
    assert np.array_equal(middle, images[:, 7:-7, 7:-7])
    for n in (0, 1, 3):
        assert np.array_equal(scratch.batch(images, n)[0], images[128 * n : 128 * (n + 1)])
    assert scratch.batch(images, 468)[0].shape == (96, 28, 28)


def test_batches_send_back_all_that_a_sum_over_them_receives():
    x = normal(7, 2)
    dx = sum(scratch.batch(x, n, batch_size=3)[1](x[3 * n : 3 * n + 3]) for n in range(3))
    assert np.array_equal(dx, x)


def test_transposing_twice_and_reshaping_back_change_nothing():
    x = normal(3, 5, 2)
    y, backward = scratch.transpose(x, (1, 2, 0))
    assert y.shape == (5, 2, 3)
    assert np.array_equal(backward(y), x)
    y, backward = scratch.reshape(x, (6, -1))
    assert y.shape == (6, 5)
    assert np.array_equal(backward(y), x)


def test_transposed_axes_are_counted_from_the_last_where_below_0():
    x = normal(3, 5, 2)
    y, backward = scratch.transpose(x, (-2, 2, 0))
    assert np.array_equal(y, scratch.transpose(x, (1, 2, 0))[0])
    assert np.array_equal(backward(y), x)


@pytest.mark.parametrize("axes", [(0, 0, 1), (0, 1), (0, 1, 2, 3), (0, 1, 5), (0, 1, -4), ()])
def test_transpose_refuses_what_does_not_name_each_axis_once(axes):
    with pytest.raises(ValueError, match=r"name each of the 3 axes of x once, not \("):
        scratch.transpose(normal(3, 5, 2), axes)


# the notes' numbers


@both_sides
def test_relu_by_loops(side):
    y = value(side, "naive_relu", np.array([[-1, 2, -3], [4, -5, 6]], "float64"))
    assert y.tolist() == [[0, 2, 0], [4, 0, 6]]


@both_sides
@pytest.mark.parametrize("name", ["vector_dot", "naive_vector_dot", "dot"])
@pytest.mark.parametrize(
    ("x1", "x2", "expected"),
    [([1, 3, -5], [4, -2, -1], 3), ([2, 2, 4], [3, 3, 9], 48), (range(1, 6), range(1, 6), 55)],
)
def test_vector_dots(side, name, x1, x2, expected):
    assert value(side, name, np.array(x1, "float64"), np.array(x2, "float64")) == expected


@both_sides
@pytest.mark.parametrize(
    "name", ["naive_matrix_vector_dot", "naive_matrix_vector_dot_by_rows", "dot"]
)
def test_matrix_vector_dots(side, name):
    matrix, vector = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), np.array([1.0, 2.0, 3.0])
    assert value(side, name, matrix, vector).tolist() == [14, 32]


def test_loops_take_integers_too():
    assert scratch.naive_vector_dot(np.array([1, 3, -5]), np.array([4, -2, -1]))[0] == 3
    assert scratch.naive_add(np.array([[1]]), np.array([[2]]))[0].tolist() == [[3]]


@both_sides
def test_sums_and_averages_of_vectors(side):
    a, b = np.array([1.0, 2.0, 3.0]), np.array([0.5, 4.0, -1.0])
    assert value(side, "multiply", a, b).tolist() == [0.5, 8, -3]
    assert value(side, "add", a, b).tolist() == [1.5, 6, 2]
    assert value(side, "vector_sum", a) == 6
    assert value(side, "vector_average", a) == 2


# loops beside whole arrays


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("naive", "vectorised", "shapes"),
    [
        (scratch.naive_relu, activations.relu, [(5, 3)]),
        (scratch.naive_add, scratch.add, [(5, 3), (5, 3)]),
        (scratch.naive_add_matrix_and_vector, scratch.add, [(5, 3), (3,)]),
        (scratch.naive_vector_dot, scratch.vector_dot, [(7,), (7,)]),
        (scratch.naive_vector_dot, scratch.dot, [(7,), (7,)]),
        (scratch.naive_matrix_vector_dot, scratch.dot, [(5, 3), (3,)]),
        (scratch.naive_matrix_vector_dot_by_rows, scratch.dot, [(5, 3), (3,)]),
        (scratch.naive_matrix_dot, scratch.dot, [(5, 3), (3, 4)]),
    ],
)
def test_loops_give_what_the_whole_arrays_give(naive, vectorised, shapes, dtype):
    inputs = [normal(*shape, dtype=dtype) for shape in shapes]
    (y, backward), (expected, expected_backward) = naive(*inputs), vectorised(*inputs)
    assert_within_rounding(y, expected, terms=7)
    dy = normal(*np.shape(expected), dtype=dtype)
    gradients, expected_gradients = backward(dy), expected_backward(dy)
    if len(inputs) == 1:
        gradients, expected_gradients = [gradients], [expected_gradients]
    for here, there in zip(gradients, expected_gradients, strict=True):
        assert_within_rounding(here, there, terms=7)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: scratch.naive_relu(normal(3)), r"naive_relu takes 2 axes here, not shape \(3,\)"),
        (lambda: scratch.naive_add(normal(2, 3), normal(3, 2)), r"\(2, 3\) and \(3, 2\)"),
        (lambda: scratch.naive_add_matrix_and_vector(normal(2, 3), normal(2)), "cannot take"),
        (lambda: scratch.naive_vector_dot(normal(2), normal(3)), r"\(2,\) and \(3,\)"),
        (lambda: scratch.naive_matrix_vector_dot(normal(2, 3), normal(2)), "cannot take"),
        (lambda: scratch.naive_matrix_vector_dot_by_rows(normal(2), normal(2)), "takes 2 axes"),
        (lambda: scratch.naive_matrix_dot(normal(2, 3), normal(2, 3)), "cannot take"),
        (lambda: scratch.vector_dot(normal(3), normal(1)), "cannot take"),
        (lambda: scratch.add(normal(3), normal(2)), r"shapes \(3,\) and \(2,\) together"),
        (lambda: scratch.multiply(normal(5, 3), normal(2, 1, 4)), "broadcasting cannot take"),
        (
            lambda: scratch.broadcast_to(normal(3), (3, 2)),
            r"cannot repeat shape \(3,\) to \(3, 2\)",
        ),
        (lambda: scratch.broadcast_to(normal(2, 3), (3,)), "broadcast_to cannot repeat"),
        (lambda: scratch.dot(normal(3, 4), normal(5, 4)), r"dot .* \(3, 4\) and \(5, 4\) together"),
        (lambda: scratch.dot(normal(4), normal(5)), "dot cannot take"),
        (lambda: scratch.dot(normal(2, 3, 4), normal(4, 5)), "dot cannot take"),
        (lambda: scratch.dot(np.ones(()), normal(4)), "dot cannot take"),
        (lambda: scratch.affine_map(normal(5, 3), normal(2, 3), normal(3)), "dot cannot take"),
        (lambda: scratch.rotate(normal(5, 3), np.array(0.1)), "rotate cannot take"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_broadcast_vector_is_the_same_as_its_copies():
    x, offset = normal(5, 3), normal(3)
    y, backward = scratch.add(x, offset)
    copies = np.concatenate([offset[np.newaxis]] * 5)
    assert np.array_equal(y, x + copies)
    dy = normal(5, 3)
    assert_within_rounding(backward(dy)[1], dy.sum(axis=0), terms=5)


# maps of points


@both_sides
def test_geometric_maps_of_a_corner(side):
    corner = np.array([[1.0, 0.0], [0.0, 2.0]])
    assert value(side, "translate", corner, np.array([3.0, -1.0])).tolist() == [[4, -1], [3, 1]]
    assert value(side, "scale", corner, np.array([2.0, 0.5])).tolist() == [[2, 0], [0, 1]]
    turned = value(side, "rotate", corner, np.array(np.pi / 2))
    # the cosine of the float nearest to a quarter turn is 6e-17
    np.testing.assert_allclose(turned, [[0, 1], [-2, 0]], rtol=0, atol=2e-16)
    shear = np.array([[1.0, 0.0], [0.5, 1.0]])
    assert value(side, "linear_map", corner, shear).tolist() == [[1, 0], [1, 2]]
    moved = value(side, "affine_map", corner, shear, np.array([0.0, 1.0]))
    assert moved.tolist() == [[1, 1], [1, 3]]


def test_a_rotation_keeps_lengths_and_adds_up():
    x = normal(7, 2)
    once, _ = scratch.rotate(x, np.array(0.3))
    twice, _ = scratch.rotate(once, np.array(0.9))
    lengths = np.linalg.norm(x, axis=1)
    assert_within_rounding(np.linalg.norm(once, axis=1), lengths, terms=6)
    assert_within_rounding(twice, scratch.rotate(x, np.array(1.2))[0], terms=6)


@both_sides
def test_affine_maps_of_affine_maps_are_affine(side):
    x, *maps = normal(7, 2), normal(2, 3), normal(3), normal(3, 4), normal(4)
    kernel, bias = (
        value(side, "compose_affine_maps", *maps)
        if side is scratch
        else (reference.compose_affine_maps(*maps))
    )
    between = value(side, "affine_map", x, *maps[:2])
    expected = value(side, "affine_map", between, *maps[2:])
    assert_within_rounding(value(side, "affine_map", x, kernel, bias), expected, terms=12)


def test_a_stack_of_dense_layers_without_activation_is_one_dense_layer():
    x, kernel, bias = normal(7, 5), np.eye(5), np.zeros(5)
    y = x
    for _ in range(4):
        layer = normal(5, 5), normal(5)
        y, _ = dense.dense(y, *layer)
        (kernel, bias), _ = scratch.compose_affine_maps(kernel, bias, *layer)
    # four products of five terms each
    assert_within_rounding(dense.dense(x, kernel, bias)[0], y, terms=20)


# one-hot labels


@both_sides
@pytest.mark.parametrize(
    ("labels", "num_classes", "expected"),
    [
        ([0, 2, 1], None, [[1, 0, 0], [0, 0, 1], [0, 1, 0]]),
        ([[1], [0]], 3, [[0, 1, 0], [1, 0, 0]]),
        ([[1, 0]], None, [[[0, 1], [1, 0]]]),
        ([1.0, 0.0], None, [[0, 1], [1, 0]]),
        (1, 3, [0, 1, 0]),
    ],
)
def test_one_hot_labels(side, labels, num_classes, expected):
    y = side.to_categorical(labels, num_classes)
    assert y.dtype == "float64"
    assert y.tolist() == expected


@pytest.mark.parametrize(("labels", "given"), [([0, 3], "0 to 3"), ([-1, 2], "-1 to 2")])
def test_labels_outside_of_the_classes_are_refused(labels, given):
    with pytest.raises(ValueError, match=f"labels are from 0 to 2, not {given}"):
        scratch.to_categorical(labels, 3)
    assert reference.to_categorical([-1], 3).tolist() == [[0, 0, 1]]


def test_without_labels_the_number_of_classes_is_needed():
    assert scratch.to_categorical([], 3).shape == reference.to_categorical([], 3).shape == (0, 3)
    with pytest.raises(ValueError, match="num_classes must say how many"):
        scratch.to_categorical([])
