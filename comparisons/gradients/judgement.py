"""The verdicts: contract, forward, every gradient, and whether only kinks keep two sides apart."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np

from comparisons.pieces import PIECE, pieces
from comparisons.witnesses import Arrays, jittered, largest, norm, scale

from .contract import Finding, Trial, examine, same
from .conventions import Kinks
from .explanation import explain
from .inputs import generator
from .points import Point
from .report import GradientReport, Row
from .rounding import LIMIT
from .subject import Failure, Subject
from .truth import Tape, Witnesses, as_dtype

LEAST_SHARE = float(np.finfo("float64").eps) ** 0.5  # smaller elements count as nothing


class Case:
    """One function under test on one set of inputs, and the report on it."""

    def __init__(
        self,
        subject: Subject,
        tape: Tape | None,
        arrays: Arrays,
        *,
        seed: int = 0,
        dtype: str = "float64",
        zero: Sequence[str] = (),
        arguments: Mapping[str, Any] | None = None,
    ):
        self.subject, self.tape, self.seed, self.dtype = subject, tape, seed, dtype
        self.arrays = as_dtype(arrays, dtype)
        self.zero, self.arguments = zero, dict(arguments or {})
        self.report = GradientReport(subject.name, dtype, seed, notes=list(subject.notes))

    def judge(self) -> GradientReport:
        """The report. Whatever the code under test does ends up in it."""
        try:
            self._judge()
        except Failure as failure:
            self.report.error, self.report.traceback = failure.line, failure.trace
        return self.report

    def _judge(self):
        self.report.findings += self.trial.breaches
        self._check_reference_form()
        self._check_values()
        stale = self._stale()
        self.report.rows = [self._row(position) for position in self.subject.positions]
        wrong = self._wrong()
        if wrong and not self._name_conventions(wrong):
            explain(self, wrong)
        if self.report.ok:
            self._blame(stale)
            self._note_dissent()
        if self._has_both_dtypes:
            self._state_accuracy()
        self._name_arbiter()

    @cached_property
    def trial(self) -> Trial:
        return examine(self.subject, self.arrays, self.seed)

    @cached_property
    def here(self) -> Point:
        """The inputs as given, with those gradients that have the shape of their input."""
        dys = as_dtype(self.trial.dys, "float64")
        everyone = Witnesses(self.subject, self.tape, dys, self.dtype, self.seed)
        given = {p: self.trial.gradients.get(self.subject.names[p]) for p in self.subject.positions}
        formed = {
            p: g for p, g in given.items() if g is not None and g.shape == self.arrays[p].shape
        }
        return Point(everyone, as_dtype(self.arrays, "float64"), formed, self.trial.values)

    @cached_property
    def off(self) -> Point | None:
        """The same a little off every kink. None where the function fails there."""
        eps, rng = float(np.finfo(self.dtype).eps), generator("off the kinks", self.seed)
        moved = jittered(self.here.arrays, self.subject.positions, rng, eps)
        arrays = as_dtype(moved, self.dtype)
        try:
            values, gradients = self.subject.both(arrays, self.trial.dys)
        except Failure:
            return None
        given = dict(zip(self.subject.positions, gradients, strict=True))
        return Point(self.here.witnesses, as_dtype(arrays, "float64"), given, values)

    @property
    def _has_both_dtypes(self) -> bool:
        """Whether the reference has its own float32 rounding beside its float64 truth."""
        return self.tape is not None and (self.dtype, self.tape.dtype) == ("float32", "float64")

    @cached_property
    def _in_dtype(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The reference's values and gradients in the dtype of the check."""
        if self.tape is not None and self._has_both_dtypes:
            return self.tape(self.arrays, self.trial.dys, dtype=self.dtype)
        return self.here.measured.values, self.here.measured.gradients

    def _wrong(self) -> list[tuple[Row, int]]:
        """The rows whose numbers are wrong, with their positions."""
        rows = zip(self.report.rows, self.subject.positions, strict=True)
        return [(row, position) for row, position in rows if row.ratio and row.ratio > LIMIT]

    # forward

    def _check_reference_form(self):
        """Drop a reference whose values have another shape than the function's."""
        if self.tape is None:
            return
        given = [value.shape for value in self.trial.values]
        expected = [value.shape for value in self.tape.values(as_dtype(self.arrays, "float64"))]
        if given != expected:
            shapes = f"{_only(given)}, the reference's {_only(expected)}"
            sentence = f"forward: its value has shape {shapes}; judged without the reference"
            self.report.findings.insert(0, Finding("forward", sentence))
            self.tape = None
        elif self.tape.dtype == "float32":
            note = "The reference runs in float32 only, so float32 rounding is allowed for."
            self.report.notes.append(note)

    def _check_values(self):
        if self.tape is None or any(b.name == "not deterministic" for b in self.trial.breaches):
            return
        measured = self.here.measured
        for index, given in enumerate(self.trial.values):
            row = Row(self.subject.value_name(index, len(self.trial.values)), given.shape)
            identical = same(given, self._in_dtype[0][index])
            compare(row, given, measured.values[index], measured.value_noise[index], identical)
            self.report.values.append(row)
            if row.verdict == "mismatch":
                what = "its value" if row.name.startswith("value") else f"its new {row.name}"
                both = np.array([row.given, row.expected], float)
                how = "nan, and so is" if np.isnan(both).all() else "not"
                sentence = f"forward: {what} is {how} the reference's: {row.worst()}"
                self.report.findings.insert(0, Finding("forward", sentence))

    # gradients

    def _row(self, position: int) -> Row:
        name = self.subject.names[position]
        row, given = Row(name, self.arrays[position].shape), self.here.given.get(position)
        if given is None:
            row.verdict = "mismatch"
        elif (known := self.here.expected(position)) is not None:
            self._settle(row, position, given, *known)
        elif self.here.opinion is None:
            self._call_vacuous(row, f"no witness can testify ({self.here.unusable})")
        else:
            self._settle_by_probes(row, position, given)
        broken = [b for b in self.trial.breaches if b.gradient == name or b.name == "arity"]
        if broken:
            row.verdict, row.cause = "mismatch", broken[0].sentence
        return row

    def _settle(self, row, position, given, expected, noise):
        """The verdict on a gradient all of whose true elements are known."""
        order = list(self.subject.positions).index(position)
        identical = self.tape is not None and same(given, self._in_dtype[1][order])
        is_lost, is_zero = self._vanishes(order, expected, noise)
        if is_lost:  # then the reference's rounding says little about that of the function
            own = self.here.witnesses.measure(self.here.arrays, own=True).gradient_noise[order]
            size = self._negligible(order) / self._share(order)
            noise = noise + own + size * max(1.0, scale(self.arrays[position]))
        if is_zero:
            expected = np.zeros(row.shape)
        elif is_lost:
            self.report.notes.append(f"{row.name}: float32 rounding hides its true gradient.")
        compare(row, given, expected, noise, identical)
        if not np.isfinite(expected).all():
            self._settle_not_finite(row, given, expected)
        elif not np.isfinite(noise).all():
            self._call_vacuous(row, "the value is not finite on these inputs")
        elif row.name in self.zero and not is_zero:
            row.verdict = "mismatch"
            row.cause = f"{row.name} is named zero, but its true gradient is not"
            self.report.findings.append(Finding("not zero", row.cause, row.name))
        elif is_zero and row.verdict != "mismatch" and row.name not in self.zero:
            self._call_vacuous(row, "its true gradient is zero up to rounding")

    def _vanishes(self, order, expected, noise) -> tuple[bool, bool]:
        """Whether a true gradient is lost in the check's rounding, and whether in its own."""
        truth = np.finfo(self.tape.dtype if self.tape else "float64")
        finer = float(truth.eps / np.finfo(self.here.witnesses.precision).eps)
        natural, share = self._negligible(order), partial(self._share, order)
        lost = _is_below(expected, noise, natural, share)
        return lost, lost and _is_below(expected, finer * noise, finer * natural, share)

    def _negligible(self, order) -> float:
        """The size of a gradient that moves no bit of the value, however its input is moved."""
        eps = float(np.finfo(self.here.witnesses.precision).eps)
        return eps * self.here.measured.natural[order]

    def _share(self, order) -> np.ndarray:
        """The size of each element of an input over that of all, at most 1.

        The smaller an x, the more does rounding leave of a gradient that is a quotient by it, such
        as the dy * y / x of _negligible. An x next to nothing counts as 1: none divides by it.
        """
        x = np.abs(self.arrays[self.subject.positions[order]])
        share = x / scale(x)
        return np.where(share < LEAST_SHARE, 1.0, np.minimum(share, 1.0))

    def _settle_not_finite(self, row, given, expected):
        if np.array_equal(np.isfinite(given), np.isfinite(expected)):
            row.ratio = None
            self._call_vacuous(row, "its true gradient is not finite on these inputs")

    def _call_vacuous(self, row, why):
        if (row.shape and 0 in row.shape) or all(value.size == 0 for value in self.trial.values):
            why = "the batch is empty"
        hint = f"; if that is meant, say zero=({row.name!r},)" if "zero" in why else ""
        row.verdict, row.cause = "vacuous", f"{row.name} proves nothing: {why}{hint}"
        self.report.findings.append(Finding("vacuous", row.cause, row.name))

    def _settle_by_probes(self, row, position, given):
        """The verdict on a tensor too large to be differentiated element by element."""
        probes = self.here.probes(position)
        worst = max(probes, key=lambda probe: probe.ratio)
        row.ratio, row.verdict = worst.ratio, "match" if worst.ratio <= LIMIT else "mismatch"
        row.max_error, row.noise = worst.error / worst.size, LIMIT * worst.noise / worst.size
        opinion = self.here.opinion
        if row.verdict == "mismatch" and opinion is not None:
            row.index = opinion.arbiter.narrow(position, given)
            row.given = float(given[row.index])
            row.expected = opinion.arbiter.element(position, row.index).value
        elif all(abs(probe.true) <= LIMIT * probe.noise for probe in probes):
            self._call_vacuous(row, "its true gradient is zero up to rounding")

    # what speaks for a wrong gradient, and against a right one

    def _name_conventions(self, wrong) -> bool:
        """Whether gradients differ at single points alone and are one-sided derivatives there."""
        if self.off is None or not all(self.off.agrees(position) for _, position in wrong):
            return False
        findings = self._found_kinks()
        for finding in findings:
            row = next(row for row, _ in wrong if row.name == finding.gradient)
            if row.cause is None:
                row.verdict, row.cause = "convention", finding.sentence
        self.report.findings += findings
        return bool(findings)

    def _found_kinks(self) -> list[Finding]:
        known = {position: self.here.expected(position) for position in self.here.given}
        sure = {position: pair for position, pair in known.items() if pair is not None}
        if self.here.opinion is None or sure.keys() != known.keys():
            return []
        names = {position: self.subject.names[position] for position in sure}
        sides = self.subject.name, "the reference" if self.tape else "its own forward"
        eps = float(np.finfo(self.dtype).eps)
        kinks = Kinks(self.here.opinion.arbiter.differences, names, sides, eps)
        try:
            return kinks.conventions(self.here.given, sure)
        except Failure:
            return []

    def _stale(self) -> list[int]:
        """The positions whose gradient at other inputs is wrong: it keeps something of a call."""
        call, self.trial.elsewhere = self.trial.elsewhere, None  # which may be large
        if call is None or self.trial.breaches:
            return []
        given = dict(zip(self.subject.positions, call.gradients, strict=True))
        arrays = as_dtype(call.arrays, "float64")
        there = Point(self.here.witnesses, arrays, given, call.values)
        try:
            return [position for position in self.subject.positions if there.is_far_off(position)]
        except Failure:
            return []

    def _blame(self, stale: list[int]):
        for row, position in zip(self.report.rows, self.subject.positions, strict=True):
            if row.verdict in ("identical", "match") and position in stale:
                row.verdict = "mismatch"
                row.cause = (
                    f"the gradient of {row.name} is right once, but wrong when called again with "
                    "other inputs (these in reverse order and moved a little): it keeps something "
                    "of another call"
                )
                self.report.findings.append(Finding("not repeatable", row.cause, row.name))

    def _note_dissent(self):
        """Say so where the arbiter disagrees with a gradient on which both sides agree."""
        if self.tape is None:
            return
        rows = dict(zip(self.subject.positions, self.report.rows, strict=True))
        agreed = [p for p, row in rows.items() if row.verdict in ("identical", "match")]
        shown = [position for position in agreed if rows[position].name not in self.zero]
        if not shown or self.here.agree_together(shown):
            return
        for position in shown:
            self._cross_examine(rows[position], position)

    def _cross_examine(self, row, position):
        if self.here.agrees_with_arbiter(position) or self.here.opinion is None:
            return
        if self.off and self.off.agrees_with_arbiter(position):
            return
        self.report.witnesses.append(
            f"{row.name}: function and reference agree with each other, but not with the "
            f"derivative of the forward pass ({self.here.opinion.how}). Either both replace or "
            "stop the gradient, or the arbiter is not to be trusted here."
        )

    # what else is to be said

    def _state_accuracy(self):
        """Each side's root mean square error against the float64 truth, in units of noise."""
        rows = zip(self.report.rows, self.subject.positions, self._in_dtype[1], strict=True)
        for row, position, theirs in rows:
            truth, mine = self.here.taped(position), self.here.given.get(position)
            if (
                row.verdict in ("identical", "match")
                and row.name not in self.zero
                and truth is not None
            ):
                noise = self.here.noise(position)
                errors = (_rms((side - truth) / noise) for side in (mine, theirs))
                row.accuracy = _ratio(*errors)
        ratios = [row.accuracy for row in self.report.rows if row.accuracy is not None]
        self.report.notes += [_accuracy(max(ratios))] if ratios else []

    def _name_arbiter(self):
        if "here" not in self.__dict__ or "opinion" not in self.here.__dict__:
            return
        if self.here.unusable:
            self.report.notes.append(f"The arbiter cannot testify: {self.here.unusable}.")
        if self.here.opinion is not None:
            arbiter = self.here.opinion.arbiter
            self.report.arbiter = f"{arbiter.name}{f' ({arbiter.why})' if arbiter.why else ''}"


