"""Every row of the table of pairs, judged by the checker once in each dtype."""

import pytest

from comparisons.agreement import check_pair
from comparisons.pairs import PAIRS
from comparisons.results import GOOD_VERDICTS

LAYERS = [pair for pair in PAIRS if pair.kind == "layer"]
OTHERS = [pair for pair in PAIRS if pair.kind != "layer"]


def case(pair, dtype, **settings):
    return pytest.param(pair, dtype, id=f"{pair.title} {pair.kind} {dtype}", **settings)


CASES = [
    *(case(pair, "float64") for pair in PAIRS),
    *(case(pair, "float32") for pair in OTHERS),
    # minutes; the tests of each layer hold it to Keras's in float32 as well
    *(case(pair, "float32", marks=pytest.mark.slow) for pair in LAYERS),
]


@pytest.mark.parametrize(("pair", "dtype"), CASES)
def test_both_sides_of_a_pair_agree(pair, dtype):
    result = check_pair(pair, dtype)
    assert result.verdict in GOOD_VERDICTS, f"{pair.title}: {result.cause}"
