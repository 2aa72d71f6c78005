"""Perceptrons: the notes' predictions, gates by hand and by learning, what XOR takes."""

import itertools

import numpy as np
import pytest

from reference import perceptrons as reference
from scratch import perceptrons as scratch

GAMES = np.array([[8.5, 0.65, 1.2], [9.5, 0.8, 1.3], [9.9, 0.8, 0.5], [9.0, 0.9, 1.0]])
CORNERS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
GATES = {
    "and_gate": [0, 0, 0, 1],
    "or_gate": [0, 1, 1, 1],
    "nand_gate": [1, 1, 1, 0],
    "xor_gate": [0, 1, 1, 0],
}
both_sides = pytest.mark.parametrize("side", [scratch, reference])


def value(side, name, *inputs):
    """The value alone, which is all that a function of reference returns."""
    result = getattr(side, name)(*(np.asarray(x, "float64") for x in inputs))
    return result[0] if side is scratch else np.asarray(result)


def assert_prints_as(y, printed, terms):
    """The notes round what they print; sums of `terms` products are off by a rounding per term."""
    bound = terms * np.finfo(float).eps * max(1.0, np.abs(printed).max())
    assert np.abs(y - np.array(printed)).max() <= bound


# the notes' predictions


@both_sides
def test_one_weight(side):
    assert value(side, "one_to_one", 8.5, 0.1) == 0.8500000000000001  # printed as 0.85


@both_sides
def test_a_weighted_sum_of_three_inputs(side):
    weights, printed = [0.1, 0.2, 0], [0.98, 1.11, 1.15, 1.08]
    assert_prints_as(value(side, "weighted_sum", GAMES, weights), printed, terms=3)
    one_by_one = [value(side, "weighted_sum", game, weights) for game in GAMES]
    assert_prints_as(one_by_one, printed, terms=3)


@both_sides
def test_one_input_to_three_outputs(side):
    y = value(side, "one_to_many", 0.65, [0.3, 0.2, 0.9])
    assert_prints_as(y, [0.195, 0.13, 0.585], terms=1)


@both_sides
def test_three_inputs_to_three_outputs(side):
    y = value(side, "many_to_many", GAMES[0], [[0.1, 0.1, -0.3], [0.1, 0.2, 0], [0, 1.3, 0.1]])
    assert_prints_as(y, [0.555, 0.98, 0.965], terms=3)


@both_sides
def test_predictions_from_predictions(side):
    hidden = [[0.1, 0.2, -0.1], [-0.1, 0.1, 0.9], [0.1, 0.4, 0.1]]
    output = [[0.3, 1.1, -0.3], [-0.1, 0.2, 0], [0, 1.3, 0.1]]
    y = value(side, "stacked", GAMES[:1], hidden, output)
    assert_prints_as(y, [[0.047, 1.256, -0.286]], terms=6)


def test_many_to_many_is_a_weighted_sum_for_each_row():
    weights = np.array([[0.1, 0.1, -0.3], [0.1, 0.2, 0]])
    y, backward = scratch.many_to_many(GAMES[0], weights)
    dy = np.array([2.0, -1.0])
    dx, dweights = backward(dy)
    rows = [scratch.weighted_sum(GAMES[0], row) for row in weights]
    by_rows = [backward_row(d) for (_, backward_row), d in zip(rows, dy, strict=True)]
    assert_prints_as(y, [row for row, _ in rows], terms=3)
    assert np.array_equal(dx, sum(dx_row for dx_row, _ in by_rows))
    assert np.array_equal(dweights, [dweights_row for _, dweights_row in by_rows])


# gates


@both_sides
@pytest.mark.parametrize("dtype", ["int64", "float32", "float64"])
@pytest.mark.parametrize("name", GATES)
def test_gates_by_hand_set_weights(side, name, dtype):
    y = np.asarray(getattr(side, name)(CORNERS.astype(dtype)))
    assert y.tolist() == GATES[name]
    assert y.dtype == dtype


@both_sides
@pytest.mark.parametrize("name", ["and_gate", "or_gate", "nand_gate"])
def test_gates_by_the_learning_rule(side, name):
    *weights, bias = np.asarray(side.learn_perceptron(CORNERS, np.array(GATES[name], float)))
    assert value(side, "perceptron", CORNERS, weights, bias).tolist() == GATES[name]


@both_sides
def test_the_learning_rule_finds_the_same_line_from_any_later_epoch(side):
    targets = np.array(GATES["nand_gate"], float)
    found = np.asarray(side.learn_perceptron(CORNERS, targets))
    assert np.array_equal(side.learn_perceptron(CORNERS, targets, epochs=30), found)


def test_a_smaller_learning_rate_only_shrinks_the_weights_that_start_from_zero():
    targets = np.array(GATES["and_gate"], float)
    shrunk = scratch.learn_perceptron(CORNERS, targets, learning_rate=0.125)
    assert np.array_equal(8 * shrunk, scratch.learn_perceptron(CORNERS, targets))


def test_for_xor_the_learning_rule_goes_round_in_a_circle():
    targets = np.array(GATES["xor_gate"], float)
    ends = [scratch.learn_perceptron(CORNERS, targets, epochs=n) for n in range(1, 20)]
    assert np.array_equal(ends[-1], ends[-2])  # where each further epoch ends
    *weights, bias = ends[-1]
    assert scratch.perceptron(CORNERS, np.array(weights), bias)[0].tolist() != targets.tolist()


@both_sides
def test_a_perceptron_has_no_gradient_to_learn_from(side):
    if side is scratch:
        _, backward = scratch.perceptron(GAMES, np.array([0.1, -0.2, 0.3]), 0.1)
        assert not any(np.any(gradient) for gradient in backward(np.ones(4)))
    else:
        assert value(side, "perceptron", GAMES, [0.1, -0.2, 0.3], 0.1).tolist() == [1, 1, 1, 1]


# what one layer cannot


@both_sides
def test_one_perceptron_can_have_all_truth_tables_but_xor_and_its_opposite(side):
    tables = {tuple(map(int, table)) for table in np.asarray(side.truth_tables())}
    every = set(itertools.product([0, 1], repeat=4))
    assert every - tables == {(0, 1, 1, 0), (1, 0, 0, 1)}


def test_no_weights_of_another_size_add_a_truth_table():
    rng = np.random.default_rng(0)
    known = {tuple(table) for table in scratch.truth_tables()}
    for w1, w2, bias in rng.standard_normal((2000, 3)) * rng.choice([0, 0.01, 1, 100], (2000, 3)):
        y, _ = scratch.perceptron(CORNERS, np.array([w1, w2]), bias)
        assert tuple(y) in known


def test_the_edges_between_regions_have_entries_of_at_most_one():
    """What the proof in truth_tables rests on, and that no three corners share a line."""
    corners = np.column_stack([CORNERS, np.ones(4)])
    for first, second in itertools.combinations(corners, 2):
        assert np.abs(np.cross(first, second)).max() == 1
    for three in itertools.combinations(corners, 3):
        assert abs(np.linalg.det(three)) > 0.5