def compare(row: Row, given, expected, noise, identical: bool) -> None:
    """Fill in the worst element of a row and its verdict, from rounding alone."""
    row.verdict, row.ratio, row.max_error, row.noise = "match", 0.0, 0.0, 0.0
    given, expected = (1 * a if a.dtype == bool else a for a in (given, expected))
    if identical:
        row.verdict = "identical"
    if given.size == 0:
        return
    index, row.ratio, error = _worst(given, expected, noise)
    row.index = tuple(int(i) for i in np.unravel_index(index, given.shape))
    unit = largest(expected)
    unit = unit if unit > LIMIT * float(noise[row.index]) else 1.0
    row.max_error = error / unit
    row.noise = LIMIT * float(noise[row.index]) / unit
    row.given, row.expected = float(given[row.index]), float(expected[row.index])
    if not row.ratio <= LIMIT:
        row.verdict = "mismatch"


def _worst(given, expected, noise) -> tuple[int, float, float]:
    """(flat index, error / noise, error) of the element whose error rounding explains least."""
    found = []
    for piece, part in enumerate(pieces(given, expected, noise)):
        errors, ratios = _errors(*part)
        worst = int(np.argmax(ratios))
        found.append((piece * PIECE + worst, float(ratios[worst]), float(errors[worst])))
    return found[int(np.argmax([ratio for _, ratio, _ in found]))]


