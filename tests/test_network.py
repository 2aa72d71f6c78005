"""The network and its training loop against Keras's, hook by hook and number by number."""

import keras
import numpy as np
import pytest
from threadpoolctl import threadpool_limits

import reference
import scratch
from comparisons.precision import floatx
from scratch.network import chain

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


def assert_same_training(
    fit, last="softmax", loss="sparse_categorical_crossentropy", make=compiled
):
    """fit, called with a network of scratch and one of Keras, gives the same history and weights.

    Metrics and losses are means over up to 50 samples, weights sums over as many steps.
    """
    here, there = make(scratch, last, loss), make(reference, last, loss)
    ours = fit(here, scratch.network.Sequential.fit)
    keras_network = make(reference, last, loss)
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


@pytest.mark.parametrize("arguments", [{}, {"from_logits": True}, {"label_smoothing": 0.2}])
@pytest.mark.parametrize("last", ["softmax", "sigmoid"])
def test_a_binary_focal_loss_is_keras_s_behind_either_activation(last, arguments):
    made = []
    for side, kind in [(scratch, scratch.network.Sequential), (reference, keras.Sequential)]:
        made.append(network(side, last))
        loss = side.losses.BinaryFocalCrossentropy(apply_class_balancing=True, **arguments)
        kind.compile(made[-1], "sgd", loss)
        kind.fit(made[-1], X, np.eye(3)[Y], epochs=2, shuffle=False, verbose=0)
    for weight, expected in zip(*(each.get_weights() for each in made), strict=True):
        np.testing.assert_allclose(weight, expected, rtol=0, atol=1e-14)


def regularized(side, last, loss, frozen=False, nested=False, **settings):
    side.random.set_random_seed(3)
    of, within = side.regularizers, side.constraints
    hidden = side.dense.Dense(
        5,
        "tanh",
        kernel_regularizer=of.L1L2(0.01, 0.02),
        bias_regularizer=of.L2(0.03),
        activity_regularizer=of.L1(0.04),
        kernel_constraint=within.MaxNorm(0.8),
        bias_constraint=within.MinMaxNorm(0.1, 0.2, rate=0.3),
    )
    hidden.trainable = not frozen
    output = side.dense.Dense(
        3,
        last,
        kernel_regularizer="l2",
        activity_regularizer=of.L2(0.05),
        kernel_constraint="unit_norm",
        bias_constraint="non_neg",
    )
    made = side.network.Sequential([side.network.Input((6,)), hidden])
    layers = [made, output] if nested else [side.network.Input((6,)), hidden, output]
    made = side.network.Sequential(layers)
    made.compile(side.optimizers.SGD(0.1, momentum=0.5, **settings), loss, metrics=["accuracy"])
    return made


@pytest.mark.parametrize(
    ("last", "loss"),
    [("softmax", "categorical_crossentropy"), ("linear", "mean_squared_error")],
)
@pytest.mark.parametrize(
    "settings",
    [{}, {"frozen": True}, {"nested": True}, {"use_ema": True, "gradient_accumulation_steps": 2}],
)
def test_penalties_and_constraints_are_keras_s(last, loss, settings):
    def make(side, last, loss):
        return regularized(side, last, loss, **settings)

    def fit(made, fit):
        validation = {"validation_data": (X[40:], np.eye(3)[Y[40:]]), "shuffle": False}
        return fit(
            made, X[:40], np.eye(3)[Y[:40]], batch_size=16, epochs=3, verbose=0, **validation
        )

    assert_same_training(fit, last, loss, make)


HELD = {
    "BatchNormalization": lambda side, held: side.normalization.BatchNormalization(**held),
    "LayerNormalization": lambda side, held: side.normalization.LayerNormalization(**held),
    "GroupNormalization": lambda side, held: side.normalization.GroupNormalization(2, **held),
    "Embedding": lambda side, held: side.embedding.Embedding(7, 2, **held),
}


