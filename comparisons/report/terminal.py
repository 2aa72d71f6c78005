"""Results as tables that a person reads at a glance, and progress while they wait."""

import os
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table
from rich.text import Text

SIDES = {"scratch": "scratch", "reference": "tape loop", "keras": "model.fit"}
STYLES = {"identical": "green", "match": "green", "convention": "cyan"}
MEANINGS = {"identical": ", bit for bit", "match": ", within rounding"}
ENDLESS = 10_000  # columns, in which nothing is cut or folded
FOLDED = 12  # columns that a text is left where it is folded into a narrow terminal
GAP = 2  # columns between those of a table


class Output(Console):
    """Standard output: as wide as the terminal, in a pipe as wide as it takes."""

    def __init__(self):
        width = None if sys.stdout.isatty() else ENDLESS
        super().__init__(width=width, highlight=False, markup=False, emoji=False)

    def on_broken_pipe(self):
        """Fall silent when the reader has gone, as `head` does: that is no error."""
        self.quiet = True
        discard_output()


def discard_output() -> None:
    """Lead standard output nowhere, so that nothing more fails on its closed pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


@contextmanager
def progress_bar(text: str) -> Iterator[Callable[[int, int, str], None]]:
    """show(done, total, text), which draws a bar on standard error where that is a terminal."""
    columns = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    with os.fdopen(os.dup(2), "w") as stream:  # a copy, which quiet_stderr leaves alone
        console, hidden = Console(file=stream), not stream.isatty()
        with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
            task = bar.add_task(text, total=None)
            yield lambda done, total, text: bar.update(
                task, completed=done, total=total, description=text
            )


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hold back what is written to file descriptor 2, and show it only when something fails."""
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as chatter:
        os.dup2(chatter.fileno(), 2)
        try:
            yield
        except Exception:
            chatter.seek(0)
            os.write(stderr, chatter.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)


