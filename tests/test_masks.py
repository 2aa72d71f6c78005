"""Masks on their way through a network, to its loss and its metrics, beside Keras's."""

import contextlib
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import reference
import scratch
from comparisons.precision import floatx
from scratch.network import chain

RNG = np.random.default_rng(17)
WORDS, STEPS, WIDTH, CLASSES = 7, 5, 4, 3
LENGTHS = np.array([5, 3, 1, 4, 0, 2, 5, 2, 1, 3, 4])  # one sample is padding alone
TEXTS = RNG.integers(1, WORDS, (len(LENGTHS), STEPS)) * (np.arange(STEPS) < LENGTHS[:, None])
TEXTS[0, 1] = 0  # and one has a gap
SEEN = TEXTS != 0
TOPICS = RNG.integers(0, CLASSES, len(TEXTS))
TAGS = RNG.integers(0, CLASSES, TEXTS.shape)
SPARSE = "sparse_categorical_crossentropy"


@pytest.fixture(autouse=True)
def _float64():
    with floatx("float64"):
        yield


@contextlib.contextmanager
def quiet_keras():
    """Without Keras's warnings of layers that lose a mask, which it gives of networks too."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Layer .*does not support masking")
        yield


def pair(layers, loss=SPARSE, metrics=(), make_loss=None):
    """Networks of both sides with an Embedding that masks and layers(side), and the same weights.

    Both are compiled with the loss of that name, or with make_loss(side).
    """
    made = []
    for side in (scratch, reference):
        side.random.set_random_seed(5)
        first = side.embedding.Embedding(WORDS, WIDTH, mask_zero=True)
        with quiet_keras():
            network = side.network.Sequential([side.network.Input((STEPS,)), first, *layers(side)])
        network.compile(
            side.optimizers.SGD(0.5, momentum=0.5),
            make_loss(side) if make_loss else loss,
            metrics=[metric(side) if callable(metric) else metric for metric in metrics],
        )
        made.append(network)
    here, there = made
    here.set_weights(there.get_weights())  # normals differ in the last bit
    there.run_eagerly = True  # to compile networks so small takes longer than to run them
    return here, there


def assert_same(here, there):
    """Equal but for rounding: what is compared here are sums of up to 200 numbers below 2."""
    np.testing.assert_allclose(np.asarray(here), np.asarray(there), rtol=0, atol=1e-13)


def assert_same_training(here, there, y, **settings):
    """Outputs, loss and gradients of a batch, then fit, evaluate and predict, equal Keras's."""
    weight = settings.get("sample_weight")
    ours, theirs = (made.loss_and_gradients(TEXTS, y, weight) for made in (here, there))
    for one, other in zip([*ours[:2], *ours[2]], [*theirs[:2], *theirs[2]], strict=True):
        assert_same(one, tf.convert_to_tensor(other))
    settings |= {"batch_size": 4, "epochs": 2, "shuffle": False, "verbose": 0}
    history = here.fit(TEXTS, y, **settings).history
    expected = keras.Sequential.fit(there, TEXTS, y, **settings).history
    assert history.keys() == expected.keys()
    for name, values in history.items():
        assert_same(values, expected[name])
    for weights, others in zip(here.get_weights(), there.get_weights(), strict=True):
        assert_same(weights, others)
    logs, expected = (made.evaluate(TEXTS, y, 4, 0, weight) for made in (here, there))
    assert_same(logs, expected)
    assert_same(here.predict(TEXTS, 4, 0), there.predict(TEXTS, 4, 0))


def of_topics(*kinds, **settings):
    """layers(side) for a topic: recurrent layers of these kinds, with a dropout between them."""

    def layers(side):
        of, last = side.recurrent, len(kinds) - 1
        stack = []
        for place, kind in enumerate(kinds):
            layer = getattr(of, kind)(3, return_sequences=place < last, **settings)
            stack += [layer, side.dropout.Dropout(0.5, seed=place)] if place < last else [layer]
        return [*stack, side.dense.Dense(CLASSES, "softmax")]

    return layers


def of_both_ways(side):
    layer = side.recurrent.GRU(3, return_sequences=True)
    inner = side.recurrent.Bidirectional(layer, merge_mode="sum")
    outer = side.recurrent.Bidirectional(side.recurrent.LSTM(2))
    return [inner, outer, side.dense.Dense(CLASSES, "softmax")]


