"""Steps that look at a weight as a whole: its size, its rows and columns, its singular values."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from .adam import Adam, TwoMoments
from .optimizer import Array, Optimizer, Rate, cast, number, optional


class Lamb(TwoMoments):
    """momentum += (gradient - momentum) * (1 - beta_1);
    velocity += (gradient² - velocity) * (1 - beta_2);
    update = momentum / (1 - beta_1ᵗ) / (√(velocity / (1 - beta_2ᵗ)) + epsilon);
    weight -= ‖weight‖ / ‖update‖ * learning_rate * update, at step t = 1, 2, …

    Each layer moves by the same share of its own length. Where either norm is zero, their ratio is
    taken for 1. weight_decay comes before all this, as in Keras; in the paper it is a part of
    update. As in Keras, the betas in the corrections are rounded to float32 on their way to
    float64. You et al. 2019, arXiv:1904.00962.
    """

    elementwise = False

    def update_step(
        self, gradient: Array, weight: Array, learning_rate: Any, momentum: Array, velocity: Array
    ) -> None:
        step = weight.dtype.type(self.iterations + 1)
        beta_1_power = cast(self.beta_1, weight.dtype) ** step
        beta_2_power = cast(self.beta_2, weight.dtype) ** step
        momentum += (gradient - momentum) * (1 - self.beta_1)
        velocity += (np.square(gradient) - velocity) * (1 - self.beta_2)
        velocity_hat = velocity / (1 - beta_2_power)
        update = momentum / (1 - beta_1_power) / (np.sqrt(velocity_hat) + self.epsilon)
        norm, update_norm = np.linalg.norm(weight), np.linalg.norm(update)
        ratio = norm / update_norm if norm > 0 and update_norm > 0 else 1
        weight -= ratio * learning_rate * update


class Adafactor(Optimizer):
    """rows = beta_2 * rows + (1 - beta_2) * mean(gradient² + epsilon_1, over the last axis);
    columns = the same over the last axis but one;
    velocity = rows / mean(rows) * columns;
    update = gradient / √velocity, divided by max(1, rms(update) / clip_threshold);
    weight -= max(epsilon_2, rms(weight)) * min(learning_rate, 1 / √t) * update,
    with beta_2 = 1 - t ** beta_2_decay at step t = 1, 2, … and rms(x) = √mean(x²).

    Two vectors stand for a matrix of averages, which would take as much memory as the weights. A
    weight with fewer than two axes has the whole velocity, an average as in Adam.

    In Keras relative_step changes nothing, since 1 / √t limits the rate without it too, and the
    variables hold every velocity all the same, and two zeros for a weight without rows and columns.
    epsilon_2 is rounded to float32 on its way to float64.
    Shazeer and Stern 2018, arXiv:1804.04235.
    """

    elementwise = False

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 1e-3,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **shared: Any,
    ) -> None:
        super().__init__(learning_rate, **shared)
        self.beta_2_decay: float = number("beta_2_decay", beta_2_decay)
        self.epsilon_1: float = number("epsilon_1", epsilon_1, 0)
        self.epsilon_2: float = number("epsilon_2", epsilon_2, 0)
        self.clip_threshold: float = number("clip_threshold", clip_threshold, 0)
        self.relative_step = relative_step

    def build_slots(self) -> None:
        for weight, slots in zip(self._weights, self._slots, strict=True):
            nothing = np.zeros((), np.int32)
            slots["rows"] = self._add_variable(weight[..., 0] if weight.ndim > 1 else nothing)
            slots["columns"] = self._add_variable(weight[..., 0, :] if weight.ndim > 1 else nothing)
            slots["velocity"] = self._add_variable(weight)

    def update_step(
        self,
        gradient: Array,
        weight: Array,
        learning_rate: Any,
        rows: Array,
        columns: Array,
        velocity: Array,
    ) -> None:
        step = weight.dtype.type(self.iterations + 1)
        beta_2 = 1 - step**self.beta_2_decay
        square = np.square(gradient) + self.epsilon_1
        if weight.ndim < 2:
            _average(velocity, beta_2, square)
        else:
            _average(rows, beta_2, square.mean(axis=-1))
            _average(columns, beta_2, square.mean(axis=-2))
            shares = rows / rows.mean(axis=-1, keepdims=True)
            velocity[...] = shares[..., np.newaxis] * columns[..., np.newaxis, :]
        update = gradient / np.sqrt(velocity)
        update /= max(1, _rms(update) / self.clip_threshold)
        rate = min(learning_rate, 1 / np.sqrt(step))
        weight -= max(cast(self.epsilon_2, weight.dtype), _rms(weight)) * rate * update


def _average(average: Array, beta: Any, x: Array) -> None:
    """average = beta * average + (1 - beta) * x, in place."""
    average *= beta
    average += (1 - beta) * x


def _rms(x: Array) -> Any:
    """The root of the mean of the squares."""
    return np.sqrt(np.mean(np.square(x)))


class Muon(Adam):
    """momentum = self.momentum * momentum + gradient;
    update = orthogonalized(gradient + self.momentum * momentum), or of momentum without nesterov;
    weight -= learning_rate * update * √max(weight.shape) * rms_rate.

    orthogonalized(x) has the singular vectors of x and singular values of about 1, so that a step
    moves all directions alike. That is for matrices: all other weights take Adam's steps with
    adam_beta_1, adam_beta_2, epsilon, adam_weight_decay and adam_lr_ratio * learning_rate, and so
    do matrices whose path has "embedding" in it (exclude_embeddings) or matches one of the regular
    expressions in exclude_layers. ValueError for exclude_layers where build is given no paths.

    As in Keras, the betas in Adam's correction are rounded to float32 on their way to float64.
    Jordan et al. 2024, github.com/KellerJordan/Muon; Liu et al. 2025, arXiv:2502.16982, for
    rms_rate, which makes the step as long as one of Adam's (None: the plain step).
    """

    elementwise = False

    def __init__(
        self,
        learning_rate: Rate = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        *,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.7750,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **shared: Any,
    ) -> None:
        betas = number("adam_beta_1", adam_beta_1, 0, 1), number("adam_beta_2", adam_beta_2, 0, 1)
        super().__init__(learning_rate, *betas, epsilon, weight_decay=weight_decay, **shared)
        self.adam_weight_decay = optional("adam_weight_decay", adam_weight_decay)
        self.exclude_layers = list(exclude_layers or [])
        self.exclude_embeddings = exclude_embeddings
        self.muon_a: float = number("muon_a", muon_a)
        self.muon_b: float = number("muon_b", muon_b)
        self.muon_c: float = number("muon_c", muon_c)
        self.adam_lr_ratio: float = number("adam_lr_ratio", adam_lr_ratio)
        self.momentum: float = number("momentum", momentum, 0, 1)
        self.ns_steps: int = number("ns_steps", ns_steps, 0)
        self.nesterov = nesterov
        self.rms_rate = optional("rms_rate", rms_rate)

    def build_slots(self) -> None:
        if self.exclude_layers and self._paths is None:
            raise ValueError("exclude_layers needs the paths of the weights: build(weights, paths)")
        paths = self._paths or [""] * len(self._weights)
        for weight, slots, path in zip(self._weights, self._slots, paths, strict=True):
            slots["momentum"] = self._add_variable(weight)
            if weight.ndim != 2 or self._is_excluded(path):
                slots["velocity"] = self._add_variable(weight)

    def _is_excluded(self, path: str) -> bool:
        is_embedding = self.exclude_embeddings and "embedding" in path.lower()
        return is_embedding or any(re.search(pattern, path) for pattern in self.exclude_layers)

    def _update_weight(
        self, gradient: Array, weight: Array, learning_rate: Any, slots: dict[str, Array]
    ) -> None:
        decay = self.adam_weight_decay if "velocity" in slots else self.weight_decay
        if decay is not None:
            weight -= weight * cast(decay, weight.dtype) * learning_rate
        self.update_step(gradient, weight, learning_rate, **slots)

    def update_step(
        self,
        gradient: Array,
        weight: Array,
        learning_rate: Any,
        momentum: Array,
        velocity: Array | None = None,
    ) -> None:
        if velocity is not None:
            learning_rate = learning_rate * self.adam_lr_ratio
            super().update_step(gradient, weight, learning_rate, momentum, velocity)
            return
        momentum += gradient + momentum * (self.momentum - 1)
        ahead = gradient + self.momentum * momentum if self.nesterov else momentum
        update = learning_rate * self._orthogonalized(ahead)
        if self.rms_rate is not None:
            update = update * np.sqrt(weight.dtype.type(max(weight.shape))) * self.rms_rate
        weight -= update

    def _orthogonalized(self, x: Array) -> Array:
        """x = a * x + (b * x @ xᵀ + c * (x @ xᵀ)²) @ x, ns_steps times, from x of length 1.

        It takes each singular value s to a * s + b * s³ + c * s⁵, which brings all of them near 1.
        """
        is_tall = x.shape[0] > x.shape[1]
        x = x.T if is_tall else x
        x = x / (np.linalg.norm(x) + 1e-7)
        for _ in range(self.ns_steps):
            gram = x @ x.T
            x = self.muon_a * x + (self.muon_b * gram + self.muon_c * gram @ gram) @ x
        return x.T if is_tall else x
