"""A comparison as pictures: how both sides learn, how far they part, and what they predict."""

import io
import textwrap
from collections.abc import Sequence
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np

from comparisons.results import ExperimentResult, StudyResult, write_whole
from comparisons.studies import load

# Okabe and Ito's colours, which the colour-blind tell apart; a thinner line shows on a thicker one
LINES = {
    "scratch": {"color": "#56B4E9", "linewidth": 6, "label": "scratch"},
    "reference": {"color": "#D55E00", "linewidth": 2.6, "dashes": (3, 1.5), "label": "tape loop"},
    "keras": {"color": "#111111", "linewidth": 1.3, "dashes": (1, 2), "label": "model.fit"},
}
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SHOWN = 10  # test images in the picture of predictions
THICK: dict[str, Any] = {"linewidth": 4, "alpha": 0.45}
THIN: dict[str, Any] = {"linewidth": 1.5, "dashes": (3, 1.5)}
BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#8a8a8a"
STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": GREY,
    "axes.grid": True,
    "axes.labelcolor": "#444444",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "font.size": 9.5,
    "grid.color": "#e9e9e9",
    "legend.frameon": False,
    "xtick.color": "#444444",
    "ytick.color": "#444444",
}


def draw(result: ExperimentResult, directory: str | Path) -> list[Path]:
    """Write the pictures of a result into directory, as PNG; their paths, in reading order.

    None are made of a run that failed before its end.
    """
    from matplotlib import rc_context

    if not result.samples.outputs:
        return []
    figures = {"training": training, "weights": weights}
    if _side(result.samples.features):
        figures["predictions"] = predictions
    if result.samples.map:
        figures["map"] = decision_map
    Path(directory).mkdir(exist_ok=True)
    paths = []
    with rc_context(STYLE):
        for name, figure_of in figures.items():
            paths.append(Path(directory, f"{result.name}-{result.dtype}-{name}.png"))
            _write(figure_of(result), paths[-1])
    return paths


def draw_variants(results: Sequence[ExperimentResult], directory: str | Path) -> list[Path]:
    """Write the variants of one experiment into one picture, as PNG; its path."""
    from matplotlib import rc_context

    results = [result for result in results if result.samples.outputs]
    if not results:
        return []
    Path(directory).mkdir(exist_ok=True)
    path = Path(directory, f"{results[0].name}-{results[0].dtype}.png")
    with rc_context(STYLE):
        _write(PICTURES.get(results[0].name, variants)(results), path)
    return [path]


def draw_study(result: StudyResult, directory: str | Path) -> list[Path]:
    """Write both sides of a study into one picture, as PNG; its path."""
    from matplotlib import rc_context

    Path(directory).mkdir(exist_ok=True)
    path = Path(directory, f"{result.name}-{result.dtype}.png")
    with rc_context(STYLE):
        _write(load(result.name).draw(result), path)
    return [path]


def _write(figure, path: Path) -> None:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=150)
    write_whole(path, content.getvalue())


