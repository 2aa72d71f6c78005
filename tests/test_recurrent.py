"""Recurrent layers against Keras's: values, states, and gradients that came back through time."""

import random as python_random

import numpy as np
import pytest
import tensorflow as tf

import reference
import scratch
from comparisons.precision import floatx

DTYPES = ["float32", "float64"]
RNG = np.random.default_rng(11)
N, STEPS, INPUTS, UNITS = 4, 4, 3, 5

LAYERS = {
    "SimpleRNN": ("SimpleRNN", {}),
    "SimpleRNN relu": ("SimpleRNN", {"activation": "relu", "use_bias": False}),
    "LSTM": ("LSTM", {}),
    "LSTM bare": ("LSTM", {"use_bias": False, "activation": None, "recurrent_activation": "relu"}),
    "GRU": ("GRU", {}),
    "GRU bare": ("GRU", {"use_bias": False, "recurrent_activation": "hard_sigmoid"}),
    "GRU reset before": ("GRU", {"reset_after": False}),
    "GRU reset before, bare": ("GRU", {"reset_after": False, "use_bias": False}),
}
OUTPUTS = [
    {},
    {"return_sequences": True, "return_state": True},
    {"return_sequences": True, "go_backwards": True},
]
MASK = np.array([[1, 1, 1, 0], [0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0]], bool)
each_layer = pytest.mark.parametrize("layer", LAYERS)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def normal(*shape, dtype="float64"):
    x = RNG.standard_normal(shape).astype(dtype)
    x.flags.writeable = False
    return x


@pytest.fixture(autouse=True)
def _floatx(request):
    """The test's dtype, float64 where it has none, on both sides."""
    call = getattr(request.node, "callspec", None)
    with floatx(call.params.get("dtype", "float64") if call else "float64"):
        yield


def pair(layer, dtype="float64", **settings):
    """Both sides' layers with the same random weights, built for INPUTS features."""
    name, fixed = LAYERS[layer]
    here, there = (
        getattr(side.recurrent, name)(**{"units": UNITS, **fixed, **settings})
        for side in (scratch, reference)
    )
    here.ensure_built((None, STEPS, INPUTS))
    there.build((None, STEPS, INPUTS))
    weights = [normal(*w.shape, dtype=dtype) / 2 for w in there.trainable_weights]
    here.set_weights(weights)
    there.set_weights(weights)
    return here, there


def as_list(y):
    return list(y) if isinstance(y, list | tuple) else [y]


def assert_within_rounding(here, there):
    """Sums over steps, units and samples round once per term, each in an order of its own."""
    there = np.asarray(there)
    assert here.dtype == there.dtype
    assert here.shape == there.shape
    terms = N * STEPS * UNITS
    bound = terms * np.finfo(there.dtype).eps * np.abs(there).max(initial=1.0)
    assert np.abs(here - there).max(initial=0.0) <= bound


def assert_same(here, there, x, mask=None, states=None, training=False):
    """Values, states and gradients are Keras's; the backward is pure."""
    arguments = {"mask": mask, "initial_state": states, "training": training}
    y, backward = here.forward(x, **arguments)
    inputs = [tf.constant(array) for array in (x, *(states or []))]
    arguments["initial_state"] = inputs[1:] or None
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        expected = as_list(there(inputs[0], **arguments))
    dys = [normal(*y.shape, dtype=x.dtype.name) for y in expected]
    gradients = tape.gradient(expected, [*inputs, *there.trainable_weights], dys)
    for given, right in zip(as_list(y), expected, strict=True):
        assert_within_rounding(given, right)
    dx, dweights = backward(dys if isinstance(y, list) else dys[0])
    for given, right in zip([*as_list(dx), *dweights], gradients, strict=True):
        assert_within_rounding(given, right)
    again = backward(dys if isinstance(y, list) else dys[0])[1]
    assert all(map(np.array_equal, dweights, again))


@each_dtype
@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
@each_layer
def test_values_states_and_gradients_are_keras_s(layer, outputs, dtype):
    here, there = pair(layer, dtype, **outputs)
    assert_same(here, there, normal(N, STEPS, INPUTS, dtype=dtype))


