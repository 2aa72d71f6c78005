"""check_gradients: is this backward the gradient of this forward, and of the reference?"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .inputs import draw
from .judgement import Case
from .report import GradientReport
from .subject import Subject, check_signature, paired, title
from .truth import Tape


def check_gradients(
    function: Callable | None = None,
    reference: Callable | None = None,
    inputs: Mapping[str, Any] | None = None,
    *,
    forward: Callable | None = None,
    backward: Callable | None = None,
    seed: int = 0,
    dtype: str = "float64",
    arguments: Mapping[str, Any] | None = None,
    zero: Sequence[str] = (),
    constant: Sequence[str] = (),
    name: str | None = None,
) -> GradientReport:
    """Hold function(*inputs) -> (value, backward) against reference(*inputs) on TensorFlow's tape.

    Both receive the inputs (see `draw`) in their order, and `arguments` as keywords. Instead of
    `function` there may be `forward(*inputs)` with `backward(dy, *inputs)`. Without a reference the
    derivative of the function's own forward judges alone. `constant` names inputs that backward
    has no gradient for, as integers have none; `zero` names gradients that are truly zero.

    TypeError and ValueError for a call that cannot be made; whatever the function does is reported.
    """
    tested = _function(function, forward, backward)
    arrays, arguments = draw(inputs or {}, seed, dtype), as_arguments(arguments)
    for called in (function, forward, reference):
        if called is not None:
            check_signature(called, list(arrays), arguments)
    if backward is not None:
        check_signature(backward, ["dy", *arrays], arguments)
    positions = differentiated(arrays, constant, zero)
    names = list(arrays)
    subject = Subject(name or title(tested), bound(tested, arguments), names, positions)
    tape = None
    if reference is not None:
        label = f"the reference {title(reference)}"
        tape = Tape(bound(reference, arguments), positions, label)
    return run(subject, tape, list(arrays.values()), seed, dtype, zero, arguments)


def assert_gradients_match(*args: Any, **kwargs: Any) -> GradientReport:
    """check_gradients(...).raise_if_failed(): AssertionError with the report as its text."""
    __tracebackhide__ = True
    return check_gradients(*args, **kwargs).raise_if_failed()


def run(subject, tape, arrays, seed, dtype, zero, arguments) -> GradientReport:
    """The report of a case; in float32 where the function cannot run in float64."""
    options = {"seed": seed, "zero": zero, "arguments": arguments}
    report = Case(subject, tape, arrays, dtype=dtype, **options).judge()
    if report.error is None or dtype == "float32":
        return report
    again = Case(subject, tape, arrays, dtype="float32", **options).judge()
    if again.error is not None:
        return report
    again.notes.append(f"It runs in float32 only, and is judged there. In float64: {report.error}")
    return again


def differentiated(arrays, constant, zero) -> list[int]:
    """The positions of the inputs that have a gradient. ValueError for names that none has."""
    for word, names in (("constant", constant), ("zero", zero)):
        unknown = [name for name in _names(names, word) if name not in arrays]
        if unknown:
            given = ", ".join(arrays)
            raise ValueError(f"{word} names {', '.join(unknown)}, but the inputs are {given}")
    floats = [array.dtype.kind == "f" for array in arrays.values()]
    positions = [p for p, name in enumerate(arrays) if floats[p] and name not in constant]
    if not positions:
        raise ValueError("no input has a gradient: all are integers or constant")
    return positions


def _names(names, word) -> Sequence[str]:
    if isinstance(names, str):
        raise TypeError(f"{word} is a sequence of names, such as ({names!r},)")
    return names


def _function(function, forward, backward) -> Callable:
    if (function is None) == (forward is None) or (forward is None) != (backward is None):
        raise TypeError(
            "give either a function that returns (value, backward), or forward= and backward="
        )
    return function if function is not None else paired(forward, backward)


def as_arguments(arguments) -> dict[str, Any]:
    if arguments is not None and not isinstance(arguments, Mapping):
        raise TypeError(f"arguments maps keywords to values, not {arguments!r:.60}")
    return dict(arguments or {})


def bound(function, arguments) -> Callable:
    return lambda *arrays: function(*arrays, **arguments)
