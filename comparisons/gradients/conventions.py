"""Kinks and ties: where one-sided derivatives differ, any value between them is a convention."""

from dataclasses import dataclass
from itertools import islice

import numpy as np

from comparisons.witnesses import Differences, scale

from .contract import Finding

MANY = 2000  # elements of one tensor whose one-sided derivatives are taken


@dataclass(frozen=True)
class Sides:
    """The one-sided derivatives of some elements of a tensor."""

    indices: tuple[np.ndarray, ...]
    left: np.ndarray
    right: np.ndarray

    def share(self, gradient: np.ndarray, tied: bool) -> np.ndarray:
        """Where the gradient lies: 0 at the derivative from the left, 1 at that from the right.

        Of a tie, how much of the derivative the element is given: one of its sides has none.
        """
        g = gradient[self.indices]
        if tied:
            return g / (self.left + self.right)
        return (g - self.left) / (self.right - self.left)


class Kinks:
    """The kinks of a function at one point, found by differences of relative step sqrt(eps)."""

    def __init__(self, differences: Differences, names: dict[int, str], sides, eps: float):
        self.differences, self.names, self.step = differences, names, eps**0.5
        self.here, self.there = sides
        self.arrays = {position: differences.arrays[position] for position in names}

    def conventions(self, given, expected, wrong) -> list[Finding] | None:
        """A finding per tensor that is wrong at kinks alone; None where kinks do not excuse it.

        given and expected are gradients by position, wrong their masks.
        """
        kinks = {position: self._kinks(position, expected, wrong) for position in self.names}
        for position in self.names:
            if not self._between(
                kinks[position], given[position], expected[position], wrong[position]
            ):
                return None
        tied = self._is_tie(kinks)
        if tied and not self._same_sum(kinks, given, expected):
            return None
        at_fault = [position for position in self.names if wrong[position].any()]
        return [self._finding(p, kinks[p], given[p], expected[p], wrong[p], tied) for p in at_fault]

    def _kinks(self, position, expected, wrong) -> Sides:
        """The elements, all of a small tensor and the wrong ones of a large, that have a kink."""
        every = np.ndindex(wrong[position].shape)
        chosen = (
            every
            if wrong[position].size <= MANY
            else zip(*np.nonzero(wrong[position]), strict=True)
        )
        indices = list(islice(chosen, MANY))
        sides = [self._sides(position, index) for index in indices]
        kinked = [abs(right - left) > self._slack(expected[position]) for left, right in sides]
        kept = [(i, *s) for i, s, kink in zip(indices, sides, kinked, strict=True) if kink]
        axes = np.array([i for i, *_ in kept], int).reshape(len(kept), wrong[position].ndim).T
        return Sides(tuple(axes), np.array([k[1] for k in kept]), np.array([k[2] for k in kept]))

    def _sides(self, position, index) -> tuple[float, float]:
        direction = np.zeros(self.arrays[position].shape)
        direction[index] = scale(self.arrays[position])
        return self._slopes({position: direction}, float(direction[index]))

    def _slopes(self, directions, unit) -> tuple[float, float]:
        left = self.differences.slope(directions, 0, -self.step)
        return left / unit, self.differences.slope(directions, self.step, 0) / unit

    def _slack(self, expected) -> float:
        """What curvature may add to a one-sided difference."""
        return 32 * self.step * float(np.max(np.abs(expected), initial=0.0))

    def _between(self, sides: Sides, given, expected, wrong) -> bool:
        at_kinks = np.zeros(wrong.shape, bool)
        at_kinks[sides.indices] = True
        if np.any(wrong & ~at_kinks):
            return False
        g, t, slack = given[sides.indices], expected[sides.indices], self._slack(expected)
        low = np.minimum(np.minimum(sides.left, sides.right), t) - slack
        return bool(
            np.all((low <= g) & (g <= np.maximum(np.maximum(sides.left, sides.right), t) + slack))
        )

    def _joint(self, kinks) -> dict[int, np.ndarray]:
        """One step for all elements at kinks together."""
        directions = {}
        for position, sides in kinks.items():
            directions[position] = np.zeros(self.arrays[position].shape)
            directions[position][sides.indices] = 1.0
        return directions

    def _is_tie(self, kinks) -> bool:
        """Elements that are kinked one by one, and smooth when all of them move together."""
        unit = max(scale(array) for array in self.arrays.values())
        directions = {p: unit * v for p, v in self._joint(kinks).items()}
        left, right = self._slopes(directions, unit)
        largest = max(np.max(np.abs([s.left, s.right]), initial=0.0) for s in kinks.values())
        count = sum(len(sides.left) for sides in kinks.values())
        self.joint = (left + right) / 2
        self.joint_slack = 32 * self.step * largest * count
        return count > 1 and abs(right - left) <= self.joint_slack

    def _same_sum(self, kinks, given, expected) -> bool:
        """A tie may be shared out in any way, but not be counted twice."""
        total = sum(float(np.sum(given[p][sides.indices])) for p, sides in kinks.items())
        return abs(total - self.joint) <= self.joint_slack

    def _finding(self, position, sides, given, expected, wrong, tied) -> Finding:
        name, count = self.names[position], int(np.count_nonzero(wrong))
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        at_fault = wrong[sides.indices]
        mine, theirs = (_in_words(sides.share(g, tied)[at_fault], tied) for g in (given, expected))
        where = (
            f" such as {list(index)} = {float(self.arrays[position][index]):.6g}" if index else ""
        )
        kind = "tie" if tied else "kink"
        what = f"{count} {kind}{'s' * (count > 1)} of {name}{where}"
        sentence = f"convention: at {what}, {self.here} takes {mine}, {self.there} {theirs}"
        return Finding(kind, sentence, name)


def _in_words(share: np.ndarray, tied: bool) -> str:
    if tied:
        return _shared(share)
    for value, words in ((0, "the slope from the left"), (1, "the slope from the right")):
        if np.allclose(share, value, atol=1e-3):
            return words
    if np.allclose(share, 0.5, atol=1e-3):
        return "the mean of both slopes"
    if np.allclose(np.abs(share - 0.5), 0.5, atol=1e-3):
        return "now the left, now the right slope"
    return f"a slope between both ({np.mean(share):.2g} of the way from left to right)"


def _shared(share: np.ndarray) -> str:
    if np.allclose(share, 0, atol=1e-3):
        return "nothing"
    if np.allclose(share, 1, atol=1e-3):
        return "all of it"
    if np.allclose(np.abs(share - 0.5), 0.5, atol=1e-3):
        return "all for one of the tied elements"
    if np.ptp(share) < 1e-3:
        return f"a share of {np.mean(share):.3g}"
    if np.allclose(1 / share, np.round(1 / share), atol=1e-2):
        return "an equal share for each of the tied elements"
    return "unequal shares"
