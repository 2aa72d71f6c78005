"""Branches: layers side by side, each with an input of its own or all with one, and then merged."""

import functools

import numpy as np

from .network import Layer
from .network.layer import without_gradients


class Branches(Layer):
    """y = merge([layer(x_i) for each of the layers]), for a list x of one input for each layer.

    Where x is one array, all layers see it, and dx is the sum of what comes back from them. merge
    is a layer that takes a list, such as Concatenate(); it says what becomes of the masks of its
    inputs. ValueError for another number of inputs.
    """

    takes_list = True

    def __init__(self, layers, merge, **kwargs):
        super().__init__(**kwargs)
        if self.activity_regularizer is not None:
            raise ValueError("Branches has no activity_regularizer: y is merge's, give it to merge")
        for layer in [*layers, merge]:
            self._hold(layer)
        *self.branches, self.merge = self.layers
        if not self.branches:
            raise ValueError("Branches takes at least one layer besides merge")

    def build(self, input_shape):
        shapes = self._one_each(input_shape)
        for branch, shape in zip(self.branches, shapes, strict=True):
            branch.ensure_built(shape)
        self.merge.ensure_built(self._merged_shapes(input_shape))

    def compute_output_shape(self, input_shape):
        return self.merge.compute_output_shape(self._merged_shapes(input_shape))

    def _merged_shapes(self, input_shape):
        pairs = zip(self.branches, self._one_each(input_shape), strict=True)
        return [branch.compute_output_shape(shape) for branch, shape in pairs]

    def _one_each(self, x):
        """The inputs, or their shapes, one for each branch."""
        given = x if isinstance(x, list) else [x] * len(self.branches)
        if len(given) != len(self.branches):
            expected = f"{len(self.branches)} inputs, one for each branch, or one array for all"
            raise ValueError(f"{self.name} takes {expected}, not {len(given)} inputs")
        return given

    def call(self, x, training=False, mask=None):
        y, _, backward, _ = self._merged(x, training, mask)
        return y, lambda dy, needs_dx=True: backward(dy, 0.0, needs_dx)

    def penalized_forward(self, x, training=False, mask=None):
        """(y, penalty, backward, mask of y), penalty the sum of those of all layers inside."""
        y, penalty, backward, mask = self._merged(self.prepare(x), training, mask)
        return y, penalty, backward if self.trainable else without_gradients(backward), mask

    def _merged(self, x, training, mask):
        """penalized_forward, of inputs that are prepared."""
        inputs = zip(self._one_each(x), self._one_each(mask), strict=True)
        pairs = zip(self.branches, inputs, strict=True)
        runs = [branch.penalized_forward(part, training, seen) for branch, (part, seen) in pairs]
        ys, penalties, backwards, masks = zip(*runs, strict=True)
        mask = None if all(mask is None for mask in masks) else list(masks)
        y, penalty, backward_merge, mask = self.merge.penalized_forward(list(ys), training, mask)

        def backward(dy, dpenalty, needs_dx=True):
            dys, of_merge = backward_merge(dy, dpenalty)
            ways = zip(self.branches, backwards, dys, strict=True)
            parts = [_back(*way, dpenalty, needs_dx) for way in ways]
            dxs, of_branches = zip(*parts, strict=True)
            dx = list(dxs) if isinstance(x, list) else _sum(dxs)
            gradients = [each for part in (*of_branches, of_merge) for each in part]
            return dx if needs_dx else None, gradients

        return y, sum(penalties, penalty), backward, mask


def _back(branch, backward, dy, dpenalty, needs_dx):
    """(dx, gradients) of a branch; without needs_dx, its gradients alone, where it has any."""
    if needs_dx:
        return backward(dy, dpenalty)
    return backward(dy, dpenalty, needs_dx=False) if branch.trainable_weights else (None, [])


def _sum(dxs):
    """dx1 + dx2 + …, of the branches whose input has a gradient."""
    given = [dx for dx in dxs if dx is not None]
    return functools.reduce(np.add, given) if given else None
