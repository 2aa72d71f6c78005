"""Networks that are trained on several inputs, in step with Keras's."""

import keras
import numpy as np
import pytest

import reference
import scratch
from comparisons import datasets
from comparisons.precision import floatx

EPS = np.finfo("float64").eps
IMAGES, LABELS = datasets.load("digits")[:2]
LEFT, RIGHT = (np.split(IMAGES[:96].reshape(96, 8, 8), 2, axis=2)[side] for side in (0, 1))
X = [half.reshape(96, 32).astype("float64") for half in (LEFT, RIGHT)]
Y = LABELS[:96]


def of_halves(side, ahead=0):
    """A network that sees the left and the right half of a digit as two inputs, compiled.

    With `ahead` units in a layer before the branches, it sees one array.
    """
    side.random.set_random_seed(2)
    of = side.regularizers
    layers = [
        side.dense.Dense(16, "relu", kernel_regularizer=of.L2(1e-3)),
        side.network.Sequential(
            [
                side.dense.Dense(8, "tanh", activity_regularizer=of.L2(2**-6)),
                side.normalization.BatchNormalization(),
            ]
        ),
    ]
    merge = side.merging.Concatenate(activity_regularizer=of.L1(2**-10))
    branches = side.branches.Branches(layers, merge)
    first = [side.dense.Dense(ahead, "tanh")] if ahead else []
    made = side.network.Sequential([*first, branches, side.dense.Dense(10, "softmax")])
    made.compile(
        side.optimizers.SGD(0.1, momentum=0.9),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return made


FITS = [
    (scratch, scratch.network.Sequential.fit),
    (reference, reference.network.Sequential.fit),
    (reference, keras.Sequential.fit),
]


def trained(x=X, y=Y, sides=FITS, ahead=0, **settings):
    """(network, history) of each side after 12 steps of 16 samples in float64, x given as it is."""
    settings = {"batch_size": 16, "epochs": 2, "verbose": 0, "shuffle": False} | settings
    results = []
    with floatx("float64"):
        for side, fit in sides:
            made = of_halves(side, ahead)
            results.append((made, fit(made, x, y, **settings).history))
    return results


def assert_same_histories(here, there):
    """Means over 96 samples, of sums of up to 32 products each."""
    assert set(here) == set(there)
    for name, values in here.items():
        np.testing.assert_allclose(values, there[name], rtol=1e-13, err_msg=name)


def assert_same_weights(here, there):
    """12 steps, each with the rounding of sums over 32 products and 16 samples."""
    for weight, expected in zip(here.get_weights(), there.get_weights(), strict=True):
        assert np.abs(weight - expected).max() <= 12 * 48 * EPS * max(1, np.abs(expected).max())


@pytest.mark.parametrize("kind", [list, tuple])
def test_a_network_of_two_inputs_trains_as_keras_s(kind):
    """In the loop over GradientTape, and in Keras's own; all penalties inside are in the loss."""
    validation = (kind(half[:40] for half in X), Y[:40])
    (here, history), *others = trained(kind(X), validation_data=validation)
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    for there, theirs in others:
        assert_same_histories(history, theirs)
        assert_same_weights(here, there)
        np.testing.assert_allclose(here.predict(kind(X)), there.predict(kind(X), verbose=0), 1e-11)
        expected = there.evaluate(kind(X), Y, verbose=0)
        np.testing.assert_allclose(here.evaluate(kind(X), Y, verbose=0), expected, rtol=1e-13)


def test_sample_weights_go_with_several_inputs():
    weights = np.random.default_rng(0).uniform(size=96)
    (here, history), *others = trained(sample_weight=weights)
    for there, theirs in others:
        assert_same_histories(history, theirs)
        assert_same_weights(here, there)


def test_both_loops_shuffle_several_inputs_alike():
    (here, history), (there, theirs) = trained(sides=FITS[:2], shuffle=True)
    assert_same_histories(history, theirs)
    assert_same_weights(here, there)
    assert trained(sides=FITS[:1])[0][1]["loss"] != history["loss"]


def test_validation_split_cuts_every_input():
    (here, history), (there, theirs) = trained(sides=FITS[::2], validation_split=0.25)
    assert_same_histories(history, theirs)
    assert_same_weights(here, there)


def test_single_batches_of_several_inputs():
    with floatx("float64"):
        here, there = of_halves(scratch), of_halves(reference)
        batch = [half[:16] for half in X], Y[:16]
        for _ in range(3):
            logs, expected = (made.train_on_batch(*batch) for made in (here, there))
            np.testing.assert_allclose(logs, expected, rtol=1e-13)
        here.reset_metrics()
        there.reset_metrics()
        logs, expected = (made.test_on_batch(*batch) for made in (here, there))
        np.testing.assert_allclose(logs, expected, rtol=1e-13)
        assert_same_weights(here, there)


@pytest.mark.parametrize("ahead", [0, 12])
def test_all_branches_may_see_one_array(ahead):
    whole = np.concatenate(X, axis=1)
    (here, history), *others = trained(whole, ahead=ahead)
    for there, theirs in others:
        assert_same_histories(history, theirs)
        assert_same_weights(here, there)


def test_inner_penalties_are_in_the_loss_alone():
    with floatx("float64"):
        made = of_halves(scratch)
        y, penalty, backward, _ = made.penalized_forward(X, training=True)
        hidden = made.layers[0].branches[1].layers[0](X[1])
        merged = made.layers[0](X, training=True)
    expected = 2**-6 * np.sum(hidden**2) / 96 + 2**-10 * np.sum(np.abs(merged)) / 96
    assert penalty == pytest.approx(expected, rel=1e-12)
    dy = np.random.default_rng(3).standard_normal(y.shape)
    _, without = made.forward(X, training=True)[1](dy)
    _, same = backward(dy, 0.0)
    assert all(map(np.array_equal, without, same))
    changed = [
        not np.array_equal(*pair) for pair in zip(without, backward(dy, 1.0)[1], strict=True)
    ]
    assert changed[:4] == [True] * 4


def test_inputs_of_other_lengths_are_named():
    uneven = [X[0], X[1][:90]]
    made = of_halves(scratch)
    for call in (
        lambda: made.fit(uneven, Y),
        lambda: made.evaluate(uneven, Y),
        lambda: made.predict(uneven),
    ):
        with pytest.raises(ValueError, match=r"need one length above 0, not \[90, 96\]"):
            call()
    with pytest.raises(ValueError, match=r"need one length above 0, not \[95, 96\]"):
        made.fit(X, Y[:95])
    with pytest.raises(ValueError, match=r"x and y need one length, not \[90, 96\]"):
        of_halves(reference).fit(uneven, Y)
    with pytest.raises(ValueError, match="sizes: 96, 90"):
        keras.Sequential.fit(of_halves(reference), uneven, Y)


def test_another_number_of_inputs_is_named_in_training():
    with pytest.raises(ValueError, match=r"branches takes 2 inputs, .* not 3 inputs"):
        of_halves(scratch).fit([*X, X[0]], Y, verbose=0)


def test_a_network_of_one_input_takes_rows_of_numbers_and_refuses_arrays():
    """A list of lists of numbers is one array, of arrays several inputs, as in Keras."""
    rows, labels = [[0.0, 1.0], [1.0, 0.0]], [[1.0], [2.0]]
    made = scratch.network.Sequential([scratch.network.Input((2,)), scratch.dense.Dense(1)])
    made.compile("sgd", "mse")
    assert len(made.fit(rows, labels, verbose=0).history["loss"]) == 1
    assert np.array_equal(made.predict(rows), made(np.array(rows)))
    with pytest.raises(ValueError, match="sequential takes one array, not a list of 2"):
        made.predict([np.array(rows), np.array(rows)])


def test_summary_takes_several_shapes():
    lines = []
    made = of_halves(scratch)
    made(X)
    made.summary(print_fn=lines.append)
    assert "branches (Branches)" in lines[1]
    assert "(None, 24)" in lines[1]
    assert lines[-1] == f"Total params: {made.count_params():,}"
