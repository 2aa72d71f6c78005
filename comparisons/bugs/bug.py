"""A bug as data: which line of which function, what stands there instead, and how it shows."""

import functools
import importlib
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType
from typing import Any


@dataclass(frozen=True, kw_only=True, eq=False)
class Bug:
    """`wrong` in place of `right`, which occurs exactly once in the source of `target`.

    target is a function or method of scratch ("dense.dense", "optimizers.Adam.update_step") or of
    `examples`; checks is what is then called, if it is not the target itself or its class. inputs
    and arguments are those of comparisons.pairs, or arrays as lists, and so is call, keywords of a
    layer's forward. cause is the cause that the diagnosis should put first, reference the twin in
    `reference` where it has another name, trains the network of `training` in which the bug can be
    watched.
    """

    name: str
    target: str
    right: str
    wrong: str
    story: str
    symptom: str
    cause: str
    source: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    call: Mapping[str, Any] = field(default_factory=dict)
    constant: tuple[str, ...] = ()
    zero: tuple[str, ...] = ()
    checks: str = ""
    reference: str = ""
    trains: str | None = None

    @property
    def checked(self) -> str:
        """The name of what a check calls: a function or a class."""
        if self.checks:
            return self.checks
        topic, *names = self.target.split(".")
        return f"{topic}.{names[0]}"

    @property
    def topic(self) -> str:
        return self.target.split(".")[0]


def resolve(name: str) -> Any:
    """The thing in scratch, or among the examples, that "topic.name" or "topic.Class.method" is."""
    root = "comparisons.bugs" if name.startswith("examples.") else "scratch"
    topic, *attributes = name.split(".")
    thing = importlib.import_module(f"{root}.{topic}")
    for attribute in attributes:
        thing = getattr(thing, attribute)
    return thing


def right_and_wrong_source(bug: Bug) -> tuple[str, str]:
    """The source of the target as it is, and with the bug in it. ValueError where it has moved."""
    right = textwrap.dedent(inspect.getsource(resolve(bug.target)))
    count = right.count(bug.right)
    if count != 1:
        raise ValueError(
            f"{bug.name}: {bug.right!r} occurs {count} times in {bug.target}, not once"
        )
    return right, right.replace(bug.right, bug.wrong)


@contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """The bug in scratch itself, wherever the target is called from, until the end of the block."""
    function = inspect.unwrap(resolve(bug.target))
    code, attributes = function.__code__, dict(function.__dict__)
    function.__code__ = _compiled(bug)
    try:
        yield
    finally:
        function.__code__ = code
        function.__dict__.clear()
        function.__dict__.update(attributes)


@functools.cache
def _compiled(bug: Bug) -> CodeType:
    """The code of the wrong variant, found in its module compiled as a whole."""
    function = inspect.unwrap(resolve(bug.target))
    module = inspect.getsource(importlib.import_module(function.__module__))
    source = inspect.getsource(function)
    indent = source[: len(source) - len(source.lstrip())]
    wrong = textwrap.indent(right_and_wrong_source(bug)[1], indent)
    code = compile(module.replace(source, wrong), f"<{bug.name}>", "exec")
    return next(c for c in _nested(code) if c.co_qualname == function.__qualname__)


def _nested(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _nested(constant)
