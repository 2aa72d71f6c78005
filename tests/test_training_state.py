"""The comparison of networks that draw in training and keep moving averages."""

from dataclasses import replace

import numpy as np
import pytest

import reference
import scratch
from comparisons.experiments import EXPERIMENTS
from comparisons.precision import floatx
from comparisons.training import compare, prepare
from comparisons.training.kinks import received, received_by_reference
from comparisons.training.lockstep import _ratio
from comparisons.training.rounding import apart, outcome, outcome_noise
from comparisons.training.state import restore, standing_at, state

BY_TITLE = {experiment.title: experiment for experiment in EXPERIMENTS}
ON_DIGITS = {"dataset": "digits", "samples": 200}
NARROW = {"layers": 2, "dropout": 0.2, "batch_normalization": True}
RESTLESS = replace(BY_TITLE["overfitting, dropout"], arguments=NARROW, **ON_DIGITS)
BRIEF = replace(RESTLESS, arguments=NARROW | {"layers": 1}, batch_size=20, samples=40)
SIDES = (scratch, reference)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_sides_drop_the_same_units_and_move_the_same_averages(dtype):
    result = compare(RESTLESS, dtype=dtype, epochs=3)
    assert result.verdict == "match", result.causes
    assert {row.verdict for row in result.gradients} <= {"match", "identical"}
    assert result.lock_step.worst_ratio < result.lock_step.limit
    if dtype == "float64":
        assert result.max_weight_difference <= 1e-12
        assert result.keras_weight_difference <= 1e-12
        assert result.predictions_agreeing == result.test_examples


@pytest.mark.parametrize(
    "title", ["overfitting, dropout and weight decay", "batch-norm, stddev 0.1, with"]
)
def test_experiments_match_on_digits(title):
    result = compare(replace(BY_TITLE[title], **ON_DIGITS), dtype="float64", epochs=2)
    assert result.verdict == "match", result.causes
    assert result.predictions_agreeing == result.test_examples


def test_one_step_of_the_deep_convnet_matches_on_digits():
    few = replace(BY_TITLE["deep-convnet"], dataset="digits", samples=20, learns=False)
    result = compare(few, dtype="float64", epochs=1)
    assert result.verdict == "match", result.causes
    assert result.predictions_agreeing == result.test_examples


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_runs_that_overflow_alike_match(dtype):
    wide = replace(BY_TITLE["batch-norm, stddev 1, without"], **ON_DIGITS)
    result = compare(wide, dtype=dtype, epochs=3)
    assert np.isnan(result.loss["scratch"])
    assert not result.learned
    assert result.verdict == "match", result.causes


def one_draw_too_many(monkeypatch):
    right = scratch.dropout.Dropout.disturbed

    def disturbed(self, x):
        y, backward = right(self, x)
        self.seed_generator.next()
        return y, backward

    monkeypatch.setattr(scratch.dropout.Dropout, "disturbed", disturbed)


def one_mask_for_all_steps(monkeypatch):
    def disturbed(self, x):
        seed, _ = self.seed_generator.next()
        return scratch.random.dropout(x, self.rate, seed=int(seed))

    monkeypatch.setattr(scratch.dropout.Dropout, "disturbed", disturbed)


def dropout_passes_every_gradient(monkeypatch):
    right = scratch.dropout.Dropout.disturbed
    monkeypatch.setattr(
        scratch.dropout.Dropout, "disturbed", lambda self, x: (right(self, x)[0], lambda dy: dy)
    )


def other_momentum(monkeypatch):
    right = scratch.normalization.BatchNormalization.__init__

    def init(self, *arguments, **settings):
        right(self, *arguments, **settings | {"momentum": 0.98})

    monkeypatch.setattr(scratch.normalization.BatchNormalization, "__init__", init)


def averages_stand_still(monkeypatch):
    monkeypatch.setattr(
        scratch.normalization.BatchNormalization, "_move", lambda self, average, value: None
    )


PLANTED = [
    (one_draw_too_many, "step 0: dropout/seed_generator goes on to"),
    (one_mask_for_all_steps, "step 1: the "),
    (dropout_passes_every_gradient, "step 0: the gradient of"),
    (other_momentum, "step 0: the new batch_normalization/moving_mean is off by"),
    (averages_stand_still, "step 0: the new batch_normalization/moving_mean is off by"),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("plant", "cause"), PLANTED)
def test_planted_bug_is_a_mismatch(plant, cause, dtype, monkeypatch):
    plant(monkeypatch)
    result = compare(BRIEF, dtype=dtype, epochs=1)
    assert result.verdict == "mismatch"
    assert any(sentence.startswith(cause) for sentence in result.causes), result.causes


