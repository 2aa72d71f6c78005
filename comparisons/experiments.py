"""The table of experiments: which networks are trained on what. Data, no logic."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Experiment:
    """A network of models.py, trained on a data set in the same way on both sides.

    optimizer names a class of optimizers.py, settings its arguments; dataset "auto" is MNIST where
    it can be had, else digits; one_hot turns labels into rows; learns=False is there to fail.
    """

    name: str
    about: str
    model: str
    optimizer: str
    settings: dict[str, Any]
    loss: str
    batch_size: int
    epochs: int
    dataset: str = "auto"
    one_hot: bool = False
    learns: bool = True
    metrics: tuple[str, ...] = field(default=("accuracy",))


EXPERIMENTS = (
    Experiment(
        name="mlp",
        about="784-512 relu-10 softmax, RMSprop",
        model="mlp",
        optimizer="RMSprop",
        settings={"learning_rate": 1e-3},
        loss="sparse_categorical_crossentropy",
        batch_size=128,
        epochs=5,
    ),
    Experiment(
        name="mlp-onehot",
        about="mlp on one-hot labels with categorical cross-entropy",
        model="mlp",
        optimizer="RMSprop",
        settings={"learning_rate": 1e-3},
        loss="categorical_crossentropy",
        batch_size=128,
        epochs=5,
        one_hot=True,
    ),
    Experiment(
        name="naive",
        about="784-512 relu-10 softmax from uniform [0, 0.1) weights, SGD",
        model="naive",
        optimizer="SGD",
        settings={"learning_rate": 1e-3},
        loss="sparse_categorical_crossentropy",
        batch_size=128,
        epochs=10,
    ),
    Experiment(
        name="two-layer",
        about="784-50 relu-10 softmax, SGD with learning rate 0.1",
        model="two_layer",
        optimizer="SGD",
        settings={"learning_rate": 0.1},
        loss="sparse_categorical_crossentropy",
        batch_size=100,
        epochs=17,
    ),
    Experiment(
        name="digits",
        about="64-32 relu-10 softmax on 8 x 8 digits, SGD",
        model="digits",
        optimizer="SGD",
        settings={"learning_rate": 0.1},
        loss="sparse_categorical_crossentropy",
        batch_size=32,
        epochs=30,
        dataset="digits",
    ),
    Experiment(
        name="transformer",
        about="16 patches, 64 wide, one transformer block of 4 heads, 10 softmax, Adam",
        model="transformer",
        optimizer="Adam",
        settings={"learning_rate": 1e-3},
        loss="sparse_categorical_crossentropy",
        batch_size=128,
        epochs=3,
    ),
)
