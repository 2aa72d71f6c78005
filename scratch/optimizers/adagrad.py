"""A learning rate of its own for every weight, by the gradients that the weight has seen."""

from typing import Any

import numpy as np

from .optimizer import Array, Optimizer, Rate, number


class Adagrad(Optimizer):
    """accumulator += gradient²; weight -= learning_rate * gradient / √(accumulator + epsilon).

    As in Keras, epsilon stands inside the root, and the accumulator starts at 0.1, rounded to
    float32, where the paper has none: from zero the first step would have one length for all.
    Duchi et al. 2011, Journal of Machine Learning Research 12.
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **shared: Any,
    ) -> None:
        super().__init__(learning_rate, **shared)
        self.initial_accumulator_value: float = number(
            "initial_accumulator_value", initial_accumulator_value, 0
        )
        self.epsilon: float = number("epsilon", epsilon, 0)

    def build_slots(self) -> None:
        self.add_slots("accumulator")
        self.fill_slots("accumulator", self.initial_accumulator_value)

    def update_step(
        self, gradient: Array, weight: Array, learning_rate: Any, accumulator: Array
    ) -> None:
        accumulator += np.square(gradient)
        weight -= learning_rate * gradient / np.sqrt(accumulator + self.epsilon)


class Adadelta(Optimizer):
    """accumulated_grad = rho * accumulated_grad + (1 - rho) * gradient²;
    delta = -gradient * √(accumulated_delta_var + epsilon) / √(accumulated_grad + epsilon);
    accumulated_delta_var = rho * accumulated_delta_var + (1 - rho) * delta²;
    weight += learning_rate * delta.

    delta has the unit of the weight. The paper has no learning rate: it is 1 there, 0.001 in Keras.
    Zeiler 2012, arXiv:1212.5701.
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-7,
        **shared: Any,
    ) -> None:
        super().__init__(learning_rate, **shared)
        self.rho: float = number("rho", rho, 0, 1)
        self.epsilon: float = number("epsilon", epsilon, 0)

    def build_slots(self) -> None:
        self.add_slots("accumulated_grad", "accumulated_delta_var")

    def update_step(
        self,
        gradient: Array,
        weight: Array,
        learning_rate: Any,
        accumulated_grad: Array,
        accumulated_delta_var: Array,
    ) -> None:
        accumulated_grad *= self.rho
        accumulated_grad += (1 - self.rho) * np.square(gradient)
        last_deltas = np.sqrt(accumulated_delta_var + self.epsilon)
        delta = -(last_deltas * gradient / np.sqrt(accumulated_grad + self.epsilon))
        accumulated_delta_var *= self.rho
        accumulated_delta_var += (1 - self.rho) * np.square(delta)
        weight += learning_rate * delta


class RMSprop(Optimizer):
    """velocity = rho * velocity + (1 - rho) * gradient²;
    weight -= learning_rate * gradient / √(velocity + epsilon).

    centered takes the variance, velocity - average_gradient², for the velocity under the root.
    With momentum, momentum = self.momentum * momentum + the step above; weight -= momentum.

    As in Keras, epsilon stands inside the root, where most textbooks have it outside, so that the
    smallest divisor is 3e-4 and not 1e-7. The rule is Hinton's, Coursera lecture 6e, 2012.
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **shared: Any,
    ) -> None:
        super().__init__(learning_rate, **shared)
        self.rho: float = number("rho", rho, 0, 1)
        self.momentum: float = number("momentum", momentum, 0, 1)
        self.epsilon: float = number("epsilon", epsilon, 0)
        self.centered = centered

    def build_slots(self) -> None:
        self.add_slots("velocity")
        if self.momentum:
            self.add_slots("momentum")
        if self.centered:
            self.add_slots("average_gradient")

    def update_step(
        self,
        gradient: Array,
        weight: Array,
        learning_rate: Any,
        velocity: Array,
        momentum: Array | None = None,
        average_gradient: Array | None = None,
    ) -> None:
        velocity *= self.rho
        velocity += (1 - self.rho) * np.square(gradient)
        variance = velocity
        if average_gradient is not None:
            average_gradient *= self.rho
            average_gradient += (1 - self.rho) * gradient
            variance = velocity - np.square(average_gradient)
        step = learning_rate * gradient / np.sqrt(variance + self.epsilon)
        if momentum is not None:
            momentum *= self.momentum
            momentum += step
            step = momentum
        weight -= step


class Ftrl(Optimizer):
    """weight = -(linear - clip(linear, -l1, l1)) / (power(accumulator) / learning_rate + 2 * l2),
    where power(a) = a ** -learning_rate_power, and with the accumulator before and after
    accumulator += gradient²,
    linear += gradient - (power(after) - power(before)) / learning_rate * weight.

    "Follow the regularized leader": the weight that has done best so far against all gradients
    together with l1 * |weight| + l2 * weight², so that a strong l1 makes it exactly zero. l1 and l2
    are the l1_ and l2_regularization_strength, the latter + beta / (2 * learning_rate);
    l2_shrinkage_regularization_strength adds 2 * itself * weight to the gradient in `linear` only.

    As in Keras, the start of the accumulator is rounded to float32.
    McMahan et al. 2013, "Ad click prediction: a view from the trenches".
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **shared: Any,
    ) -> None:
        super().__init__(learning_rate, **shared)
        self.learning_rate_power: float = number("learning_rate_power", learning_rate_power, high=0)
        self.initial_accumulator_value: float = number(
            "initial_accumulator_value", initial_accumulator_value, 0
        )
        self.l1_regularization_strength: float = number(
            "l1_regularization_strength", l1_regularization_strength, 0
        )
        self.l2_regularization_strength: float = number(
            "l2_regularization_strength", l2_regularization_strength, 0
        )
        self.l2_shrinkage_regularization_strength: float = number(
            "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength, 0
        )
        self.beta: float = number("beta", beta)

    def build_slots(self) -> None:
        self.add_slots("accumulator", "linear")
        self.fill_slots("accumulator", self.initial_accumulator_value)

    def update_step(
        self, gradient: Array, weight: Array, learning_rate: Any, accumulator: Array, linear: Array
    ) -> None:
        l1 = self.l1_regularization_strength
        l2 = self.l2_regularization_strength + self.beta / (2 * learning_rate)
        before = accumulator**-self.learning_rate_power
        accumulator += np.square(gradient)
        after = accumulator**-self.learning_rate_power
        shrunk = gradient + 2 * self.l2_shrinkage_regularization_strength * weight
        linear += shrunk - (after - before) / learning_rate * weight
        weight[...] = (np.clip(linear, -l1, l1) - linear) / (after / learning_rate + 2 * l2)
