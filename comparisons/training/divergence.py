"""The free runs: how far they part, how far rounding alone would part them, and where it begins."""

import numpy as np

from comparisons.results import Divergence

from .kinks import flips, kinks, received, received_by_reference
from .rounding import apart, largest
from .state import State

MULTIPLE = 30.0  # of the envelope; see CONTRIBUTING.md
JUMP = 4.0


class FreeRuns:
    """Follows scratch, the reference, and scratch started one unit in the last place away.

    The last one's distance from scratch is the envelope: what rounding alone makes of a run. The
    first step at which scratch and reference jump apart is searched for a flip.
    """

    def __init__(self, network, nudged, reference):
        self.network = network
        self.nudged = nudged
        self.reference = reference
        self.differences: list[float] = []
        self.envelope: list[float] = []
        self.divergence: Divergence | None = None
        self.outside: int | None = None

    def follow(self, number, x, here_before: State, there_before: State, there_after: State):
        """Judge the step just taken, from the states before it on both sides."""
        before = max(self.differences, default=0.0)
        self.differences.append(distance(self.network.weights, there_after.weights))
        self.envelope.append(distance(self.network.weights, self.nudged.weights))
        if self.divergence is None and self.differences[-1] > JUMP * before:
            self.divergence = self._flip(number, x, here_before, there_before)
        if self.divergence is None and self.outside is None and self._is_outside():
            self.outside = number

    def _is_outside(self):
        floor = np.finfo(self.network.weights[0].dtype).eps * largest_weight(self.network)
        return self.differences[-1] > MULTIPLE * max(*self.envelope, floor)

    def _flip(self, number, x, here_before, there_before):
        here = received(self.network, here_before, x)
        there = received_by_reference(self.reference, there_before, x)
        places = kinks(self.network)
        found = flips(places, here, there)
        if not found:
            return None
        flip = min(found, key=lambda flip: abs(flip.scratch - flip.reference))
        kink = places[flip.place]
        words = f"step {number}, {flip.sentence(kink)}"
        return Divergence(number, kink.layer.name, flip.index, flip.scratch, flip.reference, words)


def distance(here: list[np.ndarray], there: list[np.ndarray]) -> float:
    """The largest difference between two lists of weights, in the sense of `apart`."""
    return max(apart(h, t) for h, t in zip(here, there, strict=True))


def largest_weight(network) -> float:
    return max(largest(weight) for weight in network.weights)
