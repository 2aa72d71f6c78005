"""One number through one to ten layers of the same weights, by activation.

Without an activation ten layers are a single line, ever steeper; sigmoid flattens until its output
has forgotten the input.
"""

import numpy as np

from comparisons.report import plots

ACTIVATIONS = ("linear", "relu", "tanh", "sigmoid", "cos", "step")
LAYERS, UNITS = 10, 30
SHOWN = (1, 2, 5, 10)


def inputs(seed, dtype):
    return {"x": np.linspace(-3, 3, 121, dtype=dtype)[:, np.newaxis]}


def compute(side, seed, x):
    return {name: _outputs(side, seed, name, x) for name in ACTIVATIONS}


def _outputs(side, seed, activation, x):
    """The outputs (layers, samples, units) of all layers."""
    side.random.set_random_seed(seed)
    outputs = []
    for _ in range(LAYERS):
        x = _layer(side, activation)(x)
        outputs.append(np.asarray(x))
    return np.stack(outputs)


def _layer(side, activation):
    return side.dense.Dense(
        UNITS,
        activation=getattr(side.activations, activation),
        kernel_initializer=side.initializers.HeUniform(),
        bias_initializer=side.initializers.RandomUniform(-1.0, 1.0),
    )


def growth(outputs: np.ndarray) -> float:
    """How much wider the last layer's outputs are spread than the first's."""
    spreads = outputs.std(axis=(1, 2))
    return float(spreads[-1] / spreads[0])


def draw(result):
    times = growth(result.here["linear"])
    title = f"Without activation, outputs grow {times:.0f}-fold in ten layers"
    figure = plots.empty_figure(result, title, 12, 7)
    plots.key(figure)
    x = result.inputs["x"][:, 0]
    for axes, name in zip(figure.subplots(2, 3, sharex=True).flat, ACTIVATIONS, strict=True):
        for depth, colour in zip(SHOWN, plots.COLOURS, strict=False):
            here, there = ((x, side[name][depth - 1, :, 0]) for side in result.sides.values())
            plots.both(axes, here, there, colour, f"{depth}")
        axes.set(title=f"{name}, one unit")
    figure.axes[0].legend(title="layers")
    return figure
