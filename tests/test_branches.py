"""Branches against their Keras twin: weights, state, gradients, and what they refuse."""

import keras
import numpy as np
import pytest

import reference
import scratch
from comparisons.gradients import check_layer
from comparisons.precision import floatx

RNG = np.random.default_rng(31)
A, B = (RNG.standard_normal((7, width)).astype("float32") for width in (3, 2))


@pytest.fixture(autouse=True)
def _names_start_anew():
    keras.backend.clear_session()


def tower(side, units, rate=0.3):
    layers = [
        side.dense.Dense(units, "tanh", name="hidden"),
        side.normalization.BatchNormalization(),
    ]
    return side.network.Sequential([*layers, side.dropout.Dropout(rate)])


def twins(branches, merge="Concatenate", **settings):
    """Branches on both sides from one seed, of the layers that branches(side) makes."""
    made = []
    for side in (scratch, reference):
        side.random.set_random_seed(4)
        merging = getattr(side.merging, merge)()
        made.append(side.branches.Branches(branches(side), merging, name="block", **settings))
    return made


def of_two(side):
    return [side.dense.Dense(4, "relu"), side.dense.Dense(5, "tanh")]


def with_a_tower(side):
    return [side.dense.Dense(4, "relu"), tower(side, 4)]


def nested(side):
    inner = side.branches.Branches(with_a_tower(side), side.merging.Add(), name="inner")
    return [inner, side.dense.Dense(2, name="outer")]


def assert_close(here, there):
    """Sums of up to 5 products, a tanh and a mean: some roundings of float32."""
    assert here.shape == there.shape
    assert np.abs(here - there).max() <= 32 * np.finfo("float32").eps * np.abs(there).max()


# the layer


@pytest.mark.parametrize("branches", [of_two, with_a_tower, nested])
@pytest.mark.parametrize("x", [[A, B], A], ids=["two inputs", "one input"])
def test_branches_start_and_end_as_their_twin(branches, x):
    """From the same bits, under the same names; afterwards with the same state."""
    if branches is nested and x is not A:
        x = [A, A]
    here, there = twins(branches)
    shape = [part.shape for part in x] if isinstance(x, list) else x.shape
    for training in (True, True, False):
        y, expected = here(x, training=training), there(x, training=training).numpy()
        assert_close(y, expected)
        assert y.shape == here.compute_output_shape(shape) == there.compute_output_shape(shape)
    assert here.weight_paths() == [variable.path for variable in there.weights]
    assert here.trainable_paths() == [variable.path for variable in there.trainable_weights]
    for weight, theirs in zip(here.weights, there.get_weights(), strict=True):
        assert_close(weight, theirs)


def test_initial_weights_are_identical():
    here, there = twins(with_a_tower)
    for side in (here, there):
        side([A, B])
    pairs = zip(here.get_weights(), there.get_weights(), strict=True)
    assert all(np.array_equal(mine, theirs) for mine, theirs in pairs)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("branches", "shape"),
    [
        (with_a_tower, [(7, 3), (7, 2)]),
        (with_a_tower, (7, 3)),
        (nested, (7, 3)),
    ],
)
def test_networks_are_branches_too(branches, shape, dtype):
    with floatx(dtype):
        here, there = twins(branches)
    report = check_layer(here, there, shape)
    assert report.ok, report


@pytest.mark.parametrize("frozen", ["first branch", "second branch", "all"])
def test_what_is_frozen_has_no_gradients_and_passes_them_on(frozen):
    here, there = twins(with_a_tower)
    for block in (here, there):
        block([A, B])
        part = {"first branch": block.branches[0], "second branch": block.branches[1]}
        part.get(frozen, block).trainable = False
    assert here.trainable_paths() == [variable.path for variable in there.trainable_weights]
    assert check_layer(here, there, [(7, 3), (7, 2)]).ok
    dx, gradients = here.forward([A, B])[1](np.ones((7, 8), "float32"))
    assert [part.shape for part in dx] == [(7, 3), (7, 2)]
    assert len(gradients) == len(here.trainable_weights)


def test_branches_made_frozen_let_the_layers_inside_move_their_averages():
    here, there = twins(with_a_tower, trainable=False)
    for block in (here, there):
        block([A, B], training=True)
    assert here.trainable_weights == there.trainable_weights == []
    y, _, backward, _ = here.penalized_forward([A, B])
    assert backward(y, 1.0)[1] == here.forward([A, B])[1](y)[1] == []
    assert np.any(here.branches[1].layers[1].moving_mean)
    for weight, theirs in zip(here.weights, there.get_weights(), strict=True):
        assert_close(weight, theirs)


@pytest.mark.parametrize("x", [[A, B], A], ids=["two inputs", "one input"])
@pytest.mark.parametrize("freeze", [None, 0, 1])
def test_without_dx_the_gradients_are_the_same(x, freeze):
    block = twins(of_two)[0]
    y, _ = block.forward(x)
    if freeze is not None:
        block.branches[freeze].trainable = False
    y, backward = block.forward(x)
    nothing, same = backward(y, needs_dx=False)
    assert nothing is None
    assert all(map(np.array_equal, backward(y)[1], same))
    assert len(same) == len(block.trainable_weights)


