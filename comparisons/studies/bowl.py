"""Four ways down an elongated bowl. Source: Saitoh, Deep Learning from the Basics."""

import numpy as np

from comparisons.report import plots
from scratch import descent

OPTIMIZERS = {
    "SGD": ("SGD", {"learning_rate": 0.95}),
    "Momentum": ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    "AdaGrad": ("Adagrad", {"learning_rate": 1.5}),
    "Adam": ("Adam", {"learning_rate": 0.3}),
}


def inputs(seed, dtype):
    return {"start": np.array([-7.0, 2.0], dtype)}


def compute(side, seed, start):
    return {name: side.descent.bowl_path(start, *rule) for name, rule in OPTIMIZERS.items()}


def crossings_of_the_valley(path: np.ndarray) -> int:
    """How often the path crosses the valley, the line y = 0."""
    return int(np.sum(np.diff(np.sign(path[:, 1])) != 0))


def draw(result):
    crossings = [f"{name} {crossings_of_the_valley(path)}" for name, path in result.here.items()]
    title = f"Crossings of the valley in 30 steps: {', '.join(crossings)}"
    figure = plots.empty_figure(result, title, 11, 6.8)
    plots.key(figure)
    panels = figure.subplots(2, 2, sharex=True, sharey=True)
    for axes, (name, here), colour in zip(
        panels.flat, result.here.items(), plots.COLOURS, strict=False
    ):
        _contours(axes)
        plots.both(axes, here.T, result.there[name].T, colour, marker="o", markersize=4)
        axes.plot(0, 0, "k+", markersize=12)
        axes.set(title=name, xlim=(-8, 8), ylim=(-4, 4))
    return figure


def _contours(axes):
    x, y = np.meshgrid(np.linspace(-8, 8, 120), np.linspace(-4, 4, 120))
    heights, _ = descent.bowl(np.stack([x, y], axis=-1))
    axes.contour(x, y, heights, levels=np.arange(1, 6) ** 2 / 2, colors="#cccccc", linewidths=0.8)