def gradient_overflows(monkeypatch):
    right = scratch.losses.Loss.forward

    def forward(self, y_true, y_pred, *weights):
        value, backward = right(self, y_true, y_pred, *weights)
        return value, lambda dy: backward(dy) * np.nan

    monkeypatch.setattr(scratch.losses.Loss, "forward", forward)


def test_overflow_on_one_side_alone_is_a_mismatch(monkeypatch):
    gradient_overflows(monkeypatch)
    result = compare(BY_TITLE["digits"], epochs=1)
    assert result.verdict == "mismatch"
    assert any("is off by inf" in sentence for sentence in result.causes), result.causes


@pytest.fixture
def batch():
    task = prepare(RESTLESS)
    return task, *next(task.batches(task.x_train, task.y_train))


def values(state):
    return [*state.weights, *state.seeds, *state.optimizer]


def same(here, there):
    return all(np.array_equal(h, t) for h, t in zip(values(here), values(there), strict=True))


@pytest.mark.parametrize("side", SIDES)
def test_a_step_from_a_restored_state_is_the_same_step(side, batch):
    task, x, y = batch
    network = task.network(side)
    before = state(network)
    first, *_ = network.step(x, y)
    after = state(network)
    assert not any(np.array_equal(*seeds) for seeds in zip(before.seeds, after.seeds, strict=True))
    assert not np.array_equal(before.weights[3], after.weights[3])
    restore(network, before)
    assert same(state(network), before)
    again, *_ = network.step(x, y)
    assert float(first) == float(again)
    assert same(state(network), after)


def test_the_states_of_both_sides_are_the_same_arrays(batch):
    task, x, y = batch
    networks = [task.network(side) for side in SIDES]
    for network in networks:
        network.step(x, y)
    here, there = map(state, networks)
    assert [len(part) for part in (here.weights, here.seeds, here.optimizer)] == [12, 2, 2]
    assert np.array_equal(here.seeds, there.seeds)
    assert [v.shape for v in values(here)] == [v.shape for v in values(there)]
    restore(networks[0], there)
    assert same(state(networks[0]), there)


@pytest.mark.parametrize(
    ("side", "look"), [(scratch, received), (reference, received_by_reference)]
)
def test_a_look_inside_sees_the_step_s_mask_and_changes_nothing(side, look, batch):
    task, x, y = batch
    network = task.network(side)
    start = state(network)
    first = look(network, start, x)
    network.step(x, y)
    later = state(network)
    again = look(network, start, x)
    assert same(state(network), later)
    assert list(first) == [0, 1]
    assert all(np.array_equal(first[place], again[place]) for place in first)
    other_mask = look(network, replace(start, seeds=later.seeds), x)
    assert np.array_equal(other_mask[0], first[0])
    assert not np.array_equal(other_mask[1], first[1])


def test_both_sides_look_inside_alike():
    task = prepare(RESTLESS, dtype="float64")
    with floatx("float64"):
        here, there = (task.network(side) for side in SIDES)
        z = received(here, state(here), task.x_train[:50])
        expected = received_by_reference(there, state(there), task.x_train[:50])
    for place, values in z.items():
        assert np.allclose(values, expected[place], rtol=0, atol=1e-12)


def test_noise_is_measured_from_the_state_given(batch):
    task, x, y = batch
    network = task.network(scratch)
    start = state(network)
    noise = outcome_noise(network, start, x, y, seed=0)
    network.step(x, y)
    assert outcome_noise(network, start, x, y, seed=0) == noise
    exact = outcome(network, start, x, y)
    # were the masks others, the loss would move in its first digits
    assert all(n <= 1e-3 * np.abs(e).max() for n, e in zip(noise, exact, strict=True))


def test_a_network_stands_elsewhere_for_a_while(batch):
    task, x, y = batch
    network = task.network(scratch)
    start = state(network)
    network.step(x, y)
    later = state(network)
    with standing_at(network, start):
        assert same(state(network), start)
    assert same(state(network), later)


def test_what_overflowed_alike_is_not_apart():
    here = np.array([1.0, np.nan, np.inf, -np.inf])
    assert apart(here, np.array([1.5, np.nan, np.inf, -np.inf])) == 0.5
    assert apart(here, np.array([1.0, np.nan, np.inf, np.inf])) == np.inf
    assert apart(here, np.array([1.0, np.nan, np.nan, -np.inf])) == np.inf
    assert apart(np.array(np.nan), np.array(1.0)) == np.inf
    assert _ratio(np.inf, np.inf) == np.inf
    assert _ratio(0.0, np.inf) == 0.0
