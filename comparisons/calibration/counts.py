"""The checker on every bug and on every correct pair, many times over."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from comparisons.bugs import BUGS, Bug, check, is_caught, is_equivalent, judge
from comparisons.pairs import PAIRS, Pair

DTYPES = ("float32", "float64")
SETTINGS = ((1.0, 1.0), (1e-6, 1.0), (1e6, 1.0), (1.0, 1e3), (1.0, 1e-3))  # of loss and inputs

UNNAMED = "no simple pattern"

Show = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Trial:
    """One bug or one pair, checked once: what came out, and what it takes to repeat it."""

    name: str
    seed: int
    verdict: str
    cause: str | None = None
    dtype: str = "float64"
    scale: float = 1.0
    magnitude: float = 1.0

    @property
    def is_plain(self) -> bool:
        return self.scale == self.magnitude == 1

    def __str__(self) -> str:
        sizes = "" if self.is_plain else f", loss * {self.scale:g}, inputs * {self.magnitude:g}"
        return f"{self.name} ({self.dtype}, seed {self.seed}{sizes}): {self.verdict}"


@dataclass
class Tally:
    """All trials, and among them those that went wrong.

    In the others that were not caught the bug changes nothing beyond rounding (equivalent), or the
    true gradient is zero up to rounding, which the checker says (vacuous).
    """

    trials: list[Trial] = field(default_factory=list)
    wrong: list[Trial] = field(default_factory=list)
    equivalent: list[Trial] = field(default_factory=list)
    vacuous: list[Trial] = field(default_factory=list)


def silent(done: int, total: int, text: str) -> None:
    """Show nothing."""


def bugs_missed(
    seeds: int, bugs: Sequence[Bug] = BUGS, settings=SETTINGS, show: Show = silent
) -> Tally:
    """Every bug with every seed and size: wrong are those that pass and yet change something."""
    tally = Tally()
    for done, bug in enumerate(bugs):
        show(done, len(bugs), "bugs")
        for seed in range(seeds):
            for scale, magnitude in settings:
                _try(tally, bug, seed, scale, magnitude)
    return tally


def _try(tally, bug, seed, scale, magnitude):
    sizes = {"scale": scale, "magnitude": magnitude}
    try:
        report = check(bug, seed, **sizes)
    except Exception as crash:
        tally.trials.append(Trial(bug.name, seed, f"the checker crashed: {crash!r}", **sizes))
        tally.wrong.append(tally.trials[-1])
        return
    cause = "error" if report.error else report.findings[0].name if report.findings else None
    tally.trials.append(Trial(bug.name, seed, report.verdict, cause, **sizes))
    if is_caught(bug, report):
        return
    if is_equivalent(bug, seed, **sizes):
        outcome = tally.equivalent
    elif report.verdict == judge(bug, seed, **sizes).verdict == "vacuous":
        outcome = tally.vacuous
    else:
        outcome = tally.wrong
    outcome.append(tally.trials[-1])


def causes_named(tally: Tally, bugs: Iterable[Bug] = BUGS) -> tuple[int, dict[str, list[str]]]:
    """How many bugs, caught on plain inputs, had the expected cause first with every seed.

    Beside that number the others, each with the causes that came first instead. A cause that has
    no name is never named, not even where none is expected.
    """
    named, others = 0, {}
    hidden = {(t.name, t.seed) for t in [*tally.equivalent, *tally.vacuous] if t.is_plain}
    for bug in bugs:
        plain = [t for t in tally.trials if t.is_plain and t.name == bug.name]
        causes = [t.cause for t in plain if (t.name, t.seed) not in hidden]
        instead = sorted({str(cause) for cause in causes} - ({bug.cause} - {UNNAMED}))
        if instead:
            others[bug.name] = instead
        else:
            named += bool(causes)
    return named, others


def false_alarms(
    seeds: int, pairs: Sequence[Pair] = PAIRS, dtypes=DTYPES, show: Show = silent
) -> Tally:
    """Every correct pair with every seed in both dtypes: wrong are those that do not pass.

    With a tenth of the seeds a pair also meets ties and a batch of one. There a gradient may truly
    be zero or not finite, and to be told so is no alarm.
    """
    tally = Tally()
    for done, pair in enumerate(pairs):
        show(done, len(pairs), "pairs")
        for variant in variants(pair):
            passing, some = PASSING, seeds
            if variant is not pair:
                passing, some = (*PASSING, "vacuous"), -(-seeds // 10)
            for dtype in dtypes:
                for seed in range(some):
                    _try_pair(tally, variant, dtype, seed, passing)
    return tally


PASSING = ("identical", "match", "convention")


def _try_pair(tally, pair, dtype, seed, passing):
    from comparisons.agreement import check_pair

    result = check_pair(pair, dtype, seed)
    trial = Trial(pair.title, seed, result.verdict, result.cause, dtype)
    tally.trials.append(trial)
    if result.verdict not in passing:
        tally.wrong.append(trial)


def variants(pair: Pair) -> list[Pair]:
    """The pair, and for functions, losses and layers the pair on ties and on a single sample."""
    if pair.kind not in ("function", "loss", "layer"):
        return [pair]
    others = _with_ties(pair), _of_one_sample(pair)
    return [pair, *(other for other in others if other.inputs != pair.inputs)]


def _with_ties(pair: Pair) -> Pair:
    """On inputs of -1, 0 and 1, with all the kinks and ties that these have."""
    inputs = {name: spec if ":" in spec else f"{spec}:ties" for name, spec in pair.inputs.items()}
    return replace(pair, inputs=inputs, case=f"{pair.case}, ties".lstrip(", "))


def _of_one_sample(pair: Pair) -> Pair:
    """On a batch of one, where the first axis of the first input is that of a batch."""
    batch = _batch(*pair.inputs.values())
    if batch is None or not pair.one_sample:
        return pair
    inputs, call = ({n: _single(s, batch) for n, s in m.items()} for m in (pair.inputs, pair.call))
    case = f"{pair.case}, one sample".lstrip(", ")
    return replace(pair, inputs=inputs, call=call, case=case)


def _batch(first: str, *others: str) -> str | None:
    """The size of the batch. The only axis of an input is one if another input shares it."""
    size = _first_axis(first)
    is_shared = any(_first_axis(other) == size for other in others)
    return size if size != "scalar" and ("x" in first.partition(":")[0] or is_shared) else None


def _single(spec: Any, batch: str) -> Any:
    """The spec, or each of a list, for one sample where its first axis is the batch."""
    if isinstance(spec, list):
        return [_single(each, batch) for each in spec]
    if not isinstance(spec, str) or _first_axis(spec) != batch:
        return spec
    return "1" + spec.removeprefix(batch)


def _first_axis(spec: str) -> str:
    return spec.partition(":")[0].partition("x")[0]
