"""The calibration counts what it says it counts."""

import numpy as np
import pytest

from comparisons import bugs, calibration
from comparisons.bugs.bug import Bug
from comparisons.calibration import __main__ as command
from comparisons.calibration import counts, others
from comparisons.pairs import PAIRS, Pair


def named(*names):
    return [bugs.find(name) for name in names]


def harmless(**changes):
    """A bug that changes nothing."""
    given = vars(bugs.find("bias-mean")) | {
        "name": "harmless",
        "right": "dx = dy @ kernel.T if",
        "wrong": "dx = 1 * dy @ kernel.T if",
    }
    return Bug(**given | changes)


# bugs


def test_a_caught_bug_is_no_miss():
    tally = calibration.bugs_missed(2, named("bias-mean"))
    assert [len(t) for t in (tally.trials, tally.wrong, tally.equivalent)] == [10, 0, 0]
    sizes = {(trial.scale, trial.magnitude) for trial in tally.trials}
    assert sizes == {(1, 1), (1e-6, 1), (1e6, 1), (1, 1e3), (1, 1e-3)}


def test_a_bug_that_changes_nothing_is_equivalent():
    tally = calibration.bugs_missed(1, [harmless()])
    assert len(tally.trials) == len(tally.equivalent) == 5
    assert not tally.wrong


def test_a_bug_that_passes_and_changes_something_is_a_miss(monkeypatch):
    monkeypatch.setattr(counts, "check", bugs.judge)
    tally = calibration.bugs_missed(1, named("bias-mean"), settings=[(1e6, 1.0)])
    (miss,) = tally.wrong
    assert str(miss) == "bias-mean (float64, seed 0, loss * 1e+06, inputs * 1): match"


def test_a_bug_behind_a_gradient_of_zero_has_nothing_to_be_seen_by(monkeypatch):
    """Saturated, the softmax has a gradient of 1e-37, far below what rounding leaves."""
    bug = bugs.find("softmax-diagonal-only")
    tally = calibration.bugs_missed(1, [bug], settings=[(1.0, 1e3)])
    assert len(tally.vacuous) == 1
    assert not tally.wrong


def test_a_crash_of_the_checker_is_a_miss(monkeypatch):
    def crash(*_, **__):
        raise OverflowError("too large")

    monkeypatch.setattr(counts, "check", crash)
    tally = calibration.bugs_missed(1, named("bias-mean"), settings=[(1.0, 1.0)])
    assert tally.wrong[0].verdict == "the checker crashed: OverflowError('too large')"


def trial(name, cause, seed=0, **sizes):
    return calibration.Trial(name, seed, "mismatch", cause, **sizes)


def test_a_cause_counts_as_named_where_it_came_first_with_every_seed():
    gallery = named("bias-mean", "softmax-twice", "sgd-uphill")
    tally = calibration.Tally(
        [
            trial("bias-mean", "divided by N"),
            trial("bias-mean", "sign", magnitude=1e3),
            trial("softmax-twice", "forward"),
            trial("softmax-twice", "sign", seed=1),
            trial("sgd-uphill", None),
        ]
    )
    tally.equivalent = tally.trials[-1:]
    assert calibration.causes_named(tally, gallery) == (1, {"softmax-twice": ["sign"]})


# pairs


def test_a_correct_pair_is_tried_with_every_seed_in_both_dtypes():
    pair = Pair("activations", "softmax", {"x": "5x3"})
    tally = calibration.false_alarms(11, [pair])
    assert len(tally.trials) == 2 * (11 + 2 + 2)  # dtypes; as it is, ties, one sample
    assert {trial.dtype for trial in tally.trials} == {"float32", "float64"}
    assert not tally.wrong


def test_a_wrong_pair_is_refused():
    pair = Pair("activations", "softmax", {"x": "5x3"}, {"axis": 1})
    with bugs.planted(bugs.find("softmax-diagonal-only")):
        tally = calibration.false_alarms(1, [pair], dtypes=["float64"])
    assert tally.wrong[0].name == "activations.softmax"
    assert tally.wrong[0].verdict == "mismatch"


@pytest.mark.parametrize(
    ("inputs", "single"),
    [
        ({"y_true": "7:int:3", "y_pred": "7x3"}, {"y_true": "1:int:3", "y_pred": "1x3"}),
        ({"x": "3", "weights": "4x3"}, None),
        ({"x": "scalar", "weights": "3"}, None),
    ],
)
def test_one_sample_is_taken_of_a_batch_alone(inputs, single):
    cases = {pair.case: pair.inputs for pair in counts.variants(Pair("topic", "name", inputs))}
    assert cases.get("one sample") == single


