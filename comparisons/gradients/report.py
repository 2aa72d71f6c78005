"""What a check found: a row per gradient, the causes, who stands alone, in text, HTML and JSON."""

import html
import textwrap
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .contract import Finding
from .rounding import LIMIT

if TYPE_CHECKING:
    import pandas

VERDICTS = ("identical", "match", "convention", "vacuous", "mismatch", "error")
WIDTH = 80


@dataclass
class Row:
    """One gradient (or value). Error and noise are those of the worst element, relative to the
    tensor's largest expected entry; an error above the noise is a mismatch. `ratio` is the error
    in units of unmultiplied noise, `accuracy` (float32 alone) this side's error over the
    reference's."""

    name: str
    shape: tuple[int, ...]
    verdict: str = "match"
    max_error: float | None = None
    noise: float | None = None
    ratio: float | None = None
    index: tuple[int, ...] | None = None
    given: float | None = None
    expected: float | None = None
    cause: str | None = None
    accuracy: float | None = None
    mode: str | None = None

    @property
    def title(self) -> str:
        return self.name + (f" ({self.mode})" if self.mode else "")

    def worst(self) -> str:
        """The worst element with both its values."""
        if self.index is None or self.given is None:
            return ""
        where = f"{list(self.index)}: " if self.index else ""
        if self.expected is None:
            return f"{where}{self.given + 0.0:.8g}"
        given, expected = (f"{value + 0.0:.8g}" for value in (self.given, self.expected))
        if given == expected:
            given, expected = (f"{value + 0.0:.17g}" for value in (self.given, self.expected))
        return f"{where}{given} for {expected}"


@dataclass
class GradientReport:
    """The outcome of a check. `ok` for identical, match and convention."""

    name: str
    dtype: str = "float64"
    seed: int = 0
    rows: list[Row] = field(default_factory=list)
    values: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    witnesses: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    arbiter: str = ""
    error: str | None = None
    traceback: str = ""

    @property
    def verdict(self) -> str:
        """The worst verdict of any row, "error" where the code under test failed."""
        if self.error is not None:
            return "error"
        verdicts = [row.verdict for row in [*self.rows, *self.values]]
        if any(_breaks(finding) for finding in self.findings):
            verdicts.append("mismatch")
        return max(verdicts, key=VERDICTS.index, default="error")

    @property
    def ok(self) -> bool:
        return self.verdict in ("identical", "match", "convention")

    @property
    def causes(self) -> list[str]:
        """What is wrong, in sentences, the likeliest first."""
        first = [] if self.error is None else [self.error]
        return first + [finding.sentence for finding in self.findings]

    @property
    def ratio(self) -> float:
        """The largest error of any gradient or value, in units of noise: what LIMIT bounds."""
        return max((row.ratio or 0.0 for row in [*self.rows, *self.values]), default=0.0)

    @property
    def table(self) -> "pandas.DataFrame":
        """A row per gradient."""
        import pandas

        columns = [name for name in Row.__dataclass_fields__ if self._uses(name)]
        return pandas.DataFrame([asdict(row) for row in self.rows], columns=columns)

    def _uses(self, column: str) -> bool:
        optional = column in ("mode", "accuracy")
        return not optional or any(getattr(row, column) is not None for row in self.rows)

    def raise_if_failed(self) -> "GradientReport":
        """AssertionError with this report as its text, unless ok."""
        __tracebackhide__ = True
        if not self.ok:
            raise AssertionError(f"\n{self}")
        return self

    def to_dict(self) -> dict[str, Any]:
        """JSON's form: errors relative to each tensor's largest reference entry."""
        worst = self._worst_row()
        return {
            "name": self.name,
            "dtype": self.dtype,
            "seed": int(self.seed),
            "max_error": worst and _number(worst.max_error),
            "noise": worst and _number(worst.noise),
            "verdict": self.verdict,
            "cause": self.causes[0] if self.causes else None,
            "causes": self.causes,
            "witnesses": self.witnesses,
            "notes": self.notes,
            "arbiter": self.arbiter or None,
            "gradients": [_plain(row) for row in self.rows],
            "values": [_plain(row) for row in self.values],
            "traceback": self.traceback or None,
        }

    def _worst_row(self) -> Row | None:
        rows = [row for row in [*self.rows, *self.values] if row.max_error is not None]
        return max(rows, key=lambda row: row.ratio or 0.0, default=None)

    def __str__(self) -> str:
        lines = [f"{self.name}: {self.verdict}", f"{self.dtype}, seed {self.seed}"]
        head = (
            f"{lines[0]}  ({lines[1]})" if len("  ".join(lines)) < WIDTH - 2 else "\n".join(lines)
        )
        parts = [head, *_grid(self._shown_rows())]
        if self.error is not None:
            parts += [_wrapped(self.error), self.traceback]
        parts += [_wrapped(finding.sentence, "- ") for finding in self.findings]
        parts += [_wrapped(line) for line in [*self.witnesses, *self.notes]]
        return "\n".join(part for part in parts if part)

    def _shown_rows(self) -> list[Row]:
        return [row for row in self.values if row.verdict not in ("identical", "match")] + self.rows

    def _repr_html_(self) -> str:
        rows = "".join(_html_row("td", cells) for cells in _cells(self._shown_rows()))
        table = f"<table>{_html_row('th', HEADINGS)}{rows}</table>" if rows else ""
        causes = "".join(f"<li>{html.escape(cause)}</li>" for cause in self.causes)
        told = "".join(f"<p>{html.escape(line)}</p>" for line in [*self.witnesses, *self.notes])
        trace = f"<pre>{html.escape(self.traceback)}</pre>" if self.traceback else ""
        head = html.escape(f"{self.name}: {self.verdict} ({self.dtype}, seed {self.seed})")
        causes = f"<ul>{causes}</ul>" if causes else ""
        return f"<div><p><b>{head}</b></p>{table}{causes}{told}{trace}</div>"


