"""Causes in the gradient of a normalisation, whose formula is known in full."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from comparisons.diagnosis.evidence import Evidence, Guess, aligned, listed

Array = np.ndarray
EPSILONS = (1e-3, 1e-5, 1e-6, 1e-7, 1e-8, 1e-12, 0.0)


@dataclass(frozen=True)
class Normalization:
    """y = (x - mean(x)) ÷ √(var(x) + epsilon) over some axes; not centred, the mean is left out."""

    x: Array
    dy: Array
    axes: tuple[int, ...]
    epsilon: float
    centred: bool

    @property
    def spread(self) -> Array:
        if self.centred:
            return self.x.var(axis=self.axes, keepdims=True)
        return (self.x**2).mean(axis=self.axes, keepdims=True)

    def average(self, array: Array) -> Array:
        return array.mean(axis=self.axes, keepdims=True)

    def gradient(self, deviation: Array | None = None, mean=True, variance=True) -> Array:
        """dx = (dy - mean(dy) - y · mean(dy · y)) ÷ deviation, with or without its terms."""
        deviation = np.sqrt(self.spread + self.epsilon) if deviation is None else deviation
        y = (self.x - self.average(self.x) * self.centred) / deviation
        dx = self.dy - self.average(self.dy) if mean and self.centred else self.dy
        return (dx - y * self.average(self.dy * y) if variance else dx) / deviation


def normalization_mistakes(evidence: Evidence) -> Iterator[Guess]:
    """given = the gradient of the normalisation in forward, with one of its parts wrong."""
    layers = (layer for layer in _candidates(evidence) if evidence.agrees(layer.gradient()))
    for layer in itertools.islice(layers, 1):
        over = f"the normalisation over axis {listed(layer.axes)}"
        for name, prediction, why in _wrong(layer):
            says = f"is exactly the gradient of {over} {why}"
            yield Guess(name, prediction, says, prior=2, recomputed=True)


def _candidates(evidence: Evidence) -> Iterator[Normalization]:
    """Every normalisation of x: over which axes, with which scale and epsilon, centred or not."""
    x = evidence.own
    if x is None or x.ndim < 2 or evidence.dy.shape != x.shape:
        return
    given = [v for k, v in evidence.numbers.items() if "eps" in k]
    for dy in _scaled(evidence, x.shape):
        for axes in _reduced_axes(x.ndim):
            for epsilon in dict.fromkeys([*given, *EPSILONS]):
                yield Normalization(x, dy, axes, epsilon, centred=True)
                yield Normalization(x, dy, axes, epsilon, centred=False)


def _scaled(evidence: Evidence, shape: tuple[int, ...]) -> Iterator[Array]:
    yield evidence.dy
    for name, scale in evidence.floats.items():
        if name != evidence.name and scale.ndim == 1:
            yield from (evidence.dy * s for s in aligned(scale, shape))


def _reduced_axes(ndim: int) -> list[tuple[int, ...]]:
    """Those of layer, batch and instance normalisation."""
    axes = [(ndim - 1,), range(ndim - 1), range(1, ndim), range(1, ndim - 1)]
    return [a for a in dict.fromkeys(map(tuple, axes)) if a]


def _wrong(layer: Normalization) -> Iterator[tuple[str, Array, str]]:
    """The classic mistakes: cause, gradient, in words."""
    why = "without the term - mean(dy), which comes from the mean"
    yield "mean term", layer.gradient(mean=False), why
    why = "without the term - y · mean(dy · y), which comes from the variance"
    yield "variance term", layer.gradient(variance=False), why
    why = "with the mean and the variance taken for constants"
    yield "mean and variance terms", layer.gradient(mean=False, variance=False), why
    why = "with the variance where its root belongs"
    yield "variance for deviation", layer.gradient(layer.spread + layer.epsilon), why
    n = int(np.prod([layer.x.shape[a] for a in layer.axes]))
    unbiased = np.sqrt(layer.spread * n / max(n - 1, 1) + layer.epsilon)
    why = f"with a variance divided by N - 1 = {n - 1} instead of N = {n}"
    yield "degrees of freedom", layer.gradient(unbiased), why
    for axes in set(_reduced_axes(layer.x.ndim)) - {layer.axes}:
        why = f"taken over axis {listed(axes)} instead"
        yield "wrong axis", replace(layer, axes=axes).gradient(), why
    yield from _other_epsilons(layer)


def _other_epsilons(layer: Normalization) -> Iterator[tuple[str, Array, str]]:
    instead = f"instead of {layer.epsilon:g}"
    for epsilon in {*EPSILONS, layer.epsilon}:
        why = f"with epsilon {epsilon:g} {instead}"
        yield "epsilon", replace(layer, epsilon=epsilon).gradient(), why
        why = f"with epsilon {epsilon:g} outside the root {instead} inside it"
        yield "epsilon", layer.gradient(np.sqrt(layer.spread) + epsilon), why
