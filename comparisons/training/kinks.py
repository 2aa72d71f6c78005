"""Flips: hidden units that rounding puts on different sides of a ReLU, or of a max pooling."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

import scratch
from scratch import pooling

from .state import State, standing_at

POOLINGS = ("MaxPooling1D", "MaxPooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D")


@dataclass(frozen=True)
class Kink:
    """A layer with kinks, and by what name it holds the function that has them."""

    layer: Any
    name: str

    def sides(self, x: np.ndarray) -> np.ndarray:
        """Of a scratch layer's units x: which pass, being above zero or the largest of a window."""
        if self.name == "activation":
            return x > 0
        y, backward = self.layer.function(x)
        return backward(np.ones_like(y)) > 0

    def taking(self, sides_of: np.ndarray) -> Callable:
        """The function of a scratch layer, except that those units pass that pass in sides_of."""
        if self.name == "activation":
            passes = sides_of > 0
            return lambda z: (z * passes, lambda dy: dy * passes)
        pool = getattr(self.layer, self.name)
        return lambda x, *settings: (pool(x, *settings)[0], pool(sides_of, *settings)[1])


@dataclass(frozen=True)
class Flip:
    """One hidden unit of one sample, as a kink receives it on both sides.

    place is that of the kink in its network, index that of the sample and the unit.
    """

    place: int
    index: tuple[int, ...]
    scratch: float
    reference: float

    def sentence(self, kink: Kink) -> str:
        sample, *unit = self.index
        what = f"sample {sample} of its batch: hidden unit {', '.join(map(str, unit))}"
        if kink.name == "activation":
            return (
                f"{what} of {kink.layer.name} is {self.scratch:.0e} in scratch and "
                f"{self.reference:.0e} in the reference, a ReLU flip"
            )
        return (
            f"{what} of those before {kink.layer.name} is the largest of its window on one side "
            f"only, {self.scratch:.9g} in scratch and {self.reference:.9g} in the reference"
        )


def kinks(network) -> list[Kink]:
    """The ReLUs and max poolings of a scratch network, with those inside of other layers."""
    types = tuple(getattr(pooling, name) for name in POOLINGS)
    is_kink = {
        "activation": lambda layer: layer.activation is scratch.activations.relu,
        "pool": lambda layer: isinstance(layer, types),
    }
    return _found(network, is_kink, lambda layer: layer.layers)


def _reference_kinks(network) -> list[Kink]:
    import keras

    types = tuple(getattr(keras.layers, name) for name in POOLINGS)
    is_kink = {
        "activation": lambda layer: getattr(layer, "activation", None) is keras.activations.relu,
        "call": lambda layer: isinstance(layer, types),
    }
    return _found(network, is_kink, lambda layer: layer._layers)


def _found(layer, is_kink: dict[str, Callable], inside: Callable) -> list[Kink]:
    own = [Kink(layer, name) for name, test in is_kink.items() if test(layer)]
    inner = (_found(part, is_kink, inside) for part in inside(layer))
    return [*own, *(kink for found in inner for kink in found)]


def received(network, state: State, x) -> dict[int, np.ndarray]:
    """What every kink of a scratch network receives for the batch x, by its place.

    It is what a training step from `state` computes; the network stays as it was.
    """
    return _received(network, state, x, kinks(network))


def received_by_reference(network, state: State, x) -> dict[int, np.ndarray]:
    """The same for a reference network."""
    return _received(network, state, x, _reference_kinks(network))


def _received(network, state, x, kinks: Sequence[Kink]) -> dict[int, np.ndarray]:
    seen: dict[int, np.ndarray] = {}

    def recording(place, function):
        def recorder(x, *settings, **arguments):
            seen[place] = np.asarray(x)
            return function(x, *settings, **arguments)

        return recorder

    recorders = [recording(i, getattr(kink.layer, kink.name)) for i, kink in enumerate(kinks)]
    with _replaced(kinks, recorders), standing_at(network, state):
        network(x, training=True)
    return seen


@contextmanager
def _replaced(kinks: Sequence[Kink], functions: Sequence[Callable]) -> Iterator[None]:
    """The layers with other functions by these names."""
    own = [vars(kink.layer).get(kink.name) for kink in kinks]
    for kink, function in zip(kinks, functions, strict=True):
        setattr(kink.layer, kink.name, function)
    try:
        yield
    finally:
        for kink, function in zip(kinks, own, strict=True):
            if function is None:  # it is the class's
                delattr(kink.layer, kink.name)
            else:
                setattr(kink.layer, kink.name, function)


def flips(
    kinks: Sequence[Kink], here: dict[int, np.ndarray], there: dict[int, np.ndarray]
) -> list[Flip]:
    """The units that pass on one side only, at the first kink of scratch's that has any."""
    for place, x in here.items():
        differ = kinks[place].sides(x) != kinks[place].sides(there[place])
        differing = [tuple(map(int, at)) for at in np.argwhere(differ)]
        if differing:
            return [Flip(place, at, float(x[at]), float(there[place][at])) for at in differing]
    return []


@contextmanager
def following(network, there: dict[int, np.ndarray]) -> Iterator[None]:
    """The network with the same units passing every kink as in `there`."""
    places = kinks(network)
    with _replaced(places, [kink.taking(there[place]) for place, kink in enumerate(places)]):
        yield
