"""Is this gradient right? check_gradients and its kin, the report they return, and draw."""

from .checks import assert_gradients_match, check_gradients
from .custom import check_custom_gradient
from .inputs import draw
from .layers import check_layer
from .report import GradientReport, Row
from .rounding import LIMIT

__all__ = [
    "LIMIT",
    "GradientReport",
    "Row",
    "assert_gradients_match",
    "check_custom_gradient",
    "check_gradients",
    "check_layer",
    "draw",
]
