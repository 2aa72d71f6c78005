"""ReLU flips: hidden units that rounding puts on different sides of zero on the two sides."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

import scratch

from .state import State, standing_at


@dataclass(frozen=True)
class Flip:
    """One hidden unit of one sample: its pre-activation on both sides, of opposite sign.

    place is that of its layer among all that end in a ReLU, index that of the sample and the unit.
    """

    place: int
    index: tuple[int, ...]
    scratch: float
    reference: float

    def sentence(self, layer: str) -> str:
        sample, *unit = self.index
        return (
            f"sample {sample} of its batch: hidden unit {', '.join(map(str, unit))} of {layer} is "
            f"{self.scratch:.0e} in scratch and {self.reference:.0e} in the reference, a ReLU flip"
        )


def relu_layers(network) -> list:
    """The layers of a scratch network that end in a ReLU, with those inside of other layers."""
    return _with_activation(network, scratch.activations.relu, lambda layer: layer.layers)


def _reference_relu_layers(network) -> list:
    from keras import activations

    return _with_activation(network, activations.relu, lambda layer: layer._layers)


def _with_activation(layer, relu, inside: Callable) -> list:
    own = [layer] if getattr(layer, "activation", None) is relu else []
    inner = (_with_activation(part, relu, inside) for part in inside(layer))
    return [*own, *(each for layers in inner for each in layers)]


def preactivations(network, state: State, x) -> dict[int, np.ndarray]:
    """What every ReLU of a scratch network receives for the batch x, by its layer's place.

    It is what a training step from `state` computes; the network stays as it was.
    """
    return _received(network, state, x, relu_layers(network))


def reference_preactivations(network, state: State, x) -> dict[int, np.ndarray]:
    """The same for a reference network."""
    return _received(network, state, x, _reference_relu_layers(network))


def _received(network, state, x, layers) -> dict[int, np.ndarray]:
    received: dict[int, np.ndarray] = {}

    def recording(place, relu):
        def activation(z):
            received[place] = np.asarray(z)
            return relu(z)

        return activation

    recorders = [recording(place, layer.activation) for place, layer in enumerate(layers)]
    with _activations(layers, recorders), standing_at(network, state):
        network(x, training=True)
    return received


@contextmanager
def _activations(layers, activations) -> Iterator[None]:
    """The layers with other activations."""
    before = [layer.activation for layer in layers]
    for layer, activation in zip(layers, activations, strict=True):
        layer.activation = activation
    try:
        yield
    finally:
        for layer, activation in zip(layers, before, strict=True):
            layer.activation = activation


def flips(here: dict[int, np.ndarray], there: dict[int, np.ndarray]) -> list[Flip]:
    """The units that are positive on one side only, in the first layer that has any."""
    for place, z in here.items():
        differing = [tuple(map(int, at)) for at in np.argwhere((z > 0) != (there[place] > 0))]
        if differing:
            return [Flip(place, at, float(z[at]), float(there[place][at])) for at in differing]
    return []


@contextmanager
def following(network, received: dict[int, np.ndarray]) -> Iterator[None]:
    """The network with every ReLU taking the side that `received` takes, not its own."""
    layers = relu_layers(network)
    sides = [_relu_where(received[place] > 0) for place in range(len(layers))]
    with _activations(layers, sides):
        yield


def _relu_where(mask):
    return lambda z: (z * mask, lambda dy: dy * mask)
