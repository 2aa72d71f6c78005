"""The three witnesses, where they can be trusted and where they say that they cannot."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from comparisons import witnesses
from comparisons.pieces import PIECE, mapped, pieces
from comparisons.witnesses import Arbiter, ComplexStep, Differences, Direction, Unusable

RNG = np.random.default_rng(3)
X = RNG.standard_normal((4, 3))
DY = RNG.standard_normal((4, 3))
EPS = float(np.finfo(float).eps)


def arbiter(function, x=X, dy=None):
    dy = np.broadcast_to(1.0, function(x).shape).copy() if dy is None else dy
    return Arbiter(lambda arrays: [np.asarray(function(arrays[0]))], [x], [0], [dy])


def test_the_import_leaves_tensorflow_alone():
    code = "import sys, comparisons.gradients; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (np.exp, np.exp),
        (np.tanh, lambda x: 1 / np.cosh(x) ** 2),
        (lambda x: x**3, lambda x: 3 * x**2),
        (lambda x: np.sqrt(1 + x * x), lambda x: x / np.sqrt(1 + x * x)),
    ],
)
def test_the_complex_step_is_exact_but_for_rounding(function, slope):
    witness = arbiter(function, dy=DY)
    assert witness.name == "complex step"
    gradient, uncertainty = witness.gradient(0)
    expected = DY * slope(X)
    # an elementary function of a complex number is within a few units in the last place
    assert np.all(np.abs(gradient - expected) <= 8 * EPS * np.abs(expected))
    assert np.all(uncertainty < 1e-13)


def test_the_complex_step_moves_no_branch():
    x = np.array([0.0, -0.0, 1e-300, -1e-300, 2.0])
    witness = ComplexStep(lambda a: [a[0] * (a[0].real > 0)], [x], [0], [np.ones(5)])
    slopes = [witness.along({0: Direction(row)}).value for row in np.eye(5)]
    assert slopes == [0, 0, 1, 0, 1]


def test_the_complex_step_leaves_no_step_behind():
    witness = ComplexStep(lambda a: [a[0] * a[1]], [X, DY], [0, 1], [np.ones((4, 3))])
    first = witness.along({0: Direction(DY)}).value
    witness.along({1: Direction(X)})
    assert witness.along({0: Direction(DY)}).value == first


def test_what_is_done_piece_by_piece_is_done_to_every_element():
    x = RNG.standard_normal((150, 3 * PIECE // 100)).T  # not contiguous, and no whole pieces
    noise = np.broadcast_to(0.5, x.shape)
    assert np.array_equal(mapped(lambda a, b: 2 * a + b, x, noise), 2 * x + 0.5)
    assert sum(len(piece) for piece, _ in pieces(x, noise)) == x.size
    assert mapped(np.negative, np.float32(3)[...]) == np.float32(-3)


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (lambda x: np.abs(x), np.sign),
        (lambda x: x * np.sign(x), np.sign),
        (lambda x: x.var(axis=0), lambda x: 2 / 4 * (x - x.mean(axis=0))),
        (lambda x: np.linalg.norm(x, axis=0), lambda x: x / np.linalg.norm(x, axis=0)),
        (lambda x: x * np.round(x * 0), lambda x: 0 * x),
        (lambda x: np.asarray(x.real) * 2, lambda x: 2 + 0 * x),
    ],
)
def test_a_function_that_drops_imaginary_parts_is_differentiated_by_differences(function, slope):
    witness = arbiter(function)
    gradient, uncertainty = witness.gradient(0)
    assert np.all(np.abs(gradient - slope(X)) <= 8 * uncertainty + 8 * EPS)
    assert np.all(uncertainty < 1e-9)
    if witness.name != "complex step":  # sign and round may happen to be right for complex numbers
        assert "imaginary" in witness.why or "complex" in witness.why


@pytest.mark.parametrize("function", [np.abs, lambda x: x.var(axis=0), np.cbrt, np.fabs])
def test_the_complex_step_is_not_trusted_there(function):
    assert arbiter(function).name == f"{np.dtype(np.longdouble).name} differences"


def test_differences_say_how_far_off_they_are():
    for dtype, bound in [("longdouble", 1e-11), ("float64", 1e-9), ("float32", 1e-3)]:
        witness = Differences(lambda a: [np.sin(a[0])], [X], [DY], dtype)
        found = witness.along({0: Direction(DY)})
        error = abs(found.value - np.sum(DY * DY * np.cos(X)))
        assert error <= found.uncertainty < bound


def test_a_difference_across_a_kink_is_as_uncertain_as_the_kink_is_wide():
    witness = Differences(lambda a: [np.abs(a[0])], [np.zeros(1)], [np.ones(1)], "float64")
    found = witness.along({0: Direction(np.ones(1))})
    assert abs(found.value) < 1e-9
    assert found.uncertainty == pytest.approx(1, rel=1e-6)


def test_a_difference_near_a_kink_takes_smaller_steps():
    witness = Differences(lambda a: [np.abs(a[0])], [np.full(1, 1e-6)], [np.ones(1)], "float64")
    found = witness.along({0: Direction(np.ones(1))})
    assert abs(found.value - 1) <= found.uncertainty < 1e-6


def test_a_function_of_float32_alone_is_differentiated_in_float32():
    def function(x):
        if x.dtype != np.float32:
            raise TypeError("float32 only")
        return x * x

    witness = Arbiter(lambda a: [function(a[0])], [X], [0], [DY])
    assert witness.name == "float32 differences"
    gradient, uncertainty = witness.gradient(0)
    assert np.all(np.abs(gradient - 2 * X * DY) <= 4 * uncertainty)


def test_a_function_that_fails_has_no_arbiter():
    def function(arrays):
        raise RuntimeError("never")

    with pytest.raises(Unusable, match="never"):
        Arbiter(function, [X], [0], [DY])


def test_what_is_written_to_is_read_only():
    def function(arrays):
        arrays[0][0] = 0
        return [arrays[0]]

    with pytest.raises(Unusable, match="read-only"):
        Arbiter(function, [X], [0], [DY])


def test_small_tensors_are_differentiated_element_by_element():
    arrays = [np.ones(2000), np.ones(2001), np.ones(3)]
    witness = Arbiter(lambda a: [a[0] * a[2][0]], arrays, [0, 1, 2], [np.ones(2000)])
    assert [witness.one_by_one(position) for position in range(3)] == [True, False, True]


def test_a_bias_beside_ten_million_weights_is_probed():
    # one derivative moves all elements: a thousand of them would be a thousand passes
    witness = object.__new__(Arbiter)
    witness.arrays = [np.broadcast_to(0.0, (10_000, 1000)), np.zeros(1000)]
    assert not witness.one_by_one(1)


def test_halving_finds_the_wrong_element():
    x = RNG.standard_normal((30, 100))
    given = np.cos(x)
    given[17, 33] *= 1.001
    witness = arbiter(np.sin, x)
    assert witness.narrow(0, given) == (17, 33)


def test_probes_see_every_element():
    z = witnesses.probe(np.random.default_rng(0), (1000,))
    assert np.abs(z).min() >= 0.1 * (1 - 1e-6)  # drawn in float32
    assert 0.9 < np.abs(z).mean() / np.sqrt(2 / np.pi) < 1.1
    assert (z > 0).mean() == pytest.approx(0.5, abs=0.05)


def test_directions_of_a_large_tensor_are_one_draw_moved_on(monkeypatch):
    monkeypatch.setattr(witnesses.arbiter, "LARGE", 1000)
    monkeypatch.setattr(witnesses.arbiter, "PERIOD", 999)
    x = RNG.standard_normal((25, 40))
    flat = [each[0].numbers.ravel() for each in arbiter(np.exp, x).directions([0], [1.0])]
    assert len({direction.tobytes() for direction in flat}) == 3
    for direction in flat:
        assert direction[0] == direction[-1]
        np.testing.assert_array_equal(np.sort(direction[1:]), np.sort(flat[0][1:]))


def test_a_value_that_is_a_view_of_a_large_input_stays_as_it_was(monkeypatch):
    monkeypatch.setattr(witnesses.derivatives, "LARGE", X.size)
    witness = Differences(lambda a: [a[0].T], [X], [DY.T], "float64")
    found = witness.along({0: Direction(DY)})
    assert abs(found.value - np.sum(DY * DY)) <= found.uncertainty < 1e-8


def test_scale_is_the_root_mean_square_of_what_is_finite():
    assert witnesses.scale(np.array([3.0, 4.0, np.nan, np.inf])) == pytest.approx(np.sqrt(12.5))
    assert witnesses.scale(np.zeros(3)) == 1
    assert witnesses.scale(np.full(2, 1e200)) == pytest.approx(1e200)
    assert witnesses.scale(np.full(2, 1e-200)) == pytest.approx(1e-200)


def test_the_tape_gives_zeros_for_what_is_not_connected():
    values, backward = witnesses.tape(lambda x, y: 2 * x, [X, DY], [0, 1])
    gradients = backward([DY])
    assert np.array_equal(values[0], 2 * X)
    assert np.array_equal(gradients[0], 2 * DY)
    assert np.array_equal(gradients[1], np.zeros((4, 3)))


def test_the_tape_makes_sparse_gradients_dense():
    indices = np.array([2, 0, 2])
    _, backward = witnesses.tape(tf.gather, [X, indices], [0])
    assert np.array_equal(
        backward([np.ones((3, 3))])[0], [[1, 1, 1], [0, 0, 0], [2, 2, 2], [0, 0, 0]]
    )


def test_the_tape_differentiates_variables_in_their_places():
    variable = tf.Variable(np.ones((4, 3)))
    function = lambda x: x * variable  # noqa: E731
    _, backward = witnesses.tape(function, [X, DY], [0, 1], {1: variable})
    gradients = backward([np.ones((4, 3))])
    assert np.array_equal(gradients[0], DY)
    assert np.array_equal(gradients[1], X)
