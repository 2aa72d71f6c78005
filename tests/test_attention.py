"""Attention against Keras's: scores, masks, heads, draws, and a transformer's block."""

import numpy as np
import pytest
import tensorflow as tf

import reference
import scratch
from scratch.attention.functions import _steps_last, attend

DTYPES = ["float32", "float64"]
RNG = np.random.default_rng(11)


def normal(*shape, dtype="float64"):
    x = RNG.standard_normal(shape).astype(dtype)
    x.flags.writeable = False
    return x


def assert_within_rounding(here, there, terms=100):
    """Sums of some dozen numbers in another order differ by a rounding per term."""
    there = np.asarray(there)
    assert here.dtype == there.dtype
    assert here.shape == there.shape
    bound = terms * np.finfo(there.dtype).eps * max(1.0, np.abs(there).max())
    assert np.abs(here - there).max() <= bound


def tape(function, sources):
    """(list of values, list of dys, gradients of the sources) as TensorFlow has them."""
    with tf.GradientTape() as recorder:
        recorder.watch(sources)
        values = tf.nest.flatten(function())
    dys = [normal(*value.shape, dtype=value.dtype.name) for value in values]
    zero = tf.UnconnectedGradients.ZERO
    gradients = recorder.gradient(values, sources, list(map(tf.constant, dys)), zero)
    return values, dys, [tf.convert_to_tensor(g) for g in gradients]


def assert_pair(name, inputs, terms=100, **arguments):
    """Value and gradients of the function are TensorFlow's, and the backward keeps its contract."""
    y, backward = getattr(scratch.attention, name)(*inputs, **arguments)
    tensors = [tf.constant(x) for x in inputs]
    twin = getattr(reference.attention, name)
    (expected,), (dy,), gradients = tape(lambda: twin(*tensors, **arguments), tensors)
    assert_within_rounding(y, expected, terms)
    given = backward(dy) if isinstance(backward(dy), tuple) else (backward(dy),)
    for dx, expected_dx in zip(given, gradients, strict=True):
        assert_within_rounding(np.asarray(dx), expected_dx, terms)
        assert not any(np.shares_memory(dx, x) for x in inputs)
    again = backward(dy) if isinstance(backward(dy), tuple) else (backward(dy),)
    assert all(map(np.array_equal, given, again))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("samples", [(), (2,), (2, 3)])
@pytest.mark.parametrize(
    ("name", "further"),
    [
        ("dot_scores", ()),
        ("dot_scores", ((),)),
        ("additive_scores", ()),
        ("additive_scores", ((4,),)),
        ("concat_scores", ((), ())),
    ],
)
def test_scores_are_their_twins(name, further, samples, dtype):
    inputs = [normal(*samples, 5, 4, dtype=dtype), normal(*samples, 7, 4, dtype=dtype)]
    assert_pair(name, [*inputs, *(np.asarray(normal(*s), dtype) for s in further)])


def mask(*shape):
    """True for two of three; the first query may see nothing."""
    m = np.arange(np.prod(shape)).reshape(shape) % 3 > 0
    m[..., 0, :] = False
    return m


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "seen", [None, mask(5, 7), mask(2, 5, 7), np.array([[True] + [False] * 6])]
)
def test_masked_softmax_is_keras(seen, dtype):
    assert_pair("masked_softmax", [normal(2, 5, 7, dtype=dtype)], mask=seen)


def test_a_row_that_is_hidden_whole_has_no_weights_and_no_gradient():
    weights, backward = scratch.attention.masked_softmax(normal(2, 5, 7), mask(2, 5, 7))
    assert not weights[:, 0].any()
    assert not backward(normal(2, 5, 7))[:, 0].any()
    np.testing.assert_allclose(weights[:, 1:].sum(-1), 1, rtol=1e-15)


