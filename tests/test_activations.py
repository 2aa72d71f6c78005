import functools
import inspect
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from reference import activations as reference
from scratch import activations as scratch

NAMES = [
    *("linear", "step", "cos", "exponential", "relu", "leaky_relu", "relu6", "elu", "selu", "celu"),
    *("sigmoid", "log_sigmoid", "hard_sigmoid", "sparse_sigmoid", "tanh", "hard_tanh"),
    *("tanh_shrink", "hard_shrink", "soft_shrink", "threshold", "softsign", "softplus"),
    *("sparse_plus", "squareplus", "silu", "hard_silu", "mish", "gelu", "glu", "softmax"),
    *("log_softmax", "sparsemax"),
]
NEEDED = {"threshold": {"threshold": 0.3, "default_value": 0.7}}
CASES = [
    *((name, NEEDED.get(name, {})) for name in NAMES),
    ("leaky_relu", {"negative_slope": 0.05}),
    ("elu", {"alpha": 0.7}),
    ("celu", {"alpha": 0.7}),
    ("hard_shrink", {"threshold": 0.2}),
    ("soft_shrink", {"threshold": 0.2}),
    ("squareplus", {"b": 2.5}),
    ("gelu", {"approximate": True}),
]
OVER_AN_AXIS = {"glu", "softmax", "log_softmax", "sparsemax"}
ELEMENTWISE = [case for case in CASES if case[0] not in OVER_AN_AXIS]
DTYPES = ["float32", "float64"]
SATURATED = [-1e4, -100.0, -20.0, -1e-3, 0.0, 1e-3, 20.0, 100.0, 1e4]


def case_name(case):
    return " ".join(map(str, [case[0], *case[1].values()]))


def both(case):
    """The function of a case on both sides, with its arguments."""
    name, arguments = case
    return [functools.partial(getattr(side, name), **arguments) for side in (scratch, reference)]


def tape(function, x, dy):
    """Value and gradient as TensorFlow has them."""
    x = tf.constant(x)
    with tf.GradientTape() as recorder:
        recorder.watch(x)
        y = function(x)
    zero = tf.UnconnectedGradients.ZERO
    return y.numpy(), recorder.gradient(y, x, tf.constant(dy), zero).numpy()


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
@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_backward_keeps_its_contract(case, dtype):
    function, _ = both(case)
    x, dy = samples((3, 1, 6), dtype)
    y, backward = function(x)
    dy = dy[..., : y.shape[-1]]
    dx = backward(dy)
    assert y.dtype == dx.dtype == x.dtype
    assert dx.shape == x.shape
    assert not np.shares_memory(dx, x)
    assert np.array_equal(backward(dy), dx)
    assert np.array_equal(backward(8 * dy), 8 * dx)
    assert not backward(0 * dy).any()


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_gradient_is_the_derivative_of_the_forward(case):
    """Complex step: the imaginary part of f(x + ih) is h f'(x) without any difference taken."""
    function, _ = both(case)
    x, dy = samples((4, 6), "float64")
    y, backward = function(x)
    dy = dy[:, : y.shape[-1]]
    for i, j in np.ndindex(x.shape):
        z = x.astype(complex)
        z[i, j] += 1e-200j
        slope = np.sum(dy * function(z)[0].imag / 1e-200)
        # ten roundings of the largest term: x, y, or the gradients of one row together
        size = max(np.abs(dy[i]).sum(), 1) * max(1, np.abs(x[i]).max(), np.abs(y[i]).max())
        assert abs(backward(dy)[i, j] - slope) <= 10 * np.finfo(float).eps * size


@pytest.mark.parametrize("case", ELEMENTWISE, ids=case_name)
def test_complex_step_passes_saturation_and_kinks(case):
    """The imaginary part is h times the gradient where exp overflows and at a kink as well."""
    function, _ = both(case)
    x = np.array(SATURATED)[: -2 if case[0] == "exponential" else None]
    _, backward = function(x)
    slope = function(x + 1e-200j)[0].imag / 1e-200
    # gradients of saturated functions, as 1 - y, have lost the digits below the rounding of 1
    assert_within(backward(np.ones_like(x)), slope, 8 * np.finfo(float).eps * (1 + np.abs(slope)))


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_longdouble_passes(case):
    if case == ("gelu", {}):
        pytest.skip("scipy has no erfc of long numbers")
    x, _ = samples((2, 4), "longdouble")
    y, backward = both(case)[0](x)
    assert y.dtype == backward(y).dtype == np.longdouble


