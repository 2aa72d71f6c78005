"""What arguments of layers may be: each check returns its argument, or raises a ValueError."""

from typing import Any

import numpy as np


def is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def positive(value: Any, name: str) -> int:
    if not is_integer(value) or value <= 0:
        raise ValueError(f"{name} is a positive integer, not {value!r}")
    return int(value)


def integers(values: Any, name: str) -> tuple[int, ...]:
    """A sequence of integers, as a tuple."""
    is_sequence = isinstance(values, list | tuple | np.ndarray)
    if not is_sequence or not all(map(is_integer, values)):
        raise ValueError(f"{name} takes a tuple of integers, not {values!r}")
    return tuple(map(int, values))


def per_axis(value: Any, count: int, name: str, least: int) -> tuple[int, ...]:
    """An integer for all of `count` axes, or one for each."""
    numbers = (value,) * count if is_integer(value) else value
    fits = isinstance(numbers, list | tuple | np.ndarray) and len(numbers) == count
    if not fits or not all(is_integer(number) and number >= least for number in numbers):
        raise ValueError(
            f"{name} takes an integer of at least {least}, or {count} of them, not {value!r}"
        )
    return tuple(map(int, numbers))


def between_0_and_1(value: Any, name: str) -> Any:
    if not isinstance(value, int | float | np.number) or not 0 <= value <= 1:
        raise ValueError(f"{name} lies between 0 and 1, not at {value!r}")
    return value


def below_1(value: Any, name: str) -> Any:
    """A number between 0 and 1, but not 1."""
    if value == 1:
        raise ValueError(f"{name} lies below 1: at 1 nothing would be left of x")
    return between_0_and_1(value, name)


def are_channels_first(data_format: Any) -> bool:
    """Whether an image's channels come before its pixels; None is "channels_last"."""
    if data_format not in (None, "channels_last", "channels_first"):
        raise ValueError(f'data_format is "channels_last" or "channels_first", not {data_format!r}')
    return data_format == "channels_first"