HEADS = [(2, 5, 3, 4), (2, 7, 3, 4), (2, 7, 3, 6)]
OWN = [(2, 5, 3, 4), (2, 5, 3, 4), (2, 5, 3, 6)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("shapes", "arguments"),
    [
        (HEADS, {}),
        ([(1, 1, 1, 3), (1, 1, 1, 3), (1, 1, 1, 2)], {}),
        (HEADS, {"scale": 0.3}),
        (HEADS, {"mask": mask(1, 1, 5, 7)}),
        (HEADS, {"mask": mask(2, 3, 5, 7)}),
        (OWN, {"is_causal": True}),
        (OWN, {"is_causal": True, "mask": mask(2, 1, 5, 5)}),
    ],
)
def test_dot_product_attention_is_keras(shapes, arguments, dtype):
    inputs = [normal(*shape, dtype=dtype) for shape in shapes]
    assert_pair("dot_product_attention", inputs, **arguments)


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (3, 1, 7), (1, 1, 5, 1)])
def test_a_bias_of_the_scores_has_the_gradient_of_all_that_it_was_added_to(shape):
    assert_pair("dot_product_attention", [normal(*s) for s in [*HEADS, shape]])


def test_a_causal_query_sees_itself_and_what_came_before():
    query, key, value = (normal(*shape) for shape in OWN)
    y, backward = scratch.attention.dot_product_attention(query, key, value, is_causal=True)
    np.testing.assert_allclose(y[:, 0], value[:, 0], rtol=1e-15)
    dy = np.zeros_like(y)
    dy[:, 2] = 1
    _, _, dvalue = backward(dy)
    assert dvalue[:, :3].all()
    assert not dvalue[:, 3:].any()


def test_the_scale_is_rounded_to_float32():
    query, key, value = (normal(*shape) for shape in [(1, 1, 1, 3), (1, 2, 1, 3), (1, 2, 1, 1)])
    y, _ = scratch.attention.dot_product_attention(query, key, value)
    for scale, near in ((np.float64(np.float32(1 / np.sqrt(3))), 1e-15), (1 / np.sqrt(3), 1e-7)):
        scores = scale * query[:, 0] @ key[:, :, 0].swapaxes(1, 2)
        weights = np.exp(scores) / np.exp(scores).sum()
        difference = np.abs(weights @ value[:, :, 0] - y[:, 0]).max()
        assert difference <= near
    assert difference > 1e-10


@pytest.mark.parametrize("name", ["dot_scores", "additive_scores", "dot_product_attention"])
def test_gradient_is_the_derivative_of_the_forward(name):
    """Complex step: the imaginary part of f(x + ih) is h f'(x) without any difference taken."""
    function = getattr(scratch.attention, name)
    inputs = [normal(*s) for s in (HEADS if name.startswith("dot_p") else [(2, 5, 4), (2, 7, 4)])]
    directions = [normal(*x.shape) for x in inputs]
    y, backward = function(*inputs)
    moved, _ = function(*[x + 1e-200j * v for x, v in zip(inputs, directions, strict=True)])
    dy = normal(*y.shape)
    terms = [dx * v for dx, v in zip(backward(dy), directions, strict=True)]
    slope = np.sum(dy * moved.imag / 1e-200)
    assert abs(sum(map(np.sum, terms)) - slope) <= 1e-13 * sum(np.abs(t).sum() for t in terms)


def test_longdouble_passes():
    inputs = [normal(*shape).astype("longdouble") for shape in HEADS]
    y, backward = scratch.attention.dot_product_attention(*inputs, mask=mask(1, 1, 5, 7))
    assert {a.dtype for a in (y, *backward(y))} == {np.dtype("longdouble")}


def test_heads_come_first_without_a_copy():
    x = normal(2, 5, 3, 4)
    moved, restore, _ = _steps_last(x, (1,))
    assert np.shares_memory(moved, x)
    assert np.array_equal(restore(moved), x)
    both = normal(2, 5, 6, 3, 4)
    moved, restore, steps = _steps_last(both, (1, 2))
    assert moved.shape == (2, 3, 30, 4)
    assert steps == [5, 6]
    assert np.array_equal(restore(moved), both)