@pytest.mark.parametrize("name", HELD)
def test_normalization_and_embedding_are_held_as_in_keras(name):
    weights = ["embeddings"] if name == "Embedding" else ["gamma", "beta"]
    x, y = np.abs(np.floor(X)) % 7 if name == "Embedding" else X, np.eye(3)[Y]
    trained = []
    for side in (scratch, reference):
        side.random.set_random_seed(4)
        penalties = side.regularizers.L1(0.01), side.regularizers.L2(0.05)
        held = {f"{w}_regularizer": p for w, p in zip(weights, penalties, strict=False)}
        held |= {f"{weight}_constraint": "non_neg" for weight in weights}
        layers = HELD[name](side, held), side.reshaping.Flatten(), side.dense.Dense(3, "softmax")
        made = side.network.Sequential([side.network.Input(x.shape[1:]), *layers])
        made.compile(side.optimizers.SGD(0.5), "categorical_crossentropy")
        losses = [made.train_on_batch(x, y) for _ in range(4)]
        trained.append([np.array(losses), *made.get_weights()])
    for here, there in zip(*trained, strict=True):
        np.testing.assert_allclose(here, there, rtol=0, atol=1e-14)
    assert any((weight == 0).any() for weight in trained[0][1:])  # the constraint had work to do


def test_penalties_add_to_the_loss_and_its_gradients():
    plain, penalized = compiled(scratch), compiled(scratch)
    penalized.layers[0]._regularizers["kernel"] = scratch.regularizers.L2(0.5)
    penalized.layers[1].activity_regularizer = scratch.regularizers.L1(0.25)
    loss, y_pred, gradients = plain.loss_and_gradients(X, Y)
    total, _, penalized_gradients = penalized.loss_and_gradients(X, Y)
    kernel = plain.layers[0].kernel
    penalty = 0.5 * np.sum(kernel**2) + 0.25 * np.sum(y_pred) / len(X)
    assert total - loss == pytest.approx(penalty, 1e-14)
    added = penalized_gradients[0] - gradients[0]  # the outputs sum to one: nothing from them
    np.testing.assert_allclose(added, kernel, rtol=0, atol=1e-15)


def test_a_forward_alone_has_no_penalty():
    made = regularized(scratch, "softmax", "mse")
    plain = scratch.network.Sequential([scratch.network.Input((6,)), *made.layers])
    dy = RNG.standard_normal((50, 3))
    before = made.forward(X)[1](dy)
    for layer in made.layers:
        layer.activity_regularizer = None
        layer._regularizers.clear()
    after = plain.forward(X)[1](dy)
    assert np.array_equal(before[0], after[0])
    assert all(map(np.array_equal, before[1], after[1]))


def test_a_frozen_output_keeps_its_weights_behind_its_own_logits():
    made = compiled(scratch)
    made.layers[1].trainable = False
    before = made.get_weights()
    made.fit(X, Y, epochs=1, verbose=0)
    changed = [not np.array_equal(*pair) for pair in zip(before, made.get_weights(), strict=True)]
    assert changed == [True, True, False, False]


@pytest.mark.parametrize("how", ["when made", "later"])
def test_a_frozen_network_freezes_the_layers_inside_only_when_told_later(how):
    """Batch normalization, once frozen itself, no longer moves its averages: as in Keras."""
    moved = []
    for side in (scratch, reference):
        settings = {"trainable": False} if how == "when made" else {}
        layers = [side.normalization.BatchNormalization(dtype="float64")]
        made = side.network.Sequential(layers, **settings)
        made(X)
        if how == "later":
            made.trainable = False
        made(X, training=True)
        assert made.trainable_weights == []
        moved.append(bool(np.any(made.get_weights()[2])))
    assert moved == [how == "when made"] * 2


def test_muon_learns_from_the_network_which_layers_to_exclude():
    made = network(scratch)
    made.compile(scratch.optimizers.Muon(exclude_layers=["dense_1"]), "mse")
    made.step(X, np.eye(3)[Y])
    assert [v.shape for v in made.optimizer.variables[2:]] == [
        (6, 5),
        *2 * [(5,)],
        *2 * [(5, 3)],
        *2 * [(3,)],
    ]


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
    "settings",
    [
        {"validation_split": 0.3},
        {"class_weight": {0: 2.0, 2: 0.5}},
        {"validation_split": 0.3, "class_weight": {0: 2.0, 2: 0.5}},
        {"validation_split": 0.3, "sample_weight": np.linspace(0, 1, 50)},
    ],
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


