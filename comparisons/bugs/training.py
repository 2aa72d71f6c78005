"""What a bug does to a short training: loss and accuracy beside those without it, from one seed."""

import importlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from comparisons import datasets

from .bug import Bug, planted

BATCH = 32


@dataclass(frozen=True)
class Network:
    """Two dense layers, with the layers of `between` after the first, and how they are trained."""

    hidden: str = "relu"
    output: str = "softmax"
    units: tuple[int, int] = (32, 10)
    between: tuple[tuple[str, dict[str, Any]], ...] = ()
    optimizer: str = "SGD"
    settings: dict[str, Any] = field(default_factory=lambda: {"learning_rate": 0.1})
    loss: str = "sparse_categorical_crossentropy"


def _optimizer(name: str, **settings) -> Network:
    return Network(optimizer=name, settings=settings)


NETWORKS = {
    "relu": Network(),
    "sigmoid": Network(hidden="sigmoid"),
    "tanh": Network(hidden="tanh"),
    "square": Network(units=(64, 64)),
    "one-hot": Network(loss="categorical_crossentropy"),
    "squared error": Network(
        output="linear", loss="mean_squared_error", settings={"learning_rate": 0.5}
    ),
    "softmax and squared error": Network(
        loss="mean_squared_error", settings={"learning_rate": 2.0}
    ),
    "batch normalization": Network(between=(("normalization.BatchNormalization", {}),)),
    "layer normalization": Network(between=(("normalization.LayerNormalization", {}),)),
    "dropout": Network(between=(("dropout.Dropout", {"rate": 0.5}),)),
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
    """One training from a seed, on images taken as rows of numbers."""
    x_train, y_train, x_test, y_test = data
    model = _compiled(network, seed)
    target = (lambda y: np.eye(10, dtype="float32")[y]) if _is_one_hot(network) else (lambda y: y)
    try:
        with np.errstate(all="ignore"):
            history = model.fit(_rows(x_train), target(y_train), BATCH, epochs, verbose="")
            predicted = model.predict(_rows(x_test)).argmax(axis=-1)
    except (ValueError, TypeError) as error:
        return Run([], None, f"{type(error).__name__}: {str(error).splitlines()[0]}")
    return Run(history.history["loss"], float(np.mean(predicted == y_test)))


def _is_one_hot(network):
    return not network.loss.startswith("sparse")


def _rows(x):
    return x.reshape(len(x), -1)


def _compiled(network: Network, seed: int):
    import scratch

    scratch.random.set_random_seed(seed)
    hidden, classes = network.units
    model = scratch.network.Sequential(
        [
            scratch.dense.Dense(hidden, activation=network.hidden),
            *(_layer(name, settings) for name, settings in network.between),
            scratch.dense.Dense(classes, activation=network.output),
        ]
    )
    optimizer = getattr(scratch.optimizers, network.optimizer)(**network.settings)
    model.compile(optimizer, network.loss)
    return model


def _layer(name: str, settings: dict[str, Any]):
    topic, layer = name.split(".")
    return getattr(importlib.import_module(f"scratch.{topic}"), layer)(**settings)
