"""python -m comparisons.calibration: exit status 1 on any miss or false alarm."""

import argparse
import sys
import time

from rich.table import Table

from comparisons.report.terminal import Output, progress_bar, quiet_stderr

from .counts import SETTINGS, Tally, bugs_missed, causes_named, false_alarms
from .others import Score, side_by_side


def main(arguments: list[str] | None = None) -> int:
    """Run the calibration and print it; 1 where the checker missed a bug or refused a pair."""
    chosen = _parser().parse_args(arguments)
    seeds = 1 if chosen.quick else chosen.seeds
    few, settings = (1, SETTINGS[:1]) if chosen.quick else (max(1, seeds // 10), SETTINGS)
    started = time.perf_counter()
    with progress_bar("bugs") as show, quiet_stderr():
        missed = bugs_missed(seeds, show=show)
        refused = false_alarms(1 if chosen.quick else 10 * seeds, show=show)
        scores = side_by_side(few, settings, show=show)
    output = Output()
    _print_counts(output, missed, refused)
    _print_scores(output, scores)
    output.print(f"{time.perf_counter() - started:.0f} seconds")
    return 1 if missed.wrong or refused.wrong else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m comparisons.calibration",
        description="Count the bugs that the checker misses and the correct pairs that it refuses.",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=20,
        help="of every bug; ten times as many of every correct pair, a tenth for other checkers",
    )
    parser.add_argument("--quick", action="store_true", help="one seed of everything")
    return parser


def _print_counts(output: Output, missed: Tally, refused: Tally) -> None:
    named, others = causes_named(missed)
    table = Table("", "trials", "wrong", "changes nothing", "nothing to see")
    counts = missed.trials, missed.wrong, missed.equivalent, missed.vacuous
    table.add_row("bugs missed", *(str(len(trials)) for trials in counts))
    table.add_row("pairs refused", str(len(refused.trials)), str(len(refused.wrong)), "", "")
    table.add_row("causes not named", str(named + len(others)), str(len(others)), "", "")
    output.print(table)
    output.print(f"The cause is named first for {_share(named, named + len(others))} of the bugs.")
    for trial in [*missed.wrong, *refused.wrong]:
        output.print(f"  {trial}" + f" ({trial.cause})" * bool(trial.cause))
    for name, causes in others.items():
        output.print(f"  {name}: named first was {' or '.join(causes)}")


def _print_scores(output: Output, scores: dict[str, Score]) -> None:
    table = Table("on the same gallery", "trials", "bugs missed", "right variants refused")
    for name, score in scores.items():
        missed, refused = (_share(n, score.shown) for n in (score.missed, score.refused))
        table.add_row(name, str(score.shown), missed, refused)
    output.print(table)


def _share(count: int, whole: int) -> str:
    return f"{count} ({count / max(whole, 1):.1%})"


if __name__ == "__main__":
    sys.exit(main())
