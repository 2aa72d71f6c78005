"""The `twofold` command.

Exit status: 0 when all is identical, match or convention; 1 on a mismatch, vacuous or error; 2 on
bad usage or input; 3 on a crash of twofold's own; 130 on Ctrl-C. A closed pipe is no error.
"""

import difflib
import json
import os
import shlex
import sys
import tempfile
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer
import typer.core

from comparisons.experiments import EXPERIMENTS, Experiment
from comparisons.pairs import PAIRS, Pair
from comparisons.report import terminal
from comparisons.studies import STUDIES, Study

if TYPE_CHECKING:  # NumPy would double the time that `twofold list` takes
    from comparisons.results import ExperimentResult, PairResult, StudyResult


class Commands(typer.core.TyperGroup):
    """The commands; an interrupted one says in a line what it had."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as interrupt:
            _complain(f"{str(interrupt) or 'interrupted'}; no file is left half written")
            return 130


app = typer.Typer(cls=Commands, pretty_exceptions_enable=False, rich_markup_mode=None)


def main() -> NoReturn:
    """Run the command and leave with its exit status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """The exit status of `twofold` with these arguments."""
    try:
        ended = app(arguments, prog_name="twofold", standalone_mode=False)
        sys.stdout.flush()
        return ended or 0
    except typer.TyperException as error:
        return _complain(error.format_message())
    except (BrokenPipeError, SystemExit) as end:
        return _closed_pipe(end)
    except Exception:
        traceback.print_exc()
        _complain("this is a bug of twofold itself; please report it with the lines above")
        return 3


def _complain(message: str) -> int:
    print(f"twofold: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _closed_pipe(end: BaseException) -> int:
    """0 where the reader of a pipe has gone, which typer and rich turn into a SystemExit."""
    if not isinstance(end, BrokenPipeError) and not isinstance(end.__context__, BrokenPipeError):
        raise end
    terminal.discard_output()
    return 0


@app.callback(invoke_without_command=True)
def twofold(context: typer.Context) -> None:
    """Deep learning twice, from scratch in NumPy and with Keras, compared number by number."""
    if context.invoked_subcommand is None:
        print(context.get_help())


def _known_names() -> list[str]:
    pairs = [name for pair in PAIRS for name in (pair.topic, pair.name, _dotted(pair))]
    studies = [study.name for study in STUDIES]
    return list(dict.fromkeys([*_experiment_names(), *studies, *pairs]))


def _experiment_names() -> list[str]:
    return list(dict.fromkeys(experiment.name for experiment in EXPERIMENTS))


def _dotted(pair: Any) -> str:
    return f"{pair.topic}.{pair.name}"


def _complete(incomplete: str) -> list[str]:
    return [name for name in _known_names() if name.startswith(incomplete)]


def _complete_experiment(incomplete: str) -> list[str]:
    return [name for name in _experiment_names() if name.startswith(incomplete)]


def _names(what: str, complete) -> Any:
    settings = {"metavar": "NAME", "show_default": "mlp", "autocompletion": complete}
    return typer.Argument(help=f"{what} that `twofold list` shows.", **settings)


DATA_HELP = (
    "A data set (auto, mnist, digits, moons, blobs), or where MNIST is: its .npz or the directory "
    "of its IDX files; ./mnist is a path."
)
Names = Annotated[list[str] | None, _names("Experiments, studies, topics or pairs", _complete)]
ExperimentNames = Annotated[list[str] | None, _names("Experiments", _complete_experiment)]
All = Annotated[bool, typer.Option("--all", help="Every experiment, study and pair.")]
Data = Annotated[str | None, typer.Option(metavar="NAME|PATH", help=DATA_HELP)]


def _whole(given: str | int, low: int, high: int) -> int:
    text = str(given)  # typer passes a default through here as well
    if text.isdecimal() and low <= int(text) <= high:
        return int(text)
    raise typer.BadParameter(f"{text} is not a whole number from {low} to {high}")


def _number(low: int, high: int, what: str) -> Any:
    parser = partial(_whole, low=low, high=high)
    return typer.Option(parser=parser, metavar="N", help=what)


Epochs = Annotated[int | None, _number(1, 10**6, "Epochs to train, else the experiment's own.")]
Seed = Annotated[int, _number(0, 2**32 - 1, "Of weights, batches and inputs.")]
Rounds = Annotated[int, _number(1, 10**6, "Rounds, each an epoch or more of each.")]
Precision = Literal["float32", "float64"]
Dtype = Annotated[
    Precision | None,
    typer.Option(help="What both compute in; else float32, for studies float64, for pairs both."),
]
JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write the results as JSON.")
]
Plots = Annotated[Path | None, typer.Option(metavar="DIR", help="Draw plots as PNG files.")]


