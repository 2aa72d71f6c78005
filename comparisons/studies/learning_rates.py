"""One weight descends its error, (x * weight - target)² / 2, by four learning rates.

The second derivative of the error is x² = 4: up to a rate of 1/4 the weight comes from one side,
up to 1/2 from both in turn, and above 1/2 it leaves.
"""

import numpy as np

from comparisons.report import plots

RATES = {"too small": 0.01, "right": 0.2, "swings": 0.48, "too large": 0.52}
STEPS = 10


def inputs(seed, dtype):
    return {name: np.array(v, dtype) for name, v in (("weight", 1), ("x", 2), ("target", 0.8))}


def compute(side, seed, weight, x, target):
    descend = side.descent.descend_one_weight
    return {name: descend(weight, x, target, rate, steps=STEPS) for name, rate in RATES.items()}


def draw(result):
    weight, x, target = result.inputs.values()
    lowest = target / x
    ends = ", ".join(f"{result.here[name][-1]:.2f}" for name in RATES)
    title = f"From {weight:g} towards {lowest:g}: after {STEPS} steps the weights are {ends}"
    figure = plots.empty_figure(result, title, 12, 4.2)
    plots.key(figure)
    weights = np.linspace(lowest - 1.3, lowest + 1.3, 200)
    panels = figure.subplots(1, len(RATES), sharex=True, sharey=True)
    for axes, (name, rate), colour in zip(panels, RATES.items(), plots.COLOURS, strict=False):
        axes.plot(weights, _error(weights, x, target), color="#bbbbbb", linewidth=1)
        here, there = ((s[name], _error(s[name], x, target)) for s in result.sides.values())
        plots.both(axes, here, there, colour, marker="o", markersize=4)
        axes.set(title=f"{name}: {rate:g}", xlabel="weight")
    panels[0].set_ylabel("error")
    return figure


def _error(weight, x, target):
    return (x * weight - target) ** 2 / 2
