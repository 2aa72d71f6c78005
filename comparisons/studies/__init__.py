"""The table of studies: small computations made on both sides and drawn into one picture.

A study's module has three functions. inputs(seed, dtype) are the arrays it starts from, and
compute(side, seed, **inputs) the arrays it makes of them, where side is the package scratch or
reference: one code, which calls the same names on both. draw(result) is the picture.
"""

import importlib
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Study:
    """A row of the table.

    operations is how many there are in a row behind a number, a few for each layer or step, a sum
    counted as one; draws says that a seed decides the weights or the inputs.
    """

    name: str
    about: str
    operations: int
    draws: bool = False


STUDIES = (
    Study(
        name="bowl",
        about="SGD, Momentum, AdaGrad and Adam on the way down an elongated bowl",
        operations=30 * 10,
    ),
    Study(
        name="learning-rates",
        about="one weight descends by a learning rate too small, right, and too large",
        operations=20 * 5,
    ),
    Study(
        name="activation-histograms",
        about="outputs of five layers of 100 by activation and scale of the initial weights",
        operations=5 * 2,
        draws=True,
    ),
    Study(
        name="deep-stacks",
        about="one number through up to ten layers of 30, with and without activations",
        operations=10 * 3,
        draws=True,
    ),
    Study(
        name="xor",
        about="AND, OR and NAND, a perceptron each, and XOR of two layers, over the plane",
        operations=2 * 3,
    ),
    Study(
        name="blobs-and-moons",
        about="linear and logistic regression and a small network divide blobs and moons",
        operations=300 * 10,
        draws=True,
    ),
    Study(
        name="maps",
        about="a house translated, rotated, scaled and sheared; two affine maps are one",
        operations=2 * 3,
    ),
)


def load(name: str) -> ModuleType:
    """The module of the study of this name, imported when it is asked for."""
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
