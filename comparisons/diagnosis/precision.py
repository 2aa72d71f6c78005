"""Causes that show in the size of the difference: float32 inside float64, another epsilon, …"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from comparisons.diagnosis.evidence import SAMPLE, TINY, Cause, Evidence, Guess, listed, rms

Array = np.ndarray
FEW = 0.01  # the share of wrong entries below which they are singled out
FLOAT32, FLOAT64 = 2.0**-19, 2.0**-34  # the relative differences that rounding can make


def low_precision(evidence: Evidence) -> Iterator[Guess]:
    """Every entry of given is a float32 (float16, bfloat16) number, and close to the right one."""
    relative = rms(evidence.difference) / max(rms(evidence.expected), TINY)
    for dtype, bits in {"float32": 24, "float16": 11, "bfloat16": 8}.items():
        if relative < 2.0 ** (6 - bits) and not _has_bits(evidence.expected, bits):
            says = (
                f"consists of exactly {dtype} numbers (the relative difference is {relative:.2g}): "
                f"the formula is right, but the result passed through {dtype}"
            )
            name = "float32 leak" if dtype == "float32" else "half precision"
            if _has_bits(evidence.given, bits):
                yield Guess(name, evidence.given, says, evidence.wrong.sum() / 2, prior=0)


def _has_bits(array: Array, bits: int) -> bool:
    """Whether so many significant bits are enough for every number."""
    scaled = np.frexp(array)[0] * 2.0**bits
    return bool(np.all(scaled == np.rint(scaled)))


def another_epsilon(evidence: Evidence) -> Iterator[Guess]:
    """given · (q + ε)^k = expected · (q + ε₀)^k, for a denominator q made of an input."""
    e = evidence.expected
    ratio = evidence.given / np.where(e, e, 1)
    some = np.flatnonzero(evidence.wrong & (ratio > 0))[:SAMPLE]
    right = [0.0, *(v for k, v in evidence.numbers.items() if "eps" in k)]
    for what, q in _denominators(evidence) if some.size else ():
        for old in right:
            for form, solve, change in _EPSILONS:
                found = solve(q.ravel()[some], old, ratio.ravel()[some])
                new = float(np.median(found))
                says = (
                    f"is exactly what epsilon {new:.4g} instead of {old:.4g} in the denominator "
                    f"{form.format(what)} gives: backward and forward use different epsilons, or "
                    "put them in different places"
                )
                if 0 < new < 0.1 and np.median(np.abs(found - new)) < 0.1 * new:
                    yield Guess("epsilon", e * change(q, old, new), says, 1, prior=6)


_EPSILONS = (  # where it stands, epsilon from the ratio r, the ratio from epsilon
    ("{}", lambda q, old, r: (q + old) / r - q, lambda q, old, new: (q + old) / (q + new)),
    (
        "√({})",
        lambda q, old, r: (q + old) / r**2 - q,
        lambda q, old, new: np.sqrt((q + old) / (q + new)),
    ),
    (
        "√({}), inside the root",
        lambda q, old, r: ((np.sqrt(q) + old) / r) ** 2 - q,
        lambda q, old, new: (np.sqrt(q) + old) / np.sqrt(q + new),
    ),
    (
        "√({}), outside the root",
        lambda q, old, r: np.sqrt(q + old) / r - np.sqrt(q),
        lambda q, old, new: np.sqrt(q + old) / (np.sqrt(q) + new),
    ),
)


def _denominators(evidence: Evidence) -> Iterator[tuple[str, Array]]:
    """Positive quantities that formulas divide by, spread over the gradient's shape."""
    shape = evidence.expected.shape
    for name, x in {**evidence.floats, "the output": evidence.value}.items():
        if x.shape == shape and x.all():
            yield f"|{name}|", np.abs(x)
            yield f"{name}²", x**2
        for axes in [(x.ndim - 1,), (*range(x.ndim - 1),), (*range(1, x.ndim - 1),)]:
            for what, q in _spreads(name, x, axes) if axes and x.ndim > 1 and x.size else ():
                for candidate in (q, q.squeeze(axis=axes)):
                    if _spreads_to(candidate.shape, shape) and candidate.all():
                        yield what, np.broadcast_to(candidate, shape)


def _spreads(name: str, x: Array, axes: tuple[int, ...]) -> Iterator[tuple[str, Array]]:
    along = f"over axis {listed(axes)}"
    yield f"variance of {name} {along}", x.var(axis=axes, keepdims=True)
    yield f"mean square of {name} {along}", (x**2).mean(axis=axes, keepdims=True)
    yield f"sum of squares of {name} {along}", (x**2).sum(axis=axes, keepdims=True)