@each_dtype
@pytest.mark.parametrize("outputs", OUTPUTS, ids=str)
@each_layer
def test_a_masked_step_keeps_the_states(layer, outputs, dtype):
    here, there = pair(layer, dtype, **outputs)
    states = [normal(N, UNITS, dtype=dtype) for _ in range(here.number_of_states)]
    assert_same(here, there, normal(N, STEPS, INPUTS, dtype=dtype), MASK, states)
    assert_same(here, there, normal(N, STEPS, INPUTS, dtype=dtype), ~MASK)


@each_layer
def test_what_a_masked_step_is_given_reaches_nothing(layer):
    here, _ = pair(layer, return_sequences=True)
    x = normal(N, STEPS, INPUTS)
    other = np.where(MASK[..., np.newaxis], x, 7.0)
    y, backward = here.forward(x, mask=MASK)
    np.testing.assert_array_equal(here(other, mask=MASK), y)
    assert not backward(np.ones_like(y))[0][~MASK].any()


@each_dtype
@pytest.mark.parametrize("dropouts", [(0.4, 0.0), (0.4, 0.3)])
@each_layer
def test_dropouts_are_keras_s_batch_after_batch(layer, dropouts, dtype):
    settings = {"dropout": dropouts[0], "recurrent_dropout": dropouts[1], "seed": 3}
    here, there = pair(layer, dtype, return_sequences=True, **settings)
    for training in (False, True):  # inference draws too, and drops nothing
        assert_same(here, there, normal(N, STEPS, INPUTS, dtype=dtype), training=training)


@pytest.mark.parametrize("layer", ["SimpleRNN", "LSTM", "GRU"])
def test_dropout_is_the_same_at_every_step(layer):
    here, _ = pair(layer, dropout=0.5, seed=1, return_sequences=True)
    x = np.ones((N, STEPS, INPUTS))
    dx, _ = here.forward(x, training=True)[1](np.ones((N, STEPS, UNITS)))
    dropped = dx == 0
    assert 0 < dropped.mean() < 1
    assert (dropped == dropped[:, :1]).all()


@each_dtype
@each_layer
def test_the_same_seed_gives_keras_s_weights(layer, dtype):
    name, fixed = LAYERS[layer]
    drawn, after = [], []
    for side in (scratch, reference):
        side.random.set_random_seed(42)
        made = getattr(side.recurrent, name)(UNITS, **fixed)
        after.append(python_random.random())
        made.build((None, STEPS, INPUTS))
        drawn.append([np.asarray(weight) for weight in made.weights])
    kernel, recurrent, *bias = zip(*drawn, strict=True)
    assert after[0] == after[1]
    np.testing.assert_array_equal(*kernel)
    assert_within_rounding(*recurrent)  # orthogonal: another QR factorisation
    for here, there in bias:
        np.testing.assert_array_equal(here, there)


@each_layer
def test_unseeded_layers_draw_their_dropout_in_keras_s_order(layer):
    name, fixed = LAYERS[layer]
    settings = {"dropout": 0.5, "recurrent_initializer": "glorot_uniform", **fixed}
    y = []
    for side in (scratch, reference):
        side.random.set_random_seed(7)
        made = getattr(side.recurrent, name)(UNITS, **settings)
        y.append(np.asarray(made(np.ones((N, STEPS, INPUTS)), training=True)))
    assert_within_rounding(*y)


@each_layer
def test_weights_have_keras_s_names_and_can_be_exchanged(layer):
    here, there = pair(layer)
    names = [weight.name for weight in there.weights]
    assert here.weight_paths() == [f"{here.name}/{name}" for name in names]
    here.set_weights([2 * weight for weight in there.get_weights()])
    there.set_weights(here.get_weights())
    assert_same(here, there, normal(N, STEPS, INPUTS))


@each_layer
def test_penalties_and_constraints_are_keras_s(layer):
    name, fixed = LAYERS[layer]
    held = {f"{weight}_regularizer": "l2" for weight in ("kernel", "recurrent", "bias")}
    held |= {f"{weight}_constraint": "non_neg" for weight in ("kernel", "recurrent", "bias")}
    x, y = normal(N, STEPS, INPUTS), normal(N, UNITS)
    trained = []
    for side in (scratch, reference):
        side.random.set_random_seed(5)
        made = getattr(side.recurrent, name)(
            UNITS, recurrent_initializer="glorot_uniform", **fixed, **held
        )
        network = side.network.Sequential([side.network.Input((STEPS, INPUTS)), made])
        network.compile("sgd", "mean_squared_error")
        losses = [network.train_on_batch(x, y) for _ in range(3)]
        trained.append([np.array(losses), *network.get_weights()])
    for here, there in zip(*trained, strict=True):
        assert_within_rounding(here, there)


