"""Merging layers against Keras's: several inputs, broadcasting summed back, ties to the first."""

import inspect

import numpy as np
import pytest
import tensorflow as tf

from reference import merging as reference
from scratch import merging as scratch

DTYPES = ["float32", "float64"]
RNG = np.random.default_rng(8)
ELEMENTWISE = ["add", "multiply", "average", "maximum", "minimum"]
SHAPES = [
    ((3, 5), (3, 5)),
    ((1, 5), (1, 5), (1, 5)),
    ((3, 5, 7), (3, 1, 7), (3, 5, 1)),
    ((3, 1, 7), (3, 5, 1)),
    ((3, 1), (3, 1)),
    ((3, 5),),
]


def normal(*shape, dtype="float64"):
    x = RNG.standard_normal(shape).astype(dtype)
    x.flags.writeable = False
    return x


def ties(*shape, dtype="float64"):
    x = RNG.integers(-1, 2, shape).astype(dtype)
    x.flags.writeable = False
    return x


def tape(function, inputs):
    """(y, dy, the list of dx) as TensorFlow has them."""
    inputs = [tf.constant(x) for x in inputs]
    with tf.GradientTape() as recorder:
        recorder.watch(inputs)
        y = function(inputs)
    dy = normal(*y.shape, dtype=y.dtype.name)
    return y.numpy(), dy, [dx.numpy() for dx in recorder.gradient(y, inputs, tf.constant(dy))]


def assert_within_rounding(here, there, terms):
    """Sums of `terms` numbers, in another order on each side, differ by a rounding per term."""
    assert here.dtype == there.dtype
    assert here.shape == there.shape
    bound = terms * np.finfo(there.dtype).eps * max(1.0, np.abs(there).max())
    assert np.abs(here - there).max() <= bound


