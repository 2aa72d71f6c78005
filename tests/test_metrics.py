import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.trainers import compile_utils

from reference import metrics as reference
from scratch import config
from scratch import metrics as scratch

FUNCTIONS = [
    "binary_accuracy",
    "categorical_accuracy",
    "sparse_categorical_accuracy",
    "top_k_categorical_accuracy",
    "sparse_top_k_categorical_accuracy",
]
CLASSES = [
    "Mean",
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
]
NAN, INF = np.nan, np.inf


@pytest.fixture(params=["float32", "float64"])
def floatx(request):
    before = keras.config.floatx()
    config.set_floatx(request.param)
    keras.config.set_floatx(request.param)
    yield request.param
    config.set_floatx(before)
    keras.config.set_floatx(before)


def one_hot(labels, classes=3):
    return np.eye(classes, dtype="float32")[labels]


def same(actual, expected):
    """The same bits, shape and dtype."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    assert np.array_equal(actual, expected)


def both(name, *arguments, **options):
    same(
        getattr(scratch, name)(*arguments, **options),
        getattr(reference, name)(*arguments, **options),
    )


@pytest.mark.parametrize("name", [*FUNCTIONS, "Metric", *CLASSES])
def test_signature_is_keras(name):
    ours = inspect.signature(getattr(scratch, name)).parameters.values()
    theirs = inspect.signature(getattr(reference, name)).parameters.values()
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs]


@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [
        ((4,), (4,)),
        ((4,), (4, 1)),
        ((4, 1), (4,)),
        ((4, 3), (4, 3)),
        ((4, 2, 1), (4, 2)),
        ((4, 2), (4, 2, 1)),
        ((1, 1), (1, 1)),
    ],
)
def test_binary_accuracy_is_keras(y_true, y_pred, floatx):
    rng = np.random.default_rng(0)
    both("binary_accuracy", rng.integers(0, 2, size=y_true), rng.uniform(size=y_pred))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_binary_accuracy_rounds_its_threshold_to_float32(dtype):
    third = np.float32(0.3)
    y_pred = np.array([0.3, third, np.nextafter(third, np.float32(1)), NAN, NAN], dtype)
    both("binary_accuracy", np.array([1.0, 1, 1, 1, 0]), y_pred, threshold=0.3)
    both("binary_accuracy", np.array([1, 2, 0, 1, 0]), y_pred)
    both("binary_accuracy", np.array([True, False, True, True, False]), y_pred)
    both("binary_accuracy", np.array([0.9, 1.0, 1.0, 0.0, 0.0]), y_pred, 0.1)


@pytest.mark.parametrize("shape", [(4, 3), (1, 3), (4, 2, 3), (3,)])
def test_categorical_accuracy_is_keras(shape, floatx):
    rng = np.random.default_rng(1)
    labels = one_hot(rng.integers(0, 3, size=shape[:-1]))
    both("categorical_accuracy", labels, rng.normal(size=shape).astype(floatx))


@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [
        ((5,), (5, 3)),
        ((5, 1), (5, 3)),
        ((4, 2), (4, 2, 3)),
        ((4, 2, 1), (4, 2, 3)),
        ((4, 1), (4, 1, 3)),
        ((4, 1, 1), (4, 1, 3)),
        ((1,), (1, 3)),
        ((), (3,)),
    ],
)
@pytest.mark.parametrize("labels", ["int32", "float32", "uint8"])
def test_sparse_categorical_accuracy_is_keras(y_true, y_pred, labels, floatx):
    rng = np.random.default_rng(2)
    y_true = np.asarray(rng.integers(0, 3, size=y_true)).astype(labels)
    both("sparse_categorical_accuracy", y_true, rng.normal(size=y_pred).astype(floatx))


@pytest.mark.parametrize("classes", [1, 3, 10, 33])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_accuracy_takes_ties_and_what_is_not_finite_as_keras_does(classes, dtype):
    rng = np.random.default_rng(classes)
    y_pred = rng.integers(-1, 2, size=(500, classes)).astype(dtype)
    y_pred[y_pred == 0] *= -1.0
    y_pred[rng.random(y_pred.shape) < 0.3] *= 0
    for value in NAN, INF, -INF:
        y_pred[rng.random(y_pred.shape) < 0.1] = value
    for label in range(classes):
        both("sparse_categorical_accuracy", np.full(500, label), y_pred)
        both("categorical_accuracy", one_hot(np.full(500, label), classes), y_pred)


@pytest.mark.parametrize("k", [-1, 0, 1, 2, 3, 5])
def test_top_k_takes_ties_and_what_is_not_finite_as_keras_does(k):
    y_pred = np.float32(
        [
            [1, 2, 3],
            [3, 2, 2],
            [2, 2, 2],
            [0, 1, 1],
            [-0.0, 0.0, 0.0],
            [NAN, 1, 2],
            [1, NAN, 2],
            [3, INF, 1],
            [2, 1, -INF],
            [INF] * 3,
            [NAN] * 3,
        ]
    )
    for label in range(3):
        labels = np.full(len(y_pred), label)
        both("sparse_top_k_categorical_accuracy", labels, y_pred, k)
        both("top_k_categorical_accuracy", one_hot(labels), y_pred, k=k)
    outside = np.array([3, -1] + [0] * 9)
    both("sparse_top_k_categorical_accuracy", outside, y_pred, k=k)


@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [((5,), (5, 7)), ((5, 1), (5, 7)), ((4, 2), (4, 2, 7)), ((4, 2, 1), (4, 2, 7))],
)
def test_top_k_shapes_are_keras(y_true, y_pred):
    rng = np.random.default_rng(4)
    y_true, y_pred = rng.integers(0, 7, size=y_true), rng.normal(size=y_pred).astype("float32")
    both("sparse_top_k_categorical_accuracy", y_true, y_pred, k=3)
    both("sparse_top_k_categorical_accuracy", y_true.astype("float32"), y_pred)
    if y_true.ndim < y_pred.ndim:
        both("top_k_categorical_accuracy", one_hot(y_true, 7), y_pred, k=3)


@pytest.mark.parametrize("k", [1, 2, 9])
@pytest.mark.parametrize("ids", ["int32", "float32"])
def test_sorted_ids_are_keras(ids, k):
    y_pred = np.array([[0, 1, 2], [2, 2, 0], [1, 0, 2]], ids)
    both("sparse_top_k_categorical_accuracy", np.array([1, 2, 2]), y_pred, k, from_sorted_ids=True)


def test_top_k_takes_float64_which_keras_refuses():
    y_true, y_pred = np.array([0, 1]), np.array([[1.0, 2.0], [1.0, 2.0]])
    with pytest.raises(tf.errors.InvalidArgumentError, match="expected to be a float tensor"):
        reference.sparse_top_k_categorical_accuracy(y_true, y_pred, k=1)
    assert scratch.sparse_top_k_categorical_accuracy(y_true, y_pred, k=1).tolist() == [0, 1]


def batches(name, rng, dtype="float32"):
    """Three batches of y_true and y_pred, of different sizes, for a metric class."""
    for n in (7, 1, 5):
        labels = rng.integers(0, 4, size=n)
        scores = rng.normal(size=(n, 4)).astype(dtype)
        yield {
            "Accuracy": (labels, rng.integers(0, 4, size=n)),
            "BinaryAccuracy": (rng.integers(0, 2, size=(n, 4)), rng.uniform(size=(n, 4))),
            "CategoricalAccuracy": (one_hot(labels, 4), scores),
            "SparseCategoricalAccuracy": (labels[:, np.newaxis], scores),
            "TopKCategoricalAccuracy": (one_hot(labels, 4), scores.astype("float32")),
            "SparseTopKCategoricalAccuracy": (labels, scores.astype("float32")),
        }[name]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CLASSES[1:])
def test_results_over_batches_are_keras_bit_for_bit(name, weighted, floatx):
    """Four columns and weights in eighths, whose means and sums are exact in any order."""
    rng = np.random.default_rng(6)
    options = {"k": 2} if "TopK" in name else {}
    options |= {"threshold": 0.3} if name == "BinaryAccuracy" else {}
    ours, theirs = (getattr(side, name)(**options) for side in (scratch, reference))
    same(ours.result(), theirs.result())
    for _ in range(2):
        for y_true, y_pred in batches(name, rng, floatx):
            weight = rng.integers(0, 16, size=len(y_true)) / 8 if weighted else None
            same(ours(y_true, y_pred, weight), theirs(y_true, y_pred, weight))
            ours.update_state(y_true, y_pred, sample_weight=weight)
            theirs.update_state(y_true, y_pred, sample_weight=weight)
            same(ours.result(), theirs.result())
            same(ours.total, theirs.total)
            same(ours.count, theirs.count)
        assert 0 < ours.result() < 1
        ours.reset_state()
        theirs.reset_state()
        same(ours.result(), theirs.result())


FITTING = {  # shapes of values with the shapes of weights that Keras takes for them
    (): [None, (), (1,)],
    (4,): [None, (), (1,), (4,), (4, 1)],
    (4, 2): [None, (), (1,), (4,), (4, 1), (1, 2), (4, 2), (4, 2, 1), (4, 1, 1)],
    (4, 2, 8): [None, (), (4,), (4, 1), (1, 2), (4, 2), (4, 2, 8), (4, 2, 1, 1)],
    (1,): [None, (), (1,), (1, 1)],
}


@pytest.mark.parametrize(
    ("values", "weights"), [(values, w) for values, shapes in FITTING.items() for w in shapes]
)
def test_mean_takes_every_weight_that_keras_takes(values, weights, floatx):
    """Values and weights in eighths over powers of two, whose means are exact in any order."""
    rng = np.random.default_rng(8)
    ours, theirs = scratch.Mean(), reference.Mean()
    for _ in range(3):
        batch = rng.integers(-16, 16, size=values) / 8
        weight = None if weights is None else rng.integers(1, 16, size=weights) / 64
        ours.update_state(batch, weight)
        theirs.update_state(batch, weight)
        same(ours.total, theirs.total)
        same(ours.count, theirs.count)
        same(ours.result(), theirs.result())


@pytest.mark.parametrize(
    ("values", "weights"),
    [((), (4,)), ((4,), (3,)), ((4,), (4, 3)), ((4, 3), (3,)), ((4, 3), (4, 3, 2))],
)
def test_mean_refuses_weights_that_do_not_fit(values, weights):
    with pytest.raises(tf.errors.InvalidArgumentError):
        reference.Mean().update_state(np.zeros(values), np.ones(weights))
    with pytest.raises(
        ValueError, match=r"sample_weight of shape .* does not fit values"
    ) as caught:
        scratch.Mean().update_state(np.zeros(values), np.ones(weights))
    assert "\n" not in str(caught.value)


def test_mean_of_losses_weighs_each_batch_by_its_size():
    mean = scratch.Mean(name="loss")
    mean.update_state(np.float32(3), sample_weight=4)
    mean.update_state(np.float32(1), sample_weight=12)
    assert (mean.name, mean.result()) == ("loss", 1.5)


def test_counts_end_at_the_integers_of_float32_as_in_keras():
    ours, theirs = scratch.Mean(), reference.Mean()
    for metric in ours, theirs:
        metric.update_state(1.0, sample_weight=2.0**24)
        metric.update_state(0.0)
    same(ours.count, theirs.count)
    assert ours.count == 2**24


def test_lists_are_arrays():
    both_sides = [m.BinaryAccuracy()([[1], [0]], [[0.9], [0.8]]) for m in (scratch, reference)]
    assert both_sides[0] == both_sides[1] == 0.5


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_that_of_the_result(dtype):
    metric = scratch.SparseCategoricalAccuracy(dtype=dtype)
    assert metric.result().dtype == metric([0, 1], [[1.0, 0.0], [1.0, 0.0]]).dtype == dtype


def refused(call, message):
    with pytest.raises(ValueError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["binary_accuracy", "categorical_accuracy", "top_k_categorical_accuracy"]
)
def test_shapes_that_differ_are_refused(name):
    for a, b in ((4, 1), (4, 3)), ((3,), (4, 3)), ((5, 3), (4, 3)), ((4, 2), (4, 3)):
        refused(
            lambda a=a, b=b: getattr(scratch, name)(np.zeros(a), np.zeros(b)),
            f"{name} takes y_true and y_pred of one shape",
        )


@pytest.mark.parametrize(
    "name", ["sparse_categorical_accuracy", "sparse_top_k_categorical_accuracy"]
)
def test_labels_that_do_not_fit_are_refused(name):
    for shape in (4, 3), (5,), (1,), (4, 2):
        refused(
            lambda a=shape: getattr(scratch, name)(np.zeros(a), np.zeros((4, 3))),
            rf"{name} takes integers y_true of shape \(4,\) with y_pred of shape \(4, 3\), not",
        )


def test_names_are_keras():
    for side in scratch, reference:
        assert [getattr(side, name)().name for name in CLASSES] == ["mean", "accuracy", *FUNCTIONS]
        assert side.Accuracy(name="mine").name == "mine"


def test_get_knows_keras_names():
    for cls, snake_case in zip(CLASSES, ["mean", "accuracy", *FUNCTIONS], strict=True):
        for name in cls, snake_case:
            assert type(scratch.get(name)) is getattr(scratch, cls)
            assert type(reference.get(name)) is getattr(reference, cls)
        assert type(scratch.get(getattr(scratch, cls))) is getattr(scratch, cls)
    metric = scratch.Mean()
    assert scratch.get(metric) is metric
    assert scratch.get(None) is reference.get(None) is None


@pytest.mark.parametrize("name", FUNCTIONS)
def test_get_averages_a_function(name):
    metric = scratch.get(getattr(scratch, name))
    y_true, y_pred = np.eye(3), np.eye(3)
    if name.startswith("sparse"):
        y_true = np.arange(3)
    assert (metric.name, metric(y_true, y_pred)) == (name, 1)


@pytest.mark.parametrize("identifier", ["acuracy", 3, ["mean"], {"class_name": "Mean"}])
def test_get_refuses_the_unknown_in_one_line(identifier):
    refused(lambda: scratch.get(identifier), "unknown metric .*: choose from mean, accuracy, ")


@pytest.mark.parametrize("name", ["accuracy", "acc"])
@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [
        ((4,), (4, 1)),
        ((4, 1), (4, 1)),
        ((4,), (4, 3)),
        ((4, 1), (4, 3)),
        ((4, 3), (4, 3)),
        ((4, 2), (4, 2, 3)),
        ((4, 2, 3), (4, 2, 3)),
        ((4, 2, 1), (4, 2, 3)),
        ((4, 2), (4, 2, 1)),
    ],
)
def test_accuracy_means_to_compile_what_it_means_to_keras(y_true, y_pred, name):
    y_true, y_pred = np.zeros(y_true), np.zeros(y_pred)
    ours = scratch._resolve_accuracy(y_true, y_pred, name)
    theirs = compile_utils.get_metric(name, y_true, y_pred)
    assert (type(ours).__name__, ours.name) == (type(theirs).__name__, theirs.name)


def test_reference_is_keras_itself():
    for name in [*FUNCTIONS, *CLASSES, "Metric", "get"]:
        assert getattr(reference, name) is getattr(keras.metrics, name)
