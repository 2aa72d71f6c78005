import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.trainers import compile_utils
from keras.src.utils.naming import to_snake_case

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
ACCURACIES = [
    "Accuracy",
    "BinaryAccuracy",
    "CategoricalAccuracy",
    "SparseCategoricalAccuracy",
    "TopKCategoricalAccuracy",
    "SparseTopKCategoricalAccuracy",
]
ERRORS = [
    "MeanSquaredError",
    "RootMeanSquaredError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError",
    "LogCoshError",
    "CosineSimilarity",
]
COUNTS = ["TruePositives", "FalsePositives", "TrueNegatives", "FalseNegatives"]
CLASSES = ["Mean", "Sum", *ACCURACIES, *ERRORS, "R2Score", *COUNTS, "Precision", "Recall"]
CLASSES += ["F1Score", "FBetaScore", "AUC"]
NAMES = {  # where the name of the object is not its class in snake case
    "LogCoshError": "logcosh",
    "FBetaScore": "fbeta_score",
}
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


@pytest.mark.parametrize("name", [*FUNCTIONS, "confusion_matrix", "Metric", *CLASSES])
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
@pytest.mark.parametrize("name", ACCURACIES)
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
@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_means_and_sums_take_every_weight_that_keras_takes(name, values, weights, floatx):
    """Values and weights in eighths over powers of two, whose means are exact in any order."""
    rng = np.random.default_rng(8)
    ours, theirs = getattr(scratch, name)(), getattr(reference, name)()
    for _ in range(3):
        batch = rng.integers(-16, 16, size=values) / 8
        weight = None if weights is None else rng.integers(1, 16, size=weights) / 64
        ours.update_state(batch, weight)
        theirs.update_state(batch, weight)
        same(ours.total, theirs.total)
        same(ours.result(), theirs.result())
        if name == "Mean":
            same(ours.count, theirs.count)
    ours.reset_state()
    assert ours.result() == 0


@pytest.mark.parametrize(
    ("values", "weights"),
    [((), (4,)), ((4,), (3,)), ((4,), (4, 3)), ((4, 3), (3,)), ((4, 3), (4, 3, 2))],
)
@pytest.mark.parametrize("name", ["Mean", "Sum"])
def test_weights_that_do_not_fit_are_refused(name, values, weights):
    with pytest.raises(tf.errors.InvalidArgumentError):
        getattr(reference, name)().update_state(np.zeros(values), np.ones(weights))
    with pytest.raises(
        ValueError, match=r"sample_weight of shape .* does not fit values"
    ) as caught:
        getattr(scratch, name)().update_state(np.zeros(values), np.ones(weights))
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


