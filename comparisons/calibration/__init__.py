"""What the checker misses and when it cries wolf, counted: python -m comparisons.calibration."""

from .counts import Tally, Trial, bugs_missed, causes_named, false_alarms
from .others import CHECKERS, side_by_side

__all__ = [
    "CHECKERS",
    "Tally",
    "Trial",
    "bugs_missed",
    "causes_named",
    "false_alarms",
    "side_by_side",
]
