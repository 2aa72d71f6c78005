"""What a finished comparison amounts to."""

import numpy as np

from comparisons.results import ExperimentResult

from .divergence import MULTIPLE
from .setup import Task


def causes(result: ExperimentResult, task: Task, outside: int | None) -> list[str]:
    """Why, beyond lock step, the two sides do not match, in sentences; empty where they do."""
    found = [
        _initial_weights(result),
        _free_run(result, outside),
        _keras(result),
        _accuracies(result),
        _learning(result, task),
    ]
    return [sentence for sentence in found if sentence]


def verdict(result: ExperimentResult) -> str:
    if result.causes:
        return "mismatch"
    same = result.max_weight_difference == 0.0 and result.lock_step.worst_ratio == 0.0
    return "identical" if same else "match"


def fell(losses: list[float]) -> bool:
    """Whether the last tenth of the losses lies below the first, by twice what scatter explains."""
    if len(losses) < 2:
        return False
    tenth = max(1, len(losses) // 10)
    first, last = np.array(losses[:tenth]), np.array(losses[-tenth:])
    scatter = np.sqrt((first.var() + last.var()) / tenth)
    return bool(first.mean() - last.mean() > 2 * scatter)


def _initial_weights(result):
    # normal draws agree within 2 units in the last place, uniform ones are identical
    difference, total = result.initial_weights["max_difference"], result.initial_weights["total"]
    if difference > 2 * np.finfo(result.dtype).eps * result.initial_weights["largest"]:
        apart = total - result.initial_weights["identical"]
        return f"{apart:,} of {total:,} initial weights differ, by up to {difference:.1e}"


def _free_run(result, outside):
    if outside is not None:
        here, envelope = result.curves.weight_difference, result.curves.envelope
        return (
            f"step {outside}: the free runs are {here[outside]:.1e} apart, more than {MULTIPLE:g} "
            f"times the {max(envelope[: outside + 1]):.1e} that rounding alone would part them"
        )


def _keras(result):
    bound = MULTIPLE * max(result.envelope, np.finfo(result.dtype).eps)
    if result.dtype == "float64" and result.keras_weight_difference > bound:
        return f"model.fit ends {result.keras_weight_difference:.1e} away from scratch's weights"


def _accuracies(result):
    differing = result.test_examples - result.predictions_agreeing
    here, there = result.accuracy["scratch"], result.accuracy["reference"]
    if abs(here - there) * result.test_examples > differing + 0.5:
        return f"accuracies {here:.4f} and {there:.4f}, though {differing} predictions differ"


def _learning(result, task):
    if task.experiment.learns and not result.learned:
        return "the loss did not fall, and agreeing on having learned nothing is no match"
