"""ReLU flips: hidden units that rounding puts on different sides of zero on the two sides."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

import scratch


@dataclass(frozen=True)
class Flip:
    """One hidden unit of one sample: its pre-activation on both sides, of opposite sign."""

    place: int
    sample: int
    unit: int
    scratch: float
    reference: float

    def sentence(self, layer: str) -> str:
        return (
            f"sample {self.sample} of its batch: hidden unit {self.unit} of {layer} is "
            f"{self.scratch:.0e} in scratch and {self.reference:.0e} in the reference, a ReLU flip"
        )


def preactivations(network, x) -> dict[int, np.ndarray]:
    """What every ReLU of a scratch network receives for the batch x, by its layer's place."""
    received = {}
    for place, layer in enumerate(network.layers):
        if layer.activation is scratch.activations.relu:
            received[place] = layer.preactivation(layer.prepare(x))[0]
        x = layer(x)
    return received


def reference_preactivations(network, weights, x) -> dict[int, np.ndarray]:
    """The same for a reference network with the given weights; its own are put back after."""
    from keras import activations

    received, before = {}, network.get_weights()
    network.set_weights(weights)
    for place, layer in enumerate(network.layers):
        if layer.activation is activations.relu:
            layer.activation = activations.linear
            received[place] = np.asarray(layer(x))
            layer.activation = activations.relu
        x = layer(x)
    network.set_weights(before)
    return received


def flips(here: dict[int, np.ndarray], there: dict[int, np.ndarray]) -> list[Flip]:
    """The units that are positive on one side only, in the first layer that has any."""
    for place, z in here.items():
        differing = np.argwhere((z > 0) != (there[place] > 0))
        if len(differing):
            return [
                Flip(place, int(n), int(u), float(z[n, u]), float(there[place][n, u]))
                for n, u in differing
            ]
    return []


@contextmanager
def following(network, received: dict[int, np.ndarray]) -> Iterator[None]:
    """The network with every ReLU taking the side that `received` takes, not its own."""
    for place, z in received.items():
        network.layers[place].activation = _relu_where(z > 0)
    try:
        yield
    finally:
        for place in received:
            network.layers[place].activation = scratch.activations.relu


def _relu_where(mask):
    return lambda z: (z * mask, lambda dy: dy * mask)
