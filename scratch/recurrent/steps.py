"""Backpropagation through time: the same cell at every step, and the way back through all steps."""

import numpy as np


def scan(cell, xs, states, mask=None):
    """states = cell(x, *states) for each x of xs. The value is [hs, *states].

    hs lists h, the first of the states, after every step; the states are the last. Where mask
    (steps, n) is False, a sample keeps its states.

    cell returns (states, backward), and its backward(*dstates, needs_dx) gives dx, the list of
    dstates, and the gradients of weights. That of scan gives the dx of every step, the list of
    dstates, and the gradients of weights. Source: Werbos, Backpropagation Through Time (1990).
    """
    hs, backwards = [], []
    for t, x in enumerate(xs):
        cell_t = cell if mask is None else _masked(cell, mask[t, :, np.newaxis])
        states, backward_t = cell_t(x, *states)
        hs.append(states[0])
        backwards.append(backward_t)

    def backward(dys, needs_dx=True):
        dhs, *dstates = dys
        dxs, gradients = [], []
        for backward_t, dh_t in zip(reversed(backwards), reversed(dhs), strict=True):
            # a loss sees h at every step, and the next step sees it too
            dx, dstates, *more = backward_t(dstates[0] + dh_t, *dstates[1:], needs_dx=needs_dx)
            dxs.append(dx)
            # each step has the same weights, whose gradients add up
            gradients = gradients or [np.zeros_like(each) for each in more]
            for total, each in zip(gradients, more, strict=True):
                total += each
        return dxs[::-1], dstates, *gradients

    return [hs, *states], backward


def _masked(cell, mask):
    """The cell, except that samples whose mask is False keep their states."""

    def masked_cell(x, *states):
        new, backward = cell(x, *states)
        kept = [np.where(mask, after, before) for after, before in zip(new, states, strict=True)]

        def masked_backward(*dkept, needs_dx=True):
            dnew = (np.where(mask, d, 0) for d in dkept)
            dx, dstates, *dweights = backward(*dnew, needs_dx=needs_dx)
            passed = (np.where(mask, 0, d) for d in dkept)
            return dx, [a + b for a, b in zip(dstates, passed, strict=True)], *dweights

        return kept, masked_backward

    return masked_cell
