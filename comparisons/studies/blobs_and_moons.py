"""Two blobs and two moons, divided by a line twice and by a small network.

A line parts blobs. Moons reach around one another: only the network follows them.
"""

import functools

import numpy as np

from comparisons import datasets
from comparisons.report import plots
from comparisons.studies.sides import value

DATASETS = ("blobs", "moons")
MODELS = ("linear regression", "logistic regression", "network")
GRID = 80
STEPS = 300


def inputs(seed, dtype):
    arrays = {"plane": plots.plane(0, 1, GRID).astype(dtype)}
    for name in DATASETS:
        x_train, y_train, x_test, y_test = datasets.load(name)
        arrays |= {f"{name}_x": x_train.astype(dtype), f"{name}_y": y_train.astype(dtype)}
        arrays |= {f"{name}_x_test": x_test.astype(dtype), f"{name}_y_test": y_test}
    return arrays


def compute(side, seed, plane, **data):
    """Outputs over the plane and for the test points, by data set and model."""
    trainers = _linear, _logistic, functools.partial(_network, seed=seed)
    outputs = {}
    for name in DATASETS:
        points = {"plane": plane, "test": data[f"{name}_x_test"]}
        for model, train in zip(MODELS, trainers, strict=True):
            predict = train(side, data[f"{name}_x"], data[f"{name}_y"])
            outputs |= {f"{name}, {model}, {of}": predict(x) for of, x in points.items()}
    return outputs


def _linear(side, x, y):
    weights = value(side, side.regression.normal_equations(x, y))
    model = side.regression.linear_regression
    return lambda points: value(side, model(points, weights[:-1], weights[-1]))


def _logistic(side, x, y):
    path = side.regression.descend_logistic_regression(x, y, learning_rate=4.0, steps=STEPS)
    model = side.regression.logistic_regression
    return lambda points: value(side, model(points, path[-1][:-1], path[-1][-1]))


def _network(side, x, y, seed):
    side.random.set_random_seed(seed)
    layers = [side.network.Input((2,)), side.dense.Dense(16, activation="tanh")]
    network = side.network.Sequential([*layers, side.dense.Dense(1, activation="sigmoid")])
    network.compile(side.optimizers.Adam(learning_rate=0.05), "binary_crossentropy")
    network.fit(x, y, batch_size=len(x), epochs=STEPS, verbose=0, shuffle=False)
    return lambda points: np.asarray(network(points))[:, 0]


def accuracy(outputs: np.ndarray, labels: np.ndarray) -> float:
    """The share of points that are put into their class."""
    return float(np.mean((outputs > 0.5) == labels))


def draw(result):
    title = "A line parts the blobs; the moons need a network"
    figure = plots.empty_figure(result, title, 10, 13)
    panels = figure.subplots(4, len(MODELS), sharex=True, sharey=True)
    rows = [(name, side, maps) for name in DATASETS for side, maps in result.sides.items()]
    for row, (name, side, maps) in zip(panels, rows, strict=True):
        points, labels = (result.inputs[f"{name}_{what}_test"] for what in "xy")
        for axes, model in zip(row, MODELS, strict=True):
            plots.plane_map(axes, maps[f"{name}, {model}, plane"], (0, 1))
            plots.classes(axes, points, labels)
            right = accuracy(maps[f"{name}, {model}, test"], labels)
            axes.set_title(f"{model}: {right:.1%} right", fontsize=10)
        row[0].set_ylabel(f"{name}, {side}", fontsize=11, fontweight="bold")
    return figure
