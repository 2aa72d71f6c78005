"""The comparison of two trainings: what matches, and that a bug planted anywhere does not."""

import os
from dataclasses import replace

import numpy as np
import pytest

import scratch
from comparisons.datasets import DataError
from comparisons.experiments import EXPERIMENTS
from comparisons.results import averaged
from comparisons.training import Interrupted, compare, prepare
from comparisons.training.kinks import Flip, Kink, flips, following
from comparisons.training.rounding import nudge
from comparisons.training.verdict import fell

BY_NAME = {experiment.name: experiment for experiment in EXPERIMENTS}
DIGITS = BY_NAME["digits"]
RMSPROP = replace(DIGITS, optimizer="RMSprop", settings={"learning_rate": 1e-3})
ADAM = replace(DIGITS, optimizer="Adam", settings={"learning_rate": 1e-3})
MNIST = pytest.mark.skipif(
    "TWOFOLD_DATA" not in os.environ, reason="TWOFOLD_DATA does not name a copy of MNIST"
)


@pytest.fixture(scope="module", params=["float32", "float64"])
def run(request):
    return compare(DIGITS, dtype=request.param, epochs=5)


def test_right_code_matches(run):
    assert run.verdict == "match", run.causes
    assert run.causes == []
    assert run.initial_weights_identical
    assert run.learned
    assert run.steps == 5 * 45
    assert [row.weight for row in run.gradients] == [
        "dense/kernel",
        "dense/bias",
        "dense_1/kernel",
        "dense_1/bias",
    ]
    assert {row.verdict for row in run.gradients} <= {"match", "identical"}
    assert run.lock_step.worst_ratio < run.lock_step.limit
    assert run.accuracy["scratch"] > 0.8


def test_float64_runs_are_equal_for_all_purposes(run):
    if run.dtype == "float64":
        assert run.max_weight_difference <= 1e-12
        assert run.keras_weight_difference <= 1e-12
        assert run.predictions_agreeing == run.test_examples == 360
        assert run.accuracy["scratch"] == run.accuracy["reference"] == run.accuracy["keras"]
        assert run.first_divergence is None


def test_float32_runs_end_at_the_same_accuracy(run):
    accuracies = list(run.accuracy.values())
    assert max(accuracies) - min(accuracies) <= 0.005


def test_two_runs_differ_only_in_seconds(run):
    again = compare(DIGITS, dtype=run.dtype, epochs=5).to_dict()
    expected = run.to_dict()
    del again["seconds"], expected["seconds"]
    assert again == expected


def test_floatx_is_restored(run):
    assert scratch.config.floatx() == "float32"


def transposed_kernel_gradient(monkeypatch):
    right = scratch.dense.dense

    def dense(x, kernel, bias=None):
        y, backward = right(x, kernel, bias)

        def wrong(dy, needs_dx=True):
            dx, dkernel, dbias = backward(dy, needs_dx)
            return dx, dkernel.T, dbias

        return y, wrong

    monkeypatch.setattr(scratch.dense, "dense", dense)


def mean_bias_gradient(monkeypatch):
    right = scratch.dense.dense

    def dense(x, kernel, bias=None):
        y, backward = right(x, kernel, bias)

        def wrong(dy, needs_dx=True):
            dx, dkernel, dbias = backward(dy, needs_dx)
            return dx, dkernel, dbias / len(dy)

        return y, wrong

    monkeypatch.setattr(scratch.dense, "dense", dense)


def missing_mean_over_the_batch(monkeypatch):
    right = scratch.losses.Loss.forward

    def forward(self, y_true, y_pred, *weights):
        value, backward = right(self, y_true, y_pred, *weights)
        return value, lambda dy: backward(dy) * dy.dtype.type(len(y_pred))

    monkeypatch.setattr(scratch.losses.Loss, "forward", forward)


def loss_reported_too_small(monkeypatch):
    right = scratch.losses.Loss.forward

    def forward(self, y_true, y_pred, *weights):
        value, backward = right(self, y_true, y_pred, *weights)
        return value * value.dtype.type(0.999), backward

    monkeypatch.setattr(scratch.losses.Loss, "forward", forward)


def larger_epsilon(optimizer):
    def plant(monkeypatch):
        right = optimizer.__init__

        def init(self, *arguments, **settings):
            right(self, *arguments, **settings)
            self.epsilon = 2e-7

        monkeypatch.setattr(optimizer, "__init__", init)

    return plant


def other_learning_rate(monkeypatch):
    right = scratch.optimizers.SGD.__init__

    def init(self, learning_rate=0.01, *arguments, **settings):
        right(self, learning_rate * (1 + 1e-5), *arguments, **settings)

    monkeypatch.setattr(scratch.optimizers.SGD, "__init__", init)