METRICS = {
    "names": ["mae", "MSE", "AUC", "RootMeanSquaredError", "mean_absolute_error", "Accuracy"],
    "classes": lambda side: [side.metrics.Precision, side.metrics.Recall(name="found")],
    "one twice": ["acc", "accuracy", "accuracy", "mae", "accuracy"],
    "arrays": lambda side: [side.metrics.F1Score(), side.metrics.FBetaScore(name="score")],
    "none": None,
}


@pytest.mark.parametrize("metrics", METRICS)
def test_metrics_are_called_what_keras_calls_them(metrics, capsys):
    keras.backend.clear_session()
    labels = np.eye(3)[Y]
    histories = []
    for side, kind in [(scratch, scratch.network.Sequential), (reference, keras.Sequential)]:
        made, chosen = network(side), METRICS[metrics]
        chosen = chosen(side) if callable(chosen) else chosen
        kind.compile(made, "sgd", "categorical_crossentropy", metrics=chosen)
        settings = {"validation_data": (X, labels), "verbose": 2, "shuffle": False}
        histories.append(kind.fit(made, X, labels, **settings).history)
    ours, theirs = histories
    assert set(ours) == set(theirs)
    for name, (value,) in ours.items():
        assert type(value) is type(theirs[name][0])
        np.testing.assert_allclose(value, theirs[name][0], rtol=1e-12, err_msg=name)
    assert "val_loss: " in capsys.readouterr().out


def test_early_stopping_sees_a_metric_by_the_name_it_was_given():
    made = network(scratch)
    made.compile("sgd", "categorical_crossentropy", metrics=["mae"])
    stopping = scratch.network.EarlyStopping("val_mae", min_delta=1.0)
    labels = np.eye(3)[Y]
    history = made.fit(
        X, labels, epochs=3, verbose=0, callbacks=[stopping], validation_data=(X, labels)
    )
    assert history.epoch == [0, 1]


@pytest.mark.parametrize("metrics", [None, ["accuracy"]])
def test_what_a_batch_returns_is_what_keras_returns(metrics):
    """A number where the loss is all, and nothing of the batches before."""
    returned = []
    for side, kind in [(scratch, scratch.network.Sequential), (reference, keras.Sequential)]:
        made = network(side)
        kind.compile(made, "sgd", "sparse_categorical_crossentropy", metrics=metrics)
        first, second = (X[:30], Y[:30]), (X[30:], Y[30:])
        weighed = kind.train_on_batch(made, *second, class_weight={1: 2.0})
        results = [kind.train_on_batch(made, *first), weighed, kind.test_on_batch(made, *second)]
        results += [kind.test_on_batch(made, *first), kind.evaluate(made, X, Y, verbose=0)]
        returned.append(results)
    for ours, theirs in zip(*returned, strict=True):
        assert type(ours) is type(theirs)
        np.testing.assert_allclose(ours, theirs, rtol=1e-13)


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


