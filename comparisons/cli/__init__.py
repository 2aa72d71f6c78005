"""The `twofold` command.

Exit status: 0 when all is identical, match or convention; 1 on a mismatch, vacuous or error; 2 on
bad usage or input, and where the output cannot be written; 3 on a crash of twofold's own; 130 on
Ctrl-C. A closed pipe is no error.
"""

import errno
import io
import sys
import traceback
from typing import Annotated, NoReturn

import typer
import typer.core

from comparisons.report import terminal

from .bench import bench
from .bugs import bugs
from .check import check
from .compare import compare
from .listing import list_names
from .show import show

UNWRITABLE = errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO


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
    if None in (sys.stdout, sys.stderr):
        return _complain("standard output or standard error is closed")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # letters that its encoding has not
    try:
        ended = app(arguments, prog_name="twofold", standalone_mode=False)
        sys.stdout.flush()
        return ended or 0
    except typer.TyperException as error:
        return _complain(error.format_message().replace("Value error, ", ""))  # pydantic's words
    except (BrokenPipeError, SystemExit) as end:
        return _closed_pipe(end)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in UNWRITABLE:
            return _unwritable(error)
        return _crashed()


def _complain(message: str) -> int:
    print(f"twofold: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _closed_pipe(end: BaseException) -> int:
    """0 where the reader of a pipe has gone, which typer and rich turn into a SystemExit."""
    if not isinstance(end, BrokenPipeError) and not isinstance(end.__context__, BrokenPipeError):
        raise end
    terminal.discard_output()
    return 0


def _unwritable(error: OSError) -> int:
    terminal.discard_output()
    return _complain(f"the output cannot be written: {error.strerror}")


def _crashed() -> int:
    traceback.print_exc()
    _complain("this is a bug of twofold itself; please report it with the lines above")
    return 3


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"twofold {version('twofold')}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which this is.")
]


@app.callback(invoke_without_command=True)
def twofold(context: typer.Context, version: Version = False) -> None:
    """Deep learning twice, from scratch in NumPy and with Keras, compared number by number."""
    if context.invoked_subcommand is None:
        print(context.get_help())


for command in (compare, check, show, bugs, bench):
    app.command()(command)
app.command("list")(list_names)
