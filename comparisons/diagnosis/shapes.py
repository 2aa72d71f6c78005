"""Causes of a gradient that has the wrong shape."""

from __future__ import annotations

from collections.abc import Iterator

from comparisons.diagnosis.chain import summed_axes
from comparisons.diagnosis.evidence import Cause, Evidence, Guess, aligned, listed


def right_numbers(evidence: Evidence) -> Iterator[Guess]:
    """given = expected in another shape: an axis of length one, a flattened array."""
    if evidence.given.size == evidence.expected.size:
        says = "holds exactly the right numbers: only its shape is wrong (keepdims, a reshape)"
        yield Guess("wrong shape", evidence.expected.reshape(evidence.given.shape), says, prior=2)


def not_summed(evidence: Evidence) -> Iterator[Guess]:
    """given.sum(axes) = expected: the axes that were broadcast are not summed back."""
    g, e = evidence.given, evidence.expected
    for axes in summed_axes(g.shape, e.shape) if g.size > e.size else ():
        says = (
            f"summed over axis {listed(axes)} is exactly the right gradient: {evidence.name} was "
            "broadcast along it, so its gradient must be summed back over it"
        )
        if evidence.agrees(g.sum(axis=axes).reshape(e.shape)):
            yield Guess("not summed", g, says, prior=0)


def summed_too_far(evidence: Evidence) -> Iterator[Guess]:
    """given = expected.sum(axes), or its mean, or one of its entries."""
    e, shape = evidence.expected, evidence.given.shape
    for axes in summed_axes(e.shape, shape) if e.size > evidence.given.size else ():
        total = e.sum(axis=axes).reshape(shape)
        mean = e.mean(axis=axes).reshape(shape)
        says = f"of the right gradient over axis {listed(axes)}: it was reduced once too often"
        yield Guess("summed too far", total, f"is exactly the sum {says}", recomputed=True)
        yield Guess("summed too far", mean, f"is exactly the mean {says}", recomputed=True)
    for i, entry in enumerate(e[:64] if e.shape[1:] == shape and e.ndim else ()):
        says = f"is exactly entry {i} of the right gradient: only one sample is returned"
        yield Guess("one sample only", entry, says)


def repeated(evidence: Evidence) -> Iterator[Guess]:
    """given = expected spread over a larger shape."""
    g, e = evidence.given, evidence.expected
    for spread in aligned(e, g.shape) if g.size > e.size else ():
        says = "is exactly the right gradient, repeated to a larger shape by broadcasting"
        yield Guess("broadcast", spread, says)


def only_shape(evidence: Evidence) -> Cause:
    """The shapes alone: an axis is missing, added or in another place."""
    sentence = f"{evidence.label} has no simple relation to the right gradient either"
    return Cause("shape", sentence, 0.0)
