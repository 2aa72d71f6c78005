"""Backpropagation through time: the same cell at every step, and the way back through all steps."""

import numpy as np

from .products import NO_MASKS, project, project_back, weight_gradients


def scan(cell, z, states, recurrent_kernel, mask=None, dropouts=NO_MASKS):
    """states = cell(z[t], h @ recurrent_kernel, *states) for each step t, where h is states[0].

    z (t, n, k) is what each step gets of its input. The value is [hs, *states]: h after every step,
    (t, n, u), and the last states. Where mask (t, n) is False, a sample keeps its states; dropouts
    are masks of h (n, u), one for all gates or one for each.

    cell returns (states, backward), and its backward dz, dinner, the list of dstates, and gradients
    of weights of its own. That of scan gives dz, the list of dstates, drecurrent_kernel, and those
    of the cell's weights. Source: Werbos, Backpropagation Through Time (1990).
    """
    cells = [cell] * len(z) if mask is None else [_masked(cell, m[:, np.newaxis]) for m in mask]
    hs, backwards = [states[0]], []
    for cell_t, z_t in zip(cells, z, strict=True):
        inner = project(states[0], recurrent_kernel, masks=dropouts)
        states, backward_t = cell_t(z_t, inner, *states)
        hs.append(states[0])
        backwards.append(backward_t)
    hs = np.stack(hs)

    def backward(dys):
        dhs, *dstates = dys
        gradients = []
        for backward_t, dh_t in zip(reversed(backwards), reversed(dhs), strict=True):
            # a loss sees h at every step, and the next step sees it too
            dz, dinner, dstates, *dweights = backward_t(dstates[0] + dh_t, *dstates[1:])
            dstates[0] = dstates[0] + project_back(dinner, recurrent_kernel, dropouts)
            gradients.append((dz, dinner, *dweights))
        dzs, dinners, *dweights = zip(*reversed(gradients), strict=True)
        dz = np.stack(dzs)
        dinner = dz if dinners[0] is dzs[0] else np.stack(dinners)
        # what was before each step, times what came back to it, for all steps in one product
        drecurrent = weight_gradients(hs[:-1], dinner, masks=dropouts)
        return dz, dstates, *drecurrent, *map(sum, dweights)

    return [hs[1:], *states], backward


def _masked(cell, mask):
    """The cell, except that samples whose mask is False keep their states."""

    def masked_cell(z, inner, *states):
        new, backward = cell(z, inner, *states)
        kept = [np.where(mask, after, before) for after, before in zip(new, states, strict=True)]

        def masked_backward(*dkept):
            dz, dinner, dstates, *dweights = backward(*(np.where(mask, d, 0) for d in dkept))
            passed = (np.where(mask, 0, d) for d in dkept)
            return dz, dinner, [a + b for a, b in zip(dstates, passed, strict=True)], *dweights

        return kept, masked_backward

    return masked_cell
