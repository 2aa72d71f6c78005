"""Steps against the gradient, and against its sign."""

from typing import Any

import numpy as np

from .optimizer import Array, Optimizer, Rate, cast, number


class SGD(Optimizer):
    """velocity = momentum * velocity - learning_rate * gradient; weight += velocity.

    With nesterov, weight += momentum * velocity - learning_rate * gradient. Without momentum,
    weight -= learning_rate * gradient.

    As in Keras, the velocity points downhill and holds the learning rate, so that a new rate leaves
    the old part of it as it is (textbooks often have velocity = momentum * velocity + gradient;
    weight -= learning_rate * velocity), and momentum is rounded to float32 on its way to float64.
    """

    def __init__(
        self,
        learning_rate: Rate = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **shared: Any,
    ) -> None:
        super().__init__(learning_rate, **shared)
        if not isinstance(momentum, float):
            raise ValueError(f"momentum is a float from 0 to 1, not {momentum!r}")
        self.momentum: float = number("momentum", momentum, 0, 1)
        self.nesterov = nesterov

    def build_slots(self) -> None:
        if self.momentum:
            self.add_slots("velocity")

    def update_step(
        self, gradient: Array, weight: Array, learning_rate: Any, velocity: Array | None = None
    ) -> None:
        if velocity is None:
            weight -= learning_rate * gradient
            return
        momentum = cast(self.momentum, weight.dtype)
        velocity *= momentum
        velocity -= learning_rate * gradient
        if self.nesterov:
            weight += momentum * velocity - learning_rate * gradient
        else:
            weight += velocity


class Lion(Optimizer):
    """weight -= learning_rate * sign(beta_1 * momentum + (1 - beta_1) * gradient);
    momentum = beta_2 * momentum + (1 - beta_2) * gradient.

    All weights move by the same amount. As in Keras, both betas are rounded to float32 on their
    way to float64. Chen et al. 2023, arXiv:2302.06675.
    """

    def __init__(
        self, learning_rate: Rate = 0.001, beta_1: float = 0.9, beta_2: float = 0.99, **shared: Any
    ) -> None:
        super().__init__(learning_rate, **shared)
        self.beta_1: float = number("beta_1", beta_1, 0, 1)
        self.beta_2: float = number("beta_2", beta_2, 0, 1)
        if beta_1 == 0:
            raise ValueError("beta_1 is above 0, not 0: without momentum Lion is descent by sign")

    def build_slots(self) -> None:
        self.add_slots("momentum")

    def update_step(
        self, gradient: Array, weight: Array, learning_rate: Any, momentum: Array
    ) -> None:
        beta_1, beta_2 = cast(self.beta_1, weight.dtype), cast(self.beta_2, weight.dtype)
        weight -= learning_rate * np.sign(momentum * beta_1 + gradient * (1 - beta_1))
        momentum *= beta_2
        momentum += gradient * (1 - beta_2)
