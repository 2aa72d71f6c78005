"""A comparison as pictures: how both sides learn, how far they part, and what they predict."""

import io
import textwrap
from math import isqrt
from pathlib import Path
from typing import Any

import numpy as np

from comparisons.results import ExperimentResult, write_whole

# Okabe and Ito's colours, which the colour-blind tell apart; a thinner line shows on a thicker one
LINES = {
    "scratch": {"color": "#56B4E9", "linewidth": 6, "label": "scratch"},
    "reference": {"color": "#D55E00", "linewidth": 2.6, "dashes": (3, 1.5), "label": "tape loop"},
    "keras": {"color": "#111111", "linewidth": 1.3, "dashes": (1, 2), "label": "model.fit"},
}
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
    Path(directory).mkdir(exist_ok=True)
    paths = []
    with rc_context(STYLE):
        for name, figure_of in figures.items():
            paths.append(Path(directory, f"{result.name}-{result.dtype}-{name}.png"))
            _write(figure_of(result), paths[-1])
    return paths


def _write(figure, path: Path) -> None:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=150)
    write_whole(path, content.getvalue())


def _figure(result: ExperimentResult, title: str, width: float, height: float):
    """An empty figure under what is seen in it and the run that it comes from."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    header = 0.75 / height
    frame = ConstrainedLayoutEngine(rect=(0.01, 0.02, 0.98, 0.98 - header), wspace=0.06)
    figure = Figure((width, height), layout=frame)
    figure.text(0.02, 1 - 0.18 / height, title, va="top", fontsize=13, fontweight="bold")
    about = f"{result.name} on {result.dataset}, {result.dtype}, seed {result.seed}"
    figure.text(0.02, 1 - 0.47 / height, about, va="top", color=GREY)
    return figure


def training(result: ExperimentResult):
    """Loss and accuracy of the three by epoch, over the loss of each batch."""
    here = result.accuracy["scratch"]
    apart = max(abs(here - other) for other in result.accuracy.values())
    ending = "for all three" if apart == 0 else f"for scratch, the others within {apart:.4f}"
    figure = _figure(result, f"Test accuracy {here:.4f} {ending}", 10, 4.6)
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
    for name, words in {"accuracy": "training", "val_accuracy": "test"}.items():
        last = result.curves.history["scratch"][name][-1]
        axes.annotate(
            words, (result.epochs, last), (10, 0), textcoords="offset points", va="center"
        )
    axes.set(title="Accuracy", xlabel="epoch")


def _by_epoch(axes, result, name):
    marker = "o" if result.epochs <= 12 else ""
    for side, line in LINES.items():
        values, size = result.curves.history[side][name], 1.6 * line["linewidth"]
        axes.plot(range(1, result.epochs + 1), values, marker=marker, markersize=size, **line)
    axes.set_xlim(0, 1.03 * result.epochs)
    axes.xaxis.get_major_locator().set_params(integer=True)


def weights(result: ExperimentResult):
    """The largest weight difference by step beside what rounding alone makes of the run."""
    difference, envelope = f"{result.max_weight_difference:.1e}", f"{result.envelope:.1e}"
    title = f"Weights at most {difference} apart, where rounding alone parts them by {envelope}"
    figure = _figure(result, title, 10, 4.6)
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
    here, there = (samples.outputs[side].argmax(axis=-1) for side in ("scratch", "reference"))
    agreeing = int(np.sum(here == there))
    title = f"Scratch and Keras agree on {agreeing} of the first {len(here)} test digits"
    figure = _figure(result, title, 10, 6.2)
    cells = figure.subplots(4, 5, height_ratios=[2.2, 1, 2.2, 1], gridspec_kw={"hspace": 0.1})
    for i, label in enumerate(samples.labels):
        image, bars = cells[2 * (i // 5) : 2 * (i // 5) + 2, i % 5]
        _image(image, samples.features[i], label, here[i], there[i])
        _probabilities(bars, samples.outputs["scratch"][i], samples.outputs["reference"][i])
    figure.legend(*cells[1, 0].get_legend_handles_labels(), loc="upper right", ncols=2)
    return figure


def _side(features: np.ndarray) -> int:
    """The side of images that are flattened in features; 0 where they are no square images."""
    side = isqrt(features[0].size)
    return side if side * side == features[0].size > 4 else 0


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
