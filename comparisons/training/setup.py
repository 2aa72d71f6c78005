"""An experiment made ready: data in batches, and a network compiled on either side."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

import numpy as np

import scratch
from comparisons import datasets
from comparisons.experiments import Experiment
from comparisons.precision import floatx

PLANE = ("moons", "blobs")  # points in the plane, of 2 classes; the other sets are of images


@dataclass(frozen=True)
class Task:
    """An experiment with its data: features (n, inputs), labels as the loss takes them.

    start are the weights that every network starts from, where they are not drawn from the seed.
    """

    experiment: Experiment
    dataset: str
    reason: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    test_labels: np.ndarray
    dtype: str
    seed: int
    epochs: int
    start: list[np.ndarray] | None = None

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.x_train) // self.experiment.batch_size)

    def epochs_of_batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Per epoch, the training set in the order that random.shuffle draws from [seed, epoch]."""
        seeds = scratch.random.SeedGenerator(self.seed)
        for _ in range(self.epochs):
            order = scratch.random.shuffle(np.arange(len(self.x_train)), seed=seeds)
            yield self.x_train[order], self.y_train[order]

    def batches(self, x: np.ndarray, y: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        size = self.experiment.batch_size
        for start in range(0, len(x), size):
            yield x[start : start + size], y[start : start + size]

    def network(self, side: ModuleType, **compiled):
        """The experiment's network on one side (scratch or reference), from the task's seed."""
        experiment = self.experiment
        side.random.set_random_seed(self.seed)
        model = getattr(side.models, experiment.model)
        network = model(self.x_train.shape[1], **experiment.arguments)
        if self.start is not None:
            network.set_weights(self.start)
        optimizer = getattr(side.optimizers, experiment.optimizer)(**experiment.settings)
        network.compile(optimizer, experiment.loss, metrics=list(experiment.metrics), **compiled)
        network.optimizer.build(network.trainable_weights)
        return network


def prepare(
    experiment: Experiment,
    data: str | None = None,
    dataset: str | None = None,
    seed: int = 0,
    dtype: str = "float32",
    epochs: int | None = None,
) -> Task:
    """The task. ValueError for a dtype, seed, number of epochs or data that cannot be trained.

    An experiment that comes after another starts from the weights with which scratch ends that one.
    """
    start = experiment.after and _trained(
        prepare(experiment.after, data, dataset, seed, dtype, epochs)
    )
    epochs = experiment.epochs if epochs is None else epochs
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype is float32 or float64, not {dtype!r}")
    if epochs < 1:
        raise ValueError(f"epochs must be at least 1, not {epochs}")
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must be from 0 to 2**32 - 1, not {seed}")
    name = dataset or experiment.dataset
    loaded = datasets.load(name, data if name in ("auto", "mnist") else None)
    _must_fit(experiment, loaded)
    return Task(
        experiment,
        loaded.name,
        loaded.reason,
        **_arrays(experiment, loaded, dtype),
        dtype=dtype,
        seed=seed + experiment.later_seed,
        epochs=epochs,
        start=start,
    )


def _must_fit(experiment: Experiment, loaded: datasets.Dataset) -> None:
    """DataError where a network for images would get points in the plane, or one for points images.

    No network has the outputs for both: one tells 2 classes apart, the others have one per digit.
    """
    points = experiment.dataset in PLANE
    if points != (loaded.name in PLANE):
        needed = "2 inputs and 2 classes" if points else "square images of 10 classes"
        inputs, classes = loaded[0][0].size, len(np.unique(loaded[1]))
        raise datasets.DataError(
            f"{experiment.name} needs data of {needed}, such as {'moons' if points else 'digits'}; "
            f"{loaded.name} has {inputs} inputs and {classes} classes"
        )


def _arrays(experiment, loaded, dtype) -> dict[str, np.ndarray]:
    x_train, y_train, x_test, y_test = _chosen(experiment, *loaded)
    return {
        "x_train": _flat(x_train, dtype),
        "y_train": _labels(y_train, experiment, dtype),
        "x_test": _flat(x_test, dtype),
        "y_test": _labels(y_test, experiment, dtype),
        "test_labels": y_test,
    }


def _trained(task: Task) -> list[np.ndarray]:
    """The weights of scratch's network after the task's epochs."""
    with floatx(task.dtype):
        network = task.network(scratch)
        for x, y in task.epochs_of_batches():
            network.fit(x, y, task.experiment.batch_size, verbose=0, shuffle=False)
    return network.get_weights()


def _chosen(experiment, x_train, y_train, x_test, y_test):
    """The samples that the experiment trains and tests on; the last are those held out."""
    if experiment.classes:
        x_train, y_train = _of_classes(experiment.classes, x_train, y_train)
        x_test, y_test = _of_classes(experiment.classes, x_test, y_test)
    x_train, y_train = x_train[: experiment.samples], y_train[: experiment.samples]
    held_out = round(experiment.validation * len(x_train))
    if not held_out:
        return x_train, y_train, x_test, y_test
    n = len(x_train) - held_out
    return x_train[:n], y_train[:n], x_train[n:], y_train[n:]


def _of_classes(classes, x, y):
    """The samples of these classes, labelled by their places among them."""
    chosen = np.isin(y, classes)
    return x[chosen], np.searchsorted(classes, y[chosen])


def _flat(x, dtype):
    return x.reshape(len(x), -1).astype(dtype)


def _labels(y, experiment, dtype):
    return np.eye(10, dtype=dtype)[y] if experiment.one_hot else y