def other_initial_weights(monkeypatch):
    right = scratch.random.set_random_seed
    monkeypatch.setattr(scratch.random, "set_random_seed", lambda seed: right(seed + 1))


def accuracy_counts_too_much(monkeypatch):
    metric = scratch.metrics.SparseCategoricalAccuracy
    right = metric.result
    monkeypatch.setattr(metric, "result", lambda self: right(self) * np.float32(0.99))


def failing_backward(monkeypatch):
    def dense(x, kernel, bias=None):
        return x @ kernel + bias, lambda dy, needs_dx=True: 1 / 0

    monkeypatch.setattr(scratch.dense, "dense", dense)


PLANTED = [
    (DIGITS, transposed_kernel_gradient, "step 0: the gradient of dense/kernel has shape (32, 64)"),
    (DIGITS, mean_bias_gradient, "bias is off by"),
    (DIGITS, missing_mean_over_the_batch, "the gradient of"),
    (DIGITS, loss_reported_too_small, "the loss is off by"),
    (DIGITS, other_learning_rate, "the optimizer moves"),
    (DIGITS, other_initial_weights, "initial weights differ"),
    (DIGITS, accuracy_counts_too_much, "accuracies"),
    (DIGITS, failing_backward, "scratch raised ZeroDivisionError"),
    (RMSPROP, larger_epsilon(scratch.optimizers.RMSprop), "the optimizer moves"),
    (ADAM, larger_epsilon(scratch.optimizers.Adam), "the optimizer moves"),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("experiment", "plant", "cause"), PLANTED)
def test_planted_bug_is_a_mismatch(experiment, plant, cause, dtype, monkeypatch):
    plant(monkeypatch)
    result = compare(experiment, dtype=dtype, epochs=1)
    assert result.verdict == "mismatch"
    assert any(cause in sentence for sentence in result.causes), result.causes


def test_a_run_that_learns_nothing_is_no_match():
    still = replace(DIGITS, settings={"learning_rate": 1e-9})
    result = compare(still, epochs=1)
    assert not result.learned
    assert result.verdict == "mismatch"
    assert "agreeing on having learned nothing is no match" in result.causes[0]
    assert compare(replace(still, learns=False), epochs=1).verdict == "match"


def test_ctrl_c_says_how_far_it_came():
    def interrupt(done, total, text):
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="after step 7 of 90"):
        compare(DIGITS, epochs=2, progress=interrupt)
    assert scratch.config.floatx() == "float32"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, not 0"),
        ({"epochs": -3}, "epochs must be at least 1, not -3"),
        ({"dtype": "float16"}, "dtype is float32 or float64, not 'float16'"),
        ({"seed": -1}, "seed must be from 0"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        compare(DIGITS, **settings)


@pytest.mark.parametrize("experiment", [row for row in EXPERIMENTS if row.name != "moons"])
@pytest.mark.parametrize("dataset", ["moons", "blobs"])
def test_points_are_refused_by_networks_for_images(experiment, dataset):
    message = f"{experiment.name} needs data of square images of 10 classes, such as digits; "
    with pytest.raises(DataError, match=f"{message}{dataset} has 2 inputs and 2 classes"):
        prepare(experiment, dataset=dataset)


def test_images_are_refused_by_the_network_for_points():
    message = "moons needs data of 2 inputs and 2 classes, such as moons; digits has 64 inputs and"
    with pytest.raises(DataError, match=f"{message} 10 classes"):
        prepare(BY_NAME["moons"], dataset="digits")
    prepare(BY_NAME["moons"], dataset="blobs")


def test_nudge_moves_every_number_by_one_unit_and_leaves_zeros():
    x = np.array([1.0, -3.0, 0.0, 1e-30], np.float32)
    moved = nudge(x, np.random.default_rng(0))
    assert moved.dtype == x.dtype
    assert moved[2] == 0
    assert (moved[[0, 1, 3]] != x[[0, 1, 3]]).all()
    assert (np.abs(moved - x) <= np.spacing(np.abs(x))).all()


def test_flips_are_the_units_on_different_sides_of_zero():
    here, there = np.array([[1e-9, -1.0], [2.0, -3e-9]]), np.array([[-2e-9, -1.0], [2.0, -1e-9]])
    relu = Kink(scratch.dense.Dense(2, activation="relu"), "activation")
    assert flips([relu], {0: here}, {0: there}) == [Flip(0, (0, 0), 1e-9, -2e-9)]


def test_flips_are_the_largest_of_a_window_on_one_side_only():
    here = np.array([0.0, 0.0, 0.5, 0.5 - 1e-9]).reshape(1, 4, 1)
    there = np.array([0.0, 0.0, 0.5, 0.5 + 1e-9]).reshape(1, 4, 1)
    pool = Kink(scratch.pooling.MaxPooling1D(name="pool"), "pool")
    found = flips([pool], {0: here}, {0: there})
    assert [flip.index for flip in found] == [(0, 2, 0), (0, 3, 0)]
    assert "hidden unit 3, 0 of those before pool is the largest" in found[1].sentence(pool)


def test_a_network_follows_the_windows_of_the_reference():
    here, there = np.float32([[[0.0], [0.25], [0.5], [0.5]]] * 2)[:, np.newaxis]
    here[0, 3], there[0, 2] = np.nextafter(np.float32([0.5, 0.5]), np.float32(0))
    network = scratch.network.Sequential([scratch.pooling.MaxPooling1D()])
    routed = {}
    with following(network, {0: there}):
        y, backward = network.forward(here)
        routed["reference"] = backward(np.ones_like(y))[0].ravel().tolist()
    routed["own"] = network.forward(here)[1](np.ones_like(y))[0].ravel().tolist()
    assert y.ravel().tolist() == [0.25, 0.5]
    assert routed == {"reference": [0, 1, 0, 1], "own": [0, 1, 1, 0]}


def test_a_loss_fell_only_beyond_its_scatter():
    scatter = np.random.default_rng(0).standard_normal(200)
    assert not fell(list(2.3 + 0.1 * scatter))
    assert fell(list(np.linspace(2.3, 1.0, 200) + 0.1 * scatter))
    assert not fell([])


@MNIST
@pytest.mark.parametrize("name", ["two-layer", "mlp-onehot"])
def test_mnist_in_float64_is_equal_after_an_epoch(name):
    result = compare(BY_NAME[name], dtype="float64", epochs=1)
    assert result.verdict == "match", result.causes
    assert result.dataset == "mnist"
    assert result.max_weight_difference <= 1e-12
    assert result.predictions_agreeing == 10000


@MNIST
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "least"), [("mlp", 0.975), ("mlp-onehot", 0.975), ("two-layer", 0.96), ("naive", 0.8)]
)
def test_full_trainings_in_float64_are_equal(name, least):
    result = compare(BY_NAME[name], dtype="float64")
    assert result.verdict == "match", result.causes
    assert result.initial_weights_identical
    assert result.max_weight_difference <= 1e-12
    assert result.predictions_agreeing == 10000
    assert len(set(result.accuracy.values())) == 1
    assert result.accuracy["scratch"] >= least


