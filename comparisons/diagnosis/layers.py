"""Causes in the gradients of known layers: softmax, embedding, convolution, losses."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from comparisons.diagnosis.chain import MANY, sigmoid
from comparisons.diagnosis.evidence import TINY, Evidence, Guess, listed, typical_ratio

Array = np.ndarray


def _exactly(name: str, prediction: Array, says: str, prior: float = 2) -> Guess:
    return Guess(name, prediction, f"is exactly {says}", prior=prior, recomputed=True)


def softmax_mistakes(evidence: Evidence) -> Iterator[Guess]:
    """given = the gradient of the softmax, or of its logarithm, with a part of it left out."""
    dy, y = evidence.dy, evidence.value
    for axis in range(y.ndim) if dy.shape == y.shape == evidence.given.shape else ():
        for gradient, mistakes in (_softmax, _wrong_softmax), (_log_softmax, _wrong_log_softmax):
            if evidence.agrees(gradient(y, dy, axis)):
                yield from mistakes(y, dy, axis)
                yield from _along_other_axes(gradient, y, dy, axis)


def _softmax(y: Array, dy: Array, axis: int | None) -> Array:
    return y * (dy - (dy * y).sum(axis, keepdims=True))


def _log_softmax(y: Array, dy: Array, axis: int | None) -> Array:
    return dy - np.exp(y) * dy.sum(axis, keepdims=True)


def _along_other_axes(gradient, y: Array, dy: Array, axis: int) -> Iterator[Guess]:
    for other in {None, *range(y.ndim)} - {axis}:
        along = "the whole array" if other is None else f"axis {other}"
        says = f"the softmax's gradient along {along}, where it runs along axis {axis}"
        yield _exactly("wrong axis", gradient(y, dy, other), says)


def _wrong_softmax(y: Array, dy: Array, axis: int) -> Iterator[Guess]:
    says = (
        "dy · y · (1 - y): only the diagonal of the softmax's Jacobian was used, but each output "
        "depends on the other inputs too, by -y_i · y_j"
    )
    yield _exactly("softmax diagonal only", dy * y * (1 - y), says)
    says = "dy · y: the term - y · Σ(dy · y), from the softmax's denominator, is missing"
    yield _exactly("softmax sum missing", dy * y, says)
    says = "y · (dy - Σ dy): the sum in the softmax's gradient misses its factor y"
    yield _exactly("softmax sum missing", y * (dy - dy.sum(axis, keepdims=True)), says)
    says = "y · (1 - y): the upstream gradient was not multiplied in"
    yield _exactly("upstream ignored", y * (1 - y), says)


def _wrong_log_softmax(y: Array, dy: Array, axis: int) -> Iterator[Guess]:
    says = "dy: the term - softmax · Σ dy, from the softmax's denominator, is missing"
    yield _exactly("softmax sum missing", dy, says)
    says = (
        "dy · (1 - softmax): only the diagonal of the Jacobian was used, but each output depends "
        "on the other inputs too, so that softmax is to be multiplied by Σ dy"
    )
    yield _exactly("softmax diagonal only", dy * (1 - np.exp(y)), says)


def shifted_labels(evidence: Evidence) -> Iterator[Guess]:
    """given = the gradient for the neighbouring labels: expected + c · (onehot - its neighbour)."""
    e, dy = evidence.expected, evidence.dy
    for name, label in evidence.integers.items():
        if not e.ndim or label.shape != e.shape[:-1] or dy.shape not in (label.shape, ()):
            continue
        right = _one_hot(label, e.shape[-1])
        for k in (-1, 1):
            wrong = _one_hot(label + k, e.shape[-1])
            difference = (dy[..., None] if dy.ndim else dy) * (right - wrong)
            factor = typical_ratio(evidence.difference, difference)
            says = f"the right gradient for {name} {k:+d}: an off-by-one between labels and indices"
            yield _exactly("label off by one", e + factor * difference, says)


def _one_hot(label: Array, classes: int) -> Array:
    return np.eye(classes)[label % classes]


def duplicate_indices(evidence: Evidence) -> Iterator[Guess]:
    """given[index] = dy where given[index] += dy belongs: repeated indices are not added up."""
    e, dy = evidence.expected, evidence.dy
    for name, index in evidence.integers.items():
        if not e.ndim or dy.shape != index.shape + e.shape[1:] or not fits(index, len(e)):
            continue
        flat, rows = index.ravel(), dy.reshape((-1, *e.shape[1:]))
        counts = np.bincount(flat % len(e), minlength=len(e))
        for prediction, how in _wrong_scatters(e, flat, rows, counts) if counts.max() > 1 else ():
            says = (
                f"is wrong exactly where {np.sum(counts > 1)} indices occur more than once in "
                f"{name}: {how} (d[index] += dy does not add repeated indices, np.add.at does)"
            )
            yield Guess("duplicate indices", prediction, says, prior=2)


def fits(index: Array, rows: int) -> bool:
    """Whether these are indices of so many rows."""
    return bool(-rows <= index.min() and index.max() < rows)


def _wrong_scatters(
    e: Array, flat: Array, rows: Array, counts: Array
) -> Iterator[tuple[Array, str]]:
    last, first = np.zeros_like(e), np.zeros_like(e)
    last[flat] = rows
    first[flat[::-1]] = rows[::-1]
    yield last, "only the last occurrence is kept"
    yield first, "only the first occurrence is kept"
    yield e / counts.clip(1).reshape((-1,) + (1,) * (e.ndim - 1)), "they are averaged, not added"


def one_copy_only(evidence: Evidence) -> Iterator[Guess]:
    """given = dy[start::step]: of the copies that forward made, one alone gets its gradient."""
    dy, shape = evidence.dy, evidence.expected.shape
    if dy.ndim != len(shape) or any(n == 0 or m % n for m, n in zip(dy.shape, shape, strict=True)):
        return
    steps = [m // n for m, n in zip(dy.shape, shape, strict=True)]
    for start in np.ndindex(*steps) if 1 < np.prod(steps) <= 64 else ():
        copy = dy[tuple(slice(a, None, step) for a, step in zip(start, steps, strict=True))]
        says = (
            f"is exactly dy from {listed(start)} on in steps of {listed(steps)}: of the copies "
            "that forward made of an entry, only one gives its gradient, where all add up"
        )
        yield Guess("one copy only", copy, says, prior=2, recomputed=True)


def kernel_not_flipped(evidence: Evidence) -> Iterator[Guess]:
    """dx = convolution(dy, kernel), stride 1, with the kernel the wrong way round."""
    x, dy = evidence.own, evidence.dy
    for name, kernel in evidence.floats.items():
        if x is None or not 2 < kernel.ndim == x.ndim == dy.ndim or x.size * kernel.size > MANY:
            continue
        if (len(x), *kernel.shape[-2:]) != (len(dy), x.shape[-1], dy.shape[-1]):
            continue
        crop = _crop(dy.shape, kernel.shape, x.shape)
        if crop and evidence.agrees(_full_convolution(dy, kernel)[crop]):
            turned = np.flip(kernel, tuple(range(kernel.ndim - 2)))
            says = f"the right formula with {name} flipped the wrong way round"
            yield _exactly("kernel not flipped", _full_convolution(dy, turned)[crop], says)


def _full_convolution(dy: Array, kernel: Array) -> Array:
    """full[position + offset] += dy[position] @ kernel[offset].T for every offset."""
    window, size = kernel.shape[:-2], dy.shape[1:-1]
    spatial = [s + k - 1 for s, k in zip(size, window, strict=True)]
    full = np.zeros((len(dy), *spatial, kernel.shape[-2]))
    for offset in np.ndindex(*window):
        place = tuple(slice(o, o + s) for o, s in zip(offset, size, strict=True))
        full[(slice(None), *place)] += dy @ kernel[offset].T
    return full


def _crop(dy: tuple, kernel: tuple, x: tuple) -> tuple[slice, ...] | None:
    """Where x lies inside the full convolution: padding is split evenly, the odd one last."""
    full = [s + k - 1 for s, k in zip(dy[1:-1], kernel[:-2], strict=True)]
    spare = [f - s for f, s in zip(full, x[1:-1], strict=True)]
    if min(spare) < 0:
        return None
    inner = [slice(p // 2, p // 2 + s) for p, s in zip(spare, x[1:-1], strict=True)]
    return (slice(None), *inner, slice(None))


def another_loss(evidence: Evidence) -> Iterator[Guess]:
    """given = the gradient of another loss of the same targets and predictions."""
    p, g, e = evidence.own, evidence.given, evidence.expected
    targets = [a for k, a in evidence.floats.items() if k != evidence.name and a.shape == e.shape]
    if p is None or p.ndim == 0 or not targets or evidence.dy.shape != p.shape[: evidence.dy.ndim]:
        return
    dy = evidence.dy.reshape(evidence.dy.shape + (1,) * (p.ndim - evidence.dy.ndim))
    slopes = {name: slope * dy for name, slope in _loss_slopes(targets[0], p).items()}
    right = [name for name, slope in slopes.items() if evidence.agrees(_projected(e, slope))]
    for name, slope in slopes.items() if right else ():
        if name not in right:
            says = (
                f"proportional to dy · ({name}), where ({right[0]}) belongs: the gradient of "
                "another loss, or the one for logits where probabilities are given"
            )
            yield Guess("another loss", _projected(g, slope), f"is exactly {says}", 0.2, 3, True)


def _loss_slopes(t: Array, p: Array) -> dict[str, Array]:
    """The classic slopes of losses, of targets t and predictions p."""
    exp = np.exp(p - p.max(axis=-1, keepdims=True))
    slopes = {
        "p - t": p - t,
        "-t / p": -t / np.where(p, p, 1),
        "(p - t) / (p · (1 - p))": (p - t) / np.where(p * (1 - p), p * (1 - p), 1),
        "softmax(p) - t": exp / exp.sum(axis=-1, keepdims=True) - t,
        "sigmoid(p) - t": sigmoid(p) - t,
        "sign(p - t)": np.sign(p - t),
    }
    return {name: slope for name, slope in slopes.items() if np.isfinite(slope).all()}


def _projected(array: Array, onto: Array) -> Array:
    return onto * ((array * onto).sum() / max((onto * onto).sum(), TINY))
