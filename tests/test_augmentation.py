"""Augmentation against Keras's layers: the same draws, the same images, and gradients that fit."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import reference
import scratch
from comparisons.experiments import EXPERIMENTS
from comparisons.precision import floatx
from comparisons.training import compare

DTYPES = ["float32", "float64"]
RNG = np.random.default_rng(13)
LIT = {"value_range": (0.1, 0.8)}
FILLS = ["reflect", "wrap", "constant", "nearest"]
WAYS = ["bilinear", "nearest"]
IMAGES = RNG.random((6, 7, 9, 2))
IMAGES.flags.writeable = False


def images(dtype, channels_first=False):
    x = np.moveaxis(IMAGES, -1, 1) if channels_first else IMAGES
    return np.ascontiguousarray(x, dtype)


def made(name, arguments, dtype="float32", seed=5):
    return [
        getattr(side.augmentation, name)(**arguments, seed=seed, dtype=dtype)
        for side in (scratch, reference)
    ]


EXACT = [
    ("RandomFlip", {}),
    ("RandomFlip", {"mode": "horizontal"}),
    ("RandomFlip", {"mode": "vertical", "data_format": "channels_first"}),
    ("RandomCrop", {"height": 4, "width": 5}),
    ("RandomCrop", {"height": 7, "width": 4}),
    ("RandomCrop", {"height": 6, "width": 1, "data_format": "channels_first"}),
    ("RandomBrightness", {"factor": 0.4} | LIT),
    ("RandomBrightness", {"factor": (-0.1, 0.4)} | LIT),
    ("RandomContrast", {"factor": 0.7} | LIT),
    ("RandomContrast", {"factor": [0.2, 0.7]} | LIT),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "arguments"), EXACT)
def test_layer_is_keras(name, arguments, dtype):
    """Three batches, each with the draws that follow; a mean over 63 pixels rounds as often."""
    with floatx(dtype):
        layer, twin = made(name, arguments, dtype)
        x = images(dtype, "data_format" in arguments)
        for _ in range(3):
            y, backward = layer.forward(x, training=True)
            tensor = tf.constant(x)
            with tf.GradientTape() as tape:
                tape.watch(tensor)
                expected = twin(tensor, training=True)
            dy = RNG.standard_normal(y.shape).astype(dtype)
            dx, gradients = backward(dy)
            bound = 63 * np.finfo(dtype).eps * 3
            assert y.dtype == dx.dtype == dtype
            assert np.abs(y - expected.numpy()).max() <= bound
            expected_dx = tape.gradient(expected, tensor, tf.constant(dy)).numpy()
            assert np.abs(dx - expected_dx).max() <= bound
            assert gradients == []


@pytest.mark.parametrize("name", ["RandomFlip", "RandomCrop"])
def test_what_only_moves_is_identical(name):
    layer, twin = made(name, {"height": 4, "width": 5} if name == "RandomCrop" else {})
    x = images("float32")
    assert np.array_equal(layer(x, training=True), twin(x, training=True))


MOVES = [
    ("RandomTranslation", {"height_factor": 0.7, "width_factor": (-0.9, 0.2)}),
    ("RandomRotation", {"factor": 0.4}),
    ("RandomRotation", {"factor": (0.1, 0.2)}),
    ("RandomZoom", {"height_factor": 0.6}),
    ("RandomZoom", {"height_factor": (-0.5, 0.1), "width_factor": 0.9}),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("fill_mode", FILLS)
@pytest.mark.parametrize("interpolation", WAYS)
@pytest.mark.parametrize(("name", "arguments"), MOVES)
def test_moved_images_are_keras_s(name, arguments, interpolation, fill_mode, dtype):
    """Bit for bit, but for sines in float32: places, of 9 columns, then differ by a rounding."""
    settings = {"fill_mode": fill_mode, "interpolation": interpolation, "fill_value": 0.3}
    x = images(dtype)
    with floatx(dtype):
        layer, twin = made(name, arguments | settings, dtype)
        pairs = [(layer(x, training=True), twin(x, training=True).numpy()) for _ in range(2)]
    turned_in_float32 = name == "RandomRotation" and dtype == "float32"
    bound = 9 * 4 * np.finfo("float32").eps if turned_in_float32 else 0.0
    for y, expected in pairs:
        assert y.dtype == expected.dtype
        assert np.abs(y - expected).max() <= bound


@pytest.mark.parametrize(("name", "arguments"), MOVES)
def test_channels_may_come_first(name, arguments):
    x, first = images("float32"), images("float32", channels_first=True)
    layer, _ = made(name, arguments)
    moved, _ = made(name, arguments | {"data_format": "channels_first"})
    y, backward = layer.forward(x, training=True)
    y_first, backward_first = moved.forward(first, training=True)
    assert np.array_equal(np.moveaxis(y_first, 1, -1), y)
    assert np.array_equal(np.moveaxis(backward_first(y_first)[0], 1, -1), backward(y)[0])


@pytest.mark.parametrize("floats", DTYPES)
@pytest.mark.parametrize(("name", "arguments"), [MOVES[0], MOVES[3], MOVES[4]])
def test_draws_are_those_of_floatx(name, arguments, floats):
    with floatx(floats):
        layer, twin = made(name, arguments, "float64")
        assert np.array_equal(layer(IMAGES, training=True), twin(IMAGES, training=True))


def test_keras_s_rotation_fails_in_float64_and_is_the_twin_elsewhere():
    mended, own = reference.augmentation.RandomRotation, keras.layers.RandomRotation
    with floatx("float64"), pytest.raises(tf.errors.InvalidArgumentError):
        own(0.4, seed=5)(IMAGES, training=True)
    here, there = (layer(0.4, seed=5)(images("float32"), training=True) for layer in (mended, own))
    assert np.array_equal(here, there)


TURNED = np.array([[0.8, -0.6, 2.7, 0.6, 0.8, -1.9, 0, 0]] * 6)


@pytest.mark.parametrize("fill_mode", FILLS)
@pytest.mark.parametrize("interpolation", WAYS)
def test_a_move_is_linear_and_its_backward_the_transpose(interpolation, fill_mode):
    """sum(dy * move(x)) = sum(backward(dy) * x), for every x and dy; float64 would be rounded."""
    x = IMAGES.astype("longdouble")
    y, backward = scratch.augmentation.affine_transform(x, TURNED, interpolation, fill_mode)
    dy = RNG.standard_normal(y.shape)
    assert y.dtype == "longdouble"
    assert abs(np.sum(dy * y) - np.sum(backward(dy) * x)) <= 1e-12
    assert np.array_equal(backward(dy), backward(dy))


def test_the_gradient_of_tensorflow_is_not_the_derivative():
    """It moves dy by the inverse transform: right in the mean, and nowhere to the digit."""
    tensor = tf.constant(IMAGES)
    transform = tf.constant(TURNED, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        y = reference.augmentation.affine_transform(tensor, transform)
    dy = RNG.standard_normal(y.shape)
    dx = tape.gradient(y, tensor, tf.constant(dy)).numpy()
    assert abs(np.sum(dy * y) - np.sum(dx * IMAGES)) > 0.1


def test_a_fill_value_has_no_gradient_and_fills_what_is_outside():
    far = np.array([[1, 0, 100, 0, 1, 0, 0, 0]])
    y, backward = scratch.augmentation.affine_transform(IMAGES[:1], far, fill_value=0.3)
    assert (y == np.float32(0.3)).all()
    assert not backward(np.ones_like(y)).any()


def test_perspective_divides_by_the_distance():
    transform = np.array([[1, 0.1, -0.3, 0.05, 0.9, 0.2, 0.01, 0.02]] * 6)
    y, _ = scratch.augmentation.affine_transform(IMAGES, transform)
    expected = reference.augmentation.affine_transform(IMAGES, transform).numpy()
    assert np.abs(y - expected).max() <= 9 * 4 * np.finfo("float32").eps


ALL = [*EXACT, *MOVES]


@pytest.mark.parametrize(("name", "arguments"), ALL)
def test_inference_leaves_images_as_they_are(name, arguments):
    layer, twin = made(name, arguments)
    x = images("float32", "data_format" in arguments)
    y, backward = layer.forward(x)
    assert np.array_equal(y, x)
    assert np.array_equal(twin(x, training=False), x)
    assert np.array_equal(backward(x)[0], x)


@pytest.mark.parametrize(("name", "arguments"), ALL)
def test_unseeded_layers_draw_their_seeds_as_keras_s(name, arguments):
    x, outcomes = images("float32", "data_format" in arguments), []
    for side in (scratch, reference):
        side.random.set_random_seed(3)
        layer = getattr(side.augmentation, name)(**arguments)
        after = side.initializers.RandomUniform()((4,))
        outcomes.append((np.asarray(layer(x, training=True)), np.asarray(after)))
    (y, after), (expected, expected_after) = outcomes
    assert np.abs(y - expected).max() <= 9 * 4 * np.finfo("float32").eps
    assert np.array_equal(after, expected_after)


def test_every_batch_is_another():
    layer, _ = made("RandomTranslation", {"height_factor": 0.5, "width_factor": 0.5})
    x = images("float32")
    assert not np.array_equal(layer(x, training=True), layer(x, training=True))


def test_a_number_only_raises_the_contrast():
    layer = scratch.augmentation.RandomContrast(0.7, value_range=(-9, 9), seed=1, dtype="float64")
    y = layer(IMAGES, training=True)
    assert (y.std((1, 2)) >= IMAGES.std((1, 2))).all()


OF = scratch.augmentation


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: OF.RandomFlip("diagonal"), "mode is horizontal, vertical, .* not 'diagonal'"),
        (lambda: OF.RandomBrightness(2), r"factor is a number or two, from -1 to 1"),
        (lambda: OF.RandomContrast((0.2, 1.5)), r"factor is a number or two, from 0 to 1"),
        (lambda: OF.RandomContrast(-0.2), r"factor is a number or two, from 0 to 1, not -0\.2"),
        (lambda: OF.RandomBrightness("ab"), "factor is a number or two, from -1 to 1, not 'ab'"),
        (lambda: OF.RandomRotation(None), "factor is a number or two, from -1 to 1, not None"),
        (lambda: OF.RandomZoom((0.1, 0.2, 0.3)), r"a number or two, .* not \(0\.1, 0\.2, 0\.3\)"),
        (lambda: OF.RandomTranslation((0.1, "a"), 0), "height_factor is a number or two"),
        (lambda: OF.RandomBrightness(0.2, 255), "value_range is a pair of numbers, not 255"),
        (lambda: OF.RandomContrast(0.2, (1,)), r"value_range is a pair of numbers, not \(1,\)"),
        (lambda: OF.RandomCrop(2.5, 3), r"height is a positive integer, not 2\.5"),
        (lambda: OF.RandomCrop(2, -1), "width is a positive integer, not -1"),
        (lambda: OF.RandomZoom(0.2, (0, 2)), "width_factor is a number or two"),
        (lambda: OF.RandomRotation(0.1, "mirror"), "fill_mode is reflect, .* not 'mirror'"),
        (
            lambda: OF.RandomTranslation(0.1, 0.1, interpolation="cubic"),
            "interpolation is nearest or bilinear, not 'cubic'",
        ),
        (
            lambda: OF.RandomCrop(8, 2)(images("float32"), training=True),
            "random_crop cannot crop 8 x 2 of 7 x 9",
        ),
        (lambda: OF.RandomFlip()(images("float32")[0]), "expects 4 axes, those of images"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


TURNED_TOO = next(each for each in EXPERIMENTS if each.variant == "shifted and turned")


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_network_that_moves_its_images_matches(dtype):
    """Its tests and predictions are of images as they are: those moved would not agree."""
    result = compare(TURNED_TOO, dataset="digits", dtype=dtype, epochs=3)
    assert result.verdict == "match", result.causes
    if dtype == "float64":
        assert result.predictions_agreeing == result.test_examples
        assert result.max_weight_difference <= 1e-12


def test_images_moved_the_other_way_are_a_mismatch(monkeypatch):
    """The gradients are right for other images, and the accuracies much alike."""
    right = scratch.augmentation.RandomTranslation.transform

    def transform(self, x):
        a, b, left, d, e, up = right(self, x)
        return [a, b, -left, d, e, -up]

    monkeypatch.setattr(scratch.augmentation.RandomTranslation, "transform", transform)
    assert compare(TURNED_TOO, dataset="digits", epochs=1).verdict == "mismatch"


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_layers_behind_a_crop_are_built_for_its_size(data_format):
    arguments = {"height": 4, "width": 5, "data_format": data_format}
    layer, twin = made("RandomCrop", arguments)
    shape = images("float32", data_format == "channels_first").shape
    assert layer.compute_output_shape(shape) == twin.compute_output_shape(shape)
    y, _ = layer.forward(np.zeros(shape, "float32"), training=True)
    assert y.shape == layer.compute_output_shape(shape)


def test_a_network_trains_on_crops_and_predicts_images_of_their_size():
    crop = scratch.augmentation.RandomCrop(4, 5, seed=1)
    layers = [crop, scratch.reshaping.Flatten(), scratch.dense.Dense(3, activation="softmax")]
    network = scratch.network.Sequential([scratch.network.Input((7, 9, 2)), *layers])
    network.compile("sgd", "sparse_categorical_crossentropy")
    network.fit(images("float32"), np.arange(6) % 3, verbose=0)
    assert network.predict(images("float32")[:, :4, :5], verbose=0).shape == (6, 3)


def test_keras_rounds_crops_to_float32_where_it_compiles_them():
    with floatx("float64"):
        layer, twin = made("RandomCrop", {"height": 4, "width": 5}, "float64")
        y, _ = layer.forward(images("float64"), training=True)
        compiled = tf.function(lambda x: twin(x, training=True))
        np.testing.assert_array_equal(compiled(images("float64")), y.astype("float32"))
