"""Lock step: every step again from the reference's own weights and slots, judged alone."""

from dataclasses import dataclass, replace

import numpy as np

from comparisons.results import LockStep

from .kinks import flips, following, kinks, received, received_by_reference
from .rounding import apart, differing, largest, outcome, outcome_noise
from .state import State

LIMIT = 16.0  # what correct runs were seen to reach is in CONTRIBUTING.md
STALE = LIMIT / 4  # above it the noise, which was measured in an earlier step, is measured anew
MOST_CAUSES = 3


@dataclass(frozen=True)
class ReferenceStep:
    """One step of the reference: the states before and after, and its outcome on the batch."""

    x: np.ndarray
    y: np.ndarray
    before: State
    outcome: list[np.ndarray]
    after: State


class LockStepJudge:
    """Holds a scratch network to the reference's steps.

    Each step is judged twice: the loss, gradients and moving averages that scratch computes from
    the reference's state, and the weights and slots that scratch's optimizer makes of the
    reference's gradients, so that no error of one hides behind the other's. Errors count in units
    of what rounding explains; more than LIMIT of them is a mismatch unless a flip accounts for it,
    of a ReLU or of the largest in a window. Seed generators have to advance alike.
    """

    def __init__(self, network, reference, seed: int):
        self.network = network
        self.reference = reference
        self.seed = seed
        paths, self.trained = network.weight_paths(), network.trainable_paths()
        self.names = ["loss", *self.trained, *(path for path in paths if path not in self.trained)]
        self.places = [paths.index(path) for path in self.trained]
        self.noise: list[float] = []
        # the learning rate, where it is a number, is scratch's own: only weights and slots go over
        self.rate = [v.copy() for v in network.optimizer.variables[1:2] if v.ndim == 0]
        self.worst = (0.0, 0, "")
        self.flips = 0
        self.causes: list[str] = []

    def judge(self, number: int, step: ReferenceStep) -> None:
        iterations, *others = step.before.optimizer
        variables = [iterations, *self.rate, *others[len(self.rate) :]]
        step = replace(step, before=replace(step.before, optimizer=variables))
        computed = self._outcome(step)
        self._judge_draws(number, step)
        self._judge_update(number, step)
        self._judge_outcome(number, computed, step)

    def _outcome(self, step):
        return outcome(self.network, step.before, step.x, step.y)

    def _judge_draws(self, number, step):
        rows = zip(
            self.network.seed_paths(), self.network.seed_states, step.after.seeds, strict=True
        )
        for name, here, there in rows:
            if not np.array_equal(here, there):
                self._record(float("inf"), number, name)
                self._blame(f"step {number}: {name} goes on to {here}, not {there}")

    def _judge_outcome(self, number, computed, step):
        if not self._have_the_right_shapes(number, computed, step):
            return
        ratios, errors = self._ratios(computed, step)
        if max(ratios) > STALE and len(self.causes) < MOST_CAUSES:
            self.noise = self._measured_noise(step)
            ratios, errors = self._ratios(computed, step)
            if max(ratios) > LIMIT and (flipped := self._ratios_on_the_reference_side(step)):
                self.flips += 1
                ratios = flipped
        worst = int(np.argmax(ratios))
        self._record(ratios[worst], number, self.names[worst])
        if ratios[worst] > LIMIT:
            self._blame(
                f"step {number}: {self._what(self.names[worst])} is off by {errors[worst]:.1e}, "
                f"{ratios[worst]:.1e} times what rounding explains"
            )

    def _have_the_right_shapes(self, number, computed, step):
        rows = zip(self.names, computed, step.outcome, strict=True)
        wrong = [(name, c.shape, r.shape) for name, c, r in rows if c.shape != r.shape]
        for name, given, expected in wrong:
            self._record(float("inf"), number, name)
            self._blame(f"step {number}: {self._what(name)} has shape {given}, not {expected}")
        return not wrong

    def _ratios(self, computed, step):
        """By array of the outcome, how far it is off, in units of its noise and absolutely."""
        if not self.noise:
            self.noise = self._measured_noise(step)
        errors = [apart(c, r) for c, r in zip(computed, step.outcome, strict=True)]
        return [_ratio(e, n) for e, n in zip(errors, self.noise, strict=True)], errors

    def _measured_noise(self, step):
        return outcome_noise(self.network, step.before, step.x, step.y, self.seed)

    def _ratios_on_the_reference_side(self, step):
        """The ratios with the units passing ReLUs and max poolings that pass in the reference.

        None where they are the same.
        """
        there = received_by_reference(self.reference, step.before, step.x)
        here = received(self.network, step.before, step.x)
        if not flips(kinks(self.network), here, there):
            return None
        with following(self.network, there):
            return self._ratios(self._outcome(step), step)[0]

    def _judge_update(self, number, step):
        ratios = self._update_ratios(step)
        worst = max(ratios, key=ratios.__getitem__)
        self._record(ratios[worst], number, worst)
        if ratios[worst] > LIMIT:
            self._blame(
                f"step {number}: from the same gradient the optimizer moves {worst} differently, "
                f"by {ratios[worst]:.1e} times what rounding explains"
            )

    def _update_ratios(self, step):
        """By trained weight and by variable of the optimizer, how far its update is off."""
        self.network.apply_gradients(step.outcome[1 : 1 + len(self.trained)])
        moved = [*self.network.trainable_weights, *self.network.optimizer.variables]
        names = [*self.trained, *(f"slot {i}" for i in range(len(moved)))]
        before, after = (
            [*(state.weights[place] for place in self.places), *state.optimizer]
            for state in (step.before, step.after)
        )
        rows = zip(names, moved, after, before, strict=False)
        return {name: _update_ratio(*arrays) for name, *arrays in rows}

    def _what(self, name):
        if name == "loss":
            return "the loss"
        return f"the gradient of {name}" if name in self.trained else f"the new {name}"

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
    differs = differing(here, there)
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
    return error / noise if noise and np.isfinite(error) else float("inf")