def stopped(side, fit, scores, **settings):
    """(epochs run, last weights, the callback) where `scores` are what is monitored."""

    class Scores(side.network.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["score"] = scores[epoch]
            self.model.set_weights([np.full_like(w, epoch) for w in self.model.get_weights()])

    stopping = side.network.EarlyStopping("score", **settings)
    made = compiled(side)
    settings = {"callbacks": [Scores(), stopping], "verbose": 0, "shuffle": False}
    history = fit(made, X, Y, batch_size=50, epochs=len(scores), **settings)
    return len(history.epoch), made.get_weights()[0][0, 0], stopping


SCORES = [5.0, 3.0, 4.0, 2.9, 3.5, 3.0, 1.0, 2.0, 0.5, 9.0]


@pytest.mark.parametrize(
    "settings",
    [
        {"mode": "min"},
        {"mode": "max"},
        {"mode": "min", "patience": 2},
        {"mode": "min", "patience": 2, "min_delta": 0.5},
        {"mode": "min", "patience": 2, "min_delta": -0.5, "restore_best_weights": True},
        {"mode": "max", "patience": 3, "min_delta": 1.0, "restore_best_weights": True},
        {"mode": "min", "patience": 2, "baseline": 2.0, "restore_best_weights": True},
        {"mode": "min", "patience": 3, "baseline": 2.9},
        {"mode": "min", "patience": 4, "restore_best_weights": True},
        {"mode": "min", "start_from_epoch": 4, "restore_best_weights": True},
        {"mode": "max", "start_from_epoch": 20},
    ],
)
def test_early_stopping_stops_where_keras_s_does(settings):
    ours = stopped(scratch, scratch.network.Sequential.fit, SCORES, **settings)
    theirs = stopped(reference, keras.Sequential.fit, SCORES, **settings)
    assert ours[:2] == theirs[:2]
    for name in ("wait", "stopped_epoch", "best", "best_epoch"):
        assert getattr(ours[2], name) == getattr(theirs[2], name), name


def test_early_stopping_says_what_it_does(capsys):
    settings = {"mode": "min", "patience": 2, "restore_best_weights": True, "verbose": 1}
    stopped(scratch, scratch.network.Sequential.fit, SCORES, **settings)
    said = capsys.readouterr().out.splitlines()
    assert said == ["Epoch 6: early stopping", "Restoring the weights of the best epoch: 4."]


@pytest.mark.parametrize("frequency", [2, [1, 3]])
def test_validation_runs_after_the_epochs_that_keras_picks(frequency):
    def fit(made, fit):
        settings = {"validation_data": (X, Y), "validation_freq": frequency, "verbose": 0}
        return fit(made, X, Y, batch_size=25, epochs=5, shuffle=False, **settings)

    ours = fit(compiled(scratch), scratch.network.Sequential.fit)
    theirs = fit(compiled(reference), keras.Sequential.fit)
    np.testing.assert_allclose(ours.history["val_loss"], theirs.history["val_loss"], rtol=1e-13)
    with pytest.raises(ValueError, match=r"validation_freq is an integer or a list, not 0\.5"):
        compiled(scratch).fit(X, Y, validation_split=0.5, validation_freq=0.5, verbose=0)


@pytest.mark.parametrize("wrap", [lambda one: one, lambda one: (one,), lambda one: [[one], []]])
def test_callbacks_come_one_or_many_and_before_the_history(wrap):
    for side, fit in [(scratch, scratch.network.Sequential.fit), (reference, keras.Sequential.fit)]:

        class Extra(side.network.Callback):
            def on_epoch_end(self, epoch, logs=None):
                logs["extra"] = 2.0

        history = fit(compiled(side), X, Y, callbacks=wrap(Extra()), verbose=0)
        assert history.history["extra"] == [2.0]


def test_predict_counts_its_steps_unless_it_is_told_not_to(capsys):
    made = compiled(scratch)
    loud, silent = made.predict(X, 20), made.predict(X, 20, verbose=0)
    assert capsys.readouterr().out.splitlines() == ["3/3"]
    assert np.array_equal(loud, silent)


class Watched:
    """A network of one metric, as a callback sees it."""

    def __init__(self, metric):
        self.metrics = [metric]


@pytest.mark.parametrize("name", scratch.metrics.__all__)
def test_early_stopping_knows_which_metrics_should_rise(name):
    metric = getattr(scratch.metrics, name)
    if not isinstance(metric, type) or not issubclass(metric, scratch.metrics.Metric):
        return
    try:
        made = getattr(keras.metrics, name)()
    except TypeError:
        return  # a base class
    direction = getattr(made, "_direction", None)
    callback = scratch.network.EarlyStopping("val_it")
    callback.model = Watched(metric(name="it"))
    if direction is None:
        with pytest.raises(ValueError, match="whether 'val_it' should rise or fall"):
            callback._falls()
    else:
        assert callback._falls() == (direction == "down")


def test_early_stopping_warns_of_what_it_cannot_see_and_refuses_other_modes():
    stopping = scratch.network.EarlyStopping("val_loss")
    with pytest.warns(UserWarning, match="no 'val_loss' to stop early by: loss: "):
        compiled(scratch).fit(X, Y, callbacks=[stopping], verbose=0)
    with pytest.raises(ValueError, match="mode is 'auto', 'min' or 'max', not 'least'"):
        scratch.network.EarlyStopping(mode="least")
    with pytest.raises(ValueError, match="whether 'score' should rise or fall is for mode to say"):
        stopped(scratch, scratch.network.Sequential.fit, SCORES)


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


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (scratch.dense.Dense(3), (2, 5)),
        (scratch.convolution.Conv1D(3, 2), (2, 5, 4)),
        (scratch.normalization.BatchNormalization(), (2, 5)),
        (scratch.recurrent.LSTM(3), (2, 5, 4)),
        (scratch.recurrent.Bidirectional(scratch.recurrent.GRU(3)), (2, 5, 4)),
        (scratch.attention.TransformerEncoder(8, 2), (2, 5, 4)),
        (scratch.network.Sequential([scratch.dense.Dense(3)]), (2, 5)),
    ],
)
def test_a_layer_that_the_user_built_is_not_built_again(layer, shape):
    layer.build((None, *shape[1:]))
    before = layer.weights
    layer(np.ones(shape, "float32"))
    assert len(before) == len(layer.weights) > 0
    assert all(b is w for b, w in zip(before, layer.weights, strict=True))


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