# Where each function, or its slope, has a corner.
CORNERS = [-6, -3, -1, -0.5, -0.3, -0.2, 0, 0.2, 0.3, 0.5, 1, 3, 6]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", ELEMENTWISE, ids=case_name)
def test_value_and_gradient_are_those_of_keras_at_corners_and_saturated(case, dtype):
    """At each corner, a unit beside it and far out: some 8 roundings of the result or of 1.

    A rounding of x moves exp(x) by |x| roundings, up to 20; beyond, exp is 0 or overflows.
    """
    here, there = both(case)
    eps, corners = np.finfo(dtype).eps, np.array(CORNERS, dtype)
    far = np.array([*SATURATED, -800, 800], dtype)
    x = np.concatenate([corners, corners * (1 - eps), corners * (1 + eps), [-eps, eps], far])
    x = x[x != 0] if case[0] == "celu" else x
    assert x.dtype == dtype
    dy = np.linspace(-1, 1, x.size, dtype=dtype)
    y, backward = here(x)
    expected_y, expected_dx = tape(there, x, dy)
    finite = np.isfinite(expected_y)
    assert np.array_equal(np.isfinite(y), finite)
    assert finite.all() or case[0] == "exponential"
    assert y.dtype == backward(dy).dtype == dtype
    units = 8 * eps * (1 + np.minimum(np.abs(x), 20))[finite]
    for mine, theirs in (y, expected_y), (backward(dy), expected_dx):
        mine, theirs = mine[finite], theirs[finite]
        assert np.all(np.abs(mine - theirs) <= units * (1 + np.abs(theirs)))


PIECEWISE = ["step", "leaky_relu", "relu6", "hard_sigmoid", "sparse_sigmoid", "hard_tanh"]
PIECEWISE += ["hard_shrink", "soft_shrink", "threshold", "hard_silu"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PIECEWISE)
def test_what_is_piecewise_has_the_bits_of_keras(name, dtype):
    here, there = both((name, NEEDED.get(name, {})))
    x, dy = samples(500, dtype)
    y, backward = here(x)
    expected_y, expected_dx = tape(there, x, dy)
    assert np.array_equal(y, expected_y)
    assert np.array_equal(backward(dy), expected_dx)


def test_slopes_at_corners_in_words():
    def slopes(name, *x, **arguments):
        return getattr(scratch, name)(np.array(x), **arguments)[1](np.ones(len(x))).tolist()

    assert slopes("step", -1.0, 0.0, 1.0) == [0, 0, 0]
    assert slopes("elu", 0.0) == [1]
    assert slopes("elu", 0.0, alpha=0.5) == [0.5]
    assert slopes("selu", 0.0) == [1.0507009873554805]
    assert slopes("leaky_relu", 0.0, negative_slope=0.5) == [0.5]
    assert slopes("hard_tanh", -1.0, 1.0) == [1, 1]
    assert slopes("hard_sigmoid", -3.0, 3.0) == [0, 0]
    assert slopes("sparse_sigmoid", -1.0, 1.0) == [0, 0]
    assert slopes("hard_shrink", -0.5, 0.5) == slopes("soft_shrink", -0.5, 0.5) == [0, 0]
    assert slopes("threshold", 0.5, threshold=0.5, default_value=2.0) == [0]


def test_celu_has_slope_1_at_0_where_keras_has_2():
    x, one = np.array([0.0]), np.array([1.0])
    for alpha in 0.5, 1.0:
        assert scratch.celu(x, alpha)[1](one) == 1
        assert tape(lambda x, a=alpha: reference.celu(x, a), x, one)[1] == 2


def test_step_and_cos():
    x = np.array([-0.1, 0.0, 0.1], "float32")
    assert scratch.step(x)[0].tolist() == reference.step(tf.constant(x)).numpy().tolist()
    assert scratch.step(x)[0].tolist() == [0, 0, 1]
    assert scratch.cos(np.zeros(1))[0] == 1


def test_constants_pass_through_float32_as_in_keras():
    """With the constants of float64 the values would differ by a million roundings and more."""
    x = np.linspace(-3, 3, 101)
    erf_share = (1 + np.array([math.erf(v / math.sqrt(2)) for v in x])) / 2
    cubic = x + 0.044715 * x**3
    by_tanh = x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * cubic))
    with_float64_constants = [
        (("leaky_relu", {}), np.where(x > 0, x, 0.2 * x)),
        (("gelu", {}), x * erf_share),
        (("gelu", {"approximate": True}), by_tanh),
    ]
    for case, values in with_float64_constants:
        here, there = both(case)
        assert_within(here(x)[0], there(x).numpy(), 8 * np.finfo(float).eps)
        assert np.abs(here(x)[0] - values).max() > 8e-10


