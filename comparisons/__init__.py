"""The harness: trains scratch and reference from one seed and says whether and why they differ."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .gradients import (
        GradientReport,
        assert_gradients_match,
        check_custom_gradient,
        check_gradients,
        check_layer,
    )

__all__ = [
    "GradientReport",
    "assert_gradients_match",
    "check_custom_gradient",
    "check_gradients",
    "check_layer",
]


def __getattr__(name: str) -> Any:
    """The checker, imported on first use: the command answers before NumPy is loaded."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import gradients

    return getattr(gradients, name)