def empty_figure(result: ExperimentResult | StudyResult, title: str, width: float, height: float):
    """An empty figure under what is seen in it and the run that it comes from."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    header = 0.75 / height
    frame = ConstrainedLayoutEngine(rect=(0.01, 0.02, 0.98, 0.98 - header), wspace=0.06)
    figure = Figure((width, height), layout=frame)
    figure.text(0.02, 1 - 0.18 / height, title, va="top", fontsize=13, fontweight="bold")
    figure.text(0.02, 1 - 0.47 / height, result.caption, va="top", color=GREY)
    return figure


def training(result: ExperimentResult):
    """Loss and accuracy of the three by epoch, over the loss of each batch."""
    here = result.accuracy["scratch"]
    apart = max(abs(here - other) for other in result.accuracy.values())
    ending = "for all three" if apart == 0 else f"for scratch, the others within {apart:.4f}"
    figure = empty_figure(result, f"Test accuracy {here:.4f} {ending}", 10, 4.6)
    losses, accuracies = figure.subplots(1, 2)
    _losses(losses, result)
    _accuracies(accuracies, result)
    return figure


def _losses(axes, result):
    batches = result.curves.loss["scratch"]
    epochs = np.arange(1, len(batches) + 1) * result.epochs / result.steps
    axes.plot(epochs, batches, color="#cccccc", linewidth=0.6, label="each batch, scratch")
    _by_epoch(axes, result, "loss")
    axes.set(title="Training loss", xlabel="epoch", yscale="log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.legend(loc="upper right")


def _accuracies(axes, result):
    _by_epoch(axes, result, "accuracy")
    _by_epoch(axes, result, "val_accuracy")
    ends = result.curves.history["scratch"]
    ends = {"training": ends["accuracy"][-1], "test": ends["val_accuracy"][-1]}
    for words, va in zip(sorted(ends, key=ends.__getitem__), ("top", "bottom"), strict=True):
        place = {"textcoords": "offset points", "va": va}
        axes.annotate(words, (result.epochs, ends[words]), (10, 0), **place)
    axes.set(title="Accuracy", xlabel="epoch")


def _by_epoch(axes, result, name):
    marker = "o" if result.epochs <= 12 else ""
    for side, line in LINES.items():
        values, size = result.curves.history[side][name], 1.6 * line["linewidth"]
        epochs = result.curves.tested if name.startswith("val_") else range(1, result.epochs + 1)
        axes.plot(epochs, values, marker=marker, markersize=size, **line)
    axes.set_xlim(0, 1.03 * result.epochs)
    axes.xaxis.get_major_locator().set_params(integer=True)


def variants(results: Sequence[ExperimentResult]):
    """Every variant's loss as it falls and its accuracies by epoch, Keras's over scratch's."""
    from matplotlib.ticker import NullFormatter

    first = results[0]
    best = max(results, key=lambda result: result.accuracy["scratch"])
    title = f"{best.variant} ends best on the test set, at {best.accuracy['scratch']:.4f}"
    figure = empty_figure(first, title, 12, 4.8)
    panels = {
        "loss": "Training loss",
        "accuracy": "Training accuracy",
        "val_accuracy": "Test accuracy",
    }
    for axes, (name, words) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        for result, colour in zip(results, COLOURS, strict=False):
            _variant(axes, result, name, colour)
        axes.set(title=words, xlabel="epoch", yscale="log" if name == "loss" else "linear")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}" if name == "loss" else NullFormatter())
    handles = figure.axes[0].get_legend_handles_labels()
    figure.legend(*handles, loc="upper right", ncols=3, title="scratch; Keras dashed")
    return figure


def plane(low: float, high: float, size: int) -> np.ndarray:
    """Points (size², 2) of an even grid over a square, the rows of a picture from below."""
    ticks = np.linspace(low, high, size)
    columns, rows = np.meshgrid(ticks, ticks)
    return np.stack([columns.ravel(), rows.ravel()], axis=1)


def plane_map(axes, outputs: np.ndarray, edges: tuple[float, float]) -> None:
    """Outputs, from 0 to 1 for the points of a plane, as blue, white and red."""
    side = isqrt(outputs.size)
    shown = outputs.reshape(side, side)
    axes.imshow(shown, cmap="RdBu_r", vmin=-0.3, vmax=1.3, origin="lower", extent=edges * 2)
    axes.grid(visible=False)


def classes(axes, points: np.ndarray, labels: np.ndarray, size: float = 14) -> None:
    """Points, the colour of each by its class, 0 or 1."""
    for label, colour in enumerate(("#56B4E9", "#E69F00")):
        of_class = points[labels == label]
        axes.scatter(*of_class.T, size, colour, edgecolors="black", linewidths=0.6)


def _variant(axes, result, name, colour):
    sides = ("scratch", "reference")
    if name == "loss":
        here, there = (_smoothed(result.curves.loss[side], result.epochs) for side in sides)
        return both(axes, here, there, colour, result.variant)
    epochs = result.curves.tested if name.startswith("val_") else range(1, result.epochs + 1)
    here, there = ((epochs, result.curves.history[side][name]) for side in sides)
    marker = {"marker": "o" if len(epochs) <= 12 else "", "markersize": 5}
    both(axes, here, there, colour, result.variant, **marker)