def close(actual, expected, units):
    """units roundings of the largest entry apart; the same shape and dtype."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    bound = units * np.finfo(expected.dtype).eps * np.abs(expected).max(initial=0)
    assert np.array_equal(np.isnan(actual), np.isnan(expected))
    assert not np.any(np.abs(actual - expected) > bound)


def hold(name, data, weights=None, units=0, **options):
    """Both metrics after each batch, and after a reset; they differ by a few roundings."""
    ours, theirs = (getattr(side, name)(**options) for side in (scratch, reference))
    results = []
    for (y_true, y_pred), weight in zip(data, weights or [None] * len(data), strict=True):
        ours.update_state(y_true, y_pred, weight)
        theirs.update_state(y_true, y_pred, weight)
        results.append(ours.result())
        close(results[-1], theirs.result(), units)
    ours.reset_state()
    ours.update_state(*data[0], weights[0] if weights else None)
    close(ours.result(), results[0], 0)
    return ours


def scored(rng, shape, dtype="float32"):
    """Labels 0 and 1, and scores in [0, 1] that tell something about them."""
    y_true = rng.integers(0, 2, size=shape)
    return y_true, (0.7 * rng.uniform(size=shape) + 0.3 * y_true).astype(dtype)


def eighths(rng, shape):
    return rng.integers(0, 16, size=shape) / 8


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ERRORS)
def test_errors_over_batches_are_keras(name, weighted, floatx):
    """Sums of up to 60 terms, which the two sides add in another order."""
    rng = np.random.default_rng(6)
    data = [rng.uniform(0.5, 2, size=(2, n, 4)).astype(floatx) for n in (7, 1, 5)]
    weights = [eighths(rng, len(y)) + 1 for y, _ in data] if weighted else None
    hold(name, data, weights, units=60)


@pytest.mark.parametrize(("a", "b"), [((4,), (4, 1)), ((4, 1), (4,)), ((4, 3, 1), (4, 3))])
@pytest.mark.parametrize("name", ERRORS[:2])
def test_errors_take_a_last_axis_of_size_one(name, a, b):
    rng = np.random.default_rng(2)
    hold(name, [(rng.normal(size=a), rng.normal(size=b))], units=60)


def test_root_is_taken_of_the_mean_over_all_batches():
    metric = scratch.RootMeanSquaredError()
    metric.update_state([[0.0]], [[1.0]])
    metric.update_state([[0.0]], [[7.0]])
    assert metric.result() == 5


def test_a_function_of_ones_own_is_averaged():
    def error(y_true, y_pred, power):
        return np.mean(np.abs(y_pred - y_true) ** power, axis=-1)

    metric = scratch.MeanMetricWrapper(error, "mine", power=3)
    assert metric([[0.0, 0.0]], [[1.0, 2.0]]) == 4.5
    assert metric.name == "mine"


R2_OPTIONS = [
    {},
    {"class_aggregation": None},
    {"class_aggregation": "variance_weighted_average"},
    {"num_regressors": 3},
    {"class_aggregation": None, "num_regressors": 1},
]


@pytest.mark.parametrize("weights", [None, (), (9,), (9, 1), (9, 3)])
@pytest.mark.parametrize("options", R2_OPTIONS, ids=str)
def test_r2_is_keras(options, weights, floatx):
    """The variance is a difference of sums, some tens of roundings of which are left."""
    rng = np.random.default_rng(4)
    y_true = [rng.normal(size=(9, 3)).astype(floatx) for _ in range(3)]
    data = [(y, (y + rng.normal(size=y.shape)).astype(floatx)) for y in y_true]
    weights = None if weights is None else [eighths(rng, weights) + 1 for _ in data]
    hold("R2Score", data, weights, units=200, **options)


def test_r2_in_numbers():
    assert scratch.R2Score()([[1], [4], [3]], [[2], [4], [4]]) == np.float32(0.57142854)
    hold("R2Score", [(np.ones((3, 2)), np.array([[1.0, 2], [1, 2], [1, 2]]))])  # NaN, and 0
    assert scratch.R2Score()(np.array([1.0, 2]), np.array([[1.0], [2]])) == 1


def test_r2_sums_a_batch_in_its_dtype_and_all_batches_in_floatx():
    """In float64 the order of a batch's sum is forgotten: 40 outputs have the same bits."""
    y_true = np.random.default_rng(4).normal(size=(9, 40))
    results = []
    for side in scratch, reference:
        metric = side.R2Score(None, dtype="float64")
        metric.update_state(y_true, y_true + 0.5)
        results.append(metric.result())
    same(*results)


@pytest.mark.parametrize("regressors", [3, 4])
def test_r2_with_as_many_regressors_as_samples_is_not_adjusted(regressors):
    y_true, y_pred = np.array([[1.0], [4], [3], [7]]), np.array([[2.0], [4], [4], [5]])
    results = []
    for side in scratch, reference:
        metric = side.R2Score(num_regressors=regressors)
        metric.update_state(y_true, y_pred)
        with pytest.warns(UserWarning, match=r"degree of freedom|adjusted R2|Adjusted R2"):
            results.append(metric.result())
    close(*results, 4)
    close(results[0], scratch.R2Score()(y_true, y_pred), 0)


EDGES = [0.0, 1.0, -0.0, -0.2, 1.3, 0.5, 0.3, 0.7, 0.2, 1e-8, 1 - 1e-7]


