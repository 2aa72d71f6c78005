"""`twofold check`: is this gradient right, and if not, why?"""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from comparisons.report import terminal

from .options import JsonFile, Precision, Seed, writable_file

TARGET_HELP = (
    "A function, (forward, backward), layer or tf.custom_gradient: module:name or file.py:name."
)
AGAINST_HELP = "The TensorFlow function or Keras layer to hold it against, named likewise."
INPUT_HELP = (
    "An input and how to draw it, in the order of the arguments: 32x784, 32:int:10 (integers below "
    "10), 32x10:positive, 8x10:simplex, scalar or @file.npy."
)
Target = Annotated[str, typer.Argument(metavar="TARGET", help=TARGET_HELP)]
Against = Annotated[str | None, typer.Option(metavar="REFERENCE", help=AGAINST_HELP)]
Inputs = Annotated[list[str] | None, typer.Option("--input", metavar="NAME=SPEC", help=INPUT_HELP)]
Constant = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="An input that has no gradient.")
]
Zero = Annotated[
    list[str] | None, typer.Option(metavar="NAME", help="An input whose gradient is truly zero.")
]


def check(
    target: Target,
    against: Against = None,
    inputs: Inputs = None,
    constant: Constant = None,
    zero: Zero = None,
    seed: Seed = 0,
    dtype: Annotated[Precision, typer.Option(help="What is judged.")] = "float64",
    json_file: JsonFile = None,
) -> int:
    """Hold a gradient against TensorFlow and the derivative of its own forward."""
    if against == "":
        raise typer.BadParameter("--against is empty, expected module:name or file.py:name")
    specs, json_file = _specs(inputs or []), writable_file(json_file)
    settings = {"seed": seed, "dtype": dtype, "constant": constant or (), "zero": zero or ()}
    terminal.start_tensorflow()
    with _usage_errors_in_one_line():
        from comparisons import targets

        report = targets.check(target, against, specs, **settings)
    command = _command(target, against, specs, settings)
    if json_file:
        from comparisons.results import provenance, write_json

        write_json(provenance() | {"command": command} | report.to_dict(), json_file)
    text = str(report) if report.ok else f"{report}\n\n{command}"
    terminal.Output().print(text, soft_wrap=True)
    return 0 if report.ok else 1


def _specs(inputs: list[str]) -> dict[str, str]:
    specs = {name: spec for name, _, spec in (entry.partition("=") for entry in inputs)}
    for name, spec in specs.items():
        if not name or not spec:
            given = f"{name}={spec}".rstrip("=")
            raise typer.BadParameter(f"--input {given} is not NAME=SPEC, such as x=32x784")
    if not specs or len(specs) < len(inputs):
        raise typer.BadParameter("name each input once with --input NAME=SPEC, such as x=32x784")
    return specs


@contextmanager
def _usage_errors_in_one_line() -> Iterator[None]:
    """What was asked wrongly becomes a line; the user's own traceback, if any, stands below it."""
    try:
        yield
    except (ValueError, TypeError) as error:
        trace = getattr(error, "trace", "")
        if not trace:
            raise typer.TyperException(str(error)) from error
        print(f"twofold: {error}\n{trace}", file=sys.stderr, end="")
        raise typer.Exit(2) from None
    except MemoryError as error:
        raise typer.TyperException(f"the inputs are too large for the memory: {error}") from error


def _command(target: str, against: str | None, specs: dict[str, str], settings: Any) -> str:
    words = ["twofold", "check", target, *(["--against", against] if against else [])]
    words += [word for name, spec in specs.items() for word in ("--input", f"{name}={spec}")]
    words += [w for key in ("constant", "zero") for n in settings[key] for w in (f"--{key}", n)]
    words += ["--seed", str(settings["seed"]), "--dtype", settings["dtype"]]
    return shlex.join(words)