def start_tensorflow() -> None:
    """Import TensorFlow and run one operation on the CPU, without its lines about both."""
    os.environ |= {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with quiet_stderr():
        import keras
        import tensorflow as tf

        keras.ops.add(tf.constant(1.0), 1.0)


def experiment(console: Console, result: Any, about: str) -> None:
    """Everything about one ExperimentResult but its data set, its verdict last."""
    epochs = f"{result.epochs} epoch{'' if result.epochs == 1 else 's'}"
    sizes = f"{epochs}, {result.steps:,} steps of {result.batch_size}"
    console.print(Text.assemble((result.title, "bold"), f": {about}"))
    console.print(f"{result.dtype}, seed {result.seed}, {sizes}\n")
    _fact(console, "initial weights", _initial_weights(result))
    console.print()
    if result.gradients:
        _print(console, _gradients(result))
        console.print()
    if result.samples.outputs:
        _outcome(console, result)
    _verdict(console, result.verdict, result.causes)
    console.print(Text(f"{result.command}\n", "dim"), soft_wrap=True)


def variants(console: Console, results: Sequence[Any], average: dict[str, float] | None) -> None:
    """A row per variant of one experiment: how close the two sides are, and how good."""
    sides = [f"\n{SIDES['scratch']}", f"test accuracy\n{SIDES['reference']}", f"\n{SIDES['keras']}"]
    title = f"{results[0].name}, {results[0].dtype}, seed {results[0].seed}"
    columns = ("weights\napart", "rounding\nalone", "loss", "training\naccuracy", *sides, "verdict")
    table = _table(f"\n{title}", *columns)
    for result in results:
        apart = (_small(result.max_weight_difference), _small(result.envelope))
        here = [f"{result.curves.history['scratch'][n][-1]:.4f}" for n in ("loss", "accuracy")]
        accuracies = _beside(_sides(result.accuracy), 4)
        table.add_row(f"  {result.variant}", *apart, *here, *accuracies, _coloured(result.verdict))
    if average:
        table.add_row("  their average", "", "", "", "", *_beside(_sides(average), 4), style="bold")
    _print(console, table)
    console.print()


def _outcome(console, result):
    """What there is to say of a training that came to its end."""
    _print(console, _training(result))
    console.print()
    for label, text in _facts(result).items():
        _fact(console, label, text)
    console.print()


def _initial_weights(result):
    same, total = result.initial_weights["identical"], result.initial_weights["total"]
    if same == total:
        return f"identical, {same:,} of {total:,}"
    apart = _small(result.initial_weights["max_difference"])
    return f"{same:,} of {total:,} identical, the others within {apart}; trained from scratch's"


def _gradients(result) -> Table:
    table = _table("gradients of the first step", "error", "noise", "verdict")
    for row in result.gradients:
        error, noise = _small(row.max_error), _small(row.noise)
        table.add_row(f"  {row.weight}", error, noise, _coloured(row.verdict))
    return table


def _training(result) -> Table:
    """Losses and accuracies of the three, by epoch and on the test set, and their seconds."""
    titles = [_over(name, SIDES.values()) for name in ("loss", "accuracy")]
    table = _table("\ntraining", *titles[0], *titles[1])
    for epoch in _some(result.epochs):
        if epoch is None:
            table.add_row("  …")
            continue
        losses, accuracies = (_of_epoch(result, name, epoch) for name in ("loss", "accuracy"))
        table.add_row(f"  epoch {epoch + 1}", *_beside(losses, 6), *_beside(accuracies, 4))
    tested = *_beside(_sides(result.loss), 6), *_beside(_sides(result.accuracy), 4)
    table.add_row("  test", *tested, style="bold")
    table.add_row("  seconds", *(f"{seconds:.1f}" for seconds in _sides(result.seconds)))
    return table


def _over(group, titles):
    """The titles of three columns, with that of the group over the one in the middle."""
    first, middle, last = titles
    return f"\n{first}", f"{group}\n{middle}", f"\n{last}"


def _of_epoch(result, name, epoch):
    return [result.curves.history[side][name][epoch] for side in SIDES]


def _sides(values):
    return [values[side] for side in SIDES]


def _some(epochs: int) -> list[int | None]:
    """The epochs that are shown: all of a few, else the first and last with a gap between."""
    every = range(epochs)
    return list(every) if epochs <= 8 else [*every[:3], None, *every[-4:]]


def _beside(values, digits) -> list[Text]:
    """Numbers in a row, those that read differently from the first one marked."""
    first, *others = (f"{value:.{digits}f}" for value in values)
    return [Text(first), *(Text(text, "" if text == first else "yellow") for text in others)]


def _facts(result) -> dict[str, str]:
    lock_step, divergence = result.lock_step, result.first_divergence
    agreeing = f"{result.predictions_agreeing:,}"
    return {
        "weights apart": f"{_small(result.max_weight_difference)} at most, where rounding alone "
        f"parts them by {_small(result.envelope)}; "
        f"model.fit ends {_small(result.keras_weight_difference)} away",
        "lock step": f"worst error {lock_step.worst_ratio:.2g} times its rounding noise (limit "
        f"{lock_step.limit:g}), {lock_step.tensor} in step {lock_step.step}; "
        f"steps with a flip: {lock_step.flips}",
        "first divergence": divergence.explanation if divergence else "none",
        "predictions": f"{agreeing} of {result.test_examples:,} test predictions agree",
        "learned": "yes, the loss fell" if result.learned else "no, the loss did not fall",
    }


def pairs(console: Console, results: Iterable[Any], command: Callable[[Any], str]) -> None:
    """A row per PairResult, then the causes of those that fail, each with its command."""
    results = list(results)
    for dtype in dict.fromkeys(row.dtype for row in results):
        rows = [row for row in results if row.dtype == dtype]
        _print(console, _pairs(rows, f"pairs in {dtype}"))
        console.print()
    for row in results:
        if row.verdict not in STYLES:
            _failure(console, row, command(row))
    counts(console, results, "pairs")


def _pairs(rows, title) -> Table:
    table = _table(title, "case", "error", "noise", "verdict", left=("case",))
    for row in rows:
        error, noise = _small(row.max_error), _small(row.noise)
        table.add_row(f"  {row.topic}.{row.name}", row.case, error, noise, _coloured(row.verdict))
    return table


def _failure(console, row, command):
    console.print(f"{row.topic}.{row.name} {row.case}".rstrip(), end=": ")
    _verdict(console, row.verdict, [row.cause] if row.cause else [])
    console.print(Text(f"{command}\n", "dim"), soft_wrap=True)


def counts(console: Console, results: Iterable[Any], what: str) -> None:
    """How many results there are of each verdict."""
    verdicts = [result.verdict for result in results]
    each = [f"{verdicts.count(name)} {name}" for name in dict.fromkeys(verdicts)]
    console.print(f"{len(verdicts)} {what}: {', '.join(each)}")


def study(console: Console, result: Any, about: str, command: str) -> None:
    """A row per array of a StudyResult, then its verdict and the causes of what failed."""
    console.print(Text.assemble((result.name, "bold"), f": {about}"))
    console.print(result.caption.removeprefix(f"{result.name}, ") + "\n")
    table = _table("array", "shape", "error", "noise", "verdict")
    for row in result.arrays:
        shape = "x".join(map(str, row.shape))
        error, noise = _small(row.max_error), _small(row.noise)
        table.add_row(f"  {row.name}", shape, error, noise, _coloured(row.verdict))
    _print(console, table)
    console.print()
    _verdict(console, result.verdict, [f"{r.name}: {r.cause}" for r in result.arrays if r.cause])
    console.print(Text(f"{command}\n", "dim"), soft_wrap=True)


def listing(
    console: Console, experiments: Iterable[Any], studies: Iterable[Any], pairs: Iterable[Any]
) -> None:
    """The names that `twofold compare` takes."""
    table = _table("experiment", "network", "data", "epochs", left=("network", "data"))
    by_name: dict[str, list[Any]] = {}
    for row in experiments:
        by_name.setdefault(row.name, []).append(row)
    for name, (row, *others) in by_name.items():
        about = row.about + f", and {len(others)} more" * bool(others)
        table.add_row(f"  {name}", about, row.dataset, str(row.epochs))
    _print(console, table)
    console.print()
    table = _table("study", "what is drawn", left=("what is drawn",))
    for row in studies:
        table.add_row(f"  {row.name}", row.about)
    _print(console, table)
    console.print("\npairs by topic", style="dim")
    topics: dict[str, list[str]] = {}
    for pair in pairs:
        topics.setdefault(pair.topic, []).append(pair.name)
    for topic, names in topics.items():
        _fact(console, topic, ", ".join(dict.fromkeys(names)))


def gallery(console: Console, bugs: Iterable[Any]) -> None:
    """A row per bug of the gallery."""
    table = _table("bug", "where", "symptom", left=("where", "symptom"))
    for bug in bugs:
        table.add_row(bug.name, bug.target, bug.symptom)
    _print(console, table)


def bench(console: Console, record: dict[str, Any]) -> None:
    """Ratios first, then the milliseconds behind them and the machine."""
    rows = record["bench"]
    for reason in dict.fromkeys(row["dataset_reason"] for row in rows):
        console.print(reason)
    for table in (_ratios(rows), _best(rows)):
        console.print()
        _print(console, table)
    console.print()
    for text in _machine(record["environment"]):
        console.print(Text(text, "dim"))
    if record["environment"]["load"] > record["environment"]["cores"] / 4:
        console.print("other programs were running: repeat this on an idle machine", style="yellow")


def _ratios(rows) -> Table:
    others = ("model.fit", "compiled tape", "eager tape", "memory", "spread")
    table = _table("scratch over Keras", "dtype", *others, left=("dtype",))
    for row in rows:
        ratios = (row[key] for key in ("to_fit", "to_compiled", "to_eager", "memory"))
        cells = [Text(f"{ratio:.2f}", "green" if ratio <= 1 else "yellow") for ratio in ratios]
        table.add_row(f"  {row['name']}", row["dtype"], *cells, f"{row['spread']:.0%}")
    return table


def _best(rows) -> Table:
    columns = ("scratch", "model.fit", "compiled tape", "eager tape", "steps", "rounds")
    table = _table("ms per step, best round", *columns)
    for row in rows:
        times = [f"{value:.3f}" for value in row["milliseconds"].values()]
        table.add_row(f"  {row['name']}", *times, str(row["steps"]), str(row["rounds"]))
    return table


def _machine(environment) -> list[str]:
    packages = ("python", "numpy", "tensorflow", "keras")
    core_type = environment["OPENBLAS_CORETYPE"] or "not set"
    return [
        f"{environment['cpu']}, {environment['cores']} cores, load {environment['load']:.1f}",
        ", ".join(f"{name} {environment[name]}" for name in packages),
        f"{environment['blas']}; OPENBLAS_CORETYPE {core_type}",
    ]


def _table(first_title: str, *titles: str, left=()) -> Table:
    """A plain table: names that are never cut, texts in the columns named `left`, and numbers."""
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, GAP, 0, 0))
    table.add_column(first_title, no_wrap=True)
    for title in titles:
        justify = "left" if title in (*left, "verdict") else "right"
        table.add_column(title, justify=justify, no_wrap=title not in left, overflow="fold")
    return table