def test_axes_not_attended_over_are_samples():
    x = normal(2, 3, 5, 2, 4)
    (y, weights), _ = attend(x, x, x, np.float32(1), scratch.attention.masked_softmax, axes=(2,))
    folded = x.reshape(6, 5, 2, 4)
    expected, _ = scratch.attention.dot_product_attention(folded, folded, folded, scale=1.0)
    np.testing.assert_allclose(y.reshape(expected.shape), expected, rtol=1e-12)
    assert weights.shape == (2, 3, 2, 5, 5)


# layers


def made(name, arguments, dtype):
    """Both layers, built from one seed of Python's generator."""
    layers = []
    for side in (scratch, reference):
        side.random.set_random_seed(5)
        layers.append(getattr(side.attention, name)(**arguments, dtype=dtype))
    return layers


def randomize(layer, twin):
    """The same normal weights in both, for zeros and ones hide what is done with them."""
    weights = [np.asarray(normal(*w.shape), w.dtype) / 2 for w in layer.weights]
    layer.set_weights(weights)
    twin.set_weights(weights)


def assert_layer(name, arguments, inputs, apart=False, **call):
    """Values and gradients are those of Keras's layer, in training and in inference."""
    layer, twin = made(name, arguments, inputs[0].dtype.name)
    arranged = inputs if apart else [inputs]
    layer(*arranged)
    twin(*arranged)
    randomize(layer, twin)
    for training in (True, False):
        y, backward = layer.forward(*arranged, training=training, **call)
        tensors = list(map(tf.constant, inputs))
        passed = tensors if apart else [tensors]
        sources = tensors + [v.value for v in twin.trainable_variables]
        values, dys, gradients = tape(
            lambda passed=passed, training=training: twin(*passed, training=training, **call),
            sources,
        )
        for here, there in zip(y if isinstance(y, list) else [y], values, strict=True):
            assert_within_rounding(here, there)
        dx, weight_gradients = backward(dys if isinstance(y, list) else dys[0])
        assert isinstance(dx, tuple if apart else list)
        for here, there in zip([*dx, *weight_gradients], gradients, strict=True):
            assert_within_rounding(here, there, terms=500)
        none, same = backward(dys if isinstance(y, list) else dys[0], needs_dx=False)
        assert none is None
        assert all(map(np.array_equal, same, weight_gradients))


STEPS = np.arange(21).reshape(3, 7) % 3 < 2
QUERIES = np.arange(15).reshape(3, 5) % 4 < 3


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "arguments", "call"),
    [
        ("Attention", {}, {}),
        ("Attention", {"use_scale": True}, {"return_attention_scores": True}),
        ("Attention", {"score_mode": "concat"}, {}),
        ("Attention", {"score_mode": "concat", "use_scale": True}, {}),
        ("Attention", {"dropout": 0.4, "seed": 3}, {"return_attention_scores": True}),
        ("Attention", {}, {"mask": [QUERIES, STEPS]}),
        ("Attention", {}, {"mask": [None, STEPS], "use_causal_mask": True}),
        ("Attention", {}, {"mask": [QUERIES, None]}),
        ("AdditiveAttention", {}, {}),
        ("AdditiveAttention", {"use_scale": False}, {"use_causal_mask": True}),
        ("AdditiveAttention", {"dropout": 0.4, "seed": 3}, {"mask": [QUERIES, STEPS]}),
    ],
)
@pytest.mark.parametrize("shapes", [[(3, 5, 4), (3, 7, 4)], [(3, 5, 4), (3, 7, 2), (3, 7, 4)]])
def test_attention_is_keras(shapes, name, arguments, call, dtype):
    assert_layer(name, arguments, [normal(*shape, dtype=dtype) for shape in shapes], **call)


def test_a_query_from_which_all_is_hidden_weighs_as_if_nothing_were_in_float64():
    inputs, hidden = [normal(3, 5, 4), normal(3, 7, 4)], np.zeros((3, 7), bool)
    layer, twin = made("Attention", {}, "float64")
    y = layer(inputs, mask=[None, hidden])
    # 1e9 leaves 7 digits of a score
    np.testing.assert_allclose(y, layer(inputs), atol=1e-6)
    np.testing.assert_allclose(y, twin(inputs, mask=[None, hidden]), atol=1e-6)