@pytest.mark.parametrize(
    "layers",
    [
        of_topics("LSTM"),
        of_topics("GRU", go_backwards=True),
        of_topics("SimpleRNN", "LSTM", "GRU"),
        of_both_ways,
    ],
    ids=["lstm", "gru backwards", "stacked", "bidirectional"],
)
def test_fit_with_padding_is_keras_fit(layers):
    assert_same_training(*pair(layers, metrics=["accuracy"]), TOPICS)


def of_silent_steps(side):
    """A Masking, which forgets the padding and leaves out the steps whose relus all are 0."""
    silent = [side.dense.Dense(2, "relu"), side.embedding.Masking()]
    return [*silent, side.recurrent.GRU(3), side.dense.Dense(CLASSES, "softmax")]


def test_a_masking_layer_takes_the_place_of_the_padding():
    here, there = pair(of_silent_steps, metrics=["accuracy"])
    x = here.layers[1](here.layers[0](TEXTS))
    masked = ~here.layers[2].compute_mask(x)
    assert 0 < masked.sum() < masked.size
    assert not np.array_equal(masked, ~SEEN)
    assert_same_training(here, there, TOPICS)


def of_tags(side, last="softmax", units=CLASSES):
    """A tag for every step, so that the mask reaches the loss."""
    of = side.normalization
    middle = [of.LayerNormalization(), side.dense.Dense(4, "relu"), side.dense.Activation("tanh")]
    layers = [side.recurrent.LSTM(3, return_sequences=True), *middle]
    return [*layers, side.dense.Dense(units, last)]


WEIGHTS = {"none": {}, "of steps": {"sample_weight": RNG.random(TEXTS.shape)}}
WEIGHTS["of samples"] = {"sample_weight": RNG.random((len(TEXTS), 1))}


@pytest.mark.parametrize("weights", WEIGHTS)
def test_masked_steps_count_neither_in_the_loss_nor_in_the_accuracy(weights):
    assert_same_training(*pair(of_tags, metrics=["accuracy"]), TAGS, **WEIGHTS[weights])


def test_fit_with_masked_tags_is_the_compiled_fit_of_keras():
    here, there = pair(of_tags, metrics=["accuracy"])
    there.run_eagerly = False
    assert_same_training(here, there, TAGS)


def test_a_loss_without_logits_is_masked_too():
    def layers(side):
        return of_tags(side, "tanh", 2)

    y = RNG.standard_normal((*TEXTS.shape, 2))
    assert_same_training(*pair(layers, "mean_squared_error", ["mae"]), y)


def test_masked_steps_have_no_gradient_and_no_part_in_the_loss():
    here, _ = pair(of_tags)
    other_tags = np.where(SEEN, TAGS, (TAGS + 1) % CLASSES)
    loss, _, gradients = here.loss_and_gradients(TEXTS, TAGS)
    same, _, same_gradients = here.loss_and_gradients(TEXTS, other_tags)
    assert loss == same
    assert all(map(np.array_equal, gradients, same_gradients))
    y_pred = here(TEXTS)
    expected = -np.log(np.take_along_axis(y_pred, TAGS[..., None], -1)[..., 0][SEEN]).mean()
    assert loss == pytest.approx(expected, rel=1e-13)


def test_a_batch_of_padding_alone_has_no_loss():
    here, there = pair(of_tags, metrics=["accuracy"])
    padding, tags = np.zeros((2, STEPS), int), TAGS[:2]
    for made in (here, there):
        made.reset_metrics()
        assert made.test_on_batch(padding, tags) == [0, 0]
        loss, _, gradients = made.loss_and_gradients(padding, tags)
        assert loss == 0
        assert not any(np.any(tf.convert_to_tensor(gradient)) for gradient in gradients)


def test_the_mask_goes_with_a_class_that_is_ignored():
    def ignoring(side):
        return side.losses.SparseCategoricalCrossentropy(ignore_class=1)

    here, there = pair(of_tags, make_loss=ignoring)
    (loss, _, gradients), (expected, _, others) = (
        made.loss_and_gradients(TEXTS, TAGS) for made in (here, there)
    )
    assert_same(loss, expected)
    for gradient, other in zip(gradients, others, strict=True):
        assert_same(gradient, tf.convert_to_tensor(other))


