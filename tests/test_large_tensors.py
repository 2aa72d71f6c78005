"""Checks of tensors so large that a run of the reference is spared where nothing is in doubt."""

import numpy as np
import pytest
import tensorflow as tf

from comparisons import check_gradients, witnesses
from comparisons.gradients import rounding
from comparisons.gradients.points import Probe
from comparisons.witnesses import Derivative, Direction

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
    monkeypatch.setattr(rounding, "LARGE", 10)
    monkeypatch.setattr(witnesses, "SLOW", 10)


def product(x, kernel):
    return x @ kernel, lambda dy: (dy @ kernel.T, x.T @ dy)


def wrong_product(x, kernel):
    return x @ kernel, lambda dy: (dy @ kernel.T, x.T @ dy * (1 + 1e-9))


def steep(x):
    """sin(STEEP x) by a quotient, which rounds otherwise than the product does."""
    angle = x / (1 / STEEP)
    return np.sin(angle), lambda dy: dy * STEEP * np.cos(angle)


def arbitrary(x):
    """The same gradient as the reference's, to the bit, and complex numbers moved by rounding."""
    angle = x * (1 + np.finfo(float).eps * np.iscomplexobj(x)) * STEEP
    return np.sin(angle), lambda dy: dy * np.cos(angle) * STEEP


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
def test_what_eps_alone_does_not_explain_is_measured():
    reference = Counted(lambda x: tf.sin(STEEP * x))
    report = check_gradients(steep, reference, {"x": "5x7"})
    assert report.verdict == "match", report
    assert reference.runs > 2


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("shape", ["5x7", "50x60"])  # one by one, and along probes
def test_an_arbiter_whose_rounding_eps_alone_does_not_explain_is_heard_again(shape):
    report = check_gradients(arbitrary, lambda x: tf.sin(STEEP * x), {"x": shape})
    assert report.verdict in ("match", "identical")
    assert not report.witnesses


@pytest.mark.usefixtures("large")
def test_a_gradient_that_rounding_may_hide_is_measured():
    report = check_gradients(
        cancelled, lambda x, b: cancelled(x, b)[0], {"x": "5x7", "bias": "5x7"}
    )
    assert [row.verdict for row in report.rows] == ["identical", "vacuous"]


def test_one_noise_for_all_elements_blurs_a_probe_as_one_for_each():
    given, numbers = np.random.default_rng(0).standard_normal((2, 30, 4))
    along = {0: Direction(numbers, size=3.0)}
    one = np.broadcast_to(0.5, given.shape)
    probes = [Probe({0: given}, {0: noise}, along, Derivative(1, 0)) for noise in (one, one.copy())]
    assert probes[0].noise == pytest.approx(probes[1].noise)
    assert probes[0].noise == pytest.approx(1.5 * np.linalg.norm(numbers))
