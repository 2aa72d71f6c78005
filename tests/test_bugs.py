"""The gallery: every bug can be planted, is caught with its cause, and leaves nothing behind."""

import functools
import re

import numpy as np
import pytest

import scratch
from comparisons import bugs, datasets
from comparisons.bugs import BUGS, checking, scaling, steps, training
from comparisons.bugs.bug import Bug, resolve

NAMES = [bug.name for bug in BUGS]
each_bug = pytest.mark.parametrize("bug", BUGS, ids=NAMES)


@functools.cache
def report(bug):
    return bugs.check(bug)


def first_cause(bug):
    if report(bug).error:
        return "error"
    return report(bug).findings[0].name if report(bug).findings else None


# the data


def test_there_are_at_least_sixty_bugs_each_with_a_name_of_its_own():
    assert len(BUGS) >= 60
    assert len(set(NAMES)) == len(BUGS)


@each_bug
def test_a_bug_is_told_in_full(bug):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", bug.name)
    assert len(re.findall(r"[.?!](?= |$)", bug.story)) == 2, bug.story
    assert len(re.findall(r"\.(?= |$)", bug.symptom)) == 1, bug.symptom
    assert bug.cause
    assert bug.source
    assert bug.inputs
    assert bug.trains is None or bug.trains in training.NETWORKS


@each_bug
def test_the_right_fragment_occurs_once_where_the_bug_sits(bug):
    right, wrong = bugs.right_and_wrong_source(bug)
    assert bug.right in right
    assert bug.wrong in wrong
    assert right != wrong


def test_a_fragment_that_is_gone_is_named():
    moved = Bug(
        name="moved",
        target="dense.dense",
        right="return nothing",
        wrong="",
        story="",
        symptom="",
        cause="",
        source="",
    )
    with pytest.raises(ValueError, match="moved: 'return nothing' occurs 0 times"):
        bugs.right_and_wrong_source(moved)


def test_find_knows_every_bug_and_suggests_near_names():
    assert all(bugs.find(bug.name) is bug for bug in BUGS)
    with pytest.raises(ValueError, match="no bug is called 'bias-meen'; did you mean bias-mean"):
        bugs.find("bias-meen")
    with pytest.raises(ValueError, match="twofold bugs"):
        bugs.find("?")


# planting


def test_a_planted_bug_is_everywhere_and_only_inside_the_block():
    x, dy = np.array([[-1.0, 2.0]]), np.ones((1, 2))
    relu = scratch.activations.get("relu")
    with bugs.planted(bugs.find("relu-drops-the-upstream-gradient")):
        np.testing.assert_array_equal(relu(x)[1](3 * dy), [[0, 1]])
    np.testing.assert_array_equal(relu(x)[1](3 * dy), [[0, 3]])


def test_what_a_bug_keeps_on_a_function_goes_with_it():
    with bugs.planted(bugs.find("stale-cache")):
        scratch.dense.dense(np.ones((1, 2)), np.ones((2, 1)))
        assert "x" in vars(scratch.dense.dense)
    assert not vars(scratch.dense.dense)


def test_a_method_that_calls_super_can_be_planted():
    bug = Bug(
        name="built-twice",
        target="normalization.BatchNormalization.build",
        right="super().build(input_shape)",
        wrong="super().build(input_shape[:1] * 2)",
        story="",
        symptom="",
        cause="",
        source="",
    )
    with bugs.planted(bug), pytest.raises(ValueError, match="cannot normalize"):
        scratch.normalization.BatchNormalization().forward(np.ones((3, 2)))


# the checker's opinion


@each_bug
def test_a_bug_is_caught(bug):
    assert checking.is_caught(bug, report(bug)), report(bug)


@each_bug
def test_without_the_bug_all_is_well(bug):
    assert bugs.judge(bug).ok


def test_the_first_cause_is_the_expected_one_for_nine_in_ten():
    wrong = {bug.name: first_cause(bug) for bug in BUGS if first_cause(bug) != bug.cause}
    assert len(wrong) <= len(BUGS) / 10, wrong


# scale, magnitude, equivalence


def test_scaling_multiplies_values_and_the_gradients_of_lists_too():
    def function(x):
        return [x, 2 * x], lambda dys: dys[0] + 2 * dys[1]

    values, backward = scaling.scaled(function, 1e6)(np.ones(3))
    np.testing.assert_array_equal(values, [[1e6] * 3, [2e6] * 3])
    np.testing.assert_array_equal(backward([np.ones(3), np.ones(3)]), [3e6] * 3)


