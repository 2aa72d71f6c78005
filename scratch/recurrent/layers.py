"""Keras's recurrent layers: weights, masks, dropout and states around the scan of a cell."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from scratch import activations, random
from scratch.network.arguments import below_1, positive

from .gates import gru_gates, gru_gates_reset_before, lstm_gates
from .products import by_column, product_with
from .states import RunOfStates
from .steps import scan


class Recurrent(RunOfStates):
    """[hs, *states] = scan(step, x, states): at every step a product with the weights, and a cell.

    As in Keras, a dropout is drawn once for all steps of a batch, in inference too. With a
    recurrent_dropout each gate has masks of its own, of x and of h.
    """

    gates = 1
    zero_output_for_mask = False  # Bidirectional sets it
    activation: Callable
    seed_generator: random.SeedGenerator
    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray | None

    def __init__(
        self,
        units,
        activation,
        use_bias,
        dropout,
        recurrent_dropout,
        return_sequences,
        return_state,
        go_backwards,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = self.width = positive(units, "units")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.dropout = below_1(dropout, "dropout")
        self.recurrent_dropout = below_1(recurrent_dropout, "recurrent_dropout")
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards

    def build(self, input_shape):
        shapes = {
            "kernel": (input_shape[-1], self.gates * self.units),
            "recurrent_kernel": (self.units, self.gates * self.units),
            "bias": self.bias_shape(),
        }
        self.bias = None
        for name in ("kernel", "recurrent_kernel", *(["bias"] if self.use_bias else [])):
            self.add_weight(name=name, shape=shapes[name], **self._choices[name])

    def bias_shape(self):
        return (self.gates * self.units,)

    def check_input(self, x):
        if x.ndim != 3 or x.shape[1] == 0 or x.shape[2] != len(self.kernel):
            raise ValueError(f"{self.name} expects (n, steps, {len(self.kernel)}), not {x.shape}")

    def cell(self, z, *others):
        """(states after a step, backward) of z = x @ kernel + h @ recurrent_kernel + bias.

        others are the states but h; backward gives dz and the list of dothers.
        """
        raise NotImplementedError(f"{type(self).__name__} must define cell(z, *others)")

    def step(self, x_dropouts, h_dropouts):
        """The cell for scan: from x and the states, one product and the layer's own cell."""
        kernels = self.kernel, self.recurrent_kernel
        product = product_with(kernels, self.bias, (x_dropouts, h_dropouts))

        def step(x, h, *others):
            z, backward_product = product(x, h)
            states, backward_cell = self.cell(z, *others)

            def backward(*dstates, needs_dx=True):
                dz, dothers = backward_cell(*dstates)
                (dx, dh), dweights = backward_product(dz, needs_dx)
                return dx, [dh, *dothers], dweights

            return states, backward

        return step

    def weights_in_order(self, dweights):
        """The gradients in the order of weights, from those that the step gives."""
        dkernel, drecurrent, dbias = np.split(dweights, np.cumsum([len(self.kernel), self.units]))
        return [dkernel, drecurrent, *dbias]

    def run(self, x, training, mask, initial_state):
        states = [by_column(state) for state in self.initial_states(x, initial_state)]
        step = self.step(*self.dropouts(x, training))
        mask = self.checked_mask(mask, x)
        (hs, *states), backward_scan = scan(step, by_column(self.in_order(x)), states, mask)
        y, backward_y = self.outputs(hs, mask)

        def backward(dys, needs_dx=True):
            dy, *dlast = dys
            dys = backward_y(dy), *map(by_column, dlast)
            dx, dstates, *dweights = backward_scan(dys, needs_dx)
            gradients = [np.ascontiguousarray(g) for g in self.weights_in_order(*dweights)]
            return (self.in_order_back(dx) if needs_dx else None, *dstates), gradients

        return [y, *states], backward

    def initial_states(self, x, initial_state):
        """The list of states before the first step: zeros unless they are given."""
        shape, count = (len(x), self.units), self.number_of_states
        if initial_state is None:
            return [np.zeros(shape, self.dtype)] * count
        given = initial_state if isinstance(initial_state, list | tuple) else [initial_state]
        states = [self._cast(state) for state in given]
        if [state.shape for state in states] != [shape] * count:
            shapes = ", ".join(str(state.shape) for state in states)
            raise ValueError(f"{self.name} takes {count} initial states of {shape}, not {shapes}")
        return states

    def dropouts(self, x, training):
        """The masks of x and those of h."""
        count = self.gates if self.recurrent_dropout else 1
        rates = (self.dropout, x.shape[-1]), (self.recurrent_dropout, self.units)
        drawn = [self._drawn(rate, (len(x), size), count) for rate, size in rates]
        return drawn if training else [[None], [None]]

    def _drawn(self, rate, shape, count):
        ones, seed = np.ones(shape, self.dtype), self.seed_generator
        if not rate:
            return [None] * count
        return [by_column(random.dropout(ones, rate, seed=seed)[0]) for _ in range(count)]

    def in_order(self, x):
        """x with its steps in front, the last one first with go_backwards."""
        return x.swapaxes(0, 1)[:: -1 if self.go_backwards else 1]

    def in_order_back(self, dsteps):
        return np.stack(dsteps[:: -1 if self.go_backwards else 1], axis=1)

    def checked_mask(self, mask, x):
        if mask is None:
            return None
        if np.shape(mask) != x.shape[:2]:
            raise ValueError(f"{self.name}: a mask of {x.shape[:2]}, not {np.shape(mask)}")
        return self.in_order(np.asarray(mask, bool))

    def outputs(self, hs, mask):
        """(y, backward): h after the last step, or with return_sequences after every step.

        As in Keras, y is zero until a sample's first step, whatever its initial state.
        """
        ys = np.stack(hs if self.return_sequences else hs[-1:])
        if mask is not None:
            seen = mask if self.zero_output_for_mask else np.logical_or.accumulate(mask)
            seen = seen[-len(ys) :, :, np.newaxis]
            ys = np.where(seen, ys, 0)

        def backward(dy):
            dys = by_column(dy.swapaxes(0, 1) if self.return_sequences else dy[np.newaxis])
            dhs = dys if mask is None else np.where(seen, dys, 0)
            return [*[0.0] * (len(hs) - len(dhs)), *dhs]

        return ys.swapaxes(0, 1) if self.return_sequences else ys[0], backward