@app.command()
def compare(
    names: Names = None,
    every: All = False,
    data: Data = None,
    epochs: Epochs = None,
    seed: Seed = 0,
    dtype: Dtype = None,
    json_file: JsonFile = None,
    plots: Plots = None,
) -> int:
    """Start NumPy and Keras from one seed, train both, and say how far they agree."""
    everything = EXPERIMENTS, STUDIES, PAIRS
    experiments, studies, pairs = everything if every else _find(names or ["mlp"])
    _refuse_what_is_for_others(experiments, studies, data or epochs, plots)
    source, settings = _source(data), {"seed": seed, "epochs": epochs, "dtype": dtype or "float32"}
    files = writable_file(json_file), _writable_directory(plots)
    output = terminal.Output()
    trained, studied, checked = [], [], []
    for experiment in experiments:
        applies = not every or experiment.dataset in ("auto", "mnist")
        trained.append(_train(experiment, settings | (source if applies else {}), output))
        _show(output, experiment, trained)
        if output.quiet and not any(files):
            return 0
    if len(trained) > 1:
        terminal.counts(output, trained, "experiments")
    if studies:
        studied = _study(studies, dtype or "float64", seed, output)
    if pairs:
        checked = check_pairs(pairs, dtype, seed)
        terminal.pairs(output, checked, lambda pair: pair_command(pair, seed))
    _write(trained, studied, checked, *files)
    return status(*trained, *studied, *checked)


def _refuse_what_is_for_others(experiments, studies, training: Any, plots: Path | None) -> None:
    if training and not experiments:
        raise typer.TyperException("--data and --epochs are for experiments; none is named")
    if plots and not (experiments or studies):
        raise typer.TyperException("--plots is for experiments and studies; none is named")


def _show(
    output: terminal.Output, experiment: Experiment, trained: "list[ExperimentResult]"
) -> None:
    """The last result; of a variant only if it fails, and a table after the last of them."""
    from comparisons.results import GOOD_VERDICTS, averaged

    if not experiment.variant or trained[-1].verdict not in GOOD_VERDICTS:
        terminal.experiment(output, trained[-1], experiment.about)
    rows = _variants(experiment)
    if experiment.variant and experiment == rows[-1]:
        results = trained[-len(rows) :]
        complete = all(result.samples.outputs for result in results)
        average = averaged(results) if experiment.averaged and complete else None
        terminal.variants(output, results, average)


def _variants(experiment: Experiment) -> list[Experiment]:
    return [row for row in EXPERIMENTS if row.name == experiment.name]


def status(*results: "ExperimentResult | PairResult | StudyResult") -> int:
    from comparisons.results import GOOD_VERDICTS

    return 0 if all(result.verdict in GOOD_VERDICTS for result in results) else 1


def _find(names: list[str]) -> tuple[list[Experiment], list[Study], list[Pair]]:
    """What the names mean: experiments, studies, topics, pairs; one name may be several of them."""
    for name in names:
        _must_be_known(name, _known_names())
    experiments = [experiment for experiment in EXPERIMENTS if experiment.name in names]
    studies = [study for study in STUDIES if study.name in names]
    pairs = [p for p in PAIRS if not {p.topic, p.name, _dotted(p)}.isdisjoint(names)]
    return experiments, studies, pairs


def _must_be_known(name: str, known: list[str], what: str = "name") -> None:
    if name not in known:
        hint = _did_you_mean(name, known) or ","
        raise typer.TyperException(f"unknown {what} {name!r}{hint} `twofold list` shows all")


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f", did you mean {close[0]}?" if close else ""


def _source(data: str | None) -> dict[str, str]:
    """--data as an argument of training.compare: the name of a data set, or MNIST's path."""
    if data is None:
        return {}
    from comparisons.datasets import names

    known = ["auto", *names]
    if data in known:
        return {"dataset": data}
    path = Path(data).expanduser()
    if not path.exists():
        hint = _did_you_mean(data, known) or ","
        expected = f"expected {', '.join(known)}, or MNIST's .npz or directory"
        raise typer.TyperException(f"--data {data}: no such data set or file{hint} {expected}")
    return {"data": str(path)}


def writable_file(path: Path | None) -> Path | None:
    """The file that path leads to, once it is sure that it can be written."""
    if path is None:
        return None
    if path.exists() and not path.is_file():
        raise typer.TyperException(f"--json {path}: not a file")
    if path.exists() and not os.access(path, os.W_OK):
        raise typer.TyperException(f"--json {path}: not writable")
    _must_be_writable(path.resolve().parent, f"--json {path}")
    return path.resolve()


def _writable_directory(path: Path | None) -> Path | None:
    """path, a directory or where one can be made; it is made only when there is something in it."""
    if path is not None:
        _must_be_writable(path if path.exists() else path.resolve().parent, f"--plots {path}")
    return path


def _must_be_writable(directory: Path, what: str) -> None:
    try:
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        reason = f"{directory}: {error.strerror}"
        raise typer.TyperException(f"{what} cannot be written ({reason})") from None


def _train(
    experiment: Experiment, settings: dict[str, Any], output: terminal.Output
) -> "ExperimentResult":
    with terminal.progress_bar("starting TensorFlow"), _data_errors_in_one_line():
        terminal.start_tensorflow()
        from comparisons import training

        task = training.prepare(experiment, **settings)
    if experiment == _variants(experiment)[0]:
        output.print(task.reason)
    with terminal.progress_bar(f"{experiment.title}, the first step") as progress:
        result = training.train(task, progress)
    options = {"dtype": result.dtype, "seed": settings["seed"], "epochs": result.epochs}
    data = settings.get("data") or settings.get("dataset")
    if data or experiment.dataset == "auto":
        options["data"] = data or result.dataset
    result.command = _command(experiment.name, options)
    return result


