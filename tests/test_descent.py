"""Descent: the notes' numbers, gradients by trial, and the ways down a bowl."""

import math

import numpy as np
import pytest
import tensorflow as tf

from reference import descent as reference
from scratch import descent as scratch
from scratch import losses, optimizers, perceptrons

EPS = np.finfo(float).eps
both_sides = pytest.mark.parametrize("side", [scratch, reference])


def number(x):
    return np.array(x, "float64")


def square_sum(x):
    return x[0] ** 2 + x[1] ** 2


# errors


def test_errors_of_one_prediction():
    truth, prediction = number([0.8, 0.1]), number([0.5, 0.4])
    np.testing.assert_array_equal(
        scratch.squared_error(truth, prediction)[0], (prediction - truth) ** 2
    )
    mean, _ = losses.mean_squared_error(truth, prediction)
    half_sum, _ = scratch.sum_of_squares(truth, prediction)
    # of two entries the mean is half the sum
    assert half_sum == mean == pytest.approx(0.09, rel=4 * EPS, abs=0)


@both_sides
def test_cross_entropy_counts_the_right_class_alone_and_stays_finite(side):
    truth = number([[0, 1, 0], [1, 0, 0]])
    result = side.cross_entropy(truth, number([[0.1, 0.6, 0.3], [0, 0.5, 0.5]]))
    value = result[0] if side is scratch else result.numpy()
    # 0.6 + 1e-7 and its logarithm are rounded once each
    np.testing.assert_allclose(value, [-math.log(0.6 + 1e-7), -math.log(1e-7)], rtol=2 * EPS)


# gradients by trial


@both_sides
def test_central_differences_of_a_sum_of_squares(side):
    """As printed by Saitoh, Deep Learning from the Basics."""
    found = np.asarray(side.central_difference(number([3, 4]), square_sum))
    assert found.tolist() == [6.00000000000378, 7.999999999999119]


@both_sides
@pytest.mark.parametrize(
    ("difference", "best"),
    [("forward_difference", EPS**0.5), ("central_difference", EPS ** (1 / 3))],
)
def test_differences_are_best_between_curvature_and_rounding(side, difference, best):
    """The error falls with h until rounding, eps / h, takes over."""
    x, slope = number([1.3]), math.cos(1.3)

    def error(h):
        sine = np.sin if side is scratch else tf.sin
        return abs(float(getattr(side, difference)(x, lambda x: sine(x)[0], h)[0]) - slope)

    assert error(best) < error(1e-2)
    assert error(best) < error(1e-13)
    assert error(best) < 10 * EPS / best


def test_central_differences_are_closer_than_forward_ones():
    x = number([1.3, -0.4])
    right = np.cos(x)

    def sines(x):
        return np.sin(x).sum()

    forward = np.abs(scratch.forward_difference(x, sines) - right).max()
    central = np.abs(scratch.central_difference(x, sines) - right).max()
    # h / 2 of the second derivative against h² / 6 of the third
    assert 1e-5 < forward < 1e-4
    assert central < 1e-8


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_differences_have_the_shape_of_x(shape):
    x = np.full(shape, 0.5)
    for difference in (scratch.forward_difference, scratch.central_difference):
        assert np.shape(difference(x, np.sum)) == shape


# one weight


@both_sides
def test_hot_and_cold_learning(side):
    path = np.asarray(side.hot_and_cold(number(0.5), number(0.5), number(0.8)))
    assert path.shape == (1102,)
    assert path[-1] == 1.6009999999999343
    assert 0.5 * path[-1] == 0.8004999999999671


def test_hot_and_cold_learning_ends_in_steps_to_and_fro():
    path = scratch.hot_and_cold(number(0.5), number(0.5), number(0.8), step=0.2, iterations=40)
    assert len(set(np.round(path[-10:], 6))) == 2


@both_sides
def test_gradient_descent_on_one_weight(side):
    """The error falls in every step, by the same factor."""
    weights = np.asarray(side.descend_one_weight(number(0.5), number(0.5), number(0.8)))
    assert weights.shape == (1501,)
    misses = 0.8 - 0.5 * weights
    assert (np.diff(misses) < 0).all()
    # (1 - 0.01 * 0.5²) in each of 1,500 steps, each rounded
    expected = 0.55 * (1 - 0.01 * 0.25) ** np.arange(1501)
    np.testing.assert_allclose(misses, expected, rtol=0, atol=1501 * EPS)