def of_images(activation):
    """A network whose layers take samples one by one, and 70 of them with a gradient for y."""
    layers = [
        scratch.convolution.Conv2D(3, 3, activation=activation),
        scratch.pooling.MaxPooling2D(),
        scratch.reshaping.Flatten(),
        scratch.dense.Dense(2),
    ]
    x = np.random.default_rng(0).standard_normal((70, 6, 7, 2)).astype("float32")
    return scratch.network.Sequential(layers), x


def y_and_gradients(model, x):
    y, backward = model.forward(x, training=True)
    dx, gradients = backward(np.cos(y))
    return [y, dx, *gradients]


def test_threads_do_not_change_a_bit():
    model, x = of_images("relu")
    results = []
    for threads in (1, 2, 2):
        with threadpool_limits(threads, "blas"):
            results.append(y_and_gradients(model, x))
    for one, two, again in zip(*results, strict=True):
        assert np.array_equal(one, two)
        assert np.array_equal(two, again)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [(64, [64]), (65, [33, 32]), (100, [50, 50]), (130, [33, 33, 32, 32])],
)
def test_shards_are_even_in_number_and_all_but_equal(samples, expected):
    sizes = []

    class Seen(scratch.convolution.Conv2D):
        def call(self, x, training=False):
            sizes.append(len(x))
            return super().call(x, training)

    model = scratch.network.Sequential([Seen(1, 3)])
    model(np.zeros((samples, 4, 4, 1), "float32"))
    assert sorted(sizes, reverse=True) == expected


def test_shards_of_a_batch_give_what_the_batch_gives(monkeypatch):
    with floatx("float64"):
        model, x = of_images("relu")
    in_shards = y_and_gradients(model, x)
    monkeypatch.setattr(chain, "_is_by_sample", lambda pair: False)
    for here, there in zip(in_shards, y_and_gradients(model, x), strict=True):
        # a bias of the convolution sums 70 * 4 * 5 numbers, in another order
        bound = 1400 * np.finfo(float).eps * np.abs(there).max()
        assert np.abs(here - there).max() <= bound


def test_a_dropout_of_recurrent_layers_is_drawn_for_the_whole_batch():
    x = np.random.default_rng(0).standard_normal((150, 4, 3)).astype("float32")
    layer, twin = (scratch.recurrent.LSTM(2, dropout=0.5, seed=3) for _ in range(2))
    model = scratch.network.Sequential([layer])
    model.build((None, 4, 3))
    twin.ensure_built((None, 4, 3))
    twin.set_weights(layer.get_weights())
    assert np.array_equal(model(x, training=True), twin(x, training=True))


