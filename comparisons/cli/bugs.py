"""`twofold bugs`: the gallery of classic gradient bugs, and what the checker says of each."""

import difflib
import textwrap
from typing import TYPE_CHECKING, Annotated

import typer

from comparisons.report import terminal

from .options import Seed

if TYPE_CHECKING:
    from comparisons.bugs import Bug

Name = Annotated[str | None, typer.Argument(metavar="NAME", help="One that `twofold bugs` lists.")]
Train = Annotated[bool, typer.Option("--train", help="Train with and without it, on the digits.")]


def bugs(name: Name = None, train: Train = False, seed: Seed = 0) -> None:
    """The gallery of classic gradient bugs: the wrong line, the symptom, the verdict."""
    from comparisons.bugs import BUGS, find

    if name is None:
        if train:
            raise typer.BadParameter("--train takes the NAME of a bug")
        return terminal.gallery(terminal.Output(), BUGS)
    try:
        bug = find(name)
    except ValueError as error:
        raise typer.TyperException(str(error)) from None
    if train and bug.trains is None:
        raise typer.BadParameter(f"{name} sits in no network that could be trained")
    print("\n".join(_story(bug)))
    _judge(bug, seed)
    if train:
        _train(bug, seed)


def _story(bug: "Bug") -> list[str]:
    wrapped = [textwrap.fill(text, 80) for text in (bug.story, bug.symptom)]
    return [f"{bug.name}, in {bug.target}", "", *wrapped, f"Source: {bug.source}", "", *_lines(bug)]


def _lines(bug: "Bug") -> list[str]:
    """The lines of the source that the bug changes, marked as a diff marks them."""
    from comparisons.bugs import right_and_wrong_source

    right, wrong = (source.splitlines() for source in right_and_wrong_source(bug))
    changed = difflib.ndiff(right, wrong)
    words = {"- ": "right  ", "+ ": "wrong  "}
    return [words[line[:2]] + line[2:].strip() for line in changed if line[:2] in words]


def _judge(bug: "Bug", seed: int) -> None:
    terminal.start_tensorflow()
    from comparisons.bugs import check

    print(f"\n{check(bug, seed)}")


def _train(bug: "Bug", seed: int) -> None:
    from comparisons.bugs.training import train

    training = train(bug, seed=seed)
    print("\ntrained on the digits     loss of each epoch                        test accuracy")
    for word, run in (("right", training.right), ("wrong", training.wrong)):
        losses = run.error or "  ".join(f"{loss:.4f}" for loss in run.losses)
        accuracy = "" if run.accuracy is None else f"{run.accuracy:.4f}"
        print(f"  {word:<22}  {losses:<40}  {accuracy}".rstrip())
