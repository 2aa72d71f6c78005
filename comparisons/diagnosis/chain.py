"""Causes in the chain rule: a wrong upstream gradient, or a wrong derivative.

Where a simple chain (elementwise, x.T @ dy, dy @ kernel.T, a sum, behind an activation) reproduces
the right gradient, the same chain is computed with each classic mistake in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from comparisons.diagnosis.evidence import Evidence, Guess, listed, typical_ratio

Array = np.ndarray
Function = Callable[[Array], Array]

MANY = 1e9  # multiplications beyond which a chain is not recomputed
UNKNOWN = "the function"
UNUSUAL = {  # handicaps of mistakes that easily look like others
    "value for derivative": 4,
    "mask from upstream": 5,
    "upstream overwritten": 5,
    "divided by derivative": 5,
    "another activation": 6,
}


@dataclass(frozen=True)
class Chain:
    """expected = image(dy · slope): how the right gradient follows from the upstream one."""

    formula: str
    image: Function
    activation: str
    slope: Array
    x: Array | None = None


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def _normal_cdf(x: Array) -> Array:
    return (1 + np.vectorize(math.erf, otypes=[float])(x / math.sqrt(2))) / 2


def _gelu_slope(x: Array) -> Array:
    return _normal_cdf(x) + x * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)


def _gelu_tanh(x: Array) -> Array:
    return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


def _gelu_tanh_slope(x: Array) -> Array:
    t = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    return (1 + t) / 2 + x * (1 - t**2) * (1 + 0.134145 * x**2) / math.sqrt(2 * math.pi)


FUNCTIONS: dict[str, tuple[Function, Function]] = {  # the function and its slope, both of x
    "sigmoid": (sigmoid, lambda x: sigmoid(x) * (1 - sigmoid(x))),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "relu": (lambda x: x * (x > 0), lambda x: (x > 0) * 1.0),
    "softplus": (lambda x: np.logaddexp(0, x), sigmoid),
    "elu": (lambda x: np.where(x > 0, x, np.expm1(x)), lambda x: np.exp(np.minimum(x, 0))),
    "silu": (lambda x: x * sigmoid(x), lambda x: sigmoid(x) * (1 + x * (1 - sigmoid(x)))),
    "gelu": (lambda x: x * _normal_cdf(x), _gelu_slope),
    "gelu (tanh)": (_gelu_tanh, _gelu_tanh_slope),
    "softsign": (lambda x: x / (1 + np.abs(x)), lambda x: (1 + np.abs(x)) ** -2.0),
    "exp": (np.exp, np.exp),
    "log": (np.log, lambda x: 1 / x),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x)),
    "square": (np.square, lambda x: 2 * x),
    "sin": (np.sin, np.cos),
    "cos": (np.cos, lambda x: -np.sin(x)),
}

OUTPUT_SLOPES: dict[str, Function] = {  # slopes in terms of the output y
    "linear": np.ones_like,
    "sigmoid": lambda y: y * (1 - y),
    "tanh": lambda y: 1 - y**2,
    "relu": lambda y: (y > 0) * 1.0,
    "softplus": lambda y: -np.expm1(-y),
    "elu": lambda y: np.where(y > 0, 1, y + 1),
    "exp": lambda y: y,
}


def images(evidence: Evidence) -> Iterator[tuple[str, Function]]:
    """What a linear step makes of an upstream gradient, where the result has given's shape."""
    dy, shape = evidence.dy, evidence.given.shape
    if dy.shape == shape:
        yield "dy", lambda u: u
    else:
        for axes in summed_axes(dy.shape, shape):
            yield f"dy summed over axis {listed(axes)}", sum_over(axes, shape)
    for name, a in evidence.floats.items():
        if name != evidence.name:
            yield from _matrix_products(name, a, dy, shape)
            yield from _entry_products(name, a, dy, shape)


