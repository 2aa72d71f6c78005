"""The table of experiments: which networks are trained on what. Data, no logic."""

import random
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Experiment:
    """A network of models.py, trained on a data set in the same way on both sides.

    optimizer names a class of optimizers.py, settings its arguments; dataset "auto" is MNIST where
    it can be had, else digits; one_hot turns labels into rows; learns=False is there to fail.
    Of several rows with one name, each is a variant: their curves are drawn into one picture, and
    with averaged=True their outputs are averaged as well; later_seed is added to the run's seed.
    samples limits the training set, of which validation is the share held out to test on;
    arguments are the model's. classes are the labels whose samples are used, renumbered from 0;
    after is the experiment whose trained weights this one starts from.
    """

    name: str
    about: str
    model: str
    optimizer: str
    settings: dict[str, Any]
    batch_size: int
    epochs: int
    loss: str = "sparse_categorical_crossentropy"
    dataset: str = "auto"
    one_hot: bool = False
    learns: bool = True
    metrics: tuple[str, ...] = field(default=("accuracy",))
    variant: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    samples: int | None = None
    validation: float = 0.0
    averaged: bool = False
    later_seed: int = 0
    classes: tuple[int, ...] = ()
    after: "Experiment | None" = None

    @property
    def title(self) -> str:
        return f"{self.name}, {self.variant}" if self.variant else self.name


def _optimizers() -> tuple[Experiment, ...]:
    momentum = {"learning_rate": 0.01, "momentum": 0.9}
    cases = (
        ("SGD", "SGD", {"learning_rate": 0.01}),
        ("Momentum", "SGD", momentum),
        ("Nesterov", "SGD", momentum | {"nesterov": True}),
        ("AdaGrad", "Adagrad", {"learning_rate": 0.01}),
        ("RMSprop", "RMSprop", {"learning_rate": 0.001}),
        ("Adam", "Adam", {"learning_rate": 0.001}),
    )
    return tuple(
        Experiment(
            name="optimizers",
            variant=variant,
            about=f"five layers of 100 relu, {variant}",
            model="deep",
            optimizer=optimizer,
            settings=settings,
            batch_size=128,
            epochs=2,
        )
        for variant, optimizer, settings in cases
    )


def _initial_weights() -> tuple[Experiment, ...]:
    cases = (
        ("stddev 0.01", {"stddev": 0.01}, False),
        ("Xavier", {"kernel_initializer": "glorot_uniform"}, True),
        ("He", {"kernel_initializer": "he_uniform"}, True),
    )
    return tuple(
        Experiment(
            name="initial-weights",
            variant=variant,
            about=f"five layers of 100 relu from {variant} weights, SGD",
            model="deep",
            arguments=arguments,
            optimizer="SGD",
            settings={"learning_rate": 0.01},
            batch_size=128,
            epochs=4,
            learns=learns,
        )
        for variant, arguments, learns in cases
    )


def _overfitting() -> tuple[Experiment, ...]:
    cases = (
        ("plain", {}),
        ("weight decay", {"decay": 0.05}),
        ("dropout", {"dropout": 0.2}),
        ("dropout and weight decay", {"dropout": 0.2, "decay": 0.05}),
    )
    return tuple(
        Experiment(
            name="overfitting",
            variant=variant,
            about=f"six layers of 100 relu on 300 samples, {variant}",
            model="deep",
            arguments={"layers": 6} | arguments,
            optimizer="SGD",
            settings={"learning_rate": 0.01},
            batch_size=100,
            epochs=200,
            samples=300,
        )
        for variant, arguments in cases
    )


def _batch_norm() -> tuple[Experiment, ...]:
    cases = [(stddev, kind) for stddev in (1.0, 0.3, 0.1, 0.03, 0.01) for kind in (True, False)]
    return tuple(
        Experiment(
            name="batch-norm",
            variant=f"stddev {stddev:g}, {'with' if batch_normalization else 'without'}",
            about="five layers of 100 relu on 1,000 samples",
            model="deep",
            arguments={"stddev": stddev, "batch_normalization": batch_normalization},
            optimizer="SGD",
            settings={"learning_rate": 0.01},
            batch_size=100,
            epochs=20,
            samples=1000,
            learns=batch_normalization or stddev in (0.3, 0.1),
        )
        for stddev, batch_normalization in cases
    )


def _search() -> tuple[Experiment, ...]:
    """Nine points of a grid, and as many drawn at random, evenly on log scales, over it."""
    grid = [(rate, decay) for rate in (1e-3, 1e-2, 1e-1) for decay in (1e-8, 1e-6, 1e-4)]
    draw = random.Random(0).uniform
    drawn = [(10 ** draw(-3, -1), 10 ** draw(-8, -4)) for _ in grid]
    points = [*(("grid", *point) for point in grid), *(("random", *point) for point in drawn)]
    return tuple(
        Experiment(
            name="search",
            variant=f"{how}, rate {rate:.2g}, decay {decay:.2g}",
            about="five layers of 100 relu on 400 of 500 samples, validated on the other 100",
            model="deep",
            arguments={"decay": decay},
            optimizer="SGD",
            settings={"learning_rate": rate},
            batch_size=100,
            epochs=30,
            samples=500,
            validation=0.2,
        )
        for how, rate, decay in points
    )


