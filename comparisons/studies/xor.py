"""Logic gates over the plane: a perceptron draws one line, and XOR needs two."""

import itertools

import numpy as np

from comparisons.report import plots

GATES = ("and", "or", "nand", "xor")
EDGES = (-0.5, 1.5)
SIDE = 120  # a grid of which no point lies on a gate's line, x1 + x2 = 0.4 or 1.4


def inputs(seed, dtype):
    return {"points": plots.plane(*EDGES, SIDE).astype(dtype)}


def compute(side, seed, points):
    return {name: getattr(side.perceptrons, f"{name}_gate")(points) for name in GATES}


def draw(result):
    title = "AND, OR and NAND draw a line each; XOR, where both NAND and OR hold, is between two"
    figure = plots.empty_figure(result, title, 11, 6.6)
    panels = figure.subplots(2, len(GATES), sharex=True, sharey=True)
    corners = np.array(list(itertools.product([0, 1], repeat=2)))
    for row, (side, maps) in zip(panels, result.sides.items(), strict=True):
        for axes, name in zip(row, GATES, strict=True):
            plots.plane_map(axes, maps[name], EDGES)
            plots.classes(axes, corners, _truth(name, corners), size=70)
            axes.set(title=f"{name.upper()}, {side}", xticks=[0, 1], yticks=[0, 1])
    return figure


def _truth(name, corners):
    one, other = corners.T.astype(bool)
    truths = {"and": one & other, "or": one | other, "nand": ~(one & other), "xor": one ^ other}
    return truths[name].astype(int)