SIZE = {"num_heads": 2, "key_dim": 3}
HALF = mask(3, 5, 7)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        ({}, {}),
        ({"value_dim": 5, "use_bias": False}, {}),
        ({"output_shape": 3}, {}),
        ({"output_shape": (2, 3)}, {}),
        ({"dropout": 0.4, "seed": 3}, {}),
        ({"dropout": 0.4, "seed": 3}, {"return_attention_scores": True, "attention_mask": HALF}),
        ({}, {"return_attention_scores": True, "use_causal_mask": True}),
        ({}, {"use_causal_mask": True}),
        ({}, {"attention_mask": HALF}),
        ({}, {"attention_mask": HALF[:, None], "return_attention_scores": True}),
        ({}, {"value_mask": STEPS, "key_mask": STEPS[::-1].copy(), "use_causal_mask": True}),
        ({"sliding_window": 2}, {}),
        ({"sliding_window": 2}, {"use_causal_mask": True, "value_mask": STEPS}),
    ],
)
@pytest.mark.parametrize("shapes", [[(3, 5, 4), (3, 7, 6)], [(3, 5, 4), (3, 7, 6), (3, 7, 2)]])
def test_multi_head_attention_is_keras(shapes, arguments, call, dtype):
    inputs = [normal(*shape, dtype=dtype) for shape in shapes]
    assert_layer("MultiHeadAttention", SIZE | arguments, inputs, apart=True, **call)


@pytest.mark.parametrize("axes", [None, 1, 2, -2, (1, 2), [2, 1]])
@pytest.mark.parametrize("scores", [True, False])
def test_further_axes_are_attended_over_or_not(axes, scores):
    inputs = [normal(2, 3, 5, 4), normal(2, 3, 5, 6)]
    settings = SIZE | {"attention_axes": axes}
    call = {"return_attention_scores": scores}
    assert_layer("MultiHeadAttention", settings, inputs, apart=True, **call)


def test_a_query_mask_is_the_one_that_keras_s_query_carries():
    layer, twin = made("MultiHeadAttention", SIZE, "float64")
    query, value = normal(3, 5, 4), normal(3, 7, 6)
    layer(query, value), twin(query, value)
    randomize(layer, twin)
    carrying = tf.constant(query)
    carrying._keras_mask = tf.constant(QUERIES)
    expected = twin(carrying, value)
    assert_within_rounding(layer(query, value, query_mask=QUERIES), expected)
    ignored = twin(query, value, query_mask=QUERIES)
    assert_within_rounding(layer(query, value), ignored)