def _ensemble() -> tuple[Experiment, ...]:
    return tuple(
        Experiment(
            name="ensemble",
            variant=f"member {member + 1}",
            about="784-50 relu-10 softmax, one of five whose outputs are averaged, Adam",
            model="two_layer",
            optimizer="Adam",
            settings={"learning_rate": 1e-3},
            batch_size=128,
            epochs=3,
            averaged=True,
            later_seed=member,
        )
        for member in range(5)
    )


def _transfer() -> tuple[Experiment, ...]:
    """As in Keras's example mnist_transfer_cnn, where the head goes on from its weights too."""
    pretrained = Experiment(
        name="transfer",
        variant="digits 0 to 4",
        about="convnet on the digits 0 to 4, Adam",
        model="convnet",
        arguments={"classes": 5},
        classes=(0, 1, 2, 3, 4),
        optimizer="Adam",
        settings={"learning_rate": 1e-3},
        batch_size=128,
        epochs=2,
    )
    fine_tuned = replace(
        pretrained,
        variant="digits 5 to 9, the head alone",
        about="then its dense layers on the digits 5 to 9, the convolution frozen, Adam anew",
        arguments={"classes": 5, "frozen": True},
        classes=(5, 6, 7, 8, 9),
        after=pretrained,
    )
    return pretrained, fine_tuned


def _augmentation() -> tuple[Experiment, ...]:
    cases = (
        ("plain", {"shift": 0.0, "turn": 0.0}),
        ("shifted", {"turn": 0.0}),
        ("shifted and turned", {}),
    )
    return tuple(
        Experiment(
            name="augmentation",
            variant=variant,
            about=f"784-100 relu-10 softmax on 1,000 samples, {variant}, Adam",
            model="shifted_and_turned",
            arguments=arguments,
            optimizer="Adam",
            settings={"learning_rate": 1e-3},
            batch_size=100,
            epochs=30,
            samples=1000,
        )
        for variant, arguments in cases
    )


EXPERIMENTS = (
    Experiment(
        name="mlp",
        about="784-512 relu-10 softmax, RMSprop",
        model="mlp",
        optimizer="RMSprop",
        settings={"learning_rate": 1e-3},
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
        batch_size=128,
        epochs=10,
    ),
    Experiment(
        name="two-layer",
        about="784-50 relu-10 softmax, SGD with learning rate 0.1",
        model="two_layer",
        optimizer="SGD",
        settings={"learning_rate": 0.1},
        batch_size=100,
        epochs=17,
    ),
    Experiment(
        name="digits",
        about="64-32 relu-10 softmax on 8 x 8 digits, SGD",
        model="digits",
        optimizer="SGD",
        settings={"learning_rate": 0.1},
        batch_size=32,
        epochs=30,
        dataset="digits",
    ),
    Experiment(
        name="lstm",
        about="images row by row, LSTM of 128 units, 10 softmax, Adam",
        model="lstm",
        optimizer="Adam",
        settings={"learning_rate": 1e-3},
        batch_size=128,
        epochs=3,
    ),
    Experiment(
        name="convnet",
        about="convolution 5 x 5 x 30 relu, max pool, 100 relu, 10 softmax, Adam",
        model="convnet",
        optimizer="Adam",
        settings={"learning_rate": 1e-3},
        batch_size=128,
        epochs=2,
    ),
    Experiment(
        name="deep-convnet",
        about="six convolutions 3 x 3 relu, three max pools, 50 relu, dropout, 10 softmax, Adam",
        model="deep_convnet",
        optimizer="Adam",
        settings={"learning_rate": 1e-3},
        batch_size=100,
        epochs=5,
    ),
    Experiment(
        name="transformer",
        about="16 patches, 64 wide, one transformer block of 4 heads, 10 softmax, Adam",
        model="transformer",
        optimizer="Adam",
        settings={"learning_rate": 1e-3},
        batch_size=128,
        epochs=3,
    ),
    Experiment(
        name="resnet",
        about="convolution 3 x 3 x 32, residual blocks of 32 and 64, 10 softmax, Adam",
        model="resnet",
        optimizer="Adam",
        settings={"learning_rate": 1e-3},
        batch_size=128,
        epochs=2,
    ),
    Experiment(
        name="moons",
        about="2-4-10-4-1 sigmoid on two moons, mean squared error, full batch",
        model="moons",
        optimizer="SGD",
        settings={"learning_rate": 1.0},
        loss="mean_squared_error",
        batch_size=1000,
        epochs=1000,
        dataset="moons",
    ),
    Experiment(
        name="predictions",
        about="the first ten test digits, their classes and probabilities, by an mlp",
        model="mlp",
        optimizer="RMSprop",
        settings={"learning_rate": 1e-3},
        batch_size=128,
        epochs=1,
    ),
    *_optimizers(),
    *_initial_weights(),
    *_overfitting(),
    *_batch_norm(),
    *_search(),
    *_ensemble(),
    *_transfer(),
    *_augmentation(),
)
