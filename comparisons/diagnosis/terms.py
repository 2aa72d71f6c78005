"""Causes in which a term was added or left out, or another array was returned."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from comparisons.diagnosis.chain import images
from comparisons.diagnosis.evidence import (
    TINY,
    Evidence,
    Guess,
    axis_sets,
    listed,
    rms,
    typical_ratio,
)

Array = np.ndarray


def added_array(evidence: Evidence) -> Iterator[Guess]:
    """given = expected + c · a, for an array of the call: weights (L2), dy (a residual), …"""
    for name, what, array, why in _addends(evidence):
        fitted = typical_ratio(evidence.difference, array)
        if fitted == 0:
            continue
        how = "left out" if fitted < 0 else "added, though it does not belong there, or added twice"
        for factor, parameters in [(_well_known(evidence, fitted), 0), (fitted, 1)]:
            says = f"minus the right gradient is exactly {factor:.6g} times {what}: {why} was {how}"
            prediction = evidence.expected + factor * array
            yield Guess(name, prediction, says, parameters, prior=7)


def _addends(evidence: Evidence) -> Iterator[tuple[str, str, Array, str]]:
    """Arrays of the gradient's shape: cause, array in words, array, what adding it means."""
    shape = evidence.expected.shape
    if (own := evidence.own) is not None:
        dy, times = (evidence.dy.item(), "dy * ") if evidence.dy.size == 1 else (1.0, "")
        sign = f"{times}sign({evidence.name})"
        yield "L2 term", f"{times}{evidence.name}", dy * own, "the gradient of an L2 penalty"
        yield "L1 term", sign, dy * np.sign(own), "the gradient of an L1 penalty"
    for name, a in evidence.floats.items():
        if name != evidence.name and a.shape == shape:
            yield "input added", name, a, "this input"
    if evidence.value.shape == shape:
        yield "value added", "the output", evidence.value, "the output itself"
    for formula, image in images(evidence):
        why = "one path of the gradient (a residual connection, a second use of the input)"
        what = "the upstream gradient dy" if formula == "dy" else formula
        yield "path missing", what, image(evidence.dy), why
        if evidence.value.shape == evidence.dy.shape and evidence.value.min(initial=0) == 0:
            behind_relu = image(evidence.dy * (evidence.value > 0))
            yield "path missing", f"{what} where the output is positive", behind_relu, why
    for name, a in evidence.all_expected.items():
        if name != evidence.name and np.shape(a) == shape:
            yield "other gradient added", f"d{name}", np.asarray(a, float), "another gradient"
    yield "constant added", "1", np.ones(shape), "the same number in every entry"


def _well_known(evidence: Evidence, factor: float) -> float:
    """The nearest of ±1, ±2, ±½, and such multiples of the numbers among the arguments."""
    numbers = [1.0, *(abs(v) for v in evidence.numbers.values() if v)]
    known = [multiple * v for v in numbers for multiple in (1, 2, 0.5)]
    return float(np.copysign(min(known, key=lambda k: abs(abs(factor) - k)), factor))


def term_along_axis(evidence: Evidence) -> Iterator[Guess]:
    """given = expected + b, expected + b · a or both, with numbers b shared along some axes."""
    e, d = evidence.expected, evidence.difference
    for axes in axis_sets(e.ndim):
        groups = e.size // int(np.prod([e.shape[a] for a in axes]))
        along = f"constant along axis {listed(axes)}"
        if groups > 1:
            mean = d.mean(axis=axes, keepdims=True)
            says = (
                f"minus the right gradient is exactly {along}{_sums(evidence, axes)}: a term that "
                "subtracts a mean or a sum over this axis is missing"
            )
            yield Guess("mean term", e + mean, says, parameters=groups)
        if groups > 1 and evidence.dy.shape == e.shape:
            says = (
                f"minus the right gradient is exactly dy times a number that is {along}: the path "
                "straight from dy is scaled wrongly, as by a weight that is left out on it"
            )
            scaled = e + _along(d, evidence.dy, axes)
            yield Guess("path missing", scaled, says, groups, prior=6)
        for what, a in _directions(evidence):
            yield from _terms_of(evidence, axes, f"a number that is {along}", groups, what, a)


