"""The checker's judgement on a bug, and whether the bug shows at all on the inputs it was given."""

import functools
import importlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from comparisons.gradients import GradientReport, check_gradients, draw
from comparisons.gradients.rounding import LIMIT
from comparisons.gradients.subject import Subject
from comparisons.witnesses import Arrays

from . import layers, steps
from .bug import Bug, planted, resolve
from .observing import cast, two_calls
from .scaling import scaled, scaled_value

BOUNDED = (
    "unit",
    "simplex",
    "onehot",
    "binary",
    "mask",
    "int",
)  # kinds of numbers that have no scale


def check(
    bug: Bug, seed: int = 0, scale: float = 1.0, magnitude: float = 1.0, dtype: str = "float64"
) -> GradientReport:
    """The report on the wrong variant, its loss multiplied by scale, its inputs by magnitude."""
    with planted(bug):
        return judge(bug, seed, scale, magnitude, dtype)


def is_caught(bug: Bug, report: GradientReport) -> bool:
    """Whether the report says that something is wrong, or, if that is all, another convention."""
    wrong = ("mismatch", "error", "convention")
    return report.verdict in wrong[: 3 if bug.cause in ("kink", "tie") else 2]


def judge(
    bug: Bug, seed: int = 0, scale: float = 1.0, magnitude: float = 1.0, dtype: str = "float64"
) -> GradientReport:
    """The report on what the bug would be planted in, as it stands now."""
    arrays = drawn(bug, seed, magnitude, dtype)
    for kind in (steps, layers):
        if kind.is_one(bug.checked):
            return kind.check(bug, arrays, seed, scale, dtype)
    function, reference, arguments = sides(bug, dtype)
    return check_gradients(
        scaled(function, scale),
        reference and scaled_value(reference, scale),
        arrays,
        arguments=arguments,
        constant=bug.constant,
        zero=bug.zero,
        seed=seed,
        dtype=dtype,
        name=bug.checked,
    )


def drawn(bug: Bug, seed: int, magnitude: float, dtype: str) -> dict[str, np.ndarray]:
    """The inputs. Magnitude moves those that may have any size, not those that were chosen."""
    arrays = draw(bug.inputs, seed, dtype)
    return {
        name: magnitude * array if _has_scale(bug.inputs[name]) else array
        for name, array in arrays.items()
    }


def _has_scale(spec) -> bool:
    return isinstance(spec, str) and not spec.partition(":")[2].startswith(BOUNDED)


def sides(bug: Bug, dtype: str) -> tuple[Callable, Callable | None, Mapping[str, Any]]:
    """(function, its reference, their keyword arguments); losses and penalties are made ready."""
    function, twin = resolve(bug.checked), _twin(bug)
    is_loss = (bug.reference or bug.checked).startswith("losses.")
    made = {**bug.arguments, **({"dtype": dtype} if is_loss else {})}
    if isinstance(twin, type):
        twin = twin(**made)
    if isinstance(function, type):
        return function(**made).forward, twin, {}
    return function, twin, bug.arguments


def _twin(bug):
    """What stands in reference; an example has no twin there unless it names one."""
    topic, name = (bug.reference or bug.checked).split(".")
    if topic == "examples":
        return None
    return getattr(importlib.import_module(f"reference.{topic}"), name)


def is_equivalent(
    bug: Bug, seed: int = 0, scale: float = 1.0, magnitude: float = 1.0, dtype: str = "float64"
) -> bool:
    """Whether on these inputs the bug changes nothing beyond rounding in dtype.

    All that can be observed is compared as computed in extended precision, in which rounding does
    not hide a difference; what only overflows in dtype is a difference too.
    """
    settings = bug, drawn(bug, seed, magnitude, dtype), seed, scale
    long, rounded = observed(*settings, np.longdouble), observed(*settings, dtype)
    exact = np.longdouble if long else np.float64  # scipy's functions know no longer numbers
    right = long or observed(*settings, exact)
    with planted(bug):
        wrong, overflowing = observed(*settings, exact), observed(*settings, dtype)
    if not right or not wrong or not overflowing or not rounded:
        return False
    eps = float(np.finfo(dtype).eps)
    columns = zip(right, wrong, rounded, overflowing, strict=False)
    return len(right) == len(wrong) and all(_equal(*column, eps) for column in columns)


def _equal(right, wrong, rounded, overflowing, eps) -> bool:
    """|wrong - right| within what the checker grants n elements, and what right has lost itself.

    That is LIMIT * sqrt(n) roundings of the largest entry, as in gradients.rounding.
    """
    if right.shape != wrong.shape:
        return False
    if right.dtype.kind != "f":
        return bool(np.array_equal(right, wrong))
    with np.errstate(all="ignore"):
        largest = np.max(np.abs(right), initial=0)
        allowed = LIMIT * right.size**0.5 * eps * largest + np.abs(rounded - right)
        near = (np.abs(wrong - right) <= allowed) | (right == wrong)
    return bool(np.all(near & (np.isfinite(overflowing) >= np.isfinite(rounded))))


def observed(bug: Bug, arrays, seed: int, scale: float, precision) -> Arrays | None:
    """All that a caller can see of what stands in scratch now. None where it fails."""
    for kind in (steps, layers):
        if kind.is_one(bug.checked):
            return kind.observed(bug, arrays, seed, scale, precision)
    function, _, arguments = sides(bug, "float32" if precision == "float32" else "float64")
    inputs = [cast(array, precision) for array in arrays.values()]
    function = functools.partial(scaled(function, scale), **arguments)
    subject = Subject(bug.name, function, list(arrays), [0])
    return two_calls(subject, inputs, seed, precision)
