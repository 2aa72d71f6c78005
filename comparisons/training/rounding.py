"""How far rounding alone can move a gradient or an optimizer's step, measured by nudging."""

from dataclasses import replace

import numpy as np

from .state import State, restore


def nudge(array: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Every element moved by one unit in the last place, up or down at random; zeros stay."""
    towards = generator.choice(np.array([-np.inf, np.inf], array.dtype), array.shape)
    return np.where(array == 0, array, np.nextafter(array, towards))


def outcome_noise(network, state: State, x, y, seed: int, draws: int = 5) -> list[float]:
    """Per array of `outcome`, the error that rounding explains, in the network's own dtype.

    The median over draws of the largest move of the array when weights and inputs move by one unit
    in the last place (the median, so that a draw that crosses a kink does not count), plus sqrt(n)
    units of its largest entry for the sum over n samples. Every draw drops the same units.
    """
    generator = np.random.default_rng(seed)
    exact = outcome(network, state, x, y)
    moves = []
    for _ in range(draws):
        nearby = replace(state, weights=[nudge(weight, generator) for weight in state.weights])
        moved = outcome(network, nearby, nudge(x, generator), y)
        moves.append([apart(m, e) for m, e in zip(moved, exact, strict=True)])
    sums = [np.sqrt(len(x)) * np.finfo(x.dtype).eps / 2 * largest(e) for e in exact]
    return [float(noise) for noise in np.median(moves, axis=0) + sums]


def outcome(network, state: State, x, y) -> list[np.ndarray]:
    """Of a batch in training from `state`: loss, gradients and the new moving averages."""
    restore(network, state)
    loss, _, gradients = network.loss_and_gradients(x, y)
    return [np.asarray(loss), *gradients, *(w.copy() for w in network.non_trainable_weights)]


def apart(here, there) -> float:
    """The largest difference, beside numbers that overflowed alike; inf where one is not finite."""
    with np.errstate(invalid="ignore"):
        difference = largest(here - there)
    if np.isfinite(difference):
        return difference
    differs = differing(here, there)
    return largest(here[differs] - there[differs])


def differing(here, there) -> np.ndarray:
    """Where two arrays differ; numbers that overflowed alike, to one infinity or to NaN, do not."""
    return (here != there) & ~(np.isnan(here) & np.isnan(there))


def largest(array) -> float:
    """The largest absolute value; inf where anything is not finite."""
    worst = np.max(np.abs(array), initial=0.0)
    return float(worst) if np.isfinite(worst) else float("inf")
