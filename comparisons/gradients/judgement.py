"""The verdicts: contract, forward, every gradient, and whether only kinks keep them apart."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from comparisons.witnesses import Arrays, jittered, largest, norm, scale

from .contract import Finding, Trial, examine, same
from .conventions import Kinks
from .explanation import explain
from .inputs import generator
from .points import Point, Tape, Witnesses, as_dtype
from .report import GradientReport, Row
from .rounding import LIMIT
from .subject import Failure, Subject


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
        self.report.rows = [self._row(position) for position in self.subject.positions]
        wrong = self._wrong()
        if wrong and not self._name_conventions(wrong):
            explain(self, wrong)
        self._note_dissent()
        if self._both_dtypes:
            self._state_accuracy()

    @cached_property
    def trial(self) -> Trial:
        return examine(self.subject, self.arrays, self.seed)

    @cached_property
    def here(self) -> Point:
        dys = as_dtype(self.trial.dys, "float64")
        everyone = Witnesses(self.subject, self.tape, dys, self.dtype, self.seed)
        names = self.subject.names
        given = {p: self.trial.gradients.get(names[p]) for p in self.subject.positions}
        return Point(everyone, as_dtype(self.arrays, "float64"), given, self.trial.values)

    @cached_property
    def off(self) -> Point | None:
        """The same a little off every kink. None where the function fails there."""
        eps, rng = float(np.finfo(self.dtype).eps), generator("off the kinks", self.seed)
        moved = jittered(self.here.arrays, self.subject.positions, rng, eps)
        arrays = as_dtype(moved, self.dtype)
        try:
            values, gradients = self.subject.both(arrays, self.trial.dys)
            given = dict(zip(self.subject.positions, gradients, strict=True))
            return Point(self.here.witnesses, as_dtype(arrays, "float64"), given, values)
        except Failure:
            return None

    def _wrong(self) -> list[tuple[Row, int]]:
        """The rows whose numbers are wrong, with their positions."""
        rows = zip(self.report.rows, self.subject.positions, strict=True)
        return [(row, position) for row, position in rows if row.ratio and row.ratio > LIMIT]

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
            self.report.notes.append(
                "The reference runs in float32 only, so float32 rounding is allowed for."
            )

    def _check_values(self):
        if self.tape is None or any(b.name == "not deterministic" for b in self.trial.breaches):
            return
        measured = self.here.measured
        bits = self.tape(self.arrays, dtype=self.dtype)[0] if self._both_dtypes else measured.values
        for index, given in enumerate(self.trial.values):
            row = Row(self.subject.value_name(index, len(bits)), given.shape)
            expected, noise = measured.values[index], measured.value_noise[index]
            compare(row, given, expected, noise, same(given, bits[index]))
            self.report.values.append(row)
            if row.verdict == "mismatch":
                what = "its value" if row.name.startswith("value") else f"its new {row.name}"
                sentence = f"forward: {what} is not the reference's: {row.worst()}"
                self.report.findings.insert(0, Finding("forward", sentence))

    @property
    def _both_dtypes(self) -> bool:
        """Whether the reference has its own float32 rounding beside its float64 truth."""
        return self.tape is not None and (self.dtype, self.tape.dtype) == ("float32", "float64")

    @cached_property
    def in_dtype(self) -> list[np.ndarray]:
        """The reference's gradients in the dtype of the check."""
        if not self._both_dtypes:
            return self.here.measured.gradients
        return self.tape(self.arrays, self.trial.dys, dtype=self.dtype)[1]

    def _row(self, position: int) -> Row:
        name = self.subject.names[position]
        row, given = Row(name, self.arrays[position].shape), self.trial.gradients.get(name)
        if given is None or given.shape != row.shape:
            row.verdict = "mismatch"
        elif (known := self.here.expected(position)) is not None:
            self._settle(row, position, given, *known)
        elif self.here.arbiter is None:
            self._call_vacuous(row, f"no witness can testify ({self.here.unusable})")
        else:
            self._settle_by_probes(row, position, given)
        broken = [b for b in self.trial.breaches if b.gradient in (name, None)]
        if any(b.gradient == name or b.name == "arity" for b in broken):
            row.verdict, row.cause = "mismatch", broken[0].sentence
        return row

    def _settle(self, row, position, given, expected, noise):
        """The verdict on a gradient all of whose true elements are known."""
        order = list(self.subject.positions).index(position)
        identical = self.tape is not None and same(given, self.in_dtype[order])
        most = LIMIT * float(np.max(noise, initial=0.0))
        vanishes = largest(expected) <= most and bool(np.all(np.abs(expected) <= LIMIT * noise))
        natural = self.here.measured.natural[order]
        eps = float(np.finfo(self.here.witnesses.precision).eps)
        if norm([expected]) <= eps * natural:
            vanishes, noise = True, noise + eps * natural * max(1.0, scale(self.arrays[position]))
        if vanishes:  # then the reference's rounding says little about that of the function
            own = self.here.witnesses.measure(self.here.arrays, own=True).gradient_noise[order]
            expected, noise = np.zeros(row.shape), noise + own
        compare(row, given, expected, noise, identical)
        if row.name in self.zero and vanishes:
            return None
        if not np.isfinite(expected).all():
            return self._settle_not_finite(row, given, expected)
        if row.name in self.zero:
            row.verdict, row.cause = (
                "mismatch",
                f"{row.name} is named zero, but its gradient is not",
            )
            self.report.findings.append(Finding("not zero", row.cause, row.name))
        elif vanishes and row.verdict != "mismatch":
            self._call_vacuous(row, "its true gradient is zero up to rounding")
        return None

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
        if row.verdict == "mismatch":
            row.index = self.here.arbiter.narrow(position, given)
            row.given = float(given[row.index])
            row.expected = self.here.arbiter.element(position, row.index).value
        elif all(abs(probe.true) <= LIMIT * probe.noise for probe in probes):
            self._call_vacuous(row, "its true gradient is zero up to rounding")

    def _name_conventions(self, wrong) -> bool:
        """Whether the gradients differ at kinks alone and stay between their sides there."""
        positions = [position for _, position in wrong]
        if self.off is None or not all(self.off.agrees(position) for position in positions):
            return False
        known = {p: self.here.expected(p) for p in self.subject.positions}
        if self.here.arbiter is None or any(k is None for k in known.values()):
            return False
        differ = {p: np.abs(self.here.given[p] - k[0]) > LIMIT * k[1] for p, k in known.items()}
        truths = {p: k[0] for p, k in known.items()}
        try:
            findings = self._kinks.conventions(self.here.given, truths, differ)
        except Failure:
            return False
        for row, _ in wrong if findings else []:
            row.verdict = "convention" if row.cause is None else row.verdict
        for finding in findings or []:
            row = next(row for row, _ in wrong if row.name == finding.gradient)
            row.cause = row.cause or finding.sentence
        self.report.findings += findings or []
        return bool(findings)

    @property
    def _kinks(self) -> Kinks:
        names = {p: self.subject.names[p] for p in self.subject.positions}
        sides = self.subject.name, "the reference" if self.tape else "its own forward"
        return Kinks(self.here.arbiter.differences, names, sides, np.finfo(self.dtype).eps)

    def _note_dissent(self):
        """Say so where the arbiter disagrees with a gradient on which both sides agree."""
        for row, position in zip(self.report.rows, self.subject.positions, strict=True):
            if self.tape and row.verdict in ("identical", "match") and row.name not in self.zero:
                self._cross_examine(row, position)
        if self.here.unusable:
            self.report.notes.append(f"The arbiter cannot testify: {self.here.unusable}.")

    def _cross_examine(self, row, position):
        if self.here.agrees_with_arbiter(position):
            return
        if self.off and self.off.agrees_with_arbiter(position):
            return
        how = self.here.arbiter.name
        self.report.witnesses.append(
            f"{row.name}: function and reference agree with each other, but not with the "
            f"derivative of the forward pass ({how}). Either both replace or stop the gradient, "
            "or the arbiter is not to be trusted here."
        )

    def _state_accuracy(self):
        """Each side's root mean square error against the float64 truth, in units of noise."""
        for order, (row, position) in enumerate(
            zip(self.report.rows, self.subject.positions, strict=True)
        ):
            if row.verdict in ("identical", "match", "convention") and row.name not in self.zero:
                truth, noise = self.here.taped(position), self.here.noise(position)
                sides = (self.here.given[position], self.in_dtype[order])
                row.accuracy = _ratio(*(scale_of((side - truth) / noise) for side in sides))
        ratios = [row.accuracy for row in self.report.rows if row.accuracy is not None]
        if ratios:
            self.report.notes.append(_accuracy(max(ratios)))


