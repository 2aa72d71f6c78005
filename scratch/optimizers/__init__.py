"""Rules that move weights against their gradients: Keras's formulas, in place on plain arrays."""

from .adagrad import Adadelta, Adagrad, Ftrl, RMSprop
from .adam import Adam, Adamax, AdamW, Nadam, ScheduleFreeAdamW
from .layerwise import Adafactor, Lamb, Muon
from .optimizer import Optimizer
from .sgd import SGD, Lion

__all__ = [
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "Muon",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "ScheduleFreeAdamW",
    "get",
]

_RULES = (
    *(SGD, Lion),
    *(Adagrad, Adadelta, RMSprop, Ftrl),
    *(Adam, AdamW, Adamax, Nadam, ScheduleFreeAdamW),
    *(Lamb, Adafactor, Muon),
)


def get(identifier: str | Optimizer | None) -> Optimizer | None:
    """The optimizer of a name such as "rmsprop", with its defaults; optimizers pass through."""
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    by_name = {rule.__name__.lower(): rule for rule in _RULES}
    if isinstance(identifier, str) and identifier.lower() in by_name:
        return by_name[identifier.lower()]()
    raise ValueError(f"an optimizer is one of {', '.join(by_name)}, not {identifier!r}")