def summed_axes(start: tuple[int, ...], stop: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The axes whose sum turns one shape into another, up to axes of length one."""
    wanted = [s for s in stop if s != 1]
    for count in range(1, min(len(start), 5) + 1):
        for axes in combinations(range(len(start)), count):
            if [s for i, s in enumerate(start) if i not in axes and s != 1] == wanted:
                yield axes


def sum_over(axes: tuple[int, ...], shape: tuple[int, ...]) -> Function:
    return lambda u: u.sum(axis=axes).reshape(shape)


def _matrix_products(
    name: str, a: Array, dy: Array, shape: tuple
) -> Iterator[tuple[str, Function]]:
    """a.T @ dy, dy @ a.T and dy @ a, where their shapes are those of the gradient."""
    if a.ndim < 2 or dy.ndim < 2 or a.size * dy.shape[-1] > MANY:
        return
    rows = a.reshape(-1, a.shape[-1])
    if len(rows) * dy.shape[-1] == dy.size and shape == (a.shape[-1], dy.shape[-1]):
        yield f"{name}.T @ dy", lambda u: rows.T @ u.reshape(-1, u.shape[-1])
    for formula, matrix in {f"dy @ {name}.T": a.T, f"dy @ {name}": a}.items():
        if a.ndim == 2 and dy.shape[-1] == len(matrix):
            if shape == (*dy.shape[:-1], matrix.shape[1]):
                yield formula, lambda u, m=matrix: u @ m


def _entry_products(name: str, a: Array, dy: Array, shape: tuple) -> Iterator[tuple[str, Function]]:
    """a · dy, summed where the gradient has fewer axes."""
    sizes = zip(a.shape[::-1], dy.shape[::-1], strict=False)
    if a.ndim > dy.ndim or not all(x in (1, y) for x, y in sizes):
        return
    if shape == dy.shape:
        yield f"dy · {name}", lambda u: u * a
        return
    for axes in summed_axes(dy.shape, shape):
        summed = sum_over(axes, shape)
        yield f"dy · {name} summed over axis {listed(axes)}", lambda u, f=summed: f(u * a)


def chains(evidence: Evidence) -> Iterator[Chain]:
    """For each linear step, the first activation with which it gives the right gradient."""
    dy = evidence.dy
    for formula, image in images(evidence):
        for activation, slope, x in _slopes(evidence):
            # Keras rounds some constants (gelu's) through float32
            if evidence.agrees(image(dy * slope), relative=1e-8):
                yield Chain(formula, image, activation, slope, x)
                break
        else:
            if formula == "dy" and dy.all() and dy.shape == evidence.value.shape:
                yield Chain(formula, image, UNKNOWN, evidence.expected / dy, evidence.own)


def _slopes(evidence: Evidence) -> Iterator[tuple[str, Array, Array | None]]:
    """The slopes with which the output, or the input and the output, agree."""
    x, y = evidence.own, evidence.value
    if y.shape != evidence.dy.shape:
        return
    if x is not None and x.shape == y.shape:
        for name, (function, slope) in FUNCTIONS.items():
            if np.allclose(function(x), y, rtol=1e-6, atol=0):
                yield name, slope(x), x
    for name, slope in OUTPUT_SLOPES.items():
        if np.isfinite(slope(y)).all():
            yield name, slope(y), None


def unscaled(evidence: Evidence) -> Evidence:
    """The same call without the constant c that multiplies the output: value ÷ c and dy · c."""
    c = _output_constant(evidence)
    return replace(evidence, dy=c * evidence.dy, value=evidence.value / c) if c != 1 else evidence


def _output_constant(evidence: Evidence) -> float:
    """The c in value = c · f(x), or in expected = c · image(dy), where f or image is known."""
    x, y = evidence.own, evidence.value
    for function in _functions(x) if x is not None and x.shape == y.shape else ():
        c = typical_ratio(y, function)
        if c and np.allclose(c * function, y, rtol=1e-6, atol=0):
            return c if abs(c - 1) > 1e-6 else 1.0
    for _, image in images(evidence) if evidence.same_shape else ():
        c = typical_ratio(evidence.expected, image(evidence.dy))
        if c and evidence.agrees(c * image(evidence.dy)):
            return c if abs(c - 1) > 1e-6 else 1.0
    return 1.0


def _functions(x: Array) -> Iterator[Array]:
    yield from (function(x) for function, _ in FUNCTIONS.values())
    for axis in range(x.ndim):
        shifted = x - x.max(axis, keepdims=True)
        total = np.exp(shifted).sum(axis, keepdims=True)
        yield np.exp(shifted) / total
        yield shifted - np.log(total)


def chain_mistakes(evidence: Evidence) -> Iterator[Guess]:
    """given = the right chain with one of its parts wrong."""
    for chain in chains(evidence):
        for name, upstream, how, why in _wrong_upstreams(evidence, chain):
            how = f"({how})" if " " in how and chain.formula != "dy" else how
            says = f"is exactly {chain.formula.replace('dy', how)}: {why}"
            prior = UNUSUAL.get(name, 3) + 3 * (chain.activation == UNKNOWN)
            yield Guess(name, chain.image(upstream), says, prior=prior, recomputed=True)


Wrong = Iterator[tuple[str, Array, str, str]]  # cause, what stands for dy · slope, formula, reason


def _wrong_upstreams(evidence: Evidence, chain: Chain) -> Wrong:
    dy, s, y, f = evidence.dy, chain.slope, evidence.value, chain.activation
    if f != "linear":
        yield "derivative missing", dy, "dy", f"the derivative of {f} was left out"
        yield "derivative twice", dy * s * s, f"dy · {f}'²", f"the derivative of {f} came twice"
        why = f"divided by the derivative of {f}, where it must be multiplied"
        yield "divided by derivative", dy / np.where(s, s, 1), f"dy ÷ {f}'", why
        yield "upstream ignored", s, f"{f}'", "the upstream gradient was not multiplied in"
    else:
        yield "upstream ignored", s, "ones", "the upstream gradient was not multiplied in"
    yield "upstream twice", dy * dy * s, "dy · dy", "the upstream gradient was multiplied in twice"
    yield "value for derivative", dy * y, "dy · y", "the output stands where its derivative belongs"
    yield from _wrong_masks(evidence, chain)
    yield from _wrong_places(evidence, chain)
    yield from _wrong_samples(evidence, chain)


def _wrong_masks(evidence: Evidence, chain: Chain) -> Wrong:
    """A mask from the wrong array, or left behind in dy by an earlier use."""
    dy, upstream = evidence.dy, evidence.dy * chain.slope
    why = "the mask was taken from the upstream gradient instead of from x"
    yield "mask from upstream", dy * (dy > 0), "dy · (dy > 0)", why
    if chain.x is not None:
        right, left = (typical_ratio(chain.slope, (s * chain.x > 0) * 1.0) for s in (1, -1))
        if right != left:
            yield "mask from upstream", dy * np.where(dy > 0, right, left), "dy · slope(dy)", why
    why = "the upstream gradient was overwritten (masked in place) before it was used here"
    for name, a in {"y": evidence.value, **evidence.floats}.items():
        if a.shape == dy.shape and np.any((upstream != 0) & (a <= 0)):
            yield "upstream overwritten", upstream * (a > 0), f"dy · ({name} > 0)", why


def _wrong_places(evidence: Evidence, chain: Chain) -> Wrong:
    """The derivative of the right function in the wrong place, or of the wrong function."""
    dy, y, x, f = evidence.dy, evidence.value, chain.x, chain.activation
    if f in FUNCTIONS:
        why = f"the derivative of {f} was taken at the output y instead of at the input x"
        yield "derivative at the output", dy * FUNCTIONS[f][1](y), f"dy · {f}'(y)", why
    others = [(name, slope(y)) for name, slope in OUTPUT_SLOPES.items() if name != "linear"]
    if x is not None:
        others += [(name, slope(x)) for name, (_, slope) in FUNCTIONS.items()]
        if f in OUTPUT_SLOPES:
            why = (
                f"the formula for the derivative of {f} in terms of the output was given the input"
            )
            yield "derivative at the input", dy * OUTPUT_SLOPES[f](x), f"dy · {f}'", why
    for other, slope in [pair for pair in others if pair[0] != f]:
        why = f"the derivative of {other} stands where that of {f} belongs"
        yield "another activation", dy * slope, f"dy · {other}'", why


def _wrong_samples(evidence: Evidence, chain: Chain) -> Wrong:
    """One sample left out of a sum over the batch, or the only one in it."""
    upstream = evidence.dy * chain.slope
    sums = "summed" in chain.formula or ".T @" in chain.formula
    for i in range(len(upstream)) if sums and len(upstream) * evidence.given.size < 1e6 else ():
        only = np.zeros_like(upstream)
        only[i] = upstream[i]
        why = f"sample {i} is missing from the sum over the batch"
        yield "sample left out", upstream - only, f"dy without sample {i}", why
        why = f"only sample {i} entered the sum over the batch"
        yield "one sample only", only, f"dy of sample {i}", why


def unverified_chain(evidence: Evidence) -> Iterator[Guess]:
    """given = what a linear step makes of dy, or of ones: too simple to be the right gradient."""
    for formula, image in images(evidence):
        says = (
            f"is exactly {formula}: a derivative, or another factor of the chain rule, is missing"
        )
        yield Guess("derivative missing", image(evidence.dy), says, prior=5, recomputed=True)
        ones = image(np.ones_like(evidence.dy))
        formula = formula.replace("dy", "ones")
        says = f"is exactly {formula}: the upstream gradient was not multiplied in"
        yield Guess("upstream ignored", ones, says, prior=5, recomputed=True)


def wrong_axis(evidence: Evidence) -> Iterator[Guess]:
    """given = the right terms summed over other axes than those that were broadcast."""
    dy, e, shape = evidence.dy, evidence.expected, evidence.given.shape
    products = {f"dy · {k}": dy * a for k, a in evidence.floats.items() if a.shape == dy.shape}
    for formula, term in {"dy": dy, **products}.items():
        for right in summed_axes(dy.shape, e.shape):
            if not evidence.agrees(sum_over(right, e.shape)(term)):
                continue
            for axes in summed_axes(dy.shape, shape):
                says = (
                    f"is exactly {formula} summed over axis {listed(axes)}, where {evidence.name} "
                    f"was broadcast along axis {listed(right)}: the sum runs over the wrong axis"
                )
                if not set(axes) >= set(right):
                    summed = sum_over(axes, shape)(term)
                    yield Guess("wrong axis", summed, says, prior=2, recomputed=True)
