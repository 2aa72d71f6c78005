import functools
import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from reference import losses as reference
from scratch import activations, config
from scratch import losses as scratch

DTYPES = ["float32", "float64"]
SHAPES = [(5, 7), (1, 3), (2, 3, 4)]
CLASS_OF = {
    "mean_squared_error": "MeanSquaredError",
    "mean_absolute_error": "MeanAbsoluteError",
    "mean_absolute_percentage_error": "MeanAbsolutePercentageError",
    "mean_squared_logarithmic_error": "MeanSquaredLogarithmicError",
    "huber": "Huber",
    "log_cosh": "LogCosh",
    "cosine_similarity": "CosineSimilarity",
    "hinge": "Hinge",
    "squared_hinge": "SquaredHinge",
    "categorical_hinge": "CategoricalHinge",
    "kl_divergence": "KLDivergence",
    "poisson": "Poisson",
    "binary_crossentropy": "BinaryCrossentropy",
    "binary_focal_crossentropy": "BinaryFocalCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "categorical_focal_crossentropy": "CategoricalFocalCrossentropy",
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
    "categorical_generalized_cross_entropy": "CategoricalGeneralizedCrossEntropy",
    "dice": "Dice",
    "tversky": "Tversky",
    "circle": "Circle",
}
FUNCTIONS, CLASSES = list(CLASS_OF), list(CLASS_OF.values())
ALIASES = {
    "mse": "MeanSquaredError",
    "mae": "MeanAbsoluteError",
    "mape": "MeanAbsolutePercentageError",
    "msle": "MeanSquaredLogarithmicError",
    "bce": "BinaryCrossentropy",
    "kld": "KLDivergence",
}
CROSSENTROPIES = ["binary_crossentropy", "categorical_crossentropy"]
CROSSENTROPIES += ["sparse_categorical_crossentropy"]
REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None]
# name, kind of y_true, arguments
CASES = [
    ("mean_squared_error", "distribution", {}),
    ("binary_crossentropy", "bits", {}),
    ("binary_crossentropy", "bits", {"from_logits": True}),
    ("binary_crossentropy", "distribution", {"label_smoothing": 0.1}),
    ("binary_crossentropy", "distribution", {"label_smoothing": 0.1, "from_logits": True}),
    ("binary_crossentropy", "bits", {"axis": 0}),
    ("binary_crossentropy", "bits", {"axis": None, "from_logits": True}),
    ("binary_crossentropy", "bits", {"axis": (0, 1)}),
    ("categorical_crossentropy", "one-hot", {}),
    ("categorical_crossentropy", "one-hot", {"from_logits": True}),
    ("categorical_crossentropy", "distribution", {"label_smoothing": 0.1}),
    ("categorical_crossentropy", "distribution", {"label_smoothing": 0.1, "from_logits": True}),
    ("categorical_crossentropy", "distribution", {"axis": 0}),
    ("categorical_crossentropy", "distribution", {"axis": 1, "from_logits": True}),
    ("categorical_crossentropy", "distribution", {"axis": 0, "label_smoothing": 0.1}),
    ("sparse_categorical_crossentropy", "labels", {}),
    ("sparse_categorical_crossentropy", "labels", {"from_logits": True}),
    ("sparse_categorical_crossentropy", "column of labels", {}),
    ("sparse_categorical_crossentropy", "labels", {"ignore_class": 1}),
    ("sparse_categorical_crossentropy", "labels", {"ignore_class": -1, "from_logits": True}),
    ("mean_absolute_error", "values", {}),
    ("mean_absolute_percentage_error", "distribution", {}),
    ("mean_squared_logarithmic_error", "distribution", {}),
    ("huber", "values", {}),
    ("huber", "values", {"delta": 0.3}),
    ("log_cosh", "values", {}),
    ("cosine_similarity", "values", {}),
    ("cosine_similarity", "values", {"axis": 1}),
    ("hinge", "bits", {}),
    ("hinge", "signs", {}),
    ("hinge", "values", {}),
    ("squared_hinge", "bits", {}),
    ("squared_hinge", "signs", {}),
    ("categorical_hinge", "one-hot", {}),
    ("categorical_hinge", "distribution", {}),
    ("kl_divergence", "distribution", {}),
    ("poisson", "counts", {}),
    ("binary_focal_crossentropy", "bits", {}),
    ("binary_focal_crossentropy", "bits", {"from_logits": True}),
    ("binary_focal_crossentropy", "bits", {"apply_class_balancing": True, "alpha": 0.4}),
    ("binary_focal_crossentropy", "distribution", {"label_smoothing": 0.1, "gamma": 1.5}),
    ("binary_focal_crossentropy", "bits", {"axis": 0}),
    ("binary_focal_crossentropy", "bits", {"axis": None, "from_logits": True}),
    ("categorical_focal_crossentropy", "one-hot", {}),
    ("categorical_focal_crossentropy", "one-hot", {"from_logits": True}),
    ("categorical_focal_crossentropy", "distribution", {"label_smoothing": 0.1, "alpha": 0.4}),
    ("categorical_focal_crossentropy", "distribution", {"axis": 0, "gamma": 1.5}),
    ("categorical_focal_crossentropy", "distribution", {"axis": 1, "from_logits": True}),
    ("categorical_generalized_cross_entropy", "labels", {"q": 0.5}),
    ("categorical_generalized_cross_entropy", "labels", {"q": 0.1}),
    ("dice", "bits", {}),
    ("dice", "distribution", {"axis": 1}),
    ("dice", "distribution", {"axis": (0, -1)}),
    ("tversky", "bits", {}),
    ("tversky", "bits", {"alpha": 0.8, "beta": 0.8, "axis": -1}),
]
ON_SCORES = ["mean_absolute_error", "huber", "log_cosh", "cosine_similarity"]
ON_SCORES += ["hinge", "squared_hinge", "categorical_hinge"]


