"""scratch.schedules against Keras: the same float32 learning rates, step by step."""

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from comparisons.precision import floatx
from reference import optimizers as keras_optimizers
from reference import schedules as keras_schedules
from scratch import optimizers, schedules

DECAY = {"initial_learning_rate": 0.37, "decay_steps": 7}
RATE = DECAY | {"decay_rate": 0.83}
RESTARTS = {"initial_learning_rate": 0.1, "first_decay_steps": 9}
CASES = [
    ("ExponentialDecay", RATE),
    ("ExponentialDecay", RATE | {"staircase": True}),
    ("InverseTimeDecay", RATE),
    ("InverseTimeDecay", RATE | {"staircase": True}),
    ("PolynomialDecay", DECAY),
    ("PolynomialDecay", DECAY | {"end_learning_rate": 0.03, "power": 0.7}),
    ("PolynomialDecay", DECAY | {"end_learning_rate": 0.5, "power": 2, "cycle": True}),
    ("PiecewiseConstantDecay", {"boundaries": [3, 4, 40], "values": [1.0, 0.7, 0.1, 0.3]}),
    ("PiecewiseConstantDecay", {"boundaries": [7], "values": [0.1, 0.0]}),
    ("CosineDecay", DECAY | {"decay_steps": 60}),
    ("CosineDecay", DECAY | {"alpha": 0.3, "warmup_steps": 20}),
    ("CosineDecay", DECAY | {"alpha": 0.1, "warmup_steps": 20, "warmup_target": 0.9}),
    ("CosineDecay", DECAY | {"warmup_target": 0.9}),
    ("CosineDecayRestarts", RESTARTS),
    ("CosineDecayRestarts", RESTARTS | {"t_mul": 1.0, "m_mul": 0.7, "alpha": 0.3}),
    ("CosineDecayRestarts", RESTARTS | {"t_mul": 3.0, "m_mul": 1.1}),
]
IDS = [f"{name}-{'-'.join(arguments)}" for name, arguments in CASES]


def rates(schedule, steps=100):
    return np.array([np.asarray(schedule(step)) for step in range(steps)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "arguments"), CASES, ids=IDS)
def test_rates_are_keras_s_in_float32_whatever_floatx_says(name, arguments, dtype):
    """TensorFlow's cosine is off by up to one unit, which the sum with 1 may round up to two."""
    with floatx(dtype):
        here = rates(getattr(schedules, name)(**arguments))
        there = rates(getattr(keras_schedules, name)(**arguments))
    assert here.dtype == there.dtype == np.float32
    bound = 2 * np.finfo("float32").eps * there.max() if "Cosine" in name else 0
    assert np.abs(here - there).max() <= bound
    assert len(set(here)) > 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "arguments"), [case for case in CASES if "Cosine" not in case[0]][::2]
)
def test_an_optimizer_asks_its_schedule_before_each_step(name, arguments, dtype):
    with floatx(dtype):
        settings = {"weight_decay": 0.1, "momentum": 0.5}
        ours = optimizers.SGD(getattr(schedules, name)(**arguments), **settings)
        theirs = keras_optimizers.SGD(getattr(keras_schedules, name)(**arguments), **settings)
        weight, gradient = np.ones(3, dtype), np.array([0.3, -1.7, 0.0], dtype)
        variable = keras.Variable(weight)
        for _ in range(10):
            ours.apply([gradient], [weight])
            theirs.apply([tf.constant(gradient)], [variable])
        np.testing.assert_array_equal(weight, variable.numpy(), strict=True)
        assert ours.learning_rate == theirs.learning_rate.numpy() != rates(ours._learning_rate)[0]


def test_staircase_takes_whole_steps_down():
    schedule = schedules.ExponentialDecay(1.0, 4, 0.5, staircase=True)
    assert [schedule(step) for step in (0, 3, 4, 7, 8)] == [1, 1, 0.5, 0.5, 0.25]
    assert schedules.ExponentialDecay(1.0, 4, 0.5)(2) == np.float32(0.5) ** np.float32(0.5)


def test_inverse_time_halves_when_the_rate_of_decay_has_reached_one():
    schedule = schedules.InverseTimeDecay(1.0, 4, 0.5)
    assert [schedule(step) for step in (0, 8, 24)] == [1, 0.5, 0.25]


def test_polynomial_stays_at_its_end_or_cycles():
    plain = schedules.PolynomialDecay(1.0, 4, end_learning_rate=0.5)
    assert [plain(step) for step in (0, 2, 4, 100)] == [1, 0.75, 0.5, 0.5]
    cycle = schedules.PolynomialDecay(1.0, 4, end_learning_rate=0.5, cycle=True)
    assert [cycle(step) for step in (0, 2, 4, 6, 8)] == [1, 0.75, 0.5, 0.625, 0.5]