def assert_pair(here, there, inputs, terms=30):
    """Value and gradients are TensorFlow's, and the backward keeps its contract."""
    y, backward = here(*inputs)
    expected, dy, gradients = tape(lambda x: there(*x), inputs)
    assert_within_rounding(y, expected, terms)
    for dx, expected_dx in zip(backward(dy), gradients, strict=True):
        assert_within_rounding(dx, expected_dx, terms)
        assert not any(np.shares_memory(dx, x) for x in inputs)
    assert all(map(np.array_equal, backward(dy), backward(dy)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("numbers", [normal, ties])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elementwise_function_is_its_twin(name, numbers, shapes, dtype):
    inputs = [numbers(*shape, dtype=dtype) for shape in shapes]
    assert_pair(getattr(scratch, name), getattr(reference, name), inputs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shapes", [((3, 5), (3, 5)), ((3, 5, 1), (3, 1, 7))])
def test_subtract_is_its_twin(shapes, dtype):
    inputs = [normal(*shape, dtype=dtype) for shape in shapes]
    assert_pair(scratch.subtract, reference.subtract, inputs)


@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_a_tie_goes_to_the_first_input(name):
    y, backward = getattr(scratch, name)(np.array([[3.0]]), np.array([[3.0]]), np.array([[3.0]]))
    assert y == 3
    assert [float(dx.item()) for dx in backward(np.array([[2.0]]))] == [2, 0, 0]


def test_zeros_do_not_hide_the_gradient_of_a_product():
    _, backward = scratch.multiply(np.array([[0.0]]), np.array([[2.0]]), np.array([[5.0]]))
    assert [float(dx.item()) for dx in backward(np.array([[1.0]]))] == [10, 0, 0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("shapes", "axis"),
    [
        (((3, 5), (3, 2)), -1),
        (((3, 5, 7), (3, 2, 7), (3, 1, 7)), 1),
        (((1, 5, 7),), 2),
        (((3, 5), (2, 5)), 0),
    ],
)
def test_concatenate_is_its_twin(shapes, axis, dtype):
    assert_pair(
        lambda *x: scratch.concatenate(*x, axis=axis),
        lambda *x: reference.concatenate(*x, axis=axis),
        [normal(*shape, dtype=dtype) for shape in shapes],
    )


DOTS = [
    ((3, 5), (3, 5), 1),
    ((1, 5), (1, 5), -1),
    ((3, 5, 2), (3, 7, 2), -1),
    ((3, 5, 2), (3, 5, 7), 1),
    ((3, 5, 2), (3, 4, 5), (1, 2)),
    ((3, 5), (3, 4, 5), (-1, -1)),
    ((3, 4, 5), (3, 5), (2, 1)),
    ((3, 2, 5, 4), (3, 5, 7), (2, 1)),
    ((3, 2, 5), (3, 4, 5, 2), (2, -2)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize(("shape1", "shape2", "axes"), DOTS)
def test_dot_is_its_twin(shape1, shape2, axes, normalize, dtype):
    assert_pair(
        lambda x1, x2: scratch.dot(x1, x2, axes, normalize),
        lambda x1, x2: reference.dot(x1, x2, axes, normalize),
        [normal(*shape1, dtype=dtype), normal(*shape2, dtype=dtype)],
    )


@pytest.mark.parametrize("name", ["multiply", "maximum", "minimum", "dot"])
def test_gradient_is_the_derivative_of_the_forward(name):
    """Complex step: the imaginary part of f(x + ih) is h f'(x) without any difference taken."""
    function = getattr(scratch, name)
    inputs, directions = [normal(3, 5), normal(3, 5)], [normal(3, 5), normal(3, 5)]
    y, backward = function(*inputs)
    moved, _ = function(*[x + 1e-200j * v for x, v in zip(inputs, directions, strict=True)])
    dy = normal(*y.shape)
    terms = [dx * v for dx, v in zip(backward(dy), directions, strict=True)]
    slope = np.sum(dy * moved.imag / 1e-200)
    assert abs(np.sum(terms) - slope) <= 1e-14 * np.sum(np.abs(terms))


@pytest.mark.parametrize("name", [*ELEMENTWISE, "dot"])
def test_longdouble_passes(name):
    x = normal(3, 5).astype("longdouble")
    y, backward = getattr(scratch, name)(x, x)
    assert y.dtype == "longdouble"
    assert {dx.dtype for dx in backward(y)} == {np.dtype("longdouble")}


LAYERS = [
    *[(name.title(), {}, shapes) for name in ELEMENTWISE for shapes in SHAPES],
    *[(name.title(), {}, ((3, 5), (3, 4, 5), (3, 2, 1, 5))) for name in ELEMENTWISE],
    ("Subtract", {}, ((3, 5), (3, 5))),
    ("Subtract", {}, ((3, 7), (3, 5, 1))),
    ("Concatenate", {}, ((3, 5), (3, 2), (3, 1))),
    ("Concatenate", {"axis": 1}, ((3, 5, 7), (3, 2, 7))),
    ("Dot", {"axes": 1}, ((3, 5), (3, 5))),
    ("Dot", {"axes": -1, "normalize": True}, ((3, 4, 5), (3, 2, 5))),
    ("Dot", {"axes": (2, 1)}, ((3, 4, 5), (3, 5))),
    ("Dot", {"axes": [1, 2]}, ((1, 5, 4), (1, 2, 5))),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "arguments", "shapes"), LAYERS)
def test_layer_is_keras_layer(name, arguments, shapes, dtype):
    layer = getattr(scratch, name)(**arguments, dtype=dtype)
    twin = getattr(reference, name)(**arguments, dtype=dtype)
    inputs = [normal(*shape, dtype=dtype) for shape in shapes]
    y, backward = layer.forward(inputs, training=True)
    expected, dy, expected_dx = tape(twin, inputs)
    dx, gradients = backward(dy)
    assert_within_rounding(y, expected, terms=30)
    assert isinstance(dx, list)
    for here, there in zip(dx, expected_dx, strict=True):
        assert_within_rounding(here, there, terms=30)
    assert gradients == layer.weights == []
    unknown = [(None, *shape[1:]) for shape in shapes]
    assert layer.compute_output_shape(unknown) == (None, *expected.shape[1:])


def test_sizes_not_yet_known_stay_unknown():
    shapes = [(None, None, 3), (None, 1, 3)]
    assert scratch.Add().compute_output_shape(shapes) == (None, None, 3)
    assert scratch.Concatenate(1).compute_output_shape(shapes) == (None, None, 3)


@pytest.mark.parametrize("name", [name for name in dir(reference) if name[0].isupper()])
def test_signature_is_keras(name):
    ours, theirs = (
        {n: p.default for n, p in inspect.signature(getattr(side, name)).parameters.items()}
        for side in (scratch, reference)
    )
    assert set(theirs) - set(ours) <= {"args", "kwargs"}
    assert {n: theirs[n] for n in ours if n in theirs} == {n: ours[n] for n in ours if n in theirs}


@pytest.mark.parametrize(
    ("layer", "shapes", "message"),
    [
        (
            scratch.Add(),
            [(2, 5), (2, 4)],
            r"cannot merge inputs of shapes \(None, 5\), ",
        ),
        (scratch.Add(), [(2, 5), (3, 5)], r"cannot merge inputs of shapes \(2, 5\), \(3, 5\)"),
        (scratch.Subtract(), [(2, 5)], "takes 2 inputs, not 1"),
        (scratch.Concatenate(), [(2, 5, 3), (2, 4, 3)], "cannot merge inputs of shapes"),
        (scratch.Concatenate(), [(2, 5, 3), (2, 5)], "cannot merge inputs of shapes"),
        (scratch.Concatenate(3), [(2, 5), (2, 5)], "cannot merge inputs of shapes .* along axis 3"),
        (scratch.Concatenate(1.0), [(2, 5), (2, 5)], r"along axis 1\.0"),
        (scratch.Add(), [], "takes a list of inputs, and this one is empty"),
        (scratch.Dot(1), [(2, 5), (2, 4)], r"cannot sum over axes 1 of shapes \(None, 5\)"),
        (scratch.Dot(0), [(2, 5), (2, 5)], "cannot sum over axes 0"),
        (scratch.Dot(1), [(2, 5), (3, 5)], r"axes 1 of shapes \(2, 5\) and \(3, 5\)"),
        (scratch.Dot(1), [(2, 5), (1, 5)], r"axes 1 of shapes \(2, 5\) and \(1, 5\)"),
        (scratch.Dot((1, 2, 3)), [(2, 5)] * 2, r"an integer or two of them, not \(1, 2, 3\)"),
        (scratch.Dot("a"), [(2, 5)] * 2, "axes is an integer or two of them, not 'a'"),
        (scratch.Dot((1, 1.0)), [(2, 5)] * 2, r"an integer or two of them, not \(1, 1\.0\)"),
        (scratch.Dot((1, 2)), [(2, 5), (2, 5)], "cannot sum over axes"),
        (scratch.Dot(1), [(2, 5)] * 3, "takes 2 inputs, not 3"),
    ],
)
def test_inputs_that_do_not_fit_are_refused_in_one_line(layer, shapes, message):
    with pytest.raises(ValueError, match=message) as error:
        layer([normal(*shape) for shape in shapes])
    assert "\n" not in str(error.value)


def test_a_single_array_is_no_list_of_inputs():
    with pytest.raises(ValueError, match=r"takes a list of inputs, not one of shape \(None, 5\)"):
        scratch.Add()(normal(2, 5))
    layer = scratch.Multiply()
    layer([normal(2, 5), normal(2, 5)])
    with pytest.raises(ValueError, match=r"takes a list of inputs, not one of shape \(2, 5\)"):
        layer(normal(2, 5))


def test_a_residual_block_adds_up_both_ways():
    """x + relu(x): the gradient of x is that of both its uses."""
    x, dy = normal(3, 5), normal(3, 5)
    branch = np.maximum(x, 0)
    _, backward = scratch.Add(dtype="float64").forward([x, branch])
    (through_x, through_branch), _ = backward(dy)
    assert np.array_equal(through_x + through_branch * (x > 0), dy * (1 + (x > 0)))


def test_keras_adds_a_vector_as_long_as_the_last_axis_along_that():
    x, vector = np.zeros((1, 3, 3)), np.arange(3.0).reshape(1, 3, 1)
    assert np.array_equal(scratch.Add()([x, vector])[0].T, np.tile(np.arange(3), (3, 1)))
    assert np.array_equal(reference.Add()([x, vector])[0], np.tile(np.arange(3), (3, 1)))