def case_name(case):
    return (
        " ".join(map(str, (case[0], case[1], case[2] or ""))) if isinstance(case, tuple) else None
    )


def tape(function, x, dy):
    """Value and gradient as TensorFlow has them."""
    x = tf.constant(x)
    with tf.GradientTape() as recorder:
        recorder.watch(x)
        y = function(x)
    return y.numpy(), recorder.gradient(y, x, tf.constant(dy, y.dtype)).numpy()


def distributions(rng, shape):
    weights = rng.uniform(0.2, 1, size=shape)
    return weights / weights.sum(-1, keepdims=True)


def truth(kind, shape, dtype, rng, ignored=None):
    labels = rng.integers(0, shape[-1], size=shape[:-1])
    if ignored is not None:
        labels.flat[0] = ignored
    return {
        "labels": labels,
        "column of labels": labels[..., np.newaxis],
        "one-hot": np.eye(shape[-1], dtype=dtype)[labels],
        "bits": rng.integers(0, 2, size=shape),
        "signs": 2 * rng.integers(0, 2, size=shape) - 1,
        "counts": rng.integers(0, 4, size=shape),
        "values": rng.normal(size=shape).astype(dtype),
        "distribution": distributions(rng, shape).astype(dtype),
    }[kind]


def example(case, shape, dtype):
    """y_true and y_pred of a case, read-only, so that writing to them raises."""
    name, kind, arguments = case
    rng = np.random.default_rng(7)
    y_true = truth(kind, shape, dtype, rng, arguments.get("ignore_class"))
    scores = name in ON_SCORES or arguments.get("from_logits")
    y_pred = rng.normal(size=shape) if scores else distributions(rng, shape)
    y_pred = y_pred.astype(dtype)
    y_true.flags.writeable = y_pred.flags.writeable = False
    return y_true, y_pred


def upstream(value):
    rng = np.random.default_rng(11)
    return np.asarray(rng.normal(size=np.shape(value)), np.asarray(value).dtype)


def assert_within(actual, expected, units):
    """units roundings of the largest entry apart, for terms of a sum may cancel in the others."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    bound = units * np.finfo(expected.dtype).eps * np.abs(expected).max(initial=0)
    assert np.all(np.abs(actual - expected) <= bound)


@pytest.fixture
def float64():
    before = keras.config.floatx()
    config.set_floatx("float64")
    keras.config.set_floatx("float64")
    yield
    config.set_floatx(before)
    keras.config.set_floatx(before)


@pytest.mark.parametrize("name", [*FUNCTIONS, "Loss", *CLASSES])
def test_signature_is_keras(name):
    ours = inspect.signature(getattr(scratch, name)).parameters.values()
    theirs = inspect.signature(getattr(reference, name)).parameters.values()
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_value_and_gradient_match_keras(case, shape, dtype):
    """On each side a sum over the classes and some ten further roundings."""
    name, _, arguments = case
    y_true, y_pred = example(case, shape, dtype)
    value, backward = getattr(scratch, name)(y_true, y_pred, **arguments)
    dvalue = upstream(value)
    expected = tape(lambda p: getattr(reference, name)(y_true, p, **arguments), y_pred, dvalue)
    assert_within(value, expected[0], y_pred.size + 10)
    assert_within(backward(dvalue), expected[1], y_pred.size + 10)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_backward_keeps_its_contract(case, dtype):
    name, _, arguments = case
    y_true, y_pred = example(case, (5, 7), dtype)
    value, backward = getattr(scratch, name)(y_true, y_pred, **arguments)
    dvalue = upstream(value)
    dvalue.flags.writeable = False
    gradient = backward(dvalue)
    assert value.dtype == gradient.dtype == dtype
    assert gradient.shape == y_pred.shape
    assert not np.shares_memory(gradient, y_pred)
    assert np.array_equal(backward(dvalue), gradient)
    assert np.array_equal(backward(8 * dvalue), 8 * gradient)
    assert not backward(0 * dvalue).any()


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_gradient_is_the_derivative_of_the_forward(case):
    """Complex step: the imaginary part of f(p + ih) is h f'(p) without any difference taken."""
    name, _, arguments = case
    function = getattr(scratch, name)
    y_true, y_pred = example(case, (4, 5), "float64")
    value, backward = function(y_true, y_pred, **arguments)
    dvalue = upstream(value)
    gradient = np.zeros_like(y_pred)
    for index in np.ndindex(y_pred.shape):
        moved = y_pred.astype(complex)
        moved[index] += 1e-200j
        gradient[index] = np.sum(dvalue * function(y_true, moved, **arguments)[0].imag / 1e-200)
    assert_within(backward(dvalue), gradient, y_pred.size + 10)


@pytest.mark.parametrize("case", CASES, ids=case_name)
def test_longdouble_passes(case):
    name, _, arguments = case
    y_true, y_pred = example(case, (4, 5), "longdouble")
    value, backward = getattr(scratch, name)(y_true, y_pred, **arguments)
    assert value.dtype == backward(value).dtype == np.longdouble


def test_mean_squared_error_has_the_bits_of_keras():
    y_true, y_pred = np.float32([[1, 2, 4]]), np.float32([[0.1, 0.2, 0.7]])
    value, backward = scratch.mean_squared_error(y_true, y_pred)
    expected = tape(lambda p: reference.mean_squared_error(y_true, p), y_pred, np.float32([0.3]))
    assert np.array_equal(value, expected[0])
    assert np.array_equal(backward(np.float32([0.3])), expected[1])