@pytest.mark.parametrize("reduction", ["sum", "mean", "mean_with_sample_weight", None])
@pytest.mark.parametrize("weighs", [False, True])
def test_every_reduction_heeds_the_mask(reduction, weighs):
    y_true, values = RNG.standard_normal((2, *TEXTS.shape, 2))
    weight = RNG.random(TEXTS.shape) if weighs else None
    y_pred = tf.constant(values)
    y_pred._keras_mask = tf.constant(SEEN)
    here, there = (
        side.losses.MeanSquaredError(reduction=reduction) for side in (scratch, reference)
    )
    assert_same(here.forward(y_true, values, weight, SEEN)[0], there(y_true, y_pred, weight))


def test_metrics_that_are_means_of_a_function_heed_the_mask_and_others_do_not():
    def root(side):
        return side.metrics.RootMeanSquaredError(name="root_mean_squared_error")

    def recall(side):
        return side.metrics.Recall(name="recall")

    def layers(side):
        return of_tags(side, "sigmoid", 2)

    y = RNG.integers(0, 2, (*TEXTS.shape, 2))
    metrics = ["binary_accuracy", "mse", root, recall]
    here, there = pair(layers, "binary_crossentropy", metrics)
    logs, expected = (
        made.evaluate(TEXTS, y, verbose=0, return_dict=True) for made in (here, there)
    )
    assert logs.keys() == expected.keys()
    for name, value in logs.items():
        assert value == pytest.approx(expected[name], rel=1e-13), name
    assert logs["mse"] != pytest.approx(logs["root_mean_squared_error"] ** 2, rel=1e-3)


def test_weights_and_masks_that_do_not_fit_are_refused():
    here, _ = pair(of_tags)
    message = r"sample_weight or mask of shape \(11,\) does not fit losses of shape \(11, 5\)"
    with pytest.raises(ValueError, match=message):
        here.loss_and_gradients(TEXTS, TAGS, RNG.random(len(TEXTS)))
    here, _ = pair(lambda side: of_tags(side, "sigmoid", 1), "binary_crossentropy")
    message = r"sample_weight or mask of shape \(11, 5\) does not fit losses of shape \(11,\)"
    with pytest.raises(ValueError, match=message):
        here.loss_and_gradients(TEXTS, TAGS % 2)


def masks(layers):
    """(y, mask) of both sides, for TEXTS in a network of an Embedding and layers(side)."""
    here, there = pair(layers)
    y, *_, mask = here.penalized_forward(TEXTS)
    with quiet_keras():
        expected = there(TEXTS)
    assert_same(y, expected)
    return mask, getattr(expected, "_keras_mask", None)


def assert_same_masks(layers):
    """The mask, which is not None on either side or on both."""
    mask, expected = masks(layers)
    assert (mask is None) == (expected is None)
    if mask is not None:
        assert np.array_equal(mask, expected)
    return mask


KEEP_IT = {
    "Dense": lambda side: side.dense.Dense(2, "relu"),
    "Activation": lambda side: side.dense.Activation("softmax"),
    "Dropout": lambda side: side.dropout.Dropout(0.5),
    "SpatialDropout1D": lambda side: side.dropout.SpatialDropout1D(0.5),
    "GaussianNoise": lambda side: side.dropout.GaussianNoise(0.5),
    "GaussianDropout": lambda side: side.dropout.GaussianDropout(0.5),
    "AlphaDropout": lambda side: side.dropout.AlphaDropout(0.5),
    "BatchNormalization": lambda side: side.normalization.BatchNormalization(),
    "LayerNormalization": lambda side: side.normalization.LayerNormalization(),
    "GroupNormalization": lambda side: side.normalization.GroupNormalization(2),
    "UnitNormalization": lambda side: side.normalization.UnitNormalization(),
    "LSTM": lambda side: side.recurrent.LSTM(2, return_sequences=True),
    "PositionEmbedding": lambda side: side.attention.PositionEmbedding(),
    "TransformerEncoder": lambda side: side.attention.TransformerEncoder(3, 2),
}
NEED_NONE = {
    "LSTM": lambda side: side.recurrent.LSTM(2),
    "Bidirectional": lambda side: side.recurrent.Bidirectional(side.recurrent.GRU(2)),
}
LOSE_IT = {
    "Flatten": lambda side: side.reshaping.Flatten(),
    "Reshape": lambda side: side.reshaping.Reshape((STEPS * WIDTH,)),
    "Permute": lambda side: side.reshaping.Permute((2, 1)),
    "UpSampling1D": lambda side: side.reshaping.UpSampling1D(),
    "RMSNormalization": lambda side: side.normalization.RMSNormalization(),
    "Conv1D": lambda side: side.convolution.Conv1D(2, 3, padding="same"),
    "MaxPooling1D": lambda side: side.pooling.MaxPooling1D(),
    "GlobalMaxPooling1D": lambda side: side.pooling.GlobalMaxPooling1D(),
}