def test_one_input_gets_the_sum_of_what_comes_back():
    block = twins(of_two)[0]
    dy = RNG.standard_normal((7, 9)).astype("float32")
    dx, gradients = block.forward(A)[1](dy)
    dxs, same = block.forward([A, A])[1](dy)
    assert np.array_equal(dx, dxs[0] + dxs[1])
    assert all(map(np.array_equal, gradients, same))


def test_layers_without_weights_and_embeddings_may_be_branches():
    def branches(side):
        return [side.embedding.Embedding(9, 4), side.reshaping.Flatten(), tower(side, 2)]

    ids = RNG.integers(0, 9, (7,))
    here, there = twins(branches)
    x = [ids, A.reshape(7, 3, 1), B]
    assert_close(here(x), there(x).numpy())
    _, backward = here.forward(x)
    (of_ids, *rest), gradients = backward(np.ones((7, 9), "float32"))
    assert of_ids is None
    assert [dx.shape for dx in rest] == [(7, 3, 1), (7, 2)]
    assert len(gradients) == len(here.trainable_weights)
    assert all(map(np.array_equal, backward(np.ones((7, 9), "float32"), False)[1], gradients))


def test_ids_that_all_branches_see_have_no_gradient():
    layers = [scratch.embedding.Embedding(9, 4), scratch.embedding.Embedding(9, 4)]
    block = scratch.branches.Branches(layers, scratch.merging.Add())
    y, backward = block.forward(np.array([3, 1]))
    assert backward(y)[0] is None


def test_a_merge_may_have_weights_of_its_own():
    made = []
    for side in (scratch, reference):
        side.random.set_random_seed(4)
        merge = side.attention.Attention(use_scale=True)
        layers = [side.dense.Dense(4), side.dense.Dense(4)]
        made.append(side.branches.Branches(layers, merge, name="block"))
    sequences = [(2, 5, 3), (2, 7, 2)]
    report = check_layer(*made, sequences)
    assert report.ok, report
    assert "attention/scale" in {row.name for row in report.rows}


def test_the_twin_is_rebuilt_from_its_config():
    _, there = twins(nested)
    y = there([A, A])
    twin = reference.branches.Branches.from_config(there.get_config())
    twin([A, A])
    twin.set_weights(there.get_weights())
    assert np.array_equal(twin([A, A]), y)
    assert twin.name == there.name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda of: of([], scratch.merging.Add()), "at least one layer besides merge"),
        (lambda of: of([scratch.merging.Add], scratch.merging.Add()), "takes layers, each once"),
        (lambda of: of([scratch.dense.Dense(2)], "add"), "takes layers, each once, not 'add'"),
        (lambda of: of(2 * [scratch.dense.Dense(2)], scratch.merging.Add()), "each once"),
        (
            lambda of: of(of_two(scratch), scratch.merging.Add(), activity_regularizer="l2"),
            "no activity_regularizer: y is merge's, give it to merge",
        ),
    ],
)
def test_what_are_no_branches_is_named(make, message):
    with pytest.raises(ValueError, match=message) as error:
        make(scratch.branches.Branches)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([A], "block takes 2 inputs, one for each branch, or one array for all, not 1 inputs"),
        ([A, B, B], "block takes 2 inputs, .*, not 3 inputs"),
        ([B, A], r"dense expects \(\.\.\., 3\), not \(7, 2\)"),
        ([A, B[:5]], r"concatenate cannot merge inputs of shapes \(7, 4\), \(5, 5\)"),
    ],
)
def test_inputs_that_do_not_fit_are_named(x, message):
    block = twins(of_two)[0]
    block.ensure_built([(None, 3), (None, 2)])
    with pytest.raises(ValueError, match=message) as error:
        block(x)
    assert "\n" not in str(error.value)


def test_another_number_of_shapes_is_named_before_a_weight_is_made():
    block = twins(of_two)[0]
    with pytest.raises(ValueError, match=r"block takes 2 inputs, .* not 1 inputs"):
        block([A])
    assert block.weights == []
    with pytest.raises(ValueError, match=r"block takes 2 inputs, .* not 3 inputs"):
        block.compute_output_shape(3 * [(None, 3)])


@pytest.mark.parametrize("layer", [scratch.dense.Dense(2), scratch.dropout.Dropout(0.5)])
def test_a_layer_of_one_input_refuses_a_list(layer):
    with pytest.raises(ValueError, match=f"{layer.name} takes one array, not a list of 2"):
        layer([A, A])


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda side: side.residual.ResidualBlock(2), (5, 4, 3, 2)),
        (lambda side: side.attention.TransformerEncoder(3, 2, use_bias=False), (3, 4, 2)),
        (lambda side: side.attention.PositionEmbedding(), (3, 4, 2)),
    ],
    ids=["ResidualBlock", "TransformerEncoder", "PositionEmbedding"],
)
def test_branches_may_be_layers_that_keras_does_not_know(make, shape):
    here, there = twins(lambda side: [make(side), side.dense.Dense(2, "tanh")], "Add")
    assert check_layer(here, there, {"x": shape}).ok