@pytest.mark.parametrize(("shape", "axis"), [((3, 4), -1), ((4, 3), 0), ((2, 6, 3), 1), ((2,), 0)])
def test_glu_matches_keras_over_any_axis(shape, axis):
    x, dy = samples(shape, "float64")
    dy = np.split(dy, 2, axis)[0]
    y, backward = scratch.glu(x, axis)
    expected_y, expected_dx = tape(lambda x: reference.glu(x, axis), x, dy)
    bound = 8 * np.finfo(float).eps * np.abs(x).max()
    assert_within(y, expected_y, bound)
    assert_within(backward(dy), expected_dx, bound)


def test_glu_refuses_an_odd_axis():
    with pytest.raises(ValueError, match=r"axis 1, which is odd in shape \(4, 3\)"):
        scratch.glu(np.zeros((4, 3)), 1)
    with pytest.raises(ValueError, match="axis 5 is out of bounds for array of dimension 2"):
        scratch.glu(np.zeros((4, 4)), 5)


def published_sparsemax(x):
    """The published function in TensorFlow: the tape differentiates the mean over the support."""
    ordered = tf.sort(x, direction="DESCENDING")
    sums = tf.cumsum(ordered, axis=-1)
    k = tf.range(1, x.shape[-1] + 1, dtype=x.dtype)
    size = tf.reduce_sum(tf.cast(1 + k * ordered > sums, tf.int32), axis=-1, keepdims=True)
    tau = (tf.gather(sums, size - 1, batch_dims=1) - 1) / tf.cast(size, x.dtype)
    return tf.maximum(x - tau, 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sparsemax_is_the_published_function(dtype):
    """Each side rounds sums of up to seven terms, shifted by up to the largest entry."""
    x, dy = samples((50, 7), dtype)
    y, backward = scratch.sparsemax(x)
    expected_y, expected_dx = tape(published_sparsemax, x, dy)
    bound = 16 * np.finfo(dtype).eps * np.abs(x).max()
    assert_within(y, expected_y, bound)
    assert_within(backward(dy), expected_dx, bound)
    assert np.all(np.abs(y.sum(-1) - 1) <= bound)
    assert 1 < (y > 0).sum(-1).mean() < 7


def test_sparsemax_of_a_distribution_is_itself_where_keras_departs():
    p = np.array([0.5, 0.4, 0.1])
    assert_within(scratch.sparsemax(p)[0], p, 2 * np.finfo(float).eps)
    sums = np.cumsum(p)
    keras_tau = (sums.sum() - 1) / 3  # all cumulative sums where the formula has the last
    expected = np.maximum(p - keras_tau, 0)
    assert_within(reference.sparsemax(p).numpy(), expected, 2 * np.finfo(float).eps)
    assert expected.sum() < 0.04


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_sparsemax_works_over_any_axis_and_far_out(axis):
    x = 1e4 * samples((3, 4, 5), "float64")[0]
    x = np.concatenate([x, samples((3, 4, 5), "float64", seed=1)[0]], axis=(axis + 1) % 3)
    y, _ = scratch.sparsemax(x, axis)
    rows = np.moveaxis(x, axis, -1).reshape(-1, x.shape[axis])
    expected = np.stack([scratch.sparsemax(row)[0] for row in rows])
    assert np.array_equal(np.moveaxis(y, axis, -1).reshape(rows.shape), expected)
    # the shift by the largest entry is rounded at its own size
    assert np.all(np.abs(y.sum(axis) - 1) <= 8 * np.finfo(float).eps * np.abs(x).max())


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
    for alias in "swish", "hard_swish":
        assert scratch.get(alias).__name__ == reference.get(alias).__name__

    def cube(x):
        return x**3, lambda dy: 3 * dy * x**2

    assert scratch.get(cube) is cube


@pytest.mark.parametrize("identifier", ["rellu", 3, ["relu"], {"class_name": "relu"}])
def test_get_refuses_the_unknown_in_one_line(identifier):
    with pytest.raises(ValueError, match="choose from linear, step, cos, exponential") as caught:
        scratch.get(identifier)
    assert repr(identifier) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_reference_is_keras_itself():
    for name in [*(set(NAMES) - {"step", "cos"}), "get"]:
        assert getattr(reference, name) is getattr(keras.activations, name)


def test_every_activation_of_keras_is_there():
    theirs = {name for name in dir(keras.activations) if not name.startswith("_")}
    assert theirs - {"serialize", "deserialize", "swish", "hard_swish"} <= set(dir(scratch))


@pytest.mark.parametrize("shape", [(0, 3), (2, 0)])
def test_a_softmax_of_nothing_is_nothing(shape):
    y, backward = scratch.softmax(np.ones(shape))
    assert y.shape == backward(y).shape == reference.softmax(np.ones(shape)).shape == shape
