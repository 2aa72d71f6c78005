"""`twofold show`: a concept's two sources beside each other, and whether they agree."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from comparisons import sources
from comparisons.pairs import PAIRS, UNPAIRED
from comparisons.report import terminal

from .compare import check_pairs, pair_command, status

if TYPE_CHECKING:
    from rich.syntax import Syntax

GAP = 4  # columns between the two


def _complete(incomplete: str) -> list[str]:
    names = {name for c in sources.every() for name in (c.title, c.name)}
    return sorted(name for name in names if name and name.startswith(incomplete))


Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="A topic, a function or a class: attention, relu, losses.MeanSquaredError.",
        autocompletion=_complete,
    ),
]


def show(name: Name) -> int:
    """A concept's two sources side by side, its formula above, the check's result below."""
    if not name:
        raise typer.TyperException("the NAME is empty; `twofold list` shows all")
    try:
        concepts = sources.find(name)
    except ValueError as error:
        raise typer.TyperException(str(error)) from None
    output = terminal.Output()
    for concept in concepts:
        _sources(output, concept)
    return _judge(output, concepts)


def _sources(output: terminal.Output, concept: sources.Concept) -> None:
    from rich.text import Text

    output.print(Text(concept.title, "bold"))
    output.print(f"{concept.docstring}\n" if concept.docstring else "")
    here, there = concept.source("scratch"), concept.source("reference")
    if concept.name:
        terminal.start_tensorflow()
        there = f"{there}\n{sources.shipped(there)}"
    _beside(output, {f"scratch/{concept.topic}": here, f"reference/{concept.topic}": there})


def _beside(output: terminal.Output, titled: dict[str, str]) -> None:
    """Two columns where both fit, one below the other where not, plain in a pipe."""
    from rich.table import Table

    if not sys.stdout.isatty():
        for title, source in titled.items():
            output.print(f"{title}\n\n{source.rstrip()}\n")
        return
    widths = [max(map(len, source.splitlines())) for source in titled.values()]
    sides = [_highlighted(source) for source in titled.values()]
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="dim")
    if sum(widths) + GAP <= output.width:
        for title in titled:
            table.add_column(title)
        table.add_row(*sides)
        return output.print(table, "")
    for title, side in zip(titled, sides, strict=True):
        output.print(f"[dim]{title}[/]\n", side, markup=True)


def _highlighted(source: str) -> "Syntax":
    from rich.syntax import Syntax

    return Syntax(
        source.rstrip(), "python", theme="ansi_dark", background_color="default", word_wrap=True
    )


def _judge(output: terminal.Output, concepts: list[sources.Concept]) -> int:
    """Check every pair of these concepts, or say why there is none."""
    titles = {concept.title for concept in concepts}
    pairs = [pair for pair in PAIRS if {pair.topic, f"{pair.topic}.{pair.name}"} & titles]
    for title in sorted(titles | {concept.topic for concept in concepts}):
        if title in UNPAIRED:
            output.print(f"{title} has no pair: {UNPAIRED[title]}")
    if not pairs:
        return 0
    checked = check_pairs(pairs, None, 0)
    terminal.pairs(output, checked, lambda pair: pair_command(pair, 0))
    return status(*checked)