@pytest.mark.parametrize("name", [*COUNTS, "Precision", "Recall"])
@pytest.mark.parametrize(
    "thresholds",
    [None, 0.3, [0.5], [0.2, 0.7], [0.7, 0.3, 0.2], [0.0, 0.5, 1.0], [0.25, 0.5, 0.75]],
)
def test_predictions_at_a_threshold_count_as_in_keras(name, thresholds):
    y_pred = np.concatenate([EDGES, EDGES])
    y_true = np.repeat([0, 1], len(EDGES))
    hold(name, [(y_true, y_pred), (y_true[::-1], y_pred[:, np.newaxis])], thresholds=thresholds)


@pytest.mark.parametrize("count", [2, 3, 5, 11, 200])
@pytest.mark.parametrize("name", COUNTS)
def test_even_thresholds_round_as_in_keras(name, count, floatx):
    """Predictions that are thresholds, as near as the dtype can tell."""
    thresholds = [i / (count - 1) for i in range(count)]
    at = np.array(thresholds, floatx)
    y_pred = np.concatenate([at, np.nextafter(at, at - 1), np.nextafter(at, at + 1)])
    y_pred = y_pred[(y_pred == 0) | (np.abs(y_pred) > np.finfo(floatx).tiny)]  # TensorFlow's 0
    y_true = np.arange(y_pred.size) % 2
    hold(name, [(y_true, y_pred)], thresholds=thresholds)


