"""scratch.constraints against Keras: the same weights, where they have to be."""

import inspect

import numpy as np
import pytest

from reference import constraints as keras_constraints
from scratch import constraints

CASES = [
    ("Constraint", {}),
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 0.7, "axis": 1}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": [0, 1]}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 1.7, "max_value": 2.0, "rate": 0.3}),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 0.5, "axis": 1}),
]
NAMES = ["Constraint", "MaxNorm", "NonNeg", "UnitNorm", "MinMaxNorm"]
NORMS = ["MaxNorm", "UnitNorm", "MinMaxNorm"]
W = np.random.default_rng(0).standard_normal((7, 5))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_weights_are_keras_s(name, arguments, dtype):
    """A norm sums up to 35 squares in another order, and its root halves the rounding."""
    w = W.astype(dtype)
    w.flags.writeable = False
    here = getattr(constraints, name)(**arguments)(w)
    there = np.asarray(getattr(keras_constraints, name)(**arguments)(w))
    assert here.dtype == dtype
    np.testing.assert_allclose(here, there, rtol=35 / 2 * np.finfo(dtype).eps)
    assert name == "Constraint" or np.any(here != w)


def test_norms_end_up_within_their_bounds():
    def norms(constraint):
        return np.linalg.norm(constraint(W), axis=0)

    free = np.linalg.norm(W, axis=0)
    assert free.min() < 1.5 < 2.5 < free.max()
    assert norms(constraints.MaxNorm(1.5)).max() <= 1.5
    np.testing.assert_allclose(norms(constraints.UnitNorm()), 1, atol=1.1e-7)
    within = norms(constraints.MinMaxNorm(1.5, 2.5))
    np.testing.assert_allclose(within, np.clip(free, 1.5, 2.5), atol=2.6e-7)
    part = norms(constraints.MinMaxNorm(1.5, 2.5, rate=0.25))
    np.testing.assert_allclose(part, 0.25 * within + 0.75 * free, atol=2.6e-7)


@pytest.mark.parametrize("side", [constraints, keras_constraints])
def test_weights_within_their_bounds_shrink_all_the_same(side):
    w = np.array([[0.5], [0.0]])
    assert np.asarray(side.MaxNorm(1.0)(w))[0, 0] == 0.5 * (0.5 / (0.5 + 1e-7)) < 0.5


@pytest.mark.parametrize("name", NORMS)
def test_zero_stays_zero(name):
    w = np.array([[0.0, 3.0], [0.0, 4.0]], np.float32)
    here = getattr(constraints, name)()(w)
    np.testing.assert_array_equal(here, np.asarray(getattr(keras_constraints, name)()(w)))
    np.testing.assert_array_equal(here[:, 0], [0, 0])


def test_non_neg_cuts_at_zero_and_lets_nan_show():
    w = np.array([-1.0, 0.0, 2.0, np.nan], np.float32)
    np.testing.assert_array_equal(constraints.NonNeg()(w), [0, 0, 2, np.nan])
    np.testing.assert_array_equal(keras_constraints.NonNeg()(w), [0, 0, 2, np.nan])


def test_filters_of_a_convolution_have_a_norm_each():
    w = np.random.default_rng(1).standard_normal((3, 3, 2, 5))
    norms = np.sqrt(np.sum(constraints.UnitNorm(axis=[0, 1, 2])(w) ** 2, axis=(0, 1, 2)))
    np.testing.assert_allclose(norms, np.ones(5), atol=1.1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_keras_s(name):
    def parameters(side):
        listed = inspect.signature(getattr(side, name)).parameters.values()
        return [(p.name, p.default) for p in listed]

    assert parameters(constraints) == parameters(keras_constraints)


@pytest.mark.parametrize("name", [*NAMES, "max_norm", "non_neg", "unit_norm", "min_max_norm"])
def test_get_knows_keras_s_names(name):
    assert type(constraints.get(name)).__name__ == type(keras_constraints.get(name)).__name__


def test_get_takes_classes_instances_and_functions():
    for callable_ in (constraints.MaxNorm(3), np.abs):
        assert constraints.get(callable_) is callable_
    assert constraints.get(None) is None
    assert isinstance(constraints.get(constraints.NonNeg), constraints.NonNeg)
    for wrong in ("maxnorm", 2, ["max_norm"]):
        with pytest.raises(ValueError, match=r"a constraint is one of Constraint, .*, not"):
            constraints.get(wrong)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("MaxNorm", {"max_value": -1}, "max_value is a number from 0, not -1"),
        ("MaxNorm", {"max_value": "2"}, "max_value is a number from 0, not '2'"),
        ("MinMaxNorm", {"min_value": float("nan")}, "min_value is a number from 0, not nan"),
        ("MinMaxNorm", {"min_value": 2, "max_value": 1}, "min_value 2 is above max_value 1"),
        ("MinMaxNorm", {"rate": -0.5}, "rate is a number from 0, not -0.5"),
    ],
)
def test_bad_arguments_are_named(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        getattr(constraints, name)(**arguments)