def test_an_activation_that_mixes_samples_sees_the_whole_batch(monkeypatch):
    model, x = of_images(lambda x: (x - x.mean(0), lambda dy: dy - dy.mean(0)))
    here = y_and_gradients(model, x)
    monkeypatch.setattr(chain, "_is_by_sample", lambda pair: False)
    for one, other in zip(here[:2], y_and_gradients(model, x)[:2], strict=True):
        assert np.abs(one - other).max() <= 100 * np.finfo("float32").eps * np.abs(other).max()


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


@pytest.mark.parametrize("settings", [{}, {"gradient_accumulation_steps": 2}])
def test_a_layer_frozen_between_two_fits_rests_while_the_others_go_on(settings):
    """Keras runs eagerly: its compiled step goes on to train what has been frozen."""
    trained = []
    for side, kind in [(scratch, scratch.network.Sequential), (reference, keras.Sequential)]:
        made = network(side)
        eager = {} if side is scratch else {"run_eagerly": True}
        kind.compile(made, side.optimizers.SGD(0.1, momentum=0.5, **settings), "mse", **eager)
        kind.fit(made, X, np.eye(3)[Y], verbose=0, shuffle=False)
        made.layers[0].trainable = False
        frozen = made.get_weights()[0]
        kind.fit(made, X, np.eye(3)[Y], verbose=0, shuffle=False)
        assert np.array_equal(made.get_weights()[0], frozen)
        trained.append(made.get_weights())
    for weight, expected in zip(*trained, strict=True):
        np.testing.assert_allclose(weight, expected, rtol=0, atol=1e-14)


def test_an_optimizer_does_not_go_on_with_weights_that_it_does_not_know():
    for side, fit in [(scratch, scratch.network.Sequential.fit), (reference, keras.Sequential.fit)]:
        made, other, thawed = compiled(side), network(side), compiled(side)
        fit(made, X, Y, verbose=0)
        other.compile(made.optimizer, "sparse_categorical_crossentropy")
        thawed.layers[0].trainable = False
        fit(thawed, X, Y, verbose=0)
        thawed.layers[0].trainable = True
        thawed.compile(thawed.optimizer, "sparse_categorical_crossentropy")
        message = "is none of those" if side is scratch else "Unknown variable"
        for stranger in (other, thawed):
            with pytest.raises(ValueError, match=message):
                fit(stranger, X, Y, verbose=0)


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
        (lambda made: made.fit(3.0, Y), "need one length above 0, not \\[0, 50\\]"),
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


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones(4), r"cannot make its kernel of shape \(None, 2\): the inputs lack an axis"),
        (None, "takes an array of numbers, not None"),
        ("a", "takes an array of numbers, not 'a'"),
        (np.array([["a"], ["b"]]), r"takes an array of numbers, not \[\['a'\], \['b'\]\]"),
        (3.0, r"takes an array of samples, not .*3\.0"),
    ],
)
def test_what_is_no_batch_is_named(x, message):
    for made in (scratch.dense.Dense(2), scratch.network.Sequential([scratch.dense.Dense(2)])):
        with pytest.raises(ValueError, match=message):
            made(x)


# a layer made of layers


class Residual(scratch.network.Layer):
    """y = scale * x + dense(x)."""

    def build(self, input_shape):
        self.add_weight((), scratch.initializers.Ones(), name="scale")
        self.dense = scratch.dense.Dense(input_shape[-1], kernel_regularizer="l2")
        self.dense.ensure_built(input_shape)
        self.layers = [self.dense]

    def call(self, x, training=False):
        y, backward_dense = self.dense.forward(x, training)

        def backward(dy, needs_dx=True):
            dx, gradients = backward_dense(dy, needs_dx=needs_dx)
            dx = dx + self.scale * dy if needs_dx else None
            return dx, [np.sum(dy * x), *gradients]

        return self.scale * x + y, backward


class KerasResidual(keras.layers.Layer):
    def build(self, input_shape):
        self.scale = self.add_weight((), "ones", name="scale")
        self.dense = keras.layers.Dense(input_shape[-1], kernel_regularizer="l2", name="dense")
        self.dense.build(input_shape)

    def call(self, x):
        return self.scale * x + self.dense(x)


