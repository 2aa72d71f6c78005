"""Layers called in turn, and their backwards in reverse; some of them shard by shard, on threads.

NumPy adds and compares on one core, however many there are; and what one layer makes of a shard is
still in the cache when the next layer takes it.
"""

import contextvars
import functools
import itertools
import math
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from scratch import activations


def chain(layers, forwards, x, training, mask=None):
    """(y, penalty, backward, mask) of y = forwards[-1](… forwards[0](x)), those of the layers.

    The penalty is the sum of theirs. Of backward(dy, dpenalty, needs_dx=False), dx is None. Each
    layer gets the mask of the one before, the first that of x; the mask returned is that of y.
    """
    links = []
    for by_sample, run in itertools.groupby(zip(layers, forwards, strict=True), _is_by_sample):
        run_of_layers, steps = zip(*run, strict=True)
        trains = [bool(layer.trainable_weights) for layer in run_of_layers]
        sizes = [layer.shard for layer in run_of_layers if layer.shard]
        if by_sample and sizes:
            in_turn = functools.partial(_in_turn, list(zip(trains, steps, strict=True)))
            trains, steps = [any(trains)], [functools.partial(_by_shards, in_turn, min(sizes))]
        links += zip(trains, steps, strict=True)
    return _in_turn(links, x, training, mask)


def _is_by_sample(pair):
    """Whether a layer takes shards of a batch: functions put into it might mix samples."""
    layer, _ = pair
    is_known = layer.activation is None or layer.activation in activations._FUNCTIONS
    is_known = is_known and "pool" not in vars(layer)
    return layer.by_sample and is_known and layer.activity_regularizer is None


def _in_turn(links, x, training, mask):
    """chain, of links (whether it has weights to train, forward)."""
    backwards, penalties = [], 0.0
    for _, forward in links:
        x, penalty, backward, mask = forward(x, training, mask)
        backwards.append(backward)
        penalties = penalties + penalty
    first = next((place for place, (trains, _) in enumerate(links) if trains), len(links))

    def backward(dy, dpenalty, needs_dx=True):
        gradients = []
        for place in reversed(range(0 if needs_dx else first, len(links))):
            needs = {} if needs_dx or place > first else {"needs_dx": False}
            dy, layer_gradients = backwards[place](dy, dpenalty, **needs)
            gradients = layer_gradients + gradients
        return dy if needs_dx else None, gradients

    return x, penalties, backward, mask


def _by_shards(forward, size, x, training, mask):
    """(y, 0.0, backward, mask) of forward(x, training, mask), from shards of `size` at most.

    They are all but equal and even in number, so that two threads end together. Their gradients
    are summed in one order, so that the number of threads does not change a bit.
    """
    number = 2 * math.ceil(len(x) / size / 2) if len(x) > size else 1
    masks = [None] * number if mask is None else np.array_split(mask, number)
    shards = list(zip(np.array_split(x, number), masks, strict=True))
    parts = _shared_out(lambda shard: forward(shard[0], training, shard[1]), shards)
    ys, _, backwards, masks = zip(*parts, strict=True)

    def backward(dy, dpenalty, needs_dx=True):
        shards = list(zip(backwards, np.array_split(dy, number), strict=True))
        parts = _shared_out(lambda shard: shard[0](shard[1], dpenalty, needs_dx), shards)
        dxs, gradients = zip(*parts, strict=True)
        total = [functools.reduce(np.add, each) for each in zip(*gradients, strict=True)]
        return np.concatenate(dxs) if needs_dx else None, total

    mask = None if masks[0] is None else np.concatenate(masks)
    return np.concatenate(ys), 0.0, backward, mask


def _shared_out(function, shards):
    """[function(shard) for shard in shards], on as many threads as BLAS would take for itself.

    This thread is one of them. BLAS keeps to one thread meanwhile: its own wait for each other at
    every product, which takes many times longer than the product where another process has the
    second core.
    """
    blas = _blas()
    cores = max((library.num_threads for library in blas.lib_controllers), default=1)
    others = min(cores, len(shards)) - 1
    if not others:
        return [function(shard) for shard in shards]
    results, waiting = [None] * len(shards), enumerate(shards)

    def work():  # each thread takes the next shard that waits
        for place, shard in waiting:
            results[place] = function(shard)

    submit = _threads(cores - 1, os.getpid()).submit
    with blas.limit(limits=1):
        # each in a copy of this thread's context, which holds its np.errstate
        tasks = [submit(contextvars.copy_context().run, work) for _ in range(others)]
        work()
        for task in tasks:
            task.result()
    return results


@functools.cache
def _threads(number, process):
    """Those of one process: what is forked from it has none."""
    return ThreadPoolExecutor(number)


@functools.cache
def _blas():
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")
