"""What a bug does to a short training: loss and accuracy beside those without it, from one seed."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from comparisons import datasets

from .bug import Bug, planted, resolve

BATCH = 32


Layers = tuple[tuple[str, dict[str, Any]], ...]


@dataclass(frozen=True)
class Network:
    """Layers, by the names of their classes in scratch, and how they are trained."""

    layers: Layers
    optimizer: str = "SGD"
    settings: dict[str, Any] = field(default_factory=lambda: {"learning_rate": 0.1})
    loss: str = "sparse_categorical_crossentropy"

    @property
    def takes_images(self) -> bool:
        return self.layers[0][0].startswith("convolution.")

    @property
    def takes_labels(self) -> bool:
        return self.loss.startswith("sparse")


def _dense(units: int, activation: str) -> tuple[str, dict[str, Any]]:
    return "dense.Dense", {"units": units, "activation": activation}


def _two(hidden="relu", output="softmax", units=(32, 10), between: Layers = ()) -> Layers:
    """Two dense layers, and what stands between them."""
    return _dense(units[0], hidden), *between, _dense(units[1], output)


def _between(layer: str, **settings) -> Network:
    return Network(_two(between=((layer, settings),)))


def _images(*between: tuple[str, dict[str, Any]]) -> Network:
    """Two convolutions, with something between them, and a dense layer."""
    conv = "convolution.Conv2D", {"filters": 8, "kernel_size": 3, "activation": "relu"}
    return Network((conv, *between, conv, ("reshaping.Flatten", {}), _dense(10, "softmax")))


def _optimizer(name: str, **settings) -> Network:
    return Network(_two(), name, settings)


MSE = "mean_squared_error"
POOL = {"pool_size": 2, "strides": 1}
NETWORKS = {
    "relu": Network(_two()),
    "sigmoid": Network(_two(hidden="sigmoid")),
    "tanh": Network(_two(hidden="tanh")),
    "square": Network(_two(units=(64, 64))),
    "one-hot": Network(_two(), loss="categorical_crossentropy"),
    "squared error": Network(_two(output="linear"), "SGD", {"learning_rate": 0.5}, MSE),
    "softmax and squared error": Network(_two(), "SGD", {"learning_rate": 2.0}, MSE),
    "batch normalization": _between("normalization.BatchNormalization"),
    "layer normalization": _between("normalization.LayerNormalization"),
    "dropout": _between("dropout.Dropout", rate=0.5),
    "convolution": _images(),
    "max pooling": _images(("pooling.MaxPooling2D", POOL)),
    "average pooling": _images(("pooling.AveragePooling2D", POOL)),
    "momentum": _optimizer("SGD", learning_rate=0.02, momentum=0.9),
    "nesterov": _optimizer("SGD", learning_rate=0.02, momentum=0.9, nesterov=True),
    "clipping": _optimizer("SGD", learning_rate=0.1, clipnorm=1.0),
    "global clipping": _optimizer("SGD", learning_rate=0.1, global_clipnorm=0.1),
    "weight decay": _optimizer("SGD", learning_rate=0.1, weight_decay=0.01),
    "accumulation": _optimizer("SGD", learning_rate=0.1, gradient_accumulation_steps=2),
    "adagrad": _optimizer("Adagrad", learning_rate=0.01),
    "rmsprop": _optimizer("RMSprop", learning_rate=0.001),
    "adam": _optimizer("Adam", learning_rate=0.001),
    "adam with decay": _optimizer("Adam", learning_rate=0.001, weight_decay=0.01),
}


@dataclass(frozen=True)
class Run:
    """The loss of every epoch and the accuracy on the test set, or the error that ended it."""

    losses: list[float]
    accuracy: float | None
    error: str | None = None


@dataclass(frozen=True)
class Training:
    """The same training twice, without the bug and with it."""

    right: Run
    wrong: Run


def train(bug: Bug, dataset: str = "digits", epochs: int = 5, seed: int = 0) -> Training:
    """Train the bug's network with and without it. ValueError for a bug that sits in none."""
    if bug.trains is None:
        raise ValueError(f"{bug.name} sits in no network that is trained here")
    network, data = NETWORKS[bug.trains], datasets.load(dataset)
    right = run(network, data, epochs, seed)
    with planted(bug):
        return Training(right, run(network, data, epochs, seed))


def run(network: Network, data, epochs: int, seed: int) -> Run:
    """One training from a seed."""
    x_train, y_train, x_test, y_test = data
    x_train, x_test = (_seen(network, x) for x in (x_train, x_test))
    target = y_train if network.takes_labels else np.eye(10, dtype="float32")[y_train]
    model = _compiled(network, seed)
    try:
        with np.errstate(all="ignore"):
            history = model.fit(x_train, target, BATCH, epochs, verbose="")
            predicted = model.predict(x_test, verbose=0).argmax(axis=-1)
    except (ValueError, TypeError) as error:
        return Run([], None, f"{type(error).__name__}: {str(error).splitlines()[0]}")
    return Run(history.history["loss"], float(np.mean(predicted == y_test)))


def _seen(network: Network, x):
    """Images with a channel, or rows of numbers."""
    return x[..., np.newaxis] if network.takes_images else x.reshape(len(x), -1)


def _compiled(network: Network, seed: int):
    import scratch

    scratch.random.set_random_seed(seed)
    model = scratch.network.Sequential([resolve(name)(**how) for name, how in network.layers])
    optimizer = getattr(scratch.optimizers, network.optimizer)(**network.settings)
    model.compile(optimizer, network.loss)
    return model
