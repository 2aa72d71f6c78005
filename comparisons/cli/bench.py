"""twofold bench: scratch timed beside Keras."""

from typing import Annotated, Any

import typer

from comparisons.experiments import Experiment
from comparisons.report import terminal

from .options import (
    Data,
    ExperimentNames,
    JsonFile,
    Precision,
    Rounds,
    data_errors_in_one_line,
    experiment_names,
    find,
    must_be_known,
    source,
    writable_file,
)


def bench(
    names: ExperimentNames = None,
    data: Data = None,
    dtype: Annotated[Precision, typer.Option(help="What both compute in.")] = "float32",
    rounds: Rounds = 5,
    json_file: JsonFile = None,
) -> None:
    """Time scratch beside Keras, and their memory, as ratios."""
    for name in names or []:
        must_be_known(name, experiment_names(), "experiment")
    given, json_file = source(data), writable_file(json_file)
    from comparisons.bench import NAMES, environment
    from comparisons.results import provenance, write_json

    record: dict[str, Any] = provenance() | {"environment": environment()}
    settings = {"dtype": dtype, "rounds": rounds, **given}
    output, experiments = terminal.Output(), find(names or list(NAMES))[0]
    benched = {experiment.name: experiment for experiment in reversed(experiments)}
    record["bench"] = [_measure(row, settings) for row in reversed(benched.values())]
    terminal.bench(output, record)
    if json_file:
        write_json(record, json_file)


def _measure(experiment: Experiment, settings: dict[str, Any]) -> dict[str, Any]:
    with terminal.progress_bar("starting TensorFlow") as progress, data_errors_in_one_line():
        terminal.start_tensorflow()
        from comparisons.bench import measure

        return measure(experiment, progress=progress, **settings)