def _print(console: Console, table: Table) -> None:
    """Print a table; where not even names and numbers fit, its lines run on past the terminal's."""
    least = sum(map(_least, table.columns)) + GAP * (len(table.columns) - 1)
    if least > console.width:
        table.width = least
    console.print(table, crop=False)


def _least(column: Column) -> int:
    """The width that a column cannot do without."""
    cells = [str(cell) for cell in (column.header, *column.cells)]
    width = max(len(line) for cell in cells for line in cell.splitlines())
    return width if column.no_wrap else min(width, FOLDED)


def _fact(console: Console, label: str, text: str) -> None:
    """A label and a text beside it, folded under itself where the terminal is narrow."""
    start = f"  {label:<17} "
    line = _folded(start, text, console.width)
    line.stylize("dim", 0, len(start))
    console.print(line, soft_wrap=True)


def _folded(start, text, width):
    wrapper = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False)
    wrapper.initial_indent, wrapper.subsequent_indent = start, " " * len(start)
    return Text(wrapper.fill(text))


def _verdict(console, verdict, causes):
    console.print(_coloured(verdict) + Text(MEANINGS.get(verdict, "")))
    for cause in causes:
        console.print(_folded("  - ", cause, console.width))


def _coloured(verdict: str) -> Text:
    return Text(verdict, f"bold {STYLES.get(verdict, 'red')}")


def _small(value: float) -> str:
    return "0" if value == 0 else f"{value:.1e}"
