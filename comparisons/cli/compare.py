"""twofold compare: both sides trained and checked, and how far they agree."""

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from comparisons.experiments import EXPERIMENTS, Experiment
from comparisons.pairs import PAIRS, Pair
from comparisons.report import terminal
from comparisons.studies import STUDIES, Study

from .options import (
    All,
    Data,
    Dtype,
    Epochs,
    JsonFile,
    Names,
    Plots,
    Precision,
    Seed,
    data_errors_in_one_line,
    dotted,
    find,
    source,
    writable_directory,
    writable_file,
)

if TYPE_CHECKING:  # NumPy would double the time that `twofold list` takes
    from comparisons.results import ExperimentResult, PairResult, StudyResult


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
    if every and names:
        raise typer.TyperException(f"--all is everything; leave out {' '.join(names)}, or --all")
    everything = EXPERIMENTS, STUDIES, PAIRS
    experiments, studies, pairs = everything if every else find(names or ["mlp"])
    _refuse_what_is_for_others(experiments, studies, data or epochs, plots)
    given, settings = source(data), {"seed": seed, "epochs": epochs, "dtype": dtype or "float32"}
    files = writable_file(json_file), writable_directory(plots)
    output = terminal.Output()
    trained, studied, checked = [], [], []
    for experiment in experiments:
        applies = not every or experiment.dataset in ("auto", "mnist")
        trained.append(_train(experiment, settings | (given if applies else {}), output))
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


def _train(
    experiment: Experiment, settings: dict[str, Any], output: terminal.Output
) -> "ExperimentResult":
    with terminal.progress_bar("starting TensorFlow"), data_errors_in_one_line():
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
                progress(len(checked), len(jobs), f"{dotted(pair)}, {in_dtype}")
                checked.append(check_pair(pair, in_dtype, seed=seed))
    except KeyboardInterrupt:
        had = f"interrupted after {len(checked)} of {len(jobs)} checks of pairs"
        raise KeyboardInterrupt(had) from None
    return checked


def pair_command(pair: "PairResult", seed: int) -> str:
    return _command(dotted(pair), {"dtype": pair.dtype, "seed": seed})


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