def test_a_query_that_sees_nothing_takes_the_average_but_zero_where_keras_counts_scores():
    layer = scratch.attention.MultiHeadAttention(**SIZE, dtype="float64")
    query, value = normal(3, 5, 4), normal(3, 7, 6)
    layer(query, value)
    for projection in layer.layers:
        projection.bias[...] = 0
    averaged = layer(query, value, attention_mask=np.zeros((5, 7), bool))
    heads = np.einsum("nsd,dhv->nhv", value, layer.value_dense.kernel) / 7
    expected = np.einsum("nhv,hvo->no", heads, layer.output_dense.kernel)
    np.testing.assert_allclose(averaged, np.repeat(expected[:, None], 5, 1), rtol=1e-12)
    call = {"attention_mask": np.zeros((5, 7), bool), "return_attention_scores": True}
    assert not layer(query, value, **call)[0].any()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("arguments", "call"),
    [
        ({}, {}),
        ({"dropout": 0.3, "seed": 4}, {}),
        ({}, {"use_causal_mask": True}),
        ({}, {"attention_mask": mask(3, 5, 5)}),
    ],
)
def test_encoder_is_its_twin(arguments, call, dtype):
    x = normal(3, 5, 6, dtype=dtype)
    settings = {"intermediate_dim": 7, "num_heads": 2} | arguments
    layer, twin = made("TransformerEncoder", settings, dtype)
    layer(x), twin(x)
    randomize(layer, twin)
    y, backward = layer.forward(x, training=True, **call)
    tensor = tf.constant(x)
    sources = [tensor] + [v.value for v in twin.trainable_variables]
    (expected,), (dy,), gradients = tape(lambda: twin(tensor, training=True, **call), sources)
    dx, of_weights = backward(dy)
    assert_within_rounding(y, expected)
    for here, there in zip([dx, *of_weights], gradients, strict=True):
        assert_within_rounding(here, there, terms=1000)
    assert backward(dy, needs_dx=False)[0] is None


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("name", "arguments", "shapes", "apart"),
    [
        ("Attention", {"use_scale": True, "dropout": 0.2}, [(3, 5, 4), (3, 7, 4)], False),
        ("AdditiveAttention", {"dropout": 0.2}, [(3, 5, 4), (3, 7, 4)], False),
        ("MultiHeadAttention", SIZE, [(3, 5, 4), (3, 7, 6)], True),
        ("MultiHeadAttention", SIZE | {"dropout": 0.2}, [(3, 5, 4), (3, 7, 6)], True),
        (
            "MultiHeadAttention",
            SIZE | {"output_shape": (2, 3), "attention_axes": 2},
            [(3, 2, 5, 4), (3, 2, 7, 6)],
            True,
        ),
        ("PositionEmbedding", {}, [(3, 5, 6)], True),
        (
            "TransformerEncoder",
            {"intermediate_dim": 7, "num_heads": 2, "dropout": 0.2},
            [(3, 5, 6)],
            True,
        ),
    ],
)
def test_one_seed_makes_the_same_weights_and_masks(name, arguments, shapes, apart, dtype):
    outcomes = []
    inputs = [normal(*shape, dtype=dtype) for shape in shapes]
    for side in (scratch, reference):
        side.random.set_random_seed(9)
        layer = getattr(side.attention, name)(**arguments, dtype=dtype)
        after = side.initializers.RandomUniform()
        arranged = inputs if apart else [inputs]
        y = [np.asarray(layer(*arranged, training=True)) for _ in range(2)]
        further = side.initializers.RandomUniform()
        drawn = [np.asarray(each((4,))) for each in (after, further)]
        outcomes.append((layer.get_weights(), drawn, y))
    (weights, drawn, y), (expected_weights, expected_drawn, expected) = outcomes
    assert all(np.array_equal(h, t) for h, t in zip(weights, expected_weights, strict=True))
    assert np.array_equal(drawn, expected_drawn)
    for here, there in zip(y, expected, strict=True):
        assert_within_rounding(here, there)
    assert np.array_equal(y[0], y[1]) == ("dropout" not in arguments)


@pytest.mark.parametrize("dtype", DTYPES)
def test_dropped_weights_are_the_same_bits(dtype):
    inputs = [normal(3, 5, 4, dtype=dtype), normal(3, 7, 4, dtype=dtype)]
    dropped = []
    for side in (scratch, reference):
        layer = side.attention.Attention(dropout=0.5, seed=2, dtype=dtype)
        _, weights = layer(inputs, training=True, return_attention_scores=True)
        dropped.append(np.asarray(weights) == 0)
    assert 0.3 < np.mean(dropped[0]) < 0.7
    assert np.array_equal(*dropped)


def test_paths_are_keras():
    for name, arguments in (
        ("MultiHeadAttention", SIZE),
        ("TransformerEncoder", {"intermediate_dim": 7, "num_heads": 2}),
    ):
        layer, twin = made(name, arguments | {"name": "block"}, "float32")
        inputs = [normal(3, 5, 6)] * (2 if name == "MultiHeadAttention" else 1)
        layer(*inputs), twin(*inputs)
        assert layer.weight_paths() == [weight.path for weight in twin.weights]
        assert layer.trainable_paths() == layer.weight_paths()


def test_regularizers_and_constraints_reach_the_projections():
    settings = SIZE | {"kernel_regularizer": "l2", "bias_constraint": "non_neg"}
    layer = scratch.attention.MultiHeadAttention(**settings)
    layer(normal(3, 5, 4), normal(3, 7, 6))
    kinds = [type(r).__name__ for r in layer.trainable_regularizers()]
    assert kinds == ["L2", "NoneType"] * 4
    kinds = [type(c).__name__ for c in layer.trainable_constraints()]
    assert kinds == ["NoneType", "NonNeg"] * 4