@pytest.mark.parametrize(
    "options",
    [
        {"top_k": 2},
        {"top_k": 1, "class_id": 2},
        {"class_id": 0},
        {"top_k": 2, "thresholds": 0.4},
        {"top_k": 3, "thresholds": [0.2, 0.8]},
        {"class_id": -1, "thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]},
    ],
    ids=str,
)
@pytest.mark.parametrize("weights", [None, (), (6,), (6, 1), (6, 4)])
@pytest.mark.parametrize("name", ["Precision", "Recall"])
def test_top_k_classes_and_weights_are_keras(name, weights, options):
    rng = np.random.default_rng(5)
    data = [scored(rng, (6, 4))]
    data += [(data[0][0], rng.integers(0, 3, size=(6, 4)).astype("float32") / 2)]  # ties
    if options.get("class_id") is not None and weights == (6, 4):
        pytest.skip("Keras has no room for a weight per class beside class_id")
    weights = None if weights is None else [eighths(rng, weights) for _ in data]
    hold(name, data, weights, **options)


@pytest.mark.parametrize("shape", [(7,), (7, 1), (7, 3), (7, 2, 3)])
@pytest.mark.parametrize("name", ["Precision", "TrueNegatives"])
def test_predictions_of_any_shape_are_counted(name, shape):
    rng = np.random.default_rng(3)
    hold(name, [scored(rng, shape)], [eighths(rng, shape)])
    hold(name, [scored(rng, shape)])


def test_precision_and_recall_in_words():
    y_true, y_pred = [1, 1, 1, 0, 0], [0.9, 0.8, 0.1, 0.7, 0.2]
    assert scratch.Precision()(y_true, y_pred) == np.float32(2 / 3)
    assert scratch.Recall()(y_true, y_pred) == np.float32(2 / 3)
    assert [scratch.Precision()([0], [0.0]), scratch.Recall()([0], [0.0])] == [0, 0]


def test_a_result_stays_what_it_was_when_the_metric_goes_on():
    for name in ("TruePositives", "Precision", "AUC", "F1Score", "R2Score", "Sum", "Mean"):
        options = {"class_aggregation": None} if name == "R2Score" else {}
        metric = getattr(scratch, name)(**options)
        data = [[[0.0, 1.0], [1.0, 0.5]]] * (1 if name in ("Sum", "Mean") else 2)
        metric.update_state(*data)
        before = np.copy(result := metric.result())
        metric.update_state(*data)
        metric.reset_state()
        assert np.array_equal(result, before)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("average", [None, "micro", "macro", "weighted"])
@pytest.mark.parametrize("options", [{}, {"beta": 2.0}, {"threshold": 0.4, "beta": 0.5}], ids=str)
def test_f_scores_are_keras(options, average, weighted):
    """Counts are exact; the scores of three classes are averaged."""
    rng = np.random.default_rng(8)
    data = [scored(rng, (n, 3)) for n in (7, 1)]
    data += [(np.eye(3), np.zeros((3, 3))), (np.eye(3), np.ones((3, 3)))]
    weights = [eighths(rng, len(y)) for y, _ in data] if weighted else None
    hold("FBetaScore", data, weights, units=8, average=average, **options)
    if "beta" not in options:
        hold("F1Score", data, weights, units=8, average=average)


def test_f_scores_in_numbers():
    y_true = [[1, 1, 1], [1, 0, 0], [1, 1, 0]]
    y_pred = [[0.2, 0.6, 0.7], [0.2, 0.6, 0.6], [0.6, 0.8, 0.0]]
    f1 = scratch.F1Score(threshold=0.5)(y_true, y_pred)
    assert np.array_equal(np.round(f1, 6), np.round(np.float32([1 / 2, 4 / 5, 2 / 3]), 6))
    f2 = scratch.FBetaScore(beta=2.0, threshold=0.5)(y_true, y_pred)
    assert np.array_equal(np.round(f2, 6), np.round(np.float32([5 / 13, 10 / 11, 5 / 6]), 6))


CURVES = [
    (curve, how)
    for curve in ("ROC", "PR", "PRGAIN")
    for how in ("interpolation", "minoring", "majoring")
]
THRESHOLDS = [{}, {"num_thresholds": 2}, {"num_thresholds": 11}, {"thresholds": [0.1, 0.6, 0.3]}]
THRESHOLDS += [{"thresholds": [0.25, 0.5, 0.75]}]


@pytest.mark.parametrize("thresholds", THRESHOLDS, ids=str)
@pytest.mark.parametrize(("curve", "how"), CURVES)
def test_auc_is_keras(curve, how, thresholds):
    """Sums over up to 199 intervals of rates that are rounded a few times each."""
    rng = np.random.default_rng(9)
    data = [scored(rng, (30, 1)), (np.repeat([0, 1], len(EDGES)), np.tile(EDGES, 2))]
    weights = [eighths(rng, np.shape(y)) for y, _ in data]
    options = {"curve": curve, "summation_method": how} | thresholds
    metric = hold("AUC", data, weights, units=200, **options)
    assert (metric.curve, metric.summation_method) == (curve, how)


@pytest.mark.parametrize("curve", ["ROC", "PR", "PRGAIN"])
def test_auc_of_plain_lists_is_keras_in_either_floatx(curve, floatx):
    y_true, y_pred = scored(np.random.default_rng(2), 30, floatx)
    hold("AUC", [(y_true.tolist(), y_pred.tolist())], units=200, curve=curve)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        {"multi_label": True},
        {"multi_label": True, "num_labels": 3, "curve": "pr"},
        {"multi_label": True, "label_weights": [0.5, 0.25, 2.0], "summation_method": "Minoring"},
        {"multi_label": True, "label_weights": [0.5, 0.25, 2.0], "thresholds": [0.3, 0.4]},
        {"label_weights": [0.5, 0.25, 2.0]},
        {"label_weights": [0.5, 0.25, 2.0], "thresholds": [0.3, 0.4]},
        {"from_logits": True},
    ],
    ids=str,
)
def test_auc_of_labels_and_logits_is_keras(options, weighted):
    rng = np.random.default_rng(9)
    data = [scored(rng, (n, 3)) for n in (12, 5)]
    if options.get("from_logits"):
        data = [(y_true, 8 * y_pred - 4) for y_true, y_pred in data]
    weights = [eighths(rng, (len(y), 1)) for y, _ in data] if weighted else None
    hold("AUC", data, weights, units=200, **options)


def test_auc_in_numbers():
    y_true, y_pred = [0, 0, 1, 1], [0, 0.5, 0.3, 0.9]
    assert scratch.AUC(num_thresholds=3)(y_true, y_pred) == 0.75
    assert scratch.AUC(num_thresholds=3)(y_true, y_pred, [1, 0, 0, 1]) == 1
    lower, middle, upper = (
        scratch.AUC(summation_method=how, num_thresholds=5)(y_true, y_pred)
        for how in ("minoring", "interpolation", "majoring")
    )
    assert lower < middle < upper