def _terms_of(evidence, axes, number: str, groups: int, what: str, a: Array) -> Iterator[Guess]:
    """The difference as an array times such numbers: as it is, centred, and beside a mean."""
    e, d = evidence.expected, evidence.difference
    slope = _along(d, a - a.mean(axis=axes, keepdims=True), axes)
    if groups > 1:
        says = (
            f"minus the right gradient is exactly {what} times {number}: the term that projects "
            f"onto {what} is missing (from the denominator of a norm or a softmax)"
        )
        yield Guess("projection term", e + _along(d, a, axes), says, groups, 5)
    says = (
        f"minus the right gradient is exactly ({what} minus its mean) times {number}: the term "
        "that comes from the variance is missing or wrong"
    )
    yield Guess("variance term", e + slope, says, groups, 4)
    says = (
        f"minus the right gradient is exactly {what} times {number}, plus another such number: the "
        "terms that come from the mean and the variance are missing"
    )
    both = e + d.mean(axis=axes, keepdims=True) + slope
    yield Guess("mean and variance terms", both, says, 2 * groups, 4)


def _directions(evidence: Evidence) -> Iterator[tuple[str, Array]]:
    if evidence.own is not None:
        yield evidence.name, evidence.own
    if evidence.value.shape == evidence.expected.shape:
        yield "the output", evidence.value


def _along(d: Array, a: Array, axes: tuple[int, ...]) -> Array:
    """a · Σ(d · a) ÷ Σ(a · a): d projected onto a, for each slice along the axes."""
    a = a / max(np.abs(a).max(initial=0), TINY)
    norm = (a * a).sum(axis=axes, keepdims=True)
    return a * (d * a).sum(axis=axes, keepdims=True) / np.where(norm, norm, 1)


def _sums(evidence: Evidence, axes: tuple[int, ...]) -> str:
    given, expected = (rms(a.sum(axis=axes)) for a in (evidence.given, evidence.expected))
    if expected > 1e-6 * given:
        return ""
    return f" (the right one sums to zero there, this one to ±{given:.3g})"


def low_rank(evidence: Evidence) -> Iterator[Guess]:
    """given = expected + u ⊗ v: a term that is one outer product is missing."""
    d, wrong = evidence.difference, evidence.wrong
    if d.ndim != 2 or min(d.shape) < 3 or d.size > 1e5:
        return
    if not (wrong.any(axis=0).all() and wrong.any(axis=1).all()):  # some rows, one outer product
        return
    top = np.abs(d).max()
    u, s, v = np.linalg.svd(d / top, full_matrices=False)
    says = (
        "minus the right gradient is exactly one outer product u ⊗ v: one contribution of the form "
        "outer(x, dy), such as that of a sample or a time step, is missing or counted twice"
    )
    prediction = evidence.expected + top * s[0] * np.outer(u[:, 0], v[0])
    yield Guess("outer product", prediction, says, sum(d.shape) - 1, prior=6, recomputed=True)


def other_gradient(evidence: Evidence) -> Iterator[Guess]:
    """given = the right gradient of another input."""
    for name, expected in evidence.all_expected.items():
        if name == evidence.name or np.shape(expected) != evidence.given.shape:
            continue
        theirs = np.asarray(evidence.all_given.get(name, np.nan), float)
        if theirs.shape == evidence.expected.shape and evidence.agrees(theirs):
            cause, why = "swapped gradients", f"and d{name} is {evidence.label}"
        else:
            cause, why = "wrong argument", "so the derivative was taken for the wrong argument"
        says = f"is exactly the right d{name}, {why}"
        yield Guess(cause, np.asarray(expected, float), says, prior=1, recomputed=True)


def not_a_gradient(evidence: Evidence) -> Iterator[Guess]:
    """given = an input, or the output."""
    for what, a in {"the output": evidence.value, **evidence.floats}.items():
        says = f"is exactly {what}: an array of the forward pass stands in place of its gradient"
        yield Guess("not a gradient", a, says)


def changed_entries(evidence: Evidence) -> Iterator[Guess]:
    """given = f(expected) entry by entry: clipped, its sign lost, rounded to integers."""
    g, e = evidence.given, evidence.expected
    top, low = float(g.max()), float(g.min())
    says = (
        f"is exactly the right gradient clipped to [{low:.6g}, {top:.6g}]: "
        f"{np.sum((g == top) | (g == low))} entries sit on the bounds"
    )
    if top > low:
        yield Guess("clipped", np.clip(e, low, top), says, parameters=1 if top == -low else 2)
    changes = {
        "sign lost": (np.abs(e), "without its sign: an abs too many"),
        "sign only": (np.sign(e), "reduced to its sign"),
        "squared": (e * e, "squared: it was multiplied by itself"),
        "integer cast": (np.rint(e), "rounded to whole numbers: an integer array holds it"),
        "integer cut": (np.trunc(e), "cut off to whole numbers: an integer array holds it"),
    }
    for name, (prediction, why) in changes.items():
        if prediction.any():
            says = f"is exactly the right gradient {why}"
            yield Guess(name.replace("cut", "cast"), prediction, says, prior=5)
