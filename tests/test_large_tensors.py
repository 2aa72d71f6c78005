"""Checks of tensors so large that a run of the reference is spared where nothing is in doubt."""

import numpy as np
import pytest
import tensorflow as tf

from comparisons import check_gradients, witnesses
from comparisons.gradients import contract, draw, rounding
from comparisons.gradients.judgement import Case
from comparisons.gradients.points import Probe
from comparisons.witnesses import Derivative, Direction, arbiter, derivatives

STEEP = 1e5


class Counted:
    """A reference that counts its runs."""

    def __init__(self, function):
        self.function, self.runs = function, 0

    def __call__(self, *tensors):
        self.runs += 1
        return self.function(*tensors)


@pytest.fixture
def large(monkeypatch):
    for module in (contract, rounding, arbiter, derivatives):
        monkeypatch.setattr(module, "LARGE", 10)
    monkeypatch.setattr(witnesses, "SLOW", 10)


def product(x, kernel):
    return x @ kernel, lambda dy: (dy @ kernel.T, x.T @ dy)


def wrong_product(x, kernel):
    return x @ kernel, lambda dy: (dy @ kernel.T, x.T @ dy * (1 + 1e-9))


def steep(x):
    """sin(STEEP x) by a quotient, which rounds otherwise than the product does."""
    angle = x / (1 / STEEP)
    return np.sin(angle), lambda dy: dy * STEEP * np.cos(angle)


def rounded_in_complex(x):
    """The same gradient as the reference's, to the bit, and complex numbers moved by rounding."""
    angle = x * (1 + np.finfo(float).eps * np.iscomplexobj(x)) * STEEP
    return np.sin(angle), lambda dy: dy * np.cos(angle) * STEEP


def with_one_room():
    """A square that writes every gradient to the same memory."""
    rooms = {}

    def square(x):
        room = rooms.setdefault(x.dtype, np.empty_like(x))
        return x * x, lambda dy: np.multiply(2 * x, dy, out=room)

    return square


def with_a_cache():
    """A square that keeps the first x that it sees, and writes every value to the same memory."""
    seen, rooms = [], {}

    def square(x):
        if not np.iscomplexobj(x):
            seen.append(x)
        room = rooms.setdefault(x.dtype, np.empty_like(x))
        return np.multiply(x, x, out=room), lambda dy: 2 * seen[0] * dy

    return square


def cancelled(x, bias):
    """x + 100 (e (pi bias) - pi (e bias)): the gradient of bias is zero but for rounding."""

    def backward(dy):
        dinner = 100 * dy
        return dy.copy(), dinner * np.e * np.pi - dinner * np.pi * np.e

    return x + 100 * (np.e * (np.pi * bias) - np.pi * (np.e * bias)), backward


@pytest.mark.usefixtures("large")
def test_a_right_gradient_takes_one_run_of_the_reference_less():
    reference = Counted(tf.matmul)
    inputs = {"x": "3x60", "kernel": "60x50"}
    assert check_gradients(product, reference, inputs).verdict == "match"
    right, reference.runs = reference.runs, 0
    report = check_gradients(wrong_product, reference, inputs)
    assert [row.verdict for row in report.rows] == ["match", "mismatch"]
    assert right == 2  # here, and at other inputs
    assert reference.runs > right


@pytest.mark.usefixtures("large")
def test_a_gradient_far_from_zero_is_not_weighed_by_the_size_of_its_input(monkeypatch):
    weighed = []
    monkeypatch.setattr(Case, "_share", lambda case, order: weighed.append(order))
    assert check_gradients(product, tf.matmul, {"x": "3x60", "kernel": "60x50"}).ok
    assert not weighed


@pytest.mark.usefixtures("large")
def test_truth_values_beside_a_large_value_are_compared():
    def square(x):
        return [x * x, x > 0], lambda dys: 2 * x * dys[0]

    report = check_gradients(square, lambda x: [x * x, x > 0], {"x": "5x7"})
    assert report.verdict in ("match", "identical"), report


@pytest.mark.usefixtures("large")
def test_what_eps_alone_does_not_explain_is_measured():
    reference = Counted(lambda x: tf.sin(STEEP * x))
    report = check_gradients(steep, reference, {"x": "5x7"})
    assert report.verdict == "match", report
    assert reference.runs > 2


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("shape", ["5x7", "50x60"])  # one by one, and along probes
def test_an_arbiter_whose_rounding_eps_alone_does_not_explain_is_heard_again(shape):
    report = check_gradients(rounded_in_complex, lambda x: tf.sin(STEEP * x), {"x": shape})
    assert report.verdict in ("match", "identical")
    assert not report.witnesses


@pytest.mark.usefixtures("large")
def test_a_gradient_that_rounding_may_hide_is_measured():
    report = check_gradients(
        cancelled, lambda x, b: cancelled(x, b)[0], {"x": "5x7", "bias": "5x7"}
    )
    assert [row.verdict for row in report.rows] == ["identical", "vacuous"]


def test_small_gradients_at_other_inputs_are_kept_from_what_is_run_next():
    right = check_gradients(with_one_room(), tf.square, {"x": "5x7"})
    assert right.verdict in ("match", "identical"), right
    wrong = check_gradients(with_a_cache(), tf.square, {"x": "5x7"})
    assert [finding.name for finding in wrong.findings] == ["not repeatable"]


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("reference", [tf.square, None])
def test_large_gradients_at_other_inputs_are_looked_at_before_the_next_run(reference):
    right = check_gradients(with_one_room(), reference, {"x": "5x7"})
    assert right.verdict in ("match", "identical"), right
    wrong = check_gradients(with_a_cache(), reference, {"x": "5x7"})
    assert [finding.name for finding in wrong.findings] == ["not repeatable"]


def test_a_reference_that_fails_at_other_inputs_hides_no_verdict():
    x = draw({"x": "5x7"})["x"]

    def only_here(given):
        if not np.allclose(given, x):
            raise RuntimeError("somewhere else")
        return tf.square(given)

    report = check_gradients(lambda x: (x * x, lambda dy: 3 * x * dy), only_here, {"x": x})
    assert report.verdict == "mismatch"
    assert "1.5 times too large" in report.causes[0]


def test_one_noise_for_all_elements_blurs_a_probe_as_one_for_each():
    given, numbers = np.random.default_rng(0).standard_normal((2, 30, 4))
    along = {0: Direction(numbers, size=3.0)}
    one = np.broadcast_to(0.5, given.shape)
    probes = [Probe({0: given}, {0: noise}, along, Derivative(1, 0)) for noise in (one, one.copy())]
    assert probes[0].noise == pytest.approx(probes[1].noise)
    assert probes[0].noise == pytest.approx(1.5 * np.linalg.norm(numbers))
