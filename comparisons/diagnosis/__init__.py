"""Names the cause of a wrong gradient: diagnose(evidence) returns causes, the likeliest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from comparisons.diagnosis import (
    arrangement,
    chain,
    factors,
    layers,
    normalization,
    places,
    precision,
    shapes,
    terms,
)
from comparisons.diagnosis.evidence import (
    LARGE,
    Cause,
    Evidence,
    Guess,
    prepared,
    thinned,
    typical_ratio,
)

__all__ = ["Cause", "Evidence", "diagnose"]

Test = Callable[[Evidence], Iterator[Guess]]

SAME_SHAPE: tuple[Test, ...] = (
    factors.zero_gradient,
    factors.constant_factor,
    factors.normalised_rows,
    factors.factor_per_axis,
    factors.array_factor,
    arrangement.transposed,
    arrangement.flipped,
    arrangement.rolled,
    arrangement.shifted,
    arrangement.permuted_rows,
    arrangement.reshaped,
    arrangement.scrambled,
    chain.chain_mistakes,
    chain.unverified_chain,
    chain.wrong_axis,
    layers.softmax_mistakes,
    layers.shifted_labels,
    layers.duplicate_indices,
    layers.one_copy_only,
    layers.kernel_not_flipped,
    layers.another_loss,
    normalization.normalization_mistakes,
    terms.added_array,
    terms.term_along_axis,
    terms.low_rank,
    terms.other_gradient,
    terms.not_a_gradient,
    terms.changed_entries,
    places.wrong_places,
    places.mask_missing,
    places.zeroed_entries,
    places.another_mask,
    precision.low_precision,
    precision.another_epsilon,
)

OTHER_SHAPE: tuple[Test, ...] = (
    shapes.right_numbers,
    shapes.not_summed,
    shapes.summed_too_far,
    shapes.repeated,
    arrangement.transposed,
    arrangement.reshaped,
    chain.wrong_axis,
    terms.other_gradient,
    terms.not_a_gradient,
)

ALTERNATIVES = 4  # causes reported where none is exact
TIE = 1.0  # bits within which a second exact cause is worth a mention
LEAST = 4.0  # bits that a cause must save to be mentioned
ROUNDING = 16  # multiples of the resolution below which no cause is sought


@dataclass(frozen=True)
class Verdict:
    """A cause, the bits that it saves, and whether it leaves nothing over."""

    cause: Cause
    saved: float
    exact: bool


def diagnose(evidence: Evidence) -> list[Cause]:
    """The causes that explain given - expected, ranked by the bits that each one saves."""
    evidence = prepared(evidence)
    with np.errstate(all="ignore"):
        if not (np.isfinite(evidence.given).all() and np.isfinite(evidence.expected).all()):
            return [precision.not_finite(evidence)]
        if not evidence.same_shape:
            return [_with_shapes(evidence, cause) for cause in _ranked(evidence, OTHER_SHAPE)]
        if np.all(evidence.excess <= ROUNDING):
            return [precision.rounding(evidence)]
        if evidence.given.size > LARGE:
            evidence = thinned(evidence)
        return _ranked(chain.unscaled(evidence), SAME_SHAPE)


def _with_shapes(evidence: Evidence, cause: Cause) -> Cause:
    given, expected = evidence.given.shape, evidence.expected.shape
    shapes = f"{evidence.label} has shape {given} instead of {expected}"
    return replace(cause, sentence=f"{shapes}; {cause.sentence}")


def _ranked(evidence: Evidence, tests: Iterable[Test]) -> list[Cause]:
    verdicts = _best(weigh(evidence, guess) for test in tests for guess in test(evidence))
    if not (verdicts and verdicts[0].exact):
        twice = (_rescaled(evidence, guess) for test in tests for guess in test(evidence))
        verdicts = _best([*verdicts, *(weigh(evidence, guess) for guess in twice if guess)])
    causes: dict[str, Cause] = {}
    for verdict in verdicts:
        causes.setdefault(verdict.cause.name, verdict.cause)
    rest = precision.unexplained if evidence.same_shape else shapes.only_shape
    return list(causes.values())[:ALTERNATIVES] or [rest(evidence)]


def _best(verdicts: Iterable[Verdict | None]) -> list[Verdict]:
    """The verdicts that explain something, best first; where one is exact, only its equals."""
    ordered = sorted((v for v in verdicts if v), key=lambda verdict: -verdict.saved)
    if ordered and ordered[0].exact:
        return [v for v in ordered if v.exact and v.saved > ordered[0].saved - TIE]
    return ordered


def _rescaled(evidence: Evidence, guess: Guess) -> Guess | None:
    """A second mistake on top of the first: a formula's prediction times a constant."""
    if not guess.recomputed or guess.prediction.shape != evidence.given.shape:
        return None
    factor = typical_ratio(evidence.given, guess.prediction)
    if abs(factor - 1) < 1e-6:
        return None
    return replace(
        guess,
        prediction=factor * guess.prediction,
        says=f"{guess.says}; and all that times {factor:.6g}, which is a second mistake",
        parameters=guess.parameters + 1,
    )


def weigh(evidence: Evidence, guess: Guess) -> Verdict | None:
    """What a guess explains, or None where that is less than a quarter of what it promises."""
    if guess.prediction.shape != evidence.given.shape or not _plausible(evidence, guess):
        return None
    promised = evidence.null - guess.parameters * evidence.price
    rest = evidence.bits(guess.prediction, guess.recomputed)
    saved = promised - rest - guess.prior
    if saved < max(LEAST, promised / 4):
        return None
    fit = evidence.fit(guess.prediction, guess.recomputed)
    sentence = f"{evidence.label} {guess.says}"
    if rest > 0 and fit < 0.5:
        return None
    if rest > 0:
        sentence = f"{sentence.replace('exactly', 'nearly')} (explains {fit:.1%} of the difference)"
    return Verdict(Cause(guess.name, sentence, fit), saved, rest == 0)


def _plausible(evidence: Evidence, guess: Guess) -> bool:
    """Whether a guess is finite, and explains a sample of a large tensor."""
    prediction = guess.prediction
    if evidence.sample is not None:
        prediction, few = prediction[evidence.sample], evidence.sampled
        if few.bits(prediction, recomputed=True) > 0.75 * few.null:
            return False
    return bool(np.isfinite(prediction).all())
