"""The network and its training loop against Keras's, hook by hook and number by number."""

import keras
import numpy as np
import pytest

import reference
import scratch
from comparisons.precision import floatx

RNG = np.random.default_rng(5)
X = RNG.standard_normal((50, 6))
Y = RNG.integers(0, 3, 50)


@pytest.fixture(autouse=True)
def _float64():
    with floatx("float64"):
        yield


def network(side, last="softmax", seed=1):
    side.random.set_random_seed(seed)
    layers = [side.network.Input((6,)), side.dense.Dense(5, "relu"), side.dense.Dense(3, last)]
    return side.network.Sequential(layers)


def compiled(side, last="softmax", loss="sparse_categorical_crossentropy"):
    made = network(side, last)
    made.compile(side.optimizers.SGD(0.1, momentum=0.5), loss, metrics=["accuracy"])
    return made


def assert_same_training(fit, last="softmax", loss="sparse_categorical_crossentropy"):
    """fit, called with a network of scratch and one of Keras, gives the same history and weights.

    Metrics and losses are means over up to 50 samples, weights sums over as many steps.
    """
    here, there = compiled(scratch, last, loss), compiled(reference, last, loss)
    ours = fit(here, scratch.network.Sequential.fit)
    keras_network = compiled(reference, last, loss)
    for twin, theirs in [
        (there, fit(there, reference.network.Sequential.fit)),
        (keras_network, fit(keras_network, keras.Sequential.fit)),
    ]:
        assert ours.epoch == theirs.epoch
        assert set(ours.history) == set(theirs.history)
        for name, values in ours.history.items():
            np.testing.assert_allclose(values, theirs.history[name], rtol=1e-13, err_msg=name)
        for weight, expected in zip(here.get_weights(), twin.get_weights(), strict=True):
            np.testing.assert_allclose(weight, expected, rtol=0, atol=1e-14)


def test_fit_is_keras_fit():
    def fit(made, fit):
        return fit(made, X, Y, batch_size=8, epochs=3, shuffle=False, verbose=0)

    assert_same_training(fit)


@pytest.mark.parametrize(
    ("last", "loss", "labels"),
    [
        ("softmax", "categorical_crossentropy", np.eye(3)[Y]),
        ("sigmoid", "binary_crossentropy", np.eye(3)[Y]),
        ("linear", "mean_squared_error", np.eye(3)[Y]),
        ("softmax", "mean_squared_error", np.eye(3)[Y]),
        ("tanh", "mean_squared_error", np.eye(3)[Y]),
    ],
)
def test_fit_is_keras_fit_for_each_loss(last, loss, labels):
    def fit(made, fit):
        return fit(made, X, labels, batch_size=16, epochs=2, shuffle=False, verbose=0)

    assert_same_training(fit, last, loss)


def test_validation_data_is_measured_after_every_epoch():
    def fit(made, fit):
        validation = (X[40:], Y[40:])
        settings = {"validation_data": validation, "shuffle": False, "verbose": 0}
        return fit(made, X[:40], Y[:40], batch_size=8, epochs=2, **settings)

    assert_same_training(fit)


def test_sample_weights_scale_each_loss():
    weights = np.random.default_rng(0).uniform(size=50)

    def fit(made, fit):
        settings = {"sample_weight": weights, "shuffle": False, "verbose": 0}
        return fit(made, X, Y, batch_size=8, epochs=2, **settings)

    assert_same_training(fit)