def test_what_backward_does_to_a_scaled_gradient_shows_in_the_one_given():
    def function(x):
        return x, lambda dy: np.multiply(dy, 0, out=dy)

    dy = np.ones(3)
    scaling.scaled(function, 1e-6)(np.ones(3))[1](dy)
    np.testing.assert_array_equal(dy, np.zeros(3))


def test_magnitude_leaves_probabilities_labels_and_chosen_numbers_alone():
    def drawn(name, magnitude):
        return checking.drawn(bugs.find(name), 0, magnitude, "float64")

    small, large = (drawn("cross-entropy-uphill", m) for m in (1.0, 1e3))
    np.testing.assert_array_equal(large["y_true"], small["y_true"])
    np.testing.assert_array_equal(large["y_pred"], 1e3 * small["y_pred"])
    small, large = (drawn("softmax-overflows", m) for m in (1.0, 1e3))
    np.testing.assert_array_equal(large["x"], small["x"])


@pytest.mark.parametrize(
    ("name", "settings", "hidden"),
    [
        ("clipping-lengthens", {}, False),
        ("clipping-lengthens", {"scale": 1e6}, True),  # both clip
        ("relu-clips-before-the-mask", {"magnitude": 1e-3}, True),  # nothing reaches the ceiling
        ("softmax-overflows", {}, False),  # though in extended precision nothing overflows
        ("float32-inside-float64", {}, False),
        ("float32-inside-float64", {"dtype": "float32"}, True),
        ("stale-cache", {}, False),  # equal until another call comes between
        ("moving-averages-reversed", {}, False),
        ("misspelt-constructor", {}, False),
        ("bias-over-the-wrong-axis", {}, False),
    ],
)
def test_a_bug_that_changes_nothing_on_its_inputs_is_known_to(name, settings, hidden):
    assert bugs.is_equivalent(bugs.find(name), **settings) == hidden


@pytest.mark.parametrize(
    "name", ["bias-mean", "relu-overwrites-its-gradient", "gamma-without-its-input"]
)
@pytest.mark.parametrize(
    "settings", [{"scale": 1e-6}, {"scale": 1e6}, {"magnitude": 1e3}, {"magnitude": 1e-3}]
)
def test_size_hides_nothing(name, settings):
    assert bugs.check(bugs.find(name), **settings).verdict == "mismatch"
    assert bugs.judge(bugs.find(name), **settings).ok


def test_a_layer_s_loss_is_scaled_on_both_sides():
    bug = bugs.find("moving-averages-reversed")
    assert bugs.judge(bug, scale=1e6).ok
    assert bugs.check(bug, scale=1e6).verdict == "mismatch"


# optimizers


def moves(bug, **settings):
    weights = checking.drawn(bug, 0, 1.0, "float64")
    return steps.moves(resolve(bug.checked)(**settings), weights, 0, 1.0)


def test_from_the_fourth_step_on_the_learning_rate_is_half_of_what_it_was():
    bug = bugs.find("sgd-uphill")
    rates = [float(np.median(-m.move / m.gradient)) for m, _ in moves(bug, learning_rate=0.5)]
    np.testing.assert_allclose(rates, [0.5] * 3 + [0.25] * 3, rtol=1e-6)


def test_the_report_on_an_optimizer_names_weight_step_and_cause():
    found = bugs.check(bugs.find("momentum-times-the-new-learning-rate"))
    assert [row.name for row in found.rows] == ["kernel, step 4", "bias, step 4"]
    assert found.findings[0].gradient == "kernel, step 4"


# training


def test_a_bug_in_training_is_shown_beside_the_same_run_without_it():
    found = training.train(bugs.find("relu-masks-by-the-gradient"), epochs=2)
    assert len(found.right.losses) == len(found.wrong.losses) == 2
    assert found.right.losses[-1] < found.right.losses[0]
    assert found.wrong.losses[-1] > 2.2  # log(10) = 2.3 is the loss of a guess
    assert found.right.accuracy > 0.5 > found.wrong.accuracy
    assert training.train(bugs.find("bias-mean"), epochs=2).right == found.right


@pytest.mark.parametrize("name", training.NETWORKS)
def test_every_network_learns(name):
    run = training.run(training.NETWORKS[name], datasets.load("digits"), epochs=2, seed=0)
    assert run.losses[1] < run.losses[0]


def test_a_run_that_breaks_off_says_why():
    broken = Bug(**vars(bugs.find("bias-over-the-wrong-axis")) | {"trains": "relu"})
    found = training.train(broken, epochs=1)
    assert found.wrong.accuracy is None
    assert found.wrong.error.startswith("ValueError: ")


def test_a_bug_that_sits_in_no_network_is_refused():
    with pytest.raises(ValueError, match="stale-cache sits in no network"):
        training.train(bugs.find("stale-cache"))
