"""Three independent derivatives: TensorFlow's tape, the complex step, and differences.

The tape differentiates the reference. The other two differentiate the function under test itself,
from its forward pass alone: both give d/dt Σ dy·forward(arrays + t·direction) at t = 0.
"""

from .arbiter import SLOW, Arbiter
from .arrays import LARGE, Arrays, frozen, jittered, largest, norm, probe, scale
from .derivatives import (
    ComplexStep,
    Derivative,
    Differences,
    Direction,
    Directions,
    Unusable,
)
from .recorded import tape

__all__ = [
    "LARGE",
    "SLOW",
    "Arbiter",
    "Arrays",
    "ComplexStep",
    "Derivative",
    "Differences",
    "Direction",
    "Directions",
    "Unusable",
    "frozen",
    "jittered",
    "largest",
    "norm",
    "probe",
    "scale",
    "tape",
]