@pytest.mark.parametrize("weights", [None, (20,)])
@pytest.mark.parametrize("dtype", ["int32", "float32", "float64", "int64"])
@pytest.mark.parametrize("num_classes", [None, 6])
def test_confusion_matrix_is_tensorflow(num_classes, dtype, weights):
    rng = np.random.default_rng(1)
    labels, predictions = rng.integers(0, 5, size=(2, 20))
    weights = None if weights is None else rng.integers(0, 9, size=weights)
    options = {"num_classes": num_classes, "weights": weights, "dtype": dtype}
    both("confusion_matrix", labels, predictions, **options)
    both("confusion_matrix", labels[:, np.newaxis], predictions, **options)


def test_confusion_matrix_in_numbers():
    matrix = scratch.confusion_matrix([1, 2, 4], [2, 2, 4])
    expected = np.zeros((5, 5))
    expected[[1, 2, 4], [2, 2, 4]] = 1
    assert np.array_equal(matrix, expected)
    assert scratch.confusion_matrix(np.zeros(0, int), np.zeros(0, int)).shape == (0, 0)


def test_confusion_matrix_refuses_classes_that_are_none():
    for labels, predictions, classes in ([0, -1], [0, 0], 2), ([0, 1], [0, 2], 2):
        with pytest.raises(tf.errors.InvalidArgumentError):
            reference.confusion_matrix(labels, predictions, classes)
        refused(
            lambda a=labels, b=predictions, n=classes: scratch.confusion_matrix(a, b, n),
            "classes must be at least 0 and below 2, not between",
        )
    refused(lambda: scratch.confusion_matrix([0, 1], [0]), "one shape, not")


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("Precision", {"thresholds": 1.5}, "thresholds lie between 0 and 1, not 1.5"),
        ("Recall", {"thresholds": [0.2, -0.1]}, "thresholds lie between 0 and 1"),
        ("FBetaScore", {"average": "mean"}, "average is one of .*, not 'mean'"),
        ("FBetaScore", {"beta": 0.0}, "beta is a float above 0, not 0.0"),
        ("FBetaScore", {"beta": 2}, "beta is a float above 0, not 2"),
        ("F1Score", {"threshold": 0.0}, "threshold is a float above 0 and at most 1, not 0.0"),
        ("F1Score", {"threshold": 1}, "threshold is a float above 0 and at most 1, not 1"),
        ("AUC", {"num_thresholds": 1}, "num_thresholds is above 1, not 1"),
        ("AUC", {"curve": "DET"}, "curve is one of ROC, PR, PRGAIN, not DET"),
        ("AUC", {"summation_method": "left"}, "summation_method is one of .*, not left"),
        ("AUC", {"num_labels": 3}, "num_labels is for multi_label=True alone"),
        ("R2Score", {"class_aggregation": "mean"}, "class_aggregation is one of .*, not mean"),
        ("R2Score", {"num_regressors": -1}, "num_regressors is at least 0, not -1"),
    ],
)
def test_options_that_keras_refuses_are_refused(name, options, message):
    refused(lambda: getattr(scratch, name)(**options), message)
    with pytest.raises(ValueError, match=r"."):
        getattr(reference, name)(**options)


@pytest.mark.parametrize("name", ["F1Score", "R2Score"])
def test_scores_refuse_what_has_no_columns(name):
    for shape in (4,), (4, 2, 3):
        refused(
            lambda s=shape: getattr(scratch, name)()(np.zeros(s), np.zeros(s)),
            r"takes y_true and y_pred of one shape \(n, outputs\), not",
        )


def test_auc_of_labels_refuses_what_has_no_columns():
    metric = scratch.AUC(multi_label=True)
    refused(lambda: metric(np.zeros(4), np.zeros(4)), r"shape \(n, labels\), not \(4,\)")


@pytest.mark.parametrize("name", ["Precision", "AUC", "RootMeanSquaredError"])
def test_counts_refuse_shapes_that_differ(name):
    metric = getattr(scratch, name)()
    refused(lambda: metric(np.zeros((4, 2)), np.zeros((4, 3))), "of one shape, not")