def _errors(given, expected, noise) -> tuple[np.ndarray, np.ndarray]:
    """(errors, errors / noise), infinite where one side alone is not finite."""
    with np.errstate(all="ignore"):
        error = np.abs(np.subtract(given, expected, dtype=float))
        if np.isfinite(error).all():
            return error, error / noise
        error = np.where(given == expected, 0.0, np.where(np.isfinite(error), error, np.inf))
        return error, np.where(np.isinf(error), error, error / noise)


def _is_below(gradient, noise, size: float, share: Callable) -> bool:
    """Whether rounding explains every element, or all by their shares are smaller than size."""
    if all(np.all(np.abs(g) <= LIMIT * n) for g, n in pieces(gradient, noise)):
        return True
    if LEAST_SHARE * norm([gradient]) > LIMIT * size:  # then not even the least shares will do
        return False
    return norm([gradient * share()]) <= LIMIT * size


def _rms(array) -> float:
    return float(np.sqrt(np.mean(np.square(array)))) if array.size else 0.0


def _ratio(mine: float, theirs: float) -> float:
    return mine / theirs if theirs else 1.0 if not mine else np.inf


def _accuracy(ratio: float) -> str:
    if ratio <= 1.25:
        return "In float32 it is as accurate as the reference, or more, in every gradient."
    if np.isinf(ratio):
        return "In float32 the reference makes no error at all in a gradient where this one does."
    return f"In float32 it is up to {ratio:.1f} times less accurate than the reference."


def _only(shapes: list) -> Any:
    return shapes[0] if len(shapes) == 1 else shapes