def _spreads_to(small: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    sizes = zip(small[::-1], shape[::-1], strict=False)
    return len(small) <= len(shape) and all(a in (1, b) for a, b in sizes)


def unexplained(evidence: Evidence) -> Cause:
    """What the difference looks like where no test fits: its size, or its worst entry."""
    e = evidence.expected
    relative = rms(evidence.difference) / max(rms(e), TINY)
    if evidence.is_zero:
        return _not_zero(evidence)
    if evidence.wrong.mean() < FEW:
        return _few(evidence)
    if relative > 1e-2:
        return _no_pattern(evidence)
    name, why = next((n, w) for n, fits, w in _SIZES if fits(evidence, relative))
    sentence = f"{evidence.label} is off by a relative {relative:.2g}, {why}; {_worst(evidence)}"
    return Cause(name, sentence, 0.0)


def _one_sided(evidence: Evidence, _: float) -> bool:
    """Whether the wrong entries are nearly all too large, or nearly all too small."""
    outward = np.abs(evidence.given) > np.abs(evidence.expected)
    return evidence.wrong.sum() >= 8 and not 0.1 < outward[evidence.wrong].mean() < 0.9


_SIZES = (
    (
        "rounding",
        lambda _, relative: relative < FLOAT64,
        "so the formula is right, but loses digits, typically by subtracting nearly equal numbers",
    ),
    (
        "epsilon",
        _one_sided,
        "nearly always to the same side: typically another epsilon in a denominator, or a "
        "constant that is slightly off",
    ),
    (
        "float32 leak",
        lambda _, relative: relative < FLOAT32,
        "the size of float32 rounding: an array or a constant of the backward pass is float32",
    ),
    (
        "approximation",
        lambda *_: True,
        "too large for rounding and small for a wrong formula: typically an approximation (tanh "
        "for erf), an epsilon or a clip",
    ),
)


def _few(evidence: Evidence) -> Cause:
    count = "few" if evidence.kept else f"{evidence.wrong.sum():,}"  # a part was counted
    sentence = f"{evidence.label} is wrong in {count} of its entries alone, {_worst(evidence)}"
    return Cause("few entries", sentence, 0.0)


def _not_zero(evidence: Evidence) -> Cause:
    why = "should be zero everywhere: terms that cancel each other are missing or wrong"
    return Cause("not zero", f"{evidence.label} {why}; {_worst(evidence)}", 0.0)


def _no_pattern(evidence: Evidence) -> Cause:
    e, g = evidence.expected, evidence.given
    cosine = (e / rms(e) * (g / max(rms(g), TINY))).mean()
    sentence = (
        f"no simple pattern: {evidence.wrong.mean():.0%} of the entries of {evidence.label} "
        f"differ, {_worst(evidence)}; its cosine with the right gradient is {cosine:+.3f}"
    )
    return Cause("no simple pattern", sentence, 0.0)


def _worst(evidence: Evidence) -> str:
    size = np.abs(evidence.difference)
    worst = np.unravel_index(np.argmax(size), size.shape)
    index = [str(evidence.at(axis, i)) for axis, i in enumerate(worst)]
    place = f"worst at [{', '.join(index)}]" if worst else "namely"
    return f"{place}: {evidence.given[worst]:.6g} instead of {evidence.expected[worst]:.6g}"


def rounding(evidence: Evidence) -> Cause:
    """The difference is what rounding explains, or a small multiple of it."""
    ratio = np.max(np.abs(evidence.difference) / np.maximum(evidence.noise, TINY), initial=0)
    size = f"is within {ratio:.2g} times the rounding noise of" if ratio else "equals"
    sentence = f"{evidence.label} {size} the right gradient: a few digits are off, not a term"
    return Cause("rounding", sentence, 0.0)


def not_finite(evidence: Evidence) -> Cause:
    """NaN or infinity, in the gradient or in what it is compared with."""
    wrong_given = not np.isfinite(evidence.given).all()
    whose = evidence.label if wrong_given else f"the reference for {evidence.label}"
    bad = ~np.isfinite(evidence.given if wrong_given else evidence.expected)
    sentence = (
        f"{whose} is NaN or infinite in {bad.sum()} of {bad.size} entries, first at "
        f"{np.argwhere(bad)[0].tolist()}{_inputs_there(evidence, bad)}: 0/0, a logarithm or a root "
        "of 0, or an exp that overflows"
    )
    return Cause("not finite", sentence, 1.0)


def _inputs_there(evidence: Evidence, bad: Array) -> str:
    if evidence.own is None or evidence.own.shape != bad.shape:
        return ""
    least = np.abs(evidence.own[bad]).min()
    return f", where |{evidence.name}| is {least:.3g}" + (" or more" if least else "")