def test_an_initializer_with_a_seed_serves_every_projection_as_in_keras():
    layers = []
    for side in (scratch, reference):
        initializer = side.initializers.HeUniform(seed=4)
        layer = side.attention.MultiHeadAttention(2, 3, kernel_initializer=initializer)
        layer(normal(3, 5, 6), normal(3, 7, 6))
        layers.append(layer.get_weights())
    assert all(map(np.array_equal, *layers))
    assert np.array_equal(layers[0][0], layers[0][2])


def test_a_frozen_projection_has_no_gradients_and_lets_them_through():
    layer = scratch.attention.MultiHeadAttention(**SIZE)
    query, value = normal(3, 5, 4), normal(3, 7, 6)
    y, backward = layer.forward(query, value)
    dx, gradients = backward(np.ones_like(y))
    layer.key_dense.trainable = False
    _, backward = layer.forward(query, value)
    same_dx, fewer = backward(np.ones_like(y))
    assert len(gradients) == 8
    assert len(fewer) == len(layer.trainable_weights) == 6
    assert all(map(np.array_equal, dx, same_dx))
    assert [path.split("/")[1] for path in layer.trainable_paths()].count("key") == 0


def test_output_shapes():
    of = scratch.attention
    shapes = [(None, 5, 4), (None, 7, 6)]
    assert of.Attention().compute_output_shape(shapes) == (None, 5, 6)
    assert of.MultiHeadAttention(**SIZE).compute_output_shape(shapes) == (None, 5, 4)
    wide = of.MultiHeadAttention(**SIZE, output_shape=(2, 9))
    assert wide.compute_output_shape(shapes) == (None, 5, 2, 9)


def test_the_mask_of_the_queries_is_that_of_the_output():
    layer = scratch.attention.Attention()
    assert layer.compute_mask([1, 2], [QUERIES, STEPS]) is QUERIES
    assert layer.compute_mask([1, 2]) is None


PAIR = [normal(2, 3, 4), normal(2, 5, 4)]


def attention(inputs, mask=None):
    return scratch.attention.Attention()(inputs, mask=mask)


