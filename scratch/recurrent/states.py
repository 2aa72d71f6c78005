"""What layers with states have in common: states that may be given, and states that may be kept."""

from collections.abc import Callable
from typing import Any

import numpy as np

from scratch.network import Layer


class RunOfStates(Layer):
    """[*ys, *states] = run(x, …): y, and the last states with return_state.

    A layer keeps the arguments that it was made with, so that Bidirectional can make another.
    """

    units: int
    width: int
    return_sequences: bool
    return_state: bool
    number_of_outputs = 1
    number_of_states = 1
    made_with: tuple[tuple, dict[str, Any]] = (), {}

    def __new__(cls, *args, **kwargs):
        layer = super().__new__(cls)
        layer.made_with = args, kwargs
        return layer

    def another(self, **changes):
        """A layer of the same settings but for the changes, with weights and seeds of its own."""
        args, kwargs = self.made_with
        copies = {k: getattr(v, "clone", lambda v=v: v)() for k, v in kwargs.items()}
        return type(self)(*args, **{**copies, **changes})

    def run(self, x, training, mask, initial_state) -> tuple[list, Callable]:
        """([*ys, *states], backward), whose backward gives (dx, *dstates) and the gradients."""
        raise NotImplementedError(f"{type(self).__name__} must define run")

    def call(self, x, training=False, mask=None, initial_state=None):
        """y, or [y, *states] with return_state; dx is (dx, *dstates) of an initial_state."""
        values, backward_run = self.run(x, training, mask, initial_state)

        def backward(dys, needs_dx=True):
            dys = list(dys) if isinstance(dys, list | tuple) else [dys]
            unseen = [np.zeros_like(value) for value in values[len(dys) :]]
            dx, gradients = backward_run([*dys, *unseen], needs_dx)
            return dx[0] if initial_state is None else dx, gradients

        return self._returned(values), backward

    def compute_mask(self, inputs, mask=None):
        """The mask of x for sequences; the last h and the states have none."""
        if mask is None or not self.return_sequences:
            return None
        return self._returned([mask] * self.number_of_outputs + [None] * self.number_of_states)

    def _returned(self, values):
        """What is returned of [*ys, *states]: all with return_state, else the ys."""
        ys = values[: self.number_of_outputs]
        return values if self.return_state else ys if len(ys) > 1 else ys[0]

    def compute_output_shape(self, input_shape):
        n, steps = input_shape[:2]
        y = (n, steps, self.width) if self.return_sequences else (n, self.width)
        states = [(n, self.units)] * self.number_of_states
        return self._returned([*[y] * self.number_of_outputs, *states])