def test_a_boundary_still_has_the_value_before_it():
    schedule = schedules.PiecewiseConstantDecay([2, 5], [1.0, 0.5, 0.25])
    assert [schedule(step) for step in (0, 2, 3, 5, 6)] == [1, 1, 0.5, 0.5, 0.25]


def test_boundaries_are_cast_to_the_dtype_of_the_step():
    ours = schedules.PiecewiseConstantDecay([2.75], [1.0, 0.5])
    theirs = keras_schedules.PiecewiseConstantDecay([2.75], [1.0, 0.5])
    assert ours(2) == theirs(2) == 1
    assert ours(2.5) == theirs(2.5) == 1
    assert ours(3) == theirs(3) == 0.5
    late = schedules.PiecewiseConstantDecay([-2.75], [1.0, 0.5])
    assert late(-2) == keras_schedules.PiecewiseConstantDecay([-2.75], [1.0, 0.5])(-2) == 1


def test_cosine_starts_from_the_target_after_a_straight_warmup():
    schedule = schedules.CosineDecay(0.0, 4, alpha=0.5, warmup_target=1.0, warmup_steps=8)
    assert [schedule(step) for step in (0, 2, 8, 12, 99)] == [0, 0.25, 1, 0.5, 0.5]


def test_warmup_steps_without_a_target_have_no_effect():
    plain, warm = (schedules.CosineDecay(0.1, 9, warmup_steps=n) for n in (0, 5))
    np.testing.assert_array_equal(rates(plain), rates(warm))


def test_periods_grow_and_their_starts_shrink():
    schedule = schedules.CosineDecayRestarts(1.0, 4, t_mul=2.0, m_mul=0.5)
    assert [schedule(step) for step in (0, 4, 12, 28)] == [1, 0.5, 0.25, 0.125]
    middle = schedule(8)  # of the second period; float32's π / 2 has a cosine of -4e-8
    assert 0 < 0.25 - middle < 4e-8


def test_numpy_s_float64_is_rounded_where_keras_goes_on_in_float64():
    arguments = {"initial_learning_rate": np.float64(0.1), "decay_steps": 9, "decay_rate": 0.5}
    assert schedules.ExponentialDecay(**arguments)(1).dtype == np.float32
    assert keras_schedules.ExponentialDecay(**arguments)(1).dtype == tf.float64


@pytest.mark.parametrize(
    "name", [name for name in dir(keras_schedules) if name.endswith(("Decay", "Restarts"))]
)
def test_constructors_are_keras_s_but_for_the_name(name):
    def parameters(side):
        listed = inspect.signature(getattr(side, name)).parameters.values()
        return [(p.name, p.default) for p in listed if p.name != "name"]

    assert parameters(schedules) == parameters(keras_schedules)


def test_a_schedule_of_ones_own_is_a_formula():
    class Harmonic(schedules.LearningRateSchedule):
        def __call__(self, step):
            return 1 / (step + 1)

    weight = np.zeros(1)
    optimizer = optimizers.SGD(Harmonic())
    for _ in range(2):
        optimizer.apply([np.ones(1)], [weight])
    assert weight == -1.5
    with pytest.raises(NotImplementedError, match="LearningRateSchedule must define"):
        schedules.LearningRateSchedule()(0)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("ExponentialDecay", RATE | {"decay_steps": 0}, "decay_steps is .* above 0, not 0"),
        ("InverseTimeDecay", RATE | {"decay_steps": -3}, "decay_steps is .* above 0, not -3"),
        ("PolynomialDecay", DECAY | {"decay_steps": "7"}, "decay_steps is a number, not '7'"),
        ("CosineDecay", DECAY | {"decay_steps": float("nan")}, "decay_steps is .* not nan"),
        ("CosineDecay", DECAY | {"warmup_target": "high"}, "warmup_target is a number, not 'high'"),
        ("CosineDecayRestarts", RESTARTS | {"first_decay_steps": 0}, "first_decay_steps .* not 0"),
        ("ExponentialDecay", RATE | {"initial_learning_rate": None}, "initial_.* not None"),
        ("ExponentialDecay", RATE | {"decay_rate": [0.9]}, r"decay_rate is .* not \[0.9\]"),
        (
            "PiecewiseConstantDecay",
            {"boundaries": [1, 2], "values": [0.1, 0.2]},
            "one value more than boundaries, not 2 values for 2 boundaries",
        ),
        (
            "PiecewiseConstantDecay",
            {"boundaries": [2, 2], "values": [0.1, 0.2, 0.3]},
            r"boundaries must increase .*, not \[2, 2\]",
        ),
    ],
)
def test_bad_arguments_are_named(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(schedules, name)(**arguments)