def heads(**settings):
    return scratch.attention.MultiHeadAttention(**(SIZE | settings))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scratch.attention.Attention(score_mode="sum"), '"dot" or "concat", not \'sum\''),
        (lambda: scratch.attention.Attention()(normal(2, 3, 4)), r"takes \[query, value\]"),
        (lambda: scratch.attention.Attention()([normal(2, 3, 4)]), r"takes \[query, value\]"),
        (
            lambda: scratch.attention.Attention()([normal(2, 3, 4), normal(2, 5, 3)]),
            r"shapes \(2, 3, 4\), \(2, 5, 3\)",
        ),
        (lambda: heads(num_heads=0), "num_heads is a positive integer, not 0"),
        (lambda: heads(key_dim=1.5), "key_dim is a positive integer, not 1.5"),
        (lambda: heads(sliding_window=-1), "sliding_window is a positive integer, not -1"),
        (
            lambda: heads()(normal(2, 3, 4), normal(2, 5, 4), normal(2, 6, 4)),
            r"query, value and key of shapes \(2, 3, 4\), \(2, 5, 4\) and \(2, 6, 4\)",
        ),
        (lambda: heads()(normal(2, 3, 4), normal(3, 5, 4)), "cannot take query, value and key"),
        (lambda: heads()(normal(2, 3, 4), normal(2, 4)), "cannot take query, value and key"),
        (lambda: heads()(normal(2, 4), normal(2, 4)), "not over None of a query of 2 axes"),
        (lambda: heads(attention_axes=5)(*PAIR), r"not over \(5,\) of a query of 3 axes"),
        (lambda: heads(attention_axes=0)(*PAIR), "between the samples and the features"),
        (lambda: heads(attention_axes=-1)(*PAIR), "between the samples and the features"),
        (lambda: heads(attention_axes=(1, -2))(*PAIR), "between the samples and the features"),
        (lambda: heads(attention_axes="a"), "attention_axes takes a tuple of integers, not 'a'"),
        (lambda: heads(output_shape=1.5), r"output_shape takes a tuple of integers, not 1\.5"),
        (lambda: heads(sliding_window=0), "sliding_window is a positive integer, not 0"),
        (lambda: heads(dropout=-0.5), r"dropout lies between 0 and 1, not at -0\.5"),
        (
            lambda: heads()(*PAIR, attention_mask=np.ones((2, 3, 4))),
            r"a mask of shape \(2, 1, 3, 4\) does not fit \(2, 2, 3, 5\)",
        ),
        (
            lambda: heads()(*PAIR, attention_mask=np.ones((2, 3, 5)), key_mask=np.ones((2, 4))),
            r"masks of shapes \(2, 3, 5\), \(2, 1, 4\) do not go together",
        ),
        (
            lambda: attention(PAIR, [None, np.ones((2, 4))]),
            r"value_mask of shape \(2, 4\) does not",
        ),
        (lambda: attention(PAIR, [np.ones((2, 4)), None]), r"\(2, 4\) does not fit \(2, 3\)"),
        (lambda: attention(PAIR, np.ones((2, 3))), r"value_mask\], not a ndarray of 2"),
        (lambda: attention(PAIR, [np.ones((2, 3))]), r"mask is a list, .*, not a list of 1"),
        (lambda: attention([normal(2, 3, 4), normal(3, 5, 4)]), "cannot compare queries with keys"),
        (lambda: attention([normal(2, 3, 4), normal(1, 5, 4)]), "cannot compare queries with keys"),
        (lambda: attention([normal(4), normal(4)]), "cannot compare queries with keys"),
        (lambda: scratch.attention.Attention(dropout="a"), "dropout lies between 0 and 1, not at"),
        (
            lambda: scratch.attention.dot_product_attention(*[normal(2, 3, 4)] * 3),
            "query, key and value of shapes .* do not go together",
        ),
        (
            lambda: scratch.attention.TransformerEncoder(7, 4)(normal(2, 3, 6)),
            "4 heads cannot share the features",
        ),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(call, message):
    with pytest.raises(ValueError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_later_inputs_must_be_as_the_first_were():
    layer = scratch.attention.AdditiveAttention()
    layer(PAIR)
    with pytest.raises(ValueError, match="cannot compare queries with keys of shapes"):
        layer([normal(2, 3, 6), normal(2, 5, 6)])
    with pytest.raises(ValueError, match=r"takes \[query, value\]"):
        layer(normal(2, 3, 4))
    with pytest.raises(ValueError, match=r"takes \[query, value\]"):
        layer([normal(2, 3, 4)])
    layer = heads()
    layer(*PAIR)
    with pytest.raises(ValueError, match="cannot take query, value and key"):
        layer(normal(2, 3, 3, 4), normal(2, 3, 3, 4))


def test_an_input_of_another_width_is_refused_by_the_projection():
    layer = heads()
    layer(normal(2, 3, 4), normal(2, 5, 4))
    with pytest.raises(ValueError, match=r"query expects \(..., 4\), not \(2, 3, 5\)"):
        layer(normal(2, 3, 5), normal(2, 5, 4))
    positions = scratch.attention.PositionEmbedding()
    positions(normal(2, 3, 4))
    with pytest.raises(ValueError, match=r"expects \(n, 3, 4\), not \(2, 5, 4\)"):
        positions(normal(2, 5, 4))


def test_flash_attention_and_gates_are_refused_by_name():
    with pytest.raises(TypeError, match="flash_attention"):
        heads(flash_attention=True)
    with pytest.raises(TypeError, match="use_gate"):
        heads(use_gate=True)


def test_without_keys_attention_sees_nothing():
    query, nothing = np.ones((2, 3, 4)), np.ones((2, 0, 4))
    y, backward = scratch.attention.Attention().forward([query, nothing])
    assert np.array_equal(y, reference.attention.Attention()([query, nothing]))
    (dquery, *_), _ = backward(np.ones_like(y))
    assert np.array_equal(dquery, np.zeros_like(query))