@pytest.mark.parametrize("name", KEEP_IT)
def test_a_layer_that_keeps_the_mask(name):
    mask = assert_same_masks(lambda side: [KEEP_IT[name](side)])
    assert np.array_equal(mask, SEEN)


@pytest.mark.parametrize("name", NEED_NONE)
def test_a_layer_behind_which_no_steps_are_left(name):
    assert assert_same_masks(lambda side: [NEED_NONE[name](side)]) is None


@pytest.mark.parametrize("name", LOSE_IT)
def test_a_layer_that_loses_the_mask_says_so(name):
    with pytest.warns(UserWarning, match="^[a-z0-9_]+ does not support masking"):
        assert assert_same_masks(lambda side: [LOSE_IT[name](side)]) is None


def test_the_relu_behind_a_max_pooling_changes_nothing_about_masks():
    def layers(side):
        return [side.dense.Dense(3, "relu"), side.pooling.MaxPooling1D()]

    with pytest.warns(UserWarning, match="max_pooling1d does not support masking"):
        assert assert_same_masks(layers) is None


def test_an_average_over_steps_is_that_of_the_unmasked(monkeypatch):
    monkeypatch.setitem(globals(), "TEXTS", np.where(LENGTHS[:, None] > 0, TEXTS, 1))

    def layers(side):
        return [side.pooling.GlobalAveragePooling1D(), side.dense.Dense(CLASSES, "softmax")]

    here, there = pair(layers)
    assert_same_masks(layers)
    assert_same_training(here, there, TOPICS)


def test_both_sequences_of_two_directions_have_the_mask():
    def layers(side):
        layer = side.recurrent.LSTM(2, return_sequences=True)
        both = side.recurrent.Bidirectional(layer, merge_mode=None)
        return [both, side.merging.Add()]

    assert np.array_equal(assert_same_masks(layers), SEEN)


def test_states_have_no_mask():
    x = RNG.standard_normal((11, STEPS, 2))
    layer = scratch.recurrent.LSTM(3, return_sequences=True, return_state=True)
    mask, *states = layer.penalized_forward(x, mask=SEEN)[3]
    assert mask is SEEN
    assert states == [None, None]


def test_a_network_inside_takes_the_mask_and_gives_its_own():
    def layers(side):
        of = side.network.Sequential
        tagger = of([side.recurrent.LSTM(3, return_sequences=True), side.dense.Dense(2)])
        return [of([side.dense.Dense(3)]), tagger, side.dense.Dense(CLASSES, "softmax")]

    assert np.array_equal(assert_same_masks(layers), SEEN)
    with quiet_keras():
        assert_same_training(*pair(layers, metrics=["accuracy"]), TAGS)


def test_an_embedding_inside_a_network_gives_its_mask_to_the_layers_around():
    def outer(side):
        side.random.set_random_seed(1)
        inner = side.network.Sequential([side.embedding.Embedding(WORDS, 3, mask_zero=True)])
        return side.network.Sequential([inner, side.recurrent.GRU(2)])

    here, there = outer(scratch), outer(reference)
    here(TEXTS)
    expected = there(TEXTS)
    here.set_weights(there.get_weights())
    assert_same(here(TEXTS), expected)


def test_a_network_takes_a_mask_as_keras_does():
    here, there = (
        side.network.Sequential([side.dense.Dense(3), side.recurrent.LSTM(2)])
        for side in (scratch, reference)
    )
    x = RNG.standard_normal((11, STEPS, 2))
    with quiet_keras():
        expected = there(x, mask=SEEN)
    here.build((None, STEPS, 2))
    here.set_weights(there.get_weights())
    y, backward = here.forward(x, mask=SEEN)
    assert_same(y, expected)
    assert not np.any(backward(np.ones_like(y))[0][~SEEN])


class Weighed(scratch.network.Layer):
    """y = x where the mask is True, else 2 x: a layer by sample that looks at its mask."""

    by_sample = supports_masking = True
    shard = 4

    def call(self, x, training=False, mask=None):
        factor = 2 - mask[..., np.newaxis]
        return x * factor, lambda dy: (dy * factor, [])


