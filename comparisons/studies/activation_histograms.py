"""What becomes of 1,000 samples in five layers, by activation and by scale of the first weights.

Both sides take the same samples. All weights are uniform, so that both draw the same bits: in a
histogram only their standard deviation counts. Source: Saitoh, Deep Learning from the Basics.
"""

import math

import numpy as np

import scratch
from comparisons.report import plots

LAYERS, UNITS, SAMPLES = 5, 100, 1000
ACTIVATIONS = ("sigmoid", "tanh", "relu")
SCALES = ("stddev 1", "stddev 0.01", "Xavier", "He")


def inputs(seed, dtype):
    return {"x": scratch.random.normal((SAMPLES, UNITS), dtype=dtype, seed=seed)}


def compute(side, seed, x):
    return {
        f"{activation}, {scale}": _outputs(side, seed, activation, scale, x)
        for activation in ACTIVATIONS
        for scale in SCALES
    }


def _outputs(side, seed, activation, scale, x):
    """The outputs of all layers, the first layer's first."""
    side.random.set_random_seed(seed)
    outputs = []
    for _ in range(LAYERS):
        initializer = _initializer(side, scale)
        x = side.dense.Dense(UNITS, activation=activation, kernel_initializer=initializer)(x)
        outputs.append(np.asarray(x))
    return np.stack(outputs)


def _initializer(side, scale):
    if scale == "Xavier":
        return side.initializers.GlorotUniform()
    if scale == "He":
        return side.initializers.HeUniform()
    bound = math.sqrt(3) * float(scale.removeprefix("stddev "))
    return side.initializers.RandomUniform(-bound, bound)


def draw(result):
    title = "Outputs of five layers: saturated, all alike, or spread, as the weights begin"
    figure = plots.empty_figure(result, title, 14, 9)
    panels = figure.subplots(len(ACTIVATIONS), len(SCALES), sharex=True)
    for axes, (name, there) in zip(panels.flat, result.there.items(), strict=True):
        _histograms(axes, result.here[name], there, _edges(name, there))
        axes.set(title=name + (", above 0" if "relu" in name else ""), xticks=range(1, LAYERS + 1))
    for axes in panels[-1]:
        axes.set_xlabel("layer")
    handles, _ = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles[:2], ["scratch", "Keras"], loc="upper right", ncols=2)
    return figure


def _edges(name, outputs):
    """Of 31 bins; those of relu leave out its zeros, which are half of all outputs."""
    smallest = np.finfo(outputs.dtype).tiny
    ends = {"sigmoid": (0, 1), "tanh": (-1, 1), "relu": (smallest, outputs.max())}
    low, high = ends[name.split(",")[0]]
    return np.linspace(low, high, 32)


def _histograms(axes, here, there, edges):
    """Bars to the right of each layer's place, the longest as long as in any other layer."""
    for layer in range(LAYERS):
        counts = [np.histogram(side[layer], edges)[0] for side in (here, there)]
        left, length = layer + 0.6, 0.8 / counts[1].max()
        bars, outline = (left + length * count for count in counts)
        settings = {"baseline": left, "orientation": "horizontal"}
        axes.stairs(bars, edges, fill=True, color="#56B4E9", label="scratch", **settings)
        axes.stairs(outline, edges, color=plots.VERMILION, label="Keras", **settings)
