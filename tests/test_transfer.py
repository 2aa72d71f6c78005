"""Transfer: a body trained on some classes, frozen, under a head that goes on with others."""

from dataclasses import replace

import keras
import numpy as np
import pytest

import reference
import scratch
from comparisons.experiments import EXPERIMENTS
from comparisons.training import compare, prepare

PRETRAINED, FINE_TUNED = (each for each in EXPERIMENTS if each.name == "transfer")
ON_DIGITS = {"dataset": "digits", "epochs": 1}
BODY, HEAD = slice(0, 2), slice(2, None)


@pytest.fixture(scope="module")
def task():
    return prepare(FINE_TUNED, **ON_DIGITS)


def test_each_phase_has_its_own_digits_numbered_from_zero(task):
    every = prepare(replace(PRETRAINED, classes=()), **ON_DIGITS)
    first = prepare(PRETRAINED, **ON_DIGITS)
    for (x, y), whole in ((_test_set(first), every), (_test_set(task), every)):
        assert set(y) == {0, 1, 2, 3, 4}
        assert len(x) == len(y) < len(whole.y_test)
    assert np.array_equal(_test_set(first)[0], every.x_test[every.y_test < 5])
    assert np.array_equal(_test_set(task)[0], every.x_test[every.y_test >= 5])
    assert np.array_equal(_test_set(task)[1], every.y_test[every.y_test >= 5] - 5)


def _test_set(task):
    return task.x_test, task.test_labels


def trained(task, side, fit):
    """(weights before, weights after, optimizer) of an epoch."""
    network = task.network(side)
    before = network.get_weights()
    x, y = next(task.epochs_of_batches())
    fit(network, x, y, batch_size=128, verbose=0, shuffle=False)
    return before, network.get_weights(), network.optimizer


@pytest.mark.parametrize(
    ("side", "fit"),
    [
        (scratch, scratch.network.Sequential.fit),
        (reference, reference.network.Sequential.fit),
        (reference, keras.Sequential.fit),
    ],
)
def test_the_body_stays_bit_for_bit_and_the_head_goes_on_from_its_weights(task, side, fit):
    before, after, optimizer = trained(task, side, fit)
    assert all(map(np.array_equal, before, task.start))
    assert all(map(np.array_equal, before[BODY], after[BODY]))
    assert not any(map(np.array_equal, before[HEAD], after[HEAD]))
    assert int(np.asarray(optimizer.iterations)) == task.steps_per_epoch


def test_it_starts_where_scratch_ends_the_first_phase(task):
    first = prepare(PRETRAINED, **ON_DIGITS)
    drawn, after, _ = trained(first, scratch, scratch.network.Sequential.fit)
    assert all(map(np.array_equal, after, task.start))
    assert not any(map(np.array_equal, drawn, task.start))


def test_of_what_is_frozen_no_gradient_is_computed(task, monkeypatch):
    network = task.network(scratch)

    def no_way_back(x, training=False):
        return type(network.layers[1]).preactivation(network.layers[1], x)[0], None

    monkeypatch.setattr(network.layers[1], "call", no_way_back)
    gradients = network.loss_and_gradients(task.x_train[:3], task.y_train[:3])[2]
    assert [g.shape for g in gradients] == [w.shape for w in network.weights[HEAD]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("experiment", [PRETRAINED, FINE_TUNED], ids=lambda e: e.variant)
def test_both_phases_match(experiment, dtype):
    result = compare(experiment, dtype=dtype, **ON_DIGITS)
    assert result.verdict == "match", result.causes
    assert result.initial_weights_identical
    if dtype == "float64":
        assert result.predictions_agreeing == result.test_examples
        assert result.keras_weight_difference <= 1e-12


def test_a_body_that_is_trained_by_mistake_is_a_mismatch(monkeypatch):
    right = scratch.models.convnet
    monkeypatch.setattr(scratch.models, "convnet", lambda *sizes, **how: right(*sizes, classes=5))
    result = compare(FINE_TUNED, dtype="float64", **ON_DIGITS)
    assert result.verdict == "mismatch"
    assert result.causes[:2] == [
        "conv2d/kernel is trained in scratch alone",
        "conv2d/bias is trained in scratch alone",
    ]
