"""The first step's gradients, judged by the checker: the loss as a function of every weight."""

import copy
from dataclasses import replace
from functools import partial

import numpy as np

from comparisons.gradients import GradientReport
from comparisons.gradients.checks import run
from comparisons.gradients.subject import Subject
from comparisons.gradients.truth import Tape
from comparisons.precision import floatx

from .setup import Task


def check_first_step(task: Task, network, reference) -> GradientReport:
    """The report on scratch's gradients of the first batch's loss, from the initial weights.

    A float64 twin of the reference knows them better than float32 does. A network that draws has
    none, as it would draw other numbers: in float32 it is judged by the reference's own float32,
    as `check_layer` judges a layer that draws.
    """
    x, y = next(task.batches(*next(task.epochs_of_batches())))
    names = network.trainable_paths()
    weights = [weight.copy() for weight in network.trainable_weights]
    positions = range(len(weights))
    subject = Subject(task.experiment.name, partial(_loss, network, x, y), names, positions)
    tape = Tape(_Reference(task, reference, x, y), positions, "the reference")
    return run(subject, tape, weights, task.seed, task.dtype, zero=(), arguments={})


def _loss(network, x, y, *weights):
    """(loss, backward) of a copy of the network with these weights in their places."""
    dtype = np.result_type(*weights)
    state = [kept.astype(dtype) for kept in network.non_trainable_weights]
    old = [*network.trainable_weights, *network.non_trainable_weights]
    places = zip(map(id, old), [*weights, *state], strict=True)
    twin = copy.deepcopy(network, dict(places) | {id(network.optimizer): None})
    loss, _, backward, _ = twin.forward_loss(x, y, None, training=True)
    return loss, backward


class _Reference:
    """The reference's loss of the batch: of the network itself, or of a twin in another dtype."""

    def __init__(self, task: Task, network, x, y):
        self.task, self.x, self.y = task, x, y
        self.networks = {task.dtype: network}

    def __call__(self, *weights):
        network = self._in_dtype(weights[0].dtype.name)
        state = [variable.value for variable in network.non_trainable_variables]
        y_pred, _, penalties = network.stateless_call(
            list(weights), state, self.x, training=True, return_losses=True
        )
        return network._compile_loss(self.y, y_pred) + sum(penalties)

    def _in_dtype(self, dtype: str):
        if dtype not in self.networks:
            self.networks[dtype] = self._twin(dtype)
        return self.networks[dtype]

    def _twin(self, dtype: str):
        """TypeError where it draws random numbers: there is none then."""
        import reference

        original = self.networks[self.task.dtype]
        if any("seed" in variable.path for variable in original.non_trainable_variables):
            raise TypeError(f"in {dtype} the reference draws other random numbers")
        with floatx(dtype):
            twin = replace(self.task, dtype=dtype).network(reference)
        twin.set_weights(original.get_weights())
        return twin
