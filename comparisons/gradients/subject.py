"""The function under test, run so that whatever it does becomes a finding and never our failure."""

import inspect
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from comparisons.witnesses import Arrays

OURS = (str(Path(__file__).parent), str(Path(__file__).parent.parent / "witnesses"))


class Failure(Exception):
    """An error in the code under test: one line of ours, and its own traceback."""

    def __init__(self, line: str, trace: str = ""):
        super().__init__(line)
        self.line, self.trace = line, trace


@dataclass(frozen=True)
class Subject:
    """function(*arrays) -> (value, backward), the names of its inputs and which have gradients.

    The last values are `states`, by their names: compared, but without an upstream gradient.
    """

    name: str
    function: Callable
    names: Sequence[str]
    positions: Sequence[int]
    states: Sequence[str] = ()
    notes: list[str] = field(default_factory=list)

    @property
    def differentiated(self) -> list[str]:
        return [self.names[position] for position in self.positions]

    def run(self, arrays: Arrays) -> tuple[list[np.ndarray], Callable[[Arrays], Any]]:
        """(values, backward), where backward takes one upstream gradient per value."""
        with user_code(self.name), np.errstate(all="ignore"):
            result = self.function(*arrays)
        if not (_several(result) and len(result) == 2 and callable(result[1])):
            raise Failure(f"{self.name} returned {_kind(result)}, not (value, backward)")
        value, backward = result
        values = [_numbers(array, self.name) for array in as_list(value)]
        return values, partial(self._pull, backward, not _several(value))

    def _pull(self, backward, single, dys) -> Any:
        with user_code(f"the backward of {self.name}"), np.errstate(all="ignore"):
            return backward(dys[0] if single else list(dys))

    def values(self, arrays: Arrays) -> list[np.ndarray]:
        return self.run(arrays)[0]

    def both(self, arrays: Arrays, dys: Arrays) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """(values, gradients), as `gradients` has them; copies, to which no later call writes."""
        values, backward = self.run(arrays)
        values = [value.copy() for value in values]
        return values, [g.copy() for g in self.gradients(arrays, backward, dys)]

    def gradients(self, arrays: Arrays, backward: Callable, dys: Arrays) -> list[np.ndarray]:
        """Those of one call, zeros where a gradient has not the shape of its input.

        Failure where there are too many or too few.
        """
        result, tensors = as_list(backward(dys)), [arrays[position] for position in self.positions]
        if len(result) != len(tensors):
            raise Failure(f"{self.name} returned {len(result)} gradients, not {len(tensors)}")
        pairs = zip(result, tensors, strict=True)
        return [
            np.asarray(g) if np.shape(g) == tensor.shape else np.zeros_like(tensor)
            for g, tensor in pairs
        ]

    def value_name(self, index: int, count: int) -> str:
        """What the value at `index` of `count` is called."""
        if self.is_state(index, count):
            return self.states[index - count]
        return "value" if count - len(self.states) == 1 else f"value {index}"

    def is_state(self, index: int, count: int) -> bool:
        return index >= count - len(self.states)


@contextmanager
def user_code(name: str):
    """Turn any error of the code under test into a Failure with that code's own traceback."""
    try:
        yield
    except Failure:
        raise
    except (Exception, SystemExit) as error:
        message = str(error).strip().split("\n")[0]
        line = f"{name} raised {type(error).__name__}: {message}".rstrip(": ")
        raise Failure(line, own_traceback(error)) from error


def own_traceback(error: BaseException) -> str:
    """The traceback from the first frame that is not ours."""
    trace = error.__traceback__
    while trace and trace.tb_frame.f_code.co_filename.startswith(OURS):
        trace = trace.tb_next
    return "".join(traceback.format_exception(type(error), error, trace, chain=False)).rstrip()


def paired(forward: Callable, backward: Callable) -> Callable:
    """forward(*inputs) and backward(dy, *inputs) as one function (value, backward)."""

    def function(*inputs, **arguments):
        return forward(*inputs, **arguments), lambda dy: backward(dy, *inputs, **arguments)

    function.__name__ = title(forward)
    return function


def title(function: Any) -> str:
    name = getattr(function, "__name__", None) or getattr(function, "name", None)
    return str(name or type(function).__name__)


def check_signature(function: Any, names: Sequence[str], arguments: Mapping[str, Any]) -> None:
    """TypeError where the function cannot take these inputs and keyword arguments."""
    if not callable(function):
        raise TypeError(f"a function was expected, not {_kind(function)}")
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    given = ", ".join([*names, *(f"{key}=" for key in arguments)])
    try:
        signature.bind(*names, **arguments)
    except TypeError as error:
        line = f"{title(function)}{signature} cannot be called with ({given}): {error}"
        raise TypeError(line) from None
    wanted = list(signature.parameters)[: len(names)]
    if list(names) != wanted and sorted(names) == sorted(wanted):
        line = f"inputs are passed in their order, ({', '.join(names)})"
        raise ValueError(f"{line}, but {title(function)} takes ({', '.join(wanted)})")


def as_list(result: Any) -> list:
    return list(result) if _several(result) else [result]


def _several(value) -> bool:
    return isinstance(value, tuple | list)


def _numbers(value, name) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "fciub":
        raise Failure(f"{name} returned {_kind(value)} where numbers were expected")
    return array


def _kind(value) -> str:
    if _several(value):
        return f"a {type(value).__name__} of {len(value)}"
    return f"{value!r:.40}" if value is None else f"a {type(value).__name__}"
