"""A row of the table of pairs."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Pair:
    """A row. `constant` names inputs that have no gradient, `zero` those whose gradient is zero.

    `draws` marks what draws random numbers; `dtype` the only one in which Keras runs, if any. A
    layer of several inputs takes them as a list, or as arguments `apart`; `call` are keywords of
    its forward, while `arguments` are those of its constructor. Truth values in tuples of tuples
    are a mask, and handed over as an array.
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

    @property
    def title(self) -> str:
        return f"{self.topic}.{self.name}" + (f" ({self.case})" if self.case else "")