@each_layer
def test_output_shapes_are_keras_s(layer):
    for outputs in OUTPUTS:
        here, there = pair(layer, **outputs)
        shapes = [list(s.compute_output_shape((None, STEPS, INPUTS))) for s in (here, there)]
        assert shapes[0] == shapes[1]


@each_layer
def test_a_first_layer_is_spared_its_dx_and_a_frozen_one_its_gradients(layer):
    here, _ = pair(layer)
    y, backward = here.forward(normal(N, STEPS, INPUTS))
    dx, gradients = backward(np.ones_like(y), needs_dx=False)
    assert dx is None
    assert all(map(np.array_equal, gradients, backward(np.ones_like(y))[1]))
    here.trainable = False
    _, backward = here.forward(normal(N, STEPS, INPUTS))
    assert backward(np.ones_like(y))[1] == []


@each_layer
def test_what_is_left_out_is_refused_by_name(layer):
    name, _ = LAYERS[layer]
    for left_out in ("stateful", "unroll", "use_cudnn", "zero_output_for_mask", "implementation"):
        with pytest.raises(TypeError, match=left_out):
            getattr(scratch.recurrent, name)(UNITS, **{left_out: True})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"units": 0}, "units is a positive integer, not 0"),
        ({"dropout": 1.0}, "dropout lies below 1"),
        ({"recurrent_dropout": -0.1}, "recurrent_dropout lies between 0 and 1, not at -0.1"),
    ],
)
@each_layer
def test_settings_out_of_range_are_refused(layer, settings, message):
    with pytest.raises(ValueError, match=message):
        pair(layer, **settings)


@each_layer
def test_inputs_of_other_shapes_are_refused(layer):
    here, _ = pair(layer)
    x = normal(N, STEPS, INPUTS)
    for wrong in (x[0], x[:, :0], x[:, :, 1:]):
        with pytest.raises(ValueError, match=r"expects \(n, steps, 3\), not"):
            here(wrong)
    with pytest.raises(ValueError, match=r"a mask of \(4, 4\), not \(4, 3\)"):
        here(x, mask=np.ones((N, 3)))
    count = here.number_of_states
    with pytest.raises(ValueError, match=rf"takes {count} initial states of \(4, 5\), not \(5,\)"):
        here(x, initial_state=normal(UNITS))


def test_one_state_may_be_given_without_a_list():
    here, _ = pair("SimpleRNN")
    x, h = normal(N, STEPS, INPUTS), normal(N, UNITS)
    np.testing.assert_array_equal(here(x, initial_state=h), here(x, initial_state=[h]))


@each_layer
def test_steps_without_features_leave_the_states_to_themselves(layer):
    name, fixed = LAYERS[layer]
    x = np.ones((N, STEPS, 0))
    layers = [getattr(side.recurrent, name)(UNITS, **fixed) for side in (scratch, reference)]
    for each in layers:
        each.build(x.shape)
    here, there = layers
    there.set_weights([normal(*weight.shape) for weight in there.get_weights()])
    here.set_weights(there.get_weights())
    assert_same(here, there, x)


def test_two_steps_by_hand():
    layer = scratch.recurrent.SimpleRNN(1, activation=None, dtype="float64")
    layer.ensure_built((None, 2, 1))
    layer.set_weights([[[2.0]], [[3.0]], [5.0]])
    y, backward = layer.forward(np.array([[[1.0], [10.0]]]))
    assert y == 3 * (2 * 1 + 5) + 2 * 10 + 5
    dx, (dkernel, drecurrent, dbias) = backward(np.array([[1.0]]))
    assert dx.tolist() == [[[3 * 2], [2]]]
    assert dkernel == 3 * 1 + 10
    assert drecurrent == 2 * 1 + 5
    assert dbias == 3 + 1


def test_an_lstm_starts_with_its_forget_gate_open():
    layer = scratch.recurrent.LSTM(2)
    layer.ensure_built((None, STEPS, INPUTS))
    assert layer.bias.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]
    layer = scratch.recurrent.LSTM(2, unit_forget_bias=False)
    layer.ensure_built((None, STEPS, INPUTS))
    assert layer.bias.tolist() == [0] * 8


