"""ReLU flips: hidden units that rounding puts on different sides of zero on the two sides."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

import scratch


@dataclass(frozen=True)
class Flip:
    """One hidden unit of one sample: its pre-activation on both sides, of opposite sign."""

    layer: str
    sample: int
    unit: int
    scratch: float
    reference: float

    def __str__(self):
        return (
            f"sample {self.sample} of its batch: hidden unit {self.unit} of {self.layer} is "
            f"{self.scratch:.0e} in scratch and {self.reference:.0e} in the reference, a ReLU flip"
        )


def preactivations(network, x) -> dict[str, np.ndarray]:
    """What every ReLU of a scratch network receives for the batch x, by layer."""
    received = {}
    for layer in network.layers:
        if layer.activation is scratch.activations.relu:
            received[layer.name] = layer.preactivation(layer.prepare(x))[0]
        x = layer(x)
    return received


def reference_preactivations(network, weights, x) -> dict[str, np.ndarray]:
    """The same for a reference network with the given weights; its own are put back after."""
    from keras import activations

    received, before = {}, network.get_weights()
    network.set_weights(weights)
    for layer in network.layers:
        if layer.activation is activations.relu:
            layer.activation = activations.linear
            received[layer.name] = np.asarray(layer(x))
            layer.activation = activations.relu
        x = layer(x)
    network.set_weights(before)
    return received


def flips(here: dict[str, np.ndarray], there: dict[str, np.ndarray]) -> list[Flip]:
    """The units that are positive on one side only, in the first layer that has any."""
    for layer, z in here.items():
        differing = np.argwhere((z > 0) != (there[layer] > 0))
        if len(differing):
            return [
                Flip(layer, int(n), int(u), float(z[n, u]), float(there[layer][n, u]))
                for n, u in differing
            ]
    return []


@contextmanager
def following(network, received: dict[str, np.ndarray]) -> Iterator[None]:
    """The network with every ReLU taking the side that `received` takes, not its own."""
    for layer in network.layers:
        if layer.name in received:
            layer.activation = _relu_where(received[layer.name] > 0)
    try:
        yield
    finally:
        for layer in network.layers:
            if layer.name in received:
                layer.activation = scratch.activations.relu


def _relu_where(mask):
    return lambda z: (z * mask, lambda dy: dy * mask)