def _smoothed(losses: list[float], epochs: int, points: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """The losses of all steps, averaged over even stretches, by the epochs at their middles."""
    parts = np.array_split(np.asarray(losses), min(points, len(losses)))
    ends = np.cumsum([len(part) for part in parts])
    middles = ends - [len(part) / 2 for part in parts]
    return middles * epochs / len(losses), np.array([part.mean() for part in parts])


def both(axes, here, there, colour: str, label: str | None = None, **line: Any) -> None:
    """Two curves, each (x, y): scratch's thick and light, and Keras's dashed over it."""
    axes.plot(*here, color=colour, label=label, **THICK, **line)
    axes.plot(*there, color=colour, **THIN, **line)


def key(figure) -> None:
    """Which of both curves is whose, in the corner of the header."""
    from matplotlib.lines import Line2D

    lines = [Line2D([], [], color="#444444", **look) for look in (THICK, THIN)]
    figure.legend(lines, ["scratch", "Keras"], loc="upper right", ncols=2)


def search(results: Sequence[ExperimentResult]):
    """Validation accuracy by learning rate and decay, of a grid and of random points."""
    best = max(results, key=lambda result: result.accuracy["scratch"])
    title = f"Best in validation: {best.variant}, {best.accuracy['scratch']:.2f}"
    figure = empty_figure(results[0], title, 10, 4.8)
    for axes, side in zip(
        figure.subplots(1, 2, sharey=True), ("scratch", "reference"), strict=True
    ):
        for how, marker in (("grid", "s"), ("random", "o")):
            points = [result for result in results if result.variant.startswith(how)]
            rates, decays = zip(*(_rate_and_decay(result) for result in points), strict=True)
            found = [result.accuracy[side] for result in points]
            marks: dict[str, Any] = {"marker": marker, "label": how, "vmin": 0, "vmax": 1}
            drawn = axes.scatter(rates, decays, 120, found, **marks)
        axes.set(title=LINES[side]["label"], xlabel="learning rate", xscale="log", yscale="log")
    figure.legend(*axes.get_legend_handles_labels(), loc="upper right", ncols=2)
    figure.axes[0].set_ylabel("weight decay")
    figure.colorbar(drawn, ax=figure.axes, label="accuracy in validation")
    return figure


def panels(results: Sequence[ExperimentResult]):
    """Training accuracy of variants such as "stddev 1, with": a panel for each stddev."""
    starts = list(dict.fromkeys(result.variant.partition(", ")[0] for result in results))
    kinds = list(dict.fromkeys(result.variant.partition(", ")[2] for result in results))
    title = f"Training accuracy, {' and '.join(kinds)}"
    figure = empty_figure(results[0], title, 2.4 * len(starts), 3.8)
    for axes, start in zip(figure.subplots(1, len(starts), sharey=True), starts, strict=True):
        for result in results:
            first, _, kind = result.variant.partition(", ")
            if first == start:
                _variant(axes, result, "accuracy", COLOURS[kinds.index(kind)])
        axes.set(title=start, xlabel="epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
    handles, _ = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, kinds, loc="upper right", ncols=2, title="scratch; Keras dashed")
    return figure


PICTURES = {"search": search, "batch-norm": panels}


def _rate_and_decay(result):
    """The numbers in "grid, rate 0.01, decay 1e-06"."""
    rate, decay = (part.split()[-1] for part in result.variant.split(", ")[1:])
    return float(rate), float(decay)


def decision_map(result: ExperimentResult):
    """The test points over both sides' outputs in the plane, as they are and rounded."""
    figure = empty_figure(result, "The plane as both sides see it", 8, 8)
    cells = figure.subplots(2, 2, sharex=True, sharey=True)
    for row, side in zip(cells, ("scratch", "reference"), strict=True):
        outputs = result.samples.map[side]
        panels = {"output, and the true classes": outputs, "class": outputs > 0.5}
        for axes, (words, shown) in zip(row, panels.items(), strict=True):
            plane_map(axes, shown, (0, 1))
            classes(axes, result.samples.features, result.samples.labels)
            axes.set(title=f"{LINES[side]['label']}: {words}")
    return figure


def weights(result: ExperimentResult):
    """The largest weight difference by step beside what rounding alone makes of the run."""
    difference, envelope = f"{result.max_weight_difference:.1e}", f"{result.envelope:.1e}"
    title = f"Weights at most {difference} apart, where rounding alone parts them by {envelope}"
    figure = empty_figure(result, title, 10, 4.6)
    axes = figure.subplots()
    nudged = {
        "color": VERMILION,
        "dashes": (3, 1.5),
        "label": "scratch, and scratch nudged by one ulp",
    }
    _by_step(axes, result.curves.envelope, **nudged)
    _by_step(axes, result.curves.weight_difference, color=BLUE, label="scratch, and the tape loop")
    axes.set(title="Largest difference in any weight", xlabel="step", yscale="log")
    axes.legend()
    if result.first_divergence:
        _mark(axes, result.first_divergence, result.steps)
    return figure


def _by_step(axes, values, **line):
    """A curve of the steps at which there is a difference: zero has no place on a log scale."""
    values = np.asarray(values, float)
    axes.plot(np.arange(len(values)), np.where(values > 0, values, np.nan), **line)


def _mark(axes, divergence, steps):
    """A line where the two part, with its explanation below the curves that jump there."""
    axes.axvline(divergence.step, color="#444444", linewidth=1, dashes=(1, 2))
    early = divergence.step < steps / 2
    place = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    place |= {"ha": "left" if early else "right", "va": "bottom" if early else "top"}
    at, offset = (divergence.step, 0.04 if early else 0.97), (8 if early else -8, 0)
    frame = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 2}
    axes.annotate(textwrap.fill(divergence.explanation, 40), at, offset, bbox=frame, **place)