@contextmanager
def _data_errors_in_one_line() -> Iterator[None]:
    from comparisons.datasets import DataError

    try:
        yield
    except DataError as error:
        raise typer.TyperException(str(error)) from error


def _command(name: str, options: dict[str, Any]) -> str:
    words = [f"--{option} {shlex.quote(str(value))}" for option, value in options.items()]
    return " ".join(["twofold compare", name, *words])


def _study(
    studies: Sequence[Study], dtype: Precision, seed: int, output: terminal.Output
) -> "list[StudyResult]":
    results = []
    try:
        for study in studies:
            with terminal.progress_bar(f"{study.name}, on both sides"):
                terminal.start_tensorflow()
                from comparisons.studies.judgement import run

                results.append(run(study, dtype, seed))
            options = {"dtype": dtype} | ({"seed": seed} if study.draws else {})
            terminal.study(output, results[-1], study.about, _command(study.name, options))
    except KeyboardInterrupt:
        had = f"interrupted after {len(results)} of {len(studies)} studies"
        raise KeyboardInterrupt(had) from None
    if len(results) > 1:
        terminal.counts(output, results, "studies")
    return results


def check_pairs(pairs: Iterable[Pair], dtype: Precision | None, seed: int) -> "list[PairResult]":
    """Every pair in dtype, else in both: but in its own alone where it has only one."""
    dtypes = (dtype,) if dtype else ("float64", "float32")
    jobs = [(p, d) for d in dtypes for p in pairs if len(dtypes) == 1 or p.dtype in (None, d)]
    checked = []
    try:
        with terminal.progress_bar("starting TensorFlow") as progress:
            terminal.start_tensorflow()
            from comparisons.agreement import check_pair

            for pair, in_dtype in jobs:
                progress(len(checked), len(jobs), f"{_dotted(pair)}, {in_dtype}")
                checked.append(check_pair(pair, in_dtype, seed=seed))
    except KeyboardInterrupt:
        had = f"interrupted after {len(checked)} of {len(jobs)} checks of pairs"
        raise KeyboardInterrupt(had) from None
    return checked


def pair_command(pair: "PairResult", seed: int) -> str:
    return _command(_dotted(pair), {"dtype": pair.dtype, "seed": seed})


def _write(trained, studied, checked, json_file: Path | None, plots: Path | None) -> None:
    from comparisons.results import run_record, write_json

    if json_file:
        write_json(run_record(trained, checked, studied), json_file)
    if plots:
        from comparisons.report.plots import draw, draw_study, draw_variants

        for name in dict.fromkeys(result.name for result in trained):
            results = [result for result in trained if result.name == name]
            if results[0].variant:
                draw_variants(results, plots)
            else:
                draw(results[0], plots)
        for result in studied:
            draw_study(result, plots)


@app.command("list")
def list_names(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, on standard output.")] = False,
) -> None:
    """Every experiment, every study and every pair."""
    if not as_json:
        return terminal.listing(terminal.Output(), EXPERIMENTS, STUDIES, PAIRS)
    pairs = [{"topic": p.topic, "name": p.name, "case": p.case} for p in PAIRS]
    tables = {"experiments": EXPERIMENTS, "studies": STUDIES}
    rows = {name: [asdict(row) for row in table] for name, table in tables.items()}
    print(json.dumps(rows | {"pairs": pairs}, indent=1))


@app.command()
def bench(
    names: ExperimentNames = None,
    data: Data = None,
    dtype: Annotated[Precision, typer.Option(help="What both compute in.")] = "float32",
    rounds: Rounds = 5,
    json_file: JsonFile = None,
) -> None:
    """Time scratch beside Keras, and their memory, as ratios."""
    for name in names or []:
        _must_be_known(name, _experiment_names(), "experiment")
    source, json_file = _source(data), writable_file(json_file)
    from comparisons.bench import NAMES, environment
    from comparisons.results import write_json

    record: dict[str, Any] = {"environment": environment()}
    settings = {"dtype": dtype, "rounds": rounds, **source}
    names = names or [name for name in NAMES if name in _experiment_names()]
    output, experiments = terminal.Output(), _find(names)[0]
    benched = {experiment.name: experiment for experiment in reversed(experiments)}
    record["bench"] = [_measure(row, settings) for row in reversed(benched.values())]
    terminal.bench(output, record)
    if json_file:
        write_json(record, json_file)


def _measure(experiment: Experiment, settings: dict[str, Any]) -> dict[str, Any]:
    with terminal.progress_bar("starting TensorFlow") as progress, _data_errors_in_one_line():
        terminal.start_tensorflow()
        from comparisons.bench import measure

        return measure(experiment, progress=progress, **settings)


# they add their commands to the app
from comparisons.cli import bugs, check, show  # noqa: E402, F401