def test_a_mask_is_cut_with_its_batch(monkeypatch):
    network = scratch.network.Sequential([Weighed(), scratch.dense.Dense(2), Weighed()])
    x = RNG.standard_normal((11, STEPS, 3))
    dy = RNG.standard_normal((11, STEPS, 2))
    y, _, backward, mask = network.penalized_forward(x, mask=SEEN)
    dx, gradients = backward(dy, 0.0)
    monkeypatch.setattr(chain, "_is_by_sample", lambda pair: False)
    whole, _, backward_whole, whole_mask = network.penalized_forward(x, mask=SEEN)
    dx_whole, whole_gradients = backward_whole(dy, 0.0)
    assert np.array_equal(mask, SEEN)
    assert np.array_equal(mask, whole_mask)
    assert_same(y, whole)
    assert_same(dx, dx_whole)
    for one, other in zip(gradients, whole_gradients, strict=True):
        assert_same(one, other)


def side_by_side(merge, both=True):
    """layers(side): two layers see the steps, of which the second keeps the mask or loses it."""

    def layers(side):
        keeps = side.recurrent.LSTM(2, return_sequences=True)
        other = side.dense.Dense(2) if both else side.convolution.Conv1D(2, 1)
        return [side.branches.Branches([keeps, other], merge(side))]

    return layers


@pytest.mark.parametrize("merge", ["Add", "Subtract", "Average", "Concatenate"])
@pytest.mark.parametrize("axis", [1, -1])
def test_branches_hand_masks_to_what_merges_them(merge, axis):
    def merging(side):
        return getattr(side.merging, merge)(**({"axis": axis} if merge == "Concatenate" else {}))

    assert np.array_equal(assert_same_masks(side_by_side(merging))[:, :STEPS], SEEN)
    with pytest.warns(UserWarning, match="conv1d does not support masking"):
        assert_same_masks(side_by_side(merging, both=False))


def test_attention_merges_with_the_masks_of_its_inputs():
    mask = assert_same_masks(side_by_side(lambda side: side.attention.Attention()))
    assert np.array_equal(mask, SEEN)


def test_a_dot_leaves_no_mask():
    assert assert_same_masks(side_by_side(lambda side: side.merging.Dot(axes=2))) is None


@pytest.mark.parametrize("merge", ["Multiply", "Maximum", "Minimum"])
def test_a_merge_that_masks_would_change_refuses_them(merge):
    layers = side_by_side(lambda side: getattr(side.merging, merge)())
    embedding = scratch.embedding.Embedding(WORDS, WIDTH, mask_zero=True)
    with pytest.raises(ValueError, match=f"{merge.lower()} takes no inputs with masks"):
        scratch.network.Sequential([embedding, *layers(scratch)])(TEXTS)


@pytest.mark.parametrize("merge", ["Add", "Concatenate"])
@pytest.mark.parametrize("sequences", [True, False])
def test_branches_of_words_are_masked_each_by_its_own(merge, sequences):
    def network(side):
        of = side.network.Sequential
        embeddings = [side.embedding.Embedding(WORDS, 3, mask_zero=True) for _ in range(2)]
        gru = side.recurrent.GRU
        towers = [of([first, gru(2, return_sequences=sequences)]) for first in embeddings]
        return of([side.branches.Branches(towers, getattr(side.merging, merge)())])

    here, there = network(scratch), network(reference)
    x = [TEXTS, TEXTS[::-1].copy()]
    here(x)
    expected = there([tf.constant(part) for part in x])
    here.set_weights(there.get_weights())
    y, *_, mask = here.penalized_forward(x)
    assert_same(y, expected)
    assert np.array_equal(mask, getattr(expected, "_keras_mask", None))


def test_a_transformer_with_padding_trains_as_in_keras():
    def layers(side):
        of = side.attention
        encoder = of.TransformerEncoder(3, 2)
        return [of.PositionEmbedding(), encoder, side.dense.Dense(CLASSES, "softmax")]

    here, there = pair(layers, metrics=["accuracy"])
    assert_same_training(here, there, TAGS)


def test_batch_normalization_refuses_masked_steps_in_training_alone():
    here, _ = pair(lambda side: [side.normalization.BatchNormalization(), *of_tags(side)])
    here.evaluate(TEXTS, TAGS, verbose=0)
    with pytest.raises(ValueError, match="batch_normalization takes no masked steps in training"):
        here.fit(TEXTS, TAGS, verbose=0)


def test_without_mask_zero_nothing_is_masked():
    embedding = scratch.embedding.Embedding(WORDS, WIDTH)
    assert scratch.network.Sequential([embedding]).penalized_forward(TEXTS)[3] is None