def test_what_takes_more_than_one_sample_is_given_more():
    equations = Pair("topic", "name", {"x": "7x3", "y": "7"}, one_sample=False)
    assert [pair.case for pair in counts.variants(equations)] == ["", "ties"]


def test_a_pair_is_also_tried_on_ties_and_on_one_sample():
    inputs = {"x": "7x5", "kernel": "5x3", "labels": "7:int:3"}
    _, ties, single = counts.variants(Pair("dense", "dense", inputs, case="a case"))
    assert ties.inputs == {"x": "7x5:ties", "kernel": "5x3:ties", "labels": "7:int:3"}
    assert single.inputs == {"x": "1x5", "kernel": "5x3", "labels": "1:int:3"}
    assert (ties.case, single.case) == ("a case, ties", "a case, one sample")


def test_what_has_no_gradient_is_tried_as_it_is():
    draw = next(pair for pair in PAIRS if pair.kind == "draw")
    assert counts.variants(draw) == [draw]


# other checkers


def square(x):
    return x * x, lambda dy: 2 * dy * x


def cube_s_slope(x):
    return x * x, lambda dy: 3 * dy * x * x


@pytest.mark.parametrize("name", calibration.CHECKERS)
def test_another_checker_passes_a_right_gradient_and_refuses_a_wrong_one(name):
    checker = calibration.CHECKERS[name]
    x = [np.array([[1.0, -0.5, 2.0]])]
    assert others._passes(checker, square, x, [0])
    assert not others._passes(checker, cube_s_slope, x, [0])


def test_a_checker_that_fails_has_found_something():
    def broken(x):
        raise ValueError("no")

    assert not others._passes(others.central_difference, broken, [np.ones(2)], [0])


def test_a_gradient_of_another_shape_is_refused():
    def row(x):
        return x, lambda dy: dy[:1]

    assert not others.central_difference(row, [np.ones(3)], [0])


def test_side_by_side_counts_misses_on_the_bug_and_refusals_without_it():
    scores = calibration.side_by_side(1, [(1e-6, 1.0)], named("bias-mean", "sgd-uphill"))
    assert {name: (s.shown, s.missed) for name, s in scores.items()}["twofold"] == (1, 0)
    coarse = scores["tf.test.compute_gradient, float64, 1e-3"]
    assert (coarse.shown, coarse.missed, coarse.refused) == (1, 1, 0)  # 1e-6 is below 1e-3


def test_a_bug_that_changes_nothing_is_shown_to_nobody():
    scores = calibration.side_by_side(1, [(1.0, 1.0)], [harmless()])
    assert {score.shown for score in scores.values()} == {0}


# the command


@pytest.mark.parametrize(("wrong", "status"), [([], 0), ([trial("bias-mean", None)], 1)])
def test_the_command_fails_on_a_miss(monkeypatch, capsys, wrong, status):
    found = calibration.Tally([trial("bias-mean", "divided by N")], wrong)
    monkeypatch.setattr(command, "bugs_missed", lambda *_, **__: found)
    monkeypatch.setattr(command, "false_alarms", lambda *_, **__: calibration.Tally())
    monkeypatch.setattr(
        command, "side_by_side", lambda *_, **__: {"twofold": others.Score(4, 1, 0)}
    )
    assert command.main(["--quick"]) == status
    printed = capsys.readouterr().out
    assert "named first for 1 (100.0%) of the bugs" in printed
    assert "1 (25.0%)" in printed


def test_a_quick_calibration_takes_one_seed(monkeypatch):
    seeds = {}
    for name in ("bugs_missed", "false_alarms"):
        count = lambda n, name=name, **_: seeds.update({name: n}) or calibration.Tally()  # noqa: E731
        monkeypatch.setattr(command, name, count)
    monkeypatch.setattr(command, "side_by_side", lambda n, *_, **__: seeds.update(others=n) or {})
    command.main(["--quick"])
    assert seeds == {"bugs_missed": 1, "false_alarms": 1, "others": 1}
    command.main(["--seeds", "30"])
    assert seeds == {"bugs_missed": 30, "false_alarms": 300, "others": 3}