@each_dtype
@pytest.mark.parametrize("masked", [False, True])
def test_scan_is_its_twin(masked, dtype):
    def here(x, h, c):
        y, backward = scratch.activations.tanh(x * c + h @ kernel)

        def back(dy, dc, needs_dx):
            dz = backward(dy)
            return dz * c if needs_dx else None, [dz @ kernel.T, dz * x + dc], h.T @ dz

        return [y, c], back

    xs, h, c = normal(4, 3, 6, dtype=dtype), normal(3, 6, dtype=dtype), normal(3, 6, dtype=dtype)
    kernel = normal(6, 6, dtype=dtype)
    mask = RNG.integers(0, 2, (4, 3)).astype(bool) if masked else None
    (hs, *last), backward = scratch.recurrent.scan(here, xs, [h, c], mask)
    inputs = [tf.constant(array) for array in (xs, h, c, kernel)]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        xs_, h_, c_, kernel_ = inputs
        there = lambda x, h, c: [tf.tanh(x * c + h @ kernel_), c]  # noqa: E731
        hs_, *last_ = reference.recurrent.scan(there, tf.unstack(xs_), [h_, c_], mask)
        expected = [tf.stack(hs_), *last_]
    dys = [normal(*y.shape, dtype=dtype) for y in expected]
    dxs, dstates, dkernel = backward(dys)
    given = [hs, *last, dxs, *dstates, dkernel]
    for mine, right in zip(given, [*expected, *tape.gradient(expected, inputs, dys)], strict=True):
        assert_within_rounding(np.asarray(mine), right)
    dxs, *rest = backward(dys, needs_dx=False)
    assert dxs == [None] * 4
    for mine, again in zip([*rest[0], rest[1]], [*dstates, dkernel], strict=True):
        np.testing.assert_array_equal(mine, again)


def both_directions(name, merge_mode="concat", dtype="float64", **settings):
    """Both sides' Bidirectional around a layer, with the same random weights."""
    sides = []
    for side in (scratch, reference):
        inner = getattr(side.recurrent, name)(UNITS, **settings)
        sides.append(side.recurrent.Bidirectional(inner, merge_mode))
    here, there = sides
    here.ensure_built((None, STEPS, INPUTS))
    there.build((None, STEPS, INPUTS))
    weights = [normal(*w.shape, dtype=dtype) / 2 for w in there.trainable_weights]
    here.set_weights(weights)
    there.set_weights(weights)
    return here, there


@each_dtype
@pytest.mark.parametrize("outputs", OUTPUTS[:2], ids=str)
@pytest.mark.parametrize("merge_mode", ["concat", "sum", "mul", "ave", None])
@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_both_directions_are_keras_s(name, merge_mode, outputs, dtype):
    here, there = both_directions(name, merge_mode, dtype, **outputs)
    shapes = [np.shape(each) for each in as_list(here(normal(N, STEPS, INPUTS, dtype=dtype)))]
    expected = here.compute_output_shape((N, STEPS, INPUTS))
    assert shapes == (expected if isinstance(expected, list) else [expected])
    assert_same(here, there, normal(N, STEPS, INPUTS, dtype=dtype))


@pytest.mark.parametrize("outputs", OUTPUTS[:2], ids=str)
@pytest.mark.parametrize("merge_mode", ["concat", None])
@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM"])
def test_both_directions_take_masks_and_states(name, merge_mode, outputs):
    here, there = both_directions(name, merge_mode, **outputs)
    states = [normal(N, UNITS) for _ in range(here.number_of_states)]
    assert_same(here, there, normal(N, STEPS, INPUTS), MASK, states)
    assert_same(here, there, normal(N, STEPS, INPUTS), ~MASK)


def test_a_bidirectional_lstm_draws_nine_seeds_and_keras_s_weights():
    drawn, after = [], []
    for side in (scratch, reference):
        side.random.set_random_seed(42)
        lstm = side.recurrent.LSTM(UNITS, recurrent_initializer="glorot_uniform", dropout=0.5)
        made = side.recurrent.Bidirectional(lstm)
        after.append(python_random.random())
        made.build((None, STEPS, INPUTS))
        y = made(np.ones((N, STEPS, INPUTS)), training=True)
        drawn.append([*(np.asarray(weight) for weight in made.weights), np.asarray(y)])
    assert after[0] == after[1]
    *weights, outputs = zip(*drawn, strict=True)
    assert len(weights) == 6
    for here, there in weights:
        np.testing.assert_array_equal(here, there)
    assert_within_rounding(*outputs)


