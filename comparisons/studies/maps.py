"""What geometric maps do to a house; and two affine maps, one after the other, are one."""

import math

import numpy as np

from comparisons.report import plots
from comparisons.studies.sides import value

HOUSE = [[0, 0], [2, 0], [2, 1.5], [1, 2.5], [0, 1.5], [0, 0], [0.4, 0], [0.4, 0.9], [0.9, 0.9]]
HOUSE += [[0.9, 0]]


def inputs(seed, dtype):
    arrays = {
        "points": HOUSE,
        "offset": [1.5, 1.0],
        "angle": math.pi / 6,
        "factors": [1.5, 0.6],
        "shear": [[1.0, 0.0], [0.8, 1.0]],
        "squeeze": [[0.8, -0.5], [0.3, 0.9]],
    }
    return {name: np.array(numbers, dtype) for name, numbers in arrays.items()}


def compute(side, seed, points, offset, angle, factors, shear, squeeze):
    tensors = side.tensors
    affine = value(side, tensors.affine_map(points, shear, offset))
    composed = tensors.compose_affine_maps(shear, offset, squeeze, -offset)
    mapped = {
        "translated": tensors.translate(points, offset),
        "rotated": tensors.rotate(points, angle),
        "scaled": tensors.scale(points, factors),
        "linear map": tensors.linear_map(points, shear),
        "affine map": tensors.affine_map(points, shear, offset),
        "two affine maps": tensors.affine_map(affine, squeeze, -offset),
        "the two in one": tensors.affine_map(points, *value(side, composed)),
    }
    return {name: value(side, returned) for name, returned in mapped.items()}


def draw(result):
    names = list(result.here)
    apart = np.abs(result.here[names[-2]] - result.here[names[-1]]).max()
    title = f"Two affine maps are one: their points are {apart:.1g} apart"
    figure = plots.empty_figure(result, title, 10, 7.2)
    plots.key(figure)
    panels = figure.subplots(2, 3, sharex=True, sharey=True)
    for axes, name in zip(panels.flat, names[:-1], strict=True):
        axes.plot(*result.inputs["points"].T, color="#bbbbbb", linewidth=1.2, label="before")
        plots.both(axes, result.here[name].T, result.there[name].T, plots.BLUE, "after")
        axes.set(title=name, aspect="equal")
    axes.plot(*result.here[names[-1]].T, "o", color=plots.VERMILION, label=names[-1])
    axes.legend()
    return figure