class SimpleRNN(Recurrent):
    """h = activation(x @ kernel + bias + h @ recurrent_kernel), step by step; y is the last h.

    x (n, steps, i), kernel (i, units), recurrent_kernel (units, units), bias (units,). Keras takes
    an activity_regularizer here and forgets it; scratch does not take it. Source: Elman (1990).
    """

    def another(self, **changes):
        """Without the seed, which Keras's copies of this layer, but not of others, forget."""
        return super().another(seed=None, **changes)

    def __init__(
        self,
        units,
        activation="tanh",
        use_bias=True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout=0.0,
        recurrent_dropout=0.0,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        seed=None,
        **kwargs,
    ):
        outputs = return_sequences, return_state, go_backwards
        super().__init__(
            units, activation, use_bias, dropout, recurrent_dropout, *outputs, **kwargs
        )
        self.seed_generator = random.SeedGenerator(seed)
        self.choose("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        recurrent = recurrent_initializer, recurrent_regularizer, recurrent_constraint
        self.choose("recurrent_kernel", *recurrent)
        self.choose("bias", bias_initializer, bias_regularizer, bias_constraint)

    def cell(self, z):
        h, backward_h = self.activation(z)
        return [h], lambda dh: (backward_h(dh), [])


class LSTM(Recurrent):
    """h, c = lstm_gates(x @ kernel + bias + h @ recurrent_kernel, c) of each step; y the last h.

    x (n, steps, i), kernel (i, 4 units), recurrent_kernel (units, 4 units), bias (4 units,), all
    with columns in the order i f g o. The states are h and c. unit_forget_bias starts the bias of f
    at 1, so that c is kept at first. Source: see lstm_gates; for that bias, Jozefowicz (2015).
    """

    gates = 4
    number_of_states = 2

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias=True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        **kwargs,
    ):
        outputs = return_sequences, return_state, go_backwards
        rates = dropout, recurrent_dropout
        kwargs["activity_regularizer"] = activity_regularizer
        super().__init__(units, activation, use_bias, *rates, *outputs, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.choose("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        recurrent = recurrent_initializer, recurrent_regularizer, recurrent_constraint
        self.choose("recurrent_kernel", *recurrent)
        self.choose("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.seed_generator = random.SeedGenerator(seed)
        if unit_forget_bias:
            bias = self._choices["bias"]
            bias["initializer"] = _with_forget_bias(bias["initializer"])

    def cell(self, z, c):
        states, backward_gates = lstm_gates(z, c, self.activation, self.recurrent_activation)

        def backward(*dstates):
            dz, dc = backward_gates(dstates)
            return dz, [dc]

        return states, backward


def _with_forget_bias(initializer):
    """The initializer for i, g and o, ones for f."""

    def bias(shape, dtype=None):
        units = shape[0] // 4
        rest = initializer((units,), dtype), initializer((2 * units,), dtype)
        return np.concatenate([rest[0], np.ones(units, dtype), rest[1]])

    return bias


class GRU(Recurrent):
    """h = gru_gates(x @ kernel + bias[0], h @ recurrent_kernel + bias[1], h); y the last h.

    x (n, steps, i), kernel (i, 3 units), recurrent_kernel (units, 3 units), bias (2, 3 units), all
    with columns in the order z r g. With reset_after=False it is gru_gates_reset_before, and bias
    is (3 units,), all of it added to x @ kernel. Source: Cho et al. (2014).
    """

    gates = 3

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        reset_after=True,
        **kwargs,
    ):
        outputs = return_sequences, return_state, go_backwards
        rates = dropout, recurrent_dropout
        kwargs["activity_regularizer"] = activity_regularizer
        super().__init__(units, activation, use_bias, *rates, *outputs, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after
        self.choose("kernel", kernel_initializer, kernel_regularizer, kernel_constraint)
        recurrent = recurrent_initializer, recurrent_regularizer, recurrent_constraint
        self.choose("recurrent_kernel", *recurrent)
        self.choose("bias", bias_initializer, bias_regularizer, bias_constraint)
        self.seed_generator = random.SeedGenerator(seed)

    def bias_shape(self):
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def step(self, x_dropouts, h_dropouts):
        gates, recurrent_kernel, (bias, recurrent_bias), h_dropouts = self.recurrence(h_dropouts)
        product_x = product_with([self.kernel], bias, [x_dropouts])
        product_h = product_with([recurrent_kernel], recurrent_bias, [h_dropouts])

        def step(x, h):
            (z, backward_x), (inner, backward_h) = product_x(x), product_h(h)
            h, backward_gates = gates(z, inner, h)

            def backward(dh, needs_dx=True):
                dz, dinner, dh, *dcandidate = backward_gates(dh)
                [dx], dweights = backward_x(dz, needs_dx)
                [more], drecurrent = backward_h(dinner)
                return dx, [dh + more], dweights, drecurrent, *dcandidate

            return [h], backward

        return step

    def recurrence(self, dropouts):
        """The gates, and of h @ recurrent_kernel: the kernel, both biases, and the dropouts."""
        chosen = {
            "activation": self.activation,
            "recurrent_activation": self.recurrent_activation,
        }
        if self.reset_after:
            biases = (None, None) if self.bias is None else self.bias
            return partial(gru_gates, **chosen), self.recurrent_kernel, biases, dropouts
        kernel, candidate = np.split(self.recurrent_kernel, [2 * self.units], axis=1)
        chosen |= {"recurrent_kernel": candidate, "mask": dropouts[-1]}
        return partial(gru_gates_reset_before, **chosen), kernel, (self.bias, None), dropouts[:2]

    def weights_in_order(self, dweights, drecurrent, *dcandidate):
        dkernel, dbias = np.split(dweights, [len(self.kernel)])
        drecurrent, dbias_of_h = np.split(drecurrent, [self.units])
        dbias = [*dbias, *dbias_of_h]
        drecurrent = np.concatenate([drecurrent, *dcandidate], axis=1)
        return [dkernel, drecurrent, *([np.reshape(dbias, self.bias_shape())] if dbias else [])]