HEADINGS = ("gradient", "shape", "verdict", "error", "noise", "worst element")


def _breaks(finding: Finding) -> bool:
    return finding.name not in ("kink", "tie", "point", "vacuous")


def _cells(rows: list[Row]) -> list[tuple[str, ...]]:
    return [
        (
            row.title,
            "x".join(map(str, row.shape)) or "scalar",
            row.verdict,
            _short(row.max_error),
            _short(row.noise),
            row.worst() if row.ratio is not None and row.ratio > LIMIT else "",
        )
        for row in rows
    ]


def _grid(rows: list[Row]) -> list[str]:
    """The rows in columns, the worst element on a line of its own where 80 columns are too few."""
    if not rows:
        return []
    table = [HEADINGS[:-1], *(cells[:-1] for cells in _cells(rows))]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)) for cells in table]
    worst = ["", *(cells[-1] for cells in _cells(rows))]
    return [part for pair in zip(lines, worst, strict=True) for part in _joined(*pair)]


def _joined(line: str, worst: str) -> list[str]:
    if not worst:
        return [f"  {line}".rstrip()]
    joined = f"  {line}  {worst}"
    return [joined] if len(joined) <= WIDTH else [f"  {line}".rstrip(), f"      {worst}"]


def _wrapped(text: str, bullet: str = "") -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=bullet, subsequent_indent="  ", break_long_words=False
    )


def _html_row(tag: str, cells) -> str:
    return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _short(number: float | None) -> str:
    return "" if number is None else f"{number:.1e}"


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None


def _plain(row: Row) -> dict[str, Any]:
    plain = asdict(row)
    for key, value in plain.items():
        if isinstance(value, float | np.floating):
            plain[key] = _number(float(value))
        elif isinstance(value, tuple):
            plain[key] = [int(n) for n in value]
    return plain
