"""Lock step: every step again from the reference's own weights and slots, judged alone."""

from dataclasses import dataclass

import numpy as np

from comparisons.results import LockStep

from .kinks import flips, following, preactivations, reference_preactivations
from .rounding import gradient_noise, largest, loss_and_gradients

LIMIT = 16.0  # correct runs stay below 5: see CONTRIBUTING.md
MOST_CAUSES = 3


@dataclass(frozen=True)
class ReferenceStep:
    """One step of the reference: the state before, the batch's loss and gradients, the state after.

    A state is (weights, variables of the optimizer), as lists of arrays.
    """

    x: np.ndarray
    y: np.ndarray
    before: tuple[list[np.ndarray], list[np.ndarray]]
    loss_and_gradients: list[np.ndarray]
    after: tuple[list[np.ndarray], list[np.ndarray]]


class LockStepJudge:
    """Holds a scratch network to the reference's steps.

    Each step is judged twice: the loss and gradients that scratch computes from the reference's
    weights, and the weights and slots that scratch's optimizer makes of the reference's gradients,
    so that no error of one hides behind the other's. Errors count in units of what rounding
    explains; more than LIMIT of them is a mismatch unless a ReLU flip accounts for it.
    """

    def __init__(self, network, reference, seed: int):
        self.network = network
        self.reference = reference
        self.seed = seed
        self.names = ["loss", *network.trainable_paths()]
        self.noise: list[float] = []
        # the learning rate, where it is a number, is scratch's own: only weights and slots go over
        self.rate = [v.copy() for v in network.optimizer.variables[1:2] if v.ndim == 0]
        self.worst = (0.0, 0, "")
        self.flips = 0
        self.causes: list[str] = []

    def judge(self, number: int, step: ReferenceStep) -> None:
        weights, variables = step.before
        self.network.set_weights(weights)
        slots = variables[1 + len(self.rate) :]
        self.network.optimizer.set_weights([variables[0], *self.rate, *slots])
        self._judge_gradients(number, step)
        self._judge_update(number, step)

    def _judge_gradients(self, number, step):
        computed = loss_and_gradients(self.network, step.x, step.y)
        if not self._have_the_right_shapes(number, computed, step):
            return
        ratios, errors = self._gradient_ratios(computed, step)
        if max(ratios) > LIMIT and len(self.causes) < MOST_CAUSES:
            self.noise = gradient_noise(self.network, step.x, step.y, self.seed)
            ratios, errors = self._gradient_ratios(computed, step)
            if max(ratios) > LIMIT and (flipped := self._ratios_on_the_reference_side(step)):
                self.flips += 1
                ratios = flipped
        worst = int(np.argmax(ratios))
        self._record(ratios[worst], number, self.names[worst])
        if ratios[worst] > LIMIT:
            self._blame(
                f"step {number}: {_what(self.names[worst])} is off by {errors[worst]:.1e}, "
                f"{ratios[worst]:.1e} times what rounding explains"
            )

    def _have_the_right_shapes(self, number, computed, step):
        rows = zip(self.names, computed, step.loss_and_gradients, strict=True)
        wrong = [(name, c.shape, r.shape) for name, c, r in rows if c.shape != r.shape]
        for name, given, expected in wrong:
            self._record(float("inf"), number, name)
            self._blame(f"step {number}: {_what(name)} has shape {given}, not {expected}")
        return not wrong

    def _gradient_ratios(self, computed, step):
        if not self.noise:
            self.noise = gradient_noise(self.network, step.x, step.y, self.seed)
        errors = [largest(c - r) for c, r in zip(computed, step.loss_and_gradients, strict=True)]
        return [_ratio(e, n) for e, n in zip(errors, self.noise, strict=True)], errors

    def _ratios_on_the_reference_side(self, step):
        """The ratios with every ReLU on the reference's side of zero; None where none differs."""
        there = reference_preactivations(self.reference, step.before[0], step.x)
        if not flips(preactivations(self.network, step.x), there):
            return None
        with following(self.network, there):
            computed = loss_and_gradients(self.network, step.x, step.y)
        return self._gradient_ratios(computed, step)[0]

    def _judge_update(self, number, step):
        gradients = step.loss_and_gradients[1:]
        ratios = self._update_ratios(step, gradients)
        worst = max(ratios, key=ratios.__getitem__)
        self._record(ratios[worst], number, worst)
        if ratios[worst] > LIMIT:
            self._blame(
                f"step {number}: from the same gradient the optimizer moves {worst} differently, "
                f"by {ratios[worst]:.1e} times what rounding explains"
            )

    def _update_ratios(self, step, gradients):
        """By weight and by variable of the optimizer, how far its update is off."""
        self.network.apply_gradients(gradients)
        moved = [*self.network.weights, *self.network.optimizer.variables]
        names = [*self.network.weight_paths(), *(f"slot {i}" for i in range(len(moved)))]
        before, after = ([*weights, *variables] for weights, variables in (step.before, step.after))
        rows = zip(names, moved, after, before, strict=False)
        return {name: _update_ratio(*arrays) for name, *arrays in rows}

    def _record(self, ratio, number, name):
        if ratio > self.worst[0]:
            self.worst = (ratio, number, name)

    def _blame(self, cause):
        if len(self.causes) < MOST_CAUSES:
            self.causes.append(cause)

    def result(self) -> LockStep:
        ratio, step, tensor = self.worst
        return LockStep(ratio, step, tensor, self.flips, LIMIT)


def _update_ratio(here, there, before):
    """The largest error of an update in units in the last place of old, new and move."""
    differs = here != there
    if not differs.any():
        return 0.0
    if there.dtype.kind == "i":
        return float("inf")
    here, there, before = here[differs], there[differs], before[differs]
    limits = np.finfo(there.dtype)
    noise = limits.eps / 2 * (np.abs(before) + np.abs(there) + np.abs(there - before))
    return largest((here - there) / np.maximum(noise, limits.tiny))


def _ratio(error, noise):
    if error == 0.0:
        return 0.0
    return error / noise if noise else float("inf")


def _what(name):
    return "the loss" if name == "loss" else f"the gradient of {name}"