def predictions(result: ExperimentResult):
    """The first test images over the probabilities that both sides give each class."""
    samples = result.samples
    here, there = (samples.classes(side)[:SHOWN] for side in ("scratch", "reference"))
    agreeing = int(np.sum(here == there))
    title = f"Scratch and Keras agree on {agreeing} of the first {len(here)} test digits"
    figure = empty_figure(result, title, 10, 6.2)
    cells = figure.subplots(4, 5, height_ratios=[2.2, 1, 2.2, 1], gridspec_kw={"hspace": 0.1})
    for i, label in enumerate(samples.labels[:SHOWN]):
        image, bars = cells[2 * (i // 5) : 2 * (i // 5) + 2, i % 5]
        _image(image, samples.features[i], label, here[i], there[i])
        _probabilities(bars, samples.outputs["scratch"][i], samples.outputs["reference"][i])
    figure.legend(*cells[1, 0].get_legend_handles_labels(), loc="upper right", ncols=2)
    return figure


def _side(features: np.ndarray) -> int:
    """The side of images that are flattened in features; 0 where they are no square images."""
    size = features[0].size
    return isqrt(size) if isqrt(size) ** 2 == size > 4 else 0


def _image(axes, features, label, here, there):
    side = isqrt(features.size)
    axes.imshow(features.reshape(side, side), cmap="gray_r", interpolation="nearest")
    said = f"both say {here}" if here == there else f"scratch {here}, Keras {there}"
    right = here == there == label
    axes.set_title(f"{label}: {said}", loc="center", color="black" if right else VERMILION)
    axes.set_axis_off()


def _probabilities(axes, here, there):
    classes = np.arange(len(here))
    axes.bar(classes - 0.2, here, 0.4, color="#56B4E9", label="scratch")
    axes.bar(classes + 0.2, there, 0.4, color=VERMILION, label="Keras")
    axes.set(xticks=classes, ylim=(0, 1), yticks=[0, 1])
    axes.tick_params(length=0, labelsize=8, labelcolor=GREY)
    axes.grid(visible=False, axis="x")