@pytest.mark.parametrize(("a", "b"), [((4,), (4, 1)), ((4, 1), (4,)), ((4, 2, 1), (4, 2))])
def test_mean_squared_error_takes_a_last_axis_of_size_one(a, b):
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.normal(size=a), rng.normal(size=b)
    value, backward = scratch.mean_squared_error(y_true, y_pred)
    dvalue = upstream(value)
    expected = tape(lambda p: reference.mean_squared_error(y_true, p), y_pred, dvalue)
    assert_within(value, expected[0], 4)
    assert_within(backward(dvalue), expected[1], 4)


def at_the_bounds(dtype):
    """Both bounds of the clipping, rounded in dtype, with their neighbours; and what is outside."""
    low, high = np.array([1e-7, 1 - 1e-7], dtype)
    bounds = [np.nextafter(b, side) for b in (low, high) for side in np.array([-1, 2], dtype)]
    return np.array([low, high, *bounds, 0, 1, -2, 1.5, 0.3], dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("target", [0, 1])
def test_binary_clipping_is_keras(target, dtype):
    """No gradient beyond a bound, all of it on the bound; the logarithms may differ by a unit."""
    p = at_the_bounds(dtype)[:, np.newaxis]
    y_true, dvalue = np.full(p.shape, target), upstream(p[:, 0])
    value, backward = scratch.binary_crossentropy(y_true, p)
    expected_value, expected = tape(lambda p: reference.binary_crossentropy(y_true, p), p, dvalue)
    np.testing.assert_array_max_ulp(value, expected_value, 2)
    np.testing.assert_array_max_ulp(backward(dvalue), expected, 2)
    assert np.flatnonzero(backward(dvalue) == 0).tolist() == [2, 5, 6, 7, 8, 9]


@pytest.mark.parametrize("dtype", DTYPES)
def test_sparse_clips_without_dividing_by_the_sum(dtype):
    p = at_the_bounds(dtype)
    p = np.stack([p, np.full_like(p, 0.6), np.full_like(p, 0.5)], axis=-1)
    y_true, dvalue = np.zeros(len(p), int), upstream(p[:, 0])
    value, backward = scratch.sparse_categorical_crossentropy(y_true, p)
    expected = tape(lambda p: reference.sparse_categorical_crossentropy(y_true, p), p, dvalue)
    assert_within(value, expected[0], 8)
    assert_within(backward(dvalue), expected[1], 8)
    assert np.array_equal(backward(dvalue) == 0, expected[1] == 0)

    def clipped_log_softmax(p):
        inside = tf.clip_by_value(p, 1e-7, 1 - 1e-7)
        return -tf.nn.log_softmax(tf.math.log(inside))[:, 0]

    assert_within(backward(dvalue), tape(clipped_log_softmax, p, dvalue)[1], 8)


@pytest.mark.parametrize("dtype", DTYPES)
def test_categorical_divides_by_the_sum_then_clips(dtype):
    p = np.array([[0.2, 0.3, 0.6], [0, 1, 0], [1, 0, 0], [2, 2, 4], [1e-9, 0.5, 0.5]], dtype)
    y_true, dvalue = np.eye(3, dtype=dtype)[[0, 1, 2, 2, 0]], upstream(p[:, 0])
    value, backward = scratch.categorical_crossentropy(y_true, p)
    expected = tape(lambda p: reference.categorical_crossentropy(y_true, p), p, dvalue)
    np.testing.assert_array_max_ulp(value, expected[0], 2)
    assert_within(backward(dvalue), expected[1], 8)
    assert value[3] == -np.log(np.array(0.5, dtype))


def test_categorical_from_logits_has_the_gradient_of_labels_that_sum_to_one():
    """For other labels it is not the derivative, on either side."""
    y_true, logits, dvalue = (
        np.array([[0.5, 0.1, 0.9]]),
        np.array([[1.0, 2.0, 0.5]]),
        np.array([0.7]),
    )
    value, backward = scratch.categorical_crossentropy(y_true, logits, from_logits=True)
    expected = tape(
        lambda x: reference.categorical_crossentropy(y_true, x, from_logits=True), logits, dvalue
    )
    assert_within(value, expected[0], 8)
    assert_within(backward(dvalue), expected[1], 8)
    p = np.exp(logits) / np.exp(logits).sum()
    assert_within(backward(dvalue), 0.7 * (p - y_true), 8)
    assert np.abs(backward(dvalue) - 0.7 * (1.5 * p - y_true)).max() > 0.05


@pytest.mark.parametrize("dtype", DTYPES)
def test_saturated_logits_match_keras(dtype):
    logits = np.array([[1e4, -1e4, 0], [-1e4, 1e4, 1e4], [0, 0, 0], [-40, 40, 30]], dtype)
    arguments = {"from_logits": True}
    for label in range(3):
        labels = np.full(4, label)
        one_hot = np.eye(3, dtype=dtype)[labels]
        truths = [one_hot, one_hot, labels]
        for name, y_true in zip(CROSSENTROPIES, truths, strict=True):
            value, backward = getattr(scratch, name)(y_true, logits, **arguments)
            dvalue = upstream(value)
            theirs = functools.partial(getattr(reference, name), y_true, **arguments)
            expected = tape(theirs, logits, dvalue)
            assert np.isfinite(value).all()
            np.testing.assert_array_max_ulp(value, expected[0], 4)
            assert_within(backward(dvalue), expected[1], 4)


def test_binary_from_logits_keeps_the_digits_of_a_small_gradient():
    x = np.array([[30.0]])
    _, backward = scratch.binary_crossentropy(np.ones((1, 1)), x, from_logits=True)
    assert_within(backward(np.ones(1)), -np.exp(-x) / (1 + np.exp(-x)), 4)


def test_complex_step_passes_the_clipping_bounds_and_saturated_logits():
    low, high = 1e-7, 1 - 1e-7
    for y_pred, from_logits in ([low, high, 0, 1], False), ([-1e4, 1e4, 0, 800], True):
        x = np.array(y_pred)[:, np.newaxis]
        y_true = np.array([[1], [0], [1], [0]])
        _, backward = scratch.binary_crossentropy(y_true, x, from_logits)
        moved, _ = scratch.binary_crossentropy(y_true, x + 1e-200j, from_logits)
        np.testing.assert_array_max_ulp(backward(np.ones(4))[:, 0], moved.imag / 1e-200, 4)


def test_ignored_samples_may_hold_anything():
    y_pred = np.array([[-np.inf, -np.inf], [0.0, 0.0], [np.nan, 1.0]])
    options = {"from_logits": True, "ignore_class": 5}
    value, backward = scratch.sparse_categorical_crossentropy(
        np.array([5, 1, 5]), y_pred, **options
    )
    assert value.tolist() == [0, np.log(2), 0]
    assert backward(np.ones(3)).tolist() == [[0, 0], [0.5, -0.5], [0, 0]]


def kinked(name, y_true, y_pred, **arguments):
    """The gradient on both sides for dvalue = 1, at points that lie on corners."""
    y_true, y_pred = np.array(y_true), np.array(y_pred)
    here, there = (functools.partial(getattr(s, name), **arguments) for s in (scratch, reference))
    value, backward = here(y_true, y_pred)
    expected = tape(lambda p: there(y_true, p), y_pred, np.ones_like(value))
    assert_within(value, expected[0], 4)
    assert_within(backward(np.ones_like(value)), expected[1], 4)
    return backward(np.ones_like(value)).tolist()


def test_slopes_at_corners_are_those_of_keras():
    assert kinked("mean_absolute_error", [[1.0, 0.0]], [[1.0, 3.0]]) == [[0, 0.5]]
    assert kinked("huber", [[0.0, 0.0, 0.0]], [[1.0, -1.0, 0.0]]) == [[1 / 3, -1 / 3, 0]]
    assert kinked("hinge", [[1, 0]], [[1.0, -1.0]]) == [[-0.5, 0.5]]
    assert kinked("squared_hinge", [[1, 0]], [[1.0, -1.0]]) == [[0, 0]]
    tied = kinked("categorical_hinge", [[1, 0, 0]], [[0.5, 0.5, 0.5]])
    assert tied == [[-1, 0.5, 0.5]]
    assert kinked("categorical_hinge", [[1, 0, 0]], [[1.5, 0.5, 0.5]]) == tied
    assert kinked("categorical_hinge", [[1, 0, 0]], [[0.5, -0.5, -0.5]]) == [[-1, 0, 0]]
    bounds = [[1e-7, 1.0, np.nextafter(1e-7, 0), np.nextafter(1, 2)]]
    assert kinked("kl_divergence", [[1.0, 1, 1, 1]], bounds) == [[-1e7, -1, 0, 0]]


def test_epsilons_are_those_of_keras():
    assert kinked("mean_absolute_percentage_error", [[0.0, 1.0]], [[1.0, 1.0]]) == [[5e8, 0]]
    kinked("poisson", [[1, 2]], [[0.0, 1e-7]])
    kinked("dice", [[0.0, 0.0]], [[0.0, 0.0]])
    kinked("tversky", [[0.0, 0.0]], [[0.0, 0.0]])
    below = kinked("mean_squared_logarithmic_error", [[1.0, 0.0, 1.0]], [[-1.0, -3.0, 1.0]])
    assert below == [[0, 0, 0]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_logarithmic_error_rounds_epsilon_to_floatx(dtype):
    """At 1e-7 itself: below the epsilon of float32 if it is a float64, else equal to it."""
    y_true, y_pred, dvalue = np.ones((1, 1), dtype), np.full((1, 1), 1e-7, dtype), np.ones(1, dtype)
    _, backward = scratch.mean_squared_logarithmic_error(y_true, y_pred)
    theirs = functools.partial(reference.mean_squared_logarithmic_error, y_true)
    assert_within(backward(dvalue), tape(theirs, y_pred, dvalue)[1], 4)
    assert backward(dvalue).any() == (dtype == "float32")


def test_log_cosh_takes_log_2_as_a_float32_and_does_not_overflow():
    y_pred = np.array([[-1e4], [1e4], [0.0]])
    value, _ = scratch.log_cosh(np.zeros_like(y_pred), y_pred)
    expected = reference.log_cosh(np.zeros_like(y_pred), y_pred).numpy()
    assert np.array_equal(value, expected)
    assert 1e-9 < abs(value[2]) < 2e-9


def test_cosine_similarity_of_nothing_is_zero():
    zero, one = np.zeros((1, 2)), np.array([[0.6, 0.8]])
    assert kinked("cosine_similarity", one, zero) == [[-0.6 / 1e-7, -0.8 / 1e-7]]
    assert kinked("cosine_similarity", zero, one) == [[0, 0]]
    assert scratch.CosineSimilarity()(one, 3 * one) == -1


def test_hinge_takes_zeros_and_ones_for_signs_only_together():
    scores = np.array([[0.3, -0.2, 0.5]])
    bits, signs = np.array([[0, 1, 1]]), np.array([[-1, 1, 1]])
    assert scratch.hinge(bits, scores)[0] == scratch.hinge(signs, scores)[0]
    mixed = np.array([[0.0, 1.0, -1.0]])
    assert_within(scratch.hinge(mixed, scores)[0], reference.hinge(mixed, scores).numpy(), 2)


@pytest.mark.parametrize("name", ["binary_focal_crossentropy", "categorical_focal_crossentropy"])
def test_focal_losses_of_saturated_predictions_are_keras(name):
    for y_pred, from_logits in ([[0.0, 1.0], [1.0, 0.0]], False), ([[1e4, -1e4], [-50, 50]], True):
        y_pred = np.array(y_pred, float)
        value, backward = getattr(scratch, name)(np.eye(2), y_pred, from_logits=from_logits)
        theirs = functools.partial(getattr(reference, name), np.eye(2), from_logits=from_logits)
        expected = tape(theirs, y_pred, np.ones_like(value))
        assert np.isfinite(value).all()
        assert_within(value, expected[0], 8)
        # where p is 1, 1 - p is the rounding of p, and on each side another one
        bound = 8 * np.finfo(float).eps * (1 + np.abs(expected[1]))
        assert np.all(np.abs(backward(np.ones_like(value)) - expected[1]) <= bound)


def test_focal_loss_of_gamma_0_is_cross_entropy():
    case = ("binary_crossentropy", "bits", {})
    y_true, y_pred = example(case, (5, 7), "float64")
    focal, backward = scratch.binary_focal_crossentropy(y_true, y_pred, gamma=0.0)
    plain, backward_plain = scratch.binary_crossentropy(y_true, y_pred)
    assert np.array_equal(focal, plain)
    assert np.array_equal(backward(plain), backward_plain(plain))


def test_focal_classes_work_on_logits_where_keras_does():
    """The binary one finds the logits of a sigmoid, the categorical one keeps to the softmax."""
    logits, y_true = np.array([[20.0, -25.0, 3.0]], "float32"), np.array([[0.0, 1.0, 0.0]], "f")
    binary = scratch.BinaryFocalCrossentropy()
    theirs = reference.BinaryFocalCrossentropy()(y_true, keras.activations.sigmoid(logits))
    assert_within(binary.on_logits(activations.sigmoid)(y_true, logits), theirs.numpy(), 8)
    assert scratch.CategoricalFocalCrossentropy().on_logits(activations.softmax) is None


def test_generalized_cross_entropy_of_a_lost_class():
    """The slope is infinite at p = 0; Keras makes the other classes NaN there."""
    p = np.array([[0.0, 1.0], [0.25, 0.75]])
    with np.errstate(divide="ignore"):
        value, backward = scratch.categorical_generalized_cross_entropy(np.array([0, 0]), p, 0.5)
        assert backward(np.ones(2)).tolist() == [[-np.inf, 0], [-2, 0]]
    assert value.tolist() == [2, 1]


def test_generalized_cross_entropy_takes_a_column_of_labels_that_keras_broadcasts():
    y_pred = np.array([[0.2, 0.8], [0.3, 0.7], [0.1, 0.9]])
    loss, labels = scratch.CategoricalGeneralizedCrossEntropy(), np.array([0, 1, 0])
    assert loss(labels[:, np.newaxis], y_pred) == loss(labels, y_pred)
    flat, column = (
        reference.CategoricalGeneralizedCrossEntropy()(y, y_pred) for y in (labels, labels[:, None])
    )
    assert_within(loss(labels, y_pred), flat.numpy(), 8)
    assert abs(flat - column) > 0.01


def test_tversky_weighs_false_positives_by_alpha_where_keras_swaps():
    """A prediction of everything has false positives alone, so that beta does not matter."""
    y_true, y_pred = np.array([1.0, 0.0, 0.0, 0.0]), np.ones(4)
    values = [scratch.tversky(y_true, y_pred, alpha, 0.5)[0] for alpha in (0.0, 1.0)]
    assert_within(values, [0.0 + 1e-7 / (1 + 1e-7), 1 - 1 / (4 + 1e-7)], 4)
    assert scratch.tversky(y_true, y_pred, 0.5, 0.0)[0] == scratch.tversky(y_true, y_pred)[0]
    swapped = reference.tversky(y_true, y_pred, alpha=0.5, beta=1.0).numpy()
    assert_within(values[1], swapped, 4)
    assert reference.tversky(y_true, y_pred, alpha=1.0, beta=0.5).numpy() < 0.7


CIRCLES = [
    {},
    {"remove_diagonal": False, "gamma": 10, "margin": 0.25},
    {"margin": -0.3, "gamma": 5},
]


def embeddings(rng, shape, dtype):
    vectors = rng.normal(size=shape)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("references", [False, True])
@pytest.mark.parametrize("arguments", CIRCLES, ids=str)
def test_circle_matches_keras(arguments, references, dtype):
    """Sums of gamma times some five roundings of distances up to 2, then of exp."""
    rng = np.random.default_rng(3)
    labels, y_pred = np.arange(9) % 3, embeddings(rng, (9, 4), dtype)
    others = {"ref_labels": np.arange(7) % 3, "ref_embeddings": embeddings(rng, (7, 4), dtype)}
    arguments = arguments | (others if references else {})
    value, backward = scratch.circle(labels, y_pred, **arguments)
    dvalue = upstream(value)
    expected = tape(lambda p: reference.circle(labels, p, **arguments), y_pred, dvalue)
    units = 16 * arguments.get("gamma", 80)
    assert_within(value, expected[0], units)
    assert_within(backward(dvalue), expected[1], units)
    assert np.array_equal(backward(8 * dvalue), 8 * backward(dvalue))


@pytest.mark.parametrize("arguments", CIRCLES, ids=str)
def test_circle_gradient_is_the_derivative_of_the_forward(arguments):
    rng = np.random.default_rng(3)
    labels, y_pred = np.arange(7) % 3, embeddings(rng, (7, 4), "float64")
    value, backward = scratch.circle(labels, y_pred, **arguments)
    dvalue = upstream(value)
    gradient = np.zeros_like(y_pred)
    for index in np.ndindex(y_pred.shape):
        moved = y_pred.astype(complex)
        moved[index] += 1e-200j
        gradient[index] = np.sum(dvalue * scratch.circle(labels, moved, **arguments)[0].imag)
    assert_within(backward(dvalue), gradient / 1e-200, 16 * arguments.get("gamma", 80))


@pytest.mark.parametrize("labels", [[0, 1, 2], [0, 0, 1], [0, 0, 0], [[0], [0], [1]]])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_circle_leaves_out_who_has_no_pair_as_keras_does(labels, reduction):
    labels, y_pred = np.array(labels), np.array([[1, 0], [0.6, 0.8], [0, 1]], "float32")
    loss, theirs = (side.Circle(reduction=reduction) for side in (scratch, reference))
    value, backward = loss.forward(labels, y_pred)
    dvalue = upstream(value)
    expected = tape(lambda p: theirs(labels, p), y_pred, dvalue)
    assert_within(value, expected[0], 16 * 80)
    assert_within(backward(dvalue), expected[1], 16 * 80)


def test_circle_refuses_labels_that_do_not_fit():
    for labels, shape in (4, (3, 2)), (3, (3,)):
        refused(
            lambda n=labels, s=shape: scratch.circle(np.zeros(n), np.ones(s)),
            r"circle takes embeddings of shape \(n, d\) with n labels, not .* with ",
        )
    refused(
        lambda: scratch.circle(np.zeros(3), np.ones((3, 2)), np.zeros(2), np.ones((3, 2))),
        r"not \(3, 2\) with 2",
    )
    refused(
        lambda: scratch.circle(np.zeros(3), np.ones((3, 2)), np.zeros(4), np.ones((4, 5))),
        r"cannot compare \(3, 2\) with references \(4, 5\)",
    )


@pytest.mark.parametrize("q", [0, 1, -0.5, 2.0])
def test_generalized_cross_entropy_refuses_q_outside_0_and_1(q):
    refused(lambda: scratch.CategoricalGeneralizedCrossEntropy(q), f"q must be .* not {q}")
    with pytest.raises(ValueError, match="q must be in the interval"):
        reference.CategoricalGeneralizedCrossEntropy(q)


@pytest.mark.parametrize("weight", [None, 2.0])
@pytest.mark.parametrize("axis", [None, 1])
@pytest.mark.parametrize("name", ["Dice", "Tversky"])
def test_overlaps_reduce_as_in_keras(name, axis, weight):
    y_true, y_pred = example(("dice", "bits", {}), (4, 3), "float32")
    loss, theirs = (getattr(side, name)(axis=axis) for side in (scratch, reference))
    assert_within(loss(y_true, y_pred, weight), theirs(y_true, y_pred, weight).numpy(), 16)


WEIGHTS = {  # shapes of y_pred with the shapes of weights that Keras takes for it
    (4, 3): [None, (), (1,), (4,), (4, 1)],
    (4, 5, 3): [None, (), (1,), (4, 1), (5,), (1, 5), (4, 5), (4, 5, 1), (4, 1, 1)],
    (1, 3): [None, (), (1,), (1, 1)],
    (5, 5, 3): [(5,)],
}


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    ("shape", "weights"), [(shape, w) for shape, shapes in WEIGHTS.items() for w in shapes]
)
def test_reductions_and_weights_match_keras(shape, weights, reduction):
    rng = np.random.default_rng(5)
    y_true, y_pred = rng.normal(size=(2, *shape)).astype("float32")
    weight = None if weights is None else rng.uniform(0.5, 2, size=weights)
    loss, expected_loss = (s.MeanSquaredError(reduction=reduction) for s in (scratch, reference))
    value, backward = loss.forward(y_true, y_pred, weight)
    dvalue = upstream(value)
    expected = tape(lambda p: expected_loss(y_true, p, weight), y_pred, dvalue)
    assert_within(value, expected[0], y_pred.size)
    assert_within(backward(dvalue), expected[1], 8)
    assert np.array_equal(loss(y_true, y_pred, weight), value)


@pytest.mark.parametrize(
    ("y_true", "y_pred"), [((4,), (4, 1)), ((4, 1), (4,)), ((4,), (4,)), ((4, 2), (4, 2, 1))]
)
def test_classes_align_the_last_axis_as_keras_does(y_true, y_pred):
    rng = np.random.default_rng(3)
    for name in "MeanSquaredError", "BinaryCrossentropy":
        bits, p = rng.integers(0, 2, size=y_true), rng.uniform(0.1, 0.9, size=y_pred).astype("f")
        value, backward = getattr(scratch, name)().forward(bits, p)
        theirs = functools.partial(getattr(reference, name)(), bits)
        expected = tape(theirs, p, np.float32(0.3))
        assert_within(value, expected[0], 16)
        assert_within(backward(np.float32(0.3)), expected[1], 16)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weights", [None, (), (4,), (4, 1)])
@pytest.mark.parametrize("labels", [[0, -1, 2, -1], [-1, -1, -1, -1], [[0], [-1], [2], [1]]])
def test_ignored_class_leaves_the_mean_as_in_keras(labels, weights, reduction):
    rng = np.random.default_rng(9)
    y_pred, labels = distributions(rng, (4, 3)).astype("float32"), np.array(labels)
    weight = None if weights is None else rng.uniform(0.5, 2, size=weights)
    options = {"ignore_class": -1, "reduction": reduction}
    loss, expected_loss = (s.SparseCategoricalCrossentropy(**options) for s in (scratch, reference))
    value, backward = loss.forward(labels, y_pred, weight)
    dvalue = upstream(value)
    expected = tape(lambda p: expected_loss(labels, p, weight), y_pred, dvalue)
    assert_within(value, expected[0], 16)
    assert_within(backward(dvalue), expected[1], 16)


def test_weights_that_sum_to_zero_make_zero():
    loss = scratch.MeanSquaredError(reduction="mean_with_sample_weight")
    value, backward = loss.forward(np.zeros((2, 1)), np.ones((2, 1)), np.zeros(2))
    assert value == 0
    assert backward(np.float32(1)).tolist() == [[0], [0]]


def test_a_loss_computes_in_floatx_and_returns_gradients_in_the_dtype_of_y_pred(float64):
    y_true, y_pred = np.zeros((2, 3)), np.full((2, 3), 0.1)
    single = scratch.MeanSquaredError(dtype="float32")
    for loss, dtype in (single, "float32"), (scratch.MeanSquaredError(), "float64"):
        value, backward = loss.forward(y_true, y_pred)
        expected = reference.MeanSquaredError(dtype=loss.dtype)
        assert loss.dtype == expected.dtype == value.dtype == dtype
        assert value == expected(y_true, y_pred).numpy()
        assert backward(np.ones_like(value)).dtype == "float64"


def test_no_samples_are_no_loss():
    loss, y = scratch.MeanSquaredError(), np.zeros((0, 3), "float32")
    assert loss(y, y).shape == reference.MeanSquaredError()(y, y).shape == (0,)
    sequences = np.zeros((0, 4, 3), "float32")
    assert loss(sequences, sequences) == reference.MeanSquaredError()(sequences, sequences) == 0


def test_lists_are_arrays():
    assert scratch.MeanSquaredError()([[0.0, 1.0]], [[1.0, 3.0]]) == 2.5


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
@pytest.mark.parametrize("arguments", [{}, {"label_smoothing": 0.1}, {"from_logits": True}])
@pytest.mark.parametrize("name", ["BinaryCrossentropy", "CategoricalCrossentropy"])
def test_on_logits_is_what_keras_makes_of_softmax_and_sigmoid(name, arguments, activation):
    """A saturated output, of which the clipped probabilities would tell another loss."""
    logits = np.array([[20.0, -25.0, 3.0]], "float32")
    y_true = np.array([[0.0, 1.0, 0.0]], "float32")
    loss, expected = (getattr(side, name)(**arguments) for side in (scratch, reference))
    tensor = tf.constant(logits)
    y_pred = getattr(keras.activations, activation)(tensor)
    if arguments.get("from_logits"):
        with pytest.warns(UserWarning, match="was produced by"):
            theirs = expected(y_true, y_pred)
    else:
        theirs = expected(y_true, y_pred)
        assert abs(loss(y_true, y_pred.numpy()) - theirs) > 1
    assert_within(
        loss.on_logits(getattr(activations, activation))(y_true, logits), theirs.numpy(), 8
    )


def test_on_logits_of_sparse_labels():
    logits, labels = np.array([[20.0, -25.0, 3.0]], "float32"), np.array([1])
    loss = scratch.SparseCategoricalCrossentropy()
    y_pred = keras.activations.softmax(tf.constant(logits))
    theirs = reference.SparseCategoricalCrossentropy()(labels, y_pred)
    assert_within(loss.on_logits(activations.softmax)(labels, logits), theirs.numpy(), 8)
    assert abs(loss(labels, y_pred.numpy()) - theirs) > 1


def test_on_logits_is_none_where_keras_keeps_to_the_output():
    logits, labels = np.array([[20.0, -25.0, 3.0]], "float32"), np.array([1])
    ignoring = scratch.SparseCategoricalCrossentropy(ignore_class=0)
    y_pred = keras.activations.softmax(tf.constant(logits))
    theirs = reference.SparseCategoricalCrossentropy(ignore_class=0)(labels, y_pred)
    assert_within(ignoring(labels, y_pred.numpy()), theirs.numpy(), 8)
    assert ignoring.on_logits(activations.softmax) is None
    assert scratch.MeanSquaredError().on_logits(activations.softmax) is None
    assert scratch.Loss().on_logits(activations.softmax) is None


def test_on_logits_leaves_the_loss_itself_alone():
    loss = scratch.BinaryCrossentropy(label_smoothing=0.1, reduction="sum", name="mine")
    twin = loss.on_logits(activations.softmax)
    y_true, y_pred = np.array([[1.0]]), np.array([[0.8]])
    assert (twin.name, twin.reduction) == ("mine", "sum")
    assert loss(y_true, y_pred) == scratch.BinaryCrossentropy(False, 0.1)(y_true, y_pred)
    assert twin(y_true, y_pred) == scratch.BinaryCrossentropy(True, 0.1)(y_true, y_pred)


class Cubed(scratch.Loss):
    def call(self, y_true, y_pred):
        error = y_pred - y_true
        return np.mean(error**3, -1), lambda d: d[:, np.newaxis] * error**2 * 3 / error.shape[-1]


def test_a_loss_of_ones_own():
    loss = Cubed(reduction="sum")
    value, backward = loss.forward(np.zeros((2, 2)), np.array([[1.0, 2.0], [0.0, 3.0]]))
    assert value == 18
    assert backward(np.float32(2)).tolist() == [[3, 12], [0, 27]]
    assert loss.name == "cubed"
    assert scratch.get(loss) is loss
    assert isinstance(scratch.get(Cubed), Cubed)


@pytest.mark.parametrize("side", [scratch, reference])
def test_names_are_keras(side):
    names = [getattr(side, name)().name for name in CLASSES]
    assert names == [name.replace("huber", "huber_loss") for name in FUNCTIONS]
    assert side.MeanSquaredError(name="mine").name == "mine"


def test_get_knows_keras_names():
    for function, cls in CLASS_OF.items():
        wanted = getattr(scratch, cls)
        names = [alias for alias, name in ALIASES.items() if name == cls]
        names += [alias.upper() for alias in names]
        for identifier in [function, cls, wanted, getattr(scratch, function), *names]:
            assert type(scratch.get(identifier)) is wanted
        if function != "categorical_generalized_cross_entropy":  # which Keras itself forgets
            assert all(reference.get(name) is not None for name in [function, cls, *names])
    assert scratch.get(None) is None


def test_get_wraps_a_function():
    def absolute(y_true, y_pred):
        return np.abs(y_pred - y_true)[:, 0], lambda d: (d * np.sign(y_pred - y_true)[:, 0])[
            :, None
        ]

    loss = scratch.get(absolute)
    value, backward = loss.forward(np.zeros(2), np.array([[3.0], [-1.0]]))
    assert (loss.name, value, loss.on_logits(activations.softmax)) == ("absolute", 2, None)
    assert backward().tolist() == backward(np.float32(1)).tolist() == [[0.5], [-0.5]]
    assert scratch.get(functools.partial(absolute))(np.zeros(2), np.array([[3.0], [-1.0]])) == 2


@pytest.mark.parametrize("identifier", ["mean_square_error", 3, ["mse"], {"class_name": "mse"}])
def test_get_refuses_the_unknown_in_one_line(identifier):
    with pytest.raises(ValueError, match="choose from mean_squared_error, ") as caught:
        scratch.get(identifier)
    assert repr(identifier) in str(caught.value)
    assert "\n" not in str(caught.value)


def refused(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


WITHOUT_BROADCASTING = set(FUNCTIONS) - {"circle", "categorical_generalized_cross_entropy"}


@pytest.mark.parametrize("name", sorted(WITHOUT_BROADCASTING - {"sparse_categorical_crossentropy"}))
def test_shapes_that_only_broadcasting_fits_are_refused(name):
    for a, b in ((4, 1), (4, 3)), ((3,), (4, 3)), ((4, 2), (4, 3)), ((), ()):
        y_true, y_pred = np.zeros(a), np.ones(b)
        refused(
            lambda y=y_true, p=y_pred: getattr(scratch, name)(y, p),
            rf"{name} takes y_true and y_pred of one shape, not \(.*\) and \(.*\)",
        )


def test_sparse_refuses_labels_that_fit_no_class():
    sparse = scratch.sparse_categorical_crossentropy
    for labels, wrong in ([0, 3], 3), ([-1, 0], -1):
        refused(lambda y=labels: sparse(np.array(y), np.ones((2, 3))), f"below 3, not {wrong}")
        with pytest.raises(tf.errors.InvalidArgumentError, match="label value"):
            reference.sparse_categorical_crossentropy(np.array(labels), np.ones((2, 3)))
    fractions = np.array([1.9, -0.5])  # cut to 1 and 0, as in Keras
    value, _ = sparse(fractions, np.ones((2, 3)))
    assert_within(
        value, reference.sparse_categorical_crossentropy(fractions, np.ones((2, 3))).numpy(), 4
    )


def test_sparse_refuses_one_hot_labels_and_other_axes():
    sparse, y_pred = scratch.sparse_categorical_crossentropy, np.ones((2, 3))
    refused(lambda: sparse(np.eye(2, 3), y_pred), r"of shape \(2,\) .* not \(2, 3\)")
    refused(lambda: sparse(np.zeros(3), y_pred), r"of shape \(2,\) .* not \(3,\)")
    refused(lambda: sparse(np.zeros(2), y_pred, axis=0), "the last axis alone, not 0")
    assert sparse(np.zeros(2), y_pred, axis=1)[0].shape == (2,)


def test_categorical_refuses_axes_that_are_not_one_number():
    for axis in None, True, (0, 1):
        refused(
            lambda a=axis: scratch.categorical_crossentropy(np.eye(2), np.eye(2), axis=a),
            f"axis must be an integer, not {axis}".replace("(", r"\(").replace(")", r"\)"),
        )


def test_loss_refuses_unknown_reductions_and_weights_that_do_not_fit():
    refused(lambda: scratch.MeanSquaredError(reduction="avg"), "unknown reduction 'avg'")
    loss, y = scratch.MeanSquaredError(), np.zeros((4, 5, 3))
    for shape in (4,), (4, 5, 3), (3,), (2, 4, 5):
        refused(
            lambda s=shape: loss(y, y, np.ones(s)),
            r"sample_weight or mask of shape .* does not fit losses of shape \(4, 5\)",
        )


def test_weights_that_do_not_fit_are_refused_beside_an_ignored_class():
    loss = scratch.SparseCategoricalCrossentropy(ignore_class=1)
    refused(
        lambda: loss(np.array([0, 1, 2, 0]), np.ones((4, 3)), np.ones(3)),
        r"sample_weight or mask of shape \(3,\) does not fit losses of shape \(4,\)",
    )


def test_alpha_may_be_a_list_of_one_for_each_class():
    y_true, y_pred = np.eye(3)[[0, 1, 2, 0]], np.array([[1.0, 2.0, 3.0]] * 4)
    here, there = (
        side.CategoricalFocalCrossentropy([0.1, 0.2, 0.3])(y_true, y_pred)
        for side in (scratch, reference)
    )
    assert here.dtype == there.dtype.name == "float32"
    assert_within(here, there, 16)
    loss = scratch.CategoricalFocalCrossentropy([0.1, 0.2])
    refused(lambda: loss(y_true, y_pred), r"alpha is a number or 3, one for each class, not \[0\.1")


def test_every_loss_of_keras_but_ctc_is_there():
    theirs = {name for name in dir(keras.losses) if not name.startswith("_")}
    assert theirs - {"serialize", "deserialize", "ctc", "CTC"} == set(scratch.__all__)


def test_reference_is_keras_itself():
    for name in [*FUNCTIONS, *CLASSES, "Loss", "get"]:
        assert getattr(reference, name) is getattr(keras.losses, name)