# several inputs and outputs


@both_sides
def test_several_inputs_share_the_error_by_their_size(side):
    game, start = number([8.5, 0.65, 1.2]), number([0.1, 0.2, -0.1])
    weights = np.asarray(side.descend_several_inputs(start, game, number(1), steps=20))
    predictions = weights @ game
    assert abs(predictions[-1] - 1) < abs(predictions[0] - 1) / 100
    moves = weights[1] - weights[0]
    np.testing.assert_allclose(moves / moves[0], game / game[0], rtol=1e-13)


@both_sides
def test_several_outputs_by_an_outer_product(side):
    kernel = number([[0.1, 0.1, -0.3], [0.1, 0.2, 0], [0, 1.3, 0.1]])
    game, truth, next_game = (
        number([8.5, 0.65, 1.2]),
        number([0.1, 1, 0.1]),
        number([9.5, 0.8, 1.3]),
    )
    path = np.asarray(side.descend_several_outputs(kernel, game, truth, 0.01, steps=1))
    prediction = next_game @ path[-1]
    assert np.round(prediction, 7).tolist() == [0.3549355, 1.524418, -0.624401]
    outer = np.outer(game, game @ kernel - truth)
    np.testing.assert_allclose(path[1], kernel - 0.01 * outer, rtol=0, atol=4 * EPS)


# learning rates


@both_sides
@pytest.mark.parametrize(
    ("learning_rate", "printed"),
    [
        (0.1, [-6.11110793e-10, 8.14814391e-10]),
        (10.0, [-2.58983747e13, -1.29524862e12]),  # too large: away
        (1e-10, [-2.99999994, 3.99999992]),  # too small: nowhere
    ],
)
def test_learning_rates_of_three_sizes(side, learning_rate, printed):
    """As printed by Saitoh, Deep Learning from the Basics, in nine digits."""

    def gradient(x):
        return side.central_difference(x, square_sum)

    path = np.asarray(side.gradient_descent(number([-3, 4]), gradient, learning_rate))
    assert [f"{x:.8e}" for x in path[-1]] == [f"{x:.8e}" for x in printed]


@pytest.mark.parametrize(
    ("learning_rate", "what"), [(0.3, "approaches"), (0.9, "zigzags"), (1.1, "flees")]
)
def test_one_over_the_curvature_divides_approach_zigzag_and_flight(learning_rate, what):
    """The curvature of x² is 2: below 1/2 the sign stays, above 1 the error grows."""
    path = scratch.gradient_descent(number(1), lambda x: 2 * x, learning_rate, steps=20)
    assert (np.sign(path[1:]) == np.sign(path[:-1])).all() == (what == "approaches")
    assert (abs(path[-1]) > 1) == (what == "flees")


@both_sides
def test_with_decay_a_learning_rate_that_is_too_large_arrives(side):
    def path(decay):
        start = number([1.0])
        return np.asarray(side.gradient_descent(start, lambda x: 2 * x, 1.1, 40, decay))

    assert abs(path(0.0)[-1, 0]) > 1000
    assert abs(path(0.2)[-1, 0]) < 1e-3
    # the rate of step s is 1.1 / (1 + 0.2 * s)
    factors = 1 - 2 * 1.1 / (1 + 0.2 * np.arange(40))
    np.testing.assert_allclose(path(0.2)[1:, 0], np.cumprod(factors), rtol=1e-12)


# batches


def samples():
    rng = np.random.default_rng(3)
    x, weights = rng.standard_normal((30, 3)), number([1.5, -2, 0.5])
    return x, x @ weights, weights


@both_sides
@pytest.mark.parametrize(("batch_size", "steps"), [(None, 1), (30, 1), (8, 4), (1, 30)])
def test_all_batch_sizes_find_the_weights(side, batch_size, steps):
    x, targets, weights = samples()
    epochs = {1: 80, 4: 40, 30: 8}[steps]
    path = np.asarray(side.descend_in_batches(np.zeros(3), x, targets, batch_size, 0.2, epochs))
    assert path.shape == (epochs * steps + 1, 3)
    assert np.abs(path[-1] - weights).max() < 1e-2