@pytest.mark.parametrize(
    "settings", [{"validation_split": 0.3}, {"class_weight": {0: 2.0, 2: 0.5}}]
)
def test_settings_that_only_keras_loop_shares(settings):
    here, there = compiled(scratch), compiled(reference)
    settings |= {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
    ours = here.fit(X, Y, **settings)
    theirs = keras.Sequential.fit(there, X, Y, **settings)
    for name, values in theirs.history.items():
        np.testing.assert_allclose(ours.history[name], values, rtol=1e-13, err_msg=name)


def test_both_loops_shuffle_alike():
    ours = compiled(scratch).fit(X, Y, batch_size=8, epochs=2, verbose=0)
    theirs = compiled(reference).fit(X, Y, batch_size=8, epochs=2, verbose=0)
    np.testing.assert_allclose(ours.history["loss"], theirs.history["loss"], rtol=1e-13)
    unshuffled = compiled(scratch).fit(X, Y, batch_size=8, epochs=2, verbose=0, shuffle=False)
    assert ours.history["loss"] != unshuffled.history["loss"]


def test_evaluate_and_predict_are_keras():
    here, there = compiled(scratch), compiled(reference)
    assert here.evaluate(X, Y, verbose=0) == pytest.approx(there.evaluate(X, Y, verbose=0), 1e-13)
    assert here.evaluate(X, Y, verbose=0, return_dict=True).keys() == {"loss", "accuracy"}
    np.testing.assert_allclose(here.predict(X), there.predict(X, verbose=0), rtol=1e-13)


def test_initial_epoch_continues_a_training():
    straight, resumed = compiled(scratch), compiled(scratch)
    settings = {"batch_size": 8, "shuffle": False, "verbose": 0}
    straight.fit(X, Y, epochs=3, **settings)
    resumed.fit(X, Y, epochs=1, **settings)
    history = resumed.fit(X, Y, epochs=3, initial_epoch=1, **settings)
    assert history.epoch == [1, 2]
    for here, there in zip(straight.weights, resumed.weights, strict=True):
        assert np.array_equal(here, there)


def recorder(side):
    calls = []

    class Recorder(side.network.Callback):
        def record(self, name, *arguments):
            index = [argument for argument in arguments if isinstance(argument, int)]
            calls.append((name, *index))

        def on_train_begin(self, logs=None):
            self.record("on_train_begin")

        def on_train_end(self, logs=None):
            self.record("on_train_end")

        def on_epoch_begin(self, epoch, logs=None):
            self.record("on_epoch_begin", epoch)

        def on_epoch_end(self, epoch, logs=None):
            self.record("on_epoch_end", epoch)
            self.model.stop_training = epoch == 1

        def on_train_batch_begin(self, batch, logs=None):
            self.record("on_train_batch_begin", batch)

        def on_train_batch_end(self, batch, logs=None):
            self.record("on_train_batch_end", batch)

        def on_test_begin(self, logs=None):
            self.record("on_test_begin")

        def on_test_end(self, logs=None):
            self.record("on_test_end")

    return Recorder(), calls


def test_hooks_are_called_in_keras_order_and_can_stop_the_training():
    recorded = []
    for side, fit in [(scratch, scratch.network.Sequential.fit), (reference, keras.Sequential.fit)]:
        callback, calls = recorder(side)
        settings = {"validation_data": (X[40:], Y[40:]), "verbose": 0, "callbacks": [callback]}
        fit(compiled(side), X[:40], Y[:40], batch_size=20, epochs=5, **settings)
        recorded.append(calls)
    assert recorded[0] == recorded[1]
    assert ("on_epoch_end", 1) in recorded[0]
    assert ("on_epoch_end", 2) not in recorded[0]


def test_a_bare_callback_answers_every_hook():
    hooks = [name for name in dir(keras.callbacks.Callback) if name.startswith("on_")]
    callback = scratch.network.Callback()
    for hook in set(hooks) - {"on_batch_begin", "on_batch_end"}:
        getattr(callback, hook)(*([0] if "batch" in hook or "epoch" in hook else []))


def test_layers_of_one_kind_are_numbered_as_in_keras():
    keras.utils.clear_session()
    here, there = network(scratch), network(reference)
    assert [layer.name for layer in here.layers] == [layer.name for layer in there.layers]
    assert here.trainable_paths()[2] == "dense_1/kernel"


def test_a_network_built_late_draws_the_same_weights():
    built_by_input = network(scratch)
    scratch.random.set_random_seed(1)
    dense = scratch.dense.Dense
    built_by_data = scratch.network.Sequential([dense(5, "relu"), dense(3, "softmax")])
    assert np.array_equal(built_by_input(X), built_by_data(X))


def test_backward_goes_through_all_layers():
    made = network(scratch, "linear")
    y, backward = made.forward(X, training=True)
    dx, gradients = backward(np.ones_like(y))
    assert dx.shape == X.shape
    assert [g.shape for g in gradients] == [w.shape for w in made.trainable_weights]
    rest = backward(np.ones_like(y), needs_dx=False)
    assert rest[0] is None
    assert all(map(np.array_equal, rest[1], gradients))


def test_a_network_is_a_layer():
    outer = scratch.network.Sequential([network(scratch), scratch.dense.Dense(2)])
    dx, gradients = outer.forward(X)[1](np.ones((50, 2)))
    assert dx.shape == X.shape
    assert len(gradients) == len(outer.trainable_weights) == 6


def test_frozen_layers_keep_their_weights():
    made = compiled(scratch)
    made.layers[0].trainable = False
    before = made.get_weights()
    made.fit(X, Y, epochs=1, verbose=0)
    after = made.get_weights()
    assert np.array_equal(before[0], after[0])
    assert not np.array_equal(before[2], after[2])


def test_fit_prints_a_line_per_epoch(capsys):
    compiled(scratch).fit(X, Y, epochs=2, batch_size=25)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" - ")[0] for line in lines] == ["Epoch 1/2 2/2", "Epoch 2/2 2/2"]
    assert "accuracy: " in lines[0]


def test_summary_counts_the_weights():
    lines = []
    network(scratch).summary(print_fn=lines.append)
    assert "dense_1 (Dense)" in lines[2]
    assert lines[-1] == "Total params: 53"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda made: made.fit(X, Y[:-1]), "need one length above 0, not \\[49, 50\\]"),
        (lambda made: made.fit(X[:0], Y[:0]), "need one length above 0, not \\[0\\]"),
        (lambda made: made.fit(X, Y, batch_size=0), "batch_size is a positive integer, not 0"),
        (lambda made: made.fit(X, Y, validation_split=1.0), "leaves nothing of 50"),
        (lambda made: made.fit(X, Y, class_weight={}, sample_weight=Y), "not both"),
        (lambda made: made.fit(X[:, :4], Y), r"dense expects \(\.\.\., 6\), not"),
        (lambda made: made.add("dense"), "Sequential takes layers"),
        (lambda made: made.add(made.layers[0]), "each once"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(compiled(scratch))