def test_an_initializer_given_as_an_object_draws_anew_for_either_direction():
    given = scratch.initializers.GlorotUniform()
    layer = scratch.recurrent.Bidirectional(scratch.recurrent.GRU(2, kernel_initializer=given))
    layer.ensure_built((None, STEPS, INPUTS))
    assert (layer.forward_layer.kernel != layer.backward_layer.kernel).any()
    given = scratch.initializers.GlorotUniform(seed=1)
    layer = scratch.recurrent.Bidirectional(scratch.recurrent.GRU(2, kernel_initializer=given))
    layer.ensure_built((None, STEPS, INPUTS))
    assert (layer.forward_layer.kernel == layer.backward_layer.kernel).all()


def test_the_layer_that_goes_backwards_may_be_another():
    sides = []
    for side in (scratch, reference):
        side.random.set_random_seed(3)
        glorot = {"recurrent_initializer": "glorot_uniform", "return_sequences": True}
        ahead = side.recurrent.GRU(UNITS, **glorot)
        back = side.recurrent.LSTM(2, go_backwards=True, **glorot)
        sides.append(side.recurrent.Bidirectional(ahead, backward_layer=back))
        sides[-1].build((None, STEPS, INPUTS))
    assert_same(*sides, normal(N, STEPS, INPUTS))


def test_a_direction_can_be_frozen():
    here, _ = both_directions("LSTM")
    here.backward_layer.trainable = False
    y, backward = here.forward(normal(N, STEPS, INPUTS))
    shapes = [gradient.shape for gradient in backward(np.ones_like(y))[1]]
    assert shapes == [weight.shape for weight in here.forward_layer.weights]
    assert backward(np.ones_like(y), needs_dx=False)[0] is None


def test_layers_of_different_units_are_joined_as_in_keras():
    for side in (scratch, reference):
        back = side.recurrent.LSTM(2, go_backwards=True)
        layer = side.recurrent.Bidirectional(side.recurrent.LSTM(UNITS), backward_layer=back)
        assert layer(normal(N, STEPS, INPUTS)).shape == (N, UNITS + 2)
        shape = layer.compute_output_shape((None, STEPS, INPUTS))
        assert shape == (None, UNITS + 2 if side is scratch else 2 * UNITS)  # Keras is wrong there


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_copies_keep_a_seed_where_keras_s_do(name):
    """Keras's SimpleRNN leaves the seed out of its configuration, so that each copy draws one."""
    after, outputs = [], []
    for side in (scratch, reference):
        side.random.set_random_seed(5)
        settings = {"recurrent_initializer": "glorot_uniform", "dropout": 0.5, "seed": 1}
        made = side.recurrent.Bidirectional(getattr(side.recurrent, name)(UNITS, **settings))
        after.append(python_random.random())
        outputs.append(np.asarray(made(np.ones((N, STEPS, INPUTS)), training=True)))
    assert after[0] == after[1]
    assert_within_rounding(*outputs)


def test_layers_that_do_not_go_together_are_refused():
    make = scratch.recurrent.LSTM
    refused = [
        ({"layer": "lstm"}, "takes a SimpleRNN, LSTM or GRU, not 'lstm'"),
        ({"layer": make(2), "merge_mode": "max"}, "concat, sum, mul, ave or None, not 'max'"),
        ({"layer": make(2, go_backwards=True)}, "one of the two layers goes backwards"),
        ({"layer": make(2), "backward_layer": make(2)}, "one of the two layers goes backwards"),
        (
            {
                "layer": make(2, return_state=True),
                "backward_layer": make(2, go_backwards=True),
            },
            "both layers have the same return_state, not True and False",
        ),
        (
            {
                "layer": make(2),
                "backward_layer": make(3, go_backwards=True),
                "merge_mode": "sum",
            },
            "both layers have the same units, not 2 and 3",
        ),
    ]
    for settings, message in refused:
        with pytest.raises(ValueError, match=message):
            scratch.recurrent.Bidirectional(**settings)
    with pytest.raises(TypeError, match="weights"):
        scratch.recurrent.Bidirectional(make(2), weights=[])
