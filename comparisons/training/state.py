"""The whole state of a network on either side, as a value that is kept and put back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

import scratch

Arrays = list[np.ndarray]


@dataclass(frozen=True)
class State:
    """All that a step depends on and changes: weights, moving averages among them, what the seed
    generators hand out next, and the variables of the optimizer.
    """

    weights: Arrays
    seeds: Arrays
    optimizer: Arrays


def state(network) -> State:
    """A copy of the state of a network of scratch or of the reference."""
    return State(
        *([np.asarray(variable).copy() for variable in part] for part in _variables(network))
    )


def restore(network, state: State) -> None:
    """Put a state, kept of a network of either side, into this one."""
    parts = (state.weights, state.seeds, state.optimizer)
    for variables, values in zip(_variables(network), parts, strict=True):
        for variable, value in zip(variables, values, strict=True):
            _assign(variable, value)


@contextmanager
def standing_at(network, there: State) -> Iterator[None]:
    """The network in another state; after that in its own again."""
    here = state(network)
    restore(network, there)
    try:
        yield
    finally:
        restore(network, here)


def _variables(network) -> tuple[list, list, list]:
    """The arrays of scratch, or the variables of Keras, that State holds the values of."""
    return network.weights, _seeds(network), network.optimizer.variables


def _seeds(network) -> list[Any]:
    if isinstance(network, scratch.network.Layer):
        return network.seed_states
    weights = {id(variable) for variable in network.weights}
    return [variable for variable in network.variables if id(variable) not in weights]


def _assign(variable, value):
    if isinstance(variable, np.ndarray):
        variable[...] = value
    else:
        variable.assign(value)
