"""Regression: one line by equations, descent, scikit-learn and Keras; why none splits moons."""

import keras
import numpy as np
import pytest
from scipy.optimize import linprog
from sklearn.linear_model import LinearRegression, LogisticRegression

from comparisons import datasets
from reference import regression as reference
from scratch import perceptrons
from scratch import regression as scratch
from scratch.dense import Dense
from scratch.network import Input, Sequential

EPS = np.finfo(float).eps
both_sides = pytest.mark.parametrize("side", [scratch, reference])


def line():
    """The notes' line, y = 2.31531 x + 0.23412 with noise, on 100 points."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, (100, 1))
    return x, 2.31531 * x[:, 0] + 0.23412 + 0.1 * rng.standard_normal(100)


def plane():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((100, 3))
    return x, x @ [1.5, -2.0, 0.5] + 0.7 + 0.1 * rng.standard_normal(100)


def solved(side, x, y):
    result = side.normal_equations(x, y)
    return result[0] if side is scratch else result.numpy()


# a line through numbers


@both_sides
def test_without_noise_the_equations_give_the_line_itself(side):
    x, _ = line()
    weights = solved(side, x, 2.31531 * x[:, 0] + 0.23412)
    # sums of 100 products, solved by a matrix of condition 3
    np.testing.assert_allclose(weights, [2.31531, 0.23412], rtol=0, atol=300 * EPS)


@both_sides
def test_the_slope_is_covariance_over_variance(side):
    x, y = line()
    slope, bias = solved(side, x, y)
    covariance = np.cov(x[:, 0], y)
    np.testing.assert_allclose(slope, covariance[0, 1] / covariance[0, 0], rtol=300 * EPS)
    np.testing.assert_allclose(bias, y.mean() - slope * x.mean(), rtol=0, atol=300 * EPS)
    # ten standard errors of 0.1 noise on 100 points
    assert abs(slope - 2.31531) < 10 * 0.1 / np.sqrt(100 / 3)
    assert abs(bias - 0.23412) < 10 * 0.1 / np.sqrt(100)


@both_sides
@pytest.mark.parametrize("data", [line, plane])
def test_equations_descent_and_scikit_learn_find_the_same(side, data):
    x, y = data()
    weights = solved(side, x, y)
    theirs = LinearRegression().fit(x, y)
    np.testing.assert_allclose(weights, [*theirs.coef_, theirs.intercept_], atol=300 * EPS, rtol=0)
    path = np.asarray(side.descend_linear_regression(x, y, learning_rate=0.3, steps=150))
    assert path.shape == (151, x.shape[1] + 1)
    # a step of 0.3 leaves at most 1 - 0.6 * (the least curvature, 1/3) of the distance
    left = 0.81**150 * np.abs(weights).max()
    np.testing.assert_allclose(path[-1], weights, rtol=0, atol=10 * left)


def test_a_dense_layer_of_one_unit_is_linear_regression():
    x, y = line()
    fit = {"x": x, "y": y[:, np.newaxis], "batch_size": 100, "epochs": 40, "verbose": 0}
    here = Sequential([Input((1,)), Dense(1, kernel_initializer="zeros", dtype="float64")])
    there = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros", dtype="float64")]
    )
    expected = scratch.descend_linear_regression(x, y, learning_rate=0.5, steps=40)[-1]
    for network, rule in ((here, "sgd"), (there, keras.optimizers.SGD(0.5))):
        network.compile(rule, "mean_squared_error")
        network.optimizer.learning_rate = 0.5
        network.fit(**fit, shuffle=False)
        kernel, bias = network.get_weights()
        # Keras's losses are float32 here
        np.testing.assert_allclose([kernel[0, 0], bias[0]], expected, rtol=1e-6)


def test_the_equations_leave_residuals_at_right_angles_to_every_input():
    x, y = plane()
    weights = solved(scratch, x, y)
    prediction, _ = scratch.linear_regression(x, weights[:-1], weights[-1])
    assert np.abs(x.T @ (y - prediction)).max() < 100 * 300 * EPS
    assert abs((y - prediction).sum()) < 100 * 300 * EPS


def test_inputs_that_repeat_each_other_are_refused():
    x = np.ones((5, 2))
    with pytest.raises(ValueError, match="Singular matrix"):
        scratch.normal_equations(x, np.arange(5.0))


# a line between classes


def classes(name):
    x, y, *_ = datasets.load(name)
    return x.astype("float64"), y.astype("float64")


def accuracy(x, y, weights):
    decisions, _ = perceptrons.perceptron(x, weights[:-1], weights[-1])
    return (decisions == y).mean()


def is_separable(x, y):
    """Whether some line has all of class 1 on one side: (2 y - 1) * (x @ kernel + bias) >= 1."""
    sides = (2 * y - 1)[:, np.newaxis] * np.column_stack([x, np.ones(len(x))])
    found = linprog(np.zeros(3), A_ub=-sides, b_ub=-np.ones(len(x)), bounds=(None, None))
    return found.status == 0


@both_sides
def test_logistic_regression_on_blobs_and_moons(side):
    """A line has nearly all of either blob on its side; an eighth of the moons reaches across."""
    found = {}
    for name in ("blobs", "moons"):
        x, y = classes(name)
        path = np.asarray(side.descend_logistic_regression(x, y, learning_rate=5.0, steps=300))
        found[name] = accuracy(x, y, path[-1])
        theirs = LogisticRegression(C=np.inf).fit(x, y).score(x, y)
        assert abs(found[name] - theirs) < 0.01
    assert found["blobs"] > 0.99
    assert 0.85 < found["moons"] < 0.9


def test_a_line_separates_blobs_and_none_separates_moons():
    assert is_separable(*classes("blobs"))
    x, y = classes("moons")
    assert not is_separable(x, y)
    pulled_apart = x + 2 * np.column_stack([np.zeros(len(y)), y])
    assert is_separable(pulled_apart, y)


def test_linear_regression_separates_moons_no_better():
    x, y = classes("moons")
    weights = solved(scratch, x, y)
    weights[-1] -= 0.5  # class 1 where the line through the labels is above a half
    assert 0.85 < accuracy(x, y, weights) < 0.9


@both_sides
def test_probabilities_are_a_half_on_the_line_and_grow_away_from_it(side):
    x = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
    result = side.logistic_regression(x, np.array([1.0, 1.0]), np.array(-1.0))
    p = result[0] if side is scratch else result.numpy()
    assert p[:2].tolist() == [0.5, 0.5]
    np.testing.assert_allclose(p[2], 1 / (1 + np.exp(-3)), rtol=4 * EPS)


def test_the_weights_of_separable_classes_grow_for_ever():
    x, y = np.array([[-1.0], [1.0]]), np.array([0.0, 1.0])
    path = scratch.descend_logistic_regression(x, y, learning_rate=5.0, steps=200)
    assert (np.diff(path[:, 0]) > 0).all()


def test_the_step_of_logistic_regression_is_its_error_times_the_inputs():
    x, y = classes("blobs")
    first, second = scratch.descend_logistic_regression(x, y, learning_rate=1.0, steps=1)
    error = 0.5 - y
    expected = -np.append(error @ x, error.sum()) / len(x)
    assert not first.any()
    np.testing.assert_allclose(second, expected, rtol=0, atol=len(x) * EPS)