def test_an_epoch_of_single_samples_takes_each_once_in_a_drawn_order():
    x, targets = np.eye(7), np.arange(1.0, 8)
    path = scratch.descend_in_batches(np.zeros(7), x, targets, 1, epochs=2, seed=4)
    touched = np.argmax(np.diff(path, axis=0), axis=1)
    first, second = touched[:7].tolist(), touched[7:].tolist()
    assert sorted(first) == sorted(second) == list(range(7))
    assert first != second


def test_batch_descent_does_not_depend_on_the_order():
    x, targets, _ = samples()
    paths = [scratch.descend_in_batches(np.zeros(3), x, targets, seed=seed) for seed in (1, 2)]
    # the mean over 30 samples is summed in another order
    np.testing.assert_allclose(*paths, rtol=0, atol=30 * EPS)


# momentum and the bowl


@both_sides
def test_a_ball_on_an_even_slope_reaches_a_tenfold_speed(side):
    path = np.asarray(side.momentum_descent(number([0.0]), lambda x: 0 * x + 0.5, 0.01, 0.9, 300))
    moves = np.diff(path[:, 0])
    assert moves[0] == -0.01 * 0.5
    # 0.9 ** 300 of the missing speed is left, 2e-14
    np.testing.assert_allclose(moves[-1], -0.01 * 0.5 / (1 - 0.9), rtol=1e-12)


def test_a_ball_rolls_past_the_lowest_point():
    ball = scratch.momentum_descent(number(1), lambda x: 2 * x, 0.01)
    steps = scratch.gradient_descent(number(1), lambda x: 2 * x, 0.01)
    assert ball.min() < 0
    assert steps.min() > 0


def test_momentum_descent_is_what_sgd_with_momentum_does():
    """Keras's momentum passes through float32; 0.875 is exact there."""
    start, weight = number([-7, 2]), number([-7, 2])
    sgd = optimizers.SGD(0.125, momentum=0.875)
    path = scratch.momentum_descent(start, lambda x: scratch.bowl(x)[1](1.0), 0.125, 0.875, 30)
    for point in path[1:]:
        sgd.apply([scratch.bowl(weight)[1](1.0)], [weight])
        assert np.array_equal(weight, point)


def test_the_gradient_of_the_bowl_hardly_points_to_its_bottom():
    point = number([-7, 2])
    value, backward = scratch.bowl(point)
    gradient = backward(1.0)
    assert (value, gradient.tolist()) == (6.45, [-0.7, 4])
    cosine = gradient @ point / np.linalg.norm(gradient) / np.linalg.norm(point)
    assert cosine < 0.5


@both_sides
def test_sgd_zigzags_in_the_bowl_where_the_others_do_not(side):
    settings = {
        "SGD": {"learning_rate": 0.95},
        "Momentum": {"learning_rate": 0.1, "momentum": 0.9},
        "Adagrad": {"learning_rate": 1.5},
        "Adam": {"learning_rate": 0.3},
    }
    start, crossings, heights = number([-7, 2]), {}, {}
    for name, arguments in settings.items():
        rule = "SGD" if name == "Momentum" else name
        path = np.asarray(side.bowl_path(start, rule, arguments))
        assert path.shape == (31, 2)
        assert path[0].tolist() == [-7, 2]
        crossings[name] = int((path[1:, 1] * path[:-1, 1] < 0).sum())
        heights[name] = float(scratch.bowl(path[-1])[0])
    assert crossings == {"SGD": 30, "Momentum": 4, "Adagrad": 0, "Adam": 2}
    assert max(heights.values()) < 6.45 / 50


def test_paths_leave_their_start_alone():
    start = number([-7, 2])
    scratch.bowl_path(start, "SGD", {"learning_rate": 0.5})
    scratch.gradient_descent(start, lambda x: x)
    scratch.momentum_descent(start, lambda x: x)
    assert start.tolist() == [-7, 2]


def test_the_error_of_one_weight_has_the_gradient_that_descends():
    """The chain rule over perceptrons and errors gives (x * weight - target) * x."""
    x, weight, target = number(0.5), number(0.5), number(0.8)
    prediction, backward = perceptrons.one_to_one(x, weight)
    _, backward_error = scratch.squared_error(target, prediction)
    _, dweight = backward(backward_error(0.5))
    path = scratch.descend_one_weight(weight, x, target, learning_rate=1.0, steps=1)
    assert path[1] == weight - dweight