def compare(row: Row, given, expected, noise, identical: bool) -> None:
    """Fill in the worst element of a row and its verdict, from rounding alone."""
    row.verdict, row.ratio, row.max_error, row.noise = "match", 0.0, 0.0, 0.0
    if identical:
        row.verdict = "identical"
    if given.size == 0:
        return
    with np.errstate(all="ignore"):
        error = np.abs(np.subtract(given, expected, dtype=float))
        if not np.isfinite(error).all():
            error = np.where(
                given == expected, 0.0, np.nan_to_num(error, nan=np.inf, posinf=np.inf)
            )
        ratios = error / noise
    row.index = tuple(int(i) for i in np.unravel_index(np.argmax(ratios), ratios.shape))
    unit = largest(expected)
    unit = unit if unit > LIMIT * float(noise[row.index]) else 1.0
    row.ratio, row.max_error = float(ratios[row.index]), float(error[row.index]) / unit
    row.noise = LIMIT * float(noise[row.index]) / unit
    row.given, row.expected = float(given[row.index]), float(expected[row.index])
    if not row.ratio <= LIMIT:
        row.verdict = "mismatch"


def scale_of(array: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(array)))) if array.size else 0.0


def _ratio(mine: float, theirs: float) -> float:
    return mine / theirs if theirs else 1.0 if not mine else np.inf


def _accuracy(ratio: float) -> str:
    if ratio <= 1.25:
        return "In float32 it is as accurate as the reference, or more, in every gradient."
    return f"In float32 it is up to {ratio:.1f} times less accurate than the reference."


def _only(shapes: list) -> Any:
    return shapes[0] if len(shapes) == 1 else shapes
