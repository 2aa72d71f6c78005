"""Adam and its kin: steps along an average of gradients, divided by an average of their size."""

from typing import Any

import numpy as np

from .optimizer import Array, Optimizer, Rate, cast, number


class TwoMoments(Optimizer):
    """What Adam and its kin share: two rates of decay, epsilon, and the slots for two averages."""

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **shared: Any,
    ) -> None:
        super().__init__(learning_rate, **shared)
        self.beta_1: float = number("beta_1", beta_1, 0, 1)
        self.beta_2: float = number("beta_2", beta_2, 0, 1)
        self.epsilon: float = number("epsilon", epsilon, 0)

    def build_slots(self) -> None:
        self.add_slots("momentum", "velocity")


class Adam(TwoMoments):
    """momentum += (gradient - momentum) * (1 - beta_1);
    velocity += (gradient² - velocity) * (1 - beta_2);
    weight -= momentum * alpha / (√velocity + epsilon),
    alpha = learning_rate * √(1 - beta_2ᵗ) / (1 - beta_1ᵗ), at step t = 1, 2, …

    amsgrad divides by the largest velocity so far instead.

    alpha corrects the bias of both averages at once. The epsilon beside the uncorrected velocity
    is thereby the paper's epsilon hat (end of section 2), not that of its algorithm 1, which is
    added after the correction. As in Keras, the betas in alpha are rounded to float32 on their way
    to float64 weights, which shortens the first step by 7e-6 of itself; 1 - beta is not.
    Kingma and Ba 2014, arXiv:1412.6980; Reddi et al. 2018, arXiv:1904.09237, for amsgrad.
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **shared: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **shared)
        self.amsgrad = amsgrad

    def build_slots(self) -> None:
        super().build_slots()
        if self.amsgrad:
            self.add_slots("velocity_hat")

    def update_step(
        self,
        gradient: Array,
        weight: Array,
        learning_rate: Any,
        momentum: Array,
        velocity: Array,
        velocity_hat: Array | None = None,
    ) -> None:
        step = weight.dtype.type(self.iterations + 1)
        beta_1_power = cast(self.beta_1, weight.dtype) ** step
        beta_2_power = cast(self.beta_2, weight.dtype) ** step
        alpha = learning_rate * np.sqrt(1 - beta_2_power) / (1 - beta_1_power)
        momentum += (gradient - momentum) * (1 - self.beta_1)
        velocity += (np.square(gradient) - velocity) * (1 - self.beta_2)
        if velocity_hat is not None:
            velocity_hat[...] = np.maximum(velocity_hat, velocity)
            velocity = velocity_hat
        weight -= momentum * alpha / (np.sqrt(velocity) + self.epsilon)


class AdamW(Adam):
    """weight -= weight * weight_decay * learning_rate, then Adam's step.

    It is Adam with a weight_decay by default. The decay does not pass through the averages, unlike
    an L2 penalty, which Adam divides by the size of the gradient. As in Keras, learning_rate scales
    the decay, and weight_decay is rounded to float32. Loshchilov and Hutter 2017, arXiv:1711.05101.
    """

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **shared: Any,
    ) -> None:
        number("weight_decay", weight_decay, 0)
        shared["weight_decay"] = weight_decay
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, **shared)


class Adamax(TwoMoments):
    """momentum += (gradient - momentum) * (1 - beta_1);
    norm = max(beta_2 * norm, |gradient|);
    weight -= learning_rate * momentum / ((1 - beta_1ᵗ) * (norm + epsilon)), at step t = 1, 2, …

    The largest recent gradient takes the place of Adam's root of an average; it needs no
    correction. As in Keras, beta_1 in the correction is rounded to float32 on its way to float64.
    Kingma and Ba 2014, arXiv:1412.6980, section 7.1.
    """

    def build_slots(self) -> None:
        self.add_slots("momentum", "norm")

    def update_step(
        self, gradient: Array, weight: Array, learning_rate: Any, momentum: Array, norm: Array
    ) -> None:
        beta_1_power = cast(self.beta_1, weight.dtype) ** (self.iterations + 1)
        momentum += (gradient - momentum) * (1 - self.beta_1)
        norm[...] = np.maximum(self.beta_2 * norm, np.abs(gradient))
        weight -= learning_rate * momentum / ((1 - beta_1_power) * (norm + self.epsilon))


class Nadam(TwoMoments):
    """momentum += (gradient - momentum) * (1 - beta_1);
    velocity += (gradient² - velocity) * (1 - beta_2);
    ahead = u' * momentum / (1 - Πu * u') + (1 - u) * gradient / (1 - Πu);
    weight -= ahead * learning_rate / (√(velocity / (1 - beta_2ᵗ)) + epsilon), at step t = 1, 2, …

    Adam that looks ahead as Nesterov's momentum does. u = beta_1 * (1 - 0.96ᵗ / 2) is the momentum
    of this step, u' that of the next, Πu the product of all so far, kept in `variables`.

    As in Keras, both betas and 0.96 are rounded to float32 on their way to float64, but not in Πu.
    Dozat 2016, "Incorporating Nesterov momentum into Adam".
    """

    def build_slots(self) -> None:
        super().build_slots()
        self._u_product = np.ones((), self._weights[0].dtype)
        self._state.append(self._u_product)

    def _update(self, gradients: list[Array], weights: list[Array]) -> None:
        step = self._u_product.dtype.type(self.iterations + 1)
        self._u_product *= self.beta_1
        self._u_product *= 1 - 0.5 * 0.96**step
        super()._update(gradients, weights)

    def update_step(
        self, gradient: Array, weight: Array, learning_rate: Any, momentum: Array, velocity: Array
    ) -> None:
        beta_1, beta_2 = cast(self.beta_1, weight.dtype), cast(self.beta_2, weight.dtype)
        step, decay = weight.dtype.type(self.iterations + 1), cast(0.96, weight.dtype)
        u, next_u = (beta_1 * (1 - 0.5 * decay**t) for t in (step, step + 1))
        u_product = weight.dtype.type(self._u_product)
        momentum += (gradient - momentum) * (1 - beta_1)
        velocity += (np.square(gradient) - velocity) * (1 - beta_2)
        ahead = next_u * momentum / (1 - u_product * next_u)
        ahead += (1 - u) * gradient / (1 - u_product)
        velocity_hat = velocity / (1 - beta_2**step)
        weight -= ahead * learning_rate / (np.sqrt(velocity_hat) + self.epsilon)


class ScheduleFreeAdamW(Optimizer):
    """velocity += (gradient² - velocity) * (1 - beta_2);
    momentum -= learning_rate * gradient / (√(velocity / (1 - beta_2ᵗ)) + epsilon);
    average = (weight - (1 - beta_1) * momentum) / beta_1;
    average += (momentum - average) / t;
    weight = beta_1 * average + (1 - beta_1) * momentum, at step t = 1, 2, …

    momentum starts as the weight and takes Adam's steps; the weight, where gradients are taken,
    lies between it and the average of all its places, which makes a schedule unnecessary.
    learning_rate first grows in a line over warmup_steps.

    Keras departs from the paper. It recovers the average with the momentum after its step, not
    before it, so that the average moves by an extra (1 - beta_1) / beta_1 of each step, backwards.
    It does not weigh the average by the learning rate, and evaluates at the weight, not the
    average. Betas and epsilon are rounded to float32 on their way to float64.
    Defazio et al. 2024, arXiv:2405.15682.
    """

    def __init__(
        self,
        learning_rate: Rate = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **shared: Any,
    ) -> None:
        super().__init__(learning_rate, **shared)
        self.beta_1: float = number("beta_1", beta_1, 0, 1)
        self.beta_2: float = number("beta_2", beta_2, 0, 1)
        self.epsilon: float = number("epsilon", epsilon, 0)
        self.warmup_steps: int = number("warmup_steps", warmup_steps, 0)

    def build_slots(self) -> None:
        self.add_slots("momentum", "velocity")
        for weight, slots in zip(self._weights, self._slots, strict=True):
            slots["momentum"][...] = weight

    def update_step(
        self, gradient: Array, weight: Array, learning_rate: Any, momentum: Array, velocity: Array
    ) -> None:
        dtype = weight.dtype
        beta_1, beta_2 = cast(self.beta_1, dtype), cast(self.beta_2, dtype)
        step, epsilon = dtype.type(self.iterations + 1), cast(self.epsilon, dtype)
        if self.warmup_steps:
            learning_rate = learning_rate * min(step / dtype.type(self.warmup_steps), 1)
        velocity += (np.square(gradient) - velocity) * (1 - beta_2)
        momentum -= learning_rate * gradient / (np.sqrt(velocity / (1 - beta_2**step)) + epsilon)
        average = (weight - (1 - beta_1) * momentum) / beta_1
        average = (1 - 1 / step) * average + 1 / step * momentum
        weight[...] = (1 - beta_1) * momentum + beta_1 * average
