"""scratch.optimizers against Keras, run eagerly: the same weights and slots, bit for bit."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

import reference.config
import scratch.config
from reference import optimizers as keras_optimizers
from scratch import optimizers

DTYPES = ("float32", "float64")
SHAPES = ((5, 3), ())
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
]
IDS = [f"{name}-{'-'.join(arguments)}".rstrip("-") for name, arguments in CASES]


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
def test_a_hundred_steps_are_identical(name, arguments, dtype):
    set_floatx(dtype)
    pair = Pair(name, dtype, **arguments)
    before = [weight.copy() for weight in pair.weights]
    pair.train(100, dtype)
    pair.assert_identical()
    for was, now in zip(before, pair.weights, strict=True):
        assert np.all(np.isfinite(now) & (was != now))


@pytest.mark.parametrize(("floatx", "dtype"), [("float32", "float64"), ("float64", "float32")])
@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam"])
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


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam"])
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
    weight = np.full(1, weight, dtype)
    for gradient in gradients:
        optimizer.apply([np.full(1, gradient, dtype)], [weight])
    return weight[0]


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


class LearningRateSchedule:
    """Stands in for the class of that name in schedules.py, by which schedules are recognised."""

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
    schedule = LearningRateSchedule()
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
    optimizer.learning_rate = LearningRateSchedule()
    assert optimizer.learning_rate == 0.1


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=IDS)
def test_results_do_not_depend_on_the_pieces(name, arguments, monkeypatch):
    def trained():
        optimizer, weights = getattr(optimizers, name)(**arguments), draw("float32", 3)
        for step in range(6):
            optimizer.apply(draw("float32", [step, 4]), weights)
        return [*weights, *optimizer.variables]

    whole = trained()
    monkeypatch.setattr(optimizers, "_PIECE", 7)
    for expected, cut in zip(whole, trained(), strict=True):
        np.testing.assert_array_equal(expected, cut, strict=True)


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam"])
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


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=IDS)
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
@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam"])
def test_other_floats_keep_their_dtype(name, dtype):
    optimizer, weight = getattr(optimizers, name)(0.5), np.ones(3, dtype)
    optimizer.apply([np.ones(3, dtype)], [weight])
    assert np.all(weight < 1)
    assert {variable.dtype for variable in optimizer.variables[2:]} <= {np.dtype(dtype)}


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
    with pytest.raises(ValueError, match="weight 0 is float64"):
        optimizer.apply([ONES], [np.ones((2, 3))])
    with pytest.raises(ValueError, match="2 gradients and 2 weights for an optimizer of 1"):
        optimizer.apply([ONES, ONES], [ONES.copy(), ONES.copy()])


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


@pytest.mark.parametrize("name", ["sgd", "rmsprop", "adam", "RMSprop"])
def test_get_knows_keras_s_names(name):
    ours, theirs = optimizers.get(name), keras_optimizers.get(name)
    assert type(ours).__name__ == type(theirs).__name__
    assert ours.learning_rate == np.asarray(theirs.learning_rate)


def test_get_passes_optimizers_and_refuses_the_rest():
    optimizer = optimizers.SGD()
    assert optimizers.get(optimizer) is optimizer
    assert optimizers.get(None) is keras_optimizers.get(None) is None
    for wrong in ("sdg", optimizers.SGD, 0.1):
        with pytest.raises(ValueError, match="sgd, rmsprop, adam, not"):
            optimizers.get(wrong)
