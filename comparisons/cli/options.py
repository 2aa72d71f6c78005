"""What the commands take: names, data sets, numbers and files, each refused in one line."""

import difflib
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from comparisons.experiments import EXPERIMENTS, Experiment
from comparisons.pairs import PAIRS, Pair
from comparisons.studies import STUDIES, Study


def known_names() -> list[str]:
    pairs = [name for pair in PAIRS for name in (pair.topic, pair.name, dotted(pair))]
    studies = [study.name for study in STUDIES]
    return list(dict.fromkeys([*experiment_names(), *studies, *pairs]))


def experiment_names() -> list[str]:
    return list(dict.fromkeys(experiment.name for experiment in EXPERIMENTS))


def dotted(pair: Any) -> str:
    return f"{pair.topic}.{pair.name}"


def complete(incomplete: str) -> list[str]:
    return [name for name in known_names() if name.startswith(incomplete)]


def complete_experiment(incomplete: str) -> list[str]:
    return [name for name in experiment_names() if name.startswith(incomplete)]


def _names(what: str, default: str, complete) -> Any:
    settings = {"metavar": "NAME", "show_default": default, "autocompletion": complete}
    return typer.Argument(help=f"{what} that `twofold list` shows.", **settings)


DATA_HELP = (
    "A data set (auto, mnist, digits, moons, blobs), or where MNIST is: its .npz or the directory "
    "of its IDX files; ./mnist is a path."
)
Names = Annotated[
    list[str] | None, _names("Experiments, studies, topics or pairs", "mlp", complete)
]
ExperimentNames = Annotated[
    list[str] | None, _names("Experiments", "one of each kind", complete_experiment)
]
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


def _path(given: str) -> Path:
    if not given:
        raise typer.BadParameter("it is empty, expected a path")
    return Path(given)


JsonFile = Annotated[
    Path | None,
    typer.Option("--json", parser=_path, metavar="FILE", help="Write the results as JSON."),
]
Plots = Annotated[
    Path | None, typer.Option(parser=_path, metavar="DIR", help="Draw plots as PNG files.")
]


def find(names: list[str]) -> tuple[list[Experiment], list[Study], list[Pair]]:
    """What the names mean: experiments, studies, topics, pairs; one name may be several of them."""
    for name in names:
        must_be_known(name, known_names())
    experiments = [experiment for experiment in EXPERIMENTS if experiment.name in names]
    studies = [study for study in STUDIES if study.name in names]
    pairs = [p for p in PAIRS if not {p.topic, p.name, dotted(p)}.isdisjoint(names)]
    return experiments, studies, pairs


def must_be_known(name: str, known: list[str], what: str = "name") -> None:
    if name not in known:
        hint = _did_you_mean(name, known) or ","
        raise typer.TyperException(f"unknown {what} {name!r}{hint} `twofold list` shows all")


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    lower = {each.lower(): each for each in known}
    close = difflib.get_close_matches(name.lower(), lower, n=1)
    return f", did you mean {lower[close[0]]}?" if close else ""


def source(data: str | None) -> dict[str, str]:
    """--data as an argument of training.compare: the name of a data set, or MNIST's path."""
    if data is None:
        return {}
    from comparisons.datasets import names

    known = ["auto", *names]
    if data in known:
        return {"dataset": data}
    path = Path(data).expanduser()
    if not data or not path.exists():
        hint = _did_you_mean(data, known) or ","
        expected = f"expected {', '.join(known)}, or MNIST's .npz or directory"
        raise typer.TyperException(
            f"--data {data or repr(data)}: no such data set or file{hint} {expected}"
        )
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


def writable_directory(path: Path | None) -> Path | None:
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


@contextmanager
def data_errors_in_one_line() -> Iterator[None]:
    from comparisons.datasets import DataError

    try:
        yield
    except DataError as error:
        raise typer.TyperException(str(error)) from error