@pytest.mark.parametrize(
    ("name", "options", "y_pred", "weights", "message"),
    [
        ("Precision", {"class_id": 9}, (4, 3), None, r"class_id 9 is no class of .* \(4, 3\)"),
        ("Recall", {"class_id": -4}, (4, 3), None, r"class_id -4 is no class of .* \(4, 3\)"),
        ("Precision", {"class_id": 0}, (4,), None, r"class_id 0 is no class of .* \(4,\)"),
        ("Recall", {"class_id": 1.0}, (4, 3), None, r"class_id 1\.0 is no class"),
        ("Precision", {"top_k": 9}, (4, 3), None, "top_k is at most 3, .* not 9"),
        ("Recall", {"top_k": -1}, (4, 3), None, "top_k is at most 3, .* not -1"),
        ("Precision", {}, (4,), (5,), r"sample_weight of shape \(5,\) does not fit .* \(4,\)"),
        ("Recall", {}, (4, 3), (3,), r"sample_weight of shape \(3, 1\) does not fit"),
        ("TruePositives", {}, (4, 3), (4, 2), r"sample_weight of shape \(4, 2\) does not fit"),
        ("AUC", {}, (4,), (5,), r"sample_weight of shape \(5,\) does not fit .* \(4,\)"),
        ("R2Score", {}, (4, 3), (5,), r"sample_weight of shape \(5, 1\) does not fit"),
        ("F1Score", {}, (4, 3), (5,), r"sample_weight of shape \(5, 1\) does not fit"),
        ("F1Score", {}, (4, 3), (4, 1), r"sample_weight of shape \(4, 1, 1\) does not fit"),
        ("AUC", {"multi_label": True, "num_labels": 2}, (4, 3), None, "AUC expects 2 labels"),
        ("AUC", {"label_weights": [1.0, 2.0]}, (4, 3), None, "AUC expects 2 labels, not y_pred of"),
    ],
)
def test_what_fits_no_predictions_is_refused_as_by_keras(name, options, y_pred, weights, message):
    arrays = np.ones(y_pred), np.full(y_pred, 0.5), None if weights is None else np.ones(weights)
    refused(lambda: getattr(scratch, name)(**options).update_state(*arrays), message)
    with pytest.raises((ValueError, TypeError, tf.errors.InvalidArgumentError)):
        getattr(reference, name)(**options).update_state(*arrays)


@pytest.mark.parametrize("columns", [2, 1])
@pytest.mark.parametrize("name", ["F1Score", "R2Score"])
def test_scores_keep_to_the_number_of_outputs(name, columns):
    metric = getattr(scratch, name)()
    metric.update_state(np.ones((4, 3)), np.ones((4, 3)))
    refused(
        lambda: metric.update_state(np.ones((4, columns)), np.ones((4, columns))),
        f"Score has seen 3 outputs, and now {columns}",
    )


def test_auc_of_labels_keeps_to_their_number():
    metric = scratch.AUC(multi_label=True)
    metric.update_state(np.ones((4, 3)), np.ones((4, 3)))
    refused(
        lambda: metric.update_state(np.ones((4, 2)), np.ones((4, 2))),
        r"AUC expects 3 labels, not y_pred of shape \(4, 2\)",
    )


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
    keras.backend.clear_session()  # which counts objects of one name
    for side in scratch, reference:
        names = [getattr(side, name)().name for name in CLASSES]
        expected = [NAMES.get(name, to_snake_case(name)) for name in CLASSES]
        assert names == expected
        assert side.Accuracy(name="mine").name == "mine"


def test_get_knows_keras_names():
    aliases = dict(zip(["mse", "mae", "mape", "msle"], ERRORS[:1] + ERRORS[2:5], strict=True))
    aliases |= {alias.upper(): cls for alias, cls in aliases.items()}
    aliases |= {to_snake_case(cls): cls for cls in CLASSES} | {cls: cls for cls in CLASSES}
    for name, cls in aliases.items():
        assert type(scratch.get(name)) is getattr(scratch, cls)
        assert type(reference.get(name)) is getattr(reference, cls)
    for cls in CLASSES:
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
    refused(lambda: scratch.get(identifier), "unknown metric .*: choose from mean, sum, accuracy, ")


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
    for name in [*FUNCTIONS, *CLASSES, "MeanMetricWrapper", "Metric", "get"]:
        assert getattr(reference, name) is getattr(keras.metrics, name)