def residual(side, last, loss):
    side.random.set_random_seed(3)
    inner = Residual(name="block") if side is scratch else KerasResidual(name="block")
    output = side.dense.Dense(3, last, name="output")
    made = side.network.Sequential([side.network.Input((6,)), inner, output])
    made.compile(side.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    return made


def test_a_layer_made_of_layers_trains_as_keras_s():
    def fit(made, fit):
        labels = np.eye(3)[Y]
        return fit(made, X, labels, batch_size=16, epochs=2, shuffle=False, verbose=0)

    assert_same_training(fit, loss="categorical_crossentropy", make=residual)


def test_its_weights_are_its_own_and_then_those_of_the_layers_inside():
    block = Residual(name="block")
    block(X)
    assert [w.shape for w in block.weights] == [(), (6, 6), (6,)]
    assert block.weight_paths() == ["block/scale", "block/dense/kernel", "block/dense/bias"]
    assert block.trainable_paths() == block.weight_paths()
    kinds = [type(r).__name__ for r in block.trainable_regularizers()]
    assert kinds == ["NoneType", "L2", "NoneType"]
    assert block.trainable_constraints() == [None] * 3
    assert block.count_params() == 1 + 36 + 6
    block.dense.trainable = False
    assert block.trainable_paths() == ["block/scale"]
    assert [w.shape for w in block.non_trainable_weights] == [(6, 6), (6,)]
    block.trainable = False
    assert block.trainable_weights == block.trainable_paths() == []
    assert len(block.non_trainable_weights) == 3


@pytest.mark.parametrize(
    ("layer", "arguments"),
    [
        (scratch.convolution.Conv2D, (2, 3)),
        (scratch.pooling.MaxPooling2D, ()),
        (scratch.recurrent.SimpleRNN, (2,)),
        (scratch.normalization.RMSNormalization, ()),
    ],
)
def test_layers_are_named_as_in_keras(layer, arguments):
    keras.backend.clear_session()
    twin = getattr(keras.layers, layer.__name__)
    assert layer(*arguments).name == twin(*arguments).name


def drawing(side):
    side.random.set_random_seed(1)
    layers = [side.recurrent.LSTM(3, dropout=0.2), side.dropout.Dropout(0.5), side.dense.Dense(2)]
    return side.network.Sequential([side.network.Input((4, 6)), *layers])


def test_seed_generators_go_on_in_training_as_keras_s():
    here, there, x = drawing(scratch), drawing(reference), np.ones((3, 4, 6))
    assert here.seed_paths() == ["lstm/seed_generator", "dropout/seed_generator"]
    for training in (True, False, True):
        here(x, training=training)
        there(x, training=training)
        seeds = [np.asarray(v) for v in there.variables if "seed" in v.path]
        assert np.array_equal(here.seed_states, seeds)
    assert here.seed_states[1][1] == 2


@pytest.mark.parametrize("settings", [{}, {"trainable": False}, {"activity_regularizer": "l2"}])
def test_a_relu_behind_a_max_pooling_is_the_same_to_the_bit(settings):
    convolution = scratch.convolution.Conv2D(3, 2, activation="relu", **settings)
    pooling = scratch.pooling.MaxPooling2D(activity_regularizer="l1")
    model = scratch.network.Sequential([scratch.network.Input((6, 5, 2)), convolution, pooling])
    convolution.set_weights([np.sign(weight) for weight in convolution.weights])
    x = np.random.default_rng(0).integers(-1, 2, (4, 6, 5, 2)).astype("float32")  # with ties
    z, penalty, backward_convolution, _ = convolution.penalized_forward(x)
    y, further, backward_pooling, _ = pooling.penalized_forward(z)
    dy = np.random.default_rng(1).standard_normal(y.shape).astype("float32")
    dz, _ = backward_pooling(dy, 1.0)
    dx, gradients = backward_convolution(dz, 1.0)
    here, penalties, backward, _ = model.penalized_forward(x)
    there = backward(dy, 1.0)
    assert np.array_equal(here, y)
    assert penalties == penalty + further
    assert np.array_equal(there[0], dx)
    for one, other in zip(there[1], gradients, strict=True):
        assert np.array_equal(one, other)
