"""The plugin that installing twofold gives to pytest, used as a stranger would."""

pytest_plugins = ["pytester"]

GRADIENTS = """
    import numpy as np
    import tensorflow as tf

    def square(x):
        return x * x, lambda dy: dy * 2 * x

    def forgotten_two(x):
        return x * x, lambda dy: dy * x

    def test_right(check_gradients):
        assert check_gradients(square, tf.square, {"x": (5, 3)}).ok

    def test_wrong(check_gradients):
        assert check_gradients(forgotten_two, tf.square, {"x": (5, 3)}).ok

    def test_asserted(assert_gradients_match):
        assert_gradients_match(square, inputs={"x": (5, 3)})

    def test_asserted_wrong(assert_gradients_match):
        assert_gradients_match(forgotten_two, inputs={"x": (5, 3)})
"""


def test_failures_read_like_the_report(pytester):
    pytester.makepyfile(GRADIENTS)
    outcome = pytester.runpytest_inprocess()
    outcome.assert_outcomes(passed=2, failed=2)
    text = outcome.stdout.str()
    assert "Captured gradients call" in text
    assert "E       forgotten_two: mismatch  (float64, seed 0)" in text
    assert text.count("dx is exactly 2 times too small") >= 2


def test_the_fixtures_are_there_without_being_imported(pytester):
    listed = pytester.runpytest_inprocess("--fixtures").stdout.str()
    assert "check_gradients" in listed
    assert "assert_gradients_match" in listed