@MNIST
@pytest.mark.slow
@pytest.mark.parametrize("name", ["mlp", "mlp-onehot", "two-layer", "naive"])
def test_full_trainings_in_float32_are_explained(name):
    result = compare(BY_NAME[name], dtype="float32")
    assert result.verdict == "match", result.causes
    assert max(result.accuracy.values()) - min(result.accuracy.values()) <= 0.005


@MNIST
@pytest.mark.slow
@pytest.mark.parametrize("experiment", EXPERIMENTS[5:], ids=lambda experiment: experiment.title)
def test_every_other_experiment_matches_in_float64(experiment):
    result = compare(experiment, dtype="float64")
    assert result.verdict == "match", result.causes
    assert result.predictions_agreeing == result.test_examples
    assert result.accuracy["scratch"] >= {"deep-convnet": 0.99}.get(experiment.name, 0.0)


def test_of_the_samples_the_last_are_held_out_for_validation():
    few = replace(DIGITS, samples=50, validation=0.2)
    task, whole = prepare(few), prepare(DIGITS)
    assert (len(task.x_train), len(task.x_test)) == (40, 10)
    assert np.array_equal(np.concatenate([task.x_train, task.x_test]), whole.x_train[:50])
    assert np.array_equal(task.test_labels, task.y_test)


def test_members_of_an_ensemble_start_apart_and_are_averaged():
    members = [replace(DIGITS, later_seed=member, epochs=1) for member in range(2)]
    first, second = (compare(member) for member in members)
    assert (first.seed, second.seed) == (0, 1)
    here, there = (result.samples.outputs["scratch"] for result in (first, second))
    assert not np.array_equal(here, there)
    right = ((here + there) / 2).argmax(axis=-1) == first.samples.labels
    assert averaged([first, second])["scratch"] == right.mean()


def test_points_in_the_plane_are_mapped_and_long_runs_tested_fifty_times():
    moons = replace(BY_NAME["moons"], epochs=101)
    result = compare(moons, dtype="float64")
    assert result.predictions_agreeing == result.test_examples == 200
    assert result.samples.map["scratch"].shape == (100, 100)
    # an output, between 0 and 1, moves with each of the 111 weights by no more than the weight does
    bound = 111 * (result.keras_weight_difference + np.finfo("float64").eps)
    here, there = (result.samples.map[side] for side in ("scratch", "keras"))
    assert np.abs(here - there).max() <= bound
    assert result.curves.tested == [*range(3, 101, 3), 101]
    assert len(result.curves.history["keras"]["val_loss"]) == len(result.curves.tested)
