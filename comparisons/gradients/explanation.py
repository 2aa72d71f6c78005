"""Why a gradient is wrong: who stands alone, what leaks, and the cause that diagnosis names."""

from typing import TYPE_CHECKING

import numpy as np

from comparisons.witnesses import Direction, scale

from .contract import Finding, not_finite
from .rounding import LIMIT
from .subject import Failure

if TYPE_CHECKING:
    from .judgement import Case

CAUSES = 3  # per gradient


def explain(case: "Case", wrong) -> None:
    """Put the causes of wrong gradients into the report, and who stands alone."""
    report, ranked = case.report, []
    for row, position in wrong:
        causes = _causes(case, row, position)
        row.cause = row.cause or causes[0].sentence
        ranked += enumerate(causes)
        testimony = _who_stands_alone(case, row, position)
        report.witnesses += [testimony] * bool(testimony)
    ranked.sort(key=lambda pair: (pair[0], -pair[1].fit))
    report.findings += [cause for _, cause in ranked]


def _causes(case, row, position) -> list[Finding]:
    given, known = case.here.given[position], case.here.expected(position)
    finding = not_finite(row.name, given)
    if finding:
        return [finding]
    leak = _leak(case, row.name) if case.dtype == "float64" and row.max_error < 1e-5 else None
    causes = [leak] if leak else []
    if known is not None and np.isfinite(known[0]).all():
        causes += _diagnosed(case, row.name, given, *known)
    return causes[:CAUSES] or [_unexplained(row)]


def _diagnosed(case, name, given, expected, noise) -> list[Finding]:
    from comparisons.diagnosis import Evidence, diagnose

    names = case.subject.names
    known = {p: case.here.expected(p) for p in case.here.given}
    evidence = Evidence(
        name=name,
        given=given.astype(float),
        expected=expected,
        noise=noise,
        inputs=dict(zip(names, case.here.arrays, strict=True)),
        dy=case.trial.dys[0].astype(float),
        value=case.trial.values[0].astype(float),
        arguments=case.arguments,
        all_given={names[p]: g.astype(float) for p, g in case.here.given.items()},
        all_expected={names[p]: k[0] for p, k in known.items() if k is not None},
    )
    return [Finding(cause.name, cause.sentence, name, cause.fit) for cause in diagnose(evidence)]


def _unexplained(row) -> Finding:
    times = f"{row.ratio / LIMIT:.2g} times what rounding explains"
    sentence = f"the gradient of {row.name} is wrong by {times}: {row.worst()}"
    return Finding("unexplained", sentence, row.name, 0.0)


def _leak(case, name: str) -> Finding | None:
    """A gradient that ignores the low bits of an input, and not the high ones, was in float32."""
    inputs = [*zip(case.subject.differentiated, case.subject.positions, strict=True), ("dy", None)]
    for source, position in inputs:
        fine, coarse = (_share_moved(case, name, position, step) for step in (2.0**-46, 2.0**-18))
        if fine < 0.01 and coarse > 0.5:
            sentence = f"float32 leak: {source} passes through float32 on its way to d{name}"
            return Finding("float32 leak", sentence, name)
    return None


def _share_moved(case, name, position, step) -> float:
    """The share of a gradient's nonzero elements that change when one input grows by `step`."""
    arrays, dys = list(case.arrays), list(case.trial.dys)
    if position is None:
        dys = [dy * (1 + step) for dy in dys]
    else:
        arrays[position] = arrays[position] * (1 + step)
    before = case.trial.gradients[name]
    try:
        gradients = case.subject.both(arrays, dys)[1]
    except Failure:
        return 1.0
    after = gradients[case.subject.differentiated.index(name)]
    return float(np.mean((after != before)[before != 0])) if np.any(before) else 0.0


def _who_stands_alone(case, row, position) -> str:
    """Which of function, reference and arbiter disagrees with the other two on a gradient."""
    here, given, taped = case.here, case.here.given[position], case.here.taped(position)
    if taped is None:
        how = f" ({here.opinion.how})" if here.opinion else ""
        return f"{row.name}: backward disagrees with the derivative of its own forward{how}."
    if here.opinion is None or not np.isfinite(taped).all() or not np.isfinite(given).all():
        return ""
    how = here.opinion.how
    try:
        mine, theirs, certain = _along_the_difference(here, position, given, taped)
    except Failure:
        return ""
    if not certain:
        return f"{row.name}: the arbiter ({how}) cannot be trusted to tell so small a difference."
    if theirs and not mine:
        return (
            f"{row.name}: backward stands alone. It disagrees with both the reference and the "
            f"derivative of its own forward ({how})."
        )
    if mine and not theirs:
        return (
            f"{row.name}: the reference stands alone. backward agrees with the derivative of its "
            f"own forward ({how}): the reference is another function, or stops a gradient."
        )
    return (
        f"{row.name}: all three disagree. backward is neither the reference's gradient nor the "
        f"derivative of its own forward ({how}), unless the arbiter is not to be trusted here."
    )


def _along_the_difference(here, position, given, taped) -> tuple[bool, bool, bool]:
    """Whether function and reference agree with the arbiter, and whether it can tell them apart."""
    difference = given - taped
    direction = difference * (scale(here.arrays[position]) / np.max(np.abs(difference)))
    derivative = here.opinion.arbiter.along({position: Direction(direction)})
    gap = abs(float(np.sum(difference * direction)))
    ours = abs(float(np.sum(given * direction)) - derivative.value)
    others = abs(float(np.sum(taped * direction)) - derivative.value)
    return ours < gap / 10, others < gap / 10, derivative.uncertainty < gap / 10
