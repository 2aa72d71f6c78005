"""Causes in which the gradient is right up to a factor: a number, one per axis, or an array."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from comparisons.diagnosis.evidence import (
    EPSILON,
    MARGIN,
    TINY,
    Evidence,
    Guess,
    aligned,
    axis_sets,
    listed,
    typical_ratio,
)

Array = np.ndarray


@dataclass(frozen=True)
class Factor:
    """A number that a classic mistake multiplies the gradient by, where it comes from, and why."""

    value: float
    name: str
    fact: str
    why: str
    prior: float = 1


def zero_gradient(evidence: Evidence) -> Iterator[Guess]:
    """given = 0."""
    says = (
        f"is zero everywhere, where values up to {np.abs(evidence.expected).max(initial=0):.3g} "
        "are expected: it was never written, was stopped (stop_gradient, a rounding, a "
        "comparison), or was multiplied by a mask that is off"
    )
    yield Guess("zero gradient", np.zeros_like(evidence.given), says, prior=0)


def constant_factor(evidence: Evidence) -> Iterator[Guess]:
    """given = c · expected, c named where a size, a rate or a well-known number equals it."""
    factor = typical_ratio(evidence.given, evidence.expected)
    spread = _spread(evidence)
    if factor == 0 or abs(factor - 1) <= max(spread, 1e-10):
        return
    near = [f for f in known_factors(evidence) if abs(f.value / factor - 1) <= spread]
    if near:
        first = min(near, key=lambda f: f.prior)
        says = how_large(first.value) + _meanings(near)
        yield Guess(first.name, first.value * evidence.expected, says, prior=first.prior)
    name, says = _unknown(factor)
    yield Guess(name, factor * evidence.expected, says, parameters=1)


def _meanings(factors: list[Factor]) -> str:
    """What equal factors can mean, where one is about as likely as the likeliest."""
    factors = sorted(factors, key=lambda f: f.prior)
    likely = [f for f in factors if f.prior < factors[0].prior + 2]
    meanings = [f"{f.fact}: {f.why}" if f.fact else f.why for f in likely]
    return (", and " if factors[0].fact else ": ") + "; or ".join(dict.fromkeys(meanings))


def _unknown(factor: float) -> tuple[str, str]:
    """What a factor means that no size or argument of the call explains."""
    if abs(factor - 1) < 1e-6:
        says = f"is exactly the right gradient times 1 {factor - 1:+.3g}"
        return "float32 constant", f"{says}: a constant of the formula was rounded, as by float32"
    says = f"{how_large(factor)} in every entry"
    if abs(factor - round(factor)) < 1e-9 and abs(factor) > 1:
        times = f"{round(abs(factor))} times"
        return "constant factor", f"{says}: a whole number, so something was counted {times}"
    why = "a constant of the formula was forgotten, doubled or mistyped"
    return "constant factor", f"{says}: {why}"


def _spread(evidence: Evidence) -> float:
    """The relative error that rounding leaves in the ratio of the larger entries."""
    return MARGIN * (typical_ratio(evidence.noise, np.abs(evidence.expected)) + 2 * EPSILON)


def how_large(factor: float) -> str:
    if factor == -1:
        return "has the wrong sign everywhere"
    sign = " and has the wrong sign" if factor < 0 else ""
    times, direction = (abs(factor), "large") if abs(factor) > 1 else (1 / abs(factor), "small")
    return f"is exactly {times:.7g} times too {direction}{sign}"


def known_factors(evidence: Evidence) -> Iterator[Factor]:
    """Every factor that the sizes, arguments and norms of this call explain, with either sign."""
    yield Factor(-1, "sign", "", "a minus was lost, or a difference was taken the other way round")
    for family in (_common, _batch, _classes, _axes, _roots, _arguments, _upstream, _norms):
        for factor in family(evidence):
            yield factor
            yield replace(factor, value=-factor.value, prior=factor.prior + 4)


def _common(evidence: Evidence) -> Iterator[Factor]:
    why = "the factor of a square, or added twice (a term counted twice, or an earlier call's)"
    yield Factor(2, "times 2", "", why, 1.5)
    why = "the factor 2 of a square is missing, or only one of two equal parts was counted"
    yield Factor(0.5, "half", "", why, 1.5)
    for base in (2, 10):
        size, why = float(np.log(base)), f"a logarithm to base {base} is involved"
        yield Factor(size, "log base", f"ln {base} is {size:.5g}", why, 6)
        yield Factor(1 / size, "log base", f"1/ln {base} is {1 / size:.5g}", why, 6)


def batch_size(evidence: Evidence) -> int:
    """N: the first axis of the upstream gradient, or of the first input that has one."""
    arrays = [evidence.dy, *evidence.inputs.values()]
    return next((len(a) for a in map(np.asarray, arrays) if a.ndim), 1)


def class_count(evidence: Evidence) -> int:
    """C: the last axis of the output, of the gradient, or of an input that has two axes."""
    arrays = [evidence.value, evidence.expected, *evidence.inputs.values()]
    return next((a.shape[-1] for a in map(np.asarray, arrays) if a.ndim > 1), 1)


def _batch(evidence: Evidence) -> Iterator[Factor]:
    n = batch_size(evidence)
    if n > 1:
        has = f"the batch has {n} samples"
        yield Factor(n, "times N", has, "the sum over the batch was not divided by its size")
        why = "divided by the batch size once too often, or averaged where a sum belongs"
        yield Factor(1 / n, "divided by N", has, why)
        yield Factor((n - 1) / n, "degrees of freedom", has, "N stands where N - 1 belongs", 6)
        yield Factor(n / (n - 1), "degrees of freedom", has, "N - 1 stands where N belongs", 6)


def _classes(evidence: Evidence) -> Iterator[Factor]:
    n, c = batch_size(evidence), class_count(evidence)
    if c > 1:
        has = f"there are {c} classes or features"
        yield Factor(c, "times C", has, "the mean over the last axis lost its division", 2)
        yield Factor(1 / c, "divided by C", has, "divided by their number once too often", 2)
    if c > 1 and n > 1:
        has = f"{n} samples of {c} classes or features make {n * c}"
        yield Factor(n * c, "times N*C", has, "the mean over all entries lost its division", 3)
        yield Factor(1 / (n * c), "divided by N*C", has, "a mean was taken over all entries", 3)


def _axes(evidence: Evidence) -> Iterator[Factor]:
    """The other sizes, and how many entries of dy each entry of the gradient sums."""
    n, c = batch_size(evidence), class_count(evidence)
    for size, where in _sizes(evidence):
        if size not in (n, c, n * c):
            yield Factor(size, "times axis size", where, "a mean lost its division by it", 5)
            yield Factor(1 / size, "divided by axis size", where, "a sum was divided by it", 5)
    summed = evidence.dy.size / max(evidence.expected.size, 1)
    if summed > 1 and summed == round(summed):
        has = f"each of its entries sums {summed:.0f} entries of the upstream gradient"
        yield Factor(1 / summed, "mean over broadcast axes", has, "they were averaged", 1.8)


def _sizes(evidence: Evidence) -> Iterator[tuple[int, str]]:
    """The size of each axis, and of each block of neighbouring axes, of inputs and output."""
    for name, array in {**evidence.inputs, "the output": evidence.value}.items():
        shape = np.shape(array)
        for start, stop in combinations(range(len(shape) + 1), 2):
            if (size := int(np.prod(shape[start:stop]))) > 1:
                yield size, f"axis {listed(range(start, stop))} of {name} has {size} entries"


def _roots(evidence: Evidence) -> Iterator[Factor]:
    for d, where in _sizes(evidence):
        has = f"√{d} = {np.sqrt(d):.5g}, where {where}"
        yield Factor(np.sqrt(d), "times sqrt(d)", has, "the division by √d was left out", 4)
        yield Factor(1 / np.sqrt(d), "divided by sqrt(d)", has, "1/√d was applied twice", 4)


def _arguments(evidence: Evidence) -> Iterator[Factor]:
    for key, v in evidence.numbers.items():
        if 0 < v < 1:
            keep, share = 1 - v, f"{key}={v:g} keeps a share of {1 - v:g}"
            yield Factor(keep, "keep rate", share, "the division by it was left out", 2)
            yield Factor(1 / keep, "keep rate", share, "it was divided out once too often", 2)
        for power in (1, -1, 2, -2) if v not in (0, 1, -1, 2) else ():
            has, why = f"{key}={v:g}, to the power {power}", "it was left out or applied twice"
            yield Factor(v**power, "argument factor", has, why, 3 + abs(power))


def _upstream(evidence: Evidence) -> Iterator[Factor]:
    """A single upstream number, used once too often or not at all."""
    if evidence.dy.size == 1 and (dy := evidence.dy.item()):
        has = f"the upstream gradient is {dy:.7g}"
        yield Factor(1 / dy, "upstream ignored", has, "it was not multiplied in", 2)
        yield Factor(dy, "upstream twice", has, "it was multiplied in twice", 2)


def _norms(evidence: Evidence) -> Iterator[Factor]:
    """given has norm 1 (or a norm given as argument) where expected has another."""
    top = np.abs(evidence.expected).max()
    norm = top * float(np.linalg.norm(evidence.expected / top))
    bounds = {1.0, *(abs(v) for v in evidence.numbers.values() if v)}
    for what, size in {"norm": norm, "largest entry": top}.items() if norm > top else ():
        for bound in bounds:
            has = f"its {what} is {bound:g} instead of {size:.5g}"
            yield Factor(bound / size, "normalised", has, "it was normalised or clipped", 3)


def normalised_rows(evidence: Evidence) -> Iterator[Guess]:
    """given = expected ÷ ‖expected‖ along one axis."""
    for axis in range(evidence.expected.ndim) if evidence.expected.ndim > 1 else ():
        norm = np.linalg.norm(evidence.expected, axis=axis, keepdims=True)
        says = f"has norm exactly 1 in every slice along axis {axis}: it was normalised"
        yield Guess("normalised", evidence.expected / np.maximum(norm, TINY), says)


def factor_per_axis(evidence: Evidence) -> Iterator[Guess]:
    """given = c_j · expected, with one c for each index j along some of the axes."""
    e, g = evidence.expected, evidence.given
    scale = max(np.abs(e).max(), TINY)
    for others in axis_sets(e.ndim):
        kept = tuple(set(range(e.ndim)) - set(others))
        total = ((e / scale) ** 2).sum(axis=others, keepdims=True)
        c = (g / scale * (e / scale)).sum(axis=others, keepdims=True) / np.where(total, total, 1)
        wrong = np.any(evidence.wrong, axis=others, keepdims=True)
        name, why = "factor per axis", "a weight or a normalisation that varies along it is wrong"
        if _only_at_ends(wrong, kept):
            name, why = "at borders", "it is wrong at the ends only, as by a count of neighbours"
        says = (
            f"is exactly the right gradient times a factor of its own at each index of axis "
            f"{listed(kept)}, {_from_to(c)}: {why}"
        )
        if kept:
            yield Guess(name, c * e, says, parameters=wrong.sum())


def _from_to(numbers: Array) -> str:
    """From the least to the largest, with as many digits as tell them apart."""
    ends = float(numbers.min()), float(numbers.max())
    for digits in (4, 8, 12, 16):
        low, high = (f"{end:.{digits}g}" for end in ends)
        if low != high:
            break
    return f"from {low} to {high}"


def _only_at_ends(wrong: Array, axes: tuple[int, ...]) -> bool:
    """Whether everything wrong lies at the first or last index of spatial axes."""
    spatial = all(0 < a < wrong.ndim - 1 and wrong.shape[a] > 2 for a in axes)
    inner = tuple(slice(1, -1) if a in axes else slice(None) for a in range(wrong.ndim))
    return spatial and not wrong[inner].any()


def array_factor(evidence: Evidence) -> Iterator[Guess]:
    """given = expected · a or expected ÷ a, with an input, the output or the upstream gradient."""
    for what, array, prior in _arrays(evidence):
        for a in aligned(array, evidence.expected.shape):
            for power in (1, -1, 2, -2):
                yield _times_power(evidence, what, a, power, prior)


def _times_power(evidence: Evidence, what: str, a: Array, power: int, prior: float) -> Guess:
    """given = expected · a^power; where a is zero, its inverse says nothing."""
    unknown = (a == 0) & (power < 0)
    prediction = evidence.expected * np.where(unknown, 1, a) ** float(power)
    prediction = np.where(unknown, evidence.given, prediction)
    name, why = _array_cause(what, power)
    square = " squared" if abs(power) == 2 else ""
    says = f"is exactly the right gradient {'times' if power > 0 else 'divided by'} {what}{square}"
    parameters = np.sum(unknown & evidence.wrong)
    return Guess(name, prediction, f"{says}: {why}", parameters, prior + abs(power))


def _arrays(evidence: Evidence) -> Iterator[tuple[str, Array, float]]:
    y = evidence.value
    yield "the upstream gradient", evidence.dy, 2
    for name, array in evidence.floats.items():
        yield name, array, 3
    yield "the output", y, 4
    yield "the sigmoid's slope y(1-y)", y * (1 - y), 3
    yield "tanh's slope 1-y²", 1 - y**2, 3


def _array_cause(what: str, power: int) -> tuple[str, str]:
    """The cause when an array was multiplied in once too often (power > 0) or too rarely."""
    once = "was multiplied in once too often" if power > 0 else "was not multiplied in"
    if what == "the upstream gradient":
        return "upstream twice" if power > 0 else "upstream ignored", f"{what} {once}"
    if "slope" in what:
        return "derivative twice" if power > 0 else "derivative missing", f"{what} {once}"
    return "extra factor" if power > 0 else "missing factor", f"{what} {once} (chain rule)"
