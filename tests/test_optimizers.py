"""scratch.optimizers against Keras, run eagerly: the same weights and slots, bit for bit."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

import reference.config
import scratch.config
from reference import optimizers as keras_optimizers
from scratch import optimizers, schedules

DTYPES = ("float32", "float64")
SHAPES = ((5, 3), ())
SHAPES_OF_ALL_RANKS = ((5, 3), (3, 7), (), (7,), (2, 3, 4))
CASES = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9, "weight_decay": 0.01}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "clipvalue": 0.5}),
    ("SGD", {"use_ema": True, "ema_overwrite_frequency": 3, "gradient_accumulation_steps": 2}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9, "clipvalue": 0.5}),
    ("RMSprop", {"centered": True, "momentum": 0.3, "rho": 0.8, "epsilon": 1e-3}),
    ("RMSprop", {"gradient_accumulation_steps": 3, "use_ema": True, "ema_momentum": 0.8}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.004, "use_ema": True}),
    ("Adam", {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3, "gradient_accumulation_steps": 2}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.3, "amsgrad": True, "clipvalue": 0.5}),
    ("Adamax", {}),
    ("Adamax", {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3, "weight_decay": 0.01}),
    ("Nadam", {}),
    ("Nadam", {"beta_1": 0.8, "beta_2": 0.99, "gradient_accumulation_steps": 3, "use_ema": True}),
    ("ScheduleFreeAdamW", {}),
    ("ScheduleFreeAdamW", {"warmup_steps": 8, "weight_decay": 0.1, "epsilon": 1e-3}),
    ("Lion", {}),
    ("Lion", {"beta_1": 0.7, "beta_2": 0.8, "weight_decay": 0.1, "use_ema": True}),
    ("Adagrad", {}),
    ("Adagrad", {"initial_accumulator_value": 0.7, "epsilon": 1e-3, "clipvalue": 0.5}),
    ("Adadelta", {}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-3, "weight_decay": 0.01}),
    ("Ftrl", {"learning_rate_power": -1.0}),
    ("Ftrl", {"learning_rate_power": 0.0, "learning_rate": 0.1, "beta": 0.5}),
]
IDS = [f"{name}-{'-'.join(arguments)}".rstrip("-") for name, arguments in CASES]
STRENGTHS = {
    "l1_regularization_strength": 0.05,
    "l2_regularization_strength": 0.1,
    "l2_shrinkage_regularization_strength": 0.2,
}
# Those that sum over a weight, or raise it to a power as TensorFlow's vectorised pow does not.
ROUNDED_CASES = [
    ("Ftrl", {}),
    ("Ftrl", {"learning_rate": 0.1, "learning_rate_power": -0.3, "beta": 0.5} | STRENGTHS),
    ("Lamb", {}),
    ("Lamb", {"weight_decay": 0.01, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3}),
    ("Adafactor", {}),
    ("Adafactor", {"learning_rate": 0.1, "clip_threshold": 0.5, "gradient_accumulation_steps": 2}),
    ("Adafactor", {"beta_2_decay": -0.5, "epsilon_1": 1e-3, "epsilon_2": 0.1, "weight_decay": 0.1}),
    ("Adafactor", {"relative_step": False}),
    ("Muon", {}),
    ("Muon", {"nesterov": False, "rms_rate": None, "ns_steps": 3, "weight_decay": None}),
    ("Muon", {"adam_lr_ratio": 0.5, "adam_weight_decay": 0.3, "momentum": 0.5, "use_ema": True}),
    ("Muon", {"adam_weight_decay": None, "adam_beta_1": 0.8, "adam_beta_2": 0.9, "epsilon": 1e-3}),
]
ROUNDED_IDS = [f"{name}-{'-'.join(arguments)}".rstrip("-") for name, arguments in ROUNDED_CASES]
ALL_CASES, ALL_IDS = CASES + ROUNDED_CASES, IDS + ROUNDED_IDS
NAMES = [name for name in optimizers.__all__ if name not in ("Optimizer", "get")]


@pytest.fixture(autouse=True)
def restored_floatx():
    yield
    set_floatx("float32")


def set_floatx(dtype):
    scratch.config.set_floatx(dtype)
    reference.config.set_floatx(dtype)


def draw(dtype, seed, shapes=SHAPES, scale=1.0):
    generator = np.random.default_rng(seed)
    return [np.asarray(scale * generator.standard_normal(shape), dtype) for shape in shapes]


class Pair:
    """The same optimizer on both sides, on copies of the same weights."""

    def __init__(self, name, dtype, weights=None, **arguments):
        self.ours = getattr(optimizers, name)(**arguments)
        self.keras = getattr(keras_optimizers, name)(**arguments)
        self.weights = weights or draw(dtype, 0)
        self.variables = [keras.Variable(weight, dtype=weight.dtype) for weight in self.weights]
        self.ours.build(self.weights)
        self.keras.build(self.variables)

    def apply(self, gradients):
        self.ours.apply(gradients, self.weights)
        self.keras.apply([tf.constant(gradient) for gradient in gradients], self.variables)

    def train(self, steps, dtype, first=0):
        for step in range(first, first + steps):
            self.apply(draw(dtype, [step, 1], scale=10.0 ** (step % 5 - 3)))

    def assert_identical(self):
        ours = [*self.weights, *self.ours.variables]
        theirs = [np.asarray(v) for v in (*self.variables, *self.keras.variables)]
        assert [a.dtype for a in ours] == [a.dtype for a in theirs]
        for here, there in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(here, there, strict=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "arguments"), CASES, ids=IDS)
def test_steps_are_identical(name, arguments, dtype):
    """A hundred of them with the defaults, as comparisons.pairs has for further settings."""
    set_floatx(dtype)
    pair = Pair(name, dtype, **arguments)
    before = [weight.copy() for weight in pair.weights]
    pair.train(12 if arguments else 100, dtype)
    pair.assert_identical()
    for was, now in zip(before, pair.weights, strict=True):
        assert np.all(np.isfinite(now) & (was != now))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "arguments"), ROUNDED_CASES, ids=ROUNDED_IDS)
def test_steps_that_sum_over_a_weight_differ_by_their_rounding(name, arguments, dtype):
    """In all by one rounding of the largest weight for each step taken."""
    set_floatx(dtype)
    pair = Pair(name, dtype, draw(dtype, 0, SHAPES_OF_ALL_RANKS), **arguments)
    start = [weight.copy() for weight in pair.weights]
    steps = 12
    for step in range(steps):
        pair.apply(draw(dtype, [step, 1], SHAPES_OF_ALL_RANKS, scale=10.0 ** (step % 5 - 3)))
    for before, ours, theirs in zip(start, pair.weights, pair.variables, strict=True):
        largest = np.maximum(np.abs(before).max(), np.abs(ours).max())
        assert np.all(np.isfinite(ours) & (ours != before))
        assert np.abs(ours - theirs.numpy()).max() <= steps * np.finfo(dtype).eps * largest
    for ours, theirs in zip(pair.ours.variables, pair.keras.variables, strict=True):
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)


@pytest.mark.parametrize(("floatx", "dtype"), [("float32", "float64"), ("float64", "float32")])
@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "Nadam", "Lion", "Adagrad"])
def test_floatx_decides_the_dtype_of_the_learning_rate(name, floatx, dtype):
    set_floatx(floatx)
    pair = Pair(name, dtype, learning_rate=0.1)
    pair.train(5, dtype)
    pair.assert_identical()
    assert pair.ours.variables[1].dtype == floatx


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "arguments"), CASES, ids=IDS)
def test_state_travels_both_ways_in_the_middle_of_a_run(name, arguments, dtype):
    set_floatx(dtype)
    pair, heirs = Pair(name, dtype, **arguments), Pair(name, dtype, draw(dtype, 1), **arguments)
    pair.train(7, dtype)
    heirs.ours.set_weights([np.asarray(variable) for variable in pair.keras.variables])
    heirs.keras.set_weights(pair.ours.variables)
    for ours, theirs, weight in zip(heirs.weights, heirs.variables, pair.weights, strict=True):
        ours[...] = weight
        theirs.assign(weight)
    for each in (pair, heirs):
        each.train(4, dtype, first=7)
        each.assert_identical()
    for weight, inherited in zip(pair.weights, heirs.weights, strict=True):
        np.testing.assert_array_equal(weight, inherited)


@pytest.mark.parametrize("name", NAMES)
def test_constructors_are_keras_s(name):
    def parameters(side):
        listed = inspect.signature(getattr(side, name)).parameters.values()
        return [(p.name, p.default) for p in listed if p.name != "kwargs"]

    theirs = parameters(keras_optimizers)
    assert parameters(optimizers) == [p for p in theirs if p[0] != "loss_scale_factor"]


def test_an_optimizer_of_ones_own_is_a_formula():
    class SignDescent(optimizers.Optimizer):
        def update_step(self, gradient, weight, learning_rate):
            weight -= learning_rate * np.sign(gradient)

    weight = np.array([1.0, 2.0], np.float32)
    SignDescent(0.5, clipvalue=1.0).apply([np.array([3, -3], np.float32)], [weight])
    np.testing.assert_array_equal(weight, [0.5, 2.5])
    with pytest.raises(NotImplementedError, match="Optimizer has no update_step"):
        optimizers.Optimizer(0.5).apply([weight], [weight])


def updated(optimizer, *gradients, weight=0.0, dtype="float64"):
    """`weight` after these steps, which go on from the slots that earlier calls left."""
    optimizer.build([np.full(1, weight, dtype)])
    (held,) = optimizer._weights
    held[...] = weight
    for gradient in gradients:
        optimizer.apply([np.full(1, gradient, dtype)])
    return held[0]


def test_velocity_holds_the_learning_rate_of_its_time():
    pair = Pair("SGD", "float32", learning_rate=0.5, momentum=0.5)
    pair.train(3, "float32")
    pair.ours.learning_rate = pair.keras.learning_rate = 0.125
    pair.train(3, "float32", first=3)
    pair.assert_identical()
    optimizer = optimizers.SGD(0.5, momentum=0.5)
    assert updated(optimizer, 1.0) == -0.5
    assert optimizer.variables[2] == -0.5  # downhill
    optimizer.learning_rate = 0.125
    textbook = -0.125 * (0.5 * 1 + 1)
    assert updated(optimizer, 1.0) == 0.5 * -0.5 - 0.125 * 1 != textbook


def test_nesterov_looks_ahead_from_the_new_velocity():
    optimizer = optimizers.SGD(0.5, momentum=0.5, nesterov=True)
    assert updated(optimizer, 1.0) == 0.5 * -0.5 - 0.5 * 1


def test_rmsprop_adds_epsilon_inside_the_root():
    moved = updated(optimizers.RMSprop(0.5, rho=0.75, epsilon=2.0), 4.0)
    textbook = -0.5 * 4 / (np.sqrt(0.25 * 16) + 2)
    assert moved == -0.5 * 4 / np.sqrt(0.25 * 16 + 2) != textbook


def test_rmsprop_adds_the_learning_rate_to_its_momentum():
    optimizer = optimizers.RMSprop(0.5, rho=0.0, momentum=0.5, epsilon=0.0)
    updated(optimizer, 1.0)
    optimizer.learning_rate = 0.125
    textbook = -0.125 * (0.5 * 1 + 1)
    assert updated(optimizer, 1.0) == -(0.5 * 0.5 + 0.125) != textbook


def test_adam_adds_epsilon_before_the_bias_is_corrected():
    alpha = 0.5 * np.sqrt(1 - 0.75) / (1 - 0.5)
    moved = updated(optimizers.Adam(0.5, beta_1=0.5, beta_2=0.75, epsilon=1.0), 4.0)
    textbook = -0.5 * 4 / (4 + 1)
    assert moved == -(4 * 0.5) * alpha / (np.sqrt(16 * 0.25) + 1) != textbook


def test_adam_rounds_betas_to_float32_in_its_correction_alone():
    optimizer = optimizers.Adam(0.5, epsilon=0.0)
    moved = updated(optimizer, 1.0)
    assert optimizer.variables[2] == 1 - 0.9
    assert optimizer.variables[3] == 1 - 0.999
    beta_1, beta_2 = np.float64(np.float32(0.9)), np.float64(np.float32(0.999))
    alpha = 0.5 * np.sqrt(1 - beta_2) / (1 - beta_1)
    assert moved == -(1 - 0.9) * alpha / np.sqrt(1 - 0.999)
    assert 6e-6 < 1 + moved / 0.5 < 7e-6


def test_amsgrad_keeps_the_largest_velocity_uncorrected():
    optimizer = optimizers.Adam(beta_2=0.5, amsgrad=True)
    updated(optimizer, 4.0, 0.0)
    velocity, velocity_hat = optimizer.variables[3:]
    assert (velocity, velocity_hat) == (4.0, 8.0)


ROUNDED = {number: np.float64(np.float32(number)) for number in (0.1, 0.9, 0.96, 0.99, 0.999)}


def test_adagrad_starts_from_an_accumulator_and_adds_epsilon_inside_the_root():
    optimizer = optimizers.Adagrad(0.5, initial_accumulator_value=9.0, epsilon=2.0)
    textbook = -0.5 * 4 / (np.sqrt(16) + 2)
    assert updated(optimizer, 4.0) == -0.5 * 4 / np.sqrt(9 + 16 + 2.0) != textbook
    optimizer = optimizers.Adagrad()
    updated(optimizer, 0.0)
    assert optimizer.variables[2] == ROUNDED[0.1] != 0.1


def test_adadelta_moves_by_the_size_of_its_last_moves():
    optimizer = optimizers.Adadelta(1.0, rho=0.5, epsilon=1.0)
    first = -np.sqrt(1.0) * 4 / np.sqrt(0.5 * 16 + 1)
    assert updated(optimizer, 4.0) == first
    second = -np.sqrt(0.5 * first**2 + 1) * 4 / np.sqrt(0.5 * 8 + 0.5 * 16 + 1)
    assert updated(optimizer, 4.0) == second


def test_adamw_decays_by_default_and_cannot_be_told_not_to():
    moved = updated(optimizers.AdamW(0.5, weight_decay=0.25), 0.0, weight=1.0)
    assert moved == 1 - 1 * 0.25 * 0.5
    assert optimizers.AdamW().weight_decay == keras_optimizers.AdamW().weight_decay == 0.004
    for side in (optimizers, keras_optimizers):
        with pytest.raises(ValueError, match="weight_decay"):
            side.AdamW(weight_decay=None)


def test_adamax_divides_by_the_largest_recent_gradient():
    optimizer = optimizers.Adamax(0.5, beta_1=0.5, beta_2=0.75, epsilon=1.0)
    updated(optimizer, 8.0)
    assert updated(optimizer, -2.0) == -0.5 * (4 * 0.5 - 1) / ((1 - 0.25) * (6 + 1))
    moved = updated(optimizers.Adamax(1.0, epsilon=0.0), 1.0)
    assert moved == -(1 - 0.9) / (1 - ROUNDED[0.9]) != -1


def test_nadam_rounds_its_constants_except_in_their_product():
    optimizer = optimizers.Nadam(1.0, epsilon=0.0)
    moved = updated(optimizer, 1.0)
    u_product = optimizer.variables[-1]
    assert u_product == 0.9 * (1 - 0.5 * 0.96)
    beta_1, beta_2, decay = ROUNDED[0.9], ROUNDED[0.999], ROUNDED[0.96]
    u, next_u = beta_1 * (1 - 0.5 * decay), beta_1 * (1 - 0.5 * decay**2)
    ahead = next_u * (1 - beta_1) / (1 - u_product * next_u) + (1 - u) / (1 - u_product)
    assert moved == -ahead / np.sqrt((1 - beta_2) / (1 - beta_2))


def test_lion_moves_by_the_sign_alone_and_rounds_its_betas():
    optimizer = optimizers.Lion(0.5)
    assert updated(optimizer, 1e-3, weight=1.0) == 0.5
    assert optimizer.variables[2] == 1e-3 * (1 - ROUNDED[0.99]) != 1e-3 * (1 - 0.99)
    assert updated(optimizers.Lion(0.5), 0.0, weight=1.0) == 1.0
    for side in (optimizers, keras_optimizers):
        with pytest.raises(ValueError, match="beta_1"):
            side.Lion(beta_1=0.0)


def test_schedule_free_recovers_the_average_with_the_momentum_after_its_step():
    optimizer = optimizers.ScheduleFreeAdamW(1.0, beta_1=0.5, beta_2=0.0, epsilon=0.0)
    first = updated(optimizer, 1.0)
    assert first == optimizer.variables[2] == -1
    second = updated(optimizer, 1.0, weight=first)
    momentum = -1 - 1
    keras_average = ((-1 - 0.5 * momentum) / 0.5 + momentum) / 2
    paper_average = ((-1 - 0.5 * -1) / 0.5 + momentum) / 2
    assert second == 0.5 * momentum + 0.5 * keras_average
    assert second - (0.5 * momentum + 0.5 * paper_average) == 0.5 * 0.5 * 1  # backwards


def test_ftrl_sets_weights_to_zero_where_l1_outweighs_their_gradients():
    optimizer = optimizers.Ftrl(0.5, l1_regularization_strength=3.0, initial_accumulator_value=0.0)
    assert updated(optimizer, 2.0) == 0.0
    assert updated(optimizer, 2.0) == -(4 - 3) * 0.5 / np.sqrt(8)
    optimizer = optimizers.Ftrl()
    updated(optimizer, 0.0)
    assert optimizer.variables[2] == ROUNDED[0.1]


def test_lamb_moves_by_a_share_of_the_weight_s_length():
    optimizer = optimizers.Lamb(0.5, beta_1=0.0, beta_2=0.0, epsilon=0.0)
    weight = np.array([3.0, 4.0])
    optimizer.apply([np.array([2.0, -7.0])], [weight])
    np.testing.assert_array_equal(weight, [3 - 5 / np.sqrt(2) * 0.5, 4 + 5 / np.sqrt(2) * 0.5])


def test_lamb_takes_the_ratio_for_one_where_a_norm_is_zero():
    for start, gradient in ((0.0, 1.0), (1.0, 0.0)):
        pair = Pair("Lamb", "float32", [np.full(2, start, np.float32)], learning_rate=0.5)
        pair.apply([np.full(2, gradient, np.float32)])
        pair.assert_identical()


def test_lamb_decays_before_its_ratio_and_not_in_it():
    plain = updated(optimizers.Lamb(0.5), 1.0, weight=1 - 0.5 * 0.5)
    assert updated(optimizers.Lamb(0.5, weight_decay=0.5), 1.0, weight=1.0) == plain


@pytest.mark.parametrize("side", [optimizers, keras_optimizers])
def test_relative_step_changes_nothing_in_adafactor(side):
    moved = []
    for relative_step in (True, False):
        optimizer = side.Adafactor(3.0, relative_step=relative_step)
        weight = np.ones(3, np.float32)
        variable = keras.Variable(weight) if side is keras_optimizers else weight
        for gradient in (1.0, 2.0):
            optimizer.apply([tf.fill([3], gradient)], [variable])
        moved.append(np.asarray(variable))
    np.testing.assert_array_equal(*moved)


def test_adafactor_limits_its_rate_and_its_update():
    optimizer = optimizers.Adafactor(3.0, epsilon_1=0.0, epsilon_2=0.5, clip_threshold=0.25)
    assert updated(optimizer, 4.0, weight=0.0) == -0.5 * 1 * 0.25  # 1 is 1 / √t at the first step
    assert updated(optimizers.Adafactor(0.5, epsilon_2=0.1), 4.0) == -ROUNDED[0.1] * 0.5


def test_adafactor_makes_a_velocity_of_rows_and_columns():
    weight, gradient = np.ones((2, 3)), np.array([[1.0, 2, 3], [4, 5, 6]])
    optimizer = optimizers.Adafactor(epsilon_1=0.0)
    optimizer.apply([gradient], [weight])
    rows, columns, velocity = optimizer.variables[2:]
    np.testing.assert_array_equal(rows, (gradient**2).mean(axis=1))
    np.testing.assert_array_equal(columns, (gradient**2).mean(axis=0))
    np.testing.assert_allclose(velocity, np.outer(rows, columns) / rows.mean(), rtol=1e-15)


def test_muon_brings_all_singular_values_near_one():
    weight, gradient = np.zeros((7, 5)), np.random.default_rng(0).standard_normal((7, 5))
    optimizers.Muon(1.0, rms_rate=None).apply([gradient], [weight])
    left, sizes, right = np.linalg.svd(weight)
    theirs = np.linalg.svd(gradient)
    assert (
        0.6 < sizes.min() < sizes.max() < 1.3
    )  # the range of the polynomial, in the authors' words
    np.testing.assert_allclose(
        left[:, :5] @ right, -theirs[0][:, :5] @ theirs[2], rtol=0, atol=1e-13
    )
    scaled = np.zeros((7, 5))
    optimizers.Muon(1.0, rms_rate=0.25).apply([gradient], [scaled])
    np.testing.assert_allclose(scaled, weight * np.sqrt(7) * 0.25, rtol=1e-15)


PATHS = ["token_embedding/embeddings", "dense/kernel", "dense_1/kernel", "dense_1/bias"]


@pytest.mark.parametrize(
    ("arguments", "by_adam"),
    [
        ({}, [0, 3]),
        ({"exclude_embeddings": False}, [3]),
        ({"exclude_layers": ["dense_1", "^none$"]}, [0, 2, 3]),
        ({"exclude_layers": ["dense.*/kernel"], "exclude_embeddings": False}, [1, 2, 3]),
    ],
)
def test_muon_leaves_what_is_excluded_to_adam(arguments, by_adam):
    weights = draw("float32", 0, [(5, 3), (5, 3), (5, 3), (3,)])
    ours, theirs = optimizers.Muon(**arguments), keras_optimizers.Muon(**arguments)
    ours.build(weights, PATHS)
    variables = []
    for path, weight in zip(PATHS, weights, strict=True):
        with keras.src.backend.name_scope(path.split("/")[0]):
            variables.append(keras.Variable(weight, name=path.split("/")[1]))
    theirs.build(variables)
    assert [variable.path for variable in variables] == PATHS
    assert [v.shape for v in ours.variables] == [tuple(v.shape) for v in theirs.variables]
    assert [i for i, slots in enumerate(ours._slots) if "velocity" in slots] == by_adam


def test_muon_refuses_layers_by_name_where_weights_have_none():
    with pytest.raises(ValueError, match=r"exclude_layers needs .*: build\(weights, paths\)"):
        optimizers.Muon(exclude_layers=["dense"]).apply([ONES], [ONES.copy()])


class Halve:
    """A constraint on either side."""

    def __call__(self, w):
        return 0.5 * w


def test_constraints_are_applied_after_the_update_and_its_average():
    arguments = {"learning_rate": 0.25, "use_ema": True, "gradient_accumulation_steps": 2}
    pair = Pair("SGD", "float32", **arguments)
    pair.variables[0].constraint = Halve()
    for step in range(5):
        gradients = draw("float32", [step, 3])
        pair.ours.apply(gradients, pair.weights, [Halve(), None])
        pair.keras.apply([tf.constant(gradient) for gradient in gradients], pair.variables)
    pair.assert_identical()
    with pytest.raises(ValueError, match="1 constraints for 2 weights"):
        pair.ours.apply(draw("float32", 1), pair.weights, [None])


def test_momentum_passes_through_float32_and_rho_does_not():
    optimizer = optimizers.SGD(1.0, momentum=0.9)
    updated(optimizer, 1.0, 0.0)
    assert optimizer.variables[2] == -np.float64(np.float32(0.9)) != -0.9
    optimizer = optimizers.SGD(1.0, momentum=np.float64(0.9))
    updated(optimizer, 1.0, 0.0)
    assert optimizer.variables[2] == -0.9
    optimizer = optimizers.RMSprop(rho=0.9)
    updated(optimizer, 1.0)
    assert optimizer.variables[2] == 1 - 0.9


def test_weight_decay_is_decoupled_and_passes_through_float32():
    set_floatx("float64")
    moved = updated(optimizers.SGD(0.1, weight_decay=0.3), 2.0, weight=5.0)
    decayed = 5.0 - 5.0 * np.float64(np.float32(0.3)) * 0.1
    assert moved == decayed - 0.1 * 2.0
    textbook = 1 - 0.5 * np.sign(2.0 + 0.5 * 1)  # as a part of the gradient
    optimizer = optimizers.RMSprop(0.5, rho=0.0, epsilon=0.0, weight_decay=0.5)
    assert updated(optimizer, 2.0, weight=1.0) == 1 - 1 * 0.5 * 0.5 - 0.5 != textbook


def test_average_starts_from_the_first_weights():
    optimizer = optimizers.SGD(0.5, use_ema=True, ema_momentum=0.75)
    weight = updated(optimizer, 1.0)
    textbook = 0.25 * weight
    assert optimizer.variables[2] == weight != textbook


def test_average_subtracts_its_momentum_from_one_in_the_dtype_of_the_weight():
    optimizer = optimizers.SGD(0.0, use_ema=True)
    updated(optimizer, 0.0, dtype="float32")
    updated(optimizer, 0.0, weight=1.0, dtype="float32")
    textbook = np.float32(1 - 0.99)
    assert optimizer.variables[2] == 1 - np.float32(0.99) != textbook


def test_the_average_takes_the_place_of_the_weights_at_the_end():
    pair = Pair("SGD", "float32", use_ema=True)
    pair.train(3, "float32")
    pair.ours.finalize_variable_values(pair.weights)
    pair.keras.finalize_variable_values(pair.variables)
    pair.assert_identical()
    np.testing.assert_array_equal(pair.weights[0], pair.ours.variables[2])
    plain = Pair("SGD", "float32")
    plain.ours.finalize_variable_values(plain.weights)
    plain.assert_identical()


def test_subnormal_numbers_count_which_tensorflow_takes_for_zero():
    gradient = np.full(1, 1e-40, np.float32)
    pair = Pair("SGD", "float32", [np.zeros(1, np.float32)], learning_rate=1.0)
    pair.apply([gradient])
    assert pair.weights[0] == -gradient
    assert np.asarray(pair.variables[0]) == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("clip", ["clipnorm", "global_clipnorm"])
def test_clipping_by_norm_is_keras_s_up_to_the_order_of_the_sum(clip, dtype):
    """The norm sums 16 squares in another order: each side is off by at most 16 roundings.

    So no clipped number is off by more than 2 * 16 roundings of clipnorm, and the sum of a step
    with a weight adds one of the weight. All steps are taken from the same weights.
    """
    set_floatx(dtype)
    pair = Pair("SGD", dtype, learning_rate=0.5, **{clip: 1.5})
    for step in range(20):
        gradients = draw(dtype, [step, 2])
        assert np.linalg.norm(gradients[0]) > 1.5
        pair.apply(gradients)
        for ours, theirs in zip(pair.weights, pair.variables, strict=True):
            bound = np.finfo(dtype).eps * (32 * 0.5 * 1.5 + np.abs(ours))
            assert np.all(np.abs(ours - theirs.numpy()) <= bound)
            theirs.assign(ours)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("clip", ["clipnorm", "global_clipnorm"])
def test_a_gradient_shorter_than_the_limit_is_rounded_all_the_same(clip, dtype):
    set_floatx(dtype)
    pair = Pair("SGD", dtype, [np.zeros(99, dtype)], learning_rate=1.0, **{clip: 107.0})
    (gradient,) = draw(dtype, 9, [99])
    pair.apply([gradient])
    pair.assert_identical()
    assert np.any(pair.weights[0] != -gradient)


INFINITE, NOT_A_NUMBER = float("inf"), float("nan")


@pytest.mark.parametrize("clip", ["clipnorm", "global_clipnorm", "clipvalue"])
@pytest.mark.parametrize("value", [0.0, 1.0, 3.0, INFINITE, NOT_A_NUMBER])
@pytest.mark.parametrize("limit", [0.0, 2.0])
def test_zero_infinite_and_nan_gradients_clip_as_in_keras(clip, value, limit):
    gradients = [np.array([value, 0], np.float32), np.array(0, np.float32)]
    weights = [np.ones(2, np.float32), np.ones((), np.float32)]
    pair = Pair("SGD", "float32", weights, learning_rate=0.5, **{clip: limit})
    with np.errstate(invalid="ignore"):
        pair.apply(gradients)
    pair.assert_identical()


class Recorder(schedules.LearningRateSchedule):
    def __init__(self):
        self.steps = []

    def __call__(self, step):
        self.steps.append(step)
        return 0.1 / (step + 1)


class KerasSchedule(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.1 / (tf.cast(step, "float32") + 1)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_function_is_called_without_arguments(dtype):
    set_floatx(dtype)
    pair = Pair("Adam", dtype, learning_rate=lambda: 0.1, weight_decay=0.1)
    pair.train(5, dtype)
    pair.assert_identical()
    assert len(pair.ours.variables) == 1 + 2 * len(SHAPES)


def test_what_a_function_returns_passes_through_float32():
    assert updated(optimizers.SGD(lambda: 0.1), 1.0) == -np.float64(np.float32(0.1)) != -0.1
    assert updated(optimizers.SGD(lambda: np.float64(0.1)), 1.0) == -0.1
    set_floatx("float64")
    assert updated(optimizers.SGD(0.1), 1.0) == -0.1


def test_a_schedule_is_called_with_the_number_of_calls_so_far():
    schedule = Recorder()
    ours = optimizers.SGD(schedule, weight_decay=0.5, gradient_accumulation_steps=2)
    theirs = keras_optimizers.SGD(KerasSchedule(), weight_decay=0.5, gradient_accumulation_steps=2)
    weight = np.ones(3, np.float32)
    variable = keras.Variable(weight)
    for _ in range(6):
        ours.apply([np.ones(3, np.float32)], [weight])
        theirs.apply([tf.ones(3)], [variable])
    assert schedule.steps == [1, 3, 5]
    assert ours.iterations == int(theirs.iterations) == 3
    # one division in float64 and rounded, the other in float32: a rounding per step of at most 0.1
    assert np.all(np.abs(weight - variable.numpy()) <= 3 * 0.1 * 2**-23)


def test_learning_rate_is_read_and_set():
    optimizer = optimizers.SGD(0.1)
    assert optimizer.learning_rate == np.float32(0.1)
    for number in (1, 0.25, np.float32(0.5), np.array(0.125)):
        optimizer.learning_rate = number
        assert optimizer.learning_rate == optimizer.variables[1] == number
    optimizer.learning_rate = lambda: 7.0
    assert optimizer.learning_rate == 7.0
    assert len(optimizer.variables) == 1
    with pytest.raises(TypeError, match="cannot become a number"):
        optimizer.learning_rate = 0.1
    optimizer.learning_rate = Recorder()
    assert optimizer.learning_rate == 0.1


@pytest.mark.parametrize(("name", "arguments"), ALL_CASES, ids=ALL_IDS)
def test_results_do_not_depend_on_the_pieces(name, arguments, monkeypatch):
    def trained():
        optimizer, weights = getattr(optimizers, name)(**arguments), draw("float32", 3)
        for step in range(6):
            optimizer.apply(draw("float32", [step, 4]), weights)
        return [*weights, *optimizer.variables]

    whole = trained()
    monkeypatch.setattr(optimizers.optimizer, "_PIECE", 7)
    for expected, cut in zip(whole, trained(), strict=True):
        np.testing.assert_array_equal(expected, cut, strict=True)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "view",
    [
        lambda rows: np.asfortranarray(rows),
        lambda rows: np.repeat(rows, 2, axis=1)[:, ::2],
        lambda rows: np.flip(np.flip(rows).copy()),
        lambda rows: np.ascontiguousarray(rows.T).T,
    ],
    ids=["fortran", "strided", "flipped", "transposed"],
)
def test_strided_weights_and_gradients_are_updated_in_place(name, view):
    (plain,) = draw("float32", 5, [(4, 3)])
    strided = view(plain.copy())
    optimizer, other = (getattr(optimizers, name)(use_ema=True) for _ in range(2))
    for step in range(3):
        (gradient,) = draw("float32", [step, 6], [(4, 3)])
        optimizer.apply([gradient], [plain])
        other.apply([view(gradient)], [strided])
    np.testing.assert_array_equal(strided, plain)


def test_empty_weights_and_no_gradients_do_nothing():
    optimizer = optimizers.Adam(clipnorm=1.0)
    optimizer.apply([])
    assert optimizer.iterations == 0
    optimizer.apply([np.zeros((0, 3), np.float32)], [np.zeros((0, 3), np.float32)])
    assert optimizer.iterations == 1


@pytest.mark.parametrize(("name", "arguments"), ALL_CASES, ids=ALL_IDS)
def test_gradients_are_left_alone(name, arguments):
    gradients = draw("float32", 7)
    for gradient in gradients:
        gradient.flags.writeable = False
    optimizer, weights = getattr(optimizers, name)(**arguments), draw("float32", 8)
    optimizer.apply(gradients, weights)
    optimizer.apply(gradients)
    for variable in optimizer.variables:
        assert not any(np.may_share_memory(variable, gradient) for gradient in gradients)


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble])
@pytest.mark.parametrize("name", NAMES)
def test_other_floats_keep_their_dtype(name, dtype):
    optimizer, weight = getattr(optimizers, name)(0.5), np.ones(3, dtype)
    optimizer.apply([np.ones(3, dtype)], [weight])
    assert np.all(weight < 1)
    floats = [variable.dtype for variable in optimizer.variables[2:] if variable.dtype.kind == "f"]
    assert set(floats) <= {np.dtype(dtype)}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("SGD", {"learning_rate": 1}),
        ("SGD", {"learning_rate": "fast"}),
        ("SGD", {"learning_rate": NOT_A_NUMBER}),
        ("SGD", {"learning_rate": INFINITE}),
        ("SGD", {"learning_rate": None}),
        ("SGD", {"momentum": 1}),
        ("SGD", {"momentum": 1.5}),
        ("SGD", {"momentum": -0.5}),
        ("SGD", {"momentum": NOT_A_NUMBER}),
        ("SGD", {"weight_decay": -0.1}),
        ("SGD", {"clipnorm": -1.0}),
        ("SGD", {"clipvalue": NOT_A_NUMBER}),
        ("SGD", {"global_clipnorm": "1"}),
        ("SGD", {"ema_momentum": 1.5}),
        ("SGD", {"ema_overwrite_frequency": 0}),
        ("SGD", {"gradient_accumulation_steps": 1}),
        ("SGD", {"gradient_accumulation_steps": 2.5}),
        ("RMSprop", {"rho": 1.5}),
        ("RMSprop", {"momentum": NOT_A_NUMBER}),
        ("RMSprop", {"epsilon": -1e-7}),
        ("Adam", {"beta_1": NOT_A_NUMBER}),
        ("Adam", {"beta_2": [0.9]}),
        ("Adam", {"epsilon": None}),
        ("AdamW", {"weight_decay": -1.0}),
        ("Lion", {"beta_2": 2.0}),
        ("Adagrad", {"initial_accumulator_value": -0.5}),
        ("Adadelta", {"rho": "0.9"}),
        ("Ftrl", {"learning_rate_power": 0.5}),
        ("Ftrl", {"l1_regularization_strength": -0.5}),
        ("Adafactor", {"clip_threshold": NOT_A_NUMBER}),
        ("Muon", {"adam_beta_1": 1.5}),
        ("Muon", {"ns_steps": -1}),
        ("ScheduleFreeAdamW", {"warmup_steps": -5}),
    ],
)
def test_bad_arguments_are_refused_in_a_line_that_names_them(name, arguments):
    ((argument, value),) = arguments.items()
    with pytest.raises(ValueError, match=argument) as error:
        getattr(optimizers, name)(**arguments)
    assert repr(value) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("limits", [(1.0, 2.0, None), (0, None, 0), (None, 1.0, 2.0), (1, 2, 3)])
def test_only_one_clip_argument_is_accepted(limits):
    arguments = dict(zip(("clipnorm", "clipvalue", "global_clipnorm"), limits, strict=True))
    with pytest.raises(ValueError, match="only one of the three can be set, not clipnorm="):
        optimizers.Adam(**arguments)
    with pytest.raises(ValueError, match="Only one of"):
        keras_optimizers.Adam(**arguments)


@pytest.mark.parametrize("argument", ["loss_scale_factor", "decay", "lr"])
def test_unknown_arguments_are_refused_by_name(argument):
    with pytest.raises(TypeError, match=f"'{argument}'"):
        optimizers.SGD(**{argument: 0.1})


ONES = np.ones((2, 3), np.float32)
READ_ONLY = ONES.copy()
READ_ONLY.flags.writeable = False


@pytest.mark.parametrize(
    ("gradients", "weights", "message"),
    [
        ([ONES.T], [ONES], r"gradient 0 is float32 of shape \(3, 2\), expected float32 .*\(2, 3\)"),
        ([ONES.astype("float64")], [ONES], "gradient 0 is float64 .*, expected float32"),
        ([None], [ONES], "gradient 0 is object"),
        ([ONES, ONES], [ONES], "2 gradients and 1 weights"),
        ([ONES], [[[1.0]]], "weight 0 must be an array, not list"),
        ([ONES], [ONES.astype(int)], "weight 0 must hold floats, not int64"),
        ([ONES], [READ_ONLY], "weight 0 is read-only"),
    ],
)
@pytest.mark.parametrize("built", [False, True])
def test_gradients_and_weights_that_do_not_fit_change_nothing(gradients, weights, message, built):
    optimizer, known = optimizers.RMSprop(), [ONES.copy()]
    if built:
        optimizer.build(known)
    before = [np.copy(variable) for variable in optimizer.variables]
    with pytest.raises(ValueError, match=message):
        optimizer.apply(gradients, weights)
    assert optimizer.built == built
    for was, now in zip(before, optimizer.variables, strict=True):
        np.testing.assert_array_equal(was, now)
    np.testing.assert_array_equal(ONES, np.ones((2, 3)))


def test_weights_other_than_those_built_are_refused():
    optimizer = optimizers.RMSprop()
    with pytest.raises(ValueError, match=r"without weights comes after build"):
        optimizer.apply([ONES])
    optimizer.build([ONES.copy()])
    with pytest.raises(ValueError, match=r"weight 0, of shape \(2, 3\), is none of those"):
        optimizer.apply([ONES], [ONES.copy()])
    with pytest.raises(ValueError, match="2 gradients and 1 weights"):
        optimizer.apply([ONES, ONES])


@pytest.mark.parametrize("settings", [{}, {"gradient_accumulation_steps": 2}, {"use_ema": True}])
def test_slots_belong_to_weights_wherever_they_stand(settings):
    """Weights may be left out or change places; with use_ema those left out are averaged too."""
    pair = Pair("SGD", "float32", momentum=0.5, **settings)
    numbers = range(len(pair.weights))
    for places in (numbers, numbers[1:], numbers[::-1], numbers[:2], numbers):
        gradients = [draw("float32", 9)[place] for place in places]
        pair.ours.apply(gradients, [pair.weights[place] for place in places])
        variables = [pair.variables[place] for place in places]
        pair.keras.apply([tf.constant(gradient) for gradient in gradients], variables)
    pair.assert_identical()


def test_building_twice_keeps_the_slots():
    optimizer, weights = optimizers.Adam(), [ONES.copy()]
    optimizer.apply([ONES], weights)
    slots = [variable.copy() for variable in optimizer.variables]
    optimizer.build(weights)
    for was, now in zip(slots, optimizer.variables, strict=True):
        np.testing.assert_array_equal(was, now)


def test_set_weights_wants_the_variables_that_there_are():
    optimizer = optimizers.RMSprop()
    with pytest.raises(ValueError, match="after build"):
        optimizer.set_weights(optimizer.variables)
    optimizer.build([ONES.copy()])
    for wrong in (optimizer.variables[:-1], [*optimizer.variables[:-1], ONES.T]):
        with pytest.raises(ValueError, match=r"expected arrays of shapes .*\(2, 3\)"):
            optimizer.set_weights(wrong)


@pytest.mark.parametrize("name", [*NAMES, "sgd", "schedulefreeadamw"])
def test_get_knows_keras_s_names_and_lamb(name):
    ours = optimizers.get(name)
    assert type(ours).__name__.lower() == name.lower()
    assert ours.learning_rate == np.asarray(
        getattr(keras_optimizers, type(ours).__name__)().learning_rate
    )
    if name == "Lamb":  # keras.optimizers.get has it not
        with pytest.raises(ValueError, match="Could not interpret"):
            keras_optimizers.get(name)
    else:
        assert type(keras_optimizers.get(name)).__name__ == type(ours).__name__


def test_get_passes_optimizers_and_refuses_the_rest():
    optimizer = optimizers.SGD()
    assert optimizers.get(optimizer) is optimizer
    assert optimizers.get(None) is keras_optimizers.get(None) is None
    for wrong in ("sdg", optimizers.SGD, 0.1):
        with pytest.raises(ValueError, match=r"sgd, lion, adagrad, .*, muon, not"):
            optimizers.get(wrong)
