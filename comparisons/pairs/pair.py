"""A row of the table of pairs."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Pair:
    """A row. `constant` names inputs that have no gradient, `zero` those whose gradient is zero.

    `draws` marks what draws random numbers; `dtype` the only one in which Keras runs, if any. A
    layer of several inputs takes them as a list, or as arguments `apart`; `call` maps further
    keywords of its call, such as masks, to values, or to specs of inputs or lists of them. A layer
    that takes a layer has a Pair for it among its arguments, one that takes several a list of them.
    `one_sample` says whether a batch of one will do: it will not for a system of equations that is
    solved.
    """

    topic: str
    name: str
    inputs: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)
    case: str = ""
    kind: str = "function"
    constant: tuple[str, ...] = ()
    zero: tuple[str, ...] = ()
    draws: bool = False
    dtype: str | None = None
    apart: bool = False
    call: dict[str, Any] = field(default_factory=dict)
    one_sample: bool = True

    @property
    def title(self) -> str:
        return f"{self.topic}.{self.name}" + (f" ({self.case})" if self.case else "")
