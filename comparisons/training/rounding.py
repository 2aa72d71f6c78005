"""How far rounding alone can move a gradient or an optimizer's step, measured by nudging."""

import numpy as np


def nudge(array: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Every element moved by one unit in the last place, up or down at random; zeros stay."""
    towards = generator.choice(np.array([-np.inf, np.inf], array.dtype), array.shape)
    return np.where(array == 0, array, np.nextafter(array, towards))


def gradient_noise(network, x, y, seed: int, draws: int = 5) -> list[float]:
    """Per gradient, the error that rounding explains, in the network's own dtype.

    The median over draws of the largest move of the gradient when weights and inputs move by one
    unit in the last place (the median, so that a draw that crosses a kink does not count), plus
    sqrt(n) units of its largest entry for the sum over n samples. The loss comes first.
    """
    generator = np.random.default_rng(seed)
    weights = network.get_weights()
    exact = loss_and_gradients(network, x, y)
    moves = []
    for _ in range(draws):
        network.set_weights([nudge(weight, generator) for weight in weights])
        moved = loss_and_gradients(network, nudge(x, generator), y)
        moves.append([largest(m - e) for m, e in zip(moved, exact, strict=True)])
    network.set_weights(weights)
    sums = [np.sqrt(len(x)) * np.finfo(x.dtype).eps / 2 * largest(e) for e in exact]
    return [float(noise) for noise in np.median(moves, axis=0) + sums]


def loss_and_gradients(network, x, y) -> list[np.ndarray]:
    loss, _, gradients = network.loss_and_gradients(x, y)
    return [np.asarray(loss), *gradients]


def largest(array) -> float:
    """The largest absolute value; inf where anything is not finite."""
    worst = np.max(np.abs(array), initial=0.0)
    return float(worst) if np.isfinite(worst) else float("inf")
