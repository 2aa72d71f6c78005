"""The networks that the experiments train: layer by layer the same on both sides."""

import keras
import numpy as np
import pytest

import reference
import scratch
from comparisons.experiments import EXPERIMENTS

ARGUMENTS = {
    "plain": {},
    "dropout": {"dropout": 0.2},
    "batch normalization": {"batch_normalization": True},
    "both": {"dropout": 0.2, "batch_normalization": True, "decay": 0.1},
}


def both(model, *arguments, **settings):
    keras.utils.clear_session()
    for side in (scratch, reference):
        side.random.set_random_seed(3)
        yield getattr(side.models, model)(*arguments, **settings)


@pytest.mark.parametrize("model", sorted({experiment.model for experiment in EXPERIMENTS}))
def test_layers_are_the_same_on_both_sides(model):
    here, there = both(model, 2 if model == "moons" else 64)
    assert [layer.name for layer in here.layers] == [layer.name for layer in there.layers]
    assert [w.shape for w in here.weights] == [tuple(w.shape) for w in there.weights]


@pytest.mark.parametrize("case", ARGUMENTS)
def test_the_deep_network_starts_alike_with_all_that_may_stand_in_it(case):
    here, there = both("deep", 64, layers=2, **ARGUMENTS[case])
    assert [layer.name for layer in here.layers] == [layer.name for layer in there.layers]
    assert all(map(np.array_equal, here.weights, there.get_weights()))
    seeds = [np.asarray(v) for v in there.non_trainable_variables if "seed" in v.path]
    assert np.array_equal(here.seed_states, seeds)
    assert len(seeds) == 2 * ("dropout" in ARGUMENTS[case])


def test_what_stands_between_the_sums_and_a_relu_takes_their_bias():
    names = [layer.name for layer in scratch.models.deep(64, 1, dropout=0.2).layers]
    assert names == ["dense", "dropout", "dense_1"]
    normalized = scratch.models.deep(64, 1, dropout=0.2, batch_normalization=True)
    names = [layer.name for layer in normalized.layers]
    assert names == ["dense", "batch_normalization", "activation", "dropout", "dense_1"]
    assert "dense/bias" not in normalized.weight_paths()


def test_images_shrink_in_the_deep_convnet_as_in_the_book():
    network, shape, sizes = scratch.models.deep_convnet(), (None, 784), []
    for layer in network.layers:
        shape = layer.compute_output_shape(shape)
        sizes += [shape[1:]] if type(layer).__name__ == "MaxPooling2D" else []
    assert sizes == [(14, 14, 16), (8, 8, 32), (4, 4, 64)]
    # of the six convolutions 144 + 2,304 + 4,608 + 9,216 + 18,432 + 36,864, and a bias for each of
    # their 224 channels
    assert network.count_params() == 71568 + 224 + (1024 + 1) * 50 + (50 + 1) * 10
