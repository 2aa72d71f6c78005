"""For pytest: fixtures that check gradients, whose report is shown where the test fails.

def test_my_gradient(check_gradients):
    assert check_gradients(my_function, tf_function, {"x": (5, 3)}).ok
"""

from collections.abc import Callable

import pytest


@pytest.fixture
def check_gradients(request: pytest.FixtureRequest) -> Callable:
    """comparisons.check_gradients, which returns a report; those not ok are shown on failure."""
    import comparisons

    def check(*arguments, **settings):
        report = comparisons.check_gradients(*arguments, **settings)
        if not report.ok:
            request.node.add_report_section("call", "gradients", str(report))
        return report

    return check


@pytest.fixture
def assert_gradients_match() -> Callable:
    """comparisons.assert_gradients_match, which fails the test with the report as its message."""
    import comparisons

    return comparisons.assert_gradients_match
