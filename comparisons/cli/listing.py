"""`twofold list`: every experiment, every study and every pair."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from comparisons.experiments import EXPERIMENTS
from comparisons.pairs import PAIRS
from comparisons.report import terminal
from comparisons.studies import STUDIES


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
