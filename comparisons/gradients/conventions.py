"""Kinks and ties: where one-sided derivatives differ, any value between them is a convention."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

import numpy as np

from comparisons.witnesses import Differences, Direction, largest, scale

from .contract import Finding
from .rounding import LIMIT

MANY = 2000  # elements of one tensor whose one-sided derivatives are taken

Known = Mapping[int, tuple[np.ndarray, np.ndarray]]  # (true gradient, noise) by position


@dataclass
class Elements:
    """Some elements of a gradient, with the one-sided derivatives of the function there."""

    indices: tuple[np.ndarray, ...]
    given: np.ndarray
    expected: np.ndarray
    wrong: np.ndarray
    left: np.ndarray
    right: np.ndarray
    slack: float  # what curvature may add to a one-sided difference

    @property
    def kinked(self) -> np.ndarray:
        return np.abs(self.right - self.left) > self.slack

    @property
    def excused(self) -> bool:
        """Whether each wrong element lies between its sides, and far enough from the reference."""
        ends = np.array([self.left, self.right, np.where(self.kinked, self.expected, self.left)])
        between = (ends.min(axis=0) - self.slack <= self.given) & (
            self.given <= ends.max(axis=0) + self.slack
        )
        seen = self.kinked | (np.abs(self.given - self.expected) > self.slack)
        return bool(np.all((between & seen)[self.wrong]))

    def share(self, gradient: np.ndarray, tied: bool) -> np.ndarray:
        """Where wrong elements lie: 0 at the derivative from the left, 1 at that from the right.

        Of a tie, how much of the derivative the element is given: one of its sides has none.
        """
        g, left, right = (
            part[self.wrong & self.kinked] for part in (gradient, self.left, self.right)
        )
        return g / (left + right) if tied else (g - left) / (right - left)


class Kinks:
    """The kinks of a function at one point, found by differences of relative step sqrt(eps)."""

    def __init__(self, differences: Differences, names: dict[int, str], sides, eps: float):
        self.differences, self.names, self.step = differences, names, eps**0.5
        self.here, self.there = sides
        self.arrays = {position: differences.arrays[position] for position in names}

    def conventions(self, given: Mapping[int, np.ndarray], known: Known) -> list[Finding]:
        """A finding per tensor that is wrong at kinks alone; none where kinks do not excuse it."""
        found = {p: self._elements(p, given[p], *known[p]) for p in self.names}
        if any(elements is None or not elements.excused for elements in found.values()):
            return []
        found = {p: elements for p, elements in found.items() if elements is not None}
        tied, is_shared_out = self._tie(found)
        if tied and not is_shared_out:
            return []
        return [self._finding(p, e, tied) for p, e in found.items() if e.wrong.any()]

    def _elements(self, position, given, expected, noise) -> Elements | None:
        """All elements of a small tensor, the wrong ones of a large; None where these are many."""
        wrong = np.abs(given - expected) > LIMIT * noise
        small = wrong.size <= MANY
        if not small and np.count_nonzero(wrong) > MANY:
            return None
        chosen = np.ndindex(wrong.shape) if small else map(tuple, np.argwhere(wrong))
        chosen = list(islice(chosen, MANY))
        sides = np.array([self._sides(position, index) for index in chosen]).reshape(-1, 2)
        indices = tuple(np.array(chosen, int).reshape(len(chosen), wrong.ndim).T)
        g, t, w = (np.atleast_1d(part[indices]) for part in (given, expected, wrong))
        slack = 32 * self.step * largest(expected)
        return Elements(indices, g, t, w, sides[:, 0], sides[:, 1], slack)

    def _sides(self, position, index) -> tuple[float, float]:
        direction = np.zeros(self.arrays[position].shape)
        direction[index] = unit = scale(self.arrays[position])
        return self._slopes({position: Direction(direction)}, unit)

    def _slopes(self, directions, unit) -> tuple[float, float]:
        left, right = (self.differences.slope(directions, t) for t in (-self.step, self.step))
        return left / unit, right / unit

    def _tie(self, found: dict[int, Elements]) -> tuple[bool, bool]:
        """(whether all kinked elements are smooth when moved together, whether the sum is right).

        A tie may be shared out in any way, but not be counted twice.
        """
        unit = max(scale(array) for array in self.arrays.values())
        directions = {p: np.zeros(self.arrays[p].shape) for p in found}
        for position, elements in found.items():
            directions[position][tuple(i[elements.kinked] for i in elements.indices)] = unit
        left, right = self._slopes({p: Direction(d) for p, d in directions.items()}, unit)
        count = sum(int(np.count_nonzero(elements.kinked)) for elements in found.values())
        slack = count * max(elements.slack for elements in found.values())
        total = sum(float(np.sum(e.given[e.kinked])) for e in found.values())
        return count > 1 and abs(right - left) <= slack, abs(total - (left + right) / 2) <= slack

    def _finding(self, position, elements: Elements, tied) -> Finding:
        name, wrong = self.names[position], elements.wrong
        kinked = bool(np.any(elements.kinked & wrong))
        kind = "tie" if tied else "kink" if kinked else "point"
        index = tuple(int(i[wrong][0]) for i in elements.indices)
        count, value = int(np.count_nonzero(wrong)), float(self.arrays[position][index])
        where = f" such as {list(index)} = {value:.6g}" if index else ""
        mine, theirs = self._takes(elements, tied) if kinked else self._differs(elements)
        what = f"{count} {kind}{'s' * (count > 1)} of {name}{where}"
        sentence = f"convention: at {what}, {self.here} takes {mine}, {self.there} {theirs}"
        return Finding(kind, sentence, name)

    def _takes(self, elements, tied) -> tuple[str, str]:
        both = (elements.given, elements.expected)
        mine, theirs = (_in_words(elements.share(gradient, tied), tied) for gradient in both)
        return mine, theirs

    def _differs(self, elements) -> tuple[str, str]:
        first = np.flatnonzero(elements.wrong)[0]
        mine, theirs = elements.given[first] + 0.0, elements.expected[first] + 0.0
        return f"{mine:.6g}, the derivative of its forward", f"{theirs:.6g}"


def _in_words(share: np.ndarray, tied: bool) -> str:
    if tied:
        return _shared(share)
    for value, words in ((0, "the slope from the left"), (1, "the slope from the right")):
        if _all_near(share, value):
            return words
    if _all_near(share, 0.5):
        return "the mean of both slopes"
    if _all_near(np.abs(share - 0.5), 0.5):
        return "now the left, now the right slope"
    return f"a slope between both ({np.mean(share):.2g} of the way from left to right)"


def _shared(share: np.ndarray) -> str:
    for value, words in ((0, "nothing"), (1, "all of it")):
        if _all_near(share, value):
            return words
    if _all_near(np.abs(share - 0.5), 0.5):
        return "all for one of the tied elements"
    if np.ptp(share) < 1e-3:
        return f"a share of {np.mean(share):.3g}"
    if np.all(share > 0) and _all_near(1 / share, np.round(1 / share)):
        return "an equal share for each of the tied elements"
    return "unequal shares"


def _all_near(share, value) -> bool:
    return bool(np.allclose(share, value, atol=1e-2))
